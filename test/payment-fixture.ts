// Payments without a network: mint keys, coins, Terms and handovers made by hand from the formulas of the protocol, and a
// payee in process, over a real database, with a mint that is a table of keys.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { afterEach } from 'vitest'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { defaultConfig, type EngineConfig } from '../electron/wallet/context.ts'
import { createEngine, type Engine } from '../electron/wallet/engine.ts'
import { type BuiltHandover, buildHandover, type CoinToHandOver } from '../electron/wallet/handover.ts'
import type { OperationOf } from '../electron/wallet/operation.ts'
import type { CoinVerifier, EngineEvent, MintAnswer, MintClient, RemotePayer } from '../electron/wallet/ports.ts'
import { createSecrets } from '../electron/wallet/secrets.ts'
import type { WalletStore } from '../electron/wallet/store-port.ts'
import { inputFee, splitAmount, sumAmounts } from '../shared/amount.ts'
import {
  blind,
  hashToCurve,
  order,
  Point,
  pointFromHex,
  pointToHex,
  signBlinded,
  unblind,
} from '../shared/cashu/bdhke.ts'
import { proveDleq, verifyCoin } from '../shared/cashu/dleq.ts'
import { type Keyset, keysetIdV1, keysetIdV2, verifyKeyset } from '../shared/cashu/keyset.ts'
import { bytesToHex, bytesToNumberBE, compareBytes, hexToBytes, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { purseSecret, sigAllDigest } from '../shared/cashu/p2pk.ts'
import type { BlindSignature } from '../shared/cashu/wire.ts'
import {
  bodyHash,
  type Claim,
  claimSchema,
  compareOutputs,
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeFrame,
  type Hello,
  handoverSchema,
  helloSchema,
  type Input,
  type Output,
  type Receipt,
  type Refusal,
  receiptSchema,
  refusalSchema,
  type SignedHandover,
  type SignedKind,
  type SignedMessage,
  signedHandoverSchema,
  signingHash,
  type Terms,
  termsSchema,
} from '../shared/messages.ts'

const noRandomness = new Uint8Array(32)
/** 32 bytes, the same for the same name. */
export const bytesOf = (name: string): Uint8Array => sha256(utf8ToBytes(name))
export const scalarOf = (name: string): bigint => 1n + (bytesToNumberBE(bytesOf(name)) % (order - 1n))
export const pointOf = (name: string): Uint8Array => hashToCurve(name).toBytes(true)
/** 33 bytes that look like a point and are none: 5³ + 7 is no square. */
export const offCurve = hexToBytes(`02${'05'.padStart(64, '0')}`)
/** The point with the same x and the other y: 02… becomes 03…. */
export const twin = (point: Uint8Array): Uint8Array => point.with(0, 5 - (point[0] ?? 0))

/** A signing key of anybody. */
export type Signer = {
  readonly secretKey: Uint8Array
  /** Compressed, 33 bytes. */
  readonly key: Uint8Array
  signDigest(digest: Uint8Array): Uint8Array
  sign(kind: SignedKind, body: Uint8Array): SignedMessage
}

export function signer(name: string): Signer {
  const secretKey = hexToBytes(scalarOf(name).toString(16).padStart(64, '0'))
  const signDigest = (digest: Uint8Array) => schnorr.sign(digest, secretKey, noRandomness)
  return {
    secretKey,
    key: secp256k1.getPublicKey(secretKey, true),
    signDigest,
    sign: (kind, body) => ({ body, sig: signDigest(signingHash(kind, body)) }),
  }
}

/** A keyset with its secret keys. */
export type MintKeys = { readonly keyset: Keyset; sign(amount: number, B_: string): BlindSignature }

export type MintKeysOptions = Partial<Pick<Keyset, 'unit' | 'feePpk' | 'finalExpiry' | 'active'>> & {
  /** Keys for 2^0 … 2^(count−1). */
  readonly count?: number
  readonly isV1?: boolean
}

export function mintKeys(name: string, options: MintKeysOptions = {}): MintKeys {
  const { unit = 'sat', feePpk = 0, finalExpiry = null, active = true, count = 6, isV1 = false } = options
  const k = (amount: number) => scalarOf(`${name}/${amount}`)
  const amounts = Array.from({ length: count }, (_, exponent) => 2 ** exponent)
  const keys = Object.fromEntries(amounts.map((amount) => [`${amount}`, pointToHex(Point.BASE.multiply(k(amount)))]))
  const parts = { unit, feePpk, finalExpiry, active, keys }
  const keyset = verifyKeyset({ ...parts, id: isV1 ? keysetIdV1(keys) : keysetIdV2(parts) })
  return {
    keyset,
    sign: (amount, B_) => {
      const C_ = signBlinded(pointFromHex(B_), k(amount))
      return { amount, id: keyset.id, C_: pointToHex(C_), dleq: proveDleq(k(amount), pointFromHex(B_), C_) }
    },
  }
}

/** A coin locked to a purse key, signed by the mint. */
export function issueCoin(mint: MintKeys, amount: number, purse: Signer, name: string, r = scalarOf(`r/${name}`)) {
  const { keyset } = mint
  const nonce = bytesToHex(bytesOf(`nonce/${name}`))
  const secret = purseSecret(nonce, bytesToHex(purse.key))
  const { C_, dleq } = mint.sign(amount, pointToHex(blind(secret, r)))
  const C = pointToHex(unblind(pointFromHex(C_), r, pointFromHex(keyset.keys[amount]!)))
  const coin: CoinToHandOver = {
    Y: pointToHex(hashToCurve(secret)),
    keyset,
    amount,
    nonce,
    C,
    r,
    e: dleq!.e,
    s: dleq!.s,
  }
  return coin
}

/** Outputs somebody asks for: as many different points as amounts. */
export const outputsOf = (name: string, amounts: readonly number[]): Output[] =>
  amounts.map((amount, index): Output => [amount, pointOf(`${name}/${index}`)]).sort(compareOutputs)

/** Terms with their hash, as both sides hold them. */
export type AgreedTerms = { readonly terms: Terms; readonly termsHash: Uint8Array; readonly signed: SignedMessage }

export const someDeadline = 1_800_000_000
/** What a payee without a wallet offers. */
export function makeTerms(payee: Signer, changes: Partial<Terms> = {}): AgreedTerms {
  const amount = changes.amount ?? 13
  const terms: Terms = {
    helloHash: bytesOf('hello'),
    peers: [bytesOf('payer peer'), bytesOf('payee peer')],
    keysetIds: [hexToBytes(`01${'00'.repeat(32)}`)],
    unit: 'sat',
    amount,
    outputs: outputsOf(`payee ${bytesToHex(payee.key)}`, splitAmount(amount)),
    payeeKey: payee.key,
    name: 'Ada',
    deadline: someDeadline,
    ...changes,
  }
  const body = encodeBody(termsSchema, terms)
  return { terms, termsHash: bodyHash(body), signed: payee.sign('terms', body) }
}

/** A handover with what its payer knows. */
export type TestPayment = AgreedTerms & {
  readonly purse: Signer
  readonly coins: readonly CoinToHandOver[]
  readonly built: BuiltHandover
  readonly handover: SignedHandover
}

/** An honest payment: coins in, the Terms' outputs and the canonical change out. */
export function makePayment(
  agreed: AgreedTerms,
  purse: Signer,
  coins: readonly CoinToHandOver[],
  changeName = 'change',
): TestPayment {
  const fee = inputFee(coins.map(({ keyset }) => keyset.feePpk))
  const total = sumAmounts(coins.map(({ amount }) => amount))
  const built = buildHandover({
    terms: agreed.terms,
    termsHash: agreed.termsHash,
    coins,
    purseKey: bytesToHex(purse.key),
    change: outputsOf(changeName, splitAmount(total - fee - agreed.terms.amount)),
    signSwap: purse.signDigest,
    signClaim: (body) => purse.sign('claim', body),
  })
  return { ...agreed, purse, coins, built, handover: handoverIn(built.frame) }
}

export function handoverIn(frame: Uint8Array): SignedHandover {
  const decoded = decodeFrame(frame)
  if (!('handover' in decoded)) throw new Error('no handover')
  return decodeBody(signedHandoverSchema, decoded.handover)
}

export const handoverFrame = (handover: SignedHandover): Uint8Array =>
  encodeFrame({ handover: encodeBody(handoverSchema, handover) })

/** An input of the wire, made from a coin. */
export const inputOf = ({ keyset, amount, nonce, C, e, s, r }: CoinToHandOver): Input => [
  hexToBytes(keyset.idV2),
  amount,
  hexToBytes(nonce),
  hexToBytes(C),
  hexToBytes(e),
  hexToBytes(s),
  hexToBytes(r.toString(16).padStart(64, '0')),
]

const YOf = (purseKey: Uint8Array, [, , nonce]: Input): Uint8Array =>
  hashToCurve(purseSecret(bytesToHex(nonce), bytesToHex(purseKey))).toBytes(true)

export const sortedByY = (purseKey: Uint8Array, inputs: readonly Input[]): Input[] =>
  [...inputs].sort((a, b) => compareBytes(YOf(purseKey, a), YOf(purseKey, b)))

/** Where a forger's signatures differ from honest ones over what it sends. */
export type Forgery = {
  readonly swapKey?: Signer
  readonly claimKey?: Signer
  readonly claimKind?: SignedKind
  readonly claim?: Partial<Claim>
  /** What the swap signature covers instead of the handover's own outputs. */
  readonly swapOutputs?: readonly Output[]
}

/**
 * A handover changed at will, then signed again by the purse key over what it says now: digest and claim fit, so that
 * nothing but the change itself can be noticed. Written from section 10, not from the code that is tested.
 */
export function resigned(
  { terms, termsHash, purse, handover }: Pick<TestPayment, 'terms' | 'termsHash' | 'purse' | 'handover'>,
  changes: Partial<SignedHandover>,
  { swapKey = purse, claimKey = purse, claimKind = 'claim', claim = {}, swapOutputs }: Forgery = {},
): SignedHandover {
  const draft = { ...handover, ...changes }
  const digestOver = (outputs: readonly Output[]) =>
    sigAllDigest(
      draft.inputs.map(([, , nonce, C]) => ({
        secret: purseSecret(bytesToHex(nonce), bytesToHex(draft.purseKey)),
        C: bytesToHex(C),
      })),
      outputs.map(([amount, B_]) => ({ amount, B_: bytesToHex(B_) })),
    )
  const outputs = [...terms.outputs, ...draft.change].sort(compareOutputs)
  const keysetIds = new Map(draft.inputs.map(([id]) => [bytesToHex(id), id]))
  const body = encodeBody(claimSchema, {
    purseKey: draft.purseKey,
    keysetIds: [...keysetIds.values()].sort(compareBytes),
    Ys: draft.inputs.map((input) => YOf(draft.purseKey, input)),
    swapDigest: digestOver(outputs),
    termsHash,
    payeeKey: terms.payeeKey,
    deadline: terms.deadline,
    ...claim,
  })
  return {
    ...draft,
    swapSig: swapKey.signDigest(digestOver(swapOutputs ?? outputs)),
    claimSig: claimKey.sign(claimKind, body).sig,
  }
}

/** A mint that signs whatever swap it is sent, once for each coin, and can be cut off. */
export type StubMint = {
  readonly url: string
  isUp: boolean
  /** Answers "try again" to swaps, without looking at them. */
  isBusy: boolean
  version: string
  keysets: readonly MintKeys[]
  readonly swaps: string[]
  readonly client: MintClient
}

export const mintUrl = 'http://127.0.0.1:3338'

export function stubMint(keysets: readonly MintKeys[], url = mintUrl): StubMint {
  const signed = new Map<string, BlindSignature>()
  const spent = new Set<string>()
  const answer = <T>(value: () => T): Promise<MintAnswer<T>> =>
    Promise.resolve(
      mint.isUp ? { kind: 'ok', value: value() } : { kind: 'unknown', reason: 'no answer', reachable: false },
    )
  const client: MintClient = {
    info: () => {
      const nuts = Object.fromEntries(['7', '9', '10', '11', '12'].map((nut) => [nut, { supported: true }]))
      return answer(() => ({ name: 'A mint', version: mint.version, nuts }))
    },
    keysets: () => answer(() => mint.keysets.map(({ keyset: { keys: _keys, idV2: _idV2, ...summary } }) => summary)),
    keys: (id) => answer(() => mint.keysets.find(({ keyset }) => keyset.id === id)!.keyset.keys),
    swap: async (body) => {
      mint.swaps.push(body)
      if (mint.isUp && mint.isBusy) return { kind: 'unknown', reason: 'status 503', reachable: true }
      const { inputs, outputs } = JSON.parse(body) as {
        inputs: { secret: string }[]
        outputs: { id: string; amount: number; B_: string }[]
      }
      if (inputs.some(({ secret }) => spent.has(secret))) return { kind: 'refused', code: 11001, detail: 'spent' }
      if (outputs.some(({ B_ }) => signed.has(B_))) return { kind: 'refused', code: 11003, detail: 'signed before' }
      return answer(() => {
        for (const { secret } of inputs) spent.add(secret)
        return outputs.map(({ id, amount, B_ }) => {
          const signature = mint.keysets.find(({ keyset }) => keyset.id === id)!.sign(amount, B_)
          signed.set(B_, signature)
          return signature
        })
      })
    },
    checkState: (Ys) =>
      answer(() => {
        const spentYs = new Set([...spent].map((secret) => pointToHex(hashToCurve(secret))))
        return Ys.map((Y) => (spentYs.has(Y) ? ('SPENT' as const) : ('UNSPENT' as const)))
      }),
    restore: (outputs) => answer(() => outputs.flatMap(({ B_ }) => signed.get(B_) ?? [])),
    requestMintQuote: () => Promise.reject(new Error('not asked here')),
    mintQuote: () => Promise.reject(new Error('not asked here')),
    issue: () => Promise.reject(new Error('not asked here')),
    requestMeltQuote: () => Promise.reject(new Error('not asked here')),
    meltQuote: () => Promise.reject(new Error('not asked here')),
    melt: () => Promise.reject(new Error('not asked here')),
  }
  const mint: StubMint = { url, isUp: true, isBusy: false, version: 'Farthing/0.1.0', keysets, swaps: [], client }
  return mint
}

/** A payee's answer, opened, with its bytes as they came. */
export type Answer = { readonly frame: Uint8Array } & (
  | { readonly kind: 'terms'; readonly signed: SignedMessage; readonly terms: Terms }
  | { readonly kind: 'receipt'; readonly signed: SignedMessage; readonly receipt: Receipt }
  | { readonly kind: 'refusal'; readonly signed: SignedMessage; readonly refusal: Refusal }
)

export function readAnswer(frame: Uint8Array): Answer {
  const decoded = decodeFrame(frame)
  if ('terms' in decoded)
    return { frame, kind: 'terms', signed: decoded.terms, terms: decodeBody(termsSchema, decoded.terms.body) }
  if ('receipt' in decoded)
    return { frame, kind: 'receipt', signed: decoded.receipt, receipt: decodeBody(receiptSchema, decoded.receipt.body) }
  if ('refusal' in decoded)
    return { frame, kind: 'refusal', signed: decoded.refusal, refusal: decodeBody(refusalSchema, decoded.refusal.body) }
  throw new Error('an answer that is none')
}

/** In one word: the grade of a receipt, the code of a refusal, or `terms`. */
export const wordOf = (answer: Answer): string =>
  answer.kind === 'receipt' ? answer.receipt.grade : answer.kind === 'refusal' ? answer.refusal.code : 'terms'

export type TestPayee = {
  readonly clock: { nowMs: number }
  readonly mint: StubMint
  engine: Engine
  store: WalletStore
  /** What the engine tells its host. */
  onEvent: (event: EngineEvent) => void
  /** Close the database and open it again, with nothing remembered but what it holds. */
  reopen(): Promise<void>
  hello(changes?: Partial<Hello>, from?: RemotePayer): Promise<Answer>
  helloFrame(frame: Uint8Array, from?: RemotePayer): Promise<Answer>
  handover(frame: Uint8Array, from?: RemotePayer): Promise<Answer>
  /** Terms for a new payment; fails the test when there are none. */
  agree(changes?: Partial<Hello>, from?: RemotePayer): Promise<AgreedTerms>
  /** The mint goes away, and the wallet has noticed. */
  cutOff(): Promise<void>
  receives(): readonly OperationOf<'receive'>[]
  receiveOf(agreed: AgreedTerms): OperationOf<'receive'>
  /** Every byte this wallet has on disk, one entry a file. */
  files(): readonly Buffer[]
}

export const payer: RemotePayer = {
  payerPeer: bytesOf('payer peer'),
  payeePeer: bytesOf('payee peer'),
  address: '192.0.2.1',
}

export type TestPayeeOptions = {
  readonly keysets: readonly MintKeys[]
  readonly config?: Partial<EngineConfig>
  readonly verifyCoins?: CoinVerifier
  readonly version?: string
}

const opened: { close(): void }[] = []
afterEach(() => {
  for (const { close } of opened.splice(0)) close()
})

/** A wallet that knows one mint and answers payers. Its runner sleeps; its clock stands still until a test moves it. */
export async function openPayee({ keysets, config = {}, verifyCoins, version }: TestPayeeOptions): Promise<TestPayee> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-payee-'))
  const path = join(folder, 'wallet.db')
  const clock = { nowMs: Date.UTC(2026, 10, 1) }
  const mint = stubMint(keysets)
  if (version !== undefined) mint.version = version
  let drawn = 0
  const random = {
    bytes: (length: number) => bytesOf(`random/${drawn++}`).slice(0, length),
  }
  const open = (store: WalletStore): Engine =>
    createEngine({
      store,
      secrets: createSecrets(new Uint8Array(64).fill(7), random),
      mintClients: () => mint.client,
      dial: () => Promise.reject(new Error('a payee does not dial')),
      clock: { now: () => clock.nowMs, wait: () => new Promise(() => {}) },
      random,
      verifyCoins: verifyCoins ?? (async (coins) => coins.map(verifyCoin)),
      config: { ...defaultConfig, ...config },
      generation: () => 0,
      name: () => 'Ada',
      emit: (event) => payee.onEvent(event),
      report: (error) => {
        throw error
      },
    })
  const store = openWalletStore(path)
  let sent = 0
  const payee: TestPayee = {
    clock,
    mint,
    store,
    onEvent: () => {},
    engine: open(store),
    reopen: async () => {
      payee.store.close()
      payee.store = openWalletStore(path)
      payee.engine = open(payee.store)
    },
    hello: (changes = {}, from = payer) =>
      payee.helloFrame(helloFrame(helloOf(keysets, `payment/${sent++}`, changes)), from),
    helloFrame: async (frame, from = payer) => readAnswer(await payee.engine.payee.onHello(frame, from)),
    handover: async (frame, from = payer) => readAnswer(await payee.engine.payee.onHandover(frame, from)),
    agree: async (changes = {}, from = payer) => {
      const answer = await payee.hello(changes, from)
      if (answer.kind !== 'terms') throw new Error(`no Terms: ${wordOf(answer)}`)
      return { terms: answer.terms, signed: answer.signed, termsHash: bodyHash(answer.signed.body) }
    },
    cutOff: async () => {
      mint.isUp = false
      await payee.engine.tick()
    },
    receives: () =>
      payee.store.read
        .operations({ kind: 'receive' })
        .flatMap((operation) => (operation.kind === 'receive' ? [operation] : [])),
    receiveOf: ({ termsHash }) => {
      const operation = payee.store.read.receiveByTerms(bytesToHex(termsHash))
      if (operation?.kind !== 'receive') throw new Error('no such payment')
      return operation
    },
    files: () => readdirSync(folder).map((name) => readFileSync(join(folder, name))),
  }
  const close = () => {
    payee.store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  opened.push({ close })
  await payee.engine.mints.add(mint.url)
  return payee
}

/** A Hello for 5 sat with coins of these keysets, unless changed. The same name makes the same payment id. */
export const helloOf = (keysets: readonly MintKeys[], name: string, changes: Partial<Hello> = {}): Hello => ({
  v: 1,
  paymentId: bytesOf(name).slice(0, 16),
  mint: { url: mintUrl, keysetIds: keysets.map(({ keyset }) => hexToBytes(keyset.idV2)) },
  unit: 'sat',
  amount: 5,
  ...changes,
})
export const helloFrame = (hello: Hello): Uint8Array => encodeFrame({ hello: encodeBody(helloSchema, hello) })

let coinsMade = 0
/** An honest signed handover for these Terms, from a purse of its own with fresh coins of these amounts. */
export function payWith(mint: MintKeys, agreed: AgreedTerms, amounts: readonly number[]): TestPayment {
  const name = `purse/${coinsMade++}`
  const purse = signer(name)
  const coins = amounts.map((amount, index) => issueCoin(mint, amount, purse, `${name}/${index}`))
  return makePayment(agreed, purse, coins, `change/${name}`)
}
