// One HTTP request for JSON with a deadline and a size limit. Whatever the other side does becomes a value, never a throw.

import type { Clock } from '../wallet/ports.ts'

/** Largest body read, in bytes after decompression. A mint's largest honest answer, 200 restored coins, has 120 kB. */
export const maxBodyBytes = 1024 * 1024
/** Longest wait a server can ask for with `Retry-After` (RFC 9110 §10.2.3), in milliseconds. */
export const maxRetryAfterMs = 3_600_000

export type HttpRequest = {
  readonly url: URL
  /** Sent by POST as JSON, byte for byte; absent = GET. */
  readonly body?: string
  /** From the first byte sent to the last byte received. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * `json`: the server answered with this status and a JSON body.
 * `other`: anything else. `reachable` tells whether a status line came back; `reason` holds nothing of either body.
 */
export type HttpAnswer = { readonly retryAfterMs?: number } & (
  | { readonly kind: 'json'; readonly status: number; readonly json: unknown }
  | { readonly kind: 'other'; readonly reason: string; readonly reachable: boolean }
)

/** Rejects only when `signal` is aborted, with its reason. */
export async function requestJson(request: HttpRequest, clock: Pick<Clock, 'now'>): Promise<HttpAnswer> {
  const { signal } = request
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = (): void => stop.abort()
  const timer = setTimeout(abort, request.timeoutMs)
  signal?.addEventListener('abort', abort)
  let reachable = false
  try {
    const response = await send(request, stop.signal)
    reachable = true
    return await readAnswer(response, clock)
  } catch (thrown) {
    signal?.throwIfAborted()
    return { kind: 'other', reason: stop.signal.aborted ? 'timed out' : networkFailure(thrown), reachable }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

function send(request: HttpRequest, signal: AbortSignal): Promise<Response> {
  const accept = { accept: 'application/json' }
  // A redirect is not followed: the coins in a body are for this mint only.
  const common: RequestInit = { redirect: 'manual', signal }
  if (request.body === undefined) return fetch(request.url, { ...common, headers: accept })
  const headers = { ...accept, 'content-type': 'application/json' }
  return fetch(request.url, { ...common, method: 'POST', headers, body: request.body })
}

async function readAnswer(response: Response, clock: Pick<Clock, 'now'>): Promise<HttpAnswer> {
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock.now())
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  const other = (reason: string): HttpAnswer => ({ kind: 'other', reason, reachable: true, ...wait })
  const { status } = response
  if (!isJson(response.headers.get('content-type'))) {
    await response.body?.cancel()
    return other(`status ${status}, not JSON`)
  }
  const bytes = await readBody(response)
  if (bytes === undefined) return other(`status ${status}, body too large`)
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return { kind: 'json', status, json, ...wait }
  } catch {
    return other(`status ${status}, damaged JSON`)
  }
}

/** `application/json` or a `+json` type (RFC 6839), with or without parameters. */
function isJson(contentType: string | null): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType ?? '')
}

/** Undefined when the body is larger than `maxBodyBytes`: leaving the loop cancels the rest of it. */
async function readBody(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.byteLength
    if (length > maxBodyBytes) return undefined
  }
  return Buffer.concat(chunks, length)
}

/** Milliseconds from now, 0 … `maxRetryAfterMs`; undefined when absent or neither seconds nor a date. */
function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  // Date.parse takes nearly any text for a date: only the form of RFC 9110 §5.6.7 is tried.
  const dateMs = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : dateMs - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs)
}

/** The system's own code (`ECONNREFUSED`, `UND_ERR_SOCKET` …): no address and no content. */
function networkFailure(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? `no answer: ${code}` : 'no answer'
}
