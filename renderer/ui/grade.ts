// The six ways a payment can look: three shapes of a coin, in the colour of the grade. Pure.

import type { PaymentState } from '../../shared/model.ts'
import type { IconName } from './Icon.tsx'

export type Grade = 'paid' | 'signed' | 'way' | 'bounced' | 'needs' | 'notsent'

const grades: Record<PaymentState, Grade> = {
  preparing: 'notsent',
  on_its_way: 'way',
  awaited: 'way',
  signed: 'signed',
  final: 'paid',
  bounced: 'bounced',
  dead: 'needs',
  replaced: 'notsent',
  refused: 'notsent',
  taking_back: 'way',
  taken_back: 'notsent',
  abandoned: 'notsent',
}

export function gradeOf(state: PaymentState): Grade {
  return grades[state]
}

export const gradeIcons: Record<Grade, IconName> = {
  paid: 'paid',
  signed: 'signed',
  way: 'onItsWay',
  bounced: 'bounced',
  needs: 'needs',
  notsent: 'notSent',
}

/** Whether the amount did not move after all, and is shown struck through. */
export function isVoid(state: PaymentState): boolean {
  return ['bounced', 'replaced', 'refused', 'taken_back', 'abandoned'].includes(state)
}
