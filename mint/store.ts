// The mint's store: all SQL of the mint stands here and in schema.ts; constraints do the work.

import { z } from 'zod'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import { type Database, openDatabase } from './database.ts'
import type {
  CoinTable,
  KeysetTable,
  MeltQuoteTable,
  MintQuoteTable,
  MintStore,
  SignatureTable,
  SpentCoin,
} from './ports.ts'

/**
 * One file, one process that serves it, and the operator's commands beside it.
 * @throws AppError `folder_too_new`, `folder_damaged`; here and from every call: `disk_full`, `disk_unwritable`
 */
export function openMintStore(path: string): MintStore {
  const db = openDatabase(path)
  return {
    transaction: db.transaction,
    close: db.close,
    ...keysetTable(db),
    ...coinTable(db),
    ...signatureTable(db),
    ...mintQuoteTable(db),
    ...meltQuoteTable(db),
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

function keysetTable({ all, change }: Database): KeysetTable {
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

function coinTable({ first, change }: Database): CoinTable {
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
const takenRow = z.object({ B_: hex })
const selectSignature = 'SELECT B_, keyset_id AS keysetId, amount, C_, e, s FROM signatures'

function signatureTable({ all, first, change }: Database): SignatureTable {
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
    isTaken: (B_) => {
      const sql = 'SELECT B_ FROM signatures WHERE B_ = :B_ UNION ALL SELECT B_ FROM melt_blanks WHERE B_ = :B_'
      return first(takenRow, sql, { B_: hexToBytes(B_) }) !== undefined
    },
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

function mintQuoteTable({ first, change }: Database): MintQuoteTable {
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

function meltQuoteTable({ all, first, change }: Database): MeltQuoteTable {
  return {
    addMeltQuote: ({ id, unit, amount, feeReserve, request, paymentHash, expiry }) => {
      change(
        `INSERT INTO melt_quotes (id, unit, amount, fee_reserve, request, payment_hash, state, expiry)
         VALUES (:id, :unit, :amount, :feeReserve, :request, :paymentHash, 'UNPAID', :expiry)`,
        { id, unit, amount, feeReserve, request, paymentHash: hexToBytes(paymentHash), expiry },
      )
    },
    meltQuote: (id) => first(meltQuoteRow, `${selectMeltQuote} WHERE id = :id`, { id }),
    forgetMeltQuotes: (expiredBefore, most) => {
      change(
        `DELETE FROM melt_quotes WHERE id IN (
           SELECT id FROM melt_quotes WHERE state = 'UNPAID' AND expiry < :expiredBefore ORDER BY expiry LIMIT :most)`,
        { expiredBefore, most },
      )
    },
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
