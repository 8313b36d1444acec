// What wallets are doing while something goes wrong: each operation as a short play of a payer, a payee and a mint. A play
// is acted once for every place where it can be disturbed (crash-matrix.ts).

import type { PayPreview } from '../electron/wallet/pay.ts'
import type { Funding, PaymentOutcome } from '../mint/ports.ts'
import { AppError } from '../shared/errors.ts'
import {
  cutOff,
  minuteMs,
  reconnect,
  signElsewhere,
  type TestWallet,
  type WalletOptions,
  type World,
  type WorldOptions,
} from './engine-fixture.ts'
import { fundingWithReserve } from './mint-fixture.ts'

export type Cast = {
  readonly world: World
  readonly payer: TestWallet
  readonly payee: TestWallet
  /** Payments that a person asked to have back. */
  readonly askedBack: Set<string>
  /** What somebody else paid for and had signed on their outputs. */
  gifts: number
  /** Of this run alone: what was prepared before the act. */
  preview?: PayPreview
}

export type Play = {
  readonly operation: string
  /** Who dies, and whose requests go wrong. */
  readonly victim: 'payer' | 'payee'
  /** What the payer withdraws before anything happens; none: the play sees to it. */
  readonly money?: number
  /** Before anything can go wrong. */
  readonly before?: (cast: Cast) => Promise<void>
  readonly act: (cast: Cast) => Promise<void>
  /** What a person does once all is at rest and nothing goes wrong any more. */
  readonly after?: (cast: Cast) => Promise<void>
  readonly config?: { readonly payer?: WalletOptions['config']; readonly payee?: WalletOptions['config'] }
  readonly mint?: WorldOptions
  /** How operations of both may end. */
  readonly ends: readonly string[]
  /** What is among the ends when nothing goes wrong: a play that does not do what it says proves nothing. */
  readonly reaches: readonly string[]
}

/** One coin of sixteen, and half of it to be paid: the other half is change. */
const money = 16
const amount = 8
/** Every payment costs something. */
const withFee: WorldOptions = { feePpk: 100 }
/** Exactly amount and fee, in few coins. */
const justEnough = 9

// ---- what people do

/** A person who is told that something did not work tries once more; that somebody has died is not the person's fault. */
async function insist(wallet: TestWallet, work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 2 && wallet.isAlive; tries++) {
    try {
      await work()
      return
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
}

const pay = ({ payer, payee }: Cast, howMuch = amount) => insist(payer, () => payer.pay(payee, howMuch))

/** Both without the mint: the payer signs, the payee has a receipt to give. */
async function payOffline(cast: Cast): Promise<void> {
  await cutOff(cast.payer, cast.payee)
  await cast.payer.pay(cast.payee, amount)
}

/** A person takes a payment back, with or without a warning: it is written down that this was asked for. */
async function takeBack({ payer, askedBack }: Cast): Promise<void> {
  for (const { id, state } of payer.store.read.operations({ kind: 'pay' })) {
    if (state !== 'voided' && state !== 'signed') continue
    askedBack.add(id)
    await insist(payer, () => payer.run(() => payer.engine.reclaim(id, true)))
  }
}

/** The payee wants Terms answered while it has the mint, and has lost it when the handover comes: above its limits then. */
async function prepareRefused(cast: Cast): Promise<void> {
  cast.preview = await cast.payer.prepare(cast.payee, amount)
  await cutOff(cast.payer, cast.payee)
}

async function confirm({ payer, preview }: Cast): Promise<void> {
  await insist(payer, () => payer.run(async () => preview && payer.engine.confirmPay(preview.id)))
}

/** One unit is signed on an output of the payment: the mint can never finish it. Both find out, and do not reach each other. */
async function payInVain(cast: Cast): Promise<void> {
  await payOffline(cast)
  const { world, payer, payee } = cast
  await signElsewhere(world, payee.incoming().outputs[0]?.B_ ?? '', 1)
  cast.gifts = 1
  payee.isListening = false
  await reconnect(payer, payee)
  await world.rest(5 * minuteMs)
}

/** Both go to the mint in the same moment. */
async function bothSettle(...wallets: readonly TestWallet[]): Promise<void> {
  const settle = async (wallet: TestWallet) => {
    await wallet.look()
    await wallet.run(() => wallet.engine.runner.runDue())
  }
  await Promise.all(wallets.map(settle))
}

/** Money of theirs is re-keyed a minute after it could be. */
const soon = { refreshDelayMs: [minuteMs, minuteMs] as const }
async function rekey(cast: Cast, wallet: TestWallet): Promise<void> {
  await wallet.look()
  cast.world.clock.move(2 * minuteMs)
  await wallet.look()
  await cast.world.rest(minuteMs)
}

// ---- plays

const paid = ['withdraw done', 'pay final', 'pay abandoned', 'receive final', 'receive terms']
const isPaid = ['pay final', 'receive final']
const takenBack = [...paid, 'pay reclaimed', 'refresh done']
const isTakenBack = ['pay reclaimed', 'refresh done']

const both = (play: Omit<Play, 'victim'>): readonly Play[] =>
  (['payer', 'payee'] as const).map((victim) => ({ ...play, victim, operation: `${play.operation} (${victim})` }))

const withdrawing: Play = {
  operation: 'withdraw',
  victim: 'payer',
  act: async ({ world, payer }) => {
    await payer.run(async () => payer.engine.withdraw(0, 'sat', 12))
    await world.rest(minuteMs)
  },
  ends: ['withdraw done'],
  reaches: ['withdraw done'],
}

const payment = { money, act: pay, ends: paid, reaches: isPaid }
const paying: readonly Play[] = [
  ...both({ ...payment, operation: 'pay offline', before: ({ payer, payee }) => cutOff(payer, payee) }),
  ...both({ ...payment, operation: 'pay online' }),
  ...both({ ...payment, operation: 'pay, payee cut off', before: ({ payee }) => cutOff(payee) }),
  ...both({ ...payment, operation: 'pay, payer cut off', before: ({ payer }) => cutOff(payer) }),
]

/** One of both comes back to the mint and settles, the other stays away. */
const settlesAlone = (victim: 'payer' | 'payee'): Play => ({
  operation: `settle (${victim})`,
  victim,
  money,
  before: payOffline,
  act: async (cast) => {
    await reconnect(cast[victim])
    await cast.world.rest(1.5 * minuteMs)
  },
  ends: paid,
  reaches: isPaid,
})

const settling: readonly Play[] = [
  settlesAlone('payer'),
  settlesAlone('payee'),
  ...both({
    operation: 'settle, both at once',
    money,
    before: async (cast) => {
      await payOffline(cast)
      cast.world.clock.move(1.5 * minuteMs)
      await reconnect(cast.payer, cast.payee)
    },
    act: ({ payer, payee }) => bothSettle(payer, payee),
    ends: paid,
    reaches: isPaid,
  }),
  {
    operation: 'change',
    victim: 'payer',
    money,
    before: async (cast) => {
      await payOffline(cast)
      await reconnect(cast.payer)
    },
    // What is left is on its way: it must come home before it can be paid with.
    act: (cast) => pay(cast, 4),
    ends: paid,
    reaches: isPaid,
  },
]

const refreshing: readonly Play[] = [
  {
    operation: 'refresh, re-key',
    victim: 'payer',
    money: 12,
    config: { payer: soon },
    // Paid with one of two coins: the key of the other was shown.
    before: ({ payer, payee }) => payer.pay(payee, amount).then(() => {}),
    act: (cast) => rekey(cast, cast.payer),
    after: (cast) => rekey(cast, cast.payer),
    ends: [...paid, 'refresh done'],
    reaches: ['refresh done'],
  },
  {
    operation: 'refresh, gather',
    victim: 'payer',
    config: { payer: soon },
    before: async ({ payer }) => {
      for (const purse of [8, 4]) await payer.withdraw(purse)
    },
    act: async (cast) => {
      await rekey(cast, cast.payer)
      await rekey(cast, cast.payer)
    },
    after: (cast) => rekey(cast, cast.payer),
    ends: ['withdraw done', 'refresh done'],
    reaches: ['refresh done'],
  },
]

const signingAnew: readonly Play[] = both({
  operation: 'sign anew',
  money,
  before: payInVain,
  act: async ({ world, payee }) => {
    payee.isListening = true
    await world.rest(10 * minuteMs)
  },
  ends: [...paid, 'pay replaced', 'receive replaced', 'refresh done'],
  reaches: ['pay replaced', 'receive replaced', ...isPaid],
})

/** Above the payee's limits as long as it cannot ask the mint. */
const strict = { payee: { limits: { single: 4, total: 4, perHour: 10 } } }
const refused = { money: justEnough, mint: withFee, config: strict, after: takeBack }
const undoing: readonly Play[] = [
  ...both({
    ...refused,
    operation: 'void',
    before: prepareRefused,
    act: async (cast) => {
      await confirm(cast)
      await reconnect(cast.payer)
      await cast.world.rest(minuteMs)
    },
    ends: [...takenBack, 'receive refused'],
    reaches: ['pay reclaimed', 'receive refused'],
  }),
  {
    ...refused,
    operation: 'reclaim after a void',
    victim: 'payer',
    before: async (cast) => {
      await prepareRefused(cast)
      await confirm(cast)
      await reconnect(cast.payer)
    },
    act: async (cast) => {
      await takeBack(cast)
      await cast.world.rest(1.5 * minuteMs)
    },
    ends: [...takenBack, 'receive refused'],
    reaches: isTakenBack,
  },
  {
    operation: 'reclaim, payee away',
    victim: 'payer',
    money: justEnough,
    mint: withFee,
    before: async (cast) => {
      await payOffline(cast)
      await reconnect(cast.payer)
    },
    act: async (cast) => {
      await takeBack(cast)
      await cast.world.rest(1.5 * minuteMs)
    },
    // The reclaim that was never begun leaves a payment; both ends are right, and one of them is reached.
    ends: [...takenBack, 'receive bounced', 'refresh lost'],
    reaches: isTakenBack,
  },
  ...both({
    operation: 'reclaim, payee settles',
    money: justEnough,
    mint: withFee,
    before: async (cast) => {
      await payOffline(cast)
      await reconnect(cast.payer, cast.payee)
    },
    act: async (cast) => {
      await takeBack(cast)
      await bothSettle(cast.payer, cast.payee)
      await cast.world.rest(1.5 * minuteMs)
    },
    ends: [...takenBack, 'receive bounced', 'refresh lost'],
    // Who is first at the mint is not said.
    reaches: [],
  }),
]

/** Two purses, one of them not needed in full, and some of the fee reserve comes back. */
const cashOut = (operation: string, payOf: () => Funding['pay'], end: string): Play => ({
  operation,
  victim: 'payer',
  mint: (clock) => ({ feePpk: 100, funding: fundingWithReserve(3, payOf(), clock) }),
  before: async ({ payer }) => {
    for (const purse of [17, 17]) await payer.withdraw(purse)
  },
  act: async ({ world, payer }) => {
    await insist(payer, () => payer.cashOut(20))
    await world.rest(3 * minuteMs)
  },
  ends: ['withdraw done', 'refresh done', 'melt abandoned', end],
  reaches: ['refresh done', end],
})

const paidOut: PaymentOutcome = { kind: 'paid', preimage: null, cost: 1 }
/** Each payment is on its way when it is asked for first, and paid when it is asked about again. */
function pendingFirst(): Funding['pay'] {
  const asked = new Set<string>()
  return async ({ id }) => {
    const isPaid = asked.has(id)
    asked.add(id)
    return isPaid ? paidOut : { kind: 'unknown' }
  }
}

const melting: readonly Play[] = [
  cashOut('melt, paid', () => async () => paidOut, 'melt done'),
  cashOut('melt, pending, then paid', pendingFirst, 'melt done'),
  cashOut('melt, failed', () => async () => ({ kind: 'failed', reason: 'no route' }), 'melt failed'),
]

export const plays: readonly Play[] = [
  withdrawing,
  ...paying,
  ...settling,
  ...signingAnew,
  ...refreshing,
  ...undoing,
  ...melting,
]
