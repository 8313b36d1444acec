// What a database and a file system say when they cannot keep anything, as errors that people have words for.

import { AppError, type ErrorCode } from './errors.ts'

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); the low byte of an extended one. */
const sqlite = { permission: 3, readOnly: 8, inputOutput: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 }
/** SQLITE_IOERR_SHMSIZE: no room for the index of the write-ahead log, which is how some full disks show first. */
const noRoomForIndex = 10 | (19 << 8)

const systemCodes: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOSPC', 'disk_full'],
  ['EDQUOT', 'disk_full'],
  ['EFBIG', 'disk_unwritable'],
  ['EROFS', 'disk_unwritable'],
  ['EACCES', 'disk_unwritable'],
  ['EPERM', 'disk_unwritable'],
  ['EIO', 'disk_unwritable'],
])

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  disk_full: 'the disk is full: nothing of this was stored',
  disk_unwritable: 'the disk cannot be written: nothing of this was stored',
  folder_damaged: 'the database is damaged',
}

/**
 * @returns undefined for what has nothing to do with the disk. `disk_full` and `disk_unwritable` may be tried again: a
 *   transaction that fails with them changed nothing
 */
export function diskError(thrown: unknown): AppError | undefined {
  const code = codeOf(thrown)
  if (code === undefined) return undefined
  const retryable = code !== 'folder_damaged'
  return new AppError(code, messages[code] ?? code, { cause: thrown, retryable })
}

function codeOf(thrown: unknown): ErrorCode | undefined {
  if (!(thrown instanceof Error) || thrown instanceof AppError) return undefined
  if ('errcode' in thrown && typeof thrown.errcode === 'number') return codeOfSqlite(thrown.errcode)
  return 'code' in thrown && typeof thrown.code === 'string' ? systemCodes.get(thrown.code) : undefined
}

function codeOfSqlite(errcode: number): ErrorCode | undefined {
  if (errcode === noRoomForIndex) return 'disk_full'
  switch (errcode & 0xff) {
    case sqlite.full:
      return 'disk_full'
    case sqlite.readOnly:
    case sqlite.permission:
    case sqlite.cannotOpen:
    case sqlite.inputOutput:
      return 'disk_unwritable'
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return 'folder_damaged'
    default:
      return undefined
  }
}
