// Values made from other values: one node of a tree of maps, lists, texts, numbers and bytes becomes something else.
// The encoding around it stays right, so that what is behind the parser is reached.

import type { Random } from './random.ts'

const oddNumbers = [0, 1, -1, 2, 64, 65, 255, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300]
const oddTexts = [
  '',
  '0',
  'null',
  '__proto__',
  'constructor',
  '\u0000',
  '\u202e',
  'ä',
  '😀',
  'x'.repeat(65),
  '0'.repeat(130),
]
const oddKeys = ['__proto__', 'constructor', 'toString', 'length', '0', '', 'x']
const maxNodes = 2_000

/** Bytes of an input for each part of a list, and of a map, that fills it: as JSON they have no more. */
const bytesOfItem = 4
const bytesOfEntry = 10

/**
 * @param value of JSON or CBOR; it is not changed
 * @param maxBytes of an input: now and then a list or a map fills one
 */
export function mutateValue(random: Random, value: unknown, maxBytes = 0): unknown {
  const nodes = countNodes(value, maxNodes)
  const cursor = { left: random.below(nodes) }
  return replace({ random, maxBytes }, value, cursor)
}

type Source = { readonly random: Random; readonly maxBytes: number }

type Cursor = { left: number }

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function countNodes(value: unknown, limit: number): number {
  const children = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : []
  let count = 1
  for (const child of children) {
    if (count >= limit) break
    count += countNodes(child, limit - count)
  }
  return Math.min(count, limit)
}

/** Walks to the node that chance chose. */
function replace(source: Source, value: unknown, cursor: Cursor): unknown {
  if (cursor.left-- === 0) return another(source, value)
  if (cursor.left < 0) return value
  if (Array.isArray(value)) return value.map((child: unknown) => replace(source, child, cursor))
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replace(source, child, cursor)]))
}

function another({ random, maxBytes }: Source, value: unknown): unknown {
  if (random.oneIn(24)) return filling(random, value, maxBytes)
  if (random.oneIn(6)) return anything(random)
  if (random.oneIn(12)) return nested(random, value)
  if (Array.isArray(value)) return anotherList(random, value)
  if (isMap(value)) return anotherMap(random, value)
  if (value instanceof Uint8Array) return anotherBytes(random, value)
  if (typeof value === 'string') return anotherText(random, value)
  if (typeof value === 'number') return random.oneIn(2) ? value + random.below(5) - 2 : random.pick(oddNumbers)
  if (typeof value === 'boolean') return !value
  return anything(random)
}

const anything = (random: Random): unknown =>
  random.pick<unknown>([null, true, false, [], {}, random.pick(oddNumbers), random.pick(oddTexts), new Uint8Array(32)])

/** As many small parts as an input has room for: what is looked at one by one shows what it costs. */
function filling(random: Random, value: unknown, maxBytes: number): unknown {
  const part = random.pick<unknown>([{}, [], 0, ''])
  if (!isMap(value) || random.oneIn(4)) return Array.from({ length: maxBytes / bytesOfItem }, () => part)
  const names = Array.from({ length: maxBytes / bytesOfEntry }, (_, index) => index.toString(36))
  return { ...value, ...Object.fromEntries(names.map((name) => [name, part])) }
}

function nested(random: Random, value: unknown): unknown {
  let deep = value
  for (let left = random.oneIn(8) ? 200 : 1 + random.below(3); left > 0; left--) {
    deep = random.oneIn(2) ? [deep] : { [random.pick(oddKeys)]: deep }
  }
  return deep
}

function anotherList(random: Random, list: readonly unknown[]): unknown {
  const index = random.below(list.length + 1)
  const repeated = Array.from({ length: random.pick([2, 65, 301]) }, () => list[index] ?? null)
  return random.pick<readonly unknown[]>([
    list.toSpliced(index, 1),
    list.toSpliced(index, 0, list[index] ?? anything(random)),
    [...list].reverse(),
    repeated,
    [],
  ])
}

function anotherMap(random: Random, map: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(map)
  const index = random.below(entries.length + 1)
  const renamed = entries.map(([key, value], at): [string, unknown] => [
    at === index ? random.pick(oddKeys) : key,
    value,
  ])
  return Object.fromEntries(
    random.pick<readonly (readonly [string, unknown])[]>([
      entries.toSpliced(index, 1),
      [...entries, [random.pick(oddKeys), anything(random)]],
      renamed,
      [...entries].reverse(),
    ]),
  )
}

function anotherBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  if (copy.length > 0) copy[random.below(copy.length)] = random.below(256)
  return random.pick([copy, copy, bytes.subarray(1), new Uint8Array(bytes.length + 1), new Uint8Array()])
}

function anotherText(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  const odd = random.pick(oddTexts)
  return random.pick([
    odd,
    text.slice(0, at),
    text.slice(0, at) + odd + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.toUpperCase(),
    text.repeat(random.pick([2, 40])),
  ])
}
