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
    files.add(`${name}.png`)
    await from.screenshot({ path: join(folder, `${name}.png`) })
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
      lines.push('', `${caption}`, '', `![${caption}](screens/${name}.png)`)
      if (also.includes('dark')) lines.push('', `![The same in the dark](screens/${name}-dark.png)`)
      if (also.includes('small')) {
        lines.push('', `<img src="screens/${name}-small.png" width="260" alt="The same in a small window">`)
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

const head = [
  '# What Farthing looks like',
  '',
  'Made by `npm run screens`: real wallets pay each other at a real mint, in a real browser. Only the clock is turned, and',
  'people, places and amounts are invented. The mint is a practice mint, which is why everything says *Play money*.',
]
