// One runner over all operations: takes what is due, a few at a time, one step each, and sleeps until the next is due.
// Recovery at start is the same thing: every interrupted operation is due, and its step is safe to run again.

import { AppError } from '../../shared/errors.ts'
import type { Operation } from './operation.ts'
import type { Clock } from './ports.ts'
import type { WalletStore } from './store-port.ts'

/** Operations that are stepped at the same time. */
const concurrency = 4
/** Longest sleep, milliseconds: wakes up to look at clocks that jumped. */
const longestSleepMs = 30_000
/** An operation whose step failed unexpectedly is left alone this long, milliseconds. */
const afterFailureMs = 60_000

export type Runner = {
  /** Look soon. */
  wake(): void
  /** One step of this operation now, also when it is not due. Never rejects. */
  runNow(id: string): Promise<void>
  /** Nothing else of the runner, and no other `locked` work, touches this operation while `work` runs. */
  locked<T>(id: string, work: () => Promise<T>): Promise<T>
  isLocked(id: string): boolean
  /** Step everything that is due, once, and resolve when all are done. */
  runDue(): Promise<void>
  start(): void
  /** Takes no new steps; resolves when running ones have ended. */
  stop(): Promise<void>
}

export type RunnerParts = {
  readonly store: WalletStore
  readonly clock: Clock
  /** One step of an operation, by its kind. */
  readonly step: (operation: Operation) => Promise<void>
  /** An unexpected failure of a step: a defect, told to the log with its code. */
  readonly report: (error: AppError, operation: Operation | null) => void
}

export function createRunner({ store, clock, step, report }: RunnerParts): Runner {
  const locks = new Map<string, { readonly tail: Promise<unknown>; readonly holders: number }>()
  const running = new Set<Promise<void>>()
  let isRunning = false
  let signal = deferred()

  const locked = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const { tail, holders } = locks.get(id) ?? { tail: Promise.resolve(), holders: 0 }
    const held = async (): Promise<T> => {
      try {
        return await work()
      } finally {
        // Before anybody who waits for the result goes on: for them nobody holds it any more.
        const left = (locks.get(id)?.holders ?? 1) - 1
        if (left === 0) locks.delete(id)
        else locks.set(id, { tail: locks.get(id)?.tail ?? tail, holders: left })
      }
    }
    const result = tail.then(held, held)
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    locks.set(id, { tail: settled, holders: holders + 1 })
    return result
  }

  /** @param onlyIfDue skip when somebody else stepped it meanwhile */
  const runOne = (id: string, onlyIfDue: boolean): Promise<void> =>
    locked(id, async () => {
      const operation = store.read.operation(id)
      if (!operation || operation.nextAttemptAt === null) return
      if (onlyIfDue && operation.nextAttemptAt > clock.now()) return
      try {
        await step(operation)
      } catch (thrown) {
        setAside(
          operation,
          thrown instanceof AppError ? thrown : new AppError('internal', 'a step failed', { cause: thrown }),
        )
      }
    })

  const setAside = (operation: Operation, error: AppError): void => {
    report(error, operation)
    const now = store.read.operation(operation.id)
    if (!now || now.nextAttemptAt === null) return
    const nextAttemptAt = clock.now() + afterFailureMs
    const next = { ...now, nextAttemptAt, attempts: now.attempts + 1, lastError: error.code }
    store.transaction((write) => write.updateOperation(next))
  }

  const runDue = async (): Promise<void> => {
    const due = [...store.read.dueOperations(clock.now(), 256)]
    const worker = async (): Promise<void> => {
      for (let next = due.shift(); next; next = due.shift()) await runOne(next.id, true)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  const loop = async (): Promise<void> => {
    while (isRunning) {
      const woken = signal.promise
      const dueAt = await runDue().then(() => store.read.nextDueAt(), whenTheStoreFails)
      const sleepMs = dueAt === null ? longestSleepMs : Math.min(longestSleepMs, Math.max(1, dueAt - clock.now()))
      await Promise.race([woken, clock.wait(sleepMs)])
    }
  }

  /** A full disk, an unreadable row: told, and tried again; what is stored is safe. */
  const whenTheStoreFails = (cause: unknown): number => {
    report(new AppError('internal', 'the runner could not go on', { cause }), null)
    return clock.now() + afterFailureMs
  }

  const track = (work: Promise<void>): Promise<void> => {
    running.add(work)
    return work.finally(() => running.delete(work))
  }

  const wake = (): void => {
    const before = signal
    signal = deferred()
    before.resolve()
  }

  return {
    wake,
    runNow: (id) => track(runOne(id, false)),
    locked,
    isLocked: (id) => locks.has(id),
    runDue: () => track(runDue()),
    start: () => {
      if (isRunning) return
      isRunning = true
      void track(loop())
    },
    stop: async () => {
      isRunning = false
      wake()
      await Promise.allSettled([...running])
    },
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
