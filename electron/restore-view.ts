// What people see of the search for the coins of a phrase, and of coins that rest.

import { cappedSum } from '../shared/amount.ts'
import type { FoundView, MintSearchView, RestoreView } from '../shared/model.ts'
import { copiesOf, mayComeHome } from './wallet/generation.ts'
import type { OperationOf, Tally } from './wallet/operation.ts'
import type { Clock } from './wallet/ports.ts'
import { comesHomeAt, restingOf } from './wallet/quarantine.ts'
import { phaseOf, progressOf, searchOf } from './wallet/restore.ts'
import { unitsOf } from './wallet/self-swap.ts'
import type { MintRow, WalletStore } from './wallet/store-port.ts'

type Parts = { readonly store: WalletStore; readonly clock: Clock }

export function restoreView({ store, clock }: Parts): RestoreView {
  const copies = copiesOf(store.read)
  const mints = store.read.mints()
  const amounts = mints.flatMap(({ account }) =>
    [...unitsOf({ store }, account)].map((unit) => restingOf({ store, clock }, account, unit).live),
  )
  const resting = byUnit(amounts)
  return {
    searches: mints.flatMap((mint) => {
      const search = searchOf({ store }, mint.account)
      return search ? [searchView({ store, clock }, mint, search)] : []
    }),
    resting: {
      amounts: resting,
      until: resting.length > 0 ? comesHomeAt({ store, clock }) : null,
      isReleased: mayComeHome(copies, clock.now()),
    },
    cause: copies.cause,
    noticedAt: copies.noticedAt,
  }
}

function searchView({ store }: Parts, { url, name }: MintRow, search: OperationOf<'restore'>): MintSearchView {
  const isDone = search.state === 'found'
  return {
    mintUrl: url,
    name,
    state: isDone ? 'done' : 'looking',
    phase: phaseOf({ store }, search),
    asked: search.asked,
    progress: progressOf({ store }, search),
    purses: search.cursor.purses,
    found: byUnit(search.found),
    expired: byUnit(search.expired),
    trouble: search.lastError,
  }
}

/** Sums by unit, without those of nothing. */
function byUnit(tallies: readonly Tally[]): readonly FoundView[] {
  return [...Map.groupBy(tallies, ({ unit }) => unit)]
    .map(([unit, group]) => ({
      unit,
      amount: cappedSum(group.map(({ amount }) => amount)),
      coins: group.reduce((sum, { coins }) => sum + coins, 0),
    }))
    .filter(({ coins }) => coins > 0)
}
