// Keysets (NUT-01, NUT-02): a mint's public keys of one unit, one per denomination, and the id that names them.

import { deriveKeysetId } from '@cashu/cashu-ts'
import { AppError } from '../errors.ts'
import { type Point, pointFromHex, pointToHex } from './bdhke.ts'
import { precomputeKey } from './dleq.ts'

/** Denomination as decimal text (mints may reach 2^63) → compressed public key, lower-case hex. */
export type KeysByDenomination = Readonly<Record<string, string>>

export type Keyset = {
  /** The id as the mint serves it: V1 (16 hex characters) or V2 (66). Used on the wire to the mint only. */
  readonly id: string
  /** The V2 id computed from keys, unit, fee and expiry. Used in every hash, comparison and message between peers. */
  readonly idV2: string
  readonly unit: string
  readonly active: boolean
  /** Fee for spending one coin, in thousandths of the unit (NUT-02). */
  readonly feePpk: number
  /** Unix seconds, or null for none. */
  readonly finalExpiry: number | null
  readonly keys: KeysByDenomination
}

/** Most keys a keyset may have: 2^0 … 2^63, with room. */
export const maxKeys = 128

/** V2 id: 66 hex characters (NUT-02). Computed from everything that matters for money. */
export function keysetIdV2(keyset: Pick<Keyset, 'keys' | 'unit' | 'feePpk' | 'finalExpiry'>): string {
  return deriveKeysetId(keyset.keys, {
    unit: keyset.unit.toLowerCase(),
    input_fee_ppk: keyset.feePpk,
    versionByte: 1,
    ...(keyset.finalExpiry === null ? {} : { expiry: keyset.finalExpiry }),
  })
}

/** V1 id: 16 hex characters, of the keys alone (NUT-02, deprecated but still active at most mints). */
export function keysetIdV1(keys: KeysByDenomination): string {
  return deriveKeysetId(keys, { versionByte: 0 })
}

/**
 * Check what a mint says of a keyset and name it: every key is a compressed point under a decimal power-of-two
 * denomination, no key twice, and the id the mint uses is the one its keys have.
 * @throws AppError `mint_lies`
 */
export function verifyKeyset(served: Omit<Keyset, 'idV2'>): Keyset {
  const entries = Object.entries(served.keys)
  if (entries.length === 0 || entries.length > maxKeys)
    throw new AppError('mint_lies', 'keyset with no or too many keys')
  for (const [denomination, key] of entries) {
    if (!isDenomination(denomination)) throw new AppError('mint_lies', 'denomination is not a power of two')
    if (key !== key.toLowerCase()) throw new AppError('mint_lies', 'mint key is not lower-case hex')
    assertPoint(key)
  }
  if (new Set(entries.map(([, key]) => key.slice(2))).size !== entries.length) {
    throw new AppError('mint_lies', 'one key for two denominations')
  }
  const idV2 = keysetIdV2(served)
  const expected = served.id.length === 16 ? keysetIdV1(served.keys) : idV2
  if (served.id !== expected) throw new AppError('mint_lies', `keyset ${served.id} does not have the keys it names`)
  return { ...served, idV2 }
}

function assertPoint(hex: string): void {
  try {
    pointFromHex(hex)
  } catch (cause) {
    throw new AppError('mint_lies', 'mint key is not a compressed point', { cause })
  }
}

/** A decimal power of two up to 2^63, without sign or leading zero. */
function isDenomination(text: string): boolean {
  if (!/^[1-9][0-9]{0,19}$/.test(text)) return false
  const value = BigInt(text)
  return (value & (value - 1n)) === 0n && value <= 1n << 63n
}

const pointOfKey = new Map<string, Point>()
const maxPreparedKeys = 512

/**
 * K of one denomination, ready for fast verification (tables are made once per key and kept for the last few hundred).
 * @returns undefined when the keyset has no such denomination
 */
export function keyOf(keyset: Pick<Keyset, 'keys'>, amount: number): Point | undefined {
  const hex = Object.hasOwn(keyset.keys, String(amount)) ? keyset.keys[String(amount)] : undefined
  if (hex === undefined) return undefined
  const known = pointOfKey.get(hex)
  if (known) return known
  if (pointOfKey.size >= maxPreparedKeys) {
    const oldest = pointOfKey.keys().next()
    if (!oldest.done) pointOfKey.delete(oldest.value)
  }
  const point = precomputeKey(pointFromHex(hex))
  pointOfKey.set(pointToHex(point), point)
  return point
}

/** Whether every amount is one of the keyset's denominations. */
export function hasDenominations(keyset: Pick<Keyset, 'keys'>, amounts: Iterable<number>): boolean {
  for (const amount of amounts) if (!Object.hasOwn(keyset.keys, String(amount))) return false
  return true
}
