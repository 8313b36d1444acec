// The one secret of the mint: 32 random bytes in a file of their own, mode 0600. Who has it can make money; who loses it
// can never again accept a coin. Back it up; the database cannot replace it.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import type { Random } from './ports.ts'

const seedBytes = 32

/**
 * Make the file once; it is there whole or not at all, and on disk before anything is derived from it. The caller holds
 * the lease of the folder and has seen that there is none.
 */
export function createSeed(path: string, random: Random): void {
  const unfinished = `${path}.new`
  rmSync(unfinished, { force: true }) // of a start that ended here, or found no room
  const file = openSync(unfinished, 'wx', 0o600)
  try {
    writeFileSync(file, `${bytesToHex(random.bytes(seedBytes))}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  syncFolder(dirname(path))
}

/**
 * @returns 32 bytes
 * @throws AppError `not_found` without the file, `folder_damaged` when its text is no seed or others may read it
 */
export function readSeed(path: string): Uint8Array {
  if (!existsSync(path)) throw new AppError('not_found', `the seed file ${path} is missing`)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new AppError('folder_damaged', `others may read the seed file ${path}: chmod 600 it`)
  }
  const text = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) throw new AppError('folder_damaged', `the seed file ${path} holds no seed`)
  return hexToBytes(text)
}

/** Make a new name in a folder survive a power cut. Windows knows no such thing. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
