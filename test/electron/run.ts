// The app in a real Electron: `node test/electron/run.ts`. Where the binary cannot be had it says so loudly and ends with
// 0; where it must be there (FARTHING_REQUIRE_ELECTRON=1, as on a build machine) that is an error.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findElectron } from './binary.ts'

const root = join(import.meta.dirname, '..', '..')
const binary = findElectron()

if (binary === undefined) {
  console.warn('SKIPPED: ELECTRON’S BINARY IS NOT HERE, THE APP IS NOT TESTED IN IT (npx install-electron fetches it)')
  process.exitCode = process.env['FARTHING_REQUIRE_ELECTRON'] === '1' ? 1 : 0
} else {
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      'vitest.electron.config.ts',
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, FARTHING_ELECTRON: binary } },
  )
  process.exitCode = status ?? 1
}
