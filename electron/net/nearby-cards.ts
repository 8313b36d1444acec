// The cards of payees that announce themselves on the local network: each is asked when it was heard of, and again and again
// while it is there. Announcements are free, so all that strangers can cause here is small and steady. What is kept, and
// who is asked next, is the table's.

import type { Card } from '../../shared/card.ts'
import type { PeerAddress } from '../wallet/ports.ts'
import type { Announcement } from './lan-record.ts'
import { type Ask, createLanTable, type Entry } from './lan-table.ts'
import type { OnOffence } from './offences.ts'

/** Asked at a time; and of them never two at one host, so that a silent one holds up nobody but itself. */
const maxAsks = { proved: 4, unproved: 8 } as const
/** An ask takes its place for at least this long, in milliseconds: at most 24 asks in a second, 2 of them at one host. */
const askSlotMs = 500
/** How often it is looked who is due, in milliseconds. */
const tickMs = 100

/** `card` is null until the payee answered. */
export type NearbyCard = { readonly address: PeerAddress; readonly card: Card | null }

/** To be given to `findOnLan`, and stopped after it. */
export type CardBook = {
  /** @returns false when it pushed another out, that should be heard again */
  hear(announcement: Announcement, host: string): boolean
  /** Those that answered, in the order in which they were found, then those that are asked for the first time. */
  list(): readonly NearbyCard[]
  /** Forgets all. Over when no ask is on its way any more. */
  stop(): Promise<void>
}

/**
 * @param ask as `askCard`; whatever it rejects with is no answer
 * @param onChange the list is another one
 */
export function createCardBook(parts: {
  readonly ask: (address: PeerAddress, signal: AbortSignal) => Promise<Card>
  readonly onChange: () => void
  readonly onOffence?: OnOffence
}): CardBook {
  const { ask, onChange, onOffence } = parts
  const table = createLanTable(onOffence)
  const asks = { proved: new Map<string, Promise<void>>(), unproved: new Map<string, Promise<void>>() } // by host
  /** Asked for the first time, at this moment. */
  const newcomers = new Set<Entry>()
  const stopping = new AbortController()

  const isBusy = (host: string): boolean => asks.proved.has(host) || asks.unproved.has(host)
  const askDue = (kind: keyof typeof asks): void => {
    const { [kind]: running } = asks
    while (running.size < maxAsks[kind] && !stopping.signal.aborted) {
      const next = table.next(kind, isBusy)
      if (next === undefined) return
      const { host } = next.entry
      const done = askNow(next).finally(() => {
        running.delete(host)
        askAllDue()
      })
      running.set(host, done)
    }
  }
  /** Proved ones first: nothing that is announced about their host keeps them waiting. */
  const askAllDue = (): void => {
    askDue('proved')
    askDue('unproved')
  }
  const askNow = async ({ entry, finish }: Ask): Promise<void> => {
    const isNewcomer = entry.card === null && entry.failures === 0
    if (isNewcomer) {
      newcomers.add(entry)
      onChange()
    }
    const slot = pause(askSlotMs, stopping.signal)
    const answer = await ask(entry.address, stopping.signal).catch(() => null)
    newcomers.delete(entry)
    const hasChanged = finish(answer)
    if ((hasChanged || isNewcomer) && !stopping.signal.aborted) onChange()
    await slot
  }
  const tick = setInterval(askAllDue, tickMs)

  return {
    hear: (announcement, host) => stopping.signal.aborted || table.hear(announcement, host),
    list: () => {
      if (stopping.signal.aborted) return []
      const people = new Map<string, NearbyCard>()
      for (const { address, card } of [...table.proved(), ...newcomers]) {
        const { peerId, multiaddrs } = address
        const known = people.get(peerId)
        if (known === undefined) people.set(peerId, { address, card })
        else if (card !== null)
          people.set(peerId, {
            ...known,
            address: { peerId, multiaddrs: [...known.address.multiaddrs, ...multiaddrs] },
          })
      }
      return [...people.values()]
    },
    stop: async () => {
      clearInterval(tick)
      stopping.abort()
      await Promise.all([...asks.proved.values(), ...asks.unproved.values()])
    },
  }
}

/** Over after this many milliseconds, or when `signal` is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
