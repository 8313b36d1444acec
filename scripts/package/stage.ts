// What goes into the package, put together in a folder of its own: nothing else of the project is ever near it.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { buildElectron } from '../build/electron.ts'
import { buildRenderer } from '../build/renderer.ts'
import { root } from '../build/root.ts'

const manifestSchema = z.object({ name: z.string(), version: z.string(), description: z.string(), license: z.string() })

/** @param folder emptied first */
export async function stageApp(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await buildRenderer(join(folder, 'dist', 'renderer'))
  await buildElectron(join(folder, 'dist', 'electron'))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
}

/** The manifest of the packaged app: no dependencies, no scripts. */
function manifest(): Record<string, unknown> {
  const { name, version, description, license } = manifestSchema.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  )
  return {
    name,
    productName: 'Farthing',
    version,
    description,
    license,
    author: 'Farthing contributors',
    // Electron names the window after it; it must match the installed desktop file.
    desktopName: 'cash.farthing.Farthing.desktop',
    type: 'module',
    main: 'dist/electron/main.js',
  }
}
