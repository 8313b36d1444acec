// A mint whose disk is full, or must not be written: what moves money is answered with 503 and is not done, what is asked
// is answered, nothing is lost, and it goes on when there is room again.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hashToCurve, pointToHex } from '../shared/cashu/bdhke.ts'
import { type BlindedMessage, errorResponseSchema, meltQuoteResponseSchema, type Proof } from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import { createChance } from './chance.ts'
import { readBooks } from './mint-books.ts'
import { createCarefulClient, emptyTally, restoreAll, statesOfAll } from './mint-careful-client.ts'
import { type Answer, foreignInvoice, fundingThatPays, openMint, signaturesIn } from './mint-fixture.ts'
import { type MintProcess, startMintProcess } from './mint-process.ts'
import { limitFiles, mayLimit, openSmallDisk } from './small-disk.ts'
import { diskUnder, type FaultyDisk } from './sqlite-faults.ts'

type Trouble = {
  readonly code: string
  readonly begin: (disk: FaultyDisk) => void
  /** Requests until one is refused, at most: small changes still fit into the pages that are there. */
  readonly enough: number
}
const troubles: readonly Trouble[] = [
  { code: 'disk_full', begin: (disk) => disk.fill(), enough: 64 },
  { code: 'disk_unwritable', begin: (disk) => disk.protect(), enough: 1 },
]

/** A mint that says what failed, and its disk. */
async function openMintOnDisk(options: Parameters<typeof openMint>[0] = {}) {
  const reported: unknown[] = []
  const mint = await openMint({ ...options, report: (error) => reported.push(error) })
  const disk = diskUnder(join(mint.folder, 'mint.sqlite'))
  onTestFinished(disk.heal)
  const codes = () => new Set(reported.map((error) => (error instanceof AppError ? error.code : error)))
  return { mint, disk, codes }
}

/** The trouble begins, and the work is done until it is refused for it. @returns what was refused first */
async function firstRefused<T>(
  { begin }: Trouble,
  disk: FaultyDisk,
  work: readonly T[],
  attempt: (item: T) => Promise<Answer>,
): Promise<T> {
  begin(disk)
  for (const item of work) {
    const answer = await attempt(item)
    if (answer.status === 200) continue
    expectStoredNothing(answer)
    return item
  }
  throw new Error('it is never refused')
}

function expectStoredNothing(answer: Answer): void {
  expect({ status: answer.status, ...errorResponseSchema.strict().parse(answer.body) }).toEqual({
    status: 503,
    detail: expect.stringContaining('store nothing'),
    code: 0,
  })
}

describe.each(troubles)('a mint with $code', (trouble) => {
  const { enough } = trouble

  test('refuses a swap whole, answers questions, says so in words, and makes the very same swap later', async () => {
    const { mint, disk, codes } = await openMintOnDisk()
    const coins = await mint.coins(new Array(enough).fill(2))
    const swaps = await Promise.all(coins.map(async (coin) => ({ coin, outputs: await mint.outputs(1, 1) })))
    const send = ({ coin, outputs }: (typeof swaps)[number]) => mint.swap([coin], outputs)
    const refused = await firstRefused(trouble, disk, swaps, send)
    const messages = refused.outputs.map(({ message }) => message)

    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ inputs: [refused.coin], outputs: messages })
    const response = await fetch(`${mint.url()}/v1/swap`, { method: 'POST', headers, body })
    expect({ status: response.status, wait: Number(response.headers.get('retry-after')) > 0 }).toEqual({
      status: 503,
      wait: true,
    })
    for (const path of ['/v1/info', '/v1/keys', '/v1/keysets']) expect((await mint.get(path)).status).toBe(200)
    expect(await mint.states(refused.coin)).toEqual(['UNSPENT'])
    expect(await restoreAll(mint.url(), messages)).toEqual([])
    expect(codes()).toEqual(new Set([trouble.code]))

    disk.heal()
    await mint.unblind(refused.outputs, signaturesIn(await send(refused)))
    expect(await mint.states(refused.coin)).toEqual(['SPENT'])
  })

  test('issues nothing, leaves the quote paid, and issues it later', async () => {
    const { mint, disk } = await openMintOnDisk()
    const quotes: { quote: string; outputs: BlindedMessage[] }[] = []
    for (let n = 0; n < enough; n++) {
      const outputs = (await mint.outputs(1)).map(({ message }) => message)
      quotes.push({ quote: (await mint.paidQuote(1)).quote, outputs })
    }
    const issue = (request: (typeof quotes)[number]) => mint.post('/v1/mint/bolt11', request)
    const refused = await firstRefused(trouble, disk, quotes, issue)
    expect((await mint.get(`/v1/mint/quote/bolt11/${refused.quote}`)).body).toMatchObject({ state: 'PAID' })
    expect(await restoreAll(mint.url(), refused.outputs)).toEqual([])
    disk.heal()
    signaturesIn(await issue(refused))
  })

  test('begins no melt, pays nobody, and does it later', async () => {
    const payments: string[] = []
    const funding = fundingThatPays(async ({ id }) => {
      payments.push(id)
      return { kind: 'paid', preimage: null }
    })
    const { mint, disk } = await openMintOnDisk({ funding })
    const coins = await mint.coins(new Array(enough).fill(1))
    const melts: { quote: string; coin: Proof }[] = []
    for (const coin of coins) melts.push({ quote: (await mint.meltQuote(1)).quote, coin })
    const melt = ({ quote, coin }: (typeof melts)[number]) => mint.melt(quote, [coin])
    const { quote, coin } = await firstRefused(trouble, disk, melts, melt)
    expect(await mint.states(coin)).toEqual(['UNSPENT'])
    expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).body).toMatchObject({ state: 'UNPAID' })
    expect(payments).not.toContain(quote)
    disk.heal()
    expect((await melt({ quote, coin })).body).toMatchObject({ state: 'PAID' })
    expect(payments.filter((id) => id === quote)).toEqual([quote])
  })

  test('makes no quote, neither for money in nor for money out', async () => {
    const { mint, disk } = await openMintOnDisk()
    const invoices = await Promise.all(Array.from({ length: enough }, () => foreignInvoice(5)))
    const askIn = () => mint.post('/v1/mint/quote/bolt11', { amount: 5, unit: 'sat' })
    const askOut = (request: string) => mint.post('/v1/melt/quote/bolt11', { request, unit: 'sat' })
    await firstRefused(trouble, disk, invoices, askIn)
    await firstRefused(trouble, disk, invoices, askOut)
    disk.heal()
    expect((await askIn()).status).toBe(200)
    expect((await askOut(invoices[0]!)).status).toBe(200)
  })
})

test('a disk that fails between a payment and its entry keeps the coins pending, and asking again ends it', async () => {
  const asked: string[] = []
  const funding = fundingThatPays(async ({ id }) => {
    asked.push(id)
    if (asked.length === 1) disk.protect()
    return { kind: 'paid', preimage: null }
  })
  const { mint, disk, codes } = await openMintOnDisk({ funding })
  const coins = await mint.coins([4, 1])
  const { quote } = await mint.meltQuote(5)
  expectStoredNothing(await mint.melt(quote, coins))
  expect(await mint.states(...coins)).toEqual(['PENDING', 'PENDING'])
  disk.heal()
  expect(meltQuoteResponseSchema.parse((await mint.melt(quote, coins)).body).state).toBe('PAID')
  expect(new Set(asked)).toEqual(new Set([quote]))
  expect(codes()).toEqual(new Set(['disk_unwritable']))
})

type RealTrouble = { readonly code: string; readonly begin: () => void; readonly end: () => void }

/** Careful clients work on while the disk fails under the mint; the mint is asked, and afterwards all is there. */
async function workThrough(
  mint: MintProcess,
  folder: string,
  { code, begin, end }: RealTrouble,
  meanwhile?: Meanwhile,
) {
  const parts = { url: () => mint.url, tally: emptyTally(), onSend: () => {} }
  const client = await createCarefulClient({ ...parts, chance: createChance() })
  await client.issue(500)
  await client.swap()
  begin()
  const working = (async () => {
    for (let n = 0; n < 5; n++) await client.swap()
    await client.issue(50)
    await client.melt()
  })()
  const isRefused = () => vi.waitFor(() => expect(mint.log).toContain(`mint: ${code}: `))
  await isRefused()
  for (const path of ['/v1/info', '/v1/keys', '/v1/keysets']) expect((await fetch(mint.url + path)).status).toBe(200)
  expect(await statesOfAll(mint.url, [pointToHex(hashToCurve(client.coins[0]!.secret))])).toEqual(['UNSPENT'])
  await meanwhile?.()
  end()
  await working
  const { problems, signed, circulating } = readBooks(folder)
  expect(problems).toEqual([])
  expect(circulating).toBe(client.coins.reduce((sum, { amount }) => sum + amount, 0))
  expect(await restoreAll(mint.url, signed)).toHaveLength(signed.length)
  expect(mint.log).not.toMatch(/^\s+at /m)
}
type Meanwhile = () => Promise<void>

function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'farthing-mint-'))
  onTestFinished(() => rmSync(parent, { recursive: true }))
  return join(parent, 'data')
}

describe('a real disk', () => {
  const play = ['--practice-delay-ms', '0']

  test('that is full costs a running mint nothing, also when it is killed and started on it', async ({ skip }) => {
    const disk = await openSmallDisk(2048)
    if (!disk) return skip()
    onTestFinished(disk.close)
    const mint = await startMintProcess({ folder: join(disk.path, 'data'), within: disk.within, args: play })
    onTestFinished(mint.kill)
    const trouble = { code: 'disk_full', begin: disk.fill, end: disk.free }
    await workThrough(mint, join(disk.outside, 'data'), trouble, async () => {
      await mint.kill()
      await mint.start()
    })
  }, 120_000)

  test('that takes no byte more costs a running mint nothing', async ({ skip }) => {
    if (!mayLimit()) return skip()
    const folder = newFolder()
    const mint = await startMintProcess({ folder, args: play })
    onTestFinished(mint.kill)
    const trouble = { begin: () => limitFiles(mint.pid, '1'), end: () => limitFiles(mint.pid, 'unlimited') }
    await workThrough(mint, folder, { code: 'disk_unwritable', ...trouble })
  }, 120_000)

  test('that takes no byte more of the log either does not end the mint', async ({ skip }) => {
    if (!mayLimit()) return skip()
    const within = ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh']
    const mint = await startMintProcess({ folder: newFolder(), args: play, within })
    onTestFinished(mint.kill)
    limitFiles(mint.pid, '1')
    const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"amount":1,"unit":"sat"}' }
    for (let times = 0; times < 3; times++) {
      expect((await fetch(`${mint.url}/v1/mint/quote/bolt11`, asked)).status).toBe(503)
    }
    expect((await fetch(`${mint.url}/v1/info`)).status).toBe(200)
  })

  test('that is full, or must not be written, is named when the mint is started on it, and is no harm to a later start', async ({
    skip,
  }) => {
    const disk = await openSmallDisk(2048)
    if (!disk) return skip()
    onTestFinished(disk.close)
    const start = async () => {
      const mint = await startMintProcess({ folder: join(disk.path, 'data'), within: disk.within, args: play })
      onTestFinished(mint.kill)
      return mint
    }
    disk.fill()
    await expect(start()).rejects.toThrow(/: mint: the disk is full[^\n]*\n$/)
    disk.free()
    const mint = await start()
    expect(readdirSync(join(disk.outside, 'data')).sort()).toEqual(files)
    expect(await mint.stop()).toBe(0)
    disk.remount('ro')
    await expect(start()).rejects.toThrow(/: mint: the disk cannot be written[^\n]*\n$/)
    disk.remount('rw')
    expect(await (await start()).stop()).toBe(0)
  }, 120_000)
})

const files = ['lease', 'mint.sqlite', 'mint.sqlite-shm', 'mint.sqlite-wal', 'seed']
