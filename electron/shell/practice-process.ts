// The practice mint and stall as a child of this app, in a utility process.

import { utilityProcess } from 'electron'
import { type PracticeLauncher, talkToPractice } from '../practice.ts'

const stopTimeoutMs = 5_000

/** @param file the bundled practice process */
export function createPracticeLauncher(file: string): PracticeLauncher {
  return ({ folder, log }) => {
    const child = utilityProcess.fork(file, ['--data', folder], {
      serviceName: 'Farthing practice mint',
      stdio: 'pipe',
      env: environment(),
    })
    child.stderr?.on('data', (chunk: Buffer) => log(`practice: ${chunk.toString('utf8').trimEnd()}`))
    child.stdout?.resume()
    const gone = Promise.withResolvers<void>()
    child.once('exit', () => gone.resolve())
    return talkToPractice({
      post: (message) => child.postMessage(message),
      onMessage: (listener) => child.on('message', listener),
      onEnd: (listener) => child.once('exit', (code) => listener(`ended with ${code}`)),
      end: async () => {
        child.kill()
        const timer = setTimeout(() => {
          log('practice: still there after it was told to end')
          gone.resolve()
        }, stopTimeoutMs)
        await gone.promise
        clearTimeout(timer)
      },
    })
  }
}

/** What a process needs to run at all; nothing that could change what it does. */
function environment(): Record<string, string> {
  const names = ['SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'TZ']
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
