// Automatic copies of a wallet whose database cannot be read: found by what is remembered beside it. When each was made is
// read in the copy itself, where its name could have been changed by anybody.

import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import type { BackupCopyView, FoundCopiesView } from '../shared/model.ts'
import { type CopyFiles, lookAtCopies, systemFiles } from './backup-copies.ts'
import { openBackup } from './backup-file.ts'
import { readBackupMemory } from './backup-folder.ts'
import { backupSecretsOf } from './backup-key.ts'
import type { FolderWork } from './backup-patience.ts'
import { seedOfPhrase } from './keys.ts'

export type FoundParts = {
  readonly work: FolderWork
  readonly files?: CopyFiles
}

/** A person waits in front of the screen. Milliseconds, for the names and for looking into the copies. */
const lookMs = 5_000

/**
 * @param phrase of the wallet; null: nothing can be read in the copies, and their names are all there is
 * @returns newest first; those that this phrase does not open come last, under the time that their names say
 */
export async function foundCopies(
  dataFolder: string,
  phrase: string | null,
  { work, files = systemFiles }: FoundParts,
): Promise<FoundCopiesView> {
  const { folder, tag } = readBackupMemory(dataFolder)
  if (folder === null || tag === null) return { backups: [], awayFolder: null }
  try {
    const backups = await work(folder, lookMs, () => lookAtCopies(files, folder, tag))
    if (phrase === null) return { backups, awayFolder: null }
    const { key } = backupSecretsOf(seedOfPhrase(phrase))
    const times = new Map<string, number>()
    const reading = work(folder, lookMs, async (signal) => {
      for (const { name } of backups) {
        signal.throwIfAborted()
        const savedAt = await timeIn(files.read(join(folder, name)), key)
        if (savedAt !== undefined) times.set(name, savedAt)
      }
    })
    // What was read until then is known.
    await reading.catch(() => {})
    return { backups: inOrder(backups, times), awayFolder: null }
  } catch {
    return { backups: [], awayFolder: folder }
  }
}

/** @returns milliseconds; undefined for what is damaged or of another phrase */
async function timeIn(file: AsyncIterable<Uint8Array>, key: Uint8Array): Promise<number | undefined> {
  try {
    const { savedAt, close } = await openBackup(file, async (lock) => {
      if (lock.kind !== 'phrase') throw new AppError('bad_backup', 'no automatic copy')
      return key
    })
    await close()
    return savedAt
  } catch {
    return undefined
  }
}

function inOrder(copies: readonly BackupCopyView[], times: ReadonlyMap<string, number>): readonly BackupCopyView[] {
  const read = copies.flatMap((copy) => {
    const savedAt = times.get(copy.name)
    return savedAt === undefined ? [] : { ...copy, savedAt }
  })
  const unread = copies.filter(({ name }) => !times.has(name))
  return [...read.sort((a, b) => b.savedAt - a.savedAt), ...unread]
}
