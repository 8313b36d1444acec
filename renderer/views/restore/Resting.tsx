// Why coins rest, until when, and the person's word that no payment with them is open.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { useNow, useRestore } from '../../store.ts'
import { dayName } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { restoreWords } from '../../words/restore.ts'

const words = restoreWords.resting

export function Resting() {
  const { resting, cause } = useRestore()
  const now = useNow()
  const [isAsking, setAsking] = useState(false)
  const release = useAct(async () => {
    await call('restore.noOpenPayments', {})
    setAsking(false)
  })
  if (cause === null || resting.until === null) return null
  if (resting.isReleased) return <Note icon="restore">{words.released}</Note>
  return (
    <>
      <Note icon="restore" title={words.title}>
        {words.causes[cause]} {words.until(dayName(resting.until, now))}
        <p>
          <button type="button" className="link" onClick={() => setAsking(true)}>
            {words.release}
          </button>
        </p>
      </Note>
      <Dialog
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={words.ask.title}
        actions={
          <>
            <Button onClick={() => setAsking(false)} autoFocus>
              {words.ask.no}
            </Button>
            <Button look="danger" onClick={release.run} isBusy={release.isBusy}>
              {words.ask.yes}
            </Button>
          </>
        }
      >
        <p>{words.ask.body}</p>
        {(cause === 'twin' || cause === 'moved' || cause === 'phrase') && <p>{words.ask.twin}</p>}
        <ErrorNote error={release.error} />
      </Dialog>
    </>
  )
}
