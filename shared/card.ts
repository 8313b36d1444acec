// What a payee on the local network says of itself before any payment: the one frame of `/farthing/card/1.0.0`.
// Nobody signs it. The handshake proves the peer id, and nothing proves the payee key until it signs Terms: a payment to
// the owner of a card must expect the card's key there, or the name on the screen means nothing.

import { bytesToHex } from './cashu/numbers.ts'
import { AppError } from './errors.ts'
import { decodeBody, encodeBody, maxNameBytes, point, utf8UpTo } from './messages.ts'
import { decodeRequest } from './request.ts'
import { z } from './schema.ts'

/** Name of the libp2p protocol, with its version. The payee sends the frame unasked and closes; the other side is silent. */
export const cardProtocol = '/farthing/card/1.0.0'
const cardVersion = 1
export const maxCardBytes = 4 * 1024
/** Characters of a request on a card: what a QR code of it could hold. */
export const maxCardRequestLength = 2_048

export type Card = {
  /** As the payee calls itself, at most 64 bytes; may be empty. */
  readonly name: string
  /** Compressed, 33 bytes. The one that has to sign the Terms. */
  readonly payeeKey: Uint8Array
  /** An open request as `creqA…`, of the same key and peer. Its addresses are a hint like any other. */
  readonly request: string | null
}

const cardSchema = z.strictObject({
  v: z.literal(cardVersion),
  name: utf8UpTo(maxNameBytes),
  payeeKey: point,
  request: z.string().max(maxCardRequestLength).optional(),
})

/** @throws AppError `bad_input` when the other side would not accept it, as with a request that is too long */
export function encodeCard({ name, payeeKey, request }: Card): Uint8Array {
  return encodeBody(cardSchema, { v: cardVersion, name, payeeKey, ...(request === null ? {} : { request }) })
}

/**
 * Read the card of the peer with this id (text form). A request that is none, or of another key or peer, is left out: the
 * fingerprint on the card would be of somebody else than who is paid.
 * @throws AppError `bad_frame`, `frame_too_large`
 */
export function decodeCard(encoded: Uint8Array, peerId: string): Card {
  if (encoded.length > maxCardBytes) throw new AppError('frame_too_large', 'card above 4 KiB')
  const { name, payeeKey, request } = decodeBody(cardSchema, encoded)
  const isOwn = request !== undefined && isRequestOf(request, payeeKey, peerId)
  return { name, payeeKey, request: isOwn ? request : null }
}

/** Keys are compared x-only, as their signatures are. */
function isRequestOf(text: string, payeeKey: Uint8Array, peerId: string): boolean {
  try {
    const request = decodeRequest(text)
    const isSameKey = request.payeeKey.slice(2) === bytesToHex(payeeKey.subarray(1))
    return text.startsWith('creqA') && isSameKey && request.peerId === peerId
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/** Whether a card says the same as the one before. */
export function sameCard(a: Card, b: Card): boolean {
  return bytesToHex(encodeCard(a)) === bytesToHex(encodeCard(b))
}
