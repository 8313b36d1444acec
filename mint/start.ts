// A running mint: folder, funding, rules and HTTP put together. The command line and the tests start it here.

import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { version } from '../shared/version.ts'
import { openOrCreateDataFolder } from './data-folder.ts'
import { createPracticeFunding } from './funding/practice.ts'
import { ensureKeyset } from './keysets.ts'
import { createMint } from './mint.ts'
import type { Clock, Funding, KeysetRecord, Random } from './ports.ts'
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
  /** How long a request may take to arrive; default 10 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Default: practice funding. */
  readonly funding?: Funding
  readonly clock?: Clock
  readonly random?: Random
  /** Told of failures that are the mint's own. Default: written to standard error. */
  readonly report?: (error: unknown) => void
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
  const { clock = systemClock, random = systemRandom, report = reportToStderr } = options
  const { store, keyring } = openOrCreateDataFolder(options.dataFolder, random)
  try {
    const keyset = ensureKeyset(
      { store, keyring, clock },
      { unit: options.unit ?? 'sat', feePpk: options.feePpk ?? 0, finalExpiry: options.finalExpiry ?? null },
    )
    const funding =
      options.funding ?? createPracticeFunding({ clock, random, delayMs: options.practiceDelayMs ?? defaultDelayMs })
    const mint = createMint({ store, keyring, funding, clock, random, version, report })
    const server = createMintServer({ mint, report, requestTimeoutMs: options.requestTimeoutMs })
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

function reportToStderr(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`)
}
