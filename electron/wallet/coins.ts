// Which coins pay, which denominations come back. Pure.

import { cappedSum, inputFee, splitAmount } from '../../shared/amount.ts'
import { maxInputs, maxOutputs } from '../../shared/cashu/wire.ts'

/** What the choice needs of a coin. */
export type Candidate = {
  readonly Y: string
  readonly purseId: number
  readonly amount: number
  readonly feePpk: number
}

export type Choice<C extends Candidate> = {
  readonly purseId: number
  readonly inputs: readonly C[]
  readonly fee: number
  /** Σ inputs − fee − amount: comes back to the payer. 0 when exact. */
  readonly change: number
}

export type ChoiceResult<C extends Candidate> =
  | { readonly kind: 'chosen'; readonly choice: Choice<C> }
  /** No purse covers it. `largest` is what one purse can pay at most (0: nothing), `inAll` what all can one by one. */
  | { readonly kind: 'not_enough'; readonly largest: number; readonly inAll: number }

/**
 * Choose coins of one purse for `amount` to a payee, plus the fee. Exact where any purse allows it (largest coins first,
 * measured: the order that leaves the most amounts payable exactly), else with change from the purse that has the least
 * to spare, so that large purses stay whole.
 * @param payeeOutputs how many outputs the payee takes; change takes the rest of the swap's limit
 */
export function chooseCoins<C extends Candidate>(
  coins: readonly C[],
  amount: number,
  payeeOutputs: number,
): ChoiceResult<C> {
  const purses = [...byPurse(coins).values()].sort((a, b) => sum(a) - sum(b))
  const choices = purses.flatMap((purse) => choiceWithin(purse, amount, payeeOutputs) ?? [])
  const best = choices.find(({ change }) => change === 0) ?? choices[0]
  if (best) return { kind: 'chosen', choice: best }
  const payable = purses.map(largestPayable)
  return { kind: 'not_enough', largest: Math.max(0, ...payable), inAll: payable.reduce((all, one) => all + one, 0) }
}

function choiceWithin<C extends Candidate>(
  purse: readonly C[],
  amount: number,
  payeeOutputs: number,
): Choice<C> | undefined {
  const descending = [...purse].sort((a, b) => b.amount - a.amount || (a.Y < b.Y ? -1 : 1))
  let withChange: Choice<C> | undefined
  // The fee depends on the coins and the coins on the fee: try each fee the purse could owe.
  for (const fee of possibleFees(descending)) {
    for (const inputs of coverings(descending, amount + fee)) {
      const owed = inputFee(inputs.map(({ feePpk }) => feePpk))
      const change = sum(inputs) - amount - owed
      const purseId = inputs[0]?.purseId
      if (change < 0 || purseId === undefined || inputs.length > maxInputs) continue
      if (splitAmount(change).length + payeeOutputs > maxOutputs) continue
      const choice = { purseId, inputs, fee: owed, change }
      if (change === 0) return choice
      if (!withChange || change < withChange.change) withChange = choice
    }
  }
  return withChange
}

/** Fees that some number of coins of one of the purse's keysets owes, ascending. */
function possibleFees(purse: readonly Candidate[]): readonly number[] {
  const fees = new Set<number>()
  for (const feePpk of new Set(purse.map((coin) => coin.feePpk))) {
    for (let count = 1; count <= Math.min(purse.length, maxInputs); count++) fees.add(inputFee([count * feePpk]))
  }
  return [...fees].sort((a, b) => a - b)
}

/**
 * Ways to reach `target` with coins sorted from the largest. Powers of two divide each other, so taking the largest
 * that fits finds the exact sum when there is one; the second way tops the rest up with the smallest coin that covers
 * it; the third simply takes the largest ones.
 */
function coverings<C extends Candidate>(descending: readonly C[], target: number): readonly (readonly C[])[] {
  const fitting: C[] = []
  const over: C[] = []
  let rest = target
  for (const coin of descending) {
    if (coin.amount <= rest) {
      fitting.push(coin)
      rest -= coin.amount
    } else over.push(coin)
  }
  if (rest === 0) return [fitting]
  const largestFirst: C[] = []
  for (const coin of descending) {
    if (sum(largestFirst) >= target) break
    largestFirst.push(coin)
  }
  const cover = over.filter((coin) => coin.amount >= rest).at(-1)
  const ways = sum(largestFirst) >= target ? [largestFirst] : []
  return cover ? [[...fitting, cover], ...ways] : ways
}

/** The most one purse can pay in one payment, fee taken off. */
export function largestPayable(purse: readonly Candidate[]): number {
  const descending = [...purse].sort((a, b) => b.amount - a.amount).slice(0, maxInputs)
  let largest = 0
  for (let count = 1; count <= descending.length; count++) {
    const inputs = descending.slice(0, count)
    largest = Math.max(
      largest,
      cappedSum(inputs.map(({ amount }) => amount)) - inputFee(inputs.map(({ feePpk }) => feePpk)),
    )
  }
  return largest
}

function byPurse<C extends Candidate>(coins: readonly C[]): ReadonlyMap<number, readonly C[]> {
  const purses = new Map<number, C[]>()
  for (const coin of coins) {
    const purse = purses.get(coin.purseId)
    if (purse) purse.push(coin)
    else purses.set(coin.purseId, [coin])
  }
  return purses
}

const sum = (coins: readonly Candidate[]) => coins.reduce((total, { amount }) => total + amount, 0)

/** What outputs may look like: the denominations a keyset has, up to 2^53−1. */
export type Denominations = {
  /** Coins wanted of each small denomination. */
  readonly ofEach: number
  /** The largest one; larger parts are made of several of it. */
  readonly largest: number
  /** Most coins. */
  readonly limit: number
}

/**
 * Split `amount` into coins that make exact offline payments likely: small denominations up to `ofEach` times, the rest in
 * as few coins as possible. The sum is always `amount`; it may take more coins than `limit` only when it must.
 */
export function spreadAmount(amount: number, { ofEach, largest, limit }: Denominations): readonly number[] {
  for (let copies = ofEach; copies > 1; copies--) {
    const parts = spread(amount, copies, largest)
    if (parts.length <= limit) return parts
  }
  return splitUpTo(amount, largest)
}

function spread(amount: number, copies: number, largest: number): readonly number[] {
  const parts: number[] = []
  let rest = amount
  for (let denomination = 1; denomination <= largest && denomination * copies <= rest; denomination *= 2) {
    for (let copy = 0; copy < copies; copy++) parts.push(denomination)
    rest -= denomination * copies
  }
  return [...parts, ...splitUpTo(rest, largest)].sort((a, b) => a - b)
}

/** The canonical split with parts no larger than `largest`, ascending. */
export function splitUpTo(amount: number, largest: number): readonly number[] {
  const whole = Math.floor(amount / largest)
  return [...splitAmount(amount - whole * largest), ...Array.from({ length: whole }, () => largest)]
}
