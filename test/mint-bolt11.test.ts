// Practice invoices against BOLT 11's own examples (github.com/lightning/bolts, 11-payment-encoding.md).

import { describe, expect, test } from 'vitest'
import { readInvoice, writeInvoice } from '../mint/funding/bolt11.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'

const secretKey = hexToBytes('e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734')
const paymentHash = '0001020304050607080900010203040506070809000102030405060708090102'
const coffee =
  'lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh'

const invoice = {
  chain: 'bc',
  amountMsat: 250_000_000,
  timestamp: 1496314658,
  paymentHash,
  paymentSecret: '11'.repeat(32),
  description: '1 cup coffee',
  expirySeconds: 60,
}

describe('writing', () => {
  test('gives the invoice of the specification, signature and checksum included', () => {
    expect(writeInvoice(invoice, secretKey)).toBe(coffee)
  })

  test.each([
    [1, '10p'],
    [10, '100p'],
    [100, '1n'],
    [1_000, '10n'],
    [1_234_000, '12340n'],
    [100_000, '1u'],
    [100_000_000, '1m'],
    [100_000_000_000, '1'],
    [4_294_967_295_000, '42949672950n'],
  ])('%d thousandths of a satoshi are lnbc%s, and read back as the same', (amountMsat, text) => {
    const written = writeInvoice({ ...invoice, amountMsat }, secretKey)
    expect(written.slice(0, written.lastIndexOf('1'))).toBe(`lnbc${text}`)
    expect(readInvoice(written)).toEqual({ chain: 'bc', amountMsat, paymentHash })
  })
})

describe('reading', () => {
  test('takes amount and payment hash from the examples of the specification', () => {
    expect(readInvoice(coffee)).toEqual({ chain: 'bc', amountMsat: 250_000_000, paymentHash })
    const upperCase =
      'LNBC25M1PVJLUEZPP5QQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQYPQDQ5VDHKVEN9V5SXYETPDEESSP5ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYG3ZYGS9Q5SQQQQQQQQQQQQQQQQSGQ2A25DXL5HRNTDTN6ZVYDT7D66HYZSYHQS4WDYNAVYS42XGL6SGX9C4G7ME86A27T07MDTFRY458RTJR0V92CNMSWPSJSCGT2VCSE3SGPZ3UAPA'
    expect(readInvoice(upperCase)).toEqual({ chain: 'bc', amountMsat: 2_500_000_000, paymentHash })
  })

  test.each([
    [
      'a bad checksum',
      'lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpuyk0sg5g70me25alkluzd2x62aysf2pyy8edtjeevuv4p2d5p76r4zkmneet7uvyakky2zr4cusd45tftc9c5fh0nnqpnl2jfll544esqchsrnt',
    ],
    ['mixed case', `${coffee.slice(0, 8).toUpperCase()}${coffee.slice(8)}`],
    ['no separator', 'pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4'],
    [
      'a multiplier nobody knows',
      'lnbc2500x1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgqrrzc4cvfue4zp3hggxp47ag7xnrlr8vgcmkjxk3j5jqethnumgkpqp23z9jclu3v0a7e0aruz366e9wqdykw6dxhdzcjjhldxq0w6wgqcnu43j',
    ],
    [
      'a fraction of a thousandth of a satoshi',
      'lnbc2500000001p1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpusp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9qrsgq0lzc236j96a95uv0m3umg28gclm5lqxtqqwk32uuk4k6673k6n5kfvx3d2h8s295fad45fdhmusm8sjudfhlf6dcsxmfvkeywmjdkxcp99202x',
    ],
    [
      'too little data',
      'lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6na6hlh',
    ],
    ['a bitcoin address', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    ['nothing', ''],
  ])('finds no invoice in %s', (_, text) => {
    expect(readInvoice(text)).toBeUndefined()
  })
})
