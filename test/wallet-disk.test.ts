// A wallet whose disk is full, or must not be written, in the middle of things: whoever asked for something is told so,
// nothing goes out that is not stored, nothing is lost, and it goes on when there is room again.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startMintServer } from '../mint/start.ts'
import { startWallet, type WalletProcess } from '../scripts/demo/processes.ts'
import { AppError } from '../shared/errors.ts'
import { errorWords } from '../shared/words.ts'
import { cutOff, type Link, minuteMs, openWorld, reconnect, type TestWallet, type World } from './engine-fixture.ts'
import { limitFiles, mayLimit, openSmallDisk } from './small-disk.ts'
import { diskUnder, type FaultyDisk } from './sqlite-faults.ts'

/** The path of its file: a copy is made beside it. */
function diskOf(wallet: TestWallet): FaultyDisk {
  const copy = wallet.copy()
  rmSync(copy)
  return diskUnder(copy.replace(/\.copy-[0-9a-f]+$/, ''))
}

const troubles = [
  { code: 'disk_full', begin: (disk: FaultyDisk) => disk.fill() },
  { code: 'disk_unwritable', begin: (disk: FaultyDisk) => disk.protect() },
] as const

/** What went wrong with the disk is told, and nothing else went wrong. */
function expectReported(wallet: TestWallet, pattern: RegExp): void {
  const told = (wallet.reports as string[]).splice(0)
  for (const line of told) expect(line).toMatch(pattern)
}
const aboutDisk = /\bdisk_(full|unwritable)\b|the disk (is full|cannot be written)/

async function codeOf(work: () => Promise<unknown> | unknown): Promise<string> {
  try {
    await work()
    return 'ok'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.code
  }
}

describe.each(troubles)('with $code', ({ code, begin }) => {
  test('a withdraw is not begun, whoever wanted it is told, and later it is', async () => {
    const world = await openWorld()
    const wallet = await world.wallet('ann')
    const disk = diskOf(wallet)
    begin(disk)
    let begun = 0
    let told = 'ok'
    for (; told === 'ok' && begun < 100; begun++) told = await codeOf(() => wallet.engine.withdraw(0, 'sat', 8))
    expect(told).toBe(code)
    expect(wallet.store.read.operations({ kind: 'withdraw' })).toHaveLength(begun - 1)
    disk.heal()
    await wallet.withdraw(8)
    await world.rest()
    expect(wallet.totals().spendable).toBe(8 * begun)
  })
})

type Cast = { readonly world: World; readonly ann: TestWallet; readonly bob: TestWallet }
type Play = {
  readonly name: string
  readonly victim: 'ann' | 'bob'
  readonly before?: (cast: Cast) => Promise<unknown>
  readonly act: (cast: Cast) => Promise<unknown>
}

/** What another wallet sees of one whose disk fails: no answer. */
const overTheWire: Link = async (_, exchange) => {
  try {
    return await exchange()
  } catch {
    throw new AppError('peer_unreachable', 'stream reset', { retryable: true })
  }
}

const plays: readonly Play[] = [
  { name: 'a withdraw', victim: 'ann', act: ({ ann }) => ann.withdraw(16) },
  { name: 'an online payment, payer', victim: 'ann', act: ({ ann, bob }) => ann.pay(bob, 5) },
  { name: 'an online payment, payee', victim: 'bob', act: ({ ann, bob }) => ann.pay(bob, 5) },
  ...(['ann', 'bob'] as const).map((victim) => ({
    name: `an offline payment and its settling, ${victim === 'ann' ? 'payer' : 'payee'}`,
    victim,
    before: ({ ann, bob }: Cast) => cutOff(ann, bob),
    act: async ({ world, ann, bob }: Cast) => {
      await ann.pay(bob, 5)
      await reconnect(ann, bob)
      await world.rest(2 * minuteMs)
    },
  })),
  {
    name: 'a reclaim',
    victim: 'ann',
    before: async ({ ann, bob }) => {
      await cutOff(ann, bob)
      await ann.pay(bob, 5)
      await reconnect(ann)
    },
    act: async ({ ann, world }) => {
      const { id } = ann.store.read.operations({ kind: 'pay', limit: 1 })[0]!
      await ann.run(() => ann.engine.reclaim(id, true))
      await world.rest(minuteMs)
    },
  },
  { name: 'a cash out', victim: 'ann', act: ({ ann }) => ann.cashOut(5) },
]

const ownWorth = (wallet: TestWallet) => wallet.worth() + wallet.fees() + wallet.cashedOut()

/** The disk fails from the n-th transaction of one wallet on, until it is mended. @returns how many there were */
async function everyTransaction({ victim, before, act }: Play): Promise<number> {
  const mostTransactions = 40
  const world = await openWorld()
  world.isCookingBooks = true // those of each pair are checked here, before it goes
  for (let n = 1; n <= mostTransactions; n++) {
    const where = `transaction ${n}`
    const money = { issued: world.issued(), paidOut: world.paidOut() }
    const options = { generation: n }
    const pair = { ann: await world.wallet('ann', options), bob: await world.wallet('bob', options) }
    const cast = { world, ...pair }
    await cast.ann.withdraw(32)
    await before?.(cast)
    cast.ann.link = overTheWire
    const wallet = cast[victim]
    const disk = diskOf(wallet)
    onTestFinished(disk.heal)
    let count = 0
    wallet.fate = (port) => {
      if (port === 'transaction' && ++count === n) disk.protect()
      return 'live'
    }
    const told = await codeOf(() => act(cast))
    const isReached = count >= n
    expect({ where, told }).toEqual({ where, told: expect.stringMatching(/^(ok|disk_unwritable|peer_unreachable)$/) })
    expect({ where, isAlive: wallet.isAlive }).toEqual({ where, isAlive: true })

    disk.heal()
    world.heal()
    await world.rest()
    const both = Object.values(pair)
    for (const one of both) expectReported(one, aboutDisk)
    const worth = both.reduce((sum, one) => sum + ownWorth(one), 0)
    expect({ where, worth }).toEqual({ where, worth: world.issued() - money.issued })
    const cashedOut = both.reduce((sum, one) => sum + one.cashedOut(), 0)
    expect({ where, cashedOut }).toEqual({ where, cashedOut: world.paidOut() - money.paidOut })
    const stuck = both.flatMap(({ store }) => store.read.operations({})).filter(({ attempts }) => attempts > 0)
    expect({ where, stuck }).toEqual({ where, stuck: [] })
    const tied = both.map((one) => one.totals().reserved + one.totals().handed_over)
    expect({ where, tied }).toEqual({ where, tied: [0, 0] })
    world.forget(...both)
    if (!isReached) return n - 1
  }
  throw new Error('it never ends')
}

describe('a disk that fails at every single transaction', () => {
  test.each(plays.map((play) => [play.name, play] as const))(
    'of %s',
    async (_, play) => {
      const transactions = await everyTransaction(play)
      expect(transactions).toBeGreaterThanOrEqual(2)
      console.log(`the disk fails in ${play.name}: ${transactions} transactions, the books balance after each`)
    },
    240_000,
  )
})

describe('a real disk', () => {
  const tuning = { settleDelayMs: [0, 0], readingGapMs: 500, retryMs: [200, 1000], coinsOfEach: 1, tickMs: 400 }

  /** Two wallets with money beside a mint, Ann's on this disk. */
  async function openCast(ann: { readonly folder: string; readonly within?: readonly string[] }) {
    const parent = mkdtempSync(join(tmpdir(), 'farthing-wallets-'))
    const state = process.env['FARTHING_STATE']
    process.env['FARTHING_STATE'] = join(parent, 'state')
    const mint = await startMintServer({ dataFolder: join(parent, 'mint'), practiceDelayMs: 0 })
    const log: string[] = []
    const wallets: WalletProcess[] = []
    onTestFinished(async () => {
      for (const wallet of wallets) await wallet.kill()
      await mint.close()
      if (state === undefined) delete process.env['FARTHING_STATE']
      else process.env['FARTHING_STATE'] = state
      rmSync(parent, { recursive: true })
    })
    const start = async (name: string, place: typeof ann): Promise<WalletProcess> => {
      const onLog = (line: string): void => void log.push(line)
      const wallet = await startWallet({ name, ...place, offlineCapable: [mint.url], tuning, onLog })
      wallets.push(wallet)
      return wallet
    }
    const people = { ann: await start('ann', ann), bob: await start('bob', { folder: join(parent, 'bob') }) }
    for (const wallet of wallets) await wallet.call('mints.add', { url: mint.url })
    const fund = (amount: number) => people.ann.call('withdraw.start', { mintUrl: mint.url, unit: 'sat', amount })
    const balanceOf = async (wallet: WalletProcess) => (await wallet.call('audit.totals', {}))[0]?.spendable ?? 0
    return { ...people, mintUrl: mint.url, log, fund, balanceOf, restartAnn: () => start('ann', ann) }
  }
  type RealTrouble = { readonly code: string; readonly begin: () => void; readonly end: () => void }

  async function workThrough(cast: Awaited<ReturnType<typeof openCast>>, { code, begin, end }: RealTrouble) {
    const { ann, bob, mintUrl, log, fund, balanceOf } = cast
    await fund(64)
    await vi.waitFor(async () => expect(await balanceOf(ann)).toBe(64))
    const { text } = await bob.call('request.create', { mintUrl, unit: 'sat', amount: 13, singleUse: true })
    const { id } = await ann.call('pay.prepare', { request: text })

    begin()
    for (const work of [() => fund(8), () => ann.call('pay.confirm', { id })]) {
      await expect(work()).rejects.toMatchObject({ code, retryable: true })
    }
    expect(errorWords(code as 'disk_full').body).toMatch(/Nothing is lost/)
    expect(await balanceOf(ann)).toBe(64) // it answers what it is asked
    expect(await balanceOf(bob)).toBe(0)

    end()
    await ann.call('pay.confirm', { id })
    await fund(8)
    await vi.waitFor(async () => expect([await balanceOf(ann), await balanceOf(bob)]).toEqual([59, 13]))
    expect(log.join('\n')).not.toMatch(/^\s+at /m)
  }

  test('that is full costs nothing: the person is told, and the same payment goes through when there is room', async ({
    skip,
  }) => {
    const disk = await openSmallDisk(8192)
    if (!disk) return skip()
    onTestFinished(disk.close)
    const cast = await openCast({ folder: join(disk.path, 'ann'), within: disk.within })
    await workThrough(cast, { code: 'disk_full', begin: disk.fill, end: disk.free })
  }, 120_000)

  test('that takes no byte more costs nothing either', async ({ skip }) => {
    if (!mayLimit()) return skip()
    const parent = mkdtempSync(join(tmpdir(), 'farthing-disk-'))
    onTestFinished(() => rmSync(parent, { recursive: true }))
    const cast = await openCast({ folder: join(parent, 'ann') })
    const begin = () => limitFiles(cast.ann.pid, '1')
    const end = () => limitFiles(cast.ann.pid, 'unlimited')
    await workThrough(cast, { code: 'disk_unwritable', begin, end })
  }, 120_000)

  test('that is full, or must not be written, is named when a wallet is started on it, and is no harm to a later start', async ({
    skip,
  }) => {
    const disk = await openSmallDisk(8192)
    if (!disk) return skip()
    onTestFinished(disk.close)
    const log: string[] = []
    const start = async () => {
      const onLog = (line: string): void => void log.push(line)
      const place = { folder: join(disk.path, 'ann'), within: disk.within }
      const wallet = await startWallet({ name: 'ann', ...place, offlineCapable: [], tuning: {}, onLog })
      onTestFinished(wallet.kill)
      return wallet
    }
    const refused = async (code: string) => {
      await expect(start()).rejects.toThrow('ended (1)')
      expect(log.splice(0).join('\n')).toContain(code)
    }
    disk.fill()
    await refused('disk_full')
    disk.free()
    await (await start()).stop()
    disk.remount('ro')
    await refused('disk_unwritable')
    disk.remount('rw')
    const wallet = await start()
    expect(await wallet.call('mints.list', {})).toEqual([])
    await wallet.stop()
  }, 120_000)
})
