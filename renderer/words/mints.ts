// Words of Mints: the list, adding money, cashing out, what is known of a mint.

import { isolated } from '../../shared/foreign.ts'
import type { CashOutView, MintView, WithdrawView } from '../../shared/model.ts'
import { formatAmount, unitTitle } from '../../shared/units.ts'
import { countdown, dateAndTime } from '../time.ts'
import { payments } from './common.ts'

export const mintsWords = {
  title: 'Mints',
  list: 'Your mints',
  all: 'All mints',
  here: 'this computer',
  reachable: 'Reachable',
  asking: 'Asking…',
  out: (since: string) => `Out since ${since}`,
  alarm: 'Look at this',
  moreUnits: (count: number) => `and ${count} more`,
  add: 'Add a mint',
  trust: 'A mint holds the money behind your coins. Keep with each mint no more than you would hand to its owner.',
  notHere: { title: 'This mint is not on your list', body: 'It may have been removed.', action: 'All mints' },
  empty: {
    title: 'No mint yet',
    body: 'Coins come from a mint. Add one, and you can pay and be paid.',
  },
  tabs: 'What to do at this mint',
  tab: { 'add-money': 'Add money', 'cash-out': 'Cash out', about: 'About' },
  outNote: (since: string) =>
    `It has not been reached since ${since}. What needs the mint waits; your coins can still be used for payments.`,
  outNever: 'It has not answered yet. What needs the mint waits.',
  /** Where coins of it only move with the mint. */
  outOnlineOnly: (since: string) =>
    `It has not been reached since ${since}. Its coins cannot be used until it is back.`,
}

export const addMintWords = {
  title: 'Add a mint',
  body: 'Paste the address of a mint, as its owner shows it.',
  label: 'Address of the mint',
  example: 'mint.example',
  scan: 'Scan',
  scanTitle: 'Scan the code of the mint',
  scanOther: 'This code is no address of a mint.',
  add: 'Add this mint',
  asking: 'Asking the mint what it can do…',
  noAnswer: {
    title: 'No mint answers at this address.',
    body: 'Nothing was added, and no money has moved. Check the address and your connection, and try again.',
  },
  trust:
    'Farthing checks what a mint can do, not who runs it. Its owner can keep the money behind your coins. Add mints of people you know, or whom people you know rely on.',
  practice: {
    title: 'Practice mint',
    body: 'Runs on this computer. It gives you 100 coins to try everything with.',
    action: 'Add the practice mint',
  },
}

export const addMoneyWords = {
  title: 'How much do you want to add?',
  youAdd: 'You add',
  unit: 'Unit',
  go: (amount: string) => `Add ${amount}`,
  goEmpty: 'Add money',
  play: 'Play money: nobody pays for it.',
  playPays: 'Play money pays itself. It takes a moment; do not pay anything.',
  playInvoice: 'The invoice pays itself',
  needsMint: 'The mint has to be reached to add money. Farthing goes on asking.',
  open: 'Waiting for payment',
  begun: (time: string) => `Begun ${time}`,
  steps: 'How far it is',
  pay: 'Pay this Lightning invoice',
  payWith: 'With any Lightning wallet.',
  getting: 'The mint makes an invoice',
  invoiceOf: (amount: string) => `Lightning invoice for ${amount}`,
  sees: (mint: string) => `${isolated(mint)} sees your payment`,
  made: 'Your coins are made',
  leave: 'You can leave this screen. If the payment arrives later, the coins are made by themselves.',
  waiting: 'Waiting for your payment',
  copy: 'Copy invoice',
  other: 'Other amount',
  another: 'Add more',
  done: (amount: string) => `${amount} added`,
  doneBody: 'The coins are in your wallet.',
  home: 'Go to Home',
}

export const cashOutWords = {
  title: 'Which invoice should the mint pay?',
  body: 'Make a Lightning invoice in the wallet where you want the money, and paste it here.',
  label: 'Lightning invoice, with an amount',
  unit: 'Pay from',
  example: 'lnbc…',
  scan: 'Scan',
  scanTitle: 'Scan the Lightning invoice',
  scanOther: 'This code is no Lightning invoice.',
  ask: 'What does it cost?',
  canSpend: (amount: string) => `You have ${amount} at this mint.`,
  play: 'Play money: the mint pays nobody. Good for trying it out.',
  confirmTitle: 'Cash out?',
  arrives: 'The invoice asks for',
  network: 'Lightning fee, at most',
  mintFee: 'Fee of the mint',
  total: 'Leaves your wallet, at most',
  back: 'What is left of the Lightning fee comes back.',
  free: 'Nothing',
  go: (amount: string) => `Cash out ${amount}`,
  notNow: 'Not now',
  playDone: 'Play money: nobody was paid.',
  left: 'Left your wallet',
  cost: 'It cost',
  open: 'Under way',
  leave: 'You can leave this screen. It goes on by itself.',
  another: 'Another invoice',
  steps: 'How far it is',
  gather: 'Your coins are put together',
  pays: (mint: string) => `${isolated(mint)} pays the invoice`,
  done: 'The invoice is paid',
  notEnough: {
    title: 'There is not enough at this mint.',
    body: (payable: string) =>
      `Fees included you can cash out up to ${payable}. Nothing left your wallet. Make an invoice for that or less.`,
    nothing: 'The fees would take all of it. Nothing left your wallet.',
  },
  ended: { title: 'The offer has ended.', body: 'Nothing left your wallet. Ask again what it costs.' },
}

export const aboutWords = {
  address: 'Address',
  balance: 'You have here',
  onItsWay: 'On its way back',
  signedToUs: 'Signed to you',
  expired: 'Out of date',
  expiredWhy: 'The mint takes these coins no more. Farthing keeps them; ask its operator.',
  software: 'Software',
  unknown: 'It does not say',
  units: 'Units',
  fee: 'Fee',
  offline: 'Offline payments',
  offlineWorks: 'Tested, works',
  onlineOnly: 'Only while the mint can be reached',
  endsAt: 'Coins are good until',
  endsWhy: 'Farthing changes them for newer ones before, when the mint can be reached.',
  coins: 'Coins kept',
  last: 'Last reached',
  never: 'Never',
  waits: 'Waits for it',
  nothingWaits: 'Nothing',
  waiting: ({ in: toYou, out: byYou }: MintView['waiting']) =>
    [toYou > 0 ? `${payments(toYou)} to you` : '', byYou > 0 ? `${payments(byYou)} by you` : '']
      .filter((side) => side !== '')
      .join(', '),
  ask: 'Ask it now',
  copy: 'Copy address',
  remove: 'Remove this mint',
  removeWhen: 'A mint can be removed when you have no coins there and nothing is under way.',
  dialog: {
    title: (mint: string) => `Remove ${isolated(mint)}?`,
    body: 'It leaves your list. You can add it again at any time, and your payments stay under Activity.',
    keep: 'Keep it',
    remove: 'Remove it',
  },
  notEmpty: {
    title: 'This mint is still in use.',
    body: 'Coins of yours, a payment or an open invoice are there. Spend or cash out what you have, and wait until nothing is under way.',
  },
}

/** "harbour.example", and where the practice mint is nobody needs to know. */
export function addressWords({ url, isPractice }: Pick<MintView, 'url' | 'isPractice'>): string {
  return isPractice ? mintsWords.here : url.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

/** What moving coins of a mint costs. @param feePpk per coin, in thousandths of the unit */
export function feeWords(feePpk: number, unit: string): string {
  if (feePpk === 0) return noFee
  const least = formatAmount(Math.ceil(feePpk / 1000), unit)
  if (feePpk > 500) return `${least} for each coin in a payment, at most`
  return `${least} for every ${Math.floor(1000 / feePpk)} coins in a payment, at least ${least}`
}

/** Beside an amount to add: what it will cost to use it. */
export function laterFeeWords(feePpk: number, unit: string): string {
  return feePpk === 0
    ? noFee
    : `Each payment from it will cost at least ${formatAmount(Math.ceil(feePpk / 1000), unit)}, for the mint.`
}

const noFee = 'No fee from the mint'

/** "Euro", "Euro and Sat" */
export function unitsWords(units: readonly string[]): string {
  const names = units.map(unitTitle)
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** How long an offer to be paid stands. A payment that came in the last moment still counts. */
export function offerWords(until: number, now: number): string {
  if (until <= now) {
    return 'The offer has ended. If you have paid it in time the coins still come; if not, ask for a new one.'
  }
  const isFar = until - now > 24 * 3_600_000
  return `The offer ends ${isFar ? `on ${dateAndTime(until)}` : `in ${countdown(until, now)}`}.`
}

/** How long a price stands. */
export function priceWords(until: number, now: number): string {
  return until <= now ? cashOutWords.ended.title : `This price stands for ${countdown(until, now)}.`
}

/** Whether a withdraw still waits for something. */
export function isOpenWithdraw({ state }: WithdrawView): boolean {
  return state === 'quoting' || state === 'unpaid' || state === 'issuing'
}

export function isOpenCashOut({ state }: CashOutView): boolean {
  return state === 'quoted' || state === 'gathering' || state === 'paying' || state === 'returning'
}
