// Messages of a payment as they may be: every field within its limits, now and then at them.

import fc from 'fast-check'
import { maxAmount } from '../../../shared/amount.ts'
import { maxInputs, maxOutputs } from '../../../shared/cashu/wire.ts'
import { errorCodes } from '../../../shared/errors.ts'
import {
  type Claim,
  type Frame,
  type Handover,
  type Hello,
  maxKeysetIds,
  maxMemoBytes,
  maxNameBytes,
  type Receipt,
  type Refusal,
  type SignedMessage,
  type Terms,
} from '../../../shared/messages.ts'

const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const after = (first: number, length: number): fc.Arbitrary<Uint8Array> =>
  exactly(length - 1).map((rest) => Uint8Array.of(first, ...rest))

export const hash = exactly(32)
export const signature = exactly(64)
export const id = exactly(16)
export const point = fc.oneof(after(2, 33), after(3, 33))
const keysetId = after(1, 33)
export const amount = fc.oneof(
  fc.integer({ min: 1, max: 5000 }),
  fc.constantFrom(1, maxAmount),
  fc.maxSafeInteger().map(atLeastOne),
)
const time = fc.oneof(fc.integer({ min: 0, max: 2_000_000_000 }), fc.constantFrom(0, maxAmount))
const unit = fc.stringMatching(/^[a-z0-9_-]{1,32}$/)
const peer = fc.uint8Array({ minLength: 1, maxLength: 64 })
const output = fc.tuple(amount, point)
const keysetIds = fc.array(keysetId, { minLength: 1, maxLength: maxKeysetIds })

function atLeastOne(value: number): number {
  return Math.max(1, Math.abs(value))
}

/** Text of at most this many bytes in UTF-8. */
export function textUpTo(bytes: number): fc.Arbitrary<string> {
  return fc.string({ unit: 'grapheme', maxLength: bytes }).filter((text) => Buffer.byteLength(text) <= bytes)
}

/** A record in which some fields may be missing. */
const hello: fc.Arbitrary<Hello> = fc.record(
  {
    v: fc.constant(1 as const),
    paymentId: id,
    mint: fc.record({ url: textUpTo(512), keysetIds }, { noNullPrototype: true }),
    unit,
    amount,
    requestId: textUpTo(64),
    memo: textUpTo(maxMemoBytes),
  },
  { requiredKeys: ['v', 'paymentId', 'mint', 'unit', 'amount'], noNullPrototype: true },
)

const terms: fc.Arbitrary<Terms> = fc.record(
  {
    helloHash: hash,
    peers: fc.tuple(peer, peer),
    keysetIds,
    unit,
    amount,
    outputs: fc.array(output, { minLength: 1, maxLength: maxOutputs }),
    payeeKey: point,
    name: textUpTo(maxNameBytes),
    deadline: time,
  },
  { noNullPrototype: true },
)

const input = fc.oneof(
  fc.tuple(keysetId, amount, hash, point, hash, hash, hash),
  fc.tuple(keysetId, amount, hash, point),
)

const handover: fc.Arbitrary<Handover> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('signed' as const),
      termsHash: hash,
      purseKey: point,
      inputs: fc.array(input, { minLength: 1, maxLength: maxInputs }),
      change: fc.array(output, { maxLength: maxOutputs }),
      swapSig: signature,
      claimSig: signature,
      contactSig: signature,
    },
    {
      requiredKeys: ['kind', 'termsHash', 'purseKey', 'inputs', 'change', 'swapSig', 'claimSig'],
      noNullPrototype: true,
    },
  ),
  fc.record(
    {
      kind: fc.constant('settled' as const),
      termsHash: hash,
      signatures: fc.array(fc.tuple(keysetId, amount, point, hash, hash), { minLength: 1, maxLength: maxOutputs }),
    },
    { noNullPrototype: true },
  ),
)

const claim: fc.Arbitrary<Claim> = fc.record(
  {
    purseKey: point,
    keysetIds: fc.array(keysetId, { minLength: 1, maxLength: maxInputs }),
    Ys: fc.array(point, { minLength: 1, maxLength: maxInputs }),
    swapDigest: hash,
    termsHash: hash,
    payeeKey: point,
    deadline: time,
  },
  { noNullPrototype: true },
)

const receipt: fc.Arbitrary<Receipt> = fc.record(
  { termsHash: hash, swapDigest: hash, grade: fc.constantFrom('signed' as const, 'final' as const), at: time },
  { requiredKeys: ['termsHash', 'grade', 'at'], noNullPrototype: true },
)

const refusal: fc.Arbitrary<Refusal> = fc.record(
  { helloHash: hash, swapDigest: hash, code: fc.constantFrom(...errorCodes), at: time },
  { requiredKeys: ['code', 'at'], noNullPrototype: true },
)

export const bodies = { hello, terms, handover, claim, receipt, refusal } as const

const someBytes = fc.uint8Array({ minLength: 1, maxLength: 600 })
const signed: fc.Arbitrary<SignedMessage> = fc.record({ body: someBytes, sig: signature }, { noNullPrototype: true })

export const frame: fc.Arbitrary<Frame> = fc.oneof(
  someBytes.map((bytes) => ({ hello: bytes })),
  someBytes.map((bytes) => ({ handover: bytes })),
  signed.map((message) => ({ terms: message })),
  signed.map((message) => ({ receipt: message })),
  signed.map((message) => ({ refusal: message })),
)
