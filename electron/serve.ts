// The browser host: the app of this computer as a local page, for the person at this computer only. Loopback HTTP on
// 127.0.0.1, a link that works once, then a cookie. Other web pages and other users of the computer are the attackers.
//
//   GET  /open/<token>               the link: session cookie, and on to the app
//   GET  /<room>/                    the app; its parts beside it
//   POST /<room>/api/call/<command>  input as JSON, answered with a Reply
//   GET  /<room>/api/events?<nonce>  server-sent events, after the proof that this is the host that gave the page out
//
// Browsers share cookies among all ports of a host, so somebody else's page at another port of 127.0.0.1 would be sent
// ours. The room is a name that only the app's own address holds, and the cookie goes nowhere else.

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { maxBackupText } from '../shared/backup-limit.ts'
import { AppError } from '../shared/errors.ts'
import { type CommandName, type HostEvent, toErrorReply } from '../shared/ipc.ts'
import { createAccess, isSecret, type Session } from './serve/access.ts'
import { createEventStreams, type EventStreamLimits, eventStreamLimits } from './serve/event-streams.ts'
import { cookieValues, isOnly, refuse, securityHeaders } from './serve/guard.ts'
import { createNeighbourCheck } from './serve/neighbours.ts'
import { proofFor, withPageKey } from './serve/page-key.ts'
import { closedPage, enterPage, oldLinkPage, refusedPage, usedLinkPage } from './serve/pages.ts'
import { createStaticFiles, type StaticFile } from './serve/static-files.ts'

export type ServeLimits = EventStreamLimits & {
  /** A request must have arrived by then, milliseconds: nobody holds a connection by sending slowly. */
  readonly requestMs: number
  readonly maxBodyBytes: number
  /** Of the commands that bring a backup file along. */
  readonly maxFileBytes: number
  readonly maxConnections: number
}

/** The longest command carries a request of 4096 characters, each of which JSON may write with six. */
const defaultLimits: ServeLimits = {
  ...eventStreamLimits,
  requestMs: 10_000,
  maxBodyBytes: 64 * 1024,
  maxFileBytes: maxBackupText + 64 * 1024,
  maxConnections: 64,
}
const withFile: ReadonlySet<string> = new Set(['gate.restoreBackup', 'backup.merge'] satisfies CommandName[])
const loopback = '127.0.0.1'
const keepAliveMs = 30_000
/** How often connections are looked at for one that is too slow. */
const timeoutCheckMs = 1_000
const maxHeaderBytes = 16 * 1024
const roomBytes = 16
const wrongLinksPerLine = 100

export type ServeHostOptions = {
  /** Answers a command with a Reply: `createRouter`'s. */
  readonly route: (command: string, input: unknown) => Promise<unknown>
  /** `dist/renderer`: index.html and its parts, which refer to each other and to `api/` without a leading slash. */
  readonly rendererFolder: string
  /** Default 0: any free port. */
  readonly port?: number
  /** A line for the log: never a token. */
  readonly log: (line: string) => void
  readonly limits?: Partial<ServeLimits>
  /** Milliseconds. */
  readonly now?: () => number
}

export type ServeHost<Event = HostEvent> = {
  /** `http://127.0.0.1:port`, without a slash at the end. It opens nothing by itself. */
  readonly url: string
  /** An address to open once, within five minutes. For the person's eyes: it is not logged. */
  newLink(): string
  /** Connections of other users of this computer are closed unread: the system tells whose they are. */
  readonly turnsAwayOthers: boolean
  /** To every page that is open. */
  send(event: Event): void
  close(): Promise<void>
}

/** @throws the system's error when the port cannot be opened */
export async function startServeHost<Event = HostEvent>(options: ServeHostOptions): Promise<ServeHost<Event>> {
  const { route, log, now = Date.now } = options
  const limits = { ...defaultLimits, ...options.limits }
  const files = createStaticFiles(options.rendererFolder)
  const access = createAccess(now)
  const streams = createEventStreams(limits)
  let wrongLinks = 0
  const room = `/${randomBytes(roomBytes).toString('base64url')}/`

  const server = createServer({
    requestTimeout: limits.requestMs,
    headersTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(timeoutCheckMs, limits.requestMs),
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
  })
  server.maxConnections = limits.maxConnections
  const port = await listen(server, options.port ?? 0)
  const host = `${loopback}:${port}`
  const cookie = `farthing-${port}`
  const turnsAwayOthers = turnAwayOthers(server, port, log)
  if (!turnsAwayOthers)
    log('this system does not tell whose a connection is: link, cookie and path alone keep others out')

  const enter = (linkToken: string, isFromElsewhere: boolean, response: ServerResponse): void => {
    const entry = access.enter(linkToken)
    if (entry.kind === 'unknown') {
      wrongLinks++
      // Nobody guesses 256 bits, but whoever tries is worth a line.
      if (wrongLinks % wrongLinksPerLine === 0) log(`${wrongLinks} links were tried that do not work`)
      sendPage(response, 401, oldLinkPage)
    } else if (entry.kind === 'again') {
      log('a link was opened a second time: the page it had opened is closed')
      sendPage(response, 401, usedLinkPage)
    } else {
      // Whoever held this port before may have left a service worker in the browser, which all pages of the port go through.
      response.setHeader('clear-site-data', '"cache", "storage"')
      response.setHeader('set-cookie', `${cookie}=${entry.token}; HttpOnly; SameSite=Strict; Path=${room}`)
      // A browser that another page sent here holds a Strict cookie back on redirects, but not on a page's own step.
      if (isFromElsewhere) sendPage(response, 200, enterPage(room))
      else response.writeHead(303, { location: room }).end()
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const link = path.startsWith('/open/') ? path.slice('/open/'.length) : undefined
    const inside = isSecret(room, path.slice(0, room.length)) ? path.slice(room.length) : undefined
    const refusal = refuse(request, host, link !== undefined || inside === '' ? 'navigation' : 'own-page')
    if (refusal) return sendPage(response, refusal.status, refusedPage(refusal.reason))
    if (link !== undefined && request.method === 'GET') {
      return enter(link, isOnly(request.headersDistinct['sec-fetch-site'], 'cross-site'), response)
    }
    const session = inside === undefined ? undefined : access.session(cookieValues(request, cookie))
    if (inside === undefined || !session) {
      if (request.method === 'GET') return sendPage(response, 401, closedPage)
      return sendReply(response, 401, failure('this browser has no session: open the link again'))
    }
    if (request.method === 'POST') return answerCall(inside, request, response)
    return answerGet(inside, query, session, response)
  }

  const answerCall = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const command = /^api\/call\/([a-z0-9.-]{1,64})$/i.exec(path)?.[1]
    if (command === undefined) return sendPage(response, 405, refusedPage('There is nothing to send here.'))
    const types = request.headersDistinct['content-type']
    if (types?.length !== 1 || !/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(types[0] ?? '')) {
      return sendReply(response, 415, failure('a command is sent as application/json'))
    }
    const body = await readBody(request, withFile.has(command) ? limits.maxFileBytes : limits.maxBodyBytes)
    if (body === undefined) return sendReply(response, 413, failure('too much for a command'))
    const input = parseJson(body)
    if (input === undefined) return sendReply(response, 400, failure('not JSON'))
    sendReply(response, 200, await route(command, input.value))
  }

  const answerGet = async (path: string, query: string, session: Session, response: ServerResponse): Promise<void> => {
    if (path === 'api/events') {
      const proof = proofFor(session.pageKey, query)
      if (!streams.open(response, session, proof))
        sendPage(response, 503, refusedPage('It is open too many times already.'))
      return
    }
    if (path === '') return sendFile(response, withPageKey(await files.index(), session.pageKey))
    const file = await files.get(path)
    if (!file) return sendPage(response, 404, refusedPage('There is no such page.'))
    sendFile(response, file)
  }

  server.on('request', (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    answer(request, response).catch((thrown) => {
      if (!request.destroyed) log(`the page failed: ${thrown instanceof Error ? thrown.message : 'no error'}`)
      if (response.headersSent) return response.destroy()
      sendPage(response, 500, refusedPage('Something went wrong. The log of Farthing says what.'))
    })
  })
  return {
    url: `http://${host}`,
    turnsAwayOthers,
    newLink: () => `http://${host}/open/${access.newLink()}`,
    send: (event) => streams.send(event),
    close: async () => {
      streams.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: loopback, port }, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new AppError('internal', 'no port'))
      else resolve(address.port)
    })
  })
}

/** Connections wait, unread, until it is known whose they are. @returns false where the system does not tell */
function turnAwayOthers(server: Server, port: number, log: (line: string) => void): boolean {
  const whose = createNeighbourCheck(port)
  if (!whose) return false
  const serving = server.listeners('connection')
  server.removeAllListeners('connection')
  let isTold = false
  server.on('connection', (socket) => {
    const ignore = (): void => {}
    socket.on('error', ignore) // it may be gone before it is served
    // Two connections from one port of two addresses would be taken for each other.
    const asked = socket.remoteAddress === loopback ? whose(socket.remotePort ?? 0) : Promise.resolve('theirs')
    void asked.then((owner) => {
      if (owner === 'ours' && server.listening) {
        socket.off('error', ignore)
        for (const serve of serving) Reflect.apply(serve, server, [socket])
        return
      }
      socket.destroy()
      if (owner !== 'theirs' || isTold) return
      log('another user of this computer tried to connect, and was turned away')
      isTold = true
    })
  })
  return true
}

/** @returns undefined when there is more than that */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function failure(message: string) {
  return { ok: false, error: toErrorReply(new AppError('bad_input', message)) }
}

function sendReply(response: ServerResponse, status: number, reply: unknown): void {
  send(response, status, 'application/json', JSON.stringify(reply))
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  send(response, status, 'text/html; charset=utf-8', html)
}

function sendFile(response: ServerResponse, { body, type, isImmutable }: StaticFile): void {
  if (isImmutable) response.setHeader('cache-control', 'private, max-age=31536000, immutable')
  send(response, 200, type, body)
}

/** Loopback is faster than compression, so there is none. A refusal ends the connection: what else comes is not read. */
function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (status >= 400) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}
