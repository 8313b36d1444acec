// A few words beside the matter: plain, in the colour of a grade, or a warning.

import type { ReactNode } from 'react'
import type { AppError } from '../../shared/errors.ts'
import { formatAmount } from '../../shared/units.ts'
import { errorWords } from '../../shared/words.ts'
import { commonWords } from '../words/common.ts'
import { Icon, type IconName } from './Icon.tsx'

type Tone = 'plain' | 'paid' | 'signed' | 'warn' | 'bad'

const icons: Record<Tone, IconName> = { plain: 'info', paid: 'paid', signed: 'signed', warn: 'warning', bad: 'warning' }

export function Note({
  tone = 'plain',
  icon = icons[tone],
  title,
  children,
  isAlert = false,
}: {
  readonly tone?: Tone
  readonly icon?: IconName
  readonly title?: string
  readonly children?: ReactNode
  /** Read out at once: only for what went wrong just now. */
  readonly isAlert?: boolean
}) {
  return (
    <div className={`note note-${tone}`} role={isAlert ? 'alert' : undefined}>
      <Icon name={icon} />
      <div className="note-words">
        {title && <b>{title}</b>} {children}
      </div>
    </div>
  )
}

/** What happened, what it means for the money, what to do; the code for a bug report is one click away. */
export function ErrorNote({ error, unit }: { readonly error: AppError | null; readonly unit?: string | undefined }) {
  if (error === null) return null
  const { title, body, action } = errorWords(
    error.code,
    error.facts,
    unit === undefined ? undefined : (amount) => formatAmount(amount, unit),
  )
  return (
    <Note tone="bad" title={`${title}.`} isAlert>
      {body} {action}
      <details>
        <summary>{commonWords.details}</summary>
        <code>
          {error.code} · {error.message}
        </code>
      </details>
    </Note>
  )
}
