// A process that ends at one of its file operations, before or after its effect: put in the place of `node:fs`. From then on
// nothing more happens to the disk, as nothing does when a process has ended. What was written and not flushed by then is
// gone, as after a power cut: the file is there, and empty.

import type * as NodeFs from 'node:fs'

/** What changes something on a disk. */
const names = ['openSync', 'writeFileSync', 'fsyncSync', 'renameSync', 'rmSync', 'mkdirSync', 'chmodSync'] as const

export const crash = {
  /** Operations so far. */
  count: 0,
  /** At which one the process ends, counted from 1; 0 for never. */
  at: 0,
  isAfter: false,
  isDead: false,
  arm: (at: number, isAfter: boolean): void => {
    unflushed.clear()
    Object.assign(crash, { count: 0, at, isAfter, isDead: false })
  },
  disarm: (): void => crash.arm(0, false),
}

class Crash extends Error {
  /** What a disk says that does not answer any more. */
  readonly code = 'EIO'
}

/** Files that were written and not flushed since, by their path of now. */
const unflushed = new Set<string>()
const paths = new Map<unknown, string>()

/** Follow what an operation did to what is flushed. */
function follow(name: (typeof names)[number], [first, second]: readonly unknown[], result: unknown): void {
  const path = paths.get(first) ?? String(first)
  if (name === 'openSync') paths.set(result, path)
  else if (name === 'writeFileSync') unflushed.add(path)
  else if (name === 'fsyncSync' || name === 'rmSync') unflushed.delete(path)
  else if (name === 'renameSync' && unflushed.delete(path)) unflushed.add(String(second))
}

export function crashing(fs: typeof NodeFs): typeof NodeFs {
  const losePower = (): void => {
    for (const path of unflushed) if (fs.existsSync(path)) fs.truncateSync(path, 0)
    unflushed.clear()
  }
  const watched = Object.fromEntries(
    names.map((name) => {
      const real = fs[name] as (...args: unknown[]) => unknown
      const wrapped = (...args: unknown[]): unknown => {
        if (crash.isDead) throw new Crash(name)
        crash.count++
        const isNow = crash.count === crash.at
        if (isNow) crash.isDead = true
        if (isNow && !crash.isAfter) {
          losePower()
          throw new Crash(name)
        }
        const result = real(...args)
        follow(name, args, result)
        if (isNow) {
          losePower()
          throw new Crash(name)
        }
        return result
      }
      return [name, wrapped]
    }),
  )
  return { ...fs, ...watched, default: { ...fs, ...watched } } as typeof NodeFs
}
