// What a payee accepts as `signed` from strangers (protocol section 6): only what a stranger cannot evade. Pure.

import type { ErrorCode } from '../../shared/errors.ts'
import type { Limits } from './context.ts'

/**
 * Unanswered Terms, per remote address and in all; each stops counting after a minute (protocol section 3). Those for an
 * open request of ours, and those for none, are counted apart: who only knows where a seller is found takes no room from
 * who was shown a request.
 */
export const maxOpenTermsPerAddress = 3
export const maxOpenTerms = 64
export const openTermsMs = 60_000
/**
 * And within a day, in all (counted apart, too) and per address: each unanswered one costs a purse number and questions at
 * the mint for weeks, and no single address shall be able to use up the day of all others.
 */
export const maxOpenTermsPerDay = 1_200
export const maxOpenTermsPerAddressPerDay = 100
/**
 * When the day is used up, payers are let in slowly instead of not at all: one in a minute, of an address that has left no
 * more than a few unanswered today. Both kinds, for a whole day, are 5,280 purses: fewer than the 64 milestones in a row
 * that a restore walks over (protocol section 2).
 */
export const maxLateTerms = 1
export const maxLateTermsPerAddressPerDay = 5

const day = 24 * 3_600_000

/** Unanswered Terms of some time: how many of them are of the address that asks, and of its kind. */
export type OpenTerms = { readonly fromAddress: number; readonly inAll: number }

/** Whether one more unanswered Terms are too many now. */
export function areTooManyTerms(lastMinute: OpenTerms, today: OpenTerms): boolean {
  const isLate = today.inAll >= maxOpenTermsPerDay
  const perAddressPerDay = isLate ? maxLateTermsPerAddressPerDay : maxOpenTermsPerAddressPerDay
  return (
    lastMinute.fromAddress >= maxOpenTermsPerAddress ||
    lastMinute.inAll >= (isLate ? maxLateTerms : maxOpenTerms) ||
    today.fromAddress >= perAddressPerDay
  )
}

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
