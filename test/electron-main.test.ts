// The desktop host, run on a stand-in of Electron: what it asks of Electron and what it refuses. The wallet behind it is
// the real one, in a folder of its own.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MenuItemConstructorOptions } from 'electron'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type App, startApp } from '../electron/app.ts'
import { createFileServer } from '../electron/shell/app-files.ts'
import { linkIn, maxLinkLength, readLink } from '../electron/shell/deep-link.ts'
import { createLog } from '../electron/shell/log.ts'
import { readWindowState, writeWindowState } from '../electron/shell/window-state.ts'
import { takeLease } from '../electron/store/lease.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import { readRoute } from '../renderer/route.ts'
import type { HostEvent, Reply } from '../shared/ipc.ts'
import { withoutSecrets } from '../shared/log-text.ts'
import type { NearbySlice, RequestView, Snapshot } from '../shared/model.ts'
import {
  createElectron,
  frame,
  PreventableEvent,
  type StandIn,
  StandInContents,
  type StandInOptions,
} from './electron-standin.ts'

const platform = Object.getOwnPropertyDescriptor(process, 'platform')!
const { argv } = process
const processEvents = ['uncaughtException', 'unhandledRejection', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const
let listeners: Map<string, Set<unknown>>
let home: string
let started: StandIn[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'farthing-host-'))
  // In development the log is printed too.
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  listeners = new Map(processEvents.map((name) => [name, new Set(process.listeners(name as 'SIGINT'))]))
})

afterEach(async () => {
  for (const electron of started) await leave(electron)
  started = []
  for (const name of processEvents) {
    for (const listener of process.listeners(name as 'SIGINT')) {
      if (!listeners.get(name)?.has(listener)) process.off(name, listener as () => void)
    }
  }
  Object.defineProperty(process, 'platform', platform)
  process.argv = argv
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  vi.doUnmock('electron')
  rmSync(home, { recursive: true, force: true })
})

type Start = Partial<StandInOptions> & { readonly args?: readonly string[]; readonly on?: NodeJS.Platform }

/** main.ts as Electron loads it, up to the point where Electron becomes ready. */
async function load({ args = [], on, ...options }: Start = {}): Promise<StandIn> {
  const electron = createElectron({ home, ...options })
  if (on) Object.defineProperty(process, 'platform', { value: on })
  vi.stubEnv('FARTHING_DATA', folder())
  vi.resetModules()
  vi.doMock('electron', () => electron.module)
  process.argv = ['/opt/electron', '.', ...args]
  await import('../electron/main.ts')
  started.push(electron)
  return electron
}

/** And on, until there is a window or a reason why there is none. */
async function start(options: Start = {}): Promise<StandIn> {
  const electron = await load(options)
  electron.becomeReady()
  await vi.waitFor(() => {
    expect(
      electron.log.windows.length + electron.log.errorBoxes.length + electron.log.exitCodes.length,
    ).toBeGreaterThan(0)
  }, 20_000)
  return electron
}

/** Electron alone, ready, for one part of the host. */
function bare(): StandIn {
  const electron = createElectron({ home })
  vi.resetModules()
  vi.doMock('electron', () => electron.module)
  electron.becomeReady()
  return electron
}

const folder = (): string => join(home, 'wallet')

/** Quit without a question. */
async function leave(electron: StandIn): Promise<void> {
  if (electron.log.hasQuit || electron.log.exitCodes.length > 0 || electron.log.windows.length === 0) return
  electron.answers.unshift(1)
  electron.module.app.quit()
  await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
}

async function ask<T>(electron: StandIn, name: string, input: object = {}): Promise<T> {
  const reply = (await electron.call(name, input)) as Reply<T>
  if (!reply.ok) throw new Error(`${name}: ${reply.error.code} ${reply.error.message}`)
  return reply.value
}

const events = (electron: StandIn): readonly HostEvent[] =>
  electron.log.windows.at(-1)!.webContents.sent.map(({ value }) => value as HostEvent)

/** What the host itself asked the page for. */
const wishes = (electron: StandIn): readonly HostEvent[] =>
  events(electron).filter(({ kind }) => kind === 'open' || kind === 'open-link')

function menuItems(template: readonly MenuItemConstructorOptions[]): readonly MenuItemConstructorOptions[] {
  return template.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? menuItems(item.submenu) : [])])
}

function click(template: readonly MenuItemConstructorOptions[], label: string): void {
  const item = menuItems(template).find((one) => one.label === label)
  ;(item?.click as undefined | (() => void))?.()
}

describe('a folder for copies', () => {
  test('is picked in a window of the system above ours, or not at all', async () => {
    const electron = await start()
    expect(await ask(electron, 'backup.pickFolder')).toEqual({ folder: null })
    electron.folders.push('/media/stick')
    expect(await ask(electron, 'backup.pickFolder')).toEqual({ folder: '/media/stick' })
    expect(electron.log.pickers).toHaveLength(2)
    for (const options of electron.log.pickers) {
      expect(options.properties).toEqual(['openDirectory', 'createDirectory'])
    }
  })
})

describe('a start', () => {
  test('prepares scheme, sandbox and lock before Electron is ready, and nothing else', async () => {
    const { log } = await load()
    expect(log.schemes).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
      },
    ])
    expect(log.isSandboxed).toBe(true)
    expect(log.calls.size + log.protocols.size + log.windows.length).toBe(0)
    expect(existsSync(join(folder(), 'wallet.db'))).toBe(false)
  })

  test('opens the real wallet and one window on the page of the app', async () => {
    const electron = await start()
    expect(electron.log.windows).toHaveLength(1)
    const [window] = electron.log.windows
    expect(window!.webContents.url).toBe('app://farthing/')
    expect(window!.options).toMatchObject({
      title: 'Farthing',
      show: false,
      webPreferences: {
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
      },
    })
    expect(window!.options.webPreferences!.preload).toMatch(/preload\.cjs$/)
    expect(existsSync(join(folder(), 'wallet.db'))).toBe(true)
    // Session and page are guarded; how, is below.
    const { requestHandler, checkHandler, deviceHandler, displayHandler, beforeRequest } = electron.session
    expect([requestHandler, checkHandler, deviceHandler, displayHandler, beforeRequest]).not.toContain(null)
    expect(beforeRequest).toBeDefined()
    expect(window!.webContents.windowOpenHandler).toBeDefined()
    expect(electron.userData()).toBe(join(folder(), 'window'))
    const { slices } = await ask<Snapshot>(electron, 'app.snapshot')
    expect(slices.profile.isFirstRun).toBe(true)
  })

  test('has developer tools in development only', async () => {
    expect((await start()).log.windows[0]!.options.webPreferences!.devTools).toBe(true)
    await leave(started[0]!)
    expect((await start({ isPackaged: true })).log.windows[0]!.options.webPreferences!.devTools).toBe(false)
  })

  test('a second one hands over its link and ends before it touches anything', async () => {
    const { log } = await load({ isSecond: true, args: ['farthing:creqAabc'] })
    expect(log.hasQuit).toBe(true)
    expect(log.lockData).toEqual({ link: 'farthing:creqAabc' })
    expect(log.schemes).toEqual([])
    expect(existsSync(join(folder(), 'wallet.db'))).toBe(false)
  })

  test('a folder that another process uses is said in words, with an exit code', async () => {
    const lease = takeLease(folder())
    try {
      const { log } = await start()
      expect(log.windows).toEqual([])
      expect(log.exitCodes).toEqual([3])
      expect(log.errorBoxes).toHaveLength(1)
      expect(log.errorBoxes[0]!.content).toContain('folder_in_use')
      expect(log.errorBoxes[0]!.content).toContain(join('window', 'logs'))
    } finally {
      lease.release()
    }
  })

  test('a phrase that is missing is asked for, and no new one is made', async () => {
    await leave(await start({ keychain: 'none' }))
    rmSync(join(folder(), 'phrase'))
    const electron = await start({ keychain: 'none' })
    expect(await ask(electron, 'gate.look')).toEqual({ state: 'wordless', cause: 'missing' })
    expect(existsSync(join(folder(), 'phrase'))).toBe(false)
  })

  test('a defect is logged, said, and ends the app', async () => {
    const electron = await start()
    const [fail] = process.listeners('uncaughtException').filter((one) => !listeners.get('uncaughtException')?.has(one))
    fail!(new Error('cashuBo2F0gaJhaUgA_9SLj17PgGFwgaNhYQFhc3g'), 'uncaughtException')
    expect(electron.log.exitCodes).toEqual([1])
    expect(electron.log.errorBoxes).toHaveLength(1)
    const text = readFileSync(join(electron.userData(), 'logs', 'farthing.log'), 'utf8')
    expect(text).toContain('internal: ')
    expect(text).not.toContain('cashuBo2F0')
    electron.log.exitCodes.length = 0
  })
})

describe('the phrase', () => {
  test('is sealed by the keychain of the system', async () => {
    const electron = await start({ keychain: 'gnome_libsecret' })
    expect((await ask<Snapshot>(electron, 'app.snapshot')).slices.profile.sealing).toBe('os')
    const { words } = await ask<{ words: string[] }>(electron, 'phrase.show')
    expect(existsSync(join(folder(), 'phrase'))).toBe(false)
    expect(readFileSync(join(folder(), 'phrase.sealed'), 'latin1')).not.toContain(words[0])
    await leave(electron)
    // and opened again
    expect(await ask(await start(), 'phrase.show')).toEqual({ words })
  })

  test('is sealed anew, once, when the system has a new key', async () => {
    const electron = await start()
    const { words } = await ask<{ words: string[] }>(electron, 'phrase.show')
    const before = readFileSync(join(folder(), 'phrase.sealed'))
    await leave(electron)
    const renewed = await start({ keychainKey: 2 })
    expect(await ask(renewed, 'phrase.show')).toEqual({ words })
    expect(readFileSync(join(folder(), 'phrase.sealed')).equals(before)).toBe(false)
    await leave(renewed)
    const again = await start({ keychainKey: 2 })
    expect(await ask(again, 'phrase.show')).toEqual({ words })
    expect(again.log.sealings).toBe(0)
  })

  test('that the keychain does not open leaves a window that says so, and an app that can be quit', async () => {
    await leave(await start())
    const electron = await start({ keychain: 'none' })
    expect(electron.log.windows).toHaveLength(1)
    expect(await ask(electron, 'gate.look')).toEqual({ state: 'sealed' })
    electron.module.app.quit()
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true))
    expect(electron.log.questions).toEqual([])
  })

  test('is opened by the keychain once that is there, as the screen says', async () => {
    await leave(await start())
    const electron = await load()
    const safe = electron.module.safeStorage as { isAsyncEncryptionAvailable: () => Promise<boolean> }
    const isThere = safe.isAsyncEncryptionAvailable
    safe.isAsyncEncryptionAvailable = async () => false
    electron.becomeReady()
    await vi.waitFor(() => expect(electron.log.windows.length).toBe(1), 20_000)
    expect(await ask(electron, 'gate.look')).toEqual({ state: 'sealed' })
    safe.isAsyncEncryptionAvailable = isThere
    expect(await ask(electron, 'gate.look')).toMatchObject({ state: 'open', sealing: 'os' })
  })

  test.each(['basic_text', 'none'] as const)('is plain, and said to be, when the keychain is: %s', async (keychain) => {
    const electron = await start({ keychain })
    expect((await ask<Snapshot>(electron, 'app.snapshot')).slices.profile.sealing).toBe('plain')
    expect(statSync(join(folder(), 'phrase')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(electron.userData(), 'logs', 'farthing.log'), 'utf8')).toContain('no keychain')
  })
})

describe('a call', () => {
  let electron: StandIn
  beforeEach(async () => {
    electron = await start()
  })

  test('is answered over one channel, to the page of the window', async () => {
    expect([...electron.log.calls.keys()]).toEqual(['farthing:call'])
    expect(await electron.call('mints.list', {})).toEqual({ ok: true, value: [] })
    expect(await electron.call('no.such', {})).toMatchObject({ ok: false, error: { code: 'unknown_command' } })
    expect(await electron.call('payments.get', { id: 7 })).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    expect(await electron.call(7, {})).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    expect(await electron.call({ toString: () => 'mints.list' }, {})).toMatchObject({ ok: false })
  })

  test.each([
    [
      'a frame inside the page',
      (contents: StandInContents) => ({ senderFrame: frame(contents.mainFrame, 'app://farthing/') }),
    ],
    ['a page of another origin in the window', () => ({ senderFrame: frame(null, 'https://farthing/') })],
    ['another host of the scheme', () => ({ senderFrame: frame(null, 'app://farthing.evil/') })],
    ['a file', () => ({ senderFrame: frame(null, 'file:///etc/passwd') })],
    ['a frame that is gone', () => ({ senderFrame: null })],
    [
      'another window',
      () => {
        const other = new StandInContents()
        other.navigate('app://farthing/')
        return { sender: other, senderFrame: other.mainFrame }
      },
    ],
  ])('from %s is refused with a reply', async (_, from) => {
    const reply = await electron.call('phrase.show', {}, from(electron.log.windows[0]!.webContents))
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    expect(JSON.stringify(reply)).not.toMatch(/words/)
  })

  test('after the window is gone is refused', async () => {
    const { webContents } = electron.log.windows[0]!
    await leave(electron)
    expect(
      await electron.call('mints.list', {}, { sender: webContents, senderFrame: webContents.mainFrame }),
    ).toMatchObject({
      ok: false,
    })
  })

  test('changes reach the page as events, and no other page', async () => {
    const [window] = electron.log.windows
    await ask(electron, 'profile.rename', { name: 'Ann' })
    await vi.waitFor(() =>
      expect(events(electron)).toContainEqual(
        expect.objectContaining({ kind: 'slice', name: 'profile', value: expect.objectContaining({ name: 'Ann' }) }),
      ),
    )
    expect(new Set(window!.webContents.sent.map(({ channel }) => channel))).toEqual(new Set(['farthing:event']))
    const before = window!.webContents.sent.length
    window!.webContents.url = 'https://example.org/'
    await electron.call('profile.rename', { name: 'Bob' })
    await vi.waitFor(async () =>
      expect((await ask<Snapshot>(electron, 'app.snapshot')).slices.profile.name).toBe('Bob'),
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(window!.webContents.sent.length).toBe(before)
  })

  test('settings are followed: the look of the system', async () => {
    await ask(electron, 'settings.change', { appearance: 'dark' })
    await vi.waitFor(() => expect(electron.nativeTheme.themeSource).toBe('dark'))
  })
})

describe('files of the app', () => {
  let root: string
  let serve: (url: string, method?: string) => Promise<Response>
  beforeEach(() => {
    root = join(home, 'renderer')
    mkdirSync(join(root, 'assets'), { recursive: true })
    writeFileSync(join(root, 'index.html'), '<!doctype html>')
    writeFileSync(join(root, 'assets', 'index-B_x1.js'), 'export {}')
    writeFileSync(join(root, 'assets', 'font.woff2'), 'font')
    writeFileSync(join(root, 'assets', 'notes.ts'), 'source')
    writeFileSync(join(root, '.env'), 'secret')
    writeFileSync(join(home, 'secret.txt'), 'secret')
    symlinkSync(join(home, 'secret.txt'), join(root, 'assets', 'link.txt'))
    symlinkSync(home, join(root, 'out'))
    const server = createFileServer(root)
    serve = (url, method = 'GET') => server({ url, method })
  })

  test.each([
    ['app://farthing/', 'text/html; charset=utf-8'],
    ['app://farthing', 'text/html; charset=utf-8'],
    ['app://farthing/index.html', 'text/html; charset=utf-8'],
    ['app://farthing/assets/index-B_x1.js', 'text/javascript; charset=utf-8'],
    ['app://farthing/assets/font.woff2', 'font/woff2'],
  ])('%s is served as %s', async (url, type) => {
    const response = await serve(url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
  })

  test.each([
    'app://farthing/../secret.txt',
    'app://farthing/assets/../../secret.txt',
    'app://farthing/assets/..%2f..%2fsecret.txt',
    'app://farthing/%2e%2e/secret.txt',
    'app://farthing/assets/%252e%252e/secret.txt',
    'app://farthing/assets\\..\\..\\secret.txt',
    'app://farthing/assets/index-B_x1.js\0.html',
    'app://farthing/assets/index-B_x1.js%00',
    'app://farthing//etc/passwd',
    'app://farthing/./index.html',
    'app://farthing/.env',
    'app://farthing/assets',
    'app://farthing/assets/',
    'app://farthing/assets/link.txt',
    'app://farthing/out/secret.txt',
    'app://farthing/assets/notes.ts',
    'app://farthing/missing.js',
    'app://farthing/index.html?x=1',
    'app://farthing.evil/index.html',
    'app://farthing:1/index.html',
    'app://user@farthing/index.html',
    'app://other/index.html',
    'https://farthing/index.html',
    'file:///etc/passwd',
    `app://farthing/${'a'.repeat(600)}.js`,
    '',
  ])('%j is not', async (url) => {
    const response = await serve(url)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('')
  })

  test.each(['POST', 'HEAD', 'PUT', 'OPTIONS', 'get'])('the method %s is refused', async (method) => {
    expect((await serve('app://farthing/', method)).status).toBe(405)
  })

  test('every answer carries the policies, a refusal too', async () => {
    for (const url of ['app://farthing/', 'app://farthing/assets/index-B_x1.js', 'app://farthing/missing.js']) {
      const { headers } = await serve(url)
      const policy = new Map(
        (headers.get('content-security-policy') ?? '').split('; ').map((one) => {
          const [name = '', ...values] = one.split(' ')
          return [name, values.join(' ')]
        }),
      )
      expect(Object.fromEntries(policy)).toMatchObject({
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' data: blob:",
        'connect-src': "'self'",
        'worker-src': "'self'",
        'base-uri': "'none'",
        'form-action': "'none'",
        'frame-ancestors': "'none'",
        'object-src': "'none'",
      })
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('permissions-policy')).toMatch(/camera=\(self\).*microphone=\(\).*usb=\(\)/)
    }
  })

  test('come over the scheme of the host', async () => {
    const electron = await start()
    expect([...electron.log.protocols.keys()]).toEqual(['app'])
    const response = await electron.log.protocols.get('app')!({ url: 'app://farthing/../package.json', method: 'GET' })
    expect(response.status).toBe(404)
  })
})

describe('the page may', () => {
  let electron: StandIn
  beforeEach(async () => {
    electron = bare()
    const { guardSession } = await import('../electron/shell/permissions.ts')
    guardSession(electron.session as never, { isDevelopment: false })
  })

  const page = { isMainFrame: true, requestingUrl: 'app://farthing/' }
  test.each([
    ['media', { ...page, mediaTypes: ['video'] }, true],
    ['media', { ...page, mediaTypes: ['video', 'audio'] }, false],
    ['media', { ...page, mediaTypes: ['audio'] }, false],
    ['media', { ...page, mediaTypes: [] }, false],
    ['media', page, false],
    ['media', { ...page, isMainFrame: false, mediaTypes: ['video'] }, false],
    ['media', { ...page, requestingUrl: 'https://example.org/', mediaTypes: ['video'] }, false],
    ['media', { ...page, requestingUrl: 'app://farthing.evil/', mediaTypes: ['video'] }, false],
    ['display-capture', { ...page, mediaTypes: ['video'] }, false],
    ['clipboard-sanitized-write', page, true],
    ['clipboard-read', page, false],
    ['geolocation', page, false],
    ['notifications', page, false],
    ['openExternal', page, false],
    ['fullscreen', page, false],
    ['usb', page, false],
    ['unknown', page, false],
  ] as const)('ask for %s with %j: %s', async (permission, details, isAllowed) => {
    const answer = await new Promise((resolve) => {
      electron.session.requestHandler!({} as never, permission, resolve, details as never)
    })
    expect(answer).toBe(isAllowed)
  })

  test.each([
    ['media', 'app://farthing/', { isMainFrame: true, mediaType: 'video' }, true],
    ['media', 'app://farthing', { isMainFrame: true, mediaType: 'video' }, true],
    ['media', 'app://farthing/', { isMainFrame: true, mediaType: 'audio' }, false],
    ['media', 'app://farthing/', { isMainFrame: true, mediaType: 'unknown' }, false],
    ['media', 'app://farthing/', { isMainFrame: false, mediaType: 'video' }, false],
    ['media', 'https://example.org/', { isMainFrame: true, mediaType: 'video' }, false],
    ['clipboard-sanitized-write', 'app://farthing/', { isMainFrame: true }, true],
    ['clipboard-read', 'app://farthing/', { isMainFrame: true }, false],
    ['hid', 'app://farthing/', { isMainFrame: true }, false],
  ] as const)('have %s from %s with %j: %s', (permission, origin, details, isAllowed) => {
    expect(electron.session.checkHandler!(null, permission, origin, details)).toBe(isAllowed)
  })

  test('use no device and no picture of the screen', () => {
    expect(electron.session.deviceHandler!({} as never)).toBe(false)
    const streams: unknown[] = []
    electron.session.displayHandler!({} as never, (given) => streams.push(given))
    expect(streams).toEqual([null])
  })

  test.each([
    ['app://farthing/assets/a.js', false],
    ['blob:app://farthing/3f9c', false],
    ['data:image/png;base64,AA', false],
    ['devtools://devtools/bundled/a.js', true],
    ['https://example.org/', true],
    ['http://127.0.0.1:3338/', true],
    ['app://other/', true],
    ['file:///etc/passwd', true],
    ['ws://127.0.0.1/', true],
  ])('load %s: cancelled %s', async (url, cancel) => {
    expect(await new Promise((resolve) => electron.session.beforeRequest!({ url }, resolve))).toEqual({ cancel })
  })

  test('save what it made itself, and nothing else', () => {
    for (const [url, isRefused] of [
      ['blob:app://farthing/1', false],
      ['https://example.org/a.exe', true],
    ] as const) {
      const event = new PreventableEvent()
      electron.session.emit('will-download', event, { getURL: () => url })
      expect(event.defaultPrevented).toBe(isRefused)
    }
  })
})

describe('a window goes nowhere', () => {
  let electron: StandIn
  let contents: StandInContents
  beforeEach(async () => {
    electron = bare()
    const { guardPages } = await import('../electron/shell/navigation.ts')
    guardPages(electron.module.app as never, () => {})
    contents = new StandInContents()
    electron.emit('web-contents-created', contents)
  })

  const navigate = (url: string, isMainFrame = true) => {
    const event = Object.assign(new PreventableEvent(), { url, isMainFrame })
    contents.emit('will-frame-navigate', event)
    return event.defaultPrevented
  }

  test.each([
    ['app://farthing/', false],
    ['app://farthing/index.html', false],
    ['app://farthing.evil/', true],
    ['https://example.org/', true],
    ['file:///etc/passwd', true],
    ['javascript:alert(1)', true],
    ['data:text/html,x', true],
    ['about:blank', true],
  ])('%s: refused %s', (url, isRefused) => {
    expect(navigate(url)).toBe(isRefused)
    expect(electron.log.opened).toEqual([])
  })

  test('not even a frame inside it', () => {
    expect(navigate('app://farthing/', false)).toBe(true)
  })

  test('and is not led away by a redirect or a webview', () => {
    const redirect = Object.assign(new PreventableEvent(), { url: 'https://example.org/', isMainFrame: true })
    contents.emit('will-redirect', redirect)
    expect(redirect.defaultPrevented).toBe(true)
    const webview = new PreventableEvent()
    contents.emit('will-attach-webview', webview)
    expect(webview.defaultPrevented).toBe(true)
  })

  test.each([
    ['https://cashu.space/', true],
    ['https://github.com/cashubtc/nuts', true],
    ['http://cashu.space/', false],
    ['https://cashu.space:8443/', false],
    ['https://cashu.space@evil.example/', false],
    ['https://user:pass@cashu.space/', false],
    ['https://cashu.space.evil.example/', false],
    ['https://example.org/', false],
    ['file:///etc/passwd', false],
    ['ms-msdt:/id', false],
    ['smb://host/share', false],
    ['not a link', false],
    [`https://cashu.space/${'a'.repeat(3000)}`, false],
  ])('%s opens in the browser of the person: %s', async (url, isOpened) => {
    expect(contents.windowOpenHandler!({ url })).toEqual({ action: 'deny' })
    expect(electron.log.opened).toEqual(isOpened ? [url] : [])
  })

  test('errors of certificates are never ignored', () => {
    const answers: boolean[] = []
    electron.emit('certificate-error', contents, 'https://x', 'ERR', {}, (isTrusted: boolean) =>
      answers.push(isTrusted),
    )
    expect(answers).toEqual([false])
  })

  test('every page that comes to be is guarded the same', () => {
    const other = new StandInContents()
    electron.emit('web-contents-created', other)
    expect(other.windowOpenHandler!({ url: 'https://example.org/' })).toEqual({ action: 'deny' })
    expect(other.listenerCount('will-attach-webview')).toBe(1)
  })
})

describe('a page that crashes', () => {
  const crash = (electron: StandIn, reason = 'crashed') =>
    electron.log.windows[0]!.webContents.emit('render-process-gone', {}, { reason, exitCode: 5 })

  test('is loaded again once; a second time the app says so and ends', async () => {
    const electron = await start()
    crash(electron)
    expect(electron.log.windows[0]!.webContents.reloads).toBe(1)
    crash(electron, 'oom')
    expect(electron.log.windows[0]!.webContents.reloads).toBe(1)
    expect(electron.log.errorBoxes).toHaveLength(1)
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
  })

  test('that ended by itself is no crash', async () => {
    const electron = await start()
    crash(electron, 'clean-exit')
    expect(electron.log.windows[0]!.webContents.reloads).toBe(0)
  })
})

describe('links', () => {
  const request = 'farthing:creqApWF0gaNhdGVub3N0cmFhbHF1cXV'

  test('are shown when the page listens, not before, and once', async () => {
    const electron = await start({ args: ['--flag', request] })
    expect(wishes(electron)).toEqual([])
    await electron.call('mints.list', {})
    expect(wishes(electron)).toEqual([])
    await electron.call('app.snapshot', {})
    expect(wishes(electron)).toEqual([{ kind: 'open-link', link: request }])
    await electron.call('app.snapshot', {})
    expect(wishes(electron)).toHaveLength(1)
  })

  test('of a second start come to the first window, which shows itself', async () => {
    const electron = await start()
    await electron.call('app.snapshot', {})
    electron.log.windows[0]!.calls.length = 0
    electron.emit('second-instance', ['farthing', 'cashu:cashuBabc'], '/', { link: request })
    expect(electron.log.windows[0]!.calls).toEqual(['show', 'focus'])
    electron.emit('second-instance', ['farthing', 'cashu:cashuBabc'], '/', { link: 7 })
    electron.emit('second-instance', ['farthing', '--flag'], '/', null)
    expect(wishes(electron)).toEqual([
      { kind: 'open-link', link: request },
      { kind: 'open-link', link: 'cashu:cashuBabc' },
    ])
    expect(electron.log.windows).toHaveLength(1)
  })

  test('that macOS opens come the same way', async () => {
    const electron = await start()
    await electron.call('app.snapshot', {})
    expect(electron.emit('open-url', request).defaultPrevented).toBe(true)
    electron.emit('open-url', 'https://example.org/')
    expect(wishes(electron)).toEqual([{ kind: 'open-link', link: request }])
  })

  test('that nobody heard wait for the page after a reload', async () => {
    const electron = await start()
    await electron.call('app.snapshot', {})
    electron.log.windows[0]!.webContents.reload()
    electron.emit('open-url', request)
    expect(wishes(electron)).toEqual([])
    await electron.call('app.snapshot', {})
    expect(wishes(electron)).toEqual([{ kind: 'open-link', link: request }])
  })

  test('do nothing by themselves', async () => {
    const electron = await start({ args: [request] })
    const { slices } = await ask<Snapshot>(electron, 'app.snapshot')
    expect(slices.latest).toEqual([])
  })

  test.each([
    ['cashu:cashuBo2F0gaJh', true],
    ['farthing:creqAabc', true],
    ['FARTHING:CREQB1ABC', true],
    ['farthing:creqA+/=_-%2B', true],
    ['https://example.org', false],
    ['farthing:', false],
    ['farthing', false],
    ['xfarthing:abc', false],
    ['farthing:a b', false],
    ['farthing:a\nb', false],
    ['farthing:a"b', false],
    ["farthing:a'b", false],
    ['farthing:a<b', false],
    ['farthing:ü', false],
    ['--data=farthing:abc', false],
    [`farthing:${'a'.repeat(maxLinkLength)}`, false],
    [7, false],
    [null, false],
  ])('%j is one: %s', (text, isLink) => {
    expect(readLink(text)).toBe(isLink ? text : undefined)
  })

  test('are found among arguments', () => {
    expect(linkIn(['app', '--no-sandbox', 'cashu:x1', 'farthing:y2'])).toBe('cashu:x1')
    expect(linkIn(['app', 'file.txt'])).toBeUndefined()
  })

  test('of farthing: are ours; cashu: is taken where nobody has it; in development neither', async () => {
    await leave(await start({ isPackaged: true }))
    expect(started[0]!.log.protocolClients).toEqual(['cashu', 'farthing'])
    await leave(await start({ isPackaged: true, linkApps: { 'cashu:': 'Other', 'farthing:': 'Other' } }))
    expect(started[1]!.log.protocolClients).toEqual(['farthing'])
    expect((await start()).log.protocolClients).toEqual([])
  })

  test('cannot name another folder in a packaged app', async () => {
    const other = join(home, 'other')
    const electron = await start({ isPackaged: true, args: ['--data', other, request] })
    expect(existsSync(other)).toBe(false)
    await leave(electron)
    await start({ args: ['--data', other] })
    expect(existsSync(join(other, 'wallet.db'))).toBe(true)
  })
})

describe('leaving', () => {
  test('stops the wallet, and its folder is free', async () => {
    const electron = await start()
    electron.log.windows[0]!.tryToClose()
    expect(electron.log.windows[0]!.isDestroyed()).toBe(false)
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
    expect(electron.log.questions).toEqual([])
    expect(electron.log.trays[0]!.isThere).toBe(false)
    takeLease(folder()).release()
  })

  test('on a Mac the app lives on without its window, and shows a new one', async () => {
    const electron = await start({ on: 'darwin' })
    expect(electron.log.windows[0]!.tryToClose()).toBe(true)
    electron.emit('window-all-closed')
    expect(electron.log.hasQuit).toBe(false)
    electron.emit('activate')
    expect(electron.log.windows).toHaveLength(2)
    expect(await electron.call('mints.list', {})).toEqual({ ok: true, value: [] })
    expect(electron.log.applicationMenu![0]).toMatchObject({ role: 'appMenu' })
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('on %s it stops in order, without a question', async (signal) => {
    const electron = await start()
    const [stop] = process.listeners(signal).filter((one) => !listeners.get(signal)?.has(one))
    stop!(signal)
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
  })
})

describe('the question before quitting', () => {
  /** `guardQuit` alone, with as many open payments as a test wants. */
  async function guarded(waiting: () => number, stop: () => Promise<void> = async () => {}) {
    const electron = bare()
    const { guardQuit } = await import('../electron/shell/quit.ts')
    const quit = guardQuit(electron.module.app as never, { waiting, stop, window: () => undefined, log: () => {} })
    return { electron, quit, ask: () => electron.module.app.quit() }
  }

  test('is asked once: Keep open keeps it open, Quit quits', async () => {
    let stops = 0
    const { electron, ask } = await guarded(
      () => 3,
      async () => void stops++,
    )
    electron.answers.push(0)
    ask()
    await vi.waitFor(() => expect(electron.log.questions).toHaveLength(1))
    expect(electron.log.questions[0]).toMatchObject({
      message: '3 payments are not final yet.',
      detail: 'They become final by themselves when Farthing is open and online.',
      buttons: ['Keep open', 'Quit'],
      defaultId: 0,
      cancelId: 0,
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(stops).toBe(0)
    expect(electron.log.hasQuit).toBe(false)
    electron.answers.push(1)
    ask()
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true))
    expect(electron.log.questions).toHaveLength(2)
    expect(stops).toBe(1)
  })

  test('is not asked again while it is open, and not when the system shuts down meanwhile', async () => {
    const { electron, quit, ask } = await guarded(() => 1)
    const answer = Promise.withResolvers<number>()
    electron.answers.push(answer.promise)
    ask()
    ask()
    await vi.waitFor(() => expect(electron.log.questions).toHaveLength(1))
    expect(electron.log.questions[0]!.message).toBe('One payment is not final yet.')
    quit.now()
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true))
    answer.resolve(0)
    expect(electron.log.questions).toHaveLength(1)
  })

  test('is not asked when nothing waits', async () => {
    const { electron, ask } = await guarded(() => 0)
    ask()
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true))
    expect(electron.log.questions).toEqual([])
  })

  test('a stop that fails, or never ends, does not keep it open', async () => {
    const failing = await guarded(
      () => 0,
      async () => Promise.reject(new Error('disk')),
    )
    failing.ask()
    await vi.waitFor(() => expect(failing.electron.log.hasQuit).toBe(true))
    vi.useFakeTimers()
    try {
      const hanging = await guarded(
        () => 0,
        () => new Promise(() => {}),
      )
      hanging.ask()
      await vi.advanceTimersByTimeAsync(7_000)
      expect(hanging.electron.log.hasQuit).toBe(false)
      await vi.advanceTimersByTimeAsync(2_000)
      expect(hanging.electron.log.hasQuit).toBe(true)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a payment', () => {
  let mint: RunningMint
  let payer: App
  const payerFolder = mkdtempSync(join(tmpdir(), 'farthing-host-payer-'))

  beforeAll(async () => {
    mint = await startMintServer({ dataFolder: join(payerFolder, 'mint'), port: 0, unit: 'sat', practiceDelayMs: 20 })
    payer = await startApp({
      folder: join(payerFolder, 'payer'),
      listenHost: '127.0.0.1',
      tickMs: 200,
      config: { settleDelayMs: [1e9, 1e9], refreshDelayMs: [1e9, 1e9], readingGapMs: 50, retryMs: [50, 200] },
      onEvent: () => {},
      log: () => {},
    })
    await payer.handlers['mints.add']({ url: mint.url })
    await payer.handlers['withdraw.start']({ mintUrl: mint.url, unit: 'sat', amount: 100 })
    await vi.waitFor(
      async () => {
        const [view] = await payer.handlers['mints.list']({})
        expect(view!.balances[0]?.spendable).toBe(100)
      },
      { timeout: 20_000 },
    )
  })
  afterAll(async () => {
    await payer.stop()
    await mint.close()
    rmSync(payerFolder, { recursive: true, force: true })
  })

  async function pay(electron: StandIn, amount: number): Promise<void> {
    const { text } = await ask<RequestView>(electron, 'request.create', {
      mintUrl: mint.url,
      unit: 'sat',
      amount,
      singleUse: true,
    })
    const { id } = await payer.handlers['pay.prepare']({ request: text, memo: '<b>Paid</b>' })
    await payer.handlers['pay.confirm']({ id })
  }

  test('is noticed while nobody looks, and only then; a click on it shows it', async () => {
    const electron = await start()
    const [window] = electron.log.windows
    await electron.call('app.snapshot', {})
    await ask(electron, 'mints.add', { url: mint.url })
    window!.hasFocus = false
    await pay(electron, 5)
    await vi.waitFor(() => expect(electron.log.notifications.length).toBeGreaterThan(0), 20_000)
    const [notice] = electron.log.notifications
    expect(notice!.isShown).toBe(true)
    expect(notice!.options.title).toMatch(/5.*play money/)
    await vi.waitFor(() => expect(electron.log.notifications.at(-1)!.options.body).toMatch(/^Final\./), 20_000)
    // Desktops on Linux would read it as markup.
    expect(notice!.options.body!.includes('<b>')).toBe(process.platform !== 'linux')
    notice!.emit('click')
    const opened = events(electron).findLast((event) => event.kind === 'open')
    const [payment] = (await ask<Snapshot>(electron, 'app.snapshot')).slices.latest
    expect(opened).toEqual({ kind: 'open', route: `#/activity/${payment!.id}` })
    expect(window!.hasFocus).toBe(true)

    const before = electron.log.notifications.length
    const settled = (amount: number) =>
      vi.waitFor(
        () =>
          expect(events(electron)).toContainEqual(
            expect.objectContaining({ kind: 'payment', payment: expect.objectContaining({ amount, state: 'final' }) }),
          ),
        20_000,
      )
    await pay(electron, 6)
    await settled(6)
    window!.hasFocus = false
    await ask(electron, 'settings.change', { notifications: false })
    await pay(electron, 7)
    await settled(7)
    expect(electron.log.notifications).toHaveLength(before)
  })

  test('makes no notice while the wallet is locked, and locking takes those away that name amounts', async () => {
    const electron = await start()
    await ask(electron, 'mints.add', { url: mint.url })
    await ask(electron, 'gate.setPassphrase', { next: 'a wren, two loaves and a lamp' })
    electron.log.windows[0]!.hasFocus = false
    const order = { mintUrl: mint.url, unit: 'sat', amount: 3, singleUse: false }
    const { text } = await ask<RequestView>(electron, 'request.create', order)
    const payAgain = async () => {
      const { id } = await payer.handlers['pay.prepare']({ request: text })
      await payer.handlers['pay.confirm']({ id })
      await vi.waitFor(async () => expect((await payer.handlers['payments.get']({ id })).state).toBe('final'))
    }
    await payAgain()
    await vi.waitFor(() => expect(electron.log.notifications.at(-1)?.options.body).toMatch(/^Final\./))
    expect(electron.log.notifications.at(-1)!.isShown).toBe(true)
    await ask(electron, 'gate.lock')
    expect(electron.log.notifications.filter(({ isShown }) => isShown)).toEqual([])
    const before = electron.log.notifications.length
    const heard = events(electron).length
    for (const _ of ['first', 'second']) await payAgain()
    expect(electron.log.notifications).toHaveLength(before)
    expect(events(electron).slice(heard)).toEqual([])
  })

  test('that is not final is asked about before the app quits', async () => {
    const electron = await start()
    await ask(electron, 'mints.add', { url: mint.url })
    await mint.close()
    await pay(electron, 8)
    await vi.waitFor(
      () =>
        expect(events(electron)).toContainEqual(
          expect.objectContaining({ name: 'waiting', value: expect.objectContaining({ in: 1 }) }),
        ),
      20_000,
    )
    electron.answers.push(0)
    electron.module.app.quit()
    await vi.waitFor(() => expect(electron.log.questions).toHaveLength(1))
    expect(electron.log.questions[0]!.message).toBe('One payment is not final yet.')
    expect(electron.log.hasQuit).toBe(false)
    expect(await electron.call('mints.list', {})).toMatchObject({ ok: true })
  })
})

describe('a lock', () => {
  const passphrase = 'a wren, two loaves and a lamp'
  const lockItem = (electron: StandIn) =>
    menuItems(electron.log.applicationMenu!).find(({ label }) => label === 'Lock now')
  const locked = async () => {
    const electron = await start()
    await ask(electron, 'gate.setPassphrase', { next: passphrase })
    return electron
  }

  test('is in the menu once there is a passphrase, shows the window, and is gone while it is locked', async () => {
    const electron = await start()
    expect(lockItem(electron)).toBeUndefined()
    await ask(electron, 'gate.setPassphrase', { next: passphrase })
    await vi.waitFor(() => expect(lockItem(electron)).toBeDefined())
    electron.log.windows[0]!.hide()
    click(electron.log.applicationMenu!, 'Lock now')
    await vi.waitFor(() => expect(electron.log.windows[0]!.isShown).toBe(true))
    expect(await ask(electron, 'gate.look')).toEqual({ state: 'locked', retryAt: null })
    expect(lockItem(electron)).toBeUndefined()
    await ask(electron, 'gate.unlock', { passphrase })
    await vi.waitFor(() => expect(lockItem(electron)).toBeDefined())
  })

  test('is there after a restart: window, tray and the way out work without a word of the wallet', async () => {
    await leave(await locked())
    const electron = await start()
    expect(electron.log.windows).toHaveLength(1)
    expect(await electron.call('app.snapshot', {})).toMatchObject({ ok: false, error: { code: 'locked' } })
    const [tray] = electron.log.trays
    electron.log.windows[0]!.hide()
    click(tray!.menu, 'Visible nearby')
    await vi.waitFor(() => expect(electron.log.windows[0]!.isShown).toBe(true))
    expect(menuItems(tray!.menu).find(({ label }) => label === 'Visible nearby')).toMatchObject({ checked: false })
    electron.module.app.quit()
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true))
    expect(electron.log.questions).toEqual([])
  })

  test('holds back what a link asks for until it is open', async () => {
    const electron = await locked()
    await electron.call('app.snapshot', {})
    await ask(electron, 'gate.lock')
    electron.emit('open-url', 'farthing:creqAabc')
    expect(wishes(electron)).toEqual([])
    await ask(electron, 'gate.unlock', { passphrase })
    expect(wishes(electron)).toEqual([])
    await electron.call('app.snapshot', {})
    expect(wishes(electron)).toEqual([{ kind: 'open-link', link: 'farthing:creqAabc' }])
  })
})

describe('being visible nearby', () => {
  test('keeps the computer awake, is ticked in the tray, and ends with it', async () => {
    const electron = await start()
    const [tray] = electron.log.trays
    const box = () => menuItems(tray!.menu).find(({ label }) => label === 'Visible nearby')
    expect(box()).toMatchObject({ type: 'checkbox', checked: false })
    click(tray!.menu, 'Visible nearby')
    await vi.waitFor(() => expect([...electron.log.blockers.values()]).toEqual(['prevent-app-suspension']), 10_000)
    expect(box()).toMatchObject({ checked: true })
    const { slices } = await ask<Snapshot>(electron, 'app.snapshot')
    expect((slices.nearby satisfies NearbySlice).isVisible).toBe(true)
    click(tray!.menu, 'Visible nearby')
    await vi.waitFor(() => expect(electron.log.blockers.size).toBe(0), 10_000)
    expect(box()).toMatchObject({ checked: false })
  })
})

describe('menus', () => {
  test.each(['linux', 'win32', 'darwin'] as const)('on %s have the usual commands, each key once', async (on) => {
    bare()
    const { menuTemplate } = await import('../electron/shell/menu.ts')
    const routes: string[] = []
    const template = menuTemplate(on, { isDevelopment: false, open: (route) => routes.push(route), lock: () => {} })
    const items = menuItems(template)
    const roles = items.map(({ role }) => role)
    for (const role of [
      'quit',
      'close',
      'minimize',
      'copy',
      'paste',
      'undo',
      'selectAll',
      'resetZoom',
      'zoomIn',
      'zoomOut',
    ]) {
      expect(roles).toContain(role)
    }
    expect(roles).not.toContain('toggleDevTools')
    expect(roles).not.toContain('reload')
    const keys = items.flatMap(({ accelerator }) => accelerator ?? [])
    expect(new Set(keys).size).toBe(keys.length)
    for (const item of items) (item.click as undefined | (() => void))?.()
    expect(routes.map((route) => readRoute(route).screen).sort()).toEqual([
      'activity',
      'get-paid',
      'home',
      'pay',
      'settings',
    ])
  })

  test('lead the page to its screens, and the tray does', async () => {
    const electron = await start()
    await electron.call('app.snapshot', {})
    click(electron.log.applicationMenu!, 'Pay')
    click(electron.log.trays[0]!.menu, 'Get paid')
    expect(wishes(electron)).toEqual([
      { kind: 'open', route: '#/pay' },
      { kind: 'open', route: '#/get-paid' },
    ])
    click(electron.log.trays[0]!.menu, 'Quit Farthing')
    await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
  })
})

describe('the window', () => {
  const screens = [
    { x: 0, y: 25, width: 1440, height: 875 },
    { x: 1440, y: 0, width: 1920, height: 1080 },
  ]
  const file = () => join(home, 'window.json')
  const stored = (bounds: object, isMaximised = false) => {
    writeFileSync(file(), JSON.stringify({ bounds, isMaximised }))
    return readWindowState(file(), screens)
  }

  test('stands where it was', () => {
    expect(stored({ x: 1500, y: 40, width: 900, height: 700 }, true)).toEqual({
      bounds: { x: 1500, y: 40, width: 900, height: 700 },
      isMaximised: true,
    })
  })

  test.each([
    ['far away', { x: 9000, y: 9000, width: 900, height: 700 }],
    ['above the screen', { x: 100, y: -500, width: 900, height: 700 }],
    ['with only its corner on a screen', { x: -860, y: 100, width: 900, height: 700 }],
    ['below the screen', { x: 100, y: 895, width: 900, height: 700 }],
  ])('comes back when it was %s', (_, bounds) => {
    expect(stored(bounds).bounds).toEqual({ x: 270, y: 113, width: 900, height: 700 })
  })

  test('is neither larger than the screen nor smaller than it can be', () => {
    expect(stored({ x: 0, y: 25, width: 5000, height: 5000 }).bounds).toMatchObject({ width: 1440, height: 875 })
    expect(stored({ x: 0, y: 25, width: 10, height: 10 }).bounds).toMatchObject({ width: 380, height: 600 })
    expect(stored({ x: 0, y: 25, width: 200, height: 200 }).bounds).toEqual({ x: 0, y: 25, width: 380, height: 600 })
  })

  test.each([
    '',
    '{',
    '[]',
    '{"bounds":{}}',
    '{"bounds":{"x":1e99,"y":0,"width":1,"height":1},"isMaximised":false}',
    ' '.repeat(2000),
  ])('stands in the middle when the file is %j', (content) => {
    writeFileSync(file(), content)
    expect(readWindowState(file(), screens)).toEqual({
      bounds: { x: 130, y: 63, width: 1180, height: 800 },
      isMaximised: false,
    })
  })

  test('is written when it closes, and used at the next start', async () => {
    const electron = await start()
    electron.log.windows[0]!.bounds = { x: 50, y: 60, width: 700, height: 650 }
    electron.log.windows[0]!.isBig = true
    await leave(electron)
    const again = await start()
    expect(again.log.windows[0]!.options).toMatchObject({ x: 50, y: 60, width: 700, height: 650 })
    expect(again.log.windows[0]!.isBig).toBe(true)
  })

  test('is for nobody else to read', () => {
    const file = join(home, 'window.json')
    writeWindowState(file, { bounds: screens[0]!, isMaximised: false })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('a disk that cannot be written costs its place and nothing else', () => {
    expect(() =>
      writeWindowState(join(home, 'none', 'window.json'), { bounds: screens[0]!, isMaximised: false }),
    ).not.toThrow()
  })
})

describe('the log', () => {
  test.each([
    'cashuBo2F0gaJhaUgA_9SLj17PgGFwgaNhYQFhc3hAYWNj',
    'creqApWF0gaNhdGVub3N0cmFheKlucHJvZmlsZTFxeTI4d3VtbjhnaGo3dW45ZDNzaGp0',
    'farthing:creqApWF0gaNhdGVub3N0',
    'lnbc20u1p3y0x3hpp5743k2g0fsqqxj7n8qzuhns5gmkk4djeejk3wkp64ppevgekvc0jsdqcve5kzar2v9nr5',
    '02'.repeat(33),
    'abandon ability able about above absent absorb abstract absurd abuse access accident',
    'Abandon\tAbility\tAble\tAbout\tAbove\tAbsent\tAbsorb\tAbstract\tAbsurd\tAbuse\tAccess\tAccident',
    'abandon","ability","able","about","above","absent","absorb","abstract","absurd","abuse","access","accident',
  ])('holds nothing like %j', (secret) => {
    expect(withoutSecrets(`Before: ${secret} (after).`)).toBe('Before: […] (after).')
  })

  test('keeps what a developer needs, in one line of limited length', () => {
    expect(withoutSecrets('pay 3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c handing_over: peer_timeout: no answer\n')).toBe(
      'pay 3f9c3f9c3f9c3f9c3f9c3f9c3f9c3f9c handing_over: peer_timeout: no answer ',
    )
    expect(withoutSecrets('x'.repeat(5000))).toHaveLength(601)
  })

  test('is two files of a megabyte at most, for its owner only', () => {
    const log = createLog(join(home, 'logs'), false)
    for (let line = 0; line < 4000; line++) log('y '.repeat(400))
    const file = join(home, 'logs', 'farthing.log')
    expect(statSync(file).size).toBeLessThanOrEqual(1_048_576)
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(1_048_576)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('a disk that cannot be written costs the line and nothing else', () => {
    writeFileSync(join(home, 'file'), '')
    expect(() => createLog(join(home, 'file'), false)('line')).not.toThrow()
  })
})
