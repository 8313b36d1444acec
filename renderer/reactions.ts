// What a window does when a payment changes while somebody is there: a sound, a word, a toast. Pure.

import type { PaymentState, PaymentView } from '../shared/model.ts'
import { paymentNotice } from '../shared/words.ts'
import { type Href, type Route, to } from './route.ts'

/** Paid: a coin set on wood and two rising notes · signed: the first note and a pen · knock: not sent, bounced. */
export type Sound = 'paid' | 'signed' | 'knock'

/** Good news that needs no answer. */
export type Toast = {
  readonly text: string
  /** Where "Show" leads. */
  readonly href?: Href
  /** Toasts of one kind become one: "3 payments are final now". */
  readonly kind?: 'final'
  readonly count?: number
}

export type Reaction = { readonly sound?: Sound; readonly toast?: Toast; readonly announcement?: string }

const sounds: Readonly<Partial<Record<PaymentState, Sound>>> = {
  final: 'paid',
  signed: 'signed',
  bounced: 'knock',
  dead: 'knock',
  refused: 'knock',
}
const told: readonly PaymentState[] = ['final', 'signed', 'bounced', 'dead', 'refused', 'taken_back']

export function reactionTo(
  payment: PaymentView,
  was: PaymentState | null,
  route: Route,
  isPlayMoney: boolean,
): Reaction {
  const { state, direction, id } = payment
  if (state === was || !told.includes(state)) return {}
  // An answer to somebody who is waiting makes a sound; a payment that settles hours later does not.
  const isAnswer = was !== 'signed' || isShown(payment, route)
  const sound = isAnswer ? sounds[state] : undefined
  const announcement = paymentNotice(payment, { isPlayMoney }).title
  const isGoodNews = state === 'final' || (state === 'signed' && direction === 'in')
  if (!isGoodNews || isShown(payment, route)) return { announcement, ...(sound === undefined ? {} : { sound }) }
  const toast: Toast =
    was === 'signed'
      ? { kind: 'final', count: 1, text: 'A payment is final now', href: to.payment(id) }
      : { text: announcement, href: to.payment(id) }
  return { toast, ...(sound === undefined ? {} : { sound }), ...(toast.text === announcement ? {} : { announcement }) }
}

/** Whether the screen shows this payment anyway. */
function isShown({ id, direction }: PaymentView, { screen, path }: Route): boolean {
  if (path.includes(id)) return true
  return direction === 'in' ? screen === 'get-paid' : screen === 'pay'
}
