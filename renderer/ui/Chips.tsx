// Connectivity, always visible and always true: a chip for each mint. They open what waits.

import { useState } from 'react'
import type { MintView } from '../../shared/model.ts'
import { useAct } from '../act.ts'
import { call } from '../client.ts'
import { mintName } from '../money.ts'
import { to } from '../route.ts'
import { useMints, useNow } from '../store.ts'
import { since } from '../time.ts'
import { chipWords } from '../words/chip.ts'
import { Button } from './Button.tsx'
import { ErrorNote } from './Note.tsx'
import { PlayTag } from './PlayTag.tsx'
import { Sheet } from './Sheet.tsx'

/** On wide windows; on small ones only the one that matters most. */
const maxChips = 2

/** @param mintUrls only these mints, on a screen that is about them */
export function Chips({ mintUrls }: { readonly mintUrls?: readonly string[] | undefined }) {
  const [isOpen, setOpen] = useState(false)
  const all = useMints()
  const mints = [...(mintUrls ? all.filter(({ url }) => mintUrls.includes(url)) : all)].sort(
    (a, b) => Number(isOut(b)) - Number(isOut(a)),
  )
  const open = (): void => setOpen(true)
  return (
    <>
      <ul className="chips" aria-label={chipWords.label}>
        {mints.slice(0, maxChips).map((mint, index) => (
          <li key={mint.url} className={index > 0 ? 'if-wide' : ''}>
            <Chip mint={mint} onClick={open} />
          </li>
        ))}
        <More count={mints.length - maxChips} when="if-wide" onClick={open} />
        <More count={mints.length - 1} when="if-narrow" onClick={open} />
      </ul>
      <Sheet isOpen={isOpen} onClose={() => setOpen(false)} title={chipWords.title}>
        <WhatWaits onLeave={() => setOpen(false)} />
      </Sheet>
    </>
  )
}

function More({
  count,
  when,
  onClick,
}: {
  readonly count: number
  readonly when: 'if-wide' | 'if-narrow'
  readonly onClick: () => void
}) {
  if (count <= 0) return null
  return (
    <li className={when}>
      <button type="button" className="chip chip-more" onClick={onClick} aria-haspopup="dialog">
        {chipWords.more(count)}
        <span className="hidden">{chipWords.moreMints}</span>
      </button>
    </li>
  )
}

function Chip({ mint, onClick }: { readonly mint: MintView; readonly onClick: () => void }) {
  const look = isOut(mint) ? 'chip-out' : mint.since === null ? 'chip-asking' : mint.isPlayMoney ? 'chip-play' : ''
  return (
    <button type="button" className={`chip ${look}`} onClick={onClick} aria-haspopup="dialog">
      <b className="clip">{mintName(mint)}</b>
      <ChipState mint={mint} />
    </button>
  )
}

function ChipState({ mint }: { readonly mint: MintView }) {
  const now = useNow()
  if (mint.since === null) return <span>{chipWords.asking}</span>
  if (mint.isReachable) return <span>{mint.isPlayMoney ? chipWords.playMoney : chipWords.reachable}</span>
  const time = since(mint.since, now)
  return (
    <>
      <span className="if-wide">{chipWords.notReached(time)}</span>
      <span className="if-narrow">{chipWords.out(time)}</span>
    </>
  )
}

function WhatWaits({ onLeave }: { readonly onLeave: () => void }) {
  const mints = useMints()
  const now = useNow()
  const ask = useAct(() => call('mints.sync', {}))
  return (
    <div className="stack">
      <ul className="mint-states">
        {mints.map((mint, index) => (
          <li key={mint.url}>
            <a href={to.mint(index)} onClick={onLeave} className={isOut(mint) ? 'is-out' : ''}>
              <span className="row">
                <b className="clip">{mintName(mint)}</b>
                {mint.isPlayMoney && <PlayTag />}
              </span>
              <span className="small muted">{sentence(mint, now)}</span>
              {mint.waiting.in + mint.waiting.out > 0 && (
                <span className="small">{chipWords.waiting(mint.waiting)}</span>
              )}
            </a>
          </li>
        ))}
      </ul>
      <p className="small muted">{chipWords.explained}</p>
      <ErrorNote error={ask.error} />
      <Button onClick={ask.run} isBusy={ask.isBusy} icon="again">
        {chipWords.askNow}
      </Button>
    </div>
  )
}

function sentence(mint: MintView, now: number): string {
  if (mint.since === null) return chipWords.askingSentence
  if (mint.isReachable) return chipWords.reachableSentence
  return mint.lastReachedAt === null ? chipWords.neverReached : chipWords.outSentence(since(mint.since, now))
}

function isOut({ isReachable, since: known }: MintView): boolean {
  return !isReachable && known !== null
}
