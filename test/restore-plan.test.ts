// The plan of a search, played against a mint that is a set of signed places: what it finds, how it ends, what it costs.

import { describe, expect, test } from 'vitest'
import {
  freshCursor,
  isCutShort,
  nextQuestion,
  noteAnswer,
  type Question,
  type SearchCursor,
  type SearchFacts,
  searchCursor,
  startOver,
  stillToAsk,
} from '../electron/wallet/restore-plan.ts'
import { moreSentinels, mostSentinels, sentinelsFor } from '../electron/wallet/restore-sentinels.ts'
import type { CoinPath } from '../electron/wallet/secrets.ts'

type Place = readonly [generation: number, account: number, purse: number, coins: number]

const alone: SearchFacts = { accounts: 1, generations: [], isGuarded: false }

/** A mint that has signed the first coins of these purses. */
const signedBy = (places: readonly Place[]) => {
  const coins = new Map(
    places.map(([generation, account, purse, count]) => [`${generation}/${account}/${purse}`, count]),
  )
  return ({ generation, account, purse, coin }: CoinPath) =>
    coin < (coins.get(`${generation}/${account}/${purse}`) ?? 0)
}

type Played = { readonly cursor: SearchCursor; readonly questions: readonly Question[] }

type Game = {
  readonly room?: number
  readonly facts?: SearchFacts
  readonly from?: SearchCursor
  /** The phase that is not played any more. */
  readonly end?: Question['phase']
}
/** Longer than any mint takes, where only the end is looked at. */
const quickly = 10_000

function play(places: readonly Place[], { room = 100, facts = alone, from = freshCursor, end }: Game = {}): Played {
  const isSigned = signedBy(places)
  const questions: Question[] = []
  let cursor = from
  for (;;) {
    const question = nextQuestion(cursor, facts, room)
    if (!question || question.phase === end) return { cursor, questions }
    expect(question.paths.length).toBeGreaterThan(0)
    expect(question.paths.length).toBeLessThanOrEqual(room)
    questions.push(question)
    cursor = noteAnswer(cursor, question, question.paths.map(isSigned))
    // Every cursor on the way can be stored and read back.
    if (questions.length % 16 === 0) cursor = searchCursor.parse(JSON.parse(JSON.stringify(cursor)))
    if (questions.length > 20_000) throw new Error('it never ends')
  }
}

const nameOf = ({ generation, account, purse, coin }: CoinPath) => `${generation}/${account}/${purse}/${coin}`

/** Coins that the last phase asked about and that are signed: what a search finds. */
function foundIn(places: readonly Place[], { questions }: Played): number {
  const isSigned = signedBy(places)
  const paths = questions.flatMap(({ phase, paths }) => (phase === 'purses' ? paths : []))
  return new Set(paths.filter(isSigned).map(nameOf)).size
}
const coinsOf = (places: readonly Place[]) => places.reduce((sum, [, , , coins]) => sum + coins, 0)

describe('everything that a wallet may have is found', () => {
  test.each<[string, readonly Place[], Partial<SearchFacts>?]>([
    ['one coin', [[0, 0, 0, 1]]],
    ['the last purse that shows an account', [[0, 0, 31, 3]]],
    [
      'a milestone alone among the first purses and far away',
      [
        [0, 0, 0, 1],
        [0, 0, 6400, 5],
      ],
    ],
    [
      'milestones each 64 after the one before',
      [
        [0, 0, 0, 1],
        [0, 0, 6400, 1],
        [0, 0, 12800, 1],
      ],
    ],
    [
      'purses up to 250 past the last one seen, again and again',
      [
        [0, 0, 5, 2],
        [0, 0, 255, 2],
        [0, 0, 505, 2],
        [0, 0, 755, 2],
      ],
    ],
    [
      'purses before a milestone, however far it is',
      [
        [0, 0, 0, 1],
        [0, 0, 1999, 2],
        [0, 0, 3000, 1],
        [0, 0, 3250, 1],
      ],
    ],
    ['hundreds of coins in one purse', [[0, 0, 0, 700]]],
    ['purses of every size', Array.from({ length: 60 }, (_, n): Place => [0, 0, n, n + 1])],
    ['the account of the last mint that a wallet can have', [[0, 31, 0, 3]]],
    [
      'lives each 32 after the one before',
      [
        [0, 0, 0, 1],
        [32, 0, 0, 1],
        [64, 0, 0, 1],
      ],
    ],
    ['no first life at all', [[31, 0, 2, 4]]],
    [
      'other account numbers in every life',
      [
        [0, 9, 0, 1],
        [3, 2, 0, 1],
        [20, 13, 1, 2],
      ],
    ],
    ['the last account, in a life after the first', [[9, 31, 0, 3]]],
    [
      'a life that is far from every other one',
      [
        [0, 0, 0, 1],
        [2047, 0, 0, 4],
      ],
    ],
    [
      'what such a life left behind its first purse, and the lives after it',
      [
        [2000, 0, 0, 4],
        [2000, 2, 31, 2],
        [2031, 3, 17, 2],
      ],
    ],
    ['a life far away, at a mint that was its fourth', [[511, 3, 0, 2]]],
    ['an account that only another mint suggests', [[4, 10, 0, 1]], { accounts: 8 }],
    [
      'a life that only another mint suggests',
      [
        [0, 0, 0, 1],
        [60, 0, 3, 1],
      ],
      { generations: [32] },
    ],
  ])('%s', (_, places, facts = {}) => {
    for (const room of [3, 7, 96, 100]) {
      if (room === 3 && places.some(([, , purse]) => purse > 300)) continue
      const played = play(places, { room, facts: { ...alone, ...facts } })
      expect(foundIn(places, played)).toBe(coinsOf(places))
    }
  })

  test('wallets at random, cut into questions of any size', () => {
    let seed = 7
    const upTo = (most: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed % (most + 1)
    }
    for (let n = 0; n < 40; n++) {
      const places = new Map<string, Place>()
      let generation = upTo(31)
      for (let life = 0; life <= upTo(2); life++) {
        const account = generation === 0 ? upTo(31) : upTo(3)
        let purse = upTo(31)
        for (let purses = 0; purses <= upTo(12); purses++) {
          places.set(`${generation}/${account}/${purse}`, [generation, account, purse, 1 + upTo(40)])
          purse += 1 + upTo(249)
        }
        generation += 1 + upTo(31)
      }
      const all = [...places.values()]
      expect(foundIn(all, play(all, { room: 20 + upTo(80) }))).toBe(coinsOf(all))
    }
  })
})

test('a search that goes on where another ended asks only what that one did not', () => {
  const places: readonly Place[] = [
    [0, 0, 0, 2],
    [5, 7, 3, 2],
  ]
  const first = play(places)
  expect(foundIn(places, first)).toBe(2)
  const wider = play(places, { from: first.cursor, facts: { ...alone, accounts: 4 } })
  expect(foundIn(places, wider)).toBe(2)
  const before = new Set(first.questions.flatMap(({ paths }) => paths.map(nameOf)))
  const twice = wider.questions.flatMap(({ paths }) => paths).filter((path) => before.has(nameOf(path)))
  // One of 32 was asked about as a beacon already.
  expect(twice.every(({ purse }) => purse === 0)).toBe(true)
  expect(twice.length).toBeLessThan(300)
  expect(play(places, { from: wider.cursor, facts: { ...alone, accounts: 4 } }).questions).toEqual([])
})

describe('where nothing was ever signed', () => {
  test('the likeliest accounts are asked about a second time, in other questions', () => {
    const { questions } = play([])
    const again = questions.filter(({ phase }) => phase === 'again')
    expect(again.map(({ paths }) => paths.length)).toEqual([32, 32, 32, 32])
    expect(again.map(({ paths }) => [paths[0]?.account, paths[0]?.purse, paths.at(-1)?.purse])).toEqual(
      [0, 1, 2, 3].map((account) => [account, 31, 0]),
    )
  })

  test('not when a signed output is known, whose absence would show a partial answer', () => {
    const { questions } = play([], { facts: { ...alone, isGuarded: true } })
    expect(questions.every(({ phase }) => phase === 'generations' || phase === 'beacons')).toBe(true)
  })

  test('it takes some hundred questions, about as many outputs as ARCHITECTURE.md says', () => {
    const { questions } = play([])
    expect(questions.length).toBeLessThan(115)
    const hundreds = (some: readonly Question[]) => Math.round(some.flatMap(({ paths }) => paths).length / 100)
    expect(hundreds(questions)).toBe(104)
    expect(hundreds(questions.filter(({ phase }) => phase !== 'beacons'))).toBe(61)
  })
})

test('what is still to be asked shrinks to nothing', () => {
  const places: readonly Place[] = [
    [0, 0, 0, 30],
    [0, 0, 140, 9],
  ]
  const isSigned = signedBy(places)
  let cursor = freshCursor
  let asked = 0
  let lowest = 0
  for (let question = nextQuestion(cursor, alone, 100); question; question = nextQuestion(cursor, alone, 100)) {
    cursor = noteAnswer(cursor, question, question.paths.map(isSigned))
    asked += question.paths.length
    const share = asked / (asked + stillToAsk(cursor, alone))
    // More is found to be asked now and then; it never starts from nothing again.
    expect(share).toBeGreaterThan(lowest * 0.8)
    lowest = Math.max(lowest, share)
  }
  expect(stillToAsk(cursor, alone)).toBe(0)
})

/** Lives that each saw the one before, at random distances up to 16. */
function livesInARow(count: number): readonly Place[] {
  let seed = 1
  let generation = 0
  return Array.from({ length: count }, (): Place => {
    const place: Place = [generation, 0, 0, 1]
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    generation += 1 + ((seed >> 16) % 16)
    return place
  })
}

test('a folder that went from computer to computer two hundred and fifty times is found to its last life', () => {
  const lives = livesInARow(250)
  const played = play(lives, { room: quickly })
  expect(lives.at(-1)?.[0]).toBeGreaterThan(2000)
  expect(foundIn(lives, played)).toBe(250)
  expect(isCutShort(played.cursor, alone)).toBe(false)
  expect(JSON.stringify(played.cursor).length).toBeLessThan(60_000)
})

test('generations that the wallet itself came to are looked at, however far they are', () => {
  const places: readonly Place[] = [
    [3000, 0, 7, 2],
    [3025, 1, 30, 1],
  ]
  expect(foundIn(places, play(places))).toBe(0)
  const from = { ...freshCursor, known: [2999] }
  expect(foundIn(places, play(places, { from }))).toBe(3)
  expect(startOver({ ...from, isCut: true })).toEqual(from)
})

test('a cursor of an earlier version is read, and the beacons are asked about', () => {
  const { known, lit, isCut, ...earlier } = freshCursor
  expect([known, lit, isCut]).toEqual([[], [], false])
  expect(searchCursor.parse(earlier)).toEqual(freshCursor)
  const places: readonly Place[] = [[700, 0, 0, 1]]
  expect(foundIn(places, play(places, { from: searchCursor.parse(earlier) }))).toBe(1)
})

describe('a search that was cut says so', () => {
  test('when more lives were shown than are looked at', () => {
    const { cursor } = play(
      Array.from({ length: 1100 }, (_, n): Place => [n, 0, 0, 1]),
      { room: quickly, end: 'milestones' },
    )
    expect(isCutShort(cursor, alone)).toBe(true)
  })

  test('when one was shown, or known of, at the last generation that is looked at', () => {
    expect(isCutShort({ ...freshCursor, known: [4090] }, alone)).toBe(true)
    expect(isCutShort(freshCursor, { ...alone, generations: [4090] })).toBe(true)
    expect(isCutShort(freshCursor, { ...alone, generations: [2047] })).toBe(false)
    expect(isCutShort(play([[2047, 0, 0, 1]]).cursor, alone)).toBe(false)
  })

  test('when a purse has more coins than are looked at', () => {
    const more: readonly Place[] = [[0, 0, 0, 5000]]
    expect(isCutShort(play(more).cursor, alone)).toBe(true)
    const most: readonly Place[] = [[0, 0, 0, 4000]]
    expect(isCutShort(play(most).cursor, alone)).toBe(false)
  })
})

test('a mint that signs whatever it is asked about is not followed further than any wallet comes', () => {
  let cursor = freshCursor
  for (let question = nextQuestion(cursor, alone, 100); question && question.phase !== 'milestones'; ) {
    cursor = noteAnswer(
      cursor,
      question,
      question.paths.map(() => true),
    )
    question = nextQuestion(cursor, alone, 100)
  }
  expect(cursor.shown.length).toBeLessThan(1100)
  expect(isCutShort(cursor, alone)).toBe(true)
  expect(JSON.stringify(cursor).length).toBeLessThan(60_000)
})

test('a mint that shows a life in every thirty-second generation leads to an end, and that is said', () => {
  const lies = Array.from({ length: 1000 }, (_, n): Place => [3900 + n * 32, 0, 0, 1])
  const { cursor } = play(lies, { room: quickly, end: 'milestones', from: { ...freshCursor, known: [3890] } })
  expect(Math.max(...cursor.shown.map(({ generation }) => generation))).toBe(4092)
  expect(isCutShort(cursor, alone)).toBe(true)
})

describe('what a whole answer shows', () => {
  const of = (keysetId: string, n = 0) => ({ B_: `${keysetId}/${n}`, keysetId, amount: 1, C_: 'c' })
  const signed = (...all: readonly ReturnType<typeof of>[]) =>
    all.map((one) => ({
      path: { generation: 0, account: 0, purse: 0, coin: 0 },
      B_: one.B_,
      signature: { ...one, e: 'e', s: 's' },
    }))
  const ids = (sentinels: readonly { readonly keysetId: string }[]) => sentinels.map(({ keysetId }) => keysetId)

  test('is one signature of every keyset; a second one of a keyset makes room', () => {
    const first = moreSentinels([], signed(of('a'), of('a', 1), of('a', 2), of('a', 3)))
    expect(ids(first)).toEqual(['a', 'a', 'a'])
    const more = moreSentinels(first, signed(of('b'), of('a', 4), of('c'), of('d'), of('b', 1)))
    expect(ids(more)).toEqual(['a', 'b', 'c', 'd'])
    expect(moreSentinels(more, signed(of('d'), of('a')))).toEqual(more)
    const many = moreSentinels(more, signed(...Array.from({ length: 99 }, (_, n) => of(`k${n}`))))
    expect(many).toHaveLength(mostSentinels)
  })

  test('of every keyset in every question, but for those that are shorter than that: there they take turns', () => {
    const seven = moreSentinels([], signed(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => of(id))))
    for (const room of [100, 28, 7]) expect(sentinelsFor(seven, room, 0)).toEqual(seven)
    let asked = 0
    const turns = new Set<string>()
    for (let question = 0; question < 3; question++, asked += 3) {
      const some = ids(sentinelsFor(seven, 3, asked))
      expect(new Set(some).size).toBe(3)
      for (const id of some) turns.add(id)
    }
    expect(turns.size).toBe(7)
    // A row of an earlier version has several of one keyset first.
    const before = [of('a'), of('a', 1), of('a', 2), of('b')]
    expect(ids(sentinelsFor(before, 2, 0))).toEqual(['a', 'b'])
    expect(sentinelsFor([], 50, 0)).toEqual([])
  })
})
