// `npm start` in a browser: the printed link opens the built app, which answers; a second start says who is there.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataFolder } from '../electron/data-folder.ts'
import type { MintView, PaymentView, PayPreviewView, RequestView, Snapshot } from '../shared/model.ts'

const root = join(import.meta.dirname, '..')
/** A bare clone is built first. */
const patienceMs = 150_000

let folder: string
const started: Run[] = []

type Run = {
  readonly child: ChildProcess
  readonly output: () => string
  /** The end: code, or signal. */
  readonly ended: Promise<unknown[]>
}

const start = (): Run => run('scripts/start/main.ts', '--browser', '--no-open', '--data', folder)

function run(...args: string[]): Run {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const made = { child, output: () => output, ended: once(child, 'close') }
  started.push(made)
  return made
}

async function until<T>(run: Run, look: () => T | null | undefined | false): Promise<T> {
  for (const before = Date.now(); Date.now() - before < patienceMs; await waitFor(25)) {
    const found = look()
    if (found) return found
    if (run.child.exitCode !== null) break
  }
  throw new Error(`waited in vain: ${run.output()}`)
}

const linkIn = (run: Run) => until(run, () => /http:\/\/127\.0\.0\.1:\d+\/open\/\S+/.exec(run.output())?.[0])

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-start-'))
})
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true })
})

/** Follow the link as a browser does. */
async function comeIn(link: string) {
  const { origin } = new URL(link)
  const entry = await fetch(link, { redirect: 'manual' })
  expect(entry.status).toBe(303)
  const cookie = entry.headers.getSetCookie()[0]!.split(';')[0]!
  const app = new URL(entry.headers.get('location')!, origin)
  const call = async <T = unknown>(command: string, input: unknown): Promise<{ ok: boolean; value: T }> => {
    const headers = { cookie, origin, 'content-type': 'application/json' }
    const body = JSON.stringify(input)
    const answer = await fetch(new URL(`api/call/${command}`, app), { method: 'POST', headers, body })
    return (await answer.json()) as { ok: boolean; value: T }
  }
  return { app, cookie, call }
}

test('the printed link opens the built app, every part of it loads, and it answers', { timeout: 200_000 }, async () => {
  const run = start()
  const { app, cookie, call } = await comeIn(await linkIn(run))
  const page = await fetch(app, { headers: { cookie } })
  expect(page.status).toBe(200)
  const html = await page.text()
  const parts = [...html.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
  expect(parts.some((path) => path.endsWith('.js'))).toBe(true)
  for (const path of parts) {
    expect((await fetch(new URL(path, app), { headers: { cookie } })).status, path).toBe(200)
    expect((await fetch(new URL(path, app))).status, path).toBe(401)
  }
  // The policy forbids scripts and styles inside the page.
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=/i)

  const snapshot = await call<Snapshot>('app.snapshot', {})
  expect(snapshot).toMatchObject({ ok: true, value: { slices: { profile: { isFirstRun: true } } } })
  expect(snapshot.value.slices.practice).toMatchObject({ isOffered: true, state: 'off' })

  const second = start()
  expect(await second.ended).toEqual([3, null])
  expect(second.output()).toContain(`Farthing is already running with this folder: ${folder}`)
  expect(second.output()).toContain('press Enter in its terminal')

  run.child.kill('SIGUSR2')
  const fresh = await until(run, () => /(?:\/open\/[\s\S]*){2}/.test(run.output()) && run.output().trim())
  await comeIn([...fresh.matchAll(/http:\S+/g)].at(-1)![0])

  run.child.kill('SIGINT')
  expect(await run.ended).toEqual([0, null])
  expect(run.output()).toContain('Farthing has stopped.')
  expect((await comeIn(await linkIn(start()))).app.port).not.toBe('')
})

test('two wallets side by side: paid, paid offline, settled when the mint is back', { timeout: 300_000 }, async () => {
  const demo = run('scripts/demo/main.ts', '--browser', '--no-open', '--data', folder)
  const linkTo = (name: string) =>
    until(demo, () => new RegExp(`^ {2}${name} +(http:\\S+)$`, 'm').exec(demo.output())?.[1])
  const alice = await comeIn(await linkTo('Alice'))
  const bob = await comeIn(await linkTo('Bob'))
  const control = await comeIn(await linkTo('Control'))
  expect(new Set([alice, bob, control].map(({ app }) => app.port)).size).toBe(3)
  for (const part of ['', 'control.js', 'control.css']) {
    expect((await fetch(new URL(part, control.app), { headers: { cookie: control.cookie } })).status, part).toBe(200)
  }
  const mintOf = async ({ call }: typeof alice) => (await call<MintView[]>('mints.list', {})).value[0]!
  expect(await mintOf(alice)).toMatchObject({ isPlayMoney: true, balances: [{ unit: 'coin', spendable: 100 }] })
  expect((await alice.call<Snapshot>('app.snapshot', {})).value.slices.profile).toMatchObject({
    name: 'Alice',
    isFirstRun: false,
  })

  const paid = async (amount: number, state: string): Promise<string> => {
    const { url: mintUrl } = await mintOf(bob)
    const order = { mintUrl, unit: 'coin', amount, singleUse: true }
    const request = (await bob.call<RequestView>('request.create', order)).value.text
    const { id } = (await alice.call<PayPreviewView>('pay.prepare', { request })).value
    await alice.call('pay.confirm', { id })
    await becomes(id, state)
    return id
  }
  const becomes = async (id: string, state: string): Promise<void> => {
    let last: string | undefined
    for (const before = Date.now(); last !== state; await waitFor(50)) {
      last = (await alice.call<PaymentView>('payments.get', { id })).value.state
      if (Date.now() - before > 30_000) throw new Error(`${last} instead of ${state}`)
    }
  }
  const reachable = async (isReachable: boolean): Promise<void> => {
    for (const one of [alice, bob]) {
      for (const before = Date.now(); (await mintOf(one)).isReachable !== isReachable; await waitFor(50)) {
        if (Date.now() - before > 30_000) throw new Error('nobody noticed')
      }
    }
  }

  await paid(7, 'final')
  expect((await control.call('mint.switch', { isOn: false })).value).toMatchObject({ isMintOn: false })
  await reachable(false)
  const offline = await paid(5, 'signed')
  expect((await control.call('mint.switch', { isOn: true })).value).toMatchObject({ isMintOn: true })
  await becomes(offline, 'final')
  const link = (await control.call<string>('wallet.link', { name: 'Bob' })).value
  expect((await comeIn(link)).app.port).toBe(bob.app.port)
  expect((await control.call('wallet.link', { name: 'Mallory' })).ok).toBe(false)

  demo.child.kill('SIGTERM')
  expect(await demo.ended).toEqual([0, null])
})

describe('the data folder', () => {
  const env = { XDG_DATA_HOME: '/xdg', APPDATA: '/appdata' }
  test.each([
    ['what was asked for', '/else', {}, '/else'],
    ['what the environment says', undefined, { env: { ...env, FARTHING_DATA: '/set' } }, '/set'],
    ['Linux', undefined, { platform: 'linux', env }, '/xdg/Farthing'],
    ['Linux without a setting', undefined, { platform: 'linux', env: {} }, '/home/a/.local/share/Farthing'],
    [
      'Linux with a relative one',
      undefined,
      { platform: 'linux', env: { XDG_DATA_HOME: 'x' } },
      '/home/a/.local/share/Farthing',
    ],
    ['a Mac', undefined, { platform: 'darwin', env }, '/home/a/Library/Application Support/Farthing'],
    ['Windows', undefined, { platform: 'win32', env }, '/appdata/Farthing'],
  ] as const)('is that of %s', (_, given, surroundings, path) => {
    expect(dataFolder(given, { home: '/home/a', ...surroundings })).toBe(path)
  })

  test('is in the own folder of the person by default', () => {
    expect(dataFolder(undefined, { env: {} }).startsWith(homedir())).toBe(true)
  })
})
