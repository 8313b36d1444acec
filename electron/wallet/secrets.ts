// Everything secret comes from the seed by the path (generation, account, purse, coin): protocol sections 2 and 10.
// No private key leaves this file; callers ask for signatures, blinding factors and public keys.

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { blind, order, type Point } from '../../shared/cashu/bdhke.ts'
import {
  bytesToHex,
  bytesToNumberBE,
  concatBytes,
  hexToBytes,
  numberToBytesBE,
  uint32,
  utf8ToBytes,
} from '../../shared/cashu/numbers.ts'
import { purseSecret } from '../../shared/cashu/p2pk.ts'
import { type SignedKind, type SignedMessage, signingHash } from '../../shared/messages.ts'
import type { Random } from './ports.ts'

/** Where a purse stands in the derivation. */
export type PursePath = { readonly generation: number; readonly account: number; readonly purse: number }
/** Where a coin stands: its purse and its index there. */
export type CoinPath = PursePath & { readonly coin: number }

export type Secrets = {
  /** Compressed public key of a purse, 66 hex characters. */
  purseKey(path: PursePath): string
  /** The coin's nonce, 64 hex characters. */
  nonce(path: CoinPath): string
  /** The coin's secret text (NUT-10, exactly as protocol section 2 says). */
  secret(path: CoinPath): string
  /** The coin's blinding factor. Revealed to a payee with the coin (NUT-12), to nobody else. */
  blindingFactor(path: CoinPath): bigint
  /** B_ = Y + rG of the coin. */
  blindedMessage(path: CoinPath): Point
  /** BIP-340 by a purse key over a 32-byte digest: 64 bytes. */
  signSwap(path: PursePath, digest: Uint8Array): Uint8Array
  /** BIP-340 by a purse key over a message of ours. */
  signClaim(path: PursePath, body: Uint8Array): SignedMessage
  /** Compressed public key of a contact or payee key, 33 bytes. Index 0 is the contact key. */
  payeeKey(index: number): Uint8Array
  /**
   * Seal what an operation must keep and nobody else may know: the database alone is of no use to a thief.
   * XChaCha20-Poly1305 under a key of this operation, `sealed:` ‖ hex(nonce ‖ ciphertext).
   */
  sealText(operationId: string, text: string): string
  /** @returns undefined for a text that is not sealed @throws when another operation or phrase sealed it, or it is damaged */
  openText(operationId: string, text: string): string | undefined
  /** BIP-340 by a contact or payee key over a message of ours. */
  signAsPayee(index: number, kind: SignedKind, body: Uint8Array): SignedMessage
  /** Ed25519 seed (32 bytes) of the payer's peer key of one payment. `paymentId` is 16 bytes. */
  paymentPeerSeed(paymentId: Uint8Array): Uint8Array
  /** Ed25519 seed (32 bytes) of the peer key this wallet is reached at as payee: one for each generation. */
  payeePeerSeed(generation: number): Uint8Array
}

/**
 * @param seed 64-byte BIP-39 seed of the phrase, without passphrase
 * @param random used as BIP-340's auxiliary randomness only
 */
export function createSecrets(seed: Uint8Array, random: Random): Secrets {
  const H = (domain: string, path: Uint8Array): Uint8Array =>
    hmac(sha512, seed, concatBytes(utf8ToBytes(domain), Uint8Array.of(0), path)) // HMAC-SHA512(S, domain ‖ 0x00 ‖ path)
  const scalar = (domain: string, path: Uint8Array): bigint => 1n + (bytesToNumberBE(H(domain, path)) % (order - 1n)) // 1 + (H mod (n−1))

  const pursePath = ({ generation, account, purse }: PursePath) =>
    concatBytes(uint32(generation), uint32(account), uint32(purse))
  const coinPath = (path: CoinPath) => concatBytes(pursePath(path), uint32(path.coin))
  const purseScalar = (path: PursePath) => numberToBytesBE(scalar('farthing/purse/1', pursePath(path)), 32)
  const payeeScalar = (index: number) => numberToBytesBE(scalar('farthing/key/1', uint32(index)), 32)
  const sign = (digest: Uint8Array, key: Uint8Array) => schnorr.sign(digest, key, random.bytes(32))

  const textKey = (operationId: string) => H('farthing/text/1', hexToBytes(operationId)).subarray(0, 32)

  const purseKeys = new Map<string, string>()
  const purseKey = (path: PursePath): string => {
    const name = `${path.generation}/${path.account}/${path.purse}`
    const known = purseKeys.get(name)
    if (known !== undefined) return known
    const key = bytesToHex(secp256k1.getPublicKey(purseScalar(path), true))
    if (purseKeys.size >= maxCachedKeys) purseKeys.clear()
    purseKeys.set(name, key)
    return key
  }
  const nonce = (path: CoinPath) => bytesToHex(H('farthing/nonce/1', coinPath(path)).subarray(0, 32))
  const secret = (path: CoinPath) => purseSecret(nonce(path), purseKey(path))
  const blindingFactor = (path: CoinPath) => scalar('farthing/r/1', coinPath(path))

  return {
    purseKey,
    nonce,
    secret,
    blindingFactor,
    blindedMessage: (path) => blind(secret(path), blindingFactor(path)),
    signSwap: (path, digest) => sign(digest, purseScalar(path)),
    signClaim: (path, body) => ({ body, sig: sign(signingHash('claim', body), purseScalar(path)) }),
    payeeKey: (index) => secp256k1.getPublicKey(payeeScalar(index), true),
    sealText: (operationId, text) => {
      const nonce = random.bytes(nonceBytes)
      const sealed = xchacha20poly1305(textKey(operationId), nonce).encrypt(utf8ToBytes(text))
      return `${sealedMark}${bytesToHex(concatBytes(nonce, sealed))}`
    },
    openText: (operationId, text) => {
      if (!text.startsWith(sealedMark)) return undefined
      const bytes = hexToBytes(text.slice(sealedMark.length))
      const [nonce, sealed] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes)]
      return new TextDecoder().decode(xchacha20poly1305(textKey(operationId), nonce).decrypt(sealed))
    },
    signAsPayee: (index, kind, body) => ({ body, sig: sign(signingHash(kind, body), payeeScalar(index)) }),
    paymentPeerSeed: (paymentId) => H('farthing/peer/1', paymentId).slice(0, 32),
    payeePeerSeed: (generation) => H('farthing/peer/1', uint32(generation)).slice(0, 32),
  }
}

const maxCachedKeys = 1000
const nonceBytes = 24
const sealedMark = 'sealed:'
