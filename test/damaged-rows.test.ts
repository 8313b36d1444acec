// A row that a disk or another program spoiled is said to be damaged, by that name, whatever is wrong with it; and what
// stood in it is not said.

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { restoreView } from '../electron/restore-view.ts'
import { settingsOf } from '../electron/settings.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import type { Operation } from '../electron/wallet/operation.ts'
import { createRunner } from '../electron/wallet/runner.ts'
import type { WalletStore } from '../electron/wallet/store-port.ts'
import { createWalletView } from '../electron/wallet-view.ts'
import {
  always,
  cutOff,
  dayMs,
  honest,
  hourMs,
  lostAnswer,
  lostRequest,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  type TestWallet,
  type World,
} from './engine-fixture.ts'

const id = 'ab'.repeat(16)
const nonce = '5ec4e7'.repeat(10)
const withdraw: Operation = {
  ...{ id, kind: 'withdraw', state: 'quoting', account: 0, unit: 'sat', amount: 4 },
  ...{ createdAt: 1, updatedAt: 1, nextAttemptAt: 1, attempts: 0, lastError: null },
}

let folder: string
let store: WalletStore
let db: DatabaseSync
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-rows-'))
  store = openWalletStore(join(folder, 'wallet.db'))
  store.transaction((write) => {
    const mint = { url: 'http://127.0.0.1:1', name: null, version: null, offlineCapable: true }
    write.insertMint({ ...mint, lastReachedAt: null, alarm: null })
    write.insertOperation(withdraw)
    write.setMeta('settings', {})
    const keys = { 1: `02${'ab'.repeat(32)}` }
    write.putKeyset(0, { id: '00', idV2: '01', unit: 'sat', active: true, feePpk: 0, finalExpiry: null, keys })
  })
  db = new DatabaseSync(join(folder, 'wallet.db'))
  db.exec('PRAGMA ignore_check_constraints = ON')
})
afterEach(() => {
  db.close()
  store.close()
  rmSync(folder, { recursive: true })
})

/** A coin's nonce right where the text breaks, which is what a parser likes to quote. */
const broken = `{"id":"${id}","secret":"${nonce.slice(0, 6)}`
const tooLarge = '9223372036854775807'

test.each<[string, string, (store: WalletStore) => unknown]>([
  ['no JSON', `UPDATE operation SET data = '${broken}'`, ({ read }) => read.operation(id)],
  ['no operation', `UPDATE operation SET data = '{"secret":"${nonce}"}'`, ({ read }) => read.operations({})],
  ['a number for an operation', 'UPDATE operation SET data = 7', ({ read }) => read.operation(id)],
  ['a time beyond counting', `UPDATE operation SET next_attempt_at = ${tooLarge}`, ({ read }) => read.operation(id)],
  ['keys that are no JSON', `UPDATE keyset SET keys = '${broken}'`, ({ read }) => read.keysets(0)],
  ['keys that are a list', `UPDATE keyset SET keys = '[]'`, ({ read }) => read.keyset('00')],
  ['a fee beyond counting', `UPDATE keyset SET fee_ppk = ${tooLarge}`, ({ read }) => read.keysets(0)],
  ['a flag that is none', 'UPDATE mint SET offline_capable = 2', ({ read }) => read.mints()],
  ['settings that are no JSON', `UPDATE meta SET value = '${broken}'`, settingsOf],
])('a row with %s is damaged, and nothing of it is told', (_, sql, read) => {
  db.exec(sql)
  let thrown: unknown
  try {
    read(store)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({ name: 'AppError', code: 'folder_damaged' })
  expect(inspect(thrown, { depth: 10 })).not.toContain(nonce.slice(0, 6))
})

const spoilings = ['7', '{"x":', `{"secret":"${nonce}"}`]

describe('one row that cannot be read', () => {
  const other: Operation = { ...withdraw, id: 'cd'.repeat(16) }
  const spoil = (data: string) => db.prepare('UPDATE operation SET data = ? WHERE id = ?').run(data, id)
  const running = () => {
    const stepped: string[] = []
    const reports: string[] = []
    const clock = { nowMs: 10 }
    const runner = createRunner({
      store,
      clock: { now: () => clock.nowMs, wait: () => new Promise(() => {}) },
      step: async (operation) => {
        stepped.push(operation.id)
        store.transaction((write) => write.updateOperation({ ...operation, nextAttemptAt: clock.nowMs + 1000 }))
      },
      report: (error) => reports.push(`${error.code} ${error.message}`),
    })
    return { stepped, reports, clock, runner }
  }

  test.each(spoilings)('is left out of what is due, and named: %s', (data) => {
    store.transaction((write) => write.insertOperation(other))
    spoil(data)
    const { operations, unreadable } = store.read.dueOperations(10, 10)
    expect(operations.map((operation) => operation.id)).toEqual([other.id])
    expect(unreadable).toEqual([id])
  })

  test.each(spoilings)('holds up nothing that is due beside it, and is told once: %s', async (data) => {
    store.transaction((write) => write.insertOperation(other))
    spoil(data)
    const { stepped, reports, clock, runner } = running()
    await runner.runDue()
    expect(stepped).toEqual([other.id])
    // Otherwise the runner would look again in a millisecond, for ever.
    expect(store.read.nextDueAt()).toBe(clock.nowMs + 1000)
    clock.nowMs += 3 * 24 * 3_600_000
    await runner.runDue()
    expect(stepped).toEqual([other.id, other.id])
    expect(reports).toEqual([`folder_damaged operation ${id} cannot be read`])
  })

  test.each(spoilings)('does not keep what waits for a mint from being hastened: %s', (data) => {
    store.transaction((write) => write.insertOperation({ ...other, nextAttemptAt: 500, attempts: 3, updatedAt: 400 }))
    spoil(data)
    db.prepare('UPDATE operation SET next_attempt_at = 900 WHERE id = ?').run(id)
    store.transaction((write) => {
      write.hastenRetries(0, 20)
      write.hastenFuture(20)
    })
    expect(store.read.operation(other.id)?.nextAttemptAt).toBe(20)
  })

  test('a time beyond counting is not the next one', () => {
    db.exec(`UPDATE operation SET next_attempt_at = ${tooLarge}`)
    expect(store.read.nextDueAt()).toBeNull()
  })
})

test('a wallet with a spoiled question opens, looks and settles what it owes', { timeout: 60_000 }, async () => {
  const world = await openWorld()
  world.isCookingBooks = true
  const { payer, payee } = await payerAndPayee(world, { money: 63 })
  await cutOff(payer, payee)
  const signed = await payer.pay(payee, 13)
  await payer.prepare(payee, 2)
  const copy = payer.copy()
  const file = new DatabaseSync(copy)
  file.exec('PRAGMA ignore_check_constraints = ON')
  expect(file.prepare(`UPDATE operation SET data = '{"x":' WHERE state = 'agreed'`).run().changes).toBe(1)
  file.close()
  payer.reopen(undefined, copy)
  await reconnect(payer, payee)
  await payer.look()
  await payer.run(() => payer.engine.runner.runDue())
  await world.rest()
  expect(payer.payment(signed).state).toBe('final')
  expect(payer.reports.filter((report) => report.includes('cannot be read'))).toHaveLength(1)
  world.forget(payer)
})

test('a spoiled row keeps nobody from seeing what else there is, nor the wallet from looking at its mints', {
  timeout: 120_000,
}, async () => {
  const world = await openWorld()
  world.isCookingBooks = true
  const { payer, payee } = await payerAndPayee(world, { money: 63 })
  await payer.pay(payee, 13)
  await payee.pay(payer, 2)
  await payer.withdraw(7)
  await payer.cashOut(3)
  const copy = payer.copy()
  /** Payments, withdraws, cash outs, and payments of a page. */
  const left = {
    pay: [1, 2, 1, 1],
    receive: [1, 2, 1, 1],
    withdraw: [2, 1, 1, 2],
    refresh: [2, 2, 1, 2],
    melt: [2, 2, 0, 2],
  }
  for (const [kind, expected] of Object.entries(left)) {
    const spoiled = `${copy}-${kind}`
    copyFileSync(copy, spoiled)
    const file = new DatabaseSync(spoiled)
    file.exec('PRAGMA ignore_check_constraints = ON')
    const newest = 'SELECT MAX(seq) FROM operation WHERE kind = ?'
    const { changes } = file.prepare(`UPDATE operation SET data = '7' WHERE seq = (${newest})`).run(kind)
    expect([kind, changes]).toEqual([kind, 1])
    file.close()
    payer.reopen(undefined, spoiled)
    await payer.look()
    expect(payer.engine.mints.reachability(0).reachable).toBe(true)
    const view = createWalletView({
      ...{ engine: payer.engine, store: payer.store, clock: world.clock, version: '0.0.0' },
      ...{ sealing: () => 'plain', practiceUrl: () => null },
      reach: { state: () => ({ isLooking: false, visibleUntil: null, people: [] }) as never },
    })
    const { items } = view.page({ before: null, limit: 9, search: '', filter: 'all' })
    const lists = [view.payments(9), view.withdraws(), view.cashOuts(), items]
    expect([kind, lists.map(({ length }) => length)]).toEqual([kind, expected])
    expect(view.mints()).toHaveLength(1)
  }
  world.forget(payer)
})

/** One row of this kind, or the one of this id, in a copy of a wallet's file. */
function spoilIn(copy: string, where: string): void {
  const file = new DatabaseSync(copy)
  file.exec('PRAGMA ignore_check_constraints = ON')
  expect(file.prepare(`UPDATE operation SET data = '{"x":7}' WHERE ${where}`).run().changes).toBe(1)
  file.close()
}
const viewOf = (world: World, wallet: TestWallet) => restoreView({ store: wallet.store, clock: world.clock })

describe('a spoiled row of a wallet', { timeout: 300_000 }, () => {
  const memories: string[] = []
  const memory = () => {
    const at = mkdtempSync(join(tmpdir(), 'farthing-memory-'))
    memories.push(at)
    return at
  }
  afterEach(() => {
    for (const at of memories.splice(0)) rmSync(at, { recursive: true, force: true })
  })

  test('that was a search does not keep an old copy from being opened and known for one', async () => {
    const world = await openWorld()
    const alice = await world.wallet('alice', { memory: memory(), phrase: 'alice' })
    await world.rest(0)
    const copy = alice.copy()
    spoilIn(copy, "kind = 'restore'")
    await alice.withdraw(8)
    alice.reopen(undefined, copy)
    expect(viewOf(world, alice).cause).toBe('old_copy')
    await world.rest(0)
    expect(alice.totals().quarantined).toBe(8)
    world.isCookingBooks = true // of who is left
    world.forget(alice)
  })

  /** A purse with coins, and a swap on its way that brings more into it; money of another purse beside them. */
  const withSwapOnItsWay = async (world: World, options: { readonly memory?: string }) => {
    const config = { refreshDelayMs: [minuteMs, minuteMs] as const }
    const alice = await world.wallet('alice', { ...options, config })
    await alice.withdraw(4)
    await alice.withdraw(2)
    await world.pass(hourMs)
    await alice.withdraw(32)
    alice.mint = always(['swap'], lostRequest)
    for (let n = 0; n < 4; n++) {
      await alice.look()
      world.clock.move(minuteMs)
    }
    const [stuck] = alice.refreshes()
    expect(stuck).toMatchObject({ state: 'settling', amount: 32 })
    await alice.withdraw(16)
    const copy = alice.copy()
    spoilIn(copy, `id = '${stuck?.id}'`)
    return { alice, copy, target: stuck?.target ?? 0 }
  }

  test('that was a swap on its way keeps nothing else that rests from coming home', async () => {
    const world = await openWorld()
    const { alice, copy } = await withSwapOnItsWay(world, { memory: memory() })
    await alice.withdraw(1)
    alice.reopen(undefined, copy)
    alice.mint = honest
    expect(viewOf(world, alice).cause).toBe('old_copy')
    await world.rest(0)
    await alice.run(() => alice.engine.noOpenPayments())
    await world.rest(hourMs)
    expect(alice.totals()).toMatchObject({ spendable: 4 + 2 + 16 + 1, reserved: 32, quarantined: 0 })
    world.isCookingBooks = true // of who is left
    world.forget(alice)
  })

  test('that was a swap on its way keeps no coins from being gathered, in a purse without gaps', async () => {
    const world = await openWorld()
    const { alice, copy, target } = await withSwapOnItsWay(world, {})
    alice.reopen(undefined, copy)
    alice.mint = honest
    await world.pass(2 * hourMs)
    const purses = new Set(alice.store.read.coins(0, 'sat', 'spendable').map(({ purseId }) => purseId))
    expect(purses.size).toBe(1)
    expect(purses.has(target)).toBe(false)
    for (const id of purses) {
      expect(alice.store.read.coinsIn(id).map(({ path }) => path.coin)).toEqual(
        Array.from({ length: alice.store.read.purse(id)?.nextCoin ?? 0 }, (_, coin) => coin),
      )
    }
    world.isCookingBooks = true // of who is left
    world.forget(alice)
  })

  test('whose coin is known, or was never stored, stops no search: what only the mint knows of is found', async () => {
    const world = await openWorld()
    const alice = await world.wallet('alice', { memory: memory() })
    const bob = await world.wallet('bob')
    const known = await alice.withdraw(4)
    await alice.withdraw(32)
    alice.mint = always(['issue'], lostAnswer)
    const unknown = await alice.withdraw(8)
    expect(unknown.state).toBe('issuing')
    alice.mint = honest
    const copy = alice.copy()
    await alice.pay(bob, 10)
    await world.rest()
    spoilIn(copy, `id = '${known.id}'`)
    spoilIn(copy, `id = '${unknown.id}'`)
    alice.reopen(undefined, copy)
    expect(viewOf(world, alice).cause).toBe('old_copy')
    await world.rest(0)
    expect(viewOf(world, alice).searches).toMatchObject([{ state: 'done', trouble: null }])
    await alice.run(() => alice.engine.noOpenPayments())
    await world.rest(dayMs)
    expect(alice.totals()).toMatchObject({ spendable: 4 + 32 + 8 - 10, quarantined: 0 })
    world.isCookingBooks = true // of who is left
    world.forget(alice)
  })
})
