// The keychain of the system as `Sealer`: what protects the phrase on the disk.

import { safeStorage } from 'electron'
import type { Keychain } from '../sealing.ts'

/**
 * Only after the app is ready. Without a keychain (on Linux also when Electron would use a key that everybody knows) it
 * refuses: the phrase stays protected by the permissions of its file alone, and the app says so wherever it matters. It is
 * asked at each use, because a person may unlock the keychain while the app waits for it.
 */
export function createSealer(): Keychain {
  return {
    kind: 'os',
    seal: async (text) => {
      await assertProtected()
      return new Uint8Array(await safeStorage.encryptStringAsync(text))
    },
    unseal: async (sealed) => {
      await assertProtected()
      const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(sealed))
      return { text: result, isStale: shouldReEncrypt }
    },
  }
}

async function assertProtected(): Promise<void> {
  if (!(await isProtected())) throw new Error('no keychain')
}

export async function isProtected(): Promise<boolean> {
  if (!(await safeStorage.isAsyncEncryptionAvailable().catch(() => false))) return false
  if (process.platform !== 'linux') return true
  const backend = safeStorage.getSelectedStorageBackend()
  return backend !== 'basic_text' && backend !== 'unknown'
}
