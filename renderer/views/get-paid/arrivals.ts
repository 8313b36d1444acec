// What arrives for the requests on the screen. Pure; milliseconds.

import type { PaymentView } from '../../../shared/model.ts'

/** A payer has this long to confirm; what has not come then is not coming. As `confirmWithinMs` of the payer. */
export const comingForMs = 10 * 60_000

export type Counts = { readonly paid: number; readonly signed: number; readonly coming: number }

/** Whether a payment belongs on the screen: it answers one of its requests, or came to a visible name without one. */
export function isArrival(
  payment: PaymentView,
  shown: { readonly requestIds: readonly string[]; readonly since: number; readonly now: number },
): boolean {
  const { direction, state, requestId, createdAt } = payment
  if (direction !== 'in' || state === 'abandoned' || state === 'replaced') return false
  if (isComing(payment) && shown.now - createdAt > comingForMs) return false
  return requestId === null ? createdAt >= shown.since : shown.requestIds.includes(requestId)
}

/** Newest first. */
export function inOrder(payments: readonly PaymentView[]): readonly PaymentView[] {
  return [...payments].sort((a, b) => b.createdAt - a.createdAt)
}

export function countArrivals(payments: readonly PaymentView[]): Counts {
  return {
    paid: payments.filter(({ state }) => state === 'final').length,
    signed: payments.filter(({ state }) => state === 'signed').length,
    coming: payments.filter(isComing).length,
  }
}

/** Whether somebody has paid a request, or is about to: it is not taken away from them. */
export function isAnswered(requestId: string, payments: Iterable<PaymentView>, now: number): boolean {
  for (const payment of payments) {
    if (payment.requestId === requestId && payment.state !== 'refused') {
      if (isArrival(payment, { requestIds: [requestId], since: 0, now })) return true
    }
  }
  return false
}

function isComing({ state }: PaymentView): boolean {
  return state === 'awaited' || state === 'on_its_way'
}
