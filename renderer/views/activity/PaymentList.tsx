// All payments, however many: only what is in view is in the page.

import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual'
import {
  type KeyboardEvent,
  memo,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useRef,
  useState,
} from 'react'
import { flushSync } from 'react-dom'
import { dayFrom, daySums, indexOfRow, isDayStart, type PaymentList as List } from '../../payment-list.ts'
import { useMints, useNow, usePayment, usePayments } from '../../store.ts'
import { dayName } from '../../time.ts'
import { PaymentRow } from '../../ui/PaymentRow.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { activityWords, sumWords } from '../../words/activity.ts'
import { loadMore, loadToEnd } from './loaded.ts'

/** Before they are measured: a row with the space above it, and the name of a day. */
const rowHeight = 65
const dayHeight = 37
/** Rows that are loaded ahead of the last one in view. */
const ahead = 120

/** `focus` goes to the row that arrows go on from. */
export type ListHandle = { readonly focus: () => void }

export function PaymentList({
  list,
  currentId,
  hasSums,
  ref,
}: {
  readonly list: List
  readonly currentId: string | undefined
  /** Whether a day's sums say what the day brought: not when only some payments are listed. */
  readonly hasSums: boolean
  readonly ref: Ref<ListHandle>
}) {
  const { rows, total, next } = list
  const scroller = useRef<HTMLDivElement>(null)
  const [isAtTop, setAtTop] = useState(true)
  const [chosen, setChosen] = useState({ id: currentId, index: 0 })
  const active = indexOfRow(list, chosen.id, chosen.index)
  // Another function would have every row measured again.
  const keyOf = useCallback((index: number) => rows[index]?.id ?? index, [rows])
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (isDayStart(list, index) ? rowHeight + dayHeight : rowHeight),
    getItemKey: keyOf,
    // The row with the focus stays in the page, or the focus would be lost.
    rangeExtractor: (range: Range) => withIndex(defaultRangeExtractor(range), active, rows.length),
    overscan: 12,
    directDomUpdates: true,
    // New payments at the top move nothing that is being read further down.
    anchorTo: isAtTop ? 'start' : 'end',
  })

  const onScroll = (): void => {
    setAtTop((scroller.current?.scrollTop ?? 0) < rowHeight / 2)
    if ((virtualizer.range?.endIndex ?? 0) > rows.length - ahead) void loadMore()
  }
  /** Goes to a row, and brings the focus along. */
  const goTo = (index: number): void => {
    const at = Math.min(Math.max(index, 0), rows.length - 1)
    const id = rows[at]?.id
    if (id === undefined) return
    flushSync(() => setChosen({ id, index: at }))
    scroller.current?.querySelector<HTMLElement>(`[data-index="${at}"] a`)?.focus({ preventScroll: true })
    virtualizer.scrollToIndex(at, { align: at === 0 ? 'start' : 'auto' })
    if (at > rows.length - ahead) void loadMore()
  }
  useImperativeHandle(ref, () => ({ focus: () => goTo(active) }))

  // The list grows while somebody waits for its end.
  const goToLast = useRef(() => {})
  useEffect(() => {
    goToLast.current = () => goTo(rows.length - 1)
  })
  /** What a person did last: going to the end takes a while when much is to be loaded, and stops when they do otherwise. */
  const gesture = useRef(0)
  const goToEnd = async (): Promise<void> => {
    const mine = gesture.current
    goToLast.current()
    if (next === null) return
    await loadToEnd(() => mine === gesture.current)
    if (mine === gesture.current) goToLast.current()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
    gesture.current += 1
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1)
    const steps: Readonly<Record<string, () => void>> = {
      ArrowDown: () => goTo(active + 1),
      ArrowUp: () => goTo(active - 1),
      PageDown: () => goTo(active + page),
      PageUp: () => goTo(active - page),
      Home: () => goTo(0),
      End: () => void goToEnd(),
    }
    const step = steps[event.key]
    if (!step) return
    event.preventDefault()
    step()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links inside
    <div
      className="card card-list payments"
      ref={scroller}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onPointerDown={() => {
        gesture.current += 1
      }}
      data-keeps-focus
    >
      <ul className="payments-rows" ref={virtualizer.containerRef} aria-label={activityWords.list}>
        {virtualizer.getVirtualItems().map(({ index, key }) => {
          const row = rows[index]
          if (!row) return null
          return (
            <li
              key={key}
              data-index={index}
              ref={virtualizer.measureElement}
              aria-setsize={total}
              aria-posinset={index + 1}
              onFocus={() => setChosen({ id: row.id, index })}
            >
              {isDayStart(list, index) && <Day list={list} start={index} at={row.at} hasSums={hasSums} />}
              <Payment id={row.id} isCurrent={row.id === currentId} isTabStop={index === active} />
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** Painted again only when its own payment changes. */
const Payment = memo(function Payment({
  id,
  isCurrent,
  isTabStop,
}: {
  readonly id: string
  readonly isCurrent: boolean
  readonly isTabStop: boolean
}) {
  const payment = usePayment(id)
  return payment && <PaymentRow payment={payment} isCurrent={isCurrent} isTabStop={isTabStop} />
})

const Day = memo(function Day({
  list,
  start,
  at,
  hasSums,
}: {
  readonly list: List
  readonly start: number
  readonly at: number
  readonly hasSums: boolean
}) {
  const now = useNow()
  const { rows, isWhole } = dayFrom(list, start)
  return (
    <div className="group">
      <h2>{dayName(at, now)}</h2>
      {hasSums && isWhole && <Sums ids={rows.map(({ id }) => id)} />}
    </div>
  )
})

function Sums({ ids }: { readonly ids: readonly string[] }) {
  const payments = usePayments(ids)
  const mints = useMints()
  const sums = daySums(payments, (url) => mints.some((mint) => mint.url === url && mint.isPlayMoney))
  return (
    <span className="day-sums">
      {sums.map((sum) => (
        <span key={`${sum.unit} ${sum.isPlayMoney}`}>
          {sumWords(sum)} {sum.isPlayMoney && <PlayTag />}
        </span>
      ))}
    </span>
  )
}

function withIndex(range: readonly number[], index: number, count: number): number[] {
  if (index >= count || range.includes(index)) return [...range]
  return [...range, index].sort((a, b) => a - b)
}
