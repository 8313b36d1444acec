// What the engine needs of the world. Everything here is a type; adapters stand behind it in store/, net/ and app.ts.

import type { CoinToVerify } from '../../shared/cashu/dleq.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import type {
  BlindedMessage,
  BlindSignature,
  CoinStateAtMint,
  InfoResponse,
  MeltQuoteResponse,
  MintQuoteResponse,
} from '../../shared/cashu/wire.ts'

/** This computer's clock. */
export type Clock = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Resolves after this many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>
}

/** Cryptographically secure random bytes. */
export type Random = { readonly bytes: (length: number) => Uint8Array }

/**
 * What a mint answered.
 * `ok`: status 200 and a body that fits the schema.
 * `refused`: status 4xx other than 408, 425 and 429, with a body that is a Cashu error (`code` and `detail`).
 * `unknown`: everything else (no answer, time-out, reset, 429, 5xx, not JSON, bad schema, too large, redirect).
 *   Unknown is never No. `retryAfterMs` when the mint asked to wait. `reachable` tells whether anything answered at all.
 */
export type MintAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: number; readonly detail: string }
  | { readonly kind: 'unknown'; readonly reason: string; readonly reachable: boolean; readonly retryAfterMs?: number }

/** One keyset as `/v1/keysets` lists it, without its keys. */
export type KeysetSummary = Omit<Keyset, 'keys' | 'idV2'>

/**
 * HTTP to one mint. Never throws for anything the network or the mint does; rejects only when `signal` is aborted.
 * `body` is sent byte for byte as given: the engine has stored it before.
 */
export type MintClient = {
  info(signal?: AbortSignal): Promise<MintAnswer<InfoResponse>>
  keysets(signal?: AbortSignal): Promise<MintAnswer<readonly KeysetSummary[]>>
  /** Keys of one keyset, active or not; the answer must hold exactly that id. */
  keys(id: string, signal?: AbortSignal): Promise<MintAnswer<Readonly<Record<string, string>>>>
  /** POST /v1/swap */
  swap(body: string, signal?: AbortSignal): Promise<MintAnswer<readonly BlindSignature[]>>
  /** POST /v1/mint/quote/bolt11 */
  requestMintQuote(amount: number, unit: string, signal?: AbortSignal): Promise<MintAnswer<MintQuoteResponse>>
  /** GET /v1/mint/quote/bolt11/{id} */
  mintQuote(id: string, signal?: AbortSignal): Promise<MintAnswer<MintQuoteResponse>>
  /** POST /v1/mint/bolt11 */
  issue(body: string, signal?: AbortSignal): Promise<MintAnswer<readonly BlindSignature[]>>
  /** POST /v1/melt/quote/bolt11 */
  requestMeltQuote(invoice: string, unit: string, signal?: AbortSignal): Promise<MintAnswer<MeltQuoteResponse>>
  /** GET /v1/melt/quote/bolt11/{id} */
  meltQuote(id: string, signal?: AbortSignal): Promise<MintAnswer<MeltQuoteResponse>>
  /** POST /v1/melt/bolt11. May take as long as a payment on the Lightning network takes. */
  melt(body: string, signal?: AbortSignal): Promise<MintAnswer<MeltQuoteResponse>>
  /** POST /v1/checkstate: states in the order of `Ys` (compressed hex). An answer for other or fewer Ys is `unknown`. */
  checkState(Ys: readonly string[], signal?: AbortSignal): Promise<MintAnswer<readonly CoinStateAtMint[]>>
  /** POST /v1/restore: the signatures that exist for these outputs, in their order, without telling which is whose. */
  restore(outputs: readonly BlindedMessage[], signal?: AbortSignal): Promise<MintAnswer<readonly BlindSignature[]>>
}

/** A client for the mint at this address (normalised by the engine). */
export type MintClients = (url: string) => MintClient

/** Checks coins as NUT-12's Carol does. May run elsewhere (worker, wasm); order of the answer is that of `coins`. */
export type CoinVerifier = (coins: readonly CoinToVerify[]) => Promise<readonly boolean[]>

/** Where a payee is reached: its libp2p peer id (text form) and multiaddrs. */
export type PeerAddress = { readonly peerId: string; readonly multiaddrs: readonly string[] }

/** One stream of `/farthing/pay/1.0.0`, seen by the payer. Frames are raw CBOR, at most 64 KiB each. */
export type PaySession = {
  /** This side's and the other's peer id, as raw multihash bytes, as proven by the Noise handshake. */
  readonly payerPeer: Uint8Array
  readonly payeePeer: Uint8Array
  /** Send a frame and wait for the one that answers it. @throws AppError `peer_timeout`, `peer_unreachable`, `frame_too_large` */
  exchange(frame: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Dial a payee with a peer key made from a 32-byte Ed25519 seed. @throws AppError `peer_unreachable`, `peer_timeout` */
export type PeerDialer = (address: PeerAddress, peerKeySeed: Uint8Array) => Promise<PaySession>

/** Who is at the other end of a stream, as the payee sees it. */
export type RemotePayer = {
  readonly payerPeer: Uint8Array
  readonly payeePeer: Uint8Array
  /** IP address without port: what limits per address are counted by. */
  readonly address: string
}

/** The payee's side of the protocol: a frame in, the frame to answer with out. Never throws: a failure is an answer. */
export type PayeeProtocol = {
  onHello(frame: Uint8Array, from: RemotePayer): Promise<Uint8Array>
  onHandover(frame: Uint8Array, from: RemotePayer): Promise<Uint8Array>
}

/** What this computer knows of the lives of one phrase, beside its database. */
export type LifeMemory = {
  /** The highest generation of this phrase that was used here; -1 for none. */
  readonly highest: () => number
  /** Remember that this generation is in use, durably. One that cannot be remembered is used all the same. */
  readonly claim: (generation: number) => void
}

/** Something that changed and was committed; the host turns it into events for the renderer. */
export type EngineEvent =
  | { readonly kind: 'operation'; readonly id: string }
  | { readonly kind: 'balance' }
  | { readonly kind: 'mint'; readonly url: string }

export type { WalletStore } from './store-port.ts'
