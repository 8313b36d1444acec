// The messages of a payment, byte by byte (protocol section 10): what has one form is read in that form only, and a
// signature of one kind of message is never one of another.

import { createHash } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maxAmount } from '../shared/amount.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { encodeCbor } from '../shared/cbor.ts'
import {
  bodyHash,
  type Claim,
  claimSchema,
  compareOutputs,
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeFrame,
  type Hello,
  handoverSchema,
  helloSchema,
  type Input,
  isStrictlySorted,
  maxFrameBytes,
  maxHelloFrameBytes,
  maxKeysetIds,
  maxMemoBytes,
  type Output,
  type Receipt,
  type Refusal,
  receiptSchema,
  refusalSchema,
  type SettledHandover,
  type SignedHandover,
  type SignedKind,
  type SignedMessage,
  signedMessageSchema,
  signingHash,
  type Terms,
  termsSchema,
  verifySigned,
} from '../shared/messages.ts'
import type { z } from '../shared/schema.ts'
import { bytesOf, pointOf, signer } from './payment-fixture.ts'

const badFrame = expect.objectContaining({ code: 'bad_frame' })
const signatureOf = (name: string) => concatBytes(bytesOf(name), bytesOf(`${name}/2`))
const keysetId = (name: string) => concatBytes(Uint8Array.of(1), bytesOf(name))

const input: Input = [keysetId('a'), 8, bytesOf('nonce'), pointOf('C'), bytesOf('e'), bytesOf('s'), bytesOf('r')]
const outputs: Output[] = [
  [1, pointOf('B_1')],
  [4, pointOf('B_4')],
]
const hello: Hello = {
  v: 1,
  paymentId: bytesOf('payment').slice(0, 16),
  mint: { url: 'https://mint.example', keysetIds: [keysetId('a'), keysetId('b')] },
  unit: 'sat',
  amount: 5,
  requestId: 'request',
  memo: 'tea',
  replaces: bytesOf('dead swap'),
}
const terms: Terms = {
  helloHash: bytesOf('hello'),
  peers: [bytesOf('payer peer'), bytesOf('payee peer')],
  keysetIds: [keysetId('a')],
  unit: 'sat',
  amount: 5,
  outputs,
  payeeKey: pointOf('payee'),
  name: 'Ada',
  deadline: 1_800_000_000,
}
const signed: SignedHandover = {
  kind: 'signed',
  termsHash: bytesOf('Terms'),
  purseKey: pointOf('purse'),
  inputs: [input, input.slice(0, 4) as Input],
  change: outputs,
  swapSig: signatureOf('swap'),
  claimSig: signatureOf('claim'),
  contactSig: signatureOf('contact'),
}
const settled: SettledHandover = {
  kind: 'settled',
  termsHash: bytesOf('Terms'),
  signatures: [[keysetId('a'), 1, pointOf('C_'), bytesOf('e'), bytesOf('s')]],
}
const claim: Claim = {
  purseKey: pointOf('purse'),
  keysetIds: [keysetId('a')],
  Ys: [pointOf('Y')],
  swapDigest: bytesOf('swap'),
  termsHash: bytesOf('Terms'),
  payeeKey: pointOf('payee'),
  deadline: 1_800_000_000,
}
const receipt: Receipt = {
  termsHash: bytesOf('Terms'),
  swapDigest: bytesOf('swap'),
  grade: 'signed',
  at: 1_790_000_000,
}
const refusal: Refusal = { swapDigest: bytesOf('swap'), code: 'coin_seen', at: 1_790_000_000 }
const message: SignedMessage = { body: bytesOf('body'), sig: signatureOf('message') }

type Sample = {
  readonly name: string
  readonly schema: z.ZodType<unknown>
  readonly value: object
  readonly optional: readonly string[]
}
const samples: readonly Sample[] = [
  { name: 'Hello', schema: helloSchema, value: hello, optional: ['requestId', 'memo', 'replaces'] },
  { name: 'Terms', schema: termsSchema, value: terms, optional: [] },
  { name: 'signed Handover', schema: handoverSchema, value: signed, optional: ['contactSig'] },
  { name: 'settled Handover', schema: handoverSchema, value: settled, optional: [] },
  { name: 'Claim', schema: claimSchema, value: claim, optional: [] },
  { name: 'Receipt', schema: receiptSchema, value: receipt, optional: ['swapDigest'] },
  { name: 'Refusal', schema: refusalSchema, value: refusal, optional: ['helloHash', 'swapDigest'] },
  { name: 'signed message', schema: signedMessageSchema, value: message, optional: [] },
]

test('a Hello that signs nothing anew is byte for byte what it was before there was such a thing', () => {
  const { replaces: _, ...ofItsOwn } = hello
  const body =
    'a7617601646d656d6f63746561646d696e74a26375726c7468747470733a2f2f6d696e742e6578616d706c65696b65797365744964738258' +
    '2101ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb5821013e23e8160039594a33894f6564e1b1348bbd7a' +
    '0088d42c4acb73eeaed59c009d64756e69746373617466616d6f756e7405697061796d656e74496450040ffd5925d40e11c67b7238a7fc99' +
    '57697265717565737449646772657175657374'
  expect(bytesToHex(encodeBody(helloSchema, ofItsOwn))).toBe(body)
  expect(decodeBody(helloSchema, hexToBytes(body))).toEqual(ofItsOwn)
})

/** Byte strings that may have several lengths. */
const isFree = (path: string) => /^\/peers\/|^\/body$/.test(path)

/** Lists that have one length: a coin, an output, a signature. */
const isTuple = (path: string) => /^\/(inputs|outputs|change|signatures)\/\d+$/.test(path)

type Mutant = { readonly path: string; readonly value: unknown }

/** Every way to change one thing in a message that must not be read: lengths, numbers, kinds of values, keys. */
function* mutants(value: unknown, path = ''): Generator<Mutant> {
  const wrong = (...values: unknown[]): Mutant[] => values.map((value) => ({ path, value }))
  if (value instanceof Uint8Array) {
    if (!isFree(path)) yield* wrong(value.subarray(1), concatBytes(value, Uint8Array.of(0)))
    yield* wrong(new Uint8Array(), 'text', 7, [...value])
    // Points and V2 keyset ids say in their first byte what they are.
    if (value.length === 33) yield* wrong(value.with(0, 4), value.with(0, 0))
  } else if (typeof value === 'number') {
    yield* wrong(-1, 0.5, BigInt(maxAmount) + 1n, `${value}`, true)
  } else if (typeof value === 'string') {
    yield* wrong(7, utf8ToBytes(value), 'x'.repeat(1000))
  } else if (Array.isArray(value)) {
    yield* wrong(
      {},
      'text',
      Array.from({ length: 65 }, () => value[0]),
    )
    if (isTuple(path)) yield* wrong([...value, value.at(-1)], value.slice(0, -1))
    for (const [index, item] of value.entries()) {
      for (const mutant of mutants(item, `${path}/${index}`))
        yield { ...mutant, value: value.with(index, mutant.value) }
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { path: `${path}/+`, value: { ...value, tip: 1 } }
    yield* wrong([], 7)
    for (const [key, item] of Object.entries(value)) {
      for (const mutant of mutants(item, `${path}/${key}`))
        yield { ...mutant, value: { ...value, [key]: mutant.value } }
    }
  }
}

describe.each(samples)('a $name', ({ schema, value, optional }) => {
  const body = encodeCbor(value)
  const read = (bytes: Uint8Array) => () => decodeBody(schema, bytes)

  test('is read as it was written', () => {
    expect(encodeBody(schema, value)).toEqual(body)
    expect(read(body)()).toEqual(value)
  })

  test('with a wrong length, number, kind of value or an extra key anywhere in it is refused', () => {
    let tried = 0
    for (const { path, value: mutant } of mutants(value)) {
      expect(read(encodeCbor(mutant)), path).toThrow(badFrame)
      tried++
    }
    expect(tried).toBeGreaterThan(10)
  })

  test('without one of its keys is refused, unless the key may be missing', () => {
    for (const key of Object.keys(value)) {
      const rest = encodeCbor(Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)))
      if (optional.includes(key)) expect(read(rest), key).not.toThrow()
      else expect(read(rest), key).toThrow(badFrame)
    }
  })

  test('in any other encoding of the same content is refused', () => {
    const [head = 0] = body
    const entries = Object.entries(value)
    const reversed = entries
      .map(([key, item]) => concatBytes(encodeCbor(key), encodeCbor(item)))
      .sort((a, b) => (Buffer.compare(a, b) < 0 ? 1 : -1))
    expect(head).toBe(0xa0 | entries.length)
    const content = body.subarray(1)
    const others: Record<string, Uint8Array> = {
      'a byte after it': concatBytes(body, Uint8Array.of(0)),
      'a byte less': body.subarray(0, -1),
      'a longer head': concatBytes(Uint8Array.of(0xb8, entries.length), content),
      'an indefinite length': concatBytes(Uint8Array.of(0xbf), content, Uint8Array.of(0xff)),
      'a tag': concatBytes(Uint8Array.of(0xc1), body),
      'its keys in another order': concatBytes(Uint8Array.of(head), ...reversed),
      'a key twice': concatBytes(Uint8Array.of(head + 1), content, reversed[0]!),
    }
    for (const [what, bytes] of Object.entries(others)) expect(read(bytes), what).toThrow(badFrame)
  })

  test('is not read from what is no CBOR at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(read(noise)).toThrow(badFrame)
      }),
    )
  })
})

describe('lengths and counts', () => {
  const helloWith = (changes: object) => () => decodeBody(helloSchema, encodeCbor({ ...hello, ...changes }))
  const termsWith = (changes: object) => () => decodeBody(termsSchema, encodeCbor({ ...terms, ...changes }))
  const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

  test('of text are counted in bytes of UTF-8, not in characters', () => {
    expect(helloWith({ memo: 'ä'.repeat(70) })).not.toThrow()
    expect(helloWith({ memo: `${'ä'.repeat(70)}a` })).toThrow(badFrame)
    expect(termsWith({ name: '🪙'.repeat(16) })).not.toThrow()
    expect(termsWith({ name: `${'🪙'.repeat(16)}a` })).toThrow(badFrame)
    expect(termsWith({ name: '' })).not.toThrow()
    expect(helloWith({ requestId: 'x'.repeat(65) })).toThrow(badFrame)
    expect(helloWith({ mint: { ...hello.mint, url: 'x'.repeat(513) } })).toThrow(badFrame)
  })

  test('of text that is no UTF-8 are not counted: it is refused', () => {
    const bytes = encodeCbor({ ...hello, memo: 'tea' })
    const at = Buffer.from(bytes).indexOf('tea')
    expect(() => decodeBody(helloSchema, bytes.with(at, 0xff))).toThrow(badFrame)
    expect(() => encodeBody(helloSchema, { ...hello, memo: '\ud800' })).toThrow()
  })

  test('of keyset ids are one to eight', () => {
    const { url } = hello.mint
    expect(helloWith({ mint: { url, keysetIds: times(8, keysetId('a')) } })).not.toThrow()
    expect(helloWith({ mint: { url, keysetIds: times(9, keysetId('a')) } })).toThrow(badFrame)
    expect(helloWith({ mint: { url, keysetIds: [] } })).toThrow(badFrame)
  })

  test('of the Terms’ outputs are one to 64', () => {
    expect(termsWith({ outputs: times(64, outputs[0]) })).not.toThrow()
    expect(termsWith({ outputs: times(65, outputs[0]) })).toThrow(badFrame)
    expect(termsWith({ outputs: [] })).toThrow(badFrame)
  })

  test('of peer ids are one to 64 bytes', () => {
    expect(termsWith({ peers: [new Uint8Array(64), new Uint8Array(1)] })).not.toThrow()
    expect(termsWith({ peers: [new Uint8Array(65), new Uint8Array(1)] })).toThrow(badFrame)
    expect(termsWith({ peers: times(3, new Uint8Array(34)) })).toThrow(badFrame)
  })

  test('of a V1 keyset id do not fit: hashes and comparisons use the V2 id', () => {
    expect(termsWith({ keysetIds: [hexToBytes('009a1f293253e41e')] })).toThrow(badFrame)
    expect(termsWith({ keysetIds: [keysetId('a').with(0, 0)] })).toThrow(badFrame)
  })

  test('of amounts reach from 1 to 2^53 − 1', () => {
    for (const amount of [1, maxAmount]) expect(helloWith({ amount })).not.toThrow()
    for (const amount of [0, -1, 2n ** 53n, 2n ** 63n]) expect(helloWith({ amount })).toThrow(badFrame)
  })

  test('of units are short and plain', () => {
    for (const unit of ['', 'SAT', 'sat ', 'x'.repeat(33), 'sät']) expect(helloWith({ unit })).toThrow(badFrame)
  })
})

describe('a frame', () => {
  const frames = [
    { hello: bytesOf('a') },
    { terms: message },
    { handover: bytesOf('b') },
    { receipt: message },
    { refusal: message },
  ]

  test('holds one message of a known kind, and comes back as it went', () => {
    for (const frame of frames) expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
  })

  test.each<[string, unknown]>([
    ['nothing', {}],
    ['two messages', { hello: bytesOf('a'), terms: message }],
    ['a message of an unknown kind', { promise: bytesOf('a') }],
    ['an empty body', { hello: new Uint8Array() }],
    ['a body that is not wrapped', { hello }],
    ['a signed message without signature', { terms: { body: bytesOf('a') } }],
    ['a signed message with two signatures', { terms: { ...message, sig2: message.sig } }],
    ['a signature that is too short', { receipt: { ...message, sig: message.sig.slice(1) } }],
    ['no map', [bytesOf('a')]],
    ['nothing at all', null],
  ])('with %s is refused', (_what, frame) => {
    expect(() => decodeFrame(encodeCbor(frame))).toThrow(badFrame)
  })

  test('of 64 KiB is the largest, read or written', () => {
    const overhead = encodeCbor({ handover: new Uint8Array(60_000) }).length - 60_000
    const largest = { handover: new Uint8Array(maxFrameBytes - overhead) }
    expect(encodeFrame(largest)).toHaveLength(maxFrameBytes)
    expect(decodeFrame(encodeFrame(largest))).toEqual(largest)
    const tooLarge = { handover: new Uint8Array(maxFrameBytes - overhead + 1) }
    const refused = expect.objectContaining({ code: 'frame_too_large' })
    expect(() => encodeFrame(tooLarge)).toThrow(refused)
    expect(() => decodeFrame(encodeCbor(tooLarge))).toThrow(refused)
  })

  test('with a Hello of 4 KiB is read, with a longer one refused; the longest Hello there is has less than half of that', () => {
    const frame = (length: number) => encodeCbor({ hello: new Uint8Array(length) })
    expect(decodeFrame(frame(4096))).toEqual({ hello: new Uint8Array(4096) })
    expect(frame(4096).length).toBeLessThanOrEqual(maxHelloFrameBytes)
    expect(() => decodeFrame(frame(4097))).toThrow(badFrame)
    const longest = encodeBody(helloSchema, {
      v: 1,
      paymentId: hello.paymentId,
      mint: { url: 'x'.repeat(512), keysetIds: Array.from({ length: maxKeysetIds }, () => hello.mint.keysetIds[0]!) },
      unit: 'x'.repeat(32),
      amount: maxAmount,
      requestId: 'x'.repeat(64),
      memo: 'x'.repeat(maxMemoBytes),
      replaces: new Uint8Array(32),
    })
    expect(longest.length).toBeLessThan(2048)
  })

  test('holds 64 inputs and 64 outputs with room to spare', () => {
    const inputs = Array.from({ length: 64 }, () => input.with(1, maxAmount) as Input)
    const change = Array.from({ length: 64 }, (): Output => [maxAmount, pointOf('B_')])
    const handover = encodeBody(handoverSchema, { ...signed, inputs, change })
    expect(encodeFrame({ handover }).length).toBeLessThan(maxFrameBytes / 2)
  })
})

describe('signatures', () => {
  const kinds: readonly SignedKind[] = ['terms', 'claim', 'receipt', 'refusal', 'contact']
  const ada = signer('Ada')
  const body = encodeBody(termsSchema, terms)
  const sha256 = (...parts: readonly Uint8Array[]) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  }

  test.each(kinds)('of a %s are BIP-340 over a tagged hash of the body', (kind) => {
    const tag = sha256(utf8ToBytes(`farthing/${kind}/1`))
    expect(signingHash(kind, body)).toEqual(sha256(tag, tag, body))
    const { sig } = ada.sign(kind, body)
    expect(schnorr.verify(sig, sha256(tag, tag, body), ada.key.subarray(1))).toBe(true)
    expect(verifySigned(kind, body, sig, ada.key)).toBe(true)
  })

  test('of one kind are never of another, nor of the bare body', () => {
    for (const made of kinds) {
      const { sig } = ada.sign(made, body)
      for (const read of kinds) expect(verifySigned(read, body, sig, ada.key), `${made} as ${read}`).toBe(made === read)
    }
    expect(verifySigned('terms', body, ada.signDigest(sha256(body)), ada.key)).toBe(false)
  })

  test('of another body, another key or with a bit turned do not verify', () => {
    const { sig } = ada.sign('terms', body)
    expect(verifySigned('terms', body.with(-1, body.at(-1)! ^ 1), sig, ada.key)).toBe(false)
    expect(verifySigned('terms', concatBytes(body, Uint8Array.of(0)), sig, ada.key)).toBe(false)
    expect(verifySigned('terms', body, sig, signer('Eve').key)).toBe(false)
    for (const index of [0, 31, 32, 63]) {
      expect(verifySigned('terms', body, sig.with(index, sig[index]! ^ 1), ada.key)).toBe(false)
    }
  })

  test('that are none at all are false, not an error', () => {
    const { sig } = ada.sign('terms', body)
    for (const key of [new Uint8Array(33), new Uint8Array(33).fill(0xff), new Uint8Array(), ada.key.subarray(1)]) {
      expect(verifySigned('terms', body, sig, key)).toBe(false)
    }
    for (const none of [new Uint8Array(64), new Uint8Array(64).fill(0xff), new Uint8Array(), sig.subarray(1)]) {
      expect(verifySigned('terms', body, none, ada.key)).toBe(false)
    }
  })

  test('name a body by its SHA-256', () => {
    expect(bodyHash(body)).toEqual(sha256(body))
  })
})

describe('outputs', () => {
  const [low, high] = [pointOf('a'), pointOf('b')].sort(Buffer.compare) as [Uint8Array, Uint8Array]

  test('stand by amount, as numbers, then by their points, as raw bytes', () => {
    const sorted: Output[] = [
      [2, high],
      [4, low],
      [4, high],
      [16, low],
      [128, low],
    ]
    expect(sorted.toReversed().sort(compareOutputs)).toEqual(sorted)
    expect(isStrictlySorted(sorted, compareOutputs)).toBe(true)
    expect(isStrictlySorted(sorted.toReversed(), compareOutputs)).toBe(false)
  })

  test('that are equal have no strict order', () => {
    expect(
      isStrictlySorted<Output>(
        [
          [4, low],
          [4, Uint8Array.from(low)],
        ],
        compareOutputs,
      ),
    ).toBe(false)
    expect(isStrictlySorted<Output>([], compareOutputs)).toBe(true)
  })
})
