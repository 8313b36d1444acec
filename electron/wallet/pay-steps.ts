// The runner's steps of a payment on the payer's side, once it was confirmed. Settle first when the mint can be reached;
// otherwise hand over the same signed swap and settle later. Decided by facts (settle.ts), safe to repeat at any line.
// Transactions: P4 exact request stored, before it is sent · P5 "handed over" stored, before the frame leaves · P6 the
// payee's answer stored · P7 inputs spent, change stored, settled.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { AppError } from '../../shared/errors.ts'
import { decodeBody, type Terms, termsSchema } from '../../shared/messages.ts'
import { type Context, randomBetween, unixNow } from './context.ts'
import { buildSettledHandover } from './handover.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, keysetOf } from './own-coins.ts'
import { abandonPay, expiresSoonSeconds, type OpenSessions } from './pay.ts'
import { agree, deliver, hashOfTerms, type PayeeAnswer } from './payee-talk.ts'
import {
  conclude,
  due,
  type Ends,
  ended,
  lookAgainPause,
  lookAt,
  lookOrSettle,
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
      return settleLater(ctx, sessions, operation)
    case 'settled':
      return deliverSettled(ctx, sessions, operation)
    case 'voided':
      return watch(ctx, sessions, operation)
    case 'reclaiming':
      return followReclaim(ctx, sessions, operation)
    case 'bounced':
    case 'dead':
      return lookAgain(ctx, sessions, operation)
    case 'abandoned':
    case 'final':
    case 'reclaimed':
      return
  }
}

/** Nobody confirmed in time, or the program stopped in between: nothing was given, nothing is owed. */
async function abandon(ctx: Context, sessions: OpenSessions, { id }: Pay): Promise<void> {
  await closeSession(sessions, id)
  abandonPay(ctx, id, 'not confirmed')
}

/** The stream of a payment that a person looked at, if it is still open. */
export async function closeSession(sessions: OpenSessions, id: string): Promise<void> {
  const open = sessions.get(id)
  sessions.delete(id)
  await open?.session.close()
}

/** The payer is online: the mint first. What it does not answer in time is handed over, the very same swap. */
async function settleFirst(ctx: Context, sessions: OpenSessions, operation: In<'settling'>): Promise<void> {
  const { account } = operation
  const isOfflineCapable = ctx.store.read.mint(account)?.offlineCapable === true
  const ready = withAttempt(ctx, operation, verifiableKeysets(ctx, operation))
  if (ready) {
    const outcome = await inTime(ctx, trySettle(ctx, ready, owner))
    const isOpen = outcome.kind === 'unknown' || outcome.kind === 'refused'
    if (!isOpen || !isOfflineCapable) return conclude(ctx, ready, outcome, endsOf(ctx, sessions))
  } else if (!isOfflineCapable) {
    await ctx.mints.sync(account)
    return conclude(ctx, operation, await lookAt(ctx, operation, owner), endsOf(ctx, sessions))
  }
  // Attempts are kept: where neither mint nor payee does its part, both are asked less and less often.
  const next: In<'handing_over'> = { ...(ready ?? operation), state: 'handing_over', nextAttemptAt: ctx.clock.now() }
  save(ctx, next)
  return handOver(ctx, sessions, next)
}

/** Keysets of the Terms, but for those that end so soon that the payee would refuse their signatures. */
function verifiableKeysets(ctx: Context, operation: Signed): ReadonlySet<string> {
  const soon = unixNow(ctx.clock) + expiresSoonSeconds
  const lasting = ctx.store.read
    .keysets(operation.account)
    .filter(({ finalExpiry }) => (finalExpiry ?? Number.POSITIVE_INFINITY) > soon)
  const own = new Set(lasting.map(({ idV2 }) => idV2))
  return new Set(
    termsOf(operation)
      .keysetIds.map(bytesToHex)
      .filter((idV2) => own.has(idV2)),
  )
}

/** A mint that is slow is as good as away: the handover goes out, the answer is looked up later. */
async function inTime(ctx: Context, outcome: Promise<Outcome>): Promise<Outcome> {
  const late: Outcome = { kind: 'unknown', reason: 'the mint is slow', reachable: false, pending: false }
  return Promise.race([outcome, ctx.clock.wait(ctx.config.settleFirstMs).then(() => late)])
}

const termsOf = ({ terms }: Signed): Terms => decodeBody(termsSchema, hexToBytes(terms.body))

/** Hand over signed; the same frame until the payee has answered. Without an answer, look whether it was settled. */
async function handOver(ctx: Context, sessions: OpenSessions, before: In<'handing_over'>): Promise<void> {
  const answer = await send(ctx, sessions, before, hexToBytes(before.handover), () => handOut(ctx, before))
  const operation: In<'handing_over'> = { ...before, handedOver: before.handedOver || answer.wasSent }
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
      const isReachable = ctx.mints.reachability(operation.account).reachable
      const outcome = isReachable ? await lookAt(ctx, operation, owner) : null
      if (outcome?.kind === 'settled' || outcome?.kind === 'bounced' || outcome?.kind === 'dead') {
        return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
      }
      // It never left: the mint first, as if it had been there from the start.
      const state = isReachable && !operation.handedOver ? 'settling' : 'handing_over'
      return retry(ctx, { ...operation, state }, answer.reason)
    }
  }
}

/** P5: before the first byte of the handover goes out. */
function handOut(ctx: Context, before: In<'handing_over'>): void {
  if (before.handedOver) return
  ctx.store.transaction((write) => {
    write.updateOperation({ ...before, handedOver: true, ...due(ctx, 0) })
    write.moveCoins(inputYs(before), ['reserved', 'handed_over'], 'handed_over', before.id)
  })
  ctx.emit({ kind: 'operation', id: before.id })
}

const inputYs = ({ swap }: Signed) => swap.inputs.map(({ Y }) => Y)

type Sent = PayeeAnswer & { readonly wasSent: boolean }

/**
 * Send a frame on the stream that is still open, or on a new one after the same Hello and the same Terms.
 * @param beforeSending runs when a stream stands and nothing has gone out on it yet
 */
async function send(
  ctx: Context,
  sessions: OpenSessions,
  operation: Signed,
  frame: Uint8Array,
  beforeSending: () => void,
): Promise<Sent> {
  const expected = {
    terms: termsOf(operation),
    termsHash: hexToBytes(hashOfTerms(operation.terms.body)),
    swapDigest: hexToBytes(operation.swap.digest),
  }
  const open = sessions.get(operation.id)
  sessions.delete(operation.id)
  let wasSent = false
  if (open) {
    beforeSending()
    wasSent = true
    const answer = await deliver(ctx, open.session, frame, expected)
    await open.session.close()
    if (answer.kind !== 'no_answer') return { ...answer, wasSent }
  }
  try {
    const { session } = await agree(ctx, operation)
    if (!wasSent) beforeSending()
    wasSent = true
    const answer = await deliver(ctx, session, frame, expected)
    await session.close()
    return { ...answer, wasSent }
  } catch (error) {
    if (error instanceof AppError) return { kind: 'no_answer', reason: error.code, wasSent }
    throw error
  }
}

/** Signed and receipted: settle after the delay, or as soon as the payee says it is final, to have the change. */
async function settleLater(ctx: Context, sessions: OpenSessions, operation: In<'signed'>): Promise<void> {
  const { settleAt, grade } = operation
  // Further away than any delay: planned before the clock was set back.
  const isPlanned = settleAt !== null && settleAt <= ctx.clock.now() + ctx.config.settleDelayMs[1]
  if (grade === 'signed' && isPlanned && settleAt > ctx.clock.now()) {
    return save(ctx, { ...operation, ...stamp(ctx), nextAttemptAt: settleAt })
  }
  return settleRound(ctx, operation, owner, endsOf(ctx, sessions))
}

type Unsettled = In<'settling' | 'handing_over' | 'signed' | 'voided' | 'reclaiming' | 'bounced' | 'dead'>

/** Settled: with a receipt in hand nothing is left to tell the payee; without, the mint's signatures are handed over. */
const endsOf = (ctx: Context, sessions: OpenSessions): Ends<Unsettled> => ({
  settled: (operation, signatures) =>
    // In 'signed' a person has said that it was delivered, if there is no receipt.
    operation.receipt === null && operation.state !== 'signed'
      ? finish(ctx, sessions, operation, signatures)
      : finishReceipted(ctx, operation, signatures),
  sadly: (operation, kind, signatures) => sadly(ctx, operation, kind, signatures),
})

/** P7 with the receipt in hand: nothing is left to tell the payee. */
function finishReceipted(ctx: Context, operation: Unsettled, signatures: readonly VerifiedSignature[]): void {
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
  operation: Unsettled,
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
  const answer = await send(ctx, sessions, operation, hexToBytes(operation.settledHandover), () => {})
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
async function watch(ctx: Context, sessions: OpenSessions, operation: In<'voided'>): Promise<void> {
  const outcome = await lookAt(ctx, operation, owner)
  if (outcome.kind !== 'refused' && outcome.kind !== 'expired') {
    return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
  }
  return save(ctx, { ...operation, ...due(ctx, dayMs), lastError: operation.lastError })
}

/** The reclaim is an operation of its own; when it has ended, the facts say how this payment ended. */
async function followReclaim(ctx: Context, sessions: OpenSessions, operation: In<'reclaiming'>): Promise<void> {
  const reclaim = operation.reclaim === null ? undefined : ctx.store.read.operation(operation.reclaim)
  if (reclaim?.state === 'done') return save(ctx, { ...operation, state: 'reclaimed', ...ended(ctx) })
  if (reclaim?.state !== 'lost') return save(ctx, { ...operation, ...due(ctx, dayMs) })
  const outcome = await lookAt(ctx, operation, owner)
  return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
}

/**
 * A mint may have erred: a sad end is looked at again until the keyset expires. A bounced payment whose coins turn out
 * unspent is sent again, unless a person has begun to take them back.
 */
async function lookAgain(ctx: Context, sessions: OpenSessions, operation: In<'bounced' | 'dead'>): Promise<void> {
  const mayBeSent = operation.state === 'bounced' && operation.reclaim === null
  const outcome = mayBeSent ? await lookOrSettle(ctx, operation, owner) : await lookAt(ctx, operation, owner)
  if (outcome.kind === 'settled') return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
  return save(ctx, {
    ...operation,
    ...(outcome.kind === 'expired' ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))),
  })
}

/** Confirmed: the coins are gone (bounced), or the swap can never pass (dead; the coins await a reclaim). */
function sadly(
  ctx: Context,
  operation: Unsettled,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): void {
  if (kind === 'bounced') {
    const next = due(ctx, lookAgainPause(ctx, operation))
    store(ctx, operation, signatures, { ...operation, state: 'bounced', ...next, reading: null })
    return
  }
  const coins = coinsFrom(ctx, signatures, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, state: 'dead', ...due(ctx, lookAgainPause(ctx, operation)), reading: null })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
}
