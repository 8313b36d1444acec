// The phrase: twelve words that everything secret is derived from, kept beside the database in a file of its own.

import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { AppError } from '../shared/errors.ts'
import type { Random } from './wallet/ports.ts'

const fileName = 'phrase'
/** 128 bits: twelve words. */
const entropyBytes = 16

/**
 * The BIP-39 seed (64 bytes, no passphrase) of this data folder, made on first use. The file is complete and durable
 * before anything is derived from it, and readable by its owner only (mode 0600).
 * @param isNew whether the folder holds no wallet yet: only then a phrase is made
 * @throws AppError `no_phrase` when the phrase of an existing wallet is missing, `bad_phrase` when the file does not hold
 *   a valid one; it is never overwritten
 */
export function seedOf(folder: string, isNew: boolean, random: Random): Uint8Array {
  const path = join(folder, fileName)
  if (!existsSync(path) && !isNew) throw new AppError('no_phrase', 'the phrase of this wallet is missing')
  if (!existsSync(path)) writeDurably(path, entropyToMnemonic(random.bytes(entropyBytes), wordlist))
  chmodSync(path, 0o600)
  const phrase = readFileSync(path, 'utf8').trim()
  if (!validateMnemonic(phrase, wordlist)) throw new AppError('bad_phrase', 'the stored phrase is not valid')
  return mnemonicToSeedSync(phrase)
}

/** Whether this folder has a phrase already. */
export const hasPhrase = (folder: string): boolean => existsSync(join(folder, fileName))

function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, `${text}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
