// How far the practice coins are. Pure.

import type { MintView, PracticeView } from '../../../shared/model.ts'

export function hasPracticeCoins(mints: readonly MintView[]): boolean {
  return mints.some(({ isPractice, balances }) => isPractice && balances.some(({ spendable }) => spendable > 0))
}

/** 0: the mint starts · 1: coins are asked for · 2: they are here */
export function practiceStep(state: PracticeView['state'], mints: readonly MintView[]): 0 | 1 | 2 {
  if (hasPracticeCoins(mints)) return 2
  return state === 'running' ? 1 : 0
}
