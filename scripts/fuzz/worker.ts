// The thread in which a target runs. What runs now stands in memory that the other side can read, also when this thread
// never comes back.

import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { createBeat } from './beat.ts'
import { nameOf, readCorpus } from './corpus.ts'
import { startCoverage } from './coverage.ts'
import { runLoop } from './loop.ts'
import { keptBytes } from './memory.ts'
import { createOracle } from './oracle.ts'
import { createRandom } from './random.ts'
import type { Finding, OpenTarget, Target, TargetTable } from './target.ts'
import { type WorkerMessage, type WorkOrder, workOrderSchema } from './work-order.ts'

/** A target that waits for nothing but an answer must not end the thread. */
const alive = setInterval(() => {}, 60_000)
/** Values tried for each property. */
const propertyRuns = 200
/** Inputs until everything is loaded and every table is made. */
const warmRuns = 500
/** What a target may keep of all its inputs. */
const keptLimitBytes = 48 * 1024 * 1024

const tell = (message: WorkerMessage): void => parentPort?.postMessage(message)
let told = 0
const tellFinding = (finding: Finding): void => {
  told++
  tell({ kind: 'finding', finding })
}

async function main(): Promise<void> {
  const order = workOrderSchema.parse(workerData)
  const module: { readonly table: TargetTable } = await import(order.table)
  const load = module.table[order.name]
  if (!load) throw new Error(`no target ${order.name}`)
  const target = await load()
  const opened = await target.open()
  try {
    const done = await work(order, target, opened)
    await opened.close()
    // The last word: the other side ends this thread when it hears it.
    tell(done)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function work(order: WorkOrder, target: Target, opened: OpenTarget): Promise<WorkerMessage> {
  const oracle = createOracle(target, opened)
  const beat = createBeat(order.memory)
  const onDisk = readCorpus(order.corpusFolder).map(({ input }) => input)
  const known = [...onDisk, ...(target.seeds ?? []), ...(opened.seeds ?? [])]
  const corpus = known.filter((input) => !order.skip.includes(nameOf(input)))
  for (const finding of brokenProperties(target, order.seed)) tellFinding(finding)
  const coverage = order.isGuided ? startCoverage() : undefined
  const memory = watchMemory()
  const endAt = Date.now() + order.seconds * 1000
  const { runs, fresh } = await runLoop({
    target,
    oracle: async (input) => {
      try {
        return await oracle(input)
      } finally {
        beat.end()
      }
    },
    random: createRandom(order.seed),
    corpus,
    coverage,
    isEnough: (sofar) => {
      memory.look(sofar)
      return sofar >= corpus.length + order.runs || Date.now() >= endAt
    },
    isOver: () => told >= order.maxFindings,
    onInput: (input) => beat.begin(input),
    onFinding: tellFinding,
  })
  coverage?.stop()
  const kept = memory.kept()
  if (kept > keptLimitBytes)
    tellFinding({ kind: 'memory', key: 'kept', text: `keeps ${kept >> 20} MiB of ${runs} inputs` })
  return { kind: 'done', runs, corpus: corpus.length, fresh }
}

function brokenProperties({ properties = [] }: Target, seed: number): readonly Finding[] {
  return properties.flatMap(({ name, property }): Finding[] => {
    const result = fc.check(property, { seed, numRuns: propertyRuns })
    if (!result.failed) return []
    const error = result.errorInstance instanceof Error ? result.errorInstance.message : ''
    const text = `${name}: ${fc.stringify(result.counterexample)} (seed ${seed}, path ${result.counterexamplePath}) ${error}`
    return [{ kind: 'property', key: name, text }]
  })
}

/** What is kept from when everything was loaded until the end, garbage excluded. */
function watchMemory() {
  let before: number | undefined
  return {
    look: (runs: number): void => {
      if (before === undefined && runs >= warmRuns) before = keptBytes()
    },
    kept: (): number => (before === undefined ? 0 : keptBytes() - before),
  }
}

await main().finally(() => clearInterval(alive))
