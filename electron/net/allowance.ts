// How much a stranger may do: so much at once, and then so much a second.

/** `burst` is what may be taken at once; used up, it comes back by `perSecond`. */
export type Rate = { readonly burst: number; readonly perSecond: number }

export type Allowance = {
  /** @returns false, and takes nothing, when less than that is left */
  take(amount?: number): boolean
  /** Whether that much is left. */
  has(amount?: number): boolean
  /** As if nothing had been taken for long enough. */
  isFull(): boolean
}

export function createAllowance({ burst, perSecond }: Rate): Allowance {
  let left = burst
  let countedAt = performance.now()
  const count = (): void => {
    const now = performance.now()
    left = Math.min(burst, left + ((now - countedAt) * perSecond) / 1_000)
    countedAt = now
  }
  const has = (amount = 1): boolean => {
    count()
    return left >= amount
  }
  return {
    has,
    take: (amount = 1) => {
      if (!has(amount)) return false
      left -= amount
      return true
    },
    isFull: () => {
      count()
      return left === burst
    },
  }
}

/** Addresses are free for who has many: at most so many are remembered. */
const maxRemembered = 1_024

export type Allowances = { take(address: string): boolean; has(address: string): boolean }

/** The same allowance for every address. */
export function createAllowances(rate: Rate): Allowances {
  const known = new Map<string, Allowance>()
  const makeRoom = (): void => {
    for (const [address, allowance] of known) if (allowance.isFull()) known.delete(address)
    const [oldest] = known.keys()
    if (known.size >= maxRemembered && oldest !== undefined) known.delete(oldest)
  }
  return {
    has: (address) => known.get(address)?.has() ?? true,
    take: (address) => {
      const before = known.get(address)
      if (before) return before.take()
      if (known.size >= maxRemembered) makeRoom()
      const allowance = createAllowance(rate)
      known.set(address, allowance)
      return allowance.take()
    },
  }
}
