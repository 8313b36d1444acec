// Files of every version that was released open in this one: each row is there and readable, the money is what it was, and
// what was interrupted goes on. A file of a newer program is left alone.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../electron/store/database.ts'
import { migrations } from '../electron/store/schema.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { migrations as mintMigrations } from '../mint/schema.ts'
import { openMintStore } from '../mint/store.ts'
import { errorWords } from '../shared/words.ts'
import { readBooks } from './mint-books.ts'
import { type Folders, store, storedVersions, takeFiles, unpack } from './stored-files.ts'
import { everyState, playEveryState } from './stored-plays.ts'
import { openStoredWallet } from './stored-wallet.ts'

type Rows = readonly Readonly<Record<string, unknown>>[]

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-stored-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** As it is, without the program. */
function look<T>(path: string, work: (all: (sql: string) => Rows) => T): T {
  const db = new DatabaseSync(path)
  try {
    return work((sql) => db.prepare(sql).all())
  } finally {
    db.close()
  }
}

const versionOf = (path: string) => look(path, (all) => Number(all('PRAGMA user_version')[0]?.['user_version']))

/** Every row of every table, in the order of its key. */
const contentOf = (path: string): Readonly<Record<string, Rows>> =>
  look(path, (all) => {
    const tables = all(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    return Object.fromEntries(tables.map(({ name }) => [String(name), all(`SELECT * FROM ${name} ORDER BY 1, 2`)]))
  })

/** Tables, indices and triggers; how they are spelled does not matter. */
const schemaOf = (path: string) =>
  look(path, (all) =>
    all('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').map((row) => ({
      ...row,
      sql: String(row['sql']).replace(/\s+/g, ' '),
    })),
  )

/** What a version since then has not taken away, in the columns of the older one. */
function expectKept(before: ReturnType<typeof contentOf>, after: ReturnType<typeof contentOf>): void {
  for (const [table, rows] of Object.entries(before)) {
    const now = after[table]
    expect(now, table).toHaveLength(rows.length)
    for (const [index, row] of rows.entries()) {
      const kept = Object.fromEntries(Object.keys(row).map((column) => [column, now?.[index]?.[column]]))
      expect({ table, ...kept }).toEqual({ table, ...row })
    }
  }
}

/** What the stored rows say, before anything is migrated. */
const storedOperations = (path: string) =>
  look(path, (all) => all('SELECT id, kind, state, next_attempt_at AS nextAttemptAt FROM operation ORDER BY seq'))
const storedTotals = (path: string) =>
  look(path, (all) =>
    Object.fromEntries(
      all('SELECT state, SUM(amount) AS n FROM coin GROUP BY state').map(({ state, n }) => [state, n]),
    ),
  )

const noCoins = { spendable: 0, reserved: 0, handed_over: 0, spent: 0, quarantined: 0 }

function expectOpens({ wallet, mintFolder }: Folders, folder: string): void {
  const before = { content: contentOf(wallet), operations: storedOperations(wallet), totals: storedTotals(wallet) }
  const opened = openWalletStore(wallet)
  const operations = before.operations.map(({ id }) => opened.read.operation(String(id)))
  expect(operations.map((one) => one && [one.id, one.kind, one.state, one.nextAttemptAt])).toEqual(
    before.operations.map(({ id, kind, state, nextAttemptAt }) => [id, kind, state, nextAttemptAt]),
  )
  const totals = opened.read.totals(0, 'sat')
  expect(totals).toEqual({ ...noCoins, ...before.totals })
  // A payment of before has a story, and is found by what is looked for.
  const everything = { before: null, limit: 200, search: '', filter: 'all' } as const
  const [payment] = opened.read.payments(everything).operations
  expect(opened.read.history(payment?.id ?? '')).not.toEqual([])
  const found = opened.read.payments({ ...everything, search: String(payment?.amount) }).operations
  expect(found.map(({ id }) => id)).toContain(payment?.id)
  opened.close()
  expectKept(before.content, contentOf(wallet))
  expect(look(wallet, (all) => [...all('PRAGMA integrity_check'), ...all('PRAGMA foreign_key_check')])).toEqual([
    { integrity_check: 'ok' },
  ])
  const fresh = join(folder, 'fresh.db')
  openWalletStore(fresh).close()
  expect(schemaOf(wallet)).toEqual(schemaOf(fresh))

  const mintFile = join(mintFolder, 'mint.sqlite')
  const mintBefore = contentOf(mintFile)
  openMintStore(mintFile).close()
  expectKept(mintBefore, contentOf(mintFile))
  const freshMint = join(folder, 'fresh.sqlite')
  openMintStore(freshMint).close()
  expect(schemaOf(mintFile)).toEqual(schemaOf(freshMint))
  expect(readBooks(mintFolder).problems).toEqual([])
}

describe('a stored file', () => {
  test('is there for every version that was released, of the wallet and of the mint', () => {
    const released = Array.from({ length: migrations.length - 1 }, (_, index) => index + 1)
    expect(storedVersions()).toEqual(expect.arrayContaining(released))
    const folder = newFolder()
    const mintVersions = storedVersions().map((version) => {
      const place = join(folder, String(version))
      mkdirSync(place)
      const { wallet, mintFolder } = unpack(version, place)
      expect(versionOf(wallet)).toBe(version)
      return versionOf(join(mintFolder, 'mint.sqlite'))
    })
    for (let version = 1; version < mintMigrations.length; version++) expect(mintVersions).toContain(version)
  })

  describe.each(storedVersions())('of version %i', (version) => {
    test('opens: every row is readable and as it was, the money too, and the schema is that of a new file', () => {
      const folder = newFolder()
      expectOpens(unpack(version, folder), folder)
    })

    test('goes on: what was interrupted ends, and every coin it counts is good at the mint', async () => {
      await expectGoesOn(unpack(version, newFolder()))
    }, 240_000)
  })
})

async function expectGoesOn(folders: Folders): Promise<void> {
  const stored = await openStoredWallet(folders)
  const { wallet } = stored
  const { spendable } = wallet.totals()
  await stored.rest()
  expect(wallet.reports).toEqual([])
  expect(stored.stuck()).toEqual([])
  expect(await stored.coinsThatAreNotGood()).toEqual([])
  expect(await stored.signedAndNotStored()).toEqual([])
  expect(wallet.totals().spendable).toBeGreaterThan(spendable)
}

describe('a file of this version', () => {
  test('holds every state there is, opens as it was, and goes on', async () => {
    const played = await playEveryState()
    const states = new Set(played.ann.store.read.operations({}).map(({ kind, state }) => `${kind} ${state}`))
    expect(everyState.filter((state) => !states.has(state))).toEqual([])
    const folder = newFolder()
    const folders = takeFiles(played, folder)
    if (process.env['FARTHING_STORE'] === '1') store(migrations.length, folders)
    expectOpens(folders, folder)
    await expectGoesOn(folders)
  }, 480_000)
})

describe('a migration', () => {
  test('that fails leaves the file at the version before it, and the next start tries again', () => {
    const [version = 1] = storedVersions()
    const { wallet } = unpack(version, newFolder())
    const before = contentOf(wallet)
    const next = migrations.slice(0, version)
    const broken = 'ALTER TABLE mint ADD COLUMN colour TEXT; UPDATE mint SET colour = nothing_like_it'
    expect(() => openDatabase(wallet, [...next, broken])).toThrow(/nothing_like_it/)
    expect(versionOf(wallet)).toBe(version)
    expect(contentOf(wallet)).toEqual(before)
    openDatabase(wallet, [...next, 'ALTER TABLE mint ADD COLUMN colour TEXT']).close()
    expect(versionOf(wallet)).toBe(version + 1)
  })
})

describe('a file from the future', () => {
  test.each(['WAL', 'DELETE'])('in journal mode %s is refused with words, and not a byte of it changes', (mode) => {
    const folder = newFolder()
    const path = join(folder, 'wallet.db')
    openWalletStore(path).close()
    look(path, (all) => [all(`PRAGMA journal_mode = ${mode}`), all(`PRAGMA user_version = ${migrations.length + 1}`)])
    const before = readFileSync(path)
    expect(() => openWalletStore(path)).toThrow(expect.objectContaining({ code: 'folder_too_new' }))
    expect(readFileSync(path).equals(before)).toBe(true)
    const { title, action } = errorWords('folder_too_new')
    expect(title).toMatch(/newer/)
    expect(action).toMatch(/update/i)
  })

  test('that a crash has left half in its log is refused too, and neither part changes', () => {
    const folder = newFolder()
    const [path, crashed] = [join(folder, 'wallet.db'), join(folder, 'crashed.db')]
    openWalletStore(path).close()
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA user_version = ${migrations.length + 1}`)
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, crashed + suffix)
    db.close()
    const before = [readFileSync(crashed), readFileSync(`${crashed}-wal`)]
    expect(() => openWalletStore(crashed)).toThrow(expect.objectContaining({ code: 'folder_too_new' }))
    expect([readFileSync(crashed), readFileSync(`${crashed}-wal`)]).toEqual(before)
    expect(existsSync(`${crashed}-journal`)).toBe(false)
  })
})
