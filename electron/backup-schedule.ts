// When an automatic copy is made. An open payment is on this computer alone: it is copied within a minute. Everything else
// waits, for an hour at most; what is left when the program ends is copied then.

import { type AppError, toAppError } from '../shared/errors.ts'
import type { Clock } from './wallet/ports.ts'

export type Urgency = 'soon' | 'later'

export type BackupSchedule = {
  /** Something changed that the phrase cannot bring back. */
  note(urgency: Urgency): void
  /** Make one now. @throws AppError as `copy` */
  now(): Promise<void>
  /** Why the last one failed; null when it did not. */
  trouble(): AppError | null
  /** Start again with another folder, or none: nothing is due, nothing has failed. */
  reset(): void
  /** Make the one that is due, if there is time, and no more. */
  stop(): Promise<void>
}

export type BackupScheduleParts = {
  readonly clock: Clock
  /** Write one copy; ends early with an error when it is told to. */
  readonly copy: (signal: AbortSignal) => Promise<void>
  /** Whether there is a folder. */
  readonly isOn: () => boolean
  /** Something changed since the last copy, also one of an earlier run. */
  readonly isPending: boolean
  readonly onDone: () => void
  readonly onTrouble: (error: AppError) => void
}

/** Changes come in flocks: wait for the end of one, not for ever. Milliseconds. */
const quietMs = 10_000
const soonMs = 50_000
/** Copies of what is not urgent are this far apart. Milliseconds. */
const laterMs = 3_600_000
/** After a failure: first and longest pause, doubling. Milliseconds. */
const retryMs = [60_000, 3_600_000] as const
/** A copy that takes long is made less often: this many times as long lies between two. */
const restShare = 10
/** How long the end of the program waits for a copy, and then for one that was told to end. Milliseconds. */
const lastMs = 5_000
const endMs = 1_000
const never = Number.POSITIVE_INFINITY

export function createBackupSchedule(parts: BackupScheduleParts): BackupSchedule {
  const { clock, copy, isOn, onTrouble } = parts
  const stopping = new AbortController()
  let isPending = parts.isPending
  let dueAt = never
  let mustBy = never
  let lastAt = clock.now()
  let tookMs = 0
  let triedAt = lastAt
  let failures = 0
  let trouble: AppError | null = null
  let running: Promise<void> | null = null
  let signal = Promise.withResolvers<void>()

  const wake = (): void => {
    signal.resolve()
    signal = Promise.withResolvers()
  }
  /** One at a time: whoever asks while one runs may mean what it has not seen, and gets the next. */
  const run = async (): Promise<void> => {
    while (running) await running.catch(() => {})
    running = copyOnce()
    try {
      await running
    } finally {
      running = null
    }
  }
  const copyOnce = async (): Promise<void> => {
    // What changes from here on may not be in it.
    dueAt = never
    mustBy = never
    isPending = false
    const begunAt = clock.now()
    try {
      await copy(stopping.signal)
      lastAt = clock.now()
      tookMs = Math.max(0, lastAt - begunAt)
      // What changed meanwhile waits as long as what changes next.
      if (dueAt < never) dueAt = Math.max(dueAt, lastAt + tookMs * restShare)
      failures = 0
      trouble = null
      parts.onDone()
    } catch (thrown) {
      isPending = true
      trouble = toAppError(thrown)
      triedAt = clock.now()
      const pause = Math.min(retryMs[1], retryMs[0] * 2 ** Math.min(failures, 10))
      failures += 1
      mustBy = never
      dueAt = triedAt + pause
      if (!stopping.signal.aborted) onTrouble(trouble)
      throw trouble
    }
  }
  const note = (urgency: Urgency): void => {
    if (!isOn() || stopping.signal.aborted) return
    isPending = true
    const now = clock.now()
    if (trouble !== null) {
      // The pause counts; but a stick may be back when the next payment comes.
      if (urgency === 'soon') dueAt = Math.min(dueAt, Math.max(now + quietMs, triedAt + retryMs[0]))
    } else if (urgency === 'soon') {
      mustBy = Math.min(mustBy, now + soonMs)
      dueAt = Math.max(Math.min(mustBy, now + quietMs), lastAt + tookMs * restShare)
    } else {
      dueAt = Math.min(dueAt, Math.max(now + quietMs, lastAt + laterMs))
    }
    wake()
  }
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const woken = signal.promise
      // Due later than anything ever is: planned before the clock was set back.
      if (dueAt < never && dueAt > clock.now() + laterMs) dueAt = clock.now()
      const left = dueAt - clock.now()
      if (left > 0) await Promise.race([woken, clock.wait(Math.min(left, laterMs))])
      else await run().catch(() => {})
    }
  }
  if (isPending && isOn()) dueAt = clock.now() + quietMs
  void loop()

  return {
    note,
    now: async () => {
      await run()
      wake()
    },
    trouble: () => trouble,
    reset: () => {
      isPending = false
      dueAt = never
      mustBy = never
      failures = 0
      trouble = null
    },
    stop: async () => {
      const isLast = isPending && isOn() && trouble === null
      const last = (isLast ? run() : (running ?? Promise.resolve())).catch(() => {})
      await Promise.race([last, clock.wait(lastMs)])
      stopping.abort()
      wake()
      // Its part on this computer ends soon. A folder that does not answer is not waited for.
      await Promise.race([last, clock.wait(endMs)])
    },
  }
}
