// What will happen if the person says yes: who, how much, the fee, the grade to expect. Paying is one press, once.

import { AppError, type ErrorCode } from '../../../shared/errors.ts'
import { isolated, plainText } from '../../../shared/foreign.ts'
import type { PayPreviewView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { errorWords } from '../../../shared/words.ts'
import { amountEntry } from '../../amount.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useMint, useMints, usePayment } from '../../store.ts'
import { Amount } from '../../ui/Amount.tsx'
import { Button } from '../../ui/Button.tsx'
import { Coin } from '../../ui/Coin.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Slip } from '../../ui/Slip.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { payWords } from '../../words/pay.ts'
import { amountOf, confirm, type Payee, prepare, stepOf, type, usePayFlow } from './flow.ts'
import { useHeading } from './heading.ts'

const words = payWords.confirm

export function Confirm() {
  const { asking, payee } = usePayFlow()
  useHeading(asking.state)
  switch (asking.state) {
    case 'none':
    case 'asking':
      return <AskingThem />
    case 'ready':
    case 'confirming':
      return (
        <Summary
          preview={asking.preview}
          isNearby={payee?.kind === 'nearby' || (payee?.kind === 'request' && payee.isNearby)}
          isConfirming={asking.state === 'confirming'}
        />
      )
    case 'failed':
      return <NotSent error={asking.error} isCertain={asking.openId === null} />
  }
}

const useBack = () => ({ label: words.toAmount, href: stepOf(usePayFlow()) })
const nameOf = (payee: Payee | null): string => plainText(payee?.name ?? '')

function AskingThem() {
  const flow = usePayFlow()
  const { payee, unit } = flow
  const look = payee && (payee.kind === 'nearby' ? payee.payee : payee.request.payee)
  return (
    <Flow back={useBack()} step="asking">
      <div className="column">
        <div className="payee">
          {look && <Egg picture={look.picture} size={72} />}
          <div>
            <Heading>
              {words.asking} <Foreign>{nameOf(payee) || payWords.them}</Foreign>
            </Heading>
            <Amount amount={amountOf(flow)} unit={unit} size="xl" />
          </div>
        </div>
        <p className="muted" role="status">
          {words.askingNow} <Waiting />
        </p>
      </div>
    </Flow>
  )
}

function Summary({
  preview,
  isNearby,
  isConfirming,
}: {
  readonly preview: PayPreviewView
  readonly isNearby: boolean
  readonly isConfirming: boolean
}) {
  const { id, payeeName, payee, isVerified, mintUrl, unit, memo, amount, fee, total, grade } = preview
  const mint = useMint(mintUrl)
  const isOnlyMint = useMints().length === 1
  const back = useBack()
  const payment = usePayment(id)
  // Nobody answered for ten minutes: the host has given it up.
  if (payment?.state === 'abandoned' && !isConfirming) {
    return <NotSent error={new AppError('terms_expired', 'not confirmed in time')} isCertain />
  }
  const isStrange = isNearby || !isVerified
  const place = mint ? mintName(mint) : mintUrl
  return (
    <Flow {...(isConfirming ? {} : { back })} step="confirm" mintUrls={[mintUrl]}>
      <div className="column">
        <div className="payee">
          <Egg picture={payee.picture} size={72} />
          <div>
            <Heading>
              {words.title} <Foreign>{plainText(payeeName) || payWords.somebody}</Foreign>
            </Heading>
            <div className="row">
              <Amount amount={amount} unit={unit} size="xl" />
              {mint?.isPlayMoney && <PlayTag />}
            </div>
          </div>
        </div>
        <Slip
          rows={[
            { label: words.note, value: memo && <Foreign>{memo}</Foreign> },
            { label: words.paidAt, value: isOnlyMint ? null : <Foreign>{place}</Foreign> },
            { label: words.fee, value: fee === 0 ? words.noFee : formatAmount(fee, unit) },
          ]}
          total={{ label: words.total, value: formatAmount(total, unit) }}
        />
        <div className="stack tight">
          <p className="small">
            <b>{isStrange ? words.strange : words.verified}</b>{' '}
            <span className="muted">{isStrange ? words.compare : words.verifiedWords}</span>
          </p>
          <FourWords words={payee.words} label={words.compareLabel} />
        </div>
        {grade === 'signed' ? (
          <Note tone="signed" title={words.willBeSigned}>
            {words.signedBecause(isolated(place))}
          </Note>
        ) : (
          <Note tone="paid" title={words.willBeFinal}>
            {words.finalBecause(isolated(place))}
          </Note>
        )}
        <div className="two-actions">
          <Button size="l" href={back.href} isDisabled={isConfirming}>
            {words.back}
          </Button>
          <Button look="primary" size="l" shortcut="Enter" isWide onClick={() => void confirm()} isBusy={isConfirming}>
            {isConfirming ? words.paying : words.payAmount(formatAmount(amount, unit))}
          </Button>
        </div>
      </div>
    </Flow>
  )
}

/** These do not end by asking again. */
const hopeless: readonly ErrorCode[] = [
  'request_closed',
  'wrong_payee',
  'relayed_terms',
  'mint_unknown',
  'unit_unknown',
]
const tooMuch: readonly ErrorCode[] = ['limit_single', 'limit_total', 'amount_out_of_range', 'dust']

/**
 * Nothing was given: what happened, what it means for the money, what to do. Or, when the host did not answer, that it is
 * not known: trying again finds out first.
 */
function NotSent({ error, isCertain }: { readonly error: AppError; readonly isCertain: boolean }) {
  const flow = usePayFlow()
  const { payee, unit } = flow
  const back = useBack()
  const { code, facts, message } = error
  const { title, body, action } = errorWords(code, facts, (amount) => formatAmount(amount, unit))
  const isFree = payee?.kind === 'nearby' || payee?.request.amount === null
  const { largest } = facts
  const payInstead = (amount: number): void => {
    type(amountEntry(amount, unit))
    void prepare()
  }
  return (
    <Flow back={back} step="failed" tone={isCertain ? 'notsent' : undefined}>
      <div className="column narrow center result" role="alert">
        <Coin grade={isCertain ? 'notsent' : 'way'} />
        <Heading>
          <span className="result-word">{isCertain ? payWords.failed.badge : payWords.failed.unknown}</span>
        </Heading>
        <p className="result-lead">
          {nameOf(payee) === '' ? (
            formatAmount(amountOf(flow), unit)
          ) : (
            <span>
              {payWords.result.to(formatAmount(amountOf(flow), unit))} <Foreign>{nameOf(payee)}</Foreign>
            </span>
          )}
        </p>
        <p className="muted result-sentence">{title}.</p>
        <Slip
          rows={[
            { label: payWords.failed.money, value: isCertain ? body : payWords.failed.unknownMoney },
            { label: payWords.failed.todo, value: isCertain ? action : payWords.failed.unknownTodo },
          ]}
        />
        <details className="small muted">
          <summary>{payWords.failed.details}</summary>
          <code>
            {code} · {message}
          </code>
        </details>
        <div className="two-actions">
          <Button size="l" href={back.href}>
            {words.back}
          </Button>
          {primary()}
        </div>
      </div>
    </Flow>
  )

  function primary() {
    const common = { look: 'primary', size: 'l', shortcut: 'Enter', isWide: true } as const
    if (isCertain && isFree && largest !== undefined && largest > 0) {
      return (
        <Button {...common} onClick={() => payInstead(largest)}>
          {payWords.failed.instead(formatAmount(largest, unit))}
        </Button>
      )
    }
    if (isCertain && hopeless.includes(code)) {
      return (
        <Button {...common} href={to.pay()}>
          {payWords.failed.someoneElse}
        </Button>
      )
    }
    if (isCertain && isFree && tooMuch.includes(code)) {
      return (
        <Button {...common} onClick={() => go(back.href)}>
          {payWords.failed.change}
        </Button>
      )
    }
    return (
      <Button {...common} onClick={() => void prepare()}>
        {payWords.failed.again}
      </Button>
    )
  }
}
