// The lock: a passphrase that seals the twelve words, and when it is asked for.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { showToast, useProfile, useSettings } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { Sheet } from '../../ui/Sheet.tsx'
import { backupWords } from '../../words/backup.ts'
import { useChange } from './change.ts'

const words = backupWords.lock
const idleChoices = [null, 1, 5, 15, 60] as const

export function Lock() {
  const isLocked = useProfile().sealing === 'passphrase'
  const { idleLockMinutes } = useSettings()
  const change = useChange()
  const [isOpen, setOpen] = useState(false)
  const lock = useAct(() => call('gate.lock', {}))
  return (
    <>
      <div className="option settings-option">
        <Icon name="lock" />
        <span className="option-words">
          <b>{words.title}</b>
          <span className="small muted">{isLocked ? words.on : words.off}</span>
        </span>
        <span className="settings-acts">
          {isLocked && (
            <Button size="s" onClick={lock.run} isBusy={lock.isBusy}>
              {words.now}
            </Button>
          )}
          <Button size="s" onClick={() => setOpen(true)}>
            {isLocked ? words.change : words.set}
          </Button>
        </span>
        <Sheet isOpen={isOpen} onClose={() => setOpen(false)} title={words.sheet}>
          <Passphrase isThere={isLocked} onDone={() => setOpen(false)} />
        </Sheet>
      </div>
      {isLocked && (
        <div className="option settings-option">
          <Icon name="clock" />
          <span className="option-words">
            <b>{words.idle}</b>
            <span className="small muted">{words.idleMeans}</span>
          </span>
          <Segments
            label={words.idle}
            options={idleChoices.map((minutes) => ({ value: String(minutes), label: words.minutes(minutes) }))}
            value={String(idleLockMinutes)}
            onChange={(chosen) => {
              const minutes = idleChoices.find((one) => String(one) === chosen)
              if (minutes !== undefined) change.run({ idleLockMinutes: minutes })
            }}
          />
        </div>
      )}
      <ErrorNote error={lock.error ?? change.error} />
    </>
  )
}

function Passphrase({ isThere, onDone }: { readonly isThere: boolean; readonly onDone: () => void }) {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const known = isThere ? { current } : {}
  const save = useAct(async () => {
    await call('gate.setPassphrase', { ...known, next })
    showToast({ text: words.saved })
    onDone()
  })
  const remove = useAct(async () => {
    await call('gate.setPassphrase', { ...known, next: null })
    showToast({ text: words.removed })
    onDone()
  })
  const forget = (): void => {
    save.forget()
    remove.forget()
  }
  const isCurrentMissing = isThere && current === ''
  const field = (label: string, value: string, set: (text: string) => void, more: { error?: string | null } = {}) => (
    <Field
      label={label}
      type="password"
      value={value}
      onChange={(text) => {
        set(text)
        forget()
      }}
      maxLength={256}
      isLiteral
      {...more}
    />
  )
  return (
    <div className="stack">
      {isThere && field(words.current, current, setCurrent)}
      {field(words.next, next, setNext)}
      <p className="small muted">{words.hint}</p>
      {field(words.again, again, setAgain, { error: again !== '' && again !== next ? words.differ : null })}
      <Note tone="warn">{words.forget}</Note>
      <ErrorNote error={save.error ?? remove.error} />
      <Button
        look="primary"
        isWide
        shortcut="Enter"
        onClick={save.run}
        isBusy={save.isBusy}
        isDisabled={isCurrentMissing || next === '' || next !== again}
      >
        {words.save}
      </Button>
      {isThere && (
        <Button look="danger" isWide onClick={remove.run} isBusy={remove.isBusy} isDisabled={isCurrentMissing}>
          {words.remove}
        </Button>
      )}
    </div>
  )
}
