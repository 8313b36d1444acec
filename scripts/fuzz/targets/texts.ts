// What people type and paste, and what others call themselves. Pure functions of the screens and of their words.

import fc from 'fast-check'
import { createMintClients } from '../../../electron/net/mint-client.ts'
import { normaliseMintUrl } from '../../../electron/wallet/mints.ts'
import { amountEntry, amountKey, entryAmount, entryParts, parseAmount, pressKey } from '../../../renderer/amount.ts'
import { typedEntry } from '../../../renderer/amount-field.ts'
import { invoiceIn } from '../../../renderer/invoice.ts'
import { isMintAddress, mintAddress } from '../../../renderer/mint-address.ts'
import { fittingName, maxNameBytes } from '../../../renderer/name.ts'
import { searchText } from '../../../renderer/payment-list.ts'
import { readRoute } from '../../../renderer/route.ts'
import { isNamed, readPasted } from '../../../renderer/views/pay/pasted.ts'
import { isAmount, maxAmount } from '../../../shared/amount.ts'
import { isolated, plainText } from '../../../shared/foreign.ts'
import { describeThrown, withoutSecrets } from '../../../shared/log-text.ts'
import { formatAmount } from '../../../shared/units.ts'
import { hold, plain, type Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'

/** More than a page of text: a clipboard holds anything. */
const maxPaste = 64 * 1024
const units = ['sat', 'eur', 'jpy', 'kwd', 'coin', 'x'] as const

const isMoney = (amount: number | null): boolean => amount === null || isAmount(amount)

export const amount: Target = {
  form: 'text',
  maxBytes: maxPaste,
  codes: [],
  words: ['€', ' sat', '1,000', '1.000', '12,60', '0.00', '.', ',', '\u00a0', '1 000.5'],
  seeds: ['12,60', '€ 1 000.5', '2,150 sat', '0.01', '1.000.000', '9007199254740991', '.5', '1,2,3'].map(bytesOf),
  properties: [
    {
      name: 'what a keypad starts with, and what is shown, is read as it was',
      property: fc.property(fc.integer({ min: 1, max: maxAmount }), fc.constantFrom(...units), (value, unit) => {
        hold(entryAmount(amountEntry(value, unit), unit) === value, 'another entry')
        hold(parseAmount(formatAmount(value, unit), unit) === value, 'another amount')
      }),
    },
  ],
  open: plain((input) => {
    const text = textOf(input)
    for (const unit of units) {
      hold(isMoney(parseAmount(text, unit)), 'a paste that is no amount')
      const entry = entryAmount(text, unit)
      hold(entry === 0 || isMoney(entry), 'an entry that is no amount')
      const typed = typedEntry('', text, unit)
      hold(typed === '' || entryAmount(typed, unit) !== null, 'a field that holds no amount')
      entryParts(typed, unit)
    }
    let pressed = ''
    for (const key of text.slice(0, 64)) {
      const known = amountKey(key)
      if (known) pressed = pressKey(pressed, known, 'eur')
    }
    hold(entryAmount(pressed, 'eur') !== null, 'a keypad that shows no amount')
  }),
}

export const pasted: Target = {
  form: 'text',
  maxBytes: maxPaste,
  codes: [],
  words: [
    'creqA',
    'cashuA',
    'cashuB',
    'lnbc',
    'lightning:',
    'bitcoin:',
    'lnurl1',
    'http://',
    '[::1]',
    '.local',
    '#/pay/',
  ],
  seeds: [
    ...[
      'creqAabc',
      'cashu:cashuBo2FteBtodHRw',
      'lightning:lnbc20u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5',
      '1BoatSLRHtKNng',
    ],
    ...[
      'https://mint.example/Bitcoin',
      'localhost:3338',
      'farthing:part/1/2/0123456789abcdef/x',
      'Käse',
      '#/activity/3f',
    ],
    ...['bitcoin:bc1q?lightning=lnbc20u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5&x=1', '192.168.1.4:80', '%ff', '€12.60'],
  ].map(bytesOf),
  open: plain((input) => {
    const text = textOf(input)
    const read = readPasted(text)
    hold(read.text === text.trim(), 'a text that changed')
    const invoice = invoiceIn(text)
    hold(invoice === null || /^ln[a-z]+[0-9a-z]*$/.test(invoice), 'an invoice that is none')
    const address = mintAddress(text)
    if (isMintAddress(text)) hold(/^https?:$/.test(new URL(address).protocol), 'a mint that is none')
    const route = readRoute(text)
    hold(
      route.path.every((part) => part !== ''),
      'an empty part of an address',
    )
    isNamed(text, 'Käse', ['amber', 'otter'])
    searchText(text)
    const name = fittingName(text)
    hold(Buffer.byteLength(name) <= maxNameBytes && text.toWellFormed().startsWith(name), 'a name that does not fit')
  }),
}

/** What turns, hides or breaks the text around it. */
const deceives = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u

export const foreign: Target = {
  form: 'text',
  maxBytes: maxPaste,
  codes: [],
  words: ['\u202e', '\u2066', '\u2069', '\u200b', '\u00ad', '\u{e0041}', '\u3164', '\u115f', '\t', '\u0085', '\u2028'],
  seeds: ['Ann', '\u202eAnn', ' \u200b ', 'two\nlines', '\u{e0041}\u{e0042}', 'a\u0301'].map(bytesOf),
  open: plain((input) => {
    const text = textOf(input)
    const shown = plainText(text)
    hold(!deceives.test(shown), 'what deceives is still there')
    hold(shown === shown.trim() && !/\s\s/.test(shown), 'white space that hides something')
    hold(plainText(shown) === shown, 'it changes when it is made plain again')
    const inside = isolated(text)
    hold(inside.startsWith('\u2068') && inside.endsWith('\u2069') && inside.slice(1, -1) === shown, 'not isolated')
  }),
}

/** A line of a log may quote anything. */
export const log: Target = {
  form: 'text',
  maxBytes: maxPaste,
  codes: [],
  words: ['cashuB', 'creqA', 'lnbc', 'farthing:', 'ab'.repeat(24), 'abandon about zoo ', '", "', '\n'],
  seeds: [
    'internal: mints.add failed (Error: no)',
    `key ${'ab'.repeat(32)}`,
    'abandon ability able about above absent',
  ].map(bytesOf),
  open: plain((input) => {
    const line = withoutSecrets(textOf(input))
    hold(!/[\r\n]/.test(line) && line.length <= 601, 'more than one line')
    hold(!/[0-9a-f]{33}/i.test(line), 'a key in the log')
    const told = describeThrown(new Error(textOf(input), { cause: new TypeError(textOf(input)) }))
    hold(!/[0-9a-f]{33}/i.test(told) && told.split('\n').length <= 20, 'a key in the last words')
  }),
}

/** The address of a mint, as a person or a request names it. Nothing is asked there. */
export const mintUrl: Target = {
  form: 'text',
  maxBytes: 4_096,
  codes: ['bad_input'],
  words: ['http://', 'https://', 'user:pass@', '[::1]', '?', '#', '/', '%2f', 'xn--', ':99999', '\\', '。'],
  seeds: ['https://mint.example/Bitcoin', 'http://127.0.0.1:3338', 'http://[::1]:1/', 'https://ü.example//'].map(
    bytesOf,
  ),
  open: plain((input) => {
    const text = textOf(input)
    createMintClients({ clock: { now: () => 0 } })(text)
    const url = normaliseMintUrl(text)
    hold(normaliseMintUrl(url) === url, 'it has two forms')
    const { protocol, username, password, search, hash } = new URL(url)
    hold(/^https?:$/.test(protocol) && username + password + search + hash === '', 'more than an address')
  }),
}
