// What states and errors are called, in one place: for screens, menus and notifications. Total: a state or a code without
// words does not compile. Nothing that is not final says that it is paid (protocol section 5).

import type { ErrorCode, ErrorFacts } from './errors.ts'
import { isolated, plainText } from './foreign.ts'
import type { CashOutAlarm, CashOutView, PaymentAlarm, PaymentState, PaymentView, WithdrawView } from './model.ts'
import { formatAmount } from './units.ts'

export type StateWords = {
  /** One to four words, for a badge. */
  readonly badge: string
  /** What is known, and what follows from it for the money. */
  readonly sentence: string
}

export const paymentWords = {
  out: {
    preparing: { badge: 'Not sent yet', sentence: 'Nothing has left your wallet.' },
    on_its_way: {
      badge: 'On its way',
      sentence: 'Your coins are set aside for it. Farthing keeps trying until there is an answer.',
    },
    awaited: { badge: 'Waiting', sentence: 'The other side has not answered yet.' },
    signed: {
      badge: 'Signed',
      sentence: 'Signed – final when one of you is online. Nothing to do; Farthing finishes it by itself.',
    },
    final: { badge: 'Paid', sentence: 'Final. The mint has confirmed it.' },
    bounced: {
      badge: 'Bounced',
      sentence:
        'These coins had been spent in another way, so the payment did not hold. The other side did not get it.',
    },
    dead: {
      badge: 'Needs a new signature',
      sentence:
        'The mint cannot finish it the way it was signed. Farthing tries to sign it again; you can also take it back.',
    },
    replaced: {
      badge: 'Replaced',
      sentence: 'Another signature with the same coins stands in its place. Only one of them can become final.',
    },
    refused: {
      badge: 'Refused',
      sentence: 'They did not take it. You can take your coins back; until you have them it can still become final.',
    },
    taking_back: {
      badge: 'Coming back',
      sentence: 'Your coins are on their way back. You can spend them when the mint has confirmed it.',
    },
    taken_back: { badge: 'Taken back', sentence: 'Your coins are back in your wallet.' },
    abandoned: { badge: 'Not sent', sentence: 'Nothing left your wallet.' },
  },
  in: {
    preparing: { badge: 'Waiting', sentence: 'Somebody is about to pay you. No coins have come yet.' },
    on_its_way: { badge: 'On its way', sentence: 'Coins have come and are being checked.' },
    awaited: { badge: 'Waiting', sentence: 'Somebody is about to pay you. No coins have come yet.' },
    signed: {
      badge: 'Signed',
      sentence: 'Signed to you – final when one of you is online. Until then it can still bounce.',
    },
    final: { badge: 'Paid', sentence: 'Final. The money is yours.' },
    bounced: {
      badge: 'Bounced',
      sentence:
        'The mint says that these coins were spent in another way. You did not get this money, and your balance never counted it.',
    },
    dead: {
      badge: 'Needs a new signature',
      sentence:
        'The mint cannot finish it the way it was signed. The payer’s Farthing tries to sign it again when it reaches you.',
    },
    replaced: {
      badge: 'Replaced',
      sentence: 'Another signature with the same coins stands in its place. Only one of them can become final.',
    },
    refused: { badge: 'Refused', sentence: 'Farthing did not accept this payment. You got nothing and owe nothing.' },
    taking_back: { badge: 'Going back', sentence: 'The payer is taking these coins back.' },
    taken_back: { badge: 'Gone back', sentence: 'The payer has taken these coins back.' },
    abandoned: { badge: 'Not sent', sentence: 'The payment was announced, but no coins came.' },
  },
} as const satisfies Record<PaymentView['direction'], Record<PaymentState, StateWords>>

export const alarmWords = {
  blocked_at_mint: {
    badge: 'Held up at the mint',
    sentence:
      'The mint has been working on these coins for more than ten minutes. Nothing is lost; Farthing keeps asking.',
  },
  refused_by_mint: {
    badge: 'The mint refuses it',
    sentence: 'The mint has refused this for a day and gives no valid reason. Ask its operator; Farthing keeps trying.',
  },
  keyset_expired: {
    badge: 'Coins out of date',
    sentence: 'The mint has retired the kind of coins in this payment before it became final. Ask its operator.',
  },
} as const satisfies Record<PaymentAlarm, StateWords>

export const withdrawWords = {
  quoting: { badge: 'Asking the mint', sentence: 'The mint is preparing an invoice.' },
  unpaid: {
    badge: 'Waiting for your payment',
    sentence: 'Pay the invoice. The coins are made when the mint sees the money.',
  },
  issuing: { badge: 'Making your coins', sentence: 'The mint has your payment and is making your coins.' },
  done: { badge: 'Added', sentence: 'The coins are in your wallet.' },
  failed: {
    badge: 'Not added',
    sentence:
      'No coins came from this yet. Your wallet asks again, ever more rarely. If you did pay the invoice, keep its proof and ask the operator of the mint.',
  },
} as const satisfies Record<WithdrawView['state'], StateWords>

export const cashOutWords = {
  quoting: {
    badge: 'Asking the mint',
    sentence: 'The mint is working out what this costs. Nothing has left your wallet.',
  },
  quoted: { badge: 'Not sent yet', sentence: 'The mint has named the cost. Nothing has left your wallet.' },
  gathering: { badge: 'Getting coins ready', sentence: 'Your coins are being put together for the mint.' },
  paying: {
    badge: 'On its way',
    sentence: 'The mint is paying the invoice. This can take a while; it goes on by itself.',
  },
  done: { badge: 'Cashed out', sentence: 'The mint has paid the invoice.' },
  returning: { badge: 'Coming back', sentence: 'The invoice could not be paid. Your coins are on their way back.' },
  failed: { badge: 'Not cashed out', sentence: 'The invoice was not paid. Your coins are in your wallet.' },
  abandoned: { badge: 'Not sent', sentence: 'Nothing left your wallet.' },
} as const satisfies Record<CashOutView['state'], StateWords>

const tookCoins: StateWords = {
  badge: 'The mint took the coins',
  sentence:
    'The mint took your coins and does not say that the invoice is paid. Ask whoever made the invoice; if nothing came, ask the operator of the mint.',
}
const paidElsewhere = 'The mint says that the invoice was paid, but not with your coins.'
const goneCoins = 'The mint says that some of the coins were spent in another way. These are gone;'

/** In place of the words of a state, where it went otherwise than a cash out goes: while coins come back, and at its end. */
export const cashOutAlarmWords = {
  unproven: { back: tookCoins, end: tookCoins },
  paid_elsewhere: {
    back: { badge: 'Coming back', sentence: `${paidElsewhere} They are on their way back.` },
    end: { badge: 'Not cashed out', sentence: `${paidElsewhere} They are in your wallet.` },
  },
  coins_gone: {
    back: { badge: 'Coming back', sentence: `${goneCoins} the others are on their way back.` },
    end: { badge: 'Not cashed out', sentence: `${goneCoins} what was left of them is in your wallet.` },
  },
} as const satisfies Record<CashOutAlarm, Record<'back' | 'end', StateWords>>

/** What a cash out is called now. */
export function wordsOfCashOut({ state, alarm }: Pick<CashOutView, 'state' | 'alarm'>): StateWords {
  if (alarm === null) return cashOutWords[state]
  return cashOutAlarmWords[alarm][state === 'returning' ? 'back' : 'end']
}

export type Notice = { readonly title: string; readonly body: string }

/**
 * What a notification says about a payment that has just reached its state. What others wrote comes last, on the same
 * line: it can neither push what is known out of sight nor turn it around.
 */
export function paymentNotice(payment: PaymentView, options: { readonly isPlayMoney?: boolean } = {}): Notice {
  const { direction, state, name, memo } = payment
  const amount = formatAmount(payment.amount, payment.unit)
  const { badge, sentence } = paymentWords[direction][state]
  const title = noticeTitles[direction](amount, badge, name)
  return {
    title: options.isPlayMoney ? `${title} (play money)` : title,
    body: plainText(memo ?? '') === '' ? sentence : `${sentence} “${isolated(memo ?? '')}”`,
  }
}

const noticeTitles: Record<PaymentView['direction'], (amount: string, badge: string, name: string) => string> = {
  in: (amount, badge) => `${badge}: ${amount} to you`,
  out: (amount, badge, name) => `${badge}: ${amount}${plainText(name) === '' ? '' : ` to ${isolated(name)}`}`,
}

export type ErrorWords = {
  /** What happened. */
  readonly title: string
  /** What it means for the money. */
  readonly body: string
  /** What to do. */
  readonly action: string
}

/**
 * Words for an error. `format` writes an amount in the unit of the screen it happened on; facts that are no amounts, or
 * have no unit, are left out.
 */
export function errorWords(code: ErrorCode, facts: ErrorFacts = {}, format?: (amount: number) => string): ErrorWords {
  const words = errors[code]
  return typeof words === 'function' ? words(factReader(facts, format)) : words
}

/** A fact as text, or null when it is unknown. */
type Fact = (name: string) => string | null

const factReader =
  (facts: ErrorFacts, format: ((amount: number) => string) | undefined): Fact =>
  (name) => {
    const value = facts[name]
    return value === undefined || format === undefined ? null : format(value)
  }

const nothingLeft = 'Nothing left your wallet.'
const nothingMoved = 'No money has moved.'
const lookInActivity = 'If a payment was already on its way, Activity shows how it stands.'
const tryAgain = 'Try again.'
const tryLater = 'Try again in a moment.'
const askForNew = 'Ask for a new request and pay that.'
const updateBoth = 'If it happens again, both of you should update Farthing.'
const restoreElsewhere =
  'The twelve words from the paper, or a backup file, bring the coins back in a fresh Farthing with a data folder of its own.'
const otherMint = 'Do not add more money there. Tell the operator of the mint, with the details below.'

const errors: Record<ErrorCode, ErrorWords | ((fact: Fact) => ErrorWords)> = {
  bad_input: {
    title: 'That could not be read',
    body: nothingMoved,
    action: 'Check what was typed or pasted, and try again.',
  },
  unknown_command: {
    title: 'This window and Farthing are of different versions',
    body: nothingMoved,
    action: 'Close Farthing and start it again.',
  },
  not_found: {
    title: 'That is not here any more',
    body: 'Your money is as it was.',
    action: 'Go back and look again.',
  },
  wrong_state: {
    title: 'It is too late for that',
    body: 'Things have moved on in the meantime; what you see now is how they stand.',
    action: 'Look at it again before you decide.',
  },
  amount_out_of_range: {
    title: 'The mint has no coins for this amount',
    body: nothingLeft,
    action: 'Choose another amount.',
  },
  not_enough: (fact) => {
    const largest = fact('largest')
    const total = fact('total')
    return {
      title: 'There is not enough to spend',
      body: total === null ? nothingLeft : `With fees this takes ${total}. ${nothingLeft}`,
      action: largest === null ? 'Pay less, or add money first.' : `Pay up to ${largest}, or add money first.`,
    }
  },
  no_single_purse: (fact) => {
    const largest = fact('largest')
    return {
      title: 'Your coins have to be put together first',
      body: `They do not fit into one payment as they are. ${nothingLeft}`,
      action:
        largest === null
          ? 'Pay less now, or try again when the mint can be reached.'
          : `Pay up to ${largest} now, or try again when the mint can be reached.`,
    }
  },
  dust: { title: 'The fee would take all of it', body: nothingLeft, action: 'Choose a larger amount.' },

  mint_unknown: {
    title: 'You have no money at a mint they accept',
    body: nothingLeft,
    action: 'Add one of their mints, or ask to be paid another way.',
  },
  mint_exists: { title: 'This mint is already on your list', body: nothingMoved, action: 'Open it under Mints.' },
  mint_unreachable: {
    title: 'The mint does not answer',
    body: 'Your coins are safe; nothing is lost while it is away.',
    action: 'Check your connection, or try again later.',
  },
  mint_bad_answer: {
    title: 'The mint gave an answer that makes no sense',
    body: 'Farthing took nothing from it. Your coins are as they were.',
    action: 'Try again later. If it goes on, tell the operator of the mint.',
  },
  mint_refused: {
    title: 'The mint said no',
    body: 'Your coins are as they were, or come back by themselves.',
    action: 'Try again later, or ask the operator of the mint.',
  },
  mint_unsuitable: {
    title: 'This mint cannot do what Farthing needs',
    body: nothingMoved,
    action: 'Choose another mint, or ask its operator for a newer version.',
  },
  mint_lies: {
    title: 'This mint contradicts itself',
    body: 'It does not stand by what it said before. Farthing does not rely on it any more.',
    action: otherMint,
  },
  keyset_unknown: {
    title: 'These coins are new to Farthing',
    body: nothingLeft,
    action: 'Go online once so that Farthing can ask the mint about them, then try again.',
  },
  keyset_expired: {
    title: 'These coins are about to go out of date',
    body: 'They cannot be used for a payment now.',
    action: 'Go online so that Farthing can change them at the mint.',
  },
  keyset_twin: {
    title: 'The mint uses one name for two kinds of coins',
    body: 'Farthing does not rely on either. Your other coins are as they were.',
    action: otherMint,
  },
  unit_unknown: {
    title: 'The mint does not have this kind of money',
    body: nothingMoved,
    action: 'Choose another unit or another mint.',
  },
  bad_dleq: {
    title: 'A coin was not made by the mint it names',
    body: 'It was not accepted, and your balance does not count it.',
    action: 'Do not hand anything over for it.',
  },

  peer_unreachable: {
    title: 'The other side is out of reach',
    body: lookInActivity,
    action: 'Check that both of you are on the same network or online, and try again.',
  },
  peer_timeout: {
    title: 'The other side did not answer in time',
    body: lookInActivity,
    action: tryLater,
  },
  bad_frame: {
    title: 'The other side sent something unreadable',
    body: lookInActivity,
    action: `${tryAgain} ${updateBoth}`,
  },
  frame_too_large: {
    title: 'The payment has too many coins for one message',
    body: lookInActivity,
    action: 'Pay a smaller amount, or try again when the mint can be reached.',
  },
  bad_terms: {
    title: 'The other side answered with something else than was asked',
    body: nothingLeft,
    action: `${tryAgain} ${updateBoth}`,
  },
  relayed_terms: {
    title: 'Somebody stood between you and them',
    body: nothingLeft,
    action: 'Ask for a new request directly from their screen.',
  },
  terms_expired: { title: 'Their offer has ended', body: nothingLeft, action: tryAgain },
  wrong_payee: {
    title: 'Somebody else answered',
    body: `The request names another key than the one that answered. ${nothingLeft}`,
    action: 'Do not go on. Compare the four words with their screen.',
  },
  conflict: {
    title: 'Another payment for this is still open',
    body: lookInActivity,
    action: 'Wait until it has ended.',
  },
  request_closed: { title: 'This request has ended', body: nothingLeft, action: askForNew },
  too_many_terms: {
    title: 'Too many payments were started and not finished',
    body: nothingLeft,
    action: 'Wait a little, then try again.',
  },
  limit_single: (fact) => limited('It is more than they accept in one payment while the mint is out of reach', fact),
  limit_total: (fact) =>
    limited('Together with others it is more than they accept while the mint is out of reach', fact),
  limit_rate: {
    title: 'They have taken enough payments for now',
    body: `While the mint is out of reach they accept only a few an hour. ${nothingLeft}`,
    action: 'Try again later, or when one of you is online.',
  },
  online_only: {
    title: 'This mint is only good for payments online',
    body: nothingLeft,
    action: 'Pay when you can reach the mint, or with coins of another mint.',
  },
  bad_handover: {
    title: 'The coins did not fit what was agreed',
    body: lookInActivity,
    action: `${tryAgain} ${updateBoth}`,
  },
  coin_seen: {
    title: 'These coins were shown to somebody before',
    body: 'They were not accepted.',
    action: 'Pay when one of you is online; the mint decides then.',
  },
  wrong_fee: {
    title: 'The fee of the mint has changed',
    body: nothingLeft,
    action: 'Look at the new amount and confirm again.',
  },
  bad_signature: { title: 'A signature is not right', body: lookInActivity, action: `${tryAgain} ${updateBoth}` },
  missing_dleq: {
    title: 'A coin came without proof of where it is from',
    body: 'It was not accepted.',
    action: 'Pay when one of you is online.',
  },
  not_settled: {
    title: 'It is not final yet',
    body: 'The mint has not confirmed it. Nothing is lost; Farthing keeps asking.',
    action: 'Wait until it is final.',
  },

  folder_in_use: {
    title: 'Farthing is already open',
    body: 'Your money is as it was.',
    action: 'Use the window that is open, or close it first.',
  },
  folder_damaged: {
    title: 'The files of this wallet cannot be read',
    body: 'Farthing has stopped so that nothing is made worse.',
    action: `Keep the folder as it is. ${restoreElsewhere}`,
  },
  folder_too_new: {
    title: 'This wallet was used by a newer Farthing',
    body: 'Your money is as it was.',
    action: 'Update Farthing on this computer.',
  },
  disk_full: {
    title: 'The disk of this computer is full',
    body: `Farthing stores every step before it takes it, so it did not go on. Nothing is lost. ${lookInActivity}`,
    action: 'Make room on the disk. What was interrupted goes on by itself.',
  },
  disk_unwritable: {
    title: 'Farthing cannot write to its folder',
    body: `It stores every step before it takes it, so it did not go on. Nothing is lost. ${lookInActivity}`,
    action: 'Make sure that the disk is not write-protected and that the folder is yours, then try again.',
  },
  no_phrase: {
    title: 'The twelve words of this wallet cannot be read here',
    body: 'Without them Farthing cannot use the coins.',
    action: `Put the file with them back, if you have a copy of it. ${restoreElsewhere}`,
  },
  bad_phrase: {
    title: 'These are not the words of this wallet',
    body: 'Nothing was changed.',
    action: 'Check their order and spelling.',
  },
  phrase_sealed: {
    title: 'The keychain of this computer does not open your words',
    body: 'Your money is as it was.',
    action:
      'Unlock the keychain, or log in as the person who set Farthing up, and try again. The twelve words from the paper open the wallet, too.',
  },
  locked: {
    title: 'Farthing is locked',
    body: 'Your money is as it was.',
    action: 'Unlock it with your passphrase, or with the twelve words from the paper.',
  },
  wrong_passphrase: {
    title: 'That is not the passphrase',
    body: 'Nothing was opened or changed.',
    action: 'Look at capital letters and the keyboard’s language, and try again.',
  },
  too_many_tries: {
    title: 'Too many wrong tries',
    body: 'Farthing waits a while before it takes another one. Your money is as it was.',
    action: 'Wait for the time that is shown, then try again.',
  },
  weak_passphrase: {
    title: 'This passphrase is too easy to guess',
    body: 'Nothing was changed.',
    action: 'Use at least ten characters; a few unrelated words are good.',
  },
  bad_backup: {
    title: 'This is not a readable backup file',
    body: 'It is damaged, incomplete or no backup of Farthing. Nothing was changed.',
    action: 'Try another copy of it.',
  },
  foreign_backup: {
    title: 'This backup belongs to another wallet',
    body: 'It was made with other twelve words. Nothing was changed.',
    action: 'Use the words it was made with, in a fresh Farthing.',
  },
  backup_too_new: {
    title: 'This backup was made by a newer Farthing',
    body: 'This version cannot read it. Nothing was changed.',
    action: 'Install the newest version, then try again.',
  },
  backup_folder: {
    title: 'Farthing cannot use that folder',
    body: 'It is not there, may not be written to, or does not answer. No copy was made. Your money is as it was.',
    action: 'Connect the disk it is on, or pick another folder.',
  },
  not_empty: {
    title: 'This wallet is in use already',
    body: 'Restoring would put another wallet in its place. Nothing was changed.',
    action: 'Restore in a fresh Farthing, with a data folder of its own.',
  },
  practice_failed: {
    title: 'The practice mint did not start',
    body: 'It is play money; nothing of yours is affected.',
    action: tryLater,
  },
  internal: {
    title: 'Something went wrong in Farthing',
    body: lookInActivity,
    action: `${tryAgain} If it happens again, report it with the details below.`,
  },
}

function limited(why: string, fact: Fact): ErrorWords {
  const limit = fact('limit')
  return {
    title: 'They do not take this payment now',
    body: `${why}. ${nothingLeft}`,
    action:
      limit === null
        ? 'Pay less, or pay when one of you is online.'
        : `Pay up to ${limit} now, or all of it when one of you is online.`,
  }
}
