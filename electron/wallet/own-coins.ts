// From an index to a blinded message, and from the mint's signature to a coin: the two places where derivation meets the store.

import { cappedSum, maxAmount } from '../../shared/amount.ts'
import { hashToCurve, pointToHex } from '../../shared/cashu/bdhke.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import { type Context, unixNow } from './context.ts'
import { ownFrom } from './generation.ts'
import type { SwapRecord } from './operation.ts'
import type { CoinPath } from './secrets.ts'
import { hasExpired, unblindSignature, type VerifiedSignature } from './settle.ts'
import type { Coin, CoinState, CoinTotals, OwnOutput, PurseRow, WalletReads, WalletWrites } from './store-port.ts'

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
 * was signed, whatever was agreed. Coins that another life of this wallet may hold as well are not spendable; those that
 * cannot be counted are none.
 */
export function coinsFrom(
  { store, secrets }: Pick<Context, 'store' | 'secrets'>,
  signatures: readonly VerifiedSignature[],
  place: { readonly account: number; readonly unit: string },
): readonly Coin[] {
  const coins = signatures.flatMap((signature): readonly Coin[] => {
    const own = store.read.ownOutput(place.account, signature.B_)
    const keyset = keysetOf(store, place.account)(signature.keysetId)
    if (!own || keyset?.unit !== place.unit) return []
    const coin: Coin = {
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
      state: freeState(store.read, place.account, own.path),
      operationId: null,
    }
    return [coin]
  })
  return countable(store.read, coins)
}

/**
 * Coins that can be counted together with what is held of their mint and unit: up to 2^53−1. A mint that signs more makes up
 * its money; what it has made up already is worth nothing, and more of it would only keep the wallet from being shown.
 */
export function countable(read: WalletReads, coins: readonly Coin[]): readonly Coin[] {
  const room = new Map<string, number>()
  return coins.filter(({ account, unit, Y, amount }) => {
    const place = `${account} ${unit}`
    const left = room.get(place) ?? maxAmount - held(read.totals(account, unit))
    const isNew = read.coin(account, Y) === undefined
    if (isNew && amount > left) return false
    room.set(place, isNew ? left - amount : left)
    return true
  })
}

const held = ({ spendable, reserved, handed_over, quarantined }: CoinTotals): number =>
  cappedSum([spendable, reserved, handed_over, quarantined])

/** The state of a coin that belongs to no operation: it rests where an earlier life may have given it to somebody. */
const freeState = (read: WalletReads, account: number, { generation }: CoinPath): CoinState =>
  generation < ownFrom(read, account) ? 'quarantined' : 'spendable'

/** Coins that this operation holds and that are not known to be spent. */
export const tiedTo = ({ store }: Pick<Context, 'store'>, operationId: string): readonly Coin[] =>
  store.read.coinsOf(operationId).filter(({ state }) => state === 'reserved' || state === 'handed_over')

/** Whether its keyset has ended, by our clock: the mint takes it no more. */
export const isExpired = ({ store, clock }: Pick<Context, 'store' | 'clock'>, { account, keysetId }: Coin): boolean =>
  hasExpired(keysetOf(store, account)(keysetId), unixNow(clock))

/** Coins that were reserved and never left this computer are free again. */
export function freeCoins({ store }: Pick<Context, 'store'>, write: WalletWrites, coins: readonly Coin[]): void {
  for (const [account, ofMint] of Map.groupBy(coins, (coin) => coin.account)) {
    for (const [state, group] of Map.groupBy(ofMint, ({ path }) => freeState(store.read, account, path))) {
      write.moveCoins(
        account,
        group.map(({ Y }) => Y),
        ['reserved'],
        state,
        null,
      )
    }
  }
}

/** The mint says that these are spent: wherever they were counted, they are gone. Tied to what found it out. */
export function markSpent(write: WalletWrites, account: number, Ys: readonly string[], operationId: string): void {
  write.moveCoins(account, Ys, ['spendable', 'quarantined', 'reserved', 'handed_over', 'spent'], 'spent', operationId)
}

/** Look up a keyset of one mint by the mint's id; a keyset of another mint is not found. */
export function keysetOf(store: Context['store'], account: number): (id: string) => Keyset | undefined {
  return (id) => {
    const found = store.read.keyset(id)
    return found?.account === account ? found.keyset : undefined
  }
}
