// Where the pictures are taken: a real mint, wallets in processes of their own with a cable to the mint, and a real
// Chromium window on those whose screens are shown. Nothing is a double but the clock, and one cheat.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { openBrowser, type Profile } from '../../test/browser/chromium.ts'
import { type Cable, layCable, startMint, startWallet, type WalletProcess } from '../demo/processes.ts'

/** Waiting times of hours and minutes, made short. */
const tuning = {
  /** Two hours: a payer who signed waits for a while. */
  settleDelayMs: [7_200_000, 7_200_000],
  refreshDelayMs: [0, 0],
  readingGapMs: 200,
  retryMs: [100, 800],
  settleFirstMs: 1500,
  settleBeforeAnswerMs: 1000,
  tickMs: 500,
}
const patienceMs = 180_000
/** Long enough for a picture of an invoice that waits to be paid. */
const invoiceMs = 3500
/** Between a payment and the changing of its coins something may rest. */
const calmMs = 1200
/** For every process to have looked at the clock. */
const clockMs = 120

export type Person = { readonly wallet: WalletProcess; readonly cable: Cable }
export type Seen = Person & {
  readonly page: Page
  /** A fresh link, and then this place. */
  open(place: string): Promise<void>
}

export type PersonOptions = {
  /** Reaches the mint when others do not. By default all go by one cable, and know the mint by one address. */
  readonly hasOwnCable?: boolean
  /** Gives the same coins away twice. */
  readonly isCheat?: boolean
}

export type Story = {
  readonly unit: string
  /** @param phrase the same in every telling: so are eggs and words; null for one that is made up */
  person(name: string, phrase: string | null, options?: PersonOptions): Promise<Person>
  /** With a window. @param isNew the first run is still to come */
  seen(name: string, phrase: string | null, isNew?: boolean): Promise<Seen>
  /** It is this time now, everywhere. */
  be(at: string): Promise<void>
  /** What stands on every window now, for whoever asks why it did not go on. @param folder made if needed */
  photograph(folder: string): Promise<void>
  end(): Promise<void>
}

export async function beginStory(unit: string): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-screens-'))
  const clockFile = join(folder, 'clock')
  process.env['TZ'] = 'UTC'
  process.env['FARTHING_STORY_CLOCK'] = clockFile
  process.env['NODE_OPTIONS'] = `--import=${pathToFileURL(join(import.meta.dirname, 'clock.ts')).href}`
  const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const pages: Page[] = []
  let difference = 0

  const be = async (at: string): Promise<void> => {
    difference = Date.parse(at) - Date.now()
    writeFileSync(clockFile, String(difference))
    for (const page of pages) await turnClock(page)
    await waitFor(clockMs)
  }
  /** Of a page, now and whenever it is loaded. */
  const turnClock = async (page: Page): Promise<void> => {
    const turn = `window.realNow ??= Date.now; Date.now = () => window.realNow() + ${difference}`
    await page.addInitScript(turn)
    await page.evaluate(turn)
  }
  await be('2026-06-18T09:00:00Z')
  const mint = await startMint(join(folder, 'mint'), 0, { unit, delayMs: invoiceMs })
  ends.push(mint.kill)
  const common = await layCable(mint.url)

  const person: Story['person'] = async (name, phrase, { hasOwnCable = false, isCheat = false } = {}) => {
    const cable = hasOwnCable ? await layCable(mint.url) : common
    ends.push(cable.close)
    const own = join(folder, name)
    mkdirSync(own)
    if (phrase !== null) writeFileSync(join(own, 'phrase'), `${phrase}\n`, { mode: 0o600 })
    const wallet = await startWallet({
      name: '',
      folder: own,
      host: isCheat ? 'test/doubles/cheat.ts' : 'electron/serve/main.ts',
      // People nearby are found on all networks of this computer.
      flags: isCheat ? [] : ['--listen-host', '0.0.0.0'],
      offlineCapable: [],
      tuning,
      onLog: (line) => process.stderr.write(`${name}: ${line}\n`),
    })
    ends.push(wallet.stop)
    if (!isCheat) await wallet.call('profile.rename', { name })
    return { wallet, cable }
  }

  const seen: Story['seen'] = async (name, phrase, isNew = false) => {
    const here = await person(name, phrase)
    if (isNew) await here.wallet.call('profile.rename', { name: '' })
    else await here.wallet.call('profile.begin', {})
    const profile: Profile = await openBrowser({ width: 1280, height: 800 })
    ends.push(profile.close)
    const page = profile.context.pages()[0] ?? (await profile.context.newPage())
    await turnClock(page)
    page.setDefaultTimeout(patienceMs)
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) throw new Error(`${name}'s page says: ${message.text()}`)
    })
    pages.push(page)
    const open = async (place: string): Promise<void> => {
      await page.goto(String(await here.wallet.ask('serve.link', {})))
      await page.evaluate(`window.location.hash = ${JSON.stringify(place)}`)
    }
    return { ...here, page, open }
  }

  return {
    unit,
    person,
    seen,
    be,
    photograph: async (into) => {
      mkdirSync(into, { recursive: true })
      for (const [index, page] of pages.entries()) {
        await page.screenshot({ path: join(into, `${index}.png`) })
        for (const code of await page.locator('details code').allTextContents()) process.stderr.write(`${code}\n`)
      }
    },
    end: async () => {
      for (const end of ends.reverse()) await end()
    },
  }
}

// ── what people do when nobody looks

export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const before = performance.now()
  while (performance.now() - before < patienceMs) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await waitFor(50)
  }
  throw new Error(`waited in vain for ${what}`)
}

export async function addMint({ wallet, cable }: Person): Promise<void> {
  await wallet.call('mints.add', { url: cable.url })
}

export async function addMoney({ unit }: Story, { wallet, cable }: Person, amount: number): Promise<void> {
  const { id } = await wallet.call('withdraw.start', { mintUrl: cable.url, unit, amount })
  await until('the coins', async () => (await wallet.call('withdraw.get', { id })).state === 'done')
}

/** A request for this amount, as text. */
export async function ask({ unit }: Story, { wallet, cable }: Person, amount: number, what?: string): Promise<string> {
  const order = { mintUrl: cable.url, unit, amount, singleUse: true }
  return (await wallet.call('request.create', what === undefined ? order : { ...order, description: what })).text
}

/** Pay what a request asks for; until there is an answer. @returns the payment's id at the payer */
export async function pay(from: Person, request: string, memo?: string): Promise<string> {
  const order = { request, mintUrl: from.cable.url }
  const { id } = await from.wallet.call('pay.prepare', memo === undefined ? order : { ...order, memo })
  await from.wallet.call('pay.confirm', { id })
  await until('an answer', async () => (await stateOf(from, id)) !== 'on_its_way')
  return id
}

export async function stateOf({ wallet }: Person, id: string): Promise<string> {
  return (await wallet.call('payments.get', { id })).state
}

/** Until nothing of this wallet is on its way, and has not been for a moment: used coins are changed for new ones. */
export async function calm({ wallet }: Pick<Person, 'wallet'>): Promise<void> {
  let since = performance.now()
  await until('everything to be final', async () => {
    const mints = await wallet.call('mints.list', {})
    const isCalm = mints.every(({ waiting, balances }) => {
      return waiting.in + waiting.out === 0 && balances.every(({ onItsWay }) => onItsWay === 0)
    })
    if (!isCalm) since = performance.now()
    return performance.now() - since > calmMs
  })
}

/** Until the wallet has looked for coins of its phrase: these phrases are given, so that it cannot know that they are new. */
export async function searched({ wallet }: Pick<Person, 'wallet'>): Promise<void> {
  await until('the search for coins', async () => {
    // Days have passed at once: a search that is due begins now, and so does the one after it.
    await wallet.call('mints.sync', {})
    const { slices } = await wallet.call('app.snapshot', {})
    return slices.restore.searches.every(({ state }) => state === 'done')
  })
}

/** The mint goes out of reach of these people, or comes back; until they have noticed. */
export async function reach(people: readonly Person[], isThere: boolean): Promise<void> {
  for (const { cable } of people) await (isThere ? cable.plug() : cable.unplug())
  for (const { wallet } of people) {
    await until('the mint to be noticed', async () =>
      (await wallet.call('mints.sync', {})).every(({ isReachable }) => isReachable === isThere),
    )
  }
}
