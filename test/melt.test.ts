// Cash out against the real mint: several purses into one, that purse for a Lightning payment. Whatever is cut, lost or lied
// about, the books balance after every test: held + fees + cashed out = issued, and what the mint paid is what wallets got.

import { describe, expect, test } from 'vitest'
import { cashOutView } from '../electron/views.ts'
import { planGathering } from '../electron/wallet/gather.ts'
import { asksFor, readInvoice } from '../electron/wallet/invoice.ts'
import { blankOutputs } from '../electron/wallet/melt-facts.ts'
import type { OperationOf } from '../electron/wallet/operation.ts'
import type { MintClient } from '../electron/wallet/ports.ts'
import type { Funding, PaymentOutcome } from '../mint/ports.ts'
import { inputFee } from '../shared/amount.ts'
import type { CoinStateAtMint, MeltQuoteResponse } from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import {
  always,
  answering,
  away,
  chain,
  cutOff,
  dayMs,
  deniedEffect,
  type Fault,
  first,
  hourMs,
  inState,
  lostAnswer,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  reconnect,
  refusal,
  secondMs,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'
import { foreignInvoice, fundingWithReserve } from './mint-fixture.ts'

async function refused(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused with a code: ${error}`)
  return error
}

const step = (wallet: TestWallet, id: string) => wallet.run(() => wallet.engine.runner.runNow(id))

type Lightning = { outcome: PaymentOutcome; attempts: number; readonly funding: Funding }

/** A Lightning node: what it answers, how often it was asked. */
function lightning(feeReserve: number): Lightning {
  const node: Lightning = {
    outcome: { kind: 'paid', preimage: 'ab'.repeat(32), cost: 0 },
    attempts: 0,
    funding: fundingWithReserve(feeReserve, async () => {
      node.attempts++
      return node.outcome
    }),
  }
  return node
}

type Setting = {
  readonly feePpk?: number
  /** One purse for each. */
  readonly purses?: readonly number[]
  readonly feeReserve?: number
  readonly config?: Parameters<World['wallet']>[1]
}

/** A wallet with a purse for each amount, and a mint that pays by a Lightning node. */
async function rich({ feePpk = 0, purses = [64], feeReserve = 0, config = {} }: Setting = {}) {
  const node = lightning(feeReserve)
  const world = await openWorld({ feePpk, funding: node.funding })
  const wallet = await world.wallet('payer', config)
  for (const amount of purses) inState(await wallet.withdraw(amount), 'done')
  return { world, wallet, node, money: purses.reduce((sum, amount) => sum + amount, 0) }
}

/** Every request of this name, as the mint would see it. */
function record(wallet: TestWallet, name: 'melt' | 'swap'): string[] {
  const bodies: string[] = []
  const before = wallet.mint
  wallet.mint = (real) => {
    const client = before(real)
    return {
      ...client,
      [name]: (body: string) => {
        bodies.push(body)
        return client[name](body)
      },
    } as MintClient
  }
  return bodies
}

type MeltBody = { quote: string; inputs: { amount: number; secret: string; witness?: string }[]; outputs?: unknown[] }
const parsed = (body: string | undefined): MeltBody => JSON.parse(body ?? '')

/** Nothing is reserved any more, and all of it can be spent. */
const expectFree = (wallet: TestWallet, spendable: number) =>
  expect(wallet.totals()).toMatchObject({ spendable, reserved: 0, handed_over: 0 })

const viewOf = (wallet: TestWallet, id: string) => cashOutView(wallet.melt(id), 'http://mint.example')

describe('cash out', () => {
  describe.each([0, 100, 1000])('at a mint that takes %i per thousand coins', (feePpk) => {
    test.each([
      ['one purse', [64], 13],
      ['one of three purses', [64, 16, 32], 13],
      ['two purses', [16, 32], 36],
      ['four purses', [16, 16, 16, 16], 40],
      ['a purse of many coins', [127, 8], 100],
    ])('from %s: it costs what was shown, and the mint pays once', async (_, purses, amount) => {
      const { wallet, node, money } = await rich({ feePpk, purses })
      const melts = record(wallet, 'melt')
      const preview = await wallet.prepareCashOut(amount)
      expect(preview).toMatchObject({ amount, feeReserve: 0, total: amount + preview.mintFee })
      expect(viewOf(wallet, preview.id)).toMatchObject({
        state: 'quoted',
        amount,
        fee: preview.mintFee,
        total: preview.total,
      })
      await wallet.run(() => wallet.engine.confirmCashOut(preview.id))
      inState(wallet.melt(preview.id), 'done')
      expectFree(wallet, money - preview.total)
      expect(viewOf(wallet, preview.id)).toMatchObject({ state: 'done', fee: preview.mintFee, total: preview.total })
      expect([wallet.fees(), wallet.cashedOut(), node.attempts]).toEqual([preview.mintFee, amount, 1])
      expect(melts).toHaveLength(1)
    })
  })

  test('gives exactly what the mint asks for, of one fresh purse, under one signature', async () => {
    const { wallet } = await rich({ feePpk: 100, purses: [16, 8, 8], feeReserve: 3 })
    const [melts, swaps] = [record(wallet, 'melt'), record(wallet, 'swap')]
    const id = await wallet.cashOut(20)
    const { inputs } = parsed(melts[0])
    const { meltFee } = inState(wallet.melt(id), 'done')
    expect(meltFee).toBe(inputFee(inputs.map(() => 100)))
    expect(inputs.reduce((sum, { amount }) => sum + amount, 0)).toBe(20 + 3 + meltFee)
    expect(inputs.filter(({ witness }) => witness !== undefined)).toHaveLength(1)
    const keys = new Set(inputs.map(({ secret }) => (JSON.parse(secret) as [string, { data: string }])[1].data))
    expect(keys.size).toBe(1)
    // No purse that paid, and none that was ever an input of a swap.
    expect(swaps.some((body) => parsed(body).inputs.some(({ secret }) => secret.includes([...keys][0]!)))).toBe(false)
    expect(swaps).toHaveLength(3)
  })

  test('takes one swap where one purse suffices, and the rest of it is re-keyed later', async () => {
    const { wallet, world } = await rich({ purses: [64, 32] })
    const swaps = record(wallet, 'swap')
    await wallet.cashOut(13)
    expect(swaps).toHaveLength(1)
    const [used] = wallet.store.read.purses(0, 'sat').filter((purse) => purse.used)
    expect(used).toMatchObject({ used: true, closed: true })
    await world.rest()
    expectFree(wallet, 83)
  })

  test('of all there is', async () => {
    const { wallet } = await rich({ feePpk: 100, purses: [16, 16] })
    const { facts } = await refused(wallet.prepareCashOut(32))
    expect(facts).toEqual({ payable: expect.any(Number), total: 32 })
    const id = await wallet.cashOut(facts['payable']!)
    inState(wallet.melt(id), 'done')
    expectFree(wallet, 0)
  })

  test('of more than there is says what could be cashed out, and that works', async () => {
    for (const feePpk of [0, 100]) {
      const { wallet } = await rich({ feePpk, purses: [64, 13, 7], feeReserve: 2 })
      const { code, facts } = await refused(wallet.prepareCashOut(500))
      expect(code).toBe('not_enough')
      expect(facts['payable']).toBeGreaterThan(70)
      inState(wallet.melt(await wallet.cashOut(facts['payable']!)), 'done')
    }
  })

  test('twice at a time: the second takes other coins, or costs more than was shown and is not begun', async () => {
    const { wallet, money } = await rich({ feePpk: 100, purses: [16, 16] })
    const [a, b] = [await wallet.prepareCashOut(10), await wallet.prepareCashOut(10)]
    const c = await wallet.prepareCashOut(10)
    await wallet.run(() => Promise.all([wallet.engine.confirmCashOut(a.id), wallet.engine.confirmCashOut(b.id)]))
    inState(wallet.melt(a.id), 'done')
    inState(wallet.melt(b.id), 'done')
    expect((await refused(wallet.engine.confirmCashOut(c.id))).code).toBe('not_enough')
    inState(wallet.melt(c.id), 'quoted')
    expectFree(wallet, money - a.total - b.total)
  })

  test('that would cost more than was shown is not begun', async () => {
    const { wallet } = await rich({ feePpk: 1000, purses: [64, 16, 16] })
    const { id } = await wallet.prepareCashOut(28)
    const other = await wallet.prepareCashOut(40)
    await wallet.run(() => wallet.engine.confirmCashOut(other.id))
    expect((await refused(wallet.engine.confirmCashOut(id))).code).toBe('wrong_fee')
    inState(wallet.melt(id), 'quoted')
    expect(wallet.totals().reserved).toBe(0)
  })

  test('an invoice of the mint’s own is paid inside', async () => {
    const world = await openWorld({ practiceDelayMs: hourMs })
    const [payer, payee] = [await world.wallet('payer'), await world.wallet('payee')]
    payer.engine.withdraw(0, 'sat', 64)
    await world.rest(2 * hourMs)
    const withdraw = payee.engine.withdraw(0, 'sat', 13)
    await step(payee, withdraw)
    const { request } = inState(payee.store.read.operation(withdraw) as OperationOf<'withdraw'>, 'unpaid')
    const { id } = await payer.engine.prepareCashOut({ account: 0, unit: 'sat', invoice: request })
    await payer.run(() => payer.engine.confirmCashOut(id))
    inState(payer.melt(id), 'done')
    await step(payee, withdraw)
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([51, 13])
  })
})

describe('what is left of the fee reserve', () => {
  test.each([
    [0, 7],
    [1, 6],
    [7, 0],
  ])('comes back: of 7, %i were needed', async (cost, change) => {
    const { wallet, node, money } = await rich({ feeReserve: 7 })
    node.outcome = { kind: 'paid', preimage: 'cd'.repeat(32), cost }
    const melts = record(wallet, 'melt')
    const preview = await wallet.prepareCashOut(20)
    expect(preview).toMatchObject({ feeReserve: 7, mintFee: 0, total: 27 })
    await wallet.run(() => wallet.engine.confirmCashOut(preview.id))
    expect(inState(wallet.melt(preview.id), 'done')).toMatchObject({ change, preimage: 'cd'.repeat(32) })
    expect(parsed(melts[0]).outputs).toHaveLength(3)
    expectFree(wallet, money - 20 - cost)
    expect(wallet.fees()).toBe(cost)
    expect(viewOf(wallet, preview.id)).toMatchObject({ feeReserve: 7, fee: cost, total: 20 + cost })
  })

  test('goes to a purse of its own, indices from 0 without gaps', async () => {
    const { wallet, node } = await rich({ feeReserve: 7 })
    node.outcome = { kind: 'paid', preimage: null, cost: 1 }
    const id = await wallet.cashOut(20)
    inState(wallet.melt(id), 'done')
    const blanks = wallet.store.read.purses(0, 'sat').at(-1)
    expect(blanks).toMatchObject({ purpose: 'change', nextCoin: 3, closed: true })
    const coins = wallet.store.read.coins(0, 'sat', 'spendable').filter(({ purseId }) => purseId === blanks?.id)
    expect(coins.map(({ path, amount }) => [path.coin, amount])).toEqual([
      [0, 2],
      [1, 4],
    ])
  })

  const without8: MintDouble = (real) => ({
    ...real,
    info: async () => {
      const answer = await real.info()
      if (answer.kind !== 'ok') return answer
      const { 8: _, ...nuts } = answer.value.nuts
      return { ...answer, value: { ...answer.value, nuts } }
    },
  })

  test('is not asked for where the mint does not serve NUT-08', async () => {
    const { wallet, money } = await rich({ feeReserve: 7 })
    wallet.mint = without8
    const melts = record(wallet, 'melt')
    const id = await wallet.cashOut(20)
    inState(wallet.melt(id), 'done')
    expect(parsed(melts[0])).not.toHaveProperty('outputs')
    expectFree(wallet, money - 27)
    expect(wallet.fees()).toBe(7)
  })

  test('is not asked for where nothing is set aside', async () => {
    const { wallet } = await rich()
    const melts = record(wallet, 'melt')
    await wallet.cashOut(20)
    expect(parsed(melts[0])).not.toHaveProperty('outputs')
  })

  const bare = (value: MeltQuoteResponse): MeltQuoteResponse => ({ ...value, change: null })
  const unchanged: MintDouble = (real) => ({
    ...real,
    melt: async (body) => {
      const answer = await real.melt(body)
      return answer.kind === 'ok' ? { ...answer, value: bare(answer.value) } : answer
    },
    meltQuote: async (id) => {
      const answer = await real.meltQuote(id)
      return answer.kind === 'ok' ? { ...answer, value: bare(answer.value) } : answer
    },
  })

  test('is found by NUT-09 when no answer carries it', async () => {
    const { wallet, money } = await rich({ feeReserve: 7 })
    wallet.mint = unchanged
    inState(wallet.melt(await wallet.cashOut(20)), 'done')
    expectFree(wallet, money - 20)
  })

  test('is waited for while NUT-09 does not answer', async () => {
    const { world, wallet, money } = await rich({ feeReserve: 7 })
    wallet.mint = chain(unchanged, always(['restore'], lostRequest))
    const id = await wallet.cashOut(20)
    inState(wallet.melt(id), 'melting')
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('that is not there yet when the quote is paid already: it is asked for twice', async () => {
    const { world, wallet, money } = await rich({ feeReserve: 7 })
    const later = first(1, ['restore'], (async () => ({ kind: 'ok', value: [] })) as Fault)
    wallet.mint = chain(unchanged, first(1, ['melt'], lostAnswer), later)
    const id = await wallet.cashOut(20)
    world.clock.move(minuteMs)
    wallet.mint = chain(unchanged, always(['melt'], lostRequest), later)
    await step(wallet, id)
    wallet.mint = chain(unchanged, always(['melt'], refusal(20006)), later)
    await step(wallet, id)
    world.clock.move(testConfig.readingGapMs)
    await step(wallet, id)
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('without a valid proof is no change, and the real one is found', async () => {
    const { wallet, money } = await rich({ feeReserve: 7 })
    wallet.mint = (real) => ({
      ...real,
      melt: async (body) => {
        const answer = await real.melt(body)
        if (answer.kind !== 'ok') return answer
        const change = answer.value.change?.map((one) => ({ ...one, dleq: { e: one.dleq!.s, s: one.dleq!.e } }))
        return { ...answer, value: { ...answer.value, change } }
      },
    })
    inState(wallet.melt(await wallet.cashOut(20)), 'done')
    expectFree(wallet, money - 20)
  })
})

describe('before a person has said yes', () => {
  test('nothing is reserved; no means no', async () => {
    const { wallet, money } = await rich({ purses: [16, 16] })
    const { id } = await wallet.prepareCashOut(20)
    expectFree(wallet, money)
    await wallet.run(() => wallet.engine.abandonCashOut(id))
    expect(inState(wallet.melt(id), 'abandoned').reason).toBe('a person said no')
    expect((await refused(wallet.engine.confirmCashOut(id))).code).toBe('wrong_state')
    await wallet.run(() => wallet.engine.abandonCashOut(id))
    expectFree(wallet, money)
  })

  test('after ten minutes the offer is over, at once and by itself', async () => {
    const { world, wallet, money } = await rich()
    const [late, forgotten] = [await wallet.prepareCashOut(13), await wallet.prepareCashOut(13)]
    expect(late.expiresAt).toBe(world.clock.now() + 10 * minuteMs)
    world.clock.move(10 * minuteMs)
    expect((await refused(wallet.engine.confirmCashOut(late.id))).code).toBe('wrong_state')
    inState(wallet.melt(late.id), 'abandoned')
    await world.rest(minuteMs)
    inState(wallet.melt(forgotten.id), 'abandoned')
    expectFree(wallet, money)
  })

  test('a quote that ends sooner ends the offer sooner', async () => {
    const { world, wallet } = await rich()
    wallet.mint = quoting(({ expiry: _, ...quote }) => ({ ...quote, expiry: world.clock.now() / 1000 + 30 }))
    const { id, expiresAt } = await wallet.prepareCashOut(13)
    expect(expiresAt).toBe(world.clock.now() + 30 * secondMs)
    world.clock.move(30 * secondMs)
    expect((await refused(wallet.engine.confirmCashOut(id))).code).toBe('wrong_state')
    wallet.mint = quoting((quote) => ({ ...quote, expiry: 1000 }))
    expect((await refused(wallet.prepareCashOut(13))).code).toBe('mint_bad_answer')
    wallet.mint = quoting((quote) => ({ ...quote, expiry: null }))
    inState(wallet.melt(await wallet.cashOut(13)), 'done')
  })

  const quoting =
    (change: (quote: MeltQuoteResponse) => MeltQuoteResponse): MintDouble =>
    (real) => ({
      ...real,
      requestMeltQuote: async (invoice, unit) => {
        const answer = await real.requestMeltQuote(invoice, unit)
        return answer.kind === 'ok' ? { ...answer, value: change(answer.value) } : answer
      },
    })

  test.each<[string, (quote: MeltQuoteResponse) => MeltQuoteResponse, string]>([
    ['another amount', (quote) => ({ ...quote, amount: quote.amount + 1 }), 'mint_lies'],
    ['another unit', (quote) => ({ ...quote, unit: 'eur' }), 'mint_lies'],
    ['another invoice', (quote) => ({ ...quote, request: 'lnbc10n1other' }), 'mint_lies'],
    ['an invoice that is paid', (quote) => ({ ...quote, state: 'PAID' }), 'mint_refused'],
  ])('an offer for %s is not shown', async (_, change, code) => {
    const { wallet } = await rich()
    wallet.mint = quoting(change)
    expect((await refused(wallet.prepareCashOut(13))).code).toBe(code)
    const [melt] = wallet.store.read.operations({ kind: 'melt' })
    expect(melt).toMatchObject({ state: 'abandoned', reason: code, nextAttemptAt: null })
  })

  test('an invoice that is none, has no amount, or is for no unit of this mint', async () => {
    const { wallet } = await rich()
    const prepare = (invoice: string, unit = 'sat') =>
      refused(wallet.engine.prepareCashOut({ account: 0, unit, invoice }))
    expect((await prepare('hello')).code).toBe('bad_input')
    expect((await prepare('lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3')).code).toBe('bad_input')
    expect((await prepare(await foreignInvoice(4), 'usd')).code).toBe('unit_unknown')
    expect(
      (await refused(wallet.engine.prepareCashOut({ account: 9, unit: 'sat', invoice: await foreignInvoice(1) }))).code,
    ).toBe('mint_unknown')
    expect(wallet.store.read.operations({ kind: 'melt' })).toEqual([])
    expect((await prepare('lnbc10n1thechecksumiswrong')).code).toBe('mint_refused')
  })

  test.each([
    ['away', away, 'mint_unreachable', true],
    ['no', always(['requestMeltQuote'], refusal(11006, 'too much')), 'mint_refused', false],
    ['no answer about what it serves', always(['info'], lostRequest), 'mint_unreachable', true],
  ] as const)('a mint that is or says %s', async (_, double, code, retryable) => {
    const { wallet, money } = await rich({ feeReserve: 1 })
    wallet.mint = double
    expect(await refused(wallet.prepareCashOut(13))).toMatchObject({ code, retryable })
    expectFree(wallet, money)
  })

  test('a hotel’s web page is no offer', async () => {
    const { world, wallet } = await rich()
    wallet.mint = await answering(world, 'html')
    expect((await refused(wallet.prepareCashOut(13))).code).toBe('mint_bad_answer')
  })

  test('coins that are looked at stay where they are', async () => {
    const { world, wallet } = await rich({
      purses: [16, 16],
      config: { config: { refreshDelayMs: [minuteMs, minuteMs] } },
    })
    const { id } = await wallet.prepareCashOut(20)
    await world.pass(8 * minuteMs)
    expect(wallet.refreshes()).toEqual([])
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    inState(wallet.melt(id), 'done')
  })
})

describe('a mint that is away', () => {
  test('after the yes: the swaps wait, and go on when it is back', async () => {
    const { world, wallet, money } = await rich({ purses: [16, 16] })
    const { id } = await wallet.prepareCashOut(20)
    wallet.mint = away
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    inState(wallet.melt(id), 'gathering')
    expect(wallet.totals()).toMatchObject({ spendable: 0, reserved: money })
    await world.rest(5 * minuteMs)
    inState(wallet.melt(id), 'gathering')
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('between two swaps, and until the offer has expired: everything is free again, what was swapped too', async () => {
    const { world, wallet, money } = await rich({ feePpk: 100, purses: [16, 16] })
    const { id } = await wallet.prepareCashOut(20)
    let swaps = 0
    wallet.mint = always(['swap'], async (call) =>
      swaps++ === 0 ? call() : { kind: 'unknown', reason: 'reset', reachable: false },
    )
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    inState(wallet.melt(id), 'gathering')
    wallet.mint = away
    await world.rest(2 * hourMs)
    expect(inState(wallet.melt(id), 'failed').reason).toBe('the offer has expired')
    world.heal()
    await world.rest()
    expectFree(wallet, money - 2)
    expect(viewOf(wallet, id)).toMatchObject({ state: 'failed', alarm: null, trouble: 'the offer has expired' })
  })

  test('when the coins are ready: the very same request waits for it', async () => {
    const { world, wallet, money, node } = await rich({ feeReserve: 3 })
    const melts = record(wallet, 'melt')
    const before = wallet.mint
    wallet.mint = chain(before, always(['melt'], lostRequest))
    const id = await wallet.cashOut(20)
    const { body } = inState(wallet.melt(id), 'melting')
    await world.rest(2 * minuteMs)
    expect(node.attempts).toBe(0)
    wallet.mint = before
    await wallet.look()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expect(melts).toEqual([body])
    expectFree(wallet, money - 20)
  })

  test('for the melt, until the offer has expired: the coins come back by a swap, and the operation has failed', async () => {
    const { world, wallet, money } = await rich({ feePpk: 100 })
    wallet.mint = always(['melt'], lostRequest)
    const { id, mintFee } = await wallet.prepareCashOut(20)
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    await world.rest(90 * minuteMs)
    expect(inState(wallet.melt(id), 'failed').reason).toBe('the offer has expired')
    expect(wallet.refreshes()[0]).toMatchObject({ reason: 'reclaim', reclaims: id, state: 'done' })
    expectFree(wallet, money - mintFee)
    expect(viewOf(wallet, id)).toMatchObject({ state: 'failed', fee: mintFee, total: mintFee })
  })

  test('while the coins come back: they are not spendable before the mint has swapped them', async () => {
    const { world, wallet, money, node } = await rich()
    node.outcome = { kind: 'failed', reason: 'no route' }
    const id = await wallet.cashOut(20)
    world.clock.move(testConfig.readingGapMs)
    wallet.mint = always(['swap'], lostRequest)
    await step(wallet, id)
    inState(wallet.melt(id), 'returning')
    await world.rest(hourMs)
    inState(wallet.melt(id), 'returning')
    expect(wallet.totals()).toMatchObject({ spendable: money - 20, reserved: 20 })
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'failed')
    expectFree(wallet, money)
  })
})

describe('a melt on its way', () => {
  test.each([
    ['the request is lost', lostRequest],
    ['the answer is lost', lostAnswer],
    ['the mint does it and says that it did not', deniedEffect],
  ])('%s: it is done once', async (_, fault) => {
    const { world, wallet, money, node } = await rich({ feeReserve: 3, purses: [16, 16] })
    wallet.mint = first(1, ['melt'], fault)
    const id = await wallet.cashOut(20)
    await world.rest()
    inState(wallet.melt(id), 'done')
    expect(node.attempts).toBe(1)
    expectFree(wallet, money - 20)
  })

  test.each(['html', 'error', 'gateway', 'busy', 'shape', 'damaged', 'silent'] as const)(
    'a mint that answers "%s" has not refused it',
    async (kind) => {
      const { world, wallet, money } = await rich()
      wallet.mint = await answering(world, kind, ['melt', 'meltQuote'])
      const id = await wallet.cashOut(20)
      inState(wallet.melt(id), 'melting')
      await world.rest(10 * minuteMs)
      inState(wallet.melt(id), 'melting')
      world.heal()
      await world.rest()
      inState(wallet.melt(id), 'done')
      expectFree(wallet, money - 20)
    },
  )

  test('pending long: asked again and again, nothing is freed, and it ends well', async () => {
    const { world, wallet, money, node } = await rich({ feeReserve: 3 })
    node.outcome = { kind: 'unknown' }
    const id = await wallet.cashOut(20)
    expect(inState(wallet.melt(id), 'melting').pendingSince).toBe(world.clock.now())
    expect(viewOf(wallet, id)).toMatchObject({ state: 'paying', trouble: null })
    await world.pass(dayMs)
    inState(wallet.melt(id), 'melting')
    expect(wallet.totals().reserved).toBe(23)
    expect(viewOf(wallet, id).trouble).toMatch(/on its way for long/)
    node.outcome = { kind: 'paid', preimage: null, cost: 2 }
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 22)
  })

  test('pending long, and then failed: tried once more, and the coins come back', async () => {
    const { world, wallet, money, node } = await rich({ feeReserve: 3 })
    node.outcome = { kind: 'unknown' }
    const id = await wallet.cashOut(20)
    await world.pass(10 * minuteMs)
    node.outcome = { kind: 'failed', reason: 'no route' }
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/failed/)
    expectFree(wallet, money)
  })

  test('a mint that takes its time does not hold up the wallet', async () => {
    const { world, wallet, money } = await rich()
    let answer = () => {}
    wallet.mint = always(['melt'], async (call) => {
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      return call()
    })
    const { id } = await wallet.prepareCashOut(20)
    let isOver = false
    const confirmed = wallet
      .run(() => wallet.engine.confirmCashOut(id))
      .then(() => {
        isOver = true
      })
    while (!isOver) {
      world.clock.move(secondMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await confirmed
    inState(wallet.melt(id), 'melting')
    answer()
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('fails at the mint: once more after a minute, then the coins come back by a swap', async () => {
    const { world, wallet, money, node } = await rich({ feePpk: 100, purses: [16, 16], feeReserve: 2 })
    node.outcome = { kind: 'failed', reason: 'no route' }
    const { id, mintFee } = await wallet.prepareCashOut(20)
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    expect(inState(wallet.melt(id), 'melting').reading?.kind).toBe('refused')
    expect(node.attempts).toBe(1)
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/20004/)
    expect(node.attempts).toBe(2)
    expectFree(wallet, money - mintFee)
    expect(wallet.fees()).toBe(mintFee)
  })

  test('fails at the mint and succeeds a minute later', async () => {
    const { world, wallet, money, node } = await rich()
    node.outcome = { kind: 'failed', reason: 'no route' }
    const id = await wallet.cashOut(20)
    node.outcome = { kind: 'paid', preimage: null, cost: 0 }
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('a request that comes late finds the coins taken back', async () => {
    const { world, wallet, money, node } = await rich()
    wallet.mint = always(['melt'], lostRequest)
    const id = await wallet.cashOut(20)
    const { body } = inState(wallet.melt(id), 'melting')
    await world.rest(90 * minuteMs)
    inState(wallet.melt(id), 'failed')
    expect((await world.mint.post('/v1/melt/bolt11', body)).status).toBe(400)
    expect(node.attempts).toBe(0)
    expectFree(wallet, money)
  })

  test('a request that comes late, but before the coins are back: it is paid, and done', async () => {
    const { world, wallet, money, node } = await rich({ feeReserve: 3 })
    wallet.mint = always(['melt'], refusal(11002, 'not now'))
    const id = await wallet.cashOut(20)
    const { body } = inState(wallet.melt(id), 'melting')
    world.clock.move(testConfig.readingGapMs)
    wallet.mint = chain(always(['melt'], refusal(11002, 'not now')), always(['swap'], lostRequest))
    await step(wallet, id)
    inState(wallet.melt(id), 'returning')
    node.outcome = { kind: 'paid', preimage: null, cost: 1 }
    expect((await world.mint.post('/v1/melt/bolt11', body)).status).toBe(200)
    world.heal()
    await world.rest()
    expect(inState(wallet.melt(id), 'done')).toMatchObject({ change: 2 })
    expectFree(wallet, money - 21)
  })

  test('a late request is on its way while the coins should come back: whatever becomes of it is what happened', async () => {
    for (const [outcome, state, left] of [
      [{ kind: 'paid', preimage: null, cost: 3 }, 'done', 41],
      [{ kind: 'failed', reason: 'no route' }, 'failed', 64],
    ] as const) {
      const { world, wallet, node } = await rich({ feeReserve: 3 })
      wallet.mint = always(['melt'], refusal(11002, 'not now'))
      const id = await wallet.cashOut(20)
      const { body } = inState(wallet.melt(id), 'melting')
      world.clock.move(testConfig.readingGapMs)
      await step(wallet, id)
      inState(wallet.melt(id), 'returning')
      node.outcome = { kind: 'unknown' }
      expect((await world.mint.post('/v1/melt/bolt11', body)).body).toMatchObject({ state: 'PENDING' })
      await world.rest(10 * minuteMs)
      inState(wallet.melt(id), 'returning')
      expect(wallet.totals().reserved).toBe(23)
      node.outcome = outcome
      await world.mint.post('/v1/melt/bolt11', body)
      world.heal()
      await world.rest()
      inState(wallet.melt(id), state)
      expectFree(wallet, left)
    }
  })
})

describe('coins that are gathered', () => {
  /** Two swaps to make, the second of which gets nowhere. */
  async function halfway() {
    const setting = await rich({ purses: [16, 16, 8], config: { config: { refreshDelayMs: [minuteMs, minuteMs] } } })
    const { wallet } = setting
    let swaps = 0
    wallet.mint = always(['swap'], async (call) =>
      swaps++ === 0 ? call() : { kind: 'unknown', reason: 'reset', reachable: true },
    )
    const id = await wallet.cashOut(25)
    expect(inState(wallet.melt(id), 'gathering').plan).toEqual([])
    return { ...setting, id }
  }

  test('are neither paid with nor re-keyed meanwhile', async () => {
    const { world, wallet, id } = await halfway()
    const payee = await world.wallet('payee')
    const { code, facts } = await refused(wallet.prepare(payee, 9))
    expect([code, facts['total']]).toEqual(['not_enough', 8])
    expect((await refused(wallet.prepareCashOut(9))).facts).toEqual({ payable: 8, total: 8 })
    wallet.mint = (real) => ({ ...real, swap: always(['swap'], lostRequest)(real).swap })
    await world.pass(10 * minuteMs)
    inState(wallet.melt(id), 'gathering')
    expect(wallet.refreshes().map(({ reason }) => reason)).toEqual(['gather', 'gather'])
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
  })

  test('have their purse to themselves: a reclaim meanwhile goes to another one', async () => {
    const { world, wallet } = await rich({ purses: [32, 16] })
    const payee = await world.wallet('payee')
    await cutOff(wallet, payee)
    const payment = await wallet.pay(payee, 13)
    inState(wallet.payment(payment), 'signed')
    await reconnect(wallet)
    wallet.mint = always(['melt'], lostRequest)
    const id = await wallet.cashOut(20)
    const { purse } = inState(wallet.melt(id), 'melting')
    await wallet.run(() => wallet.engine.reclaim(payment, true))
    const [reclaim, gather] = wallet.refreshes()
    expect(gather).toMatchObject({ reason: 'gather', target: purse })
    expect(reclaim).toMatchObject({ reason: 'reclaim', reclaims: payment })
    expect(reclaim?.target).not.toBe(purse)
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expect(wallet.payment(payment).state).toBe('reclaimed')
    expectFree(wallet, 28)
  })

  test('by a swap that can never pass: what can be freed is free, the rest comes home by another one', async () => {
    const { world, wallet, id, money } = await halfway()
    const [swap] = wallet.refreshes()
    await signElsewhere(world, swap!.swap.outputs.at(-1)!.B_, 1)
    world.heal()
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/could not be made/)
    expect(wallet.refreshes().map(({ state, reason }) => [state, reason])).toEqual([
      ['done', 'rekey'],
      ['dead', 'gather'],
      ['done', 'gather'],
    ])
    expectFree(wallet, money + 1)
  })

  test('by a swap whose coins the mint calls spent: the others are free, and a mint that erred gives all back', async () => {
    const { world, wallet, id, money } = await halfway()
    const refuses = always(['swap'], refusal())
    wallet.mint = chain(refuses, (real) => ({
      ...real,
      checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'SPENT' as const) }),
    }))
    await world.rest(10 * minuteMs)
    inState(wallet.melt(id), 'failed')
    inState(wallet.refreshes()[0]!, 'lost')
    expect(wallet.totals()).toMatchObject({ spendable: 24, reserved: 0 })
    world.heal()
    await world.pass(3 * dayMs)
    expectFree(wallet, money)
  })

  test('under a fee that changes meanwhile are not given: they are free again', async () => {
    const { world, wallet } = await rich({ feePpk: 100, purses: [16, 16] })
    const { id } = await wallet.prepareCashOut(25)
    let swaps = 0
    wallet.mint = always(['swap'], async (call) => {
      if (swaps++ === 1) {
        world.mint.rotate({ feePpk: 2000 })
        await wallet.look()
      }
      return call()
    })
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/fees/)
    expect(wallet.totals().reserved).toBe(0)
  })

  test('before the melt cost nothing more than was shown when the keyset is rotated with the same fee', async () => {
    const { world, wallet, money } = await rich({ feePpk: 100, purses: [16, 16], feeReserve: 3 })
    const { id, mintFee } = await wallet.prepareCashOut(20)
    world.mint.rotate()
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20 - mintFee)
  })
})

describe('a mint that lies', () => {
  const saying =
    (name: 'melt' | 'meltQuote', state: MeltQuoteResponse['state']): MintDouble =>
    (real) =>
      ({
        ...real,
        [name]: async (text: string) => {
          const id = name === 'melt' ? parsed(text).quote : text
          const answer = await real.meltQuote(id)
          return answer.kind === 'ok' ? { ...answer, value: { ...answer.value, state } } : answer
        },
      }) as MintClient
  const spent: MintDouble = (real) => ({
    ...real,
    checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'SPENT' as const) }),
  })

  test('about having paid, while the coins are unspent: nobody is paid, and the coins come back', async () => {
    const { world, wallet, money, node } = await rich()
    wallet.mint = chain(saying('melt', 'PAID'), saying('meltQuote', 'PAID'))
    const id = await wallet.cashOut(20)
    expect(inState(wallet.melt(id), 'melting').reading?.kind).toBe('elsewhere')
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/not with these coins/)
    expect(viewOf(wallet, id).alarm).toBe('paid_elsewhere')
    expect(node.attempts).toBe(0)
    expectFree(wallet, money)
  })

  test('about having paid, once: one reading ends nothing', async () => {
    const { world, wallet, money } = await rich()
    wallet.mint = chain(always(['melt'], lostRequest), saying('meltQuote', 'PAID'), first(1, ['melt'], refusal(20006)))
    const id = await wallet.cashOut(20)
    expect(inState(wallet.melt(id), 'melting').reading?.kind).toBe('elsewhere')
    world.heal()
    await world.rest()
    inState(wallet.melt(id), 'done')
    expectFree(wallet, money - 20)
  })

  test('about not having paid, while the coins are spent: two readings, then it is over and says so', async () => {
    const { world, wallet, money } = await rich({ feeReserve: 3 })
    wallet.mint = chain(first(1, ['melt'], lostAnswer), saying('meltQuote', 'UNPAID'))
    const id = await wallet.cashOut(20)
    wallet.mint = chain(always(['melt'], refusal(11001)), saying('meltQuote', 'UNPAID'))
    world.clock.move(minuteMs)
    await step(wallet, id)
    expect(inState(wallet.melt(id), 'melting').reading?.kind).toBe('spent')
    expect(wallet.totals().reserved).toBe(23)
    world.clock.move(testConfig.readingGapMs)
    await step(wallet, id)
    inState(wallet.melt(id), 'done')
    const trouble: unknown = expect.stringMatching(/does not say/)
    expect(viewOf(wallet, id)).toMatchObject({ state: 'done', alarm: 'unproven', trouble })
    expectFree(wallet, money - 20)
  })

  test('about its quotes, of which it knows none any more: decided by the coins', async () => {
    const { world, wallet, money } = await rich()
    wallet.mint = always(['melt', 'meltQuote'], refusal(0, 'there is no such quote'))
    const id = await wallet.cashOut(20)
    await world.rest()
    inState(wallet.melt(id), 'failed')
    expectFree(wallet, money)
  })

  test('about coins that somebody else is said to have spent: some gone, the others come back', async () => {
    const { world, wallet, money } = await rich()
    world.isCookingBooks = true
    let gone = ''
    wallet.mint = chain(always(['melt'], refusal(11001)), (real) => ({
      ...real,
      checkState: async (Ys) => {
        const answer = await real.checkState(Ys)
        gone ||= Ys[0]!
        return answer.kind === 'ok'
          ? { ...answer, value: answer.value.map((state, at) => (Ys[at] === gone ? 'SPENT' : state)) }
          : answer
      },
    }))
    const id = await wallet.cashOut(21)
    expect(inState(wallet.melt(id), 'melting').reading?.kind).toBe('broken')
    await world.rest()
    expect(inState(wallet.melt(id), 'failed').reason).toMatch(/some of the coins/)
    expect(viewOf(wallet, id).alarm).toBe('coins_gone')
    expectFree(wallet, money - wallet.store.read.coin(0, gone)!.amount)
  })

  test.each<[MeltQuoteResponse['state'], readonly CoinStateAtMint[], string]>([
    ['PAID', ['SPENT', 'SPENT'], 'done'],
    ['PENDING', ['SPENT', 'SPENT'], 'melting'],
    ['UNPAID', ['SPENT', 'SPENT'], 'done'],
    ['PAID', ['PENDING', 'SPENT'], 'melting'],
    ['UNPAID', ['PENDING', 'PENDING'], 'melting'],
    ['PENDING', ['UNSPENT', 'UNSPENT'], 'melting'],
    ['PAID', ['UNSPENT', 'UNSPENT'], 'returning'],
    ['PAID', ['SPENT', 'UNSPENT'], 'returning'],
    ['UNPAID', ['SPENT', 'UNSPENT'], 'returning'],
    ['UNPAID', ['UNSPENT', 'UNSPENT'], 'returning'],
  ])(
    'refused, the quote %s and the coins %j: %s, after two readings where they do not agree',
    async (quote, states, end) => {
      const { world, wallet } = await rich()
      world.isCookingBooks = true
      wallet.mint = chain(always(['melt', 'swap'], refusal(11001)), saying('meltQuote', quote), (real) => ({
        ...real,
        checkState: async (Ys) => ({ kind: 'ok', value: Ys.map((_, at) => states[at] ?? states[0]!) }),
        swap: real.swap,
      }))
      const gather = always(['melt'], refusal(11001))
      const lies = wallet.mint
      wallet.mint = chain(gather, first(1, ['meltQuote'], lostRequest))
      const id = await wallet.cashOut(20)
      wallet.mint = lies
      const isAgreed = quote === 'PAID' && end === 'done'
      for (let reading = isAgreed ? 1 : 0; reading < 2; reading++) {
        inState(wallet.melt(id), 'melting')
        world.clock.move(testConfig.readingGapMs)
        await step(wallet, id)
      }
      inState(wallet.melt(id), end as 'melting')
    },
  )

  test('about everything when the coins are to come back: what is spent twice over is over', async () => {
    const { world, wallet } = await rich()
    world.isCookingBooks = true
    wallet.mint = always(['melt'], refusal(20004))
    const id = await wallet.cashOut(20)
    wallet.mint = chain(always(['melt', 'swap'], refusal()), spent, saying('meltQuote', 'UNPAID'))
    world.clock.move(testConfig.readingGapMs)
    await world.rest()
    inState(wallet.melt(id), 'done')
    expect(viewOf(wallet, id)).toMatchObject({ alarm: 'unproven', trouble: expect.stringMatching(/does not say/) })
  })
})

describe('interrupted and started again', () => {
  type Staged = Awaited<ReturnType<typeof rich>> & { readonly id: string }
  const begin = async (setting: Setting = {}) => {
    const staged = await rich({ feeReserve: 3, purses: [16, 16, 16], ...setting })
    const { id } = await staged.wallet.prepareCashOut(30)
    return { ...staged, id }
  }
  const confirm = ({ wallet, id }: Staged) => wallet.run(() => wallet.engine.confirmCashOut(id))
  /** Die at the n-th call of this port. */
  const dieAt = (staged: Staged, port: string, fate: 'die_before' | 'die_after', n = 1) => {
    let calls = 0
    staged.wallet.fate = (name) => (name === port && ++calls === n ? fate : 'live')
  }

  const stages: Readonly<Record<string, readonly [string, string, () => Promise<Staged>]>> = {
    'quoting, before the mint was asked': [
      'quoting',
      'abandoned',
      async () => {
        const staged = await rich()
        staged.wallet.fate = (port) => (port === 'mint requestMeltQuote' ? 'die_before' : 'live')
        await staged.wallet.prepareCashOut(30)
        staged.wallet.reopen()
        return { ...staged, id: staged.wallet.store.read.operations({ kind: 'melt' })[0]!.id }
      },
    ],
    'quoted, not confirmed': ['quoted', 'abandoned', () => begin()],
    'gathering, the first swap not sent': [
      'gathering',
      'done',
      async () => {
        const staged = await begin()
        dieAt(staged, 'mint swap', 'die_before')
        await confirm(staged)
        return staged
      },
    ],
    'gathering, the second swap done and not noted': [
      'gathering',
      'done',
      async () => {
        const staged = await begin()
        dieAt(staged, 'mint swap', 'die_after', 2)
        await confirm(staged)
        return staged
      },
    ],
    'melting, not sent': [
      'melting',
      'done',
      async () => {
        const staged = await begin()
        dieAt(staged, 'mint melt', 'die_before')
        await confirm(staged)
        return staged
      },
    ],
    'melting, paid and not noted': [
      'melting',
      'done',
      async () => {
        const staged = await begin()
        dieAt(staged, 'mint melt', 'die_after')
        await confirm(staged)
        return staged
      },
    ],
    'melting, on its way': [
      'melting',
      'done',
      async () => {
        const staged = await begin()
        staged.node.outcome = { kind: 'unknown' }
        await confirm(staged)
        expect(inState(staged.wallet.melt(staged.id), 'melting').pendingSince).not.toBeNull()
        staged.node.outcome = { kind: 'paid', preimage: null, cost: 3 }
        return staged
      },
    ],
    'melting, refused once': [
      'melting',
      'failed',
      async () => {
        const staged = await begin()
        staged.node.outcome = { kind: 'failed', reason: 'no route' }
        await confirm(staged)
        expect(inState(staged.wallet.melt(staged.id), 'melting').reading).not.toBeNull()
        return staged
      },
    ],
    'returning, the swap not sent': [
      'returning',
      'failed',
      async () => {
        const staged = await stages['melting, refused once']![2]()
        staged.world.clock.move(testConfig.readingGapMs)
        await step(staged.wallet, staged.id)
        return staged
      },
    ],
    'returning, the swap done and not noted': [
      'returning',
      'failed',
      async () => {
        const staged = await stages['returning, the swap not sent']![2]()
        dieAt(staged, 'mint swap', 'die_after')
        await step(staged.wallet, staged.wallet.refreshes()[0]!.id)
        return staged
      },
    ],
    done: [
      'done',
      'done',
      async () => {
        const staged = await begin()
        await confirm(staged)
        return staged
      },
    ],
  }

  test.each(Object.entries(stages))('%s', async (_, [state, end, stage]) => {
    const staged = await stage()
    const { world, wallet, id, money } = staged
    wallet.kill()
    wallet.reopen()
    inState(wallet.melt(id), state as 'quoted')
    await world.rest()
    inState(wallet.melt(id), end as 'done')
    const kept = end === 'done' ? money - 30 - wallet.fees() : money
    expectFree(wallet, kept)
  })
})

describe('planning', () => {
  const order = (worth: number, feePpk: number) => ({ worth, feePpk, largest: 1024 })

  /** Purses of random coins; deterministic. */
  function purses(seed: number, feePpk: number) {
    let state = seed
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648
      return Math.floor((state / 2147483648) * below)
    }
    return Array.from({ length: 1 + random(8) }, (_, purseId) =>
      Array.from({ length: 1 + random(purseId === 0 ? 90 : 12) }, (_, coin) => ({
        Y: `${purseId}/${coin}`,
        purseId,
        amount: 2 ** random(9),
        feePpk,
      })),
    ).flat()
  }

  test('is exact, of one purse each, within the limits, and finds what it says is the most', () => {
    let [planned, unlucky] = [0, 0]
    for (let seed = 1; seed <= 120; seed++) {
      for (const feePpk of [0, 100, 300, 1000, 2500]) {
        const coins = purses(seed, feePpk)
        const most = planGathering(coins, order(1e9, feePpk))
        if (most.kind !== 'not_enough') throw new Error('a thousand million of nothing')
        if (most.largest < 1) continue
        for (const worth of new Set([1, Math.ceil(most.largest / 3), most.largest - 1, most.largest])) {
          if (worth < 1) continue
          const result = planGathering(coins, order(worth, feePpk))
          if (result.kind !== 'planned') {
            // Just below the most, another number of coins may be needed, whose fee is not covered any more.
            expect(most.largest - worth, `seed ${seed}, ${feePpk} ppk: ${worth} of ${most.largest}`).toBe(1)
            unlucky++
            continue
          }
          const { pours, meltFee, fee } = result.plan
          const made = pours.flatMap(({ amounts }) => amounts)
          const used = pours.flatMap(({ inputs }) => inputs)
          expect(meltFee).toBe(inputFee(made.map(() => feePpk)))
          expect(made.reduce((sum, amount) => sum + amount, 0)).toBe(worth + meltFee)
          expect(fee).toBe(meltFee + pours.reduce((sum, pour) => sum + pour.fee, 0))
          expect(new Set(used.map(({ Y }) => Y)).size).toBe(used.length)
          expect(made.length).toBeLessThanOrEqual(64)
          expect(made.every((amount) => Number.isInteger(Math.log2(amount)) && amount <= 1024)).toBe(true)
          for (const pour of pours) {
            expect(new Set(pour.inputs.map(({ purseId }) => purseId)).size).toBe(1)
            expect(pour.inputs.length).toBeLessThanOrEqual(64)
            expect(pour.fee).toBe(inputFee(pour.inputs.map(({ feePpk }) => feePpk)))
            const given = pour.inputs.reduce((sum, { amount }) => sum + amount, 0)
            expect(given - pour.fee).toBe(pour.rest + pour.amounts.reduce((sum, amount) => sum + amount, 0))
          }
          planned++
        }
      }
    }
    expect(planned).toBeGreaterThan(1000)
    expect(unlucky).toBeLessThan(planned / 50)
  })

  test('takes one purse where one suffices', () => {
    const coins = [16, 8, 32].map((amount, purseId) => ({ Y: `${purseId}`, purseId, amount, feePpk: 0 }))
    const result = planGathering(coins, order(30, 0))
    expect(result).toMatchObject({ kind: 'planned', plan: { pours: [{ rest: 2, inputs: [{ amount: 32 }] }] } })
  })

  test('of nothing is not enough', () => {
    expect(planGathering([], order(1, 0))).toEqual({ kind: 'not_enough', largest: 0 })
  })

  test.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [900, 10],
    [1000, 10],
    [1024, 10],
    [1025, 11],
  ])('a fee reserve of %i takes %i blank outputs (NUT-08)', (feeReserve, blanks) => {
    expect(blankOutputs(feeReserve)).toBe(blanks)
  })

  test.each([
    ['lnbc2500u1pvjluez', 250_000_000],
    ['LNBC20M1PVJLUEZ', 2_000_000_000],
    ['lightning:lntb1n1pvjluez', 100],
    ['lnbcrt15p1pvjluez', 2],
    ['lnbc21pvjluez', 200_000_000_000],
  ])('%s asks for %i thousandths', (text, amountMsat) => {
    expect(readInvoice(text).amountMsat).toBe(amountMsat)
  })

  test.each(['', 'lnbc', 'lnbc1pvjluez', 'lnbc0u1pvjluez', 'bc1qar0srrr7xfkvy5l643', 'lnbc99999999999999991pvjluez'])(
    '"%s" is no invoice with an amount',
    (text) => {
      expect(() => readInvoice(text)).toThrowError(expect.objectContaining({ code: 'bad_input' }))
    },
  )

  test('a text made to be hard to read is refused as fast as any other', () => {
    const before = performance.now()
    for (const text of [
      `ln${'a'.repeat(2040)}${'1'.repeat(2040)}!`,
      `ln${'a1'.repeat(2040)}!`,
      `lna${'1'.repeat(4000)}m`,
    ]) {
      expect(() => readInvoice(text)).toThrowError(expect.objectContaining({ code: 'bad_input' }))
    }
    expect(performance.now() - before).toBeLessThan(500)
  })

  test('a quote is for what the invoice says, rounded either way, where that can be known', () => {
    const invoice = { text: '', amountMsat: 1500 }
    expect([1, 2, 3, 0].map((amount) => asksFor(invoice, amount, 'sat'))).toEqual([true, true, false, false])
    expect([1500, 1501].map((amount) => asksFor(invoice, amount, 'msat'))).toEqual([true, false])
    expect(asksFor(invoice, 7, 'eur')).toBe(true)
  })
})
