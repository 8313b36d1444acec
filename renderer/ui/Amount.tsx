import { Fragment } from 'react'
import { type AmountPart, amountParts, formatAmount, type SignDisplay } from '../../shared/units.ts'
import { entryParts } from '../amount.ts'

type Size = 'm' | 'l' | 'xl' | 'huge'

/** An amount as a picture: cents smaller, unit smaller still. For amounts in sentences: `formatAmount`. */
export function Amount({
  amount,
  unit,
  size = 'xl',
  sign = 'never',
  isVoid = false,
}: {
  /** In the unit's smallest part. */
  readonly amount: number
  readonly unit: string
  /** 26, 36, 52 or 84 pixels; `huge` once on a screen. */
  readonly size?: Size
  readonly sign?: SignDisplay
  readonly isVoid?: boolean
}) {
  const text = formatAmount(amount, unit, sign)
  return (
    <span className={`amount amount-${size}${isVoid ? ' is-void' : ''}${lengthClass(text)}`}>
      <span className="hidden">{text}</span>
      <Parts parts={amountParts(amount, unit, sign)} />
    </span>
  )
}

/** What a keypad has typed so far, with its caret. */
export function AmountEntry({ entry, unit }: { readonly entry: string; readonly unit: string }) {
  const parts = entryParts(entry, unit)
  const text = parts.map((part) => part.text).join('')
  return (
    <output className={`amount amount-huge${entry === '' ? ' is-empty' : ''}${lengthClass(text)}`} aria-live="polite">
      <span className="hidden">{text}</span>
      <Parts parts={parts} hasCaret />
    </output>
  )
}

function Parts({ parts, hasCaret = false }: { readonly parts: readonly AmountPart[]; readonly hasCaret?: boolean }) {
  const caretAfter = hasCaret ? parts.findLastIndex(({ kind }) => kind !== 'unit') : -1
  return (
    <span aria-hidden="true">
      {parts.map(({ kind, text }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in its order
        <Fragment key={index}>
          <span className={`amount-${kind}`}>{text}</span>
          {index === caretAfter && <span className="caret" />}
        </Fragment>
      ))}
    </span>
  )
}

/** Long amounts are set smaller, so that they stay on one line. */
function lengthClass(text: string): string {
  if (text.length <= 9) return ''
  return text.length <= 13 ? ' is-long' : ' is-very-long'
}
