// A stand-in of the `electron` module: as much of it as the host uses, typed by Electron's own declarations, strict about
// what Electron is strict about (what must happen before or after `ready`, what may happen once), and remembering all of it.

import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type * as Electron from 'electron'

export type StandInOptions = {
  /** Where the folders of this user are. */
  readonly home: string
  readonly isPackaged?: boolean
  /** Whether another instance runs already. */
  readonly isSecond?: boolean
  readonly keychain?: 'gnome_libsecret' | 'basic_text' | 'none'
  /** Rises when the system changes its key. */
  readonly keychainKey?: number
  readonly workAreas?: readonly Electron.Rectangle[]
  /** Which apps open links of which scheme. */
  readonly linkApps?: Readonly<Record<string, string>>
}

type Listener = (...args: never[]) => unknown

/** An event as Electron hands it to a listener. */
export class PreventableEvent {
  defaultPrevented = false
  preventDefault = (): void => {
    this.defaultPrevented = true
  }
}

export class StandInContents extends EventEmitter {
  static nextId = 1
  readonly id = StandInContents.nextId++
  readonly sent: { readonly channel: string; readonly value: unknown }[] = []
  readonly mainFrame = frame(null, '')
  url = ''
  reloads = 0
  isGone = false
  windowOpenHandler: ((details: { url: string }) => { action: string }) | undefined

  send(channel: string, value: unknown): void {
    const copy = structuredClone(value)
    this.sent.push({ channel, value: copy })
    this.emit('sent', channel, copy)
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.windowOpenHandler = handler
  }
  getURL(): string {
    return this.url
  }
  isDestroyed(): boolean {
    return this.isGone
  }
  isCrashed(): boolean {
    return false
  }
  reload(): void {
    this.reloads++
    this.navigate(this.url)
  }
  navigate(url: string): void {
    this.url = url
    this.mainFrame.url = url
    this.mainFrame.origin = originOf(url)
    this.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false, url })
  }
}

export type StandInFrame = { url: string; origin: string; readonly parent: StandInFrame | null }

/** A frame that shows this page. */
export function frame(parent: StandInFrame | null, url: string): StandInFrame {
  return { url, origin: originOf(url), parent }
}

function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/]*/.exec(url)?.[0] ?? 'null'
}

/** @returns the module to put in Electron's place, what it remembers, and what a test can make happen */
export function createElectron(options: StandInOptions) {
  const {
    home,
    isPackaged = false,
    isSecond = false,
    keychain = 'gnome_libsecret',
    keychainKey = 1,
    linkApps = {},
  } = options
  const workAreas = options.workAreas ?? [{ x: 0, y: 0, width: 1920, height: 1040 }]
  const paths = new Map<string, string>([['appData', home]])
  const ready = Promise.withResolvers<void>()
  let isReady = false
  const before = (what: string): void => {
    if (isReady) throw new Error(`${what} after ready`)
  }
  const after = (what: string): void => {
    if (!isReady) throw new Error(`${what} before ready`)
  }

  const log = {
    schemes: [] as Electron.CustomScheme[],
    isSandboxed: false,
    sealings: 0,
    lockData: undefined as unknown,
    protocolClients: [] as string[],
    exitCodes: [] as number[],
    hasQuit: false,
    windows: [] as StandInWindow[],
    menus: [] as Electron.MenuItemConstructorOptions[][],
    applicationMenu: undefined as Electron.MenuItemConstructorOptions[] | undefined,
    errorBoxes: [] as { title: string; content: string }[],
    questions: [] as Electron.MessageBoxOptions[],
    pickers: [] as Electron.OpenDialogOptions[],
    opened: [] as string[],
    notifications: [] as StandInNotification[],
    blockers: new Map<number, string>(),
    trays: [] as StandInTray[],
    calls: new Map<string, (event: unknown, ...args: unknown[]) => unknown>(),
    protocols: new Map<string, (request: { url: string; method: string }) => Promise<Response>>(),
    children: [] as ChildProcess[],
  }
  /** What the person answers to the next question; a promise is answered later. */
  const answers: (number | Promise<number>)[] = []
  /** What the person picks in the next windows for folders; nothing when there are no more. */
  const folders: string[] = []

  const app = Object.assign(new EventEmitter(), {
    isPackaged,
    setName: () => {},
    setAppUserModelId: () => before('setAppUserModelId'),
    setDesktopName: () => before('setDesktopName'),
    enableSandbox: () => {
      before('enableSandbox')
      log.isSandboxed = true
    },
    getPath: (name: string) => {
      const path = paths.get(name)
      if (path === undefined) throw new Error(`Failed to get '${name}' path`)
      return path
    },
    setPath: (name: string, path: string) => {
      before('setPath')
      if (!existsSync(path)) throw new Error(`${name} must be an existing folder`)
      paths.set(name, path)
    },
    requestSingleInstanceLock: (data?: unknown) => {
      if (!paths.has('userData')) throw new Error('the lock belongs to the folder of this user, which is not set')
      log.lockData = data
      return !isSecond
    },
    whenReady: () => ready.promise,
    getApplicationNameForProtocol: (url: string) => linkApps[url] ?? '',
    setAsDefaultProtocolClient: (scheme: string) => {
      log.protocolClients.push(scheme)
      return true
    },
    exit: (code = 0) => {
      log.exitCodes.push(code)
    },
    quit: () => {
      const event = new PreventableEvent()
      app.emit('before-quit', event)
      if (event.defaultPrevented) return
      for (const window of log.windows) if (!window.isDestroyed() && !window.tryToClose()) return
      log.hasQuit = true
    },
  } satisfies Partial<Electron.App>)

  class StandInWindow extends EventEmitter {
    readonly webContents = new StandInContents()
    readonly calls: string[] = []
    readonly options: Electron.BrowserWindowConstructorOptions
    bounds: Electron.Rectangle
    isShown = false
    hasFocus = false
    isBig = false
    #isDestroyed = false

    constructor(given: Electron.BrowserWindowConstructorOptions) {
      super()
      after('a window')
      this.options = given
      this.bounds = { x: given.x ?? 0, y: given.y ?? 0, width: given.width ?? 800, height: given.height ?? 600 }
      log.windows.push(this)
      app.emit('web-contents-created', {}, this.webContents)
    }
    async loadURL(url: string): Promise<void> {
      this.webContents.navigate(url)
      this.emit('ready-to-show')
    }
    show(): void {
      this.isShown = true
      this.hasFocus = true
      this.calls.push('show')
    }
    hide(): void {
      this.isShown = false
      this.hasFocus = false
    }
    focus(): void {
      this.hasFocus = true
      this.calls.push('focus')
    }
    restore(): void {
      this.calls.push('restore')
    }
    maximize(): void {
      this.isBig = true
    }
    isMaximized(): boolean {
      return this.isBig
    }
    isMinimized(): boolean {
      return false
    }
    isVisible(): boolean {
      return this.isShown
    }
    isFocused(): boolean {
      return this.hasFocus
    }
    isDestroyed(): boolean {
      return this.#isDestroyed
    }
    getNormalBounds(): Electron.Rectangle {
      return this.bounds
    }
    /** As when a person presses the cross. @returns whether it closed */
    tryToClose(): boolean {
      const event = new PreventableEvent()
      this.emit('close', event)
      if (event.defaultPrevented) return false
      this.#isDestroyed = true
      this.webContents.isGone = true
      this.emit('closed')
      return true
    }
  }

  class StandInNotification extends EventEmitter {
    static isSupported = (): boolean => true
    readonly options: Electron.NotificationConstructorOptions
    isShown = false
    constructor(given: Electron.NotificationConstructorOptions) {
      super()
      after('a notification')
      this.options = given
      log.notifications.push(this)
    }
    show(): void {
      this.isShown = true
    }
    close(): void {
      this.isShown = false
      this.emit('close')
    }
  }

  class StandInTray extends EventEmitter {
    readonly image: { readonly path: string }
    menu: Electron.MenuItemConstructorOptions[] = []
    isThere = true
    constructor(image: { readonly path: string }) {
      super()
      after('a tray icon')
      this.image = image
      log.trays.push(this)
    }
    setToolTip(): void {}
    setContextMenu(menu: { readonly template: Electron.MenuItemConstructorOptions[] }): void {
      this.menu = menu.template
    }
    destroy(): void {
      this.isThere = false
    }
  }

  class StandInSession extends EventEmitter {
    requestHandler: Parameters<Electron.Session['setPermissionRequestHandler']>[0] = null
    checkHandler: Parameters<Electron.Session['setPermissionCheckHandler']>[0] = null
    deviceHandler: Parameters<Electron.Session['setDevicePermissionHandler']>[0] = null
    displayHandler: Parameters<Electron.Session['setDisplayMediaRequestHandler']>[0] = null
    beforeRequest: ((details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void) | undefined
    readonly webRequest = {
      onBeforeRequest: (
        listener: (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void,
      ): void => {
        this.beforeRequest = listener
      },
    }
    setPermissionRequestHandler(handler: typeof this.requestHandler): void {
      this.requestHandler = handler
    }
    setPermissionCheckHandler(handler: typeof this.checkHandler): void {
      this.checkHandler = handler
    }
    setDevicePermissionHandler(handler: typeof this.deviceHandler): void {
      this.deviceHandler = handler
    }
    setDisplayMediaRequestHandler(handler: typeof this.displayHandler): void {
      this.displayHandler = handler
    }
  }

  const defaultSession = new StandInSession()
  const powerMonitor = new EventEmitter()
  const nativeTheme = { themeSource: 'system', shouldUseDarkColors: false }
  const buildMenu = (template: Electron.MenuItemConstructorOptions[]) => {
    log.menus.push(template)
    return { template }
  }
  const display = (workArea: Electron.Rectangle, id: number) => ({ id, workArea })

  const module = {
    app,
    BrowserWindow: StandInWindow,
    dialog: {
      showErrorBox: (title: string, content: string) => {
        log.errorBoxes.push({ title, content })
      },
      showMessageBox: async (...given: unknown[]) => {
        log.questions.push(given.at(-1) as Electron.MessageBoxOptions)
        return { response: (await answers.shift()) ?? 0, checkboxChecked: false }
      },
      showOpenDialog: async (...given: unknown[]) => {
        log.pickers.push(given.at(-1) as Electron.OpenDialogOptions)
        const picked = folders.shift()
        return picked === undefined ? { canceled: true, filePaths: [] } : { canceled: false, filePaths: [picked] }
      },
    },
    ipcMain: {
      handle: (channel: string, handler: (event: unknown, ...args: unknown[]) => unknown) => {
        if (log.calls.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
        log.calls.set(channel, handler)
      },
    },
    Menu: {
      buildFromTemplate: buildMenu,
      setApplicationMenu: (menu: { template: Electron.MenuItemConstructorOptions[] }) => {
        log.applicationMenu = menu.template
      },
    },
    nativeImage: { createFromPath: (path: string) => ({ path, setTemplateImage: () => {} }) },
    nativeTheme,
    Notification: StandInNotification,
    powerMonitor,
    powerSaveBlocker: {
      start: (kind: string) => {
        const id = log.blockers.size + 1
        log.blockers.set(id, kind)
        return id
      },
      stop: (id: number) => log.blockers.delete(id),
    },
    protocol: {
      registerSchemesAsPrivileged: (schemes: Electron.CustomScheme[]) => {
        before('registerSchemesAsPrivileged')
        if (log.schemes.length > 0) throw new Error('registerSchemesAsPrivileged can be called once')
        log.schemes.push(...schemes)
      },
      handle: (scheme: string, handler: (request: { url: string; method: string }) => Promise<Response>) => {
        after('protocol.handle')
        log.protocols.set(scheme, handler)
      },
    },
    safeStorage: {
      isAsyncEncryptionAvailable: async () => isReady && keychain !== 'none',
      getSelectedStorageBackend: () => (!isReady || keychain === 'none' ? 'unknown' : keychain),
      encryptStringAsync: async (text: string) => {
        after('encryptStringAsync')
        log.sealings++
        return Buffer.from([...Buffer.from(`v1${keychainKey}${text}`)].map((byte) => byte ^ 0x5a))
      },
      /** Data of an older key is opened, and asked to be sealed anew. */
      decryptStringAsync: async (sealed: Buffer) => {
        after('decryptStringAsync')
        const text = Buffer.from([...sealed].map((byte) => byte ^ 0x5a)).toString()
        const key = /^v1(\d)/.exec(text)?.[1]
        if (key === undefined) throw new Error('Error while decrypting the ciphertext provided')
        return { result: text.slice(3), shouldReEncrypt: Number(key) < keychainKey }
      },
    } satisfies Partial<Electron.SafeStorage>,
    screen: {
      getPrimaryDisplay: () => {
        after('screen')
        return display(workAreas[0] ?? { x: 0, y: 0, width: 800, height: 600 }, 1)
      },
      getAllDisplays: () => workAreas.map((area, index) => display(area, index + 1)),
    },
    session: {
      get defaultSession() {
        after('session.defaultSession')
        return defaultSession
      },
    },
    shell: {
      openExternal: async (url: string) => {
        log.opened.push(url)
      },
    },
    systemPreferences: { askForMediaAccess: async () => true },
    Tray: StandInTray,
    utilityProcess: {
      /** A real child of plain Node, which speaks over Node's own channel. */
      fork: (file: string, args: string[]) => {
        after('utilityProcess.fork')
        const child = fork(file, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: {}, execArgv: [] })
        log.children.push(child)
        return Object.assign(new EventEmitter(), {
          stdout: child.stdout,
          stderr: child.stderr,
          postMessage: (message: object) => child.send(message),
          kill: () => child.kill(),
          on: (name: string, listener: Listener) => child.on(name, listener as () => void),
          once: (name: string, listener: Listener) => child.once(name, listener as () => void),
        })
      },
    },
  }

  return {
    module,
    log,
    answers,
    folders,
    session: defaultSession,
    nativeTheme,
    userData: () => paths.get('userData') ?? join(home, 'nowhere'),
    /** Electron has started. */
    becomeReady: () => {
      isReady = true
      ready.resolve()
    },
    emit: (name: string, ...args: unknown[]): PreventableEvent => {
      const event = new PreventableEvent()
      app.emit(name, event, ...args)
      return event
    },
    /** As when the window's page, or somebody else, calls. */
    call: async (
      name: unknown,
      input: unknown,
      from: { readonly sender?: unknown; readonly senderFrame?: unknown } = {},
    ): Promise<unknown> => {
      const handler = log.calls.get('farthing:call')
      const sender = log.windows.at(-1)?.webContents
      return handler?.({ sender, senderFrame: sender?.mainFrame, ...from }, name, input)
    },
  }
}

export type StandIn = ReturnType<typeof createElectron>
