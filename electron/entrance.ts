// What the files of a data folder allow, as they are found before any of them is opened: the wallet itself, a passphrase to
// be asked for, or only the twelve words of a person.

import { AppError } from '../shared/errors.ts'
import type { WordlessCause } from '../shared/model.ts'
import { assertUnlockable, readPhrase, sealingOf } from './keys.ts'
import type { Sealer } from './sealing.ts'
import { ensurePhrase, hasDatabase, isUnreadable } from './wallet-folder.ts'

export type Entrance =
  | { readonly kind: 'phrase'; readonly phrase: string; readonly isOldPhrase: boolean }
  /** A passphrase opens it. */
  | { readonly kind: 'locked' }
  /** The keychain does not open it. */
  | { readonly kind: 'sealed' }
  /** The database is sound as far as it can be seen; the phrase beside it is of no use. */
  | { readonly kind: 'wordless'; readonly cause: WordlessCause }
  /** Neither can be read. */
  | { readonly kind: 'damaged' }

/**
 * Nothing is changed but for a folder that holds no wallet yet, which gets a phrase.
 * @throws AppError `folder_too_new`, `folder_in_use`, `disk_full`, `disk_unwritable`
 */
export async function findEntrance(folder: string, sealer: Sealer): Promise<Entrance> {
  const sealing = sealingOf(folder)
  if (sealing === null && hasDatabase(folder)) return withoutPhrase(folder, 'missing')
  const isOldPhrase = ensurePhrase(folder)
  try {
    if (sealing !== 'passphrase') return { kind: 'phrase', phrase: await readPhrase(folder, sealer), isOldPhrase }
    await assertUnlockable(folder, sealer)
    return { kind: 'locked' }
  } catch (error) {
    if (error instanceof AppError && error.code === 'phrase_sealed') return { kind: 'sealed' }
    if (error instanceof AppError && error.code === 'bad_phrase') return withoutPhrase(folder, 'damaged')
    throw error
  }
}

const withoutPhrase = (folder: string, cause: WordlessCause): Entrance =>
  isUnreadable(folder) ? { kind: 'damaged' } : { kind: 'wordless', cause }
