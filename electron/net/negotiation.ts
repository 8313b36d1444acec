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
const maxNegotiationBytes = 1_024

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
  const last = protocols.map((protocol) => `${protocol}\n`)
  let read = new Uint8Array()
  let isOver = false
  return (data) => {
    if (isOver) return
    const more = data.subarray(0, Math.min(data.byteLength, maxNegotiationBytes - read.length))
    read = Buffer.concat([read, more])
    for (const message of messagesOf(read)) {
      isOver = last.includes(message)
      if (isOver) return
    }
    if (data.byteLength > more.byteLength) throw cutOff('breaks the protocol')
  }
}

/** The complete messages, one after another. @throws AppError `peer_unreachable` at a length of more than two bytes */
function* messagesOf(bytes: Uint8Array): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const [first = 0, second = 0] = bytes.subarray(at)
    if (first >= 0x80 && second >= 0x80) throw cutOff('breaks the protocol')
    const length = first < 0x80 ? first : (first & 0x7f) + second * 128
    const start = at + (first < 0x80 ? 1 : 2)
    const end = start + length
    if (end > bytes.length) return
    yield new TextDecoder().decode(bytes.subarray(start, end))
    at = end
  }
}
