// Where automatic copies go, and what lies there. Remembered in a file of its own beside the database, because it must
// still be known when that cannot be read. It holds no secret.

import { readFileSync } from 'node:fs'
import { access, constants, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { z } from '../shared/schema.ts'
import { writeDurably } from './durable-file.ts'

export const memoryName = 'backup.json'
/** Copies of one life that are kept. */
export const keptCopies = 10

const tag = z.string().regex(/^[0-9a-f]{8}$/)
const time = z.number().int().min(0)
const memory = z.object({
  /** Absolute; null for nowhere. */
  folder: z.string().nullable(),
  /** In the names of this wallet's copies; null before there was a folder. */
  tag: tag.nullable(),
  /** Of the life that made the last copy; null before the first, and in what older programs wrote. */
  life: tag.nullable().default(null),
  /** Milliseconds: of the last copy, or file that a person took. */
  savedAt: time.nullable(),
  /** How far the wallet had come (`WalletReads.changes`) at the last copy; null before the first. */
  changes: z.number().nullable(),
})
export type BackupMemory = z.infer<typeof memory>

const nothing: BackupMemory = { folder: null, tag: null, life: null, savedAt: null, changes: null }

/** What is not there, or cannot be read, is nothing: a person chooses again. */
export function readBackupMemory(dataFolder: string): BackupMemory {
  try {
    return memory.parse(JSON.parse(readFileSync(join(dataFolder, memoryName), 'utf8')))
  } catch {
    return nothing
  }
}

/** @throws AppError `disk_full`, `disk_unwritable` */
export function writeBackupMemory(dataFolder: string, remembered: z.input<typeof memory>): void {
  writeDurably(join(dataFolder, memoryName), `${JSON.stringify(memory.parse(remembered), null, 1)}\n`)
}

/** @returns where a copy of the wallet of this data folder lies by its name, undefined for what is no name of one */
export function pathOfCopy(dataFolder: string, name: string): string | undefined {
  const { folder, tag: own } = readBackupMemory(dataFolder)
  if (folder === null || own === null || namedCopies([name], own).length === 0) return undefined
  return join(folder, name)
}

/** That copies can go there. @throws AppError `backup_folder` */
export async function assertFolder(folder: string, dataFolder: string): Promise<void> {
  try {
    if (!isAbsolute(folder) || !(await stat(folder)).isDirectory()) throw new Error('no folder')
    await access(folder, constants.W_OK | constants.X_OK)
    const own = await realpath(dataFolder)
    const chosen = await realpath(folder)
    // What happens to the one would happen to the other.
    if (chosen === own || chosen.startsWith(own + sep)) throw new Error('inside the data folder')
  } catch (cause) {
    throw new AppError('backup_folder', 'no folder that copies can go to', { cause })
  }
}

// ---- names

const extension = '.farthing-backup'
const copyName = /^farthing-([0-9a-f]{8}(?:-[0-9a-f]{8})?)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)\.farthing-backup$/
const partName = /^\.farthing-([0-9a-f]{8})-(?:[0-9a-f]{8}-)?\d{8}-\d{6}\.farthing-backup\.part$/

/**
 * The copies of one life of a wallet: they are counted, and the oldest go, by themselves. Before lives were told apart, the
 * tag alone was their series.
 */
export const seriesOf = (own: string, life: string): string => `${own}-${life}`

/** `YYYYMMDD-HHMMSS`, UTC: the order of names is the order of time, everywhere. */
function stamp(at: number): string {
  const [date = '', clock = ''] = new Date(at).toISOString().split(/[T.]/)
  return `${date.replaceAll('-', '')}-${clock.replaceAll(':', '')}`
}

/** The name of a file that a person takes: nothing in it tells whose it is, and it is never taken for a copy. */
export const nameOfExport = (at: number): string => `farthing-${stamp(at)}${extension}`

/** The name of a copy of this series. @param at milliseconds; the name keeps whole seconds */
export const nameOfCopy = (series: string, at: number): string => `farthing-${series}-${stamp(at)}${extension}`

/** What a copy is called while it is written. */
export const nameOfPart = (copy: string): string => `.${copy}.part`

export const isPartOf = (own: string, name: string): boolean => partName.exec(name)?.[1] === own

export type NamedCopy = { readonly name: string; readonly series: string; readonly savedAt: number }

/** Those names that are copies of this wallet, of whichever life, with when they were made as the names say, newest first. */
export function namedCopies(names: readonly string[], own: string): readonly NamedCopy[] {
  return names
    .flatMap((name) => {
      const [, series = '', ...parts] = copyName.exec(name) ?? []
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number)
      const savedAt = Date.UTC(year, month - 1, day, hour, minute, second)
      // A date that does not exist is a name that was not made here.
      const isOne = series.split('-')[0] === own && nameOfCopy(series, savedAt) === name
      return isOne ? { name, series, savedAt } : []
    })
    .sort((a, b) => b.savedAt - a.savedAt)
}

/** Clocks differ, and are set: but a name from beyond this was not made by one of ours. Milliseconds. */
const aheadMs = 366 * 24 * 3_600_000

/** The copies of one life, newest first. Names of a time that is far away take no part: nothing could ever follow them. */
export const copiesInOrder = (names: readonly string[], series: string, now: number): readonly NamedCopy[] =>
  namedCopies(names, series.split('-')[0] ?? '').filter(
    (copy) => copy.series === series && copy.savedAt <= now + aheadMs,
  )
