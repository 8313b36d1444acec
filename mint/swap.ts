// NUT-03: coins in, signatures out, one transaction.

import { nutErrors, type SignaturesResponse, type SwapRequest } from '../shared/cashu/wire.ts'
import { proveInputs, readLock } from './conditions.ts'
import { readInputs, takeInputs, worthOf } from './inputs.ts'
import type { Keyring } from './keys.ts'
import { readKeysets } from './keysets.ts'
import { assertNew, readOutputs, signOutputs, totalOf, toWire } from './outputs.ts'
import type { Clock, MintStore } from './ports.ts'
import { refuse } from './refusal.ts'
import { swapHash } from './request-hash.ts'
import { assertUnit } from './units.ts'

type Deps = { readonly store: MintStore; readonly keyring: Keyring; readonly clock: Clock }

/**
 * Execute a swap, or answer one that was executed before: the same bytes for the same request, for ever (NUT-19).
 * What needs no arithmetic on points is checked first, then the tables are asked: the coins are taken and the outputs looked up
 * before the costly checks, so that a spent coin, or an output that was signed, costs the mint no multiplication of a point; a
 * refusal rolls back.
 * @throws MintRefusal
 */
export function swap({ store, keyring, clock }: Deps, request: SwapRequest): SignaturesResponse {
  const requestHash = swapHash(request.inputs, request.outputs)
  return store.transaction(() => {
    const answered = store.signaturesOf(requestHash)
    if (answered.length > 0) return { signatures: answered.map(toWire) }

    const keysets = readKeysets({ store, keyring })
    const now = Math.floor(clock.now() / 1000)
    const inputs = readInputs(request.inputs, keysets, now)
    const outputs = readOutputs(request.outputs, keysets, now)
    assertUnit(inputs, inputs[0]?.keyset.unit)
    assertUnit(outputs, inputs[0]?.keyset.unit)
    if (worthOf(inputs) !== totalOf(outputs)) refuse(nutErrors.notBalanced, 'inputs less fee are not equal to outputs')
    const lock = readLock(inputs)

    const taken = takeInputs(inputs, store, (coin) => store.spend(coin, requestHash))
    assertNew(outputs, store)
    proveInputs(taken, lock, outputs)
    return signOutputs(outputs, requestHash, store)
  })
}
