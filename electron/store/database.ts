// One SQLite file with its pragmas, its migrations and its transactions. Knows nothing of wallets.

import { chmodSync, closeSync, existsSync, lstatSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { diskError } from '../../shared/disk-error.ts'
import { AppError } from '../../shared/errors.ts'
import { commitsDropped, keepLog } from './log-damage.ts'

export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

export type Database = {
  all(sql: string, ...values: readonly Value[]): readonly Row[]
  get(sql: string, ...values: readonly Value[]): Row | undefined
  /** @returns the number of rows changed */
  run(sql: string, ...values: readonly Value[]): number
  /** All or nothing, fsynced when it returns. Not nestable. */
  transaction<T>(work: () => T): T
  readonly inTransaction: () => boolean
  /** Commits were lost by damage to the log before it was opened. What is left of them lies beside it. */
  readonly hasLostCommits: boolean
  close(): void
}

/** What SQLite keeps beside the file. */
const companions = ['-wal', '-shm', '-journal']
const busyTimeoutMs = 5000
/** What is looked through at once when it is opened: 30 ms when it is in memory, a quarter of a second from a slow disk. */
export const checkedAtOnceBytes = 64 * 1024 * 1024
/** Stops at the first fault; structure and constraints of every table, without what indices say of it. */
const quickCheck = 'PRAGMA quick_check(1)'

/**
 * Open or create a database file, mode 0600, WAL, synchronous=FULL, foreign keys on, and bring it to the newest version.
 * A transaction that fails, for want of room or for any other reason, changed nothing.
 * @throws AppError `folder_too_new` when a newer program wrote it, which leaves the file as it is; `folder_damaged` when
 *   SQLite finds it unreadable; here and from every call: `disk_full`, `disk_unwritable`
 */
export function openDatabase(path: string, migrations: readonly string[]): Database {
  const dropped = orFileError(() => keptIfDamaged(path))
  const db = openFile(path, migrations.length)
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const statement = db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  let open = false
  const transaction = <T>(work: () => T): T => {
    if (open) throw new AppError('internal', 'transactions do not nest')
    return orDiskError(() => {
      db.exec('BEGIN IMMEDIATE')
      open = true
      try {
        const result = work()
        db.exec('COMMIT')
        return result
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      } finally {
        open = false
      }
    })
  }
  try {
    migrate(db, migrations, transaction)
  } catch (error) {
    db.close()
    throw error
  }
  return {
    all: (sql, ...values) => orDamage(() => prepare(sql).all(...values)).map(toRow),
    get: (sql, ...values) => {
      const row = orDamage(() => prepare(sql).get(...values))
      return row === undefined ? undefined : toRow(row)
    },
    run: (sql, ...values) => Number(orDiskError(() => prepare(sql).run(...values)).changes),
    transaction,
    inTransaction: () => open,
    // One may be what a power cut left of a transaction that nobody was told of.
    hasLostCommits: dropped > 1,
    close: () => db.close(),
  }
}

/**
 * One row of a file that stays as it is, to the byte: not even brought to the newest version. Empty, it is no database.
 * @throws AppError as `openDatabase`
 */
export function readUnopened(
  path: string,
  migrations: readonly string[],
  sql: string,
  ...values: readonly Value[]
): Row | undefined {
  return orFileError(() => {
    assertNoLinks(path)
    if (isEmptyFile(path)) throw new AppError('folder_damaged', 'the database is empty')
    examine(path, migrations.length)
    const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
    try {
      const row = db.prepare(sql).get(...values)
      return row === undefined ? undefined : toRow(row)
    } finally {
      db.close()
    }
  })
}

/** Nothing was ever written to it, or all of it was taken away: SQLite would drop its journal and begin anew. */
const isEmptyFile = (path: string): boolean => statSync(path).size === 0

/** Whether nothing was ever stored in it; its log counts. @throws AppError as `openDatabase` */
export function isBlank(path: string): boolean {
  if (isEmptyFile(path)) return true
  return orFileError(() => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
    try {
      return versionOf(db) === 0
    } finally {
      db.close()
    }
  })
}

/** Whether commits lie in the log of a database that is not there, or empty: SQLite would remove it. */
export function isLogWithoutDatabase(path: string): boolean {
  if (existsSync(path) && !isEmptyFile(path)) return false
  return existsSync(logOf(path)) && !isEmptyFile(logOf(path))
}

const logOf = (path: string): string => `${path}-wal`

/** @returns how many commits SQLite will drop; a copy of the log is kept then, before it is written over */
function keptIfDamaged(path: string): number {
  assertNoLinks(path)
  const dropped = commitsDropped(logOf(path))
  if (dropped > 0) keepLog(logOf(path))
  return dropped
}

function openFile(path: string, newest: number): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    return orFileError(() => {
      assertNoLinks(path)
      if (existsSync(path)) examine(path, newest)
      else closeSync(openSync(path, 'a', 0o600)) // SQLite gives what it keeps beside it the mode of the database
      for (const file of [path, ...companionsOf(path)]) if (existsSync(file)) chmodSync(file, 0o600)
      db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: busyTimeoutMs })
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
      return db
    })
  } catch (error) {
    db?.close()
    throw error
  }
}

function orFileError<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    // Only what SQLite calls damage is damage: what is damaged may be set aside.
    throw diskError(cause) ?? (isBusy(cause) ? inUse(cause) : cause)
  }
}

const inUse = (cause: unknown): AppError =>
  new AppError('folder_in_use', 'another program holds the database', { cause, retryable: true })

/** SQLITE_BUSY (https://sqlite.org/rescode.html), after the time-out. */
const isBusy = (thrown: unknown): boolean =>
  thrown instanceof Error && 'errcode' in thrown && Number(thrown.errcode) % 256 === 5

const companionsOf = (path: string): readonly string[] => companions.map((suffix) => path + suffix)

/** A link that somebody left in a folder that was not private yet must not lead coins, or a change of mode, elsewhere. */
function assertNoLinks(path: string): void {
  for (const file of [path, ...companionsOf(path)]) {
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new AppError('folder_damaged', 'the database is a link to another file')
    }
  }
}

/**
 * Looked at by a connection that only reads: a file of a newer program, and one that is damaged, stay as they are, to the
 * byte, with their journals.
 */
function examine(path: string, newest: number): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  try {
    if (versionOf(db) > newest) throw new AppError('folder_too_new', 'written by a newer version of the program')
    if (isCheckedAtOnce(path) && db.prepare(quickCheck).get()?.['quick_check'] !== 'ok') {
      throw new AppError('folder_damaged', 'the database does not pass its check')
    }
  } finally {
    db.close()
  }
}

const versionOf = (db: DatabaseSync): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)

/** Run it; what the disk says becomes an error with words. */
function orDiskError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw diskError(error) ?? error
  }
}

/** The same for rows: a whole number that JavaScript cannot hold is none that this program wrote. */
function orDamage<T>(work: () => T): T {
  try {
    return orDiskError(work)
  } catch (cause) {
    const isTooLarge = cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_OUT_OF_RANGE'
    if (!isTooLarge) throw cause
    throw new AppError('folder_damaged', 'a column holds a number beyond counting', { cause })
  }
}

/** Whether `openDatabase` looks through the whole file; a larger one calls for `isSoundInBackground`. */
export const isCheckedAtOnce = (path: string): boolean => statSync(path).size <= checkedAtOnceBytes

/**
 * Look through a file that is open here, beside everything else: in a thread and by a connection of its own.
 * @returns false when it is damaged; rejects when it cannot be looked at
 */
export async function isSoundInBackground(path: string, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const worker = new Worker(checker, { eval: true, workerData: { path, quickCheck } })
  const end = (): void => {
    reject(new AppError('internal', 'the check of the database was ended'))
  }
  signal.addEventListener('abort', end, { once: true })
  worker.once('message', (said) => resolve(said === 'ok'))
  worker.once('error', (error) => (diskError(error)?.code === 'folder_damaged' ? resolve(false) : reject(error)))
  worker.once('exit', end)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', end)
    await worker.terminate()
  }
}

/** Text, because a bundle is one file. */
const checker = `
Promise.all([import('node:worker_threads'), import('node:sqlite')]).then(([{ parentPort, workerData }, { DatabaseSync }]) => {
  const db = new DatabaseSync(workerData.path, { readOnly: true })
  parentPort.postMessage(db.prepare(workerData.quickCheck).get().quick_check)
  db.close()
})`

function migrate(db: DatabaseSync, migrations: readonly string[], transaction: (work: () => void) => void): void {
  const version = versionOf(db)
  if (version === migrations.length) return
  // A table that others refer to can only be rebuilt while nobody looks; what it broke is found before the commit.
  db.exec('PRAGMA foreign_keys = OFF')
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue
    transaction(() => {
      db.exec(sql)
      if (db.prepare('PRAGMA foreign_key_check').get()) throw new AppError('folder_damaged', 'a row refers to nothing')
      db.exec(`PRAGMA user_version = ${index + 1}`)
    })
  }
  db.exec('PRAGMA foreign_keys = ON')
}

function toRow(row: Record<string, unknown>): Row {
  const plain: Record<string, Value> = {}
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'string' || typeof value === 'number' || value === null) plain[name] = value
    else throw new AppError('folder_damaged', `column ${name} holds an unexpected type`)
  }
  return plain
}
