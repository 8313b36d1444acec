// The runner's steps of a payment on the payer's side, once it was confirmed. Settle first when the mint can be reached;
// otherwise hand over the same signed swap and settle later. Decided by facts (settle.ts), safe to repeat at any line.
// Transactions: P4 exact request stored, before it is sent · P5 "handed over" stored, before the frame leaves · P6 the
// payee's answer stored · P7 inputs spent, change stored, settled.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import { decodeBody, type Terms, termsSchema } from '../../shared/messages.ts'
import { type Context, randomBetween, unixNow } from './context.ts'
import { buildSettledHandover } from './handover.ts'
import { hasItsCoins } from './held-back.ts'
import type { Operation, OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, isExpired, keysetOf, markSpent, tiedTo } from './own-coins.ts'
import { abandonPay, closeSession, type OpenSessions, wasPaidAnew } from './pay.ts'
import { agree, deliver, hashOfTerms, type PayeeAnswer } from './payee-talk.ts'
import {
  conclude,
  due,
  type Ends,
  ended,
  lookAgainLater,
  lookAgainPause,
  lookAt,
  lookSoon,
  retry,
  save,
  settleRound,
  stamp,
  trySettle,
  withAttempt,
} from './progress.ts'
import { hasPassedBefore, passedBefore, spentAfter } from './replaced.ts'
import { mayBeReplaced, startReplacement, stepReplacement } from './replacement.ts'
import { expiresSoonSeconds, type Outcome, type VerifiedSignature } from './settle.ts'
import type { Coin } from './store-port.ts'

type Pay = OperationOf<'pay'>
/** Confirmed: there is a signed swap. */
type Signed = Extract<Pay, { swap: unknown }>
type In<S extends Signed['state']> = OperationIn<'pay', S>

const dayMs = 24 * 3_600_000
/**
 * A settled payment whose payee was never reached again is left to the payee's own questions after this long: from the
 * deadline, or from when it was settled, if that was later, because the payee asks no more by then.
 */
const deliverMs = 30 * dayMs
const owner = { kind: 'owner' as const }

/** One step: whatever the state asks for. */
export async function stepPay(ctx: Context, sessions: OpenSessions, operation: Pay): Promise<void> {
  if (isUnsettled(operation) && hasPassedBefore(ctx, operation)) return standAside(ctx, sessions, operation)
  switch (operation.state) {
    case 'asking':
    case 'agreed':
      return operation.replaces === null ? abandon(ctx, sessions, operation) : stepReplacement(ctx, sessions, operation)
    case 'settling':
      return isTooLate(ctx, operation) ? waitForPerson(ctx, sessions, operation) : settleFirst(ctx, sessions, operation)
    case 'handing_over':
      if (isTooLate(ctx, operation)) return waitForPerson(ctx, sessions, operation)
      return mayShowInputs(ctx, operation)
        ? handOver(ctx, sessions, operation)
        : settleInstead(ctx, sessions, operation)
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
    case 'replaced':
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

/** The deadline came before anything was given: whoever was to be paid counts on it no more. */
const isTooLate = ({ clock }: Context, { handedOver, deadline }: Signed): boolean =>
  !handedOver && deadline * 1000 < clock.now()

/**
 * Too late to be sent by itself: a person takes it back, which needs no warning any more. Until then the mint is asked, as
 * the swap may have left and its answer been lost.
 */
async function waitForPerson(
  ctx: Context,
  sessions: OpenSessions,
  operation: In<'settling' | 'handing_over'>,
): Promise<void> {
  const outcome = await lookAt(ctx, operation, owner)
  if (outcome.kind !== 'refused') return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
  const late: ErrorCode = 'terms_expired'
  return save(ctx, { ...operation, reading: null, pendingSince: null, ...due(ctx, dayMs), lastError: late })
}

/** The payer is online: the mint first. What it does not answer in time is handed over, the very same swap. */
async function settleFirst(ctx: Context, sessions: OpenSessions, operation: In<'settling'>): Promise<void> {
  const { account } = operation
  const isOfflineCapable = ctx.store.read.mint(account)?.offlineCapable === true
  const lasting = lastingKeysets(ctx, operation)
  // Where the inputs may not be shown there is no other way: the payee fetches a keyset that is newer than its Terms.
  const ready =
    withAttempt(ctx, operation, inTerms(operation, lasting)) ??
    (isOfflineCapable ? undefined : withAttempt(ctx, operation, lasting))
  let { refusedSince, reading } = operation
  let mintWaitMs = 0
  if (ready) {
    const outcome = await inTime(ctx, trySettle(ctx, ready, owner))
    const isOpen = outcome.kind === 'unknown' || outcome.kind === 'refused'
    if (!isOpen || !isOfflineCapable) return conclude(ctx, ready, outcome, endsOf(ctx, sessions))
    if (outcome.kind === 'refused') refusedSince ??= ctx.clock.now()
    else mintWaitMs = outcome.retryAfterMs ?? 0
    if (isContrary(outcome)) reading = null
  } else if (!isOfflineCapable) {
    await ctx.mints.sync(account)
    return conclude(ctx, operation, await lookAt(ctx, operation, owner), endsOf(ctx, sessions))
  }
  // Attempts are kept: where neither mint nor payee does its part, both are asked less and less often.
  const nextAttemptAt = ctx.clock.now()
  const noted = { refusedSince, reading, nextAttemptAt }
  const next: In<'handing_over'> = { ...(ready ?? operation), state: 'handing_over', ...noted }
  save(ctx, next)
  return handOver(ctx, sessions, next, mintWaitMs)
}

/** Whether the facts say something else than a sad reading: what was read before does not count any more. */
const isContrary = (outcome: Outcome): boolean =>
  outcome.kind === 'refused' || outcome.kind === 'expired' || (outcome.kind === 'unknown' && outcome.isUnspent === true)

/** A payee never sees inputs of a mint that is online only; those that have left are with this one already. */
const mayShowInputs = (ctx: Context, { account, handedOver }: In<'handing_over'>): boolean =>
  handedOver || ctx.store.read.mint(account)?.offlineCapable === true

/** The mint was trusted with signed handovers when this one was confirmed, and is no more. */
function settleInstead(ctx: Context, sessions: OpenSessions, operation: In<'handing_over'>): Promise<void> {
  const settling: In<'settling'> = { ...operation, state: 'settling' }
  save(ctx, settling)
  return settleFirst(ctx, sessions, settling)
}

/** V2 ids of keysets but for those that end so soon that the payee would refuse their signatures. */
function lastingKeysets(ctx: Context, { account }: Signed): ReadonlySet<string> {
  const soon = unixNow(ctx.clock) + expiresSoonSeconds
  const lasting = ctx.store.read
    .keysets(account)
    .filter(({ finalExpiry }) => (finalExpiry ?? Number.POSITIVE_INFINITY) > soon)
  return new Set(lasting.map(({ idV2 }) => idV2))
}

/** Those of them that the payee knew when it gave its Terms. */
const inTerms = (operation: Signed, among: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    termsOf(operation)
      .keysetIds.map(bytesToHex)
      .filter((idV2) => among.has(idV2)),
  )

/** A mint that is slow is as good as away: the handover goes out, the answer is looked up later. */
async function inTime(ctx: Context, outcome: Promise<Outcome>): Promise<Outcome> {
  const late: Outcome = { kind: 'unknown', reason: 'the mint is slow', reachable: false, pending: false }
  return Promise.race([outcome, ctx.clock.wait(ctx.config.settleFirstMs).then(() => late)])
}

const termsOf = ({ terms }: Signed): Terms => decodeBody(termsSchema, hexToBytes(terms.body))

/** Hand over signed; the same frame until the payee has answered. Without an answer, look whether it was settled. */
async function handOver(
  ctx: Context,
  sessions: OpenSessions,
  before: In<'handing_over'>,
  mintWaitMs = 0,
): Promise<void> {
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
      const outcome = isReachable && mintWaitMs === 0 ? await lookAt(ctx, operation, owner) : null
      if (outcome?.kind === 'settled' || outcome?.kind === 'bounced' || outcome?.kind === 'dead') {
        return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
      }
      // It never left: the mint first, as if it had been there from the start.
      const state = isReachable && !operation.handedOver ? 'settling' : 'handing_over'
      const waitMs = outcome?.kind === 'unknown' ? outcome.retryAfterMs : mintWaitMs
      const reading = outcome && isContrary(outcome) ? null : operation.reading
      return retry(ctx, { ...operation, state, reading }, answer.reason, waitMs)
    }
  }
}

/**
 * P5: before the first byte of the handover goes out.
 * @throws AppError `wrong_state` when its coins went to another operation meanwhile, with the file of another life;
 *   `online_only` when the mint became so meanwhile
 */
function handOut(ctx: Context, before: In<'handing_over'>): void {
  if (!mayShowInputs(ctx, before)) throw new AppError('online_only', 'the mint is not trusted with signed handovers')
  if (!hasItsCoins(ctx, before)) throw new AppError('wrong_state', 'the coins are tied to another payment')
  if (before.handedOver) return
  ctx.store.transaction((write) => {
    write.updateOperation({ ...before, handedOver: true, ...due(ctx, 0) })
    write.moveCoins(before.account, inputYs(before), ['reserved', 'handed_over'], 'handed_over', before.id)
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
  let wasSent = false
  try {
    if (open) {
      beforeSending()
      wasSent = true
      const answer = await deliver(ctx, open.session, frame, expected)
      if (answer.kind !== 'no_answer') return { ...answer, wasSent }
    }
    await closeSession(sessions, operation.id)
    const { session } = await agree(ctx, operation)
    if (!wasSent) beforeSending()
    wasSent = true
    const answer = await deliver(ctx, session, frame, expected)
    await session.close()
    return { ...answer, wasSent }
  } catch (error) {
    if (error instanceof AppError) return { kind: 'no_answer', reason: error.code, wasSent }
    throw error
  } finally {
    await closeSession(sessions, operation.id)
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

type Unsettled = In<'settling' | 'handing_over' | 'signed' | 'voided' | 'reclaiming' | SadState>
type SadState = 'bounced' | 'dead' | 'replaced'

const isSad = (operation: Pay): operation is In<SadState> =>
  operation.state === 'bounced' || operation.state === 'dead' || operation.state === 'replaced'

const isUnsettled = (operation: Pay): operation is Unsettled =>
  'swap' in operation && !['settled', 'final', 'reclaimed'].includes(operation.state)

/** Settled: with a receipt in hand nothing is left to tell the payee; without, the mint's signatures are handed over. */
const endsOf = (ctx: Context, sessions: OpenSessions): Ends<Unsettled> => ({
  settled: (operation, signatures) => {
    // It passed after all: what signed it anew has to know.
    if (operation.replacedBy !== null) lookSoon(ctx, operation.replacedBy)
    // In 'signed' a person has said that it was delivered, if there is no receipt.
    return operation.receipt === null && operation.state !== 'signed'
      ? finish(ctx, sessions, operation, signatures)
      : finishReceipted(ctx, operation, signatures)
  },
  sadly: async (operation, kind, signatures) => {
    // Nothing more is said on the stream that was kept for the handover.
    await closeSession(sessions, operation.id)
    return sadly(ctx, operation, kind, signatures)
  },
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

/** Inputs spent, change ours, state advanced: one transaction. `left`: those of its coins that nobody has spent; they stay tied to it. */
function store(
  ctx: Context,
  operation: Signed,
  signatures: readonly VerifiedSignature[],
  next: Pay,
  left: ReadonlySet<string> = new Set(),
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const gone = inputYs(operation).filter((Y) => !left.has(Y))
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    markSpent(write, operation.account, gone, operation.id)
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
  const settled = ctx.store.read.history(operation.id).findLast(({ state }) => state === 'settled')
  if (ctx.clock.now() > Math.max(operation.deadline * 1000, settled?.at ?? 0) + deliverMs) {
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
  return save(ctx, { ...operation, reading: null, ...due(ctx, dayMs), lastError: operation.lastError })
}

/** The swap that takes the coins back; nothing is known of one whose row cannot be read. */
function reclaimOf({ store }: Context, { reclaim }: { readonly reclaim: string | null }): Operation | undefined {
  const swap = reclaim === null ? undefined : store.read.other(reclaim)
  return swap === 'unreadable' ? undefined : swap
}

/** The reclaim is an operation of its own; when it has ended, the facts say how this payment ended. */
async function followReclaim(ctx: Context, sessions: OpenSessions, operation: In<'reclaiming'>): Promise<void> {
  const reclaim = reclaimOf(ctx, operation)
  const isOver = reclaim?.state === 'done' || reclaim?.state === 'lost'
  if (isOver && isBack(ctx, operation)) return endReclaimed(ctx, operation)
  if (reclaim?.state === 'done') {
    return save(ctx, { ...operation, state: 'bounced', reading: null, ...due(ctx, lookAgainPause(ctx, operation)) })
  }
  if (reclaim?.state !== 'lost') return save(ctx, { ...operation, ...due(ctx, dayMs) })
  const outcome = await lookAt(ctx, operation, owner)
  return conclude(ctx, operation, outcome, endsOf(ctx, sessions))
}

/**
 * All of its coins came back, by one reclaim or by several, but for those that no mint takes any more; not only what was
 * left of those of a bounced one: that has bounced all the same.
 */
function isBack(ctx: Context, { id, account, swap, reclaim }: Signed): boolean {
  if (reclaim === null) return false
  const done = ctx.store.read.operations({ kind: 'refresh', states: ['done'], account, isLenient: true })
  const reclaims = done.filter((one) => one.kind === 'refresh' && one.reclaims === id)
  const back = new Set(reclaims.flatMap((one) => ('swap' in one ? one.swap.inputs.map(({ Y }) => Y) : [])))
  const expired = new Set(expiredOf(ctx, id).map(({ Y }) => Y))
  return back.size > 0 && swap.inputs.every(({ Y }) => back.has(Y) || expired.has(Y))
}

/** Coins that it still holds and that have expired: a reclaim leaves them out. */
function expiredOf(ctx: Context, id: string): readonly Coin[] {
  return tiedTo(ctx, id).filter((coin) => isExpired(ctx, coin))
}

/**
 * A coin of its swap is gone to ourselves, so that it can never pass: what has expired rests, where it is counted as that. By
 * a clock that was wrong it has not: promised to the payee once, it comes back only through a swap to oneself.
 */
function endReclaimed(ctx: Context, operation: In<'reclaiming' | 'bounced'>): void {
  const { account, id } = operation
  const Ys = expiredOf(ctx, id).map(({ Y }) => Y)
  ctx.store.transaction((write) => {
    write.moveCoins(account, Ys, ['reserved', 'handed_over'], 'quarantined', null)
    write.updateOperation({ ...operation, state: 'reclaimed', ...ended(ctx) })
  })
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
}

/**
 * A mint may have erred: a sad end is looked at again until the keyset expires. A bounced payment whose coins turn out
 * unspent goes on, unless a person has begun to take them back, its request was paid by another one since, it never left
 * and is too late, or one of them is tied to something else: then a person may take back what is its own. A dead one that
 * still is dead is signed anew.
 */
async function lookAgain(ctx: Context, sessions: OpenSessions, operation: In<SadState>): Promise<void> {
  // It looked lost, and the coins came back all the same.
  if (operation.state === 'bounced' && isBack(ctx, operation)) return endReclaimed(ctx, operation)
  const outcome = await lookAt(ctx, operation, owner)
  // Meanwhile the payment that signs it anew may have taken its place.
  const now = ctx.store.read.operation(operation.id)
  if (now?.kind !== 'pay' || now.state !== operation.state) return
  if (outcome.kind === 'settled') return settleAfterAll(ctx, sessions, now, outcome)
  if (outcome.kind === 'dead' && mayBeReplaced(ctx, now)) return startReplacement(ctx, now)
  if (now.state === 'bounced' && outcome.kind === 'refused' && mayGoOn(ctx, now)) return goOn(ctx, now)
  if (now.state === 'bounced' && (outcome.kind === 'bounced' || outcome.kind === 'refused')) await countLeft(ctx, now)
  return lookAgainLater(ctx, now, outcome)
}

const mayGoOn = (ctx: Context, operation: In<'bounced'>): boolean =>
  operation.reclaim === null && !wasPaidAnew(ctx, operation) && !isTooLate(ctx, operation) && holdsAll(ctx, operation)

/** Nothing of it is spent or signed. It is under way again before its swap is sent: nobody pays its request anew meanwhile. */
function goOn(ctx: Context, operation: In<'bounced'>): void {
  const { account, id, receipt, handedOver } = operation
  const spent = ctx.store.read.coinsOf(id).filter(({ Y, state }) => inputYs(operation).includes(Y) && state === 'spent')
  const Ys = spent.map(({ Y }) => Y)
  const rest = { ...operation, reading: null, refusedSince: null, pendingSince: null, ...due(ctx, 0) }
  ctx.store.transaction((write) => {
    write.moveCoins(account, Ys, ['spent'], heldAs(handedOver), id)
    write.updateOperation(
      receipt === null ? { ...rest, state: 'settling' } : { ...rest, state: 'signed', settleAt: ctx.clock.now() },
    )
  })
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

const heldAs = (handedOver: boolean) => (handedOver ? 'handed_over' : 'reserved')

/** Whether each of its coins, there or spent, is tied to it and to nothing else. */
function holdsAll(ctx: Context, operation: Signed): boolean {
  const own = new Set(ctx.store.read.coinsOf(operation.id).map(({ Y }) => Y))
  return inputYs(operation).every((Y) => own.has(Y))
}

/**
 * Which of the coins of a bounced payment are there, as the mint says now. They stay tied to it: somebody may hold the
 * handover, so that only a person takes them back. One that a lost reclaim was told is spent is its own again when it is not.
 */
async function countLeft(ctx: Context, { id, account, swap, handedOver }: In<'bounced'>): Promise<void> {
  const { read } = ctx.store
  const Ys = swap.inputs.map(({ Y }) => Y)
  const states = await ctx.mints.client(account).checkState(Ys)
  if (states.kind !== 'ok') return
  const isLostReclaim = (by: string | null): boolean => {
    const swap = by === null ? undefined : read.other(by)
    return (
      swap !== undefined &&
      swap !== 'unreadable' &&
      swap.kind === 'refresh' &&
      swap.reclaims === id &&
      swap.state === 'lost'
    )
  }
  const among = (state: string, isSpent: boolean) =>
    Ys.filter((Y, index) => {
      const coin = read.coin(account, Y)
      if (!coin || states.value[index] !== state || (coin.state === 'spent') !== isSpent) return false
      return coin.operationId === id || (isSpent && isLostReclaim(coin.operationId))
    })
  ctx.store.transaction((write) => {
    write.moveCoins(account, among('UNSPENT', true), ['spent'], heldAs(handedOver), id)
    write.moveCoins(account, among('SPENT', false), ['reserved', 'handed_over'], 'spent', id)
  })
  ctx.emit({ kind: 'balance' })
}

/** It looks settled, and so may one that signed it anew: whose swap it was that spent the coins, that one is paid. */
async function settleAfterAll(
  ctx: Context,
  sessions: OpenSessions,
  operation: In<SadState>,
  outcome: Extract<Outcome, { kind: 'settled' }>,
): Promise<void> {
  const after = await spentAfter(ctx, operation)
  const now = ctx.store.read.operation(operation.id)
  if (now?.kind !== 'pay' || now.state !== operation.state) return
  if (after.kind === 'unknown') return retry(ctx, now, 'it is not known yet which signature has passed')
  if (after.kind === 'none') return conclude(ctx, now, outcome, endsOf(ctx, sessions))
  lookAgainLater(ctx, now, outcome)
  lookSoon(ctx, after.id)
}

/**
 * A payment before this one has passed: this one is over when the facts say that its coins are gone. Its outputs may be
 * signed as agreed all the same, by whoever paid for that; the coins are gone once.
 */
async function standAside(ctx: Context, sessions: OpenSessions, operation: Unsettled): Promise<void> {
  const outcome = await lookAt(ctx, operation, owner)
  const ends = endsOf(ctx, sessions)
  const isOver = outcome.kind === 'bounced' || (outcome.kind === 'settled' && operation.state !== 'replaced')
  if (isOver) return ends.sadly(operation, 'bounced', outcome.signatures)
  if (outcome.kind === 'settled' || isSad(operation)) return lookAgainLater(ctx, operation, outcome)
  return conclude(ctx, operation, outcome, ends)
}

/**
 * Confirmed: the coins are gone (bounced), or the swap can never pass (dead; it is signed anew, or a person takes the
 * coins back). Gone to a payment before this one that passed after all: it was paid once, and this one steps aside.
 */
async function sadly(
  ctx: Context,
  operation: Unsettled,
  kind: 'bounced' | 'dead',
  signatures: readonly VerifiedSignature[],
): Promise<void> {
  if (kind === 'dead') return endDead(ctx, operation, signatures)
  const before = await passedBefore(ctx, operation, () => owner)
  if (before.kind === 'unknown')
    return retry(ctx, operation, 'the mint does not say what became of the first signature')
  const states = await ctx.mints.client(operation.account).checkState(inputYs(operation))
  if (states.kind !== 'ok') return retry(ctx, operation, 'no answer about the single coins')
  const next = { reading: null, ...due(ctx, lookAgainPause(ctx, operation)) }
  if (before.kind === 'none') {
    const left = new Set(inputYs(operation).filter((_, index) => states.value[index] === 'UNSPENT'))
    return store(ctx, operation, signatures, { ...operation, state: 'bounced', ...next }, left)
  }
  store(ctx, operation, signatures, { ...operation, state: 'replaced', replacedBy: before.id, ...next })
  lookSoon(ctx, before.id)
}

function endDead(ctx: Context, operation: Unsettled, signatures: readonly VerifiedSignature[]): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const dead: In<'dead'> = { ...operation, state: 'dead', reading: null, ...due(ctx, 0) }
  const pause = mayBeReplaced(ctx, dead) ? 0 : lookAgainPause(ctx, operation)
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...dead, ...due(ctx, pause) })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
}
