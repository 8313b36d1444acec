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
  handoverSchema,
  helloSchema,
  maxKeysetIds,
  type Output,
  refusalSchema,
  type SettledHandover,
  type SignedHandover,
  type SignedMessage,
  termsSchema,
} from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import { handoverDigest, type VerifiedHandover, verifyHandover } from './handover.ts'
import {
  limitsNow,
  maxOpenTerms,
  maxOpenTermsPerAddress,
  maxOpenTermsPerDay,
  openTermsMs,
  refusalByLimits,
} from './limits.ts'
import type { Operation, OperationIn } from './operation.ts'
import { keysetOf, planOutputs } from './own-coins.ts'
import type { PayeeProtocol, RemotePayer } from './ports.ts'
import { due, newId, save } from './progress.ts'
import { finishReceive, fromHex, payeeKeyIndex, type Receive, signReceipt, toHex } from './received.ts'
import { isClosed, openRequest } from './requests.ts'
import { outputKeyset, type VerifiedSignature, verifySignature } from './settle.ts'
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
      return encodeMessage('refusal', refuse(ctx, { helloHash: bodyHash(frame) }, code))
    }
  }
  return {
    onHello: (frame, from) => guarded(helloBodyOf(frame) ?? frame, async () => answerHello(ctx, frame, from)),
    onHandover: (frame, from) => guarded(frame, () => answerHandover(ctx, frame, from)),
  }
}

/** The Hello's body when the frame can be read at all: what a refusal names. */
function helloBodyOf(frame: Uint8Array): Uint8Array | undefined {
  try {
    const decoded = decodeFrame(frame)
    return 'hello' in decoded ? decoded.hello : undefined
  } catch {
    return undefined
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
function refuse(
  ctx: Context,
  named: { helloHash: Uint8Array } | { swapDigest: Uint8Array },
  code: ErrorCode,
): SignedMessage {
  const body = encodeBody(refusalSchema, { ...named, code, at: unixNow(ctx.clock) })
  return ctx.secrets.signAsPayee(payeeKeyIndex, 'refusal', body)
}

function answerHello(ctx: Context, frame: Uint8Array, from: RemotePayer): Uint8Array {
  const decoded = decodeFrame(frame)
  if (!('hello' in decoded)) throw new AppError('bad_frame', 'expected a Hello')
  const hello = decodeBody(helloSchema, decoded.hello)
  const helloHash = bytesToHex(bodyHash(decoded.hello))
  const payerPeer = bytesToHex(from.payerPeer)
  const paymentId = bytesToHex(hello.paymentId)
  const known = ctx.store.read.receiveOf(payerPeer, paymentId)
  if (known?.kind === 'receive') {
    if (known.helloHash !== helloHash) throw new AppError('conflict', 'another Hello under this payment')
    return encodeMessage('terms', fromHex(known.terms))
  }

  const { mint, keysetIds } = agreedMint(ctx, hello.mint.keysetIds.map(bytesToHex), hello.unit)
  const amounts = payableSplit(ctx, mint, hello.unit, hello.amount)
  openRequest(ctx, hello, mint.account)
  assertRoomForTerms(ctx, from.address)
  if (mint.offlineCapable && !ctx.mints.reachability(mint.account).reachable) {
    const code = exceeded(ctx, mint, hello.unit, hello.amount)
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

function assertRoomForTerms(ctx: Context, address: string): void {
  const open = ctx.store.read.openTerms(address, ctx.clock.now() - openTermsMs)
  if (open.fromAddress >= maxOpenTermsPerAddress || open.inAll >= maxOpenTerms) {
    throw new AppError('too_many_terms', 'too many unanswered Terms', { retryable: true })
  }
  const today = ctx.store.read.openTerms(address, ctx.clock.now() - dayMs)
  if (today.inAll >= maxOpenTermsPerDay) {
    throw new AppError('too_many_terms', 'too many unanswered Terms today', { retryable: true })
  }
}

/** Which limit a signed payment of this amount would break now. */
function exceeded(ctx: Context, mint: MintRow, unit: string, amount: number): ErrorCode | undefined {
  const now = ctx.clock.now()
  const limits = limitsNow(ctx.config.limits, now - (mint.lastReachedAt ?? 0))
  return refusalByLimits(limits, amount, ctx.store.read.signedPayments(unit, now - hourMs))
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
 * A payee with a connection tries to settle before it answers. What the mint has called spent gets no receipt, although
 * one reading ends nothing; when the mint does not answer in time, the payment is a signed one.
 */
async function askMintFirst(ctx: Context, id: string): Promise<Receive> {
  const before = receiveById(ctx, id)
  if (before.state !== 'signed' || before.withheld === null) return before
  if (ctx.mints.reachability(before.account).reachable) {
    await Promise.race([ctx.runNow(id), ctx.clock.wait(ctx.config.settleBeforeAnswerMs)])
  }
  const after = receiveById(ctx, id)
  if (after.state !== 'signed' || after.withheld !== 'mint' || after.reading !== null) return after
  const released: Receive = { ...after, withheld: null }
  // A step that still waits for the mint would write its older copy over this; the next question releases it again.
  if (!ctx.isLocked(id)) ctx.store.transaction((write) => write.updateOperation(released))
  return released
}

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
      ctx.wake()
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
  const overLimit = exceeded(ctx, mint, operation.unit, operation.amount)
  if (overLimit && !ctx.mints.reachability(mint.account).reachable) {
    refuseHandover(ctx, operation, handoverHash, overLimit, hexToBytes(swap.digest))
    return
  }
  ctx.store.transaction((write) => {
    write.markSeen(
      swap.inputs.map(({ Y }) => Y),
      operation.id,
    )
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
    })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
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
    wasSeen: (Y) => ctx.store.read.wasSeen(Y),
    canBeSigned: (amounts) =>
      outputKeyset(ctx.store.read.keysets(operation.account), operation.unit, amounts, now) !== undefined,
    expiresAfter: now + expiresSoonSeconds,
    verifyCoins: ctx.verifyCoins,
  })
}

/**
 * While coins were verified another payment may have brought one of them, or answered the request. Asked in the turn of
 * the transaction that follows: after another await it would be too early again.
 */
function stillTrue(ctx: Context, { requestId }: Receive, verdict: VerifiedHandover): VerifiedHandover {
  if (verdict.kind === 'invalid') return verdict
  if (isClosed(ctx, requestId)) return { kind: 'invalid', code: 'request_closed', reason: 'this request was paid' }
  if (verdict.swap.inputs.some(({ Y }) => ctx.store.read.wasSeen(Y))) {
    return { kind: 'invalid', code: 'coin_seen', reason: 'a coin that was seen before' }
  }
  return verdict
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
  const refusal = toHex(refuse(ctx, { swapDigest }, code))
  save(ctx, { ...operation, state: 'refused', ...due(ctx, firstAskMs), handoverHash, refusal, code })
}
