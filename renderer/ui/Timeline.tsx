import type { ReactNode } from 'react'
import { clockTime, dateAndTime } from '../time.ts'
import type { Grade } from './grade.ts'
import { gradeIcons } from './grade.ts'
import { Icon, type IconName } from './Icon.tsx'

export type TimelineItem = {
  readonly key: string
  /** Milliseconds; null for what has not happened yet. */
  readonly at: number | null
  readonly title: string
  readonly children?: ReactNode
  /** Its coin, or any icon. */
  readonly look: Grade | { readonly icon: IconName }
}

/** Facts with their times, oldest first. */
export function Timeline({ items }: { readonly items: readonly TimelineItem[] }) {
  return (
    <ol className="timeline">
      {items.map(({ key, at, title, children, look }) => (
        <li key={key} className={typeof look === 'string' ? `is-${look}` : ''}>
          <Icon name={typeof look === 'string' ? gradeIcons[look] : look.icon} />
          <div>
            <b>{title}</b>
            {children && <p className="small muted">{children}</p>}
          </div>
          {at !== null && (
            <time dateTime={new Date(at).toISOString()} title={dateAndTime(at)}>
              {clockTime(at)}
            </time>
          )}
        </li>
      ))}
    </ol>
  )
}
