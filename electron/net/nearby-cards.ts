// The cards of payees that announce themselves on the local network: each is asked when it is found, and again and again
// while it is there. Announcements are free, so all that strangers can cause here is small and steady.

import { type Card, sameCard } from '../../shared/card.ts'
import type { PeerAddress } from '../wallet/ports.ts'
import type { LanWatcher } from './lan-table.ts'

/** Most payees that are listed and asked; while others wait, one that gives no answer makes room. */
const maxPayees = 64
/** Most that wait, and most hosts whose failures are remembered: what the table of the network holds. */
const maxWaiting = 256
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
  /** Found when there was no room, by peer id. */
  const waiting = new Map<string, PeerAddress>()
  const due = new Set<Payee>()
  const asks = new Map<string, Promise<void>>() // by host
  /** Asks in a row that failed, by host: a flood of invented addresses shall not keep a new one from being asked. */
  const hostFailures = new Map<string, number>()
  const stopping = new AbortController()

  const isHere = (payee: Payee): boolean => payees.get(payee.address.peerId) === payee
  const failuresAt = (address: PeerAddress): number => hostFailures.get(hostOf(address)) ?? 0
  const askSoon = (payee: Payee): void => {
    clearTimeout(payee.pause)
    due.add(payee)
    askDue()
  }
  const askDue = (): void => {
    for (;;) {
      const free = [...due].filter(({ address }) => !asks.has(hostOf(address)))
      const payee = leastOf(free, ({ address }) => failuresAt(address))
      if (asks.size >= maxAsks || !payee) return
      const host = hostOf(payee.address)
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
    noteHost(payee.address, answer !== null)
    const retry = retryMs[payee.failures - 1]
    if (answer !== null || retry === undefined) payee.card = answer
    if (payee.card === null && waiting.size > 0) {
      giveWay(payee)
      return
    }
    clearTimeout(payee.pause)
    payee.pause = setTimeout(() => askSoon(payee), retry ?? refreshMs)
    if (!sameAnswer(before, payee.card)) onChange()
  }
  const forget = (payee: Payee): void => {
    clearTimeout(payee.pause)
    due.delete(payee)
    payees.delete(payee.address.peerId)
  }
  const noteHost = (address: PeerAddress, isGood: boolean): void => {
    const failures = isGood ? 0 : failuresAt(address) + 1
    hostFailures.delete(hostOf(address))
    if (!isGood) hostFailures.set(hostOf(address), failures)
    const [oldest] = hostFailures.keys()
    if (hostFailures.size > maxWaiting && oldest !== undefined) hostFailures.delete(oldest)
  }
  /** Into the list, or to those who wait. */
  const admit = (address: PeerAddress): void => {
    const silent = [...payees.values()].find(({ failures }) => failures > retryMs.length)
    if (payees.size >= maxPayees && silent) forget(silent)
    if (payees.size >= maxPayees) {
      if (waiting.size < maxWaiting) waiting.set(address.peerId, address)
      return
    }
    const payee = { address, card: null, failures: 0, pause: undefined }
    payees.set(address.peerId, payee)
    onChange()
    askSoon(payee)
  }
  const admitNext = (): void => {
    const next = leastOf([...waiting.values()], failuresAt)
    if (!next) return
    waiting.delete(next.peerId)
    admit(next)
  }
  const giveWay = (payee: Payee): void => {
    forget(payee)
    admitNext()
    if (waiting.size < maxWaiting) waiting.set(payee.address.peerId, payee.address)
  }

  return {
    onFound: (address) => {
      if (stopping.signal.aborted) return
      const known = payees.get(address.peerId)
      if (!known) return admit(address)
      known.address = address
      onChange()
      askSoon(known)
    },
    onLost: (peerId) => {
      waiting.delete(peerId)
      const payee = payees.get(peerId)
      if (!payee) return
      forget(payee)
      onChange()
      admitNext()
    },
    list: () => [...payees.values()].map(({ address, card }) => ({ address, card })),
    stop: async () => {
      waiting.clear()
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

/** The first of those with the least. */
function leastOf<T>(items: readonly T[], of: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || of(item) < of(best) ? item : best),
    undefined,
  )
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
