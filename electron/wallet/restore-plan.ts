// Which coins of a phrase a mint is asked about, in which order, and when there are no more (protocol section 2). Pure.
//
// Four phases, each of them a row of questions whose place is kept in a cursor:
//   generations   coin 0 of purses 0–31 of every account: which (generation, account) show anything
//   beacons       coin 0 of purse 0, which is filled first, in more accounts and in generations much further away
//   milestones    of each that shows something, coin 0 of purses 100, 200, …: how far its purses go at least
//   purses        coin 0 of every purse up to 250 past the last one seen, and all coins of each that is seen
//
// The protocol counts empty accounts per mint, and a mint that was added as the fifth has four empty accounts before its
// own. So more is looked at where it costs little: all accounts of generation 0, and elsewhere four beyond those that
// any mint of this wallet has shown or may have. Generations are looked at up to 32 after each that is known of. Lives that
// left nothing at this mint can lie between two that did, more than 32 in a row: hence the beacons, which cost one output
// where the purses cost 32. A wallet that is empty costs 6,100 outputs without them and 10,400 with them.

import { z } from '../../shared/schema.ts'
import type { CoinPath } from './secrets.ts'

/** One of the first purses of an account shows that it was used. */
const firstPurses = 32
const emptyGenerations = 32
const emptyAccounts = 4
/** A wallet has no more mints. */
export const mostAccounts = 32
const milestoneEvery = 100
const emptyMilestones = 64
const pursesBeyond = 250
/** Indices are signed without gaps; a swap that was given up may leave some unsigned before one that is. */
const coinsBeyond = 8
/** Coins of one purse in a question when it is first seen: enough for most, with what shows its end. */
const coinsAtFirst = 12
/** Accounts of generation 0 that are asked about a second time when the first time showed nothing at all. */
const accountsTwice = 4
/** Beacons of generations that are far from any that is known: accounts of each that are asked about. */
const farBeacons = [
  { before: 512, accounts: 4 },
  { before: 2048, accounts: 1 },
] as const
const farthest = 2048
/**
 * The highest generation that is believed when nobody but a mint tells of it. One that lies leads a wallet to here at
 * most, far from the last beacon that the next search lights.
 */
export const farthestBelieved = 256
/** Further than any wallet comes: a mint that signs whatever it is asked about must not lead on for ever. */
const mostGenerations = 4096
const mostShown = 1024
const mostMilestones = 20_000
const mostCoins = 4096

const count = z.number().int().min(0)
const place = { generation: count, account: count }

export const searchCursor = z.strictObject({
  /** Generations that this wallet itself, or this computer, had come to when the search began. */
  known: z.array(count).default([]),
  /** Of each generation, how many accounts were asked about. */
  probed: z.array(count),
  /** Of each generation, how many accounts were asked about by purse 0 alone. */
  lit: z.array(count).default([]),
  /** Inside an account that is being asked about: the next purse. */
  at: z.strictObject({ ...place, purse: count, isShown: z.boolean() }).nullable(),
  /** Purses that were asked about a second time because nothing at all was shown. */
  repeated: count,
  shown: z.array(z.strictObject({ ...place, isWalked: z.boolean() })),
  walk: z
    .discriminatedUnion('phase', [
      /** `next` and `last` (signed): which milestone. */
      z.strictObject({ ...place, phase: z.literal('milestones'), next: count, last: count }),
      z.strictObject({
        ...place,
        phase: z.literal('purses'),
        next: count,
        last: count,
        /** Seen, and not at their end: the next coin, and the last signed one. */
        open: z.array(z.strictObject({ purse: count, next: count, last: count })),
      }),
    ])
    .nullable(),
  /** Seen so far. */
  purses: count,
  /** There was more than is asked about. */
  isCut: z.boolean().default(false),
})
export type SearchCursor = z.infer<typeof searchCursor>
type Walk = NonNullable<SearchCursor['walk']>
type Place = { readonly generation: number; readonly account: number }

/** What is known beside the answers of this mint. */
export type SearchFacts = {
  /** Accounts that some mint of this wallet has, or has shown: 1 + the highest. */
  readonly accounts: number
  /** Generations that other mints have shown. */
  readonly generations: readonly number[]
  /** Whether an output is known that the mint has signed: an answer without it is no whole answer. */
  readonly isGuarded: boolean
}

export type Question = {
  readonly phase: 'generations' | 'beacons' | 'again' | 'milestones' | 'purses'
  readonly paths: readonly CoinPath[]
}

export const freshCursor: SearchCursor = {
  known: [],
  probed: [],
  lit: [],
  at: null,
  repeated: 0,
  shown: [],
  walk: null,
  purses: 0,
  isCut: false,
}

/** The same search from its beginning. What was shown stays known. */
export function startOver({ known, shown }: SearchCursor): SearchCursor {
  return { ...freshCursor, known, shown: shown.map((one) => ({ ...one, isWalked: false })) }
}

/** Whether there was, or may be, more than is asked about: such a search has not found everything. */
export const isCutShort = (cursor: SearchCursor, facts: SearchFacts): boolean =>
  cursor.isCut ||
  cursor.shown.length >= mostShown ||
  knownGenerations(cursor, facts).some((generation) => generation + emptyGenerations >= mostGenerations)

/** @param room most outputs in one question @returns undefined when nothing is left to ask */
export function nextQuestion(cursor: SearchCursor, facts: SearchFacts, room: number): Question | undefined {
  const probes = nextProbes(cursor, facts, room)
  if (probes.length > 0) return { phase: 'generations', paths: probes }
  const beacons = nextBeacons(cursor, facts, room)
  if (beacons.length > 0) return { phase: 'beacons', paths: beacons }
  const again = nextAgain(cursor, facts, room)
  if (again.length > 0) return { phase: 'again', paths: again }
  const walk = walkOf(cursor)
  if (!walk) return undefined
  return { phase: walk.phase, paths: walk.phase === 'milestones' ? nextMilestones(walk, room) : nextCoins(walk, room) }
}

/** @param signed of each path of the question */
export function noteAnswer(cursor: SearchCursor, { phase, paths }: Question, signed: readonly boolean[]): SearchCursor {
  switch (phase) {
    case 'generations':
      return paths.reduce((now, path, index) => noteProbe(now, path, signed[index] === true), cursor)
    case 'beacons':
      return paths.reduce((now, path, index) => noteBeacon(now, path, signed[index] === true), cursor)
    case 'again':
      return { ...cursor, repeated: cursor.repeated + paths.length }
    case 'milestones':
    case 'purses':
      return noteWalk(cursor, paths, signed)
  }
}

/** How many outputs may still have to be asked about: a guess that gets better. */
export function stillToAsk(cursor: SearchCursor, facts: SearchFacts): number {
  const near = nearGenerations(cursor, facts)
  let probes = 0
  for (const generation of near) {
    probes += Math.max(0, accountsToProbe(cursor, facts, generation) - (cursor.probed[generation] ?? 0))
  }
  let beacons = 0
  for (const { from, until } of accountsToLight(cursor, near)) beacons += until - from
  const places = cursor.shown.filter(({ isWalked }) => !isWalked).length
  const whole = emptyMilestones + firstPurses + pursesBeyond
  const { walk } = cursor
  const walked = walk?.phase === 'purses' ? whole - (walk.last + pursesBeyond - walk.next) : 0
  return probes * firstPurses + beacons + Math.max(0, places * whole - walked)
}

// ---- generations

const knownGenerations = ({ known, shown }: SearchCursor, { generations }: SearchFacts): readonly number[] => [
  ...new Set([...known, ...generations, ...shown.map(({ generation }) => generation)]),
]

/** Each that is known and the 32 after it, in their order: a life begins at most 16 after those that it sees. */
function nearGenerations(cursor: SearchCursor, facts: SearchFacts): readonly number[] {
  const near = new Set<number>()
  for (const known of [-1, ...knownGenerations(cursor, facts)]) {
    const last = Math.min(mostGenerations - 1, known + emptyGenerations)
    for (let generation = Math.max(0, known); generation <= last; generation++) near.add(generation)
  }
  return [...near].sort((a, b) => a - b)
}

const accountsToProbe = ({ shown }: SearchCursor, facts: SearchFacts, generation: number): number =>
  generation === 0
    ? mostAccounts
    : Math.min(mostAccounts, Math.max(facts.accounts, ...shown.map(({ account }) => account + 1)) + emptyAccounts)

function* placesToProbe(cursor: SearchCursor, facts: SearchFacts): Generator<Place> {
  const { at, probed, shown } = cursor
  if (at) yield at
  if (shown.length >= mostShown) return
  for (const generation of nearGenerations(cursor, facts)) {
    const until = accountsToProbe(cursor, facts, generation)
    for (let account = probed[generation] ?? 0; account < until; account++) {
      if (generation !== at?.generation || account !== at.account) yield { generation, account }
    }
  }
}

/** The next ones if all of them turn out unsigned; what one of them shows can only call for more. */
function nextProbes(cursor: SearchCursor, facts: SearchFacts, room: number): readonly CoinPath[] {
  const paths: CoinPath[] = []
  for (const place of placesToProbe(cursor, facts)) {
    const { generation, account } = place
    const first = place === cursor.at ? cursor.at.purse : 0
    for (let purse = first; purse < firstPurses && paths.length < room; purse++) {
      paths.push({ generation, account, purse, coin: 0 })
    }
    if (paths.length >= room) break
  }
  return paths
}

function noteProbe(cursor: SearchCursor, { generation, account, purse }: CoinPath, isSigned: boolean): SearchCursor {
  const isShown = isSigned || (cursor.at?.isShown ?? false)
  if (purse + 1 < firstPurses) return { ...cursor, at: { generation, account, purse: purse + 1, isShown } }
  const shown = isShown ? withShown(cursor, { generation, account }) : cursor.shown
  return { ...cursor, probed: withCount(cursor.probed, generation, account + 1), shown, at: null }
}

function withShown({ shown }: SearchCursor, { generation, account }: Place): SearchCursor['shown'] {
  const isKnown = shown.some((one) => one.generation === generation && one.account === account)
  return isKnown || shown.length >= mostShown ? shown : [...shown, { generation, account, isWalked: false }]
}

function withCount(counts: readonly number[], generation: number, accounts: number): number[] {
  const length = Math.max(counts.length, generation + 1)
  return Array.from({ length }, (_, index) => (index === generation ? accounts : (counts[index] ?? 0)))
}

// ---- beacons

type Span = { readonly generation: number; readonly from: number; readonly until: number }

/** Accounts whose purse 0 is still to be asked about: all of the generations that are near, fewer of those far away. */
function accountsToLight({ shown, lit, probed }: SearchCursor, near: readonly number[]): readonly Span[] {
  if (shown.length >= mostShown) return []
  const isNear = new Set(near)
  const length = Math.max(farthest, (near.at(-1) ?? 0) + 1)
  return Array.from({ length }, (_, generation): Span => {
    const far = farBeacons.find(({ before }) => generation < before)?.accounts ?? 0
    const until = isNear.has(generation) ? mostAccounts : far
    return { generation, from: Math.max(lit[generation] ?? 0, probed[generation] ?? 0), until }
  }).filter(({ from, until }) => from < until)
}

function nextBeacons(cursor: SearchCursor, facts: SearchFacts, room: number): readonly CoinPath[] {
  const paths: CoinPath[] = []
  for (const { generation, from, until } of accountsToLight(cursor, nearGenerations(cursor, facts))) {
    for (let account = from; account < until && paths.length < room; account++) {
      paths.push({ generation, account, purse: 0, coin: 0 })
    }
    if (paths.length >= room) break
  }
  return paths
}

function noteBeacon(cursor: SearchCursor, { generation, account }: CoinPath, isSigned: boolean): SearchCursor {
  const shown = isSigned ? withShown(cursor, { generation, account }) : cursor.shown
  return { ...cursor, lit: withCount(cursor.lit, generation, account + 1), shown }
}

// ---- nothing at all

/**
 * Nothing at all, and no signed output is known that a whole answer would show: the likeliest accounts are asked about
 * once more, cut differently and from the other end. It finds out a mint that answers the beginning of a long question,
 * or now and then not at all. One that always answers nothing cannot be told from one that has signed nothing.
 */
function nextAgain({ shown, repeated }: SearchCursor, facts: SearchFacts, room: number): readonly CoinPath[] {
  if (shown.length > 0 || facts.isGuarded) return []
  const left = accountsTwice * firstPurses - repeated
  const inAccount = firstPurses - (repeated % firstPurses)
  return Array.from({ length: Math.max(0, Math.min(room, inAccount, left)) }, (_, index) => ({
    generation: 0,
    account: Math.floor(repeated / firstPurses),
    purse: firstPurses - 1 - ((repeated + index) % firstPurses),
    coin: 0,
  }))
}

// ---- one account

function walkOf({ walk, shown }: SearchCursor): Walk | undefined {
  if (walk) return walk
  const next = shown.find(({ isWalked }) => !isWalked)
  return next && { generation: next.generation, account: next.account, phase: 'milestones', next: 1, last: 0 }
}

const lastMilestone = ({ last }: Walk) => Math.min(mostMilestones, last + emptyMilestones)

function nextMilestones(walk: Walk, room: number): readonly CoinPath[] {
  const { generation, account, next } = walk
  return Array.from({ length: Math.min(room, lastMilestone(walk) - next + 1) }, (_, index) => ({
    generation,
    account,
    purse: (next + index) * milestoneEvery,
    coin: 0,
  }))
}

type PurseWalk = Extract<Walk, { phase: 'purses' }>

/** Further coins of the purses that are open, then coin 0 of further purses. */
function nextCoins({ generation, account, next, last, open }: PurseWalk, room: number): readonly CoinPath[] {
  const paths: CoinPath[] = []
  for (const purse of open) {
    const wanted = Math.max(coinsAtFirst, purse.last)
    for (let coin = purse.next; coin < purse.next + wanted && paths.length < room; coin++) {
      paths.push({ generation, account, purse: purse.purse, coin })
    }
  }
  for (let purse = next; purse <= last + pursesBeyond && paths.length < room; purse++) {
    paths.push({ generation, account, purse, coin: 0 })
  }
  return paths
}

function noteWalk(cursor: SearchCursor, paths: readonly CoinPath[], signed: readonly boolean[]): SearchCursor {
  const before = walkOf(cursor)
  if (!before) return cursor
  const walk =
    before.phase === 'milestones' ? afterMilestones(before, paths, signed) : afterCoins(before, paths, signed)
  const seen = paths.filter(({ coin }, index) => before.phase === 'purses' && coin === 0 && signed[index]).length
  const purses = cursor.purses + seen
  const isCut = cursor.isCut || paths.some((path, index) => signed[index] === true && isAtLimit(before.phase, path))
  if (walk) return { ...cursor, purses, isCut, walk }
  const { generation, account } = before
  const shown = cursor.shown.map((one) =>
    one.generation === generation && one.account === account ? { ...one, isWalked: true } : one,
  )
  return { ...cursor, purses, isCut, shown, walk: null }
}

/** Signed, and so near to a limit of ours that there may be more behind it. */
const isAtLimit = (phase: Walk['phase'], { purse, coin }: CoinPath): boolean =>
  phase === 'milestones' ? purse / milestoneEvery > mostMilestones - emptyMilestones : coin >= mostCoins - coinsBeyond

function afterMilestones(walk: Walk, paths: readonly CoinPath[], signed: readonly boolean[]): Walk {
  const { generation, account } = walk
  const milestones = paths.map(({ purse }) => purse / milestoneEvery)
  const last = Math.max(walk.last, ...milestones.filter((_, index) => signed[index]))
  const next = Math.max(walk.next, ...milestones.map((milestone) => milestone + 1))
  if (next <= lastMilestone({ ...walk, last })) return { generation, account, phase: 'milestones', next, last }
  // Something among the first purses was signed, or this account would not be here.
  const seen = Math.max(last * milestoneEvery, firstPurses - 1)
  return { generation, account, phase: 'purses', next: 0, last: seen, open: [] }
}

/** @returns undefined at the end of the account */
function afterCoins(walk: PurseWalk, paths: readonly CoinPath[], signed: readonly boolean[]): PurseWalk | undefined {
  const open = new Map(walk.open.map((purse) => [purse.purse, { ...purse }]))
  let { next, last } = walk
  for (const [index, { purse, coin }] of paths.entries()) {
    const isSigned = signed[index] === true
    if (coin === 0) {
      next = purse + 1
      if (!isSigned) continue
      last = Math.max(last, purse)
      open.set(purse, { purse, next: 1, last: 0 })
    } else {
      const known = open.get(purse)
      if (known) open.set(purse, { purse, next: coin + 1, last: isSigned ? coin : known.last })
    }
  }
  const left = [...open.values()].filter((purse) => purse.next <= purse.last + coinsBeyond && purse.next < mostCoins)
  return next > last + pursesBeyond && left.length === 0 ? undefined : { ...walk, next, last, open: left }
}
