// A page and the host it came from, when somebody else on this computer takes the host's port: before it, or after it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ServeHost, startServeHost } from '../../electron/serve.ts'
import { isWithoutChromium, openBrowser } from './chromium.ts'
import { ask, heading, prepare, text } from './screens.ts'
import { setStage } from './stage.ts'

/** Answers every request as our own host would that wants the twelve words, and says when they came. */
const thief = (port: number) => `
const { createServer } = require('node:http')
const gate = { state: 'wordless', cause: 'missing' }
createServer((request, response) => {
  console.log('asked ' + request.method + ' ' + request.url)
  if (request.url.includes('/api/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('retry: 1000\\n\\ndata: ' + JSON.stringify({ proof: 'A'.repeat(43) }) + '\\n\\n')
    response.write('data: ' + JSON.stringify({ kind: 'gate', gate }) + '\\n\\n')
    return
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ ok: true, value: gate }))
}).listen(${port}, '127.0.0.1', () => console.log('there'))`

const isRoot = process.getuid?.() === 0
/** Another user of this computer, where the tests may be one: it knows nothing but the port. */
const asSomebodyElse = isRoot ? { uid: 65_534, gid: 65_534 } : {}

/** Registers a service worker for every page of the port, which puts a page of its own in place of the app's. */
const worker = `
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return
  event.respondWith((async () => {
    const genuine = await fetch(event.request)
    if (genuine.type === 'opaqueredirect' || !genuine.ok) return genuine
    return new Response('<!doctype html><title>not the app</title>', { headers: { 'content-type': 'text/html' } })
  })())
})`
const planting = `<title>x</title><script>
navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)
  .then(() => { document.title = 'planted' })</script>`

describe.skipIf(isWithoutChromium())('somebody else on this computer', () => {
  test('who takes the port when Farthing has stopped is not believed by the page, and is told nothing', async () => {
    const stage = await setStage()
    let child: ChildProcess | undefined
    try {
      const { page, wallet, complaints } = await stage.open('Ann', { coins: 0 })
      await page.getByRole('heading', { level: 1, name: /^Hello/ }).waitFor()
      const port = new URL(page.url()).port
      await wallet.stop()
      await page.getByText('Farthing has stopped').waitFor()
      const script = ['-e', thief(Number(port))]
      child = spawn(process.execPath, script, {
        cwd: '/',
        env: {},
        stdio: ['ignore', 'pipe', 'inherit'],
        ...asSomebodyElse,
      })
      let heard = ''
      child.stdout?.setEncoding('utf8').on('data', (said: string) => {
        heard += said
      })
      await page.getByText('Open a new link').waitFor()
      expect(heard).toContain('/api/events?')
      expect(await page.getByRole('textbox').count()).toBe(0)
      expect(heard).not.toMatch(/api\/call\/(?!app\.snapshot)/)
      complaints.length = 0 // that nobody answered for a while is what was wanted
    } finally {
      child?.kill()
      if (child) await once(child, 'exit')
      await stage.close()
    }
  })

  test('who was at the port before has no part in what is opened there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-planted-'))
    mkdirSync(join(folder, 'page'))
    writeFileSync(join(folder, 'page', 'index.html'), '<!doctype html><head><title>the app</title></head>')
    const before = createServer((request, response) => {
      const isWorker = request.url === '/worker.js'
      response.writeHead(200, { 'content-type': isWorker ? 'text/javascript' : 'text/html' })
      response.end(isWorker ? worker : planting)
    }).listen(0, '127.0.0.1')
    await once(before, 'listening')
    const { port } = before.address() as AddressInfo
    const browser = await openBrowser({})
    let host: ServeHost | undefined
    try {
      const page = await browser.context.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      await page.waitForFunction('document.title === "planted"')
      await page.goto('about:blank')
      before.closeAllConnections()
      await new Promise((resolve) => before.close(resolve))
      const route = async () => ({ ok: true, value: null })
      host = await startServeHost({ route, rendererFolder: join(folder, 'page'), port, log: () => {} })
      await page.goto(host.newLink())
      await expect.poll(() => page.title()).toMatch(/app/)
      expect(await page.title()).toBe('the app')
      await page.reload()
      expect(await page.title()).toBe('the app')
    } finally {
      await browser.close()
      await host?.close()
      before.close()
      rmSync(folder, { recursive: true })
    }
  })

  test('who looks at the title of a locked window does not read who is paid', async () => {
    const stage = await setStage()
    try {
      const ann = await stage.open('Ann', { coins: 100 })
      const bob = await stage.open('Bob', { coins: 10 })
      await prepare(ann, await ask(bob, '11'))
      expect(await ann.page.title()).toContain('Bob')
      await ann.wallet.call('gate.setPassphrase', { next: 'seven copper farthings' })
      await ann.wallet.call('gate.lock', {})
      await heading(ann.page, 'Farthing is locked')
      await expect.poll(() => ann.page.title()).toBe('Farthing')
      expect(await text(ann.page)).not.toContain('Bob')
    } finally {
      await stage.close()
    }
  })
})
