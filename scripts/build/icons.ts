// Draws every icon from build/icon.svg, build/logo.svg and build/tray.svg: `node scripts/build/icons.ts`. The results are
// kept in the repository; this runs again only when a drawing changes. It needs a Chromium (FARTHING_CHROMIUM names another one).

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { root } from './root.ts'

const folder = join(root, 'build')
/** From this size on the full drawing with its rim of beads; below, the plain one stays legible. */
const logoFrom = 64
const linuxSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024] as const
const icoSizes = [16, 24, 32, 48, 64, 128, 256] as const
/** The types of Apple's icon file that hold PNG, by pixels. */
const icnsTypes = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic11', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
] as const
const traySize = 16

type Png = Uint8Array<ArrayBuffer>

const browser = await chromium.launch({
  executablePath: process.env['FARTHING_CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
try {
  const page = await browser.newPage()
  const drawings = { icon: read('icon.svg'), logo: read('logo.svg'), tray: read('tray.svg') }
  const icons = new Map<number, Png>()
  for (const size of linuxSizes) {
    icons.set(size, await draw(page, size < logoFrom ? drawings.icon : drawings.logo, size))
  }
  const icon = (size: number): Png => {
    const png = icons.get(size)
    if (!png) throw new Error(`no icon of ${size} pixels`)
    return png
  }
  for (const size of linuxSizes) write(`icons/${size}x${size}.png`, icon(size))
  write('icon.ico', ico(icoSizes.map((size) => ({ size, png: icon(size) }))))
  // Apple's icons leave a margin around their shape.
  const padded = new Map<number, Png>()
  for (const [, size] of icnsTypes) {
    if (!padded.has(size))
      padded.set(size, await draw(page, size < logoFrom ? drawings.icon : drawings.logo, size, 0.1))
  }
  write('icon.icns', icns(icnsTypes.map(([type, size]) => ({ type, png: padded.get(size) ?? icon(size) }))))
  for (const [suffix, factor] of [
    ['', 1],
    ['@2x', 2],
  ] as const) {
    write(`tray/trayTemplate${suffix}.png`, await draw(page, drawings.tray, traySize * factor))
    write(`tray/tray${suffix}.png`, await draw(page, drawings.icon, traySize * factor))
  }
} finally {
  await browser.close()
}

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}

function write(name: string, content: Uint8Array): void {
  const file = join(folder, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  console.log(`${name} ${content.length}`)
}

/** @param margin free space on each side, as a share of the whole */
async function draw(page: Page, svg: string, size: number, margin = 0): Promise<Png> {
  const inner = Math.round(size * (1 - 2 * margin))
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(
    `<style>html,body{margin:0;background:transparent}svg{position:absolute;left:${(size - inner) / 2}px;top:${(size - inner) / 2}px;width:${inner}px;height:${inner}px}</style>${svg}`,
  )
  return new Uint8Array(
    await page.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: size, height: size } }),
  )
}

/** Windows' icon file: a header, one entry of 16 bytes per picture, then the pictures as PNG (Windows Vista and later). */
function ico(pictures: readonly { readonly size: number; readonly png: Png }[]): Uint8Array {
  const header = Buffer.alloc(6 + 16 * pictures.length)
  header.writeUInt16LE(1, 2) // an icon, not a cursor
  header.writeUInt16LE(pictures.length, 4)
  let offset = header.length
  for (const [index, { size, png }] of pictures.entries()) {
    const entry = 6 + 16 * index
    header.writeUInt8(size % 256, entry) // 0 = 256
    header.writeUInt8(size % 256, entry + 1)
    header.writeUInt16LE(1, entry + 4) // colour planes
    header.writeUInt16LE(32, entry + 6) // bits per pixel
    header.writeUInt32LE(png.length, entry + 8)
    header.writeUInt32LE(offset, entry + 12)
    offset += png.length
  }
  return Buffer.concat([header, ...pictures.map(({ png }) => png)])
}

/** Apple's icon file: `icns`, total length, then per picture its type, its length with these 8 bytes, and the PNG. */
function icns(pictures: readonly { readonly type: string; readonly png: Png }[]): Uint8Array {
  const chunks = pictures.map(({ type, png }) => chunk(type, png))
  return chunk('icns', Buffer.concat(chunks))
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32BE(8 + content.length, 4)
  return Buffer.concat([head, content])
}
