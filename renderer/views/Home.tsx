// What one has, what one can do, what happened last.

import type { PaymentView, ProfileView } from '../../shared/model.ts'
import { formatAmount, unitTitle } from '../../shared/units.ts'
import { useAct } from '../act.ts'
import { call } from '../client.ts'
import type { Money } from '../money.ts'
import { type Href, to } from '../route.ts'
import {
  chooseMoney,
  go,
  useLatest,
  useMints,
  useMoney,
  useNow,
  usePractice,
  useProfile,
  useRestore,
  useUndecided,
} from '../store.ts'
import { groupByDay } from '../time.ts'
import { Amount } from '../ui/Amount.tsx'
import { Button } from '../ui/Button.tsx'
import { EmptyState } from '../ui/EmptyState.tsx'
import { Icon, type IconName } from '../ui/Icon.tsx'
import { ErrorNote, Note } from '../ui/Note.tsx'
import { Page } from '../ui/Page.tsx'
import { PaymentRow } from '../ui/PaymentRow.tsx'
import { PlayTag } from '../ui/PlayTag.tsx'
import { Segments } from '../ui/Segments.tsx'
import { homeWords } from '../words/home.ts'
import { restoreWords } from '../words/restore.ts'
import { amountsOf } from './restore/searched.ts'

const shownPayments = 7
const shownUndecided = 3

export function Home() {
  const profile = useProfile()
  const latest = useLatest()
  const hasMint = useMints().length > 0
  return (
    <Page screen="home" heading={homeWords.greeting(profile.name)} title={homeWords.title} isHeadingSmall>
      <div className="home">
        <section className="home-money" aria-label={homeWords.money}>
          {hasMint ? (
            <>
              <Balance />
              <Acts isFirst={latest.length === 0} />
            </>
          ) : (
            <NoPayments />
          )}
          <CopyNotice />
          <PhraseReminder phrase={profile.phrase} />
        </section>
        <div className="home-payments">
          <Undecided />
          {latest.length > 0 ? <Latest payments={latest.slice(0, shownPayments)} /> : hasMint && <NoPayments />}
        </div>
      </div>
    </Page>
  )
}

/** @param isFirst before the first payment the first useful thing is copper, and it stands beside */
function Acts({ isFirst }: { readonly isFirst: boolean }) {
  return (
    <div className="acts">
      <Button look={isFirst ? 'plain' : 'primary'} size="l" icon="pay" shortcut="P" href={to.pay()}>
        {homeWords.pay}
      </Button>
      <Button size="l" icon="getPaid" shortcut="G" href={to.getPaid()}>
        {homeWords.getPaid}
      </Button>
    </div>
  )
}

function Balance() {
  const { kinds, chosen } = useMoney()
  if (!chosen) return null
  const { unit, isPlayMoney, spendable, signedToUs, onItsWay, resting } = chosen
  return (
    <>
      <div className="balance">
        <div className="row wide balance-top">
          <span className="row">
            <span className="muted">{homeWords.youCanSpend}</span>
            {isPlayMoney && <PlayTag />}
          </span>
          {kinds.length > 1 && (
            <Segments
              label={homeWords.money}
              options={kinds.map((kind) => ({ value: kind.key, label: kindLabel(kind, kinds) }))}
              value={chosen.key}
              onChange={chooseMoney}
            />
          )}
        </div>
        <Amount amount={spendable} unit={unit} size="huge" />
      </div>
      <div className="under">
        <UnderLine amount={signedToUs} unit={unit} icon="signed" words={homeWords.signedToUs} />
        <UnderLine amount={onItsWay} unit={unit} icon="onItsWay" words={homeWords.onItsWay} />
        <UnderLine amount={resting} unit={unit} icon="restore" words={homeWords.resting} href={to.restore} />
      </div>
      <Reach money={chosen} />
    </>
  )
}

/** The unit is enough, unless there is play money of the same. */
function kindLabel({ unit, isPlayMoney }: Money, kinds: readonly Money[]): string {
  const isTwice = kinds.filter((kind) => kind.unit === unit).length > 1
  return homeWords.moneyKind(unitTitle(unit), isPlayMoney && isTwice)
}

function UnderLine({
  amount,
  unit,
  icon,
  words,
  href = to.activity,
}: {
  readonly amount: number
  readonly unit: string
  readonly icon: IconName
  readonly words: string
  readonly href?: Href
}) {
  if (amount === 0) return null
  return (
    <a href={href} className={`under-line is-${icon}`}>
      <Icon name={icon} />
      <b>{formatAmount(amount, unit)}</b>
      <span className="muted">{words}</span>
      <Icon name="forward" size="s" />
    </a>
  )
}

/** "What can I pay right now?", when it is less than the balance or a mint is out of reach. */
function Reach({ money: { outOfReach, payableAtOnce, spendable, unit, waiting } }: { readonly money: Money }) {
  const isOut = outOfReach.length > 0
  if (!isOut && payableAtOnce >= spendable) return null
  const payable = <b>{formatAmount(payableAtOnce, unit)}</b>
  return (
    <Note icon="nearby">
      {isOut && homeWords.outOfReach(outOfReach)} {payableSentence()}{' '}
      {isOut && waiting > 0 && homeWords.becomeFinal(waiting)}
    </Note>
  )

  function payableSentence() {
    if (payableAtOnce === 0) return isOut && spendable > 0 ? homeWords.nothingPayable : null
    if (payableAtOnce >= spendable) return homeWords.stillAll
    return isOut ? (
      <>
        {homeWords.stillPayable} {payable} {homeWords.atOnce}.
      </>
    ) : (
      <>
        {homeWords.payableNow} {payable} {homeWords.now}.
      </>
    )
  }
}

/**
 * Said for as long as coins rest for it: this wallet was restored, or may be an old copy, or is not the only one. Later
 * searches find nothing as a rule: then nothing rests, and only that is said.
 */
function CopyNotice() {
  const { cause, resting, searches } = useRestore()
  const isLooking = searches.some(({ state }) => state === 'looking')
  if (cause === null || (resting.until === null && !isLooking)) return null
  const { notice, search } = restoreWords
  const isRestored = cause === 'phrase' || cause === 'backup'
  const isOnlyLooking = isRestored && resting.until === null
  const looking = isOnlyLooking ? search.body : `${search.title}: ${search.body}`
  return (
    <Note
      tone={isRestored ? 'plain' : 'warn'}
      icon="restore"
      title={`${isOnlyLooking ? search.title : notice.title[cause]}.`}
    >
      {isLooking ? looking : notice.resting(amountsOf(resting.amounts))}{' '}
      <a className="link" href={to.restore}>
        {notice.look}
      </a>
    </Note>
  )
}

function PhraseReminder({ phrase }: Pick<ProfileView, 'phrase'>) {
  if (phrase === 'checked') return null
  const isSeen = phrase === 'seen'
  return (
    <p className="row small muted">
      <Icon name="key" />
      <span>
        {isSeen ? homeWords.phraseSeen : homeWords.phraseUnseen}{' '}
        <a className="link" href={to.settings('phrase')}>
          {isSeen ? homeWords.checkPhrase : homeWords.writePhrase}
        </a>
      </span>
    </p>
  )
}

/** What goes on only when a person says so: nobody should have to look for it in a history. */
function Undecided() {
  const undecided = useUndecided()
  if (undecided.length === 0) return null
  const { title, body, more } = homeWords.undecided
  const shown = undecided.slice(0, shownUndecided)
  return (
    <section className="card card-list" aria-label={title} data-arrows>
      <div className="group">
        <h2>{title}</h2>
        {undecided.length > shown.length && (
          <a className="link" href={to.activity}>
            {more(undecided.length - shown.length)}
          </a>
        )}
      </div>
      <p className="muted small home-undecided">{body(undecided.length)}</p>
      {shown.map((payment) => (
        <PaymentRow key={payment.id} payment={payment} />
      ))}
    </section>
  )
}

function Latest({ payments }: { readonly payments: readonly PaymentView[] }) {
  const now = useNow()
  return (
    <section className="card card-list" aria-label={homeWords.latest} data-arrows>
      {groupByDay(payments, now).map(({ key, day, items }, index) => (
        <div key={key}>
          <div className="group">
            <h2>{day}</h2>
            {index === 0 && (
              <a className="link" href={to.activity}>
                {homeWords.all}
              </a>
            )}
          </div>
          {items.map((payment) => (
            <PaymentRow key={payment.id} payment={payment} />
          ))}
        </div>
      ))}
    </section>
  )
}

/**
 * The first useful thing: a practice payment, where the host offers it and what one has does not rest; else a code to show;
 * before that a mint.
 */
function NoPayments() {
  const practice = usePractice()
  const { resting } = useRestore()
  const isOffered = practice.isOffered && resting.amounts.length === 0
  const hasMint = useMints().length > 0
  const practise = useAct(async () => {
    await call('practice.start', {})
    const { text } = await call('practice.request', {})
    go(to.payRequest(text))
  })
  const { empty } = homeWords
  if (isOffered) {
    return (
      <section className="card" aria-label={homeWords.latest}>
        <EmptyState
          title={empty.title}
          action={
            <Button look="primary" shortcut="Enter" onClick={practise.run} isBusy={practise.isBusy}>
              {empty.practiceAction}
            </Button>
          }
        >
          {empty.practice}
        </EmptyState>
        <ErrorNote error={practise.error} />
      </section>
    )
  }
  const href: Href = hasMint ? to.getPaid() : to.mints
  return (
    <section className="card" aria-label={homeWords.latest}>
      <EmptyState
        title={empty.title}
        action={
          <Button look="primary" shortcut="Enter" href={href}>
            {hasMint ? empty.getPaidAction : empty.mintsAction}
          </Button>
        }
      >
        {hasMint ? empty.getPaid : empty.mints}
      </EmptyState>
    </section>
  )
}
