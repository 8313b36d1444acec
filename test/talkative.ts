// Processes of ours that say all they can, and everything they say kept: both streams, every event and every reply.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'

const root = join(import.meta.dirname, '..')
const hook = join(import.meta.dirname, 'misfortune.ts')
/** Every library that can be asked to talk is asked. */
const talk = { DEBUG: '*', NODE_DEBUG: 'http,net,tls,fetch,undici,fs,timer', NODE_PENDING_DEPRECATION: '1' }

export type Reply = {
  readonly ok: boolean
  readonly value?: never
  readonly error?: { readonly code: string; readonly message: string }
}

export type Talker = {
  readonly pid: number
  /** All it said so far, by the way it said it. */
  readonly said: { stdout: string; stderr: string; messages: string }
  readonly ended: Promise<number | null>
  call(command: string, input?: unknown): Promise<Reply>
  /** Something goes wrong in it that quotes this text. */
  suffer(misfortune: 'throw' | 'reject' | 'store' | 'well', text?: string): void
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** @param flags for Node itself, before the script */
export async function startTalker(
  script: string,
  args: readonly string[],
  { env = {}, isReady }: { env?: Record<string, string>; isReady: (said: Talker['said']) => boolean },
): Promise<Talker> {
  const child: ChildProcess = fork(join(root, script), [...args], {
    cwd: root,
    execArgv: ['--import', hook],
    env: { ...process.env, ...talk, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const said = { stdout: '', stderr: '', messages: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]!.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  }
  const waiting = new Map<number, (reply: Reply) => void>()
  child.on('message', (message: { id?: number; reply?: Reply }) => {
    said.messages += `${JSON.stringify(message)}\n`
    if (message.id !== undefined && message.reply) waiting.get(message.id)?.(message.reply)
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  let isOver = false
  void ended.then(() => {
    isOver = true
    for (const answer of waiting.values()) answer({ ok: false, error: { code: 'gone', message: 'the process ended' } })
  })
  let nextId = 1
  const talker: Talker = {
    pid: child.pid!,
    said,
    ended,
    call: (command, input = {}) => {
      const id = nextId++
      const answer = new Promise<Reply>((resolve) => waiting.set(id, resolve))
      if (!isOver) child.send({ id, command, input })
      return isOver ? Promise.resolve({ ok: false, error: { code: 'gone', message: '' } }) : answer
    },
    suffer: (misfortune, text) => {
      if (!isOver) child.send({ misfortune, text })
    },
    kill: async (signal = 'SIGTERM') => {
      if (!isOver) child.kill(signal)
      await ended
    },
  }
  await until(() => isReady(said) || isOver, 'it never starts')
  if (isOver) throw new Error(`${script} ended: ${said.stderr.slice(-2_000)}`)
  return talker
}

/** Waits until it is so; asks again and again, for as long as a busy machine needs. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const before = Date.now(); !(await isSo()); await waitFor(50)) {
    if (Date.now() - before > 90_000) throw new Error(`waited in vain: ${what}`)
  }
}

export type Liar = {
  readonly url: string
  /** `echo`: refuses everything and repeats what it was sent, as far as fits. `garbage`: says it was right, with nonsense. */
  mode: 'honest' | 'echo' | 'garbage' | 'down'
  /** How often it repeated a secret. */
  readonly echoed: () => number
  close(): void
}

/** What stands between wallets and their mint. */
export async function startLiar(mintUrl: string): Promise<Liar> {
  let echoed = 0
  const server: Server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const answer = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (liar.mode === 'down') return request.socket.destroy()
    if (liar.mode === 'garbage') return answer(200, { signatures: body, states: [body], keysets: body, quote: body })
    if (liar.mode === 'echo') {
      const at = Math.max(0, body.indexOf('"secret"'), body.indexOf('"Ys"'), body.indexOf('"B_"'))
      if (body.includes('"secret"')) echoed++
      return answer(400, { detail: `not this: ${body.slice(at, at + 1_900)}`, code: 11_001 })
    }
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    const from = await fetch(mintUrl + request.url, request.method === 'POST' ? init : {}).catch(() => undefined)
    if (!from) return request.socket.destroy()
    response.writeHead(from.status, { 'content-type': 'application/json' }).end(await from.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const liar: Liar = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'honest',
    echoed: () => echoed,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return liar
}
