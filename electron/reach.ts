// How payers reach this computer: the listening node, and being visible on the local network, each only when wanted.

import { type Card, maxCardRequestLength } from '../shared/card.ts'
import { bytesToHex } from '../shared/cashu/numbers.ts'
import type { ErrorCode } from '../shared/errors.ts'
import { decodeBody, decodeFrame, refusalSchema } from '../shared/messages.ts'
import { z } from '../shared/schema.ts'
import { createAbuseLog } from './net/abuse-log.ts'
import { announceOnLan, findOnLan, type LanActivity } from './net/lan-discovery.ts'
import { type CardBook, createCardBook, type NearbyCard } from './net/nearby-cards.ts'
import type { Offence, OnOffence } from './net/offences.ts'
import type { PayeeNode } from './net/peer-node.ts'
import { nameOf, settingsOf } from './settings.ts'
import type { Engine } from './wallet/engine.ts'
import type { Clock, PayeeProtocol, PeerAddress } from './wallet/ports.ts'
import type { WalletStore } from './wallet/store-port.ts'

export type Reach = {
  /** Listen again at the port of last time, if this wallet was ever to be paid. */
  resume(): Promise<void>
  /** Where payers reach this wallet; it listens from now on, at the same port as ever. */
  address(): Promise<PeerAddress>
  /**
   * Be visible on the local network, for an hour, or no more. @param request text of a request to show beside the name
   * @returns whether it is visible now: never when the settings forbid it
   */
  announce(on: boolean, request: string | null): Promise<boolean>
  /** Look for people on the local network, or no more. */
  look(on: boolean): Promise<void>
  /** Neither visible nor looking. */
  hide(): Promise<void>
  /** Somebody who was found: the address, and the key its card shows (66 hex characters), null without a card. */
  found(peerId: string): { readonly address: PeerAddress; readonly payeeKey: string | null } | undefined
  state(): {
    readonly isLooking: boolean
    /** Milliseconds; null when not visible. */
    readonly visibleUntil: number | null
    readonly people: readonly NearbyCard[]
  }
  stop(): Promise<void>
}

export type ReachParts = {
  readonly engine: Engine
  readonly store: WalletStore
  readonly clock: Clock
  readonly peerKeySeed: Uint8Array
  readonly host?: string
  readonly onChange: () => void
  /** A line for the log: who does what is not let pass. */
  readonly log: (line: string) => void
}

const portKey = 'reach/port'
const portSchema = z.number().int().min(1).max(65_535)
/** Being visible ends by itself: a forgotten switch should not tell a café who sits there. */
const visibleMs = 60 * 60_000

/** Loaded when it is needed first: see `dialLater` of wallet-folder. */
const peerNode = () => import('./net/peer-node.ts')

type Search = { readonly book: CardBook; readonly search: LanActivity }
type Visible = { readonly announcement: LanActivity; readonly until: number; readonly timer: NodeJS.Timeout }

/** Refusals that no honest payer has to hear again and again. */
const offenceOfRefusal: Partial<Record<ErrorCode, Offence>> = {
  bad_frame: 'sends what cannot be read',
  frame_too_large: 'sends frames that are too large',
  conflict: 'sends what cannot be read',
  too_many_terms: 'asks for Terms and never pays',
}

/** The same answers; who is refused for what strangers do is told of. */
function watched(payee: PayeeProtocol, onOffence: OnOffence): PayeeProtocol {
  const watch = (address: string, answer: Uint8Array): Uint8Array => {
    const frame = decodeFrame(answer)
    const code = 'refusal' in frame ? decodeBody(refusalSchema, frame.refusal.body).code : undefined
    const offence = code && offenceOfRefusal[code]
    if (offence) onOffence(address, offence)
    return answer
  }
  return {
    onHello: async (frame, from) => watch(from.address, await payee.onHello(frame, from)),
    onHandover: async (frame, from) => watch(from.address, await payee.onHandover(frame, from)),
  }
}

export function createReach({ engine, store, clock, peerKeySeed, host, onChange, log }: ReachParts): Reach {
  const abuse = createAbuseLog(log)
  let node: Promise<PayeeNode> | undefined
  let visible: Visible | undefined
  let shownRequest: string | null = null
  let looking: Search | undefined
  /** How often this wallet was hidden: what was asked for before does not show it again. */
  let hidings = 0

  const card = (): Card | null =>
    visible ? { name: nameOf(store), payeeKey: engine.payeeKey, request: shownRequest } : null
  const lastPort = (): number | undefined => portSchema.safeParse(store.read.meta(portKey)).data
  const listen = async (): Promise<PayeeNode> => {
    const protocol = watched(engine.payee, abuse.note)
    const base = { peerKeySeed, protocol, card, onOffence: abuse.note, ...(host === undefined ? {} : { host }) }
    const port = lastPort()
    const { startPayeeNode } = await peerNode()
    const started = await startPayeeNode({ ...base, ...(port === undefined ? {} : { port }) }).catch(() =>
      // Somebody else took the port: a new one is better than not being reached at all.
      startPayeeNode(base),
    )
    store.transaction((write) => write.setMeta(portKey, started.port))
    return started
  }
  const ensureNode = (): Promise<PayeeNode> => {
    if (node) return node
    const starting = listen()
    node = starting
    // The next one who needs it may find the network better.
    starting.catch(() => {
      if (node === starting) node = undefined
    })
    return starting
  }
  const unannounce = async (): Promise<void> => {
    hidings++
    const before = visible
    visible = undefined
    if (!before) return
    clearTimeout(before.timer)
    await before.announcement.stop()
  }
  const unlook = async (): Promise<void> => {
    const before = looking
    looking = undefined
    await before?.search.stop()
    await before?.book.stop()
  }
  const announce = async (on: boolean, request: string | null): Promise<boolean> => {
    if (!on || !settingsOf(store).lan) {
      await unannounce()
      return false
    }
    const before = hidings
    const { peerId, port } = await ensureNode()
    if (hidings !== before) return false
    // A request too long for a card is left out: better a name without it than none.
    shownRequest = request !== null && request.length <= maxCardRequestLength ? request : null
    clearTimeout(visible?.timer)
    const timer = setTimeout(() => void unannounce().then(onChange, onChange), visibleMs)
    timer.unref()
    const announcement = visible?.announcement ?? announceOnLan({ peerId, port })
    visible = { announcement, until: clock.now() + visibleMs, timer }
    return true
  }
  const look = async (on: boolean): Promise<void> => {
    if (!on || !settingsOf(store).lan) return unlook()
    if (looking) return
    const book = createCardBook({
      ask: async (address, signal) => (await peerNode()).askCard(address, { signal }),
      onChange,
      onOffence: abuse.note,
    })
    looking = { book, search: findOnLan(book) }
  }

  return {
    resume: async () => {
      if (lastPort() !== undefined) await ensureNode()
    },
    address: async () => (await ensureNode()).address(),
    announce,
    look,
    hide: async () => {
      await unannounce()
      await unlook()
    },
    found: (peerId) => {
      const person = looking?.book.list().find(({ address }) => address.peerId === peerId)
      return person && { address: person.address, payeeKey: person.card ? bytesToHex(person.card.payeeKey) : null }
    },
    state: () => ({
      isLooking: looking !== undefined,
      visibleUntil: visible?.until ?? null,
      people: looking?.book.list() ?? [],
    }),
    stop: async () => {
      await unannounce()
      await unlook()
      const listening = await node?.catch(() => undefined)
      await listening?.stop()
      abuse.stop()
    },
  }
}
