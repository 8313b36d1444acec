// The mint's store on node:sqlite: one file, one process that serves it, and the operator's commands beside it.

import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { z } from 'zod'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import type {
  CoinTable,
  KeysetTable,
  MeltQuoteTable,
  MintQuoteTable,
  MintStore,
  SignatureTable,
  SpentCoin,
} from './ports.ts'
import { migrations } from './schema.ts'

/** How long to wait for another process (an operator's `rotate`) to finish its transaction. */
const busyTimeoutMs = 5_000

/**
 * Open or create the database, mode 0600, and bring it to the newest version.
 * @throws AppError `folder_too_new` when a newer program wrote it, `folder_damaged` when SQLite cannot read it
 */
export function openMintStore(path: string): MintStore {
  const db = openFile(path)
  migrate(db)
  const sql = sqlOf(db)
  return {
    transaction: (work) => inTransaction(db, work),
    close: () => db.close(),
    ...keysetTable(sql),
    ...coinTable(sql),
    ...signatureTable(sql),
    ...mintQuoteTable(sql),
    ...meltQuoteTable(sql),
  }
}

function openFile(path: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600)) // SQLite gives its -wal and -shm files the mode of the database
    chmodSync(path, 0o600)
    const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;')
    return db
  } catch (cause) {
    throw new AppError('folder_damaged', 'the database cannot be opened', { cause })
  }
}

function migrate(db: DatabaseSync): void {
  inTransaction(db, () => {
    const row = db.prepare('PRAGMA user_version').get()
    const version = z.object({ user_version: z.number() }).parse(row).user_version
    if (version > migrations.length) throw new AppError('folder_too_new', 'written by a newer version of the mint')
    for (const sql of migrations.slice(version)) db.exec(sql)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

type Values = Readonly<Record<string, SQLInputValue>>

/** Statements prepared once, with values by name; rows parsed by a schema. */
type Sql = {
  all<T>(row: z.ZodType<T>, sql: string, values?: Values): readonly T[]
  first<T>(row: z.ZodType<T>, sql: string, values?: Values): T | undefined
  /** @returns whether any row changed */
  change(sql: string, values: Values): boolean
}

function sqlOf(db: DatabaseSync): Sql {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    all: (row, sql, values = {}) => z.array(row).parse(prepare(sql).all(values)),
    first: (row, sql, values = {}) => row.optional().parse(prepare(sql).get(values)),
    change: (sql, values) => Number(prepare(sql).run(values).changes) > 0,
  }
}

const hex = z.instanceof(Uint8Array).transform((bytes) => bytesToHex(bytes))

const keysetRow = z.object({
  id: z.string(),
  index: z.number(),
  unit: z.string(),
  feePpk: z.number(),
  finalExpiry: z.number().nullable(),
  active: z.number().transform((value) => value === 1),
})

function keysetTable({ all, change }: Sql): KeysetTable {
  return {
    keysets: () =>
      all(
        keysetRow,
        `SELECT id, derivation_index AS "index", unit, fee_ppk AS feePpk, final_expiry AS finalExpiry, active
         FROM keysets ORDER BY derivation_index`,
      ),
    activateKeyset: (keyset, createdAt) => {
      change('UPDATE keysets SET active = 0 WHERE unit = :unit AND active = 1', { unit: keyset.unit })
      change(
        `INSERT INTO keysets (id, derivation_index, unit, fee_ppk, final_expiry, active, created_at)
         VALUES (:id, :index, :unit, :feePpk, :finalExpiry, 1, :createdAt)`,
        { ...keyset, createdAt },
      )
    },
  }
}

const coinRow = z.object({ state: z.enum(['PENDING', 'SPENT']), witness: z.string().nullable() })

function coinTable({ first, change }: Sql): CoinTable {
  const take = (coin: SpentCoin, requestHash: string, state: 'PENDING' | 'SPENT', meltQuote: string | null): boolean =>
    change(
      `INSERT INTO coins (Y, keyset_id, amount, secret, C, witness, request_hash, state, melt_quote)
       VALUES (:Y, :keysetId, :amount, :secret, :C, :witness, :requestHash, :state, :meltQuote)
       ON CONFLICT (Y) DO NOTHING`,
      { ...coin, Y: hexToBytes(coin.Y), C: hexToBytes(coin.C), requestHash: hexToBytes(requestHash), state, meltQuote },
    )
  return {
    coin: (Y) => first(coinRow, 'SELECT state, witness FROM coins WHERE Y = :Y', { Y: hexToBytes(Y) }),
    spend: (coin, requestHash) => take(coin, requestHash, 'SPENT', null),
    reserve: (coin, requestHash, meltQuoteId) => take(coin, requestHash, 'PENDING', meltQuoteId),
  }
}

const signatureRow = z.object({ B_: hex, keysetId: z.string(), amount: z.number(), C_: hex, e: hex, s: hex })
const selectSignature = 'SELECT B_, keyset_id AS keysetId, amount, C_, e, s FROM signatures'

function signatureTable({ all, first, change }: Sql): SignatureTable {
  return {
    addSignature: ({ B_, keysetId, amount, C_, e, s }, requestHash, position) =>
      change(
        `INSERT INTO signatures (B_, keyset_id, amount, C_, e, s, request_hash, position)
         SELECT :B_, :keysetId, :amount, :C_, :e, :s, :requestHash, :position
         WHERE NOT EXISTS (SELECT 1 FROM melt_blanks WHERE B_ = :B_)
         ON CONFLICT (B_) DO NOTHING`,
        {
          B_: hexToBytes(B_),
          keysetId,
          amount,
          C_: hexToBytes(C_),
          e: hexToBytes(e),
          s: hexToBytes(s),
          requestHash: hexToBytes(requestHash),
          position,
        },
      ),
    signaturesOf: (requestHash) =>
      all(signatureRow, `${selectSignature} WHERE request_hash = :requestHash ORDER BY position`, {
        requestHash: hexToBytes(requestHash),
      }),
    signature: (B_) => first(signatureRow, `${selectSignature} WHERE B_ = :B_`, { B_: hexToBytes(B_) }),
  }
}

const mintQuoteRow = z.object({
  id: z.string(),
  unit: z.string(),
  amount: z.number(),
  request: z.string(),
  paymentHash: hex,
  state: z.enum(['UNPAID', 'PAID', 'ISSUED']),
  createdAtMs: z.number(),
  expiry: z.number(),
})
const selectMintQuote = `SELECT id, unit, amount, request, payment_hash AS paymentHash, state,
  created_at_ms AS createdAtMs, expiry FROM mint_quotes`

function mintQuoteTable({ first, change }: Sql): MintQuoteTable {
  return {
    addMintQuote: (quote) => {
      change(
        `INSERT INTO mint_quotes (id, unit, amount, request, payment_hash, state, created_at_ms, expiry)
         VALUES (:id, :unit, :amount, :request, :paymentHash, :state, :createdAtMs, :expiry)`,
        { ...quote, paymentHash: hexToBytes(quote.paymentHash) },
      )
    },
    mintQuote: (id) => first(mintQuoteRow, `${selectMintQuote} WHERE id = :id`, { id }),
    mintQuoteOf: (paymentHash) =>
      first(mintQuoteRow, `${selectMintQuote} WHERE payment_hash = :paymentHash`, {
        paymentHash: hexToBytes(paymentHash),
      }),
    markPaid: (id) => change(`UPDATE mint_quotes SET state = 'PAID' WHERE id = :id AND state = 'UNPAID'`, { id }),
    markIssued: (id, requestHash) => {
      const issued = change(
        `UPDATE mint_quotes SET state = 'ISSUED', request_hash = :requestHash WHERE id = :id AND state = 'PAID'`,
        { id, requestHash: hexToBytes(requestHash) },
      )
      if (!issued) throw new AppError('internal', 'a mint quote was not PAID')
    },
  }
}

const meltQuoteRow = z.object({
  id: z.string(),
  unit: z.string(),
  amount: z.number(),
  feeReserve: z.number(),
  request: z.string(),
  paymentHash: hex,
  state: z.enum(['UNPAID', 'PENDING', 'PAID']),
  expiry: z.number(),
  requestHash: hex.nullable(),
  preimage: z.string().nullable(),
})
const blankRow = z.object({ B_: hex, keysetId: z.string() })
const selectMeltQuote = `SELECT id, unit, amount, fee_reserve AS feeReserve, request, payment_hash AS paymentHash, state,
  expiry, request_hash AS requestHash, preimage FROM melt_quotes`

function meltQuoteTable({ all, first, change }: Sql): MeltQuoteTable {
  return {
    addMeltQuote: ({ id, unit, amount, feeReserve, request, paymentHash, expiry }) => {
      change(
        `INSERT INTO melt_quotes (id, unit, amount, fee_reserve, request, payment_hash, state, expiry)
         VALUES (:id, :unit, :amount, :feeReserve, :request, :paymentHash, 'UNPAID', :expiry)`,
        { id, unit, amount, feeReserve, request, paymentHash: hexToBytes(paymentHash), expiry },
      )
    },
    meltQuote: (id) => first(meltQuoteRow, `${selectMeltQuote} WHERE id = :id`, { id }),
    meltOf: (paymentHash) =>
      first(meltQuoteRow, `${selectMeltQuote} WHERE payment_hash = :paymentHash AND state <> 'UNPAID'`, {
        paymentHash: hexToBytes(paymentHash),
      }),
    pendingMelts: () => all(meltQuoteRow, `${selectMeltQuote} WHERE state = 'PENDING'`),
    markPending: (id, requestHash) => {
      const pending = change(
        `UPDATE melt_quotes SET state = 'PENDING', request_hash = :requestHash WHERE id = :id AND state = 'UNPAID'`,
        { id, requestHash: hexToBytes(requestHash) },
      )
      if (!pending) throw new AppError('internal', 'a melt quote was not UNPAID')
    },
    addBlank: ({ B_, keysetId }, meltQuoteId, position) =>
      change(
        `INSERT INTO melt_blanks (B_, keyset_id, melt_quote, position)
         SELECT :B_, :keysetId, :meltQuoteId, :position
         WHERE NOT EXISTS (SELECT 1 FROM signatures WHERE B_ = :B_)
         ON CONFLICT (B_) DO NOTHING`,
        { B_: hexToBytes(B_), keysetId, meltQuoteId, position },
      ),
    takeBlanks: (id) => {
      const sql = 'SELECT B_, keyset_id AS keysetId FROM melt_blanks WHERE melt_quote = :id ORDER BY position'
      const blanks = all(blankRow, sql, { id })
      change('DELETE FROM melt_blanks WHERE melt_quote = :id', { id })
      return blanks
    },
    completeMelt: (id, preimage, given) => {
      change(`UPDATE coins SET state = 'SPENT' WHERE melt_quote = :id AND state = 'PENDING'`, { id })
      return change(
        `UPDATE melt_quotes SET state = 'PAID', preimage = :preimage, change = :given
         WHERE id = :id AND state = 'PENDING'`,
        { id, preimage, given },
      )
    },
    abandonMelt: (id) => {
      change('DELETE FROM melt_blanks WHERE melt_quote = :id', { id })
      change(`DELETE FROM coins WHERE melt_quote = :id AND state = 'PENDING'`, { id })
      change(`UPDATE melt_quotes SET state = 'UNPAID', request_hash = NULL WHERE id = :id AND state = 'PENDING'`, {
        id,
      })
    },
  }
}
