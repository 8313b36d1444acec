// Electron's own binary, where it was fetched: `npx install-electron`, or the one FARTHING_ELECTRON names. Nothing here
// imports the package, which would try to download it.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const installed = join(import.meta.dirname, '..', '..', 'node_modules', 'electron')

/** @returns undefined when there is none on this machine */
export function findElectron(): string | undefined {
  const named = process.env['FARTHING_ELECTRON']
  if (named !== undefined) return named
  const note = join(installed, 'path.txt')
  if (!existsSync(note)) return undefined
  const binary = join(installed, 'dist', readFileSync(note, 'utf8').trim())
  return existsSync(binary) ? binary : undefined
}
