// From rows to what a screen sees. Pure; total over kinds and states.

import type { PaymentAlarm, PaymentState, PaymentView, WithdrawView } from '../shared/model.ts'
import type { Operation, OperationOf } from './wallet/operation.ts'
import { expiredReason } from './wallet/progress.ts'

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
}

const receiveStates: Readonly<Record<OperationOf<'receive'>['state'], PaymentState>> = {
  terms: 'awaited',
  signed: 'signed',
  bounced: 'bounced',
  dead: 'dead',
  final: 'final',
  refused: 'refused',
  expired: 'abandoned',
}

const blockedAfterMs = 10 * 60_000
const refusedAfterMs = 24 * 3_600_000

/** Protocol section 8, rows 2, 3 and 6: unknown is never No, but people are told when it lasts. */
function alarmOf(operation: Operation, now: number): PaymentAlarm | null {
  if (!('refusedSince' in operation) || operation.nextAttemptAt === null) return null
  const { lastError, pendingSince, refusedSince } = operation
  if (lastError === expiredReason) return 'keyset_expired'
  if (pendingSince !== null && now - pendingSince > blockedAfterMs) return 'blocked_at_mint'
  if (refusedSince !== null && now - refusedSince > refusedAfterMs) return 'refused_by_mint'
  return null
}

/** A payment in either direction. `now` in milliseconds. */
export function paymentView(
  operation: OperationOf<'pay'> | OperationOf<'receive'>,
  mintUrl: string,
  now: number,
): PaymentView {
  const { id, amount, unit, memo, createdAt, updatedAt, lastError } = operation
  const common = { id, amount, unit, mintUrl, memo, createdAt, updatedAt, alarm: alarmOf(operation, now) }
  if (operation.kind === 'receive') {
    const trouble = operation.state === 'refused' ? operation.code : lastError
    return {
      ...common,
      direction: 'in',
      state: receiveStates[operation.state],
      fee: 0,
      name: '',
      answeredInMs: null,
      trouble,
    }
  }
  const name = 'payeeName' in operation ? operation.payeeName : ''
  const fee = 'fee' in operation ? operation.fee : 0
  const answeredInMs = 'answeredInMs' in operation ? operation.answeredInMs : null
  const trouble = operation.state === 'abandoned' ? operation.reason : lastError
  return { ...common, direction: 'out', state: payStates[operation.state], fee, name, answeredInMs, trouble }
}

export function withdrawView(operation: OperationOf<'withdraw'>, mintUrl: string): WithdrawView {
  const { id, state, amount, unit, lastError } = operation
  const invoice = 'request' in operation ? operation.request : null
  return { id, state, amount, unit, mintUrl, invoice, trouble: lastError }
}

/**
 * Fees a wallet has paid for good: of payments it settled or saw settled, and of refreshes that are done.
 * A bounced or unsettled payment has cost its payer nothing yet.
 */
export function feePaid(operation: Operation): number {
  if (operation.kind === 'pay') return operation.state === 'final' || operation.state === 'settled' ? operation.fee : 0
  if (operation.kind === 'refresh') return operation.state === 'done' ? operation.fee : 0
  return 0
}
