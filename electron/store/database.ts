// One SQLite file with its pragmas, its migrations and its transactions. Knows nothing of wallets.

import { chmodSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { AppError } from '../../shared/errors.ts'

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
  close(): void
}

/**
 * Open or create a database file, mode 0600, WAL, synchronous=FULL, foreign keys on, and bring it to the newest version.
 * @throws AppError `folder_too_new` when a newer program wrote it, `folder_damaged` when SQLite finds it unreadable
 */
export function openDatabase(path: string, migrations: readonly string[]): Database {
  const db = openFile(path)
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
  }
  migrate(db, migrations, transaction)
  return {
    all: (sql, ...values) =>
      prepare(sql)
        .all(...values)
        .map(toRow),
    get: (sql, ...values) => {
      const row = prepare(sql).get(...values)
      return row === undefined ? undefined : toRow(row)
    },
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    transaction,
    inTransaction: () => open,
    close: () => db.close(),
  }
}

function openFile(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 })
    chmodSync(path, 0o600)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    return db
  } catch (cause) {
    throw new AppError('folder_damaged', 'the database cannot be opened', { cause })
  }
}

function migrate(db: DatabaseSync, migrations: readonly string[], transaction: (work: () => void) => void): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (version > migrations.length) throw new AppError('folder_too_new', 'written by a newer version of the program')
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue
    transaction(() => {
      db.exec(sql)
      db.exec(`PRAGMA user_version = ${index + 1}`)
    })
  }
}

function toRow(row: Record<string, unknown>): Row {
  const plain: Record<string, Value> = {}
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'string' || typeof value === 'number' || value === null) plain[name] = value
    else throw new AppError('folder_damaged', `column ${name} holds an unexpected type`)
  }
  return plain
}
