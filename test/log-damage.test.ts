// Damage to the write-ahead log of a wallet: what was committed last is in it alone. Nothing of it is written over, and a
// wallet that lost something does not take itself for what it was.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { commitsDropped } from '../electron/store/log-damage.ts'
import { openApp, type TestApp } from './gate-fixture.ts'

let root: string
let opened: TestApp[] = []
let serial = 0
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'farthing-log-'))
})
afterEach(async () => {
  for (const app of opened.splice(0)) await app.stop()
  rmSync(root, { recursive: true })
})

const frameBytes = 24 + 4096

describe('the log of a database', () => {
  /** A log with so many commits of one page each after the first, as a crash leaves it. @returns its path */
  function logWith(commits: number, restarts = false): string {
    const path = join(root, `${++serial}.db`)
    const db = new DatabaseSync(path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n INTEGER)')
    if (restarts) {
      for (let n = 0; n < 9; n++) db.exec(`INSERT INTO t VALUES (${n})`)
      db.exec('PRAGMA wal_checkpoint(RESTART)')
    } else db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    for (let n = 0; n < commits; n++) db.exec(`INSERT INTO t VALUES (${n})`)
    copyFileSync(`${path}-wal`, `${path}-copy`)
    db.close()
    return `${path}-copy`
  }

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path)
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
  }

  test('that is whole drops nothing, also over an older round of it', () => {
    expect(commitsDropped(logWith(5))).toBe(0)
    expect(commitsDropped(logWith(5, true))).toBe(0)
    expect(commitsDropped(join(root, 'none'))).toBe(0)
  })

  test.each([0, 8, 16, 24, 1000])('drops a commit whose frame is damaged at byte %i, and all that follow', (byte) => {
    for (let frame = 0; frame < 5; frame++) {
      const path = logWith(5, frame % 2 === 0)
      flip(path, 32 + frame * frameBytes + byte)
      const isItself = byte !== 8 // its salt: it is not seen as one of this round
      expect(commitsDropped(path)).toBe(5 - frame - (isItself ? 0 : 1))
    }
  })

  test('that ends in the middle of a frame, or whose newest commit is half there, has lost nothing that anybody was told', () => {
    const path = logWith(5)
    truncateSync(path, statSync(path).size - 100)
    expect(commitsDropped(path)).toBe(0)
    const torn = logWith(5)
    flip(torn, statSync(torn).size - 1)
    expect(commitsDropped(torn)).toBe(1)
  })

  test.each([0, 3, 9, 17, 25])('whose header is damaged at byte %i has lost all of it', (byte) => {
    const path = logWith(5)
    flip(path, byte)
    expect(commitsDropped(path)).toBeGreaterThan(1)
  })
})

describe('a wallet', () => {
  const folder = () => join(root, 'wallet')

  /** Its processes end by a crash. @param work what it is asked to do before */
  async function killedAfter(work: readonly (readonly [string, object])[] = []): Promise<void> {
    const args = ['--data', folder(), '--listen-host', '127.0.0.1']
    const env = { ...process.env, FARTHING_STATE: join(root, 'state') }
    const child = fork(join(import.meta.dirname, '..', 'electron', 'headless.ts'), args, { env, silent: true })
    const said: unknown[] = []
    child.on('message', (message) => said.push(message))
    await vi.waitFor(() => expect(said).toContainEqual(expect.objectContaining({ ready: true })), 30_000)
    for (const [index, [command, input]] of work.entries()) {
      child.send({ id: index + 1, command, input })
      await vi.waitFor(() => expect(said).toContainEqual(expect.objectContaining({ id: index + 1 })), 30_000)
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async function open(memory: string | null = join(root, 'state')): Promise<TestApp> {
    const app = await openApp(folder(), { memoryFolder: memory })
    opened.push(app)
    return app
  }
  const stateOf = async (app: TestApp) => (await app.handlers['gate.look']({})).state
  const slicesOf = async (app: TestApp) => (await app.handlers['app.snapshot']({})).slices

  /** A wallet with a name; a later name is in the log alone, and is damaged there. */
  async function withDamagedLog(): Promise<void> {
    await killedAfter([['profile.rename', { name: 'Old' }]])
    await (await open()).stop()
    opened = []
    await killedAfter(['New', 'Newer', 'Newest'].map((name) => ['profile.rename', { name }]))
    const log = join(folder(), 'wallet.db-wal')
    const bytes = readFileSync(log)
    const at = bytes.indexOf('"New"')
    expect(at).toBeGreaterThan(0)
    bytes[at]! ^= 1
    writeFileSync(log, bytes)
  }

  test.each([
    ['this computer remembers it', 'state', 'old_copy'],
    ['another one does', 'elsewhere', 'moved'],
    ['nobody does', null, 'old_copy'],
  ])(
    'whose log is damaged keeps it, says so, and takes itself for an older state of itself, where %s',
    async (_, name, cause) => {
      const memory = name && join(root, name)
      await withDamagedLog()
      const app = await open(memory)
      expect(await stateOf(app)).toBe('open')
      const slices = await slicesOf(app)
      expect(slices.profile.name).toBe('Old')
      expect(slices.restore.cause).toBe(cause)
      expect(app.logs.join('\n')).toContain('folder_damaged')
      const kept = readdirSync(folder()).filter((name) => name.startsWith('wallet.db-wal-damaged-'))
      expect(kept).toHaveLength(1)
      const path = join(folder(), kept[0]!)
      expect(readFileSync(path).includes('"Newest"')).toBe(true)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      await app.stop()
      opened = []
      const again = await open(memory)
      expect(readdirSync(folder()).filter((name) => name.includes('damaged'))).toHaveLength(1)
      expect((await slicesOf(again)).restore.cause).toBe(cause)
    },
  )

  test('whose log is gone, with all that was in it, is damaged where this computer remembers it', async () => {
    await killedAfter()
    for (const name of ['wallet.db-wal', 'wallet.db-shm']) rmSync(join(folder(), name))
    expect(await stateOf(await open())).toBe('damaged')
  })

  test('whose database is empty or gone beside a log is damaged, whoever remembers it', async () => {
    await killedAfter()
    const database = join(folder(), 'wallet.db')
    truncateSync(database, 0)
    const app = await open(join(root, 'elsewhere'))
    expect(await stateOf(app)).toBe('damaged')
    expect(statSync(join(folder(), 'wallet.db-wal')).size).toBeGreaterThan(0)
    await app.stop()
    opened = []
    rmSync(database)
    expect(await stateOf(await open(join(root, 'elsewhere')))).toBe('damaged')
  })

  test('that was killed at its very first start begins anew where nothing was stored', async () => {
    await killedAfter()
    for (const name of readdirSync(folder())) if (name.startsWith('wallet.db')) rmSync(join(folder(), name))
    expect(await stateOf(await open(join(root, 'elsewhere')))).toBe('open')
  })
})
