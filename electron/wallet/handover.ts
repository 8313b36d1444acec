// A handover, built by the payer and verified by the payee. Pure but for the coin verifier; no store, no network.

import { inputFee, splitAmount, sumAmounts } from '../../shared/amount.ts'
import { hashToCurve, type Point, pointFromBytes, pointToHex } from '../../shared/cashu/bdhke.ts'
import type { CoinToVerify } from '../../shared/cashu/dleq.ts'
import { type Keyset, keyOf } from '../../shared/cashu/keyset.ts'
import { bytesToHex, bytesToNumberBE, compareBytes, hexToBytes, numberToBytesBE } from '../../shared/cashu/numbers.ts'
import { purseSecret, sigAllDigest, verifySchnorr, xOnly } from '../../shared/cashu/p2pk.ts'
import { maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import {
  bodyHash,
  type Claim,
  claimSchema,
  compareOutputs,
  encodeBody,
  encodeFrame,
  type Handover,
  handoverSchema,
  type Input,
  isStrictlySorted,
  type Output,
  type SettledHandover,
  type SignedHandover,
  type SignedMessage,
  type Terms,
  verifySigned,
} from '../../shared/messages.ts'
import type { SwapRecord } from './operation.ts'
import type { CoinVerifier } from './ports.ts'

/** A coin about to be handed over, with everything the payee needs to check it. */
export type CoinToHandOver = {
  readonly Y: string
  readonly keyset: Keyset
  readonly amount: number
  /** 64 hex characters each. */
  readonly nonce: string
  readonly e: string
  readonly s: string
  /** Compressed, 66 hex characters. */
  readonly C: string
  readonly r: bigint
}

export type BuildHandover = {
  readonly terms: Terms
  readonly termsHash: Uint8Array
  /** All of one purse. */
  readonly coins: readonly CoinToHandOver[]
  /** Compressed, 66 hex characters. */
  readonly purseKey: string
  readonly change: readonly Output[]
  /** BIP-340 over the swap digest with the purse key: 64 bytes. */
  readonly signSwap: (digest: Uint8Array) => Uint8Array
  readonly signClaim: (body: Uint8Array) => SignedMessage
}

export type BuiltHandover = {
  readonly frame: Uint8Array
  readonly swap: SwapRecord
  readonly claim: SignedMessage
}

/** The signed swap that is a payment (protocol section 1), with its claim, as the frame that goes out. */
export function buildHandover(plan: BuildHandover): BuiltHandover {
  const { terms, termsHash, purseKey } = plan
  const coins = [...plan.coins].sort((a, b) => compareBytes(hexToBytes(a.Y), hexToBytes(b.Y)))
  const change = [...plan.change].sort(compareOutputs)
  const unsigned = swapOf(
    coins.map((coin) => ({ coin, nonce: coin.nonce })),
    purseKey,
    [...terms.outputs, ...change],
  )
  const digest = sigAllDigest(unsigned.inputs, unsigned.outputs)
  const swapSig = plan.signSwap(digest)
  const claim = plan.signClaim(
    encodeBody(
      claimSchema,
      claimOf(
        terms,
        termsHash,
        hexToBytes(purseKey),
        coins.map(({ keyset }) => hexToBytes(keyset.idV2)),
        coins.map(({ Y }) => hexToBytes(Y)),
        digest,
      ),
    ),
  )
  const inputs = coins.map(
    ({ keyset, amount, nonce, C, e, s, r }): Input => [
      hexToBytes(keyset.idV2),
      amount,
      hexToBytes(nonce),
      hexToBytes(C),
      hexToBytes(e),
      hexToBytes(s),
      numberToBytesBE(r, 32),
    ],
  )
  const handover: SignedHandover = {
    kind: 'signed',
    termsHash,
    purseKey: hexToBytes(purseKey),
    inputs,
    change,
    swapSig,
    claimSig: claim.sig,
  }
  return {
    frame: encodeFrame({ handover: encodeBody(handoverSchema, handover) }),
    swap: { ...unsigned, signature: bytesToHex(swapSig), digest: bytesToHex(digest) },
    claim,
  }
}

/** The claim a handover makes to the world: no secret, no C, no r in it (protocol section 7). */
function claimOf(
  terms: Terms,
  termsHash: Uint8Array,
  purseKey: Uint8Array,
  keysetIds: readonly Uint8Array[],
  Ys: readonly Uint8Array[],
  swapDigest: Uint8Array,
): Claim {
  const distinct = new Map(keysetIds.map((id) => [bytesToHex(id), id]))
  return {
    purseKey,
    keysetIds: [...distinct.values()].sort(compareBytes),
    Ys: [...Ys],
    swapDigest,
    termsHash,
    payeeKey: terms.payeeKey,
    deadline: terms.deadline,
  }
}

/** The swap as the mint gets it: inputs in the order given, all outputs by amount, then B_. */
function swapOf(
  inputs: readonly {
    readonly coin: { keyset: Keyset; amount: number; C: string; Y: string }
    readonly nonce: string
  }[],
  purseKey: string,
  outputs: readonly Output[],
): Pick<SwapRecord, 'inputs' | 'outputs'> {
  return {
    inputs: inputs.map(({ coin, nonce }) => ({
      id: coin.keyset.id,
      amount: coin.amount,
      secret: purseSecret(nonce, purseKey),
      C: coin.C,
      Y: coin.Y,
    })),
    outputs: [...outputs].sort(compareOutputs).map(([amount, B_]) => ({ amount, B_: bytesToHex(B_) })),
  }
}

/** The swap digest of a handover, valid or not: what a void names. Bytes only, no point is checked. */
export function handoverDigest(terms: Terms, handover: SignedHandover): Uint8Array {
  const purseKey = bytesToHex(handover.purseKey)
  const inputs = handover.inputs.map(([, , nonce, C]) => ({
    secret: purseSecret(bytesToHex(nonce), purseKey),
    C: bytesToHex(C),
  }))
  const outputs = [...terms.outputs, ...handover.change].sort(compareOutputs)
  return sigAllDigest(
    inputs,
    outputs.map(([amount, B_]) => ({ amount, B_: bytesToHex(B_) })),
  )
}

/** What the payee knows when a signed handover arrives. */
export type VerifyHandover = {
  readonly terms: Terms
  readonly termsHash: Uint8Array
  readonly handover: SignedHandover
  /** A keyset of the Terms' mint that this payee fetched itself, by V2 id in hex. */
  readonly keyset: (idV2: string) => Keyset | undefined
  /** Whether a coin with this Y (hex) was accepted before. */
  readonly wasSeen: (Y: string) => boolean
  /** Whether some active keyset of this mint and unit can sign coins of these amounts. */
  readonly canBeSigned: (amounts: readonly number[]) => boolean
  /** Unix seconds; a keyset that expires before it is refused. */
  readonly expiresAfter: number
  readonly verifyCoins: CoinVerifier
}

export type VerifiedHandover =
  | { readonly kind: 'valid'; readonly swap: SwapRecord; readonly claim: SignedMessage; readonly purseKey: string }
  | { readonly kind: 'invalid'; readonly code: ErrorCode; readonly reason: string }

/**
 * Checks 3 to 8 of protocol section 4, in its order, cheap first. (1 is the frame's schema, 2 the seller's limits.)
 * Nothing in `handover` is trusted but its shape.
 */
export async function verifyHandover(check: VerifyHandover): Promise<VerifiedHandover> {
  try {
    return await runChecks(check)
  } catch (error) {
    if (error instanceof AppError) return { kind: 'invalid', code: error.code, reason: error.message }
    throw error
  }
}

async function runChecks(check: VerifyHandover): Promise<VerifiedHandover> {
  const { terms, termsHash, handover } = check
  refuseUnless(sameHash(handover.termsHash, termsHash), 'bad_handover', 'made for other Terms')
  const keysets = handover.inputs.map((input) => knownKeyset(check, input)) // 3
  const parts = pointsOf(handover, keysets) // 4
  for (const { Y } of parts.coins) refuseUnless(!check.wasSeen(Y), 'coin_seen', 'a coin that was seen before') // 5
  assertBalance(terms, handover, keysets) // 6
  const amounts = [...terms.outputs, ...handover.change].map(([amount]) => amount)
  refuseUnless(check.canBeSigned(amounts), 'bad_handover', 'change that the mint has no keys for')
  const swapped = swapOf(
    parts.coins.map((coin) => ({ coin, nonce: coin.nonce })),
    parts.purseKey,
    [...terms.outputs, ...handover.change],
  )
  const digest = sigAllDigest(swapped.inputs, swapped.outputs)
  const signature = bytesToHex(handover.swapSig)
  refuseUnless(verifySchnorr(signature, digest, parts.purseKey), 'bad_signature', 'the swap is not signed') // 7
  const claimBody = encodeBody(
    claimSchema,
    claimOf(
      terms,
      termsHash,
      handover.purseKey,
      handover.inputs.map(([id]) => id),
      parts.coins.map(({ Y }) => hexToBytes(Y)),
      digest,
    ),
  )
  const claim = { body: claimBody, sig: handover.claimSig }
  refuseUnless(
    verifySigned('claim', claimBody, claim.sig, handover.purseKey),
    'bad_signature',
    'the claim is not signed',
  )
  const valid = await check.verifyCoins(parts.coins.map(({ verify }) => verify)) // 8
  refuseUnless(
    valid.length === parts.coins.length && valid.every((isValid) => isValid),
    'bad_dleq',
    'a coin the mint did not sign',
  )
  return {
    kind: 'valid',
    swap: { ...swapped, signature, digest: bytesToHex(digest) },
    claim,
    purseKey: parts.purseKey,
  }
}

function refuseUnless(condition: boolean, code: ErrorCode, reason: string): void {
  if (!condition) throw new AppError(code, reason)
}

const sameHash = (a: Uint8Array, b: Uint8Array) => compareBytes(a, b) === 0

/** Check 3: keysets this payee fetched itself, of this unit, not about to expire. */
function knownKeyset({ terms, keyset, expiresAfter }: VerifyHandover, [id]: Input): Keyset {
  const known = keyset(bytesToHex(id))
  if (!known || known.unit !== terms.unit) throw new AppError('keyset_unknown', 'a keyset this payee never fetched')
  if (known.finalExpiry !== null && known.finalExpiry <= expiresAfter) {
    throw new AppError('keyset_expired', 'a keyset that expires too soon')
  }
  return known
}

type CheckedCoin = {
  readonly keyset: Keyset
  readonly amount: number
  readonly nonce: string
  readonly C: string
  readonly Y: string
  readonly verify: CoinToVerify
}

/** Check 4: one purse key, all Y and all B_ different, in their one order, every point on the curve. */
function pointsOf(
  handover: SignedHandover,
  keysets: readonly Keyset[],
): { purseKey: string; coins: readonly CheckedCoin[] } {
  const purseKey = pointToHex(point(handover.purseKey))
  const coins = handover.inputs.map((input, index): CheckedCoin => {
    const [, amount, nonceBytes, C, e, s, r] = input
    if (!e || !s || !r) throw new AppError('missing_dleq', 'a coin without DLEQ proof')
    const keyset = keysets[index]
    const K = keyset && keyOf(keyset, amount)
    if (!keyset || !K) throw new AppError('keyset_unknown', 'the keyset has no such denomination')
    const nonce = bytesToHex(nonceBytes)
    const secret = purseSecret(nonce, purseKey)
    const CPoint = point(C)
    const Y = hashToCurve(secret)
    const dleq = { e: bytesToHex(e), s: bytesToHex(s) }
    return {
      keyset,
      amount,
      nonce,
      C: pointToHex(CPoint),
      Y: pointToHex(Y),
      verify: { secret, Y, C: CPoint, dleq, r: bytesToNumberBE(r), K },
    }
  })
  refuseUnless(
    isStrictlySorted(coins, (a, b) => compareBytes(hexToBytes(a.Y), hexToBytes(b.Y))),
    'bad_handover',
    'coins are not in their order, or one stands twice',
  )
  for (const [, B_] of handover.change) point(B_)
  return { purseKey, coins }
}

function point(bytes: Uint8Array): Point {
  try {
    return pointFromBytes(bytes)
  } catch (cause) {
    throw new AppError('bad_handover', 'not a point of the curve', { cause })
  }
}

/** Checks 4 (outputs) and 6: no output twice, change in its one form, Σ inputs − fee = Σ outputs. */
function assertBalance(terms: Terms, { inputs, change }: SignedHandover, keysets: readonly Keyset[]): void {
  refuseUnless(terms.outputs.length + change.length <= maxOutputs, 'bad_handover', 'too many outputs')
  refuseUnless(isStrictlySorted(change, compareOutputs), 'bad_handover', 'change is not in its order')
  const B_s = [...terms.outputs, ...change].map(([, B_]) => bytesToHex(B_))
  refuseUnless(new Set(B_s.map(xOnly)).size === B_s.length, 'bad_handover', 'an output stands twice')
  const total = sumAmounts(inputs.map(([, amount]) => amount))
  const fee = inputFee(keysets.map(({ feePpk }) => feePpk))
  const out = sumAmounts([...terms.outputs, ...change].map(([amount]) => amount))
  refuseUnless(total - fee === out, 'wrong_fee', 'inputs less fee are not the outputs')
  refuseUnless(
    change.every(([amount]) => splitAmount(amount).length === 1),
    'bad_handover',
    'change is not in powers of two',
  )
}

/** One of the mint's signatures on an output of ours, ready to be checked and unblinded. */
export type SignatureForOutput = {
  readonly keysetId: string
  readonly amount: number
  readonly C_: string
  readonly e: string
  readonly s: string
}

/** The frame by which a payer who settled first hands over the mint's signatures on the payee's outputs. */
export function buildSettledHandover(
  termsHash: Uint8Array,
  signatures: readonly (SignatureForOutput & { readonly idV2: string })[],
): Uint8Array {
  const handover: SettledHandover = {
    kind: 'settled',
    termsHash,
    signatures: signatures.map(({ idV2, amount, C_, e, s }) => [
      hexToBytes(idV2),
      amount,
      hexToBytes(C_),
      hexToBytes(e),
      hexToBytes(s),
    ]),
  }
  const body: Handover = handover
  return encodeFrame({ handover: encodeBody(handoverSchema, body) })
}

/** What a payer asks of Terms before it pays (protocol section 3). */
export type VerifyTerms = {
  readonly signed: SignedMessage
  readonly terms: Terms
  readonly hello: Uint8Array
  readonly unit: string
  readonly amount: number
  /** Raw peer ids as this side's stream shows them. */
  readonly payerPeer: Uint8Array
  readonly payeePeer: Uint8Array
  /** The key a request named (hex), or null when there was no request. */
  readonly expectedKey: string | null
  /** Unix seconds; null for Terms that were accepted before: their deadline was judged then. */
  readonly now: number | null
}

/** Deadlines a payer accepts, in seconds (protocol section 8). */
export const shortestDeadline = 60 * 60
export const longestDeadline = 30 * 24 * 60 * 60

/** @throws AppError `wrong_payee`, `bad_terms`, `relayed_terms` */
export function assertTerms(check: VerifyTerms): void {
  const { signed, terms, now } = check
  const refuse = (code: ErrorCode, reason: string) => {
    throw new AppError(code, reason)
  }
  const payeeKey = bytesToHex(terms.payeeKey)
  if (check.expectedKey !== null && xOnly(check.expectedKey) !== xOnly(payeeKey))
    refuse('wrong_payee', 'Terms of another key')
  if (!verifySigned('terms', signed.body, signed.sig, terms.payeeKey)) refuse('bad_terms', 'the Terms are not signed')
  if (!sameHash(terms.helloHash, bodyHash(check.hello))) refuse('bad_terms', 'Terms for another Hello')
  const [payer, payee] = terms.peers
  if (!sameHash(payer, check.payerPeer) || !sameHash(payee, check.payeePeer)) {
    refuse('relayed_terms', 'somebody stands between payer and payee')
  }
  if (terms.unit !== check.unit || terms.amount !== check.amount) refuse('bad_terms', 'another amount or unit')
  const amounts = terms.outputs.map(([amount]) => amount)
  const canonical = splitAmount(check.amount)
  if (amounts.length !== canonical.length || amounts.some((amount, index) => amount !== canonical[index])) {
    refuse('bad_terms', 'outputs are not the canonical split')
  }
  if (!isStrictlySorted(terms.outputs, compareOutputs)) refuse('bad_terms', 'outputs are not in their order')
  if (new Set(terms.outputs.map(([, B_]) => xOnly(bytesToHex(B_)))).size !== terms.outputs.length) {
    refuse('bad_terms', 'an output stands twice')
  }
  for (const [, B_] of terms.outputs) {
    try {
      pointFromBytes(B_)
    } catch {
      refuse('bad_terms', 'an output is not a point')
    }
  }
  if (now !== null && (terms.deadline < now + shortestDeadline || terms.deadline > now + longestDeadline)) {
    refuse('bad_terms', 'a deadline no payer accepts')
  }
}
