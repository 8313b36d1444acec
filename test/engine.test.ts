// Two wallets and the real mint: money in, across, back. Whatever is cut, lost or lied about, the books balance after
// every test (engine-fixture.ts).

import { afterEach, describe, expect, test, vi } from 'vitest'
import { chooseCoins } from '../electron/wallet/coins.ts'
import { unixNow } from '../electron/wallet/context.ts'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import type { OperationOf } from '../electron/wallet/operation.ts'
import type { MintClient } from '../electron/wallet/ports.ts'
import { restingOf, spendableOf } from '../electron/wallet/quarantine.ts'
import { splitAmount } from '../shared/amount.ts'
import { keysetIdV1 } from '../shared/cashu/keyset.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError } from '../shared/errors.ts'
import { decodeBody, decodeFrame, handoverSchema } from '../shared/messages.ts'
import {
  always,
  answering,
  away,
  chain,
  cutOff,
  dayMs,
  deniedEffect,
  type Fault,
  first,
  goodLink,
  honest,
  hourMs,
  inState,
  lostAnswer,
  lostFrames,
  lostReplies,
  lostRequest,
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
import { mintKeys } from './payment-fixture.ts'

const step = (wallet: TestWallet, id: string) => wallet.run(() => wallet.engine.runner.runNow(id))

async function refused(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused with a code: ${error}`)
  return error
}

/** What the purses of a wallet hold now: [number, spendable value], for those that hold anything. */
function purses({ store }: TestWallet): [number, number][] {
  const coins = store.read.coins(0, 'sat', 'spendable')
  return store.read
    .purses(0, 'sat')
    .map(({ id, purse }): [number, number] => [
      purse,
      coins.reduce((sum, coin) => sum + (coin.purseId === id ? coin.amount : 0), 0),
    ])
    .filter(([, value]) => value > 0)
}

/** Refreshes hardly wait. */
const soon = { refreshDelayMs: [minuteMs, minuteMs] as const }

/** Every swap this wallet asks for, as the mint would see it. */
function recordSwaps(wallet: TestWallet): string[] {
  const bodies: string[] = []
  const before = wallet.mint
  wallet.mint = (real) => {
    const client = before(real)
    return {
      ...client,
      swap: (body) => {
        bodies.push(body)
        return client.swap(body)
      },
    }
  }
  return bodies
}

/** Handed over signed, while nobody could reach the mint. */
async function signedOffline(world: World, amount = 13, money = 64) {
  const { payer, payee } = await payerAndPayee(world, { money })
  await cutOff(payer, payee)
  const id = await payer.pay(payee, amount)
  inState(payer.payment(id), 'signed')
  inState(payee.incoming(), 'signed')
  return { payer, payee, id }
}

/** The payee refuses a handover for being above its limit without the mint: a void. */
async function voided(world: World) {
  const payer = await world.wallet('payer')
  const payee = await world.wallet('payee', { config: { limits: { single: 10, total: 10, perHour: 10 } } })
  await payer.withdraw(64)
  const { id } = await payer.prepare(payee, 13)
  await cutOff(payer, payee)
  await payer.run(() => payer.engine.confirmPay(id))
  inState(payer.payment(id), 'voided')
  expect(inState(payee.incoming(), 'refused').code).toBe('limit_single')
  return { payer, payee, id }
}

/** Payments that go on only when a person says so. */
const waitingFor = ({ engine }: TestWallet): readonly string[] => engine.undecided().map(({ id }) => id)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('adding a mint', () => {
  async function stranger(double: MintDouble) {
    const world = await openWorld()
    const wallet = await world.wallet('payer', { knowsMint: false })
    wallet.mint = double
    const { code } = await refused(wallet.engine.mints.add(world.mint.url()))
    expect(wallet.store.read.mints()).toEqual([])
    expect(wallet.store.read.keyset(await world.mint.keysetId())).toBeUndefined()
    return code
  }
  const keysOf =
    (change: (keys: Record<string, string>) => Record<string, string>): MintDouble =>
    (real) => ({
      ...real,
      keys: async (id) => {
        const answer = await real.keys(id)
        return answer.kind === 'ok' ? { ...answer, value: change({ ...answer.value }) } : answer
      },
    })

  test('keys that are not those of the id are a lie', async () => {
    expect(await stranger(keysOf((keys) => ({ ...keys, '1': keys['2']!, '2': keys['1']! })))).toBe('mint_lies')
  })

  test('one key for two denominations is a lie', async () => {
    expect(await stranger(keysOf((keys) => ({ ...keys, '1': keys['2']! })))).toBe('mint_lies')
  })

  test('a key that is no point is a lie', async () => {
    expect(await stranger(keysOf((keys) => ({ ...keys, '1': `02${'00'.repeat(32)}` })))).toBe('mint_lies')
  })

  test('a keyset under a wrong id is a lie', async () => {
    const renamed: MintDouble = (real) => ({
      ...real,
      keysets: async () => {
        const answer = await real.keysets()
        const value =
          answer.kind === 'ok' ? answer.value.map((keyset) => ({ ...keyset, id: `01${'ab'.repeat(32)}` })) : []
        return { kind: 'ok', value }
      },
      keys: async () => {
        const answer = await real.keysets()
        return real.keys(answer.kind === 'ok' ? answer.value[0]!.id : '')
      },
    })
    expect(await stranger(renamed)).toBe('mint_lies')
  })

  test('a mint that does not do what offline payments need is not added', async () => {
    const poor: MintDouble = (real) => ({
      ...real,
      info: async () => {
        const answer = await real.info()
        if (answer.kind !== 'ok') return answer
        return { ...answer, value: { ...answer.value, nuts: { ...answer.value.nuts, '9': { supported: false } } } }
      },
    })
    expect(await stranger(poor)).toBe('mint_unsuitable')
  })

  test('a web page is no mint, and silence is none either', async () => {
    const world = await openWorld()
    const wallet = await world.wallet('payer', { knowsMint: false })
    wallet.mint = await answering(world, 'html')
    expect((await refused(wallet.engine.mints.add(world.mint.url()))).code).toBe('mint_bad_answer')
    wallet.mint = await answering(world, 'html', ['keys'])
    expect((await refused(wallet.engine.mints.add(world.mint.url()))).code).toBe('mint_bad_answer')
    wallet.mint = away
    expect((await refused(wallet.engine.mints.add(world.mint.url()))).code).toBe('mint_unreachable')
    expect(wallet.store.read.mints()).toEqual([])
  })

  test('a keyset belongs to the first mint that served it', async () => {
    const world = await openWorld()
    const wallet = await world.wallet('payer')
    const other = world.mint.url().replace('127.0.0.1', 'localhost')
    expect((await refused(wallet.engine.mints.add(other))).code).toBe('keyset_twin')
    expect((await refused(wallet.engine.mints.add(`${world.mint.url()}/`))).code).toBe('mint_exists')
    expect(wallet.store.read.mints()).toHaveLength(1)
  })

  test('another fee under a keyset id that does not commit to it raises an alarm and is not adopted', async () => {
    const world = await openWorld({ feePpk: 100 })
    let feePpk = 100
    const wallet = await world.wallet('payer', { knowsMint: false })
    wallet.mint = withShortIds(() => feePpk)
    const { account, url } = await wallet.engine.mints.add(world.mint.url())
    const [before] = wallet.store.read.keysets(account)
    expect(before?.id).toHaveLength(16)
    feePpk = 0
    await wallet.look()
    expect(wallet.store.read.mintByUrl(url)?.alarm).toBe('mint_lies')
    expect(wallet.store.read.keysets(account)).toEqual([before])
    feePpk = 100
    await wallet.look()
    expect(wallet.store.read.mintByUrl(url)?.alarm).toBe('mint_lies')
  })

  test('a mint with more keysets than anybody needs raises an alarm, and the others are looked at all the same', async () => {
    const world = await openWorld()
    const { payer } = await payerAndPayee(world)
    payer.mint = (real) => ({
      ...real,
      keysets: async () => {
        const answer = await real.keysets()
        return answer.kind === 'ok' ? { ...answer, value: Array(201).fill(answer.value[0]) } : answer
      },
    })
    await payer.look()
    expect(payer.store.read.mint(0)?.alarm).toBe('mint_lies')
    expect(payer.store.read.keysets(0).some(({ active }) => active)).toBe(true)
  })

  test('a lie about one keyset does not hide the alarm, and coins of the others stay spendable', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.mint = (real) => ({
      ...real,
      keysets: async () => {
        const answer = await real.keysets()
        return answer.kind === 'ok'
          ? { ...answer, value: [...answer.value, { ...answer.value[0]!, id: '00'.repeat(8) }] }
          : answer
      },
      keys: async () => {
        const answer = await real.keysets()
        return real.keys(answer.kind === 'ok' ? answer.value[0]!.id : '')
      },
    })
    await payer.look()
    expect(payer.store.read.mint(0)?.alarm).toBe('mint_lies')
    const id = await payer.pay(payee, 13)
    expect(payer.payment(id).state).toBe('final')
  })
})

/** The same mint, as one that still serves ids of the first version, which say nothing of the fee. */
function withShortIds(feePpk: () => number): MintDouble {
  return (real: MintClient) => ({
    ...real,
    keysets: async () => {
      const answer = await real.keysets()
      if (answer.kind !== 'ok') return answer
      const value = []
      for (const keyset of answer.value) {
        const keys = await real.keys(keyset.id)
        if (keys.kind === 'ok') value.push({ ...keyset, id: keysetIdV1(keys.value), feePpk: feePpk() })
      }
      return { ...answer, value }
    },
    keys: async () => {
      const answer = await real.keysets()
      return real.keys(answer.kind === 'ok' ? answer.value[0]!.id : '')
    },
  })
}

describe('withdraw', () => {
  /** A deposit of 13, with its quote. */
  async function quoted(mint: MintDouble = honest) {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    payer.mint = mint
    const id = payer.engine.withdraw(0, 'sat', 13)
    await step(payer, id)
    return { world, payer, id }
  }

  test('the first purse is purse 0, its coins from index 0', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    inState(await payer.withdraw(13), 'done')
    expect(payer.store.read.coins(0, 'sat', 'spendable').map(({ path }) => [path.purse, path.coin])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ])
    inState(await payer.withdraw(4), 'done')
    expect(purses(payer)).toEqual([
      [0, 13],
      [1, 4],
    ])
  })

  test('a quote whose answer was lost costs nothing: another is asked for', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    payer.mint = first(1, ['requestMintQuote'], lostAnswer)
    inState(await payer.withdraw(13), 'done')
    expect(payer.totals().spendable).toBe(13)
  })

  test('an issue whose answer was lost: the same request gets the same coins', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    payer.mint = first(1, ['issue'], lostAnswer)
    inState(await payer.withdraw(13), 'done')
    expect(payer.totals().spendable).toBe(13)
  })

  test('an issue whose answer was lost, at a mint that never repeats one: the coins are restored', async () => {
    const { payer, id } = await quoted(first(1, ['issue'], lostAnswer))
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('issuing')
    payer.mint = always(['issue'], refusal(20002, 'quote already issued'))
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('done')
    expect(payer.totals().spendable).toBe(13)
  })

  test('a quote that somebody else used up before us has failed', async () => {
    const { world, payer, id } = await quoted()
    await takeQuote(world, payer, id)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('unpaid')
    world.clock.move(testConfig.readingGapMs)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
    await world.pass(3 * dayMs)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
    expect(payer.totals().spendable).toBe(0)
  })

  /** The mint says this of quotes, for so many times. */
  const quotesAre = (state: 'UNPAID' | 'ISSUED' | 'PENDING', times = Number.POSITIVE_INFINITY): MintDouble => {
    let left = times
    return (real) => ({
      ...real,
      mintQuote: async (id, signal) => {
        const answer = await real.mintQuote(id, signal)
        return answer.kind === 'ok' && left-- > 0 ? { kind: 'ok', value: { ...answer.value, state } } : answer
      },
    })
  }

  test.each(['UNPAID', 'ISSUED'] as const)(
    'one answer that its quote is %s ends no deposit that was paid',
    async (state) => {
      const { world, payer, id } = await quoted()
      world.clock.move(2 * dayMs)
      payer.mint = quotesAre(state, 1)
      await step(payer, id)
      expect(payer.store.read.operation(id)).toMatchObject({ state: 'unpaid', reading: { kind: state.toLowerCase() } })
      await world.rest()
      expect(payer.store.read.operation(id)?.state).toBe('done')
      expect(payer.totals().spendable).toBe(13)
    },
  )

  test('a reading of another kind, or none, in between starts the count again', async () => {
    const { world, payer, id } = await quoted()
    world.clock.move(2 * dayMs)
    for (const state of ['UNPAID', 'ISSUED', 'UNPAID', 'PENDING', 'UNPAID'] as const) {
      payer.mint = quotesAre(state)
      await step(payer, id)
      expect(payer.store.read.operation(id)?.state).toBe('unpaid')
      world.clock.move(testConfig.readingGapMs)
    }
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
  })

  test('a mint that says for a day that nobody paid, and knows better later: the coins come', async () => {
    const { world, payer, id } = await quoted()
    payer.mint = quotesAre('UNPAID')
    await world.pass(2 * dayMs)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
    await reconnect(payer)
    await world.pass(2 * dayMs)
    expect(payer.store.read.operation(id)?.state).toBe('done')
    expect(payer.totals().spendable).toBe(13)
  })

  test('a mint that calls a quote used while the request was lost, and knows better later: the same outputs are asked for', async () => {
    const { world, payer, id } = await quoted(first(1, ['issue'], lostRequest))
    await step(payer, id)
    payer.mint = chain(quotesAre('ISSUED'), always(['issue'], refusal(20002)))
    await step(payer, id)
    world.clock.move(testConfig.readingGapMs)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
    await reconnect(payer)
    await world.pass(2 * dayMs)
    expect(payer.store.read.operation(id)?.state).toBe('done')
    expect(payer.store.read.coins(0, 'sat', 'spendable').map(({ path }) => [path.purse, path.coin])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ])
  })

  test('a quote that somebody else used up while our request was lost has failed, by the facts', async () => {
    const { world, payer, id } = await quoted(first(1, ['issue'], lostRequest))
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('issuing')
    await takeQuote(world, payer, id)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('issuing')
    world.clock.move(testConfig.readingGapMs)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
  })

  test('a mint that errs about a quote for a while, and signed all the same: the coins are found later', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    const stale: MintDouble = (real) => ({ ...real, restore: async () => ({ kind: 'ok', value: [] }) })
    payer.mint = chain(stale, first(1, ['issue'], lostAnswer))
    const id = payer.engine.withdraw(0, 'sat', 13)
    await step(payer, id)
    await step(payer, id)
    payer.mint = chain(stale, always(['issue'], refusal(20002)))
    await step(payer, id)
    world.clock.move(testConfig.readingGapMs)
    await step(payer, id)
    expect(payer.store.read.operation(id)?.state).toBe('failed')
    await reconnect(payer)
    await world.pass(2 * dayMs)
    expect(payer.totals().spendable).toBe(13)
  })

  async function takeQuote(world: World, payer: TestWallet, id: string): Promise<void> {
    world.isCookingBooks = true
    const outputs = (await world.mint.outputs(1, 4, 8)).map(({ message }) => message)
    const answer = await world.mint.post('/v1/mint/bolt11', { quote: payer.quoteOf(id), outputs })
    expect(answer.status).toBe(200)
  }

  test('coins without a valid DLEQ proof are not stored, and not lost', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    payer.mint = (real) => ({
      ...real,
      issue: async (body) => tamper(await real.issue(body)),
      restore: async (outputs) => tamper(await real.restore(outputs)),
    })
    const operation = await payer.withdraw(13)
    inState(operation, 'issuing')
    expect(payer.worth()).toBe(0)
    await reconnect(payer)
    await world.rest()
    expect(payer.store.read.operation(operation.id)?.state).toBe('done')
    expect(payer.totals().spendable).toBe(13)
  })

  const tamper = (answer: Awaited<ReturnType<MintClient['issue']>>): typeof answer =>
    answer.kind === 'ok'
      ? { ...answer, value: answer.value.map((one) => ({ ...one, dleq: { e: one.dleq!.s, s: one.dleq!.e } })) }
      : answer

  test.each(['html', 'error', 'shape', 'damaged', 'silent'] as const)(
    'a mint that answers the issue with "%s" has not refused it',
    async (kind) => {
      const world = await openWorld()
      const payer = await world.wallet('payer')
      payer.mint = await answering(world, kind, ['issue'])
      const operation = await payer.withdraw(13)
      inState(operation, 'issuing')
      payer.mint = await answering(world, kind)
      await step(payer, operation.id)
      expect(payer.store.read.operation(operation.id)?.state).toBe('issuing')
      await reconnect(payer)
      await world.rest()
      expect(payer.totals().spendable).toBe(13)
    },
  )

  test('the keyset is rotated between quote and issue', async () => {
    const { world, payer, id } = await quoted()
    world.mint.rotate()
    await world.rest()
    expect(payer.store.read.operation(id)?.state).toBe('done')
    expect(payer.totals().spendable).toBe(13)
  })

  describe('the mint has smaller coins only by the time it is asked', () => {
    const small = mintKeys('small denominations', { count: 3 }) // 1, 2, 4
    /** Answers issues with keys of its own; what the real mint signed before is known to it. */
    const rotated: MintDouble = (real) => {
      const { keys: _keys, idV2: _idV2, ...summary } = small.keyset
      return {
        ...real,
        keysets: async (signal) => {
          const answer = await real.keysets(signal)
          if (answer.kind !== 'ok') return answer
          return { kind: 'ok', value: [...answer.value.map((one) => ({ ...one, active: false })), summary] }
        },
        keys: async (id, signal) =>
          id === small.keyset.id ? { kind: 'ok', value: small.keyset.keys } : real.keys(id, signal),
        issue: async (body) => {
          const { outputs } = JSON.parse(body) as { outputs: { id: string; amount: number; B_: string }[] }
          if (outputs.some(({ id }) => id !== small.keyset.id)) {
            return { kind: 'refused', code: 12002, detail: 'keyset is inactive' }
          }
          return { kind: 'ok', value: outputs.map(({ amount, B_ }) => small.sign(amount, B_)) }
        },
      }
    }

    async function planned(world: World, fault: Fault) {
      world.isCookingBooks = true
      const payer = await world.wallet('payer')
      const id = payer.engine.withdraw(0, 'sat', 13)
      await step(payer, id)
      payer.mint = first(1, ['issue'], fault)
      await step(payer, id)
      expect(inState(payer.store.read.operation(id)!, 'issuing')).toMatchObject({ outputs: [{ amount: 1 }, {}, {}] })
      return { payer, id }
    }

    test('nothing was signed: the deposit comes in those, from new indices', async () => {
      const world = await openWorld()
      const { payer, id } = await planned(world, lostRequest)
      payer.mint = rotated
      await step(payer, id)
      await step(payer, id)
      expect(payer.store.read.operation(id)?.state).toBe('done')
      const coins = payer.store.read.coins(0, 'sat', 'spendable')
      expect(coins.map(({ amount }) => amount).toSorted()).toEqual([1, 4, 4, 4])
      expect(new Set(coins.map(({ path }) => path.purse))).toEqual(new Set([1]))
    })

    test('the first request had passed, which a mint that errs does not tell at once: its coins are taken, once', async () => {
      const world = await openWorld()
      const { payer, id } = await planned(world, lostAnswer)
      const errs: MintDouble = (real) => ({
        ...rotated(real),
        restore: async () => ({ kind: 'ok', value: [] }),
        mintQuote: async (name, signal) => {
          const answer = await real.mintQuote(name, signal)
          return answer.kind === 'ok' ? { kind: 'ok', value: { ...answer.value, state: 'PAID' } } : answer
        },
      })
      payer.mint = errs
      await step(payer, id)
      expect(inState(payer.store.read.operation(id)!, 'issuing')).toMatchObject({ earlier: [{}, {}, {}] })
      payer.mint = (real) => ({ ...real, issue: async () => ({ kind: 'refused', code: 20002, detail: 'issued' }) })
      await step(payer, id)
      expect(payer.store.read.operation(id)?.state).toBe('done')
      expect(payer.worth()).toBe(13)
    })
  })

  test('a mint that is busy with an issue is left alone for as long as it asks', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    payer.mint = await answering(world, 'busy', ['issue'])
    const { nextAttemptAt } = inState(await issueOnce(payer, 13), 'issuing')
    expect((nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThanOrEqual(retryAfterSeconds * secondMs)
  })

  async function issueOnce(payer: TestWallet, amount: number): Promise<OperationOf<'withdraw'>> {
    const id = payer.engine.withdraw(0, 'sat', amount)
    await step(payer, id)
    await step(payer, id)
    return payer.store.read.operation(id) as OperationOf<'withdraw'>
  }

  test('a unit the mint does not have, and a mint that was never added', async () => {
    const world = await openWorld()
    const { engine, store } = await world.wallet('payer')
    expect((await refused((async () => engine.withdraw(0, 'usd', 1))())).code).toBe('unit_unknown')
    expect((await refused((async () => engine.withdraw(1, 'sat', 1))())).code).toBe('mint_unknown')
    expect(store.read.operations({})).toEqual([])
  })

  test.each([0, -1, 1.5, 2 ** 53, Number.NaN])('%s is no amount', async (amount) => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const before = payer.store.read.operations({})
    expect((await refused((async () => payer.engine.withdraw(0, 'sat', amount))())).code).toBe('amount_out_of_range')
    expect((await refused(payer.prepare(payee, amount))).code).toBe('amount_out_of_range')
    expect(payer.store.read.operations({})).toEqual(before)
  })
})

describe('pay, the payer online', () => {
  test('an exact amount is final at once, and the payee never sees the coins', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const preview = await payer.prepare(payee, 13)
    expect(preview).toMatchObject({ amount: 13, fee: 0, grade: 'final', payeeName: 'payee' })
    await payer.run(() => payer.engine.confirmPay(preview.id))
    expect(payer.payment(preview.id)).toMatchObject({ state: 'final', change: 0, handedOver: false })
    expect(payee.incoming()).toMatchObject({ state: 'final', claim: null })
    expect([payer.worth(), payee.totals().spendable]).toEqual([0, 13])
  })

  test('change comes back into a purse of its own', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const id = await payer.pay(payee, 13)
    expect(payer.payment(id)).toMatchObject({ state: 'final', change: 51 })
    expect(purses(payer)).toEqual([[1, 51]])
    expect(payee.totals().spendable).toBe(13)
  })

  test('with a fee of 100 per thousand coins it costs what was shown', async () => {
    const world = await openWorld({ feePpk: 100 })
    const { payer, payee } = await payerAndPayee(world)
    const preview = await payer.prepare(payee, 13)
    expect(preview).toMatchObject({ fee: 1 })
    await payer.run(() => payer.engine.confirmPay(preview.id))
    expect([payer.totals().spendable, payee.totals().spendable, payer.fees()]).toEqual([50, 13, 1])
  })

  test('the payee is cut off from the mint: final all the same', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payee)
    const id = await payer.pay(payee, 13)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect(payee.totals().spendable).toBe(13)
  })

  test('the answer of the mint is lost: the same swap is handed over, and there is never a second one', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payee)
    payer.mint = first(1, ['swap'], lostAnswer)
    const swaps = recordSwaps(payer)
    const id = await payer.pay(payee, 13)
    const { swap } = inState(payer.payment(id), 'signed')
    expect(inState(payee.incoming(), 'signed').swap.digest).toBe(swap.digest)
    expect(payer.totals()).toMatchObject({ spendable: 0, reserved: 0, handed_over: 64 })
    payee.mint = (real) => real
    swaps.push(...(await collect(payee, () => world.rest())))
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect(new Set(swaps.map(coinsAndOutputs)).size).toBe(1)
    expect(payer.totals().spendable).toBe(51)
  })

  test('the mint is slow: the handover goes out, and settles when the mint is done', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payee)
    const { id } = await payer.prepare(payee, 13)
    payer.mint = (real) => ({
      ...real,
      swap: async (body) => {
        await world.clock.wait(minuteMs)
        return real.swap(body)
      },
    })
    const paying = payer.run(() => payer.engine.confirmPay(id))
    const patiently = { timeout: 20_000 }
    await vi.waitFor(() => expect(payer.payment(id).state).toBe('settling'), patiently)
    await vi.waitFor(() => {
      world.clock.move(secondMs)
      expect(payer.payment(id).state).toBe('signed')
    }, patiently)
    await paying
    expect(payee.incoming().state).toBe('signed')
    await reconnect(payer)
    world.clock.move(minuteMs)
    await world.rest()
    expect(payer.payment(id).state).toBe('final')
  })

  test('the payee goes away in the middle: told when it is back, and it found out by itself before', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.link = lostFrames('handover')
    const id = await payer.pay(payee, 13)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['settled', 'terms'])
    payer.link = lostFrames('hello')
    await world.rest()
    expect(payee.incoming().state).toBe('final')
    payer.link = (_, exchange) => exchange()
    await world.rest()
    expect(payer.payment(id).state).toBe('final')
  })

  test('a payee that is back after the deadline is still told of a payment that was settled in time', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payee)
    payer.link = lostFrames('handover')
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'settled')
    payee.isListening = false
    world.clock.move(8 * dayMs)
    await world.rest()
    payee.isListening = true
    payer.link = (_, exchange) => exchange()
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('settled but not known to be until long after the deadline, it is told for a month from then on', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payee)
    payer.fate = (port) => (port === 'mint swap' ? 'die_after' : 'live')
    const id = await payer.pay(payee, 13)
    expect(payer.isAlive).toBe(false)
    payee.isListening = false
    world.clock.move(40 * dayMs)
    payer.reopen()
    await payer.look()
    await world.rest(minuteMs)
    inState(payer.payment(id), 'settled')
    world.clock.move(5 * dayMs)
    payee.isListening = true
    await world.rest(dayMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('a payee that never comes back is not told for ever', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.link = lostFrames('handover')
    const id = await payer.pay(payee, 13)
    payee.isListening = false
    world.clock.move(36 * dayMs)
    await world.rest(dayMs)
    inState(payer.payment(id), 'settled')
    world.clock.move(2 * dayMs)
    await world.rest(dayMs)
    expect(payer.payment(id)).toMatchObject({ state: 'final', nextAttemptAt: null })
  })

  describe('what never left is not sent by itself once the deadline has passed', () => {
    const cases: readonly [string, (payer: TestWallet, payee: TestWallet) => Promise<string>][] = [
      [
        'settling',
        async (payer, payee) => {
          payer.fate = (port) => (port === 'mint swap' ? 'die_before' : 'live')
          const id = await payer.pay(payee, 13)
          payer.reopen()
          return id
        },
      ],
      [
        'handing_over',
        async (payer, payee) => {
          const { id } = await payer.prepare(payee, 13)
          payer.reopen()
          await cutOff(payer)
          payer.link = lostFrames('hello')
          await payer.run(() => payer.engine.confirmPay(id))
          payer.link = goodLink
          return id
        },
      ],
    ]
    test.each(cases)('%s: a person is waited for, who takes it back', async (state, begin) => {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      const id = await begin(payer, payee)
      expect(payer.payment(id)).toMatchObject({ state, handedOver: false })
      expect(waitingFor(payer)).toEqual([])
      world.clock.move(8 * dayMs)
      await reconnect(payer)
      await world.rest(3 * dayMs)
      expect(payer.payment(id)).toMatchObject({ handedOver: false, lastError: 'terms_expired' })
      expect([payer.totals().reserved > 0, payee.totals().spendable]).toEqual([true, 0])
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
      expect(waitingFor(payer)).toEqual([id])
      await payer.engine.reclaim(id, false)
      await world.rest()
      expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 64])
    })

    test('what the mint has settled is told all the same', async () => {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      await cutOff(payee)
      payer.fate = (port) => (port === 'mint swap' ? 'die_after' : 'live')
      const id = await payer.pay(payee, 13)
      world.clock.move(8 * dayMs)
      payer.reopen()
      await payer.look()
      await world.rest()
      expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    })
  })

  test('saying no leaves no stream to the payee open', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    await payer.run(() => payer.engine.abandonPay(id))
    expect(payer.payment(id).state).toBe('abandoned')
    expect(payer.openStreams).toBe(0)
  })

  test('not answered within ten minutes is no', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    await world.rest()
    expect(payer.payment(id).state).toBe('abandoned')
    expect(payer.openStreams).toBe(0)
    expect((await refused(payer.engine.confirmPay(id))).code).toBe('wrong_state')
    expect(payer.totals().spendable).toBe(64)
  })

  test('Terms that are due together are asked about together, and none waits for another', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    for (let asked = 0; asked < 3; asked++) await payer.prepare(payee, 13)
    world.clock.move(2 * minuteMs)
    let questions = 0
    payee.mint = (real) => ({
      ...real,
      restore: (outputs) => {
        questions++
        return real.restore(outputs)
      },
    })
    await world.rest(minuteMs)
    expect(questions).toBeGreaterThan(0)
    for (const { nextAttemptAt } of payee.store.read.operations({ kind: 'receive' })) {
      expect(nextAttemptAt).toBeGreaterThan(world.clock.now())
    }
  })

  test('a payee that does not know the mint refuses, and nothing is given', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    const payee = await world.wallet('payee', { knowsMint: false })
    await payer.withdraw(64)
    expect((await refused(payer.prepare(payee, 13))).code).toBe('mint_unknown')
    expect((await refused(payer.prepare(payee, 13, { account: 3 }))).code).toBe('mint_unknown')
    payee.isListening = false
    expect((await refused(payer.prepare(payee, 13))).code).toBe('peer_unreachable')
    expect(payer.totals().spendable).toBe(64)
  })
})

/** Swaps asked for by this wallet while `work` goes on. */
async function collect(wallet: TestWallet, work: () => Promise<void>): Promise<string[]> {
  const swaps = recordSwaps(wallet)
  await work()
  return swaps
}

const coinsAndOutputs = (body: string): string => {
  const { inputs, outputs }: { inputs: { secret: string; witness?: string }[]; outputs: { B_: string }[] } =
    JSON.parse(body)
  return JSON.stringify([inputs.map(({ secret, witness }) => [secret, witness]), outputs.map(({ B_ }) => B_)])
}

describe('one request, one payment', () => {
  const requestOf = (payee: TestWallet, isSingleUse: boolean) => {
    const { id = '', payeeKey } = payee.engine.createRequest({
      account: 0,
      unit: 'sat',
      amount: 5,
      singleUse: isSingleUse,
    })
    return { requestId: id, expectedKey: payeeKey, isSingleUse }
  }
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => 'ok',
      (error) => error.code,
    )

  test('two previews of one single-use request cannot both be confirmed', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const request = requestOf(payee, true)
    const previews = [await payer.prepare(payee, 5, request), await payer.prepare(payee, 5, request)]
    await payer.run(() => payer.engine.confirmPay(previews[0]!.id))
    expect(await refusal(payer.engine.confirmPay(previews[1]!.id))).toBe('request_closed')
    expect(await refusal(payer.prepare(payee, 5, request))).toBe('request_closed')
    expect(payee.totals().spendable).toBe(5)
  })

  test('while a payment for it is signed, a single-use request is not paid again, a reusable one is', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 64, config: { coinsOfEach: 4 } })
    const [once, often] = [requestOf(payee, true), requestOf(payee, false)]
    await cutOff(payer)
    await cutOff(payee)
    for (const request of [once, often]) await payer.pay(payee, 5, request)
    expect(await refusal(payer.prepare(payee, 5, once))).toBe('conflict')
    expect(await refusal(payer.prepare(payee, 5, often))).toBe('ok')
  })

  test('a mint that called a payment bounced errs, and a single-use request was paid anew: it is paid once', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 5 })
    const request = requestOf(payee, true)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 5, request)
    const { id: first } = inState(payee.incoming(), 'signed')
    const errs: MintDouble = (real) => ({
      ...always(['swap'], refused11001)(real),
      checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'SPENT') }),
    })
    for (const wallet of [payer, payee]) wallet.mint = errs
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['bounced', 'bounced'])
    await reconnect(payer, payee)
    await payer.withdraw(8)
    const again = await payer.pay(payee, 5, request)
    expect(payer.payment(again).state).toBe('final')
    await world.pass(40 * dayMs)
    expect([payer.payment(id).state, payee.store.read.operation(first)?.state]).toEqual(['bounced', 'bounced'])
    // The payee has that handover: only a person takes its coins back.
    expect([payer.worth(), payee.worth(), payer.totals().spendable]).toEqual([8, 5, 3])
    expect(payer.totals().handed_over).toBe(5)
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
    expect([payer.worth(), payee.worth(), payer.totals().spendable]).toEqual([8, 5, 8])
  })

  test('a mint that calls one coin of a payment spent, and is wrong: nothing is swapped back unasked, and it is paid', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    const errs: MintDouble = (real) => ({
      ...always(['swap'], refused11001)(real),
      checkState: async (Ys) => ({ kind: 'ok', value: Ys.map((_, index) => (index === 0 ? 'SPENT' : 'UNSPENT')) }),
    })
    payer.mint = errs
    payee.mint = errs
    await world.pass(20 * dayMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['bounced', 'bounced'])
    await reconnect(payer, payee)
    await world.pass(20 * dayMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect([payer.worth(), payee.worth()]).toEqual([0, 13])
  })
  const refused11001: Fault = async () => ({ kind: 'refused', code: 11001, detail: 'spent' })

  test('a mint that says in between that nothing is spent starts the count of readings again, while the payee is away', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    payer.link = lostReplies('handover')
    const id = await payer.pay(payee, 13)
    payee.isListening = false
    const says =
      (state: 'SPENT' | 'UNSPENT'): MintDouble =>
      (real) => ({
        ...real,
        checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => state) }),
      })
    await reconnect(payer)
    for (const state of ['SPENT', 'UNSPENT', 'SPENT'] as const) {
      payer.mint = says(state)
      await step(payer, id)
      expect(inState(payer.payment(id), 'handing_over').reading?.kind ?? null).toBe(
        state === 'SPENT' ? 'bounced' : null,
      )
      world.clock.move(testConfig.readingGapMs)
    }
  })
})

describe('pay, the payer offline', () => {
  test('the payer is cut off from the mint, the payee is not: final during the payment, change later', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer)
    const preview = await payer.prepare(payee, 13)
    expect(preview.grade).toBe('signed')
    await payer.run(() => payer.engine.confirmPay(preview.id))
    expect(payee.incoming().state).toBe('final')
    expect(payer.payment(preview.id)).toMatchObject({ state: 'signed', grade: 'final' })
    await reconnect(payer)
    await world.rest()
    expect(payer.payment(preview.id).state).toBe('final')
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([51, 13])
  })

  test('both offline: signed, and both settle by themselves when the mint is back', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    expect(payee.worth()).toBe(0)
    expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: 64 })
    await world.pass(hourMs)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['signed', 'signed'])
    await reconnect(payer, payee)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([51, 13])
  })

  test('with a fee, both offline', async () => {
    const world = await openWorld({ feePpk: 100 })
    const { payer, payee } = await signedOffline(world)
    world.heal()
    await world.rest()
    expect([payer.totals().spendable, payee.totals().spendable, payer.fees()]).toEqual([50, 13, 1])
  })

  test('the payer alone comes back: it settles for both, and the payee finds its coins later', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await reconnect(payer)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'signed'])
    await reconnect(payee)
    await world.rest()
    expect(payee.incoming().state).toBe('final')
  })

  test('a lost receipt: the same handover is sent again, and answered with the same receipt', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    payer.link = lostReplies('handover', 2)
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'handing_over')
    const { receipt } = inState(payee.incoming(), 'signed')
    await world.rest()
    expect(inState(payer.payment(id), 'signed').receipt).toEqual(receipt)
    expect(payee.store.read.operations({ kind: 'receive' })).toHaveLength(1)
  })

  test('no receipt comes: asked again and again, settled only when a person says it was delivered', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    payer.link = lostReplies('handover')
    const id = await payer.pay(payee, 13)
    await reconnect(payer)
    const swaps = await collect(payer, () => world.rest(20 * secondMs))
    expect([payer.payment(id).state, swaps]).toEqual(['handing_over', []])
    await payer.run(() => payer.engine.markDelivered(id))
    await world.rest(minuteMs)
    expect(payer.payment(id).state).toBe('final')
    expect(payer.totals().spendable).toBe(51)
  })

  test('a payee that cannot be reached is asked less and less often', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    payer.link = lostFrames('handover')
    const id = await payer.pay(payee, 13)
    payee.isListening = false
    for (let attempt = 0; attempt < 8; attempt++) await step(payer, id)
    const { nextAttemptAt } = inState(payer.payment(id), 'handing_over')
    expect((nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThan(minuteMs)
  })

  test('neither the payee nor the mint does what it should: both are asked less and less often', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    payer.reopen()
    payee.isListening = false
    await payer.look()
    payer.mint = always(['swap'], refusal())
    await payer.run(() => payer.engine.confirmPay(id))
    for (let attempt = 0; attempt < 8; attempt++) await step(payer, id)
    expect((payer.payment(id).nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThan(minuteMs)
  })

  test.each(['before the step', 'while the payee is asked again'])(
    'a mint that is online only since it was confirmed, %s: the inputs never leave, the mint is asked first',
    async (when) => {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      const { id } = await payer.prepare(payee, 8)
      // The stream that the Terms came on is gone, and so is the payee.
      payer.reopen()
      await cutOff(payer)
      payee.isListening = false
      await payer.run(() => payer.engine.confirmPay(id))
      expect(inState(payer.payment(id), 'handing_over').handedOver).toBe(false)
      payee.isListening = true
      world.frames.splice(0)
      const becomeOnlineOnly = async () => {
        payer.mint = otherProgram
        await payer.look()
      }
      if (when === 'before the step') await becomeOnlineOnly()
      else {
        payer.link = async (kind, exchange) => {
          if (kind === 'hello') await becomeOnlineOnly()
          return exchange()
        }
      }
      world.clock.move(minuteMs)
      await step(payer, id)
      world.clock.move(minuteMs)
      await step(payer, id)
      expect(inState(payer.payment(id), 'final').handedOver).toBe(false)
      expect(handoversSeen(world)).toEqual(['settled'])
    },
  )

  const otherProgram: MintDouble = (real) => ({
    ...real,
    info: async (signal) => {
      const answer = await real.info(signal)
      return answer.kind === 'ok' ? { kind: 'ok', value: { ...answer.value, version: 'Nutshell/0.16.0' } } : answer
    },
  })

  /** What kinds of handover reached a payee. */
  const handoversSeen = ({ frames }: World) =>
    frames.flatMap(({ frame }) => {
      const decoded = decodeFrame(frame)
      return 'handover' in decoded ? [decodeBody(handoverSchema, decoded.handover).kind] : []
    })

  test.each(['tells the payee', 'is gone when it has'])(
    'a mint that is online only is rotated while its answer is away: the payer settles under the new keyset and %s',
    async (what) => {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      for (const wallet of [payer, payee]) {
        wallet.mint = otherProgram
        await wallet.look()
      }
      const { id } = await payer.prepare(payee, 8)
      payer.mint = chain(otherProgram, always(['swap'], lostRequest))
      await payer.run(() => payer.engine.confirmPay(id))
      inState(payer.payment(id), 'settling')
      world.mint.rotate()
      payer.mint = otherProgram
      if (what === 'is gone when it has') payer.link = lostFrames('hello')
      for (let hour = 0; hour < 3; hour++) {
        world.clock.move(hourMs)
        await payer.run(() => payer.engine.runner.runDue())
        await payee.run(() => payee.engine.runner.runDue())
      }
      expect(payee.incoming().state).toBe('final')
      expect(payee.totals().spendable).toBe(8)
      payer.link = goodLink
      world.clock.move(hourMs)
      await payer.run(() => payer.engine.runner.runDue())
      expect(payer.payment(id).state).toBe('final')
      expect(handoversSeen(world)).not.toContain('signed')
    },
  )

  test('no receipt comes, but the payee settled: the facts say so', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    payer.link = lostReplies('handover')
    const id = await payer.pay(payee, 13)
    payer.link = lostFrames('hello')
    await reconnect(payee)
    await reconnect(payer)
    await world.rest()
    expect(payee.incoming().state).toBe('final')
    expect(payer.payment(id).state).toBe('settled')
    expect(payer.totals().spendable).toBe(51)
  })

  test('one of its coins was spent elsewhere: it has bounced, and the other coins come back when a person says so', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const twin = await world.wallet('payer', { copy: payer.copy() })
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    expect(
      inState(payer.payment(id), 'signed')
        .swap.inputs.map(({ amount }) => amount)
        .sort(),
    ).toEqual([1, 4, 8])
    const other = await world.wallet('other')
    await twin.look()
    await twin.pay(other, 4)
    expect(other.totals().spendable).toBe(4)
    world.forget(twin)
    await reconnect(payer, payee)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['bounced', 'bounced'])
    expect(payer.totals()).toMatchObject({ quarantined: 0, spent: 4, handed_over: 9, reserved: 0 })
    await world.pass(40 * dayMs)
    expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: 9 })
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    expect(payer.totals()).toMatchObject({ spendable: 9, handed_over: 0 })
    // It did not hold, whatever came back of it.
    expect(payer.payment(id).state).toBe('bounced')
    await expect(payer.run(() => payer.engine.reclaim(id, true))).rejects.toMatchObject({ code: 'wrong_state' })
  })

  test('what is left of a bounced payment is taken back with a warning, and counted again when it is spent', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 13 })
    const [twin, late] = [
      await world.wallet('payer', { copy: payer.copy() }),
      await world.wallet('late', { phrase: 'payer', copy: payer.copy() }),
    ]
    await cutOff(payer, payee, late)
    const id = await payer.pay(payee, 13)
    const other = await world.wallet('other')
    await twin.look()
    await twin.pay(other, 4)
    world.forget(twin)
    await reconnect(payer, payee)
    await world.rest()
    expect(payer.engine.reclaimable(payer.payment(id))).toBe('warned')
    await expect(payer.run(() => payer.engine.reclaim(id, false))).rejects.toMatchObject({ code: 'wrong_state' })
    late.mint = (real) => real
    await late.run(() => late.engine.noOpenPayments())
    await late.look()
    await late.pay(other, 8)
    expect(other.worth()).toBe(12)
    world.forget(late)
    await world.pass(3 * dayMs)
    expect(payer.totals()).toMatchObject({ spent: 12, handed_over: 1 })
    expect(payer.payment(id).state).toBe('bounced')
  })

  test('two payments from one purse', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 64, config: { coinsOfEach: 4 } })
    await cutOff(payer, payee)
    const ids = [await payer.pay(payee, 5), await payer.pay(payee, 7)]
    const used = ids.map((id) => inState(payer.payment(id), 'signed').swap.inputs.map(({ Y }) => Y))
    expect(new Set(used.flat()).size).toBe(used.flat().length)
    const keys = ids.flatMap((id) =>
      inState(payer.payment(id), 'signed').swap.inputs.map(({ secret }) => keyIn(secret)),
    )
    expect(new Set(keys).size).toBe(1)
    await reconnect(payer, payee)
    await world.rest()
    expect(ids.map((id) => payer.payment(id).state)).toEqual(['final', 'final'])
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([52, 12])
  })

  const keyIn = (secret: string): string => JSON.parse(secret)[1].data

  test('the keyset is rotated between handover and settlement', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    const old = await world.mint.keysetId()
    world.mint.rotate()
    await reconnect(payer, payee)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    const keysets = payee.store.read.coins(0, 'sat', 'spendable').map(({ keysetId }) => keysetId)
    expect(keysets).not.toContain(old)
  })

  test('the keyset is rotated and the mint takes another fee now: what was signed still settles', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    world.mint.rotate({ feePpk: 1000 })
    await reconnect(payer, payee)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([51, 13])
  })

  test('a mint that is not known to enforce SIG_ALL is paid with online only', async () => {
    const world = await openWorld()
    const foreign: MintDouble = (real) => ({
      ...real,
      info: async () => {
        const answer = await real.info()
        return answer.kind === 'ok' ? { ...answer, value: { ...answer.value, version: 'Nutshell/0.17' } } : answer
      },
    })
    const wallets: TestWallet[] = []
    for (const name of ['payer', 'payee']) {
      const wallet = await world.wallet(name, { knowsMint: false })
      wallet.mint = foreign
      await wallet.engine.mints.add(world.mint.url())
      wallets.push(wallet)
    }
    const [payer, payee] = wallets as [TestWallet, TestWallet]
    await payer.withdraw(64)
    payer.mint = chain(foreign, first(1, ['swap'], lostAnswer))
    const id = await payer.pay(payee, 13)
    expect(payer.payment(id)).toMatchObject({ state: 'settling', handedOver: false })
    expect(payee.incoming().state).toBe('terms')
    payer.mint = foreign
    await world.rest()
    expect(payer.payment(id)).toMatchObject({ state: 'final', handedOver: false })
    expect(payee.incoming()).toMatchObject({ state: 'final', claim: null })
    await cutOff(payer)
    expect((await refused(payer.prepare(payee, 13))).code).toBe('mint_unreachable')
  })
})

describe('what one purse can pay', () => {
  test('without the mint the largest payable amount is named, and can be paid exactly', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 40 })
    await payer.withdraw(24)
    await cutOff(payer, payee)
    const { code, facts } = await refused(payer.prepare(payee, 50))
    expect([code, facts]).toEqual(['no_single_purse', { largest: 40, total: 64 }])
    const id = await payer.pay(payee, facts['largest']!)
    expect(payer.payment(id)).toMatchObject({ state: 'signed', change: 0 })
  })

  test('with a fee the largest payable amount leaves room for it', async () => {
    const world = await openWorld({ feePpk: 400 })
    const { payer, payee } = await payerAndPayee(world, { money: 44 })
    await cutOff(payer, payee)
    const { code, facts } = await refused(payer.prepare(payee, 44))
    expect([code, facts['largest']]).toEqual(['not_enough', 42])
    const id = await payer.pay(payee, 42)
    expect(payer.payment(id)).toMatchObject({ state: 'signed', change: 0, fee: 2 })
  })

  test('all the money in two purses, to the last coin, is not "too little"', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 40 })
    await payer.withdraw(24)
    await cutOff(payer, payee)
    expect((await refused(payer.prepare(payee, 64))).code).toBe('no_single_purse')
    expect((await refused(payer.prepare(payee, 65))).code).toBe('not_enough')
  })

  test('when only the fee is missing, it is not the purses that are to blame', async () => {
    const world = await openWorld({ feePpk: 400 })
    const { payer, payee } = await payerAndPayee(world, { money: 44 })
    const { code, facts } = await refused(payer.prepare(payee, 43))
    expect([code, facts['largest']]).toEqual(['not_enough', 42])
  })

  test('purses that were filled one by one are brought together in time, and pay in one go', async () => {
    const world = await openWorld()
    const config = { refreshDelayMs: [minuteMs, minuteMs] as const }
    const { payer, payee } = await payerAndPayee(world, { money: 40, config })
    await payer.withdraw(24)
    expect((await refused(payer.prepare(payee, 60))).facts['largest']).toBe(40)
    await world.pass(hourMs)
    const id = await payer.pay(payee, 60)
    expect(payer.payment(id).state).toBe('final')
  })

  test('with the mint, change that waits to be settled is brought home for the next payment', async () => {
    const world = await openWorld()
    const { payer, payee } = await signedOffline(world)
    await reconnect(payer)
    const id = await payer.pay(payee, 40)
    expect(payer.payment(id).state).toBe('final')
    await reconnect(payee)
    await world.rest()
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([11, 53])
  })

  test('the largest amount is payable and one more is not, for purses of any coins and fees', () => {
    const random = pseudoRandom(20261101)
    for (let round = 0; round < 400; round++) {
      const fees = [[0], [100], [1000], [0, 100], [100, 700]][random(5)]!
      const coins = Array.from({ length: 1 + random(24) }, (_, index) => ({
        Y: `${index}`.padStart(4, '0'),
        purseId: random(2),
        amount: 2 ** random(7),
        feePpk: fees[random(fees.length)]!,
      }))
      const tooMuch = 2 ** 20
      const result = chooseCoins(coins, tooMuch, 1)
      if (result.kind === 'chosen') throw new Error('more than there is')
      const { largest } = result
      if (largest === 0) continue
      const choice = chooseCoins(coins, largest, splitAmount(largest).length)
      expect(choice, JSON.stringify({ largest, coins })).toMatchObject({ kind: 'chosen' })
      if (choice.kind === 'chosen') expect(choice.choice.change).toBe(0)
      expect(chooseCoins(coins, largest + 1, splitAmount(largest + 1).length).kind).toBe('not_enough')
    }
  })

  /** Park and Miller's generator: the same numbers at every run. */
  function pseudoRandom(seed: number): (below: number) => number {
    let state = seed
    return (below) => {
      state = (state * 48271) % 2147483647
      return state % below
    }
  }
})

describe('void and reclaim', () => {
  test('a refused handover frees no coin', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await voided(world)
    expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: 64 })
    await reconnect(payer)
    await world.rest()
    expect(payer.payment(id).state).toBe('voided')
    expect(waitingFor(payer)).toEqual([id])
    expect(payer.totals()).toMatchObject({ spendable: 0, handed_over: 64 })
    expect((await refused(payer.prepare(payee, 1))).code).toBe('not_enough')
  })

  test('after a void the coins come back without a warning, spendable when the mint has swapped them, not before', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await voided(world)
    await payer.run(() => payer.engine.reclaim(id, false))
    expect(payer.payment(id).state).toBe('reclaiming')
    expect(waitingFor(payer)).toEqual([])
    expect(payer.totals()).toMatchObject({ spendable: 0, reserved: 64, handed_over: 0 })
    await world.rest()
    expect(payer.totals().spendable).toBe(0)
    await reconnect(payer)
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
    expect(payer.totals()).toMatchObject({ spendable: 64, reserved: 0 })
    await reconnect(payee)
    await world.rest()
    expect(payee.worth()).toBe(0)
  })

  describe('a coin of it has expired by then, and others have not', () => {
    async function mixed(world: World) {
      const payer = await world.wallet('payer', { config: soon })
      const payee = await world.wallet('payee', { config: { limits: { single: 10, total: 10, perHour: 10 } } })
      for (const amount of [16, 8]) await payer.withdraw(amount)
      await world.pass(hourMs)
      const days = 24 * 3600
      world.mint.rotate({ finalExpiry: unixNow(world.clock) + 60 * days })
      await payer.withdraw(5)
      await world.pass(hourMs)
      const coins = payer.store.read.coins(0, 'sat', 'spendable')
      expect(new Set(coins.map(({ purseId }) => purseId)).size).toBe(1)
      const { id } = await payer.prepare(payee, 29)
      await cutOff(payer, payee)
      await payer.run(() => payer.engine.confirmPay(id))
      inState(payer.payment(id), 'voided')
      world.mint.rotate()
      return { payer, payee, id }
    }

    test('what still has worth comes back, and the rest holds nothing up', async () => {
      const world = await openWorld()
      const { payer, id } = await mixed(world)
      world.clock.move(61 * dayMs)
      await reconnect(payer)
      await payer.run(() => payer.engine.reclaim(id, false))
      await world.rest()
      expect(payer.payment(id)).toMatchObject({ state: 'reclaimed', nextAttemptAt: null })
      expect(payer.totals()).toMatchObject({ spendable: 24, reserved: 0, handed_over: 0 })
      expect(restingOf({ store: payer.store, clock: world.clock }, 0, 'sat').expired.amount).toBe(5)
    })

    test('by a clock that was wrong: it is promised to nobody else before it has come back by a swap', async () => {
      const world = await openWorld()
      const { payer, payee, id } = await mixed(world)
      const carol = await world.wallet('carol')
      world.clock.move(61 * dayMs)
      await reconnect(payer, payee)
      await payer.run(() => payer.engine.reclaim(id, false))
      await world.rest()
      inState(payer.payment(id), 'reclaimed')
      world.clock.move(-61 * dayMs)
      await cutOff(payer, carol)
      const again = await payer.pay(carol, 5)
      const claims = [id, again].map((one) => {
        const { claim, handedOver } = inState(payer.payment(one), one === id ? 'reclaimed' : 'signed')
        expect(handedOver).toBe(true)
        return { body: hexToBytes(claim.body), sig: hexToBytes(claim.sig) }
      })
      expect(findDoubleSpend(claims)).toBeUndefined()
      await reconnect(payer, carol)
      await world.pass(dayMs)
      expect(payer.totals()).toMatchObject({ quarantined: 0, handed_over: 0, reserved: 0 })
    })

    test('and what is left would cost more than it is worth: it is not offered', async () => {
      const world = await openWorld()
      const payer = await world.wallet('payer', { config: soon })
      const payee = await world.wallet('payee', { config: { limits: { single: 1, total: 1, perHour: 10 } } })
      for (const amount of [1, 1]) await payer.withdraw(amount)
      world.mint.rotate({ feePpk: 600 })
      await world.pass(hourMs)
      world.mint.rotate({ feePpk: 0 })
      await payer.withdraw(8)
      world.mint.rotate({ feePpk: 800, finalExpiry: unixNow(world.clock) + 60 * 24 * 3600 })
      await world.pass(hourMs)
      const { id } = await payer.prepare(payee, 8)
      await cutOff(payer, payee)
      await payer.run(() => payer.engine.confirmPay(id))
      inState(payer.payment(id), 'voided')
      world.mint.rotate({ feePpk: 0 })
      world.clock.move(61 * dayMs)
      await reconnect(payer)
      expect(payer.store.read.coinsOf(id).map(({ amount }) => amount)).toEqual([1, 1, 8])
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
      expect((await refused(payer.engine.reclaim(id, true))).code).toBe('wrong_state')
    })

    test('and the mint has to be asked first what it signs with: it is offered when it can come back', async () => {
      const world = await openWorld()
      const { payer, id } = await mixed(world)
      world.clock.move(61 * dayMs)
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
      expect((await refused(payer.engine.reclaim(id, true))).code).toBe('wrong_state')
      await reconnect(payer)
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('free')
    })

    test('before the swap back was sent: what still has worth comes back, and the payment ends', async () => {
      const world = await openWorld()
      const { payer, id } = await mixed(world)
      await payer.run(() => payer.engine.reclaim(id, false))
      world.clock.move(61 * dayMs)
      await reconnect(payer)
      await world.rest(2 * dayMs)
      expect(payer.payment(id)).toMatchObject({ state: 'reclaimed', nextAttemptAt: null })
      expect(spendableOf({ store: payer.store, clock: world.clock }, 0, 'sat').spendable).toBe(24)
      expect(payer.totals()).toMatchObject({ reserved: 0, handed_over: 0 })
    })

    test('where all have, there is nothing to take back', async () => {
      const world = await openWorld({ finalExpiry: Date.UTC(2026, 11, 20) / 1000 })
      const { payer, id } = await voided(world)
      world.mint.rotate()
      world.clock.move(61 * dayMs)
      await reconnect(payer)
      expect(payer.engine.reclaimable(payer.payment(id))).toBe('no')
      expect((await refused(payer.engine.reclaim(id, true))).code).toBe('wrong_state')
    })
  })

  test('a payee that settles after its own void is paid', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await voided(world)
    const { swap } = inState(payer.payment(id), 'voided')
    const inputs = swap.inputs.map(({ Y: _, ...proof }, index) => ({
      ...proof,
      ...(index === 0 ? { witness: JSON.stringify({ signatures: [swap.signature] }) } : {}),
    }))
    const keyset = await world.mint.keysetId()
    const outputs = swap.outputs.map((output) => ({ ...output, id: keyset }))
    expect((await world.mint.post('/v1/swap', { inputs, outputs })).status).toBe(200)
    await reconnect(payer, payee)
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('without a void a reclaim needs a warning', async () => {
    const world = await openWorld()
    const { payer, id } = await signedOffline(world)
    expect((await refused(payer.engine.reclaim(id, false))).code).toBe('wrong_state')
    expect(payer.payment(id).state).toBe('signed')
    world.clock.move(8 * dayMs)
    await payer.run(() => payer.engine.reclaim(id, false))
    expect(payer.payment(id).state).toBe('reclaiming')
  })

  test('a reclaim that comes first is final, and the payee’s payment has bounced', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await reconnect(payer)
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
    expect(payer.totals().spendable).toBe(64)
    await reconnect(payee)
    await world.rest()
    expect(payee.incoming().state).toBe('bounced')
  })

  test('a reclaim that loses the race against the payee: the payment is final, and nothing is lost', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await payer.run(() => payer.engine.reclaim(id, true))
    await reconnect(payee)
    await world.rest()
    expect(payee.incoming().state).toBe('final')
    expect(payer.payment(id).state).toBe('reclaiming')
    await reconnect(payer)
    await world.rest()
    expect(payer.refreshes().map(({ state }) => state)).toEqual(['lost'])
    expect(payer.payment(id).state).toBe('final')
    expect([payer.totals().spendable, payee.totals().spendable]).toEqual([51, 13])
  })

  test('a reclaim that a mint calls lost, and that has passed all the same: the payment was taken back, not bounced', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    await cutOff(payer, payee)
    const id = await payer.pay(payee, 13)
    // The swap passes; the mint then shows no signature of it for a while.
    payer.mint = chain(first(1, ['swap'], lostAnswer), (real) => ({
      ...real,
      swap: async (body) => {
        const answer = await real.swap(body)
        return answer.kind === 'ok' ? { kind: 'refused', code: 11001, detail: 'spent' } : answer
      },
      restore: async () => ({ kind: 'ok', value: [] }),
    }))
    await payer.look()
    await payer.run(() => payer.engine.reclaim(id, true))
    await world.rest(hourMs)
    expect([payer.payment(id).state, payer.refreshes()[0]?.state]).toEqual(['bounced', 'lost'])
    world.heal()
    await world.pass(3 * dayMs)
    expect([payer.payment(id).state, payer.refreshes()[0]?.state]).toEqual(['reclaimed', 'done'])
    expect(payer.payment(id).nextAttemptAt).toBeNull()
    expect(payer.totals().spendable).toBe(64)
  })

  test('what has not left cannot be called delivered', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    payer.reopen()
    await cutOff(payer)
    payer.link = lostFrames('hello')
    await payer.run(() => payer.engine.confirmPay(id))
    expect(payer.payment(id)).toMatchObject({ state: 'handing_over', handedOver: false })
    expect((await refused(payer.engine.markDelivered(id))).code).toBe('wrong_state')
    expect(payer.payment(id).state).toBe('handing_over')
  })

  test('a reclaim of a settle-first payment whose fate is unknown', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.link = lostFrames('handover')
    payer.mint = always(['swap'], lostRequest)
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'handing_over')
    await payer.run(() => payer.engine.reclaim(id, true))
    world.heal()
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
    expect(payer.totals().spendable).toBe(64)
  })

  test('an output of the reclaim was signed elsewhere: another reclaim follows, and the payment ends reclaimed', async () => {
    const world = await openWorld()
    const { payer, id } = await signedOffline(world)
    await payer.run(() => payer.engine.reclaim(id, true))
    const [reclaim] = payer.refreshes()
    await signElsewhere(world, reclaim!.swap.outputs.at(-1)!.B_, 1)
    await reconnect(payer)
    await world.rest()
    expect(payer.refreshes().map(({ state }) => state)).toEqual(['done', 'dead'])
    expect(payer.totals().spendable).toBe(65)
    await world.pass(2 * dayMs)
    expect(payer.payment(id).state).toBe('reclaimed')
  })

  test('a dead payment gives its coins back by a reclaim', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await signElsewhere(world, payee.incoming().outputs.at(-1)!.B_, 1)
    await reconnect(payer)
    await world.rest()
    expect(payer.payment(id).state).toBe('dead')
    expect(payer.totals().spendable).toBe(0)
    await payer.run(() => payer.engine.reclaim(id, false))
    await world.rest()
    expect(payer.payment(id).state).toBe('reclaimed')
    expect(payer.totals().spendable).toBe(64)
  })
})

describe('purses', () => {
  test('a purse that has paid is re-keyed: its other coins move to a purse nobody has seen', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 64, config: { ...soon, coinsOfEach: 4 } })
    const id = await payer.pay(payee, 5)
    expect(payer.payment(id).state).toBe('final')
    const usedPurse = purses(payer)
    await world.pass(hourMs)
    expect(payer.refreshes().map(({ state, reason }) => [state, reason])).toContainEqual(['done', 'rekey'])
    const fresh = payer.store.read.purses(0, 'sat').filter(({ used }) => !used)
    const spendable = payer.store.read.coins(0, 'sat', 'spendable')
    expect(spendable.every(({ purseId }) => fresh.some((purse) => purse.id === purseId))).toBe(true)
    expect(purses(payer)).not.toEqual(usedPurse)
    expect(payer.totals().spendable).toBe(59)
  })

  test('received purses are merged, one swap after another into one purse without gaps', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    for (const amount of [13, 8, 5]) await payer.pay(payee, amount)
    expect(purses(payee).map(([, value]) => value)).toEqual([13, 8, 5])
    payee.reopen(soon)
    await world.pass(hourMs)
    expect(purses(payee)).toEqual([[0, 26]])
    const purse = payee.store.read.purses(0, 'sat').find((one) => one.purse === 0)
    expect(payee.refreshes()).toHaveLength(3)
    expect(payee.refreshes().reduce((sum, { swap }) => sum + swap.outputs.length, 0)).toBe(purse?.nextCoin)
  })

  test('a refresh whose output was signed elsewhere is made again, and no coin is lost', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 32, config: { ...soon, coinsOfEach: 4 } })
    await payer.pay(payee, 5)
    payer.mint = always(['swap'], lostRequest)
    await world.pass(10 * minuteMs)
    const [refresh] = payer.refreshes()
    await signElsewhere(world, refresh!.swap.outputs.at(-1)!.B_, 1)
    await reconnect(payer)
    await world.pass(hourMs)
    expect(payer.refreshes().map(({ state }) => state)).toContain('dead')
    expect(payer.totals()).toMatchObject({ spendable: 28, reserved: 0 })
  })

  test('a refresh with lost answers is done once', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 32, config: { ...soon, coinsOfEach: 4 } })
    await payer.pay(payee, 5)
    payer.mint = first(3, ['swap'], lostAnswer)
    await world.pass(hourMs)
    expect(payer.refreshes().map(({ state }) => state)).toEqual(['done'])
    expect(payer.totals()).toMatchObject({ spendable: 27, reserved: 0 })
  })

  test('a refresh that a mint denies and has done is found', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 32, config: { ...soon, coinsOfEach: 4 } })
    await payer.pay(payee, 5)
    payer.mint = always(['swap'], deniedEffect)
    await world.pass(hourMs)
    expect(payer.refreshes().map(({ state }) => state)).toEqual(['done'])
  })

  test('what costs more than a hundredth to refresh is left', async () => {
    const world = await openWorld({ feePpk: 1000 })
    const { payer, payee } = await payerAndPayee(world, { money: 64, config: soon })
    await payer.pay(payee, 13)
    await world.pass(hourMs)
    expect([payer.refreshes(), payee.refreshes()]).toEqual([[], []])
  })

  test('milestones and purse 0 are never given to a peer, and one is filled when it is due', async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    const payee = await world.wallet('payee', { config: soon })
    await payer.withdraw(64)
    for (let asked = 0; asked < 104; asked++) {
      const { id } = await payer.prepare(payee, 1)
      await payer.run(() => payer.engine.abandonPay(id))
      // No more than a hundred a day are left unanswered for one address.
      world.clock.move(15 * minuteMs)
    }
    const given = payee.store.read.purses(0, 'sat').map(({ purse }) => purse)
    expect(given).toHaveLength(104)
    expect(given.filter((purse) => purse % 100 === 0)).toEqual([])
    await payer.pay(payee, 13)
    await world.pass(hourMs)
    expect(purses(payee)).toEqual([[100, 13]])
    // What came first made the account visible in purse 0, then in the milestone.
    const taken = payee.store.read.purses(0, 'sat').map(({ purse }) => purse)
    expect(taken.filter((purse) => purse % 100 === 0)).toEqual([0, 100])
  }, 60_000)
})

describe('interrupted and started again', () => {
  /** Kill both, open the same files, let everything come to its end. */
  async function restart(world: World, ...wallets: readonly TestWallet[]): Promise<void> {
    for (const wallet of wallets) {
      wallet.kill()
      wallet.reopen()
    }
    world.heal()
    await world.rest()
  }

  test('agreed and not confirmed: given up', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    payer.kill()
    payer.reopen()
    await payer.run(() => payer.engine.runner.runDue())
    expect(payer.payment(id).state).toBe('abandoned')
    expect(payee.incoming().state).toBe('terms')
  })

  test('agreed, and confirmed after the start', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 13)
    payer.kill()
    payer.reopen()
    await payer.run(() => payer.engine.confirmPay(id))
    await world.rest()
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('asking: given up', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.fate = (port) => (port === 'exchange' ? 'die_after' : 'live')
    await payer.prepare(payee, 13)
    payer.reopen()
    const [asking] = payer.store.read.operations({ kind: 'pay' })
    inState(asking!, 'asking')
    // At once: nobody is being asked any more.
    await payer.run(() => payer.engine.runner.runDue())
    expect(payer.payment(asking!.id).state).toBe('abandoned')
  })

  test('settling, the request lost', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.fate = (port) => (port === 'mint swap' ? 'die_before' : 'live')
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'settling')
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('settling, the answer lost', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.fate = (port) => (port === 'mint swap' ? 'die_after' : 'live')
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'settling')
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    expect(payer.totals().spendable).toBe(51)
  })

  test('settled, the payee not told', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    payer.link = lostFrames('handover')
    const id = await payer.pay(payee, 13)
    inState(payer.payment(id), 'settled')
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('handing over, the payee has it or has it not', async () => {
    for (const link of [lostFrames('handover'), lostReplies('handover')]) {
      const world = await openWorld()
      const { payer, payee } = await payerAndPayee(world)
      await cutOff(payer, payee)
      payer.link = link
      const id = await payer.pay(payee, 13)
      inState(payer.payment(id), 'handing_over')
      await restart(world, payer, payee)
      expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
    }
  })

  test('signed on both sides', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['final', 'final'])
  })

  test('signed while the mint was silent, and the coin was spent: the receipt that left is given again', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id } = await payer.prepare(payee, 8)
    await cutOff(payer)
    await payee.look()
    let release = () => {}
    const asked = new Promise<void>((resolve) => {
      payee.mint = (real) => ({
        ...real,
        swap: () => {
          resolve()
          return new Promise((answer) => {
            release = () => answer({ kind: 'unknown', reason: 'no answer', reachable: false })
          })
        },
      })
    })
    const paying = payer.run(() => payer.engine.confirmPay(id))
    await asked
    world.clock.move(testConfig.settleBeforeAnswerMs)
    await paying
    inState(payer.payment(id), 'signed')
    // The step that still waited has an older copy of the row.
    release()
    await payee.run(() => payee.engine.runner.runDue())
    expect(inState(payee.incoming(), 'signed').withheld).toBeNull()
    const sent = world.frames.findLast(({ kind }) => kind === 'handover')!
    await reconnect(payer)
    await payer.run(() => payer.engine.reclaim(id, true))
    await payer.run(() => payer.engine.runner.runDue())
    payee.kill()
    payee.reopen()
    await reconnect(payee)
    for (let reading = 0; reading < 2; reading++) {
      await payee.run(() => payee.engine.runner.runDue())
      world.clock.move(testConfig.readingGapMs)
    }
    inState(payee.incoming(), 'bounced')
    const from = {
      payerPeer: hexToBytes(payee.incoming().payerPeer),
      payeePeer: new Uint8Array(38),
      address: '10.0.0.7',
    }
    expect(await payee.engine.payee.onHandover(sent.frame, from)).toEqual(sent.reply)
  })

  test('voided', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await voided(world)
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['voided', 'refused'])
    await payer.run(() => payer.engine.reclaim(id, false))
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payer.totals().spendable]).toEqual(['reclaimed', 64])
  })

  test('reclaiming, with the swap lost on the way', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    payer.mint = first(1, ['swap'], lostAnswer)
    await payer.look()
    await payer.run(() => payer.engine.reclaim(id, true))
    await payer.run(() => payer.engine.runner.runDue())
    inState(payer.payment(id), 'reclaiming')
    await restart(world, payer, payee)
    expect([payer.payment(id).state, payee.incoming().state]).toEqual(['reclaimed', 'bounced'])
  })

  test('with a first sad reading noted', async () => {
    const world = await openWorld()
    const { payer, payee, id } = await signedOffline(world)
    await signElsewhere(world, payee.incoming().outputs.at(-1)!.B_, 1)
    await reconnect(payee)
    await step(payee, payee.incoming().id)
    expect(inState(payee.incoming(), 'signed').reading?.kind).toBe('dead')
    const { id: first } = payee.incoming()
    await restart(world, payer, payee)
    // Dead on both sides, and then signed anew.
    expect([payer.payment(id).state, payee.store.read.operation(first)?.state]).toEqual(['replaced', 'replaced'])
    expect(payee.incoming().state).toBe('final')
  })

  test('ended operations stay as they are', async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const id = await payer.pay(payee, 13)
    const before = [payer.payment(id), payee.incoming()]
    await restart(world, payer, payee)
    expect([payer.payment(id), payee.incoming()]).toEqual(before)
  })
})
