// What wallets say to each other: CBOR, frames, bodies, cards. There is one encoding of everything: what is read is
// written again as the very same bytes.

import fc from 'fast-check'
import { type Card, cardProtocol, decodeCard, encodeCard, maxCardBytes } from '../../../shared/card.ts'
import { decodeCbor, decodeLooseCbor, encodeCbor } from '../../../shared/cbor.ts'
import { AppError } from '../../../shared/errors.ts'
import {
  claimSchema,
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeFrame,
  handoverSchema,
  helloSchema,
  maxFrameBytes,
  maxNameBytes,
  payProtocol,
  receiptSchema,
  refusalSchema,
  termsSchema,
} from '../../../shared/messages.ts'
import type { z } from '../../../shared/schema.ts'
import { hold, type Property, plain, type Target } from '../target.ts'
import { frame as anyFrame, bodies, point, textUpTo } from './message-arbitraries.ts'
import { holdSame, holdSameBytes, cbor as structure } from './structures.ts'

const maxBytes = maxFrameBytes + 64
const words = ['hello', 'terms', 'handover', 'receipt', 'refusal', 'body', 'sig', 'kind', 'signed', 'settled', 'final']

const isRefused = (error: unknown): boolean => error instanceof AppError && error.code === 'bad_frame'

/** Values of CBOR that have an encoding here: no fraction is written as a whole number, no number is negative zero. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.string(),
    fc.uint8Array(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('any'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).any

export const cbor: Target = {
  form: 'bytes',
  maxBytes,
  codes: ['bad_frame'],
  structure,
  sample: (seed, count) => fc.sample(value, { seed, numRuns: count }).map(encodeCbor),
  properties: [
    {
      name: 'what is written is read as it was',
      property: fc.property(value, (one) => holdSame(decodeCbor(encodeCbor(one)), one, 'another value')),
    },
  ],
  open: plain((input) => {
    try {
      holdSameBytes(encodeCbor(decodeCbor(input)), input, 'another encoding was accepted')
    } catch (error) {
      if (!isRefused(error)) throw error
    }
    decodeLooseCbor(input)
  }),
}

const roundTrip = <T>(name: string, schema: z.ZodType<T>, any: fc.Arbitrary<T>): Property => ({
  name: `${name}: what is written is read as it was`,
  property: fc.property(any, (body) => holdSame(decodeBody(schema, encodeBody(schema, body)), body, 'another body')),
})

/** Reads a body, and its bytes must be the ones it would be written as. @throws AppError `bad_frame` */
function readBody<T>(schema: z.ZodType<T>, input: Uint8Array): void {
  holdSameBytes(encodeBody(schema, decodeBody(schema, input)), input, 'another encoding was accepted')
}

const readers: readonly ((input: Uint8Array) => void)[] = [
  (input) => readBody(helloSchema, input),
  (input) => readBody(termsSchema, input),
  (input) => readBody(handoverSchema, input),
  (input) => readBody(claimSchema, input),
  (input) => readBody(receiptSchema, input),
  (input) => readBody(refusalSchema, input),
]

/** By every kind: at most one of them reads it. */
function readAsAny(input: Uint8Array): void {
  const read = readers.filter((reader) => {
    try {
      reader(input)
      return true
    } catch (error) {
      if (isRefused(error)) return false
      throw error
    }
  })
  hold(read.length <= 1, 'one body is read as two kinds')
}

const sampleOf = (seed: number): readonly Uint8Array[] => [
  ...fc.sample(bodies.hello, { seed, numRuns: 4 }).map((body) => encodeBody(helloSchema, body)),
  ...fc.sample(bodies.terms, { seed, numRuns: 4 }).map((body) => encodeBody(termsSchema, body)),
  ...fc.sample(bodies.handover, { seed, numRuns: 4 }).map((body) => encodeBody(handoverSchema, body)),
  ...fc.sample(bodies.claim, { seed, numRuns: 4 }).map((body) => encodeBody(claimSchema, body)),
  ...fc.sample(bodies.receipt, { seed, numRuns: 4 }).map((body) => encodeBody(receiptSchema, body)),
  ...fc.sample(bodies.refusal, { seed, numRuns: 4 }).map((body) => encodeBody(refusalSchema, body)),
]

export const body: Target = {
  form: 'bytes',
  maxBytes,
  codes: [],
  words: [...words, 'v', 'paymentId', 'mint', 'keysetIds', 'unit', 'amount', 'requestId', 'memo'],
  structure,
  seeds: sampleOf(1),
  sample: sampleOf,
  properties: [
    roundTrip('hello', helloSchema, bodies.hello),
    roundTrip('terms', termsSchema, bodies.terms),
    roundTrip('handover', handoverSchema, bodies.handover),
    roundTrip('claim', claimSchema, bodies.claim),
    roundTrip('receipt', receiptSchema, bodies.receipt),
    roundTrip('refusal', refusalSchema, bodies.refusal),
  ],
  open: plain(readAsAny),
}

export const frame: Target = {
  form: 'bytes',
  maxBytes,
  codes: ['bad_frame', 'frame_too_large'],
  words: [...words, payProtocol],
  structure,
  sample: (seed, count) => fc.sample(anyFrame, { seed, numRuns: count }).map(encodeFrame),
  properties: [
    {
      name: 'frame: what is written is read as it was',
      property: fc.property(anyFrame, (one) => holdSame(decodeFrame(encodeFrame(one)), one, 'another frame')),
    },
  ],
  open: plain((input) => {
    const read = decodeFrame(input)
    holdSameBytes(encodeFrame(read), input, 'another encoding was accepted')
    for (const part of Object.values(read)) readAsAny(part instanceof Uint8Array ? part : part.body)
  }),
}

const peerId = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const anyCard: fc.Arbitrary<Card> = fc.record(
  { name: textUpTo(maxNameBytes), payeeKey: point, request: fc.constant(null) },
  { noNullPrototype: true },
)

export const card: Target = {
  form: 'bytes',
  maxBytes: maxCardBytes + 64,
  codes: ['bad_frame', 'frame_too_large'],
  words: [cardProtocol, 'name', 'payeeKey', 'request', 'creqA', peerId],
  structure,
  sample: (seed, count) => fc.sample(anyCard, { seed, numRuns: count }).map(encodeCard),
  properties: [
    {
      name: 'card: what is written is read as it was',
      property: fc.property(anyCard, (one) => holdSame(decodeCard(encodeCard(one), peerId), one, 'another card')),
    },
  ],
  open: plain((input) => {
    const read = decodeCard(input, peerId)
    holdSame(decodeCard(encodeCard(read), peerId), read, 'another card')
    hold(read.request === null || read.request.startsWith('creqA'), 'a request that is none')
  }),
}
