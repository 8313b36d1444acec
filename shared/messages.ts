// The messages of one payment, byte by byte (protocol sections 3 and 10): schemas, encoding, hashes, signatures.
// A frame is a CBOR map with one key, the name of its kind. What is hashed or signed travels as the byte string it was
// hashed or signed as; it is verified first and parsed after.

import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { maxAmount } from './amount.ts'
import { compareBytes, utf8ToBytes } from './cashu/numbers.ts'
import { maxInputs, maxOutputs } from './cashu/wire.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { AppError, errorCodes } from './errors.ts'
import { readAs, z } from './schema.ts'

/** Name of the libp2p protocol, with its version. */
export const payProtocol = '/farthing/pay/1.0.0'
export const protocolVersion = 1
export const maxFrameBytes = 64 * 1024
/** A Hello has 1.2 KiB at most: an address of 512 bytes, eight keyset ids, a memo. With room for what comes later. */
export const maxHelloBytes = 4 * 1024
/** The map around it: its kind, and the length of the body. */
export const maxHelloFrameBytes = maxHelloBytes + 16
export const maxKeysetIds = 8
export const maxNameBytes = 64
export const maxMemoBytes = 140

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length, `expected ${length} bytes`)
const bytesUpTo = (length: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length > 0 && value.length <= length,
    `expected 1 … ${length} bytes`,
  )
/** Text of at most this many bytes in UTF-8. */
export const utf8UpTo = (length: number) =>
  z.string().refine((text) => text.isWellFormed() && utf8ToBytes(text).length <= length, `longer than ${length} bytes`)

/** 33 bytes whose first says 02 or 03. Whether they lie on the curve is the verifier's business. */
export const point = bytes(33).refine((value) => value[0] === 2 || value[0] === 3, 'not a compressed point')
const hash = bytes(32)
const signature = bytes(64)
const id = bytes(16)
/** V2 keyset id: version byte 01 and 32 bytes of hash. */
const keysetId = bytes(33).refine((value) => value[0] === 1, 'not a V2 keyset id')
const amount = z.number().int().min(1).max(maxAmount)
const time = z.number().int().min(0).max(maxAmount)
const unit = z.string().regex(/^[a-z0-9_-]{1,32}$/)
const output = z.tuple([amount, point])
const outputs = z.array(output).min(1).max(maxOutputs)
/** Raw bytes of a libp2p peer id (multihash): 34 to 42 for the key types there are. */
const peer = bytesUpTo(64)

/** `[amount, B_]` of one coin that is asked for. */
export type Output = z.infer<typeof output>

export const helloSchema = z.strictObject({
  v: z.literal(protocolVersion),
  paymentId: id,
  mint: z.strictObject({ url: utf8UpTo(512), keysetIds: z.array(keysetId).min(1).max(maxKeysetIds) }),
  unit,
  amount,
  requestId: utf8UpTo(64).optional(),
  memo: utf8UpTo(maxMemoBytes).optional(),
  /** Swap digest of a dead handover that this payment signs anew (protocol section 8). */
  replaces: hash.optional(),
})
export type Hello = z.infer<typeof helloSchema>

export const termsSchema = z.strictObject({
  helloHash: hash,
  /** [payer, payee] as the payee's stream shows them. */
  peers: z.tuple([peer, peer]),
  /** Keysets of this mint and unit the payee has verified itself. */
  keysetIds: z.array(keysetId).min(1).max(maxKeysetIds),
  unit,
  amount,
  outputs,
  payeeKey: point,
  name: utf8UpTo(maxNameBytes),
  /** Unix seconds until which the payee waits for the handover and the payer may not reclaim unasked. */
  deadline: time,
})
export type Terms = z.infer<typeof termsSchema>

/**
 * [keysetId, amount, nonce, C, e, s, r] of one coin that is handed over. The form without e, s, r is readable so that a
 * missing DLEQ proof can be refused by its name.
 */
const input = z.union([
  z.tuple([keysetId, amount, hash, point, hash, hash, hash]),
  z.tuple([keysetId, amount, hash, point]),
])
export type Input = z.infer<typeof input>

export const signedHandoverSchema = z.strictObject({
  kind: z.literal('signed'),
  termsHash: hash,
  purseKey: point,
  inputs: z.array(input).min(1).max(maxInputs),
  change: z.array(output).max(maxOutputs),
  /** BIP-340 over the swap digest: the witness of input 0. */
  swapSig: signature,
  claimSig: signature,
  contactSig: signature.optional(),
})
export type SignedHandover = z.infer<typeof signedHandoverSchema>

export const settledHandoverSchema = z.strictObject({
  kind: z.literal('settled'),
  termsHash: hash,
  /** [keysetId, amount, C_, e, s] for each of the Terms' outputs, in their order. */
  signatures: z
    .array(z.tuple([keysetId, amount, point, hash, hash]))
    .min(1)
    .max(maxOutputs),
})
export type SettledHandover = z.infer<typeof settledHandoverSchema>
export const handoverSchema = z.discriminatedUnion('kind', [signedHandoverSchema, settledHandoverSchema])
export type Handover = z.infer<typeof handoverSchema>

export const claimSchema = z.strictObject({
  purseKey: point,
  keysetIds: z.array(keysetId).min(1).max(maxInputs),
  Ys: z.array(point).min(1).max(maxInputs),
  swapDigest: hash,
  termsHash: hash,
  payeeKey: point,
  deadline: time,
})
export type Claim = z.infer<typeof claimSchema>

export const receiptSchema = z.strictObject({
  termsHash: hash,
  swapDigest: hash.optional(),
  grade: z.enum(['signed', 'final']),
  at: time,
})
export type Receipt = z.infer<typeof receiptSchema>

export const refusalSchema = z.strictObject({
  helloHash: hash.optional(),
  swapDigest: hash.optional(),
  code: z.enum(errorCodes),
  at: time,
})
export type Refusal = z.infer<typeof refusalSchema>

/** What a signature stands under; part of the hash, so that a signature of one kind is never one of another. */
export type SignedKind = 'terms' | 'claim' | 'receipt' | 'refusal' | 'contact'

export const signedMessageSchema = z.strictObject({ body: bytesUpTo(maxFrameBytes), sig: signature })
export type SignedMessage = z.infer<typeof signedMessageSchema>

const frameSchema = z.union([
  z.strictObject({ hello: bytesUpTo(maxHelloBytes) }),
  z.strictObject({ terms: signedMessageSchema }),
  z.strictObject({ handover: bytesUpTo(maxFrameBytes) }),
  z.strictObject({ receipt: signedMessageSchema }),
  z.strictObject({ refusal: signedMessageSchema }),
])
export type Frame = z.infer<typeof frameSchema>

/** @throws AppError `frame_too_large` when the frame would not pass the other side's limit */
export function encodeFrame(frame: Frame): Uint8Array {
  const encoded = encodeCbor(frame)
  if (encoded.length > maxFrameBytes) throw new AppError('frame_too_large', 'frame above 64 KiB')
  return encoded
}

/** @throws AppError `frame_too_large`, `bad_frame` */
export function decodeFrame(encoded: Uint8Array): Frame {
  if (encoded.length > maxFrameBytes) throw new AppError('frame_too_large', 'frame above 64 KiB')
  return parse(frameSchema, encoded)
}

/** Encode a body after checking it against its schema: what we send, we would accept. @throws AppError `bad_input` */
export function encodeBody<T>(schema: z.ZodType<T>, body: T): Uint8Array {
  const parsed = readAs(schema, body)
  if (!parsed.success) throw new AppError('bad_input', `not a message: ${issueOf(parsed.error)}`)
  return encodeCbor(parsed.data)
}

/** @throws AppError `bad_frame` */
export function decodeBody<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  return parse(schema, body)
}

function parse<T>(schema: z.ZodType<T>, encoded: Uint8Array): T {
  const parsed = readAs(schema, decodeCbor(encoded))
  if (!parsed.success) throw new AppError('bad_frame', `unexpected message: ${issueOf(parsed.error)}`)
  return parsed.data
}

function issueOf(error: z.ZodError): string {
  const [issue] = error.issues
  return issue ? `${issue.path.join('.')} ${issue.message}`.slice(0, 200) : 'no reason'
}

/** SHA-256 of a body as it travels: helloHash, termsHash. */
export function bodyHash(body: Uint8Array): Uint8Array {
  return sha256(body)
}

/** The 32 bytes that are signed: BIP-340 tagged hash under 'farthing/<kind>/1' (protocol section 10). */
export function signingHash(kind: SignedKind, body: Uint8Array): Uint8Array {
  const tag = sha256(utf8ToBytes(`farthing/${kind}/1`))
  return sha256.create().update(tag).update(tag).update(body).digest()
}

/** Whether `sig` is `key`'s (compressed, 33 bytes) over `body` as a message of this kind. Public values only. */
export function verifySigned(kind: SignedKind, body: Uint8Array, sig: Uint8Array, key: Uint8Array): boolean {
  try {
    return schnorr.verify(sig, signingHash(kind, body), key.subarray(1))
  } catch {
    return false
  }
}

/** Order of outputs in Terms and in a swap: by amount, then B_, as raw bytes (protocol section 10). */
export function compareOutputs([amountA, A]: Output, [amountB, B]: Output): number {
  return amountA - amountB || compareBytes(A, B)
}

/** Whether a list stands in its one allowed order, without equal neighbours. */
export function isStrictlySorted<T>(items: readonly T[], compare: (a: T, b: T) => number): boolean {
  return items.every((item, index) => {
    const next = items[index + 1]
    return next === undefined || compare(item, next) < 0
  })
}
