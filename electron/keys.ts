// The phrase: twelve words that everything secret is derived from, kept beside the database in a file of its own:
// `phrase.sealed` where the system has a keychain, else `phrase` as it is. Mode 0600 either way.

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { AppError } from '../shared/errors.ts'
import type { Random } from './wallet/ports.ts'

/** What protects the phrase at rest: the system's keychain (`os`), or only the permissions of its file (`plain`). */
export type Sealer =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'os'
      /** @throws anything when the keychain refuses */
      seal(text: string): Uint8Array
      unseal(sealed: Uint8Array): string
    }

export const plainSealer: Sealer = { kind: 'plain' }

const plainName = 'phrase'
const sealedName = 'phrase.sealed'
/** 128 bits: twelve words. */
const entropyBytes = 16

/**
 * The twelve words of this data folder, made on first use. The file is complete and durable before anything is derived
 * from it. Where a plain one and a sealed one are, the plain one counts: it goes only after the other was read back.
 * @param isNew whether the folder holds no wallet yet: only then a phrase is made
 * @throws AppError `no_phrase` when the phrase of an existing wallet is missing, `phrase_sealed` when the keychain that
 *   sealed it is not here, `bad_phrase` when the file does not hold a valid one; it is never overwritten
 */
export function phraseOf(folder: string, isNew: boolean, random: Random, sealer: Sealer): string {
  const plain = join(folder, plainName)
  if (!hasPhrase(folder)) {
    if (!isNew) throw new AppError('no_phrase', 'the phrase of this wallet is missing')
    writeDurably(plain, `${entropyToMnemonic(random.bytes(entropyBytes), wordlist)}\n`)
  }
  const phrase = existsSync(plain) ? readPlain(plain) : unsealed(join(folder, sealedName), sealer)
  if (!isPhrase(phrase)) throw new AppError('bad_phrase', 'the stored phrase is not valid')
  return phrase
}

/**
 * Seal a phrase that lies there in plain, as soon as the system can; the plain file goes only when the sealed one was
 * read back. A keychain that refuses leaves it as it is, and so does a sealed phrase that is another one.
 * @param phrase of this folder, known to be the one its database was made with
 */
export function sealPhrase(folder: string, phrase: string, sealer: Sealer): void {
  const plain = join(folder, plainName)
  const sealed = join(folder, sealedName)
  if (sealer.kind !== 'os' || !existsSync(plain)) return
  const before = existsSync(sealed) ? orUndefined(() => unsealed(sealed, sealer)) : undefined
  if (before !== undefined && before !== phrase && isPhrase(before)) return
  const content = orUndefined(() => sealer.seal(phrase))
  if (content === undefined) return
  writeDurably(sealed, content)
  if (orUndefined(() => unsealed(sealed, sealer)) === phrase) rmSync(plain)
}

const isPhrase = (text: string): boolean => validateMnemonic(text, wordlist)

/** What a keychain says, if it says anything: it may throw whatever it likes. */
function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}

/** The BIP-39 seed (64 bytes, no passphrase). */
export const seedOfPhrase = (phrase: string): Uint8Array => mnemonicToSeedSync(phrase)

/** Whether this folder has a phrase already. */
export const hasPhrase = (folder: string): boolean =>
  existsSync(join(folder, plainName)) || existsSync(join(folder, sealedName))

/** What protects the phrase of this folder now. */
export const sealingOf = (folder: string): Sealer['kind'] => (existsSync(join(folder, plainName)) ? 'plain' : 'os')

function readPlain(path: string): string {
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

function unsealed(path: string, sealer: Sealer): string {
  if (sealer.kind !== 'os') throw new AppError('phrase_sealed', 'the phrase is sealed by the keychain of the system')
  try {
    return sealer.unseal(readFileSync(path)).trim()
  } catch (cause) {
    throw new AppError('phrase_sealed', 'the keychain does not open the phrase', { cause })
  }
}

function writeDurably(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    const bytes = Buffer.from(content)
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncFolder(dirname(path))
}

/** The new name is durable too; systems that cannot open a folder do without. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
