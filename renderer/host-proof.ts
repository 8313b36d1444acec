// Whether whoever answers is still the host that this page came from: see electron/serve/page-key.ts.

import { pageProofText } from '../shared/page-proof.ts'

export type HostProof = {
  /** A new one for each stream. */
  nonce(): string
  /** Whether this is the first event that only the host of this page can say. */
  isProof(nonce: string, text: string): Promise<boolean>
}

const nonceBytes = 16

/** @param pageKey that came with the page; empty when none did, and then nobody is the host */
export function createHostProof(pageKey: string): HostProof {
  const secret = new TextEncoder().encode(pageKey)
  return {
    nonce: () => base64Url(crypto.getRandomValues(new Uint8Array(nonceBytes))),
    isProof: async (nonce, text) => {
      if (secret.length === 0) return false
      const said: unknown = JSON.parse(text)
      if (typeof said !== 'object' || said === null || !('proof' in said) || typeof said.proof !== 'string')
        return false
      const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
      // It compares in constant time (W3C Web Cryptography API, HMAC, verify).
      return crypto.subtle.verify('HMAC', key, bytesOf(said.proof), new TextEncoder().encode(pageProofText(nonce)))
    },
  }
}

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** What is no base64url stands for nothing. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/')
  return /^[A-Za-z0-9+/]*$/.test(base64) && base64.length % 4 !== 1
    ? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    : new Uint8Array()
}
