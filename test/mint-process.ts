// A mint as its operator runs it, in a process that can be killed and started again on the same folder and port.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../mint/main.ts')

export type MintProcessOptions = {
  readonly folder: string
  /** More of the command line. */
  readonly args?: readonly string[]
  /** Starts the command: a program and its arguments before those of the mint, such as `unshare`. */
  readonly within?: readonly string[]
}

export type MintProcess = {
  readonly url: string
  readonly pid: number
  /** Standard error of all its lives. */
  readonly log: string
  start(): Promise<void>
  /** kill -9, as a power cut would. */
  kill(): Promise<void>
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>
}

/** Resolves when it listens. @throws with what it said when it ends instead */
export async function startMintProcess(options: MintProcessOptions): Promise<MintProcess> {
  let child: ChildProcess | undefined
  let port = 0
  let log = ''
  const start = async (): Promise<void> => {
    const [program = process.execPath, ...before] = [...(options.within ?? []), process.execPath]
    const args = [...before, main, '--data', options.folder, '--port', String(port), ...(options.args ?? [])]
    const started = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    let out = ''
    const ready = Promise.withResolvers<void>()
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (/http:\/\/127\.0\.0\.1:\d+/.test(out)) ready.resolve()
    })
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    started.on('exit', (code, signal) => ready.reject(new Error(`the mint ended (${signal ?? code}): ${log}`)))
    await ready.promise
    port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1])
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }
  await start()
  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get pid() {
      return child?.pid ?? 0
    },
    get log() {
      return log
    },
    start,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}
