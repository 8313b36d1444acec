// The format of a backup file: what was sealed comes back, and nothing else is ever taken for it.

import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type BackupLock, openBackup, sealBackup } from '../electron/backup-file.ts'
import { backupSecretsOf } from '../electron/backup-key.ts'
import { newKdf, stretch } from '../electron/passphrase.ts'
import { systemRandom } from '../electron/wallet-folder.ts'

const random = { bytes: (length: number) => new Uint8Array(systemRandom.bytes(length)) }
const key = new Uint8Array(32).fill(7)
const description = { savedAt: 1_762_000_000_000, program: '0.1.0', schema: 3, phrase: null }
const phraseLock: BackupLock = { kind: 'phrase' }
const chunkBytes = 65_536
const sealedChunk = chunkBytes + 16
/** magic, version, kind, nonce, check, sum of a file whose key is the phrase */
const headerBytes = 4 + 1 + 1 + 19 + 16 + 8

async function* pieces(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

type Lock = { readonly lock: BackupLock; readonly key: Uint8Array }
const byPhrase: Lock = { lock: phraseLock, key }

const seal = (content: Uint8Array, { lock, key }: Lock = byPhrase, about = {}) =>
  all(sealBackup({ lock, key, description: { ...description, ...about }, content: pieces(content), random }))

/** What comes of a file: its content as it was, or the code of the refusal. */
async function read(file: Uint8Array, withKey = key, pieceBytes = 7_001): Promise<Uint8Array | string> {
  try {
    const { content } = await openBackup(pieces(file, pieceBytes), async () => withKey)
    return await all(content)
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** Does not get smaller: the length of the file is known. */
const noise = random.bytes
const changed = (file: Uint8Array, at: number, by = 1): Uint8Array => {
  const other = file.slice()
  other[at] = (other[at]! ^ by) & 0xff
  return other
}
const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

describe('what was saved', () => {
  test.each([0, 1, 4096, chunkBytes - 200, chunkBytes, 3 * chunkBytes + 5])(
    'comes back to the byte: %i bytes',
    async (size) => {
      const content = noise(size)
      const file = await seal(content)
      expect(await read(file)).toEqual(content)
      expect(await read(file, key, file.length)).toEqual(content)
    },
  )

  test('comes back whatever it is, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 900 }),
        async (content, pieceBytes) => {
          expect(await read(await seal(content), key, pieceBytes)).toEqual(content)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('comes with its description before anything of it is unpacked', async () => {
    const { content, close, ...about } = await openBackup(pieces(await seal(noise(10))), async () => key)
    expect(about).toEqual({ ...description, lock: 'phrase' })
    await close()
    expect(await content.next()).toMatchObject({ done: false })
  })

  test('in a file of a passphrase comes back by the passphrase, with the twelve words', async () => {
    const kdf = newKdf(random, { logN: 10, r: 8, p: 1 })
    const phrase = 'twelve words'
    const file = await seal(
      noise(9),
      { lock: { kind: 'passphrase', kdf }, key: await stretch('open', kdf) },
      { phrase },
    )
    const asked: BackupLock[] = []
    const opened = await openBackup(pieces(file), (lock) => {
      asked.push(lock)
      return lock.kind === 'passphrase' ? stretch('open', lock.kdf) : Promise.reject(new Error())
    })
    expect(asked).toEqual([{ kind: 'passphrase', kdf }])
    expect(opened).toMatchObject({ phrase, lock: 'passphrase' })
    expect(await all(opened.content)).toHaveLength(9)
    const wrong = openBackup(pieces(file), (lock) => stretch('opem', 'kdf' in lock ? lock.kdf : kdf))
    await expect(wrong).rejects.toMatchObject({ code: 'wrong_passphrase' })
  })

  test('is not in the file: no piece of it, no word, no time', async () => {
    const content = Buffer.from('A line that payers wrote. '.repeat(50))
    const text = Buffer.from(await seal(content, byPhrase, { phrase: 'abandon ability able' })).toString('latin1')
    for (const open of ['payers', 'SQLite', 'abandon', 'savedAt', String(description.savedAt)]) {
      expect(text).not.toContain(open)
    }
  })

  test('looks different each time, from the first random byte on', async () => {
    const content = noise(100)
    const [one, two] = [await seal(content), await seal(content)]
    expect(one.subarray(0, 6)).toEqual(two.subarray(0, 6))
    const longestRun = (a: Uint8Array, b: Uint8Array): number => {
      let run = 0
      let longest = 0
      for (let at = 6; at < a.length; at++) {
        run = a[at] === b[at] ? run + 1 : 0
        longest = Math.max(longest, run)
      }
      return longest
    }
    expect(longestRun(one, two)).toBeLessThan(4)
  })

  test('can be opened by what this page says of the format, with other code', async () => {
    const content = noise(2 * chunkBytes + 1000)
    const file = await seal(content)
    const start = file.subarray(0, 25)
    const okm = hkdf(sha256, key, start, Buffer.from('farthing/backup-file/1'), 48)
    expect(file.subarray(25, 41)).toEqual(okm.subarray(32))
    expect(Buffer.from(file.subarray(41, 49))).toEqual(
      createHash('sha256').update(file.subarray(0, 41)).digest().subarray(0, 8),
    )
    const chunks = Math.ceil((file.length - headerBytes) / sealedChunk)
    expect(chunks).toBe(3)
    const plain = Buffer.concat(
      Array.from({ length: chunks }, (_, number) => {
        const nonce = joined(start.subarray(6), Uint8Array.of(0, 0, 0, number, number === chunks - 1 ? 1 : 0))
        const sealed = file.subarray(headerBytes + number * sealedChunk).subarray(0, sealedChunk)
        return xchacha20poly1305(okm.subarray(0, 32), nonce).decrypt(sealed)
      }),
    )
    const length = plain.readUInt32BE(0)
    expect(JSON.parse(plain.subarray(4, 4 + length).toString())).toEqual(description)
    expect(new Uint8Array(inflateRawSync(plain.subarray(4 + length)))).toEqual(content)
  })
})

describe('a file that was changed', () => {
  test('is refused, whichever byte of it was', async () => {
    const file = await seal(noise(300))
    const outcomes = new Set<unknown>()
    for (let at = 0; at < file.length; at++) {
      const outcome = await read(changed(file, at, 1 << (at % 8)))
      expect(outcome, `byte ${at}`).toBeTypeOf('string')
      outcomes.add(outcome)
    }
    // The version says itself that it is another one.
    expect([...outcomes].sort()).toEqual(['backup_too_new', 'bad_backup'])
  }, 60_000)

  test('in its header is damaged, not of another phrase', async () => {
    const file = await seal(noise(10))
    for (const at of [0, 5, 6, 24, 25, 40, 41, 48]) expect(await read(changed(file, at))).toBe('bad_backup')
  })

  test('is refused in every chunk, and nothing of a changed chunk is given out', async () => {
    const content = noise(4 * chunkBytes)
    const file = await seal(content)
    for (const chunk of [0, 1, 2, 3]) {
      const given: Uint8Array[] = []
      const { content: part } = await openBackup(
        pieces(changed(file, headerBytes + chunk * sealedChunk + 100)),
        async () => key,
      ).catch(() => ({ content: pieces(new Uint8Array()) }))
      const reading = (async () => {
        for await (const one of part) given.push(one)
      })()
      if (chunk > 0) await expect(reading).rejects.toMatchObject({ code: 'bad_backup' })
      const got = joined(...given)
      expect(got.length).toBeLessThan((chunk + 1) * chunkBytes)
      expect(got).toEqual(content.subarray(0, got.length))
    }
  })
})

describe('a file that is not whole', () => {
  test('is refused wherever it ends', async () => {
    const file = await seal(noise(2 * chunkBytes))
    const ends = [0, 3, 5, 6, 25, 41, 48, 49, 50, 65, 66, headerBytes + sealedChunk]
    for (const end of [...ends, headerBytes + 2 * sealedChunk, file.length - 17, file.length - 16, file.length - 1]) {
      expect(await read(file.subarray(0, end)), `cut at ${end}`).toBe('bad_backup')
    }
  })

  test('or has more than it had, is refused', async () => {
    const file = await seal(noise(2 * chunkBytes))
    const last = file.subarray(headerBytes + 2 * sealedChunk)
    for (const more of [Uint8Array.of(0), last, file, noise(sealedChunk)]) {
      expect(await read(joined(file, more))).toBe('bad_backup')
    }
  })

  test('whose chunks were swapped, doubled or taken out, or come from another file, is refused', async () => {
    const content = noise(4 * chunkBytes)
    const [file, other] = [await seal(content), await seal(content)]
    const part = (of: Uint8Array, index: number) =>
      of.subarray(headerBytes + index * sealedChunk, headerBytes + (index + 1) * sealedChunk)
    const header = file.subarray(0, headerBytes)
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((index) => part(file, index)) as Uint8Array[]
    expect(await read(joined(header, a!, b!, c!, d!, e!))).toEqual(content)
    for (const chunks of [
      [a, c, b, d, e],
      [a, a, b, c, d, e],
      [a, b, d, e],
      [b, a, c, d, e],
      [a, part(other, 1), c, d, e],
      [e],
      [a, b, c, d, part(other, 4)],
    ]) {
      expect(await read(joined(header, ...(chunks as Uint8Array[])))).toBe('bad_backup')
    }
    expect(await read(joined(other.subarray(0, headerBytes), a!, b!, c!, d!, e!))).toBe('bad_backup')
  })
})

describe('a key', () => {
  test('of another phrase is told before anything is decrypted', async () => {
    expect(await read(await seal(noise(10)), noise(32))).toBe('foreign_backup')
    const header = (await seal(noise(10))).subarray(0, headerBytes)
    expect(await read(header, noise(32))).toBe('foreign_backup')
  })

  test('of a phrase is the same everywhere and tells nothing of the wallet; every phrase has its own', () => {
    const [one, two] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)].map(backupSecretsOf)
    expect(Buffer.from(one!.key).toString('hex')).toBe(backupVector.key)
    expect(one!.tag).toBe(backupVector.tag)
    expect(two!.key).not.toEqual(one!.key)
    expect(two!.tag).not.toBe(one!.tag)
  })

  test('derivation that would cost gigabytes or minutes is refused before it is begun', async () => {
    const kdf = newKdf(random, { logN: 10, r: 8, p: 1 })
    const file = await seal(noise(10), { lock: { kind: 'passphrase', kdf }, key })
    const withCost = (logN: number, r: number, p: number) => {
      const other = file.slice()
      other.set([1, logN, r, p], 6)
      const end = headerBytes + 20 - 8
      other.set(sha256(other.subarray(0, end)).subarray(0, 8), end)
      return other
    }
    let asked = 0
    const outcome = async (bytes: Uint8Array): Promise<string> => {
      const opened = openBackup(pieces(bytes), async () => {
        asked++
        return key
      })
      return opened.then(
        () => 'opened',
        (error) => error.code,
      )
    }
    for (const [logN, r, p] of [
      [255, 8, 1],
      [30, 8, 1],
      [19, 8, 1],
      [10, 255, 1],
      [10, 8, 255],
      [10, 8, 0],
      [0, 8, 1],
    ] as const) {
      expect(await outcome(withCost(logN, r, p))).toBe('bad_backup')
    }
    expect(asked).toBe(0)
    expect(await outcome(withCost(10, 8, 1))).toBe('opened')
  })
})

describe('a file of another kind', () => {
  test('of a newer format is told so; any other is no backup', async () => {
    const file = await seal(noise(10))
    for (const version of [2, 255]) expect(await read(changed(file, 4, version ^ 1))).toBe('backup_too_new')
    expect(await read(changed(file, 4, 1))).toBe('bad_backup')
    for (const bytes of [new Uint8Array(), Buffer.from('SQLite format 3\0'), noise(200), Buffer.from('FTHP\x01')]) {
      expect(await read(new Uint8Array(bytes))).toBe('bad_backup')
    }
  })

  test('whatever it is, is refused without harm', async () => {
    const start = (await seal(noise(3))).subarray(0, 6)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, hasStart) => {
        expect(await read(hasStart ? joined(start, bytes) : bytes)).toBe('bad_backup')
      }),
      { numRuns: 300 },
    )
  })

  test('made with the key but not by us is refused: no description, a strange one, no deflate', async () => {
    const start = joined(Buffer.from('FTHB\x01\0', 'latin1'), noise(19))
    const okm = hkdf(sha256, key, start, Buffer.from('farthing/backup-file/1'), 48)
    const checked = joined(start, okm.subarray(32))
    const sealed = (plain: Uint8Array) =>
      joined(
        checked,
        sha256(checked).subarray(0, 8),
        xchacha20poly1305(okm.subarray(0, 32), joined(start.subarray(6), Uint8Array.of(0, 0, 0, 0, 1))).encrypt(plain),
      )
    const about = (text: string, length = text.length) =>
      joined(Uint8Array.of(0, 0, length >> 8, length & 255), Buffer.from(text))
    const good = about(JSON.stringify(description))
    expect(await read(sealed(joined(good, deflateRawSync(Buffer.from('ok')))))).toEqual(
      new Uint8Array(Buffer.from('ok')),
    )
    for (const plain of [
      Uint8Array.of(0),
      about('', 5),
      about('{'),
      about('[]'),
      about(JSON.stringify({ ...description, savedAt: 'today' })),
      about(JSON.stringify({ ...description, more: 1 })),
      about(' '.repeat(5000)),
      joined(good, noise(50).fill(255)),
      good,
    ]) {
      expect(await read(sealed(plain))).toBe('bad_backup')
    }
  })
})

test('a source that fails is closed, and so is one that is not read to its end', async () => {
  const file = await seal(noise(3 * chunkBytes))
  let isClosed = false
  async function* watched(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces(bytes)
    } finally {
      isClosed = true
    }
  }
  const isClosedAfter = async (work: () => Promise<unknown>): Promise<boolean> => {
    isClosed = false
    await work().catch(() => {})
    await vi.waitFor(() => expect(isClosed).toBe(true))
    return isClosed
  }
  expect(await isClosedAfter(() => openBackup(watched(noise(99_999)), async () => key))).toBe(true)
  expect(await isClosedAfter(() => openBackup(watched(file), async () => noise(32)))).toBe(true)
  expect(await isClosedAfter(() => openBackup(watched(file), () => Promise.reject(new Error())))).toBe(true)
  expect(await isClosedAfter(async () => (await openBackup(watched(file), async () => key)).close())).toBe(true)
  const stop = async () => {
    const { content } = await openBackup(watched(file), async () => key)
    for await (const _ of content) break
  }
  expect(await isClosedAfter(stop)).toBe(true)
  const fail = async () => all((await openBackup(watched(changed(file, 150_000)), async () => key)).content)
  expect(await isClosedAfter(fail)).toBe(true)
})

/** H(domain) = HMAC-SHA512(S, domain ‖ 0x00) of a seed of 64 bytes 0x01. */
const backupVector = {
  key: '2d0459c399230e6dc435b2bb8237950568fb0dd7b757814010b5d8e88e868081',
  tag: 'c2778b0f',
}
