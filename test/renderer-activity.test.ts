// Lists of payments page by page, what a day brought, and words about time and fees: the pure parts of Activity and Mints.

import { describe, expect, test } from 'vitest'
import { invoiceIn } from '../renderer/invoice.ts'
import {
  dayFrom,
  daySums,
  firstPage,
  indexOfRow,
  isDayStart,
  searchText,
  withFreshPage,
  withNextPage,
} from '../renderer/payment-list.ts'
import { activityWords, factWords, nextWords, receiptText, sentenceOf, sumWords } from '../renderer/words/activity.ts'
import {
  aboutWords,
  addressWords,
  feeWords,
  laterFeeWords,
  offerWords,
  priceWords,
  unitsWords,
} from '../renderer/words/mints.ts'
import { type PaymentDetailView, type PaymentPageView, type PaymentView, paymentStates } from '../shared/model.ts'
import { paymentWords } from '../shared/words.ts'

const noon = new Date(2026, 5, 21, 12).getTime()
const hour = 3_600_000

function payment(n: number, more: Partial<PaymentView> = {}): PaymentView {
  return {
    id: n.toString(16).padStart(32, '0'),
    direction: 'in',
    state: 'final',
    amount: 100,
    fee: 0,
    unit: 'eur',
    mintUrl: 'https://mint.example',
    name: '',
    payee: null,
    requestId: null,
    mayBeDelivered: false,
    reclaim: 'no',
    memo: null,
    answeredInMs: null,
    createdAt: noon - n * hour,
    updatedAt: noon - n * hour,
    alarm: null,
    trouble: null,
    ...more,
  }
}

/** Payments `from` … `to - 1`, the newest first. */
const page = (from: number, to: number, total: number): PaymentPageView => ({
  items: Array.from({ length: to - from }, (_, i) => payment(from + i)),
  total,
  next: to < total ? 1000 - to : null,
})
const ids = (list: { readonly rows: readonly { readonly id: string }[] }): readonly number[] =>
  list.rows.map(({ id }) => Number.parseInt(id, 16))

describe('pages', () => {
  test('follow one another', () => {
    const list = withNextPage(firstPage(page(0, 3, 5)), page(3, 5, 5))
    expect(ids(list)).toEqual([0, 1, 2, 3, 4])
    expect(list).toMatchObject({ total: 5, next: null })
  })

  test('fresh first page takes the place of what it covers; what was loaded below stays', () => {
    const list = withNextPage(firstPage(page(10, 13, 9)), page(13, 16, 9))
    const fresh = withFreshPage(list, { items: [9, 10, 11].map((n) => payment(n)), total: 10, next: 988 })
    expect(ids(fresh)).toEqual([9, 10, 11, 12, 13, 14, 15])
    expect(fresh).toMatchObject({ total: 10, next: list.next })
  })

  test('a payment that left the search is gone with the fresh page', () => {
    const list = withNextPage(firstPage(page(0, 4, 8)), page(4, 6, 8))
    const fresh = withFreshPage(list, { items: [0, 2, 3].map((n) => payment(n)), total: 7, next: 900 })
    expect(ids(fresh)).toEqual([0, 2, 3, 4, 5])
  })

  test('after a gap only the fresh page is known', () => {
    const fresh = withFreshPage(firstPage(page(200, 300, 400)), page(0, 100, 600))
    expect(ids(fresh)[0]).toBe(0)
    expect(fresh.rows).toHaveLength(100)
    expect(fresh.next).toBe(900)
  })

  test('a fresh page that is everything replaces everything', () => {
    const list = withNextPage(firstPage(page(0, 3, 6)), page(3, 6, 6))
    expect(ids(withFreshPage(list, page(0, 2, 2)))).toEqual([0, 1])
  })

  test('nothing new keeps the rows as they are', () => {
    const list = firstPage(page(0, 3, 3))
    expect(withFreshPage(list, page(0, 3, 3)).rows).toBe(list.rows)
  })

  test('a row is found where it was, or where it went', () => {
    const list = firstPage(page(0, 5, 5))
    expect(indexOfRow(list, payment(2).id, 2)).toBe(2)
    expect(indexOfRow(list, payment(4).id, 2)).toBe(4)
    expect(indexOfRow(list, 'gone', 3)).toBe(0)
  })
})

describe('days', () => {
  // 12:00 down to 00:00 are today, 23:00 and before yesterday.
  const list = firstPage(page(0, 20, 40))

  test('begin where the calendar day changes', () => {
    expect(list.rows.map((_, index) => isDayStart(list, index)).flatMap((is, index) => (is ? [index] : []))).toEqual([
      0, 13,
    ])
  })

  test('are whole when an older one follows, or when nothing does', () => {
    expect(dayFrom(list, 0)).toMatchObject({ isWhole: true, rows: { length: 13 } })
    expect(dayFrom(list, 13)).toMatchObject({ isWhole: false, rows: { length: 7 } })
    expect(dayFrom({ ...list, next: null }, 13).isWhole).toBe(true)
  })

  test('sums are by unit, and play money by itself', () => {
    const sums = daySums(
      [
        payment(1, { amount: 7, unit: 'coin', mintUrl: 'play', direction: 'out' }),
        payment(2, { amount: 840, state: 'signed' }),
        payment(3, { amount: 1500 }),
        payment(4, { amount: 1660, direction: 'out' }),
        payment(5, { amount: 2150, unit: 'sat', direction: 'out' }),
        payment(6, { amount: 5, unit: 'sat', mintUrl: 'play' }),
      ],
      (mintUrl) => mintUrl === 'play',
    )
    expect(sums.map((sum) => [sumWords(sum), sum.isPlayMoney])).toEqual([
      ['in €23.40, out €16.60', false],
      ['out 2,150 sat', false],
      ['out 7 coins', true],
      ['in 5 sat', true],
    ])
  })

  test.each(paymentStates)('sums of a %s payment', (state) => {
    const counts = ['signed', 'final', 'on_its_way'].includes(state)
    expect(daySums([payment(1, { state })], () => false)).toHaveLength(counts ? 1 : 0)
  })
})

test.each([
  ['  ', null],
  ['Käse', 'Käse'],
  ['€12.60', '1260'],
  ['12,60', '1260'],
  ['12', '12'],
  ['2,150 sat', '2150'],
  ['5 coins', '5'],
  ['table 4', 'table 4'],
  ['4 loaves', '4 loaves'],
])('searching for %j looks for %j', (typed, text) => {
  expect(searchText(typed)).toBe(text)
})

test.each([
  ['lnbc500n1pabcdefghijklmnopq', 'lnbc500n1pabcdefghijklmnopq'],
  [' LIGHTNING:LNBC500N1PABCDEFGHIJKLMNOPQ ', 'lnbc500n1pabcdefghijklmnopq'],
  ['bitcoin:bc1qxyz?amount=0.1&lightning=lnbc500n1pabcdefghijklmnopq&x=1', 'lnbc500n1pabcdefghijklmnopq'],
  ['https://mint.example', null],
  ['creqAlnbc500n1pabcdefghijklmnopq', null],
])('the invoice in %j', (text, invoice) => {
  expect(invoiceIn(text)).toBe(invoice)
})

describe('the story of a payment', () => {
  const detail: PaymentDetailView = {
    ...payment(1, { state: 'signed', direction: 'out', answeredInMs: 340 }),
    timeline: [{ at: noon, state: 'signed' }],
    receipt: null,
    settlesAt: noon,
    deadline: null,
    coins: 3,
    hasClaim: false,
  }

  test('has a plain sentence for each state', () => {
    for (const direction of ['in', 'out'] as const) {
      for (const state of paymentStates) {
        const { title, sentence } = factWords[direction][state]({ ...detail, direction, state })
        expect(title).not.toBe('')
        expect(sentence).toMatch(/^[A-Z0-9].*\.$/)
        expect(`${title} ${sentence}`).not.toMatch(/swap|purse|keyset|handover|token|nonce|terms/i)
        if (state !== 'final') expect(title).not.toBe('Paid')
      }
    }
    expect(factWords.out.signed(detail).sentence).toContain('3 coins')
  })

  test('says what is still to come only while it is signed', () => {
    expect(nextWords(detail)?.title).toBe('Becomes final by itself')
    expect(nextWords({ ...detail, state: 'final' })).toBeNull()
  })

  test('what never left before the offer ended is not said to be tried again', () => {
    const untold = { state: 'on_its_way', trouble: 'terms_expired', mayBeDelivered: false } as const
    const late = { ...detail, ...untold, reclaim: 'free' } as const
    expect(sentenceOf(late)).toMatch(/could not be sent.*Take it back/)
    for (const other of [{ ...late, mayBeDelivered: true }, { ...late, trouble: null }, detail])
      expect(sentenceOf(other)).toBe(paymentWords.out[other.state].sentence)
  })

  test('does not say that coins can be taken back where nothing is offered', () => {
    const late = { ...detail, state: 'on_its_way', trouble: 'terms_expired', mayBeDelivered: false } as const
    for (const payment of [{ ...detail, state: 'refused' }, { ...detail, state: 'dead' }, late] as const) {
      expect(sentenceOf({ ...payment, reclaim: 'free' })).toMatch(/take (it|your coins) back/i)
      expect(sentenceOf({ ...payment, reclaim: 'no' })).toMatch(/nothing of it can be taken back\.$/)
      expect(sentenceOf({ ...payment, reclaim: 'no' })).not.toMatch(/take (it|your coins) back/i)
    }
  })

  test('of a bounced payment says what can be taken back, and that it may be final all the same', () => {
    const bounced = { ...detail, state: 'bounced', reclaim: 'warned', name: 'Ann' } as const
    expect(sentenceOf(bounced)).toMatch(/did not hold.*you can take it back\.$/)
    expect(sentenceOf({ ...bounced, reclaim: 'no' })).toBe(paymentWords.out.bounced.sentence)
    expect(activityWords.actions.takeBack(bounced)).toBe('Take back what is left')
    expect(activityWords.dialog.body(bounced)).toMatch(/Ann.* may still have it.*stay theirs\.$/)
  })

  test('a receipt is text in columns', () => {
    const text = receiptText(detail, [
      { label: 'To', value: 'Ann' },
      { label: 'Amount', value: '€1.00' },
    ])
    expect(text).toContain('To:      Ann\nAmount:  €1.00\n')
    const forged = receiptText({ ...detail, name: 'Ann\nState: Paid' }, [{ label: 'Note', value: 'x\nState: Paid' }])
    expect(forged).not.toMatch(/^State/m)
  })
})

describe('words of a mint', () => {
  test('an offer counts down, and what was paid in time still counts', () => {
    expect(offerWords(noon + 522_000, noon)).toBe('The offer ends in 8:42.')
    expect(offerWords(noon + 2 * hour, noon)).toBe('The offer ends in 2:00:00.')
    expect(offerWords(noon + 72 * hour, noon)).toBe('The offer ends on Wed 24 June 2026, 12:00.')
    expect(offerWords(noon, noon)).toContain('has ended')
    expect(priceWords(noon + 59_500, noon)).toBe('This price stands for 1:00.')
    expect(priceWords(noon, noon + 1)).toBe('The offer has ended.')
  })

  test('fees are said in money', () => {
    expect(feeWords(0, 'sat')).toBe('No fee from the mint')
    expect(feeWords(100, 'sat')).toBe('1 sat for every 10 coins in a payment, at least 1 sat')
    expect(feeWords(1000, 'eur')).toBe('€0.01 for each coin in a payment, at most')
    expect(feeWords(2500, 'sat')).toBe('3 sat for each coin in a payment, at most')
    expect(laterFeeWords(100, 'sat')).toBe('Each payment from it will cost at least 1 sat, for the mint.')
  })

  test('an address has no scheme', () => {
    expect(addressWords({ url: 'https://harbour.example/', isPractice: false })).toBe('harbour.example')
    expect(addressWords({ url: 'http://127.0.0.1:3338', isPractice: true })).toBe('this computer')
  })

  test('units are a sentence, and what waits names both sides', () => {
    expect(unitsWords(['eur', 'sat'])).toBe('Euro and Sat')
    expect(aboutWords.waiting({ in: 2, out: 1 })).toBe('2 payments to you, 1 payment by you')
  })
})
