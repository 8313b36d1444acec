// What people compare a payee key by: four words to say aloud, and the seed of a picture. Hosts compute it and windows are
// told: it is slow on purpose.

import { scrypt } from '@noble/hashes/scrypt.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { AppError } from './errors.ts'
import type { FingerprintView } from './model.ts'

/** RFC 7914: 8 MiB of memory and some tens of milliseconds for each key. */
const cost = { N: 2 ** 13, r: 8, p: 1, dkLen: 32 }
const salt = utf8ToBytes('farthing/payee/fingerprint/1')

/** Words are the first 44 bits, 11 for each; the picture is the last 16 bytes, independent of them. */
const bitsPerWord = 11
const pictureStart = 16

const maxCached = 1_024
const cache = new Map<string, FingerprintView>()

/**
 * The fingerprint of a payee key: 33 bytes, compressed. Only x counts, as in the signatures of the key, so both parities
 * look alike. Public values only.
 *
 * Four words are 44 bits, few enough to be searched by somebody who wants to be taken for a stall; hence scrypt. What
 * follows is reasoning, not measured: at 20 ms a try, all four words of one given key take 2^44 × 20 ms, about 11,000 years
 * of one processor core; graphics cards, at a supposed 15,000 tries a second each, some 37 years of one card. Three of the
 * four words take 2^11 times less, which is within reach: people have to compare all four. The picture has 128 bits more.
 * Words and picture are for eyes and ears; what is paid is bound to the key itself.
 *
 * Blocks for some tens of milliseconds when a key is new; the last 1,024 are remembered.
 * @throws AppError `bad_input` when it is not a compressed point by its form
 */
export function fingerprintOf(payeeKey: Uint8Array): FingerprintView {
  if (payeeKey.length !== 33 || (payeeKey[0] !== 2 && payeeKey[0] !== 3)) {
    throw new AppError('bad_input', 'not a compressed public key')
  }
  const x = payeeKey.subarray(1)
  const name = bytesToHex(x)
  const known = cache.get(name)
  if (known) return known
  const fingerprint = viewOf(scrypt(x, salt, cost)) // scrypt(x, salt, N = 2^13, r = 8, p = 1)
  const [oldest] = cache.keys()
  if (oldest !== undefined && cache.size >= maxCached) cache.delete(oldest)
  cache.set(name, fingerprint)
  return fingerprint
}

function viewOf(digest: Uint8Array): FingerprintView {
  const bits = digest.subarray(0, 6).reduce((value, byte) => value * 256 + byte, 0)
  const word = (index: number): string => {
    const found = wordlist[Math.floor(bits / 2 ** (48 - bitsPerWord * (index + 1))) % 2 ** bitsPerWord]
    if (found === undefined) throw new AppError('internal', 'the word list is not complete')
    return found
  }
  return { words: [word(0), word(1), word(2), word(3)], picture: bytesToHex(digest.subarray(pictureStart)) }
}
