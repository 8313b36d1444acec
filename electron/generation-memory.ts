// What this computer remembers of a phrase outside of every data folder: so that an old copy of a folder that is put back,
// a folder that was moved here, and two folders with one phrase are noticed when they are opened. It holds numbers, ids and
// random tokens only, in one file for each phrase, mode 0600; the name is a fingerprint that nothing can be derived from.

import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { z } from '../shared/schema.ts'
import type { Surroundings } from './data-folder.ts'
import { writeDurably } from './durable-file.ts'
import { highestBelieved } from './wallet/generation.ts'
import type { LifeMemory } from './wallet/ports.ts'

const count = z.number().int().min(0)
const remembered = z.strictObject({
  version: z.literal(1),
  /** Highest generation that was used; -1 for none. */
  highest: z.number().int().min(-1).max(highestBelieved),
  folders: z.record(
    z.string(),
    z.strictObject({
      /** Of the last start; `next` is the one that a start had begun to write into the folder. */
      token: z.string(),
      next: z.string().nullable(),
      starts: count,
      /** How far the folder had come (`WalletReads.changes`), when that was last noted. */
      changes: count,
      /** Milliseconds. */
      openedAt: count,
      /** Other folders of this phrase that this one was told of. */
      knows: z.array(z.string()),
    }),
  ),
})
type Remembered = z.infer<typeof remembered>
export type FolderEntry = Remembered['folders'][string]

/** More folders of one phrase than anybody has: the ones opened longest ago are forgotten. */
const mostFolders = 16

export type GenerationMemory = LifeMemory & {
  /** The folders that were opened here with this phrase; undefined when that cannot be read. */
  folders(): Readonly<Record<string, FolderEntry>> | undefined
  /** @returns whether it is remembered now */
  put(id: string, entry: FolderEntry): boolean
}

/** Where the system keeps what programs remember of this computer, the same for every host. @returns an absolute path */
export function memoryFolder(surroundings: Partial<Surroundings> = {}): string {
  const { platform = process.platform, env = process.env, home = homedir() } = surroundings
  const chosen = env['FARTHING_STATE']
  if (chosen) return resolve(chosen)
  // "All paths set in these environment variables must be absolute" (XDG Base Directory Specification).
  const absolute = (path: string | undefined): string | undefined => (path && isAbsolute(path) ? path : undefined)
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Farthing lives')
  // Not the roaming one, which goes along to other computers.
  if (platform === 'win32') return join(absolute(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local'), 'Farthing')
  return join(absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state'), 'farthing')
}

/**
 * A memory that cannot be written or read stops no wallet: it is told once, and the wallet goes without.
 * @param fingerprint of the phrase, hex
 */
export function openGenerationMemory(
  folder: string,
  fingerprint: string,
  report: (error: AppError) => void,
): GenerationMemory {
  const path = join(folder, `${fingerprint}.json`)
  let isTold = false
  const tell = (cause: unknown): void => {
    if (!isTold) report(new AppError('internal', 'this computer cannot remember which folders it opened', { cause }))
    isTold = true
  }
  /** Read anew each time: another folder of this phrase may be open beside this one. */
  const read = (): Remembered | undefined => {
    try {
      return remembered.parse(JSON.parse(readFileSync(path, 'utf8')))
    } catch (cause) {
      if (isMissing(cause)) return { version: 1, highest: -1, folders: {} }
      tell(cause)
      return undefined
    }
  }
  const change = (work: (before: Remembered) => Remembered): boolean => {
    const before = read()
    if (!before) return false
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      chmodSync(folder, 0o700)
      // What would not be read again is not written.
      writeDurably(path, `${JSON.stringify(remembered.parse(work(before)))}\n`)
      return true
    } catch (cause) {
      tell(cause)
      return false
    }
  }
  return {
    highest: () => read()?.highest ?? -1,
    claim: (generation) => {
      change((before) => ({ ...before, highest: Math.max(before.highest, generation) }))
    },
    folders: () => read()?.folders,
    put: (id, entry) =>
      change((before) => {
        const folders = Object.entries({ ...before.folders, [id]: entry })
        const latest = folders.sort(([, a], [, b]) => b.openedAt - a.openedAt).slice(0, mostFolders)
        return { ...before, folders: Object.fromEntries(latest) }
      }),
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
