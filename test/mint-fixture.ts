// A real mint on loopback with a folder of its own, and a small client that says exactly what a test wants it to say.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { schnorr } from '@noble/curves/secp256k1.js'
import { afterEach, expect } from 'vitest'
import { openDataFolder } from '../mint/data-folder.ts'
import { createPracticeFunding } from '../mint/funding/practice.ts'
import { type Rotation, rotateKeyset } from '../mint/keysets.ts'
import type { Clock, Funding } from '../mint/ports.ts'
import { type MintServerOptions, type RunningMint, startMintServer, systemRandom } from '../mint/start.ts'
import { blind, hashToCurve, Point, pointFromHex, pointToHex, unblind } from '../shared/cashu/bdhke.ts'
import { keyOf } from '../shared/cashu/keyset.ts'
import { bytesToHex, bytesToNumberBE, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { sigAllDigest, witnessOf } from '../shared/cashu/p2pk.ts'
import {
  type BlindedMessage,
  type BlindSignature,
  checkStateResponseSchema,
  errorResponseSchema,
  keysetsResponseSchema,
  keysResponseSchema,
  type MeltQuoteResponse,
  type MintQuoteResponse,
  meltQuoteResponseSchema,
  mintQuoteResponseSchema,
  type Proof,
  signaturesResponseSchema,
} from '../shared/cashu/wire.ts'
import { readBooks } from './mint-books.ts'

/** What the mint answered, as it came. */
export type Answer = { readonly status: number; readonly text: string; readonly body: unknown }

/** An output with what is needed to turn its signature into a coin. */
export type TestOutput = { readonly message: BlindedMessage; readonly secret: string; readonly r: bigint }

export type TestMint = {
  readonly folder: string
  readonly url: () => string
  /** Milliseconds; the mint's clock stands still until a test moves it. */
  readonly clock: { nowMs: number; now(): number }
  /** Close the server and start it again on the same folder, with other options if wanted. */
  restart(options?: Partial<MintServerOptions>): Promise<void>
  close(): Promise<void>
  /** As the operator's command does it: beside the running server. */
  rotate(rotation?: Rotation): void
  get(path: string): Promise<Answer>
  post(path: string, body: unknown): Promise<Answer>
  /** Id of the active keyset of a unit. */
  keysetId(unit?: string): Promise<string>
  output(amount: number, options?: { secret?: string; id?: string }): Promise<TestOutput>
  outputs(...amounts: number[]): Promise<TestOutput[]>
  paidQuote(amount: number, unit?: string): Promise<MintQuoteResponse>
  /** Fresh coins of these amounts, issued by the mint. */
  coins(amounts: readonly number[], options?: { secrets?: readonly string[]; unit?: string }): Promise<Proof[]>
  coin(amount: number, secret?: string): Promise<Proof>
  unblind(outputs: readonly TestOutput[], signatures: readonly BlindSignature[]): Promise<Proof[]>
  swap(inputs: readonly Proof[], outputs: readonly TestOutput[]): Promise<Answer>
  meltQuote(amount: number, unit?: string): Promise<MeltQuoteResponse>
  melt(quote: string, inputs: readonly Proof[], blanks?: readonly TestOutput[]): Promise<Answer>
  states(...coins: readonly Proof[]): Promise<string[]>
}

const running: { mint: RunningMint; folder: string }[] = []
/** Failures that are the mint's own: none is expected in any test. */
const failures: unknown[] = []

afterEach(async () => {
  for (const { mint, folder } of running.splice(0)) {
    await mint.close()
    expect(readBooks(folder).problems).toEqual([])
    rmSync(folder, { recursive: true, force: true })
  }
  expect(failures.splice(0)).toEqual([])
})

export async function openMint(options: Partial<MintServerOptions> = {}): Promise<TestMint> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-mint-'))
  const clock = {
    nowMs: Date.UTC(2026, 10, 1),
    now: () => clock.nowMs,
  }
  const start = (more: Partial<MintServerOptions>) =>
    startMintServer({
      dataFolder: folder,
      clock,
      practiceDelayMs: 0,
      // The clock stands still: a minute may last for a whole test.
      meltQuotesPerMinute: 600,
      report: (error) => failures.push(error),
      log: () => {},
      ...options,
      ...more,
    })
  const entry = { mint: await start({}), folder }
  running.push(entry)
  const url = () => entry.mint.url
  const keysById = new Map<string, Readonly<Record<string, string>>>()

  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(url() + path, init)
    const text = await response.text()
    return { status: response.status, text, body: JSON.parse(text) }
  }
  const get = (path: string) => ask(path)
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  const keysetId = async (unit = 'sat') => {
    const { keysets } = keysetsResponseSchema.parse((await get('/v1/keysets')).body)
    return keysets.find((keyset) => keyset.active && keyset.unit === unit)!.id
  }
  const keysOf = async (id: string) => {
    const known = keysById.get(id)
    if (known) return known
    const { keysets } = keysResponseSchema.parse((await get(`/v1/keys/${id}`)).body)
    keysById.set(id, keysets[0]!.keys)
    return keysets[0]!.keys
  }
  const output: TestMint['output'] = async (amount, { secret = newSecret(), id } = {}) => {
    const r = bytesToNumberBE(systemRandom.bytes(31)) + 1n
    return { message: { amount, id: id ?? (await keysetId()), B_: pointToHex(blind(secret, r)) }, secret, r }
  }
  const outputs: TestMint['outputs'] = (...amounts) => Promise.all(amounts.map((amount) => output(amount)))
  const unblindAll: TestMint['unblind'] = async (made, signatures) => {
    expect(signatures).toHaveLength(made.length)
    return Promise.all(
      made.map(async ({ secret, r, message }, index) => {
        const { amount, id, C_ } = signatures[index]!
        expect({ amount, id }).toEqual({ amount: message.amount, id: message.id })
        const K = keyOf({ keys: await keysOf(id) }, amount)!
        return { amount, id, secret, C: pointToHex(unblind(pointFromHex(C_), r, K)) }
      }),
    )
  }
  const paidQuote: TestMint['paidQuote'] = async (amount, unit = 'sat') => {
    const made = mintQuoteResponseSchema.parse((await post('/v1/mint/quote/bolt11', { amount, unit })).body)
    return mintQuoteResponseSchema.parse((await get(`/v1/mint/quote/bolt11/${made.quote}`)).body)
  }
  const coins: TestMint['coins'] = async (amounts, { secrets, unit = 'sat' } = {}) => {
    const id = await keysetId(unit)
    const { quote } = await paidQuote(
      amounts.reduce((sum, amount) => sum + amount, 0),
      unit,
    )
    const made = await Promise.all(
      amounts.map((amount, index) => output(amount, { id, secret: secrets?.[index] ?? newSecret() })),
    )
    const answer = await post('/v1/mint/bolt11', { quote, outputs: made.map(({ message }) => message) })
    return unblindAll(made, signaturesIn(answer))
  }
  return {
    folder,
    url,
    clock,
    restart: async (more = {}) => {
      await entry.mint.close()
      entry.mint = await start(more)
    },
    close: () => entry.mint.close(),
    rotate: (rotation = {}) => {
      const { store, keyring } = openDataFolder(folder)
      rotateKeyset({ store, keyring, clock }, rotation)
      store.close()
    },
    get,
    post,
    keysetId,
    output,
    outputs,
    paidQuote,
    coins,
    coin: async (amount, secret = newSecret()) => (await coins([amount], { secrets: [secret] }))[0]!,
    unblind: unblindAll,
    swap: (inputs, made) => post('/v1/swap', { inputs, outputs: made.map(({ message }) => message) }),
    meltQuote: async (amount, unit = 'sat') => {
      const answer = await post('/v1/melt/quote/bolt11', { request: await foreignInvoice(amount), unit })
      return meltQuoteResponseSchema.parse(answer.body)
    },
    melt: (quote, inputs, blanks) =>
      post('/v1/melt/bolt11', { quote, inputs, ...(blanks ? { outputs: blanks.map(({ message }) => message) } : {}) }),
    states: async (...asked) => {
      const Ys = asked.map(({ secret }) => pointToHex(hashToCurve(secret)))
      const { body } = await post('/v1/checkstate', { Ys })
      return checkStateResponseSchema.parse(body).states.map(({ state }) => state)
    },
  }
}

/** The NUT's code of a refusal; fails for any other answer. */
export function codeOf({ status, body }: Answer): number {
  const { code } = errorResponseSchema.strict().parse(body)
  expect(status).toBe(400)
  return code
}

/** The signatures of a request that must have succeeded. */
export function signaturesIn({ status, body }: Answer): BlindSignature[] {
  expect({ status, body }).toMatchObject({ status: 200 })
  return signaturesResponseSchema.parse(body).signatures
}

export function newSecret(): string {
  return bytesToHex(systemRandom.bytes(32))
}

/** An invoice of another practice mint: one that this mint never made. */
export async function foreignInvoice(amount: number): Promise<string> {
  const elsewhere = createPracticeFunding({ clock: { now: () => 0 }, random: systemRandom, delayMs: 0 })
  return (await elsewhere.createInvoice(amount, 'sat')).request
}

const standingClock = { now: () => Date.UTC(2026, 10, 1) }

/** Practice funding whose payments go as a test says. */
export function fundingThatPays(pay: Funding['pay'], clock: Clock = standingClock): Funding {
  return { ...createPracticeFunding({ clock, random: systemRandom, delayMs: 0 }), pay }
}

/** Practice funding that sets this much aside for every payment. */
export function fundingWithReserve(feeReserve: number, pay: Funding['pay'], clock?: Clock): Funding {
  const funding = fundingThatPays(pay, clock)
  return { ...funding, readInvoice: (request, unit) => ({ ...funding.readInvoice(request, unit), feeReserve }) }
}

/** A key pair to lock coins to. */
export function newKey(): { readonly secretKey: Uint8Array; readonly publicKey: string } {
  const secretKey = schnorr.utils.randomSecretKey()
  return { secretKey, publicKey: pointToHex(Point.BASE.multiply(bytesToNumberBE(secretKey))) }
}

/** A NUT-10 secret; `tags` as given, without any check; null for none. */
export function lockedSecret(data: string, tags: unknown = [['sigflag', 'SIG_ALL']], kind = 'P2PK'): string {
  return JSON.stringify([kind, { nonce: newSecret(), data, ...(tags === null ? {} : { tags }) }])
}

/** The coins with a SIG_ALL signature over these very inputs and outputs in the first witness. */
export function signAll(
  inputs: readonly Proof[],
  outputs: readonly TestOutput[],
  secretKey: Uint8Array,
  quote = '',
): Proof[] {
  const digest = sigAllDigest(
    inputs,
    outputs.map(({ message }) => message),
    quote,
  )
  const witness = witnessOf(bytesToHex(schnorr.sign(digest, secretKey)))
  return inputs.map((proof, index) => (index === 0 ? { ...proof, witness } : proof))
}

/** A signature over any text, as a witness. */
export async function witnessOver(text: string, secretKey: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8ToBytes(text)))
  return witnessOf(bytesToHex(schnorr.sign(digest, secretKey)))
}
