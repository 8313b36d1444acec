// Words that several screens share.

import { plainText } from '../../shared/foreign.ts'
import type { PaymentView } from '../../shared/model.ts'

export const commonWords = {
  close: 'Close',
  copied: 'Copied',
  notCopied: 'Could not copy',
  details: 'Details for a bug report',
  show: 'Show',
  playMoney: 'Play money',
  keypad: 'Keypad',
  point: 'Point',
  deleteDigit: 'Delete the last digit; hold to delete all',
  of: (done: number, total: number) => `${done} of ${total}`,
  qrParts: (count: number) => `The code changes: ${count} parts, scan until it is complete.`,
  finalNow: (count: number) => (count === 1 ? 'A payment is final now' : `${count} payments are final now`),
}

/** Whom a payment is with. A payer gives no name: what it is for stands in its place. */
export function whoWords({ direction, name, memo }: PaymentView): string {
  return plainText(name) || plainText(memo ?? '') || (direction === 'in' ? 'To you' : 'To somebody')
}

/** "1 payment", "3 payments" */
export function payments(count: number): string {
  return count === 1 ? '1 payment' : `${count} payments`
}
