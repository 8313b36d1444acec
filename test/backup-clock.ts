// A clock that a test moves: whoever waits goes on in the order of time.

import type { Clock } from '../electron/wallet/ports.ts'

export type TestClock = Clock & { move(milliseconds: number): Promise<void> }

export function createClock(start: number): TestClock {
  let now = start
  let waiting: { readonly at: number; readonly resolve: () => void }[] = []
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    now: () => now,
    wait: (milliseconds) => new Promise((resolve) => waiting.push({ at: now + milliseconds, resolve })),
    move: async (milliseconds) => {
      const until = now + milliseconds
      await settled()
      for (;;) {
        const next = Math.min(...waiting.map(({ at }) => at))
        if (next > until) break
        now = Math.max(now, next)
        const due = waiting.filter(({ at }) => at <= now)
        waiting = waiting.filter(({ at }) => at > now)
        for (const { resolve } of due) resolve()
        await settled()
      }
      now = until
      await settled()
    },
  }
}
