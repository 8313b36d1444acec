// libp2p nodes: one that listens for payers, and one for each payment or look at a card that dials a payee. TCP, Noise,
// yamux.

import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, Listener, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { getNetConfig } from '@libp2p/utils'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type Card, cardProtocol } from '../../shared/card.ts'
import { AppError } from '../../shared/errors.ts'
import { payProtocol } from '../../shared/messages.ts'
import type { PayeeProtocol, PeerAddress, PeerDialer } from '../wallet/ports.ts'
import { createAllowances, type Rate } from './allowance.ts'
import { cardWaitMs, readCard, serveCard } from './card-protocol.ts'
import { type DoorLimits, listeningTcp } from './doorway.ts'
import { letGoOfIdle } from './idle.ts'
import { reachableAddresses } from './interfaces.ts'
import { nodeOptions } from './node-options.ts'
import type { OnOffence } from './offences.ts'
import { type PayeeWaits, payeeWaits, paySession, servePayments } from './pay-protocol.ts'
import { createTurns } from './turns.ts'

/** What a payee node grants to everybody together, and to one address. */
export type PayeeLimits = PayeeWaits &
  DoorLimits & {
    /** New connections per second from one address. */
    readonly connectionRate: number
    /** New payments from one address. */
    readonly paymentRate: Rate
    /** A connection without a payment on it is closed after one to two times this, in milliseconds. */
    readonly idleMs: number
    /** Longest life of a stream on which a card is asked for, in milliseconds. */
    readonly cardMs: number
  }

/** The rate of connections is libp2p's default; people behind one router share an address. */
const payeeLimits: PayeeLimits = {
  ...payeeWaits,
  maxConnections: 64,
  maxConnectionsPerHost: 16,
  maxHandshakes: 64,
  connectionRate: 5,
  paymentRate: { burst: 20, perSecond: 4 },
  idleMs: 10_000,
  cardMs: cardWaitMs,
}

/** Longest handshake, in milliseconds. With libp2p's defaults, 10 of 10 s, ten silent sockets keep all payers out. */
const handshakeTimeoutMs = 2_000
const maxPaymentsPerConnection = 4
const maxCardsPerConnection = 1

export type PayeeNodeOptions = {
  /** 32 bytes: the Ed25519 key that the peer id stands for. */
  readonly peerKeySeed: Uint8Array
  readonly protocol: PayeeProtocol
  /** What to tell people nearby at this moment; null, and without it always, nothing. */
  readonly card?: () => Card | null
  /** IPv4 address to listen on; all by default. */
  readonly host?: string
  /** TCP port; any free one by default. */
  readonly port?: number
  readonly limits?: Partial<PayeeLimits>
  readonly onOffence?: OnOffence
}

export type PayeeNode = {
  readonly peerId: string
  /** The peer id as raw multihash bytes. */
  readonly peerIdBytes: Uint8Array
  /** TCP port it listens on. */
  readonly port: number
  /** Where payers reach it now: changes as network interfaces come and go. */
  address(): PeerAddress
  stop(): Promise<void>
}

/** Start listening for payers. @throws AppError `internal` when the address cannot be listened on */
export async function startPayeeNode(options: PayeeNodeOptions): Promise<PayeeNode> {
  const { host = '0.0.0.0', port: wantedPort = 0, onOffence = () => undefined } = options
  const limits = { ...payeeLimits, ...options.limits }
  const node: Libp2p = await createLibp2p({
    ...nodeOptions(await keyOf(options.peerKeySeed), listeningTcp(limits, onOffence)),
    start: false,
    // Payers have the address already; others of this computer are not told to them.
    addresses: { listen: [`/ip4/${host}/tcp/${wantedPort}`], announceFilter: () => [] },
    // It answers, and asks nobody: what a payer says of itself is not needed.
    services: { identify: identify({ runOnConnectionOpen: false }) },
    connectionManager: {
      // The door has its own limits, and is fair: these are never reached.
      maxConnections: 2 * limits.maxConnections,
      maxIncomingPendingConnections: 2 * limits.maxHandshakes,
      inboundUpgradeTimeout: handshakeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: handshakeTimeoutMs,
      inboundConnectionThreshold: limits.connectionRate,
    },
  })
  const peerIdBytes = node.peerId.toMultihash().bytes
  const door = { mayPay: createAllowances(limits.paymentRate), turns: createTurns(), onOffence }
  await node.handle(payProtocol, servePayments(options.protocol, peerIdBytes, limits, door), {
    maxInboundStreams: maxPaymentsPerConnection,
  })
  await node.handle(cardProtocol, serveCard(options.card ?? (() => null), limits.cardMs), {
    maxInboundStreams: maxCardsPerConnection,
  })
  const port = await listen(node)
  const stopSweeping = letGoOfIdle(node, limits.idleMs)
  const peerId = node.peerId.toString()
  return {
    peerId,
    peerIdBytes,
    port,
    address: () => {
      const hosts = host === '0.0.0.0' ? reachableAddresses() : [host]
      return { peerId, multiaddrs: hosts.map((address) => `/ip4/${address}/tcp/${port}`) }
    },
    stop: async () => {
      stopSweeping()
      await node.stop()
    },
  }
}

/** Longest wait for a connection and its stream, in milliseconds; for one address of several. */
const dialTimeoutMs = 5_000
const addressTimeoutMs = 1_500
/** Most addresses tried, of any number that a request or the LAN offers. */
const maxAddresses = 8

/** Every session has a node of its own, so that nothing but the payee's address connects two payments. */
export function createPeerDialer(timeoutMs: number = dialTimeoutMs): PeerDialer {
  return async (address, peerKeySeed) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const { node, connection, stream } = await openStream(address, payProtocol, await keyOf(peerKeySeed), signal)
    return paySession(stream, connection, node.peerId.toMultihash().bytes, async () => node.stop())
  }
}

/** Longest wait for a card, from the dial to its last byte, in milliseconds. */
const askTimeoutMs = 3_000

export type AskCardOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal }

/**
 * Ask a payee for its card, under a peer key that is thrown away: who is asked learns that somebody looks, not who.
 * Its key is proven only when it signs Terms: a payment to this payee has to expect `payeeKey` there.
 * @throws AppError `peer_unreachable`, also when it does not want to be seen; `peer_timeout`, also when `signal` is aborted;
 *   `bad_frame`, `frame_too_large`
 */
export async function askCard(address: PeerAddress, options: AskCardOptions = {}): Promise<Card> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? askTimeoutMs)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  const throwAway = await generateKeyPair('Ed25519')
  const { node, connection, stream } = await openStream(address, cardProtocol, throwAway, signal)
  try {
    return await readCard(stream, connection.remotePeer.toString(), signal)
  } finally {
    await node.stop()
  }
}

type OpenStream = { readonly node: Libp2p; readonly connection: Connection; readonly stream: Stream }

/** A stream on a node of its own, which the caller stops. @throws AppError `peer_unreachable`, `peer_timeout` */
async function openStream(
  address: PeerAddress,
  protocol: string,
  privateKey: PrivateKey,
  signal: AbortSignal,
): Promise<OpenStream> {
  const targets = targetsOf(address)
  const node = await createLibp2p({
    ...nodeOptions(privateKey),
    connectionManager: { addressDialTimeout: addressTimeoutMs, resolvers: {} },
  })
  try {
    const connection = await node.dial(targets, { signal })
    return { node, connection, stream: await connection.newStream(protocol, { signal }) }
  } catch (cause) {
    await node.stop()
    if (signal.aborted) throw new AppError('peer_timeout', 'the payee took too long', { cause, retryable: true })
    throw new AppError('peer_unreachable', 'no connection to the payee', { cause, retryable: true })
  }
}

function keyOf(peerKeySeed: Uint8Array): Promise<PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', peerKeySeed)
}

/** The readable addresses, each bound to the peer id, which the handshake then proves. @throws AppError `peer_unreachable` */
function targetsOf({ peerId, multiaddrs }: PeerAddress): Multiaddr[] {
  const suffix = `/p2p/${parsePeerId(peerId)}`
  return multiaddrs.slice(0, maxAddresses).flatMap((text) => {
    try {
      return [multiaddr(text).decapsulateCode(CODE_P2P).encapsulate(suffix)]
    } catch {
      return [] // of a transport that came after this version, perhaps: others may do
    }
  })
}

function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new AppError('peer_unreachable', 'not a peer id', { cause })
  }
}

/** Start the node. Returns the TCP port of its one listener. */
async function listen(node: Libp2p): Promise<number> {
  const listening = Promise.withResolvers<Listener>()
  node.addEventListener('transport:listening', (event) => listening.resolve(event.detail), { once: true })
  try {
    await node.start()
    return portOf(await listening.promise)
  } catch (cause) {
    await node.stop()
    throw new AppError('internal', 'cannot listen for payers', { cause })
  }
}

/** A listener on all interfaces names its port once for each of them. */
function portOf(listener: Listener): number {
  const [address] = listener.getAddrs()
  const port = address === undefined ? undefined : getNetConfig(address).port
  if (port === undefined) throw new AppError('internal', 'this computer has no network interface')
  return port
}
