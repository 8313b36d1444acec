// A dead handover signed anew, as the payee sees it (protocol section 8): what it may take the place of, with which coins,
// and how often. The payers are written by hand and need not be honest.

import { describe, expect, test } from 'vitest'
import { findDoubleSpend } from '../electron/wallet/evidence.ts'
import { buildSettledHandover } from '../electron/wallet/handover.ts'
import type { CoinVerifier } from '../electron/wallet/ports.ts'
import { splitAmount } from '../shared/amount.ts'
import { verifyCoin } from '../shared/cashu/dleq.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import type { Hello } from '../shared/messages.ts'
import {
  type AgreedTerms,
  type Answer,
  bytesOf,
  handoverFrame,
  handoverIn,
  helloFrame,
  helloOf,
  issueCoin,
  makePayment,
  mintKeys,
  openPayee,
  payer,
  payWith,
  resigned,
  signer,
  type TestPayee,
  type TestPayeeOptions,
  type TestPayment,
  wordOf,
} from './payment-fixture.ts'

const mint = mintKeys('mint')
const euros = mintKeys('euros', { unit: 'eur' })
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

type Cast = { readonly payee: TestPayee; readonly first: TestPayment; readonly digest: Uint8Array }

/** A payment of 5 sat that was accepted without the mint. */
async function signed(options: Partial<TestPayeeOptions> = {}, hello: Partial<Hello> = {}): Promise<Cast> {
  const payee = await openPayee({ keysets: [mint], ...options })
  const agreed = await payee.agree(hello)
  await payee.cutOff()
  const first = payWith(mint, agreed, [4, 2, 1])
  expect(wordOf(await payee.handover(first.built.frame))).toBe('signed')
  return { payee, first, digest: hexToBytes(first.built.swap.digest) }
}

/** Somebody has an output of it signed for a coin of his own. */
async function signElsewhere({ payee }: Cast, B_: Uint8Array, amount = 1): Promise<void> {
  const { isUp } = payee.mint
  payee.mint.isUp = true
  const outputs = [{ id: mint.keyset.id, amount, B_: bytesToHex(B_) }]
  const answer = await payee.mint.client.swap(
    JSON.stringify({ inputs: [{ secret: `for ${bytesToHex(B_)}` }], outputs }),
  )
  expect(answer.kind).toBe('ok')
  payee.mint.isUp = isUp
}

async function back(payee: TestPayee): Promise<void> {
  payee.mint.isUp = true
  await payee.engine.tick()
}

async function pass({ clock, engine }: TestPayee, milliseconds: number): Promise<void> {
  clock.nowMs += milliseconds
  await engine.runner.runDue()
}

/** …and then an output of it was signed elsewhere, and the payee has seen that twice. */
async function dead(options: Partial<TestPayeeOptions> = {}, hello: Partial<Hello> = {}): Promise<Cast> {
  const cast = await signed(options, hello)
  const { payee, first } = cast
  await signElsewhere(cast, first.terms.outputs[0]![1])
  await back(payee)
  await pass(payee, 0)
  await pass(payee, 2 * minuteMs)
  expect(stateOf(cast)).toBe('dead')
  return cast
}

const stateOf = ({ payee, first }: Cast, of: AgreedTerms = first) => payee.receiveOf(of).state
const again = ({ payee, digest }: Cast, hello: Partial<Hello> = {}) => payee.agree({ replaces: digest, ...hello })
const refusedHello = async ({ payee, digest }: Cast, hello: Partial<Hello> = {}) =>
  wordOf(await payee.hello({ replaces: digest, ...hello }))
/** The same coins for other Terms. */
const signedAnew = ({ first }: Cast, agreed: AgreedTerms, coins = first.coins): TestPayment =>
  makePayment(agreed, first.purse, coins, `change of ${bytesToHex(agreed.termsHash)}`)
const shown = ({ payee }: Cast) => {
  const { operations, total } = payee.store.read.payments({ before: null, limit: 9, search: '', filter: 'all' })
  expect(operations).toHaveLength(total)
  return operations.map(({ state }) => state)
}
const isVoidOf = (answer: Answer, { built }: TestPayment) =>
  answer.kind === 'refusal' && bytesToHex(answer.refusal.swapDigest ?? new Uint8Array()) === built.swap.digest

describe('a dead payment', () => {
  test('is signed anew with the same coins, by the same key, for the same amount, and settles', async () => {
    const cast = await dead()
    const { payee, first } = cast
    const agreed = await again(cast)
    expect(agreed.terms.payeeKey).toEqual(first.terms.payeeKey)
    expect(agreed.terms.outputs.map(([amount]) => amount)).toEqual(splitAmount(5))
    const B_s = [...first.terms.outputs, ...agreed.terms.outputs].map(([, B_]) => bytesToHex(B_))
    expect(new Set(B_s).size).toBe(B_s.length)
    expect(wordOf(await payee.handover(signedAnew(cast, agreed).built.frame))).toBe('final')
    expect([stateOf(cast), stateOf(cast, agreed)]).toEqual(['replaced', 'final'])
    // The money, and the coin of 1 that somebody had signed on an output of the first, which rests.
    expect(payee.store.read.totals(0, 'sat')).toMatchObject({ spendable: 5, quarantined: 1 })
  })

  test('is one payment for people, before and after', async () => {
    const cast = await dead()
    expect(shown(cast)).toEqual(['dead'])
    const agreed = await again(cast)
    expect(shown(cast)).toEqual(['dead'])
    await cast.payee.cutOff()
    expect(wordOf(await cast.payee.handover(signedAnew(cast, agreed).built.frame))).toBe('signed')
    expect(shown(cast)).toEqual(['signed'])
    expect(cast.payee.store.read.operations({ isPayment: true }).map(({ state }) => state)).toEqual(['signed'])
    await back(cast.payee)
    await pass(cast.payee, 0)
    expect(shown(cast)).toEqual(['final'])
  })

  test('is signed anew without the mint, once the payee has seen that it is dead', async () => {
    const cast = await dead()
    await cast.payee.cutOff()
    const agreed = await again(cast)
    expect(wordOf(await cast.payee.handover(signedAnew(cast, agreed).built.frame))).toBe('signed')
    expect([stateOf(cast), stateOf(cast, agreed)]).toEqual(['replaced', 'signed'])
  })

  test('is replaced by a payment whose payer settled first, and by one that the mint tells of', async () => {
    for (const isTold of [true, false]) {
      const cast = await dead()
      const { payee } = cast
      const agreed = await again(cast)
      const { swap } = signedAnew(cast, agreed).built
      const outputs = swap.outputs.map((output) => ({ ...output, id: mint.keyset.id }))
      await payee.mint.client.swap(JSON.stringify({ inputs: swap.inputs, outputs }))
      if (isTold) expect(wordOf(await payee.handover(settledFrame(agreed)))).toBe('final')
      else await pass(payee, 2 * hourMs)
      expect([stateOf(cast), stateOf(cast, agreed)]).toEqual(['replaced', 'final'])
      expect(shown(cast)).toEqual(['final'])
    }
  })

  test('gives its receipt again, for ever, although another stands in its place', async () => {
    const cast = await dead()
    const { payee, first } = cast
    const before = await payee.handover(first.built.frame)
    await payee.handover(signedAnew(cast, await again(cast)).built.frame)
    expect(stateOf(cast)).toBe('replaced')
    expect((await payee.handover(first.built.frame)).frame).toEqual(before.frame)
    await payee.reopen()
    expect((await payee.handover(first.built.frame)).frame).toEqual(before.frame)
  })

  test('and its replacement are two claims of one key to one payee: no proof of anything', async () => {
    const cast = await dead()
    const second = signedAnew(cast, await again(cast))
    const claims = [cast.first.built.claim, second.built.claim]
    expect(claims[0]!.body).not.toEqual(claims[1]!.body)
    expect(findDoubleSpend(claims)).toBeUndefined()
  })

  test('is replaced as often as its replacement dies', async () => {
    const cast = await dead()
    const { payee } = cast
    await payee.cutOff()
    const second = signedAnew(cast, await again(cast))
    await payee.handover(second.built.frame)
    await signElsewhere(cast, second.terms.outputs[1]![1])
    await back(payee)
    await pass(payee, 0)
    await pass(payee, 2 * minuteMs)
    expect([stateOf(cast), stateOf(cast, second)]).toEqual(['replaced', 'dead'])
    expect(shown(cast)).toEqual(['dead'])
    expect(await refusedHello(cast)).toBe('conflict')
    const third = await again(cast, { replaces: hexToBytes(second.built.swap.digest) })
    expect(wordOf(await payee.handover(signedAnew(cast, third).built.frame))).toBe('final')
    expect([stateOf(cast), stateOf(cast, second), stateOf(cast, third)]).toEqual(['replaced', 'replaced', 'final'])
    expect(shown(cast)).toEqual(['final'])
  })
})

describe('what is not dead is not signed anew:', () => {
  test('a payment that nobody knows, and the mint is not asked for a guess', async () => {
    const cast = await dead()
    const { client } = cast.payee.mint
    let asked = 0
    client.checkState = () => Promise.reject(new Error(`asked ${++asked}`))
    for (const guess of ['one', 'two']) expect(await refusedHello(cast, { replaces: bytesOf(guess) })).toBe('not_found')
    expect(asked).toBe(0)
  })

  test('Terms without a handover, and a handover that was refused', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const payment = payWith(mint, await payee.agree(), [4, 2])
    const replaces = hexToBytes(payment.built.swap.digest)
    expect(wordOf(await payee.hello({ replaces }))).toBe('not_found')
    const spoilt = handoverFrame(resigned(payment, {}, { swapKey: signer('thief') }))
    expect(wordOf(await payee.handover(spoilt))).toBe('bad_signature')
    expect(wordOf(await payee.hello({ replaces }))).toBe('not_found')
  })

  test('a signed one, while the mint cannot be asked', async () => {
    const cast = await signed()
    await signElsewhere(cast, cast.first.terms.outputs[0]![1])
    expect(await refusedHello(cast)).toBe('not_settled')
    await pass(cast.payee, dayMs)
    expect(await refusedHello(cast)).toBe('not_settled')
    expect(stateOf(cast)).toBe('signed')
  })

  test('a signed one is asked about at once, and is dead after two readings', async () => {
    const cast = await signed()
    await signElsewhere(cast, cast.first.terms.outputs[0]![1])
    await back(cast.payee)
    expect(await refusedHello(cast)).toBe('not_settled')
    expect(cast.payee.receiveOf(cast.first)).toMatchObject({ state: 'signed', reading: { kind: 'dead' } })
    cast.payee.clock.nowMs += minuteMs / 2
    expect(await refusedHello(cast)).toBe('not_settled')
    cast.payee.clock.nowMs += minuteMs / 2
    await again(cast)
    expect(stateOf(cast)).toBe('dead')
  })

  test('a signed one that settles when it is asked about', async () => {
    const cast = await signed()
    await back(cast.payee)
    expect(await refusedHello(cast)).toBe('request_closed')
    expect(stateOf(cast)).toBe('final')
    expect(cast.payee.store.read.totals(0, 'sat').spendable).toBe(5)
  })

  test('a final one', async () => {
    const cast = await signed()
    await back(cast.payee)
    await pass(cast.payee, 0)
    expect(stateOf(cast)).toBe('final')
    expect(await refusedHello(cast)).toBe('not_found')
  })

  test('a bounced one', async () => {
    const cast = await signed()
    const { inputs } = cast.first.built.swap
    cast.payee.mint.isUp = true
    await cast.payee.mint.client.swap(JSON.stringify({ inputs, outputs: [] }))
    await back(cast.payee)
    await pass(cast.payee, 0)
    await pass(cast.payee, 2 * minuteMs)
    expect(stateOf(cast)).toBe('bounced')
    expect(await refusedHello(cast)).toBe('wrong_state')
  })

  test('one that was signed anew already, by whoever asks', async () => {
    const cast = await dead()
    await cast.payee.cutOff()
    await cast.payee.handover(signedAnew(cast, await again(cast)).built.frame)
    expect(await refusedHello(cast)).toBe('conflict')
    expect(wordOf(await cast.payee.hello({ replaces: cast.digest }, { ...payer, payerPeer: bytesOf('other') }))).toBe(
      'conflict',
    )
  })
})

describe('a replacement of', () => {
  test.each<[string, Partial<Hello>, string]>([
    ['another amount', { amount: 4 }, 'bad_input'],
    ['a larger amount', { amount: 6 }, 'bad_input'],
    ['another unit', { unit: 'eur' }, 'bad_input'],
    ['another request', { requestId: 'another' }, 'bad_input'],
  ])('%s is refused, and leaves the dead one as it was', async (_what, hello, code) => {
    const cast = await dead({ keysets: [mint, euros] })
    const before = cast.payee.receiveOf(cast.first)
    expect(await refusedHello(cast, hello)).toBe(code)
    expect(cast.payee.receiveOf(cast.first)).toEqual(before)
    expect(cast.payee.receives()).toHaveLength(1)
  })

  type Coins = (cast: Cast) => TestPayment['coins']
  const fresh = ({ first }: Cast, amount: number) => issueCoin(mint, amount, first.purse, `fresh ${amount}`)
  test.each<[string, Coins]>([
    ['other coins', (cast) => [fresh(cast, 4), fresh(cast, 2)]],
    ['one coin more', (cast) => [...cast.first.coins, fresh(cast, 1)]],
    ['one coin less', (cast) => cast.first.coins.filter(({ amount }) => amount > 1)],
    ['one coin in the place of another', (cast) => [...cast.first.coins.slice(1), fresh(cast, 4)]],
    ['one coin instead of two', (cast) => [fresh(cast, 8)]],
  ])('the right amount with %s is a void, and the dead one can still be signed anew', async (_what, coins) => {
    const cast = await dead()
    const { payee } = cast
    const wrong = signedAnew(cast, await again(cast), coins(cast))
    const answer = await payee.handover(wrong.built.frame)
    expect([wordOf(answer), isVoidOf(answer, wrong)]).toEqual(['bad_handover', true])
    expect([stateOf(cast), stateOf(cast, wrong)]).toEqual(['dead', 'refused'])
    expect(shown(cast)).toContain('dead')
    const right = signedAnew(cast, await again(cast))
    expect(wordOf(await payee.handover(right.built.frame))).toBe('final')
  })

  test('nothing: the same coins for a payment of its own were seen before', async () => {
    const cast = await dead()
    const plain = signedAnew(cast, await cast.payee.agree())
    expect(wordOf(await cast.payee.handover(plain.built.frame))).toBe('coin_seen')
    expect(stateOf(cast)).toBe('dead')
  })

  test('something by somebody who is not the payer needs the payer’s key', async () => {
    const cast = await dead()
    const thief = signer('thief')
    const agreed = await again(cast)
    const honest = signedAnew(cast, agreed)
    const stolen = handoverFrame(resigned(honest, {}, { swapKey: thief, claimKey: thief }))
    const answer = await cast.payee.handover(stolen)
    expect([wordOf(answer), isVoidOf(answer, honest)]).toEqual(['bad_signature', true])
    expect(stateOf(cast)).toBe('dead')
    // The signatures of the dead one are for other outputs.
    const { swapSig, claimSig } = handoverIn(cast.first.built.frame)
    const other = signedAnew(cast, await again(cast))
    const replayed = handoverFrame({ ...handoverIn(other.built.frame), swapSig, claimSig })
    expect(wordOf(await cast.payee.handover(replayed))).toBe('bad_signature')
    expect(stateOf(cast)).toBe('dead')
  })

  test('one whose outputs somebody else has had signed, all of them, settles: that was not this payment', async () => {
    const cast = await dead()
    const { payee, first } = cast
    const late = signedAnew(cast, await again(cast))
    for (const [amount, B_] of first.terms.outputs.slice(1)) await signElsewhere(cast, B_, amount)
    await pass(payee, 2 * dayMs)
    expect(stateOf(cast)).toBe('dead')
    expect(wordOf(await payee.handover(late.built.frame))).toBe('final')
    // What was signed on the first outputs is the payee's as well, and rests.
    expect(payee.store.read.totals(0, 'sat')).toMatchObject({ spendable: 5, quarantined: 5 })
  })
})

describe('once', () => {
  test('the same Hello gets the same Terms, later, after a restart and after the handover', async () => {
    const cast = await dead()
    const { payee, digest } = cast
    const hello = helloFrame(helloOf([mint], 'again', { replaces: digest }))
    const before = await payee.helloFrame(hello)
    expect(before.kind).toBe('terms')
    payee.clock.nowMs += hourMs
    await payee.reopen()
    expect((await payee.helloFrame(hello)).frame).toEqual(before.frame)
    if (before.kind !== 'terms') throw new Error('no Terms')
    const termsHash = payee.receives()[0]!.termsHash
    const second = signedAnew(cast, { ...before, termsHash: hexToBytes(termsHash) })
    const receipt = await payee.handover(second.built.frame)
    expect((await payee.helloFrame(hello)).frame).toEqual(before.frame)
    expect((await payee.handover(second.built.frame)).frame).toEqual(receipt.frame)
    expect(wordOf(await payee.helloFrame(helloFrame(helloOf([mint], 'again'))))).toBe('conflict')
  })

  test('the same Hello twice at the same moment gets the same Terms, while the mint is asked', async () => {
    const cast = await signed()
    await signElsewhere(cast, cast.first.terms.outputs[0]![1])
    await back(cast.payee)
    await pass(cast.payee, 0)
    cast.payee.clock.nowMs += minuteMs
    const hello = helloFrame(helloOf([mint], 'twice', { replaces: cast.digest }))
    const answers = await Promise.all([cast.payee.helloFrame(hello), cast.payee.helloFrame(hello)])
    expect(answers.map(wordOf)).toEqual(['terms', 'terms'])
    expect(answers[0]!.frame).toEqual(answers[1]!.frame)
  })

  test('two replacements of one digest: whoever hands over first', async () => {
    const cast = await dead()
    const { payee } = cast
    await payee.cutOff()
    const [one, two] = [signedAnew(cast, await again(cast)), signedAnew(cast, await again(cast))]
    expect(wordOf(await payee.handover(two.built.frame))).toBe('signed')
    const answer = await payee.handover(one.built.frame)
    expect([answer.kind, isVoidOf(answer, one)]).toEqual(['refusal', true])
    expect([stateOf(cast), stateOf(cast, one), stateOf(cast, two)]).toEqual(['replaced', 'refused', 'signed'])
    expect(findDoubleSpend([cast.first, one, two].map(({ built }) => built.claim))).toBeUndefined()
  })

  test('two replacements of one digest at the same moment: one of them', async () => {
    const cast = await dead({ verifyCoins: whenTwoAreIn() })
    const { payee } = cast
    await payee.cutOff()
    const both = [signedAnew(cast, await again(cast)), signedAnew(cast, await again(cast))]
    const answers = await Promise.all(both.map(({ built }) => payee.handover(built.frame)))
    expect(answers.map(wordOf).filter((word) => word === 'signed')).toHaveLength(1)
    expect(
      payee
        .receives()
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['refused', 'replaced', 'signed'])
  })

  /** Verifies coins honestly; the second and third handover wait for each other. */
  function whenTwoAreIn(): CoinVerifier {
    let [calls, arrive] = [0, () => {}]
    const both = new Promise<void>((resolve) => {
      arrive = resolve
    })
    return async (coins) => {
      calls++
      if (calls === 3) arrive()
      if (calls > 1) await both
      return coins.map(verifyCoin)
    }
  }
})

describe('limits and requests', () => {
  const limits = { single: 5, total: 5, perHour: 1 }

  test('the money counts once: what is dead makes room for what is signed anew, and for nothing else', async () => {
    const cast = await dead({ config: { limits } })
    const { payee } = cast
    await payee.cutOff()
    const second = signedAnew(cast, await again(cast))
    expect(wordOf(await payee.hello())).toBe('limit_rate')
    expect(wordOf(await payee.handover(second.built.frame))).toBe('signed')
    expect(payee.store.read.signedPayments('sat', 0).sum).toBe(5)
    payee.clock.nowMs += 2 * hourMs
    expect(wordOf(await payee.hello({ amount: 1 }))).toBe('limit_total')
  })

  test('a single-use request is not answered by what is dead, and by its replacement once', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const { id: requestId = '' } = payee.engine.createRequest({ account: 0, unit: 'sat', amount: 5, singleUse: true })
    const first = payWith(mint, await payee.agree({ requestId }), [4, 2])
    await payee.cutOff()
    await payee.handover(first.built.frame)
    const cast: Cast = { payee, first, digest: hexToBytes(first.built.swap.digest) }
    await signElsewhere(cast, first.terms.outputs[0]![1])
    await back(payee)
    await pass(payee, 0)
    await pass(payee, 2 * minuteMs)
    // A person has closed it meanwhile: what was accepted before is still to be had.
    payee.engine.closeRequest(requestId)
    expect(await refusedHello(cast)).toBe('bad_input')
    const agreed = await again(cast, { requestId })
    expect(wordOf(await payee.handover(signedAnew(cast, agreed).built.frame))).toBe('final')
    expect(wordOf(await payee.hello({ requestId }))).toBe('request_closed')
  })

  test('a single-use request that another payer has answered is not answered twice', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const { id: requestId = '' } = payee.engine.createRequest({ account: 0, unit: 'sat', amount: 5, singleUse: true })
    const first = payWith(mint, await payee.agree({ requestId }), [4, 2])
    await payee.cutOff()
    await payee.handover(first.built.frame)
    const cast: Cast = { payee, first, digest: hexToBytes(first.built.swap.digest) }
    await signElsewhere(cast, first.terms.outputs[0]![1])
    await back(payee)
    await pass(payee, 0)
    await pass(payee, 2 * minuteMs)
    const late = await again(cast, { requestId })
    expect(wordOf(await payee.handover(payWith(mint, await payee.agree({ requestId }), [4, 1]).built.frame))).toBe(
      'final',
    )
    expect(await refusedHello(cast, { requestId })).toBe('request_closed')
    expect(wordOf(await payee.handover(signedAnew(cast, late).built.frame))).toBe('request_closed')
  })
})

/** The mint's signatures on the Terms' outputs, as a payer who settled first hands them over. */
function settledFrame({ terms, termsHash }: AgreedTerms): Uint8Array {
  const { keyset, sign } = mint
  const signatures = terms.outputs.map(([amount, B_]) => {
    const { C_, dleq } = sign(amount, bytesToHex(B_))
    return { idV2: keyset.idV2, keysetId: keyset.id, amount, C_, e: dleq!.e, s: dleq!.s }
  })
  return buildSettledHandover(termsHash, signatures)
}
