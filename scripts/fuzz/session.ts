// One target fuzzed in a thread of its own, watched from here: a thread that hangs, runs out of memory or dies is a
// finding, and another one goes on.

import { Worker } from 'node:worker_threads'
import { createBeat, newBeatMemory } from './beat.ts'
import { nameOf } from './corpus.ts'
import type { Finding, Report } from './target.ts'
import type { WorkerMessage, WorkOrder } from './work-order.ts'

export type FuzzOptions = Pick<WorkOrder, 'name' | 'corpusFolder' | 'seed' | 'isGuided'> & {
  /** A module that exports a `table`. */
  readonly table: URL
  /** Inputs beside the corpus, and seconds: whichever is over first. Default: without end. */
  readonly runs?: number
  readonly seconds?: number
  /** Default 10. */
  readonly maxFindings?: number
  /** Of JavaScript's own memory. Default: more than any input of ours may need. */
  readonly maxHeapMiB?: number
  /** How long one input may be silent. */
  readonly hangMs?: number
}

/** Far above the limit of time for one input: a machine may be busy, and a thread then waits for its turn. */
const defaultHangMs = 10_000
const lookMs = 100
const defaultMaxFindings = 10
/** Threads in a row, when one after the other hangs or dies. */
const maxThreads = 4
const defaultMaxHeapMiB = 512
const maxInputBytes = 2 * 1024 * 1024

export async function fuzz(options: FuzzOptions): Promise<Report> {
  const startedAt = performance.now()
  const findings: Finding[] = []
  const skip: string[] = []
  let done: DoneMessage | undefined
  const { maxFindings = defaultMaxFindings } = options
  for (let thread = 0; thread < maxThreads && !done && findings.length < maxFindings; thread++) {
    const seconds = (options.seconds ?? Number.MAX_SAFE_INTEGER) - (performance.now() - startedAt) / 1000
    const part = { seed: options.seed + thread, seconds, skip: [...skip], maxFindings }
    done = await runThread(options, part, (finding) => {
      if (!findings.some(({ key }) => key === finding.key)) findings.push(finding)
      if (finding.input) skip.push(nameOf(finding.input))
    })
  }
  const { runs = 0, corpus = 0, fresh = [] } = done ?? {}
  return { runs, corpus, fresh, findings, seconds: (performance.now() - startedAt) / 1000 }
}

type DoneMessage = Extract<WorkerMessage, { kind: 'done' }>

/** @returns undefined when the thread did not come to its end; that is told as a finding */
function runThread(
  options: FuzzOptions,
  part: Pick<WorkOrder, 'seed' | 'seconds' | 'skip' | 'maxFindings'>,
  onFinding: (finding: Finding) => void,
): Promise<DoneMessage | undefined> {
  const { table, name, corpusFolder, isGuided, runs = Number.MAX_SAFE_INTEGER, hangMs = defaultHangMs } = options
  const memory = newBeatMemory(maxInputBytes)
  const beat = createBeat(memory)
  const order: WorkOrder = { table: table.href, name, corpusFolder, isGuided, runs, memory, ...part }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMiB ?? defaultMaxHeapMiB },
    // What a test runner put there is not for this thread.
    execArgv: [],
  })
  return new Promise((resolve) => {
    let isOver = false
    const over = (result: DoneMessage | undefined, finding?: Finding): void => {
      if (isOver) return
      isOver = true
      clearInterval(watch)
      if (finding) onFinding(finding)
      void worker.terminate().then(() => resolve(result))
    }
    const watch = watchForHang(beat, hangMs, (input) => {
      over(undefined, { kind: 'hang', key: 'hang', text: `does not end in ${hangMs} ms`, input })
    })
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'finding') onFinding(message.finding)
      else over(message)
    })
    worker.on('error', (error) => over(undefined, deathOf(error, beat.now())))
    worker.on('exit', (code) => over(undefined, deathOf(new Error(`the thread ended with ${code}`), beat.now())))
  })
}

function watchForHang(beat: ReturnType<typeof createBeat>, hangMs: number, onHang: (input: Uint8Array) => void) {
  let last = { count: -1, at: 0 }
  return setInterval(() => {
    const { count, isRunning, input } = beat.now()
    if (count !== last.count || !isRunning) last = { count, at: performance.now() }
    else if (performance.now() - last.at > hangMs) onHang(input)
  }, lookMs)
}

function deathOf(error: unknown, { isRunning, input }: ReturnType<ReturnType<typeof createBeat>['now']>): Finding {
  const text = error instanceof Error ? (error.stack ?? error.message) : 'no error'
  const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  const kind = isMemory ? 'memory' : 'died'
  return { kind, key: `${kind} ${text.split('\n', 1)[0]}`, text, ...(isRunning ? { input } : {}) }
}
