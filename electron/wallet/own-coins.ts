// From an index to a blinded message, and from the mint's signature to a coin: the two places where derivation meets the store.

import { hashToCurve, pointToHex } from '../../shared/cashu/bdhke.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import type { Context } from './context.ts'
import type { SwapRecord } from './operation.ts'
import { unblindSignature, type VerifiedSignature } from './settle.ts'
import type { Coin, OwnOutput, PurseRow, WalletWrites } from './store-port.ts'

export type PlannedOutputs = {
  readonly outputs: SwapRecord['outputs']
  /** To be inserted after the operation they belong to. */
  readonly own: readonly OwnOutput[]
}

/** Take the next coin indices of a purse and derive what the mint is asked to sign. Inside the planning transaction. */
export function planOutputs(
  { secrets }: Pick<Context, 'secrets'>,
  write: WalletWrites,
  purse: PurseRow,
  amounts: readonly number[],
  operationId: string,
): PlannedOutputs {
  const first = write.takeCoinIndices(purse.id, amounts.length)
  const { generation, account } = purse
  const own = amounts.map((_, index): OwnOutput => {
    const path = { generation, account, purse: purse.purse, coin: first + index }
    return { B_: pointToHex(secrets.blindedMessage(path)), purseId: purse.id, path, operationId }
  })
  return { own, outputs: own.map(({ B_ }, index) => ({ B_, amount: amounts[index] ?? 0 })) }
}

/**
 * Our coins among these signatures: those on outputs of ours, under a keyset of this unit. The amount is the one that
 * was signed, whatever was agreed.
 */
export function coinsFrom(
  { store, secrets }: Pick<Context, 'store' | 'secrets'>,
  signatures: readonly VerifiedSignature[],
  place: { readonly account: number; readonly unit: string },
): readonly Coin[] {
  return signatures.flatMap((signature) => {
    const own = store.read.ownOutput(signature.B_)
    const keyset = keysetOf(store, place.account)(signature.keysetId)
    if (!own || keyset?.unit !== place.unit) return []
    return {
      Y: pointToHex(hashToCurve(secrets.secret(own.path))),
      purseId: own.purseId,
      path: own.path,
      account: place.account,
      unit: place.unit,
      keysetId: signature.keysetId,
      amount: signature.amount,
      C: unblindSignature(signature, secrets.blindingFactor(own.path), keyset),
      e: signature.e,
      s: signature.s,
      state: 'spendable' as const,
      operationId: null,
    }
  })
}

/** Look up a keyset of one mint by the mint's id; a keyset of another mint is not found. */
export function keysetOf(store: Context['store'], account: number): (id: string) => Keyset | undefined {
  return (id) => {
    const found = store.read.keyset(id)
    return found?.account === account ? found.keyset : undefined
  }
}
