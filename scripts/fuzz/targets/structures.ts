// Encodings that inputs have: so that a value is changed and written right again.

import { isDeepStrictEqual } from 'node:util'
import { decodeLooseCbor, encodeCbor, sameBytes } from '../../../shared/cbor.ts'
import { hold, type Structure } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'

export const cbor: Structure = { read: decodeLooseCbor, write: encodeCbor }

export const json: Structure = {
  read: (input) => JSON.parse(textOf(input)),
  write: (value) => bytesOf(JSON.stringify(value) ?? 'null'),
}

/** Bytes as hex in JSON would be no bytes: what is written must say the same when it is read. @throws Broken */
export function holdSame(a: unknown, b: unknown, what: string): void {
  hold(isDeepStrictEqual(a, b), what)
}

/** @throws Broken */
export function holdSameBytes(a: Uint8Array, b: Uint8Array, what: string): void {
  hold(sameBytes(a, b), what)
}
