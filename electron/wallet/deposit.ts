// Deposit: the payee settles what it accepted, and asks about what never reached it. The runner's steps of a receive.

import { hexToBytes } from '../../shared/cashu/numbers.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { type Context, unixNow } from './context.ts'
import { expiredReason, type Operation, type OperationIn } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import {
  atRest,
  due,
  ended,
  lookAgainLater,
  lookAgainPause,
  lookAt,
  lookOrSettle,
  lookSoon,
  retry,
  settleRound,
} from './progress.ts'
import { finishReceive, identityOf, type Receive, signRefusal, toHex } from './received.ts'
import { hasPassedBefore, type PassedBefore, passedBefore } from './replaced.ts'
import { isClosed } from './requests.ts'
import { findSignatures, hasExpired, type VerifiedSignature } from './settle.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Terms whose handover never came are asked about this long after their deadline. */
const askAfterDeadlineMs = 30 * dayMs
/** Outputs in one question about Terms; mints take more. */
const maxOutputsAsked = 100

/** One step: settle a signed handover, or ask whether the payer settled what never reached us. */
export async function stepReceive(ctx: Context, operation: Receive): Promise<void> {
  switch (operation.state) {
    case 'terms':
    case 'refused':
      return askAboutTerms(ctx, operation)
    case 'signed':
      return deposit(ctx, operation)
    case 'bounced':
    case 'dead':
    case 'replaced':
      return lookAgain(ctx, operation)
    case 'final':
    case 'expired':
      return
  }
}

type Asking = OperationIn<'receive', 'terms' | 'refused'>

const isAsking = (operation: Operation | undefined): operation is Asking =>
  operation?.kind === 'receive' && (operation.state === 'terms' || operation.state === 'refused')

/**
 * A payer who settled and lost the connection has paid: NUT-09 tells (protocol section 8). Terms that are due at the
 * same time are asked about together, because strangers can leave many unanswered.
 */
async function askAboutTerms(ctx: Context, operation: Asking): Promise<void> {
  const { account } = operation
  const { reachable, since } = ctx.mints.reachability(account)
  if (since !== null && !reachable) return retry(ctx, operation, 'the mint cannot be reached')
  const asked = [operation, ...dueBeside(ctx, operation)]
  const keyset = keysetOf(ctx.store, account)
  const outputs = asked.flatMap((one) => one.outputs)
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset }, outputs)
  if (found.kind === 'refused') return retry(ctx, operation, found.detail)
  if (found.kind === 'unknown') {
    // It may be a signature under a keyset that is newer than what is known here.
    if (found.reachable && found.retryAfterMs === undefined) await ctx.mints.sync(account)
    return retry(ctx, operation, found.reason, found.retryAfterMs)
  }
  const signatures = new Map(found.value.flatMap((signature) => (signature ? [[signature.B_, signature]] : [])))
  noteAnswer(ctx, operation, signatures)
  for (const { id } of asked.slice(1)) {
    const beside = ctx.store.read.other(id)
    // One that is being stepped asks for itself; to wait for it here could be to wait for each other.
    if (beside !== 'unreadable' && isAsking(beside) && !ctx.isLocked(id)) noteAnswer(ctx, beside, signatures)
  }
}

/** Other Terms of this mint that are due, as many as one question holds. */
function dueBeside(ctx: Context, { id, account, outputs }: Asking): readonly Asking[] {
  let room = maxOutputsAsked - outputs.length
  const { operations } = ctx.store.read.dueOperations(ctx.clock.now(), maxOutputsAsked)
  return operations.filter((other): other is Asking => {
    if (!isAsking(other) || other.id === id || other.account !== account || other.outputs.length > room) return false
    room -= other.outputs.length
    return true
  })
}

function noteAnswer(ctx: Context, operation: Asking, signed: ReadonlyMap<string, VerifiedSignature>): void {
  const { account, unit, outputs, deadline } = operation
  const keyset = keysetOf(ctx.store, account)
  const signatures = outputs.flatMap(({ B_ }) => signed.get(B_) ?? [])
  const isSettled = outputs.every(({ amount, B_ }) => {
    const signature = signed.get(B_)
    return signature?.amount === amount && keyset(signature.keysetId)?.unit === unit
  })
  const isTooLate = isSettled && signatures.some(({ keysetId }) => hasExpired(keyset(keysetId), unixNow(ctx.clock)))
  if (isSettled && !isTooLate) {
    finishReceive(ctx, operation, signatures, null)
    return
  }
  const now = ctx.clock.now()
  const end = deadline * 1000 + askAfterDeadlineMs
  const isOver = now > end && wasAnsweredSince(ctx, operation, end)
  const pauseMs = now > end ? ctx.config.readingGapMs : now > deadline * 1000 ? dayMs : hourMs
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    // A refusal stays what it is: the same handover gets the same answer for ever.
    const next = { ...(isOver ? ended(ctx) : due(ctx, pauseMs)), lastError: isTooLate ? expiredReason : null }
    if (isTooLate && operation.state === 'terms')
      write.updateOperation({ ...operation, ...next, ...refusedAsEnded(ctx, operation) })
    else if (isOver && operation.state === 'terms')
      write.updateOperation({ ...identityOf(operation), state: 'expired', ...ended(ctx) })
    else write.updateOperation({ ...operation, ...next })
  })
  if (coins.length > 0) {
    ctx.emit({ kind: 'operation', id: operation.id })
    ctx.emit({ kind: 'balance' })
  }
}

/**
 * The payer settled, and what it paid with has ended since: people are told, although no handover ever came. It names the
 * Hello, for this is no void: the payer has nothing to take back.
 */
function refusedAsEnded(ctx: Context, { helloHash }: Asking) {
  const code: ErrorCode = 'keyset_expired'
  const refusal = toHex(signRefusal(ctx, { helloHash: hexToBytes(helloHash) }, code))
  return { state: 'refused' as const, handoverHash: '', refusal, code }
}

/**
 * Whether the mint has answered before, after this moment and some time ago: nobody asks about what was given up, so that
 * one answer from an old copy of the mint must not end it. A row is touched by answers, and by failures, which it counts.
 */
const wasAnsweredSince = ({ clock, config }: Context, { updatedAt, attempts }: Asking, end: number): boolean =>
  attempts === 0 && updatedAt > end && clock.now() - updatedAt >= config.readingGapMs

/** Settle as payee: the swap is sent until the facts end it. */
function deposit(ctx: Context, operation: OperationIn<'receive', 'signed'>): Promise<void> {
  return settleRound(ctx, operation, payeeRole(operation), {
    settled: (ready, signatures) => finishReceive(ctx, ready, signatures, ready.handoverHash),
    sadly: (ready, kind, signatures) => endSadly(ctx, ready, kind, signatures),
  })
}

const payeeRole = ({ outputs }: Receive) => ({ kind: 'payee' as const, mine: new Set(outputs.map(({ B_ }) => B_)) })

type Sad = OperationIn<'receive', 'bounced' | 'dead' | 'replaced'>

/**
 * A sad end is looked at again, until the keyset expires: a mint may have erred. A bounced one is sent again, unless its
 * request was paid by another one since: nobody pays twice.
 */
async function lookAgain(ctx: Context, operation: Sad): Promise<void> {
  const look = operation.state === 'bounced' && !isClosed(ctx, operation.requestId) ? lookOrSettle : lookAt
  const outcome = await look(ctx, operation, payeeRole(operation))
  // Meanwhile the payment that signs it anew may have taken its place.
  const now = ctx.store.read.operation(operation.id)
  if (now?.kind !== 'receive' || now.state !== operation.state) return
  if (outcome.kind === 'settled') return finishReceive(ctx, operation, outcome.signatures, operation.handoverHash)
  if (operation.state === 'bounced' && hasPassedBefore(ctx, operation)) return endSadly(ctx, operation, 'bounced', [])
  return lookAgainLater(ctx, now, outcome)
}

/**
 * Bounced or dead. What was signed on our outputs all the same, with whatever amount, is ours and counted; of a dead one it
 * rests until a swap to ourselves has settled, because another life of this wallet may have been paid by it. Bounced
 * because what it signs anew has passed after all: it was paid once, and this one steps aside.
 */
async function endSadly(
  ctx: Context,
  operation: OperationIn<'receive', 'signed' | 'bounced'>,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): Promise<void> {
  const before: PassedBefore = kind === 'dead' ? { kind: 'none' } : await passedBefore(ctx, operation, payeeRole)
  if (before.kind === 'unknown')
    return retry(ctx, operation, 'the mint does not say what became of the first signature')
  const coins = coinsFrom(ctx, signatures, operation)
  const next = { reading: null, ...due(ctx, lookAgainPause(ctx, operation)) }
  ctx.store.transaction((write) => {
    write.insertCoins(kind === 'dead' ? coins.map(atRest) : coins)
    if (before.kind === 'none') write.updateOperation({ ...operation, state: kind, ...next })
    else write.updateOperation({ ...operation, state: 'replaced', replacedBy: before.id, ...next })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
  if (before.kind === 'passed') lookSoon(ctx, before.id)
}
