// Sudden death at every call of a port, before its effect and after it, and the network doing its worst with every request
// and frame. The same files are opened again: the books balance, nothing stays half done, and nobody looks like a cheat.
// `npm test` tries a bounded part: death after each call and before every eighth, each fault on the first request of each kind that moves money and
// on the first handover, dealt among the operations. `npm run test:crash` tries everything.

import { afterAll, describe, expect, test } from 'vitest'
import { type Tally, table, tryEverything } from './crash-matrix.ts'
import { plays } from './crash-plays.ts'
import { isWhole } from './how-much.ts'

const tallies: Tally[] = []
const timeoutMs = isWhole ? 60 * 60_000 : 180_000

afterAll(() => {
  console.log(`crash matrix, ${isWhole ? 'whole' : 'bounded part'}\n${table(tallies)}`)
})

describe('nothing is lost and nobody is framed, whatever goes wrong during', () => {
  const turns = plays.map((play, turn) => ({ operation: play.operation, play, turn }))
  test.each(turns)('$operation', { timeout: timeoutMs }, async ({ play, turn }) => {
    const tally = await tryEverything(play, turn)
    tallies.push(tally)
    if (isWhole) console.log(`${tallies.length} of ${plays.length}: ${play.operation}, ${tally.runs} runs`)
    expect(tally.wrongs).toEqual([])
    expect(tally.after).toBeGreaterThan(0)
  })
})
