// A run that hangs says where. Tests have limits of their own, but a loop that never gives way cannot be interrupted, and
// a process that does not end keeps everybody waiting: both are named, and after a while the run is ended.

import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

const lookMs = 30_000
/** No file takes as long as this on a machine that is not overloaded; whole runs (how-much.ts) take what they take. */
const worthSayingMs = 8 * 60_000
const tooLongMs = process.env['FARTHING_CRASH'] === 'whole' ? Number.POSITIVE_INFINITY : 25 * 60_000

export default class StillRunning implements Reporter {
  readonly #since = new Map<string, number>()
  readonly #said = new Set<string>()
  #look: NodeJS.Timeout | undefined

  onTestRunStart(): void {
    this.#look = setInterval(() => this.#lookAround(), lookMs)
    this.#look.unref()
  }

  onTestModuleStart({ moduleId }: TestModule): void {
    this.#since.set(moduleId, Date.now())
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.#since.delete(moduleId)
  }

  onTestRunEnd(): void {
    clearInterval(this.#look)
  }

  #lookAround(): void {
    for (const [moduleId, since] of this.#since) {
      const lastedMs = Date.now() - since
      const sentence = `${relative(process.cwd(), moduleId)} has been running for ${Math.round(lastedMs / 60_000)} minutes`
      if (lastedMs > tooLongMs) {
        console.error(`${sentence}: the run is ended`)
        process.exit(1)
      }
      if (lastedMs > worthSayingMs && !this.#said.has(moduleId)) {
        this.#said.add(moduleId)
        console.error(sentence)
      }
    }
  }
}
