// The gate in front of a wallet: passphrase, keychain, tries, damage. Real folders and databases.

import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AppOptions } from '../electron/app.ts'
import { writeBackupMemory } from '../electron/backup-folder.ts'
import type { Sealer } from '../electron/sealing.ts'
import { checkedAtOnceBytes } from '../electron/store/database.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { createTries } from '../electron/tries.ts'
import { storedGeneration } from '../electron/wallet/generation.ts'
import { type CommandName, commands, type Handlers } from '../shared/ipc.ts'
import {
  abandon,
  createKeychain,
  createTestClock,
  damageUnderneath,
  filesIn,
  filesWith,
  openApp,
  passphrase,
  refusal,
  scribble,
  type TestApp,
  wordsOf,
} from './gate-fixture.ts'

let root: string
let folder: string
let opened: TestApp[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'farthing-gate-'))
  folder = join(root, 'wallet')
})
afterEach(async () => {
  for (const app of opened) await app.stop()
  const said = opened.map(({ logs, events }) => JSON.stringify([logs, events]))
  opened = []
  // One of these words alone may be among the four that a key looks like.
  for (const text of said) expect(text).not.toMatch(/wren|abandon\W+abandon/)
  rmSync(root, { recursive: true })
})

async function open(more: Partial<AppOptions> = {}, where = folder): Promise<TestApp> {
  const app = await openApp(where, more)
  opened.push(app)
  return app
}
async function reopen(more: Partial<AppOptions> = {}): Promise<TestApp> {
  for (const app of opened) await app.stop()
  opened = []
  return open(more)
}
/** A wallet with a passphrase, and its words. */
async function locked(more: Partial<AppOptions> = {}): Promise<{ app: TestApp; words: string }> {
  const app = await open(more)
  const words = await wordsOf(app)
  await app.handlers['gate.setPassphrase']({ next: passphrase })
  return { app, words }
}
const stateOf = async (app: TestApp) => (await app.handlers['gate.look']({})).state

describe('a wallet without a passphrase', () => {
  test('is open at once, and says what protects its phrase', async () => {
    expect(await (await open()).handlers['gate.look']({})).toEqual({
      state: 'open',
      sealing: 'plain',
      idleLockMinutes: null,
    })
    const { sealer } = createKeychain()
    expect(await (await reopen({ sealer })).handlers['gate.look']({})).toMatchObject({ sealing: 'os' })
  })

  test('cannot be locked, neither now nor when nobody is there: nothing would open it', async () => {
    const app = await open()
    expect(await refusal(app.handlers['gate.lock']({}))).toBe('wrong_state')
    expect(await refusal(app.handlers['settings.change']({ idleLockMinutes: 5 }))).toBe('wrong_state')
    expect(await stateOf(app)).toBe('open')
  })
})

describe('a passphrase', () => {
  test('seals the phrase: no file holds a word of it, and no other copy stays', async () => {
    const { app, words } = await locked()
    expect(existsSync(join(folder, 'phrase'))).toBe(false)
    expect(filesWith(folder, words.slice(0, 30))).toEqual([])
    expect(filesIn(folder).filter((name) => name.startsWith('phrase'))).toEqual(['phrase.locked'])
    expect(statSync(join(folder, 'phrase.locked')).mode & 0o777).toBe(0o600)
    expect(app.gates().at(-1)).toEqual({ state: 'open', sealing: 'passphrase', idleLockMinutes: null })
    expect((await app.handlers['app.snapshot']({})).slices.profile.sealing).toBe('passphrase')
    await vi.waitFor(() =>
      expect(app.events).toContainEqual(
        expect.objectContaining({ name: 'profile', value: expect.objectContaining({ sealing: 'passphrase' }) }),
      ),
    )
    expect(await wordsOf(app)).toBe(words)
  })

  test('is asked for at every start, and nothing is opened before', async () => {
    const { words } = await locked()
    const app = await reopen()
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: null })
    expect(app.gates()).toEqual([{ state: 'locked', retryAt: null }])
    expect(existsSync(join(folder, 'wallet.db-wal'))).toBe(false)
    await expect(openApp(folder)).rejects.toMatchObject({ code: 'folder_in_use' })
    expect(await refusal(app.handlers['gate.unlock']({ passphrase: `${passphrase}.` }))).toBe('wrong_passphrase')
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open', sealing: 'passphrase' })
    expect(await wordsOf(app)).toBe(words)
  })

  test('while it is asked for, every command but the gate’s own is refused', async () => {
    await locked()
    const app = await reopen()
    for (const name of Object.keys(commands) as CommandName[]) {
      if (name.startsWith('gate.')) continue
      const handler = app.handlers[name] as Handlers['app.snapshot']
      expect(await refusal(handler({})), name).toBe('locked')
    }
    expect(await refusal(app.handlers['gate.setPassphrase']({ current: passphrase, next: null }))).toBe('locked')
    expect(await refusal(app.handlers['gate.restorePhrase']({ words: abandon }))).toBe('locked')
    expect(await refusal(app.handlers['gate.usePhrase']({ words: abandon, passphrase: null }))).toBe('bad_phrase')
    expect(await refusal(app.handlers['gate.setAside']({ backup: null }))).toBe('locked')
  })

  test('can be another one, when the one of now is known', async () => {
    const { app } = await locked()
    const next = 'another one that is long'
    const set = app.handlers['gate.setPassphrase']
    expect(await refusal(set({ next }))).toBe('wrong_passphrase')
    expect(await refusal(set({ current: 'not this one', next }))).toBe('wrong_passphrase')
    await set({ current: passphrase, next })
    const again = await reopen()
    expect(await refusal(again.handlers['gate.unlock']({ passphrase }))).toBe('wrong_passphrase')
    expect(await again.handlers['gate.unlock']({ passphrase: next })).toMatchObject({ state: 'open' })
  })

  test('that is taken away leaves the phrase to the keychain, or as it is', async () => {
    const { app, words } = await locked()
    await app.handlers['settings.change']({ idleLockMinutes: 5 })
    expect(await refusal(app.handlers['gate.setPassphrase']({ next: null }))).toBe('wrong_passphrase')
    expect(await app.handlers['gate.setPassphrase']({ current: passphrase, next: null })).toEqual({
      state: 'open',
      sealing: 'plain',
      idleLockMinutes: null,
    })
    expect(readdirSync(folder).filter((name) => name.startsWith('phrase'))).toEqual(['phrase'])
    expect((await app.handlers['app.snapshot']({})).slices.settings.idleLockMinutes).toBeNull()
    const { sealer } = createKeychain()
    const sealed = await reopen({ sealer })
    await sealed.handlers['gate.setPassphrase']({ next: passphrase })
    await sealed.handlers['gate.setPassphrase']({ current: passphrase, next: null })
    expect(readdirSync(folder).filter((name) => name.startsWith('phrase'))).toEqual(['phrase.sealed'])
    expect(await wordsOf(await reopen({ sealer }))).toBe(words)
  })

  test('that is easy to guess is refused, and nothing changes', async () => {
    const app = await open()
    for (const weak of ['short', 'aaaaaaaaaaaa']) {
      expect(await refusal(app.handlers['gate.setPassphrase']({ next: weak }))).toBe('weak_passphrase')
    }
    expect(existsSync(join(folder, 'phrase'))).toBe(true)
  })
})

describe('a passphrase and a keychain', () => {
  test('both are needed: the one is no use without the other', async () => {
    const keychain = createKeychain()
    const { words } = await locked({ sealer: keychain.sealer })
    expect(readFileSync(join(folder, 'phrase.locked')).includes('FTHP')).toBe(false)
    keychain.isShut = true
    const app = await reopen({ sealer: keychain.sealer })
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'sealed' })
    expect(await refusal(app.handlers['gate.unlock']({ passphrase }))).toBe('wrong_state')
    expect(await refusal(app.handlers['app.snapshot']({}))).toBe('locked')
    keychain.isShut = false
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: null })
    expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: null })
    await app.handlers['gate.unlock']({ passphrase })
    expect(await wordsOf(app)).toBe(words)
  })

  test('a keychain that shuts while the wallet is locked costs no try', async () => {
    const keychain = createKeychain()
    const { app } = await locked({ sealer: keychain.sealer })
    await app.handlers['gate.lock']({})
    keychain.isShut = true
    for (let count = 0; count < 7; count++) {
      expect(await refusal(app.handlers['gate.unlock']({ passphrase }))).toBe('phrase_sealed')
    }
    keychain.isShut = false
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
  })

  test('a keychain that refuses leaves the passphrase alone', async () => {
    const keychain = createKeychain()
    keychain.isShut = true
    const { words } = await locked({ sealer: keychain.sealer })
    const app = await reopen()
    await app.handlers['gate.unlock']({ passphrase })
    expect(await wordsOf(app)).toBe(words)
  })

  test('a keychain with a new key seals anew, with a passphrase and without', async () => {
    const keychain = createKeychain()
    const { sealer } = keychain
    const words = await wordsOf(await open({ sealer }))
    const sealings = keychain.sealings
    keychain.isStale = true
    const app = await reopen({ sealer })
    expect(keychain.sealings).toBe(sealings + 1)
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    const before = keychain.sealings
    const again = await reopen({ sealer })
    expect(keychain.sealings).toBe(before + 1)
    keychain.isStale = false
    await again.handlers['gate.unlock']({ passphrase })
    expect(await wordsOf(again)).toBe(words)
  })
})

test('a link in the place of the phrase is no phrase, and leads no change of mode elsewhere', async () => {
  const app = await open()
  await app.stop()
  opened = []
  const elsewhere = join(folder, '..', 'elsewhere')
  writeFileSync(elsewhere, readFileSync(join(folder, 'phrase')), { mode: 0o644 })
  rmSync(join(folder, 'phrase'))
  symlinkSync(elsewhere, join(folder, 'phrase'))
  expect(await (await open()).handlers['gate.look']({})).toEqual({ state: 'wordless', cause: 'damaged' })
  expect(statSync(elsewhere).mode & 0o777).toBe(0o644)
})

describe('a keychain', () => {
  test('that wants to seal anew, and then refuses or gives back something else, loses nothing of its seal', async () => {
    const keychain = createKeychain()
    const { sealer } = keychain
    const { words } = await locked({ sealer })
    const file = () => readFileSync(join(folder, 'phrase.locked'))
    const before = file()
    keychain.isStale = true
    if (sealer.kind !== 'os') throw new Error('no keychain')
    const refuses: Sealer = { ...sealer, seal: () => Promise.reject(new Error('busy')) }
    // What it seals begins with a zero; asked for it a second time, it does not know it.
    let asked = 0
    const forgets: Sealer = {
      ...sealer,
      seal: async (text) => Uint8Array.of(0, ...(await sealer.seal(text))),
      unseal: (sealed) => {
        if (sealed[0] !== 0) return sealer.unseal(sealed)
        return asked++ === 0 ? sealer.unseal(sealed.subarray(1)) : Promise.reject(new Error('forgotten'))
      },
    }
    for (const odd of [refuses, forgets]) {
      const app = await reopen({ sealer: odd })
      expect(await stateOf(app)).toBe('locked')
      expect(file().equals(before)).toBe(true)
    }
    keychain.isStale = false
    const app = await reopen({ sealer })
    await app.handlers['gate.unlock']({ passphrase })
    expect(await wordsOf(app)).toBe(words)
  })

  test('that stays shut leaves the wallet sealed until it opens, and nothing else is asked', async () => {
    const keychain = createKeychain()
    const words = await wordsOf(await open({ sealer: keychain.sealer }))
    const app = await reopen()
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'sealed' })
    keychain.isShut = true
    const other = await reopen({ sealer: keychain.sealer })
    expect(await stateOf(other)).toBe('sealed')
    expect(await stateOf(other)).toBe('sealed')
    keychain.isShut = false
    expect(await stateOf(other)).toBe('open')
    expect(await wordsOf(other)).toBe(words)
    expect(existsSync(join(folder, 'phrase'))).toBe(false)
  })
})

describe('tries', () => {
  const wrong = (app: TestApp) => refusal(app.handlers['gate.unlock']({ passphrase: 'not this one' }))
  const minute = 60_000

  test('five are free; then each costs a wait that doubles up to an hour, over restarts too', async () => {
    const clock = createTestClock()
    await locked({ clock })
    let app = await reopen({ clock })
    for (let count = 0; count < 5; count++) expect(await wrong(app)).toBe('wrong_passphrase')
    for (const waitMs of [30_000, minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute, 32 * minute, 60 * minute]) {
      expect(await app.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: clock.now() + waitMs })
      clock.move(waitMs - 1)
      await expect(app.handlers['gate.unlock']({ passphrase })).rejects.toMatchObject({
        code: 'too_many_tries',
        facts: { retryAt: clock.now() + 1 },
      })
      app = await reopen({ clock })
      expect(await wrong(app)).toBe('too_many_tries')
      clock.move(1)
      expect(await wrong(app)).toBe('wrong_passphrase')
    }
    expect(app.gates().at(-1)).toEqual({ state: 'locked', retryAt: clock.now() + 60 * minute })
    clock.move(60 * minute)
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
    await app.handlers['gate.lock']({})
    for (let count = 0; count < 5; count++) expect(await wrong(app)).toBe('wrong_passphrase')
    expect(await wrong(app)).toBe('too_many_tries')
  })

  test('a try counts before it is taken: ending the process does not make it free', () => {
    const clock = createTestClock()
    for (let count = 0; count < 5; count++) void createTries(root, clock).attempt(() => new Promise(() => {}))
    expect(createTries(root, clock).retryAt()).toBe(clock.now() + 30_000)
    expect(statSync(join(root, 'phrase.tries')).mode & 0o777).toBe(0o600)
  })

  test('asked at once, they are taken one after another', async () => {
    const clock = createTestClock()
    await locked({ clock })
    const app = await reopen({ clock })
    const codes = await Promise.all(Array.from({ length: 8 }, () => wrong(app)))
    expect(codes).toEqual([...Array(5).fill('wrong_passphrase'), ...Array(3).fill('too_many_tries')])
  })

  test('a clock that is set back neither opens the gate nor shuts it for longer', async () => {
    const clock = createTestClock()
    await locked({ clock })
    const app = await reopen({ clock })
    for (let count = 0; count < 5; count++) await wrong(app)
    clock.move(-365 * 24 * 60 * minute)
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: clock.now() + 30_000 })
    clock.move(29_999)
    expect(await wrong(app)).toBe('too_many_tries')
    clock.move(1)
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
  })

  test('a count that cannot be read is five, from now on', async () => {
    const clock = createTestClock()
    await locked({ clock })
    const app = await reopen({ clock })
    writeFileSync(join(folder, 'phrase.tries'), '{"wrong":')
    expect(await app.handlers['gate.look']({})).toEqual({ state: 'locked', retryAt: clock.now() + 30_000 })
    clock.move(30_000)
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
  })

  test.each([
    ['unreadable', () => '{"wrong":'],
    ['written later than now', (now: number) => JSON.stringify({ wrong: 7, at: now + 3 * minute })],
  ])('a count that is %s is read and not written: a full disk locks nobody out', (_, content) => {
    const clock = createTestClock()
    const path = join(root, 'phrase.tries')
    writeFileSync(path, content(clock.now()))
    const tries = createTries(root, clock)
    const due = tries.retryAt()
    expect(due).toBeGreaterThan(clock.now())
    clock.move(10_000)
    expect(tries.retryAt()).toBe(due)
    expect(readFileSync(path, 'utf8')).toBe(content(clock.now() - 10_000))
    clock.move((due ?? 0) - clock.now())
    expect(tries.retryAt()).toBeNull()
  })

  test('a count in whose place there is a folder is five, and the next try says what is wrong with the disk', async () => {
    const clock = createTestClock()
    mkdirSync(join(root, 'phrase.tries'))
    const tries = createTries(root, clock)
    expect(tries.retryAt()).toBe(clock.now() + 30_000)
    clock.move(30_000)
    expect(tries.retryAt()).toBeNull()
    let guesses = 0
    const attempt = tries.attempt(async () => guesses++)
    await expect(attempt).rejects.toThrow()
    expect(guesses).toBe(0)
  })

  test('count when the passphrase of now is asked for, too', async () => {
    const { app } = await locked()
    for (let count = 0; count < 5; count++) {
      await refusal(app.handlers['gate.setPassphrase']({ current: 'not this one', next: null }))
    }
    const set = app.handlers['gate.setPassphrase']({ current: passphrase, next: null })
    expect(await refusal(set)).toBe('too_many_tries')
    expect(existsSync(join(folder, 'phrase'))).toBe(false)
  })
})

describe('a database that cannot be read', () => {
  const database = () => join(folder, 'wallet.db')
  const pageBytes = 4096
  const close = async () => {
    for (const app of opened) await app.stop()
    opened = []
  }

  test.each([
    ['inside', () => scribble(database())],
    ['from its first byte on', () => scribble(database(), 0)],
    ['because it is something else', () => writeFileSync(database(), 'Dear diary')],
    ['because it ends early', () => writeFileSync(database(), readFileSync(database()).subarray(0, 5000))],
  ])('%s is set aside to the byte, and the wallet of the phrase goes on', async (_, damage) => {
    const words = await wordsOf(await open({ name: 'Ann' }))
    await close()
    damage()
    const before = readFileSync(database())
    const app = await open()
    expect(await app.handlers['gate.look']({})).toEqual({
      state: 'damaged',
      hasPhrase: true,
      backups: [],
      awayFolder: null,
    })
    expect(app.gates()).toEqual([{ state: 'damaged', hasPhrase: true, backups: [], awayFolder: null }])
    expect(await refusal(app.handlers['app.snapshot']({}))).toBe('locked')
    expect(readFileSync(database()).equals(before)).toBe(true)

    expect(await app.handlers['gate.setAside']({ backup: null })).toMatchObject({ state: 'open', sealing: 'plain' })
    const aside = readdirSync(folder).filter((name) => /^wallet\.db\.damaged-[0-9TZ]+$/.test(name))
    expect(aside).toHaveLength(1)
    expect(readFileSync(join(folder, aside[0]!)).equals(before)).toBe(true)
    expect(statSync(join(folder, aside[0]!)).mode & 0o777).toBe(0o600)
    expect(await wordsOf(app)).toBe(words)
    const { profile, mints } = (await app.handlers['app.snapshot']({})).slices
    expect(profile).toMatchObject({ isFirstRun: true, name: '' })
    expect(mints).toEqual([])
    expect(await stateOf(await reopen())).toBe('open')
  })

  test('is set aside with its journal, also a second time in the same moment', async () => {
    const clock = createTestClock()
    await open({ clock })
    for (const count of [1, 2]) {
      await close()
      scribble(database())
      writeFileSync(`${database()}-wal`, `journal ${count}`)
      const app = await open({ clock })
      await app.handlers['gate.setAside']({ backup: null })
    }
    await close()
    const journals = readdirSync(folder).filter((name) => /damaged.*-wal$/.test(name))
    expect(journals.map((name) => readFileSync(join(folder, name), 'utf8')).sort()).toEqual(['journal 1', 'journal 2'])
  })

  test('in place of which there is a link: the link is set aside, and where it leads stays as it is', async () => {
    await open()
    await close()
    const elsewhere = join(root, 'elsewhere')
    writeFileSync(elsewhere, readFileSync(database()))
    const before = readFileSync(elsewhere)
    rmSync(database())
    symlinkSync(elsewhere, database())
    const app = await open()
    expect(await stateOf(app)).toBe('damaged')
    await app.handlers['gate.setAside']({ backup: null })
    expect(readFileSync(elsewhere).equals(before)).toBe(true)
    expect(statSync(database()).ino).not.toBe(statSync(elsewhere).ino)
  })

  test('is found only behind the passphrase', async () => {
    await locked()
    await close()
    scribble(database())
    const app = await open()
    expect(await stateOf(app)).toBe('locked')
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'damaged', hasPhrase: true })
    expect(await app.handlers['gate.setAside']({ backup: null })).toMatchObject({ sealing: 'passphrase' })
    expect(await stateOf(await reopen())).toBe('locked')
  })

  test('without its phrase is said to be both, and nothing is made up', async () => {
    await open()
    await close()
    rmSync(join(folder, 'phrase'))
    scribble(database())
    const app = await open()
    expect(await app.handlers['gate.look']({})).toEqual({
      state: 'damaged',
      hasPhrase: false,
      backups: [],
      awayFolder: null,
    })
    expect(await refusal(app.handlers['gate.setAside']({ backup: null }))).toBe('no_phrase')
    expect(readdirSync(folder).filter((name) => name.startsWith('phrase'))).toEqual([])
  })

  test.each([
    ['is gone', () => rmSync(database())],
    ['is emptied', () => truncateSync(database())],
  ])(
    'that %s is no new wallet, as this computer remembers it: it is asked what shall be brought back',
    async (_, damage) => {
      const words = await wordsOf(await open({ name: 'Ann' }))
      await close()
      damage()
      const names = readdirSync(folder)
      const app = await open()
      expect(await app.handlers['gate.look']({})).toMatchObject({ state: 'damaged', hasPhrase: true })
      expect(await refusal(app.handlers['app.snapshot']({}))).toBe('locked')
      expect(readdirSync(folder)).toEqual(names)
      await close()
      await (await open()).handlers['gate.setAside']({ backup: null })
      const again = await reopen()
      expect(await stateOf(again)).toBe('open')
      expect(await wordsOf(again)).toBe(words)
    },
  )

  test('that is gone is no new wallet where copies of it were made, on a computer that remembers nothing', async () => {
    await locked({ memoryFolder: null })
    await close()
    writeBackupMemory(folder, { folder: join(root, 'stick'), tag: '0a1b2c3d', savedAt: 1, changes: 7 })
    rmSync(database())
    const app = await open({ memoryFolder: null })
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'damaged', hasPhrase: true })
    expect(existsSync(database())).toBe(false)
  })

  test('that was never used, because the first start ended early, is begun anew', async () => {
    const words = await wordsOf(await open())
    await close()
    rmSync(join(root, 'state'), { recursive: true })
    truncateSync(database())
    const app = await open()
    expect(await stateOf(app)).toBe('open')
    expect(await wordsOf(app)).toBe(words)
  })

  test('and was emptied, beside a phrase that is gone, is said to be both', async () => {
    await open()
    await close()
    rmSync(join(folder, 'phrase'))
    truncateSync(database())
    expect(await (await open()).handlers['gate.look']({})).toMatchObject({ state: 'damaged', hasPhrase: false })
  })

  test('a sound one is not set aside', async () => {
    const app = await open()
    expect(await refusal(app.handlers['gate.setAside']({ backup: null }))).toBe('wrong_state')
    expect(readdirSync(folder).filter((name) => name.includes('damaged') || name.startsWith('arriv'))).toEqual([])
  })

  test('which a wallet finds while it is open closes it, and windows are told', async () => {
    const app = await open()
    const words = await wordsOf(app)
    damageUnderneath(database())
    await vi.waitFor(() => expect(app.gates().at(-1)).toMatchObject({ state: 'damaged', hasPhrase: true }))
    await app.handlers['gate.setAside']({ backup: null })
    expect(await wordsOf(app)).toBe(words)
  })

  test('in one row only does not close the wallet: what needs that row fails, and nothing else', async () => {
    const app = await open({ name: 'Ann' })
    const db = new DatabaseSync(database())
    db.exec("PRAGMA ignore_check_constraints = ON; UPDATE meta SET value = '{' WHERE key = 'profile/name'")
    db.close()
    expect(await refusal(app.handlers['app.snapshot']({}))).toBe('folder_damaged')
    expect(await app.handlers['settings.change']({ sounds: false })).toMatchObject({ sounds: false })
    expect(await stateOf(app)).toBe('open')
    expect(app.gates().map(({ state }) => state)).toEqual(['open'])
  })

  test('which a locked wallet finds stays behind the lock', async () => {
    const { app } = await locked()
    await app.handlers['gate.lock']({})
    damageUnderneath(database())
    await vi.waitFor(() => expect(app.logs.some((line) => line.startsWith('folder_damaged'))).toBe(true))
    await vi.waitFor(() => expect(existsSync(`${database()}-shm`)).toBe(false))
    expect(await stateOf(app)).toBe('locked')
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'damaged' })
  })

  test('a large one is looked through while it runs, in a thread of its own', async () => {
    await open()
    await close()
    const db = new DatabaseSync(database())
    db.exec(`BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)
      INSERT INTO meta (key, value) SELECT 'filler/' || i, '"' || hex(randomblob(500)) || '"' FROM n; COMMIT`)
    db.close()
    expect(statSync(database()).size).toBeGreaterThan(checkedAtOnceBytes)
    const sound = await open()
    await sound.handlers['app.snapshot']({})
    await close()
    expect(sound.gates().map(({ state }) => state)).toEqual(['open'])
    expect(sound.logs).toEqual([])
    // Far from everything that is read at a start.
    const file = openSync(database(), 'r+')
    writeSync(file, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, 9000 * pageBytes)
    closeSync(file)
    const app = await open()
    await vi.waitFor(() => expect(app.gates().map(({ state }) => state)).toEqual(['open', 'damaged']))
  })

  test('because somebody else holds it is not damaged: it is in use', async () => {
    await open()
    await close()
    const db = new DatabaseSync(database())
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    try {
      await expect(openApp(folder)).rejects.toMatchObject({ code: 'folder_in_use' })
    } finally {
      db.close()
    }
    expect(await stateOf(await open())).toBe('open')
  })

  test('of a newer program is not touched', async () => {
    await open()
    await close()
    const db = new DatabaseSync(database())
    db.exec('PRAGMA user_version = 999')
    db.close()
    const before = readFileSync(database())
    await expect(openApp(folder)).rejects.toMatchObject({ code: 'folder_too_new' })
    expect(readFileSync(database()).equals(before)).toBe(true)
  })
})

describe('the twelve words of another wallet', () => {
  const words = abandon
  const restore = (app: TestApp, typed: readonly string[] = words) =>
    app.handlers['gate.restorePhrase']({ words: [...typed] })

  test('make this folder that wallet, in a generation of its own, with its first run still ahead', async () => {
    const app = await open({ name: 'Ann' })
    const before = await wordsOf(app)
    await app.handlers['settings.change']({ appearance: 'dark', lan: false })
    await app.handlers['profile.rename']({ name: 'Ann of the mill' })
    await vi.waitFor(() => expect(app.events.some(({ kind }) => kind === 'slice')).toBe(true))
    const { revision } = await app.handlers['app.snapshot']({})
    expect(await restore(app)).toEqual({ state: 'open', sealing: 'plain', idleLockMinutes: null })
    expect(app.gates().at(-1)).toEqual({ state: 'open', sealing: 'plain', idleLockMinutes: null })
    expect(await wordsOf(app)).toBe(words.join(' '))
    const after = await app.handlers['app.snapshot']({})
    expect(after.revision).toBeGreaterThan(revision)
    expect(after.slices.profile).toMatchObject({ name: 'Ann of the mill', phrase: 'checked', isFirstRun: true })
    expect(after.slices.settings).toMatchObject({ appearance: 'dark', lan: false })
    const store = openWalletStore(join(folder, 'wallet.db'))
    expect(storedGeneration(store.read)).toBeGreaterThanOrEqual(1)
    store.close()

    const [aside = ''] = readdirSync(folder).filter((name) => name.startsWith('set-aside-'))
    expect(readFileSync(join(folder, aside, 'phrase'), 'utf8').trim()).toBe(before)
    expect(existsSync(join(folder, aside, 'wallet.db'))).toBe(true)
    expect(statSync(join(folder, aside)).mode & 0o777).toBe(0o700)
    expect(await wordsOf(await reopen())).toBe(words.join(' '))
  })

  test('are sealed by the keychain where there is one, before they count', async () => {
    const { sealer } = createKeychain()
    const app = await open({ sealer })
    await restore(app)
    expect(filesIn(folder).filter((name) => /(^|\/)phrase/.test(name))).toEqual([
      'phrase.sealed',
      expect.stringMatching(/^set-aside-.*phrase\.sealed$/),
    ])
    expect(await wordsOf(await reopen({ sealer }))).toBe(words.join(' '))
  })

  test('are taken as people type them, and a wrong one is named', async () => {
    const app = await open()
    const typed = (index: number, word: string) => words.map((one, at) => (at === index ? word : one))
    await expect(restore(app, typed(4, 'abandom'))).rejects.toMatchObject({ code: 'bad_phrase', facts: { word: 5 } })
    await expect(restore(app, typed(11, 'above'))).rejects.toMatchObject({ code: 'bad_phrase', facts: {} })
    expect(readdirSync(folder).filter((name) => /arriv|aside/.test(name))).toEqual([])
    await restore(app, typed(11, '  ＡBOUT '))
    expect(await wordsOf(app)).toBe(words.join(' '))
  })
})

test('whatever the file mode mask is, nobody else reads a file of a wallet', async () => {
  const mask = process.umask(0)
  try {
    const { app } = await locked()
    await refusal(app.handlers['gate.unlock']({ passphrase }))
    await app.handlers['gate.setPassphrase']({ current: passphrase, next: null })
    await app.handlers['gate.restorePhrase']({ words: abandon })
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    await app.handlers['gate.lock']({})
    await refusal(app.handlers['gate.unlock']({ passphrase: 'not this one' }))
    const modes = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
      const found = statSync(join(folder, name))
      return [name, (found.mode & 0o777).toString(8), found.isDirectory()]
    })
    expect(modes.map(([name]) => name)).toEqual(
      expect.arrayContaining(['phrase.locked', 'phrase.tries', 'wallet.db', 'wallet.db-wal', 'lease']),
    )
    for (const [name, mode, isFolder] of modes) expect(mode, String(name)).toBe(isFolder ? '700' : '600')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  } finally {
    process.umask(mask)
  }
})
