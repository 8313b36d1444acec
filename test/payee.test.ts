// What a payee does with a Handover, from its frame to the Receipt (protocol sections 3, 4 and 6), over a real database.
// The payers are written by hand and need not be honest.

import { describe, expect, test } from 'vitest'
import { buildSettledHandover } from '../electron/wallet/handover.ts'
import type { CoinVerifier, RemotePayer } from '../electron/wallet/ports.ts'
import { splitAmount } from '../shared/amount.ts'
import { verifyCoin } from '../shared/cashu/dleq.ts'
import { bytesToHex, concatBytes, hexToBytes } from '../shared/cashu/numbers.ts'
import { encodeCbor } from '../shared/cbor.ts'
import { encodeFrame, type Input, maxFrameBytes, verifySigned } from '../shared/messages.ts'
import {
  type AgreedTerms,
  type Answer,
  bytesOf,
  handoverFrame,
  issueCoin,
  type MintKeys,
  makePayment,
  mintKeys,
  openPayee,
  outputsOf,
  payer,
  payWith,
  pointOf,
  resigned,
  signer,
  type TestPayee,
  type TestPayeeOptions,
  twin,
  wordOf,
} from './payment-fixture.ts'

const mint = mintKeys('mint')
const brief = mintKeys('a keyset that expires', { finalExpiry: Date.UTC(2026, 10, 20) / 1000 })
const foreign = mintKeys('foreign mint')
const euros = mintKeys('euros', { unit: 'eur' })
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A payee that its mint does not answer. */
async function offline(options: Partial<TestPayeeOptions> = {}): Promise<TestPayee> {
  const payee = await openPayee({ keysets: [mint], ...options })
  await payee.cutOff()
  return payee
}

const totals = (payee: TestPayee) => payee.store.read.totals(0, 'sat')
const stateOf = (payee: TestPayee, agreed: AgreedTerms) => payee.receiveOf(agreed).state
const receiptIn = (answer: Answer) => {
  if (answer.kind !== 'receipt') throw new Error(wordOf(answer))
  return answer
}
const refusalIn = (answer: Answer) => {
  if (answer.kind !== 'refusal') throw new Error(wordOf(answer))
  return answer
}

describe('a signed handover', () => {
  test('gets a receipt that names Terms and swap, signed by the payee', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree({ amount: 5 }), [4, 2])
    const { receipt, signed } = receiptIn(await payee.handover(payment.built.frame))
    expect(receipt).toEqual({
      termsHash: payment.termsHash,
      swapDigest: hexToBytes(payment.built.swap.digest),
      grade: 'signed',
      at: payee.clock.nowMs / 1000,
    })
    expect(verifySigned('receipt', signed.body, signed.sig, payment.terms.payeeKey)).toBe(true)
    expect(payee.receiveOf(payment)).toMatchObject({ state: 'signed', swap: payment.built.swap })
    expect(totals(payee).spendable).toBe(0)
  })

  test('that comes again gets the same bytes, later and after a restart', async () => {
    const payee = await offline()
    const { frame } = payWith(mint, await payee.agree(), [4, 1]).built
    const first = await payee.handover(frame)
    payee.clock.nowMs += dayMs
    expect((await payee.handover(frame)).frame).toEqual(first.frame)
    await payee.reopen()
    expect((await payee.handover(frame)).frame).toEqual(first.frame)
    expect(wordOf(first)).toBe('signed')
  })

  test('is final at once when the mint answers, and its receipt stays what it is', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const first = receiptIn(await payee.handover(payment.built.frame))
    expect(first.receipt).toMatchObject({ grade: 'final', swapDigest: hexToBytes(payment.built.swap.digest) })
    expect(totals(payee).spendable).toBe(5)
    payee.clock.nowMs += dayMs
    await payee.reopen()
    expect((await payee.handover(payment.built.frame)).frame).toEqual(first.frame)
    expect(payee.mint.swaps).toHaveLength(1)
  })

  test('has its receipt change once, from signed to final, when it is settled', async () => {
    const payee = await offline()
    const { frame } = payWith(mint, await payee.agree(), [4, 1]).built
    expect(wordOf(await payee.handover(frame))).toBe('signed')
    payee.mint.isUp = true
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    const second = await payee.handover(frame)
    expect(wordOf(second)).toBe('final')
    payee.clock.nowMs += dayMs
    expect((await payee.handover(frame)).frame).toEqual(second.frame)
  })

  test('that comes twice at the same moment gets one receipt', async () => {
    const payee = await offline()
    const { frame } = payWith(mint, await payee.agree(), [4, 1]).built
    const answers = await Promise.all([payee.handover(frame), payee.handover(frame)])
    expect(answers.map(wordOf)).toEqual(['signed', 'signed'])
    expect(answers[0]?.frame).toEqual(answers[1]?.frame)
  })

  test('is settled under a keyset that lasts, also where one that ends soon costs less', async () => {
    const soon = mintKeys('ends in an hour', { finalExpiry: Date.UTC(2026, 10, 1, 1) / 1000 })
    const lasting = mintKeys('lasts', { feePpk: 100 })
    const payee = await openPayee({ keysets: [lasting, soon] })
    const agreed = await payee.agree()
    await payee.engine.tick()
    const answer = await payee.handover(payWith(lasting, agreed, [4, 2]).built.frame)
    expect(wordOf(answer)).toBe('final')
    const coins = payee.store.read.coins(0, 'sat', 'spendable')
    expect(new Set(coins.map(({ keysetId }) => keysetId))).toEqual(new Set([lasting.keyset.id]))
  })

  test('is settled with the bytes that it was signed for: payer’s change untouched, one witness', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const { built } = payWith(mint, await payee.agree({ amount: 5 }), [8, 4])
    await payee.handover(built.frame)
    const { inputs, outputs } = JSON.parse(payee.mint.swaps[0]!)
    expect(outputs).toEqual(built.swap.outputs.map((output) => ({ ...output, id: mint.keyset.id })))
    const witness = JSON.stringify({ signatures: [built.swap.signature] })
    expect(inputs).toEqual(
      built.swap.inputs.map(({ Y: _Y, ...proof }, index) => (index === 0 ? { ...proof, witness } : proof)),
    )
  })

  test('must come from the peer that the Terms were made for', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const other: RemotePayer = { ...payer, payerPeer: bytesOf('somebody between') }
    expect(wordOf(await payee.handover(payment.built.frame, other))).toBe('bad_handover')
    expect(stateOf(payee, payment)).toBe('terms')
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('signed')
  })

  test('for Terms that nobody made is refused', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const unknown = { ...payment, termsHash: bytesOf('no Terms') }
    const frame = handoverFrame(resigned(unknown, { termsHash: unknown.termsHash }))
    expect(wordOf(await payee.handover(frame))).toBe('bad_handover')
  })

  test('after the deadline is refused, to the second', async () => {
    const payee = await offline()
    const first = payWith(mint, await payee.agree(), [4, 1])
    const second = payWith(mint, await payee.agree(), [4, 1])
    payee.clock.nowMs = first.terms.deadline * 1000
    expect(wordOf(await payee.handover(first.built.frame))).toBe('signed')
    payee.clock.nowMs += 1000
    expect(wordOf(await payee.handover(second.built.frame))).toBe('terms_expired')
  })

  test('with coins of a mint that is online only is refused', async () => {
    const payee = await offline({ version: 'Another/1.0' })
    expect(wordOf(await payee.handover(payWith(mint, await payee.agree(), [4, 1]).built.frame))).toBe('online_only')
    const trusting = await offline({ version: 'Another/1.0', config: { trustOffline: () => true } })
    expect(wordOf(await trusting.handover(payWith(mint, await trusting.agree(), [4, 1]).built.frame))).toBe('signed')
  })

  test('with coins of a keyset that the payee never fetched, or that expires soon, is refused', async () => {
    const payee = await offline({ keysets: [mint, brief] })
    expect(wordOf(await payee.handover(payWith(foreign, await payee.agree(), [4, 1]).built.frame))).toBe(
      'keyset_unknown',
    )
    expect(wordOf(await payee.handover(payWith(brief, await payee.agree(), [4, 1]).built.frame))).toBe('keyset_expired')
  })

  test('with coins of another mint is refused, although the payee knows that mint too', async () => {
    const payee = await openPayee({ keysets: [mint] })
    payee.store.transaction((write) => {
      const about = { name: null, version: null, offlineCapable: true, lastReachedAt: null, alarm: null }
      const { account } = write.insertMint({ url: 'https://other.example', ...about })
      write.putKeyset(account, foreign.keyset)
    })
    await payee.cutOff()
    expect(wordOf(await payee.handover(payWith(foreign, await payee.agree(), [4, 1]).built.frame))).toBe(
      'keyset_unknown',
    )
  })

  test('whose change no keyset of the mint can sign is refused: it could never be settled', async () => {
    // Denominations end at 32. Coins of 32, 32 and 1 pay 1 and ask for one coin of 64 back: the sums fit.
    const payee = await offline()
    const payment = payWith(mint, await payee.agree({ amount: 1 }), [32, 32, 1])
    expect(payment.handover.change.map(([amount]) => amount)).toEqual([64])
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('bad_handover')
  })
})

describe('a handover that is refused', () => {
  /** The same handover with a swap signature by somebody else. */
  const spoilt = (payment: ReturnType<typeof payWith>) =>
    handoverFrame(resigned(payment, {}, { swapKey: signer('thief') }))

  test('gets a void: a refusal that names its swap, signed by the payee', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const { refusal, signed } = refusalIn(await payee.handover(spoilt(payment)))
    expect(refusal).toEqual({
      swapDigest: hexToBytes(payment.built.swap.digest),
      code: 'bad_signature',
      at: payee.clock.nowMs / 1000,
    })
    expect(verifySigned('refusal', signed.body, signed.sig, payment.terms.payeeKey)).toBe(true)
  })

  test('stays refused and is answered with the same bytes, later and after a restart', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const first = await payee.handover(spoilt(payment))
    payee.clock.nowMs += dayMs
    expect((await payee.handover(spoilt(payment))).frame).toEqual(first.frame)
    await payee.reopen()
    expect((await payee.handover(spoilt(payment))).frame).toEqual(first.frame)
    expect(stateOf(payee, payment)).toBe('refused')
  })

  test('is not mended by a good one for the same Terms', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(spoilt(payment))
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('conflict')
    expect(stateOf(payee, payment)).toBe('refused')
  })

  test('is never settled by the payee', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(spoilt(payment))
    for (let hours = 0; hours < 3; hours++) {
      payee.clock.nowMs += hourMs
      await payee.engine.runner.runDue()
    }
    expect(payee.mint.swaps).toEqual([])
    expect(stateOf(payee, payment)).toBe('refused')
  })

  test('does not burn its coins: the payee did not accept them', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(spoilt(payment))
    const again = makePayment(await payee.agree(), payment.purse, payment.coins)
    expect(wordOf(await payee.handover(again.built.frame))).toBe('signed')
  })

  test('is found paid all the same when its payer settles', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(spoilt(payment))
    const settled = settledFrame(payment, [mint])
    expect(wordOf(await payee.handover(settled))).toBe('final')
    expect(totals(payee).spendable).toBe(5)
  })
})

describe('a second handover for the same Terms', () => {
  test('with other coins is refused, and the first one stands', async () => {
    const payee = await offline()
    const agreed = await payee.agree()
    const first = payWith(mint, agreed, [4, 1])
    const { frame } = await payee.handover(first.built.frame)
    const { refusal } = refusalIn(await payee.handover(payWith(mint, agreed, [4, 1]).built.frame))
    expect(refusal.code).toBe('conflict')
    expect(refusal.swapDigest).toBeUndefined()
    expect((await payee.handover(first.built.frame)).frame).toEqual(frame)
    expect(payee.receiveOf(agreed)).toMatchObject({ state: 'signed', swap: first.built.swap })
  })

  test('with the same coins and other change is refused, and the first one stands', async () => {
    const payee = await offline()
    const first = payWith(mint, await payee.agree(), [4, 2])
    await payee.handover(first.built.frame)
    const other = handoverFrame(resigned(first, { change: outputsOf('elsewhere', [1]) }))
    expect(wordOf(await payee.handover(other))).toBe('conflict')
    expect(payee.receiveOf(first)).toMatchObject({ swap: first.built.swap })
  })

  test('takes no more coins when the first is final: the answer is the receipt of the first', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree()
    const first = await payee.handover(payWith(mint, agreed, [4, 1]).built.frame)
    const second = payWith(mint, agreed, [4, 1])
    expect((await payee.handover(second.built.frame)).frame).toEqual(first.frame)
    expect(second.coins.some(({ Y }) => payee.store.read.wasSeen(Y))).toBe(false)
    expect(payee.mint.swaps).toHaveLength(1)
  })

  test('at the same moment loses to the first', async () => {
    const payee = await offline()
    const agreed = await payee.agree()
    const frames = [1, 2].map(() => payWith(mint, agreed, [4, 1]).built.frame)
    const answers = await Promise.all(frames.map((frame) => payee.handover(frame)))
    expect(answers.map(wordOf)).toEqual(['signed', 'conflict'])
  })
})

describe('coins that come twice', () => {
  test('are refused in a second payment, also after a restart', async () => {
    const payee = await offline()
    const first = payWith(mint, await payee.agree(), [4, 1])
    expect(wordOf(await payee.handover(first.built.frame))).toBe('signed')
    await payee.reopen()
    await payee.cutOff()
    const second = makePayment(await payee.agree(), first.purse, first.coins)
    expect(wordOf(await payee.handover(second.built.frame))).toBe('coin_seen')
  })

  test('are refused when only one of them was seen', async () => {
    const payee = await offline()
    const first = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(first.built.frame)
    const fresh = issueCoin(mint, 4, first.purse, 'a fresh coin')
    const second = makePayment(await payee.agree(), first.purse, [fresh, first.coins[1]!])
    expect(wordOf(await payee.handover(second.built.frame))).toBe('coin_seen')
  })

  test('are refused after they were settled', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const first = payWith(mint, await payee.agree(), [4, 1])
    expect(wordOf(await payee.handover(first.built.frame))).toBe('final')
    const second = makePayment(await payee.agree(), first.purse, first.coins)
    expect(wordOf(await payee.handover(second.built.frame))).toBe('coin_seen')
  })

  test('are accepted once when two payments bring them at the same moment', async () => {
    const payee = await offline({ verifyCoins: whenBothAreIn() })
    const first = payWith(mint, await payee.agree(), [4, 1])
    const second = makePayment(await payee.agree(), first.purse, first.coins)
    const answers = await Promise.all([first, second].map(({ built }) => payee.handover(built.frame)))
    expect(answers.map(wordOf).sort()).toEqual(['coin_seen', 'signed'])
  })
})

/** Verifies coins honestly, but lets nobody go on before two handovers have come this far. */
function whenBothAreIn(): CoinVerifier {
  let arrive = () => {}
  const second = new Promise<void>((resolve) => {
    arrive = resolve
  })
  let waiting = 0
  return async (coins) => {
    if (++waiting === 2) arrive()
    await second
    return coins.map(verifyCoin)
  }
}

describe('coins that were spent before they are handed over', () => {
  /** The payer swaps its coins to itself. */
  const spend = ({ mint: { client } }: TestPayee, { built, purse }: ReturnType<typeof payWith>) => {
    const outputs = [{ id: mint.keyset.id, amount: 1, B_: bytesToHex(purse.key) }]
    return client.swap(JSON.stringify({ inputs: built.swap.inputs, outputs }))
  }

  test('get no receipt from a payee to whom the mint says so', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await spend(payee, payment)
    const answer = await payee.handover(payment.built.frame)
    expect(payee.receiveOf(payment)).toMatchObject({ reading: { kind: 'bounced' } })
    expect(wordOf(answer)).toBe('not_settled')
  })

  test('get no receipt either when they have bounced, if there was none before', async () => {
    const limits = { single: 4, total: 4, perHour: 1 }
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await spend(payee, payment)
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('not_settled')
    payee.clock.nowMs += 2 * minuteMs
    await payee.engine.runner.runDue()
    expect(stateOf(payee, payment)).toBe('bounced')
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('not_settled')
  })

  test('keep the receipt they got while the mint was away', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await spend(payee, payment)
    await payee.cutOff()
    const first = await payee.handover(payment.built.frame)
    expect(wordOf(first)).toBe('signed')
    payee.mint.isUp = true
    await payee.engine.tick()
    for (let minutes = 0; minutes < 3; minutes++) {
      payee.clock.nowMs += minuteMs
      await payee.engine.runner.runDue()
    }
    expect(stateOf(payee, payment)).toBe('bounced')
    expect((await payee.handover(payment.built.frame)).frame).toEqual(first.frame)
  })
})

describe('a first receipt', () => {
  const silence = async () => ({ kind: 'unknown', reason: 'no answer', reachable: false })
  const busy = async () => ({ kind: 'unknown', reason: 'status 503', reachable: true, retryAfterMs: 2 * minuteMs })
  const noBecause = async () => ({ kind: 'refused', code: 11001, detail: 'no' })
  const statesAre = (state: 'SPENT' | 'PENDING') => async (Ys: readonly string[]) => ({
    kind: 'ok',
    value: Ys.map(() => state),
  })

  /** A handover comes, and the payee is gone while its mint is being asked. It is back, with a mint that answers like this. */
  async function backAfterDeath(payee: TestPayee, keys: MintKeys, says: object) {
    const payment = payWith(keys, await payee.agree(), [4, 1])
    const asked = new Promise<void>((resolve) => {
      payee.mint.client.swap = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    void payee.handover(payment.built.frame)
    await asked
    await payee.reopen()
    Object.assign(payee.mint.client, says)
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    return payment
  }

  test('goes out when the mint does not answer, also long after the handover came', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const { built } = await backAfterDeath(payee, mint, { swap: silence, checkState: silence })
    const first = await payee.handover(built.frame)
    expect(wordOf(first)).toBe('signed')
    payee.clock.nowMs += hourMs
    await payee.engine.runner.runDue()
    expect((await payee.handover(built.frame)).frame).toEqual(first.frame)
  })

  test('is never given once the mint has called a coin spent, by nobody asked in between', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = await backAfterDeath(payee, mint, { swap: silence, checkState: silence })
    Object.assign(payee.mint.client, { swap: noBecause, checkState: statesAre('SPENT') })
    for (let step = 0; step < 3; step++) {
      payee.clock.nowMs += 20 * minuteMs
      await payee.engine.runner.runDue()
      expect(wordOf(await payee.handover(payment.built.frame))).toBe('not_settled')
    }
    expect(stateOf(payee, payment)).toBe('bounced')
  })

  test.each<[string, object]>([
    ['calls a coin pending', { swap: noBecause, checkState: statesAre('PENDING') }],
    ['refuses it without a reason', { swap: noBecause }],
    ['refuses it and then says nothing more', { swap: noBecause, checkState: silence }],
  ])('is not given when the mint %s, nor when it is gone afterwards', async (_, says) => {
    const payee = await openPayee({ keysets: [mint] })
    const { built } = await backAfterDeath(payee, mint, says)
    expect(wordOf(await payee.handover(built.frame))).toBe('not_settled')
    Object.assign(payee.mint.client, { swap: silence, checkState: silence })
    payee.clock.nowMs += hourMs
    await payee.engine.runner.runDue()
    expect(wordOf(await payee.handover(built.frame))).toBe('not_settled')
  })

  test('is not given for coins whose keyset has ended meanwhile, whether the mint answers or not', async () => {
    const ending = mintKeys('ending', { finalExpiry: Date.UTC(2026, 11, 10) / 1000 })
    for (const says of [{ swap: noBecause }, { swap: silence, checkState: silence }]) {
      const payee = await openPayee({ keysets: [ending] })
      const { built } = await backAfterDeath(payee, ending, { swap: silence, checkState: silence })
      payee.clock.nowMs += 60 * dayMs
      Object.assign(payee.mint.client, says)
      await payee.engine.runner.runDue()
      expect(wordOf(await payee.handover(built.frame))).toBe('not_settled')
    }
  })

  test('is decided by one question, whoever of runner and handover asks it, and a mint that asks to wait is not asked again', async () => {
    for (const isAwake of [true, false]) {
      const payee = await openPayee({ keysets: [mint] })
      await payee.engine.tick()
      const { built } = payWith(mint, await payee.agree(), [4, 1])
      let asked = 0
      const count = () => {
        asked++
        return busy()
      }
      Object.assign(payee.mint.client, { swap: count, checkState: statesAre('SPENT') })
      if (isAwake) payee.engine.runner.start()
      const answers = await Promise.all([payee.handover(built.frame), payee.handover(built.frame)])
      await payee.engine.runner.stop()
      expect([asked, ...answers.map(wordOf)]).toEqual([1, 'signed', 'signed'])
      expect(answers[0]?.frame).toEqual(answers[1]?.frame)
    }
  })
})

describe('a request that may be paid once', () => {
  const twoTerms = async (payee: TestPayee) => {
    const { id = '' } = payee.engine.createRequest({ account: 0, unit: 'sat', amount: 5, singleUse: true })
    return [await payee.agree({ requestId: id }), await payee.agree({ requestId: id })] as const
  }

  test('is closed by the first handover, although there were Terms for two', async () => {
    const payee = await offline()
    const [first, second] = await twoTerms(payee)
    expect(wordOf(await payee.handover(payWith(mint, first, [4, 1]).built.frame))).toBe('signed')
    expect(wordOf(await payee.handover(payWith(mint, second, [4, 1]).built.frame))).toBe('request_closed')
  })

  test('is closed by the first of two handovers that come at the same moment', async () => {
    const payee = await offline({ verifyCoins: whenBothAreIn() })
    const answers = await Promise.all(
      (await twoTerms(payee)).map((agreed) => payee.handover(payWith(mint, agreed, [4, 1]).built.frame)),
    )
    expect(answers.map(wordOf).sort()).toEqual(['request_closed', 'signed'])
  })

  test('stays open when a handover was refused', async () => {
    const payee = await offline()
    const [first, second] = await twoTerms(payee)
    await payee.handover(payWith(foreign, first, [4, 1]).built.frame)
    expect(wordOf(await payee.handover(payWith(mint, second, [4, 1]).built.frame))).toBe('signed')
  })
})

describe('limits when the handover comes', () => {
  const limits = { single: 10, total: 12, perHour: 2 }
  const frameFor = (agreed: AgreedTerms) => payWith(mint, agreed, splitAmount(agreed.terms.amount)).built.frame

  test('hold for Terms that were given while the mint could be reached', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    const large = await payee.agree({ amount: 11 })
    const [first, second] = [await payee.agree({ amount: 10 }), await payee.agree({ amount: 3 })]
    await payee.cutOff()
    expect(wordOf(await payee.handover(frameFor(large)))).toBe('limit_single')
    expect(wordOf(await payee.handover(frameFor(first)))).toBe('signed')
    expect(wordOf(await payee.handover(frameFor(second)))).toBe('limit_total')
  })

  test('hold for handovers that come at the same moment', async () => {
    const payee = await offline({ config: { limits }, verifyCoins: whenBothAreIn() })
    const agreed = [await payee.agree({ amount: 8 }), await payee.agree({ amount: 8 })]
    const answers = await Promise.all(agreed.map((terms) => payee.handover(frameFor(terms))))
    expect(answers.map(wordOf).sort()).toEqual(['limit_total', 'signed'])
  })

  test('count handovers in an hour', async () => {
    const payee = await offline({ config: { limits } })
    const agreed = [
      await payee.agree({ amount: 1 }),
      await payee.agree({ amount: 1 }),
      await payee.agree({ amount: 1 }),
    ]
    const words = []
    for (const terms of agreed) words.push(wordOf(await payee.handover(frameFor(terms))))
    expect(words).toEqual(['signed', 'signed', 'limit_rate'])
  })

  test('count handovers by when they come, not by when their Terms were made', async () => {
    const payee = await offline({ config: { limits } })
    const agreed = [
      await payee.agree({ amount: 1 }),
      await payee.agree({ amount: 1 }),
      await payee.agree({ amount: 1 }),
    ]
    payee.clock.nowMs += hourMs
    const words = []
    for (const terms of agreed) words.push(wordOf(await payee.handover(frameFor(terms))))
    expect(words).toEqual(['signed', 'signed', 'limit_rate'])
  })

  test('count nothing that has no receipt because of them: it keeps no honest payment away', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    const [large, small] = [await payee.agree({ amount: 11 }), await payee.agree({ amount: 10 })]
    // It goes away, and the wallet has not noticed yet.
    payee.mint.isUp = false
    expect(wordOf(await payee.handover(frameFor(large)))).toBe('not_settled')
    expect(payee.store.read.signedPayments('sat', 0)).toEqual({ sum: 0, count: 1 })
    expect(payee.store.read.signedToUs(0, 'sat')).toBe(0)
    expect(wordOf(await payee.handover(frameFor(small)))).toBe('signed')
    expect(payee.store.read.signedPayments('sat', 0)).toEqual({ sum: 10, count: 2 })
    expect(payee.store.read.signedToUs(0, 'sat')).toBe(10)
  })

  test('give no receipt for a payment above them that the mint does not settle at once, and one when it has', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    const agreed = await payee.agree({ amount: 11 })
    payee.mint.isBusy = true
    const frame = frameFor(agreed)
    expect(wordOf(await payee.handover(frame))).toBe('not_settled')
    expect(wordOf(await payee.handover(frame))).toBe('not_settled')
    payee.mint.isBusy = false
    payee.clock.nowMs += minuteMs
    await payee.engine.runner.runDue()
    expect(wordOf(await payee.handover(frame))).toBe('final')
  })
})

describe('frames that are no Handover', () => {
  test('are refused, name no swap, and leave the Terms open', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const { handover } = payment
    const raw = (body: object) => encodeCbor({ handover: encodeCbor(body) })
    const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)
    const frames: readonly [string, Uint8Array][] = [
      ['bad_frame', new Uint8Array()],
      ['bad_frame', encodeFrame({ hello: bytesOf('Hello') })],
      ['bad_frame', payment.built.frame.subarray(0, -1)],
      ['bad_frame', concatBytes(payment.built.frame, Uint8Array.of(0))],
      ['bad_frame', raw({ ...handover, kind: 'promised' })],
      ['bad_frame', raw({ ...handover, tip: 1 })],
      ['bad_frame', raw({ ...handover, inputs: many(65, handover.inputs[0]) })],
      ['bad_frame', raw({ ...handover, change: outputsOf('crowd', many(500, 1)) })],
      ['bad_frame', raw({ ...handover, swapSig: handover.swapSig.slice(1) })],
      ['frame_too_large', encodeCbor({ handover: new Uint8Array(maxFrameBytes) })],
    ]
    for (const [code, frame] of frames) {
      const { refusal } = refusalIn(await payee.handover(frame))
      expect(refusal.code).toBe(code)
      expect(refusal.swapDigest).toBeUndefined()
    }
    expect(stateOf(payee, payment)).toBe('terms')
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('signed')
  })

  test('a missing DLEQ proof reaches the check that names it', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    const inputs = payment.handover.inputs.map((input) => input.slice(0, 4) as Input)
    expect(wordOf(await payee.handover(handoverFrame(resigned(payment, { inputs }))))).toBe('missing_dleq')
  })
})

describe('what a payee keeps', () => {
  test('r is nowhere on its disk, neither as text nor as bytes, and the claim carries no secret', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree({ amount: 7 }), [4, 2, 2])
    const refused = payWith(mint, await payee.agree({ amount: 7 }), [4, 2, 2])
    expect(wordOf(await payee.handover(payment.built.frame))).toBe('signed')
    const spoilt = resigned(refused, { change: outputsOf('change', [2]) })
    expect(wordOf(await payee.handover(handoverFrame(spoilt)))).toBe('wrong_fee')

    const disk = () => Buffer.concat(payee.files())
    const holds = (text: string) => {
      const bytes = Buffer.from(text, 'hex')
      const forms = [text, text.toUpperCase(), bytes.toString('base64'), bytes]
      return forms.some((form) => disk().includes(form))
    }
    expect(payee.files().length).toBeGreaterThan(1) // the database and its write-ahead log
    for (const { C, nonce } of payment.coins) expect([holds(C), holds(nonce)]).toEqual([true, true])
    const rs = [...payment.coins, ...refused.coins].map(({ r }) => r.toString(16).padStart(64, '0'))
    for (const r of rs) expect(holds(r)).toBe(false)

    payee.mint.isUp = true
    await payee.engine.tick()
    await payee.engine.runner.runDue()
    expect(stateOf(payee, payment)).toBe('final')
    for (const r of rs) expect(holds(r)).toBe(false)
    for (const r of rs) expect(payee.mint.swaps.join()).not.toContain(r)
    const { claim } = payee.store.read.receiveByTerms(bytesToHex(payment.termsHash)) as { claim: { body: string } }
    for (const { C, nonce } of payment.coins)
      expect([claim.body.includes(C), claim.body.includes(nonce)]).toEqual([false, false])
  })
})

/** The mint's signatures on the Terms' outputs, as a payer who settled first hands them over; changed at will. */
function settledFrame(
  { terms, termsHash }: AgreedTerms,
  keysets: readonly MintKeys[],
  change: (signature: Signature, index: number) => Signature = (signature) => signature,
): Uint8Array {
  const signatures = terms.outputs.map(([amount, B_], index) => {
    const { keyset, sign } = keysets[index % keysets.length]!
    const { C_, dleq } = sign(amount, bytesToHex(B_))
    return change({ idV2: keyset.idV2, keysetId: keyset.id, amount, C_, e: dleq!.e, s: dleq!.s }, index)
  })
  return buildSettledHandover(termsHash, signatures)
}
type Signature = Parameters<typeof buildSettledHandover>[1][number]

describe('a settled handover', () => {
  test('is final with the mint out of reach: signatures that verify are the money', async () => {
    const payee = await offline()
    const agreed = await payee.agree({ amount: 13 })
    const { receipt, signed } = receiptIn(await payee.handover(settledFrame(agreed, [mint])))
    expect(receipt).toEqual({ termsHash: agreed.termsHash, grade: 'final', at: payee.clock.nowMs / 1000 })
    expect(verifySigned('receipt', signed.body, signed.sig, agreed.terms.payeeKey)).toBe(true)
    expect(totals(payee).spendable).toBe(13)
  })

  test('brings coins that the mint would take: C = kY', async () => {
    const payee = await offline()
    await payee.handover(settledFrame(await payee.agree({ amount: 13 }), [mint]))
    const coins = payee.store.read.coins(0, 'sat', 'spendable')
    expect(coins.map(({ amount }) => amount).sort((a, b) => a - b)).toEqual([1, 4, 8])
    for (const { amount, Y, C } of coins) expect(mint.sign(amount, Y).C_).toBe(C)
  })

  test('is answered with the same bytes again, also after a restart, and brings its coins once', async () => {
    const payee = await offline()
    const frame = settledFrame(await payee.agree(), [mint])
    const first = await payee.handover(frame)
    payee.clock.nowMs += dayMs
    await payee.reopen()
    expect((await payee.handover(frame)).frame).toEqual(first.frame)
    expect(totals(payee).spendable).toBe(5)
  })

  test('is accepted of an online-only mint, above every limit, and after the deadline: it is money', async () => {
    const none = { single: 0, total: 0, perHour: 0 }
    const payee = await offline({ version: 'Another/1.0', config: { limits: none } })
    const agreed = await payee.agree()
    payee.clock.nowMs = agreed.terms.deadline * 1000 + minuteMs
    expect(wordOf(await payee.handover(settledFrame(agreed, [mint])))).toBe('final')
  })

  test('ends a payment that was handed over signed before', async () => {
    const payee = await offline()
    const payment = payWith(mint, await payee.agree(), [4, 1])
    await payee.handover(payment.built.frame)
    expect(wordOf(await payee.handover(settledFrame(payment, [mint])))).toBe('final')
    expect(receiptIn(await payee.handover(payment.built.frame)).receipt).toMatchObject({
      grade: 'final',
      swapDigest: hexToBytes(payment.built.swap.digest),
    })
    expect(totals(payee).spendable).toBe(5)
  })

  test('must come from the peer that the Terms were made for', async () => {
    const payee = await offline()
    const agreed = await payee.agree()
    const other: RemotePayer = { ...payer, payerPeer: bytesOf('somebody between') }
    expect(wordOf(await payee.handover(settledFrame(agreed, [mint]), other))).toBe('bad_handover')
  })

  const flip = (hex: string) => bytesToHex(twin(hexToBytes(hex)))
  const last = (change: (signature: Signature) => Partial<Signature>) => (signature: Signature, index: number) =>
    index === 1 ? { ...signature, ...change(signature) } : signature
  const attacks: readonly [string, string, readonly MintKeys[], Parameters<typeof settledFrame>[2]][] = [
    ['says a smaller amount', 'bad_handover', [mint], last(() => ({ amount: 1 }))],
    ['carries a signature for a smaller amount', 'bad_dleq', [mint], undefined],
    ['comes under a keyset that the payee never fetched', 'keyset_unknown', [foreign], undefined],
    ['comes in part under a keyset that the payee never fetched', 'keyset_unknown', [mint, foreign], undefined],
    ['comes under a keyset of another unit', 'keyset_unknown', [euros], undefined],
    ['comes under a keyset that expires within 30 days', 'keyset_expired', [brief], undefined],
    [
      'names a trusted keyset for keys of another',
      'bad_dleq',
      [foreign],
      (signature) => ({ ...signature, idV2: mint.keyset.idV2 }),
    ],
    ['has another e', 'bad_dleq', [mint], last(() => ({ e: bytesToHex(bytesOf('e')) }))],
    ['has another s', 'bad_dleq', [mint], last(() => ({ s: bytesToHex(bytesOf('s')) }))],
    ['has e and s in each other’s place', 'bad_dleq', [mint], last(({ e, s }) => ({ e: s, s: e }))],
    ['has another C_', 'bad_dleq', [mint], last(() => ({ C_: bytesToHex(pointOf('C_')) }))],
    ['has the other point of the same x as C_', 'bad_dleq', [mint], last(({ C_ }) => ({ C_: flip(C_) }))],
    ['has a C_ that is no point', 'bad_dleq', [mint], last(() => ({ C_: `02${'05'.padStart(64, '0')}` }))],
  ]

  test.each(attacks)(
    'that %s gets no receipt, and the Terms stay open for a good one',
    async (what, code, keysets, change) => {
      const payee = await offline({ keysets: [mint, brief, euros] })
      const agreed = await payee.agree({ amount: 5 })
      const small: typeof change = last(() => {
        const { C_, dleq } = mint.sign(1, bytesToHex(agreed.terms.outputs[1]![1]))
        return { C_, e: dleq!.e, s: dleq!.s }
      })
      const isSmall = what === 'carries a signature for a smaller amount'
      const { refusal } = refusalIn(await payee.handover(settledFrame(agreed, keysets, isSmall ? small : change)))
      expect(refusal.code).toBe(code)
      expect(refusal.swapDigest).toBeUndefined()
      expect(stateOf(payee, agreed)).toBe('terms')
      expect(totals(payee).spendable).toBe(0)
      expect(wordOf(await payee.handover(settledFrame(agreed, [mint])))).toBe('final')
    },
  )

  test.each([
    ['fewer', (signatures: readonly unknown[]) => signatures.slice(1)],
    ['more', (signatures: readonly unknown[]) => [...signatures, signatures[0]]],
  ])('with %s signatures than outputs gets no receipt', async (_what, change) => {
    const payee = await offline()
    const agreed = await payee.agree({ amount: 5 })
    const signatures = agreed.terms.outputs.map(([amount, B_]) => {
      const { C_, dleq } = mint.sign(amount, bytesToHex(B_))
      return [hexToBytes(mint.keyset.idV2), amount, ...[C_, dleq!.e, dleq!.s].map(hexToBytes)]
    })
    const body = { kind: 'settled', termsHash: agreed.termsHash, signatures: change(signatures) }
    expect(wordOf(await payee.handover(encodeCbor({ handover: encodeCbor(body) })))).toBe('bad_handover')
    expect(stateOf(payee, agreed)).toBe('terms')
  })

  test('with the right signatures in each other’s place gets no receipt', async () => {
    const payee = await offline()
    const agreed = await payee.agree({ amount: 5 })
    const frame = settledFrame({ ...agreed, terms: { ...agreed.terms, outputs: agreed.terms.outputs.toReversed() } }, [
      mint,
    ])
    expect(wordOf(await payee.handover(frame))).toBe('bad_handover')
  })

  test('with the signatures of another payment to the same payee gets no receipt', async () => {
    const payee = await offline()
    const [first, second] = [await payee.agree(), await payee.agree()]
    const frame = settledFrame({ ...first, termsHash: second.termsHash }, [mint])
    expect(wordOf(await payee.handover(frame))).toBe('bad_dleq')
    expect(stateOf(payee, second)).toBe('terms')
  })

  test('closes a request that may be paid once', async () => {
    const payee = await offline()
    const { id = '' } = payee.engine.createRequest({ account: 0, unit: 'sat', amount: 5, singleUse: true })
    const [first, second] = [await payee.agree({ requestId: id }), await payee.agree({ requestId: id })]
    await payee.handover(settledFrame(first, [mint]))
    expect(wordOf(await payee.handover(payWith(mint, second, [4, 1]).built.frame))).toBe('request_closed')
  })

  test('that never arrives is found by asking the mint about the Terms’ outputs', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const agreed = await payee.agree({ amount: 5 })
    const { built } = payWith(mint, agreed, [4, 1])
    const { inputs, outputs } = built.swap
    const body = { inputs, outputs: outputs.map((output) => ({ ...output, id: mint.keyset.id })) }
    await payee.mint.client.swap(JSON.stringify(body))
    payee.clock.nowMs += hourMs
    await payee.engine.runner.runDue()
    expect(stateOf(payee, agreed)).toBe('final')
    expect(totals(payee).spendable).toBe(5)
  })
})

test('the deposit of a signed payment goes before whatever strangers left unanswered', async () => {
  const payee = await offline()
  const agreed = await payee.agree()
  expect(wordOf(await payee.handover(payWith(mint, agreed, [4, 1]).built.frame))).toBe('signed')
  const offer = payee.receiveOf(await payee.agree())
  payee.store.transaction((write) => {
    for (let stranger = 0; stranger < 300; stranger++) {
      const name = bytesToHex(bytesOf(`stranger ${stranger}`))
      write.insertOperation({ ...offer, id: name.slice(0, 32), paymentId: name.slice(0, 32), termsHash: name })
    }
  })
  payee.clock.nowMs += hourMs
  const { operations } = payee.store.read.dueOperations(payee.clock.nowMs, 256)
  expect([operations.length, operations[0]?.state]).toEqual([256, 'signed'])
  payee.mint.isUp = true
  await payee.engine.tick()
  await payee.engine.runner.runDue()
  expect(stateOf(payee, agreed)).toBe('final')
})

test('Terms are given up after two answers that nothing was paid, not after one from a mint that errs', async () => {
  const payee = await openPayee({ keysets: [mint] })
  const agreed = await payee.agree()
  const outputs = agreed.terms.outputs.map(([amount, B_]) => ({ id: mint.keyset.id, amount, B_: bytesToHex(B_) }))
  await payee.cutOff()
  payee.clock.nowMs += 40 * dayMs
  payee.mint.isUp = true
  await payee.engine.tick()
  await payee.engine.runner.runDue()
  expect(stateOf(payee, agreed)).toBe('terms')
  // The copy that the mint answered from was an old one.
  await payee.mint.client.swap(JSON.stringify({ inputs: [{ secret: 'x' }], outputs }))
  payee.clock.nowMs += 2 * minuteMs
  await payee.engine.runner.runDue()
  expect([stateOf(payee, agreed), totals(payee).spendable]).toEqual(['final', 5])
})

test('Terms that nobody pays are given up in the end, and nobody is asked any more', async () => {
  const payee = await openPayee({ keysets: [mint] })
  const agreed = await payee.agree()
  payee.clock.nowMs += 40 * dayMs
  await payee.engine.runner.runDue()
  // No answer is no reading.
  payee.mint.isUp = false
  for (let minute = 0; minute < 3; minute++) {
    payee.clock.nowMs += dayMs
    await payee.engine.runner.runDue()
  }
  payee.mint.isUp = true
  await payee.engine.tick()
  await payee.engine.runner.runDue()
  expect(stateOf(payee, agreed)).toBe('terms')
  payee.clock.nowMs += 2 * minuteMs
  await payee.engine.runner.runDue()
  expect(payee.receiveOf(agreed)).toMatchObject({ state: 'expired', nextAttemptAt: null })
})
