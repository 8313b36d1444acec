// Twelve fields for twelve words. All of them pasted into one field find their places.

import { useRef } from 'react'
import { restoreWords } from '../../words/restore.ts'

const words = restoreWords.words

export const noWords: readonly string[] = Array.from({ length: 12 }, () => '')

/** As they are looked up: no capital letters, no numbers or dots of a list. */
export const bareWord = (text: string): string => text.toLowerCase().replace(/[^\p{L}]/gu, '')

export function TwelveWords({
  value,
  onChange,
  wrong,
}: {
  readonly value: readonly string[]
  readonly onChange: (words: readonly string[]) => void
  /** Position of a word that is none, counted from 1. */
  readonly wrong: number | null
}) {
  const list = useRef<HTMLOListElement>(null)
  const fill = (index: number, text: string): void => {
    const parts = text.split(/\s+/).filter((part) => bareWord(part) !== '')
    if (parts.length < 2) {
      onChange(value.map((word, place) => (place === index ? text : word)))
      return
    }
    const from = parts.length >= 12 ? 0 : index
    onChange(value.map((word, place) => bareWord(parts[place - from] ?? '') || word))
    list.current?.querySelectorAll('input')[Math.min(11, from + parts.length - 1)]?.focus()
  }
  return (
    <ol className="phrase phrase-typed" aria-label={words.list} translate="no" ref={list}>
      {value.map((word, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a word is its place
        <li key={index} className={wrong === index + 1 ? 'is-wrong' : ''}>
          <span aria-hidden="true">{index + 1}</span>
          <input
            value={word}
            aria-label={words.word(index + 1)}
            aria-invalid={wrong === index + 1 ? true : undefined}
            onChange={(event) => fill(index, event.target.value)}
            onPaste={(event) => {
              const text = event.clipboardData.getData('text')
              if (!/\S\s+\S/.test(text)) return
              event.preventDefault()
              fill(index, text)
            }}
            onKeyDown={(event) => {
              if (event.key !== ' ') return
              event.preventDefault()
              list.current?.querySelectorAll('input')[index + 1]?.focus()
            }}
            // biome-ignore lint/a11y/noAutofocus: the only thing to do here
            autoFocus={index === 0}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={400}
          />
        </li>
      ))}
    </ol>
  )
}
