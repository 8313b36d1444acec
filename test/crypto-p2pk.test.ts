// Spending conditions (NUT-10, NUT-11): the vectors with one key and those with SIG_ALL, and the SIG_ALL message against
// cashu-ts. Vectors with tags that are not served here must be refused, never taken for a plain secret.

import { Amount, createP2PKsecret, isP2PKSpendAuthorised, SigAll } from '@cashu/cashu-ts'
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes, utf8ToBytes } from '../shared/cashu/numbers.ts'
import {
  parseSecret,
  purseSecret,
  sigAllDigest,
  sigAllMessage,
  signaturesOf,
  swapDigest,
  verifySchnorr,
  witnessOf,
  xOnly,
} from '../shared/cashu/p2pk.ts'
import nut11 from './vectors/nut-11.json' with { type: 'json' }

type Request = {
  readonly inputs: readonly { readonly secret: string; readonly C: string; readonly witness?: string }[]
  readonly outputs: readonly { readonly amount: number; readonly B_: string }[]
  readonly quote?: string
}

const digestOf = ({ inputs, outputs, quote }: Request) => sigAllDigest(inputs, outputs, quote)

/** The keys a secret names, by role, read without the parser under test. */
function keysIn(secret: string): { readonly pay: readonly string[]; readonly refund: readonly string[] } {
  const [kind, { data, tags }] = JSON.parse(secret) as [string, { data: string; tags: string[][] }]
  const values = (name: string) => tags.find(([tag]) => tag === name)?.slice(1) ?? []
  return { pay: [...(kind === 'P2PK' ? [data] : []), ...values('pubkeys')], refund: values('refund') }
}

/** How many of the keys signed the digest. */
function signers(keys: readonly string[], witness: string | undefined, digest: Uint8Array): number {
  return keys.filter((key) => signaturesOf(witness).some((signature) => verifySchnorr(signature, digest, key))).length
}

describe('NUT-11 vectors with SIG_INPUTS', () => {
  const about = (words: string) => {
    const found = nut11.proofs.filter(({ why }) => why.includes(words))
    expect(found).toHaveLength(1)
    return found[0]!.proof
  }
  const digest = (secret: string) => sha256(utf8ToBytes(secret))

  test('the proof with a valid signature is spendable', () => {
    const { secret, witness } = about('Proof with a valid signature')
    const parsed = parseSecret(secret)
    expect(parsed).toMatchObject({ kind: 'p2pk', sigFlag: 'SIG_INPUTS' })
    const key = parsed.kind === 'p2pk' ? parsed.data : ''
    expect(signaturesOf(witness).map((signature) => verifySchnorr(signature, digest(secret), key))).toEqual([true])
  })

  test('the proof signed on a different secret is not', () => {
    const { secret, witness } = about('Proof with an invalid signature')
    const parsed = parseSecret(secret)
    const key = parsed.kind === 'p2pk' ? parsed.data : ''
    expect(signaturesOf(witness).map((signature) => verifySchnorr(signature, digest(secret), key))).toEqual([false])
  })

  test.each(nut11.proofs.filter(({ proof }) => /pubkeys|refund|locktime/.test(proof.secret)))(
    'a secret with tags that are not served is never plain: $why',
    ({ proof }) => {
      expect(parseSecret(proof.secret)).toMatchObject({ kind: 'unsupported', reason: expect.stringMatching(/^tag /) })
    },
  )
})

describe('NUT-11 vectors with SIG_ALL', () => {
  test.each(nut11.messages)('the message and its digest: $digest', ({ request, message, digest }) => {
    const { inputs, outputs, quote }: Request = request
    expect(sigAllMessage(inputs, outputs, quote)).toBe(message)
    expect(bytesToHex(digestOf(request))).toBe(digest)
  })

  // [signatures by payment keys, by refund keys], as the text above each vector says.
  const expected: Readonly<Record<string, readonly [number, number]>> = {
    'SwapRequest with a valid sig_all signature': [1, 0],
    'SwapRequest where multiple valid signatures are required and provided': [2, 0],
    'SwapRequest where the locktime has passed and the refund key signatures are valid': [0, 2],
    'valid SwapRequest with an HTLC also locked to a public key': [1, 0],
    'invalid SwapRequest with an HTLC also locked to a public key, a locktime and a refund key. The locktime has not expired, but the proof is signed with the refund key':
      [0, 1],
    'valid SwapRequest with a multisig HTLC also locked to locktime and refund keys': [0, 2],
    'valid SIG_ALL MeltRequest': [1, 0],
    'valid multi-sig SIG_ALL MeltRequest': [2, 0],
  }
  const mixed =
    'SwapRequest that is invalid as the spending conditions are not identical across inputs (secret tags are different)'

  test('every request of the vectors is looked at', () => {
    expect(nut11.requests.map(({ why }) => why).sort()).toEqual([...Object.keys(expected), mixed].sort())
  })

  test.each(nut11.requests.filter(({ why }) => why !== mixed))('the digest is what was signed: $why', (vector) => {
    const request: Request = vector.request
    const [input] = request.inputs
    const { pay, refund } = keysIn(input!.secret)
    const digest = digestOf(request)
    expect([signers(pay, input!.witness, digest), signers(refund, input!.witness, digest)]).toEqual(
      expected[vector.why],
    )
  })

  test('the request whose inputs have different tags is invalid, although its signature is right', () => {
    const request: Request = nut11.requests.find(({ why }) => why === mixed)!.request
    const [first, second] = request.inputs.map(({ secret }) => parseSecret(secret))
    expect(first).toMatchObject({ kind: 'p2pk', sigFlag: 'SIG_ALL' })
    expect(second).toMatchObject({ kind: 'unsupported' })
    expect(signers(keysIn(request.inputs[0]!.secret).pay, request.inputs[0]!.witness, digestOf(request))).toBe(1)
  })

  test.each(nut11.requests.filter(({ request }) => request.inputs[0]!.secret.startsWith('["HTLC"')))(
    'an HTLC is not served and never plain: $why',
    ({ request }) => {
      expect(parseSecret(request.inputs[0]!.secret)).toMatchObject({ kind: 'unsupported' })
    },
  )
})

const hexOf = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(bytesToHex)
const pointText = fc.tuple(fc.constantFrom('02', '03'), hexOf(32)).map(([prefix, x]) => prefix + x)
const input = fc.record({
  secret: fc.oneof(
    fc.tuple(hexOf(32), pointText).map(([nonce, key]) => purseSecret(nonce, key)),
    fc.string({ unit: 'grapheme' }),
  ),
  C: pointText,
})
const output = fc.record({ amount: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), B_: pointText })
const inputs = fc.array(input, { minLength: 1, maxLength: 8 })
const outputs = fc.array(output, { maxLength: 8 })

describe('the SIG_ALL digest', () => {
  const theirs = (
    ins: readonly { secret: string; C: string }[],
    outs: readonly { amount: number; B_: string }[],
    quote?: string,
  ) => {
    const amounts = outs.map(({ amount, B_ }) => ({ amount: Amount.from(amount), B_, id: '00' }))
    return SigAll.computeDigests([...ins], amounts, quote).v0
  }

  test('is the one cashu-ts computes, for swaps and for melts', () => {
    fc.assert(
      fc.property(inputs, outputs, fc.option(fc.string(), { nil: undefined }), (ins, outs, quote) => {
        expect(bytesToHex(sigAllDigest(ins, outs, quote))).toBe(theirs(ins, outs, quote))
        if (quote === undefined) expect(swapDigest(ins, outs)).toBe(theirs(ins, outs))
      }),
    )
  })

  test('changes with any input, output, amount or place', () => {
    fc.assert(
      fc.property(inputs, fc.array(output, { minLength: 2, maxLength: 8 }), output, (ins, outs, other) => {
        const [first, second, ...rest] = outs
        fc.pre(first!.B_ !== other.B_ && first!.B_ !== second!.B_)
        const digest = swapDigest(ins, outs)
        expect(swapDigest(ins, [other, second!, ...rest])).not.toBe(digest)
        expect(swapDigest(ins, [{ ...first!, amount: first!.amount ^ 1 }, second!, ...rest])).not.toBe(digest)
        expect(swapDigest(ins, [second!, first!, ...rest])).not.toBe(digest)
        expect(swapDigest(ins, outs.slice(1))).not.toBe(digest)
        expect(swapDigest([...ins, { secret: 'x', C: other.B_ }], outs)).not.toBe(digest)
        expect(bytesToHex(sigAllDigest(ins, outs, 'quote'))).not.toBe(digest)
      }),
    )
  })

  test('signed by the purse key is accepted by cashu-ts, and by us', () => {
    fc.assert(
      fc.property(hexOf(32), hexOf(32), pointText, outputs, (key, nonce, C, outs) => {
        const privateKey = hexToBytes(key)
        fc.pre(privateKey.some((byte) => byte !== 0) && !key.startsWith('ffffffff'))
        const purseKey = `02${bytesToHex(schnorr.getPublicKey(privateKey))}`
        const secret = purseSecret(nonce, purseKey)
        const digest = sigAllDigest([{ secret, C }], outs)
        const signature = bytesToHex(schnorr.sign(digest, privateKey))
        expect(verifySchnorr(signature, digest, purseKey)).toBe(true)
        const proof = { amount: Amount.from(1), id: '00', secret, C, witness: witnessOf(signature) }
        const message = sigAllMessage([{ secret, C }], outs)
        expect(isP2PKSpendAuthorised(proof, undefined, message)).toBe(true)
        expect(isP2PKSpendAuthorised(proof, undefined, `${message} `)).toBe(false)
      }),
      { numRuns: 20 },
    )
  })
})

describe('the secret of a purse', () => {
  const key = `02${'ab'.repeat(32)}`

  test('is byte for byte the one of the protocol', () => {
    expect(purseSecret('00'.repeat(32), key)).toBe(
      `["P2PK",{"nonce":"${'00'.repeat(32)}","data":"${key}","tags":[["sigflag","SIG_ALL"]]}]`,
    )
  })

  test('is read back as what it is', () => {
    fc.assert(
      fc.property(hexOf(32), pointText, (nonce, data) => {
        const secret = purseSecret(nonce, data)
        expect(parseSecret(secret)).toEqual({
          kind: 'p2pk',
          data,
          sigFlag: 'SIG_ALL',
          tags: '[["sigflag","SIG_ALL"]]',
        })
        expect(JSON.stringify(JSON.parse(secret))).toBe(secret)
      }),
    )
  })

  test('has the shape that cashu-ts gives such a secret', () => {
    const [kind, { data, tags }] = JSON.parse(createP2PKsecret(key, [['sigflag', 'SIG_ALL']]))
    expect(JSON.parse(purseSecret('00'.repeat(32), key))).toEqual([kind, { nonce: '00'.repeat(32), data, tags }])
  })
})

describe('a secret as a mint reads it', () => {
  const key = `02${'ab'.repeat(32)}`
  const p2pk = (body: unknown) => JSON.stringify(['P2PK', body])

  test.each([
    ['a random text', 'a5'.repeat(32)],
    ['a number', '7'],
    ['an object', '{"kind":"P2PK"}'],
    ['a broken list', '["P2PK",'],
    ['nothing', ''],
  ])('is plain when it is %s', (_, secret) => {
    expect(parseSecret(secret)).toEqual({ kind: 'plain' })
  })

  test.each([
    ['another kind', JSON.stringify(['HTLC', { nonce: '', data: key, tags: [] }])],
    ['the kind in small letters', JSON.stringify(['p2pk', { nonce: '', data: key, tags: [] }])],
    ['a list of one', '["P2PK"]'],
    ['an empty list', '[]'],
    ['a third element', JSON.stringify(['P2PK', { nonce: '', data: key }, 1])],
    ['no nonce', p2pk({ data: key })],
    ['no key', p2pk({ nonce: '' })],
    ['a key without prefix', p2pk({ nonce: '', data: 'ab'.repeat(32) })],
    ['an uncompressed key', p2pk({ nonce: '', data: `04${'ab'.repeat(64)}` })],
    ['tags that are no list', p2pk({ nonce: '', data: key, tags: 'SIG_ALL' })],
    ['an empty tag', p2pk({ nonce: '', data: key, tags: [[]] })],
    ['a tag of numbers', p2pk({ nonce: '', data: key, tags: [['n_sigs', 1]] })],
    ['an unknown flag', p2pk({ nonce: '', data: key, tags: [['sigflag', 'SIG_NONE']] })],
    ['a flag without value', p2pk({ nonce: '', data: key, tags: [['sigflag']] })],
    ['two values of the flag', p2pk({ nonce: '', data: key, tags: [['sigflag', 'SIG_ALL', 'SIG_INPUTS']] })],
    ['the flag twice', p2pk({ nonce: '', data: key, tags: [['sigflag', 'SIG_ALL'], ['sigflag', 'SIG_INPUTS']] })], // biome-ignore format: one case per line
    ['a locktime', p2pk({ nonce: '', data: key, tags: [['locktime', '1']] })],
    ['a refund key', p2pk({ nonce: '', data: key, tags: [['sigflag', 'SIG_ALL'], ['refund', key]] })], // biome-ignore format: one case per line
    ['an unknown tag', p2pk({ nonce: '', data: key, tags: [['unheard_of', '1']] })],
  ])('is unsupported, never plain, with %s', (_, secret) => {
    expect(parseSecret(secret)).toMatchObject({ kind: 'unsupported' })
  })

  test.each([
    ['no tags', p2pk({ nonce: '', data: key })],
    ['null tags', p2pk({ nonce: '', data: key, tags: null })],
    ['empty tags', p2pk({ nonce: '', data: key, tags: [] })],
  ])('needs a signature per input with %s', (_, secret) => {
    expect(parseSecret(secret)).toEqual({ kind: 'p2pk', data: key, sigFlag: 'SIG_INPUTS', tags: '[]' })
  })
})

describe('signatures and witnesses', () => {
  const privateKey = hexToBytes('11'.repeat(32))
  const digest = sha256(utf8ToBytes('a message'))
  const signature = bytesToHex(schnorr.sign(digest, privateKey))
  const key = bytesToHex(schnorr.getPublicKey(privateKey))

  test('a signature holds for the key in all three forms', () => {
    for (const form of [key, `02${key}`, `03${key}`]) expect(verifySchnorr(signature, digest, form)).toBe(true)
  })

  test('any single bit changed breaks it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
        const bytes = hexToBytes(signature)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        expect(verifySchnorr(bytesToHex(bytes), digest, key)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  test('what is no signature or no key is false, not thrown', () => {
    for (const bad of ['', 'zz', signature.slice(2), `${signature}00`])
      expect(verifySchnorr(bad, digest, key)).toBe(false)
    for (const bad of ['', 'zz', 'ff'.repeat(32)]) expect(verifySchnorr(signature, digest, bad)).toBe(false)
    expect(verifySchnorr(signature, digest.slice(1), key)).toBe(false)
  })

  test('a key with another prefix than 02 or 03 is no key', () => {
    for (const prefix of ['00', '01', '04', '05', 'zz']) {
      expect(verifySchnorr(signature, digest, prefix + key)).toBe(false)
    }
  })

  test('02, 03 and x-only are one key', () => {
    expect(new Set([key, `02${key}`, `03${key}`, `02${key.toUpperCase()}`].map(xOnly))).toEqual(new Set([key]))
  })

  test('a witness gives back its signatures', () => {
    expect(signaturesOf(witnessOf(signature, signature))).toEqual([signature, signature])
    expect(witnessOf(signature)).toBe(`{"signatures":["${signature}"]}`)
  })

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['not JSON', 'signatures'],
    ['of another shape', '{"signatures":"x"}'],
    ['with a signature too short', '{"signatures":["00"]}'],
    ['with hundreds of signatures', JSON.stringify({ signatures: Array(17).fill(signature) })],
  ])('a witness that is %s has none', (_, witness) => {
    expect(signaturesOf(witness)).toEqual([])
  })
})
