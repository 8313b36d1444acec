// CBOR in its deterministic encoding (RFC 8949 §4.2.1): one value, one byte string. What is not encoded so is refused.

import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { AppError } from './errors.ts'

/** Deepest nesting we accept; our own messages need 5. A deeper one is a bomb. */
const maxDepth = 16
/** Most entries of a map; our own messages have fewer than 16. They are sorted and compared, which costs more than their bytes. */
const maxEntries = 64

/** The bytes are the caller's own: what cborg returns is now and then a Buffer, or part of a pool of 64 KiB. */
export function encodeCbor(value: unknown): Uint8Array {
  return new Uint8Array(encode(value, rfc8949EncodeOptions))
}

/**
 * Decode one CBOR item, refusing anything our encoder would not have produced (other map order, longer integers,
 * indefinite lengths, tags, floats of whole numbers, duplicate keys, trailing bytes).
 * @throws AppError `bad_frame`
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const value = decodeLooseCbor(bytes)
  if (!sameBytes(encodeCbor(value), bytes)) throw new AppError('bad_frame', 'CBOR is not in deterministic encoding')
  return value
}

/** Decode one CBOR item in any of its encodings, for formats that are not ours. @throws AppError `bad_frame` */
export function decodeLooseCbor(bytes: Uint8Array): unknown {
  try {
    assertPlain(bytes)
    return decode(bytes, {
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
      strict: false,
    })
  } catch (cause) {
    throw new AppError('bad_frame', 'not valid CBOR', { cause })
  }
}

/** Public values only: returns early. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** Walks the headers only, without recursion: deep nesting and large maps are refused before a recursive decoder sees them. */
function assertPlain(bytes: Uint8Array): void {
  const open: number[] = []
  let at = 0
  while (at < bytes.length) {
    const first = bytes[at] ?? 0
    const major = first >> 5
    const info = first & 31
    const extra = info < 24 ? 0 : info <= 27 ? 2 ** (info - 24) : -1
    if (extra < 0) throw new Error('indefinite or reserved length')
    let length = info < 24 ? info : 0
    for (let index = 1; index <= extra; index++) length = length * 256 + (bytes[at + index] ?? 0)
    at += 1 + extra
    if (major === 2 || major === 3) at += length
    const items = major === 4 ? length : major === 5 ? length * 2 : major === 6 ? 1 : 0
    if (items > bytes.length) throw new Error('more items than bytes')
    if (major === 5 && length > maxEntries) throw new Error('a map of too many entries')
    if (items > 0) {
      if (open.push(items) > maxDepth) throw new Error('nested too deep')
      continue
    }
    while (open.length > 0) {
      const left = (open.pop() ?? 0) - 1 // an item is complete; the last one completes what holds it
      if (left > 0) {
        open.push(left)
        break
      }
    }
  }
}
