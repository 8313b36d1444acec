import type { ReactNode } from 'react'
import { headingId, type Section, sectionId } from './sections.ts'

/** A section of Settings as a card. */
export function Group({
  section,
  title,
  aside,
  children,
}: {
  readonly section: Section
  readonly title: string
  /** Beside the title. */
  readonly aside?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <section className="card settings-group" id={sectionId(section)} aria-labelledby={headingId(section)}>
      <div className="row wide settings-title">
        <h2 id={headingId(section)} tabIndex={-1}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
