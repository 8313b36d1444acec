// A backup in the place of a wallet: in a fresh folder, and for a database that cannot be read.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AppOptions } from '../electron/app.ts'
import { backupOf } from '../electron/backup-database.ts'
import { nameOfCopy, writeBackupMemory } from '../electron/backup-folder.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { seedOfPhrase } from '../electron/keys.ts'
import { newKdf, stretch } from '../electron/passphrase.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { copiesOf, storedGeneration } from '../electron/wallet/generation.ts'
import { systemRandom as random } from '../electron/wallet-folder.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import type { Snapshot } from '../shared/model.ts'
import { abandon, cheap, filesWith, openApp, passphrase, refusal, type TestApp, wordsOf } from './gate-fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'farthing-gate-backup-'))
const savedAt = Date.UTC(2026, 10, 22, 12)
let mint: RunningMint
let opened: TestApp[] = []
let serial = 0
/** A wallet with a hundred coins' worth, its words, and its folder at rest. */
let ann: { readonly folder: string; readonly words: string; readonly snapshot: Snapshot }

beforeAll(async () => {
  mint = await startMintServer({ dataFolder: join(root, 'mint'), practiceDelayMs: 0 })
  const app = await open('ann')
  await app.handlers['profile.rename']({ name: 'Ann' })
  await app.handlers['mints.add']({ url: mint.url })
  await app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount: 100 })
  await vi.waitFor(async () => expect((await balance(app))?.spendable).toBe(100))
  ann = { folder: app.folder, words: await wordsOf(app), snapshot: await app.handlers['app.snapshot']({}) }
  await app.stop()
}, 120_000)
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

async function open(name = `wallet-${++serial}`, more: Partial<AppOptions> = {}): Promise<TestApp> {
  const folder = join(root, name)
  // Each folder is on a computer of its own.
  const app = await openApp(folder, { memoryFolder: join(root, `state-${name}`), ...more })
  opened.push(app)
  return app
}

const balance = async (app: TestApp) => (await app.handlers['mints.list']({}))[0]?.balances[0]

/** A backup of Ann's wallet. @param by a passphrase, or null: the phrase */
async function backup(by: string | null, phrase = ann.words, cost = cheap): Promise<Buffer> {
  const kdf = newKdf(random, cost)
  const order = {
    folder: ann.folder,
    lock: by === null ? ({ kind: 'phrase' } as const) : ({ kind: 'passphrase', kdf } as const),
    key: by === null ? backupSecretsOf(seedOfPhrase(phrase)).key : await stretch(by, kdf),
    phrase: by === null ? null : phrase,
    savedAt,
    random,
    signal: new AbortController().signal,
  }
  const parts: Uint8Array[] = []
  for await (const part of backupOf(order)) parts.push(part)
  return Buffer.concat(parts)
}

/** As after every restore: the wallet is Ann's, in a generation of its own, and its coins rest. */
async function expectRestored(app: TestApp): Promise<void> {
  expect(await wordsOf(app)).toBe(ann.words)
  const { slices } = await app.handlers['app.snapshot']({})
  expect(slices.profile.name).toBe('Ann')
  expect(slices.profile.fingerprint).toEqual(ann.snapshot.slices.profile.fingerprint)
  expect(slices.withdraws.map(({ id }) => id)).toEqual(ann.snapshot.slices.withdraws.map(({ id }) => id))
  expect(await balance(app)).toMatchObject({ spendable: 0, payableAtOnce: 0, resting: 100 })
  const store = openWalletStore(join(app.folder, 'wallet.db'))
  expect(storedGeneration(store.read)).toBeGreaterThanOrEqual(1)
  expect(copiesOf(store.read)).toMatchObject({ cause: 'backup' })
  store.close()
}

describe('a backup file in a fresh folder', () => {
  test.each([
    ['its phrase', null],
    ['its passphrase', passphrase],
  ])('is opened by %s: the wallet is the one it was made of, and its coins rest', async (_, by) => {
    const app = await open()
    const before = await wordsOf(app)
    const file = (await backup(by)).toString('base64')
    const key = by === null ? { words: ann.words.split(' ') } : { passphrase: by }
    expect(await app.handlers['gate.restoreBackup']({ file, ...key })).toMatchObject({
      savedAt,
      mints: 1,
      coins: [{ unit: 'sat', amount: 100 }],
    })
    expect(app.gates().at(-1)).toMatchObject({ state: 'open', sealing: 'plain' })
    await expectRestored(app)
    const [aside = ''] = readdirSync(app.folder).filter((name) => name.startsWith('set-aside-'))
    expect(readFileSync(join(app.folder, aside, 'phrase'), 'utf8').trim()).toBe(before)
  })

  test('that cannot be opened changes nothing', async () => {
    const app = await open()
    const before = await wordsOf(app)
    const [byPhrase, byPassphrase] = [await backup(null), await backup(passphrase)]
    const broken = Buffer.from(byPhrase)
    broken[broken.length - 40] = broken[broken.length - 40]! ^ 1
    const restore = (file: Buffer, key: { passphrase?: string; words?: string[] }) =>
      refusal(app.handlers['gate.restoreBackup']({ file: file.toString('base64'), ...key }))
    const words = ann.words.split(' ')
    expect(await restore(byPhrase, { words: abandon })).toBe('foreign_backup')
    expect(await restore(byPhrase, { words: [...words.slice(1), 'nonsense'] })).toBe('bad_phrase')
    expect(await restore(byPassphrase, { passphrase: 'not this one' })).toBe('wrong_passphrase')
    expect(await restore(byPhrase, {})).toBe('bad_input')
    expect(await restore(broken, { words })).toBe('bad_backup')
    expect(await restore(Buffer.from('Dear diary'), { words })).toBe('bad_backup')
    expect(await wordsOf(app)).toBe(before)
    expect(readdirSync(app.folder).filter((name) => /arriv|aside|\.tmp/.test(name))).toEqual([])
  })

  test('does not take the place of a wallet that has a mint', async () => {
    const app = await open()
    await app.handlers['mints.add']({ url: mint.url })
    const file = (await backup(null)).toString('base64')
    expect(await refusal(app.handlers['gate.restoreBackup']({ file, words: ann.words.split(' ') }))).toBe('not_empty')
    expect(await refusal(app.handlers['gate.restorePhrase']({ words: abandon }))).toBe('not_empty')
  })
})

describe('a wallet that is used while another one takes its place', () => {
  /** Whichever comes first: a wallet that has a mint is not put aside unseen. */
  async function expectOneOfThem(app: TestApp, restore: () => Promise<unknown>): Promise<void> {
    const add = app.handlers['mints.add']({ url: mint.url })
    const [restored] = await Promise.allSettled([restore(), add])
    const aside = readdirSync(app.folder).filter((name) => name.startsWith('set-aside-'))
    if (restored.status === 'rejected') {
      expect(restored.reason).toMatchObject({ code: 'not_empty' })
      expect(aside).toEqual([])
      expect((await app.handlers['gate.look']({})).state).toBe('open')
      expect(await app.handlers['mints.list']({})).toMatchObject([{ url: mint.url }])
    } else {
      const store = openWalletStore(join(app.folder, aside[0] ?? '', 'wallet.db'))
      expect(store.read.mints()).toEqual([])
      store.close()
    }
  }

  test('keeps its mint, or was put aside without one: a file that takes long to open', async () => {
    const slow = { ...cheap, logN: 17 }
    const file = (await backup(passphrase, ann.words, slow)).toString('base64')
    const app = await open()
    await expectOneOfThem(app, () => app.handlers['gate.restoreBackup']({ file, passphrase }))
  })

  test('keeps its mint, or was put aside without one: words', async () => {
    for (let count = 0; count < 4; count++) {
      const app = await open()
      await expectOneOfThem(app, () => app.handlers['gate.restorePhrase']({ words: abandon }))
    }
  })
})

describe('a passphrase of a wallet that nobody has used', () => {
  const phraseFiles = (app: TestApp) => readdirSync(app.folder).filter((name) => name.startsWith('phrase'))

  test('protects the words that come in its place, and is asked for first', async () => {
    const app = await open()
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    await app.handlers['settings.change']({ idleLockMinutes: 5 })
    const restore = (current?: string) =>
      app.handlers['gate.restorePhrase']({ words: abandon, ...(current === undefined ? {} : { current }) })
    expect(await refusal(restore())).toBe('wrong_passphrase')
    expect(await refusal(restore('not this one'))).toBe('wrong_passphrase')
    expect(readdirSync(app.folder).filter((name) => /arriv|aside/.test(name))).toEqual([])
    expect(await restore(passphrase)).toEqual({ state: 'open', sealing: 'passphrase', idleLockMinutes: 5 })
    expect(phraseFiles(app)).toEqual(['phrase.locked'])
    expect(filesWith(app.folder, 'abandon abandon')).toEqual([])
    expect(await wordsOf(app)).toBe(abandon.join(' '))
    await app.handlers['gate.lock']({})
    expect(await app.handlers['gate.unlock']({ passphrase })).toMatchObject({ state: 'open' })
  })

  test('protects the words of a backup file as well', async () => {
    const app = await open()
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    const file = (await backup(null)).toString('base64')
    const words = ann.words.split(' ')
    expect(await refusal(app.handlers['gate.restoreBackup']({ file, words }))).toBe('wrong_passphrase')
    await app.handlers['gate.restoreBackup']({ file, words, current: passphrase })
    expect(phraseFiles(app)).toEqual(['phrase.locked'])
    expect(filesWith(app.folder, ann.words)).toEqual([])
    await expectRestored(app)
  })
})

describe('an automatic copy', () => {
  /** Ann's wallet, its database noise, with copies in a folder that is remembered beside it. */
  async function damaged(): Promise<{ readonly app: TestApp; readonly copy: string; readonly noise: Buffer }> {
    const name = `damaged-${++serial}`
    const folder = join(root, name)
    const copies = join(root, `copies-${serial}`)
    for (const path of [folder, copies]) mkdirSync(path, { mode: 0o700 })
    const { tag } = backupSecretsOf(seedOfPhrase(ann.words))
    const copy = nameOfCopy(tag, savedAt)
    writeFileSync(join(copies, copy), await backup(null))
    writeFileSync(join(copies, nameOfCopy(tag, savedAt - 60_000)), 'an older one')
    writeFileSync(join(copies, nameOfCopy('0a1b2c3d', savedAt)), 'of another wallet')
    writeBackupMemory(folder, { folder: copies, tag, savedAt, changes: null })
    writeFileSync(join(folder, 'phrase'), `${ann.words}\n`)
    const noise = Buffer.from(readFileSync(join(ann.folder, 'wallet.db')).fill(0xa5, 5000))
    writeFileSync(join(folder, 'wallet.db'), noise)
    return { app: await open(name), copy, noise }
  }

  test('is offered, and takes the place of a database that cannot be read', async () => {
    const { app, copy, noise } = await damaged()
    expect(await app.handlers['gate.look']({})).toMatchObject({
      state: 'damaged',
      hasPhrase: true,
      backups: [{ name: copy, savedAt }, { savedAt: savedAt - 60_000 }],
    })
    expect(await app.handlers['gate.setAside']({ backup: copy })).toMatchObject({ state: 'open' })
    await expectRestored(app)
    const [aside = ''] = readdirSync(app.folder).filter((name) => name.startsWith('wallet.db.damaged-'))
    expect(readFileSync(join(app.folder, aside)).equals(noise)).toBe(true)
    expect(statSync(join(app.folder, 'wallet.db')).mode & 0o777).toBe(0o600)
  })

  test('that cannot be read, is not there, or lies elsewhere leaves everything as it is', async () => {
    const { app } = await damaged()
    const { tag } = backupSecretsOf(seedOfPhrase(ann.words))
    const setAside = (backup: string) => refusal(app.handlers['gate.setAside']({ backup }))
    expect(await setAside(nameOfCopy(tag, savedAt - 60_000))).toBe('bad_backup')
    expect(await setAside(nameOfCopy(tag, savedAt - 120_000))).toBe('not_found')
    expect(await setAside(nameOfCopy('0a1b2c3d', savedAt))).toBe('not_found')
    expect(await setAside('../phrase')).toBe('not_found')
    expect(readdirSync(app.folder).filter((name) => /arriv|aside|damaged|\.tmp/.test(name))).toEqual([])
    expect((await app.handlers['gate.look']({})).state).toBe('damaged')
    await app.handlers['gate.setAside']({ backup: null })
    expect(await wordsOf(app)).toBe(ann.words)
  })
})
