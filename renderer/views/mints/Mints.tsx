// The mints whose coins are here: what each holds and whether it answers; money in, money out.

import type { ReactNode } from 'react'
import type { MintView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { errorWords } from '../../../shared/words.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useMints, useNow } from '../../store.ts'
import { since } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Foreign } from '../../ui/Foreign.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Note } from '../../ui/Note.tsx'
import { Page } from '../../ui/Page.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { addMintWords, addressWords, mintsWords } from '../../words/mints.ts'
import { About } from './About.tsx'
import { AddMint } from './AddMint.tsx'
import { AddMoney } from './AddMoney.tsx'
import { CashOut } from './CashOut.tsx'

const tabs = ['add-money', 'cash-out', 'about'] as const
type Tab = (typeof tabs)[number]

export function Mints({ path }: { readonly path: readonly string[] }) {
  const mints = useMints()
  const [place, tab, id] = path
  const isAdding = place === 'add' || mints.length === 0
  // With room for both, the first mint stands beside the list.
  const index = place === undefined ? 0 : Number(place)
  const mint = mints[index]
  return (
    <Page screen="mints" heading={mintsWords.title} {...titleOf(isAdding, place, mint)}>
      <div className={`split mints ${place === undefined && mints.length > 0 ? 'is-list' : 'has-detail'}`}>
        <div className="stack mints-list">
          {mints.length > 0 && (
            <>
              <List mints={mints} current={isAdding ? null : index} />
              <Button icon="add" isWide href={to.addMint}>
                {mintsWords.add}
              </Button>
            </>
          )}
          {mints.length === 0 && (
            <div className="card">
              <EmptyState title={mintsWords.empty.title}>{mintsWords.empty.body}</EmptyState>
            </div>
          )}
          <Note>{mintsWords.trust}</Note>
        </div>
        <div className="stack mints-detail">
          {mints.length > 0 && (
            <a className="back split-back" href={to.mints} data-shortcut="Escape">
              <Icon name="back" />
              {mintsWords.all}
            </a>
          )}
          {isAdding ? (
            <AddMint key={id ?? tab ?? ''} address={place === 'add' ? (tab ?? '') : ''} />
          ) : mint ? (
            <Detail mint={mint} index={index} tab={tabs.find((one) => one === tab) ?? 'add-money'} id={id} />
          ) : (
            <NotHere />
          )}
        </div>
      </div>
    </Page>
  )
}

function titleOf(isAdding: boolean, place: string | undefined, mint: MintView | undefined): { title?: string } {
  if (place === undefined) return {}
  if (isAdding) return { title: addMintWords.title }
  return mint ? { title: mintName(mint) } : {}
}

function NotHere() {
  const { title, body, action } = mintsWords.notHere
  return (
    <div className="card">
      <EmptyState title={title} action={<Button href={to.mints}>{action}</Button>}>
        {body}
      </EmptyState>
    </div>
  )
}

function List({ mints, current }: { readonly mints: readonly MintView[]; readonly current: number | null }) {
  return (
    <ul className="card card-list" aria-label={mintsWords.list} data-arrows data-keeps-focus>
      {mints.map((mint, index) => (
        <li key={mint.url}>
          <Row mint={mint} index={index} isCurrent={index === current} />
        </li>
      ))}
    </ul>
  )
}

function Row({
  mint,
  index,
  isCurrent,
}: {
  readonly mint: MintView
  readonly index: number
  readonly isCurrent: boolean
}) {
  const held = mint.balances.filter(({ spendable }, at) => spendable > 0 || at === 0).slice(0, shownBalances)
  const more = mint.balances.filter(({ spendable }) => spendable > 0).length - held.length
  return (
    <a className="mint" href={to.mint(index)} aria-current={isCurrent ? 'true' : undefined}>
      <MintDisc mint={mint} />
      <span className="mint-what">
        <span className="mint-name clip">
          <Foreign>{mintName(mint)}</Foreign>
        </span>
        <span className="row mint-where">
          <span className="clip">{addressWords(mint)}</span>
          {mint.isPlayMoney && <PlayTag />}
        </span>
      </span>
      <span className="mint-worth">
        {held.map(({ unit, spendable }) => (
          <span key={unit}>{formatAmount(spendable, unit)}</span>
        ))}
        {more > 0 && <span className="xs muted">{mintsWords.moreUnits(more)}</span>}
        <MintState mint={mint} />
      </span>
    </a>
  )
}

const shownBalances = 2

function MintState({ mint }: { readonly mint: MintView }) {
  const now = useNow()
  if (mint.alarm) return <span className="mint-state is-alarm">{mintsWords.alarm}</span>
  if (mint.since === null) return <span className="mint-state">{mintsWords.asking}</span>
  if (mint.isReachable) return <span className="mint-state is-reachable">{mintsWords.reachable}</span>
  return <span className="mint-state is-out">{mintsWords.out(since(mint.since, now))}</span>
}

function MintDisc({ mint }: { readonly mint: MintView }) {
  return (
    <span className="mint-disc" aria-hidden="true">
      {[...mintName(mint)][0]?.toUpperCase()}
    </span>
  )
}

function Detail({
  mint,
  index,
  tab,
  id,
}: {
  readonly mint: MintView
  readonly index: number
  readonly tab: Tab
  readonly id: string | undefined
}) {
  return (
    <section className="card mint-detail" aria-label={mintName(mint)} key={mint.url}>
      <header className="row wide mint-top">
        <span className="row">
          <MintDisc mint={mint} />
          <h2 className="clip">
            <Foreign>{mintName(mint)}</Foreign>
          </h2>
          {mint.isPlayMoney && <PlayTag />}
        </span>
        <Segments
          label={mintsWords.tabs}
          options={tabs.map((one) => ({ value: one, label: mintsWords.tab[one] }))}
          value={tab}
          onChange={(next) => go(to.mint(index, next))}
        />
      </header>
      <Standing mint={mint} />
      {view(tab, { mint, index, id })}
    </section>
  )
}

type TabProps = { readonly mint: MintView; readonly index: number; readonly id: string | undefined }

function view(tab: Tab, { mint, index, id }: TabProps): ReactNode {
  switch (tab) {
    case 'add-money':
      return <AddMoney mint={mint} index={index} id={id} />
    case 'cash-out':
      return <CashOut mint={mint} index={index} id={id} />
    case 'about':
      return <About mint={mint} />
  }
}

/** What should be known before anything is done here. */
function Standing({ mint }: { readonly mint: MintView }) {
  const now = useNow()
  const { alarm, isReachable, since: known, lastReachedAt, isOnlineOnly } = mint
  const isOut = !isReachable && known !== null
  if (!alarm && !isOut) return null
  const words = isOnlineOnly ? mintsWords.outOnlineOnly : mintsWords.outNote
  return (
    <div className="stack tight mint-standing">
      {alarm && (
        <Note tone="bad" title={`${errorWords(alarm).title}.`}>
          {errorWords(alarm).body} {errorWords(alarm).action}
        </Note>
      )}
      {isOut && (
        <Note tone="warn" icon="nearby">
          {lastReachedAt === null ? mintsWords.outNever : words(since(known, now))}
        </Note>
      )}
    </div>
  )
}
