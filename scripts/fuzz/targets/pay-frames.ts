// Frames of a payment and of a card on a stream, each behind its length as a varint. The first byte says which of the two,
// the second how the rest is cut into pieces.

import fc from 'fast-check'
import type { Arrived } from '../../../electron/net/negotiation.ts'
import { framesOf } from '../../../electron/net/pay-frames.ts'
import { maxCardBytes } from '../../../shared/card.ts'
import { AppError } from '../../../shared/errors.ts'
import { maxFrameBytes } from '../../../shared/messages.ts'
import { hold, type OpenTarget, type Target } from '../target.ts'
import { FedStream, settled, waysToCut } from './streams.ts'
import { holdSame } from './structures.ts'

/** Of a varint (multiformats/unsigned-varint): seven bits in each byte. */
const maxLengthBytes = 3
/** More than a payment has. */
const maxFrames = 16
type End = 'frame_too_large' | 'peer_unreachable' | 'enough'
type Reading = { readonly frames: readonly string[]; readonly end: End }

/** The first frames of a stream, read as fast as they come, until the other side closes it. */
async function reading(pieces: readonly Arrived[], maxBytes: number): Promise<Reading> {
  const stream = new FedStream()
  const { read } = framesOf(stream, maxBytes)
  const frames: string[] = []
  let end: End | undefined
  const readAll = async (): Promise<void> => {
    while (frames.length < maxFrames) frames.push(hex(await read(new AbortController().signal)))
    end = 'enough'
  }
  const over = readAll().catch((error: unknown) => {
    if (!(error instanceof AppError) || (error.code !== 'frame_too_large' && error.code !== 'peer_unreachable'))
      throw error
    end = error.code
    // As whoever reads does it: what comes later is not kept.
    stream.abort(error)
  })
  for (const piece of pieces) {
    if (end) break
    stream.onData(piece)
    await settled()
  }
  stream.onRemoteCloseWrite()
  await over
  return { frames, end: end ?? 'peer_unreachable' }
}

/** The same by the specification, of all bytes at once: what has to come out when no piece is larger than may be held. */
function expected(bytes: Uint8Array, maxBytes: number): Reading {
  const frames: string[] = []
  for (let at = 0; frames.length < maxFrames; ) {
    const prefix = bytes.subarray(at, at + maxLengthBytes)
    const last = prefix.findIndex((byte) => byte < 0x80)
    if (last < 0) return { frames, end: prefix.length < maxLengthBytes ? 'peer_unreachable' : 'frame_too_large' }
    const length = prefix.subarray(0, last + 1).reduce((sum, byte, index) => sum + (byte & 0x7f) * 128 ** index, 0)
    if (length > maxBytes || last + 1 > lengthBytes(maxBytes)) return { frames, end: 'frame_too_large' }
    const [from, to] = [at + last + 1, at + last + 1 + length]
    if (to > bytes.length) return { frames, end: 'peer_unreachable' }
    frames.push(hex(bytes.subarray(from, to)))
    at = to
  }
  return { frames, end: 'enough' }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const lengthBytes = (length: number): number => (length < 2 ** 7 ? 1 : length < 2 ** 14 ? 2 : 3)

/** Nobody reads what comes: a payee that thinks, or a payer that waits for a person. @throws Broken */
async function holdLittle(pieces: readonly Arrived[], maxBytes: number): Promise<void> {
  const stream = new FedStream()
  framesOf(stream, maxBytes)
  // The frame that is read, and a hasty next one.
  const maxHeld = 2 * (maxLengthBytes + maxBytes)
  let held = 0
  const enough = Array.from({ length: 1 + maxHeld / filling.length }, () => filling)
  for (const piece of [...pieces, ...enough]) {
    if (stream.status !== 'open') return
    stream.onData(piece)
    held += piece.byteLength
    await settled()
    hold(stream.status !== 'open' || held <= maxHeld, 'too much is held')
  }
  hold(stream.status !== 'open', 'it is never too much')
}

const filling = new Uint8Array(maxCardBytes)

const framed = (frame: Uint8Array): Uint8Array => Buffer.concat([varint(frame.length), frame])
function varint(length: number): Uint8Array {
  const bytes: number[] = []
  let left = length
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left & 0x7f) | 0x80)
  return Uint8Array.of(...bytes, left)
}

const anyLength = fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, maxCardBytes, maxCardBytes + 1, maxFrameBytes + 1)
const anyInput = fc
  .record({
    head: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    frames: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
    last: fc.option(anyLength.map((length) => Buffer.concat([varint(length), new Uint8Array(length)]))),
  })
  .map(({ head, frames, last }) => Buffer.concat([head, ...frames.map(framed), last ?? new Uint8Array()]))

export const payFrames: Target = {
  form: 'bytes',
  maxBytes: maxFrameBytes + 8,
  codes: [],
  words: ['\x00', '\x7f', '\x01\x00'],
  seeds: [
    [Uint8Array.of(0, 1), framed(Buffer.from('hello')), framed(new Uint8Array()), framed(Buffer.alloc(200, 1))],
    [Uint8Array.of(1, 2), framed(Buffer.alloc(maxCardBytes, 2))],
    [Uint8Array.of(0, 3), framed(Buffer.alloc(maxFrameBytes, 2))],
    [Uint8Array.of(0, 4), varint(maxFrameBytes + 1)],
    [Uint8Array.of(1, 5), varint(maxCardBytes + 1)],
    [Uint8Array.of(0, 6), Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0)],
    [Uint8Array.of(1, 6), Uint8Array.of(0x81, 0x80, 0x00, 7)],
  ].map((parts) => Buffer.concat(parts)),
  sample: (seed, count) => fc.sample(anyInput, { seed, numRuns: count }),
  open: async (): Promise<OpenTarget> => ({
    run: async (input) => {
      const [which = 0, cut = 0] = input
      const maxBytes = which % 2 === 0 ? maxFrameBytes : maxCardBytes
      const bytes = input.subarray(2)
      const right = expected(bytes, maxBytes)
      for (const pieces of waysToCut(bytes, cut)) {
        const read = await reading(pieces, maxBytes)
        // A piece may be larger than all that may be held.
        if (pieces.every(({ byteLength }) => byteLength <= maxLengthBytes + maxBytes))
          holdSame(read, right, 'other frames')
        await holdLittle(pieces, maxBytes)
      }
    },
    close: async () => {},
  }),
}
