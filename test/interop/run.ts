// npm run interop: the demonstration against nutshell, the reference mint, at fee 0 and 100, trusted with signed
// handovers and not. Needs Python 3.10 … 3.12 and its package registry; prepares a virtual environment in .cache/.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareNutshell, startNutshell } from './nutshell.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const venvDir = process.env['NUTSHELL_VENV'] ?? join(root, '.cache', 'nutshell')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function playAgainst(url: string, isTrusted: boolean): Promise<number> {
  const flags = ['--headless', '--json', '--mint', url, ...(isTrusted ? ['--offline-capable'] : [])]
  const child = spawn(process.execPath, ['scripts/demo/main.ts', ...flags], { cwd: root, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return Number(code)
}

console.log(`preparing nutshell in ${venvDir} …`)
await prepareNutshell(venvDir)
const rows: string[] = []
for (const feePpk of [0, 100]) {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-nutshell-'))
  const mint = await startNutshell({ port: await freePort(), dir, feePpk, venvDir })
  try {
    for (const isTrusted of [true, false]) {
      console.log(`\nnutshell, fee ${feePpk} ppk, ${isTrusted ? '--offline-capable' : 'online only'}`)
      const code = await playAgainst(mint.url, isTrusted)
      rows.push(
        `fee ${feePpk} ppk, ${isTrusted ? 'offline capable' : 'online only'}: ${code === 0 ? 'every step holds' : 'FAILED'}`,
      )
      if (code !== 0) process.exitCode = 1
    }
  } finally {
    await mint.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
console.log(`\n${rows.join('\n')}`)
