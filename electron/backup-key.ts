// What a wallet's seed says of its backups: the key of files that its phrase opens, and the tag in the names of its copies.

import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '../shared/cashu/numbers.ts'

export type BackupSecrets = {
  /** Opens files whose key is the phrase: 32 bytes. It spends nothing. */
  readonly key: Uint8Array
  /** In the names of automatic copies, so that two wallets share a folder: 8 hex characters, no secret. */
  readonly tag: string
}

/** @param seed 64-byte BIP-39 seed; H as in protocol section 10, with an empty path */
export function backupSecretsOf(seed: Uint8Array): BackupSecrets {
  const H = (domain: string): Uint8Array => hmac(sha512, seed, concatBytes(utf8ToBytes(domain), Uint8Array.of(0))) // HMAC-SHA512(S, domain ‖ 0x00)
  return {
    key: H('farthing/backup/1').slice(0, 32),
    tag: bytesToHex(H('farthing/backup-tag/1').subarray(0, 4)),
  }
}
