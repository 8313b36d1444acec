import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { fittingName } from '../../name.ts'
import type { Href } from '../../route.ts'
import { useProfile } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Egg } from '../../ui/Egg.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { welcomeWords } from '../../words/welcome.ts'

export function ChooseName({
  back,
  onNext,
}: {
  readonly back: { readonly label: string; readonly href: Href }
  readonly onNext: () => void
}) {
  const profile = useProfile()
  const [name, setName] = useState(profile.name)
  const save = useAct(async () => {
    if (name.trim() !== profile.name) await call('profile.rename', { name: name.trim() })
    onNext()
  })
  return (
    <Flow back={back} step="name">
      <div className="column welcome-name">
        <Egg picture={profile.fingerprint.picture} size={112} />
        <div className="stack tight center">
          <p className="small muted">{welcomeWords.step(1)}</p>
          <Heading>{welcomeWords.name.title}</Heading>
          <p className="muted">{welcomeWords.name.body}</p>
        </div>
        <FourWords words={profile.fingerprint.words} label={welcomeWords.name.words} />
        <Field
          label={welcomeWords.name.label}
          labelAt="inside"
          value={name}
          onChange={(text) => setName(fittingName(text))}
          autoFocus
        />
        <ErrorNote error={save.error} />
        <Button look="primary" size="l" isWide shortcut="Enter" onClick={save.run} isBusy={save.isBusy}>
          {welcomeWords.goOn}
        </Button>
      </div>
    </Flow>
  )
}
