// The /v1 HTTP interface of a mint, as the wallet uses it (NUT-01…09, 23). What a mint says in words is one plain line from
// here on: it reaches screens and logs.

import type { z } from 'zod'
import {
  checkStateResponseSchema,
  errorResponseSchema,
  infoResponseSchema,
  keysResponseSchema,
  knownKeysetsSchema,
  meltQuoteResponseSchema,
  mintQuoteResponseSchema,
  restoreResponseSchema,
  signaturesResponseSchema,
} from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { plainText } from '../../shared/foreign.ts'
import { withoutSecrets } from '../../shared/log-text.ts'
import { readAs } from '../../shared/schema.ts'
import type { Clock, MintAnswer, MintClient, MintClients } from '../wallet/ports.ts'
import { type HttpAnswer, requestJson } from './http-json.ts'

/** Longest wait for one complete answer. A swap of 64 coins takes a mint in Python about a second. */
export const mintTimeoutMs = 10_000
/** Longest wait for a melt: the mint answers when its Lightning payment has succeeded or failed (NUT-05). */
export const meltTimeoutMs = 180_000

/** `clock` is for `Retry-After` dates only. */
export type MintClientsDeps = {
  readonly clock: Pick<Clock, 'now'>
  readonly timeoutMs?: number
  readonly meltTimeoutMs?: number
}

/** @throws AppError `bad_input` (from the function returned) when `url` is not a plain http(s) address */
export function createMintClients(deps: MintClientsDeps): MintClients {
  return (url) => createMintClient(parseMintUrl(url), deps)
}

function createMintClient(base: URL, deps: MintClientsDeps): MintClient {
  const { clock, timeoutMs = mintTimeoutMs } = deps
  const call = async <T>(path: string, schema: z.ZodType<T>, options: CallOptions): Promise<MintAnswer<T>> =>
    interpret(await requestJson({ url: new URL(path, base), timeoutMs, ...options }, clock), schema)

  return {
    info: async (signal) =>
      mapOk(await call('v1/info', infoResponseSchema, { signal }), ({ name, version, ...rest }) => ({
        ...rest,
        ...(name ? { name: plainText(name) } : {}),
        ...(version ? { version: plainText(version) } : {}),
      })),

    keysets: async (signal) =>
      mapOk(await call('v1/keysets', knownKeysetsSchema, { signal }), ({ keysets }) =>
        keysets.map(({ id, unit, active, input_fee_ppk, final_expiry }) => ({
          id,
          unit,
          active,
          feePpk: input_fee_ppk ?? 0,
          finalExpiry: final_expiry ?? null,
        })),
      ),

    keys: async (id, signal) =>
      mapOk(await call(`v1/keys/${encodeURIComponent(id)}`, keysResponseSchema, { signal }), ({ keysets }) =>
        keysets.length === 1 && keysets[0]?.id === id ? keysets[0].keys : undefined,
      ),

    swap: async (body, signal) => mapOk(await call('v1/swap', signaturesResponseSchema, { body, signal }), signatures),

    requestMintQuote: (amount, unit, signal) =>
      call('v1/mint/quote/bolt11', mintQuoteResponseSchema, { body: JSON.stringify({ amount, unit }), signal }),

    mintQuote: async (id, signal) =>
      mapOk(
        await call(`v1/mint/quote/bolt11/${encodeURIComponent(id)}`, mintQuoteResponseSchema, { signal }),
        (answer) => (answer.quote === id ? answer : undefined),
      ),

    issue: async (body, signal) =>
      mapOk(await call('v1/mint/bolt11', signaturesResponseSchema, { body, signal }), signatures),

    requestMeltQuote: (invoice, unit, signal) =>
      call('v1/melt/quote/bolt11', meltQuoteResponseSchema, {
        body: JSON.stringify({ request: invoice, unit }),
        signal,
      }),

    meltQuote: async (id, signal) =>
      mapOk(
        await call(`v1/melt/quote/bolt11/${encodeURIComponent(id)}`, meltQuoteResponseSchema, { signal }),
        (answer) => (answer.quote === id ? answer : undefined),
      ),

    melt: (body, signal) =>
      call('v1/melt/bolt11', meltQuoteResponseSchema, { body, signal, timeoutMs: deps.meltTimeoutMs ?? meltTimeoutMs }),

    checkState: async (Ys, signal) =>
      mapOk(
        await call('v1/checkstate', checkStateResponseSchema, { body: JSON.stringify({ Ys }), signal }),
        ({ states }) =>
          states.length === Ys.length && states.every(({ Y }, index) => Y.toLowerCase() === Ys[index]?.toLowerCase())
            ? states.map(({ state }) => state)
            : undefined,
      ),

    restore: async (outputs, signal) => {
      // Field by field: the wallet's own notes on an output, its blinding factor above all, must not go along.
      const body = JSON.stringify({ outputs: outputs.map(({ amount, id, B_ }) => ({ amount, id, B_ })) })
      return mapOk(await call('v1/restore', restoreResponseSchema, { body, signal }), (answer) =>
        answer.signatures.length <= outputs.length ? answer.signatures : undefined,
      )
    },
  }
}

type CallOptions = { readonly body?: string; readonly signal: AbortSignal | undefined; readonly timeoutMs?: number }

const signatures = <T>(answer: { readonly signatures: T }): T => answer.signatures

/** An answer about something else than was asked (`pick` gives undefined) is no answer. */
function mapOk<A, B>(answer: MintAnswer<A>, pick: (value: A) => B | undefined): MintAnswer<B> {
  if (answer.kind !== 'ok') return answer
  const value = pick(answer.value)
  if (value === undefined) return { kind: 'unknown', reason: 'answer to another question', reachable: true }
  return { kind: 'ok', value }
}

/** 4xx that speak of the moment, not of the request: time-out, too early, too many requests (RFC 9110, 8470, 6585). */
const passing = new Set([408, 425, 429])

/**
 * The rules of `MintAnswer`. A 4xx is a No only with a Cashu error in it: a proxy's 404, or FastAPI's own 422 whose
 * `detail` is a list without `code` (nutshell, when a field does not fit its model), tells nothing about the coins.
 */
function interpret<T>(answer: HttpAnswer, schema: z.ZodType<T>): MintAnswer<T> {
  const wait = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }
  if (answer.kind === 'other') {
    return { kind: 'unknown', reason: answer.reason, reachable: answer.reachable, ...wait }
  }
  const { status, json } = answer
  if (status === 200) {
    const parsed = readAs(schema, json)
    if (parsed.success) return { kind: 'ok', value: parsed.data }
    return { kind: 'unknown', reason: 'status 200, not the shape of an answer', reachable: true, ...wait }
  }
  if (status >= 400 && status < 500 && !passing.has(status)) {
    const error = readAs(errorResponseSchema, json)
    if (error.success) return { kind: 'refused', code: error.data.code, detail: readable(error.data.detail) }
  }
  return { kind: 'unknown', reason: `status ${status}`, reachable: true, ...wait }
}

/** A mint may repeat what it was sent, secrets of coins too, and its words are noted, shown and logged. */
const readable = (detail: string): string => plainText(withoutSecrets(detail))

/** The address with exactly one slash at its end, so that relative paths keep a prefix (`https://host/Bitcoin`). */
function parseMintUrl(url: string): URL {
  const base = URL.parse(url)
  const plain =
    base !== null &&
    (base.protocol === 'https:' || base.protocol === 'http:') &&
    `${base.username}${base.password}${base.search}${base.hash}` === ''
  if (!plain) throw new AppError('bad_input', 'not the address of a mint')
  base.pathname = base.pathname.replace(/(?<!\/)\/*$/, '/')
  return base
}
