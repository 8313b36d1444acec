// Automatic copies in a folder that a person picked: made some seconds after something changed that the phrase cannot bring
// back, the newest ten of this life of the wallet kept. A folder may be a stick that is pulled out, a share that is gone, a disk that is full: then a
// person is told, it is tried again, and nothing else is disturbed.
//
// One copy: written whole under another name, flushed, read back and opened, renamed; only then does an older one go. A
// crash between any two of these leaves every copy there was.

import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskError } from '../shared/disk-error.ts'
import { AppError, toAppError } from '../shared/errors.ts'
import type { BackupCopyView } from '../shared/model.ts'
import { copiesInOrder, isPartOf, keptCopies, namedCopies, nameOfCopy, nameOfPart, seriesOf } from './backup-folder.ts'
import { piecesOf } from './file-pieces.ts'

/** What is done to files of the folder, one system call or little more each. They throw what the system throws. */
export type CopyFiles = {
  list(folder: string): Promise<readonly string[]>
  /** Undefined for what is no file. `changedAt` in milliseconds. */
  look(path: string): Promise<{ readonly bytes: number; readonly changedAt: number } | undefined>
  /** A file that was not there, mode 0600, flushed. */
  write(path: string, content: AsyncIterable<Uint8Array>): Promise<void>
  read(path: string): AsyncIterable<Uint8Array>
  /** The new name is durable. */
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
}

export const systemFiles: CopyFiles = {
  list: (folder) => readdir(folder),
  look: async (path) => {
    const found = await stat(path).catch(() => undefined)
    return found?.isFile() ? { bytes: found.size, changedAt: found.mtimeMs } : undefined
  },
  write: async (path, content) => {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  read: piecesOf,
  rename: async (from, to) => {
    await rename(from, to)
    await syncWhereItCan(dirname(to))
  },
  remove: (path) => rm(path, { force: true }),
}

/** Some file systems of sticks and shares cannot flush a folder: the copy is there all the same. */
async function syncWhereItCan(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  // What matters was read back before.
  await handle?.sync().catch(() => {})
  await handle?.close()
}

export type CopyOrder = {
  readonly files: CopyFiles
  readonly folder: string
  readonly tag: string
  /** Of this life (`lifeMark`): copies of another one are its own. */
  readonly life: string
  /** Milliseconds. */
  readonly now: number
  /** Nobody waits for it any more: what is begun is given up, and nothing that is there goes. */
  readonly signal: AbortSignal
  /** The bytes of the copy. */
  readonly content: () => AsyncIterable<Uint8Array>
  /** That a file holds what was saved, to its end. @throws anything when it does not */
  readonly verify: (file: AsyncIterable<Uint8Array>) => Promise<void>
}

/** What a crash left half-written goes when it is this old: another computer may be writing. Milliseconds. */
const oldPartMs = 24 * 3_600_000

/**
 * Write one copy and let those of this life beyond the newest ten go. No other name of a copy is ever removed: whatever a
 * life of the same words comes to that begins anew, it pushes out none of what was saved before.
 * @throws AppError `backup_folder` when the folder is not there, `disk_full`, `disk_unwritable`, `bad_backup` when it does
 *   not read back, and whatever `content` throws; no earlier copy is gone then
 */
export async function writeCopy(order: CopyOrder): Promise<void> {
  const { files, folder, tag, life, now, signal } = order
  const series = seriesOf(tag, life)
  try {
    const names = await files.list(folder)
    await removeOldParts(order, names)
    const name = nextName(series, now, copiesInOrder(names, series, now)[0]?.savedAt)
    const part = join(folder, nameOfPart(name))
    await writePart(order, part)
    await files.rename(part, join(folder, name))
    const old = copiesInOrder(await files.list(folder), series, now).slice(keptCopies)
    for (const copy of old) {
      signal.throwIfAborted()
      await files.remove(join(folder, copy.name))
    }
  } catch (error) {
    throw asFolderError(error)
  }
}

/** Names in the order of writing, also when the clock was set back: the newest name is the newest copy. */
const nextName = (series: string, now: number, newest: number | undefined): string =>
  nameOfCopy(series, Math.max(now, (newest ?? 0) + 1000))

async function writePart({ files, content, verify, signal }: CopyOrder, part: string): Promise<void> {
  try {
    signal.throwIfAborted()
    await files.write(part, content())
    await verify(files.read(part))
    signal.throwIfAborted()
  } catch (error) {
    await files.remove(part).catch(() => {})
    throw error
  }
}

async function removeOldParts({ files, folder, tag, now }: CopyOrder, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!isPartOf(tag, name)) continue
    const found = await files.look(join(folder, name))
    if (found && found.changedAt < now - oldPartMs) await files.remove(join(folder, name))
  }
}

/** Ten lives of one wallet in one folder: more are not shown. */
const mostShown = 10 * keptCopies

/**
 * Copies of this wallet, of whichever life, newest first as their names say.
 * @throws AppError `backup_folder` when the folder is not there
 */
export async function lookAtCopies(files: CopyFiles, folder: string, tag: string): Promise<readonly BackupCopyView[]> {
  const found: BackupCopyView[] = []
  try {
    // One after the other: each call may be one that does not come back.
    for (const { name, savedAt } of namedCopies(await files.list(folder), tag).slice(0, mostShown)) {
      const file = await files.look(join(folder, name))
      if (file) found.push({ name, savedAt, bytes: file.bytes })
    }
  } catch (error) {
    throw asFolderError(error)
  }
  return found
}

/** Codes of the system that say that the folder is not there, or is none. */
const missing: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENODEV',
  'ENXIO',
  'ESTALE',
  'EHOSTDOWN',
  'ENOTCONN',
])

function asFolderError(thrown: unknown): AppError {
  if (thrown instanceof Error && 'code' in thrown && missing.has(thrown.code)) {
    return new AppError('backup_folder', 'the folder is not there', { cause: thrown, retryable: true })
  }
  return diskError(thrown) ?? toAppError(thrown)
}
