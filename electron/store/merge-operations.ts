// Operations of a backup. One that is not here is taken as it is, due at once where it is open, and sorted into the history
// by its time; of one that both know, see merge-known.ts.

import { z } from '../../shared/schema.ts'
import type { Operation } from '../wallet/operation.ts'
import { joinInPlace, mergeKnown } from './merge-known.ts'
import { type Carry, calmed, carrier, eventsOf, type Merging, operationIn, writeEvents } from './merging.ts'

export type MergedOperations = {
  readonly changed: number
  /** Payments, as people see them, that were not here. */
  readonly payments: number
  /** Ids of those that stand here as the backup has them. */
  readonly followed: readonly string[]
  /** Ids of those that stay as they are here, although the other wallet has taken them further. */
  readonly parted: readonly string[]
  readonly skipped: number
}

export function mergeOperations(merging: Merging): MergedOperations {
  const carry = carrier(merging)
  const known = mergeKnown(merging, carry)
  const unknown = insertUnknown(merging, carry)
  if (unknown.inserted.length > 0) order(merging, unknown.inserted.length)
  const joined = joinInPlace(merging, known.equal)
  return {
    changed: known.followed.length + known.parted.length + unknown.inserted.length + joined.length,
    payments: unknown.payments,
    followed: [...known.followed, ...unknown.inserted, ...joined],
    parted: known.parted,
    skipped: unknown.skipped,
  }
}

const integer = z.number().int()

/** A payment that was only asked about, offered, or signed anew as another one is none that people see. */
const unseen: readonly string[] = ['asking', 'agreed', 'abandoned', 'terms', 'expired', 'replaced']

function insertUnknown(
  merging: Merging,
  carry: Carry,
): { readonly inserted: readonly string[]; readonly payments: number; readonly skipped: number } {
  const { db } = merging
  const inserted: string[] = []
  let payments = 0
  let skipped = 0
  const rows = db.all(
    `SELECT b.id, EXISTS (SELECT 1 FROM main.operation o WHERE o.terms_hash = b.terms_hash) AS is_twin
     FROM backup.operation b
     WHERE b.kind <> 'restore' AND NOT EXISTS (SELECT 1 FROM main.operation o WHERE o.id = b.id) ORDER BY b.seq`,
  )
  for (const row of rows) {
    const theirs = carry(operationIn(merging, 'backup', row['id']))
    if (!theirs || row['is_twin'] === 1) {
      skipped++
      continue
    }
    insert(merging, theirs)
    inserted.push(theirs.id)
    const isPayment = theirs.kind === 'pay' || theirs.kind === 'receive'
    if (isPayment && !unseen.includes(theirs.state)) payments++
  }
  return { inserted, payments, skipped }
}

/** What makes a repeated Hello the same payment stays with the row that has it: both wallets may have answered one Hello. */
function insert(merging: Merging, theirs: Operation): void {
  const calm = calmed(merging, theirs)
  merging.db.run(
    `INSERT INTO main.operation (id, seq, kind, state, account, unit, amount, created_at, next_attempt_at, payer_peer,
       payment_id, payer_address, terms_hash, request_id, signed_at, search, data)
     SELECT id, (SELECT COALESCE(MAX(seq), 0) + 1 FROM main.operation), kind, ?2, ?3, unit, amount, created_at, ?4,
       CASE WHEN b.is_free THEN payer_peer END, CASE WHEN b.is_free THEN payment_id END,
       payer_address, terms_hash, request_id, signed_at, search, ?5
     FROM (
       SELECT *, NOT EXISTS (
         SELECT 1 FROM main.operation o WHERE o.payer_peer = t.payer_peer AND o.payment_id = t.payment_id
       ) AS is_free FROM backup.operation t WHERE t.id = ?1
     ) b`,
    calm.id,
    calm.state,
    calm.account,
    calm.nextAttemptAt,
    JSON.stringify(calm),
  )
  writeEvents(merging, calm.id, eventsOf(merging, 'backup', calm.id))
}

/**
 * The history in the order in which things happened: the newest rows, which came, are sorted in by their time; what was
 * here keeps its order, also where a clock was set back.
 */
function order({ db }: Merging, inserted: number): void {
  const rows = db
    .all('SELECT id, seq, created_at AS at FROM main.operation ORDER BY seq')
    .map((row) => place.parse(row))
  const here = rows.slice(0, rows.length - inserted)
  const came = rows.slice(rows.length - inserted)
  for (const [index, { id }] of inOrder(here, came).entries()) {
    const seq = rows[index]?.seq ?? 0
    if (rows[index]?.id !== id) db.run('UPDATE main.operation SET seq = ? WHERE id = ?', -seq, id)
  }
  db.run('UPDATE main.operation SET seq = -seq WHERE seq < 0')
}

const place = z.object({ id: z.string(), seq: integer, at: integer })
type Place = z.infer<typeof place>

function inOrder(here: readonly Place[], came: readonly Place[]): readonly Place[] {
  const ordered: Place[] = []
  let next = 0
  for (const one of came) {
    for (let mine = here[next]; mine && mine.at <= one.at; mine = here[next]) {
      ordered.push(mine)
      next++
    }
    ordered.push(one)
  }
  return [...ordered, ...here.slice(next)]
}
