// An amount that is typed where it stands, as large as it will be seen; on a phone the keyboard of figures opens.

import { useId } from 'react'
import { typedEntry } from '../amount-field.ts'
import { AmountEntry } from './Amount.tsx'

export function AmountField({
  label,
  entry,
  unit,
  onChange,
  onEnter,
  autoFocus = false,
}: {
  readonly label: string
  /** What was typed so far; "" for nothing. */
  readonly entry: string
  readonly unit: string
  readonly onChange: (entry: string) => void
  readonly onEnter?: () => void
  readonly autoFocus?: boolean
}) {
  const id = useId()
  return (
    <div className="amount-field">
      <label className="hidden" htmlFor={id}>
        {label}
      </label>
      <div aria-hidden="true">
        <AmountEntry entry={entry} unit={unit} />
      </div>
      <input
        id={id}
        value={entry}
        inputMode="decimal"
        autoComplete="off"
        enterKeyHint="done"
        // biome-ignore lint/a11y/noAutofocus: the question of the screen
        autoFocus={autoFocus}
        onChange={(event) => onChange(typedEntry(entry, event.target.value, unit))}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onEnter?.()
        }}
        // The caret is drawn behind the last figure, and that is where it is.
        onSelect={({ currentTarget }) => {
          const { length } = currentTarget.value
          if (currentTarget.selectionStart === currentTarget.selectionEnd)
            currentTarget.setSelectionRange(length, length)
        }}
      />
    </div>
  )
}
