// A small HTTP proxy between one wallet and its mint: it forwards byte by byte, writes down what was asked, and lets one
// thing go wrong with the request that a test names. Real sockets on both sides.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  checkStateRequestSchema,
  checkStateResponseSchema,
  mintQuoteRequestSchema,
  restoreRequestSchema,
  signaturesResponseSchema,
} from '../shared/cashu/wire.ts'
import { z } from '../shared/schema.ts'
import { foreignInvoice, type TestMint } from './mint-fixture.ts'

/** What can go wrong between a wallet and its mint, with one request. */
export const networkFaults = [
  /** The mint never sees it. */
  'lost request',
  /** It has its effect; the answer never comes back. */
  'lost answer',
  /** It arrives after everybody has recovered from its loss. */
  'late request',
  /** It arrives twice; the second answer is the one that comes back. */
  'duplicate',
  /** A gateway gives up on it; it arrives after the request that follows it. */
  'reordered',
  /** It has its effect; the answer is that the server is out of order. */
  '5xx after effect',
  /** It has its effect; the answer breaks off in its middle. */
  'half a body',
  /** It has its effect; the answer is JSON of another shape. */
  'wrong JSON',
  /** It has its effect; the answer is one to somebody else. */
  "another wallet's answer",
] as const
export type NetworkFault = (typeof networkFaults)[number]

/** A request as it came, POST or GET. */
export type Asked = { readonly path: string; readonly body: string | null }

/** Which fault this request meets; undefined for none. */
export type Trouble = (asked: Asked) => NetworkFault | undefined

export type FaultProxy = {
  readonly url: string
  /** Asked for every request, in the order in which they come. */
  trouble: Trouble
  /** Requests that reached the proxy, whatever became of them. Whoever reads them may empty it. */
  readonly asked: Asked[]
  /** Money that the mint took from the stranger whose answers it gave. */
  readonly strangersMoney: number
  /** What was held back arrives at the mint now. @returns whether there was anything */
  release(): Promise<boolean>
  close(): void
}

const peace: Trouble = () => undefined

type Answer = { readonly status: number; readonly type: string; readonly body: string }

export async function startFaultProxy(mint: TestMint): Promise<FaultProxy> {
  const late: Asked[] = []
  const overtaken: Asked[] = []
  const stranger = createStranger(mint)

  const forward = async ({ path, body }: Asked): Promise<Answer> => {
    const json = { 'content-type': 'application/json' }
    const response = await fetch(mint.url() + path, body === null ? {} : { method: 'POST', headers: json, body })
    const type = response.headers.get('content-type') ?? ''
    return { status: response.status, type, body: await response.text() }
  }
  const forwardAll = async (held: Asked[]): Promise<boolean> => {
    const requests = held.splice(0)
    for (const asked of requests) await forward(asked)
    return requests.length > 0
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = { path: request.url ?? '', body: request.method === 'POST' ? await readAll(request) : null }
    proxy.asked.push(asked)
    const fault = proxy.trouble(asked)
    const lose = () => request.socket.destroy()
    const say = ({ status, type, body }: Answer) => response.writeHead(status, { 'content-type': type }).end(body)
    if (fault === 'lost request') return void lose()
    if (fault === 'late request') {
      late.push(asked)
      return void lose()
    }
    if (fault === 'reordered') {
      overtaken.push(asked)
      return void say({ status: 504, type: 'text/html', body: '<h1>Gateway Timeout</h1>' })
    }
    const answer = await forward(asked)
    await forwardAll(overtaken)
    switch (fault) {
      case undefined:
        return void say(answer)
      case 'lost answer':
        return void lose()
      case 'duplicate':
        return void say(await forward(asked))
      case '5xx after effect':
        return void say({ ...answer, status: 500, body: '{"detail":"out of order","code":11001}' })
      case 'half a body':
        return sayHalf(answer, response)
      case 'wrong JSON':
        return void say({ ...answer, status: 200, body: '{"signatures":"yes","states":"all","outputs":7}' })
      case "another wallet's answer":
        return void say(await stranger.answerTo(asked, answer))
    }
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy())
  })
  // An idle connection is closed by the wallet, never by the proxy: only what a test names goes wrong.
  server.keepAliveTimeout = 0
  const proxy = {
    url: await listen(server),
    trouble: peace,
    asked: [] as Asked[],
    get strangersMoney() {
      return stranger.money()
    },
    release: async () => {
      const before = await forwardAll(overtaken)
      return (await forwardAll(late)) || before
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return proxy
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function sayHalf({ status, type, body }: Answer, response: ServerResponse): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length })
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy())
}

const withOutputs = z.object({ outputs: z.array(z.object({ amount: z.number() })).min(1) })

/** Somebody else at the same mint: the same questions, other coins. Its answers are real ones. */
function createStranger(mint: TestMint) {
  let money = 0
  const signaturesFor = async (amounts: readonly number[]) => {
    const sum = amounts.reduce((total, amount) => total + amount, 0)
    const { quote } = await mint.paidQuote(sum)
    const outputs = (await mint.outputs(...amounts)).map(({ message }) => message)
    const { body } = await mint.post('/v1/mint/bolt11', { quote, outputs })
    money += sum
    return { outputs, ...signaturesResponseSchema.parse(body) }
  }
  const statesLike = async (body: string) => {
    const { Ys } = checkStateRequestSchema.parse(JSON.parse(body))
    const others = await mint.outputs(...Ys.map(() => 1))
    const answer = await mint.post('/v1/checkstate', { Ys: others.map(({ message }) => message.B_) })
    return checkStateResponseSchema.parse(answer.body)
  }
  /** What the mint says to the stranger's question of this kind; for questions that all ask alike, what it says to all. */
  const answerTo = async ({ path, body }: Asked, own: Answer): Promise<Answer> => {
    const say = (value: unknown): Answer => ({ ...own, status: 200, body: JSON.stringify(value) })
    const text = body ?? ''
    if (path === '/v1/swap' || path === '/v1/mint/bolt11' || path === '/v1/restore') {
      const asked = path === '/v1/restore' ? restoreRequestSchema : withOutputs
      const { outputs } = asked.parse(JSON.parse(text))
      const signed = await signaturesFor(outputs.map(({ amount }) => amount))
      return say(path === '/v1/restore' ? { ...signed, outputs } : { signatures: signed.signatures })
    }
    if (path === '/v1/checkstate') return say(await statesLike(text))
    if (path.startsWith('/v1/mint/quote/')) {
      const amount = body === null ? 8 : mintQuoteRequestSchema.parse(JSON.parse(body)).amount
      return say((await mint.post('/v1/mint/quote/bolt11', { amount, unit: 'sat' })).body)
    }
    if (path.startsWith('/v1/melt/')) {
      const request = await foreignInvoice(8)
      return say((await mint.post('/v1/melt/quote/bolt11', { request, unit: 'sat' })).body)
    }
    return own
  }
  return { answerTo, money: () => money }
}
