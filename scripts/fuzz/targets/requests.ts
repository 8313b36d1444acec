// Requests, links, codes in parts and invoices: what is scanned, pasted and opened.

import fc from 'fast-check'
import { linkIn, readLink } from '../../../electron/shell/deep-link.ts'
import { asksFor, readInvoice } from '../../../electron/wallet/invoice.ts'
import { type InvoiceToWrite, readInvoice as mintReads, writeInvoice } from '../../../mint/funding/bolt11.ts'
import { maxAmount } from '../../../shared/amount.ts'
import { bytesToHex } from '../../../shared/cashu/numbers.ts'
import { createQrJoiner, maxChunk, maxParts, qrParts } from '../../../shared/qr-parts.ts'
import { bareRequest, decodeRequest, encodeRequest, type Request, requestLink } from '../../../shared/request.ts'
import { hold, plain, type Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'
import { amount, point, textUpTo } from './message-arbitraries.ts'
import { cbor, holdSame } from './structures.ts'

const peerId = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
/** Longest text that a command takes. */
const maxText = 4_096

const anyRequest: fc.Arbitrary<Request> = fc.record(
  {
    id: textUpTo(64).filter((text) => text.length > 0),
    amount,
    unit: fc.stringMatching(/^[a-z0-9_-]{1,32}$/),
    mints: fc.array(fc.webUrl(), { maxLength: 4 }),
    description: textUpTo(200),
    singleUse: fc.boolean(),
    peerId: fc.constant(peerId),
    multiaddrs: fc.array(fc.constantFrom('/ip4/10.1.2.3/tcp/4001', '/ip6/::1/tcp/1', '/dns4/x/tcp/2'), {
      maxLength: 4,
    }),
    payeeKey: point.map(bytesToHex),
  },
  { requiredKeys: ['unit', 'mints', 'singleUse', 'peerId', 'multiaddrs', 'payeeKey'], noNullPrototype: true },
)

const requestPrefix = 'creqA'

/** Without the fields that are there and say nothing. */
const known = (one: Request) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined))

export const request: Target = {
  form: 'text',
  maxBytes: maxText + 64,
  codes: ['bad_input'],
  words: ['creqA', 'creqB', 'farthing:', 'cashu://', 'CASHU:'],
  // The CBOR behind the prefix, as it may come from another wallet.
  structure: {
    read: (input) => cbor.read(Buffer.from(bareRequest(textOf(input)).slice(requestPrefix.length), 'base64url')),
    write: (value) => bytesOf(requestPrefix + Buffer.from(cbor.write(value)).toString('base64url')),
  },
  sample: (seed, count) => fc.sample(anyRequest, { seed, numRuns: count }).map((one) => bytesOf(encodeRequest(one))),
  properties: [
    {
      name: 'a request that is written is read as it was, also as a link',
      property: fc.property(anyRequest, (one) => {
        holdSame(known(decodeRequest(encodeRequest(one))), one, 'another request')
        holdSame(known(decodeRequest(requestLink(encodeRequest(one)))), one, 'another request behind a link')
      }),
    },
  ],
  open: plain((input) => {
    const read = decodeRequest(textOf(input))
    const again = encodeRequest(read)
    // What others wrote shorter than we do may not fit any more.
    if (again.length <= 4_000) holdSame(decodeRequest(again), read, 'what was read is not what is written')
  }),
}

export const link: Target = {
  form: 'text',
  maxBytes: 20_000,
  codes: [],
  words: ['farthing:', 'cashu:', '--data', 'FARTHING:creqA', ' '],
  seeds: ['farthing:creqAabc', 'cashu:cashuBo2F0', '--data=/tmp', 'farthing:pay?to=x&amount=1'].map((text) =>
    bytesOf(text),
  ),
  open: plain((input) => {
    const text = textOf(input)
    const read = readLink(text)
    hold(read === undefined || (read === text && /^(farthing|cashu):/i.test(read)), 'a link that is none')
    hold(read === undefined || !/[\s"']/.test(read), 'a link with white space or quotes')
    hold(linkIn(['', text]) === read, 'the command line reads it differently')
  }),
}

const longText = fc.string({ minLength: 1, maxLength: 4_000, unit: 'binary' })

export const qr: Target = {
  form: 'text',
  maxBytes: 24_000,
  codes: [],
  words: ['farthing:part/', '\n', 'farthing:part/1/2/0123456789abcdef/x', '/64/', '/99/'],
  seeds: [...qrParts('creqA'.padEnd(900, 'x')), 'creqA', 'farthing:part/2/2/0123456789abcdef/x'].map(bytesOf),
  sample: (seed, count) =>
    fc.sample(longText, { seed, numRuns: count }).map((text) => bytesOf(qrParts(text).join('\n'))),
  properties: [
    {
      name: 'a text is whole again from its parts, in any order, with some twice',
      property: fc.property(longText, fc.infiniteStream(fc.nat()), (text, order) => {
        const parts = qrParts(text)
        hold(
          parts.length <= maxParts && parts.every((part) => part.length <= maxChunk + 60 || parts.length === 1),
          'size',
        )
        const joiner = createQrJoiner()
        const shuffled = parts
          .map((part) => ({ part, at: order.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .flatMap(({ part, at }, index) => (at % 3 === 0 && index < parts.length - 1 ? [part, part] : [part]))
        const last = shuffled.map((part) => joiner.read(part)).at(-1)
        holdSame(last, { state: 'whole', text }, 'not the text')
      }),
    },
  ],
  open: plain((input) => {
    const joiner = createQrJoiner()
    for (const line of textOf(input).split('\n')) {
      const reading = joiner.read(line)
      if (reading.state === 'whole') hold(reading.text.length <= Math.max(line.length, maxParts * maxChunk), 'too long')
      if (reading.state === 'collecting')
        hold(reading.have < reading.total && reading.total <= maxParts, 'too many parts')
    }
  }),
}

const invoiceToWrite: fc.Arbitrary<InvoiceToWrite> = fc.record(
  {
    chain: fc.constantFrom('bc', 'tb', 'bcrt'),
    amountMsat: fc.integer({ min: 1, max: 2 ** 40 }),
    timestamp: fc.integer({ min: 1, max: 2 ** 34 }),
    paymentHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex),
    paymentSecret: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex),
    description: textUpTo(300),
    expirySeconds: fc.integer({ min: 1, max: 1_000_000 }),
  },
  { noNullPrototype: true },
)
const signingKey = new Uint8Array(32).fill(1)
const write = (one: InvoiceToWrite): string => writeInvoice(one, signingKey)
const sampleInvoices = (seed: number): readonly Uint8Array[] =>
  fc.sample(invoiceToWrite, { seed, numRuns: 4 }).map((one) => bytesOf(write(one)))

export const invoice: Target = {
  form: 'text',
  maxBytes: maxText + 64,
  codes: ['bad_input'],
  words: ['lightning:', 'lightning://', 'lnbc', 'lntb', 'lnbcrt', '1', '2500u', '20m', '9678785340p', 'LNBC'],
  seeds: [...sampleInvoices(1), bytesOf('lnbc1pvjluez'), bytesOf(`ln${'1'.repeat(4_000)}`)],
  sample: sampleInvoices,
  properties: [
    {
      name: 'an invoice that is written is read as it was, by the mint and by the wallet',
      property: fc.property(invoiceToWrite, (one) => {
        const text = write(one)
        const { chain, amountMsat, paymentHash } = one
        holdSame(mintReads(text), { chain, amountMsat, paymentHash }, 'another invoice at the mint')
        holdSame(readInvoice(`LIGHTNING:${text.toUpperCase()}`), { text, amountMsat }, 'another invoice in the wallet')
      }),
    },
  ],
  open: plain((input) => {
    const text = textOf(input)
    const atMint = mintReads(text)
    if (atMint) hold(atMint.paymentHash.length === 64 && (atMint.amountMsat ?? 0) <= maxAmount, 'not an invoice')
    const inWallet = readInvoice(text)
    hold(inWallet.amountMsat >= 1 && inWallet.amountMsat <= maxAmount, 'no amount')
    hold(asksFor(inWallet, inWallet.amountMsat, 'msat'), 'an invoice that does not ask for its own amount')
    // Whoever pays must mean what the mint means.
    if (atMint?.amountMsat !== undefined) holdSame(atMint.amountMsat, inWallet.amountMsat, 'two amounts in one invoice')
  }),
}
