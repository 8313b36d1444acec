// Sudden death of the mint at every call it makes of its store and of its funding, before the call and after it. On every
// state of the disk that this leaves, a mint starts anew: once for a client that asks again, and once for one that tries
// to spend the coins another way.

import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { rotateKeyset } from '../mint/keysets.ts'
import type { Mint } from '../mint/mint.ts'
import type { PaymentOutcome } from '../mint/ports.ts'
import { MintRefusal } from '../mint/refusal.ts'
import { hashToCurve, pointToHex } from '../shared/cashu/bdhke.ts'
import type { Proof } from '../shared/cashu/wire.ts'
import { readBooks } from './mint-books.ts'
import { foreignInvoice, type TestOutput } from './mint-fixture.ts'
import {
  clock,
  coinsOf,
  copyOf,
  feeReserve,
  type Life,
  messagesOf,
  newMintFolder,
  openLife,
  openWatchedLife,
  outputsOf,
} from './mint-lives.ts'

type World = {
  readonly mint: Mint
  coins(...amounts: number[]): Promise<Proof[]>
  outputs(...amounts: number[]): TestOutput[]
}

type Play = {
  /** Spent by the request, and signed by it. */
  readonly inputs: readonly Proof[]
  readonly outputs: readonly TestOutput[]
  /** The request, as often as it is sent. */
  readonly request: (mint: Mint) => Promise<unknown>
  /** Another use of the same coins or quote, and the outputs it would have signed. */
  readonly rival: (mint: Mint) => Promise<unknown>
  readonly rivalOutputs: readonly TestOutput[]
  /** Coins of a melt are spent before its change is signed; else both happen together. */
  readonly isMelt?: boolean
}

const totals = { moments: 0, states: 0 }
afterAll(() => {
  const { moments, states } = totals
  console.log(`the mint dies: ${moments} moments, ${states} states of the disk, 2 futures of each; the books balance`)
})

type Answer = { readonly answer: unknown } | { readonly refused: number }

async function tried(work: () => Promise<unknown>): Promise<Answer> {
  try {
    return { answer: await work() }
  } catch (error) {
    if (error instanceof MintRefusal) return { refused: error.code }
    throw error
  }
}

/** @returns how many moments there were, and how many of them differed */
async function everyDeath(
  prepare: (world: World) => Promise<Play>,
  outcomes: readonly PaymentOutcome[] = [paid],
): Promise<{ moments: number; states: number }> {
  const mintFolder = newMintFolder(100)
  const { keyring, keyset } = mintFolder
  const life = openWatchedLife(mintFolder, outcomes)
  const { mint } = life
  const play = await prepare({
    mint,
    coins: (...amounts) => coinsOf(mint, mintFolder, ...amounts),
    outputs: (...amounts) => outputsOf(keyset.id, ...amounts),
  })
  life.start()
  const undisturbed = await tried(() => play.request(mint))
  life.stop()
  const end = factsOf(mint, play)

  const states = life.moments.filter(({ isSame }) => !isSame)
  for (const moment of states) {
    const where = moment.name
    const spare = copyOf(moment.folder)

    // It is asked again.
    const again = openLife({ folder: moment.folder, keyring }, moment)
    again.mint.resume()
    const found = factsOf(again.mint, play)
    if (!play.isMelt) expect({ where, isWhole: isWhole(found) }).toEqual({ where, isWhole: true })
    expect({ where, ...(await tried(() => play.request(again.mint))) }).toEqual({ where, ...undisturbed })
    expect({ where, ...factsOf(again.mint, play) }).toEqual({ where, ...end })
    await again.mint.stop()
    checkBooks(where, moment.folder, again)

    // Somebody tries another way first.
    const other = openLife({ folder: spare, keyring }, moment)
    other.mint.resume()
    const rival = await tried(() => play.rival(other.mint))
    const original = await tried(() => play.request(other.mint))
    const isLate = 'refused' in rival
    if (isLate) expect({ where, ...original }).toEqual({ where, ...undisturbed })
    else expect({ where, original }).toEqual({ where, original: { refused: expect.any(Number) } })
    const signed = signedOf(other.mint, isLate ? play.rivalOutputs : play.outputs)
    expect({ where, signed }).toEqual({ where, signed: [] })
    await other.mint.stop()
    checkBooks(where, spare, other)
  }
  totals.moments += life.moments.length
  totals.states += states.length
  return { moments: life.moments.length, states: states.length }
}

const signedOf = (mint: Mint, outputs: readonly TestOutput[]) =>
  mint.restore({ outputs: messagesOf(outputs) }).signatures

function factsOf(mint: Mint, { inputs, outputs }: Play) {
  const Ys = inputs.map(({ secret }) => pointToHex(hashToCurve(secret)))
  return { states: mint.checkState({ Ys }).states.map(({ state }) => state), signatures: signedOf(mint, outputs) }
}

/** Every input spent and every output signed, or none of either. */
function isWhole({ states, signatures }: ReturnType<typeof factsOf>): boolean {
  const isDone = signatures.length > 0
  return states.every((state) => state === (isDone ? 'SPENT' : 'UNSPENT'))
}

/** Money left by the funding for a melt that says PAID, and for no other. */
function checkBooks(where: string, folder: string, { ledger }: Life): void {
  const { problems, issued, paidOut, fees, circulating, paidOutside } = readBooks(folder)
  expect({ where, problems, circulating }).toEqual({ where, problems: [], circulating: issued - paidOut - fees })
  expect({ where, payments: [...ledger] }).toEqual({ where, payments: paidOutside })
}

const paid: PaymentOutcome = { kind: 'paid', preimage: 'ab'.repeat(32), cost: 3 }
const failed: PaymentOutcome = { kind: 'failed', reason: 'no route' }
const unknown: PaymentOutcome = { kind: 'unknown' }

const swapOf = (inputs: readonly Proof[], outputs: readonly TestOutput[]) => async (mint: Mint) =>
  mint.swap({ inputs: [...inputs], outputs: messagesOf(outputs) })

describe('death at every call', () => {
  test('of a swap', async () => {
    const { moments, states } = await everyDeath(async ({ coins, outputs }) => {
      const inputs = await coins(8, 4)
      const [mine, others] = [outputs(1, 2, 8), outputs(1, 2, 8)]
      const request = swapOf(inputs, mine)
      return { inputs, outputs: mine, request, rival: swapOf(inputs, others), rivalOutputs: others }
    })
    expect(moments).toBeGreaterThanOrEqual(16)
    expect(states).toBeGreaterThanOrEqual(2)
  }, 120_000)

  test('of an issue', async () => {
    const { moments, states } = await everyDeath(async ({ mint, outputs }) => {
      const { quote } = await mint.createMintQuote({ amount: 11, unit: 'sat' })
      const [mine, others] = [outputs(1, 2, 8), outputs(1, 2, 8)]
      const issue = (made: TestOutput[]) => (one: Mint) => one.issue({ quote, outputs: messagesOf(made) })
      return { inputs: [], outputs: mine, request: issue(mine), rival: issue(others), rivalOutputs: others }
    })
    expect(moments).toBeGreaterThanOrEqual(20)
    expect(states).toBeGreaterThanOrEqual(3)
  }, 120_000)

  test('in the middle of writing a swap down: the log ends at any byte, and the swap is there whole or not at all', async () => {
    const mintFolder = newMintFolder(100)
    const { keyring, keyset } = mintFolder
    const life = openWatchedLife(mintFolder, [paid])
    const inputs = await coinsOf(life.mint, mintFolder, 8, 4)
    const outputs = outputsOf(keyset.id, 1, 2, 8)
    const request = swapOf(inputs, outputs)
    life.start()
    const answer = await request(life.mint)
    life.stop()
    const logOf = (folder: string) => join(folder, 'mint.sqlite-wal')
    const [before, after] = [life.moments[0]!, life.moments.at(-1)!].map(({ folder }) => statSync(logOf(folder)).size)
    const frame = 24 + 4096 // https://sqlite.org/fileformat2.html#the_write_ahead_log
    const ends = new Set<boolean>()
    let cuts = 0
    for (let size = before!; size <= after!; size += frame / 2) {
      const folder = copyOf(life.moments.at(-1)!.folder)
      truncateSync(logOf(folder), size)
      const { mint } = openLife({ folder, keyring }, life.moments[0]!)
      const facts = factsOf(mint, { inputs, outputs, request, rival: request, rivalOutputs: [] })
      expect({ size, isWhole: isWhole(facts) }).toEqual({ size, isWhole: true })
      ends.add(facts.signatures.length > 0)
      expect({ size, answer: await request(mint) }).toEqual({ size, answer })
      expect(readBooks(folder).problems).toEqual([])
      cuts++
    }
    expect(cuts).toBeGreaterThan(8)
    expect(ends).toEqual(new Set([false, true]))
  }, 120_000)

  const amount = 20
  const meltOf =
    (invoiceOf: (world: World) => Promise<string>) =>
    async (world: World): Promise<Play> => {
      const inputs = await world.coins(16, 8, 4) // amount, reserve and a fee of 1
      expect(amount + feeReserve + 1).toBe(28)
      const blanks = world.outputs(1, 1, 1)
      const others = world.outputs(1, 2, 8, 16)
      const { quote } = world.mint.createMeltQuote({ request: await invoiceOf(world), unit: 'sat' })
      const request = async (mint: Mint) => {
        for (let times = 1; ; times++) {
          const answer = await mint.melt({ quote, inputs: [...inputs], outputs: messagesOf(blanks) })
          if (answer.state === 'PAID' || times === 3) return answer
        }
      }
      return { inputs, outputs: blanks, request, rival: swapOf(inputs, others), rivalOutputs: others, isMelt: true }
    }
  const elsewhere = () => foreignInvoice(amount)
  const ownInvoice = async ({ mint }: World) => (await mint.createMintQuote({ amount, unit: 'sat' })).request

  test.each([
    ['that is paid and gives change', elsewhere, [paid], 4],
    ['whose outcome is unknown at first', elsewhere, [unknown, paid], 5],
    ['that fails', elsewhere, [failed], 3],
    ['that is unknown at first, and failed', elsewhere, [unknown, failed], 4],
    ['of an invoice of the mint itself', ownInvoice, [unknown], 2],
  ])(
    'of a melt %s',
    async (_, invoiceOf, outcomes, least) => {
      const { moments, states } = await everyDeath(meltOf(invoiceOf), outcomes)
      expect(moments).toBeGreaterThanOrEqual(20)
      expect(states).toBeGreaterThanOrEqual(least)
    },
    120_000,
  )

  test('of a rotation leaves one active keyset, the old one or the new one, and every coin good', async () => {
    const mintFolder = newMintFolder(0)
    const { keyring, keyset } = mintFolder
    const life = openWatchedLife(mintFolder, [paid])
    const [coin] = await coinsOf(life.mint, mintFolder, 8)
    life.start()
    const newest = rotateKeyset({ store: life.store, keyring, clock }, {})
    life.stop()
    for (const moment of life.moments) {
      const { mint, store } = openLife({ folder: moment.folder, keyring }, moment)
      const [active, ...more] = mint.keysets().keysets.filter((one) => one.active)
      expect(more).toEqual([])
      expect([keyset.id, newest.id]).toContain(active!.id)
      const outputs = messagesOf(outputsOf(active!.id, 8))
      expect(mint.swap({ inputs: [coin!], outputs }).signatures).toHaveLength(1)
      expect(rotateKeyset({ store, keyring, clock }, {}).id).not.toBe(active!.id)
      expect(readBooks(moment.folder).problems).toEqual([])
    }
    expect(life.moments.length).toBeGreaterThanOrEqual(6)
    totals.moments += life.moments.length
    totals.states += life.moments.filter(({ isSame }) => !isSame).length
  }, 120_000)
})
