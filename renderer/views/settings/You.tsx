// What others see: a name, and what is drawn from the key.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { fittingName } from '../../name.ts'
import { announce, useProfile } from '../../store.ts'
import { Egg } from '../../ui/Egg.tsx'
import { Field } from '../../ui/Field.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { settingsWords } from '../../words/settings.ts'
import { Group } from './Group.tsx'

const words = settingsWords.you

export function You() {
  const { name, fingerprint } = useProfile()
  const [draft, setDraft] = useState<string | null>(null)
  const rename = useAct(async (chosen: string) => {
    await call('profile.rename', { name: chosen })
    announce(settingsWords.saved)
    setDraft(null)
  })
  const save = (): void => {
    if (draft !== null && draft.trim() !== name) rename.run(draft.trim())
    else setDraft(null)
  }
  return (
    <Group section="you" title={words.title}>
      <div className="settings-you">
        <Egg picture={fingerprint.picture} size={88} />
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            save()
          }}
          onBlur={save}
        >
          <Field
            label={words.name}
            value={draft ?? name}
            onChange={(text) => setDraft(fittingName(text))}
            placeholder={words.noName}
            hint={words.hint}
          />
          <ErrorNote error={rename.error} />
        </form>
      </div>
      <FourWords words={fingerprint.words} label={words.words} />
      <p className="small muted">{words.drawn}</p>
    </Group>
  )
}
