// Version and licences. The long list is loaded when somebody asks for it.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { useProfile } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { Sheet } from '../../ui/Sheet.tsx'
import { Wren } from '../../ui/Wren.tsx'
import { settingsWords } from '../../words/settings.ts'
import { Group } from './Group.tsx'

type Licences = typeof import('virtual:licences')['licences']

const words = settingsWords.about

export function About() {
  const { version } = useProfile()
  const [licences, setLicences] = useState<Licences | null>(null)
  const [isOpen, setOpen] = useState(false)
  const show = useAct(async () => {
    setLicences((await import('virtual:licences')).licences)
    setOpen(true)
  })
  return (
    <Group section="about" title={words.title}>
      <div className="option settings-option">
        <Wren size={32} />
        <span className="option-words">
          <b>{words.name}</b>
          <span className="small muted">
            {words.version(version)} {words.promise}
          </span>
        </span>
      </div>
      <div className="option settings-option">
        <Icon name="info" />
        <span className="option-words">
          <b>{words.libraries}</b>
          <span className="small muted">{words.librariesMean}</span>
        </span>
        <Button size="s" onClick={show.run} isBusy={show.isBusy}>
          {words.show}
        </Button>
      </div>
      <ErrorNote error={show.error} />
      {licences && (
        <Sheet isOpen={isOpen} onClose={() => setOpen(false)} title={words.sheet(licences.packages.length)}>
          <List licences={licences} />
        </Sheet>
      )}
    </Group>
  )
}

function List({ licences }: { readonly licences: Licences }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  return (
    <div className="stack">
      <p className="small muted">{words.chromium}</p>
      <ul className="licences">
        {licences.packages.map(({ name, version, licence, text }) => {
          const key = `${name} ${version}`
          return (
            <li key={key}>
              <details
                onToggle={(event) => {
                  // A hundred texts are long: only those that were opened are there.
                  if (event.currentTarget.open) setOpen((before) => new Set(before).add(key))
                }}
              >
                <summary>
                  <b>{name}</b> <span className="small muted">{`${version} · ${licence}`}</span>
                </summary>
                {open.has(key) && <pre>{licences.texts[text]}</pre>}
              </details>
            </li>
          )
        })}
      </ul>
    </div>
  )
}
