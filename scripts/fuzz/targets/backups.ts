// Files that a person brings along: backups, down to the database in them, and what holds the phrase. Whoever made a file
// may know its key, so what is inside is as foreign as what is around it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { openBackup, sealBackup } from '../../../electron/backup-file.ts'
import { assertUnlockable, phraseOfWords, readPhrase, sealingOf, tidyPhrase } from '../../../electron/keys.ts'
import { sealWithPassphrase } from '../../../electron/passphrase.ts'
import { type Sealer, wrapLock } from '../../../electron/sealing.ts'
import { newestSchema, readyDatabase } from '../../../electron/store/backup-store.ts'
import { openWalletStore } from '../../../electron/store/wallet-store.ts'
import { concatBytes, uint32, utf8ToBytes } from '../../../shared/cashu/numbers.ts'
import { hold, type OpenTarget, plain, type Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'
import { holdSameBytes } from './structures.ts'

const key = new Uint8Array(32).fill(9)
/** Always the same: a file that was made again is the same file. */
const random = { bytes: (length: number) => new Uint8Array(length).fill(5) }
const about = { savedAt: 1, program: '0.1.0', schema: 3, phrase: null }

const all = async (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return concatBytes(...parts)
}
async function* alone(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // In pieces, as a disk gives them.
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}
const sealed = (content: Uint8Array): Promise<Uint8Array> =>
  all(sealBackup({ lock: { kind: 'phrase' }, key, description: about, content: alone(content), random }))

/** A file of one chunk as docs/backup.md has it, whatever its plain bytes are. */
function fileAround(plainBytes: Uint8Array): Uint8Array {
  const start = concatBytes(utf8ToBytes('FTHB'), Uint8Array.of(1, 0), random.bytes(19))
  const keys = hkdf(sha256, key, start, utf8ToBytes('farthing/backup-file/1'), 48)
  const checked = concatBytes(start, keys.subarray(32))
  const nonce = concatBytes(start.subarray(-19), uint32(0), Uint8Array.of(1))
  return concatBytes(
    checked,
    sha256(checked).subarray(0, 8),
    xchacha20poly1305(keys.subarray(0, 32), nonce).encrypt(plainBytes),
  )
}

const described = (text: string, content: Uint8Array): Uint8Array =>
  concatBytes(uint32(text.length), utf8ToBytes(text), content)
const marks = { file: 0x66, plain: 0x70 } as const
const marked = (mark: number, bytes: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(mark), bytes)

/** A letter in front: `f` is the file itself, `p` what its maker put into it. */
export const backupFile: Target = {
  form: 'bytes',
  maxBytes: 60_000,
  codes: ['bad_backup', 'backup_too_new', 'foreign_backup', 'wrong_passphrase'],
  words: ['FTHB', 'savedAt', '"schema":', '"phrase":null', '{"savedAt":1,"program":"x","schema":1,"phrase":null}'],
  open: async (): Promise<OpenTarget> => ({
    seeds: [
      marked(marks.file, await sealed(bytesOf('content'))),
      marked(marks.plain, described(JSON.stringify(about), deflateRawSync('content'))),
      marked(
        marks.plain,
        described(JSON.stringify({ ...about, phrase: 'abandon about' }), deflateRawSync('x'.repeat(9_999))),
      ),
      marked(marks.plain, described('{}', new Uint8Array())),
    ],
    run: async (input) => {
      const bytes = Uint8Array.from(input.subarray(1))
      const isOurs = input[0] !== marks.file
      const file = isOurs ? fileAround(bytes) : bytes
      const { content, savedAt, schema } = await openBackup(alone(file), async () => key)
      hold(Number.isSafeInteger(savedAt) && schema >= 1, 'a description that is none')
      const read = await all(content)
      // Only the very bytes that were written are read.
      if (!isOurs) holdSameBytes(await sealed(read), file, 'another file was accepted')
    },
    close: async () => {},
  }),
}

export const backupDatabase: Target = {
  form: 'bytes',
  maxBytes: 600_000,
  codes: ['bad_backup', 'backup_too_new', 'folder_damaged'],
  words: ['SQLite format 3\0', 'CREATE TRIGGER', 'CREATE VIEW', 'operation', 'INTEGER', 'json_valid'],
  open: async (): Promise<OpenTarget> => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
    const path = join(folder, 'wallet.db')
    openWalletStore(path).close()
    const good = readFileSync(path)
    hold(newestSchema > 0, 'no schema')
    return {
      seeds: [good],
      run: (input) => {
        for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
        writeFileSync(path, input)
        readyDatabase(path)
        // What was found good is opened as a wallet is, and its rows are read.
        const store = openWalletStore(path)
        try {
          store.read.operations({})
          store.read.mints()
        } finally {
          store.close()
        }
      },
      close: async () => rmSync(folder, { recursive: true }),
    }
  },
}

/** A keychain that turns every byte. */
const keychain: Sealer = {
  kind: 'os',
  seal: async (text) => Uint8Array.from(bytesOf(text), (byte) => byte ^ 0xff),
  unseal: async (bytes) => ({ text: textOf(Uint8Array.from(bytes, (byte) => byte ^ 0xff)), isStale: false }),
}
const names = ['phrase', 'phrase.sealed', 'phrase.locked'] as const
const phrase = `${'abandon '.repeat(11)}about`
const cheap = { logN: 10, r: 8, p: 1 }
const withSum = (bytes: Uint8Array): Uint8Array => concatBytes(bytes, sha256(bytes).subarray(0, 8))

/** A digit in front says which file it is; from `3` on, its checksum is made right. */
export const phraseFile: Target = {
  form: 'bytes',
  maxBytes: 8_192,
  codes: ['bad_phrase', 'phrase_sealed', 'no_phrase', 'locked'],
  words: [phrase, 'FTHP\u0001', 'FTHO\u0001', 'abandon', 'zoo', '\n'],
  open: async (): Promise<OpenTarget> => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
    const lock = await sealWithPassphrase(utf8ToBytes(phrase), 'a long passphrase', random, cheap)
    const wrapped = await wrapLock(lock, keychain)
    return {
      seeds: [
        bytesOf(`0${phrase}\n`),
        concatBytes(bytesOf('1'), await keychain.seal(phrase)),
        ...[lock, wrapped].map((bytes) => concatBytes(bytesOf('2'), bytes)),
        ...[lock, wrapped].map((bytes) => concatBytes(bytesOf('5'), bytes.subarray(0, -8))),
      ],
      run: async (input) => {
        rmSync(folder, { recursive: true })
        mkdirSync(folder, { mode: 0o700 })
        const kind = (input[0] ?? 0) - 0x30
        const bytes = Uint8Array.from(input.subarray(1))
        const name = names[(kind + names.length * 100) % names.length] ?? names[0]
        writeFileSync(join(folder, name), kind >= 3 ? withSum(bytes) : bytes)
        tidyPhrase(folder)
        hold(sealingOf(folder) !== null, 'a phrase that is gone')
        if (sealingOf(folder) === 'passphrase') return assertUnlockable(folder, keychain)
        phraseOfWords((await readPhrase(folder, keychain)).split(' '))
      },
      close: async () => rmSync(folder, { recursive: true }),
    }
  },
}

/** Words as a person types them. */
export const words: Target = {
  form: 'text',
  maxBytes: 4_096,
  codes: ['bad_phrase'],
  words: ['abandon', 'about', 'zoo', ' ', 'Abandon', 'ábaco'],
  seeds: [bytesOf(phrase), bytesOf(phrase.toUpperCase())],
  open: plain((input) => {
    const read = phraseOfWords(textOf(input).split(' '))
    hold(read.split(' ').length === 12 && phraseOfWords(read.split(' ')) === read, 'twelve words that are none')
  }),
}
