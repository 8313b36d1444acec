// What every operation is given: one typed object, made by the engine.

import type { Mints } from './mints.ts'
import type { Clock, CoinVerifier, EngineEvent, LifeMemory, PeerDialer, Random } from './ports.ts'
import type { Secrets } from './secrets.ts'
import type { WalletStore } from './store-port.ts'

/** What is accepted as `signed` from strangers (protocol section 6), in the unit's smallest part. */
export type Limits = {
  readonly single: number
  /** Sum of all strangers' unsettled payments. */
  readonly total: number
  readonly perHour: number
}

export type EngineConfig = {
  readonly limits: Limits
  /** The payer settles by itself this long after the receipt: random in [min, max], milliseconds (privacy). */
  readonly settleDelayMs: readonly [number, number]
  /** A used purse is re-keyed this long after it was used: random in [min, max], milliseconds. */
  readonly refreshDelayMs: readonly [number, number]
  /** Two equal readings this far apart end an operation as bounced or dead, milliseconds. */
  readonly readingGapMs: number
  /** How long a payee with a connection tries to settle before it answers, milliseconds. */
  readonly settleBeforeAnswerMs: number
  /** How long a payer waits for the mint before it hands over signed, milliseconds. */
  readonly settleFirstMs: number
  /** Coins wanted of each small denomination: with four, 7 % of amounts could not be paid exactly (measured). */
  readonly coinsOfEach: number
  /** Back-off of retries: first and longest pause, milliseconds. */
  readonly retryMs: readonly [number, number]
  /** How long the payee waits for the handover, and the payer may not reclaim unasked, seconds. */
  readonly deadlineSeconds: number
  /**
   * How often each mint is asked whether another computer uses this phrase, beside once at the start, milliseconds.
   * Infinity: never.
   */
  readonly lookForTwinsMs: number
  /** Mints trusted with signed handovers besides our own, for tests: by address. */
  readonly trustOffline: (url: string) => boolean
}

export const defaultConfig: EngineConfig = {
  limits: { single: 10_000, total: 50_000, perHour: 120 },
  settleDelayMs: [3_600_000, 24 * 3_600_000],
  refreshDelayMs: [60_000, 600_000],
  readingGapMs: 60_000,
  settleBeforeAnswerMs: 3000,
  settleFirstMs: 5000,
  coinsOfEach: 4,
  retryMs: [2000, 600_000],
  deadlineSeconds: 7 * 24 * 3600,
  lookForTwinsMs: 3_600_000,
  trustOffline: () => false,
}

export type Context = {
  readonly store: WalletStore
  readonly secrets: Secrets
  readonly mints: Mints
  readonly clock: Clock
  readonly random: Random
  readonly verifyCoins: CoinVerifier
  readonly dial: PeerDialer
  readonly config: EngineConfig
  /** The one that new purses belong to; it may move on at run time. */
  readonly generation: number
  /** What this computer knows of the lives of this phrase; null when it can remember nothing. */
  readonly memory: LifeMemory | null
  /** Resolves when everything else that waits has had its turn: between pieces of long work. */
  readonly turn: () => Promise<void>
  /** Name shown to payers in Terms; may be empty. */
  readonly name: () => string
  /** Call after commit, never inside a transaction. */
  readonly emit: (event: EngineEvent) => void
  /** Ask the runner to look soon: something became due. */
  readonly wake: () => void
  /** One step of this operation now; resolves when it is done. Never rejects. */
  readonly runNow: (operationId: string) => Promise<void>
  /** As `runNow`, but only when it is due; a step that is running is waited for. */
  readonly runIfDue: (operationId: string) => Promise<void>
  /** Nothing else touches this operation while `work` runs. A step of the runner never asks for a second lock. */
  readonly locked: <T>(operationId: string, work: () => Promise<T>) => Promise<T>
  /** Whether something touches this operation; if not, nothing will before the next await. */
  readonly isLocked: (operationId: string) => boolean
}

/** Unix seconds of a clock. */
export const unixNow = (clock: Clock): number => Math.floor(clock.now() / 1000)

/** Uniform enough: a whole number in [min, max]. */
export function randomBetween(random: Random, [min, max]: readonly [number, number]): number {
  const bytes = random.bytes(6)
  const fraction = bytes.reduce((value, byte) => value * 256 + byte, 0) / 2 ** 48
  return Math.floor(min + fraction * (max - min + 1))
}

/** When to try again: doubling pauses with jitter, or what the mint asked for if that is longer. */
export function nextAttempt(
  { clock, random, config }: Pick<Context, 'clock' | 'random' | 'config'>,
  attempts: number,
  retryAfterMs = 0,
): number {
  const [first, longest] = config.retryMs
  const pause = Math.min(longest, first * 2 ** Math.min(attempts, 20))
  return clock.now() + Math.max(retryAfterMs, randomBetween(random, [Math.ceil(pause / 2), pause]))
}
