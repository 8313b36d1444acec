// Whether whoever answers is still the host that this page came from: see electron/serve/page-key.ts.

import { pageProofText } from '../shared/page-proof.ts'

export type HostProof = {
  /** A new one for each stream. */
  nonce(): string
  /** Whether this is the first event that only the host of this page can say. */
  isProof(nonce: string, text: string): Promise<boolean>
}

const nonceBytes = 16

/** The key came with the page. It is taken out of it: what looks at the page does not need it. */
export function createHostProof(): HostProof {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="farthing-page-key"]')
  const secret = new TextEncoder().encode(meta?.content ?? '')
  meta?.remove()
  return {
    nonce: () => base64Url(crypto.getRandomValues(new Uint8Array(nonceBytes))),
    isProof: async (nonce, text) => {
      if (secret.length === 0) return false
      const said: unknown = JSON.parse(text)
      const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      const proof = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(pageProofText(nonce)))
      return (
        typeof said === 'object' && said !== null && 'proof' in said && said.proof === base64Url(new Uint8Array(proof))
      )
    },
  }
}

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
