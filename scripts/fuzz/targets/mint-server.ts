// What a mint is sent: bodies of every route by real HTTP, and raw bytes to its port. Whatever comes, it answers with a
// refusal of its own or of HTTP, and goes on.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { maxBodyBytes } from '../../../mint/server.ts'
import { type RunningMint, startMintServer, systemRandom } from '../../../mint/start.ts'
import { blind, pointFromHex, pointToHex, unblind } from '../../../shared/cashu/bdhke.ts'
import { keyOf } from '../../../shared/cashu/keyset.ts'
import { bytesToHex } from '../../../shared/cashu/numbers.ts'
import {
  errorResponseSchema,
  keysResponseSchema,
  mintQuoteResponseSchema,
  signaturesResponseSchema,
} from '../../../shared/cashu/wire.ts'
import { hold, type OpenTarget, type Target } from '../target.ts'
import { bytesOf } from '../text.ts'
import { json } from './structures.ts'
import { exchange, statusesIn } from './tcp.ts'

/** Long enough for a busy machine, short enough for requests that never end. */
const requestTimeoutMs = 2_000
const coinsToSpend = 24
/** What a mint may answer: all of it in the form of the NUTs. */
const statuses = [200, 400, 404, 413, 414, 415]

type Started = {
  readonly mint: RunningMint
  readonly failures: unknown[]
  readonly port: number
  stop(): Promise<void>
}

async function start(): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
  const failures: unknown[] = []
  const mint = await startMintServer({
    dataFolder: join(folder, 'mint'),
    practiceDelayMs: 0,
    requestTimeoutMs,
    report: (error) => failures.push(error),
    log: () => {},
    quotesPerMinute: Number.POSITIVE_INFINITY,
    meltQuotesPerMinute: Number.POSITIVE_INFINITY,
  })
  return {
    mint,
    failures,
    port: Number(new URL(mint.url).port),
    stop: async () => {
      await mint.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** @throws the mint's own failure, when there was one */
function holdWell(failures: unknown[]): void {
  for (const failure of failures.splice(0)) throw failure
}

const body = (value: unknown): string => JSON.stringify(value)

async function ask(url: string, path: string, content?: string): Promise<{ status: number; json: unknown }> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: content ?? '' }
  const response = await fetch(url + path, content === undefined ? {} : init)
  return { status: response.status, json: await response.json() }
}

/** Coins of this mint, a quote that is paid, and what is asked with them: one input each. */
async function goodRequests(url: string): Promise<readonly Uint8Array[]> {
  const { keysets } = keysResponseSchema.parse((await ask(url, '/v1/keys')).json)
  const [keyset] = keysets
  if (!keyset) throw new Error('a mint without a keyset')
  const { id } = keyset
  const output = () => {
    const secret = bytesToHex(systemRandom.bytes(32))
    return { secret, r: 7n, message: { amount: 1, id, B_: pointToHex(blind(secret, 7n)) } }
  }
  const quoted = async (amount: number): Promise<string> => {
    const { quote } = mintQuoteResponseSchema.parse(
      (await ask(url, '/v1/mint/quote/bolt11', body({ amount, unit: 'sat' }))).json,
    )
    await ask(url, `/v1/mint/quote/bolt11/${quote}`)
    return quote
  }
  const outputs = Array.from({ length: coinsToSpend }, output)
  const issue = { quote: await quoted(coinsToSpend), outputs: outputs.map(({ message }) => message) }
  const { signatures } = signaturesResponseSchema.parse((await ask(url, '/v1/mint/bolt11', body(issue))).json)
  const K = keyOf(keyset, 1)
  const coins = signatures.flatMap(({ C_ }, index) => {
    const made = outputs[index]
    return made && K
      ? [{ amount: 1, id, secret: made.secret, C: pointToHex(unblind(pointFromHex(C_), made.r, K)) }]
      : []
  })
  const swaps = coins.map((coin) => ['/v1/swap', { inputs: [coin], outputs: [output().message] }] as const)
  const invoice = mintQuoteResponseSchema.parse(
    (await ask(url, '/v1/mint/quote/bolt11', body({ amount: 1, unit: 'sat' }))).json,
  )
  const others = [
    ['/v1/mint/bolt11', { quote: await quoted(1), outputs: [output().message] }],
    ['/v1/mint/quote/bolt11', { amount: 4, unit: 'sat', description: 'x' }],
    ['/v1/melt/quote/bolt11', { request: invoice.request, unit: 'sat', options: {} }],
    ['/v1/melt/bolt11', { quote: 'f2c1', inputs: coins.slice(0, 1), outputs: [], prefer_async: false }],
    ['/v1/checkstate', { Ys: [issue.outputs[0]?.B_, issue.outputs[1]?.B_] }],
    ['/v1/restore', { outputs: issue.outputs.slice(0, 3) }],
  ] as const
  return [...swaps, ...others, longest].map(([path, value]) => bytesOf(`${path} ${body(value)}`))
}

/** As many inputs as a body has room for, none of which is one. */
const longest = [
  '/v1/swap',
  { inputs: new Array<object>(Math.floor(maxBodyBytes / 3) - 16).fill({}), outputs: [] },
] as const

/** Path, one space, body. */
export const mintRequest: Target = {
  form: 'text',
  maxBytes: 600_000,
  codes: [],
  words: [
    '"amount"',
    '"id"',
    '"secret"',
    '"witness"',
    '"dleq"',
    '"C"',
    '/v1/swap ',
    '/v1/melt/bolt11 ',
    '{"signatures":[]}',
  ],
  structure: {
    read: (input) => {
      const [path = '', ...rest] = Buffer.from(input).toString('utf8').split(' ')
      return { path, body: json.read(Buffer.from(rest.join(' '))) }
    },
    write: (value) => {
      const { path, body: inside } = Object(value)
      return Buffer.concat([Buffer.from(`${String(path)} `), json.write(inside)])
    },
  },
  open: async (): Promise<OpenTarget> => {
    const { mint, failures, stop } = await start()
    return {
      seeds: await goodRequests(mint.url),
      run: async (input) => {
        const bytes = Buffer.from(input)
        const space = bytes.indexOf(' ')
        const path = bytes.subarray(0, Math.max(0, space)).toString('latin1')
        if (!/^\/[\w/-]*$/.test(path)) return
        const response = await fetch(mint.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: bytes.subarray(space + 1),
        })
        const answer: unknown = await response.json()
        holdWell(failures)
        hold(statuses.includes(response.status), `status ${response.status}`)
        if (response.status !== 200) errorResponseSchema.strict().parse(answer)
      },
      close: stop,
    }
  },
}

const request = (method: string, path: string, head: string, content = ''): Uint8Array =>
  bytesOf(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n${content}`)
const swap = '{"inputs":[],"outputs":[]}'
const jsonHead = 'content-type: application/json'

/** Bytes on a connection. */
export const mintHttp: Target = {
  form: 'bytes',
  maxBytes: 80_000,
  codes: [],
  words: [
    ...[
      'GET ',
      'POST ',
      'HEAD ',
      'OPTIONS ',
      'TRACE ',
      'CONNECT ',
      'PUT ',
      ' HTTP/1.1\r\n',
      ' HTTP/1.0\r\n',
      ' HTTP/2.0',
    ],
    ...['content-length: ', 'transfer-encoding: chunked\r\n', 'expect: 100-continue\r\n', 'connection: close\r\n'],
    ...['upgrade: h2c\r\n', 'content-type: text/plain\r\n', '0\r\n\r\n', '/v1/keys/', '/v1/info', '%', '?a=b', '\r\n'],
  ],
  seeds: [
    request('GET', '/v1/info', 'connection: close'),
    request('GET', '/v1/keys/00ffffffffffffff', 'accept: */*'),
    request('POST', '/v1/swap', `${jsonHead}\r\ncontent-length: ${swap.length}`, swap),
    request(
      'POST',
      '/v1/swap',
      `${jsonHead}\r\ntransfer-encoding: chunked`,
      `${swap.length.toString(16)}\r\n${swap}\r\n0\r\n\r\n`,
    ),
    request('OPTIONS', '*', 'origin: http://evil.example'),
    request('HEAD', '/v1/keysets', 'expect: 100-continue'),
  ],
  open: async () => {
    const { mint, failures, port, stop } = await start()
    return {
      run: async (input) => {
        const answers = await exchange(port, input)
        holdWell(failures)
        for (const status of statusesIn(answers)) hold(status < 500, `status ${status}`)
        const { status } = await fetch(`${mint.url}/v1/keysets`).then((response) =>
          response.arrayBuffer().then(() => response),
        )
        hold(status === 200, 'the mint does not answer any more')
      },
      close: stop,
    }
  },
}
