// What stands in the wallet's database, as it may be after a disk or another program spoiled it: every row is read, or
// said to be damaged.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { nameOf, settingsOf } from '../../../electron/settings.ts'
import { openDatabase } from '../../../electron/store/database.ts'
import { migrations } from '../../../electron/store/schema.ts'
import { openWalletStore } from '../../../electron/store/wallet-store.ts'
import { type Operation, operationSchema } from '../../../electron/wallet/operation.ts'
import type { WalletReads } from '../../../electron/wallet/store-port.ts'
import type { OpenTarget, Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'
import { arbitraryOf } from './arbitrary-of.ts'
import { keyset } from './good-answers.ts'
import { json } from './structures.ts'

const id = 'ab'.repeat(16)
const Y = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`

const withdraw: Operation = {
  id,
  kind: 'withdraw',
  state: 'quoting',
  account: 0,
  unit: 'sat',
  amount: 4,
  createdAt: 1,
  updatedAt: 1,
  nextAttemptAt: 1,
  attempts: 0,
  lastError: null,
}

/** A wallet with one row of everything, and a second way to its file that no check stands in. */
function openFile() {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
  const path = join(folder, 'wallet.db')
  const store = openWalletStore(path)
  const { id: keysetId, unit, keys } = keyset
  store.transaction((write) => {
    write.insertMint({
      ...{ url: 'http://127.0.0.1:1', name: 'Mint', version: 'x', offlineCapable: true, lastReachedAt: 1, alarm: null },
    })
    write.putKeyset(0, { id: keysetId, idV2: keysetId, unit, active: true, feePpk: 0, finalExpiry: null, keys })
    write.insertOperation(withdraw)
    const purse = write.takePurse({ generation: 0, account: 0, unit: 'sat' }, 'withdraw', 'own')
    const path = { generation: 0, account: 0, purse: purse.purse, coin: 0 }
    write.insertOutputs([{ B_: Y, purseId: purse.id, path, operationId: id }])
    write.setMeta('settings', { sounds: true })
    write.setMeta('profile/name', 'Ann')
  })
  const db = openDatabase(path, migrations)
  db.run('PRAGMA ignore_check_constraints = ON')
  db.run('PRAGMA foreign_keys = OFF')
  db.run('PRAGMA synchronous = OFF')
  return { folder, store, db }
}

/** As the app does it, one table after the other. */
function readAll(read: WalletReads): void {
  read.operation(id)
  read.operations({})
  read.dueOperations(10, 10)
  read.nextDueAt()
  read.payments({ before: null, limit: 10, search: '', filter: 'all' })
  read.history(id)
  read.mints()
  read.keysets(0)
  read.keysetV2(keyset.id)
  read.purses(0, null)
  read.coins(0, 'sat', 'spendable')
  read.coin(0, Y)
  read.ownOutput(0, Y)
  read.totals(0, 'sat')
  settingsOf({ read })
  nameOf({ read })
}

const anyOperation = arbitraryOf(operationSchema)

export const operationRow: Target = {
  form: 'json',
  maxBytes: 256 * 1024,
  codes: ['folder_damaged'],
  words: ['"state"', '"kind"', '"pay"', '"melt"', '"signed"', '"swap"', '"body"', '"id"', '\\u0000'],
  seeds: [bytesOf(JSON.stringify(withdraw))],
  structure: json,
  sample: (seed, count) => fc.sample(anyOperation, { seed, numRuns: count }).map((row) => bytesOf(JSON.stringify(row))),
  open: async (): Promise<OpenTarget> => {
    const { folder, store, db } = openFile()
    return {
      run: (input) => {
        db.run('UPDATE operation SET data = ? WHERE id = ?', textOf(input), id)
        readAll(store.read)
      },
      close: async () => {
        db.close()
        store.close()
        rmSync(folder, { recursive: true })
      },
    }
  },
}

/** Every column of every table that is read, and what it held. */
function columnsOf(db: ReturnType<typeof openDatabase>) {
  const tables = ['meta', 'mint', 'keyset', 'operation', 'operation_event', 'purse', 'output', 'coin']
  return tables.flatMap((table) => {
    const row = db.get(`SELECT * FROM ${table} LIMIT 1`) ?? {}
    return Object.entries(row).map(([column, value]) => ({ table, column, value }))
  })
}

const numeric = /^-?[0-9]{1,19}$/

/** The number of a column, one space, and what stands in it now. */
export const row: Target = {
  form: 'text',
  maxBytes: 16 * 1024,
  codes: ['folder_damaged'],
  words: ['9223372036854775807', '-9223372036854775808', '{"a":', '[1', 'null', '"x"', '1', '0', '-1'],
  seeds: Array.from({ length: 60 }, (_, column) => bytesOf(`${column} 9223372036854775807`)),
  open: async (): Promise<OpenTarget> => {
    const { folder, store, db } = openFile()
    const columns = columnsOf(db)
    return {
      run: (input) => {
        const [index = '', ...rest] = textOf(input).split(' ')
        const column = columns[Number(index) % columns.length]
        if (!column) return
        const set = (value: string, ...values: (string | number | null)[]): number =>
          db.run(`UPDATE ${column.table} SET ${column.column} = ${value}`, ...values)
        const value = rest.join(' ')
        try {
          // A whole number is written as one: SQLite holds larger ones than JavaScript.
          if (numeric.test(value)) set(String(BigInt.asIntN(64, BigInt(value))))
          else set('?', value)
        } catch {
          return // the table's own kind of column refuses it: it cannot stand there
        }
        try {
          readAll(store.read)
        } finally {
          set('?', column.value)
        }
      },
      close: async () => {
        db.close()
        store.close()
        rmSync(folder, { recursive: true })
      },
    }
  },
}
