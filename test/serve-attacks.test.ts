// More attacks on the page's host, byte by byte: what a page or a program of this computer can do that needs no secret,
// or an old one. What counts is what got through: which commands ran, and what was told.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAccess, linkLifetimeMs } from '../electron/serve/access.ts'
import { createNeighbourCheck } from '../electron/serve/neighbours.ts'
import { type ServeHost, type ServeHostOptions, startServeHost } from '../electron/serve.ts'

let folder: string
let host: ServeHost
/** Commands that came through, with their input. */
const calls: (readonly [string, unknown])[] = []
const log: string[] = []

const start = (options: Partial<ServeHostOptions> = {}) =>
  startServeHost({
    route: async (command, input) => {
      calls.push([command, input])
      return { ok: true, value: null }
    },
    rendererFolder: join(folder, 'page'),
    log: (line) => log.push(line),
    ...options,
  })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-serve-'))
  mkdirSync(join(folder, 'page'))
  writeFileSync(join(folder, 'page', 'index.html'), '<title>the app</title>')
  calls.length = 0
  log.length = 0
  host = await start()
})
afterEach(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

const port = () => Number(new URL(host.url).port)

async function open(): Promise<Socket> {
  const socket = connect(port(), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** However it ends: with an error, too. */
const isClosed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)))

/** Sends it and listens until the other side hangs up. */
async function say(text: string | Uint8Array, socket?: Socket): Promise<string> {
  const line = socket ?? (await open())
  let answer = ''
  line.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
  })
  const closed = isClosed(line)
  line.write(text)
  await closed
  return answer
}

type Heads = Readonly<Record<string, string>>
const request = (method: string, path: string, heads: Heads = {}, body = ''): string => {
  const all = { host: `127.0.0.1:${port()}`, connection: 'close', ...heads }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
const statuses = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code))

async function comeIn(link = host.newLink()): Promise<{ room: string; cookie: string }> {
  const answer = await say(request('GET', new URL(link).pathname))
  const room = /^location: (.*)\r$/m.exec(answer)![1]!
  const cookie = /^set-cookie: ([^;]+)/im.exec(answer)![1]!
  return { room, cookie }
}

/** As the page itself asks. */
const own = (cookie: string, body: string): Heads => ({
  cookie,
  origin: host.url,
  'content-type': 'application/json',
  'content-length': String(body.length),
  'sec-fetch-site': 'same-origin',
})

describe('a link', () => {
  test('that two open at the same moment lets one in, and that one is out again', async () => {
    const { pathname } = new URL(host.newLink())
    const answers = await Promise.all(Array.from({ length: 8 }, () => say(request('GET', pathname))))
    expect(answers.map(statusOf).toSorted()).toEqual([303, 401, 401, 401, 401, 401, 401, 401])
    const winner = answers.find((answer) => statusOf(answer) === 303)!
    const cookie = /^set-cookie: ([^;]+)/im.exec(winner)![1]!
    const room = /^location: (.*)\r$/m.exec(winner)![1]!
    expect(statusOf(await say(request('GET', room, { cookie })))).toBe(401)
  })

  test.each([
    ['after its five minutes', linkLifetimeMs, 0],
    ['after eight more links', 0, 8],
  ])('that two had closes what it opened, also %s', (_, later, more) => {
    let now = 0
    const access = createAccess(() => now)
    const link = access.newLink()
    const thief = access.enter(link)
    if (thief.kind !== 'in') throw new Error(thief.kind)
    now += later
    for (let count = 0; count < more; count++) access.newLink()
    expect(access.session([thief.token])).toBeDefined()
    expect(access.enter(link).kind).toBe('again')
    expect(access.session([thief.token])).toBeUndefined()
  })

  test('opens no ninth browser beside eight: the oldest is out', () => {
    const access = createAccess(() => 0)
    const tokens = Array.from({ length: 9 }, () => {
      const entry = access.enter(access.newLink())
      if (entry.kind !== 'in') throw new Error(entry.kind)
      return entry.token
    })
    expect(tokens.map((token) => access.session([token]) !== undefined)).toEqual([false, ...Array(8).fill(true)])
  })

  test('is given to nobody by the page it opens: no Referer, no copy, and not in what follows', async () => {
    const { pathname } = new URL(host.newLink())
    const token = pathname.slice('/open/'.length)
    for (const heads of [
      {},
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ]) {
      const answer = await say(request('GET', new URL(host.newLink()).pathname, heads))
      expect(answer).toMatch(/^referrer-policy: no-referrer\r$/m)
      expect(answer).toMatch(/^cache-control: no-store\r$/m)
    }
    const opened = await say(request('GET', pathname))
    const again = await say(request('GET', pathname))
    expect(opened + again + log.join()).not.toContain(token)
    const cookie = /^set-cookie: ([^;]+)/im.exec(opened)![1]!
    const page = await say(request('GET', /^location: (.*)\r$/m.exec(opened)![1]!, { cookie }))
    expect(page + log.join()).not.toContain(token)
    expect(log.join()).not.toContain(cookie.split('=')[1])
  })

  test('that is guessed a thousand times opens nothing, is noticed, and closes nobody out', async () => {
    const me = await comeIn()
    const waiting = host.newLink()
    const guess = (index: number) =>
      request('GET', `/open/${String(index).padStart(43, 'A')}`, { connection: 'keep-alive' })
    const text = Array.from({ length: 1_000 }, (_, index) => guess(index))
    // Each refusal ends its connection, so there are as many.
    for (let at = 0; at < text.length; at += 25) {
      const answers = await Promise.all(text.slice(at, at + 25).map((one) => say(one)))
      expect(new Set(answers.map(statusOf))).toEqual(new Set([401]))
    }
    expect(log).toHaveLength(10)
    expect(log[0]).toBe('100 links were tried that do not work')
    expect(statusOf(await say(request('GET', me.room, { cookie: me.cookie })))).toBe(200)
    await comeIn(waiting)
  })

  test('of the right letters but one is as wrong as any other', async () => {
    const link = host.newLink()
    const { pathname } = new URL(link)
    const last = pathname.at(-1) === 'A' ? 'B' : 'A'
    for (const path of [
      pathname.slice(0, -1) + last,
      pathname.toLowerCase(),
      `${pathname}?`,
      `${pathname}=`,
      `/${pathname}`,
    ]) {
      if (path === `${pathname}?` || path === pathname) continue
      expect(statusOf(await say(request('GET', path))), path).toBe(401)
    }
    await comeIn(link)
  })
})

describe('whatever is answered', () => {
  test('may be framed, sniffed, kept or read by nobody else', async () => {
    const { room, cookie } = await comeIn()
    const answers = await Promise.all([
      say(request('GET', '/')),
      say(request('GET', room, { cookie })),
      say(request('GET', `${room}nothing`, { cookie })),
      say(request('GET', room, { host: 'evil.example' })),
      say(request('GET', room, { origin: 'http://evil.example' })),
      say(request('PUT', room, { cookie })),
      say(request('GET', new URL(host.newLink()).pathname)),
      say(request('POST', `${room}api/call/app.snapshot`, own(cookie, '{}'), '{}')),
      say(request('POST', `${room}api/call/app.snapshot`, own(cookie, '{'), '{')),
      say(request('POST', `${room}api/call/app.snapshot`, { origin: host.url }, '')),
    ])
    expect(answers.map(statusOf)).toEqual([401, 200, 404, 421, 403, 405, 303, 200, 400, 401])
    for (const answer of answers) {
      expect(answer).toMatch(/^content-security-policy: .*frame-ancestors 'none'/m)
      expect(answer).toMatch(/^x-frame-options: DENY\r$/m)
      expect(answer).toMatch(/^x-content-type-options: nosniff\r$/m)
      expect(answer).toMatch(/^cross-origin-resource-policy: same-origin\r$/m)
      expect(answer).toMatch(/^cache-control: no-store\r$/m)
      expect(answer).not.toMatch(/^(access-control-|timing-allow-origin|server|x-powered-by)/im)
    }
  })
})

describe('a method', () => {
  test.each(['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'QUERY'])(
    '%s is not answered, not even to somebody inside, and echoes nothing',
    async (method) => {
      const { room, cookie } = await comeIn()
      for (const path of [
        room,
        `${room}api/call/app.snapshot`,
        `${room}api/events`,
        new URL(host.newLink()).pathname,
        '*',
      ]) {
        const answer = await say(request(method, path, own(cookie, '{}'), '{}'))
        expect(answer === '' || statusOf(answer) === 405 || statusOf(answer) === 400, path).toBe(true)
        expect(answer).not.toContain(cookie)
      }
      expect(calls).toEqual([])
    },
  )

  test('GET runs no command', async () => {
    const { room, cookie } = await comeIn()
    expect(statusOf(await say(request('GET', `${room}api/call/app.snapshot`, { cookie })))).toBe(404)
    expect(calls).toEqual([])
  })
})

describe('events', () => {
  test.each<[string, Heads]>([
    ['another origin', { origin: 'http://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    [
      'a page that navigates there',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
  ])('are not told to %s, with the cookie', async (_, heads) => {
    const { room, cookie } = await comeIn()
    expect(statusOf(await say(request('GET', `${room}api/events`, { cookie, ...heads })))).toBe(403)
  })

  test('are no WebSocket', async () => {
    const { room, cookie } = await comeIn()
    const upgrade = {
      ...{ cookie, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    for (const path of ['/', room, `${room}api/call/app.snapshot`]) {
      const socket = await open()
      const heard = once(socket.setEncoding('latin1'), 'data')
      socket.write(request('GET', path, upgrade))
      const [answer] = await heard
      expect(statusOf(String(answer)), path).not.toBe(101)
      socket.destroy()
    }
    expect(calls).toEqual([])
  })
})

describe('a body', () => {
  test('that would be endless is refused by its first line, and not read on', async () => {
    const { room } = await comeIn()
    const path = `${room}api/call/app.snapshot`
    const endless = { origin: host.url, 'content-type': 'application/json', 'content-length': '1000000000000' }
    expect(statusOf(await say(request('POST', path, endless, '{')))).toBe(401)
    expect(
      statusOf(await say(request('POST', path, { ...endless, expect: '100-continue' })).then(withoutContinue)),
    ).toBe(401)
  })

  test('of somebody inside that is endless in chunks is refused when it is too much', async () => {
    const { room, cookie } = await comeIn()
    const { 'content-length': _, ...heads } = own(cookie, '')
    const socket = await open()
    socket.write(request('POST', `${room}api/call/app.snapshot`, { ...heads, 'transfer-encoding': 'chunked' }))
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    const writing = setInterval(() => socket.writable && socket.write(chunk), 1)
    const answer = await say('', socket)
    clearInterval(writing)
    expect(answer === '' || statusOf(answer) === 413).toBe(true)
    expect(calls).toEqual([])
  })

  test.each<[string, (path: string, heads: Heads, evil: string) => string]>([
    [
      'a length and chunks',
      (path, heads, evil) =>
        request('POST', path, { ...heads, 'content-length': '4', 'transfer-encoding': 'chunked' }, `0\r\n\r\n${evil}`),
    ],
    [
      'chunks by another name',
      (path, heads, evil) => request('POST', path, { ...heads, 'transfer-encoding': 'xchunked' }, `0\r\n\r\n${evil}`),
    ],
    [
      'chunks said twice',
      (path, heads, evil) =>
        request(
          'POST',
          path,
          { ...heads, 'transfer-encoding': 'identity, chunked', 'Transfer-Encoding': 'cow' },
          `0\r\n\r\n${evil}`,
        ),
    ],
    [
      'a space before the colon',
      (path, heads, evil) => request('POST', path, { ...heads, 'content-length ': '0' }, evil),
    ],
    [
      'a folded line',
      (path, heads, evil) =>
        request('POST', path, { ...heads, 'transfer-encoding': '\r\n chunked' }, `0\r\n\r\n${evil}`),
    ],
    ['a length with a sign', (path, heads, evil) => request('POST', path, { ...heads, 'content-length': '+0' }, evil)],
    [
      'a length that is none',
      (path, heads, evil) => request('POST', path, { ...heads, 'content-length': '0x0' }, evil),
    ],
    [
      'two lengths',
      (path, heads, evil) => request('POST', path, { ...heads, 'content-length': '0', 'Content-Length': '5' }, evil),
    ],
    [
      'a chunk of no size',
      (path, heads, evil) => request('POST', path, { ...heads, 'transfer-encoding': 'chunked' }, `-1\r\n${evil}`),
    ],
    [
      'bare line feeds',
      (path, heads, evil) => request('POST', path, { ...heads, 'content-length': '0' }, evil).replaceAll('\r\n', '\n'),
    ],
  ])('with %s hides no second request in it', async (_, write) => {
    const { room, cookie } = await comeIn()
    const { 'content-length': __, ...heads } = own(cookie, '')
    const path = `${room}api/call/`
    const evil = request('POST', `${path}phrase.show`, own(cookie, '{}'), '{}')
    const answer = await say(write(`${path}app.snapshot`, { ...heads, connection: 'keep-alive' }, evil))
    // Refused as a whole: what comes behind a request that cannot be understood is not understood either.
    expect(calls.filter(([command]) => command === 'phrase.show')).toEqual([])
    expect(statuses(answer).filter((code) => code === 200)).toEqual([])
  })
})

const withoutContinue = (answer: string): string => answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')

describe('headers', () => {
  test('that are too many or too long are refused, and nobody else notices', async () => {
    const me = await comeIn()
    expect(statusOf(await say(request('GET', me.room, { cookie: me.cookie, 'x-long': 'x'.repeat(20_000) })))).toBe(431)
    const many = Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`x-${index}`, '1234567890']))
    expect(statusOf(await say(request('GET', me.room, { cookie: me.cookie, ...many })))).toBe(431)
    const cookies = Array.from({ length: 300 }, () => `farthing-${port()}=${'A'.repeat(43)}`).join('; ')
    expect(statusOf(await say(request('GET', me.room, { cookie: `${cookies.slice(0, 12_000)}` })))).toBe(401)
    expect(statusOf(await say(request('GET', me.room, { cookie: me.cookie })))).toBe(200)
  })

  test.each<[string, Heads]>([
    ['two cookie lines', { cookie: 'x=1', Cookie: 'COOKIE' }],
    ['an X-Forwarded-Host', { 'x-forwarded-host': 'evil.example', cookie: 'COOKIE' }],
  ])('%s change nothing', async (_, heads) => {
    const { room, cookie } = await comeIn()
    const all = Object.fromEntries(
      Object.entries(heads).map(([name, value]) => [name, value.replace('COOKIE', cookie)]),
    )
    expect(statusOf(await say(request('GET', room, all)))).toBe(200)
  })

  test('of another host in the address change nothing', async () => {
    const { room, cookie } = await comeIn()
    const answer = await say(request('GET', `http://evil.example${room}`, { cookie }))
    expect(statusOf(answer)).toBe(401)
  })
})

describe('many connections', () => {
  test('with half a request each hold up the person no longer than their time', async () => {
    await host.close()
    host = await start({ limits: { requestMs: 600 } })
    const { room, cookie } = await comeIn()
    const halves = await Promise.all(Array.from({ length: 80 }, open))
    for (const [index, socket] of halves.entries()) {
      socket.write(`POST ${room}api/call/app.snapshot HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nX-${index}: `)
    }
    await Promise.all(halves.map((socket) => isClosed(socket.resume())))
    expect(statusOf(await say(request('GET', room, { cookie })))).toBe(200)
    expect(calls).toEqual([])
  })

  test('and thousands of requests on one of them are answered, and end', async () => {
    const { room, cookie } = await comeIn()
    const one = request('GET', room, { cookie, connection: 'keep-alive' })
    const last = request('GET', room, { cookie })
    const answer = await say(one.repeat(3_000) + last)
    expect(statuses(answer)).toHaveLength(3_001)
    expect(new Set(statuses(answer))).toEqual(new Set([200]))
  })

  const isTold = process.platform === 'linux'
  if (!isTold) console.log('skipped: only Linux tells whose a connection is')

  test.skipIf(!isTold)('cost one look at whose they are, however many come at once', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port: at } = server.address() as AddressInfo
    const own = process.getuid!()
    const hex = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
    const line = (local: number, remote: number, state: string, uid: number) =>
      `0: 0100007F:${hex(local)} 0100007F:${hex(remote)} ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 1`
    const others = Array.from({ length: 20_000 }, (_, index) => line(30_000 + (index % 999), 80, '06', 0))
    const table = [
      line(at, 0, '0A', own),
      line(1000, at, '01', own),
      line(1001, at, '01', own + 7),
      line(1002, at, '06', own),
      // The same ports at another address of this computer: a stranger's business with themselves.
      line(1000, at, '01', own + 7).replaceAll('0100007F', '0200007F'),
      // Two rows for one connection, one of them somebody else's: nobody to be trusted.
      line(1003, at, '01', own),
      line(1003, at, '01', own + 7),
      line(1004, at, '01', own).replaceAll('0100007F', '0000000000000000FFFF00000100007F'),
    ]
    let looks = 0
    const whose = createNeighbourCheck(at, () => {
      looks++
      return ['  sl  local_address', ...table, ...others].join('\n')
    })!
    looks = 0
    const answers = await Promise.all(Array.from({ length: 600 }, (_, index) => whose(1000 + (index % 6))))
    expect(looks).toBe(1)
    // Ours; somebody else's; ours but closed; in doubt; ours by an IPv6 socket; unknown.
    expect(answers.slice(0, 6)).toEqual(['ours', 'theirs', 'gone', 'theirs', 'ours', 'gone'])
    expect(answers.every((answer, index) => answer === answers[index % 6])).toBe(true)
    const later = Promise.all([whose(1000), whose(1001)])
    expect(await later).toEqual(['ours', 'theirs'])
    expect(looks).toBe(2)
    server.close()
  })

  test('that are gone before they are looked at are nobody, and no alarm', async () => {
    for (let round = 0; round < 20; round++) {
      const socket = await open()
      socket.end()
      await isClosed(socket.resume())
    }
    expect(log).toEqual([])
  })

  test.skipIf(!isTold)('a table without our own socket is not believed', () => {
    expect(createNeighbourCheck(1, () => '')).toBeUndefined()
    expect(createNeighbourCheck(1)).toBeUndefined()
  })

  const isRoot = isTold && process.getuid?.() === 0
  if (!isRoot) console.log('skipped: only root can be another user of this computer for a test')

  test.skipIf(!isRoot)('of another user at another address of this computer turn away nobody', async () => {
    const me = await comeIn()
    const [first, last] = [23_000, 23_049]
    const script = `
      const { createServer, connect } = require('node:net')
      const at = { host: '127.0.0.2', port: ${port()}, localAddress: '127.0.0.2' }
      createServer(() => {}).listen(at.port, at.host, () => {
        let left = ${last - first + 1}
        for (let localPort = ${first}; localPort <= ${last}; localPort++)
          connect({ ...at, localPort }, () => --left === 0 && console.log('there'))
      })`
    const other = spawn(process.execPath, ['-e', script], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(other.stdout, 'data')
      for (const localPort of [first + 7, last + 7]) {
        const socket = connect({ host: '127.0.0.1', port: port(), localAddress: '127.0.0.1', localPort })
        socket.setEncoding('latin1').write(request('GET', me.room, { cookie: me.cookie, connection: 'close' }))
        expect(statusOf((await socket.toArray()).join(''))).toBe(200)
      }
      expect(log).toEqual([])
    } finally {
      other.kill()
      await once(other, 'close')
    }
  })

  test.skipIf(!isRoot)('of another user are turned away by the hundred, while the person is served', async () => {
    const me = await comeIn()
    const script = `for i in $(seq 1 120); do { exec 3<>/dev/tcp/127.0.0.1/${port()} && printf 'GET / HTTP/1.1\\r\\n\\r\\n' >&3 && cat <&3; } 2>/dev/null; exec 3>&-; done`
    const flood = spawn('/bin/bash', ['-c', script], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let heard = ''
    flood.stdout.on('data', (chunk) => {
      heard += chunk
    })
    const ended = once(flood, 'close')
    let served = 0
    for (let isOver = false; !isOver; served++) {
      expect(statusOf(await say(request('GET', me.room, { cookie: me.cookie })))).toBe(200)
      isOver = flood.exitCode !== null
    }
    await ended
    expect(heard).toBe('')
    expect(served).toBeGreaterThan(1)
    expect(log).toEqual(['another user of this computer tried to connect, and was turned away'])
  })
})
