// A mint that does as it pleases, by real HTTP: it stands before an honest one and passes on what it does not change.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Call = {
  readonly method: string
  /** From `/v1` on. */
  readonly path: string
  /** What the wallet sent; null without a body. */
  readonly sent: unknown
  /** What the honest mint answers: asked when this is called. */
  readonly honest: () => Promise<{ readonly status: number; readonly json: unknown }>
}
/** What it does with a call. Whatever is not written to `response` is never answered. */
export type Behaviour = (call: Call, response: ServerResponse, request: IncomingMessage) => unknown

export type HostileMint = {
  readonly url: string
  /** Calls since it last changed its behaviour: method and path. */
  readonly calls: readonly string[]
  be(behaviour: Behaviour): void
  beHonest(): void
  close(): Promise<void>
}

export const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export const passOn: Behaviour = async ({ honest }, response) => {
  const { status, json: body } = await honest()
  json(response, status, body)
}

/** Honest but for these calls, whose honest answer is changed. */
export const changing =
  (path: RegExp, change: (answer: never, call: Call) => unknown): Behaviour =>
  async (call, response, request) => {
    if (!path.test(call.path)) return passOn(call, response, request)
    const { status, json: body } = await call.honest()
    json(response, status, status === 200 ? change(body as never, call) : body)
  }

/** Honest but for these calls. */
export const only =
  (path: RegExp, behaviour: Behaviour): Behaviour =>
  (call, response, request) =>
    (path.test(call.path) ? behaviour : passOn)(call, response, request)

export async function startHostileMint(target: () => string): Promise<HostileMint> {
  let behaviour = passOn
  let calls: string[] = []
  const server: Server = createServer(async (request, response) => {
    const { method = '', url: path = '' } = request
    calls.push(`${method} ${path}`)
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const honest: Call['honest'] = async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(target() + path, { method, headers, ...(text === '' ? {} : { body: text }) })
      return { status: answer.status, json: await answer.json() }
    }
    const call = { method, path, sent: text === '' ? null : JSON.parse(text), honest }
    await behaviour(
      call,
      response.on('error', () => undefined),
      request,
    )
  })
  // What it writes after a wallet has hung up is nobody's failure.
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const be = (next: Behaviour): void => {
    behaviour = next
    calls = []
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get calls() {
      return calls
    },
    be,
    beHonest: () => be(passOn),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
