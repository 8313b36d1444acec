// What a restore looks for and finds, mint by mint; at the end of the first run, and later from Home and Settings.

import { type Act, useAct } from '../../act.ts'
import { to } from '../../route.ts'
import { go, useRestore } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { restoreWords } from '../../words/restore.ts'
import { Resting } from './Resting.tsx'
import { Searches } from './Searches.tsx'

const words = restoreWords.search

/** As a screen of its own. */
export function Restored() {
  const home = useAct(async () => go(to.home))
  return <SearchScreen home={home} back={{ label: restoreWords.back, href: to.home }} />
}

export function SearchScreen({
  home,
  back,
}: {
  readonly home: Act<[]>
  readonly back: NonNullable<Parameters<typeof Flow>[0]['back']>
}) {
  const { searches } = useRestore()
  const isDone = searches.length > 0 && searches.every(({ state }) => state === 'done')
  const isCut = searches.some(({ trouble }) => trouble !== null)
  return (
    <Flow back={back} step="search">
      <div className="column">
        <div className="stack tight">
          <Heading>{isDone ? words.titleDone : words.title}</Heading>
          <p className="muted" role="status">
            {searches.length === 0 ? words.none : !isDone ? words.body : isCut ? words.bodyCut : words.bodyDone}
          </p>
        </div>
        {searches.length === 0 ? (
          <EmptyState title={words.addMint} action={<Button href={to.addMint}>{words.addMint}</Button>}>
            {words.none}
          </EmptyState>
        ) : (
          <Searches searches={searches} />
        )}
        <Resting />
        <ErrorNote error={home.error} />
        <Button look="primary" size="l" isWide shortcut="Enter" onClick={home.run} isBusy={home.isBusy}>
          {words.home}
        </Button>
      </div>
    </Flow>
  )
}
