// Backups of whole apps: a file and a passphrase, or the twelve words, are the wallet again; copies make themselves.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type App, type AppOptions, startApp } from '../electron/app.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { seedOfPhrase } from '../electron/keys.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type { Slices } from '../shared/model.ts'

const home = mkdtempSync(join(tmpdir(), 'farthing-backup-'))
const passphrase = 'correct horse battery'
const logs: string[] = []
let mint: RunningMint
let opened: App[] = []
let world = 0

const place = (name: string): string => join(home, String(world), name)

/** Each name is a computer of its own. */
async function open(name: string, more: Partial<AppOptions> = {}): Promise<App> {
  const app = await startApp({
    folder: place(name),
    memoryFolder: place(`${name}-memory`),
    name,
    listenHost: '127.0.0.1',
    tickMs: 200,
    kdfCost: { logN: 10, r: 8, p: 1 },
    config: { settleDelayMs: [0, 0], refreshDelayMs: [1e9, 1e9], readingGapMs: 50, retryMs: [50, 200] },
    onEvent: (event) => events.push(event),
    log: (line) => logs.push(line),
    ...more,
  })
  opened.push(app)
  return app
}
const events: HostEvent[] = []

async function close(...apps: readonly App[]): Promise<void> {
  opened = opened.filter((app) => !apps.includes(app))
  for (const app of apps) await app.stop()
}

const seen = async ({ handlers }: App): Promise<Slices> => (await handlers['app.snapshot']({})).slices
const balance = async (app: App) => (await seen(app)).mints[0]?.balances[0]
const phrases: (readonly string[])[] = []
async function wordsOf({ handlers }: App): Promise<readonly string[]> {
  const { words } = await handlers['phrase.show']({})
  phrases.push(words)
  return words
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error) => error.code,
  )

async function withCoins(name: string, amount: number, more: Partial<AppOptions> = {}): Promise<App> {
  const app = await open(name, more)
  await app.handlers['mints.add']({ url: mint.url })
  await app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount })
  await vi.waitFor(async () => expect((await balance(app))?.spendable).toBe(amount), { timeout: 20_000 })
  return app
}

async function pay(from: App, to: App, amount: number, memo: string): Promise<string> {
  const order = { mintUrl: mint.url, unit: 'sat', amount, singleUse: true }
  const { link } = await to.handlers['request.create'](order)
  const { id } = await from.handlers['pay.prepare']({ request: link, memo })
  await from.handlers['pay.confirm']({ id })
  return id
}

/** Nobody reaches the mint; it comes back where it was. */
async function withoutMint(apps: readonly App[], work: () => Promise<void>): Promise<void> {
  const port = Number(new URL(mint.url).port)
  await mint.close()
  for (const app of apps) {
    await vi.waitFor(async () => expect((await seen(app)).mints[0]?.isReachable).toBe(false), { timeout: 20_000 })
  }
  try {
    await work()
  } finally {
    mint = await startMintServer({ dataFolder: join(home, 'mint'), practiceDelayMs: 0, port })
  }
}

/** What is left in a data folder that a backup has made. */
const leftovers = (name: string) => readdirSync(place(name)).filter((file) => file.includes('.tmp'))
const tables = (name: string, sql: string) => {
  const db = new DatabaseSync(join(place(name), 'wallet.db'), { readOnly: true })
  const rows = db.prepare(sql).all()
  db.close()
  return rows
}

beforeAll(async () => {
  mint = await startMintServer({ dataFolder: join(home, 'mint'), practiceDelayMs: 0 })
})
beforeEach(() => {
  world += 1
  mkdirSync(join(home, String(world)))
})
afterEach(async () => {
  await close(...opened)
})
afterAll(async () => {
  await mint.close()
  rmSync(home, { recursive: true })
})

describe('a backup file', () => {
  test('and its passphrase are the wallet again: what was signed to it settles, history is there, coins rest', async () => {
    const ann = await withCoins('Ann', 100)
    const bob = await open('Bob')
    await bob.handlers['mints.add']({ url: mint.url })
    const words = await wordsOf(bob)
    await pay(ann, bob, 11, 'Bread')
    await vi.waitFor(async () => expect((await balance(bob))?.spendable).toBe(11), { timeout: 20_000 })
    let file = ''
    await withoutMint([ann, bob], async () => {
      await pay(ann, bob, 30, 'A chair')
      expect((await balance(bob))?.signedToUs).toBe(30)
      const exported = await bob.handlers['backup.export']({ passphrase })
      expect(exported.name).toMatch(/^farthing-\d{8}-\d{6}\.farthing-backup$/)
      file = exported.file
      await close(bob)
    })
    rmSync(place('Bob'), { recursive: true })

    const again = await open('New computer')
    const summary = await again.handlers['gate.restoreBackup']({ file, passphrase })
    expect(summary).toMatchObject({ payments: 2, mints: 1, coins: [{ unit: 'sat', amount: 11 }] })
    const { latest, profile, restore } = await seen(again)
    expect(latest.map(({ memo }) => memo)).toEqual(['A chair', 'Bread'])
    expect(profile.name).toBe('Bob')
    expect(restore.cause).toBe('backup')
    expect((await again.handlers['phrase.show']({})).words).toEqual(words)
    await vi.waitFor(async () => expect((await seen(again)).latest[0]).toMatchObject({ state: 'final', amount: 30 }), {
      timeout: 30_000,
    })
    // Also what it brought home: another computer may have given it away.
    expect(await balance(again)).toMatchObject({ spendable: 0, resting: 41, signedToUs: 0 })
  }, 120_000)

  test('that the phrase opens is opened by the twelve words, and by no others', async () => {
    const ann = await withCoins('Ann', 20)
    const words = await wordsOf(ann)
    const { file } = await ann.handlers['backup.export']({ passphrase: null })
    expect(Buffer.from(file, 'base64').includes(Buffer.from(words.join(' ')))).toBe(false)
    await close(ann)
    const again = await open('New computer')
    const others = [...'abandon '.repeat(11).trim().split(' '), 'about']
    const restore = (input: object) => again.handlers['gate.restoreBackup']({ file, ...input } as never)
    expect(await codeOf(restore({ words: others }))).toBe('foreign_backup')
    expect(await codeOf(restore({ passphrase }))).toBe('wrong_passphrase')
    expect(await codeOf(restore({}))).toBe('bad_input')
    expect(await codeOf(restore({ words: [...words.slice(1), 'nonsense'] }))).toBe('bad_phrase')
    expect(await restore({ words })).toMatchObject({ payments: 0, coins: [{ amount: 20 }] })
    expect(leftovers('New computer')).toEqual([])
    expect(await codeOf(restore({ words }))).toBe('not_empty')
  }, 60_000)

  test('of a passphrase is refused with another one, and its passphrase must be a strong one', async () => {
    const ann = await open('Ann')
    expect(await codeOf(ann.handlers['backup.export']({ passphrase: 'short' }))).toBe('weak_passphrase')
    const { file } = await ann.handlers['backup.export']({ passphrase })
    const again = await open('New computer')
    const restore = (given: string) => again.handlers['gate.restoreBackup']({ file, passphrase: given })
    expect(await codeOf(restore('correct horse batteri'))).toBe('wrong_passphrase')
    expect(await codeOf(restore(passphrase))).toBe('ok')
  })

  test('that is damaged, none, or of a newer program changes nothing', async () => {
    const ann = await open('Ann')
    const words = await wordsOf(ann)
    const { file } = await ann.handlers['backup.export']({ passphrase: null })
    const bytes = Buffer.from(file, 'base64')
    const again = await open('New computer')
    const before = readdirSync(place('New computer')).sort()
    for (const [code, bad] of [
      ['bad_backup', Buffer.from('hello')],
      ['bad_backup', bytes.subarray(0, bytes.length - 1)],
      ['bad_backup', Buffer.concat([bytes, Buffer.from([0])])],
      ['backup_too_new', Buffer.concat([bytes.subarray(0, 4), Buffer.from([2]), bytes.subarray(5)])],
    ] as const) {
      const restoring = again.handlers['gate.restoreBackup']({ file: bad.toString('base64'), words: [...words] })
      expect(await codeOf(restoring)).toBe(code)
    }
    expect(readdirSync(place('New computer')).sort()).toEqual(before)
    expect((await seen(again)).profile.name).toBe('New computer')
  })

  test('merged into its own wallet changes nothing; into another wallet it is refused', async () => {
    const ann = await withCoins('Ann', 20)
    const byPhrase = await ann.handlers['backup.export']({ passphrase: null })
    const byPassphrase = await ann.handlers['backup.export']({ passphrase })
    const before = await seen(ann)
    expect(await ann.handlers['backup.merge']({ file: byPhrase.file })).toMatchObject({
      payments: 0,
      mints: 0,
      coins: [],
    })
    expect(await ann.handlers['backup.merge']({ file: byPassphrase.file, passphrase })).toMatchObject({ coins: [] })
    expect(await codeOf(ann.handlers['backup.merge']({ file: byPassphrase.file }))).toBe('wrong_passphrase')
    expect(await codeOf(ann.handlers['backup.merge']({ file: 'AAAA' }))).toBe('bad_backup')
    const { mints, restore, latest } = await seen(ann)
    expect({ mints: mints[0]?.balances, restore, latest }).toEqual({
      mints: before.mints[0]?.balances,
      restore: before.restore,
      latest: before.latest,
    })
    const bob = await open('Bob')
    expect(await codeOf(bob.handlers['backup.merge']({ file: byPhrase.file }))).toBe('foreign_backup')
    expect(await codeOf(bob.handlers['backup.merge']({ file: byPassphrase.file, passphrase }))).toBe('foreign_backup')
    expect([...leftovers('Ann'), ...leftovers('Bob')]).toEqual([])
  }, 60_000)

  test('brings what is missing into a wallet restored from the words alone', async () => {
    const ann = await withCoins('Ann', 60)
    const bob = await open('Bob')
    await bob.handlers['mints.add']({ url: mint.url })
    await pay(ann, bob, 20, 'A lamp')
    await vi.waitFor(async () => expect((await seen(ann)).latest[0]?.state).toBe('final'), { timeout: 20_000 })
    const words = await wordsOf(ann)
    const { file } = await ann.handlers['backup.export']({ passphrase: null })
    await close(ann)
    const again = await open('New computer')
    await again.handlers['gate.restorePhrase']({ words: [...words] })
    expect((await seen(again)).latest).toEqual([])
    const merged = await again.handlers['backup.merge']({ file })
    expect(merged).toMatchObject({ payments: 1, mints: 1, coins: [{ unit: 'sat', amount: 40 }] })
    const after = await seen(again)
    expect(after.latest[0]).toMatchObject({ memo: 'A lamp', name: 'Bob', state: 'final' })
    expect(after.mints[0]?.balances[0]).toMatchObject({ spendable: 0, resting: 40 })
    expect(after.restore.cause).toBe('backup')
    await vi.waitFor(() =>
      expect(
        events.some((event) => event.kind === 'slice' && event.name === 'latest' && event.value.length === 1),
      ).toBe(true),
    )
  }, 60_000)
})

describe('a folder for copies', () => {
  const folder = () => {
    mkdirSync(place('stick'), { recursive: true })
    return place('stick')
  }
  const copies = () => readdirSync(place('stick')).filter((name) => name.endsWith('.farthing-backup'))

  test('gets one at once, shows it, and is known after a restart', async () => {
    const ann = await open('Ann')
    expect((await seen(ann)).backup).toEqual({
      folder: null,
      canPick: false,
      lastSavedAt: null,
      trouble: null,
      copies: [],
    })
    const view = await ann.handlers['backup.setFolder']({ folder: folder() })
    expect(view).toMatchObject({ folder: place('stick'), trouble: null })
    expect(view.copies.map(({ name }) => name)).toEqual(copies())
    expect(view.copies[0]?.bytes).toBe(statSync(join(place('stick'), copies()[0]!)).size)
    expect(statSync(join(place('stick'), copies()[0]!)).mode & 0o777).toBe(0o600)
    await close(ann)
    const again = await open('Ann')
    await vi.waitFor(async () => expect((await seen(again)).backup.copies).toHaveLength(1))
    expect((await seen(again)).backup).toMatchObject({ folder: place('stick'), lastSavedAt: view.lastSavedAt })
    expect(await again.handlers['backup.setFolder']({ folder: null })).toMatchObject({ folder: null, copies: [] })
    expect(copies()).toHaveLength(1)
  })

  test('has what was signed to us within a minute: it is nowhere else', async () => {
    const ann = await withCoins('Ann', 40)
    const bob = await open('Bob')
    await bob.handlers['mints.add']({ url: mint.url })
    await bob.handlers['backup.setFolder']({ folder: folder() })
    await withoutMint([ann, bob], async () => {
      await pay(ann, bob, 5, 'A book')
      await vi.waitFor(() => expect(copies()).toHaveLength(2), { timeout: 60_000, interval: 200 })
    })
    const file = readFileSync(join(place('stick'), [...copies()].sort().at(-1) ?? '')).toString('base64')
    const words = await wordsOf(bob)
    await close(bob)
    const again = await open('New computer')
    expect(await again.handlers['gate.restoreBackup']({ file, words: [...words] })).toMatchObject({ payments: 1 })
    await vi.waitFor(async () => expect((await balance(again))?.resting).toBe(5), { timeout: 30_000 })
  }, 150_000)

  test('must be there, a folder, outside the data folder, and may be picked in a window', async () => {
    const ann = await open('Ann', { pickFolder: async () => place('stick') })
    expect((await seen(ann)).backup.canPick).toBe(true)
    expect(await ann.handlers['backup.pickFolder']({})).toEqual({ folder: place('stick') })
    writeFileSync(place('file'), '')
    mkdirSync(join(place('Ann'), 'inside'))
    for (const bad of ['stick', place('nowhere'), place('file'), place('Ann'), join(place('Ann'), 'inside')]) {
      expect(await codeOf(ann.handlers['backup.setFolder']({ folder: bad })), bad).toBe('backup_folder')
    }
    expect(await codeOf(ann.handlers['backup.saveNow']({}))).toBe('wrong_state')
    expect((await seen(ann)).backup.folder).toBeNull()
    expect(existsSync(place('nowhere'))).toBe(false)
  })

  test('gets what changed when the program ends, and brings it back where the database is damaged', async () => {
    const ann = await open('Ann')
    await ann.handlers['backup.setFolder']({ folder: folder() })
    await ann.handlers['mints.add']({ url: mint.url })
    await ann.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount: 25 })
    await vi.waitFor(async () => expect((await balance(ann))?.spendable).toBe(25), { timeout: 20_000 })
    await close(ann)
    expect(copies()).toHaveLength(2)
    const path = join(place('Ann'), 'wallet.db')
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(7, 1000, 60_000))

    const damaged = await open('Ann')
    const gate = await damaged.handlers['gate.look']({})
    if (gate.state !== 'damaged') throw new Error(gate.state)
    expect(gate.backups.map(({ name }) => name)).toEqual([...copies()].sort().reverse())
    expect(await codeOf(damaged.handlers['gate.setAside']({ backup: '../Ann/phrase' }))).toBe('not_found')
    const newest = gate.backups[0]?.name ?? ''
    expect(await damaged.handlers['gate.setAside']({ backup: newest })).toMatchObject({ state: 'open' })
    expect((await seen(damaged)).restore.cause).toBe('backup')
    expect(await balance(damaged)).toMatchObject({ spendable: 0, resting: 25 })
    // The copy that is made next is of the wallet that was saved.
    expect(await damaged.handlers['backup.saveNow']({})).toMatchObject({ trouble: null })
    expect(copies()).toHaveLength(3)
  }, 60_000)

  test('that is away when the database is damaged is named, and keeps what it has when the wallet begins anew', async () => {
    const ann = await withCoins('Ann', 25)
    await ann.handlers['backup.setFolder']({ folder: folder() })
    await close(ann)
    const good = copies()
    writeFileSync(join(place('Ann'), 'wallet.db'), Buffer.alloc(60_000, 7))
    renameSync(place('stick'), place('drawer'))

    const damaged = await open('Ann')
    const told = { state: 'damaged', backups: [], awayFolder: place('stick') }
    expect(await damaged.handlers['gate.look']({})).toMatchObject(told)
    await damaged.handlers['gate.setAside']({ backup: null })
    renameSync(place('drawer'), place('stick'))
    // More than are kept.
    for (let time = 0; time < 12; time++) await damaged.handlers['backup.saveNow']({})
    expect(copies()).toEqual(expect.arrayContaining(good))
    expect(copies()).toHaveLength(good.length + 10)
    const shown = (await seen(damaged)).backup.copies.map(({ name }) => name)
    expect(shown).toEqual(expect.arrayContaining(good))
    const file = readFileSync(join(place('stick'), [...good].sort().at(-1) ?? '')).toString('base64')
    expect(await damaged.handlers['backup.merge']({ file })).toMatchObject({ mints: 1, coins: [{ amount: 25 }] })
  }, 60_000)

  test('that two computers of one phrase share has the newest ten of each', async () => {
    const ann = await open('Ann')
    const words = await wordsOf(ann)
    await ann.handlers['backup.setFolder']({ folder: folder() })
    const other = await open('Other')
    await other.handlers['gate.restorePhrase']({ words: [...words] })
    await other.handlers['backup.setFolder']({ folder: folder() })
    const before = copies()
    expect(before).toHaveLength(2)
    for (let time = 0; time < 12; time++) await other.handlers['backup.saveNow']({})
    expect(copies().filter((name) => before.includes(name))).toHaveLength(1)
    expect(copies()).toHaveLength(11)
  }, 60_000)

  test('is shared by a folder and the copy that somebody made of it: each has its own ten', async () => {
    const ann = await open('Ann')
    await ann.handlers['backup.setFolder']({ folder: folder() })
    await close(ann)
    cpSync(place('Ann'), place('Copied'), { recursive: true })
    const again = await open('Ann')
    await again.handlers['backup.saveNow']({})
    const before = copies()
    await close(again)
    const copied = await open('Copied', { memoryFolder: place('Ann-memory') })
    expect((await seen(copied)).restore.cause).not.toBeNull()
    for (let time = 0; time < 12; time++) await copied.handlers['backup.saveNow']({})
    expect(copies()).toEqual(expect.arrayContaining(before))
    expect(copies()).toHaveLength(before.length + 10)
  }, 60_000)

  test('does not get a damaged database in place of good copies', async () => {
    const ann = await open('Ann')
    await ann.handlers['backup.setFolder']({ folder: folder() })
    const before = copies()
    await ann.handlers['profile.rename']({ name: 'x'.repeat(60) })
    const path = join(place('Ann'), 'wallet.db')
    await close(ann)
    const after = copies()
    expect(after).toHaveLength(before.length + 1)
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(7, 1000, 60_000))
    const damaged = await open('Ann')
    expect((await damaged.handlers['gate.look']({})).state).toBe('damaged')
    await close(damaged)
    expect(copies()).toEqual(after)
  })

  test('that is gone is told, is not made again, and disturbs nothing; when it is back, copies go on', async () => {
    const ann = await open('Ann')
    await ann.handlers['backup.setFolder']({ folder: folder() })
    rmSync(place('stick'), { recursive: true })
    expect(await codeOf(ann.handlers['backup.saveNow']({}))).toBe('backup_folder')
    const told = { folder: place('stick'), trouble: 'backup_folder', copies: [] }
    await vi.waitFor(async () => expect((await seen(ann)).backup).toMatchObject(told))
    expect(existsSync(place('stick'))).toBe(false)
    await ann.handlers['mints.add']({ url: mint.url })
    folder()
    expect(await ann.handlers['backup.saveNow']({})).toMatchObject({ trouble: null, copies: [{}] })
    expect(leftovers('Ann')).toEqual([])
  })
})

describe('a crash', () => {
  test('leaves copies of the database that the next start removes, and nothing else', async () => {
    const ann = await open('Ann')
    await close(ann)
    const names = [
      'backup-0123456789abcdef.tmp',
      'backup-0123456789abcdef.tmp-wal',
      'backup-fedcba9876543210.tmp-journal',
    ]
    const kept = ['backup-note.tmp', 'my backup-0123456789abcdef.tmp', 'backup-0123456789abcdef.tmp.txt']
    for (const name of [...names, ...kept]) writeFileSync(join(place('Ann'), name), 'x')
    await open('Ann')
    const left = readdirSync(place('Ann'))
    expect(left.filter((name) => names.includes(name))).toEqual([])
    expect(left.filter((name) => kept.includes(name)).sort()).toEqual([...kept].sort())
  })
})

test('while it is made, the copy of the database is for this user alone', async () => {
  const ann = await withCoins('Ann', 4)
  const modes = new Set<number>()
  const watch = setInterval(() => {
    for (const name of leftovers('Ann')) {
      const found = statSync(join(place('Ann'), name), { throwIfNoEntry: false })
      if (found) modes.add(found.mode & 0o777)
    }
  }, 1)
  for (let round = 0; round < 5; round++) await ann.handlers['backup.export']({ passphrase: null })
  clearInterval(watch)
  expect([...modes]).toEqual([0o600])
  expect(leftovers('Ann')).toEqual([])
  chmodSync(place('Ann'), 0o700)
  expect(tables('Ann', 'SELECT COUNT(*) AS n FROM mint')).toEqual([{ n: 1 }])
})

test('no phrase, no key that follows from one, and no passphrase reached the log', () => {
  const log = logs.join('\n')
  expect(log).toContain('backup_folder')
  expect(log).not.toContain(passphrase)
  expect(phrases.length).toBeGreaterThan(3)
  for (const words of phrases) {
    const phrase = words.join(' ')
    const key = Buffer.from(backupSecretsOf(seedOfPhrase(phrase)).key)
    for (const secret of [words.slice(0, 3).join(' '), key.toString('hex'), key.toString('base64')]) {
      expect(log).not.toContain(secret)
    }
  }
})
