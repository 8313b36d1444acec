// What a wallet needs to read of a BOLT 11 invoice: that it is one, and what it asks for. The mint reads the rest.

import { maxInvoiceLength } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'

export type Invoice = {
  /** Lower case, without `lightning:` in front. */
  readonly text: string
  /** Thousandths of a satoshi, rounded up. */
  readonly amountMsat: number
}

/** BTC in one of each multiplier, as thousandths of a satoshi times ten, so that `p` is whole. */
const tenthsOf: Readonly<Record<string, bigint>> = {
  '': 1_000_000_000_000n,
  m: 1_000_000_000n,
  u: 1_000_000n,
  n: 1000n,
  p: 1n,
}

/** @throws AppError `bad_input` unless it looks like an invoice that says its amount */
export function readInvoice(text: string): Invoice {
  const invoice = text
    .trim()
    .toLowerCase()
    .replace(/^lightning:(\/\/)?/, '')
  // Bech32: what stands before the last 1 is for people, and holds chain and amount.
  const separator = invoice.lastIndexOf('1')
  const isWhole = separator > 2 && separator < invoice.length - 1
  // No two parts of the pattern can match the same text: it is read in one pass, whatever somebody pasted.
  if (invoice.length > maxInvoiceLength || !isWhole || !/^ln[a-z][0-9a-z]+$/.test(invoice)) {
    throw new AppError('bad_input', 'this is no Lightning invoice')
  }
  const amount = /^ln[a-z]+([0-9]+)([munp]?)$/.exec(invoice.slice(0, separator))
  const perUnit = amount && tenthsOf[amount[2] ?? '']
  if (!amount?.[1] || !perUnit) throw new AppError('bad_input', 'an invoice without an amount')
  const tenths = BigInt(amount[1]) * perUnit
  const amountMsat = Number((tenths + 9n) / 10n)
  if (!Number.isSafeInteger(amountMsat) || amountMsat < 1) throw new AppError('bad_input', 'an invoice of no amount')
  return { text: invoice, amountMsat }
}

/**
 * Whether a quote's amount is what the invoice says. Mints round to the whole unit up or down; in units that are not
 * parts of a bitcoin, nobody but the mint knows.
 */
export function asksFor({ amountMsat }: Invoice, amount: number, unit: string): boolean {
  if (unit === 'msat') return amount === amountMsat
  if (unit === 'sat') return amount === Math.ceil(amountMsat / 1000) || amount === Math.floor(amountMsat / 1000)
  return true
}
