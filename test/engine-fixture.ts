// Wallets with real stores and real keys beside a real mint over HTTP. Made up are only the clock, the stream between two
// wallets (one calls the other), what goes wrong on either wire, and sudden death.

import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as waitFor } from 'node:timers/promises'
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { afterAll, afterEach, expect } from 'vitest'
import { openGenerationMemory } from '../electron/generation-memory.ts'
import { takeUpLife } from '../electron/life.ts'
import { createMintClients } from '../electron/net/mint-client.ts'
import type { Merged } from '../electron/store/merge.ts'
import { openWalletFile } from '../electron/store/wallet-store.ts'
import { cashedOut, feePaid } from '../electron/views.ts'
import { defaultConfig, type EngineConfig } from '../electron/wallet/context.ts'
import { createEngine, type Engine } from '../electron/wallet/engine.ts'
import { storedGeneration } from '../electron/wallet/generation.ts'
import type { CashOutPreview } from '../electron/wallet/melt.ts'
import { noteMerge } from '../electron/wallet/merged-life.ts'
import type { Operation, OperationIn, OperationOf } from '../electron/wallet/operation.ts'
import type { PayOrder, PayPreview } from '../electron/wallet/pay.ts'
import type {
  Clock,
  MintAnswer,
  MintClient,
  PaySession,
  PeerAddress,
  Random,
  RemotePayer,
} from '../electron/wallet/ports.ts'
import { type CoinPath, createSecrets, type Secrets } from '../electron/wallet/secrets.ts'
import type { CoinTotals, WalletStore } from '../electron/wallet/store-port.ts'
import type { MintServerOptions } from '../mint/start.ts'
import { pointToHex } from '../shared/cashu/bdhke.ts'
import { verifyCoin } from '../shared/cashu/dleq.ts'
import { concatBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import { foreignInvoice, openMint, signaturesIn, type TestMint } from './mint-fixture.ts'

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

// ---- the clock

export type TestClock = Clock & {
  /** Move on by this many milliseconds; who waited for a moment that has come is let go. */
  move(milliseconds: number): void
}

function createClock(): TestClock {
  let nowMs = Date.UTC(2026, 10, 1)
  let waiting: { readonly at: number; readonly resolve: () => void }[] = []
  return {
    now: () => nowMs,
    wait: (milliseconds) =>
      new Promise((resolve) => {
        waiting.push({ at: nowMs + milliseconds, resolve })
      }),
    move: (milliseconds) => {
      nowMs += milliseconds
      const due = waiting.filter(({ at }) => at <= nowMs)
      waiting = waiting.filter(({ at }) => at > nowMs)
      for (const { resolve } of due) resolve()
    },
  }
}

// ---- what goes wrong between wallet and mint

/** What stands between a wallet and its mint: the real client, or one that loses, delays or lies. */
export type MintDouble = (real: MintClient) => MintClient
export type MintCall = keyof MintClient
/** One call that does not go as it should. */
export type Fault = <T>(call: () => Promise<MintAnswer<T>>) => Promise<MintAnswer<T>>

const noAnswer = { kind: 'unknown', reason: 'no answer: ECONNREFUSED', reachable: false } as const
const mintCalls = [
  'info',
  'keysets',
  'keys',
  'swap',
  'requestMintQuote',
  'mintQuote',
  'issue',
  'requestMeltQuote',
  'meltQuote',
  'melt',
  'checkState',
  'restore',
] as const satisfies readonly MintCall[]

type Wrap = <T>(name: MintCall, call: () => Promise<MintAnswer<T>>) => Promise<MintAnswer<T>>

/** The same client with something around every call. */
function around(real: MintClient, wrap: Wrap): MintClient {
  return {
    info: (signal) => wrap('info', () => real.info(signal)),
    keysets: (signal) => wrap('keysets', () => real.keysets(signal)),
    keys: (id, signal) => wrap('keys', () => real.keys(id, signal)),
    swap: (body, signal) => wrap('swap', () => real.swap(body, signal)),
    requestMintQuote: (amount, unit, signal) =>
      wrap('requestMintQuote', () => real.requestMintQuote(amount, unit, signal)),
    mintQuote: (id, signal) => wrap('mintQuote', () => real.mintQuote(id, signal)),
    issue: (body, signal) => wrap('issue', () => real.issue(body, signal)),
    requestMeltQuote: (invoice, unit, signal) =>
      wrap('requestMeltQuote', () => real.requestMeltQuote(invoice, unit, signal)),
    meltQuote: (id, signal) => wrap('meltQuote', () => real.meltQuote(id, signal)),
    melt: (body, signal) => wrap('melt', () => real.melt(body, signal)),
    checkState: (Ys, signal) => wrap('checkState', () => real.checkState(Ys, signal)),
    restore: (outputs, signal) => wrap('restore', () => real.restore(outputs, signal)),
  }
}

export const honest: MintDouble = (real) => real
/** Nothing answers. */
export const away: MintDouble = (real) => around(real, async () => noAnswer)

/** The request never arrives. */
export const lostRequest: Fault = async () => noAnswer
/** The request has its effect; its answer never comes back. */
export const lostAnswer: Fault = async (call) => {
  await call()
  return noAnswer
}
/** A No with nothing behind it. */
export const refusal =
  (code = 11001, detail = 'no'): Fault =>
  async () => ({ kind: 'refused', code, detail })
/** The mint does what it is asked, and says that it did not. */
export const deniedEffect: Fault = async (call) => {
  await call()
  return { kind: 'refused', code: 11001, detail: 'Token already spent.' }
}

/** The fault for the first calls of these names; all others reach the mint. */
export function first(times: number, names: readonly MintCall[], fault: Fault): MintDouble {
  let left = times
  return (real) =>
    around(real, (name, call) => {
      if (!names.includes(name) || left <= 0) return call()
      left--
      return fault(call)
    })
}

export const always = (names: readonly MintCall[], fault: Fault): MintDouble =>
  first(Number.POSITIVE_INFINITY, names, fault)

/** One double behind another: the last one stands nearest to the wallet. */
export const chain =
  (...doubles: readonly MintDouble[]): MintDouble =>
  (real) =>
    doubles.reduce((client, double) => double(client), real)

/** What a server that is not well, or not a mint, answers by HTTP. */
export type BadAnswer = 'html' | 'error' | 'gateway' | 'busy' | 'shape' | 'damaged' | 'silent'
const badAnswers: Readonly<Record<BadAnswer, { status: number; type: string; body: string }>> = {
  html: { status: 200, type: 'text/html', body: '<h1>Welcome to the hotel</h1>' },
  error: { status: 500, type: 'application/json', body: '{"detail":"out of order","code":11001}' },
  gateway: { status: 502, type: 'text/html', body: '<h1>Bad Gateway</h1>' },
  busy: { status: 429, type: 'application/json', body: '{"detail":"slow down","code":429}' },
  shape: { status: 200, type: 'application/json', body: '{"signatures":"yes","states":"all","outputs":7}' },
  damaged: { status: 200, type: 'application/json', body: '{"signatures":[' },
  silent: { status: 0, type: '', body: '' },
}
export const retryAfterSeconds = 120

let badServer: Promise<Server> | undefined
afterAll(async () => {
  const server = await badServer
  server?.closeAllConnections()
  server?.close()
  badServer = undefined
})

/** /<kind>/v1/…: that answer. /echo/<mint>/v1/restore: the mint's own answer with its echo of the outputs turned round. */
function startBadServer(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const [, kind = '', target = '', ...rest] = (request.url ?? '').split('/')
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (kind === 'echo') {
      const path = `${decodeURIComponent(target)}/${rest.join('/')}`
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(path, { method: 'POST', headers, body: Buffer.concat(chunks) })
      const asked: { outputs: { amount: number; id: string; B_: string }[] } = JSON.parse(String(Buffer.concat(chunks)))
      const { signatures }: { signatures: unknown } = JSON.parse(await answer.text())
      const outputs = asked.outputs.map((output) => ({ ...output, amount: 2 ** 20 })).reverse()
      response.writeHead(answer.status, headers).end(JSON.stringify({ outputs, signatures }))
      return
    }
    const { status, type, body } = badAnswers[kind as BadAnswer]
    if (status === 0) {
      request.socket.destroy()
      return
    }
    const wait = kind === 'busy' ? { 'retry-after': String(retryAfterSeconds) } : {}
    response.writeHead(status, { 'content-type': type, ...wait }).end(body)
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.unref())))
}

async function badClient(path: string, clock: Clock): Promise<MintClient> {
  badServer ??= startBadServer()
  const { port } = (await badServer).address() as AddressInfo
  return createMintClients({ clock })(`http://127.0.0.1:${port}/${path}`)
}

const withCalls = (real: MintClient, other: MintClient, names: readonly MintCall[]): MintClient =>
  ({ ...real, ...Object.fromEntries(names.map((name) => [name, other[name]])) }) as MintClient

/** These calls (default: all) are answered, by real HTTP, by something that is no mint. */
export async function answering(
  world: World,
  kind: BadAnswer,
  names: readonly MintCall[] = mintCalls,
): Promise<MintDouble> {
  const other = await badClient(kind, world.clock)
  return (real) => withCalls(real, other, names)
}

/** NUT-09 answers whose echo says something else than the signatures. */
export async function lyingEcho(world: World): Promise<MintDouble> {
  const other = await badClient(`echo/${encodeURIComponent(world.mint.url())}`, world.clock)
  return (real) => withCalls(real, other, ['restore'])
}

// ---- what goes wrong between two wallets

export type FrameKind = 'hello' | 'handover'
/**
 * The stream as the payer has it: the frame's kind, the exchange as it would go, the frame itself. Each call of `exchange`
 * brings the frame to the payee once more, also when the payer has long given up.
 */
export type Link = (kind: FrameKind, exchange: () => Promise<Uint8Array>, frame: Uint8Array) => Promise<Uint8Array>
/** One frame that reached a payee, with what the payee said to it: null while it says nothing. */
export type SeenFrame = { readonly kind: FrameKind; readonly frame: Uint8Array; reply: Uint8Array | null }

export const goodLink: Link = (_, exchange) => exchange()
export const reset = () => new AppError('peer_unreachable', 'stream reset', { retryable: true })
/** Frames of this kind never arrive. */
export const lostFrames =
  (kind: FrameKind, times = Number.POSITIVE_INFINITY): Link =>
  async (frame, exchange) => {
    if (frame !== kind || times-- <= 0) return exchange()
    throw reset()
  }
/** Frames of this kind arrive and count; their answers are lost. */
export const lostReplies =
  (kind: FrameKind, times = Number.POSITIVE_INFINITY): Link =>
  async (frame, exchange) => {
    if (frame !== kind || times-- <= 0) return exchange()
    await exchange()
    throw reset()
  }

// ---- sudden death

/** Where a wallet dies: asked at every call it makes of a port. */
export type Fate = (port: string) => 'live' | 'die_before' | 'die_after'
const immortal: Fate = () => 'live'

class Dead extends Error {}
const forever = <T>(): Promise<T> => new Promise(() => {})

function createLife() {
  let end = () => {}
  const died = new Promise<void>((resolve) => {
    end = resolve
  })
  const life = {
    isOver: false,
    died,
    end: () => {
      life.isOver = true
      end()
    },
  }
  return life
}
type Life = ReturnType<typeof createLife>

// ---- wallets

export type TestWallet = {
  readonly name: string
  readonly engine: Engine
  readonly store: WalletStore
  readonly address: PeerAddress
  readonly isAlive: boolean
  /** What its engine reported as defects. */
  readonly reports: readonly string[]
  /** Streams to payees that were opened and not closed. */
  readonly openStreams: number
  mint: MintDouble
  link: Link
  /** As payee: whether anybody can reach it. */
  isListening: boolean
  fate: Fate
  /** End it at once: nothing it had begun goes on. */
  kill(): void
  /** A copy of its file as it is now. @returns where it lies */
  copy(): string
  /** Open the same file again, with another configuration if wanted; or a copy in its place. */
  reopen(config?: Partial<EngineConfig>, copy?: string): void
  /** Bring in what another copy knows, of this wallet or of another life of its phrase. */
  merge(copy: string): Merged
  /** Work of this wallet that ends when the wallet dies. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>
  /** Ask the mint now, so that the wallet knows whether it can be reached. */
  look(): Promise<void>
  withdraw(amount: number, unit?: string): Promise<OperationOf<'withdraw'>>
  prepare(payee: TestWallet, amount: number, more?: Partial<PayOrder>): Promise<PayPreview>
  /** prepare and confirm. @returns the payment's id */
  pay(payee: TestWallet, amount: number, more?: Partial<PayOrder>): Promise<string>
  /** What this wallet asks to be signed for the coin at this place, hex. */
  blinded(path: CoinPath): string
  /** The mint's name of the quote of a withdraw, which the row holds sealed. */
  quoteOf(id: string): string
  payment(id: string): OperationOf<'pay'>
  /** Prepare to cash out an invoice of somebody else. */
  prepareCashOut(amount: number, unit?: string): Promise<CashOutPreview>
  /** prepare and confirm. @returns the cash out's id */
  cashOut(amount: number): Promise<string>
  melt(id: string): OperationOf<'melt'>
  /** The newest payment to this wallet. */
  incoming(): OperationOf<'receive'>
  refreshes(): readonly OperationOf<'refresh'>[]
  totals(unit?: string): CoinTotals
  /** All that is its own, wherever it is at the moment. */
  worth(unit?: string): number
  fees(unit?: string): number
  /** Money outside that it got for its coins. */
  cashedOut(unit?: string): number
}

export type WalletOptions = {
  readonly config?: Partial<EngineConfig>
  readonly generation?: number
  /** Whose phrase it has; default: its own. With another's, or its own once more, the database is a new one for an old phrase. */
  readonly phrase?: string
  /** The folder of its computer's memory; default: none. */
  readonly memory?: string
  /** A copy of another wallet's file to begin with. */
  readonly copy?: string
  /** Default: the world's mint is added. */
  readonly knowsMint?: boolean
  /** Where this wallet reaches the mint; default: the mint itself. */
  readonly mintUrl?: string
  /** Default: the system's. */
  readonly random?: Random
}

export type World = {
  readonly mint: TestMint
  readonly clock: TestClock
  readonly wallets: readonly TestWallet[]
  /** Frames that reached a payee, in their order. Whoever reads them may empty it. */
  readonly frames: SeenFrame[]
  /** A mint that lied has broken the books on purpose: they are not checked. */
  isCookingBooks: boolean
  wallet(name: string, options?: WalletOptions): Promise<TestWallet>
  /** Move the clock and run what is due, until nothing will be within this time. */
  rest(withinMs?: number): Promise<void>
  /** Let this much time pass, with everything that happens in it. */
  pass(milliseconds: number): Promise<void>
  /** Everything is reachable and honest again, and everybody alive. */
  heal(): void
  /** Money the mint took for coins of this unit. */
  issued(unit?: string): number
  /** Money the mint paid for coins of this unit. */
  paidOut(unit?: string): number
  /** End wallets that are no longer looked at, so that resting is quicker. */
  forget(...wallets: readonly TestWallet[]): void
  /** End all of it now: a test that opens many worlds has checked this one. */
  end(): Promise<void>
}

/** Delays that a test can wait for; few coins, so that payments need change; no re-keying, nor looking for twins, unless a test asks. */
export const testConfig: EngineConfig = {
  ...defaultConfig,
  coinsOfEach: 1,
  settleDelayMs: [minuteMs, minuteMs],
  refreshDelayMs: [1e14, 1e14],
  lookForTwinsMs: Number.POSITIVE_INFINITY,
}

/** While time passes at rest, mints are asked this often whether they are there. */
const lookEveryMs = 10 * minuteMs

const worlds: { readonly world: World; readonly close: () => void }[] = []

afterEach(async () => {
  for (const { world, close } of worlds.splice(0)) {
    try {
      world.heal()
      await world.rest()
      expect(world.wallets.flatMap(({ reports }) => reports)).toEqual([])
      if (!world.isCookingBooks) expectConserved(world)
    } finally {
      close()
    }
  }
  for (const folder of computers.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const computers: string[] = []
/** What one computer remembers: a folder that is there until the end of the test. */
export function computer(): string {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-computer-'))
  computers.push(folder)
  return folder
}

/** Value at all wallets, the fees they paid and what they cashed out are what was issued. Holds at rest. */
export function expectConserved(world: World, unit = 'sat'): void {
  const worth = world.wallets.reduce((sum, wallet) => sum + wallet.worth(unit), 0)
  const fees = world.wallets.reduce((sum, wallet) => sum + wallet.fees(unit), 0)
  const out = world.wallets.reduce((sum, wallet) => sum + wallet.cashedOut(unit), 0)
  const states = world.wallets.map(({ name, store }) => [name, ...store.read.operations({}).map(describeOperation)])
  const books = { total: world.issued(unit), out: world.paidOut(unit), states }
  expect({ total: worth + fees + out, out, states }).toEqual(books)
}

const describeOperation = ({ kind, state, lastError }: Operation) => `${kind} ${state} ${lastError ?? ''}`.trim()

/** Of the mint, or how to make them with the world's clock. */
export type WorldOptions = Partial<MintServerOptions> | ((clock: Clock) => Partial<MintServerOptions>)

/** A mint and the wallets around it. Options are the mint's. After the test all comes to rest and the books are checked. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const clock = createClock()
  const mint = await openMint({
    clock,
    random: sameSeed(),
    ...(typeof options === 'function' ? options(clock) : options),
  })
  const wallets: (TestWallet & { close(): void })[] = []
  const folders: string[] = []
  const living = () => wallets.filter(({ isAlive }) => isAlive)
  const frames: SeenFrame[] = []
  const findPayee = (peerId: string) => wallets.find(({ address }) => address.peerId === peerId)

  const rest = async (withinMs = 30 * minuteMs): Promise<void> => {
    const until = clock.now() + withinMs
    let lookAt = clock.now()
    let since = clock.now()
    for (let round = 0; round < mostRounds; round++) {
      if (clock.now() - since >= longestPauseMs) {
        since = clock.now()
        round = 0
      }
      const isLookDue = lookAt <= clock.now()
      if (isLookDue) lookAt = clock.now() + lookEveryMs
      for (const wallet of living()) {
        if (isLookDue) await wallet.look()
        await inRealTime(wallet.run(() => wallet.engine.runner.runDue()))
      }
      const next = Math.min(...living().map(({ store }) => store.read.nextDueAt() ?? Number.POSITIVE_INFINITY))
      if (next > until) return
      clock.move(Math.max(0, next - clock.now()))
    }
    throw new Error('it never comes to rest')
  }

  const world: World = {
    mint,
    clock,
    wallets,
    frames,
    isCookingBooks: false,
    wallet: async (name, options = {}) => {
      const folder = mkdtempSync(join(tmpdir(), 'farthing-wallet-'))
      folders.push(folder)
      const path = join(folder, 'wallet.db')
      if (options.copy !== undefined) copyFileSync(options.copy, path)
      const wallet = createWallet(name, path, { clock, findPayee, frames }, options)
      wallets.push(wallet)
      if (options.knowsMint !== false && options.copy === undefined)
        await wallet.engine.mints.add(options.mintUrl ?? mint.url())
      return wallet
    },
    rest,
    pass: async (milliseconds) => {
      const until = clock.now() + milliseconds
      const step = Math.max(milliseconds / 5, secondMs)
      while (clock.now() < until) {
        await rest(step)
        clock.move(Math.min(step, Math.max(0, until - clock.now())))
      }
      await rest(0)
    },
    heal: () => {
      for (const wallet of wallets) {
        wallet.mint = honest
        wallet.link = goodLink
        wallet.fate = immortal
        wallet.isListening = true
        if (!wallet.isAlive) wallet.reopen()
      }
    },
    issued: (unit = 'sat') => sumAtMint(mint, 'mint_quotes', 'ISSUED', unit),
    paidOut: (unit = 'sat') => sumAtMint(mint, 'melt_quotes', 'PAID', unit),
    forget: (...gone) => {
      for (const wallet of wallets.filter((one) => gone.includes(one))) {
        wallets.splice(wallets.indexOf(wallet), 1)
        wallet.close()
      }
    },
    end: async () => {
      worlds.splice(
        worlds.findIndex((one) => one.world === world),
        1,
      )
      close()
      await mint.close()
    },
  }
  const close = () => {
    for (const wallet of wallets.splice(0)) wallet.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
  worlds.push({ world, close })
  return world
}

function sumAtMint({ folder }: TestMint, table: 'mint_quotes' | 'melt_quotes', state: string, unit: string): number {
  const db = new DatabaseSync(join(folder, 'mint.sqlite'), { readOnly: true })
  const sql = `SELECT COALESCE(SUM(amount), 0) AS n FROM ${table} WHERE state = ? AND unit = ?`
  const sum = Number(db.prepare(sql).get(state, unit)?.['n'])
  db.close()
  return sum
}

/** Every mint has the same keys, so that tables for them are made once; all else is random. */
function sameSeed(): Random {
  let isFirst = true
  return {
    bytes: (length) => {
      const bytes = isFirst ? new Uint8Array(length).fill(7) : new Uint8Array(randomBytes(length))
      isFirst = false
      return bytes
    },
  }
}

/** Whatever is at work waits at most about this long between two steps: far fewer rounds fall into that time. */
const longestPauseMs = 10 * minuteMs
const mostRounds = 1000
const longestRoundMs = 60_000

/** One round of a runner that ends: with everything on one computer it takes a fraction of a second. */
async function inRealTime(round: Promise<unknown>): Promise<void> {
  const gaveUp = new AbortController()
  const tooLong = waitFor(longestRoundMs, 'too long', { signal: gaveUp.signal }).catch(() => undefined)
  const first = await Promise.race([round, tooLong])
  gaveUp.abort()
  if (first === 'too long') throw new Error('a round of the runner does not end')
}

const seeds = new Map<string, Uint8Array>()

/** The seed of a phrase of its own for every name. */
function seedFor(name: string): Uint8Array {
  const known = seeds.get(name)
  if (known) return known
  const entropy = createHash('sha256').update(name).digest().subarray(0, 16)
  const seed = mnemonicToSeedSync(entropyToMnemonic(new Uint8Array(entropy), wordlist))
  seeds.set(name, seed)
  return seed
}

const knownSecrets = new Map<string, Secrets>()

/** One for each phrase: what a search has computed once is there for the next one. */
function secretsFor(name: string, random: Random): Secrets {
  if (random !== systemRandom) return createSecrets(seedFor(name), random)
  const known = knownSecrets.get(name) ?? createSecrets(seedFor(name), random)
  knownSecrets.set(name, known)
  return known
}

/** As long as a real peer id: identity multihash of an Ed25519 key. */
const peerIdOf = (seed: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0, 36, 8, 1, 18, 32), new Uint8Array(createHash('sha256').update(seed).digest()))

/** How long wallets wait for an answer: the mint runs in this process too, which may be busy with a restore. */
const patientMs = 60_000

const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/** What a wallet has in common with the others around it. */
type Surroundings = {
  readonly clock: Clock
  readonly findPayee: (peerId: string) => TestWallet | undefined
  readonly frames: SeenFrame[]
}

function createWallet(
  name: string,
  path: string,
  { clock, findPayee, frames }: Surroundings,
  { config: configAtFirst = {}, generation = 0, random = systemRandom, phrase, memory: memoryAt }: WalletOptions,
): TestWallet & { close(): void } {
  const seed = seedFor(phrase ?? name)
  const secrets = secretsFor(phrase ?? name, random)
  const payeePeer = peerIdOf(secrets.payeePeerSeed(generation))
  const address: PeerAddress = { peerId: `peer-of-${name}-${generation}`, multiaddrs: [] }
  const http = createMintClients({ clock, timeoutMs: patientMs })
  const reports: string[] = []
  let openStreams = 0

  /** Everything the engine asks of the world goes through here: nothing comes back to the dead. */
  const portsOf = (life: Life, config: Partial<EngineConfig>) => {
    const call = async <T>(port: string, work: () => Promise<T>): Promise<T> => {
      if (life.isOver) return forever()
      const decide = wallet.fate
      const fate = decide(port)
      if (fate === 'die_before') life.end()
      if (life.isOver) return forever()
      try {
        const value = await work()
        // A wait that ends when everybody is well again kills nobody.
        if (fate === 'die_after' && wallet.fate === decide) life.end()
        return life.isOver ? forever() : value
      } catch (error) {
        if (life.isOver) return forever()
        throw error
      }
    }
    const file = openWalletFile(path)
    const opened = file.store
    const isPlain = phrase === undefined && memoryAt === undefined
    if (isPlain && opened.read.meta('seed/generation') === undefined) {
      opened.transaction((write) => write.setMeta('seed/generation', generation))
    }
    const fingerprint = createHash('sha256').update(seed).digest('hex')
    const memory = memoryAt === undefined ? null : openGenerationMemory(memoryAt, fingerprint, () => {})
    const remembers = takeUpLife({ store: opened, memory, isOldPhrase: phrase !== undefined, clock, random })
    const store: WalletStore = {
      ...opened,
      transaction: (work) => {
        const fate = life.isOver ? 'die_before' : wallet.fate('transaction')
        if (fate === 'die_before') life.end()
        if (life.isOver) throw new Dead()
        const value = opened.transaction(work)
        if (fate === 'die_after') life.end()
        if (life.isOver) throw new Dead()
        return value
      },
    }
    const mintClients = (url: string): MintClient =>
      around(wallet.mint(http(url)), (port, ask) => call(`mint ${port}`, ask))
    const dial = (to: PeerAddress, seed: Uint8Array): Promise<PaySession> =>
      call('dial', async () => {
        const payee = findPayee(to.peerId)
        if (!payee?.isListening || !payee.isAlive) throw reset()
        return sessionWith(payee, peerIdOf(seed))
      })
    const sessionWith = (payee: TestWallet & { peer?: Uint8Array }, payerPeer: Uint8Array): PaySession => {
      const { engine: engineAtDial } = payee
      const from: RemotePayer = { payerPeer, payeePeer: payee.peer ?? payeePeer, address: '10.0.0.7' }
      let sent = 0
      let isOpen = true
      openStreams++
      const answer = async (kind: FrameKind, frame: Uint8Array): Promise<Uint8Array> => {
        if (!payee.isListening || !payee.isAlive) throw reset()
        const { onHello, onHandover } = payee.engine.payee
        const seen: SeenFrame = { kind, frame, reply: null }
        frames.push(seen)
        const reply = await payee.run(() => (kind === 'hello' ? onHello(frame, from) : onHandover(frame, from)))
        if (reply === undefined || !payee.isAlive || !payee.isListening) throw reset()
        seen.reply = reply
        return reply
      }
      return {
        payerPeer,
        payeePeer: from.payeePeer,
        exchange: (frame, timeoutMs) =>
          call('exchange', async () => {
            if (!isOpen || payee.engine !== engineAtDial) throw reset()
            const kind = sent++ === 0 ? 'hello' : 'handover'
            // A person looks on: a payer that would wait longer than this pays nobody here.
            if (timeoutMs > (kind === 'hello' ? 15_000 : 30_000)) throw new Error(`waits ${timeoutMs} ms`)
            try {
              return await wallet.link(kind, () => answer(kind, frame), frame)
            } catch (error) {
              isOpen = false
              throw error
            }
          }),
        close: async () => {
          isOpen = false
          openStreams--
        },
      }
    }
    const engine = createEngine({
      store,
      secrets,
      mintClients,
      dial,
      clock: { now: clock.now, wait: (milliseconds) => call('wait', () => clock.wait(milliseconds)) },
      random,
      verifyCoins: async (coins) => coins.map(verifyCoin),
      config: { ...testConfig, ...config },
      generation: () => storedGeneration(opened.read) ?? generation,
      memory,
      name: () => name,
      emit: () => remembers.touch(),
      report: (error, operation) => {
        const about = operation === null ? 'runner' : describeOperation(operation)
        if (!life.isOver) reports.push(`${about}: ${error.code} ${error.message} ${error.cause}`)
      },
    })
    return { life, store, opened, engine, remembers, file, memory }
  }

  const settle = async <T>(work: Promise<T>, life: Life): Promise<T | undefined> => {
    const result = work.catch((error: unknown) => {
      if (life.isOver) return undefined
      throw error
    })
    return Promise.race([result, life.died.then(() => undefined)])
  }

  const wallet: TestWallet & { peer: Uint8Array; close(): void } = {
    name,
    peer: payeePeer,
    address,
    reports,
    mint: honest,
    link: goodLink,
    isListening: true,
    fate: immortal,
    get engine() {
      return current.engine
    },
    get store() {
      return current.store
    },
    get isAlive() {
      return !current.life.isOver
    },
    get openStreams() {
      return openStreams
    },
    kill: () => current.life.end(),
    copy: () => {
      const at = `${path}.copy-${randomBytes(4).toString('hex')}`
      const db = new DatabaseSync(path, { readOnly: true })
      db.exec(`VACUUM INTO '${at}'`)
      db.close()
      return at
    },
    merge: (copy) => {
      const { file, opened, memory } = current
      return file.merge({
        path: copy,
        now: clock.now(),
        onNews: ({ generation: seen }, write) => noteMerge({ store: opened, clock, random, memory }, write, seen),
      })
    },
    reopen: (config = configAtFirst, copy) => {
      if (!current.life.isOver) current.remembers.end()
      current.life.end()
      current.opened.close()
      if (copy !== undefined) {
        for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
        copyFileSync(copy, path)
      }
      wallet.fate = immortal
      openStreams = 0
      current = portsOf(createLife(), config)
    },
    run: (work) => settle(work(), current.life),
    look: async () => {
      await wallet.run(() => wallet.engine.tick())
    },
    withdraw: async (amount, unit = 'sat') => {
      const id = wallet.engine.withdraw(0, unit, amount)
      for (let step = 0; step < 5 && wallet.store.read.operation(id)?.nextAttemptAt !== null; step++) {
        await wallet.run(() => wallet.engine.runner.runNow(id))
      }
      return operationOf('withdraw', wallet.store.read.operation(id))
    },
    prepare: async (payee, amount, more = {}) => {
      const unnamed = { expectedKey: null, requestId: null, isSingleUse: false, memo: null }
      const order = { account: 0, unit: 'sat', amount, ...unnamed }
      return (await wallet.run(() =>
        wallet.engine.preparePay({ ...order, payee: payee.address, ...more }),
      )) as PayPreview
    },
    pay: async (payee, amount, more = {}) => {
      const preview: PayPreview | undefined = await wallet.prepare(payee, amount, more)
      if (preview) await wallet.run(() => wallet.engine.confirmPay(preview.id))
      return preview?.id ?? ''
    },
    blinded: (path) => pointToHex(secrets.blindedMessage(path)),
    quoteOf: (id) => {
      const operation = operationOf('withdraw', current.opened.read.operation(id))
      const sealed = 'quote' in operation ? operation.quote : null
      return secrets.openText(id, sealed ?? '') ?? ''
    },
    payment: (id) => operationOf('pay', current.opened.read.operation(id)),
    prepareCashOut: async (amount, unit = 'sat') => {
      const order = { account: 0, unit, invoice: await foreignInvoice(amount) }
      return (await wallet.run(() => wallet.engine.prepareCashOut(order))) as CashOutPreview
    },
    cashOut: async (amount) => {
      const preview: CashOutPreview | undefined = await wallet.prepareCashOut(amount)
      if (preview) await wallet.run(() => wallet.engine.confirmCashOut(preview.id))
      return preview?.id ?? ''
    },
    melt: (id) => operationOf('melt', current.opened.read.operation(id)),
    incoming: () => operationOf('receive', current.opened.read.operations({ kind: 'receive', limit: 1 })[0]),
    refreshes: () =>
      current.opened.read.operations({ kind: 'refresh' }).map((operation) => operationOf('refresh', operation)),
    totals: (unit = 'sat') => current.opened.read.totals(0, unit),
    worth: (unit = 'sat') => {
      const { spendable, reserved, handed_over, quarantined } = wallet.totals(unit)
      return spendable + reserved + handed_over + quarantined
    },
    fees: (unit = 'sat') =>
      current.opened.read
        .operations({})
        .reduce((sum, operation) => sum + (operation.unit === unit ? feePaid(operation) : 0), 0),
    cashedOut: (unit = 'sat') =>
      current.opened.read
        .operations({ kind: 'melt' })
        .reduce((sum, operation) => sum + (operation.unit === unit ? cashedOut(operation) : 0), 0),
    close: () => {
      current.life.end()
      current.opened.close()
    },
  }
  let current = portsOf(createLife(), configAtFirst)
  return wallet
}

function operationOf<K extends Operation['kind']>(kind: K, operation: Operation | undefined): OperationOf<K> {
  if (operation?.kind !== kind) throw new Error(`no ${kind}`)
  return operation as OperationOf<K>
}

/** Narrow to a state; the test fails in any other. */
export function inState<O extends Operation, S extends O['state']>(
  operation: O,
  state: S,
): OperationIn<O['kind'], S> & O {
  expect(`${operation.state} ${operation.lastError ?? ''}`.trim()).toMatch(new RegExp(`^${state}\\b`))
  return operation as OperationIn<O['kind'], S> & O
}

/** Somebody has this output signed for money of its own: `amount` in `unit`, whatever the output was meant for. */
export async function signElsewhere(world: World, B_: string, amount: number, unit = 'sat'): Promise<void> {
  const { quote } = await world.mint.paidQuote(amount, unit)
  const id = await world.mint.keysetId(unit)
  signaturesIn(await world.mint.post('/v1/mint/bolt11', { quote, outputs: [{ amount, id, B_ }] }))
}

/** Two wallets, one with money, one that wants some. */
export async function payerAndPayee(
  world: World,
  { money = 64, config }: { readonly money?: number; readonly config?: Partial<EngineConfig> } = {},
): Promise<{ payer: TestWallet; payee: TestWallet }> {
  const options = config === undefined ? {} : { config }
  const payer = await world.wallet('payer', options)
  const payee = await world.wallet('payee', options)
  if (money > 0) inState(await payer.withdraw(money), 'done')
  return { payer, payee }
}

/** Cut wallets off from the mint, and let them notice. */
export async function cutOff(...wallets: readonly TestWallet[]): Promise<void> {
  for (const wallet of wallets) {
    wallet.mint = away
    await wallet.look()
  }
}

/** Bring wallets back to the mint, and let them notice. */
export async function reconnect(...wallets: readonly TestWallet[]): Promise<void> {
  for (const wallet of wallets) {
    wallet.mint = honest
    await wallet.look()
  }
}
