// What all operations do alike: note a retry, save a state, keep the exact request stored, wait for a second reading.

import { type Context, nextAttempt, unixNow } from './context.ts'
import { expiredReason, type Operation, type Reading, type SwapRecord } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import {
  type Outcome,
  outputKeyset,
  readFacts,
  type Settle,
  settleSwap,
  swapBody,
  type VerifiedSignature,
} from './settle.ts'
import type { Coin } from './store-port.ts'

/** An operation that carries a signed swap. */
export type Settling = Extract<Operation, { swap: SwapRecord }>

/** Fields of a row that was just changed and is not in trouble. */
export const stamp = ({ clock }: Pick<Context, 'clock'>) => ({ updatedAt: clock.now(), lastError: null, attempts: 0 })

/** Looked at again after a pause. */
export const due = (ctx: Pick<Context, 'clock'>, pauseMs: number) => ({
  ...stamp(ctx),
  nextAttemptAt: ctx.clock.now() + pauseMs,
})

/** Nothing left to do. */
export const ended = (ctx: Pick<Context, 'clock'>) => ({ ...stamp(ctx), nextAttemptAt: null })

/** Store a changed operation, alone in its transaction, and tell. */
export function save(ctx: Context, operation: Operation): void {
  ctx.store.transaction((write) => write.updateOperation(operation))
  ctx.emit({ kind: 'operation', id: operation.id })
}

/** Stay as it is, note why, come back after a growing pause. */
export function retry(ctx: Context, operation: Operation, reason: string, retryAfterMs = 0): void {
  save(ctx, {
    ...operation,
    updatedAt: ctx.clock.now(),
    attempts: operation.attempts + 1,
    lastError: reason.slice(0, 200),
    nextAttemptAt: nextAttempt(ctx, operation.attempts, retryAfterMs),
  })
}

/** The runner steps this operation next, unless there is nothing left to do. */
export function lookSoon(ctx: Context, id: string): void {
  const operation = ctx.store.read.other(id)
  if (!operation || operation === 'unreadable' || operation.nextAttemptAt === null) return
  save(ctx, { ...operation, nextAttemptAt: ctx.clock.now() })
  ctx.wake()
}

const dayMs = 24 * 3_600_000

/** A sad end is looked at again daily, and ever more rarely with its age: mints err, and are restored from old copies. */
export const lookAgainPause = ({ clock }: Pick<Context, 'clock'>, { createdAt }: Operation): number =>
  Math.max(dayMs, Math.floor((clock.now() - createdAt) / 4))

/**
 * Stay in a sad end and look again later. What somebody has had signed on our outputs since, with whatever amount, is ours
 * and counted.
 */
export function lookAgainLater(ctx: Context, operation: Settling, outcome: Outcome): void {
  const signatures = 'signatures' in outcome ? outcome.signatures : []
  const found = coinsFrom(ctx, signatures, operation)
  const coins = outcome.kind === 'dead' && operation.kind === 'receive' ? found.map(atRest) : found
  const next = outcome.kind === 'expired' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, ...next, lastError: operation.lastError })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  if (coins.length > 0) ctx.emit({ kind: 'balance' })
}

/** A coin that another life of this wallet may have been given: it comes home by a swap to oneself. */
export const atRest = (coin: Coin): Coin => ({ ...coin, state: 'quarantined' })

/** A 16-byte random id in hex. */
export const newId = ({ random }: Pick<Context, 'random'>): string =>
  Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * The operation with an exact swap request that can be sent now, stored before it is returned. The stored one is kept
 * while its keyset is active; a rotated keyset calls for a new request with the same signed swap.
 * @param allowed V2 ids the other side can verify, when that matters
 * @returns undefined when no active keyset can sign these outputs
 */
export function withAttempt<O extends Settling>(
  ctx: Context,
  operation: O,
  allowed?: ReadonlySet<string>,
): O | undefined {
  const { account, unit, swap, attempt } = operation
  const keysets = ctx.store.read.keysets(account)
  const isUsable = ({ idV2 }: { idV2: string }) => allowed === undefined || allowed.has(idV2)
  if (attempt && keysets.some((keyset) => keyset.id === attempt.keysetId && keyset.active && isUsable(keyset))) {
    return operation
  }
  const amounts = swap.outputs.map(({ amount }) => amount)
  const keyset = outputKeyset(keysets, unit, amounts, unixNow(ctx.clock), allowed)
  if (!keyset) return undefined
  const next = { ...operation, attempt: { keysetId: keyset.id, body: swapBody(swap, keyset.id) } }
  ctx.store.transaction((write) => write.updateOperation(next))
  return next
}

function settleOf(ctx: Context, { account, unit, swap }: Settling, role: Settle['role']): Settle {
  const keyset = keysetOf(ctx.store, account)
  return { mint: ctx.mints.client(account), keyset, swap, role, unit, now: unixNow(ctx.clock) }
}

/** Send the stored request and say what is known after it. */
export async function trySettle(ctx: Context, operation: Settling, role: Settle['role']): Promise<Outcome> {
  if (!operation.attempt) return lookAt(ctx, operation, role)
  const outcome = await settleSwap(settleOf(ctx, operation, role), operation.attempt.body)
  return afterSync(ctx, operation, outcome)
}

/** Say what is known without sending the swap. */
export async function lookAt(ctx: Context, operation: Settling, role: Settle['role']): Promise<Outcome> {
  return afterSync(ctx, operation, await readFacts(settleOf(ctx, operation, role)))
}

/** After a sad end: look, and if nothing was spent and nothing signed after all, send the swap again. */
export async function lookOrSettle(ctx: Context, operation: Settling, role: Settle['role']): Promise<Outcome> {
  const outcome = await lookAt(ctx, operation, role)
  const ready = outcome.kind === 'refused' ? withAttempt(ctx, operation) : undefined
  return ready ? trySettle(ctx, ready, role) : outcome
}

/** An answer that makes no sense under the keysets we know may make sense under newer ones: fetch them for the next try. */
async function afterSync(ctx: Context, { account }: Settling, outcome: Outcome): Promise<Outcome> {
  const isPuzzling = outcome.kind === 'refused' || (outcome.kind === 'unknown' && outcome.reachable && !outcome.pending)
  if (isPuzzling) await ctx.mints.sync(account)
  return outcome
}

/**
 * A sad end needs two equal readings some time apart: a mint that answers from an old copy, or two answers from two
 * moments, must not end a payment.
 * @returns whether this one confirms an earlier one; if not, it is noted and the operation comes back for the second
 */
export function isConfirmed(ctx: Context, operation: Settling, kind: Reading['kind']): boolean {
  const now = ctx.clock.now()
  // A reading from the future is one from before the clock was set back: it says nothing of how long ago it was.
  const isEqual = operation.reading?.kind === kind && operation.reading.at <= now
  const before = isEqual ? operation.reading : null
  if (before && now - before.at >= ctx.config.readingGapMs) return true
  const reading = before ?? { kind, at: now }
  const nextAttemptAt = Math.max(now + 1, reading.at + ctx.config.readingGapMs)
  const noted = { reading, nextAttemptAt, pendingSince: null, lastError: `first reading: ${kind}` }
  save(ctx, { ...operation, ...stamp(ctx), ...noted })
  return false
}

/** What follows from an outcome that ends the operation. */
export type Ends<O extends Settling> = {
  readonly settled: (operation: O, signatures: readonly VerifiedSignature[]) => void | Promise<void>
  readonly sadly: (
    operation: O,
    kind: Reading['kind'],
    signatures: readonly VerifiedSignature[],
  ) => void | Promise<void>
}

/** One round of settling: the exact request stored and sent, the facts read, the end applied or another try noted. */
export async function settleRound<O extends Settling>(
  ctx: Context,
  operation: O,
  role: Settle['role'],
  ends: Ends<O>,
): Promise<void> {
  const ready = withAttempt(ctx, operation)
  // Nothing to send: others may have settled it all the same, under a keyset that was active then.
  if (!ready) return conclude(ctx, operation, await lookAt(ctx, operation, role), ends)
  return conclude(ctx, ready, await trySettle(ctx, ready, role), ends)
}

/** Apply an outcome: an end, a first reading, or another try. */
export async function conclude<O extends Settling>(
  ctx: Context,
  operation: O,
  outcome: Outcome,
  ends: Ends<O>,
): Promise<void> {
  switch (outcome.kind) {
    case 'settled':
      return ends.settled(operation, outcome.signatures)
    case 'bounced':
    case 'dead':
      return isConfirmed(ctx, operation, outcome.kind)
        ? ends.sadly(operation, outcome.kind, outcome.signatures)
        : undefined
    default:
      return keepTrying(ctx, operation, outcome)
  }
}

/** Note that nothing is decided: unknown, refused without reason, or an expired keyset. The swap is sent again later. */
function keepTrying(
  ctx: Context,
  operation: Settling,
  outcome: Extract<Outcome, { kind: 'unknown' | 'refused' | 'expired' }>,
): void {
  const now = ctx.clock.now()
  if (outcome.kind === 'refused') {
    const refusedSince = operation.refusedSince ?? now
    retry(ctx, { ...operation, reading: null, pendingSince: null, refusedSince }, outcome.reason)
  } else if (outcome.kind === 'expired') {
    const coins = coinsFrom(ctx, outcome.signatures, operation)
    ctx.store.transaction((write) => write.insertCoins(coins))
    retry(ctx, { ...operation, reading: null, pendingSince: null }, expiredReason)
  } else {
    // Who does not answer takes nothing back of what was said before.
    const saidNow = outcome.isUnspent ? null : operation.pendingSince
    const pendingSince = outcome.pending ? (operation.pendingSince ?? now) : saidNow
    const reading = outcome.isUnspent ? null : operation.reading
    const refusedSince = outcome.isRefused ? (operation.refusedSince ?? now) : operation.refusedSince
    const reason = operation.lastError === expiredReason ? expiredReason : outcome.reason
    retry(ctx, { ...operation, reading, pendingSince, refusedSince }, reason, outcome.retryAfterMs)
  }
}
