// NUT-10/11 with one key: the secret of a coin, and the one message a SIG_ALL signature covers.

import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { readAs, z } from '../schema.ts'
import { bytesToHex, hexToBytes, utf8ToBytes } from './numbers.ts'

export type SigFlag = 'SIG_INPUTS' | 'SIG_ALL'

/**
 * The only secret our own coins have (protocol section 2). Byte-exact: a mint signs the text, not its meaning.
 * @param nonce 64 hex characters, lower case
 * @param purseKey compressed public key, 66 hex characters, lower case
 */
export function purseSecret(nonce: string, purseKey: string): string {
  return `["P2PK",{"nonce":"${nonce}","data":"${purseKey}","tags":[["sigflag","SIG_ALL"]]}]`
}

export type ParsedSecret =
  /** Not a NUT-10 secret: anyone who knows it may spend it. */
  | { readonly kind: 'plain' }
  | { readonly kind: 'p2pk'; readonly data: string; readonly sigFlag: SigFlag; readonly tags: string }
  /** A NUT-10 secret of a kind or with tags that are not served here: unspendable for now, never "plain". */
  | { readonly kind: 'unsupported'; readonly reason: string }

const nut10 = z.tuple([
  z.string(),
  z.object({ nonce: z.string(), data: z.string(), tags: z.array(z.array(z.string()).min(1)).nullish() }),
])

/**
 * Read a secret as a mint must (NUT-10): what looks like a well-known secret but is not understood is refused,
 * because to treat it as plain would let anybody spend it.
 */
export function parseSecret(secret: string): ParsedSecret {
  let json: unknown
  try {
    json = JSON.parse(secret)
  } catch {
    return { kind: 'plain' }
  }
  if (!Array.isArray(json)) return { kind: 'plain' }
  const parsed = readAs(nut10, json)
  if (!parsed.success) return { kind: 'unsupported', reason: 'malformed NUT-10 secret' }
  const [kind, { data, tags }] = parsed.data
  if (kind !== 'P2PK') return { kind: 'unsupported', reason: `spending condition ${kind.slice(0, 16)} is not served` }
  if (!/^0[23][0-9a-fA-F]{64}$/.test(data)) return { kind: 'unsupported', reason: 'P2PK key is not a compressed point' }
  let sigFlag: SigFlag = 'SIG_INPUTS'
  const seen = new Set<string>()
  for (const [name, ...values] of tags ?? []) {
    if (name === undefined || seen.has(name)) return { kind: 'unsupported', reason: 'a tag appears twice' }
    seen.add(name)
    if (name !== 'sigflag') return { kind: 'unsupported', reason: `tag ${name.slice(0, 16)} is not served` }
    const [flag] = values
    if (values.length !== 1 || (flag !== 'SIG_INPUTS' && flag !== 'SIG_ALL')) {
      return { kind: 'unsupported', reason: 'unknown signature flag' }
    }
    sigFlag = flag
  }
  return { kind: 'p2pk', data: data.toLowerCase(), sigFlag, tags: JSON.stringify(tags ?? []) }
}

/** What SIG_ALL covers of an input: `C` is compressed, lower-case hex. */
export type SigAllInput = { readonly secret: string; readonly C: string }
/** What SIG_ALL covers of an output: `B_` is compressed, lower-case hex. The keyset id is not covered. */
export type SigAllOutput = { readonly amount: number; readonly B_: string }

/**
 * The SIG_ALL message in its present form, version 0 (NUT-11): secret_0‖C_0‖…‖amount_0‖B__0‖…[‖quote].
 * Its successor is under discussion; this is the one place that builds it.
 */
export function sigAllMessage(inputs: readonly SigAllInput[], outputs: readonly SigAllOutput[], quote = ''): string {
  const ins = inputs.map(({ secret, C }) => secret + C)
  const outs = outputs.map(({ amount, B_ }) => `${amount}${B_}`)
  return ins.join('') + outs.join('') + quote
}

/** SHA-256 of the SIG_ALL message: what is signed, and what we call the swap digest (protocol section 10). */
export function sigAllDigest(inputs: readonly SigAllInput[], outputs: readonly SigAllOutput[], quote = ''): Uint8Array {
  return sha256(utf8ToBytes(sigAllMessage(inputs, outputs, quote)))
}

/** The witness text of an input (NUT-11) with its signatures in hex. */
export function witnessOf(...signatures: readonly string[]): string {
  return JSON.stringify({ signatures })
}

const witnessSchema = z.object({ signatures: z.array(z.string().regex(/^[0-9a-fA-F]{128}$/)).max(16) })

/** Signatures in a witness text; none when it is absent or malformed. */
export function signaturesOf(witness: string | null | undefined): readonly string[] {
  if (!witness) return []
  try {
    return witnessSchema.parse(JSON.parse(witness)).signatures
  } catch {
    return []
  }
}

/**
 * BIP-340 over a 32-byte digest, key given compressed or x-only in hex. Variable time: public values only.
 * @returns false for anything malformed
 */
export function verifySchnorr(signature: string, digest: Uint8Array, key: string): boolean {
  if (!/^(0[23])?[0-9a-fA-F]{64}$/.test(key)) return false
  try {
    return schnorr.verify(hexToBytes(signature), digest, hexToBytes(xOnly(key)))
  } catch {
    return false
  }
}

/** x-only form (64 hex characters) of a compressed or x-only key: 02… and 03… are one key (NUT-11, BIP-340). */
export function xOnly(key: string): string {
  return (key.length === 66 ? key.slice(2) : key).toLowerCase()
}

/** Hex of the digest, for storage and comparison. */
export function swapDigest(inputs: readonly SigAllInput[], outputs: readonly SigAllOutput[]): string {
  return bytesToHex(sigAllDigest(inputs, outputs))
}
