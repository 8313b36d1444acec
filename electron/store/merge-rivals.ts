// Two lives of one wallet may have promised one coin twice. When their files become one, the coin is tied to the promise
// that somebody has in hand; the others only look at the facts from then on (wallet/held-back.ts). Which one that is:
//   - one with a receipt before one that may have arrived, before one that may be at the mint, before one that never left;
//   - any of these before one that has bounced, which can only pass when the mint has erred. That its coins were called
//     spent may be the same error: whoever has them in hand asks again;
//   - of two that may have arrived neither: sent once more, it could prove that its payer cheats. The coin rests.

import { type Operation, promisedBy } from '../wallet/operation.ts'
import { type Merging, operationIn } from './merging.ts'

/**
 * To be called when operations and coins have come together.
 * @param followed ids of operations that stand here as the backup has them
 * @param parted of those that stay as they are here, although the other wallet has taken them further
 * @returns how many coins changed hands
 */
export function settleRivals(
  merging: Merging,
  { followed, parted }: { readonly followed: readonly string[]; readonly parted: readonly string[] },
): number {
  const came = new Set(followed)
  const touched = new Set([...followed, ...parted])
  const promises = Map.groupBy(promisesIn(merging), ({ account, Y }) => `${account} ${Y}`)
  let moved = 0
  for (const rivals of promises.values()) {
    if (rivals.length > 1 && rivals.some(({ operation }) => touched.has(operation.id)))
      moved += tie(merging, rivals, came)
  }
  return moved
}

type Promised = { readonly account: number; readonly Y: string; readonly operation: Operation }

function promisesIn(merging: Merging): readonly Promised[] {
  const rows = merging.db.all(
    `SELECT id FROM main.operation WHERE (kind = 'pay' AND state IN ('settling', 'handing_over', 'signed', 'voided', 'dead', 'bounced'))
       OR (kind = 'refresh' AND state = 'settling') OR (kind = 'melt' AND state = 'melting')`,
  )
  return rows.flatMap(({ id }) => {
    const operation = operationIn(merging, 'main', id)
    return promisedBy(operation).map((Y) => ({ account: operation.account, Y, operation }))
  })
}

const rank = { received: 3, mayHaveArrived: 2, mayBeAtTheMint: 1, neverLeft: 0, bounced: -1 } as const

function rankOf(operation: Operation): number {
  if (operation.kind !== 'pay' || !('swap' in operation)) return rank.mayBeAtTheMint
  if (operation.state === 'bounced') return rank.bounced
  if (operation.receipt !== null) return rank.received
  if (operation.handedOver) return rank.mayHaveArrived
  return operation.attempt === null ? rank.neverLeft : rank.mayBeAtTheMint
}

function tie({ db }: Merging, rivals: readonly Promised[], came: ReadonlySet<string>): number {
  const ranked = rivals
    .map(({ account, Y, operation }) => ({ account, Y, operation, rank: rankOf(operation) }))
    // Of equals the one that was here.
    .sort((a, b) => b.rank - a.rank || Number(came.has(a.operation.id)) - Number(came.has(b.operation.id)))
  const [first, second] = ranked
  if (!first || !second) return 0
  const isUndecided = first.rank === rank.mayHaveArrived && second.rank === rank.mayHaveArrived
  const state = isUndecided ? 'quarantined' : first.rank >= rank.mayHaveArrived ? 'handed_over' : 'reserved'
  const behind = ranked.filter((one) => one.rank === rank.bounced && first.rank > rank.bounced)
  return db.run(
    `UPDATE main.coin SET state = ?1, operation_id = ?2
     WHERE Y = ?3 AND purse_id IN (SELECT id FROM main.purse WHERE account = ?4)
       AND (state <> 'spent' OR operation_id IN (SELECT value FROM json_each(?5)))
       AND (state <> ?1 OR operation_id IS NOT ?2)`,
    state,
    isUndecided ? null : first.operation.id,
    first.Y,
    first.account,
    JSON.stringify(behind.map(({ operation }) => operation.id)),
  )
}
