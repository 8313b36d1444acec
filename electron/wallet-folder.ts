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
import { z } from '../shared/schema.ts'
import { hasPhrase, phraseOf, type Sealer, sealingOf, sealPhrase, seedOfPhrase } from './keys.ts'
import { createMintClients } from './net/mint-client.ts'
import { nameOf, settingsOf } from './settings.ts'
import { takeLease } from './store/lease.ts'
import { openWalletStore } from './store/wallet-store.ts'
import { defaultConfig, type EngineConfig, randomBetween } from './wallet/context.ts'
import { createEngine, type Engine } from './wallet/engine.ts'
import type { Operation } from './wallet/operation.ts'
import type { Clock, CoinVerifier, EngineEvent, PeerDialer, Random } from './wallet/ports.ts'
import { createSecrets } from './wallet/secrets.ts'
import type { WalletStore } from './wallet/store-port.ts'

export type WalletFolderOptions = {
  /** Data folder; made if it is not there. One process at a time. */
  readonly folder: string
  readonly config: Partial<EngineConfig>
  /** What protects the phrase at rest. */
  readonly sealer: Sealer
  readonly emit: (event: EngineEvent) => void
  readonly report: (error: AppError, operation: Operation | null) => void
  /** Stands between the engine and its store: measures, or lies. */
  readonly wrapStore?: (store: WalletStore) => WalletStore
  readonly verifyCoins?: CoinVerifier
}

export type OpenWallet = {
  readonly engine: Engine
  readonly store: WalletStore
  readonly generation: number
  /** How the phrase is protected now. */
  readonly sealing: Sealer['kind']
  /** The twelve words, read anew: for a person to write down. */
  phrase(): string
  /** Ed25519 seed of the peer this wallet is reached at. */
  readonly peerKeySeed: Uint8Array
  /** After the engine's runner has stopped. */
  close(): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (milliseconds) => waitFor(milliseconds, undefined, { ref: false }),
}
const random: Random = { bytes: (length) => randomBytes(length) }

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

const generationKey = 'seed/generation'
const storedGeneration = z.number().int().min(0)

/**
 * A new database made from an old phrase starts a new generation: indices of the first one were used (protocol section 2).
 * A database that knows none yet is new, also when a process ended right after it made the file.
 */
function generationOf(store: WalletStore, isOldPhrase: boolean): number {
  const stored = store.read.meta(generationKey)
  if (stored !== undefined) return storedGeneration.parse(stored)
  const generation = isOldPhrase ? 1 + randomBetween(random, [0, 15]) : 0
  store.transaction((write) => write.setMeta(generationKey, generation))
  return generation
}

const fingerprintKey = 'seed/fingerprint'

/** A database belongs to the phrase it was made with: with another one, none of its coins could be spent. */
function assertSameSeed(store: WalletStore, seed: Uint8Array): void {
  const fingerprint = bytesToHex(hmac(sha256, seed, utf8ToBytes('farthing/fingerprint/1')).subarray(0, 8))
  const stored = store.read.meta(fingerprintKey)
  if (stored === undefined) store.transaction((write) => write.setMeta(fingerprintKey, fingerprint))
  else if (stored !== fingerprint) throw new AppError('bad_phrase', 'the phrase is not the one of this wallet')
}

/** @throws AppError `folder_in_use`, `folder_too_new`, `folder_damaged`, `no_phrase`, `bad_phrase`, `phrase_sealed` */
export function openWallet(options: WalletFolderOptions): OpenWallet {
  const { folder, config, sealer, emit, report, wrapStore = (store) => store, verifyCoins = verifyInTurns } = options
  const lease = takeLease(folder)
  let toClose: WalletStore | undefined
  try {
    const path = join(folder, 'wallet.db')
    const isOldPhrase = hasPhrase(folder)
    const phrase = phraseOf(folder, !existsSync(path), random, sealer)
    const seed = seedOfPhrase(phrase)
    const opened = openWalletStore(path)
    toClose = opened
    assertSameSeed(opened, seed)
    const generation = generationOf(opened, isOldPhrase)
    // Not before: another wallet's phrase must not take the place of the sealed one.
    sealPhrase(folder, phrase, sealer)
    const store = wrapStore(opened)
    const secrets = createSecrets(seed, random)
    const engine = createEngine({
      store,
      secrets,
      mintClients: createMintClients({ clock: systemClock }),
      dial: dialLater,
      clock: systemClock,
      random,
      verifyCoins,
      // What a person may change is read when it is needed; what a host gave stands.
      config: {
        ...defaultConfig,
        ...config,
        get limits() {
          return config.limits ?? settingsOf(store).limits
        },
      },
      generation,
      name: () => nameOf(store),
      emit,
      report,
    })
    const close = (): void => {
      opened.close()
      lease.release()
    }
    return {
      engine,
      store,
      generation,
      sealing: sealingOf(folder),
      phrase: () => phraseOf(folder, false, random, sealer),
      peerKeySeed: secrets.payeePeerSeed(generation),
      close,
    }
  } catch (error) {
    toClose?.close()
    lease.release()
    throw error
  }
}
