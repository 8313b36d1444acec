// A step that changes in place, without a new address: what the frame does on arrival is done again.

import { useEffect } from 'react'

/** @param state the screen says something else when it is another one: the window takes its name, and keeps the focus */
export function useHeading(state: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the state is another one
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>('#main h1')
    if (!heading) return
    document.title = document.title.replace(/^.*?(?= · |$)/, heading.textContent)
    // What had the focus has gone from the screen.
    if (document.activeElement === document.body) heading.focus({ preventScroll: true })
  }, [state])
}
