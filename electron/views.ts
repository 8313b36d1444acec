// From rows to what a screen sees. Pure; total over kinds and states.

import type { PaymentState, PaymentView, WithdrawView } from '../shared/model.ts'
import type { Operation, OperationOf } from './wallet/operation.ts'

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

/** A payment in either direction. */
export function paymentView(operation: OperationOf<'pay'> | OperationOf<'receive'>, mintUrl: string): PaymentView {
  const { id, amount, unit, memo, createdAt, updatedAt, lastError } = operation
  const common = { id, amount, unit, mintUrl, memo, createdAt, updatedAt }
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
