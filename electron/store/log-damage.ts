// The log of a wallet's database on the disk: looked through before it is opened to write, and kept when it is damaged.

import { closeSync, constants, copyFileSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { type LogState, lookThroughLog } from '../../shared/log-damage.ts'

/** How many commits of this log SQLite would drop. @see LogState */
export function commitsDropped(logPath: string): number {
  return existsSync(logPath) ? stateOf(logPath).dropped : 0
}

/**
 * Keep a copy of a log beside it, mode 0600, under a name that says which one it is: the same log is kept once.
 * @throws the system's error where there is no room: then the log must not be opened
 */
export function keepLog(logPath: string): void {
  const kept = `${logPath}-damaged-${stateOf(logPath).round ?? 'empty'}`
  if (!existsSync(kept)) copyFileSync(logPath, kept, constants.COPYFILE_EXCL)
}

function stateOf(logPath: string): LogState {
  const file = openSync(logPath, 'r')
  try {
    const read = (at: number, length: number): Uint8Array => {
      const bytes = Buffer.alloc(length)
      readSync(file, bytes, 0, length, at)
      return bytes
    }
    return lookThroughLog({ size: statSync(logPath).size, read })
  } finally {
    closeSync(file)
  }
}
