// What is said of wallets at rest finds what it is there for.

import { expect, test } from 'vitest'
import type { Operation } from '../electron/wallet/operation.ts'
import { hashToCurve, pointToHex } from '../shared/cashu/bdhke.ts'
import { promisedTwice, signedAnew } from './at-rest.ts'

test('a coin of a payment that was signed anew once may be in two swaps, not in three', () => {
  const secret = 'one coin'
  const Y = pointToHex(hashToCurve(secret))
  const swaps = [1, 2, 3].map((amount) => ({
    path: '/v1/swap',
    body: JSON.stringify({ inputs: [{ secret, C: '02' }], outputs: [{ amount, B_: '03' }] }),
  }))
  const replaced = { kind: 'pay', state: 'replaced', swap: { inputs: [{ Y }] } } as unknown as Operation
  const wrongs = (howMany: number) =>
    promisedTwice({ asked: swaps.slice(0, howMany), frames: [] } as never, new Set(), signedAnew([replaced]))
  expect(wrongs(2)).toEqual([])
  expect(wrongs(3)).toEqual([expect.stringMatching(/^3 swaps were signed over coin/)])
})
