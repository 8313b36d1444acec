// Builds the desktop app into dist/: `node scripts/build/main.ts [renderer] [electron]`, both when none is named.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildElectron } from './electron.ts'
import { buildRenderer } from './renderer.ts'
import { root } from './root.ts'

const parts = {
  renderer: () => buildRenderer(join(root, 'dist', 'renderer')),
  electron: () => buildElectron(join(root, 'dist', 'electron')),
} as const

const { positionals } = parseArgs({ allowPositionals: true, options: {} })
const unknown = positionals.find((name) => !Object.hasOwn(parts, name))
if (unknown !== undefined) throw new Error(`no such part: ${unknown}; there are ${Object.keys(parts).join(' and ')}`)

for (const [name, build] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const started = performance.now()
  await build()
  console.log(`farthing: built ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
