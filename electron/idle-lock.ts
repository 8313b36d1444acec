// Locking when nobody has asked for anything for a while. By the clock on the wall: a computer that slept through the
// time is locked when it wakes up.

import type { CommandName } from '../shared/ipc.ts'
import type { Clock } from './wallet/ports.ts'

export type IdleLock = {
  /** A command came: a person is there, if it is one that only people cause. @returns whether it came too late */
  heard(name: CommandName): boolean
  /** The wallet was opened or unlocked, or its setting changed: count from now. */
  restart(): void
  stop(): void
}

export type IdleLockParts = {
  readonly clock: Clock
  /** Null when it does not lock by itself, or is not open. */
  readonly minutes: () => number | null
  readonly lock: () => void
}

/** What windows ask by themselves: when events come, when they are shown, when they close. */
const unattended: ReadonlySet<CommandName> = new Set<CommandName>([
  'app.snapshot',
  'gate.look',
  'payments.get',
  'payments.list',
  'payments.page',
  'mints.list',
  'withdraw.get',
  'cashOut.get',
  'nearby.list',
  'nearby.look',
  'audit.totals',
  'audit.claims',
])
/** Timers stand still while a computer sleeps: the time is looked at this often. */
const lookMs = 10_000

export function createIdleLock({ clock, minutes, lock }: IdleLockParts): IdleLock {
  let last = clock.now()
  let watch = 0

  /** The time that somebody was here last cannot lie ahead: then the clock was set back since. */
  const leftMs = (limit: number): number => {
    const now = clock.now()
    last = Math.min(last, now)
    return last + limit * 60_000 - now
  }
  const keepWatch = async (mine: number): Promise<void> => {
    for (;;) {
      const limit = mine === watch ? minutes() : null
      if (limit === null) return
      const left = leftMs(limit)
      if (left <= 0) return lock()
      await clock.wait(Math.min(left, lookMs))
    }
  }
  return {
    heard: (name) => {
      const limit = minutes()
      if (limit !== null && leftMs(limit) <= 0) return true
      if (!unattended.has(name)) last = clock.now()
      return false
    },
    restart: () => {
      last = clock.now()
      watch += 1
      void keepWatch(watch)
    },
    stop: () => {
      watch += 1
    },
  }
}
