// What claims to have a length and is neither text nor list: zod asks for it before it knows better. Nobody's input makes
// an edge of the program throw anything but its own refusal.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createMintClients } from '../electron/net/mint-client.ts'
import { createRouter } from '../electron/router.ts'
import { parseSecret } from '../shared/cashu/p2pk.ts'
import { encodeCbor } from '../shared/cbor.ts'
import { AppError } from '../shared/errors.ts'
import type { Handlers } from '../shared/ipc.ts'
import { decodeBody, helloSchema, termsSchema } from '../shared/messages.ts'
import { readAs, z } from '../shared/schema.ts'
import { codeOf, openMint } from './mint-fixture.ts'

/** `length <= 8` throws: it can be made neither a number nor a text. */
const odd = { length: { toString: 0, valueOf: 0 } }

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

describe('something with a length that is none', () => {
  test.each<z.ZodType<unknown>>([
    z.string().max(8),
    z.string().min(1),
    z.array(z.string()).max(8),
    z.array(z.string()).length(3),
  ])('does not fit a text or a list', (schema) => {
    const { success, error } = readAs(schema, odd)
    expect(success).toBe(false)
    expect(error?.issues).toHaveLength(1)
    expect(readAs(z.object({ a: schema }), { a: odd }).success).toBe(false)
  })

  test('an error of ours passes', () => {
    const schema = z.string().transform(() => {
      throw new AppError('mint_lies', 'words')
    })
    expect(() => readAs(schema, 'x')).toThrow(expect.objectContaining({ code: 'mint_lies' }))
  })

  test('in a frame of a peer is a bad frame', () => {
    const code = expect.objectContaining({ name: 'AppError', code: 'bad_frame' })
    const hello = encodeCbor({ v: 1, mint: { url: odd, keysetIds: odd }, requestId: odd })
    expect(() => decodeBody(helloSchema, hello)).toThrow(code)
    expect(() => decodeBody(termsSchema, encodeCbor({ keysetIds: odd, outputs: odd }))).toThrow(code)
  })

  test('in an answer of a mint is no answer', async () => {
    const server = createServer((_, response) => {
      const states = JSON.stringify({ states: odd, signatures: odd, keysets: odd, quote: odd, detail: odd, code: 1 })
      response.writeHead(200, { 'content-type': 'application/json' }).end(states)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createMintClients({ clock: { now: () => 0 } })(url)
    for (const answer of [client.swap('{}'), client.keysets(), client.mintQuote('x'), client.checkState([])]) {
      expect(await answer).toMatchObject({ kind: 'unknown', reachable: true })
    }
  })

  test('in a list of keysets spoils only itself', async () => {
    const server = createServer((_, response) => {
      const keysets = [
        { id: '00'.repeat(8), unit: 'sat', active: true },
        { id: odd, unit: odd },
      ]
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keysets }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const answer = await createMintClients({ clock: { now: () => 0 } })(url).keysets()
    expect(answer).toMatchObject({ kind: 'ok', value: [{ unit: 'sat' }] })
  })

  test('at the mint is refused, and nothing fails', async () => {
    const mint = await openMint()
    expect(codeOf(await mint.post('/v1/swap', { inputs: odd, outputs: odd }))).toBe(0)
    expect(codeOf(await mint.post('/v1/checkstate', { Ys: odd }))).toBe(0)
    expect(codeOf(await mint.post('/v1/melt/quote/bolt11', { request: odd, unit: 'sat' }))).toBe(0)
  })

  test('in a command is bad input, and no defect is reported', async () => {
    const reports: unknown[] = []
    const route = createRouter({} as Handlers, (error) => reports.push(error))
    const answer = await route('request.read', { text: odd })
    expect(answer).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    expect(reports).toEqual([])
  })

  test('in a secret is a condition that nobody fulfils', () => {
    const secret = JSON.stringify(['P2PK', { nonce: odd, data: odd, tags: [odd] }])
    expect(parseSecret(secret)).toMatchObject({ kind: 'unsupported' })
  })
})
