// Who may spend a coin: NUT-10 secrets of kind P2PK with a single key, SIG_INPUTS and SIG_ALL (NUT-11).
// Other kinds and other tags are refused, never treated as "anyone can spend".

import { createHash } from 'node:crypto'
import {
  type ParsedSecret,
  type SigAllOutput,
  sigAllDigest,
  signaturesOf,
  verifySchnorr,
} from '../shared/cashu/p2pk.ts'
import { nutErrors } from '../shared/cashu/wire.ts'
import { assertGenuine, type Input, type TakenInput } from './inputs.ts'
import { refuse } from './refusal.ts'

type Locked = Extract<ParsedSecret, { kind: 'p2pk' }>

/** How the inputs of a request are locked: one key and one signature for all of them, or each for itself. */
export type Lock = { readonly kind: 'together'; readonly key: string } | { readonly kind: 'each' }

/**
 * What can be said of the witnesses without verifying one.
 * @throws MintRefusal 10001
 */
export function readLock(inputs: readonly Input[]): Lock {
  for (const { condition } of inputs) {
    if (condition.kind === 'unsupported') refuse(nutErrors.proofInvalid, `coin cannot be spent: ${condition.reason}`)
  }
  const together = inputs.map(({ condition }) => condition).find(isSigAll)
  if (!together) {
    for (const { condition, witness } of inputs) if (condition.kind === 'p2pk') requireSignatures(witness)
    return { kind: 'each' }
  }
  for (const { condition } of inputs) {
    // Keys are compared with their parity: 02… and 03… sign alike, but NUT-11 wants the same data.
    if (condition.kind !== 'p2pk' || condition.data !== together.data || condition.tags !== together.tags) {
      refuse(nutErrors.proofInvalid, 'with SIG_ALL every input must have the same key and the same tags')
    }
  }
  requireSignatures(inputs[0]?.witness)
  return { kind: 'together', key: together.data }
}

function isSigAll(condition: ParsedSecret): condition is Locked {
  return condition.kind === 'p2pk' && condition.sigFlag === 'SIG_ALL'
}

/**
 * Prove that the inputs of a swap or, with the id of its quote, of a melt are coins of this mint, spent by who may: the cheapest
 * first, which with SIG_ALL is the one signature over all inputs and outputs.
 * @throws MintRefusal 10001
 */
export function proveInputs(
  inputs: readonly TakenInput[],
  lock: Lock,
  outputs: readonly SigAllOutput[],
  quote = '',
): void {
  if (lock.kind === 'together') {
    const coins = inputs.map(({ coin }) => coin)
    assertSigned(inputs[0]?.witness, sigAllDigest(coins, outputs, quote), lock.key)
  }
  assertGenuine(inputs)
  if (lock.kind === 'each') assertSignedEach(inputs)
}

/** SIG_INPUTS: each locked coin carries a signature on its own secret. */
function assertSignedEach(inputs: readonly Input[]): void {
  for (const { coin, condition, witness } of inputs) {
    if (condition.kind !== 'p2pk') continue
    assertSigned(witness, createHash('sha256').update(coin.secret, 'utf8').digest(), condition.data)
  }
}

function assertSigned(witness: string | null | undefined, digest: Uint8Array, key: string): void {
  if (!requireSignatures(witness).some((signature) => verifySchnorr(signature, digest, key))) {
    refuse(nutErrors.proofInvalid, 'a signature is not valid')
  }
}

function requireSignatures(witness: string | null | undefined): readonly string[] {
  const signatures = signaturesOf(witness)
  return signatures.length > 0 ? signatures : refuse(nutErrors.proofInvalid, 'a signature is missing')
}
