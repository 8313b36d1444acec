// What keeps the money safe: the twelve words and what seals them here, backup files, the lock.

import type { Act } from '../../act.ts'
import type { Href } from '../../route.ts'
import { useProfile } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { settingsWords } from '../../words/settings.ts'
import { BackupFile, Copies } from './Backup.tsx'
import { Group } from './Group.tsx'
import { Lock } from './Lock.tsx'

const words = settingsWords.phrase

export function Safe({ words: place, check }: { readonly words: Href; readonly check: Act<[]> }) {
  const { phrase, sealing } = useProfile()
  return (
    <Group section="phrase" title={words.title}>
      <div className="option settings-option">
        <Icon name="key" />
        <span className="option-words">
          <b>{words.words}</b>
          <span className="small muted">
            {words[phrase]} {words.means}
          </span>
        </span>
        <span className="settings-acts">
          {phrase === 'unseen' ? (
            <Button look="primary" size="s" href={place}>
              {words.write}
            </Button>
          ) : (
            <Button size="s" href={place}>
              {words.show}
            </Button>
          )}
          {phrase === 'seen' && (
            <Button look="primary" size="s" onClick={check.run} isBusy={check.isBusy}>
              {words.check}
            </Button>
          )}
        </span>
      </div>
      <ErrorNote error={check.error} />
      <BackupFile />
      <Copies />
      <Lock />
      {sealing === 'plain' ? (
        <Note tone="warn" title={words.plain.title}>
          {words.plain.body}
          <p>
            <b>{words.plain.todo}</b> {words.plain.action}
          </p>
        </Note>
      ) : (
        <div className="option settings-option">
          <Icon name="shield" />
          <span className="option-words">
            <b>{words.sealing}</b>
            <span className="small muted">{words[sealing]}</span>
          </span>
        </div>
      )}
    </Group>
  )
}
