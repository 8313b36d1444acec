// The composition root: one data folder, its lease, the gate in front of its wallet, and the handlers of every command.
// Plain Node: a window, a local page and a test host it alike.

import { AppError } from '../shared/errors.ts'
import { commands, type Handlers, type HostEvent, type InputOf, isCommandName, type OutputOf } from '../shared/ipc.ts'
import { foundCopies } from './backup-found.ts'
import { createLayBackup } from './backup-lay.ts'
import { createFolderWork, endWithoutThem } from './backup-patience.ts'
import { createGate } from './gate.ts'
import { createGateHandlers, type GateHandlers } from './gate-handlers.ts'
import type { Gate } from './gate-port.ts'
import { memoryFolder } from './generation-memory.ts'
import type { WalletCommand } from './handlers.ts'
import type { KdfCost } from './passphrase.ts'
import type { PracticeLauncher } from './practice.ts'
import { plainSealer, type Sealer } from './sealing.ts'
import { assertName } from './settings.ts'
import { takeLease } from './store/lease.ts'
import type { EngineConfig } from './wallet/context.ts'
import type { Clock } from './wallet/ports.ts'
import { describe, openWalletApp } from './wallet-app.ts'
import { systemClock, systemRandom } from './wallet-folder.ts'

export type AppOptions = {
  /** Data folder; made if it is not there. One process at a time. */
  readonly folder: string
  /** The name of a wallet that has none yet; people change it by `profile.rename`. At most 64 bytes. */
  readonly name?: string
  /** What protects the phrase at rest beside a passphrase; without it, only the permissions of its file. */
  readonly sealer?: Sealer
  /** How a practice mint is started beside the app; without it none is offered. */
  readonly practice?: PracticeLauncher
  /** IPv4 address payers reach this computer at; all interfaces by default. */
  readonly listenHost?: string
  readonly config?: Partial<EngineConfig>
  /** Where this computer remembers which folders of a phrase it opened; default: where the system keeps such things. */
  readonly memoryFolder?: string | null
  /** How often mints are asked whether they are there, milliseconds. */
  readonly tickMs?: number
  /** A window to pick a folder, where the host has one; null when nothing was picked. */
  readonly pickFolder?: () => Promise<string | null>
  /** What a try of a passphrase costs, in files that are written from now on. */
  readonly kdfCost?: KdfCost
  /** The clock of locking and of tries. */
  readonly clock?: Clock
  readonly onEvent: (event: HostEvent) => void
  /** A line for the log: codes and ids, never a secret. */
  readonly log: (line: string) => void
}

export type App = {
  readonly handlers: Handlers
  /** A defect, for the log. */
  readonly report: (error: AppError) => void
  stop(): Promise<void>
}

/**
 * Open the folder, recover what was interrupted, and run; or wait behind the gate for a passphrase, a keychain, the twelve
 * words, or what shall become of a damaged database.
 * @throws AppError `bad_input` for a name over 64 bytes, `folder_in_use`, `folder_too_new`, `disk_full`,
 *   `disk_unwritable`
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { folder, log, onEvent, sealer = plainSealer, clock = systemClock, kdfCost } = options
  const report = (error: AppError): void => log(describe(error))
  if (options.name !== undefined) assertName(options.name)
  const work = createFolderWork(systemClock, endWithoutThem)
  const lease = takeLease(folder)
  const gate = createGate({
    folder,
    sealer,
    clock,
    copies: (phrase) => foundCopies(folder, phrase, { work }),
    openWallet: (parts) => openWalletApp({ ...options, ...parts, folderWork: work }),
    onEvent,
    report,
  })
  try {
    await gate.begin()
  } catch (error) {
    lease.release()
    throw error
  }
  const remembered = options.memoryFolder === undefined ? memoryFolder() : options.memoryFolder
  const layBackup = createLayBackup({ folder, memoryFolder: remembered, clock, random: systemRandom, work, report })
  return {
    handlers: behind(gate, createGateHandlers({ gate, folder, sealer, kdfCost, layBackup })),
    report,
    stop: async () => {
      await gate.stop()
      lease.release()
    },
  }
}

/** Every command: those of the gate itself, and all others through it. */
function behind(gate: Gate, own: GateHandlers): Handlers {
  const ofWallet = Object.keys(commands).filter(isOfWallet)
  const handlers = { ...own, ...Object.fromEntries(ofWallet.map((name) => [name, passing(gate, name)])) }
  if (!isComplete(handlers)) throw new AppError('internal', 'a command has no handler')
  return handlers
}

function passing<N extends WalletCommand>(gate: Gate, name: N) {
  return (input: InputOf<N>): Promise<OutputOf<N>> => gate.pass(name, (wallet) => wallet.handlers[name](input))
}

const isOfWallet = (name: string): name is WalletCommand => isCommandName(name) && !name.startsWith('gate.')

/** What `passing` gives is the handler of its name; that none is missing is seen here. */
function isComplete(handlers: object): handlers is Handlers {
  return Object.keys(commands).every((name) => Object.hasOwn(handlers, name))
}
