// Pages of payments as one list, newest first, and its days. Pure.

import type { PaymentPageView, PaymentState, PaymentView } from '../shared/model.ts'

/** What the list itself needs of a payment; the rest is the store's, and changes there. */
export type Row = {
  readonly id: string
  /** Milliseconds. */
  readonly at: number
  /** Names the calendar day here. */
  readonly day: string
}

export type PaymentList = {
  readonly rows: readonly Row[]
  /** How many there are under this search and filter, loaded or not. */
  readonly total: number
  /** Where to go on; null when everything is loaded. */
  readonly next: number | null
}

export function firstPage({ items, total, next }: PaymentPageView): PaymentList {
  return { rows: items.map(rowOf), total, next }
}

/** The page that follows what is loaded. */
export function withNextPage(list: PaymentList, { items, total, next }: PaymentPageView): PaymentList {
  return { rows: [...list.rows, ...items.map(rowOf)], total, next }
}

/**
 * The first page again, after something new: it takes the place of what it covers, and what was loaded below stays. When
 * it does not touch what was loaded, there is a gap: it is all there is.
 */
export function withFreshPage(list: PaymentList, page: PaymentPageView): PaymentList {
  const fresh = firstPage(page)
  const last = fresh.rows.at(-1)
  const end = last === undefined || fresh.next === null ? -1 : list.rows.findIndex(({ id }) => id === last.id)
  if (end < 0 || end === list.rows.length - 1) return isSameRows(list, fresh) ? { ...list, total: fresh.total } : fresh
  const rows = [...fresh.rows, ...list.rows.slice(end + 1)]
  return { rows, total: fresh.total, next: list.next }
}

/** The rows of the day that begins at `start`, and whether all of it is loaded. */
export function dayFrom(
  list: PaymentList,
  start: number,
): { readonly rows: readonly Row[]; readonly isWhole: boolean } {
  const day = list.rows[start]?.day
  let end = start
  while (end < list.rows.length && list.rows[end]?.day === day) end += 1
  return { rows: list.rows.slice(start, end), isWhole: end < list.rows.length || list.next === null }
}

/** Where a row is, looked for from where it was: rows move little. The first row when it is not there. */
export function indexOfRow({ rows }: PaymentList, id: string | undefined, before: number): number {
  if (id === undefined) return 0
  for (let step = 0; step < rows.length; step += 1) {
    if (rows[before + step]?.id === id) return before + step
    if (rows[before - step]?.id === id) return before - step
  }
  return 0
}

/** Whether a day begins with this row. */
export function isDayStart({ rows }: PaymentList, index: number): boolean {
  return rows[index - 1]?.day !== rows[index]?.day
}

/** In and out of one kind of money; play money is never added to money. */
export type DaySum = { readonly unit: string; readonly isPlayMoney: boolean; readonly in: number; readonly out: number }

/** What came and what went, without what did not move after all. Kinds in the order in which they appear. */
export function daySums(
  payments: readonly PaymentView[],
  isPlayMoney: (mintUrl: string) => boolean,
): readonly DaySum[] {
  const sums = new Map<string, DaySum>()
  for (const { unit, mintUrl, direction, amount, state } of payments) {
    if (!moved.includes(state)) continue
    const isPlay = isPlayMoney(mintUrl)
    const key = `${unit} ${isPlay}`
    const before = sums.get(key) ?? { unit, isPlayMoney: isPlay, in: 0, out: 0 }
    sums.set(key, { ...before, [direction]: before[direction] + amount })
  }
  return [...sums.values()].sort((a, b) => Number(a.isPlayMoney) - Number(b.isPlayMoney))
}

/**
 * What to search for. Amounts are searched as they are kept, in the smallest part of their unit: "€12.60" and "12,60" are
 * looked for as 1260, "2,150 sat" as 2150. Null for everything.
 */
export function searchText(typed: string): string | null {
  const text = typed.trim()
  if (text === '') return null
  return /^[^\p{L}\d]*\d[\d.,\s]*(sat|coins?)?$/iu.test(text) ? text.replace(/\D/g, '') : text
}

/** Neither nothing yet nor nothing after all. */
const moved: readonly PaymentState[] = ['on_its_way', 'signed', 'final']

function rowOf({ id, createdAt }: PaymentView): Row {
  return { id, at: createdAt, day: new Date(createdAt).toDateString() }
}

function isSameRows(a: PaymentList, b: PaymentList): boolean {
  return a.next === b.next && a.rows.length === b.rows.length && a.rows.every(({ id }, i) => id === b.rows[i]?.id)
}
