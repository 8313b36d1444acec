// The coins that a request spends: read, taken once, and proven genuine (NUT-00, NUT-03).

import { inputFee, sumAmounts } from '../shared/amount.ts'
import { hashToCurve, type Point, pointFromHex, pointToHex, verifyUnblinded } from '../shared/cashu/bdhke.ts'
import { type ParsedSecret, parseSecret } from '../shared/cashu/p2pk.ts'
import { maxInputs, nutErrors, type Proof } from '../shared/cashu/wire.ts'
import type { MintKeyset } from './keys.ts'
import { type Keysets, liveKeyset } from './keysets.ts'
import type { MintStore, SpentCoin } from './ports.ts'
import { orRefuse, refuse } from './refusal.ts'

export type Input = {
  readonly coin: SpentCoin
  readonly keyset: MintKeyset
  readonly C: Point
  /** k of the coin's keyset and amount. */
  readonly secretKey: bigint
  readonly condition: ParsedSecret
  readonly witness: string | null
}

/**
 * Everything about the inputs that needs no table and little time. `Y` is computed here, never taken from a wallet.
 * @param now Unix seconds
 * @throws MintRefusal 11014, 12001, 12003, 10001, 11007
 */
export function readInputs(proofs: readonly Proof[], keysets: Keysets, now: number): readonly Input[] {
  if (proofs.length > maxInputs) refuse(nutErrors.maxInputs, `at most ${maxInputs} inputs`)
  const inputs = proofs.map((proof) => readInput(proof, keysets, now))
  if (new Set(inputs.map(({ coin }) => coin.Y)).size !== inputs.length) {
    refuse(nutErrors.duplicateInputs, 'one coin is given twice')
  }
  return inputs
}

function readInput({ amount, id, secret, C: hex, witness = null }: Proof, keysets: Keysets, now: number): Input {
  const keyset = liveKeyset(keysets, id, now)
  const secretKey = keyset.secretKey(amount) ?? refuse(nutErrors.proofInvalid, 'the keyset has no such denomination')
  const C = orRefuse(() => pointFromHex(hex), nutErrors.proofInvalid, 'C is not a point')
  const condition = parseSecret(secret)
  const coin: SpentCoin = {
    Y: pointToHex(hashToCurve(secret)),
    keysetId: id,
    amount,
    secret,
    C: pointToHex(C),
    witness: condition.kind === 'plain' ? null : witness,
  }
  return { coin, keyset, C, secretKey, condition, witness }
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
 * Take every coin, once and for ever, inside the request's transaction.
 * @param take `spend` or `reserve` of the store
 * @throws MintRefusal 11001, 11002 (the transaction is rolled back)
 */
export function takeInputs(
  inputs: readonly Input[],
  store: Pick<MintStore, 'coin'>,
  take: (coin: SpentCoin) => boolean,
): void {
  for (const { coin } of inputs) {
    if (take(coin)) continue
    if (store.coin(coin.Y)?.state === 'PENDING') refuse(nutErrors.proofsPending, 'a coin is part of a pending payment')
    refuse(nutErrors.alreadySpent, 'a coin is already spent')
  }
}

/** Whether the mint itself signed each coin: C = kY. @throws MintRefusal 10001 */
export function assertGenuine(inputs: readonly Input[]): void {
  for (const { coin, C, secretKey } of inputs) {
    if (!verifyUnblinded(coin.secret, C, secretKey)) refuse(nutErrors.proofInvalid, 'a coin is not of this mint')
  }
}
