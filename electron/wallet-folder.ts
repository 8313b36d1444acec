// A wallet opened from its data folder: lease, phrase, database and net put under one engine. No process, no window.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as waitFor } from 'node:timers/promises'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { verifyCoin } from '../shared/cashu/dleq.ts'
import { bytesToHex, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import { readBackupMemory } from './backup-folder.ts'
import { type GenerationMemory, openGenerationMemory } from './generation-memory.ts'
import { hasPhrase, makePhrase, readPhrase, sealPhrase, seedOfPhrase } from './keys.ts'
import { takeUpLife } from './life.ts'
import { createMintClients } from './net/mint-client.ts'
import type { Sealer } from './sealing.ts'
import { nameOf, settingsOf } from './settings.ts'
import { isBlank, isLogWithoutDatabase } from './store/database.ts'
import { takeLease } from './store/lease.ts'
import { notedIn, openWalletFile, type WalletFile } from './store/wallet-store.ts'
import { defaultConfig, type EngineConfig } from './wallet/context.ts'
import { createEngine, type Engine } from './wallet/engine.ts'
import { copiesOf, type LifeParts, storedGeneration } from './wallet/generation.ts'
import type { Operation } from './wallet/operation.ts'
import type { Clock, CoinVerifier, EngineEvent, PeerDialer, Random } from './wallet/ports.ts'
import { createSecrets } from './wallet/secrets.ts'
import type { WalletStore } from './wallet/store-port.ts'

/** The database of a data folder. */
export const databaseName = 'wallet.db'

export type WalletParts = {
  /** Data folder, whose lease the caller holds. */
  readonly folder: string
  /** The twelve words of this folder. */
  readonly phrase: string
  /** Whether they were there before: a new database made from them must not use indices again. */
  readonly isOldPhrase: boolean
  /** Where this computer remembers what it knows of this phrase; without it, nowhere. */
  readonly memoryFolder?: string | null
  readonly config: Partial<EngineConfig>
  readonly emit: (event: EngineEvent) => void
  readonly report: (error: AppError, operation: Operation | null) => void
  /** Stands between the engine and its store: measures, or lies. */
  readonly wrapStore?: (store: WalletStore) => WalletStore
  readonly verifyCoins?: CoinVerifier
}

export type OpenWallet = {
  readonly engine: Engine
  readonly store: WalletStore
  /** For backups, which need two databases at once. */
  readonly file: WalletFile
  readonly lifeParts: LifeParts
  readonly generation: number
  /** Ed25519 seed of the peer this wallet is reached at. */
  readonly peerKeySeed: Uint8Array
  /** After the engine's runner has stopped. */
  close(): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (milliseconds) => waitFor(milliseconds, undefined, { ref: false }),
}
export const systemRandom: Random = { bytes: (length) => randomBytes(length) }

/** libp2p is half of what this program loads: not before somebody is dialled, so that a screen is there at once. */
const dialLater: PeerDialer = async (address, peerKeySeed) => {
  const { createPeerDialer } = await import('./net/peer-node.ts')
  return createPeerDialer()(address, peerKeySeed)
}

/** Coins verified before other work gets its turn. */
const verifyAtOnce = 8

/** The coin verifier of this computer: variable time, public values only, in turns. */
export const verifyInTurns: CoinVerifier = async (coins) => {
  const valid: boolean[] = []
  for (const [index, coin] of coins.entries()) {
    if (index > 0 && index % verifyAtOnce === 0) await nextTurn()
    valid.push(verifyCoin(coin))
  }
  return valid
}

/** @throws AppError `folder_damaged` */
function generationOf({ read }: WalletStore): number {
  const generation = storedGeneration(read)
  if (generation === undefined) throw new AppError('folder_damaged', 'a wallet of no generation')
  return generation
}

const fingerprintKey = 'seed/fingerprint'

/** Of a phrase, by its seed: hex. Nothing can be derived from it. */
const fingerprintOf = (seed: Uint8Array): string =>
  bytesToHex(hmac(sha256, seed, utf8ToBytes('farthing/fingerprint/1')).subarray(0, 8))

/**
 * A database belongs to the phrase it was made with: with another one, none of its coins could be spent.
 * @returns the fingerprint, hex @throws AppError `bad_phrase`
 */
export function assertSameSeed(store: WalletStore, seed: Uint8Array): string {
  const fingerprint = fingerprintOf(seed)
  const stored = store.read.meta(fingerprintKey)
  if (stored === undefined) store.transaction((write) => write.setMeta(fingerprintKey, fingerprint))
  else if (stored !== fingerprint) throw new AppError('bad_phrase', 'the phrase is not the one of this wallet')
  return fingerprint
}

/**
 * That this is the phrase the database of a folder was made with. The database is not opened and stays as it is.
 * @throws AppError `bad_phrase`; `folder_damaged` when the database cannot be read, `folder_too_new`, `folder_in_use`
 */
export function assertPhraseOf(folder: string, phrase: string): void {
  const stored = notedIn(join(folder, databaseName), fingerprintKey)
  if (stored === undefined) throw new AppError('folder_damaged', 'the database of no wallet')
  if (stored !== fingerprintOf(seedOfPhrase(phrase))) {
    throw new AppError('bad_phrase', 'the phrase is not the one of this wallet')
  }
}

/**
 * A wallet whose folder is leased and whose phrase is known.
 * @throws AppError `folder_too_new`, `folder_damaged`, `disk_full`, `disk_unwritable`; `bad_phrase` when the phrase is
 *   another wallet's
 */
export function openWalletWith(parts: WalletParts): OpenWallet {
  const { folder, phrase, config, emit, report, wrapStore = (store) => store, verifyCoins = verifyInTurns } = parts
  const { isOldPhrase } = parts
  const seed = seedOfPhrase(phrase)
  const memory = parts.memoryFolder
    ? openGenerationMemory(parts.memoryFolder, fingerprintOf(seed), (error) => report(error, null))
    : null
  assertNotLost(folder, isOldPhrase, memory)
  const file = openWalletFile(join(folder, databaseName))
  const opened = file.store
  try {
    assertSameSeed(opened, seed)
    const { hasLostCommits } = file
    if (hasLostCommits)
      report(new AppError('folder_damaged', 'the newest of the database was lost; its log is kept'), null)
    const lifeOf = { store: opened, memory, isOldPhrase, hasLostCommits, clock: systemClock, random: systemRandom }
    const life = takeUpLife(lifeOf)
    const store = wrapStore(opened)
    const secrets = createSecrets(seed, systemRandom)
    const engine = createEngine({
      store,
      secrets,
      mintClients: createMintClients({ clock: systemClock }),
      dial: dialLater,
      clock: systemClock,
      random: systemRandom,
      verifyCoins,
      // What a person may change is read when it is needed; what a host gave stands.
      config: {
        ...defaultConfig,
        ...config,
        get limits() {
          return config.limits ?? settingsOf(store).limits
        },
      },
      generation: () => generationOf(store),
      memory,
      turn: () => nextTurn(),
      name: () => nameOf(store),
      emit: (event) => {
        life.touch()
        emit(event)
      },
      report,
    })
    const close = (): void => {
      life.end()
      opened.close()
    }
    // Requests that were published name this peer: it stays the same as long as this life lasts.
    const peerKeySeed = secrets.payeePeerSeed(copiesOf(store.read).ownFrom)
    const lifeParts = { store, memory, clock: systemClock, random: systemRandom }
    return { engine, store, file, lifeParts, generation: generationOf(store), peerKeySeed, close }
  } catch (error) {
    opened.close()
    throw error
  }
}

/** Whether a database lies there, whatever became of it. */
export const hasDatabase = (folder: string): boolean => existsSync(join(folder, databaseName))

/**
 * A database that is gone, or in which nothing is, is no new wallet where there was one: its log is there, copies were made
 * of it, or this computer remembers that it opened a folder of this phrase. A person decides what is brought back.
 * @throws AppError `folder_damaged`, and what else keeps a database from being read
 */
function assertNotLost(folder: string, isOldPhrase: boolean, memory: GenerationMemory | null): void {
  const path = join(folder, databaseName)
  if (isLogWithoutDatabase(path)) throw new AppError('folder_damaged', 'the database is gone, and its log is there')
  if (!isOldPhrase || (hasDatabase(folder) && !isBlank(path))) return
  const isRemembered = Object.keys(memory?.folders() ?? {}).length > 0
  if (!isRemembered && readBackupMemory(folder).changes === null) return
  throw new AppError('folder_damaged', 'the database is gone, and a wallet was in it')
}

/** Whether what is there of a database cannot be read, or none is there. It stays as it is. */
export function isUnreadable(folder: string): boolean {
  if (!hasDatabase(folder)) return true
  try {
    notedIn(join(folder, databaseName), fingerprintKey)
    return false
  } catch (error) {
    if (error instanceof AppError && error.code === 'folder_damaged') return true
    throw error
  }
}

/**
 * Make the phrase of a folder that holds no wallet yet. @returns whether it has had one before
 * @throws AppError `no_phrase` when the phrase of an existing wallet is missing
 */
export function ensurePhrase(folder: string): boolean {
  if (hasPhrase(folder)) return true
  if (hasDatabase(folder)) throw new AppError('no_phrase', 'the phrase of this wallet is missing')
  makePhrase(folder, systemRandom)
  return false
}

export type WalletFolderOptions = Omit<WalletParts, 'phrase' | 'isOldPhrase'> & {
  /** What protects the phrase at rest. */
  readonly sealer: Sealer
}

/**
 * Lease, phrase and database in one, for programs without a gate.
 * @throws AppError `folder_in_use`, `no_phrase`, `bad_phrase`, `phrase_sealed`, `locked`, and as `openWalletWith`
 */
export async function openWallet({ sealer, ...options }: WalletFolderOptions): Promise<OpenWallet> {
  const { folder } = options
  const lease = takeLease(folder)
  let opened: OpenWallet | undefined
  try {
    const isOldPhrase = ensurePhrase(folder)
    const phrase = await readPhrase(folder, sealer)
    const wallet = openWalletWith({ ...options, phrase, isOldPhrase })
    opened = wallet
    // Not before: another wallet's phrase must not take the place of the sealed one.
    await sealPhrase(folder, phrase, sealer)
    const close = (): void => {
      wallet.close()
      lease.release()
    }
    return { ...wallet, close }
  } catch (error) {
    opened?.close()
    lease.release()
    throw error
  }
}
