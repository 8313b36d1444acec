// What only a real Electron can show: the window comes up from its scheme, the preload is sandboxed, calls of others are
// refused, the keychain is used, links and second starts arrive.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ElectronApplication, _electron as electron, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stageApp } from '../../scripts/package/stage.ts'
import type { Reply } from '../../shared/ipc.ts'
import type { Snapshot } from '../../shared/model.ts'
import { findElectron } from './binary.ts'

type WithBridge = { readonly farthing: { call(name: string, input: object): Promise<unknown> } }

const binary = findElectron() ?? ''
const home = mkdtempSync(join(tmpdir(), 'farthing-electron-'))
const staged = join(home, 'app')
const flags = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ...(process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']
    ? ['--ozone-platform=headless']
    : []),
]
let folder: string
let app: ElectronApplication
let page: Page
let starts = 0

async function start(args: readonly string[] = []): Promise<void> {
  app = await electron.launch({
    executablePath: binary,
    args: [...flags, staged, ...args],
    env: { ...process.env, FARTHING_DATA: folder } as Record<string, string>,
  })
  page = await app.firstWindow()
  await page.getByRole('heading').first().waitFor()
}

const call = <T>(name: string, input: object = {}): Promise<Reply<T>> =>
  page.evaluate(([command, given]) => (globalThis as unknown as WithBridge).farthing.call(command, given), [
    name,
    input,
  ] as const) as Promise<Reply<T>>

beforeAll(() => stageApp(staged))
beforeEach(() => {
  folder = join(home, `wallet-${++starts}`)
})
afterEach(async () => {
  await app?.close()
})
afterAll(() => {
  rmSync(home, { recursive: true, force: true })
})

describe('in a real Electron', () => {
  test('the window shows the page of the app and nothing complains', async () => {
    await start()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    expect(page.url()).toMatch(/^app:\/\/farthing\//)
    expect(app.windows()).toHaveLength(1)
    await page.reload()
    await page.getByRole('heading').first().waitFor()
    expect(complaints).toEqual([])
    expect(existsSync(join(folder, 'wallet.db'))).toBe(true)
  })

  test('the page has the bridge and nothing of Node or Electron', async () => {
    await start()
    const found = await page.evaluate(() => ({
      bridge: Object.keys((globalThis as unknown as WithBridge).farthing).sort(),
      others: ['require', 'process', 'module', 'Buffer', 'ipcRenderer'].filter((name) => name in globalThis),
    }))
    expect(found).toEqual({ bridge: ['call', 'onEvent'], others: [] })
    expect(await call('mints.list')).toEqual({ ok: true, value: [] })
    expect(await call('no.such')).toMatchObject({ ok: false, error: { code: 'unknown_command' } })
  })

  test('a window that is not ours gets no answer, with the very same preload', async () => {
    await start()
    const reply = await app.evaluate(
      async ({ BrowserWindow }, preload) => {
        const other = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } })
        await other.loadURL('app://farthing/')
        return await other.webContents.executeJavaScript(`window.farthing.call('phrase.show', {})`)
      },
      join(staged, 'dist', 'electron', 'preload.cjs'),
    )
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad_input' } })
  })

  test('the page loads nothing from elsewhere, goes nowhere and gets no microphone', async () => {
    await start()
    const url = page.url()
    const results = await page.evaluate(`(async () => {
      const name = (work) => Promise.resolve().then(work).then((value) => value, (error) => error.name)
      return {
        elsewhere: await name(() => fetch('https://example.org/').then(() => 'loaded')),
        outside: await name(() => fetch('app://farthing/..%2f..%2fpackage.json').then(({ status }) => status)),
        microphone: await name(() => navigator.mediaDevices.getUserMedia({ audio: true }).then(() => 'given')),
        place: await name(() => navigator.permissions.query({ name: 'geolocation' }).then(({ state }) => state)),
        opened: window.open('https://example.org/') === null,
      }
    })()`)
    expect(results).toEqual({
      elsewhere: 'TypeError',
      outside: 404,
      microphone: 'NotAllowedError',
      place: 'denied',
      opened: true,
    })
    await page.evaluate(`location.href = 'https://example.org/'`).catch(() => {})
    expect(page.url()).toBe(url)
    expect(app.windows()).toHaveLength(1)
  })

  test('the phrase is sealed where there is a keychain, and said to be plain where there is none', async () => {
    await start()
    const backend = await app.evaluate(({ safeStorage }) => ({
      isAvailable: safeStorage.isEncryptionAvailable(),
      name: process.platform === 'linux' ? safeStorage.getSelectedStorageBackend() : 'system',
    }))
    const isSealed = backend.isAvailable && !['basic_text', 'unknown'].includes(backend.name)
    const snapshot = await call<Snapshot>('app.snapshot')
    expect(snapshot.ok && snapshot.value.slices.profile.sealing).toBe(isSealed ? 'os' : 'plain')
    expect(existsSync(join(folder, 'phrase.sealed'))).toBe(isSealed)
    expect(existsSync(join(folder, 'phrase'))).toBe(!isSealed)
  })

  test('a second start ends at once and hands its link to the first window', async () => {
    await start()
    await call('profile.begin')
    const second = spawn(binary, [...flags, staged, 'farthing:creqAnotARequest'], {
      env: { ...process.env, FARTHING_DATA: folder },
      stdio: 'ignore',
    })
    const [code] = await once(second, 'exit')
    expect(code).toBe(0)
    await expect.poll(() => page.url()).toMatch(/#\/pay/)
    expect(app.windows()).toHaveLength(1)
  })

  test('a link of the command line waits for the page', async () => {
    await start()
    await call('profile.begin')
    await app.close()
    await start(['cashu:creqAnotARequest'])
    await expect.poll(() => page.url()).toMatch(/#\/pay/)
  })

  test('the practice mint runs in a process of its own', async () => {
    await start()
    expect(await call('practice.start')).toMatchObject({ ok: true })
    await expect
      .poll(
        async () => {
          const snapshot = await call<Snapshot>('app.snapshot')
          return snapshot.ok && snapshot.value.slices.practice.state
        },
        { timeout: 30_000 },
      )
      .toBe('running')
  })
})
