// A payee's card over one stream: the payee sends it and closes, whoever opened the stream says nothing.

import type { Stream, StreamHandler } from '@libp2p/interface'
import { type Card, decodeCard, encodeCard, maxCardBytes } from '../../shared/card.ts'
import { AppError, toAppError } from '../../shared/errors.ts'
import { framesOf } from './pay-frames.ts'

/** Longest life of a stream at the payee, in milliseconds. */
export const cardWaitMs = 5_000

/**
 * The payee's side, for `node.handle`. `card` is asked each time; null, while this wallet does not want to be seen, resets
 * the stream without a word.
 */
export function serveCard(card: () => Card | null, waitMs: number): StreamHandler {
  return async (stream) => {
    const signal = AbortSignal.timeout(waitMs)
    // Also when all was sent: a stream is over when both sides have closed it, and the other may never.
    signal.addEventListener('abort', () => stream.abort(new AppError('peer_timeout', 'the stream was not closed')))
    try {
      const shown = card()
      if (shown === null) throw new AppError('peer_unreachable', 'not visible')
      await framesOf(stream, maxCardBytes).write(encodeCard(shown), signal)
      await stream.close({ signal })
    } catch (error) {
      stream.abort(toAppError(error))
    }
  }
}

/** The other side of a stream it opened to the peer with this id. @throws AppError as `Frames.read` and `decodeCard` */
export async function readCard(stream: Stream, peerId: string, signal: AbortSignal): Promise<Card> {
  return decodeCard(await framesOf(stream, maxCardBytes).read(signal), peerId)
}
