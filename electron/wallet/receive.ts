// Receive: the payee's side of one payment, from Hello to Receipt. (deposit.ts settles what was accepted.)
// Transactions: R1 Terms, purse and outputs stored, before Terms leave · R2 handover, claim, receipt stored and its coins
// marked seen, before the Receipt leaves (or the refusal, before it leaves) · in deposit.ts: R3 exact request stored,
// before it is sent · R4 coins and final receipt stored.

import { isAmount, splitAmount } from '../../shared/amount.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import {
  bodyHash,
  compareOutputs,
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeFrame,
  type Frame,
  type Hello,
  handoverSchema,
  helloSchema,
  maxHelloFrameBytes,
  maxKeysetIds,
  type Output,
  type SettledHandover,
  type SignedHandover,
  type SignedMessage,
  termsSchema,
} from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import { handoverDigest, type VerifiedHandover, verifyHandover } from './handover.ts'
import { areTooManyTerms, limitsNow, openTermsMs, refusalByLimits } from './limits.ts'
import { isUnopposed, type Operation, type OperationIn } from './operation.ts'
import { keysetOf, planOutputs } from './own-coins.ts'
import type { PayeeProtocol, RemotePayer } from './ports.ts'
import { due, lookSoon, newId, save } from './progress.ts'
import {
  finishReceive,
  fromHex,
  payeeKeyIndex,
  type Receive,
  releaseReceipt,
  signReceipt,
  signRefusal,
  takePlace,
  toHex,
} from './received.ts'
import { deadPayment, hasSameCoins } from './replaceable.ts'
import { isClosed, openRequest } from './requests.ts'
import { hasExpired, outputKeyset, type VerifiedSignature, verifySignature } from './settle.ts'
import type { MintRow } from './store-port.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** After this long without a handover the mint is asked for the first time whether the payer settled. */
const firstAskMs = 60_000
/** Nothing is accepted from a keyset that expires within this many seconds (protocol section 4). */
const expiresSoonSeconds = 30 * 24 * 3600

/** The payee's answers to frames. Every failure is an answer; nothing thrown leaves here. */
export function createPayeeProtocol(ctx: Context): PayeeProtocol {
  const guarded = async (frame: Uint8Array, work: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    try {
      return await work()
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'internal'
      return encodeMessage('refusal', signRefusal(ctx, { helloHash: bodyHash(frame) }, code))
    }
  }
  return {
    onHello: (frame, from) => {
      const read = readHello(frame)
      return guarded(read.body ?? frame, () => answerHello(ctx, read, from))
    },
    onHandover: (frame, from) => guarded(frame, () => answerHandover(ctx, frame, from)),
  }
}

/** The Hello's body, which a refusal names, or why there is none. */
type HelloRead = { readonly body: Uint8Array } | { readonly body: undefined; readonly error: unknown }

/** Read once, and not at all when it is far longer than any Hello: strangers send as many as they like. */
function readHello(frame: Uint8Array): HelloRead {
  try {
    if (frame.length > maxHelloFrameBytes) throw new AppError('frame_too_large', 'a Hello above 4 KiB')
    const decoded = decodeFrame(frame)
    if (!('hello' in decoded)) throw new AppError('bad_frame', 'expected a Hello')
    return { body: decoded.hello }
  } catch (error) {
    return { body: undefined, error }
  }
}

const encodeMessage = (kind: 'terms' | 'receipt' | 'refusal', { body, sig }: SignedMessage): Uint8Array => {
  const frames: Record<typeof kind, Frame> = {
    terms: { terms: { body, sig } },
    receipt: { receipt: { body, sig } },
    refusal: { refusal: { body, sig } },
  }
  return encodeFrame(frames[kind])
}

/**
 * A signed No. One that names the swap digest is a void: this handover will never be settled by us. One that names the
 * Hello says nothing of a swap.
 */

async function answerHello(ctx: Context, read: HelloRead, from: RemotePayer): Promise<Uint8Array> {
  if (!read.body) throw read.error
  const hello = decodeBody(helloSchema, read.body)
  const helloHash = bytesToHex(bodyHash(read.body))
  const payerPeer = bytesToHex(from.payerPeer)
  const paymentId = bytesToHex(hello.paymentId)
  const known = termsBefore(ctx, payerPeer, paymentId, helloHash)
  if (known) return known

  const { mint, keysetIds } = agreedMint(ctx, hello.mint.keysetIds.map(bytesToHex), hello.unit)
  const amounts = payableSplit(ctx, mint, hello.unit, hello.amount)
  assertRoomForTerms(ctx, hello, from.address)
  const dead = hello.replaces === undefined ? null : await deadPayment(ctx, hello, mint.account)
  if (dead) {
    // While the mint was asked the same Hello may have been answered, and others too.
    const meanwhile = termsBefore(ctx, payerPeer, paymentId, helloHash)
    if (meanwhile) return meanwhile
    assertRoomForTerms(ctx, hello, from.address)
  }
  if (!dead) openRequest(ctx, hello, mint.account)
  if (mint.offlineCapable && !ctx.mints.reachability(mint.account).reachable) {
    const code = exceeded(ctx, mint, hello, dead)
    if (code) throw new AppError(code, 'above what is accepted without the mint')
  }

  const id = newId(ctx)
  const now = ctx.clock.now()
  const deadline = unixNow(ctx.clock) + ctx.config.deadlineSeconds
  const operation = ctx.store.transaction((write): Receive => {
    const place = { generation: ctx.generation, account: mint.account, unit: hello.unit }
    const purse = write.takePurse(place, 'receive', 'offered')
    const { outputs, own } = planOutputs(ctx, write, purse, amounts, id)
    const offered = outputs.map(({ amount, B_ }): Output => [amount, hexToBytes(B_)]).sort(compareOutputs)
    const body = encodeBody(termsSchema, {
      helloHash: hexToBytes(helloHash),
      peers: [from.payerPeer, from.payeePeer],
      keysetIds: keysetIds.map(hexToBytes),
      unit: hello.unit,
      amount: hello.amount,
      outputs: offered,
      payeeKey: ctx.secrets.payeeKey(payeeKeyIndex),
      name: ctx.name(),
      deadline,
    })
    const terms: Receive = {
      kind: 'receive',
      state: 'terms',
      id,
      account: mint.account,
      unit: hello.unit,
      amount: hello.amount,
      payerPeer,
      payerAddress: from.address,
      paymentId,
      helloHash,
      requestId: hello.requestId ?? null,
      memo: hello.memo ?? null,
      terms: toHex(ctx.secrets.signAsPayee(payeeKeyIndex, 'terms', body)),
      termsHash: bytesToHex(bodyHash(body)),
      outputs: offered.map(([amount, B_]) => ({ amount, B_: bytesToHex(B_) })),
      deadline,
      replaces: dead && { id: dead.id, digest: dead.swap.digest },
      createdAt: now,
      updatedAt: now,
      nextAttemptAt: now + firstAskMs,
      attempts: 0,
      lastError: null,
    }
    write.insertOperation(terms)
    write.insertOutputs(own)
    write.markPurse(purse.id, { closed: true })
    return terms
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  return encodeMessage('terms', fromHex(operation.terms))
}

/** The Terms that this Hello got before. @throws AppError `conflict` when another Hello came under the same payment */
function termsBefore(ctx: Context, payerPeer: string, paymentId: string, helloHash: string): Uint8Array | undefined {
  const known = ctx.store.read.receiveOf(payerPeer, paymentId)
  if (known?.kind !== 'receive') return undefined
  if (known.helloHash !== helloHash) throw new AppError('conflict', 'another Hello under this payment')
  return encodeMessage('terms', fromHex(known.terms))
}

/** The mint both know: by a shared keyset id, whatever address the payer named (protocol section 3). */
function agreedMint(
  ctx: Context,
  offered: readonly string[],
  unit: string,
): { mint: MintRow; keysetIds: readonly string[] } {
  for (const idV2 of offered) {
    const found = ctx.store.read.keysetV2(idV2)
    const mint = found && ctx.store.read.mint(found.account)
    if (!mint || found.keyset.unit !== unit) continue
    const verifiable = ctx.store.read.keysets(mint.account).filter((keyset) => keyset.unit === unit)
    const rank = (keyset: Keyset) => (offered.includes(keyset.idV2) ? 0 : keyset.active ? 1 : 2)
    const keysetIds = [...verifiable].sort((a, b) => rank(a) - rank(b)).map((keyset) => keyset.idV2)
    return { mint, keysetIds: keysetIds.slice(0, maxKeysetIds) }
  }
  throw new AppError('mint_unknown', 'no mint of the payer is known here')
}

/** The canonical split, when some active keyset has a coin for each part. */
function payableSplit(ctx: Context, mint: MintRow, unit: string, amount: number): readonly number[] {
  if (!isAmount(amount)) throw new AppError('amount_out_of_range', 'not an amount')
  const amounts = splitAmount(amount)
  if (!outputKeyset(ctx.store.read.keysets(mint.account), unit, amounts, unixNow(ctx.clock))) {
    throw new AppError('amount_out_of_range', 'the mint has no coins for this amount')
  }
  return amounts
}

/** @throws AppError `too_many_terms`, which is worth trying again */
function assertRoomForTerms({ store, clock }: Context, { requestId }: Hello, address: string): void {
  const since = (ms: number) => store.read.openTerms(address, requestId !== undefined, clock.now() - ms)
  if (areTooManyTerms(since(openTermsMs), since(dayMs))) {
    throw new AppError('too_many_terms', 'too many unanswered Terms', { retryable: true })
  }
}

type Money = { readonly unit: string; readonly amount: number }

/** Which limit a signed payment of this amount would break now. What is signed anew counts once. */
function exceeded(
  ctx: Context,
  mint: MintRow,
  { unit, amount }: Money,
  dead: { readonly signedAt: number } | null,
): ErrorCode | undefined {
  const now = ctx.clock.now()
  const limits = limitsNow(ctx.config.limits, now - (mint.lastReachedAt ?? 0))
  const { sum, count } = ctx.store.read.signedPayments(unit, now - hourMs)
  const isCounted = dead !== null && dead.signedAt > now - hourMs
  return refusalByLimits(limits, amount, { sum, count: isCounted ? count - 1 : count })
}

async function answerHandover(ctx: Context, frame: Uint8Array, from: RemotePayer): Promise<Uint8Array> {
  const decoded = decodeFrame(frame)
  if (!('handover' in decoded)) throw new AppError('bad_frame', 'expected a Handover')
  const handover = decodeBody(handoverSchema, decoded.handover)
  const handoverHash = bytesToHex(bodyHash(decoded.handover))
  const found = ctx.store.read.receiveByTerms(bytesToHex(handover.termsHash))
  if (found?.kind !== 'receive' || found.payerPeer !== bytesToHex(from.payerPeer)) {
    throw new AppError('bad_handover', 'for Terms that were not made for this payer')
  }
  const { id } = found
  await ctx.locked(id, async () => {
    const operation = receiveById(ctx, id)
    if (handover.kind === 'settled') takeSettled(ctx, operation, handover, handoverHash)
    else await takeSigned(ctx, operation, handover, handoverHash)
  })
  return answerOf(await askMintFirst(ctx, id), handoverHash)
}

/**
 * A payee with a connection tries to settle before it answers. Only a mint that does not answer in time makes the payment a
 * signed one: what it has called spent or pending, has refused, or whose keyset has ended, gets no first receipt, although
 * one reading ends nothing.
 */
async function askMintFirst(ctx: Context, id: string): Promise<Receive> {
  const before = receiveById(ctx, id)
  if (before.state !== 'signed' || before.withheld === null) return before
  if (ctx.mints.reachability(before.account).reachable) {
    // The runner may have been first: the mint is asked once, and then when it wants to be.
    await Promise.race([ctx.runIfDue(id), ctx.clock.wait(ctx.config.settleBeforeAnswerMs)])
  }
  const after = receiveById(ctx, id)
  const mayPromise =
    after.state === 'signed' && after.withheld === 'mint' && isUnopposed(after) && !hasEnded(ctx, after)
  return mayPromise ? releaseReceipt(ctx, after) : after
}

/** Whether the keyset of a coin has ended while nobody was asked. */
const hasEnded = (ctx: Context, { account, swap }: OperationIn<'receive', 'signed'>): boolean =>
  swap.inputs.some(({ id }) => hasExpired(keysetOf(ctx.store, account)(id), unixNow(ctx.clock)))

function receiveById(ctx: Context, id: string): Receive {
  const operation = ctx.store.read.operation(id)
  if (operation?.kind !== 'receive') throw new AppError('not_found', 'no such payment')
  return operation
}

/** What the payer is told, from the row alone: the same for the same handover, for ever, but that signed may become final. */
function answerOf(operation: Receive, handoverHash: string): Uint8Array {
  switch (operation.state) {
    case 'final':
      return encodeMessage('receipt', fromHex(operation.receipt))
    case 'signed':
    case 'bounced':
    case 'dead':
    case 'replaced':
      if (operation.handoverHash !== handoverHash) throw new AppError('conflict', 'another handover for these Terms')
      if (operation.withheld !== null) throw new AppError('not_settled', 'not settled yet')
      return encodeMessage('receipt', fromHex(operation.receipt))
    case 'refused':
      if (operation.handoverHash !== handoverHash) throw new AppError('conflict', 'another handover for these Terms')
      return encodeMessage('refusal', fromHex(operation.refusal))
    case 'terms':
    case 'expired':
      throw new AppError('not_settled', 'these signatures do not settle it')
  }
}

/** R2 for a payer who settled first: the mint's signatures on our outputs, each under a keyset we fetched ourselves. */
function takeSettled(ctx: Context, operation: Receive, handover: SettledHandover, handoverHash: string): void {
  if (operation.state === 'final') return
  const signatures = settledSignatures(ctx, operation, handover)
  finishReceive(ctx, operation, signatures, handoverHash)
}

/** @throws AppError `keyset_unknown`, `keyset_expired`, `bad_dleq` */
function settledSignatures(ctx: Context, operation: Receive, handover: SettledHandover): readonly VerifiedSignature[] {
  const keyset = keysetOf(ctx.store, operation.account)
  if (handover.signatures.length !== operation.outputs.length)
    throw new AppError('bad_handover', 'not one signature for each output')
  return operation.outputs.map(({ amount, B_ }, index) => {
    const [idV2, signedAmount, C_, e, s] = handover.signatures[index] ?? []
    if (!idV2 || !C_ || !e || !s || signedAmount !== amount) throw new AppError('bad_handover', 'another amount')
    const found = ctx.store.read.keysetV2(bytesToHex(idV2))
    if (found?.account !== operation.account || found.keyset.unit !== operation.unit) {
      // The step that asks about the Terms fetches the keysets; a mint that wants to be left alone is.
      if (operation.attempts === 0) lookSoon(ctx, operation.id)
      throw new AppError('keyset_unknown', 'a keyset this payee never fetched', { retryable: true })
    }
    const { finalExpiry, id } = found.keyset
    if (finalExpiry !== null && finalExpiry <= unixNow(ctx.clock) + expiresSoonSeconds) {
      throw new AppError('keyset_expired', 'a keyset that expires too soon')
    }
    const dleq = { e: bytesToHex(e), s: bytesToHex(s) }
    const verified = verifySignature({ id, amount, C_: bytesToHex(C_), dleq }, B_, keyset)
    if (!verified) throw new AppError('bad_dleq', 'a signature the mint did not make')
    return verified
  })
}

/**
 * R2 for a signed handover: every check of protocol section 4, then one transaction.
 */
async function takeSigned(
  ctx: Context,
  operation: Receive,
  handover: SignedHandover,
  handoverHash: string,
): Promise<void> {
  if (operation.state !== 'terms') return
  const verdict = stillTrue(ctx, operation, await judge(ctx, operation, handover))
  if (verdict.kind === 'invalid') {
    refuseHandover(ctx, operation, handoverHash, verdict.code, handoverDigest(termsOf(operation), handover))
    return
  }
  const { swap, claim, purseKey } = verdict
  const mint = mintOf(ctx, operation)
  const dead = deadOf(ctx, operation)
  const overLimit = exceeded(ctx, mint, operation, dead)
  if (overLimit && !ctx.mints.reachability(mint.account).reachable) {
    refuseHandover(ctx, operation, handoverHash, overLimit, hexToBytes(swap.digest))
    return
  }
  const replaced = ctx.store.transaction((write) => {
    const Ys = swap.inputs.map(({ Y }) => Y)
    if (dead) write.moveSeen(Ys, dead.id, operation.id)
    else write.markSeen(Ys, operation.id)
    write.updateOperation({
      ...operation,
      state: 'signed',
      ...due(ctx, 0),
      handoverHash,
      signedAt: ctx.clock.now(),
      swap,
      claim: toHex(claim),
      purseKey,
      receipt: signReceipt(ctx, operation.termsHash, swap.digest, 'signed'),
      withheld: overLimit ? 'limits' : 'mint',
      attempt: null,
      reading: null,
      refusedSince: null,
      pendingSince: null,
      replacedBy: null,
    })
    return takePlace(ctx, write, operation)
  })
  for (const id of [...replaced, operation.id]) ctx.emit({ kind: 'operation', id })
  ctx.wake()
}

async function judge(ctx: Context, operation: Receive, handover: SignedHandover): Promise<VerifiedHandover> {
  const invalid = (code: ErrorCode, reason: string): VerifiedHandover => ({ kind: 'invalid', code, reason })
  const now = unixNow(ctx.clock)
  const mint = mintOf(ctx, operation)
  if (!mint.offlineCapable) return invalid('online_only', 'this mint is not trusted with signed handovers')
  if (now > operation.deadline) return invalid('terms_expired', 'the deadline has passed')
  if (isClosed(ctx, operation.requestId)) return invalid('request_closed', 'this request was paid')
  return verifyHandover({
    terms: termsOf(operation),
    termsHash: hexToBytes(operation.termsHash),
    handover,
    keyset: (idV2) => {
      const found = ctx.store.read.keysetV2(idV2)
      return found?.account === operation.account ? found.keyset : undefined
    },
    wasSeen: (Y) => wasSeen(ctx, operation, Y),
    canBeSigned: (amounts) =>
      outputKeyset(ctx.store.read.keysets(operation.account), operation.unit, amounts, now) !== undefined,
    expiresAfter: now + expiresSoonSeconds,
    verifyCoins: ctx.verifyCoins,
  })
}

/**
 * While coins were verified another payment may have brought one of them, answered the request, or signed the same dead
 * one anew. Asked in the turn of the transaction that follows: after another await it would be too early again.
 */
function stillTrue(ctx: Context, operation: Receive, verdict: VerifiedHandover): VerifiedHandover {
  if (verdict.kind === 'invalid') return verdict
  const invalid = (code: ErrorCode, reason: string): VerifiedHandover => ({ kind: 'invalid', code, reason })
  if (isClosed(ctx, operation.requestId)) return invalid('request_closed', 'this request was paid')
  const { inputs } = verdict.swap
  if (inputs.some(({ Y }) => wasSeen(ctx, operation, Y))) return invalid('coin_seen', 'a coin that was seen before')
  if (operation.replaces === null) return verdict
  const dead = deadOf(ctx, operation)
  if (!dead) return invalid('conflict', 'what it signs anew is not dead any more')
  return hasSameCoins(verdict.swap, dead.swap) ? verdict : invalid('bad_handover', 'not the coins it was signed with')
}

/** Coins of the payment that is signed anew come twice: for this alone. */
function wasSeen({ store }: Context, { replaces }: Receive, Y: string): boolean {
  const by = store.read.seenBy(Y)
  return by !== undefined && by !== replaces?.id
}

/** What this payment signs anew, while it is dead and nothing else stands in its place. */
function deadOf({ store }: Context, { replaces }: Receive): OperationIn<'receive', 'dead'> | null {
  const dead = replaces === null ? undefined : store.read.operation(replaces.id)
  return dead?.kind === 'receive' && dead.state === 'dead' ? dead : null
}

const termsOf = ({ terms }: Receive) => decodeBody(termsSchema, hexToBytes(terms.body))

function mintOf(ctx: Context, { account }: Operation): MintRow {
  const mint = ctx.store.read.mint(account)
  if (!mint) throw new AppError('mint_unknown', 'no such mint')
  return mint
}

/** A refused handover is stored as refused before the answer leaves, and never settled by us. */
function refuseHandover(
  ctx: Context,
  operation: OperationIn<'receive', 'terms'>,
  handoverHash: string,
  code: ErrorCode,
  swapDigest: Uint8Array,
): void {
  const refusal = toHex(signRefusal(ctx, { swapDigest }, code))
  save(ctx, { ...operation, state: 'refused', ...due(ctx, firstAskMs), handoverHash, refusal, code })
}
