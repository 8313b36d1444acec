// Which blocks of the program ran, as V8 counts them.

import { Session } from 'node:inspector'
import { z } from 'zod'

export type Coverage = {
  /** What ran since the last look. */
  take(): Reached
  stop(): void
}

/** Blocks by name. A block that ran exactly as often as the one around it is not among them, but it is reached. */
export type Reached = { readonly blocks: ReadonlySet<string>; has(block: string): boolean }

export const nothingReached: Reached = { blocks: new Set(), has: () => false }

const range = z.object({ startOffset: z.number(), endOffset: z.number(), count: z.number() })
type Range = z.infer<typeof range>
const taken = z.object({
  result: z.array(z.object({ url: z.string(), functions: z.array(z.object({ ranges: z.array(range) })) })),
})

/** The fuzzer itself, what makes its inputs, and Node are not what is looked for. */
const isWatched = (url: string): boolean =>
  url.startsWith('file:') && !/\/scripts\/fuzz\/(?!targets\/)|\/node_modules\/(fast-check|pure-rand)\//.test(url)

/** Of this thread. A look takes about 2 ms; between looks it costs next to nothing. */
export function startCoverage(): Coverage {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return {
    take: () => {
      let reached = nothingReached
      // The answer comes before `post` returns: the session is of this very thread.
      session.post('Profiler.takePreciseCoverage', (error, answer) => {
        if (error) throw error
        reached = reachedIn(taken.parse(answer))
      })
      return reached
    },
    stop: () => session.disconnect(),
  }
}

function reachedIn({ result }: z.infer<typeof taken>): Reached {
  const blocks = new Set<string>()
  const functions = new Map<string, readonly Range[]>()
  for (const { url, functions: listed } of result.filter(({ url }) => isWatched(url))) {
    for (const { ranges } of listed) {
      const [whole] = ranges
      if (!whole) continue
      const name = `${url} ${whole.startOffset}`
      functions.set(name, ranges)
      for (const { startOffset, endOffset, count } of ranges) {
        if (count > 0) blocks.add(`${name} ${startOffset} ${endOffset}`)
      }
    }
  }
  const has = (block: string): boolean => {
    const [url = '', first, from, to] = block.split(' ')
    const around = functions
      .get(`${url} ${first}`)
      ?.filter(({ startOffset, endOffset }) => startOffset <= Number(from) && endOffset >= Number(to))
    // Ranges are listed from the outside in.
    return (around?.at(-1)?.count ?? 0) > 0
  }
  return { blocks, has }
}
