// Files that are there whole or not at all, also when the power goes: written under another name, flushed, then renamed.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { diskError } from '../shared/disk-error.ts'

/** What a crash leaves of a file that was not finished; worthless. */
export const unfinished = (path: string): string => `${path}.new`

/**
 * Write it, mode 0600, in place of what was there. @throws AppError `disk_full`, `disk_unwritable`; what was there stays
 */
export function writeDurably(path: string, content: string | Uint8Array): void {
  stageDurably(path, content)
  commitDurably(path)
}

/** The first half: beside its place, flushed, so that it can be read back before it counts. @returns where it lies */
export function stageDurably(path: string, content: string | Uint8Array): string {
  const staged = unfinished(path)
  try {
    rmSync(staged, { force: true }) // whatever lies there, or where it leads, is not written to
    const file = openSync(staged, 'wx', 0o600)
    try {
      writeFileSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return staged
  } catch (error) {
    rmSync(staged, { force: true })
    throw diskError(error) ?? error
  }
}

/** The second half: from now on it counts. */
export function commitDurably(path: string): void {
  moveDurably(unfinished(path), path)
}

/** Rename a file or folder; the names are durable when it returns. */
export function moveDurably(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    throw diskError(error) ?? error
  }
  syncFolder(dirname(to))
  if (dirname(from) !== dirname(to)) syncFolder(dirname(from))
}

/** Remove files; those that are not there are no error. */
export function removeDurably(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true })
  for (const folder of new Set(paths.map((path) => dirname(path)))) syncFolder(folder)
}

/** Names in it are durable; systems that cannot open a folder do without. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
