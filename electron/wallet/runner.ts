// One runner over all operations: takes what is due, a few of each mint at a time, one step each, and sleeps until the next
// is due. Mints do not wait for each other: one that is slow holds up nothing but its own.
// Recovery at start is the same thing: every interrupted operation is due, and its step is safe to run again.

import { AppError } from '../../shared/errors.ts'
import type { Operation } from './operation.ts'
import type { Clock } from './ports.ts'
import type { WalletStore } from './store-port.ts'

/** Operations of one mint that are stepped at the same time, and most that are taken at once. */
const concurrency = 4
const atOnce = 256
/** Longest sleep, milliseconds: wakes up to look at clocks that jumped. */
const longestSleepMs = 30_000
/** While a mint is busy, others are looked after this often, milliseconds. */
const whileBusyMs = 1_000
/** An operation whose step failed unexpectedly is left alone this long, milliseconds. */
const afterFailureMs = 60_000
/** A row that cannot be read is tried again after this long, milliseconds. */
const unreadableMs = 24 * 3_600_000

export type Runner = {
  /** Look soon. */
  wake(): void
  /** One step of this operation now, also when it is not due. Never rejects. */
  runNow(id: string): Promise<void>
  /** As `runNow`, but only when it is due; a step that is running is waited for. */
  runIfDue(id: string): Promise<void>
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
      const operation = store.read.other(id)
      if (operation === 'unreadable') return tellOf([id])
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
    const now = store.read.other(operation.id)
    if (!now || now === 'unreadable' || now.nextAttemptAt === null) return
    const nextAttemptAt = clock.now() + afterFailureMs
    const next = { ...now, nextAttemptAt, attempts: now.attempts + 1, lastError: error.code }
    store.transaction((write) => write.updateOperation(next))
  }

  const dueByMint = (): Map<number, Operation[]> => {
    const { operations, unreadable } = store.read.dueOperations(clock.now(), atOnce)
    if (unreadable.length > 0) leaveAlone(unreadable)
    return Map.groupBy(operations, ({ account }) => account)
  }

  const told = new Set<string>()
  /** Rows that a disk or another program spoiled hold up nothing else. Each is told once. */
  const leaveAlone = (ids: readonly string[]): void => {
    store.transaction((write) => write.postpone(ids, clock.now() + unreadableMs))
    tellOf(ids)
  }

  const tellOf = (ids: readonly string[]): void => {
    for (const id of ids.filter((id) => !told.has(id))) {
      told.add(id)
      report(new AppError('folder_damaged', `operation ${id} cannot be read`), null)
    }
  }

  const runAll = async (due: Operation[], mayGoOn: () => boolean): Promise<void> => {
    const worker = async (): Promise<void> => {
      for (let next = due.shift(); next && mayGoOn(); next = due.shift()) await runOne(next.id, true)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  const runDue = async (): Promise<void> => {
    await Promise.all([...dueByMint().values()].map((due) => runAll(due, () => true)))
  }

  /** Mints, by account, whose due operations are being stepped. */
  const busy = new Set<number>()
  const startDue = (): void => {
    for (const [account, due] of dueByMint()) {
      if (busy.has(account)) continue
      busy.add(account)
      void track(runAll(due, () => isRunning)).then(
        () => {
          busy.delete(account)
          wake()
        },
        (cause) => {
          tellFailure(cause)
          void clock.wait(afterFailureMs).then(() => busy.delete(account))
        },
      )
    }
  }

  const loop = async (): Promise<void> => {
    while (isRunning) {
      const woken = signal.promise
      await Promise.race([woken, clock.wait(startAndPlan())])
    }
  }

  /** @returns milliseconds until the next look */
  const startAndPlan = (): number => {
    try {
      startDue()
      const dueAt = store.read.nextDueAt()
      const pauseMs = dueAt === null ? longestSleepMs : dueAt - clock.now()
      return Math.min(longestSleepMs, Math.max(busy.size > 0 ? whileBusyMs : 1, pauseMs))
    } catch (cause) {
      tellFailure(cause)
      return longestSleepMs
    }
  }

  /** A full disk: told, and tried again; what is stored is safe. */
  const tellFailure = (cause: unknown): void =>
    report(new AppError('internal', 'the runner could not go on', { cause }), null)

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
    runIfDue: (id) => track(runOne(id, true)),
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
