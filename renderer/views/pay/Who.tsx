// "Who do you want to pay?" Somebody on this network, or whoever a request names.

import { useEffect, useEffectEvent } from 'react'
import { isolated, plainText } from '../../../shared/foreign.ts'
import type { NearbyView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { to } from '../../route.ts'
import { useMints, useMoney, useNearby, useSettings } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { payWords } from '../../words/pay.ts'
import { CodeNote } from './CodeNote.tsx'
import { choose, search as lookFor, take, usePayFlow } from './flow.ts'
import { mintsOf } from './means.ts'
import { isNamed, readPasted } from './pasted.ts'

const words = payWords.who

export function Who() {
  const { search, trouble, reading, lookError } = usePayFlow()
  usePastedText()
  return (
    <Flow back={{ label: payWords.home, href: to.home }} step="who" align="start">
      <div className="column wide">
        <Heading>{words.question}</Heading>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: down from the field leads into the list below it */}
        <div className="who-field" onKeyDown={(event) => event.key === 'ArrowDown' && intoList(event)}>
          <div className="grow">
            <Field
              label={words.field}
              labelAt="hidden"
              placeholder={words.field}
              icon="search"
              value={search}
              onChange={lookFor}
              shortcut="/"
              autoFocus={hasKeyboard()}
              isLiteral
            />
          </div>
          <Button icon="scan" href={to.pay('scan')}>
            {words.scan}
          </Button>
        </div>
        {reading !== null && (
          <p role="status">
            {words.reading} <Waiting />
          </p>
        )}
        <CodeNote trouble={trouble} />
        <Nearby search={readPasted(search).kind === 'name' ? search : ''} />
        <ErrorNote error={lookError} />
      </div>
    </Flow>
  )
}

/** A request pasted anywhere on the screen, not only in the field. */
function usePastedText(): void {
  const onPaste = useEffectEvent((event: ClipboardEvent) => {
    if (event.target instanceof HTMLElement && event.target.matches('input, textarea')) return
    const text = event.clipboardData?.getData('text/plain').trim() ?? ''
    if (text === '') return
    event.preventDefault()
    lookFor(text)
    if (readPasted(text).kind === 'name') void take(text)
  })
  useEffect(() => {
    window.addEventListener('paste', onPaste)
    return () => window.removeEventListener('paste', onPaste)
  }, [])
}

/** Where a field that takes the focus opens no keyboard on the screen. */
function hasKeyboard(): boolean {
  return window.matchMedia('(hover: hover) and (pointer: fine)').matches
}

function intoList(event: { readonly preventDefault: () => void }): void {
  const first = document.querySelector<HTMLElement>('.people button:not(:disabled)')
  if (!first) return
  event.preventDefault()
  first.focus()
}

function Nearby({ search }: { readonly search: string }) {
  const { people, isLooking } = useNearby()
  const { lan } = useSettings()
  const found = people.filter(({ card }) =>
    card ? isNamed(search, card.name, card.payee.words) : search.trim() === '',
  )
  // Those who can be chosen first; the list does not jump when a name arrives among them.
  const shown = [...found].sort((a, b) => Number(a.card === null) - Number(b.card === null))
  const first = search.trim() === '' ? undefined : shown.find(({ card }) => card !== null)
  return (
    <section className="card card-list" aria-label={words.nearby} data-arrows>
      <div className="group people-top">
        <h2 className="row tight">
          <Icon name="nearby" size="s" />
          {words.nearby}
        </h2>
        {lan && isLooking && <span>{words.looking}</span>}
      </div>
      <ul className="people">
        {shown.map((person) => (
          <li key={person.peerId}>
            <Person person={person} isFirst={person === first} />
          </li>
        ))}
      </ul>
      <p className="hidden" role="status">
        {shown.length > 0 ? words.found(shown.length) : ''}
      </p>
      {shown.length === 0 && <Nobody search={search} isOn={lan} />}
    </section>
  )
}

function Nobody({ search, isOn }: { readonly search: string; readonly isOn: boolean }) {
  if (!isOn) {
    return (
      <p className="nobody muted">
        {words.lanOff}{' '}
        <a className="link" href={to.settings('network')}>
          {words.settings}
        </a>
      </p>
    )
  }
  if (search.trim() !== '') return <p className="nobody muted">{words.noMatch(isolated(search))}</p>
  return (
    <p className="nobody muted">
      {words.nobody} {words.nobodyHint}
    </p>
  )
}

function Person({ person, isFirst }: { readonly person: NearbyView; readonly isFirst: boolean }) {
  const { chosen } = useMoney()
  const mints = useMints()
  const { card } = person
  if (!card) {
    return (
      <div className="person is-silent">
        <span className="disc">
          <Waiting />
        </span>
        <span className="muted">{words.asking}</span>
      </div>
    )
  }
  const money = { unit: chosen?.unit ?? '', mintUrls: chosen ? mintsOf(chosen, mints) : [] }
  return (
    <button
      type="button"
      className={isFirst ? 'person is-first' : 'person'}
      data-shortcut={isFirst ? 'Enter' : undefined}
      onClick={() => choose(person, money)}
    >
      <Egg picture={card.payee.picture} size={48} />
      <span className="person-who">
        <b className="clip">
          <Foreign>{plainText(card.name) || payWords.somebody}</Foreign>
        </b>
        <span className="small muted">
          <FourWords words={card.payee.words} size="s" />
        </span>
      </span>
      {card.asks?.amount != null && (
        <span className="person-asks small muted">
          {words.asks} <b>{formatAmount(card.asks.amount, card.asks.unit)}</b>
          <IsPlay mintUrls={card.asks.mintUrls} />
        </span>
      )}
      <Icon name="forward" size="s" />
    </button>
  )
}

function IsPlay({ mintUrls }: { readonly mintUrls: readonly string[] }) {
  const mints = useMints()
  return mints.some(({ url, isPlayMoney }) => isPlayMoney && url === mintUrls[0]) ? <PlayTag /> : null
}
