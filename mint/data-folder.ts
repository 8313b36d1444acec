// The mint's folder: `seed`, `mint.sqlite` and the lease (0600 each), in a directory that nobody else may write to.

import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../shared/disk-error.ts'
import { AppError } from '../shared/errors.ts'
import { assertUndamaged } from './damage.ts'
import { createKeyring, type Keyring } from './keys.ts'
import { readKeysets } from './keysets.ts'
import { type Lease, takeLease } from './lease.ts'
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
    return openLeased(path, takeLease(leaseIn(path)), random)
  } catch (error) {
    throw diskError(error) ?? error
  }
}

/**
 * Open the folder of a mint that exists, also while it is served: whoever serves it has looked for damage.
 * @throws AppError as above but `folder_in_use`, and `not_found` when there is no mint in it
 */
export function openDataFolder(path: string): DataFolder {
  if (!existsSync(databaseIn(path))) throw new AppError('not_found', `there is no mint in ${path}`)
  assertPrivate(path)
  const lease = leaseIfFree(path)
  return lease ? openLeased(path, lease) : open(path)
}

function leaseIfFree(path: string): Lease | undefined {
  try {
    return takeLease(leaseIn(path))
  } catch (error) {
    if (error instanceof AppError && error.code === 'folder_in_use') return undefined
    throw error
  }
}

function openLeased(path: string, lease: Lease, random?: Random): DataFolder {
  try {
    assertUndamaged(databaseIn(path), existsSync(seedIn(path)))
    const { store, keyring } = open(path, random)
    const close = (): void => {
      store.close()
      lease.release()
    }
    return { store: { ...store, close }, keyring }
  } catch (error) {
    lease.release()
    throw error
  }
}

/**
 * The seed is made after the database, and keysets after the seed: a database without keysets is of a first start that was
 * interrupted, a seed without a database of a mint that has lost it.
 */
function open(path: string, random?: Random): DataFolder {
  const store = openMintStore(databaseIn(path))
  try {
    const isNew = !existsSync(seedIn(path)) && store.keysets().length === 0
    if (isNew && random) createSeed(seedIn(path), random)
    const keyring = createKeyring(readSeed(seedIn(path)))
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

function leaseIn(path: string): string {
  return join(path, 'lease')
}

function databaseIn(path: string): string {
  return join(path, 'mint.sqlite')
}
