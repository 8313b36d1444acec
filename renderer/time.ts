// Times as people say them. Pure: `now` is given. Milliseconds.

import { locale } from '../shared/units.ts'

/** "14:05" */
export function clockTime(at: number): string {
  return clock.format(at)
}

/** "Today", "Yesterday", "Thursday 18 June", and the year when it is another one. */
export function dayName(at: number, now: number): string {
  const days = daysBetween(at, now)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return new Date(at).getFullYear() === new Date(now).getFullYear()
    ? withoutComma(day.format(at))
    : withoutComma(dayAndYear.format(at))
}

/** "Sat 20 June 2026, 14:21" */
export function dateAndTime(at: number): string {
  return `${withoutComma(date.format(at))}, ${clockTime(at)}`
}

/** "13:31" today, "yesterday 18:22", "18 June" before: what fits after "since". */
export function since(at: number, now: number): string {
  const days = daysBetween(at, now)
  if (days === 0) return clockTime(at)
  return days === 1 ? `yesterday ${clockTime(at)}` : short.format(at)
}

/** "just now", "2 minutes ago", then the clock, then the day. */
export function ago(at: number, now: number): string {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes === 1) return '1 minute ago'
  return minutes < 60 ? `${minutes} minutes ago` : since(at, now)
}

/** "8:42" or "1:04:09" until a time; "0:00" when it is over. */
export function countdown(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const tail = String(s).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${tail}` : `${m}:${tail}`
}

export type DayGroup<T> = { readonly key: string; readonly day: string; readonly items: readonly T[] }

/** Cut a list, newest first, into days. */
export function groupByDay<T extends { readonly createdAt: number }>(
  items: readonly T[],
  now: number,
): readonly DayGroup<T>[] {
  const groups: { key: string; day: string; items: T[] }[] = []
  for (const item of items) {
    const key = new Date(item.createdAt).toDateString()
    const last = groups.at(-1)
    if (last?.key === key) last.items.push(item)
    else groups.push({ key, day: dayName(item.createdAt, now), items: [item] })
  }
  return groups
}

/** Calendar days, so that one minute after midnight is another day; rounding takes care of days of 23 or 25 hours. */
function daysBetween(at: number, now: number): number {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000)
}

const withoutComma = (text: string): string => text.replace(',', '')
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
const dayAndYear = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
const date = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' })
const short = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' })
