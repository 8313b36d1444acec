// Keysets and their ids: the vectors of NUT-01 and NUT-02, and what a mint could try with the keys it serves.

import { describe, expect, test } from 'vitest'
import { Point, pointToHex } from '../shared/cashu/bdhke.ts'
import {
  hasDenominations,
  type KeysByDenomination,
  type Keyset,
  keyOf,
  keysetIdV1,
  keysetIdV2,
  maxKeys,
  verifyKeyset,
} from '../shared/cashu/keyset.ts'
import nut01 from './vectors/nut-01.json' with { type: 'json' }
import nut02 from './vectors/nut-02.json' with { type: 'json' }

const key = (k: number) => pointToHex(Point.BASE.multiply(BigInt(k)))
const small: KeysByDenomination = { '1': key(1), '2': key(2), '4': key(3) }

/** What a mint serves, under the V2 id that its content has unless `id` says otherwise. */
function served(change: Partial<Omit<Keyset, 'idV2'>> = {}): Omit<Keyset, 'idV2'> {
  const content = { keys: small, unit: 'sat', feePpk: 0, finalExpiry: null, active: true, ...change }
  return { id: keysetIdV2(content), ...content }
}
const aLie = (message: RegExp) =>
  expect.objectContaining({ code: 'mint_lies', message: expect.stringMatching(message) })

describe('NUT-01 vectors', () => {
  test.each(nut01.invalid)('a keyset is refused: $why', ({ keys }) => {
    expect(() => verifyKeyset(served({ id: '00456a94ab4e1c46', keys: withoutMissing(keys) }))).toThrow(aLie(/point/))
  })

  test.each(nut01.valid.map((keys) => withoutMissing(keys)).map((keys) => [Object.keys(keys).length, keys] as const))(
    'a keyset of %i keys is accepted',
    (_, keys) => {
      expect(verifyKeyset(served({ id: keysetIdV1(keys), keys })).keys).toEqual(keys)
    },
  )
})

describe('NUT-02 vectors', () => {
  test.each(nut02.v1)('version 1: $id', ({ id, keys: loose }) => {
    const keys = withoutMissing(loose)
    expect(keysetIdV1(keys)).toBe(id)
    expect(verifyKeyset(served({ id, keys }))).toMatchObject({ id, idV2: keysetIdV2(served({ keys })) })
  })

  test.each(nut02.v2)('version 2: $id', ({ id, unit, inputFeePpk, finalExpiry, keys: loose }) => {
    const keyset = { keys: withoutMissing(loose), unit, feePpk: inputFeePpk, finalExpiry }
    expect(keysetIdV2(keyset)).toBe(id)
    expect(verifyKeyset({ id, active: true, ...keyset })).toMatchObject({ id, idV2: id })
  })
})

/** JSON of several shapes becomes a union in which keys are optional: this drops what is not there. */
function withoutMissing(keys: Readonly<Record<string, string | undefined>>): KeysByDenomination {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

describe('a V2 id', () => {
  const id = keysetIdV2(served())

  test.each([
    ['another key', { keys: { ...small, '4': key(4) } }],
    ['a key under another denomination', { keys: { '1': key(2), '2': key(1), '4': key(3) } }],
    ['a key more', { keys: { ...small, '8': key(5) } }],
    ['another unit', { unit: 'eur' }],
    ['a fee', { feePpk: 1 }],
    ['an expiry', { finalExpiry: 2_000_000_000 }],
  ])('changes with %s', (_, change) => {
    expect(keysetIdV2(served(change))).not.toBe(id)
  })

  test('does not depend on the order in which keys are served', () => {
    expect(keysetIdV2(served({ keys: { '4': key(3), '1': key(1), '2': key(2) } }))).toBe(id)
  })

  test('is the same for the unit in capitals', () => {
    expect(keysetIdV2(served({ unit: 'SAT' }))).toBe(id)
  })
})

describe('a keyset a mint serves', () => {
  test('is named by its V2 id even when the mint uses the V1 id', () => {
    const id = keysetIdV1(small)
    expect(verifyKeyset(served({ id, feePpk: 100 }))).toMatchObject({ id, idV2: keysetIdV2(served({ feePpk: 100 })) })
  })

  test.each([
    ['no keys', {}],
    ['a denomination that is no power of two', { '3': key(1) }],
    ['a denomination of zero', { '0': key(1) }],
    ['a denomination with a leading zero', { '01': key(1) }],
    ['a negative denomination', { '-1': key(1) }],
    ['a denomination with a fraction', { '1.0': key(1) }],
    ['a denomination in hex', { '0x2': key(1) }],
    ['a denomination above 2^63', { '18446744073709551616': key(1) }],
    ['one key for two denominations', { '1': key(1), '2': key(1) }],
    ['a key and its negation', { '1': key(1), '2': `03${key(1).slice(2)}` }],
    ['a key in capitals', { '1': key(1).toUpperCase() }],
    ['a key that is no point', { '1': `02${'f'.repeat(64)}` }],
    ['the point at infinity', { '1': '00' }],
  ])('is refused with %s', (_, keys: KeysByDenomination) => {
    expect(() => verifyKeyset(served({ id: '0'.repeat(16), keys }))).toThrow(aLie(/^(?!.*keys it names)/))
  })

  test('is refused with more keys than there are denominations', () => {
    const keys = Object.fromEntries(Array.from({ length: maxKeys + 1 }, (_, n) => [String(n + 1), key(n + 1)]))
    expect(() => verifyKeyset(served({ id: '0'.repeat(16), keys }))).toThrow(aLie(/too many/))
  })

  test.each([
    ['the V1 id of other keys', served({ id: keysetIdV1({ '1': key(9) }) })],
    ['a V2 id of another fee', served({ id: served({ feePpk: 1 }).id })],
    ['a V2 id of another expiry', served({ id: served({ finalExpiry: 1 }).id })],
    ['its id in capitals', served({ id: keysetIdV2(served()).toUpperCase() })],
    ['the beginning of its id', served({ id: keysetIdV2(served()).slice(0, 16) })],
    ['no id', served({ id: '' })],
  ])('is refused under %s', (_, keyset) => {
    expect(() => verifyKeyset(keyset)).toThrow(aLie(/keys it names/))
  })

  test('may reach 2^63', () => {
    expect(verifyKeyset(served({ keys: { '9223372036854775808': key(1) } })).keys).toHaveProperty('9223372036854775808')
  })
})

describe('the key of a denomination', () => {
  test('is the point the mint served, the first time and later', () => {
    for (const _ of [1, 2]) expect(pointToHex(keyOf({ keys: small }, 4) ?? Point.ZERO)).toBe(key(3))
  })

  test('is absent for an amount that is no denomination', () => {
    for (const amount of [0, 3, 8, -1, 1.5, Number.NaN]) expect(keyOf({ keys: small }, amount)).toBeUndefined()
  })

  test('is not found on what every object inherits', () => {
    expect(hasDenominations({ keys: small }, [1, 4])).toBe(true)
    expect(hasDenominations({ keys: small }, [1, 8])).toBe(false)
    expect(hasDenominations({ keys: {} }, [])).toBe(true)
  })
})
