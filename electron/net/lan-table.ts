// Payees on the local network. Announcements are free, and anybody can send them from any address. So an entry counts for
// what it has proved:
// - Proved: its card came over Noise, from the announced peer id at the announced address. It is kept for as long as it
//   answers. No announcement ends or moves it: one that says it leaves, or is elsewhere, has it asked again. Another takes
//   its place only when that one is proved too, and its host has fewer of them.
// - Unproved: kept by the host they name, a few for each host. One too many pushes out another of the same host, a host too
//   many another host, by chance: who announces himself again and again gets in.
// - Hosts are asked in turn, first those that never were, then the one that was asked longest ago. A host that was made up
//   takes one turn in a round; what was made up about an honest host takes turns of that host only.

import { type Card, sameCard } from '../../shared/card.ts'
import type { PeerAddress } from '../wallet/ports.ts'
import type { Announcement } from './lan-record.ts'
import type { OnOffence } from './offences.ts'

/** Most proved entries. */
const maxProved = 64
/** Most proved entries of one host, and most others. */
const maxPerHost = 8
/** Most hosts, with when they were asked: all there are on a link of 1,024 addresses. */
const maxHosts = 1_024
/** Waits before a failed ask is made again, in milliseconds. When they are used up, nothing is proved any more. */
const retryMs: readonly number[] = [1_000, 2_000, 4_000]
/** Failed asks that are forgiven where an announcement says that nobody is there any more. */
const maxDoubtfulMisses = 1
/** How old an answer is before such an announcement has it asked for again, in milliseconds. */
const doubtMs = 2_000
/** How old a card grows, in milliseconds: what a stall asks for changes with every customer. */
const refreshMs = 30_000

/** One payee at one address. */
export type Entry = {
  readonly host: string
  readonly address: PeerAddress
  /** What it answered last; null while it is not proved. */
  readonly card: Card | null
  /** Asks in a row that failed. */
  readonly failures: number
}

export type Ask = {
  readonly entry: Entry
  /** To be called once. @param answer null for none @returns whether what is proved is something else now */
  finish(answer: Card | null): boolean
}

export type LanTable = {
  /** @returns false when another unproved entry was pushed out for it */
  hear(announcement: Announcement, host: string): boolean
  /** Who is to be asked next, at a host that is not busy. The entry stays until the ask is finished. */
  next(kind: 'proved' | 'unproved', isBusy: (host: string) => boolean): Ask | undefined
  /** In the order in which they were proved. */
  proved(): readonly Entry[]
}

/** Times are milliseconds of `performance.now()`. */
type Kept = {
  readonly host: string
  readonly address: PeerAddress
  card: Card | null
  failures: number
  isBeingAsked: boolean
  /** It is said to leave, or to be elsewhere. */
  isDoubtful: boolean
  dueAt: number
  /** Of an unproved entry. */
  expiresAt: number
}

type Host = { askedAt: number; readonly unproved: Map<string, Kept> }

export function createLanTable(onOffence: OnOffence = () => undefined): LanTable {
  const proved = new Map<string, Kept>()
  const hosts = new Map<string, Host>()

  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(Math.random() * items.length)]
  const provedAt = (host: string): readonly Kept[] => [...proved.values()].filter((entry) => entry.host === host)
  const doubt = (host: string, peerId: string): void => {
    const entry = provedAt(host).find(({ address }) => address.peerId === peerId)
    if (entry === undefined || entry.isDoubtful) return
    entry.isDoubtful = true
    if (entry.failures === 0) entry.dueAt += doubtMs - refreshMs
  }
  const dropExpired = ({ unproved }: Host): void => {
    const now = performance.now()
    for (const [key, entry] of unproved) if (entry.expiresAt <= now && !entry.isBeingAsked) unproved.delete(key)
  }

  const forgetOne = (): void => {
    const names = [...hosts.keys()]
    for (;;) {
      const name = pick(names)
      const host = name === undefined ? undefined : hosts.get(name)
      if (name === undefined || host === undefined) return
      // Few are asked at a time: another is drawn soon.
      if ([...host.unproved.values()].some(({ isBeingAsked }) => isBeingAsked)) continue
      hosts.delete(name)
      return
    }
  }
  /** @returns false when another host was forgotten for it */
  const ensureHost = (name: string): { readonly host: Host; readonly hadRoom: boolean } => {
    const known = hosts.get(name)
    if (known) return { host: known, hadRoom: true }
    const hadRoom = hosts.size < maxHosts
    if (!hadRoom) forgetOne()
    const host = { askedAt: Number.NEGATIVE_INFINITY, unproved: new Map() }
    hosts.set(name, host)
    return { host, hadRoom }
  }
  /** One that failed makes room before one that was not asked yet. */
  const makeRoom = ({ unproved }: Host): void => {
    const idle = [...unproved].filter(([, entry]) => !entry.isBeingAsked)
    const most = Math.max(...idle.map(([, { failures }]) => failures))
    const [key] = pick(idle.filter(([, { failures }]) => failures === most)) ?? []
    if (key !== undefined) unproved.delete(key)
  }
  const hear = ({ peerId, multiaddr, ttlSeconds }: Announcement, name: string): boolean => {
    const address = { peerId, multiaddrs: [multiaddr] }
    const key = keyOf(address)
    if (ttlSeconds === 0) {
      doubt(name, peerId)
      return true
    }
    if (proved.has(key)) return true
    doubt(name, peerId)
    const { host, hadRoom } = ensureHost(name)
    const now = performance.now()
    const expiresAt = now + ttlSeconds * 1_000
    const known = host.unproved.get(key)
    if (known) {
      known.expiresAt = Math.max(known.expiresAt, expiresAt)
      return true
    }
    dropExpired(host)
    const isFull = host.unproved.size >= maxPerHost
    if (isFull) {
      onOffence(name, 'is named by too many announcements')
      makeRoom(host)
    }
    const state = { card: null, failures: 0, isBeingAsked: false, isDoubtful: false, dueAt: now, expiresAt }
    host.unproved.set(key, { host: name, address, ...state })
    return hadRoom && !isFull
  }

  /** Room for one more proved entry of this host, if it is due to it. */
  const hasRoom = (host: string): boolean => {
    const own = provedAt(host).length
    if (own < maxPerHost && (proved.size < maxProved || giveWay(own))) return true
    onOffence(host, 'announces too many payees')
    return false
  }
  /** The newest of the host that has the most goes, if these are more than the newcomer's host will have. */
  const giveWay = (own: number): boolean => {
    const all = [...proved]
    const counts = Map.groupBy(all, ([, { host }]) => host)
    const [most] = [...counts.values()].sort((a, b) => b.length - a.length)
    const [key, newest] = most?.at(-1) ?? []
    if (most === undefined || key === undefined || newest === undefined || most.length <= own + 1) return false
    onOffence(newest.host, 'announces too many payees')
    proved.delete(key)
    return true
  }
  const take = (entry: Kept, card: Card): boolean => {
    const { peerId } = entry.address
    const key = keyOf(entry.address)
    entry.failures = 0
    entry.isDoubtful = false
    entry.dueAt = performance.now() + refreshMs
    const sisters = [...proved.values()].filter(({ address }) => address.peerId === peerId)
    const isNews = !sisters.some((sister) => sister.card !== null && sameCard(sister.card, card))
    // One key, one card: the newest, whichever link it came by.
    for (const sister of sisters) sister.card = card
    if (proved.get(key) === entry) return isNews
    // It answers where it was found before: there it stays.
    const isElsewhere = sisters.some(({ host }) => host === entry.host)
    if (isElsewhere || !hasRoom(entry.host)) return isNews
    hosts.get(entry.host)?.unproved.delete(key)
    entry.card = card
    proved.set(key, entry)
    return true
  }
  const miss = (entry: Kept): boolean => {
    const wait = retryMs[entry.failures]
    entry.failures++
    entry.dueAt = performance.now() + (wait ?? refreshMs)
    const forgiven = entry.isDoubtful ? maxDoubtfulMisses : retryMs.length
    const key = keyOf(entry.address)
    return entry.failures > forgiven && proved.get(key) === entry && proved.delete(key)
  }
  const isDue = ({ dueAt, isBeingAsked }: Kept): boolean => dueAt <= performance.now() && !isBeingAsked
  const nextProved = (isBusy: (host: string) => boolean): Kept | undefined => {
    const due = [...proved.values()].filter((entry) => isDue(entry) && !isBusy(entry.host))
    return due.sort((a, b) => a.dueAt - b.dueAt)[0]
  }
  /** Of the host whose turn it is: one that failed least, and is due for longest. */
  const nextUnproved = (isBusy: (host: string) => boolean): Kept | undefined => {
    let turn: { readonly askedAt: number; readonly due: readonly Kept[] } | undefined
    for (const [name, host] of hosts) {
      if ((turn && host.askedAt >= turn.askedAt) || isBusy(name)) continue
      dropExpired(host)
      const due = [...host.unproved.values()].filter(isDue)
      if (due.length > 0) turn = { askedAt: host.askedAt, due }
    }
    return turn && [...turn.due].sort((a, b) => a.failures - b.failures || a.dueAt - b.dueAt)[0]
  }
  const begin = (entry: Kept): Ask => {
    entry.isBeingAsked = true
    const host = hosts.get(entry.host)
    if (host && entry.card === null) host.askedAt = performance.now()
    return {
      entry,
      finish: (answer) => {
        entry.isBeingAsked = false
        return answer === null ? miss(entry) : take(entry, answer)
      },
    }
  }
  return {
    hear,
    next: (kind, isBusy) => {
      const entry = kind === 'proved' ? nextProved(isBusy) : nextUnproved(isBusy)
      return entry && begin(entry)
    },
    proved: () => [...proved.values()],
  }
}

const keyOf = ({ peerId, multiaddrs }: PeerAddress): string => `${peerId} ${multiaddrs.join()}`
