// The browser host, attacked as a hostile web page and a second user of the computer would: raw requests over TCP.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type App, startApp } from '../electron/app.ts'
import { createRouter } from '../electron/router.ts'
import { linkLifetimeMs } from '../electron/serve/access.ts'
import { type ServeHost, type ServeHostOptions, startServeHost } from '../electron/serve.ts'
import type { HostEvent } from '../shared/ipc.ts'

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }
type Ask = { readonly method?: string; readonly headers?: Record<string, string | string[]>; readonly body?: string }

let folder: string
let renderer: string
let app: App
let host: ServeHost
let onEvent: (event: HostEvent) => void
const log: string[] = []
let clockMs = 0

const start = (options: Partial<ServeHostOptions> = {}) =>
  startServeHost({
    route: createRouter(app.handlers, app.report),
    rendererFolder: renderer,
    log: (line) => log.push(line),
    now: () => clockMs,
    ...options,
  })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-serve-'))
  renderer = join(folder, 'renderer')
  mkdirSync(join(renderer, 'assets'), { recursive: true })
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Farthing</title>')
  writeFileSync(join(renderer, 'assets', 'app-3f9c.js'), 'export {}')
  writeFileSync(join(renderer, 'notes.exe'), 'not a kind of file that pages have')
  writeFileSync(join(folder, 'phrase.json'), 'outside')
  symlinkSync(join(folder, 'phrase.json'), join(renderer, 'link.json'))
  symlinkSync(folder, join(renderer, 'up'))
  log.length = 0
  clockMs = 1_000_000
  onEvent = () => {}
  app = await startApp({ folder: join(folder, 'wallet'), onEvent: (event) => onEvent(event), log: () => {} })
  host = await start()
  onEvent = (event) => host.send(event)
})

afterEach(async () => {
  await host.close()
  await app.stop()
  rmSync(folder, { recursive: true })
})

const port = () => Number(new URL(host.url).port)

/** One request, its path as it is written here: nothing is normalised on the way. */
function ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port: port(), path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

/** As the person's browser does it. @returns where the app is, and the cookie to show there */
async function comeIn(link = host.newLink()): Promise<{ room: string; cookie: string }> {
  const { status, headers } = await ask(new URL(link).pathname, { headers: { 'sec-fetch-site': 'none', ...visit } })
  expect(status).toBe(303)
  return { room: headers.location!, cookie: headers['set-cookie']![0]!.split(';')[0]! }
}
const visit = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

type Inside = Awaited<ReturnType<typeof comeIn>>

const call = ({ room, cookie }: Inside, command: string, input: unknown, headers: Record<string, string> = {}) =>
  ask(`${room}api/call/${command}`, {
    method: 'POST',
    headers: {
      cookie,
      origin: host.url,
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
    body: typeof input === 'string' ? input : JSON.stringify(input),
  })

type Stream = { readonly response: IncomingMessage; readonly text: () => string }

function listen({ room, cookie }: Inside): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: port(), path: `${room}api/events`, headers: { cookie }, agent: false }
    httpRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', () => {})
      resolve({ response, text: () => text })
    })
      .once('error', reject)
      .end()
  })
}

async function until(isSo: () => boolean): Promise<void> {
  for (const before = Date.now(); !isSo(); await waitFor(10)) {
    if (Date.now() - before > 10_000) throw new Error('waited in vain')
  }
}

describe('the person with the link', () => {
  test('comes in by it, gets a cookie for the room of this app alone, and sees the app', async () => {
    const link = host.newLink()
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open\/[A-Za-z0-9_-]{43}$/)
    const { headers } = await ask(new URL(link).pathname)
    const [cookie, ...attributes] = headers['set-cookie']![0]!.split('; ')
    expect(headers['set-cookie']).toHaveLength(1)
    expect(cookie).toMatch(new RegExp(`^farthing-${port()}=[A-Za-z0-9_-]{43}$`))
    expect(attributes.sort()).toEqual(['HttpOnly', `Path=${headers.location}`, 'SameSite=Strict'])

    const page = await ask(headers.location!, { headers: { cookie: cookie! } })
    expect(page.status).toBe(200)
    expect(page.body).toContain('<title>Farthing</title>')
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(page.headers['content-security-policy']).not.toContain('unsafe')
    expect(page.headers['permissions-policy']).toContain('camera=(self)')
    expect(page.headers).not.toHaveProperty('access-control-allow-origin')

    const asset = await ask(`${headers.location}assets/app-3f9c.js`, { headers: { cookie: cookie! } })
    expect(asset).toMatchObject({ status: 200, body: 'export {}' })
    expect(asset.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'private, max-age=31536000, immutable',
    })
  })

  test('is led on by a page when another page showed the link, because a Strict cookie waits for that', async () => {
    const answer = await ask(new URL(host.newLink()).pathname, {
      headers: { 'sec-fetch-site': 'cross-site', ...visit },
    })
    expect(answer.status).toBe(200)
    const room = /content="0; url=([^"]+)"/.exec(answer.body)![1]!
    const cookie = answer.headers['set-cookie']![0]!.split(';')[0]!
    expect((await ask(room, { headers: { cookie, 'sec-fetch-site': 'same-origin', ...visit } })).status).toBe(200)
  })

  test('calls commands and is answered with replies', async () => {
    const me = await comeIn()
    const good = await call(me, 'profile.rename', { name: 'Alice' })
    expect(good.status).toBe(200)
    expect(JSON.parse(good.body)).toMatchObject({ ok: true, value: { name: 'Alice' } })
    expect(good.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    const bad = await call(me, 'profile.rename', { name: 7 })
    expect(JSON.parse(bad.body)).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    expect(JSON.parse((await call(me, 'no.such', {})).body)).toMatchObject({ error: { code: 'unknown_command' } })
  })

  test('hears of what changed, as it changes', async () => {
    const me = await comeIn()
    const stream = await listen(me)
    expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    await call(me, 'profile.rename', { name: 'Bob' })
    await until(() => stream.text().includes('"name":"profile"'))
    const events = [...stream.text().matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!))
    const event = events.find(({ name }) => name === 'profile')
    expect(event).toMatchObject({ kind: 'slice', revision: expect.any(Number), value: { name: 'Bob' } })
  })

  test('is told that the host ended', async () => {
    const stream = await listen(await comeIn())
    const ended = once(stream.response, 'end')
    await host.close()
    await ended
  })

  test('finds new parts after the program was built again', async () => {
    const { room, cookie } = await comeIn()
    writeFileSync(join(renderer, 'assets', 'app-77aa.js'), 'export {}')
    expect((await ask(room, { headers: { cookie } })).status).toBe(200)
    expect((await ask(`${room}assets/app-77aa.js`, { headers: { cookie } })).status).toBe(200)
  })
})

describe('somebody without the cookie', () => {
  test.each([
    '/',
    '/index.html',
    '/assets/app-3f9c.js',
    '/api/events',
    '/open',
    '/favicon.ico',
    '/api/call/app.snapshot',
  ])('is not shown %s', async (path) => {
    const { status, body, headers } = await ask(path)
    expect(status).toBe(401)
    expect(body).toContain('Press Enter in the terminal')
    expect(headers).not.toHaveProperty('set-cookie')
  })

  test('who knows the room is not let in either, and learns nothing about it', async () => {
    const { room } = await comeIn()
    const inside = await ask(room)
    const elsewhere = await ask('/AAAAAAAAAAAAAAAAAAAAAA/')
    expect([inside.status, elsewhere.status]).toEqual([401, 401])
    expect(inside.body).toBe(elsewhere.body)
  })

  test('calls no command', async () => {
    const { room } = await comeIn()
    const answer = await call({ room, cookie: `farthing-${port()}=${'A'.repeat(43)}` }, 'phrase.show', {})
    expect(answer.status).toBe(401)
    expect(answer.body).not.toContain('words')
  })

  test('is not let in by the cookie of another start, or of another host', async () => {
    const { cookie } = await comeIn()
    const other = await start()
    const { pathname } = new URL(other.newLink())
    await host.close()
    host = other
    const { headers } = await ask(pathname)
    const value = cookie.split('=')[1]!
    expect((await ask(headers.location!, { headers: { cookie: `farthing-${port()}=${value}` } })).status).toBe(401)
  })

  test('cannot lock the person out with a second cookie of the same name', async () => {
    const { room, cookie } = await comeIn()
    const stuffed = `farthing-${port()}=${'B'.repeat(43)}; ${cookie}; farthing-${port()}=`
    expect((await ask(room, { headers: { cookie: stuffed } })).status).toBe(200)
  })
})

describe('a link', () => {
  test('that was never given out opens nothing', async () => {
    for (const token of ['A'.repeat(43), '', 'x', `${'A'.repeat(43)}/`, '%2e%2e', 'A'.repeat(4000)]) {
      const { status, headers } = await ask(`/open/${token}`)
      expect([status, headers['set-cookie']]).toEqual([401, undefined])
    }
  })

  test('opens once; whoever shows it again closes what it opened, pages and events', async () => {
    const link = host.newLink()
    const me = await comeIn(link)
    const other = await comeIn()
    const stream = await listen(me)
    const closed = new Promise((resolve) => stream.response.once('close', resolve))
    const again = await ask(new URL(link).pathname)
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined])
    expect(again.body).toContain('This link was used before')
    await closed
    expect((await ask(me.room, { headers: { cookie: me.cookie } })).status).toBe(401)
    expect((await ask(other.room, { headers: { cookie: other.cookie } })).status).toBe(200)
    expect(log.join()).toContain('a link was opened a second time')
  })

  test('is too old after its time', async () => {
    const early = host.newLink()
    clockMs += linkLifetimeMs - 1
    const late = host.newLink()
    await comeIn(early)
    const old = host.newLink()
    clockMs += linkLifetimeMs
    expect((await ask(new URL(old).pathname)).status).toBe(401)
    expect((await ask(new URL(late).pathname)).status).toBe(401)
  })

  test('is not used up by a browser that guesses, a frame, a picture or a script', async () => {
    const link = host.newLink()
    const { pathname } = new URL(link)
    const guesses: Record<string, string>[] = [
      { 'sec-purpose': 'prefetch;prerender', ...visit, 'sec-fetch-site': 'none' },
      { purpose: 'prefetch' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ]
    for (const headers of guesses) expect((await ask(pathname, { headers })).status).toBe(403)
    await comeIn(link)
  })

  test('is in no log', async () => {
    const link = host.newLink()
    await comeIn(link)
    await ask(new URL(link).pathname)
    await ask(`${new URL(link).pathname}x`)
    expect(log.join()).not.toContain(new URL(link).pathname.slice('/open/'.length))
  })
})

describe('a hostile web page', () => {
  test.each([
    'evil.example',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.1:PORT',
    '[::1]:PORT',
    'localhost:PORT',
    '127.0.0.1:PORT.evil.example',
    '127.0.0.1:PORT@evil.example',
  ])('whose name leads here is turned away: Host %s', async (name) => {
    const { room, cookie } = await comeIn()
    const wrong = name.replace('PORT', String(port()))
    expect((await ask(room, { headers: { host: wrong, cookie } })).status).toBe(421)
    expect((await ask(new URL(host.newLink()).pathname, { headers: { host: wrong } })).status).toBe(421)
    expect((await call({ room, cookie }, 'app.snapshot', {}, { host: wrong })).status).toBe(421)
  })

  test('sends no command, even if the browser sent the cookie along', async () => {
    const me = await comeIn()
    const origins = ['http://evil.example', 'null', `http://localhost:${port()}`, 'http://127.0.0.1:1', `${host.url}/`]
    for (const origin of [...origins, `https://127.0.0.1:${port()}`, '']) {
      expect((await call(me, 'profile.rename', { name: 'Mallory' }, { origin })).status, origin).toBe(403)
    }
    const noOrigin = { cookie: me.cookie, 'content-type': 'application/json' }
    const path = `${me.room}api/call/profile.rename`
    expect((await ask(path, { method: 'POST', headers: noOrigin, body: '{"name":"Mallory"}' })).status).toBe(403)
    for (const site of ['cross-site', 'same-site', 'none', 'same-origin, cross-site']) {
      expect((await call(me, 'profile.rename', { name: 'Mallory' }, { 'sec-fetch-site': site })).status).toBe(403)
    }
    expect((await app.handlers['app.snapshot']({})).slices.profile.name).toBe('')
  })

  test('sends no form, and nothing that needs no permission', async () => {
    const me = await comeIn()
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      '',
    ]) {
      const answer = await call(me, 'profile.rename', { name: 'Mallory' }, { 'content-type': type })
      expect(answer.status, type).toBe(415)
    }
  })

  test('is given no permission by a preflight', async () => {
    const { room } = await comeIn()
    const { status, headers } = await ask(`${room}api/call/app.snapshot`, {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(status).toBe(405)
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('does not load the app, its parts or its events', async () => {
    const { room, cookie } = await comeIn()
    for (const site of ['cross-site', 'same-site']) {
      const part = { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }
      const frame = { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }
      expect((await ask(`${room}assets/app-3f9c.js`, { headers: part })).status).toBe(403)
      expect((await ask(`${room}api/events`, { headers: part })).status).toBe(403)
      expect((await ask(room, { headers: frame })).status).toBe(403)
    }
  })
})

describe('whoever is inside', () => {
  test.each([
    '../phrase.json',
    '..%2fphrase.json',
    '%2e%2e/phrase.json',
    'assets/../../phrase.json',
    'assets/..%2f..%2fphrase.json',
    '..\\phrase.json',
    '/phrase.json',
    'link.json',
    'up/phrase.json',
    'index.html%00.js',
    'assets/app-3f9c.js/',
    'assets',
    'assets/',
    'notes.exe',
    'api/call/app.snapshot',
    '__proto__',
  ])('gets no file by the path %s', async (path) => {
    const { room, cookie } = await comeIn()
    const { status, body } = await ask(room + path, { headers: { cookie } })
    expect([status, body]).toEqual([
      expect.toSatisfy((code) => code === 404 || code === 401),
      expect.not.stringContaining('outside'),
    ])
  })

  test('sends too much, and is stopped', async () => {
    const me = await comeIn()
    const tooMuch = `"${'x'.repeat(64 * 1024)}"`
    expect((await call(me, 'app.snapshot', tooMuch)).status).toBe(413)
    // A backup file is larger than every command; what is read of it is for the command to say.
    const file = { file: 'A'.repeat(3 * 1024 * 1024), passphrase: 'any passphrase' }
    const answer = await call(me, 'gate.restoreBackup', file)
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([200, 'bad_backup'])
    const chunked = await call(me, 'app.snapshot', tooMuch, { 'transfer-encoding': 'chunked' })
    expect(chunked.status).toBe(413)
    expect((await call(me, 'app.snapshot', {})).status).toBe(200)
  })

  test('sends no JSON, and is told so in a reply', async () => {
    const me = await comeIn()
    for (const body of ['', '{', 'undefined', '{"a":1}x']) {
      const answer = await call(me, 'app.snapshot', body)
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, 'bad_input'])
    }
    expect((await call(me, '../events', {})).status).toBe(405)
  })

  test('opens as many events as a browser has connections to spare, and no more', async () => {
    const me = await comeIn()
    const streams = await Promise.all(Array.from({ length: 5 }, () => listen(me)))
    expect(streams.map(({ response }) => response.statusCode)).toEqual([200, 200, 200, 200, 200])
    expect((await listen(me)).response.statusCode).toBe(503)
    streams[0]!.response.destroy()
    await until(() => streams[0]!.response.destroyed)
    await waitFor(50)
    expect((await listen(me)).response.statusCode).toBe(200)
  })

  test('does not read its events, and is let go', async () => {
    const me = await comeIn()
    const socket = await openSocket()
    const request = `GET ${me.room}api/events HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nCookie: ${me.cookie}\r\n\r\n`
    socket.write(request)
    await once(socket, 'data')
    socket.pause()
    const closed = once(socket, 'close')
    const large = 'x'.repeat(256 * 1024)
    for (let sent = 0; sent < 64; sent++) {
      host.send({ kind: 'open', route: large })
      await waitFor(1)
    }
    socket.resume()
    await closed
  })
})

const openSocket = async (): Promise<Socket> => {
  const socket = connect(port(), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** What comes back until the other side closes. */
async function talk(socket: Socket, text: string): Promise<string> {
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk
  })
  const closed = once(socket, 'close')
  socket.write(text)
  await closed
  return answer
}

describe('whoever is slow, silent or malformed', () => {
  test('is cut off: a body that trickles, headers that never end, a connection that says nothing', async () => {
    const me = await comeIn()
    await host.close()
    host = await start({ limits: { requestMs: 400 } })
    const slow = [
      `POST ${me.room}api/call/app.snapshot HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nContent-Length: 100\r\n\r\n{`,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nX-A: `,
      '',
    ]
    const before = Date.now()
    await Promise.all(slow.map(async (text) => talk(await openSocket(), text)))
    expect(Date.now() - before).toBeLessThan(5_000)
  })

  test('is cut off while inside, too', async () => {
    await host.close()
    host = await start({ limits: { requestMs: 400 } })
    const { room, cookie } = await comeIn()
    const head = [
      `POST ${room}api/call/app.snapshot HTTP/1.1`,
      `Host: 127.0.0.1:${port()}`,
      `Origin: ${host.url}`,
      `Cookie: ${cookie}`,
      'Content-Type: application/json',
      'Content-Length: 100',
    ]
    const answer = await talk(await openSocket(), `${head.join('\r\n')}\r\n\r\n{`)
    expect(answer).not.toContain('"ok":true')
  })

  test.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n'],
    [
      'a whole address for a path',
      'GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n',
    ],
    ['old HTTP', 'GET / HTTP/1.0\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a smuggled body',
      'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
  ])('gets nothing: %s', async (_, text) => {
    const answer = await talk(await openSocket(), text.replaceAll('PORT', String(port())))
    expect(answer).not.toMatch(/^HTTP\/1\.1 [23]/)
    expect(answer).not.toContain('evil')
  })

  test('does not use up all connections for good', async () => {
    await host.close()
    host = await start({ limits: { requestMs: 500, maxConnections: 8 } })
    const sockets = await Promise.all(Array.from({ length: 20 }, openSocket))
    await Promise.all(sockets.map((socket) => until(() => socket.resume().destroyed)))
    await comeIn()
  })
})

describe('another user of this computer', () => {
  const isTold = process.platform === 'linux' && process.getuid?.() === 0

  test.skipIf(!isTold)('is turned away before a word, with a link or without', async () => {
    const asNobody = async (path: string): Promise<string> => {
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port()}; printf 'GET ${path} HTTP/1.1\\r\\nHost: 127.0.0.1:${port()}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`
      const child = spawn('/bin/bash', ['-c', script], {
        uid: 65_534,
        gid: 65_534,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
      await once(child, 'close')
      return output
    }
    const link = host.newLink()
    expect(await asNobody('/')).toBe('')
    expect(await asNobody(new URL(link).pathname)).toBe('')
    expect(log).toEqual(['another user of this computer tried to connect, and was turned away'])
    await comeIn(link)
  })

  test('finds it on no other interface', async () => {
    const { networkInterfaces } = await import('node:os')
    const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    for (const { address, internal } of own) {
      if (internal && address === '127.0.0.1') continue
      const socket = connect(port(), address)
      const [outcome] = await Promise.race([once(socket, 'connect').then(() => ['in']), once(socket, 'error')])
      socket.destroy()
      expect(outcome, address).not.toBe('in')
    }
  })
})
