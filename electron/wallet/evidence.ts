// Proof of a double spend: two claims by one purse key, with a common Y, to different payees (protocol section 7).
// It verifies with nothing but itself. It shows that one key signed twice, not that the coins were real.

import { bytesToHex } from '../../shared/cashu/numbers.ts'
import { xOnly } from '../../shared/cashu/p2pk.ts'
import { AppError } from '../../shared/errors.ts'
import { type Claim, claimSchema, decodeBody, type SignedMessage, verifySigned } from '../../shared/messages.ts'

export type DoubleSpendProof = { readonly claims: readonly [SignedMessage, SignedMessage] }

export type ProofReading =
  /** `purseKey` (x-only hex) signed both; `Ys` (hex) were promised to both payees. */
  | { readonly kind: 'double_spend'; readonly purseKey: string; readonly Ys: readonly string[] }
  | { readonly kind: 'no_proof'; readonly reason: string }

/** Read and check two claims. Never throws for what the claims are. */
export function readDoubleSpendProof({ claims: [first, second] }: DoubleSpendProof): ProofReading {
  const no = (reason: string): ProofReading => ({ kind: 'no_proof', reason })
  const a = readClaim(first)
  const b = readClaim(second)
  if (!a || !b) return no('a claim is not signed by its purse key')
  const purseKey = keyOf(a.purseKey)
  if (purseKey !== keyOf(b.purseKey)) return no('two purse keys')
  // 02 and 03 of one x are one payee: two honest claims to it differ in nothing that matters.
  if (keyOf(a.payeeKey) === keyOf(b.payeeKey)) return no('one payee')
  const promised = new Set(b.Ys.map(bytesToHex))
  const Ys = a.Ys.map(bytesToHex).filter((Y) => promised.has(Y))
  return Ys.length === 0 ? no('no coin in common') : { kind: 'double_spend', purseKey, Ys }
}

const keyOf = (key: Uint8Array) => xOnly(bytesToHex(key))

function readClaim({ body, sig }: SignedMessage): Claim | undefined {
  try {
    const claim = decodeBody(claimSchema, body)
    return verifySigned('claim', body, sig, claim.purseKey) ? claim : undefined
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

/** The first double spend among these claims, if any pair of them is one. */
export function findDoubleSpend(claims: readonly SignedMessage[]): DoubleSpendProof | undefined {
  for (const [index, first] of claims.entries()) {
    for (const second of claims.slice(index + 1)) {
      const proof: DoubleSpendProof = { claims: [first, second] }
      if (readDoubleSpendProof(proof).kind === 'double_spend') return proof
    }
  }
  return undefined
}
