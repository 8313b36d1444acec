// One process serves a mint's folder. The lock is SQLite's on a file of its own: the operating system releases it when
// the process ends, however it ends. Operator's commands beside the server need none: they are single transactions.

import { chmodSync, closeSync, existsSync, lstatSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { diskError } from '../shared/disk-error.ts'
import { AppError } from '../shared/errors.ts'

export type Lease = { readonly release: () => void }

/**
 * Take the lease, a file of mode 0600. Two servers would each pay what the other is paying already.
 * @throws AppError `folder_in_use` while another process holds it; `disk_full`, `disk_unwritable`; `folder_damaged` when
 *   the file is a link
 */
export function takeLease(path: string): Lease {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new AppError('folder_damaged', `${path} is a link to another file`)
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
    throw diskError(cause) ?? new AppError('folder_in_use', 'another mint serves this folder', { cause })
  }
  return { release: () => db.close() }
}
