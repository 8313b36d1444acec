// The bridge of the browser host: commands are POST api/call/<command>, events are server-sent from api/events.

import type { HostEvent, Reply } from '../shared/ipc.ts'
import type { Bridge, Connection } from './bridge.ts'

/** Longer than the slowest command waits for a mint or a peer. */
const callTimeoutMs = 120_000
const probeTimeoutMs = 5_000
/** The first retry is at once enough not to be seen. */
const retryMs = [250, 1_000, 2_000, 4_000] as const

export function createHttpBridge(): Bridge {
  const onEvents = new Set<(event: HostEvent) => void>()
  const onConnections = new Set<(connection: Connection) => void>()
  const report = (connection: Connection): void => {
    for (const listener of onConnections) listener(connection)
  }

  function listen(failures: number): void {
    const source = new EventSource('api/events', { withCredentials: true })
    let attempt = failures
    source.onopen = () => {
      attempt = 0
      report('connected')
    }
    source.onmessage = ({ data }) => {
      const event: HostEvent = JSON.parse(data)
      for (const listener of onEvents) listener(event)
    }
    source.onerror = () => {
      source.close()
      void retry(attempt)
    }
  }

  /** An EventSource does not say why it failed: a call does. */
  async function retry(failures: number): Promise<void> {
    const host = await probe()
    if (host === 'locked-out') return report(host)
    if (host === 'lost' && failures > 0) report(host)
    setTimeout(() => listen(failures + 1), retryMs[Math.min(failures, retryMs.length - 1)])
  }

  return {
    async call(name, input) {
      const response = await post(name, input, callTimeoutMs)
      if (response.status === 401) report('locked-out')
      const reply: Reply<unknown> = await response.json()
      return reply
    },
    onEvent(listener) {
      if (onEvents.size === 0) listen(0)
      onEvents.add(listener)
      return () => onEvents.delete(listener)
    },
    onConnection(listener) {
      onConnections.add(listener)
      return () => onConnections.delete(listener)
    },
  }
}

async function probe(): Promise<'there' | 'lost' | 'locked-out'> {
  try {
    const response = await post('app.snapshot', {}, probeTimeoutMs)
    return response.status === 401 ? 'locked-out' : 'there'
  } catch {
    return 'lost' // nobody listens, or nobody answers in time
  }
}

function post(name: string, input: unknown, timeoutMs: number): Promise<Response> {
  return fetch(`api/call/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    credentials: 'same-origin',
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(timeoutMs),
  })
}
