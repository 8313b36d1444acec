// From a backup file, opened by its passphrase or by the twelve words.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { type ChosenFile, readBackup } from '../../backup-file.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { FilePicker } from '../../ui/FilePicker.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { restoreWords } from '../../words/restore.ts'
import { OwnPassphrase, useOwnPassphrase } from './OwnPassphrase.tsx'
import { bareWord, noWords, TwelveWords } from './TwelveWords.tsx'

const words = restoreWords.file

export function RestoreFile({ back, onRestored }: { readonly back: Href; readonly onRestored: () => void }) {
  const [chosen, setChosen] = useState<ChosenFile | null>(null)
  const [isTooLarge, setTooLarge] = useState(false)
  const [opensBy, setOpensBy] = useState<'words' | 'passphrase'>('words')
  const [passphrase, setPassphrase] = useState('')
  const [typed, setTyped] = useState(noWords)
  const own = useOwnPassphrase()
  const isReady =
    chosen !== null &&
    !own.isMissing &&
    (opensBy === 'passphrase' ? passphrase !== '' : typed.every((word) => bareWord(word) !== ''))
  const restore = useAct(async () => {
    if (chosen === null) return
    const key = opensBy === 'passphrase' ? { passphrase } : { words: typed.map(bareWord) }
    await call('gate.restoreBackup', { file: chosen.file, ...key, ...own.given })
    onRestored()
  })
  const wrong = restore.error?.code === 'bad_phrase' ? (restore.error.facts['word'] ?? null) : null
  return (
    <Flow back={{ label: restoreWords.back, href: back }} step="restore-file">
      <div className="column wide">
        <div className="stack tight">
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        <FilePicker
          accept=".farthing-backup"
          onFile={(file) => {
            restore.forget()
            void readBackup(file).then((read) => {
              setTooLarge(read === undefined)
              setChosen(read ?? null)
            })
          }}
        >
          {chosen === null ? words.choose : words.chosen(chosen.name)}
        </FilePicker>
        {isTooLarge && (
          <Note tone="bad" isAlert>
            {words.tooLarge}
          </Note>
        )}
        {chosen !== null && (
          <section className="stack">
            <div className="row wide">
              <b>{words.key}</b>
              <Segments
                label={words.key}
                options={[
                  { value: 'words', label: words.twelve },
                  { value: 'passphrase', label: words.passphrase },
                ]}
                value={opensBy}
                onChange={(by) => {
                  restore.forget()
                  setOpensBy(by)
                }}
              />
            </div>
            {opensBy === 'passphrase' ? (
              <Field
                label={words.label}
                type="password"
                value={passphrase}
                onChange={(text) => {
                  setPassphrase(text)
                  restore.forget()
                }}
                maxLength={256}
                isLiteral
              />
            ) : (
              <TwelveWords
                value={typed}
                onChange={(next) => {
                  setTyped(next)
                  restore.forget()
                }}
                wrong={wrong}
              />
            )}
            <OwnPassphrase own={own} onChange={restore.forget} />
          </section>
        )}
        <ErrorNote error={restore.error} />
        <Button
          look="primary"
          size="l"
          isWide
          shortcut="Enter"
          onClick={restore.run}
          isBusy={restore.isBusy}
          isDisabled={!isReady}
        >
          {words.submit}
        </Button>
        <p className="small muted center" role="status">
          {restore.isBusy && words.opening}
        </p>
      </div>
    </Flow>
  )
}
