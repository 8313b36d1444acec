// "How much?", or what a request asks for; from which mint, and a note. Nobody is asked anything yet.

import type { ReactNode } from 'react'
import { isolated, plainText } from '../../../shared/foreign.ts'
import type { MintView } from '../../../shared/model.ts'
import { formatAmount, unitTitle } from '../../../shared/units.ts'
import type { Money } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useMints, useMoney } from '../../store.ts'
import { Amount, AmountEntry } from '../../ui/Amount.tsx'
import { Button } from '../../ui/Button.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Keypad } from '../../ui/Keypad.tsx'
import { Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { homeWords } from '../../words/home.ts'
import { payWords } from '../../words/pay.ts'
import { CodeNote } from './CodeNote.tsx'
import { amountOf, type Payee, payFrom, payIn, type, usePayFlow, writeNote } from './flow.ts'
import { affordable, type Means, meansAt, mintAddress, mintLabel, mintsOf } from './means.ts'
import { noteRoom } from './note.ts'

const words = payWords.amount
const back = { label: words.someoneElse, href: to.pay() }
/** From here on it is said how much of the note is left. Bytes. */
const tellRoom = 30

export function AmountStep() {
  const { payee, trouble } = usePayFlow()
  if (payee?.kind === 'request') return <OfRequest payee={payee} />
  if (payee) return <OfNearby payee={payee} />
  return (
    <Flow back={back} step="reading">
      <div className="column">
        <Heading>{trouble === null ? words.reading : words.unreadable}</Heading>
        {trouble === null && <Waiting />}
        <CodeNote trouble={trouble} />
        {trouble !== null && (
          <Button look="primary" shortcut="Enter" href={to.pay()}>
            {payWords.failed.someoneElse}
          </Button>
        )}
      </div>
    </Flow>
  )
}

function OfRequest({ payee }: { readonly payee: Extract<Payee, { kind: 'request' }> }) {
  const mints = useMints()
  const { mintUrl, unit } = usePayFlow()
  const { request } = payee
  const mint = mints.find(({ url }) => url === mintUrl)
  if (!mint) return <NoMint payee={payee} />
  const same = request.mintUrls.length > 1 ? request.mintUrls : [mint.url]
  return (
    <Step payee={payee} means={meansAt(mint, unit)}>
      <MintChoice urls={same} unit={unit} value={mint.url} />
    </Step>
  )
}

function OfNearby({ payee }: { readonly payee: Extract<Payee, { kind: 'nearby' }> }) {
  const mints = useMints()
  const { kinds } = useMoney()
  const { mintUrl, unit } = usePayFlow()
  const mint = mints.find(({ url }) => url === mintUrl)
  if (!mint) {
    return (
      <Flow back={back} step="amount">
        <div className="column">
          <Heading>{words.question}</Heading>
          <Payable payee={payee} />
          <EmptyState
            title={payWords.noMint.empty}
            action={
              <Button look="primary" shortcut="Enter" href={to.mints}>
                {payWords.noMint.choose}
              </Button>
            }
          >
            {homeWords.empty.mints}
          </EmptyState>
        </div>
      </Flow>
    )
  }
  const kind = kinds.find((one) => one.unit === unit && one.mintUrls.includes(mint.url))
  return (
    <Step payee={payee} means={meansAt(mint, unit)}>
      {kind && kinds.length > 1 && (
        <Segments
          label={words.money}
          options={kinds.map((one) => ({ value: one.key, label: kindLabel(one, kinds) }))}
          value={kind.key}
          onChange={(key) => {
            const next = kinds.find((one) => one.key === key)
            const [first] = next ? mintsOf(next, mints) : []
            if (next && first !== undefined) payIn(next.unit, first)
          }}
        />
      )}
      {kind && <MintChoice urls={mintsOf(kind, mints)} unit={unit} value={mint.url} />}
    </Step>
  )
}

function Step({
  payee,
  means,
  children,
}: {
  readonly payee: Payee
  readonly means: Means
  readonly children: ReactNode
}) {
  const flow = usePayFlow()
  const { entry, unit, note } = flow
  const amount = amountOf(flow)
  const room = noteRoom(note)
  const asked = payee.kind === 'request' ? payee.request.amount : null
  const description = payee.kind === 'request' ? plainText(payee.request.description ?? '') : ''
  const isPayable = ['yes', 'with-mint'].includes(affordable(amount, means).kind)
  const isReady = isPayable && room >= 0
  const fields = (
    <div className="stack loose">
      <Heading>{asked === null ? words.question : words.request}</Heading>
      <Payable payee={payee} />
      <div className="stack tight">
        <div className="row entry">
          {asked === null ? (
            <AmountEntry entry={entry} unit={unit} />
          ) : (
            <Amount amount={asked} unit={unit} size="huge" />
          )}
          {means.isPlayMoney && <PlayTag />}
        </div>
        {description !== '' && (
          <p>
            <span className="muted">{words.for}</span> <Foreign>{description}</Foreign>
          </p>
        )}
        <Limit amount={amount} unit={unit} means={means} />
      </div>
      {children}
      <Field
        label={room < tellRoom && room >= 0 ? words.noteLeft(room) : words.note}
        labelAt="inside"
        value={note}
        onChange={writeNote}
        error={room < 0 ? words.noteTooLong : null}
      />
    </div>
  )
  const goOn = (
    <Button look="primary" size="l" shortcut="Enter" isWide isDisabled={!isReady} onClick={() => go(to.pay('confirm'))}>
      {words.continue}
    </Button>
  )
  return (
    <Flow back={back} step="amount" mintUrls={[means.mintUrl]}>
      {asked === null ? (
        <div className="duo">
          {fields}
          <div className="stack">
            <Keypad entry={entry} unit={unit} onChange={type} />
            {goOn}
          </div>
        </div>
      ) : (
        <div className="column">
          {fields}
          {goOn}
        </div>
      )}
    </Flow>
  )
}

/** The balance and what can be paid at once, in one sentence that changes with the amount. */
function Limit({ amount, unit, means }: { readonly amount: number; readonly unit: string; readonly means: Means }) {
  const { spendable, atOnce, inAll, mintName: mint, isOut } = means
  const at = formatAmount(atOnce, unit)
  const { kind } = affordable(amount, means)
  const index = useMints().findIndex(({ url }) => url === means.mintUrl)
  const isOver = kind === 'no' || kind === 'not-now'
  return (
    <p className={isOver ? 'small over' : 'small muted'} role="status">
      {sentence()}{' '}
      {(kind === 'no' || inAll === 0) && index >= 0 && (
        <a className="link" href={to.mint(index, 'add-money')}>
          {words.addMoney}
        </a>
      )}
    </p>
  )

  function sentence(): string {
    if (inAll === 0) return words.nothingThere(mint)
    if (kind === 'no') return words.no(formatAmount(inAll, unit))
    if (kind === 'not-now') return isOut ? words.notNow(at, mint) : words.oneAtOnce(at)
    if (kind === 'with-mint') return words.withMint(at, mint)
    if (isOut && atOnce < spendable) return words.notNow(at, mint)
    const have = words.have(formatAmount(spendable, unit))
    return atOnce < spendable ? `${have} ${words.atOnce(at)}` : have
  }
}

/** Who it is, as far as it is known here. */
function Payable({ payee }: { readonly payee: Payee }) {
  const look = payee.kind === 'nearby' ? payee.payee : payee.request.payee
  const isNearby = payee.kind === 'nearby' || payee.isNearby
  return (
    <div className="row">
      <Egg picture={look.picture} size={44} />
      <span className="person-who">
        {payee.name === '' ? (
          <b>
            <FourWords words={look.words} size="s" />
          </b>
        ) : (
          <b className="clip">
            <Foreign>{payee.name}</Foreign>
          </b>
        )}
        <span className="small muted">{isNearby ? words.nearby : words.byRequest}</span>
      </span>
    </div>
  )
}

function MintChoice({
  urls,
  unit,
  value,
}: {
  readonly urls: readonly string[]
  readonly unit: string
  readonly value: string
}) {
  const mints = useMints()
  const options = urls.flatMap((url) => mints.find((mint) => mint.url === url) ?? [])
  if (options.length < 2) return null
  return (
    <label className="choose">
      {words.payWith}
      <select value={value} onChange={(event) => payFrom(event.target.value)}>
        {options.map((mint) => (
          <option key={mint.url} value={mint.url}>
            {words.unit(formatAmount(meansAt(mint, unit).spendable, unit), mintLabel(mint, mints))}
          </option>
        ))}
      </select>
    </label>
  )
}

/** None of our mints is one that the request names. */
function NoMint({ payee }: { readonly payee: Extract<Payee, { kind: 'request' }> }) {
  const mints = useMints()
  const { request } = payee
  const [named] = request.namedMints
  const others = mints.filter(({ units }) => units.includes(request.unit))
  return (
    <Flow back={back} step="amount">
      <div className="column">
        <Heading>{words.request}</Heading>
        <Payable payee={payee} />
        {request.amount !== null && <Amount amount={request.amount} unit={request.unit} size="huge" />}
        {named === undefined ? (
          <Note tone="warn">{payWords.noMint.none}</Note>
        ) : (
          <Note tone="warn" title={payWords.noMint.title(isolated(mintAddress(named)))}>
            {payWords.noMint.body} {payWords.noMint.trust}
          </Note>
        )}
        <OtherMints mints={others} />
        {named !== undefined && (
          <Button look="primary" size="l" shortcut="Enter" isWide href={to.addMintAt(named)}>
            {payWords.noMint.add}
          </Button>
        )}
      </div>
    </Flow>
  )
}

function OtherMints({ mints }: { readonly mints: readonly MintView[] }) {
  if (mints.length === 0) return null
  return (
    <div className="stack tight">
      <p className="small muted">{payWords.noMint.other}</p>
      {mints.map((mint) => (
        <Button key={mint.url} isWide onClick={() => payFrom(mint.url)}>
          {payWords.noMint.use(mintLabel(mint, mints))}
        </Button>
      ))}
    </div>
  )
}

/** The unit is enough, unless there is play money of the same. */
function kindLabel({ unit, isPlayMoney }: Money, kinds: readonly Money[]): string {
  const isTwice = kinds.filter((kind) => kind.unit === unit).length > 1
  return homeWords.moneyKind(unitTitle(unit), isPlayMoney && isTwice)
}
