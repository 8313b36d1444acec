// What must hold when wallets have come to rest, whatever went wrong before: the books balance, no coin is spendable
// twice, nothing is stuck, and nobody who was honest looks like a cheat.

import { cashedOut, feePaid } from '../electron/views.ts'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import { handoverDigest } from '../electron/wallet/handover.ts'
import type { Operation } from '../electron/wallet/operation.ts'
import type { WalletStore } from '../electron/wallet/store-port.ts'
import { hashToCurve, pointToHex } from '../shared/cashu/bdhke.ts'
import { bytesToHex, compareBytes, hexToBytes } from '../shared/cashu/numbers.ts'
import { purseSecret, sigAllDigest, xOnly } from '../shared/cashu/p2pk.ts'
import { checkStateResponseSchema, maxLookups } from '../shared/cashu/wire.ts'
import {
  bodyHash,
  claimSchema,
  decodeBody,
  decodeFrame,
  encodeBody,
  handoverSchema,
  type SignedHandover,
  type SignedMessage,
  type Terms,
  termsSchema,
  verifySigned,
} from '../shared/messages.ts'
import { z } from '../shared/schema.ts'
import type { SeenFrame } from './engine-fixture.ts'
import type { Asked } from './fault-proxy.ts'
import type { TestMint } from './mint-fixture.ts'

/** A sentence for each thing that is wrong; none when all is well. */
export type Wrongs = readonly string[]

// ---- money

/** A wallet as its file shows it. */
export type Holder = { readonly name: string; readonly store: Pick<WalletStore, 'read'> }

/** Coins that are its own, wherever they are; those it can spend; money that it took in, paid as fees, and cashed out. */
export function ledgerOf({ store: { read } }: Pick<Holder, 'store'>) {
  const { spendable, reserved, handed_over } = read.totals(0, 'sat')
  const sum = (of: (operation: Operation) => number) => read.operations({}).reduce((all, one) => all + of(one), 0)
  return {
    worth: spendable + reserved + handed_over,
    spendable,
    issued: sum((one) => (one.kind === 'withdraw' && one.state === 'done' ? one.amount : 0)),
    fees: sum(feePaid),
    cashedOut: sum(cashedOut),
  }
}

/** The ledgers of several wallets as one. */
export function ledgerOfAll(holders: readonly Holder[]): ReturnType<typeof ledgerOf> {
  const ledgers = holders.map(ledgerOf)
  const sum = (of: keyof ReturnType<typeof ledgerOf>) => ledgers.reduce((all, ledger) => all + ledger[of], 0)
  return {
    worth: sum('worth'),
    spendable: sum('spendable'),
    issued: sum('issued'),
    fees: sum('fees'),
    cashedOut: sum('cashedOut'),
  }
}

/**
 * Value at these wallets, their fees and what they cashed out are what was issued to them; nothing is on its way.
 * @param gifts what somebody else paid for and had signed on their outputs
 */
export function booksOf(holders: readonly Holder[], gifts = 0): Wrongs {
  const { worth, spendable, issued, fees, cashedOut: out } = ledgerOfAll(holders)
  return [
    ...(worth + fees + out === issued + gifts
      ? []
      : [`${worth} + ${fees} fees + ${out} cashed out are not the ${issued + gifts} issued`]),
    ...(spendable === worth ? [] : [`${worth - spendable} of ${worth} are reserved or handed over`]),
  ]
}

/** Every spendable coin is unspent at the mint, and spendable in one wallet only. @param spent of these coins, by Y */
export async function coinsTwice(
  holders: readonly Holder[],
  spent: (Ys: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<Wrongs> {
  const owners = new Map<string, string>()
  const wrongs: string[] = []
  for (const { name, store } of holders) {
    for (const { Y } of store.read.coins(0, 'sat', 'spendable')) {
      const other = owners.get(Y)
      if (other !== undefined) wrongs.push(`a coin is spendable at ${other} and at ${name}`)
      owners.set(Y, name)
    }
  }
  const gone = await spent([...owners.keys()])
  const lost = [...owners].filter(([Y]) => gone.has(Y))
  return [...wrongs, ...lost.map(([, name]) => `a coin that ${name} calls spendable is not unspent at the mint`)]
}

/** Asks a mint that runs. */
export const spentAt =
  (mint: TestMint) =>
  async (Ys: readonly string[]): Promise<ReadonlySet<string>> => {
    const gone = new Set<string>()
    for (let at = 0; at < Ys.length; at += maxLookups) {
      const answer = await mint.post('/v1/checkstate', { Ys: Ys.slice(at, at + maxLookups) })
      for (const { Y, state } of checkStateResponseSchema.parse(answer.body).states)
        if (state !== 'UNSPENT') gone.add(Y)
    }
    return gone
  }

/** Everything at these wallets has come to one of these ends, and nothing goes on failing. */
export function stuck(now: number, holders: readonly Holder[], ends: readonly string[]): Wrongs {
  return holders.flatMap(({ name, store }) =>
    store.read.operations({}).flatMap((operation) => {
      if (ends.includes(endOf(operation)) && !isOverdue(now, operation)) return []
      return `${name}: ${endOf(operation)} ${operation.lastError ?? ''}`.trim()
    }),
  )
}

/** Kind and state. A swap to oneself has a rival at the mint only when it takes a payment back: another that is lost says so. */
function endOf(operation: Operation): string {
  const { kind, state } = operation
  return kind === 'refresh' && state === 'lost' && operation.reason !== 'reclaim'
    ? `${kind} ${state} (${operation.reason})`
    : `${kind} ${state}`
}

/** What should have been looked at and was not, or goes on failing. */
const isOverdue = (now: number, { nextAttemptAt, attempts }: Operation): boolean =>
  attempts > 0 || (nextAttemptAt !== null && nextAttemptAt <= now)

/** How many operations ended how. */
export function endsOf(holders: readonly Holder[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const { store } of holders) {
    for (const operation of store.read.operations({})) {
      ends.set(endOf(operation), (ends.get(endOf(operation)) ?? 0) + 1)
    }
  }
  return ends
}

// ---- honesty

/** What was signed over coins of somebody, as others see it. */
export type Signed = {
  /** Requests to the mint. */
  readonly asked: readonly Asked[]
  /** Frames that reached a payee. */
  readonly frames: readonly SeenFrame[]
}

const spending = z.object({
  quote: z.string().default(''),
  inputs: z.array(z.object({ secret: z.string(), C: z.string() })),
  outputs: z.array(z.object({ amount: z.number(), B_: z.string() })).default([]),
})

/**
 * Every coin of an honest wallet is promised once: by one swap, which is the payment. A person who takes a payment back has
 * a second one signed, and so has a payee who asks for another in place of a dead one; a cash out that failed is followed
 * by a swap to oneself.
 * @param mayBeTwice coins, by Y, of payments that a person asked to have back
 * @param anew how many swaps may have been signed over coins of payments that were signed anew
 */
export function promisedTwice(
  { asked, frames }: Signed,
  mayBeTwice: ReadonlySet<string>,
  anew: ReadonlyMap<string, number> = new Map(),
): Wrongs {
  const swaps = new Map<string, Set<string>>()
  const melts = new Set<string>()
  const handedOver = new Set<string>()
  const note = (Y: string, digest: string) => swaps.set(Y, (swaps.get(Y) ?? new Set()).add(digest))
  for (const { path, body } of asked) {
    if (body === null || (path !== '/v1/swap' && path !== '/v1/melt/bolt11')) continue
    const { quote, inputs, outputs } = spending.parse(JSON.parse(body))
    const digest = bytesToHex(sigAllDigest(inputs, outputs, quote))
    for (const { secret } of inputs) {
      if (path === '/v1/swap') note(YOf(secret), digest)
      else melts.add(YOf(secret))
    }
  }
  for (const { terms, handover } of signedHandovers(frames)) {
    const digest = bytesToHex(handoverDigest(terms, handover))
    for (const Y of YsOf(handover)) {
      note(Y, digest)
      handedOver.add(Y)
    }
  }
  return [...swaps].flatMap(([Y, digests]) => [
    ...(digests.size > (anew.get(Y) ?? 1) && !mayBeTwice.has(Y)
      ? [`${digests.size} swaps were signed over coin ${Y.slice(0, 8)}`]
      : []),
    ...(melts.has(Y) && handedOver.has(Y) ? [`coin ${Y.slice(0, 8)} was handed over and melted`] : []),
  ])
}

/** One for each payment that is replaced, and one for the payment that stands in its place; by Y. */
export function signedAnew(payments: readonly Operation[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const payment of payments) {
    if (payment.kind !== 'pay' || payment.state !== 'replaced') continue
    for (const { Y } of payment.swap.inputs) counts.set(Y, (counts.get(Y) ?? 1) + 1)
  }
  return counts
}

/** The same as far as rows tell: what was signed by payers and for swaps to oneself, and what payees were given. */
export function promisedTwiceInRows(holders: readonly Holder[]): Wrongs {
  const swaps = new Map<string, Set<string>>()
  const askedBack = new Set<string>()
  for (const operation of holders.flatMap(({ store }) => store.read.operations({}))) {
    if (!('swap' in operation)) continue
    for (const { Y } of operation.swap.inputs) {
      swaps.set(Y, (swaps.get(Y) ?? new Set()).add(operation.swap.digest))
      if (operation.kind === 'pay' && operation.reclaim !== null) askedBack.add(Y)
    }
  }
  const twice = [...swaps].filter(([Y, digests]) => digests.size > 1 && !askedBack.has(Y))
  return twice.map(([Y, { size }]) => `${size} swaps were signed over coin ${Y.slice(0, 8)}`)
}

/** Claims that reached a payee, put together as any payee would, and the proof of a double spend among them. */
export const looksLikeCheating = (frames: readonly SeenFrame[]): Wrongs => provesDoubleSpend(claimsIn(frames))

/** The same for claims that wallets keep: as payers, and as payees. */
export function looksLikeCheatingInRows(holders: readonly Holder[]): Wrongs {
  const rows = holders.flatMap(({ store }) => store.read.operations({}))
  const kept = rows.flatMap((row) => ('claim' in row && row.claim ? [row.claim] : []))
  return provesDoubleSpend(kept.map(({ body, sig }) => ({ body: hexToBytes(body), sig: hexToBytes(sig) })))
}

function provesDoubleSpend(claims: readonly SignedMessage[]): Wrongs {
  const distinct = new Map(claims.map((claim) => [bytesToHex(claim.body), claim]))
  const byPurse = Map.groupBy(distinct.values(), ({ body }) =>
    xOnly(bytesToHex(decodeBody(claimSchema, body).purseKey)),
  )
  const proofs = [...byPurse.values()].flatMap((made) => findDoubleSpend(made) ?? [])
  return proofs.map(() => 'two claims prove a double spend')
}

type SeenHandover = { readonly terms: Terms; readonly termsHash: Uint8Array; readonly handover: SignedHandover }

/** Handovers that are signed swaps, each with the Terms it answers. */
function signedHandovers(frames: readonly SeenFrame[]): readonly SeenHandover[] {
  const agreed = new Map<string, Uint8Array>()
  for (const { kind, reply } of frames) {
    const answer = kind === 'hello' && reply ? decodeFrame(reply) : undefined
    if (answer && 'terms' in answer) agreed.set(bytesToHex(bodyHash(answer.terms.body)), answer.terms.body)
  }
  return frames.flatMap(({ kind, frame }) => {
    const sent = kind === 'handover' ? decodeFrame(frame) : undefined
    const handover = sent && 'handover' in sent ? decodeBody(handoverSchema, sent.handover) : undefined
    const body = handover && agreed.get(bytesToHex(handover.termsHash))
    if (handover?.kind !== 'signed' || !body) return []
    return { terms: decodeBody(termsSchema, body), termsHash: handover.termsHash, handover }
  })
}

function claimsIn(frames: readonly SeenFrame[]): readonly SignedMessage[] {
  return signedHandovers(frames).map(({ terms, termsHash, handover }) => {
    const keysetIds = new Map(handover.inputs.map(([id]) => [bytesToHex(id), id]))
    const body = encodeBody(claimSchema, {
      purseKey: handover.purseKey,
      keysetIds: [...keysetIds.values()].sort(compareBytes),
      Ys: YsOf(handover).map(hexToBytes),
      swapDigest: handoverDigest(terms, handover),
      termsHash,
      payeeKey: terms.payeeKey,
      deadline: terms.deadline,
    })
    if (!verifySigned('claim', body, handover.claimSig, handover.purseKey))
      throw new Error('a claim that is not signed')
    return { body, sig: handover.claimSig }
  })
}

const YsOf = ({ inputs, purseKey }: SignedHandover) =>
  inputs.map(([, , nonce]) => YOf(purseSecret(bytesToHex(nonce), bytesToHex(purseKey))))

const YOf = (secret: string) => pointToHex(hashToCurve(secret))
