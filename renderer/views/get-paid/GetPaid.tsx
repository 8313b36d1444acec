// A code for others to pay with, and what arrives.

import { unitTitle } from '../../../shared/units.ts'
import type { Money } from '../../money.ts'
import { to } from '../../route.ts'
import {
  chooseMoney,
  useMints,
  useMoney,
  useNearby,
  useNow,
  usePaymentsWhere,
  useProfile,
  useSettings,
} from '../../store.ts'
import { clockTime } from '../../time.ts'
import { AmountField } from '../../ui/AmountField.tsx'
import { Button } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { PaymentRow } from '../../ui/PaymentRow.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { SwitchRow } from '../../ui/Switch.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { getPaidWords as words } from '../../words/get-paid.ts'
import { homeWords } from '../../words/home.ts'
import { mintLabel, mintsOf } from '../pay/means.ts'
import { countArrivals, inOrder, isArrival } from './arrivals.ts'
import { change, changeNow, end, settle, show, useAsk } from './ask.ts'
import { codeFor, Large } from './Large.tsx'
import { maxDescription, type Place, wishOf } from './wish.ts'

const back = { label: words.home, href: to.home }

export function GetPaid({ path: [part] }: { readonly path: readonly string[] }) {
  const mints = useMints()
  const { chosen } = useMoney()
  const { mintUrl, request } = useAsk()
  if (part === 'large' && request) return <Large request={request} />
  if (!chosen || mints.length === 0) return <NoMint />
  const [best = ''] = mintsOf(chosen, mints)
  const place = { unit: chosen.unit, mintUrl: mintUrl !== null && chosen.mintUrls.includes(mintUrl) ? mintUrl : best }
  return (
    <Flow back={back} step="get-paid" align="start" mintUrls={[place.mintUrl]}>
      <div className="duo with-code get-paid">
        <div className="stack loose">
          <Heading>{words.title}</Heading>
          <Asked place={place} money={chosen} />
        </div>
        <Code place={place} />
        <div className="stack loose">
          <VisibleNearby />
          <Arrivals />
        </div>
      </div>
    </Flow>
  )
}

function NoMint() {
  return (
    <Flow back={back} step="get-paid">
      <div className="column">
        <Heading>{words.title}</Heading>
        <section className="card">
          <EmptyState
            title={words.noMint.title}
            action={
              <Button look="primary" shortcut="Enter" href={to.mints}>
                {words.noMint.action}
              </Button>
            }
          >
            {words.noMint.body}
          </EmptyState>
        </section>
      </div>
    </Flow>
  )
}

function Asked({ place, money }: { readonly place: Place; readonly money: Money }) {
  const { mode, entry, description } = useAsk()
  const { kinds } = useMoney()
  const mints = useMints()
  const canType = window.matchMedia('(hover: hover) and (pointer: fine)').matches
  return (
    <>
      <div className="row wrap">
        <Segments
          label={words.mode}
          options={[
            { value: 'fixed', label: words.fixed },
            { value: 'open', label: words.open },
          ]}
          value={mode}
          onChange={(next) => changeNow({ mode: next }, place)}
        />
        {kinds.length > 1 && (
          <Segments
            label={words.money}
            options={kinds.map((kind) => ({ value: kind.key, label: kindLabel(kind, kinds) }))}
            value={money.key}
            onChange={(key) => {
              const next = kinds.find((kind) => kind.key === key)
              const [mintUrl] = next ? mintsOf(next, mints) : []
              if (!next || mintUrl === undefined) return
              chooseMoney(key)
              changeNow(next.unit === place.unit ? { mintUrl } : { mintUrl, entry: '' }, { unit: next.unit, mintUrl })
            }}
          />
        )}
      </div>
      <div className="row entry">
        {mode === 'fixed' ? (
          <AmountField
            label={words.amount(unitTitle(place.unit))}
            entry={entry}
            unit={place.unit}
            onChange={(next) => change({ entry: next }, place)}
            onEnter={() => void settle(place)}
            autoFocus={canType}
          />
        ) : (
          <p className="muted">{words.theyDecide}</p>
        )}
        {money.isPlayMoney && <PlayTag />}
      </div>
      <Field
        label={words.what}
        labelAt="inside"
        value={description}
        onChange={(next) => change({ description: next }, place)}
        maxLength={maxDescription}
      />
      <MintChoice place={place} money={money} />
    </>
  )
}

function MintChoice({ place, money }: { readonly place: Place; readonly money: Money }) {
  const mints = useMints().filter(({ url }) => money.mintUrls.includes(url))
  if (mints.length < 2) return null
  return (
    <label className="choose">
      {words.mint}
      <select
        value={place.mintUrl}
        onChange={({ target }) => changeNow({ mintUrl: target.value }, { ...place, mintUrl: target.value })}
      >
        {mints.map((mint) => (
          <option key={mint.url} value={mint.url}>
            {mintLabel(mint, mints)}
          </option>
        ))}
      </select>
    </label>
  )
}

function VisibleNearby() {
  const { isVisible, visibleUntil } = useNearby()
  const { lan } = useSettings()
  const { visibleError } = useAsk()
  return (
    <section className="card card-options">
      <SwitchRow
        icon="nearby"
        title={words.visible}
        isOn={isVisible}
        onChange={(on) => void show(on)}
        isDisabled={!lan}
      >
        {!lan && words.lanOff}
        {lan && !isVisible && words.visibleOff}
        {lan && isVisible && visibleUntil !== null && words.visibleOn(clockTime(visibleUntil))}
      </SwitchRow>
      <ErrorNote error={visibleError} />
    </section>
  )
}

function Arrivals() {
  const { requestIds, since, request } = useAsk()
  const now = useNow()
  const payments = inOrder(usePaymentsWhere((payment) => isArrival(payment, { requestIds, since, now })))
  if (payments.length === 0 && !request) return null
  return (
    <section className="card card-list" aria-label={words.arriving}>
      <div className="group">
        <h2>{words.arriving}</h2>
        <span role="status">{words.counts(countArrivals(payments))}</span>
      </div>
      {payments.length === 0 && <p className="nobody muted">{words.arrivingEmpty}</p>}
      <div data-arrows>
        {payments.map((payment) => (
          <div className="arrival" key={payment.id}>
            <PaymentRow payment={payment} />
          </div>
        ))}
      </div>
    </section>
  )
}

function Code({ place }: { readonly place: Place }) {
  const ask = useAsk()
  const { request, isChanging, error } = ask
  const { name, fingerprint } = useProfile()
  return (
    <div className="stack code">
      <ErrorNote error={error} unit={place.unit} />
      {request ? (
        <div className={isChanging ? 'code-picture is-old' : 'code-picture'} aria-busy={isChanging}>
          <Qr text={request.text} label={words.qr(codeFor(request))} />
        </div>
      ) : (
        <div className="code-none">
          {wishOf(ask, place) === null ? (
            <p className="muted">{words.empty}</p>
          ) : (
            <p>
              {words.making} <Waiting />
            </p>
          )}
        </div>
      )}
      <div className="me-line" title={words.me}>
        <Egg picture={fingerprint.picture} size={32} />
        <span className="small">
          {name === '' ? (
            <a className="link" href={to.settings('you')}>
              {words.nameLink}
            </a>
          ) : (
            <b>{name}</b>
          )}{' '}
          <span className="muted">
            · <FourWords words={fingerprint.words} size="s" />
          </span>
        </span>
      </div>
      {request && (
        <>
          <div className="halves">
            <CopyButton text={request.link} isWide isDisabled={isChanging}>
              {words.copy}
            </CopyButton>
            <Button icon="screen" href={to.getPaid('large')} isWide isDisabled={isChanging}>
              {words.large}
            </Button>
          </div>
          <p className="xs muted center">
            {words.several}{' '}
            <button type="button" className="link" onClick={() => void end()}>
              {words.end}
            </button>
          </p>
        </>
      )}
    </div>
  )
}

/** The unit is enough, unless there is play money of the same. */
function kindLabel({ unit, isPlayMoney }: Money, kinds: readonly Money[]): string {
  const isTwice = kinds.filter((kind) => kind.unit === unit).length > 1
  return homeWords.moneyKind(unitTitle(unit), isPlayMoney && isTwice)
}
