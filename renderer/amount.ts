// Amounts on a keypad: what was typed so far, as text, and what it means.

import { maxAmount } from '../shared/amount.ts'
import { type AmountPart, amountParts, fractionDigits } from '../shared/units.ts'

/** A key of the keypad, or of the keyboard. */
export type AmountKey = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '.' | 'back' | 'clear'

/** What a key on a keyboard means here; null for all others. A comma is a point. */
export function amountKey(key: string): AmountKey | null {
  if (key === ',' || key === '.') return '.'
  if (key === 'Backspace') return 'back'
  if (key === 'Delete') return 'clear'
  return digits.find((digit) => digit === key) ?? null
}

/** The text after a key. A key that leads to no amount of this unit changes nothing. */
export function pressKey(entry: string, key: AmountKey, unit: string): string {
  if (key === 'clear') return ''
  if (key === 'back') return entry.slice(0, -1)
  if (key === '.') {
    if (fractionDigits(unit) === 0 || entry.includes('.')) return entry
    return entry === '' ? '0.' : `${entry}.`
  }
  const next = entry === '0' ? key : entry + key
  return entryAmount(next, unit) === null ? entry : next
}

/**
 * The amount of what was typed, in the unit's smallest part; 0 for nothing or zero, null for what is no amount of this
 * unit: other characters, too many digits after the point, above 2^53−1.
 */
export function entryAmount(entry: string, unit: string): number | null {
  const places = fractionDigits(unit)
  const match = /^([0-9]*)(?:\.([0-9]*))?$/.exec(entry)
  if (!match) return null
  const [, whole = '', fraction = ''] = match
  if (fraction.length > places) return null
  const amount = Number(`${whole}${fraction.padEnd(places, '0')}`)
  return amount <= maxAmount ? amount : null
}

/**
 * What a person pasted or typed freely: "12,60", "€ 1 000.5", "2,150 sat". Null when it is no amount above zero, or finer
 * than the unit: what is written after a point is never taken for more.
 */
export function parseAmount(text: string, unit: string): number | null {
  const figures = text.replace(/[^0-9.,]/g, '')
  const places = fractionDigits(unit)
  const point = Math.max(figures.lastIndexOf('.'), figures.lastIndexOf(','))
  if (!isPoint(figures, point, places)) {
    const isGrouped = point < 0 || /^[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*$/.test(figures)
    return isGrouped ? aboveZero(entryAmount(figures.replace(/[.,]/g, ''), unit)) : null
  }
  const fraction = withoutLastZeros(figures.slice(point + 1))
  return aboveZero(entryAmount(`${figures.slice(0, point).replace(/[.,]/g, '')}.${fraction}`, unit))
}

/** In one pass: a pattern would start anew at every zero, and somebody may paste a million of them. */
function withoutLastZeros(figures: string): string {
  let end = figures.length
  while (figures[end - 1] === '0') end--
  return figures.slice(0, end)
}

/** Whether the last mark stands before a fraction. Between groups of three figures it only helps to read them. */
function isPoint(figures: string, last: number, places: number): boolean {
  if (last < 0) return false
  const mark = figures.charAt(last)
  const isOnly = figures.indexOf(mark) === last
  const isAfterOther = /[.,]/.test(figures.slice(0, last))
  const after = figures.length - last - 1
  return isOnly && (isAfterOther || after !== 3 || places >= 3 || figures.startsWith('0'))
}

const aboveZero = (amount: number | null): number | null => (amount === 0 ? null : amount)

/** The text that a keypad starts with to show an amount. */
export function amountEntry(amount: number, unit: string): string {
  const places = fractionDigits(unit)
  if (places === 0) return String(amount)
  const text = String(amount).padStart(places + 1, '0')
  return `${text.slice(0, -places)}.${text.slice(-places)}`
}

/** What was typed, in pieces for large display: digits after the point appear as they are typed. */
export function entryParts(entry: string, unit: string): readonly AmountPart[] {
  const [whole = '', fraction] = entry.split('.')
  const typed = fraction === undefined ? '' : `.${fraction}`
  let isPlaced = false
  const parts = amountParts(entryAmount(whole, unit) ?? 0, unit).flatMap((part): AmountPart[] => {
    if (part.kind !== 'fraction') return [part]
    isPlaced = true
    return typed === '' ? [] : [{ kind: 'fraction', text: typed }]
  })
  return isPlaced || typed === '' ? parts : [...parts, { kind: 'fraction', text: typed }]
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const
