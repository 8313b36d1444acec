// What an honest mint answers, one of each kind, for inputs to begin with. Keys are 1·G, 2·G, 3·G …

import { Point, pointToHex } from '../../../shared/cashu/bdhke.ts'
import { keysetIdV1, keysetIdV2 } from '../../../shared/cashu/keyset.ts'

const denominations = 8
const point = (index: number): string => pointToHex(Point.BASE.multiply(BigInt(index)))
const keys = Object.fromEntries(Array.from({ length: denominations }, (_, bit) => [String(2 ** bit), point(bit + 1)]))
const id = keysetIdV2({ keys, unit: 'sat', feePpk: 100, finalExpiry: 1_900_000_000 })

/** As `/v1/keys` lists it. */
export const keyset = { id, unit: 'sat', active: true, input_fee_ppk: 100, final_expiry: 1_900_000_000, keys }
const oldKeyset = { id: keysetIdV1(keys), unit: 'sat', keys }
const scalar = 'ab'.repeat(32)
const signature = { amount: 4, id, C_: point(9), dleq: { e: scalar, s: scalar } }
const proof = { amount: 4, id, secret: 'secret', C: point(9), witness: '{"signatures":[]}' }
const blinded = { amount: 4, id, B_: point(8) }
const quote = { quote: 'f2c1', request: 'lnbc1', amount: 4, unit: 'sat', state: 'UNPAID', expiry: 1_900_000_000 }

/** By the call they answer. */
export const answers = {
  info: {
    name: 'Mint',
    version: 'Farthing/0.1.0',
    nuts: { 4: { methods: [{ method: 'bolt11', unit: 'sat' }], disabled: false }, 7: { supported: true } },
  },
  keysets: {
    keysets: [
      { id, unit: 'sat', active: true, input_fee_ppk: 100 },
      { id: 'I2yN+iRYfkzT', unit: 'sat' },
    ],
  },
  keys: { keysets: [keyset] },
  signatures: { signatures: [signature, { ...signature, dleq: null }] },
  mintQuote: { ...quote, state: 'PAID' },
  meltQuote: { ...quote, fee_reserve: 1, change: [signature], payment_preimage: null },
  states: { states: [{ Y: point(5), state: 'SPENT', witness: '{}' }] },
  restored: { outputs: [blinded], signatures: [signature] },
  error: { detail: 'Token already spent.', code: 11001 },
} as const

export const goodAnswers: readonly string[] = [
  ...Object.values(answers),
  { keysets: [oldKeyset] },
  { inputs: [proof], outputs: [blinded] },
  { quote: 'f2c1', inputs: [proof], outputs: [{ ...blinded, amount: 0 }], prefer_async: false },
].map((answer) => JSON.stringify(answer))

/** What is asked for, so that the answers above are answers to it. */
export const asked = { keysetId: id, quote: quote.quote, Y: point(5), output: blinded } as const
