// The practice process as a child of a plain Node host. (The window starts the same file as a utility process.)

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type PracticeLauncher, talkToPractice } from '../electron/practice.ts'
import { AppError } from '../shared/errors.ts'

const stopTimeoutMs = 5_000

/** Start it. It ends with this process, however this one ends. */
export const launchPractice: PracticeLauncher = ({ folder, log }) => {
  const child = fork(join(import.meta.dirname, 'main.ts'), ['--data', folder], {
    // Nothing of how this process was started is the child's business.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => log(`practice: ${text.trimEnd()}`))
  return talkToPractice({
    post: (message) => {
      if (!child.connected) throw new AppError('practice_failed', 'the practice process is gone', { retryable: true })
      child.send(message)
    },
    onMessage: (listener) => child.on('message', listener),
    onEnd: (listener) => {
      child.once('error', (error) => listener(error.message))
      child.once('exit', (code, signal) => listener(`ended with ${signal ?? code}`))
    },
    end: () => end(child),
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await exited
  clearTimeout(timer)
}
