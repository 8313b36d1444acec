// Frames on a libp2p stream: each is a byte string behind its length as an unsigned varint (multiformats/unsigned-varint).

import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AppError } from '../../shared/errors.ts'
import { maxFrameBytes } from '../../shared/messages.ts'

/** A varint has 7 bits in each byte: three reach beyond `maxFrameBytes`. */
const maxLengthBytes = 3

/** Both throw AppError: `peer_timeout` when `signal` is aborted, `frame_too_large`, else `peer_unreachable`. */
export type Frames = {
  read(signal: AbortSignal): Promise<Uint8Array>
  write(frame: Uint8Array, signal: AbortSignal): Promise<void>
}

/**
 * To be called in the same tick in which the stream appears: bytes that arrive before are lost.
 * @param maxBytes of one frame, up to `maxFrameBytes`
 */
export function framesOf(stream: Stream, maxBytes: number = maxFrameBytes): Frames {
  // Most that is held unread: the frame that is read, and a hasty next one.
  const maxBufferSize = 2 * (maxLengthBytes + maxBytes)
  const prefixed = lpStream(stream, { maxDataLength: maxBytes, maxBufferSize, lengthDecoder: decodeLength })
  return {
    read: (signal) => translateErrors(signal, async () => (await prefixed.read({ signal })).slice()),
    write: async (frame, signal) => {
      if (frame.byteLength > maxBytes) throw new AppError('frame_too_large', 'frame to send is too large')
      await translateErrors(signal, () => prefixed.write(frame, { signal }))
    },
  }
}

/**
 * Called by `lpStream` after every byte of a length. A RangeError makes it read another byte, for ever if need be:
 * hence the other error when a length does not end where every allowed one does.
 */
function decodeLength(prefix: Uint8ArrayList): number {
  const groups = prefix.subarray()
  const ended = (groups.at(-1) ?? 0x80) < 0x80
  if (!ended && groups.length >= maxLengthBytes)
    throw new AppError('frame_too_large', 'length of more than three bytes')
  if (!ended) throw new RangeError('the length goes on')
  return groups.reduce((length, group, index) => length + (group & 0x7f) * 128 ** index, 0)
}

/** Names of the errors of `lpStream` for a frame, or a heap of them, above the limits it was given. */
const sizeErrors = ['InvalidDataLengthError', 'InvalidDataLengthLengthError', 'StreamBufferError']

async function translateErrors<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    if (signal.aborted) throw new AppError('peer_timeout', 'the other side took too long', { cause, retryable: true })
    if (cause instanceof Error && sizeErrors.includes(cause.name)) {
      throw new AppError('frame_too_large', 'the other side sent too much', { cause })
    }
    throw new AppError('peer_unreachable', 'the stream broke', { cause, retryable: true })
  }
}
