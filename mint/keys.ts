// The mint's secret keys: derived, one per denomination and keyset, from one seed.
//
// k = 1 + (HMAC-SHA512(seed, 'farthing/mint/1' ‖ 0x00 ‖ index ‖ exponent) mod (n−1)), index and exponent as 4-byte
// big-endian. It is the wallet's derivation (protocol section 10) with a domain of its own. Every step is hardened: no
// key, and no number of them, tells anything about another key or the seed. BIP-32 would give the same for one more
// dependency, and invites unhardened paths. 512 bits reduced by a 256-bit order leave no measurable bias.

import { createHmac } from 'node:crypto'
import { order, Point, pointToHex } from '../shared/cashu/bdhke.ts'
import { type KeysByDenomination, keysetIdV2 } from '../shared/cashu/keyset.ts'
import { bytesToNumberBE, uint32, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import type { KeysetRecord } from './ports.ts'

/**
 * Denominations 2^0 … 2^31. A coin of 2^31 sat is 21 BTC: what a mint of this size never needs more of. Each further
 * denomination costs every wallet a key to fetch, hash and keep. Amounts up to 2^32−1 split canonically into these.
 */
export const denominationCount = 32

/** Largest amount of one quote, in the unit: everything whose canonical split has one coin per denomination. */
export const maxQuoteAmount = 2 ** denominationCount - 1

/** A stored keyset with its keys. */
export type MintKeyset = Omit<KeysetRecord, 'index'> & {
  readonly keys: KeysByDenomination
  /** k of a denomination; undefined when the keyset has none for that amount. */
  readonly secretKey: (amount: number) => bigint | undefined
}

export type Keyring = {
  /** The V2 id (NUT-02) of the keyset at `index`. */
  idOf(keyset: Pick<KeysetRecord, 'index' | 'unit' | 'feePpk' | 'finalExpiry'>): string
  /** @throws AppError `folder_damaged` when the keys of this seed do not have the id of the record */
  open(record: KeysetRecord): MintKeyset
}

type DerivedKeys = { readonly secret: ReadonlyMap<number, bigint>; readonly keys: KeysByDenomination }

/** Derives each keyset once and remembers it. @param seed 32 bytes */
export function createKeyring(seed: Uint8Array): Keyring {
  const derived = new Map<number, DerivedKeys>()
  const keysAt = (index: number): DerivedKeys => {
    const known = derived.get(index) ?? deriveKeys(seed, index)
    derived.set(index, known)
    return known
  }
  const idOf: Keyring['idOf'] = (keyset) => keysetIdV2({ ...keyset, keys: keysAt(keyset.index).keys })
  const checked = new Set<string>()
  return {
    idOf,
    open: ({ index, ...record }) => {
      if (!checked.has(record.id) && idOf({ ...record, index }) !== record.id) {
        throw new AppError('folder_damaged', `the seed is not the one keyset ${record.id} was made from`)
      }
      checked.add(record.id)
      const { secret, keys } = keysAt(index)
      return { ...record, keys, secretKey: (amount) => secret.get(amount) }
    },
  }
}

function deriveKeys(seed: Uint8Array, index: number): DerivedKeys {
  const secret = new Map<number, bigint>()
  const keys: Record<string, string> = {}
  for (let exponent = 0; exponent < denominationCount; exponent++) {
    const k = deriveKey(seed, index, exponent)
    secret.set(2 ** exponent, k)
    keys[String(2 ** exponent)] = pointToHex(Point.BASE.multiply(k)) // K = kG
  }
  return { secret, keys }
}

function deriveKey(seed: Uint8Array, index: number, exponent: number): bigint {
  const hash = createHmac('sha512', seed)
    .update(utf8ToBytes('farthing/mint/1'))
    .update(Uint8Array.of(0))
    .update(uint32(index))
    .update(uint32(exponent))
    .digest()
  return 1n + (bytesToNumberBE(hash) % (order - 1n))
}
