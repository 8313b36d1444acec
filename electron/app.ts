// The composition root: one data folder, one engine, its store and its net, and the handlers of every command.
// Plain Node: a window, a local page and a test host it alike.

import { AppError } from '../shared/errors.ts'
import type { Handlers, HostEvent } from '../shared/ipc.ts'
import { latestPayments } from '../shared/model.ts'
import { version } from '../shared/version.ts'
import { createFeed } from './feed.ts'
import { createHandlers } from './handlers.ts'
import { plainSealer, type Sealer } from './keys.ts'
import { createPhraseCheck } from './phrase-check.ts'
import type { PracticeLauncher } from './practice.ts'
import { createPracticeMint } from './practice-mint.ts'
import { createReach } from './reach.ts'
import { assertName, nameOf, rename, settingsOf } from './settings.ts'
import { startTicking } from './ticking.ts'
import type { EngineConfig } from './wallet/context.ts'
import type { EngineEvent } from './wallet/ports.ts'
import { systemClock as clock, openWallet } from './wallet-folder.ts'
import { createWalletView } from './wallet-view.ts'

export type AppOptions = {
  /** Data folder; made if it is not there. One process at a time. */
  readonly folder: string
  /** The name of a wallet that has none yet; people change it by `profile.rename`. At most 64 bytes. */
  readonly name?: string
  /** What protects the phrase at rest; without it, only the permissions of its file. */
  readonly sealer?: Sealer
  /** How a practice mint is started beside the app; without it none is offered. */
  readonly practice?: PracticeLauncher
  /** IPv4 address payers reach this computer at; all interfaces by default. */
  readonly listenHost?: string
  readonly config?: Partial<EngineConfig>
  /** How often mints are asked whether they are there, milliseconds. */
  readonly tickMs?: number
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

const defaultTickMs = 15_000
/** First the screen, then payers: what they need takes a while to load. */
const listenAfterMs = 700

/**
 * Open the folder, recover what was interrupted, and run.
 * @throws AppError `bad_input` for a name over 64 bytes, `folder_in_use`, `folder_too_new`, `folder_damaged`, `no_phrase`, `bad_phrase`, `phrase_sealed`
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { folder, onEvent, log, tickMs = defaultTickMs } = options
  const report = (error: AppError): void => log(describe(error))
  if (options.name !== undefined) assertName(options.name)
  let tell = (_event: EngineEvent): void => {}
  const wallet = openWallet({
    folder,
    config: options.config ?? {},
    sealer: options.sealer ?? plainSealer,
    emit: (event) => tell(event),
    report: (error, operation) => {
      const about = operation === null ? '' : `${operation.kind} ${operation.id} ${operation.state}: `
      log(about + describe(error))
    },
  })
  const { engine, store } = wallet
  if (options.name && nameOf(store) === '') rename(store, options.name)

  const reach = createReach({
    engine,
    store,
    clock,
    peerKeySeed: wallet.peerKeySeed,
    ...(options.listenHost === undefined ? {} : { host: options.listenHost }),
    onChange: () => feed.touch('nearby'),
  })
  const practice = createPracticeMint({
    engine,
    store,
    folder,
    launch: options.practice,
    log,
    onChange: () => feed.touch('practice', 'mints', 'withdraws'),
  })
  const view = createWalletView({
    engine,
    store,
    clock,
    reach,
    sealing: wallet.sealing,
    practiceUrl: practice.url,
    version,
  })
  const feed = createFeed({
    read: {
      profile: view.profile,
      settings: () => settingsOf(store),
      mints: view.mints,
      latest: () => view.page({ before: null, limit: latestPayments, search: '', filter: 'all' }).items,
      waiting: view.waiting,
      nearby: view.nearby,
      withdraws: view.withdraws,
      cashOuts: view.cashOuts,
      practice: practice.view,
    },
    payment: view.change,
    send: onEvent,
    report: (error) => log(`internal: ${error instanceof Error ? error.message : 'a slice cannot be read'}`),
  })
  tell = (event) => {
    if (event.kind === 'operation') feed.touchPayment(event.id)
    feed.touch('latest', 'waiting', 'mints', 'withdraws', 'cashOuts')
  }

  // Coins are no less there because nobody can reach this computer: the next request tries again.
  const listen = (): Promise<void> =>
    reach.resume().catch((cause) => report(new AppError('internal', 'nobody can reach this wallet', { cause })))
  const listenTimer = setTimeout(() => void listen(), listenAfterMs)
  engine.runner.start()
  practice.resume()
  const tick = startTicking({
    // Alarms and reachability change with time alone.
    work: () => engine.tick().then(() => feed.touch('mints', 'latest')),
    everyMs: tickMs,
    clock,
    report,
  })

  const phraseCheck = createPhraseCheck(() => wallet.phrase().split(' '))
  return {
    handlers: createHandlers({
      engine,
      store,
      clock,
      reach,
      feed,
      view,
      practice,
      phraseCheck,
      phrase: wallet.phrase,
    }),
    report,
    stop: async () => {
      clearTimeout(listenTimer)
      tick.stop()
      feed.stop()
      await Promise.all([reach.stop(), practice.stop()])
      await engine.runner.stop()
      await tick.ended
      wallet.close()
    },
  }
}

/** Code and message of an error and of what caused it: names of things, never their contents. */
function describe(error: AppError): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.name}: ${error.cause.message.slice(0, 200)})` : ''
  return `${error.code}: ${error.message}${cause}`
}
