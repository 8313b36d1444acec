// The screens, built as `vite.config.ts` says.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { assertFiles } from './outputs.ts'
import { inProduction } from './production.ts'
import { root } from './root.ts'

const configFile = join(root, 'vite.config.ts')

/** @param outDir emptied first */
export async function buildRenderer(outDir: string): Promise<void> {
  // Vite without a configuration builds something, or nothing, and calls it a success.
  if (!existsSync(configFile)) throw new Error('vite.config.ts is not there')
  await inProduction(() =>
    build({
      configFile,
      mode: 'production',
      logLevel: 'warn',
      // It is read from this computer: one piece is as good as many.
      build: {
        outDir,
        emptyOutDir: true,
        sourcemap: false,
        chunkSizeWarningLimit: 2_000,
        license: { fileName: 'renderer.licences.md' },
      },
    }),
  )
  assertFiles(outDir, ['index.html'])
}
