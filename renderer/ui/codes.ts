// Codes in pictures: of a camera, a frame at a time, or of a file.

import { decodeQR, decodeQRBatch } from 'qr/decode.js'

/** Four bytes for each pixel: an `ImageData`. */
export type Picture = { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }

/** For one frame, so that the window stays smooth. Milliseconds. */
const frameBudgetMs = 12
const pictureBudgetMs = 4000

/** Most frames have none: the decoder throws then. */
export function codeInFrame(picture: Picture): string | null {
  try {
    return decodeQR(picture, { timeLimit: frameBudgetMs })
  } catch {
    return null
  }
}

/** Takes its time, a few milliseconds after the other; null when there is none. */
export async function codeInStill(picture: Picture): Promise<string | null> {
  const [found] = await decodeQRBatch([picture], { effort: Number.POSITIVE_INFINITY, timeLimit: pictureBudgetMs })
  return found?.find((one) => typeof one === 'string') ?? null
}
