// One run of a play: a fresh payer and payee behind a proxy each, one thing that goes wrong, recovery, and the checks.

import {
  booksOf,
  coinsTwice,
  ledgerOfAll,
  looksLikeCheating,
  promisedTwice,
  signedAnew,
  spentAt,
  stuck,
  type Wrongs,
} from './at-rest.ts'
import type { Cast, Play } from './crash-plays.ts'
import { disturb, type Seen, type Trouble } from './crash-trouble.ts'
import { minuteMs, openWorld, type SeenFrame, type World } from './engine-fixture.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { readBooks } from './mint-books.ts'

/** A mint with its proxies, for all runs of one play. */
export type Stage = {
  readonly world: World
  readonly proxies: { readonly payer: FaultProxy; readonly payee: FaultProxy }
  /** What payees have said to somebody else. */
  readonly strangers: readonly SeenFrame[]
  /** Each run has a generation of its own: the same seeds, other coins. */
  generation: number
  /** What all wallets together know of: money taken by the mint, money paid by it, coins that are out. */
  issued: number
  paidOut: number
  circulating: number
}

export type Run = Seen & { readonly wrongs: Wrongs }

export async function setStage({ mint }: Play): Promise<Stage> {
  const world = await openWorld(mint)
  // Each pair of wallets is checked before it goes; the fixture would look at those that are still there.
  world.isCookingBooks = true
  const proxies = { payer: await startFaultProxy(world.mint), payee: await startFaultProxy(world.mint) }
  const somebody = await world.wallet('somebody')
  const stranger = await world.wallet('stranger')
  await somebody.withdraw(16)
  await somebody.pay(stranger, 8)
  const strangers = world.frames.splice(0)
  const { issued, worth } = ledgerOfAll([somebody, stranger])
  world.forget(somebody, stranger)
  return { world, proxies, strangers, generation: 0, issued, paidOut: 0, circulating: worth }
}

/** What was wrong is in the answer, not thrown, so that one run does not hide the others. */
export async function actOnce(stage: Stage, play: Play, trouble: Trouble): Promise<Run> {
  const { world, proxies, strangers } = stage
  const cast = await castOf(stage, play)
  const { payer, payee } = cast
  if (play.money !== undefined) await payer.withdraw(play.money)
  await play.before?.(cast)
  const disturbed = disturb(trouble, { payer, victim: cast[play.victim], proxy: proxies[play.victim], strangers })
  const thrown: string[] = []
  try {
    await play.act(cast)
    disturbed.end()
    await recover(stage, cast, play, disturbed.release)
  } catch (error) {
    disturbed.end()
    thrown.push(`thrown: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
  }
  const wrongs = [...thrown, ...(await wrongsOf(stage, cast, play, trouble))]
  const { issued, cashedOut, worth } = ledgerOfAll([payer, payee])
  stage.issued += issued + cast.gifts
  stage.paidOut += cashedOut
  stage.circulating += worth
  world.forget(payer, payee)
  return { ...disturbed.seen(), wrongs }
}

async function castOf(stage: Stage, { config }: Play): Promise<Cast> {
  const { world, proxies } = stage
  const generation = ++stage.generation
  const open = (role: 'payer' | 'payee') =>
    world.wallet(role, { generation, mintUrl: proxies[role].url, config: config?.[role] ?? {} })
  return { world, payer: await open('payer'), payee: await open('payee'), askedBack: new Set(), gifts: 0 }
}

const longEnoughMs = 15 * minuteMs

/** The same files are opened again and all is well; what was held back arrives at last; people decide what is theirs to decide. */
async function recover(stage: Stage, cast: Cast, play: Play, releaseFrames: () => Promise<boolean>): Promise<void> {
  const { world, proxies } = stage
  world.heal()
  await world.rest(longEnoughMs)
  const hadFrames = await releaseFrames()
  const hadRequests = [await proxies.payer.release(), await proxies.payee.release()]
  if (hadFrames || hadRequests.includes(true)) await world.rest(longEnoughMs)
  if (!play.after) return
  await play.after(cast)
  await world.rest(longEnoughMs)
}

async function wrongsOf(stage: Stage, cast: Cast, play: Play, trouble: Trouble): Promise<Wrongs> {
  const { world, proxies } = stage
  const { payer, payee, askedBack, gifts } = cast
  const wallets = [payer, payee]
  const frames = world.frames.splice(0)
  const asked = [...proxies.payer.asked.splice(0), ...proxies.payee.asked.splice(0)]
  const payments = payer.store.read.operations({ kind: 'pay' })
  const Ys = payments
    .filter(({ id }) => askedBack.has(id))
    .flatMap((payment) => ('swap' in payment ? payment.swap.inputs.map(({ Y }) => Y) : []))
  const ended = wallets.flatMap(({ store }) => store.read.operations({}).map(({ kind, state }) => `${kind} ${state}`))
  const missing = trouble.kind === 'none' ? play.reaches.filter((end) => !ended.includes(end)) : []
  return [
    ...booksOf(wallets, gifts),
    ...(await coinsTwice(wallets, spentAt(world.mint))),
    ...stuck(world.clock.now(), wallets, play.ends),
    ...promisedTwice({ asked, frames }, new Set(Ys), signedAnew(payments)),
    ...looksLikeCheating(frames),
    ...wallets.flatMap(({ reports }) => reports.map((report) => `a defect was reported: ${report}`)),
    ...missing.map((end) => `nothing went wrong, and yet no ${end}`),
  ]
}

/** What the mint has counted is what the wallets know of: to the last coin that is out. */
export function closeBooks({ world, proxies, issued, paidOut, circulating }: Stage): Wrongs {
  const others = proxies.payer.strangersMoney + proxies.payee.strangersMoney
  for (const proxy of Object.values(proxies)) proxy.close()
  const books = readBooks(world.mint.folder)
  const isSame = (what: string, atMint: number, known: number) =>
    atMint === known ? [] : [`${what}: ${atMint} at the mint, ${known} as wallets know`]
  return [
    ...books.problems,
    ...isSame('issued', books.issued, issued + others),
    ...isSame('cashed out', world.paidOut(), paidOut),
    ...isSame('in circulation', books.circulating, circulating + others),
  ]
}
