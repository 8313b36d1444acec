// How often one address may ask for a quote: each is a row that the mint keeps for long, and nobody has paid for it.

import { networkOf } from './network.ts'
import type { Clock } from './ports.ts'

const windowMs = 60_000
/** Addresses counted one by one in a window; who comes after them is counted together. */
const maxAddresses = 10_000
const everybodyElse = ''

export type QuoteLimit = {
  /** Count one request. @returns seconds to wait when it is one too many, else 0 */
  count(address: string): number
}

export function createQuoteLimit({
  clock,
  perMinute,
}: {
  readonly clock: Clock
  readonly perMinute: number
}): QuoteLimit {
  let windowStart = clock.now()
  const counts = new Map<string, number>()
  return {
    count: (address) => {
      const now = clock.now()
      if (now >= windowStart + windowMs || now < windowStart) {
        windowStart = now
        counts.clear()
      }
      const network = networkOf(address)
      const key = counts.has(network) || counts.size < maxAddresses ? network : everybodyElse
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return count <= perMinute ? 0 : Math.max(1, Math.ceil((windowStart + windowMs - now) / 1000))
    },
  }
}
