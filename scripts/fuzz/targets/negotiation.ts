// Agreeing on a protocol, as a stranger may do it: our look at what arrives, and the library behind it. The first byte says
// which agreement, the second how the rest is cut into pieces.

import { handle, select } from '@libp2p/multistream-select'
import fc from 'fast-check'
import { lookAtBytes } from '../../../electron/net/doorway.ts'
import { type Arrived, inspect, maxNegotiationBytes, negotiationOf } from '../../../electron/net/negotiation.ts'
import { cardProtocol } from '../../../shared/card.ts'
import { AppError } from '../../../shared/errors.ts'
import { payProtocol } from '../../../shared/messages.ts'
import { hold, type OpenTarget, type Target } from '../target.ts'
import { FedStream, settled, waysToCut } from './streams.ts'

type Agreement = {
  readonly look: () => (data: Arrived) => void
  readonly agree: (stream: FedStream) => Promise<string>
}

const ofStream = [payProtocol, cardProtocol]
const agreements: readonly [Agreement, ...Agreement[]] = [
  { look: () => lookAtBytes({ isIn: false }), agree: (stream) => handle(stream, ['/noise']) },
  { look: () => negotiationOf(ofStream), agree: (stream) => handle(stream, ofStream) },
  { look: () => negotiationOf([payProtocol]), agree: (stream) => select(stream, payProtocol) },
]

/** What the library says of bytes that are no agreement. */
const refusals = [
  'InvalidMessageError',
  'InvalidDataLengthError',
  'InvalidDataLengthLengthError',
  'UnsupportedProtocolError',
  // After our side has broken it off.
  'UnexpectedEOFError',
]

/** @returns the protocol agreed on; undefined when one of the two breaks it off, or wants more */
async function agreed({ look, agree }: Agreement, pieces: readonly Arrived[]): Promise<string | undefined> {
  const stream = new FedStream()
  let passed = 0
  const take = stream.onData.bind(stream)
  stream.onData = (data) => {
    passed += data.byteLength
    take(data)
  }
  inspect(stream, look())
  let end: { readonly protocol?: string; readonly error?: unknown } | undefined
  const over = agree(stream).then(
    (protocol) => {
      end = { protocol }
    },
    (error: unknown) => {
      end = { error }
      stream.abort(new AppError('peer_unreachable', 'no agreement'))
    },
  )
  const feed = async (data: Arrived): Promise<void> => {
    if (end) return
    stream.onData(data)
    await settled()
    hold(end !== undefined || passed <= maxNegotiationBytes, 'more passes than an agreement has')
  }
  for (const piece of pieces) await feed(piece)
  const protocol = end?.protocol
  // A library that still reads would read this for as long as it comes.
  for (let left = 2 * maxNegotiationBytes; left > 0 && !end; left -= endless.length) await feed(endless)
  hold(end !== undefined, 'the library reads on, and nobody looks')
  await over
  if (end?.error && !isRefusal(end.error)) throw end.error
  return protocol
}

/** A length that goes on. */
const endless = Buffer.alloc(64, 0x80)

const isRefusal = (error: unknown): boolean =>
  (error instanceof AppError && error.code === 'peer_unreachable') ||
  (error instanceof Error && refusals.includes(error.name))

const lines = (...texts: readonly string[]): Uint8Array =>
  Buffer.concat(
    texts.map((text) => {
      const line = Buffer.from(`${text}\n`)
      return Buffer.concat([lengthOf(line.length), line])
    }),
  )
const lengthOf = (length: number): Uint8Array =>
  length < 0x80 ? Uint8Array.of(length) : Uint8Array.of((length & 0x7f) | 0x80, length >> 7)

const multistream = '/multistream/1.0.0'
/** Around a name, one reader may drop it and the other not. */
const around = fc.constantFrom('', '', '', ' ', '\n', '\r', '\t', '\ufeff', '\u00a0', '\u2028', '\u0000', '/')
const name = fc.constantFrom(multistream, '/noise', payProtocol, cardProtocol, 'ls', 'na', '', '/x'.repeat(100))
const anyAgreement = fc
  .record({
    head: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    texts: fc.array(fc.tuple(around, name, around), { maxLength: 8 }),
  })
  .map(({ head, texts }) => Buffer.concat([head, lines(...texts.map((parts) => parts.join('')))]))

export const negotiation: Target = {
  form: 'bytes',
  maxBytes: 4_096,
  codes: [],
  words: [
    ...[multistream, '/noise', payProtocol, cardProtocol, 'ls', 'na'].map((text) => `${text}\n`),
    ...['\n', ' \n', '\x01\n', '\x07/noise\n', '\x00'],
  ],
  seeds: [
    [Uint8Array.of(0, 7), lines(multistream, '/tls/1.0.0', 'ls', '/noise'), Buffer.alloc(300, 0xff)],
    [Uint8Array.of(1, 8), lines(multistream, payProtocol), Buffer.alloc(2_000, 0x80)],
    [Uint8Array.of(1, 9), lines(cardProtocol)],
    [Uint8Array.of(2, 1), lines(multistream, payProtocol), Buffer.alloc(40, 1)],
    [Uint8Array.of(2, 1), lines(multistream, 'na')],
  ].map((parts) => Buffer.concat(parts)),
  sample: (seed, count) => fc.sample(anyAgreement, { seed, numRuns: count }),
  open: async (): Promise<OpenTarget> => ({
    run: async ([which = 0, cut = 0, ...bytes]) => {
      const agreement = agreements[which % agreements.length] ?? agreements[0]
      const [whole, ...others] = waysToCut(Uint8Array.from(bytes), cut)
      const protocol = await agreed(agreement, whole ?? [])
      for (const pieces of others)
        hold((await agreed(agreement, pieces)) === protocol, 'another agreement in other pieces')
    },
    close: async () => {},
  }),
}
