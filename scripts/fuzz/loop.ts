// The loop of a fuzzer: take an input that is known, change it, run it, and keep it when it reached new code.

import { type Coverage, nothingReached, type Reached } from './coverage.ts'
import { createMutator } from './mutate.ts'
import { mutateValue } from './mutate-value.ts'
import type { Oracle } from './oracle.ts'
import type { Random } from './random.ts'
import type { Finding, Target } from './target.ts'

export type LoopOptions = {
  readonly target: Target
  readonly oracle: Oracle
  readonly random: Random
  readonly corpus: readonly Uint8Array[]
  /** Without it the inputs depend on the seed alone. */
  readonly coverage: Coverage | undefined
  /** Asked after every batch: whether this many inputs are enough. */
  readonly isEnough: (runs: number) => boolean
  /** Asked before every input: whether enough was found. */
  readonly isOver: () => boolean
  /** Told before each input, so that somebody knows what was running when it never ends. */
  readonly onInput: (input: Uint8Array) => void
  readonly onFinding: (finding: Finding) => void
}

export type LoopResult = { readonly runs: number; readonly fresh: readonly Uint8Array[] }

/** Inputs between two looks at the coverage. */
const batchSize = 64
/** Inputs kept in memory beside the corpus: a long run reaches new code ever more rarely. */
const maxFresh = 2_000
/** Where new code was reached last, there is more: these inputs are taken more often. */
const recent = 4

export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { coverage, corpus, isEnough } = options
  const pool = corpus.length > 0 ? [...corpus] : [new Uint8Array()]
  const fresh: Uint8Array[] = []
  const seen = new Set<string>()
  const told = new Set<string>()
  let runs = 0

  const run = async (input: Uint8Array): Promise<void> => {
    runs++
    options.onInput(input)
    const finding = await options.oracle(input)
    if (!finding || told.has(finding.key)) return
    told.add(finding.key)
    options.onFinding(await smaller(options, finding))
  }
  const reachedBy = async (inputs: readonly Uint8Array[]): Promise<Reached> => {
    for (const input of inputs) if (!options.isOver()) await run(input)
    return coverage?.take() ?? nothingReached
  }
  /** Halves, until the inputs that reach new code are alone. */
  const keepFresh = async (inputs: readonly Uint8Array[], news: ReadonlySet<string>): Promise<void> => {
    const [only] = inputs
    if (inputs.length > 1) {
      const half = inputs.length >> 1
      for (const part of [inputs.slice(0, half), inputs.slice(half)]) {
        const ran = await reachedBy(part)
        const reached = new Set([...news].filter((block) => ran.has(block) && !seen.has(block)))
        if (reached.size > 0) await keepFresh(part, reached)
      }
    } else if (only && fresh.length < maxFresh) {
      for (const block of news) seen.add(block)
      pool.push(only)
      fresh.push(only)
    }
  }

  coverage?.take()
  for (const block of (await reachedBy(corpus)).blocks) seen.add(block)
  const next = createSource(
    options,
    () => pool,
    () => fresh.slice(-recent),
  )
  while (!isEnough(runs) && !options.isOver()) {
    const inputs = Array.from({ length: batchSize }, next)
    const { blocks } = await reachedBy(inputs)
    const news = new Set([...blocks].filter((block) => !seen.has(block)))
    if (news.size > 0) await keepFresh(inputs, news)
    // What ran in the batch and not again (a table that is made once) is no news either.
    for (const block of news) seen.add(block)
  }
  return { runs, fresh }
}

/** Where inputs come from: bytes changed, values changed, values made. */
function createSource(
  { target, random }: LoopOptions,
  pool: () => readonly Uint8Array[],
  latest: () => readonly Uint8Array[],
): () => Uint8Array {
  const { structure, sample, maxBytes } = target
  const mutate = createMutator(random, {
    maxBytes,
    isText: target.form !== 'bytes',
    words: target.words ?? [],
    others: pool,
  })
  let made: Uint8Array[] = []
  const make = (): Uint8Array | undefined => {
    if (!sample) return undefined
    if (made.length === 0) made = [...sample(random.below(2 ** 31), batchSize)]
    return made.pop()
  }
  return () => {
    const news = latest()
    const known = random.pick(news.length > 0 && random.oneIn(3) ? news : pool())
    const kind = random.below(8)
    if (structure && kind < 3) return restructured(random, target, known)?.subarray(0, maxBytes) ?? mutate(known)
    if (kind === 3) return make() ?? mutate(known)
    if (kind === 4) return mutate(make() ?? known)
    return mutate(known)
  }
}

function restructured(
  random: Random,
  { structure, maxBytes }: Pick<Target, 'structure' | 'maxBytes'>,
  input: Uint8Array,
): Uint8Array | undefined {
  try {
    let value = structure?.read(input)
    for (let left = 1 + random.below(3); left > 0; left--) value = mutateValue(random, value, maxBytes)
    return structure?.write(value)
  } catch {
    return undefined // no value in it, or none that can be written
  }
}

/** Runs to spend on a shorter input. */
const maxShortening = 400

/** The same finding from less: parts are cut as long as it stays. What is slow is left as it is. */
async function smaller({ oracle, onInput }: LoopOptions, finding: Finding): Promise<Finding> {
  if (finding.kind !== 'threw' || !finding.input) return finding
  let best = finding
  let runs = 0
  for (let size = finding.input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < (best.input?.length ?? 0) && runs < maxShortening; runs++) {
      const input = best.input ?? new Uint8Array()
      const shorter = Buffer.concat([input.subarray(0, at), input.subarray(at + size)])
      onInput(shorter)
      const again = await oracle(shorter)
      if (again?.key === finding.key) best = again
      else at += size
    }
  }
  return best
}
