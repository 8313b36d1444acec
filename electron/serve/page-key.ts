// How a page knows that it still talks to the host it came from. When the host ends, any program of this computer may take
// its port, and a tab that stays open would show that program's words and send it what a person types. So a page is given a
// key with its session, and believes a stream of events that begins with an HMAC under that key over the page's own nonce.

import { createHmac } from 'node:crypto'
import { pageProofText } from '../../shared/page-proof.ts'
import type { StaticFile } from './static-files.ts'

/** Base64url of 16 bytes. */
const noncePattern = /^[A-Za-z0-9_-]{22}$/

/** The first event of a stream. @param nonce of the page; what is none gets no proof */
export function proofFor(pageKey: string, nonce: string): { readonly proof: string } | undefined {
  if (!noncePattern.test(nonce)) return undefined
  return { proof: createHmac('sha256', pageKey).update(pageProofText(nonce)).digest('base64url') }
}

/** The first page of a session, with its key: it is kept by no cache, and another page cannot read it. */
export function withPageKey(index: StaticFile, pageKey: string): StaticFile {
  const html = index.body
    .toString('utf8')
    .replace('</head>', `<meta name="farthing-page-key" content="${pageKey}" /></head>`)
  return { ...index, body: Buffer.from(html) }
}
