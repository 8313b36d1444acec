// What is right and what is a finding: an input is read or refused by a documented error, in less than the limit of
// time and memory, and leaves no mark on what all objects share.

import { AppError } from '../../shared/errors.ts'
import { collectGarbage, memoryBytes } from './memory.ts'
import { Broken, type Finding, hold, type OpenTarget, type Target } from './target.ts'

/** Processor time of this thread for one input: other programs of a busy machine do not count. */
export const timeLimitMs = 100
/** What one input may take for itself, garbage included. */
export const memoryLimitBytes = 64 * 1024 * 1024
/** Compiling, collecting garbage and tables made once are not the input's fault: it is run again so often. */
const secondLooks = 4

export type Oracle = (input: Uint8Array) => Promise<Finding | undefined>

export function createOracle(target: Target, opened: OpenTarget): Oracle {
  const measured = async (input: Uint8Array) => {
    const [cpuBefore, memoryBefore] = [cpuMs(), memoryBytes()]
    const wrong = await tried(target, opened, input)
    return { wrong, ms: cpuMs() - cpuBefore, bytes: memoryBytes() - memoryBefore }
  }
  return async (input) => {
    const first = await measured(input)
    if (first.wrong) return first.wrong
    if (first.ms <= timeLimitMs && first.bytes <= memoryLimitBytes) return undefined
    const looks = [first]
    while (looks.length <= secondLooks) {
      collectGarbage()
      looks.push(await measured(input))
    }
    // Garbage may be collected within a run all the same: what is seen twice is so.
    const [, bytes = 0] = looks.map((look) => look.bytes).toSorted((a, b) => b - a)
    if (bytes > memoryLimitBytes) return { kind: 'memory', key: 'memory', text: `takes ${bytes >> 20} MiB`, input }
    const ms = Math.min(...looks.map((look) => look.ms))
    if (ms > timeLimitMs) return { kind: 'slow', key: 'slow', text: `takes ${Math.round(ms)} ms`, input }
    return undefined
  }
}

async function tried(target: Target, opened: OpenTarget, input: Uint8Array): Promise<Finding | undefined> {
  try {
    const running = opened.run(input)
    if (running) await running
    hold(isUnmarked(), 'every object has a new property now')
    return undefined
  } catch (thrown) {
    if (thrown instanceof AppError && target.codes.includes(thrown.code)) return undefined
    return { kind: 'threw', key: keyOf(thrown), text: describe(thrown), input }
  }
}

function isUnmarked(): boolean {
  for (const _ in {}) return false
  return Object.keys(Object.prototype).length === 0
}

/** The kind of error and the place it came from. */
function keyOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `threw ${typeof thrown}`
  if (thrown instanceof Broken) return thrown.message
  const place = (thrown.stack ?? '').split('\n').find((line) => line.includes('file:') && !line.includes('/fuzz/'))
  return `${thrown.name} ${thrown instanceof AppError ? thrown.code : ''} ${place?.trim() ?? ''}`
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `threw ${typeof thrown}`
  const cause = thrown.cause instanceof Error ? `\ncaused by ${thrown.cause.stack}` : ''
  const code = thrown instanceof AppError ? `${thrown.code}: ` : ''
  return `${code}${thrown.stack ?? thrown.message}${cause}`
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
