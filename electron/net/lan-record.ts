// What a payee says of itself on the local network: the records of libp2p's mDNS (libp2p specs, discovery/mdns.md), with
// one more line that tells a payee from any other libp2p node. Unauthenticated: only a hint, the handshake proves the key.

import { peerIdFromString } from '@libp2p/peer-id'
import type { ResponseOutgoingPacket, ResponsePacket } from 'multicast-dns'

export const lanService = '_p2p._udp.local'
const payeeLine = 'farthing=pay/1.0.0'

/** Seconds a record holds when nothing renews it; a longer claim is cut to this (RFC 6762 §10 has 120 s for addresses). */
export const maxTtlSeconds = 120
/** An honest packet has two or three records. */
const maxRecords = 32

type Records = ResponseOutgoingPacket['answers']

export type Announcement = {
  readonly peerId: string
  /** `/ip4/…/tcp/…`, with the sender's own address: a payee has one on a link. */
  readonly multiaddr: string
  /** 0 = it is leaving (RFC 6762 §10.1). */
  readonly ttlSeconds: number
}

/** Records for one link, on which this computer has the address `host`. */
export function announcementRecords(payee: { peerId: string; host: string; port: number }, ttl: number): Records {
  const { peerId, host, port } = payee
  const instance = `${peerId}.${lanService}`
  const lines = [`dnsaddr=/ip4/${host}/tcp/${port}/p2p/${peerId}`, payeeLine]
  return [
    { name: lanService, type: 'PTR', class: 'IN', ttl, data: instance },
    { name: instance, type: 'TXT', class: 'IN', ttl, data: lines },
  ]
}

/** Undefined when it is not a payee, or says anything of a host that is not the sender: nobody is sent elsewhere. */
export function readAnnouncement(packet: ResponsePacket, sender: string): Announcement | undefined {
  const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])].slice(0, maxRecords)
  const pointer = records.find((record) => record.type === 'PTR' && record.name.toLowerCase() === lanService)
  if (pointer?.type !== 'PTR') return undefined
  const texts = records.filter((record) => record.type === 'TXT').filter(({ name }) => name === pointer.data)
  const lines = texts.flatMap(({ data }) => data).map(String)
  if (!lines.includes(payeeLine)) return undefined

  const found = lines.filter((line) => line.startsWith('dnsaddr=')).map((line) => readAddress(line, sender))
  const [first, ...others] = found
  if (first === undefined) return undefined
  if (others.some((other) => other?.peerId !== first.peerId || other.multiaddr !== first.multiaddr)) return undefined
  const ttls = [pointer, ...texts].map(({ ttl }) => ttl ?? 0)
  return { ...first, ttlSeconds: Math.min(maxTtlSeconds, ...ttls) }
}

function readAddress(line: string, sender: string): { peerId: string; multiaddr: string } | undefined {
  const match = /^dnsaddr=\/ip4\/([\d.]{7,15})\/tcp\/([1-9]\d{0,4})\/p2p\/(12D3KooW[1-9A-HJ-NP-Za-km-z]{44})$/.exec(
    line,
  )
  const [, host, port, peerId] = match ?? []
  if (host !== sender || Number(port) > 65_535 || peerId === undefined) return undefined
  try {
    return { peerId: peerIdFromString(peerId).toString(), multiaddr: `/ip4/${host}/tcp/${port}` }
  } catch {
    return undefined // right letters, but no key
  }
}
