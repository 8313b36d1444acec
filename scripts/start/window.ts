// Electron, if it is here or can be fetched. Its package holds no binary: that is fetched on first use.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../build/root.ts'
import { hasDisplay } from './display.ts'

export type Electron =
  | { readonly kind: 'here'; readonly binary: string }
  | { readonly kind: 'missing'; readonly why: string }

const packageFolder = join(root, 'node_modules', 'electron')
const fetchTimeoutMs = 15 * 60_000

/** @param say told before the download, which may take minutes */
export async function findElectron(say: (line: string) => void): Promise<Electron> {
  if (!hasDisplay()) return missing('there is no display here')
  if (!existsSync(packageFolder)) return missing('Electron is not installed')
  const here = binary()
  if (here !== undefined) return { kind: 'here', binary: here }
  say('Fetching Electron for the window, this once. It is about 120 MB and can take minutes …')
  const why = await fetchBinary()
  const fetched = binary()
  return fetched === undefined ? missing(`Electron could not be fetched (${why})`) : { kind: 'here', binary: fetched }
}

const missing = (why: string): Electron => ({ kind: 'missing', why })

/** Where Electron's own `index.js` looks for it. */
function binary(): string | undefined {
  const pathFile = join(packageFolder, 'path.txt')
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : ''
  const folder = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(packageFolder, 'dist')
  const path = join(folder, name || 'electron')
  return existsSync(path) ? path : undefined
}

/** Electron's own installer. @returns why it failed, in one line */
async function fetchBinary(): Promise<string> {
  const child = spawn(process.execPath, [join(packageFolder, 'install.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: fetchTimeoutMs,
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  return (
    output
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim()
      .slice(0, 120) ?? 'no reason given'
  )
}

export type WindowEnd =
  /** It ran and was closed, or said itself why it could not go on. */
  | { readonly kind: 'ended'; readonly code: number }
  /** It never opened: a sandbox that the system does not allow, a library that is not there. */
  | { readonly kind: 'no-window'; readonly why: string }

/** Exit codes of the app itself, see electron/shell/start-failure.ts: it has shown the reason. */
const ownCodes: readonly number[] = [0, 3, 4, 5, 6, 7, 8]
/** A process that fails earlier than this has shown no window. */
const startMs = 10_000

export type Window = { readonly ended: Promise<WindowEnd>; close(): void }

/** @param env for this window alone */
export function openWindow(electron: string, folder: string, env: Readonly<Record<string, string>> = {}): Window {
  const started = Date.now()
  const child = spawn(electron, [join(root, 'dist', 'electron', 'main.js'), '--data', folder], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  const ended = new Promise<WindowEnd>((resolve) => {
    child.once('error', ({ message }) => resolve({ kind: 'no-window', why: message }))
    child.once('exit', (code, signal) => {
      const isEarly = Date.now() - started < startMs
      if (code !== null && ownCodes.includes(code)) resolve({ kind: 'ended', code })
      else if (isEarly) resolve({ kind: 'no-window', why: `Electron ended with ${signal ?? code}` })
      else resolve({ kind: 'ended', code: code ?? 1 })
    })
  })
  return { ended, close: () => void child.kill('SIGTERM') }
}
