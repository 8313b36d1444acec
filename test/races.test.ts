// Every race at the mint between the four who may send the same coins: the payer who settles, the payee who settles, the
// payer who takes them back, and what signs a dead payment anew. Requests are held back on their way and arrive in every
// order, late, and twice. Whatever comes first, it ends as section 8 of the protocol says: value is conserved, nobody can
// be framed, and no coin is spendable before its swap is settled.

import { describe, expect, test } from 'vitest'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import type { Operation, OperationOf } from '../electron/wallet/operation.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import {
  cutOff,
  dayMs,
  inState,
  type MintDouble,
  minuteMs,
  openWorld,
  reconnect,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'
import { isWhole } from './how-much.ts'

const money = 16
const amount = 8

/** A request for a swap that has left a wallet and has not arrived. */
type Held = { readonly from: 'payer' | 'payee'; readonly body: string }

type Cast = {
  readonly world: World
  readonly payer: TestWallet
  readonly payee: TestWallet
  /** Of the payment. */
  readonly id: string
  /** Everything that was sent, in its order. */
  readonly held: Held[]
  /** From when on the payer sends this swap no more. */
  stopped?: { readonly signature: string; readonly at: number }
}

/** What can arrive, by a letter each: what people and wallets did before is the same for every order. */
type Arrivals = Readonly<Record<string, () => Promise<unknown>>>

let generation = 0

/** A payment that was signed while nobody could reach the mint; from now on no swap arrives by itself. */
async function signed(world: World, limits = testConfig.limits): Promise<Cast> {
  generation++
  const payer = await world.wallet('payer', { generation })
  const payee = await world.wallet('payee', { generation, config: { limits } })
  await payer.withdraw(money)
  const { id } = await payer.prepare(payee, amount)
  await cutOff(payer, payee)
  await payer.run(() => payer.engine.confirmPay(id))
  const held: Held[] = []
  const cast = { world, payer, payee, id, held }
  payer.mint = holding('payer', held)
  payee.mint = holding('payee', held)
  for (const wallet of [payer, payee]) await wallet.look()
  return cast
}

/** Swaps are held back; all else is answered by the mint. */
const holding =
  (from: Held['from'], held: Held[]): MintDouble =>
  (real) => ({
    ...real,
    swap: async (body) => {
      held.push({ from, body })
      return { kind: 'unknown', reason: 'no answer yet', reachable: true }
    },
  })

const step = (wallet: TestWallet, id: string) => wallet.run(() => wallet.engine.runner.runNow(id))
const swapOf = (operation: Operation) => {
  if (!('swap' in operation)) throw new Error(`no swap in ${operation.state}`)
  return operation.swap
}
/** The request that one of both has sent for this swap. */
function sent({ held }: Cast, from: Held['from'], operation: Operation): string {
  const { signature } = swapOf(operation)
  const found = held.find((one) => one.from === from && one.body.includes(signature))
  if (!found) throw new Error(`${from} has sent no such swap`)
  return found.body
}
const arrive = ({ world }: Cast, body: string) => world.mint.post('/v1/swap', JSON.parse(body))
const reclaimOf = ({ payer }: Cast): OperationOf<'refresh'> => {
  const [reclaim] = payer.refreshes()
  if (!reclaim) throw new Error('nothing is taken back')
  return reclaim
}
const receives = ({ payee }: Cast): OperationOf<'receive'>[] =>
  payee.store.read.operations({ kind: 'receive' }).flatMap((one) => (one.kind === 'receive' ? [one] : []))

/** Both have tried to settle: their requests are on the way. */
async function bothSettle(cast: Cast): Promise<void> {
  cast.world.clock.move(testConfig.settleDelayMs[1])
  await step(cast.payer, cast.id)
  await step(cast.payee, cast.payee.incoming().id)
}

/** A person takes it back: from then on nothing of the old swap leaves the payer. */
async function takeBack(cast: Cast, id: string): Promise<void> {
  const { payer, world, held } = cast
  const { signature } = swapOf(payer.payment(id))
  await payer.run(() => payer.engine.reclaim(id, true))
  cast.stopped = { signature, at: held.length }
  await step(payer, reclaimOf(cast).id)
  await step(payer, id)
  await world.rest(minuteMs)
  expectStopped(cast)
}

function expectStopped({ held, stopped }: Cast): void {
  if (!stopped) return
  const late = held.slice(stopped.at)
  expect(late.filter(({ from, body }) => from === 'payer' && body.includes(stopped.signature))).toEqual([])
}

/** No coin that was given away is spendable, none is spendable that the mint calls spent, and no claims prove anything. */
async function expectHonest({ world, payer, payee, id }: Cast): Promise<void> {
  const given = swapOf(payer.payment(id)).inputs.map(({ Y }) => Y)
  for (const Y of given) expect(payer.store.read.coin(0, Y)?.state).not.toBe('spendable')
  for (const { store } of [payer, payee]) {
    const Ys = store.read.coins(0, 'sat', 'spendable').map(({ Y }) => Y)
    if (Ys.length === 0) continue
    const answer = await world.mint.post('/v1/checkstate', { Ys })
    const { states } = answer.body as { states: { state: string }[] }
    expect(states.map(({ state }) => state)).toEqual(Ys.map(() => 'UNSPENT'))
  }
  const claims = [payer, payee].flatMap(({ store }) =>
    store.read.operations({}).flatMap((one) => ('claim' in one && one.claim ? [one.claim] : [])),
  )
  const messages = claims.map(({ body, sig }) => ({ body: hexToBytes(body), sig: hexToBytes(sig) }))
  expect(findDoubleSpend(messages)).toBeUndefined()
}

/** The requests that were sent for this payment: the payer's, the payee's, and the one that takes it back. */
function arrivalsOf(cast: Cast, id: string): Arrivals {
  const { payer, payee } = cast
  const [reclaim] = payer.refreshes()
  const bodies: Readonly<Record<string, string | undefined>> = {
    P: sent(cast, 'payer', payer.payment(id)),
    E: sent(cast, 'payee', payee.incoming()),
    R: reclaim && sent(cast, 'payer', reclaim),
  }
  return Object.fromEntries(
    Object.entries(bodies).map(([letter, body]) => [letter, async () => body !== undefined && arrive(cast, body)]),
  )
}

/** All arrives in this order, with everybody looking in between; then everything once more, and time passes. */
async function play(cast: Cast, order: string, arrivals: Arrivals): Promise<void> {
  const { world, payer, payee, held } = cast
  for (const letter of order) {
    await arrivals[letter]!()
    await expectHonest(cast)
    await world.rest(minuteMs)
    await expectHonest(cast)
  }
  expectStopped(cast)
  for (const body of new Set(held.map((one) => one.body))) await arrive(cast, body)
  await expectHonest(cast)
  await reconnect(payer, payee)
  await world.rest(1.5 * dayMs)
  await expectHonest(cast)
}

/** How it ended, and that nothing was made or lost: `extra` is what somebody else has paid. */
function expectEnd(cast: Cast, extra: number, end: { payer: string[]; reclaim: string[]; payee: string[] }): void {
  const { world, payer, payee } = cast
  const pays = payer.store.read.operations({ kind: 'pay' }).map(({ state }) => state)
  const reclaims = payer.refreshes().map(({ state }) => state)
  const got = receives(cast).map(({ state }) => state)
  expect({ payer: pays, reclaim: reclaims, payee: got }).toEqual(end)
  const inHand = payer.totals().spendable + payee.totals().spendable
  const worth = payer.worth() + payee.worth()
  expect([inHand, worth]).toEqual([money + extra, money + extra])
  expect([...payer.reports, ...payee.reports]).toEqual([])
  world.forget(payer, payee)
}

/** Every order of so many of these letters. */
function orders(letters: string, length: number): string[] {
  if (length === 0) return ['']
  return [...letters].flatMap((letter) =>
    orders(letters.replace(letter, ''), length - 1).map((rest) => `${letter}${rest}`),
  )
}
const ofTwoOrMore = (letters: string) =>
  Array.from({ length: letters.length - 1 }, (_, more) => orders(letters, more + 2)).flat()

/** What comes first of these. */
const firstOf = (order: string, letters: string) => [...order].find((letter) => letters.includes(letter)) ?? ''

const long = isWhole ? 60 * 60_000 : 600_000
const inParts = (name: string, all: readonly string[], isBounded: (order: string) => boolean): readonly string[] => {
  const tried = isWhole ? all : all.filter(isBounded)
  const rest = tried.length < all.length ? ' (the rest in npm run test:crash)' : ''
  console.log(`races, ${name}: ${tried.length} of ${all.length} orders${rest}`)
  return tried
}

describe('payer settles (P), payee settles (E), the payer takes it back (R)', () => {
  test(
    'whoever comes first is right, and the others learn it',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      for (const order of inParts('alive', ofTwoOrMore('PER'), () => true)) {
        const cast = await signed(world)
        const { id } = cast
        await bothSettle(cast)
        if (order.includes('R')) await takeBack(cast, id)
        await play(cast, order, arrivalsOf(cast, id))
        const isTakenBack = order.startsWith('R')
        expectEnd(cast, 0, {
          payer: [isTakenBack ? 'reclaimed' : 'final'],
          reclaim: order.includes('R') ? [isTakenBack ? 'done' : 'lost'] : [],
          payee: [isTakenBack ? 'bounced' : 'final'],
        })
      }
    },
    long,
  )

  test(
    'also when the mint has rotated its keyset, and the same swap is asked for in other bytes',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      for (const order of orders('PER', 3)) {
        const cast = await signed(world)
        const { payer, payee, id } = cast
        world.clock.move(testConfig.settleDelayMs[1])
        await step(payer, id)
        world.mint.rotate()
        for (const wallet of [payer, payee]) await wallet.look()
        await step(payee, payee.incoming().id)
        expect(sent(cast, 'payer', payer.payment(id))).not.toBe(sent(cast, 'payee', payee.incoming()))
        await takeBack(cast, id)
        // A swap into a keyset that is not active any more is refused.
        await play(cast, order, arrivalsOf(cast, id))
        const isTakenBack = firstOf(order, 'ER') === 'R'
        expectEnd(cast, 0, {
          payer: [isTakenBack ? 'reclaimed' : 'final'],
          reclaim: [isTakenBack ? 'done' : 'lost'],
          payee: [isTakenBack ? 'bounced' : 'final'],
        })
      }
    },
    long,
  )
})

describe('an output of the payee is signed for somebody else (S), P, E, R', () => {
  test(
    'it is final, taken back, or signed anew and final',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      const all = ofTwoOrMore('SPER').filter((order) => order.includes('S'))
      for (const order of inParts(
        'signed elsewhere',
        all,
        (one) => one.length < 4 && !(one.includes('P') && one.includes('E')),
      )) {
        const cast = await signed(world)
        const { payer, payee, id } = cast
        await bothSettle(cast)
        if (order.includes('R')) await takeBack(cast, id)
        const { B_ } = payee.incoming().outputs[0]!
        let extra = 0
        const arrivals = {
          P: () => arrive(cast, sent(cast, 'payer', payer.payment(id))),
          E: () => arrive(cast, sent(cast, 'payee', receives(cast).at(-1)!)),
          R: () => arrive(cast, sent(cast, 'payer', reclaimOf(cast))),
          // The mint signs no output twice: after the payment it refuses.
          S: () =>
            signElsewhere(world, B_, 1).then(
              () => extra++,
              () => {},
            ),
        }
        await play(cast, order, arrivals)
        const first = firstOf(order, 'SPER')
        const isPaid = first === 'P' || first === 'E' || !order.includes('R')
        const isAnew = first === 'S' && !order.includes('R')
        // Signed elsewhere before they were taken back: what the payee saw first.
        const [{ state } = { state: '' }] = receives(cast)
        const sadEnd = first === 'S' && state === 'dead' ? 'dead' : 'bounced'
        expect({ order, extra }).toEqual({ order, extra: first === 'P' || first === 'E' ? 0 : 1 })
        expectEnd(cast, extra, {
          payer: isAnew ? ['final', 'replaced'] : [isPaid ? 'final' : 'reclaimed'],
          reclaim: order.includes('R') ? [isPaid ? 'lost' : 'done'] : [],
          payee: isAnew ? ['final', 'replaced'] : [isPaid ? 'final' : sadEnd],
        })
      }
    },
    long,
  )
})

describe('a dead payment signed anew: its late old swap (L), payer settles the new one (N), payee does (M), R', () => {
  /** Both have the new signature, and both have sent its swap. */
  async function signedAnew(world: World): Promise<Cast & { readonly anew: string; readonly late: string }> {
    const cast = await signed(world)
    const { payer, payee, id } = cast
    await bothSettle(cast)
    const late = sent(cast, 'payer', payer.payment(id))
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    await world.rest(20 * minuteMs)
    const dead = inState(payer.payment(id), 'replaced')
    const anew = dead.replacedBy ?? ''
    inState(payer.payment(anew), 'signed')
    inState(payee.incoming(), 'signed')
    world.clock.move(testConfig.settleDelayMs[1])
    await step(payer, anew)
    await step(payee, payee.incoming().id)
    return { ...cast, anew, late }
  }

  test(
    'the old one never passes; the new one and the way back are a race like any other',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      const isBounded = (order: string) => order.length === 2 || (order.length === 3 && !order.includes('L'))
      for (const order of inParts('signed anew', ofTwoOrMore('LNMR'), isBounded)) {
        const cast = await signedAnew(world)
        const { payer, id, anew, late } = cast
        if (order.includes('R')) await takeBack(cast, anew)
        const ofAnew = arrivalsOf(cast, anew)
        await play({ ...cast, id: anew }, order, {
          L: async () => expect((await arrive(cast, late)).status).not.toBe(200),
          N: ofAnew['P']!,
          M: ofAnew['E']!,
          R: ofAnew['R']!,
        })
        expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
        const isTakenBack = firstOf(order, 'NMR') === 'R'
        expectEnd(cast, 1, {
          payer: [isTakenBack ? 'reclaimed' : 'final', 'replaced'],
          reclaim: order.includes('R') ? [isTakenBack ? 'done' : 'lost'] : [],
          payee: [isTakenBack ? 'bounced' : 'final', 'replaced'],
        })
      }
    },
    long,
  )
})

describe('after a void: the payee settles nevertheless (C), the payer takes it back (R)', () => {
  test(
    'the void frees no coin; whoever comes first is right, and a cheat is seen',
    async () => {
      const world = await openWorld()
      world.isCookingBooks = true
      for (const order of ['C', 'R', 'CR', 'RC']) {
        const cast = await signed(world, { single: 4, total: 4, perHour: 9 })
        const { payer, payee, id } = cast
        inState(payer.payment(id), 'voided')
        inState(payee.incoming(), 'refused')
        expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: money })
        await world.rest()
        expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: money })
        if (order.includes('R')) {
          expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
          await takeBack(cast, id)
          expect(payer.totals()).toMatchObject({ spendable: 0, reserved: money })
        }
        const { inputs, outputs, signature } = swapOf(payer.payment(id))
        const keyset = await world.mint.keysetId()
        const swap = {
          inputs: inputs.map(({ Y: _, ...proof }, index) =>
            index === 0 ? { ...proof, witness: JSON.stringify({ signatures: [signature] }) } : proof,
          ),
          outputs: outputs.map((output) => ({ ...output, id: keyset })),
        }
        await play(cast, order, {
          C: () => arrive(cast, JSON.stringify(swap)),
          R: () => arrive(cast, sent(cast, 'payer', reclaimOf(cast))),
        })
        const isTakenBack = order.startsWith('R')
        expectEnd(cast, 0, {
          payer: [isTakenBack ? 'reclaimed' : 'final'],
          reclaim: order.includes('R') ? [isTakenBack ? 'done' : 'lost'] : [],
          payee: [isTakenBack ? 'refused' : 'final'],
        })
      }
    },
    long,
  )
})
