// Hello and Terms: what a payee answers to strangers before any coin is seen, and what a payer asks of Terms before it pays
// (protocol sections 3 and 6). The payee runs over a real database; its mint is a table of keys.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertTerms, longestDeadline, shortestDeadline, type VerifyTerms } from '../electron/wallet/handover.ts'
import {
  areTooManyTerms,
  limitsNow,
  maxOpenTermsPerAddress,
  maxOpenTermsPerAddressPerDay,
  maxOpenTermsPerDay,
} from '../electron/wallet/limits.ts'
import type { RemotePayer } from '../electron/wallet/ports.ts'
import { splitAmount } from '../shared/amount.ts'
import { bytesToHex, concatBytes, hexToBytes } from '../shared/cashu/numbers.ts'
import { encodeCbor } from '../shared/cbor.ts'
import {
  bodyHash,
  encodeFrame,
  type Hello,
  maxFrameBytes,
  type Output,
  type SignedMessage,
  type Terms,
  verifySigned,
} from '../shared/messages.ts'
import {
  type Answer,
  bytesOf,
  helloFrame,
  helloOf,
  makeTerms,
  mintKeys,
  offCurve,
  openPayee,
  outputsOf,
  payer,
  payWith,
  pointOf,
  signer,
  type TestPayee,
  twin,
  wordOf,
} from './payment-fixture.ts'

const mint = mintKeys('mint')
const euros = mintKeys('euros', { unit: 'eur' })
const foreign = mintKeys('foreign mint')
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const at = (address: string): RemotePayer => ({ ...payer, address })
const termsIn = (answer: Answer): Terms => {
  if (answer.kind !== 'terms') throw new Error(wordOf(answer))
  return answer.terms
}

describe('Terms, as the payer reads them', () => {
  const now = 1_790_000_000
  const ada = signer('Ada')
  const hello = encodeCbor('a Hello')
  const good: Partial<Terms> = {
    helloHash: bodyHash(hello),
    peers: [payer.payerPeer, payer.payeePeer],
    amount: 13,
    deadline: now + 7 * 24 * 3600,
  }

  /** `accepted`, or the code. What was changed is signed again by the payee's key. */
  function verdict(changes: Partial<Terms> = {}, check: Partial<VerifyTerms> = {}): string {
    const { terms, signed } = makeTerms(ada, { ...good, ...changes })
    const expectedKey = bytesToHex(ada.key)
    const seen = { payerPeer: payer.payerPeer, payeePeer: payer.payeePeer }
    try {
      assertTerms({ signed, terms, hello, unit: 'sat', amount: 13, expectedKey, now, ...seen, ...check })
      return 'accepted'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  /** Outputs of these amounts, in this order. */
  const inOrder = (amounts: readonly number[]) => ({
    outputs: amounts.map((amount): Output => [amount, pointOf(`${amount}`)]),
  })

  test('are accepted under the key of the request, and without a request under any key', () => {
    expect(verdict()).toBe('accepted')
    expect(verdict({}, { expectedKey: null })).toBe('accepted')
  })

  test('may name the other key of the same x: it is one signer', () => {
    expect(verdict({ payeeKey: twin(ada.key) })).toBe('accepted')
  })

  test('of another key than the request names are refused, however well signed', () => {
    expect(verdict({}, { expectedKey: bytesToHex(signer('Eve').key) })).toBe('wrong_payee')
  })

  test('that another key signed are refused', () => {
    const { terms } = makeTerms(ada, good)
    expect(verdict({}, { signed: makeTerms(signer('Eve'), terms).signed })).toBe('bad_terms')
  })

  test('whose signature was made for another kind of message are refused', () => {
    const { body } = makeTerms(ada, good).signed
    for (const kind of ['receipt', 'refusal', 'claim', 'contact'] as const) {
      expect(verdict({}, { signed: ada.sign(kind, body) })).toBe('bad_terms')
    }
  })

  test('for another Hello are refused', () => {
    expect(verdict({}, { hello: encodeCbor('another Hello') })).toBe('bad_terms')
  })

  test('that somebody passed on are refused: they name the peers of another stream', () => {
    const between = bytesOf('somebody between')
    expect(verdict({ peers: [between, payer.payeePeer] })).toBe('relayed_terms')
    expect(verdict({}, { payeePeer: between })).toBe('relayed_terms')
    expect(verdict({ peers: [payer.payeePeer, payer.payerPeer] })).toBe('relayed_terms')
  })

  test('of another unit or amount are refused', () => {
    expect(verdict({ unit: 'msat' })).toBe('bad_terms')
    expect(verdict({ amount: 14, outputs: outputsOf('payee', splitAmount(13)) })).toBe('bad_terms')
    expect(verdict({ amount: 14 })).toBe('bad_terms')
  })

  test.each([
    ['too little', [1, 4]],
    ['too much', [1, 4, 8, 16]],
    ['the right sum in other coins', [1, 2, 2, 8]],
    ['the right sum in one coin', [13]],
    ['the right coins in another order', [8, 4, 1]],
  ])('that ask for %s are refused', (_what, amounts) => {
    expect(verdict(inOrder(amounts))).toBe('bad_terms')
  })

  test('with an output that is no point are refused', () => {
    const outputs = outputsOf('payee', [1, 4, 8]).with(1, [4, offCurve])
    expect(verdict({ outputs })).toBe('bad_terms')
  })

  test('that ask twice for one output are refused: no mint would settle what is signed for them', () => {
    const outputs = outputsOf('payee', [1, 4, 8])
    expect(verdict({ outputs: outputs.with(1, [4, outputs[0]![1]]) })).toBe('bad_terms')
  })

  test.each([
    ['a second short of an hour', shortestDeadline - 1, 'bad_terms'],
    ['of an hour', shortestDeadline, 'accepted'],
    ['of thirty days', longestDeadline, 'accepted'],
    ['of a second more than thirty days', longestDeadline + 1, 'bad_terms'],
    ['in the past', -1, 'bad_terms'],
  ])('with a deadline %s are judged by it', (_what, seconds, expected) => {
    expect(verdict({ deadline: now + seconds })).toBe(expected)
  })
})

describe('a Hello', () => {
  test('is answered with Terms that its payer accepts', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const hello = helloOf([mint], 'payment', { amount: 45 })
    const frame = helloFrame(hello)
    const answer = await payee.helloFrame(frame)
    const terms = termsIn(answer)
    const now = payee.clock.nowMs / 1000
    const { payerPeer, payeePeer } = payer
    const check = {
      terms,
      hello: encodeCbor(hello),
      unit: 'sat',
      amount: 45,
      payerPeer,
      payeePeer,
      expectedKey: null,
      now,
    }
    expect(() => assertTerms({ ...check, signed: answer.signed })).not.toThrow()
    expect(terms.keysetIds.map(bytesToHex)).toEqual([mint.keyset.idV2])
    expect(terms).toMatchObject({ name: 'Ada', deadline: now + 7 * 24 * 3600 })
    expect(verifySigned('terms', answer.signed.body, answer.signed.sig, terms.payeeKey)).toBe(true)
  })

  test('that comes again gets the same bytes, later, after a restart, and without the mint', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const frame = helloFrame(helloOf([mint], 'payment'))
    const { frame: first } = await payee.helloFrame(frame)
    payee.clock.nowMs += dayMs
    expect((await payee.helloFrame(frame)).frame).toEqual(first)
    await payee.reopen()
    await payee.cutOff()
    expect((await payee.helloFrame(frame, at('192.0.2.99'))).frame).toEqual(first)
    expect(payee.receives()).toHaveLength(1)
  })

  test('that comes many times at once makes one payment', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const frame = helloFrame(helloOf([mint], 'payment'))
    const answers = await Promise.all(Array.from({ length: 5 }, () => payee.helloFrame(frame)))
    expect(new Set(answers.map(({ frame }) => bytesToHex(frame))).size).toBe(1)
    expect(payee.receives()).toHaveLength(1)
  })

  test.each<[string, Partial<Hello>]>([
    ['another amount', { amount: 6 }],
    ['another memo', { memo: 'tea' }],
  ])('with %s under the same payment is a conflict, and the first one stands', async (_what, changes) => {
    const payee = await openPayee({ keysets: [mint] })
    const first = helloFrame(helloOf([mint], 'payment'))
    const { frame } = await payee.helloFrame(first)
    expect(wordOf(await payee.helloFrame(helloFrame(helloOf([mint], 'payment', changes))))).toBe('conflict')
    expect((await payee.helloFrame(first)).frame).toEqual(frame)
    expect(payee.receives()).toHaveLength(1)
  })

  test('of another peer under the same payment id is another payment with other outputs', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const frame = helloFrame(helloOf([mint], 'payment'))
    const first = termsIn(await payee.helloFrame(frame))
    const second = termsIn(await payee.helloFrame(frame, { ...payer, payerPeer: bytesOf('another payer') }))
    const asked = [...first.outputs, ...second.outputs].map(([, B_]) => bytesToHex(B_))
    expect(new Set(asked).size).toBe(asked.length)
    expect(second.peers[0]).toEqual(bytesOf('another payer'))
  })

  test('finds the mint by a keyset id both know, whatever address it names', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const keysetIds = [foreign, mint].map(({ keyset }) => hexToBytes(keyset.idV2))
    expect(wordOf(await payee.hello({ mint: { url: 'https://elsewhere.example', keysetIds } }))).toBe('terms')
  })

  test('that shares no keyset is refused, although it names the address of a known mint', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const url = payee.mint.url
    expect(wordOf(await payee.hello({ mint: { url, keysetIds: [hexToBytes(foreign.keyset.idV2)] } }))).toBe(
      'mint_unknown',
    )
    expect(payee.receives()).toEqual([])
  })

  test('of a unit that its keysets do not have is refused', async () => {
    const payee = await openPayee({ keysets: [mint, euros] })
    const only = (keys: typeof mint) => ({ url: payee.mint.url, keysetIds: [hexToBytes(keys.keyset.idV2)] })
    expect(wordOf(await payee.hello({ unit: 'usd' }))).toBe('mint_unknown')
    expect(wordOf(await payee.hello({ unit: 'eur', mint: only(mint) }))).toBe('mint_unknown')
    expect(wordOf(await payee.hello({ unit: 'eur', mint: only(euros) }))).toBe('terms')
  })

  test('of an amount for which the mint has no coins is refused', async () => {
    const payee = await openPayee({ keysets: [mint] })
    expect(wordOf(await payee.hello({ amount: 63 }))).toBe('terms')
    expect(wordOf(await payee.hello({ amount: 64 }))).toBe('amount_out_of_range')
  })

  test('is refused in a message that the payee signs and that names the Hello, not a swap', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const hello = helloOf([foreign], 'payment')
    const answer = await payee.helloFrame(helloFrame(hello))
    if (answer.kind !== 'refusal') throw new Error(wordOf(answer))
    const { refusal, signed } = answer
    expect(refusal).toEqual({
      helloHash: bodyHash(encodeCbor(hello)),
      code: 'mint_unknown',
      at: payee.clock.nowMs / 1000,
    })
    const { payeeKey } = (await payee.agree()).terms
    expect(verifySigned('refusal', signed.body, signed.sig, payeeKey)).toBe(true)
    expect(verifySigned('terms', signed.body, signed.sig, payeeKey)).toBe(false)
  })
})

describe('a frame that is no Hello', () => {
  const hello = helloOf([mint], 'payment')
  const raw = (body: object) => encodeCbor({ hello: encodeCbor(body) })
  const { amount: _amount, ...withoutAmount } = hello
  const signed: SignedMessage = { body: bytesOf('body'), sig: concatBytes(bytesOf('a'), bytesOf('b')) }

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['one byte', Uint8Array.of(0xff)],
    ['text', encodeCbor('Hello')],
    ['a map of nothing', encodeCbor({})],
    ['a Handover', encodeFrame({ handover: bytesOf('body') })],
    ['a Receipt', encodeFrame({ receipt: signed })],
    ['two messages in one', encodeCbor({ hello: encodeCbor(hello), handover: bytesOf('body') })],
    ['a key of three thousand bytes', raw({ ...hello, tip: new Uint8Array(3_000) })],
    ['half a frame', helloFrame(hello).subarray(0, 40)],
    ['a frame and a byte', concatBytes(helloFrame(hello), Uint8Array.of(0))],
    [
      'a map of indefinite length',
      concatBytes(Uint8Array.of(0xbf), helloFrame(hello).subarray(1), Uint8Array.of(0xff)),
    ],
    ['a body that is no map', raw([1])],
    ['a body with a byte after it', encodeCbor({ hello: concatBytes(encodeCbor(hello), Uint8Array.of(0)) })],
    ['a key that nobody knows', raw({ ...hello, tip: 1 })],
    ['another version', raw({ ...hello, v: 2 })],
    ['no amount', raw(withoutAmount)],
    ['an amount of zero', raw({ ...hello, amount: 0 })],
    ['a negative amount', raw({ ...hello, amount: -5 })],
    ['half a unit', raw({ ...hello, amount: 0.5 })],
    ['an amount above 2^53 − 1', raw({ ...hello, amount: 2n ** 53n })],
    ['an amount of 2^64 − 1', raw({ ...hello, amount: 2n ** 64n - 1n })],
    ['an amount in words', raw({ ...hello, amount: '5' })],
    ['no keysets', raw({ ...hello, mint: { ...hello.mint, keysetIds: [] } })],
    ['a payment id of 15 bytes', raw({ ...hello, paymentId: hello.paymentId.slice(1) })],
    ['a memo of 141 bytes', raw({ ...hello, memo: `${'ä'.repeat(70)}a` })],
  ])('%s is refused as a bad frame, and nothing is stored', async (_what, frame) => {
    const payee = await openPayee({ keysets: [mint] })
    expect(wordOf(await payee.helloFrame(frame))).toBe('bad_frame')
    expect(payee.receives()).toEqual([])
    expect(wordOf(await payee.helloFrame(helloFrame(hello)))).toBe('terms')
  })

  test('a frame that is longer than any Hello is refused by that name, and not read', async () => {
    const payee = await openPayee({ keysets: [mint] })
    expect(wordOf(await payee.helloFrame(raw({ ...hello, tip: new Uint8Array(4_500) })))).toBe('frame_too_large')
    expect(wordOf(await payee.helloFrame(new Uint8Array(4_500)))).toBe('frame_too_large')
    expect(wordOf(await payee.helloFrame(new Uint8Array(maxFrameBytes + 1)))).toBe('frame_too_large')
  })

  test('no bytes make the payee throw: every frame has an answer that it signed', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const good = helloFrame(hello)
    const { payeeKey } = (await payee.agree({}, at('192.0.2.2'))).terms
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([index, bits]) => good.with(index, good[index]! ^ bits)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (frame) => {
        for (const { kind, signed } of [await payee.helloFrame(frame), await payee.handover(frame)]) {
          expect(['refusal', 'terms']).toContain(kind)
          expect(verifySigned(kind, signed.body, signed.sig, payeeKey)).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })
})

const request = (payee: TestPayee, amount: number | null, singleUse = false) =>
  payee.engine.createRequest({ account: 0, unit: 'sat', amount, singleUse }).id

describe('a Hello that names a request', () => {
  test('gets Terms under the key that the request names', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const { id, payeeKey } = payee.engine.createRequest({ account: 0, unit: 'sat', amount: 5, singleUse: true })
    const { terms } = await payee.agree({ requestId: id ?? '', amount: 5 })
    expect(bytesToHex(terms.payeeKey)).toBe(payeeKey)
  })

  test('of another amount is refused; a request without amount leaves it to the payer', async () => {
    const payee = await openPayee({ keysets: [mint] })
    expect(wordOf(await payee.hello({ requestId: request(payee, 6) ?? '', amount: 5 }))).toBe('bad_input')
    expect(wordOf(await payee.hello({ requestId: request(payee, null) ?? '', amount: 5 }))).toBe('terms')
  })

  test('of another unit is refused', async () => {
    const payee = await openPayee({ keysets: [mint, euros] })
    expect(wordOf(await payee.hello({ requestId: request(payee, 5) ?? '', unit: 'eur' }))).toBe('unit_unknown')
  })

  test('that does not exist is refused', async () => {
    const payee = await openPayee({ keysets: [mint] })
    expect(wordOf(await payee.hello({ requestId: 'nobody asked' }))).toBe('not_found')
  })

  test.each([
    [true, 'request_closed'],
    [false, 'terms'],
  ])('that was paid already is judged by whether it may be used once only (%s)', async (singleUse, expected) => {
    const payee = await openPayee({ keysets: [mint] })
    const requestId = request(payee, 5, singleUse) ?? ''
    const agreed = await payee.agree({ requestId })
    expect(wordOf(await payee.handover(payWith(mint, agreed, [4, 1]).built.frame))).toBe('final')
    expect(wordOf(await payee.hello({ requestId }))).toBe(expected)
  })
})

describe('unanswered Terms', () => {
  test('are at most three for one address, and make room after a minute', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const ask = async (from = payer) => wordOf(await payee.hello({}, from))
    const started = payee.clock.nowMs
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['terms', 'terms', 'terms', 'too_many_terms'])
    expect(await ask({ ...payer, payerPeer: bytesOf('another key of the same computer') })).toBe('too_many_terms')
    expect(await ask(at('192.0.2.2'))).toBe('terms')
    payee.clock.nowMs = started + minuteMs - 1
    expect(await ask()).toBe('too_many_terms')
    payee.clock.nowMs = started + minuteMs
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['terms', 'terms', 'terms', 'too_many_terms'])
  })

  test('each make room by themselves', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const ask = async () => wordOf(await payee.hello())
    for (let asked = 0; asked < 3; asked++) {
      expect(await ask()).toBe('terms')
      payee.clock.nowMs += 20_000
    }
    expect([await ask(), await ask()]).toEqual(['terms', 'too_many_terms'])
  })

  test('do not keep a payer from hearing its own Terms again', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const frames = ['a', 'b', 'c'].map((name) => helloFrame(helloOf([mint], name)))
    for (const frame of frames) await payee.helloFrame(frame)
    for (const frame of frames) expect(wordOf(await payee.helloFrame(frame))).toBe('terms')
  })

  test('are at most 64 in all, and make room after a minute', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const ask = async (host: number) => wordOf(await payee.hello({ amount: 1 }, at(`192.0.2.${host}`)))
    const words = []
    for (let host = 1; host <= 65; host++) words.push(await ask(host))
    expect(words.slice(0, 64).every((word) => word === 'terms')).toBe(true)
    expect(words[64]).toBe('too_many_terms')
    payee.clock.nowMs += minuteMs
    expect(await ask(65)).toBe('terms')
  })

  test('for an open request of ours find room when strangers who name none have taken all theirs, and the other way round', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const requestId = request(payee, 1, false) ?? ''
    const ask = async (host: number, named: object) =>
      wordOf(await payee.hello({ amount: 1, ...named }, at(`192.0.2.${host}`)))
    for (let host = 1; host <= 64; host++) expect(await ask(host, {})).toBe('terms')
    expect(await ask(65, {})).toBe('too_many_terms')
    expect(await ask(65, { requestId: 'made up' })).toBe('not_found')
    expect(await ask(65, { requestId })).toBe('terms')
    for (let host = 66; host <= 128; host++) expect(await ask(host, { requestId })).toBe('terms')
    expect(await ask(129, { requestId })).toBe('too_many_terms')
    payee.clock.nowMs += minuteMs
    for (let host = 1; host <= 64; host++) expect(await ask(host, { requestId })).toBe('terms')
    expect(await ask(129, {})).toBe('terms')
  }, 30_000)

  test('of a day that is used up are followed by one a minute, for who has left few of them', () => {
    const quiet = { fromAddress: 0, inAll: 0 }
    const tooMany = (fromAddress: number, inAll: number, lastMinute = quiet) =>
      areTooManyTerms(lastMinute, { fromAddress, inAll })
    expect([tooMany(99, 1_199), tooMany(100, 1_199)]).toEqual([false, true])
    expect([tooMany(0, 1_200), tooMany(4, 1_200), tooMany(5, 1_200)]).toEqual([false, false, true])
    expect(tooMany(0, 1_199, { fromAddress: 0, inAll: 63 })).toBe(false)
    expect(tooMany(0, 1_200, { fromAddress: 0, inAll: 1 })).toBe(true)
    // Whatever strangers do in a day, a restore finds its way: 64 milestones in a row, one in a hundred purses.
    const minutes = 24 * 60
    expect(2 * (1_200 + minutes)).toBeLessThan(64 * 100)
    for (let inAll = 1_200; inAll < 1_200 + minutes; inAll++) expect(tooMany(0, inAll)).toBe(false)
  })

  test('of one address in a day are few of all that there may be: nobody uses up the day of the others', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const ask = async (host: string) => wordOf(await payee.hello({ amount: 1 }, at(host)))
    const started = payee.clock.nowMs
    let given = 0
    while ((await ask('192.0.2.1')) === 'terms')
      if (++given % maxOpenTermsPerAddress === 0) payee.clock.nowMs += minuteMs
    expect(given).toBe(maxOpenTermsPerAddressPerDay)
    expect(given * 10).toBeLessThan(maxOpenTermsPerDay)
    payee.clock.nowMs += hourMs
    expect(await ask('192.0.2.1')).toBe('too_many_terms')
    expect(await ask('192.0.2.2')).toBe('terms')
    payee.clock.nowMs = started + dayMs
    expect(await ask('192.0.2.1')).toBe('terms')
  })

  test('make room when their handover comes', async () => {
    const payee = await openPayee({ keysets: [mint] })
    const first = await payee.agree()
    await payee.agree()
    await payee.agree()
    expect(wordOf(await payee.hello())).toBe('too_many_terms')
    await payee.handover(payWith(mint, first, [4, 1]).built.frame)
    expect(wordOf(await payee.hello())).toBe('terms')
  })
})

describe('limits of what is accepted without the mint', () => {
  const limits = { single: 10, total: 12, perHour: 2 }
  const pay = async (payee: TestPayee, amount: number) =>
    wordOf(await payee.handover(payWith(mint, await payee.agree({ amount }), splitAmount(amount)).built.frame))

  test('refuse a single payment that is too large before Terms', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    await payee.cutOff()
    expect(wordOf(await payee.hello({ amount: 10 }))).toBe('terms')
    expect(wordOf(await payee.hello({ amount: 11 }))).toBe('limit_single')
  })

  test('refuse what would make the sum of unsettled payments too large', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    await payee.cutOff()
    expect(await pay(payee, 8)).toBe('signed')
    expect(wordOf(await payee.hello({ amount: 5 }))).toBe('limit_total')
    expect(wordOf(await payee.hello({ amount: 4 }))).toBe('terms')
  })

  test('refuse more payments in an hour than wanted, and no longer an hour later', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    await payee.cutOff()
    expect([await pay(payee, 1), await pay(payee, 1)]).toEqual(['signed', 'signed'])
    expect(wordOf(await payee.hello({ amount: 1 }))).toBe('limit_rate')
    payee.clock.nowMs += hourMs
    expect(wordOf(await payee.hello({ amount: 1 }))).toBe('terms')
  })

  test('hold for all strangers together: another address and another key change nothing', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    await payee.cutOff()
    await pay(payee, 8)
    const stranger = { ...at('198.51.100.7'), payerPeer: bytesOf('a stranger') }
    expect(wordOf(await payee.hello({ amount: 5 }, stranger))).toBe('limit_total')
  })

  test('do not hold while the mint can be reached', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    expect(wordOf(await payee.hello({ amount: 63 }))).toBe('terms')
    await payee.cutOff()
    expect(wordOf(await payee.hello({ amount: 63 }))).toBe('limit_single')
  })

  test('free what was settled', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits } })
    await payee.cutOff()
    await pay(payee, 8)
    payee.mint.isUp = true
    await payee.engine.tick()
    payee.clock.nowMs += 1
    await payee.engine.runner.runDue()
    await payee.cutOff()
    expect(wordOf(await payee.hello({ amount: 10 }))).toBe('terms')
  })

  test('are halved a day after the mint was last reached, and quartered after a week', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits: { ...limits, perHour: 8 } } })
    await payee.cutOff()
    const words = async () => [wordOf(await payee.hello({ amount: 5 })), wordOf(await payee.hello({ amount: 6 }))]
    payee.clock.nowMs += dayMs
    expect(await words()).toEqual(['terms', 'terms'])
    payee.clock.nowMs += minuteMs
    expect(await words()).toEqual(['terms', 'limit_single'])
    payee.clock.nowMs += 6 * dayMs
    expect(wordOf(await payee.hello({ amount: 2 }))).toBe('terms')
    expect(wordOf(await payee.hello({ amount: 3 }))).toBe('limit_single')
  })

  test('never grow by being divided', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat({ max: 100 * dayMs }), (single, total, perHour, since) => {
        const less = limitsNow({ single, total, perHour }, since)
        expect(less.single).toBeLessThanOrEqual(single)
        expect(less.total).toBeLessThanOrEqual(total)
        expect(less.perHour).toBeLessThanOrEqual(perHour)
      }),
    )
  })

  test('do not concern a mint that is online only: nothing of it is accepted unsettled', async () => {
    const payee = await openPayee({ keysets: [mint], config: { limits }, version: 'Another/1.0' })
    await payee.cutOff()
    expect(wordOf(await payee.hello({ amount: 63 }))).toBe('terms')
  })
})
