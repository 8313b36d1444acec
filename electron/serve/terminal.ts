// The terminal beside a local page: the person there is the one who may open it.

import { withoutSecrets } from '../../shared/log-text.ts'

/** Calls when a new link is asked for: Enter in the terminal, or the signal USR2. @returns a function that ends it */
export function onLinkWanted(then: () => void): () => void {
  const { stdin } = process
  const onLine = (): void => then()
  if (stdin.isTTY) {
    stdin.on('data', onLine)
    stdin.resume()
  }
  process.on('SIGUSR2', then)
  return () => {
    process.off('SIGUSR2', then)
    stdin.off('data', onLine)
    stdin.pause()
  }
}

/** Calls once when the process is asked to end. */
export function onStopWanted(then: () => void): void {
  let isWanted = false
  const once = (): void => {
    if (!isWanted) then()
    isWanted = true
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, once)
}

/** A line for people. It may hold a link, which a log may not. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Time of day and text, on standard error: what is printed for people stands alone. */
export function logLine(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${withoutSecrets(line)}\n`)
}
