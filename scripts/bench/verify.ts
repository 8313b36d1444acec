// How fast coins are verified: ours (variable time, public values) against cashu-ts (constant time), in one run.

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { verifyDLEQProof_reblind } from '@cashu/cashu-ts'
import { blind, type Point, Point as points, signBlinded, unblind } from '../../shared/cashu/bdhke.ts'
import { type CoinToVerify, precomputeKey, proveDleq, verifyCoin } from '../../shared/cashu/dleq.ts'
import { bytesToNumberBE, hexToBytes, utf8ToBytes } from '../../shared/cashu/numbers.ts'
import { purseSecret } from '../../shared/cashu/p2pk.ts'

export type VerifyResult = {
  /** Milliseconds for this many coins, medians of the rounds, and how many times faster ours is. */
  readonly rows: readonly {
    readonly coins: number
    readonly oursMs: number
    readonly cashuTsMs: number
    readonly ratio: number
  }[]
  readonly ratio: number
}

type Sample = CoinToVerify & { readonly plainK: Point }

const scalar = (): bigint => bytesToNumberBE(randomBytes(31)) + 1n

/** Coins of one mint with a handful of denominations, as a payee sees them. */
export function sampleCoins(count: number): readonly Sample[] {
  const keys = Array.from({ length: 8 }, () => {
    const k = scalar()
    const K = points.BASE.multiply(k)
    return { k, K: precomputeKey(points.fromHex(K.toHex())), plainK: K }
  })
  return Array.from({ length: count }, (_, index): Sample => {
    const key = keys[index % keys.length]
    if (!key) throw new Error('no key')
    const secret = purseSecret(randomBytes(32).toString('hex'), key.K.toHex(true))
    const r = scalar()
    const B_ = blind(secret, r)
    const C_ = signBlinded(B_, key.k)
    return { secret, r, C: unblind(C_, r, key.K), dleq: proveDleq(key.k, B_, C_), K: key.K, plainK: key.plainK }
  })
}

export function verifyWithCashuTs({ secret, dleq, r, C, plainK }: Sample): boolean {
  const proof = { e: hexToBytes(dleq.e), s: hexToBytes(dleq.s), r }
  return verifyDLEQProof_reblind(utf8ToBytes(secret), proof, C, plainK)
}

/** Interleaved, so that a noisy moment hits both. @returns median milliseconds of each */
export function compare(coins: readonly Sample[], rounds: number): { oursMs: number; cashuTsMs: number } {
  const times = { ours: [] as number[], cashuTs: [] as number[] }
  const time = (verify: (coin: Sample) => boolean): number => {
    const before = performance.now()
    for (const coin of coins) if (!verify(coin)) throw new Error('a valid coin was refused')
    return performance.now() - before
  }
  for (let round = 0; round < rounds; round++) {
    times.ours.push(time(verifyCoin))
    times.cashuTs.push(time(verifyWithCashuTs))
  }
  return { oursMs: median(times.ours), cashuTsMs: median(times.cashuTs) }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function benchVerify(say: (line: string) => void): VerifyResult {
  compare(sampleCoins(16), 3)
  say('coins   ours ms   cashu-ts ms   times faster')
  const rows = [8, 32, 128].map((count) => {
    const { oursMs, cashuTsMs } = compare(sampleCoins(count), 5)
    const ratio = cashuTsMs / oursMs
    say(
      `${String(count).padStart(5)} ${oursMs.toFixed(1).padStart(9)} ${cashuTsMs.toFixed(1).padStart(13)} ${ratio.toFixed(2).padStart(14)}`,
    )
    return { coins: count, oursMs, cashuTsMs, ratio }
  })
  return { rows, ratio: median(rows.map(({ ratio }) => ratio)) }
}
