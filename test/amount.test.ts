// Amounts: whole, bounded, never silently rounded.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertAmount, inputFee, isAmount, maxAmount, splitAmount, sumAmounts } from '../shared/amount.ts'

const outOfRange = expect.objectContaining({ code: 'amount_out_of_range' })
const amount = fc.oneof(
  fc.integer({ min: 1, max: maxAmount }),
  fc.integer({ min: 1, max: 1000 }),
  fc.integer({ min: 0, max: 52 }).map((bit) => 2 ** bit),
  fc.constantFrom(maxAmount, maxAmount - 1),
)
const noAmounts = [
  ['zero', 0],
  ['minus zero', -0],
  ['a negative number', -1],
  ['a fraction', 1.5],
  ['a tiny fraction', Number.EPSILON],
  ['2^53', 2 ** 53],
  ['infinity', Number.POSITIVE_INFINITY],
  ['no number', Number.NaN],
] as const

describe('an amount', () => {
  test('is any whole number from 1 to 2^53−1', () => {
    fc.assert(fc.property(amount, (value) => isAmount(value) && assertAmount(value) === value))
    expect(maxAmount).toBe(9007199254740991)
  })

  test.each(noAmounts)('is not %s', (_, value) => {
    expect(isAmount(value)).toBe(false)
    expect(() => assertAmount(value)).toThrow(outOfRange)
  })
})

describe('a sum', () => {
  test('is exact, or refused when it would leave the range', () => {
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 20 }), (amounts) => {
        const exact = amounts.reduce((sum, one) => sum + BigInt(one), 0n)
        if (exact <= BigInt(maxAmount)) expect(BigInt(sumAmounts(amounts))).toBe(exact)
        else expect(() => sumAmounts(amounts)).toThrow(outOfRange)
      }),
    )
  })

  test('of nothing is 0', () => {
    expect(sumAmounts([])).toBe(0)
  })

  test('may reach the largest amount and not one more', () => {
    expect(sumAmounts([maxAmount - 1, 1])).toBe(maxAmount)
    expect(() => sumAmounts([maxAmount, 1])).toThrow(outOfRange)
    expect(() => sumAmounts([maxAmount, maxAmount, maxAmount])).toThrow(outOfRange)
  })

  test.each(noAmounts)('with %s in it is refused', (_, value) => {
    expect(() => sumAmounts([1, value, 1])).toThrow(outOfRange)
  })
})

describe('a split', () => {
  test('sums up to the amount, in ascending powers of two, each once', () => {
    fc.assert(
      fc.property(amount, (value) => {
        const parts = splitAmount(value)
        expect(sumAmounts(parts)).toBe(value)
        expect(parts).toEqual([...new Set(parts)].sort((a, b) => a - b))
        for (const part of parts) expect(Number.isInteger(Math.log2(part))).toBe(true)
      }),
    )
  })

  test('is known for small amounts and for the largest', () => {
    expect(splitAmount(0)).toEqual([])
    expect(splitAmount(13)).toEqual([1, 4, 8])
    expect(splitAmount(maxAmount)).toEqual(Array.from({ length: 53 }, (_, bit) => 2 ** bit))
  })

  test.each(noAmounts.filter(([, value]) => value !== 0))('of %s is refused', (_, value) => {
    expect(() => splitAmount(value)).toThrow(outOfRange)
  })
})

describe('a fee', () => {
  test.each([
    [[], 0],
    [[0, 0], 0],
    [[1], 1],
    [[100], 1],
    [[100, 100, 100], 1],
    [Array(10).fill(100), 1],
    [Array(11).fill(100), 2],
    [[1000], 1],
    [[1001], 2],
    [[500, 500, 1], 2],
    [[9007199254740001], 9007199254741],
  ])('of inputs with %j ppk is %i', (feesPpk, fee) => {
    expect(inputFee(feesPpk)).toBe(fee)
  })

  test('is rounded up once for all inputs, never per input', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 0, max: 2 ** 47 })), {
          maxLength: 64,
        }),
        (feesPpk) => {
          const sum = feesPpk.reduce((total, one) => total + BigInt(one), 0n)
          expect(BigInt(inputFee(feesPpk))).toBe((sum + 999n) / 1000n)
        },
      ),
    )
  })

  test.each([
    ['a negative fee', [-1]],
    ['a negative fee among others', [1000, -999]],
    ['a fraction', [0.5]],
    ['no number', [Number.NaN]],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['fees that add up beyond 2^53−1', [maxAmount, maxAmount]],
  ])('of %s is refused', (_, feesPpk) => {
    expect(() => inputFee(feesPpk)).toThrow(outOfRange)
  })
})
