// A mint that lies, stalls and floods, by real HTTP, against wallets with real stores: what it says never costs a coin, is
// named by a code, and is forgotten when it is honest again. (The bytes of single answers: mint-client.test.ts.)

import type { ServerResponse } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { maxRetryAfterMs } from '../electron/net/http-json.ts'
import { createMintClients } from '../electron/net/mint-client.ts'
import { paymentView } from '../electron/views.ts'
import { systemClock } from '../electron/wallet-folder.ts'
import { Point, pointToHex } from '../shared/cashu/bdhke.ts'
import { keysetIdV2 } from '../shared/cashu/keyset.ts'
import { AppError, errorCodes } from '../shared/errors.ts'
import {
  away,
  dayMs,
  honest,
  hourMs,
  inState,
  minuteMs,
  openWorld,
  secondMs,
  type TestWallet,
  type World,
} from './engine-fixture.ts'
import {
  type Behaviour,
  changing,
  type HostileMint,
  json,
  only,
  passOn,
  startHostileMint,
} from './hostile-mint-fixture.ts'
import { openMint } from './mint-fixture.ts'

const mints: HostileMint[] = []
// Before the books are checked: then everything has to go on.
afterEach(() => {
  for (const mint of mints) mint.beHonest()
})
afterAll(async () => {
  for (const mint of mints) await mint.close()
})

type Scene = {
  readonly world: World
  readonly mint: HostileMint
  readonly payer: TestWallet
  readonly payee: TestWallet
  /** A wallet that does not know the mint yet. */
  readonly stranger: TestWallet
}

/** Two wallets at a mint that is honest so far; the payer has money there. */
async function openScene(money = 64): Promise<Scene> {
  const world = await openWorld()
  const mint = await startHostileMint(world.mint.url)
  mints.push(mint)
  const at = { mintUrl: mint.url }
  const payer = await world.wallet('payer', at)
  const payee = await world.wallet('payee', at)
  const stranger = await world.wallet('stranger', { ...at, knowsMint: false })
  if (money > 0) inState(await payer.withdraw(money), 'done')
  return { world, mint, payer, payee, stranger }
}

/** The code of what this is refused with; fails when it is not. */
async function codeOf(work: () => Promise<unknown>): Promise<string> {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AppError)
  expect(errorCodes).toContain((error as AppError).code)
  return (error as AppError).code
}

const text = (response: ServerResponse, body: string | Uint8Array, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
}
const zeros = Buffer.alloc(64 * 1024 * 1024, 0x20)
const megabytes = (count: number): string => 'x'.repeat(count * 1024 * 1024)

/** Whatever is asked, this is answered. */
const nonsense: readonly (readonly [string, Behaviour])[] = [
  [
    'endless bodies',
    (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => {
        while (!response.destroyed && response.write(zeros.subarray(0, 65_536)));
      }
      response.on('drain', more)
      more()
    },
  ],
  ['bodies that gzip made small', (_, response) => text(response, gzipBomb, { 'content-encoding': 'gzip' })],
  ['bodies that brotli made small', (_, response) => text(response, brotliBomb, { 'content-encoding': 'br' })],
  ['bodies packed twice', (_, response) => text(response, gzipSync(gzipBomb), { 'content-encoding': 'gzip, gzip' })],
  ['an encoding that nobody knows', (_, response) => text(response, '{}', { 'content-encoding': 'zip' })],
  ['redirects to itself', ({ path }, response) => response.writeHead(307, { location: path }).end()],
  ['redirects to a file', (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end('{}')],
  [
    'status 200 with an error in it',
    (_, response) => json(response, 200, { code: 11001, detail: 'Token already spent.' }),
  ],
  ['HTML', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hotel</h1>')],
  ['deep JSON', (_, response) => text(response, '['.repeat(500_000) + ']'.repeat(500_000))],
  ['deep JSON that does not end', (_, response) => text(response, '{"a":'.repeat(150_000))],
  ['a list of a million things', (_, response) => text(response, `[${'[],'.repeat(340_000)}[]]`)],
  ['ten megabytes of text', (_, response) => json(response, 200, { name: megabytes(10), nuts: {} })],
  ['nothing but null', (_, response) => json(response, 200, null)],
  ['numbers beyond all bounds', (_, response) => text(response, '{"amount":1e999,"expiry":-1e999,"signatures":1e400}')],
  [
    'the prototype of everything',
    (_, response) => text(response, '{"__proto__":{"signatures":[],"keysets":[],"states":[]},"constructor":1}'),
  ],
  ['the same key twice', (_, response) => text(response, '{"signatures":[],"signatures":7,"nuts":{},"nuts":1}')],
  [
    'status 500 with a Cashu error',
    (_, response) => json(response, 500, { code: 11001, detail: 'Token already spent.' }),
  ],
  [
    'status 418 without one',
    (_, response) => json(response, 418, { detail: [{ loc: ['body'], msg: 'field required' }] }),
  ],
  [
    'half a body',
    (_, response) => response.writeHead(200, { 'content-length': '1000' }).write('{"', () => response.destroy()),
  ],
  ['no answer at all', (_, response) => response.destroy()],
  [
    'headers of a megabyte',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-more': megabytes(1) }).end('{}')
    },
  ],
]
const gzipBomb = gzipSync(zeros)
const brotliBomb = brotliCompressSync(zeros.subarray(0, 16 * 1024 * 1024))

describe('a mint that answers everything with', () => {
  test.each(nonsense)('%s loses nobody a coin, and is paid at when it is well again', async (_name, behaviour) => {
    const { world, mint, payer, payee, stranger } = await openScene()
    mint.be(behaviour)
    const refused = await codeOf(() => stranger.engine.mints.add(mint.url))
    expect(['mint_bad_answer', 'mint_unreachable']).toContain(refused)

    const withdraw = payer.engine.withdraw(0, 'sat', 8)
    await payer.run(() => payer.engine.runner.runNow(withdraw))
    const payment = await payer.pay(payee, 5)
    await world.rest(20 * secondMs)
    expect(payer.payment(payment).state).toMatch(/^(signed|handing_over|settling)$/)
    expect(payer.store.read.operation(withdraw)?.state).toBe('quoting')
    expect(payer.worth()).toBe(64)

    mint.beHonest()
    await world.rest()
    expect(payer.payment(payment).state).toBe('final')
    expect(payer.store.read.operation(withdraw)?.state).toBe('done')
    expect([payer.worth(), payee.worth()]).toEqual([64 + 8 - 5, 5])
    await stranger.engine.mints.add(mint.url)
  })
})

/** Everything that anybody is shown of the mint, or that goes into a log. */
const said = ({ store, reports }: TestWallet): string =>
  JSON.stringify([store.read.mints(), store.read.operations({}).map(({ lastError }) => lastError), reports])
const deceiving = /\\u(00[01]|007f|008|009|061c|200e|200f|202[8a-e]|206[6-9])/i

/** Whether there is a stream to the payee when the person says yes: if not, nothing leaves while the payee is gone. */
const streams: readonly (readonly [string, string, (payer: TestWallet) => Promise<void>])[] = [
  ['when it may have left', 'handing_over', async () => undefined],
  [
    'before anything left',
    'settling',
    async (payer) => {
      payer.reopen()
      await payer.look()
    },
  ],
]

describe('a mint that asks to wait', () => {
  const busy =
    (retryAfter: string): Behaviour =>
    (_call, response) =>
      response
        .writeHead(429, { 'retry-after': retryAfter, 'content-type': 'application/json' })
        .end('{"detail":"busy"}')

  test('a year is waited for an hour, and then asked again', async () => {
    const { world, mint, payer } = await openScene(0)
    mint.be(busy(`${365 * 24 * 3600}`))
    const id = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(id)
    expect(payer.store.read.nextDueAt()).toBe(world.clock.now() + maxRetryAfterMs)
    mint.beHonest()
    await world.pass(hourMs + 10 * minuteMs)
    expect(payer.store.read.operation(id)?.state).toBe('done')
  })

  test.each(streams)('is left alone by a payment whose payee is gone, %s', async (_name, state, before) => {
    const { world, mint, payer, payee } = await openScene()
    const { id } = await payer.prepare(payee, 5)
    await before(payer)
    payee.isListening = false
    mint.be(busy('900'))
    await payer.run(() => payer.engine.confirmPay(id))
    expect(payer.payment(id).state).toBe(state)
    expect(payer.payment(id).nextAttemptAt).toBeGreaterThanOrEqual(world.clock.now() + 900 * secondMs)
    const asked = mint.calls.length
    world.clock.move(899 * secondMs)
    await payer.run(() => payer.engine.runner.runDue())
    expect(mint.calls).toHaveLength(asked)
    mint.beHonest()
    payee.isListening = true
    await world.rest()
    expect(payer.payment(id).state).toBe('final')
  })
})

describe('a mint that refuses a good swap', () => {
  const facts = { mintUrl: '', payee: null, reclaim: 'no' } as const

  test.each(streams)('for a day raises an alarm, also while the payee is gone, %s', async (_name, state, before) => {
    const { world, mint, payer, payee } = await openScene()
    const { id } = await payer.prepare(payee, 5)
    await before(payer)
    payee.isListening = false
    const since = world.clock.now()
    mint.be(only(/swap$/, (_call, response) => json(response, 400, { code: 11005, detail: 'not balanced' })))
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest(minuteMs)
    world.clock.move(25 * hourMs)
    await payer.run(() => payer.engine.runner.runDue())
    expect(payer.payment(id)).toMatchObject({ state, refusedSince: since })
    expect(paymentView(payer.payment(id), { ...facts, now: world.clock.now() }).alarm).toBe('refused_by_mint')
    expect(payer.worth()).toBe(64)
    mint.beHonest()
    payee.isListening = true
    await world.rest()
    expect(payer.payment(id).state).toBe('final')
  })
})

describe('what a mint writes', () => {
  const rightToLeft = '\u202egnp.lacisum\u202c'
  const evil = `a${rightToLeft}\n2026-01-01 internal: all is lost\u0007\u2066\u0000z`

  test('cannot turn a screen or forge a line of the log', async () => {
    const { world, mint, payer, stranger } = await openScene(0)
    const info = changing(/info$/, (answer: object) => ({ ...answer, name: evil, version: `Farthing/${evil}` }))
    mint.be(info)
    await payer.look()
    await stranger.engine.mints.add(mint.url)
    mint.be((_call, response) => json(response, 400, { code: 20003, detail: evil }))
    const id = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(id)
    expect(payer.store.read.operation(id)).toMatchObject({
      state: 'failed',
      lastError: expect.stringContaining('20003'),
    })
    expect(said(payer)).not.toMatch(deceiving)
    expect(said(stranger)).not.toMatch(deceiving)
    const error = await stranger.engine.mints.add(`${mint.url}/x`).catch((thrown: Error) => thrown)
    expect(JSON.stringify(error instanceof Error ? error.message : '')).not.toMatch(deceiving)
    await world.rest()
  })
})

describe('a mint that is slow', () => {
  test('byte by byte is given up after ten seconds in all', async () => {
    const { mint, payer } = await openScene(0)
    mint.be((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const dripping = setInterval(() => response.write(' '), 500)
      response.on('close', () => clearInterval(dripping))
    })
    // As it is in a wallet.
    payer.mint = () => createMintClients({ clock: systemClock })(mint.url)
    const id = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(id)
    expect(payer.store.read.operation(id)).toMatchObject({ state: 'quoting', lastError: 'timed out' })
  }, 30_000)

  test('holds up nothing at another mint, however much is to be asked of it', async () => {
    const { world, mint, payer } = await openScene(0)
    const other = await openMint({ clock: world.clock })
    const { account } = await payer.engine.mints.add(other.url())
    const hung = new Set<ServerResponse>()
    mint.be((_call, response) => hung.add(response))
    for (let count = 0; count < 8; count++) payer.engine.withdraw(0, 'sat', 8)
    const elsewhere = payer.engine.withdraw(account, 'sat', 8)
    payer.engine.runner.start()
    await vi.waitFor(() => expect(hung.size).toBe(4))
    await vi.waitFor(() => expect(payer.store.read.operation(elsewhere)?.state).toBe('unpaid'), { timeout: 5_000 })
    const later = payer.engine.withdraw(account, 'sat', 16)
    await vi.waitFor(() => expect(payer.store.read.operation(later)?.state).toBe('unpaid'), { timeout: 5_000 })
    expect(hung.size).toBe(4)
    mint.beHonest()
    for (const response of hung) response.destroy()
    await payer.engine.runner.stop()
  }, 30_000)

  test('does not keep the program from ending: what has not begun is left for the next start', async () => {
    const { mint, payer } = await openScene(0)
    const hung: ServerResponse[] = []
    mint.be((_call, response) => hung.push(response))
    for (let count = 0; count < 40; count++) payer.engine.withdraw(0, 'sat', 8)
    payer.engine.runner.start()
    await vi.waitFor(() => expect(hung).toHaveLength(4))
    const stopped = payer.engine.runner.stop()
    for (const response of hung) response.destroy()
    await stopped
    expect(hung).toHaveLength(4)
  })

  /** 150 keysets, for whose keys each answer takes eight seconds. */
  const slowKeys = (world: World): Behaviour => {
    const ids = Array.from({ length: 150 }, (_, index) => index.toString(16).padStart(16, '0'))
    return async (call, response, request) => {
      if (call.path.endsWith('/keysets')) {
        const { keysets } = (await call.honest()).json as { keysets: object[] }
        return json(response, 200, { keysets: [...ids.map((id) => ({ id, unit: 'sat', active: true })), ...keysets] })
      }
      if (!ids.some((id) => call.path.endsWith(id))) return passOn(call, response, request)
      world.clock.move(8 * secondMs)
      return json(response, 200, { keysets: [] })
    }
  }

  test('with the keys of many keysets is not waited for by who adds it', async () => {
    const { world, mint, stranger } = await openScene(0)
    mint.be(slowKeys(world))
    const before = world.clock.now()
    expect(await codeOf(() => stranger.engine.mints.add(mint.url))).toBe('mint_bad_answer')
    expect(world.clock.now() - before).toBeLessThan(2 * minuteMs)
    mint.beHonest()
    await stranger.engine.mints.add(mint.url)
  })

  test('with the keys of many keysets does not keep a wallet from looking at others', async () => {
    const { world, mint, payer } = await openScene(0)
    mint.be(slowKeys(world))
    const before = world.clock.now()
    await payer.look()
    expect(world.clock.now() - before).toBeLessThan(2 * minuteMs)
    mint.beHonest()
    inState(await payer.withdraw(8), 'done')
  })
})

type Listed = { keysets: { id: string; unit: string; active: boolean; input_fee_ppk: number; final_expiry?: number }[] }
type Keys = { keysets: { id: string; keys: Record<string, string> }[] }
type Signed = { signatures: Signature[] }
type Signature = { id: string; amount: number; C_: string; dleq?: { e: string; s: string } | null }

describe('a mint that says something else than before', () => {
  const alarmOf = ({ store }: TestWallet) => store.read.mint(0)?.alarm
  const keysetsOf = ({ store }: TestWallet) =>
    store.read.keysets(0).map(({ id, feePpk, unit, active }) => [id, feePpk, unit, active])
  const listing = (change: (keyset: Listed['keysets'][number]) => object): Behaviour =>
    changing(/keysets$/, ({ keysets }: Listed) => ({ keysets: keysets.map((one) => ({ ...one, ...change(one) })) }))

  test.each([
    ['a higher fee', listing(() => ({ input_fee_ppk: 900 }))],
    ['a lower fee', listing(() => ({ input_fee_ppk: 1 }))],
    ['another unit', listing(() => ({ unit: 'usd' }))],
    ['an end', listing(() => ({ final_expiry: 1_800_000_000 }))],
    [
      'a higher fee beside the old one',
      changing(/keysets$/, ({ keysets }: Listed) => ({
        keysets: keysets.flatMap((one) => [one, { ...one, input_fee_ppk: 900 }]),
      })),
    ],
  ])('%s under the same id raises an alarm, and nothing changes', async (_name, behaviour) => {
    const { world, mint, payer, payee } = await openScene()
    const before = keysetsOf(payer)
    mint.be(behaviour)
    await payer.look()
    expect(alarmOf(payer)).toBe('mint_lies')
    expect(keysetsOf(payer)).toEqual(before)
    const payment = await payer.pay(payee, 5)
    await world.rest()
    expect(payer.payment(payment)).toMatchObject({ state: 'final', fee: 0 })
    expect(payer.totals().spendable + payee.totals().spendable).toBe(64)
  })

  test('other keys under the same id are not asked for twice, and who is new there is warned', async () => {
    const { world, mint, payer, payee, stranger } = await openScene()
    const stolen = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`
    mint.be(
      changing(/\/keys\//, ({ keysets }: Keys) => ({
        keysets: keysets.map((one) => ({ ...one, keys: { ...one.keys, 1: stolen } })),
      })),
    )
    expect(await codeOf(() => stranger.engine.mints.add(mint.url))).toBe('mint_lies')
    mint.be(passOn)
    await payer.look()
    const payment = await payer.pay(payee, 5)
    await world.rest()
    expect(payer.payment(payment).state).toBe('final')
    expect(mint.calls.filter((call) => call.includes('/keys/'))).toEqual([])
  })

  test.each([
    ['no keyset any more', changing(/keysets$/, () => ({ keysets: [] }))],
    ['that all have ended', listing(() => ({ active: false }))],
  ])('%s: nothing new is begun, and all is as it was when they are back', async (_name, behaviour) => {
    const { world, mint, payer, payee } = await openScene()
    const withdraw = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(withdraw)
    mint.be(behaviour)
    await payer.look()
    await payee.look()
    expect(await codeOf(async () => payer.engine.withdraw(0, 'sat', 8))).toBe('amount_out_of_range')
    expect(await codeOf(() => payer.prepare(payee, 5))).toBe('amount_out_of_range')
    world.clock.move(minuteMs)
    await payer.engine.runner.runDue()
    expect(payer.store.read.operation(withdraw)?.state).toBe('unpaid')
    expect(payer.totals().spendable).toBe(64)
    mint.beHonest()
    await world.rest()
    expect(payer.store.read.operation(withdraw)?.state).toBe('done')
    expect(keysetsOf(payer).some(([, , , active]) => active)).toBe(true)
  })

  test.each([
    ['a thousand keysets', 1_000, 'mint_unsuitable', 'mint_lies'],
    ['more than anybody reads', 1_001, 'mint_bad_answer', null],
  ])('%s are adopted by nobody, and no keys are asked for', async (_name, count, code, alarm) => {
    const { world, mint, payer, payee, stranger } = await openScene()
    const many = Array.from({ length: count }, (_, index) => index.toString(16).padStart(16, '0'))
    mint.be(changing(/keysets$/, () => ({ keysets: many.map((id) => ({ id, unit: 'sat', active: true })) })))
    expect(await codeOf(() => stranger.engine.mints.add(mint.url))).toBe(code)
    await payer.look()
    expect(alarmOf(payer)).toBe(alarm)
    expect(mint.calls.filter((call) => call.includes('/keys/'))).toEqual([])
    mint.beHonest()
    await payer.look()
    const payment = await payer.pay(payee, 5)
    await world.rest()
    expect(payer.payment(payment).state).toBe('final')
  })

  /** Beside the honest ones, a keyset with keys for these exponents of two. */
  const withKeyset = (exponents: readonly number[]) => {
    const keys = Object.fromEntries(
      exponents.map((exponent) => [
        `${2n ** BigInt(exponent)}`,
        pointToHex(Point.BASE.multiply(BigInt(exponent) + 1n)),
      ]),
    )
    const isPossible = exponents.every((exponent) => exponent < 64)
    const id = isPossible ? keysetIdV2({ keys, unit: 'sat', feePpk: 0, finalExpiry: null }) : `01${'ab'.repeat(32)}`
    const behaviour: Behaviour = (call, response, request) => {
      if (call.path.endsWith(`/keys/${id}`)) return json(response, 200, { keysets: [{ id, unit: 'sat', keys }] })
      const add = ({ keysets }: Listed) => ({ keysets: [...keysets, { id, unit: 'sat', active: false }] })
      return changing(/keysets$/, add)(call, response, request)
    }
    return { id, behaviour }
  }

  /** So many other keysets at each look after a call of `renew`, each with all the keys there can be. */
  const renewing = (each: number) => {
    const keys = Object.fromEntries(
      Array.from({ length: 64 }, (_, exponent) => [
        `${2n ** BigInt(exponent)}`,
        pointToHex(Point.BASE.multiply(BigInt(exponent) + 1n)),
      ]),
    )
    const made = new Map<string, object>()
    let listed: readonly object[] = []
    const renew = () => {
      listed = Array.from({ length: each }, () => {
        const feePpk = made.size + 1
        const id = keysetIdV2({ keys, unit: 'sat', feePpk, finalExpiry: null })
        made.set(id, { id, unit: 'sat', input_fee_ppk: feePpk, keys })
        return { id, unit: 'sat', active: true, input_fee_ppk: feePpk }
      })
    }
    const behaviour: Behaviour = (call, response, request) => {
      const known = made.get(call.path.split('/').at(-1) ?? '')
      if (known) return json(response, 200, { keysets: [known] })
      return changing(/keysets$/, ({ keysets }: Listed) => ({ keysets: [...keysets, ...listed] }))(
        call,
        response,
        request,
      )
    }
    return { renew, behaviour }
  }

  test('other keysets at every look are kept up to a number, told, and asked for no more', async () => {
    const { world, mint, payer, payee } = await openScene()
    const { renew, behaviour } = renewing(90)
    mint.be(behaviour)
    const alarms: unknown[] = []
    for (let look = 0; look < 5; look++) {
      renew()
      await payer.look()
      alarms.push(alarmOf(payer))
    }
    expect(alarms).toEqual([null, null, 'mint_lies', 'mint_lies', 'mint_lies'])
    expect(payer.store.read.keysets(0)).toHaveLength(200)
    expect(mint.calls.filter((call) => call.includes('/keys/')).length).toBeLessThan(210)
    mint.beHonest()
    await payer.look()
    expect(payer.store.read.keysets(0).filter(({ active }) => active)).toHaveLength(1)
    const payment = await payer.pay(payee, 5)
    await world.rest()
    expect(payer.payment(payment).state).toBe('final')
  }, 60_000)

  test('many keysets that are known are not checked again', async () => {
    const { mint, payer } = await openScene(0)
    const { renew, behaviour } = renewing(90)
    mint.be(behaviour)
    const cpuOfLook = async () => {
      const before = process.cpuUsage()
      await payer.look()
      return process.cpuUsage(before).user
    }
    renew()
    const first = await cpuOfLook()
    expect(payer.store.read.keysets(0)).toHaveLength(91)
    expect(await cpuOfLook()).toBeLessThan(first / 3)
  })

  test('a keyset up to 2^63 is a good one', async () => {
    const { mint, stranger } = await openScene(0)
    const { id, behaviour } = withKeyset(Array.from({ length: 64 }, (_, exponent) => exponent))
    mint.be(behaviour)
    await stranger.engine.mints.add(mint.url)
    expect(alarmOf(stranger)).toBeNull()
    expect(Object.keys(stranger.store.read.keyset(id)?.keyset.keys ?? {})).toContain('9223372036854775808')
    inState(await stranger.withdraw(8), 'done')
  })

  test('a keyset with a denomination beyond 2^63 is left out with an alarm, and the others count', async () => {
    const { mint, stranger } = await openScene(0)
    const { id, behaviour } = withKeyset([0, 64])
    mint.be(behaviour)
    await stranger.engine.mints.add(mint.url)
    expect(alarmOf(stranger)).toBe('mint_lies')
    expect(stranger.store.read.keyset(id)).toBeUndefined()
    inState(await stranger.withdraw(8), 'done')
  })

  test('a keyset with more keys than there can be keeps new people away, and nobody who is there', async () => {
    const { mint, payer, stranger } = await openScene(0)
    const { id, behaviour } = withKeyset(Array.from({ length: 130 }, (_, exponent) => exponent))
    mint.be(behaviour)
    expect(await codeOf(() => stranger.engine.mints.add(mint.url))).toBe('mint_bad_answer')
    await payer.look()
    expect(payer.store.read.keyset(id)).toBeUndefined()
    inState(await payer.withdraw(8), 'done')
  })
})

/** Answers about signatures that are none, however they are asked for. */
const badSignatures: readonly (readonly [string, (signatures: readonly Signature[]) => unknown])[] = [
  ['of other amounts', (all) => all.map((one) => ({ ...one, amount: one.amount * 2 }))],
  ['of 2^63 each', (all) => all.map((one) => ({ ...one, amount: 2 ** 63 }))],
  ['of negative amounts', (all) => all.map((one) => ({ ...one, amount: -one.amount }))],
  ['of half amounts', (all) => all.map((one) => ({ ...one, amount: one.amount + 0.5 }))],
  ['of amounts in words', (all) => all.map((one) => ({ ...one, amount: 'NaN' }))],
  ['of another key', (all) => all.map((one) => ({ ...one, C_: all[0]?.C_.replace(/^0./, '03') }))],
  ['that are no points', (all) => all.map((one) => ({ ...one, C_: `02${'05'.padStart(64, '0')}` }))],
  ['at infinity', (all) => all.map((one) => ({ ...one, C_: '00'.repeat(33) }))],
  ['without a proof', (all) => all.map(({ dleq: _, ...one }) => one)],
  ['with the proof of another', (all) => all.map((one) => ({ ...one, dleq: all.at(-1)?.dleq, C_: all[0]?.C_ }))],
  ['with a proof of zeros', (all) => all.map((one) => ({ ...one, dleq: { e: '00'.repeat(32), s: '00'.repeat(32) } }))],
  ['of a keyset that nobody knows', (all) => all.map((one) => ({ ...one, id: `01${'ab'.repeat(32)}` }))],
  ['in another order', (all) => [...all].reverse()],
  ['each of them twice', (all) => all.flatMap((one) => [one, one])],
  ['and three hundred more', (all) => [...all, ...Array.from({ length: 300 }, () => all[0])]],
]

describe('a mint that shows signatures', () => {
  const showing = (change: (signatures: readonly Signature[]) => unknown): Behaviour =>
    changing(/\/(swap|restore|mint\/bolt11)$/, ({ signatures, ...rest }: Signed) => ({
      ...rest,
      signatures: signatures.length > 1 ? change(signatures) : change([...signatures, ...signatures]),
    }))

  test.each(badSignatures)('%s gives nobody coins that are none and takes none away', async (_name, change) => {
    const { world, mint, payer, payee } = await openScene()
    mint.be(showing(change))
    const withdraw = payer.engine.withdraw(0, 'sat', 11)
    const payment = await payer.pay(payee, 5)
    await world.rest(20 * secondMs)
    expect(payer.totals().spendable + payer.totals().reserved + payer.totals().handed_over).toBe(64)
    expect(payee.worth()).toBe(0)
    expect(payer.store.read.operation(withdraw)?.state).toBe('issuing')
    expect(payer.payment(payment).state).toMatch(/^(settling|handing_over|signed)$/)
    mint.beHonest()
    await world.rest()
    expect(payer.store.read.operation(withdraw)?.state).toBe('done')
    expect(payer.payment(payment).state).toBe('final')
    expect([payer.worth(), payee.worth()]).toEqual([64 + 11 - 5, 5])
  })

  test('of what never was, hides them for good: it looks bounced, and comes back when the mint is honest', async () => {
    const { world, mint, payer, payee } = await openScene()
    mint.be(changing(/\/(swap|restore)$/, (answer: Signed) => ({ ...answer, outputs: [], signatures: [] })))
    const payment = await payer.pay(payee, 5)
    await world.rest(10 * minuteMs)
    expect(payer.payment(payment).state).toBe('bounced')
    mint.beHonest()
    await world.pass(2 * dayMs)
    expect(payer.payment(payment).state).toBe('final')
    expect([payer.worth(), payee.worth()]).toEqual([59, 5])
  })
})

describe('a mint that issues, and says that it did not', () => {
  /** The answer to the issue is lost; after it the quote is in this state, whoever asks. */
  const lying = (state: string): Behaviour => {
    let isIssued = false
    return async (call, response, request) => {
      if (call.path.endsWith('/mint/bolt11')) {
        if (!isIssued) await call.honest()
        isIssued = true
        return json(response, 500, {})
      }
      const lie = (quote: object) => (isIssued ? { ...quote, state } : quote)
      return changing(/quote\/bolt11\/./, lie)(call, response, request)
    }
  }

  test.each(['PENDING', 'UNPAID'])('by "%s" keeps nobody from the coins that it signed', async (state) => {
    const { world, mint, payer } = await openScene(0)
    const id = payer.engine.withdraw(0, 'sat', 8)
    mint.be(lying(state))
    await world.rest(5 * minuteMs)
    expect(payer.store.read.operation(id)?.state).toBe('issuing')
    mint.beHonest()
    await world.rest()
    expect(payer.store.read.operation(id)?.state).toBe('done')
    expect(payer.worth()).toBe(8)
  })

  test('by "PAID" looks like another life of this wallet: the coins rest, and none is lost', async () => {
    const { world, mint, payer } = await openScene(0)
    payer.engine.withdraw(0, 'sat', 8)
    mint.be(lying('PAID'))
    await world.rest(5 * minuteMs)
    mint.beHonest()
    await world.rest()
    expect(payer.totals().quarantined).toBe(8)
    expect(payer.worth()).toBe(8)
  })
})

describe('a mint that tells states', () => {
  type States = { states: { Y: string; state: string }[] }
  const telling =
    (change: (states: States['states']) => unknown): Behaviour =>
    async (call, response, request) => {
      // The swap is done, and its answer lost: only the states can tell.
      if (call.path.endsWith('/swap')) {
        await call.honest()
        return json(response, 500, {})
      }
      return changing(/checkstate$/, ({ states }: States) => ({ states: change(states) }))(call, response, request)
    }

  test.each<[string, (states: States['states']) => unknown]>([
    ['in another order', (all) => [...all].reverse()],
    ['of other coins', (all) => all.map((one) => ({ ...one, Y: `02${'11'.repeat(32)}`, state: 'UNSPENT' }))],
    ['of fewer coins', (all) => all.slice(1)],
    ['of more coins', (all) => [...all, ...all]],
    ['that nobody knows', (all) => all.map((one) => ({ ...one, state: 'BURNT' }))],
    ['of nothing', () => null],
    ['that stay pending', (all) => all.map((one) => ({ ...one, state: 'PENDING' }))],
  ])('%s decides nothing', async (_name, change) => {
    const { world, mint, payer, payee } = await openScene(63)
    payee.mint = away
    await payee.look()
    const { id } = await payer.prepare(payee, 49)
    payee.isListening = false
    mint.be(telling(change))
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest(5 * minuteMs)
    const { swap } = inState(payer.payment(id), 'handing_over')
    expect(swap.inputs.length).toBeGreaterThan(1)
    expect(payer.worth()).toBe(63)
    mint.beHonest()
    payee.mint = honest
    payee.isListening = true
    await world.rest()
    expect(payer.payment(id).state).toBe('final')
  })
})

describe('a mint that offers', () => {
  type Quote = { quote: string; request: string; amount: number; unit: string; state: string; expiry: number }
  const offering = (change: (quote: Quote) => object): Behaviour =>
    changing(/quote\/bolt11$/, (quote: Quote) => ({ ...quote, ...change(quote) }))

  test.each<[string, (quote: Quote) => object]>([
    ['less', ({ amount }) => ({ amount: amount - 1 })],
    ['more', ({ amount }) => ({ amount: amount + 1 })],
    ['another unit', () => ({ unit: 'usd' })],
    ['an invoice of more than was asked for', () => ({ request: invoiceOf(9) })],
    ['an invoice of any amount', () => ({ request: 'lnbc1pvjluezpp5qqqsyq' })],
    ['something to read in place of an invoice', () => ({ request: 'https://evil.example/pay?to=me' })],
  ])('%s is told so, and nothing is paid', async (_name, change) => {
    const { mint, payer } = await openScene(0)
    mint.be(offering(change))
    const id = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(id)
    expect(payer.store.read.operation(id)).toMatchObject({
      state: 'failed',
      lastError: expect.stringMatching(/offers/),
    })
    mint.beHonest()
    inState(await payer.withdraw(8), 'done')
  })

  test.each<[string, (quote: Quote) => object]>([
    ['a negative amount', () => ({ amount: -8 })],
    ['half an amount', () => ({ amount: 7.5 })],
    ['2^63', () => ({ amount: 2 ** 63 })],
    ['an amount in words', () => ({ amount: '8' })],
    ['a state that nobody knows', () => ({ state: 'PAYED' })],
    ['an end before all time', () => ({ expiry: -1 })],
    ['an invoice of megabytes', () => ({ request: 'l'.repeat(500_000) })],
    ['no name', () => ({ quote: '' })],
    ['a name of megabytes', () => ({ quote: 'q'.repeat(500_000) })],
  ])('%s is asked again', async (_name, change) => {
    const { world, mint, payer } = await openScene(0)
    mint.be(offering(change))
    const id = payer.engine.withdraw(0, 'sat', 8)
    await payer.engine.runner.runNow(id)
    expect(payer.store.read.operation(id)).toMatchObject({ state: 'quoting' })
    mint.beHonest()
    await world.rest()
    expect(payer.store.read.operation(id)?.state).toBe('done')
  })

  test.each<[string, (quote: Quote) => object, string]>([
    ['more than the invoice says', ({ amount }) => ({ amount: amount + 1 }), 'mint_lies'],
    ['to pay another invoice', () => ({ request: invoiceOf(5) }), 'mint_lies'],
    ['in another unit', () => ({ unit: 'usd' }), 'mint_lies'],
    ['for a reserve above all bounds', () => ({ fee_reserve: 2 ** 53 }), 'mint_bad_answer'],
    ['for a negative reserve', () => ({ fee_reserve: -5 }), 'mint_bad_answer'],
    ['for all there is', () => ({ fee_reserve: 2 ** 53 - 1 - 8 }), 'not_enough'],
    ['what is paid already', () => ({ state: 'PAID' }), 'mint_refused'],
    ['what is over', () => ({ expiry: 1 }), 'mint_bad_answer'],
  ])('to cash out %s is refused, and no coin moves', async (_name, change, code) => {
    const { world, mint, payer } = await openScene()
    mint.be(offering(change))
    expect(await codeOf(() => payer.prepareCashOut(8))).toBe(code)
    expect(payer.totals().spendable).toBe(64)
    mint.beHonest()
    const id = await payer.cashOut(8)
    await world.rest()
    expect(payer.melt(id).state).toBe('done')
  })
})

/** The readable part of an invoice of so many satoshis. */
const invoiceOf = (amount: number): string => `lnbcrt${amount * 10}n1pvjluezpp5qqqsyqcyq5rqwzqf`
