// Inputs made from other inputs: bits turned, parts cut, doubled, spliced and moved, lengths that lie, and values that
// have broken decoders before.

import type { Random } from './random.ts'

export type Mutator = (input: Uint8Array) => Uint8Array

type Change = (bytes: Uint8Array) => Uint8Array

const edges = [0, 1, 0x7f, 0x80, 0xff, 0x17, 0x18, 0x20, 0x40, 0x60, 0xa0, 0xc0, 0xf6, 0xf7]

/** Bytes that mean something in CBOR, in HTTP, in UTF-8, or as a number. */
const byteWords = [
  '00000000',
  'ffffffff',
  '7fffffff',
  '80000000',
  '1bffffffffffffffff',
  '1b0020000000000000',
  '1b001fffffffffffff',
  '3bffffffffffffffff',
  '5affffffff',
  '5b7fffffffffffffff',
  '7b0000000100000000',
  '9a00ffffff',
  '9f',
  'bf',
  'ff',
  '5fff',
  '7fff',
  'a0',
  '80',
  'f4f5f6f7',
  'f97e00',
  'f98000',
  'fb7ff0000000000000',
  'c249010000000000000000',
  'd9d9f7',
  'a1695f5f70726f746f5f5fa0',
  'eda080',
  'efbbbf',
  'c080',
  'f4908080',
  '0d0a0d0a',
].map((hex) => Buffer.from(hex, 'hex'))

const textWords = [
  '0',
  '-1',
  '1e309',
  '9007199254740991',
  '9007199254740992',
  '9223372036854775808',
  '0.1',
  '-0',
  'NaN',
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '\u0000',
  '\u202e',
  '\u2028',
  '\u200b',
  '\ufeff',
  '\r\n',
  '%00',
  '%2e%2e%2f',
  '../',
  '__proto__',
  'constructor',
  'toString',
  ' ',
  '0000000000000000',
  ',,,,,,,,',
  '........',
  '========',
  '////////',
  'é',
  '😀',
]

/** @param others what else is known, to splice with */
export function createMutator(
  random: Random,
  options: {
    readonly maxBytes: number
    readonly isText: boolean
    readonly words: readonly string[]
    readonly others: () => readonly Uint8Array[]
  },
): Mutator {
  const { maxBytes, others } = options
  const own = [...(options.isText ? textWords : []), ...options.words].map((word) => Buffer.from(word))
  const words = options.isText ? own : [...byteWords, ...own]
  const changes = changesOf(random, words, others, maxBytes)
  return (input) => {
    let bytes = input
    for (let left = random.oneIn(2) ? 1 : 1 + random.below(5); left > 0; left--)
      bytes = random.pick(changes)(bytes).subarray(0, maxBytes)
    return bytes
  }
}

function changesOf(
  random: Random,
  words: readonly Uint8Array[],
  others: () => readonly Uint8Array[],
  maxBytes: number,
): readonly Change[] {
  const place = (bytes: Uint8Array): number => random.below(bytes.length + 1)
  const span = (bytes: Uint8Array): [number, number] => {
    const from = place(bytes)
    return [from, Math.min(bytes.length, from + 1 + random.below(random.oneIn(4) ? bytes.length + 1 : 8))]
  }
  const at = (bytes: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)])
  const flipBit: Change = (bytes) => {
    if (bytes.length === 0) return bytes
    const copy = Uint8Array.from(bytes)
    const index = random.below(copy.length)
    copy[index] = (copy[index] ?? 0) ^ (1 << random.below(8))
    return copy
  }
  const setByte: Change = (bytes) => {
    const from = place(bytes)
    return at(bytes, from, from + 1, Uint8Array.of(random.oneIn(2) ? random.pick(edges) : random.below(256)))
  }
  const insertWord: Change = (bytes) => {
    const from = place(bytes)
    return at(bytes, from, from, random.pick(words))
  }
  const replaceWithWord: Change = (bytes) => {
    const [from, to] = span(bytes)
    return at(bytes, from, to, random.pick(words))
  }
  const remove: Change = (bytes) => at(bytes, ...span(bytes), new Uint8Array())
  const cutOff: Change = (bytes) => bytes.subarray(0, place(bytes))
  const double: Change = (bytes) => {
    const [from, to] = span(bytes)
    return at(bytes, from, from, bytes.subarray(from, to))
  }
  /** Many times the same: what is read in more than one pass shows itself, and what is read one by one without a limit. */
  const repeat: Change = (bytes) => {
    const [from, to] = span(bytes)
    const part = bytes.subarray(from, Math.min(to, from + 16))
    const room = random.oneIn(24) ? maxBytes - bytes.length : random.oneIn(8) ? 8192 : 64
    const times = Math.max(0, Math.ceil(room / Math.max(1, part.length)))
    return at(bytes, from, from, Buffer.concat(Array.from({ length: times }, () => part)))
  }
  const swap: Change = (bytes) => {
    const [from, to] = span(bytes)
    return at(at(bytes, from, to, new Uint8Array()), from, from, bytes.subarray(from, to).toReversed())
  }
  const splice: Change = (bytes) => {
    const other = random.pick(others())
    const [from, to] = span(other)
    return random.oneIn(2)
      ? Buffer.concat([bytes.subarray(0, place(bytes)), other.subarray(from)])
      : at(bytes, ...span(bytes), other.subarray(from, to))
  }
  return [
    ...[flipBit, flipBit, setByte, setByte, insertWord, insertWord, replaceWithWord, replaceWithWord],
    ...[
      remove,
      remove,
      cutOff,
      double,
      double,
      repeat,
      swap,
      splice,
      splice,
      tamperLength(random),
      tamperDigits(random),
    ],
  ]
}

/** A big-endian number of 1, 2, 4 or 8 bytes, a little more or less than it was, or absurd. */
function tamperLength(random: Random): Change {
  return (bytes) => {
    const size = random.pick([1, 2, 4, 8] as const)
    if (bytes.length < size) return bytes
    const copy = Uint8Array.from(bytes)
    const view = new DataView(copy.buffer)
    const from = random.below(copy.length - size + 1)
    const limit = 1n << BigInt(8 * size)
    let value = 0n
    for (const byte of copy.subarray(from, from + size)) value = value * 256n + BigInt(byte)
    const near = (value + BigInt(random.below(5) - 2) + limit) % limit
    const next = random.oneIn(4) ? random.pick([0n, limit - 1n, limit / 2n]) : near
    for (let index = 0; index < size; index++) {
      view.setUint8(from + index, Number((next >> BigInt(8 * (size - 1 - index))) & 255n))
    }
    return copy
  }
}

const numbers = [
  '0',
  '1',
  '63',
  '64',
  '65',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999999',
]

/** A decimal number in a text, made another one. */
function tamperDigits(random: Random): Change {
  return (bytes) => {
    const isDigit = (index: number): boolean => (bytes[index] ?? 0) >= 0x30 && (bytes[index] ?? 0) <= 0x39
    const start = random.below(bytes.length + 1)
    let from = start
    while (from < bytes.length && !isDigit(from)) from++
    let to = from
    while (to < bytes.length && isDigit(to)) to++
    if (from === to) return bytes
    return Buffer.concat([bytes.subarray(0, from), Buffer.from(random.pick(numbers)), bytes.subarray(to)])
  }
}
