// An open wallet: one engine with its store and its net, everything that runs beside it, and the handlers of its commands.
// Whether a person may use it is the gate's matter, not its own.

import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { withoutSecrets } from '../shared/log-text.ts'
import { latestPayments, type Sealing } from '../shared/model.ts'
import { version } from '../shared/version.ts'
import type { AppOptions } from './app.ts'
import { removeBackupLeftovers } from './backup-database.ts'
import { backupSecretsOf } from './backup-key.ts'
import type { FolderWork } from './backup-patience.ts'
import { createBackups } from './backups.ts'
import { createFeed } from './feed.ts'
import { memoryFolder } from './generation-memory.ts'
import { createHandlers, type WalletHandlers } from './handlers.ts'
import { seedOfPhrase } from './keys.ts'
import { createPhraseCheck } from './phrase-check.ts'
import { createPracticeMint } from './practice-mint.ts'
import { createReach } from './reach.ts'
import { nameOf, rename, settingsOf } from './settings.ts'
import { isCheckedAtOnce, isSoundInBackground } from './store/database.ts'
import { startTicking } from './ticking.ts'
import type { EngineEvent } from './wallet/ports.ts'
import type { WalletStore } from './wallet/store-port.ts'
import { systemClock as clock, databaseName, type OpenWallet, openWalletWith } from './wallet-folder.ts'
import { createWalletView } from './wallet-view.ts'

export type WalletAppParts = Omit<AppOptions, 'sealer' | 'clock'> & {
  /** The twelve words of this folder, whose lease the caller holds. */
  readonly phrase: string
  /** Whether they were there before. */
  readonly isOldPhrase: boolean
  /** What protects them now. */
  readonly sealing: () => Sealing
  /** The revision that events go on from: above every one that a window may have seen. */
  readonly revision: number
  /** The database cannot be read, as a later read found: the wallet should be stopped. */
  readonly onDamage: () => void
  /** For automatic copies, in a folder that may not answer. */
  readonly folderWork: FolderWork
}

export type WalletApp = {
  readonly handlers: WalletHandlers
  readonly store: WalletStore
  readonly phrase: string
  /** Of the last event. */
  revision(): number
  /** What protects the phrase has changed. */
  touchSealing(): void
  stop(): Promise<void>
}

const defaultTickMs = 15_000
/** First the screen, then payers: what they need takes a while to load. */
const listenAfterMs = 700

/**
 * Open the wallet, recover what was interrupted, and run.
 * @throws AppError as `openWalletWith`
 */
export function openWalletApp(parts: WalletAppParts): WalletApp {
  const { folder, onEvent, log, tickMs = defaultTickMs } = parts
  const report = (error: AppError): void => {
    log(describe(error))
    if (isFileDamage(error)) parts.onDamage()
  }
  let tell = (_event: EngineEvent): void => {}
  const wallet = openWalletWith({
    folder,
    phrase: parts.phrase,
    isOldPhrase: parts.isOldPhrase,
    memoryFolder: parts.memoryFolder === undefined ? memoryFolder() : parts.memoryFolder,
    config: parts.config ?? {},
    emit: (event) => tell(event),
    report: (error, operation) => {
      const about = operation === null ? '' : `${operation.kind} ${operation.id} ${operation.state}: `
      log(about + describe(error))
      if (isFileDamage(error)) parts.onDamage()
    },
  })
  const { engine, store } = wallet
  orClose(wallet, () => {
    if (parts.name && nameOf(store) === '') rename(store, parts.name)
    removeBackupLeftovers(folder)
  })

  const reach = createReach({
    engine,
    store,
    clock,
    peerKeySeed: wallet.peerKeySeed,
    ...(parts.listenHost === undefined ? {} : { host: parts.listenHost }),
    onChange: () => feed.touch('nearby'),
    log,
  })
  const practice = createPracticeMint({
    engine,
    store,
    folder,
    launch: parts.practice,
    log,
    onChange: () => feed.touch('practice', 'mints', 'withdraws'),
  })
  const view = createWalletView({
    engine,
    store,
    clock,
    reach,
    sealing: parts.sealing,
    practiceUrl: practice.url,
    version,
  })
  let isStopping = false
  const backups = orClose(wallet, () =>
    createBackups({
      folder,
      wallet: wallet.file,
      phrase: parts.phrase,
      secrets: backupSecretsOf(seedOfPhrase(parts.phrase)),
      life: wallet.lifeParts,
      kdfCost: parts.kdfCost,
      work: parts.folderWork,
      canPick: parts.pickFolder !== undefined,
      inQuiet: async (work) => {
        await engine.runner.stop()
        try {
          return work()
        } finally {
          if (!isStopping) engine.runner.start()
        }
      },
      onChange: () => feed.touch('backup'),
      onMerged: () => {
        feed.touch('profile', 'settings', 'mints', 'latest', 'waiting', 'undecided', 'withdraws', 'cashOuts', 'restore')
        void look().catch((cause) => report(new AppError('internal', 'a look at the mints failed', { cause })))
      },
      report,
    }),
  )
  const feed = createFeed({
    revision: parts.revision,
    read: {
      profile: view.profile,
      settings: () => settingsOf(store),
      mints: view.mints,
      latest: () => view.page({ before: null, limit: latestPayments, search: '', filter: 'all' }).items,
      waiting: view.waiting,
      undecided: view.undecided,
      nearby: view.nearby,
      withdraws: view.withdraws,
      cashOuts: view.cashOuts,
      practice: practice.view,
      backup: backups.view,
      restore: view.restore,
    },
    payment: view.change,
    send: onEvent,
    report: (cause) => report(new AppError('internal', 'a slice cannot be read', { cause })),
  })
  tell = (event) => {
    if (event.kind === 'operation') {
      feed.touchPayment(event.id)
      backups.noteOperation(event.id)
    }
    feed.touch('latest', 'waiting', 'undecided', 'mints', 'withdraws', 'cashOuts', 'restore')
  }

  // Coins are no less there because nobody can reach this computer: the next request tries again.
  const listen = (): Promise<void> =>
    reach.resume().catch((cause) => report(new AppError('internal', 'nobody can reach this wallet', { cause })))
  const listenTimer = setTimeout(() => void listen(), listenAfterMs)
  engine.runner.start()
  practice.resume()
  // Alarms and reachability change with time alone.
  const look = (): Promise<void> => engine.tick().then(() => feed.touch('mints', 'latest', 'undecided', 'restore'))
  const tick = startTicking({
    work: look,
    everyMs: tickMs,
    clock,
    report,
  })
  const check = checkLater(join(folder, databaseName), parts.onDamage, report)

  return {
    handlers: createHandlers({
      engine,
      store,
      clock,
      reach,
      feed,
      view,
      practice,
      backups,
      pickFolder: parts.pickFolder,
      phraseCheck: createPhraseCheck(() => parts.phrase.split(' ')),
      phrase: () => parts.phrase,
      sealing: parts.sealing,
    }),
    store,
    phrase: parts.phrase,
    revision: feed.revision,
    touchSealing: () => feed.touch('profile'),
    stop: async () => {
      isStopping = true
      clearTimeout(listenTimer)
      tick.stop()
      feed.stop()
      try {
        await Promise.all([reach.stop(), practice.stop(), check.stop()])
        await engine.runner.stop()
        await tick.ended
        await backups.stop()
      } finally {
        wallet.close()
      }
    },
  }
}

/** What cannot go on leaves nothing open. */
function orClose<T>(wallet: OpenWallet, work: () => T): T {
  try {
    return work()
  } catch (error) {
    wallet.close()
    throw error
  }
}

/** A database too large to be looked through when it was opened is looked through while it runs. */
function checkLater(path: string, onDamage: () => void, report: (error: AppError) => void): { stop(): Promise<void> } {
  if (isCheckedAtOnce(path)) return { stop: async () => {} }
  const stopping = new AbortController()
  const checked = isSoundInBackground(path, stopping.signal).then(
    (isSound) => {
      if (!isSound) onDamage()
    },
    (cause) => {
      if (!stopping.signal.aborted) report(new AppError('internal', 'the database could not be checked', { cause }))
    },
  )
  return {
    stop: () => {
      stopping.abort()
      return checked
    },
  }
}

/**
 * Whether it is, or comes from, a file that SQLite itself finds damaged. A row that makes no sense holds up what needs it,
 * and nothing else.
 */
export function isFileDamage(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || thrown.cause === undefined) return false
  const isItself = thrown instanceof AppError && thrown.code === 'folder_damaged'
  if (isItself && thrown.cause instanceof Error && 'errcode' in thrown.cause) return true
  return isFileDamage(thrown.cause)
}

/** Code and message of an error and of what caused it: names of things, never their contents. */
export function describe(error: AppError): string {
  const { cause: from } = error
  // Cleaned before it is cut: half a key is not known for one.
  const cause = from instanceof Error ? ` (${from.name}: ${withoutSecrets(from.message).slice(0, 200)})` : ''
  return `${error.code}: ${error.message}${cause}`
}
