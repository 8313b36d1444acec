// A running mint: folder, funding, rules and HTTP put together. The command line and the tests start it here.

import { randomBytes } from 'node:crypto'
import { AppError } from '../shared/errors.ts'
import { describeThrown } from '../shared/log-text.ts'
import { version } from '../shared/version.ts'
import { createAbuseLog } from './abuse-log.ts'
import { openOrCreateDataFolder } from './data-folder.ts'
import { createPracticeFunding } from './funding/practice.ts'
import { ensureKeyset } from './keysets.ts'
import { createMint } from './mint.ts'
import type { Clock, Funding, KeysetRecord, Random } from './ports.ts'
import { createQuoteLimit } from './quote-limit.ts'
import { createMintServer } from './server.ts'

export const systemClock: Clock = { now: () => Date.now() }
export const systemRandom: Random = { bytes: (length) => randomBytes(length) }

export type MintServerOptions = {
  readonly dataFolder: string
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** Default `sat`. A folder may serve several units, one per start with a new one. */
  readonly unit?: string | undefined
  /** Fee and final expiry (Unix seconds) of the first keyset of the unit. Later ones are made by a rotation. */
  readonly feePpk?: number | undefined
  readonly finalExpiry?: number | undefined
  /** How long a practice invoice takes to pay itself. */
  readonly practiceDelayMs?: number | undefined
  /** Quotes that one address may ask for in a minute; default 600. */
  readonly quotesPerMinute?: number | undefined
  /** And how many of them may be for money out, whose text a stranger chooses; default 60. */
  readonly meltQuotesPerMinute?: number | undefined
  /** How long a request may take to arrive; default 10 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Default: practice funding. */
  readonly funding?: Funding
  readonly clock?: Clock
  readonly random?: Random
  /** Told of failures that are the mint's own. Default: written to standard error. */
  readonly report?: (error: unknown) => void
  /** Told, in few lines, of addresses that ask for more than is granted. Default: written to standard error. */
  readonly log?: (line: string) => void
}

export type RunningMint = {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  /** The active keyset of the unit. */
  readonly keyset: KeysetRecord
  /** Answers what has arrived, then closes port and database. */
  close(): Promise<void>
}

/** @throws AppError of the folder; the system's error when the port cannot be opened */
export async function startMintServer(options: MintServerOptions): Promise<RunningMint> {
  const { clock = systemClock, random = systemRandom, report = reportToStderr, log = logToStderr } = options
  const { store, keyring } = openOrCreateDataFolder(options.dataFolder, random)
  try {
    const keyset = ensureKeyset(
      { store, keyring, clock },
      { unit: options.unit ?? 'sat', feePpk: options.feePpk ?? 0, finalExpiry: options.finalExpiry ?? null },
    )
    const funding =
      options.funding ?? createPracticeFunding({ clock, random, delayMs: options.practiceDelayMs ?? defaultDelayMs })
    const mint = createMint({ store, keyring, funding, clock, random, version, report })
    const quoteLimit = createQuoteLimit({ clock, perMinute: options.quotesPerMinute ?? defaultQuotesPerMinute })
    const { meltQuotesPerMinute = defaultMeltQuotesPerMinute, requestTimeoutMs } = options
    const meltQuoteLimit = createQuoteLimit({ clock, perMinute: meltQuotesPerMinute })
    const onAbuse = createAbuseLog({ clock, log })
    const server = createMintServer({ mint, quoteLimit, meltQuoteLimit, report, onAbuse, requestTimeoutMs })
    const stop = async (): Promise<void> => {
      await mint.stop()
      await server.close()
      store.close()
    }
    let stopped: Promise<void> | undefined
    const close = (): Promise<void> => {
      stopped ??= stop()
      return stopped
    }
    const url = await server.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
    mint.resume()
    return { url, keyset, close }
  } catch (error) {
    store.close()
    throw error
  }
}

const defaultDelayMs = 1_000
/** A wallet asks for a few a day; behind a proxy all wallets have one address. */
const defaultQuotesPerMinute = 600
/** Each has up to 2 kB and is kept for a day: 180 MB for one address, and no more the day after. */
const defaultMeltQuotesPerMinute = 60

const logToStderr = (line: string): void => {
  process.stderr.write(`mint: ${line}\n`)
}

/** What the operator can mend in one line, such as a full disk; everything for what only a developer can. */
function reportToStderr(error: unknown): void {
  const line =
    error instanceof AppError && error.retryable ? `mint: ${error.code}: ${error.message}` : describeThrown(error)
  process.stderr.write(`${line}\n`)
}
