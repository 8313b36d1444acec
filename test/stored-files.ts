// Files of every version that was released, kept in test/stored: a wallet with an operation of every kind in every state,
// and the file of its mint. How a new one is made: FARTHING_STORE=1 vitest run test/migrations.test.ts

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync, gzipSync } from 'node:zlib'
import { connections } from './sqlite-faults.ts'
import type { Played } from './stored-plays.ts'

const stored = join(import.meta.dirname, 'stored')
/** As the world of the plays makes it. */
const mintSeed = '07'.repeat(32)

/** Versions of the wallet's schema of which there is a file. */
export const storedVersions = (): readonly number[] =>
  (existsSync(stored) ? readdirSync(stored) : [])
    .flatMap((name) => /^wallet-v(\d+)\.sqlite\.gz$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)

export type Folders = { readonly wallet: string; readonly mintFolder: string }

/** Unpack both files of a version. @returns path of the wallet's file, and a folder that the mint can be started on */
export function unpack(version: number, folder: string): Folders {
  const folders = foldersIn(folder)
  for (const [name, path] of filesOf(version, folders)) {
    writeFileSync(path, gunzipSync(readFileSync(join(stored, name))), { mode: 0o600 })
  }
  return folders
}

function foldersIn(folder: string): Folders {
  const mintFolder = join(folder, 'mint')
  mkdirSync(mintFolder, { mode: 0o700 })
  writeFileSync(join(mintFolder, 'seed'), `${mintSeed}\n`, { mode: 0o600 })
  return { wallet: join(folder, 'wallet.db'), mintFolder }
}

const filesOf = (version: number, { wallet, mintFolder }: Folders): readonly (readonly [string, string])[] => [
  [`wallet-v${version}.sqlite.gz`, wallet],
  [`wallet-v${version}-mint.sqlite.gz`, join(mintFolder, 'mint.sqlite')],
]

/** Files of a world as it stands, in the form that processes leave them in. */
export function takeFiles({ world, ann }: Played, folder: string): Folders {
  const folders = foldersIn(folder)
  const [operation] = ann.store.read.operations({ limit: 1 })
  const isAnn = (db: DatabaseSync) =>
    db.location()?.endsWith('wallet.db') &&
    db.prepare('SELECT 1 FROM operation WHERE id = ?').get(operation?.id ?? '') !== undefined
  const isMint = (db: DatabaseSync) => db.location() === join(world.mint.folder, 'mint.sqlite')
  copyInto(connections().find(isAnn), folders.wallet)
  copyInto(connections().find(isMint), join(folders.mintFolder, 'mint.sqlite'))
  return folders
}

function copyInto(db: DatabaseSync | undefined, path: string): void {
  if (!db) throw new Error('nobody has that file open')
  rmSync(path, { force: true })
  db.exec(`VACUUM INTO '${path}'`)
  const copy = new DatabaseSync(path)
  copy.exec('PRAGMA journal_mode = WAL')
  copy.close()
}

/** Keep these files for the version that they have. */
export function store(version: number, folders: Folders): void {
  mkdirSync(stored, { recursive: true })
  for (const [name, path] of filesOf(version, folders)) {
    writeFileSync(join(stored, name), gzipSync(readFileSync(path), { level: 9 }))
  }
}
