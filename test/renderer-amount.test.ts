import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { amountEntry, amountKey, entryAmount, entryParts, parseAmount, pressKey } from '../renderer/amount.ts'
import { maxAmount } from '../shared/amount.ts'
import { amountParts, formatAmount, fractionDigits, unitTitle } from '../shared/units.ts'

function typed(keys: string, unit: string): string {
  let entry = ''
  for (const key of keys) entry = pressKey(entry, amountKey(key) ?? 'back', unit)
  return entry
}

describe('an amount', () => {
  test.each([
    [14835, 'eur', '€148.35'],
    [5, 'eur', '€0.05'],
    [123456789, 'usd', '$1,234,567.89'],
    [5000, 'jpy', '¥5,000'],
    [1260, 'huf', 'Ft\u00a012.60'],
    [1260, 'rsd', 'RSD\u00a012.60'],
    [1260, 'kwd', 'KWD\u00a01.260'],
    [2150, 'sat', '2,150 sat'],
    [2150, 'msat', '2,150 msat'],
    [1, 'coin', '1 coin'],
    [100, 'coin', '100 coins'],
    [7, 'auth', '7 auth'],
    [7, 'abc', '7 abc'],
    [0, 'eur', '€0.00'],
    [maxAmount, 'eur', '€90,071,992,547,409.91'],
  ])('%i of %s is %s', (amount, unit, text) => {
    expect(formatAmount(amount, unit)).toBe(text)
  })

  test('has a sign where a difference is shown, a true minus', () => {
    expect(formatAmount(840, 'eur', 'always')).toBe('+€8.40')
    expect(formatAmount(-840, 'eur')).toBe('\u2212€8.40')
    expect(formatAmount(-2150, 'sat', 'always')).toBe('\u22122,150 sat')
  })

  test('comes in parts for large display', () => {
    expect(amountParts(14835, 'eur')).toEqual([
      { kind: 'whole', text: '€148' },
      { kind: 'fraction', text: '.35' },
    ])
    expect(amountParts(-2150, 'sat')).toEqual([
      { kind: 'sign', text: '\u2212' },
      { kind: 'whole', text: '2,150' },
      { kind: 'unit', text: ' sat' },
    ])
  })

  test('units have names', () => {
    expect(['eur', 'sat', 'coin'].map(unitTitle)).toEqual(['Euro', 'Sat', 'Coins'])
    expect(['eur', 'jpy', 'sat'].map(fractionDigits)).toEqual([2, 0, 0])
  })

  test('a currency has the minor unit of ISO 4217, whatever the browser thinks of its prices', () => {
    const units = ['huf', 'idr', 'cop', 'pkr', 'lbp', 'iqd', 'kwd', 'clp', 'krw', 'ugx']
    expect(units.map(fractionDigits)).toEqual([2, 2, 2, 2, 2, 3, 3, 0, 0, 0])
  })
})

describe('a keypad', () => {
  test.each([
    ['12.60', 'eur', '12.60', 1260],
    ['12,6', 'eur', '12.6', 1260],
    ['.5', 'eur', '0.5', 50],
    ['007', 'eur', '7', 700],
    ['12.345', 'eur', '12.34', 1234],
    ['1..2', 'eur', '1.2', 120],
    ['12.5', 'sat', '125', 125],
    ['', 'eur', '', 0],
    ['0', 'coin', '0', 0],
  ])('%s in %s is %s', (keys, unit, entry, amount) => {
    expect(typed(keys, unit)).toBe(entry)
    expect(entryAmount(entry, unit)).toBe(amount)
  })

  test('takes no digit that leads above what can be paid', () => {
    expect(entryAmount(typed('9'.repeat(30), 'sat'), 'sat')).toBeLessThanOrEqual(maxAmount)
  })

  test('deletes one digit or all', () => {
    expect(pressKey('12.6', 'back', 'eur')).toBe('12.')
    expect(pressKey('12.6', 'clear', 'eur')).toBe('')
    expect(pressKey('', 'back', 'eur')).toBe('')
  })

  test('shows what was typed and nothing more', () => {
    const shown = (entry: string, unit: string) =>
      entryParts(entry, unit)
        .map(({ text }) => text)
        .join('')
    expect(shown('', 'eur')).toBe('€0')
    expect(shown('12', 'eur')).toBe('€12')
    expect(shown('12.', 'eur')).toBe('€12.')
    expect(shown('1234.5', 'eur')).toBe('€1,234.5')
    expect(shown('2150', 'sat')).toBe('2,150 sat')
  })

  test('starts with an amount and gives the same amount back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: maxAmount }),
        fc.constantFrom('eur', 'jpy', 'sat', 'kwd', 'huf'),
        (amount, unit) => {
          expect(entryAmount(amountEntry(amount, unit), unit)).toBe(amount)
          expect(parseAmount(formatAmount(amount, unit), unit)).toBe(amount)
        },
      ),
    )
  })
})

describe('an amount typed freely', () => {
  test.each([
    ['12,60', 'eur', 1260],
    ['€ 1 000.5', 'eur', 100050],
    ['1,000', 'eur', 100000],
    ['1.234,56', 'eur', 123456],
    ['2,150 sat', 'sat', 2150],
    ['1,234,567.89', 'eur', 123456789],
    ['1.000.000', 'eur', 100000000],
    ['0.500', 'eur', 50],
    ['¥1,000.00', 'jpy', 1000],
    ['nothing', 'eur', null],
    ['0', 'eur', null],
    ['99999999999999999999', 'sat', null],
  ])('%s in %s', (text, unit, amount) => {
    expect(parseAmount(text, unit)).toBe(amount)
  })

  test.each([
    ['¥1,000.50', 'jpy'],
    ['12.5', 'sat'],
    ['12,50 sat', 'sat'],
    ['12.3456', 'eur'],
    ['1.5.2', 'eur'],
    ['1,00,000', 'sat'],
  ])('%s in %s is finer than the unit, or nothing: it never becomes more', (text, unit) => {
    expect(parseAmount(text, unit)).toBeNull()
  })
})

test('a paste of a million zeros is read in one pass', () => {
  expect(parseAmount(`0.${'0'.repeat(1_000_000)}1`, 'eur')).toBeNull()
  expect(parseAmount(`1.${'0'.repeat(1_000_000)}`, 'eur')).toBe(100)
})
