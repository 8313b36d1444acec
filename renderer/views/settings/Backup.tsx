// Backup files: one saved by hand, and copies that are made by themselves into a folder.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { showToast, useBackup, useNow } from '../../store.ts'
import { since } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Sheet } from '../../ui/Sheet.tsx'
import { backupWords } from '../../words/backup.ts'
import { MergeBackup, SaveBackup } from './SaveBackup.tsx'

export function BackupFile() {
  const words = backupWords.file
  const { lastSavedAt } = useBackup()
  const now = useNow()
  const [open, setOpen] = useState<'save' | 'merge' | null>(null)
  const close = (): void => setOpen(null)
  return (
    <div className="option settings-option">
      <Icon name="download" />
      <span className="option-words">
        <b>{words.title}</b>
        <span className="small muted">
          {lastSavedAt === null ? words.never : words.last(since(lastSavedAt, now))} {words.means}
        </span>
      </span>
      <span className="settings-acts">
        <Button size="s" onClick={() => setOpen('merge')}>
          {words.merge}
        </Button>
        <Button size="s" look={lastSavedAt === null ? 'primary' : 'plain'} onClick={() => setOpen('save')}>
          {words.save}
        </Button>
      </span>
      <Sheet isOpen={open === 'save'} onClose={close} title={backupWords.save.title}>
        <SaveBackup onSaved={close} />
      </Sheet>
      <Sheet isOpen={open === 'merge'} onClose={close} title={backupWords.merge.title}>
        <MergeBackup onDone={close} />
      </Sheet>
    </div>
  )
}

export function Copies() {
  const words = backupWords.copies
  const { folder, trouble } = useBackup()
  const [isOpen, setOpen] = useState(false)
  const copy = useAct(async () => {
    await call('backup.saveNow', {})
    showToast({ text: words.saved })
  })
  const stop = useAct(() => call('backup.setFolder', { folder: null }))
  return (
    <>
      <div className="option settings-option">
        <Icon name="folder" />
        <span className="option-words">
          <b>{words.title}</b>
          <span className="small muted settings-path">{folder === null ? words.off : words.on(folder)}</span>
        </span>
        <span className="settings-acts">
          {folder === null ? (
            <Button size="s" onClick={() => setOpen(true)}>
              {words.choose}
            </Button>
          ) : (
            <>
              <Button size="s" look="quiet" onClick={stop.run} isBusy={stop.isBusy}>
                {words.stop}
              </Button>
              <Button size="s" onClick={() => setOpen(true)}>
                {words.change}
              </Button>
              <Button size="s" onClick={copy.run} isBusy={copy.isBusy}>
                {words.now}
              </Button>
            </>
          )}
        </span>
        <Sheet isOpen={isOpen} onClose={() => setOpen(false)} title={words.sheet}>
          <ChooseFolder onChosen={() => setOpen(false)} />
        </Sheet>
      </div>
      {trouble !== null && <Note tone="warn">{words.trouble}</Note>}
      <ErrorNote error={copy.error ?? stop.error} />
    </>
  )
}

function ChooseFolder({ onChosen }: { readonly onChosen: () => void }) {
  const words = backupWords.copies
  const { folder, canPick } = useBackup()
  const [typed, setTyped] = useState(folder ?? '')
  const use = useAct(async () => {
    await call('backup.setFolder', { folder: typed.trim() })
    showToast({ text: words.saved })
    onChosen()
  })
  const pick = useAct(async () => {
    const { folder: picked } = await call('backup.pickFolder', {})
    if (picked !== null) setTyped(picked)
  })
  return (
    <div className="stack">
      <p className="muted">{words.off}</p>
      <Field
        label={words.label}
        hint={words.hint}
        value={typed}
        onChange={(text) => {
          setTyped(text)
          use.forget()
        }}
        maxLength={1024}
        isLiteral
        end={
          canPick && (
            <Button size="s" look="quiet" onClick={pick.run} isBusy={pick.isBusy}>
              {words.pick}
            </Button>
          )
        }
      />
      <ErrorNote error={use.error ?? pick.error} />
      <Button
        look="primary"
        isWide
        shortcut="Enter"
        onClick={use.run}
        isBusy={use.isBusy}
        isDisabled={typed.trim() === ''}
      >
        {words.use}
      </Button>
    </div>
  )
}
