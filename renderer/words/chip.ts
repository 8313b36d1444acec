// Words of the connectivity chips and of what they open.

import { payments } from './common.ts'

export const chipWords = {
  label: 'Mints',
  title: 'Mints and what waits',
  reachable: 'reachable',
  playMoney: 'play money',
  asking: 'asking…',
  notReached: (since: string) => `not reached since ${since}`,
  /** Where there is little room. */
  out: (since: string) => `out since ${since}`,
  more: (count: number) => `+${count}`,
  moreMints: ' more mints',
  reachableSentence: 'Reachable.',
  askingSentence: 'Farthing is asking whether it answers.',
  neverReached: 'It has not answered yet.',
  outSentence: (since: string) => `Not reached since ${since}.`,
  waiting: (waiting: { readonly in: number; readonly out: number }) => {
    const count = waiting.in + waiting.out
    const sides = [waiting.in > 0 ? `${waiting.in} to you` : '', waiting.out > 0 ? `${waiting.out} by you` : '']
    return `${payments(count)} (${sides.filter((side) => side !== '').join(', ')}) ${count === 1 ? 'becomes' : 'become'} final when it answers.`
  },
  explained: 'Without a mint you can still pay and be paid: payments are signed, and become final by themselves later.',
  askNow: 'Ask all mints now',
}
