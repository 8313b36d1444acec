// Three ways in: a wallet of one's own, play money at once, or a wallet that was there before.

import type { Href } from '../../route.ts'
import { usePractice } from '../../store.ts'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Wren } from '../../ui/Wren.tsx'
import { welcomeWords } from '../../words/welcome.ts'
import { Choice } from './Choice.tsx'

export function Start({
  create,
  restore,
  onTry,
}: {
  readonly create: Href
  readonly restore: Href
  readonly onTry: () => void
}) {
  const { isOffered } = usePractice()
  return (
    <Flow step="start">
      <div className="column welcome-start">
        <div className="stack welcome-head">
          <Wren size={104} />
          <Heading>{welcomeWords.title}</Heading>
          <p className="muted">{welcomeWords.body}</p>
        </div>
        <nav className="stack choices" aria-label={welcomeWords.ways} data-arrows>
          <Choice icon="add" title={welcomeWords.create.title} body={welcomeWords.create.body} href={create} isFirst />
          {isOffered && (
            <Choice
              icon="play"
              title={welcomeWords.tryIt.title}
              tag={<PlayTag />}
              body={welcomeWords.tryIt.body}
              onClick={onTry}
            />
          )}
          <Choice icon="restore" title={welcomeWords.restore.title} body={welcomeWords.restore.body} href={restore} />
        </nav>
      </div>
    </Flow>
  )
}
