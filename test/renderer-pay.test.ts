import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { typedEntry } from '../renderer/amount-field.ts'
import { createScan } from '../renderer/ui/scanned.ts'
import { comingForMs, countArrivals, inOrder, isAnswered, isArrival } from '../renderer/views/get-paid/arrivals.ts'
import { maxDescription, says, wishOf } from '../renderer/views/get-paid/wish.ts'
import { affordable, bestMint, type Means, meansAt, mintLabel, mintsOf } from '../renderer/views/pay/means.ts'
import { fittingNote, maxNoteBytes, noteBytes, noteRoom } from '../renderer/views/pay/note.ts'
import { isNamed, readPasted } from '../renderer/views/pay/pasted.ts'
import { isolated, plainText } from '../shared/foreign.ts'
import { commands } from '../shared/ipc.ts'
import { maxMemoBytes } from '../shared/messages.ts'
import type { MintView, PaymentView, RequestView } from '../shared/model.ts'
import { qrParts } from '../shared/qr-parts.ts'

const mint = (
  url: string,
  more: Partial<MintView> = {},
  amounts: Partial<MintView['balances'][number]> = {},
): MintView => ({
  url,
  name: null,
  isPlayMoney: false,
  isPractice: false,
  isOnlineOnly: false,
  isReachable: true,
  since: 1,
  lastReachedAt: 1,
  alarm: null,
  version: null,
  units: ['eur'],
  feePpk: 0,
  keysetEndsAt: null,
  coins: 0,
  waiting: { in: 0, out: 0 },
  balances: [
    { unit: 'eur', spendable: 0, onItsWay: 0, signedToUs: 0, payableAtOnce: 0, resting: 0, expired: 0, ...amounts },
  ],
  ...more,
})

const payment = (more: Partial<PaymentView>): PaymentView => ({
  id: '00',
  direction: 'in',
  state: 'final',
  amount: 100,
  fee: 0,
  unit: 'eur',
  mintUrl: 'https://a.example',
  name: '',
  payee: null,
  requestId: 'r1',
  mayBeDelivered: false,
  reclaim: 'no',
  memo: null,
  answeredInMs: null,
  createdAt: 1000,
  updatedAt: 1000,
  alarm: null,
  trouble: null,
  ...more,
})

describe('a text that somebody hopes to pay', () => {
  test.each([
    ['Aoife', 'name'],
    ['Käse Krüger', 'name'],
    ['', 'name'],
    ['creqApWF', 'request'],
    ['CREQB1QYQ', 'request'],
    [' farthing:creqApWFpcD \n', 'request'],
    ['cashu:creqApWFpcD', 'request'],
    ['farthing://creqApWFpcD', 'request'],
    ['farthing:unheard-of', 'request'],
    ['x'.repeat(60), 'request'],
    ['lnbc10u1pjq8d9wpp5qqqqqqqqqqqqqqqqqqqq', 'invoice'],
    ['LIGHTNING:LNBC10U1PJQ8D9WPP5QQQQQQQQQQQQQQQQQQQQ', 'invoice'],
    ['cashuBo2F0gqJhaUgA', 'coins'],
    ['lnurl1dp68gurn8ghj7um9wfmxjcm99e3k7mf0', 'address'],
    ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'address'],
    ['https://mint.example/Bitcoin', 'mint'],
    ['farthing:part/1/3/0123456789abcdef/abc', 'part'],
  ])('%j is %s', (text, kind) => {
    expect(readPasted(text)).toEqual({ kind, text: text.trim() })
  })

  test('finds people by name without marks, and by their words', () => {
    const words = ['copper', 'lantern', 'mossy', 'drum']
    expect(isNamed('kase', 'Käse-Krüger', words)).toBe(true)
    expect(isNamed('  KRÜ', 'Käse-Krüger', words)).toBe(true)
    expect(isNamed('copper lan', 'Käse-Krüger', words)).toBe(true)
    expect(isNamed('holm', 'Käse-Krüger', words)).toBe(false)
    expect(isNamed('', '', words)).toBe(true)
  })
})

describe('text of somebody else', () => {
  test('turns nothing around it and stays on one line', () => {
    expect(plainText('\u202eevil\u0007\n name\u2069')).toBe('evil name')
    expect(isolated('a\u2069b')).toBe('\u2068ab\u2069')
  })
  test('is nothing where there is nothing to see: a screen says "Somebody" then', () => {
    for (const name of ['\u202e', ' \n', '\u200b\u200d', '\u{e0041}\ufe0f', '\u3164']) expect(plainText(name)).toBe('')
  })
  test('keeps letters of every script, and joined emoji', () => {
    for (const name of ['شيرين', 'Bäckerei Holm', '👩‍🌾 Nora', '東京']) expect(plainText(name)).toBe(name)
  })
})

describe('a note', () => {
  test('is counted in bytes, as on the wire', () => {
    expect(maxNoteBytes).toBe(maxMemoBytes)
    expect(noteBytes('Käse ☕')).toBe(9)
    expect(noteRoom('a'.repeat(140))).toBe(0)
    expect(noteRoom('é'.repeat(71))).toBe(-2)
  })
  test('that is cut fits, and keeps whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const note = fittingNote(text)
        expect(noteRoom(note)).toBeGreaterThanOrEqual(0)
        expect(note.isWellFormed()).toBe(text.isWellFormed())
        if (noteRoom(text) >= 0) expect(note).toBe(text)
        else expect(note.endsWith('…')).toBe(true)
      }),
    )
    const family = '👨‍👩‍👧‍👦'
    expect(fittingNote(family.repeat(10))).toBe(`${family.repeat(5)}…`)
  })
  test('is taken by the contract as long as there is room', () => {
    const order = { request: 'creqA', memo: 'é'.repeat(70) }
    expect(commands['pay.prepare'].input.safeParse(order).success).toBe(true)
    expect(commands['pay.prepare'].input.safeParse({ ...order, memo: 'é'.repeat(71) }).success).toBe(false)
  })
})

describe('what can be paid', () => {
  const means = (more: Partial<Means>): Means => ({
    mintUrl: 'https://a.example',
    mintName: 'A',
    isPlayMoney: false,
    isOut: false,
    spendable: 100,
    inAll: 100,
    atOnce: 80,
    ...more,
  })
  test.each([
    [0, {}, 'nothing'],
    [80, {}, 'yes'],
    [80, { isOut: true }, 'yes'],
    [81, {}, 'not-now'],
    [81, { inAll: 150 }, 'with-mint'],
    [81, { inAll: 150, isOut: true }, 'not-now'],
    [101, {}, 'no'],
    [151, { inAll: 150 }, 'no'],
  ] as const)('%i of %j: %s', (amount, more, kind) => {
    expect(affordable(amount, means(more)).kind).toBe(kind)
  })

  test('counts what is on its way, and knows "not asked yet" from "out of reach"', () => {
    const amounts = { spendable: 10, onItsWay: 5, payableAtOnce: 8 }
    expect(meansAt(mint('https://a.example', {}, amounts), 'eur')).toMatchObject({ inAll: 15, atOnce: 8, isOut: false })
    expect(meansAt(mint('https://a.example', { isReachable: false, since: null }), 'eur').isOut).toBe(false)
    expect(meansAt(mint('https://a.example', { isReachable: false }), 'eur').isOut).toBe(true)
    expect(meansAt(mint('https://a.example'), 'sat').inAll).toBe(0)
  })

  test('comes from the first mint that has enough, or else the best', () => {
    const poor = mint('https://poor.example', {}, { payableAtOnce: 5 })
    const rich = mint('https://rich.example', {}, { payableAtOnce: 50 })
    const urls = [poor.url, rich.url]
    expect(bestMint(urls, [poor, rich], 'eur', 3)).toBe(poor.url)
    expect(bestMint(urls, [poor, rich], 'eur', 30)).toBe(rich.url)
    expect(bestMint(urls, [poor, rich], 'eur', 300)).toBe(poor.url)
    expect(bestMint([], [poor, rich], 'eur', 3)).toBeNull()
    expect(mintsOf({ unit: 'eur', mintUrls: urls }, [poor, rich])).toEqual([rich.url, poor.url])
  })

  test('names two mints of one name by their addresses', () => {
    const [one, two] = [mint('https://a.example', { name: 'Mint' }), mint('https://b.example/x', { name: 'Mint' })]
    expect(mintLabel(one, [one])).toBe('Mint')
    expect(mintLabel(two, [one, two])).toBe('Mint (b.example/x)')
  })
})

describe('an amount in a field', () => {
  const typed = (keys: string, unit: string): string => {
    let entry = ''
    for (const key of keys) entry = typedEntry(entry, entry + key, unit)
    return entry
  }
  test.each([
    ['12.60', 'eur', '12.60'],
    ['12,60', 'eur', '12.60'],
    ['.5', 'eur', '0.5'],
    ['12.605', 'eur', '12.60'],
    ['007', 'eur', '7'],
    ['1x2', 'eur', '12'],
    ['1.5', 'sat', '15'],
    ['99999999999999999999', 'sat', '9'.repeat(15)],
  ])('%s typed in %s stands as %s', (keys, unit, entry) => {
    expect(typed(keys, unit)).toBe(entry)
  })
  test('pasted is read freely, and what is no amount changes nothing', () => {
    expect(typedEntry('', '€ 1,234.50', 'eur')).toBe('1234.50')
    expect(typedEntry('', '2,150 sat', 'sat')).toBe('2150')
    expect(typedEntry('5', 'five hundred', 'eur')).toBe('5')
    expect(typedEntry('12', '', 'eur')).toBe('')
  })
})

describe('a scan', () => {
  const long = `creqA${'abcdefghij'.repeat(150)}`
  test('tells a code that stays in front of the camera once', () => {
    const scan = createScan()
    expect(scan.read('creqA1', 0)).toEqual({ state: 'whole', text: 'creqA1' })
    for (let now = 100; now < 10_000; now += 100) expect(scan.read('creqA1', now)).toEqual({ state: 'same' })
    expect(scan.read('creqA2', 10_000)).toEqual({ state: 'whole', text: 'creqA2' })
    expect(scan.read('creqA1', 10_100)).toEqual({ state: 'whole', text: 'creqA1' })
  })
  test('joins parts in any order, counts them, and tells the whole once', () => {
    const scan = createScan()
    const parts = [...qrParts(long)].reverse()
    const readings = parts.map((part, index) => scan.read(part, index * 300))
    expect(readings[0]).toEqual({ state: 'collecting', have: 1, total: parts.length })
    expect(readings.at(-1)).toEqual({ state: 'whole', text: long })
    const again = parts.map((part, index) => scan.read(part, 5000 + index * 300))
    expect(again.some(({ state }) => state === 'whole')).toBe(false)
  })
  test('says when a part does not fit', () => {
    expect(createScan().read('farthing:part/9/3/0123456789abcdef/x', 0)).toEqual({ state: 'broken' })
  })
})

describe('what one asks for', () => {
  const place = { mintUrl: 'https://a.example', unit: 'eur' }
  const ask = { mode: 'fixed', entry: '24', description: '' } as const
  const request: RequestView = {
    id: 'r1',
    text: 'creqA',
    link: 'farthing:creqA',
    amount: 2400,
    unit: 'eur',
    mintUrl: place.mintUrl,
    description: null,
    singleUse: false,
  }
  test('is nothing without an amount, unless they decide', () => {
    expect(wishOf({ ...ask, entry: '' }, place)).toBeNull()
    expect(wishOf({ ...ask, entry: '0.' }, place)).toBeNull()
    expect(wishOf({ ...ask, mode: 'open', entry: '' }, place)).toEqual({ ...place, singleUse: false })
  })
  test('is what the request says, or asks for another', () => {
    expect(says(request, wishOf(ask, place))).toBe(true)
    expect(says(request, wishOf({ ...ask, entry: '24.00', description: '  ' }, place))).toBe(true)
    expect(says(request, wishOf({ ...ask, entry: '24.01' }, place))).toBe(false)
    expect(says(request, wishOf({ ...ask, description: 'Camping' }, place))).toBe(false)
    expect(says(request, wishOf({ ...ask, mode: 'open' }, place))).toBe(false)
    expect(says(request, null)).toBe(false)
    expect(says(null, null)).toBe(true)
  })
  test('is taken by the contract', () => {
    const longest = wishOf({ ...ask, description: 'x'.repeat(maxDescription) }, place)
    expect(commands['request.create'].input.safeParse(longest).success).toBe(true)
    expect(commands['request.create'].input.safeParse({ ...longest, description: 'x'.repeat(201) }).success).toBe(false)
  })
})

describe('what arrives', () => {
  const shown = { requestIds: ['r1', 'r2'], since: 500, now: 2000 }
  test('is for a request on the screen, or for a visible name', () => {
    expect(isArrival(payment({}), shown)).toBe(true)
    expect(isArrival(payment({ requestId: 'r9' }), shown)).toBe(false)
    expect(isArrival(payment({ requestId: null }), shown)).toBe(true)
    expect(isArrival(payment({ requestId: null, createdAt: 400 }), shown)).toBe(false)
    expect(isArrival(payment({ direction: 'out' }), shown)).toBe(false)
  })
  test('is not said to be coming for ever', () => {
    const coming = payment({ state: 'awaited' })
    expect(isArrival(coming, shown)).toBe(true)
    expect(isArrival(coming, { ...shown, now: 1001 + comingForMs })).toBe(false)
    expect(isArrival(payment({ state: 'abandoned' }), shown)).toBe(false)
  })
  test('is counted by what is known, and nothing but final is paid', () => {
    const states = ['final', 'signed', 'awaited', 'refused', 'bounced'] as const
    expect(countArrivals(states.map((state) => payment({ state })))).toEqual({ paid: 1, signed: 1, coming: 1 })
    expect(
      inOrder([payment({ id: 'a', createdAt: 1 }), payment({ id: 'b', createdAt: 2 })]).map(({ id }) => id),
    ).toEqual(['b', 'a'])
  })
  test('keeps its request open', () => {
    expect(isAnswered('r1', [payment({ state: 'awaited' })], 2000)).toBe(true)
    expect(isAnswered('r1', [payment({})], 1e12)).toBe(true)
    expect(isAnswered('r1', [payment({ state: 'refused' }), payment({ requestId: 'r2' })], 2000)).toBe(false)
    expect(isAnswered('r1', [], 2000)).toBe(false)
  })
})
