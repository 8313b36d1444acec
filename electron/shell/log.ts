// The log: a file in the user's folder with a limit to its size. Lines carry codes and ids; what looks like money or a key
// is taken out all the same.

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withoutSecrets } from '../../shared/log-text.ts'

export type Log = (line: string) => void

/** The file, and the one before it: at most twice this many bytes. */
const maxFileBytes = 1_048_576

/**
 * Write lines with their time to `farthing.log` in this folder. A disk that is full or read-only costs the line and
 * nothing else.
 * @param alsoPrint development: to the terminal too
 */
export function createLog(folder: string, alsoPrint: boolean): Log {
  const file = join(folder, 'farthing.log')
  return (line) => {
    const text = `${new Date().toISOString()} ${withoutSecrets(line)}\n`
    if (alsoPrint) process.stderr.write(text)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      if (sizeOf(file) + text.length > maxFileBytes) renameSync(file, `${file}.1`)
      appendFileSync(file, text, { mode: 0o600 })
    } catch {
      // nowhere left to say it
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
