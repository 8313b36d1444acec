// What "the same request" means (NUT-19): a hash of method, path and the content the mint acts on, in canonical form.
// Case of hex, order of JSON members, and fields the mint does not read (such as a proof's DLEQ) do not matter.

import { createHash } from 'node:crypto'
import type { BlindedMessage, Proof } from '../shared/cashu/wire.ts'

/** 64 hex characters. */
export type RequestHash = string

export function swapHash(inputs: readonly Proof[], outputs: readonly BlindedMessage[]): RequestHash {
  return hash('POST /v1/swap', [inputs.map(canonicalInput), outputs.map(canonicalOutput)])
}

export function issueHash(quote: string, outputs: readonly BlindedMessage[]): RequestHash {
  return hash('POST /v1/mint/bolt11', [quote, outputs.map(canonicalOutput)])
}

/** Without blank outputs it is what it was before there were any: a melt is the same for ever. */
export function meltHash(quote: string, inputs: readonly Proof[], blanks: readonly BlindedMessage[]): RequestHash {
  const outputs = blanks.length > 0 ? [blanks.map(canonicalOutput)] : []
  return hash('POST /v1/melt/bolt11', [quote, inputs.map(canonicalInput), ...outputs])
}

function hash(route: string, content: readonly unknown[]): RequestHash {
  return createHash('sha256')
    .update(`${route}\n${JSON.stringify(content)}`)
    .digest('hex')
}

function canonicalInput({ amount, id, secret, C, witness }: Proof): readonly unknown[] {
  return [amount, id, secret, C.toLowerCase(), witness ?? null]
}

function canonicalOutput({ amount, id, B_ }: BlindedMessage): readonly unknown[] {
  return [amount, id, B_.toLowerCase()]
}
