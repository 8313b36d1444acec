// The format of a backup file: one stream of bytes under one key, in chunks that count only in their order and only all
// of them. Pure of files: bytes in, bytes out. What it holds and why is in docs/backup.md.
//
// Format (version 1), integers big-endian:
//   magic      4   'FTHB'
//   version    1   1
//   key kind   1   0: the key is the phrase's · 1: the key is stretched from a passphrase
//   kdf       20   only of kind 1: as in electron/passphrase.ts
//   nonce     19   random
//   check     16   says whether a key is the right one
//   sum        8   first bytes of SHA-256 of everything before: a damaged header is not taken for a wrong key
//   chunks         XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) of 65,536 bytes each but the last, which is shorter or
//                  as long, and never empty; nonce = nonce(19) ‖ number(4), from 0 ‖ 1 for the last one, 0 for others
//                  (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015)
//
// chunk key(32) ‖ check(16) = HKDF-SHA256(ikm = key, salt = everything before check, info = 'farthing/backup-file/1'), so
// the header is bound to every chunk. The check differs from file to file of one wallet: it tells who holds the key that it
// is the key, and tells a stranger nothing, not even that two files belong together.
//
// The bytes in the chunks: length(4) of the description · the description as JSON · content(raw deflate, RFC 1951).
// The description stands outside the deflate stream: a phrase must not be compressed together with what payers wrote.

import { pipeline, Readable, type Transform } from 'node:stream'
import { createDeflateRaw, createInflateRaw } from 'node:zlib'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { equalBytes } from '@noble/ciphers/utils.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, uint32, utf8ToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import { readAs, z } from '../shared/schema.ts'
import { decodeKdf, encodeKdf, type Kdf, kdfBytes } from './passphrase.ts'
import type { Random } from './wallet/ports.ts'

/** What is known of the content before it is looked at. */
const description = z.strictObject({
  /** Milliseconds: the moment whose state it holds. */
  savedAt: z.number().int().min(0),
  /** Version of the program that wrote it. */
  program: z.string().max(64),
  /** How many migrations made the database. */
  schema: z.number().int().min(1),
  /** The twelve words, in a file that a passphrase opens; null where the phrase is the key. */
  phrase: z.string().max(200).nullable(),
})
export type BackupDescription = z.infer<typeof description>

/** What opens a file. */
export type BackupLock = { readonly kind: 'phrase' } | { readonly kind: 'passphrase'; readonly kdf: Kdf }

export type OpenBackup = BackupDescription & {
  readonly lock: BackupLock['kind']
  /**
   * The bytes that were saved, each piece authenticated before it is given out. They are whole only when this came to its
   * end: what was written of them until it throws `bad_backup` is to be thrown away.
   */
  readonly content: AsyncGenerator<Uint8Array>
  /** Instead of reading the content, or of reading on. */
  close(): Promise<void>
}

/** A larger file is neither written nor read: a payment takes about nine kilobytes of it. */
const maxBackupBytes = 2 ** 32
/** So is a content that is larger than this when it is unpacked. */
const maxContentBytes = 2 ** 34

const magic = utf8ToBytes('FTHB')
const formatVersion = 1
const kinds = ['phrase', 'passphrase'] as const
const nonceBytes = 19
const checkBytes = 16
const sumBytes = 8
const chunkBytes = 65_536
const tagBytes = 16
const maxDescriptionBytes = 4096
const startBytes = magic.length + 2
/** Fast: what does not get smaller here is random anyway. */
const deflateLevel = 1

/**
 * A backup file, piece by piece.
 * @param key of the phrase (`BackupSecrets.key`), or stretched with `lock.kdf`
 * @param content what is saved; read as it is asked for
 */
export async function* sealBackup(parts: {
  readonly lock: BackupLock
  readonly key: Uint8Array
  readonly description: BackupDescription
  readonly content: AsyncIterable<Uint8Array>
  readonly random: Random
}): AsyncGenerator<Uint8Array> {
  const { lock } = parts
  const start = concatBytes(
    magic,
    Uint8Array.of(formatVersion, kinds.indexOf(lock.kind)),
    lock.kind === 'passphrase' ? encodeKdf(lock.kdf) : new Uint8Array(),
    parts.random.bytes(nonceBytes),
  )
  const { chunkKey, check } = keysOf(parts.key, start)
  const checked = concatBytes(start, check)
  yield concatBytes(checked, sumOf(checked))
  const nonce = start.subarray(-nonceBytes)
  let number = 0
  let size = 0
  for await (const { bytes, isLast } of inChunks(plainOf(description.parse(parts.description), parts.content))) {
    size += bytes.length + tagBytes
    if (size > maxBackupBytes) throw new AppError('internal', 'too large for a backup file')
    yield cipherOf(chunkKey, nonce, number, isLast).encrypt(bytes)
    number++
  }
}

/**
 * Read the header, find the key and read the description.
 * @param file in pieces of any size; closed when this fails, and when the content fails or ends
 * @param keyFor the key for a lock, 32 bytes; it may throw instead
 * @throws AppError `bad_backup`, `backup_too_new`; `foreign_backup` when the phrase is another one, `wrong_passphrase`
 */
export async function openBackup(
  file: AsyncIterable<Uint8Array>,
  keyFor: (lock: BackupLock) => Promise<Uint8Array>,
): Promise<OpenBackup> {
  const reader = createReader(file)
  try {
    const { start, lock, check } = await readHeader(reader)
    const keys = keysOf(await keyFor(lock), start)
    if (!equalBytes(keys.check, check)) {
      throw lock.kind === 'phrase'
        ? new AppError('foreign_backup', 'a file of another phrase')
        : new AppError('wrong_passphrase', 'another passphrase opens this file')
    }
    const plain = openChunks(reader, keys.chunkKey, start.subarray(-nonceBytes))
    const first = await plain.next()
    const { value, length } = readDescription(first.done ? new Uint8Array() : first.value)
    const rest = first.done ? new Uint8Array() : first.value.subarray(length)
    return { ...value, lock: lock.kind, content: inflated(rest, plain), close: reader.close }
  } catch (error) {
    await reader.close()
    throw error
  }
}

const bad = (why: string, cause?: unknown): AppError => new AppError('bad_backup', why, { cause })

const sumOf = (header: Uint8Array): Uint8Array => sha256(header).subarray(0, sumBytes)

function keysOf(key: Uint8Array, start: Uint8Array): { readonly chunkKey: Uint8Array; readonly check: Uint8Array } {
  const bytes = hkdf(sha256, key, start, utf8ToBytes('farthing/backup-file/1'), 32 + checkBytes)
  return { chunkKey: bytes.subarray(0, 32), check: bytes.subarray(32) }
}

const cipherOf = (key: Uint8Array, nonce: Uint8Array, number: number, isLast: boolean) =>
  xchacha20poly1305(key, concatBytes(nonce, uint32(number), Uint8Array.of(isLast ? 1 : 0))) // nonce(19) ‖ number(4) ‖ last(1)

// ---- writing

async function* plainOf(about: BackupDescription, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const text = utf8ToBytes(JSON.stringify(about))
  yield concatBytes(uint32(text.length), text)
  yield* through(createDeflateRaw({ level: deflateLevel }), content)
}

/** What comes out of a zlib stream; whatever goes wrong on either side of it is thrown, and closes both. */
async function* through(stream: Transform, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // What the callback is told, the loop is told too.
  pipeline(Readable.from(source, { objectMode: false }), stream, () => {})
  for await (const part of stream) yield new Uint8Array(part)
}

/** Cut into chunks of full size; at least one, and the last one is told from the others. */
async function* inChunks(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  const reader = createReader(source)
  for (;;) {
    const { bytes, isLast } = await reader.chunk(chunkBytes)
    yield { bytes, isLast }
    if (isLast) return
  }
}

// ---- reading

type Reader = {
  /** Exactly so many bytes. @throws AppError `bad_backup` when there are fewer */
  exactly(count: number): Promise<Uint8Array>
  /** As many bytes, or what is left, and whether anything follows. */
  chunk(count: number): Promise<{ readonly bytes: Uint8Array; readonly isLast: boolean }>
  close(): Promise<void>
}

function createReader(source: AsyncIterable<Uint8Array>): Reader {
  const iterator = source[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array()
  let isOver = false
  const hold = async (count: number): Promise<void> => {
    const parts = [held]
    let size = held.length
    while (!isOver && size < count) {
      const next = await iterator.next()
      if (next.done) isOver = true
      else {
        parts.push(next.value)
        size += next.value.length
      }
    }
    if (parts.length > 1) held = concatBytes(...parts)
  }
  const take = (count: number): Uint8Array => {
    const bytes = held.subarray(0, count)
    held = held.subarray(count)
    return bytes
  }
  return {
    exactly: async (count) => {
      await hold(count)
      if (held.length < count) throw bad('too short')
      return take(count)
    },
    chunk: async (count) => {
      await hold(count + 1)
      const isLast = held.length <= count
      return { bytes: take(count), isLast }
    },
    close: async () => {
      await iterator.return?.()
    },
  }
}

type Header = { readonly start: Uint8Array; readonly lock: BackupLock; readonly check: Uint8Array }

async function readHeader(reader: Reader): Promise<Header> {
  const first = await reader.exactly(startBytes)
  if (!magic.every((byte, index) => first[index] === byte)) throw bad('not a backup file')
  const [version = 0, kindNumber = -1] = first.subarray(magic.length)
  if (version > formatVersion) throw new AppError('backup_too_new', 'a format of a newer program')
  const kind = kinds[kindNumber]
  if (version !== formatVersion || kind === undefined) throw bad('no format of ours')
  const kdfPart = await reader.exactly(kind === 'passphrase' ? kdfBytes : 0)
  const start = concatBytes(first, kdfPart, await reader.exactly(nonceBytes))
  const check = await reader.exactly(checkBytes)
  if (!equalBytes(await reader.exactly(sumBytes), sumOf(concatBytes(start, check)))) throw bad('the header is damaged')
  if (kind === 'phrase') return { start, lock: { kind }, check }
  const kdf = decodeKdf(kdfPart)
  if (!kdf) throw bad('a key derivation that no file of ours has')
  return { start, lock: { kind, kdf }, check }
}

async function* openChunks(reader: Reader, key: Uint8Array, nonce: Uint8Array): AsyncGenerator<Uint8Array> {
  try {
    let size = 0
    for (let number = 0; ; number++) {
      const { bytes, isLast } = await reader.chunk(chunkBytes + tagBytes)
      size += bytes.length
      if (size > maxBackupBytes) throw bad('too large')
      if (bytes.length <= tagBytes) throw bad('cut short')
      yield opened(() => cipherOf(key, nonce, number, isLast).decrypt(bytes))
      if (isLast) return
    }
  } finally {
    await reader.close()
  }
}

function opened(decrypt: () => Uint8Array): Uint8Array {
  try {
    return decrypt()
  } catch (cause) {
    throw bad('a part of it is damaged, missing or out of place', cause)
  }
}

/** @returns the description and how many bytes it takes */
function readDescription(plain: Uint8Array): { readonly value: BackupDescription; readonly length: number } {
  if (plain.length < 4) throw bad('no description')
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0)
  if (length > maxDescriptionBytes || plain.length < 4 + length) throw bad('no description')
  const parsed = readAs(description, parseJson(plain.subarray(4, 4 + length)))
  if (!parsed.success) throw bad('a description that is not understood', parsed.error)
  return { value: parsed.data, length: 4 + length }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

async function* inflated(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  try {
    for await (const part of through(createInflateRaw(), following(first, rest))) {
      size += part.length
      if (size > maxContentBytes) throw bad('too large when it is unpacked')
      yield part
    }
  } catch (error) {
    throw error instanceof AppError ? error : bad('it cannot be unpacked', error)
  }
}

async function* following(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}
