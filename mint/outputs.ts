// The blinded messages that a request asks to be signed: read, signed, and remembered for ever (NUT-00, NUT-09, NUT-12).

import { sumAmounts } from '../shared/amount.ts'
import { type Point, pointFromHex, pointToHex, signBlinded } from '../shared/cashu/bdhke.ts'
import { proveDleq } from '../shared/cashu/dleq.ts'
import {
  type BlindedMessage,
  type BlindSignature,
  maxOutputs,
  nutErrors,
  type SignaturesResponse,
} from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import type { MintKeyset } from './keys.ts'
import { type Keysets, liveKeyset } from './keysets.ts'
import type { BlankOutput, IssuedSignature, MintStore } from './ports.ts'
import { orRefuse, refuse, unspecified } from './refusal.ts'
import type { RequestHash } from './request-hash.ts'

export type Output = {
  readonly amount: number
  /** Compressed, lower-case hex; whether it is a point is known when it is signed. */
  readonly B_: string
  readonly keyset: MintKeyset
  /** k of the output's keyset and amount. */
  readonly secretKey: bigint
}

/**
 * Everything about the outputs that needs no table and no arithmetic on points.
 * @param now Unix seconds
 * @throws MintRefusal 11015, 12001, 12002, 12003, 11006, 11008
 */
export function readOutputs(messages: readonly BlindedMessage[], keysets: Keysets, now: number): readonly Output[] {
  if (messages.length > maxOutputs) refuse(nutErrors.maxOutputs, `at most ${maxOutputs} outputs`)
  const outputs = messages.map((message) => readOutput(message, keysets, now))
  if (new Set(outputs.map(({ B_ }) => B_)).size !== outputs.length) {
    refuse(nutErrors.duplicateOutputs, 'one output is given twice')
  }
  return outputs
}

function readOutput({ amount, id, B_ }: BlindedMessage, keysets: Keysets, now: number): Output {
  const keyset = liveKeyset(keysets, id, now)
  if (!keyset.active) refuse(nutErrors.keysetInactive, 'keyset is inactive, it signs nothing any more')
  const secretKey =
    keyset.secretKey(amount) ?? refuse(nutErrors.amountOutsideLimit, 'the keyset has no such denomination')
  return { amount, B_: B_.toLowerCase(), keyset, secretKey }
}

export type Blank = {
  /** As sent: it means nothing, but SIG_ALL covers it. */
  readonly amount: number
  /** Compressed, lower-case hex. */
  readonly B_: string
  readonly keyset: MintKeyset
}

/**
 * Outputs whose amount is decided later (NUT-08).
 * @param now Unix seconds
 * @throws MintRefusal 11015, 12001, 12002, 12003, 11008
 */
export function readBlanks(messages: readonly BlindedMessage[], keysets: Keysets, now: number): readonly Blank[] {
  if (messages.length > maxOutputs) refuse(nutErrors.maxOutputs, `at most ${maxOutputs} outputs`)
  const blanks = messages.map(({ amount, id, B_ }): Blank => {
    const keyset = liveKeyset(keysets, id, now)
    if (!keyset.active) refuse(nutErrors.keysetInactive, 'keyset is inactive, it signs nothing any more')
    return { amount, B_: B_.toLowerCase(), keyset }
  })
  if (new Set(blanks.map(({ B_ }) => B_)).size !== blanks.length) {
    refuse(nutErrors.duplicateOutputs, 'one output is given twice')
  }
  return blanks
}

/** Blank outputs are signed when their melt is paid: by then it is too late to find that one is none. @throws MintRefusal unspecified */
export function assertPoints(blanks: readonly Blank[]): void {
  for (const { B_ } of blanks) orRefuse(() => pointFromHex(B_), unspecified, 'B_ is not a point')
}

/**
 * Sign these amounts on the first blank outputs, inside the transaction that completes their melt. They were checked when
 * it began: a keyset that was rotated since still signs what it promised.
 */
export function signBlanks(
  blanks: readonly BlankOutput[],
  amounts: readonly number[],
  keysets: Keysets,
  requestHash: RequestHash,
  store: Pick<MintStore, 'addSignature'>,
): void {
  const outputs = amounts.map((amount, index): Output => {
    const blank = blanks[index]
    const keyset = blank && keysets.get(blank.keysetId)
    const secretKey = keyset?.secretKey(amount)
    if (!keyset || secretKey === undefined) throw new AppError('internal', 'a blank output that cannot be signed')
    return { amount, B_: blank.B_, keyset, secretKey }
  })
  signOutputs(outputs, requestHash, store)
}

/** @throws MintRefusal 11006 */
export function totalOf(outputs: readonly Output[]): number {
  return orRefuse(
    () => sumAmounts(outputs.map(({ amount }) => amount)),
    nutErrors.amountOutsideLimit,
    'the outputs add up to too much',
  )
}

/**
 * Asked before anything costly: a request that is refused by its last output costs the mint no signature.
 * @throws MintRefusal 11003
 */
export function assertNew(outputs: readonly { readonly B_: string }[], store: Pick<MintStore, 'isTaken'>): void {
  if (outputs.some(({ B_ }) => store.isTaken(B_))) {
    refuse(nutErrors.outputsAlreadySigned, 'an output was signed before, or waits for a payment')
  }
}

/**
 * Sign each output and store it, inside the request's transaction.
 * @throws MintRefusal 11003 when one was signed before, unspecified when one is not a point: before any is signed (the
 *   transaction is rolled back)
 */
export function signOutputs(
  outputs: readonly Output[],
  requestHash: RequestHash,
  store: Pick<MintStore, 'addSignature'>,
): SignaturesResponse {
  const points = outputs.map(({ B_ }) => orRefuse(() => pointFromHex(B_), unspecified, 'B_ is not a point'))
  const signatures = outputs.map((output, position) => {
    const signature = sign(output, points[position] ?? refuse(unspecified, 'B_ is not a point'))
    if (!store.addSignature(signature, requestHash, position)) {
      refuse(nutErrors.outputsAlreadySigned, 'an output was signed before')
    }
    return signature
  })
  return { signatures: signatures.map(toWire) }
}

/** The DLEQ nonce is deterministic, so signing the same output again gives the same bytes. */
function sign({ amount, B_, keyset, secretKey }: Output, point: Point): IssuedSignature {
  const C_ = signBlinded(point, secretKey)
  return { B_, keysetId: keyset.id, amount, C_: pointToHex(C_), ...proveDleq(secretKey, point, C_) }
}

/** A stored signature as it is answered (NUT-00, NUT-12). */
export function toWire({ keysetId, amount, C_, e, s }: IssuedSignature): BlindSignature {
  return { amount, id: keysetId, C_, dleq: { e, s } }
}
