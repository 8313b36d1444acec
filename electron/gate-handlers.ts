// What a person asks of the gate: one function for each of its commands.

import { AppError } from '../shared/errors.ts'
import type { CommandName, Handlers } from '../shared/ipc.ts'
import type { BackupSummaryView } from '../shared/model.ts'
import { assertStillUntouched, assertUntouched, layEmptyDatabase, layNewDatabase } from './fresh-wallet.ts'
import type { Gate, There } from './gate-port.ts'
import type { WalletCommand } from './handlers.ts'
import { freePhrase, lockPhrase, phraseOfWords, putPhrase } from './keys.ts'
import { assertStrong, type KdfCost } from './passphrase.ts'
import type { Sealer } from './sealing.ts'
import { changeSettings } from './settings.ts'
import type { WalletStore } from './wallet/store-port.ts'
import { systemRandom as random } from './wallet-folder.ts'

type Known = Extract<There, { readonly known: unknown }>['known']

export type GateHandlers = Pick<Handlers, Exclude<CommandName, WalletCommand>>

/** What opens a backup file. */
export type BackupKey = { readonly phrase: string } | { readonly passphrase: string }
/** A file, or the name of an automatic copy. */
export type BackupSource = { readonly file: Uint8Array } | { readonly copy: string }

/**
 * Lay what a file holds into an empty folder, as a database that is whole and closed.
 * @throws AppError `bad_backup`, `wrong_passphrase`, `foreign_backup`, `backup_too_new`, `not_found`
 */
export type LayBackup = (
  staging: string,
  source: BackupSource,
  key: BackupKey,
) => Promise<{ readonly phrase: string; readonly summary: BackupSummaryView }>

export type GateHandlerParts = {
  readonly gate: Gate
  readonly folder: string
  readonly sealer: Sealer
  readonly kdfCost?: KdfCost | undefined
  readonly layBackup: LayBackup
}

export function createGateHandlers({ gate, folder, sealer, kdfCost, layBackup }: GateHandlerParts): GateHandlers {
  /** Under a passphrase, or (null) what this computer has. */
  const layPhrase = (staging: string, phrase: string, passphrase: string | null): Promise<void> =>
    passphrase === null
      ? putPhrase(staging, phrase, sealer)
      : lockPhrase(staging, phrase, passphrase, { sealer, random, cost: kdfCost })

  /** What was there may have been used while something else was made ready. */
  const assertAtLast = (): void => assertStillUntouched(folder)

  return {
    'gate.look': () => gate.look(),
    'gate.unlock': ({ passphrase }) => gate.unlock(passphrase),
    'gate.lock': () => gate.lock(),
    'gate.setPassphrase': async ({ current, next }) => {
      if (next !== null) assertStrong(next)
      return gate.reseal(current, async ({ phrase, store }, before) => {
        if (next !== null) return lockPhrase(folder, phrase, next, { sealer, random, cost: kdfCost })
        if (before !== 'passphrase') return
        await freePhrase(folder, phrase, sealer)
        changeSettings(store, { idleLockMinutes: null })
      })
    },
    'gate.usePhrase': async ({ words, passphrase }) => {
      const phrase = phraseOfWords(words)
      if (passphrase !== null) assertStrong(passphrase)
      return gate.usePhrase(phrase, (staging) => layPhrase(staging, phrase, passphrase))
    },
    'gate.restorePhrase': async ({ words, current }) => {
      const phrase = phraseOfWords(words)
      await gate.exchange(async (there, staging) => {
        const { store, known } = untouched(there)
        const passphrase = await known(current)
        await layPhrase(staging, phrase, passphrase)
        layNewDatabase(staging, { like: store, isLocked: passphrase !== null })
        return { phrase, result: undefined, assertAtLast }
      })
      return gate.look()
    },
    'gate.restoreBackup': async ({ file, passphrase, words, current }) => {
      const key = keyOf(passphrase, words)
      return gate.exchange(async (there, staging) => {
        const { known } = untouched(there)
        const protection = await known(current)
        const { phrase, summary } = await layBackup(staging, { file: Buffer.from(file, 'base64') }, key)
        await layPhrase(staging, phrase, protection)
        return { phrase, result: summary, assertAtLast }
      })
    },
    'gate.setAside': async ({ backup }) => {
      await gate.exchange(async (there, staging) => {
        if (there.wallet) throw new AppError('wrong_state', 'the database is not damaged')
        const { phrase } = there
        if (phrase === null) throw new AppError('no_phrase', 'without the phrase there is nothing to go on from')
        if (backup !== null) await layBackup(staging, { copy: backup }, { phrase })
        else layEmptyDatabase(staging)
        return { phrase, result: undefined }
      })
      return gate.look()
    },
  }
}

/** @throws AppError `not_empty`; also for a wallet that cannot be looked at */
function untouched(there: There): { readonly store: WalletStore; readonly known: Known } {
  if (!there.wallet) throw new AppError('not_empty', 'this wallet cannot be looked at')
  assertUntouched(there.wallet.store)
  return { store: there.wallet.store, known: there.known }
}

function keyOf(passphrase: string | undefined, words: readonly string[] | undefined): BackupKey {
  if (words) return { phrase: phraseOfWords(words) }
  if (passphrase === undefined) throw new AppError('bad_input', 'words or a passphrase open a backup')
  return { passphrase }
}
