// A look at the mints again and again, one after another, until stopped.

import { AppError } from '../shared/errors.ts'
import type { Clock } from './wallet/ports.ts'

export type Ticking = {
  /** No further one; `ended` when the running one is over. */
  stop(): void
  readonly ended: Promise<void>
}

export function startTicking(parts: {
  readonly work: () => Promise<void>
  /** Milliseconds between the end of one and the start of the next. */
  readonly everyMs: number
  readonly clock: Clock
  readonly report: (error: AppError) => void
}): Ticking {
  const { work, everyMs, clock, report } = parts
  let isOn = true
  const stopped = Promise.withResolvers<void>()
  const loop = async (): Promise<void> => {
    while (isOn) {
      await work().catch((cause) => report(new AppError('internal', 'a look at the mints failed', { cause })))
      await Promise.race([clock.wait(everyMs), stopped.promise])
    }
  }
  return {
    ended: loop(),
    stop: () => {
      isOn = false
      stopped.resolve()
    },
  }
}
