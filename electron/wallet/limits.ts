// What a payee accepts as `signed` from strangers (protocol section 6): only what a stranger cannot evade. Pure.

import type { ErrorCode } from '../../shared/errors.ts'
import type { Limits } from './context.ts'

/** Unanswered Terms, per remote address and in all; each stops counting after a minute (protocol section 3). */
export const maxOpenTermsPerAddress = 3
export const maxOpenTerms = 64
export const openTermsMs = 60_000
/** And within a day in all: each unanswered one costs a purse number and questions at the mint for weeks. */
export const maxOpenTermsPerDay = 2000

const day = 24 * 3_600_000

export type Exposure = {
  /** Sum of unsettled signed payments, in the unit. */
  readonly sum: number
  /** How many signed payments came within the last hour. */
  readonly count: number
}

/** Limits shrink with the time since the mint was last reached: halved after a day, quartered after a week. */
export function limitsNow(limits: Limits, sinceReachedMs: number): Limits {
  const divisor = sinceReachedMs > 7 * day ? 4 : sinceReachedMs > day ? 2 : 1
  const part = (amount: number) => Math.floor(amount / divisor)
  return { single: part(limits.single), total: part(limits.total), perHour: part(limits.perHour) }
}

/** Why a signed payment of this amount is not accepted, or undefined when it is. */
export function refusalByLimits(limits: Limits, amount: number, exposure: Exposure): ErrorCode | undefined {
  if (amount > limits.single) return 'limit_single'
  if (exposure.sum + amount > limits.total) return 'limit_total'
  if (exposure.count >= limits.perHour) return 'limit_rate'
  return undefined
}
