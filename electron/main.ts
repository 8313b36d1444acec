// The desktop host: one process, one window, one wallet. This file is the order in which things happen.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, dialog, nativeTheme, powerMonitor, protocol, session } from 'electron'
import { toAppError } from '../shared/errors.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type { GateView, Slices } from '../shared/model.ts'
import { type App, startApp } from './app.ts'
import { readTuning } from './host-options.ts'
import { type Ipc, serveWindow } from './ipc-main.ts'
import { createRouter } from './router.ts'
import { createFileServer } from './shell/app-files.ts'
import { linkIn, linkSchemes, readLink } from './shell/deep-link.ts'
import { createLog } from './shell/log.ts'
import { setApplicationMenu } from './shell/menu.ts'
import { createMirror, openPayments } from './shell/mirror.ts'
import { guardPages } from './shell/navigation.ts'
import { createNotices } from './shell/notices.ts'
import { scheme } from './shell/origin.ts'
import { createPageEvents } from './shell/page-events.ts'
import { guardSession } from './shell/permissions.ts'
import { createFolderPicker } from './shell/pick-folder.ts'
import { createPracticeLauncher } from './shell/practice-process.ts'
import { guardQuit } from './shell/quit.ts'
import { routes } from './shell/routes.ts'
import { createSealer, isProtected } from './shell/sealer.ts'
import { failStart } from './shell/start-failure.ts'
import { readStartOptions } from './shell/start-options.ts'
import { createStayAwake } from './shell/stay-awake.ts'
import { createTray } from './shell/tray.ts'
import { createMainWindow, type MainWindow } from './shell/window.ts'
import { crashWords, defectWords, detailsWords } from './shell/words.ts'

/** `appId` and `desktopName` of electron-builder.yml. */
const appId = 'cash.farthing.Farthing'
const isMac = process.platform === 'darwin'
const isDevelopment = !app.isPackaged

/** Beside this file once it is built. */
const built = {
  renderer: join(import.meta.dirname, '..', 'renderer'),
  preload: join(import.meta.dirname, 'preload.cjs'),
  practice: join(import.meta.dirname, 'practice.js'),
  icon: join(import.meta.dirname, 'icon.png'),
  tray: join(import.meta.dirname, isMac ? 'trayTemplate.png' : 'tray.png'),
}

const { folder, link, tuning } = readStartOptions({
  argv: process.argv.slice(1),
  env: process.env,
  isPackaged: app.isPackaged,
})
app.setName('Farthing')
// What the window keeps lies beside the wallet: one folder, one instance.
const userData = join(folder, 'window')
mkdirSync(userData, { recursive: true, mode: 0o700 })
app.setPath('userData', userData)
const logFolder = join(userData, 'logs')
const log = createLog(logFolder, isDevelopment)

let window: MainWindow | undefined
let ipc: Ipc | undefined
const page = createPageEvents((event) => ipc?.send(event))

if (app.requestSingleInstanceLock({ link: link ?? null })) {
  beforeReady()
  app.whenReady().then(start).catch(fail)
} else {
  // The first instance shows its window and takes the link.
  app.quit()
}

/** Whatever Electron wants to know before it is ready. */
function beforeReady(): void {
  app.enableSandbox()
  if (process.platform === 'win32') app.setAppUserModelId(appId)
  if (process.platform === 'linux') app.setDesktopName(`${appId}.desktop`)
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true } },
  ])
  guardPages(app, log)
  if (link !== undefined) page.ask({ kind: 'open-link', link })
  app.on('second-instance', (_event, argv, _directory, data) => {
    const handedOver = typeof data === 'object' && data !== null && 'link' in data ? readLink(data.link) : undefined
    openLink(handedOver ?? linkIn(argv))
  })
  app.on('open-url', (event, url) => {
    event.preventDefault()
    openLink(readLink(url))
  })
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', (reason) => log(`internal: unhandled rejection: ${describe(reason)}`))
}

async function start(): Promise<void> {
  if (app.isPackaged) takeLinks()
  guardSession(session.defaultSession, { isDevelopment })
  protocol.handle(scheme, createFileServer(built.renderer))
  if (!(await isProtected())) log('no keychain here: the phrase is protected by the permissions of its file alone')

  let onEvent = (_event: HostEvent): void => {}
  const { tickMs, ...config } = readTuning(tuning ?? '{}')
  const wallet = await startApp({
    folder,
    onEvent: (event) => onEvent(event),
    log,
    sealer: createSealer(),
    config,
    ...(tickMs === undefined ? {} : { tickMs }),
    practice: createPracticeLauncher(built.practice),
    pickFolder: createFolderPicker(() => window?.current()),
  }).catch((thrown) => {
    log(`the start failed: ${describe(thrown)}`)
    failStart(app, thrown, logFolder)
  })
  if (!wallet) return

  const router = createRouter(wallet.handlers, wallet.report)
  let newest = await wallet.handlers['gate.look']({})
  const slices = await slicesOf(wallet)
  const mirror = createMirror()
  const stayAwake = createStayAwake()
  // From here on nothing waits: what these know of each other is there before the first event.
  const quit = guardQuit(app, {
    waiting: () => openPayments(mirror.now()),
    stop: async () => {
      tray.remove()
      stayAwake.set(false)
      await wallet.stop()
    },
    window: () => shown.current(),
    log,
  })
  const shown = createMainWindow({
    stateFile: join(userData, 'window.json'),
    preload: built.preload,
    icon: built.icon,
    isDevelopment,
    log,
    onClose: () => {
      // On a Mac an app lives on without its window; elsewhere closing it is leaving.
      if (isMac || quit.isUnderWay()) return true
      app.quit()
      return false
    },
    onSessionEnd: quit.now,
    onLoad: page.pageLoads,
    onHopeless: () => {
      dialog.showErrorBox(crashWords.title, crashWords.body)
      quit.now()
    },
  })
  const open = (route: string): void => {
    shown.show()
    page.ask({ kind: 'open', route })
  }
  const tray = createTray({
    icon: built.tray,
    show: shown.show,
    open,
    setVisible: async (on) => {
      const reply = await router('nearby.announce', { on })
      tray.setVisible(isVisible)
      // The screen says why it cannot be.
      if (!reply.ok) open(routes.getPaid)
    },
    quit: () => app.quit(),
  })
  const notices = createNotices({
    icon: built.icon,
    isWanted: () => mirror.now()?.settings.notifications === true && !shown.isFocused(),
    isPlayMoney: (url) => mirror.now()?.mints.some((mint) => mint.url === url && mint.isPlayMoney) === true,
    onOpen: (id) => open(routes.payment(id)),
  })
  /** As far as was told: behind a shut gate everything stays as it was. */
  let isVisible = false
  const follow = (): void => {
    const now = mirror.now()
    if (now === null) return
    isVisible = now.nearby.isVisible
    nativeTheme.themeSource = now.settings.appearance
    stayAwake.set(isVisible)
    tray.setVisible(isVisible)
  }
  const lock = (): void => void router('gate.lock', {}).then(shown.show)
  const showGate = (gate: GateView, slices: Slices | null): void => {
    const isLockable = gate.state === 'open' && gate.sealing === 'passphrase'
    setApplicationMenu({ isDevelopment, open, lock: isLockable ? lock : null })
    if (slices) {
      mirror.open(slices)
      follow()
    } else {
      mirror.shut()
      notices.clear()
      page.pageIsShut()
    }
  }
  const followGate = async (gate: GateView): Promise<void> => {
    newest = gate
    const slices = gate.state === 'open' ? await slicesOf(wallet) : null
    if (newest === gate) showGate(gate, slices)
  }
  ipc = serveWindow({
    router,
    window: shown.current,
    onAnswered: (name) => name === 'app.snapshot' && page.pageListens(),
    log,
  })
  onEvent = (event) => {
    mirror.take(event)
    if (event.kind === 'slice') follow()
    if (event.kind === 'gate') void followGate(event.gate)
    notices.take(event)
    ipc?.send(event)
  }
  showGate(newest, slices)
  app.on('activate', shown.show)
  app.on('window-all-closed', () => {
    if (!isMac) app.quit()
  })
  powerMonitor.on('shutdown', quit.now)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit.now)
  window = shown
  shown.show()
}

/** What the wallet shows; null behind a shut gate. */
async function slicesOf({ handlers }: App): Promise<Slices | null> {
  return handlers['app.snapshot']({}).then(
    ({ slices }) => slices,
    () => null,
  )
}

/** `farthing:` is ours; `cashu:` is taken where no other app has it. */
function takeLinks(): void {
  for (const linkScheme of linkSchemes) {
    const isFree = app.getApplicationNameForProtocol(`${linkScheme}:`) === ''
    if (linkScheme === 'farthing' || isFree) app.setAsDefaultProtocolClient(linkScheme)
  }
}

/** Show the window, filled in with what a link asks for; nothing happens until a person says so. */
function openLink(opened: string | undefined): void {
  window?.show()
  if (opened !== undefined) page.ask({ kind: 'open-link', link: opened })
}

/** A defect: nothing that runs can be trusted any more, and everything that matters is on the disk. */
function fail(thrown: unknown): void {
  log(`internal: ${describe(thrown)}`)
  dialog.showErrorBox(defectWords.title, `${defectWords.body}\n\n${detailsWords('internal', logFolder)}`)
  app.exit(1)
}

/** Code, message and where: never what it was about. */
function describe(thrown: unknown): string {
  const { code, message } = toAppError(thrown)
  const cause = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : typeof thrown
  return `${code}: ${message} (${cause})`
}
