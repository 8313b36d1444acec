// A process that ends between any two file operations of a change at rest: what protects the phrase, and which wallet lies
// in a folder. At the next start one or the other is there whole, never a mix and never nothing.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { beginArrival, finishArrival, prepareArrival } from '../electron/arrival.ts'
import { layNewDatabase } from '../electron/fresh-wallet.ts'
import {
  freePhrase,
  lockPhrase,
  putPhrase,
  readPhrase,
  sealingOf,
  sealPhrase,
  tidyPhrase,
  unlockPhrase,
} from '../electron/keys.ts'
import { plainSealer, type Sealer } from '../electron/sealing.ts'
import { nameOf, phraseStateOf } from '../electron/settings.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { openWallet, systemRandom as random } from '../electron/wallet-folder.ts'
import { crash } from './fs-crash.ts'
import {
  abandon,
  cheap,
  createKeychain,
  filesIn,
  openApp,
  passphrase,
  refusal,
  type TestApp,
  wordsOf,
} from './gate-fixture.ts'

vi.mock('node:fs', async (original) => (await import('./fs-crash.ts')).crashing(await original()))

const phrase = abandon.join(' ')
const other = 'zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong'
const second = 'quite another passphrase'
const { sealer: keychain } = createKeychain()

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'farthing-crash-'))
})
afterEach(() => crash.disarm())
afterAll(() => rmSync(root, { recursive: true }))

let count = 0
/** A folder of its own for each crash. */
function copyOf(folder: string): string {
  const copy = join(root, String(++count))
  cpSync(folder, copy, { recursive: true })
  return copy
}

/**
 * Run `act` again and again, ending at its first operation, its second, and so on, before and after the effect of each.
 * @returns how many operations there are
 */
async function atEveryPoint(
  prepared: string,
  act: (folder: string) => Promise<unknown>,
  check: (folder: string, at: string) => Promise<void>,
): Promise<number> {
  crash.arm(0, false)
  await act(copyOf(prepared))
  const operations = crash.count
  for (let at = 1; at <= operations; at++) {
    for (const isAfter of [false, true]) {
      const folder = copyOf(prepared)
      crash.arm(at, isAfter)
      await act(folder).catch(() => {})
      expect(crash.isDead).toBe(true)
      crash.disarm()
      await check(folder, `${isAfter ? 'after' : 'before'} operation ${at} of ${operations}`)
      rmSync(folder, { recursive: true })
    }
  }
  return operations
}

/** Words of a folder by any of these passphrases, or by none. */
async function wordsIn(folder: string, sealer: Sealer, passphrases: readonly string[]): Promise<string | undefined> {
  if (sealingOf(folder) !== 'passphrase') return readPhrase(folder, sealer)
  for (const one of passphrases) {
    const words = await unlockPhrase(folder, one, sealer)
    if (words !== undefined) return words
  }
  return undefined
}

describe('what protects the phrase', () => {
  const changes: readonly {
    readonly name: string
    readonly sealer: Sealer
    readonly before: (folder: string) => Promise<void>
    readonly act: (folder: string) => Promise<void>
  }[] = [plainSealer, keychain].flatMap((sealer) => {
    const kind = sealer.kind === 'os' ? 'a keychain' : 'no keychain'
    const options = { sealer, random, cost: cheap }
    const put = (folder: string) => putPhrase(folder, phrase, sealer)
    const lock = (folder: string) => lockPhrase(folder, phrase, passphrase, options)
    return [
      { name: `${kind}: a passphrase is set`, sealer, before: put, act: lock },
      {
        name: `${kind}: another one is set`,
        sealer,
        before: lock,
        act: (folder: string) => lockPhrase(folder, phrase, second, options),
      },
      {
        name: `${kind}: it is taken away`,
        sealer,
        before: lock,
        act: (folder: string) => freePhrase(folder, phrase, sealer),
      },
    ]
  })
  const sealed = {
    name: 'a keychain: a plain phrase is sealed',
    sealer: keychain,
    before: (folder: string) => putPhrase(folder, phrase, plainSealer),
    act: (folder: string) => sealPhrase(folder, phrase, keychain),
  }

  test.each([...changes, sealed])(
    '$name: a crash at any point leaves the phrase, in one file after the next start',
    async (change) => {
      const prepared = join(root, `prepared-${++count}`)
      cpSync(mkdtempSync(join(root, 'empty-')), prepared, { recursive: true })
      await change.before(prepared)
      const operations = await atEveryPoint(prepared, change.act, async (folder, at) => {
        tidyPhrase(folder)
        const files = filesIn(folder)
        expect(
          files.filter((name) => name.endsWith('.new')),
          at,
        ).toEqual([])
        if (files.includes('phrase.locked')) expect(files, at).toEqual(['phrase.locked'])
        expect(await wordsIn(folder, change.sealer, [passphrase, second]), at).toBe(phrase)
        for (const name of files) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
      })
      expect(operations).toBeGreaterThan(3)
    },
  )
})

describe('which wallet lies in a folder', () => {
  let old: string
  const oldFiles = ['phrase', 'phrase.tries', 'wallet.db', 'wallet.db-wal']

  beforeAll(async () => {
    old = join(root, 'old')
    const wallet = await openWallet({ folder: old, sealer: plainSealer, config: {}, emit: () => {}, report: () => {} })
    wallet.store.transaction((write) => write.setMeta('profile/name', 'Old'))
    wallet.close()
    rmSync(join(old, 'lease'))
    // Their content matters to nobody here: they stay together with what they belong to.
    writeFileSync(join(old, 'phrase.tries'), '{}')
    writeFileSync(join(old, 'wallet.db-wal'), 'a journal')
  })

  const sameAs = (folder: string, files: readonly string[], path: (name: string) => string): boolean =>
    files.every((name) => existsSync(path(name)) && readFileSync(path(name)).equals(readFileSync(join(folder, name))))

  /** The next start, which ends early too, and the one after that. */
  function startAgain(folder: string): void {
    crash.arm(2, true)
    try {
      finishArrival(folder)
    } catch {
      // it ended
    }
    crash.disarm()
    finishArrival(folder)
  }

  test('another wallet arrives: the old one is there whole, or the new one is and the old one lies aside whole', async () => {
    const seen = new Set<string>()
    const like = openWalletStore(join(mkdtempSync(join(root, 'like-')), 'wallet.db'))
    const arrive = async (folder: string): Promise<void> => {
      const staging = prepareArrival(folder)
      await putPhrase(staging, other, plainSealer)
      layNewDatabase(staging, { like, isLocked: false })
      beginArrival(folder, 0)
    }
    await atEveryPoint(old, arrive, async (folder, at) => {
      startAgain(folder)
      const names = readdirSync(folder)
      const isOld = readFileSync(join(folder, 'phrase'), 'utf8') === readFileSync(join(old, 'phrase'), 'utf8')
      seen.add(isOld ? 'old' : 'new')
      if (isOld) {
        expect(names.sort(), at).toEqual(oldFiles)
        expect(
          sameAs(old, oldFiles, (name) => join(folder, name)),
          at,
        ).toBe(true)
        return
      }
      const aside = 'set-aside-19700101T000000000Z'
      expect(names.sort(), at).toEqual(['phrase', aside, 'wallet.db'])
      expect(
        sameAs(old, oldFiles, (name) => join(folder, aside, name)),
        at,
      ).toBe(true)
      expect(statSync(join(folder, aside)).mode & 0o777).toBe(0o700)
      expect(await readPhrase(folder, plainSealer)).toBe(other)
      const store = openWalletStore(join(folder, 'wallet.db'))
      expect([phraseStateOf(store), nameOf(store)], at).toEqual(['checked', ''])
      store.close()
    })
    like.close()
    expect(seen).toEqual(new Set(['old', 'new']))
  }, 180_000)

  test('a damaged database goes aside with its journal: it is there whole, or aside whole, and the phrase stays', async () => {
    const seen = new Set<string>()
    const setAside = async (folder: string): Promise<void> => {
      prepareArrival(folder)
      beginArrival(folder, 0)
    }
    await atEveryPoint(old, setAside, async (folder, at) => {
      startAgain(folder)
      const names = readdirSync(folder).sort()
      const isAside = !names.includes('wallet.db')
      seen.add(isAside ? 'aside' : 'there')
      const aside = 'wallet.db.damaged-19700101T000000000Z'
      const expected = isAside ? ['phrase', 'phrase.tries', aside, `${aside}-wal`] : oldFiles
      expect(names, at).toEqual(expected)
      const path = (name: string) => join(folder, isAside ? name.replace('wallet.db', aside) : name)
      expect(sameAs(old, oldFiles, path), at).toBe(true)
    })
    expect(seen).toEqual(new Set(['there', 'aside']))
  })

  test('only a phrase arrives: the database stays, and beside it lies the old one or the new one', async () => {
    const seen = new Set<string>()
    const arrive = async (folder: string): Promise<void> => {
      await putPhrase(prepareArrival(folder), other, plainSealer)
      beginArrival(folder, 0)
    }
    const database = ['wallet.db', 'wallet.db-wal']
    await atEveryPoint(old, arrive, async (folder, at) => {
      startAgain(folder)
      const names = readdirSync(folder).sort()
      const isOld = readFileSync(join(folder, 'phrase'), 'utf8') === readFileSync(join(old, 'phrase'), 'utf8')
      seen.add(isOld ? 'old' : 'new')
      const aside = 'set-aside-19700101T000000000Z'
      expect(names, at).toEqual(isOld ? oldFiles : ['phrase', aside, ...database])
      const path = (name: string) => join(folder, isOld || database.includes(name) ? name : join(aside, name))
      expect(sameAs(old, oldFiles, path), at).toBe(true)
      if (!isOld) expect(await readPhrase(folder, plainSealer)).toBe(other)
    })
    expect(seen).toEqual(new Set(['old', 'new']))
  }, 180_000)

  test('a disk that fails in the middle leaves nothing open; the next look goes on with it, and windows are told', async () => {
    const open = async () => {
      const app = await openApp(join(root, `live-${++count}`, 'wallet'), { name: 'Old' })
      return { app, words: await wordsOf(app) }
    }
    const restore = (app: TestApp) => app.handlers['gate.restorePhrase']({ words: other.split(' ') })
    const { app: counted } = await open()
    crash.arm(0, false)
    await restore(counted)
    const operations = crash.count
    await counted.stop()
    const seen = new Set<string>()
    for (let at = 1; at < operations; at += 3) {
      const { app, words } = await open()
      crash.arm(at, at % 2 === 0)
      await refusal(restore(app))
      crash.disarm()
      expect((await app.handlers['gate.look']({})).state, `operation ${at} of ${operations}`).toBe('open')
      expect(app.gates().at(-1)).toMatchObject({ state: 'open' })
      const found = await wordsOf(app)
      expect([words, other]).toContain(found)
      const { phrase: proof } = (await app.handlers['app.snapshot']({})).slices.profile
      expect(proof).toBe(found === other ? 'checked' : 'seen')
      seen.add(found === other ? 'new' : 'old')
      await app.stop()
    }
    expect(seen).toEqual(new Set(['old', 'new']))
  }, 180_000)
})
