// The log: a file in the user's folder with a limit to its size. Lines carry codes and ids; what looks like money or a key
// is taken out all the same.

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type Log = (line: string) => void

/** The file, and the one before it: at most twice this many bytes. */
const maxFileBytes = 1_048_576
const maxLineLength = 600

/** Tokens and requests of Cashu, invoices, links, and long hex such as keys, secrets and signatures. */
const secretLooking = [
  /\b(?:cashu[A-Z]|creq[A-Z]|creqb1)[\w+/=-]{8,}/gi,
  /\bln(?:bc|tb|bcrt)[a-z0-9]{16,}/gi,
  /\b(?:cashu|farthing):\S+/gi,
  /\b[0-9a-f]{48,}\b/gi,
  /\b[a-z]{3,8}(?:["',\s]+[a-z]{3,8}){11,}\b/gi,
]

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

/** One line, cut to its limit, without anything that could be spent or that opens a wallet. */
export function withoutSecrets(line: string): string {
  const flat = line.replace(/[\r\n]+/g, ' ')
  const clean = secretLooking.reduce((text, pattern) => text.replace(pattern, '[…]'), flat)
  return clean.length > maxLineLength ? `${clean.slice(0, maxLineLength)}…` : clean
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
