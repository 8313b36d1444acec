// What is accepted as signed, as a sentence with its numbers in it, and the worst case in money beneath.

import { useState } from 'react'
import type { LimitsView } from '../../../shared/model.ts'
import { formatAmount, unitTitle } from '../../../shared/units.ts'
import { acceptsNothing, limitAmount, limitCount, maxPerHour, totalInEach } from '../../limits.ts'
import { useMoney, useSettings } from '../../store.ts'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { settingsWords } from '../../words/settings.ts'
import { useChange } from './change.ts'
import { Group } from './Group.tsx'
import { InlineNumber } from './InlineNumber.tsx'

const words = settingsWords.accept

export function Accept() {
  const { limits } = useSettings()
  const { kinds, chosen } = useMoney()
  const units = [...new Set(kinds.map(({ unit }) => unit))]
  const [picked, setPicked] = useState<string | null>(null)
  // Without a mint the numbers stand for themselves, as the smallest amounts there are.
  const unit = units.find((one) => one === picked) ?? chosen?.unit ?? 'sat'
  const isPlayOnly =
    kinds.some((kind) => kind.unit === unit) && kinds.every((kind) => kind.unit !== unit || kind.isPlayMoney)
  const [trouble, setTrouble] = useState<string | null>(null)
  const change = useChange(({ limits: after }) => {
    if (after.single < limits.single && after.single === after.total) setTrouble(words.singleLowered)
  })
  const set = (part: Partial<LimitsView>): void => {
    setTrouble(null)
    change.run({ limits: { ...limits, ...part } })
  }
  const amount = (which: 'single' | 'total') => (
    <InlineNumber
      label={words[which]}
      text={formatAmount(limits[which], unit)}
      onEnter={(text) => {
        const value = limitAmount(text, unit)
        if (value === null) setTrouble(words.notAnAmount)
        else if (value !== limits[which]) set({ [which]: value })
      }}
    />
  )
  return (
    <Group
      section="accept"
      title={words.title}
      aside={
        units.length > 1 ? (
          <Segments
            label={words.unit}
            options={units.map((value) => ({ value, label: unitTitle(value) }))}
            value={unit}
            onChange={setPicked}
          />
        ) : (
          isPlayOnly && <PlayTag />
        )
      }
    >
      <p className="limits">
        {words.sentence.begin} {amount('single')} {words.sentence.each} {amount('total')} {words.sentence.inAll}{' '}
        <InlineNumber
          label={words.perHour}
          text={String(limits.perHour)}
          onEnter={(text) => {
            const value = limitCount(text)
            if (value === null) setTrouble(words.notANumber(maxPerHour.toLocaleString('en')))
            else if (value !== limits.perHour) set({ perHour: value })
          }}
        />{' '}
        {words.sentence.anHour}
      </p>
      <p className="small muted limits-trouble" role="alert">
        {trouble}
      </p>
      <ErrorNote error={change.error} />
      <Note tone="signed">
        <b>{words.most}</b> {acceptsNothing(limits) ? words.nothing : words.worst(formatAmount(limits.total, unit))}
      </Note>
      <p className="small muted">
        {words.shrinks} {words.kinds(totalInEach(limits, units))}
      </p>
    </Group>
  )
}
