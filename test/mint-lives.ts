// Lives of a mint on one folder, in this process: opened, watched call by call, and copied as it lies on the disk at any
// moment, with what a transaction had written and not committed.

import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import { openOrCreateDataFolder } from '../mint/data-folder.ts'
import { createPracticeFunding } from '../mint/funding/practice.ts'
import type { Keyring } from '../mint/keys.ts'
import { ensureKeyset } from '../mint/keysets.ts'
import { createMint, type Mint } from '../mint/mint.ts'
import type { Funding, KeysetRecord, MintStore, PaymentOutcome } from '../mint/ports.ts'
import { systemRandom } from '../mint/start.ts'
import { openMintStore } from '../mint/store.ts'
import { blind, pointFromHex, pointToHex, unblind } from '../shared/cashu/bdhke.ts'
import { keyOf } from '../shared/cashu/keyset.ts'
import { bytesToNumberBE } from '../shared/cashu/numbers.ts'
import type { BlindedMessage, BlindSignature, Proof } from '../shared/cashu/wire.ts'
import { newSecret, type TestOutput } from './mint-fixture.ts'

export const clock = { now: () => Date.UTC(2026, 10, 1) }
export const feeReserve = 7

/** Payments that left by the funding, by quote: it remembers them whatever becomes of the mint. */
export type Ledger = ReadonlySet<string>

export type Life = {
  readonly mint: Mint
  readonly store: MintStore
  /** Grows as the funding pays. */
  readonly ledger: Ledger
}

/** What lies on the disk, and what the world outside knows, at one moment. */
export type Moment = {
  /** The call it was before or after. */
  readonly name: string
  readonly folder: string
  readonly ledger: Ledger
  /** What the funding will answer from now on; the last one for ever. */
  readonly outcomes: readonly PaymentOutcome[]
  /** Whether nothing changed since the moment before. */
  readonly isSame: boolean
}

export type MintFolder = { readonly folder: string; readonly keyring: Keyring; readonly keyset: KeysetRecord }

const stores: MintStore[] = []
const reports: unknown[] = []
const folders: string[] = []

afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  expect(reports.splice(0)).toEqual([])
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-mint-'))
  folders.push(folder)
  return folder
}

/** A new mint with one keyset. */
export function newMintFolder(feePpk: number): MintFolder {
  const folder = newFolder()
  const { store, keyring } = openOrCreateDataFolder(folder, systemRandom)
  const keyset = ensureKeyset({ store, keyring, clock }, { unit: 'sat', feePpk, finalExpiry: null })
  store.close()
  return { folder, keyring, keyset }
}

/** What the files of a dead mint would be. */
export function copyOf(folder: string): string {
  const copy = newFolder()
  for (const file of readdirSync(folder)) if (file !== 'lease') cpSync(join(folder, file), join(copy, file))
  return copy
}

/** One life of a mint; `onMoment` is told before and after every call of its store and its funding. */
export function openLife(
  { folder, keyring }: Pick<MintFolder, 'folder' | 'keyring'>,
  { ledger, outcomes }: Pick<Moment, 'ledger' | 'outcomes'>,
  onMoment: (name: string, ledger: Ledger, outcomes: readonly PaymentOutcome[]) => void = () => {},
): Life {
  const opened = openMintStore(join(folder, 'mint.sqlite'))
  stores.push(opened)
  const paid = new Set(ledger)
  const left = [...outcomes]
  const watch = (name: string): void => onMoment(name, paid, left)
  const store = watched('store', opened, watch)
  const practice = createPracticeFunding({ clock, random: systemRandom, delayMs: 0 })
  const readInvoice: Funding['readInvoice'] = (text, unit) => ({ ...practice.readInvoice(text, unit), feeReserve })
  const pay: Funding['pay'] = async ({ id }) => {
    const outcome = left.length > 1 ? left.shift()! : left[0]!
    if (outcome.kind === 'paid') paid.add(id)
    return outcome
  }
  const { createInvoice, isPaid, about } = practice
  const funding = { about, readInvoice, ...watched('funding', { createInvoice, isPaid, pay }, watch) }
  const report = (error: unknown): void => void reports.push(error)
  const mint = createMint({ store, keyring, funding, clock, random: systemRandom, version: 'test', report })
  return { mint, store, ledger: paid }
}

/** Every function of a port, with a moment before it and one after it. */
function watched<T extends object>(port: string, calls: T, onMoment: (moment: string) => void): T {
  const watch =
    (name: string, call: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      onMoment(`before ${port}.${name}`)
      const value = call(...args)
      if (!(value instanceof Promise)) onMoment(`after ${port}.${name}`)
      else void value.then(() => onMoment(`after ${port}.${name}`))
      return value
    }
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, watch(name, call)])) as T
}

/** A life of which every moment is kept, once `start` was called and until `stop` is. */
export function openWatchedLife(mintFolder: MintFolder, outcomes: readonly PaymentOutcome[]) {
  const moments: Moment[] = []
  let isWatched = false
  let before = ''
  const life = openLife(mintFolder, { ledger: new Set(), outcomes }, (name, ledger, left) => {
    if (!isWatched) return
    const folder = copyOf(mintFolder.folder)
    const state = `${hashOf(folder)} ${[...ledger]} ${left.length}`
    moments.push({ name, folder, ledger: new Set(ledger), outcomes: [...left], isSame: state === before })
    before = state
  })
  return {
    ...life,
    moments,
    start: () => {
      isWatched = true
    },
    stop: () => {
      isWatched = false
    },
  }
}

/** The database and its log; the index of the log is made anew by whoever opens them. */
function hashOf(folder: string): string {
  const hash = createHash('sha256')
  for (const file of ['mint.sqlite', 'mint.sqlite-wal']) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}

export const messagesOf = (outputs: readonly TestOutput[]): BlindedMessage[] => outputs.map(({ message }) => message)

export function outputsOf(id: string, ...amounts: readonly number[]): TestOutput[] {
  return amounts.map((amount) => {
    const [secret, r] = [newSecret(), bytesToNumberBE(systemRandom.bytes(31)) + 1n]
    return { message: { amount, id, B_: pointToHex(blind(secret, r)) }, secret, r }
  })
}

/** Fresh coins, issued without HTTP. */
export async function coinsOf(mint: Mint, { keyring, keyset }: MintFolder, ...amounts: number[]): Promise<Proof[]> {
  const outputs = outputsOf(keyset.id, ...amounts)
  const { quote } = await mint.createMintQuote({ amount: amounts.reduce((a, b) => a + b, 0), unit: keyset.unit })
  const { signatures } = await mint.issue({ quote, outputs: messagesOf(outputs) })
  return outputs.map((output, index) => coinOf(output, signatures[index]!, keyring.open(keyset).keys))
}

function coinOf({ secret, r, message }: TestOutput, { C_ }: BlindSignature, keys: Readonly<Record<string, string>>) {
  const C = unblind(pointFromHex(C_), r, keyOf({ keys }, message.amount)!)
  return { amount: message.amount, id: message.id, secret, C: pointToHex(C) }
}
