// One payment over one stream: Hello, Terms, Handover, Receipt (protocol section 3). Frames pass unread; the engine
// knows what is in them. A payer that comes back opens a new stream and sends the same Hello.

import type { Connection, Stream, StreamHandler } from '@libp2p/interface'
import { type AppError, toAppError } from '../../shared/errors.ts'
import type { PayeeProtocol, PaySession, RemotePayer } from '../wallet/ports.ts'
import { hostOf } from './host-of.ts'
import { cutOff, type Offence, type OnOffence, offenceOf } from './offences.ts'
import { framesOf } from './pay-frames.ts'
import type { Turns } from './turns.ts'

/** Longest waits of the payee, in milliseconds. `handoverMs` leaves a person the time to confirm. */
export type PayeeWaits = {
  readonly helloMs: number
  readonly handoverMs: number
  /** For the payer to take an answer. */
  readonly answerMs: number
}

export const payeeWaits: PayeeWaits = { helloMs: 5_000, handoverMs: 60_000, answerMs: 5_000 }

/** Whether an address may begin another payment now, when its frames are answered, and who is told when it does wrong. */
export type PayeeDoor = {
  readonly mayPay: { take(address: string): boolean }
  readonly turns: Turns
  readonly onOffence: OnOffence
}

/** The payee's side, for `node.handle`. A stream that fails in any way is reset; no other stream notices. */
export function servePayments(
  protocol: PayeeProtocol,
  payeePeer: Uint8Array,
  waits: PayeeWaits,
  { mayPay, turns, onOffence }: PayeeDoor,
): StreamHandler {
  return async (stream, connection) => {
    const frames = framesOf(stream)
    const address = hostOf(connection.remoteAddr)
    let hasHello = false
    const answer = async (waitMs: number, reply: (frame: Uint8Array) => Promise<Uint8Array>): Promise<void> => {
      const frame = await frames.read(AbortSignal.timeout(waitMs))
      if (!(await turns.wait(address))) throw cutOff('pays too often')
      // Nobody to answer any more.
      if (stream.status !== 'open') return
      await frames.write(await reply(frame), AbortSignal.timeout(waits.answerMs))
    }
    try {
      if (!mayPay.take(address)) throw cutOff('pays too often')
      const from: RemotePayer = { payerPeer: connection.remotePeer.toMultihash().bytes, payeePeer, address }
      await answer(waits.helloMs, (frame) => {
        hasHello = true
        return protocol.onHello(frame, from)
      })
      await answer(waits.handoverMs, (frame) => protocol.onHandover(frame, from))
      await stream.close({ signal: AbortSignal.timeout(waits.answerMs) })
    } catch (thrown) {
      const error = toAppError(thrown)
      stream.abort(error)
      const offence = offenceIn(error, hasHello)
      if (offence) onOffence(address, offence)
    }
  }
}

/** A payer may change its mind, or lose its way; not even saying Hello is something else. */
function offenceIn(error: AppError, hasHello: boolean): Offence | undefined {
  if (error.code === 'frame_too_large') return 'sends frames that are too large'
  if (error.code === 'peer_timeout' && !hasHello) return 'says nothing'
  return offenceOf(error)
}

/** The payer's side of a stream it opened. `close` ends what the stream runs on. */
export function paySession(
  stream: Stream,
  connection: Connection,
  payerPeer: Uint8Array,
  close: () => Promise<void>,
): PaySession {
  const frames = framesOf(stream)
  return {
    payerPeer,
    payeePeer: connection.remotePeer.toMultihash().bytes,
    exchange: async (frame, timeoutMs) => {
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        await frames.write(frame, signal)
        return await frames.read(signal)
      } catch (error) {
        // An answer that comes too late must not be taken for the answer to the next frame.
        stream.abort(toAppError(error))
        throw error
      }
    },
    close,
  }
}
