// What a person sees of a wallet whose mint does not mean well, or whose money does not last. The mint is a table of keys.

import { describe, expect, test } from 'vitest'
import type { MintClient } from '../electron/wallet/ports.ts'
import { createWalletView, type WalletView } from '../electron/wallet-view.ts'
import { maxAmount } from '../shared/amount.ts'
import { bytesToHex } from '../shared/cashu/numbers.ts'
import type { BlindSignature } from '../shared/cashu/wire.ts'
import { type AgreedTerms, mintKeys, openPayee, payWith, type TestPayee, wordOf } from './payment-fixture.ts'

const minuteMs = 60_000

const viewOf = ({ engine, store, clock }: TestPayee): WalletView =>
  createWalletView({
    engine,
    store,
    clock: { now: () => clock.nowMs, wait: () => new Promise(() => {}) },
    reach: { state: () => ({ isLooking: false, visibleUntil: null, people: [] }) as never },
    sealing: () => 'plain',
    practiceUrl: () => null,
    version: '0.0.0',
  })
const balanceOf = (payee: TestPayee) => viewOf(payee).mints()[0]?.balances[0]

describe('a mint that signs more than can be counted', () => {
  /** 53 keys: up to 2^52. */
  const evil = mintKeys('evil', { count: 53 })

  /** A payment that ends dead, because the mint answers that it signed this much on each of its outputs. */
  async function payDead(payee: TestPayee, amount: number): Promise<void> {
    const agreed = await payee.agree({ amount: 5 })
    await payee.cutOff()
    expect(wordOf(await payee.handover(payWith(evil, agreed, [4, 1]).built.frame))).toBe('signed')
    Object.assign(payee.mint.client, {
      swap: async () => ({ kind: 'refused', code: 1, detail: 'no' }),
      restore: async (outputs: readonly { B_: string }[]) => {
        const value: BlindSignature[] = outputs.map(({ B_ }) => evil.sign(amount, B_))
        return { kind: 'ok', value }
      },
    })
    payee.mint.isUp = true
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    payee.clock.nowMs += 2 * minuteMs
    await payee.engine.runner.runDue()
    expect(payee.receiveOf(agreed).state).toBe('dead')
  }

  test('gives coins up to what can be counted, and the wallet is shown and looks at its mints as before', async () => {
    const payee = await openPayee({ keysets: [evil] })
    await payDead(payee, 2 ** 52)
    const { spendable, quarantined } = payee.store.read.totals(0, 'sat')
    expect(spendable + quarantined).toBe(2 ** 52)
    expect(balanceOf(payee)).toMatchObject({ unit: 'sat' })
    await payee.engine.tick()
  })

  test('is counted up to the largest amount, also where its coins came in by another way', async () => {
    const payee = await openPayee({ keysets: [evil] })
    await payDead(payee, 1)
    const [coin] = payee.store.read.coins(0, 'sat', 'quarantined')
    // SQLite itself cannot add up 2100 of these.
    for (const [state, count] of [['spendable', 5] as const, ['spent', 2100] as const, ['quarantined', 5] as const]) {
      payee.store.transaction((write) => {
        const purse = write.takePurse({ generation: 0, account: 0, unit: 'sat' }, 'withdraw', 'own')
        for (let index = 0; index < count; index++) {
          const path = { generation: 0, account: 0, purse: purse.purse, coin: index }
          write.insertCoins([
            { ...coin!, Y: `${state} ${index}`, purseId: purse.id, path, amount: 2 ** 52, state, operationId: null },
          ])
        }
      })
    }
    const totals = payee.store.read.totals(0, 'sat')
    expect([totals.spendable, totals.spent, totals.quarantined]).toEqual([maxAmount, maxAmount, maxAmount])
    const balance = balanceOf(payee)
    expect([balance?.spendable, balance?.resting, balance?.payableAtOnce]).toEqual([maxAmount, maxAmount, maxAmount])
    await payee.engine.tick()
    payee.clock.nowMs += 24 * 60 * minuteMs
    await payee.engine.tick()
  })
})

describe('coins of a keyset that has ended', () => {
  const lasting = mintKeys('lasting')
  const brief = mintKeys('brief', { finalExpiry: Date.UTC(2026, 10, 3) / 1000 })
  const dayMs = 24 * 60 * minuteMs

  /** The mint's signatures on what these Terms ask for, under the keyset that ends. */
  const settleBriefly = ({ mint }: TestPayee, { terms }: AgreedTerms) => {
    const outputs = terms.outputs.map(([amount, B_]) => ({ id: brief.keyset.id, amount, B_: bytesToHex(B_) }))
    return mint.client.swap(JSON.stringify({ inputs: [{ secret: 'x' }], outputs }))
  }

  test('do not make a payment final that nobody was told of: it is shown with an alarm, its coins are kept', async () => {
    const payee = await openPayee({ keysets: [lasting, brief] })
    await payee.engine.tick()
    const agreed = await payee.agree({ amount: 5 })
    await settleBriefly(payee, agreed)
    payee.clock.nowMs += 3 * dayMs
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    expect(payee.receiveOf(agreed).state).toBe('refused')
    expect(viewOf(payee).payments(9)).toMatchObject([{ state: 'refused', alarm: 'keyset_expired', amount: 5 }])
    expect(balanceOf(payee)).toMatchObject({ spendable: 0, payableAtOnce: 0, resting: 0, expired: 5 })
    // A month later nobody asks any more, and it still is said.
    for (let day = 0; day < 45; day++) {
      payee.clock.nowMs += dayMs
      await payee.engine.runner.runDue()
    }
    expect(payee.receiveOf(agreed).nextAttemptAt).toBeNull()
    expect(viewOf(payee).payments(9)).toMatchObject([{ state: 'refused', alarm: 'keyset_expired' }])
  })

  test('do not make a signed payment final: it is kept open with an alarm', async () => {
    const payee = await openPayee({ keysets: [lasting, brief] })
    await payee.engine.tick()
    const agreed = await payee.agree({ amount: 5 })
    await payee.cutOff()
    const payment = payWith(lasting, agreed, [4, 1])
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('signed')
    payee.mint.isUp = true
    // The payer settles it, under the keyset that ends.
    const { inputs, outputs } = payment.built.swap
    const spent = inputs.map(({ secret }) => ({ secret }))
    await payee.mint.client.swap(
      JSON.stringify({ inputs: spent, outputs: outputs.map((output) => ({ ...output, id: brief.keyset.id })) }),
    )
    payee.clock.nowMs += 3 * dayMs
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    expect(payee.receiveOf(agreed)).toMatchObject({ state: 'signed' })
    expect(viewOf(payee).payments(9)).toMatchObject([{ state: 'signed', alarm: 'keyset_expired' }])
    expect(balanceOf(payee)).toMatchObject({ spendable: 0, expired: 5 })
  })

  test('count as money while they last, and as none afterwards', async () => {
    const payee = await openPayee({ keysets: [lasting, brief] })
    await payee.engine.tick()
    const agreed = await payee.agree({ amount: 5 })
    await settleBriefly(payee, agreed)
    payee.clock.nowMs += dayMs
    await payee.engine.runner.runDue()
    expect(payee.receiveOf(agreed).state).toBe('final')
    expect(balanceOf(payee)).toMatchObject({ spendable: 5, expired: 0 })
    payee.clock.nowMs += 2 * dayMs
    expect(balanceOf(payee)).toMatchObject({ spendable: 0, expired: 5 })
  })
})

describe('a payment without a receipt', () => {
  const mint = mintKeys('mint')
  const answerOf = (state: 'SPENT' | 'PENDING') => async (Ys: readonly string[]) => ({
    kind: 'ok',
    value: Ys.map(() => state),
  })

  /** Handed over; the payee is gone while its mint is being asked, and comes back. */
  async function dieBeforeAnswering(payee: TestPayee, agreed: AgreedTerms): Promise<void> {
    const { swap } = payee.mint.client
    const asked = new Promise<void>((resolve) => {
      payee.mint.client.swap = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    void payee.handover(payWith(mint, agreed, [4, 1]).built.frame)
    await asked
    await payee.reopen()
    payee.mint.client.swap = swap
  }

  const limits = { single: 10, total: 20, perHour: 5 }

  test('above the limits, while the mint is gone, is being checked; it is never called signed', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    const agreed = await payee.agree({ amount: 32 })
    payee.mint.isUp = false
    const { id } = payee.receiveOf(agreed)
    const view = viewOf(payee)
    expect(wordOf(await payee.handover(payWith(mint, agreed, [32]).built.frame))).toBe('not_settled')
    expect(view.payment(id).state).toBe('on_its_way')
    expect(view.paymentDetail(id).timeline.map(({ state }) => state)).toEqual(['awaited', 'on_its_way'])
    expect(view.change(id)).toMatchObject({ view: { state: 'on_its_way' }, was: 'awaited' })
    expect(balanceOf(payee)).toMatchObject({ signedToUs: 0 })
    payee.mint.isUp = true
    payee.clock.nowMs += minuteMs
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    expect(view.change(id)).toMatchObject({ view: { state: 'final' }, was: 'on_its_way' })
  })

  test('is called signed when it has one, and a window hears of it', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree({ amount: 5 })
    const { id } = payee.receiveOf(agreed)
    const view = viewOf(payee)
    const seen: unknown[] = []
    payee.onEvent = (event) => {
      if (event.kind === 'operation' && event.id === id) seen.push(view.change(id)?.view.state)
    }
    payee.mint.isBusy = true
    expect(wordOf(await payee.handover(payWith(mint, agreed, [4, 1]).built.frame))).toBe('signed')
    expect(seen[0]).toBe('on_its_way')
    expect(seen.at(-1)).toBe('signed')
  })

  test('is called signed too when its payer was gone before it had one, and the mint stays away', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree({ amount: 5 })
    await dieBeforeAnswering(payee, agreed)
    const { id } = payee.receiveOf(agreed)
    expect(viewOf(payee).payment(id).state).toBe('on_its_way')
    payee.mint.isUp = false
    await payee.engine.runner.runDue()
    expect(viewOf(payee).payment(id).state).toBe('signed')
    expect(balanceOf(payee)).toMatchObject({ signedToUs: 5 })
  })

  test.each<[string, (client: MintClient) => void]>([
    ['calls its coin spent', (client) => Object.assign(client, { checkState: answerOf('SPENT') })],
    ['calls its coin pending', (client) => Object.assign(client, { checkState: answerOf('PENDING') })],
    ['refuses it without a reason', () => {}],
  ])('is being checked when the mint %s, and stays so when the mint is gone afterwards', async (_, says) => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree({ amount: 5 })
    await dieBeforeAnswering(payee, agreed)
    const { id } = payee.receiveOf(agreed)
    Object.assign(payee.mint.client, { swap: async () => ({ kind: 'refused', code: 11001, detail: 'no' }) })
    says(payee.mint.client)
    await payee.engine.runner.runDue()
    expect(viewOf(payee).payment(id).state).toBe('on_its_way')
    const silence = async () => ({ kind: 'unknown', reason: 'no answer', reachable: false })
    Object.assign(payee.mint.client, { swap: silence, checkState: silence })
    payee.clock.nowMs += 2 * minuteMs
    await payee.engine.runner.runDue()
    expect(viewOf(payee).payment(id).state).toBe('on_its_way')
    expect(balanceOf(payee)).toMatchObject({ signedToUs: 0 })
  })

  test('that the mint calls spent is never called signed', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree({ amount: 5 })
    const payment = payWith(mint, agreed, [4, 1])
    const inputs = payment.built.swap.inputs.map(({ secret }) => ({ secret }))
    await payee.mint.client.swap(JSON.stringify({ inputs, outputs: [] }))
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('not_settled')
    expect(viewOf(payee).payment(payee.receiveOf(agreed).id).state).toBe('on_its_way')
  })
})
