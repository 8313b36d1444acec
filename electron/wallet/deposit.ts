// Deposit: the payee settles what it accepted, and asks about what never reached it. The runner's steps of a receive.

import type { Context } from './context.ts'
import type { OperationIn } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import { due, ended, lookAt, retry, save, settleRound } from './progress.ts'
import { finishReceive, identityOf, type Receive } from './received.ts'
import { findSignatures, type VerifiedSignature } from './settle.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Terms whose handover never came, and bounced payments, are asked about this long after their deadline. */
const askAfterDeadlineMs = 30 * dayMs

/** One step: settle a signed handover, or ask whether the payer settled what never reached us. */
export async function stepReceive(ctx: Context, operation: Receive): Promise<void> {
  switch (operation.state) {
    case 'terms':
    case 'refused':
      return askAboutTerms(ctx, operation)
    case 'signed':
      return deposit(ctx, operation)
    case 'bounced':
      return lookAgain(ctx, operation)
    case 'dead':
    case 'final':
    case 'expired':
      return
  }
}

/** A payer who settled and lost the connection has paid: NUT-09 tells (protocol section 8). */
async function askAboutTerms(ctx: Context, operation: OperationIn<'receive', 'terms' | 'refused'>): Promise<void> {
  const { account, unit, outputs, deadline } = operation
  const keyset = keysetOf(ctx.store, account)
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset }, outputs)
  if (found.kind !== 'ok') return retry(ctx, operation, found.kind === 'unknown' ? found.reason : found.detail)
  const signatures = found.value.flatMap((signature) => signature ?? [])
  const isSettled = found.value.every(
    (signature, index) =>
      signature !== undefined &&
      signature.amount === outputs[index]?.amount &&
      keyset(signature.keysetId)?.unit === unit,
  )
  if (isSettled) return finishReceive(ctx, operation, signatures, null)
  const now = ctx.clock.now()
  const isOver = now > deadline * 1000 + askAfterDeadlineMs
  const next = { ...operation, ...due(ctx, now > deadline * 1000 ? dayMs : hourMs) }
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation(isOver ? { ...identityOf(operation), state: 'expired', ...ended(ctx) } : next)
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

/** A bounced payment is looked at again: a mint that lied, or was restored from an old copy, may come to its senses. */
async function lookAgain(ctx: Context, operation: OperationIn<'receive', 'bounced'>): Promise<void> {
  const outcome = await lookAt(ctx, operation, payeeRole(operation))
  if (outcome.kind === 'settled') return finishReceive(ctx, operation, outcome.signatures, operation.handoverHash)
  const isOver = ctx.clock.now() > operation.deadline * 1000 + askAfterDeadlineMs
  return save(ctx, { ...operation, ...(isOver ? ended(ctx) : due(ctx, dayMs)) })
}

/** Bounced or dead. What was signed on our outputs all the same, with whatever amount, is ours and counted. */
function endSadly(
  ctx: Context,
  operation: OperationIn<'receive', 'signed'>,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const { withheld: _withheld, ...rest } = operation
  const next = kind === 'bounced' ? due(ctx, dayMs) : ended(ctx)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...rest, state: kind, ...next, reading: null })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}
