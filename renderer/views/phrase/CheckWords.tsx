// Three of the twelve words asked back. Wrong ones are said in words; what was typed stays here and is forgotten on leaving.

import { useRef, useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { announce } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { phraseWords } from '../../words/phrase.ts'

const words = phraseWords.check

export function CheckWords({
  step,
  positions,
  back,
  lookAgain,
  onRight,
  later,
}: {
  readonly step?: string
  readonly positions: readonly number[]
  readonly back: { readonly label: string; readonly href: Href }
  /** The twelve words. */
  readonly lookAgain: Href
  readonly onRight: () => void
  readonly later?: Href
}) {
  const [answers, setAnswers] = useState<readonly string[]>(() => positions.map(() => ''))
  const [missing, setMissing] = useState<number | null>(null)
  const [wrong, setWrong] = useState<readonly number[]>([])
  const fields = useRef<HTMLDivElement>(null)
  const focus = (index: number): void => fields.current?.querySelectorAll('input')[index]?.focus()

  const check = useAct(async () => {
    const empty = answers.findIndex((answer) => answer.trim() === '')
    setMissing(empty < 0 ? null : empty)
    if (empty >= 0) return focus(empty)
    const found = await call('phrase.check', { words: [...answers] })
    setWrong(found.wrong)
    if (found.wrong.length > 0) return focus(positions.findIndex((position) => found.wrong.includes(position)))
    announce(words.right)
    onRight()
  })
  const type = (index: number, text: string): void => {
    const position = positions[index]
    setAnswers((before) => before.map((answer, place) => (place === index ? text : answer)))
    setWrong((before) => before.filter((one) => one !== position))
    setMissing((before) => (before === index ? null : before))
  }
  const errorOf = (position: number, index: number): string | null => {
    if (wrong.includes(position)) return words.wrong(position)
    return missing === index && answers.some((answer) => answer !== '') ? words.missing(position) : null
  }

  return (
    <Flow back={back} step="check">
      <div className="column">
        <div className="stack tight">
          {step && <p className="small muted">{step}</p>}
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        <div className="stack" ref={fields} translate="no">
          {positions.map((position, index) => (
            <Field
              key={position}
              label={words.word(position)}
              value={answers[index] ?? ''}
              onChange={(text) => type(index, text)}
              error={errorOf(position, index)}
              maxLength={32}
              autoFocus={index === 0}
              isLiteral
            />
          ))}
        </div>
        <ErrorNote error={check.error} />
        <div className="phrase-acts">
          <Button size="l" href={lookAgain}>
            {words.lookAgain}
          </Button>
          <Button look="primary" size="l" isWide shortcut="Enter" onClick={check.run} isBusy={check.isBusy}>
            {words.submit}
          </Button>
        </div>
        {later && (
          <p className="small center">
            <a className="link" href={later}>
              {phraseWords.later}
            </a>
          </p>
        )}
      </div>
    </Flow>
  )
}
