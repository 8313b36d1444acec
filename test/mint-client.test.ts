// The mint client against real HTTP servers that misbehave in every way a mint, a proxy or a hotel network does.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { maxBodyBytes, maxRetryAfterMs } from '../electron/net/http-json.ts'
import { createMintClients } from '../electron/net/mint-client.ts'
import type { MintClient } from '../electron/wallet/ports.ts'

const NOW = Date.UTC(2026, 10, 1)
const ID = '00ad268c4d1f5826'
const OTHER_ID = '009a1f293253e41e'
const Y1 = `02${'11'.repeat(32)}`
const Y2 = `03${'ab'.repeat(32)}`
const KEY = `02${'22'.repeat(32)}`
const signature = { amount: 1, id: ID, C_: `02${'33'.repeat(32)}`, dleq: { e: '01'.repeat(32), s: '02'.repeat(32) } }
const output = { amount: 1, id: ID, B_: `02${'44'.repeat(32)}` }

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
})

/** A client for a server on loopback that answers like this. */
async function mintThat(
  answers: RequestListener,
  options: { path?: string; timeoutMs?: number; meltTimeoutMs?: number } = {},
) {
  const server = createServer(answers)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${options.path ?? ''}`
  return client(url, options.timeoutMs ?? 5_000, options.meltTimeoutMs)
}

function client(url: string, timeoutMs = 5_000, meltTimeoutMs?: number): MintClient {
  const melt = meltTimeoutMs === undefined ? {} : { meltTimeoutMs }
  return createMintClients({ clock: { now: () => NOW }, timeoutMs, ...melt })(url)
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

const unknown = { kind: 'unknown', reachable: true }

describe('a good answer', () => {
  test('a stored swap is sent byte for byte and its signatures come back', async () => {
    const stored = '{ "inputs":[ ],\n "outputs": [], "é": 1.0 }'
    let seen:
      | { method: string | undefined; url: string | undefined; type: string | undefined; body: string }
      | undefined
    const mint = await mintThat(async (request, response) => {
      const { method, url, headers } = request
      seen = { method, url, type: headers['content-type'], body: await bodyOf(request) }
      json({ signatures: [signature] })(request, response)
    })
    expect(await mint.swap(stored)).toEqual({ kind: 'ok', value: [signature] })
    expect(seen).toEqual({ method: 'POST', url: '/v1/swap', type: 'application/json', body: stored })
  })

  test.each([
    ['', '/v1/info'],
    ['/', '/v1/info'],
    ['/Bitcoin', '/Bitcoin/v1/info'],
    ['/Bitcoin//', '/Bitcoin/v1/info'],
  ])('a mint under the path "%s" is asked at %s', async (path, expected) => {
    let asked: string | undefined
    const mint = await mintThat(
      (request, response) => {
        asked = request.url
        json({ name: 'a mint', nuts: {} })(request, response)
      },
      { path },
    )
    expect(await mint.info()).toEqual({ kind: 'ok', value: { name: 'a mint', nuts: {} } })
    expect(asked).toBe(expected)
  })

  test('keysets without fee or expiry are read as free and unlimited', async () => {
    const keysets = [
      { id: ID, unit: 'sat', active: true },
      { id: OTHER_ID, unit: 'sat', active: false, input_fee_ppk: 100, final_expiry: 5 },
    ]
    const mint = await mintThat(json({ keysets }))
    expect(await mint.keysets()).toEqual({
      kind: 'ok',
      value: [
        { id: ID, unit: 'sat', active: true, feePpk: 0, finalExpiry: null },
        { id: OTHER_ID, unit: 'sat', active: false, feePpk: 100, finalExpiry: 5 },
      ],
    })
  })

  test('a quote is asked for, looked at and issued at the addresses of NUT-04', async () => {
    const asked: string[] = []
    const quote = { quote: 'a/b', request: 'lnbc1', amount: 5, unit: 'sat', state: 'UNPAID', expiry: null }
    const mint = await mintThat(async (request, response) => {
      asked.push(`${request.method} ${request.url} ${await bodyOf(request)}`)
      json(request.url === '/v1/mint/bolt11' ? { signatures: [signature] } : quote)(request, response)
    })
    expect(await mint.requestMintQuote(5, 'sat')).toEqual({ kind: 'ok', value: quote })
    expect(await mint.mintQuote('a/b')).toEqual({ kind: 'ok', value: quote })
    expect(await mint.issue('{"x":1}')).toEqual({ kind: 'ok', value: [signature] })
    expect(asked).toEqual([
      'POST /v1/mint/quote/bolt11 {"amount":5,"unit":"sat"}',
      'GET /v1/mint/quote/bolt11/a%2Fb ',
      'POST /v1/mint/bolt11 {"x":1}',
    ])
  })

  test('a quote for money out is asked for, looked at and melted at the addresses of NUT-05', async () => {
    const asked: string[] = []
    const quote = { quote: 'a/b', request: 'lnbc1', amount: 5, unit: 'sat', fee_reserve: 1, state: 'UNPAID', expiry: 7 }
    const paid = { ...quote, state: 'PAID', payment_preimage: 'ab', change: [signature] }
    const mint = await mintThat(async (request, response) => {
      asked.push(`${request.method} ${request.url} ${await bodyOf(request)}`)
      json(request.url === '/v1/melt/bolt11' ? paid : quote)(request, response)
    })
    expect(await mint.requestMeltQuote('lnbc1', 'sat')).toEqual({ kind: 'ok', value: quote })
    expect(await mint.meltQuote('a/b')).toEqual({ kind: 'ok', value: quote })
    expect(await mint.melt('{"x":1}')).toEqual({ kind: 'ok', value: paid })
    expect(asked).toEqual([
      'POST /v1/melt/quote/bolt11 {"request":"lnbc1","unit":"sat"}',
      'GET /v1/melt/quote/bolt11/a%2Fb ',
      'POST /v1/melt/bolt11 {"x":1}',
    ])
  })

  test('states are read in the order of the question, whatever the case of the hex', async () => {
    const states = [
      { Y: Y1, state: 'SPENT' },
      { Y: Y2.toUpperCase(), state: 'UNSPENT' },
    ]
    const mint = await mintThat(json({ states }))
    expect(await mint.checkState([Y1, Y2])).toEqual({ kind: 'ok', value: ['SPENT', 'UNSPENT'] })
  })

  test('a restore returns the signatures, ignores the echoed outputs, and sends no blinding factor along', async () => {
    let sent: unknown
    const mint = await mintThat(async (request, response) => {
      sent = JSON.parse(await bodyOf(request))
      json({ outputs: ['anything'], signatures: [signature] })(request, response)
    })
    const kept = { ...output, r: 'secret' }
    expect(await mint.restore([kept, kept])).toEqual({ kind: 'ok', value: [signature] })
    expect(sent).toEqual({ outputs: [output, output] })
  })
})

test('calls one after another share connections instead of opening one each', async () => {
  const ports = new Set<number | undefined>()
  const mint = await mintThat((request, response) => {
    ports.add(request.socket.remotePort)
    json({ nuts: {} })(request, response)
  })
  for (let call = 0; call < 8; call++) expect(await mint.info()).toMatchObject({ kind: 'ok' })
  // A call can start before the pool has its socket back, hence not always exactly one.
  expect(ports.size).toBeLessThanOrEqual(2)
})

describe('a refusal', () => {
  test.each([400, 403, 404, 422])('status %i with a Cashu error is a No', async (status) => {
    const mint = await mintThat(json({ code: 11001, detail: 'Token already spent' }, status))
    expect(await mint.swap('{}')).toEqual({ kind: 'refused', code: 11001, detail: 'Token already spent' })
  })

  test.each([
    ['the list of a validation error', 422, { detail: [{ loc: ['body'], msg: 'field required' }] }],
    ['a detail without a code', 404, { detail: 'Not Found' }],
    ['a code that is text', 400, { code: '11001', detail: 'x' }],
    ['a Cashu error with status 500', 500, { code: 11001, detail: 'x' }],
    ['a Cashu error with status 408', 408, { code: 11001, detail: 'x' }],
    ['a Cashu error with status 425', 425, { code: 11001, detail: 'x' }],
    ['a Cashu error with status 429', 429, { code: 11001, detail: 'x' }],
    ['a Cashu error with status 200', 200, { code: 11001, detail: 'x' }],
  ])('%s is not a No', async (_name, status, body) => {
    const mint = await mintThat(json(body, status))
    expect(await mint.swap('{}')).toMatchObject(unknown)
  })
})

describe('what is not an answer', () => {
  test.each<[string, RequestListener]>([
    ['a page of HTML', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>log in</p>')],
    ['JSON that says it is HTML', json({ nuts: {} }, 200, { 'content-type': 'text/html' })],
    ['JSON without a type', (_, response) => response.writeHead(200).end('{"nuts":{}}')],
    ['truncated JSON', (_, response) => writeJson(response).end('{"nuts":{')],
    [
      'text that is not UTF-8',
      (_, response) => writeJson(response).end(Buffer.from('7b226e757473223a7b7d2c226e616d65223a22ff227d', 'hex')),
    ],
    ['an empty body', (_, response) => writeJson(response).end()],
    ['another shape', json({ nuts: [] })],
    ['status 201', json({ nuts: {} }, 201)],
    ['a reset in the middle of the body', (_, response) => cutAfter(response, '{"nuts":')],
    ['status 503', json({ nuts: {} }, 503)],
  ])('%s is unknown, from a mint that was reached', async (_name, answers) => {
    const mint = await mintThat(answers)
    expect(await mint.info()).toMatchObject(unknown)
  })

  test('an endless body is dropped at the size limit', async () => {
    let sent = 0
    const gone = Promise.withResolvers<void>()
    const mint = await mintThat((_, response) => {
      response.on('close', gone.resolve)
      writeJson(response)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    expect(await mint.info()).toMatchObject({ ...unknown, reason: 'status 200, body too large' })
    await gone.promise
    expect(sent).toBeLessThan(32 * maxBodyBytes)
  })

  test('a small compressed body that grows past the limit is dropped', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * maxBodyBytes, 0x20))
    const mint = await mintThat((_, response) => writeJson(response, { 'content-encoding': 'gzip' }).end(bomb))
    expect(await mint.info()).toMatchObject({ ...unknown, reason: 'status 200, body too large' })
  })

  test('an answer as large as the limit is read', async () => {
    const text = JSON.stringify({ nuts: {} }).padEnd(maxBodyBytes)
    const mint = await mintThat((_, response) => writeJson(response).end(text))
    expect(await mint.info()).toMatchObject({ kind: 'ok' })
  })

  test('of two million bytes is dropped, whatever the limit is called', async () => {
    const text = JSON.stringify({ nuts: {} }).padEnd(2_000_000)
    const mint = await mintThat((_, response) => writeJson(response).end(text))
    expect(await mint.info()).toMatchObject({ ...unknown, reason: 'status 200, body too large' })
  })

  test('a map of 256 entries is read, and a longer one is dropped', async () => {
    const map = (length: number) => Object.fromEntries(Array.from({ length }, (_, index) => [String(index), 'x']))
    const about = async (nuts: object) => (await mintThat(json({ nuts }))).info()
    expect(await about(map(256))).toMatchObject({ kind: 'ok' })
    expect(await about(map(257))).toMatchObject(unknown)
    const keysOf = async (keys: object) => (await mintThat(json({ keysets: [{ id: ID, unit: 'sat', keys }] }))).keys(ID)
    expect(await keysOf(map(256))).toMatchObject({ kind: 'ok' })
    expect(await keysOf(map(257))).toMatchObject(unknown)
  })

  test('a body that drips does not hold the wallet longer than the time-out', async () => {
    let dripping: ReturnType<typeof setInterval> | undefined
    const mint = await mintThat(
      (_, response) => {
        writeJson(response)
        dripping = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(dripping))
      },
      { timeoutMs: 200 },
    )
    expect(await mint.info()).toEqual({ ...unknown, reason: 'timed out' })
  })

  test('a melt may take longer than anything else, and not for ever', async () => {
    const paid = { quote: 'q', amount: 1, fee_reserve: 0, state: 'PAID' }
    const slow: RequestListener = (request, response) => void setTimeout(() => json(paid)(request, response), 300)
    const patient = await mintThat(slow, { timeoutMs: 100 })
    expect(await patient.melt('{}')).toEqual({ kind: 'ok', value: paid })
    expect(await patient.meltQuote('q')).toMatchObject({ kind: 'unknown', reason: 'timed out' })
    const hasty = await mintThat(slow, { timeoutMs: 5000, meltTimeoutMs: 100 })
    expect(await hasty.melt('{}')).toMatchObject({ kind: 'unknown', reason: 'timed out' })
  })

  test('a server that accepts and says nothing was not reached', async () => {
    const mint = await mintThat(() => undefined, { timeoutMs: 100 })
    expect(await mint.info()).toEqual({ kind: 'unknown', reason: 'timed out', reachable: false })
  })

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed with the coins', async (status) => {
    let calls = 0
    const mint = await mintThat((request, response) => {
      calls++
      json({ signatures: [signature] }, status, { location: '/v1/elsewhere' })(request, response)
    })
    expect(await mint.swap('{}')).toMatchObject(unknown)
    expect(calls).toBe(1)
  })

  test('a closed port was not reached', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    expect(await client(`http://127.0.0.1:${port}`).info()).toEqual({
      kind: 'unknown',
      reason: 'no answer: ECONNREFUSED',
      reachable: false,
    })
  })

  test('a connection that is reset before the answer was not reached', async () => {
    const mint = await mintThat((request) => request.socket.resetAndDestroy())
    expect(await mint.info()).toMatchObject({ kind: 'unknown', reachable: false })
  })
})

describe('an answer to another question', () => {
  const mismatch = { ...unknown, reason: 'answer to another question' }
  const state = (Y: string) => ({ Y, state: 'UNSPENT' })

  test.each([
    ['the coins in another order', [state(Y2), state(Y1)]],
    ['one coin fewer', [state(Y1)]],
    ['one coin more', [state(Y1), state(Y2), state(Y2)]],
    ['one coin twice', [state(Y1), state(Y1)]],
  ])('states of %s are unknown', async (_name, states) => {
    const mint = await mintThat(json({ states }))
    expect(await mint.checkState([Y1, Y2])).toEqual(mismatch)
  })

  test.each([
    ['another keyset', [{ id: OTHER_ID, unit: 'sat', keys: { 1: KEY } }]],
    ['no keyset', []],
    [
      'a second keyset',
      [
        { id: ID, unit: 'sat', keys: { 1: KEY } },
        { id: OTHER_ID, unit: 'sat', keys: { 1: KEY } },
      ],
    ],
  ])('keys of %s are unknown', async (_name, keysets) => {
    const mint = await mintThat(json({ keysets }))
    expect(await mint.keys(ID)).toEqual(mismatch)
  })

  test('keys of the asked keyset are returned', async () => {
    const mint = await mintThat(json({ keysets: [{ id: ID, unit: 'sat', keys: { 1: KEY } }] }))
    expect(await mint.keys(ID)).toEqual({ kind: 'ok', value: { 1: KEY } })
  })

  test('another quote than the one looked at is unknown', async () => {
    const mint = await mintThat(
      json({ quote: 'other', request: 'x', amount: 1, unit: 'sat', state: 'PAID', expiry: 1 }),
    )
    expect(await mint.mintQuote('mine')).toEqual(mismatch)
  })

  test('another quote for money out than the one looked at is unknown', async () => {
    const mint = await mintThat(json({ quote: 'other', amount: 1, fee_reserve: 0, state: 'PAID', expiry: 1 }))
    expect(await mint.meltQuote('mine')).toEqual(mismatch)
  })

  test('more restored signatures than outputs are unknown', async () => {
    const mint = await mintThat(json({ signatures: [signature, signature] }))
    expect(await mint.restore([output])).toEqual(mismatch)
  })
})

describe('waiting', () => {
  test.each([
    ['7', 7_000],
    [new Date(NOW + 30_000).toUTCString(), 30_000],
    [new Date(NOW - 30_000).toUTCString(), 0],
    ['99999999999999', maxRetryAfterMs],
  ])('Retry-After "%s" is a wait of %i ms', async (header, retryAfterMs) => {
    const mint = await mintThat(json({ detail: 'slow down' }, 429, { 'retry-after': header }))
    expect(await mint.info()).toEqual({ ...unknown, reason: 'status 429', retryAfterMs })
  })

  test.each(['later', '-5', '2026-11-02', ' GMT'])(
    'a Retry-After "%s" means nothing and is left out',
    async (header) => {
      const mint = await mintThat((_, response) => response.writeHead(429, { 'retry-after': header }).end('slow down'))
      expect(await mint.info()).toEqual({ ...unknown, reason: 'status 429, not JSON' })
    },
  )

  test('an aborted call rejects, before and during the request', async () => {
    const abort = new AbortController()
    const mint = await mintThat(() => abort.abort(new Error('enough')))
    await expect(mint.info(abort.signal)).rejects.toThrow('enough')
    await expect(mint.info(abort.signal)).rejects.toThrow('enough')
  })
})

test.each(['ftp://mint.example', 'not a url', 'https://me:secret@mint.example', 'https://mint.example/?q', ''])(
  '"%s" is not the address of a mint',
  (url) => {
    expect(() => client(url)).toThrow(expect.objectContaining({ code: 'bad_input' }))
  },
)

function writeJson(response: ServerResponse, headers: Record<string, string> = {}): ServerResponse {
  return response.writeHead(200, { 'content-type': 'application/json', ...headers })
}

function cutAfter(response: ServerResponse, text: string): void {
  writeJson(response, { 'content-length': '1000' }).write(text, () => response.socket?.resetAndDestroy())
}
