// Everything of a wallet and of a mint that nobody else may ever read, in the forms in which it could slip out.

import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mnemonicToSeedSync } from '@scure/bip39'
import { createSecrets } from '../electron/wallet/secrets.ts'
import { createKeyring } from '../mint/keys.ts'
import { openMintStore } from '../mint/store.ts'
import { order } from '../shared/cashu/bdhke.ts'
import { bytesToNumberBE, hexToBytes, numberToBytesBE } from '../shared/cashu/numbers.ts'

/** A text that must not be found, and what it is part of. */
export type Secret = { readonly text: string; readonly what: string }

/** As hex, base64, base64url, bytes in a list as `inspect` and JSON write them, and, for numbers, as a decimal. */
export function formsOf(bytes: Uint8Array, what: string): readonly Secret[] {
  const buffer = Buffer.from(bytes)
  const hex = buffer.toString('hex')
  // Base64 of a part depends on where it begins: three places there are.
  const inBase64 = [0, 1, 2].map((skip) => buffer.subarray(skip).toString('base64url').slice(0, 20))
  return [
    hex,
    hex.slice(0, 32),
    hex.slice(-32),
    [...buffer.subarray(0, 12)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    [...buffer.subarray(0, 12)].join(', '),
    [...buffer.subarray(0, 12)].join(','),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll('-', '+').replaceAll('_', '/')),
    ...(bytes.length === 32 ? [String(bytesToNumberBE(bytes))] : []),
  ].map((text) => ({ text, what }))
}

/** The phrase, and any three words of it in a row, as text and as a list. */
export function formsOfPhrase(phrase: string): readonly Secret[] {
  const words = phrase.split(' ')
  return words.slice(2).flatMap((_, at) =>
    [' ', ',', ', ', '","', '", "', "', '"].map((between) => ({
      text: words.slice(at, at + 3).join(between),
      what: 'three words of the phrase',
    })),
  )
}

type Path = { readonly generation: number; readonly account: number; readonly purse: number; readonly coin: number }

const uint32s = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}

/** As protocol section 10 has it, by other code than the program's. */
const H = (seed: Uint8Array, domain: string, path: Uint8Array): Buffer =>
  createHmac('sha512', seed).update(domain).update(Uint8Array.of(0)).update(path).digest()
const scalar = (bytes: Uint8Array): Uint8Array => numberToBytesBE(1n + (bytesToNumberBE(bytes) % (order - 1n)), 32)

/** @param phrase of a folder whose own is sealed */
export function secretsOfWallet(
  folder: string,
  phrase = readFileSync(join(folder, 'phrase'), 'utf8').trim(),
): readonly Secret[] {
  const seed = mnemonicToSeedSync(phrase)
  const derived = createSecrets(seed, { bytes: (length) => new Uint8Array(length) })
  const found: Secret[] = [
    ...formsOfPhrase(phrase),
    ...formsOf(seed, 'the seed'),
    ...formsOf(H(seed, 'farthing/backup/1', new Uint8Array()).subarray(0, 32), 'the key of backups'),
    ...[0, 1].flatMap((index) => formsOf(scalar(H(seed, 'farthing/key/1', uint32s(index))), 'a payee key')),
    ...[0, 1, 2].flatMap((generation) => formsOf(derived.payeePeerSeed(generation), 'the peer key')),
  ]
  const db = new DatabaseSync(join(folder, 'wallet.db'), { readOnly: true })
  const outputs = db.prepare(
    `SELECT generation, path_account AS account, purse, coin, B_ FROM output JOIN purse ON purse.id = output.purse_id`,
  )
  for (const { B_, ...path } of outputs.all() as (Path & { B_: string })[]) {
    const { generation, account, purse } = path
    found.push(
      { text: derived.secret(path), what: 'the secret of a coin' },
      ...formsOf(hexToBytes(derived.nonce(path)), 'a nonce'),
      ...formsOf(numberToBytesBE(derived.blindingFactor(path), 32), 'a blinding factor'),
      ...formsOf(scalar(H(seed, 'farthing/purse/1', uint32s(generation, account, purse))), 'the key of a purse'),
      { text: B_, what: 'a blinded message' },
    )
  }
  for (const coin of db.prepare('SELECT C, e, s FROM coin').all() as Record<string, string>[]) {
    for (const [name, value] of Object.entries(coin)) found.push({ text: value, what: `${name} of a coin` })
  }
  const keysetIds = db
    .prepare('SELECT id FROM keyset')
    .all()
    .map(({ id }) => String(id))
  for (const { data } of db.prepare('SELECT data FROM operation').all() as { data: string }[]) {
    found.push(...secretsOfOperation(JSON.parse(data), keysetIds))
  }
  db.close()
  return distinct(found)
}

type Stored = {
  readonly handover?: unknown
  readonly settledHandover?: unknown
  readonly swap?: {
    readonly signature?: unknown
    readonly inputs?: readonly { readonly secret: string; readonly C: string }[]
  }
  readonly attempt?: { readonly body?: unknown }
  readonly terms?: { readonly body?: unknown; readonly sig?: unknown }
  readonly claim?: { readonly sig?: unknown }
}

/** Frames are found by parts of them; a keyset's id, which stands in them too, is no secret. */
function secretsOfOperation(
  { handover, settledHandover, swap, attempt, terms, claim }: Stored,
  keysetIds: readonly string[],
): readonly Secret[] {
  const frames = [handover, settledHandover].flatMap((frame) => {
    if (typeof frame !== 'string') return []
    const middle = frame.length >> 1
    const parts = [frame.slice(200, 264), frame.slice(middle, middle + 64), frame.slice(-64)]
    return parts.filter((part) => part.length === 64 && !keysetIds.some((id) => hasInCommon(part, id)))
  })
  const texts = [swap?.signature, attempt?.body, terms?.sig, claim?.sig].flatMap((text) =>
    typeof text === 'string' ? [{ text, what: 'a signature or the body of a request' }] : [],
  )
  const coins = (swap?.inputs ?? []).flatMap(({ secret, C }) => [
    { text: secret, what: 'the secret of a coin that was handed over' },
    { text: C, what: 'C of a coin that was handed over' },
  ])
  return [...frames.flatMap((part) => formsOf(hexToBytes(part), 'part of a frame')), ...texts, ...coins]
}

const hasInCommon = (a: string, b: string): boolean =>
  Array.from({ length: Math.max(0, a.length - 11) }, (_, at) => a.slice(at, at + 12)).some((piece) => b.includes(piece))

/** Its seed, its keys, and what wallets sent it: secrets of coins, witnesses, and what it signed. */
export function secretsOfMint(folder: string): readonly Secret[] {
  const seed = hexToBytes(readFileSync(join(folder, 'seed'), 'utf8').trim())
  const store = openMintStore(join(folder, 'mint.sqlite'))
  const keyring = createKeyring(seed)
  const keys = store.keysets().flatMap((record) => {
    const { secretKey } = keyring.open(record)
    return [1, 2, 4, 8, 64].flatMap((amount) => formsOf(numberToBytesBE(secretKey(amount)!, 32), 'a key of the mint'))
  })
  store.close()
  const db = new DatabaseSync(join(folder, 'mint.sqlite'), { readOnly: true })
  const coins = db.prepare('SELECT secret, lower(hex(C)) AS C, witness FROM coins').all()
  const signed = db.prepare('SELECT lower(hex(C_)) AS C_ FROM signatures').all()
  db.close()
  const columns = [...coins, ...signed].flatMap((row) =>
    Object.entries(row).map(([name, value]) => ({ text: String(value ?? ''), what: `${name} at the mint` })),
  )
  return distinct([...formsOf(seed, 'the seed of the mint'), ...keys, ...columns])
}

function distinct(secrets: readonly Secret[]): readonly Secret[] {
  return [...new Map(secrets.filter(({ text }) => text.length >= 12).map((secret) => [secret.text, secret])).values()]
}

/** What of it stands in a text, each kind once, with what is around it. Lists of bytes come in columns. */
export function found(secrets: readonly Secret[], where: string, text: string): readonly string[] {
  const flat = text.replace(/\s+/g, ' ')
  const kinds = new Map<string, string>()
  for (const { what, text: secret } of secrets) {
    const at = kinds.has(what) ? -1 : flat.indexOf(secret)
    if (at !== -1) kinds.set(what, `${what} in ${where}: …${flat.slice(Math.max(0, at - 120), at + 60)}…`)
  }
  return [...kinds.values()]
}
