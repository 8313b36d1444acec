// The pictures as files, and the page that shows them.

import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { root } from '../build/root.ts'

const folder = join(root, 'docs', 'screens')
const page = join(root, 'docs', 'screens.md')
const wide = { width: 1280, height: 800 }
const small = { width: 390, height: 844 }

export type Shot = {
  readonly name: string
  /** One sentence: what it shows. */
  readonly caption: string
  /** Also as on a small window, and in the dark. */
  readonly also?: readonly ('small' | 'dark')[]
}

export type Album = {
  chapter(title: string): void
  take(page: Page, shot: Shot): Promise<void>
  /** Write the page; pictures that nobody took are gone. @returns how many there are, and their bytes */
  close(): { readonly count: number; readonly bytes: number }
}

export function openAlbum(): Album {
  mkdirSync(folder, { recursive: true })
  const lines: string[] = []
  const files = new Set<string>()

  const save = async (from: Page, name: string): Promise<void> => {
    // Nothing is hovered over, and the font is there.
    await from.mouse.move(1, 1)
    await from.evaluate('document.fonts.ready')
    const png = await from.screenshot()
    files.add(`${name}.webp`)
    writeFileSync(join(folder, `${name}.webp`), await asWebp(from, png))
  }

  return {
    chapter: (title) => lines.push('', `## ${title}`),
    take: async (from, { name, caption, also = [] }) => {
      await save(from, name)
      if (also.includes('dark')) {
        await from.emulateMedia({ colorScheme: 'dark' })
        await save(from, `${name}-dark`)
        await from.emulateMedia({ colorScheme: 'light' })
      }
      if (also.includes('small')) {
        await from.setViewportSize(small)
        await save(from, `${name}-small`)
        await from.setViewportSize(wide)
      }
      lines.push('', `${caption}`, '', `![${caption}](screens/${name}.webp)`)
      if (also.includes('dark')) lines.push('', `![The same in the dark](screens/${name}-dark.webp)`)
      if (also.includes('small')) {
        lines.push('', `<img src="screens/${name}-small.webp" width="260" alt="The same in a small window">`)
      }
    },
    close: () => {
      writeFileSync(page, `${[...head, ...lines].join('\n')}\n`)
      for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name))
      const bytes = [...files].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
      return { count: files.size, bytes }
    },
  }
}

/** A third of the size, and nobody sees a difference; the browser can do it. */
async function asWebp(from: Page, png: Buffer): Promise<Buffer> {
  // A page of its own: that of the app may load nothing.
  const page = await from.context().newPage()
  try {
    const text = await page.evaluate(`(async () => {
      const png = await fetch('data:image/png;base64,${png.toString('base64')}')
      const picture = await createImageBitmap(await png.blob())
      const canvas = new OffscreenCanvas(picture.width, picture.height)
      canvas.getContext('2d').drawImage(picture, 0, 0)
      const webp = await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 })
      return (new Uint8Array(await webp.arrayBuffer())).toBase64()
    })()`)
    return Buffer.from(String(text), 'base64')
  } finally {
    await page.close()
  }
}

const head = [
  '# What Farthing looks like',
  '',
  'Made by `npm run screens`: real wallets pay each other at a real mint, in a real browser. Only the clock is turned, and',
  'people, places and amounts are invented. The mint is a practice mint, which is why everything says *Play money*.',
]
