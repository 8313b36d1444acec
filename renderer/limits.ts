// What a person typed as a limit, and what the limits mean in money. Pure.

import type { LimitsView } from '../shared/model.ts'
import { formatAmount } from '../shared/units.ts'
import { entryAmount, parseAmount } from './amount.ts'

/** What `settings.change` accepts. */
export const maxPerHour = 10_000

/** An amount, zero included; null for what is none. */
export function limitAmount(text: string, unit: string): number | null {
  const figures = text.replace(/[^0-9.,]/g, '').replace(',', '.')
  return entryAmount(figures, unit) === 0 && /\d/.test(figures) ? 0 : parseAmount(text, unit)
}

/** A whole number; null for what is none or too many. */
export function limitCount(text: string): number | null {
  const figures = text.trim().replace(/[,\s]/g, '')
  return /^\d{1,6}$/.test(figures) && Number(figures) <= maxPerHour ? Number(figures) : null
}

/** Nothing is accepted as signed. */
export function acceptsNothing({ single, total, perHour }: LimitsView): boolean {
  return single === 0 || total === 0 || perHour === 0
}

/** The limit on the sum, in each of these units once: "€500.00", "50,000 sat". */
export function totalInEach({ total }: LimitsView, units: readonly string[]): readonly string[] {
  return [...new Set(units)].map((unit) => formatAmount(total, unit))
}
