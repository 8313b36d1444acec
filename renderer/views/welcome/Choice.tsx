import type { ReactNode } from 'react'
import type { Href } from '../../route.ts'
import { Icon, type IconName } from '../../ui/Icon.tsx'

type Props = {
  readonly icon: IconName
  readonly title: string
  readonly tag?: ReactNode
  readonly body: string
  /** The copper one, which Enter presses. */
  readonly isFirst?: boolean
} & ({ readonly href: Href } | { readonly onClick: () => void })

/** A way to go on, as a card. */
export function Choice(props: Props) {
  const { icon, title, tag, body, isFirst = false } = props
  const className = isFirst ? 'choice is-first' : 'choice'
  const shortcut = isFirst ? 'Enter' : undefined
  const inside = (
    <>
      <span className="choice-disc">
        <Icon name={icon} />
      </span>
      <span className="choice-words">
        <span className="row choice-title">
          <b>{title}</b> {tag}
        </span>
        <span className="small muted">{body}</span>
      </span>
      <Icon name="forward" />
    </>
  )
  return 'href' in props ? (
    <a className={className} href={props.href} data-shortcut={shortcut} aria-keyshortcuts={shortcut}>
      {inside}
    </a>
  ) : (
    <button
      type="button"
      className={className}
      onClick={props.onClick}
      data-shortcut={shortcut}
      aria-keyshortcuts={shortcut}
    >
      {inside}
    </button>
  )
}
