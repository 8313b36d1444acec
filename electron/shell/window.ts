// The one window: how it is made, where it stands, and what happens when its page crashes.

import { BrowserWindow, nativeTheme, screen } from 'electron'
import { startUrl } from './origin.ts'
import { readWindowState, smallestSize, writeWindowState } from './window-state.ts'

export type MainWindow = {
  /** The window as it is now; undefined while there is none. */
  current(): BrowserWindow | undefined
  /** Bring it to the front, made anew if it was closed. */
  show(): void
  /** Whether a person looks at it. */
  isFocused(): boolean
}

export type MainWindowOptions = {
  readonly stateFile: string
  readonly preload: string
  readonly icon: string
  readonly isDevelopment: boolean
  readonly log: (line: string) => void
  /** @returns whether the window may close */
  readonly onClose: () => boolean
  /** The system shuts down or the person logs out (Windows). */
  readonly onSessionEnd: () => void
  /** A page begins to load: what was said to the last one is gone. */
  readonly onLoad: () => void
  /** The page crashed again shortly after it was loaded anew. */
  readonly onHopeless: () => void
}

/** The window's colour before the page has painted: `--bg` of the two themes. */
const background = { light: '#F1F3F1', dark: '#101412' } as const
/** Moving a window sends many events; the file is written when they pause. Milliseconds. */
const saveAfterMs = 500
/** Two crashes within this time are not chance. Milliseconds. */
const crashLoopMs = 60_000

export function createMainWindow(options: MainWindowOptions): MainWindow {
  let window: BrowserWindow | undefined
  let lastCrashAt = Number.NEGATIVE_INFINITY

  const open = (): BrowserWindow => {
    const opened = openWindow(options)
    opened.on('closed', () => {
      if (window === opened) window = undefined
    })
    opened.on('close', (event) => {
      if (!options.onClose()) event.preventDefault()
    })
    opened.on('session-end', () => options.onSessionEnd())
    opened.webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) options.onLoad()
    })
    opened.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit') return
      options.log(`the page is gone: ${reason} ${exitCode}`)
      const now = Date.now()
      const isLoop = now - lastCrashAt < crashLoopMs
      lastCrashAt = now
      if (isLoop) options.onHopeless()
      else if (!opened.isDestroyed()) opened.webContents.reload()
    })
    opened.loadURL(startUrl).catch((error) => options.log(`the page did not load: ${String(error).slice(0, 200)}`))
    return opened
  }
  return {
    current: () => window,
    show: () => {
      if (!window) {
        window = open()
        return
      }
      if (window.isMinimized()) window.restore()
      window.show()
      window.focus()
    },
    isFocused: () => window?.isFocused() === true && window.isVisible(),
  }
}

function openWindow({ stateFile, preload, icon, isDevelopment }: MainWindowOptions): BrowserWindow {
  const primary = screen.getPrimaryDisplay()
  const others = screen.getAllDisplays().filter(({ id }) => id !== primary.id)
  const state = readWindowState(
    stateFile,
    [primary, ...others].map(({ workArea }) => workArea),
  )
  const window = new BrowserWindow({
    ...state.bounds,
    minWidth: smallestSize.width,
    minHeight: smallestSize.height,
    title: 'Farthing',
    icon,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      devTools: isDevelopment,
      // The dictionaries of the spell checker come from the internet.
      spellcheck: false,
      // A payment is heard when it arrives, not when a person clicks next.
      autoplayPolicy: 'no-user-gesture-required',
    },
  })
  if (state.isMaximised) window.maximize()
  window.once('ready-to-show', () => window.show())
  keepState(window, stateFile)
  return window
}

function keepState(window: BrowserWindow, file: string): void {
  let timer: NodeJS.Timeout | undefined
  const save = (): void => {
    clearTimeout(timer)
    if (window.isDestroyed()) return
    writeWindowState(file, { bounds: window.getNormalBounds(), isMaximised: window.isMaximized() })
  }
  const saveSoon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(save, saveAfterMs)
  }
  window.on('resize', saveSoon)
  window.on('move', saveSoon)
  window.on('maximize', saveSoon)
  window.on('unmaximize', saveSoon)
  window.on('close', save)
}
