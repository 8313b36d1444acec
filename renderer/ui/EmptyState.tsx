import type { ReactNode } from 'react'
import { Wren } from './Wren.tsx'

/** The wren, a sentence, and a button that does the first useful thing. */
export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string
  readonly children: ReactNode
  readonly action?: ReactNode
}) {
  return (
    <div className="empty">
      <Wren size={64} />
      <h2>{title}</h2>
      <p className="small muted">{children}</p>
      {action}
    </div>
  )
}
