// Who may come in: links that open the app once, and the sessions they start. Tokens of 256 bits; only their digests are
// kept, in memory, and compared in constant time.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A browser that came in by a link. */
export type Session = {
  /** Aborted when the session ends before the host does. */
  readonly ended: AbortSignal
  /** Told to its page: whoever answers the page later shows by it that it is this host still. */
  readonly pageKey: string
}

export type Entry =
  | { readonly kind: 'in'; readonly token: string }
  /** Used before: whoever came in by it is out again, for two people had it (RFC 6749 section 4.1.2 does the same). */
  | { readonly kind: 'again' }
  /** Never given out, or too old. */
  | { readonly kind: 'unknown' }

export type Access = {
  /** A token for a new link. It works once, for `linkLifetimeMs`. */
  newLink(): string
  /** Use a link. @returns a session's token, to be shown again at every request */
  enter(linkToken: string): Entry
  /** The session that one of these tokens belongs to. */
  session(tokens: readonly string[]): Session | undefined
}

export const linkLifetimeMs = 5 * 60_000
/** Links that wait, and browsers that are in, at a time: the oldest makes room. One that was used is known as long as its browser. */
const maxLinks = 8
const maxSessions = 8
const tokenBytes = 32

type OpenSession = Session & { readonly digest: Buffer; readonly end: () => void }
type Link = { readonly digest: Buffer; readonly expiresAt: number; usedBy: OpenSession | undefined }

/** @param now milliseconds */
export function createAccess(now: () => number): Access {
  let links: readonly Link[] = []
  let sessions: readonly OpenSession[] = []

  const startSession = (token: string): OpenSession => {
    const controller = new AbortController()
    const end = (): void => controller.abort()
    const session = { digest: digestOf(token), ended: controller.signal, pageKey: newToken(), end }
    sessions = [...sessions, session]
    while (sessions.length > maxSessions) endSession(sessions[0])
    return session
  }
  const endSession = (session: OpenSession | undefined): void => {
    sessions = sessions.filter((other) => other !== session)
    session?.end()
  }
  /** Whoever came in by it is in. */
  const opensOne = ({ usedBy }: Link): boolean => usedBy !== undefined && sessions.includes(usedBy)
  return {
    newLink: () => {
      const token = newToken()
      const link = { digest: digestOf(token), expiresAt: now() + linkLifetimeMs, usedBy: undefined }
      links = [...links.filter(opensOne), ...[...links.filter((one) => !opensOne(one)), link].slice(-maxLinks)]
      return token
    },
    enter: (linkToken) => {
      links = links.filter((one) => opensOne(one) || now() < one.expiresAt)
      const link = find(links, linkToken)
      if (!link) return { kind: 'unknown' }
      if (link.usedBy) {
        endSession(link.usedBy)
        return { kind: 'again' }
      }
      const token = newToken()
      link.usedBy = startSession(token)
      return { kind: 'in', token }
    },
    session: (tokens) => tokens.map((token) => find(sessions, token)).find((session) => session !== undefined),
  }
}

function newToken(): string {
  return randomBytes(tokenBytes).toString('base64url')
}

/** All are compared, of whatever form the token is. */
function find<T extends { readonly digest: Buffer }>(known: readonly T[], token: string): T | undefined {
  const digest = digestOf(token)
  return known.filter((one) => timingSafeEqual(one.digest, digest))[0]
}

/** Whether somebody knows a secret. Digests are compared: neither its length nor how much of it is right shows in the time. */
export function isSecret(secret: string, given: string): boolean {
  return timingSafeEqual(digestOf(secret), digestOf(given))
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
