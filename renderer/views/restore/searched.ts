// How a search at a mint is named and counted. Pure.

import { plainText } from '../../../shared/foreign.ts'
import type { FoundView, MintSearchView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'

/** As the mint calls itself, which is somebody else's text; else its address. */
export const searchedName = ({ name, mintUrl }: Pick<MintSearchView, 'name' | 'mintUrl'>): string =>
  plainText(name ?? '') || mintUrl.replace(/^https?:\/\//, '')

/** "€96.20 and 212,480 sat" */
export const amountsOf = (found: readonly FoundView[]): string =>
  found.map(({ amount, unit }) => formatAmount(amount, unit)).join(' and ')

export const coinsIn = (found: readonly FoundView[]): number => found.reduce((sum, { coins }) => sum + coins, 0)
