// Refresh: a swap to oneself. It re-keys a purse whose key was shown, gathers small purses into one, fills milestones,
// and is how a reclaim takes handed-over coins back.
// Transactions: F1 inputs reserved, indices, outputs and signed swap stored · F2 exact request stored, before it is sent
// · F3 old coins spent, new coins stored, done.

import { inputFee, sumAmounts } from '../../shared/amount.ts'
import { bytesToHex, compareBytes, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sigAllDigest } from '../../shared/cashu/p2pk.ts'
import { maxInputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { spreadAmount } from './coins.ts'
import type { Context } from './context.ts'
import type { OperationIn, OperationOf, SwapRecord } from './operation.ts'
import { coinsFrom, keysetOf, planOutputs } from './own-coins.ts'
import { ended, newId, settleRound, stamp } from './progress.ts'
import type { VerifiedSignature } from './settle.ts'
import type { Coin, PurseRow, WalletWrites } from './store-port.ts'

type Refresh = OperationOf<'refresh'>

/** A refresh may cost at most this share of the purse; what would cost more is dust and left (protocol section 2). */
const largestFeeShare = 0.01
/** Outputs of a refresh: room for a good spread, well under what mints take. */
const refreshOutputs = 48

export type RefreshPlan = {
  readonly account: number
  readonly unit: string
  /** Spendable (re-key) or handed-over (reclaim) coins of one purse, at most 64. */
  readonly coins: readonly Coin[]
  readonly reason: Refresh['reason']
  /** The payment that is undone, for a reclaim. */
  readonly reclaims: string | null
}

/**
 * F1. Also moves a reclaimed payment's coins to this operation. Runs inside the caller's transaction, so that a payment
 * and its reclaim change together.
 * @throws AppError `dust` when the fee takes all of it
 */
export function planRefresh(ctx: Context, write: WalletWrites, plan: RefreshPlan): Refresh {
  const { account, unit, reason, reclaims } = plan
  const coins = [...plan.coins].slice(0, maxInputs).sort((a, b) => compareBytes(hexToBytes(a.Y), hexToBytes(b.Y)))
  const [firstCoin] = coins
  if (!firstCoin) throw new AppError('internal', 'a refresh of nothing')
  const id = newId(ctx)
  const fee = feeOf(ctx, coins)
  const amount = sumAmounts(coins.map((coin) => coin.amount)) - fee
  if (amount < 1) throw new AppError('dust', 'the fee would take all of it')
  const target = targetPurse(ctx, write, account, unit)
  const amounts = spreadAmount(amount, ctx.config.coinsOfEach, refreshOutputs)
  const { outputs, own } = planOutputs(ctx, write, target, amounts, id)
  const now = ctx.clock.now()
  const operation: Refresh = {
    kind: 'refresh',
    state: 'settling',
    id,
    account,
    unit,
    amount,
    fee,
    reason,
    reclaims,
    target: target.id,
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now,
    attempts: 0,
    lastError: null,
    swap: signedSwap(ctx, coins, outputs),
    attempt: null,
    reading: null,
    refusedSince: null,
    pendingSince: null,
  }
  write.insertOperation(operation)
  write.insertOutputs(own)
  const Ys = coins.map(({ Y }) => Y)
  write.moveCoins(Ys, ['spendable', 'reserved', 'handed_over'], 'reserved', id)
  return operation
}

/** Fee of spending these coins, in the unit. */
function feeOf({ store }: Context, coins: readonly Coin[]): number {
  const keyset = (coin: Coin) => keysetOf(store, coin.account)(coin.keysetId)
  return inputFee(coins.map((coin) => keyset(coin)?.feePpk ?? 0))
}

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
  const purses = ctx.store.read.purses(account, unit).filter(({ generation }) => generation === ctx.generation)
  const isFilling = (id: number) =>
    ctx.store.read.operations({ kind: 'refresh', states: ['settling'], account }).some((other) => isTarget(other, id))
  if (isMilestoneDue(purses)) return write.takePurse(place, 'refresh', 'milestone')
  const open = purses.find(
    ({ purpose, used, closed, id }) => purpose === 'refresh' && !used && !closed && !isFilling(id),
  )
  return open ?? write.takePurse(place, 'refresh', 'own')
}

const isTarget = (operation: { kind: string; target?: number }, id: number) => operation.target === id

/** A hundred purses past the last milestone that was filled (protocol section 2). */
function isMilestoneDue(purses: readonly PurseRow[]): boolean {
  const highest = Math.max(0, ...purses.map(({ purse }) => purse))
  const newest = Math.floor(highest / 100) * 100
  return newest > 0 && !purses.some(({ purse }) => purse === newest)
}

/** One step: store the exact request, send it, take what the facts say. */
export async function stepRefresh(ctx: Context, operation: Refresh): Promise<void> {
  if (operation.state !== 'settling') return
  return settleRound(
    ctx,
    operation,
    { kind: 'owner' },
    {
      settled: (ready, signatures) => finish(ctx, ready, signatures),
      sadly: (ready, kind, signatures) => giveUp(ctx, ready, kind, signatures),
    },
  )
}

type SettlingRefresh = OperationIn<'refresh', 'settling'>

/** F3 */
function finish(ctx: Context, operation: SettlingRefresh, signatures: readonly VerifiedSignature[]): void {
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.moveCoins(inputYs(operation), ['reserved', 'spent'], 'spent', operation.id)
    write.updateOperation({ ...operation, state: 'done', ...ended(ctx) })
    wakeReclaimed(ctx, write, operation)
  })
  tell(ctx, operation)
}

/**
 * The swap can never pass. Bounced: the coins are gone (a payee who settled first, another copy of this wallet). Dead:
 * an output of ours was signed elsewhere; the coins go into another refresh and are never spendable before one settled.
 */
function giveUp(
  ctx: Context,
  operation: SettlingRefresh,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.markPurse(operation.target, { closed: true })
    if (kind === 'bounced') write.moveCoins(inputYs(operation), ['reserved', 'spent'], 'spent', operation.id)
    write.updateOperation({ ...operation, state: kind === 'dead' ? 'dead' : 'lost', ...ended(ctx) })
    if (kind === 'dead') {
      const { account, unit, reason, reclaims } = operation
      planRefresh(ctx, write, { account, unit, coins: ctx.store.read.coinsOf(operation.id), reason, reclaims })
    } else wakeReclaimed(ctx, write, operation)
  })
  tell(ctx, operation)
}

/** The payment whose coins were to come back looks at once at what became of it. */
function wakeReclaimed(ctx: Context, write: WalletWrites, { reclaims }: Refresh): void {
  const payment = reclaims === null ? undefined : ctx.store.read.operation(reclaims)
  if (payment) write.updateOperation({ ...payment, ...stamp(ctx), nextAttemptAt: ctx.clock.now() })
}

function tell(ctx: Context, { id }: Refresh): void {
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

const inputYs = ({ swap }: Refresh) => swap.inputs.map(({ Y }) => Y)

/**
 * Start the re-keying that is due: for each unit of a reachable mint, the used purses and the small ones that are not
 * part of anything else. One refresh at a time for each unit, because they fill one purse one after another.
 * @returns how many were started
 */
export function startDueRefreshes(ctx: Context, account: number): number {
  // A person is looking at what a payment would cost: its coins stay where they are.
  if (ctx.store.read.operations({ kind: 'pay', states: ['asking', 'agreed'], account, limit: 1 }).length > 0) return 0
  const running = ctx.store.read.operations({ kind: 'refresh', states: ['settling'], account })
  const units = new Set(ctx.store.read.keysets(account).map(({ unit }) => unit))
  let started = 0
  for (const unit of units) {
    if (running.some((operation) => operation.unit === unit)) continue
    const coins = nextToRefresh(ctx, account, unit)
    if (!coins) continue
    ctx.store.transaction((write) => planRefresh(ctx, write, { account, unit, coins, reason: 'rekey', reclaims: null }))
    started++
  }
  if (started > 0) ctx.wake()
  return started
}

/**
 * Start bringing coins of one more purse into the one that gathers, largest first: for a payment that no single purse
 * covers although all of them together do.
 * @returns the operation to wait for, or undefined when every coin is in that purse already
 */
export function startGathering(ctx: Context, account: number, unit: string): Refresh | undefined {
  const spendable = ctx.store.read.coins(account, unit, 'spendable')
  const sources = ctx.store.read
    .purses(account, unit)
    .filter(({ purpose, used, closed }) => purpose !== 'refresh' || used || closed)
    .map(({ id }) => spendable.filter(({ purseId }) => purseId === id).slice(0, maxInputs))
    .sort((a, b) => total(b) - total(a))
  const [coins] = sources
  if (!coins || total(coins) <= feeOf(ctx, coins)) return undefined
  return ctx.store.transaction((write) =>
    planRefresh(ctx, write, { account, unit, coins, reason: 'rekey', reclaims: null }),
  )
}

const total = (coins: readonly Coin[]): number => sumAmounts(coins.map(({ amount }) => amount))

/** Whether some purse of this mint awaits re-keying. */
export function isRefreshDue(ctx: Context, account: number): boolean {
  const units = new Set(ctx.store.read.keysets(account).map(({ unit }) => unit))
  return [...units].some((unit) => nextToRefresh(ctx, account, unit) !== undefined)
}

/** Coins of the next purse to re-key: a used one, or a received or change purse beside the one that gathers. */
function nextToRefresh(ctx: Context, account: number, unit: string): readonly Coin[] | undefined {
  const purses = ctx.store.read.purses(account, unit)
  const spendable = ctx.store.read.coins(account, unit, 'spendable')
  for (const purse of purses) {
    const isSmall = purse.purpose === 'receive' || purse.purpose === 'change'
    if (!purse.used && !isSmall) continue
    const coins = spendable.filter(({ purseId }) => purseId === purse.id).slice(0, maxInputs)
    const fee = feeOf(ctx, coins)
    if (coins.length > 0 && fee <= total(coins) * largestFeeShare && total(coins) > fee) return coins
  }
  return undefined
}
