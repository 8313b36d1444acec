// NUT-06: what this mint says of itself.

import type { InfoResponse } from '../shared/cashu/wire.ts'
import { maxQuoteAmount } from './keys.ts'
import type { Keysets } from './keysets.ts'
import type { Funding } from './ports.ts'

/** @param version package version, without the name in front */
export function info(keysets: Keysets, funding: Funding, version: string): InfoResponse {
  const units = new Set([...keysets.values()].filter(({ active }) => active).map(({ unit }) => unit))
  const methods = [...units].map((unit) => ({ method: 'bolt11', unit, min_amount: 1, max_amount: maxQuoteAmount }))
  const supported = { supported: true }
  return {
    ...funding.about,
    version: `Farthing/${version}`,
    nuts: {
      4: { methods: methods.map((method) => ({ ...method, options: { description: false } })), disabled: false },
      5: { methods: methods.map((method) => ({ ...method, options: { amountless: false } })), disabled: false },
      7: supported,
      8: supported,
      9: supported,
      10: supported,
      11: supported,
      12: supported,
      19: { ttl: null, cached_endpoints: cachedPaths.map((path) => ({ method: 'POST', path })) },
    },
  }
}

/** Answered from the tables, so for ever (NUT-19 with `ttl: null`). */
const cachedPaths = ['/v1/swap', '/v1/mint/bolt11', '/v1/melt/bolt11'] as const
