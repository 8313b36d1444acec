// One process per data folder: an exclusive lock that the operating system releases when the process ends, however it ends.

import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diskError } from '../../shared/disk-error.ts'
import { AppError } from '../../shared/errors.ts'

export type Lease = { readonly release: () => void }

/**
 * Make the folder (mode 0700) if it is not there and take its lease. SQLite's file lock serves as the lock: it exists on
 * every platform we ship for, and a killed process cannot leave it behind. It takes no room on a full disk.
 * @throws AppError `folder_in_use` while another process holds it; `disk_full`, `disk_unwritable`; `folder_damaged` when
 *   the file is a link
 */
export function takeLease(folder: string): Lease {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    return lock(join(folder, 'lease'))
  } catch (error) {
    throw diskError(error) ?? error
  }
}

function lock(path: string): Lease {
  try {
    return lockFile(path)
  } catch (error) {
    // Nothing is ever kept in it, and nobody can hold what is no database.
    if (!(error instanceof AppError) || error.code !== 'folder_damaged' || isLink(path)) throw error
    rmSync(path)
    return lockFile(path)
  }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false

function lockFile(path: string): Lease {
  if (isLink(path)) {
    throw new AppError('folder_damaged', 'the lease is a link to another file')
  }
  // Never opened beside SQLite: closing a file releases all locks that its process holds on it (POSIX).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // A journal on disk would need room, and a full disk is no reason not to show what is there.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw diskError(cause) ?? new AppError('folder_in_use', 'another Farthing is using this data folder', { cause })
  }
  return { release: () => db.close() }
}
