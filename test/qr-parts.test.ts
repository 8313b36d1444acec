import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createQrJoiner, maxChunk, maxParts, maxSingleQr, type QrReading, qrParts } from '../shared/qr-parts.ts'

const long = `creqA${'aZ9_-'.repeat(400)}`
const other = `creqB${'bY8-_'.repeat(400)}`

function readAll(parts: readonly string[]): QrReading | undefined {
  const joiner = createQrJoiner()
  let last: QrReading | undefined
  for (const part of parts) last = joiner.read(part)
  return last
}

describe('a long text', () => {
  test('is one code as long as one is readable', () => {
    expect(qrParts('x'.repeat(maxSingleQr))).toEqual(['x'.repeat(maxSingleQr)])
    expect(qrParts('x'.repeat(maxSingleQr + 1)).length).toBeGreaterThan(1)
  })

  test('comes back from its parts in any order, some read twice', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: maxSingleQr + 1, maxLength: 4000, unit: 'grapheme' }),
        fc.integer({ min: 0, max: 1000 }),
        (text, turn) => {
          const parts = qrParts(text)
          const shift = turn % parts.length
          const seen = [...parts.slice(shift), ...parts.slice(0, shift).flatMap((part) => [part, part])]
          expect(readAll([...parts.slice(shift).reverse(), ...seen])).toBeDefined()
          const joiner = createQrJoiner()
          const texts = seen.map((part) => joiner.read(part)).filter(({ state }) => state === 'whole')
          expect(texts[0]).toEqual({ state: 'whole', text })
        },
      ),
      { numRuns: 50 },
    )
  })

  test('fits its parts into codes of nearly one size', () => {
    const lengths = qrParts(long).map((part) => part.split('/').at(-1)?.length ?? 0)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(maxChunk)
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(20)
  })

  test('that needs too many parts is refused', () => {
    expect(() => qrParts('x'.repeat(maxParts * maxChunk + 1))).toThrow(RangeError)
  })
})

describe('a scanner', () => {
  test('hands on what is no part', () => {
    expect(createQrJoiner().read('creqAabc')).toEqual({ state: 'whole', text: 'creqAabc' })
  })

  test('counts what it has', () => {
    const [first = ''] = qrParts(long)
    const joiner = createQrJoiner()
    expect(joiner.read(first)).toEqual({ state: 'collecting', have: 1, total: qrParts(long).length })
    expect(joiner.read(first)).toEqual({ state: 'collecting', have: 1, total: qrParts(long).length })
  })

  test('never joins parts of two codes', () => {
    const [mine, theirs] = [qrParts(long), qrParts(other)]
    expect(mine.length).toBe(theirs.length)
    const mixed = mine.map((part, index) => (index % 2 === 0 ? part : (theirs[index] ?? '')))
    const joiner = createQrJoiner()
    for (const part of mixed) expect(joiner.read(part)).toMatchObject({ state: 'collecting', have: 1 })
  })

  test('starts anew when it is pointed at another code', () => {
    const joiner = createQrJoiner()
    for (const part of qrParts(long).slice(1)) joiner.read(part)
    let last: QrReading | undefined
    for (const part of qrParts(other)) last = joiner.read(part)
    expect(last).toEqual({ state: 'whole', text: other })
  })

  test('refuses a part that says it is of a code and is not', () => {
    const parts = qrParts(long)
    const forged = `${parts.at(-1)?.slice(0, -1)}!`
    expect(readAll([...parts.slice(0, -1), forged])).toEqual({ state: 'broken' })
  })

  test.each([
    'farthing:part/0/2/0123456789abcdef/x',
    'farthing:part/3/2/0123456789abcdef/x',
    'farthing:part/1/99/0123456789abcdef/x',
    'farthing:part/1/2/0123/x',
    'farthing:part/1/2/0123456789abcdef/',
    `farthing:part/1/2/0123456789abcdef/${'x'.repeat(maxChunk + 1)}`,
    'farthing:part/',
  ])('refuses %s', (part) => {
    expect(createQrJoiner().read(part)).toEqual({ state: 'broken' })
  })
})
