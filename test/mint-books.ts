// The books of a mint, read from its file alone: what came in is what went out, and nothing is half done.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Books = {
  /** What is wrong, one line each; empty when the books balance. */
  readonly problems: readonly string[]
  /** Money taken for coins, money paid out for coins, and fees kept. */
  readonly issued: number
  readonly paidOut: number
  readonly fees: number
  /** Quotes of melts that were paid by the funding, not within the mint. */
  readonly paidOutside: readonly string[]
  /** Quotes for money out that were not used, or not yet. */
  readonly unusedMeltQuotes: number
  /** Of money in: every quote that was ever given, and what became of it. */
  readonly quotes: readonly { readonly id: string; readonly state: string }[]
  /** Worth of all signatures less all coins that came back: what is in circulation, as far as the mint can know. */
  readonly circulating: number
  /** Every output that was ever signed, hex. */
  readonly signed: readonly { readonly B_: string; readonly amount: number; readonly id: string }[]
  /** Every coin that was spent, hex. */
  readonly spent: readonly string[]
}

/** Each selects what must not be there. */
const mustBeEmpty: Readonly<Record<string, string>> = {
  'a request that took in something else than it gave out': `
    WITH moved AS (
      SELECT request_hash, amount AS came, 0 AS fee, 0 AS went FROM mint_quotes WHERE state = 'ISSUED'
      UNION ALL SELECT request_hash, amount, fee_ppk, 0 FROM coins JOIN keysets ON keysets.id = keyset_id
      UNION ALL SELECT request_hash, 0, 0, amount FROM signatures
      UNION ALL SELECT request_hash, 0, 0, amount + fee_reserve - change FROM melt_quotes WHERE state <> 'UNPAID'
    )
    SELECT hex(request_hash) AS request, SUM(came) AS came, (SUM(fee) + 999) / 1000 AS fees, SUM(went) AS went
    FROM moved GROUP BY request_hash
    -- a melt on its way has not given its change yet
    HAVING SUM(came) - (SUM(fee) + 999) / 1000 <> SUM(went)`,
  'a coin spent for nothing': `
    SELECT hex(Y) AS Y FROM coins WHERE state = 'SPENT'
      AND NOT EXISTS (SELECT 1 FROM signatures WHERE signatures.request_hash = coins.request_hash)
      AND NOT EXISTS (SELECT 1 FROM melt_quotes WHERE melt_quotes.request_hash = coins.request_hash AND state = 'PAID')`,
  'a signature for nothing': `
    SELECT hex(B_) AS B_ FROM signatures
    WHERE NOT EXISTS (SELECT 1 FROM coins WHERE coins.request_hash = signatures.request_hash AND state = 'SPENT')
      AND NOT EXISTS (SELECT 1 FROM mint_quotes
        WHERE mint_quotes.request_hash = signatures.request_hash AND state = 'ISSUED')`,
  'a coin of a payment that is not on its way': `
    SELECT hex(Y) AS Y FROM coins WHERE state = 'PENDING'
      AND NOT EXISTS (SELECT 1 FROM melt_quotes WHERE melt_quotes.id = coins.melt_quote AND state = 'PENDING')`,
  'a payment on its way without coins': `
    SELECT id FROM melt_quotes WHERE state <> 'UNPAID'
      AND NOT EXISTS (SELECT 1 FROM coins WHERE coins.request_hash = melt_quotes.request_hash)`,
  'an output kept for a payment that is not on its way': `
    SELECT hex(B_) AS B_ FROM melt_blanks
    WHERE NOT EXISTS (SELECT 1 FROM melt_quotes WHERE melt_quotes.id = melt_quote AND state = 'PENDING')`,
  'a unit without an active keyset, or with several': `
    SELECT unit FROM keysets GROUP BY unit HAVING SUM(active) <> 1`,
  'a reference to nothing': 'PRAGMA foreign_key_check',
}

/** @param folder of a mint, running or not; it is copied, since it may lie where SQLite cannot lock it */
export function readBooks(folder: string): Books {
  const copy = mkdtempSync(join(tmpdir(), 'farthing-books-'))
  for (const name of ['mint.sqlite', 'mint.sqlite-wal']) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name))
  }
  const db = new DatabaseSync(join(copy, 'mint.sqlite'))
  try {
    const all = (sql: string) => db.prepare(sql).all()
    const sum = (sql: string) => Number(all(sql)[0]?.['n'] ?? 0)
    const damage = all('PRAGMA integrity_check').filter(({ integrity_check }) => integrity_check !== 'ok')
    const given = sum('SELECT SUM(amount) AS n FROM signatures')
    const back = sum(`SELECT SUM(amount) AS n FROM coins WHERE state = 'SPENT'`)
    return {
      problems: [
        ...damage.map((row) => `damaged: ${JSON.stringify(row)}`),
        ...Object.entries(mustBeEmpty).flatMap(([what, sql]) =>
          all(sql).map((row) => `${what}: ${JSON.stringify(row)}`),
        ),
      ],
      issued: sum(`SELECT SUM(amount) AS n FROM mint_quotes WHERE state = 'ISSUED'`),
      paidOut: sum(`SELECT SUM(amount + fee_reserve - change) AS n FROM melt_quotes WHERE state = 'PAID'`),
      paidOutside: all(
        `SELECT id FROM melt_quotes WHERE state = 'PAID' AND payment_hash NOT IN (SELECT payment_hash FROM mint_quotes)`,
      ).map(({ id }) => String(id)),
      fees: sum(
        `SELECT SUM(fee) AS n FROM (
           SELECT (SUM(fee_ppk) + 999) / 1000 AS fee FROM coins JOIN keysets ON keysets.id = keyset_id
           WHERE state = 'SPENT' GROUP BY request_hash)`,
      ),
      unusedMeltQuotes: sum(`SELECT COUNT(*) AS n FROM melt_quotes WHERE state = 'UNPAID'`),
      quotes: all('SELECT id, state FROM mint_quotes') as never,
      circulating: given - back,
      signed: all('SELECT lower(hex(B_)) AS B_, amount, keyset_id AS id FROM signatures') as never,
      spent: all(`SELECT lower(hex(Y)) AS Y FROM coins WHERE state = 'SPENT'`).map(({ Y }) => String(Y)),
    }
  } finally {
    db.close()
    rmSync(copy, { recursive: true })
  }
}
