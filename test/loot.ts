// Everything that is in a stolen database, taken apart as a thief would: every text, what is in it as JSON, every run of
// hex, and what is in those bytes as CBOR.

import { pbkdf2Sync } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { entropyToMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { order } from '../shared/cashu/bdhke.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { meltRequestSchema, mintRequestSchema, type Proof, swapRequestSchema } from '../shared/cashu/wire.ts'
import { decodeLooseCbor } from '../shared/cbor.ts'

export type StoredRequest = {
  readonly path: '/v1/swap' | '/v1/mint/bolt11' | '/v1/melt/bolt11'
  readonly body: string
}

export type Loot = {
  /** Every text, also those inside of others. */
  readonly texts: ReadonlySet<string>
  /** Every byte string, as hex: columns, JSON values, and what CBOR holds. */
  readonly hex: ReadonlySet<string>
  /** Requests to the mint as they were stored. */
  readonly requests: readonly StoredRequest[]
  /** Coins with their secrets, from stored requests and signed swaps; the witness is on the first of its request. */
  readonly proofs: readonly Proof[]
  /** What the tables call coins: no secret beside them. */
  readonly coins: readonly { readonly Y: string; readonly C: string; readonly amount: number; readonly id: string }[]
  readonly outputs: readonly { readonly B_: string }[]
  /** Ids of quotes, for money in and out. */
  readonly quotes: readonly string[]
}

export function openLoot(path: string): Loot {
  const db = new DatabaseSync(path, { readOnly: true })
  const texts = new Set<string>()
  const hex = new Set<string>()
  const take = (value: unknown): void => {
    if (typeof value === 'string') takeText(value, texts, hex, take)
    else if (value instanceof Uint8Array) takeBytes(value, hex, take)
    else if (Array.isArray(value)) value.forEach(take)
    else if (value instanceof Map) for (const pair of value) pair.forEach(take)
    else if (value !== null && typeof value === 'object') Object.entries(value).forEach(take)
  }
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
  for (const { name } of tables) db.prepare(`SELECT * FROM ${name}`).all().forEach(take)
  const coins = db.prepare('SELECT Y, C, amount, keyset_id AS id FROM coin').all()
  const outputs = db.prepare('SELECT B_ FROM output').all()
  const data = db.prepare('SELECT data FROM operation').all()
  db.close()
  const operations = data.map((row) => JSON.parse(String(row['data'])))
  const requests = [...texts].flatMap(requestIn)
  return {
    texts,
    hex,
    requests,
    proofs: [...requests.flatMap(proofsIn), ...operations.flatMap(signedSwapIn)],
    coins: coins as never,
    outputs: outputs as never,
    quotes: operations.flatMap(({ quote }) => (typeof quote === 'string' ? [quote] : [])),
  }
}

function takeText(text: string, texts: Set<string>, hex: Set<string>, take: (value: unknown) => void): void {
  if (texts.has(text)) return
  texts.add(text)
  if (/^[[{"]/.test(text)) {
    try {
      take(JSON.parse(text))
    } catch {
      // no JSON after all
    }
  }
  for (const run of text.match(/(?:[0-9a-f]{2}){8,}/g) ?? []) if (!hex.has(run)) takeBytes(hexToBytes(run), hex, take)
}

function takeBytes(bytes: Uint8Array, hex: Set<string>, take: (value: unknown) => void): void {
  const run = bytesToHex(bytes)
  if (hex.has(run)) return
  hex.add(run)
  try {
    take(decodeLooseCbor(bytes))
  } catch {
    // no CBOR
  }
}

const schemas = [
  ['/v1/melt/bolt11', meltRequestSchema],
  ['/v1/swap', swapRequestSchema],
  ['/v1/mint/bolt11', mintRequestSchema],
] as const

function requestIn(text: string): StoredRequest[] {
  if (!text.startsWith('{')) return []
  const parsed: unknown = JSON.parse(text)
  const found = schemas.find(([, schema]) => schema.safeParse(parsed).success)
  return found ? [{ path: found[0], body: text }] : []
}

const proofsIn = ({ body }: StoredRequest): Proof[] => JSON.parse(body).inputs ?? []

type SignedSwap = { readonly inputs: readonly (Proof & { Y?: string })[]; readonly signature: string }

function signedSwapIn({ swap }: { readonly swap?: SignedSwap }): Proof[] {
  return (swap?.inputs ?? []).map(({ Y: _, ...proof }, index) => ({
    ...proof,
    ...(index === 0 ? { witness: JSON.stringify({ signatures: [swap?.signature] }) } : {}),
  }))
}

/** Whatever could be a private key or a blinding factor: 32 bytes, and either half of 64. */
export function scalarsIn({ hex }: Loot): readonly bigint[] {
  const found = [...hex].flatMap((run) => {
    if (run.length === 64) return [run]
    return run.length === 128 ? [run.slice(0, 64), run.slice(64)] : []
  })
  const scalars = new Set(found.map((run) => BigInt(`0x${run}`)))
  return [...scalars].filter((scalar) => scalar > 0n && scalar < order)
}

/** Whatever could be a seed of 64 bytes, or the 16 bytes behind twelve words. */
export function seedsIn({ hex }: Loot): readonly Uint8Array[] {
  return [...hex].flatMap((run) => {
    if (run.length === 128) return [hexToBytes(run)]
    if (run.length !== 32) return []
    const words = entropyToMnemonic(hexToBytes(run), wordlist)
    return [new Uint8Array(pbkdf2Sync(words, 'mnemonic', 2048, 64, 'sha512'))] // BIP-39
  })
}
