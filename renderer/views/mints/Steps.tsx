import type { ReactNode } from 'react'
import { Icon } from '../../ui/Icon.tsx'

export type Step = { readonly title: string; readonly children?: ReactNode }

/** What happens one after another: done, now, still to come. */
export function Steps({
  label,
  steps,
  now,
}: {
  readonly label: string
  readonly steps: readonly Step[]
  /** Counted from 0; as many as there are steps when all are done. */
  readonly now: number
}) {
  return (
    <ol className="mint-steps" aria-label={label}>
      {steps.map(({ title, children }, index) => (
        <li
          key={title}
          className={index < now ? 'is-done' : index === now ? 'is-now' : ''}
          aria-current={index === now ? 'step' : undefined}
        >
          <span className="mint-step-mark">{index < now ? <Icon name="check" size="s" /> : index + 1}</span>
          <div>
            <span className="mint-step-title">{title}</span>
            {children && <p className="small muted">{children}</p>}
          </div>
        </li>
      ))}
    </ol>
  )
}
