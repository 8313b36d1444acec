// Restore from the phrase against the real mint: everything that a wallet had and that was settled is found, rests, comes
// home, and is found again by the next life. The phrase is the same in every test, so that its outputs are computed once.

import { createHash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { describe, expect, test } from 'vitest'
import { restoreView } from '../electron/restore-view.ts'
import { createSecrets } from '../electron/wallet/secrets.ts'
import { pointToHex } from '../shared/cashu/bdhke.ts'
import type { BlindSignature } from '../shared/cashu/wire.ts'
import {
  always,
  away,
  chain,
  computer,
  cutOff,
  dayMs,
  expectConserved,
  first,
  honest,
  hourMs,
  lostAnswer,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  reconnect,
  refusal,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'
import { openMint, signaturesIn, type TestMint } from './mint-fixture.ts'

const patience = 300_000
const refreshing = { refreshDelayMs: [minuteMs, minuteMs] as const }

const aliceSeed = mnemonicToSeedSync(
  entropyToMnemonic(new Uint8Array(createHash('sha256').update('alice').digest().subarray(0, 16)), wordlist),
)
const alicesSecrets = createSecrets(aliceSeed, { bytes: (length) => new Uint8Array(length) })
/** A mint signs what it was asked about, for nothing. */
async function lie(mint: TestMint, ...places: readonly (readonly [number, number, number])[]): Promise<void> {
  for (const [generation, account, purse] of places) {
    const { quote } = await mint.paidQuote(1, 'sat')
    const id = await mint.keysetId('sat')
    const B_ = pointToHex(alicesSecrets.blindedMessage({ generation, account, purse, coin: 0 }))
    signaturesIn(await mint.post('/v1/mint/bolt11', { quote, outputs: [{ amount: 1, id, B_ }] }))
  }
}

/** The same phrase in an empty folder; the wallet that had it is gone. */
async function newLife(world: World, wallet: TestWallet, options: Parameters<World['wallet']>[1] = {}) {
  world.forget(wallet)
  return world.wallet('alice', { phrase: 'alice', ...options })
}

/** As above, and its search has come to its end. */
async function restored(
  world: World,
  wallet: TestWallet,
  options?: Parameters<World['wallet']>[1],
): Promise<TestWallet> {
  const again = await newLife(world, wallet, options)
  await world.rest(0)
  return again
}

const searches = ({ store }: TestWallet) =>
  store.read.operations({ kind: 'restore' }).flatMap((one) => (one.kind === 'restore' ? [one] : []))
const viewOf = (world: World, { store }: TestWallet) => restoreView({ store, clock: world.clock })
const generationOf = ({ store }: TestWallet) => Number(store.read.meta('seed/generation'))
const amountsOf = ({ store }: TestWallet, state: 'spendable' | 'quarantined', unit = 'sat') =>
  store.read
    .coins(0, unit, state)
    .map(({ amount }) => amount)
    .sort((a, b) => a - b)

/** A wallet with a past: several keysets, change, received payments, coins that were gathered. */
async function withPast(world: World): Promise<{ alice: TestWallet; bob: TestWallet }> {
  const alice = await world.wallet('alice', { config: { ...refreshing, coinsOfEach: 4 } })
  const bob = await world.wallet('bob')
  await alice.withdraw(100)
  await bob.withdraw(64)
  await alice.pay(bob, 13)
  await bob.pay(alice, 21)
  await world.pass(hourMs)
  world.mint.rotate()
  await alice.look()
  await alice.withdraw(50)
  await alice.pay(bob, 7)
  await world.rest()
  return { alice, bob }
}

describe('an empty folder with an old phrase', () => {
  test(
    'finds every settled coin of every keyset; none of them can be paid with',
    async () => {
      const world = await openWorld()
      const { alice, bob } = await withPast(world)
      const before = amountsOf(alice, 'spendable')
      const keysets = new Set(alice.store.read.coins(0, 'sat', 'spendable').map(({ keysetId }) => keysetId))
      expect(keysets.size).toBe(2)
      const again = await restored(world, alice)

      expect(amountsOf(again, 'quarantined')).toEqual(before)
      expect(generationOf(again)).toBeGreaterThan(0)
      const sum = before.reduce((all, amount) => all + amount, 0)
      const view = viewOf(world, again)
      expect(view).toMatchObject({ cause: 'phrase', resting: { isReleased: false } })
      expect(view.resting.amounts).toEqual([{ unit: 'sat', amount: sum, coins: before.length }])
      expect(view.resting.until).toBe((view.noticedAt ?? 0) + 31 * dayMs)
      expect(view.searches).toMatchObject([{ state: 'done', phase: 'done', progress: 1, expired: [], trouble: null }])
      expect(view.searches[0]?.found).toEqual(view.resting.amounts)

      expect(again.totals().spendable).toBe(0)
      expect(again.engine.payableAtOnce(0, 'sat')).toBe(0)
      await expect(again.pay(bob, 1)).rejects.toMatchObject({ code: 'not_enough' })
      await expect(again.cashOut(1)).rejects.toMatchObject({ code: 'not_enough' })
      again.reopen(refreshing)
      await world.rest(2 * hourMs)
      expect(again.refreshes()).toEqual([])
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  test(
    'brings them home when a person says that no payment is open, and the next life finds them there',
    async () => {
      const world = await openWorld()
      const { alice } = await withPast(world)
      const worth = alice.totals().spendable
      const second = await restored(world, alice)
      await second.run(() => second.engine.noOpenPayments())
      await world.rest()
      expect(second.totals()).toMatchObject({ spendable: worth, quarantined: 0 })
      // The first act of this life fills its purse 0: a restore sees by it that there was one.
      const [firstSwap] = second.refreshes().toReversed()
      expect(second.store.read.purse(firstSwap?.target ?? 0)).toMatchObject({
        generation: generationOf(second),
        purse: 0,
      })
      expect(second.refreshes().every(({ state, reason }) => state === 'done' && reason === 'restore')).toBe(true)

      const generation = generationOf(second)
      const third = await restored(world, second)
      expect(generationOf(third)).toBeGreaterThan(generation)
      expect(third.totals()).toMatchObject({ spendable: 0, quarantined: worth })
      await third.run(() => third.engine.noOpenPayments())
      await world.rest()
      expect(third.totals()).toMatchObject({ spendable: worth, quarantined: 0 })
      const bob = world.wallets.find(({ name }) => name === 'bob')
      if (bob) await third.pay(bob, 5)
      await world.rest()
      expect(third.totals().spendable).toBe(worth - 5)
    },
    patience,
  )

  test(
    'brings them home after thirty-one days by itself, also over a restart',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(21)
      const again = await restored(world, alice)
      world.clock.move(30 * dayMs)
      await world.rest(0)
      expect(again.totals().quarantined).toBe(21)
      again.reopen()
      world.clock.move(1 * dayMs + minuteMs)
      await world.rest(minuteMs)
      expect(again.totals()).toMatchObject({ spendable: 21, quarantined: 0 })
      expect(viewOf(world, again).resting).toEqual({ amounts: [], until: null, isReleased: true })
    },
    patience,
  )

  test.each([
    ['an hour later is covered by what a person has said: what is found there comes home', hourMs, 0],
    [
      'days later is not covered by what a person has said: what is found there rests until it is said again',
      5 * dayMs,
      9,
    ],
  ])(
    'a mint that is added %s',
    async (_, later, resting) => {
      const world = await openWorld()
      world.isCookingBooks = true // the fixture looks at one mint
      const other = await openMint({ clock: world.clock })
      try {
        const alice = await world.wallet('alice')
        await alice.engine.mints.add(other.url())
        await alice.withdraw(21)
        const id = alice.engine.withdraw(1, 'sat', 9)
        for (let steps = 0; steps < 4; steps++) await alice.engine.runner.runNow(id)
        const again = await restored(world, alice)
        await again.run(() => again.engine.noOpenPayments())
        await world.rest(0)
        expect(again.totals()).toMatchObject({ spendable: 21, quarantined: 0 })
        world.clock.move(later)
        await again.look()
        await world.rest(0)
        await again.engine.mints.add(other.url())
        await world.rest(0)
        await again.look()
        await world.rest(0)
        expect(again.store.read.totals(1, 'sat')).toMatchObject({ spendable: 9 - resting, quarantined: resting })
        expect(viewOf(world, again).resting).toMatchObject({ isReleased: resting === 0 })
        await again.run(() => again.engine.noOpenPayments())
        await world.rest(0)
        await again.look()
        await world.rest(0)
        expect(again.store.read.totals(1, 'sat')).toMatchObject({ spendable: 9, quarantined: 0 })
        world.forget(again)
      } finally {
        await other.close()
      }
    },
    patience,
  )

  test(
    'what a handover leaves that is settled while its coins rest is found as well',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      const bob = await world.wallet('bob')
      await alice.withdraw(32)
      await cutOff(alice, bob)
      await alice.pay(bob, 10)
      const again = await restored(world, alice)
      expect(again.totals().quarantined).toBe(32)
      await reconnect(bob)
      await world.rest()
      expect(bob.totals().spendable).toBe(10)
      // Alice remembers none of it, and says so in good faith.
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect(again.totals()).toMatchObject({ spendable: 22, quarantined: 0 })
      expect(again.refreshes().some(({ state }) => state === 'lost')).toBe(true)
    },
    patience,
  )

  test(
    'knows nothing, and nothing was there: it says so after a search',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice', { phrase: 'alice' })
      await world.rest(0)
      const view = viewOf(world, alice)
      expect(view.searches).toMatchObject([{ state: 'done', found: [], purses: 0, trouble: null }])
      expect(view.resting).toEqual({ amounts: [], until: null, isReleased: false })
    },
    patience,
  )
})

describe('wallets of every shape', () => {
  test(
    'after three thousand Terms that nobody answered, and one that was',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice', { config: refreshing })
      const bob = await world.wallet('bob')
      await bob.withdraw(64)
      const offer = (many: number) =>
        alice.store.transaction((write) => {
          for (let n = 0; n < many; n++)
            write.takePurse({ generation: 0, account: 0, unit: 'sat' }, 'receive', 'offered')
        })
      // As many as strangers can ask for in two days; what a Hello takes is a purse and its indices.
      offer(1500)
      await world.rest()
      offer(1500)
      await bob.pay(alice, 21)
      await world.pass(hourMs)
      await bob.pay(alice, 6)
      await world.rest()
      expect(alice.totals().spendable).toBe(27)
      const again = await restored(world, alice)
      expect(again.totals().quarantined).toBe(27)
    },
    patience,
  )

  test(
    'with three mints, whose accounts have other numbers in every life',
    async () => {
      const world = await openWorld()
      const mints = [world.mint, await openMint({ clock: world.clock }), await openMint({ clock: world.clock })]
      const urls = mints.map(({ url }) => url())
      const alice = await world.wallet('alice', { knowsMint: false })
      const withdrawAt = async (account: number, amount: number) => {
        const id = alice.engine.withdraw(account, 'sat', amount)
        for (let n = 0; n < 4; n++) await alice.engine.runner.runNow(id)
      }
      for (const [account, url] of urls.entries()) {
        await alice.engine.mints.add(url)
        await withdrawAt(account, 10 + account)
      }
      const add = async (wallet: TestWallet, order: readonly number[]) => {
        for (const index of order) await wallet.engine.mints.add(urls[index] ?? '')
      }
      const second = await newLife(world, alice, { knowsMint: false })
      await add(second, [2, 0, 1])
      await world.rest(0)
      const resting = (wallet: TestWallet) =>
        [0, 1, 2].map((account) => wallet.store.read.totals(account, 'sat').quarantined)
      expect(resting(second)).toEqual([12, 10, 11])
      await second.run(() => second.engine.noOpenPayments())
      await world.rest()
      expect([0, 1, 2].map((account) => second.store.read.totals(account, 'sat').spendable)).toEqual([12, 10, 11])

      const third = await newLife(world, second, { knowsMint: false })
      await add(third, [1, 2, 0])
      await world.rest(0)
      expect(resting(third)).toEqual([11, 12, 10])
      expect(viewOf(world, third).searches.map(({ mintUrl }) => mintUrl)).toEqual([urls[1], urls[2], urls[0]])
      world.isCookingBooks = true // of three mints the fixture looks at one
    },
    patience,
  )

  test(
    'with coins of an ended keyset: they are told, kept, and no money',
    async () => {
      const ends = Date.UTC(2026, 11, 24) / 1000
      const world = await openWorld({ finalExpiry: ends })
      const alice = await world.wallet('alice')
      await alice.withdraw(12)
      world.mint.rotate()
      await alice.look()
      await alice.withdraw(5)
      world.clock.move(60 * dayMs)
      const again = await restored(world, alice)
      const view = viewOf(world, again)
      expect(view.searches).toMatchObject([
        {
          found: [{ unit: 'sat', amount: 5, coins: 2 }],
          expired: [{ unit: 'sat', amount: 12, coins: 2 }],
          trouble: null,
        },
      ])
      expect(view.resting.amounts).toEqual([{ unit: 'sat', amount: 5, coins: 2 }])
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect(again.totals()).toMatchObject({ spendable: 5, quarantined: 12 })
      expect(viewOf(world, again).resting.amounts).toEqual([])
    },
    patience,
  )

  test(
    'with coins of a keyset that ends soon: they rest like all others until two days before, and come home then',
    async () => {
      const ends = Date.UTC(2026, 11, 24) / 1000
      const world = await openWorld({ finalExpiry: ends })
      const alice = await world.wallet('alice')
      await alice.withdraw(12)
      world.mint.rotate()
      const daysBefore = (days: number) => world.clock.move(ends * 1000 - days * dayMs - world.clock.now())
      daysBefore(20)
      const again = await restored(world, alice)
      for (const days of [10, 2.1]) {
        daysBefore(days)
        await world.rest(0)
        expect(again.totals()).toMatchObject({ spendable: 0, quarantined: 12 })
      }
      daysBefore(1.9)
      await world.rest(0)
      expect(again.totals()).toMatchObject({ spendable: 12, quarantined: 0 })
      expect(viewOf(world, again).resting).toMatchObject({ amounts: [], isReleased: false })
    },
    patience,
  )

  test(
    'with several units and a purse of hundreds of coins',
    async () => {
      const world = await openWorld()
      await world.mint.restart({ unit: 'eur' })
      const alice = await world.wallet('alice', { config: { ...refreshing, coinsOfEach: 12 } })
      await alice.withdraw(70, 'eur')
      for (let n = 0; n < 5; n++) {
        await alice.withdraw(400)
        await world.pass(hourMs)
      }
      const before = { sat: amountsOf(alice, 'spendable'), eur: amountsOf(alice, 'spendable', 'eur') }
      const crowd = Map.groupBy(alice.store.read.coins(0, 'sat', 'spendable'), ({ purseId }) => purseId)
      expect(Math.max(...[...crowd.values()].map((coins) => coins.length))).toBeGreaterThan(64)
      const again = await restored(world, alice)
      expect({ sat: amountsOf(again, 'quarantined'), eur: amountsOf(again, 'quarantined', 'eur') }).toEqual(before)
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect([again.totals('sat').spendable, again.totals('eur').spendable]).toEqual([2000, 70])
      expectConserved(world, 'eur')
    },
    patience,
  )

  test(
    'with dust: it stays, and is counted',
    async () => {
      const world = await openWorld({ feePpk: 1000 })
      const alice = await world.wallet('alice')
      await alice.withdraw(1)
      await alice.withdraw(64)
      const again = await restored(world, alice)
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect(again.totals()).toMatchObject({ spendable: 63, quarantined: 1 })
      expect(viewOf(world, again).resting).toMatchObject({ amounts: [{ amount: 1, coins: 1 }], isReleased: true })
    },
    patience,
  )
})

// ---- the same place at two mints

/** Every output that a wallet ever had signed: a search asks every mint about each of them. */
function outputsOf(wallet: TestWallet): readonly string[] {
  const db = new DatabaseSync(wallet.copy(), { readOnly: true })
  const rows = db.prepare('SELECT B_ FROM output').all()
  db.close()
  return rows.map(({ B_ }) => String(B_))
}

/** It signs what it was asked about, for nothing: the least coin that there is. */
async function signAll(liar: TestMint, outputs: readonly string[]): Promise<void> {
  const id = await liar.keysetId('sat')
  for (const B_ of outputs) {
    const { quote } = await liar.paidQuote(1, 'sat')
    signaturesIn(await liar.post('/v1/mint/bolt11', { quote, outputs: [{ amount: 1, id, B_ }] }))
  }
}

const at = ({ store }: TestWallet, account: number) => store.read.totals(account, 'sat')
const placesOf = ({ store }: TestWallet, account: number) =>
  store.read
    .coins(account, 'sat', 'quarantined')
    .map(({ path, Y }) => `${path.account}/${path.purse}/${path.coin} ${Y}`)
    .sort()

async function withdrawAt(wallet: TestWallet, account: number, amount: number): Promise<string> {
  const id = wallet.engine.withdraw(account, 'sat', amount)
  for (let n = 0; n < 4; n++) await wallet.run(() => wallet.engine.runner.runNow(id))
  return id
}

describe('a place of the derivation that two mints have signed', () => {
  describe.each(['first', 'last'])('when the one that lies is asked %s', (turn) => {
    test(
      'hides no coin of the other: each is found, counted and brought home at its own mint',
      async () => {
        const world = await openWorld()
        world.isCookingBooks = true // of two mints the fixture looks at one
        const liar = await openMint({ clock: world.clock })
        const alice = await world.wallet('alice')
        const bob = await world.wallet('bob')
        await alice.withdraw(32)
        await alice.pay(bob, 5)
        await world.rest()
        const worth = alice.totals().spendable
        const signed = outputsOf(alice)
        await signAll(liar, signed)
        const spent = alice.store.read.coins(0, 'sat', 'spent').length
        expect(spent).toBeGreaterThan(0)
        const lies = signed.length

        const again = await newLife(world, alice, { knowsMint: false })
        const [honestOne, other] = turn === 'first' ? [1, 0] : [0, 1]
        for (const url of turn === 'first' ? [liar.url(), world.mint.url()] : [world.mint.url(), liar.url()]) {
          await again.engine.mints.add(url)
          await world.rest(0)
        }
        expect(at(again, honestOne).quarantined).toBe(worth)
        expect(at(again, other).quarantined).toBe(lies)
        const { searches: made } = viewOf(world, again)
        const foundAt = (url: string) => made.find(({ mintUrl }) => mintUrl === url)?.found[0]?.amount
        expect([foundAt(world.mint.url()), foundAt(liar.url())]).toEqual([worth, lies])
        expect(made.map(({ state, trouble }) => `${state} ${trouble}`)).toEqual(['done null', 'done null'])
        // What is there twice is two coins.
        expect(placesOf(again, other)).toEqual(expect.arrayContaining(placesOf(again, honestOne)))

        await again.run(() => again.engine.noOpenPayments())
        await world.rest()
        expect(at(again, honestOne)).toMatchObject({ spendable: worth, quarantined: 0 })
        await again.pay(bob, worth, { account: honestOne })
        await world.rest()
        expect(bob.totals().spendable).toBe(32)
      },
      patience,
    )
  })

  /** Two lives in one generation that added their mints in another order: a folder was copied before it had any. */
  async function twoLives(world: World) {
    world.isCookingBooks = true
    const other = await openMint({ clock: world.clock })
    const [here, there] = [world.mint.url(), other.url()]
    const first = await world.wallet('alice', { knowsMint: false })
    const second = await world.wallet('second', { phrase: 'alice', copy: first.copy() })
    expect([generationOf(first), generationOf(second)]).toEqual([0, 0])
    for (const url of [here, there]) await first.engine.mints.add(url)
    for (const url of [there, here]) await second.engine.mints.add(url)
    return { first, second, here, there }
  }

  test(
    'because two lives numbered their mints in another order: the next life finds the coins of both',
    async () => {
      const world = await openWorld()
      const { first, second, here, there } = await twoLives(world)
      for (const life of [first, second]) {
        await withdrawAt(life, 0, 16)
        await withdrawAt(life, 1, 24)
      }
      const places = (life: TestWallet, account: number) =>
        life.store.read.coins(account, 'sat', 'spendable').map(({ Y }) => Y)
      expect(places(first, 0)).toEqual(places(second, 0))
      world.forget(second)
      const third = await newLife(world, first, { knowsMint: false })
      for (const url of [there, here]) await third.engine.mints.add(url)
      await world.rest(0)
      expect([0, 1].map((account) => at(third, account).quarantined)).toEqual([40, 40])
      await third.run(() => third.engine.noOpenPayments())
      await world.rest()
      expect([0, 1].map((account) => at(third, account).spendable)).toEqual([40, 40])
    },
    patience,
  )

  test(
    'is not the business of an operation that goes on at one of them: the search at the other one finds its coin',
    async () => {
      const world = await openWorld()
      const { first, second } = await twoLives(world)
      first.mint = always(['issue'], lostRequest)
      const open = await withdrawAt(first, 0, 16)
      expect(first.store.read.operation(open)).toMatchObject({ state: 'issuing' })
      await withdrawAt(second, 0, 16)
      world.forget(second)
      first.engine.searchAgain(1)
      await world.rest(0)
      expect(at(first, 1)).toMatchObject({ quarantined: 16 })
      first.mint = honest
      await world.rest()
      expect(first.store.read.operation(open)).toMatchObject({ state: 'done' })
      expect(at(first, 0)).toMatchObject({ spendable: 0, quarantined: 16 })
    },
    patience,
  )
})

// ---- lives that are hard to find

describe('however far the last life came', () => {
  test(
    'restoring again and again on one computer uses no generation up, and the next life is found on any other',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(32)
      const memory = computer()
      let wallet = alice
      for (let life = 0; life < 12; life++) {
        wallet = await newLife(world, wallet, { memory, knowsMint: false })
        expect(generationOf(wallet)).toBeLessThanOrEqual(16)
      }
      await wallet.engine.mints.add(world.mint.url())
      await world.rest(0)
      await wallet.run(() => wallet.engine.noOpenPayments())
      await world.rest()
      expect(wallet.totals().spendable).toBe(32)
      const generation = generationOf(wallet)
      const other = await restored(world, wallet, { memory: computer() })
      expect(other.totals().quarantined).toBe(32)
      const same = await restored(world, other, { memory })
      expect(generationOf(same)).toBeGreaterThan(generation)
      expect(same.totals().quarantined).toBe(32)
    },
    patience,
  )

  test(
    'a folder of this phrase on this computer that was first in a generation has it alone',
    async () => {
      const world = await openWorld()
      const memory = computer()
      // Numbers that are drawn are the lowest; ids differ.
      const same = { bytes: (length: number) => (length === 6 ? new Uint8Array(6) : randomBytes(length)) }
      const alice = await world.wallet('alice', { memory, phrase: 'alice', random: same })
      const second = await world.wallet('second', { memory, phrase: 'alice', random: same })
      expect([generationOf(alice), generationOf(second)]).toEqual([1, 1])
      const take = ({ engine }: TestWallet) => engine.withdraw(0, 'sat', 1)
      const ids = [take(alice), take(second)]
      for (const [index, wallet] of [alice, second].entries()) {
        for (let n = 0; n < 4; n++) await wallet.engine.runner.runNow(ids[index] ?? '')
      }
      expect([generationOf(alice), generationOf(second)]).toEqual([1, 2])
      expect(alice.store.read.purses(0, 'sat')).toMatchObject([{ generation: 1, purse: 0 }])
      expect(second.store.read.purses(0, 'sat')).toMatchObject([{ generation: 2, purse: 0 }])
      expect(second.totals().spendable).toBe(1)
      world.isCookingBooks = true // their searches are left alone
      world.forget(alice, second)
    },
    patience,
  )

  test(
    'a mint that shows a life that never was leads a wallet no further than a restore looks',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      const liar = await openMint({ clock: world.clock })
      const alice = await world.wallet('alice')
      await alice.withdraw(32)
      await lie(liar, [500, 0, 0])
      const second = await restored(world, alice)
      await second.engine.mints.add(liar.url())
      await world.rest(0)
      expect(generationOf(second)).toBeGreaterThan(200)
      expect(generationOf(second)).toBeLessThan(300)
      await second.run(() => second.engine.noOpenPayments())
      for (let n = 0; n < 300 && second.totals().spendable === 0; n++) await second.engine.runner.runDue()
      expect(second.totals().spendable).toBe(32)
      const third = await restored(world, second)
      expect(third.totals().quarantined).toBe(32)
    },
    patience,
  )

  test(
    'a mint that was the sixth of a restored wallet is enough',
    async () => {
      const world = await openWorld()
      const others: TestMint[] = []
      for (let n = 0; n < 5; n++) others.push(await openMint({ clock: world.clock }))
      const alice = await world.wallet('alice', { phrase: 'alice', knowsMint: false })
      for (const mint of others) await alice.engine.mints.add(mint.url())
      const account = (await alice.engine.mints.add(world.mint.url()))?.account ?? 5
      await world.rest(0)
      const id = alice.engine.withdraw(account, 'sat', 9)
      for (let n = 0; n < 4; n++) await alice.engine.runner.runNow(id)
      expect(alice.store.read.totals(account, 'sat').spendable).toBe(9)
      world.isCookingBooks = true // of six mints the fixture looks at account 0
      const again = await restored(world, alice)
      expect(again.totals().quarantined).toBe(9)
    },
    patience,
  )

  test(
    'a search that was cut says so',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(3)
      const again = await newLife(world, alice)
      await again.engine.runner.runDue()
      const [search] = searches(again)
      if (search) {
        const cursor = { ...search.cursor, known: [4090] }
        again.store.transaction((write) => write.updateOperation({ ...search, cursor }))
      }
      await world.rest(0)
      expect(again.totals().quarantined).toBe(3)
      expect(viewOf(world, again).searches).toMatchObject([{ state: 'done', trouble: expect.stringContaining('more') }])
    },
    patience,
  )

  test(
    'a search that had no end is not begun again by itself',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(3)
      const again = await newLife(world, alice)
      await again.engine.runner.runDue()
      const [search] = searches(again)
      if (search) again.store.transaction((write) => write.updateOperation({ ...search, asked: 4_000_001 }))
      for (let tick = 0; tick < 5; tick++) {
        world.clock.move(minuteMs)
        await again.look()
        await again.engine.runner.runDue()
      }
      expect(searches(again)).toMatchObject([{ state: 'found', lastError: 'mint_lies' }])
      again.engine.searchAgain(0)
      await world.rest(0)
      expect(again.totals().quarantined).toBe(3)
    },
    patience,
  )

  test(
    'thousands of Terms that were never paid, while no milestone could be filled, hide nothing for long',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice', { config: refreshing })
      const bob = await world.wallet('bob')
      await bob.withdraw(64)
      alice.store.transaction((write) => {
        for (let n = 0; n < 6600; n++) {
          write.takePurse({ generation: 0, account: 0, unit: 'sat' }, 'receive', 'offered')
        }
      })
      await bob.pay(alice, 21)
      await world.pass(hourMs)
      await bob.pay(alice, 6)
      await world.pass(3 * hourMs)
      expect(alice.totals().spendable).toBe(27)
      const filled = alice.store.read
        .purses(0, 'sat')
        .filter(({ purse, id }) => purse % 100 === 0 && alice.store.read.coinsIn(id).length > 0)
      expect(filled.map(({ purse }) => purse)).toEqual(expect.arrayContaining([0, 3200, 6400, 6600]))
      const again = await restored(world, alice)
      expect(again.totals().quarantined).toBe(27)
    },
    patience,
  )
})

describe('what is settled after a person said that no payment is open', () => {
  const scene = async (delayMs: number) => {
    const world = await openWorld()
    const alice = await world.wallet('alice')
    const bob = await world.wallet('bob', { config: { settleDelayMs: [delayMs, delayMs] } })
    await bob.withdraw(32)
    await alice.withdraw(8)
    await cutOff(alice, bob)
    await bob.pay(alice, 10)
    expect(alice.incoming().state).toBe('signed')
    const again = await newLife(world, alice)
    await reconnect(bob)
    await world.rest(0)
    await again.run(() => again.engine.noOpenPayments())
    await world.rest(hourMs)
    expect(again.totals()).toMatchObject({ spendable: 8, quarantined: 0 })
    return { world, again, bob }
  }

  test(
    'is found by itself a day later, rests, and comes home when it is said again',
    async () => {
      const { world, again } = await scene(20 * hourMs)
      world.clock.move(21 * hourMs)
      await world.rest(hourMs)
      world.clock.move(3 * hourMs)
      await world.rest(0)
      expect(again.totals()).toMatchObject({ spendable: 8, quarantined: 10 })
      expect(viewOf(world, again)).toMatchObject({ cause: 'phrase', resting: { isReleased: false } })
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect(again.totals()).toMatchObject({ spendable: 18, quarantined: 0 })
    },
    patience,
  )

  test(
    'each mint is searched again on four days, and then no more',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(8)
      const again = await restored(world, alice)
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      const counts = [searches(again).length]
      for (const days of [1, 1, 5, 10, 14, 30]) {
        world.clock.move(days * dayMs)
        await world.rest(0)
        counts.push(searches(again).length)
      }
      expect(counts).toEqual([2, 3, 4, 5, 5, 6, 6])
      expect(again.totals()).toMatchObject({ spendable: 8, quarantined: 0 })
    },
    patience,
  )
})

// ---- what may go wrong on the way

/** NUT-09 with something done to the answer. */
function answersWith(
  change: (signatures: readonly BlindSignature[], call: number) => readonly BlindSignature[],
): MintDouble {
  let call = 0
  return (real) => ({
    ...real,
    restore: async (outputs, signal) => {
      const answer = await real.restore(outputs, signal)
      return answer.kind === 'ok' ? { kind: 'ok', value: change(answer.value, ++call) } : answer
    },
  })
}

/** NUT-09 that looks at the first outputs of a question only. */
const truncating =
  (most: number): MintDouble =>
  (real) => ({ ...real, restore: (outputs, signal) => real.restore(outputs.slice(0, most), signal) })

/** NUT-09 that refuses longer questions. */
const strict =
  (most: number): MintDouble =>
  (real) => ({
    ...real,
    restore: async (outputs, signal) =>
      outputs.length > most
        ? { kind: 'refused', code: 11015, detail: 'too many outputs' }
        : real.restore(outputs, signal),
  })

describe('a mint that does not do its part', () => {
  const past = async () => {
    const world = await openWorld()
    const { alice } = await withPast(world)
    return { world, alice, before: amountsOf(alice, 'spendable') }
  }

  test(
    'is away in the middle: the search waits and goes on where it was',
    async () => {
      const { world, alice, before } = await past()
      const again = await newLife(world, alice)
      await again.engine.runner.runDue()
      await again.engine.runner.runDue()
      again.mint = away
      const asked = searches(again)[0]?.asked ?? 0
      expect(asked).toBeGreaterThan(0)
      await world.rest(hourMs)
      expect(searches(again)[0]).toMatchObject({ state: 'looking', asked })
      expect(viewOf(world, again).searches[0]?.trouble).toMatch(/no answer/)
      again.reopen()
      again.mint = honest
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  test.each([
    ['answers only about the first fifty outputs of a question', truncating(50)],
    ['answers only about the first fifteen', truncating(15)],
    ['refuses more than twenty', strict(20)],
  ])(
    '%s: it is asked in smaller parts',
    async (_, double) => {
      const { world, alice, before } = await past()
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = double
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(searches(again)[0]?.state).toBe('found')
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  test.each([
    ['answers nothing to its first questions', answersWith((signatures, call) => (call <= 9 ? [] : signatures))],
    [
      'leaves out the last signature now and then',
      answersWith((all, call) => (call % 3 === 0 ? all.slice(0, -1) : all)),
    ],
    ['leaves out the first one now and then', answersWith((all, call) => (call % 3 === 0 ? all.slice(1) : all))],
    ['answers half of it now and then', answersWith((all, call) => (call % 3 === 0 ? all.slice(all.length / 2) : all))],
  ])(
    '%s: no part is taken for the whole',
    async (_, double) => {
      const { world, alice, before } = await past()
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = double
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(searches(again)[0]?.state).toBe('found')
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  test(
    'leaves out a keyset for a while: what was asked meanwhile is asked again',
    async () => {
      const { world, alice, before } = await past()
      const old = alice.store.read.keysets(0).find(({ active }) => !active)?.id
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = answersWith((all, call) => (call < 40 ? all.filter(({ id }) => id !== old) : all))
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  test(
    'leaves out a keyset that it was seen to know: the search stays open and says why',
    async () => {
      const { world, alice, before } = await past()
      const old = alice.store.read.keysets(0).find(({ active }) => !active)?.id
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = answersWith((all, call) => (call > 3 ? all.filter(({ id }) => id !== old) : all))
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(searches(again)[0]?.state).toBe('looking')
      expect(viewOf(world, again).searches[0]?.trouble).toMatch(/in part|leaves out/)
      again.mint = honest
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual(before)
    },
    patience,
  )

  /** A wallet with coins under so many keysets; most of the first one, as a wallet has. */
  const ofKeysets = async (count: number) => {
    const world = await openWorld()
    const alice = await world.wallet('alice')
    for (let n = 0; n < 3; n++) await alice.withdraw(1)
    for (let n = 1; n < count; n++) {
      world.mint.rotate()
      await alice.look()
      await alice.withdraw(6)
    }
    return { world, alice, worth: 3 + (count - 1) * 6, last: await world.mint.keysetId('sat') }
  }
  const isWalking = (wallet: TestWallet) => searches(wallet)[0]?.cursor.walk?.phase === 'purses'

  test(
    'leaves out one of seven keysets for an hour: every one of them is looked out for',
    async () => {
      const { world, alice, worth, last } = await ofKeysets(7)
      const again = await newLife(world, alice, { knowsMint: false })
      const until = world.clock.now() + hourMs
      again.mint = answersWith((all) =>
        isWalking(again) && world.clock.now() < until ? all.filter(({ id }) => id !== last) : all,
      )
      await again.engine.mints.add(world.mint.url())
      await world.rest(0)
      expect(searches(again)[0]?.state).toBe('looking')
      await world.rest(3 * hourMs)
      expect(viewOf(world, again).searches).toMatchObject([{ state: 'done', trouble: null }])
      expect(again.totals().quarantined).toBe(worth)
    },
    patience,
  )

  test(
    'answers short questions only, and leaves out a keyset that it has shown: the search stays open',
    async () => {
      const { world, alice, last } = await ofKeysets(2)
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = (real) => ({
        ...real,
        restore: async (outputs, signal) => {
          if (!isWalking(again)) return real.restore(outputs, signal)
          const answer = await real.restore(outputs.slice(0, 6), signal)
          return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.filter(({ id }) => id !== last) } : answer
        },
      })
      await again.engine.mints.add(world.mint.url())
      await world.rest(3 * hourMs)
      expect(isWalking(again)).toBe(true)
      expect(viewOf(world, again).searches).toMatchObject([
        { state: 'looking', trouble: expect.stringMatching(/in part|leaves out/) },
      ])
      world.forget(again)
      world.isCookingBooks = true // nobody has looked to the end
    },
    patience,
  )

  test(
    'answers less at a time than it has keysets: everything is found, and nobody says that it is complete',
    async () => {
      const { world, alice, worth } = await ofKeysets(4)
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = (real) => ({
        ...real,
        restore: (outputs, signal) => real.restore(isWalking(again) ? outputs.slice(0, 4) : outputs, signal),
      })
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(again.totals().quarantined).toBe(worth)
      expect(viewOf(world, again).searches).toMatchObject([
        { state: 'done', trouble: expect.stringContaining('too little at a time') },
      ])
    },
    patience,
  )

  test(
    'tells nothing more of a keyset that has ended and that it was seen to know: the search ends, and says that it is not complete',
    async () => {
      const world = await openWorld({ finalExpiry: Date.UTC(2026, 11, 24) / 1000 })
      const alice = await world.wallet('alice')
      await alice.withdraw(12)
      const old = alice.store.read.keysets(0)[0]?.id
      world.mint.rotate()
      await alice.look()
      await alice.withdraw(5)
      world.clock.move(60 * dayMs)
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = answersWith((all, call) => (call > 3 ? all.filter(({ id }) => id !== old) : all))
      await again.engine.mints.add(world.mint.url())
      await world.rest(0)
      const found = [{ unit: 'sat', amount: 5, coins: 2 }]
      const silent = expect.stringContaining('keyset that has ended')
      expect(viewOf(world, again).searches).toMatchObject([{ state: 'done', found, expired: [], trouble: silent }])
      again.mint = honest
      again.engine.searchAgain(0)
      await world.rest(0)
      const expired = [{ unit: 'sat', amount: 12, coins: 2 }]
      expect(viewOf(world, again).searches).toMatchObject([{ state: 'done', expired, trouble: null }])
    },
    patience,
  )

  test(
    'does not list a keyset any more: its coins are told as trouble, never as nothing; all others are found',
    async () => {
      const { world, alice } = await past()
      const coins = alice.store.read.coins(0, 'sat', 'spendable')
      const old = alice.store.read.keysets(0).find(({ active }) => !active)?.id
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = (real) => ({
        ...real,
        keysets: async (signal) => {
          const answer = await real.keysets(signal)
          return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.filter(({ id }) => id !== old) } : answer
        },
      })
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      const listed = coins.filter(({ keysetId }) => keysetId !== old).map(({ amount }) => amount)
      expect(amountsOf(again, 'quarantined')).toEqual(listed.sort((a, b) => a - b))
      expect(searches(again)[0]).toMatchObject({ state: 'found', lastError: 'keyset_unknown' })
      expect(searches(again)[0]?.unreadable).toBeGreaterThan(0)
      // It lists it again: another search finds the rest.
      again.mint = honest
      again.engine.searchAgain(0)
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual(coins.map(({ amount }) => amount).sort((a, b) => a - b))
      expect(searches(again)[0]).toMatchObject({ state: 'found', lastError: null, isAgain: true })
    },
    patience,
  )

  test(
    'lies about the state of coins: nothing is lost by it',
    async () => {
      const { world, alice, before } = await past()
      const again = await newLife(world, alice, { knowsMint: false })
      const says = (state: 'SPENT' | 'UNSPENT'): MintDouble => {
        return (real) => ({ ...real, checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => state) }) })
      }
      again.mint = says('SPENT')
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual([])
      expect(searches(again)[0]?.spent).toBeGreaterThanOrEqual(before.length)

      // Coins that were spent long ago rest beside the others, until the mint has to swap them.
      again.mint = says('UNSPENT')
      again.engine.searchAgain(0)
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined').length).toBeGreaterThan(before.length)
      again.mint = honest
      await again.run(() => again.engine.noOpenPayments())
      await world.rest(hourMs)
      const sum = before.reduce((all, amount) => all + amount, 0)
      expect(again.totals()).toMatchObject({ spendable: sum, quarantined: 0 })
    },
    patience,
  )

  test(
    'calls coins pending: they are kept, not counted among the spent, and come home when it lets go of them',
    async () => {
      const world = await openWorld()
      const alice = await world.wallet('alice')
      await alice.withdraw(21)
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = (real) => ({
        ...real,
        checkState: async (Ys) => ({ kind: 'ok', value: Ys.map((_, index) => (index === 0 ? 'PENDING' : 'UNSPENT')) }),
      })
      await again.engine.mints.add(world.mint.url())
      await world.rest(0)
      expect(searches(again)[0]).toMatchObject({ state: 'found', spent: 0, found: [{ amount: 21, coins: 3 }] })
      expect(again.totals().quarantined).toBe(21)
      again.mint = honest
      await again.run(() => again.engine.noOpenPayments())
      await world.rest()
      expect(again.totals()).toMatchObject({ spendable: 21, quarantined: 0 })
    },
    patience,
  )

  test(
    'never tells the state of coins whose keyset has ended: they are told all the same, and hold up no others',
    async () => {
      const ends = Date.UTC(2026, 11, 24) / 1000
      const world = await openWorld({ finalExpiry: ends })
      const alice = await world.wallet('alice')
      await alice.withdraw(12)
      const over = new Set(alice.store.read.coins(0, 'sat', 'spendable').map(({ Y }) => Y))
      world.mint.rotate()
      await alice.look()
      await alice.withdraw(5)
      world.clock.move(60 * dayMs)
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = (real) => ({
        ...real,
        checkState: async (Ys, signal) =>
          Ys.some((Y) => over.has(Y))
            ? { kind: 'unknown', reason: 'HTTP 500', reachable: true }
            : real.checkState(Ys, signal),
      })
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(viewOf(world, again).searches).toMatchObject([
        {
          state: 'done',
          found: [{ unit: 'sat', amount: 5, coins: 2 }],
          expired: [{ unit: 'sat', amount: 12, coins: 2 }],
        },
      ])
    },
    patience,
  )

  test(
    'does not tell the state of coins, or loses answers: the same question again changes nothing twice',
    async () => {
      const { world, alice, before } = await past()
      const again = await newLife(world, alice, { knowsMint: false })
      again.mint = chain(first(3, ['checkState'], refusal()), first(4, ['restore', 'checkState'], lostAnswer))
      await again.engine.mints.add(world.mint.url())
      await world.rest(hourMs)
      expect(amountsOf(again, 'quarantined')).toEqual(before)
      expect(viewOf(world, again).searches[0]?.found[0]?.coins).toBe(before.length)
    },
    patience,
  )
})

test(
  'sudden death at whatever call, again and again: the search goes on where it was',
  async () => {
    const world = await openWorld()
    const { alice } = await withPast(world)
    const before = amountsOf(alice, 'spendable')
    const again = await newLife(world, alice)
    const deaths = new Set<string>()
    for (let life = 0; life < 400 && searches(again)[0]?.state !== 'found'; life++) {
      let calls = 0
      const longest = 1 + ((life * 5) % 23)
      const fate = life % 3 === 0 ? 'die_before' : 'die_after'
      again.fate = (port) => {
        if (++calls < longest) return 'live'
        deaths.add(`${fate} ${port}`)
        return fate
      }
      while (again.isAlive && searches(again)[0]?.state !== 'found') {
        await again.run(() => again.engine.runner.runDue())
        world.clock.move(minuteMs)
      }
      if (!again.isAlive) again.reopen()
    }
    expect(searches(again)[0]?.state).toBe('found')
    expect(searches(again)).toHaveLength(1)
    expect(amountsOf(again, 'quarantined')).toEqual(before)
    expect(viewOf(world, again).searches[0]?.found[0]?.coins).toBe(before.length)
    expect([...deaths]).toEqual(
      expect.arrayContaining([
        'die_before mint restore',
        'die_after mint restore',
        'die_before transaction',
        'die_after transaction',
      ]),
    )
  },
  patience,
)

test(
  'a search and what it finds can be asked for again at any time, and change nothing',
  async () => {
    const world = await openWorld()
    const { alice } = await withPast(world)
    alice.reopen(testConfig)
    const before = { totals: alice.totals(), coins: amountsOf(alice, 'spendable') }
    alice.engine.searchAgain(0)
    alice.engine.searchAgain(0)
    await world.rest()
    expect(searches(alice)).toMatchObject([{ state: 'found', found: [], lastError: null }])
    expect({ totals: alice.totals(), coins: amountsOf(alice, 'spendable') }).toEqual(before)
    expect(generationOf(alice)).toBe(0)
    expect(viewOf(world, alice)).toMatchObject({ cause: null, resting: { amounts: [] } })
  },
  patience,
)
