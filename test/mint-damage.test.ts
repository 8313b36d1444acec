// A mint whose book was damaged while it was down: a log with a flipped byte, cut short or gone, a database with a flipped
// byte, cut short, empty or gone. It refuses to start, says what is wrong, and changes no file. What a kill or a power cut
// leaves is no damage. Real processes, real kill -9, real files.

import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDataFolder } from '../mint/data-folder.ts'
import { startMintServer } from '../mint/start.ts'
import { createChance } from './chance.ts'
import { readBooks } from './mint-books.ts'
import { createCarefulClient, emptyTally, statesOfAll } from './mint-careful-client.ts'
import { startMintProcess } from './mint-process.ts'

const frameBytes = 24 + 4096
const names = { database: 'mint.sqlite', log: 'mint.sqlite-wal', index: 'mint.sqlite-shm' }

let root: string
/** What is left of a mint that was killed, and how many of its frames are of this round of the log. */
let killed: { readonly folder: string; readonly frames: number; readonly spent: readonly string[] }

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'farthing-damage-'))
  const folder = join(root, 'killed')
  const mint = await startMintProcess({ folder, args: ['--practice-delay-ms', '0'] })
  try {
    const parts = { url: () => mint.url, tally: emptyTally(), onSend: () => {}, chance: createChance() }
    const client = await createCarefulClient(parts)
    await client.issue(100)
    for (let n = 0; n < 6; n++) await client.swap()
  } finally {
    await mint.kill()
  }
  const frames = (readFileSync(join(folder, names.log)).length - 32) / frameBytes
  killed = { folder, frames, spent: readBooks(folder).spent }
  expect(Number.isInteger(frames)).toBe(true)
  expect(frames).toBeGreaterThan(20)
  expect(killed.spent.length).toBeGreaterThan(6)
}, 120_000)
afterAll(() => rmSync(root, { recursive: true }))

let serial = 0
function copyOf(folder: string): string {
  const copy = join(root, String(++serial))
  cpSync(folder, copy, { recursive: true })
  return copy
}

function flip(path: string, at: number, bit = 1): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= bit
  writeFileSync(path, bytes)
}

/** But the lease and the index, in which nothing is, and a log of no length, which SQLite makes where there is none. */
const contentOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== 'lease' && name !== names.index)
      .map((name) => [name, readFileSync(join(folder, name))] as const)
      .filter(([name, { length }]) => name !== names.log || length > 0)
      .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]),
  )

async function start(folder: string) {
  const mint = await startMintServer({ dataFolder: folder, report: () => {} })
  onTestFinished(() => mint.close())
  return mint
}

async function expectRefused(folder: string, name: string, what: RegExp): Promise<void> {
  const before = contentOf(folder)
  const refused = { code: 'folder_damaged', message: expect.stringMatching(what) }
  // Twice: a look at it must not make it pass.
  for (let times = 0; times < 2; times++) await expect(start(folder)).rejects.toMatchObject(refused)
  await expect(start(folder)).rejects.toThrow(`${join(folder, name)} `)
  await expect(start(folder)).rejects.toThrow('Nothing was changed')
  if (existsSync(join(folder, names.database))) {
    expect(() => openDataFolder(folder)).toThrow(expect.objectContaining(refused))
  }
  expect(contentOf(folder)).toEqual(before)
}

describe('a mint that was killed', () => {
  test('starts again, and knows every coin that is spent', async () => {
    const folder = copyOf(killed.folder)
    const mint = await start(folder)
    expect(new Set(await statesOfAll(mint.url, killed.spent))).toEqual(new Set(['SPENT']))
    expect(readdirSync(folder).sort()).toEqual(['lease', ...Object.values(names).sort(), 'seed'])
  })

  test.each<[string, (frames: number) => number]>([
    ['its header', () => 3],
    ['the salt of its header', () => 17],
    ['the checksum of its header', () => 25],
    ['its first frame', () => 32 + 1000],
    ['the head of its first frame', () => 32 + 16],
    ['the middle', (frames) => 32 + Math.floor(frames / 2) * frameBytes + 2000],
    ['its newest page', (frames) => 32 + frames * frameBytes - 1],
    ['the salt of its newest frame', (frames) => 32 + (frames - 1) * frameBytes + 9],
    ['the mark of its newest commit', (frames) => 32 + (frames - 1) * frameBytes + 7],
  ])('does not start when one byte of the log was flipped in %s', async (_, place) => {
    const folder = copyOf(killed.folder)
    flip(join(folder, names.log), place(killed.frames))
    await expectRefused(folder, names.log, /is damaged, cut short or gone/)
  })

  test('does not start either where the index of the log is gone, unless the damage may be of a power cut', async () => {
    for (const frame of [0, 5, Math.floor(killed.frames / 2)]) {
      const folder = copyOf(killed.folder)
      rmSync(join(folder, names.index))
      flip(join(folder, names.log), 32 + frame * frameBytes + 99)
      await expectRefused(folder, names.log, /is damaged, cut short or gone/)
    }
  })

  test('does not start when the log was cut at the end of a frame, emptied or removed', async () => {
    for (const left of [killed.frames - 1, 7, 0]) {
      const folder = copyOf(killed.folder)
      truncateSync(join(folder, names.log), 32 + left * frameBytes)
      await expectRefused(folder, names.log, /is damaged, cut short or gone/)
    }
    const folder = copyOf(killed.folder)
    rmSync(join(folder, names.log))
    await expectRefused(folder, names.log, /is damaged, cut short or gone/)
  })

  test('does not start when its database is gone or empty', async () => {
    for (const spoil of [rmSync, truncateSync]) {
      const folder = copyOf(killed.folder)
      spoil(join(folder, names.database))
      await expectRefused(folder, names.database, /is gone or empty, while its log is there/)
      for (const name of [names.log, names.index]) rmSync(join(folder, name))
      await expectRefused(folder, names.database, /is gone or empty, while the seed is there/)
    }
  })

  test('does not start when log and index are gone that held its whole book', async () => {
    const folder = copyOf(killed.folder)
    for (const name of [names.log, names.index]) rmSync(join(folder, name))
    await expectRefused(folder, names.database, /is gone or empty, while the seed is there/)
  })

  test('says so in one line when it is run by its operator', async () => {
    const folder = copyOf(killed.folder)
    flip(join(folder, names.log), 32 + 1000)
    const words = /: mint: \S+ is damaged[^\n]* Nothing was changed[^\n]*docs\/mint\.md[^\n[\]…]*\n$/
    // One that starts all the same is not left behind.
    await expect(startMintProcess({ folder }).then((mint) => mint.kill())).rejects.toThrow(words)
  })
})

describe('what a power cut leaves is no damage:', () => {
  /** Nobody flushes the index. */
  function cut(): string {
    const folder = copyOf(killed.folder)
    rmSync(join(folder, names.index))
    return folder
  }
  const keptIn = (folder: string) => readdirSync(folder).filter((name) => name.includes('-damaged-'))

  test('a transaction of which the end is there and not the middle; what was there of it is kept', async () => {
    const folder = cut()
    const log = join(folder, names.log)
    const frames = (readFileSync(log).length - 32) / frameBytes
    flip(log, 32 + frames * frameBytes - 1)
    const before = readFileSync(log)
    await start(folder)
    expect(keptIn(folder)).toHaveLength(1)
    expect(readFileSync(join(folder, keptIn(folder)[0]!)).equals(before)).toBe(true)
    expect(readBooks(folder).problems).toEqual([])
  })

  test('a log that ends in the middle of a frame', async () => {
    const folder = cut()
    truncateSync(join(folder, names.log), 32 + (killed.frames - 1) * frameBytes + 100)
    await start(folder)
    expect(keptIn(folder)).toEqual([])
    expect(readBooks(folder).problems).toEqual([])
  })

  test('a first start that ended before the mint had a seed', async () => {
    const folder = join(root, String(++serial))
    await (await startMintServer({ dataFolder: folder })).close()
    const db = new DatabaseSync(join(folder, names.database))
    db.exec('DELETE FROM keysets')
    db.close()
    rmSync(join(folder, 'seed'))
    await start(folder)
    expect(existsSync(join(folder, 'seed'))).toBe(true)
  })
})

describe('the database of a mint that was stopped', () => {
  let stopped: string
  beforeAll(async () => {
    stopped = copyOf(killed.folder)
    await (await startMintServer({ dataFolder: stopped })).close()
    expect(existsSync(join(stopped, names.log))).toBe(false)
  })

  /** Where the bytes of a spent coin's Y stand: in its row, and in the index that forbids to spend it twice. */
  const placesOf = (folder: string, Y: string): number[] => {
    const bytes = readFileSync(join(folder, names.database))
    const wanted = Buffer.from(Y, 'hex')
    const places: number[] = []
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) places.push(at)
    return places
  }

  test('is looked through, every index too: one flipped byte of a spent coin, in either place, and it does not start', async () => {
    const Y = killed.spent[3]!
    const places = placesOf(stopped, Y)
    expect(places).toHaveLength(2)
    for (const at of places) {
      const folder = copyOf(stopped)
      flip(join(folder, names.database), at + 20)
      await expectRefused(folder, names.database, /does not pass its integrity check/)
    }
  })

  test('does not start when it was cut short, or is no database', async () => {
    const folder = copyOf(stopped)
    truncateSync(join(folder, names.database), 3 * 4096)
    await expectRefused(folder, names.database, /does not pass its integrity check/)
    writeFileSync(join(folder, names.database), 'no database at all, and long enough to be taken for one '.repeat(20))
    await expectRefused(folder, names.database, /does not pass its integrity check/)
  })

  test('starts when nothing is wrong with it', async () => {
    const mint = await start(copyOf(stopped))
    expect(new Set(await statesOfAll(mint.url, killed.spent))).toEqual(new Set(['SPENT']))
  })
})
