// Twelve keys; the keyboard works too, wherever the focus is, except in a field.

import { useEffect, useEffectEvent, useRef } from 'react'
import { fractionDigits } from '../../shared/units.ts'
import { type AmountKey, amountKey, pressKey } from '../amount.ts'
import { commonWords } from '../words/common.ts'
import { Icon } from './Icon.tsx'

const longPressMs = 500

export function Keypad({
  entry,
  unit,
  onChange,
}: {
  /** What was typed so far; "" for nothing. */
  readonly entry: string
  readonly unit: string
  readonly onChange: (entry: string) => void
}) {
  const press = (key: AmountKey): void => onChange(pressKey(entry, key, unit))
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (event.target instanceof HTMLElement && event.target.matches('input:not([type=radio]), textarea, select')) return
    if (document.querySelector('[role="dialog"], [role="alertdialog"]')) return
    const key = amountKey(event.key)
    if (key === null) return
    event.preventDefault()
    press(key)
  })
  useEffect(() => {
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const stop = (): void => clearTimeout(timer.current)
  const hasPoint = fractionDigits(unit) > 0
  return (
    <fieldset className="keypad">
      <legend className="hidden">{commonWords.keypad}</legend>
      {digits.map((digit) => (
        <button key={digit} type="button" onClick={() => press(digit)}>
          {digit}
        </button>
      ))}
      {hasPoint ? (
        <button type="button" aria-label={commonWords.point} onClick={() => press('.')}>
          .
        </button>
      ) : (
        <span />
      )}
      <button type="button" onClick={() => press('0')}>
        0
      </button>
      <button
        type="button"
        aria-label={commonWords.deleteDigit}
        onClick={() => press('back')}
        onPointerDown={() => {
          timer.current = setTimeout(() => onChange(''), longPressMs)
        }}
        onPointerUp={stop}
        onPointerLeave={stop}
        onPointerCancel={stop}
      >
        <Icon name="backspace" size="l" />
      </button>
    </fieldset>
  )
}

const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] as const
