// What is left of a bounced payment: mints that err about its coins, other lives of the wallet, people who take it back.
// The books balance after every test (engine-fixture.ts).

import { describe, expect, test } from 'vitest'
import { copiesOf, setCopies } from '../electron/wallet/generation.ts'
import { AppError } from '../shared/errors.ts'
import {
  always,
  chain,
  cutOff,
  dayMs,
  hourMs,
  inState,
  lostAnswer,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  refusal,
  type TestWallet,
  type World,
} from './engine-fixture.ts'

/** A mint that swaps nothing and calls these coins spent; by Y. */
const callsSpent =
  (isSpent: (Y: string) => boolean): MintDouble =>
  (real) => ({
    ...always(['swap'], refusal())(real),
    checkState: async (Ys) => ({ kind: 'ok', value: Ys.map((Y) => (isSpent(Y) ? 'SPENT' : 'UNSPENT')) }),
  })

const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (thrown: unknown) => (thrown instanceof AppError ? thrown.code : String(thrown)),
  )

/** The coins of a payment by their amounts. */
function coinsOf(payer: TestWallet, id: string, ...amounts: readonly number[]): readonly string[] {
  const payment = payer.payment(id)
  if (!('swap' in payment)) throw new Error('nothing is signed')
  return payment.swap.inputs.filter(({ amount }) => amounts.includes(amount)).map(({ Y }) => Y)
}

/** Signed offline, and bounced because the mint is wrong about coins of these amounts. */
async function bounced(world: World, payer: TestWallet, payee: TestWallet, amount: number, spent: readonly number[]) {
  await cutOff(payer, payee)
  const id = await payer.pay(payee, amount)
  inState(payer.payment(id), 'signed')
  const Ys = coinsOf(payer, id, ...spent)
  for (const wallet of [payer, payee]) wallet.mint = callsSpent((Y) => Ys.includes(Y))
  await world.rest(hourMs)
  inState(payer.payment(id), 'bounced')
  return id
}

describe('a bounced payment whose coins the mint was wrong about', () => {
  test('can be taken back also where an older program has let a coin of it rest that is never worth a swap', async () => {
    const world = await openWorld({ feePpk: 100 })
    const { payer, payee } = await payerAndPayee(world, { money: 15 })
    const id = await bounced(world, payer, payee, 14, [8, 4, 2])
    payer.store.transaction((write) => {
      write.moveCoins(0, coinsOf(payer, id, 1), ['handed_over'], 'quarantined', null)
    })
    await reconnect(payer)
    await world.pass(3 * dayMs)
    expect(payer.totals()).toMatchObject({ spent: 0, handed_over: 14, quarantined: 1 })
    expect(payer.engine.undecided()).toMatchObject([{ id }])
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('warned')
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect(payer.totals()).toMatchObject({ spendable: 13, handed_over: 0, quarantined: 1 })
  })

  test('is taken back as a whole, bit by bit', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const id = await bounced(world, payer, payee, 13, [8])
    payer.mint = (real) => ({ ...callsSpent((Y) => coinsOf(payer, id, 8).includes(Y))(real), swap: real.swap })
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['bounced', 5])
    // What the mint calls spent cannot be taken back: there is nothing to decide.
    expect(payer.engine.undecided()).toEqual([])
    await reconnect(payer)
    await world.pass(3 * dayMs)
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect(payer.totals().spendable).toBe(13)
    expect(payer.payment(id)).toMatchObject({ state: 'reclaimed', nextAttemptAt: null })
  })

  test('counts a coin again that a lost reclaim was told is spent', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const twin = await world.wallet('twin', { phrase: 'payer', copy: payer.copy() })
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    await twin.look()
    await twin.pay(await world.wallet('other'), 8)
    world.forget(twin)
    // All are called spent until the reclaim is given up; one of them is.
    payer.mint = callsSpent(() => true)
    await payer.run(() => payer.engine.reclaim(id, true))
    const reclaim = () => payer.refreshes()[0]
    for (let i = 0; i < 5 && reclaim()?.state !== 'lost'; i++) {
      await payer.run(() => payer.engine.runner.runNow(reclaim()?.id ?? ''))
      world.clock.move(5 * minuteMs)
    }
    expect([payer.payment(id).state, reclaim()?.state]).toEqual(['reclaiming', 'lost'])
    await reconnect(payer)
    await world.pass(3 * dayMs)
    expect(payer.payment(id).state).toBe('bounced')
    expect(payer.totals()).toMatchObject({ spent: 8, handed_over: 5 })
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect(payer.totals()).toMatchObject({ spent: 13, spendable: 5 })
  })

  test('is not paid beside another payment for its request that is confirmed at that very moment', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 5 })
    await payer.withdraw(8)
    const { id: requestId, payeeKey } = payee.engine.createRequest({
      account: 0,
      unit: 'sat',
      amount: 5,
      singleUse: true,
    })
    const order = { requestId: requestId ?? '', expectedKey: payeeKey, isSingleUse: true }
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 5, order)
    for (const wallet of [payer, payee]) wallet.mint = callsSpent(() => true)
    await world.rest(hourMs)
    inState(payer.payment(id), 'bounced')
    await reconnect(payer, payee)
    const { id: again } = await payer.prepare(payee, 5, order)
    let isConfirmed = false
    payer.mint = (real) => ({
      ...real,
      restore: async (outputs) => {
        const answer = await real.restore(outputs)
        if (!isConfirmed) {
          isConfirmed = true
          await payer.engine.confirmPay(again)
        }
        return answer
      },
    })
    await payer.run(() => payer.engine.runner.runNow(id))
    expect(isConfirmed).toBe(true)
    await world.rest(hourMs)
    expect([payer.payment(id).state, payer.payment(again).state]).toEqual(['bounced', 'final'])
    expect([payer.worth(), payee.worth()]).toEqual([8, 5])
  })

  test('goes on, and keeps another one for its request away while nobody knows what became of its swap', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 5 })
    const { id: requestId, payeeKey } = payee.engine.createRequest({
      account: 0,
      unit: 'sat',
      amount: 5,
      singleUse: true,
    })
    const order = { requestId: requestId ?? '', expectedKey: payeeKey, isSingleUse: true }
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 5, order)
    for (const wallet of [payer, payee]) wallet.mint = callsSpent(() => true)
    await world.rest(hourMs)
    inState(payer.payment(id), 'bounced')
    await reconnect(payer)
    await payer.withdraw(8)
    await payer.run(() => payer.engine.runner.runNow(id))
    // Its swap passes, and nobody hears of it.
    payer.mint = chain(always(['swap'], lostAnswer), always(['checkState', 'restore'], lostRequest))
    await payer.run(() => payer.engine.runner.runNow(id))
    inState(payer.payment(id), 'signed')
    await expect(payer.prepare(payee, 5, order)).rejects.toMatchObject({ code: 'conflict' })
    await reconnect(payer, payee)
    await world.pass(2 * dayMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect([payer.worth(), payee.worth()]).toEqual([8, 5])
  })

  test('and that never left is not sent by itself when its deadline has passed', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const { id } = await payer.prepare(payee, 13)
    payee.isListening = false
    payer.mint = callsSpent(() => true)
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest(hourMs)
    expect(inState(payer.payment(id), 'bounced').handedOver).toBe(false)
    await world.pass(8 * dayMs)
    await reconnect(payer)
    await world.pass(10 * dayMs)
    expect([payer.payment(id).state, payer.totals().reserved]).toEqual(['bounced', 13])
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 13])
  })

  test('is not offered back where the fee would take all that is left', async () => {
    const world = await openWorld({ feePpk: 100 })
    const { payer, payee } = await payerAndPayee(world, { money: 15 })
    const id = await bounced(world, payer, payee, 14, [8, 4, 2])
    expect(payer.totals()).toMatchObject({ spent: 14, handed_over: 1 })
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
    expect(await refusalOf(payer.engine.reclaim(id, true))).toBe('wrong_state')
    await reconnect(payer, payee)
    await world.pass(3 * dayMs)
    expect(payer.payment(id).state).toBe('final')
  })

  test('is not offered back when the keyset of its coins has ended, and does not end in a swap that never passes', async () => {
    const world = await openWorld({ finalExpiry: Date.UTC(2026, 11, 20) / 1000 })
    // What the mint called spent stays so.
    world.isCookingBooks = true
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const id = await bounced(world, payer, payee, 13, [8])
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('warned')
    world.mint.rotate()
    await world.pass(60 * dayMs)
    expect(payer.payment(id).state).toBe('bounced')
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
    expect(await refusalOf(payer.engine.reclaim(id, true))).toBe('wrong_state')
  })
})

describe('a bounced payment and another life of the wallet', () => {
  test('that has given the same coins to somebody who has them in hand: they are that one’s, though called spent here', async () => {
    const world = await openWorld()
    const late = { settleDelayMs: [20 * dayMs, 20 * dayMs] as const }
    const ann = await world.wallet('payer')
    const [bob, carol] = [await world.wallet('bob'), await world.wallet('carol')]
    await ann.withdraw(13)
    const other = await world.wallet('other', { phrase: 'payer', copy: ann.copy(), config: late })
    await cutOff(other, bob)
    const id = await bounced(world, ann, carol, 13, [8, 4, 1])
    const given = await other.pay(bob, 13)
    expect(inState(other.payment(given), 'signed').receipt).not.toBeNull()
    ann.reopen(late)
    ann.merge(other.copy())
    ann.store.transaction((write) => setCopies(write, { ...copiesOf(ann.store.read), round: 0 }))
    world.forget(other)
    // Carol still believes it: her own wallet sends nothing.
    await reconnect(ann)
    await world.pass(5 * dayMs)
    expect([ann.payment(id).state, ann.payment(given).state]).toEqual(['bounced', 'signed'])
    expect(ann.engine.reclaimable(ann.payment(id))).toBe('no')
    await reconnect(bob)
    await world.rest(hourMs)
    expect(bob.incoming().state).toBe('final')
    await world.pass(30 * dayMs)
    expect([ann.payment(id).state, ann.payment(given).state]).toEqual(['bounced', 'final'])
  })

  test('that spent a coin of it is noticed, also when a person takes back what is left at once', async () => {
    const world = await openWorld()
    const config = { lookForTwinsMs: 365 * dayMs }
    const ann = await world.wallet('payer', { config })
    const bob = await world.wallet('bob')
    await ann.withdraw(13)
    await ann.withdraw(4)
    const other = await world.wallet('other', { phrase: 'payer', copy: ann.copy() })
    await ann.look()
    await cutOff(ann, bob)
    const id = await ann.pay(bob, 13)
    await other.look()
    await other.pay(await world.wallet('carol'), 8)
    world.forget(other)
    expect(copiesOf(ann.store.read).cause).toBeNull()
    ann.mint = (real) => real
    for (let i = 0; i < 9 && ann.payment(id).state !== 'bounced'; i++) {
      world.clock.move(5 * minuteMs)
      await ann.run(() => ann.engine.runner.runNow(id))
    }
    await ann.run(() => ann.engine.reclaim(id, true))
    await ann.look()
    expect(copiesOf(ann.store.read).cause).toBe('twin')
    await world.rest()
    ann.store.transaction((write) => setCopies(write, { ...copiesOf(ann.store.read), round: 0 }))
  })
})
