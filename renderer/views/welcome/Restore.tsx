// Restore a wallet: from the twelve words, or from a backup file.

import type { Href } from '../../route.ts'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Note } from '../../ui/Note.tsx'
import { restoreWords } from '../../words/restore.ts'
import { Choice } from './Choice.tsx'

const { how } = restoreWords

export function Restore({ back, words, file }: { readonly back: Href; readonly words: Href; readonly file: Href }) {
  return (
    <Flow back={{ label: restoreWords.back, href: back }} step="restore">
      <div className="column">
        <div className="stack tight">
          <Heading>{how.title}</Heading>
          <p className="muted">{how.body}</p>
        </div>
        <nav className="stack choices" aria-label={how.ways} data-arrows>
          <Choice icon="key" title={how.words.title} body={how.words.body} href={words} isFirst />
          <Choice icon="download" title={how.file.title} body={how.file.body} href={file} />
        </nav>
        <Note tone="warn">{how.other}</Note>
      </div>
    </Flow>
  )
}
