// What the parts of a merge have in common: which account of the backup is which one here, and how its operations are read.

import { AppError } from '../../shared/errors.ts'
import { z } from '../../shared/schema.ts'
import { type Operation, operationSchema } from '../wallet/operation.ts'
import type { Database } from './database.ts'

/** A merge under way: the backup's database is attached as `backup`, the wallet's own is `main`. */
export type Merging = {
  readonly db: Database
  /** Milliseconds. */
  readonly now: number
  /** From an account of the backup to the one of the same mint here. */
  readonly accounts: ReadonlyMap<number, number>
  /** The same as JSON, the first parameter of every statement that begins with `mapping`. */
  readonly pairs: string
}

/** Table `mapping` (theirs, ours). */
export const mapping = `WITH mapping AS MATERIALIZED (
  SELECT json_extract(value, '$[0]') AS theirs, json_extract(value, '$[1]') AS ours FROM json_each(?1)
)`

/** That a purse of the backup, joined to `mapping`, is this one here: the same place in the derivation at the same mint. */
export const onPurse = (theirs: string, ours: string): string =>
  `${ours}.generation = ${theirs}.generation AND ${ours}.path_account = ${theirs}.path_account
   AND ${ours}.purse = ${theirs}.purse AND ${ours}.account = mapping.ours`

/** The operation with account and purses as they are numbered here; undefined when one of them is not here. */
export type Carry = (operation: Operation) => Operation | undefined

export function carrier({ db, accounts, pairs }: Merging): Carry {
  const purses = new Map(
    db
      .all(
        `${mapping} SELECT bp.id AS theirs, p.id AS ours FROM backup.purse bp
         JOIN mapping ON mapping.theirs = bp.account JOIN main.purse p ON ${onPurse('bp', 'p')}`,
        pairs,
      )
      .map((row) => [integer.parse(row['theirs']), integer.parse(row['ours'])]),
  )
  return (operation) => {
    const account = accounts.get(operation.account)
    if (account === undefined) return undefined
    switch (operation.kind) {
      case 'refresh': {
        const target = purses.get(operation.target)
        return target === undefined ? undefined : { ...operation, account, target }
      }
      case 'melt': {
        if (!('purse' in operation)) return { ...operation, account }
        const purse = purses.get(operation.purse)
        return purse === undefined ? undefined : { ...operation, account, purse }
      }
      case 'withdraw':
      case 'pay':
      case 'receive':
      case 'restore':
        return { ...operation, account }
    }
  }
}

const integer = z.number().int()

/** One at a time: rows are large, and a history may be long. @throws AppError `bad_backup` */
export function operationIn({ db }: Merging, where: 'main' | 'backup', id: unknown): Operation {
  const row = db.get(`SELECT data FROM ${where}.operation WHERE id = ?`, z.string().parse(id))
  try {
    return operationSchema.parse(JSON.parse(z.string().parse(row?.['data'])))
  } catch {
    throw new AppError('bad_backup', 'an operation that is not understood')
  }
}

/** As it goes on here: open ones are due. */
export const calmed = ({ now }: Merging, operation: Operation): Operation => ({
  ...operation,
  nextAttemptAt: operation.nextAttemptAt === null ? null : now,
})

/** When an operation came into which state. */
export type Event = { readonly at: number; readonly state: string }
const event = z.object({ at: integer, state: z.string() })

export function eventsOf({ db }: Merging, where: 'main' | 'backup', id: string): readonly Event[] {
  return db
    .all(`SELECT at, state FROM ${where}.operation_event WHERE operation_id = ? ORDER BY id`, id)
    .map((row) => event.parse(row))
}

/**
 * The story of an operation, in place of what was told of it. Numbers are not used again: by the highest one this computer
 * knows how far this folder had come (`WalletReads.changes`).
 */
export function writeEvents({ db }: Merging, id: string, events: readonly Event[]): void {
  const last = integer.parse(db.get('SELECT COALESCE(MAX(id), 0) AS n FROM main.operation_event')?.['n'])
  db.run('DELETE FROM main.operation_event WHERE operation_id = ?', id)
  for (const [index, { at, state }] of events.entries()) {
    db.run(
      'INSERT INTO main.operation_event (id, operation_id, at, state) VALUES (?, ?, ?, ?)',
      last + 1 + index,
      id,
      at,
      state,
    )
  }
}
