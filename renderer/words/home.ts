// Words of Home.

import { payments } from './common.ts'

export const homeWords = {
  title: 'Home',
  greeting: (name: string) => (name === '' ? 'Welcome' : `Hello, ${name.split(' ')[0]}`),
  money: 'Money',
  moneyKind: (unit: string, isPlayMoney: boolean) => (isPlayMoney ? `${unit}, play money` : unit),
  youCanSpend: 'You can spend',
  signedToUs: 'signed to you, not final yet',
  onItsWay: 'yours, tied up for now',
  resting: 'found, resting',
  outOfReach: (names: readonly string[]) =>
    names.length === 1 ? `${names[0]} is out of reach.` : `${names.join(' and ')} are out of reach.`,
  stillPayable: 'You can still pay up to',
  stillAll: 'You can still pay with all of it.',
  nothingPayable: 'You cannot pay with it until it is back.',
  payableNow: 'In one payment you can pay up to',
  atOnce: 'at once',
  now: 'now',
  becomeFinal: (count: number) => `${payments(count)} ${count === 1 ? 'becomes' : 'become'} final when it is back.`,
  pay: 'Pay',
  getPaid: 'Get paid',
  phraseUnseen: 'Your twelve words are not written down yet.',
  phraseSeen: 'Your twelve words are not checked yet.',
  writePhrase: 'Write them down, 3 minutes',
  checkPhrase: 'Check them, 2 minutes',
  undecided: {
    title: 'Waiting for you',
    body: (count: number) =>
      count === 1
        ? 'This payment is not final. Its coins stay tied to it until you take them back.'
        : 'These payments are not final. Their coins stay tied to them until you take them back.',
    more: (count: number) => `${payments(count)} more`,
  },
  latest: 'Latest payments',
  all: 'All payments',
  empty: {
    title: 'No payments yet',
    practice: 'Pay the practice stall one coin of play money. It takes ten seconds and shows how everything works.',
    practiceAction: 'Pay one practice coin',
    getPaid: 'Show somebody your code, and your first payment arrives here.',
    getPaidAction: 'Get paid',
    mints: 'Money comes from a mint. Choose one, and you can pay and be paid.',
    mintsAction: 'Choose a mint',
  },
}
