// What the screen says somebody should pay, as a request would say it. Pure.

import type { RequestView } from '../../../shared/model.ts'
import { entryAmount } from '../../amount.ts'

/** Characters, as `request.create` takes them. */
export const maxDescription = 200

export type Ask = {
  /** `open`: whoever pays names the amount. */
  readonly mode: 'fixed' | 'open'
  readonly entry: string
  readonly description: string
  /** Chosen by the person; null for the best one. */
  readonly mintUrl: string | null
}

/** Where the money is to arrive. */
export type Place = { readonly mintUrl: string; readonly unit: string }

export type Wish = Place & { readonly amount?: number; readonly description?: string; readonly singleUse: false }

/** Null while there is nothing to ask for yet. */
export function wishOf({ mode, entry, description }: Omit<Ask, 'mintUrl'>, { mintUrl, unit }: Place): Wish | null {
  const amount = mode === 'fixed' ? (entryAmount(entry, unit) ?? 0) : null
  if (amount === 0) return null
  const what = description.trim()
  return {
    mintUrl,
    unit,
    ...(amount === null ? {} : { amount }),
    ...(what === '' ? {} : { description: what }),
    // Friends who share a bill pay the same code; who pays twice by mistake gets it back as a payment.
    singleUse: false,
  }
}

/** Whether a request is what is wished. */
export function says(request: RequestView | null, wish: Wish | null): boolean {
  if (request === null || wish === null) return request === wish
  return (
    request.mintUrl === wish.mintUrl &&
    request.unit === wish.unit &&
    request.amount === (wish.amount ?? null) &&
    request.description === (wish.description ?? null)
  )
}
