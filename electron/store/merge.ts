// A backup of this wallet brought into it: the union of both, in one transaction, so that it happens wholly or not at all,
// and twice is as good as once. Nothing here moves back: counters only grow, a coin that is spent stays so (but see
// merge-rivals.ts), an operation only goes on. Rows of the backup are found at their mint by its address, never by a number
// that may mean another mint here.
//
// Whoever wrote the backup may have gone on after it, on another computer or after this folder was copied. So if it knows
// anything that was not known here, coins of the generations it knows rest: the other wallet may have given them away.

import { AppError } from '../../shared/errors.ts'
import { z } from '../../shared/schema.ts'
import type { Database } from './database.ts'
import { mergeCoins, type NewCoins, restSharedCoins } from './merge-coins.ts'
import { mergeOperations } from './merge-operations.ts'
import { settleRivals } from './merge-rivals.ts'
import { type Merging, mapping, onPurse } from './merging.ts'

export type Merged = {
  /** Whether it knew anything of coins and operations that was not known here. */
  readonly isNews: boolean
  /** Payments that people see, and mints, that were not here. */
  readonly payments: number
  readonly mints: number
  /** Coins that were not here and are not spent. */
  readonly coins: readonly NewCoins[]
  /** Rows that contradict what is here: keysets under a known id, what depends on them. */
  readonly skipped: number
  /** The highest generation the backup knows of. */
  readonly generation: number
}

export type MergeOptions<Writes> = {
  /** A database that `readyDatabase` has looked through, of the same seed. */
  readonly path: string
  /** Milliseconds. */
  readonly now: number
  /** Still in the transaction, when it brought anything: what must be stored with it. */
  readonly onNews: (merged: Merged, write: Writes) => void
}

/** @throws AppError `foreign_backup`, `bad_backup`, `disk_full`, `disk_unwritable`; nothing has changed then */
export function mergeBackup<Writes>(db: Database, write: Writes, { path, now, onNews }: MergeOptions<Writes>): Merged {
  db.run('ATTACH DATABASE ? AS backup', path)
  try {
    return db.transaction(() => {
      assertSameSeed(db)
      const merged = mergeAll(db, now)
      if (merged.isNews) onNews(merged, write)
      return merged
    })
  } finally {
    db.run('DETACH DATABASE backup')
  }
}

/** Whatever key opened it: what another phrase made can never be spent with this one. */
function assertSameSeed(db: Database): void {
  const of = (name: 'main' | 'backup') => `(SELECT value FROM ${name}.meta WHERE key = 'seed/fingerprint')`
  const row = db.get(`SELECT ${of('main')} IS ${of('backup')} AS is_same`)
  if (row?.['is_same'] !== 1) throw new AppError('foreign_backup', 'the database of another wallet')
}

function mergeAll(db: Database, now: number): Merged {
  const { merging, mints } = mergeMints(db, now)
  const twins = mergeKeysets(merging)
  const purses = mergePurses(merging)
  const operations = mergeOperations(merging)
  const outputs = mergeOutputs(merging)
  const seen = mergeSeen(merging, operations.followed)
  const coins = mergeCoins(merging, operations.followed)
  const rivals = settleRivals(merging, operations)
  mergeMeta(merging)
  const isNews = purses + operations.changed + outputs + seen + coins.changed + rivals > 0
  const generation = highestGeneration(db)
  if (isNews) restSharedCoins(merging, generation)
  return {
    isNews,
    payments: operations.payments,
    mints,
    coins: coins.unspent,
    skipped: twins + operations.skipped + coins.skipped,
    generation,
  }
}

const integer = z.number().int()

/**
 * Which mint of the backup is which here: by its address, else by its keys, which belong to one mint wherever it has
 * moved; a mint that is in neither way known takes the next account.
 */
function mergeMints(db: Database, now: number): { readonly merging: Merging; readonly mints: number } {
  const accounts = new Map<number, number>()
  let mints = 0
  for (const row of db.all('SELECT account FROM backup.mint ORDER BY account')) {
    const theirs = integer.parse(row['account'])
    const known =
      db.get('SELECT m.account FROM backup.mint b JOIN main.mint m ON m.url = b.url WHERE b.account = ?', theirs) ??
      db.get(
        `SELECT k.account FROM backup.keyset b JOIN main.keyset k ON k.id = b.id AND k.id_v2 = b.id_v2
         WHERE b.account = ? ORDER BY k.account LIMIT 1`,
        theirs,
      )
    if (known) {
      const ours = integer.parse(known['account'])
      accounts.set(theirs, ours)
      // An alarm is never taken back by a mint: one that was raised elsewhere counts here.
      db.run(
        `UPDATE main.mint SET alarm = (SELECT alarm FROM backup.mint WHERE account = ?2)
         WHERE account = ?1 AND alarm IS NULL AND (SELECT alarm FROM backup.mint WHERE account = ?2) IS NOT NULL`,
        ours,
        theirs,
      )
    } else {
      accounts.set(theirs, insertMint(db, theirs))
      mints++
    }
  }
  return { merging: { db, now, accounts, pairs: JSON.stringify([...accounts]) }, mints }
}

function insertMint(db: Database, theirs: number): number {
  const account = integer.parse(db.get('SELECT COALESCE(MAX(account), -1) + 1 AS n FROM main.mint')?.['n'])
  db.run(
    `INSERT INTO main.mint (account, url, name, version, offline_capable, last_reached_at, alarm, removed)
     SELECT ?1, url, name, version, offline_capable, last_reached_at, alarm, removed FROM backup.mint WHERE account = ?2`,
    account,
    theirs,
  )
  return account
}

/** A keyset id, in either form, belongs to whom it belongs here. @returns how many contradict that */
function mergeKeysets({ db, pairs }: Merging): number {
  db.run(
    `${mapping} INSERT INTO main.keyset (id, id_v2, account, unit, active, fee_ppk, final_expiry, keys)
     SELECT b.id, b.id_v2, mapping.ours, b.unit, b.active, b.fee_ppk, b.final_expiry, b.keys
     FROM backup.keyset b JOIN mapping ON mapping.theirs = b.account
     WHERE NOT EXISTS (SELECT 1 FROM main.keyset k WHERE k.id = b.id OR k.id_v2 = b.id_v2)`,
    pairs,
  )
  const twins = db.get(
    `${mapping} SELECT COUNT(*) AS n FROM backup.keyset b JOIN mapping ON mapping.theirs = b.account
     WHERE NOT EXISTS (
       SELECT 1 FROM main.keyset k WHERE k.id = b.id AND k.id_v2 = b.id_v2 AND k.account = mapping.ours
     )`,
    pairs,
  )
  return integer.parse(twins?.['n'])
}

/**
 * Purses by their place in the derivation. Whoever wrote the backup may go on filling one that is new here, or that it has
 * filled further: nothing is put into it here any more. @returns how many changed
 */
function mergePurses({ db, pairs }: Merging): number {
  const inserted = db.run(
    `${mapping} INSERT INTO main.purse (generation, path_account, purse, account, unit, purpose, next_coin, used, closed)
     SELECT b.generation, b.path_account, b.purse, mapping.ours, b.unit, b.purpose, b.next_coin, b.used, 1
     FROM backup.purse b JOIN mapping ON mapping.theirs = b.account
     WHERE TRUE ON CONFLICT (generation, path_account, purse, account) DO NOTHING`,
    pairs,
  )
  const advanced = db.run(
    `${mapping} UPDATE main.purse AS p SET next_coin = MAX(p.next_coin, b.next_coin), used = MAX(p.used, b.used),
       closed = MAX(p.closed, b.closed, b.next_coin > p.next_coin)
     FROM backup.purse b JOIN mapping ON mapping.theirs = b.account
     WHERE ${onPurse('b', 'p')} AND (p.next_coin < b.next_coin OR p.used < b.used OR p.closed < b.closed)`,
    pairs,
  )
  return inserted + advanced
}

/** What we asked signatures for stays known, so that a late signature finds its coin. @returns how many were new */
function mergeOutputs({ db, pairs }: Merging): number {
  return db.run(
    `${mapping} INSERT INTO main.output (B_, purse_id, coin, operation_id)
     SELECT b.B_, p.id, b.coin, b.operation_id
     FROM backup.output b JOIN backup.purse bp ON bp.id = b.purse_id JOIN mapping ON mapping.theirs = bp.account
     JOIN main.purse p ON ${onPurse('bp', 'p')} JOIN main.operation o ON o.id = b.operation_id
     WHERE TRUE ON CONFLICT (purse_id, coin) DO NOTHING`,
    pairs,
  )
}

/**
 * Coins that were handed to us. One that a later payment, which came with the backup, has brought again is that one's.
 * @returns how many changed
 */
function mergeSeen({ db }: Merging, followed: readonly string[]): number {
  const inserted = db.run(
    `INSERT INTO main.seen (Y, operation_id) SELECT b.Y, b.operation_id
     FROM backup.seen b JOIN main.operation o ON o.id = b.operation_id WHERE TRUE ON CONFLICT (Y) DO NOTHING`,
  )
  const moved = db.run(
    `UPDATE main.seen AS s SET operation_id = b.operation_id FROM backup.seen b
     WHERE b.Y = s.Y AND b.operation_id <> s.operation_id AND b.operation_id IN (SELECT value FROM json_each(?))
       AND (SELECT state FROM main.operation o WHERE o.id = s.operation_id) IN ('dead', 'replaced')`,
    JSON.stringify(followed),
  )
  return inserted + moved
}

/**
 * Requests that were published, looks of keys, and what a person chose where nothing was chosen here. All else is about
 * this folder: generation, port, what was noticed.
 */
function mergeMeta({ db, pairs }: Merging): void {
  db.run(
    `${mapping} INSERT INTO main.meta (key, value)
     SELECT b.key, json_set(b.value, '$.account', mapping.ours)
     FROM backup.meta b JOIN mapping ON mapping.theirs = json_extract(b.value, '$.account')
     WHERE b.key LIKE 'request/%' ON CONFLICT (key) DO NOTHING`,
    pairs,
  )
  db.run(
    `INSERT INTO main.meta (key, value) SELECT key, value FROM backup.meta
     WHERE key LIKE 'look/%' OR key IN ('settings', 'profile/name') ON CONFLICT (key) DO NOTHING`,
  )
}

function highestGeneration(db: Database): number {
  const row = db.get(
    `SELECT MAX(COALESCE((SELECT MAX(generation) FROM backup.purse), 0),
       COALESCE((SELECT json_extract(value, '$') FROM backup.meta WHERE key = 'seed/generation'), 0)) AS n`,
  )
  const parsed = integer.safeParse(row?.['n'])
  if (!parsed.success) throw new AppError('bad_backup', 'a generation that is no number')
  return parsed.data
}
