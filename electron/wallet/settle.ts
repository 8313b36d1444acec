// Settling a signed swap, decided by facts and not by error codes (protocol section 8).
// A mint's refusal is never believed by itself: the states of the inputs (NUT-07) and the signatures on the outputs
// (NUT-09) are. Nothing here stores; callers have stored the bytes before, and apply the outcome after.

import { pointFromHex, pointToHex, unblind } from '../../shared/cashu/bdhke.ts'
import { verifyDleq } from '../../shared/cashu/dleq.ts'
import { type Keyset, keyOf } from '../../shared/cashu/keyset.ts'
import { witnessOf } from '../../shared/cashu/p2pk.ts'
import type { BlindSignature, CoinStateAtMint } from '../../shared/cashu/wire.ts'
import type { SwapRecord } from './operation.ts'
import type { MintAnswer, MintClient } from './ports.ts'

/** A signature of the mint on one output, whose DLEQ proof was verified under a keyset fetched by this wallet. */
export type VerifiedSignature = {
  readonly B_: string
  readonly keysetId: string
  readonly amount: number
  readonly C_: string
  readonly e: string
  readonly s: string
}

export type Outcome =
  /** Every output that concerns the asker is signed as agreed: `signatures` in swap order. */
  | { readonly kind: 'settled'; readonly signatures: readonly VerifiedSignature[] }
  /** An input is spent, and not by this swap as agreed. `signatures`: what is signed nevertheless. */
  | { readonly kind: 'bounced'; readonly signatures: readonly VerifiedSignature[] }
  /** Nothing is spent, but an output was signed elsewhere or with another amount: the swap can never pass. */
  | { readonly kind: 'dead'; readonly signatures: readonly VerifiedSignature[] }
  /** Nothing spent, nothing signed: the mint just does not do it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The keyset of an input, or of what was signed for the asker, has expired: an alarm, never a bounce, and no payment. */
  | { readonly kind: 'expired'; readonly signatures: readonly VerifiedSignature[] }
  | {
      readonly kind: 'unknown'
      readonly reason: string
      readonly reachable: boolean
      readonly pending: boolean
      /** The facts were told: nothing is spent and nothing signed. Only the answer to the swap itself is not clear. */
      readonly isUnspent?: true
      /** The swap was refused, and the mint did not say why it may have been. */
      readonly isRefused?: true
      readonly retryAfterMs?: number
    }

/** The exact body of POST /v1/swap. The outputs' keyset is the one thing a swap record leaves open. */
export function swapBody(swap: SwapRecord, keysetId: string): string {
  const inputs = swap.inputs.map(({ Y: _, ...proof }, index) =>
    index === 0 ? { ...proof, witness: witnessOf(swap.signature) } : proof,
  )
  const outputs = swap.outputs.map(({ amount, B_ }) => ({ amount, id: keysetId, B_ }))
  return JSON.stringify({ inputs, outputs })
}

/** The exact body of POST /v1/mint/bolt11. */
export function issueBody(quote: string, outputs: readonly Output[], keysetId: string): string {
  return JSON.stringify({ quote, outputs: outputs.map(({ amount, B_ }) => ({ amount, id: keysetId, B_ })) })
}

type Output = SwapRecord['outputs'][number]

export type Settle = {
  readonly mint: MintClient
  /** Keysets of this mint, of any unit, by the mint's id. */
  readonly keyset: (id: string) => Keyset | undefined
  readonly swap: SwapRecord
  /** `payee`: its own outputs decide. `owner` (payer, refresh): every input and every output does. */
  readonly role: { readonly kind: 'owner' } | { readonly kind: 'payee'; readonly mine: ReadonlySet<string> }
  readonly unit: string
  /** Unix seconds. */
  readonly now: number
}

/** Send the stored bytes; after anything but a clean 200 ask for the facts. */
export async function settleSwap(settle: Settle, body: string): Promise<Outcome> {
  const answer = await settle.mint.swap(body)
  if (answer.kind === 'ok') {
    const signatures = matchAll(answer.value, settle.swap.outputs, settle)
    if (signatures) return settledBy(settle, signatures)
  }
  // Nobody there, or asked to wait: no question is better than this one.
  if (answer.kind === 'unknown' && (!answer.reachable || answer.retryAfterMs !== undefined)) return unknown(answer)
  const outcome = await readFacts(settle)
  if (answer.kind === 'refused') {
    if (outcome.kind === 'unknown' && !outcome.pending) return { ...outcome, isRefused: true }
    if (outcome.kind === 'refused') return { kind: 'refused', reason: `${answer.code} ${answer.detail}`.slice(0, 200) }
  }
  // A mint that says 200, then that nothing happened, or is not sure of itself: not a refusal.
  return outcome.kind === 'refused' ? unclear : outcome
}

/** Look without touching: what happened to this swap, by NUT-07 for all inputs and NUT-09 for all outputs. */
export async function readFacts(settle: Settle): Promise<Outcome> {
  const states = await settle.mint.checkState(settle.swap.inputs.map(({ Y }) => Y))
  if (states.kind !== 'ok') return unknown(states)
  const found = await findSignatures(settle, settle.swap.outputs)
  if (found.kind !== 'ok') return unknown(found)
  return judge({ ...settle, states: states.value, found: found.value })
}

type Facts = Pick<Settle, 'keyset' | 'swap' | 'role' | 'unit' | 'now'> & {
  readonly states: readonly CoinStateAtMint[]
  /** For each output, in swap order, the signature on it. */
  readonly found: readonly (VerifiedSignature | undefined)[]
}

/**
 * The table of protocol section 8, row by row; the first that matches. (A swap that passed between the two questions looks
 * dead for a moment; the second reading puts that right.) Outputs that are signed while no input is spent were signed for
 * something else, whoever looks: another life of the payee was paid on them.
 */
function judge({ states, found, keyset, swap, role, unit, now }: Facts): Outcome {
  const asAgreed = swap.outputs.map(({ amount }, index) => isAgreed(found[index], amount, unit, keyset))
  const mine = swap.outputs.map(({ B_ }) => role.kind === 'owner' || role.mine.has(B_))
  const signatures = found.filter((signature, index) => signature !== undefined && mine[index] === true)
  const allMineSigned = mine.every((isMine, index) => !isMine || asAgreed[index] === true)
  const isSpent = role.kind === 'payee' ? states.includes('SPENT') : states.every((state) => state === 'SPENT')
  if (allMineSigned && isSpent) return settledBy({ keyset, role, now }, present(signatures)) // 1
  if (swap.inputs.some(({ id }) => hasExpired(keyset(id), now)))
    return { kind: 'expired', signatures: present(signatures) } // 2
  if (states.includes('PENDING'))
    return { kind: 'unknown', reason: 'an input is pending', reachable: true, pending: true } // 3
  if (states.includes('SPENT')) return { kind: 'bounced', signatures: present(signatures) } // 4
  if (found.some((signature) => signature !== undefined)) return { kind: 'dead', signatures: present(signatures) } // 5
  return { kind: 'refused', reason: 'nothing is spent and nothing signed' } // 6
}

/** Settled, unless a payee has coins of it that the mint takes no more: whoever was away too long has no money from it. */
function settledBy(
  { keyset, role, now }: Pick<Settle, 'keyset' | 'role' | 'now'>,
  signatures: readonly VerifiedSignature[],
): Outcome {
  const isOver = ({ B_, keysetId }: VerifiedSignature) =>
    role.kind === 'payee' && role.mine.has(B_) && hasExpired(keyset(keysetId), now)
  return { kind: signatures.some(isOver) ? 'expired' : 'settled', signatures }
}

/** A smaller amount, or the right one in another unit, must never look like payment: a B_ carries neither. */
function isAgreed(
  signature: VerifiedSignature | undefined,
  amount: number,
  unit: string,
  keyset: Settle['keyset'],
): boolean {
  return signature?.amount === amount && keyset(signature.keysetId)?.unit === unit
}

const present = <T>(items: readonly (T | undefined)[]): readonly T[] => items.flatMap((item) => item ?? [])

/** Whether the mint takes coins of it no more. `now`: Unix seconds. */
export function hasExpired(keyset: Keyset | undefined, now: number): boolean {
  return keyset !== undefined && keyset.finalExpiry !== null && keyset.finalExpiry <= now
}

const unclear: Outcome = { ...contradiction('an answer that is neither yes nor no'), isUnspent: true }

function contradiction(reason: string): Extract<Outcome, { kind: 'unknown' }> {
  return { kind: 'unknown', reason, reachable: true, pending: false }
}

function unknown(answer: Exclude<MintAnswer<unknown>, { kind: 'ok' }>): Outcome {
  if (answer.kind === 'refused') return contradiction(`the mint refuses to tell: ${answer.code}`)
  const { reason, reachable, retryAfterMs } = answer
  return { kind: 'unknown', reason, reachable, pending: false, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/**
 * NUT-09 for all of these outputs, in their order. The answer's echo of outputs is ignored: which signature belongs to
 * which output is shown by its DLEQ proof. Signatures come in the order asked, so one pass finds them.
 */
export async function findSignatures(
  { mint, keyset }: Pick<Settle, 'mint' | 'keyset'>,
  outputs: readonly Output[],
): Promise<MintAnswer<readonly (VerifiedSignature | undefined)[]>> {
  const anyKeyset = '0'.repeat(16)
  const answer = await mint.restore(outputs.map(({ amount, B_ }) => ({ amount, id: anyKeyset, B_ })))
  if (answer.kind !== 'ok') return answer
  const found = matchInOrder(answer.value, outputs, keyset)
  // A signature on none of our outputs is not evidence of anything: a bad answer, not a fact.
  if (!found) return { kind: 'unknown', reason: 'a signature that verifies on no output', reachable: true }
  return { kind: 'ok', value: found }
}

/** For each output the signature on it, if any, of signatures in the same order; undefined when one is on none of them. */
export function matchInOrder(
  signatures: readonly BlindSignature[],
  outputs: readonly Output[],
  keyset: Settle['keyset'],
): readonly (VerifiedSignature | undefined)[] | undefined {
  const found: (VerifiedSignature | undefined)[] = outputs.map(() => undefined)
  let next = 0
  for (const signature of signatures) {
    let verified: VerifiedSignature | undefined
    while (verified === undefined && next < outputs.length) {
      const output = outputs[next]
      verified = output && verifySignature(signature, output.B_, keyset)
      if (verified) found[next] = verified
      next++
    }
    if (!verified) return undefined
  }
  return found
}

/** Signatures for exactly these outputs with their amounts, or undefined when any is missing or wrong. */
export function matchAll(
  signatures: readonly BlindSignature[],
  outputs: readonly Output[],
  { keyset, unit }: Pick<Settle, 'keyset' | 'unit'>,
): readonly VerifiedSignature[] | undefined {
  if (signatures.length !== outputs.length) return undefined
  const verified = outputs.map(({ amount, B_ }, index) => {
    const signature = signatures[index]
    const verified = signature && verifySignature(signature, B_, keyset)
    return isAgreed(verified, amount, unit, keyset) ? verified : undefined
  })
  return verified.every((signature) => signature !== undefined) ? verified : undefined
}

/** Alice's check of NUT-12 under a known keyset; a signature without a valid DLEQ proof is none. */
export function verifySignature(
  { id, amount, C_, dleq }: BlindSignature,
  B_: string,
  keyset: Settle['keyset'],
): VerifiedSignature | undefined {
  const known = keyset(id)
  const K = known && keyOf(known, amount)
  if (!K || !dleq) return undefined
  const e = dleq.e.toLowerCase()
  const s = dleq.s.toLowerCase()
  try {
    const signed = pointFromHex(C_)
    if (!verifyDleq({ e, s }, pointFromHex(B_), signed, K)) return undefined
    return { B_, keysetId: id, amount, C_: pointToHex(signed), e, s }
  } catch {
    return undefined
  }
}

/** C = C_ − rK of a verified signature: compressed hex. */
export function unblindSignature({ C_, amount }: VerifiedSignature, r: bigint, keyset: Keyset): string {
  const K = keyOf(keyset, amount)
  if (!K) throw new Error('verified under a key that is gone')
  return pointToHex(unblind(pointFromHex(C_), r, K))
}

/** Coins of a keyset that ends this soon are not offered, nor asked for where others are: no payee takes them. Seconds. */
export const expiresSoonSeconds = 31 * 24 * 3600

/**
 * The keyset that outputs of these amounts are asked from: active, of the unit, with every denomination, not expired,
 * and among `allowed` (V2 ids) when given. One that lasts goes before one that ends soon, whatever it costs; then lowest
 * fee, then latest expiry, then smallest id (protocol section 3).
 */
export function outputKeyset(
  keysets: readonly Keyset[],
  unit: string,
  amounts: readonly number[],
  now: number,
  allowed?: ReadonlySet<string>,
): Keyset | undefined {
  const lasts = ({ finalExpiry }: Keyset) => finalExpiry ?? Number.POSITIVE_INFINITY
  const endsSoon = (keyset: Keyset) => lasts(keyset) <= now + expiresSoonSeconds
  return keysets
    .filter(
      (keyset) =>
        keyset.active &&
        keyset.unit === unit &&
        lasts(keyset) > now &&
        (allowed === undefined || allowed.has(keyset.idV2)) &&
        amounts.every((amount) => Object.hasOwn(keyset.keys, String(amount))),
    )
    .sort(
      (a, b) =>
        Number(endsSoon(a)) - Number(endsSoon(b)) ||
        a.feePpk - b.feePpk ||
        compareExpiry(lasts(b), lasts(a)) ||
        (a.id < b.id ? -1 : 1),
    )[0]
}

/** The largest denomination up to 2^53−1 that an active keyset of the unit has; undefined when there is no such keyset. */
export function largestDenomination(keysets: readonly Keyset[], unit: string, now: number): number | undefined {
  const keyset = outputKeyset(keysets, unit, [], now)
  const amounts = keyset ? Object.keys(keyset.keys).map(Number).filter(Number.isSafeInteger) : []
  return amounts.length > 0 ? Math.max(...amounts) : undefined
}

const compareExpiry = (a: number, b: number) => (a === b ? 0 : a - b)
