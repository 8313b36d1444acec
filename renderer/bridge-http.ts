// The bridge of the browser host: commands are POST api/call/<command>, events are server-sent from api/events.
// When the host ends, any program of this computer may take its port. So a stream of events counts from the proof that it
// comes from the host that gave this page out, and nothing is sent while there is no such stream.

import type { HostEvent, Reply } from '../shared/ipc.ts'
import type { Bridge, Connection } from './bridge.ts'
import { createHostProof } from './host-proof.ts'

/** Longer than the slowest command waits for a mint or a peer. */
const callTimeoutMs = 120_000
const probeTimeoutMs = 5_000
/** What is asked while the stream is being opened again waits for it this long. */
const provenWithinMs = 5_000
/** The first retry is at once enough not to be seen. */
const retryMs = [250, 1_000, 2_000, 4_000] as const

export function createHttpBridge(): Bridge {
  const host = createHostProof(takePageKey())
  const onEvents = new Set<(event: HostEvent) => void>()
  const onConnections = new Set<(connection: Connection) => void>()
  let proven = Promise.withResolvers<void>()
  const report = (connection: Connection): void => {
    for (const listener of onConnections) listener(connection)
  }

  function listen(failures: number): void {
    const nonce = host.nonce()
    const source = new EventSource(`api/events?${nonce}`, { withCredentials: true })
    let attempt = failures
    let isProven = false
    /** One after the other: what comes while the proof is being looked at waits. */
    let heard = Promise.resolve()
    const hear = async (text: string): Promise<void> => {
      if (source.readyState === EventSource.CLOSED) return
      if (isProven) {
        const event: HostEvent = JSON.parse(text)
        for (const listener of onEvents) listener(event)
        return
      }
      if (!(await host.isProof(nonce, text))) return giveUp()
      isProven = true
      attempt = 0
      proven.resolve()
      report('connected')
    }
    /** Somebody else answers at this address: for good. */
    const giveUp = (): void => {
      source.close()
      report('locked-out')
    }
    source.onmessage = ({ data }) => {
      heard = heard.then(() => hear(String(data))).catch(reportError)
    }
    source.onerror = () => {
      source.close()
      if (isProven) proven = Promise.withResolvers<void>()
      isProven = false
      void retry(attempt)
    }
  }

  /** An EventSource does not say why it failed: a call does, and it tells nothing to whoever answers. */
  async function retry(failures: number): Promise<void> {
    const found = await probe()
    if (found === 'locked-out') return report(found)
    if (found === 'lost' && failures > 0) report(found)
    setTimeout(() => listen(failures + 1), retryMs[Math.min(failures, retryMs.length - 1)])
  }

  return {
    async call(name, input) {
      await within(proven.promise, provenWithinMs)
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

async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('the host does not answer')), timeoutMs)
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
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

/** Out of the page: what looks at it does not need the key. */
function takePageKey(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="farthing-page-key"]')
  meta?.remove()
  return meta?.content ?? ''
}
