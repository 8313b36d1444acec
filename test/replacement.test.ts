// A dead payment is signed anew (protocol section 8), by two wallets and the real mint: same coins, same payee, same
// amount, nobody is asked and nobody can lose by it. The books balance after every test (engine-fixture.ts).

import { describe, expect, test } from 'vitest'
import { type History, paymentDetailView } from '../electron/views.ts'
import type { EngineConfig } from '../electron/wallet/context.ts'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import type { Operation, OperationIn, OperationOf } from '../electron/wallet/operation.ts'
import { maxReplacements, predecessors } from '../electron/wallet/replaced.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import {
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeFrame,
  helloSchema,
  refusalSchema,
  termsSchema,
} from '../shared/messages.ts'
import {
  always,
  cutOff,
  dayMs,
  expectConserved,
  type Fault,
  goodLink,
  honest,
  hourMs,
  inState,
  type Link,
  lostAnswer,
  lostFrames,
  lostReplies,
  lostRequest,
  type MintDouble,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'

type Cast = { readonly world: World; readonly payer: TestWallet; readonly payee: TestWallet; readonly id: string }

/** Handed over while nobody could reach the mint; then the payee's smallest output is signed for somebody's own money. */
async function signedElsewhere(world: World, amount = 13, config: Partial<EngineConfig> = {}): Promise<Cast> {
  const { payer, payee } = await payerAndPayee(world, { config })
  await cutOff(payer, payee)
  const id = await payer.pay(payee, amount)
  inState(payer.payment(id), 'signed')
  inState(payee.incoming(), 'signed')
  await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
  return { world, payer, payee, id }
}

/** …and the payer has seen it twice, while it does not reach the payee. */
async function dead(world: World, amount?: number, config?: Partial<EngineConfig>): Promise<Cast> {
  const cast = await signedElsewhere(world, amount, config)
  cast.payee.isListening = false
  await reconnect(cast.payer)
  await world.rest(10 * minuteMs)
  inState(cast.payer.payment(cast.id), 'dead')
  return cast
}

/** Swaps other than this payment's go wrong. */
const exceptFor =
  (operation: Operation, fault: Fault): MintDouble =>
  (real) => ({
    ...real,
    swap: (body) => (body.includes(swapOf(operation).signature) ? real.swap(body) : fault(() => real.swap(body))),
  })

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused with a code: ${error}`)
  return error.code
}

const pays = ({ store }: TestWallet): OperationOf<'pay'>[] =>
  store.read.operations({ kind: 'pay' }).flatMap((one) => (one.kind === 'pay' ? [one] : []))
const receives = ({ store }: TestWallet): OperationOf<'receive'>[] =>
  store.read.operations({ kind: 'receive' }).flatMap((one) => (one.kind === 'receive' ? [one] : []))
const states = (operations: readonly Operation[]) => operations.map(({ state }) => state)
/** What people see in their list. */
const shown = ({ store }: TestWallet) =>
  states(store.read.payments({ before: null, limit: 9, search: '', filter: 'all' }).operations)
/** The one that signs it anew. */
function anewOf({ payer, id }: Cast): OperationOf<'pay'> {
  const { replacedBy } = payer.payment(id) as { replacedBy: string | null }
  if (replacedBy === null) throw new Error('nothing signs it anew')
  return payer.payment(replacedBy)
}
const swapOf = (operation: Operation) => {
  if (!('swap' in operation)) throw new Error(`no swap in ${operation.state}`)
  return operation.swap
}
const YsOf = (operation: Operation) => swapOf(operation).inputs.map(({ Y }) => Y)
const helloOf = ({ hello }: OperationOf<'pay'>) => decodeBody(helloSchema, hexToBytes(hello))
const timeline = ({ store }: TestWallet, operation: OperationOf<'pay'> | OperationOf<'receive'>) => {
  const facts = { mintUrl: '', now: 0, payee: null, reclaim: 'no' } as const
  const before: History[] = predecessors(store, operation)
    .toReversed()
    .map(({ id }) => store.read.history(id))
  return paymentDetailView(operation, facts, store.read.history(operation.id), before).timeline
}

/** Nobody can be framed by what was signed; one payment is what both have; the coins moved once. */
function expectPaidOnce({ world, payer, payee }: Cast, change: number): void {
  const claims = [...pays(payer), ...receives(payee)].flatMap((one) => ('claim' in one && one.claim ? [one.claim] : []))
  const messages = claims.map(({ body, sig }) => ({ body: hexToBytes(body), sig: hexToBytes(sig) }))
  expect(findDoubleSpend(messages)).toBeUndefined()
  expect([shown(payer), shown(payee)]).toEqual([['final'], ['final']])
  expect(payer.totals()).toMatchObject({ spendable: change, reserved: 0, handed_over: 0 })
  expectConserved(world)
}

describe('a dead payment', () => {
  test('is signed anew by itself, and becomes final on both sides', async () => {
    const world = await openWorld()
    const cast = await signedElsewhere(world)
    const { payer, payee, id } = cast
    await reconnect(payer, payee)
    await world.rest()
    const [first, anew] = [payer.payment(id), anewOf(cast)]
    expect([first.state, anew.state]).toEqual(['replaced', 'final'])
    expect(YsOf(anew)).toEqual(YsOf(first))
    expect(anew).toMatchObject({ amount: 13, payeeKey: (first as { payeeKey: string }).payeeKey, memo: first.memo })
    const B_s = [first, anew].flatMap((one) => swapOf(one).outputs.map(({ B_ }) => B_))
    expect(new Set(B_s).size).toBe(B_s.length)
    expect(bytesToHex(helloOf(anew).replaces!)).toBe(swapOf(first).digest)
    expect(helloOf(anew).paymentId).not.toEqual(helloOf(first as OperationOf<'pay'>).paymentId)
    expect(states(receives(payee))).toEqual(['final', 'replaced'])
    // 13, and the coin of 1 that somebody had signed on its output: it rests until a swap to itself has settled.
    expect(payee.totals()).toMatchObject({ spendable: 13, quarantined: 1 })
    await payee.look()
    await world.rest()
    expect(payee.totals()).toMatchObject({ spendable: 14, quarantined: 0 })
    expectPaidOnce(cast, 51)
  })

  test.each<[string, (row: OperationIn<'pay', 'dead'>, other: string) => object]>([
    ['to another payee', (_, payeeKey) => ({ payeeKey, expectedKey: payeeKey })],
    ['under other Terms', ({ terms }) => ({ terms: { ...terms, body: terms.body.replace(/..$/, 'ff') } })],
    ['with other outputs', ({ swap }) => ({ swap: { ...swap, outputs: swap.outputs.slice(1) } })],
    ['without a signature', ({ claim }) => ({ claim: { ...claim, sig: '00'.repeat(64) } })],
  ])('that these coins were never promised in, as a row from a file may say, is not: %s', async (_, change) => {
    const world = await openWorld()
    const { payer, payee, id } = await signedElsewhere(world)
    payee.isListening = false
    await reconnect(payer)
    const { store } = payer
    const row = payer.payment(id)
    inState(row, 'signed')
    const made = { ...row, state: 'dead', ...change(row as never, bytesToHex(payer.engine.payeeKey)) } as Operation
    store.transaction((write) => write.updateOperation({ ...made, nextAttemptAt: world.clock.now() }))
    await world.rest(10 * minuteMs)
    expect(pays(payer)).toHaveLength(1)
    expect(payer.payment(id)).toMatchObject({ state: 'dead', replacedBy: null })
  })

  test('with a fee costs what the first signature would have cost, and the fee is counted once', async () => {
    const world = await openWorld({ feePpk: 100 })
    const cast = await signedElsewhere(world)
    world.heal()
    await world.rest()
    expect(cast.payer.fees()).toBe(1)
    expectPaidOnce(cast, 50)
  })

  test('of which the payer’s own change was signed elsewhere is signed anew too', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    const forPayee = new Set(payee.incoming().outputs.map(({ B_ }) => B_))
    const change = swapOf(payer.payment(id)).outputs.filter(({ B_ }) => !forPayee.has(B_))
    await signElsewhere(world, change[0]!.B_, 1)
    world.heal()
    await world.rest()
    expect(payee.totals().spendable).toBe(13)
    expectPaidOnce({ world, payer, payee, id }, 52)
  })

  test('tells one story: what happened to the first is how the second begins', async () => {
    const world = await openWorld()
    const cast = await signedElsewhere(world)
    world.heal()
    await world.rest()
    const outgoing = timeline(cast.payer, anewOf(cast))
    expect(outgoing.map(({ state }) => state)).toEqual([
      'preparing',
      'on_its_way',
      'signed',
      'dead',
      'replaced',
      'on_its_way',
      'final',
    ])
    const incoming = timeline(cast.payee, cast.payee.incoming())
    expect(incoming.map(({ state }) => state)).toEqual(['awaited', 'signed', 'dead', 'replaced', 'final'])
    for (const story of [outgoing, incoming]) {
      expect(story.map(({ at }) => at)).toEqual(story.map(({ at }) => at).sort((a, b) => a - b))
    }
  })

  test('is shown until the other stands in its place, and then as that one', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    expect([shown(cast.payer), anewOf(cast).state]).toEqual([['dead'], 'asking'])
    expect(states(cast.payer.store.read.operations({ isPayment: true }))).toEqual(['dead'])
    world.heal()
    await world.rest()
    expect(shown(cast.payer)).toEqual(['final'])
    expect(states(cast.payer.store.read.operations({ isPayment: true }))).toEqual(['final'])
  })

  test('that never left is a payment like any other: its payee knows of nothing to replace', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest()
    const anew = anewOf({ world, payer, payee, id })
    expect([payer.payment(id).state, anew.state]).toEqual(['replaced', 'final'])
    expect(helloOf(anew).replaces).toBeUndefined()
    expect(YsOf(anew)).toEqual(YsOf(payer.payment(id)))
    expect(states(receives(payee))).toEqual(['final', 'terms'])
    expectPaidOnce({ world, payer, payee, id }, 51)
  })

  test('leaves no stream to the payee open', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    await payer.run(() => payer.engine.confirmPay(id))
    payee.isListening = false
    await world.rest(10 * minuteMs)
    expect([payer.payment(id).state, payer.openStreams]).toEqual(['dead', 0])
  })

  test('of a mint that is paid with online only is signed anew as well', async () => {
    const world = await openWorld()
    const foreign: MintDouble = (real) => ({
      ...real,
      info: async () => {
        const answer = await real.info()
        return answer.kind === 'ok' ? { ...answer, value: { ...answer.value, version: 'Nutshell/0.17' } } : answer
      },
    })
    const [payer, payee] = [
      await world.wallet('payer', { knowsMint: false }),
      await world.wallet('payee', { knowsMint: false }),
    ]
    for (const wallet of [payer, payee]) {
      wallet.mint = foreign
      await wallet.engine.mints.add(world.mint.url())
    }
    await payer.withdraw(64)
    const { id } = await payer.prepare(payee, 13)
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest()
    expect(anewOf({ world, payer, payee, id })).toMatchObject({ state: 'final', handedOver: false })
    expectPaidOnce({ world, payer, payee, id }, 51)
  })

  test('is handed over anew, signed, when the mint is slow; the payee settles it', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee } = cast
    payer.mint = exceptFor(payer.payment(cast.id), lostRequest)
    payee.mint = exceptFor(payer.payment(cast.id), lostRequest)
    payee.isListening = true
    await world.rest()
    expect([anewOf(cast).state, payee.incoming().state]).toEqual(['signed', 'signed'])
    expect(payee.incoming()).toMatchObject({ claim: { sig: (anewOf(cast) as { claim: { sig: string } }).claim.sig } })
    expect([shown(payer), shown(payee)]).toEqual([['signed'], ['signed']])
    for (const Y of YsOf(anewOf(cast))) expect(payee.store.read.seenBy(Y)).toBe(payee.incoming().id)
    world.heal()
    await world.rest()
    expectPaidOnce(cast, 51)
  })

  test('of coins whose keyset was rotated is signed anew', async () => {
    const world = await openWorld()
    const cast = await signedElsewhere(world)
    world.mint.rotate({ feePpk: 1000 })
    world.heal()
    await world.rest()
    expect(anewOf(cast)).toMatchObject({ fee: 0 })
    expectPaidOnce(cast, 51)
  })
})

describe('somebody is not there', () => {
  test('the payee is back a week later: it waits, and is asked again', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    await world.pass(7 * dayMs)
    expect(anewOf(cast)).toMatchObject({ state: 'asking', lastError: 'peer_unreachable' })
    world.heal()
    await world.rest()
    expectPaidOnce(cast, 51)
  }, 120_000)

  test('the payee is there, but has not seen that it is dead: it says "later", and looks', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    cast.payee.isListening = true
    await world.rest()
    expect([anewOf(cast).state, anewOf(cast).lastError]).toEqual(['asking', 'not_settled'])
    await reconnect(cast.payee)
    await world.rest()
    expectPaidOnce(cast, 51)
  })

  test('the payer has no connection: nobody is asked and nothing signed until it has', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee } = cast
    await reconnect(payee)
    await cutOff(payer)
    payee.isListening = true
    world.frames.length = 0
    await world.rest(hourMs)
    expect(world.frames).toEqual([])
    expect(anewOf(cast)).toMatchObject({ state: 'asking', lastError: 'the mint cannot be reached' })
    await reconnect(payer)
    await world.rest()
    expectPaidOnce(cast, 51)
  })

  test('thirty days after the deadline of the first Terms it is given up, and a person takes the coins back', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    world.clock.move(37 * dayMs - hourMs)
    await world.rest(10 * minuteMs)
    expect(anewOf(cast).state).toBe('asking')
    expect(payer.engine.undecided()).toEqual([])
    world.clock.move(2 * hourMs)
    await world.rest(10 * minuteMs)
    expect(anewOf(cast)).toMatchObject({ state: 'abandoned', reason: 'terms_expired' })
    expect(payer.payment(id)).toMatchObject({ state: 'dead', lastError: 'terms_expired' })
    expect(payer.engine.undecided()).toMatchObject([{ id }])
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 64])
    expect(payee.totals().spendable).toBe(0)
  })
})

describe('unknown is never No:', () => {
  /** Terms are there, and the mint says what it wants of the first swap. */
  async function agreedWith(double: MintDouble) {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee } = cast
    payee.isListening = true
    await reconnect(payee)
    await payee.run(() => payee.engine.runner.runDue())
    world.clock.move(minuteMs)
    await payee.run(() => payee.engine.runner.runDue())
    expect(payee.incoming().state).toBe('dead')
    payer.mint = double
    await world.rest()
    return cast
  }

  const nothingSigned: MintDouble = (real) => ({ ...real, restore: async () => ({ kind: 'ok', value: [] }) })
  const saysInputsAre =
    (state: 'SPENT' | 'PENDING'): MintDouble =>
    (real) => ({ ...real, checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => state) }) })

  test.each<[string, MintDouble]>([
    ['does not say what is spent', always(['checkState'], lostAnswer)],
    ['does not say what is signed', always(['restore'], lostAnswer)],
    ['says that a coin is pending', saysInputsAre('PENDING')],
    ['says that the coins are spent', saysInputsAre('SPENT')],
    ['has forgotten what it signed: the first one could pass', nothingSigned],
  ])('a mint that %s gets no second signature', async (_what, double) => {
    const cast = await agreedWith(double)
    expect(anewOf(cast)).toMatchObject({ state: 'agreed' })
    expect(cast.payer.payment(cast.id).state).toBe('dead')
    expect(cast.payer.openStreams).toBe(0)
    cast.world.heal()
    await cast.world.rest()
    expectPaidOnce(cast, 51)
  })
})

describe('what comes back from the payee', () => {
  const refusing =
    (code: Parameters<typeof refusalOf>[0]): Link =>
    async (kind, exchange, frame) =>
      kind === 'hello' && isReplacement(frame) ? refusalOf(code) : exchange()
  const refusalOf = (code: AppError['code']) =>
    encodeFrame({
      refusal: { body: encodeBody(refusalSchema, { code, at: 1 }), sig: new Uint8Array(64) },
    })
  const isReplacement = (frame: Uint8Array) => {
    const decoded = decodeFrame(frame)
    return 'hello' in decoded && decodeBody(helloSchema, decoded.hello).replaces !== undefined
  }

  test.each(['bad_frame', 'not_found', 'conflict', 'request_closed'] as const)(
    'a payee that answers %s is believed: it stays dead, and says why',
    async (code) => {
      const world = await openWorld()
      const cast = await dead(world)
      const { payer, payee, id } = cast
      payee.isListening = true
      payer.link = refusing(code)
      await world.rest()
      expect(anewOf(cast)).toMatchObject({ state: 'abandoned', reason: code })
      expect(payer.payment(id)).toMatchObject({ state: 'dead', lastError: code })
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
      await world.pass(3 * dayMs)
      expect(pays(payer)).toHaveLength(2)
      expect(payer.payment(id)).toMatchObject({ state: 'dead', lastError: code })
    },
  )

  test.each(['too_many_terms', 'limit_total', 'keyset_unknown', 'internal'] as const)(
    'a payee that answers %s is asked again',
    async (code) => {
      const world = await openWorld()
      const cast = await dead(world)
      cast.payee.isListening = true
      await reconnect(cast.payee)
      cast.payer.link = refusing(code)
      await world.rest(10 * minuteMs)
      expect(anewOf(cast)).toMatchObject({ state: 'asking', lastError: code })
      world.heal()
      await world.rest()
      expectPaidOnce(cast, 51)
    },
  )

  test.each<[string, Link]>([
    ['Hello', lostFrames('hello', 3)],
    ['Terms', lostReplies('hello', 3)],
    ['Handover', lostFrames('handover', 3)],
    ['Receipt', lostReplies('handover', 3)],
  ])('a lost %s: the same frames go out again, and it is paid once', async (_what, link) => {
    const world = await openWorld()
    const cast = await dead(world)
    cast.payee.isListening = true
    await reconnect(cast.payee)
    await world.rest(minuteMs)
    cast.payer.link = link
    await world.rest()
    world.heal()
    await world.rest()
    expect([pays(cast.payer).length, receives(cast.payee).length]).toEqual([2, 2])
    expectPaidOnce(cast, 51)
  })

  test('Terms under another key are no answer of the payee: nothing is signed for somebody else, and it is asked again', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    // Somebody else answers under the address of the payee.
    const thief = await world.wallet('thief')
    payer.link = (kind, exchange, frame) => {
      if (kind !== 'hello') return exchange()
      return thief.engine.payee.onHello(withoutReplaces(frame), {
        payerPeer: new Uint8Array(38).fill(1),
        payeePeer: new Uint8Array(38).fill(2),
        address: '10.0.0.9',
      })
    }
    payee.isListening = true
    await world.rest(10 * minuteMs)
    expect(anewOf(cast)).toMatchObject({ state: 'asking', lastError: 'wrong_payee' })
    inState(payer.payment(id), 'dead')
    expect(thief.totals().spendable).toBe(0)
    payer.link = goodLink
    await reconnect(payee)
    await world.rest(hourMs)
    expectPaidOnce(cast, 51)
  })

  const withoutReplaces = (frame: Uint8Array) => {
    const decoded = decodeFrame(frame)
    if (!('hello' in decoded)) throw new Error('no Hello')
    const { replaces: _, ...hello } = decodeBody(helloSchema, decoded.hello)
    return encodeFrame({ hello: encodeBody(helloSchema, hello) })
  }

  test('a void: nothing is signed a third time, and a person takes the coins back', async () => {
    const world = await openWorld()
    const config = { limits: { single: 13, total: 13, perHour: 9 } }
    const cast = await dead(world, 13, config)
    const { payer, payee, id } = cast
    await reconnect(payee)
    payer.mint = exceptFor(payer.payment(id), lostRequest)
    payer.link = lostFrames('handover')
    payee.isListening = true
    await world.rest()
    expect(anewOf(cast).state).toBe('handing_over')
    // Without the mint for a day it takes half as much.
    await cutOff(payee)
    world.clock.move(2 * dayMs)
    payer.link = goodLink
    await world.rest()
    expect(anewOf(cast).state).toBe('voided')
    expect([shown(payer), shown(payee)]).toEqual([['voided'], ['refused', 'dead']])
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
    payer.mint = honest
    await payer.run(() => payer.engine.reclaim(anewOf(cast).id, false))
    world.heal()
    await world.rest()
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'reclaimed'])
    expect(payer.totals().spendable).toBe(64)
  })
})

describe('what is not signed anew', () => {
  test('a payment that the payee refused: nobody asks for it again', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    const payee = await world.wallet('payee', { config: { limits: { single: 10, total: 10, perHour: 10 } } })
    await payer.withdraw(64)
    const { id } = await payer.prepare(payee, 13)
    await cutOff(payer, payee)
    await payer.run(() => payer.engine.confirmPay(id))
    inState(payer.payment(id), 'voided')
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    world.heal()
    await world.pass(2 * dayMs)
    expect(payer.payment(id)).toMatchObject({ state: 'dead', replacedBy: null })
    expect(pays(payer)).toHaveLength(1)
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
  })

  test('a payment whose payee offers the very outputs that are dead: an older copy of its wallet', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    const { B_ } = payee.incoming().outputs[0]!
    await signElsewhere(world, B_, 1)
    world.forget(payee)
    // Opened empty, with the same phrase: it gives out the same purse again.
    const copy = await world.wallet('payee')
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest()
    expect(copy.incoming().outputs.map((output) => output.B_)).toContain(B_)
    expect(anewOf({ world, payer, payee: copy, id })).toMatchObject({ state: 'abandoned', reason: 'bad_terms' })
    expect(payer.payment(id)).toMatchObject({ state: 'dead', lastError: 'bad_terms' })
    expect(payer.openStreams).toBe(0)
    await world.pass(2 * hourMs)
  })
})

/** Two readings as payee, while it is not asked. */
async function payeeSees({ world, payee }: Cast): Promise<void> {
  await reconnect(payee)
  for (let reading = 0; reading < 2; reading++) {
    await payee.run(() => payee.engine.runner.runDue())
    world.clock.move(testConfig.readingGapMs)
  }
  inState(payee.incoming(), 'dead')
}

describe('a replacement that dies as well', () => {
  /** Whatever Terms the payer gets, somebody has one of their outputs signed before it signs. */
  const spoilingTerms =
    ({ world }: Cast, times: number): Link =>
    async (kind, exchange) => {
      const answer = await exchange()
      const decoded = decodeFrame(answer)
      if (kind !== 'hello' || !('terms' in decoded) || times-- <= 0) return answer
      const { outputs } = decodeBody(termsSchema, decoded.terms.body)
      await signElsewhere(world, bytesToHex(outputs[0]![1]), 1)
      return answer
    }

  test('is signed anew in its turn; the payee is told of the last one that it was handed', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    await payeeSees(cast)
    payer.link = spoilingTerms(cast, 2)
    payee.isListening = true
    await world.rest(hourMs)
    expect(states(pays(payer))).toEqual(['final', 'replaced', 'replaced', 'replaced'])
    const [last] = pays(payer)
    expect(predecessors(payer.store, last!).at(-1)?.id).toBe(id)
    const { digest } = swapOf(payer.payment(id))
    expect(pays(payer).map((one) => helloOf(one).replaces && bytesToHex(helloOf(one).replaces!))).toEqual([
      digest,
      digest,
      digest,
      undefined,
    ])
    expectPaidOnce(cast, 51)
    expect(timeline(payer, last!).map(({ state }) => state)).toEqual([
      ...['preparing', 'on_its_way', 'signed', 'dead', 'replaced'],
      ...['on_its_way', 'dead', 'replaced', 'on_its_way', 'dead', 'replaced', 'on_its_way', 'final'],
    ])
  }, 60_000)

  test('that was handed over is named itself', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee } = cast
    await payeeSees(cast)
    payer.mint = exceptFor(payer.payment(cast.id), lostRequest)
    payee.mint = always(['swap'], lostRequest)
    payee.isListening = true
    await world.rest(20 * minuteMs)
    const second = anewOf(cast)
    expect([second.state, payee.incoming().state]).toEqual(['signed', 'signed'])
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    world.heal()
    await world.rest(hourMs)
    expect(states(pays(payer))).toEqual(['final', 'replaced', 'replaced'])
    expect(states(receives(payee))).toEqual(['final', 'replaced', 'replaced'])
    expect(bytesToHex(helloOf(pays(payer)[0]!).replaces!)).toBe(swapOf(second).digest)
    expectPaidOnce(cast, 51)
  }, 60_000)

  test('again and again needs a person after a while', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee } = cast
    await payeeSees(cast)
    payer.link = spoilingTerms(cast, Number.POSITIVE_INFINITY)
    payee.isListening = true
    await world.rest(2 * hourMs)
    const [last] = pays(payer)
    expect(states(pays(payer))).toEqual(['dead', ...Array(maxReplacements).fill('replaced')])
    await world.pass(2 * dayMs)
    expect(pays(payer)).toHaveLength(maxReplacements + 1)
    expect([shown(payer), shown(payee)]).toEqual([['dead'], ['dead']])
    expect(payer.engine.reclaimable(last!)).toBe('free')
    await payer.run(() => payer.engine.reclaim(last!.id, false))
    await world.rest()
    expect([shown(payer), payer.totals().spendable]).toEqual([['reclaimed'], 64])
  }, 120_000)
})

describe('a person takes it back', () => {
  test('before it is signed anew: then it never is', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    const anew = anewOf(cast)
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
    await payer.run(() => payer.engine.reclaim(id, false))
    expect([payer.payment(id).state, payer.payment(anew.id).state]).toEqual(['reclaiming', 'abandoned'])
    world.heal()
    await world.rest()
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 64])
    expect(states(receives(payee))).not.toContain('final')
    await world.pass(2 * dayMs)
    expect(pays(payer)).toHaveLength(2)
  })

  test.each([
    ['the payee is asked', 'hello'],
    ['the mint is asked', 'facts'],
  ] as const)('while %s: what comes back is too late to sign', async (_what, where) => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    await payeeSees(cast)
    const anew = anewOf(cast)
    payee.isListening = true
    let release = () => {}
    let arrived = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const isHeld = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const hold = async <T>(work: () => Promise<T>): Promise<T> => {
      const value = await work()
      arrived()
      await held
      return value
    }
    if (where === 'hello') payer.link = (kind, exchange) => (kind === 'hello' ? hold(exchange) : exchange())
    else payer.mint = (real) => ({ ...real, restore: (outputs) => hold(() => real.restore(outputs)) })
    const step = payer.run(() => payer.engine.runner.runNow(anew.id))
    await isHeld
    await payer.run(() => payer.engine.reclaim(id, false))
    release()
    await step
    expect(payer.payment(anew.id).state).toBe('abandoned')
    expect(payer.openStreams).toBe(0)
    world.heal()
    await world.rest()
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 64])
  })

  test('after it was signed anew: the new one is taken back, and the old one cannot be', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    const { payer, payee, id } = cast
    await payeeSees(cast)
    payer.mint = exceptFor(payer.payment(id), lostRequest)
    await cutOff(payee)
    payee.isListening = true
    await world.rest(20 * minuteMs)
    const anew = anewOf(cast)
    expect([payer.payment(id).state, anew.state, payee.incoming().state]).toEqual(['replaced', 'signed', 'signed'])
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
    expect(await refused(payer.engine.reclaim(id, true))).toBe('wrong_state')
    expect(payer.engine.reclaimable(anew)).toBe('warned')
    await reconnect(payer)
    await payer.run(() => payer.engine.reclaim(anew.id, true))
    await world.rest()
    expect(payer.totals().spendable).toBe(64)
    world.heal()
    await world.rest()
    expect([shown(payer), shown(payee)]).toEqual([['reclaimed'], ['bounced']])
  })

  test('what signs another anew is confirmed by nobody, and never with other coins', async () => {
    const world = await openWorld()
    const cast = await dead(world)
    await payeeSees(cast)
    cast.payer.mint = always(['checkState'], lostAnswer)
    cast.payee.isListening = true
    await world.rest()
    expect(anewOf(cast).state).toBe('agreed')
    expect(await refused(cast.payer.engine.confirmPay(anewOf(cast).id))).toBe('wrong_state')
  })
})

describe('what it must not cost', () => {
  test('a fee above the first one’s: it stays dead, and says so', async () => {
    const world = await openWorld({ feePpk: 100 })
    const cast = await dead(world)
    const { payer, payee, id } = cast
    await payeeSees(cast)
    const first = inState(payer.payment(id), 'dead')
    payer.store.transaction((write) => write.updateOperation({ ...first, fee: 0 }))
    payee.isListening = true
    await world.rest()
    expect(anewOf(cast)).toMatchObject({ state: 'abandoned', reason: 'wrong_fee' })
    expect(payer.payment(id)).toMatchObject({ state: 'dead', lastError: 'wrong_fee' })
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
  })

  test('another payment for a single-use request: it stays closed for others, and open for itself', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { config: { coinsOfEach: 4 } })
    const { id: requestId = '', payeeKey } = payee.engine.createRequest({
      account: 0,
      unit: 'sat',
      amount: 5,
      singleUse: true,
    })
    const order = { requestId, expectedKey: payeeKey, isSingleUse: true }
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 5, order)
    const cast = { world, payer, payee, id }
    await signElsewhere(world, payee.incoming().outputs[0]!.B_, 1)
    payee.isListening = false
    await reconnect(payer, payee)
    await world.rest(10 * minuteMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['dead', 'dead'])
    expect(await refused(payer.prepare(payee, 5, order))).toBe('conflict')
    payee.isListening = true
    await world.rest()
    expect([anewOf(cast).state, payee.incoming().requestId]).toEqual(['final', requestId])
    expect(await refused(payer.prepare(payee, 5, order))).toBe('request_closed')
    expect([shown(payer), shown(payee)]).toEqual([['final'], ['final']])
  })

  test('a refresh: purses are re-keyed although a payment waits to be signed anew', async () => {
    const world = await openWorld()
    const soon = { refreshDelayMs: [minuteMs, minuteMs] as const, coinsOfEach: 4 }
    const cast = await dead(world, 5, soon)
    expect(anewOf(cast).state).toBe('asking')
    await world.pass(hourMs)
    expect(cast.payer.refreshes().map(({ reason, state }) => [reason, state])).toContainEqual(['rekey', 'done'])
    expect(anewOf(cast).state).toBe('asking')
  })
})

describe('the first one passes after all: a mint had answered from an old copy', () => {
  /** What the mint says of the first swap as long as it looks at its old copy: nothing spent, one output signed. */
  const oldCopy: MintDouble = (real) => ({
    ...real,
    swap: async () => ({ kind: 'unknown', reason: 'status 503', reachable: true }),
    checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'UNSPENT') }),
    restore: async (outputs) => {
      const answer = await real.restore(outputs)
      return answer.kind === 'ok' ? { ...answer, value: answer.value.slice(0, 1) } : answer
    },
  })

  test('it was paid once: the first is final, and what signed it anew steps aside', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    const cast = { world, payer, payee, id }
    await settleAtMint(world, payer.payment(id))
    payer.mint = oldCopy
    payee.mint = oldCopy
    await world.rest(20 * minuteMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'signed'])
    expect(states(receives(payee))).toEqual(['signed', 'replaced'])
    world.heal()
    await world.rest()
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['final', 'replaced'])
    expect(states(receives(payee))).toEqual(['replaced', 'final'])
    expect(payee.totals().spendable).toBe(13)
    expectPaidOnce(cast, 51)
  })

  test('before the new one is signed: it never is', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    const cast = { world, payer, payee, id }
    await settleAtMint(world, payer.payment(id))
    payer.mint = oldCopy
    payee.mint = oldCopy
    payee.isListening = false
    await world.rest(20 * minuteMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['dead', 'asking'])
    payee.isListening = true
    await payeeSeesAs(cast, oldCopy)
    payer.mint = honest
    await payer.run(() => payer.engine.runner.runNow(anewOf(cast).id))
    expect(anewOf(cast).state).toBe('abandoned')
    world.heal()
    await world.rest()
    await world.pass(dayMs)
    expect([payer.payment(id).state, pays(payer).length]).toEqual(['final', 2])
    expectPaidOnce(cast, 51)
  })

  async function payeeSeesAs({ world, payee }: Cast, double: MintDouble): Promise<void> {
    payee.mint = double
    await world.rest(5 * minuteMs)
    inState(payee.incoming(), 'dead')
  }

  test('a person was taking the new one back: it steps aside as well', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    const cast = { world, payer, payee, id }
    await settleAtMint(world, payer.payment(id))
    payer.mint = oldCopy
    payee.mint = oldCopy
    await world.rest(20 * minuteMs)
    await payer.run(() => payer.engine.reclaim(anewOf(cast).id, true))
    world.heal()
    await world.rest()
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['final', 'replaced'])
    expect(payer.refreshes().map(({ state }) => state)).toEqual(['lost'])
    expectPaidOnce(cast, 51)
  })
})

/** The very swap, sent by somebody. */
async function settleAtMint(world: World, operation: Operation): Promise<void> {
  const swap = swapOf(operation)
  const inputs = swap.inputs.map(({ Y: _, ...proof }, index) =>
    index === 0 ? { ...proof, witness: JSON.stringify({ signatures: [swap.signature] }) } : proof,
  )
  const id = await world.mint.keysetId()
  const outputs = swap.outputs.map((output) => ({ ...output, id }))
  expect((await world.mint.post('/v1/swap', { inputs, outputs })).status).toBe(200)
}

describe('the payee pays itself what was agreed, on the outputs of the first one: one payment is paid once', () => {
  /** Everything the payee asked for is signed for its own money; there is no change that only the payer could have signed. */
  async function paidByItself(): Promise<Cast> {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 63 })
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 20)
    expect(inState(payer.payment(id), 'signed').change).toBe(0)
    for (const { B_, amount } of payee.incoming().outputs) await signElsewhere(world, B_, amount)
    return { world, payer, payee, id }
  }

  test('the second one is it, however often the first is looked at', async () => {
    const cast = await paidByItself()
    const { world, payer, payee, id } = cast
    await reconnect(payer, payee)
    await world.rest()
    await world.pass(5 * dayMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'final'])
    expect([shown(payer), payer.totals().spendable]).toEqual([['final'], 43])
  })

  /** …and another signature for it was handed over, which nobody has settled. */
  async function signedAnew(): Promise<Cast> {
    const cast = await paidByItself()
    const { world, payer, payee, id } = cast
    payee.isListening = false
    await reconnect(payer)
    await world.rest(10 * minuteMs)
    await payeeSees(cast)
    payer.mint = exceptFor(payer.payment(id), lostRequest)
    await cutOff(payee)
    payee.isListening = true
    await world.rest(20 * minuteMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'signed'])
    payer.mint = honest
    return cast
  }

  test('the second one is it also when the mint is asked about the first before it has told of the second', async () => {
    const cast = await signedAnew()
    const { world, payer, id } = cast
    await settleAtMint(world, anewOf(cast))
    await payer.run(() => payer.engine.runner.runNow(id))
    expect(payer.payment(id).state).toBe('replaced')
    world.heal()
    await world.rest()
    await world.pass(5 * dayMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'final'])
    expect([shown(payer), payer.totals().spendable]).toEqual([['final'], 43])
  })

  test('what was taken back is not called paid, neither while it comes back nor ever after', async () => {
    const cast = await signedAnew()
    const { world, payer, id } = cast
    await payer.look()
    await payer.run(() => payer.engine.reclaim(anewOf(cast).id, true))
    await settleAtMint(world, payer.refreshes()[0]!)
    await payer.run(() => payer.engine.runner.runNow(id))
    expect(payer.payment(id).state).toBe('replaced')
    world.heal()
    await world.rest()
    await world.pass(5 * dayMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['replaced', 'reclaimed'])
    expect([shown(payer), payer.totals().spendable]).toEqual([['reclaimed'], 63])
  })

  test('once the first is called paid, by a mint that told half, the second never is as well', async () => {
    const cast = await signedAnew()
    const { world, payer, payee, id } = cast
    await settleAtMint(world, anewOf(cast))
    const second = new Set(swapOf(anewOf(cast)).outputs.map(({ B_ }) => B_))
    payer.mint = (real) => ({
      ...real,
      restore: async (outputs) =>
        outputs.some(({ B_ }) => second.has(B_)) ? { kind: 'ok', value: [] } : real.restore(outputs),
    })
    await payer.run(() => payer.engine.runner.runNow(id))
    inState(payer.payment(id), 'final')
    payer.mint = honest
    payee.mint = honest
    await world.rest()
    await world.pass(5 * dayMs)
    expect([payer.payment(id).state, anewOf(cast).state]).toEqual(['final', 'replaced'])
    expect(shown(payer)).toEqual(['final'])
  })
})
