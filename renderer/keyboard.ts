// The keyboard works everywhere the same way. What a key does is written on the element that does it:
//
//   data-shortcut="Enter" | "Escape" | "p" | …   pressed as if clicked ("/" focuses)
//   data-arrows                                  a list: up and down go from link to link
//
// The last visible element of a shortcut wins. An open dialog is a world of its own, and closes by itself on Escape.

import { type Href, to } from './route.ts'
import { go } from './store.ts'

/** Anywhere outside a flow. */
const places: Readonly<Record<string, Href>> = { p: to.pay(), g: to.getPaid() }

export function startKeyboard(): void {
  window.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) {
      if (event.repeat && !event.defaultPrevented) moveInList(event)
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (moveInList(event) || isTyping(event)) return
    const dialog = openDialog()
    if (dialog && event.key === 'Escape') return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const target = withShortcut(dialog ?? document, key)
    if (target) {
      event.preventDefault()
      if (key === '/') target.focus()
      else target.click()
      return
    }
    const place = places[key]
    if (place && !dialog && document.querySelector('[data-frame="page"]')) {
      event.preventDefault()
      go(place)
    }
  })
}

/** In a field letters are text; Enter goes on, unless the element has a use for it. */
function isTyping({ key, target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (key === 'Escape') return false
  if (key === 'Enter') return target.matches('a, button, textarea, summary, select, [contenteditable]')
  return target.matches('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]')
}

function withShortcut(within: ParentNode, key: string): HTMLElement | undefined {
  return [...within.querySelectorAll<HTMLElement>(`[data-shortcut="${CSS.escape(key)}"]`)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(':disabled, [inert] *'))
    .at(-1)
}

function openDialog(): Element | undefined {
  return [...document.querySelectorAll('[role="dialog"], [role="alertdialog"]')].at(-1)
}

function moveInList(event: KeyboardEvent): boolean {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0 || !(event.target instanceof HTMLElement)) return false
  const list = event.target.closest('[data-arrows]')
  if (!list) return false
  const items = [...list.querySelectorAll<HTMLElement>('a[href], button:not(:disabled)')]
  const next = items[items.indexOf(event.target) + step]
  if (items.includes(event.target) && next) next.focus()
  event.preventDefault()
  return true
}
