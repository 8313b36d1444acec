// The life of a wallet in one data folder: which generation it is in, and whether this folder is what it seems. Asked once,
// when the folder is opened, before anything is done with it.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { z } from '../shared/schema.ts'
import type { FolderEntry, GenerationMemory } from './generation-memory.ts'
import { beginLife, type CopyCause, noteCopy, storedGeneration } from './wallet/generation.ts'
import type { Clock, Random } from './wallet/ports.ts'
import type { WalletStore } from './wallet/store-port.ts'

export type LifeOptions = {
  readonly store: WalletStore
  /** Null for a wallet that nobody remembers: one for a demonstration. */
  readonly memory: GenerationMemory | null
  /** Whether the phrase was there before: a new database made from it must not use indices again. */
  readonly isOldPhrase: boolean
  /** The newest of the database was lost by damage: it is an older state of itself, whoever remembers. */
  readonly hasLostCommits?: boolean
  readonly clock: Clock
  readonly random: Random
}

export type Life = {
  /** Something changed: the memory is told soon. */
  touch(): void
  /** The memory is told now; before the store is closed. */
  end(): void
}

const ownKey = 'folder/memory'
const unrememberedKey = 'folder/unremembered'
const ownRecord = z.strictObject({
  id: z.string(),
  token: z.string(),
  /** It was not remembered yet under this id, as far as this folder knows. */
  isNew: z.boolean(),
})
type Own = z.infer<typeof ownRecord>
type Folders = Readonly<Record<string, FolderEntry>>

/** Changes that come together are remembered together. Milliseconds. */
const gatherMs = 250

/** Take up the life of this folder, or begin one. What is wrong with it is noted in the database (`Copies`). */
export function takeUpLife(options: LifeOptions): Life {
  const { store, memory, isOldPhrase, hasLostCommits = false } = options
  const own = ownOf(store)
  const folders = memory?.folders()
  let isOther = own === undefined
  if (storedGeneration(store.read) === undefined) beginLife(options, isOldPhrase)
  else {
    const cause = (folders && whatItIs(store, own, folders)) ?? (hasLostCommits ? 'old_copy' : undefined)
    if (cause) noteCopy(options, cause)
    // A copy is another life from now on, and known by another name.
    if (cause === 'old_copy' || cause === 'moved') isOther = true
  }
  if (!memory || !folders) return { touch: () => {}, end: () => {} }
  const known = own && !isOther ? own : newName(options)
  const entry = signIn(options, memory, known, folders)
  return entry ? keepTelling(store, memory, known.id, entry) : { touch: () => {}, end: () => {} }
}

function ownOf({ read }: Pick<WalletStore, 'read'>): Own | undefined {
  const stored = read.meta(ownKey)
  return stored === undefined ? undefined : ownRecord.parse(stored)
}

/**
 * What tells the copies of this life from those of another one of the same phrase: before the database was lost, on another
 * computer, of a folder that this one was copied from. 8 hex characters, no secret.
 */
export function lifeMark(options: Pick<LifeOptions, 'store' | 'random'>): string {
  const id = ownOf(options.store)?.id ?? unremembered(options)
  return bytesToHex(sha256(utf8ToBytes(`farthing/backup-life/1 ${id}`)).subarray(0, 4))
}

/** Nobody remembers this folder: it has a name all the same. */
function unremembered(options: Pick<LifeOptions, 'store' | 'random'>): string {
  const { store } = options
  const stored = store.read.meta(unrememberedKey)
  if (stored !== undefined) return z.string().parse(stored)
  const id = newToken(options)
  store.transaction((write) => write.setMeta(unrememberedKey, id))
  return id
}

const newToken = ({ random }: Pick<LifeOptions, 'random'>): string => bytesToHex(random.bytes(16))

/** In the folder before anything is remembered of it: what the memory knows, a folder has. */
export function newName(options: Pick<LifeOptions, 'store' | 'random'>): Own {
  const own = { id: newToken(options), token: newToken(options), isNew: true }
  options.store.transaction((write) => write.setMeta(ownKey, own))
  return own
}

/** What this computer remembers against what the folder says; undefined when the two agree. */
function whatItIs(store: WalletStore, own: Own | undefined, folders: Folders): CopyCause | undefined {
  // It was never opened where something could be remembered; that others were is news.
  if (own === undefined) return Object.keys(folders).length > 0 ? 'twin' : undefined
  const entry = folders[own.id]
  if (!entry) return own.isNew ? undefined : 'moved'
  if (store.read.changes() < entry.changes) return 'old_copy'
  if (own.token !== entry.token && own.token !== entry.next) return 'moved'
  const isNews = Object.keys(folders).some((id) => id !== own.id && !entry.knows.includes(id))
  return isNews ? 'twin' : undefined
}

/**
 * A token for this start, in both places: first the memory knows that it comes, then the folder has it, then the memory
 * knows that it has. A crash between leaves the folder with one that the memory knows. @returns undefined without a memory
 */
function signIn(
  options: LifeOptions,
  memory: GenerationMemory,
  { id, token }: Own,
  folders: Folders,
): FolderEntry | undefined {
  const { store, clock } = options
  const next = newToken(options)
  const entry: FolderEntry = {
    token,
    next,
    starts: (folders[id]?.starts ?? 0) + 1,
    changes: store.read.changes(),
    openedAt: clock.now(),
    knows: Object.keys(folders).filter((other) => other !== id),
  }
  if (!memory.put(id, entry)) return undefined
  store.transaction((write) => write.setMeta(ownKey, { id, token: next, isNew: false }))
  const done = { ...entry, token: next, next: null }
  memory.put(id, done)
  return done
}

function keepTelling(store: WalletStore, memory: GenerationMemory, id: string, entry: FolderEntry): Life {
  let timer: ReturnType<typeof setTimeout> | undefined
  let told = entry.changes
  let isOver = false
  const tell = (): void => {
    clearTimeout(timer)
    timer = undefined
    const changes = changesOf(store)
    if (changes === undefined || changes === told) return
    const before = memory.folders()?.[id] ?? entry
    if (memory.put(id, { ...before, changes })) told = changes
  }
  return {
    touch: () => {
      if (!isOver) timer ??= setTimeout(tell, gatherMs).unref()
    },
    end: () => {
      if (!isOver) tell()
      isOver = true
    },
  }
}

/** Undefined when the database cannot be read: whoever works with it says so. */
function changesOf(store: WalletStore): number | undefined {
  try {
    return store.read.changes()
  } catch {
    return undefined
  }
}
