// What the host asks the page to show: a screen, or what a link asks for. Kept until the page listens.

import type { HostEvent } from '../../shared/ipc.ts'

type Wish = Extract<HostEvent, { kind: 'open' | 'open-link' }>

export type PageEvents = {
  /** The newest wish is the one a person means; an older one that nobody heard is forgotten. */
  ask(wish: Wish): void
  /** The page that listened is gone. */
  pageLoads(): void
  /** The page shows nothing but a shut gate; it takes a snapshot when that opens. */
  pageIsShut(): void
  /** The page has taken its snapshot, so it listens. */
  pageListens(): void
}

export function createPageEvents(send: (event: HostEvent) => void): PageEvents {
  let isListening = false
  let wish: Wish | undefined
  const deliver = (): void => {
    if (!isListening || !wish) return
    send(wish)
    wish = undefined
  }
  return {
    ask: (newest) => {
      wish = newest
      deliver()
    },
    pageLoads: () => {
      isListening = false
    },
    pageIsShut: () => {
      isListening = false
    },
    pageListens: () => {
      isListening = true
      deliver()
    },
  }
}
