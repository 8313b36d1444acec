// A number inside a sentence that can be typed over. Enter or leaving it saves, Escape brings back what was there.

import { useRef, useState } from 'react'

export function InlineNumber({
  label,
  text,
  onEnter,
}: {
  readonly label: string
  /** What holds now. */
  readonly text: string
  /** What was typed instead. */
  readonly onEnter: (text: string) => void
}) {
  const [draft, setDraft] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const shown = draft ?? text
  const enter = (): void => {
    setDraft(null)
    if (draft !== null && draft !== text) onEnter(draft)
  }
  return (
    <input
      ref={input}
      className="inline-number"
      aria-label={label}
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      maxLength={24}
      size={Math.max(shown.length, 2)}
      value={shown}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={enter}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          enter()
          input.current?.select()
        }
        if (event.key === 'Escape' && draft !== null) {
          event.preventDefault()
          setDraft(null)
        }
      }}
    />
  )
}
