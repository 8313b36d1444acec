// NUT-12: a proof that one key k made both the keyset key K = kG and the blind signature C_ = kB_.
// The NUT writes a, A, B', C'; we keep k, K, B_, C_ as in NUT-00.

import { hash_e } from '@cashu/cashu-ts'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hashToCurve, order, Point } from './bdhke.ts'
import { bytesToHex, bytesToNumberBE, concatBytes, numberToBytesBE, utf8ToBytes } from './numbers.ts'

/** Challenge and response, 64 hex characters each (NUT-12). */
export type Dleq = { readonly e: string; readonly s: string }

const nonceDomain = utf8ToBytes('Cashu_DLEQ_R_v1')

/**
 * Prove C_ = kB_ for K = kG. The nonce is deterministic (rejection-sampled HMAC-SHA256, NUT-12), so a broken random
 * source cannot leak k. Constant time in `k` and the nonce.
 */
export function proveDleq(k: bigint, B_: Point, C_: Point): Dleq {
  const K = Point.BASE.multiply(k)
  const r = deterministicNonce(k, K, B_, C_)
  const R1 = Point.BASE.multiply(r) // R1 = rG
  const R2 = B_.multiply(r) // R2 = rB_
  const e = bytesToNumberBE(hash_e([R1, R2, K, C_]))
  const Fn = secp256k1.Point.Fn
  const s = Fn.add(r, Fn.mul(Fn.create(e), k)) // s = r + ek
  return { e: e.toString(16).padStart(64, '0'), s: s.toString(16).padStart(64, '0') }
}

function deterministicNonce(k: bigint, K: Point, B_: Point, C_: Point): bigint {
  const points = concatBytes(K.toBytes(false), B_.toBytes(false), C_.toBytes(false))
  for (let counter = 0; counter < 256; counter++) {
    const data = concatBytes(nonceDomain, points, Uint8Array.of(counter))
    const r = bytesToNumberBE(hmac(sha256, numberToBytesBE(k, 32), data))
    if (r > 0n && r < order) return r
  }
  throw new Error('no nonce in 256 tries: probability 2^-32000')
}

/**
 * Whether `dleq` proves that C_ was made with the key behind K. Variable time: every input is public.
 * A `K` used often should have gone through `precomputeKey` once.
 */
export function verifyDleq(dleq: Dleq, B_: Point, C_: Point, K: Point): boolean {
  if (!/^[0-9a-f]{64}$/.test(dleq.e) || !/^[0-9a-f]{64}$/.test(dleq.s)) return false
  const e = BigInt(`0x${dleq.e}`)
  const s = BigInt(`0x${dleq.s}`)
  if (s === 0n || s >= order) return false
  if (K.is0() || C_.is0() || B_.is0()) return false
  const minusE = (order - (e % order)) % order
  const R1 = Point.BASE.multiplyUnsafe(s).add(K.multiplyUnsafe(minusE)) // R1 = sG − eK
  const R2 = B_.mulAddUnsafe(s, C_, minusE) // R2 = sB_ − eC_
  if (R1.is0() || R2.is0()) return false
  const points = normalizeZ(Point, [R1, R2, K, C_]) // one inversion for all four
  return bytesToHex(hash_e(points)) === dleq.e // e == hash(R1, R2, K, C_)
}

/** A coin as a payee checks it: unblinded signature and the blinding factor that ties it to the DLEQ proof. */
export type CoinToVerify = {
  readonly secret: string
  /** hash_to_curve(secret), when the caller has it already. */
  readonly Y?: Point
  readonly C: Point
  readonly dleq: Dleq
  /** Blinding factor, 1 … n−1. Known to payer and payee at this moment, so not secret between them. */
  readonly r: bigint
  readonly K: Point
}

/** Carol's check (NUT-12): re-blind with r, then verify as Alice did. Variable time: the payee was given all of it. */
export function verifyCoin({ secret, Y = hashToCurve(secret), C, dleq, r, K }: CoinToVerify): boolean {
  if (r <= 0n || r >= order) return false
  const B_ = Y.add(Point.BASE.multiplyUnsafe(r)) // B_ = Y + rG
  const C_ = C.add(K.multiplyUnsafe(r)) // C_ = C + rK
  if (B_.is0() || C_.is0()) return false
  return verifyDleq(dleq, B_, C_, K)
}

/** Attach multiplication tables to a mint's public key: about 8 KiB and 2 ms once, then faster checks. */
export function precomputeKey(K: Point): Point {
  return K.precompute(precomputeWindow, false)
}

const precomputeWindow = 6
