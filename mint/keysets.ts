// The keysets of the mint (NUT-02): what there is, the first one, and rotation.

import { type KeysetsResponse, type KeysResponse, nutErrors } from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import type { Keyring, MintKeyset } from './keys.ts'
import type { Clock, KeysetRecord, MintStore } from './ports.ts'
import { refuse } from './refusal.ts'

type Deps = { readonly store: MintStore; readonly keyring: Keyring; readonly clock: Clock }

export type Keysets = ReadonlyMap<string, MintKeyset>

/** Read from the store at every request, so that a rotation by another process counts from its commit on. */
export function readKeysets({ store, keyring }: Omit<Deps, 'clock'>): Keysets {
  return new Map(store.keysets().map((record) => [record.id, keyring.open(record)]))
}

/** @throws MintRefusal 12001 for an id that is not of this mint, 12003 after its final expiry */
export function liveKeyset(keysets: Keysets, id: string, now: number): MintKeyset {
  const keyset = keysets.get(id) ?? refuse(nutErrors.keysetUnknown, 'keyset is not known')
  if (keyset.finalExpiry !== null && now >= keyset.finalExpiry) refuse(nutErrors.keysetExpired, 'keyset has expired')
  return keyset
}

/** Whether the mint serves quotes in this unit. */
export function hasActiveKeyset(keysets: Keysets, unit: string): boolean {
  return [...keysets.values()].some((keyset) => keyset.active && keyset.unit === unit)
}

export type NewKeyset = Pick<KeysetRecord, 'unit' | 'feePpk' | 'finalExpiry'>

/** Make a first keyset for a unit that has no active one. @returns the active record, which may have another fee */
export function ensureKeyset(deps: Deps, wanted: NewKeyset): KeysetRecord {
  return deps.store.transaction(() => {
    const active = deps.store.keysets().find((record) => record.active && record.unit === wanted.unit)
    return active ?? activate(deps, wanted)
  })
}

export type Rotation = {
  /** May be left out when the mint has one unit. */
  readonly unit?: string | undefined
  /** Fee of the new keyset; as before when left out. */
  readonly feePpk?: number | undefined
  /** Unix seconds; none when left out. */
  readonly finalExpiry?: number | undefined
}

/**
 * Replace the active keyset of a unit by a new one. Coins of the old one stay spendable (NUT-02).
 * @throws AppError `bad_input` when it is not clear which unit is meant, `not_found` when it has no keyset
 */
export function rotateKeyset(deps: Deps, { unit, feePpk, finalExpiry }: Rotation): KeysetRecord {
  return deps.store.transaction(() => {
    const active = deps.store
      .keysets()
      .filter((record) => record.active && (unit === undefined || record.unit === unit))
    const [old] = active
    if (old === undefined) throw new AppError('not_found', 'there is no active keyset to rotate')
    if (active.length > 1) throw new AppError('bad_input', 'the mint has several units: say which one to rotate')
    return activate(deps, { unit: old.unit, feePpk: feePpk ?? old.feePpk, finalExpiry: finalExpiry ?? null })
  })
}

function activate({ store, keyring, clock }: Deps, wanted: NewKeyset): KeysetRecord {
  const index = store.keysets().length
  const record = { ...wanted, index, id: keyring.idOf({ ...wanted, index }) }
  store.activateKeyset(record, Math.floor(clock.now() / 1000))
  return { ...record, active: true }
}

/** Body of GET /v1/keysets: all of them (NUT-02). */
export function keysetsResponse(keysets: Keysets): KeysetsResponse {
  return { keysets: [...keysets.values()].map(describe) }
}

/** Body of GET /v1/keys: the active ones; or of GET /v1/keys/{id}: that one (NUT-01, NUT-02). @throws MintRefusal 12001 */
export function keysResponse(keysets: Keysets, id?: string): KeysResponse {
  const chosen = [...keysets.values()].filter((keyset) => (id === undefined ? keyset.active : keyset.id === id))
  if (id !== undefined && chosen.length === 0) refuse(nutErrors.keysetUnknown, 'keyset is not known')
  return { keysets: chosen.map((keyset) => ({ ...describe(keyset), keys: { ...keyset.keys } })) }
}

function describe({ id, unit, active, feePpk, finalExpiry }: MintKeyset): KeysetsResponse['keysets'][number] {
  return { id, unit, active, input_fee_ppk: feePpk, final_expiry: finalExpiry }
}
