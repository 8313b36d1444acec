// Runs a packaged app under plain Node: its own main.js, with the stand-in in Electron's place, from a folder that has no
// packages near it. `node test/electron-packaged.ts <unpacked app> <home>`; prints one line of JSON.

import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Reply } from '../shared/ipc.ts'
import type { Snapshot } from '../shared/model.ts'
import { createElectron } from './electron-standin.ts'

const [folder = '', home = ''] = process.argv.slice(2)
const standIn = 'stand-in:electron'
const waitMs = 20_000

const electron = createElectron({ home, isPackaged: true, keychain: 'none' })
Object.assign(globalThis, { electronStandIn: electron.module })
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: standIn, shortCircuit: true } : next(specifier, context),
  load: (url, context, next) => {
    if (url !== standIn) return next(url, context)
    const names = Object.keys(electron.module)
    const source = names.map((name) => `export const ${name} = globalThis.electronStandIn.${name}`).join('\n')
    return { format: 'module', source, shortCircuit: true }
  },
})

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + waitMs
  while (Date.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited for ${what} in vain: ${JSON.stringify(electron.log.errorBoxes)}`)
}

async function ask<T>(name: string): Promise<T> {
  const reply = (await electron.call(name, {})) as Reply<T>
  if (!reply.ok) throw new Error(`${name}: ${reply.error.code} ${reply.error.message}`)
  return reply.value
}

process.env['FARTHING_DATA'] = join(home, 'wallet')
process.argv.length = 2
await import(pathToFileURL(join(folder, 'dist', 'electron', 'main.js')).href)
electron.becomeReady()
const window = await until('a window', () => electron.log.windows[0])
const page = await electron.log.protocols.get('app')?.({ url: 'app://farthing/', method: 'GET' })
const { slices } = await ask<Snapshot>('app.snapshot')
await ask('practice.start')
const coins = await until('practice coins', async () => {
  const { mints } = (await ask<Snapshot>('app.snapshot')).slices
  return mints[0]?.balances[0]?.spendable || undefined
})
const { text } = await ask<{ text: string }>('practice.request')
electron.answers.push(1)
electron.module.app.quit()
await until('the end', () => electron.log.hasQuit || undefined)

console.log(
  JSON.stringify({
    version: slices.profile.version,
    preload: window.options.webPreferences?.preload,
    devTools: window.options.webPreferences?.devTools,
    page: page?.status,
    coins,
    request: text.slice(0, 5),
    children: electron.log.children.map(({ exitCode, signalCode }) => exitCode ?? signalCode),
  }),
)
process.exit(0)
