// The engine's store on SQLite. All SQL of the wallet stands here and in schema.ts; constraints do the work.

import { maxAmount } from '../../shared/amount.ts'
import type { KeysByDenomination, Keyset } from '../../shared/cashu/keyset.ts'
import { AppError } from '../../shared/errors.ts'
import type { PaymentFilter } from '../../shared/model.ts'
import { z } from '../../shared/schema.ts'
import { expiredReason, keepReceipt, mayFollow, type Operation, operationSchema } from '../wallet/operation.ts'
import type {
  Coin,
  CoinState,
  MintRow,
  OwnOutput,
  PursePath,
  PurseRow,
  TakenPurses,
  WalletReads,
  WalletStore,
  WalletWrites,
} from '../wallet/store-port.ts'
import { type Database, openDatabase, type Row, readUnopened, type Value } from './database.ts'
import { type Merged, type MergeOptions, mergeBackup } from './merge.ts'
import { migrations } from './schema.ts'

const milestoneEvery = 100
/** Clocks are corrected by less than this without anybody noticing. */
const clockToleranceMs = 60_000

const text = z.string()
const integer = z.number().int()
const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1)

const mintRow = z
  .object({
    account: integer,
    url: text,
    name: text.nullable(),
    version: text.nullable(),
    offline_capable: flag,
    last_reached_at: integer.nullable(),
    alarm: text.nullable(),
    removed: flag,
  })
  .transform(
    ({ offline_capable, last_reached_at, ...rest }): MintRow => ({
      ...rest,
      offlineCapable: offline_capable,
      lastReachedAt: last_reached_at,
    }),
  )

const keysetRow = z
  .object({
    id: text,
    id_v2: text,
    account: integer,
    unit: text,
    active: flag,
    fee_ppk: integer,
    final_expiry: integer.nullable(),
    keys: text.transform(keysIn),
  })
  .transform(({ account, id_v2, fee_ppk, final_expiry, ...rest }): { account: number; keyset: Keyset } => ({
    account,
    keyset: { ...rest, idV2: id_v2, feePpk: fee_ppk, finalExpiry: final_expiry },
  }))

const keysSchema = z.record(z.string(), z.string())
/** What was read of this text before: the keys of a keyset never change, and all those of a mint are read again and again. */
const knownKeys = new Map<string, KeysByDenomination>()
/** Of mints with a usual number of keysets; 64 keys have 5 kB. */
const maxKnownKeys = 1_024

function keysIn(json: string): KeysByDenomination {
  const known = knownKeys.get(json)
  if (known) return known
  const keys = Object.freeze(keysSchema.parse(readJson(json)))
  const [oldest] = knownKeys.keys()
  if (knownKeys.size >= maxKnownKeys && oldest !== undefined) knownKeys.delete(oldest)
  knownKeys.set(json, keys)
  return keys
}

const purseRow = z
  .object({
    id: integer,
    generation: integer,
    path_account: integer,
    purse: integer,
    unit: text,
    purpose: z.enum(['withdraw', 'receive', 'change', 'refresh', 'restored']),
    next_coin: integer,
    used: flag,
    closed: flag,
  })
  .transform(
    ({ path_account, next_coin, ...rest }): PurseRow => ({ ...rest, account: path_account, nextCoin: next_coin }),
  )

const coinState = z.enum(['spendable', 'reserved', 'handed_over', 'spent', 'quarantined'])
const pathRow = { generation: integer, path_account: integer, purse: integer, coin: integer }
const coinRow = z
  .object({
    ...pathRow,
    Y: text,
    purse_id: integer,
    account: integer,
    unit: text,
    keyset_id: text,
    amount: integer,
    C: text,
    e: text,
    s: text,
    state: coinState,
    operation_id: text.nullable(),
  })
  .transform(
    ({ generation, path_account, purse, coin, purse_id, keyset_id, operation_id, ...rest }): Coin => ({
      ...rest,
      path: { generation, account: path_account, purse, coin },
      purseId: purse_id,
      keysetId: keyset_id,
      operationId: operation_id,
    }),
  )
const outputRow = z.object({ ...pathRow, B_: text, purse_id: integer, operation_id: text }).transform(
  ({ generation, path_account, purse, coin, B_, purse_id, operation_id }): OwnOutput => ({
    B_,
    purseId: purse_id,
    path: { generation, account: path_account, purse, coin },
    operationId: operation_id,
  }),
)
/** The column says when an operation is due; the copy in its data may be older. */
const dataRow = z
  .object({ data: text, next_attempt_at: integer.nullable() })
  .transform(({ data, next_attempt_at }) => ({
    ...operationSchema.parse(readJson(data)),
    nextAttemptAt: next_attempt_at,
  }))

const coinSelect = `SELECT coin.*, purse.generation, purse.path_account, purse.purse, purse.account, purse.unit
  FROM coin JOIN purse ON purse.id = coin.purse_id`
const keysetSelect = 'SELECT * FROM keyset'
const metaSelect = 'SELECT value FROM meta WHERE key = ?'

/**
 * Open the wallet's database file (mode 0600), migrating it if it is older.
 * @throws AppError `folder_too_new`, `folder_damaged`
 */
export const openWalletStore = (path: string): WalletStore => openWalletFile(path).store

/** The store, and what needs two databases at once. */
export type WalletFile = {
  readonly store: WalletStore
  /** The newest of it was lost by damage to the disk: it is an older state of itself. */
  readonly hasLostCommits: boolean
  /** Bring in what a backup of this wallet knows. @see mergeBackup */
  merge(backup: MergeOptions<WalletWrites>): Merged
}

/** As `openWalletStore`. */
export function openWalletFile(path: string): WalletFile {
  const db = openDatabase(path, migrations)
  const read = createReads(db)
  const write = createWrites(db, read)
  return {
    store: { read, transaction: (work) => db.transaction(() => work(write)), close: db.close },
    hasLostCommits: db.hasLostCommits,
    merge: (backup) => mergeBackup(db, write, backup),
  }
}

/**
 * What a wallet's database notes under this key, without opening it: it stays as it is. @returns undefined for nothing
 * @throws AppError `folder_too_new`, `folder_damaged`, `folder_in_use`
 */
export function notedIn(path: string, key: string): unknown {
  const row = readUnopened(path, migrations, metaSelect, key)
  return row === undefined ? undefined : readJson(parse(text, row['value'] ?? null))
}

function parse<T>(schema: z.ZodType<T>, row: Row | Value): T {
  try {
    return schema.parse(row) // a schema inside a column throws, too
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('folder_damaged', 'a row of the database is not readable', { cause })
  }
}

/** A column that holds JSON. The parser's own words quote what they stumble over: they are not handed on. */
function readJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new AppError('folder_damaged', 'a column of the database is no JSON')
  }
}

/**
 * A payment that was only asked about, or offered and never paid, is none; one that was signed anew is shown as the one in
 * its place.
 */
const shownPayments = "state NOT IN ('asking', 'agreed', 'abandoned', 'terms', 'expired', 'replaced')"

/** A field of the data of a row, for SQL that goes over many: one that is no JSON must not stop it. */
const inData = (name: DataField): string => `CASE WHEN json_valid(data) THEN json_extract(data, '$.${name}') END`
type DataField =
  | 'attempts'
  | 'updatedAt'
  | 'replaces'
  | 'withheld'
  | 'reading'
  | 'pendingSince'
  | 'refusedSince'
  | 'lastError'

/** As `countsAsSigned` of the wallet: it has its receipt, or the mint was asked and does not answer. */
const countsAsSigned = `${inData('withheld')} IS NULL OR (
  ${inData('withheld')} = 'mint' AND ${inData('attempts')} > 0 AND ${inData('reading')} IS NULL
  AND ${inData('pendingSince')} IS NULL AND ${inData('refusedSince')} IS NULL
  AND ${inData('lastError')} IS NOT '${expiredReason}')`

/** With what a person was only asked about; what signs another anew is shown when it has. */
const listedPayments = `kind IN ('pay', 'receive') AND state NOT IN ('terms', 'expired', 'replaced')
  AND NOT (state IN ('asking', 'agreed', 'abandoned') AND ${inData('replaces')} IS NOT NULL)`
const paymentFilters: Readonly<Record<PaymentFilter, string>> = {
  all: 'TRUE',
  in: "kind = 'receive'",
  out: "kind = 'pay'",
  waiting: "state IN ('signed', 'settling', 'handing_over', 'settled', 'voided', 'reclaiming', 'dead')",
  bounced: "state = 'bounced'",
}

/** What never came to anything or is over, and is only asked about: strangers can leave many of these. */
const onlyAskedAbout = "'terms', 'refused', 'bounced', 'replaced', 'lost', 'failed'"

/** A sum that stops at the largest amount: SQLite's own would fail, and with it whatever is shown, where a mint made up coins. */
const cappedSum = (column: string): string => `CAST(MIN(TOTAL(${column}), ${maxAmount}) AS INTEGER)`

/** What a row says, or undefined when it makes no sense. */
function orUnreadable<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (isDamage(error)) return undefined
    throw error
  }
}

const isDamage = (thrown: unknown): boolean => thrown instanceof AppError && thrown.code === 'folder_damaged'

/** What a person may look for. */
function searchText(operation: Operation): string {
  if (operation.kind !== 'pay' && operation.kind !== 'receive') return ''
  const name = 'payeeName' in operation ? operation.payeeName : ''
  return `${name} ${operation.memo ?? ''} ${operation.amount}`.toLowerCase()
}

const readable = <T>(schema: z.ZodType<T>, rows: readonly Row[]): readonly T[] =>
  rows.flatMap((row) => orUnreadable(() => parse(schema, row)) ?? [])

function createReads(db: Database): WalletReads {
  /** @returns undefined for no row */
  const orUnreadableRow = (read: () => Operation | undefined): Operation | 'unreadable' | undefined => {
    try {
      return read()
    } catch (error) {
      if (isDamage(error)) return 'unreadable'
      throw error
    }
  }
  const one = <T>(schema: z.ZodType<T>, sql: string, ...values: readonly Value[]): T | undefined => {
    const row = db.get(sql, ...values)
    return row === undefined ? undefined : parse(schema, row)
  }
  const many = <T>(schema: z.ZodType<T>, sql: string, ...values: readonly Value[]): readonly T[] =>
    db.all(sql, ...values).map((row) => parse(schema, row))
  const numberOf = (sql: string, ...values: readonly Value[]): number =>
    one(z.object({ n: integer.nullable() }), sql, ...values)?.n ?? 0

  const operation = (id: string): Operation | undefined =>
    one(dataRow, 'SELECT data, next_attempt_at FROM operation WHERE id = ?', id)

  return {
    operation,
    other: (id) => orUnreadableRow(() => operation(id)),
    operations: ({ kind, isPayment, states, account, limit, isLenient }) => {
      // Only what is asked for stands in the question: an index serves each of them, however long the history is.
      const where = [
        ...(kind === undefined ? [] : ['kind = ?1']),
        ...(isPayment ? [listedPayments] : []),
        ...(states === undefined ? [] : ['state IN (SELECT value FROM json_each(?2))']),
        ...(account === undefined ? [] : ['account = ?3']),
        'TRUE',
      ]
      const rows = db.all(
        `SELECT data, next_attempt_at FROM operation WHERE ${where.join(' AND ')} AND ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3
         ORDER BY seq DESC LIMIT ?4`,
        kind ?? null,
        states === undefined ? null : JSON.stringify(states),
        account ?? null,
        limit ?? -1,
      )
      return isLenient ? readable(dataRow, rows) : rows.map((row) => parse(dataRow, row))
    },
    dueOperations: (now, limit) => {
      const rows = db.all(
        `SELECT id, data, next_attempt_at FROM operation INDEXED BY operation_due
         WHERE next_attempt_at <= ? ORDER BY state IN (${onlyAskedAbout}), seq DESC LIMIT ?`,
        now,
        limit,
      )
      const read = rows.map((row) => orUnreadable(() => parse(dataRow, row)))
      return {
        operations: read.flatMap((operation) => operation ?? []),
        unreadable: rows.flatMap((row, index) => (read[index] ? [] : parse(text, row['id'] ?? null))),
      }
    },
    nextDueAt: () =>
      one(
        z.object({ n: integer.nullable() }),
        'SELECT MIN(next_attempt_at) AS n FROM operation WHERE next_attempt_at <= ?',
        Number.MAX_SAFE_INTEGER,
      )?.n ?? null,
    receiveOf: (payerPeer, paymentId) =>
      one(
        dataRow,
        'SELECT data, next_attempt_at FROM operation WHERE payer_peer = ? AND payment_id = ?',
        payerPeer,
        paymentId,
      ),
    receiveByTerms: (termsHash) =>
      one(dataRow, 'SELECT data, next_attempt_at FROM operation WHERE terms_hash = ?', termsHash),
    payments: ({ before, limit, search, filter }) => {
      const where = `FROM operation INDEXED BY operation_payment
         WHERE kind IN ('pay', 'receive') AND ${shownPayments} AND ${paymentFilters[filter]}
           AND (?1 = '' OR search LIKE ?1 ESCAPE '\\')`
      const pattern = search === '' ? '' : `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
      const rows = db.all(
        // Found in the index alone; only the rows of this page are read, which are large.
        `SELECT seq, data, next_attempt_at FROM operation WHERE id IN (
           SELECT id ${where} AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3
         ) ORDER BY seq DESC`,
        pattern,
        before,
        limit + 1,
      )
      const page = rows.slice(0, limit)
      const last = page.at(-1)
      return {
        operations: readable(dataRow, page),
        total: numberOf(`SELECT COUNT(*) AS n ${where}`, pattern),
        next: rows.length > limit && last ? integer.parse(last['seq']) : null,
      }
    },
    history: (id) =>
      many(
        z.object({ at: integer, state: text }),
        'SELECT at, state FROM operation_event WHERE operation_id = ? ORDER BY id',
        id,
      ),
    waiting: (account) => {
      const count = (what: string) =>
        numberOf(`SELECT COUNT(*) AS n FROM operation WHERE ${what} AND (?1 IS NULL OR account = ?1)`, account)
      return {
        in: count("kind = 'receive' AND state = 'signed'"),
        out: count("kind = 'pay' AND state = 'signed'"),
        onItsWay: count("kind = 'pay' AND state IN ('settling', 'handing_over', 'settled')"),
      }
    },
    payOfRequest: (requestId, payeeKey, states) =>
      orUnreadableRow(() =>
        one(
          dataRow,
          // A row that does not say to whom may be to this one.
          `SELECT data, next_attempt_at FROM operation
           WHERE kind = 'pay' AND request_id = ? AND state IN (SELECT value FROM json_each(?))
             AND CASE WHEN json_valid(data) THEN
               json_type(data, '$.expectedKey') IS NULL OR json_extract(data, '$.expectedKey') = ? ELSE TRUE END
           ORDER BY seq DESC LIMIT 1`,
          requestId,
          JSON.stringify(states),
          payeeKey,
        ),
      ),
    isExpecting: (account) =>
      db.get(
        `SELECT 1 AS n FROM operation WHERE account = ? AND (
           (kind = 'withdraw' AND state IN ('quoting', 'unpaid', 'issuing'))
           OR (kind = 'melt' AND next_attempt_at IS NOT NULL)) LIMIT 1`,
        account,
      ) !== undefined,
    receiveBySwap: (digest) => {
      const found = one(
        dataRow,
        `SELECT data, next_attempt_at FROM operation INDEXED BY operation_swap
         WHERE kind = 'receive' AND json_extract(data, '$.swap.digest') = ?`,
        digest,
      )
      return found?.kind === 'receive' && 'swap' in found ? found : undefined
    },
    isRequestAnswered: (requestId) =>
      db.get(
        `SELECT 1 AS n FROM operation
         WHERE kind = 'receive' AND request_id = ? AND state IN ('signed', 'final') LIMIT 1`,
        requestId,
      ) !== undefined,
    openTerms: (address, forRequest, since) => {
      const open = "FROM operation WHERE kind = 'receive' AND state NOT IN ('signed', 'final') AND created_at > ?"
      return {
        fromAddress: numberOf(`SELECT COUNT(*) AS n ${open} AND payer_address = ?`, since, address),
        inAll: numberOf(`SELECT COUNT(*) AS n ${open} AND (request_id IS NOT NULL) = ?`, since, Number(forRequest)),
      }
    },
    signedPayments: (unit, since) => {
      const received = "WHERE kind = 'receive' AND unit = ?"
      return {
        sum: numberOf(
          `SELECT ${cappedSum('amount')} AS n FROM operation
           ${received} AND state = 'signed' AND ${inData('withheld')} IS NOT 'limits'`,
          unit,
        ),
        count: numberOf(
          `SELECT COUNT(*) AS n FROM operation INDEXED BY operation_signed ${received} AND signed_at > ?`,
          unit,
          since,
        ),
      }
    },

    mints: () => many(mintRow, 'SELECT * FROM mint ORDER BY account'),
    mint: (account) => one(mintRow, 'SELECT * FROM mint WHERE account = ?', account),
    mintByUrl: (url) => one(mintRow, 'SELECT * FROM mint WHERE url = ?', url),
    keysets: (account) =>
      many(keysetRow, `${keysetSelect} WHERE account = ? ORDER BY id`, account).map(({ keyset }) => keyset),
    units: (account) =>
      many(z.object({ unit: text }), 'SELECT DISTINCT unit FROM keyset WHERE account = ? ORDER BY id', account).map(
        ({ unit }) => unit,
      ),
    keyset: (id) => one(keysetRow, `${keysetSelect} WHERE id = ?`, id),
    keysetV2: (idV2) => one(keysetRow, `${keysetSelect} WHERE id_v2 = ?`, idV2),

    purse: (id) => one(purseRow, 'SELECT * FROM purse WHERE id = ?', id),
    purses: (account, unit) =>
      many(purseRow, 'SELECT * FROM purse WHERE account = ?1 AND (?2 IS NULL OR unit = ?2) ORDER BY id', account, unit),
    purseAt: ({ generation, account: pathAccount, purse }, account) =>
      one(
        purseRow,
        'SELECT * FROM purse WHERE generation = ? AND path_account = ? AND purse = ? AND account = ?',
        generation,
        pathAccount,
        purse,
        account,
      ),
    takenPurses: (generation, account) => {
      const highest = numberOf(
        'SELECT MAX(purse) AS n FROM purse WHERE generation = ? AND path_account = ?',
        generation,
        account,
      )
      const has = (purse: number) =>
        db.get(
          'SELECT 1 AS n FROM purse WHERE generation = ? AND path_account = ? AND purse = ?',
          generation,
          account,
          purse,
        ) !== undefined
      const filled = () =>
        numberOf(
          `SELECT MAX(purse) AS n FROM purse
           WHERE generation = ? AND path_account = ? AND purse % ? = 0
             AND (closed = 0 OR EXISTS (SELECT 1 FROM coin WHERE coin.purse_id = purse.id))`,
          generation,
          account,
          milestoneEvery,
        )
      return { highest, has, dueMilestone: () => dueMilestone(highest, has, filled) }
    },
    coinsIn: (purseId) => many(coinRow, `${coinSelect} WHERE coin.purse_id = ? ORDER BY coin.coin`, purseId),
    coin: (account, Y) => one(coinRow, `${coinSelect} WHERE coin.Y = ? AND purse.account = ?`, Y, account),
    coins: (account, unit, state) =>
      many(
        coinRow,
        `${coinSelect} WHERE purse.account = ? AND purse.unit = ? AND coin.state = ? ORDER BY coin.purse_id, coin.coin`,
        account,
        unit,
        state,
      ),
    coinsOf: (operationId) =>
      many(coinRow, `${coinSelect} WHERE coin.operation_id = ? ORDER BY coin.purse_id, coin.coin`, operationId),
    ownOutput: (account, B_) =>
      one(
        outputRow,
        `SELECT output.*, purse.generation, purse.path_account, purse.purse
         FROM output JOIN purse ON purse.id = output.purse_id WHERE output.B_ = ? AND purse.account = ?`,
        B_,
        account,
      ),
    wasSeen: (Y) => db.get('SELECT 1 AS n FROM seen WHERE Y = ?', Y) !== undefined,
    seenBy: (Y) => one(z.object({ operation_id: text }), 'SELECT operation_id FROM seen WHERE Y = ?', Y)?.operation_id,
    totals: (account, unit) => {
      const totals: Record<CoinState, number> = { spendable: 0, reserved: 0, handed_over: 0, spent: 0, quarantined: 0 }
      const rows = many(
        z.object({ state: coinState, n: integer }),
        `SELECT coin.state, ${cappedSum('coin.amount')} AS n FROM coin JOIN purse ON purse.id = coin.purse_id
         WHERE purse.account = ? AND purse.unit = ? GROUP BY coin.state`,
        account,
        unit,
      )
      for (const { state, n } of rows) totals[state] = n
      return totals
    },
    coinCount: (account) =>
      numberOf(
        `SELECT COUNT(*) AS n FROM coin JOIN purse ON purse.id = coin.purse_id
         WHERE purse.account = ? AND coin.state <> 'spent'`,
        account,
      ),
    signedToUs: (account, unit) =>
      numberOf(
        `SELECT ${cappedSum('amount')} AS n FROM operation
         WHERE kind = 'receive' AND state = 'signed' AND account = ? AND unit = ? AND (${countsAsSigned})`,
        account,
        unit,
      ),
    changes: () =>
      numberOf(`SELECT (SELECT COALESCE(MAX(id), 0) FROM operation_event)
        + (SELECT COUNT(*) + COALESCE(SUM(next_coin), 0) FROM purse) AS n`),
    meta: (key) => {
      const row = db.get(metaSelect, key)
      return row === undefined ? undefined : readJson(parse(text, row['value'] ?? null))
    },
  }
}

function createWrites(db: Database, read: WalletReads): WalletWrites {
  const run = (sql: string, ...values: readonly Value[]): number => {
    if (!db.inTransaction()) throw new AppError('internal', 'a write outside a transaction')
    return db.run(sql, ...values)
  }
  const insertMintRow = (mint: MintRow) =>
    run(
      'INSERT INTO mint (account, url, name, version, offline_capable, last_reached_at, alarm) VALUES (?, ?, ?, ?, ?, ?, ?)',
      mint.account,
      mint.url,
      mint.name,
      mint.version,
      Number(mint.offlineCapable),
      mint.lastReachedAt,
      mint.alarm,
    )
  const noteEvent = ({ id, updatedAt, state }: Operation) =>
    run('INSERT INTO operation_event (operation_id, at, state) VALUES (?, ?, ?)', id, updatedAt, state)
  const requirePurse = (id: number): PurseRow => {
    const purse = read.purse(id)
    if (!purse) throw new AppError('internal', `no purse ${id}`)
    return purse
  }

  const storedPurse = (path: PursePath, account: number): PurseRow => {
    const purse = read.purseAt(path, account)
    if (!purse) throw new AppError('internal', 'purse not stored')
    return purse
  }

  return {
    insertOperation: (operation) => {
      const receive = operation.kind === 'receive' ? operation : undefined
      run(
        `INSERT INTO operation (id, seq, kind, state, account, unit, amount, created_at, next_attempt_at, payer_peer,
           payment_id, payer_address, terms_hash, request_id, search, data)
         VALUES (?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM operation), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        operation.id,
        operation.kind,
        operation.state,
        operation.account,
        operation.unit,
        // A cash out has no amount in this unit before its quote; the column wants one, and nobody reads it there.
        Math.max(1, operation.amount),
        operation.createdAt,
        operation.nextAttemptAt,
        receive?.payerPeer ?? null,
        receive?.paymentId ?? null,
        receive?.payerAddress ?? null,
        receive?.termsHash ?? null,
        operation.kind === 'receive' || operation.kind === 'pay' ? operation.requestId : null,
        searchText(operation),
        JSON.stringify(operationSchema.parse(operation)),
      )
      noteEvent(operation)
    },
    updateOperation: (operation) => {
      const before = read.operation(operation.id)
      if (!before || before.kind !== operation.kind || !mayFollow(operation.kind, before.state, operation.state)) {
        throw new AppError('wrong_state', `${operation.kind}: ${before?.state ?? 'nothing'} → ${operation.state}`)
      }
      run(
        `UPDATE operation SET state = ?, next_attempt_at = ?, signed_at = COALESCE(signed_at, ?), search = ?, data = ?
         WHERE id = ?`,
        operation.state,
        operation.nextAttemptAt,
        operation.kind === 'receive' && 'signedAt' in operation ? operation.signedAt : null,
        searchText(operation),
        JSON.stringify(operationSchema.parse(keepReceipt(before, operation))),
        operation.id,
      )
      if (before.state !== operation.state) noteEvent(operation)
    },
    hastenRetries: (account, now) => {
      run(
        `UPDATE operation SET next_attempt_at = ?1
         WHERE account = ?2 AND next_attempt_at > ?1 AND ${inData('attempts')} > 0`,
        now,
        account,
      )
    },
    hastenFuture: (now) => {
      run(
        `UPDATE operation SET next_attempt_at = ?1
         WHERE next_attempt_at > ?1 AND ${inData('updatedAt')} > ?1 + ?2`,
        now,
        clockToleranceMs,
      )
    },
    hastenUnanswered: (now) => {
      run(
        `UPDATE operation SET next_attempt_at = ?1 WHERE next_attempt_at > ?1 AND (
           (kind = 'pay' AND state IN ('asking', 'agreed') AND ${inData('replaces')} IS NULL)
           OR (kind = 'melt' AND state IN ('quoting', 'quoted')))`,
        now,
      )
    },
    postpone: (ids, until) => {
      run(
        'UPDATE operation SET next_attempt_at = ? WHERE id IN (SELECT value FROM json_each(?))',
        until,
        JSON.stringify(ids),
      )
    },
    insertMint: (mint) => {
      if (read.mintByUrl(mint.url)) throw new AppError('mint_exists', 'this mint is already there')
      const account = read.mints().reduce((highest, { account }) => Math.max(highest, account), -1) + 1
      const row = { ...mint, account, removed: false }
      insertMintRow(row)
      return row
    },
    updateMint: (mint) => {
      run(
        `UPDATE mint SET name = ?, version = ?, offline_capable = ?, last_reached_at = ?, alarm = ?, removed = ?
         WHERE account = ?`,
        mint.name,
        mint.version,
        Number(mint.offlineCapable),
        mint.lastReachedAt,
        mint.alarm,
        Number(mint.removed),
        mint.account,
      )
    },
    putKeyset: (account, keyset) => {
      const known = read.keyset(keyset.id)
      if (known && (known.account !== account || known.keyset.idV2 !== keyset.idV2)) {
        throw new AppError('keyset_twin', `keyset ${keyset.id} is known with other keys, fee or mint`)
      }
      const twin = read.keysetV2(keyset.idV2)
      if (twin && twin.keyset.id !== keyset.id) throw new AppError('keyset_twin', 'one keyset under two ids')
      if (known) {
        run('UPDATE keyset SET active = ? WHERE id = ?', Number(keyset.active), keyset.id)
        return
      }
      run(
        'INSERT INTO keyset (id, id_v2, account, unit, active, fee_ppk, final_expiry, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        keyset.id,
        keyset.idV2,
        account,
        keyset.unit,
        Number(keyset.active),
        keyset.feePpk,
        keyset.finalExpiry,
        JSON.stringify(keyset.keys),
      )
    },
    takePurse: ({ generation, account, unit }, purpose, kind) => {
      const purse = nextPurse(read.takenPurses(generation, account), kind)
      run(
        `INSERT INTO purse (generation, path_account, purse, account, unit, purpose, next_coin, used, closed)
         VALUES (?1, ?2, ?3, ?2, ?4, ?5, 0, 0, 0)`,
        generation,
        account,
        purse,
        unit,
        purpose,
      )
      return storedPurse({ generation, account, purse }, account)
    },
    putRestoredPurse: (path, account, unit, nextCoin) => {
      run(
        `INSERT INTO purse (generation, path_account, purse, account, unit, purpose, next_coin, used, closed)
         VALUES (?, ?, ?, ?, ?, 'restored', ?, 1, 1)
         ON CONFLICT DO UPDATE SET next_coin = MAX(next_coin, excluded.next_coin)`,
        path.generation,
        path.account,
        path.purse,
        account,
        unit,
        nextCoin,
      )
      return storedPurse(path, account)
    },
    quarantineSpendable: (account) =>
      run(
        `UPDATE coin SET state = 'quarantined', operation_id = NULL WHERE state = 'spendable'
         AND (?1 IS NULL OR purse_id IN (SELECT id FROM purse WHERE account = ?1))`,
        account,
      ),
    markPurse: (id, { used, closed }) => {
      if (used) run('UPDATE purse SET used = 1 WHERE id = ?', id)
      if (closed) run('UPDATE purse SET closed = 1 WHERE id = ?', id)
    },
    takeCoinIndices: (purseId, count) => {
      const { nextCoin } = requirePurse(purseId)
      run('UPDATE purse SET next_coin = ? WHERE id = ?', nextCoin + count, purseId)
      return nextCoin
    },
    insertOutputs: (outputs) => {
      for (const { B_, purseId, path, operationId } of outputs) {
        run(
          'INSERT INTO output (B_, purse_id, coin, operation_id) VALUES (?, ?, ?, ?)',
          B_,
          purseId,
          path.coin,
          operationId,
        )
      }
    },
    moveCoins: (account, Ys, from, to, operationId) => {
      const changed = run(
        `UPDATE coin INDEXED BY coin_y SET state = ?, operation_id = ?
         WHERE Y IN (SELECT value FROM json_each(?)) AND state IN (SELECT value FROM json_each(?))
           AND (SELECT account FROM purse WHERE purse.id = coin.purse_id) = ?`,
        to,
        operationId,
        JSON.stringify(Ys),
        JSON.stringify(from),
        account,
      )
      if (changed !== Ys.length)
        throw new AppError('wrong_state', `${Ys.length - changed} coins are not ${from.join(' or ')}`)
    },
    insertCoins: (coins) => {
      for (const coin of coins) {
        run(
          `INSERT INTO coin (Y, purse_id, coin, keyset_id, amount, C, e, s, state, operation_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (purse_id, coin) DO NOTHING`,
          coin.Y,
          coin.purseId,
          coin.path.coin,
          coin.keysetId,
          coin.amount,
          coin.C,
          coin.e,
          coin.s,
          coin.state,
          coin.operationId,
        )
      }
    },
    markSeen: (Ys, operationId) => {
      for (const Y of Ys) run('INSERT INTO seen (Y, operation_id) VALUES (?, ?)', Y, operationId)
    },
    moveSeen: (Ys, from, to) => {
      const changed = run(
        'UPDATE seen SET operation_id = ? WHERE Y IN (SELECT value FROM json_each(?)) AND operation_id = ?',
        to,
        JSON.stringify(Ys),
        from,
      )
      if (changed !== Ys.length) throw new AppError('wrong_state', `${Ys.length - changed} coins were not seen with it`)
    },
    setMeta: (key, value) => {
      run(
        'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        key,
        JSON.stringify(value),
      )
    },
  }
}

/** A restore goes on until 64 are empty: one that fails halfway leaves no gap of that size. */
const milestonesAtOnce = 32

function dueMilestone(highest: number, has: (purse: number) => boolean, filled: () => number): number | undefined {
  const newest = Math.floor(highest / milestoneEvery) * milestoneEvery
  if (newest === 0) return undefined
  const last = filled()
  for (let next = Math.min(newest, last + milestonesAtOnce * milestoneEvery); next > last; next -= milestoneEvery) {
    if (!has(next)) return next
  }
  return undefined
}

/** The next purse number. Numbers only go up, but for purse 0 and milestones, which are kept free. */
function nextPurse({ highest, has, dueMilestone }: TakenPurses, kind: 'own' | 'offered' | 'milestone'): number {
  if (kind === 'own' && !has(0)) return 0
  const milestone = kind === 'milestone' ? dueMilestone() : undefined
  if (milestone !== undefined) return milestone
  const next = highest + 1
  return next % milestoneEvery === 0 ? next + 1 : next
}
