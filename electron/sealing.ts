// The keychain of the system as what seals texts, and its seal around bytes that a passphrase seals already: whoever
// copies the file away needs both.
//
// Format of a wrapped lock (version 1): 'FTHO' · 1 · the keychain's own bytes · first 8 bytes of SHA-256 of all that.

import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { AppError } from '../shared/errors.ts'
import { isSealed } from './passphrase.ts'

/** What protects the phrase at rest without a passphrase: the system's keychain (`os`), or nothing (`plain`). */
export type Sealer = { readonly kind: 'plain' } | Keychain

export type Keychain = {
  readonly kind: 'os'
  /** Rejects with anything when the keychain refuses. */
  seal(text: string): Promise<Uint8Array>
  /** @returns `isStale`: the keychain has a better key by now, and asks to seal anew */
  unseal(sealed: Uint8Array): Promise<Unsealed>
}

export type Unsealed = { readonly text: string; readonly isStale: boolean }

export const plainSealer: Sealer = { kind: 'plain' }

const prefix = concatBytes(utf8ToBytes('FTHO'), Uint8Array.of(1))
const checkBytes = 8

/** @returns the seal of a text, once the keychain gave it back; undefined when it refuses, with whatever it throws */
export async function sealedBy(keychain: Keychain, text: string): Promise<Uint8Array | undefined> {
  try {
    const sealed = await keychain.seal(text)
    return (await keychain.unseal(sealed)).text === text ? sealed : undefined
  } catch {
    return undefined
  }
}

/** @throws AppError `phrase_sealed` when there is no keychain, or not the one that sealed it */
export async function unsealedBy(sealer: Sealer, sealed: Uint8Array): Promise<Unsealed> {
  if (sealer.kind !== 'os') throw new AppError('phrase_sealed', 'the phrase is sealed by the keychain of the system')
  try {
    return await sealer.unseal(sealed)
  } catch (cause) {
    throw new AppError('phrase_sealed', 'the keychain does not open the phrase', { cause })
  }
}

/** The keychain's seal around what a passphrase sealed; just that where there is none, or it refuses. */
export async function wrapLock(lock: Uint8Array, sealer: Sealer): Promise<Uint8Array> {
  if (sealer.kind !== 'os') return lock
  const seal = await sealedBy(sealer, Buffer.from(lock).toString('base64'))
  if (seal === undefined) return lock
  const bytes = concatBytes(prefix, seal)
  return concatBytes(bytes, sha256(bytes).subarray(0, checkBytes))
}

/**
 * What a passphrase sealed, without the keychain's seal if there is one around it.
 * @throws AppError `phrase_sealed`; `bad_phrase` when the bytes are damaged
 */
export async function unwrapLock(
  bytes: Uint8Array,
  sealer: Sealer,
): Promise<{ readonly lock: Uint8Array; readonly isStale: boolean }> {
  const seal = sealIn(bytes)
  const { text, isStale } = seal === undefined ? { text: null, isStale: false } : await unsealedBy(sealer, seal)
  const lock = text === null ? bytes : new Uint8Array(Buffer.from(text, 'base64'))
  if (!isSealed(lock)) throw new AppError('bad_phrase', 'the file that holds the phrase is damaged')
  return { lock, isStale }
}

/** Whether these bytes are whole, as far as that can be seen without keychain and passphrase. */
export const isWholeLock = (bytes: Uint8Array): boolean => isSealed(bytes) || sealIn(bytes) !== undefined

/** The keychain's part; undefined when there is none, or not a whole one. */
function sealIn(bytes: Uint8Array): Uint8Array | undefined {
  const end = bytes.length - checkBytes
  if (end <= prefix.length || !prefix.every((byte, i) => bytes[i] === byte)) return undefined
  const check = sha256(bytes.subarray(0, end)).subarray(0, checkBytes)
  return check.every((byte, i) => bytes[end + i] === byte) ? bytes.subarray(prefix.length, end) : undefined
}
