// One line, or several, of text. The label stands above, or inside at the right where the screen is a question already.

import { type ReactNode, useId } from 'react'
import { Icon, type IconName } from './Icon.tsx'

export type FieldProps = {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  /** `above` by default; `inside` at the right; `hidden` only where the question above says it all. */
  readonly labelAt?: 'above' | 'inside' | 'hidden'
  readonly placeholder?: string
  readonly icon?: IconName
  /** In words, below. */
  readonly error?: string | null
  /** What must be known before typing, below. */
  readonly hint?: string
  readonly size?: 's' | 'm'
  readonly type?: 'text' | 'search' | 'url' | 'password'
  readonly rows?: number
  readonly maxLength?: number
  /** Focused by this key: "/" for a search. */
  readonly shortcut?: string
  readonly autoFocus?: boolean
  /** Words and addresses that no dictionary should touch. */
  readonly isLiteral?: boolean
  readonly isDisabled?: boolean
  /** Stands at the end, inside: a small button. */
  readonly end?: ReactNode
}

export function Field(props: FieldProps) {
  const { label, value, labelAt = 'above', icon, error, hint, size = 'm', type = 'text', rows, end } = props
  const id = useId()
  const about = [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter((one) => one !== '').join(' ')
  const input = {
    id,
    value,
    placeholder: props.placeholder,
    maxLength: props.maxLength,
    disabled: props.isDisabled,
    autoFocus: props.autoFocus,
    'data-shortcut': props.shortcut,
    'aria-keyshortcuts': props.shortcut,
    'aria-invalid': error ? true : undefined,
    'aria-describedby': about === '' ? undefined : about,
    onChange: (event: { readonly target: { readonly value: string } }) => props.onChange(event.target.value),
    ...(props.isLiteral
      ? { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, translate: 'no' as const }
      : {}),
  }
  const labelClass = { above: 'field-label', inside: 'field-inside', hidden: 'hidden' }[labelAt]
  return (
    <div className="field">
      {labelAt !== 'inside' && (
        <label className={labelClass} htmlFor={id}>
          {label}
        </label>
      )}
      <div className={`field-box field-${size}${error ? ' is-wrong' : ''}`}>
        {icon && <Icon name={icon} />}
        {rows === undefined ? <input type={type} {...input} /> : <textarea rows={rows} {...input} />}
        {labelAt === 'inside' && (
          <label className={labelClass} htmlFor={id}>
            {label}
          </label>
        )}
        {end}
      </div>
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
