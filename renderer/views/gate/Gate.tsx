// What stands before the wallet, instead of every screen: a lock, a shut keychain, words that are not here, a database that
// cannot be read.

import { useState } from 'react'
import type { GateView } from '../../../shared/model.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { refresh, useNow, useSecond } from '../../store.ts'
import { since } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Wren } from '../../ui/Wren.tsx'
import { gateWords } from '../../words/gate.ts'
import { UseWords } from './UseWords.tsx'

type Shut = Exclude<GateView, { readonly state: 'open' }>

export function Gate({ gate }: { readonly gate: Shut }) {
  switch (gate.state) {
    case 'locked':
      return <Locked retryAt={gate.retryAt} />
    case 'sealed':
      return <Sealed />
    case 'wordless':
      return <UseWords {...gateWords.wordless[gate.cause]} />
    case 'damaged':
      return <Damaged {...gate} />
  }
}

function Locked({ retryAt }: { readonly retryAt: number | null }) {
  const words = gateWords.locked
  const [byWords, setByWords] = useState(false)
  const [passphrase, setPassphrase] = useState('')
  const [waitUntil, setWaitUntil] = useState(retryAt)
  const now = useSecond()
  const waitMs = Math.max(waitUntil ?? 0, retryAt ?? 0) - now
  const unlock = useAct(async () => {
    try {
      await call('gate.unlock', { passphrase })
    } finally {
      setPassphrase('')
      const gate = await call('gate.look', {})
      if (gate.state === 'locked') setWaitUntil(gate.retryAt)
    }
  })
  const isWaiting = waitMs > 0
  const isWrong = unlock.error?.code === 'wrong_passphrase'
  if (byWords) return <UseWords {...words.byWords} onBack={() => setByWords(false)} />
  return (
    <main className="alone" id="main">
      <Wren size={72} />
      <Heading>{words.title}</Heading>
      <p className="muted">{words.body}</p>
      <form
        className="stack gate-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isWaiting && passphrase !== '') unlock.run()
        }}
      >
        <Field
          label={words.label}
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          maxLength={256}
          autoFocus
          isLiteral
          error={isWrong && passphrase === '' ? words.wrong : null}
        />
        <Button
          look="primary"
          size="l"
          isWide
          shortcut="Enter"
          onClick={unlock.run}
          isBusy={unlock.isBusy}
          isDisabled={isWaiting || passphrase === ''}
        >
          {isWaiting ? words.waiting(Math.ceil(waitMs / 1000)) : words.unlock}
        </Button>
        {!isWrong && <ErrorNote error={unlock.error} />}
      </form>
      <Button look="quiet" onClick={() => setByWords(true)}>
        {gateWords.useWords.open}
      </Button>
    </main>
  )
}

function Sealed() {
  const words = gateWords.sealed
  const [byWords, setByWords] = useState(false)
  const again = useAct(() => call('gate.look', {}))
  if (byWords) return <UseWords {...words.byWords} onBack={() => setByWords(false)} />
  return (
    <main className="alone" id="main">
      <Wren size={72} />
      <Heading>{words.title}</Heading>
      <p>{words.body}</p>
      <p className="muted">{words.todo}</p>
      <ErrorNote error={again.error} />
      <Button look="primary" size="l" shortcut="Enter" onClick={again.run} isBusy={again.isBusy}>
        {words.again}
      </Button>
      <Button look="quiet" onClick={() => setByWords(true)}>
        {gateWords.useWords.open}
      </Button>
    </main>
  )
}

function Damaged({ hasPhrase, backups, awayFolder }: Extract<Shut, { readonly state: 'damaged' }>) {
  const words = gateWords.damaged
  const now = useNow()
  const [picked, setPicked] = useState<string | null>()
  const chosen = picked === undefined ? (backups[0]?.name ?? null) : picked
  const bring = useAct(() => call('gate.setAside', { backup: chosen }))
  const [newest, ...older] = backups
  const row = (name: string | null, title: string, body: string) => (
    <label className="option" key={name ?? ''}>
      <input type="radio" name="way" checked={chosen === name} onChange={() => setPicked(name)} />
      <span className="option-words">
        <b>{title}</b>
        <span className="small muted">{body}</span>
      </span>
    </label>
  )
  const copyRow = ({ name, savedAt }: (typeof backups)[number]) =>
    row(name, words.copy.title(since(savedAt, now)), words.copy.body)
  return (
    <main className="alone" id="main">
      <Wren size={72} />
      <Heading>{words.title}</Heading>
      <p className="muted">{words.body}</p>
      {awayFolder !== null && (
        <>
          <Note tone="warn">{words.away(awayFolder)}</Note>
          <Button onClick={refresh}>{words.lookAgain}</Button>
        </>
      )}
      {hasPhrase ? (
        <fieldset className="card stack gate-form gate-ways">
          <legend>{words.canDo}</legend>
          {newest && copyRow(newest)}
          {row(null, words.words.title, words.words.body)}
          {older.length > 0 && (
            <details className="small">
              <summary>{words.older}</summary>
              {older.map(copyRow)}
            </details>
          )}
        </fieldset>
      ) : (
        <Note tone="bad">{words.noPhrase}</Note>
      )}
      {hasPhrase && <p className="small muted">{words.file}</p>}
      <ErrorNote error={bring.error} />
      {hasPhrase && (
        <Button look="primary" size="l" shortcut="Enter" onClick={bring.run} isBusy={bring.isBusy}>
          {words.begin}
        </Button>
      )}
    </main>
  )
}
