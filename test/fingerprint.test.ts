// The fingerprint of a payee key: a known answer, and what it has to keep to.

import { scryptSync } from 'node:crypto'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesToHex, concatBytes, hexToBytes } from '../shared/cashu/numbers.ts'
import { fingerprintOf } from '../shared/fingerprint.ts'

/** x of secp256k1's generator. */
const G = hexToBytes('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const even = (x: Uint8Array) => concatBytes(Uint8Array.of(2), x)
const odd = (x: Uint8Array) => concatBytes(Uint8Array.of(3), x)
const x = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** The same by OpenSSL, cut into bits as text. */
function byTheBook(key: Uint8Array) {
  const digest = scryptSync(key.subarray(1), 'farthing/payee/fingerprint/1', 32, { N: 8192, r: 8, p: 1 })
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const words = [0, 11, 22, 33].map((start) => wordlist[Number.parseInt(bits.slice(start, start + 11), 2)])
  return { words, picture: digest.subarray(16).toString('hex') }
}

describe('the fingerprint of a payee key', () => {
  test('is the known one for the generator, whose answer Python gave', () => {
    expect(fingerprintOf(even(G))).toEqual({
      words: ['agent', 'puppy', 'heavy', 'turn'],
      picture: '0c1c3b86515760292498b10ca3dbe0b5',
    })
  })

  test('is scrypt as OpenSSL has it', () => {
    fc.assert(
      fc.property(x, (bytes) => {
        expect(fingerprintOf(even(bytes))).toEqual(byTheBook(even(bytes)))
      }),
      { numRuns: 20 },
    )
  })

  test('is four words of BIP-39 and 16 bytes, whatever the key', () => {
    fc.assert(
      fc.property(x, (bytes) => {
        const { words, picture } = fingerprintOf(odd(bytes))
        expect(words).toHaveLength(4)
        for (const word of words) expect(wordlist).toContain(word)
        expect(picture).toMatch(/^[0-9a-f]{32}$/)
      }),
      { numRuns: 20 },
    )
  })

  test('is the same for both parities, in either order', () => {
    expect(fingerprintOf(odd(G))).toEqual(fingerprintOf(even(G)))
    const other = G.with(0, 1)
    expect(fingerprintOf(even(other))).toEqual(fingerprintOf(odd(other)))
  })

  test('is another one when one bit of the key is', () => {
    const looks = Array.from({ length: 16 }, (_, bit) =>
      fingerprintOf(even(G.with(bit * 2, (G[bit * 2] ?? 0) ^ (1 << (bit % 8))))),
    )
    expect(new Set(looks.map(({ words }) => words.join(' '))).size).toBe(16)
    expect(new Set(looks.map(({ picture }) => picture)).size).toBe(16)
  })

  test('does not change when the bytes it was made from do', () => {
    const key = even(G.with(5, 5))
    const before = fingerprintOf(key)
    key.fill(2)
    expect(fingerprintOf(even(G.with(5, 5)))).toEqual(before)
  })

  test('costs time for a new key, and none for one that was seen', () => {
    const timeOf = (key: Uint8Array) => {
      const start = performance.now()
      fingerprintOf(key)
      return performance.now() - start
    }
    const first = timeOf(even(G.with(9, 9)))
    expect(first).toBeGreaterThan(3)
    expect(timeOf(odd(G.with(9, 9)))).toBeLessThan(first / 2)
  })

  test.each([
    ['x only', G],
    ['an uncompressed point', concatBytes(Uint8Array.of(4), G, G)],
    ['another first byte', concatBytes(Uint8Array.of(4), G)],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_name, key) => {
    expect(() => fingerprintOf(key)).toThrow(expect.objectContaining({ code: 'bad_input' }))
  })

  test('hex of a key is not a key', () => {
    const text = new TextEncoder().encode(bytesToHex(even(G)))
    expect(() => fingerprintOf(text)).toThrow(expect.objectContaining({ code: 'bad_input' }))
  })
})
