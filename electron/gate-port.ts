// What a gate offers to those who stand before it, and what it needs.

import type { AppError } from '../shared/errors.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type { FoundCopiesView, GateView, Sealing } from '../shared/model.ts'
import type { WalletCommand } from './handlers.ts'
import type { Sealer } from './sealing.ts'
import type { Clock } from './wallet/ports.ts'
import type { WalletApp, WalletAppParts } from './wallet-app.ts'

export type Gate = {
  /** Open what can be opened. Once. @throws AppError as `startApp` */
  begin(): Promise<void>
  /** @throws AppError why nothing is open, when that is none of the states */
  look(): Promise<GateView>
  /** @throws AppError `wrong_passphrase`, `too_many_tries`, `wrong_state`, and as `begin` */
  unlock(passphrase: string): Promise<GateView>
  /** @throws AppError `wrong_state` when there is no passphrase */
  lock(): Promise<GateView>
  /**
   * Open it with the words of a person, where the phrase here is not to be had. What lies there of it is set aside.
   * @param lay the phrase, with what shall protect it from now on, into an empty folder
   * @throws AppError `bad_phrase` when they are not those of the database, `folder_damaged` when it cannot be read,
   *   `wrong_state` where there is nothing to open with them
   */
  usePhrase(phrase: string, lay: (staging: string) => Promise<void>): Promise<GateView>
  /**
   * Change what protects the phrase.
   * @param current the passphrase of now, when there is one
   * @throws AppError `locked`, `wrong_passphrase`, `too_many_tries`
   */
  reseal(current: string | undefined, work: (wallet: WalletApp, before: Sealing) => Promise<void>): Promise<GateView>
  /**
   * Put something in the place of what is there, and open that; what was there is set aside.
   * @param prepare told what is there, and an empty folder to lay the new into; it refuses by throwing
   */
  exchange<T>(prepare: (there: There, staging: string) => Promise<Prepared<T>>): Promise<T>
  /**
   * Let a command pass to the wallet.
   * @throws AppError `locked` while it is not open, and when it is no more when the answer comes
   */
  pass<T>(name: WalletCommand, ask: (wallet: WalletApp) => Promise<T>): Promise<T>
  stop(): Promise<void>
}

/** What is there: a wallet that is open, or (null) a database that cannot be read, of this phrase. */
export type There =
  | {
      readonly wallet: WalletApp
      /**
       * The passphrase that protects it, for what comes in its place; null when there is none.
       * @param current as a person gave it @throws AppError `wrong_passphrase`, `too_many_tries`
       */
      readonly known: (current: string | undefined) => Promise<string | null>
    }
  | { readonly wallet: null; readonly phrase: string | null }
export type Prepared<T> = {
  readonly phrase: string
  readonly result: T
  /** Throws when it must not take the place of what was there: asked when that is closed, and nothing changes it. */
  readonly assertAtLast?: () => void
}

export type GateParts = {
  /** Data folder, whose lease the caller holds. */
  readonly folder: string
  readonly sealer: Sealer
  readonly clock: Clock
  /** What is known of automatic copies: in time, without a database, and it never rejects. @param phrase to look into them */
  readonly copies: (phrase: string | null) => Promise<FoundCopiesView>
  readonly openWallet: (
    parts: Pick<WalletAppParts, 'phrase' | 'isOldPhrase' | 'sealing' | 'revision' | 'onDamage' | 'onEvent'>,
  ) => WalletApp
  readonly onEvent: (event: HostEvent) => void
  readonly report: (error: AppError) => void
}
