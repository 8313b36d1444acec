// What a request must look like to be from a page of ours: right host, right origin, and no other site behind it.

import type { IncomingMessage } from 'node:http'

export type Refusal = { readonly status: 403 | 405 | 421; readonly reason: string }

/** What a request is for; the rules differ. */
export type Purpose =
  /** A person follows a link, from anywhere. */
  | 'navigation'
  /** A page of ours asks for a part, an event or a command. */
  | 'own-page'

/**
 * `Host` must be the address as it was printed (a name that was rebound to 127.0.0.1 is not; nor is `localhost`, which
 * may lead to somebody else's ::1). `Origin` must be ours when there is one, and there for every POST. Fetch metadata
 * (W3C Fetch Metadata Request Headers), when the browser sends them, must say that no other site asked.
 */
export function refuse(request: IncomingMessage, host: string, purpose: Purpose): Refusal | undefined {
  const { method, headersDistinct: headers } = request
  if (!isOnly(headers['host'], host)) return { status: 421, reason: 'This is not the address Farthing is at.' }
  if (method !== 'GET' && method !== 'POST') return { status: 405, reason: 'Farthing does not answer this.' }
  const origin = headers['origin']
  if (origin === undefined ? method === 'POST' : !isOnly(origin, `http://${host}`)) return foreign
  // A browser that guesses where a person goes next must not use up a link.
  if (headers['sec-purpose'] !== undefined || headers['purpose'] !== undefined) return foreign
  if (headers['sec-fetch-site'] === undefined || isOnly(headers['sec-fetch-site'], 'same-origin')) return undefined
  const isVisit = isOnly(headers['sec-fetch-mode'], 'navigate') && isOnly(headers['sec-fetch-dest'], 'document')
  return purpose === 'navigation' && isVisit ? undefined : foreign
}

const foreign: Refusal = { status: 403, reason: 'Another page asked for this. Farthing answers only its own pages.' }

/** Given once, with this value: a header that is there twice is nobody's honest request. */
export function isOnly(values: readonly string[] | undefined, value: string): boolean {
  return values?.length === 1 && values[0] === value
}

/** Every value of a cookie: a page at another port of this computer may have set one of the same name. */
export function cookieValues(request: IncomingMessage, name: string): readonly string[] {
  return (request.headers.cookie ?? '').split(';').flatMap((pair) => {
    const [key, value] = pair.split('=', 2)
    return key?.trim() === name && value !== undefined ? value.trim() : []
  })
}

/** On every answer. The page may load its own parts, talk to this host, and nothing else; nobody may frame or open it. */
export const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  // As frame-ancestors, for browsers that do not know it.
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const
