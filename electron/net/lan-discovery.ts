// Finding each other on a local network, without a server, a default route or the internet. Only who wants to be paid
// announces; anyone may look, and tells by it only that somebody looks.

import { createAllowance } from './allowance.ts'
import { type LanLink, type LanOptions, openLanLinks } from './lan-links.ts'
import { type Announcement, announcementRecords, lanService, maxTtlSeconds, readAnnouncement } from './lan-record.ts'

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

/** Announcements that are read, of all senders together: whoever forges an address could use up what is granted to it. */
const announcementRate = { burst: 2_000, perSecond: 2_000 }
/** How often the question is asked again, in milliseconds: several times within the life of an answer. */
const queryIntervalMs = 10_000
/** And while announcements push each other out, so that an honest payee is heard as often as it answers. */
const crowdedIntervalMs = 1_000

export type AnnouncementListener = {
  /** An announcement that `sender` made, or somebody in its name. @returns false when another made room for it */
  hear(announcement: Announcement, sender: string): boolean
}

/** Look for payees: what is heard is a hint, and may be a lie. */
export function findOnLan({ hear }: AnnouncementListener, options: LanOptions = {}): LanActivity {
  const mayBeRead = createAllowance(announcementRate)
  let isCrowded = false
  let askedAt = performance.now()
  const ask = (link: LanLink): void => void link.query(lanService)
  const lan = openLanLinks(
    {
      onOpen: ask,
      onResponse: (_link, packet, sender) => {
        const announcement = mayBeRead.take() ? readAnnouncement(packet, sender) : undefined
        if (announcement !== undefined && !hear(announcement, sender)) isCrowded = true
      },
    },
    options,
  )
  const again = setInterval(() => {
    if (!isCrowded && performance.now() - askedAt < queryIntervalMs) return
    isCrowded = false
    askedAt = performance.now()
    lan.links().forEach(ask)
  }, crowdedIntervalMs)
  return {
    stop: async () => {
      clearInterval(again)
      await lan.close()
    },
  }
}
