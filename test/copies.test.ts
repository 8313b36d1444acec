// Old copies of a data folder and two computers with one phrase: noticed, said in words, and nobody honest spends a coin
// twice by them. Wallets share a phrase here; each computer has a memory of its own.

import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { memoryFolder, openGenerationMemory } from '../electron/generation-memory.ts'
import { takeUpLife } from '../electron/life.ts'
import { restoreView } from '../electron/restore-view.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import { claimingGenerations, copiesOf } from '../electron/wallet/generation.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import {
  always,
  computer,
  cutOff,
  dayMs,
  goodLink,
  honest,
  hourMs,
  inState,
  lostFrames,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  reconnect,
  type TestWallet,
  type World,
} from './engine-fixture.ts'
import { openMint, signaturesIn } from './mint-fixture.ts'

const patience = 300_000

const viewOf = (world: World, { store }: TestWallet) => restoreView({ store, clock: world.clock })
const generationOf = ({ store }: TestWallet) => Number(store.read.meta('seed/generation'))
const watching = { lookForTwinsMs: hourMs }

/** Every coin that this wallet calls spendable is spent. */
async function expectTaken(wallet: TestWallet): Promise<void> {
  const coins = wallet.store.read.coins(0, 'sat', 'spendable')
  const states = await wallet.engine.mints.client(0).checkState(coins.map(({ Y }) => Y))
  expect(states).toEqual({ kind: 'ok', value: coins.map(() => 'SPENT') })
}

/** Whatever these wallets were shown by a payer, over their whole history, is no proof that anybody cheated. */
function expectNobodyFramed(...payees: readonly TestWallet[]): void {
  const claims = payees.flatMap(({ store }) =>
    store.read
      .operations({ kind: 'receive' })
      .flatMap((operation) =>
        'claim' in operation && operation.claim
          ? [{ body: hexToBytes(operation.claim.body), sig: hexToBytes(operation.claim.sig) }]
          : [],
      ),
  )
  expect(claims.length).toBeGreaterThan(0)
  expect(findDoubleSpend(claims)).toBeUndefined()
}

describe('an old copy of the folder, put back', () => {
  const scene = async () => {
    const world = await openWorld()
    const alice = await world.wallet('alice', { memory: computer() })
    const bob = await world.wallet('bob')
    const carol = await world.wallet('carol')
    await alice.withdraw(32)
    return { world, alice, bob, carol }
  }

  test.each([
    ['made while the wallet ran', false],
    ['made before the wallet was started again', true],
  ])(
    '%s: cannot pay with coins that were paid offline since',
    async (_, isRestarted) => {
      const { world, alice, bob, carol } = await scene()
      const copy = alice.copy()
      if (isRestarted) alice.reopen()
      await cutOff(alice, bob, carol)
      const payment = await alice.pay(bob, 10)
      expect(inState(alice.payment(payment), 'signed').receipt).not.toBeNull()

      alice.reopen(undefined, copy)
      expect(viewOf(world, alice)).toMatchObject({ cause: 'old_copy', resting: { isReleased: false } })
      expect(alice.totals()).toMatchObject({ spendable: 0, quarantined: 32 })
      expect(generationOf(alice)).toBeGreaterThan(0)
      await expect(alice.pay(carol, 5)).rejects.toMatchObject({ code: 'not_enough' })

      await reconnect(alice, bob, carol)
      await world.rest()
      await expect(alice.pay(carol, 5)).rejects.toMatchObject({ code: 'not_enough' })
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest()
      // What is really there: the change of a payment that this file knows nothing of.
      expect(alice.totals()).toMatchObject({ spendable: 22, quarantined: 0 })
      await alice.pay(carol, 5)
      await world.rest()
      expect([bob.totals().spendable, carol.totals().spendable, alice.totals().spendable]).toEqual([10, 5, 17])
      expectNobodyFramed(bob, carol)
    },
    patience,
  )

  test(
    'cannot pay with coins that were paid online, to the last coin, since',
    async () => {
      const { world, alice, bob, carol } = await scene()
      const copy = alice.copy()
      await alice.pay(bob, 32)
      await world.rest()
      alice.reopen(undefined, copy)
      expect(alice.totals()).toMatchObject({ spendable: 0, quarantined: 32 })
      await cutOff(alice, carol)
      await expect(alice.pay(carol, 5)).rejects.toMatchObject({ code: 'not_enough' })
      await reconnect(alice, carol)
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest()
      expect(alice.totals()).toMatchObject({ spendable: 0, quarantined: 0 })
    },
    patience,
  )

  test(
    'hands over nothing that it had begun, when the coins were taken back and paid to others since',
    async () => {
      const { world, alice, bob, carol } = await scene()
      await cutOff(alice, bob, carol)
      alice.link = lostFrames('handover')
      const id = await alice.pay(bob, 10)
      inState(alice.payment(id), 'handing_over')
      const copy = alice.copy()

      alice.link = goodLink
      await reconnect(alice)
      await alice.run(() => alice.engine.reclaim(id, true))
      await world.rest(hourMs)
      inState(alice.payment(id), 'reclaimed')
      await cutOff(alice)
      await alice.pay(carol, 12)

      alice.reopen(undefined, copy)
      inState(alice.payment(id), 'handing_over')
      await world.rest(hourMs)
      expect(alice.payment(id).lastError).toMatch(/may be a copy/)
      expect(bob.store.read.operations({ kind: 'receive', states: ['signed', 'final'] })).toEqual([])
      await reconnect(alice, bob, carol)
      await world.rest(2 * hourMs)
      inState(alice.payment(id), 'bounced')
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest()
      expect([alice.totals().spendable, bob.totals().spendable, carol.totals().spendable]).toEqual([20, 0, 12])
      expectNobodyFramed(bob, carol)
    },
    patience,
  )

  test(
    'on a computer whose clock is behind: what it had begun waits for the mint all the same',
    async () => {
      const { world, alice, bob, carol } = await scene()
      await cutOff(alice, bob, carol)
      alice.link = lostFrames('handover')
      const id = await alice.pay(bob, 10)
      const copy = alice.copy()
      alice.link = goodLink
      await reconnect(alice)
      await alice.run(() => alice.engine.reclaim(id, true))
      await world.rest(hourMs)
      inState(alice.payment(id), 'reclaimed')
      await cutOff(alice)
      await alice.pay(carol, 12)

      world.clock.move(-5 * hourMs)
      alice.reopen(undefined, copy)
      inState(alice.payment(id), 'handing_over')
      await alice.look()
      await world.rest(hourMs)
      expect(alice.payment(id).lastError).toMatch(/may be a copy/)
      expect(bob.store.read.operations({ kind: 'receive', states: ['signed', 'final'] })).toEqual([])
      world.isCookingBooks = true
      world.forget(alice, bob, carol) // before the clock comes to where it was
    },
    patience,
  )

  test(
    'rests what comes to it of operations that it had begun',
    async () => {
      const { world, alice, bob } = await scene()
      await bob.withdraw(64)
      const cashOut = await alice.prepareCashOut(20)
      alice.mint = always(['swap'], lostRequest)
      await alice.run(() => alice.engine.confirmCashOut(cashOut.id))
      const terms = await bob.prepare(alice, 13)
      const copy = alice.copy()
      await alice.withdraw(1)

      alice.reopen(undefined, copy)
      alice.mint = honest
      inState(alice.melt(cashOut.id), 'gathering')
      // Bob settles the payment with the mint first; Alice finds it by the Terms that her file knows.
      alice.isListening = false
      await bob.run(() => bob.engine.confirmPay(terms.id))
      world.clock.move(dayMs)
      await world.rest(hourMs)
      inState(alice.melt(cashOut.id), 'failed')
      inState(alice.incoming(), 'final')
      expect(alice.totals()).toMatchObject({ spendable: 0, reserved: 0, handed_over: 0 })
      expect(alice.totals().quarantined).toBe(32 + 13 + 1)
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest()
      expect(alice.totals()).toMatchObject({ spendable: 46, quarantined: 0 })
    },
    patience,
  )

  test('that was made of a wallet that did nothing since is no copy', async () => {
    const { alice } = await scene()
    const copy = alice.copy()
    alice.reopen(undefined, copy)
    expect(copiesOf(alice.store.read).cause).toBe(null)
    expect(alice.totals().spendable).toBe(32)
  })
})

describe('two computers', () => {
  /** A wallet with 32, and one of its words on a laptop: by a copy of its folder, or by the phrase alone. */
  async function onTwo(by: 'copy' | 'phrase') {
    const world = await openWorld()
    const alice = await world.wallet('alice', { memory: computer(), config: watching })
    const bob = await world.wallet('bob')
    const carol = await world.wallet('carol')
    await alice.withdraw(32)
    const second = await world.wallet('alice on the laptop', {
      phrase: 'alice',
      ...(by === 'copy' ? { copy: alice.copy() } : {}),
      memory: computer(),
      config: watching,
    })
    return { world, alice, bob, carol, second }
  }

  test(
    'with one copied folder: the copy pays nobody before it went online and a person has spoken',
    async () => {
      const { world, alice, bob, carol, second } = await onTwo('copy')
      expect(viewOf(world, second)).toMatchObject({ cause: 'moved', resting: { amounts: [{ amount: 32, coins: 1 }] } })
      expect(generationOf(second)).toBeGreaterThan(generationOf(alice))

      await cutOff(alice, second, bob, carol)
      await alice.pay(bob, 10)
      await expect(second.pay(carol, 10)).rejects.toMatchObject({ code: 'not_enough' })
      await reconnect(alice, second, bob, carol)
      await world.rest(2 * hourMs)
      expect([bob.totals().spendable, alice.totals().spendable, second.totals().spendable]).toEqual([10, 22, 0])

      // A person takes the laptop for the wallet from now on; the other one hears of it by its coins.
      await second.run(() => second.engine.noOpenPayments())
      await world.rest(2 * hourMs)
      expect(second.totals()).toMatchObject({ spendable: 22, quarantined: 0 })
      expect(copiesOf(alice.store.read).cause).toBe(null)
      await alice.pay(carol, 5).catch(() => undefined)
      await world.rest(2 * hourMs)
      expect(carol.totals().spendable).toBe(0)
      expect(viewOf(world, alice)).toMatchObject({ cause: 'twin', resting: { isReleased: false } })
      await expect(alice.pay(carol, 5)).rejects.toMatchObject({ code: 'not_enough' })
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest(2 * hourMs)
      // One time in sixteen both have drawn the same generation: then it rests once more.
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest(2 * hourMs)
      expect([second.worth(), bob.worth(), carol.worth()]).toEqual([22, 10, 0])
      // The person has said it of the first one last: it has searched, and has what the other one believes to have.
      expect(alice.totals()).toMatchObject({ spendable: 22, quarantined: 0 })
      await expectTaken(second)
      world.isCookingBooks = true // until the other one looks, the same money is in two books
      expectNobodyFramed(bob, carol)
    },
    patience,
  )

  test(
    'with the phrase on both: what the second one finds rests, whatever the first one does',
    async () => {
      const { world, alice, bob, carol, second } = await onTwo('phrase')
      await world.rest(0)
      expect(viewOf(world, second)).toMatchObject({ cause: 'phrase', resting: { amounts: [{ amount: 32 }] } })
      await cutOff(alice, second, bob, carol)
      await alice.pay(bob, 10)
      await expect(second.pay(carol, 10)).rejects.toMatchObject({ code: 'not_enough' })
      await reconnect(alice, second, bob, carol)
      await world.rest(2 * hourMs)
      // Both are in use, in generations of their own: what the second one is paid it pays with.
      await bob.pay(second, 3)
      await world.rest(2 * hourMs)
      expect([alice.totals().spendable, second.totals().spendable]).toEqual([22, 3])
      expect(copiesOf(alice.store.read).cause).toBe(null)
      await cutOff(alice, second, bob, carol)
      await alice.pay(carol, 22)
      await second.pay(bob, 3)
      await reconnect(alice, second, bob, carol)
      await world.rest(2 * hourMs)
      expect([alice.totals().spendable, second.totals().spendable]).toEqual([0, 0])
      expect([bob.totals().spendable, carol.totals().spendable]).toEqual([10, 22])
      expectNobodyFramed(bob, carol)
      // What rested on the laptop is gone by now, and it ends so.
      await second.run(() => second.engine.noOpenPayments())
      await world.rest(2 * hourMs)
      expect([alice.worth(), second.worth()]).toEqual([0, 0])
    },
    patience,
  )

  test(
    'with the phrase on both: after 31 days the second one takes home what has rested, and nothing that it finds that day',
    async () => {
      const { world, alice, bob, second } = await onTwo('phrase')
      await world.rest(0)
      expect(second.totals().quarantined).toBe(32)
      // The laptop is shut; the other one is in use.
      second.kill()
      world.clock.move(28 * dayMs)
      await alice.withdraw(16)
      world.clock.move(2 * dayMs)
      await cutOff(alice, bob)
      const id = await alice.pay(bob, 16)
      inState(alice.payment(id), 'signed')
      expect(alice.store.read.coinsOf(id).map(({ amount }) => amount)).toEqual([16])
      world.clock.move(dayMs + hourMs)
      second.reopen()
      for (let looks = 0; looks < 12; looks++) {
        await second.look()
        for (let rounds = 0; rounds < 8; rounds++) await second.engine.runner.runDue()
        world.clock.move(minuteMs)
      }
      expect(second.totals()).toMatchObject({ spendable: 32, quarantined: 16 })
      expect(viewOf(world, second)).toMatchObject({ cause: 'phrase', resting: { isReleased: false } })
      await reconnect(bob, alice)
      await world.rest(4 * hourMs)
      expect([bob.incoming().state, alice.payment(id).state]).toEqual(['final', 'final'])
      world.isCookingBooks = true // what has rested is in two books
    },
    patience,
  )

  test(
    'or more: what was begun before the third one was noticed is handed over when the mint has said that its coins are there',
    async () => {
      const world = await openWorld()
      const memory = computer()
      const first = await world.wallet('alice', { memory })
      const bob = await world.wallet('bob')
      await first.withdraw(32)
      const second = await world.wallet('alice in a second folder', { phrase: 'alice', memory })
      await world.rest(0)
      await second.withdraw(16)
      world.clock.move(dayMs)
      await cutOff(second, bob)
      second.link = lostFrames('handover')
      const id = await second.pay(bob, 16)
      inState(second.payment(id), 'handing_over')
      const { noticedAt } = copiesOf(second.store.read)
      await world.wallet('alice in a third folder', { phrase: 'alice', memory, knowsMint: false })
      second.reopen()
      second.link = goodLink
      // It was resting already, since the first one was noticed.
      expect(copiesOf(second.store.read)).toMatchObject({ cause: 'phrase', noticedAt })
      await second.look()
      await world.rest(hourMs)
      expect(second.payment(id).lastError).toMatch(/may be a copy/)
      expect(bob.store.read.operations({ kind: 'receive', states: ['signed', 'final'] })).toEqual([])
      await reconnect(second, bob)
      await world.rest(2 * hourMs)
      expect([second.payment(id).state, bob.incoming().state]).toEqual(['final', 'final'])
      world.isCookingBooks = true // the first one's coins are in two books
    },
    patience,
  )

  /** A whole computer is copied, with what it remembers: nothing tells the two apart until the mint does. */
  const cloned = async (world: World, config = {}) => {
    const memory = computer()
    const alice = await world.wallet('alice', { memory, config })
    await alice.withdraw(32)
    alice.reopen()
    const other = computer()
    cpSync(memory, other, { recursive: true })
    const clone = () => world.wallet('alice cloned', { phrase: 'alice', copy: alice.copy(), memory: other, config })
    return { alice, clone }
  }

  test(
    'that are one cloned twice: the mint tells before anything else is done online',
    async () => {
      const world = await openWorld()
      const { alice, clone: start } = await cloned(world, watching)
      const clone = await start()
      expect(copiesOf(clone.store.read).cause).toBe(null)
      await alice.withdraw(8)
      const calls: string[] = []
      clone.fate = (port) => {
        calls.push(port)
        return 'live'
      }
      clone.engine.withdraw(0, 'sat', 4)
      await world.rest(0)
      expect(
        calls.filter((port) => !['mint info', 'mint keysets', 'mint keys', 'transaction', 'wait'].includes(port))[0],
      ).toBe('mint restore')
      expect(viewOf(world, clone)).toMatchObject({ cause: 'twin', searches: [] })
      expect(clone.totals().quarantined).toBe(32)
      expect(generationOf(clone)).toBeGreaterThan(0)
      await world.rest(hourMs)
      expect(clone.totals()).toMatchObject({ spendable: 4, quarantined: 32 })
      expect(alice.totals().spendable).toBe(40)
      world.isCookingBooks = true // the same coins are in two books
    },
    patience,
  )

  test(
    'that are one cloned twice: an hour later at the latest',
    async () => {
      const world = await openWorld()
      const { alice, clone: start } = await cloned(world, watching)
      const clone = await start()
      await clone.look()
      expect(copiesOf(clone.store.read).cause).toBe(null)
      await alice.withdraw(8)
      world.clock.move(hourMs - minuteMs)
      await clone.look()
      expect(copiesOf(clone.store.read).cause).toBe(null)
      world.clock.move(minuteMs)
      await clone.look()
      expect(copiesOf(clone.store.read).cause).toBe('twin')
      world.isCookingBooks = true
    },
    patience,
  )

  test.each([8, 5])(
    'a withdraw of %d whose outputs the other one had signed is planned anew, and gets its coins',
    async (amount) => {
      const world = await openWorld()
      const { alice, clone: start } = await cloned(world)
      const clone = await start()
      await alice.withdraw(8)
      const withdraw = await clone.withdraw(amount)
      inState(withdraw, 'issuing')
      await world.rest(hourMs)
      expect(clone.store.read.operation(withdraw.id)?.state).toBe('done')
      // The coin of 8 that the mint signed for the other one is ours, too: it rests with what was there before.
      expect(clone.totals()).toMatchObject({ spendable: amount, quarantined: 32 + 8 })
      expect(viewOf(world, clone).cause).toBe('twin')
      expect(alice.totals().spendable).toBe(40)
      world.isCookingBooks = true // the same coins are in two books
    },
    patience,
  )

  test(
    'a swap of which the other one has spent a coin leaves the others: they come home by another',
    async () => {
      const world = await openWorld()
      const memory = computer()
      const config = { coinsOfEach: 2, refreshDelayMs: [minuteMs, minuteMs] as const }
      const alice = await world.wallet('alice', { memory, config })
      const bob = await world.wallet('bob')
      await alice.withdraw(30)
      await alice.withdraw(3)
      const other = computer()
      cpSync(memory, other, { recursive: true })
      const clone = await world.wallet('alice cloned', { phrase: 'alice', copy: alice.copy(), memory: other })
      await clone.pay(bob, 8)
      await world.rest(0)
      world.forget(clone)
      await world.pass(2 * hourMs)
      expect(alice.refreshes().map(({ state }) => state)).toContain('lost')
      expect(alice.totals()).toMatchObject({ spendable: 25, quarantined: 0 })
    },
    patience,
  )
})

describe('a whole computer, set back to an earlier day', () => {
  /** Folder and memory as they were: nothing here knows that there was a later day. */
  async function setBack(world: World) {
    const [memory, saved] = [computer(), computer()]
    const alice = await world.wallet('alice', { memory, config: watching })
    const bob = await world.wallet('bob')
    const carol = await world.wallet('carol')
    await alice.withdraw(32)
    await bob.withdraw(64)
    await carol.withdraw(64)
    alice.reopen(watching)
    const copy = alice.copy()
    cpSync(memory, saved, { recursive: true })
    const back = () => {
      alice.kill()
      rmSync(memory, { recursive: true })
      cpSync(saved, memory, { recursive: true })
      alice.reopen(watching, copy)
    }
    return { alice, bob, carol, back }
  }

  test(
    'finds what came since, when a person says that no payment is open',
    async () => {
      const world = await openWorld()
      const { alice, bob, back } = await setBack(world)
      await alice.pay(bob, 10)
      await bob.pay(alice, 40)
      await world.rest(hourMs)
      expect(alice.totals().spendable).toBe(62)
      back()
      world.isCookingBooks = true // what was withdrawn is in the books of the later day only
      await alice.look()
      expect(viewOf(world, alice).cause).toBe('twin')
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest(0)
      for (let hours = 0; hours < 6; hours++) {
        await alice.look()
        await world.rest(hourMs)
      }
      expect(alice.totals()).toMatchObject({ spendable: 62, quarantined: 0 })
    },
    patience,
  )

  test(
    'takes no payment of the later day for one of today: it is signed anew, and paid',
    async () => {
      const world = await openWorld()
      const { alice, bob, carol, back } = await setBack(world)
      for (let payments = 0; payments < 3; payments++) await bob.pay(alice, 10)
      await world.rest(hourMs)
      back()
      world.isCookingBooks = true
      await cutOff(alice, carol)
      const id = await carol.pay(alice, 10)
      inState(alice.incoming(), 'signed')
      await reconnect(alice)
      await alice.run(() => alice.engine.runner.runDue())
      expect(alice.incoming().state).toBe('signed')
      await reconnect(carol)
      await world.rest(3 * hourMs)
      inState(carol.payment(id), 'replaced')
      const paid = (wallet: TestWallet, kind: 'pay' | 'receive') =>
        wallet.store.read.operations({ kind, states: ['final'] }).length
      expect([paid(carol, 'pay'), paid(alice, 'receive')]).toEqual([1, 1])
      expect(carol.totals()).toMatchObject({ spendable: 54, handed_over: 0 })
      expectNobodyFramed(alice)
    },
    patience,
  )
})

describe('what rests', () => {
  test(
    'and is held up at the mint holds up nothing else when it comes home',
    async () => {
      const world = await openWorld()
      const first = await world.wallet('alice')
      for (const amount of [64, 10, 20]) await first.withdraw(amount)
      const [big] = first.store.read.coins(0, 'sat', 'spendable').filter(({ amount }) => amount === 64)
      world.forget(first)
      const alice = await world.wallet('alice', { phrase: 'alice' })
      await world.rest(0)
      const held: MintDouble = (real) => ({
        ...real,
        checkState: async (Ys, signal) => {
          const answer = await real.checkState(Ys, signal)
          const stateOf = (Y: string | undefined) => (Y === big?.Y ? ('PENDING' as const) : ('UNSPENT' as const))
          return answer.kind === 'ok' ? { kind: 'ok', value: Ys.map(stateOf) } : answer
        },
      })
      alice.mint = held
      await alice.run(() => alice.engine.noOpenPayments())
      await world.rest(hourMs)
      for (let looks = 0; looks < 4; looks++) {
        await alice.look()
        await alice.engine.runner.runDue()
      }
      expect(alice.totals()).toMatchObject({ spendable: 30, quarantined: 64 })
      alice.mint = honest
    },
    patience,
  )

  test(
    'because one mint tells of another life again and again rests at that mint only, and it is asked less often',
    async () => {
      const world = await openWorld()
      const liar = await openMint({ clock: world.clock })
      const alice = await world.wallet('alice', { config: watching })
      const bob = await world.wallet('bob')
      await alice.engine.mints.add(liar.url())
      await alice.withdraw(32)
      world.isCookingBooks = true // the liar's signatures are for nothing
      const resting = () => [0, 1].map((account) => alice.store.read.totals(account, 'sat').quarantined)
      const lie = async (): Promise<void> => {
        const B_ = alice.blinded({ generation: generationOf(alice), account: 1, purse: 0, coin: 0 })
        const { quote } = await liar.paidQuote(1, 'sat')
        const outputs = [{ amount: 1, id: await liar.keysetId('sat'), B_ }]
        signaturesIn(await liar.post('/v1/mint/bolt11', { quote, outputs }))
      }
      const isBelievedAnHourLater = async (): Promise<boolean> => {
        const before = generationOf(alice)
        world.clock.move(hourMs + minuteMs)
        await alice.look()
        return generationOf(alice) > before
      }
      await lie()
      expect(await isBelievedAnHourLater()).toBe(true)
      expect(resting()).toEqual([32, 0])
      await alice.run(() => alice.engine.noOpenPayments())
      for (let rounds = 0; rounds < 6 && alice.store.read.totals(0, 'sat').spendable < 32; rounds++) {
        await alice.engine.runner.runDue()
        await alice.look()
      }
      expect(alice.store.read.totals(0, 'sat').spendable).toBe(32)
      // An hour later it is left alone; after two it is asked, and only its own coins would rest.
      await lie()
      const believed: boolean[] = []
      for (let hours = 0; hours < 3 && !believed.includes(true); hours++) believed.push(await isBelievedAnHourLater())
      expect(believed.length).toBeGreaterThan(1)
      expect(believed).toContain(true)
      expect(alice.store.read.totals(0, 'sat')).toMatchObject({ spendable: 32, quarantined: 0 })
      // What is spendable there is nobody else's, and is paid with without a word of the mint.
      await cutOff(alice, bob)
      inState(alice.payment(await alice.pay(bob, 5)), 'signed')
      world.forget(alice, bob) // in the middle of its searches
    },
    patience,
  )
})

describe('before the keyset of purse 0 ends', () => {
  /** A mint that tells nothing of this keyset any more. */
  const silentAbout =
    (old: string | undefined): MintDouble =>
    (real) => ({
      ...real,
      restore: async (outputs, signal) => {
        const answer = await real.restore(outputs, signal)
        return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.filter(({ id }) => id !== old) } : answer
      },
    })

  test(
    'the generation moves on, and a mint that tells nothing of an ended keyset still shows everything',
    async () => {
      const ends = Date.UTC(2026, 11, 24) / 1000
      const world = await openWorld({ finalExpiry: ends })
      const refreshing = { refreshDelayMs: [minuteMs, minuteMs] as const }
      const alice = await world.wallet('alice', { config: refreshing })
      await alice.withdraw(20)
      const old = alice.store.read.keysets(0)[0]?.id
      await world.pass(hourMs)
      expect(generationOf(alice)).toBe(0)
      world.clock.move(ends * 1000 - 30 * dayMs - world.clock.now() + minuteMs)
      await world.pass(hourMs)
      // Nothing lasts longer: nothing would be gained.
      expect(generationOf(alice)).toBe(0)
      world.mint.rotate()
      await world.pass(hourMs)
      const generation = generationOf(alice)
      expect(generation).toBeGreaterThan(0)
      expect(alice.totals()).toMatchObject({ spendable: 20, quarantined: 0 })
      expect(viewOf(world, alice)).toMatchObject({ cause: null, searches: [] })
      const purses = alice.store.read.coins(0, 'sat', 'spendable').map(({ path }) => [path.generation, path.purse])
      expect(purses[0]).toEqual([generation, 0])
      await world.pass(hourMs)
      expect(generationOf(alice)).toBe(generation)

      world.clock.move(60 * dayMs)
      world.forget(alice)
      const again = await world.wallet('alice', { phrase: 'alice', knowsMint: false })
      again.mint = silentAbout(old)
      await again.engine.mints.add(world.mint.url())
      await world.rest(0)
      expect(again.totals().quarantined).toBe(20)
    },
    patience,
  )

  test.each([
    ['and nothing else comes', 0],
    ['and more is withdrawn', 34],
  ])(
    'a purse that is seen by it takes no coins of the next one: when the mint rotates in good time, %s',
    async (_, later) => {
      const ends = Date.UTC(2026, 11, 24) / 1000
      const world = await openWorld({ finalExpiry: ends })
      const alice = await world.wallet('alice', { config: { refreshDelayMs: [minuteMs, minuteMs] } })
      await alice.withdraw(20)
      await alice.withdraw(10)
      await world.pass(hourMs)
      const old = alice.store.read.keysets(0)[0]?.id
      world.mint.rotate()
      await alice.look()
      if (later > 0) await alice.withdraw(later)
      await world.pass(3 * hourMs)
      const money = 30 + later
      expect(alice.totals()).toMatchObject({ spendable: money, quarantined: 0 })
      for (const { purseId } of alice.store.read.coins(0, 'sat', 'spendable')) {
        const [first] = alice.store.read.coinsIn(purseId)
        expect(first?.path.coin).toBe(0)
        expect(first?.keysetId).not.toBe(old)
      }
      expect(generationOf(alice)).toBe(0)
      world.clock.move(ends * 1000 - 30 * dayMs - world.clock.now() + minuteMs)
      await world.pass(2 * hourMs)
      const generation = generationOf(alice)
      expect(generation).toBeGreaterThan(0)
      expect(alice.store.read.purseAt({ generation, account: 0, purse: 0 }, 0)).toBeDefined()

      world.clock.move(60 * dayMs)
      world.forget(alice)
      const again = await world.wallet('alice', { phrase: 'alice', knowsMint: false })
      again.mint = silentAbout(old)
      await again.engine.mints.add(world.mint.url())
      await world.rest(0)
      expect(again.totals().quarantined).toBe(money)
    },
    patience,
  )

  test(
    'coins that lie in such a purse leave it, however long they last themselves and whatever it costs',
    async () => {
      const world = await openWorld({ finalExpiry: Date.UTC(2026, 11, 24) / 1000, feePpk: 100 })
      world.isCookingBooks = true // the file is made to look as one of an earlier version does
      const config = { refreshDelayMs: [minuteMs, minuteMs] as const }
      const alice = await world.wallet('alice')
      const old = alice.store.read.keysets(0)[0]?.id ?? ''
      world.mint.rotate()
      await alice.look()
      await alice.withdraw(15)
      await world.pass(hourMs)
      const [{ purseId = 0 } = {}] = alice.store.read.coins(0, 'sat', 'spendable')
      const copy = alice.copy()
      const db = new DatabaseSync(copy)
      db.prepare("UPDATE coin SET state = 'spent', keyset_id = ? WHERE purse_id = ? AND coin = 0").run(old, purseId)
      db.close()
      alice.reopen(config, copy)
      expect(alice.store.read.coins(0, 'sat', 'spendable')).toHaveLength(3)
      await world.pass(hourMs)
      const left = alice.store.read.coins(0, 'sat', 'spendable')
      expect(left.length).toBeGreaterThan(0)
      expect(left.filter((coin) => coin.purseId === purseId)).toEqual([])
      // Once: they are seen as long as they last now.
      await world.pass(hourMs)
      expect(alice.refreshes()).toHaveLength(1)
    },
    patience,
  )

  test(
    'it stays where it is while only coins of another unit would last',
    async () => {
      const world = await openWorld({ finalExpiry: Date.UTC(2026, 10, 1) / 1000 + 25 * 24 * 3600, feePpk: 100 })
      await world.mint.restart({ unit: 'eur', finalExpiry: Date.UTC(2036, 0, 1) / 1000 })
      const alice = await world.wallet('alice', { config: { refreshDelayMs: [minuteMs, 10 * minuteMs] } })
      await alice.withdraw(200)
      for (let minutes = 0; minutes < 60; minutes++) {
        world.clock.move(minuteMs)
        await alice.look()
        await alice.engine.runner.runDue()
      }
      expect(generationOf(alice)).toBe(0)
      // Re-keyed once: 200 less that fee.
      expect(alice.fees()).toBeLessThan(4)
    },
    patience,
  )
})

// ---- the memory itself

describe('what a computer remembers', () => {
  let folder = ''
  let told: string[] = []
  let bytes = 0
  beforeEach(() => {
    folder = computer()
    told = []
  })
  const memoryAt = (path: string) => openGenerationMemory(path, 'f00d', ({ message }) => told.push(message))
  const remembered = () => JSON.parse(readFileSync(join(folder, 'state', 'f00d.json'), 'utf8'))
  const clock = { now: () => Date.UTC(2026, 10, 1), wait: () => Promise.resolve() }
  const random = { bytes: (length: number) => new Uint8Array(length).fill(++bytes) }

  /** Open a folder, with or without a crash at some point, and say what it is taken for. */
  const open = (name: string, { state = 'state', isOldPhrase = false, writes = Number.POSITIVE_INFINITY } = {}) => {
    mkdirSync(join(folder, name), { recursive: true })
    const opened = openWalletStore(join(folder, name, 'wallet.db'))
    let left = writes
    const counted = <T>(work: () => T): T => {
      if (left-- <= 0) throw new Error('dead')
      return work()
    }
    const memory = memoryAt(join(folder, state))
    const before = opened.read.meta('seed/generation') ?? 0
    try {
      const life = takeUpLife({
        store: { ...opened, transaction: (work) => counted(() => opened.transaction(work)) },
        memory: {
          ...memory,
          claim: (generation) => counted(() => memory.claim(generation)),
          put: (id, entry) => counted(() => memory.put(id, entry)),
        },
        isOldPhrase,
        clock,
        random,
      })
      const copies = copiesOf(opened.read)
      return {
        cause: opened.read.meta('seed/generation') === before ? null : copies.cause,
        round: copies.round,
        generation: Number(opened.read.meta('seed/generation')),
        withdraw: () =>
          opened.transaction((write) =>
            write.insertMint({
              url: `http://m${++bytes}`,
              name: null,
              version: null,
              offlineCapable: true,
              lastReachedAt: null,
              alarm: null,
            }),
          ),
        takePurse: () =>
          opened.transaction((write) =>
            write.takePurse({ generation: 0, account: 0, unit: 'sat' }, 'receive', 'offered'),
          ),
        /** As an engine does that has something to receive: in the present generation. */
        use: () =>
          claimingGenerations({ store: opened, memory, clock, random }).transaction((write) => {
            const generation = Number(opened.read.meta('seed/generation'))
            return write.takePurse({ generation, account: 0, unit: 'sat' }, 'receive', 'offered').generation
          }),
        close: () => {
          life.end()
          opened.close()
        },
        crash: () => opened.close(),
      }
    } catch (error) {
      opened.close()
      throw error
    }
  }
  const causeOf = (name: string, options: Parameters<typeof open>[1] = {}) => {
    const life = open(name, options)
    life.close()
    return life.cause
  }

  test('lies where the system keeps such things, outside of every data folder', () => {
    const at = (platform: NodeJS.Platform, env: Record<string, string>, home: string) =>
      memoryFolder({ platform, env, home })
    expect(at('linux', {}, '/home/ada')).toBe('/home/ada/.local/state/farthing')
    expect(at('linux', { XDG_STATE_HOME: '/state' }, '/home/ada')).toBe('/state/farthing')
    expect(at('linux', { XDG_STATE_HOME: 'not/absolute' }, '/home/ada')).toBe('/home/ada/.local/state/farthing')
    expect(at('darwin', {}, '/Users/ada')).toBe('/Users/ada/Library/Application Support/Farthing lives')
    expect(at('linux', { FARTHING_STATE: '/elsewhere' }, '/home/ada')).toBe('/elsewhere')
  })

  test('is for nobody else to read, and holds numbers and ids only', () => {
    causeOf('wallet')
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'state', 'f00d.json')).mode & 0o777).toBe(0o600)
    const { folders, ...rest } = remembered()
    expect(rest).toEqual({ version: 1, highest: -1 })
    expect(Object.values(folders)).toMatchObject([{ starts: 1, next: null, knows: [], changes: 0 }])
    expect(readdirSync(join(folder, 'state'))).toEqual(['f00d.json'])
  })

  test('an ordinary start, a crash, and another start are nothing new', () => {
    expect(causeOf('wallet')).toBe(null)
    open('wallet').crash()
    const life = open('wallet')
    life.withdraw()
    life.takePurse()
    life.crash()
    expect([causeOf('wallet'), causeOf('wallet')]).toEqual([null, null])
    expect(Object.values(remembered().folders)).toMatchObject([{ starts: 5, changes: 1 }])
  })

  test('a crash at any write of a start is nothing new', () => {
    for (let writes = 0; writes < 8; writes++) {
      const name = `wallet ${writes}`
      rmSync(join(folder, 'state'), { recursive: true, force: true })
      expect(() => open(name, { writes }).crash()).toSatisfy((start: () => void) => {
        try {
          start()
        } catch (error) {
          return (error as Error).message === 'dead'
        }
        return true
      })
      expect([name, causeOf(name), causeOf(name)]).toEqual([name, null, null])
    }
    for (let writes = 0; writes < 4; writes++) {
      try {
        open('wallet 7', { writes }).crash()
      } catch {}
      expect([writes, causeOf('wallet 7')]).toEqual([writes, null])
    }
  })

  test('an older state of the folder is an old copy, also of the same run; then it is a folder of its own', () => {
    const life = open('wallet')
    life.withdraw()
    cpSync(join(folder, 'wallet'), join(folder, 'copy of this run'), { recursive: true })
    life.takePurse()
    life.close()
    cpSync(join(folder, 'wallet'), join(folder, 'copy'), { recursive: true })
    expect(causeOf('copy of this run')).toBe('old_copy')
    expect(causeOf('copy of this run')).toBe(null)
    // The other one is told of it, once.
    expect([causeOf('wallet'), causeOf('wallet'), causeOf('wallet')]).toEqual(['twin', null, null])
    expect([causeOf('copy of this run'), causeOf('wallet')]).toEqual([null, null])
    expect(causeOf('copy')).toBe('moved')
  })

  test('a folder that comes from another computer was moved, there and back', () => {
    causeOf('wallet')
    expect([causeOf('wallet', { state: 'elsewhere' }), causeOf('wallet', { state: 'elsewhere' })]).toEqual([
      'moved',
      null,
    ])
    expect([causeOf('wallet'), causeOf('wallet')]).toEqual(['moved', null])
  })

  test('a second folder with the phrase is news for the first one, once, and begins behind all generations', () => {
    causeOf('first')
    const second = open('second', { isOldPhrase: true })
    expect(second).toMatchObject({ cause: 'phrase', round: 1 })
    expect(second.generation).toBeGreaterThan(0)
    second.withdraw()
    second.use()
    second.close()
    const told = open('first')
    expect(told).toMatchObject({ cause: 'twin', round: 0 })
    expect(told.generation).toBeGreaterThan(second.generation)
    told.close()
    expect([causeOf('second'), causeOf('first'), causeOf('second')]).toEqual([null, null, null])
  })

  test('no generation is used twice, however often the database is lost', () => {
    const used: number[] = [-1]
    for (let loss = 0; loss < 40; loss++) {
      const life = open(`wallet ${loss}`, { isOldPhrase: loss > 0 })
      life.withdraw()
      const generation = life.use()
      life.close()
      const step = generation - Math.max(...used)
      expect(step).toBeGreaterThan(0)
      expect(step).toBeLessThanOrEqual(16)
      used.push(generation)
    }
    expect(remembered().highest).toBe(Math.max(...used))
    // Those that nobody opened for long are forgotten; the numbers are not.
    expect(Object.keys(remembered().folders)).toHaveLength(16)
  })

  test('a generation in which nothing was begun is none that a later life has to go beyond', () => {
    open('wallet').close()
    for (let loss = 0; loss < 40; loss++) {
      const life = open(`wallet ${loss}`, { isOldPhrase: true })
      life.close()
      expect(life.generation).toBeGreaterThan(0)
      expect(life.generation).toBeLessThanOrEqual(16)
    }
    expect(remembered().highest).toBe(-1)
  })

  test('a memory that cannot be read or written stops nobody: it is told once, and no harm is seen', () => {
    causeOf('wallet')
    writeFileSync(join(folder, 'state', 'f00d.json'), 'half a f')
    expect(causeOf('wallet')).toBe(null)
    expect(told).toEqual(['this computer cannot remember which folders it opened'])
    expect(readFileSync(join(folder, 'state', 'f00d.json'), 'utf8')).toBe('half a f')
    writeFileSync(join(folder, 'a file'), '')
    expect(causeOf('other wallet', { state: 'a file/state' })).toBe(null)
    expect(causeOf('other wallet', { state: 'a file/state' })).toBe(null)
  })

  test('a home that is read-only stops nobody', ({ skip }) => {
    const isRoot = process.getuid?.() === 0
    if (isRoot) console.log('skipped: a home that is read-only stops nobody; root may write where nobody else may')
    skip(isRoot, 'root may write where nobody else may')
    mkdirSync(join(folder, 'sealed'))
    chmodSync(join(folder, 'sealed'), 0o500)
    expect(causeOf('wallet', { state: 'sealed/state' })).toBe(null)
    expect(causeOf('wallet', { state: 'sealed/state' })).toBe(null)
  })
})
