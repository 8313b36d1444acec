// How to come to exactly the coins that a melt takes: which swaps to oneself, of which purses, into one fresh purse. Pure.
// SIG_ALL allows one key per swap and per melt, so every purse that helps takes a swap of its own; each pours what it
// gives straight into the purse to melt, which saves the fee of one more swap.

import { inputFee, splitAmount } from '../../shared/amount.ts'
import { maxInputs } from '../../shared/cashu/wire.ts'
import { type Candidate, chooseCoins, splitUpTo } from './coins.ts'

/** One swap of one purse's coins. */
export type Pour<C extends Candidate> = {
  readonly inputs: readonly C[]
  /** Into the purse to melt. */
  readonly amounts: readonly number[]
  /** What is over; comes home to another purse. */
  readonly rest: number
  readonly fee: number
}

export type GatherPlan<C extends Candidate> = {
  /** In the order in which they are made. */
  readonly pours: readonly Pour<C>[]
  /** The mint's fee for the gathered coins. */
  readonly meltFee: number
  /** Fees of the swaps and of the melt. */
  readonly fee: number
}

export type GatherResult<C extends Candidate> =
  | { readonly kind: 'planned'; readonly plan: GatherPlan<C> }
  /** `largest`: what could be gathered instead, the melt's own fee taken off. */
  | { readonly kind: 'not_enough'; readonly largest: number }

/** What the coins to melt must be worth after their fee, and what the coins of the mint are like. */
export type GatherOrder = {
  /** Amount and fee reserve. */
  readonly worth: number
  /** Fee of the coins that the swaps make. */
  readonly feePpk: number
  /** Largest denomination. */
  readonly largest: number
}

/** Coins of one purse that fit in one swap, and what they give if all that are worth it go in. */
type Source<C extends Candidate> = {
  readonly coins: readonly C[]
  readonly inputs: readonly C[]
  readonly fee: number
  readonly net: number
}
type Poured = { readonly sum: number; readonly count: number; readonly fee: number }

/**
 * Plan the swaps: one purse where one suffices, for the least in fees; else the largest purses in full and the rest from
 * the one that leaves least over. The gathered coins are worth `worth` and their own fee, exactly: a mint may refuse more.
 */
export function planGathering<C extends Candidate>(coins: readonly C[], order: GatherOrder): GatherResult<C> {
  const sources = sourcesOf(coins)
  const whole: Pour<C>[] = []
  let poured: Poured = { sum: 0, count: 0, fee: 0 }
  let largest = 0
  for (const [index, source] of sources.entries()) {
    const best = sources.slice(index).flatMap((last) => lastPour(last, poured, order) ?? [])
    const [plan] = best.sort((a, b) => a.fee - b.fee || a.pour.rest - b.pour.rest)
    if (plan) {
      const { pour, meltFee, fee } = plan
      return { kind: 'planned', plan: { pours: [...whole, pour], meltFee, fee: poured.fee + fee } }
    }
    const amounts = splitUpTo(source.net, order.largest)
    poured = { sum: poured.sum + source.net, count: poured.count + amounts.length, fee: poured.fee + source.fee }
    if (poured.count > maxInputs) break
    whole.push({ inputs: source.inputs, amounts, rest: 0, fee: source.fee })
    largest = Math.max(largest, poured.sum - meltFeeOf(poured.count, order))
  }
  return { kind: 'not_enough', largest }
}

const meltFeeOf = (count: number, { feePpk }: GatherOrder): number => inputFee([count * feePpk])

/**
 * The pour that makes it complete. The fee of the melt depends on the number of coins, and the coins on the fee: take the
 * smallest number that can carry what it costs.
 */
function lastPour<C extends Candidate>({ coins }: Source<C>, before: Poured, order: GatherOrder) {
  for (let count = 1; before.count + count <= maxInputs; count++) {
    const meltFee = meltFeeOf(before.count + count, order)
    const missing = order.worth + meltFee - before.sum
    if (missing < count || fewestParts(missing, order.largest) > count) continue
    const found = chooseCoins(coins, missing, count)
    if (found.kind !== 'chosen') return undefined
    const { inputs, fee, change: rest } = found.choice
    const pour: Pour<C> = { inputs, amounts: splitInto(missing, count, order.largest), rest, fee }
    return { pour, meltFee, fee: fee + meltFee }
  }
  return undefined
}

/** How many coins `splitUpTo` makes, without making them: what is asked for may be any number. */
function fewestParts(amount: number, largest: number): number {
  const whole = Math.floor(amount / largest)
  return whole + splitAmount(amount - whole * largest).length
}

/** Exactly `count` denominations, ascending; `count` between the fewest that do and `amount`. */
function splitInto(amount: number, count: number, largest: number): readonly number[] {
  const parts = [...splitUpTo(amount, largest)].sort((a, b) => a - b)
  while (parts.length < count) {
    const half = (parts.pop() ?? 0) / 2
    parts.push(half, half)
    parts.sort((a, b) => a - b)
  }
  return parts
}

/** What each purse can give in one swap, the most first. */
function sourcesOf<C extends Candidate>(coins: readonly C[]): readonly Source<C>[] {
  const byPurse = Map.groupBy(
    coins.filter(({ amount, feePpk }) => amount * 1000 > feePpk),
    ({ purseId }) => purseId,
  )
  return [...byPurse.values()]
    .flatMap((purse) => {
      const descending = [...purse].sort((a, b) => b.amount - a.amount || (a.Y < b.Y ? -1 : 1))
      const swaps = Math.ceil(descending.length / maxInputs)
      return Array.from({ length: swaps }, (_, at) => sourceOf(descending.slice(at * maxInputs, (at + 1) * maxInputs)))
    })
    .filter(({ net }) => net > 0)
    .sort((a, b) => b.net - a.net)
}

/** As many of the largest coins as are worth their fee together. */
function sourceOf<C extends Candidate>(descending: readonly C[]): Source<C> {
  let best: Source<C> = { coins: descending, inputs: [], fee: 0, net: 0 }
  let sum = 0
  for (const [index, { amount }] of descending.entries()) {
    sum += amount
    const inputs = descending.slice(0, index + 1)
    const fee = inputFee(inputs.map(({ feePpk }) => feePpk))
    if (sum - fee > best.net) best = { ...best, inputs, fee, net: sum - fee }
  }
  return best
}
