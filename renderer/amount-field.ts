// From what stands in a field to what a keypad would have. Pure.

import { amountEntry, entryAmount, parseAmount } from './amount.ts'

/** The entry after a change of the field: what leads to no amount of this unit changes nothing; a paste is read freely. */
export function typedEntry(before: string, text: string, unit: string): string {
  const plain = text.replace(',', '.').replace(/^0+(?=\d)/, '')
  const entry = plain.startsWith('.') ? `0${plain}` : plain
  if (entryAmount(entry, unit) !== null && !(entry.endsWith('.') && entryAmount(`${entry}0`, unit) === null))
    return entry
  const isPaste = text.length > before.length + 1
  const amount = isPaste ? parseAmount(text, unit) : null
  return amount === null ? before : amountEntry(amount, unit)
}
