// Attacks on the mint, one by one, over real HTTP against a real database: money in, swaps, signatures, keysets.

import { describe, expect, test } from 'vitest'
import { hashToCurve, pointFromHex, pointToHex } from '../shared/cashu/bdhke.ts'
import { verifyDleq } from '../shared/cashu/dleq.ts'
import { keyOf } from '../shared/cashu/keyset.ts'
import { keysResponseSchema, type Proof } from '../shared/cashu/wire.ts'
import {
  codeOf,
  lockedSecret,
  newKey,
  newSecret,
  openMint,
  signAll,
  signaturesIn,
  type TestOutput,
  witnessOver,
} from './mint-fixture.ts'

const messages = (outputs: readonly TestOutput[]) => outputs.map(({ message }) => message)
const flipped = (hex: string) => (hex.startsWith('02') ? '03' : '02') + hex.slice(2)

describe('money in', () => {
  test('a paid quote becomes coins whose signatures prove themselves', async () => {
    const mint = await openMint()
    const { quote, state } = await mint.paidQuote(13)
    expect(state).toBe('PAID')
    const outputs = await mint.outputs(1, 4, 8)
    const answer = await mint.post('/v1/mint/bolt11', { quote, outputs: messages(outputs) })
    const [keyset] = keysResponseSchema.parse((await mint.get('/v1/keys')).body).keysets
    signaturesIn(answer).forEach((signature, index) => {
      const B_ = pointFromHex(outputs[index]!.message.B_)
      const K = keyOf(keyset!, signature.amount)!
      expect(verifyDleq(signature.dleq!, B_, pointFromHex(signature.C_), K)).toBe(true)
    })
    const coins = await mint.unblind(outputs, signaturesIn(answer))
    expect((await mint.swap(coins, await mint.outputs(1, 4, 8))).status).toBe(200)
  })

  test('a quote that is not paid yet issues nothing, and is issued once it is', async () => {
    const mint = await openMint({ practiceDelayMs: 5_000 })
    const { quote, state } = await mint.paidQuote(4)
    expect(state).toBe('UNPAID')
    const request = { quote, outputs: messages(await mint.outputs(4)) }
    expect(codeOf(await mint.post('/v1/mint/bolt11', request))).toBe(20001)
    mint.clock.nowMs += 4_999
    expect(codeOf(await mint.post('/v1/mint/bolt11', request))).toBe(20001)
    mint.clock.nowMs += 1
    expect((await mint.post('/v1/mint/bolt11', request)).status).toBe(200)
  })

  test('a quote that was never paid says that it has expired', async () => {
    const mint = await openMint({ practiceDelayMs: 10_000_000 })
    const { quote } = await mint.paidQuote(4)
    mint.clock.nowMs += 3_600_000
    const outputs = messages(await mint.outputs(4))
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs }))).toBe(20007)
  })

  test('a quote is issued once: other outputs get nothing', async () => {
    const mint = await openMint()
    const { quote } = await mint.paidQuote(4)
    const first = await mint.post('/v1/mint/bolt11', { quote, outputs: messages(await mint.outputs(4)) })
    expect(first.status).toBe(200)
    const second = await mint.post('/v1/mint/bolt11', { quote, outputs: messages(await mint.outputs(4)) })
    expect(codeOf(second)).toBe(20002)
    expect((await mint.get(`/v1/mint/quote/bolt11/${quote}`)).body).toMatchObject({ state: 'ISSUED' })
  })

  test('two requests at the same time issue a quote once', async () => {
    const mint = await openMint()
    const { quote } = await mint.paidQuote(4)
    const [a, b] = await Promise.all([mint.outputs(4), mint.outputs(4)])
    const answers = await Promise.all(
      [a, b].map((outputs) => mint.post('/v1/mint/bolt11', { quote, outputs: messages(outputs) })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  })

  test.each([[[8]], [[4, 1]], [[2]], [[4, 4]]])('a quote of 4 does not issue %j', async (amounts) => {
    const mint = await openMint()
    const { quote } = await mint.paidQuote(4)
    const outputs = messages(await mint.outputs(...amounts))
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs }))).toBe(11005)
    const right = messages(await mint.outputs(4))
    expect((await mint.post('/v1/mint/bolt11', { quote, outputs: right })).status).toBe(200)
  })

  test('a lost answer of an issue is given again, byte for byte, also after a restart', async () => {
    const mint = await openMint()
    const { quote } = await mint.paidQuote(5)
    const request = { quote, outputs: messages(await mint.outputs(1, 4)) }
    const first = await mint.post('/v1/mint/bolt11', request)
    expect(first.status).toBe(200)
    expect((await mint.post('/v1/mint/bolt11', request)).text).toBe(first.text)
    await mint.restart()
    expect((await mint.post('/v1/mint/bolt11', request)).text).toBe(first.text)
  })

  test('a quote id cannot be guessed and a made-up one is refused', async () => {
    const mint = await openMint()
    const ids = [(await mint.paidQuote(1)).quote, (await mint.paidQuote(1)).quote]
    expect(ids[0]).not.toBe(ids[1])
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(ids[0]!.replaceAll('-', '').slice(0, 12), 16)).toBe(mint.clock.nowMs)
    codeOf(await mint.get('/v1/mint/quote/bolt11/01a203fa-20fa-720c-a248-eb5bf57d9479'))
    codeOf(await mint.post('/v1/mint/bolt11', { quote: 'nothing', outputs: messages(await mint.outputs(1)) }))
  })

  test('a quote above what the denominations can issue is refused, and so is a unit that is not served', async () => {
    const mint = await openMint()
    expect(codeOf(await mint.post('/v1/mint/quote/bolt11', { amount: 2 ** 32, unit: 'sat' }))).toBe(11006)
    expect((await mint.post('/v1/mint/quote/bolt11', { amount: 2 ** 32 - 1, unit: 'sat' })).status).toBe(200)
    expect(codeOf(await mint.post('/v1/mint/quote/bolt11', { amount: 1, unit: 'usd' }))).toBe(11013)
  })
})

describe('spending a coin', () => {
  test('a coin is spent once, however its second spender looks like', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    expect((await mint.swap([coin], await mint.outputs(4))).status).toBe(200)
    expect(codeOf(await mint.swap([coin], await mint.outputs(4)))).toBe(11001)
    const other = await mint.coin(2)
    expect(codeOf(await mint.swap([other, coin], await mint.outputs(2, 4)))).toBe(11001)
    expect(await mint.states(coin, other)).toEqual(['SPENT', 'UNSPENT'])
    const { quote } = await mint.meltQuote(4)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(11001)
  })

  test('two swaps at the same time spend a coin once', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const [a, b] = await Promise.all([mint.outputs(4), mint.outputs(4)])
    const answers = await Promise.all([mint.swap([coin], a), mint.swap([coin], b)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
    expect(codeOf(answers.find(({ status }) => status === 400)!)).toBe(11001)
  })

  test('a coin given twice in one swap counts for nothing', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    expect(codeOf(await mint.swap([coin, coin], await mint.outputs(8)))).toBe(11007)
    expect(codeOf(await mint.swap([coin, { ...coin, C: coin.C.toUpperCase() }], await mint.outputs(8)))).toBe(11007)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })

  test('hex in upper case is the same coin and the same output', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const [output] = await mint.outputs(4)
    const shouted = { ...output!, message: { ...output!.message, B_: output!.message.B_.toUpperCase() } }
    const first = await mint.swap([{ ...coin, C: coin.C.toUpperCase() }], [shouted])
    expect(first.status).toBe(200)
    expect((await mint.swap([coin], [output!])).text).toBe(first.text)
    const fresh = await mint.coin(4)
    expect(codeOf(await mint.swap([fresh], [shouted]))).toBe(11003)
  })

  test.each([
    ['of another secret', async (coin: Proof, other: Proof) => ({ ...coin, C: other.C })],
    ['with the sign flipped', async (coin: Proof) => ({ ...coin, C: flipped(coin.C) })],
    ['of a higher amount than was signed', async (coin: Proof) => ({ ...coin, amount: 8 })],
    ['with a secret of its own', async (coin: Proof) => ({ ...coin, secret: newSecret() })],
    ['that is no point', async (coin: Proof) => ({ ...coin, C: `02${'ff'.repeat(32)}` })],
    ['of an amount without a key', async (coin: Proof) => ({ ...coin, amount: 3 })],
  ])('a forged coin, %s, is refused and spends nothing', async (_, forge) => {
    const mint = await openMint()
    const [coin, other] = await mint.coins([4, 4])
    const forged = await forge(coin!, other!)
    const outputs =
      forged.amount === 8
        ? await mint.outputs(8)
        : forged.amount === 3
          ? await mint.outputs(1, 2)
          : await mint.outputs(4)
    expect(codeOf(await mint.swap([forged], outputs))).toBe(10001)
    expect(await mint.states(coin!, forged)).toEqual(['UNSPENT', 'UNSPENT'])
    expect((await mint.swap([coin!], await mint.outputs(4))).status).toBe(200)
  })

  test('outputs that are refused leave the coins unspent', async () => {
    const mint = await openMint()
    const [coin, second] = await mint.coins([4, 4])
    const outputs = await mint.outputs(4)
    expect((await mint.swap([second!], outputs)).status).toBe(200)
    expect(codeOf(await mint.swap([coin!], outputs))).toBe(11003)
    expect(await mint.states(coin!)).toEqual(['UNSPENT'])
  })
})

describe('outputs', () => {
  test('an output is signed once, whatever amount it asks for', async () => {
    const mint = await openMint()
    const [a, b] = await mint.coins([4, 8])
    const [output] = await mint.outputs(4)
    expect((await mint.swap([a!], [output!])).status).toBe(200)
    const more = { ...output!, message: { ...output!.message, amount: 8 } }
    expect(codeOf(await mint.swap([b!], [more]))).toBe(11003)
    const { quote } = await mint.paidQuote(8)
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs: messages([more]) }))).toBe(11003)
  })

  test('an output given twice in one request is refused', async () => {
    const mint = await openMint()
    const coin = await mint.coin(8)
    const [output] = await mint.outputs(4)
    expect(codeOf(await mint.swap([coin], [output!, output!]))).toBe(11008)
    const { quote } = await mint.paidQuote(8)
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs: messages([output!, output!]) }))).toBe(11008)
  })

  test('an output that is no point, or of an amount without a key, is refused', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const [output] = await mint.outputs(4)
    const broken = { ...output!, message: { ...output!.message, B_: `02${'ff'.repeat(32)}` } }
    expect(codeOf(await mint.swap([coin], [broken]))).toBe(0)
    expect(codeOf(await mint.swap([coin], await mint.outputs(3, 1)))).toBe(11006)
    expect(codeOf(await mint.swap([coin], await mint.outputs(2 ** 32)))).toBe(11006)
  })

  test('the negative of an output is an output of its own', async () => {
    const mint = await openMint()
    const coin = await mint.coin(8)
    const [output] = await mint.outputs(4)
    const twin = { ...output!, message: { ...output!.message, B_: flipped(output!.message.B_) } }
    const [first, second] = signaturesIn(await mint.swap([coin], [output!, twin]))
    expect(second!.C_).toBe(flipped(first!.C_))
  })
})

describe('the balance', () => {
  test.each([[[4, 1]], [[2, 1]], [[8]], [[2]], [[4, 4]]])('4 does not become %j', async (amounts) => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    expect(codeOf(await mint.swap([coin], await mint.outputs(...amounts)))).toBe(11005)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })

  test('the fee of 100 ppk is one unit for ten coins and two for eleven, not one less and not one more', async () => {
    const mint = await openMint({ feePpk: 100 })
    const ten = await mint.coins(new Array<number>(10).fill(2))
    expect(codeOf(await mint.swap(ten, await mint.outputs(4, 16)))).toBe(11005)
    expect(codeOf(await mint.swap(ten, await mint.outputs(2, 16)))).toBe(11005)
    expect((await mint.swap(ten, await mint.outputs(1, 2, 16))).status).toBe(200)
    const eleven = await mint.coins(new Array<number>(11).fill(2))
    expect(codeOf(await mint.swap(eleven, await mint.outputs(1, 4, 16)))).toBe(11005)
    expect(codeOf(await mint.swap(eleven, await mint.outputs(1, 2, 16)))).toBe(11005)
    expect((await mint.swap(eleven, await mint.outputs(4, 16))).status).toBe(200)
  })

  test('a coin that is worth less than its fee buys nothing', async () => {
    const mint = await openMint({ feePpk: 1000 })
    expect(codeOf(await mint.swap([await mint.coin(1)], await mint.outputs(1)))).toBe(11005)
  })

  test('two coins of 2^30 are one of 2^31, to the last unit', async () => {
    const mint = await openMint()
    const coins = await mint.coins([2 ** 30, 2 ** 30])
    expect(codeOf(await mint.swap(coins, await mint.outputs(2 ** 31, 1)))).toBe(11005)
    expect((await mint.swap(coins, await mint.outputs(2 ** 31))).status).toBe(200)
  })

  test('more than 64 inputs, or more than 64 outputs, are refused', async () => {
    const mint = await openMint()
    const coin = await mint.coin(64)
    const many = Array.from({ length: 65 }, () => ({ ...coin, secret: newSecret() }))
    expect(codeOf(await mint.swap(many, await mint.outputs(64)))).toBe(11014)
    const ones = await mint.outputs(...new Array<number>(65).fill(1))
    expect(codeOf(await mint.swap([coin], ones))).toBe(11015)
    expect((await mint.swap([coin], ones.slice(0, 64))).status).toBe(200)
  })
})

describe('keysets', () => {
  const stranger = `01${'ab'.repeat(32)}`

  test('a keyset id of another mint is unknown, as input and as output', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const output = await mint.output(4, { id: stranger })
    expect(codeOf(await mint.swap([{ ...coin, id: stranger }], await mint.outputs(4)))).toBe(12001)
    expect(codeOf(await mint.swap([coin], [output]))).toBe(12001)
    expect(codeOf(await mint.get(`/v1/keys/${stranger}`))).toBe(12001)
  })

  test('a coin does not pass as one of another keyset of the same mint', async () => {
    const mint = await openMint()
    const old = await mint.coin(4)
    mint.rotate()
    expect(codeOf(await mint.swap([{ ...old, id: await mint.keysetId() }], await mint.outputs(4)))).toBe(10001)
  })

  test('an inactive keyset is accepted as input and signs no output', async () => {
    const mint = await openMint()
    const oldId = await mint.keysetId()
    const [coin, second] = await mint.coins([4, 4])
    mint.rotate()
    expect(await mint.keysetId()).not.toBe(oldId)
    expect(codeOf(await mint.swap([coin!], [await mint.output(4, { id: oldId })]))).toBe(12002)
    const { quote } = await mint.paidQuote(4)
    const old = messages([await mint.output(4, { id: oldId })])
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs: old }))).toBe(12002)
    expect((await mint.swap([coin!, second!], await mint.outputs(8))).status).toBe(200)
  })

  test('after its final expiry a keyset neither spends nor signs', async () => {
    const mint = await openMint({ finalExpiry: Date.UTC(2026, 10, 2) / 1000 })
    const coin = await mint.coin(4)
    const outputs = await mint.outputs(4)
    mint.clock.nowMs = Date.UTC(2026, 10, 2) - 1
    const spent = await mint.coin(4)
    const last = await mint.outputs(4)
    const answer = await mint.swap([spent], last)
    expect(answer.status).toBe(200)
    mint.clock.nowMs += 1
    expect(codeOf(await mint.swap([coin], outputs))).toBe(12003)
    const { quote } = await mint.paidQuote(4)
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs: messages(outputs) }))).toBe(12003)
    expect((await mint.swap([spent], last)).text).toBe(answer.text)
  })

  test('coins of one unit do not become coins of another', async () => {
    const mint = await openMint()
    const sat = await mint.coin(4)
    await mint.restart({ unit: 'eur' })
    const [eur] = await mint.coins([4], { unit: 'eur' })
    const eurOutput = await mint.output(4, { id: await mint.keysetId('eur') })
    expect(codeOf(await mint.swap([sat], [eurOutput]))).toBe(11010)
    expect(codeOf(await mint.swap([sat, eur!], await mint.outputs(8)))).toBe(11009)
    expect(
      codeOf(await mint.swap([sat], [...(await mint.outputs(2)), await mint.output(2, { id: eurOutput.message.id })])),
    ).toBe(11009)
    const { quote } = await mint.paidQuote(4, 'sat')
    expect(codeOf(await mint.post('/v1/mint/bolt11', { quote, outputs: messages([eurOutput]) }))).toBe(11010)
    expect((await mint.swap([eur!], [eurOutput])).status).toBe(200)
  })
})

describe('spending conditions', () => {
  const mallory = newKey()

  test('SIG_INPUTS: each coin needs a signature on its own secret by its own key', async () => {
    const mint = await openMint()
    const key = newKey()
    const secrets = [lockedSecret(key.publicKey, null), lockedSecret(key.publicKey, [['sigflag', 'SIG_INPUTS']])]
    const [a, b] = await mint.coins([4, 4], { secrets })
    const signed = async (coin: Proof, secretKey: Uint8Array) => ({
      ...coin,
      witness: await witnessOver(coin.secret, secretKey),
    })
    const outputs = await mint.outputs(8)
    expect(codeOf(await mint.swap([a!, b!], outputs))).toBe(10001)
    expect(codeOf(await mint.swap([await signed(a!, key.secretKey), b!], outputs))).toBe(10001)
    expect(
      codeOf(await mint.swap([await signed(a!, key.secretKey), await signed(b!, mallory.secretKey)], outputs)),
    ).toBe(10001)
    const swapped = { ...b!, witness: (await signed(a!, key.secretKey)).witness }
    expect(codeOf(await mint.swap([await signed(a!, key.secretKey), swapped], outputs))).toBe(10001)
    const answer = await mint.swap([await signed(a!, key.secretKey), await signed(b!, key.secretKey)], outputs)
    expect(answer.status).toBe(200)
  })

  test('a locked coin and a plain coin are spent together under SIG_INPUTS', async () => {
    const mint = await openMint()
    const key = newKey()
    const locked = await mint.coin(4, lockedSecret(key.publicKey, null))
    const plain = await mint.coin(4)
    const signed = { ...locked, witness: await witnessOver(locked.secret, key.secretKey) }
    expect((await mint.swap([plain, signed], await mint.outputs(8))).status).toBe(200)
  })

  test.each([
    ['no witness', undefined],
    ['an empty witness', ''],
    ['a witness that is not JSON', 'signatures'],
    ['a witness without signatures', '{"signatures":[]}'],
    ['a signature that is too short', '{"signatures":["00"]}'],
    ['a signature of zeros', `{"signatures":["${'00'.repeat(64)}"]}`],
  ])('SIG_ALL with %s is refused', async (_, witness) => {
    const mint = await openMint()
    const key = newKey()
    const coin = await mint.coin(4, lockedSecret(key.publicKey))
    const outputs = await mint.outputs(4)
    const proof = witness === undefined ? coin : { ...coin, witness }
    expect(codeOf(await mint.swap([proof], outputs))).toBe(10001)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
    expect((await mint.swap(signAll([coin], outputs, key.secretKey), outputs)).status).toBe(200)
  })

  test('SIG_ALL by another key, or in another witness than the first, is refused', async () => {
    const mint = await openMint()
    const key = newKey()
    const secrets = [lockedSecret(key.publicKey), lockedSecret(key.publicKey)]
    const coins = await mint.coins([4, 4], { secrets })
    const outputs = await mint.outputs(8)
    expect(codeOf(await mint.swap(signAll(coins, outputs, mallory.secretKey), outputs))).toBe(10001)
    const [first, second] = signAll(coins, outputs, key.secretKey)
    const late = [
      { ...first!, witness: undefined },
      { ...second!, witness: first!.witness },
    ]
    expect(codeOf(await mint.swap(late, outputs))).toBe(10001)
    expect((await mint.swap([first!, second!], outputs)).status).toBe(200)
  })

  test('SIG_ALL: a swap signed for (1, B1), (2, B2) is refused as (2, B1), (1, B2) and passes as signed', async () => {
    const mint = await openMint()
    const key = newKey()
    const coins = await mint.coins([1, 2], { secrets: [lockedSecret(key.publicKey), lockedSecret(key.publicKey)] })
    const outputs = await mint.outputs(1, 2)
    const signed = signAll(coins, outputs, key.secretKey)
    const [B1, B2] = outputs.map(({ message }) => message.B_)
    const twisted = outputs.map((output, index) => ({
      ...output,
      message: { ...output.message, amount: 2 - index, B_: index === 0 ? B1! : B2! },
    }))
    expect(twisted.map(({ message }) => message.amount)).toEqual([2, 1])
    expect(codeOf(await mint.swap(signed, twisted))).toBe(10001)
    expect(codeOf(await mint.swap(signed, outputs.toReversed()))).toBe(10001)
    expect((await mint.swap(signed, outputs)).status).toBe(200)
  })

  test('SIG_ALL: nobody replaces, adds or drops an output or an input of a signed swap', async () => {
    const mint = await openMint()
    const key = newKey()
    const coins = await mint.coins([4, 4], { secrets: [lockedSecret(key.publicKey), lockedSecret(key.publicKey)] })
    const outputs = await mint.outputs(4, 4)
    const signed = signAll(coins, outputs, key.secretKey)
    expect(codeOf(await mint.swap(signed, [outputs[0]!, ...(await mint.outputs(4))]))).toBe(10001)
    expect(codeOf(await mint.swap(signed, [outputs[0]!, ...(await mint.outputs(2, 2))]))).toBe(10001)
    expect(codeOf(await mint.swap(signed.slice(0, 1), outputs.slice(0, 1)))).toBe(10001)
    const more = await mint.coin(4, lockedSecret(key.publicKey))
    expect(codeOf(await mint.swap([...signed, more], [...outputs, ...(await mint.outputs(4))]))).toBe(10001)
    expect((await mint.swap(signed, outputs)).status).toBe(200)
  })

  test.each([
    ['a plain coin', () => newSecret()],
    ['a coin of another key', () => lockedSecret(mallory.publicKey)],
    ['a coin of the same key under SIG_INPUTS', (key: string) => lockedSecret(key, [['sigflag', 'SIG_INPUTS']])],
    ['a coin of the twin key 02/03', (key: string) => lockedSecret(flipped(key))],
  ])('SIG_ALL mixed with %s is refused, first or second, though signed', async (_, secretOf) => {
    const mint = await openMint()
    const key = newKey()
    const coins = await mint.coins([4, 4], { secrets: [lockedSecret(key.publicKey), secretOf(key.publicKey)] })
    const outputs = await mint.outputs(8)
    for (const inputs of [coins, coins.toReversed()]) {
      expect(codeOf(await mint.swap(signAll(inputs, outputs, key.secretKey), outputs))).toBe(10001)
    }
    expect(await mint.states(...coins)).toEqual(['UNSPENT', 'UNSPENT'])
  })

  const key = newKey()
  test.each([
    [
      'a locktime',
      lockedSecret(key.publicKey, [
        ['sigflag', 'SIG_ALL'],
        ['locktime', '1'],
      ]),
    ],
    [
      'refund keys',
      lockedSecret(key.publicKey, [
        ['sigflag', 'SIG_ALL'],
        ['refund', mallory.publicKey],
      ]),
    ],
    [
      'several keys',
      lockedSecret(key.publicKey, [
        ['sigflag', 'SIG_ALL'],
        ['pubkeys', mallory.publicKey],
      ]),
    ],
    [
      'a tag nobody knows',
      lockedSecret(key.publicKey, [
        ['sigflag', 'SIG_ALL'],
        ['colour', 'red'],
      ]),
    ],
    ['an unknown flag', lockedSecret(key.publicKey, [['sigflag', 'SIG_NONE']])],
    ['a flag with two values', lockedSecret(key.publicKey, [['sigflag', 'SIG_ALL', 'SIG_INPUTS']])],
    [
      'a tag twice',
      lockedSecret(key.publicKey, [
        ['sigflag', 'SIG_ALL'],
        ['sigflag', 'SIG_ALL'],
      ]),
    ],
    ['a tag that is no text', lockedSecret(key.publicKey, [['sigflag', 1]])],
    ['tags that are no list', lockedSecret(key.publicKey, 'SIG_ALL')],
    ['a key that is no point', lockedSecret(`05${'11'.repeat(32)}`)],
    ['the kind HTLC', lockedSecret('11'.repeat(32), [], 'HTLC')],
    ['a kind nobody knows', lockedSecret(key.publicKey, [], 'P2XX')],
    ['JSON of another shape', '["P2PK"]'],
  ])('a coin with %s is nobody’s: refused, signed or not, in a swap and in a melt', async (_, secret) => {
    const mint = await openMint()
    const coin = await mint.coin(4, secret)
    const outputs = await mint.outputs(4)
    const { quote } = await mint.meltQuote(4)
    expect(codeOf(await mint.swap([coin], outputs))).toBe(10001)
    expect(codeOf(await mint.swap(signAll([coin], outputs, key.secretKey), outputs))).toBe(10001)
    const witness = await witnessOver(secret, key.secretKey)
    expect(codeOf(await mint.swap([{ ...coin, witness }], outputs))).toBe(10001)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(10001)
    expect(codeOf(await mint.melt(quote, signAll([coin], [], key.secretKey, quote)))).toBe(10001)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })
})

describe('answers that got lost', () => {
  test('the same swap again gets the same bytes, at once, at the same time and after a restart', async () => {
    const mint = await openMint()
    const coins = await mint.coins([4, 8])
    const outputs = await mint.outputs(1, 1, 2, 8)
    const [first, twin] = await Promise.all([mint.swap(coins, outputs), mint.swap(coins, outputs)])
    expect(first.status).toBe(200)
    expect(twin.text).toBe(first.text)
    expect((await mint.swap(coins, outputs)).text).toBe(first.text)
    mint.rotate()
    await mint.restart()
    expect((await mint.swap(coins, outputs)).text).toBe(first.text)
  })

  test('what the mint does not read makes no other request of it; what it reads does', async () => {
    const mint = await openMint()
    const coins = await mint.coins([4, 8])
    const outputs = await mint.outputs(4, 8)
    const first = await mint.swap(coins, outputs)
    const decorated = coins.map((coin) => ({ dleq: { e: '0', s: '0', r: '0' }, note: 1, ...coin }))
    expect((await mint.swap(decorated, outputs)).text).toBe(first.text)
    expect(codeOf(await mint.swap(coins.toReversed(), outputs))).toBe(11001)
    expect(codeOf(await mint.swap(coins, outputs.toReversed()))).toBe(11001)
  })

  test('restore gives the signatures of known outputs only, in order, as they were signed', async () => {
    const mint = await openMint()
    const coins = await mint.coins([4, 8])
    const outputs = await mint.outputs(4, 8)
    const [unknown] = await mint.outputs(2)
    const signatures = signaturesIn(await mint.swap(coins, outputs))
    const asked = [outputs[1]!, unknown!, { ...outputs[0]!, message: { ...outputs[0]!.message, amount: 1 } }]
    const restored = await mint.post('/v1/restore', { outputs: messages(asked) })
    expect(restored.body).toEqual({
      outputs: [asked[0]!.message, asked[2]!.message],
      signatures: [signatures[1], signatures[0]],
    })
    await mint.restart()
    expect((await mint.post('/v1/restore', { outputs: messages(asked) })).text).toBe(restored.text)
    const shouted = messages(outputs).map((message) => ({ ...message, B_: message.B_.toUpperCase() }))
    expect((await mint.post('/v1/restore', { outputs: shouted })).body).toMatchObject({ signatures })
  })

  test('states come in the order of the question, with the witness of what was spent', async () => {
    const mint = await openMint()
    const key = newKey()
    const locked = await mint.coin(4, lockedSecret(key.publicKey, null))
    const plain = await mint.coin(4)
    const witness = await witnessOver(locked.secret, key.secretKey)
    expect(
      (
        await mint.swap(
          [
            { ...locked, witness },
            { ...plain, witness: 'noise' },
          ],
          await mint.outputs(8),
        )
      ).status,
    ).toBe(200)
    const unspent = await mint.coin(1)
    expect(await mint.states(unspent, locked, plain)).toEqual(['UNSPENT', 'SPENT', 'SPENT'])
    const Ys = [plain, locked].map(({ secret }) => pointToHex(hashToCurve(secret)).toUpperCase())
    const { body } = await mint.post('/v1/checkstate', { Ys })
    expect(body).toEqual({
      states: [
        { Y: Ys[0], state: 'SPENT', witness: null },
        { Y: Ys[1], state: 'SPENT', witness },
      ],
    })
  })
})
