// How an amount is written: in the unit people think in. Pure; used on screens, in menus and in notifications.

/** The language of the words; figures and dates follow it, so that a sentence never mixes two. */
export const locale = 'en-GB'

/** The ISO 4217 code of a unit, or null when it is no currency. */
function currencyOf(unit: string): string | null {
  const code = unit.toUpperCase()
  return /^[a-z]{3}$/.test(unit) && currencies.has(code) ? code : null
}

/** How many digits of an amount come after the point: 2 for eur, 0 for sat. */
export function fractionDigits(unit: string): number {
  const currency = currencyOf(unit)
  return currency === null ? 0 : currencyDigits(currency)
}

export type AmountPart = { readonly kind: 'sign' | 'whole' | 'fraction' | 'unit'; readonly text: string }
export type SignDisplay = 'never' | 'always'

/**
 * An amount in pieces for large display: €148 | .35, 2,150 | sat. Joined they are what `formatAmount` says.
 * @param amount in the unit's smallest part; below zero only where a difference is shown
 */
export function amountParts(amount: number, unit: string, sign: SignDisplay = 'never'): readonly AmountPart[] {
  const currency = currencyOf(unit)
  const mark = amount < 0 ? minus : sign === 'always' ? '+' : ''
  const signed: readonly AmountPart[] = mark === '' ? [] : [{ kind: 'sign', text: mark }]
  const absolute = Math.abs(amount)
  if (currency === null) {
    return [
      ...signed,
      { kind: 'whole', text: plainFormat.format(absolute) },
      { kind: 'unit', text: ` ${unitName(unit, absolute)}` },
    ]
  }
  // As text, so that no amount passes through a fraction that cannot hold it.
  const digits = fractionDigits(unit)
  const text = String(absolute).padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const template = currencyFormat(currency).formatToParts(0)
  const pieces: AmountPart[] = []
  for (const { type, value } of template) {
    if (type === 'integer') pieces.push({ kind: 'whole', text: plainFormat.format(Number(whole)) })
    else if (type === 'decimal') pieces.push({ kind: 'fraction', text: value })
    else if (type === 'fraction') pieces.push({ kind: 'fraction', text: text.slice(text.length - digits) })
    else pieces.push({ kind: 'whole', text: value })
  }
  return [...signed, ...merged(pieces)]
}

/** "€12.60", "2,150 sat", "1 coin". */
export function formatAmount(amount: number, unit: string, sign: SignDisplay = 'never'): string {
  return amountParts(amount, unit, sign)
    .map(({ text }) => text)
    .join('')
}

/** What a unit is called on a button or in a sentence: "Euro", "Sat", "Coins". */
export function unitTitle(unit: string): string {
  const currency = currencyOf(unit)
  const name = currency === null ? unitName(unit, 2) : (currencyNames.of(currency) ?? unit)
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1)
}

const minus = '\u2212'
const plainFormat = new Intl.NumberFormat(locale)
const currencyNames = new Intl.DisplayNames(locale, { type: 'currency' })
const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))
const formats = new Map<string, Intl.NumberFormat>()

/**
 * Digits of the minor unit, where they are not two (ISO 4217, list one): what NUT-01 counts in. Not those of `Intl`, which
 * says how people like to write prices, and says it differently from one browser to the next.
 */
const minorUnits: readonly (readonly [digits: number, currencies: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
]

function currencyDigits(currency: string): number {
  return minorUnits.find(([, listed]) => listed.split(' ').includes(currency))?.[0] ?? 2
}

function currencyFormat(currency: string): Intl.NumberFormat {
  const known = formats.get(currency)
  if (known) return known
  const digits = currencyDigits(currency)
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  formats.set(currency, format)
  return format
}

/** sat and msat are written as they are; a unit with a word for a name ("coin") gets its plural. */
function unitName(unit: string, amount: number): string {
  return unit === 'coin' && amount !== 1 ? 'coins' : unit
}

function merged(parts: readonly AmountPart[]): readonly AmountPart[] {
  const result: AmountPart[] = []
  for (const part of parts) {
    const last = result.at(-1)
    if (last?.kind === part.kind) result[result.length - 1] = { kind: part.kind, text: last.text + part.text }
    else result.push(part)
  }
  return result
}
