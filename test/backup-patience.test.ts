// Copies in a folder that does not answer: a person is told, another folder can be picked, and the wallet can be closed.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CopyFiles, systemFiles } from '../electron/backup-copies.ts'
import { foundCopies } from '../electron/backup-found.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { createFolderWork, type FolderWork, piecesInTime } from '../electron/backup-patience.ts'
import { type Backups, createBackups } from '../electron/backups.ts'
import { seedOfPhrase } from '../electron/keys.ts'
import { openWalletFile, type WalletFile } from '../electron/store/wallet-store.ts'
import type { Operation } from '../electron/wallet/operation.ts'
import { systemRandom as random } from '../electron/wallet-folder.ts'
import { createClock, type TestClock } from './backup-clock.ts'
import { refusal } from './gate-fixture.ts'

const phrase = `${'abandon '.repeat(11)}about`
const secrets = backupSecretsOf(seedOfPhrase(phrase))
const start = Date.UTC(2026, 10, 1, 12)
const minuteMs = 60_000
const hourMs = 60 * minuteMs

let folder: string
let clock: TestClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-patience-'))
  clock = createClock(start)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const never = (): Promise<never> => new Promise(() => {})
/** How a promise ends, once it has. */
function watch(work: Promise<unknown>): { outcome: string | null } {
  const seen: { outcome: string | null } = { outcome: null }
  void refusal(work).then((code) => {
    seen.outcome = code
  })
  return seen
}

describe('work in a folder', () => {
  let work: FolderWork
  let stuck: boolean[]
  beforeEach(() => {
    stuck = []
    work = createFolderWork(clock, (isStuck) => stuck.push(isStuck))
  })

  test('is given up when it takes too long, and told so', async () => {
    let signal: AbortSignal | undefined
    const asked = watch(
      work('/share', minuteMs, (given) => {
        signal = given
        return never()
      }),
    )
    await clock.move(minuteMs - 1)
    expect([asked.outcome, signal?.aborted]).toEqual([null, false])
    await clock.move(1)
    expect([asked.outcome, signal?.aborted, stuck]).toEqual(['backup_folder', true, [true]])
  })

  test('is one at a time, in the order it was asked for; elsewhere it goes on', async () => {
    const order: string[] = []
    const first = Promise.withResolvers<void>()
    const all = [
      work('/share', minuteMs, () => first.promise.then(() => order.push('first'))),
      work('/share', minuteMs, async () => order.push('second')),
      work('/stick', minuteMs, async () => order.push('elsewhere')),
    ]
    await all[2]
    expect(order).toEqual(['elsewhere'])
    first.resolve()
    await Promise.all(all)
    expect(order).toEqual(['elsewhere', 'first', 'second'])
    await clock.move(hourMs)
    expect(stuck).toEqual([])
  })

  test('is not begun while what was given up has not come back: each would hold a thread', async () => {
    const late = Promise.withResolvers<void>()
    let begun = 0
    const ask = () => watch(work('/share', minuteMs, () => (begun++ === 0 ? late.promise : Promise.resolve())))
    const [one, two] = [ask(), ask()]
    await clock.move(minuteMs)
    expect([one.outcome, two.outcome, begun]).toEqual(['backup_folder', 'backup_folder', 1])
    late.reject(new Error('back at last'))
    await clock.move(0)
    const three = ask()
    await clock.move(0)
    expect([three.outcome, begun, stuck]).toEqual(['none', 2, [true, false]])
  })

  test('is not begun anywhere while two folders hold threads: payments need some too', async () => {
    for (const name of ['/one', '/two', '/three']) {
      const asked = watch(work(name, minuteMs, never))
      await clock.move(minuteMs)
      expect(asked.outcome).toBe('backup_folder')
    }
    const begun = vi.fn(async () => {})
    const asked = watch(work('/stick', minuteMs, begun))
    await clock.move(0)
    expect([asked.outcome, begun.mock.calls.length, stuck]).toEqual(['backup_folder', 0, [true]])
  })

  test('gives out a file piece by piece, and ends at one that never comes', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1)
      await never()
    }
    const read: number[] = []
    const reading = watch(
      (async () => {
        for await (const [byte = 0] of piecesInTime({ work, folder: '/share', limitMs: minuteMs }, pieces())) {
          read.push(byte)
        }
      })(),
    )
    await clock.move(minuteMs)
    expect([reading.outcome, read]).toEqual(['backup_folder', [1]])
  })
})

describe('a wallet with copies', () => {
  let wallet: WalletFile
  let backups: Backups
  let told: string[]
  let hung: Set<string>
  /** Of a folder in `hung`, nothing comes back; of others, what the system says. */
  const files: CopyFiles = {
    ...systemFiles,
    list: (path) => (hung.has(path) ? never() : systemFiles.list(path)),
  }
  const at = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true })
    return join(folder, name)
  }
  const open = () => {
    const data = at('data')
    wallet = openWalletFile(join(data, 'wallet.db'))
    backups = createBackups({
      ...{ folder: data, wallet, phrase, secrets, files, canPick: false },
      life: { store: wallet.store, memory: null, clock, random },
      inQuiet: async (work) => work(),
      onChange: () => {},
      onMerged: () => {},
      report: ({ code }) => told.push(code),
    })
  }
  beforeEach(() => {
    told = []
    hung = new Set()
    open()
  })
  afterEach(async () => {
    const stopping = watch(backups.stop())
    await clock.move(minuteMs)
    expect(stopping.outcome).toBe('none')
    wallet.store.close()
  })
  const copiesIn = (name: string) => readdirSync(join(folder, name)).filter((one) => one.endsWith('.farthing-backup'))

  test('is told of a folder that does not answer; another one takes the next copy, and the first changes nothing', async () => {
    const share = at('share')
    await backups.setFolder(share)
    hung.add(share)
    backups.note()
    const asked = watch(backups.saveNow())
    await clock.move(10 * minuteMs)
    expect(asked.outcome).toBe('backup_folder')
    expect(told).toContain('backup_folder')
    expect(backups.view()).toMatchObject({ folder: share, trouble: 'backup_folder', copies: [] })
    await clock.move(24 * hourMs)
    expect(backups.view()).toMatchObject({ folder: share, trouble: 'backup_folder', copies: [] })

    const view = await backups.setFolder(at('stick'))
    expect(view).toMatchObject({ folder: join(folder, 'stick'), trouble: null, copies: [{ savedAt: clock.now() }] })
    expect(copiesIn('stick')).toHaveLength(1)
    expect(copiesIn('share')).toHaveLength(1)
  })

  test('can be closed while a copy hangs, also at the moment when it is begun', async () => {
    const share = at('share')
    await backups.setFolder(share)
    hung.add(share)
    backups.note()
    const stopping = watch(backups.stop())
    await clock.move(minuteMs)
    expect(stopping.outcome).toBe('none')
  })

  test('keeps a copy from before it began anew: the folder is the same, the copies are not its own', async () => {
    await backups.setFolder(at('stick'))
    for (let time = 0; time < 12; time++) await backups.saveNow()
    const before = copiesIn('stick')
    expect(before).toHaveLength(10)
    await backups.stop()
    wallet.store.close()
    rmSync(join(folder, 'data', 'wallet.db'))
    open()
    expect(backups.view()).toMatchObject({ folder: join(folder, 'stick'), lastSavedAt: null })
    for (let time = 0; time < 12; time++) await backups.saveNow()
    expect(copiesIn('stick')).toEqual(expect.arrayContaining(before))
    expect(copiesIn('stick')).toHaveLength(20)
    expect(backups.view().copies).toHaveLength(20)
    // The same life after another start goes on with its own ten.
    await backups.stop()
    wallet.store.close()
    open()
    expect(backups.view().lastSavedAt).not.toBeNull()
    await backups.saveNow()
    expect(copiesIn('stick')).toHaveLength(20)
  }, 60_000)

  const withdraw = (state: 'unpaid' | 'issuing' | 'done'): Operation => ({
    ...{
      kind: 'withdraw',
      id: 'ab'.repeat(16),
      account: 0,
      unit: 'sat',
      amount: 5,
      quote: 'q',
      request: 'r',
      expiry: null,
    },
    ...{ createdAt: start, updatedAt: start, nextAttemptAt: start, attempts: 0, lastError: null },
    ...(state === 'done'
      ? { state }
      : state === 'unpaid'
        ? { state, reading: null }
        : { state, outputs: [], earlier: [], attempt: { keysetId: '00' }, reading: null }),
  })
  test.each([
    ['unpaid', 1],
    ['issuing', 1],
    ['done', 0],
  ] as const)('copies a deposit that is %s within a minute: %i', async (state, count) => {
    await backups.setFolder(at('stick'))
    await clock.move(5 * minuteMs)
    wallet.store.transaction((write) => {
      const unknown = { name: null, version: null, lastReachedAt: null, alarm: null }
      write.insertMint({ url: 'http://127.0.0.1:1', offlineCapable: true, ...unknown })
      write.insertOperation(withdraw(state))
    })
    backups.noteOperation('ab'.repeat(16))
    await clock.move(minuteMs)
    await vi.waitFor(() => expect(copiesIn('stick')).toHaveLength(1 + count))
    // A second look at the same state is no news.
    backups.noteOperation('ab'.repeat(16))
    await clock.move(5 * minuteMs)
    expect(copiesIn('stick')).toHaveLength(1 + count)
  })

  test('finds none in time on a screen that waits for them', async () => {
    const share = at('share')
    await backups.setFolder(share)
    hung.add(share)
    const looking = foundCopies(join(folder, 'data'), phrase, { work: createFolderWork(clock), files })
    await clock.move(minuteMs)
    expect(await looking).toEqual({ backups: [], awayFolder: share })
    // One that lists its copies and does not read them: their names are what there is.
    hung.clear()
    const next = vi.fn(never)
    const deaf: CopyFiles = { ...files, read: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) }
    const naming = foundCopies(join(folder, 'data'), phrase, { work: createFolderWork(clock), files: deaf })
    await vi.waitFor(() => expect(next).toHaveBeenCalled())
    await clock.move(minuteMs)
    expect(await naming).toMatchObject({ backups: [{ savedAt: start }], awayFolder: null })
  })
})

test.skipIf(process.platform === 'win32')(
  'a process ends although a call into a folder never does',
  async () => {
    // A pipe that nobody writes to is opened for ever, as a file of a share whose computer is gone.
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const script = join(folder, 'ends.ts')
    const from = (name: string) => JSON.stringify(resolve(import.meta.dirname, '..', 'electron', name))
    writeFileSync(
      script,
      `import { setTimeout as wait } from 'node:timers/promises'
     import { systemFiles } from ${from('backup-copies.ts')}
     import { createFolderWork, endWithoutThem } from ${from('backup-patience.ts')}
     const work = createFolderWork({ wait: (ms) => wait(ms) }, endWithoutThem)
     const reading = work('pipe', 10, async () => { for await (const _ of systemFiles.read(process.argv[2])); })
     await reading.catch(({ code }) => console.log(code))
     process.exit(0)`,
    )
    const child = spawn(process.execPath, [script, join(folder, 'pipe')], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    await once(child, 'close')
    expect(said).toContain('backup_folder')
  },
  30_000,
)
