// The payer's end of the stream: Hello and Terms, Handover and Receipt. Nothing is decided or stored here.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sameBytes } from '../../shared/cbor.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import {
  bodyHash,
  decodeBody,
  decodeFrame,
  encodeFrame,
  type Receipt,
  receiptSchema,
  refusalSchema,
  type SignedMessage,
  type Terms,
  termsSchema,
  verifySigned,
} from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import { assertTerms } from './handover.ts'
import type { OperationOf } from './operation.ts'
import type { PaySession } from './ports.ts'

type Pay = OperationOf<'pay'>

const termsTimeoutMs = 10_000
/** Longer than a payee tries to settle before it answers, and verifies 64 coins. */
const receiptTimeoutMs = 20_000

/** An open stream on which Terms were received; a Handover may follow. */
export type AgreedSession = { readonly session: PaySession; readonly signed: SignedMessage; readonly terms: Terms }

/** The payee's own answer to a Hello: no Terms. */
export class HelloRefused extends AppError {
  constructor(code: ErrorCode) {
    super(code, 'the payee refuses')
  }
}

/**
 * Dial the payee, say Hello, check the Terms. The same operation always says the same Hello under the same peer key, and
 * accepts no other Terms than those it has.
 * @throws AppError `peer_unreachable`, `peer_timeout`, `bad_frame`, `bad_terms`, `relayed_terms`, `wrong_payee`; `HelloRefused`
 */
export async function agree(ctx: Context, operation: Pay): Promise<AgreedSession> {
  const { id, hello, payee, unit, amount, expectedKey } = operation
  const session = await ctx.dial(payee, ctx.secrets.paymentPeerSeed(hexToBytes(id)))
  try {
    const helloBody = hexToBytes(hello)
    const answer = decodeFrame(await session.exchange(encodeFrame({ hello: helloBody }), termsTimeoutMs))
    if ('refusal' in answer) throw new HelloRefused(refusalCode(answer.refusal))
    if (!('terms' in answer)) throw new AppError('bad_frame', 'expected Terms')
    const terms = decodeBody(termsSchema, answer.terms.body)
    const isRepeat = 'terms' in operation
    if (isRepeat && !sameBytes(answer.terms.body, hexToBytes(operation.terms.body))) {
      throw new AppError('bad_terms', 'other Terms than before')
    }
    assertTerms({
      signed: answer.terms,
      terms,
      hello: helloBody,
      unit,
      amount,
      payerPeer: session.payerPeer,
      payeePeer: session.payeePeer,
      expectedKey,
      now: isRepeat ? null : unixNow(ctx.clock),
    })
    return { session, signed: answer.terms, terms }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** A refusal of a Hello comes before any key is known: its signature means nothing yet, its code is what it says. */
const refusalCode = ({ body }: SignedMessage): ErrorCode => decodeBody(refusalSchema, body).code

export type PayeeAnswer =
  | { readonly kind: 'receipt'; readonly signed: SignedMessage; readonly receipt: Receipt; readonly inMs: number }
  /** The payee will not settle this swap. */
  | { readonly kind: 'void'; readonly signed: SignedMessage; readonly code: ErrorCode }
  /** Nothing that binds anybody: ask again with the same handover. */
  | { readonly kind: 'no_answer'; readonly reason: string }

/** Send a handover frame, stored before, and read what the payee signed. Never throws for what the payee does. */
export async function deliver(
  { clock }: Pick<Context, 'clock'>,
  session: PaySession,
  frame: Uint8Array,
  expected: { readonly terms: Terms; readonly termsHash: Uint8Array; readonly swapDigest: Uint8Array },
): Promise<PayeeAnswer> {
  try {
    const sentAt = clock.now()
    const answer = decodeFrame(await session.exchange(frame, receiptTimeoutMs))
    if ('receipt' in answer) return readReceipt(answer.receipt, expected, clock.now() - sentAt)
    if ('refusal' in answer) return readRefusal(answer.refusal, expected)
    return { kind: 'no_answer', reason: 'neither Receipt nor Refusal' }
  } catch (error) {
    if (error instanceof AppError) return { kind: 'no_answer', reason: error.code }
    throw error
  }
}

type Expected = Parameters<typeof deliver>[3]

function readReceipt(signed: SignedMessage, { terms, termsHash, swapDigest }: Expected, inMs: number): PayeeAnswer {
  const no = (reason: string): PayeeAnswer => ({ kind: 'no_answer', reason })
  if (!verifySigned('receipt', signed.body, signed.sig, terms.payeeKey)) return no('a receipt of another key')
  const receipt = decodeBody(receiptSchema, signed.body)
  if (!sameBytes(receipt.termsHash, termsHash)) return no('a receipt for other Terms')
  const namesSwap = receipt.swapDigest !== undefined
  if (namesSwap && !sameBytes(receipt.swapDigest ?? termsHash, swapDigest)) return no('a receipt for another swap')
  if (receipt.grade === 'signed' && !namesSwap) return no('a receipt for no swap')
  return { kind: 'receipt', signed, receipt, inMs }
}

function readRefusal(signed: SignedMessage, { terms, swapDigest }: Expected): PayeeAnswer {
  if (!verifySigned('refusal', signed.body, signed.sig, terms.payeeKey)) {
    return { kind: 'no_answer', reason: 'a refusal of another key' }
  }
  const refusal = decodeBody(refusalSchema, signed.body)
  const isVoid = refusal.swapDigest !== undefined && sameBytes(refusal.swapDigest, swapDigest)
  return isVoid ? { kind: 'void', signed, code: refusal.code } : { kind: 'no_answer', reason: refusal.code }
}

/** Hash of Terms kept in hex. */
export const hashOfTerms = (body: string): string => bytesToHex(bodyHash(hexToBytes(body)))
