// The parts of cashu-ts that we use as they are, held to the vectors: token texts (NUT-00), and deterministic secrets
// (NUT-13). Our own coins are not derived as in NUT-13: their path is (generation, account, purse, coin), free of the
// keyset. NUT-13 is for taking over a wallet of another make, which goes through these functions.

import {
  deriveBlindingFactor,
  deriveSecret,
  getDecodedToken,
  getDecodedTokenBinary,
  getEncodedToken,
  getEncodedTokenBinary,
  getKeysetIdInt,
  type Token,
} from '@cashu/cashu-ts'
import { mnemonicToSeedSync } from '@scure/bip39'
import { describe, expect, test } from 'vitest'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import nut00 from './vectors/nut-00.json' with { type: 'json' }
import nut13 from './vectors/nut-13.json' with { type: 'json' }

type Coin = { readonly id: string; readonly amount: number; readonly secret: string; readonly C: string }
type Content = {
  readonly mint: string
  readonly unit: string | undefined
  readonly memo: string | undefined
  readonly coins: readonly Coin[]
}
type V4 = {
  readonly t: readonly { readonly i: string; readonly p: readonly { a: number; s: string; c: string }[] }[]
  readonly m: string
  readonly u: string
  readonly d?: string
}

const contentOf = ({ mint, unit, memo, proofs }: Token): Content => ({
  mint,
  unit,
  memo,
  coins: proofs.map(({ id, amount, secret, C }) => ({ id, amount: amount.toNumber(), secret, C })),
})
const contentOfV4 = ({ t, m, u, d }: V4): Content => ({
  mint: m,
  unit: u,
  memo: d,
  coins: t.flatMap(({ i, p }) => p.map(({ a, s, c }) => ({ id: i, amount: a, secret: s, C: c }))),
})

describe('NUT-00 tokens', () => {
  const { tokenV3, tokenV4, tokenV4Raw } = nut00
  const [inside] = tokenV3.json.token
  const v3: Content = {
    mint: inside!.mint,
    unit: tokenV3.json.unit,
    memo: tokenV3.json.memo,
    coins: inside!.proofs.map(({ id, amount, secret, C }) => ({ id, amount, secret, C })),
  }
  const ids = ['009a1f293253e41e']

  test('a V3 token is read', () => {
    expect(contentOf(getDecodedToken(tokenV3.serialized, ids))).toEqual(v3)
  })

  test.each(tokenV3.valid)('a V3 token is read with and without padding: %#', (text) => {
    expect(contentOf(getDecodedToken(text, ids)).coins).toEqual(v3.coins)
  })

  test.each(tokenV3.invalid)('a token with a wrong or no prefix is refused: %#', (text) => {
    expect(() => getDecodedToken(text, ids)).toThrow()
  })

  test.each(tokenV4)('a V4 token is read, and written so that it is read again: $json.d', ({ json, serialized }) => {
    const content = contentOfV4(json)
    const token = getDecodedToken(
      serialized,
      json.t.map(({ i }) => i),
    )
    expect(contentOf(token)).toEqual(content)
    const written = getEncodedToken(token)
    expect(written.startsWith('cashuB')).toBe(true)
    expect(contentOf(getDecodedToken(written, json.t.map(({ i }) => i)))).toEqual(content) // biome-ignore format: one thought
  })

  test('a V4 token in bytes is read, and written so that it is read again', () => {
    const token = getDecodedTokenBinary(hexToBytes(tokenV4Raw.serialized))
    expect(contentOf(token)).toEqual(contentOfV4(tokenV4Raw.json))
    expect(contentOf(getDecodedTokenBinary(getEncodedTokenBinary(token)))).toEqual(contentOfV4(tokenV4Raw.json))
  })
})

describe('NUT-13 vectors', () => {
  test('the keyset id as an integer', () => {
    expect(getKeysetIdInt(nut13.v1.keysetId)).toBe(BigInt(nut13.v1.keysetIdInt))
    for (const [counter, path] of nut13.v1.derivationPaths.entries()) {
      expect(`m/129372'/0'/${getKeysetIdInt(nut13.v1.keysetId)}'/${counter}'`).toBe(path)
    }
  })

  const cases = [nut13.v1, nut13.v2].flatMap(({ keysetId, mnemonic, secrets, rs }) =>
    secrets.map((secret, counter) => ({ keysetId, mnemonic, counter, secret, r: rs[counter] })),
  )
  test.each(cases)('secret and blinding factor $counter of keyset $keysetId', (vector) => {
    const seed = mnemonicToSeedSync(vector.mnemonic)
    expect(bytesToHex(deriveSecret(seed, vector.keysetId, vector.counter))).toBe(vector.secret)
    expect(bytesToHex(deriveBlindingFactor(seed, vector.keysetId, vector.counter))).toBe(vector.r)
  })
})
