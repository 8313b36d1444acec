// Who does what is not let pass, told to the operator: a line for each address and deed, few in all.

import { networkOf } from './network.ts'
import type { Clock } from './ports.ts'

export type Abuse = 'asks for too many quotes' | 'sends too much' | 'holds too many connections'
/** Told of each; called often. */
export type OnAbuse = (address: string, abuse: Abuse) => void

/** An address is named again for the same after this long, milliseconds. */
const windowMs = 600_000
/** Lines in that time. */
const maxLines = 16

/** @param log a line with nothing in it that a stranger wrote but its address */
export function createAbuseLog({
  clock,
  log,
}: {
  readonly clock: Clock
  readonly log: (line: string) => void
}): OnAbuse {
  let windowStart = clock.now()
  let untold = 0
  const told = new Set<string>()
  return (address, abuse) => {
    const now = clock.now()
    if (now >= windowStart + windowMs || now < windowStart) {
      if (untold > 0) log(`refused ${untold} more times since then`)
      windowStart = now
      untold = 0
      told.clear()
    }
    const line = `refused ${networkOf(address)}: ${abuse}`
    if (told.has(line) || told.size >= maxLines) {
      untold++
      return
    }
    told.add(line)
    log(line)
  }
}
