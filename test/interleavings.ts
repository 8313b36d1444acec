// Three wallets and a mint, and what people, networks and time do to them: a list of actions, drawn by lot. An action that
// makes no sense at its moment does nothing, so that every list is one and any part of a list is one too.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { OperationOf } from '../electron/wallet/operation.ts'
import type { Random } from '../electron/wallet/ports.ts'
import { numberToBytesBE } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import {
  booksOf,
  coinsTwice,
  endsOf,
  ledgerOfAll,
  looksLikeCheating,
  promisedTwice,
  signedAnew,
  spentAt,
  stuck,
  type Wrongs,
} from './at-rest.ts'
import {
  away,
  dayMs,
  honest,
  hourMs,
  minuteMs,
  openWorld,
  signElsewhere,
  type TestWallet,
  type World,
} from './engine-fixture.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { readBooks } from './mint-books.ts'

/** Places among the three wallets. */
const who = fc.nat(2)
/** Place among what there is to choose from, counted round and round. */
const which = fc.nat(20)
const amount = fc.integer({ min: 1, max: 12 })

const actionOf = {
  withdraw: fc.record({ kind: fc.constant('withdraw'), who, amount: fc.integer({ min: 1, max: 40 }) }),
  /** Hello and Terms. */
  prepare: fc.record({ kind: fc.constant('prepare'), who, to: who, amount }),
  /** Somebody says yes to what was prepared. */
  confirm: fc.record({ kind: fc.constant('confirm'), which }),
  pay: fc.record({ kind: fc.constant('pay'), who, to: who, amount }),
  /** What is due is done: by one, or by all at once. */
  settle: fc.record({ kind: fc.constant('settle'), who: fc.nat(3) }),
  /** Above the payee's limits: refused when it has lost the mint by the time the handover comes. */
  void: fc.record({ kind: fc.constant('void'), who, to: who, amount: fc.integer({ min: 7, max: 12 }) }),
  reclaim: fc.record({ kind: fc.constant('reclaim'), who, which }),
  refresh: fc.record({ kind: fc.constant('refresh'), who }),
  cashOut: fc.record({ kind: fc.constant('cashOut'), who, amount }),
  /** Somebody pays for a signature on an output of a payment that is signed and not settled: its swap can never pass. */
  burn: fc.record({ kind: fc.constant('burn'), which }),
  rotate: fc.record({ kind: fc.constant('rotate'), feePpk: fc.constantFrom(0, 100) }),
  restart: fc.record({ kind: fc.constant('restart'), who }),
  /** Sudden death at one of its next calls. */
  die: fc.record({ kind: fc.constant('die'), who, calls: fc.integer({ min: 1, max: 12 }), before: fc.boolean() }),
  goOffline: fc.record({ kind: fc.constant('goOffline'), who, from: fc.constantFrom('mint', 'people') }),
  comeBack: fc.record({ kind: fc.constant('comeBack'), who }),
  pass: fc.record({ kind: fc.constant('pass'), time: fc.constantFrom(minuteMs, 15 * minuteMs, 2 * hourMs, 8 * dayMs) }),
  /** All is well for a while: the books are closed, and all goes on from there. */
  rest: fc.record({ kind: fc.constant('rest') }),
} as const

export type Action = {
  [K in keyof typeof actionOf]: (typeof actionOf)[K] extends fc.Arbitrary<infer A> ? A : never
}[keyof typeof actionOf]

/** Long lists as often as short ones: what interests are the many things that happened before. */
export const actions: fc.Arbitrary<Action[]> = fc.noBias(
  fc.array(
    fc.oneof(
      { arbitrary: actionOf.withdraw, weight: 4 },
      { arbitrary: actionOf.prepare, weight: 3 },
      { arbitrary: actionOf.confirm, weight: 4 },
      { arbitrary: actionOf.pay, weight: 8 },
      { arbitrary: actionOf.settle, weight: 5 },
      { arbitrary: actionOf.void, weight: 2 },
      { arbitrary: actionOf.reclaim, weight: 3 },
      { arbitrary: actionOf.refresh, weight: 2 },
      { arbitrary: actionOf.cashOut, weight: 1 },
      { arbitrary: actionOf.burn, weight: 3 },
      { arbitrary: actionOf.rotate, weight: 2 },
      { arbitrary: actionOf.restart, weight: 3 },
      { arbitrary: actionOf.die, weight: 2 },
      { arbitrary: actionOf.goOffline, weight: 3 },
      { arbitrary: actionOf.comeBack, weight: 5 },
      { arbitrary: actionOf.pass, weight: 2 },
      { arbitrary: actionOf.rest, weight: 1 },
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  ),
)

/** How everything may have ended when all is well again. */
const ends = [
  ...['withdraw done', 'pay final', 'pay abandoned', 'receive terms', 'receive final', 'receive refused'],
  ...['receive expired', 'refresh done', 'melt done', 'melt failed', 'melt abandoned'],
]
/** And only if an output was signed elsewhere: what it belongs to is signed anew. */
const endsOfBurning = ['pay replaced', 'receive replaced', 'refresh dead']
/** And only if a person took something back: the race at the mint has a loser. */
const endsOfReclaims = ['pay reclaimed', 'pay bounced', 'receive bounced', 'refresh lost']

/** Of each: some coins, so that some payments need change and some do not. */
const moneyAtFirst = 23

type Scene = {
  readonly world: World
  readonly proxy: FaultProxy
  readonly wallets: readonly TestWallet[]
  /** Coins of payments that a person asked to have back. */
  readonly askedBack: Set<string>
  /** What was paid for signatures on outputs of others. */
  gifts: number
}

export type Played = {
  readonly wrongs: Wrongs
  /** How many operations ended how. */
  readonly ends: ReadonlyMap<string, number>
}

/** Act, and say what is wrong at every rest and at the end. The same list and lot give the same acts. */
export async function actAll(lot: number, list: readonly Action[]): Promise<Played> {
  const random = drawn(lot)
  const world = await openWorld({ random: { bytes: sameKeys(random) } })
  world.isCookingBooks = true
  const proxy = await startFaultProxy(world.mint)
  // Each takes small payments from strangers without the mint; larger ones must be final at once.
  const config = { limits: { single: 6, total: 60, perHour: 1000 }, refreshDelayMs: [minuteMs, minuteMs] as const }
  const wallets: TestWallet[] = []
  for (const name of ['ann', 'bob', 'cleo']) {
    const wallet = await world.wallet(name, { config, mintUrl: proxy.url, random })
    await wallet.withdraw(moneyAtFirst)
    wallets.push(wallet)
  }
  const scene: Scene = { world, proxy, wallets, askedBack: new Set<string>(), gifts: 0 }
  const wrongs: string[] = []
  try {
    for (const action of [...list, { kind: 'rest' } as const]) {
      await patiently(() => act(scene, action))
      if (action.kind === 'rest') wrongs.push(...(await wrongsOf(scene)))
      if (wrongs.length > 0) break
    }
    return { wrongs, ends: endsOf(wallets) }
  } finally {
    proxy.close()
    await world.end()
  }
}

/** What people are told by an error is no defect: not enough coins, nobody there, refused. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'internal') throw error
  }
}

async function act(scene: Scene, action: Action): Promise<unknown> {
  const { world, wallets } = scene
  const one = (place: number): TestWallet => wallets[place % wallets.length]!
  switch (action.kind) {
    case 'withdraw':
      return one(action.who).run(async () => one(action.who).withdraw(action.amount))
    case 'prepare':
      return isOther(action) && one(action.who).prepare(one(action.to), action.amount)
    case 'confirm':
      return confirm(wallets, action.which)
    case 'pay':
      return isOther(action) && one(action.who).pay(one(action.to), action.amount)
    case 'settle':
      return Promise.all((wallets[action.who] ? [one(action.who)] : wallets).map(workOff))
    case 'void':
      return isOther(action) && payRefused(scene, one(action.who), one(action.to), action.amount)
    case 'reclaim':
      return takeOneBack(scene, one(action.who), action.which)
    case 'refresh':
      await one(action.who).look()
      world.clock.move(2 * minuteMs)
      await one(action.who).look()
      return workOff(one(action.who))
    case 'cashOut':
      return one(action.who).cashOut(action.amount)
    case 'burn':
      return burn(scene, action.which)
    case 'rotate':
      return world.mint.rotate({ feePpk: action.feePpk })
    case 'restart':
      return one(action.who).reopen()
    case 'die':
      return dieSoon(one(action.who), action)
    case 'goOffline':
      return goOffline(one(action.who), action.from)
    case 'comeBack':
      return comeBack(one(action.who))
    case 'pass':
      return world.pass(action.time)
    case 'rest':
      return restAll(scene)
  }
}

const isOther = (action: { readonly who: number; readonly to: number }) => action.who !== action.to

const workOff = (wallet: TestWallet) => wallet.run(() => wallet.engine.runner.runDue())

async function confirm(wallets: readonly TestWallet[], which: number): Promise<unknown> {
  const agreed = wallets.flatMap((wallet) =>
    wallet.store.read.operations({ kind: 'pay', states: ['agreed'] }).map(({ id }) => ({ wallet, id })),
  )
  const chosen = agreed[which % agreed.length]
  return chosen?.wallet.run(() => chosen.wallet.engine.confirmPay(chosen.id))
}

async function payRefused({ world }: Scene, payer: TestWallet, payee: TestWallet, amount: number): Promise<void> {
  for (const wallet of [payer, payee]) await comeBack(wallet)
  const preview: { readonly id: string } | undefined = await payer.prepare(payee, amount)
  for (const wallet of [payer, payee]) await goOffline(wallet, 'mint')
  if (preview) await payer.run(() => payer.engine.confirmPay(preview.id))
  await world.rest(0)
}

/** A person takes back one of the payments that can be taken back. */
async function takeOneBack(scene: Scene, wallet: TestWallet, which: number): Promise<void> {
  const open = wallet.store.read
    .operations({ kind: 'pay' })
    .filter((one) => one.kind === 'pay' && wallet.engine.reclaimable(one) !== 'no')
  const payment = open[which % open.length]
  if (payment?.kind === 'pay') await takeBack(scene, wallet, payment)
}

async function takeBack({ askedBack }: Scene, wallet: TestWallet, payment: OperationOf<'pay'>): Promise<void> {
  if (!('swap' in payment)) return
  for (const { Y } of payment.swap.inputs) askedBack.add(Y)
  await wallet.run(() => wallet.engine.reclaim(payment.id, true))
}

/** One unit on one of the outputs: for the swap it is the wrong amount, or signed for something else. */
async function burn(scene: Scene, which: number): Promise<void> {
  const open = scene.wallets.flatMap(({ store }) =>
    store.read
      .operations({ kind: 'receive', states: ['signed'] })
      .flatMap((one) => ('swap' in one ? one.swap.outputs : [])),
  )
  const output = open[which % open.length]
  if (output && (await canBeSigned(scene.world, output.B_))) {
    await signElsewhere(scene.world, output.B_, 1)
    scene.gifts++
  }
}

async function canBeSigned({ mint }: World, B_: string): Promise<boolean> {
  const id = await mint.keysetId()
  const { body } = await mint.post('/v1/restore', { outputs: [{ amount: 1, id, B_ }] })
  return (body as { signatures: readonly unknown[] }).signatures.length === 0
}

function dieSoon(wallet: TestWallet, { calls, before }: { readonly calls: number; readonly before: boolean }): void {
  let left = calls
  wallet.fate = () => (--left === 0 ? (before ? 'die_before' : 'die_after') : 'live')
}

async function goOffline(wallet: TestWallet, from: string): Promise<void> {
  if (from === 'people') wallet.isListening = false
  else wallet.mint = away
  await wallet.look()
}

async function comeBack(wallet: TestWallet): Promise<void> {
  wallet.isListening = true
  wallet.mint = honest
  if (!wallet.isAlive) wallet.reopen()
  await wallet.look()
}

/** Everybody is well, everything comes to its end, and people take back what waits for them. */
async function restAll(scene: Scene): Promise<void> {
  const { world, wallets } = scene
  world.heal()
  await world.rest()
  for (const wallet of wallets) {
    for (const payment of wallet.engine.undecided()) await takeBack(scene, wallet, payment)
  }
  await world.rest()
}

async function wrongsOf({ world, proxy, wallets, askedBack, gifts }: Scene): Promise<Wrongs> {
  const known = ledgerOfAll(wallets)
  // Gifts of one unit, where that is not worth its fee; nothing else rests.
  const resting = wallets.reduce((sum, { store }) => sum + store.read.totals(0, 'sat').quarantined, 0)
  const payments = wallets.flatMap(({ store }) => store.read.operations({ kind: 'pay' }))
  const books = readBooks(world.mint.folder)
  const isSame = (what: string, atMint: number, here: number) =>
    atMint === here ? [] : [`${what}: ${atMint} at the mint, ${here} as wallets know`]
  return [
    ...booksOf(wallets, gifts - resting),
    ...(resting > gifts ? [`${resting} rest, and ${gifts} were given`] : []),
    ...books.problems,
    ...isSame('issued', books.issued, known.issued + gifts),
    ...isSame('cashed out', world.paidOut(), known.cashedOut),
    ...isSame('in circulation', books.circulating, known.worth + resting),
    ...(await coinsTwice(wallets, spentAt(world.mint))),
    ...stuck(world.clock.now(), wallets, [
      ...ends,
      ...(askedBack.size > 0 ? endsOfReclaims : []),
      ...(gifts > 0 ? endsOfBurning : []),
    ]),
    ...promisedTwice({ asked: proxy.asked, frames: world.frames }, askedBack, signedAnew(payments)),
    ...looksLikeCheating(world.frames),
    ...wallets.flatMap(({ reports }) => reports.map((report) => `a defect was reported: ${report}`)),
  ]
}

/** Bytes that follow from a number, for ever the same: of no use but for tests. */
function drawn(lot: number): Random {
  let count = 0
  const block = () =>
    new Uint8Array(
      createHash('sha256')
        .update(numberToBytesBE(BigInt(lot), 8))
        .update(`${count++}`)
        .digest(),
    )
  return {
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at += 32) bytes.set(block().subarray(0, Math.min(32, length - at)), at)
      return bytes
    },
  }
}

/** The first draw is the mint's seed: the same for all, so that tables for its keys are made once. */
function sameKeys(random: Random): Random['bytes'] {
  let isFirst = true
  return (length) => {
    if (!isFirst) return random.bytes(length)
    isFirst = false
    return new Uint8Array(length).fill(7)
  }
}
