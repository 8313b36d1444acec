// Amounts: whole numbers of a unit's smallest part, 1 … 2^53−1, never a fraction, never silently rounded.

import { AppError } from './errors.ts'

/** Largest amount anything here handles (protocol section 10). Mints may have keys up to 2^63; those are not used. */
export const maxAmount = Number.MAX_SAFE_INTEGER

export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}

/** @throws AppError `amount_out_of_range` unless `value` is a whole number in 1 … 2^53−1 */
export function assertAmount(value: number): number {
  if (!isAmount(value)) throw new AppError('amount_out_of_range', `not an amount: ${value}`)
  return value
}

/** Sum with overflow check. The sum of nothing is 0. @throws AppError `amount_out_of_range` */
export function sumAmounts(amounts: Iterable<number>): number {
  let sum = 0
  for (const amount of amounts) {
    sum += assertAmount(amount)
    if (!Number.isSafeInteger(sum)) throw new AppError('amount_out_of_range', 'sum above 2^53−1')
  }
  return sum
}

/** Sum that stops at the largest amount: to show and to compare, never to pay with. Mints may sign more than can be counted. */
export function cappedSum(amounts: Iterable<number>): number {
  let sum = 0
  for (const amount of amounts) sum = Math.min(maxAmount, sum + amount)
  return sum
}

/**
 * The canonical split: one denomination for every set bit, ascending (13 → [1, 4, 8]).
 * Zero splits into nothing.
 */
export function splitAmount(amount: number): readonly number[] {
  if (amount !== 0) assertAmount(amount)
  const parts: number[] = []
  let rest = amount
  for (let bit = 1; rest > 0; bit *= 2) {
    if (rest % 2 === 1) parts.push(bit)
    rest = Math.floor(rest / 2)
  }
  return parts
}

/**
 * Fee of a swap in the unit: ⌈Σ input_fee_ppk / 1000⌉ over its inputs (NUT-02).
 * @throws AppError `amount_out_of_range` when a fee is no whole number from 0, or their sum is above 2^53−1
 */
export function inputFee(feesPpk: Iterable<number>): number {
  let sum = 0
  for (const feePpk of feesPpk) {
    sum += feePpk
    if (!Number.isSafeInteger(feePpk) || feePpk < 0 || !Number.isSafeInteger(sum)) {
      throw new AppError('amount_out_of_range', `not a fee: ${feePpk}`)
    }
  }
  return Math.ceil(sum / 1000)
}
