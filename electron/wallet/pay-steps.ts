// The runner's steps of a payment on the payer's side, once it was confirmed. Settle first when the mint can be reached;
// otherwise hand over the same signed swap and settle later. Decided by facts (settle.ts), safe to repeat at any line.
// Transactions: P4 exact request stored, before it is sent · P5 "handed over" stored, before the frame leaves · P6 the
// payee's answer stored · P7 inputs spent, change stored, settled.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sameBytes } from '../../shared/cbor.ts'
import { AppError } from '../../shared/errors.ts'
import { decodeBody, type Terms, termsSchema } from '../../shared/messages.ts'
import { type Context, randomBetween, unixNow } from './context.ts'
import { buildSettledHandover } from './handover.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import { abandonPay, type OpenSessions } from './pay.ts'
import { agree, deliver, hashOfTerms, type PayeeAnswer } from './payee-talk.ts'
import {
  conclude,
  due,
  type Ends,
  ended,
  lookAt,
  retry,
  save,
  settleRound,
  stamp,
  trySettle,
  withAttempt,
} from './progress.ts'
import type { Outcome, VerifiedSignature } from './settle.ts'

type Pay = OperationOf<'pay'>
/** Confirmed: there is a signed swap. */
type Signed = Extract<Pay, { swap: unknown }>
type In<S extends Signed['state']> = OperationIn<'pay', S>

const dayMs = 24 * 3_600_000
/** A settled payment whose payee was never reached again is left to the payee's own questions after this long. */
const deliverAfterDeadlineMs = 30 * dayMs
const owner = { kind: 'owner' as const }

/** One step: whatever the state asks for. */
export async function stepPay(ctx: Context, sessions: OpenSessions, operation: Pay): Promise<void> {
  switch (operation.state) {
    case 'asking':
    case 'agreed':
      return abandon(ctx, sessions, operation)
    case 'settling':
      return settleFirst(ctx, sessions, operation)
    case 'handing_over':
      return handOver(ctx, sessions, operation)
    case 'signed':
      return settleLater(ctx, operation)
    case 'settled':
      return deliverSettled(ctx, sessions, operation)
    case 'voided':
      return watch(ctx, operation)
    case 'reclaiming':
      return followReclaim(ctx, operation)
    case 'abandoned':
    case 'final':
    case 'bounced':
    case 'dead':
    case 'reclaimed':
      return
  }
}

/** Nobody confirmed in time, or the program stopped in between: nothing was given, nothing is owed. */
async function abandon(ctx: Context, sessions: OpenSessions, { id }: Pay): Promise<void> {
  await closeSession(sessions, id)
  abandonPay(ctx, id, 'not confirmed')
}

async function closeSession(sessions: OpenSessions, id: string): Promise<void> {
  const open = sessions.get(id)
  sessions.delete(id)
  await open?.session.close()
}

/** The payer is online: the mint first. What it does not answer in time is handed over, the very same swap. */
async function settleFirst(ctx: Context, sessions: OpenSessions, operation: In<'settling'>): Promise<void> {
  const { account } = operation
  const isOfflineCapable = ctx.store.read.mint(account)?.offlineCapable === true
  const verifiable = new Set(termsOf(operation).keysetIds.map(bytesToHex))
  const ready = withAttempt(ctx, operation, verifiable)
  if (ready) {
    const outcome = await inTime(ctx, trySettle(ctx, ready, owner))
    const isOpen = outcome.kind === 'unknown' || outcome.kind === 'refused'
    if (!isOpen || !isOfflineCapable) return conclude(ctx, ready, outcome, unreceiptedEnds(ctx, sessions))
  } else if (!isOfflineCapable) {
    await ctx.mints.sync(account)
    return retry(ctx, operation, 'no keyset that the payee can verify')
  }
  const next: In<'handing_over'> = { ...(ready ?? operation), state: 'handing_over', ...due(ctx, 0) }
  save(ctx, next)
  return handOver(ctx, sessions, next)
}

/** A mint that is slow is as good as away: the handover goes out, the answer is looked up later. */
async function inTime(ctx: Context, outcome: Promise<Outcome>): Promise<Outcome> {
  const late: Outcome = { kind: 'unknown', reason: 'the mint is slow', reachable: false, pending: false }
  return Promise.race([outcome, ctx.clock.wait(ctx.config.settleFirstMs).then(() => late)])
}

const termsOf = ({ terms }: Signed): Terms => decodeBody(termsSchema, hexToBytes(terms.body))

/** Hand over signed; the same frame until the payee has answered. Without an answer, look whether it was settled. */
async function handOver(ctx: Context, sessions: OpenSessions, before: In<'handing_over'>): Promise<void> {
  const operation: In<'handing_over'> = { ...before, handedOver: true, ...due(ctx, 0) }
  if (!before.handedOver) handOut(ctx, operation)
  const answer = await send(ctx, sessions, operation, hexToBytes(operation.handover))
  switch (answer.kind) {
    case 'receipt': {
      const delay = answer.receipt.grade === 'final' ? 0 : randomBetween(ctx.random, ctx.config.settleDelayMs)
      const receipt = { body: bytesToHex(answer.signed.body), sig: bytesToHex(answer.signed.sig) }
      const settleAt = ctx.clock.now() + delay
      const grade = answer.receipt.grade
      const answered = { receipt, grade, settleAt, answeredInMs: answer.inMs }
      save(ctx, { ...operation, state: 'signed', ...answered, ...stamp(ctx), nextAttemptAt: settleAt })
      ctx.wake()
      return
    }
    case 'void': {
      const refusal = { body: bytesToHex(answer.signed.body), sig: bytesToHex(answer.signed.sig) }
      return save(ctx, { ...operation, state: 'voided', refusal, ...due(ctx, 0), lastError: answer.code })
    }
    case 'no_answer': {
      const outcome = ctx.mints.reachability(operation.account).reachable ? await lookAt(ctx, operation, owner) : null
      if (outcome?.kind === 'settled' || outcome?.kind === 'bounced') {
        return conclude(ctx, operation, outcome, unreceiptedEnds(ctx, sessions))
      }
      return retry(ctx, operation, answer.reason)
    }
  }
}

/** P5 */
function handOut(ctx: Context, operation: In<'handing_over'>): void {
  ctx.store.transaction((write) => {
    write.updateOperation(operation)
    write.moveCoins(inputYs(operation), ['reserved', 'handed_over'], 'handed_over', operation.id)
  })
  ctx.emit({ kind: 'operation', id: operation.id })
}

const inputYs = ({ swap }: Signed) => swap.inputs.map(({ Y }) => Y)

/** Send a frame on the stream that is still open, or on a new one after the same Hello and the same Terms. */
async function send(ctx: Context, sessions: OpenSessions, operation: Signed, frame: Uint8Array): Promise<PayeeAnswer> {
  const terms = termsOf(operation)
  const expected = {
    terms,
    termsHash: hexToBytes(hashOfTerms(operation.terms.body)),
    swapDigest: hexToBytes(operation.swap.digest),
  }
  const open = sessions.get(operation.id)
  sessions.delete(operation.id)
  if (open) {
    const answer = await deliver(ctx, open.session, frame, expected)
    await open.session.close()
    if (answer.kind !== 'no_answer') return answer
  }
  try {
    const { session, signed } = await agree(ctx, operation)
    const isSame = sameBytes(signed.body, hexToBytes(operation.terms.body))
    const answer: PayeeAnswer = isSame
      ? await deliver(ctx, session, frame, expected)
      : { kind: 'no_answer', reason: 'other Terms than before' }
    await session.close()
    return answer
  } catch (error) {
    if (error instanceof AppError) return { kind: 'no_answer', reason: error.code }
    throw error
  }
}

/** Signed and receipted: settle after the delay, or as soon as the payee says it is final, to have the change. */
async function settleLater(ctx: Context, operation: In<'signed'>): Promise<void> {
  const { settleAt, grade } = operation
  if (grade === 'signed' && settleAt !== null && settleAt > ctx.clock.now()) {
    return save(ctx, { ...operation, ...stamp(ctx), nextAttemptAt: settleAt })
  }
  return settleRound(ctx, operation, owner, receiptedEnds(ctx))
}

/** With the receipt in hand nothing is left to tell the payee. */
const receiptedEnds = (ctx: Context): Ends<In<'signed' | 'voided' | 'reclaiming'>> => ({
  settled: (operation, signatures) => finishReceipted(ctx, operation, signatures),
  sadly: (operation, kind, signatures) => sadly(ctx, operation, kind, signatures),
})

/** Without one the mint's signatures on the payee's outputs are handed over. */
const unreceiptedEnds = (ctx: Context, sessions: OpenSessions): Ends<In<'settling' | 'handing_over'>> => ({
  settled: (operation, signatures) => finish(ctx, sessions, operation, signatures),
  sadly: (operation, kind, signatures) => sadly(ctx, operation, kind, signatures),
})

/** P7 with the receipt in hand: nothing is left to tell the payee. */
function finishReceipted(
  ctx: Context,
  operation: In<'signed' | 'voided' | 'reclaiming'>,
  signatures: readonly VerifiedSignature[],
): void {
  store(ctx, operation, signatures, {
    ...operation,
    state: 'final',
    grade: 'final',
    settledHandover: null,
    ...ended(ctx),
  })
}

/** P7 without a receipt: the mint's signatures on the payee's outputs are the payment now, and are handed over. */
async function finish(
  ctx: Context,
  sessions: OpenSessions,
  operation: In<'settling' | 'handing_over'>,
  signatures: readonly VerifiedSignature[],
): Promise<void> {
  const keyset = keysetOf(ctx.store, operation.account)
  const forPayee = termsOf(operation).outputs.map(([, B_]) => {
    const signature = signatures.find((candidate) => candidate.B_ === bytesToHex(B_))
    const idV2 = signature && keyset(signature.keysetId)?.idV2
    if (!signature || !idV2) throw new AppError('internal', 'settled without the payee’s signatures')
    return { ...signature, idV2 }
  })
  const frame = buildSettledHandover(hexToBytes(hashOfTerms(operation.terms.body)), forPayee)
  const next: In<'settled'> = { ...operation, state: 'settled', settledHandover: bytesToHex(frame), ...due(ctx, 0) }
  store(ctx, operation, signatures, next)
  return deliverSettled(ctx, sessions, next)
}

/** Inputs spent, change ours, state advanced: one transaction. */
function store(ctx: Context, operation: Signed, signatures: readonly VerifiedSignature[], next: Pay): void {
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.moveCoins(inputYs(operation), ['reserved', 'handed_over', 'spent'], 'spent', operation.id)
    write.updateOperation(next)
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}

/** The money is the payee's; it only has to be told. It also finds out by itself (NUT-09), so this may end untold. */
async function deliverSettled(ctx: Context, sessions: OpenSessions, operation: In<'settled'>): Promise<void> {
  const answer = await send(ctx, sessions, operation, hexToBytes(operation.settledHandover))
  if (answer.kind === 'receipt' && answer.receipt.grade === 'final') {
    const receipt = { body: bytesToHex(answer.signed.body), sig: bytesToHex(answer.signed.sig) }
    return save(ctx, {
      ...operation,
      state: 'final',
      receipt,
      grade: 'final',
      answeredInMs: answer.inMs,
      ...ended(ctx),
    })
  }
  if (unixNow(ctx.clock) * 1000 > operation.deadline * 1000 + deliverAfterDeadlineMs) {
    return save(ctx, { ...operation, state: 'final', grade: 'final', ...ended(ctx) })
  }
  return retry(ctx, operation, answer.kind === 'no_answer' ? answer.reason : 'the payee does not take what is its own')
}

/** A void frees no coin: the payee could still settle. Looked at now and then until a person takes the coins back. */
async function watch(ctx: Context, operation: In<'voided'>): Promise<void> {
  const outcome = await lookAt(ctx, operation, owner)
  if (outcome.kind !== 'refused' && outcome.kind !== 'expired') {
    return conclude(ctx, operation, outcome, receiptedEnds(ctx))
  }
  return save(ctx, { ...operation, ...due(ctx, dayMs), lastError: operation.lastError })
}

/** The reclaim is an operation of its own; when it has ended, the facts say how this payment ended. */
async function followReclaim(ctx: Context, operation: In<'reclaiming'>): Promise<void> {
  const reclaim = operation.reclaim === null ? undefined : ctx.store.read.operation(operation.reclaim)
  if (reclaim?.state === 'done') return save(ctx, { ...operation, state: 'reclaimed', ...ended(ctx) })
  if (reclaim?.state !== 'lost') return save(ctx, { ...operation, ...due(ctx, dayMs) })
  const outcome = await lookAt(ctx, operation, owner)
  return conclude(ctx, operation, outcome, receiptedEnds(ctx))
}

/** Confirmed: the coins are gone (bounced), or the swap can never pass (dead; the coins await a reclaim). */
function sadly(
  ctx: Context,
  operation: In<'settling' | 'handing_over' | 'signed' | 'voided' | 'reclaiming'>,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): void {
  if (kind === 'bounced') {
    store(ctx, operation, signatures, { ...operation, state: 'bounced', ...ended(ctx) })
    return
  }
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, state: 'dead', ...ended(ctx) })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
}
