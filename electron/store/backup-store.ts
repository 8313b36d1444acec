// The wallet's database as a file to carry away, and one that was brought back: copied while it is in use, and believed
// only after it was looked through.

import { closeSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { diskError } from '../../shared/disk-error.ts'
import { AppError } from '../../shared/errors.ts'
import { openDatabase } from './database.ts'
import { migrations } from './schema.ts'

/** How many migrations make a database of this program. */
export const newestSchema = migrations.length

/** Pages copied before other threads get their turn at the database: a write waits for a few milliseconds at most. */
const pagesAtOnce = 256

/**
 * Copy a database that may be open here: one moment of it, whatever is written meanwhile, in a thread of its own.
 * @param target must not exist; mode 0600
 * @throws AppError `disk_full`, `disk_unwritable`, `folder_damaged`
 */
export async function copyDatabase(path: string, target: string): Promise<void> {
  try {
    closeSync(openSync(target, 'wx', 0o600)) // SQLite keeps the mode of what is there
    const source = new DatabaseSync(path, { readOnly: true })
    try {
      // A transaction that reads holds this moment; without it every write would begin the copy anew.
      source.exec('BEGIN; SELECT 1 FROM sqlite_schema')
      await backup(source, target, { rate: pagesAtOnce })
    } finally {
      source.close()
    }
  } catch (error) {
    throw diskError(error) ?? error
  }
}

/**
 * Look through a database that came from a file, and bring it to the newest version. Whoever made it had the key, which
 * does not make it one of ours: nothing in it may run, and every page and constraint is looked at before a row counts.
 * @throws AppError `bad_backup` when it is damaged or has another shape than this program gives it, `backup_too_new`;
 *   `disk_full`, `disk_unwritable`
 */
export function readyDatabase(path: string): void {
  try {
    examine(path)
    // Migrations rewrite what they find: a row that does not fit ends here, too.
    openDatabase(path, migrations).close()
  } catch (error) {
    throw asBackupError(error)
  }
}

function examine(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    db.enableDefensive(true)
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    const version = Number(one(db, 'PRAGMA user_version', 'user_version'))
    if (version > newestSchema) throw new AppError('backup_too_new', 'written by a newer version of the program')
    if (version < 1) throw new AppError('bad_backup', 'not the database of a wallet')
    if (shapeOf(db) !== expectedShape(version)) throw new AppError('bad_backup', 'other tables than a wallet has')
    if (one(db, 'PRAGMA quick_check(1)', 'quick_check') !== 'ok') throw new AppError('bad_backup', 'damaged inside')
    if (db.prepare('PRAGMA foreign_key_check').get()) throw new AppError('bad_backup', 'a row refers to nothing')
  } finally {
    db.close()
  }
}

const one = (db: DatabaseSync, sql: string, name: string): unknown => db.prepare(sql).get()?.[name]

/** Every table and index with its text: no trigger, view or default of somebody else's goes unseen. */
const shapeOf = (db: DatabaseSync): string =>
  JSON.stringify(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all())

function expectedShape(version: number): string {
  const db = new DatabaseSync(':memory:')
  try {
    for (const sql of migrations.slice(0, version)) db.exec(sql)
    return shapeOf(db)
  } finally {
    db.close()
  }
}

/** What a wallet's own database is called damaged for, this one is no backup for. A full disk stays one. */
function asBackupError(thrown: unknown): unknown {
  const error = diskError(thrown) ?? thrown
  const isDamaged = error instanceof AppError ? error.code === 'folder_damaged' : isFromDatabase(error)
  // Without its cause: it is not this wallet's database that is damaged.
  return isDamaged ? new AppError('bad_backup', 'the database in it is damaged') : error
}

const isFromDatabase = (error: unknown): boolean => error instanceof Error && 'errcode' in error
