// A dead payment is signed anew while one of both dies at some call of a port. The same file is opened again: it is paid
// once, the books balance, nobody can be framed, and people see one payment.

import { describe, expect, test } from 'vitest'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import type { Operation } from '../electron/wallet/operation.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import {
  always,
  cutOff,
  lostRequest,
  minuteMs,
  openWorld,
  reconnect,
  signElsewhere,
  type TestWallet,
  type World,
} from './engine-fixture.ts'
import { isWhole } from './how-much.ts'

const money = 16
const amount = 8
/** Longer than any of these plays needs; the loop ends when a play ends before its n-th call. */
const mostCalls = 200
/** `npm test` lets somebody die at every sixth call, `npm run test:crash` at each. */
const boundedStep = 6

type Cast = { readonly world: World; readonly payer: TestWallet; readonly payee: TestWallet; readonly id: string }
type Play = {
  /** What is so before anybody can die. */
  readonly before: (cast: Cast) => Promise<void>
  readonly act: (cast: Cast) => Promise<void>
}

/** Both have seen that it is dead; they do not reach each other. */
async function bothSee({ world, payer, payee }: Cast): Promise<void> {
  payee.isListening = false
  await reconnect(payer, payee)
  await world.rest(5 * minuteMs)
}

/** The payer settles the new signature first. */
const settledFirst: Play = {
  before: bothSee,
  act: async ({ world, payee }) => {
    payee.isListening = true
    await world.rest(10 * minuteMs)
  },
}

/** The mint does not answer the new swap while it is handed over; both settle it later. */
const handedOver: Play = {
  before: async (cast) => {
    await bothSee(cast)
    for (const wallet of [cast.payer, cast.payee]) wallet.mint = always(['swap'], lostRequest)
  },
  act: async ({ world, payer, payee }) => {
    payee.isListening = true
    await world.rest(5 * minuteMs)
    if (!payer.isAlive || !payee.isAlive) return
    await reconnect(payer, payee)
    await world.rest(5 * minuteMs)
  },
}

/** From the moment when nobody knows anything yet. */
const fromTheStart: Play = {
  before: async () => {},
  act: async ({ world, payer, payee }) => {
    await reconnect(payer, payee)
    await world.rest(10 * minuteMs)
  },
}

const endsOf = ({ store }: TestWallet) => store.read.operations({}).map(({ kind, state }) => `${kind} ${state}`)
const ends = ['withdraw done', 'pay replaced', 'pay final', 'receive replaced', 'receive final', 'refresh done']

const shown = ({ store }: TestWallet) =>
  store.read.payments({ before: null, limit: 9, search: '', filter: 'all' }).operations.map(({ state }) => state)

const claimsOf = ({ store }: TestWallet) =>
  store.read
    .operations({})
    .flatMap((one) => ('claim' in one && one.claim ? [one.claim] : []))
    .map(({ body, sig }) => ({ body: hexToBytes(body), sig: hexToBytes(sig) }))

const overdue = ({ clock }: World, { store }: TestWallet): Operation[] =>
  store.read.operations({}).filter(({ nextAttemptAt, attempts }) => {
    return attempts > 0 || (nextAttemptAt !== null && nextAttemptAt <= clock.now())
  })

/** One pair of wallets; the victim dies after its n-th call, if it makes so many. @returns how many it made */
async function playOnce(world: World, generation: number, victim: 'payer' | 'payee', play: Play, n: number) {
  const payer = await world.wallet('payer', { generation })
  const payee = await world.wallet('payee', { generation })
  await payer.withdraw(money)
  await cutOff(payer, payee)
  const cast = { world, payer, payee, id: await payer.pay(payee, amount) }
  await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
  await play.before(cast)
  const calls: string[] = []
  const dying = cast[victim]
  dying.fate = (port) => {
    calls.push(port)
    return calls.length === n ? 'die_after' : 'live'
  }
  await play.act(cast)
  const hasDied = !dying.isAlive
  world.heal()
  await world.rest(15 * minuteMs)

  const where = n === 0 ? 'nobody dies' : `after call ${n}: ${calls[n - 1]}`
  const ended = [...endsOf(payer), ...endsOf(payee)]
  expect({ where, ended: ended.filter((end) => !ends.includes(end)) }).toEqual({ where, ended: [] })
  expect({ where, shown: [shown(payer), shown(payee)] }).toEqual({ where, shown: [['final'], ['final']] })
  // The coin of 1 that somebody had signed came to the payee, by way of a rest.
  const { spendable, quarantined } = payee.totals()
  const inHand = [payer.totals().spendable, spendable + quarantined, payer.worth(), payee.worth()]
  expect({ where, inHand }).toEqual({ where, inHand: [money - amount, amount + 1, money - amount, amount + 1] })
  const proof = findDoubleSpend([...claimsOf(payer), ...claimsOf(payee)])
  expect({ where, proof }).toEqual({ where, proof: undefined })
  expect({ where, stuck: [payer, payee].flatMap((wallet) => overdue(world, wallet)) }).toEqual({ where, stuck: [] })
  expect([...payer.reports, ...payee.reports]).toEqual([])
  world.forget(payer, payee)
  return { hasDied, calls: calls.length }
}

/** @param turn where the bounded part begins: every sixth call, others for the next play */
async function everyDeath(victim: 'payer' | 'payee', play: Play, turn: number): Promise<number> {
  const world = await openWorld()
  // Each pair is checked before it goes: the fixture would look at those that are still there.
  world.isCookingBooks = true
  const { calls: sites } = await playOnce(world, 0, victim, play, 0)
  const step = isWhole ? 1 : boundedStep
  let deaths = 0
  for (let n = isWhole ? 1 : 1 + (turn % boundedStep); n <= (isWhole ? mostCalls : sites); n += step) {
    const { hasDied } = await playOnce(world, n, victim, play, n)
    if (!hasDied) break
    deaths++
  }
  console.log(
    `${deaths} deaths of the ${victim} at ${sites} calls${isWhole ? '' : `, every ${boundedStep}th is tried`}`,
  )
  return deaths
}

describe.each([
  ['settled first', settledFirst, 8, 2],
  ['handed over', handedOver, 30, 40],
  ['from the first reading on', fromTheStart, 20, 8],
] as const)('death at every call while a dead payment is signed anew, %s', (how, play, ofPayer, ofPayee) => {
  const atLeast = (whole: number) => (isWhole ? whole : Math.floor(whole / boundedStep))
  test('of the payer', async () => {
    expect(await everyDeath('payer', play, how.length)).toBeGreaterThanOrEqual(atLeast(ofPayer))
  }, 600_000)

  test('of the payee', async () => {
    expect(await everyDeath('payee', play, how.length + 1)).toBeGreaterThanOrEqual(atLeast(ofPayee))
  }, 600_000)
})
