// The practice process as a plain Node host starts it: a mint of play money at an address that stays, and a stall to pay.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startApp } from '../electron/app.ts'
import type { Practice } from '../electron/practice.ts'
import { launchPractice } from '../practice/launch.ts'
import { infoResponseSchema, keysetsResponseSchema } from '../shared/cashu/wire.ts'
import { decodeRequest } from '../shared/request.ts'
import { version } from '../shared/version.ts'

let folder: string
const running: Practice[] = []
const log: string[] = []

const launch = async (): Promise<Practice> => {
  const practice = await launchPractice({ folder: join(folder, 'practice'), log: (line) => log.push(line) })
  running.push(practice)
  return practice
}
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/v1/info`).then(
    ({ ok }) => ok,
    () => false,
  )
async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const before = Date.now(); !(await isSo()); await waitFor(50)) {
    if (Date.now() - before > 20_000) throw new Error(`waited in vain for ${what}`)
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-practice-'))
  log.length = 0
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((practice) => practice.stop()))
  rmSync(folder, { recursive: true })
})

test('a mint of play money answers, in coins that are no currency, with the version of this program', async () => {
  const { mintUrl, unit } = await launch()
  expect(mintUrl).toMatch(/^http:\/\/127\.0\.0\.1:[23]\d{4}$/)
  const info = infoResponseSchema.parse(await (await fetch(`${mintUrl}/v1/info`)).json())
  expect(info.name).toMatch(/^Farthing practice mint .*play money/i)
  expect(info.version).toBe(`Farthing/${version}`)
  const { keysets } = keysetsResponseSchema.parse(await (await fetch(`${mintUrl}/v1/keysets`)).json())
  expect(keysets.map((keyset) => [keyset.unit, keyset.active])).toEqual([['coin', true]])
  expect(unit).toBe('coin')
})

test('the stall asks for one coin, each time anew, and is reached on this computer only', async () => {
  const practice = await launch()
  const [first, second] = [decodeRequest(await practice.stallRequest()), decodeRequest(await practice.stallRequest())]
  expect(first).toMatchObject({ amount: 1, unit: 'coin', mints: [practice.mintUrl], singleUse: true })
  expect(first.multiaddrs).toEqual([expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)])
  expect(second.payeeKey).toBe(first.payeeKey)
  expect(second.id).not.toBe(first.id)
})

test('the first coin of a new wallet is paid to the stall and becomes final', { timeout: 120_000 }, async () => {
  const app = await startApp({
    folder: join(folder, 'wallet'),
    listenHost: '127.0.0.1',
    practice: launchPractice,
    tickMs: 500,
    onEvent: () => {},
    log: (line) => log.push(line),
  })
  try {
    const { handlers } = app
    const { mintUrl } = await handlers['practice.start']({})
    const mint = async () => (await handlers['mints.list']({})).find(({ url }) => url === mintUrl)!
    expect(await mint()).toMatchObject({ isPlayMoney: true, isPractice: true, isOnlineOnly: false })
    await until('the first coins', async () => (await mint()).balances.some(({ spendable }) => spendable === 100))
    const { text } = await handlers['practice.request']({})
    const preview = await handlers['pay.prepare']({ request: text })
    expect(preview).toMatchObject({ payeeName: 'Practice stall', amount: 1, unit: 'coin' })
    await handlers['pay.confirm']({ id: preview.id })
    await until('the payment', async () => (await handlers['payments.get']({ id: preview.id })).state === 'final')
  } finally {
    await app.stop()
  }
  expect(log.join('\n')).not.toMatch(/creqA|cashu[AB]/)
})

test('the address stays the same at the next start', async () => {
  const first = await launch()
  await first.stop()
  expect(await answers(first.mintUrl)).toBe(false)
  const second = await launch()
  expect(second.mintUrl).toBe(first.mintUrl)
  expect(await answers(second.mintUrl)).toBe(true)
  expect(statSync(join(folder, 'practice')).mode & 0o777).toBe(0o700)
})

test('a port that somebody else has is a failed start, never another address', async () => {
  const first = await launch()
  await first.stop()
  const port = Number(new URL(first.mintUrl).port)
  const squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  await expect(launch()).rejects.toMatchObject({ code: 'practice_failed' })
  expect(log.join('\n')).toContain(`practice_failed: another program uses port ${port}`)
  squatter.close()
  await once(squatter, 'close')
  expect((await launch()).mintUrl).toBe(first.mintUrl)
})

test('a second process on the same folder does not start, and leaves the first alone', async () => {
  const first = await launch()
  await expect(launch()).rejects.toMatchObject({ code: 'practice_failed' })
  expect(await answers(first.mintUrl)).toBe(true)
})

test('a folder whose port file is damaged is not given another address', async () => {
  const first = await launch()
  await first.stop()
  writeFileSync(join(folder, 'practice', 'port'), 'eighty\n')
  await expect(launch()).rejects.toMatchObject({ code: 'practice_failed' })
  expect(log.join('\n')).toContain('folder_damaged')
})

test('it ends with its parent, however that one ends', async () => {
  const script = join(folder, 'parent.ts')
  const launcher = join(import.meta.dirname, '..', 'practice', 'launch.ts')
  writeFileSync(
    script,
    `import { launchPractice } from ${JSON.stringify(launcher)}
     const { mintUrl } = await launchPractice({ folder: ${JSON.stringify(join(folder, 'practice'))}, log: () => {} })
     console.log(mintUrl)`,
  )
  const parent: ChildProcess = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = await once(parent.stdout!, 'data')
  const mintUrl = String(chunk).trim()
  expect(await answers(mintUrl)).toBe(true)
  parent.kill('SIGKILL')
  await until('the mint to go', async () => !(await answers(mintUrl)))
  // What it had open is free again.
  expect((await launch()).mintUrl).toBe(mintUrl)
  expect(readFileSync(join(folder, 'practice', 'port'), 'utf8').trim()).toBe(new URL(mintUrl).port)
})
