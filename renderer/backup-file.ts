// Backup files on their way between a person's disk and the host: bytes as base64.

import { maxBackupText } from '../shared/backup-limit.ts'

export type ChosenFile = { readonly name: string; readonly file: string }

/** The media type of a file that only Farthing opens. */
const mediaType = 'application/octet-stream'

/** @returns undefined for a file above what crosses the bridge */
export async function readBackup(file: File): Promise<ChosenFile | undefined> {
  if (file.size > (maxBackupText / 4) * 3) return undefined
  const bytes = new Uint8Array(await file.arrayBuffer())
  return { name: file.name, file: bytes.toBase64() }
}

/** Give the file to the person, from memory to the disk. */
export const backupBlob = (base64: string): Blob => new Blob([Uint8Array.fromBase64(base64)], { type: mediaType })
