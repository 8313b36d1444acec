// Save a backup file, or read one: each in a sheet of its own.

import { useState } from 'react'
import type { BackupSummaryView } from '../../../shared/model.ts'
import { useAct } from '../../act.ts'
import { backupBlob, type ChosenFile, readBackup } from '../../backup-file.ts'
import { call } from '../../client.ts'
import { saveFile } from '../../save-file.ts'
import { showToast } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { FilePicker } from '../../ui/FilePicker.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { backupWords } from '../../words/backup.ts'
import { restoreWords } from '../../words/restore.ts'
import { coinsIn } from '../restore/searched.ts'

export function SaveBackup({ onSaved }: { readonly onSaved: () => void }) {
  const words = backupWords.save
  const [opensBy, setOpensBy] = useState<'words' | 'passphrase'>('words')
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const isPassphrase = opensBy === 'passphrase'
  const save = useAct(async () => {
    const { name, file } = await call('backup.export', { passphrase: isPassphrase ? passphrase : null })
    saveFile(name, backupBlob(file))
    showToast({ text: words.done })
    onSaved()
  })
  const differs = isPassphrase && again !== '' && again !== passphrase
  return (
    <div className="stack">
      <p className="muted">{words.body}</p>
      <div className="stack tight">
        <b>{words.key}</b>
        <Segments
          label={words.key}
          options={[
            { value: 'words', label: words.words },
            { value: 'passphrase', label: words.passphrase },
          ]}
          value={opensBy}
          onChange={setOpensBy}
        />
        <p className="small muted">{isPassphrase ? words.passphraseMeans : words.wordsMean}</p>
      </div>
      {isPassphrase && (
        <>
          <Field
            label={words.label}
            type="password"
            value={passphrase}
            onChange={setPassphrase}
            hint={words.hint}
            maxLength={256}
            isLiteral
          />
          <Field
            label={words.again}
            type="password"
            value={again}
            onChange={setAgain}
            error={differs ? words.differ : null}
            maxLength={256}
            isLiteral
          />
        </>
      )}
      <ErrorNote error={save.error} />
      <Button
        look="primary"
        isWide
        shortcut="Enter"
        onClick={save.run}
        isBusy={save.isBusy}
        isDisabled={isPassphrase && (passphrase === '' || passphrase !== again)}
      >
        {words.submit}
      </Button>
    </div>
  )
}

export function MergeBackup({ onDone }: { readonly onDone: () => void }) {
  const words = backupWords.merge
  const [chosen, setChosen] = useState<ChosenFile | null>(null)
  const [isTooLarge, setTooLarge] = useState(false)
  const [passphrase, setPassphrase] = useState('')
  const [summary, setSummary] = useState<BackupSummaryView | null>(null)
  const merge = useAct(async () => {
    if (chosen === null) return
    const key = passphrase === '' ? {} : { passphrase }
    setSummary(await call('backup.merge', { file: chosen.file, ...key }))
  })
  if (summary) {
    return (
      <div className="stack">
        <Note tone="paid">{words.done(summary.payments, coinsIn(summary.coins))}</Note>
        <Button look="primary" isWide shortcut="Enter" onClick={onDone}>
          {words.close}
        </Button>
      </div>
    )
  }
  return (
    <div className="stack">
      <p className="muted">{words.body}</p>
      <FilePicker
        accept=".farthing-backup"
        onFile={(file) => {
          merge.forget()
          void readBackup(file).then((read) => {
            setTooLarge(read === undefined)
            setChosen(read ?? null)
          })
        }}
      >
        {chosen === null ? restoreWords.file.choose : restoreWords.file.chosen(chosen.name)}
      </FilePicker>
      {isTooLarge && (
        <Note tone="bad" isAlert>
          {restoreWords.file.tooLarge}
        </Note>
      )}
      {chosen !== null && (
        <Field
          label={words.label}
          hint={words.hint}
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          maxLength={256}
          isLiteral
        />
      )}
      <ErrorNote error={merge.error} />
      <Button
        look="primary"
        isWide
        shortcut="Enter"
        onClick={merge.run}
        isBusy={merge.isBusy}
        isDisabled={chosen === null}
      >
        {words.submit}
      </Button>
    </div>
  )
}
