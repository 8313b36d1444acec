// The mint's SQLite file with its pragmas, its migrations and its transactions. Knows nothing of coins.

import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { z } from 'zod'
import { diskError } from '../shared/disk-error.ts'
import { AppError } from '../shared/errors.ts'
import { migrations } from './schema.ts'

/** How long to wait for another process (an operator's `rotate`) to finish its transaction. */
const busyTimeoutMs = 5_000

/** Values by name. */
export type Values = Readonly<Record<string, SQLInputValue>>

/** Statements prepared once; rows parsed by a schema. */
export type Database = {
  all<T>(row: z.ZodType<T>, sql: string, values?: Values): readonly T[]
  first<T>(row: z.ZodType<T>, sql: string, values?: Values): T | undefined
  /** @returns whether any row changed */
  change(sql: string, values: Values): boolean
  /** All or nothing, fsynced when it returns. Not nestable. */
  transaction<T>(work: () => T): T
  close(): void
}

/**
 * Open or create the database, mode 0600, and bring it to the newest version. A transaction that fails, for want of room
 * or for any other reason, changed nothing.
 * @throws AppError `folder_too_new` when a newer program wrote it, which leaves the file as it is; `folder_damaged` when
 *   SQLite cannot read it; here and from every call: `disk_full`, `disk_unwritable`
 */
export function openDatabase(path: string): Database {
  const db = openFile(path)
  try {
    migrate(db)
  } catch (error) {
    db.close()
    throw error
  }
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    all: (row, sql, values = {}) => z.array(row).parse(orDiskError(() => prepare(sql).all(values))),
    first: (row, sql, values = {}) => row.optional().parse(orDiskError(() => prepare(sql).get(values))),
    change: (sql, values) => Number(orDiskError(() => prepare(sql).run(values)).changes) > 0,
    transaction: (work) => inTransaction(db, work),
    close: () => db.close(),
  }
}

function openFile(path: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (existsSync(path)) assertNotTooNew(path)
    else closeSync(openSync(path, 'a', 0o600)) // SQLite gives its -wal and -shm files the mode of the database
    chmodSync(path, 0o600)
    db = new DatabaseSync(path, { timeout: busyTimeoutMs })
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;')
    return db
  } catch (cause) {
    db?.close()
    if (cause instanceof AppError) throw cause
    throw diskError(cause) ?? new AppError('folder_damaged', 'the database cannot be opened', { cause })
  }
}

/** Looked at by a connection that only reads: a file of a newer program stays as it is, to the byte. */
function assertNotTooNew(path: string): void {
  if (readOnly(path, versionOf) > migrations.length) {
    throw new AppError('folder_too_new', 'written by a newer version of the mint')
  }
}

/** By a connection that only reads. */
function readOnly<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/**
 * Whether every row, and every entry of every index, is as SQLite wrote it: that a coin is spent once is the work of an index,
 * which `quick_check` does not compare. The file stays as it is, to the byte.
 * @throws AppError `folder_too_new`; the disk's errors
 */
export function isSound(path: string): boolean {
  try {
    return orDiskError(() => {
      assertNotTooNew(path) // what a newer program finds right may look wrong here
      return readOnly(path, (db) => db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] === 'ok')
    })
  } catch (error) {
    if (error instanceof AppError && error.code === 'folder_damaged') return false
    throw error
  }
}

/** Whether it is a database without a table; its log counts. What is no database is not unwritten. */
export function isUnwritten(path: string): boolean {
  try {
    return orDiskError(() => readOnly(path, versionOf)) === 0
  } catch (error) {
    if (error instanceof AppError && error.code === 'folder_damaged') return false
    throw error
  }
}

function versionOf(db: DatabaseSync): number {
  return z.object({ user_version: z.number() }).parse(db.prepare('PRAGMA user_version').get()).user_version
}

function migrate(db: DatabaseSync): void {
  if (versionOf(db) === migrations.length) return
  inTransaction(db, () => {
    for (const sql of migrations.slice(versionOf(db))) db.exec(sql)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  return orDiskError(() => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  })
}

/** Run it; what the disk says becomes an error with words. */
function orDiskError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw diskError(error) ?? error
  }
}
