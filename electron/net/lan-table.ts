// Payees that were heard of on the local network. Everything in it may be a lie: it is small, and it forgets.

import type { PeerAddress } from '../wallet/ports.ts'
import type { Announcement } from './lan-record.ts'

/** Most entries; when it is full newcomers wait, so that a flood does not push honest entries out. */
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

export function createLanTable(watcher: LanWatcher): LanTable {
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
  const hasRoom = (sender: string): boolean =>
    entries.size < maxEntries &&
    [...entries.values()].filter((entry) => entry.sender === sender).length < maxEntriesPerSender

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
