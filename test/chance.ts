// Chance that can be had again: a test that goes wrong prints its seed, and FARTHING_SEED=… brings the same choices back.

import { randomInt } from 'node:crypto'

export type Chance = {
  readonly seed: number
  /** 0 … 1, without 1. */
  next(): number
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  /** True in one of so many cases. */
  oneIn(cases: number): boolean
  /** A chance of its own, so that two who run side by side do not take each other's numbers. */
  fork(): Chance
}

/** @param seed whole number up to 2^32; FARTHING_SEED or a random one by default */
export function createChance(seed = Number(process.env['FARTHING_SEED'] ?? randomInt(2 ** 32))): Chance {
  let state = seed >>> 0
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    seed,
    next,
    between,
    oneIn: (cases) => between(1, cases) === 1,
    fork: () => createChance(between(0, 2 ** 32 - 1)),
  }
}
