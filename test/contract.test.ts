// The contract, on the router every host uses: good input passes, hostile input is refused, errors arrive with their code.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type App, startApp } from '../electron/app.ts'
import { createRouter, type Router } from '../electron/router.ts'
import { type RunningMint, startMintServer } from '../mint/start.ts'
import { AppError } from '../shared/errors.ts'
import { type CommandName, commands, type Handlers, type HostEvent } from '../shared/ipc.ts'
import { decodeRequest } from '../shared/request.ts'

const id = 'ab'.repeat(16)
const mintUrl = 'http://127.0.0.1:1'
const good: { readonly [N in CommandName]: unknown } = {
  'app.snapshot': {},
  'gate.look': {},
  'gate.unlock': { passphrase: 'a wren and two loaves' },
  'gate.lock': {},
  'gate.setPassphrase': { current: 'a wren and two loaves', next: 'another one' },
  'gate.usePhrase': { words: Array(12).fill('abandon'), passphrase: null },
  'gate.restorePhrase': { words: Array(12).fill('abandon'), current: 'a wren and two loaves' },
  'gate.restoreBackup': {
    file: 'RlRIQg==',
    passphrase: 'a wren and two loaves',
    words: Array(12).fill('abandon'),
    current: 'a wren and two loaves',
  },
  'gate.setAside': { backup: 'farthing-0a1b2c3d-20261122-214233.farthing-backup' },
  'backup.export': { passphrase: 'a wren and two loaves' },
  'backup.setFolder': { folder: '/media/stick' },
  'backup.pickFolder': {},
  'backup.saveNow': {},
  'backup.merge': { file: 'RlRIQg==', passphrase: 'a wren and two loaves' },
  'restore.again': { mintUrl: 'http://127.0.0.1:1' },
  'restore.noOpenPayments': {},
  'profile.rename': { name: 'Ann' },
  'profile.begin': {},
  'phrase.show': {},
  'phrase.challenge': {},
  'phrase.check': { words: ['abandon', 'about', 'zoo'] },
  'settings.change': { appearance: 'dark', sounds: false, limits: { single: 0, total: 1, perHour: 2 } },
  'practice.start': {},
  'practice.request': {},
  'mints.list': {},
  'mints.add': { url: 'http://127.0.0.1:1' },
  'mints.sync': {},
  'withdraw.start': { mintUrl: 'http://127.0.0.1:1', unit: 'sat', amount: 1 },
  'withdraw.get': { id },
  'mints.remove': { url: mintUrl },
  'cashOut.prepare': { mintUrl, unit: 'sat', invoice: 'lnbc1pvjluez' },
  'cashOut.confirm': { id },
  'cashOut.abandon': { id },
  'cashOut.get': { id },
  'request.close': { id },
  'request.read': { text: 'creqA' },
  'request.create': { mintUrl: 'http://127.0.0.1:1', unit: 'sat', amount: 5, singleUse: true },
  'pay.prepare': { request: 'creqA' },
  'pay.prepareNearby': { peerId: '1'.repeat(40), mintUrl: 'http://127.0.0.1:1', unit: 'sat', amount: 5 },
  'pay.confirm': { id },
  'pay.abandon': { id },
  'pay.delivered': { id },
  'pay.reclaim': { id, isWarned: false },
  'payments.list': { limit: 10 },
  'payments.get': { id },
  'payments.page': { before: 7, limit: 50, search: 'bread', filter: 'in' },
  'payments.export': {},
  'nearby.list': {},
  'nearby.look': { on: false },
  'nearby.announce': { on: true, request: 'creqA' },
  'audit.totals': {},
  'audit.claims': {},
}
/** Having no name is a choice, and so are no passphrase, no folder and no copy. A file may be large. */
const fine = new Map<string, readonly unknown[]>([
  ['profile.rename name', ['']],
  ['gate.setPassphrase next', [null]],
  ['gate.usePhrase passphrase', [null]],
  ['gate.restoreBackup file', ['x'.repeat(10_000)]],
  ['gate.setAside backup', [null]],
  ['backup.export passphrase', [null]],
  ['backup.setFolder folder', [null]],
  ['backup.merge file', ['x'.repeat(10_000)]],
])
const names = Object.keys(commands) as CommandName[]

/** Handlers that only say they were reached. */
const reached: Handlers = new Proxy({} as Handlers, { get: (_, name) => async (input: unknown) => ({ name, input }) })

describe('the router', () => {
  const reports: AppError[] = []
  const route = createRouter(reached, (error) => reports.push(error))

  test.each(names)('%s: good input reaches its handler', async (name) => {
    expect(await route(name, good[name])).toEqual({ ok: true, value: { name, input: good[name] } })
  })

  test.each(names)('%s: hostile input is refused before its handler', async (name) => {
    const input = good[name] as object
    const hostile = [
      null,
      undefined,
      7,
      'text',
      [],
      [input],
      { ...input, extra: 1 },
      { ...input, __proto__: null, x: 1 },
    ]
    for (const bad of hostile) {
      expect(await route(name, bad)).toMatchObject({ ok: false, error: { code: 'bad_input' } })
    }
    for (const key of Object.keys(input)) {
      for (const value of [null, {}, [], '', 'x'.repeat(10_000), -1, 0.5, 2 ** 53, Number.NaN]) {
        if (fine.get(`${name} ${key}`)?.includes(value)) continue
        expect(await route(name, { ...input, [key]: value }), `${key} = ${String(value).slice(0, 20)}`).toMatchObject({
          ok: false,
          error: { code: 'bad_input' },
        })
      }
    }
  })

  test('an unknown command, also one that every object has, is refused', async () => {
    for (const name of ['pay', '', 'constructor', '__proto__', 'toString']) {
      expect(await route(name, {})).toMatchObject({ ok: false, error: { code: 'unknown_command' } })
    }
  })

  test('an error crosses with code and facts, a defect without its cause, and the defect is reported', async () => {
    const failing = createRouter(
      {
        ...reached,
        'mints.list': async () => {
          throw new AppError('no_single_purse', 'words', { facts: { largest: 7 }, cause: new Error('secret') })
        },
        'mints.sync': async () => {
          throw new Error('the seed is abandon abandon')
        },
      },
      (error) => reports.push(error),
    )
    const known = await failing('mints.list', {})
    expect(known).toEqual({
      ok: false,
      error: { code: 'no_single_purse', message: 'words', retryable: false, facts: { largest: 7 } },
    })
    const defect = await failing('mints.sync', {})
    expect(defect).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(JSON.stringify(defect)).not.toContain('abandon')
    expect(reports.map(({ code }) => code)).toEqual(['internal'])
  })
})

describe('a whole app behind the router', () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-contract-'))
  const events: HostEvent[] = []
  let mint: RunningMint
  let app: App
  let route: Router

  beforeAll(async () => {
    mint = await startMintServer({ dataFolder: join(folder, 'mint'), practiceDelayMs: 0 })
    const options = { name: 'Ann', listenHost: '127.0.0.1', log: () => {} }
    app = await startApp({ ...options, folder: join(folder, 'wallet'), onEvent: (event) => events.push(event) })
    route = createRouter(app.handlers, app.report)
  })
  afterAll(async () => {
    await app.stop()
    await mint.close()
    rmSync(folder, { recursive: true })
  })
  const code = async (name: CommandName, input: unknown) => {
    const reply = await route(name, input)
    return reply.ok ? 'ok' : reply.error.code
  }

  test('a mint is added once, and refused when it is none', async () => {
    expect(await code('mints.add', { url: 'ftp://mint' })).toBe('bad_input')
    expect(await code('mints.add', { url: 'http://user:pass@127.0.0.1:1' })).toBe('bad_input')
    expect(await code('mints.add', { url: 'http://127.0.0.1:1' })).toBe('mint_unreachable')
    expect(await route('mints.add', { url: `${mint.url}/` })).toMatchObject({
      ok: true,
      value: { url: mint.url, isPlayMoney: true, isOnlineOnly: false, isReachable: true },
    })
    expect(await code('mints.add', { url: mint.url })).toBe('mint_exists')
    await vi.waitFor(() =>
      expect(events).toContainEqual(
        expect.objectContaining({ kind: 'slice', name: 'mints', value: [expect.objectContaining({ url: mint.url })] }),
      ),
    )
  })

  test('what does not exist is named', async () => {
    expect(await code('withdraw.start', { mintUrl: 'http://127.0.0.1:1', unit: 'sat', amount: 1 })).toBe('mint_unknown')
    expect(await code('withdraw.start', { mintUrl: mint.url, unit: 'eur', amount: 1 })).toBe('unit_unknown')
    expect(await code('withdraw.start', { mintUrl: mint.url, unit: 'sat', amount: 2 ** 52 })).toBe(
      'amount_out_of_range',
    )
    for (const name of ['withdraw.get', 'payments.get', 'pay.confirm', 'pay.abandon', 'pay.delivered'] as const) {
      expect(await code(name, { id })).toBe('not_found')
    }
    expect(await code('pay.prepare', { request: 'lightning:lnbc1' })).toBe('bad_input')
  })

  test('a request names amount, key and address, and cannot be paid with nothing', async () => {
    const reply = await route('request.create', { mintUrl: mint.url, unit: 'sat', amount: 5, singleUse: true })
    if (!reply.ok) throw new Error('no request')
    const { text } = reply.value as { text: string }
    const request = decodeRequest(`farthing:${text}`)
    expect(request).toMatchObject({ amount: 5, unit: 'sat', mints: [mint.url], singleUse: true })
    expect(request.multiaddrs[0]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    expect(await code('pay.prepare', { request: text, amount: 6 })).toBe('bad_input')
    expect(await route('pay.prepare', { request: text })).toMatchObject({
      ok: false,
      error: { code: 'not_enough', facts: { largest: 0, total: 0 } },
    })
  })
})
