// The processes of the desktop app, each bundled to one file with everything it needs: the packaged app has no
// node_modules. Left outside are Electron and Node's own modules.

import { copyFileSync, existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build, type InlineConfig } from 'vite'
import { assertFiles, importsOf } from './outputs.ts'
import { inProduction } from './production.ts'
import { root } from './root.ts'

/** Pictures that the main process shows; made by icons.ts. */
const pictures = {
  'icon.png': 'icons/256x256.png',
  'tray.png': 'tray/tray.png',
  'tray@2x.png': 'tray/tray@2x.png',
  'trayTemplate.png': 'tray/trayTemplate.png',
  'trayTemplate@2x.png': 'tray/trayTemplate@2x.png',
} as const

/** What {@link buildElectron} leaves in its folder; each but the first list with `<name>.licences.md` beside it. */
export const electronFiles = ['main.js', 'practice.js', 'preload.cjs', ...Object.keys(pictures)] as const

type Bundle = {
  /** From the top of the project. */
  readonly entry: string
  readonly name: string
  readonly format: 'es' | 'cjs'
}

const main: Bundle = { entry: 'electron/main.ts', name: 'main.js', format: 'es' }
const practice: Bundle = { entry: 'practice/main.ts', name: 'practice.js', format: 'es' }
/** A sandboxed preload is loaded as CommonJS, and may require nothing but Electron. */
const preload: Bundle = { entry: 'electron/preload.ts', name: 'preload.cjs', format: 'cjs' }

/** @param outDir made if needed; its other files stay */
export async function buildElectron(outDir: string): Promise<void> {
  for (const bundle of [main, practice, preload]) await buildBundle(bundle, outDir)
  for (const [name, source] of Object.entries(pictures)) copyFileSync(join(root, 'build', source), join(outDir, name))
  assertFiles(outDir, electronFiles)
}

/** The preload alone: what a test of it needs. */
export async function buildPreload(outDir: string): Promise<void> {
  await buildBundle(preload, outDir)
}

async function buildBundle(bundle: Bundle, outDir: string): Promise<void> {
  if (!existsSync(join(root, bundle.entry))) throw new Error(`${bundle.entry} is not there`)
  const result = await inProduction(() => build(configOf(bundle, outDir)))
  if (!('output' in result)) throw new Error(`${bundle.entry} was not built`)
  const chunks = result.output.filter((one) => one.type === 'chunk')
  if (chunks.length !== 1) throw new Error(`${bundle.name} is ${chunks.length} files instead of one`)
  const isAllowed = (name: string): boolean => name === 'electron' || (bundle !== preload && isBuiltin(name))
  // What is loaded later is in the same file, and counts as an import of it.
  const left = chunks.flatMap(importsOf).filter((name) => name !== bundle.name && !isAllowed(name))
  if (left.length > 0) throw new Error(`${bundle.name} still imports ${left.join(', ')}`)
  assertFiles(outDir, [bundle.name])
}

function configOf({ entry, name, format }: Bundle, outDir: string): InlineConfig {
  return {
    configFile: false,
    mode: 'production',
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: false,
      target: 'node24',
      // Readable code is worth more here than the few hundred kilobytes.
      minify: false,
      sourcemap: false,
      license: { fileName: `${name}.licences.md` },
      rolldownOptions: {
        external: (id) => id === 'electron' || isBuiltin(id),
        output: { format, entryFileNames: name, codeSplitting: false },
      },
    },
  }
}
