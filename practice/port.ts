// The practice mint's port. It is part of the mint's address, which wallets keep: so it is chosen once.

import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { AppError } from '../shared/errors.ts'

/** Below the ports that systems hand out to connections by themselves (32768 on Linux, 49152 elsewhere). */
const firstPort = 20_000
const lastPort = 32_000
const attempts = 20

/**
 * Start something on the port that the file names; the first time on a free one, which the file names from then on.
 * @throws AppError `practice_failed` when another program has the port, `folder_damaged` when the file names none
 */
export async function onSamePort<T>(file: string, start: (port: number) => Promise<T>): Promise<T> {
  if (existsSync(file)) {
    const port = Number(readFileSync(file, 'utf8'))
    if (!(port >= firstPort && port < lastPort)) throw new AppError('folder_damaged', `${file} names no port`)
    return start(port).catch((cause) => {
      if (!isTaken(cause)) throw cause
      throw new AppError('practice_failed', `another program uses port ${port}`, { cause, retryable: true })
    })
  }
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(firstPort, lastPort)
    try {
      const started = await start(port)
      writeFileSync(file, `${port}\n`, { mode: 0o600 })
      return started
    } catch (error) {
      if (!isTaken(error) || attempt === attempts) throw error
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')
}
