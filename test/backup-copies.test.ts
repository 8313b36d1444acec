// Automatic copies: which are kept, what a crash or a bad disk leaves, and when they are made.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CopyFiles, lookAtCopies, systemFiles, writeCopy } from '../electron/backup-copies.ts'
import { openBackup, sealBackup } from '../electron/backup-file.ts'
import {
  namedCopies,
  nameOfCopy,
  nameOfExport,
  nameOfPart,
  pathOfCopy,
  seriesOf,
  writeBackupMemory,
} from '../electron/backup-folder.ts'
import { foundCopies } from '../electron/backup-found.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { createFolderWork } from '../electron/backup-patience.ts'
import { createBackupSchedule } from '../electron/backup-schedule.ts'
import { seedOfPhrase } from '../electron/keys.ts'
import { systemRandom as random, systemClock } from '../electron/wallet-folder.ts'
import { AppError } from '../shared/errors.ts'
import { createClock } from './backup-clock.ts'
import { openSmallDisk } from './small-disk.ts'

const phrase = `${'abandon '.repeat(11)}about`
const { tag, key } = backupSecretsOf(seedOfPhrase(phrase))
const life = '89abcdef'
const series = seriesOf(tag, life)
const start = Date.UTC(2026, 10, 1, 12)
const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-copies-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function* sealed(text: string, savedAt = start): AsyncGenerator<Uint8Array> {
  const description = { savedAt, program: '1', schema: 3, phrase: null }
  const content = (async function* () {
    yield Buffer.from(text.repeat(30_000))
  })()
  yield* sealBackup({ lock: { kind: 'phrase' }, key, description, content, random })
}

async function read(file: AsyncIterable<Uint8Array>): Promise<void> {
  const { content } = await openBackup(file, async () => key)
  for await (const _ of content);
}

type Copy = {
  readonly now?: number
  readonly files?: CopyFiles
  readonly at?: string
  readonly text?: string
  readonly of?: string
  readonly signal?: AbortSignal
}
const copy = ({
  now = start,
  files = systemFiles,
  at = folder,
  text = 'what was saved ',
  of = life,
  signal,
}: Copy = {}) =>
  writeCopy({
    ...{ files, folder: at, tag, life: of, now, signal: signal ?? new AbortController().signal },
    content: () => sealed(text, now),
    verify: read,
  })

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error) => error.code,
  )
const names = () => readdirSync(folder).sort()
const own = () => namedCopies(readdirSync(folder), tag).map(({ name }) => name)
const isWhole = (name: string): Promise<boolean> =>
  read(systemFiles.read(join(folder, name))).then(
    () => true,
    () => false,
  )

describe('the folder', () => {
  test('keeps the newest ten', async () => {
    for (let day = 0; day < 13; day++) await copy({ now: start + day * dayMs })
    expect(own()).toEqual(Array.from({ length: 10 }, (_, back) => nameOfCopy(series, start + (12 - back) * dayMs)))
    expect(names()).toHaveLength(10)
    for (const name of own()) expect(await isWhole(name)).toBe(true)
  })

  test('keeps everything that is not a copy of this wallet, whatever it is called', async () => {
    const foreign = [
      nameOfCopy('ffffffff', start - dayMs),
      nameOfExport(start - dayMs),
      `${nameOfCopy(tag, start - dayMs)}.bak`,
      `my ${nameOfCopy(tag, start - dayMs)}`,
      `farthing-${tag}-20260230-101010.farthing-backup`,
      `farthing-${tag}-20261101-1010.farthing-backup`,
      nameOfPart(nameOfCopy('ffffffff', start - dayMs)),
      'holiday.jpg',
      'wallet.db',
    ]
    for (const name of foreign) writeFileSync(join(folder, name), 'mine')
    mkdirSync(join(folder, 'pictures'))
    for (let hour = 0; hour < 14; hour++) await copy({ now: start + hour * hourMs })
    expect(names().filter((name) => !own().includes(name))).toEqual([...foreign, 'pictures'].sort())
    for (const name of foreign) expect(readFileSync(join(folder, name), 'utf8')).toBe('mine')
  })

  test('keeps the newest also when the clock was set back: names are in the order of writing', async () => {
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs })
    const before = own()
    await copy({ now: start - 300 * dayMs, text: 'after the clock was set back ' })
    expect(own()[0]).toBe(nameOfCopy(series, start + 9 * hourMs + secondMs))
    expect(own().slice(1)).toEqual(before.slice(0, 9))
    await copy({ now: start - 300 * dayMs })
    expect(own()).toHaveLength(10)
    expect(own()[1]).toBe(nameOfCopy(series, start + 9 * hourMs + secondMs))
  })

  test('keeps every copy of another life of the same words, and all of those that older programs made', async () => {
    const [early, late] = ['11111111', 'ffffffff']
    const older = Array.from({ length: 12 }, (_, day) => nameOfCopy(tag, start - (day + 1) * dayMs))
    for (const name of older) writeFileSync(join(folder, name), 'of an older program')
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs, of: early })
    const before = own()
    expect(before).toHaveLength(22)
    for (let hour = 0; hour < 12; hour++) await copy({ now: start + dayMs + hour * hourMs, of: late })
    expect(own()).toEqual(expect.arrayContaining(before))
    expect(own()).toHaveLength(32)
    for (let hour = 0; hour < 3; hour++) await copy({ now: start + 2 * dayMs + hour * hourMs, of: early })
    expect(own()).toHaveLength(32)
    expect(own()).toEqual(expect.arrayContaining(older))
    // All of them are shown, whoever made them.
    expect((await lookAtCopies(systemFiles, folder, tag)).map(({ name }) => name)).toEqual(own())
  })

  test('goes on with names of today beside one that nothing could follow', async () => {
    const far = [nameOfCopy(series, Date.UTC(9999, 11, 31, 23, 59, 59)), nameOfCopy(series, start + 800 * dayMs)]
    for (const name of far) writeFileSync(join(folder, name), 'made up')
    for (let hour = 0; hour < 12; hour++) await copy({ now: start + hour * hourMs })
    const made = Array.from({ length: 10 }, (_, back) => nameOfCopy(series, start + (11 - back) * hourMs))
    expect(names()).toEqual([...far, ...made].sort())
    expect((await lookAtCopies(systemFiles, folder, tag)).map(({ name }) => name)).toEqual(expect.arrayContaining(made))
  })

  test('loses nothing to a copy that nobody waits for any more', async () => {
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs })
    const before = names()
    const stopping = new AbortController()
    const files: CopyFiles = {
      ...systemFiles,
      write: async (path, content) => {
        await systemFiles.write(path, content)
        stopping.abort()
      },
    }
    expect(await codeOf(copy({ now: start + dayMs, files, signal: stopping.signal }))).not.toBe('ok')
    expect(names()).toEqual(before)
    const late: CopyFiles = {
      ...systemFiles,
      rename: async (from, to) => {
        await systemFiles.rename(from, to)
        stopping.abort()
      },
    }
    expect(await codeOf(copy({ now: start + dayMs, files: late, signal: stopping.signal }))).not.toBe('ok')
    expect(names()).toEqual(expect.arrayContaining(before))
  })

  test('that is gone, or a file, is no folder, and is not made', async () => {
    const gone = join(folder, 'stick')
    expect(await codeOf(copy({ at: gone }))).toBe('backup_folder')
    expect(existsSync(gone)).toBe(false)
    writeFileSync(gone, '')
    expect(await codeOf(copy({ at: gone }))).toBe('backup_folder')
    expect(await codeOf(lookAtCopies(systemFiles, gone, tag))).toBe('backup_folder')
  })

  /** A data folder that remembers where copies went. */
  const remembering = (at = folder) => {
    const data = mkdtempSync(join(folder, 'data-'))
    writeBackupMemory(data, { folder: at, tag, savedAt: start, changes: 1 })
    return data
  }
  const work = createFolderWork(systemClock)
  const found = (data: string, of: string | null = phrase) => foundCopies(data, of, { work })

  test('is found again without the wallet, and gives out nothing but its copies', async () => {
    await copy()
    await copy({ now: start + hourMs, of: '11111111' })
    writeFileSync(join(folder, nameOfCopy('ffffffff', start)), '')
    expect(await found(mkdtempSync(join(folder, 'other-')))).toEqual({ backups: [], awayFolder: null })
    const data = remembering()
    for (const of of [phrase, null]) {
      const { backups, awayFolder } = await found(data, of)
      expect(awayFolder).toBeNull()
      expect(backups.map(({ name, savedAt }) => ({ name, savedAt }))).toEqual([
        { name: nameOfCopy(seriesOf(tag, '11111111'), start + hourMs), savedAt: start + hourMs },
        { name: nameOfCopy(series, start), savedAt: start },
      ])
      expect(backups).toEqual(await lookAtCopies(systemFiles, folder, tag))
    }
    const name = nameOfCopy(series, start)
    expect(pathOfCopy(data, name)).toBe(join(folder, name))
    for (const bad of ['', '..', `../${name}`, `${name}/..`, nameOfCopy('ffffffff', start), 'wallet.db']) {
      expect(pathOfCopy(data, bad)).toBeUndefined()
    }
    writeFileSync(join(data, 'backup.json'), '{"folder":7}')
    expect(await found(data)).toEqual({ backups: [], awayFolder: null })
  })

  test('that is not there is named, so that nobody takes it for one without copies', async () => {
    const gone = join(folder, 'stick')
    const data = remembering(gone)
    expect(await found(data)).toEqual({ backups: [], awayFolder: gone })
    mkdirSync(gone)
    expect(await found(data)).toEqual({ backups: [], awayFolder: null })
    await copy({ at: gone })
    expect(await found(data)).toMatchObject({ backups: [{ savedAt: start }], awayFolder: null })
  })

  test('is believed for what its copies say, not for what they are called', async () => {
    for (let day = 0; day < 3; day++) await copy({ now: start + day * dayMs })
    const renamed = nameOfCopy(series, start + 9 * dayMs)
    renameSync(join(folder, nameOfCopy(series, start)), join(folder, renamed))
    const empty = nameOfCopy(series, start + 20 * dayMs)
    writeFileSync(join(folder, empty), '')
    const { backups } = await found(remembering())
    expect(backups.map(({ name, savedAt }) => ({ name, savedAt }))).toEqual([
      { name: nameOfCopy(series, start + 2 * dayMs), savedAt: start + 2 * dayMs },
      { name: nameOfCopy(series, start + dayMs), savedAt: start + dayMs },
      { name: renamed, savedAt: start },
      { name: empty, savedAt: start + 20 * dayMs },
    ])
  })
})

/** Files of a process that ends at one of its operations, before or after its effect, or in the middle of writing. */
function dying(at: number, when: 'before' | 'after' | 'within'): CopyFiles & { readonly hasDied: () => boolean } {
  let count = 0
  let isDead = false
  const end = (): never => {
    isDead = true
    throw new Error('ended')
  }
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Error('ended')
    count++
    if (count !== at) return work()
    if (when === 'before') end()
    await work()
    return end()
  }
  async function* half(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      yield piece.subarray(0, piece.length >> 1)
      if (piece.length > 100) end()
    }
  }
  return {
    hasDied: () => isDead,
    list: (path) => step(() => systemFiles.list(path)),
    look: (path) => step(() => systemFiles.look(path)),
    write: (path, content) =>
      step(() => systemFiles.write(path, when === 'within' && count === at ? half(content) : content)),
    read: (path) => systemFiles.read(path),
    rename: (from, to) => step(() => systemFiles.rename(from, to)),
    remove: (path) => step(() => systemFiles.remove(path)),
  }
}

describe('a crash between any two file operations', () => {
  test.each(['before', 'after', 'within'] as const)('%s its effect leaves ten good copies', async (when) => {
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs })
    const left = join(folder, 'left')
    let deaths = 0
    for (let at = 1; ; at++) {
      const before = own()
      const files = dying(at, when)
      const outcome = await codeOf(copy({ now: start + dayMs + at * hourMs, files }))
      const after = own()
      // Whatever has the name of a copy is a whole one, and no good one went before there was a newer one.
      for (const name of after) expect(await isWhole(name), `operation ${at}: ${name}`).toBe(true)
      expect(after.length).toBeGreaterThanOrEqual(10)
      const isNew = after[0] !== before[0]
      expect(after).toEqual(expect.arrayContaining(before.slice(0, isNew ? 9 : 10)))
      if (!files.hasDied()) {
        expect(outcome).toBe('ok')
        break
      }
      deaths++
      // One half-written file is left for the end; more would only make more operations.
      for (const part of names().filter((name) => name.endsWith('.part'))) renameSync(join(folder, part), left)
    }
    expect(deaths).toBeGreaterThan(4)
    renameSync(left, join(folder, nameOfPart(nameOfCopy(series, start + 2 * dayMs))))
    // The next one goes on as if nothing had been, and what was left half-written goes in time.
    await copy({ now: start + 5 * dayMs })
    expect(own()).toHaveLength(10)
    const parts = names().filter((name) => name.endsWith('.part'))
    for (const part of parts) utimesSync(join(folder, part), 0, (start + 5 * dayMs) / 1000)
    await copy({ now: start + 7 * dayMs })
    expect(names()).toHaveLength(10)
  })
})

describe('a disk', () => {
  test.each([
    ['disk_full', 'ENOSPC'],
    ['disk_unwritable', 'EROFS'],
    ['disk_unwritable', 'EIO'],
    ['backup_folder', 'ENOENT'],
  ])('that says %s in the middle of a file loses no copy and leaves no half', async (code, system) => {
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs })
    const before = names()
    const files: CopyFiles = {
      ...systemFiles,
      write: async (path, content) => {
        for await (const piece of content) {
          writeFileSync(path, piece.subarray(0, 1000))
          break
        }
        throw Object.assign(new Error(system), { code: system })
      },
    }
    expect(await codeOf(copy({ now: start + dayMs, files }))).toBe(code)
    expect(names()).toEqual(before)
  })

  test('that gives back something else than was written gets no new copy, and loses none', async () => {
    for (let hour = 0; hour < 10; hour++) await copy({ now: start + hour * hourMs })
    const before = names()
    const files: CopyFiles = {
      ...systemFiles,
      write: async (path, content) => {
        await systemFiles.write(path, content)
        const bytes = readFileSync(path)
        bytes[bytes.length - 5]! ^= 1
        writeFileSync(path, bytes)
      },
    }
    expect(await codeOf(copy({ now: start + dayMs, files }))).toBe('bad_backup')
    expect(names()).toEqual(before)
  })

  test('that is really full says so and keeps what it has', async ({ skip }) => {
    const disk = await openSmallDisk(256)
    if (!disk) return skip()
    try {
      const at = join(disk.outside, 'copies')
      mkdirSync(at)
      await copy({ at })
      const before = readdirSync(at)
      disk.fill()
      expect(await codeOf(copy({ at, now: start + dayMs }))).toBe('disk_full')
      expect(readdirSync(at)).toEqual(before)
      disk.free()
      await copy({ at, now: start + dayMs })
      expect(readdirSync(at)).toHaveLength(2)
    } finally {
      await disk.close()
    }
  })
})

// ---- when

describe('a copy is made', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  function create({ isPending = false, isOn = true } = {}) {
    const clock = createClock(start)
    const made: number[] = []
    const state = { failure: null as AppError | null, isOn, hangs: false, isDeaf: false, tookMs: 0 }
    const troubles: string[] = []
    const schedule = createBackupSchedule({
      clock,
      isPending,
      isOn: () => state.isOn,
      copy: async (signal) => {
        if (state.hangs) {
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new AppError('internal', 'told to end')))
          })
        }
        if (state.isDeaf) await new Promise(() => {})
        if (state.failure) throw state.failure
        if (state.tookMs > 0) await clock.wait(state.tookMs)
        made.push(clock.now() - start)
      },
      onDone: () => {},
      onTrouble: ({ code }) => troubles.push(code),
    })
    stops.push(async () => {
      if (state.isDeaf) return
      state.failure = new AppError('internal', 'over')
      await schedule.stop()
    })
    return { clock, made, schedule, state, troubles }
  }

  test('within a minute of an open payment, once for many that come together', async () => {
    const { clock, made, schedule } = create()
    schedule.note('soon')
    await clock.move(5 * secondMs)
    expect(made).toEqual([])
    for (let each = 0; each < 30; each++) {
      schedule.note('soon')
      await clock.move(4 * secondMs)
    }
    await clock.move(hourMs)
    expect(made[0]).toBeLessThanOrEqual(minuteMs)
    expect(made.length).toBeLessThanOrEqual(3)
    const before = made.length
    schedule.note('soon')
    await clock.move(minuteMs)
    expect(made).toHaveLength(before + 1)
  })

  test('less often where a copy takes long', async () => {
    const { clock, made, schedule, state } = create()
    state.tookMs = 20 * secondMs
    for (let minute = 0; minute < 60; minute++) {
      schedule.note('soon')
      await clock.move(minuteMs)
    }
    expect(made.length).toBeGreaterThan(10)
    expect(made.length).toBeLessThan(20)
  })

  test('at most once an hour for anything else, and not at all for nothing', async () => {
    const { clock, made, schedule } = create()
    await clock.move(5 * hourMs)
    expect(made).toEqual([])
    for (let minute = 0; minute < 300; minute++) {
      schedule.note('later')
      await clock.move(minuteMs)
    }
    expect(made.length).toBeGreaterThanOrEqual(4)
    expect(made.length).toBeLessThanOrEqual(6)
    for (const [index, at] of made.entries()) {
      if (index > 0) expect(at - made[index - 1]!).toBeGreaterThanOrEqual(hourMs)
    }
  })

  test('of what changed in an earlier run that ended before its copy', async () => {
    const { clock, made } = create({ isPending: true })
    await clock.move(minuteMs)
    expect(made).toHaveLength(1)
  })

  test('at the end, when something changed; and not when nothing did', async () => {
    const one = create()
    one.schedule.note('later')
    await one.schedule.stop()
    expect(one.made).toHaveLength(1)
    const two = create()
    await two.schedule.stop()
    expect(two.made).toEqual([])
  })

  test('or not: the end does not wait for a folder that does not answer', async () => {
    const { clock, made, schedule, state } = create()
    state.hangs = true
    schedule.note('later')
    let isOver = false
    const stopping = schedule.stop().then(() => {
      isOver = true
    })
    await clock.move(4 * secondMs)
    expect(isOver).toBe(false)
    await clock.move(2 * secondMs)
    await stopping
    expect(made).toEqual([])
  })

  test('or not: the end does not wait for a copy that cannot even be told to end', async () => {
    for (const isRunning of [true, false]) {
      const { clock, made, schedule, state } = create()
      state.isDeaf = true
      schedule.note('later')
      if (isRunning) await clock.move(2 * hourMs)
      let isOver = false
      void schedule.stop().then(() => {
        isOver = true
      })
      await clock.move(10 * secondMs)
      expect(isOver, String(isRunning)).toBe(true)
      expect(made).toEqual([])
    }
  })

  test('again after a failure, less and less often, and soon after it works again', async () => {
    const { clock, made, schedule, state, troubles } = create()
    state.failure = new AppError('backup_folder', 'gone')
    schedule.note('soon')
    await clock.move(minuteMs)
    expect(troubles).toEqual(['backup_folder'])
    expect(schedule.trouble()?.code).toBe('backup_folder')
    for (let minute = 0; minute < 24 * 60; minute++) {
      schedule.note('later')
      await clock.move(minuteMs)
    }
    expect(troubles.length).toBeGreaterThan(20)
    expect(troubles.length).toBeLessThan(35)
    // An open payment does not wait that long, and does not ask with every breath either.
    const before = troubles.length
    for (let second = 0; second < 600; second++) {
      schedule.note('soon')
      await clock.move(secondMs)
    }
    expect(troubles.length - before).toBeGreaterThanOrEqual(8)
    expect(troubles.length - before).toBeLessThanOrEqual(11)
    state.failure = null
    schedule.note('soon')
    await clock.move(2 * minuteMs)
    expect(made).toHaveLength(1)
    expect(schedule.trouble()).toBeNull()
  }, 20_000)

  test('at once when a person asks, with the reason when it fails', async () => {
    const { schedule, made, state } = create()
    await schedule.now()
    expect(made).toHaveLength(1)
    state.failure = new AppError('disk_full', 'full')
    await expect(schedule.now()).rejects.toMatchObject({ code: 'disk_full' })
    schedule.reset()
    expect(schedule.trouble()).toBeNull()
  })

  test('never without a folder, and all the same when the clock is set back', async () => {
    const without = create({ isOn: false })
    without.schedule.note('soon')
    await without.clock.move(hourMs)
    expect(without.made).toEqual([])
    const { clock, made, schedule } = create()
    schedule.note('soon')
    const back = vi.spyOn(clock, 'now').mockReturnValue(start - 30 * dayMs)
    await clock.move(hourMs + minuteMs)
    back.mockRestore()
    await clock.move(minuteMs)
    expect(made.length).toBeGreaterThanOrEqual(1)
  })
})
