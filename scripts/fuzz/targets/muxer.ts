// Frames of yamux, as somebody may send them who is in: our look at their headers and the library behind it, made as the
// app makes them. The first byte says who dialled, the second how the rest is cut into pieces.

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { StreamMuxerFactory } from '@libp2p/interface'
import fc from 'fast-check'
import { type FrameHeader, headerBytes, maxWindowBytes, readFrames } from '../../../electron/net/guarded.ts'
import type { Arrived } from '../../../electron/net/negotiation.ts'
import { nodeOptions } from '../../../electron/net/node-options.ts'
import { cardProtocol } from '../../../shared/card.ts'
import { AppError } from '../../../shared/errors.ts'
import { maxFrameBytes, payProtocol } from '../../../shared/messages.ts'
import { z } from '../../../shared/schema.ts'
import { Broken, hold, type OpenTarget, type Target } from '../target.ts'
import { FedStream, settled, waysToCut } from './streams.ts'
import { holdSame } from './structures.ts'

/** What the library ends a connection for. */
const libraryErrors = [
  'InvalidFrameError',
  'InvalidParametersError',
  'NotMatchingPingError',
  'ReceiveWindowExceededError',
  'UnRequestedPingError',
]
/** Up to these no rate is used up, however slow or quick a machine is. */
const fewFrames = 200
const fewStreams = 50
/** As `nodeOptions` has them: unread bytes on one stream, and streams that the other side opened. */
const maxUnreadBytes = 2 * maxFrameBytes
const maxStreams = 32

const typeNames = ['Data', 'WindowUpdate', 'Ping', 'GoAway']
const flagNames = ['SYN', 'ACK', 'FIN', 'RST']
/** What the library says of a frame that it has read to its end. */
const told = z.object({ type: z.string(), flags: z.array(z.string()), streamID: z.number(), length: z.number() })
type Told = z.infer<typeof told>

const asTold = ({ type, flags, streamId, length }: FrameHeader): Told => ({
  type: typeNames[type] ?? '',
  flags: flagNames.filter((_, bit) => (flags & (1 << bit)) !== 0),
  streamID: streamId,
  length,
})
const bytesOfFrame = ({ type, length }: Told): number => headerBytes + (type === 'Data' ? length : 0)

const components = { registrar: { getProtocols: () => [payProtocol, cardProtocol] } }
type Reading = { readonly ours: readonly Told[]; readonly theirs: readonly Told[]; readonly isEnded: boolean }

/** One connection. @throws Broken, and what the library should not have thrown */
async function reading(muxers: StreamMuxerFactory, direction: Direction, pieces: readonly Arrived[]): Promise<Reading> {
  const [ours, theirs]: [Told[], Told[]] = [[], []]
  const connection = new FedStream(direction, (format, value) => {
    if (format === 'received frame %o') theirs.push(told.parse(value))
  })
  let end: { readonly error: unknown } | undefined
  connection.addEventListener('close', ({ error }) => {
    end = { error }
  })
  const muxer = muxers.createStreamMuxer(connection)
  muxer.addEventListener('stream', () => {})
  await settled()
  const readAlong = readFrames((header) => void ours.push(asTold(header)))
  let compared = 0
  let held = 0
  const feed = async (data: Arrived): Promise<void> => {
    held += data.byteLength
    readOrRefuse(readAlong, data)
    connection.onData(data)
    await settled()
    for (const frame of theirs.slice(compared)) {
      holdSame(frame, ours[compared++], 'the library reads another frame')
      held -= bytesOfFrame(frame)
    }
    const unread = muxer.streams.map(({ readBufferLength }) => readBufferLength)
    hold(Math.max(0, ...unread) <= maxUnreadBytes, 'a stream holds too much')
    hold(muxer.streams.length <= maxStreams, 'too many streams')
    if (end) return
    hold(held < headerBytes + maxWindowBytes, 'too much is held of a frame that is not complete')
    const missing = ours.slice(compared)
    hold(missing.length <= 1 && missing.every(({ type }) => type === 'Data'), 'the library reads fewer frames')
  }
  for (const piece of pieces) if (!end) await feed(piece)
  const isEnded = end !== undefined
  // More than may be missing of any frame.
  for (let left = 2 * maxWindowBytes; left > 0 && !end; left -= filling.length) await feed(filling)
  hold(end !== undefined, 'the library reads on')
  muxer.abort(new AppError('peer_unreachable', 'the end'))
  await settled()
  if (!isExpected(end?.error)) throw end?.error ?? new Broken('it ended without an error')
  return { ours, theirs, isEnded }
}

type Direction = 'inbound' | 'outbound'

/** A header that is none ends the connection, too: `end` tells. */
function readOrRefuse(look: (data: Arrived) => void, data: Arrived): void {
  try {
    look(data)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}

/** Data, or the beginning of a header that is none. */
const filling = Buffer.alloc(64 * 1024, 1)

const isExpected = (error: unknown): boolean =>
  (error instanceof AppError && error.code === 'peer_unreachable') ||
  (error instanceof Error && libraryErrors.includes(error.name))

/** Whether what happens depends on the bytes alone: no rate, and no answer to a ping that may be over already. */
function isPlain({ ours }: Reading): boolean {
  const opened = ours.filter(({ flags, streamID }) => flags.includes('SYN') && streamID !== 0)
  const pongs = ours.filter(({ type, flags }) => type === 'Ping' && flags.includes('ACK'))
  return ours.length <= fewFrames && opened.length <= fewStreams && pongs.length <= 1
}

const frame = (
  type: number,
  flags: number,
  streamId: number,
  length: number,
  data: Uint8Array = new Uint8Array(),
): Uint8Array => {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt8(type, 1)
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(streamId, 4)
  header.writeUInt32BE(length, 8)
  return Buffer.concat([header, data])
}
const framed = (flags: number, streamId: number, data: Uint8Array): Uint8Array =>
  frame(0, flags, streamId, data.length, data)
const negotiated = Buffer.from(`\x13/multistream/1.0.0\n${String.fromCharCode(payProtocol.length + 1)}${payProtocol}\n`)
const [syn, ack, fin, rst] = [1, 2, 4, 8]
const [windowUpdate, ping, goAway] = [1, 2, 3]

/** Numbers that mean something to one of the two readers, and any. */
const anyNumber = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 12, maxWindowBytes, maxWindowBytes + 1, 2 ** 31, 2 ** 32 - 1),
  fc.nat(2_000),
)
const anyFrame = fc
  .record({
    type: fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, fc.nat(255)),
    flags: fc.oneof({ weight: 9, arbitrary: fc.nat(15) }, fc.nat(0xffff)),
    streamId: fc.oneof({ weight: 9, arbitrary: fc.nat(6) }, anyNumber),
    data: fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(negotiated, new Uint8Array(2_000))),
    lie: fc.option(anyNumber, { freq: 6 }),
  })
  .map(({ type, flags, streamId, data, lie }) =>
    type === 0 ? frame(type, flags, streamId, lie ?? data.length, data) : frame(type, flags, streamId, lie ?? 0),
  )
const anyInput = fc
  .record({ head: fc.uint8Array({ minLength: 2, maxLength: 2 }), frames: fc.array(anyFrame, { maxLength: 12 }) })
  .map(({ head, frames }) => Buffer.concat([head, ...frames]))

export const muxer: Target = {
  form: 'bytes',
  maxBytes: 300_000,
  codes: [],
  words: [payProtocol, cardProtocol],
  seeds: [
    [
      Uint8Array.of(0, 3),
      frame(windowUpdate, syn, 1, 0),
      framed(0, 1, negotiated),
      framed(fin, 1, Buffer.alloc(500, 7)),
    ],
    [
      Uint8Array.of(0, 4),
      framed(syn, 1, negotiated),
      framed(0, 1, new Uint8Array(140_000)),
      frame(windowUpdate, rst, 1, 0),
    ],
    [
      Uint8Array.of(1, 5),
      frame(ping, syn, 0, 9),
      frame(ping, ack, 0, 0),
      framed(syn, 2, negotiated),
      frame(goAway, 0, 0, 0),
    ],
    [Uint8Array.of(0, 6), ...Array.from({ length: 40 }, (_, index) => frame(windowUpdate, syn, 2 * index + 1, 0))],
    [Uint8Array.of(0, 6), frame(0, syn, 1, maxWindowBytes, new Uint8Array(maxWindowBytes))],
    [Uint8Array.of(0, 6), frame(0, syn, 1, maxWindowBytes + 1)],
    [Uint8Array.of(0, 6), ...Array.from({ length: 300 }, () => frame(ping, syn, 0, 1))],
  ].map((parts) => Buffer.concat(parts)),
  sample: (seed, count) => fc.sample(anyInput, { seed, numRuns: count }),
  open: async (): Promise<OpenTarget> => {
    const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(1))
    return {
      run: async (input) => {
        const [who = 0, cut = 0] = input
        const direction = who % 2 === 0 ? 'inbound' : 'outbound'
        const readings: Reading[] = []
        // Rates are of a node: each connection here is the first one of its own.
        for (const pieces of waysToCut(input.subarray(2), cut))
          for (const make of nodeOptions(privateKey).streamMuxers)
            readings.push(await reading(make(components), direction, pieces))
        const [first, ...others] = readings.filter(isPlain)
        for (const other of others) {
          hold(first?.isEnded === other.isEnded, 'in other pieces it ends differently')
          if (!other.isEnded) holdSame(other, first, 'in other pieces it reads differently')
        }
      },
      close: async () => {},
    }
  },
}
