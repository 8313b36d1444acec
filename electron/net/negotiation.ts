// Agreeing on a protocol (libp2p specs, multistream-select) is where a stranger may speak before anybody knows who it is,
// and the library reads a length that never ends byte by byte for as long as bytes come. So what arrives is looked at first.

import type { MessageStream } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AppError, toAppError } from '../../shared/errors.ts'
import { cutOff } from './offences.ts'

/** Bytes that arrived, in one piece or several. */
export type Arrived = Uint8Array | Uint8ArrayList

/** All bytes of one agreement. Honest ones have about 60: the name of multistream-select and one protocol. */
export const maxNegotiationBytes = 1_024

/**
 * Nothing reaches the stream's readers that `look` has not seen; what it throws aborts the stream, and they never see what
 * it was thrown for.
 */
export function inspect(stream: MessageStream, look: (data: Arrived) => void): void {
  if (!(stream instanceof AbstractMessageStream)) throw new AppError('internal', 'a stream that cannot be inspected')
  const take = stream.onData.bind(stream)
  stream.onData = (data) => {
    try {
      look(data)
    } catch (thrown) {
      stream.abort(toAppError(thrown))
      return
    }
    take(data)
  }
}

/**
 * Reads along until one of `protocols` was named: each message is its length in one or two bytes, and text of that many.
 * What comes after is none of its business. @throws AppError `peer_unreachable` (from the function returned)
 */
export function negotiationOf(protocols: readonly string[]): (data: Arrived) => void {
  let bytesLeft = maxNegotiationBytes
  let unread = new Uint8Array()
  let isOver = false
  return (data) => {
    if (isOver) return
    const more = data.subarray(0, Math.min(data.byteLength, bytesLeft))
    bytesLeft -= more.byteLength
    unread = Buffer.concat([unread, more])
    while (!isOver) {
      const message = firstMessage(unread)
      if (!message) break
      isOver = names(message.bytes, protocols)
      unread = unread.subarray(message.end)
    }
    if (!isOver && data.byteLength > more.byteLength) throw cutOff('breaks the protocol')
  }
}

/** @returns undefined when it is not complete. @throws AppError `peer_unreachable` at a length of more than two bytes */
function firstMessage(unread: Uint8Array): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const [first, second = 0] = unread
  if (first === undefined) return undefined
  if (first >= 0x80 && second >= 0x80) throw cutOff('breaks the protocol')
  const length = first < 0x80 ? first : (first & 0x7f) + second * 128
  const start = first < 0x80 ? 1 : 2
  const end = start + length
  return end <= unread.length ? { bytes: unread.subarray(start, end), end } : undefined
}

/**
 * Exactly as the library reads a name (`readString` of @libp2p/multistream-select), white space at its end included: where it
 * would read on, so must we.
 */
function names(message: Uint8Array, protocols: readonly string[]): boolean {
  const text = Buffer.from(message).toString('utf8')
  return text.endsWith('\n') && protocols.includes(text.trimEnd())
}
