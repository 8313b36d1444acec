// A wallet that has an operation of every kind in every state, by playing each of them: what a file of this version holds.

import { transitions } from '../electron/wallet/operation.ts'
import type { Funding, PaymentOutcome } from '../mint/ports.ts'
import {
  always,
  away,
  chain,
  cutOff,
  dayMs,
  honest,
  lostAnswer,
  lostFrames,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  reconnect,
  refusal,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'
import { fundingWithReserve } from './mint-fixture.ts'

/** Above these a payee that cannot reach its mint takes nothing. */
const limits = { single: 10, total: 1000, perHour: 100 }
const small = 5
const large = 13
const oneAtATime = 32

/** The wallet whose file is kept, and its mint. Its seed is the one of this name. */
export type Played = {
  readonly world: World
  readonly ann: TestWallet
  /** Coins that somebody else had issued for a deposit of hers. */
  readonly takenByOthers: number
}
export const storedName = 'ann'

/** Every state that this version knows: `kind state`. */
export const everyState: readonly string[] = Object.entries(transitions).flatMap(([kind, states]) =>
  Object.keys(states).map((state) => `${kind} ${state}`),
)

/**
 * Minutes of the world's clock pass, but no day after the first two months. Nothing is at rest at the end.
 * @param withSearches also those for coins of the phrase, which take long
 */
export async function playEveryState({ withSearches = true } = {}): Promise<Played> {
  const lightning: { outcome: PaymentOutcome } = { outcome: { kind: 'paid', preimage: 'ab'.repeat(32), cost: 1 } }
  const pay: Funding['pay'] = async () => lightning.outcome
  const world = await openWorld((clock) => ({ funding: fundingWithReserve(2, pay, clock) }))
  world.isCookingBooks = true // outputs are signed elsewhere on purpose
  const config = { limits }
  const ann = await world.wallet(storedName, { config })
  const bob = await world.wallet('bob')
  const eve = await world.wallet('eve', { config })
  const cast: Cast = { world, ann, bob, eve }
  for (let purse = 0; purse < 3; purse++) await ann.withdraw(oneAtATime)
  await eve.withdraw(4 * oneAtATime)

  ann.engine.createRequest({ account: 0, unit: 'sat', amount: small, singleUse: true })
  await ended(cast)
  await meltsEnded(cast, lightning)
  await openWithdraws(cast)
  await openPayments(cast)
  await openMelts(cast, lightning)
  await dead(cast)
  if (withSearches) await searches(cast)
  return { world, ann, takenByOthers: large }
}

type Cast = { readonly world: World; readonly ann: TestWallet; readonly bob: TestWallet; readonly eve: TestWallet }

const step = (wallet: TestWallet, id: string) => wallet.run(() => wallet.engine.runner.runNow(id))
const newest = (wallet: TestWallet) => wallet.store.read.operations({ limit: 1 })[0]!
const saysSpent: MintDouble = (real) => ({
  ...real,
  checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'SPENT') }),
})
const refuses = always(['swap'], refusal())

/** Both readings of an end that the mint gives wrongly. */
async function bounce({ world }: Cast, wallet: TestWallet, id: string): Promise<void> {
  wallet.mint = chain(refuses, saysSpent)
  world.clock.move(testConfig.settleDelayMs[1])
  await step(wallet, id)
  world.clock.move(testConfig.readingGapMs)
  await step(wallet, id)
  wallet.mint = honest
}

/** Pay from a fresh purse while neither side reaches the mint. @returns the payment's id */
async function paySigned({ world, ann }: Cast, payer: TestWallet, payee: TestWallet, amount: number): Promise<string> {
  world.clock.move(minuteMs) // a payee answers few who do not pay
  if (payer === ann) await ann.withdraw(oneAtATime)
  await cutOff(payer, payee)
  return payer.pay(payee, amount)
}

async function ended(cast: Cast): Promise<void> {
  const { world, ann, bob, eve } = cast
  await eve.prepare(ann, small) // terms that expire
  for (let month = 0; month < 2; month++) {
    world.clock.move(31 * dayMs)
    await ann.run(() => ann.engine.runner.runDue())
  }

  const lost = ann.engine.withdraw(0, 'sat', large)
  await step(ann, lost)
  const outputs = (await world.mint.outputs(1, 4, 8)).map(({ message }) => message)
  await world.mint.post('/v1/mint/bolt11', { quote: ann.quoteOf(lost), outputs }) // somebody else uses it up
  await step(ann, lost)

  await ann.pay(bob, large)
  await eve.pay(ann, small)
  const { id: unwanted } = await ann.prepare(bob, small)
  await ann.engine.abandonPay(unwanted)
  await eve.prepare(ann, large).then(async ({ id }) => {
    await cutOff(eve, ann)
    await eve.run(() => eve.engine.confirmPay(id)) // above the limit: refused
    await reconnect(eve, ann)
  })
  await eve.run(() => eve.engine.reclaim(newest(eve).id, false))
  await world.rest()

  const takenBack = await paySigned(cast, ann, bob, large)
  await reconnect(ann)
  await ann.run(() => ann.engine.reclaim(takenBack, true))
  await world.rest()

  const tooLate = await paySigned(cast, ann, bob, large)
  await ann.run(() => ann.engine.reclaim(tooLate, true))
  await reconnect(bob)
  await world.rest()
  await reconnect(ann)
  await world.rest()

  const inTheWay = await paySigned(cast, ann, bob, large)
  await ann.run(() => ann.engine.reclaim(inTheWay, true))
  await signElsewhere(world, ann.refreshes()[0]!.swap.outputs.at(-1)!.B_, 1)
  await reconnect(ann)
  await world.rest()

  await paySigned(cast, ann, bob, large)
  await signElsewhere(world, bob.incoming().outputs.at(-1)!.B_, 1)
  await reconnect(ann, bob)
  await world.rest()

  await paySigned(cast, eve, ann, small)
  await signElsewhere(world, ann.incoming().outputs.at(-1)!.B_, 1)
  await reconnect(eve, ann)
  await world.rest()

  await bounce(cast, ann, await paySigned(cast, ann, bob, large))
  await paySigned(cast, eve, ann, small)
  await bounce(cast, ann, ann.incoming().id)
  await reconnect(ann)
}

async function meltsEnded({ world, ann }: Cast, lightning: { outcome: PaymentOutcome }): Promise<void> {
  for (let purse = 0; purse < 2; purse++) await ann.withdraw(oneAtATime)
  await ann.cashOut(large)
  const { id } = await ann.prepareCashOut(small)
  await ann.engine.abandonCashOut(id)
  const { outcome } = lightning
  lightning.outcome = { kind: 'failed', reason: 'no route' }
  const failing = await ann.cashOut(small)
  for (let times = 0; times < 5 && ann.melt(failing).state !== 'failed'; times++) {
    world.clock.move(testConfig.readingGapMs)
    await ann.run(() => ann.engine.runner.runDue())
  }
  lightning.outcome = outcome
}

async function openWithdraws({ ann }: Cast): Promise<void> {
  const troubles: readonly MintDouble[] = [
    away,
    always(['mintQuote'], lostRequest),
    always(['issue', 'restore'], lostAnswer),
  ]
  for (const trouble of troubles) {
    ann.mint = trouble
    const id = ann.engine.withdraw(0, 'sat', oneAtATime)
    for (let times = 0; times < 3; times++) await step(ann, id)
    ann.mint = honest
  }
}

async function openPayments(cast: Cast): Promise<void> {
  const { world, ann, bob, eve } = cast
  await reconnect(ann, bob, eve)
  for (let purse = 0; purse < 4; purse++) await ann.withdraw(oneAtATime)
  await eve.prepare(ann, small)

  await cutOff(eve)
  await paySigned(cast, eve, ann, small)
  await reconnect(ann)

  ann.fate = (port) => (port === 'exchange' ? 'die_after' : 'live')
  await ann.prepare(bob, small)
  ann.reopen()
  await reconnect(ann)
  await ann.prepare(bob, small)

  ann.fate = (port) => (port === 'mint swap' ? 'die_before' : 'live')
  await ann.pay(bob, large)
  ann.reopen()
  await reconnect(ann)

  world.clock.move(minuteMs)
  ann.link = lostFrames('handover')
  await ann.withdraw(oneAtATime)
  await ann.pay(bob, large) // settled, not told
  await paySigned(cast, ann, bob, large) // handing over
  await reconnect(ann)
  ann.link = (_, exchange) => exchange()

  await paySigned(cast, ann, bob, large)
  await reconnect(ann)
  const reclaimed = await paySigned(cast, ann, bob, large)
  await ann.run(() => ann.engine.reclaim(reclaimed, true))
  await reconnect(ann)

  await ann.withdraw(oneAtATime)
  await reconnect(eve)
  const { id } = await ann.prepare(eve, large)
  await cutOff(ann, eve)
  await ann.run(() => ann.engine.confirmPay(id)) // above eve's limit: a void
  await reconnect(ann)
}

async function openMelts({ world, ann }: Cast, lightning: { outcome: PaymentOutcome }): Promise<void> {
  for (let purse = 0; purse < 4; purse++) await ann.withdraw(oneAtATime)
  ann.fate = (port) => (port === 'mint requestMeltQuote' ? 'die_before' : 'live')
  await ann.prepareCashOut(small)
  ann.reopen()
  await reconnect(ann)

  lightning.outcome = { kind: 'failed', reason: 'no route' }
  const failing = await ann.cashOut(small)
  world.clock.move(testConfig.readingGapMs)
  ann.mint = always(['swap'], lostRequest)
  await step(ann, failing)
  ann.mint = honest

  ann.mint = always(['swap'], lostRequest)
  await ann.cashOut(small)
  ann.mint = always(['melt'], lostRequest)
  await ann.cashOut(small)
  ann.mint = honest
  await ann.prepareCashOut(small)
  lightning.outcome = { kind: 'paid', preimage: 'ab'.repeat(32), cost: 1 }
}

/** Both readings of it, and nothing after: from then on somebody signs it anew. */
async function dead(cast: Cast): Promise<void> {
  const { world, ann, bob, eve } = cast
  const die = async (id: string, B_: string): Promise<void> => {
    await signElsewhere(world, B_, 1)
    await reconnect(ann)
    world.clock.move(testConfig.settleDelayMs[1])
    await step(ann, id)
    world.clock.move(testConfig.readingGapMs)
    await step(ann, id)
  }
  await paySigned(cast, eve, ann, small)
  await die(ann.incoming().id, ann.incoming().outputs.at(-1)!.B_)
  await die(await paySigned(cast, ann, bob, large), bob.incoming().outputs.at(-1)!.B_)
}

/** One search for coins of the phrase that has ended, and one that has begun. */
async function searches({ ann }: Cast): Promise<void> {
  const search = async (mostSteps: number): Promise<void> => {
    ann.engine.searchAgain(0)
    const { id } = newest(ann)
    for (let n = 0; n < mostSteps && newest(ann).nextAttemptAt !== null; n++) await step(ann, id)
  }
  await search(10_000)
  ann.mint = away
  await search(1)
  ann.mint = honest
}
