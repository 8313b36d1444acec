// Deposit: the payee settles what it accepted, and asks about what never reached it. The runner's steps of a receive.

import type { Context } from './context.ts'
import type { Operation, OperationIn } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import { due, ended, lookAgainPause, lookAt, lookOrSettle, retry, save, settleRound } from './progress.ts'
import { finishReceive, identityOf, type Receive } from './received.ts'
import { findSignatures, type VerifiedSignature } from './settle.ts'

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
  if (found.kind === 'unknown') return retry(ctx, operation, found.reason, found.retryAfterMs)
  const signatures = new Map(found.value.flatMap((signature) => (signature ? [[signature.B_, signature]] : [])))
  noteAnswer(ctx, operation, signatures)
  for (const { id } of asked.slice(1)) {
    const beside = ctx.store.read.operation(id)
    // One that is being stepped asks for itself; to wait for it here could be to wait for each other.
    if (isAsking(beside) && !ctx.isLocked(id)) noteAnswer(ctx, beside, signatures)
  }
}

/** Other Terms of this mint that are due, as many as one question holds. */
function dueBeside(ctx: Context, { id, account, outputs }: Asking): readonly Asking[] {
  let room = maxOutputsAsked - outputs.length
  return ctx.store.read.dueOperations(ctx.clock.now(), maxOutputsAsked).filter((other): other is Asking => {
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
  if (isSettled) {
    finishReceive(ctx, operation, signatures, null)
    return
  }
  const now = ctx.clock.now()
  const isOver = now > deadline * 1000 + askAfterDeadlineMs
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    // A refusal stays what it is: the same handover gets the same answer for ever.
    if (!isOver) write.updateOperation({ ...operation, ...due(ctx, now > deadline * 1000 ? dayMs : hourMs) })
    else if (operation.state === 'refused') write.updateOperation({ ...operation, ...ended(ctx) })
    else write.updateOperation({ ...identityOf(operation), state: 'expired', ...ended(ctx) })
  })
}

/** Settle as payee: the swap is sent until the facts end it. */
function deposit(ctx: Context, operation: OperationIn<'receive', 'signed'>): Promise<void> {
  return settleRound(ctx, operation, payeeRole(operation), {
    settled: (ready, signatures) => finishReceive(ctx, ready, signatures, ready.handoverHash),
    sadly: (ready, kind, signatures) => endSadly(ctx, ready, kind, signatures),
  })
}

const payeeRole = ({ outputs }: Receive) => ({ kind: 'payee' as const, mine: new Set(outputs.map(({ B_ }) => B_)) })

/** A sad end is looked at again, until the keyset expires: a mint may have erred. */
async function lookAgain(ctx: Context, operation: OperationIn<'receive', 'bounced' | 'dead'>): Promise<void> {
  const look = operation.state === 'bounced' ? lookOrSettle : lookAt
  const outcome = await look(ctx, operation, payeeRole(operation))
  if (outcome.kind === 'settled') return finishReceive(ctx, operation, outcome.signatures, operation.handoverHash)
  return save(ctx, {
    ...operation,
    ...(outcome.kind === 'expired' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))),
  })
}

/** Bounced or dead. What was signed on our outputs all the same, with whatever amount, is ours and counted. */
function endSadly(
  ctx: Context,
  operation: OperationIn<'receive', 'signed'>,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const next = due(ctx, lookAgainPause(ctx, operation))
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, state: kind, ...next, reading: null })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}
