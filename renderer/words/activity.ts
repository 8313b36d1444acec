// Words of Activity: the list, and what happened to one payment.

import type { ErrorCode } from '../../shared/errors.ts'
import { isolated, plainText } from '../../shared/foreign.ts'
import type { PaymentDetailView, PaymentFilter, PaymentState, PaymentView } from '../../shared/model.ts'
import { formatAmount } from '../../shared/units.ts'
import { paymentWords } from '../../shared/words.ts'
import type { DaySum } from '../payment-list.ts'
import { payments, whoWords } from './common.ts'

export const activityWords = {
  title: 'Activity',
  payment: 'Payment',
  list: 'Payments',
  search: 'Search payments',
  searchExample: 'Name, note, amount',
  filter: 'Show',
  filters: {
    all: 'All',
    in: 'Received',
    out: 'You paid',
    waiting: 'Not final',
    bounced: 'Bounced',
  } satisfies Record<PaymentFilter, string>,
  loading: 'Getting your payments',
  loadingMore: (loaded: number, total: number) =>
    `${loaded.toLocaleString('en-GB')} of ${total.toLocaleString('en-GB')}`,
  found: (count: number) => (count === 0 ? 'Nothing found' : `${payments(count)} found`),
  export: 'Export',
  exporting: 'Exporting…',
  exported: (count: number) => `${payments(count)} saved as a table`,
  all: 'All payments',
  close: 'Close this payment',
  choose: 'Choose a payment to see what happened to it.',
  again: 'Try again',
  exportFailed: 'Export failed, try again',
  empty: {
    title: 'No payments yet',
    body: 'Everything you pay and everything you are paid is listed here, with how it stands.',
    action: 'Get paid',
  },
  nothing: {
    title: 'Nothing found',
    search: (text: string) => `No payment has “${text}” in its name, note or amount.`,
    filter: 'No payment is like that at the moment.',
    action: 'Show all payments',
  },
  what: 'What happened',
  receipt: 'Receipt',
  evidence: {
    title: 'What your wallet keeps as evidence',
    body: 'The payer’s signed statement that these coins were for you. Anyone can check that it was made with the payer’s key.',
    limits:
      'That the coins were then spent elsewhere is what the mint says: it convinces whoever trusts the mint, and is no proof by itself. If somebody else holds a statement about the same coins, the two together are proof.',
  },
  actions: {
    takeBack: ({ state, amount, unit }: PaymentView) =>
      state === 'bounced' ? 'Take back what is left' : `Take back ${formatAmount(amount, unit)}`,
    delivered: 'It was delivered',
    deliveredWhy:
      'No answer has come. If they have told you that it arrived, say so: Farthing then finishes the payment.',
    askAgain: 'Ask for it again',
    copyId: 'Copy payment id',
    save: 'Save receipt',
  },
  dialog: {
    title: 'Take this payment back?',
    body: ({ state, name, amount, unit }: PaymentView) => {
      const who = name === '' ? 'The other side' : isolated(name)
      const theirs = `If it becomes final first, the ${formatAmount(amount, unit)} stay theirs.`
      return state === 'bounced'
        ? `${who} may still have it, and the mint may have been wrong when it said that coins were spent. ${theirs}`
        : `${who} has not refused it. ${theirs}`
    },
    keep: 'Leave it as it is',
  },
  slip: {
    to: 'To',
    from: 'From',
    payer: 'A payer nearby or online',
    note: 'Note',
    when: 'Begun',
    amount: 'Amount',
    fee: 'Fee of the mint',
    mint: 'Mint',
    answer: { in: 'Your receipt to them', out: 'Their receipt' },
    receipt: { signed: 'Signed', final: 'Paid' },
    state: 'State',
    deadline: 'To be final by',
    words: 'Their four words',
    id: 'Payment id',
    total: { in: 'To you', out: 'In all' },
    given: { in: 'Nothing came to you', out: 'Nothing was spent' },
  },
  coins: (count: number) => (count === 1 ? '1 coin' : `${count} coins`),
}

/** "in €23.40, out €16.60" */
export function sumWords({ unit, in: came, out: went }: DaySum): string {
  const sides = [came > 0 ? `in ${formatAmount(came, unit)}` : '', went > 0 ? `out ${formatAmount(went, unit)}` : '']
  return sides.filter((side) => side !== '').join(', ')
}

export type Fact = { readonly title: string; readonly sentence: string }
type FactOf = (payment: PaymentDetailView) => Fact

/** One plain sentence for each step of a payment. Total. */
export const factWords: Record<PaymentView['direction'], Record<PaymentState, FactOf>> = {
  out: {
    preparing: () => ({ title: 'Asked', sentence: 'You asked to pay them.' }),
    awaited: () => ({ title: 'Waiting', sentence: 'The other side had not answered.' }),
    on_its_way: () => ({ title: 'On its way', sentence: 'You confirmed, and your coins were set aside for it.' }),
    signed: ({ coins, answeredInMs }) => ({
      title: 'Signed',
      sentence: sentences(
        coins === null ? 'Handed over.' : `Handed over with ${activityWords.coins(coins)}.`,
        answeredInMs === null ? '' : `They checked it and answered in ${seconds(answeredInMs)}.`,
      ),
    }),
    final: ({ answeredInMs, timeline }) => ({
      title: 'Paid',
      sentence: sentences(
        'The mint has confirmed it.',
        answeredInMs === null || timeline.some(({ state }) => state === 'signed')
          ? ''
          : `They answered in ${seconds(answeredInMs)}.`,
      ),
    }),
    bounced: () => ({ title: 'Bounced', sentence: 'The mint said that these coins had been spent in another way.' }),
    dead: () => ({ title: 'Needs a new signature', sentence: 'The mint could not finish it the way it was signed.' }),
    replaced: () => ({ title: 'Signed again', sentence: 'With the same coins: only one of the two can become final.' }),
    refused: () => ({ title: 'Refused', sentence: 'They did not take it.' }),
    taking_back: () => ({ title: 'Taking back', sentence: 'Your coins are on their way back to you.' }),
    taken_back: () => ({ title: 'Taken back', sentence: 'The mint confirmed that your coins are yours again.' }),
    abandoned: () => ({ title: 'Not sent', sentence: 'It ended before anything left your wallet.' }),
  },
  in: {
    preparing: () => ({ title: 'Announced', sentence: 'Somebody was about to pay you.' }),
    awaited: () => ({ title: 'Announced', sentence: 'Somebody was about to pay you.' }),
    on_its_way: () => ({ title: 'On its way', sentence: 'Coins came and were checked.' }),
    signed: ({ coins }) => ({
      title: 'Signed',
      sentence: sentences(
        'Handed over to you.',
        coins === null ? '' : `${activityWords.coins(coins)} checked, without the mint.`,
      ),
    }),
    final: ({ coins, timeline }) => ({
      title: 'Paid',
      sentence: sentences(
        'The mint has confirmed it.',
        coins === null || timeline.some(({ state }) => state === 'signed')
          ? ''
          : `${activityWords.coins(coins)} checked.`,
      ),
    }),
    bounced: () => ({
      title: 'Bounced',
      sentence: 'The mint said twice that these coins had been spent, and nothing came to you.',
    }),
    dead: () => ({ title: 'Needs a new signature', sentence: 'The mint could not finish it the way it was signed.' }),
    replaced: () => ({ title: 'Signed again', sentence: 'With the same coins: only one of the two can become final.' }),
    refused: () => ({ title: 'Refused', sentence: 'Farthing did not accept it.' }),
    taking_back: () => ({ title: 'Going back', sentence: 'The payer is taking the coins back.' }),
    taken_back: () => ({ title: 'Gone back', sentence: 'The payer has taken the coins back.' }),
    abandoned: () => ({ title: 'Not sent', sentence: 'No coins came.' }),
  },
}

/** What is still to come; null when nothing is. */
export function nextWords({ direction, state, settlesAt }: PaymentDetailView): Fact | null {
  if (state !== 'signed') return null
  if (direction === 'in') {
    return { title: 'Becomes final by itself', sentence: 'As soon as one of you reaches the mint.' }
  }
  return {
    title: 'Becomes final by itself',
    sentence:
      settlesAt === null
        ? 'As soon as one of you reaches the mint.'
        : 'At the latest then, if the mint can be reached; sooner if they ask the mint first.',
  }
}

type Known = Pick<PaymentView, 'direction' | 'state' | 'trouble' | 'mayBeDelivered' | 'reclaim'>

/** What is known of a payment, and what follows from it for the money. */
export function sentenceOf({ direction, state, trouble, mayBeDelivered, reclaim }: Known): string {
  const late: ErrorCode = 'terms_expired'
  const isLate = direction === 'out' && state === 'on_its_way' && trouble === late && !mayBeDelivered
  const isStuck = direction === 'out' && reclaim === 'no'
  if (isLate) return isStuck ? `${lateSentence} ${nothingBack}` : `${lateSentence} ${takeItBack}`
  if (isStuck && state === 'refused') return `They did not take it. ${nothingBack}`
  if (isStuck && state === 'dead') return `${deadSentence} ${nothingBack}`
  return state === 'bounced' && reclaim !== 'no' ? leftSentence : paymentWords[direction][state].sentence
}

const leftSentence =
  'The mint said that coins of it had been spent in another way, so the payment did not hold. The other side did not get it. What is left is yours: you can take it back.'

const lateSentence = 'It could not be sent before their offer ended, and Farthing does not send it by itself any more.'
const takeItBack = 'Take it back, and pay again if they still expect it.'

const deadSentence = 'The mint cannot finish it the way it was signed.'
/** Its coins are out of date, not worth the fee or another payment's; or the mint has to be reached first. */
const nothingBack = 'At the moment nothing of it can be taken back.'

/** Why Farthing refused a payment to us, where it is worth saying. */
export const refusalWords: Readonly<Partial<Record<ErrorCode, string>>> = {
  limit_single: 'It was more than your limit for one payment while the mint is out of reach.',
  limit_total: 'Together with others it was more than your limit while the mint is out of reach.',
  limit_rate: 'More payments came in an hour than your limit allows while the mint is out of reach.',
  coin_seen: 'The same coins had been shown to you before.',
  bad_dleq: 'A coin was not made by the mint it names.',
  missing_dleq: 'A coin came without proof of where it is from.',
  keyset_unknown: 'The coins were of a kind that Farthing had not heard of yet.',
  keyset_expired: 'The coins were about to go out of date.',
  online_only: 'Payments with coins of this mint need the mint.',
  request_closed: 'The request it named had ended.',
}

/** A receipt as a text file. What others wrote stays on its line: it cannot add one of its own. */
export function receiptText(
  payment: PaymentDetailView,
  rows: readonly { readonly label: string; readonly value: string }[],
): string {
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2
  const lines = rows.map(({ label, value }) => `${`${label}:`.padEnd(width)} ${plainText(value)}`)
  return ['Farthing', `${activityWords.receipt}: ${plainText(whoWords(payment))}`, '', ...lines, ''].join('\n')
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}

function seconds(ms: number): string {
  return ms < 1000 ? 'less than a second' : `${(ms / 1000).toFixed(1)} seconds`
}
