// The table of protocol section 8, row by row, for payee and payer: whatever a mint says, what it did decides.

import { describe, expect, test } from 'vitest'
import { paymentView } from '../electron/views.ts'
import type { MintClient } from '../electron/wallet/ports.ts'
import type { MintServerOptions } from '../mint/start.ts'
import type { BlindSignature } from '../shared/cashu/wire.ts'
import {
  always,
  answering,
  type BadAnswer,
  chain,
  cutOff,
  dayMs,
  deniedEffect,
  first,
  hourMs,
  inState,
  lyingEcho,
  type MintCall,
  type MintDouble,
  minuteMs,
  openWorld,
  payerAndPayee,
  reconnect,
  refusal,
  retryAfterSeconds,
  secondMs,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'

/** 33 = 1 + 32 to the payee, 3 = 1 + 2 back to the payer. */
const money = 36
const amount = 33
const gap = testConfig.readingGapMs

type Side = {
  readonly world: World
  readonly payer: TestWallet
  readonly payee: TestWallet
  /** The wallet that is looked at, and the one that is not. */
  readonly wallet: TestWallet
  readonly other: TestWallet
  readonly id: string
  state(): string
  operation(): Extract<ReturnType<TestWallet['incoming']> | ReturnType<TestWallet['payment']>, { swap: unknown }>
  /** One try at the mint, now. */
  step(): Promise<void>
}

/** A payment signed while nobody reached the mint. `who` is back at the mint and about to settle, the other is not. */
async function signedPayment(who: 'payee' | 'payer', world?: World): Promise<Side> {
  const opened = world ?? (await openWorld())
  const { payer, payee } = await payerAndPayee(opened, { money })
  await cutOff(payer, payee)
  const paid = await payer.pay(payee, amount)
  inState(payer.payment(paid), 'signed')
  inState(payee.incoming(), 'signed')
  opened.clock.move(testConfig.settleDelayMs[1])
  const wallet = who === 'payee' ? payee : payer
  const row = () => (who === 'payee' ? payee.incoming() : payer.payment(paid))
  const { id } = row()
  return {
    world: opened,
    payer,
    payee,
    wallet,
    other: who === 'payee' ? payer : payee,
    id,
    state: () => row().state,
    operation: () => {
      const operation = row()
      if (!('swap' in operation)) throw new Error(`no swap in ${operation.state}`)
      return operation
    },
    step: async () => {
      await wallet.run(() => wallet.engine.runner.runNow(id))
    },
  }
}

/** The other side settles for real. */
async function settledByTheOther({ other }: Side): Promise<void> {
  await reconnect(other)
  await other.run(() => other.engine.runner.runDue())
}

/** Both reach the mint and not each other: nothing is signed anew. */
async function restApart({ world, payer, payee }: Side): Promise<void> {
  payee.isListening = false
  await reconnect(payer, payee)
  await world.rest()
}

/** What the screen says beside the state. */
function alarmOf({ operation, world }: Side): string | null {
  return paymentView(operation(), { mintUrl: '', now: world.clock.now(), payee: null, reclaim: 'no' }).alarm
}

/** The payee's largest output, or one of the payer's change. */
const outputOf = (side: Side, of: number) => side.operation().swap.outputs.find((output) => output.amount === of)!.B_

const tampered = (signature: BlindSignature): BlindSignature => ({
  ...signature,
  dleq: { e: signature.dleq!.s, s: signature.dleq!.e },
})

/** NUT-07 as somebody wants it to be. */
const saysInputsAre =
  (state: 'SPENT' | 'PENDING' | 'UNSPENT'): MintDouble =>
  (real) => ({ ...real, checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => state) }) })

const refusesSwap = always(['swap'], refusal())

describe.each(['payee', 'payer'] as const)('settling as %s', (who) => {
  describe('row 1: all of mine signed as agreed', () => {
    test('a mint that has settled it and answers 400 all the same has settled it', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = always(['swap'], deniedEffect)
      await side.step()
      expect(side.state()).toBe('final')
    })

    test('the other side settled first, and the mint answers 400 to whoever comes second', async () => {
      const side = await signedPayment(who)
      await settledByTheOther(side)
      side.wallet.mint = refusesSwap
      await side.step()
      expect(side.state()).toBe('final')
    })

    test('an echo of other outputs does not hide signatures', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(await lyingEcho(side.world), always(['swap'], deniedEffect))
      await side.step()
      expect(side.state()).toBe('final')
    })

    test('an echo of all outputs is no signature', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(await lyingEcho(side.world), refusesSwap)
      await side.step()
      expect(side.state()).toBe('signed')
      expect(side.wallet.totals().spendable).toBe(0)
    })

    /** The payer has paid. What the payee has of it, who was away too long, is kept, and is no money any more. */
    const expectLate = (side: Side) => {
      expect([side.state(), alarmOf(side)]).toEqual(who === 'payee' ? ['signed', 'keyset_expired'] : ['final', null])
      if (who === 'payee') expect(side.payee.totals().spendable).toBe(amount)
    }

    test('the payer has settled it, although the keyset of the coins has expired since', async () => {
      const side = await signedPayment(who, await openExpiring())
      await settledByTheOther(side)
      await expire(side)
      side.wallet.mint = refusesSwap
      await side.step()
      expectLate(side)
    })

    test('the payer has settled it, although the mint has no active keyset any more', async () => {
      const side = await signedPayment(who, await openExpiring())
      await settledByTheOther(side)
      side.world.clock.move(41 * dayMs)
      await reconnect(side.wallet)
      await side.step()
      expectLate(side)
    })

    test('a mint that answers the same request again, years later, pays a payee no money', async () => {
      const side = await signedPayment(who, await openExpiring())
      await settledByTheOther(side)
      await expire(side)
      const { outputs } = side.operation().swap
      side.wallet.mint = (real) => ({ ...real, swap: () => real.restore(outputs.map((one) => ({ ...one, id: '00' }))) })
      await side.step()
      expectLate(side)
    })
  })

  describe('row 1 and 5: a signature that is not what was agreed', () => {
    test('one unit signed on an output of 32 is dead after two readings, never final, and still a coin', async () => {
      const side = await signedPayment(who)
      await signElsewhere(side.world, outputOf(side, 32), 1)
      await reconnect(side.wallet)
      await side.step()
      expect(side.state()).toBe('signed')
      expect(side.operation().reading?.kind).toBe('dead')
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('dead')
      await restApart(side)
      expect(side.payee.incoming().state).toBe('dead')
      expect(side.payee.totals().spendable).toBe(1)
    })

    test('one unit signed on the change is dead too, and the payer’s coin', async () => {
      const side = await signedPayment(who)
      await signElsewhere(side.world, outputOf(side, 2), 1)
      await reconnect(side.wallet)
      await side.step()
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('dead')
      await restApart(side)
      expect(side.payer.totals().spendable).toBe(1)
      expect(side.payee.totals().spendable).toBe(0)
    })

    test('the right amount in another unit is not payment', async () => {
      const world = await openWorld()
      await world.mint.restart({ unit: 'eur' })
      const side = await signedPayment(who, world)
      await signElsewhere(world, outputOf(side, 32), 32, 'eur')
      await reconnect(side.wallet)
      await side.step()
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('dead')
      expect(side.payee.totals().spendable).toBe(0)
    })
  })

  describe('row 2: the keyset of an input has expired', () => {
    test('never bounced, whatever the mint says of the coins', async () => {
      const side = await signedPayment(who, await openExpiring())
      await expire(side)
      side.wallet.mint = saysInputsAre('SPENT')
      for (let reading = 0; reading < 3; reading++) {
        await side.step()
        expect(side.state()).toBe('signed')
        expect(side.operation().reading).toBeNull()
        expect(alarmOf(side)).toBe('keyset_expired')
        side.world.clock.move(gap)
      }
    })
  })

  describe('row 3: unknown is never No', () => {
    const everything = undefined
    const kinds: readonly [BadAnswer, string, readonly MintCall[] | undefined][] = [
      ['silent', 'nothing', everything],
      ['busy', '429 to everything', everything],
      ['busy', '429 to the swap alone', ['swap']],
      ['error', 'a server error that carries a NUT code', everything],
      ['error', 'a server error to the swap alone', ['swap']],
      ['gateway', 'a gateway’s 502', everything],
      ['html', 'a hotel’s web page', everything],
      ['html', 'a web page to the swap alone', ['swap']],
      ['damaged', 'half a JSON text', everything],
      ['shape', 'another shape', everything],
      ['shape', 'another shape to the swap alone', ['swap']],
      ['html', 'a web page about the inputs, after a refusal', ['checkState']],
      ['error', 'a server error about the outputs, after a refusal', ['restore']],
    ]
    test.each(kinds)('%s: %s leaves it as it is, and it is tried again', async (kind, _, names) => {
      const side = await signedPayment(who)
      const bad = await answering(side.world, kind, names)
      const refusesFirst = names !== undefined && !names.includes('swap')
      side.wallet.mint = refusesFirst ? chain(refusesSwap, bad) : bad
      for (let attempt = 0; attempt < 3; attempt++) {
        await side.step()
        expect(side.state()).toBe('signed')
        expect(side.operation().reading).toBeNull()
        expect(side.operation().nextAttemptAt).toBeGreaterThan(side.world.clock.now())
        side.world.clock.move(gap)
      }
      side.world.heal()
      await side.world.rest()
      expect(side.state()).toBe('final')
    })

    test.each([
      ['everything', undefined],
      ['the swap alone', ['swap']],
    ] as const)('the pause is at least what Retry-After asks for, when %s is answered 429', async (_, names) => {
      const side = await signedPayment(who)
      side.wallet.mint = await answering(side.world, 'busy', names)
      await side.step()
      const pause = (side.operation().nextAttemptAt ?? 0) - side.world.clock.now()
      expect(pause).toBeGreaterThanOrEqual(retryAfterSeconds * secondMs)
    })

    test('a mint that refuses to tell the facts has told none', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = always(['swap', 'checkState', 'restore'], refusal())
      await side.step()
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('signed')
      expect(side.operation().reading).toBeNull()
    })

    test('a pending input is waited for, and after ten minutes shown as blocked at the mint', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(refusesSwap, saysInputsAre('PENDING'))
      await side.step()
      const since = side.operation().pendingSince
      expect(since).toBe(side.world.clock.now())
      expect(alarmOf(side)).toBeNull()
      side.world.clock.move(11 * minuteMs)
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', reading: null, pendingSince: since })
      expect(alarmOf(side)).toBe('blocked_at_mint')
    })

    test('an input that is pending no more is not shown as blocked', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(refusesSwap, saysInputsAre('PENDING'))
      await side.step()
      side.world.clock.move(11 * minuteMs)
      side.wallet.mint = refusesSwap
      await side.step()
      expect(side.operation().lastError).toContain('11001')
      expect(alarmOf(side)).toBeNull()
    })

    test('a pending input among spent ones is pending', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(refusesSwap, (real) => ({
        ...real,
        checkState: async (Ys) => ({ kind: 'ok', value: Ys.map((_, index) => (index === 0 ? 'PENDING' : 'SPENT')) }),
      }))
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', reading: null })
    })

    test('a restored signature that fits no output says nothing about any', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(refusesSwap, saysInputsAre('SPENT'), (real) => ({
        ...real,
        restore: async (outputs) => {
          const { payer } = side
          const own = payer.store.read.coins(0, 'sat', 'handed_over')[0]!
          const foreign = { amount: own.amount, id: own.keysetId, C_: own.C, dleq: { e: own.e, s: own.s } }
          const answer = await real.restore(outputs)
          return answer.kind === 'ok' ? { ...answer, value: [foreign, ...answer.value] } : answer
        },
      }))
      await side.step()
      side.world.clock.move(gap)
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', reading: null })
    })

    test('signed between the two questions: asked again, not dead', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = chain(first(1, ['swap'], refusal()), (real) => ({
        ...real,
        checkState: async (Ys) => {
          const before = await real.checkState(Ys)
          await settledByTheOther(side)
          return before
        },
      }))
      await side.step()
      expect(side.state()).toBe('signed')
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('final')
    })
  })

  describe('row 4: an input is spent', () => {
    const spent = chain(refusesSwap, saysInputsAre('SPENT'))

    test('bounced only by two equal readings with the gap between them', async () => {
      const side = await signedPayment(who)
      side.world.isCookingBooks = true
      side.wallet.mint = spent
      await side.step()
      const { reading, nextAttemptAt } = side.operation()
      expect(reading).toEqual({ kind: 'bounced', at: side.world.clock.now() })
      expect(nextAttemptAt).toBe(side.world.clock.now() + gap)
      side.world.clock.move(gap - 1)
      await side.step()
      expect(side.state()).toBe('signed')
      side.world.clock.move(1)
      await side.step()
      expect(side.state()).toBe('bounced')
    })

    test('one such reading and then the truth is final', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = spent
      await side.step()
      expect(side.operation().reading?.kind).toBe('bounced')
      side.world.heal()
      await side.world.rest()
      expect(side.state()).toBe('final')
    })

    test('a reading of another kind in between starts the count again', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = spent
      await side.step()
      side.world.clock.move(gap)
      await signElsewhere(side.world, outputOf(side, 32), 1)
      side.wallet.mint = refusesSwap
      await side.step()
      expect(side.operation().reading).toEqual({ kind: 'dead', at: side.world.clock.now() })
      side.wallet.mint = spent
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', reading: { kind: 'bounced' } })
    })

    test('a refusal in between, with nothing spent, starts the count again', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = spent
      await side.step()
      side.world.clock.move(gap)
      side.wallet.mint = refusesSwap
      await side.step()
      expect(side.operation().reading).toBeNull()
      side.wallet.mint = spent
      await side.step()
      expect(side.state()).toBe('signed')
    })

    test('bounced is not for ever: settled by the other side all the same, it becomes final', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = spent
      await side.step()
      side.world.clock.move(gap)
      await side.step()
      expect(side.state()).toBe('bounced')
      side.world.heal()
      await settledByTheOther(side)
      await side.world.pass(3 * dayMs)
      expect(side.state()).toBe('final')
      expect([side.payer.worth(), side.payee.worth()]).toEqual([money - amount, amount])
    })

    test('bounced is not for ever: nobody settled it, and the coins turn out unspent', async () => {
      const side = await signedPayment(who)
      for (const wallet of [side.payer, side.payee]) {
        wallet.mint = spent
        await wallet.look()
      }
      await side.world.rest(10 * minuteMs)
      expect([side.payer, side.payee].map(({ store }) => store.read.operations({ limit: 1 })[0]?.state)).toEqual([
        'bounced',
        'bounced',
      ])
      side.world.heal()
      await side.world.pass(3 * dayMs)
      expect(side.state()).toBe('final')
    })
  })

  describe('row 6: nothing spent, nothing signed', () => {
    test('the very same bytes are sent again, and since when it is refused stays known', async () => {
      const side = await signedPayment(who)
      const sent: string[] = []
      side.wallet.mint = (real) => ({
        ...real,
        swap: async (body) => {
          sent.push(body)
          return { kind: 'refused', code: 11001, detail: 'no' }
        },
      })
      await side.step()
      const since = side.world.clock.now()
      side.world.clock.move(5 * minuteMs)
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', refusedSince: since, lastError: '11001 no' })
      side.wallet.mint = await answering(side.world, 'html')
      await side.step()
      expect(side.operation().refusedSince).toBe(since)
      side.world.heal()
      side.wallet.mint = (real) => ({
        ...real,
        swap: (body) => {
          sent.push(body)
          return real.swap(body)
        },
      })
      await side.step()
      expect(side.state()).toBe('final')
      expect(new Set(sent).size).toBe(1)
      expect(sent).toHaveLength(3)
    })

    test('the same refusal for a day raises an alarm', async () => {
      const side = await signedPayment(who)
      side.wallet.mint = refusesSwap
      await side.step()
      side.world.clock.move(23 * hourMs)
      await side.step()
      expect(alarmOf(side)).toBeNull()
      side.world.clock.move(2 * hourMs)
      await side.step()
      expect(alarmOf(side)).toBe('refused_by_mint')
    })
  })

  describe('a 200 that lies', () => {
    const says =
      (lie: (truth: readonly BlindSignature[]) => readonly BlindSignature[]) =>
      (hasEffect: boolean): MintDouble =>
      (real) => ({
        ...real,
        swap: async (body) => {
          if (!hasEffect) return { kind: 'ok', value: lie(await invented(real, body)) }
          const answer = await real.swap(body)
          return answer.kind === 'ok' ? { ...answer, value: lie(answer.value) } : answer
        },
      })
    /** Well-formed signatures under a real keyset that this mint never made. */
    const invented = async (real: MintClient, body: string): Promise<readonly BlindSignature[]> => {
      const { inputs, outputs }: { inputs: { C: string }[]; outputs: { amount: number; id: string }[] } =
        JSON.parse(body)
      const scalar = '11'.repeat(32)
      await real.info()
      return outputs.map(({ amount: of, id }) => ({
        amount: of,
        id,
        C_: inputs[0]!.C,
        dleq: { e: scalar, s: scalar },
      }))
    }
    const lies = [
      ['DLEQ proofs that do not verify', says((truth) => truth.map(tampered))],
      ['no DLEQ proofs', says((truth) => truth.map(({ dleq: _, ...rest }) => rest))],
      ['other amounts', says((truth) => truth.map((signature) => ({ ...signature, amount: 2 * signature.amount })))],
      ['one signature less', says((truth) => truth.slice(1))],
      ['one signature too many', says((truth) => [...truth, truth[0]!])],
      ['signatures in another order', says((truth) => [...truth].reverse())],
      ['another keyset', says((truth) => truth.map((signature) => ({ ...signature, id: '00'.repeat(8) })))],
      ['nothing', says(() => [])],
    ] as const

    test.each(lies)('%s: not believed, neither when the mint did nothing nor when it did it all', async (_, lie) => {
      const side = await signedPayment(who)
      side.wallet.mint = lie(false)
      await side.step()
      expect(side.operation()).toMatchObject({ state: 'signed', reading: null, refusedSince: null })
      expect(side.wallet.totals().spendable).toBe(0)
      side.wallet.mint = lie(true)
      await side.step()
      expect(side.state()).toBe('final')
      expect(side.wallet.totals().spendable).toBe(who === 'payee' ? amount : money - amount)
    })
  })
})

test('to the payer a payment is settled when every input is spent, not before', async () => {
  const side = await signedPayment('payer')
  await settledByTheOther(side)
  side.wallet.mint = chain(refusesSwap, saysInputsAre('UNSPENT'))
  await side.step()
  expect(side.state()).toBe('signed')
  await reconnect(side.wallet)
  await side.step()
  expect(side.state()).toBe('final')
})

test('to the payee its own signed outputs are the payment when an input of it is spent, not before', async () => {
  const side = await signedPayment('payee')
  await settledByTheOther(side)
  side.wallet.mint = chain(refusesSwap, saysInputsAre('UNSPENT'))
  await side.step()
  expect(side.state()).toBe('signed')
  side.world.clock.move(gap)
  await side.step()
  // What is signed on its outputs is its own, and rests; whether it is this payment is not known.
  expect(side.state()).toBe('dead')
  expect(side.wallet.totals()).toMatchObject({ spendable: 0, quarantined: amount })
  await reconnect(side.wallet)
  await side.world.pass(dayMs)
  expect(side.state()).toBe('final')
  expect(side.wallet.totals()).toMatchObject({ spendable: amount, quarantined: 0 })
})

test('a mint that is busy with a question about Terms is left alone for as long as it asks', async () => {
  const world = await openWorld()
  const { payer, payee } = await payerAndPayee(world)
  await payer.prepare(payee, amount)
  payee.mint = await answering(world, 'busy', ['restore'])
  await payee.run(() => payee.engine.runner.runNow(payee.incoming().id))
  const { state, nextAttemptAt } = payee.incoming()
  expect(state).toBe('terms')
  expect((nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThanOrEqual(retryAfterSeconds * secondMs)
})

/** The keyset of the coins expires; the mint has another one by then, and the wallet knows it. */
async function expire({ world, wallet }: Side): Promise<void> {
  world.mint.rotate()
  world.clock.move(41 * dayMs)
  await reconnect(wallet)
}

/** A mint whose first keyset outlives the deadline of a payment, but not by much. */
async function openExpiring(): Promise<World> {
  const options: Partial<MintServerOptions> = { finalExpiry: Date.UTC(2026, 10, 1) / 1000 + 40 * 24 * 3600 }
  return openWorld(options)
}
