// What a mint says, as JSON that was parsed already: the schemas of /v1, keysets, secrets and witnesses.

import fc from 'fast-check'
import { keyOf, keysetIdV2, verifyKeyset } from '../../../shared/cashu/keyset.ts'
import { parseSecret, purseSecret, signaturesOf, verifySchnorr, witnessOf } from '../../../shared/cashu/p2pk.ts'
import {
  checkStateResponseSchema,
  errorResponseSchema,
  infoResponseSchema,
  keysetKeysSchema,
  keysResponseSchema,
  knownKeysetsSchema,
  meltQuoteResponseSchema,
  meltRequestSchema,
  mintQuoteResponseSchema,
  mintRequestSchema,
  restoreResponseSchema,
  signaturesResponseSchema,
  swapRequestSchema,
} from '../../../shared/cashu/wire.ts'
import { readAs, type z } from '../../../shared/schema.ts'
import { hold, plain, type Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'
import { arbitraryOf } from './arbitrary-of.ts'
import { goodAnswers, keyset as goodKeyset } from './good-answers.ts'
import { holdSame, json } from './structures.ts'

const schemas: readonly z.ZodType<unknown>[] = [
  checkStateResponseSchema,
  errorResponseSchema,
  infoResponseSchema,
  keysResponseSchema,
  knownKeysetsSchema,
  meltQuoteResponseSchema,
  meltRequestSchema,
  mintQuoteResponseSchema,
  mintRequestSchema,
  restoreResponseSchema,
  signaturesResponseSchema,
  swapRequestSchema,
]

const anyMessage = fc.oneof(...schemas.map(arbitraryOf))

/** The largest body a client reads is larger; what matters is in the first part. */
const maxBytes = 256 * 1024

/** @returns undefined for what is no JSON: nobody is told of it */
function parsed(input: Uint8Array): unknown {
  try {
    return json.read(input)
  } catch {
    return undefined
  }
}

export const wire: Target = {
  form: 'json',
  maxBytes,
  codes: [],
  words: ['"keysets"', '"signatures"', '"states"', '"dleq"', '"UNSPENT"', '"nuts"', '"keys"', ':{', '[['],
  seeds: goodAnswers.map(bytesOf),
  structure: json,
  sample: (seed, count) =>
    fc.sample(anyMessage, { seed, numRuns: count }).map((message) => bytesOf(JSON.stringify(message))),
  open: plain((input) => {
    const body = parsed(input)
    for (const schema of schemas) {
      const read = readAs(schema, body)
      // What was taken is taken again: nothing in it is of another kind than it says.
      if (read.success) holdSame(schema.parse(read.data), read.data, 'another message')
    }
  }),
}

export const keyset: Target = {
  form: 'json',
  maxBytes,
  codes: ['mint_lies'],
  words: ['"1"', '"9223372036854775808"', '"0"', '"01"', '02', '"unit"', '"sat"', '"SAT"', '"final_expiry"'],
  seeds: [bytesOf(JSON.stringify(goodKeyset))],
  structure: json,
  open: plain((input) => {
    const served = readAs(keysetKeysSchema, parsed(input)).data
    if (!served) return
    const { id, unit, keys, input_fee_ppk, final_expiry } = served
    const read = verifyKeyset({
      id,
      unit,
      keys,
      active: true,
      feePpk: input_fee_ppk ?? 0,
      finalExpiry: final_expiry ?? null,
    })
    hold(read.idV2 === keysetIdV2(read) && read.idV2.length === 66, 'an id that is not the one of its keys')
    for (const denomination of Object.keys(read.keys)) {
      const amount = Number(denomination)
      if (Number.isSafeInteger(amount))
        hold(keyOf(read, amount)?.toHex(true) === read.keys[denomination], 'another key')
    }
    hold(keyOf(read, 3) === undefined && keyOf(read, Number.NaN) === undefined, 'a key for what is no denomination')
  }),
}

const purseKey = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`

/** A secret and its witness, as somebody sends them to a mint: one line each. */
export const secret: Target = {
  form: 'text',
  maxBytes: 4_096,
  codes: [],
  words: [
    '["P2PK",',
    '"nonce"',
    '"data"',
    '"tags"',
    '["sigflag","SIG_ALL"]',
    '"locktime"',
    '"HTLC"',
    'SIG_INPUTS',
    '\n',
  ],
  seeds: [
    `${purseSecret('ab'.repeat(32), purseKey)}\n${witnessOf('cd'.repeat(64))}`,
    '["P2PK",{"nonce":"a","data":"b"}]\n{"signatures":[]}',
    'a plain secret\n{"signatures":["',
  ].map(bytesOf),
  open: plain((input) => {
    const [text = '', witness] = textOf(input).split('\n')
    const read = parseSecret(text)
    // A text that is a list is a condition of some kind, and never free for anybody.
    hold(read.kind !== 'plain' || !Array.isArray(parsed(bytesOf(text))), 'a condition that was taken for none')
    if (read.kind === 'p2pk') hold(/^0[23][0-9a-f]{64}$/.test(read.data), 'a key that is none')
    for (const signature of signaturesOf(witness)) {
      hold(
        !verifySchnorr(signature, new Uint8Array(32), read.kind === 'p2pk' ? read.data : purseKey),
        'a forged signature',
      )
    }
  }),
}
