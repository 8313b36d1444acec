// The keychain of the system as `Sealer`: what protects the phrase on the disk.

import { safeStorage } from 'electron'
import { plainSealer, type Sealer } from '../keys.ts'

/**
 * Only after the app is ready. Without a keychain (on Linux also when Electron would use a key that everybody knows) the
 * phrase stays protected by the permissions of its file alone, and the app says so wherever it matters.
 */
export function createSealer(): Sealer {
  if (!isProtected()) return plainSealer
  return {
    kind: 'os',
    seal: (text) => new Uint8Array(safeStorage.encryptString(text)),
    unseal: (sealed) => safeStorage.decryptString(Buffer.from(sealed)),
  }
}

function isProtected(): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false
  if (process.platform !== 'linux') return true
  const backend = safeStorage.getSelectedStorageBackend()
  return backend !== 'basic_text' && backend !== 'unknown'
}
