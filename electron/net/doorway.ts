// The door of a node: who may come in, who has to go when it is full, and how much a connection may bring. TCP as it is,
// with a look at every connection before the library has one.

import type { MultiaddrConnection, Transport, Upgrader, UpgraderOptions } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { AppError, toAppError } from '../../shared/errors.ts'
import { createAllowance, createAllowances, type Rate } from './allowance.ts'
import { hostOf } from './host-of.ts'
import { type Arrived, inspect, negotiationOf } from './negotiation.ts'
import { cutOff, type Offence, type OnOffence, offenceOf } from './offences.ts'

export type DoorLimits = {
  readonly maxConnections: number
  /** So that one address, with an endless supply of peer ids, leaves room for others. */
  readonly maxConnectionsPerHost: number
  /** Connections in their handshake at a time. */
  readonly maxHandshakes: number
}

/** What is agreed on before anything is encrypted. */
const encrypters = ['/noise']
/** Bytes on one connection, as they come from the network. A payment brings two frames of 64 KiB at most. */
const byteRate: Rate = { burst: 512 * 1024, perSecond: 32 * 1024 }
/** A piece counts for no less: the libraries keep pieces as they come, and 65,000 of one byte take most of a second to drop. */
const leastPieceBytes = 64
/** Until the handshake is over: it has less than 2 KiB, and a hasty payer's first frame may be right behind it. */
const maxHandshakeBytes = 128 * 1024

/** Connections of one address that were cut off for what no honest program does; who has used that up has to wait outside. */
const offenceRate: Rate = { burst: 4, perSecond: 0.2 }
const graveOffences: readonly Offence[] = ['breaks the protocol', 'sends too much', 'opens too many streams']

/**
 * In a full house in which nobody has more places than others, who has had one longer than this makes room, in milliseconds.
 * A handshake takes three trips over the network; a payment has few more, and who is cut off while a person decides comes
 * back with the same Hello.
 */
const shortestStayMs = { handshake: 1_000, inside: 3_000 }

type TcpComponents = Parameters<ReturnType<typeof tcp>>[0]
type TransportMaker = (components: TcpComponents) => Transport

/** For a node that only dials. */
export const dialingTcp: TransportMaker = (components) => {
  const transport = tcp()(components)
  const dial = transport.dial.bind(transport)
  transport.dial = (address, options) => dial(address, { ...options, upgrader: inspecting(options.upgrader) })
  return transport
}

function inspecting(upgrader: Upgrader): Upgrader {
  return {
    ...delegate(upgrader),
    upgradeOutbound: (connection: MultiaddrConnection, options: UpgraderOptions) => {
      inspect(connection, lookAtBytes())
      return upgrader.upgradeOutbound(connection, options)
    },
  }
}

/** For a node that listens. */
export function listeningTcp(limits: DoorLimits, onOffence: OnOffence): TransportMaker {
  return (components) => {
    const transport = tcp()(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: watchingDoor(options.upgrader, limits, onOffence) })
    return transport
  }
}

type Guest = {
  readonly host: string
  readonly connection: MultiaddrConnection
  /** Its handshake is over. */
  isIn: boolean
  /** By the clock of this process: since when it is there, or, once it is in, since when it is in. */
  since: number
  /** Why this side ended it; undefined also when the other side did. */
  endedBy: Error | undefined
}

function watchingDoor(upgrader: Upgrader, limits: DoorLimits, onOffence: OnOffence): Upgrader {
  /** In the order in which they came. */
  const guests = new Set<Guest>()
  const trust = createAllowances(offenceRate)

  const leave = (guest: Guest, offence: Offence | undefined): void => {
    if (!guests.delete(guest) || !offence) return
    if (graveOffences.includes(offence)) trust.take(guest.host)
    onOffence(guest.host, offence)
  }
  const receive = (connection: MultiaddrConnection): Guest => {
    const guest: Guest = {
      host: hostOf(connection.remoteAddr),
      connection,
      isIn: false,
      since: performance.now(),
      endedBy: undefined,
    }
    guests.add(guest)
    connection.addEventListener('close', ({ local, error }) => {
      guest.endedBy = local ? error : undefined
      // Before that, the handshake tells how it ended.
      if (guest.isIn) leave(guest, offenceInside(guest))
    })
    return guest
  }
  /**
   * The oldest of the largest crowd goes. Where the newcomer's own is as large as any, it takes the place of who has been
   * there longest, if that is long enough.
   * @throws AppError `peer_unreachable` when there is no room for the newcomer
   */
  const makeRoom = (newcomer: Guest, max: number, stayMs: number): void => {
    const rivals = [...guests].filter(({ isIn }) => isIn === newcomer.isIn)
    if (rivals.length <= max) return
    const crowds = Object.values(Object.groupBy(rivals, ({ host }) => host)).map((crowd = []) => crowd)
    const size = ({ host }: Guest): number => crowds.find(([first]) => first?.host === host)?.length ?? 0
    const others = rivals.filter(({ host }) => host !== newcomer.host)
    const largest = Math.max(0, ...others.map(size))
    const [oldest] = others.filter((guest) => size(guest) === largest).sort((a, b) => a.since - b.since)
    const isCrowd = largest > size(newcomer)
    if (!oldest || largest < size(newcomer)) throw cutOff('holds too many connections')
    if (!isCrowd && performance.now() - oldest.since < stayMs) throw noRoom
    oldest.connection.abort(cutOff(isCrowd ? 'holds too many connections' : 'stays too long'))
  }
  const assertNotTooMany = ({ host }: Guest, max: number): void => {
    const count = [...guests].filter((guest) => guest.isIn && guest.host === host).length
    if (count > max) throw cutOff('holds too many connections')
  }

  return {
    ...delegate(upgrader),
    upgradeInbound: async (connection: MultiaddrConnection, options: UpgraderOptions) => {
      const guest = receive(connection)
      try {
        if (!trust.has(guest.host)) throw cutOff('connects too often')
        assertNotTooMany(guest, limits.maxConnectionsPerHost - 1)
        makeRoom(guest, limits.maxHandshakes, shortestStayMs.handshake)
        inspect(connection, lookAtBytes(guest))
        await upgrader.upgradeInbound(connection, options)
        guest.isIn = true
        guest.since = performance.now()
        // What came right behind the handshake may have ended it already.
        if (connection.status !== 'open') leave(guest, offenceInside(guest))
        // Others may have come in while this one shook hands.
        assertNotTooMany(guest, limits.maxConnectionsPerHost)
        makeRoom(guest, limits.maxConnections, shortestStayMs.inside)
      } catch (error) {
        const failure = error instanceof Error ? error : toAppError(error)
        const hasGone = connection.status !== 'open' && guest.endedBy === undefined
        connection.abort(failure)
        leave(guest, hasGone || options.signal.aborted ? undefined : offenceAtTheDoor(guest, failure))
        throw error
      }
    },
  }
}

/** Why a newcomer is sent away that has done nothing wrong. */
const noRoom = new AppError('peer_unreachable', 'the house is full', { retryable: true })

/** What a guest did wrong whose handshake was over. One that this side let go in good order did nothing. */
function offenceInside({ endedBy }: Guest): Offence | undefined {
  const isOver =
    endedBy === undefined || endedBy === noRoom || isOfTheNetwork(endedBy) || closingErrors.includes(endedBy.name)
  return offenceOf(endedBy) ?? (isOver ? undefined : 'breaks the protocol')
}

/** When this side closes down and the other takes too long. */
const closingErrors = ['AbortError', 'TimeoutError']

function offenceAtTheDoor({ endedBy }: Guest, failure: Error): Offence | undefined {
  if (failure.name === 'ConnectionDeniedError') return 'connects too often'
  if (failure === noRoom || (endedBy !== undefined && isOfTheNetwork(endedBy))) return undefined
  return offenceOf(endedBy) ?? offenceOf(failure) ?? 'does not finish its handshake'
}

/** A reset, or a broken cable. */
const isOfTheNetwork = (error: Error): boolean => 'syscall' in error

/**
 * The agreement on encryption, and how much comes.
 * @param guest whose handshake may not be over yet; without one it is this side that dialled
 */
export function lookAtBytes(guest?: { readonly isIn: boolean }): (data: Arrived) => void {
  const negotiation = negotiationOf(encrypters)
  const bytes = createAllowance(byteRate)
  let handshakeLeft = maxHandshakeBytes
  return (data) => {
    negotiation(data)
    const size = Math.max(leastPieceBytes, data.byteLength)
    handshakeLeft -= size
    const isHasty = guest !== undefined && !guest.isIn && handshakeLeft < 0
    if (isHasty || !bytes.take(size)) throw cutOff('sends too much')
  }
}

/** The same upgrader under other methods. */
function delegate(upgrader: Upgrader): Upgrader {
  return {
    upgradeInbound: upgrader.upgradeInbound.bind(upgrader),
    upgradeOutbound: upgrader.upgradeOutbound.bind(upgrader),
    createInboundAbortSignal: upgrader.createInboundAbortSignal.bind(upgrader),
    getStreamMuxers: upgrader.getStreamMuxers.bind(upgrader),
    getConnectionEncrypters: upgrader.getConnectionEncrypters.bind(upgrader),
  }
}
