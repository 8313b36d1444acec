// The twelve words from the paper open the wallet that is here, whatever became of what protects them. They are kept in this
// component alone and forgotten when it goes.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { backupWords } from '../../words/backup.ts'
import { gateWords } from '../../words/gate.ts'
import { restoreWords } from '../../words/restore.ts'
import { bareWord, noWords, TwelveWords } from '../welcome/TwelveWords.tsx'

const words = gateWords.useWords

export function UseWords({
  title,
  body,
  onBack,
}: {
  readonly title: string
  /** Why they are asked for. */
  readonly body: string
  /** Without it there is no other way in. */
  readonly onBack?: () => void
}) {
  const [typed, setTyped] = useState(noWords)
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const open = useAct(() =>
    call('gate.usePhrase', { words: typed.map(bareWord), passphrase: passphrase === '' ? null : passphrase }),
  )
  const missing = typed.filter((word) => bareWord(word) === '').length
  const { error } = open
  const wrong = error?.code === 'bad_phrase' ? (error.facts['word'] ?? null) : null
  const type =
    <T,>(set: (value: T) => void) =>
    (value: T): void => {
      set(value)
      open.forget()
    }
  return (
    <Flow {...(onBack ? { back: { label: restoreWords.back, onClick: onBack } } : {})} step="use-words">
      <div className="column wide">
        <div className="stack tight">
          <Heading>{title}</Heading>
          <p className="muted">
            {body} {words.how}
          </p>
        </div>
        <TwelveWords value={typed} onChange={type(setTyped)} wrong={wrong} />
        <div className="gate-passphrase">
          <Field
            label={words.passphrase}
            type="password"
            value={passphrase}
            onChange={type(setPassphrase)}
            hint={words.passphraseHint}
            maxLength={256}
            isLiteral
          />
          {passphrase !== '' && (
            <Field
              label={backupWords.lock.again}
              type="password"
              value={again}
              onChange={type(setAgain)}
              error={again !== '' && again !== passphrase ? backupWords.lock.differ : null}
              maxLength={256}
              isLiteral
            />
          )}
        </div>
        {error?.code === 'bad_phrase' ? (
          <Note tone="bad" isAlert>
            {wrong === null ? words.wrong : restoreWords.words.unknown(wrong)}
          </Note>
        ) : (
          <ErrorNote error={error} />
        )}
        <Button
          look="primary"
          size="l"
          isWide
          shortcut="Enter"
          onClick={open.run}
          isBusy={open.isBusy}
          isDisabled={missing > 0 || (passphrase !== '' && again !== passphrase)}
        >
          {words.submit}
        </Button>
        <p className="small muted center" role="status">
          {missing > 0 && missing < 12 && restoreWords.words.missing(missing)}
        </p>
      </div>
    </Flow>
  )
}
