// Between the wallet's database and the bytes of a backup: copied out while it is in use, unpacked and looked through
// before anything of it counts. Either way it lies in the data folder for a while, mode 0600, under a name that a start
// after a crash removes.

import { readdirSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '../shared/disk-error.ts'
import { AppError } from '../shared/errors.ts'
import { version } from '../shared/version.ts'
import { type BackupLock, openBackup, sealBackup } from './backup-file.ts'
import { piecesOf } from './file-pieces.ts'
import { copyDatabase, newestSchema, readyDatabase } from './store/backup-store.ts'
import { isSoundInBackground } from './store/database.ts'
import type { Random } from './wallet/ports.ts'
import { databaseName } from './wallet-folder.ts'

/** The database itself, and what SQLite keeps beside it. */
const temporaryName = /^backup-[0-9a-f]{16}\.tmp(-wal|-shm|-journal)?$/
const companions = ['', '-wal', '-shm', '-journal']

const temporaryPath = (folder: string, random: Random): string =>
  join(folder, `backup-${Buffer.from(random.bytes(8)).toString('hex')}.tmp`)

const remove = (path: string): void => {
  for (const suffix of companions) rmSync(path + suffix, { force: true })
}

/** Remove what a crash left of a backup that was being made or read. Only under the lease of the folder. */
export function removeBackupLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) if (temporaryName.test(name)) rmSync(join(folder, name), { force: true })
}

export type BackupSource = {
  /** Data folder, whose lease the caller holds. */
  readonly folder: string
  readonly lock: BackupLock
  readonly key: Uint8Array
  /** The twelve words, into a file that a passphrase opens; null where the phrase is the key. */
  readonly phrase: string | null
  /** Milliseconds. */
  readonly savedAt: number
  readonly random: Random
  /** Ends it early, with an error. */
  readonly signal: AbortSignal
}

/**
 * The backup file of a wallet, piece by piece; nothing stays behind, also when whoever reads it stops early.
 * @throws AppError `folder_damaged`: what is damaged is not saved in place of what was good; `disk_full`, `disk_unwritable`
 */
export async function* backupOf(source: BackupSource): AsyncGenerator<Uint8Array> {
  const { folder, lock, key, phrase, savedAt, random, signal } = source
  const copy = temporaryPath(folder, random)
  try {
    // Whoever asks for the first piece may have waited long, and the wallet be closed by then.
    signal.throwIfAborted()
    await copyDatabase(join(folder, databaseName), copy)
    if (!(await isSoundInBackground(copy, signal))) throw new AppError('folder_damaged', 'the database is damaged')
    const description = { savedAt, program: version, schema: newestSchema, phrase }
    yield* sealBackup({ lock, key, description, content: piecesOf(copy, signal), random })
  } catch (error) {
    throw diskError(error) ?? error
  } finally {
    remove(copy)
  }
}

export type UnpackedBackup = {
  /** Milliseconds. */
  readonly savedAt: number
  readonly lock: BackupLock['kind']
  /** The twelve words, where a passphrase opened it. */
  readonly phrase: string | null
  /** A database of the newest version, looked through. */
  readonly path: string
  /** Bytes of it. */
  readonly size: number
  remove(): void
}

/**
 * Open a backup file and lay its database beside the wallet's own.
 * @param keyFor the key for its lock
 * @param accept asked whose it is before anything of its content is unpacked: who chose a passphrase wrote what they liked
 *   into the file, whatever they know of the wallet. It refuses by throwing.
 * @throws AppError as `openBackup`, `readyDatabase`; nothing stays behind then
 */
export async function unpackBackup(
  { folder, file, random }: { folder: string; file: AsyncIterable<Uint8Array>; random: Random },
  keyFor: (lock: BackupLock) => Promise<Uint8Array>,
  accept: (about: Pick<UnpackedBackup, 'lock' | 'phrase'>) => void,
): Promise<UnpackedBackup> {
  const { savedAt, schema, lock, phrase, content, close } = await openBackup(file, keyFor)
  const path = temporaryPath(folder, random)
  try {
    accept({ lock, phrase })
    if (schema > newestSchema) throw new AppError('backup_too_new', 'written by a newer version of the program')
    await writeNew(path, content)
    readyDatabase(path)
    return { savedAt, lock, phrase, path, size: statSync(path).size, remove: () => remove(path) }
  } catch (error) {
    await close()
    remove(path)
    throw diskError(error) ?? error
  }
}

async function writeNew(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
