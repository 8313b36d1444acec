// Another wallet, or another database, takes the place of the one in a data folder: all of it or nothing, wherever a crash
// falls. Nothing is deleted: what was there is set aside.
//
//   arriving.new/       being prepared: worthless after a crash
//   arriving-<time>/    complete: what is in the folder is being set aside, then
//   arrived-<time>/     what lies in here is being moved into the folder
//
// One rename makes each of them the next. What was begun is finished at the next start, before anything is opened; so the
// old wallet is there whole, or the new one, never one's database with the other's phrase or journal.
//
// With a phrase and a database among what arrives, the whole old wallet goes to set-aside-<time>/; with a phrase alone, the
// old phrase goes there and the database stays; without one, only the database goes, as wallet.db.damaged-<time>.

import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { moveDurably, syncFolder } from './durable-file.ts'
import { phraseNames } from './keys.ts'
import { triesName } from './tries.ts'
import { databaseName } from './wallet-folder.ts'

/** A database and what SQLite keeps beside it: they belong together. */
const databaseNames = ['', '-wal', '-shm', '-journal'].map((suffix) => databaseName + suffix)
const phraseFiles = [...phraseNames, triesName]

const preparing = 'arriving.new'
const arriving = /^arriving-([0-9TZ-]+)$/
const arrived = /^arrived-([0-9TZ-]+)$/

/** @returns an empty folder, mode 0700, for what shall arrive: a phrase, a database, or neither */
export function prepareArrival(folder: string): string {
  abandonArrival(folder)
  const path = join(folder, preparing)
  mkdirSync(path, { mode: 0o700 })
  return path
}

/** What was prepared is not wanted after all. */
export function abandonArrival(folder: string): void {
  rmSync(join(folder, preparing), { recursive: true, force: true })
}

/**
 * What was prepared takes its place. Nothing of the folder may be open. When it throws, `finishArrival` goes on with it.
 * @param now milliseconds, for the name of what is set aside
 */
export function beginArrival(folder: string, now: number): void {
  syncFolder(join(folder, preparing))
  const taken = new Set(
    readdirSync(folder).flatMap((name) => /(?:set-aside|damaged)-([0-9TZ-]+)/.exec(name)?.[1] ?? []),
  )
  let time = timeOf(now)
  for (let count = 2; taken.has(time); count++) time = `${timeOf(now)}-${count}`
  moveDurably(join(folder, preparing), join(folder, `arriving-${time}`))
  finishArrival(folder)
}

/** What was begun, is finished; half-prepared things go. Under the lease of the folder, before anything is opened. */
export function finishArrival(folder: string): void {
  abandonArrival(folder)
  for (const name of readdirSync(folder)) {
    const time = arriving.exec(name)?.[1]
    if (time === undefined) continue
    setAside(folder, readdirSync(join(folder, name)), time)
    moveDurably(join(folder, name), join(folder, `arrived-${time}`))
  }
  for (const name of readdirSync(folder)) if (arrived.test(name)) moveIn(folder, join(folder, name))
}

function setAside(folder: string, incoming: readonly string[], time: string): void {
  const hasPhrase = incoming.some((name) => phraseNames.includes(name))
  const hasDatabase = incoming.includes(databaseName)
  const place = join(folder, `set-aside-${time}`)
  const damaged = (name: string): string => `${databaseName}.damaged-${time}${name.slice(databaseName.length)}`
  const going = [...(hasPhrase ? phraseFiles : []), ...(hasDatabase || !hasPhrase ? databaseNames : [])]
  for (const name of going.filter((name) => isThere(join(folder, name)))) {
    if (hasPhrase) mkdirSync(place, { recursive: true, mode: 0o700 })
    moveAside(join(folder, name), hasPhrase ? join(place, name) : join(folder, damaged(name)))
  }
}

function moveAside(from: string, to: string): void {
  if (isThere(to)) throw new AppError('internal', 'something was set aside under this name before')
  moveDurably(from, to)
}

/** Also a link that leads nowhere. */
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

function moveIn(folder: string, from: string): void {
  for (const name of readdirSync(from)) moveDurably(join(from, name), join(folder, name))
  rmSync(from, { recursive: true })
  syncFolder(folder)
}

/** 20261122T214233123Z: sorts by time, and every file system takes it. */
const timeOf = (now: number): string => new Date(now).toISOString().replaceAll(/[-:.]/g, '')
