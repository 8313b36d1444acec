// A backup in place of a wallet: on a computer that has none, or for a database that cannot be read. It is made ready in a
// folder that nothing counts in yet: as a life of its own, in which every coin rests, so that whoever opens it later opens
// what is safe to go on with. Payments that were open go on.

import { renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import type { BackupSummaryView } from '../shared/model.ts'
import { type UnpackedBackup, unpackBackup } from './backup-database.ts'
import type { BackupLock } from './backup-file.ts'
import { pathOfCopy } from './backup-folder.ts'
import { backupSecretsOf } from './backup-key.ts'
import { type FolderWork, piecesInTime } from './backup-patience.ts'
import { piecesOf } from './file-pieces.ts'
import type { BackupKey, BackupSource, LayBackup } from './gate-handlers.ts'
import { openGenerationMemory } from './generation-memory.ts'
import { phraseOfWords, seedOfPhrase } from './keys.ts'
import { newName } from './life.ts'
import { stretch } from './passphrase.ts'
import { openWalletStore } from './store/wallet-store.ts'
import { highestBelieved, highestUsed, noteCopy, storedGeneration } from './wallet/generation.ts'
import type { Clock, Random } from './wallet/ports.ts'
import type { WalletReads } from './wallet/store-port.ts'
import { assertSameSeed, databaseName } from './wallet-folder.ts'

export type LayParts = {
  /** Data folder, beside which copies are remembered. */
  readonly folder: string
  /** Where this computer remembers what it knows of a phrase; null for nowhere. */
  readonly memoryFolder: string | null
  readonly clock: Clock
  readonly random: Random
  /** Copies lie where they may not answer. */
  readonly work: FolderWork
  readonly report: (error: AppError) => void
}

export function createLayBackup(parts: LayParts): LayBackup {
  const { random } = parts
  return async (staging, source, key) => {
    const file = readSource(parts, source)
    const unpacked = await unpackBackup(
      { folder: staging, file, random },
      (lock) => keyFor(lock, key),
      (about) => void phraseFor(about, key),
    )
    try {
      const phrase = phraseFor(unpacked, key)
      const summary = makeReady(parts, unpacked, phrase)
      renameSync(unpacked.path, join(staging, databaseName))
      return { phrase, summary }
    } finally {
      unpacked.remove()
    }
  }
}

/** For each piece of a copy. Milliseconds. */
const pieceMs = 30_000

/** @throws AppError `not_found` for a copy that is not there, `backup_folder` when its folder does not answer */
async function* readSource({ folder, work }: LayParts, source: BackupSource): AsyncGenerator<Uint8Array> {
  if ('file' in source) {
    yield source.file
    return
  }
  const path = pathOfCopy(folder, source.copy)
  if (path === undefined) throw new AppError('not_found', 'no such copy')
  try {
    yield* piecesInTime({ work, folder: dirname(path), limitMs: pieceMs }, piecesOf(path))
  } catch (cause) {
    const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw isGone ? new AppError('not_found', 'no such copy', { cause }) : cause
  }
}

async function keyFor(lock: BackupLock, key: BackupKey): Promise<Uint8Array> {
  if (lock.kind === 'phrase' && 'phrase' in key) return backupSecretsOf(seedOfPhrase(key.phrase)).key
  if (lock.kind === 'passphrase' && 'passphrase' in key) return stretch(key.passphrase, lock.kdf)
  throw new AppError('wrong_passphrase', `the key of this file is its ${lock.kind}`)
}

/** @throws AppError `bad_backup` for a file that says of no phrase whose it is */
function phraseFor({ phrase }: Pick<UnpackedBackup, 'phrase'>, key: BackupKey): string {
  if ('phrase' in key) return key.phrase
  try {
    return phraseOfWords((phrase ?? '').split(' '))
  } catch {
    throw new AppError('bad_backup', 'no phrase in it')
  }
}

/** @throws AppError `foreign_backup` when its database is another wallet's, `bad_backup` when it makes no sense */
function makeReady(parts: LayParts, { path, savedAt }: UnpackedBackup, phrase: string): BackupSummaryView {
  const { memoryFolder, clock, random, report } = parts
  const store = openWalletStore(path)
  try {
    const fingerprint = asBackup(() => assertSameSeed(store, seedOfPhrase(phrase)))
    const memory = memoryFolder === null ? null : openGenerationMemory(memoryFolder, fingerprint, report)
    asBackup(() => {
      const highest = Math.max(storedGeneration(store.read) ?? 0, highestUsed(store.read))
      if (highest > highestBelieved) throw new AppError('folder_damaged', 'a generation that no wallet comes to')
      noteCopy({ store, clock, random, memory }, 'backup')
    })
    // What is remembered of the folder it came from is not true of this one.
    newName({ store, random })
    return summaryOf(store.read, savedAt)
  } finally {
    store.close()
  }
}

/** What would be wrong with this wallet is wrong with the file. */
function asBackup<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = error instanceof AppError ? error.code : null
    if (code === 'bad_phrase') throw new AppError('foreign_backup', 'the database in it is another wallet’s')
    if (code === 'folder_damaged') throw new AppError('bad_backup', 'what the database in it says makes no sense')
    throw error
  }
}

function summaryOf(read: WalletReads, savedAt: number): BackupSummaryView {
  const mints = read.mints()
  const resting = mints.flatMap(({ account }) =>
    [...new Set(read.keysets(account).map(({ unit }) => unit))].flatMap((unit) =>
      read.coins(account, unit, 'quarantined').map(({ amount }) => ({ unit, amount })),
    ),
  )
  const coins = [...Map.groupBy(resting, ({ unit }) => unit)].map(([unit, of]) => ({
    unit,
    amount: of.reduce((sum, { amount }) => sum + amount, 0),
    coins: of.length,
  }))
  const { total: payments } = read.payments({ before: null, limit: 1, search: '', filter: 'all' })
  return { savedAt, payments, mints: mints.length, coins }
}
