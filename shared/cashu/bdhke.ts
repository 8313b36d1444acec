// Blind Diffie-Hellman key exchange (NUT-00): how a mint signs a coin that it does not see.
// Symbols as in the NUT: x secret, Y = hash_to_curve(x), r blinding factor, B_ = Y + rG, k and K the mint's key pair,
// C_ = kB_, C = C_ − rK = kY.

import { hashToCurve as hashBytesToCurve } from '@cashu/cashu-ts'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { AppError } from '../errors.ts'

export const Point = secp256k1.Point
export type Point = InstanceType<typeof secp256k1.Point>
/** Order n of the group. */
export const order = Point.CURVE().n

/** Y = hash_to_curve(x), x taken as UTF-8 text (NUT-00). */
export function hashToCurve(secret: string): Point {
  return hashBytesToCurve(utf8ToBytes(secret))
}

/** B_ = Y + rG. Constant time in `r` (1 … n−1). */
export function blind(secret: string, r: bigint): Point {
  return hashToCurve(secret).add(Point.BASE.multiply(r)) // B_ = Y + rG
}

/** C_ = kB_, by the mint. Constant time in `k`. */
export function signBlinded(B_: Point, k: bigint): Point {
  return B_.multiply(k) // C_ = kB_
}

/** C = C_ − rK. Constant time in `r`. */
export function unblind(C_: Point, r: bigint, K: Point): Point {
  return C_.subtract(K.multiply(r)) // C = C_ − rK
}

/** Whether C = kY, by the mint, which alone knows `k`. `Y` is of the coin's secret. Constant time in `k`. */
export function verifyUnblinded(Y: Point, C: Point, k: bigint): boolean {
  return Y.multiply(k).equals(C) // kY == C
}

/**
 * A point from its 33-byte compressed hex form, lower or upper case.
 * @throws AppError `bad_input` for anything else: wrong length, uncompressed, not on the curve
 */
export function pointFromHex(hex: string): Point {
  if (!/^0[23][0-9a-fA-F]{64}$/.test(hex)) throw new AppError('bad_input', 'not a compressed point')
  try {
    return Point.fromHex(hex)
  } catch (cause) {
    throw new AppError('bad_input', 'not a point of the curve', { cause })
  }
}

/** A point from its 33 compressed bytes. @throws AppError `bad_input` */
export function pointFromBytes(bytes: Uint8Array): Point {
  return pointFromHex(bytesToHex(bytes))
}

/** Compressed, lower-case hex: 66 characters. */
export function pointToHex(point: Point): string {
  return point.toHex(true)
}
