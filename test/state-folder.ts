// What this computer would remember of the wallets of tests lies in a folder of its own, and goes with them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-state-'))
  process.env['FARTHING_STATE'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
