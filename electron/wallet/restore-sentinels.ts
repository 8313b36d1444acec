// Outputs that are known to be signed: a whole answer of a search shows them all. Which of them are asked about, and from where
// they are known.

import { order, pointFromHex, pointToHex, unblind } from '../../shared/cashu/bdhke.ts'
import { keyOf } from '../../shared/cashu/keyset.ts'
import type { Context } from './context.ts'
import type { Sentinel } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import type { Signed } from './restore-finds.ts'
import { unitsOf } from './self-swap.ts'

/** Some of the signatures that this file has coins of, one of each keyset and three at least where there are as many. */
export function knownSignatures(ctx: Context, account: number): readonly Sentinel[] {
  const coins = [...unitsOf(ctx, account)].flatMap((unit) =>
    (['spendable', 'quarantined'] as const).flatMap((state) => ctx.store.read.coins(account, unit, state)),
  )
  return chosen(coins).map((coin): Sentinel => {
    const keyset = keysetOf(ctx.store, account)(coin.keysetId)
    const K = keyset && keyOf(keyset, coin.amount)
    if (!K) throw new Error('a coin of no key')
    const r = ctx.secrets.blindingFactor(coin.path)
    return {
      B_: pointToHex(ctx.secrets.blindedMessage(coin.path)),
      keysetId: coin.keysetId,
      amount: coin.amount,
      C_: pointToHex(unblind(pointFromHex(coin.C), order - r, K)), // C_ = C + rK
    }
  })
}

/** Those that are known, and what an answer has brought: one of each keyset, three at least where there are as many. */
export function moreSentinels(known: readonly Sentinel[], signed: readonly Signed[]): Sentinel[] {
  const before = new Set(known.map(({ B_ }) => B_))
  const fresh = signed.flatMap(({ signature }): readonly Sentinel[] => {
    if (signature === 'unreadable' || before.has(signature.B_)) return []
    const { B_, keysetId, amount, C_ } = signature
    return [{ B_, keysetId, amount, C_ }]
  })
  return chosen([...known, ...fresh])
}

/**
 * Those that go along with a question: one of each keyset, so that a mint that leaves any of them out is found out; more where
 * the question is long. Where it is so short that they would be more than what is asked about, they take turns.
 * @param room how many outputs are asked about beside them
 * @param asked how many were asked about before: it says whose turn it is
 */
export function sentinelsFor(sentinels: readonly Sentinel[], room: number, asked: number): readonly Sentinel[] {
  const keysets = keysetsOf(sentinels).length
  const ordered = chosen(sentinels)
  if (keysets <= room) return ordered.slice(0, Math.max(keysets, Math.floor(room / 4)))
  return Array.from({ length: room }, (_, index) => ordered[(asked + index) % keysets]).filter(
    (one) => one !== undefined,
  )
}

export const keysetsOf = (sentinels: readonly { readonly keysetId: string }[]): string[] => [
  ...new Set(sentinels.map(({ keysetId }) => keysetId)),
]

/** Keysets of one mint that a search looks out for: few have as many, and a question has room for more than these. */
export const mostSentinels = 32
const wanted = 3

/** The first of each keyset, then others while there are few. */
function chosen<S extends { readonly keysetId: string }>(from: readonly S[]): S[] {
  const groups = [...Map.groupBy(from, ({ keysetId }) => keysetId).values()]
  const firsts = groups.flatMap((group) => group.slice(0, 1)).slice(0, mostSentinels)
  const others = groups.flatMap((group) => group.slice(1)).slice(0, Math.max(0, wanted - firsts.length))
  return [...firsts, ...others]
}
