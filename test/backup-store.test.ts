// The database of a backup: copied while it is written, believed only when it is one of ours, and brought in whole.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backupOf } from '../electron/backup-database.ts'
import { copyDatabase, newestSchema, readyDatabase } from '../electron/store/backup-store.ts'
import type { Merged } from '../electron/store/merge.ts'
import { openWalletFile, openWalletStore } from '../electron/store/wallet-store.ts'
import { operationSchema } from '../electron/wallet/operation.ts'
import { systemRandom } from '../electron/wallet-folder.ts'
import { storedVersions, unpack } from './stored-files.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-backup-store-'))
  path = join(folder, 'wallet.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'ok'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** SQL on a file that nobody has open. */
function edit(file: string, ...statements: readonly string[]): void {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  for (const sql of statements) db.exec(sql)
  db.close()
}

function rows(file: string, sql: string): readonly Record<string, unknown>[] {
  const db = new DatabaseSync(file, { readOnly: true })
  const all = db.prepare(sql).all()
  db.close()
  return all
}

describe('a copy', () => {
  test('is of one moment, whatever is written meanwhile, and is whole', async () => {
    const store = openWalletStore(path)
    const note = (from: number, to: number) =>
      store.transaction((write) => {
        for (let index = from; index < to; index++) write.setMeta(`note/${index}`, 'x'.repeat(500))
      })
    note(0, 3000)
    const target = join(folder, 'copy')
    const copying = copyDatabase(path, target)
    let isOver = false
    void copying.finally(() => {
      isOver = true
    })
    let written = 3000
    while (!isOver) {
      note(written, written + 20)
      written += 20
      await new Promise((resolve) => setImmediate(resolve))
    }
    await copying
    expect(written).toBeGreaterThan(3020)
    const count = Number(rows(target, `SELECT COUNT(*) AS n FROM meta WHERE key LIKE 'note/%'`)[0]?.['n'])
    // What was committed before it began is in it; of what came later, whole transactions or nothing.
    expect(count % 20).toBe(0)
    expect(count).toBeGreaterThanOrEqual(3000)
    expect(rows(target, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(statSync(target).mode & 0o777).toBe(0o600)
    store.close()
  })

  test('of a database that is damaged is not made: it would push out good ones; nothing stays behind', async () => {
    const { wallet } = unpack(storedVersions().at(-1) ?? 0, folder)
    const bytes = readFileSync(wallet)
    bytes.fill(0xff, 9 * 4096, 9 * 4096 + 64)
    writeFileSync(wallet, bytes)
    const source = { folder, lock: { kind: 'phrase' }, key: new Uint8Array(32), phrase: null, savedAt: 1 } as const
    const pieces = backupOf({ ...source, random: systemRandom, signal: new AbortController().signal })
    await expect(pieces.next()).rejects.toMatchObject({ code: 'folder_damaged' })
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([])
  })

  test('that is not wanted any more leaves nothing behind', async () => {
    const { wallet } = unpack(storedVersions().at(-1) ?? 0, folder)
    expect(statSync(wallet).size).toBeGreaterThan(100_000)
    const source = { folder, lock: { kind: 'phrase' }, key: new Uint8Array(32), phrase: null, savedAt: 1 } as const
    const temporary = () => readdirSync(folder).filter((name) => name.includes('.tmp'))
    const stopping = new AbortController()
    const one = backupOf({ ...source, random: systemRandom, signal: stopping.signal })
    await one.next()
    expect(temporary()).not.toEqual([])
    await one.return(undefined)
    expect(temporary()).toEqual([])
    stopping.abort()
    const two = async () => {
      for await (const _ of backupOf({ ...source, random: systemRandom, signal: stopping.signal }));
    }
    await expect(two()).rejects.toThrow()
    expect(temporary()).toEqual([])
  })

  test('takes the place of nothing that is there', async () => {
    openWalletStore(path).close()
    const target = join(folder, 'copy')
    writeFileSync(target, 'mine')
    await expect(copyDatabase(path, target)).rejects.toMatchObject({ code: 'EEXIST' })
    expect(readFileSync(target, 'utf8')).toBe('mine')
    await expect(copyDatabase(path, join(folder, 'nowhere', 'copy'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a database that was brought back', () => {
  test.each(storedVersions())('of version %i is brought to the newest', (version) => {
    const { wallet } = unpack(version, folder)
    readyDatabase(wallet)
    expect(readdirSync(folder).filter((name) => name.startsWith('wallet.db'))).toEqual(['wallet.db'])
    expect(rows(wallet, 'PRAGMA user_version')).toEqual([{ user_version: newestSchema }])
  })

  test.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM coin; END'],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['a table of somebody else', 'CREATE TABLE extra (a)'],
    ['a table more that looks like a part of SQLite', 'CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT)'],
    ['an index less', 'DROP INDEX operation_due'],
    ['an index that runs a function', `CREATE INDEX i ON meta (upper(key))`],
    ['another column', 'ALTER TABLE mint ADD COLUMN more TEXT'],
    ['a row that refers to nothing', `INSERT INTO seen (Y, operation_id) VALUES ('02', 'nobody')`],
    ['no version', 'PRAGMA user_version = 0'],
    ['an older version than its tables', 'PRAGMA user_version = 1'],
  ])('with %s is refused', (_, sql) => {
    openWalletStore(path).close()
    edit(path, sql)
    expect(codeOf(() => readyDatabase(path))).toBe('bad_backup')
  })

  test('of a newer program is told so, and stays as it is', () => {
    openWalletStore(path).close()
    edit(path, `PRAGMA user_version = ${newestSchema + 1}`)
    const before = readFileSync(path)
    expect(codeOf(() => readyDatabase(path))).toBe('backup_too_new')
    expect(readFileSync(path)).toEqual(before)
  })

  test('that is none, or is damaged in any page, is refused', () => {
    for (const bytes of ['', 'hello', 'SQLite format 3\0 and so on']) {
      writeFileSync(path, bytes)
      expect(
        codeOf(() => readyDatabase(path)),
        JSON.stringify(bytes),
      ).toBe('bad_backup')
    }
    const { wallet } = unpack(storedVersions().at(-1) ?? 0, folder)
    const good = readFileSync(wallet)
    const outcomes = new Set<string>()
    for (let page = 0; page * 4096 < good.length; page += 7) {
      const bad = Buffer.from(good)
      bad.fill(0xff, page * 4096, page * 4096 + 64)
      writeFileSync(wallet, bad)
      for (const suffix of ['-wal', '-shm']) rmSync(wallet + suffix, { force: true })
      outcomes.add(codeOf(() => readyDatabase(wallet)))
    }
    expect([...outcomes]).toEqual(['bad_backup'])
  })
})

describe('a merge', () => {
  const merge = (into: ReturnType<typeof openWalletFile>, from: string): Merged =>
    into.merge({ path: from, now: 1_800_000_000_000, onNews: () => {} })

  test.each(storedVersions())(
    'brings every kind of operation in every state of version %i, and coins in every state',
    (version) => {
      const { wallet: backup } = unpack(version, folder)
      readyDatabase(backup)
      const mine = join(folder, 'mine.db')
      const file = openWalletFile(mine)
      // Numbers of mints and purses are others here.
      file.store.transaction((write) => {
        const mint = { name: null, version: null, offlineCapable: false, lastReachedAt: null, alarm: null }
        const { account } = write.insertMint({ ...mint, url: 'http://127.0.0.1:1' })
        for (let purse = 0; purse < 3; purse++)
          write.takePurse({ generation: 9, account, unit: 'sat' }, 'withdraw', 'own')
      })
      const merged = merge(file, backup)
      expect(merged).toMatchObject({ isNews: true, skipped: 0 })
      const after = dump(mine)
      const before = dump(backup)
      const expected = before.operation.filter(({ kind }) => kind !== 'restore')
      expect(after.operation.map(({ id, kind, state, account }) => ({ id, kind, state, account }))).toEqual(
        expected.map(({ id, kind, state, account }) => ({ id, kind, state, account: Number(account) + 1 })),
      )
      // Every number of a purse in an operation is that of the same purse here.
      const place = ({ generation, path_account, purse }: Record<string, unknown>) =>
        `${generation}/${path_account}/${purse}`
      const placeIn = (of: typeof after, id: number) => place(of.purse.find((one) => one['id'] === id) ?? {})
      for (const [index, row] of expected.entries()) {
        const [theirs, ours] = [row, after.operation[index]!].map((one) =>
          operationSchema.parse(JSON.parse(String(one['data']))),
        )
        if (theirs?.kind === 'refresh' && ours?.kind === 'refresh') {
          expect(ours.target).not.toBe(theirs.target)
          expect(placeIn(after, ours.target)).toBe(placeIn(before, theirs.target))
        }
        if (theirs?.kind === 'melt' && ours?.kind === 'melt' && 'purse' in theirs && 'purse' in ours) {
          expect(placeIn(after, ours.purse)).toBe(placeIn(before, theirs.purse))
        }
        const wasOpen = row['next_attempt_at'] !== null
        expect(after.operation[index]?.['next_attempt_at']).toBe(wasOpen ? 1_800_000_000_000 : null)
      }
      const rests = (state: unknown) => (state === 'spendable' ? 'quarantined' : state)
      expect(after.coin.map(({ Y, state, operation_id }) => ({ Y, state, operation_id }))).toEqual(
        before.coin.map(({ Y, state, operation_id }) => ({ Y, state: rests(state), operation_id })),
      )
      expect(after.seen).toEqual(before.seen)
      expect(after.output.map(({ B_ }) => B_)).toEqual(before.output.filter(isOf(expected)).map(({ B_ }) => B_))
      expect(merge(file, backup)).toMatchObject({ isNews: false, payments: 0, mints: 0, coins: [], skipped: 0 })
      expect(dump(mine)).toEqual(after)
      file.store.close()
    },
  )

  test('that fails in the middle changes nothing, and the next one can be made', () => {
    const { wallet: backup } = unpack(storedVersions().at(-1) ?? 0, folder)
    readyDatabase(backup)
    const mine = join(folder, 'mine.db')
    const file = openWalletFile(mine)
    const before = dump(mine)
    const failing = () =>
      file.merge({
        path: backup,
        now: 1,
        onNews: () => {
          throw new Error('the disk is full')
        },
      })
    expect(codeOf(failing)).toContain('the disk is full')
    expect(dump(mine)).toEqual(before)
    edit(backup, `UPDATE operation SET data = json_set(data, '$.state', 'nonsense') WHERE seq = 3`)
    expect(codeOf(() => merge(file, backup))).toBe('bad_backup')
    expect(dump(mine)).toEqual(before)
    expect(codeOf(() => merge(file, join(folder, 'nowhere', 'x')))).not.toBe('ok')
    const { wallet: good } = unpack(storedVersions().at(-1) ?? 0, mkdtempSync(join(folder, 'again-')))
    readyDatabase(good)
    expect(merge(file, good).isNews).toBe(true)
    file.store.close()
  })

  test('knows every table and column there is: a new one has to be thought of in merge*.ts, and then named here', () => {
    openWalletStore(path).close()
    const columns = Object.fromEntries(
      rows(path, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).map(({ name }) => [
        name,
        rows(path, `SELECT name FROM pragma_table_info('${name}')`).map((column) => column['name']),
      ]),
    )
    expect(columns).toEqual({
      coin: ['Y', 'purse_id', 'coin', 'keyset_id', 'amount', 'C', 'e', 's', 'state', 'operation_id'],
      keyset: ['id', 'id_v2', 'account', 'unit', 'active', 'fee_ppk', 'final_expiry', 'keys'],
      meta: ['key', 'value'],
      mint: ['account', 'url', 'name', 'version', 'offline_capable', 'last_reached_at', 'alarm', 'removed'],
      operation: [
        ...['id', 'seq', 'kind', 'state', 'account', 'unit', 'amount', 'created_at', 'next_attempt_at', 'payer_peer'],
        ...['payment_id', 'payer_address', 'terms_hash', 'request_id', 'signed_at', 'data', 'search'],
      ],
      operation_event: ['id', 'operation_id', 'at', 'state'],
      output: ['B_', 'purse_id', 'coin', 'operation_id'],
      purse: ['id', 'generation', 'path_account', 'purse', 'account', 'unit', 'purpose', 'next_coin', 'used', 'closed'],
      seen: ['Y', 'operation_id'],
    })
  })
})

const tables = ['operation', 'operation_event', 'purse', 'output', 'coin', 'seen', 'mint', 'keyset', 'meta'] as const

function dump(file: string): Record<(typeof tables)[number], readonly Record<string, unknown>[]> {
  const all = tables.map((table) => [table, rows(file, `SELECT * FROM ${table} ORDER BY ${orderOf(table)}`)])
  return Object.fromEntries(all)
}

const orderOf = (table: string): string => (table === 'operation' ? 'seq' : '1')

const isOf = (operations: readonly Record<string, unknown>[]) => {
  const ids = new Set(operations.map(({ id }) => id))
  return ({ operation_id }: Record<string, unknown>): boolean => ids.has(operation_id)
}
