// The generation that new purses belong to, and what is known of other lives of this wallet: a life is what one database
// makes of a phrase, from when it was made, or noticed to be a copy, on (protocol section 2).

import { AppError } from '../../shared/errors.ts'
import { z } from '../../shared/schema.ts'
import { type Context, randomBetween } from './context.ts'
import type { LifeMemory } from './ports.ts'
import type { PurseRow, WalletReads, WalletStore, WalletWrites } from './store-port.ts'

const generationKey = 'seed/generation'
const copiesKey = 'seed/copies'

/** The derivation has room for 32 bits; no wallet comes near. */
const lastGeneration = 2 ** 31 - 1
/**
 * The highest one that is believed when a file, or this computer's memory, tells of it: a wallet draws some for each life,
 * and nobody has thousands. Above, there is room to go on in for a wallet that has come so far all the same.
 */
export const highestBelieved = 2 ** 30
const number = z.number().int().min(0).max(lastGeneration)

/** The present one; undefined in a database that has none yet. @throws AppError `folder_damaged` for what is none */
export function storedGeneration(read: WalletReads): number | undefined {
  const stored = read.meta(generationKey)
  return stored === undefined ? undefined : readStored(number, stored)
}

function readStored<T>(schema: z.ZodType<T>, stored: unknown): T {
  const parsed = schema.safeParse(stored)
  if (!parsed.success) throw new AppError('folder_damaged', 'what is stored of generations makes no sense')
  return parsed.data
}

export const copyCauses = ['phrase', 'backup', 'old_copy', 'moved', 'twin'] as const
export type CopyCause = (typeof copyCauses)[number]

const storedCopies = z.strictObject({
  /** Why another life of this wallet is, or was, about; null for none that is known. */
  cause: z.enum(copyCauses).nullable(),
  /** Milliseconds. */
  noticedAt: z.number().int().min(0).nullable(),
  /** A person has said that no payment is open, or the time for one has passed. */
  isReleased: z.boolean(),
  /** The lowest generation that is of this life alone at every mint. @see ownFrom for a single one */
  ownFrom: number,
  /** Calls for a search so far: each mint is searched once for each. 0: this life has had no other before it. */
  round: number,
})
export type Copies = z.infer<typeof storedCopies>

/** What is known of other lives. @throws AppError `folder_damaged` for what makes no sense */
export function copiesOf(read: WalletReads): Copies {
  const stored = read.meta(copiesKey)
  return stored === undefined
    ? { cause: null, noticedAt: null, isReleased: false, ownFrom: 0, round: 0 }
    : readStored(storedCopies, stored)
}

export const setCopies = (write: WalletWrites, copies: Copies): void => write.setMeta(copiesKey, copies)

/** Where the word of one mint counted for no other. */
const ownAtKey = (account: number): string => `seed/ownFrom/${account}`

/**
 * The lowest generation that is of this life alone at this mint: a coin of an earlier one may be in another life's hands as
 * well. What came before another life was noticed is known by this, and by no clock: two computers have two.
 */
export const ownFrom = (read: WalletReads, account: number): number =>
  Math.max(copiesOf(read).ownFrom, readStored(number, read.meta(ownAtKey(account)) ?? 0))

/** Handovers run for at most 30 days (protocol section 3): what rested for longer is part of none. Milliseconds. */
export const restMs = 31 * 24 * 3_600_000

/** Whether what rests may come home. */
export const mayComeHome = ({ cause, noticedAt, isReleased }: Copies, now: number): boolean =>
  cause === null || isReleased || now >= (noticedAt ?? 0) + restMs

export type LifeParts = Pick<Context, 'clock' | 'random'> & {
  readonly store: WalletStore
  readonly memory: LifeMemory | null
}

/** The next generation is one of so many after the highest that was seen: two lives that do not see each other differ. */
const leap = 16
/** How far a free one is looked for among those that mints have shown: one that lies cannot lead on for ever. */
const furthestLeap = 4 * leap

/**
 * A generation that no life of this wallet has used, as far as anybody here can know: one of the next 16 free ones after the
 * highest that was seen. One in which no purse was ever taken is no step: a restore looks so far only past the last that left
 * something, so numbers are not left empty. @see claimingGenerations for when this computer remembers it.
 * @throws AppError `internal` when there is none left
 */
export function drawGeneration({ store, random, memory }: LifeParts, highestSeen: number): number {
  const highest = Math.max(highestSeen, highestUsed(store.read), memory?.highest() ?? 0, 0)
  const seen = shownGenerations(store.read).add(storedGeneration(store.read) ?? 0)
  const next = Array.from({ length: furthestLeap }, (_, index) => highest + 1 + index)
  const free = next.filter((generation) => !seen.has(generation)).slice(0, leap)
  const generation = free[randomBetween(random, [0, free.length - 1])] ?? highest + randomBetween(random, [1, leap])
  if (generation > lastGeneration) throw new AppError('internal', 'no generation is left')
  return generation
}

/** The highest one that this file itself took purses in; -1 for none. */
export const highestUsed = (read: WalletReads): number =>
  ownPurses(read).reduce((highest, { generation }) => Math.max(highest, generation), -1)

const ownPurses = (read: WalletReads): readonly PurseRow[] =>
  read.mints().flatMap(({ account }) => read.purses(account, null).filter(({ purpose }) => purpose !== 'restored'))

/** Those that a search has seen something of: one that cannot be read must not keep a copy from being noticed. */
function shownGenerations(read: WalletReads): Set<number> {
  const searches = read.operations({ kind: 'restore', isLenient: true })
  return new Set(
    searches.flatMap((one) => (one.kind === 'restore' ? one.cursor.shown.map(({ generation }) => generation) : [])),
  )
}

/**
 * The same store, and the memory of this computer knows of a generation before its first purse is taken: it is not drawn a
 * second time when the database is lost. Where another folder of this phrase came first, this one goes on behind it.
 */
export function claimingGenerations(parts: LifeParts): WalletStore {
  const { store, memory } = parts
  if (!memory) return store
  let claimed = -1
  /** @returns the generation that the purse is to be of */
  const claim = (write: WalletWrites, wanted: number): number => {
    if (wanted === claimed) return wanted
    const isBegun = ownPurses(store.read).some((purse) => purse.generation === wanted)
    const isTaken = !isBegun && memory.highest() >= wanted && wanted === storedGeneration(store.read)
    claimed = isTaken ? drawGeneration(parts, wanted) : wanted
    if (isTaken) {
      setGeneration(write, claimed)
      const copies = copiesOf(store.read)
      if (copies.ownFrom === wanted) setCopies(write, { ...copies, ownFrom: claimed })
      const noted = store.read.mints().filter(({ account }) => store.read.meta(ownAtKey(account)) === wanted)
      for (const { account } of noted) write.setMeta(ownAtKey(account), claimed)
    }
    if (memory.highest() < claimed) memory.claim(claimed)
    return claimed
  }
  return {
    ...store,
    transaction: (work) =>
      store.transaction((write) =>
        work({
          ...write,
          takePurse: (place, purpose, kind) =>
            write.takePurse({ ...place, generation: claim(write, place.generation) }, purpose, kind),
        }),
      ),
  }
}

export const setGeneration = (write: WalletWrites, generation: number): void => write.setMeta(generationKey, generation)

/** The first generation of a database that was just made: 0 of a new phrase, a drawn one of an old phrase. */
export function beginLife(parts: LifeParts, isOldPhrase: boolean): void {
  const { store, clock, memory } = parts
  const isFirst = !isOldPhrase && (memory?.highest() ?? -1) < 0
  const generation = isFirst ? 0 : drawGeneration(parts, 0)
  store.transaction((write) => {
    setGeneration(write, generation)
    if (isFirst) return
    const noticed = { cause: 'phrase' as const, noticedAt: clock.now(), isReleased: false }
    setCopies(write, { ...noticed, ownFrom: generation, round: 1 })
  })
}

/**
 * Another life of this wallet is about, or was since this file was last used: on in a generation of its own, and every
 * coin rests, because it may be part of a handover of that life.
 * @param highestSeen of the other life's generations, where one was seen
 * @param only the mint whose coins rest, where its word counts for no other; null: every coin
 * @returns what is to be written, in one transaction
 */
export function copyNoted(
  parts: LifeParts,
  cause: CopyCause,
  highestSeen = 0,
  only: number | null = null,
): (write: WalletWrites) => void {
  const { store, clock } = parts
  const generation = drawGeneration(parts, highestSeen)
  return (write) => {
    const before = copiesOf(store.read)
    write.quarantineSpendable(only)
    setGeneration(write, generation)
    // While something rests already, signs of another life say nothing new: it may be the one that is known of.
    const isKnown = cause === 'twin' && before.cause !== null && !mayComeHome(before, clock.now())
    const noticed = isKnown ? before : { cause, noticedAt: clock.now(), isReleased: false }
    // What the file does not know of an earlier life is searched for. A twin is alive and keeps what is its own.
    const round = cause === 'twin' ? before.round : before.round + 1
    setCopies(write, { ...noticed, ownFrom: only === null ? generation : before.ownFrom, round })
    if (only !== null) write.setMeta(ownAtKey(only), generation)
  }
}

/** @see copyNoted */
export const noteCopy = (parts: LifeParts, cause: CopyCause): void => parts.store.transaction(copyNoted(parts, cause))
