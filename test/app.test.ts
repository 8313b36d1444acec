// A whole app as its windows see it: one snapshot, then what changes, over two real wallets and a real mint.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type App, type AppOptions, startApp } from '../electron/app.ts'
import { createFeed, type FeedParts } from '../electron/feed.ts'
import type { PracticeLauncher } from '../electron/practice.ts'
import { writeInvoice } from '../mint/funding/bolt11.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type { Slices, Snapshot } from '../shared/model.ts'

type Window = { readonly app: App; readonly events: HostEvent[]; seen(): Promise<Snapshot> }

const folder = mkdtempSync(join(tmpdir(), 'farthing-app-'))
let mint: RunningMint
let opened: Window[] = []
const logs: string[] = []

/** An app and a window that mirrors it as the renderer does: subscribed first, then one snapshot, then every event. */
async function open(name: string, more: Partial<AppOptions> = {}): Promise<Window> {
  const events: HostEvent[] = []
  const app = await startApp({
    folder: join(folder, name),
    name,
    listenHost: '127.0.0.1',
    tickMs: 200,
    config: { settleDelayMs: [0, 0], refreshDelayMs: [1e9, 1e9], readingGapMs: 50, retryMs: [50, 200] },
    onEvent: (event) => events.push(event),
    log: (line) => logs.push(line),
    ...more,
  })
  const first = await app.handlers['app.snapshot']({})
  const window = {
    app,
    events,
    seen: async () => {
      const slices: Slices = { ...first.slices }
      let { revision } = first
      for (const event of events) {
        if (event.kind === 'slice' || event.kind === 'payment') {
          if (event.revision <= revision) continue
          expect(event.revision, 'no gap').toBe(revision + 1)
          revision = event.revision
        }
        if (event.kind === 'slice') Object.assign(slices, { [event.name]: event.value })
      }
      return { revision, slices }
    },
  }
  opened.push(window)
  return window
}

async function withCoins(name: string, amount: number): Promise<Window> {
  const window = await open(name)
  await window.app.handlers['mints.add']({ url: mint.url })
  await window.app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount })
  await vi.waitFor(async () => expect(await spendable(window)).toBe(amount), { timeout: 10_000 })
  return window
}

const spendable = async (window: Window) => (await window.seen()).slices.mints[0]?.balances[0]?.spendable ?? 0

async function pay(from: Window, to: Window, amount: number, memo?: string): Promise<string> {
  const order = { mintUrl: mint.url, unit: 'sat', amount, singleUse: true }
  const request = await to.app.handlers['request.create'](order)
  const preview = await from.app.handlers['pay.prepare']({
    request: request.link,
    ...(memo === undefined ? {} : { memo }),
  })
  await from.app.handlers['pay.confirm']({ id: preview.id })
  return preview.id
}

beforeAll(async () => {
  mint = await startMintServer({ dataFolder: join(folder, 'mint'), practiceDelayMs: 0 })
})
beforeEach(() => {
  opened = []
})
afterEach(async () => {
  for (const { app } of opened) await app.stop()
  for (const name of ['Ann', 'Bob']) rmSync(join(folder, name), { recursive: true, force: true })
})
afterAll(async () => {
  await mint.close()
  rmSync(folder, { recursive: true })
})

describe('a window', () => {
  test('that applies every event has what a new snapshot says, without a gap', async () => {
    const ann = await withCoins('Ann', 100)
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    await pay(ann, bob, 30, 'Half the pizza')
    for (const window of [ann, bob]) {
      await vi.waitFor(async () => {
        const mirrored = await window.seen()
        const fresh = await window.app.handlers['app.snapshot']({})
        expect(mirrored).toEqual(fresh)
        expect(mirrored.slices.latest[0]).toMatchObject({ state: 'final', amount: 30, memo: 'Half the pizza' })
      })
    }
    expect(await spendable(ann)).toBe(70)
    expect(await spendable(bob)).toBe(30)
  })

  test('hears of each payment what it was before: new, then signed or final, once each', async () => {
    const ann = await withCoins('Ann', 100)
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    await pay(ann, bob, 5)
    await vi.waitFor(async () => expect((await bob.seen()).slices.latest[0]?.state).toBe('final'))
    const arrived = bob.events.filter((event) => event.kind === 'payment' && event.payment.state === 'final')
    expect(arrived.length).toBeGreaterThan(0)
    const [first, ...later] = arrived.map((event) => (event.kind === 'payment' ? event.was : undefined))
    expect(first).not.toBe('final')
    expect(later.every((was) => was === 'final' || was === first)).toBe(true)
  })
})

describe('payments', () => {
  test('are found by name, note and amount, page by page, and exported', async () => {
    const ann = await withCoins('Ann', 200)
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    for (const [amount, memo] of [
      [11, 'Bread 100%'],
      [12, '=cmd()'],
      [13, 'bread, with "seeds"'],
    ] as const) {
      await pay(ann, bob, amount, memo)
    }
    const page = (more: object) => ann.app.handlers['payments.page']({ limit: 2, filter: 'all', ...more } as never)
    const first = await page({})
    expect(first).toMatchObject({ total: 3, items: [{ amount: 13 }, { amount: 12 }] })
    expect(await page({ before: first.next })).toMatchObject({ total: 3, items: [{ amount: 11 }], next: null })
    expect(await page({ search: 'BREAD' })).toMatchObject({ total: 2, items: [{ amount: 13 }, { amount: 11 }] })
    expect(await page({ search: '0%' })).toMatchObject({ total: 1, items: [{ amount: 11 }] })
    expect(await page({ search: '%' })).toMatchObject({ total: 1 })
    expect(await page({ search: 'bob' })).toMatchObject({ total: 3 })
    expect(await page({ search: '12' })).toMatchObject({ total: 1, items: [{ amount: 12 }] })
    expect(await page({ filter: 'in' })).toMatchObject({ total: 0 })
    expect(await page({ filter: 'out' })).toMatchObject({ total: 3 })

    const { csv, count } = await ann.app.handlers['payments.export']({})
    const [header, ...lines] = csv.trimEnd().split('\r\n')
    expect(header).toBe('time,direction,state,amount,fee,unit,name,note,mint,id')
    expect(count).toBe(3)
    expect(lines[0]).toContain('"bread, with ""seeds"""')
    expect(lines[1]).toContain("'=cmd()")
  })

  test('tell their story in order, with the receipt', async () => {
    const ann = await withCoins('Ann', 50)
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    const id = await pay(ann, bob, 7)
    await vi.waitFor(async () => expect((await ann.app.handlers['payments.get']({ id })).state).toBe('final'))
    const detail = await ann.app.handlers['payments.get']({ id })
    expect(detail.timeline.map(({ state }) => state)).toEqual(['preparing', 'on_its_way', 'final'])
    expect(detail.timeline.every(({ at }, index, all) => index === 0 || at >= all[index - 1]!.at)).toBe(true)
    expect(detail).toMatchObject({ receipt: { grade: 'final' }, reclaim: 'no', mayBeDelivered: false, name: 'Bob' })
    expect(detail.payee?.words).toHaveLength(4)
    const bobs = (await bob.app.handlers['app.snapshot']({})).slices.profile.fingerprint
    expect(detail.payee).toEqual(bobs)
  })
})

describe('a mint', () => {
  test('with coins or open offers stays on the list; an empty one goes, and comes back with its account', async () => {
    const ann = await withCoins('Ann', 8)
    const { handlers } = ann.app
    await expect(handlers['mints.remove']({ url: mint.url })).rejects.toMatchObject({ code: 'wrong_state' })
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    expect(await bob.app.handlers['mints.remove']({ url: mint.url })).toEqual([])
    await expect(
      bob.app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount: 1 }),
    ).rejects.toMatchObject({ code: 'mint_unknown' })
    expect(await bob.app.handlers['mints.add']({ url: mint.url })).toMatchObject({ url: mint.url, isReachable: true })
    await pay(ann, bob, 8)
    await vi.waitFor(async () => expect(await spendable(bob)).toBe(8))
  })

  test('says what can be paid at once', async () => {
    const ann = await withCoins('Ann', 100)
    expect((await ann.seen()).slices.mints[0]).toMatchObject({
      isPlayMoney: true,
      isReachable: true,
      balances: [{ unit: 'sat', spendable: 100, payableAtOnce: 100, onItsWay: 0, signedToUs: 0 }],
    })
  })
})

describe('the twelve words', () => {
  test('count as checked when the three that were asked for are right, and only then', async () => {
    const ann = await open('Ann')
    const { handlers } = ann.app
    const phrase = async () => (await handlers['app.snapshot']({})).slices.profile.phrase
    expect(await phrase()).toBe('unseen')
    await expect(handlers['phrase.check']({ words: ['a', 'b', 'c'] })).rejects.toMatchObject({ code: 'wrong_state' })
    const { words } = await handlers['phrase.show']({})
    expect(words).toHaveLength(12)
    expect(await phrase()).toBe('seen')
    const { positions } = await handlers['phrase.challenge']({})
    const right = positions.map((position) => words[position - 1]!)
    expect(await handlers['phrase.check']({ words: [right[0]!, 'wrong', right[2]!] })).toEqual({
      wrong: [positions[1]],
    })
    expect(await phrase()).toBe('seen')
    expect(await handlers['phrase.check']({ words: right.map((word) => ` ${word.toUpperCase()} `) })).toEqual({
      wrong: [],
    })
    expect(await phrase()).toBe('checked')
    await handlers['phrase.show']({})
    expect(await phrase()).toBe('checked')
  })
})

describe('what a person chose', () => {
  test('survives a restart, and a name given by the host does not replace it', async () => {
    const ann = await open('Ann')
    await ann.app.handlers['profile.rename']({ name: '  Ann of the mill  ' })
    await ann.app.handlers['profile.begin']({})
    await ann.app.handlers['settings.change']({ appearance: 'dark', limits: { single: 900, total: 500, perHour: 3 } })
    await ann.app.stop()
    opened = []
    const again = await open('Ann')
    const { profile, settings } = (await again.app.handlers['app.snapshot']({})).slices
    expect(profile).toMatchObject({ name: 'Ann of the mill', isFirstRun: false, sealing: 'plain' })
    expect(settings).toEqual({
      appearance: 'dark',
      sounds: true,
      notifications: true,
      lan: true,
      idleLockMinutes: null,
      limits: { single: 500, total: 500, perHour: 3 },
    })
  })

  test('limits are kept at once: a signed payment above them is refused', async () => {
    const ann = await withCoins('Ann', 100)
    const bob = await open('Bob', { config: {} })
    await bob.app.handlers['mints.add']({ url: mint.url })
    await bob.app.handlers['settings.change']({ limits: { single: 0, total: 0, perHour: 0 } })
    await mint.close()
    for (const { app } of [ann, bob]) await app.handlers['mints.sync']({})
    await expect(pay(ann, bob, 5)).rejects.toMatchObject({ code: 'limit_single' })
    mint = await startMintServer({
      dataFolder: join(folder, 'mint'),
      port: Number(new URL(mint.url).port),
      practiceDelayMs: 0,
    })
  })

  test('without the local network nobody is looked for and nobody sees this wallet', async () => {
    const ann = await open('Ann')
    const { handlers } = ann.app
    expect(await handlers['nearby.announce']({ on: true })).toEqual({ isOn: true })
    expect(await handlers['nearby.look']({ on: true })).toMatchObject({ isLooking: true, isVisible: true })
    await handlers['settings.change']({ lan: false })
    expect((await handlers['app.snapshot']({})).slices.nearby).toMatchObject({ isLooking: false, isVisible: false })
    expect(await handlers['nearby.announce']({ on: true })).toEqual({ isOn: false })
    expect(await handlers['nearby.look']({ on: true })).toMatchObject({ isLooking: false })
  })

  test('without the local network: what was asked for a moment before does not show this wallet after all', async () => {
    const ann = await open('Ann')
    const { handlers } = ann.app
    // The first time it has to listen before it can be seen.
    const announcing = handlers['nearby.announce']({ on: true })
    await handlers['settings.change']({ lan: false })
    expect(await announcing).toEqual({ isOn: false })
    expect((await handlers['app.snapshot']({})).slices.nearby.isVisible).toBe(false)
  })

  test('the last word counts, when being visible is switched on and off in one breath', async () => {
    const ann = await open('Ann')
    const { handlers } = ann.app
    const announcing = handlers['nearby.announce']({ on: true })
    expect(await handlers['nearby.announce']({ on: false })).toEqual({ isOn: false })
    expect(await announcing).toEqual({ isOn: false })
    expect((await handlers['app.snapshot']({})).slices.nearby.isVisible).toBe(false)
  })
})

describe('the feed', () => {
  const nothing: Slices = {
    profile: {
      name: '',
      fingerprint: { words: ['a', 'b', 'c', 'd'], picture: '' },
      phrase: 'unseen',
      isFirstRun: true,
      sealing: 'plain',
      version: '',
    },
    settings: {
      appearance: 'system',
      sounds: true,
      notifications: true,
      lan: true,
      idleLockMinutes: null,
      limits: { single: 0, total: 0, perHour: 0 },
    },
    mints: [],
    latest: [],
    waiting: { in: 0, out: 0, onItsWay: 0 },
    undecided: [],
    nearby: { isLooking: false, isVisible: false, visibleUntil: null, people: [] },
    withdraws: [],
    cashOuts: [],
    practice: { isOffered: false, state: 'off', mintUrl: null },
    backup: { folder: null, canPick: false, lastSavedAt: null, trouble: null, copies: [] },
    restore: { searches: [], resting: { amounts: [], until: null, isReleased: false }, cause: null, noticedAt: null },
  }
  const feedOf = (read: Partial<FeedParts['read']>) => {
    const sent: HostEvent[] = []
    const errors: unknown[] = []
    const all: FeedParts['read'] = {
      profile: () => nothing.profile,
      settings: () => nothing.settings,
      mints: () => nothing.mints,
      latest: () => nothing.latest,
      waiting: () => nothing.waiting,
      undecided: () => nothing.undecided,
      nearby: () => nothing.nearby,
      withdraws: () => nothing.withdraws,
      cashOuts: () => nothing.cashOuts,
      practice: () => nothing.practice,
      backup: () => nothing.backup,
      restore: () => nothing.restore,
      ...read,
    }
    const feed = createFeed({
      revision: 0,
      read: all,
      payment: () => undefined,
      send: (event) => sent.push(event),
      report: (error) => errors.push(error),
    })
    return { feed, sent, errors }
  }
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('tells a window whose snapshot fell between two changes that the second took the first back', () => {
    let count = 1
    const { feed, sent } = feedOf({ waiting: () => ({ in: count, out: 0, onItsWay: 0 }) })
    feed.touch('waiting')
    vi.advanceTimersByTime(100)
    count = 2
    feed.touch('waiting')
    const { revision, slices } = feed.snapshot()
    expect(slices.waiting.in).toBe(2)
    count = 1
    vi.advanceTimersByTime(100)
    const last = sent.at(-1)
    expect(last).toMatchObject({ name: 'waiting', value: { in: 1 } })
    expect(last?.kind === 'slice' && last.revision).toBeGreaterThan(revision)
  })

  test('sends what can be read when something else cannot', () => {
    const { feed, sent, errors } = feedOf({
      mints: () => {
        throw new Error('unreadable')
      },
    })
    feed.touch('mints', 'waiting')
    vi.advanceTimersByTime(100)
    expect(sent.map((event) => event.kind === 'slice' && event.name)).toEqual(['waiting'])
    expect(errors).toHaveLength(1)
  })

  test('reads nothing any more when it was stopped', () => {
    const { feed, sent } = feedOf({})
    feed.stop()
    feed.touch('waiting')
    vi.advanceTimersByTime(100)
    expect(sent).toEqual([])
  })
})

describe('starting', () => {
  test('without its old network address: the wallet is there all the same, and says why it cannot be reached', async () => {
    const ann = await open('Ann')
    await ann.app.handlers['mints.add']({ url: mint.url })
    await ann.app.handlers['request.create']({ mintUrl: mint.url, unit: 'sat', singleUse: false })
    await ann.app.stop()
    opened = []
    logs.length = 0
    const again = await open('Ann', { listenHost: '203.0.113.7' })
    expect((await again.seen()).slices.mints).toHaveLength(1)
    await vi.waitFor(() => expect(logs.some((line) => line.includes('nobody can reach'))).toBe(true))
  })
})

describe('a practice mint', () => {
  const practiceAt = (
    starts: () => Promise<void>,
  ): { readonly launch: PracticeLauncher; readonly started: () => number } => {
    let count = 0
    const launch: PracticeLauncher = async () => {
      count++
      await starts()
      const over = Promise.withResolvers<void>()
      return {
        mintUrl: mint.url,
        unit: 'sat',
        ended: over.promise,
        stallRequest: async () => '',
        stop: async () => over.resolve(),
      }
    }
    return { launch, started: () => count }
  }

  test('that is asked for twice at once is started once, and gives its coins once', async () => {
    const { launch, started } = practiceAt(async () => {})
    const ann = await open('Ann', { practice: launch })
    const start = () => ann.app.handlers['practice.start']({})
    await Promise.all([start(), start()])
    await vi.waitFor(async () => expect(await spendable(ann)).toBe(100), { timeout: 10_000 })
    expect(started()).toBe(1)
    expect((await ann.seen()).slices.withdraws).toHaveLength(1)
  })

  test('that comes up while the app ends breaks nothing, and none is started after that', async () => {
    const before = practiceAt(async () => {})
    const ann = await open('Ann', { practice: before.launch })
    await ann.app.handlers['practice.start']({})
    await ann.app.stop()
    const up = Promise.withResolvers<void>()
    const { launch, started } = practiceAt(() => up.promise)
    const again = await open('Ann', { practice: launch, tickMs: 1e9 })
    const stopped = again.app.stop()
    up.resolve()
    await stopped
    opened = []
    await expect(again.app.handlers['practice.start']({})).rejects.toMatchObject({ code: 'practice_failed' })
    expect(started()).toBe(1)
  })
})

describe('cash outs and withdraws', () => {
  test('that are open stay in sight however many came after them', async () => {
    const ann = await withCoins('Ann', 50)
    const { handlers } = ann.app
    const invoice = writeInvoice(
      {
        chain: 'bcrt',
        amountMsat: 5000,
        timestamp: Math.floor(Date.now() / 1000),
        paymentHash: '07'.repeat(32),
        paymentSecret: '08'.repeat(32),
        description: '',
        expirySeconds: 3600,
      },
      new Uint8Array(32).fill(9),
    )
    const first = await handlers['cashOut.prepare']({ mintUrl: mint.url, unit: 'sat', invoice })
    for (let count = 0; count < 13; count++) {
      const { id } = await handlers['cashOut.prepare']({ mintUrl: mint.url, unit: 'sat', invoice })
      await handlers['cashOut.abandon']({ id })
    }
    const { cashOuts } = (await handlers['app.snapshot']({})).slices
    expect(cashOuts.map(({ id }) => id)).toContain(first.id)
    expect(cashOuts.filter(({ state }) => state === 'abandoned')).toHaveLength(12)
  })
})

describe('requests', () => {
  test('that a person ended take no more payments', async () => {
    const ann = await withCoins('Ann', 20)
    const bob = await open('Bob')
    await bob.app.handlers['mints.add']({ url: mint.url })
    const request = await bob.app.handlers['request.create']({ mintUrl: mint.url, unit: 'sat', singleUse: false })
    expect(await ann.app.handlers['request.read']({ text: `cashu:${request.text}` })).toMatchObject({
      text: request.text,
      amount: null,
      unit: 'sat',
      mintUrls: [mint.url],
    })
    expect(await bob.app.handlers['request.close']({ id: request.id })).toEqual({ isClosed: true })
    await expect(ann.app.handlers['pay.prepare']({ request: request.text, amount: 3 })).rejects.toMatchObject({
      code: 'request_closed',
    })
    expect(await bob.app.handlers['request.close']({ id: 'unknown' })).toEqual({ isClosed: false })
  })
})

test('a name too long for Terms is refused before anything is opened', async () => {
  await expect(open('Ann', { name: 'é'.repeat(33) })).rejects.toMatchObject({ code: 'bad_input' })
  await open('Ann', { name: 'é'.repeat(32) })
})
