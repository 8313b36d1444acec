// The backups of an open wallet: files that a person takes or brings, and copies that are made by themselves.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { maxBackupText } from '../shared/backup-limit.ts'
import { AppError } from '../shared/errors.ts'
import type { BackupCopyView, BackupSummaryView, BackupView } from '../shared/model.ts'
import { type CopyFiles, lookAtCopies, systemFiles, writeCopy } from './backup-copies.ts'
import { backupOf, unpackBackup } from './backup-database.ts'
import { type BackupLock, openBackup } from './backup-file.ts'
import { assertFolder, type BackupMemory, nameOfExport, readBackupMemory, writeBackupMemory } from './backup-folder.ts'
import type { BackupSecrets } from './backup-key.ts'
import { createFolderWork, type FolderWork } from './backup-patience.ts'
import { createBackupSchedule } from './backup-schedule.ts'
import { lifeMark } from './life.ts'
import { assertStrong, type KdfCost, newKdf, stretch } from './passphrase.ts'
import type { Merged } from './store/merge.ts'
import type { WalletFile } from './store/wallet-store.ts'
import type { LifeParts } from './wallet/generation.ts'
import { noteMerge } from './wallet/merged-life.ts'
import type { Operation } from './wallet/operation.ts'
import { databaseName } from './wallet-folder.ts'

export type Backups = {
  view(): BackupView
  /**
   * A file for a person to keep.
   * @param passphrase null: its key is the phrase
   * @returns the file as base64
   * @throws AppError `weak_passphrase`, `bad_input` for a wallet too large for one piece, `folder_damaged`, `disk_full`
   */
  export(passphrase: string | null): Promise<{ readonly name: string; readonly file: string }>
  /** Where copies go, null for nowhere; the first one is made before it counts. @throws AppError `backup_folder`, and as a copy */
  setFolder(folder: string | null): Promise<BackupView>
  /** @throws AppError `wrong_state` without a folder, `backup_folder`, `disk_full`, `disk_unwritable`, `folder_damaged` */
  saveNow(): Promise<BackupView>
  /** @throws AppError `bad_backup`, `wrong_passphrase`, `foreign_backup`, `backup_too_new`, `disk_full`, `disk_unwritable` */
  merge(file: Uint8Array, passphrase: string | undefined): Promise<BackupSummaryView>
  /** This operation changed. */
  noteOperation(id: string): void
  /** Something else did that the phrase does not bring back. */
  note(): void
  stop(): Promise<void>
}

export type BackupParts = {
  /** Data folder, whose lease the caller holds. */
  readonly folder: string
  readonly wallet: WalletFile
  /** The twelve words of the wallet, and what follows from them. */
  readonly phrase: string
  readonly secrets: BackupSecrets
  readonly life: LifeParts
  readonly kdfCost?: KdfCost | undefined
  readonly files?: CopyFiles | undefined
  /** One for all that this program does in folders that may not answer. */
  readonly work?: FolderWork | undefined
  /** No operation is stepped while this runs. */
  readonly inQuiet: <T>(work: () => T) => Promise<T>
  /** Whether a window to pick a folder can be shown. */
  readonly canPick: boolean
  readonly onChange: () => void
  readonly onMerged: () => void
  /** An automatic copy that failed: a person is told by the view. */
  readonly report: (error: AppError) => void
}

/** For the names in a folder. Milliseconds. */
const lookMs = 10_000
/** For a copy: a slow stick takes a megabyte in four seconds, and so it does when it is read back. */
const copyMs = 120_000
const copyBytesPerMs = 250

const copyLimitMs = (dataFolder: string): number =>
  copyMs + statSync(join(dataFolder, databaseName)).size / copyBytesPerMs

/** What crosses a bridge at once, bytes. */
const maxExportBytes = (maxBackupText / 4) * 3

export function createBackups(parts: BackupParts): Backups {
  const { folder: dataFolder, phrase, secrets, life, files = systemFiles, onChange } = parts
  const { store } = parts.wallet
  const { clock, random } = life
  const { work = createFolderWork(clock) } = parts
  const mark = lifeMark(life)
  const stored = readBackupMemory(dataFolder)
  // Another wallet, or another life of it, lay here before: its folder is the person's choice still, its copies are not
  // this one's.
  const isOurs = stored.tag === secrets.tag && (stored.life ?? mark) === mark
  let memory: BackupMemory = isOurs
    ? { ...stored, life: mark }
    : { ...stored, tag: secrets.tag, life: mark, savedAt: null, changes: null }
  let copies: readonly BackupCopyView[] = []
  let copiedAt = memory.savedAt ?? 0

  const remember = (change: Partial<BackupMemory>): void => {
    memory = { ...memory, ...change }
    writeBackupMemory(dataFolder, memory)
  }
  const look = async (): Promise<void> => {
    const { folder } = memory
    const found = folder === null ? [] : work(folder, lookMs, () => lookAtCopies(files, folder, secrets.tag))
    // A folder that is not there shows none; that it is not there is told when the next copy is due.
    copies = await Promise.resolve(found).catch(() => [])
    onChange()
  }
  const source = (lock: BackupLock, key: Uint8Array, signal: AbortSignal) => ({
    ...{ folder: dataFolder, lock, key, random, signal, savedAt: clock.now() },
    phrase: lock.kind === 'passphrase' ? phrase : null,
  })
  const verify = async (file: AsyncIterable<Uint8Array>): Promise<void> => {
    const { content } = await openBackup(file, async () => secrets.key)
    for await (const _ of content) {
      // Every piece is opened; what they hold is known.
    }
  }
  const copyTo = (folder: string, signal: AbortSignal, isPick = false): Promise<void> =>
    work(folder, copyLimitMs(dataFolder), (late) => copyNow(folder, AbortSignal.any([signal, late]), isPick))
  const copyNow = async (folder: string, signal: AbortSignal, isPick: boolean): Promise<void> => {
    const [savedAt, changes] = [clock.now(), store.read.changes()]
    const content = () => backupOf(source({ kind: 'phrase' }, secrets.key, signal))
    await writeCopy({ files, folder, tag: secrets.tag, life: mark, now: savedAt, signal, content, verify })
    signal.throwIfAborted()
    // Another one was picked meanwhile: what this folder has is not the last copy.
    if (!isPick && memory.folder !== folder) return
    remember({ folder, savedAt, changes })
    copiedAt = savedAt
    for (const [id, since] of waiting) if (since < savedAt) waiting.delete(id)
  }
  const schedule = createBackupSchedule({
    clock,
    isOn: () => memory.folder !== null,
    isPending: memory.folder !== null && memory.changes !== store.read.changes(),
    copy: async (signal) => {
      if (memory.folder === null) throw new AppError('wrong_state', 'no folder was picked')
      await copyTo(memory.folder, signal)
      await look()
    },
    onDone: onChange,
    onTrouble: (error) => {
      parts.report(error)
      // What a person sees there may be gone.
      void look()
    },
  })
  /** What waits for a copy, with when each came into its state: tries to settle one are no news. */
  const waiting = new Map<string, number>()
  const isNewlyAlone = (id: string): boolean => {
    if (memory.folder === null || !isHereAlone(store.read.other(id))) return false
    const since = store.read.history(id).at(-1)?.at ?? 0
    if (since < copiedAt || waiting.get(id) === since) return false
    waiting.set(id, since)
    return true
  }
  const view = (): BackupView => ({
    folder: memory.folder,
    canPick: parts.canPick,
    lastSavedAt: memory.savedAt,
    trouble: schedule.trouble()?.code ?? null,
    copies,
  })
  if (memory.folder !== null) void look()

  return {
    view,
    export: async (passphrase) => {
      const { lock, key } = await lockWith(passphrase, parts)
      const order = source(lock, key, new AbortController().signal)
      const file = await inOnePiece(backupOf(order))
      remember({ savedAt: order.savedAt })
      onChange()
      return { name: nameOfExport(order.savedAt), file }
    },
    setFolder: async (folder) => {
      if (folder !== null) {
        await work(folder, lookMs, () => assertFolder(folder, dataFolder))
        await copyTo(folder, new AbortController().signal, true)
      } else remember({ folder, changes: null })
      schedule.reset()
      // What came while it was made may not be in it.
      if (memory.changes !== store.read.changes()) schedule.note('soon')
      await look()
      return view()
    },
    saveNow: async () => {
      if (memory.folder === null) throw new AppError('wrong_state', 'no folder was picked')
      await schedule.now()
      return view()
    },
    merge: async (file, passphrase) => {
      const unpacked = await unpackBackup(
        { folder: dataFolder, file: inPieces(file), random },
        (lock) => keyFor(lock, secrets, passphrase),
        (about) => {
          // A key of the phrase says by itself whose file it is; a passphrase says nothing.
          const isOurs = about.lock === 'phrase' || about.phrase === phrase
          if (!isOurs) throw new AppError('foreign_backup', 'a backup of another wallet')
        },
      )
      try {
        const merged = await parts.inQuiet(() =>
          parts.wallet.merge({
            path: unpacked.path,
            now: clock.now(),
            onNews: ({ generation }, write) => noteMerge(life, write, generation),
          }),
        )
        if (merged.isNews) schedule.note('soon')
        parts.onMerged()
        return summaryOf(unpacked.savedAt, merged)
      } finally {
        unpacked.remove()
      }
    },
    noteOperation: (id) => schedule.note(isNewlyAlone(id) ? 'soon' : 'later'),
    note: () => schedule.note('later'),
    stop: schedule.stop,
  }
}

const summaryOf = (savedAt: number, { payments, mints, coins }: Merged): BackupSummaryView => ({
  savedAt,
  payments,
  mints,
  coins,
})

async function lockWith(
  passphrase: string | null,
  { secrets, life, kdfCost }: BackupParts,
): Promise<{ readonly lock: BackupLock; readonly key: Uint8Array }> {
  if (passphrase === null) return { lock: { kind: 'phrase' }, key: secrets.key }
  assertStrong(passphrase)
  const kdf = newKdf(life.random, kdfCost)
  return { lock: { kind: 'passphrase', kdf }, key: await stretch(passphrase, kdf) }
}

async function keyFor(lock: BackupLock, { key }: BackupSecrets, passphrase: string | undefined): Promise<Uint8Array> {
  if (lock.kind === 'phrase') return key
  if (passphrase === undefined) throw new AppError('wrong_passphrase', 'a passphrase opens this file')
  return stretch(passphrase, lock.kdf)
}

/** Whether it is worth money that neither the phrase nor a mint brings back: handovers, and what a deposit was paid to. */
function isHereAlone(operation: Operation | 'unreadable' | undefined): boolean {
  if (operation === 'unreadable') return false
  switch (operation?.kind) {
    case 'receive':
      return operation.state === 'signed'
    case 'pay':
      return ['handing_over', 'signed', 'voided'].includes(operation.state)
    case 'withdraw':
      return ['unpaid', 'issuing'].includes(operation.state)
    default:
      return false
  }
}

async function* inPieces(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file
}

async function inOnePiece(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const piece of pieces) {
    parts.push(piece)
    size += piece.length
    if (size > maxExportBytes)
      throw new AppError('bad_input', 'too large for one piece: copies to a folder have no limit')
  }
  return Buffer.concat(parts).toString('base64')
}
