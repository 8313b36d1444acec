// The demonstration's operating-system processes: wallets, a mint, and a way to cut one of them off from the other.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandName, fromErrorReply, type InputOf, type OutputOf } from '../../shared/ipc.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const answerTimeoutMs = 60_000

/** A wallet process and the channel to it. */
export type WalletProcess = {
  readonly name: string
  /** Of the operating system. */
  readonly pid: number
  call<N extends CommandName>(command: N, input: InputOf<N>): Promise<OutputOf<N>>
  /** Anything the process answers, for the test double's own commands. */
  ask(command: string, input: unknown): Promise<unknown>
  /** kill -9, as a power cut would. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export type WalletOptions = {
  readonly name: string
  readonly folder: string
  /** Script of the host, from the project's root. */
  readonly host?: string
  /** More of them, for that host alone. */
  readonly flags?: readonly string[]
  /** Program and arguments that start it somewhere else, such as `nsenter`. */
  readonly within?: readonly string[]
  readonly offlineCapable: readonly string[]
  readonly tuning: object
  readonly onLog: (line: string) => void
}

/** What a wallet of a demonstration would have this computer remember, it remembers beside itself. */
export const stateFolder = (walletFolder: string): string =>
  process.env['FARTHING_STATE'] ?? join(walletFolder, 'remembered')

export async function startWallet(options: WalletOptions): Promise<WalletProcess> {
  const { name, folder, host = 'electron/headless.ts', flags: more = [], offlineCapable, tuning, onLog } = options
  const trusted = offlineCapable.flatMap((url) => ['--offline-capable', url])
  const flags = ['--data', folder, '--name', name, '--listen-host', '127.0.0.1', '--tuning', JSON.stringify(tuning)]
  const [execPath = process.execPath, ...execArgv] = [...(options.within ?? []), process.execPath]
  const stdio = ['ignore', 'inherit', 'pipe', 'ipc'] as const
  const child = fork(join(root, host), [...flags, ...trusted, ...more], {
    cwd: root,
    execPath,
    execArgv,
    stdio: [...stdio],
    env: { ...process.env, FARTHING_STATE: stateFolder(folder) },
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => onLog(`${name}: ${text.trimEnd()}`))
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let nextId = 1
  const ready = Promise.withResolvers<void>()
  child.on('message', (message: { id?: number; ready?: boolean; reply?: unknown }) => {
    if (message.ready) ready.resolve()
    const call = message.id === undefined ? undefined : waiting.get(message.id)
    if (message.id !== undefined) waiting.delete(message.id)
    call?.resolve(message.reply)
  })
  child.on('exit', (code, signal) => {
    const error = new Error(`${name} ended (${signal ?? code})`)
    ready.reject(error)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })
  await ready.promise

  const ask = async (command: string, input: unknown): Promise<unknown> => {
    const id = nextId++
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    const timer = setTimeout(() => answer.reject(new Error(`${name} does not answer ${command}`)), answerTimeoutMs)
    child.send({ id, command, input })
    const reply = (await answer.promise.finally(() => clearTimeout(timer))) as
      | { ok: true; value: unknown }
      | { ok: false; error: Parameters<typeof fromErrorReply>[0] }
    if (!reply.ok) throw fromErrorReply(reply.error)
    return reply.value
  }
  return {
    name,
    pid: child.pid ?? 0,
    ask,
    call: async (command, input) => (await ask(command, input)) as never,
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/** Our own mint as a process that can be killed, started again and rotated. */
export type MintProcess = {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
  /** Replace the active keyset, whether the mint runs or not. */
  rotate(): Promise<void>
}

export async function startMint(
  folder: string,
  feePpk: number,
  { unit = 'sat', delayMs = 200 }: { readonly unit?: string; readonly delayMs?: number } = {},
): Promise<MintProcess> {
  let child: ChildProcess | undefined
  let port = 0
  const run = async (
    args: readonly string[],
    until: RegExp | null,
  ): Promise<{ child: ChildProcess; output: string }> => {
    const started = spawn(process.execPath, ['mint/main.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    const reached = Promise.withResolvers<void>()
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (until?.test(output)) reached.resolve()
    })
    started.on('exit', (code) =>
      until === null && code === 0 ? reached.resolve() : reached.reject(new Error(`mint ended (${code})`)),
    )
    await reached.promise
    return { child: started, output }
  }
  const start = async (): Promise<void> => {
    const fixed = ['--unit', unit, '--fee-ppk', String(feePpk), '--practice-delay-ms', String(delayMs)]
    const args = ['--data', folder, '--port', String(port), ...fixed]
    const started = await run(args, /http:\/\/127\.0\.0\.1:\d+/)
    child = started.child
    port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(started.output)?.[1])
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    kill: async () => {
      if (child) await end(child, 'SIGKILL')
    },
    rotate: async () => {
      await run(['rotate', '--data', folder], null)
    },
  }
}

/** A TCP proxy in front of a mint: closed, it answers nothing, as an unplugged cable would. */
export type Cable = {
  readonly url: string
  unplug(): Promise<void>
  plug(): Promise<void>
  close(): Promise<void>
}

/** @param fixedPort where it is reached; any free one by default */
export async function layCable(mintUrl: string, fixedPort = 0): Promise<Cable> {
  const target = new URL(mintUrl)
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = fixedPort
  // One after another: a server that is closed before it listens would listen all the same, with nobody to close it.
  let turn = Promise.resolve()
  const inTurn = (work: () => Promise<void>) => (): Promise<void> => {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }
  const plug = inTurn(async () => {
    if (server) return
    const opened = createServer((inbound) => {
      const outbound = connectTo(Number(target.port || (target.protocol === 'https:' ? 443 : 80)), target.hostname)
      for (const [socket, other] of [
        [inbound, outbound],
        [outbound, inbound],
      ] as const) {
        sockets.add(socket)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      }
      inbound.pipe(outbound)
      outbound.pipe(inbound)
    })
    server = opened
    opened.listen(port, '127.0.0.1')
    await once(opened, 'listening')
    const address = opened.address()
    if (address !== null && typeof address === 'object') port = address.port
  })
  const unplug = inTurn(async () => {
    const closing = server
    server = undefined
    for (const socket of sockets) socket.destroy()
    if (closing) await new Promise((resolve) => closing.close(resolve))
  })
  await plug()
  return {
    url: `http://127.0.0.1:${port}${target.pathname === '/' ? '' : target.pathname}`,
    plug,
    unplug,
    close: unplug,
  }
}
