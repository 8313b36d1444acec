// The demonstration is the end-to-end test: real processes, real HTTP, real libp2p over TCP, real SQLite files, kill -9.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startWallet } from '../scripts/demo/processes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

async function playDemo(...flags: string[]) {
  const args = ['scripts/demo/main.ts', '--headless', '--json', ...flags]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(child, 'close')
  const result = JSON.parse(output.trim().split('\n').at(-1)!)
  return { code, output, result }
}

test.concurrent.each([['0'], ['100']])(
  'every step of the demonstration holds and the books balance at a fee of %s ppk',
  { timeout: 240_000 },
  async (feePpk) => {
    const { code, output, result } = await playDemo('--fee-ppk', feePpk)
    const failed = result.steps.filter(({ ok }: { ok: boolean }) => !ok)
    expect(failed, output).toEqual([])
    expect(result.steps.map(({ name, grade }: { name: string; grade: string }) => [name, grade])).toEqual([
      ['add money', null],
      ['pay online', 'final'],
      ['pay, payee cut off', 'final'],
      ['pay offline, with change', 'signed'],
      ['pay offline again, same purse', 'signed'],
      ['kill -9 and start again', 'signed'],
      ['mint back, deposits by themselves', 'final'],
      ['keyset rotated before settlement', 'final'],
      ['double spend', 'bounced'],
      ['output signed elsewhere', 'dead'],
    ])
    expect(result.issued).toBe(result.payer + result.payee + result.fees)
    expect(result.fees > 0).toBe(feePpk !== '0')
    expect(result.conserved).toBe(true)
    expect(result.offlinePaymentMsMedian).toBeGreaterThan(0)
    expect(code).toBe(0)
  },
)

test('a second process is told that the data folder is in use, and a killed one leaves it free', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-lease-'))
  const options = {
    name: 'twice',
    folder,
    offlineCapable: [],
    tuning: {},
    onLog: (line: string) => void log.push(line),
  }
  const log: string[] = []
  const first = await startWallet(options)
  await expect(startWallet(options)).rejects.toThrow('ended (1)')
  expect(log.join('\n')).toContain('folder_in_use')
  await first.kill()
  const again = await startWallet(options)
  expect(await again.call('mints.list', {})).toEqual([])
  await again.stop()
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readFileSync(join(folder, 'phrase'), 'utf8').trim().split(' ')).toHaveLength(12)
  rmSync(folder, { recursive: true })
})
