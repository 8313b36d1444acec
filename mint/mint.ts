// The mint without HTTP: every request of /v1 as a function. What moves money is decided in synchronous transactions.

import type {
  CheckStateRequest,
  CheckStateResponse,
  InfoResponse,
  KeysetsResponse,
  KeysResponse,
  MeltQuoteRequest,
  MeltQuoteResponse,
  MeltRequest,
  MintQuoteRequest,
  MintQuoteResponse,
  MintRequest,
  RestoreRequest,
  RestoreResponse,
  SignaturesResponse,
  SwapRequest,
} from '../shared/cashu/wire.ts'
import { info } from './info.ts'
import { createMintQuote, issue, mintQuote } from './issue.ts'
import type { Keyring } from './keys.ts'
import { keysetsResponse, keysResponse, readKeysets } from './keysets.ts'
import { checkState, restore } from './lookup.ts'
import { createMelting } from './melt.ts'
import type { Clock, Funding, MintStore, Random } from './ports.ts'
import { swap } from './swap.ts'

export type MintDeps = {
  readonly store: MintStore
  readonly keyring: Keyring
  readonly funding: Funding
  readonly clock: Clock
  readonly random: Random
  /** Package version, for /v1/info. */
  readonly version: string
  /** Told of a failure that no request waits for. */
  readonly report: (error: unknown) => void
}

/** Requests are already valid by the schemas of `wire.ts`. Every method may throw `MintRefusal`. */
export type Mint = {
  info(): InfoResponse
  keysets(): KeysetsResponse
  /** All active keysets, or the one with this id. */
  keys(id?: string): KeysResponse
  swap(request: SwapRequest): SignaturesResponse
  createMintQuote(request: MintQuoteRequest): Promise<MintQuoteResponse>
  mintQuote(id: string): Promise<MintQuoteResponse>
  issue(request: MintRequest): Promise<SignaturesResponse>
  createMeltQuote(request: MeltQuoteRequest): MeltQuoteResponse
  meltQuote(id: string): MeltQuoteResponse
  melt(request: MeltRequest): Promise<MeltQuoteResponse>
  checkState(request: CheckStateRequest): CheckStateResponse
  restore(request: RestoreRequest): RestoreResponse
  /** Ask again about melts that were on their way when the process before ended. */
  resume(): void
  /** Stop waiting for payments; the next `resume` goes on with them. The store stays open. */
  stop(): Promise<void>
}

export function createMint(deps: MintDeps): Mint {
  const { store } = deps
  const melting = createMelting(deps)
  return {
    info: () => info(readKeysets(deps), deps.funding, deps.version),
    keysets: () => keysetsResponse(readKeysets(deps)),
    keys: (id) => keysResponse(readKeysets(deps), id),
    swap: (request) => swap(deps, request),
    createMintQuote: (request) => createMintQuote(deps, request),
    mintQuote: (id) => mintQuote(deps, id),
    issue: (request) => issue(deps, request),
    createMeltQuote: melting.createQuote,
    meltQuote: melting.quote,
    melt: melting.melt,
    checkState: (request) => checkState(store, request),
    restore: (request) => restore(store, request),
    resume: melting.resume,
    stop: melting.stop,
  }
}
