// One process per data folder: an exclusive lock that the operating system releases when the process ends, however it ends.

import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../../shared/errors.ts'

export type Lease = { readonly release: () => void }

/**
 * Make the folder (mode 0700) if it is not there and take its lease. SQLite's file lock serves as the lock: it exists on
 * every platform we ship for, and a killed process cannot leave it behind.
 * @throws AppError `folder_in_use` while another process holds it
 */
export function takeLease(folder: string): Lease {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const path = join(folder, 'lease')
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    chmodSync(path, 0o600)
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new AppError('folder_in_use', 'another Farthing is using this data folder', { cause })
  }
  return { release: () => db.close() }
}
