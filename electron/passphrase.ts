// What a passphrase protects: bytes sealed under a key that is stretched from it. Pure functions, no files.
//
// Format (version 1), integers big-endian:
//   magic     4   'FTHP'
//   version   1   1
//   kdf      20   id 1 (scrypt, RFC 7914) · log2 N · r · p · salt (16)
//   nonce    24
//   sealed    n   XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) of the bytes; associated data = everything before the nonce
//   check     8   first bytes of SHA-256 of everything before it: a damaged file is not taken for a wrong passphrase
//
// The key is scrypt(NFKC(passphrase) as UTF-8, salt, N, r, p), 32 bytes. Each sealing draws a salt and a nonce of its own.
// Why scrypt and not Argon2: docs/adr/0008-a-passphrase-by-scrypt.md.

import { scrypt } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { AppError } from '../shared/errors.ts'
import type { Random } from './wallet/ports.ts'

/** What one guess costs: 128·N·r bytes of memory (128 MiB by default), about half a second. */
export type KdfCost = { readonly logN: number; readonly r: number; readonly p: number }
export type Kdf = KdfCost & { readonly salt: Uint8Array }

export const standardCost: KdfCost = { logN: 17, r: 8, p: 1 }

/** What is accepted from a file: a hostile one must not ask for gigabytes or minutes. 256 MiB at most. */
const limits = { minLogN: 10, maxLogN: 18, r: 8, maxP: 4 }

export const minPassphraseCharacters = 10
const keyBytes = 32
const saltBytes = 16
const nonceBytes = 24
const tagBytes = 16
const checkBytes = 8
const scryptId = 1
/** Bytes of `encodeKdf`. */
export const kdfBytes = 4 + saltBytes
const prefix = concatBytes(utf8ToBytes('FTHP'), Uint8Array.of(1))
const headerBytes = prefix.length + kdfBytes

/**
 * @throws AppError `weak_passphrase` for fewer than ten characters, or one character all over. Counted after NFKC, as
 *   code points
 */
export function assertStrong(passphrase: string): void {
  const characters = [...passphrase.normalize('NFKC')]
  if (characters.length < minPassphraseCharacters || new Set(characters).size === 1) {
    throw new AppError('weak_passphrase', `a passphrase has at least ${minPassphraseCharacters} characters`)
  }
}

/** A fresh salt, and what a guess shall cost. */
export const newKdf = (random: Random, cost: KdfCost = standardCost): Kdf => ({
  ...cost,
  salt: random.bytes(saltBytes),
})

/** id 1 · log2 N · r · p · salt: `kdfBytes` bytes. */
export const encodeKdf = ({ logN, r, p, salt }: Kdf): Uint8Array =>
  concatBytes(Uint8Array.of(scryptId, logN, r, p), salt)

/** @returns undefined for another function, or a cost that no file of ours has */
export function decodeKdf(bytes: Uint8Array): Kdf | undefined {
  const [id, logN = 0, r = 0, p = 0] = bytes
  const isOurs = bytes.length === kdfBytes && id === scryptId
  const isBounded = logN >= limits.minLogN && logN <= limits.maxLogN && r === limits.r && p >= 1 && p <= limits.maxP
  return isOurs && isBounded ? { logN, r, p, salt: bytes.slice(4) } : undefined
}

/** The key of a passphrase: 32 bytes. Runs beside the event loop, for about half a second. */
export function stretch(passphrase: string, { logN, r, p, salt }: Kdf): Promise<Uint8Array> {
  const cost = 2 ** logN
  const options = { N: cost, r, p, maxmem: 128 * r * (cost + p + 2) + 1024 * 1024 }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, keyBytes, options, (error, key) =>
      error ? reject(error) : resolve(new Uint8Array(key)),
    )
  })
}

/** @param header goes before, in the open, and cannot be changed @returns header ‖ nonce ‖ ciphertext ‖ tag */
export function sealWithKey(key: Uint8Array, header: Uint8Array, bytes: Uint8Array, random: Random): Uint8Array {
  const nonce = random.bytes(nonceBytes)
  return concatBytes(header, nonce, xchacha20poly1305(key, nonce, header).encrypt(bytes))
}

/**
 * What `sealWithKey` sealed.
 * @returns undefined when the key is another one or a byte was changed, which look the same
 */
export function openWithKey(key: Uint8Array, headerLength: number, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < headerLength + nonceBytes + tagBytes) return undefined
  const header = sealed.subarray(0, headerLength)
  const nonce = sealed.subarray(headerLength, headerLength + nonceBytes)
  try {
    return xchacha20poly1305(key, nonce, header).decrypt(sealed.subarray(headerLength + nonceBytes))
  } catch {
    return undefined
  }
}

/** Seal with a passphrase, in the format above. */
export async function sealWithPassphrase(
  bytes: Uint8Array,
  passphrase: string,
  random: Random,
  cost: KdfCost = standardCost,
): Promise<Uint8Array> {
  const kdf = newKdf(random, cost)
  const key = await stretch(passphrase, kdf)
  const sealed = sealWithKey(key, concatBytes(prefix, encodeKdf(kdf)), bytes, random)
  key.fill(0)
  return concatBytes(sealed, sha256(sealed).subarray(0, checkBytes))
}

/** Whether the bytes are whole and of this format: what is left to fail is the passphrase. Cheap. */
export const isSealed = (file: Uint8Array): boolean => readSealed(file) !== undefined

/**
 * What `sealWithPassphrase` sealed.
 * @returns undefined for a wrong passphrase, and for a file that `isSealed` refuses
 */
export async function openWithPassphrase(file: Uint8Array, passphrase: string): Promise<Uint8Array | undefined> {
  const read = readSealed(file)
  if (read === undefined) return undefined
  const key = await stretch(passphrase, read.kdf)
  const opened = openWithKey(key, headerBytes, read.sealed)
  key.fill(0)
  return opened
}

function readSealed(file: Uint8Array): { readonly kdf: Kdf; readonly sealed: Uint8Array } | undefined {
  if (file.length < headerBytes + nonceBytes + tagBytes + checkBytes) return undefined
  const sealed = file.subarray(0, file.length - checkBytes)
  if (!prefix.every((byte, i) => file[i] === byte)) return undefined
  if (
    !sha256(sealed)
      .subarray(0, checkBytes)
      .every((byte, i) => file[sealed.length + i] === byte)
  )
    return undefined
  const kdf = decodeKdf(sealed.subarray(prefix.length, headerBytes))
  return kdf === undefined ? undefined : { kdf, sealed }
}
