// Melts: coins for money outside. Attacks, lost answers, payments that fail, hang, or are interrupted.

import { describe, expect, test } from 'vitest'
import { readInvoice, writeInvoice } from '../mint/funding/bolt11.ts'
import type { Funding, MeltQuote, PaymentOutcome } from '../mint/ports.ts'
import { meltQuoteResponseSchema, mintQuoteResponseSchema } from '../shared/cashu/wire.ts'
import { readBooks } from './mint-books.ts'
import {
  codeOf,
  foreignInvoice,
  fundingThatPays,
  fundingWithReserve,
  lockedSecret,
  newKey,
  newSecret,
  openMint,
  signAll,
  type TestMint,
  witnessOver,
} from './mint-fixture.ts'

const ask = (mint: TestMint, request: unknown, unit = 'sat') => mint.post('/v1/melt/quote/bolt11', { request, unit })

const quoteFor = async (mint: TestMint, request: string, unit?: string) =>
  meltQuoteResponseSchema.parse((await ask(mint, request, unit)).body)

describe('a quote', () => {
  const afterADay = (25 * 3600 + 1) * 1_000

  test('that nobody used is forgotten a day after its end; whatever was paid, is being paid or may be is kept', async () => {
    const mint = await openMint({ practiceDelayMs: 400 * 24 * 3_600_000 })
    const unpaidIn = mintQuoteResponseSchema.parse(
      (await mint.post('/v1/mint/quote/bolt11', { amount: 4, unit: 'sat' })).body,
    )
    await mint.restart({ practiceDelayMs: 0 })
    const [a, b] = await mint.coins([4, 4])
    const [unused, paid] = [await mint.meltQuote(4), await mint.meltQuote(4)]
    expect((await mint.melt(paid.quote, [a!])).body).toMatchObject({ state: 'PAID' })
    const funding = fundingThatPays(async () => ({ kind: 'unknown' }), mint.clock)
    await mint.restart({ funding, practiceDelayMs: 0 })
    const pending = await mint.meltQuote(4)
    expect((await mint.melt(pending.quote, [b!])).body).toMatchObject({ state: 'PENDING' })
    const statusOf = async ({ quote }: { quote: string }, kind = 'melt') =>
      (await mint.get(`/v1/${kind}/quote/bolt11/${quote}`)).status
    mint.clock.nowMs += afterADay - 2_000
    await mint.meltQuote(4)
    expect(await statusOf(unused)).toBe(200)
    mint.clock.nowMs += 2_000
    await mint.meltQuote(4)
    expect(await Promise.all([statusOf(unused), statusOf(paid), statusOf(pending)])).toEqual([400, 200, 200])
    mint.clock.nowMs += 300 * 24 * 3_600_000
    await mint.meltQuote(4)
    expect(await Promise.all([statusOf(paid), statusOf(pending)])).toEqual([200, 200])
    expect(await statusOf(unpaidIn, 'mint')).toBe(200)
  })

  test('takes no more room on the disk day after day', async () => {
    const mint = await openMint({ meltQuotesPerMinute: 1_000 })
    const count = () => readBooks(mint.folder).unusedMeltQuotes
    for (let day = 0; day < 4; day++) {
      for (let asked = 0; asked < 20; asked++) await mint.meltQuote(4)
      mint.clock.nowMs += afterADay
    }
    expect(count()).toBeLessThan(40)
  })

  test('for an invoice with the longest description is given, for one longer than any is not', async () => {
    const mint = await openMint()
    const request = (length: number) =>
      writeInvoice(
        {
          chain: 'bc',
          amountMsat: 4_000,
          timestamp: 1,
          paymentHash: '01'.repeat(32),
          paymentSecret: '02'.repeat(32),
          description: 'x'.repeat(length),
          expirySeconds: 3600,
        },
        new Uint8Array(32).fill(1),
      )
    expect((await ask(mint, request(639))).status).toBe(200)
    expect(codeOf(await ask(mint, request(639).padEnd(2_001, 'q')))).toBe(0)
    expect((await ask(mint, 'q'.repeat(2_001))).text).toContain('request: ')
  })
})

describe('a melt', () => {
  test('takes the coins, says PAID, and says so for ever', async () => {
    const mint = await openMint()
    const coins = await mint.coins([1, 4])
    const { quote, state, amount, fee_reserve } = await mint.meltQuote(5)
    expect({ state, amount, fee_reserve }).toEqual({ state: 'UNPAID', amount: 5, fee_reserve: 0 })
    const first = await mint.melt(quote, coins)
    expect(first.body).toMatchObject({ quote, state: 'PAID', amount: 5, payment_preimage: null })
    expect(await mint.states(...coins)).toEqual(['SPENT', 'SPENT'])
    expect((await mint.melt(quote, coins)).text).toBe(first.text)
    await mint.restart()
    expect((await mint.melt(quote, coins)).text).toBe(first.text)
    expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).text).toBe(first.text)
  })

  test('is not repeated with other coins, nor is its invoice paid by another quote', async () => {
    const mint = await openMint()
    const [a, b] = await mint.coins([4, 4])
    const request = await foreignInvoice(4)
    const [first, second] = await Promise.all([quoteFor(mint, request), quoteFor(mint, request)])
    expect((await mint.melt(first.quote, [a!])).status).toBe(200)
    expect(codeOf(await mint.melt(first.quote, [b!]))).toBe(20006)
    expect(codeOf(await mint.melt(second.quote, [b!]))).toBe(20006)
    expect(await mint.states(b!)).toEqual(['UNSPENT'])
  })

  test.each([[[4]], [[4, 2]], [[4, 1, 1]]])('of 5 is not paid with %j', async (amounts) => {
    const mint = await openMint()
    const coins = await mint.coins(amounts)
    const { quote } = await mint.meltQuote(5)
    expect(codeOf(await mint.melt(quote, coins))).toBe(11005)
    expect(new Set(await mint.states(...coins))).toEqual(new Set(['UNSPENT']))
  })

  test('pays the input fee on top, exactly', async () => {
    const mint = await openMint({ feePpk: 100 })
    const { quote } = await mint.meltQuote(5)
    expect(codeOf(await mint.melt(quote, await mint.coins([1, 4])))).toBe(11005)
    expect((await mint.melt(quote, await mint.coins([2, 4]))).status).toBe(200)
  })

  test('takes no forged coin, no coin twice, and no coin of another unit', async () => {
    const mint = await openMint()
    const [coin, other] = await mint.coins([4, 4])
    const { quote } = await mint.meltQuote(8)
    expect(codeOf(await mint.melt(quote, [coin!, coin!]))).toBe(11007)
    expect(codeOf(await mint.melt(quote, [coin!, { ...other!, C: coin!.C }]))).toBe(10001)
    await mint.restart({ unit: 'eur' })
    const eur = await mint.coins([8], { unit: 'eur' })
    expect(codeOf(await mint.melt(quote, eur))).toBe(11010)
    expect((await mint.melt(quote, [coin!, other!])).status).toBe(200)
  })

  test('comes too late for an expired quote', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const { quote, expiry } = await mint.meltQuote(4)
    mint.clock.nowMs = expiry! * 1000
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(20007)
    mint.clock.nowMs -= 1
    expect((await mint.melt(quote, [coin])).status).toBe(200)
  })
})

describe('blank outputs', () => {
  /** A quote for 8 with 7 set aside, of which paying needs `cost`; coins for it, and three blanks. */
  async function reserved(cost: number | undefined) {
    const outcome = { kind: 'paid' as const, preimage: null, ...(cost === undefined ? {} : { cost }) }
    const mint = await openMint({ funding: fundingWithReserve(7, async () => outcome) })
    const { quote } = await mint.meltQuote(8)
    return { mint, quote, coins: await mint.coins([8, 4, 2, 1]), blanks: await mint.outputs(1, 1, 1) }
  }
  const changeOf = (answer: { body: unknown }) => meltQuoteResponseSchema.parse(answer.body).change ?? []

  test.each([
    [0, [1, 2, 4]],
    [1, [2, 4]],
    [2, [1, 4]],
    [7, []],
    [9, []],
    [undefined, []],
  ])('bring back what paying did not cost: of 7, %s', async (cost, amounts) => {
    const { mint, quote, coins, blanks } = await reserved(cost)
    const answer = await mint.melt(quote, coins, blanks)
    const change = changeOf(answer)
    expect(change.map(({ amount }) => amount)).toEqual(amounts)
    const asGiven = blanks
      .slice(0, change.length)
      .map((blank, index) => ({ ...blank, message: { ...blank.message, amount: amounts[index]! } }))
    const back = await mint.unblind(asGiven, change)
    if (back.length > 0) expect((await mint.swap(back, await mint.outputs(...amounts))).status).toBe(200)
    expect((await mint.melt(quote, coins, blanks)).text).toBe(answer.text)
    expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).text).toBe(answer.text)
    const restored = await mint.post('/v1/restore', { outputs: blanks.map(({ message }) => message) })
    expect(restored.body).toMatchObject({ signatures: change })
  })

  test('that are too few bring back the largest parts', async () => {
    const { mint, quote, coins, blanks } = await reserved(0)
    expect(changeOf(await mint.melt(quote, coins, blanks.slice(0, 2))).map(({ amount }) => amount)).toEqual([2, 4])
  })

  test('are part of the request: with others it is another one', async () => {
    const { mint, quote, coins, blanks } = await reserved(0)
    expect((await mint.melt(quote, coins, blanks)).status).toBe(200)
    expect(codeOf(await mint.melt(quote, coins, blanks.slice(0, 1)))).toBe(20006)
    expect(codeOf(await mint.melt(quote, coins))).toBe(20006)
  })

  test('are covered by SIG_ALL, with the amounts they were sent with', async () => {
    const key = newKey()
    const { mint, quote, blanks } = await reserved(0)
    const coins = await mint.coins([8, 4, 2, 1], {
      secrets: Array.from({ length: 4 }, () => lockedSecret(key.publicKey)),
    })
    const signed = signAll(coins, blanks, key.secretKey, quote)
    const thief = await mint.outputs(1, 1, 1)
    const [first, ...others] = blanks
    const dearer = { ...first!, message: { ...first!.message, amount: 4 } }
    expect(codeOf(await mint.melt(quote, signed, thief))).toBe(10001)
    expect(codeOf(await mint.melt(quote, signed))).toBe(10001)
    expect(codeOf(await mint.melt(quote, signed, [dearer, ...others]))).toBe(10001)
    expect(codeOf(await mint.melt(quote, signAll(coins, [], key.secretKey, quote), blanks))).toBe(10001)
    expect((await mint.melt(quote, signed, blanks)).status).toBe(200)
  })

  test('are refused when signed before, given twice, of another unit, or of an old keyset; the coins stay free', async () => {
    const { mint, quote, coins, blanks } = await reserved(0)
    const [one] = blanks
    const signed = await mint.outputs(1)
    await mint.swap(await mint.coins([1]), signed)
    expect(codeOf(await mint.melt(quote, coins, signed))).toBe(11003)
    expect(codeOf(await mint.melt(quote, coins, [one!, one!]))).toBe(11008)
    await mint.restart({ unit: 'eur' })
    const eur = await mint.output(1, { id: await mint.keysetId('eur') })
    expect(codeOf(await mint.melt(quote, coins, [eur]))).toBe(11010)
    mint.rotate({ unit: 'sat' })
    expect(codeOf(await mint.melt(quote, coins, blanks))).toBe(12002)
    expect(new Set(await mint.states(...coins))).toEqual(new Set(['UNSPENT']))
  })

  test('wait for a payment on its way: nobody else has them signed, and they are free when it failed', async () => {
    let outcome: PaymentOutcome = { kind: 'unknown' }
    const mint = await openMint({ funding: fundingWithReserve(7, async () => outcome) })
    const { quote } = await mint.meltQuote(8)
    const [coins, blanks] = [await mint.coins([8, 4, 2, 1]), await mint.outputs(1, 1, 1)]
    expect((await mint.melt(quote, coins, blanks)).body).toMatchObject({ state: 'PENDING' })
    const [one] = await mint.coins([1])
    expect(codeOf(await mint.swap([one!], blanks.slice(0, 1)))).toBe(11003)
    const other = await mint.meltQuote(8)
    expect(codeOf(await mint.melt(other.quote, await mint.coins([8, 4, 2, 1]), blanks))).toBe(11003)
    outcome = { kind: 'failed', reason: 'no route' }
    expect(codeOf(await mint.melt(quote, coins, blanks))).toBe(20004)
    expect((await mint.swap([one!], blanks.slice(0, 1))).status).toBe(200)
  })

  test('survive a restart and a rotation between payment and change', async () => {
    let outcome: PaymentOutcome = { kind: 'unknown' }
    const mint = await openMint({ funding: fundingWithReserve(7, async () => outcome) })
    const { quote } = await mint.meltQuote(8)
    const [coins, blanks] = [await mint.coins([8, 4, 2, 1]), await mint.outputs(1, 1, 1)]
    await mint.melt(quote, coins, blanks)
    mint.rotate()
    await mint.restart()
    outcome = { kind: 'paid', preimage: null, cost: 1 }
    const change = changeOf(await mint.melt(quote, coins, blanks))
    expect(change.map(({ amount, id }) => [amount, id])).toEqual(
      [2, 4].map((amount) => [amount, blanks[0]!.message.id]),
    )
  })

  test('bring all of the reserve back when the invoice is of the mint itself', async () => {
    const mint = await openMint({ funding: fundingWithReserve(7, () => Promise.reject(new Error('nobody is paid'))) })
    const coins = await mint.coins([8, 4, 2, 1])
    const { body } = await mint.post('/v1/mint/quote/bolt11', { amount: 8, unit: 'sat' })
    const { quote } = await quoteFor(mint, mintQuoteResponseSchema.parse(body).request)
    const answer = await mint.melt(quote, coins, await mint.outputs(1, 1, 1))
    expect(changeOf(answer).map(({ amount }) => amount)).toEqual([1, 2, 4])
  })
})

describe('a melt of locked coins', () => {
  test('SIG_ALL covers the quote: a signature for another quote, for a swap, or none is refused', async () => {
    const mint = await openMint()
    const key = newKey()
    const coins = await mint.coins([4, 4], { secrets: [lockedSecret(key.publicKey), lockedSecret(key.publicKey)] })
    const [mine, other] = [await mint.meltQuote(8), await mint.meltQuote(8)]
    expect(codeOf(await mint.melt(mine.quote, coins))).toBe(10001)
    expect(codeOf(await mint.melt(mine.quote, signAll(coins, [], key.secretKey, other.quote)))).toBe(10001)
    expect(codeOf(await mint.melt(mine.quote, signAll(coins, [], key.secretKey)))).toBe(10001)
    const outputs = await mint.outputs(8)
    expect(codeOf(await mint.swap(signAll(coins, [], key.secretKey, mine.quote), outputs))).toBe(10001)
    expect((await mint.melt(mine.quote, signAll(coins, [], key.secretKey, mine.quote))).status).toBe(200)
  })

  test('an unsigned SIG_ALL coin does not pass in the company of a plain one', async () => {
    const mint = await openMint()
    const key = newKey()
    const coins = await mint.coins([4, 4], { secrets: [lockedSecret(key.publicKey), newSecret()] })
    const { quote } = await mint.meltQuote(8)
    for (const inputs of [coins, coins.toReversed()]) {
      expect(codeOf(await mint.melt(quote, inputs))).toBe(10001)
      expect(codeOf(await mint.melt(quote, signAll(inputs, [], key.secretKey, quote)))).toBe(10001)
    }
    expect(await mint.states(...coins)).toEqual(['UNSPENT', 'UNSPENT'])
  })

  test('SIG_INPUTS needs a signature on each secret', async () => {
    const mint = await openMint()
    const key = newKey()
    const coin = await mint.coin(4, lockedSecret(key.publicKey, null))
    const { quote } = await mint.meltQuote(4)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(10001)
    const witness = await witnessOver(coin.secret, key.secretKey)
    expect((await mint.melt(quote, [{ ...coin, witness }])).status).toBe(200)
  })
})

describe('an invoice of the mint itself', () => {
  test('is settled inside: the mint quote is paid, once, and the coins move', async () => {
    const mint = await openMint()
    const [a, b] = await mint.coins([4, 4])
    await mint.restart({ practiceDelayMs: 1e9 }) // from now on a quote is paid by a melt or never
    const own = await mint.paidQuote(4)
    expect(own.state).toBe('UNPAID')
    const first = await quoteFor(mint, own.request)
    const second = await quoteFor(mint, own.request)
    expect((await mint.melt(first.quote, [a!])).body).toMatchObject({ state: 'PAID' })
    expect((await mint.get(`/v1/mint/quote/bolt11/${own.quote}`)).body).toMatchObject({ state: 'PAID' })
    expect(codeOf(await mint.melt(second.quote, [b!]))).toBe(20006)
    expect(await mint.states(a!, b!)).toEqual(['SPENT', 'UNSPENT'])
    const outputs = (await mint.outputs(4)).map(({ message }) => message)
    expect((await mint.post('/v1/mint/bolt11', { quote: own.quote, outputs })).status).toBe(200)
  })

  test('that is paid already takes no coins', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    const own = await mint.paidQuote(4)
    const { quote } = await quoteFor(mint, own.request)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(20006)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })

  test('that has expired takes no coins', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    await mint.restart({ practiceDelayMs: 1e9 })
    const own = await mint.paidQuote(4)
    mint.clock.nowMs += 1_800_000
    const { quote } = await quoteFor(mint, own.request)
    mint.clock.nowMs = own.expiry! * 1000
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(20007)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })

  test('is not paid through a forged invoice that has its payment hash and asks for less', async () => {
    const mint = await openMint()
    const coin = await mint.coin(1)
    await mint.restart({ practiceDelayMs: 1e9 })
    const own = await mint.paidQuote(1024)
    const { paymentHash } = readInvoice(own.request)!
    const forged = writeInvoice(
      {
        chain: 'bcrt',
        amountMsat: 1000,
        timestamp: 0,
        paymentHash,
        paymentSecret: newSecret(),
        description: '',
        expirySeconds: 60,
      },
      newKey().secretKey,
    )
    const { quote, amount } = await quoteFor(mint, forged)
    expect(amount).toBe(1)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(11012)
    expect((await mint.get(`/v1/mint/quote/bolt11/${own.quote}`)).body).toMatchObject({ state: 'UNPAID' })
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })

  test('in another unit is not paid one for one', async () => {
    const mint = await openMint()
    const coin = await mint.coin(4)
    await mint.restart({ unit: 'eur', practiceDelayMs: 1e9 })
    const own = await mint.paidQuote(4, 'eur')
    const { quote } = await quoteFor(mint, own.request, 'sat')
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(11010)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
  })
})

describe('a payment that does not simply succeed', () => {
  test('fails: the coins are free again, and pay another time', async () => {
    let works = false
    const funding = fundingThatPays(async () =>
      works ? { kind: 'paid', preimage: 'ab'.repeat(32) } : { kind: 'failed', reason: 'no route' },
    )
    const mint = await openMint({ funding })
    const coin = await mint.coin(4)
    const { quote } = await mint.meltQuote(4)
    expect(codeOf(await mint.melt(quote, [coin]))).toBe(20004)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
    expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).body).toMatchObject({ state: 'UNPAID' })
    works = true
    expect((await mint.melt(quote, [coin])).body).toMatchObject({ state: 'PAID', payment_preimage: 'ab'.repeat(32) })
    expect(await mint.states(coin)).toEqual(['SPENT'])
  })

  test('is unknown: the coins stay PENDING until it is known, and nobody spends them', async () => {
    let outcome: Awaited<ReturnType<Funding['pay']>> = { kind: 'unknown' }
    const mint = await openMint({ funding: fundingThatPays(async () => outcome) })
    const [coin, other] = await mint.coins([4, 4])
    const request = await foreignInvoice(4)
    const { quote } = await quoteFor(mint, request)
    expect((await mint.melt(quote, [coin!])).body).toMatchObject({ state: 'PENDING' })
    expect(await mint.states(coin!)).toEqual(['PENDING'])
    const outputs = await mint.outputs(4)
    expect(codeOf(await mint.swap([coin!], outputs))).toBe(11002)
    expect(codeOf(await mint.melt(quote, [other!]))).toBe(20005)
    const twin = await quoteFor(mint, request)
    expect(codeOf(await mint.melt(twin.quote, [other!]))).toBe(20005)
    outcome = { kind: 'failed', reason: 'no route' }
    expect(codeOf(await mint.melt(quote, [coin!]))).toBe(20004)
    expect((await mint.swap([coin!], outputs)).status).toBe(200)
  })

  test('breaks: an error of the funding frees no coin', async () => {
    let broken = true
    const mint = await openMint({
      funding: fundingThatPays(async () => {
        if (broken) throw new Error('connection reset')
        return { kind: 'paid', preimage: null }
      }),
      report: () => {},
    })
    const coin = await mint.coin(4)
    const { quote } = await mint.meltQuote(4)
    expect((await mint.melt(quote, [coin])).body).toMatchObject({ state: 'PENDING' })
    expect(await mint.states(coin)).toEqual(['PENDING'])
    broken = false
    expect((await mint.melt(quote, [coin])).body).toMatchObject({ state: 'PAID' })
  })

  test('takes its time: the same request twice waits for the one payment', async () => {
    const paying = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    let payments = 0
    const mint = await openMint({
      funding: fundingThatPays(async () => {
        payments++
        asked.resolve()
        await paying.promise
        return { kind: 'paid', preimage: null }
      }),
    })
    const coin = await mint.coin(4)
    const { quote } = await mint.meltQuote(4)
    const first = mint.melt(quote, [coin])
    await asked.promise
    const second = mint.melt(quote, [coin])
    expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).body).toMatchObject({ state: 'PENDING' })
    paying.resolve()
    expect((await first).body).toMatchObject({ state: 'PAID' })
    expect((await second).text).toBe((await first).text)
    expect(payments).toBe(1)
  })
})

describe('a mint that stops between payment and its record', () => {
  test('has the coins PENDING, asks again at the next start, and pays once', async () => {
    const ledger = new Set<string>() // what the outside world has paid, by quote
    const asked = Promise.withResolvers<void>()
    const paysAndHangs = fundingThatPays(({ id }: MeltQuote) => {
      ledger.add(id)
      asked.resolve()
      return new Promise(() => {})
    })
    const mint = await openMint({ funding: paysAndHangs })
    const coin = await mint.coin(4)
    const { quote } = await mint.meltQuote(4)
    const interrupted = mint.melt(quote, [coin])
    await asked.promise
    const settled = Promise.withResolvers<void>()
    await mint.restart({
      funding: fundingThatPays(async ({ id }) => {
        expect(ledger.has(id)).toBe(true) // the funding knows the quote: it answers, it does not pay again
        settled.resolve()
        return { kind: 'paid', preimage: null }
      }),
    })
    expect((await interrupted).body).toMatchObject({ state: 'PENDING' })
    await settled.promise
    const again = await mint.melt(quote, [coin])
    expect(again.body).toMatchObject({ state: 'PAID' })
    expect(await mint.states(coin)).toEqual(['SPENT'])
    expect(codeOf(await mint.swap([coin], await mint.outputs(4)))).toBe(11001)
  })

  test('keeps the coins PENDING while nobody knows, over any number of starts', async () => {
    const mint = await openMint({ funding: fundingThatPays(async () => ({ kind: 'unknown' })) })
    const coin = await mint.coin(4)
    const { quote } = await mint.meltQuote(4)
    await mint.melt(quote, [coin])
    for (let start = 0; start < 3; start++) {
      await mint.restart()
      expect(await mint.states(coin)).toEqual(['PENDING'])
    }
  })
})

describe('a melt quote', () => {
  test.each([
    ['no invoice', 'hello', 0],
    ['an invoice with a broken checksum', 'lnbcrt10u1pvjluezqqqqqqqqqq', 0],
    [
      'an invoice without an amount',
      'lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql',
      11011,
    ],
  ])('is refused for %s', async (_, request, code) => {
    const mint = await openMint()
    expect(codeOf(await ask(mint, request))).toBe(code)
  })

  test('is refused for a unit that is not served, an amount too large, and options', async () => {
    const mint = await openMint()
    expect(codeOf(await ask(mint, await foreignInvoice(4), 'usd'))).toBe(11013)
    expect(codeOf(await ask(mint, await foreignInvoice(2 ** 32)))).toBe(11006)
    const options = { mpp: { amount: 1000 } }
    const request = await foreignInvoice(4)
    codeOf(await mint.post('/v1/melt/quote/bolt11', { request, unit: 'sat', options }))
  })

  test('rounds thousandths of a satoshi up', async () => {
    const mint = await openMint()
    // BOLT 11's example of 967878534 thousandths
    const request =
      'lnbc9678785340p1pwmna7lpp5gc3xfm08u9qy06djf8dfflhugl6p7lgza6dsjxq454gxhj9t7a0sd8dgfkx7cmtwd68yetpd5s9xar0wfjn5gpc8qhrsdfq24f5ggrxdaezqsnvda3kkum5wfjkzmfqf3jkgem9wgsyuctwdus9xgrcyqcjcgpzgfskx6eqf9hzqnteypzxz7fzypfhg6trddjhygrcyqezcgpzfysywmm5ypxxjemgw3hxjmn8yptk7untd9hxwg3q2d6xjcmtv4ezq7pqxgsxzmnyyqcjqmt0wfjjq6t5v4khxsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsxqyjw5qcqp2rzjq0gxwkzc8w6323m55m4jyxcjwmy7stt9hwkwe2qxmy8zpsgg7jcuwz87fcqqeuqqqyqqqqlgqqqqn3qq9q9qrsgqrvgkpnmps664wgkp43l22qsgdw4ve24aca4nymnxddlnp8vh9v2sdxlu5ywdxefsfvm0fq3sesf08uf6q9a2ke0hc9j6z6wlxg5z5kqpu2v9wz'
    expect(await quoteFor(mint, request)).toMatchObject({ amount: 967879 })
  })
})
