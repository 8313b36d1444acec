// What the browser tests play on: a real mint behind a cable, real wallet processes with their local
// pages, and a real Chromium window on each. Nothing between page and mint is a double.

import { deepEqual } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import {
  type Cable,
  layCable,
  type MintProcess,
  startMint,
  startWallet,
  type WalletProcess,
} from '../../scripts/demo/processes.ts'
import { freshen } from '../../scripts/start/freshen.ts'
import { openBrowser, type Profile } from './chromium.ts'

/** Not in the repository. */
const pictures = join(import.meta.dirname, '..', '..', 'out', 'browser')

/** Waiting times of hours and minutes, made short. */
export const tuning = {
  settleDelayMs: [0, 0],
  refreshDelayMs: [1e9, 1e9],
  readingGapMs: 200,
  retryMs: [100, 800],
  settleFirstMs: 1500,
  settleBeforeAnswerMs: 1000,
  tickMs: 500,
}

export type Window = {
  readonly page: Page
  readonly wallet: WalletProcess
  /** What the page said that it should not have: console errors and warnings, exceptions, violations of its policy. */
  readonly complaints: string[]
  /** Every text that crossed between page and host, both ways. */
  readonly crossed: string[]
  /** A fresh link that opens this wallet once. */
  link(): Promise<string>
}

export type Stage = {
  readonly folder: string
  readonly mint: MintProcess
  /** Between every wallet and the mint: unplugged, the mint is away. */
  readonly cable: Cable
  /** A wallet with a page in a window of its own. */
  open(name: string, options?: OpenOptions): Promise<Window>
  /** Pictures of every window, for a person who looks for the reason of a failure. @returns where they are */
  photograph(name: string): Promise<readonly string[]>
  /** Everything ends; the pages must not have complained. */
  close(): Promise<void>
}

export type OpenOptions = {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  /** A clip for the camera. */
  readonly camera?: string
  /** Skip the first run: mint added, so many sat there. */
  readonly coins?: number
  readonly tuning?: object
}

export async function setStage(): Promise<Stage> {
  await freshen('renderer', () => {})
  const folder = mkdtempSync(join(tmpdir(), 'farthing-browser-'))
  const mint = await startMint(join(folder, 'mint'), 0)
  const cable = await layCable(mint.url)
  const profiles: Profile[] = []
  const windows: Window[] = []

  const open = async (name: string, options: OpenOptions = {}): Promise<Window> => {
    const wallet = await startWallet({
      // A wallet on its first run has no name yet.
      name: options.coins === undefined ? '' : name,
      folder: join(folder, name),
      host: 'electron/serve/main.ts',
      offlineCapable: [],
      tuning: { ...tuning, ...options.tuning },
      onLog: (line) => logs.push(line),
    })
    if (options.coins !== undefined) await prepare(wallet, cable.url, options.coins)
    const profile = await openBrowser(options)
    profiles.push(profile)
    const page = profile.context.pages()[0] ?? (await profile.context.newPage())
    const { complaints, crossed } = await listen(page)
    const link = async () => String(await wallet.ask('serve.link', {}))
    const window = { page, wallet, complaints, crossed, link }
    windows.push(window)
    await page.goto(await link())
    return window
  }
  const logs: string[] = []
  return {
    folder,
    mint,
    cable,
    open,
    photograph: async (name) => {
      mkdirSync(pictures, { recursive: true })
      const taken = windows.map(async ({ page }, index) => {
        const path = join(pictures, `${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)}-${index}.png`)
        await page.screenshot({ path }).catch(() => undefined)
        return path
      })
      return Promise.all(taken)
    },
    close: async () => {
      for (const profile of profiles) await profile.close()
      for (const { wallet } of windows) await wallet.stop()
      await cable.close()
      await mint.kill()
      rmSync(folder, { recursive: true, force: true })
      const defects = logs.filter((line) => line.includes('internal:'))
      deepEqual([...windows.flatMap(({ complaints }) => complaints), ...defects], [])
    },
  }
}

/** As after a first run: the mint added, coins there. */
async function prepare(wallet: WalletProcess, mintUrl: string, coins: number): Promise<void> {
  await wallet.call('mints.add', { url: mintUrl })
  await wallet.call('profile.begin', {})
  if (coins === 0) return
  await wallet.call('withdraw.start', { mintUrl, unit: 'sat', amount: coins })
  await until(async () => {
    const [mint] = await wallet.call('mints.list', {})
    return mint?.balances[0]?.spendable === coins
  })
}

/** Asks again and again. @throws Error after 40 s */
export async function until(isSo: () => Promise<boolean>, timeoutMs = 40_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await isSo()); await setTimeout(100)) {
    if (Date.now() > end) throw new Error(`not so after ${timeoutMs} ms: ${isSo}`)
  }
}

async function listen(page: Page): Promise<Pick<Window, 'complaints' | 'crossed'>> {
  const complaints: string[] = []
  const crossed: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`))
  page.on('request', (request) => crossed.push(request.postData() ?? ''))
  page.on('response', (response) => {
    const type = response.headers()['content-type'] ?? ''
    if (!type.includes('json')) return
    response.text().then(
      (text) => crossed.push(text),
      () => {}, // of a page that was left meanwhile
    )
  })
  const debug = await page.context().newCDPSession(page)
  debug.on('Network.eventSourceMessageReceived', ({ data }) => crossed.push(data))
  await debug.send('Network.enable')
  return { complaints, crossed }
}
