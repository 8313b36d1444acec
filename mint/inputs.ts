// The coins that a request spends: read, taken once, and proven genuine (NUT-00, NUT-03).

import { inputFee, sumAmounts } from '../shared/amount.ts'
import { hashToCurve, type Point, pointFromHex, pointToHex, verifyUnblinded } from '../shared/cashu/bdhke.ts'
import { type ParsedSecret, parseSecret } from '../shared/cashu/p2pk.ts'
import { maxInputs, nutErrors, type Proof } from '../shared/cashu/wire.ts'
import type { MintKeyset } from './keys.ts'
import { type Keysets, liveKeyset } from './keysets.ts'
import type { MintStore, SpentCoin } from './ports.ts'
import { orRefuse, refuse } from './refusal.ts'

/** A coin as it was sent, with what is known of it without any arithmetic on points. */
export type Input = {
  readonly coin: Omit<SpentCoin, 'Y'>
  readonly keyset: MintKeyset
  /** k of the coin's keyset and amount. */
  readonly secretKey: bigint
  readonly condition: ParsedSecret
  readonly witness: string | null
}

/** Taken: its Y is known, and was computed here. */
export type TakenInput = Input & { readonly Y: Point }

/**
 * Everything about the inputs that needs no table and no arithmetic on points: what is refused here costs the mint nothing.
 * @param now Unix seconds
 * @throws MintRefusal 11014, 12001, 12003, 10001, 11007
 */
export function readInputs(proofs: readonly Proof[], keysets: Keysets, now: number): readonly Input[] {
  if (proofs.length > maxInputs) refuse(nutErrors.maxInputs, `at most ${maxInputs} inputs`)
  const inputs = proofs.map((proof) => readInput(proof, keysets, now))
  // One secret, one Y.
  if (new Set(inputs.map(({ coin }) => coin.secret)).size !== inputs.length) {
    refuse(nutErrors.duplicateInputs, 'one coin is given twice')
  }
  return inputs
}

function readInput({ amount, id, secret, C, witness = null }: Proof, keysets: Keysets, now: number): Input {
  const keyset = liveKeyset(keysets, id, now)
  const secretKey = keyset.secretKey(amount) ?? refuse(nutErrors.proofInvalid, 'the keyset has no such denomination')
  const condition = parseSecret(secret)
  const coin = {
    keysetId: id,
    amount,
    secret,
    C: C.toLowerCase(),
    witness: condition.kind === 'plain' ? null : witness,
  }
  return { coin, keyset, secretKey, condition, witness }
}

/** Σ of the inputs' amounts less the input fee (NUT-02): what the request may hand out. May be negative. */
export function worthOf(inputs: readonly Input[]): number {
  const fee = inputFee(inputs.map(({ keyset }) => keyset.feePpk))
  return orRefuse(
    () => sumAmounts(inputs.map(({ coin }) => coin.amount)) - fee,
    nutErrors.amountOutsideLimit,
    'the inputs add up to too much',
  )
}

/**
 * Take every coin, once and for ever, inside the request's transaction: one after the other, so that a coin that is spent
 * costs no more than those before it. `Y` is computed here, never taken from a wallet.
 * @param take `spend` or `reserve` of the store
 * @throws MintRefusal 11001, 11002 (the transaction is rolled back)
 */
export function takeInputs(
  inputs: readonly Input[],
  store: Pick<MintStore, 'coin'>,
  take: (coin: SpentCoin) => boolean,
): readonly TakenInput[] {
  return inputs.map((input) => {
    const point = hashToCurve(input.coin.secret)
    const Y = pointToHex(point)
    if (take({ ...input.coin, Y })) return { ...input, Y: point }
    if (store.coin(Y)?.state === 'PENDING') refuse(nutErrors.proofsPending, 'a coin is part of a pending payment')
    return refuse(nutErrors.alreadySpent, 'a coin is already spent')
  })
}

/**
 * Whether the mint itself signed each coin: C = kY. One multiplication a coin, the dearest that can be refused.
 * @throws MintRefusal 10001
 */
export function assertGenuine(inputs: readonly TakenInput[]): void {
  const points = inputs.map(({ coin }) =>
    orRefuse(() => pointFromHex(coin.C), nutErrors.proofInvalid, 'C is not a point'),
  )
  for (const [index, { Y, secretKey }] of inputs.entries()) {
    const C = points[index]
    if (!C || !verifyUnblinded(Y, C, secretKey)) refuse(nutErrors.proofInvalid, 'a coin is not of this mint')
  }
}
