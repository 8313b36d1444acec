// Whatever three people, their networks, a mint and time do in whatever order: when all is at rest, no money is lost or
// made, nothing is stuck, and nobody can be shown to have spent twice.
// `npm test` draws a few lists of actions, `npm run test:crash` hundreds. FARTHING_SEED repeats them, FARTHING_RUNS says
// how many.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createChance } from './chance.ts'
import { dayMs } from './engine-fixture.ts'
import { howMany } from './how-much.ts'
import { type Action, actAll, actions } from './interleavings.ts'

const { seed } = createChance()
const numRuns = howMany(15, 400)
/** Generous: a run takes a few seconds, and a failure is made smaller in some hundred more. */
const timeoutMs = 300_000 + numRuns * 40_000
/** Then what is known is told: the smallest list so far that goes wrong. */
const interruptAfterTimeLimit = timeoutMs - 60_000

/** Died between swap and answer and woke up after the deadline: the payment waits for its person. */
const neverSent: [number, Action[]] = [
  0,
  [
    { kind: 'die', who: 0, calls: 5, before: false },
    { kind: 'pay', who: 0, to: 1, amount: 1 },
    { kind: 'pass', time: 8 * dayMs },
    { kind: 'die', who: 0, calls: 1, before: false },
  ],
]

test('whatever happens in whatever order, money is conserved and nobody is framed', {
  timeout: timeoutMs,
}, async () => {
  let runs = 0
  const seen = new Map<string, number>()
  const property = fc.asyncProperty(fc.nat(), actions, async (lot, list) => {
    runs++
    const { wrongs, ends } = await actAll(lot, list)
    for (const [end, times] of ends) seen.set(end, (seen.get(end) ?? 0) + times)
    expect(wrongs).toEqual([])
  })
  const tell = () => {
    const ends = [...seen].sort().map(([end, times]) => `${times} ${end}`)
    console.log(`interleavings: seed ${seed}, ${runs} runs; ${ends.join(', ')}`)
  }
  const limits = { interruptAfterTimeLimit, markInterruptAsFailure: true }
  await fc.assert(property, { seed, numRuns, examples: [neverSent], ...limits }).finally(tell)
})
