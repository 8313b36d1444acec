// Quote ids: UUID version 7 (RFC 9562) with all 74 variable bits random (NUT-04, NUT-05).

import { bytesToHex } from '../shared/cashu/numbers.ts'
import type { Random } from './ports.ts'

/** Who knows the id of a paid quote can take the money, so it must not be guessable. */
export function uuidV7(nowMs: number, random: Random): string {
  const bytes = random.bytes(16)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  view.setUint16(0, Math.floor(nowMs / 2 ** 32)) // 48 bits of milliseconds
  view.setUint32(2, nowMs % 2 ** 32)
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70) // version 7
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80) // variant 10
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
