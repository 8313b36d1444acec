// A button, or a link that looks like one. The copper one is the one that Enter presses: one on a screen.

import type { ReactNode } from 'react'
import type { Href } from '../route.ts'
import { Icon, type IconName } from './Icon.tsx'
import { Kbd } from './Kbd.tsx'
import { Waiting } from './Waiting.tsx'

export type ButtonProps = {
  /** A verb, and the amount where there is one: "Pay €12.60". */
  readonly children: ReactNode
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger'
  readonly size?: 's' | 'm' | 'l'
  readonly icon?: IconName
  /** Key that presses it; shown inside. "Enter" for the primary one, a letter for others. */
  readonly shortcut?: string
  readonly isBusy?: boolean
  /** Says nothing itself: write nearby why. */
  readonly isDisabled?: boolean
  /** As wide as its place. */
  readonly isWide?: boolean
  /** Only the icon is seen; the words are for screen readers. */
  readonly isIconOnly?: boolean
  readonly autoFocus?: boolean
} & ({ readonly onClick: () => void; readonly href?: never } | { readonly href: Href; readonly onClick?: never })

export function Button(props: ButtonProps) {
  const { children, look = 'plain', size = 'm', icon, shortcut, isBusy, isDisabled, isWide, isIconOnly } = props
  const className = [
    'button',
    `button-${look}`,
    `button-${size}`,
    isWide ? 'button-wide' : '',
    isIconOnly ? 'button-icon' : '',
  ].join(' ')
  const inside = (
    <>
      {icon && <Icon name={icon} size={size === 's' ? 's' : 'm'} />}
      {isBusy && <Waiting />}
      <span className={isIconOnly ? 'hidden' : 'button-words'}>{children}</span>
      {shortcut && !isBusy && !isIconOnly && <Kbd>{shortcut}</Kbd>}
    </>
  )
  const key = shortcut && (shortcut.length === 1 ? shortcut.toLowerCase() : shortcut)
  if (props.href !== undefined) {
    return (
      <a className={className} href={props.href} data-shortcut={key} aria-keyshortcuts={key}>
        {inside}
      </a>
    )
  }
  return (
    <button
      type="button"
      className={className}
      onClick={isBusy ? undefined : props.onClick}
      disabled={isDisabled}
      aria-busy={isBusy}
      data-shortcut={key}
      aria-keyshortcuts={key}
      // biome-ignore lint/a11y/noAutofocus: for the safe choice of a dialog
      autoFocus={props.autoFocus}
    >
      {inside}
    </button>
  )
}
