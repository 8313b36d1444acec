import { type ReactNode, useId } from 'react'
import { Icon, type IconName } from './Icon.tsx'

/** On or off, at once. `SwitchRow` with its words; alone it needs a `label`. */
export function Switch({
  id,
  label,
  labelledBy,
  isOn,
  onChange,
  isDisabled,
}: {
  readonly id?: string
  readonly label?: string
  readonly labelledBy?: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
  readonly isDisabled?: boolean
}) {
  return (
    <input
      id={id}
      type="checkbox"
      role="switch"
      className="switch"
      aria-label={label}
      aria-labelledby={labelledBy}
      checked={isOn}
      aria-checked={isOn}
      disabled={isDisabled}
      onChange={(event) => onChange(event.target.checked)}
    />
  )
}

/** A switch with what it does; the whole row presses it. */
export function SwitchRow({
  icon,
  title,
  children,
  isOn,
  onChange,
  isDisabled = false,
}: {
  readonly icon?: IconName
  readonly title: string
  /** What it means now. */
  readonly children?: ReactNode
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
  readonly isDisabled?: boolean
}) {
  const id = useId()
  return (
    <label className="option" htmlFor={`${id}-switch`}>
      {icon && <Icon name={icon} />}
      <span className="option-words">
        <b id={id}>{title}</b>
        {children && <span className="small muted">{children}</span>}
      </span>
      <Switch id={`${id}-switch`} labelledBy={id} isOn={isOn} onChange={onChange} isDisabled={isDisabled} />
    </label>
  )
}
