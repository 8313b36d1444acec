import type { ReactNode } from 'react'

/**
 * The question or name of a screen: one on each. Arriving moves the focus here, and the window takes its title from it,
 * or from `title` where the heading greets instead of naming.
 */
export function Heading({ children, title }: { readonly children: ReactNode; readonly title?: string | undefined }) {
  return (
    <h1 tabIndex={-1} data-title={title}>
      {children}
    </h1>
  )
}
