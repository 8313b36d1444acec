// The runner's steps of a cash out once it was confirmed. Decided by facts, never by error codes: the state of the quote
// (NUT-05) and of every input (NUT-07). Coins that were in a melt request come back only through a settled swap to oneself.
// Transactions: M3 a swap that gathers stored · M4 blank outputs and the exact request stored, before it is sent · M5 coins
// spent, change stored, done · M6 the swap that takes the coins back stored · M7 failed.

import { sumAmounts } from '../../shared/amount.ts'
import type { CoinStateAtMint, MeltQuoteResponse } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { type Context, unixNow } from './context.ts'
import { ownFrom } from './generation.ts'
import { abandonCashOut, expiryOf, startSwap } from './melt.ts'
import { blankOutputs, brokenReason, elsewhereReason, meltBody, readFacts, spentUnpaid } from './melt-facts.ts'
import type { MeltReading, OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, freeCoins, keysetOf, markSpent, planOutputs } from './own-coins.ts'
import type { MintAnswer, MintClient } from './ports.ts'
import { due, ended, lookAgainPause, retry, save, stamp } from './progress.ts'
import { feeOf, planRefresh } from './self-swap.ts'
import { findSignatures, matchInOrder, outputKeyset, type VerifiedSignature } from './settle.ts'
import type { Coin } from './store-port.ts'

type Melt = OperationOf<'melt'>
type In<S extends Melt['state']> = OperationIn<'melt', S>
type Sent = In<'melting' | 'returning'>

/** A running swap is looked at again this often; it wakes its cash out when it is over. Milliseconds. */
const lookAtSwapMs = 30_000
/** A melt that is not answered by then is looked at by its quote; the request itself goes on. Milliseconds. */
const patienceMs = 10_000
/** A payment on its way is asked about this often: often at first, then a tenth of its age, at last every ten minutes. */
const pollPendingMs = [2000, 600_000] as const
/** A swap whose row cannot be read is looked at again after this long, milliseconds. */
const lookAtSpoiledMs = 10 * 60_000
const spoiledSwap = 'a swap of it cannot be read'
/** On its way for so long that a person should know. Milliseconds. */
const slowMs = 10 * 60_000
/** Clocks differ: a quote counts as over this long after its expiry. Seconds. */
const expiryMargin = 600

/** One step: whatever the state asks for, safe to repeat after a crash at any line. */
export async function stepMelt(ctx: Context, operation: Melt): Promise<void> {
  switch (operation.state) {
    case 'quoting':
    case 'quoted':
      return abandonCashOut(ctx, operation.id, 'not confirmed in time')
    case 'gathering':
      return gather(ctx, operation)
    case 'melting':
      return melt(ctx, operation)
    case 'returning':
      return followReturn(ctx, operation)
    case 'done':
    case 'failed':
    case 'abandoned':
      return
  }
}

/** Right after the confirmation, while a person waits: swap after swap and then the melt, as far as it goes at once. */
export async function carryOn(ctx: Context, id: string): Promise<void> {
  for (;;) {
    const operation = ctx.store.read.operation(id)
    if (operation?.kind !== 'melt' || operation.state !== 'gathering') return
    const swap = operation.swaps.at(-1) ?? ''
    await ctx.runNow(swap)
    await ctx.runNow(id)
    const next = ctx.store.read.operation(id)
    if (next?.kind !== 'melt' || next.state !== 'gathering' || next.swaps.at(-1) === swap) return
  }
}

// ---- gathering

/** The swap that runs is over: on to the next, or to the melt. What cannot be completed frees coins no melt ever named. */
async function gather(ctx: Context, operation: In<'gathering'>): Promise<void> {
  if (isOfEarlierLife(ctx, operation)) return stopGathering(ctx, operation, 'this wallet is a copy: another may go on')
  const swap = ctx.store.read.other(operation.swaps.at(-1) ?? '')
  // It may be done one day; what it gathers is free when the offer has ended, as where it takes too long.
  if (swap === 'unreadable') {
    if (isOver(ctx, operation, 0)) return stopGathering(ctx, operation, 'the offer has expired')
    return save(ctx, { ...operation, ...due(ctx, lookAtSpoiledMs), lastError: spoiledSwap })
  }
  switch (swap?.state) {
    case 'done':
      return isOver(ctx, operation, 0) ? stopGathering(ctx, operation, 'the offer has expired') : goOn(ctx, operation)
    case 'settling':
      if (isOver(ctx, operation, 0)) return stopGathering(ctx, operation, 'the offer has expired')
      return save(ctx, { ...operation, ...due(ctx, lookAtSwapMs), lastError: swap.lastError })
    default:
      return stopGathering(ctx, operation, 'a swap that gathers could not be made')
  }
}

/**
 * Whether it was begun before this wallet was found to be a copy: the other life may have given it up and paid somebody with
 * its coins, and another swap of them would take them back from there.
 */
const isOfEarlierLife = (ctx: Context, operation: In<'gathering'>): boolean =>
  reservedFor(ctx, operation).some(({ path }) => path.generation < ownFrom(ctx.store.read, operation.account))

const isOver = ({ clock }: Context, operation: Parameters<typeof expiryOf>[0], marginSeconds: number): boolean =>
  unixNow(clock) >= expiryOf(operation) + marginSeconds

async function goOn(ctx: Context, operation: In<'gathering'>): Promise<void> {
  const [next, ...plan] = operation.plan
  const purse = ctx.store.read.purse(operation.purse)
  if (!next || !purse) return beginMelt(ctx, operation)
  ctx.store.transaction((write) => {
    const swap = startSwap(ctx, write, operation, next, purse)
    const pause = due(ctx, lookAtSwapMs)
    write.updateOperation({ ...operation, plan, swaps: [...operation.swaps, swap], ...pause })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.wake()
}

/** M7 from gathering. A swap that still runs goes on by itself; what it brings is spendable then. */
function stopGathering(ctx: Context, operation: In<'gathering'>, reason: string): void {
  const coins = reservedFor(ctx, operation)
  ctx.store.transaction((write) => {
    freeCoins(ctx, write, coins)
    write.updateOperation(failed(ctx, operation, reason))
  })
  tell(ctx, operation)
}

const reservedFor = ({ store }: Context, { id }: Melt): readonly Coin[] =>
  store.read.coinsOf(id).filter(({ state }) => state === 'reserved')

/** Fees of those swaps that were made. */
function swapFees({ store }: Context, swaps: readonly string[]): number {
  return swaps.reduce((sum, id) => {
    const swap = store.read.other(id)
    return swap !== 'unreadable' && swap?.kind === 'refresh' && swap.state === 'done' ? sum + swap.fee : sum
  }, 0)
}

/** M4: one purse, exactly what the mint asks for; the next step sends it. */
async function beginMelt(ctx: Context, operation: In<'gathering'>): Promise<void> {
  const { amount, feeReserve } = operation
  const coins = reservedFor(ctx, operation)
  const meltFee = feeOf(ctx, coins)
  const isExact =
    coins.every(({ purseId }) => purseId === operation.purse) && total(coins) === amount + feeReserve + meltFee
  if (!isExact) return stopGathering(ctx, operation, 'the mint changed its fees meanwhile')
  const blanks = operation.returnsChange ? blankOutputs(feeReserve) : 0
  const keyset = outputKeyset(ctx.store.read.keysets(operation.account), operation.unit, [], unixNow(ctx.clock))
  if (blanks > 0 && !keyset) return stopGathering(ctx, operation, 'no active keyset for what is left of the fee')
  const melting = ctx.store.transaction((write) => {
    const { account, unit, id, plan: _plan, ...rest } = operation
    const purse = blanks > 0 ? write.takePurse({ generation: ctx.generation, account, unit }, 'change', 'own') : null
    if (purse) write.markPurse(purse.id, { closed: true })
    const planned = purse ? planOutputs(ctx, write, purse, Array<number>(blanks).fill(1), id) : { outputs: [], own: [] }
    const next: In<'melting'> = {
      ...rest,
      id,
      account,
      unit,
      state: 'melting',
      meltFee,
      Ys: coins.map(({ Y }) => Y),
      outputs: [...planned.outputs],
      body: meltBody(ctx, operation.quote, coins, planned.outputs, keyset?.id ?? ''),
      reading: null,
      pendingSince: null,
      ...due(ctx, 0),
    }
    write.updateOperation(next)
    write.insertOutputs(planned.own)
    return next
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  return melt(ctx, melting)
}

const total = (coins: readonly Coin[]): number => sumAmounts(coins.map(({ amount }) => amount))

// ---- melting

/** Send the stored request while it may be paid, and see what became of it. */
async function melt(ctx: Context, operation: In<'melting'>): Promise<void> {
  const mint = ctx.mints.client(operation.account)
  const isHopeless = isOver(ctx, operation, expiryMargin)
  // On its way, or too late: nothing is sent, only asked.
  const answer = operation.pendingSince === null && !isHopeless ? await send(ctx, mint, operation) : undefined
  // Nobody there, or asked to wait: no question is better than this one.
  if (answer?.kind === 'unknown' && (!answer.reachable || answer.retryAfterMs !== undefined)) {
    return retry(ctx, operation, answer.reason, answer.retryAfterMs)
  }
  const paid = answer?.kind === 'ok' && answer.value.state === 'PAID' ? answer.value : undefined
  const facts = await readFacts(mint, operation, paid)
  switch (facts.kind) {
    case 'unknown':
      return retry(ctx, operation, facts.reason, facts.retryAfterMs)
    case 'pending':
      return keepAsking(ctx, operation)
    case 'paid':
      return finish(ctx, operation, facts.quote, paid !== undefined)
    case 'spent':
      if (!isConfirmed(ctx, operation, 'spent', spentUnpaid)) return
      return finish(ctx, operation, facts.quote, true, spentUnpaid)
    case 'elsewhere':
      if (!isConfirmed(ctx, operation, 'elsewhere', elsewhereReason)) return
      return takeBack(ctx, operation, facts.states, elsewhereReason)
    case 'broken':
      if (!isConfirmed(ctx, operation, 'broken', brokenReason)) return
      return takeBack(ctx, operation, facts.states, brokenReason)
    case 'idle': {
      if (isHopeless) return takeBack(ctx, operation, facts.states, 'the offer has expired')
      const no = refusalIn(operation, answer)
      if (no === undefined) return retry(ctx, { ...operation, reading: refusalOf(operation) }, 'no clean answer')
      if (!isConfirmed(ctx, operation, 'refused', no)) return
      return takeBack(ctx, operation, facts.states, no)
    }
  }
}

/** A mint that takes its time is asked by other means; what it still answers counts by its facts. */
function send(ctx: Context, mint: MintClient, { body }: In<'melting'>): Promise<MintAnswer<MeltQuoteResponse>> {
  const slow = { kind: 'unknown', reason: 'the mint takes its time', reachable: true } as const
  const answer = mint.melt(body).catch(() => slow)
  return Promise.race([answer, ctx.clock.wait(patienceMs).then(() => slow)])
}

/**
 * How a mint says, while nothing is paid, that it did not pay: a refusal, a clean answer that nothing was paid, or a
 * payment that was on its way and is not any more.
 */
function refusalIn(
  { pendingSince }: In<'melting'>,
  answer: MintAnswer<MeltQuoteResponse> | undefined,
): string | undefined {
  if (answer?.kind === 'refused') return `${answer.code} ${answer.detail}`.slice(0, 200)
  const isNotPaid = pendingSince !== null || (answer?.kind === 'ok' && answer.value.state === 'UNPAID')
  return isNotPaid ? 'the payment failed' : undefined
}

/** What two equal readings some time apart are needed for: the first is noted, and the cash out comes back for the second. */
function isConfirmed(ctx: Context, operation: Sent, kind: MeltReading['kind'], reason: string): boolean {
  const now = ctx.clock.now()
  // A reading from the future is one from before the clock was set back: it says nothing of how long ago it was.
  const before = operation.reading?.kind === kind && operation.reading.at <= now ? operation.reading : null
  if (before && now - before.at >= ctx.config.readingGapMs) return true
  const reading = before ?? { kind, at: now }
  const nextAttemptAt = Math.max(now + 1, reading.at + ctx.config.readingGapMs)
  save(ctx, {
    ...operation,
    ...stamp(ctx),
    reading,
    pendingSince: null,
    nextAttemptAt,
    lastError: reason.slice(0, 200),
  })
  return false
}

/** A refusal stays one while the mint tries again, or cannot be heard for a while. */
const refusalOf = ({ reading }: Sent): MeltReading | null => (reading?.kind === 'refused' ? reading : null)

function keepAsking(ctx: Context, operation: Sent): void {
  const now = ctx.clock.now()
  const pendingSince = operation.pendingSince ?? now
  const [shortest, longest] = pollPendingMs
  const pause = due(ctx, Math.min(longest, Math.max(shortest, Math.floor((now - pendingSince) / 10))))
  const lastError = now - pendingSince > slowMs ? 'the payment is on its way for long' : null
  save(ctx, { ...operation, reading: refusalOf(operation), pendingSince, ...pause, lastError })
}

/**
 * M5: the coins are gone and the invoice is paid. What is left of the fee reserve is taken first, from the answer or by
 * NUT-09; that there is none is believed of a clean answer, or after two readings.
 */
async function finish(
  ctx: Context,
  operation: Sent,
  quote: MeltQuoteResponse | undefined,
  isDefinite: boolean,
  trouble: string | null = null,
): Promise<void> {
  const { account, outputs } = operation
  const change = await findChange(ctx, operation, quote)
  if (!change) {
    // Signed under a keyset that is not known yet, perhaps.
    await ctx.mints.sync(account)
    return retry(ctx, operation, 'no answer about what is left of the fee')
  }
  const isMissing = outputs.length > 0 && change.length === 0
  if (isMissing && !isDefinite && !isConfirmed(ctx, operation, 'unchanged', 'paid; nothing left of the fee so far'))
    return
  const coins = coinsFrom(ctx, change, { account, unit: operation.unit })
  const { id, kind, unit, amount, invoice, createdAt, quote: name, feeReserve, expiry, confirmBy } = operation
  const { returnsChange, fee, meltFee, Ys } = operation
  const quoted = { quote: name, feeReserve, expiry, confirmBy, returnsChange, fee }
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    markSpent(write, account, Ys, id)
    write.updateOperation({
      ...{ id, kind, account, unit, amount, invoice, createdAt },
      ...quoted,
      state: 'done',
      meltFee,
      change: coins.reduce((sum, coin) => sum + coin.amount, 0),
      preimage: quote?.payment_preimage ?? null,
      ...ended(ctx),
      lastError: trouble,
    })
  })
  tell(ctx, operation)
}

/** Signatures on blank outputs of ours, verified; undefined when the mint does not tell. */
async function findChange(
  ctx: Context,
  { account, outputs }: Sent,
  quote: MeltQuoteResponse | undefined,
): Promise<readonly VerifiedSignature[] | undefined> {
  if (outputs.length === 0) return []
  const keyset = keysetOf(ctx.store, account)
  const answered = matchInOrder(quote?.change ?? [], outputs, keyset)?.flatMap((signature) => signature ?? [])
  if (answered && answered.length > 0) return answered
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset }, outputs)
  return found.kind === 'ok' ? found.value.flatMap((signature) => signature ?? []) : undefined
}

// ---- taking the coins back

/** M6: it is not paid. A late request may still arrive, so only a settled swap makes the coins ours again. */
function takeBack(ctx: Context, operation: In<'melting'>, states: readonly CoinStateAtMint[], reason: string): void {
  const { account, unit, id, Ys, swaps } = operation
  const gone = Ys.filter((_, index) => states[index] === 'SPENT')
  const coins = ctx.store.read.coinsOf(id).filter(({ Y }) => Ys.includes(Y) && !gone.includes(Y))
  try {
    ctx.store.transaction((write) => {
      markSpent(write, account, gone, id)
      if (total(coins) <= feeOf(ctx, coins)) {
        // Dust beside a coin that is spent: no melt of it can ever pass, and no swap is worth its fee.
        freeCoins(ctx, write, coins)
        write.updateOperation(failed(ctx, operation, reason))
        return
      }
      const swap = planRefresh(ctx, write, { account, unit, coins, reason: 'reclaim', reclaims: id })
      const next = { ...operation, state: 'returning' as const, swaps: [...swaps, swap.id], reason, reading: null }
      write.updateOperation({ ...next, ...due(ctx, lookAtSwapMs) })
    })
    tell(ctx, operation)
    ctx.wake()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'amount_out_of_range') throw error
    retry(ctx, operation, 'no active keyset has coins for what comes back')
  }
}

/** The swap that takes the coins back decides; if it came too late, the quote is looked at again. */
async function followReturn(ctx: Context, operation: In<'returning'>): Promise<void> {
  const swap = ctx.store.read.other(operation.swaps.at(-1) ?? '')
  if (swap === 'unreadable') return save(ctx, { ...operation, ...due(ctx, lookAtSpoiledMs), lastError: spoiledSwap })
  switch (swap?.state) {
    case 'done':
      return fail(ctx, operation, operation.reason)
    case 'lost':
      return lookAtLost(ctx, operation)
    default:
      return save(ctx, { ...operation, ...due(ctx, lookAtSwapMs), lastError: swap?.lastError ?? null })
  }
}

/** The coins are spent, and not by the swap that was to take them back. */
async function lookAtLost(ctx: Context, operation: In<'returning'>): Promise<void> {
  const facts = await readFacts(ctx.mints.client(operation.account), operation, undefined)
  switch (facts.kind) {
    case 'unknown':
      return retry(ctx, operation, facts.reason, facts.retryAfterMs)
    case 'pending':
      return keepAsking(ctx, operation)
    case 'paid':
      return finish(ctx, operation, facts.quote, false)
    case 'spent':
      if (!isConfirmed(ctx, operation, 'spent', spentUnpaid)) return
      return finish(ctx, operation, facts.quote, true, spentUnpaid)
    case 'broken':
      return isConfirmed(ctx, operation, 'broken', brokenReason) ? fail(ctx, operation, brokenReason) : undefined
    case 'elsewhere':
    case 'idle':
      // A mint that said "spent" twice and says otherwise now: the swap is looked at again, and wakes this.
      return save(ctx, {
        ...operation,
        ...due(ctx, lookAgainPause(ctx, operation)),
        lastError: 'the mint contradicts itself',
      })
  }
}

/** M7 */
function fail(ctx: Context, operation: In<'returning'>, reason: string): void {
  save(ctx, failed(ctx, operation, reason))
  ctx.emit({ kind: 'balance' })
}

function failed(ctx: Context, operation: In<'gathering'> | Sent, reason: string): In<'failed'> {
  const { id, kind, account, unit, amount, invoice, createdAt } = operation
  const { quote, feeReserve, expiry, confirmBy, returnsChange, swaps } = operation
  const quoted = { quote, feeReserve, expiry, confirmBy, returnsChange, fee: swapFees(ctx, swaps) }
  return { id, kind, account, unit, amount, invoice, createdAt, ...quoted, state: 'failed', reason, ...ended(ctx) }
}

function tell(ctx: Context, { id }: Melt): void {
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
}
