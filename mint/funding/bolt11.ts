// BOLT 11: the text of a Lightning invoice. Writes what any decoder reads; reads amount and payment hash of any.

import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bech32 } from '@scure/base'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../../shared/cashu/numbers.ts'

export type InvoiceToWrite = {
  /** `bc`, `tb`, `bcrt` …: the BIP-173 prefix of the chain. */
  readonly chain: string
  /** Thousandths of a satoshi. */
  readonly amountMsat: number
  /** Unix seconds. */
  readonly timestamp: number
  /** 64 hex characters each. */
  readonly paymentHash: string
  readonly paymentSecret: string
  /** At most 639 bytes of UTF-8. */
  readonly description: string
  readonly expirySeconds: number
}

export type InvoiceRead = {
  readonly chain: string
  /** Thousandths of a satoshi; undefined when the payer may choose. */
  readonly amountMsat: number | undefined
  readonly paymentHash: string
}

// Types of tagged fields
const paymentHashField = 1
const featuresField = 5
const expiryField = 6
const descriptionField = 13
const paymentSecretField = 16
/** Feature bits 8 (variable onion) and 14 (payment secret), required, as three 5-bit words. */
const features = [16, 8, 0]

const timestampWords = 7
const hashWords = 52
const signatureWords = 104
/** Thousandths of a satoshi in one unit of each multiplier; `p` is a tenth of one. */
const msatOf = { '': 1e11, m: 1e8, u: 1e5, n: 100 } as const

/** @param secretKey 32 bytes; whoever reads the invoice learns its public key and nothing else */
export function writeInvoice(invoice: InvoiceToWrite, secretKey: Uint8Array): string {
  const prefix = `ln${invoice.chain}${amountText(invoice.amountMsat)}`
  const data = [
    ...padded(wordsOf(invoice.timestamp), timestampWords),
    ...field(paymentSecretField, bech32.toWords(hexToBytes(invoice.paymentSecret))),
    ...field(paymentHashField, bech32.toWords(hexToBytes(invoice.paymentHash))),
    ...field(descriptionField, bech32.toWords(utf8ToBytes(invoice.description))),
    ...field(expiryField, wordsOf(invoice.expirySeconds)),
    ...field(featuresField, features),
  ]
  const digest = createHash('sha256').update(prefix).update(packed(data)).digest()
  const signed = secp256k1.sign(digest, secretKey, { prehash: false, format: 'recovered' }) // recovery id ‖ r ‖ s
  const signature = concatBytes(signed.subarray(1), signed.subarray(0, 1))
  return bech32.encode(prefix, [...data, ...bech32.toWords(signature)], false)
}

/**
 * The signature is not checked: this reader is for a funding that pays nobody.
 * @returns undefined for a text that is no invoice, by form, checksum or amount
 */
export function readInvoice(text: string): InvoiceRead | undefined {
  const decoded = bech32.decodeUnsafe(text, false)
  if (!decoded || decoded.words.length < timestampWords + signatureWords) return undefined
  const human = /^ln(bcrt|bc|tbs|tb|sb)(?:([1-9][0-9]{0,17})([munp]?))?$/.exec(decoded.prefix)
  const chain = human?.[1]
  if (chain === undefined) return undefined
  const digits = human?.[2]
  const amountMsat = digits === undefined ? undefined : readAmount(digits, human?.[3] ?? '')
  if (amountMsat === null) return undefined
  const hash = findField(decoded.words.slice(timestampWords, -signatureWords), paymentHashField, hashWords)
  const bytes = hash && bech32.fromWordsUnsafe(hash)
  return bytes ? { chain, amountMsat, paymentHash: bytesToHex(bytes) } : undefined
}

/** The shortest form: the largest multiplier that divides the amount. */
function amountText(msat: number): string {
  for (const [multiplier, size] of Object.entries(msatOf)) {
    if (msat % size === 0) return `${msat / size}${multiplier}`
  }
  return `${msat}0p`
}

/** @returns null for a fraction of a thousandth of a satoshi, or more than can be counted */
function readAmount(digits: string, multiplier: string): number | null {
  const count = Number(digits)
  const size = Object.entries(msatOf).find(([name]) => name === multiplier)?.[1]
  const msat = size === undefined ? count / 10 : count * size
  return Number.isSafeInteger(count) && Number.isSafeInteger(msat) ? msat : null
}

/** Data of the first field of this type and length; others are to be skipped (BOLT 11). */
function findField(words: readonly number[], type: number, length: number): number[] | undefined {
  for (let at = 0; at + 3 <= words.length; ) {
    const size = (words[at + 1] ?? 0) * 32 + (words[at + 2] ?? 0)
    if (words[at] === type && size === length) return words.slice(at + 3, at + 3 + size)
    at += 3 + size
  }
  return undefined
}

function field(type: number, words: readonly number[]): readonly number[] {
  return [type, words.length >> 5, words.length & 31, ...words]
}

/** A number as 5-bit words, big-endian, without leading zeros. */
function wordsOf(value: number): readonly number[] {
  const words: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 32)) words.unshift(rest % 32)
  return words
}

function padded(words: readonly number[], length: number): readonly number[] {
  return [...new Array<number>(length - words.length).fill(0), ...words]
}

/** 5-bit words as bytes, zero bits appended to a whole byte: what an invoice's signature covers. */
function packed(words: readonly number[]): Uint8Array {
  const bits = words.map((word) => word.toString(2).padStart(5, '0')).join('')
  const bytes = bits.match(/.{1,8}/g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
}
