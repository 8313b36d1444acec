// The cards of payees that announce themselves on the local network: each is asked when it is found, and again and again
// while it is there. Announcements are free, so all that strangers can cause here is small and steady.

import { type Card, sameCard } from '../../shared/card.ts'
import type { PeerAddress } from '../wallet/ports.ts'
import type { LanWatcher } from './lan-table.ts'

/** Most payees; when it is full a newcomer takes the place of one that gave no answer, or waits to be found again. */
const maxPayees = 64
/** Asked at a time; and of them never two at one host, so that a silent one holds up nobody but itself. */
const maxAsks = 4
/** An ask takes its place for at least this long, in milliseconds: at most 8 asks in a second, 2 of them at one host. */
const askSlotMs = 500
/** Waits before a failed ask is made again, in milliseconds. When they are used up, the payee is one without a card. */
const retryMs: readonly number[] = [1_000, 2_000, 4_000]
/** How old a card grows, in milliseconds: what a stall asks for changes with every customer. */
const refreshMs = 30_000

/** `card` is null until the payee answered, and again when it no longer does. */
export type NearbyCard = { readonly address: PeerAddress; readonly card: Card | null }

/** To be given to `findOnLan`, and stopped after it. */
export type CardBook = LanWatcher & {
  /** In the order in which they were found. */
  list(): readonly NearbyCard[]
  /** Forgets all. Over when no ask is on its way any more. */
  stop(): Promise<void>
}

type Payee = {
  address: PeerAddress
  card: Card | null
  /** Asks in a row that failed. */
  failures: number
  /** Until the next ask. */
  pause: ReturnType<typeof setTimeout> | undefined
}

/**
 * @param ask as `askCard`; whatever it rejects with is no answer
 * @param onChange the list is another one
 */
export function createCardBook(parts: {
  readonly ask: (address: PeerAddress, signal: AbortSignal) => Promise<Card>
  readonly onChange: () => void
}): CardBook {
  const { ask, onChange } = parts
  const payees = new Map<string, Payee>()
  const due = new Set<Payee>()
  const asks = new Map<string, Promise<void>>() // by host
  const stopping = new AbortController()

  const isHere = (payee: Payee): boolean => payees.get(payee.address.peerId) === payee
  const askSoon = (payee: Payee): void => {
    clearTimeout(payee.pause)
    due.add(payee)
    askDue()
  }
  const askDue = (): void => {
    for (const payee of due) {
      const host = hostOf(payee.address)
      if (asks.size >= maxAsks) return
      if (asks.has(host)) continue
      due.delete(payee)
      asks.set(
        host,
        askNow(payee).finally(() => {
          asks.delete(host)
          askDue()
        }),
      )
    }
  }
  const askNow = async (payee: Payee): Promise<void> => {
    const slot = pause(askSlotMs, stopping.signal)
    const answer = await ask(payee.address, stopping.signal).catch(() => null)
    if (isHere(payee)) take(payee, answer)
    await slot
  }
  const take = (payee: Payee, answer: Card | null): void => {
    const before = payee.card
    payee.failures = answer === null ? payee.failures + 1 : 0
    const retry = retryMs[payee.failures - 1]
    if (answer !== null || retry === undefined) payee.card = answer
    clearTimeout(payee.pause)
    payee.pause = setTimeout(() => askSoon(payee), retry ?? refreshMs)
    if (!sameAnswer(before, payee.card)) onChange()
  }
  const forget = (payee: Payee): void => {
    clearTimeout(payee.pause)
    due.delete(payee)
    payees.delete(payee.address.peerId)
  }
  const hasRoom = (): boolean => {
    if (payees.size < maxPayees) return true
    const silent = [...payees.values()].find(({ failures }) => failures > retryMs.length)
    if (silent) forget(silent)
    return silent !== undefined
  }

  return {
    onFound: (address) => {
      const known = payees.get(address.peerId)
      if (stopping.signal.aborted || (!known && !hasRoom())) return
      const payee = known ?? { address, card: null, failures: 0, pause: undefined }
      payee.address = address
      payees.set(address.peerId, payee)
      onChange()
      askSoon(payee)
    },
    onLost: (peerId) => {
      const payee = payees.get(peerId)
      if (!payee) return
      forget(payee)
      onChange()
    },
    list: () => [...payees.values()].map(({ address, card }) => ({ address, card })),
    stop: async () => {
      for (const payee of [...payees.values()]) forget(payee)
      stopping.abort()
      await Promise.all(asks.values())
    },
  }
}

/** Announcements are `/ip4/<host>/tcp/<port>`, with the announcer's own host first. */
function hostOf({ multiaddrs }: PeerAddress): string {
  return multiaddrs[0]?.split('/')[2] ?? ''
}

function sameAnswer(a: Card | null, b: Card | null): boolean {
  return a === null || b === null ? a === b : sameCard(a, b)
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
