// A defect that nobody caught: nothing that runs can be trusted any more, and everything that matters is on the disk. Node
// would print the error with all it carries; this prints what may be read.

import { AppError } from '../shared/errors.ts'
import { describeThrown, withoutSecrets } from '../shared/log-text.ts'

/** From now on such a process ends with 1, and its log says why. */
export function endOnDefect(log: (line: string) => void): void {
  const end = (thrown: unknown): void => {
    for (const line of `internal: ${describeThrown(thrown)}`.split('\n')) log(line)
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

/** What a start that failed says, on standard error: the code and its words, or where a defect came from. */
export function sayWhyNot(thrown: unknown): void {
  const text = thrown instanceof AppError ? withoutSecrets(`${thrown.code}: ${thrown.message}`) : describeThrown(thrown)
  process.stderr.write(`${text}\n`)
}
