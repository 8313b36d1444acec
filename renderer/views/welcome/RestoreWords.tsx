// From the twelve words. They are kept in this component alone and forgotten when it goes.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { Button } from '../../ui/Button.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { restoreWords } from '../../words/restore.ts'
import { OwnPassphrase, useOwnPassphrase } from './OwnPassphrase.tsx'
import { bareWord, noWords, TwelveWords } from './TwelveWords.tsx'

const words = restoreWords.words

export function RestoreWords({ back, onRestored }: { readonly back: Href; readonly onRestored: () => void }) {
  const [typed, setTyped] = useState(noWords)
  const own = useOwnPassphrase()
  const restore = useAct(async () => {
    await call('gate.restorePhrase', { words: typed.map(bareWord), ...own.given })
    onRestored()
  })
  const missing = typed.filter((word) => bareWord(word) === '').length
  const { error } = restore
  const wrong = error?.code === 'bad_phrase' ? (error.facts['word'] ?? null) : null
  return (
    <Flow back={{ label: restoreWords.back, href: back }} step="restore-words">
      <div className="column wide">
        <div className="stack tight">
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        <TwelveWords
          value={typed}
          onChange={(next) => {
            setTyped(next)
            restore.forget()
          }}
          wrong={wrong}
        />
        <OwnPassphrase own={own} onChange={restore.forget} />
        {error?.code === 'bad_phrase' ? (
          <Note tone="bad" isAlert>
            {wrong === null ? words.wrong : words.unknown(wrong)}
          </Note>
        ) : (
          <ErrorNote error={error} />
        )}
        <Button
          look="primary"
          size="l"
          isWide
          shortcut="Enter"
          onClick={restore.run}
          isBusy={restore.isBusy}
          isDisabled={missing > 0 || own.isMissing}
        >
          {words.submit}
        </Button>
        <p className="small muted center" role="status">
          {missing > 0 && missing < 12 && words.missing(missing)}
        </p>
      </div>
    </Flow>
  )
}
