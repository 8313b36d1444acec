// Coins of a backup. A state only goes forward: spendable and resting, then tied to an operation, then spent. What a coin
// is tied to counts where its operation is the one of the backup; where this wallet knows the operation better, it knows
// the coins of it better, too.

import { z } from '../../shared/schema.ts'
import { type Merging, mapping, onPurse } from './merging.ts'

export type NewCoins = { readonly unit: string; readonly amount: number; readonly coins: number }

export type MergedCoins = {
  readonly changed: number
  /** Coins that were not here and may be spendable: they rest. */
  readonly unspent: readonly NewCoins[]
  readonly skipped: number
}

/**
 * Coins of the backup as they would stand here (`theirs`). `follows`: its operation stands here as the backup has it.
 * A coin under a keyset that is another mint's here, or of another unit than its purse here, has no place.
 */
const theirs = `${mapping}, theirs AS (
  SELECT b.Y, p.id AS purse_id, p.unit, b.coin, b.keyset_id, b.amount, b.C, b.e, b.s, b.state,
    (SELECT o.id FROM main.operation o WHERE o.id = b.operation_id) AS operation_id,
    b.operation_id IN (SELECT value FROM json_each(?2)) AS follows
  FROM backup.coin b JOIN backup.purse bp ON bp.id = b.purse_id JOIN mapping ON mapping.theirs = bp.account
  JOIN main.purse p ON ${onPurse('bp', 'p')}
  JOIN main.keyset k ON k.id = b.keyset_id AND k.account = p.account AND k.unit = p.unit
)`
/** The same coin: at its place of a purse, which is at one mint. The same path has the same Y at every other one, too. */
const isSame = 'c.purse_id = theirs.purse_id AND c.coin = theirs.coin'
/** Coins of the backup that are not here. */
const unknown = `FROM theirs WHERE NOT EXISTS (SELECT 1 FROM main.coin c WHERE ${isSame})`
const isTied = "theirs.state IN ('reserved', 'handed_over') AND theirs.follows"
const isFurther = `(theirs.state = 'spent' OR (${isTied}))`

/** @param followed ids of operations that stand here as the backup has them */
export function mergeCoins(merging: Merging, followed: readonly string[]): MergedCoins {
  const { db, pairs } = merging
  const ids = JSON.stringify(followed)
  const unspent = db
    .all(
      `${theirs} SELECT unit, SUM(amount) AS amount, COUNT(*) AS coins ${unknown} AND NOT ${isFurther}
       GROUP BY unit ORDER BY unit`,
      pairs,
      ids,
    )
    .map((row) => newCoins.parse(row))
  const inserted = db.run(
    `${theirs} INSERT INTO main.coin (Y, purse_id, coin, keyset_id, amount, C, e, s, state, operation_id)
     SELECT Y, purse_id, coin, keyset_id, amount, C, e, s,
       CASE WHEN ${isFurther} THEN state ELSE 'quarantined' END, CASE WHEN ${isFurther} THEN operation_id END ${unknown}
     ON CONFLICT (purse_id, coin) DO NOTHING`,
    pairs,
    ids,
  )
  const skipped = db.get(
    `${mapping} SELECT COUNT(*) AS n FROM backup.coin b JOIN backup.purse bp ON bp.id = b.purse_id
     WHERE NOT EXISTS (
       SELECT 1 FROM mapping JOIN main.purse p ON ${onPurse('bp', 'p')}
       JOIN main.coin c ON c.purse_id = p.id AND c.coin = b.coin WHERE mapping.theirs = bp.account
     )`,
    pairs,
  )
  return {
    changed: inserted + moveOn(merging, ids),
    unspent,
    skipped: z.number().parse(skipped?.['n']),
  }
}

const newCoins = z.object({ unit: z.string(), amount: z.number(), coins: z.number() })

/**
 * Coins that are known. One that is tied to an operation of ours stays with it: that operation asks the mint what became
 * of the coin. One that is free, or whose operation is the backup's now, is as the backup says if that is further.
 */
function moveOn({ db, pairs }: Merging, ids: string): number {
  const moved = db.run(
    `${theirs} UPDATE main.coin AS c SET state = theirs.state, operation_id = theirs.operation_id FROM theirs
     WHERE ${isSame} AND ${isFurther}
       AND (c.state IN ('spendable', 'quarantined')
         OR (c.state IN ('reserved', 'handed_over') AND c.operation_id IN (SELECT value FROM json_each(?2))))
       AND (c.state <> theirs.state OR c.operation_id IS NOT theirs.operation_id)`,
    pairs,
    ids,
  )
  // Tied to an operation that, as the backup has it, does not hold them any more: nobody would ever free them.
  const freed = db.run(
    `${theirs} UPDATE main.coin AS c SET state = 'quarantined', operation_id = NULL
     WHERE c.state IN ('reserved', 'handed_over') AND c.operation_id IN (SELECT value FROM json_each(?2))
       AND NOT EXISTS (
         SELECT 1 FROM theirs WHERE ${isSame} AND theirs.state = c.state AND theirs.operation_id = c.operation_id
       )`,
    pairs,
    ids,
  )
  return moved + freed
}

/**
 * Coins that are free here, of generations that whoever wrote the backup knew: that wallet may have given them away since,
 * also one that was made here after the two parted, because both took the same places in the derivation. They rest.
 * @param generation the highest that the backup knows of @returns how many
 */
export function restSharedCoins({ db }: Merging, generation: number): number {
  return db.run(
    `UPDATE main.coin AS c SET state = 'quarantined', operation_id = NULL
     WHERE c.state = 'spendable' AND (SELECT p.generation FROM main.purse p WHERE p.id = c.purse_id) <= ?`,
    generation,
  )
}
