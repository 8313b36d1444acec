// All coins of one request are of one unit (NUT-02).

import { nutErrors } from '../shared/cashu/wire.ts'
import type { MintKeyset } from './keys.ts'
import { refuse } from './refusal.ts'

type OfKeyset = { readonly keyset: MintKeyset }

/** @throws MintRefusal 11009 when `coins` are of several units, 11010 when theirs is not `unit` */
export function assertUnit(coins: readonly OfKeyset[], unit: string | undefined): void {
  const units = new Set(coins.map(({ keyset }) => keyset.unit))
  if (units.size > 1) refuse(nutErrors.multipleUnits, 'coins of several units')
  if (unit === undefined || !units.has(unit)) refuse(nutErrors.unitMismatch, 'not the same unit on both sides')
}
