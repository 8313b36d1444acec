// The preload as it is built, in a page of a real Chromium, with a stand-in of the two parts of Electron it may require.
// And the whole page of the app over it: the built screens under the host's own headers, the host on the stand-in of
// Electron, a real wallet behind it.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFileServer } from '../electron/shell/app-files.ts'
import { buildPreload } from '../scripts/build/electron.ts'
import { buildRenderer } from '../scripts/build/renderer.ts'
import { isWithoutChromium, openBrowser, type Profile } from './browser/chromium.ts'
import { createElectron, type StandIn } from './electron-standin.ts'

const isSkipped = isWithoutChromium()
/** Stands for app://farthing, which only Electron knows; nothing is asked of any network. */
const pageOrigin = 'https://farthing'

const folder = mkdtempSync(join(tmpdir(), 'farthing-preload-'))
let preload = ''
let browser: Profile | undefined
let page: Page

beforeAll(async () => {
  if (isSkipped) return
  await buildPreload(join(folder, 'electron'))
  preload = readFileSync(join(folder, 'electron', 'preload.cjs'), 'utf8')
  browser = await openBrowser({})
})
beforeEach(async () => {
  if (browser) page = await browser.context.newPage()
})
afterEach(async () => {
  if (browser) await page.close()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs before every script of the page, as a preload does. What crosses the bridge is copied, as Electron copies it. */
function inPage(source: string): string {
  return `(() => {
    const calls = [], listeners = new Map()
    const copy = (value) => typeof value === 'function'
      ? (...args) => {
          const result = value(...args.map(copy))
          return result instanceof Promise ? result.then(copy) : copy(result)
        }
      : structuredClone(value)
    const ipcRenderer = {
      invoke: (...args) => {
        calls.push(args)
        return window.answerCall ? window.answerCall(...args) : Promise.resolve({ ok: true, value: calls.length })
      },
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
      off: (channel, listener) => listeners.set(channel, (listeners.get(channel) ?? []).filter((one) => one !== listener)),
      send: () => { throw new Error('send is not used') },
      secret: 'ipcRenderer',
    }
    const exposed = []
    const contextBridge = {
      exposeInMainWorld: (name, api) => {
        exposed.push(name)
        const bridge = Object.freeze(Object.fromEntries(Object.entries(api).map(([key, value]) => [key, copy(value)])))
        Object.defineProperty(window, name, { value: bridge, enumerable: true })
      },
    }
    const required = []
    const require = (name) => {
      required.push(name)
      if (name !== 'electron') throw new Error('a sandboxed preload has no ' + name)
      return { contextBridge, ipcRenderer }
    }
    window.standIn = {
      calls, required, exposed,
      listening: (channel) => (listeners.get(channel) ?? []).length,
      send: (channel, value) => {
        for (const listener of listeners.get(channel) ?? []) listener({ sender: ipcRenderer, ports: [] }, value)
      },
    }
    ;((require, module, exports) => {\n${source}\n})(require, { exports: {} }, {})
  })()`
}

type StandInWindow = {
  readonly standIn: {
    readonly calls: unknown[][]
    readonly required: string[]
    readonly exposed: string[]
    listening(channel: string): number
    send(channel: string, value: unknown): void
  }
  readonly farthing: {
    call(name: unknown, input?: unknown): Promise<unknown>
    onEvent(listener: unknown): () => void
  }
  received: unknown[][]
}

describe.skipIf(isSkipped)('the built preload', () => {
  beforeEach(async () => {
    await page.addInitScript(inPage(preload))
    await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
    await page.goto(`${pageOrigin}/`)
  })

  test('gives the page two functions and nothing else', async () => {
    const found = await page.evaluate(() => {
      const { standIn, farthing } = globalThis as unknown as StandInWindow
      return {
        exposed: standIn.exposed,
        required: [...new Set(standIn.required)],
        kinds: Reflect.ownKeys(farthing).map((key) => [String(key), typeof Reflect.get(farthing, key)]),
        globals: ['require', 'module', 'process', 'ipcRenderer', 'electron', 'Buffer', 'global'].filter(
          (name) => name in globalThis,
        ),
      }
    })
    expect(found).toEqual({
      exposed: ['farthing'],
      required: ['electron'],
      kinds: [
        ['call', 'function'],
        ['onEvent', 'function'],
      ],
      globals: [],
    })
  })

  test('hands a call over one channel, with its name as a text, and its reply back', async () => {
    const result = await page.evaluate(async () => {
      const { standIn, farthing } = globalThis as unknown as StandInWindow
      const reply = await farthing.call('mints.list', { a: [1, { b: 'c' }] })
      await farthing.call(7)
      await farthing.call('x', 1)
      return { reply, calls: standIn.calls }
    })
    expect(result).toEqual({
      reply: { ok: true, value: 1 },
      calls: [
        ['farthing:call', 'mints.list', { a: [1, { b: 'c' }] }],
        ['farthing:call', '7', undefined],
        ['farthing:call', 'x', 1],
      ],
    })
  })

  test('hands on what an event says and never the event, until the page has enough', async () => {
    const result = await page.evaluate(() => {
      const { standIn, farthing } = globalThis as unknown as StandInWindow
      const received: unknown[][] = []
      const others: unknown[][] = []
      const end = farthing.onEvent((...args: unknown[]) => received.push(args))
      farthing.onEvent((...args: unknown[]) => others.push(args))
      standIn.send('farthing:event', { kind: 'open', route: '#/pay' })
      standIn.send('farthing:other', { kind: 'open' })
      end()
      standIn.send('farthing:event', { kind: 'open', route: '#/home' })
      return { received, others, listening: standIn.listening('farthing:event') }
    })
    expect(result).toEqual({
      received: [[{ kind: 'open', route: '#/pay' }]],
      others: [[{ kind: 'open', route: '#/pay' }], [{ kind: 'open', route: '#/home' }]],
      listening: 1,
    })
  })

  test.each(['undefined', 'null', '7', '"text"', '({})'])('takes no listener like %s', async (text) => {
    const message = await page.evaluate((source) => {
      const { farthing } = globalThis as unknown as StandInWindow
      try {
        farthing.onEvent(JSON.parse(source === 'undefined' ? 'null' : source.replace(/[()]/g, '')))
        return 'taken'
      } catch (error) {
        return String(error)
      }
    }, text)
    expect(message).toMatch(/takes a function/)
  })

  test('has nothing in it but the bridge', () => {
    expect(preload.length).toBeLessThan(2_000)
    expect(preload).not.toMatch(/\beval\b|new Function|process\b|node:/)
  })
})

describe.skipIf(isSkipped)('the page of the app', () => {
  let electron: StandIn
  let isOpen = false
  const listeners = new Map<string, readonly unknown[]>()
  const { argv } = process

  beforeAll(async () => {
    await buildRenderer(join(folder, 'renderer'))
    for (const name of ['uncaughtException', 'unhandledRejection', 'SIGINT', 'SIGTERM', 'SIGHUP']) {
      listeners.set(name, process.listeners(name as 'SIGINT'))
    }
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    vi.stubEnv('FARTHING_DATA', join(folder, 'wallet'))
    process.argv = ['/opt/electron', '.']
    electron = createElectron({ home: folder })
    vi.doMock('electron', () => electron.module)
    await import('../electron/main.ts')
    electron.becomeReady()
    await vi.waitFor(() => expect(electron.log.windows).toHaveLength(1), 20_000)
    isOpen = true
  }, 60_000)

  afterAll(async () => {
    if (isOpen) {
      electron.answers.push(1)
      electron.module.app.quit()
      await vi.waitFor(() => expect(electron.log.hasQuit).toBe(true), 15_000)
    }
    for (const [name, before] of listeners) {
      for (const one of process.listeners(name as 'SIGINT'))
        if (!before.includes(one)) process.off(name, one as () => void)
    }
    process.argv = argv
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    vi.doUnmock('electron')
  })

  test('runs under the headers of the host without breaking one of them, and hears its events', async () => {
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    const serve = createFileServer(join(folder, 'renderer'))
    await page.route('**/*', async (route) => {
      const request = route.request()
      const { status, headers, ...answer } = await serve({
        url: request.url().replace(pageOrigin, 'app://farthing'),
        method: request.method(),
      }).then(async (response) => ({
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      }))
      await route.fulfill({ status, headers, ...answer })
    })
    await page.exposeFunction('answerCall', (_channel: string, name: unknown, input: unknown) =>
      electron.call(name, input),
    )
    await page.addInitScript(inPage(preload))
    await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) =>
      console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))`)
    electron.log.windows[0]!.webContents.on('sent', (channel: string, value: unknown) => {
      const toPage = page.evaluate(
        (event) => (globalThis as unknown as StandInWindow).standIn.send(event.channel, event.value),
        { channel, value },
      )
      toPage.catch(() => {}) // the page is gone at the end
    })
    await page.goto(`${pageOrigin}/`)
    await page.getByRole('heading').first().waitFor()
    expect(await page.evaluate<number>(`document.querySelector('#root').childElementCount`)).toBeGreaterThan(0)
    await electron.call('profile.begin', {})
    // The menu leads the page, through the bridge.
    const open = electron.log.applicationMenu!.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
    ;(open.find(({ label }) => label === 'Settings…')!.click as () => void)()
    await expect.poll(() => page.url()).toBe(`${pageOrigin}/#/settings`)
    await page.getByRole('heading').first().waitFor()
    expect(complaints).toEqual([])
    // And the headers do hold here: nothing from elsewhere, no text made into markup.
    const refused = await page.evaluate<readonly string[]>(`(async () => {
      const attempts = [
        () => fetch('https://example.org/'),
        () => { document.body.innerHTML = '<b>markup</b>' },
        () => { document.createElement('script').src = 'https://example.org/a.js' },
        () => new Worker('https://farthing/assets/none.js'),
      ]
      const errors = []
      for (const attempt of attempts) await Promise.resolve().then(attempt).then(() => errors.push('done'), (error) => errors.push(error.name))
      return errors
    })()`)
    expect(refused).toEqual(['TypeError', 'TypeError', 'TypeError', 'TypeError'])
  })
})
