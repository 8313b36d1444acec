// A Lightning invoice in what people scan and paste: alone, as a lightning: link, or inside a bitcoin: one. Pure.

/** The bare invoice, lower case; null when there is none. Whether it is a good one the host finds out. */
export function invoiceIn(text: string): string | null {
  const found = /(?:^|[:=/\s])(ln(?:bc|tb|bcrt|sb)[0-9a-z]{20,})(?:$|[&?#\s])/i.exec(text.trim())
  return found?.[1]?.toLowerCase() ?? null
}
