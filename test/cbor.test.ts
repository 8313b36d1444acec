// CBOR in one encoding only: what another encoder may write for the same value is refused, and no input is a bomb.

import { decode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, concatBytes, hexToBytes } from '../shared/cashu/numbers.ts'
import { decodeCbor, decodeLooseCbor, encodeCbor, sameBytes } from '../shared/cbor.ts'

const badFrame = expect.objectContaining({ code: 'bad_frame' })
/** Refused by its own check: not because the decoder ran out of stack. */
const withoutOverflow = expect.objectContaining({
  code: 'bad_frame',
  cause: expect.objectContaining({ name: 'Error' }),
})
const nested = (depth: number) => new Uint8Array(depth + 1).fill(0x81).with(depth, 0x00)
/** Longest frame of the payment protocol. */
const frame = 64 * 1024

/** The decoded value; undefined when the bytes were refused as they should be. Any other error fails the test. */
function attempt(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: decodeCbor(bytes) }
  } catch (error) {
    expect(error).toEqual(badFrame)
    return undefined
  }
}

/** Everything our messages are made of. */
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 30 }),
    // `__proto__` as a key cannot be written as a literal; see its own test.
    fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 30 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 30, noNullPrototype: true },
    ),
  ),
})).value

describe('what we encode', () => {
  test('is read back as the same value', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(decodeCbor(encodeCbor(one))).toEqual(one)
      }),
      { numRuns: 500 },
    )
  })

  test('does not depend on the order in which a map was written', () => {
    const written = encodeCbor({ v: 1, amount: 2, unit: 'sat', mint: { url: 'x', keysetIds: [] } })
    expect(encodeCbor({ unit: 'sat', mint: { keysetIds: [], url: 'x' }, amount: 2, v: 1 })).toEqual(written)
  })

  test('is a plain byte array with memory of its own, at every size', () => {
    for (const length of [0, 1, 50, 100, 300, 5000]) {
      const bytes = encodeCbor([new Uint8Array(length), 'x'.repeat(length)])
      expect(bytes.constructor).toBe(Uint8Array)
      expect(bytes.buffer.byteLength).toBe(bytes.length)
    }
  })

  // RFC 8949 §4.2.1: keys in the order of their encoded bytes, so the shorter first.
  test('has the bytes of the RFC', () => {
    expect(bytesToHex(encodeCbor({ b: 1, aa: 2, a: 3 }))).toBe('a361610361620162616102')
    expect(bytesToHex(encodeCbor([23, 24, 255, 256, 65535, 65536, 2 ** 32, Number.MAX_SAFE_INTEGER]))).toBe(
      `88${['17', '1818', '18ff', '190100', '19ffff', '1a00010000', '1b0000000100000000', '1b001fffffffffffff'].join('')}`,
    )
    expect(bytesToHex(encodeCbor(hexToBytes('00ff')))).toBe('4200ff')
    expect(bytesToHex(encodeCbor('ü'))).toBe('62c3bc')
  })
})

describe('another encoding of the same value is refused', () => {
  // Each of these is understood by a lenient decoder, which the last column proves where there is one.
  test.each([
    ['map keys out of order', 'a2616201616102', { b: 1, a: 2 }],
    ['longer map keys first', 'a262616101616202', { aa: 1, b: 2 }],
    ['an integer in two bytes', '1817', 23],
    ['an integer in three bytes', '1900ff', 255],
    ['an integer in five bytes', '1a0000ffff', 65535],
    ['an integer in nine bytes', '1b00000000ffffffff', 4294967295],
    ['a negative integer in two bytes', '3817', -24],
    ['a text length in two bytes', '780161', 'a'],
    ['a byte string length in two bytes', '580161', Uint8Array.of(0x61)],
    ['an array length in two bytes', '980101', [1]],
    ['a map length in two bytes', 'b801616101', { a: 1 }],
    ['an array of indefinite length', '9f01ff', [1]],
    ['a map of indefinite length', 'bf616101ff', { a: 1 }],
    ['a text of indefinite length', '7f6161ff', undefined],
    ['bytes of indefinite length', '5f4161ff', undefined],
    ['a whole number as half float', 'f93c00', 1],
    ['a whole number as single float', 'fa3f800000', 1],
    ['a whole number as double float', 'fb3ff0000000000000', 1],
    ['minus zero', 'f98000', -0],
    ['a fraction in more bytes than it needs', 'fb3ff8000000000000', 1.5],
    ['false in two bytes', 'f814', undefined],
  ])('%s', (_, hex, lenient) => {
    if (lenient !== undefined) expect(decode(hexToBytes(hex))).toEqual(lenient)
    expect(() => decodeCbor(hexToBytes(hex))).toThrow(badFrame)
  })

  test('a value never has two accepted encodings: whatever is accepted is what we would write', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 0, max: 7 }), (one, place, bit) => {
        const bytes = encodeCbor(one)
        const at = place % bytes.length
        const changed = bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit))
        const read = attempt(changed)
        if (read) expect(encodeCbor(read.value)).toEqual(changed)
      }),
      { numRuns: 500 },
    )
  })
})

describe('what no message of ours contains is refused', () => {
  test.each([
    ['nothing', ''],
    ['a tag', 'c100'],
    ['a tagged big number', 'c249010000000000000000'],
    ['a tag that only marks CBOR', 'd9d9f700'],
    ['not a number', 'f97e00'],
    ['infinity', 'f97c00'],
    ['minus infinity', 'f9fc00'],
    ['undefined', 'f7'],
    ['an unassigned simple value', 'f0'],
    ['a break', 'ff'],
    ['an integer of 2^53', '1b0020000000000000'],
    ['an integer of 2^64−1', '1bffffffffffffffff'],
    ['a negative integer of −2^53', '3b001fffffffffffff'],
    ['a key twice', 'a2616101616102'],
    ['a key twice with the same value', 'a2616101616101'],
    ['a map with a number as key', 'a10101'],
    ['a map with bytes as key', 'a1416101'],
    ['a text that is not UTF-8', '61ff'],
    ['a text with half a character', '62c3'],
    ['a text with an encoded surrogate', '63eda080'],
    ['bytes after the value', '0000'],
    ['a break after the value', '00ff'],
    ['a reserved length', '1c'],
    ['an array with an item missing', '8201'],
    ['a map with a value missing', 'a16161'],
    ['a text cut short', '6261'],
    ['bytes cut short', '4241'],
    ['an integer cut short', '1901'],
  ])('%s', (_, hex) => {
    expect(() => decodeCbor(hexToBytes(hex))).toThrow(badFrame)
  })

  test('a fraction is decoded only in its shortest form', () => {
    expect(decodeCbor(hexToBytes('f93e00'))).toBe(1.5)
  })

  test('random bytes are refused or are exactly what we would write, never another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = attempt(bytes)
        if (read) expect(encodeCbor(read.value)).toEqual(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  test('a key named __proto__ changes no object', () => {
    const bytes = hexToBytes(`a1695f5f70726f746f5f5fa1617801`) // {"__proto__": {"x": 1}}
    const read = attempt(bytes)
    expect(read?.value ?? {}).not.toHaveProperty('x')
    expect({}).not.toHaveProperty('x')
  })
})

describe('a bomb is refused before it goes off', () => {
  test('a map has as many entries as our messages need, and not thousands', () => {
    const entries = (count: number) =>
      encodeCbor(Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`.padStart(4, '0'), 0])))
    expect(Object.keys(decodeCbor(entries(64)) as object)).toHaveLength(64)
    for (const decoder of [decodeCbor, decodeLooseCbor])
      for (const count of [65, 6_000]) expect(() => decoder(entries(count))).toThrow(badFrame)
  })

  test('nesting is accepted to the depth our messages need and refused beyond it', () => {
    expect(decodeCbor(nested(16))).toBeDefined()
    expect(() => decodeCbor(nested(17))).toThrow(badFrame)
  })

  test.each([
    ['nested arrays', nested(frame - 1)],
    ['nested arrays without an end', new Uint8Array(frame).fill(0x81)],
    ['nested maps', hexToBytes('a16161'.repeat(frame / 3))],
    ['nested tags', new Uint8Array(frame).fill(0xc1)],
    ['nested arrays of indefinite length', new Uint8Array(frame).fill(0x9f)],
    ['arrays in the last place of arrays', hexToBytes('8200'.repeat(frame / 2))],
  ])('64 KiB of %s end at once, without a stack overflow', (_, bytes) => {
    const started = performance.now()
    expect(() => decodeCbor(bytes)).toThrow(withoutOverflow)
    expect(performance.now() - started).toBeLessThan(50)
  })

  test.each([
    ['an array of 2^32−1 items', '9affffffff'],
    ['an array of 2^53 items', '9b0020000000000000'],
    ['an array of 2^64−1 items', '9bffffffffffffffff'],
    ['a map of 2^32−1 entries', 'baffffffff'],
    ['a map of 2^64−1 entries', 'bbffffffffffffffff'],
    ['a text of 2^32−1 bytes', '7affffffff61'],
    ['a byte string of 2^32−1 bytes', '5affffffff00'],
    ['a byte string of 2^64−1 bytes', '5bffffffffffffffff'],
    ['an array that promises one item more than there are bytes', '83'],
  ])('%s in a short frame is refused without making room for it', (_, hex) => {
    const before = process.memoryUsage().rss
    expect(() => decodeCbor(hexToBytes(hex))).toThrow(badFrame)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20)
  })

  test('arrays that each promise all of the frame are refused quickly', () => {
    const head = Uint8Array.of(0x99, 0xff, 0xff) // 65,535 items
    const bytes = concatBytes(...Array.from({ length: 16 }, () => head), new Uint8Array(frame - 48))
    const started = performance.now()
    expect(() => decodeCbor(bytes)).toThrow(badFrame)
    expect(performance.now() - started).toBeLessThan(500)
  })

  test('a full frame of small items is read in reasonable time', () => {
    const bytes = encodeCbor(Array.from({ length: frame - 16 }, () => 0))
    const started = performance.now()
    expect(decodeCbor(bytes)).toHaveLength(frame - 16)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test('equal bytes are equal, and one bit or byte more makes them differ', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (bytes, place) => {
      const at = place % bytes.length
      expect(sameBytes(bytes, bytes.slice())).toBe(true)
      expect(sameBytes(bytes, bytes.with(at, (bytes[at] ?? 0) ^ 1))).toBe(false)
      expect(sameBytes(bytes, bytes.slice(0, -1))).toBe(false)
      expect(sameBytes(bytes.slice(0, -1), bytes)).toBe(false)
    }),
  )
})
