// Pay: what a person decides. prepare shows what will happen, confirm makes it so; pay-steps.ts carries it out.
// Transactions: P1 the Hello stored, before it leaves · P2 Terms stored · P3 coins reserved, change purse and indices
// taken, the signed handover and its swap stored, before anything leaves.

import { assertAmount, splitAmount } from '../../shared/amount.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import {
  decodeBody,
  encodeBody,
  helloSchema,
  maxKeysetIds,
  protocolVersion,
  type Terms,
  termsSchema,
} from '../../shared/messages.ts'
import { type Choice, type ChoiceResult, chooseCoins, largestPayable, splitUpTo } from './coins.ts'
import { type Context, unixNow } from './context.ts'
import { buildHandover, type CoinToHandOver } from './handover.ts'
import type { Operation, OperationIn, OperationOf } from './operation.ts'
import { keysetOf, planOutputs } from './own-coins.ts'
import { type AgreedSession, agree, hashOfTerms } from './payee-talk.ts'
import type { PeerAddress } from './ports.ts'
import { due, ended, newId, save } from './progress.ts'
import { expiresSoonSeconds, largestDenomination, outputKeyset } from './settle.ts'
import type { Coin, MintRow, WalletWrites } from './store-port.ts'

type Pay = OperationOf<'pay'>

/** Agreed but not confirmed for this long: given up. Milliseconds. */
export const confirmWithinMs = 10 * 60_000

export type PayOrder = {
  readonly account: number
  readonly unit: string
  readonly amount: number
  readonly payee: PeerAddress
  /** The key a request named (66 hex characters), or null for a payee found on the LAN. */
  readonly expectedKey: string | null
  readonly requestId: string | null
  /** Whether the request is closed by one payment. */
  readonly isSingleUse: boolean
  readonly memo: string | null
}

type Priced = Coin & { readonly feePpk: number }

/** What will happen if the person says yes. Amounts in the unit. */
export type PayPreview = {
  readonly id: string
  readonly payeeName: string
  /** The key that signed the Terms, 66 hex characters. */
  readonly payeeKey: string
  readonly amount: number
  readonly fee: number
  /** The grade to expect: final when the mint can be reached from here, signed otherwise. */
  readonly grade: 'signed' | 'final'
}

/** Streams on which Terms were received and a person has not answered yet, by operation. */
export type OpenSessions = Map<string, AgreedSession>

/** The stream of a payment whose Terms were received, if it is still open. */
export async function closeSession(sessions: OpenSessions, id: string): Promise<void> {
  const open = sessions.get(id)
  sessions.delete(id)
  await open?.session.close()
}

/**
 * Ask the payee for Terms and say what paying would cost. Nothing is reserved and nothing given away.
 * @throws AppError `conflict`, `request_closed` for a request that is being paid or was, `not_enough`, `no_single_purse`
 *   (facts: `largest`), `mint_unreachable` for an online-only mint, or
 *   what stands between here and the payee
 */
export async function preparePay(ctx: Context, sessions: OpenSessions, order: PayOrder): Promise<PayPreview> {
  const mint = requireMint(ctx, order.account)
  assertAmount(order.amount)
  assertNotPaidYet(ctx, order)
  const choice = await chooseOrHasten(ctx, order)
  const isReachable = ctx.mints.reachability(mint.account).reachable || (await refreshReach(ctx, mint))
  if (!mint.offlineCapable && !isReachable) throw unreachable()
  const asking = storeHello(ctx, order)
  try {
    const agreed = await agree(ctx, asking)
    const operation = storeTerms(ctx, asking, agreed, { fee: choice.fee, withinMs: confirmWithinMs })
    sessions.set(asking.id, agreed)
    return previewOf(operation, choice, isReachable)
  } catch (error) {
    const reason = error instanceof AppError ? error.code : 'internal'
    save(ctx, { ...asking, state: 'abandoned', reason, ...ended(ctx) })
    throw error
  }
}

/** States of a payment that keep another one for the same request away: of any request, and of one for single use. */
const unanswered = ['settling', 'handing_over'] as const
const answersRequest = [...unanswered, 'signed', 'settled', 'voided', 'dead', 'reclaiming', 'final'] as const

type ForRequest = Pick<PayOrder, 'requestId' | 'expectedKey' | 'isSingleUse'>

/** One request, one payment: the same handover is sent again, never a new one (protocol section 3). */
function assertNotPaidYet({ store }: Context, { requestId, expectedKey, isSingleUse }: ForRequest): void {
  if (requestId === null || expectedKey === null) return
  const before = store.read.payOfRequest(requestId, expectedKey, isSingleUse ? answersRequest : unanswered)
  if (before === 'unreadable') throw new AppError('conflict', 'what was done for this request cannot be read')
  if (before?.state === 'final') throw new AppError('request_closed', 'this request was paid')
  if (before) throw new AppError('conflict', 'a payment for this request is not over')
}

/** Whether a single-use request was answered by another payment since this one has bounced. */
export function wasPaidAnew({ store }: Pick<Context, 'store'>, payment: ForRequest): boolean {
  const { requestId, expectedKey, isSingleUse } = payment
  if (requestId === null || expectedKey === null || !isSingleUse) return false
  return store.read.payOfRequest(requestId, expectedKey, answersRequest) !== undefined
}

const unreachable = () =>
  new AppError('mint_unreachable', 'this mint can only be paid with online', { retryable: true })

function requireMint({ store }: Context, account: number): MintRow {
  const mint = store.read.mint(account)
  if (!mint) throw new AppError('mint_unknown', 'no such mint')
  return mint
}

/** A mint that was never asked since the start is asked now. */
async function refreshReach(ctx: Context, { account }: MintRow): Promise<boolean> {
  if (ctx.mints.reachability(account).since !== null) return false
  await ctx.mints.sync(account)
  return ctx.mints.reachability(account).reachable
}

/**
 * Choose coins. When they do not suffice and the mint can be reached, bring home what is on its way, one after another
 * until they do: a running refresh, the change of payments that wait to be settled.
 */
async function chooseOrHasten(ctx: Context, order: Order, among?: ReadonlySet<string>): Promise<Choice<Priced>> {
  const { account, unit } = order
  if (ctx.mints.reachability(account).reachable) {
    const open = ctx.store.read.operations({ account, states: ['settling', 'signed'], isLenient: true })
    for (const operation of open.filter((one) => one.unit === unit && one.kind !== 'receive')) {
      if (canChoose(ctx, order, among)) break
      await hasten(ctx, operation)
    }
  }
  return choose(ctx, order, among)
}

type Order = Pick<PayOrder, 'account' | 'unit' | 'amount'>

function canChoose(ctx: Context, order: Order, among?: ReadonlySet<string>): boolean {
  try {
    return choose(ctx, order, among).inputs.length > 0
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

async function hasten(ctx: Context, operation: Operation): Promise<void> {
  if (operation.kind === 'pay' && operation.state === 'signed') {
    await ctx.locked(operation.id, async () => {
      const now = ctx.store.read.operation(operation.id)
      if (now?.kind === 'pay' && now.state === 'signed')
        save(ctx, { ...now, settleAt: ctx.clock.now(), ...due(ctx, 0) })
    })
  }
  await Promise.race([ctx.runNow(operation.id), ctx.clock.wait(ctx.config.settleFirstMs)])
}

/** Coins that may be offered to a payee now. `among`: V2 ids of keysets; coins of others are left alone. */
function offerable(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  account: number,
  unit: string,
  among?: ReadonlySet<string>,
): readonly Priced[] {
  const now = unixNow(clock)
  const keyset = keysetOf(store, account)
  return store.read.coins(account, unit, 'spendable').flatMap((coin): readonly Priced[] => {
    const found = keyset(coin.keysetId)
    if (!found || (found.finalExpiry ?? Number.POSITIVE_INFINITY) <= now + expiresSoonSeconds) return []
    if (among && !among.has(found.idV2)) return []
    return [{ ...coin, feePpk: found.feePpk }]
  })
}

/** The most that one payment can pay at once, without the mint, in the unit; fee taken off. */
export function payableAtOnce(ctx: Pick<Context, 'store' | 'clock'>, account: number, unit: string): number {
  const byPurse = Map.groupBy(offerable(ctx, account, unit), ({ purseId }) => purseId)
  return Math.max(0, ...[...byPurse.values()].map(largestPayable))
}

/** @throws AppError `not_enough`, `no_single_purse` */
function choose(ctx: Context, { account, unit, amount }: Order, among?: ReadonlySet<string>): Choice<Priced> {
  const coins = offerable(ctx, account, unit, among)
  const result: ChoiceResult<Priced> = chooseCoins(coins, amount, splitAmount(amount).length)
  if (result.kind === 'chosen') return result.choice
  const total = coins.reduce((sum, coin) => sum + coin.amount, 0)
  const facts = { largest: result.largest, total }
  if (result.inAll >= amount)
    throw new AppError('no_single_purse', 'no purse covers this amount', { facts, retryable: true })
  throw new AppError('not_enough', 'the coins do not cover this amount', { facts })
}

/** P1 */
function storeHello(ctx: Context, order: PayOrder): OperationIn<'pay', 'asking'> {
  const operation = newPayment(ctx, order, { withinMs: confirmWithinMs, replaces: null, keysetIds: new Set() })
  ctx.store.transaction((write) => write.insertOperation(operation))
  ctx.emit({ kind: 'operation', id: operation.id })
  return operation
}

type Origin = {
  /** When it is given up, or goes on by itself, milliseconds from now. */
  readonly withinMs: number
  /** What it signs anew. */
  readonly replaces: Pay['replaces']
  /** V2 ids that the Hello names before others. */
  readonly keysetIds: ReadonlySet<string>
}

/** A new payment with its Hello, to be stored before it leaves. */
export function newPayment(ctx: Context, order: PayOrder, origin: Origin): OperationIn<'pay', 'asking'> {
  const { account, unit, amount, payee, expectedKey, requestId, isSingleUse, memo } = order
  const id = newId(ctx)
  const url = requireMint(ctx, account).url
  const keysets = ctx.store.read.keysets(account).filter((keyset) => keyset.unit === unit)
  const rank = ({ idV2, active }: Keyset) => (origin.keysetIds.has(idV2) ? 0 : active ? 1 : 2)
  const keysetIds = [...keysets].sort((a, b) => rank(a) - rank(b)).map(({ idV2 }) => hexToBytes(idV2))
  const digest = origin.replaces?.digest ?? null
  const hello = encodeBody(helloSchema, {
    v: protocolVersion,
    paymentId: hexToBytes(id),
    mint: { url, keysetIds: keysetIds.slice(0, maxKeysetIds) },
    unit,
    amount,
    ...(requestId === null ? {} : { requestId }),
    ...(memo === null ? {} : { memo }),
    ...(digest === null ? {} : { replaces: hexToBytes(digest) }),
  })
  const now = ctx.clock.now()
  return {
    kind: 'pay',
    state: 'asking',
    id,
    account,
    unit,
    amount,
    payee,
    expectedKey,
    requestId,
    isSingleUse,
    memo,
    replaces: origin.replaces,
    hello: bytesToHex(hello),
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now + origin.withinMs,
    attempts: 0,
    lastError: null,
  }
}

/** P2. `withinMs`: when it is given up, or goes on by itself. */
export function storeTerms(
  ctx: Context,
  asking: OperationIn<'pay', 'asking'>,
  { signed, terms }: AgreedSession,
  { fee, withinMs }: { readonly fee: number; readonly withinMs: number },
): OperationIn<'pay', 'agreed'> {
  const operation: OperationIn<'pay', 'agreed'> = {
    ...asking,
    state: 'agreed',
    terms: { body: bytesToHex(signed.body), sig: bytesToHex(signed.sig) },
    payeeName: terms.name,
    payeeKey: bytesToHex(terms.payeeKey),
    deadline: terms.deadline,
    fee,
    ...due(ctx, withinMs),
  }
  save(ctx, operation)
  return operation
}

function previewOf(
  { id, payeeName, payeeKey, amount }: OperationIn<'pay', 'agreed'>,
  choice: Choice<Priced>,
  isReachable: boolean,
): PayPreview {
  return { id, payeeName, payeeKey, amount, fee: choice.fee, grade: isReachable ? 'final' : 'signed' }
}

/**
 * P3: the person said yes. From here on the payment is on its way; the runner brings it to an end.
 * @throws AppError `not_found`, `wrong_state`, `not_enough`, `no_single_purse`, `mint_unreachable`, `wrong_fee` when it
 *   would cost more than was shown
 */
export async function confirmPay(ctx: Context, id: string): Promise<void> {
  const operation = ctx.store.read.operation(id)
  if (operation?.kind !== 'pay') throw new AppError('not_found', 'no such payment')
  if (operation.state !== 'agreed') throw new AppError('wrong_state', `payment is ${operation.state}`)
  if (operation.replaces) throw new AppError('wrong_state', 'signed anew by itself, with the coins of the one before')
  const mint = requireMint(ctx, operation.account)
  const { reachable } = ctx.mints.reachability(mint.account)
  if (!mint.offlineCapable && !reachable) throw unreachable()
  const terms = decodeBody(termsSchema, hexToBytes(operation.terms.body))
  const choice = await chooseFor(ctx, operation, terms, mint.offlineCapable)
  const amounts = changeAmounts(ctx, operation, choice.change, terms)
  if (choice.fee > operation.fee) throw new AppError('wrong_fee', 'the fee is higher than what was shown')
  // Asked in the turn of the transaction: two previews of one request may be confirmed at the same moment.
  assertNotPaidYet(ctx, operation)
  ctx.store.transaction((write) => {
    const { inputs: coins, fee, change, purseId } = choice
    const state = reachable ? 'settling' : 'handing_over'
    signPayment(ctx, write, { operation, terms, coins, fee, change, amounts, state })
    write.markPurse(purseId, { used: true, closed: true })
    write.moveCoins(
      operation.account,
      coins.map(({ Y }) => Y),
      ['spendable'],
      'reserved',
      id,
    )
  })
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

export type ToSign = {
  readonly operation: OperationIn<'pay', 'agreed'>
  readonly terms: Terms
  /** Of one purse. */
  readonly coins: readonly Coin[]
  readonly fee: number
  readonly change: number
  /** @see changeAmounts */
  readonly amounts: readonly number[]
  readonly state: 'settling' | 'handing_over'
}

/**
 * P3, inside the caller's transaction, which ties the coins to this payment: change purse and indices taken, the signed
 * swap and its handover stored.
 */
export function signPayment(ctx: Context, write: WalletWrites, { operation, state, ...plan }: ToSign): void {
  const { account, unit, id } = operation
  const { terms, coins, amounts, fee, change } = plan
  const [first] = coins
  if (!first) throw new AppError('not_enough', 'no coins')
  const purse =
    amounts.length > 0 ? write.takePurse({ generation: ctx.generation, account, unit }, 'change', 'offered') : null
  const planned = purse ? planOutputs(ctx, write, purse, amounts, id) : { outputs: [], own: [] }
  const built = buildHandover({
    terms,
    termsHash: hexToBytes(hashOfTerms(operation.terms.body)),
    coins: coins.map((coin) => toHandOver(ctx, coin)),
    purseKey: ctx.secrets.purseKey(first.path),
    change: planned.outputs.map(({ amount, B_ }) => [amount, hexToBytes(B_)]),
    signSwap: (digest) => ctx.secrets.signSwap(first.path, digest),
    signClaim: (body) => ctx.secrets.signClaim(first.path, body),
  })
  const next: Pay = {
    ...operation,
    state,
    fee,
    change,
    handover: bytesToHex(built.frame),
    claim: { body: bytesToHex(built.claim.body), sig: bytesToHex(built.claim.sig) },
    swap: built.swap,
    handedOver: false,
    receipt: null,
    grade: null,
    settleAt: null,
    refusal: null,
    answeredInMs: null,
    reclaim: null,
    replacedBy: null,
    attempt: null,
    reading: null,
    refusedSince: null,
    pendingSince: null,
    ...due(ctx, 0),
  }
  write.updateOperation(next)
  write.insertOutputs(planned.own)
  if (purse) write.markPurse(purse.id, { closed: true })
}

/**
 * Coins that the payee can verify, since the handover may have to go out signed; others only when there is no way but
 * to settle first.
 */
async function chooseFor(ctx: Context, order: Order, terms: Terms, isOfflineCapable: boolean): Promise<Choice<Priced>> {
  const verifiable = new Set(terms.keysetIds.map(bytesToHex))
  if (isOfflineCapable && canChoose(ctx, order, verifiable)) return choose(ctx, order, verifiable)
  const { account, unit } = order
  if (ctx.mints.reachability(account).reachable) {
    const amounts = splitAmount(order.amount)
    const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock), verifiable)
    if (!keyset)
      throw new AppError('keyset_unknown', 'the payee knows no active keyset of this mint', { retryable: true })
    return chooseOrHasten(ctx, order)
  }
  return choose(ctx, order, verifiable)
}

/**
 * The change in denominations of an active keyset that has coins for the payment too.
 * @throws AppError `amount_out_of_range` when there is none: nothing is reserved yet
 */
export function changeAmounts(
  ctx: Pick<Context, 'store' | 'clock'>,
  { account, unit }: Pick<PayOrder, 'account' | 'unit'>,
  change: number,
  terms: Terms,
): readonly number[] {
  const keysets = ctx.store.read.keysets(account)
  const now = unixNow(ctx.clock)
  const amounts = splitUpTo(change, largestDenomination(keysets, unit, now) ?? 1)
  const all = [...terms.outputs.map(([amount]) => amount), ...amounts]
  if (all.length > maxOutputs || !outputKeyset(keysets, unit, all, now)) {
    throw new AppError('amount_out_of_range', 'no active keyset has coins for this payment and its change')
  }
  return amounts
}

function toHandOver(ctx: Context, coin: Coin): CoinToHandOver {
  const keyset = keysetOf(ctx.store, coin.account)(coin.keysetId)
  if (!keyset) throw new AppError('keyset_unknown', 'a coin of no keyset')
  const { Y, amount, C, e, s, path } = coin
  return { Y, keyset, amount, C, e, s, nonce: ctx.secrets.nonce(path), r: ctx.secrets.blindingFactor(path) }
}

/** The person said no, or never answered. @throws AppError `wrong_state` once it was confirmed */
export function abandonPay(ctx: Context, id: string, reason: string): void {
  const operation = ctx.store.read.operation(id)
  if (operation?.kind !== 'pay') throw new AppError('not_found', 'no such payment')
  if (operation.state === 'abandoned') return
  if (operation.state !== 'asking' && operation.state !== 'agreed') {
    throw new AppError('wrong_state', `payment is ${operation.state}`)
  }
  save(ctx, asAbandoned(ctx, operation, reason))
}

/** The row of a payment that nothing was given for. */
export function asAbandoned(
  ctx: Pick<Context, 'clock'>,
  operation: OperationIn<'pay', 'asking' | 'agreed'>,
  reason: string,
): OperationIn<'pay', 'abandoned'> {
  const { kind, id, account, unit, amount, createdAt, hello, payee, expectedKey } = operation
  const { requestId, isSingleUse, memo, replaces } = operation
  const base = { kind, id, account, unit, amount, createdAt, hello, payee, expectedKey, requestId, isSingleUse, memo }
  return { ...base, replaces, state: 'abandoned', reason, ...ended(ctx) }
}
