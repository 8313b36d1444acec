// A payee's queue is as long as its verification: ours must stay well ahead of the constant-time one it is checked against.

import { expect, test } from 'vitest'
import { compare, sampleCoins, verifyWithCashuTs } from '../scripts/bench/verify.ts'

test('coins are verified at least twice as fast as cashu-ts does it, in the same run', () => {
  const coins = sampleCoins(16)
  expect(coins.every(verifyWithCashuTs)).toBe(true)
  compare(coins, 1)
  const { oursMs, cashuTsMs } = compare(coins, 5)
  expect(cashuTsMs / oursMs).toBeGreaterThanOrEqual(2)
})
