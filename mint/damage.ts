// What is looked at before the mint opens its database. A mint that forgets a spent coin accepts it again, so a damaged book
// is not opened at all: SQLite would drop what it cannot read, and write over it.

import { closeSync, constants, copyFileSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { AppError } from '../shared/errors.ts'
import { hasLostCommits, indexHeadBytes, type LogFile, type LogState, lookThroughLog } from '../shared/log-damage.ts'
import { isSound, isUnwritten } from './database.ts'

/**
 * Refuse a database that is damaged, or has lost what was written to it; nothing is changed then. The caller holds the lease
 * of the folder: the log of a mint that is served grows while it is read. It takes some 15 s for each million coins.
 * @param isMade whether the mint was made before: there is a database then
 * @throws AppError `folder_damaged` with words for the operator, `folder_too_new`
 */
export function assertUndamaged(path: string, isMade: boolean): void {
  const log = `${path}-wal`
  if (isEmpty(path) && !isEmpty(log)) refuse(path, 'is gone or empty, while its log is there')
  const state = stateOf(log)
  if (hasLostCommits(state, indexHeadOf(`${path}-shm`))) {
    refuse(log, 'is damaged, cut short or gone, and what was written last is lost with it')
  }
  // The last transaction of a power cut: nobody was answered. What is left of it is kept, as SQLite writes over it.
  if (state.dropped > 0) keepLog(log, state)
  if (isMade && (isEmpty(path) || isUnwritten(path))) refuse(path, 'is gone or empty, while the seed is there')
  if (!isEmpty(path) && !isSound(path)) refuse(path, 'is damaged: it does not pass its integrity check')
}

const stateOf = (log: string): LogState => withFile(log, lookThroughLog) ?? lookThroughLog({ size: 0, read: noBytes })
const noBytes = (): Uint8Array => new Uint8Array()

const indexHeadOf = (index: string): Uint8Array | undefined =>
  withFile(index, ({ size, read }) => (size < indexHeadBytes ? undefined : read(0, indexHeadBytes)))

/** Under a name that says which log it is: the same one is kept once. */
function keepLog(log: string, { round }: LogState): void {
  const kept = `${log}-damaged-${round}`
  if (!existsSync(kept)) copyFileSync(log, kept, constants.COPYFILE_EXCL)
}

/** @returns undefined where there is no file */
function withFile<T>(path: string, work: (file: LogFile) => T): T | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const read = (at: number, length: number): Uint8Array => {
      const bytes = Buffer.alloc(length)
      readSync(file, bytes, 0, length, at)
      return bytes
    }
    return work({ size: statSync(path).size, read })
  } finally {
    closeSync(file)
  }
}

const isEmpty = (path: string): boolean => !existsSync(path) || statSync(path).size === 0

function refuse(path: string, what: string): never {
  throw new AppError(
    'folder_damaged',
    `${path} ${what}. The mint does not start: it could accept coins that are spent already. Nothing was changed, every ` +
      'file is kept as it is. Copy the folder before anything else, then see docs/mint.md: a backup, or going on without',
  )
}
