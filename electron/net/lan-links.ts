// One mDNS socket for each IPv4 interface, following interfaces as they come and go. A single socket would ask the routing
// table where multicast goes, and find no way on a LAN without a default route.

import multicastDns, { type QueryPacket, type ResponseOutgoingPacket, type ResponsePacket } from 'multicast-dns'
import { type Ipv4Interface, ipv4Interfaces } from './interfaces.ts'

export type LanOptions = {
  /** Only between programs of this computer, by its loopback interface. */
  readonly loopback?: boolean
  /** UDP port; 5353 (RFC 6762 §3) by default. */
  readonly mdnsPort?: number
  /** How often the interfaces are looked at, in milliseconds. */
  readonly pollMs?: number
}

const mdnsPort = 5353
const pollMs = 3_000

export type LanLink = {
  /** This computer's address on the link. */
  readonly address: string
  /** Both are over when the packet is sent, or never will be. */
  query(name: string): Promise<void>
  respond(answers: ResponseOutgoingPacket['answers']): Promise<void>
}

/** `sender` is the IPv4 address a packet claims to come from; it is one of the link. */
export type LanListener = {
  onOpen?(link: LanLink): void
  onQuery?(link: LanLink, packet: QueryPacket): void
  onResponse?(link: LanLink, packet: ResponsePacket, sender: string): void
}

export type LanLinks = { links(): readonly LanLink[]; close(): Promise<void> }

export function openLanLinks(listener: LanListener, options: LanOptions = {}): LanLinks {
  const sockets = new Map<string, LanSocket>()

  const drop = (socket: LanSocket): void => {
    if (sockets.get(socket.address) === socket) sockets.delete(socket.address)
    void socket.close()
  }
  const synchronise = (): void => {
    const present = ipv4Interfaces().filter(({ loopback }) => loopback === (options.loopback ?? false))
    for (const socket of sockets.values()) {
      if (!present.some(({ address }) => address === socket.address)) drop(socket)
    }
    for (const link of present.filter(({ address }) => !sockets.has(address))) {
      // A socket that fails is opened again at the next look, when the interface is still there.
      const socket = openSocket(link, options.mdnsPort ?? mdnsPort, listener, () => drop(socket))
      sockets.set(link.address, socket)
      listener.onOpen?.(socket)
    }
  }
  synchronise()
  const poll = setInterval(synchronise, options.pollMs ?? pollMs)
  return {
    links: () => [...sockets.values()],
    close: async () => {
      clearInterval(poll)
      await Promise.all([...sockets.values()].map((socket) => socket.close()))
    },
  }
}

type LanSocket = LanLink & { close(): Promise<void> }

function openSocket(own: Ipv4Interface, port: number, listener: LanListener, onFailure: () => void): LanSocket {
  // Bound to all addresses: a socket bound to one of them receives no multicast on Linux. So each socket receives what
  // comes in on every interface, and takes what comes from its own.
  const mdns = multicastDns({ interface: own.address, bind: '0.0.0.0', port })
  const closed = Promise.withResolvers<void>()
  const send = (start: (whenSent: (error?: Error | null) => void) => void): Promise<void> => {
    const sent = new Promise<void>((resolve) =>
      start((error) => {
        if (error) onFailure()
        resolve()
      }),
    )
    return Promise.race([sent, closed.promise])
  }
  const socket: LanSocket = {
    address: own.address,
    query: (name) => send((whenSent) => mdns.query({ questions: [{ name, type: 'PTR' }] }, whenSent)),
    respond: (answers) => send((whenSent) => mdns.respond({ answers }, whenSent)),
    close: () => {
      mdns.destroy(closed.resolve)
      return closed.promise
    },
  }
  mdns.on('error', onFailure)
  mdns.on('query', (packet, { address }) => {
    if (onSameLink(own, address)) listener.onQuery?.(socket, packet)
  })
  mdns.on('response', (packet, { address }) => {
    if (onSameLink(own, address)) listener.onResponse?.(socket, packet, address)
  })
  return socket
}

/** RFC 6762 §11: a sender outside the subnet is not on the link, whatever it says. */
function onSameLink({ address, netmask }: Ipv4Interface, sender: string): boolean {
  const mask = toBits(netmask)
  return (toBits(address) & mask) === (toBits(sender) & mask)
}

function toBits(dotted: string): number {
  return dotted.split('.').reduce((bits, part) => bits * 256 + Number(part), 0)
}
