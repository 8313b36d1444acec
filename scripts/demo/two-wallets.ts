// Two wallets side by side and a practice mint behind a gate, for people: pay, pay while the mint is away, and watch.

import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { launchPractice } from '../../practice/launch.ts'
import { onSamePort } from '../../practice/port.ts'
import { AppError } from '../../shared/errors.ts'
import { openInBrowser } from '../start/display.ts'
import { freshen } from '../start/freshen.ts'
import { findElectron, openWindow, type Window } from '../start/window.ts'
import { startControlPage } from './control.ts'
import { layCable, startWallet, stateFolder, type WalletProcess } from './processes.ts'

export type TwoWalletsOptions = {
  readonly folder: string
  /** Pages in the browser, also where windows could open. */
  readonly isBrowserWanted: boolean
  readonly isToOpen: boolean
  readonly say: (line: string) => void
  readonly onLog: (line: string) => void
}

export type TwoWallets = {
  /** Fresh links, each for one browser, once; of wallets in windows there are none. */
  links(): Promise<readonly (readonly [name: string, link: string])[]>
  /** @returns whether it can be reached now */
  switchMint(): Promise<boolean>
  /** Both windows were closed; never where the wallets are pages. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const names = ['Alice', 'Bob'] as const
const firstCoins = 100
/** Waiting times of hours and minutes, shortened so that a person sees what happens. */
const tuning = {
  settleDelayMs: [600, 1200],
  refreshDelayMs: [0, 0],
  readingGapMs: 1000,
  retryMs: [200, 1000],
  settleFirstMs: 3000,
  settleBeforeAnswerMs: 2000,
  tickMs: 1000,
}
const patienceMs = 30_000

export async function startTwoWallets(options: TwoWalletsOptions): Promise<TwoWallets> {
  const { folder, say, onLog } = options
  const electron = options.isBrowserWanted ? undefined : await findElectron(say)
  if (electron?.kind === 'missing') say(`No windows, because ${electron.why}: the wallets are pages in the browser.`)
  await freshen('renderer', say)
  if (electron?.kind === 'here') await freshen('electron', say)

  say('Starting a practice mint and two wallets …')
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  try {
    const practice = await launchPractice({ folder: join(folder, 'mint'), log: onLog })
    stops.push(practice.stop)
    const gate = await onSamePort(join(folder, 'mint', 'gate-port'), (port) => layCable(practice.mintUrl, port))
    stops.push(gate.close)
    let isMintOn = true

    const host = electron?.kind === 'here' ? 'electron/headless.ts' : 'electron/serve/main.ts'
    const flags = electron?.kind === 'here' ? [] : ['--no-practice']
    const wallets = await Promise.all(
      names.map(async (name) => {
        const walletFolder = join(folder, name)
        const wallet = await startWallet({ name, folder: walletFolder, host, flags, offlineCapable: [], tuning, onLog })
        stops.push(() => wallet.stop())
        await prepare(wallet, gate.url, practice.unit, name === 'Alice')
        return wallet
      }),
    )
    const isInWindows = electron?.kind === 'here'
    const pages = isInWindows ? [] : wallets
    const windows = isInWindows ? await openWindows(electron.binary, wallets, folder, say) : []
    for (const { close, ended } of windows) {
      stops.push(() => {
        close()
        return ended
      })
    }

    const state = () => ({ wallets: pages.map(({ name }) => name), isMintOn })
    const setMint = async (isOn: boolean): Promise<void> => {
      await (isOn ? gate.plug() : gate.unplug())
      isMintOn = isOn
      control.send(state())
      // They would notice by themselves, a moment later.
      for (const wallet of pages) wallet.call('mints.sync', {}).catch(() => {})
    }
    const control = await startControlPage({
      state,
      linkTo: (name) => linkTo(pages.find((wallet) => wallet.name === name)),
      switchMint: setMint,
      log: onLog,
    })
    stops.push(control.close)
    const links = async () => {
      const toWallets = await Promise.all(pages.map(async (wallet) => [wallet.name, await linkTo(wallet)] as const))
      return [...toWallets, ['Control', control.newLink()] as const]
    }
    if (options.isToOpen) for (const [, link] of await links()) await openInBrowser(link)
    return {
      links,
      switchMint: async () => {
        await setMint(!isMintOn)
        return isMintOn
      },
      ended: isInWindows ? Promise.all(windows.map(({ ended }) => ended)).then(() => {}) : never,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Pages stay until they are stopped. */
const never = new Promise<void>(() => {})

async function linkTo(wallet: WalletProcess | undefined): Promise<string> {
  const link = await wallet?.ask('serve.link', {})
  if (typeof link !== 'string') throw new AppError('not_found', 'no such wallet')
  return link
}

/** What the first run would have a person do: a mint, and for Alice coins to pay with. */
async function prepare(wallet: WalletProcess, mintUrl: string, unit: string, isToHaveCoins: boolean): Promise<void> {
  // It is reached on this computer only: nobody on the local network should be shown it.
  await wallet.call('settings.change', { lan: false })
  await wallet.call('mints.add', { url: mintUrl }).catch((error) => {
    if (!(error instanceof AppError && error.code === 'mint_exists')) throw error
  })
  await wallet.call('profile.begin', {})
  if (!isToHaveCoins) return
  const mints = await wallet.call('mints.list', {})
  const balances = mints.flatMap((mint) => (mint.url === mintUrl ? mint.balances : []))
  if (balances.some(({ spendable, onItsWay }) => spendable + onItsWay > 0)) return
  const { id } = await wallet.call('withdraw.start', { mintUrl, unit, amount: firstCoins })
  const deadline = Date.now() + patienceMs
  while ((await wallet.call('withdraw.get', { id })).state !== 'done') {
    if (Date.now() > deadline) throw new Error('the practice mint gives no coins')
    await waitFor(100)
  }
}

/** The prepared wallets again, each in a window of its own. */
async function openWindows(
  binary: string,
  wallets: readonly WalletProcess[],
  folder: string,
  say: (line: string) => void,
): Promise<readonly Window[]> {
  await Promise.all(wallets.map((wallet) => wallet.stop()))
  return wallets.map(({ name }) => {
    const walletFolder = join(folder, name)
    const env = { FARTHING_TUNING: JSON.stringify(tuning), FARTHING_STATE: stateFolder(walletFolder) }
    const window = openWindow(binary, walletFolder, env)
    window.ended.then((end) => {
      if (end.kind === 'no-window') say(`${name} has no window, because ${end.why}: try npm run demo -- --browser`)
    })
    return window
  })
}
