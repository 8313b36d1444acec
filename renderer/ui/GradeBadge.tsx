import type { PaymentView } from '../../shared/model.ts'
import { paymentWords } from '../../shared/words.ts'
import { gradeIcons, gradeOf } from './grade.ts'
import { Icon } from './Icon.tsx'

/** The word and the coin: closed is final, dashed is not. Changes in place; the store announces the change. */
export function GradeBadge({ state, direction }: Pick<PaymentView, 'state' | 'direction'>) {
  const grade = gradeOf(state)
  return (
    <span className={`grade grade-${grade}`}>
      <Icon name={gradeIcons[grade]} size="s" />
      {paymentWords[direction][state].badge}
    </span>
  )
}
