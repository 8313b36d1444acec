// The mint's port attacked as any HTTP server is: slowly, endlessly, by many at once, and with requests inside requests.
// Whoever is honest is answered meanwhile, and nothing of it is a failure of the mint.

import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { maxBodyBytes } from '../mint/server.ts'
import { errorResponseSchema } from '../shared/cashu/wire.ts'
import { type Answer, codeOf, fundingWithReserve, openMint, type TestMint } from './mint-fixture.ts'

const portOf = (mint: TestMint): number => Number(new URL(mint.url()).port)

function open(mint: TestMint, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: portOf(mint), host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  // One too many may be hung up on before it is in.
  return new Promise((resolve) => {
    for (const event of ['connect', 'close']) socket.once(event, () => resolve(socket))
  })
}

/** So many, a few at a time: the system's own queue of those who knock is short, and forgets who is silent. */
async function openMany(mint: TestMint, count: number, address?: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(50, count - sockets.length) }, () => open(mint, address))
    sockets.push(...(await Promise.all(some)))
    await isWell(mint).catch(() => {}) // whoever knocked before was let in by then, or was not
  }
  return sockets
}

const isClosed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)))

/** Sends it and listens until the mint hangs up. */
async function say(mint: TestMint, text: string, socket?: Socket): Promise<string> {
  const line = socket ?? (await open(mint))
  let answer = ''
  line.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
  })
  line.write(text)
  await isClosed(line)
  return answer
}

const head = (method: string, path: string, ...lines: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'host: mint', ...lines, '', ''].join('\r\n')
const json = 'content-type: application/json'
const statuses = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code))
const isWell = async (mint: TestMint): Promise<void> => {
  expect((await mint.get('/v1/keysets')).status).toBe(200)
}

describe('slow ones', () => {
  test('by the hundred hold up nobody, and are hung up on', async () => {
    const mint = await openMint({ requestTimeoutMs: 700 })
    const halves = [
      'POST /v1/swap HT',
      'GET /v1/info HTTP/1.1\r\nhost: mint\r\nx-a: ',
      `${head('POST', '/v1/swap', json, 'content-length: 100')}{"inputs":`,
      `${head('POST', '/v1/swap', json, 'transfer-encoding: chunked')}5\r\n{"in`,
      '',
    ]
    const sockets = await openMany(mint, 300)
    for (const [index, socket] of sockets.entries()) socket.resume().write(halves[index % halves.length]!)
    await isWell(mint)
    // One byte now and then does not help.
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x')
    }, 100)
    await Promise.all(sockets.filter((_, index) => index % halves.length !== 4).map(isClosed))
    clearInterval(drip)
    await isWell(mint)
    for (const socket of sockets) socket.destroy()
  })

  test('who do not take their answer keep no others from theirs', async () => {
    const mint = await openMint()
    const sockets = await openMany(mint, 20)
    for (const socket of sockets) socket.pause().write(head('GET', '/v1/keys').repeat(400))
    await isWell(mint)
    for (const socket of sockets) socket.destroy()
    await isWell(mint)
  })
})

describe('endless ones', () => {
  test('are refused by their first line, or when it is too much', async () => {
    const mint = await openMint()
    const announced = await say(mint, `${head('POST', '/v1/swap', json, 'content-length: 1000000000000')}{`)
    expect(statuses(announced)).toEqual([413])
    const socket = await open(mint)
    socket.write(head('POST', '/v1/swap', json, 'transfer-encoding: chunked'))
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    let sent = 0
    const writing = setInterval(() => {
      if (socket.writable && socket.write(chunk)) sent += 0x8000
    }, 1)
    const answer = await say(mint, '', socket)
    clearInterval(writing)
    // The connection may be gone before its answer is read.
    expect(answer === '' || statuses(answer)[0] === 413).toBe(true)
    expect(sent).toBeLessThan(20 * maxBodyBytes)
    await isWell(mint)
  })

  test('headers, addresses and cookies are refused', async () => {
    const mint = await openMint()
    expect(statuses(await say(mint, head('GET', '/v1/info', `x-a: ${'x'.repeat(40_000)}`)))).toEqual([431])
    expect(statuses(await say(mint, head('GET', `/v1/keys/${'0'.repeat(40_000)}`)))).toEqual([431])
    expect(
      statuses(await say(mint, head('GET', `/v1/keys/${'0'.repeat(2_000)}`, 'connection: close')))[0],
    ).toBeGreaterThanOrEqual(400)
    await isWell(mint)
  })
})

describe('requests in requests', () => {
  const evil = head('GET', '/v1/mint/quote/bolt11/smuggled', 'connection: close')
  test.each([
    [
      'a length and chunks',
      `${head('POST', '/v1/swap', json, 'content-length: 4', 'transfer-encoding: chunked')}0\r\n\r\n`,
    ],
    ['chunks by another name', `${head('POST', '/v1/swap', json, 'transfer-encoding: xchunked')}0\r\n\r\n`],
    ['two lengths', head('POST', '/v1/swap', json, 'content-length: 0', 'content-length: 9')],
    ['a space before the colon', head('POST', '/v1/swap', json, 'content-length : 0')],
    ['a folded line', `${head('POST', '/v1/swap', json, 'transfer-encoding:', ' chunked')}0\r\n\r\n`],
    ['a length with a sign', head('POST', '/v1/swap', json, 'content-length: +0')],
    ['a chunk of negative size', `${head('POST', '/v1/swap', json, 'transfer-encoding: chunked')}-1\r\n`],
  ])('with %s are refused as a whole', async (_, first) => {
    const mint = await openMint()
    const answer = await say(mint, first + evil)
    expect(statuses(answer).length).toBeLessThanOrEqual(1)
    expect(statuses(answer).filter((status) => status < 400)).toEqual([])
    await isWell(mint)
  })

  test('one after the other on one connection are each answered, by the thousand', async () => {
    const mint = await openMint()
    const answer = await say(
      mint,
      head('GET', '/v1/keysets').repeat(1_000) + head('GET', '/v1/keysets', 'connection: close'),
    )
    expect(statuses(answer)).toHaveLength(1_001)
    expect(new Set(statuses(answer))).toEqual(new Set([200]))
  })
})

describe('a method', () => {
  test.each(['OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND'])(
    '%s does nothing, is told to nobody else, and echoes nothing',
    async (method) => {
      const mint = await openMint()
      const answer = await say(
        mint,
        head(method, '/v1/swap', 'x-secret: 5ec4e7', 'origin: http://evil.example', 'connection: close'),
      )
      expect(statuses(answer)[0]).toBeGreaterThanOrEqual(400)
      expect(statuses(answer)[0]).toBeLessThan(500)
      expect(answer).not.toContain('5ec4e7')
      expect(answer).not.toMatch(/^access-control/im)
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
      if (body !== '' && method !== 'HEAD') errorResponseSchema.parse(JSON.parse(body))
    },
  )
})

describe('work for nothing', () => {
  /** Microseconds of this process, in which the mint runs. */
  async function cpuOf(code: number, work: () => Promise<Answer>): Promise<number> {
    const before = process.cpuUsage()
    const answer = await work()
    const { user, system } = process.cpuUsage(before)
    expect(code === 200 ? answer.status : codeOf(answer)).toBe(code)
    return user + system
  }
  const ones = (count: number) => Array.from({ length: count }, () => 1)

  test('is not had from a swap whose last output was signed before', async () => {
    const mint = await openMint()
    const coins = await mint.coins(ones(64))
    const [old] = await mint.outputs(1)
    expect((await mint.swap([await mint.coin(1)], [old!])).status).toBe(200)
    const outputs = await mint.outputs(...ones(64))
    const stale = [...outputs.slice(1), old!]
    await cpuOf(11003, () => mint.swap(coins, stale)) // whatever is made once is made
    const refused = await cpuOf(11003, () => mint.swap(coins, stale))
    const signed = await cpuOf(200, () => mint.swap(coins, outputs))
    expect(refused).toBeLessThan(signed / 3)
    // And what was signed is answered again without being signed again.
    expect(await cpuOf(200, () => mint.swap(coins, outputs))).toBeLessThan(signed / 3)
  })

  test('is not had from a melt whose last blank output was signed before', async () => {
    const mint = await openMint({ funding: fundingWithReserve(0, async () => ({ kind: 'paid', preimage: null })) })
    const coins = await mint.coins(ones(64))
    const [old] = await mint.outputs(1)
    expect((await mint.swap([await mint.coin(1)], [old!])).status).toBe(200)
    const blanks = await mint.outputs(...ones(3))
    const { quote } = await mint.meltQuote(64)
    await cpuOf(11003, () => mint.melt(quote, coins, [...blanks, old!]))
    const refused = await cpuOf(11003, () => mint.melt(quote, coins, [...blanks, old!]))
    expect(refused).toBeLessThan((await cpuOf(200, () => mint.melt(quote, coins, blanks))) / 2)
  })
})

describe('many', () => {
  test('connections that say nothing leave room for those that do', async () => {
    const mint = await openMint()
    const sockets = await openMany(mint, 800)
    await isWell(mint)
    for (const socket of sockets) socket.destroy()
  })

  test.skipIf(process.platform !== 'linux')(
    'of one address, however it holds them, make room for another, and the operator is told whose they are',
    async () => {
      const lines: string[] = []
      const mint = await openMint({ log: (line) => lines.push(line) })
      const sockets = await openMany(mint, 1_024, '127.0.0.2')
      // Each asks now and then, and is never too slow.
      for (const socket of sockets) socket.resume().write(head('GET', '/v1/info'))
      for (let times = 0; times < 5; times++) {
        expect(statuses(await say(mint, head('GET', '/v1/keysets', 'connection: close')))).toEqual([200])
      }
      expect(lines).toEqual(['refused 127.0.0.2: holds too many connections'])
      for (const socket of sockets) socket.destroy()
    },
    30_000,
  )

  test('more than there is room for are hung up on at once, and room is made', async () => {
    const mint = await openMint({ requestTimeoutMs: 500 })
    const sockets = await openMany(mint, 1_100)
    const gone = sockets.map((socket) => isClosed(socket.resume()))
    await Promise.race(gone)
    // Those that are in say nothing, and their time is short.
    await Promise.all(gone)
    await isWell(mint)
  })
})
