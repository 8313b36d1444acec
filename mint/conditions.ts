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
import type { Input } from './inputs.ts'
import { refuse } from './refusal.ts'

type Locked = Extract<ParsedSecret, { kind: 'p2pk' }>

/**
 * Check the witnesses of a swap or, with the id of its quote, of a melt.
 * @throws MintRefusal 10001
 */
export function assertUnlocked(inputs: readonly Input[], outputs: readonly SigAllOutput[], quote = ''): void {
  for (const { condition } of inputs) {
    if (condition.kind === 'unsupported') refuse(nutErrors.proofInvalid, `coin cannot be spent: ${condition.reason}`)
  }
  const together = inputs.map(({ condition }) => condition).find(isSigAll)
  if (together) assertSignedTogether(together, inputs, outputs, quote)
  else assertSignedEach(inputs)
}

function isSigAll(condition: ParsedSecret): condition is Locked {
  return condition.kind === 'p2pk' && condition.sigFlag === 'SIG_ALL'
}

/** SIG_ALL: the same key and tags everywhere, one signature in the first witness over all inputs and outputs. */
function assertSignedTogether(
  { data, tags }: Locked,
  inputs: readonly Input[],
  outputs: readonly SigAllOutput[],
  quote: string,
): void {
  for (const { condition } of inputs) {
    // Keys are compared with their parity: 02… and 03… sign alike, but NUT-11 wants the same data.
    if (condition.kind !== 'p2pk' || condition.data !== data || condition.tags !== tags) {
      refuse(nutErrors.proofInvalid, 'with SIG_ALL every input must have the same key and the same tags')
    }
  }
  const digest = sigAllDigest(
    inputs.map(({ coin }) => coin),
    outputs,
    quote,
  )
  assertSigned(inputs[0]?.witness, digest, data)
}

/** SIG_INPUTS: each locked coin carries a signature on its own secret. */
function assertSignedEach(inputs: readonly Input[]): void {
  for (const { coin, condition, witness } of inputs) {
    if (condition.kind !== 'p2pk') continue
    assertSigned(witness, createHash('sha256').update(coin.secret, 'utf8').digest(), condition.data)
  }
}

function assertSigned(witness: string | null | undefined, digest: Uint8Array, key: string): void {
  const signatures = signaturesOf(witness)
  if (signatures.length === 0) refuse(nutErrors.proofInvalid, 'a signature is missing')
  if (!signatures.some((signature) => verifySchnorr(signature, digest, key))) {
    refuse(nutErrors.proofInvalid, 'a signature is not valid')
  }
}
