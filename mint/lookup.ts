// What wallets ask to find out where they stand: the state of coins (NUT-07) and signatures given before (NUT-09).

import type { CheckStateRequest, CheckStateResponse, RestoreRequest, RestoreResponse } from '../shared/cashu/wire.ts'
import { toWire } from './outputs.ts'
import type { MintStore } from './ports.ts'

/** In the order of the request, each `Y` as it was written there. */
export function checkState(store: Pick<MintStore, 'coin'>, { Ys }: CheckStateRequest): CheckStateResponse {
  const states = Ys.map((Y) => {
    const coin = store.coin(Y.toLowerCase())
    if (coin === undefined) return { Y, state: 'UNSPENT' as const, witness: null }
    return { Y, state: coin.state, witness: coin.state === 'SPENT' ? coin.witness : null }
  })
  return { states }
}

/** Only outputs that were signed, in the order of the request; amount and keyset are those that were signed. */
export function restore(store: Pick<MintStore, 'signature'>, { outputs }: RestoreRequest): RestoreResponse {
  const found = outputs.flatMap((output) => {
    const signature = store.signature(output.B_.toLowerCase())
    return signature ? [{ output, signature: toWire(signature) }] : []
  })
  return {
    outputs: found.map(({ output }) => output),
    signatures: found.map(({ signature }) => signature),
  }
}
