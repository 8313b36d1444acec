// A swap to oneself, planned and signed: what a refresh, a reclaim and the gathering of a cash out have in common.
// Here operations that must not import each other meet: each plans its swap with this, `refresh` brings it to its end.

import { cappedSum, inputFee, sumAmounts } from '../../shared/amount.ts'
import { bytesToHex, compareBytes, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sigAllDigest } from '../../shared/cashu/p2pk.ts'
import { maxInputs, maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { spreadAmount } from './coins.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationOf, SwapRecord } from './operation.ts'
import { keysetOf, type PlannedOutputs, planOutputs } from './own-coins.ts'
import { newId } from './progress.ts'
import { largestDenomination, outputKeyset } from './settle.ts'
import type { Coin, CoinState, PurseRow, WalletWrites } from './store-port.ts'

type Refresh = OperationOf<'refresh'>

/** Most outputs in one purse of ours: room for a good spread, well under what mints take. */
const spreadOutputs = 48

export type RefreshPlan = {
  readonly account: number
  readonly unit: string
  /** Spendable (re-key), handed-over or reserved (reclaim), resting (restore) coins of one purse, at most 64. */
  readonly coins: readonly Coin[]
  readonly reason: 'rekey' | 'reclaim' | 'restore'
  /** The payment or the cash out whose coins come back, for a reclaim. */
  readonly reclaims: string | null
}

/**
 * F1: all of these coins into a fresh or the gathering purse. Also moves a reclaimed payment's coins to this operation.
 * Runs inside the caller's transaction, so that a payment and its reclaim change together.
 * @throws AppError `dust` when the fee takes all of it, `amount_out_of_range` when no active keyset has such coins
 */
export function planRefresh(ctx: Context, write: WalletWrites, plan: RefreshPlan): Refresh {
  const { account, unit, reason, reclaims } = plan
  const coins = plan.coins.slice(0, maxInputs)
  if (coins.length === 0) throw new AppError('internal', 'a refresh of nothing')
  const amount = worthOf(ctx, coins)
  if (amount < 1) throw new AppError('dust', 'the fee would take all of it')
  const amounts = spreadFor(ctx, account, unit, amount)
  const purse = targetPurse(ctx, write, account, unit, amounts)
  return planSwap(ctx, write, { account, unit, coins, reason, reclaims, parts: [{ purse, amounts }], target: purse })
}

export type SelfSwapPlan = {
  readonly account: number
  readonly unit: string
  /** Of one purse: SIG_ALL allows one key. At most 64. */
  readonly coins: readonly Coin[]
  readonly reason: Refresh['reason']
  /** The operation it serves. */
  readonly reclaims: string | null
  /** What the coins are worth after the fee, purse by purse, in amounts that one active keyset has. */
  readonly parts: readonly { readonly purse: PurseRow; readonly amounts: readonly number[] }[]
  /** The purse that is filled for the purpose of this swap. */
  readonly target: PurseRow
}

/** F1: inputs reserved, indices, outputs and signed swap stored, inside the caller's transaction. */
export function planSwap(ctx: Context, write: WalletWrites, plan: SelfSwapPlan): Refresh {
  const { account, unit, reason, reclaims, parts, target } = plan
  const coins = [...plan.coins].sort((a, b) => compareBytes(hexToBytes(a.Y), hexToBytes(b.Y)))
  const amount = sumAmounts(parts.flatMap(({ amounts }) => amounts))
  if (amount !== worthOf(ctx, coins)) throw new AppError('internal', 'a swap that is out of balance')
  const id = newId(ctx)
  const planned = parts.map(({ purse, amounts }): PlannedOutputs => planOutputs(ctx, write, purse, amounts, id))
  const now = ctx.clock.now()
  const operation: Refresh = {
    kind: 'refresh',
    state: 'settling',
    id,
    account,
    unit,
    amount,
    fee: feeOf(ctx, coins),
    reason,
    reclaims,
    target: target.id,
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now,
    attempts: 0,
    lastError: null,
    swap: signedSwap(
      ctx,
      coins,
      planned.flatMap(({ outputs }) => outputs),
    ),
    attempt: null,
    reading: null,
    refusedSince: null,
    pendingSince: null,
  }
  write.insertOperation(operation)
  write.insertOutputs(planned.flatMap(({ own }) => own))
  const Ys = coins.map(({ Y }) => Y)
  write.moveCoins(account, Ys, takenFrom[reason], 'reserved', id)
  return operation
}

/** Coins that rest come home by a swap for that purpose, and by no other. */
const takenFrom: Readonly<Record<Refresh['reason'], readonly CoinState[]>> = {
  rekey: ['spendable', 'reserved'],
  gather: ['spendable', 'reserved'],
  reclaim: ['reserved', 'handed_over'],
  restore: ['quarantined', 'reserved'],
}

/**
 * Coins for `amount` that make exact offline payments likely, in denominations that an active keyset has.
 * @param others amounts of other outputs of the same swap: one keyset signs all of them
 * @throws AppError `amount_out_of_range` before anything is reserved
 */
export function spreadFor(
  { store, clock, config }: Context,
  account: number,
  unit: string,
  amount: number,
  others: readonly number[] = [],
): readonly number[] {
  const keysets = store.read.keysets(account)
  const now = unixNow(clock)
  const largest = largestDenomination(keysets, unit, now)
  const limit = Math.min(spreadOutputs, maxOutputs - others.length)
  const amounts = largest && amount > 0 ? spreadAmount(amount, { ofEach: config.coinsOfEach, largest, limit }) : []
  const all = [...others, ...amounts]
  if (all.length === 0 || all.length > maxOutputs || !outputKeyset(keysets, unit, all, now)) {
    throw new AppError('amount_out_of_range', 'no active keyset has coins for this amount')
  }
  return amounts
}

/** Fee of spending these coins, in the unit. */
export function feeOf({ store }: Pick<Context, 'store'>, coins: readonly Coin[]): number {
  const keyset = (coin: Coin) => keysetOf(store, coin.account)(coin.keysetId)
  return inputFee(coins.map((coin) => keyset(coin)?.feePpk ?? 0))
}

/** What these coins give in one swap. May be negative. */
const worthOf = (ctx: Context, coins: readonly Coin[]): number =>
  sumAmounts(coins.map(({ amount }) => amount)) - feeOf(ctx, coins)

/** The swap of one purse's coins for these outputs, signed. Outputs are brought into swap order. */
function signedSwap({ secrets }: Context, coins: readonly Coin[], planned: SwapRecord['outputs']): SwapRecord {
  const inputs = coins.map(({ keysetId, amount, path, C, Y }) => ({
    id: keysetId,
    amount,
    secret: secrets.secret(path),
    C,
    Y,
  }))
  const outputs = [...planned].sort((a, b) => a.amount - b.amount || (a.B_ < b.B_ ? -1 : 1))
  const digest = sigAllDigest(inputs, outputs)
  const [coin] = coins
  if (!coin) throw new AppError('internal', 'a swap of nothing')
  return { inputs, outputs, digest: bytesToHex(digest), signature: bytesToHex(secrets.signSwap(coin.path, digest)) }
}

/**
 * The purse that is filled: the open one of this unit, one swap after another, so that its indices have no gaps; a new
 * one when there is none, or when purse 0 or a milestone is due.
 */
function targetPurse(
  ctx: Context,
  write: WalletWrites,
  account: number,
  unit: string,
  amounts: readonly number[],
): PurseRow {
  const place = { generation: ctx.generation, account, unit }
  if (isFirstPurseDue(ctx, account)) return write.takePurse(place, 'refresh', 'own')
  if (isMilestoneDue(ctx, account)) return write.takePurse(place, 'refresh', 'milestone')
  const open = gatheringPurse(ctx, account, unit, amounts)
  return open && isFilled(ctx, open) ? open : write.takePurse(place, 'refresh', 'own')
}

/** Whether every index that was taken has brought its coin: nothing is on its way into it, be it of a row that is spoiled. */
const isFilled = ({ store }: Context, { id, nextCoin }: PurseRow): boolean => store.read.coinsIn(id).length === nextCoin

/**
 * The newest refresh purse that has not paid yet and takes more coins. One is left that is seen for less long than the coins
 * that would go into it.
 * @param amounts of these coins, where they are known
 */
export function gatheringPurse(
  ctx: Context,
  account: number,
  unit: string,
  amounts: readonly number[] = [],
): PurseRow | undefined {
  const { store, clock, generation: present } = ctx
  const next = outputKeyset(store.read.keysets(account), unit, amounts, unixNow(clock))
  const until = next?.finalExpiry ?? Number.POSITIVE_INFINITY
  return store.read
    .purses(account, unit)
    .filter(
      ({ generation, purpose, used, closed }) => generation === present && purpose === 'refresh' && !used && !closed,
    )
    .findLast(({ id }) => next === undefined || seenUntil(ctx, id) >= until)
}

/**
 * The coin by which a restore sees a purse. When its keyset has ended, a mint may tell nothing of it, and whatever else
 * lies in that purse is out of reach of the phrase. Undefined where it was never signed.
 */
export const firstCoin = ({ store }: Pick<Context, 'store'>, purseId: number): Coin | undefined =>
  store.read.coinsIn(purseId).find(({ path }) => path.coin === 0)

/** Until when (Unix seconds) a restore sees this purse; without end while there is nothing to see. */
export function seenUntil({ store }: Pick<Context, 'store'>, purseId: number): number {
  const first = firstCoin({ store }, purseId)
  const keyset = first && keysetOf(store, first.account)(first.keysetId)
  return keyset?.finalExpiry ?? Number.POSITIVE_INFINITY
}

/** Purses of the present generation, whatever their units. */
const presentPurses = ({ store, generation: present }: Context, account: number): readonly PurseRow[] =>
  store.read.purses(account, null).filter(({ generation, account: own }) => generation === present && own === account)

/** Purse 0 is the first one that is filled by ourselves. */
const isFirstPurseDue = (ctx: Context, account: number): boolean =>
  !presentPurses(ctx, account).some(({ purse }) => purse === 0)

/** A restore sees by purses 0–31 that an account was used. */
const purseThatShows = 31

/** Purses of the present generation by which a restore sees that this account was used. */
export const showingPurses = (ctx: Context, account: number): readonly PurseRow[] =>
  presentPurses(ctx, account).filter(({ purse }) => purse <= purseThatShows)

/**
 * Whether none of them was ever seen, and one can be: strangers, who are given numbers that they never pay to, can bring that
 * about. Where all these numbers are gone, a swap would cost its fee for nothing, again and again.
 */
export function isHidden(ctx: Context, account: number): boolean {
  const { highest, has } = ctx.store.read.takenPurses(ctx.generation, account)
  const isOneFree = !has(0) || highest < purseThatShows
  return isOneFree && !showingPurses(ctx, account).some(({ id }) => firstCoin(ctx, id) !== undefined)
}

/** A hundred purses past the last milestone that was filled (protocol section 2). */
export const isMilestoneDue = ({ store, generation }: Context, account: number): boolean =>
  store.read.takenPurses(generation, account).dueMilestone() !== undefined

/** Whether an active keyset has coins for what these would give: asked before anything is planned. */
export function canBeHeld(ctx: Context, account: number, unit: string, coins: readonly Coin[]): boolean {
  try {
    return spreadFor(ctx, account, unit, worthOf(ctx, coins)).length > 0
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/**
 * Whether a refresh of this unit is on its way. One whose coins have expired never ends and does not count, nor does one
 * whose row cannot be read: nobody brings it to its end.
 */
export function isRunning({ store, clock }: Context, account: number, unit: string): boolean {
  const now = unixNow(clock)
  const keyset = keysetOf(store, account)
  return store.read
    .operations({ kind: 'refresh', states: ['settling'], account, isLenient: true })
    .some(
      (operation) =>
        operation.kind === 'refresh' &&
        operation.unit === unit &&
        operation.swap.inputs.every(({ id }) => (keyset(id)?.finalExpiry ?? Number.POSITIVE_INFINITY) > now),
    )
}

/** Units of this mint's keysets. */
export const unitsOf = ({ store }: Pick<Context, 'store'>, account: number): ReadonlySet<string> =>
  new Set(store.read.units(account))

/** To compare and to show: it stops at the largest amount. What is planned is summed by `worthOf`, which does not. */
export const total = (coins: readonly Coin[]): number => cappedSum(coins.map(({ amount }) => amount))
