// Refresh: a swap to oneself. It re-keys a purse whose key was shown, gathers small purses into one, fills milestones,
// and is how a reclaim takes handed-over coins back.
// Transactions: F1 inputs reserved, indices, outputs and signed swap stored · F2 exact request stored, before it is sent
// · F3 old coins spent, new coins stored, done.

import { inputFee, sumAmounts } from '../../shared/amount.ts'
import { bytesToHex, compareBytes, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sigAllDigest } from '../../shared/cashu/p2pk.ts'
import { maxInputs, maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { spreadAmount } from './coins.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationIn, OperationOf, SwapRecord } from './operation.ts'
import { coinsFrom, keysetOf, planOutputs } from './own-coins.ts'
import { due, ended, lookAgainPause, lookOrSettle, newId, save, settleRound, stamp } from './progress.ts'
import { largestDenomination, outputKeyset, type VerifiedSignature } from './settle.ts'
import type { Coin, PurseRow, WalletWrites } from './store-port.ts'

type Refresh = OperationOf<'refresh'>

/** A refresh may cost at most this share of the purse; what would cost more is dust and left (protocol section 2). */
const largestFeeShare = 0.01
/** Outputs of a refresh: room for a good spread, well under what mints take. */
const refreshOutputs = 48

/** Coins of a keyset that ends move on this long before its end, if there is one that lasts longer. Seconds. */
const moveOnSeconds = 90 * 24 * 3600

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
 * @throws AppError `dust` when the fee takes all of it, `amount_out_of_range` when no active keyset has such coins
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
  const amounts = outputAmounts(ctx, account, unit, amount)
  const target = targetPurse(ctx, write, account, unit)
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

/** @throws AppError `amount_out_of_range` before anything is reserved */
function outputAmounts(
  { store, clock, config }: Context,
  account: number,
  unit: string,
  amount: number,
): readonly number[] {
  const keysets = store.read.keysets(account)
  const largest = largestDenomination(keysets, unit, unixNow(clock))
  const amounts = largest ? spreadAmount(amount, { ofEach: config.coinsOfEach, largest, limit: refreshOutputs }) : []
  if (amounts.length === 0 || amounts.length > maxOutputs || !outputKeyset(keysets, unit, amounts, unixNow(clock))) {
    throw new AppError('amount_out_of_range', 'no active keyset has coins for this amount')
  }
  return amounts
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
  if (isMilestoneDue(ctx, account)) return write.takePurse(place, 'refresh', 'milestone')
  const filling = ctx.store.read.operations({ kind: 'refresh', states: ['settling'], account })
  const open = gatheringPurse(ctx, account, unit)
  const isFree = open && !filling.some((other) => other.kind === 'refresh' && other.target === open.id)
  return isFree ? open : write.takePurse(place, 'refresh', 'own')
}

/** The newest refresh purse that has not paid yet and takes more coins. */
function gatheringPurse(ctx: Context, account: number, unit: string): PurseRow | undefined {
  return ctx.store.read
    .purses(account, unit)
    .filter(
      ({ generation, purpose, used, closed }) =>
        generation === ctx.generation && purpose === 'refresh' && !used && !closed,
    )
    .at(-1)
}

/** A hundred purses past the last milestone that was filled, whatever their units (protocol section 2). */
function isMilestoneDue(ctx: Context, account: number): boolean {
  const purses = ctx.store.read.purses(account, null).filter(({ generation }) => generation === ctx.generation)
  const highest = Math.max(0, ...purses.map(({ purse }) => purse))
  const newest = Math.floor(highest / 100) * 100
  return newest > 0 && !purses.some(({ purse }) => purse === newest)
}

/** One step: store the exact request, send it, take what the facts say. */
export async function stepRefresh(ctx: Context, operation: Refresh): Promise<void> {
  if (operation.state === 'lost') return lookAgain(ctx, operation)
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

/** A mint may have erred: what it says of a lost swap is asked again until the keyset expires. */
async function lookAgain(ctx: Context, operation: OperationIn<'refresh', 'lost'>): Promise<void> {
  const outcome = await lookOrSettle(ctx, operation, { kind: 'owner' })
  if (outcome.kind === 'settled') return finish(ctx, operation, outcome.signatures)
  return save(ctx, {
    ...operation,
    ...(outcome.kind === 'expired' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))),
  })
}

type SettlingRefresh = OperationIn<'refresh', 'settling'>

/** F3 */
function finish(
  ctx: Context,
  operation: OperationIn<'refresh', 'settling' | 'lost'>,
  signatures: readonly VerifiedSignature[],
): void {
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
    const next = kind === 'dead' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
    write.updateOperation({ ...operation, state: kind === 'dead' ? 'dead' : 'lost', ...next })
    if (kind === 'dead') {
      const { account, unit, reason, reclaims } = operation
      const coins = ctx.store.read.coinsOf(operation.id)
      const { id } = planRefresh(ctx, write, { account, unit, coins, reason, reclaims })
      const payment = reclaims === null ? undefined : ctx.store.read.operation(reclaims)
      if (payment?.kind === 'pay' && payment.state === 'reclaiming') write.updateOperation({ ...payment, reclaim: id })
    } else wakeReclaimed(ctx, write, operation)
  })
  tell(ctx, operation)
}

/** The payment whose coins were to come back looks at once at what became of it. */
function wakeReclaimed(ctx: Context, write: WalletWrites, { reclaims }: Refresh): void {
  const payment = reclaims === null ? undefined : ctx.store.read.operation(reclaims)
  if (payment?.kind !== 'pay' || payment.state !== 'reclaiming') return
  write.updateOperation({ ...payment, ...stamp(ctx), nextAttemptAt: ctx.clock.now() })
}

function tell(ctx: Context, { id }: Refresh): void {
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

const inputYs = ({ swap }: Refresh) => swap.inputs.map(({ Y }) => Y)

/**
 * Start the re-keying that is due: one refresh at a time for each unit, because they fill one purse one after another.
 * @returns how many were started
 */
export function startDueRefreshes(ctx: Context, account: number): number {
  // A person is looking at what a payment would cost: its coins stay where they are.
  if (ctx.store.read.operations({ kind: 'pay', states: ['asking', 'agreed'], account, limit: 1 }).length > 0) return 0
  let started = 0
  for (const unit of unitsOf(ctx, account)) {
    const coins = nextToRefresh(ctx, account, unit)
    if (!coins) continue
    ctx.store.transaction((write) => planRefresh(ctx, write, { account, unit, coins, reason: 'rekey', reclaims: null }))
    started++
  }
  if (started > 0) ctx.wake()
  return started
}

const unitsOf = ({ store }: Context, account: number) => new Set(store.read.keysets(account).map(({ unit }) => unit))

const total = (coins: readonly Coin[]): number => sumAmounts(coins.map(({ amount }) => amount))

/** Whether some purse of this mint awaits re-keying. */
export function isRefreshDue(ctx: Context, account: number): boolean {
  return [...unitsOf(ctx, account)].some((unit) => nextToRefresh(ctx, account, unit) !== undefined)
}

/**
 * Coins of the next purse to re-key. Always: coins of a keyset that ends. Where the fee is worth it: a used purse; any
 * purse beside the one that gathers, so that what was received and added can be paid in one go; the small coins of a purse
 * with more than one payment takes. One coin when a milestone is due.
 */
function nextToRefresh(ctx: Context, account: number, unit: string): readonly Coin[] | undefined {
  if (isRunning(ctx, account, unit)) return undefined
  const keyset = keysetOf(ctx.store, account)
  const now = unixNow(ctx.clock)
  const lastsUntil = (coin: Coin) => keyset(coin.keysetId)?.finalExpiry ?? Number.POSITIVE_INFINITY
  const spendable = ctx.store.read.coins(account, unit, 'spendable').filter((coin) => lastsUntil(coin) > now)
  const purses = ctx.store.read
    .purses(account, unit)
    .map((purse) => ({ purse, coins: spendable.filter(({ purseId }) => purseId === purse.id).slice(0, maxInputs) }))
    .filter(({ coins }) => total(coins) > feeOf(ctx, coins) && canBeHeld(ctx, account, unit, coins))
  // New coins come from the keyset that the swap will use: only if they last longer is anything gained.
  const ending = purses.find(({ coins }) => {
    const until = newCoinsLast(ctx, account, unit, coins)
    return coins.some((coin) => lastsUntil(coin) <= now + moveOnSeconds && lastsUntil(coin) < until)
  })
  if (ending) return ending.coins
  const worth = purses.filter(({ coins }) => feeOf(ctx, coins) <= total(coins) * largestFeeShare)
  const gathering = gatheringPurse(ctx, account, unit) ?? (purses.length > 1 ? undefined : purses[0]?.purse)
  const due = worth.find(({ purse }) => purse.used || purse.id !== gathering?.id)
  if (due) return due.coins
  const few =
    crowded(ctx, spendable, gathering?.id) ?? (isMilestoneDue(ctx, account) ? oneCoin(ctx, spendable) : undefined)
  return few && canBeHeld(ctx, account, unit, few) ? few : undefined
}

/** More coins than one payment takes: the smallest of them become fewer. */
function crowded(ctx: Context, spendable: readonly Coin[], purseId: number | undefined): readonly Coin[] | undefined {
  const coins = spendable.filter((coin) => coin.purseId === purseId)
  if (coins.length <= maxInputs) return undefined
  const smallest = [...coins].sort((a, b) => a.amount - b.amount).slice(0, maxInputs)
  return feeOf(ctx, smallest) <= total(smallest) * largestFeeShare ? smallest : undefined
}

/** The cheapest way to make a milestone visible: strangers can make milestones due, so it costs one coin's fee. */
function oneCoin(ctx: Context, spendable: readonly Coin[]): readonly Coin[] | undefined {
  const coin = [...spendable].sort((a, b) => a.amount - b.amount).find((one) => one.amount > feeOf(ctx, [one]))
  return coin && [coin]
}

/** Until when (Unix seconds) the coins last that a refresh of these would give. */
function newCoinsLast(ctx: Context, account: number, unit: string, coins: readonly Coin[]): number {
  const amounts = outputAmounts(ctx, account, unit, total(coins) - feeOf(ctx, coins))
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  return keyset ? (keyset.finalExpiry ?? Number.POSITIVE_INFINITY) : 0
}

/** Whether an active keyset has coins for what these would give: asked before anything is planned. */
function canBeHeld(ctx: Context, account: number, unit: string, coins: readonly Coin[]): boolean {
  try {
    return outputAmounts(ctx, account, unit, total(coins) - feeOf(ctx, coins)).length > 0
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/** Whether a refresh of this unit is on its way. One whose coins have expired never ends and does not count. */
function isRunning({ store, clock }: Context, account: number, unit: string): boolean {
  const now = unixNow(clock)
  const keyset = keysetOf(store, account)
  return store.read
    .operations({ kind: 'refresh', states: ['settling'], account })
    .some(
      (operation) =>
        operation.kind === 'refresh' &&
        operation.unit === unit &&
        operation.swap.inputs.every(({ id }) => (keyset(id)?.finalExpiry ?? Number.POSITIVE_INFINITY) > now),
    )
}
