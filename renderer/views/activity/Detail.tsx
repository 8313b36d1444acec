// One payment: how it stands and what that means, what can be done, what happened, and its receipt.

import { useState } from 'react'
import { type ErrorCode, errorCodes } from '../../../shared/errors.ts'
import { plainText } from '../../../shared/foreign.ts'
import type { PaymentDetailView, PaymentState, PaymentView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { alarmWords, errorWords, paymentWords } from '../../../shared/words.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { saveFile } from '../../save-file.ts'
import { useIsPlayMoney, useMint, useNow, usePayment } from '../../store.ts'
import { clockTime, dateAndTime, dayName } from '../../time.ts'
import { Amount } from '../../ui/Amount.tsx'
import { Button } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { GradeBadge } from '../../ui/GradeBadge.tsx'
import { type Grade, gradeIcons, gradeOf, isVoid } from '../../ui/grade.ts'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Slip } from '../../ui/Slip.tsx'
import { Timeline, type TimelineItem } from '../../ui/Timeline.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { activityWords, factWords, nextWords, receiptText, refusalWords, sentenceOf } from '../../words/activity.ts'
import { commonWords, whoWords } from '../../words/common.ts'
import { useLoaded } from './loaded.ts'

export function Detail({ id }: { readonly id: string }) {
  const payment = usePayment(id)
  const loaded = useLoaded(({ detail }) => (detail?.id === id ? detail : null))
  return (
    <div className="stack activity-parts">
      <a className="back split-back" href={to.activity} data-shortcut="Escape">
        <Icon name="back" />
        {activityWords.all}
      </a>
      {payment && <Summary payment={payment} />}
      <ErrorNote error={loaded?.error ?? null} />
      {loaded?.view ? (
        <>
          <Story payment={loaded.view} />
          {loaded.view.state === 'bounced' && loaded.view.hasClaim && <Evidence />}
          <Receipt payment={loaded.view} />
        </>
      ) : (
        !loaded?.error && <Waiting />
      )}
    </div>
  )
}

function Summary({ payment }: { readonly payment: PaymentView }) {
  const { state, direction, amount, unit, payee, memo, createdAt, mintUrl, alarm } = payment
  const now = useNow()
  const who = whoWords(payment)
  const isPlayMoney = useIsPlayMoney(mintUrl)
  return (
    <div className="card payment-card">
      <header className="payment-top">
        {payee ? (
          <Egg picture={payee.picture} size={56} />
        ) : (
          <span className="disc payment-disc">
            <Icon name={direction === 'in' ? 'getPaid' : 'pay'} size="l" />
          </span>
        )}
        <div className="payment-of">
          <h2>
            <Foreign>{who}</Foreign>
          </h2>
          <p className="small muted">
            {dayName(createdAt, now)}, <time dateTime={new Date(createdAt).toISOString()}>{clockTime(createdAt)}</time>
            {memo && plainText(memo) !== who && (
              <>
                {' '}
                · <Foreign>{memo}</Foreign>
              </>
            )}
          </p>
        </div>
        <div className="payment-worth">
          <Amount
            amount={direction === 'out' && !isVoid(state) ? -amount : amount}
            unit={unit}
            size="m"
            sign={isVoid(state) ? 'never' : 'always'}
            isVoid={isVoid(state)}
          />
          <span className="payment-tags">
            {isPlayMoney && <PlayTag />}
            <GradeBadge state={state} direction={direction} />
          </span>
        </div>
        <span className="payment-close">
          <Button look="quiet" size="s" icon="close" isIconOnly shortcut="Escape" href={to.activity}>
            {activityWords.close}
          </Button>
        </span>
      </header>
      <Note tone={tones[gradeOf(state)]} icon={gradeIcons[gradeOf(state)]}>
        {sentenceOf(payment)} <Why payment={payment} />
      </Note>
      {alarm && (
        <Note tone="warn" title={`${alarmWords[alarm].badge}.`}>
          {alarmWords[alarm].sentence}
        </Note>
      )}
      <Actions payment={payment} />
    </div>
  )
}

const tones: Record<Grade, 'plain' | 'paid' | 'signed' | 'warn' | 'bad'> = {
  paid: 'paid',
  signed: 'signed',
  way: 'plain',
  bounced: 'bad',
  needs: 'warn',
  notsent: 'plain',
}

/** The reason, where it is known and says more than the state does. */
function Why({ payment: { direction, state, trouble } }: { readonly payment: PaymentView }) {
  const code = codeOf(trouble)
  if (code === null) return null
  if (direction === 'in') return state === 'refused' ? refusalWords[code] : null
  if (state !== 'abandoned' && state !== 'refused') return null
  return `${errorWords(code).title}.`
}

function codeOf(trouble: string | null): ErrorCode | null {
  return errorCodes.find((code) => code === trouble) ?? null
}

function Actions({ payment }: { readonly payment: PaymentView }) {
  const { id, direction, state, reclaim, mayBeDelivered } = payment
  const [isAsked, setAsked] = useState(false)
  const { actions, dialog } = activityWords
  const takeBack = useAct(async (isWarned: boolean) => {
    setAsked(false)
    await call('pay.reclaim', { id, isWarned })
  })
  const delivered = useAct(() => call('pay.delivered', { id }))
  // A dead one is signed anew by the payer's wallet: asked for again, it could be paid twice.
  const isAskedAgain = direction === 'in' && state === 'bounced'
  if (reclaim === 'no' && !mayBeDelivered && !isAskedAgain) return null
  return (
    <>
      {mayBeDelivered && <p className="small muted">{actions.deliveredWhy}</p>}
      <div className="row activity-actions">
        {isAskedAgain && (
          <Button look="primary" size="s" shortcut="Enter" href={to.getPaid()}>
            {actions.askAgain}
          </Button>
        )}
        {mayBeDelivered && (
          <Button look="primary" size="s" shortcut="Enter" onClick={delivered.run} isBusy={delivered.isBusy}>
            {actions.delivered}
          </Button>
        )}
        {reclaim !== 'no' && (
          <Button
            look={reclaim === 'free' && !mayBeDelivered ? 'primary' : 'plain'}
            size="s"
            icon="restore"
            isBusy={takeBack.isBusy}
            onClick={() => (reclaim === 'warned' ? setAsked(true) : takeBack.run(false))}
          >
            {actions.takeBack(payment)}
          </Button>
        )}
      </div>
      <ErrorNote error={delivered.error ?? takeBack.error} unit={payment.unit} />
      <Dialog
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        title={dialog.title}
        actions={
          <>
            <Button autoFocus onClick={() => setAsked(false)}>
              {dialog.keep}
            </Button>
            <Button look="danger" onClick={() => takeBack.run(true)}>
              {actions.takeBack(payment)}
            </Button>
          </>
        }
      >
        <p>{dialog.body(payment)}</p>
      </Dialog>
    </>
  )
}

function Story({ payment }: { readonly payment: PaymentDetailView }) {
  const now = useNow()
  const { direction, timeline, settlesAt } = payment
  const next = nextWords(payment)
  const items = timeline.map(({ at, state }, index): TimelineItem => {
    const { title, sentence } = factWords[direction][state](payment)
    const before = timeline[index - 1]
    return {
      key: `${at} ${state}`,
      at,
      title,
      children: before && !isSameDay(before.at, at) ? `${dayName(at, now)}. ${sentence}` : sentence,
      look: lookOf(state),
    }
  })
  const coming: readonly TimelineItem[] =
    next === null
      ? []
      : [{ key: 'next', at: settlesAt, title: next.title, children: next.sentence, look: { icon: 'clock' } }]
  return (
    <section className="card">
      <h2 className="card-title">{activityWords.what}</h2>
      <Timeline items={[...items, ...coming]} />
    </section>
  )
}

/** Before anything was given there is no coin to show. */
function lookOf(state: PaymentState): TimelineItem['look'] {
  return state === 'preparing' || state === 'awaited' ? { icon: 'clock' } : gradeOf(state)
}

function Evidence() {
  const { title, body, limits } = activityWords.evidence
  return (
    <section className="card stack tight">
      <h2>{title}</h2>
      <p className="small">{body}</p>
      <p className="small muted">{limits}</p>
    </section>
  )
}

function Receipt({ payment }: { readonly payment: PaymentDetailView }) {
  const { id, direction, state, amount, fee, unit, memo, mintUrl, payee, receipt, deadline, trouble } = payment
  const mint = useMint(mintUrl)
  const { slip, actions } = activityWords
  const isNothing = isVoid(state)
  const isOpen = state === 'signed' || state === 'on_its_way'
  const play = mint?.isPlayMoney ? ` (${commonWords.playMoney.toLowerCase()})` : ''
  const rows = [
    direction === 'out'
      ? { label: slip.to, value: whoWords(payment) }
      : { label: slip.from, value: payment.name === '' ? slip.payer : payment.name },
    { label: slip.note, value: memo ?? '' },
    { label: slip.when, value: dateAndTime(payment.createdAt) },
    { label: slip.mint, value: mint ? mintName(mint) : mintUrl },
    { label: slip.state, value: paymentWords[direction][state].badge },
    {
      label: slip.answer[direction],
      value: receipt ? `${slip.receipt[receipt.grade]}, ${dateAndTime(receipt.at)}` : '',
    },
    { label: slip.deadline, value: isOpen && deadline !== null ? dateAndTime(deadline) : '' },
    { label: slip.words, value: direction === 'out' && payee ? payee.words.join(' · ') : '' },
    { label: slip.amount, value: fee > 0 ? `${formatAmount(amount, unit)}${play}` : '' },
    { label: slip.fee, value: fee > 0 ? formatAmount(fee, unit) : '' },
  ].filter(({ value }) => value !== '')
  const total = isNothing
    ? { label: slip.given[direction], value: `${formatAmount(0, unit)}${play}` }
    : { label: slip.total[direction], value: `${formatAmount(amount + fee, unit)}${play}` }
  const save = (): void =>
    saveFile(
      `farthing-receipt-${id.slice(0, 8)}.txt`,
      new Blob([receiptText(payment, [...rows, total, { label: slip.id, value: id }])], {
        type: 'text/plain;charset=utf-8',
      }),
    )
  return (
    <section className="card">
      <h2 className="card-title">{activityWords.receipt}</h2>
      <Slip rows={rows.map(({ label, value }) => ({ label, value: <Foreign>{value}</Foreign> }))} total={total} />
      <div className="row activity-actions">
        <Button size="s" icon="download" onClick={save}>
          {actions.save}
        </Button>
        <CopyButton text={id} size="s" look="quiet">
          {actions.copyId}
        </CopyButton>
      </div>
      <details className="small muted activity-bug">
        <summary>{commonWords.details}</summary>
        <code>
          {[`${direction} ${state}`, trouble, payment.alarm, `payment ${id}`].filter((one) => one !== null).join(' · ')}
        </code>
      </details>
    </section>
  )
}

function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}
