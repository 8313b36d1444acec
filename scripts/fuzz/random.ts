// Chance from a seed: the same seed makes the same choices on every machine.

export type Random = {
  /** A whole number from 0, below `end`. */
  below(end: number): number
  /** True once in so many times. */
  oneIn(times: number): boolean
  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T
}

/** PCG-like generator of 32 bits (mulberry32). @param seed any whole number */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (end: number): number => next() % end
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (list) => {
      const index = below(Math.max(1, list.length))
      for (const one of list.slice(index, index + 1)) return one
      throw new RangeError('nothing to pick from')
    },
  }
}
