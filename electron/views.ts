// From rows to what a screen sees. Pure; total over kinds and states.

import { hexToBytes } from '../shared/cashu/numbers.ts'
import { decodeBody, receiptSchema } from '../shared/messages.ts'
import type {
  CashOutAlarm,
  CashOutView,
  FingerprintView,
  PaymentAlarm,
  PaymentDetailView,
  PaymentState,
  PaymentView,
  TimelineEntry,
  WithdrawView,
} from '../shared/model.ts'
import { brokenReason, elsewhereReason, spentUnpaid } from './wallet/melt-facts.ts'
import { countsAsSigned, expiredReason, type Operation, type OperationOf } from './wallet/operation.ts'

const payStates: Readonly<Record<OperationOf<'pay'>['state'], PaymentState>> = {
  asking: 'preparing',
  agreed: 'preparing',
  abandoned: 'abandoned',
  settling: 'on_its_way',
  handing_over: 'on_its_way',
  settled: 'on_its_way',
  signed: 'signed',
  voided: 'refused',
  reclaiming: 'taking_back',
  reclaimed: 'taken_back',
  final: 'final',
  bounced: 'bounced',
  dead: 'dead',
  replaced: 'replaced',
}

const receiveStates: Readonly<Record<OperationOf<'receive'>['state'], PaymentState>> = {
  terms: 'awaited',
  signed: 'signed',
  bounced: 'bounced',
  dead: 'dead',
  replaced: 'replaced',
  final: 'final',
  refused: 'refused',
  expired: 'abandoned',
}

const blockedAfterMs = 10 * 60_000
const refusedAfterMs = 24 * 3_600_000

/** Protocol section 8, rows 2, 3 and 6: unknown is never No, but people are told when it lasts. */
function alarmOf(operation: Operation, now: number): PaymentAlarm | null {
  // Said for good, as coins that have ended do not come back. No handover came where the payer settled.
  const isLate = operation.kind === 'receive' && operation.state === 'refused' && operation.handoverHash === ''
  if (isLate || operation.lastError === expiredReason) return 'keyset_expired'
  if (!('refusedSince' in operation) || operation.nextAttemptAt === null) return null
  const { pendingSince, refusedSince } = operation
  if (pendingSince !== null && now - pendingSince > blockedAfterMs) return 'blocked_at_mint'
  if (refusedSince !== null && now - refusedSince > refusedAfterMs) return 'refused_by_mint'
  return null
}

export type Payment = OperationOf<'pay'> | OperationOf<'receive'>

export const isPayment = (operation: Operation | undefined): operation is Payment =>
  operation?.kind === 'pay' || operation?.kind === 'receive'

/** What signs another payment anew and has not done so: until then people see the one before. */
export const isOnlyAsked = ({ state, replaces }: Pick<Payment, 'replaces'> & { readonly state: string }): boolean =>
  replaces !== null && ['asking', 'agreed', 'abandoned', 'terms', 'expired'].includes(state)

/** What a view of a payment needs beside its row. */
export type PaymentFacts = {
  readonly mintUrl: string
  /** Milliseconds. */
  readonly now: number
  /** Of the key that signed the Terms. */
  readonly payee: FingerprintView | null
  readonly reclaim: PaymentView['reclaim']
}

/** A payment in either direction. */
export function paymentView(operation: Payment, { mintUrl, now, payee, reclaim }: PaymentFacts): PaymentView {
  const { id, amount, unit, memo, requestId, createdAt, updatedAt, lastError } = operation
  const alarm = alarmOf(operation, now)
  const common = { id, amount, unit, mintUrl, memo, requestId, createdAt, updatedAt, alarm, payee, reclaim }
  if (operation.kind === 'receive') {
    const trouble = operation.state === 'refused' ? operation.code : lastError
    return {
      ...common,
      direction: 'in',
      // Without a receipt it is no promise yet, unless nobody can be asked about it.
      state: operation.state === 'signed' && !countsAsSigned(operation) ? 'on_its_way' : receiveStates[operation.state],
      fee: 0,
      name: '',
      answeredInMs: null,
      mayBeDelivered: false,
      trouble,
    }
  }
  return {
    ...common,
    direction: 'out',
    state: payStates[operation.state],
    fee: 'fee' in operation ? operation.fee : 0,
    name: 'payeeName' in operation ? operation.payeeName : '',
    answeredInMs: 'answeredInMs' in operation ? operation.answeredInMs : null,
    mayBeDelivered: operation.state === 'handing_over' && operation.handedOver,
    trouble: operation.state === 'abandoned' ? operation.reason : lastError,
  }
}

/** When an operation came into which state, oldest first. */
export type History = readonly { readonly at: number; readonly state: string }[]

/** @param before histories of the payments that it signs anew, the first one first */
export function paymentDetailView(
  operation: Payment,
  facts: PaymentFacts,
  history: History,
  before: readonly History[] = [],
): PaymentDetailView {
  const receipt = 'receipt' in operation && operation.receipt ? readReceipt(operation.receipt.body) : null
  const settlesAt = operation.kind === 'pay' && operation.state === 'signed' ? operation.settleAt : null
  const view = paymentView(operation, facts)
  const timeline = timelineOf(operation, storyOf(operation, history, before))
  return {
    ...view,
    timeline: timeline.map((entry, at) => (at === timeline.length - 1 ? { ...entry, state: view.state } : entry)),
    receipt,
    settlesAt,
    deadline: 'deadline' in operation ? operation.deadline * 1000 : null,
    coins: 'swap' in operation ? operation.swap.inputs.length : null,
    hasClaim: operation.kind === 'receive' && 'claim' in operation && operation.claim !== null,
  }
}

/** The state that people see, of a stored one. */
export function stateOf(kind: Payment['kind'], state: string): PaymentState | undefined {
  const table: Readonly<Record<string, PaymentState>> = kind === 'pay' ? payStates : receiveStates
  return table[state]
}

/** One payment for people: what happened to those before it until it took their place, then what happened to it. */
function storyOf(operation: Payment, history: History, before: readonly History[]): History {
  const [first = history, ...others] = [...before.map(untilReplaced), history]
  const anew = others.flatMap((one) => one.filter(({ state }) => !isOnlyAsked({ ...operation, state })))
  return [...first, ...anew]
}

const untilReplaced = (history: History): History =>
  history.slice(0, history.findIndex(({ state }) => state === 'replaced') + 1)

/** Stored states that look alike to people are one entry. */
function timelineOf({ kind }: Payment, history: History): readonly TimelineEntry[] {
  const entries: TimelineEntry[] = []
  for (const { at, state: stored } of history) {
    const state = stateOf(kind, stored)
    if (state !== undefined && entries.at(-1)?.state !== state) entries.push({ at, state })
  }
  return entries
}

function readReceipt(body: string): PaymentDetailView['receipt'] {
  const { grade, at } = decodeBody(receiptSchema, hexToBytes(body))
  return { grade, at: at * 1000 }
}

export function withdrawView(operation: OperationOf<'withdraw'>, mintUrl: string): WithdrawView {
  const { id, state, amount, unit, lastError, createdAt } = operation
  // Nobody is to pay one that is given up.
  const invoice = 'request' in operation && state !== 'failed' ? operation.request : null
  const expiresAt =
    invoice !== null && 'expiry' in operation && operation.expiry !== null ? operation.expiry * 1000 : null
  return { id, state, amount, unit, mintUrl, invoice, expiresAt, createdAt, trouble: lastError }
}

/** Coins given back to the mint, which pays a Lightning invoice. */
export function cashOutView(operation: OperationOf<'melt'>, mintUrl: string): CashOutView {
  const { id, amount, unit, invoice, createdAt, updatedAt, lastError } = operation
  const alarm = cashOutAlarm(operation)
  const common = { id, amount, unit, mintUrl, invoice, createdAt, updatedAt, alarm }
  const before = { feeReserve: null, fee: 0, total: amount, expiresAt: null }
  switch (operation.state) {
    case 'quoting':
      return { ...common, ...before, state: 'quoting', trouble: lastError }
    case 'abandoned':
      return { ...common, ...before, state: 'abandoned', trouble: operation.reason }
    case 'failed': {
      // Only the swaps have cost something.
      const { feeReserve, fee, reason } = operation
      return { ...common, state: 'failed', feeReserve, fee, total: fee, expiresAt: null, trouble: reason }
    }
    case 'quoted':
    case 'gathering':
    case 'melting':
    case 'returning':
    case 'done': {
      const { state, feeReserve, confirmBy, expiry } = operation
      const fee = operation.fee + feeReserve - (state === 'done' ? operation.change : 0)
      const quoteEndsAt = state === 'done' || expiry === null ? null : expiry * 1000
      return {
        ...common,
        state: state === 'melting' ? 'paying' : state,
        feeReserve,
        fee,
        total: amount + fee,
        expiresAt: state === 'quoted' ? confirmBy : quoteEndsAt,
        trouble: lastError,
      }
    }
  }
}

function cashOutAlarm(operation: OperationOf<'melt'>): CashOutAlarm | null {
  if (operation.state === 'done') return operation.lastError === spentUnpaid ? 'unproven' : null
  if (operation.state !== 'returning' && operation.state !== 'failed') return null
  if (operation.reason === elsewhereReason) return 'paid_elsewhere'
  return operation.reason === brokenReason ? 'coins_gone' : null
}

/** What left a wallet as money outside, for good: the books balance as issued = held + fees + cashed out. */
export function cashedOut(operation: Operation): number {
  return operation.kind === 'melt' && operation.state === 'done' ? operation.amount : 0
}

/**
 * Fees a wallet has paid for good: of payments it settled or saw settled, of refreshes that are done, and of cash outs,
 * with what the Lightning network took.
 * A bounced or unsettled payment has cost its payer nothing yet.
 */
export function feePaid(operation: Operation): number {
  if (operation.kind === 'pay') return operation.state === 'final' || operation.state === 'settled' ? operation.fee : 0
  if (operation.kind === 'refresh') return operation.state === 'done' ? operation.fee : 0
  // The swaps of a cash out are counted by themselves.
  if (operation.kind === 'melt' && operation.state === 'done') {
    return operation.meltFee + operation.feeReserve - operation.change
  }
  return 0
}
