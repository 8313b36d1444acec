// A row that was spoiled, and operations that name it: they go on, or wait and say so; they never take it for nothing where that
// would free a coin or pay twice. What has nothing to do with it works as before.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { predecessors } from '../electron/wallet/replaced.ts'
import { AppError } from '../shared/errors.ts'
import {
  cutOff,
  dayMs,
  hourMs,
  inState,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  signElsewhere,
  type TestWallet,
  type World,
} from './engine-fixture.ts'
import { openApp, type TestApp } from './gate-fixture.ts'
import { openMint } from './mint-fixture.ts'

/** `json_valid` is a constraint of the table, so SQLite's own check finds what is none. */
const spoilings = ['7', '{"x":7}', '{"x":']

/** The wallet goes on with a copy of its file in which this row makes no sense. */
function spoil(world: World, wallet: TestWallet, id: string, data = '{"x":7}'): void {
  const copy = wallet.copy()
  spoilFile(copy, id, data)
  wallet.reopen(undefined, copy)
  world.isCookingBooks = true // of what can be read
}

function spoilFile(path: string, id: string, data = '{"x":7}'): void {
  const file = new DatabaseSync(path)
  file.exec('PRAGMA ignore_check_constraints = ON')
  expect(file.prepare('UPDATE operation SET data = ? WHERE id = ?').run(data, id).changes).toBe(1)
  file.close()
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof AppError ? error.code : String(error)
}

describe('a swap', { timeout: 60_000 }, () => {
  test('that takes back the coins of a payment whose row is spoiled brings them home', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    world.clock.move(8 * dayMs)
    await payer.run(() => payer.engine.reclaim(id, false))
    inState(payer.payment(id), 'reclaiming')
    spoil(world, payer, id)
    await reconnect(payer)
    await world.rest()
    expect(payer.refreshes()).toMatchObject([{ reason: 'reclaim', state: 'done' }])
    expect(payer.totals()).toMatchObject({ spendable: 64, reserved: 0, handed_over: 0 })
    world.forget(payer)
  })

  test('that gathers for a cash out whose row is spoiled keeps the coins for it', async () => {
    const world = await openWorld()
    const wallet = await world.wallet('payer')
    for (const amount of [16, 16]) await wallet.withdraw(amount)
    const { id } = await wallet.prepareCashOut(20)
    await cutOff(wallet)
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    inState(wallet.melt(id), 'gathering')
    spoil(world, wallet, id)
    await reconnect(wallet)
    await world.rest()
    const [swap] = wallet.refreshes()
    expect(swap).toMatchObject({ reason: 'gather', state: 'done' })
    const gathered = wallet.store.read.coinsIn(swap!.target)
    expect(gathered.length).toBeGreaterThan(0)
    expect(new Set(gathered.map(({ state, operationId }) => `${state} ${operationId}`))).toEqual(
      new Set([`reserved ${id}`]),
    )
    world.forget(wallet)
  })
})

describe('a keyset that is spoiled', { timeout: 60_000 }, () => {
  test.each(['signed', 'bounced'] as const)(
    'keeps no payment with its coins that is %s from being shown',
    async (state) => {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      await cutOff(payer, payee)
      const id = await payer.pay(payee, 13)
      const copy = payer.copy()
      const file = new DatabaseSync(copy)
      file.exec(
        `UPDATE operation SET state = '${state}', data = json_set(data, '$.state', '${state}') WHERE id = '${id}'`,
      )
      expect(file.prepare(`UPDATE keyset SET keys = '[7]'`).run().changes).toBe(1)
      file.close()
      payer.reopen(undefined, copy)
      world.isCookingBooks = true
      inState(payer.payment(id), state)
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
      expect(await codeOf(payer.engine.reclaim(id, true))).toBe('wrong_state')
      world.forget(payer)
    },
  )
})

describe('a cash out one of whose swaps is spoiled', { timeout: 60_000 }, () => {
  async function gathering() {
    const world = await openWorld()
    const wallet = await world.wallet('payer')
    for (const amount of [16, 16, 8]) await wallet.withdraw(amount)
    const { id } = await wallet.prepareCashOut(20)
    await cutOff(wallet)
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    spoil(world, wallet, inState(wallet.melt(id), 'gathering').swaps[0]!)
    return { world, wallet, id }
  }

  test('waits, and is over when the offer has ended; nothing fails beside it', async () => {
    const { world, wallet, id } = await gathering()
    await reconnect(wallet)
    await world.rest(10 * minuteMs)
    expect(wallet.melt(id)).toMatchObject({ state: 'gathering', lastError: 'a swap of it cannot be read' })
    await world.rest(2 * hourMs)
    expect(inState(wallet.melt(id), 'failed').reason).toBe('the offer has expired')
    const told = wallet.reports.filter((report) => report.includes('folder_damaged'))
    expect(told.every((report) => report.includes('cannot be read'))).toBe(true)
    world.forget(wallet)
  })

  test('does not refuse the person who confirms it', async () => {
    const world = await openWorld()
    const wallet = await world.wallet('payer')
    for (const amount of [16, 16]) await wallet.withdraw(amount)
    const { id } = await wallet.prepareCashOut(20)
    await cutOff(wallet)
    await wallet.run(() => wallet.engine.confirmCashOut(id))
    const swap = inState(wallet.melt(id), 'gathering').swaps[0]!
    spoil(world, wallet, swap)
    await wallet.run(() => wallet.engine.runner.runNow(swap))
    expect(wallet.reports.filter((report) => report.includes(swap))).toHaveLength(1)
    world.forget(wallet)
  })
})

describe('a payment', { timeout: 60_000 }, () => {
  test('whose coins are taken back by a swap that is spoiled waits for it, and fails no step', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    world.clock.move(8 * dayMs)
    await payer.run(() => payer.engine.reclaim(id, false))
    spoil(world, payer, payer.refreshes()[0]!.id)
    await reconnect(payer)
    await world.rest(dayMs)
    inState(payer.payment(id), 'reclaiming')
    expect(payer.totals()).toMatchObject({ spendable: 0 })
    expect(payer.reports.filter((report) => !report.includes('cannot be read'))).toEqual([])
    world.forget(payer)
  })

  /** Dead, seen by the payer alone, with one that is to sign it anew. */
  async function dead() {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    payee.isListening = false
    await reconnect(payer)
    await world.rest(10 * minuteMs)
    const { replacedBy } = inState(payer.payment(id), 'dead')
    return { world, payer, payee, id, anew: replacedBy! }
  }

  test('that is dead is taken back, though what was to sign it anew is spoiled', async () => {
    const { world, payer, id, anew } = await dead()
    spoil(world, payer, anew)
    await payer.look()
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    inState(payer.payment(id), 'reclaimed')
    expect(payer.totals()).toMatchObject({ spendable: 64, reserved: 0, handed_over: 0 })
    world.forget(payer)
  })

  test('that is to sign a spoiled one anew is shown, signs nothing and waits', async () => {
    const { world, payer, payee, id, anew } = await dead()
    spoil(world, payer, id)
    payee.isListening = true
    await reconnect(payer, payee)
    await world.rest(hourMs)
    const waiting = payer.payment(anew)
    expect(waiting).toMatchObject({ state: 'asking', lastError: 'the payment that it signs anew cannot be read' })
    expect(predecessors(payer.store, waiting)).toEqual([])
    expect(payer.totals()).toMatchObject({ spendable: 0 })
    world.forget(payer)
  })

  test.each(spoilings)('for a request that a spoiled row may have paid is refused: %s', async (data) => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const order = { account: 0, unit: 'sat', amount: 4, singleUse: true }
    const request = payee.engine.createRequest(order)
    const other = payee.engine.createRequest(order)
    const about = ({ id, payeeKey }: typeof request) => ({
      ...{ requestId: id!, expectedKey: payeeKey, isSingleUse: true },
    })
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 4, about(request))
    await reconnect(payer, payee)
    await world.rest()
    inState(payer.payment(id), 'final')
    spoil(world, payer, id, data)
    await payer.look()
    expect(await codeOf(payer.prepare(payee, 4, about(request)))).toBe('conflict')
    await payer.pay(payee, 4, about(other))
    await world.rest()
    expect(payer.totals()).toMatchObject({ spendable: 56 })
    world.forget(payer)
  })
})

describe('an app with a spoiled row', { timeout: 60_000 }, () => {
  const apps: TestApp[] = []
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop()
  })

  async function withWithdraw() {
    const root = mkdtempSync(join(tmpdir(), 'farthing-spoiled-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    const mint = await openMint({ practiceDelayMs: 1e9, clock: { now: () => Date.now() } })
    const folder = join(root, 'wallet')
    const open = async () => {
      const app = await openApp(folder)
      apps.push(app)
      return app
    }
    const app = await open()
    await app.handlers['mints.add']({ url: mint.url() })
    const { id } = await app.handlers['withdraw.start']({ mintUrl: mint.url(), unit: 'sat', amount: 8 })
    const isReached = async (state: string) =>
      expect(await app.handlers['withdraw.get']({ id })).toMatchObject({ state })
    const spoiled = async (spoil = (file: string): void => spoilFile(file, id)) => {
      await app.stop()
      apps.splice(0)
      spoil(join(folder, 'wallet.db'))
      return open()
    }
    return { url: mint.url(), isReached, spoiled }
  }

  test('tells its sums and its claims, and removes no mint that a deposit may be open at', async () => {
    const { url, isReached, spoiled } = await withWithdraw()
    await vi.waitFor(() => isReached('unpaid'), 20_000)
    const app = await spoiled()
    expect(await app.handlers['audit.totals']({})).toMatchObject([{ unit: 'sat', spendable: 0 }])
    expect(await app.handlers['audit.claims']({})).toEqual([])
    expect(await codeOf(app.handlers['mints.remove']({ url }))).toBe('wrong_state')
  })

  test('that was a keyset is shown, with its mint as one that is damaged, and works with another mint', async () => {
    const { url, spoiled } = await withWithdraw()
    const app = await spoiled((path) => {
      const file = new DatabaseSync(path)
      expect(file.prepare(`UPDATE keyset SET keys = '[7]'`).run().changes).toBe(1)
      file.close()
    })
    const { slices } = await app.handlers['app.snapshot']({})
    expect(slices.mints).toMatchObject([{ url, alarm: 'folder_damaged', balances: [] }])
    const other = await openMint({ clock: { now: () => Date.now() } })
    await app.handlers['mints.add']({ url: other.url() })
    await app.handlers['withdraw.start']({ mintUrl: other.url(), unit: 'sat', amount: 4 })
    const balances = async () => (await app.handlers['app.snapshot']({})).slices.mints[1]?.balances
    await vi.waitFor(async () => expect(await balances()).toMatchObject([{ spendable: 4 }]), 20_000)
  })
})
