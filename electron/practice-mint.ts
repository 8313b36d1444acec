// The practice mint beside the app: started when a person asks for it, and again at every start from then on. Play money.

import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import type { PracticeView } from '../shared/model.ts'
import { z } from '../shared/schema.ts'
import type { Practice, PracticeLauncher } from './practice.ts'
import type { Engine } from './wallet/engine.ts'
import type { WalletStore } from './wallet/store-port.ts'

export type PracticeMint = {
  view(): PracticeView
  url(): string | null
  /** Start it if it does not run, add it, and ask it for coins if there are none of it. @throws AppError `practice_failed` */
  start(): Promise<PracticeView>
  /** Start it without being asked, if a person ever started it. Failing is shown, not thrown. */
  resume(): void
  /** A request of the practice stall. @throws AppError `practice_failed` */
  request(): Promise<string>
  stop(): Promise<void>
}

export type PracticeParts = {
  readonly engine: Engine
  readonly store: WalletStore
  readonly folder: string
  /** Absent where the host cannot start one. */
  readonly launch: PracticeLauncher | undefined
  readonly log: (line: string) => void
  readonly onChange: () => void
}

const urlKey = 'practice/url'
/** What a first person gets to try things with. */
const firstCoins = 100

/** The address of the practice mint; null before one was ever started. */
export function practiceUrlOf({ read }: Pick<WalletStore, 'read'>): string | null {
  return z
    .string()
    .nullable()
    .catch(null)
    .parse(read.meta(urlKey) ?? null)
}

export function createPracticeMint({ engine, store, folder, launch, log, onChange }: PracticeParts): PracticeMint {
  let state: PracticeView['state'] = 'off'
  let running: Promise<Practice> | undefined
  let adding: Promise<number> | undefined
  let isStopping = false

  const url = (): string | null => practiceUrlOf(store)
  const view = (): PracticeView => ({ isOffered: launch !== undefined, state, mintUrl: url() })
  const become = (next: PracticeView['state']): void => {
    state = next
    onChange()
  }
  const launched = (): Promise<Practice> => {
    if (!launch || isStopping) throw new AppError('practice_failed', 'no practice mint can be started here')
    if (running) return running
    become('starting')
    const starting = launch({ folder: join(folder, 'practice'), log })
    running = starting
    starting.then(
      ({ ended }) => {
        become('running')
        ended.then(() => {
          running = undefined
          if (!isStopping) become('failed')
        })
      },
      () => {
        running = undefined
        become('failed')
      },
    )
    return starting
  }
  const ready = async (): Promise<Practice> => {
    try {
      return await launched()
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw new AppError('practice_failed', 'the practice mint did not start', { cause, retryable: true })
    }
  }

  return {
    view,
    url,
    start: async () => {
      const { mintUrl, unit } = await ready()
      // Asked twice at once, it is added once.
      adding ??= accountOf(engine, store, mintUrl).finally(() => {
        adding = undefined
      })
      const account = await adding
      store.transaction((write) => write.setMeta(urlKey, mintUrl))
      const { spendable, reserved, handed_over } = store.read.totals(account, unit)
      const isComing = store.read
        .operations({ kind: 'withdraw', account, states: ['quoting', 'unpaid', 'issuing'], isLenient: true })
        .some((operation) => operation.unit === unit)
      if (spendable + reserved + handed_over === 0 && !isComing) engine.withdraw(account, unit, firstCoins)
      onChange()
      return view()
    },
    resume: () => {
      if (!launch || url() === null) return
      launched()
        .then(() => (isStopping ? undefined : engine.tick()))
        .catch((error) => log(`practice_failed: ${error instanceof Error ? error.message : ''}`))
    },
    request: async () => (await ready()).stallRequest(),
    stop: async () => {
      isStopping = true
      const practice = await running?.catch(() => undefined)
      await practice?.stop()
    },
  }
}

/** @returns the account of the mint at this address, added if it is not there */
async function accountOf(engine: Engine, store: WalletStore, mintUrl: string): Promise<number> {
  const known = store.read.mintByUrl(mintUrl)
  if (known && !known.removed) {
    await engine.mints.sync(known.account)
    return known.account
  }
  return (await engine.mints.add(mintUrl)).account
}
