// A swap to oneself, planned and signed: what a refresh, a reclaim and the gathering of a cash out have in common.
// Here operations that must not import each other meet: each plans its swap with this, `refresh` brings it to its end.

import { inputFee, sumAmounts } from '../../shared/amount.ts'
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
import type { Coin, PurseRow, WalletWrites } from './store-port.ts'

type Refresh = OperationOf<'refresh'>

/** Most outputs in one purse of ours: room for a good spread, well under what mints take. */
const spreadOutputs = 48

export type RefreshPlan = {
  readonly account: number
  readonly unit: string
  /** Spendable (re-key), handed-over or reserved (reclaim) coins of one purse, at most 64. */
  readonly coins: readonly Coin[]
  readonly reason: 'rekey' | 'reclaim'
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
  const purse = targetPurse(ctx, write, account, unit)
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
  write.moveCoins(Ys, ['spendable', 'reserved', 'handed_over'], 'reserved', id)
  return operation
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
 * one when there is none, or when a milestone is due.
 */
function targetPurse(ctx: Context, write: WalletWrites, account: number, unit: string): PurseRow {
  const place = { generation: ctx.generation, account, unit }
  if (isMilestoneDue(ctx, account)) return write.takePurse(place, 'refresh', 'milestone')
  const filling = ctx.store.read.operations({ kind: 'refresh', states: ['settling'], account })
  const open = gatheringPurse(ctx, account, unit)
  const isFree = open && !filling.some((other) => other.kind === 'refresh' && other.target === open.id)
  return isFree ? open : write.takePurse(place, 'refresh', 'own')
}

/** The newest refresh purse that has not paid yet and takes more coins. */
export function gatheringPurse(ctx: Context, account: number, unit: string): PurseRow | undefined {
  return ctx.store.read
    .purses(account, unit)
    .filter(
      ({ generation, purpose, used, closed }) =>
        generation === ctx.generation && purpose === 'refresh' && !used && !closed,
    )
    .at(-1)
}

/** A hundred purses past the last milestone that was filled, whatever their units (protocol section 2). */
export function isMilestoneDue(ctx: Context, account: number): boolean {
  const purses = ctx.store.read.purses(account, null).filter(({ generation }) => generation === ctx.generation)
  const highest = Math.max(0, ...purses.map(({ purse }) => purse))
  const newest = Math.floor(highest / 100) * 100
  return newest > 0 && !purses.some(({ purse }) => purse === newest)
}
