// Two databases of one phrase become one: what either knows, and nothing of ours moved back. Lives are real ones: wallets
// with real stores beside a real mint; a backup is a copy of the file at some moment.

import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Merged } from '../electron/store/merge.ts'
import { openWalletFile } from '../electron/store/wallet-store.ts'
import { cashedOut, feePaid } from '../electron/views.ts'
import { copiesOf, setCopies, storedGeneration } from '../electron/wallet/generation.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import { decodeBody, refusalSchema } from '../shared/messages.ts'
import {
  always,
  away,
  computer,
  cutOff,
  dayMs,
  expectConserved,
  goodLink,
  hourMs,
  inState,
  lostAnswer,
  lostFrames,
  lostReplies,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'
import { howMany } from './how-much.ts'
import { openMint } from './mint-fixture.ts'

const tables = ['meta', 'mint', 'keyset', 'operation', 'operation_event', 'purse', 'output', 'coin', 'seen'] as const
type Table = (typeof tables)[number]
type Rows = readonly Record<string, unknown>[]

/** Everything a file holds. */
function dump(path: string): Record<Table, Rows> {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = (table: Table): Rows => db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()
  const all = Object.fromEntries(tables.map((table) => [table, rows(table)])) as Record<Table, Rows>
  db.close()
  return all
}

const now = (wallet: TestWallet) => dump(wallet.copy())
function change(path: string, sql: string, ...values: (string | number | null)[]): void {
  const db = new DatabaseSync(path)
  db.prepare(sql).run(...values)
  db.close()
}

/** The search for coins of a phrase is another test's matter, and takes a while. */
function withoutSearch(wallet: TestWallet): TestWallet {
  wallet.store.transaction((write) => setCopies(write, { ...copiesOf(wallet.store.read), round: 0 }))
  return wallet
}

/** What is compared of a merge that is done a second time. */
const nothing: Partial<Merged> = { isNews: false, payments: 0, mints: 0, coins: [] }

describe('an earlier backup of this wallet', () => {
  test('changes not one byte, whatever happened since', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const copies = [payer.copy(), payee.copy()]
    const id = await payer.pay(payee, 5)
    copies.push(payer.copy(), payee.copy())
    await cutOff(payer, payee)
    await payer.pay(payee, 7)
    copies.push(payer.copy(), payee.copy())
    await reconnect(payer, payee)
    await world.rest(2 * hourMs)
    inState(payer.payment(id), 'final')
    for (const wallet of [payer, payee]) {
      const before = now(wallet)
      for (const [index, copy] of copies.entries()) {
        if (index % 2 === (wallet === payer ? 0 : 1))
          expect(wallet.merge(copy)).toMatchObject({ ...nothing, skipped: 0 })
      }
      expect(now(wallet)).toEqual(before)
    }
  })

  test('of a moment when coins were set aside for something that came to nothing leaves them free', async () => {
    const world = await openWorld()
    const { payer: ann } = await payerAndPayee(world)
    await ann.withdraw(64)
    const { id } = await ann.prepareCashOut(100)
    ann.mint = away
    await ann.run(() => ann.engine.confirmCashOut(id))
    inState(ann.melt(id), 'gathering')
    const backup = ann.copy()
    world.clock.move(3 * dayMs)
    await world.rest(0)
    inState(ann.melt(id), 'failed')
    const before = now(ann)
    expect(ann.totals().spendable).toBeGreaterThan(0)
    expect(ann.merge(backup)).toMatchObject(nothing)
    expect(now(ann)).toEqual(before)
  })

  test('property: of any moment of any life, in any order, moves nothing back', async () => {
    const deed = fc.constantFrom('withdraw', 'pay', 'get', 'offline', 'online', 'cash out', 'rest', 'lose', 'stop')
    const life = fc.array(deed, { minLength: 3, maxLength: 9 })
    await fc.assert(
      fc.asyncProperty(life, fc.infiniteStream(fc.nat(1000)), async (deeds, chance) => {
        const world = await openWorld()
        const { payer: ann, payee: bob } = await payerAndPayee(world, { money: 200 })
        await bob.withdraw(100)
        const copies = [ann.copy()]
        for (const one of deeds) {
          await live(world, ann, bob, one)
          copies.push(ann.copy())
        }
        const before = now(ann)
        const shuffled = copies.map((copy) => ({ copy, at: chance.next().value ?? 0 })).sort((a, b) => a.at - b.at)
        for (const { copy } of shuffled) expect(ann.merge(copy)).toMatchObject(nothing)
        expect(now(ann)).toEqual(before)
        world.heal()
        await world.rest()
        await world.end()
      }),
      { numRuns: howMany(5, 100) },
    )
  }, 600_000)
})

/** A moment of a life. */
async function live(world: World, ann: TestWallet, bob: TestWallet, deed: string): Promise<void> {
  const orNothing = (work: Promise<unknown>) => work.catch(() => {})
  switch (deed) {
    case 'withdraw':
      return void (await orNothing(ann.withdraw(30)))
    case 'pay':
      return void (await orNothing(ann.pay(bob, 9)))
    case 'get':
      return void (await orNothing(bob.pay(ann, 6)))
    case 'cash out':
      return void (await orNothing(ann.cashOut(10)))
    case 'offline':
      return cutOff(ann, bob)
    case 'online':
      return reconnect(ann, bob)
    case 'lose':
      ann.link = lostReplies('handover')
      return
    case 'rest':
      return world.rest(hourMs)
    case 'stop':
      ann.kill()
      return ann.reopen()
  }
}

describe('a backup that is newer than this folder', () => {
  test('brings payments and their open handovers, which settle; its coins rest, and the wallet lives on by itself', async () => {
    const world = await openWorld()
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    await bob.withdraw(50)
    const old = ann.copy()
    await cutOff(ann, bob)
    const given = await ann.pay(bob, 7)
    const got = await bob.pay(ann, 20)
    inState(ann.payment(given), 'signed')
    inState(ann.incoming(), 'signed')
    const backup = ann.copy()
    ann.reopen(undefined, old)
    expect(ann.totals()).toMatchObject({ spendable: 64, handed_over: 0 })

    expect(ann.merge(backup)).toMatchObject({
      isNews: true,
      payments: 2,
      mints: 0,
      coins: [],
      skipped: 0,
      generation: 0,
    })
    expect(ann.payment(given).state).toBe('signed')
    expect(ann.totals()).toMatchObject({ spendable: 0, handed_over: 64 })
    expect(copiesOf(ann.store.read)).toMatchObject({ cause: 'backup', isReleased: false, round: 1 })
    expect(storedGeneration(ann.store.read)).toBeGreaterThan(0)
    withoutSearch(ann)
    const after = now(ann)
    expect(ann.merge(backup)).toMatchObject(nothing)
    expect(now(ann)).toEqual(after)

    await reconnect(ann, bob)
    await world.rest(2 * hourMs)
    inState(ann.payment(given), 'final')
    inState(ann.incoming(), 'final')
    inState(bob.payment(got), 'final')
    // Change and what was received came home to purses of the earlier life: they rest.
    expect(ann.totals()).toMatchObject({ spendable: 0, quarantined: 64 - 7 + 20 })
  })

  test('brings coins that were made after: they rest, those that were spent do not come back', async () => {
    const world = await openWorld()
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    await ann.withdraw(8)
    const old = ann.copy()
    await ann.withdraw(30)
    await ann.pay(bob, 64)
    await world.rest(2 * hourMs)
    const backup = ann.copy()
    change(backup, 'UPDATE purse SET closed = 0')
    ann.reopen(undefined, old)
    const merged = ann.merge(backup)
    expect(merged).toMatchObject({ payments: 1, coins: [{ unit: 'sat', amount: 30 }] })
    // The eight that both know may have been given away after the backup was made.
    expect(ann.totals()).toMatchObject({ spendable: 0, spent: 64, quarantined: 30 + 8 })
    // Into a purse that the other life may go on filling, nothing is put.
    expect(now(ann).purse.map(({ closed }) => closed)).not.toContain(0)
    withoutSearch(ann)
  })

  test('moves no counter back, whatever else of a purse is news', async () => {
    const world = await openWorld()
    const { payer: ann } = await payerAndPayee(world)
    const backup = ann.copy()
    change(backup, 'UPDATE purse SET used = 1, next_coin = 0')
    const next = now(ann).purse.map(({ next_coin }) => next_coin)
    expect(ann.merge(backup).isNews).toBe(true)
    expect(now(ann).purse.map(({ next_coin }) => next_coin)).toEqual(next)
    expect(now(ann).purse.map(({ used }) => used)).toEqual(next.map(() => 1))
    withoutSearch(ann)
  })

  test('is no step back of the folder, whatever it tells anew: this computer would take it for an old copy', async () => {
    const world = await openWorld()
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    await cutOff(ann, bob)
    const id = await ann.pay(bob, 7)
    const old = ann.copy()
    await reconnect(ann, bob)
    await world.rest(2 * hourMs)
    inState(ann.payment(id), 'final')
    const backup = ann.copy()
    // The newest event is one of this payment, after others that were told anew by an earlier merge.
    change(old, 'UPDATE operation_event SET id = id + 100 WHERE id = (SELECT MAX(id) FROM operation_event)')
    ann.reopen(undefined, old)
    const before = ann.store.read.changes()
    expect(ann.merge(backup)).toMatchObject({ isNews: true })
    expect(ann.store.read.changes()).toBeGreaterThanOrEqual(before)
    withoutSearch(ann)
  })

  test('keeps the history in the order in which things happened', async () => {
    const world = await openWorld()
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    const copies: string[] = [ann.copy()]
    for (const memo of ['one', 'two', 'three', 'four']) {
      world.clock.move(minuteMs)
      await ann.pay(bob, 3, { memo })
      copies.push(ann.copy())
    }
    await world.rest(2 * hourMs)
    // A file that knows the second and the fourth only: the third was never told to it.
    const gap = ann.copy()
    const third = memoOf(ann, 'three')
    for (const table of ['operation_event', 'output', 'seen']) {
      change(gap, `DELETE FROM ${table} WHERE operation_id = ?`, third)
    }
    change(gap, `UPDATE coin SET operation_id = NULL WHERE operation_id = ?`, third)
    change(gap, 'DELETE FROM operation WHERE id = ?', third)
    ann.reopen(undefined, gap)
    ann.merge(copies.at(-1) ?? '')
    withoutSearch(ann)
    const { operations: shown } = ann.store.read.payments({ before: null, limit: 9, search: '', filter: 'all' })
    expect(shown.map((one) => ('memo' in one ? one.memo : ''))).toEqual(['four', 'three', 'two', 'one'])
  })

  test('knows of a receipt that left, whichever file was copied before it did', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 8)
    await cutOff(payer)
    await payee.look()
    const asked = new Promise<void>((resolve) => {
      payee.mint = (real) => ({
        ...real,
        swap: () => {
          resolve()
          return new Promise(() => {})
        },
      })
    })
    const paying = payer.run(() => payer.engine.confirmPay(id))
    await asked
    const before = payee.copy()
    world.clock.move(testConfig.settleBeforeAnswerMs)
    await paying
    const after = payee.copy()
    inState(payer.payment(id), 'signed')
    for (const [file, backup] of [
      [before, after],
      [after, before],
    ] as const) {
      payee.reopen(undefined, file)
      payee.merge(backup)
      expect(inState(payee.incoming(), 'signed').withheld).toBeNull()
    }
    withoutSearch(payee)
  })
})

const memoOf = (wallet: TestWallet, memo: string): string =>
  wallet.store.read.operations({ kind: 'pay' }).find((one) => 'memo' in one && one.memo === memo)?.id ?? ''

/** The payer's phrase on another computer. */
async function otherLife(world: World, mintUrl = world.mint.url()): Promise<TestWallet> {
  const again = await world.wallet('again', { phrase: 'payer', knowsMint: false, memory: computer() })
  await withoutSearch(again).engine.mints.add(mintUrl)
  return again
}

describe('a backup of another life of this phrase', () => {
  /** With mints added in another order. */
  async function twoLives(world: World) {
    const other = await openMint({ clock: world.clock })
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    for (const wallet of [ann, bob]) await wallet.engine.mints.add(other.url())
    const again = await otherLife(world, other.url())
    return { ann, bob, again, other }
  }

  test('finds its mints by their addresses, whatever their numbers are here', async () => {
    const world = await openWorld()
    const { ann, bob, again, other } = await twoLives(world)
    try {
      await ann.withdraw(32)
      await cutOff(ann, bob)
      const given = await ann.pay(bob, 10)
      inState(ann.payment(given), 'signed')
      await reconnect(ann)
      await ann.cashOut(11)
      const gathering = ann.store.read.operations({ kind: 'refresh' })[0]
      if (gathering?.kind !== 'refresh') throw new Error('no swap was made')
      ann.engine.createRequest({ account: 0, unit: 'sat', amount: 3, singleUse: true })
      const merged = again.merge(ann.copy())
      expect(merged).toMatchObject({ isNews: true, mints: 1, payments: 1, skipped: 0 })
      const mints = again.store.read.mints()
      expect(mints.map(({ url }) => url)).toEqual([other.url(), world.mint.url()])
      const mine = again.store.read.operation(given)
      expect(mine).toMatchObject({ account: 1, state: 'signed' })
      const swap = again.store.read.operation(gathering.id)
      if (swap?.kind !== 'refresh') throw new Error('the swap did not come')
      expect(again.store.read.purse(swap.target)).toMatchObject({ generation: 0, account: 0 })
      expect(again.store.read.coinsOf(given).map(({ account }) => account)).toEqual(
        ann.store.read.coinsOf(given).map(() => 1),
      )
      const request = now(again).meta.find(({ key }) => String(key).startsWith('request/'))
      expect(JSON.parse(String(request?.['value']))).toMatchObject({ account: 1, amount: 3 })

      world.forget(ann)
      await reconnect(bob, again)
      await world.rest(3 * hourMs)
      expect(again.store.read.operation(given)).toMatchObject({ state: 'final' })
      inState(bob.incoming(), 'final')
      world.isCookingBooks = true // the wallets have two mints
      const held = again.store.read.totals(1, 'sat')
      expect(held.quarantined + held.spendable + bob.worth() + feesOf(again, 1) + cashedOutOf(again)).toBe(
        world.issued(),
      )
    } finally {
      world.forget(...world.wallets)
      await other.close()
    }
  })

  /**
   * A folder that was copied before it had any mint; each added the two in another order. What they hold stands at the
   * same places of the derivation, at two mints.
   */
  async function otherOrder(world: World) {
    world.isCookingBooks = true // the wallets have two mints
    const other = await openMint({ clock: world.clock })
    const [here, there] = [world.mint.url(), other.url()]
    const ann = await world.wallet('payer', { knowsMint: false })
    const copy = await world.wallet('copy', { phrase: 'payer', copy: ann.copy() })
    const bob = await world.wallet('payee')
    for (const url of [here, there]) await ann.engine.mints.add(url)
    for (const url of [there, here]) await copy.engine.mints.add(url)
    await bob.engine.mints.add(there)
    for (const life of [ann, copy]) {
      await life.withdraw(21)
      const id = life.engine.withdraw(1, 'sat', 10)
      for (let n = 0; n < 4; n++) await life.engine.runner.runNow(id)
    }
    return { ann, bob, copy }
  }

  const at = ({ store }: TestWallet, account: number) => store.read.totals(account, 'sat')

  test('brings coins at the same places of another mint beside ours: each is spent at its own', async () => {
    const world = await openWorld()
    const { ann, bob, copy } = await otherOrder(world)
    await cutOff(ann, bob)
    const given = await ann.pay(bob, 5)
    inState(ann.payment(given), 'signed')
    const [promised] = ann.store.read.coinsOf(given)
    if (!promised) throw new Error('no coin was promised')
    const outputs = now(ann).output.length + now(copy).output.length
    const backup = copy.copy()
    world.forget(copy)

    expect(ann.merge(backup)).toMatchObject({ skipped: 0, coins: [{ unit: 'sat', amount: 31 }] })
    expect(now(ann).output).toHaveLength(outputs)
    expect(ann.store.read.coin(0, promised.Y)).toMatchObject({ state: 'handed_over', operationId: given })
    expect(ann.store.read.coin(1, promised.Y)).toMatchObject({ state: 'quarantined', operationId: null })
    expect(ann.merge(backup)).toMatchObject({ ...nothing, skipped: 0 })

    // As a person says that no payment is open, but for the search that goes with it.
    ann.store.transaction((write) => setCopies(write, { ...copiesOf(ann.store.read), round: 0, isReleased: true }))
    await reconnect(ann, bob)
    await world.rest(2 * hourMs)
    inState(ann.payment(given), 'final')
    expect([at(ann, 0), at(ann, 1)]).toMatchObject([
      { spendable: 26, quarantined: 0, handed_over: 0 },
      { spendable: 31, quarantined: 0, handed_over: 0 },
    ])
    await ann.pay(bob, 26, { account: 0 })
    await ann.pay(bob, 31, { account: 1 })
    await world.rest(2 * hourMs)
    expect([at(bob, 0).spendable, at(bob, 1).spendable]).toEqual([31, 31])
  })

  test('and a payee that has taken one of two with the same Y says no to the other, which comes back', async () => {
    const world = await openWorld()
    const { ann, bob, copy } = await otherOrder(world)
    ann.merge(copy.copy())
    world.forget(copy)
    withoutSearch(ann)
    // As if no other life had been noticed.
    ann.store.transaction((write) => setCopies(write, { ...copiesOf(ann.store.read), cause: null, ownFrom: 0 }))
    const file = ann.copy()
    change(file, `UPDATE coin SET state = 'spendable' WHERE state = 'quarantined'`)
    ann.reopen({}, file)
    world.clock.move(minuteMs)
    await cutOff(ann, bob)
    const first = await ann.pay(bob, 21, { account: 0 })
    inState(ann.payment(first), 'signed')
    const given = ann.store.read.coinsOf(first)
    const twins = given.map(({ Y }) => ann.store.read.coin(1, Y))
    expect(twins.map((coin) => coin?.state)).toEqual(given.map(() => 'spendable'))
    const second = await ann.pay(bob, 21, { account: 1 })
    expect(ann.store.read.coinsOf(second).map(({ Y }) => Y)).toEqual(given.map(({ Y }) => Y))
    const { refusal } = inState(ann.payment(second), 'voided')
    expect(decodeBody(refusalSchema, hexToBytes(refusal?.body ?? '')).code).toBe('coin_seen')
    await reconnect(ann, bob)
    await world.rest(2 * hourMs)
    inState(ann.payment(first), 'final')
    await ann.run(() => ann.engine.reclaim(second, false))
    await world.rest(2 * hourMs)
    inState(ann.payment(second), 'reclaimed')
    expect([at(ann, 0).spendable, at(ann, 1).spendable]).toEqual([10, 31])
    expect([at(bob, 0).spendable, at(bob, 1).spendable]).toEqual([21, 0])
  })

  test('from before this one began leaves its own coins as they are: only what came rests', async () => {
    const world = await openWorld()
    const { payer: ann } = await payerAndPayee(world)
    const again = await otherLife(world)
    await again.withdraw(16)
    const { ownFrom } = copiesOf(again.store.read)
    const generation = storedGeneration(again.store.read)
    expect(again.merge(ann.copy())).toMatchObject({ isNews: true, coins: [{ amount: 64 }] })
    expect(again.totals()).toMatchObject({ spendable: 16, quarantined: 64 })
    expect(storedGeneration(again.store.read)).toBe(generation)
    expect(copiesOf(again.store.read)).toMatchObject({ cause: 'backup', isReleased: false, ownFrom })
    world.forget(ann)
  })

  test('a mint that has moved is known by its keys', async () => {
    const world = await openWorld()
    const { payer: ann } = await payerAndPayee(world)
    const backup = ann.copy()
    change(backup, `UPDATE mint SET url = 'http://127.0.0.1:1'`)
    const again = await otherLife(world)
    expect(again.merge(backup)).toMatchObject({ mints: 0, coins: [{ amount: 64 }], skipped: 0 })
    expect(again.store.read.mints()).toHaveLength(1)
    world.forget(ann)
    world.isCookingBooks = true // it is the wallet of the coins now, and they rest
  })

  test('keysets that contradict what is here are left out, with what depends on them', async () => {
    const world = await openWorld()
    const { payer: ann } = await payerAndPayee(world)
    const backup = ann.copy()
    change(backup, `UPDATE mint SET url = 'http://127.0.0.1:1'`)
    change(backup, `UPDATE keyset SET id_v2 = '01' || substr(id_v2, 3, 60) || 'ffff'`)
    const again = await otherLife(world)
    const merged = again.merge(backup)
    const { keyset, coin } = dump(backup)
    expect(merged).toMatchObject({ mints: 1, coins: [], skipped: keyset.length + coin.length })
    expect(again.store.read.keysets(1)).toEqual([])
    expect(again.store.read.keysets(0)).toHaveLength(keyset.length)
    world.forget(ann)
    world.isCookingBooks = true
  })

  test('of another phrase is refused, whatever key opened it', async () => {
    const world = await openWorld()
    const { payer: ann, payee: bob } = await payerAndPayee(world)
    for (const [wallet, fingerprint] of [
      [ann, 'a'],
      [bob, 'b'],
    ] as const) {
      wallet.store.transaction((write) => write.setMeta('seed/fingerprint', fingerprint))
    }
    const before = now(ann)
    expect(() => ann.merge(bob.copy())).toThrowError(expect.objectContaining({ code: 'foreign_backup' }))
    expect(now(ann)).toEqual(before)
  })
})

const feesOf = (wallet: TestWallet, account: number) =>
  wallet.store.read.operations({ account }).reduce((sum, operation) => sum + feePaid(operation), 0)
const cashedOutOf = (wallet: TestWallet) =>
  wallet.store.read.operations({ kind: 'melt' }).reduce((sum, operation) => sum + cashedOut(operation), 0)

describe('two lives that went on, each by itself', () => {
  /** One folder, and a copy of it that is opened on another computer. */
  async function twoLives(world: World, money = 64) {
    const ann = await world.wallet('payer', { memory: computer() })
    const bob = await world.wallet('payee')
    await ann.withdraw(money)
    await bob.withdraw(50)
    const copied = async () =>
      withoutSearch(await world.wallet('copy', { phrase: 'payer', copy: ann.copy(), memory: computer() }))
    return { ann, bob, copied }
  }

  test('what one of them signed counts, although the other gave it up', async () => {
    const world = await openWorld()
    const { ann, bob, copied } = await twoLives(world)
    const { id } = await ann.prepare(bob, 9)
    const copy = await copied()
    await copy.run(() => copy.engine.abandonPay(id))
    inState(copy.payment(id), 'abandoned')
    await cutOff(ann, bob)
    await ann.run(() => ann.engine.confirmPay(id))
    inState(ann.payment(id), 'signed')

    expect(copy.merge(ann.copy())).toMatchObject({ isNews: true, skipped: 0 })
    inState(copy.payment(id), 'signed')
    expect(copy.store.read.coinsOf(id).map(({ state }) => state)).toEqual(
      ann.store.read.coinsOf(id).map(() => 'handed_over'),
    )
    expect(
      copy.store.read
        .history(id)
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['abandoned', ...ann.store.read.history(id).map(({ state }) => state)].sort())
    world.forget(ann)
    await reconnect(bob)
    await world.rest(2 * hourMs)
    inState(copy.payment(id), 'final')
    inState(bob.incoming(), 'final')
  })

  test('a coin that one of them spent stays spent, although the other gave it to somebody else', async () => {
    const world = await openWorld()
    const { ann, bob } = await twoLives(world)
    const { id } = await ann.prepare(bob, 9)
    // Two that do not know of each other: nobody noticed that it is a copy.
    const copy = await world.wallet('copy', { phrase: 'payer', copy: ann.copy() })
    await copy.run(() => copy.engine.abandonPay(id))
    inState(copy.payment(await copy.pay(bob, 20)), 'final')
    await cutOff(ann, bob)
    await ann.run(() => ann.engine.confirmPay(id))
    inState(ann.payment(id), 'signed')
    expect(copy.merge(ann.copy())).toMatchObject({ isNews: true })
    expect(copy.totals()).toMatchObject({ spent: 64, handed_over: 0, reserved: 0, spendable: 0, quarantined: 44 })
    withoutSearch(copy)
    world.forget(ann)
    await reconnect(bob)
    await world.rest(2 * hourMs)
    inState(copy.payment(id), 'bounced')
    expect(copy.totals()).toMatchObject({ spent: 64, quarantined: 44 })
  })

  test('what one of them brought to its end is at its end, although the other still tries', async () => {
    const world = await openWorld()
    const { ann, bob, copied } = await twoLives(world)
    ann.link = lostReplies('handover')
    await cutOff(ann)
    const id = await ann.pay(bob, 9)
    inState(ann.payment(id), 'handing_over')
    const copy = await copied()
    // Here a person has said that it arrived; there the payee answered after all.
    await copy.run(() => copy.engine.markDelivered(id))
    world.heal()
    copy.mint = away
    await world.rest(2 * hourMs)
    inState(ann.payment(id), 'final')
    inState(copy.payment(id), 'signed')
    copy.merge(ann.copy())
    inState(copy.payment(id), 'final')
    expect(copy.store.read.coinsOf(id).map(({ state }) => state)).toEqual(['spent'])
    world.forget(ann)
  })

  test('a coin that is part of a payment of ours stays with it, whatever the backup says; the mint tells', async () => {
    const world = await openWorld()
    const { ann, bob } = await twoLives(world)
    const backup = ann.copy()
    change(backup, `UPDATE coin SET state = 'spent'`)
    await cutOff(ann, bob)
    const id = await ann.pay(bob, 9)
    ann.merge(backup)
    expect(ann.totals()).toMatchObject({ handed_over: 64, spent: 0 })
    inState(ann.payment(id), 'signed')
    withoutSearch(ann)
  })

  test('a cash out that was gathering coins goes on in one of them only: the other signs nothing more', async () => {
    const world = await openWorld()
    const { ann, bob, copied } = await twoLives(world)
    await ann.withdraw(64)
    const { id } = await ann.prepareCashOut(100)
    ann.mint = away
    await ann.run(() => ann.engine.confirmCashOut(id))
    const { plan, swaps } = inState(ann.melt(id), 'gathering')
    expect([plan.length, swaps.length]).toEqual([1, 1])
    const copy = await copied()
    for (const one of [...swaps, id]) await copy.run(() => copy.engine.runner.runNow(one))
    expect(copy.refreshes().map(({ id: swap }) => swap)).toEqual(swaps)
    inState(copy.melt(id), 'failed')
    expect(copy.totals()).toMatchObject({ spendable: 0, reserved: 0 })
    // The first one gives up, too, and what it pays with the coins that are free again is final.
    await cutOff(ann, bob)
    world.clock.move(3 * dayMs)
    await world.rest(0)
    const paid = await ann.pay(bob, 40)
    inState(ann.payment(paid), 'signed')
    await reconnect(ann, bob)
    await world.rest(2 * hourMs)
    inState(bob.incoming(), 'final')
    expect(copy.merge(ann.copy())).toMatchObject({ isNews: true, skipped: 0 })
    withoutSearch(copy)
    world.forget(ann)
  })

  test('a cash out that one of them has asked the mint for counts, although the other gave it up: it may be paid', async () => {
    const world = await openWorld()
    const { ann, copied } = await twoLives(world)
    await ann.withdraw(64)
    const { id } = await ann.prepareCashOut(100)
    ann.mint = away
    await ann.run(() => ann.engine.confirmCashOut(id))
    const { swaps } = inState(ann.melt(id), 'gathering')
    const copy = await copied()
    for (const one of [...swaps, id]) await copy.run(() => copy.engine.runner.runNow(one))
    inState(copy.melt(id), 'failed')
    ann.mint = always(['melt', 'meltQuote'], lostAnswer)
    world.clock.move(minuteMs)
    for (let rounds = 0; rounds < 3; rounds++) {
      for (const one of [...ann.refreshes(), { id }]) await ann.run(() => ann.engine.runner.runNow(one.id))
    }
    inState(ann.melt(id), 'melting')
    const backup = ann.copy()
    world.forget(ann)
    expect(copy.merge(backup)).toMatchObject({ isNews: true })
    inState(copy.melt(id), 'melting')
    const once = now(copy)
    expect(copy.merge(backup)).toMatchObject(nothing)
    expect(now(copy)).toEqual(once)
    withoutSearch(copy)
    await world.rest(hourMs)
    inState(copy.melt(id), 'done')
  })

  test('coins that were set aside for something the other one gave up are free again, and rest', async () => {
    const world = await openWorld()
    const { ann, copied } = await twoLives(world)
    await ann.withdraw(64)
    const { id } = await ann.prepareCashOut(100)
    ann.mint = away
    await ann.run(() => ann.engine.confirmCashOut(id))
    const copy = await copied()
    copy.kill()
    world.clock.move(3 * dayMs)
    await world.rest(0)
    inState(ann.melt(id), 'failed')
    const free = ann.totals().spendable
    expect(free).toBeGreaterThan(0)
    copy.reopen()
    copy.mint = away
    expect(copy.merge(ann.copy())).toMatchObject({ isNews: true })
    inState(copy.melt(id), 'failed')
    expect(copy.store.read.coinsOf(id)).toEqual([])
    expect(copy.totals()).toMatchObject({ spendable: 0, quarantined: free })
    withoutSearch(copy)
    world.forget(ann)
  })

  test('what differs between two rows at one point is taken where it was not known: a handover that has left has left', async () => {
    const world = await openWorld()
    const { ann, bob } = await twoLives(world)
    await cutOff(ann)
    const { id } = await ann.prepare(bob, 9)
    bob.isListening = false
    await ann.run(() => ann.engine.confirmPay(id))
    const backup = ann.copy()
    const older = ann.copy()
    change(older, `UPDATE operation SET data = json_set(data, '$.handedOver', json('false')) WHERE id = ?`, id)
    change(older, `UPDATE coin SET state = 'reserved' WHERE operation_id = ?`, id)
    ann.reopen(undefined, older)
    expect(inState(ann.payment(id), 'handing_over').handedOver).toBe(false)
    expect(ann.merge(backup)).toMatchObject({ isNews: true })
    expect(inState(ann.payment(id), 'handing_over').handedOver).toBe(true)
    expect(ann.store.read.coinsOf(id).map(({ state }) => state)).toEqual(['handed_over'])
    const after = now(ann)
    expect(ann.merge(older)).toMatchObject(nothing)
    expect(now(ann)).toEqual(after)
    withoutSearch(ann)
  })

  test('a handover that has left one of them has left, although it went on differently here', async () => {
    const world = await openWorld()
    const { ann, bob } = await twoLives(world)
    await cutOff(ann)
    const { id } = await ann.prepare(bob, 9)
    bob.isListening = false
    ann.reopen() // the stream on which the Terms came is closed
    await ann.run(() => ann.engine.confirmPay(id))
    const other = await world.wallet('other', { phrase: 'payer', copy: ann.copy() })
    await cutOff(other)
    bob.isListening = true
    other.link = lostFrames('handover')
    world.clock.move(minuteMs)
    await other.run(() => other.engine.runner.runNow(id))
    expect([ann, other].map((life) => inState(life.payment(id), 'handing_over').handedOver)).toEqual([false, true])
    // Here the mint is to settle it first, since nothing has left.
    ann.link = lostFrames('hello')
    await reconnect(ann)
    await ann.run(() => ann.engine.runner.runNow(id))
    await cutOff(ann)
    inState(ann.payment(id), 'settling')
    const backup = other.copy()
    world.forget(other)
    expect(ann.merge(backup)).toMatchObject({ isNews: true })
    expect(ann.payment(id)).toMatchObject({ handedOver: true })
    expect(ann.store.read.coinsOf(id).map(({ state }) => state)).toEqual(['handed_over'])
    expect(ann.merge(backup)).toMatchObject(nothing)
    withoutSearch(ann)
  })

  /**
   * Which row stands when one payment has come to different states in two lives, both after it was signed: ours down, the
   * backup's across. `received` is `signed` with a receipt, `signed` what a person has said was delivered; * has another
   * signature for the same Terms.
   */
  const whoseRowStands = `
                    settling handing_over signed received voided reclaiming settled final bounced dead replaced reclaimed
    settling        ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    handing_over    ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    signed          ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    received        ours     ours         ours   ours     ours   ours       theirs  theirs ours   ours theirs   theirs
    voided          ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    reclaiming      ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours ours     theirs
    settled         ours     ours         ours   ours     ours   ours       ours    ours   ours   ours ours     ours
    final           ours     ours         ours   ours     ours   ours       ours    ours   ours   ours ours     ours
    bounced         ours     ours         ours   ours     ours   ours       theirs  theirs ours   ours theirs   theirs
    dead            ours     ours         ours   ours     ours   ours       theirs  theirs ours   ours theirs   theirs
    bounced*        ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    dead*           ours     ours         ours   theirs   ours   ours       theirs  theirs ours   ours theirs   theirs
    replaced        ours     ours         ours   ours     ours   ours       theirs  theirs ours   ours ours     theirs
    reclaimed       ours     ours         ours   ours     ours   ours       ours    ours   ours   ours ours     ours`

  test('of one payment in two states: facts count, then who has it in hand; that they parted is news, once', async () => {
    const world = await openWorld()
    const { ann, bob } = await twoLives(world)
    await cutOff(ann)
    const { id } = await ann.prepare(bob, 9)
    bob.isListening = false
    await ann.run(() => ann.engine.confirmPay(id))
    const before = ann.copy()
    const at = world.clock.now()
    /** The wallet's file as it would be in this state. */
    const fileIn = (state: string, whose: 'ours' | 'theirs'): string => {
      const path = join(dirname(before), `${whose} ${state}.db`)
      copyFileSync(before, path)
      const name = state === 'received' ? 'signed' : state.replace('*', '')
      change(
        path,
        `UPDATE operation SET state = ?2, data = json_set(data, '$.state', ?2, '$.lastError', ?3) WHERE id = ?1`,
        id,
        name,
        whose,
      )
      if (state === 'received')
        change(
          path,
          `UPDATE operation SET data = json_set(data, '$.receipt', json('{"body":"00","sig":"00"}')) WHERE id = ?`,
          id,
        )
      if (state === 'settled' || state === 'final')
        change(path, `UPDATE operation SET data = json_set(data, '$.settledHandover', '00') WHERE id = ?`, id)
      if (state.endsWith('*'))
        change(path, `UPDATE operation SET data = json_set(data, '$.swap.digest', '00') WHERE id = ?`, id)
      const when = at + (whose === 'ours' ? 1 : 2)
      change(path, 'INSERT INTO operation_event (operation_id, at, state) VALUES (?, ?, ?)', id, when, name)
      return path
    }
    const [states = [], ...rows] = whoseRowStands
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    const theirFiles = states.map((state) => fileIn(state, 'theirs'))
    const stands = rows.map(([ours = '']) => {
      const file = fileIn(ours, 'ours')
      return [ours, ...theirFiles.map((backup) => whoseStands(file, backup, id))]
    })
    expect(stands).toEqual(rows)
    world.isCookingBooks = true
    world.forget(ann)
  })

  /** By the reason that a row names. */
  function whoseStands(ours: string, backup: string, id: string): string {
    const path = `${ours}.merged`
    copyFileSync(ours, path)
    const { store, merge } = openWalletFile(path)
    const merged = () => merge({ path: backup, now: 0, onNews: () => {} })
    const row = () => ({ whose: store.read.operation(id)?.lastError, story: store.read.history(id) })
    const ourStory = row().story
    expect(merged()).toMatchObject({ isNews: true })
    const once = row()
    expect(once.story).toHaveLength(ourStory.length + 1)
    expect(merged()).toMatchObject(nothing)
    expect(row()).toEqual(once)
    store.close()
    return once.whose ?? ''
  }

  test('property: nothing of either is lost, nothing moves back, and twice is as good as once', async () => {
    const deed = fc.constantFrom('withdraw', 'pay', 'get', 'offline', 'online', 'cash out', 'lose', 'rest')
    const lives = fc.array(fc.tuple(deed, fc.boolean()), { minLength: 3, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(lives, fc.nat(3), async (deeds, at) => {
        const world = await openWorld()
        const { ann, bob, copied } = await twoLives(world, 200)
        let copy: TestWallet | undefined
        for (const [index, [one, isCopy]] of deeds.entries()) {
          if (index === Math.min(at, deeds.length - 1)) copy = await copied()
          await live(world, isCopy && copy ? copy : ann, bob, one)
        }
        const second = copy ?? (await copied())
        const backup = ann.copy()
        const before = now(second)
        const merged = second.merge(backup)
        const after = now(second)
        expect(merged.skipped).toBe(0)
        assertNothingLost(before, dump(backup), after)
        expect(second.merge(backup)).toMatchObject(nothing)
        expect(now(second)).toEqual(after)
        withoutSearch(second)
        world.forget(ann)
        world.heal()
        await world.rest(2 * dayMs)
        expectConserved(world)
        await world.end()
      }),
      { numRuns: howMany(5, 100) },
    )
  }, 600_000)
})

/** How far a coin has come. */
const far: Readonly<Record<string, number>> = { spendable: 0, quarantined: 1, reserved: 1, handed_over: 1, spent: 2 }

function assertNothingLost(ours: Record<Table, Rows>, theirs: Record<Table, Rows>, after: Record<Table, Rows>): void {
  const keys: Partial<Record<Table, string>> = {
    mint: 'url',
    keyset: 'id',
    operation: 'id',
    output: 'B_',
    coin: 'Y',
    seen: 'Y',
  }
  for (const [table, key] of Object.entries(keys) as [Table, string][]) {
    const there = new Set(after[table].map((row) => row[key]))
    for (const row of [...ours[table], ...theirs[table]]) expect(there, `${table} ${row[key]}`).toContain(row[key])
  }
  const bounced = new Set(ours.operation.filter(({ state }) => state === 'bounced').map(({ id }) => id))
  for (const coin of ours.coin) {
    const now = after.coin.find(({ Y }) => Y === coin['Y'])
    // Spent, as a bounced payment says: whoever has it in hand may know better.
    if (bounced.has(coin['operation_id']) && now?.['operation_id'] !== coin['operation_id']) continue
    expect(far[String(now?.['state'])], `${coin['state']} → ${now?.['state']}`).toBeGreaterThanOrEqual(
      far[String(coin['state'])] ?? 9,
    )
  }
  const place = ({ generation, path_account, purse }: Record<string, unknown>) =>
    `${generation}/${path_account}/${purse}`
  const next = new Map(after.purse.map((row) => [place(row), Number(row['next_coin'])]))
  for (const purse of [...ours.purse, ...theirs.purse]) {
    expect(next.get(place(purse))).toBeGreaterThanOrEqual(Number(purse['next_coin']))
  }
  for (const { operation_id, at, state } of [...ours.operation_event, ...theirs.operation_event]) {
    expect(after.operation_event).toContainEqual(expect.objectContaining({ operation_id, at, state }))
  }
}

describe('a coin that two lives have promised', () => {
  const late = { settleDelayMs: [12 * hourMs, 24 * hourMs] as const }

  /** One coin in two lives, which do not see each other; three people around them. */
  async function twice() {
    const world = await openWorld()
    const ann = await world.wallet('payer', { config: late })
    const bob = await world.wallet('bob')
    const carol = await world.wallet('carol')
    await ann.withdraw(64)
    await bob.withdraw(50)
    await carol.withdraw(50)
    const other = await world.wallet('other', { phrase: 'payer', copy: ann.copy(), config: late })
    await cutOff(ann, bob, carol, other)
    return { world, ann, bob, carol, other }
  }

  /** One payment, signed and not answered, in two lives; 8 beside it. */
  async function twiceBegun() {
    const world = await openWorld()
    const ann = await world.wallet('payer', { config: late })
    const bob = await world.wallet('bob')
    for (const amount of [64, 8]) await ann.withdraw(amount)
    await bob.withdraw(50)
    await cutOff(ann, bob)
    const id = await unanswered(ann, bob, 20)
    const other = await world.wallet('other', { phrase: 'payer', copy: ann.copy(), config: late })
    await cutOff(other)
    world.clock.move(minuteMs)
    return { world, ann, bob, other, id }
  }

  /** The file of the other life is read, and that life is over. */
  function comeTogether(world: World, ann: TestWallet, other: TestWallet): void {
    const backup = other.copy()
    world.forget(other)
    ann.merge(backup)
    withoutSearch(ann)
  }

  /** A payment that is signed and waits for its payee. */
  async function unanswered(payer: TestWallet, payee: TestWallet, amount: number): Promise<string> {
    const { id } = await payer.prepare(payee, amount)
    payee.isListening = false
    await payer.run(() => payer.engine.confirmPay(id))
    inState(payer.payment(id), 'handing_over')
    payee.isListening = true
    return id
  }

  function claimsOf(...payees: readonly TestWallet[]): number {
    return payees.flatMap(({ store }) =>
      store.read.operations({ kind: 'receive' }).filter((operation) => 'claim' in operation && operation.claim),
    ).length
  }

  test('to somebody who has it in hand is not promised to anybody else by a payment that came', async () => {
    const { world, ann, bob, carol, other } = await twice()
    const given = await ann.pay(bob, 9)
    const waiting = await unanswered(other, carol, 20)
    comeTogether(world, ann, other)
    expect(ann.engine.reclaimable(ann.payment(waiting))).toBe('no')
    await reconnect(ann)
    await world.rest(hourMs)
    await reconnect(bob, carol)
    await world.rest(2 * dayMs)
    expect([ann.payment(given).state, ann.payment(waiting).state]).toEqual(['final', 'bounced'])
    expect(claimsOf(bob, carol)).toBe(1)
    expect(bob.incoming().state).toBe('final')
  })

  test('to somebody who has it in hand, as the file says, is not promised to anybody else by a payment of ours', async () => {
    const { world, ann, bob, carol, other } = await twice()
    const waiting = await unanswered(ann, carol, 20)
    const given = await other.pay(bob, 9)
    comeTogether(world, ann, other)
    await reconnect(ann)
    await world.rest(hourMs)
    await reconnect(bob, carol)
    await world.rest(2 * dayMs)
    expect([ann.payment(given).state, ann.payment(waiting).state]).toEqual(['final', 'bounced'])
    expect(claimsOf(bob, carol)).toBe(1)
    expect(bob.incoming().state).toBe('final')
  })

  test('to somebody who has it in hand is not taken home by a swap that came, nor paid out', async () => {
    const { world, ann, bob, carol, other } = await twice()
    const given = await ann.pay(bob, 9)
    // The other life signed for Carol, who never came for it, and took it back without getting through to the mint.
    const waiting = await unanswered(other, carol, 20)
    await other.run(() => other.engine.reclaim(waiting, true))
    comeTogether(world, ann, other)
    await reconnect(ann)
    await world.rest(hourMs)
    expect(bob.incoming().state).toBe('signed')
    await reconnect(bob)
    await world.rest(2 * dayMs)
    expect(ann.payment(given).state).toBe('final')
    expect(bob.incoming().state).toBe('final')
    expect(ann.refreshes().filter(({ reason }) => reason === 'reclaim')).toMatchObject([{ state: 'lost' }])
  })

  test('by one payment, and that the other life has delivered, is not taken home by this one', async () => {
    const { world, ann, bob, other, id } = await twiceBegun()
    // Here a person takes it back, and the swap cannot get through to the mint.
    await ann.run(() => ann.engine.reclaim(id, true))
    world.clock.move(hourMs)
    await other.run(() => other.engine.runner.runNow(id))
    expect(inState(other.payment(id), 'signed').receipt).not.toBeNull()
    comeTogether(world, ann, other)
    await reconnect(ann)
    await world.rest(hourMs)
    expect(bob.incoming().state).toBe('signed')
    await reconnect(bob)
    await world.rest(2 * dayMs)
    expect([ann.payment(id).state, bob.incoming().state]).toEqual(['final', 'final'])
    expect(ann.refreshes().filter(({ reason }) => reason === 'reclaim')).toMatchObject([{ state: 'lost' }])
  })

  test('is not all that rests then: whoever wrote the file has every other coin as well', async () => {
    const { world, ann, bob, other, id } = await twiceBegun()
    expect(ann.totals().spendable).toBe(8)
    await other.run(() => other.engine.runner.runNow(id))
    world.clock.move(minuteMs)
    await ann.run(() => ann.engine.runner.runNow(id))
    // Both have a receipt, and ours stays: of what the other one did nothing counts here.
    expect([ann, other].map((life) => inState(life.payment(id), 'signed').grade)).toEqual(['signed', 'signed'])
    expect(ann.merge(other.copy())).toMatchObject({ isNews: true, payments: 0, coins: [] })
    expect(ann.totals()).toMatchObject({ spendable: 0, quarantined: 8 })
    expect(copiesOf(ann.store.read)).toMatchObject({ cause: 'backup', isReleased: false, round: 1 })
    expect(storedGeneration(ann.store.read)).toBeGreaterThan(0)
    withoutSearch(ann)
    world.forget(other)
    await reconnect(ann, bob)
    await world.rest(2 * dayMs)
  })

  test('to two who may both have it is shown to nobody a second time; it comes home when neither had it', async () => {
    const { world, ann, bob, carol, other } = await twice()
    const lose = async (payer: TestWallet, payee: TestWallet): Promise<string> => {
      const { id } = await payer.prepare(payee, 20)
      payer.link = lostFrames('handover')
      await payer.run(() => payer.engine.confirmPay(id))
      inState(payer.payment(id), 'handing_over')
      expect(payer.payment(id)).toMatchObject({ handedOver: true })
      payer.link = goodLink
      return id
    }
    const ids = [await lose(ann, bob), await lose(other, carol)]
    comeTogether(world, ann, other)
    await reconnect(ann, bob, carol)
    await world.rest(2 * dayMs)
    expect(claimsOf(bob, carol)).toBe(0)
    expect(ann.totals()).toMatchObject({ quarantined: 64, handed_over: 0, reserved: 0 })
    world.clock.move(32 * dayMs)
    await ann.look()
    await world.rest(dayMs)
    expect(ids.map((id) => ann.payment(id).state)).toEqual(['bounced', 'bounced'])
    expect(ann.totals()).toMatchObject({ spendable: 64, quarantined: 0 })
  }, 240_000)
})
