// Backup files that somebody made on purpose, out of a stolen database or out of nothing: none of them gets into a wallet.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { backupOf, unpackBackup } from '../electron/backup-database.ts'
import { sealBackup } from '../electron/backup-file.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { openGenerationMemory } from '../electron/generation-memory.ts'
import { seedOfPhrase } from '../electron/keys.ts'
import { newKdf, stretch } from '../electron/passphrase.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { copyNoted, drawGeneration, storedGeneration } from '../electron/wallet/generation.ts'
import { systemRandom as random, systemClock } from '../electron/wallet-folder.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import { AppError } from '../shared/errors.ts'
import { abandon, cheap, openApp, refusal, type TestApp, wordsOf } from './gate-fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'farthing-crafted-'))
const ofTheThief = 'chosen by somebody else'
const savedAt = Date.UTC(2026, 10, 22, 12)
let mint: RunningMint
let app: TestApp
let words: string
let serial = 0

beforeAll(async () => {
  mint = await startMintServer({ dataFolder: join(root, 'mint'), practiceDelayMs: 0 })
}, 60_000)
beforeEach(async () => {
  app = await openApp(join(root, `wallet-${++serial}`), { memoryFolder: join(root, `state-${serial}`) })
  words = await wordsOf(app)
  await app.handlers['mints.add']({ url: mint.url })
  await app.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount: 25 })
  await vi.waitFor(async () => expect((await balance())?.spendable).toBe(25))
}, 60_000)
afterEach(() => app.stop())
afterAll(async () => {
  await mint.close()
  rmSync(root, { recursive: true })
})

const balance = async () => (await app.handlers['mints.list']({}))[0]?.balances[0]

/** A folder with the database as a thief has it, and as they change it. */
function stolen(sql: string): string {
  const folder = join(root, `stolen-${++serial}`)
  mkdirSync(folder)
  const from = new DatabaseSync(join(app.folder, 'wallet.db'), { readOnly: true })
  from.prepare('VACUUM INTO ?').run(join(folder, 'wallet.db'))
  from.close()
  const db = new DatabaseSync(join(folder, 'wallet.db'))
  db.exec(sql)
  db.close()
  return folder
}

/** @param by a passphrase, or null: the key of the wallet's own phrase */
async function crafted(sql: string, by: string | null, phrase: string | null): Promise<string> {
  const kdf = newKdf(random, cheap)
  const file = backupOf({
    folder: stolen(sql),
    lock: by === null ? { kind: 'phrase' } : { kind: 'passphrase', kdf },
    key: by === null ? backupSecretsOf(seedOfPhrase(words)).key : await stretch(by, kdf),
    ...{ phrase, savedAt, random, signal: new AbortController().signal },
  })
  const parts: Uint8Array[] = []
  for await (const part of file) parts.push(part)
  return Buffer.concat(parts).toString('base64')
}

describe('whoever has the database and not the words', () => {
  test.each([
    ['says nothing of a phrase', null],
    ['says an empty one', ''],
    ['says one of their own', abandon.join(' ')],
  ])(
    'makes no file that is merged: one that %s is refused',
    async (_, phrase) => {
      const file = await crafted("UPDATE coin SET state = 'spent'", ofTheThief, phrase)
      expect(await refusal(app.handlers['backup.merge']({ file, passphrase: ofTheThief }))).toBe('foreign_backup')
      expect((await balance())?.spendable).toBe(25)
      expect(readdirSync(app.folder).filter((name) => name.includes('.tmp'))).toEqual([])
    },
    60_000,
  )

  test('is refused before anything that the file holds is unpacked', async () => {
    let pieces = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; pieces < 4000; pieces++) yield random.bytes(65_536)
    }
    const key = new Uint8Array(32).fill(7)
    const description = { savedAt, program: '1', schema: 1, phrase: null }
    const lock = { kind: 'passphrase', kdf: newKdf(random, cheap) } as const
    const file = sealBackup({ lock, key, description, content: endless(), random })
    const folder = join(root, 'unpacked')
    mkdirSync(folder)
    const refused = unpackBackup(
      { folder, file, random },
      async () => key,
      ({ phrase }) => {
        if (phrase === null) throw new AppError('foreign_backup', 'whose is it?')
      },
    )
    expect(await refusal(refused)).toBe('foreign_backup')
    expect(pieces).toBeLessThan(100)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a generation that no wallet has come to', () => {
  test.each([
    ['what the file says of itself', "UPDATE meta SET value = '4294967295' WHERE key = 'seed/generation'"],
    ['one of its purses', 'UPDATE purse SET generation = 4294967295'],
    ['one at the end of what is believed', "UPDATE meta SET value = '1073741825' WHERE key = 'seed/generation'"],
  ])(
    'in a file changes nothing: %s',
    async (_, sql) => {
      const file = await crafted(`${sql}; UPDATE purse SET next_coin = next_coin + 1`, null, null)
      // Apart from when the mint was last reached, which goes on.
      const mints = async () => (await app.handlers['mints.list']({})).map((mint) => ({ ...mint, lastReachedAt: 0 }))
      const before = await mints()
      expect(await refusal(app.handlers['backup.merge']({ file }))).toBe('bad_backup')
      expect(await mints()).toEqual(before)
      await app.handlers['restore.noOpenPayments']({})
      await app.stop()
      app = await openApp(app.folder, { memoryFolder: join(root, `state-${serial - 1}`) })
      expect((await balance())?.spendable).toBe(25)
    },
    60_000,
  )

  test('in a file does not take the place of a wallet either', async () => {
    const fresh = await openApp(join(root, `fresh-${serial}`), { memoryFolder: join(root, `state-fresh-${serial}`) })
    try {
      const noting = (key: string, value: string) =>
        `INSERT OR REPLACE INTO meta (key, value) VALUES ('${key}', '${value}')`
      const copies = '{"cause":null,"noticedAt":null,"isReleased":false,"ownFrom":4294967295,"round":0}'
      for (const sql of [
        noting('seed/generation', '4294967295'),
        noting('seed/generation', '"one"'),
        noting('seed/copies', copies),
        'UPDATE purse SET generation = 2147483640',
      ]) {
        const file = await crafted(sql, null, null)
        const restoring = fresh.handlers['gate.restoreBackup']({ file, words: words.split(' ') })
        expect(await refusal(restoring), sql).toBe('bad_backup')
      }
      expect((await fresh.handlers['app.snapshot']({})).slices.mints).toEqual([])
    } finally {
      await fresh.stop()
    }
  }, 60_000)

  test('is neither drawn nor remembered, and one that this computer remembers is not believed', () => {
    const folder = join(root, `memory-${serial}`)
    mkdirSync(folder)
    const told: string[] = []
    const memory = openGenerationMemory(join(folder, 'state'), 'f00d', ({ message }) => told.push(message))
    memory.claim(3)
    memory.claim(4_294_967_300)
    expect(memory.highest()).toBe(3)
    expect(told).toHaveLength(1)
    const poisoned = JSON.stringify({ version: 1, highest: 4_294_967_300, folders: {} })
    writeFileSync(join(folder, 'state', 'f00d.json'), poisoned)
    expect(memory.highest()).toBe(-1)
    const store = openWalletStore(join(folder, 'wallet.db'))
    const parts = { store, memory: { highest: () => -1, claim: () => {} }, clock: systemClock, random }
    expect(() => drawGeneration(parts, 2 ** 31 - 1)).toThrow(AppError)
    expect(() => drawGeneration(parts, 2 ** 32)).toThrow(AppError)
    expect(drawGeneration(parts, 2 ** 30)).toBeGreaterThan(2 ** 30)
    store.transaction((write) => write.setMeta('seed/generation', 2 ** 31))
    expect(() => storedGeneration(store.read)).toThrow(expect.objectContaining({ code: 'folder_damaged' }))
    store.transaction((write) => write.setMeta('seed/generation', 7))
    store.transaction(copyNoted(parts, 'twin', 9))
    expect(storedGeneration(store.read)).toBeGreaterThan(9)
    store.close()
  })
})
