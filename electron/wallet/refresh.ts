// Refresh: a swap to oneself. It re-keys a purse whose key was shown, gathers small purses into one, fills milestones,
// is how a reclaim takes handed-over coins back, and makes the coins that a cash out gives to the mint.
// Transactions: F1 inputs reserved, indices, outputs and signed swap stored (self-swap.ts) · F2 exact request stored,
// before it is sent · F3 old coins spent, new coins stored, done.

import { maxInputs } from '../../shared/cashu/wire.ts'
import { type Context, unixNow } from './context.ts'
import type { Operation, OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, isExpired, keysetOf, markSpent } from './own-coins.ts'
import {
  conclude,
  due,
  ended,
  lookAgainLater,
  lookAgainPause,
  lookAt,
  lookOrSettle,
  retry,
  stamp,
  trySettle,
  withAttempt,
} from './progress.ts'
import {
  canBeHeld,
  feeOf,
  gatheringPurse,
  isHidden,
  isMilestoneDue,
  isRunning,
  planRefresh,
  seenUntil,
  spreadFor,
  total,
  unitsOf,
} from './self-swap.ts'
import { outputKeyset, type VerifiedSignature } from './settle.ts'
import type { Coin, WalletWrites } from './store-port.ts'

type Refresh = OperationOf<'refresh'>

/** A refresh may cost at most this share of the purse; what would cost more is dust and left (protocol section 2). */
const largestFeeShare = 0.01
/** Coins of a keyset that ends move on this long before its end, if there is one that lasts longer. Seconds. */
const moveOnSeconds = 90 * 24 * 3600

/** One step: store the exact request, send it, take what the facts say. */
export async function stepRefresh(ctx: Context, operation: Refresh): Promise<void> {
  if (operation.state === 'lost') return lookAgain(ctx, operation)
  if (operation.state !== 'settling') return
  const ready = withAttempt(ctx, operation)
  const outcome = ready ? await trySettle(ctx, ready, owner) : await lookAt(ctx, operation, owner)
  const isHopeless = outcome.kind === 'expired' && (await isHeldUp(ctx, operation))
  return conclude(ctx, ready ?? operation, isHopeless ? { ...outcome, kind: 'dead' } : outcome, {
    settled: (one, signatures) => finish(ctx, one, signatures),
    sadly: (one, kind, signatures) => giveUp(ctx, one, kind, signatures),
  })
}

const owner = { kind: 'owner' as const }

/**
 * Whether coins that have expired hold up others for good: nothing is spent, and the mint takes no swap with them. It is made
 * again without them, where the others are worth it.
 */
async function isHeldUp(ctx: Context, operation: SettlingRefresh): Promise<boolean> {
  const { id, account, unit } = operation
  const left = ctx.store.read.coinsOf(id).filter((coin) => !isExpired(ctx, coin))
  if (!canBeHeld(ctx, account, unit, left)) return false
  const states = await ctx.mints.client(account).checkState(inputYs(operation))
  return states.kind === 'ok' && states.value.every((state) => state === 'UNSPENT')
}

/** A mint may have erred: what it says of a lost swap is asked again until the keyset expires. */
async function lookAgain(ctx: Context, operation: OperationIn<'refresh', 'lost'>): Promise<void> {
  const outcome = await lookOrSettle(ctx, operation, owner)
  if (outcome.kind === 'settled') return finish(ctx, operation, outcome.signatures)
  return lookAgainLater(ctx, operation, outcome)
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
    write.insertCoins(kept(ctx, operation, coins))
    markSpent(write, operation.account, inputYs(operation), operation.id)
    write.updateOperation({ ...operation, state: 'done', ...ended(ctx) })
    wakeWaiting(ctx, write, operation)
  })
  tell(ctx, operation)
}

/**
 * Coins that a cash out gathers are its own as long as it gathers, also where its row cannot be read; what is over belongs to
 * whoever pays next.
 */
function kept({ store }: Context, { reason, reclaims, target }: Refresh, coins: readonly Coin[]): readonly Coin[] {
  if (reason !== 'gather' || reclaims === null) return coins
  const cashOut = store.read.other(reclaims)
  const mayGather = cashOut === 'unreadable' || (cashOut?.kind === 'melt' && cashOut.state === 'gathering')
  if (!mayGather) return coins
  return coins.map((coin) =>
    coin.purseId === target ? { ...coin, state: 'reserved' as const, operationId: reclaims } : coin,
  )
}

/** What a swap serves; undefined too where its row cannot be read, and no change of it can be stored. */
function servedBy({ store }: Context, { reclaims }: Refresh): Operation | undefined {
  const served = reclaims === null ? undefined : store.read.other(reclaims)
  return served === 'unreadable' ? undefined : served
}

/**
 * The swap can never pass. Bounced: coins are gone (a payee who settled first, another copy of this wallet); those of them
 * that are still there rest, and come home by another swap. Dead: an output of ours was signed elsewhere; the coins go into
 * another refresh and are never spendable before one settled.
 */
async function giveUp(
  ctx: Context,
  operation: SettlingRefresh,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): Promise<void> {
  const states = kind === 'bounced' ? await ctx.mints.client(operation.account).checkState(inputYs(operation)) : null
  if (states && states.kind !== 'ok') return retry(ctx, operation, 'no answer about the single coins')
  const unspent = new Set(inputYs(operation).filter((_, index) => states?.value[index] === 'UNSPENT'))
  const gone = inputYs(operation).filter((Y) => !unspent.has(Y))
  const left = ctx.store.read.coinsOf(operation.id).flatMap(({ Y }) => (unspent.has(Y) ? Y : []))
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.markPurse(operation.target, { closed: true })
    if (kind === 'bounced') {
      markSpent(write, operation.account, gone, operation.id)
      write.moveCoins(operation.account, left, ['reserved', 'handed_over'], 'quarantined', null)
    }
    const next = kind === 'dead' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
    write.updateOperation({ ...operation, state: kind === 'dead' ? 'dead' : 'lost', ...next })
    if (kind === 'dead') planAgain(ctx, write, operation)
    if (kind === 'bounced' || operation.reason === 'gather') wakeWaiting(ctx, write, operation)
  })
  tell(ctx, operation)
}

/**
 * The same coins, another purse, but for those that have expired. What was to be gathered just comes home: its cash out cannot
 * be completed.
 */
function planAgain(ctx: Context, write: WalletWrites, refresh: Refresh): void {
  const { id: dead, account, unit, reason, reclaims } = refresh
  const held = ctx.store.read.coinsOf(dead)
  const coins = held.filter((coin) => !isExpired(ctx, coin))
  leave(
    ctx,
    write,
    refresh,
    held.filter((coin) => isExpired(ctx, coin)),
  )
  if (reason !== 'reclaim') {
    planRefresh(ctx, write, { account, unit, coins, reason: 'rekey', reclaims: null })
    return
  }
  const { id } = planRefresh(ctx, write, { account, unit, coins, reason, reclaims })
  const waiting = servedBy(ctx, refresh)
  if (waiting?.kind === 'pay' && waiting.state === 'reclaiming') write.updateOperation({ ...waiting, reclaim: id })
  if (waiting?.kind === 'melt' && waiting.state === 'returning') {
    write.updateOperation({ ...waiting, swaps: [...waiting.swaps, id] })
  }
}

/** Expired: the payment's again, whose end says where they are counted; or they rest. */
function leave(ctx: Context, write: WalletWrites, refresh: Refresh, coins: readonly Coin[]): void {
  const waiting = servedBy(ctx, refresh)
  const payment = waiting?.kind === 'pay' && waiting.state === 'reclaiming' ? waiting : undefined
  const state = payment === undefined ? 'quarantined' : payment.handedOver ? 'handed_over' : 'reserved'
  const Ys = coins.map(({ Y }) => Y)
  write.moveCoins(refresh.account, Ys, ['reserved'], state, payment?.id ?? null)
}

/** The payment whose coins were to come back, or the cash out that waits, looks at once at what became of it. */
function wakeWaiting(ctx: Context, write: WalletWrites, refresh: Refresh): void {
  const waiting = servedBy(ctx, refresh)
  const isWaiting =
    (waiting?.kind === 'pay' && (waiting.state === 'reclaiming' || waiting.state === 'bounced')) ||
    (waiting?.kind === 'melt' && (waiting.state === 'gathering' || waiting.state === 'returning'))
  if (isWaiting) write.updateOperation({ ...waiting, ...stamp(ctx), nextAttemptAt: ctx.clock.now() })
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
  // A person is looking at what a payment or a cash out would cost: its coins stay where they are.
  const shown = ['asking', 'agreed', 'quoting', 'quoted']
  const prepared = ctx.store.read.operations({ states: shown, account, isLenient: true })
  if (prepared.some((one) => one.kind === 'melt' || (one.kind === 'pay' && one.replaces === null))) return 0
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

/** Whether some purse of this mint awaits re-keying. */
export function isRefreshDue(ctx: Context, account: number): boolean {
  return [...unitsOf(ctx, account)].some((unit) => nextToRefresh(ctx, account, unit) !== undefined)
}

/**
 * Coins of the next purse to re-key. Always: coins of a keyset that ends, and those of a purse that a restore sees by one.
 * Where the fee is worth it: a used purse; any purse beside the one that gathers, so that what was received and added can be
 * paid in one go; the small coins of a purse with more than one payment takes. One coin when a restore would not see this
 * account, or a milestone is due.
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
  const ending = purses.find(({ purse, coins }) => {
    const until = newCoinsLast(ctx, account, unit, coins)
    const seen = seenUntil(ctx, purse.id)
    const isEnding = (end: number) => end <= now + moveOnSeconds && end < until
    return isEnding(seen) || coins.some((coin) => isEnding(lastsUntil(coin)))
  })
  if (ending) return ending.coins
  const worth = purses.filter(({ coins }) => feeOf(ctx, coins) <= total(coins) * largestFeeShare)
  const gathering = gatheringPurse(ctx, account, unit) ?? (purses.length > 1 ? undefined : purses[0]?.purse)
  const due = worth.find(({ purse }) => purse.used || purse.id !== gathering?.id)
  if (due) return due.coins
  const isToBeSeen = isHidden(ctx, account) || isMilestoneDue(ctx, account)
  const few = crowded(ctx, spendable, gathering?.id) ?? (isToBeSeen ? oneCoin(ctx, spendable) : undefined)
  return few && canBeHeld(ctx, account, unit, few) ? few : undefined
}

/** More coins than one payment takes: the smallest of them become fewer. */
function crowded(ctx: Context, spendable: readonly Coin[], purseId: number | undefined): readonly Coin[] | undefined {
  const coins = spendable.filter((coin) => coin.purseId === purseId)
  if (coins.length <= maxInputs) return undefined
  const smallest = [...coins].sort((a, b) => a.amount - b.amount).slice(0, maxInputs)
  return feeOf(ctx, smallest) <= total(smallest) * largestFeeShare ? smallest : undefined
}

/** The cheapest way to make a generation or a milestone visible: strangers can make milestones due, so it costs one coin's fee. */
function oneCoin(ctx: Context, spendable: readonly Coin[]): readonly Coin[] | undefined {
  const coin = [...spendable].sort((a, b) => a.amount - b.amount).find((one) => one.amount > feeOf(ctx, [one]))
  return coin && [coin]
}

/** Until when (Unix seconds) the coins last that a refresh of these would give. */
function newCoinsLast(ctx: Context, account: number, unit: string, coins: readonly Coin[]): number {
  const amounts = spreadFor(ctx, account, unit, total(coins) - feeOf(ctx, coins))
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  return keyset ? (keyset.finalExpiry ?? Number.POSITIVE_INFINITY) : 0
}
