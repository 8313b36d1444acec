// The wire between a window and its host. Electron injects one; in a browser it is HTTP.

import type { HostEvent, Reply } from '../shared/ipc.ts'
import { createHttpBridge } from './bridge-http.ts'

export type Bridge = {
  /** Never rejects for an error of the host: that is a reply. It rejects when there is no host. */
  call(name: string, input: unknown): Promise<Reply<unknown>>
  /** @returns a function that ends it */
  onEvent(listener: (event: HostEvent) => void): () => void
  /** Whether the host is there; a host that cannot go away alone does not have this. */
  onConnection?(listener: (connection: Connection) => void): () => void
}

/**
 * `connected`: events arrive from now on, and what was missed needs a snapshot · `lost`: no host answers ·
 * `locked-out`: the host does not know this browser (the link it was opened with has been used or has ended)
 */
export type Connection = 'connecting' | 'connected' | 'lost' | 'locked-out'

declare global {
  interface Window {
    /** Put there by the preload script of the desktop app. */
    readonly farthing?: Bridge
  }
}

export function createBridge(): Bridge {
  return window.farthing ?? createHttpBridge()
}
