// Blind signatures (NUT-00) and their DLEQ proofs (NUT-12): the Cashu vectors, and properties with cashu-ts as oracle.

import {
  Amount,
  blindMessage,
  createBlindSignature,
  createDLEQProof,
  hash_e,
  hashToCurve as hashBytesToCurve,
  hasValidDleq,
  unblindSignature,
  verifyDLEQProof,
} from '@cashu/cashu-ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blind,
  hashToCurve,
  order,
  Point,
  pointFromBytes,
  pointFromHex,
  pointToHex,
  signBlinded,
  unblind,
  verifyUnblinded,
} from '../shared/cashu/bdhke.ts'
import { type CoinToVerify, precomputeKey, proveDleq, verifyCoin, verifyDleq } from '../shared/cashu/dleq.ts'
import { bytesToHex, hexToBytes, numberToBytesBE } from '../shared/cashu/numbers.ts'
import { purseSecret } from '../shared/cashu/p2pk.ts'
import nut00 from './vectors/nut-00.json' with { type: 'json' }
import nut12 from './vectors/nut-12.json' with { type: 'json' }

const scalar = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => 1n + (BigInt(`0x${bytesToHex(bytes)}`) % (order - 1n)))
const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex)
const purseKey = scalar.map((k) => pointToHex(Point.BASE.multiply(k)))
const secret = fc.oneof(
  fc.tuple(hex32, purseKey).map(([nonce, key]) => purseSecret(nonce, key)),
  hex32,
  fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }),
)

const toHex = (value: bigint) => value.toString(16).padStart(64, '0')
const fromHex = (hex: string) => BigInt(`0x${hex}`)

/** A coin as a mint with key `k` issues it. */
function issue(secret: string, r: bigint, k: bigint): CoinToVerify {
  const K = Point.BASE.multiply(k)
  const B_ = blind(secret, r)
  const C_ = signBlinded(B_, k)
  return { secret, C: unblind(C_, r, K), dleq: proveDleq(k, B_, C_), r, K }
}
const coin = fc.tuple(secret, scalar, scalar).map(([secret, r, k]) => issue(secret, r, k))

describe('NUT-00 vectors', () => {
  test.each(nut00.hashToCurve)('hash_to_curve($message)', ({ message, point }) => {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(hexToBytes(message))
    expect(pointToHex(hashToCurve(text))).toBe(point)
  })

  // Their x is no UTF-8 text, which every secret on the wire is: so B_ − rG = Y is checked with our arithmetic, and the
  // way there with cashu-ts, whose hash_to_curve of bytes is ours.
  test.each(nut00.blindedMessages)('blinded message of $x', ({ x, r, B_ }) => {
    expect(pointToHex(unblind(pointFromHex(B_), fromHex(r), Point.BASE))).toBe(
      pointToHex(hashBytesToCurve(hexToBytes(x))),
    )
    expect(pointToHex(blindMessage(hexToBytes(x), fromHex(r)).B_)).toBe(B_)
  })

  test.each(nut00.blindSignatures)('blind signature by $k', ({ k, B_, C_ }) => {
    expect(pointToHex(signBlinded(pointFromHex(B_), fromHex(k)))).toBe(C_)
  })
})

describe('NUT-12 vectors', () => {
  const { hashE, deterministicNonce, blindSignature, proof } = nut12

  test('hash_e', () => {
    const points = [hashE.R1, hashE.R2, hashE.K, hashE.C_].map(pointFromHex)
    expect(bytesToHex(hash_e(points))).toBe(hashE.hash)
  })

  test('the deterministic nonce gives exactly this proof', () => {
    const { a, A, B_, C_, e, s } = deterministicNonce
    expect(pointToHex(Point.BASE.multiply(fromHex(a)))).toBe(A)
    expect(pointToHex(signBlinded(pointFromHex(B_), fromHex(a)))).toBe(C_)
    expect(proveDleq(fromHex(a), pointFromHex(B_), pointFromHex(C_))).toEqual({ e, s })
    expect(verifyDleq({ e, s }, pointFromHex(B_), pointFromHex(C_), pointFromHex(A))).toBe(true)
  })

  test('the proof on a blind signature is valid', () => {
    const { A, B_, signature } = blindSignature
    expect(verifyDleq(signature.dleq, pointFromHex(B_), pointFromHex(signature.C_), pointFromHex(A))).toBe(true)
  })

  test('the proof on a coin is valid', () => {
    const { secret, C, dleq } = proof.proof
    const { e, s, r } = dleq
    const coin = { secret, C: pointFromHex(C), dleq: { e, s }, r: fromHex(r), K: pointFromHex(proof.A) }
    expect(verifyCoin(coin)).toBe(true)
    expect(verifyCoin({ ...coin, secret: `${secret.slice(0, -1)}0` })).toBe(false)
  })
})

describe('points', () => {
  const point = pointToHex(Point.BASE)

  test.each([
    ['an empty text', ''],
    ['the x coordinate alone', point.slice(2)],
    ['an uncompressed point', Point.BASE.toHex(false)],
    ['one byte too many', `${point}00`],
    ['a character that is no hex digit', `${point.slice(0, -1)}g`],
    ['the point at infinity', '00'],
    ['a prefix of 04', `04${point.slice(2)}`],
    ['an x above the field', `02${'f'.repeat(64)}`],
    ['an x with no point on the curve', `02${'0'.repeat(63)}5`],
  ])('%s is refused as bad_input', (_, hex) => {
    expect(() => pointFromHex(hex)).toThrow(expect.objectContaining({ code: 'bad_input' }))
  })

  test('a point survives its text and byte forms', () => {
    fc.assert(
      fc.property(scalar, (k) => {
        const P = Point.BASE.multiply(k)
        expect(pointFromHex(pointToHex(P)).equals(P)).toBe(true)
        expect(pointFromHex(pointToHex(P).toUpperCase()).equals(P)).toBe(true)
        expect(pointFromBytes(P.toBytes(true)).equals(P)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('bytes of another length are refused', () => {
    expect(() => pointFromBytes(Point.BASE.toBytes(false))).toThrow(expect.objectContaining({ code: 'bad_input' }))
  })
})

describe('blind, sign, unblind, verify', () => {
  test('a coin issued for a secret verifies under the key that signed it', () => {
    fc.assert(
      fc.property(secret, scalar, scalar, (x, r, k) => {
        const { C } = issue(x, r, k)
        expect(verifyUnblinded(hashToCurve(x), C, k)).toBe(true)
        expect(C.equals(hashToCurve(x).multiply(k))).toBe(true) // C = kY: no trace of r
      }),
      { numRuns: 50 },
    )
  })

  test('a coin does not verify for another secret, another key or another C', () => {
    fc.assert(
      fc.property(secret, secret, scalar, scalar, scalar, (x, other, r, k, l) => {
        fc.pre(x !== other && k !== l)
        const { C } = issue(x, r, k)
        expect(verifyUnblinded(hashToCurve(other), C, k)).toBe(false)
        expect(verifyUnblinded(hashToCurve(x), C, l)).toBe(false)
        expect(verifyUnblinded(hashToCurve(x), C.negate(), k)).toBe(false)
      }),
      { numRuns: 30 },
    )
  })

  test('cashu-ts blinds, signs and unblinds to the same points', () => {
    fc.assert(
      fc.property(secret, scalar, scalar, (x, r, k) => {
        const bytes = new TextEncoder().encode(x)
        const K = Point.BASE.multiply(k)
        const { B_ } = blindMessage(bytes, r)
        const { C_ } = createBlindSignature(B_, numberToBytesBE(k, 32), '00')
        expect(pointToHex(blind(x, r))).toBe(pointToHex(B_))
        expect(pointToHex(signBlinded(B_, k))).toBe(pointToHex(C_))
        expect(pointToHex(unblind(C_, r, K))).toBe(pointToHex(unblindSignature(C_, r, K)))
      }),
      { numRuns: 30 },
    )
  })

  test('every character of a secret counts: white space, case, composition, zero bytes', () => {
    const texts = ['x', ' x', 'x ', 'x\n', 'X', 'x\0', '\ufeffx', 'é', 'e\u0301', '[1,2]', '[1, 2]']
    expect(new Set(texts.map((text) => pointToHex(hashToCurve(text)))).size).toBe(texts.length)
    for (const text of texts) {
      expect(pointToHex(hashToCurve(text))).toBe(pointToHex(hashBytesToCurve(new TextEncoder().encode(text))))
    }
  })

  test('a blinding factor or key outside 1 … n−1 is refused', () => {
    for (const bad of [0n, order, order + 1n, -1n]) {
      expect(() => blind('x', bad)).toThrow()
      expect(() => signBlinded(Point.BASE, bad)).toThrow()
    }
  })
})

describe('DLEQ proofs', () => {
  test('a proof by either side verifies on the other', () => {
    fc.assert(
      fc.property(scalar, scalar, (k, b) => {
        const [K, B_] = [Point.BASE.multiply(k), Point.BASE.multiply(b)]
        const C_ = signBlinded(B_, k)
        const { e, s } = proveDleq(k, B_, C_)
        expect(verifyDLEQProof({ e: hexToBytes(e), s: hexToBytes(s) }, B_, C_, K)).toBe(true)
        const theirs = createDLEQProof(B_, numberToBytesBE(k, 32))
        expect(verifyDleq({ e: bytesToHex(theirs.e), s: bytesToHex(theirs.s) }, B_, C_, K)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('the same signature always gets the same proof, another one another nonce', () => {
    const [B1, B2] = [Point.BASE.multiply(5n), Point.BASE.multiply(6n)]
    const first = proveDleq(7n, B1, signBlinded(B1, 7n))
    expect(proveDleq(7n, B1, signBlinded(B1, 7n))).toEqual(first)
    const second = proveDleq(7n, B2, signBlinded(B2, 7n))
    const nonce = ({ e, s }: { e: string; s: string }) => Point.Fn.sub(fromHex(s), Point.Fn.mul(fromHex(e) % order, 7n))
    expect(nonce(second)).not.toBe(nonce(first)) // r = s − ek
  })

  test('a key with tables made for it decides alike', () => {
    fc.assert(
      fc.property(coin, (good) => {
        const K = precomputeKey(pointFromHex(pointToHex(good.K)))
        expect(verifyCoin({ ...good, K })).toBe(true)
        expect(verifyCoin({ ...good, K, C: good.C.negate() })).toBe(false)
      }),
      { numRuns: 10 },
    )
  })

  test('a proof that one key made C_ does not hold for another key', () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, (k, other, b) => {
        fc.pre(k !== other)
        const B_ = Point.BASE.multiply(b)
        const [C_, forged] = [signBlinded(B_, k), signBlinded(B_, other)]
        const K = Point.BASE.multiply(k)
        expect(verifyDleq(proveDleq(k, B_, C_), B_, C_, K)).toBe(true)
        // The mint signs with a key of its own for this user, to know the coin again, and proves what it can.
        expect(verifyDleq(proveDleq(other, B_, forged), B_, forged, K)).toBe(false)
        expect(verifyDleq(proveDleq(k, B_, forged), B_, forged, K)).toBe(false)
      }),
      { numRuns: 20 },
    )
  })

  test.each([
    ['upper case', (e: string) => e.toUpperCase()],
    ['a shorter text', (e: string) => e.slice(1)],
    ['a longer text', (e: string) => `0${e}`],
    ['an empty text', () => ''],
    ['no hex', (e: string) => `${e.slice(0, -1)}x`],
    ['a line end', (e: string) => `${e}\n`],
  ])('e or s written in another way is refused: %s', (_, change) => {
    const { e, s } = nut12.blindSignature.signature.dleq
    const [B_, C_, A] = [nut12.blindSignature.B_, nut12.blindSignature.signature.C_, nut12.blindSignature.A].map(
      pointFromHex,
    ) as [Point, Point, Point]
    expect(verifyDleq({ e, s }, B_, C_, A)).toBe(true)
    expect(verifyDleq({ e: change(e), s }, B_, C_, A)).toBe(false)
    expect(verifyDleq({ e, s: change(s) }, B_, C_, A)).toBe(false)
  })

  test('numbers outside their range are refused, not thrown on', () => {
    fc.assert(
      fc.property(coin, fc.constantFrom(0n, order, order + 1n, 2n ** 256n - 1n), (good, bad) => {
        expect(verifyCoin({ ...good, r: bad })).toBe(false)
        expect(verifyCoin({ ...good, r: -good.r })).toBe(false)
        expect(verifyCoin({ ...good, r: good.r + order })).toBe(false)
        expect(verifyCoin({ ...good, dleq: { ...good.dleq, s: toHex(bad) } })).toBe(false)
        expect(verifyCoin({ ...good, dleq: { ...good.dleq, e: toHex(bad) } })).toBe(false)
      }),
      { numRuns: 20 },
    )
  })

  test('a coin whose re-blinded signature is the point at infinity is refused, not thrown on', () => {
    fc.assert(
      fc.property(coin, (good) => {
        expect(verifyCoin({ ...good, C: good.K.multiply(good.r).negate() })).toBe(false) // C_ = C + rK = 0
        expect(verifyCoin({ ...good, C: Point.ZERO })).toBe(false)
      }),
      { numRuns: 10 },
    )
  })
})

type Mutation = { readonly part: 'e' | 's' | 'r' | 'C' | 'K'; readonly bit: number }
const mutation: fc.Arbitrary<Mutation> = fc
  .constantFrom('e' as const, 's' as const, 'r' as const, 'C' as const, 'K' as const)
  .chain((part) =>
    fc.integer({ min: 0, max: (part === 'C' || part === 'K' ? 33 : 32) * 8 - 1 }).map((bit) => ({ part, bit })),
  )

/** The coin as texts, the form in which it travels, with one bit changed. */
function flip(good: CoinToVerify, { part, bit }: Mutation) {
  const texts = {
    e: good.dleq.e,
    s: good.dleq.s,
    r: toHex(good.r),
    C: pointToHex(good.C),
    K: pointToHex(good.K),
  }
  const bytes = hexToBytes(texts[part])
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  return { ...texts, secret: good.secret, [part]: bytesToHex(bytes) }
}
type Texts = ReturnType<typeof flip>

/** What a payee decides about a coin that arrived as texts: whatever cannot be read is refused. */
function ours({ secret, e, s, r, C, K }: Texts): boolean {
  try {
    return verifyCoin({ secret, C: pointFromHex(C), dleq: { e, s }, r: fromHex(r), K: pointFromHex(K) })
  } catch {
    return false
  }
}

function oracle({ secret, e, s, r, C, K }: Texts): boolean {
  const proof = { amount: Amount.from(1), id: '00', secret, C, dleq: { e, s, r } }
  try {
    return hasValidDleq(proof, { id: '00', keys: { 1: K } }, { require: true })
  } catch {
    return false
  }
}

describe('a coin as a payee checks it', () => {
  test('passes as issued, here as in cashu-ts', () => {
    fc.assert(
      fc.property(coin, (good) => {
        const texts = { ...flip(good, { part: 'e', bit: 0 }), e: good.dleq.e }
        expect(ours(texts)).toBe(true)
        expect(oracle(texts)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('fails with any single bit of e, s, r, C or K changed, here as in cashu-ts', () => {
    fc.assert(
      fc.property(coin, mutation, (good, changed) => {
        const texts = flip(good, changed)
        expect(ours(texts)).toBe(false)
        expect(oracle(texts)).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  test('fails with any one of the bits of e, s and r changed', () => {
    const good = issue('a secret', 11n, 13n)
    for (const part of ['e', 's', 'r'] as const) {
      for (let bit = 0; bit < 256; bit++) expect(ours(flip(good, { part, bit })), `${part} bit ${bit}`).toBe(false)
    }
  })

  test('fails with another secret, here as in cashu-ts', () => {
    fc.assert(
      fc.property(coin, secret, (good, other) => {
        fc.pre(good.secret !== other)
        const texts = { ...flip(good, { part: 'e', bit: 0 }), e: good.dleq.e, secret: other }
        expect(ours(texts)).toBe(false)
        expect(oracle(texts)).toBe(false)
      }),
      { numRuns: 20 },
    )
  })

  test('fails with the proof of another coin of the same key', () => {
    fc.assert(
      fc.property(secret, secret, scalar, scalar, scalar, (x, y, r, q, k) => {
        fc.pre(x !== y && r !== q)
        const [first, second] = [issue(x, r, k), issue(y, q, k)]
        expect(verifyCoin({ ...first, dleq: second.dleq })).toBe(false)
        expect(verifyCoin({ ...first, dleq: second.dleq, r: second.r })).toBe(false)
      }),
      { numRuns: 20 },
    )
  })
})
