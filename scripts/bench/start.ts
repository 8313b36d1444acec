// Cold start of the browser host: from the start of its process to the first picture of Home, in a browser that is open.
// With a history of 1,000 payments and with none, in turns, so that noise hits both alike.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumPath, openBrowser } from '../../test/browser/chromium.ts'
import { startWallet } from '../demo/processes.ts'
import { freshen } from '../start/freshen.ts'
import { writeHistory } from './history.ts'

export type StartBench = {
  readonly payments: number
  readonly rounds: number
  /** Medians, milliseconds: until the host is ready, and until Home is on the screen. */
  readonly hostMs: number
  readonly homeMs: number
  /** The same without any payment. */
  readonly emptyHomeMs: number
  readonly ratio: number
}

const payments = 1000

export async function benchStart(rounds: number, say: (line: string) => void): Promise<StartBench> {
  if (chromiumPath === undefined) throw new Error('no Chromium here to measure with')
  await freshen('renderer', say)
  const folder = mkdtempSync(join(tmpdir(), 'farthing-start-'))
  const browser = await openBrowser({})
  try {
    await writeHistory(join(folder, 'long'), payments)
    await writeHistory(join(folder, 'empty'), 0)
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    const once = async (name: string, rows: number): Promise<{ hostMs: number; homeMs: number }> => {
      const start = performance.now()
      const wallet = await startWallet({
        name,
        folder: join(folder, name),
        host: 'electron/serve/main.ts',
        offlineCapable: [],
        tuning: {},
        onLog: () => {},
      })
      const hostMs = performance.now() - start
      await page.goto(String(await wallet.ask('serve.link', {})))
      await page.locator('#main h1').waitFor()
      if (rows > 0)
        await page
          .locator('a.payment')
          .nth(rows - 1)
          .waitFor()
      const homeMs = performance.now() - start
      await page.goto('about:blank')
      await wallet.stop()
      return { hostMs, homeMs }
    }
    await once('long', 7) // the program's files are in the system's cache from now on
    const long: { hostMs: number; homeMs: number }[] = []
    const empty: number[] = []
    for (let round = 0; round < rounds; round++) {
      long.push(await once('long', 7))
      empty.push((await once('empty', 0)).homeMs)
    }
    const homeMs = median(long.map((one) => one.homeMs))
    const emptyHomeMs = median(empty)
    const result = {
      payments,
      rounds,
      hostMs: Math.round(median(long.map((one) => one.hostMs))),
      homeMs: Math.round(homeMs),
      emptyHomeMs: Math.round(emptyHomeMs),
      ratio: Math.round((homeMs / emptyHomeMs) * 100) / 100,
    }
    say(`Home after ${result.homeMs} ms with ${payments} payments (host ready after ${result.hostMs} ms),`)
    say(`after ${result.emptyHomeMs} ms with none: ${result.ratio} times as long. Medians of ${rounds} starts each.`)
    return result
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
