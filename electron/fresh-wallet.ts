// A wallet that nobody has used yet, and the database of the one that may take its place.

import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { practiceUrlOf } from './practice-mint.ts'
import { changeSettings, nameOf, notePhrase, rename, settingsOf } from './settings.ts'
import { openWalletStore } from './store/wallet-store.ts'
import type { WalletStore } from './wallet/store-port.ts'
import { databaseName } from './wallet-folder.ts'

/**
 * Whether it holds nothing that a person could miss: no mint but the practice one was ever added, whatever was played
 * there. Coins, payments and requests all belong to a mint.
 */
export function isUntouched(store: Pick<WalletStore, 'read'>): boolean {
  const practice = practiceUrlOf(store)
  return store.read.mints().every(({ url }) => url === practice)
}

/** @throws AppError `not_empty` */
export function assertUntouched(store: WalletStore): void {
  if (!isUntouched(store)) throw new AppError('not_empty', 'this wallet was used')
}

/** The same of a folder whose database nobody has open. */
export function assertStillUntouched(folder: string): void {
  const store = openWalletStore(join(folder, databaseName))
  try {
    assertUntouched(store)
  } finally {
    store.close()
  }
}

/** Lay a database in which nothing is yet: one that is set aside with nothing in its place would be taken for lost. */
export function layEmptyDatabase(folder: string): void {
  openWalletStore(join(folder, databaseName)).close()
}

/**
 * Lay the database of a new wallet of an old phrase into an empty folder. Its generation is chosen when it is opened.
 * @param like a name and settings that a person chose minutes ago
 * @param isLocked by a passphrase: then it locks by itself as that one did
 */
export function layNewDatabase(
  folder: string,
  { like, isLocked }: { readonly like: WalletStore; readonly isLocked: boolean },
): void {
  const store = openWalletStore(join(folder, databaseName))
  try {
    // Whoever typed the words has them on paper.
    notePhrase(store, 'checked')
    const { idleLockMinutes, ...settings } = settingsOf(like)
    changeSettings(store, isLocked ? { ...settings, idleLockMinutes } : settings)
    rename(store, nameOf(like))
  } finally {
    store.close()
  }
}
