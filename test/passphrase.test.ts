// What a passphrase seals: opened by it and by nothing else, however the file was changed, and by every later program.

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  assertStrong,
  decodeKdf,
  encodeKdf,
  isSealed,
  type KdfCost,
  newKdf,
  openWithKey,
  openWithPassphrase,
  sealWithKey,
  sealWithPassphrase,
  standardCost,
  stretch,
} from '../electron/passphrase.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
/** A hundredth of what people pay: what is tested is the same. */
const cheap: KdfCost = { logN: 10, r: 8, p: 1 }
const passphrase = 'Öl und Brot am Mittwoch'
const words = new TextEncoder().encode('twelve words')
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('the parts are the published ones', () => {
  test('scrypt: the third vector of RFC 7914', async () => {
    const salt = new TextEncoder().encode('SodiumChloride')
    const key = await stretch('pleaseletmein', { logN: 14, r: 8, p: 1, salt })
    expect(Buffer.from(key).toString('hex')).toBe('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2')
  })

  test('XChaCha20-Poly1305: the vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1', () => {
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
    const nonce = hex('404142434445464748494a4b4c4d4e4f5051525354555657')
    const header = hex('50515253c0c1c2c3c4c5c6c7')
    const plain = new TextEncoder().encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    )
    const sealed = sealWithKey(key, header, plain, { bytes: () => nonce })
    expect(Buffer.from(sealed.subarray(header.length + nonce.length)).toString('hex')).toBe(
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39' +
        'ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
        '21f9664c97637da9768812f615c68b13b52e' +
        'c0875924c1c7987947deafd8780acf49',
    )
    expect(openWithKey(key, header.length, sealed)).toEqual(plain)
  })

  test('what a person gets costs 128 MiB a guess', () => {
    expect(128 * standardCost.r * 2 ** standardCost.logN).toBe(128 * 1024 * 1024)
  })
})

describe('a sealed file', () => {
  test('of the first version opens in every later one', async () => {
    const file = hex(
      '4654485001010e0801000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526272d06c61f0cc17a775334b41cedad70d073f92729b282106eaf974c244e0f2dff261e2cee',
    )
    expect(await openWithPassphrase(file, passphrase)).toEqual(words)
  })

  test('opens by its passphrase however the letters were typed, and by no other', async () => {
    const file = await sealWithPassphrase(words, passphrase, random, cheap)
    for (const same of [passphrase, passphrase.normalize('NFD'), passphrase.replace('Öl', 'O\u0308l')]) {
      expect(await openWithPassphrase(file, same)).toEqual(words)
    }
    for (const other of ['', ` ${passphrase}`, passphrase.toLowerCase(), `${passphrase}.`]) {
      expect(await openWithPassphrase(file, other)).toBeUndefined()
    }
  })

  test('opens to nothing when any byte of it was changed, and says that it is damaged', async () => {
    const file = await sealWithPassphrase(words, passphrase, random, cheap)
    for (let at = 0; at < file.length; at++) {
      const changed = Uint8Array.from(file)
      changed[at] = changed[at]! ^ 0x20
      expect(isSealed(changed), `byte ${at}`).toBe(false)
      expect(await openWithPassphrase(changed, passphrase)).toBeUndefined()
    }
    for (const length of [0, 1, 24, file.length - 1]) expect(isSealed(file.subarray(0, length))).toBe(false)
    expect(isSealed(Uint8Array.from([...file, 0]))).toBe(false)
  })

  test('binds its header: with another salt or cost the very same key opens nothing', async () => {
    const key = random.bytes(32)
    const sealed = sealWithKey(key, hex('0102'), words, random)
    expect(openWithKey(key, 2, sealed)).toEqual(words)
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed)
      changed[at] = changed[at]! ^ 1
      expect(openWithKey(key, 2, changed)).toBeUndefined()
    }
    expect(openWithKey(key, 1, sealed)).toBeUndefined()
    expect(openWithKey(key, 2, sealed.subarray(0, 20))).toBeUndefined()
  })

  test('is another one each time, and holds nothing of what it seals', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => sealWithPassphrase(words, passphrase, random, cheap)))
    expect(one).not.toEqual(two)
    expect(Buffer.from(one!).includes('twelve')).toBe(false)
    expect(Buffer.from(one!).includes('Brot')).toBe(false)
  })
})

describe('the cost that a file names', () => {
  test('comes back as it was written', () => {
    const kdf = newKdf(random)
    expect(decodeKdf(encodeKdf(kdf))).toEqual(kdf)
  })

  test.each([
    ['more memory than 256 MiB', { logN: 19, r: 8, p: 1 }],
    ['two to the 255', { logN: 255, r: 8, p: 1 }],
    ['next to nothing', { logN: 1, r: 8, p: 1 }],
    ['a hundred times the time', { logN: 17, r: 8, p: 100 }],
    ['no time', { logN: 17, r: 8, p: 0 }],
    ['other blocks', { logN: 17, r: 32, p: 1 }],
  ])('is refused, before anything is computed: %s', (_, cost) => {
    expect(decodeKdf(encodeKdf({ ...cost, salt: random.bytes(16) }))).toBeUndefined()
  })

  test('is refused when it belongs to another function, or is too short', () => {
    const bytes = encodeKdf(newKdf(random))
    expect(decodeKdf(Uint8Array.from([2, ...bytes.subarray(1)]))).toBeUndefined()
    expect(decodeKdf(bytes.subarray(0, 19))).toBeUndefined()
    expect(decodeKdf(new Uint8Array())).toBeUndefined()
  })
})

describe('a passphrase', () => {
  test.each([
    '',
    'short',
    '123456789',
    'aaaaaaaaaaaa',
    '          ',
    // Nine characters, however many code units they take.
    '😀😃😄😁😆😅😂🙂🙃',
    // NFKC makes nine of ten.
    `12345678${'e\u0301'}`,
  ])('%j is too weak', (weak) => {
    expect(() => assertStrong(weak)).toThrow(expect.objectContaining({ code: 'weak_passphrase' }))
  })

  test.each(['1234567890', 'correct horse', '😀😃😄😁😆😅😂🙂🙃😉', 'ﬁve words more'])('%j is taken', (strong) => {
    expect(() => assertStrong(strong)).not.toThrow()
  })
})
