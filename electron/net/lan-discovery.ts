// Finding each other on a local network, without a server, a default route or the internet. Only who wants to be paid
// announces; anyone may look, and tells by it only that somebody looks.

import { createAllowances } from './allowance.ts'
import { type LanLink, type LanOptions, openLanLinks } from './lan-links.ts'
import { announcementRecords, lanService, maxTtlSeconds, readAnnouncement } from './lan-record.ts'
import { createLanTable, type LanWatcher } from './lan-table.ts'
import type { OnOffence } from './offences.ts'

/** Running until stopped. `stop` is over when the sockets are closed. */
export type LanActivity = { stop(): Promise<void> }

/** No answer to more than one query per link in this time, in milliseconds (RFC 6762 §6). */
const answerIntervalMs = 1_000

/**
 * Announce a payee at once on every link, to everybody who asks, and its leaving at the end. On each link it is
 * announced with this computer's address there; `port` is a TCP port it listens on at all of them.
 */
export function announceOnLan(payee: { peerId: string; port: number }, options?: LanOptions): LanActivity {
  const send = (link: LanLink, ttl: number): Promise<void> =>
    link.respond(announcementRecords({ ...payee, host: link.address }, ttl))

  const pauses = new Map<LanLink, { readonly timer: ReturnType<typeof setTimeout>; asked: boolean }>()
  const answer = (link: LanLink): void => {
    const pause = pauses.get(link)
    if (pause !== undefined) {
      pause.asked = true
      return
    }
    void send(link, maxTtlSeconds)
    const timer = setTimeout(() => {
      const asked = pauses.get(link)?.asked
      pauses.delete(link)
      if (asked === true) answer(link)
    }, answerIntervalMs)
    pauses.set(link, { timer, asked: false })
  }

  const lan = openLanLinks(
    {
      onOpen: answer,
      onQuery: (link, { questions }) => {
        if (questions?.some(({ name }) => name.toLowerCase() === lanService)) answer(link)
      },
    },
    options,
  )
  return {
    stop: async () => {
      for (const { timer } of pauses.values()) clearTimeout(timer)
      await Promise.all(lan.links().map((link) => send(link, 0)))
      await lan.close()
    },
  }
}

/** Announcements of one sender that are read: an honest one answers a question of anybody, once a second at most. */
const announcementRate = { burst: 16, perSecond: 4 }
/** How often the question is asked again, in milliseconds: several times within the life of an answer. */
const queryIntervalMs = 10_000

export type FindOptions = LanOptions & { readonly onOffence?: OnOffence }

/** Look for payees: what is found is a hint for `PeerDialer`, and a name comes with the payee's signed Terms. */
export function findOnLan(watcher: LanWatcher, options: FindOptions = {}): LanActivity {
  const { onOffence = () => undefined } = options
  const table = createLanTable(watcher, onOffence)
  const mayAnnounce = createAllowances(announcementRate)
  const ask = (link: LanLink): void => void link.query(lanService)
  const lan = openLanLinks(
    {
      onOpen: ask,
      onResponse: (_link, packet, sender) => {
        if (!mayAnnounce.take(sender)) {
          onOffence(sender, 'announces too many payees')
          return
        }
        const announcement = readAnnouncement(packet, sender)
        if (announcement !== undefined) table.hear(announcement, sender)
      },
    },
    options,
  )
  const again = setInterval(() => lan.links().forEach(ask), queryIntervalMs)
  return {
    stop: async () => {
      clearInterval(again)
      table.clear()
      await lan.close()
    },
  }
}
