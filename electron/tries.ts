// Tries of a passphrase, throttled: five are free, then each costs a wait that doubles up to an hour. It slows down
// somebody at this computer; whoever takes the file away guesses without it, which is what the cost of a guess is for.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { z } from '../shared/schema.ts'
import { removeDurably, writeDurably } from './durable-file.ts'
import type { Clock } from './wallet/ports.ts'

export type Tries = {
  /** When the next try is taken, milliseconds; null when it is now. It writes nothing and does not throw. */
  retryAt(): number | null
  /**
   * One try. It counts before it runs, durably: ending the process does not make it free. Only what is found ends the
   * count; what throws was none.
   * @returns what was found
   * @throws AppError `too_many_tries` (facts: `retryAt`, milliseconds), `wrong_passphrase` when nothing was found
   */
  attempt<T>(work: () => Promise<T | undefined>): Promise<T>
}

const free = 5
const firstWaitMs = 30_000
const longestWaitMs = 60 * 60_000

/** Wrong tries one after another, and when the last one was, milliseconds. */
const schema = z.strictObject({ wrong: z.number().int().min(0), at: z.number().int().min(0) })
type State = z.infer<typeof schema>
const none: State = { wrong: 0, at: 0 }

/** The name of the file in the data folder. */
export const triesName = 'phrase.tries'

export function createTries(folder: string, clock: Pick<Clock, 'now'>): Tries {
  const path = join(folder, triesName)
  const write = (state: State): void => writeDurably(path, JSON.stringify(state))

  /** A wait that began when the file was found to be of no use, for as long as it says the same. */
  let restarted: { readonly text: string | undefined; readonly state: State } | null = null

  const state = (): State => {
    const text = readText(path)
    if (text === null) return none
    const stored = text === undefined ? undefined : parse(text)
    // Unreadable, or written at a time that has not come yet because the clock was set back: the wait begins now.
    if (stored !== undefined && stored.at <= clock.now()) return stored
    if (restarted === null || restarted.text !== text || restarted.state.at > clock.now()) {
      restarted = { text, state: { wrong: stored?.wrong ?? free, at: clock.now() } }
    }
    return restarted.state
  }
  const retryAt = (): number | null => {
    const { wrong, at } = state()
    const due = at + waitMs(wrong)
    return due > clock.now() ? due : null
  }
  return {
    retryAt,
    attempt: async (work) => {
      const due = retryAt()
      if (due !== null) throw new AppError('too_many_tries', 'the next try is taken later', { facts: { retryAt: due } })
      const before = state()
      write({ wrong: before.wrong + 1, at: clock.now() })
      const found = await work().catch((error) => {
        if (before.wrong === 0) removeDurably(path)
        else write(before)
        throw error
      })
      if (found === undefined) throw new AppError('wrong_passphrase', 'not the passphrase')
      removeDurably(path)
      return found
    },
  }
}

const waitMs = (wrong: number): number =>
  wrong < free ? 0 : Math.min(firstWaitMs * 2 ** Math.min(wrong - free, 20), longestWaitMs)

/** @returns null when it is not there, undefined when it cannot be read */
function readText(path: string): string | null | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? null : undefined
  }
}

function parse(text: string): State | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
