// What goes wrong in one run of a play, at one place: a wallet dies at a call of a port, a request to the mint or a frame
// between two wallets meets a fault of the network.

import { encodeCbor } from '../shared/cbor.ts'
import { encodeFrame } from '../shared/messages.ts'
import { type Fate, type FrameKind, type Link, reset, type SeenFrame, type TestWallet } from './engine-fixture.ts'
import type { FaultProxy, NetworkFault } from './fault-proxy.ts'

/** The `n` counts from 1. */
export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'death'; readonly fate: Exclude<ReturnType<Fate>, 'live'>; readonly n: number }
  | {
      readonly kind: 'request'
      readonly fault: NetworkFault
      readonly n: number
      /** Only requests to this path count. */
      readonly path?: string
      /** Whoever asked dies while it waits. */
      readonly dies?: true
    }
  | { readonly kind: 'frame'; readonly fault: NetworkFault; readonly n: number; readonly of?: FrameKind }

/** What a run has shown while it was acted: calls of the victim's ports, its requests, frames between the two. */
export type Seen = {
  readonly calls: readonly string[]
  readonly paths: readonly string[]
  readonly frames: readonly FrameKind[]
  /** Whether the trouble came to pass. */
  readonly hit: boolean
}

export type Disturbed = {
  seen(): Seen
  /** Nothing goes wrong any more. */
  end(): void
  /** Frames that were held back arrive. @returns whether there were any */
  release(): Promise<boolean>
}

type Parts = {
  readonly payer: TestWallet
  readonly victim: TestWallet
  /** Between victim and mint. */
  readonly proxy: FaultProxy
  /** What payees have said to somebody else. */
  readonly strangers: readonly SeenFrame[]
}

export function disturb(trouble: Trouble, { payer, victim, proxy, strangers }: Parts): Disturbed {
  const calls: string[] = []
  const paths: string[] = []
  const frames: FrameKind[] = []
  let hit = false
  victim.fate = (port) => {
    calls.push(port)
    return trouble.kind === 'death' && trouble.n === calls.length ? trouble.fate : 'live'
  }
  proxy.trouble = ({ path }) => {
    const counts = trouble.kind !== 'request' || (trouble.path ?? path) === path
    if (counts) paths.push(path)
    if (!counts || trouble.kind !== 'request' || trouble.n !== paths.length) return undefined
    hit = true
    if (trouble.dies) victim.kill()
    return trouble.fault
  }
  const wire = faultyWire(strangers)
  payer.link = (kind, exchange, frame) => {
    const counts = trouble.kind !== 'frame' || (trouble.of ?? kind) === kind
    if (counts) frames.push(kind)
    const isNow = counts && trouble.kind === 'frame' && trouble.n === frames.length
    if (isNow) hit = true
    return wire.link(isNow ? trouble.fault : undefined)(kind, exchange, frame)
  }
  return {
    seen: () => ({ calls, paths, frames, hit }),
    end: () => {
      if (trouble.kind === 'death') hit = !victim.isAlive
      proxy.trouble = () => undefined
    },
    release: wire.release,
  }
}

/** The stream between two wallets. What is overtaken arrives after the frame that follows it. */
function faultyWire(strangers: readonly SeenFrame[]) {
  type Exchange = () => Promise<Uint8Array>
  const late: Exchange[] = []
  const overtaken: Exchange[] = []
  const bring = async (held: Exchange[]): Promise<boolean> => {
    const frames = held.splice(0)
    // Nobody waits for what is answered now.
    for (const exchange of frames) await exchange().catch(() => undefined)
    return frames.length > 0
  }
  const link =
    (fault: NetworkFault | undefined): Link =>
    async (kind, exchange) => {
      if (fault === 'late request') late.push(exchange)
      if (fault === 'reordered') overtaken.push(exchange)
      if (fault === 'lost request' || fault === 'late request' || fault === 'reordered') throw reset()
      const reply = await exchange()
      await bring(overtaken)
      switch (fault) {
        case undefined:
          return reply
        case 'lost answer':
          throw reset()
        case 'duplicate':
          return exchange()
        case '5xx after effect':
          return encodeFrame({ refusal: { body: reply.slice(0, 64), sig: new Uint8Array(64).fill(1) } })
        case 'half a body':
          return reply.slice(0, reply.length >> 1)
        case 'wrong JSON':
          return encodeCbor({ terms: 7 })
        case "another wallet's answer":
          return strangers.findLast((other) => other.kind === kind)?.reply ?? reply
      }
    }
  const release = async (): Promise<boolean> => {
    const before = await bring(overtaken)
    return (await bring(late)) || before
  }
  return { link, release }
}

/** Where and how, in words. */
export function nameOf(trouble: Trouble, { calls, paths, frames }: Seen): string {
  const place = (what: string, at: readonly string[], n: number) => `${what} ${n} (${at[n - 1] ?? 'not reached'})`
  switch (trouble.kind) {
    case 'none':
      return 'nothing wrong'
    case 'death':
      return `${trouble.fate} ${place('call', calls, trouble.n)}`
    case 'request':
      return `${trouble.fault}${trouble.dies ? ' of the dead' : ''} at ${place('request', paths, trouble.n)}`
    case 'frame':
      return `${trouble.fault} at ${place('frame', frames, trouble.n)}`
  }
}
