// Streams of libp2p without a network: what arrives on them is put there by hand, in whatever pieces an input says.

import type { Logger } from '@libp2p/interface'
import { AbstractStream } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Arrived } from '../../../electron/net/negotiation.ts'
import { createRandom } from '../random.ts'

/** What a library tells of each frame, line by line: format and values. */
export type OnTrace = (format: unknown, value: unknown) => void

export class FedStream extends AbstractStream {
  constructor(direction: 'inbound' | 'outbound' = 'inbound', onTrace: OnTrace = () => {}) {
    super({ id: '1', direction, log: loggerOf(onTrace) })
  }
  /** Whoever is on the other side takes everything, and says nothing to it. */
  override sendData({ byteLength }: Uint8ArrayList) {
    return { sentBytes: byteLength, canSendMore: true }
  }
  override sendReset(): void {}
  override sendPause(): void {}
  override sendResume(): void {}
  override async sendCloseWrite(): Promise<void> {}
  override async sendCloseRead(): Promise<void> {}
}

function loggerOf(onTrace: OnTrace): Logger {
  const nothing = (): void => {}
  const trace = (format: unknown, value: unknown): void => onTrace(format, value)
  const logger: Logger = Object.assign(() => {}, { error: nothing, trace, enabled: false, newScope: () => logger })
  return logger
}

/** Until everything that follows from the last piece has happened: none of it waits for a clock or a network. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Byte by byte is slow: as many pieces as a stream is let have in the minute that a payee waits for a frame. */
const maxSinglePieces = 2_200

/** In one piece, byte by byte, and as `cut` says: the same number cuts the same way. */
export function waysToCut(bytes: Uint8Array, cut: number): readonly (readonly Arrived[])[] {
  const singles = bytes.length <= maxSinglePieces ? [Array.from(bytes, (byte) => Uint8Array.of(byte))] : []
  return [[bytes], piecesOf(bytes, cut), ...singles]
}

function piecesOf(bytes: Uint8Array, cut: number): readonly Arrived[] {
  const random = createRandom(cut)
  const pieces: Arrived[] = []
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + 1 + random.below(1 << (1 + random.below(15))))
    const middle = random.below(piece.length + 1)
    pieces.push(random.oneIn(2) ? piece : new Uint8ArrayList(piece.subarray(0, middle), piece.subarray(middle)))
    at += piece.length
  }
  return pieces
}
