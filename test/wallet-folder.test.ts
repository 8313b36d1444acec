// A data folder: what belongs together is opened together, and nothing is made up for what is missing.

import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readPhrase, sealingOf } from '../electron/keys.ts'
import { plainSealer, type Sealer } from '../electron/sealing.ts'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { openWallet } from '../electron/wallet-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (sealer: Sealer = plainSealer) =>
  openWallet({ folder, sealer, config: {}, emit: () => {}, report: () => {} })
const generation = async () => {
  const wallet = await open()
  const stored = wallet.store.read.meta('seed/generation')
  wallet.close()
  return stored
}
const codeOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work()
    return 'opened'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

test('a new wallet starts in generation 0 and stays there', async () => {
  expect([await generation(), await generation()]).toEqual([0, 0])
})

test('a new database for an old phrase starts a generation whose indices nobody used', async () => {
  await generation()
  rmSync(join(folder, 'wallet.db'))
  const next = await generation()
  expect(next).toBeGreaterThanOrEqual(1)
  expect(next).toBeLessThanOrEqual(16)
  expect(await generation()).toBe(next)
})

test('a database without its phrase is not opened, and no phrase is made for it', async () => {
  await generation()
  renameSync(join(folder, 'phrase'), join(folder, 'elsewhere'))
  expect(await codeOf(open)).toBe('no_phrase')
  expect(existsSync(join(folder, 'phrase'))).toBe(false)
  renameSync(join(folder, 'elsewhere'), join(folder, 'phrase'))
  expect(await generation()).toBe(0)
})

test('a database is not opened with the phrase of another wallet, nor with none', async () => {
  await generation()
  writeFileSync(join(folder, 'phrase'), `${'abandon '.repeat(11)}about\n`)
  expect(await codeOf(open)).toBe('bad_phrase')
  writeFileSync(join(folder, 'phrase'), 'twelve words that are no phrase\n')
  expect(await codeOf(open)).toBe('bad_phrase')
})

describe('a keychain', () => {
  /** Stands for the system's: what it sealed, only it opens. */
  const keychain = (key: number, isBroken = false): Sealer => ({
    kind: 'os',
    seal: async (text) => Buffer.from(text).map((byte) => byte ^ key),
    unseal: async (sealed) => {
      if (isBroken) throw new Error('locked')
      return { text: Buffer.from(sealed.map((byte) => byte ^ key)).toString(), isStale: false }
    },
  })
  const words = async (sealer: Sealer) => {
    const wallet = await open(sealer)
    wallet.close()
    return { sealing: sealingOf(folder), phrase: await readPhrase(folder, sealer) }
  }

  test('seals the phrase of a wallet that had it in plain, and leaves no plain copy', async () => {
    const before = await words(plainSealer)
    expect(before.sealing).toBe('plain')
    expect(await words(keychain(7))).toEqual({ sealing: 'os', phrase: before.phrase })
    expect(existsSync(join(folder, 'phrase'))).toBe(false)
    expect(readFileSync(join(folder, 'phrase.sealed'), 'utf8')).not.toContain(before.phrase.split(' ')[0]!)
    expect(statSync(join(folder, 'phrase.sealed')).mode & 0o777).toBe(0o600)
  })

  test('that is not here, or locked, or another one, opens nothing and changes nothing', async () => {
    const { phrase } = await words(keychain(7))
    for (const sealer of [plainSealer, keychain(7, true)])
      expect(await codeOf(() => open(sealer))).toBe('phrase_sealed')
    expect(await codeOf(() => open(keychain(8)))).toBe('bad_phrase')
    expect((await words(keychain(7))).phrase).toBe(phrase)
  })

  test('a crash between sealing and removing the plain file loses nothing', async () => {
    const { phrase } = await words(plainSealer)
    writeFileSync(join(folder, 'phrase.sealed'), 'half a f')
    expect(await words(keychain(7))).toEqual({ sealing: 'os', phrase })
  })

  test('does not seal another wallet’s phrase over the one of this wallet', async () => {
    const { phrase } = await words(keychain(7))
    writeFileSync(join(folder, 'phrase'), `${'abandon '.repeat(11)}about\n`)
    expect(await codeOf(() => open(keychain(7)))).toBe('bad_phrase')
    rmSync(join(folder, 'phrase'))
    expect(await words(keychain(7))).toEqual({ sealing: 'os', phrase })
  })

  test('does not seal one over another in a folder whose database is gone', async () => {
    const { phrase } = await words(keychain(7))
    rmSync(join(folder, 'wallet.db'))
    writeFileSync(join(folder, 'phrase'), `${'abandon '.repeat(11)}about\n`)
    expect((await words(keychain(7))).sealing).toBe('plain')
    for (const name of ['phrase', 'wallet.db']) rmSync(join(folder, name))
    expect(await words(keychain(7))).toEqual({ sealing: 'os', phrase })
  })

  test('that refuses to seal, or to show what it sealed, leaves the wallet as it was', async () => {
    const { phrase } = await words(plainSealer)
    const refusing: Sealer = {
      kind: 'os',
      seal: async () => {
        throw new Error('locked')
      },
      unseal: async () => ({ text: '', isStale: false }),
    }
    for (const sealer of [refusing, keychain(7, true)])
      expect(await words(sealer)).toEqual({ sealing: 'plain', phrase })
    expect(await words(keychain(7))).toEqual({ sealing: 'os', phrase })
  })

  test('that gives back something else keeps the plain file', async () => {
    const { phrase } = await words(plainSealer)
    const forgetful: Sealer = {
      kind: 'os',
      seal: async () => new Uint8Array(8),
      unseal: async () => ({ text: 'nothing', isStale: false }),
    }
    expect(await words(forgetful)).toEqual({ sealing: 'plain', phrase })
    expect((await words(plainSealer)).phrase).toBe(phrase)
  })
})

test('a crash before a new database knows its generation does not start the first one again', async () => {
  await generation()
  rmSync(join(folder, 'wallet.db'))
  // All that a process got done that ended right after it made the file.
  openWalletStore(join(folder, 'wallet.db')).close()
  expect(await generation()).toBeGreaterThanOrEqual(1)
})
