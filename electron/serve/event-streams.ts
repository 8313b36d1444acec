// Events to browsers: server-sent events (WHATWG HTML section 9.2). A page that missed some asks for a snapshot.

import type { ServerResponse } from 'node:http'
import type { Session } from './access.ts'

export type EventStreams = {
  /** Keep this answer open, say `first`, and send events on it. @returns false when there are too many */
  open(response: ServerResponse, session: Session, first: object | undefined): boolean
  send(event: unknown): void
  close(): void
}

export type EventStreamLimits = {
  /** A browser opens six connections to a host (RFC 9112 section 9.4 leaves it to them): one must be left for commands. */
  readonly perSession: number
  readonly total: number
  /** Between signs of life, milliseconds. */
  readonly heartbeatMs: number
  /** What waits for a page that does not read, in bytes, before it is let go. */
  readonly maxWaitingBytes: number
}

export const eventStreamLimits: EventStreamLimits = {
  perSession: 5,
  total: 20,
  heartbeatMs: 15_000,
  maxWaitingBytes: 1024 * 1024,
}

/** How long a browser waits before it asks again, milliseconds. */
const retryMs = 1000

export function createEventStreams(limits: EventStreamLimits): EventStreams {
  const streams = new Map<ServerResponse, Session>()

  const write = (text: string): void => {
    for (const response of streams.keys()) {
      response.write(text)
      if (response.writableLength > limits.maxWaitingBytes) response.destroy()
    }
  }
  const heartbeat = setInterval(() => write(':\n\n'), limits.heartbeatMs)
  heartbeat.unref()

  return {
    open: (response, session, first) => {
      const ofSession = [...streams.values()].filter((other) => other === session).length
      if (streams.size >= limits.total || ofSession >= limits.perSession) return false
      const end = (): void => void response.destroy()
      streams.set(response, session)
      session.ended.addEventListener('abort', end, { once: true })
      response.once('close', () => {
        streams.delete(response)
        session.ended.removeEventListener('abort', end)
      })
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write(`retry: ${retryMs}\n\n`)
      if (first) response.write(dataOf(first))
      return true
    },
    send: (event) => write(dataOf(event)),
    close: () => {
      clearInterval(heartbeat)
      for (const response of streams.keys()) response.end()
    },
  }
}

const dataOf = (event: unknown): string => `data: ${JSON.stringify(event)}\n\n`
