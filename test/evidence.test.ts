// The proof of a double spend (protocol section 7): two claims that verify with nothing but themselves. It must convince
// when a key signed one coin to two payees, and must not be makeable from anything an honest payer signs.

import { describe, expect, test } from 'vitest'
import { findDoubleSpend, readDoubleSpendProof } from '../electron/wallet/evidence.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { encodeCbor } from '../shared/cbor.ts'
import {
  type Claim,
  claimSchema,
  decodeBody,
  encodeBody,
  type SignedKind,
  type SignedMessage,
} from '../shared/messages.ts'
import {
  bytesOf,
  issueCoin,
  makePayment,
  makeTerms,
  mintKeys,
  pointOf,
  type Signer,
  signer,
  twin,
} from './payment-fixture.ts'

const cheat = signer('cheat')
const ada = signer('Ada')
const bob = signer('Bob')
const [one, two, three] = ['one', 'two', 'three'].map(pointOf) as [Uint8Array, Uint8Array, Uint8Array]

/** A claim for one coin to Ada, unless changed; signed by the key it names, unless by another. */
function claim(changes: Partial<Claim> = {}, by: Signer = cheat, kind: SignedKind = 'claim'): SignedMessage {
  const body = encodeBody(claimSchema, {
    purseKey: by.key,
    keysetIds: [hexToBytes(`01${'00'.repeat(32)}`)],
    Ys: [one],
    swapDigest: bytesOf('swap'),
    termsHash: bytesOf('Terms'),
    payeeKey: ada.key,
    deadline: 1_800_000_000,
    ...changes,
  })
  return by.sign(kind, body)
}
const toBob = (changes: Partial<Claim> = {}, by?: Signer, kind?: SignedKind) =>
  claim({ payeeKey: bob.key, swapDigest: bytesOf('other swap'), ...changes }, by, kind)

const read = (first: SignedMessage, second: SignedMessage) => {
  const readings = [
    readDoubleSpendProof({ claims: [first, second] }),
    readDoubleSpendProof({ claims: [second, first] }),
  ]
  expect(readings[0]?.kind).toBe(readings[1]?.kind)
  return readings[0]!
}
const xOf = (key: Uint8Array) => bytesToHex(key.subarray(1))

describe('two claims', () => {
  test('of one key for one coin to two payees are a proof that names key and coin', () => {
    expect(read(claim(), toBob())).toEqual({ kind: 'double_spend', purseKey: xOf(cheat.key), Ys: [bytesToHex(one)] })
  })

  test('prove for the coins they have in common only', () => {
    const proof = read(claim({ Ys: [one, two] }), toBob({ Ys: [three, two] }))
    expect(proof).toMatchObject({ kind: 'double_spend', Ys: [bytesToHex(two)] })
  })

  test('under both keys of one x are a proof: it is one signer', () => {
    const other: Signer = { ...cheat, key: twin(cheat.key) }
    expect(read(claim(), toBob({}, other))).toMatchObject({ kind: 'double_spend', purseKey: xOf(cheat.key) })
  })

  test('made by paying two people with one purse, as payers do it, are a proof', () => {
    const coins = [4, 1].map((amount) => issueCoin(mintKeys('mint'), amount, cheat, `coin/${amount}`))
    const [first, second] = [ada, bob].map(
      (payee) => makePayment(makeTerms(payee, { amount: 5 }), cheat, coins).built.claim,
    )
    expect(read(first!, second!)).toMatchObject({ kind: 'double_spend', Ys: coins.map(({ Y }) => Y).sort() })
  })

  test('of an honest payer, which pays two people with different coins of one purse, are none', () => {
    const [first, second] = [ada, bob].map((payee, index) => {
      const coin = issueCoin(mintKeys('mint'), 4, cheat, `coin/${index}`)
      return makePayment(makeTerms(payee, { amount: 4 }), cheat, [coin]).built.claim
    })
    expect(read(first!, second!)).toEqual({ kind: 'no_proof', reason: 'no coin in common' })
  })

  test('to one payee are none, whatever else differs: a replacement is honest', () => {
    const again = { swapDigest: bytesOf('new swap'), termsHash: bytesOf('new Terms'), deadline: 1_900_000_000 }
    expect(read(claim(), claim(again)).kind).toBe('no_proof')
    expect(read(claim(), claim()).kind).toBe('no_proof')
  })

  test('to one payee are none, also when it is named by both keys of its x', () => {
    expect(read(claim(), claim({ payeeKey: twin(ada.key) })).kind).toBe('no_proof')
  })

  test('of two keys are none', () => {
    expect(read(claim(), toBob({}, signer('another payer'))).kind).toBe('no_proof')
  })

  test('without a coin in common are none', () => {
    expect(read(claim({ Ys: [one, two] }), toBob({ Ys: [three] })).kind).toBe('no_proof')
    expect(read(claim(), toBob({ Ys: [twin(one)] })).kind).toBe('no_proof')
  })
})

describe('a claim that is not what it seems makes no proof', () => {
  const good = toBob()
  const { body, sig } = claim()
  const changed = (changes: Partial<Claim>): SignedMessage => ({
    body: encodeBody(claimSchema, { ...decodeBody(claimSchema, body), ...changes }),
    sig,
  })

  test.each<[string, SignedMessage]>([
    ['signed by a payee who wants to frame the payer', claim({ purseKey: cheat.key }, ada)],
    ['with another payee than was signed', changed({ payeeKey: signer('Carol').key })],
    ['with another coin than was signed', changed({ Ys: [two] })],
    ['with another purse key than signed it', changed({ purseKey: signer('another').key })],
    ['with one bit of its signature turned', { body, sig: sig.with(0, sig[0]! ^ 1) }],
    ['with a signature of nothing', { body, sig: new Uint8Array(64) }],
    ['signed as a contact', claim({}, cheat, 'contact')],
    ['signed as a swap', { body, sig: cheat.signDigest(bytesOf('swap')) }],
    ['that is no CBOR', { body: bytesOf('noise'), sig }],
    ['that is another message', cheat.sign('claim', encodeCbor({ purseKey: cheat.key }))],
    ['of nothing', { body: new Uint8Array(), sig }],
    ['with a purse key that is no point', claim({ purseKey: hexToBytes(`02${'05'.padStart(64, '0')}`) })],
  ])('%s', (_what, claimed) => {
    expect(read(claimed, good).kind).toBe('no_proof')
  })

  test('in another encoding of the same claim, signed as such', () => {
    // A map head of two bytes where one does.
    const loose = Uint8Array.of(0xb8, body[0]! & 31, ...body.subarray(1))
    expect(read(cheat.sign('claim', loose), good).kind).toBe('no_proof')
  })
})

describe('among many claims', () => {
  test('the two that prove something are found', () => {
    const honest = [2, 3, 4].map((n) => claim({ Ys: [pointOf(`coin ${n}`)], payeeKey: signer(`payee ${n}`).key }))
    const [first, second] = [claim(), toBob()]
    expect(findDoubleSpend([honest[0]!, first, honest[1]!, second, honest[2]!])).toEqual({ claims: [first, second] })
    expect(findDoubleSpend([...honest, first])).toBeUndefined()
    expect(findDoubleSpend([])).toBeUndefined()
  })
})

test('a claim tells nothing but what it claims: no secret, no C, no r, no DLEQ proof', () => {
  const coins = [4, 1].map((amount) => issueCoin(mintKeys('mint'), amount, cheat, `coin/${amount}`))
  const { built, terms, termsHash } = makePayment(makeTerms(ada, { amount: 5 }), cheat, coins)
  expect(decodeBody(claimSchema, built.claim.body)).toEqual({
    purseKey: cheat.key,
    keysetIds: [hexToBytes(coins[0]!.keyset.idV2)],
    Ys: coins
      .map(({ Y }) => Y)
      .sort()
      .map(hexToBytes),
    swapDigest: hexToBytes(built.swap.digest),
    termsHash,
    payeeKey: ada.key,
    deadline: terms.deadline,
  })
})
