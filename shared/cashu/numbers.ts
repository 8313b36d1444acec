// Bytes, hex and big integers: noble's own functions under one roof, plus two checks.

export { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
export { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** Big-endian 4 bytes of an index 0 … 2^32−1. @throws RangeError */
export function uint32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`not an index: ${value}`)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** Order of two byte strings as raw bytes, shorter first on a common prefix. Public values only. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
