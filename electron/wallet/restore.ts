// Restore: the coins that a phrase has at one mint (protocol section 2), looked for step by step; what is found rests.
// Transactions: S1 the search stored · S2 for each answer the coins, their purses and how far the search has come, in one.
// The same answer twice changes nothing, and a coin that is known stays as it is.

import { type Context, unixNow } from './context.ts'
import {
  copiesOf,
  copyNoted,
  drawGeneration,
  highestUsed,
  mayComeHome,
  setCopies,
  setGeneration,
} from './generation.ts'
import type { OperationIn, OperationOf, Sentinel } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import { due, ended, newId, retry, save } from './progress.ts'
import { wasSaidBefore } from './quarantine.ts'
import { askAbout, type Found, mostOutputs } from './restore-answer.ts'
import { coinsIn, gather, nothingNew, type Signed, storeCoins, sumTallies } from './restore-finds.ts'
import {
  farthestBelieved,
  freshCursor,
  isCutShort,
  nextQuestion,
  noteAnswer,
  type Question,
  type SearchFacts,
  startOver,
  stillToAsk,
} from './restore-plan.ts'
import { keysetsOf, knownSignatures, moreSentinels, sentinelsFor } from './restore-sentinels.ts'
import { hasExpired } from './settle.ts'
import type { WalletWrites } from './store-port.ts'

type Restore = OperationOf<'restore'>
type Looking = OperationIn<'restore', 'looking'>

/** Questions in one step: payments are served between two steps. */
const questionsAtOnce = 4
/** More than any wallet has: a mint that signs whatever it is asked about is not followed further. */
const mostAsked = 4_000_000
const mostFound = 250_000
/** After another life was noticed each mint is searched again this much later: most handovers are settled within a day. */
const againAfterMs = [1, 2, 7, 31].map((days) => days * 24 * 3_600_000)
/** `lastError` of a search that found signatures which make no coin. */
const unreadableReason = 'keyset_unknown'
/** Of one that was followed as far as any wallet comes, and further: it has no end. */
const endlessReason = 'mint_lies'
const cutReason = 'there is more at this mint than a search asks about'
const silentReason = 'the mint tells nothing of a keyset that has ended'
const uncheckedReason = 'the mint answers too little at a time to show that nothing is missing'

// ---- when to search

/** The newest search of a mint. */
export const searchOf = ({ store }: Pick<Context, 'store'>, account: number): Restore | undefined =>
  store.read.operations({ kind: 'restore', account, limit: 1, isLenient: true }).find((one) => one.kind === 'restore')

/** Start the searches that are due: of mints that were not searched since the last call, or not far enough. */
export function startSearches(ctx: Context): void {
  for (const { account, removed } of ctx.store.read.mints()) {
    if (removed) continue
    const last = searchOf(ctx, account)
    const { round } = copiesOf(ctx.store.read)
    if (last?.state === 'looking') {
      // It was left alone while its mint was off the list.
      if (last.nextAttemptAt === null) save(ctx, { ...last, ...due(ctx, 0) })
    } else if (round > (last?.round ?? 0)) begin(ctx, account, false, undefined)
    else if (last && isDueAgain(ctx, last)) begin(ctx, account, true, undefined)
    else if (last && isUnfinished(ctx, last)) begin(ctx, account, last.isAgain, last)
  }
}

/**
 * What was signed before this life began may be settled until thirty days after: a payment to the wallet of before, the
 * change of one that it made. Nothing here knows of it.
 */
function isDueAgain({ store, clock }: Context, last: Restore): boolean {
  const { noticedAt, round } = copiesOf(store.read)
  if (noticedAt === null || round === 0) return false
  return againAfterMs.some((after) => last.createdAt < noticedAt + after && noticedAt + after <= clock.now())
}

/** Whether other mints have shown since where more of this one may be. */
const isUnfinished = (ctx: Context, last: Restore): boolean =>
  last.lastError !== endlessReason && nextQuestion(last.cursor, factsOf(ctx, last), mostOutputs) !== undefined

/** A person wants a mint to be searched again, from the beginning. One search of a mint at a time. */
export function searchAgain(ctx: Context, account: number): void {
  const last = searchOf(ctx, account)
  if (last?.state !== 'looking') begin(ctx, account, last !== undefined, undefined)
  else save(ctx, { ...last, nextAttemptAt: ctx.clock.now() })
  ctx.wake()
}

/** S1. @param before a search that is done: what it asked is not asked again */
function begin(ctx: Context, account: number, isAgain: boolean, before: Restore | undefined): void {
  const now = ctx.clock.now()
  const operation: Looking = {
    kind: 'restore',
    state: 'looking',
    id: newId(ctx),
    account,
    unit: '',
    amount: 0,
    round: copiesOf(ctx.store.read).round,
    isAgain,
    cursor: before?.cursor ?? { ...freshCursor, known: generationsHere(ctx) },
    sentinels: before?.sentinels ?? [],
    guarded: before?.guarded ?? [],
    unchecked: before?.unchecked ?? [],
    room: before?.most ?? mostOutputs,
    most: before?.most ?? mostOutputs,
    isSynced: false,
    asked: before?.asked ?? 0,
    found: before?.found ?? [],
    expired: before?.expired ?? [],
    spent: before?.spent ?? 0,
    unreadable: before?.unreadable ?? 0,
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now,
    attempts: 0,
    lastError: null,
  }
  ctx.store.transaction((write) => write.insertOperation(operation))
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.wake()
}

/** The last ones that this file, and this computer, took purses in: what came after them is looked for there. */
const generationsHere = ({ store, memory }: Context): number[] =>
  [highestUsed(store.read), memory?.highest() ?? -1].filter((generation) => generation >= 0)

/** What this file and the searches of other mints suggest. */
function factsOf({ store }: Pick<Context, 'store'>, { account, sentinels }: Restore): SearchFacts {
  const mints = store.read.mints()
  const shown = mints
    .filter((mint) => mint.account !== account)
    .flatMap((mint) => searchOf({ store }, mint.account)?.cursor.shown ?? [])
  return {
    accounts: Math.max(mints.length, ...shown.map((place) => place.account + 1)),
    generations: shown.map(({ generation }) => generation),
    isGuarded: sentinels.length > 0,
  }
}

/** Where it is. */
export function phaseOf(
  ctx: Pick<Context, 'store'>,
  operation: Restore,
): 'generations' | 'milestones' | 'purses' | 'done' {
  const next = operation.state === 'found' ? undefined : nextQuestion(operation.cursor, factsOf(ctx, operation), 1)
  if (next) return next.phase === 'again' || next.phase === 'beacons' ? 'generations' : next.phase
  return operation.state === 'found' ? 'done' : 'purses'
}

/** What share of it is done, 0 … 1. */
export function progressOf(ctx: Pick<Context, 'store'>, operation: Restore): number {
  if (operation.state === 'found') return 1
  return operation.asked / (operation.asked + stillToAsk(operation.cursor, factsOf(ctx, operation)) + 1)
}

// ---- searching

/** One step: a few questions, each with its answer stored, safe to repeat after a crash at any line. */
export async function stepRestore(ctx: Context, operation: Restore): Promise<void> {
  if (operation.state === 'found') return
  if (ctx.store.read.mint(operation.account)?.removed) return save(ctx, { ...operation, ...ended(ctx) })
  let now: Looking | undefined = operation.isSynced ? operation : await withKeysets(ctx, operation)
  for (let asked = 0; now && asked < questionsAtOnce; asked++) now = await askNext(ctx, now)
  if (now) ctx.wake()
}

/** Every keyset that the mint lists, the inactive ones too; then signatures that this file knows of already. */
async function withKeysets(ctx: Context, operation: Looking): Promise<Looking | undefined> {
  const { account } = operation
  if (!(await ctx.mints.sync(account))) {
    retry(ctx, operation, 'the mint cannot be reached')
    return undefined
  }
  const known = operation.sentinels.length > 0 ? operation.sentinels : knownSignatures(ctx, account)
  const guarded = keysetsOf(known)
  const next: Looking = { ...operation, isSynced: true, sentinels: [...known], guarded, ...due(ctx, 0) }
  save(ctx, next)
  return next
}

/** One question. @returns the search after it; undefined when it is over, or comes back later */
async function askNext(ctx: Context, operation: Looking): Promise<Looking | undefined> {
  const { account, cursor, room } = operation
  const sentinels = sentinelsFor(operation.sentinels, room, operation.asked)
  const isEndless = operation.asked > mostAsked || coinsIn(operation.found) + coinsIn(operation.expired) > mostFound
  const most = Math.min(room, mostOutputs - sentinels.length)
  const question = isEndless ? undefined : nextQuestion(cursor, factsOf(ctx, operation), most)
  if (!question) return isEndless ? finish(ctx, operation, endlessReason) : finishPass(ctx, operation)
  const answer = await askAbout(ctx, account, question.paths, sentinels)
  switch (answer.kind) {
    case 'whole':
      return take(ctx, operation, question, { ...answer, among: sentinels })
    case 'strange':
      return afterStrange(ctx, operation, question)
    case 'partial':
      return afterPartial(ctx, operation, answer)
    case 'unknown':
      retry(ctx, operation, answer.reason, answer.retryAfterMs)
      return undefined
  }
}

/**
 * A signature that fits no key we know, or none of the outputs. Newer keysets may tell; if not, fewer and fewer outputs are
 * asked about at a time, until it is plain which one it is.
 */
async function afterStrange(ctx: Context, operation: Looking, { paths }: Question): Promise<Looking | undefined> {
  const isFirst = operation.lastError !== unreadableReason
  if (!isFirst && paths.length === 1) {
    retry(ctx, operation, 'a signature on nothing that was asked about')
    return undefined
  }
  const room = isFirst ? operation.room : Math.max(1, Math.floor(paths.length / 2))
  if (isFirst && !(await ctx.mints.sync(operation.account))) {
    retry(ctx, operation, 'the mint cannot be reached')
    return undefined
  }
  const next: Looking = { ...operation, room, ...due(ctx, 0), lastError: unreadableReason }
  save(ctx, next)
  return next
}

/**
 * Not accepted. A shorter question may be answered whole. A mint may leave out a keyset that has ended, from now on: then the
 * search goes on, and says at its end that it is not complete.
 */
function afterPartial(
  ctx: Context,
  operation: Looking,
  { reason, leftOut, isCutOff }: { reason: string; leftOut: readonly string[]; isCutOff: boolean },
): Looking | undefined {
  if (leftOut.length > 0 && leftOut.every((id) => isOver(ctx, operation, id))) {
    const next: Looking = {
      ...operation,
      sentinels: operation.sentinels.filter(({ keysetId }) => !leftOut.includes(keysetId)),
      unchecked: [...new Set([...operation.unchecked, ...leftOut])],
      ...due(ctx, 0),
    }
    save(ctx, next)
    return next
  }
  // Once may have been the moment; twice is the length of the question.
  const isTooLong = isCutOff && operation.attempts > 0
  const room = isTooLong ? Math.max(1, Math.floor(operation.room / 2)) : operation.room
  retry(ctx, { ...operation, room, most: isTooLong ? room : operation.most }, reason)
  return undefined
}

const isOver = (ctx: Context, { account }: Restore, id: string): boolean =>
  hasExpired(keysetOf(ctx.store, account)(id), unixNow(ctx.clock))

type Whole = {
  readonly B_s: readonly string[]
  readonly found: readonly Found[]
  /** What it was shown to be whole by. */
  readonly among: readonly Sentinel[]
}

/** S2. A coin whose state the mint does not tell is asked about again, with the whole question. */
async function take(
  ctx: Context,
  operation: Looking,
  question: Question,
  { B_s, found, among }: Whole,
): Promise<Looking | undefined> {
  const signed = question.paths.flatMap((path, index): readonly Signed[] => {
    const signature = found[index]
    return signature ? [{ path, B_: B_s[index] ?? '', signature }] : []
  })
  const gathered = question.phase === 'purses' ? await gather(ctx, operation, signed) : nothingNew
  if ('reason' in gathered) {
    retry(ctx, operation, gathered.reason, gathered.retryAfterMs)
    return undefined
  }
  const sentinels = moreSentinels(operation.sentinels, signed)
  const unchecked = uncheckedBy(operation, sentinels, signed, among)
  const cursor = noteAnswer(
    operation.cursor,
    question,
    found.map((one) => one !== null),
  )
  // What was asked before anything signed was known may have been answered in part: while that is cheap, at once.
  const isToRepeat = question.phase !== 'purses' && keysetsOf(sentinels).some((id) => !operation.guarded.includes(id))
  const next: Looking = {
    ...operation,
    ...(isToRepeat ? anotherPass({ ...operation, cursor, sentinels, unchecked }) : { cursor, sentinels, unchecked }),
    ...longerQuestions(operation),
    asked: operation.asked + question.paths.length,
    found: sumTallies(operation.found, gathered.found),
    expired: sumTallies(operation.expired, gathered.expired),
    spent: operation.spent + gathered.spent,
    unreadable: operation.unreadable + gathered.unreadable,
    ...due(ctx, 0),
  }
  const move = otherLife(ctx, operation, signed)
  ctx.store.transaction((write) => {
    storeCoins(write, gathered.coins)
    if (gathered.found.length > 0) noteFinding(ctx, write, operation)
    move?.(write)
    write.updateOperation(next)
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  if (gathered.coins.length > 0 || move) ctx.emit({ kind: 'balance' })
  return next
}

/** After a whole answer: twice as long up to what was answered in part before, and slowly beyond that. */
function longerQuestions({ room, most }: Looking): Pick<Looking, 'room' | 'most'> {
  const longer = room < most ? Math.min(most, room * 2) : room + Math.ceil(room / 16)
  return { room: Math.min(mostOutputs, longer), most }
}

/** Keysets that this answer could have left out unnoticed, with those of the answers before it. */
function uncheckedBy(
  operation: Looking,
  sentinels: readonly Sentinel[],
  signed: readonly Signed[],
  among: readonly Sentinel[],
): string[] {
  const checked = keysetsOf(among)
  const known = keysetsOf(sentinels)
  const seen = keysetsOf(signed.flatMap(({ signature }) => (signature === 'unreadable' ? [] : [signature])))
  return [
    ...new Set([
      ...operation.unchecked,
      ...keysetsOf(operation.sentinels).filter((id) => !checked.includes(id)),
      ...seen.filter((id) => !known.includes(id)),
    ]),
  ]
}

/** From the beginning, with every keyset that is known now. */
function anotherPass(operation: Looking): Pick<Looking, 'cursor' | 'sentinels' | 'guarded' | 'unchecked'> {
  const { cursor, sentinels, unchecked } = operation
  const guarded = keysetsOf(sentinels)
  return { cursor: startOver(cursor), sentinels, guarded, unchecked: unchecked.filter((id) => !guarded.includes(id)) }
}

/** Everything was asked. If a keyset came to light that parts of this were asked without, once more with it. */
function finishPass(ctx: Context, operation: Looking): Looking | undefined {
  if (keysetsOf(operation.sentinels).every((id) => operation.guarded.includes(id))) {
    return finish(ctx, operation, whatIsMissing(ctx, operation))
  }
  const next: Looking = { ...operation, ...anotherPass(operation), ...due(ctx, 0) }
  save(ctx, next)
  return next
}

/** Why there may be more than was found; null for no reason. */
function whatIsMissing(ctx: Context, operation: Looking): string | null {
  if (isCutShort(operation.cursor, factsOf(ctx, operation))) return cutReason
  if (operation.unreadable > 0) return unreadableReason
  if (operation.unchecked.length === 0) return null
  return operation.unchecked.every((id) => isOver(ctx, operation, id)) ? silentReason : uncheckedReason
}

function finish(ctx: Context, operation: Looking, trouble: string | null): undefined {
  save(ctx, { ...operation, state: 'found', ...ended(ctx), lastError: trouble })
  ctx.emit({ kind: 'balance' })
  return undefined
}

// ---- other lives

/**
 * Coins that nobody here knew of although no other life is known: there is one. Where what rested came home, what comes to
 * light later rests again, since it may be what another computer has: unless a person has just said that no payment is open,
 * and this is the first search since.
 */
function noteFinding(ctx: Context, write: WalletWrites, { isAgain, createdAt }: Restore): void {
  const copies = copiesOf(ctx.store.read)
  const now = ctx.clock.now()
  const isOver = mayComeHome(copies, now) && (isAgain || !wasSaidBefore(ctx, createdAt))
  if (copies.cause !== null && !isOver) return
  setCopies(write, { ...copies, cause: copies.cause ?? 'twin', noticedAt: now, isReleased: false })
}

/**
 * Signatures of the present generation, or of a later one, that are not this life's own: it goes on behind them. In a first
 * search they are those of the lives before; a search that was asked for when all was known shows one that came later.
 * @returns what is to be written, undefined for nothing
 */
function otherLife(
  ctx: Context,
  { account, isAgain }: Restore,
  signed: readonly Signed[],
): ((write: WalletWrites) => void) | undefined {
  const present = ctx.generation
  const foreign = signed.filter(
    ({ path, B_ }) =>
      path.generation > present || (path.generation === present && !ctx.store.read.ownOutput(account, B_)),
  )
  if (foreign.length === 0) return undefined
  const highest = foreign.reduce((most, { path }) => Math.max(most, path.generation), 0)
  const believed = Math.min(highest, farthestBelieved)
  const copies = copiesOf(ctx.store.read)
  const isShared = foreign.some(({ path }) => path.generation === present)
  const isResting = copies.cause !== null && !mayComeHome(copies, ctx.clock.now())
  if (isShared || copies.cause === null) return copyNoted(ctx, 'twin', believed)
  // Further away nobody is met, and a mint that lies must not lead this wallet on.
  if (believed <= present) return undefined
  if (isAgain && !isResting) return copyNoted(ctx, 'twin', believed)
  const generation = drawGeneration(ctx, believed)
  return (write) => setGeneration(write, generation)
}
