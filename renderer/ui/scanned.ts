// From what a camera reads, again and again, to one text. Pure; times in milliseconds.

import { createQrJoiner, type QrReading } from '../../shared/qr-parts.ts'

export type Scanned =
  | QrReading
  /** Seen a moment ago: nothing new. */
  | { readonly state: 'same' }

/** A code that stays in front of the camera counts once; it counts again after being away this long. */
const sameForMs = 3000

/** Takes every reading of one scan. Parts of a code are gathered in any order; a whole text comes out once. */
export function createScan(): { readonly read: (text: string, now: number) => Scanned } {
  const joiner = createQrJoiner()
  let last = { text: '', at: Number.NEGATIVE_INFINITY }
  let whole = ''
  return {
    read(text, now) {
      const isSame = text === last.text && now - last.at < sameForMs
      last = { text, at: now }
      if (isSame) return { state: 'same' }
      const reading = joiner.read(text)
      if (reading.state !== 'whole') return reading
      // Parts go on turning after the last one was read: the same text is not told twice.
      if (text !== reading.text && whole === reading.text) return { state: 'same' }
      whole = reading.text
      return reading
    },
  }
}
