// The mint's folder: `seed`, `mint.sqlite` and the lease (0600 each), in a directory that nobody else may write to.

import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../shared/disk-error.ts'
import { AppError } from '../shared/errors.ts'
import { createKeyring, type Keyring } from './keys.ts'
import { readKeysets } from './keysets.ts'
import { takeLease } from './lease.ts'
import type { MintStore, Random } from './ports.ts'
import { createSeed, readSeed } from './seed.ts'
import { openMintStore } from './store.ts'

export type DataFolder = { readonly store: MintStore; readonly keyring: Keyring }

/**
 * Open the folder of a mint to serve it, or make a new one: one process at a time, until its store is closed. The seed
 * must be the one the stored keysets were made from.
 * @throws AppError `folder_in_use`, `folder_damaged`, `folder_too_new`, `disk_full`, `disk_unwritable`, `not_found` when
 *   the database is there without its seed
 */
export function openOrCreateDataFolder(path: string, random: Random): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    assertPrivate(path)
    const lease = takeLease(join(path, 'lease'))
    try {
      if (!existsSync(seedIn(path)) && !existsSync(databaseIn(path))) createSeed(seedIn(path), random)
      const { store, keyring } = open(path)
      const close = (): void => {
        store.close()
        lease.release()
      }
      return { store: { ...store, close }, keyring }
    } catch (error) {
      lease.release()
      throw error
    }
  } catch (error) {
    throw diskError(error) ?? error
  }
}

/** Open the folder of a mint that exists. @throws AppError as above, and `not_found` when there is no mint in it */
export function openDataFolder(path: string): DataFolder {
  if (!existsSync(databaseIn(path))) throw new AppError('not_found', `there is no mint in ${path}`)
  assertPrivate(path)
  return open(path)
}

function open(path: string): DataFolder {
  const keyring = createKeyring(readSeed(seedIn(path)))
  const store = openMintStore(databaseIn(path))
  try {
    readKeysets({ store, keyring })
    return { store, keyring }
  } catch (error) {
    store.close()
    throw error
  }
}

function assertPrivate(path: string): void {
  if (process.platform !== 'win32' && (statSync(path).mode & 0o022) !== 0) {
    throw new AppError('folder_damaged', `others may write to ${path}: give the mint a folder of its own`)
  }
}

function seedIn(path: string): string {
  return join(path, 'seed')
}

function databaseIn(path: string): string {
  return join(path, 'mint.sqlite')
}
