// Payees that were heard of on the local network. Everything in it may be a lie: it is small, and it forgets.

import type { PeerAddress } from '../wallet/ports.ts'
import type { Announcement } from './lan-record.ts'
import type { OnOffence } from './offences.ts'

/** Most entries; when it is full, room is made for a sender who has fewer of them than another, and nobody else. */
const maxEntries = 256
/** Most payees behind one sender address. */
const maxEntriesPerSender = 8

/** A payee appeared or has other addresses; a payee is gone. */
export type LanWatcher = {
  onFound(address: PeerAddress): void
  onLost(peerId: string): void
}

export type LanTable = { hear(announcement: Announcement, sender: string): void; clear(): void }

type Entry = {
  readonly peerId: string
  readonly sender: string
  readonly multiaddrs: readonly string[]
  readonly expiry: ReturnType<typeof setTimeout>
}

export function createLanTable(watcher: LanWatcher, onOffence: OnOffence = () => undefined): LanTable {
  const entries = new Map<string, Entry>()

  const addresses = (peerId: string): readonly string[] =>
    [...entries.values()].filter((entry) => entry.peerId === peerId).flatMap(({ multiaddrs }) => multiaddrs)

  const change = (peerId: string, apply: () => void): void => {
    const before = addresses(peerId)
    apply()
    const multiaddrs = addresses(peerId)
    if (multiaddrs.join() === before.join()) return
    if (multiaddrs.length > 0) watcher.onFound({ peerId, multiaddrs })
    else watcher.onLost(peerId)
  }
  const forget = (key: string): void => {
    clearTimeout(entries.get(key)?.expiry)
    entries.delete(key)
  }
  const countOf = (sender: string): number => [...entries.values()].filter((entry) => entry.sender === sender).length
  /** The newest entry of the sender who has the most, if that is more than the newcomer will have. */
  const makeRoom = (newcomer: string): boolean => {
    const counts = new Map<string, number>()
    for (const { sender } of entries.values()) counts.set(sender, (counts.get(sender) ?? 0) + 1)
    const [[crowd, most] = ['', 0]] = [...counts].sort(([, a], [, b]) => b - a)
    const newest = [...entries].findLast(([, { sender }]) => sender === crowd)
    if (!newest || most <= (counts.get(newcomer) ?? 0) + 1) return false
    const [key, { peerId }] = newest
    onOffence(crowd, 'announces too many payees')
    change(peerId, () => forget(key))
    return true
  }
  const hasRoom = (sender: string): boolean => {
    if (countOf(sender) < maxEntriesPerSender && (entries.size < maxEntries || makeRoom(sender))) return true
    onOffence(sender, 'announces too many payees')
    return false
  }

  return {
    hear: ({ peerId, multiaddrs, ttlSeconds }, sender) => {
      const key = `${sender} ${peerId}`
      if (ttlSeconds === 0) return change(peerId, () => forget(key))
      const known = entries.get(key)
      if (known === undefined && !hasRoom(sender)) return
      clearTimeout(known?.expiry)
      const expiry = setTimeout(() => change(peerId, () => forget(key)), ttlSeconds * 1_000)
      change(peerId, () => entries.set(key, { peerId, sender, multiaddrs, expiry }))
    },
    clear: () => {
      for (const key of [...entries.keys()]) forget(key)
    },
  }
}
