// The demonstration: a mint and wallets as separate processes play what Farthing exists for, narrated line by line,
// and the books are checked at the end. Exit code 0 only if every step and the books hold.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../../shared/errors.ts'
import { play } from './play.ts'

const usage = `npm run demo -- --headless [--json] [--fee-ppk 0]
    [--mint URL [--offline-capable]]   play against a Cashu mint that is already running
    [--verbose]                        show what the wallets log`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      headless: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      mint: { type: 'string' },
      'offline-capable': { type: 'boolean', default: false },
      'fee-ppk': { type: 'string', default: '0' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const folder = mkdtempSync(join(tmpdir(), 'farthing-demo-'))
  try {
    const result = await play({
      folder,
      mintUrl: values.mint,
      isOfflineCapable: values.mint === undefined || values['offline-capable'],
      feePpk: Number(values['fee-ppk']),
      say: (line) => console.log(line),
      onLog: (line) => {
        if (values.verbose) console.log(`      ${line}`)
      },
    })
    if (values.json) console.log(JSON.stringify(result))
    process.exitCode = result.conserved && result.steps.every(({ ok }) => ok) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

main().catch((error) => {
  console.error(error instanceof AppError ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
})
