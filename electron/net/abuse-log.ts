// The log says who does what is not let pass, and is no flood itself: what an address does for the first time is told at
// once, the rest is counted and told once a minute.

import type { Offence, OnOffence } from './offences.ts'

export type AbuseLog = {
  readonly note: OnOffence
  /** Tells what was counted and is over. */
  stop(): void
}

/** Milliseconds between two reports. */
const reportEveryMs = 60_000
/** Addresses with a line of their own in one report; the others are summed. */
const maxReported = 8
/** Lines at once between two reports. */
const maxAtOnce = 16
/** Addresses that are told apart between two reports. */
const maxCounted = 1_024

type Counts = Map<Offence, number>

/** At most 25 lines in `everyMs`. @param log a line: an address, offences and numbers */
export function createAbuseLog(log: (line: string) => void, everyMs: number = reportEveryMs): AbuseLog {
  let counted = new Map<string, Counts>()
  let toldAtOnce = 0
  /** By addresses that are not told apart any more. */
  let uncounted = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const report = (): void => {
    const told = [...counted].filter(([, counts]) => sumOf(counts) > 0).sort(([, a], [, b]) => sumOf(b) - sumOf(a))
    for (const [address, counts] of told.slice(0, maxReported)) log(lineOf(address, counts, everyMs))
    const rest = told.slice(maxReported)
    const inAll = rest.reduce((sum, [, counts]) => sum + sumOf(counts), uncounted)
    if (inAll > 0) log(`refused ${rest.length} more addresses in ${seconds(everyMs)}: ${inAll} times`)
    counted = new Map()
    toldAtOnce = 0
    uncounted = 0
  }
  const start = (): void => {
    timer = setTimeout(() => {
      const isQuiet = counted.size === 0
      report()
      if (isQuiet) timer = undefined
      else start()
    }, everyMs)
    timer.unref()
  }
  const countsOf = (address: string): Counts | undefined => {
    const known = counted.get(address)
    if (known || counted.size >= maxCounted) return known
    const counts: Counts = new Map()
    counted.set(address, counts)
    return counts
  }
  return {
    note: (address, offence) => {
      if (timer === undefined) start()
      const counts = countsOf(address)
      if (!counts) {
        uncounted++
        return
      }
      const isToldAtOnce = !counts.has(offence) && toldAtOnce < maxAtOnce
      if (isToldAtOnce) {
        toldAtOnce++
        log(`refused ${address}: ${offence}`)
      }
      // What was just told is not counted.
      counts.set(offence, (counts.get(offence) ?? 0) + (isToldAtOnce ? 0 : 1))
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
      report()
    },
  }
}

const sumOf = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0)
const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 1_000)} s`

function lineOf(address: string, counts: Counts, everyMs: number): string {
  const parts = [...counts]
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([offence, count]) => `${count} × ${offence}`)
  return `refused ${address} in ${seconds(everyMs)}: ${parts.join(', ')}`
}
