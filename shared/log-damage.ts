// The write-ahead log of a SQLite database (https://sqlite.org/fileformat2.html#the_write_ahead_log): what was committed and
// is not in the database itself yet. Where a frame of it is damaged, SQLite drops everything from there on without a word,
// and writes over it. So it is looked through before the database is opened. Pure: whoever has the files reads them.

const magic = { littleEndian: 0x377f0682, bigEndian: 0x377f0683 } as const
const headerBytes = 32
const frameHeaderBytes = 24
const checkedHeaderBytes = 24
const checkedFrameBytes = 8
const maxPageBytes = 65_536

/** A file, read piece by piece. */
export type LogFile = { readonly size: number; readonly read: (at: number, length: number) => Uint8Array }

export type LogState = {
  /**
   * How many commits SQLite would drop because something before them, or they themselves, are damaged. One may be the last
   * transaction of a power cut, which nobody was told of: each is flushed before the next begins. Two are a loss.
   */
  readonly dropped: number
  /** Frames up to the last commit that SQLite would keep. */
  readonly kept: number
  /** Which round of the log it is, 16 hex characters; undefined where it has not even a frame. */
  readonly round: string | undefined
}

type Checksum = readonly [number, number]
type Round = { readonly pageBytes: number; readonly isBigEndian: boolean; readonly checksum: Checksum }

const empty: LogState = { dropped: 0, kept: 0, round: undefined }

/** What SQLite would make of this log. */
export function lookThroughLog({ size, read }: LogFile): LogState {
  if (size < headerBytes + frameHeaderBytes) return empty
  const header = read(0, headerBytes)
  const round = hexOf(header.subarray(16, 24))
  const known = readHeader(header)
  // Of what follows a header that cannot be read nothing is known.
  if (!known) return { dropped: Number.POSITIVE_INFINITY, kept: 0, round }
  let { checksum } = known
  let isWhole = true
  let dropped = 0
  let kept = 0
  const frameBytes = frameHeaderBytes + known.pageBytes
  for (let number = 1, at = headerBytes; at + frameBytes <= size; number++, at += frameBytes) {
    const frame = read(at, frameBytes)
    // Of an earlier round of the same file: behind the end of this one.
    if (hexOf(frame.subarray(8, 16)) !== round) {
      isWhole = false
      continue
    }
    if (isWhole) {
      checksum = checksumOf(frame.subarray(0, checkedFrameBytes), checksum, known.isBigEndian)
      checksum = checksumOf(frame.subarray(frameHeaderBytes), checksum, known.isBigEndian)
      isWhole = isEqual(checksum, frame, 16)
    }
    const isCommit = viewOf(frame).getUint32(4) !== 0
    if (isCommit && isWhole) kept = number
    if (isCommit && !isWhole) dropped++
  }
  return { dropped, kept, round }
}

function readHeader(header: Uint8Array): Round | undefined {
  const view = viewOf(header)
  const isBigEndian = view.getUint32(0) === magic.bigEndian
  const pageBytes = view.getUint32(8)
  if (!isBigEndian && view.getUint32(0) !== magic.littleEndian) return undefined
  if (pageBytes < 512 || pageBytes > maxPageBytes) return undefined
  const checksum = checksumOf(header.subarray(0, checkedHeaderBytes), [0, 0], isBigEndian)
  return isEqual(checksum, header, 24) ? { pageBytes, isBigEndian, checksum } : undefined
}

/** Both copies of what the index of a log begins with, and how far the log is in the database (https://sqlite.org/walformat.html). */
export const indexHeadBytes = 100
const indexCopyBytes = 48
const checkedIndexBytes = 40
const indexVersion = 3_007_000

/**
 * Whether more was committed to this log than is left of it. The index (`-shm`) is written after the commit it counts is
 * flushed, so it convicts; it never acquits, because nobody flushes the index itself.
 * @param index the first `indexHeadBytes` of it; undefined where it is not there, or is shorter
 */
export function hasLostCommits(log: LogState, index: Uint8Array | undefined): boolean {
  if (log.dropped > 1) return true
  const known = index && readIndex(index)
  if (!known) return false
  // A log of which nothing is left lost nothing that was in the database already.
  if (log.round === undefined) return known.frames > known.inDatabase
  return known.round === log.round && known.frames > log.kept
}

type LogIndex = { readonly round: string; readonly frames: number; readonly inDatabase: number }

/** In the byte order of the computer: what is not little-endian is not read, and tells nothing. */
function readIndex(index: Uint8Array): LogIndex | undefined {
  const [first, second] = [index.subarray(0, indexCopyBytes), index.subarray(indexCopyBytes, 2 * indexCopyBytes)]
  if (index.length < indexHeadBytes || hexOf(first) !== hexOf(second)) return undefined
  const view = viewOf(index)
  if (view.getUint32(0, true) !== indexVersion) return undefined
  const [s0, s1] = checksumOf(first.subarray(0, checkedIndexBytes), [0, 0], false)
  if (view.getUint32(40, true) !== s0 || view.getUint32(44, true) !== s1) return undefined
  return {
    round: hexOf(first.subarray(32, 40)),
    frames: view.getUint32(16, true),
    inDatabase: view.getUint32(96, true),
  }
}

/** s0 += x[i] + s1; s1 += x[i+1] + s0, over 32-bit words in the byte order that the magic number names. */
function checksumOf(bytes: Uint8Array, [s0, s1]: Checksum, isBigEndian: boolean): Checksum {
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + view.getUint32(at, !isBigEndian) + s1) >>> 0
    s1 = (s1 + view.getUint32(at + 4, !isBigEndian) + s0) >>> 0
  }
  return [s0, s1]
}

function isEqual([s0, s1]: Checksum, bytes: Uint8Array, at: number): boolean {
  const view = viewOf(bytes)
  return view.getUint32(at) === s0 && view.getUint32(at + 4) === s1
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
