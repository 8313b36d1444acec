// A file read piece by piece, as it is asked for: nothing is open before the first piece or after the last.

import { open } from 'node:fs/promises'

const pieceBytes = 256 * 1024

/** @throws what the system throws; the reason of the signal when it ends this early */
export async function* piecesOf(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  const file = await open(path, 'r')
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead, buffer } = await file.read(new Uint8Array(pieceBytes))
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
