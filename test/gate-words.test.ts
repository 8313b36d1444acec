// Twelve words on paper open the wallet that lies here, whatever became of what protects them: a passphrase that nobody
// knows any more, a keychain that is gone, a file that is missing or damaged.

import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppOptions } from '../electron/app.ts'
import { plainSealer } from '../electron/sealing.ts'
import type { GateView } from '../shared/model.ts'
import {
  abandon,
  createKeychain,
  createTestClock,
  filesWith,
  openApp,
  passphrase,
  refusal,
  scribble,
  type TestApp,
  wordsOf,
} from './gate-fixture.ts'

let root: string
let folder: string
let opened: TestApp[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'farthing-words-'))
  folder = join(root, 'wallet')
})
afterEach(async () => {
  await close()
  rmSync(root, { recursive: true })
})

async function open(more: Partial<AppOptions> = {}): Promise<TestApp> {
  const app = await openApp(folder, more)
  opened.push(app)
  return app
}
async function close(): Promise<void> {
  for (const app of opened) await app.stop()
  const said = opened.map(({ logs, events }) => JSON.stringify([logs, events]))
  opened = []
  // One of these words alone may be among the four that a key looks like.
  for (const text of said) expect(text).not.toMatch(/wren|abandon\W+abandon/)
}
/** A wallet at rest, and its words. */
async function made(more: Partial<AppOptions> = {}, by?: string): Promise<readonly string[]> {
  const app = await open(more)
  await app.handlers['profile.rename']({ name: 'Ann' })
  if (by !== undefined) await app.handlers['gate.setPassphrase']({ next: by })
  const { words } = await app.handlers['phrase.show']({})
  await close()
  return words
}
const look = (app: TestApp): Promise<GateView> => app.handlers['gate.look']({})
const use = (app: TestApp, words: readonly string[], by: string | null = null) =>
  app.handlers['gate.usePhrase']({ words: [...words], passphrase: by })
const phraseFiles = () => readdirSync(folder).filter((name) => name.startsWith('phrase'))
const setAside = () => {
  const [name = ''] = readdirSync(folder).filter((one) => one.startsWith('set-aside-'))
  return { name, files: name === '' ? [] : readdirSync(join(folder, name)) }
}
const database = () => join(folder, 'wallet.db')

/** The wallet that was there: its words, its name, and the life it was in. */
async function expectAnn(app: TestApp, words: readonly string[]): Promise<void> {
  expect(await wordsOf(app)).toBe(words.join(' '))
  const { slices } = await app.handlers['app.snapshot']({})
  expect(slices.profile.name).toBe('Ann')
  expect(slices.restore.cause).toBeNull()
  expect(readdirSync(folder).filter((name) => name.includes('damaged') || name.startsWith('arriv'))).toEqual([])
}

const shut = () => {
  const keychain = createKeychain()
  return { keychain, more: { sealer: keychain.sealer } }
}

describe('the words of a wallet open it', () => {
  test('when the passphrase is forgotten: another one protects them from then on', async () => {
    const words = await made({}, passphrase)
    const lock = readFileSync(join(folder, 'phrase.locked'))
    const app = await open()
    for (let count = 0; count < 6; count++) await refusal(app.handlers['gate.unlock']({ passphrase: 'not this one' }))
    expect(await refusal(app.handlers['gate.unlock']({ passphrase }))).toBe('too_many_tries')
    const next = 'another one that is long'
    expect(await use(app, words, next)).toMatchObject({ state: 'open', sealing: 'passphrase' })
    expect(app.gates().at(-1)).toMatchObject({ state: 'open', sealing: 'passphrase' })
    await expectAnn(app, words)
    expect(phraseFiles()).toEqual(['phrase.locked'])
    expect(filesWith(folder, words.slice(0, 3).join(' '))).toEqual([])
    expect(setAside().files.sort()).toEqual(['phrase.locked', 'phrase.tries'])
    expect(readFileSync(join(folder, setAside().name, 'phrase.locked')).equals(lock)).toBe(true)
    await close()
    const again = await open()
    expect(await refusal(again.handlers['gate.unlock']({ passphrase }))).toBe('wrong_passphrase')
    await again.handlers['gate.unlock']({ passphrase: next })
    await expectAnn(again, words)
  })

  test('behind a lock under which it runs on, too', async () => {
    const app = await open()
    await app.handlers['profile.rename']({ name: 'Ann' })
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    const words = (await wordsOf(app)).split(' ')
    await app.handlers['gate.lock']({})
    expect(await refusal(use(app, abandon))).toBe('bad_phrase')
    expect(await look(app)).toEqual({ state: 'locked', retryAt: null })
    expect(await use(app, words)).toEqual({ state: 'open', sealing: 'plain', idleLockMinutes: null })
    await expectAnn(app, words)
    expect(phraseFiles()).toEqual(['phrase'])
  })

  test('when the keychain that sealed them is gone, and what there is protects them from then on', async () => {
    const { more } = shut()
    const words = await made(more)
    const app = await open()
    expect(await look(app)).toEqual({ state: 'sealed' })
    expect(await use(app, words)).toEqual({ state: 'open', sealing: 'plain', idleLockMinutes: null })
    await expectAnn(app, words)
    expect(phraseFiles()).toEqual(['phrase'])
    expect(setAside().files).toEqual(['phrase.sealed'])
    expect(statSync(join(folder, setAside().name)).mode & 0o777).toBe(0o700)
    await close()
    const { keychain: other, more: here } = shut()
    const again = await open(here)
    expect(await look(again)).toMatchObject({ state: 'open', sealing: 'os' })
    expect(other.sealings).toBeGreaterThan(0)
  })

  test('when a keychain holds them back together with a passphrase', async () => {
    const { keychain, more } = shut()
    const words = await made(more, passphrase)
    keychain.isShut = true
    const app = await open(more)
    expect(await look(app)).toEqual({ state: 'sealed' })
    expect(await use(app, words, passphrase)).toMatchObject({ state: 'open', sealing: 'passphrase' })
    await expectAnn(app, words)
    keychain.isShut = false
    await close()
    const again = await open(more)
    await again.handlers['gate.unlock']({ passphrase })
    await expectAnn(again, words)
  })

  test.each([
    ['is missing', 'missing', () => rmSync(join(folder, 'phrase'))],
    ['is empty', 'damaged', () => writeFileSync(join(folder, 'phrase'), '')],
    ['is half of what it was', 'damaged', () => writeFileSync(join(folder, 'phrase'), 'abandon abandon aban')],
    ['is that of another wallet', 'other', () => writeFileSync(join(folder, 'phrase'), `${abandon.join(' ')}\n`)],
  ] as const)('when the file that holds them %s', async (_, cause, spoil) => {
    const words = await made()
    spoil()
    const app = await open()
    expect(await look(app)).toEqual({ state: 'wordless', cause })
    expect(app.gates()).toEqual([{ state: 'wordless', cause }])
    expect(await refusal(app.handlers['app.snapshot']({}))).toBe('locked')
    expect(await use(app, words)).toMatchObject({ state: 'open', sealing: 'plain' })
    await expectAnn(app, words)
    expect(setAside().files).toEqual(cause === 'missing' ? [] : ['phrase'])
    await close()
    await expectAnn(await open(), words)
  })

  test('when the file that a passphrase opens is damaged', async () => {
    const words = await made({}, passphrase)
    const lock = readFileSync(join(folder, 'phrase.locked'))
    lock[40] = lock[40]! ^ 1
    writeFileSync(join(folder, 'phrase.locked'), lock)
    const app = await open()
    expect(await look(app)).toEqual({ state: 'wordless', cause: 'damaged' })
    expect(existsSync(join(folder, 'phrase.tries'))).toBe(false)
    expect(await use(app, words, passphrase)).toMatchObject({ state: 'open', sealing: 'passphrase' })
    await expectAnn(app, words)
  })

  test('when what a passphrase opens are the words of another wallet: the passphrase is not asked for in a circle', async () => {
    await made({}, passphrase)
    const stranger = readFileSync(join(folder, 'phrase.locked'))
    rmSync(folder, { recursive: true })
    const words = await made()
    rmSync(join(folder, 'phrase'))
    writeFileSync(join(folder, 'phrase.locked'), stranger)
    const app = await open()
    expect(await app.handlers['gate.unlock']({ passphrase })).toEqual({ state: 'wordless', cause: 'other' })
    expect(await look(app)).toEqual({ state: 'wordless', cause: 'other' })
    expect(await use(app, words, passphrase)).toMatchObject({ state: 'open', sealing: 'passphrase' })
    await expectAnn(app, words)
    expect(readFileSync(join(folder, setAside().name, 'phrase.locked')).equals(stranger)).toBe(true)
  })

  test('and a file that is put back opens it as well', async () => {
    const words = await made()
    const [there, elsewhere] = [join(folder, 'phrase'), join(root, 'elsewhere')]
    renameSync(there, elsewhere)
    const app = await open()
    expect(await look(app)).toEqual({ state: 'wordless', cause: 'missing' })
    renameSync(elsewhere, there)
    expect(await look(app)).toMatchObject({ state: 'open' })
    await expectAnn(app, words)
  })
})

describe('what is typed', () => {
  const everything = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile() && !name.startsWith('lease'))
      // What SQLite keeps for readers.
      .filter((name) => !/-(wal|shm)$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')])

  test('is checked against the database before anything changes', async () => {
    const words = await made()
    rmSync(join(folder, 'phrase'))
    const app = await open()
    const before = everything()
    const typed = (index: number, word: string) => words.map((one, at) => (at === index ? word : one))
    expect(await refusal(use(app, abandon))).toBe('bad_phrase')
    expect(await refusal(use(app, [...words].reverse()))).toBe('bad_phrase')
    await expect(use(app, typed(4, 'abandom'))).rejects.toMatchObject({ code: 'bad_phrase', facts: { word: 5 } })
    expect(await refusal(use(app, words, 'short'))).toBe('weak_passphrase')
    expect(everything()).toEqual(before)
    expect(await look(app)).toEqual({ state: 'wordless', cause: 'missing' })
    await use(
      app,
      words.map((word) => ` ${word.toUpperCase()}`),
    )
    await expectAnn(app, words)
  })

  test('opens nothing that is open, or that cannot be read', async () => {
    const words = await made()
    const app = await open()
    expect(await refusal(use(app, words))).toBe('wrong_state')
    await close()
    scribble(database())
    const damaged = await open()
    expect(await refusal(use(damaged, words))).toBe('wrong_state')
    await close()
    rmSync(join(folder, 'phrase'))
    const both = await open()
    expect(await look(both)).toMatchObject({ state: 'damaged', hasPhrase: false })
    expect(await refusal(use(both, words))).toBe('wrong_state')
  })

  test('cannot be checked against a database that cannot be read: both stay as they are', async () => {
    const { more } = shut()
    const words = await made(more)
    scribble(database())
    const app = await open({ sealer: plainSealer })
    const before = everything()
    expect(await refusal(use(app, words))).toBe('folder_damaged')
    expect(everything()).toEqual(before)
    expect(await look(app)).toEqual({ state: 'sealed' })
  })

  test('waits for no tries: nobody guesses twelve words', async () => {
    const clock = createTestClock()
    const words = await made({}, passphrase)
    const app = await open({ clock })
    for (let count = 0; count < 12; count++) expect(await refusal(use(app, abandon))).toBe('bad_phrase')
    expect(await look(app)).toEqual({ state: 'locked', retryAt: null })
    expect(await use(app, words)).toMatchObject({ state: 'open' })
  })
})

describe('a gate that stays shut', () => {
  test('tells of it once: a window that looks whenever it is told does not look for ever', async () => {
    const { more } = shut()
    await made(more)
    const app = await open()
    for (let count = 0; count < 3; count++) expect(await look(app)).toEqual({ state: 'sealed' })
    expect(app.gates()).toEqual([{ state: 'sealed' }])
  })

  test('a passphrase file that is damaged under a locked wallet is said to be that, and the words still open it', async () => {
    const app = await open()
    await app.handlers['profile.rename']({ name: 'Ann' })
    await app.handlers['gate.setPassphrase']({ next: passphrase })
    const words = (await wordsOf(app)).split(' ')
    await app.handlers['gate.lock']({})
    writeFileSync(join(folder, 'phrase.locked'), 'Dear diary')
    expect(await refusal(app.handlers['gate.unlock']({ passphrase }))).toBe('no_phrase')
    expect(await use(app, words)).toMatchObject({ state: 'open' })
    await expectAnn(app, words)
  })
})
