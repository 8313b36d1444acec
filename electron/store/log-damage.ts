// The write-ahead log of a SQLite database (https://sqlite.org/fileformat2.html#the_write_ahead_log): what was committed and
// is not in the database itself yet. Where a frame of it is damaged, SQLite drops everything from there on without a word,
// and writes over it. So it is looked through before the database is opened to write.

import { closeSync, constants, copyFileSync, existsSync, openSync, readSync, statSync } from 'node:fs'

const magic = { littleEndian: 0x377f0682, bigEndian: 0x377f0683 } as const
const headerBytes = 32
const frameHeaderBytes = 24
const checkedHeaderBytes = 24
const checkedFrameBytes = 8
const maxPageBytes = 65_536

type Salts = { readonly first: number; readonly second: number }
type Checksum = readonly [number, number]

/**
 * How many commits of this log SQLite would drop because something before them, or they themselves, are damaged. One may be
 * the last transaction of a power cut, which nobody was told of: each is flushed before the next begins. Two are a loss.
 */
export function commitsDropped(logPath: string): number {
  if (!existsSync(logPath) || statSync(logPath).size < headerBytes + frameHeaderBytes) return 0
  const file = openSync(logPath, 'r')
  try {
    return countDropped(file, statSync(logPath).size)
  } finally {
    closeSync(file)
  }
}

/**
 * Keep a copy of a log beside it, mode 0600, under a name that says which one it is: the same log is kept once.
 * @throws the system's error where there is no room: then the log must not be opened
 */
export function keepLog(logPath: string): void {
  const salt = Buffer.alloc(8)
  const file = openSync(logPath, 'r')
  try {
    readSync(file, salt, 0, salt.length, 16)
  } finally {
    closeSync(file)
  }
  const kept = `${logPath}-damaged-${salt.toString('hex')}`
  if (!existsSync(kept)) copyFileSync(logPath, kept, constants.COPYFILE_EXCL)
}

function countDropped(file: number, size: number): number {
  const header = Buffer.alloc(headerBytes)
  readSync(file, header, 0, headerBytes, 0)
  const isBigEndian = header.readUInt32BE(0) === magic.bigEndian
  const pageBytes = header.readUInt32BE(8)
  // Nothing can be read by a header like that; of what follows nothing is known.
  if (!isBigEndian && header.readUInt32BE(0) !== magic.littleEndian) return Number.POSITIVE_INFINITY
  if (pageBytes < 512 || pageBytes > maxPageBytes) return Number.POSITIVE_INFINITY
  const salts: Salts = { first: header.readUInt32BE(16), second: header.readUInt32BE(20) }
  let checksum = checksumOf(header.subarray(0, checkedHeaderBytes), [0, 0], isBigEndian)
  if (!isEqual(checksum, header, 24)) return Number.POSITIVE_INFINITY
  let isWhole = true
  let dropped = 0
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes)
  for (let at = headerBytes; at + frame.length <= size; at += frame.length) {
    readSync(file, frame, 0, frame.length, at)
    // Of an earlier round of the same file: behind the end of this one.
    if (frame.readUInt32BE(8) !== salts.first || frame.readUInt32BE(12) !== salts.second) {
      isWhole = false
      continue
    }
    if (isWhole) {
      checksum = checksumOf(frame.subarray(0, checkedFrameBytes), checksum, isBigEndian)
      checksum = checksumOf(frame.subarray(frameHeaderBytes), checksum, isBigEndian)
      isWhole = isEqual(checksum, frame, 16)
    }
    const isCommit = frame.readUInt32BE(4) !== 0
    if (!isWhole && isCommit) dropped++
  }
  return dropped
}

/** s0 += x[i] + s1; s1 += x[i+1] + s0, over 32-bit words in the byte order that the magic number names. */
function checksumOf(bytes: Buffer, [s0, s1]: Checksum, isBigEndian: boolean): Checksum {
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + s1) >>> 0
    s1 = (s1 + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + s0) >>> 0
  }
  return [s0, s1]
}

const isEqual = ([s0, s1]: Checksum, bytes: Buffer, at: number): boolean =>
  bytes.readUInt32BE(at) === s0 && bytes.readUInt32BE(at + 4) === s1
