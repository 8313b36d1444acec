// What a payee accepts offline (protocol section 4). Each attack fails one check and no other: the attacker has real
// coins and its purse key, and signs again whatever a signature covers (`resigned`), so that the swap, the claim, the sums
// and the order fit what it sends. Where the payee would accept the very same bytes if it knew less, a test says so.

import { describe, expect, test } from 'vitest'
import {
  type CoinToHandOver,
  handoverDigest,
  type VerifyHandover,
  verifyHandover,
} from '../electron/wallet/handover.ts'
import { splitAmount } from '../shared/amount.ts'
import { order, pointFromBytes } from '../shared/cashu/bdhke.ts'
import { verifyCoin } from '../shared/cashu/dleq.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { verifySchnorr } from '../shared/cashu/p2pk.ts'
import { encodeCbor } from '../shared/cbor.ts'
import {
  decodeBody,
  decodeFrame,
  type Input,
  maxFrameBytes,
  type Output,
  type SignedHandover,
  signedHandoverSchema,
  verifySigned,
} from '../shared/messages.ts'
import {
  type Forgery,
  handoverFrame,
  handoverIn,
  inputOf,
  issueCoin,
  type MintKeys,
  makePayment,
  makeTerms,
  mintKeys,
  offCurve,
  outputsOf,
  payWith,
  pointOf,
  resigned,
  signer,
  sortedByY,
  type TestPayment,
  twin,
} from './payment-fixture.ts'

const now = 1_790_000_000
const month = 30 * 24 * 3600
const mint = mintKeys('mint', { feePpk: 100 })
const free = mintKeys('mint without fees')
const costly = mintKeys('costly mint', { feePpk: 350 })
const served = mintKeys('mint with an old id', { feePpk: 100, isV1: true })
/** A keyset that this payee never fetched: somebody else's, with everything in order. */
const foreign = mintKeys('foreign mint', { feePpk: 100 })
const euros = mintKeys('euros', { feePpk: 100, unit: 'eur' })
const brief = mintKeys('a keyset that expires', { feePpk: 100, finalExpiry: now + month })
const huge = mintKeys('a keyset up to 2^52', { count: 53 })

const fetched = [mint, free, costly, served, euros, brief, huge]
const lookUp =
  (keysets: readonly MintKeys[]): VerifyHandover['keyset'] =>
  (idV2) =>
    keysets.find(({ keyset }) => keyset.idV2 === idV2)?.keyset

const ada = signer('Ada')
const agreed = makeTerms(ada)
const purse = signer('purse')
/** 24 in, fee 1 (⌈0.3⌉), 13 to the payee, 10 back: two coins of one denomination, two outputs of change. */
const coins = [16, 4, 4].map((amount, index) => issueCoin(mint, amount, purse, `coin/${index}`))
const honest = makePayment(agreed, purse, coins)

type Facts = Partial<Pick<VerifyHandover, 'keyset' | 'wasSeen' | 'expiresAfter'>>

const judge = ({ terms, termsHash }: TestPayment, handover: SignedHandover, facts: Facts = {}) =>
  verifyHandover({
    terms,
    termsHash,
    handover,
    keyset: lookUp(fetched),
    wasSeen: () => false,
    expiresAfter: now + month,
    verifyCoins: async (found) => found.map(verifyCoin),
    ...facts,
  })

/** `valid`, or the code of the refusal. */
async function verdict(payment: TestPayment, handover: SignedHandover, facts?: Facts): Promise<string> {
  const verified = await judge(payment, handover, facts)
  return verified.kind === 'valid' ? 'valid' : verified.code
}

/** What becomes of the honest payment when its payer changes this and signs again. */
const changed = (changes: Partial<SignedHandover>, forgery?: Forgery, facts?: Facts) =>
  verdict(honest, resigned(honest, changes, forgery), facts)

/** The same, when one input is not what it was; inputs keep their places. */
const withInput = (index: number, place: number, value: Uint8Array | number) =>
  honest.handover.inputs.map((input, at) => (at === index ? (input.with(place, value) as Input) : input))

const place = { keysetId: 0, amount: 1, nonce: 2, C: 3, e: 4, s: 5, r: 6 } as const
const numberBytes = (value: bigint) => hexToBytes(value.toString(16).padStart(64, '0'))
const coinsOf = (keysets: readonly MintKeys[], amounts: readonly number[], owner = purse) =>
  amounts.map((amount, index) => issueCoin(keysets[index % keysets.length]!, amount, owner, `${amount}/${index}`))

describe('an honest handover', () => {
  test('is accepted, and is the swap that the payer can settle too', async () => {
    const verified = await judge(honest, honest.handover)
    expect(verified).toEqual({
      kind: 'valid',
      swap: honest.built.swap,
      claim: honest.built.claim,
      purseKey: bytesToHex(purse.key),
    })
  })

  test('is signed as section 10 says, byte for byte', () => {
    expect(resigned(honest, {})).toEqual(honest.handover)
  })

  test('carries a swap signature by the purse key over the digest, and a claim that stands alone', async () => {
    const verified = await judge(honest, honest.handover)
    if (verified.kind !== 'valid') throw new Error(verified.reason)
    const { swap, claim } = verified
    expect(verifySchnorr(swap.signature, hexToBytes(swap.digest), bytesToHex(purse.key))).toBe(true)
    expect(verifySigned('claim', claim.body, claim.sig, purse.key)).toBe(true)
    expect(bytesToHex(handoverDigest(agreed.terms, honest.handover))).toBe(swap.digest)
  })

  test('leaves neither blinding factors nor DLEQ proofs nor, in its claim, secrets or signatures', async () => {
    const verified = await judge(honest, honest.handover)
    if (verified.kind !== 'valid') throw new Error(verified.reason)
    const kept = JSON.stringify(verified.swap) + bytesToHex(verified.claim.body)
    for (const { r, e, s, nonce, C } of coins) {
      for (const secret of [r.toString(16).padStart(64, '0'), e, s]) expect(kept).not.toContain(secret)
      for (const secret of [nonce, C]) expect(bytesToHex(verified.claim.body)).not.toContain(secret)
    }
  })

  test('may consist of coins of several keysets with several fees, one of them served under an old id', async () => {
    const payment = makePayment(agreed, purse, coinsOf([mint, costly, free, served], [8, 8, 4, 2, 1]))
    const verified = await judge(payment, payment.handover)
    expect(verified).toMatchObject({ kind: 'valid', swap: payment.built.swap })
    const ids = new Set(payment.built.swap.inputs.map(({ id }) => id))
    expect(ids).toContain(served.keyset.id)
  })

  test('needs no change', async () => {
    const payment = makePayment(agreed, purse, coinsOf([free], [8, 4, 1]))
    expect(payment.handover.change).toEqual([])
    expect(await verdict(payment, payment.handover)).toBe('valid')
  })

  test('may have 64 inputs and 64 outputs', async () => {
    const amounts = Array.from({ length: 64 }, () => 2)
    const bought = coinsOf([free], amounts)
    const { terms } = makeTerms(ada, { amount: 1, outputs: outputsOf('one', [1]) })
    const payment = makePayment(makeTerms(ada, terms), purse, bought)
    const change = outputsOf(
      'many',
      [...splitAmount(64), 1].concat(Array.from({ length: 61 }, () => 1)).map((amount) => amount),
    )
    const rest = 127 - change.reduce((sum, [amount]) => sum + amount, 0)
    const full = outputsOf('many', [...change.map(([amount]) => amount), rest])
    expect(full).toHaveLength(64 - 1 + 1)
    expect(rest).toBeGreaterThan(0)
  })
})
