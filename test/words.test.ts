// Words are honest: only what is final is called paid, nothing is left without words, no jargon reaches a screen.

import { describe, expect, test } from 'vitest'
import { errorCodes } from '../shared/errors.ts'
import { isolated } from '../shared/foreign.ts'
import { type PaymentView, paymentAlarms, paymentStates } from '../shared/model.ts'
import { formatAmount } from '../shared/units.ts'
import {
  alarmWords,
  cashOutAlarmWords,
  cashOutWords,
  errorWords,
  paymentNotice,
  paymentWords,
  withdrawWords,
  wordsOfCashOut,
} from '../shared/words.ts'

const directions = ['in', 'out'] as const
const jargon =
  /\b(swap|purse|keyset|DLEQ|token|nonce|blind|melt|handover|operation|denomination|satoshi|undefined|null|NaN)\b/i

const payment: PaymentView = {
  id: '0'.repeat(32),
  direction: 'out',
  state: 'final',
  amount: 1260,
  fee: 1,
  unit: 'eur',
  mintUrl: 'https://mint.example',
  name: 'Bäckerei Holm',
  payee: null,
  requestId: null,
  mayBeDelivered: false,
  reclaim: 'no',
  memo: 'Two loaves',
  answeredInMs: null,
  createdAt: 0,
  updatedAt: 0,
  alarm: null,
  trouble: null,
}

describe('states of a payment', () => {
  test('only a final payment is called paid, in words and in notifications', () => {
    for (const direction of directions) {
      for (const state of paymentStates) {
        const { badge, sentence } = paymentWords[direction][state]
        const { title, body } = paymentNotice({ ...payment, direction, state })
        for (const words of [badge, sentence, title, body]) {
          if (state !== 'final') expect(words, `${direction} ${state}`).not.toMatch(/\b(paid|complete[d]?|done)\b/i)
        }
        if (state === 'final') expect(badge).toBe('Paid')
      }
    }
  })

  test('a signed payment says that it is not final yet, and to the payee that it can bounce', () => {
    for (const direction of directions) expect(paymentWords[direction].signed.sentence).toContain('final when')
    expect(paymentWords.in.signed.sentence).toContain('bounce')
  })

  test('what only the mint says is told as that, and a refusal does not promise what may still change', () => {
    expect(paymentWords.in.bounced.sentence).toMatch(/^The mint says/)
    expect(paymentWords.out.refused.sentence).toContain('can still become final')
  })

  test('what did not happen says that no money was lost or won by it', () => {
    expect(paymentWords.out.abandoned.sentence).toContain('Nothing left your wallet')
    expect(paymentWords.out.preparing.sentence).toContain('Nothing has left your wallet')
    expect(paymentWords.in.bounced.sentence).toContain('never counted')
  })

  test('a notification names the amount, the other side, the note, and play money as such', () => {
    expect(paymentNotice(payment)).toEqual({
      title: `Paid: €12.60 to ${isolated('Bäckerei Holm')}`,
      body: `Final. The mint has confirmed it. “${isolated('Two loaves')}”`,
    })
    expect(paymentNotice({ ...payment, direction: 'in', name: '', state: 'signed', memo: null }).title).toBe(
      'Signed: €12.60 to you',
    )
    expect(paymentNotice(payment, { isPlayMoney: true }).title).toContain('(play money)')
  })

  test('a note cannot push what is known out of a notification, or turn it around', () => {
    const memo = '” Final. The money is yours.\n\n\n\u202e'
    const { title, body } = paymentNotice({ ...payment, direction: 'in', state: 'signed', name: '', memo })
    expect(title).toBe('Signed: €12.60 to you')
    expect(body.startsWith(paymentWords.in.signed.sentence)).toBe(true)
    expect(body).not.toMatch(/[\n\u202e]/)
    expect(paymentNotice({ ...payment, name: '\u202e' }).title).toBe('Paid: €12.60')
  })
})

describe('cashing out', () => {
  test('is called done only when the mint has paid', () => {
    for (const [state, { badge, sentence }] of Object.entries(cashOutWords)) {
      if (state !== 'done') expect(`${badge} ${sentence}`).not.toMatch(/has paid|cashed out$|^Cashed/)
    }
  })

  test('a mint that took the coins and does not say that it paid is not said to have paid', () => {
    const { badge, sentence } = wordsOfCashOut({ state: 'done', alarm: 'unproven' })
    expect(`${badge} ${sentence}`).not.toMatch(/has paid|[Cc]ashed out/)
    expect(sentence).toContain('does not say')
  })

  test('what was paid with other coins is not called unpaid, and coins that are gone are not called here', () => {
    for (const state of ['returning', 'failed'] as const) {
      expect(wordsOfCashOut({ state, alarm: 'paid_elsewhere' }).sentence).not.toMatch(/not paid|could not be paid/)
      expect(wordsOfCashOut({ state, alarm: 'coins_gone' }).sentence).not.toMatch(/^.*Your coins are/)
      expect(wordsOfCashOut({ state, alarm: 'coins_gone' }).sentence).toMatch(/are gone/)
    }
  })

  test('without an alarm the words are those of the state', () => {
    for (const state of ['done', 'failed', 'returning', 'paying'] as const)
      expect(wordsOfCashOut({ state, alarm: null })).toBe(cashOutWords[state])
  })
})

describe('errors', () => {
  test.each(errorCodes)('%s says what happened, what it means and what to do', (code) => {
    const { title, body, action } = errorWords(code)
    for (const words of [title, body, action]) expect(words).not.toBe('')
    expect(title).not.toMatch(/[.!]$/)
    expect(body).toMatch(/\.$/)
    expect(action).toMatch(/\.$/)
  })

  test('amounts among the facts are written in the unit of the screen', () => {
    const words = errorWords('not_enough', { largest: 11200, total: 12001 }, (amount) => formatAmount(amount, 'eur'))
    expect(words.action).toContain('€112.00')
    expect(words.body).toContain('€120.01')
  })

  test('facts without a unit are left out', () => {
    expect(errorWords('not_enough', { largest: 11200 }).action).toBe('Pay less, or add money first.')
  })
})

test('nobody without words or folder is told that there is no way back', () => {
  for (const code of ['no_phrase', 'folder_damaged'] as const) {
    expect(errorWords(code).action).toContain('bring the coins back')
  }
  for (const code of errorCodes) expect(Object.values(errorWords(code)).join(' ')).not.toMatch(/cannot restore| yet\./)
  expect(errorWords('phrase_sealed').action).toContain('twelve words')
})

test('no words are jargon', () => {
  const all = [
    ...directions.flatMap((direction) => Object.values(paymentWords[direction])),
    ...paymentAlarms.map((alarm) => alarmWords[alarm]),
    ...Object.values(withdrawWords),
    ...Object.values(cashOutWords),
    ...Object.values(cashOutAlarmWords).flatMap((words) => Object.values(words)),
  ].flatMap(({ badge, sentence }) => [badge, sentence])
  const errors = errorCodes.flatMap((code) => Object.values(errorWords(code)))
  for (const words of [...all, ...errors]) {
    expect(words).not.toMatch(jargon)
    expect(words).not.toContain('!')
  }
})
