// A locked wallet runs on: it takes money and settles, and nothing of it can be read or done by whoever stands before it.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AppOptions } from '../electron/app.ts'
import { writeBackupMemory } from '../electron/backup-folder.ts'
import type { PracticeLauncher } from '../electron/practice.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import { type CommandName, commands, type Handlers } from '../shared/ipc.ts'
import {
  abandon,
  createTestClock,
  damageUnderneath,
  openApp,
  passphrase,
  refusal,
  type TestApp,
} from './gate-fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'farthing-lock-'))
let mint: RunningMint
let opened: TestApp[] = []
let serial = 0

beforeAll(async () => {
  mint = await startMintServer({ dataFolder: join(root, 'mint'), practiceDelayMs: 0 })
})
beforeEach(() => {
  opened = []
})
afterEach(async () => {
  for (const app of opened) await app.stop()
})
afterAll(async () => {
  await mint.close()
  rmSync(root, { recursive: true })
})

async function open(more: Partial<AppOptions> = {}): Promise<TestApp> {
  const app = await openApp(join(root, String(++serial), 'wallet'), more)
  opened.push(app)
  await app.handlers['mints.add']({ url: mint.url })
  return app
}

async function withCoins(amount: number): Promise<TestApp> {
  const app = await open()
  await app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount })
  await vi.waitFor(async () => expect(await spendable(app)).toBe(amount))
  return app
}

const spendable = async (app: TestApp) =>
  (await app.handlers['mints.list']({}))[0]?.balances.find(({ unit }) => unit === 'sat')?.spendable ?? 0

const setPassphrase = (app: TestApp) => app.handlers['gate.setPassphrase']({ next: passphrase })

describe('a locked wallet', () => {
  test('is paid and settles underneath; whoever stands before it reads nothing and hears nothing', async () => {
    const ann = await withCoins(100)
    const bob = await open()
    await setPassphrase(bob)
    const order = { mintUrl: mint.url, unit: 'sat', amount: 30, singleUse: false }
    const request = await bob.handlers['request.create'](order)
    expect(await bob.handlers['gate.lock']({})).toEqual({ state: 'locked', retryAt: null })
    const heard = bob.events.length

    // What the first one changed was gathered long before the second one is final.
    for (const _ of ['first', 'second']) {
      const { id } = await ann.handlers['pay.prepare']({ request: request.text })
      await ann.handlers['pay.confirm']({ id })
      await vi.waitFor(async () => expect((await ann.handlers['payments.get']({ id })).state).toBe('final'))
    }
    for (const name of Object.keys(commands) as CommandName[]) {
      if (name.startsWith('gate.')) continue
      const handler = bob.handlers[name] as Handlers['app.snapshot']
      expect(await refusal(handler({})), name).toBe('locked')
    }
    expect(await bob.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: null })
    expect(bob.events.slice(heard)).toEqual([])

    expect(await bob.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
    expect(bob.events[heard]).toEqual({
      kind: 'gate',
      gate: { state: 'open', sealing: 'passphrase', idleLockMinutes: null },
    })
    await vi.waitFor(async () => expect(await spendable(bob)).toBe(60))
    expect((await bob.handlers['app.snapshot']({})).slices.latest[0]).toMatchObject({ state: 'final', amount: 30 })
  })

  test('a window that was open before takes a new snapshot after: revisions leave a gap, and never go back', async () => {
    const ann = await withCoins(20)
    await setPassphrase(ann)
    await vi.waitFor(() => expect(ann.events.some((one) => one.kind === 'slice' && one.name === 'profile')).toBe(true))
    const before = (await ann.handlers['app.snapshot']({})).revision
    await ann.handlers['gate.lock']({})
    await ann.handlers['gate.unlock']({ passphrase })
    await ann.handlers['profile.rename']({ name: 'Ann' })
    const revisions = () => ann.events.flatMap((event) => ('revision' in event ? [event.revision] : []))
    await vi.waitFor(() => expect(revisions().at(-1)).toBeGreaterThan(before))
    expect(revisions()).toEqual([...revisions()].sort((a, b) => a - b))
  })

  test('an answer that comes after it was locked is kept back', async () => {
    const ann = await open()
    await setPassphrase(ann)
    const synced = refusal(ann.handlers['mints.sync']({}))
    const refused = refusal(ann.handlers['mints.add']({ url: 'http://127.0.0.1:1' }))
    await ann.handlers['gate.lock']({})
    expect(await synced).toBe('locked')
    expect(await refused).toBe('locked')
  })

  test('is unlocked by its passphrase alone, and locking it twice is no error', async () => {
    const ann = await open()
    await setPassphrase(ann)
    await ann.handlers['gate.lock']({})
    expect(await ann.handlers['gate.lock']({})).toMatchObject({ state: 'locked' })
    expect(await refusal(ann.handlers['gate.unlock']({ passphrase: 'not this one' }))).toBe('wrong_passphrase')
    expect(await refusal(ann.handlers['app.snapshot']({}))).toBe('locked')
    await ann.handlers['gate.unlock']({ passphrase })
    expect(await ann.handlers['gate.unlock']({ passphrase: 'anything' })).toMatchObject({ state: 'open' })
  })

  test('is not opened by the passphrase of a file that somebody put in the place of its own', async () => {
    const app = await open()
    const words = await app.handlers['phrase.show']({})
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    const other = await open()
    await other.handlers['gate.setPassphrase']({ next: 'another passphrase' })
    const put = () => copyFileSync(join(other.folder, 'phrase.locked'), join(app.folder, 'phrase.locked'))
    await app.handlers['gate.lock']({})
    const own = readFileSync(join(app.folder, 'phrase.locked'))
    put()
    expect(await refusal(app.handlers['gate.unlock']({ passphrase: 'another passphrase' }))).toBe('no_phrase')
    expect(await app.handlers['gate.look']({})).toMatchObject({ state: 'locked' })
    expect(await refusal(app.handlers['phrase.show']({}))).toBe('locked')
    // Open, it takes no other passphrase for its own either.
    writeFileSync(join(app.folder, 'phrase.locked'), own)
    await app.handlers['gate.unlock']({ passphrase })
    put()
    const change = { current: 'another passphrase', next: null }
    expect(await refusal(app.handlers['gate.setPassphrase'](change))).toBe('no_phrase')
    expect(await app.handlers['phrase.show']({})).toEqual(words)
  })

  test('stops in order, and asks again at the next start', async () => {
    const ann = await open()
    await setPassphrase(ann)
    await ann.handlers['gate.lock']({})
    await ann.stop()
    opened = []
    // Somebody else may hold the folder by now.
    expect(await refusal(ann.handlers['gate.unlock']({ passphrase }))).toBe('locked')
    const again = await openApp(ann.folder)
    opened.push(again)
    expect(await again.handlers['gate.look']({})).toMatchObject({ state: 'locked' })
  })
})

describe('a host without a screen', () => {
  test('starts locked, tells of it, and is unlocked by a command; no flag and no variable brings a passphrase', async () => {
    const ann = await open()
    await setPassphrase(ann)
    await ann.stop()
    opened = []
    const program = fileURLToPath(new URL('../electron/headless.ts', import.meta.url))
    const env = { ...process.env, FARTHING_PASSPHRASE: passphrase, FARTHING_STATE: join(root, 'headless') }
    const child = fork(program, ['--data', ann.folder, '--listen-host', '127.0.0.1'], { env, silent: true })
    try {
      const said: unknown[] = []
      child.on('message', (message) => said.push(message))
      const ask = async (id: number, command: string, input: object) => {
        child.send({ id, command, input })
        await vi.waitFor(() => expect(said).toContainEqual(expect.objectContaining({ id })))
        return said.find((one) => (one as { id?: number }).id === id)
      }
      await vi.waitFor(() => expect(said).toContainEqual({ ready: true }))
      expect(said[0]).toEqual({ event: { kind: 'gate', gate: { state: 'locked', retryAt: null } } })
      expect(await ask(1, 'mints.list', {})).toMatchObject({ reply: { ok: false, error: { code: 'locked' } } })
      expect(await ask(2, 'gate.unlock', { passphrase })).toMatchObject({
        reply: { ok: true, value: { state: 'open' } },
      })
      expect(await ask(3, 'mints.list', {})).toMatchObject({ reply: { ok: true, value: [{ url: mint.url }] } })
    } finally {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  })
})

describe('a wallet that was only played with', () => {
  const launch: PracticeLauncher = async () => ({
    mintUrl: mint.url,
    unit: 'sat',
    ended: new Promise(() => {}),
    stallRequest: async () => '',
    stop: async () => {},
  })

  test('counts as untouched, whatever play money it holds; with a mint of its own it does not', async () => {
    const app = await openApp(join(root, String(++serial), 'wallet'), { practice: launch })
    opened.push(app)
    await app.handlers['practice.start']({})
    await vi.waitFor(async () => expect(await spendable(app)).toBe(100))
    await app.handlers['gate.restorePhrase']({ words: abandon })
    expect(await app.handlers['mints.list']({})).toEqual([])
    await app.handlers['mints.add']({ url: mint.url })
    expect(await refusal(app.handlers['gate.restorePhrase']({ words: abandon }))).toBe('not_empty')
    await app.handlers['mints.remove']({ url: mint.url })
    expect(await refusal(app.handlers['gate.restorePhrase']({ words: abandon }))).toBe('not_empty')
  })
})

describe('a wallet that nobody uses', () => {
  const minute = 60_000
  const idle = async () => {
    const clock = createTestClock()
    const app = await open({ clock })
    await setPassphrase(app)
    await app.handlers['settings.change']({ idleLockMinutes: 5 })
    expect(app.gates().at(-1)).toEqual({ state: 'open', sealing: 'passphrase', idleLockMinutes: 5 })
    const state = async () => (await app.handlers['gate.look']({})).state
    return { app, clock, state }
  }

  test('locks itself after the minutes that a person chose', async () => {
    const { app, clock, state } = await idle()
    clock.move(5 * minute - 1)
    expect(await state()).toBe('open')
    clock.move(10_000)
    await vi.waitFor(() => expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null }))
    await app.handlers['gate.unlock']({ passphrase })
    clock.move(4 * minute)
    expect(await state()).toBe('open')
  })

  test('counts from what a person asked last, not from what a window asks by itself', async () => {
    const { app, clock, state } = await idle()
    clock.move(4 * minute)
    await app.handlers['profile.rename']({ name: 'Ann' })
    clock.move(4 * minute)
    await app.handlers['app.snapshot']({})
    await app.handlers['payments.page']({ limit: 20, filter: 'all' })
    await app.handlers['nearby.look']({ on: false })
    expect(await state()).toBe('open')
    clock.move(2 * minute)
    await vi.waitFor(async () => expect(await state()).toBe('locked'))
  })

  test('locks itself no later because the clock was set back', async () => {
    const { app, clock, state } = await idle()
    clock.move(-365 * 24 * 60 * minute)
    // Looked at: nobody has been here since, whatever the clock says.
    expect(await refusal(app.handlers['app.snapshot']({}))).toBe('none')
    clock.move(5 * minute)
    await vi.waitFor(async () => expect(await state()).toBe('locked'))
  })

  test('is locked when the computer wakes up, before anything else is answered', async () => {
    const { app, clock } = await idle()
    // Timers stood still: the first thing that happens is a command.
    const asleep = clock.now() + 8 * 60 * minute
    vi.spyOn(clock, 'now').mockReturnValue(asleep)
    expect(await refusal(app.handlers['phrase.show']({}))).toBe('locked')
    expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null })
  })

  test('stays open when the setting is taken back, and counts anew when it changes', async () => {
    const { app, clock, state } = await idle()
    clock.move(4 * minute)
    await app.handlers['settings.change']({ idleLockMinutes: 15 })
    clock.move(14 * minute)
    expect(await state()).toBe('open')
    await app.handlers['settings.change']({ idleLockMinutes: null })
    clock.move(24 * 60 * minute)
    expect(await state()).toBe('open')
  })
})

describe('a wallet whose database cannot be read', () => {
  const minute = 60_000
  /** Behind a passphrase, its database noise since the last start. */
  const unreadable = async (more: Partial<AppOptions> = {}) => {
    const before = await open()
    await setPassphrase(before)
    await before.stop()
    writeFileSync(join(before.folder, 'wallet.db'), 'Dear diary')
    const app = await openApp(before.folder, more)
    opened = [app]
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'damaged', hasPhrase: true })
    return app
  }
  const intrude = (app: TestApp) => refusal(app.handlers['gate.setAside']({ backup: null }))

  test('is locked by a person all the same, and what unlocks it is the passphrase', async () => {
    const app = await unreadable()
    expect(await app.handlers['gate.lock']({})).toEqual({ state: 'locked', retryAt: null })
    expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null })
    expect(await intrude(app)).toBe('locked')
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'damaged', hasPhrase: true })
    await app.handlers['gate.setAside']({ backup: null })
    expect((await app.handlers['phrase.show']({})).words).toHaveLength(12)
  })

  test('locks itself when nobody is there: how long that takes cannot be read, so it is five minutes', async () => {
    const clock = createTestClock()
    const app = await unreadable({ clock })
    clock.move(5 * minute - 1)
    expect(await app.handlers['gate.look']({})).toMatchObject({ state: 'damaged' })
    clock.move(10_000)
    await vi.waitFor(() => expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null }))
    expect(await intrude(app)).toBe('locked')
  })

  test('is locked when the computer wakes up, before it is set aside', async () => {
    const clock = createTestClock()
    const app = await unreadable({ clock })
    const asleep = clock.now() + 8 * 60 * minute
    vi.spyOn(clock, 'now').mockReturnValue(asleep)
    expect(await intrude(app)).toBe('locked')
  })

  test('stays locked when that came while somebody looked for copies', async () => {
    const clock = createTestClock()
    const app = await unreadable({ clock })
    mkdirSync(join(app.folder, '..', 'stick'))
    const stick = { folder: join(app.folder, '..', 'stick'), tag: '0a1b2c3d', savedAt: 1, changes: 7 }
    writeBackupMemory(app.folder, stick)
    const looking = app.handlers['gate.look']({})
    // As far as it comes before the disk answers, which takes a turn of the loop at least.
    for (let turn = 0; turn < 100; turn++) await null
    clock.move(5 * minute)
    expect(await looking).toEqual({ state: 'locked', retryAt: null })
    expect(await intrude(app)).toBe('locked')
  })

  test('as it finds while it is open, locks itself after the minutes that a person chose', async () => {
    const clock = createTestClock()
    const app = await open({ clock })
    await setPassphrase(app)
    await app.handlers['settings.change']({ idleLockMinutes: 1 })
    damageUnderneath(join(app.folder, 'wallet.db'))
    await vi.waitFor(() => expect(app.gates().at(-1)).toMatchObject({ state: 'damaged' }))
    clock.move(minute)
    await vi.waitFor(() => expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null }))
    expect(await intrude(app)).toBe('locked')
  })

  test('stays to be looked at where there is no passphrase: nothing would unlock it', async () => {
    const clock = createTestClock()
    const before = await open()
    await before.stop()
    writeFileSync(join(before.folder, 'wallet.db'), 'Dear diary')
    const app = await openApp(before.folder, { clock })
    opened = [app]
    expect(await refusal(app.handlers['gate.lock']({}))).toBe('wrong_state')
    clock.move(24 * 60 * minute)
    expect(await app.handlers['gate.look']({})).toMatchObject({ state: 'damaged' })
  })
})
