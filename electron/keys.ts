// The phrase: twelve words that everything secret is derived from, in one file beside the database, mode 0600.
//
//   phrase.locked   sealed by a passphrase; where the system has a keychain, its seal is around that
//   phrase.sealed   sealed by the keychain of the system
//   phrase          as it is: neither of them here, or not yet
//
// A file counts when it has its name. It gets that after it was flushed and read back, and what it replaces goes after
// that; so a crash leaves one or two files and never none. Of two, the one with a passphrase counts; else the plain one.
// What goes is removed, not overwritten first: disks and file systems of today write elsewhere than over the old place, so
// that would only look safe. Whoever fears that a disk is read below its file system encrypts the disk.

import { chmodSync, existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { utf8ToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import type { Sealing } from '../shared/model.ts'
import { commitDurably, removeDurably, stageDurably, unfinished, writeDurably } from './durable-file.ts'
import { type KdfCost, openWithPassphrase, sealWithPassphrase } from './passphrase.ts'
import { isWholeLock, type Keychain, type Sealer, sealedBy, unsealedBy, unwrapLock, wrapLock } from './sealing.ts'
import type { Random } from './wallet/ports.ts'

const names = { plain: 'phrase', sealed: 'phrase.sealed', locked: 'phrase.locked' } as const
/** Every name that a phrase lies under. */
export const phraseNames: readonly string[] = Object.values(names)

/** 128 bits: twelve words. */
const entropyBytes = 16

/** What protects the phrase of this folder now; null when there is none. */
export function sealingOf(folder: string): Sealing | null {
  if (hasWholeLock(folder)) return 'passphrase'
  if (existsSync(join(folder, names.plain))) return 'plain'
  if (existsSync(join(folder, names.sealed))) return 'os'
  return existsSync(join(folder, names.locked)) ? 'passphrase' : null
}

/** Whether this folder has a phrase already. */
export const hasPhrase = (folder: string): boolean => sealingOf(folder) !== null

/**
 * Remove what a crash left: halves of files, and where a passphrase seals the phrase, every other copy of it.
 * Only under the lease of the folder.
 */
export function tidyPhrase(folder: string): void {
  const left = phraseNames.map((name) => unfinished(join(folder, name)))
  if (hasWholeLock(folder)) left.push(join(folder, names.plain), join(folder, names.sealed))
  const there = left.filter((path) => existsSync(path))
  if (there.length > 0) removeDurably(...there)
}

/** A new phrase for a folder that has none; complete and durable before anything is derived from it. */
export function makePhrase(folder: string, random: Random): void {
  writeDurably(join(folder, names.plain), `${entropyToMnemonic(random.bytes(entropyBytes), wordlist)}\n`)
}

/**
 * The twelve words of a folder without a passphrase.
 * @throws AppError `no_phrase` when there is none, `phrase_sealed` when the keychain that sealed it does not open it,
 *   `bad_phrase` when the file does not hold a valid one; it is never overwritten; `locked` when there is a passphrase
 */
export async function readPhrase(folder: string, sealer: Sealer): Promise<string> {
  const sealing = sealingOf(folder)
  if (sealing === null) throw new AppError('no_phrase', 'the phrase of this wallet is missing')
  if (sealing === 'passphrase') throw new AppError('locked', 'the phrase is sealed by a passphrase')
  return valid(sealing === 'plain' ? readPlain(folder) : await readSealed(folder, sealer))
}

/**
 * The twelve words of a folder with a passphrase.
 * @returns undefined for a wrong passphrase
 * @throws AppError `phrase_sealed` when the keychain around it does not open it, `bad_phrase` when the file is damaged
 */
export async function unlockPhrase(folder: string, passphrase: string, sealer: Sealer): Promise<string | undefined> {
  const opened = await openWithPassphrase(await readLock(folder, sealer), passphrase)
  return opened && valid(textOf(opened))
}

/** That there is something which a passphrase may open. @throws AppError `phrase_sealed`, `bad_phrase` */
export async function assertUnlockable(folder: string, sealer: Sealer): Promise<void> {
  await readLock(folder, sealer)
}

/**
 * Seal a phrase that lies there in plain by the keychain, as soon as the system can; the plain file goes only when the
 * sealed one was read back. A keychain that refuses leaves it as it is, and so does a sealed phrase that is another one.
 * @param phrase of this folder, known to be the one its database was made with
 */
export async function sealPhrase(folder: string, phrase: string, sealer: Sealer): Promise<void> {
  if (sealer.kind !== 'os' || sealingOf(folder) !== 'plain') return
  const before = await readSealed(folder, sealer).catch(() => undefined)
  if (before !== undefined && before !== phrase && isPhrase(before)) return
  if (await putSealed(folder, phrase, sealer)) removeDurably(join(folder, names.plain))
}

/**
 * Seal the phrase by this passphrase from now on, in place of whatever protected it; no other copy stays.
 * @throws AppError when it cannot be written or does not read back; what was there counts then
 */
export async function lockPhrase(
  folder: string,
  phrase: string,
  passphrase: string,
  { sealer, random, cost }: { readonly sealer: Sealer; readonly random: Random; readonly cost?: KdfCost | undefined },
): Promise<void> {
  const path = join(folder, names.locked)
  const lock = await sealWithPassphrase(utf8ToBytes(phrase), passphrase, random, cost)
  const staged = stageDurably(path, await wrapLock(lock, sealer))
  const back = await unwrapLock(readFileSync(staged), sealer)
    .then((read) => openWithPassphrase(read.lock, passphrase))
    .catch(() => undefined)
  if (back === undefined || textOf(back) !== phrase) {
    removeDurably(staged)
    throw new AppError('internal', 'the sealed phrase does not read back')
  }
  commitDurably(path)
  tidyPhrase(folder)
}

/** No passphrase from now on: sealed by the keychain, or plain where there is none. */
export async function freePhrase(folder: string, phrase: string, sealer: Sealer): Promise<void> {
  await putPhrase(folder, phrase, sealer)
  removeDurably(join(folder, names.locked))
}

/** Lay a phrase into a folder, sealed by the keychain where there is one that gives it back. */
export async function putPhrase(folder: string, phrase: string, sealer: Sealer): Promise<void> {
  if (sealer.kind !== 'os' || !(await putSealed(folder, phrase, sealer))) {
    writeDurably(join(folder, names.plain), `${phrase}\n`)
  }
}

/**
 * The phrase of twelve words as a person typed them.
 * @throws AppError `bad_phrase`; facts: `word`, counted from 1, when one is not in the list, else their checksum is wrong
 */
export function phraseOfWords(words: readonly string[]): string {
  const plain = words.map((word) => word.normalize('NFKD').trim().toLowerCase())
  const unknown = plain.findIndex((word) => !wordlist.includes(word))
  if (unknown >= 0) throw new AppError('bad_phrase', 'a word is not in the list', { facts: { word: unknown + 1 } })
  return valid(plain.join(' '))
}

/** The BIP-39 seed (64 bytes, no passphrase). */
export const seedOfPhrase = (phrase: string): Uint8Array => mnemonicToSeedSync(phrase)

const isPhrase = (text: string): boolean => validateMnemonic(text, wordlist)

function valid(phrase: string): string {
  if (!isPhrase(phrase)) throw new AppError('bad_phrase', 'these words are no valid phrase')
  return phrase
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

function readPlain(folder: string): string {
  const path = join(folder, names.plain)
  makePrivate(path)
  return readFileSync(path, 'utf8').trim()
}

async function readSealed(folder: string, sealer: Sealer): Promise<string> {
  const { text, isStale } = await unsealedBy(sealer, readFileSync(join(folder, names.sealed)))
  const phrase = text.trim()
  if (isStale && sealer.kind === 'os') await putSealed(folder, phrase, sealer)
  return phrase
}

/** @returns false when the keychain refuses, or gives something else back; nothing has changed then */
async function putSealed(folder: string, phrase: string, keychain: Keychain): Promise<boolean> {
  const seal = await sealedBy(keychain, phrase)
  if (seal === undefined) return false
  const path = join(folder, names.sealed)
  const staged = stageDurably(path, seal)
  const back = await unsealedBy(keychain, readFileSync(staged)).catch(() => undefined)
  if (back?.text !== phrase) {
    removeDurably(staged)
    return false
  }
  commitDurably(path)
  return true
}

function hasWholeLock(folder: string): boolean {
  const path = join(folder, names.locked)
  return existsSync(path) && isWholeLock(readFileSync(path))
}

/** What `openWithPassphrase` takes; a seal that the keychain wants anew is made anew. */
async function readLock(folder: string, sealer: Sealer): Promise<Uint8Array> {
  const path = join(folder, names.locked)
  makePrivate(path)
  const { lock, isStale } = await unwrapLock(readFileSync(path), sealer)
  if (isStale) await wrapAnew(path, lock, sealer)
  return lock
}

/** A keychain that refuses now loses nothing: the seal that is there still opens. */
async function wrapAnew(path: string, lock: Uint8Array, sealer: Sealer): Promise<void> {
  const wrapped = await wrapLock(lock, sealer)
  if (wrapped === lock) return
  const staged = stageDurably(path, wrapped)
  const back = await unwrapLock(readFileSync(staged), sealer).catch(() => undefined)
  if (back && Buffer.from(back.lock).equals(lock)) commitDurably(path)
  else removeDurably(staged)
}

/** A link in its place must not lead a change of mode to another file. @throws AppError `bad_phrase` */
function makePrivate(path: string): void {
  if (lstatSync(path).isSymbolicLink()) throw new AppError('bad_phrase', 'the file that holds the phrase is a link')
  chmodSync(path, 0o600)
}
