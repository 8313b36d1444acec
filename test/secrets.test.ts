// The derivation of every secret (protocol section 10), computed a second time here from its formula with Node's own
// cryptography. What these tests fix can never change: coins of existing wallets hang on it.

import { createECDH, createHmac, pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashToCurve } from '@cashu/cashu-ts'
import { schnorr } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { readPhrase, seedOfPhrase } from '../electron/keys.ts'
import { plainSealer } from '../electron/sealing.ts'
import { type CoinPath, createSecrets, type PursePath } from '../electron/wallet/secrets.ts'
import { Point } from '../shared/cashu/bdhke.ts'
import { bytesToHex, hexToBytes, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { parseSecret, verifySchnorr } from '../shared/cashu/p2pk.ts'
import { signingHash, verifySigned } from '../shared/messages.ts'
import { bytesOf } from './payment-fixture.ts'

const phrase = `${'abandon '.repeat(11)}about`
/** BIP-39: PBKDF2-HMAC-SHA512 of the phrase with the salt 'mnemonic', 2048 rounds. */
const seed = pbkdf2Sync(phrase, 'mnemonic', 2048, 64, 'sha512')
const random = { bytes: (length: number) => new Uint8Array(length) }
const secrets = createSecrets(new Uint8Array(seed), random)

const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const uint32s = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}
/** H(domain, path) = HMAC-SHA512(S, domain ‖ 0x00 ‖ path) */
const H = (domain: string, path: Uint8Array) =>
  createHmac('sha512', seed).update(domain, 'utf8').update(Buffer.of(0)).update(path).digest()
/** 1 + (H mod (n−1)) */
const scalar = (domain: string, path: Uint8Array) => 1n + (BigInt(`0x${H(domain, path).toString('hex')}`) % (n - 1n))
const publicKey = (k: bigint) => {
  const ecdh = createECDH('secp256k1')
  ecdh.setPrivateKey(Buffer.from(k.toString(16).padStart(64, '0'), 'hex'))
  return ecdh.getPublicKey('hex', 'compressed')
}
const purseBytes = ({ generation, account, purse }: PursePath) => uint32s(generation, account, purse)
const coinBytes = ({ generation, account, purse, coin }: CoinPath) => uint32s(generation, account, purse, coin)

const top = 2 ** 32 - 1
const paths: readonly CoinPath[] = [
  { generation: 0, account: 0, purse: 0, coin: 0 },
  { generation: 0, account: 0, purse: 0, coin: 1 },
  { generation: 0, account: 0, purse: 1, coin: 0 },
  { generation: 0, account: 1, purse: 0, coin: 0 },
  { generation: 1, account: 0, purse: 0, coin: 0 },
  { generation: 3, account: 2, purse: 300, coin: 65_537 },
  { generation: top, account: top, purse: top, coin: top },
]

test('the test phrase has the seed that BIP-39 publishes', () => {
  expect(seed.toString('hex')).toBe(
    '5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1' +
      '9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4',
  )
})

test('a data folder with this phrase has this seed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-phrase-'))
  try {
    writeFileSync(join(folder, 'phrase'), `${phrase}\n`)
    expect(bytesToHex(seedOfPhrase(await readPhrase(folder, plainSealer)))).toBe(seed.toString('hex'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

describe.each(paths)('generation $generation, account $account, purse $purse, coin $coin', (path) => {
  const key = publicKey(scalar('farthing/purse/1', purseBytes(path)))
  const nonce = H('farthing/nonce/1', coinBytes(path)).subarray(0, 32).toString('hex')
  const r = scalar('farthing/r/1', coinBytes(path))
  const secret = `["P2PK",{"nonce":"${nonce}","data":"${key}","tags":[["sigflag","SIG_ALL"]]}]`

  test('has the purse key, nonce and blinding factor of the formula', () => {
    expect(secrets.purseKey(path)).toBe(key)
    expect(secrets.nonce(path)).toBe(nonce)
    expect(secrets.blindingFactor(path)).toBe(r)
  })

  test('has exactly this secret, which a mint reads as locked to the purse key with SIG_ALL', () => {
    expect(secrets.secret(path)).toBe(secret)
    expect(parseSecret(secret)).toMatchObject({ kind: 'p2pk', data: key, sigFlag: 'SIG_ALL' })
  })

  test('asks for B_ = Y + rG', () => {
    const Y = Point.fromBytes(hashToCurve(utf8ToBytes(secret)).toBytes(true))
    const rG = Point.fromHex(publicKey(r))
    expect(secrets.blindedMessage(path).toHex(true)).toBe(Y.add(rG).toHex(true))
  })
})

test('the first coin of the test phrase is this one, for ever', () => {
  const [path] = paths
  expect(secrets.purseKey(path!)).toBe('02b8c5c912b510276ae4064c0b47b5ca9e3c3647ed9f3e958f9ed3ad5722ac798b')
  expect(secrets.nonce(path!)).toBe('df4b6a960f6e8be1a32dda93fd17d6b8425a44769ec2e098bba9a5fce477c7c3')
  expect(secrets.blindingFactor(path!).toString(16).padStart(64, '0')).toBe(
    'fa7a3f80a2a43634af55edbc809ce5cbcda233870d5fefc53d64206326d9a766',
  )
  expect(bytesToHex(secrets.payeeKey(0))).toBe('023de3b64f9721a65702b72fac48158ef3c2cc15b279ae025e55f260184dc065bd')
})

test('no two paths, and no two domains of one path, have anything in common', () => {
  const made = paths.flatMap((path) => [
    secrets.nonce(path),
    secrets.blindingFactor(path).toString(16),
    secrets.secret(path),
    secrets.blindedMessage(path).toHex(true),
  ])
  expect(new Set(made).size).toBe(made.length)
  expect(new Set(paths.map((path) => secrets.purseKey(path))).size).toBe(paths.length - 1) // two coins of one purse
})

test('another seed makes another wallet', () => {
  const other = createSecrets(bytesOf('another seed'), random)
  expect(other.purseKey(paths[0]!)).not.toBe(secrets.purseKey(paths[0]!))
})

test.each([-1, 0.5, 2 ** 32, Number.NaN])('an index that does not fit four bytes (%d) derives nothing', (index) => {
  const path = { generation: 0, account: 0, purse: 0, coin: 0 }
  expect(() => secrets.nonce({ ...path, coin: index })).toThrow(RangeError)
  expect(() => secrets.purseKey({ ...path, purse: index })).toThrow(RangeError)
  expect(() => secrets.payeeKey(index)).toThrow(RangeError)
})

test('a purse key stays the same when a thousand others were asked for', () => {
  const path = { generation: 0, account: 0, purse: 0 }
  const before = secrets.purseKey(path)
  for (let purse = 1; purse <= 1001; purse++) secrets.purseKey({ ...path, purse })
  expect(secrets.purseKey(path)).toBe(before)
})

describe('contact and payee keys', () => {
  test.each([0, 1, 77, top])('number %i is that of the formula, and signs', (index) => {
    const key = publicKey(scalar('farthing/key/1', uint32s(index)))
    expect(bytesToHex(secrets.payeeKey(index))).toBe(key)
    const { body, sig } = secrets.signAsPayee(index, 'terms', bytesOf('body'))
    expect(body).toEqual(bytesOf('body'))
    expect(verifySigned('terms', body, sig, hexToBytes(key))).toBe(true)
    expect(verifySigned('receipt', body, sig, hexToBytes(key))).toBe(false)
  })
})

describe('a purse key', () => {
  const [path] = paths
  test('signs swaps over the digest itself', () => {
    const digest = bytesOf('digest')
    const signature = secrets.signSwap(path!, digest)
    expect(verifySchnorr(bytesToHex(signature), digest, secrets.purseKey(path!))).toBe(true)
  })

  test('signs claims as claims only: never what could be a swap', () => {
    const { body, sig } = secrets.signClaim(path!, bytesOf('body'))
    const key = hexToBytes(secrets.purseKey(path!))
    expect(verifySigned('claim', body, sig, key)).toBe(true)
    expect(schnorr.verify(sig, body, key.subarray(1))).toBe(false)
    expect(schnorr.verify(sig, signingHash('contact', body), key.subarray(1))).toBe(false)
  })
})

describe('peer keys', () => {
  test('of a payment are derived from its id alone', () => {
    const id = bytesOf('payment').slice(0, 16)
    expect(bytesToHex(secrets.paymentPeerSeed(id))).toBe(H('farthing/peer/1', id).subarray(0, 32).toString('hex'))
    expect(secrets.paymentPeerSeed(id)).toHaveLength(32)
  })

  test('of a payee are one for each generation, and none of them is one of a payment', () => {
    const made = [0, 1, 2].map((generation) => bytesToHex(secrets.payeePeerSeed(generation)))
    made.push(bytesToHex(secrets.paymentPeerSeed(new Uint8Array(16))))
    expect(new Set(made).size).toBe(4)
  })
})
