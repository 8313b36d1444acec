// How a payment went, in front of the person who made it; it changes in place when more is known. Total over all states:
// nothing but `final` says Paid.

import { type ErrorCode, errorCodes } from '../../../shared/errors.ts'
import { plainText } from '../../../shared/foreign.ts'
import type { PaymentState, PaymentView } from '../../../shared/model.ts'
import { formatAmount, locale } from '../../../shared/units.ts'
import { alarmWords, errorWords, paymentWords } from '../../../shared/words.ts'
import { to } from '../../route.ts'
import { useMint, usePayment } from '../../store.ts'
import { dateAndTime } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { Coin } from '../../ui/Coin.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { gradeOf, isVoid } from '../../ui/grade.ts'
import { Heading } from '../../ui/Heading.tsx'
import { Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Slip } from '../../ui/Slip.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { payWords } from '../../words/pay.ts'
import { CodeNote } from './CodeNote.tsx'
import { usePayFlow } from './flow.ts'
import { useHeading } from './heading.ts'

const words = payWords.result
const back = { label: payWords.home, href: to.home }

const tones: Record<PaymentState, 'paid' | 'signed' | 'notsent' | undefined> = {
  preparing: undefined,
  on_its_way: undefined,
  awaited: undefined,
  signed: 'signed',
  final: 'paid',
  bounced: 'notsent',
  dead: 'notsent',
  replaced: 'notsent',
  refused: 'notsent',
  taking_back: undefined,
  taken_back: 'notsent',
  abandoned: 'notsent',
}

export function Result({ id }: { readonly id: string }) {
  const payment = usePayment(id)
  return payment ? <Known payment={payment} /> : <Unknown />
}

function Unknown() {
  const { trouble } = usePayFlow()
  return (
    <Flow back={back} step="result">
      <div className="column">
        <Heading>{trouble === null ? words.loading : words.unknown}</Heading>
        {trouble === null && <Waiting />}
        <CodeNote trouble={trouble} />
        <Button look="primary" size="l" shortcut="Enter" isWide href={to.home}>
          {words.done}
        </Button>
      </div>
    </Flow>
  )
}

function Known({ payment }: { readonly payment: PaymentView }) {
  const { id, direction, state, amount, fee, unit, mintUrl, name, payee, memo, updatedAt, answeredInMs, alarm } =
    payment
  const { badge, sentence } = paymentWords[direction][state]
  const mint = useMint(mintUrl)
  const who = <Foreign>{plainText(name) || payWords.somebody}</Foreign>
  const grade = gradeOf(state)
  const isOpen = grade === 'way' || state === 'preparing'
  useHeading(state)
  return (
    <Flow back={back} step="result" tone={tones[state]} mintUrls={[mintUrl]}>
      <div className="column narrow center result">
        <Coin grade={state === 'preparing' ? 'way' : grade} />
        <Heading>
          <span className="result-word">{badge}</span>
        </Heading>
        <div className="result-lead">
          <p>
            {words.to(formatAmount(amount, unit))} {who}
          </p>
          {mint?.isPlayMoney && <PlayTag />}
        </div>
        <p className="muted result-sentence">
          {sentence} {isOpen && <Waiting />}
        </p>
        {alarm && (
          <Note tone="warn" title={alarmWords[alarm].badge}>
            {alarmWords[alarm].sentence}
          </Note>
        )}
        <Why payment={payment} />
        <Slip
          rows={[
            {
              label: words.toLabel,
              value: (
                <span className="row tight">
                  {payee && <Egg picture={payee.picture} size={28} />}
                  {who}
                </span>
              ),
            },
            { label: words.note, value: memo && <Foreign>{memo}</Foreign> },
            { label: words.when, value: dateAndTime(updatedAt) },
            { label: words.answered, value: answeredInMs === null ? null : words.seconds(seconds(answeredInMs)) },
          ]}
          total={{
            label: isVoid(state) ? words.total : fee === 0 ? words.totalNoFee : words.totalFee(formatAmount(fee, unit)),
            value: <span className={isVoid(state) ? 'is-void' : ''}>{formatAmount(amount, unit)}</span>,
          }}
        />
        {isOpen && state !== 'preparing' && (
          <p className="small muted">
            {words.stillTrying} {payment.mayBeDelivered && words.delivered}
          </p>
        )}
        <div className="two-actions">
          <Button size="l" href={to.payment(id)}>
            {words.details}
          </Button>
          <Button look="primary" size="l" shortcut="Enter" isWide href={to.home}>
            {words.done}
          </Button>
        </div>
      </div>
    </Flow>
  )
}

/** The reason a payee gave, where it has words; what to do about it. */
function Why({ payment: { state, trouble, unit } }: { readonly payment: PaymentView }) {
  if (state !== 'refused' && state !== 'abandoned') return null
  const code = errorCodes.find((one): one is ErrorCode => one === trouble)
  if (code === undefined) return null
  const { title, action } = errorWords(code, {}, (amount) => formatAmount(amount, unit))
  return <Note title={`${title}.`}>{action}</Note>
}

function seconds(milliseconds: number): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: milliseconds < 10_000 ? 1 : 0 }).format(
    Math.max(0.1, milliseconds / 1000),
  )
}
