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
const large = mintKeys('a keyset up to 2^52', { count: 53 })
const largeWithFee = mintKeys('a keyset up to 2^52 with a fee', { count: 53, feePpk: 100 })

const fetched = [mint, free, costly, served, euros, brief, large, largeWithFee]
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

type Facts = Partial<Pick<VerifyHandover, 'keyset' | 'wasSeen' | 'canBeSigned' | 'expiresAfter'>>

const judge = ({ terms, termsHash }: TestPayment, handover: SignedHandover, facts: Facts = {}) =>
  verifyHandover({
    terms,
    termsHash,
    handover,
    keyset: lookUp(fetched),
    wasSeen: () => false,
    canBeSigned: () => true,
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
const ones = (count: number) => Array.from({ length: count }, () => 1)
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
    const payment = makePayment(makeTerms(ada, { amount: 1 }), purse, coinsOf([free], ones(64)))
    const handover = resigned(payment, { change: outputsOf('small change', ones(63)) })
    expect(handoverIn(handoverFrame(handover))).toEqual(handover)
    expect(await verdict(payment, handover)).toBe('valid')
  })
})

describe('check 1: frame, schema, sizes', () => {
  const read = (handover: object) => () => decodeBody(signedHandoverSchema, encodeCbor(handover))
  const badFrame = expect.objectContaining({ code: 'bad_frame' })
  const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

  test('65 inputs are refused', () => {
    const [input] = honest.handover.inputs
    expect(read({ ...honest.handover, inputs: many(64, input) })).not.toThrow()
    expect(read({ ...honest.handover, inputs: many(65, input) })).toThrow(badFrame)
  })

  test('500 outputs are refused, although their frame is small enough', () => {
    const change = outputsOf('crowd', ones(500))
    const handover = { ...honest.handover, change }
    expect(encodeCbor({ handover: encodeCbor(handover) }).length).toBeLessThan(maxFrameBytes)
    expect(read(handover)).toThrow(badFrame)
  })

  test('outputs above 64 in all are refused, although the change by itself is within its limit', async () => {
    const payment = makePayment(agreed, purse, coinsOf([free], [32, 32, 8, 4, 1]))
    const handover = resigned(payment, { change: outputsOf('crowd', ones(64)) })
    expect(await verdict(payment, handover)).toBe('bad_handover')
  })

  test('no inputs are refused', () => {
    expect(read({ ...honest.handover, inputs: [] })).toThrow(badFrame)
  })

  test('an input with half a DLEQ proof is refused', () => {
    const inputs = honest.handover.inputs.map((input) => input.slice(0, 5))
    expect(read({ ...honest.handover, inputs })).toThrow(badFrame)
  })

  test('a frame of one byte too many is refused before it is read', () => {
    const room = maxFrameBytes - encodeCbor({ handover: new Uint8Array(60_000) }).length + 60_000
    expect(() => decodeFrame(encodeCbor({ handover: new Uint8Array(room) }))).not.toThrow()
    expect(() => decodeFrame(encodeCbor({ handover: new Uint8Array(room + 1) }))).toThrow(
      expect.objectContaining({ code: 'frame_too_large' }),
    )
  })
})

describe('the Terms', () => {
  test('a handover for other Terms of the same payee is refused', async () => {
    // Swap and claim are signed for the Terms at hand: only the field names others.
    const { termsHash } = makeTerms(ada, { name: 'Ada at noon' })
    expect(await changed({ termsHash })).toBe('bad_handover')
  })
})

describe('check 3: keysets that the payee fetched itself', () => {
  test('a keyset that the payee never fetched is refused, whatever its DLEQ proofs say', async () => {
    const payment = makePayment(agreed, purse, coinsOf([foreign], [16, 4, 4]))
    expect(await verdict(payment, payment.handover)).toBe('keyset_unknown')
    expect(await verdict(payment, payment.handover, { keyset: lookUp([foreign]) })).toBe('valid')
  })

  test('one coin of such a keyset among good ones is refused', async () => {
    const payment = makePayment(agreed, purse, coinsOf([mint, mint, foreign], [16, 4, 4]))
    expect(await verdict(payment, payment.handover)).toBe('keyset_unknown')
    expect(await verdict(payment, payment.handover, { keyset: lookUp([mint, foreign]) })).toBe('valid')
  })

  test('a keyset of another unit is refused', async () => {
    const payment = makePayment(agreed, purse, coinsOf([euros], [16, 4, 4]))
    expect(await verdict(payment, payment.handover)).toBe('keyset_unknown')
    const asSat = () => ({ ...euros.keyset, unit: 'sat' })
    expect(await verdict(payment, payment.handover, { keyset: asSat })).toBe('valid')
  })

  test('a keyset that expires within a month is refused, to the second', async () => {
    const payment = makePayment(agreed, purse, coinsOf([brief], [16, 4, 4]))
    expect(await verdict(payment, payment.handover)).toBe('keyset_expired')
    expect(await verdict(payment, payment.handover, { expiresAfter: now + month - 1 })).toBe('valid')
  })

  test('a keyset named by the id that the mint serves, not by the one of its contents, is refused', async () => {
    const payment = makePayment(agreed, purse, coinsOf([served], [16, 4, 4]))
    const id = hexToBytes(`01${served.keyset.id}`.padEnd(66, '0'))
    const inputs = payment.handover.inputs.map((input) => input.with(place.keysetId, id) as Input)
    expect(await verdict(payment, resigned(payment, { inputs }))).toBe('keyset_unknown')
  })

  test('a denomination that the keyset does not have is refused', async () => {
    // 16 + 4 + 4 becomes 16 + 4 + 3, and the change 9: sums and fee still fit.
    const last = honest.handover.inputs.findIndex(([, amount]) => amount === 4)
    const inputs = withInput(last, place.amount, 3)
    expect(await changed({ inputs, change: outputsOf('change', [1, 8]) })).toBe('keyset_unknown')
  })
})

describe('check 4: one purse key, all different, in one order, on the curve', () => {
  test('coins in another order are refused', async () => {
    expect(await changed({ inputs: honest.handover.inputs.toReversed() })).toBe('bad_handover')
  })

  test('one coin that stands twice is refused', async () => {
    // 16 + 16 + 4 + 4 in, fee ⌈0.4⌉, 13 to the payee, 26 back.
    const inputs = honest.handover.inputs.flatMap((input) => (input[1] === 16 ? [input, input] : [input]))
    expect(await changed({ inputs, change: outputsOf('change', splitAmount(26)) })).toBe('bad_handover')
  })

  test('a C that is no point is refused', async () => {
    expect(() => pointFromBytes(offCurve)).toThrow()
    expect(await changed({ inputs: withInput(1, place.C, offCurve) })).toBe('bad_handover')
  })

  test('a purse key that is no point is refused', async () => {
    const inputs = sortedByY(offCurve, honest.handover.inputs)
    expect(await changed({ purseKey: offCurve, inputs })).toBe('bad_handover')
  })

  test('a change output that is no point is refused', async () => {
    const [first, second] = honest.handover.change
    expect([first?.[0], second?.[0]]).toEqual([2, 8])
    expect(await changed({ change: [first!, [8, offCurve]] })).toBe('bad_handover')
  })

  test('the other key of the same x makes other secrets: the coins are not locked to it', async () => {
    // Swap and claim verify, as BIP-340 knows x only; the payee writes the secrets itself and finds no such coins.
    const purseKey = twin(purse.key)
    const inputs = sortedByY(purseKey, honest.handover.inputs)
    expect(await changed({ purseKey, inputs })).toBe('bad_dleq')
  })

  test('coins of two purses cannot be handed over: there is one place for a key, and it makes every secret', async () => {
    const other = signer('other purse')
    const mixed = [...coinsOf([mint], [16, 4]), ...coinsOf([mint], [8], other)]
    const payment = makePayment(agreed, purse, mixed)
    for (const owner of [purse, other]) {
      const inputs = sortedByY(owner.key, mixed.map(inputOf))
      const forgery = { swapKey: owner, claimKey: owner }
      expect(await verdict(payment, resigned(payment, { purseKey: owner.key, inputs }, forgery))).toBe('bad_dleq')
    }
    const twoKeys = { ...honest.handover, purseKeys: [purse.key, other.key] }
    expect(() => decodeBody(signedHandoverSchema, encodeCbor(twoKeys))).toThrow()
  })

  test('one change output that stands twice is refused', async () => {
    const B_ = pointOf('change')
    const change: Output[] = [2, 8].map(() => [1, B_])
    expect(await changed({ change: [...change, [8, pointOf('more change')]] })).toBe('bad_handover')
  })

  test('one B_ under two amounts is refused', async () => {
    const B_ = pointOf('change')
    const change: Output[] = [2, 8].map((amount) => [amount, B_])
    expect(await changed({ change })).toBe('bad_handover')
  })

  test('the two points of one x as change are refused', async () => {
    const B_ = pointOf('change')
    const change: Output[] = [
      [2, B_],
      [8, twin(B_)],
    ]
    expect(await changed({ change })).toBe('bad_handover')
  })

  test.each([
    ['under the same amount', 8, (B_: Uint8Array) => B_],
    ['under another amount', 2, (B_: Uint8Array) => B_],
    ['as the other point of its x', 8, twin],
  ])('an output of the payee that is asked for again as change, %s, is refused', async (_how, amount, disguise) => {
    const [, B_] = agreed.terms.outputs.find(([outputAmount]) => outputAmount === 8)!
    const change = honest.handover.change.map(
      (output): Output => (output[0] === amount ? [amount, disguise(B_)] : output),
    )
    expect(await changed({ change })).toBe('bad_handover')
  })

  test('change in another order is refused', async () => {
    expect(await changed({ change: honest.handover.change.toReversed() })).toBe('bad_handover')
  })

  test('change of one amount in another order of its points is refused', async () => {
    const change = outputsOf('change', [2, 4, 4])
    expect(await changed({ change })).toBe('valid')
    const [two, four, other] = change
    expect(await changed({ change: [two!, other!, four!] })).toBe('bad_handover')
  })

  test('change that is no power of two is refused', async () => {
    expect(await changed({ change: outputsOf('change', [10]) })).toBe('bad_handover')
    expect(await changed({ change: outputsOf('change', [1, 9]) })).toBe('bad_handover')
  })
})

describe('check 5: coins that were seen', () => {
  test.each(coins.map((coin, index) => [index, coin] as const))(
    'coin %i alone, seen before, refuses them all',
    async (_index, coin) => {
      expect(await verdict(honest, honest.handover, { wasSeen: (Y) => Y === coin.Y })).toBe('coin_seen')
      expect(await verdict(honest, honest.handover, { wasSeen: (Y) => Y === bytesToHex(pointOf('another')) })).toBe(
        'valid',
      )
    },
  )
})

describe('check 6: the payee’s own outputs, sums and fee', () => {
  const cases: readonly [string, readonly MintKeys[], readonly number[], number][] = [
    ['no fee', [free], [16, 4, 4], 0],
    ['a fee of 100 for each thousand coins', [mint], [16, 4, 4], 1],
    ['mixed fees', [mint, costly], [16, 4, 4], 1],
    ['mixed fees that sum up to more', [costly, costly, mint], [16, 8, 4, 2, 1], 2],
  ]

  test.each(cases)('with %s, one more or one less to take home is refused', async (_what, keysets, amounts, fee) => {
    const payment = makePayment(agreed, purse, coinsOf(keysets, amounts))
    const change = amounts.reduce((sum, amount) => sum + amount, 0) - fee - agreed.terms.amount
    const takeHome = (amount: number) =>
      verdict(payment, resigned(payment, { change: outputsOf('change', splitAmount(amount)) }))
    expect(await takeHome(change)).toBe('valid')
    expect(await takeHome(change + 1)).toBe('wrong_fee')
    expect(await takeHome(change - 1)).toBe('wrong_fee')
  })

  test('a fee that is rounded for each keyset, not once for all, is refused', async () => {
    // ⌈0.2 + 0.35⌉ is 1; ⌈0.2⌉ + ⌈0.35⌉ would be 2.
    const payment = makePayment(agreed, purse, coinsOf([mint, mint, costly], [16, 4, 4]))
    const change = outputsOf('change', splitAmount(24 - 2 - 13))
    expect(await verdict(payment, resigned(payment, { change }))).toBe('wrong_fee')
  })

  test('outputs of the payee that are left out by the signature are put back by the payee', async () => {
    const swapOutputs = honest.handover.change
    expect(await changed({}, { swapOutputs })).toBe('bad_signature')
  })

  test('outputs that no keyset of the mint can sign are refused: such a swap could never be settled', async () => {
    let asked: readonly number[] = []
    const canBeSigned = (amounts: readonly number[]) => {
      asked = amounts
      return false
    }
    expect(await verdict(honest, honest.handover, { canBeSigned })).toBe('bad_handover')
    expect([...asked].sort((a, b) => a - b)).toEqual([1, 2, 4, 8, 8])
  })

  test('outputs whose sum is too large to be counted are refused', async () => {
    // In floating point 1 + 2^52 + 2^52 is 2^53, as much as comes in: one unit from nothing.
    const big = makePayment(makeTerms(ada, { amount: 1 }), purse, coinsOf([large], [4]))
    const inputs = sortedByY(purse.key, coinsOf([large], [2 ** 52, 2 ** 52]).map(inputOf))
    const change = outputsOf('change', [2 ** 52, 2 ** 52])
    expect(await verdict(big, resigned(big, { inputs, change }))).toBe('amount_out_of_range')
  })

  test('inputs whose sum is too large to be counted are refused', async () => {
    // In floating point 2^52 + 2^52 + 1 − 1 is 2^53 − 1, which is what goes out: the mint, counting well, would refuse it.
    const big = makePayment(makeTerms(ada, { amount: 1 }), purse, coinsOf([largeWithFee], [4]))
    const inputs = sortedByY(purse.key, coinsOf([largeWithFee], [2 ** 52, 2 ** 52, 1]).map(inputOf))
    const change = outputsOf('change', splitAmount(2 ** 53 - 2))
    expect(await verdict(big, resigned(big, { inputs, change }))).toBe('amount_out_of_range')
  })
})

describe('check 7: swap and claim signatures', () => {
  const thief = signer('thief')

  test('a swap signed by another key is refused', async () => {
    expect(await changed({}, { swapKey: thief })).toBe('bad_signature')
  })

  test('a swap signed for other outputs is refused', async () => {
    // The payer's own coins, signed with change for more than it hands over: it could settle this one, the payee not.
    const swapOutputs = [...agreed.terms.outputs, ...outputsOf('elsewhere', [2, 8])]
    expect(await changed({}, { swapOutputs })).toBe('bad_signature')
  })

  test('a swap signed with an amount moved from the payee to the change is refused', async () => {
    const [one, four, eight] = agreed.terms.outputs
    const [two, rest] = honest.handover.change
    const swapOutputs: Output[] = [one!, [2, four![1]], [4, two![1]], eight!, rest!]
    expect(await changed({}, { swapOutputs })).toBe('bad_signature')
  })

  test('a swap signature with one bit turned is refused', async () => {
    const swapSig = honest.handover.swapSig.with(63, honest.handover.swapSig[63]! ^ 1)
    expect(await verdict(honest, { ...honest.handover, swapSig })).toBe('bad_signature')
  })

  test.each<[string, Forgery]>([
    ['by another key', { claimKey: thief }],
    ['as another kind of message', { claimKind: 'contact' }],
    ['for another payee', { claim: { payeeKey: thief.key } }],
    ['for other Terms', { claim: { termsHash: pointOf('other').slice(1) } }],
    ['for another swap', { claim: { swapDigest: pointOf('other').slice(1) } }],
    ['for one coin less', { claim: { Ys: coins.slice(1).map(({ Y }) => hexToBytes(Y)) } }],
    ['for another keyset', { claim: { keysetIds: [hexToBytes(foreign.keyset.idV2)] } }],
    ['for another deadline', { claim: { deadline: agreed.terms.deadline + 1 } }],
    ['for the other key of its x', { claim: { purseKey: twin(purse.key) } }],
  ])('a claim signed %s is refused', async (_what, forgery) => {
    expect(await changed({}, forgery)).toBe('bad_signature')
  })
})

describe('check 8: a DLEQ proof for every coin', () => {
  /** No signature of the payer covers e, s and r: there is nothing to sign again. */
  const fours = honest.handover.inputs.flatMap(([, amount], index) => (amount === 4 ? [index] : []))
  const [four = 0, otherFour = 0] = fours
  const partOf = (index: number, at: number): Uint8Array => honest.handover.inputs[index]?.[at] as Uint8Array

  test('a coin without DLEQ proof is refused by that name', async () => {
    const inputs = honest.handover.inputs.map((input, index) => (index === 1 ? (input.slice(0, 4) as Input) : input))
    const handover = handoverIn(handoverFrame(resigned(honest, { inputs })))
    expect(await verdict(honest, handover)).toBe('missing_dleq')
  })

  test('the DLEQ proof of another coin of the same key is refused', async () => {
    expect(four).not.toBe(otherFour)
    const inputs = honest.handover.inputs.map((input, index) =>
      index === four ? ([...input.slice(0, 4), ...honest.handover.inputs[otherFour]!.slice(4)] as Input) : input,
    )
    expect(await changed({ inputs })).toBe('bad_dleq')
  })

  test('another r is refused, for every coin', async () => {
    for (const [index, input] of honest.handover.inputs.entries()) {
      const r = BigInt(`0x${bytesToHex(input[6]!)}`)
      expect(await changed({ inputs: withInput(index, place.r, numberBytes(r + 1n)) })).toBe('bad_dleq')
    }
  })

  test('r of zero, r of the order, and r one order too large are refused', async () => {
    const owned = issueCoin(mint, 16, purse, 'small r', 5n)
    const payment = makePayment(agreed, purse, [owned])
    expect(await verdict(payment, payment.handover)).toBe('valid')
    for (const r of [0n, order, order + 5n]) {
      const inputs = payment.handover.inputs.map((input) => input.with(place.r, numberBytes(r)) as Input)
      expect(await verdict(payment, resigned(payment, { inputs }))).toBe('bad_dleq')
    }
  })

  test('e and s in each other’s place are refused', async () => {
    const inputs = honest.handover.inputs.map((input, index) =>
      index === 0 ? (input.with(place.e, partOf(0, place.s)).with(place.s, partOf(0, place.e)) as Input) : input,
    )
    expect(await changed({ inputs })).toBe('bad_dleq')
  })

  test.each([
    ['another point', pointOf('forged')],
    ['the other point of its x', twin(hexToBytes(coins[0]!.C))],
  ])('a forged C, %s, is refused', async (_what, C) => {
    const index = honest.handover.inputs.findIndex(([, amount]) => amount === 16)
    expect(await changed({ inputs: withInput(index, place.C, C) })).toBe('bad_dleq')
  })

  test('coins that another mint signed are refused under the name of a keyset the payee trusts', async () => {
    const forged = coinsOf([foreign], [16, 4, 4]).map((coin): CoinToHandOver => ({ ...coin, keyset: mint.keyset }))
    const payment = makePayment(agreed, purse, forged)
    expect(await verdict(payment, payment.handover)).toBe('bad_dleq')
  })

  test('a small coin passed off as a large one is refused', async () => {
    const swollen = coins.map((coin): CoinToHandOver => (coin.amount === 16 ? { ...coin, amount: 32 } : coin))
    const payment = makePayment(agreed, purse, swollen)
    expect(await verdict(payment, payment.handover)).toBe('bad_dleq')
  })

  test('a coin that the mint signed for another secret is refused', async () => {
    const swapped = coins.map(
      (coin, index): CoinToHandOver => (index === 0 ? { ...coin, nonce: '00'.repeat(32) } : coin),
    )
    const payment = makePayment(agreed, purse, swapped)
    const inputs = sortedByY(purse.key, payment.handover.inputs)
    expect(await verdict(payment, resigned(payment, { inputs }))).toBe('bad_dleq')
  })

  test('one bad coin among 16 is found wherever it stands', async () => {
    const payment = makePayment(makeTerms(ada, { amount: 1 }), purse, coinsOf([free], ones(16)))
    for (const at of [0, 7, 15]) {
      const inputs = payment.handover.inputs.map((input, index) =>
        index === at ? (input.with(place.s, pointOf('forged').slice(1)) as Input) : input,
      )
      expect(await verdict(payment, resigned(payment, { inputs }))).toBe('bad_dleq')
    }
  })

  test('a verifier that answers for fewer coins than it was given accepts nothing', async () => {
    const { terms, termsHash, handover } = honest
    const facts = {
      terms,
      termsHash,
      handover,
      keyset: lookUp(fetched),
      wasSeen: () => false,
      canBeSigned: () => true,
      expiresAfter: now,
    }
    expect(await verifyHandover({ ...facts, verifyCoins: async () => [true, true] })).toMatchObject({
      code: 'bad_dleq',
    })
    expect(await verifyHandover({ ...facts, verifyCoins: async () => [] })).toMatchObject({ code: 'bad_dleq' })
  })
})

describe('the order of the checks', () => {
  test('what is dear is not done for what is refused cheaply: no coin is verified after any other refusal', async () => {
    let asked = 0
    const verifyCoins: VerifyHandover['verifyCoins'] = async (found) => {
      asked++
      return found.map(() => true)
    }
    const { terms, termsHash } = honest
    const facts = {
      terms,
      termsHash,
      keyset: lookUp(fetched),
      wasSeen: () => false,
      canBeSigned: () => true,
      expiresAfter: now,
      verifyCoins,
    }
    const cheap: readonly Partial<VerifyHandover>[] = [
      { handover: resigned(honest, { termsHash: pointOf('other').slice(1) }) },
      { keyset: () => undefined },
      { wasSeen: () => true },
      { canBeSigned: () => false },
      { handover: resigned(honest, { change: outputsOf('change', [1, 8]) }) },
      { handover: resigned(honest, {}, { swapKey: signer('thief') }) },
      { handover: resigned(honest, {}, { claimKey: signer('thief') }) },
    ]
    for (const changes of cheap) {
      expect(await verifyHandover({ ...facts, handover: honest.handover, ...changes })).toMatchObject({
        kind: 'invalid',
      })
    }
    expect(asked).toBe(0)
  })
})
