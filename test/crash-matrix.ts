// The matrix: every play, disturbed once at each place, and counted. How much of it is tried: how-much.ts.

import type { Play } from './crash-plays.ts'
import { actOnce, closeBooks, type Run, setStage } from './crash-run.ts'
import { nameOf, type Trouble } from './crash-trouble.ts'
import { networkFaults } from './fault-proxy.ts'
import { isWhole } from './how-much.ts'

/** One line of the table. */
export type Tally = {
  readonly operation: string
  /** Calls of the victim's ports while nothing goes wrong. */
  readonly sites: number
  readonly before: number
  readonly after: number
  readonly network: number
  /** Deaths after a wait that the operation does not outlive: they cannot happen. */
  readonly waits: number
  readonly runs: number
  /** Runs after which every check held. */
  readonly held: number
  readonly wrongs: readonly string[]
}

/** Longer than any of these plays needs. */
const mostSites = 400

/** The bounded part lets somebody die before every eighth call, and before others in the next play. */
const beforeStep = 8

/** @param turn the play's place among all: the bounded part deals some faults in turn */
export async function tryEverything(play: Play, turn: number): Promise<Tally> {
  const stage = await setStage(play)
  const tally = { before: 0, after: 0, network: 0, waits: 0, runs: 0, held: 0 }
  const wrongs: string[] = []
  const run = async (trouble: Trouble): Promise<Run> => {
    const done = await actOnce(stage, play, trouble)
    tally.runs++
    if (done.wrongs.length === 0) tally.held++
    wrongs.push(...done.wrongs.map((wrong) => `${play.operation}, ${nameOf(trouble, done)}: ${wrong}`))
    return done
  }
  const honest = await run({ kind: 'none' })
  const sites = honest.calls.length
  for (const fate of ['die_before', 'die_after'] as const) {
    const isPart = !isWhole && fate === 'die_before'
    const step = isPart ? beforeStep : 1
    for (let n = isPart ? 1 + (turn % step) : 1; n <= (isWhole ? mostSites : sites); n += step) {
      const { calls, hit } = await run({ kind: 'death', n, fate })
      if (calls.length < n) break
      if (hit) tally[fate === 'die_before' ? 'before' : 'after']++
      else if (calls[n - 1] === 'wait') tally.waits++
      else wrongs.push(`${play.operation}: nobody died at call ${n} (${calls[n - 1]})`)
    }
  }
  for (const trouble of isWhole ? allTroubles : someTroubles(honest, turn)) {
    for (let n = 1; n <= mostSites; n++) {
      const { hit } = await run({ ...trouble, n })
      if (hit) tally.network++
      else if (!isWhole) wrongs.push(`${play.operation}: ${trouble.fault} met nothing`)
      if (!hit || !isWhole) break
    }
  }
  return { operation: play.operation, sites, ...tally, wrongs: [...wrongs, ...closeBooks(stage)] }
}

type NetworkTrouble = Extract<Trouble, { kind: 'request' | 'frame' }>

/** Each fault, on every n-th request and every n-th frame; a late request also of one who has died meanwhile. */
const allTroubles: readonly NetworkTrouble[] = [
  ...networkFaults.map((fault) => ({ kind: 'request', fault, n: 1 }) as const),
  { kind: 'request', fault: 'late request', n: 1, dies: true },
  ...networkFaults.map((fault) => ({ kind: 'frame', fault, n: 1 }) as const),
]

/** How many plays share the faults that are dealt in turn. */
const turns = 3

/**
 * The bounded part: every fault on the first issue and the first melt; on the first swap and the first handover, which
 * many plays have, every third fault, another third for the next play.
 */
function someTroubles({ paths, frames }: Run, turn: number): readonly NetworkTrouble[] {
  const dealt = networkFaults.filter((_, index) => index % turns === turn % turns)
  const first = (path: string, faults: readonly (typeof networkFaults)[number][]) =>
    paths.includes(path) ? faults.map((fault) => ({ kind: 'request', fault, n: 1, path }) as const) : []
  const handovers = frames.includes('handover') ? dealt : []
  return [
    ...first('/v1/mint/bolt11', networkFaults),
    ...first('/v1/melt/bolt11', networkFaults),
    ...first('/v1/swap', dealt),
    ...handovers.map((fault) => ({ kind: 'frame', fault, n: 1, of: 'handover' }) as const),
  ]
}

/** The matrix as people read it. */
export function table(tallies: readonly Tally[]): string {
  const heads = [
    'operation',
    'call sites',
    'deaths before',
    'deaths after',
    'network faults',
    'runs',
    'conservation held',
  ]
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
  const all: Tally = {
    operation: 'all',
    sites: sum(({ sites }) => sites),
    before: sum(({ before }) => before),
    after: sum(({ after }) => after),
    network: sum(({ network }) => network),
    waits: sum(({ waits }) => waits),
    runs: sum(({ runs }) => runs),
    held: sum(({ held }) => held),
    wrongs: [],
  }
  const row = ({ operation, sites, before, after, network, runs, held }: Tally) => [
    operation,
    ...[sites, before, after, network, runs].map(String),
    held === runs ? 'always' : `${held} of ${runs}`,
  ]
  const rows = [heads, ...tallies.map(row), row(all)]
  const widths = heads.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  const size = `${tallies.length} operations, ${all.sites} call sites, ${networkFaults.length} network faults`
  const waits = `${all.waits} deaths after a wait could not happen: the operation was over before the wait was`
  return [...rows.map(line), `${size}; ${waits}.`].join('\n')
}
