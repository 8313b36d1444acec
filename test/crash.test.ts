// Sudden death at every call of a port, before its effect and after it. The same file is opened again: the books balance,
// and nothing stays half done.

import { describe, expect, test } from 'vitest'
import type { Operation } from '../electron/wallet/operation.ts'
import type { PaymentOutcome } from '../mint/ports.ts'
import { AppError } from '../shared/errors.ts'
import {
  cutOff,
  minuteMs,
  openWorld,
  reconnect,
  type TestWallet,
  type World,
  type WorldOptions,
} from './engine-fixture.ts'
import { fundingWithReserve } from './mint-fixture.ts'

const money = 16
const amount = 8
/** Longer than any of these plays needs; the loop ends when a play ends before its n-th call. */
const mostCalls = 80

type Cast = { readonly world: World; readonly payer: TestWallet; readonly payee: TestWallet }
type Play = {
  /** Before anybody can die. */
  readonly before?: (cast: Cast) => Promise<void>
  readonly act: (cast: Cast) => Promise<void>
  /** What a person does once all is at rest and nobody dies any more. */
  readonly after?: (cast: Cast) => Promise<void>
  readonly hasMoney?: boolean
  /**
   * Default: after each call. What is on disk and at the mint before a call is what was there after the call before it,
   * so that only calls side by side make a difference.
   */
  readonly fates?: readonly ('die_before' | 'die_after')[]
  readonly config?: Parameters<World['wallet']>[1]
  readonly mint?: WorldOptions
  /** How it may end: states of the payer's operations and of the payee's. */
  readonly ends: readonly string[]
}

/** Operations that end well, or that were never begun, in one line each. */
const endsOf = (wallet: TestWallet) => wallet.store.read.operations({}).map(({ kind, state }) => `${kind} ${state}`)

async function everyDeath(victim: 'payer' | 'payee', play: Play): Promise<number> {
  const world = await openWorld(play.mint)
  let generation = 0
  let deaths = 0
  let issuedToAll = 0
  let paidToAll = 0
  // The fixture's own check knows only the wallets that are still there; each pair is checked here before it goes.
  world.isCookingBooks = true
  for (const fate of play.fates ?? (['die_after'] as const)) {
    for (let n = 1; n <= mostCalls; n++) {
      generation++
      const payer = await world.wallet('payer', { generation, ...play.config })
      const payee = await world.wallet('payee', { generation, ...play.config })
      const cast = { world, payer, payee }
      if (play.hasMoney !== false) await payer.withdraw(money)
      await play.before?.(cast)
      const calls: string[] = []
      const dying = victim === 'payer' ? payer : payee
      dying.fate = (port) => {
        calls.push(port)
        return calls.length === n ? fate : 'live'
      }
      await play.act(cast)
      const hasDied = !dying.isAlive
      world.heal()
      await world.rest(15 * minuteMs)
      if (play.after) {
        await play.after(cast)
        await world.rest(15 * minuteMs)
      }

      const where = `${fate} of call ${n}: ${calls.at(-1)}`
      const issued = payer.store.read
        .operations({ kind: 'withdraw' })
        .reduce((sum, { state, amount: withdrawn }) => sum + (state === 'done' ? withdrawn : 0), 0)
      issuedToAll += issued
      const gone = (wallet: TestWallet) => wallet.fees() + wallet.cashedOut()
      const sums = [payer, payee].map((wallet) => wallet.worth() + gone(wallet))
      const inHand = [payer, payee].map((wallet) => wallet.totals().spendable + gone(wallet))
      paidToAll += payer.cashedOut()
      expect({ where, total: sums[0]! + sums[1]! }).toEqual({ where, total: issued })
      expect({ where, inHand }).toEqual({ where, inHand: sums })
      const ended = [...endsOf(payer), ...endsOf(payee)]
      expect({ where, ended: ended.filter((end) => !play.ends.includes(end)) }).toEqual({ where, ended: [] })
      expect({ where, stuck: [payer, payee].flatMap((wallet) => overdue(world, wallet)) }).toEqual({ where, stuck: [] })
      expect([...payer.reports, ...payee.reports]).toEqual([])
      world.forget(payer, payee)
      if (!hasDied) break
      deaths++
    }
  }
  expect([world.issued(), world.paidOut()]).toEqual([issuedToAll, paidToAll])
  return deaths
}

/** The payer tries to pay; that the payee has just died is not its fault. */
async function tryToPay({ payer, payee }: Cast): Promise<void> {
  await payer.pay(payee, amount).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'peer_unreachable') throw error
  })
}

/** What should have been looked at and was not, or goes on failing. */
const overdue = (world: World, { store }: TestWallet): Operation[] =>
  store.read.operations({}).filter(({ nextAttemptAt, attempts }) => {
    return attempts > 0 || (nextAttemptAt !== null && nextAttemptAt <= world.clock.now())
  })

const paid = ['withdraw done', 'pay final', 'pay abandoned', 'receive final', 'receive terms']

describe('death at every call', () => {
  test('of a withdraw', async () => {
    const deaths = await everyDeath('payer', {
      hasMoney: false,
      act: async ({ world, payer }) => {
        await payer.run(async () => payer.engine.withdraw(0, 'sat', money))
        await world.rest(minuteMs)
      },
      ends: ['withdraw done'],
    })
    expect(deaths).toBeGreaterThan(5)
  })

  const offline: Play = {
    fates: ['die_before', 'die_after'],
    before: ({ payer, payee }) => cutOff(payer, payee),
    act: async (cast) => {
      const { world, payer, payee } = cast
      await tryToPay(cast)
      if (!payer.isAlive || !payee.isAlive) return
      await reconnect(payer, payee)
      await world.rest(1.5 * minuteMs)
    },
    ends: paid,
  }

  test('of the payer in an offline payment with change, and its settlement', async () => {
    expect(await everyDeath('payer', offline)).toBeGreaterThan(20)
  })

  test('of the payee in an offline payment, and its settlement', async () => {
    expect(await everyDeath('payee', offline)).toBeGreaterThan(10)
  })

  const online: Play = {
    act: tryToPay,
    ends: paid,
  }

  test('of the payer in an online payment', async () => {
    expect(await everyDeath('payer', online)).toBeGreaterThan(6)
  })

  test('of the payee in an online payment', async () => {
    expect(await everyDeath('payee', online)).toBeGreaterThan(1)
  })

  test('of the payer in a reclaim', async () => {
    const deaths = await everyDeath('payer', {
      before: async ({ payer, payee }) => {
        await cutOff(payer, payee)
        await payer.pay(payee, amount)
        await reconnect(payer)
      },
      act: async ({ world, payer }) => {
        const [payment] = payer.store.read.operations({ kind: 'pay' })
        await payer.run(() => payer.engine.reclaim(payment!.id, true))
        await world.rest(1.5 * minuteMs)
      },
      // The reclaim that was never begun leaves a payment; both ends are right, and one of them is reached.
      ends: [...paid, 'pay reclaimed', 'refresh done', 'receive bounced'],
    })
    expect(deaths).toBeGreaterThan(4)
  })

  /** Two purses, one of them not needed in full, and some of the fee reserve comes back. */
  const cashOut = (outcome: PaymentOutcome): Play => ({
    mint: (clock) => ({ feePpk: 100, funding: fundingWithReserve(3, async () => outcome, clock) }),
    hasMoney: false,
    before: async ({ payer }) => {
      for (const purse of [16, 16]) await payer.withdraw(purse)
    },
    act: async ({ world, payer }) => {
      await payer.cashOut(20)
      await world.rest(3 * minuteMs)
    },
    ends: ['withdraw done', 'refresh done', 'melt done', 'melt abandoned', 'melt failed'],
  })

  test('of a cash out', async () => {
    const paid = cashOut({ kind: 'paid', preimage: null, cost: 1 })
    expect(await everyDeath('payer', { ...paid, ends: paid.ends.slice(0, -1) })).toBeGreaterThan(12)
  }, 180_000)

  test('of a cash out that fails at the mint', async () => {
    const failed = cashOut({ kind: 'failed', reason: 'no route' })
    const ends = failed.ends.filter((end) => end !== 'melt done')
    expect(await everyDeath('payer', { ...failed, ends })).toBeGreaterThan(22)
  }, 180_000)

  test('of the payee while it re-keys what it received', async () => {
    const config = { config: { refreshDelayMs: [minuteMs, minuteMs] as const } }
    const rekey = async ({ world, payee }: Cast) => {
      await payee.look()
      world.clock.move(2 * minuteMs)
      await payee.look()
      await world.rest(minuteMs)
    }
    const deaths = await everyDeath('payee', {
      config,
      before: async ({ payer, payee }) => {
        await payer.pay(payee, amount)
      },
      act: rekey,
      after: rekey,
      ends: [...paid, 'refresh done'],
    })
    expect(deaths).toBeGreaterThan(4)
  })
})
