// A text too long for one readable QR code, as parts that are shown one after the other and joined by a scanner.
//
//   farthing:part/<i>/<n>/<checksum>/<chunk>     i from 1 to n; checksum: first 16 hex of SHA-256 of the whole text
//
// Parts may be read in any order and more than once. Parts of two codes are never joined: the checksum names the code,
// and what was joined must have it.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** Up to here one code is readable from a screen by a laptop's camera (version 18, 89 modules, level L). */
export const maxSingleQr = 700
/** Of the text, in UTF-16 units; with its envelope a part fits version 12 (65 modules) at level L. */
export const maxChunk = 300
/** A bound for what a scanner keeps. */
export const maxParts = 64

const prefix = 'farthing:part/'
const shape = /^farthing:part\/([1-9][0-9]?)\/([1-9][0-9]?)\/([0-9a-f]{16})\/([\s\S]+)$/

/** The codes to show: the text itself when it is short enough, else its parts. @throws RangeError above `maxParts` parts */
export function qrParts(text: string): readonly string[] {
  if (text.length <= maxSingleQr) return [text]
  const chunks = chunksOf(text)
  if (chunks.length > maxParts) throw new RangeError(`${chunks.length} parts`)
  const checksum = checksumOf(text)
  return chunks.map((chunk, index) => `${prefix}${index + 1}/${chunks.length}/${checksum}/${chunk}`)
}

export type QrReading =
  | { readonly state: 'whole'; readonly text: string }
  | { readonly state: 'collecting'; readonly have: number; readonly total: number }
  /** An envelope of ours that does not hold what it names; what was collected is dropped. */
  | { readonly state: 'broken' }

/** Takes what a scanner reads, one text at a time. Another code than the one being collected starts anew. */
export function createQrJoiner(): { readonly read: (scanned: string) => QrReading } {
  let code = ''
  let chunks = new Map<number, string>()
  const restart = (next: string): void => {
    code = next
    chunks = new Map()
  }
  return {
    read(scanned) {
      if (!scanned.startsWith(prefix)) return { state: 'whole', text: scanned }
      const match = shape.exec(scanned)
      const [, at = '', of = '', checksum = '', chunk = ''] = match ?? []
      const [index, total] = [Number(at), Number(of)]
      if (!match || index > total || total > maxParts || chunk.length > maxChunk) return { state: 'broken' }
      if (code !== `${total}/${checksum}`) restart(`${total}/${checksum}`)
      chunks.set(index, chunk)
      if (chunks.size < total) return { state: 'collecting', have: chunks.size, total }
      const text = [...chunks]
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one)
        .join('')
      restart('')
      return checksumOf(text) === checksum ? { state: 'whole', text } : { state: 'broken' }
    },
  }
}

/** Equal in length as far as possible, so that every code is of one size; no character is cut in two. */
function chunksOf(text: string): readonly string[] {
  const size = Math.ceil(text.length / Math.ceil(text.length / (maxChunk - 1)))
  const chunks: string[] = []
  let chunk = ''
  for (const character of text) {
    if (chunk.length >= size) {
      chunks.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  return [...chunks, chunk]
}

function checksumOf(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)).subarray(0, 8))
}
