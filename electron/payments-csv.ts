// All payments as a table that a spreadsheet opens (RFC 4180).

import type { PaymentView } from '../shared/model.ts'

const header = ['time', 'direction', 'state', 'amount', 'fee', 'unit', 'name', 'note', 'mint', 'id']

/** Amounts in the unit's smallest part, times in ISO 8601 (UTC). */
export async function paymentsCsv(
  payments: AsyncIterable<PaymentView>,
): Promise<{ readonly csv: string; readonly count: number }> {
  const lines = [header.join(',')]
  for await (const { createdAt, direction, state, amount, fee, unit, name, memo, mintUrl, id } of payments) {
    const fields = [
      new Date(createdAt).toISOString(),
      direction,
      state,
      amount,
      fee,
      unit,
      name,
      memo ?? '',
      mintUrl,
      id,
    ]
    lines.push(fields.map(cell).join(','))
  }
  return { csv: `${lines.join('\r\n')}\r\n`, count: lines.length - 1 }
}

/**
 * Names and notes come from others: one that a spreadsheet would run as a formula gets an apostrophe, by which
 * spreadsheets know text.
 */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
