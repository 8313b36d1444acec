import { memo } from 'react'
import { plainText } from '../../shared/foreign.ts'
import type { PaymentView } from '../../shared/model.ts'
import { formatAmount } from '../../shared/units.ts'
import { type Href, to } from '../route.ts'
import { useIsPlayMoney } from '../store.ts'
import { clockTime } from '../time.ts'
import { whoWords } from '../words/common.ts'
import { Egg } from './Egg.tsx'
import { Foreign } from './Foreign.tsx'
import { GradeBadge } from './GradeBadge.tsx'
import { isVoid } from './grade.ts'
import { Icon } from './Icon.tsx'
import { PlayTag } from './PlayTag.tsx'

/** One payment, 64 high; the whole row is the link. Repainted only when its payment changes. */
export const PaymentRow = memo(function PaymentRow({
  payment,
  isCurrent = false,
  isTabStop = true,
  href = to.payment(payment.id),
}: {
  readonly payment: PaymentView
  /** It is the one whose details are shown. */
  readonly isCurrent?: boolean
  /** In a list of its own arrow keys the others are skipped by Tab. */
  readonly isTabStop?: boolean
  readonly href?: Href
}) {
  const { state, direction, amount, unit, memo: written, createdAt, mintUrl, payee } = payment
  const isNothing = isVoid(state)
  const who = whoWords(payment)
  const note = plainText(written ?? '')
  return (
    <a
      className="payment"
      href={href}
      aria-current={isCurrent ? 'true' : undefined}
      tabIndex={isTabStop ? undefined : -1}
    >
      {payee ? <Egg picture={payee.picture} /> : <Disc direction={direction} />}
      <span className="payment-who clip">
        <span className="payment-name">
          <Foreign>{who}</Foreign>
        </span>
        <span className="payment-note clip">
          {note !== '' && note !== who && (
            <>
              <Foreign>{note}</Foreign> ·{' '}
            </>
          )}
          <time dateTime={new Date(createdAt).toISOString()}>{clockTime(createdAt)}</time>
        </span>
      </span>
      <span className="payment-amount">
        <span className={isNothing ? 'is-void' : ''}>
          {direction === 'out' && !isNothing
            ? formatAmount(-amount, unit)
            : formatAmount(amount, unit, isNothing ? 'never' : 'always')}
        </span>
        <span className="payment-tags">
          {useIsPlayMoney(mintUrl) && <PlayTag />}
          <GradeBadge state={state} direction={direction} />
        </span>
      </span>
    </a>
  )
})

/** A payer is not known by a key: an arrow takes the place of the egg. */
function Disc({ direction }: Pick<PaymentView, 'direction'>) {
  return (
    <span className="disc">
      <Icon name={direction === 'in' ? 'getPaid' : 'pay'} />
    </span>
  )
}
