// The twelve words, to be written down. They are asked for when a person says that nobody is looking, are kept in this
// component alone, and are forgotten when it goes or the window is hidden.

import { useEffect, useEffectEvent, useState } from 'react'
import { type Act, useAct } from '../../act.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { Button } from '../../ui/Button.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { phraseWords } from '../../words/phrase.ts'

const places = Array.from({ length: 12 }, (_, index) => index + 1)

export function WriteWords({
  step,
  back,
  isChecked,
  ask,
  later,
}: {
  /** "Step 2 of 3", in the first run. */
  readonly step?: string
  readonly back: { readonly label: string; readonly href: Href }
  /** They were asked back before: looking at them again is all there is to do. */
  readonly isChecked: boolean
  /** Ask three of them back. */
  readonly ask: Act<[]>
  /** Where it goes on without them. */
  readonly later?: Href
}) {
  const [words, setWords] = useState<readonly string[] | null>(null)
  const show = useAct(async () => setWords((await call('phrase.show', {})).words))
  useHidden(() => setWords(null))
  return (
    <Flow back={back} step="words">
      <div className="column wide">
        <div className="stack tight">
          {step && <p className="small muted">{step}</p>}
          <Heading>{isChecked ? phraseWords.titleAgain : phraseWords.title}</Heading>
          <p className="muted">{phraseWords.why}</p>
        </div>
        {words === null ? <Covered /> : <Words words={words} />}
        <Note tone="warn">{phraseWords.notInThem}</Note>
        <ErrorNote error={show.error ?? ask.error} />
        <div className="phrase-acts">
          {later && (
            <Button size="l" href={later}>
              {phraseWords.later}
            </Button>
          )}
          {isChecked && words !== null && (
            <Button size="l" onClick={ask.run} isBusy={ask.isBusy}>
              {phraseWords.check.submit}
            </Button>
          )}
          {primary()}
        </div>
        {!isChecked && (
          <p className="small muted center">
            {phraseWords.next} {later && phraseWords.laterMeans}
          </p>
        )}
      </div>
    </Flow>
  )

  /** One button in one place: what it says changes, the focus stays. */
  function primary() {
    if (words === null) {
      return (
        <Button look="primary" size="l" isWide shortcut="Enter" onClick={show.run} isBusy={show.isBusy}>
          {phraseWords.show}
        </Button>
      )
    }
    if (isChecked) {
      return (
        <Button look="primary" size="l" isWide shortcut="Enter" href={back.href}>
          {phraseWords.done}
        </Button>
      )
    }
    return (
      <Button look="primary" size="l" isWide shortcut="Enter" onClick={ask.run} isBusy={ask.isBusy}>
        {phraseWords.written}
      </Button>
    )
  }
}

/** In an ordered list, for the eye only in name: nothing translates it, nothing copies it. */
function Words({ words }: { readonly words: readonly string[] }) {
  return (
    <ol className="phrase" aria-label={phraseWords.list} translate="no">
      {places.map((place) => (
        <li key={place}>
          <span aria-hidden="true">{place}</span>
          {words[place - 1]}
        </li>
      ))}
    </ol>
  )
}

function Covered() {
  return (
    <div className="phrase-cover">
      <div className="phrase" aria-hidden="true">
        {places.map((place) => (
          <div key={place} className="phrase-place">
            <span>{place}</span>
            <i />
          </div>
        ))}
      </div>
      <p>
        <Icon name="shield" /> {phraseWords.covered}
      </p>
    </div>
  )
}

/** Another tab, or the window put away. */
function useHidden(then: () => void): void {
  const look = useEffectEvent(() => {
    if (document.visibilityState === 'hidden') then()
  })
  useEffect(() => {
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [])
}
