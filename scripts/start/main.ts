// `npm start`: Farthing in its window, or, where there is no Electron, the very same app in the browser.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataFolder } from '../../electron/data-folder.ts'
import { type AppPage, startAppPage } from '../../electron/serve/app-page.ts'
import { onLinkWanted, onStopWanted } from '../../electron/serve/terminal.ts'
import { launchPractice } from '../../practice/launch.ts'
import { AppError } from '../../shared/errors.ts'
import { errorWords } from '../../shared/words.ts'
import { root } from '../build/root.ts'
import { openInBrowser } from './display.ts'
import { freshen } from './freshen.ts'
import { findElectron, openWindow } from './window.ts'

const usage = `npm start -- [--data DIR]     where the wallet lies; FARTHING_DATA says it too
             [--browser]      in the browser, also where the window could open
             [--no-open]      print the link instead of opening it; with --browser
             [--port N]       a fixed port; with --browser
             [--verbose]      show the log`

const say = (line: string): void => console.log(line)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      browser: { type: 'boolean', default: false },
      'no-open': { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(usage)
  const folder = dataFolder(values.data)
  if (!values.browser && (await runWindow(folder))) return
  await freshen('renderer', say)
  await runPage({
    folder,
    port: portIn(values.port),
    isToOpen: !values['no-open'],
    log: (line) => {
      if (values.verbose) console.error(line)
    },
  })
}

function portIn(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Error('--port takes a number from 0 to 65535')
}

/** @returns false when no window could be opened */
async function runWindow(folder: string): Promise<boolean> {
  const electron = await findElectron(say)
  if (electron.kind === 'missing') {
    say(`No window, because ${electron.why}. Farthing opens in the browser instead.`)
    return false
  }
  await freshen('renderer', say)
  await freshen('electron', say)
  const window = openWindow(electron.binary, folder)
  onStopWanted(window.close)
  const end = await window.ended
  if (end.kind === 'no-window') {
    say(`No window, because ${end.why}. Farthing opens in the browser instead.`)
    return false
  }
  if (end.code === folderInUseCode) sayInUse(folder)
  process.exitCode = end.code
  return true
}

/** The window's exit code for `folder_in_use`. */
const folderInUseCode = 3

async function runPage(options: {
  readonly folder: string
  readonly port: number
  readonly isToOpen: boolean
  readonly log: (line: string) => void
}): Promise<void> {
  const { folder, port, isToOpen, log } = options
  const rendererFolder = join(root, 'dist', 'renderer')
  const page = await startAppPage({ folder, port, practice: launchPractice, rendererFolder, log }).catch((thrown) => {
    if (!(thrown instanceof AppError && thrown.code === 'folder_in_use')) throw thrown
    sayInUse(folder)
    process.exit(folderInUseCode)
  })
  stopOnRequest(page)
  if (isToOpen && (await openInBrowser(page.newLink(), page.turnsAwayOthers))) say('Farthing is open in your browser.')
  else sayLink(page)
  say(
    process.stdin.isTTY
      ? 'Enter prints a new link, Ctrl-C stops Farthing.'
      : `A new link: kill -USR2 ${process.pid}. Stop: kill ${process.pid}.`,
  )
  onLinkWanted(() => sayLink(page))
}

/** A link is for one browser, once: it is printed when somebody asks, and never logged. */
function sayLink(page: AppPage): void {
  say('')
  say(`  ${page.newLink()}`)
  say('')
  say('Open this link in your browser. It works once, for five minutes.')
}

function stopOnRequest(page: AppPage): void {
  onStopWanted(() => {
    page.stop().then(
      () => {
        say('Farthing has stopped.')
        process.exit(0)
      },
      (error) => fail(error),
    )
  })
}

function sayInUse(folder: string): void {
  console.error(`Farthing is already running with this folder: ${folder}`)
  console.error('Use its window. If it is open in a browser, press Enter in its terminal: that prints a new link.')
}

function fail(thrown: unknown): never {
  if (thrown instanceof AppError) {
    const { title, body, action } = errorWords(thrown.code, thrown.facts)
    console.error(`${title}. ${body} ${action} (${thrown.code}: ${thrown.message})`)
  } else console.error(`Farthing: ${thrown instanceof Error ? thrown.message : thrown}`)
  process.exit(1)
}

main().catch(fail)
