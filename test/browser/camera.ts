// A clip for Chromium's fake camera: QR codes one after another, as a person would hold a screen before it.

import { writeFileSync } from 'node:fs'
import encodeQr from 'qr'

const width = 640
const height = 480
/** Pixels of one module, unless the code is too large for the picture. */
const scaleWanted = 5

/** Write a YUV4MPEG2 clip (4:2:0, `fps` frames a second) that shows each text for `framesEach` frames. */
export function writeClip(path: string, texts: readonly string[], framesEach = 6, fps = 12): void {
  const chroma = Buffer.alloc((width * height) / 2, 128)
  const frame = Buffer.from('FRAME\n')
  const parts: Buffer[] = [Buffer.from(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`)]
  for (const text of texts) {
    const luma = picture(text)
    for (let count = 0; count < framesEach; count++) parts.push(frame, luma, chroma)
  }
  writeFileSync(path, Buffer.concat(parts))
}

function picture(text: string): Buffer {
  const modules = encodeQr(text, 'raw', { ecc: 'low', border: 4 })
  const scale = Math.max(1, Math.min(scaleWanted, Math.floor(height / modules.length)))
  const left = Math.floor((width - modules.length * scale) / 2)
  const top = Math.floor((height - modules.length * scale) / 2)
  const luma = Buffer.alloc(width * height, 235)
  for (const [row, line] of modules.entries()) {
    for (const [column, isDark] of line.entries()) {
      if (!isDark) continue
      for (let y = 0; y < scale; y++) {
        const start = (top + row * scale + y) * width + left + column * scale
        luma.fill(16, start, start + scale)
      }
    }
  }
  return luma
}
