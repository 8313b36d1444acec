// What a person has decided so far on the way to a payment, and what the host said to it. It lasts as long as the Pay
// screen is open; the payment itself is the host's.

import { create } from 'zustand'
import { AppError, toAppError } from '../../../shared/errors.ts'
import { isolated, plainText } from '../../../shared/foreign.ts'
import type { FingerprintView, NearbyView, PayPreviewView, ReadRequestView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { amountEntry, entryAmount } from '../../amount.ts'
import { call } from '../../client.ts'
import { type Href, to } from '../../route.ts'
import {
  announce,
  go,
  goInstead,
  keepPayments,
  keepWhileOpen,
  paymentsNow,
  slicesNow,
  untilPayment,
  type Visit,
} from '../../store.ts'
import { payWords } from '../../words/pay.ts'
import { affordable, bestMint, meansAt } from './means.ts'
import { fittingNote } from './note.ts'
import { type OtherText, readPasted } from './pasted.ts'

export type Payee =
  | {
      readonly kind: 'request'
      readonly request: ReadRequestView
      /** As the card of somebody nearby says; a request alone has no name. */
      readonly name: string
      /** Found on the network: nobody vouches for the key. */
      readonly isNearby: boolean
    }
  | { readonly kind: 'nearby'; readonly peerId: string; readonly name: string; readonly payee: FingerprintView }

/** What the host was asked, and what it said. */
export type Asking =
  | { readonly state: 'none' }
  | { readonly state: 'asking' }
  /** `at`: when it was shown, milliseconds of this window. */
  | { readonly state: 'ready'; readonly preview: PayPreviewView; readonly at: number }
  | { readonly state: 'confirming'; readonly preview: PayPreviewView }
  /** `openId`: a payment that was confirmed, and nobody knows now whether it went out. It is ended before another is begun. */
  | { readonly state: 'failed'; readonly error: AppError; readonly openId: string | null }

export type PayFlow = {
  /** What is in the field of the first step. */
  readonly search: string
  /** The request that is being read. */
  readonly reading: string | null
  /** Why a text is nobody to pay. */
  readonly trouble: AppError | OtherText | null
  readonly payee: Payee | null
  /** The text whose request the payee is of. */
  readonly source: string | null
  readonly entry: string
  readonly note: string
  /** Chosen by the person, or the best; null when there is none. */
  readonly mintUrl: string | null
  /** Of somebody nearby who asks for nothing; a request names its own. */
  readonly unit: string
  readonly asking: Asking
  readonly lookError: AppError | null
}

const empty: PayFlow = {
  search: '',
  reading: null,
  trouble: null,
  payee: null,
  source: null,
  entry: '',
  note: '',
  mintUrl: null,
  unit: '',
  asking: { state: 'none' },
  lookError: null,
}

export const usePayFlow = create<PayFlow>()(() => empty)
const { getState, setState } = usePayFlow
keepWhileOpen(usePayFlow)

/** A second press of Enter on the step before is no answer to what was not seen yet. Milliseconds. */
const unseenMs = 600

// ---- where the person is

export const payVisit: Visit = {
  arrive: ([step, detail]) => {
    look(step !== 'result')
    if (step !== 'confirm') void giveUp()
    if (step === undefined) setState({ ...empty, search: getState().search, trouble: getState().trouble })
    else if (step === 'scan') setState({ trouble: null })
    else if (step === 'request' && detail !== undefined) void openRequest(detail)
    else if (step === 'nearby') stayOnlyWith((payee) => payee.kind === 'nearby' && payee.peerId === detail)
    else if (step === 'confirm') stayOnlyWith(() => true) && void prepare()
    else if (step === 'result' && detail !== undefined) {
      setState(empty)
      void find(detail)
    }
  },
  leave: () => {
    look(false)
    void giveUp()
    setState(empty)
  },
}

/** A page that was loaded again knows nobody any more: back to the first step. */
function stayOnlyWith(isRight: (payee: Payee) => boolean): boolean {
  const { payee } = getState()
  if (payee && isRight(payee)) return true
  goInstead(to.pay())
  return false
}

function look(on: boolean): void {
  call('nearby.look', { on }).then(
    () => setState({ lookError: null }),
    (thrown: unknown) => setState({ lookError: toAppError(thrown) }),
  )
}

async function find(id: string): Promise<void> {
  if (paymentsNow().has(id)) return
  try {
    keepPayments([await call('payments.get', { id })])
  } catch (thrown) {
    setState({ trouble: toAppError(thrown) })
  }
}

// ---- who

export function search(text: string): void {
  setState({ search: text, trouble: null })
  const pasted = readPasted(text)
  if (pasted.kind !== 'name') void take(text)
}

/** A text that was pasted, scanned or typed: go on with it when it is somebody to pay, say what it is when not. */
export async function take(text: string): Promise<void> {
  const pasted = readPasted(text)
  if (pasted.kind === 'name') return setState({ search: text, trouble: null })
  if (pasted.kind !== 'request') return setState({ trouble: { kind: pasted.kind, text: pasted.text } })
  const isRead = await read(pasted.text)
  if (isRead) goOn()
}

/** A code from the camera is never a name. */
export function takeScanned(text: string): void {
  if (readPasted(text).kind === 'name') setState({ trouble: { kind: 'text', text } })
  else void take(text)
}

/** Somebody on the list. Whoever asks for an amount is paid that; else the next question is how much. */
export function choose(
  { peerId, card }: NearbyView,
  money: { readonly unit: string; readonly mintUrls: readonly string[] },
): void {
  if (!card) return
  if (card.asks) {
    choosePayee({ kind: 'request', request: card.asks, name: card.name, isNearby: true }, card.asks.text)
    goOn()
    return
  }
  const [mintUrl = null] = money.mintUrls
  setState({
    payee: { kind: 'nearby', peerId, name: card.name, payee: card.payee },
    source: null,
    unit: money.unit,
    mintUrl,
  })
  go(to.pay('nearby', peerId))
}

/** By a link: what it asks is shown, and nobody is asked anything before the person goes on. */
async function openRequest(text: string): Promise<void> {
  const pasted = readPasted(text)
  if (getState().source === pasted.text) return
  if (pasted.kind !== 'request' && pasted.kind !== 'name') {
    setState({ ...empty, trouble: { kind: pasted.kind, text: pasted.text } })
  } else await read(pasted.text)
}

/** Only the newest text counts. */
async function read(text: string): Promise<boolean> {
  setState({ reading: text, trouble: null, payee: null, source: null })
  try {
    const request = await call('request.read', { text })
    if (getState().reading !== text) return false
    setState({ reading: null })
    choosePayee({ kind: 'request', request, name: '', isNearby: false }, text)
    return true
  } catch (thrown) {
    if (getState().reading === text) setState({ reading: null, trouble: toAppError(thrown) })
    return false
  }
}

function choosePayee(payee: Extract<Payee, { kind: 'request' }>, source: string): void {
  const { mintUrls, unit, amount } = payee.request
  const mintUrl = bestMint(mintUrls, slicesNow().mints, unit, amount)
  const entry = amount === null ? '' : amountEntry(amount, unit)
  setState({ payee, source, unit, mintUrl, entry, note: '', search: '' })
}

/** With an amount, a mint and the means there is nothing left to ask. */
function goOn(): void {
  const { payee, mintUrl, source } = getState()
  if (payee?.kind !== 'request' || source === null) return
  const { amount, unit } = payee.request
  const mint = slicesNow().mints.find(({ url }) => url === mintUrl)
  const isClear =
    amount !== null && mint !== undefined && ['yes', 'with-mint'].includes(affordable(amount, meansAt(mint, unit)).kind)
  go(isClear ? to.pay('confirm') : stepOf({ payee, source }))
}

// ---- how much

export const type = (entry: string): void => setState({ entry })
export const writeNote = (note: string): void => setState({ note })
export const payFrom = (mintUrl: string): void => setState({ mintUrl })
export const payIn = (unit: string, mintUrl: string): void =>
  setState(getState().unit === unit ? { mintUrl } : { unit, mintUrl, entry: '' })

/** Where the amount and the note of this payee are. */
export function stepOf({ payee, source }: Pick<PayFlow, 'payee' | 'source'>): Href {
  if (payee?.kind === 'nearby') return to.pay('nearby', payee.peerId)
  return source === null ? to.pay() : to.pay('request', source)
}

/** In the unit's smallest part; 0 for nothing. */
export function amountOf({ payee, entry, unit }: Pick<PayFlow, 'payee' | 'entry' | 'unit'>): number {
  const asked = payee?.kind === 'request' ? payee.request.amount : null
  return asked ?? entryAmount(entry, unit) ?? 0
}

// ---- the two steps of spending

/** Counts attempts: an answer to an older one is given up at once. */
let attempts = 0

/** Confirmed, left alone, and still not known to have ended: looked at before anything else is paid. */
let unsure: string | null = null

/** Ask the payee, and show what will happen. What was agreed before is ended first, for certain. */
export async function prepare(): Promise<void> {
  attempts += 1
  const mine = attempts
  let before = openId() ?? unsure
  setState({ asking: { state: 'asking' } })
  try {
    const isOut = before !== null && !(await isEnded(before))
    unsure = null
    if (before !== null && isOut) return goInstead(to.pay('result', before))
    before = null
    const preview = await askPayee()
    if (mine !== attempts) return void call('pay.abandon', { id: preview.id }).catch(ignoreLate)
    setState({ asking: { state: 'ready', preview, at: performance.now() } })
    const { amount, total, unit, payeeName } = preview
    const name = isolated(plainText(payeeName) || payWords.somebody)
    announce(payWords.confirm.ready(formatAmount(amount, unit), name, formatAmount(total, unit)))
  } catch (thrown) {
    if (mine === attempts) setState({ asking: { state: 'failed', error: toAppError(thrown), openId: before } })
  }
}

function askPayee(): Promise<PayPreviewView> {
  const flow = getState()
  const { payee, mintUrl, unit } = flow
  const amount = amountOf(flow)
  if (!payee || mintUrl === null) throw new AppError('mint_unknown', 'no mint to pay with')
  const memo = memoOf(flow)
  const note = memo === '' ? {} : { memo }
  if (payee.kind === 'nearby')
    return call('pay.prepareNearby', { peerId: payee.peerId, mintUrl, unit, amount, ...note })
  return call('pay.prepare', {
    request: payee.request.text,
    mintUrl,
    ...(payee.request.amount === null ? { amount } : {}),
    ...note,
  })
}

/** What it is for, as both see it later: the person's own words, or else those of the request. */
function memoOf({ note, payee }: Pick<PayFlow, 'note' | 'payee'>): string {
  const own = note.trim()
  if (own !== '') return own
  return payee?.kind === 'request' ? fittingNote((payee.request.description ?? '').trim()) : ''
}

/** The person said yes. Only an id crosses, once; from here on the payment shows how it stands. */
export async function confirm(): Promise<void> {
  const { asking } = getState()
  if (asking.state !== 'ready' || performance.now() - asking.at < unseenMs) return
  const { preview } = asking
  setState({ asking: { state: 'confirming', preview } })
  const over = new AbortController()
  try {
    // The answer may take as long as the payee does; that the payment has left is known before.
    const hasLeft = untilPayment(preview.id, ({ state }) => state !== 'preparing' && state !== 'abandoned', over.signal)
    const answer = call('pay.confirm', { id: preview.id }).then((payment) => keepPayments([payment]))
    await Promise.race([answer, hasLeft])
    answer.catch(ignoreLate) // its payment is on the screen by now
    showResult(preview.id)
  } catch (thrown) {
    const hasLeft = await hasGoneOut(preview.id)
    if (hasLeft === true) return showResult(preview.id)
    const { asking: now } = getState()
    if (now.state !== 'confirming' || now.preview.id !== preview.id) return
    // Agreed and not sent: prepared again, it is another payment, so this one is given up.
    if (hasLeft === false) call('pay.abandon', { id: preview.id }).catch(ignoreLate)
    setState({ asking: { state: 'failed', error: toAppError(thrown), openId: hasLeft === null ? preview.id : null } })
  } finally {
    over.abort()
  }
}

/** Null when nobody answers. */
async function hasGoneOut(id: string): Promise<boolean | null> {
  try {
    const payment = await call('payments.get', { id })
    keepPayments([payment])
    return payment.state !== 'preparing' && payment.state !== 'abandoned'
  } catch {
    return null
  }
}

function showResult(id: string): void {
  const { asking } = getState()
  if (asking.state !== 'confirming' || asking.preview.id !== id) return
  setState({ asking: { state: 'none' } })
  goInstead(to.pay('result', id))
}

/** The person went back, or away. */
async function giveUp(): Promise<void> {
  const { asking } = getState()
  if (asking.state === 'confirming') return // it was said; Activity shows it
  attempts += 1
  const id = openId()
  setState({ asking: { state: 'none' } })
  if (id === null) return
  if (asking.state === 'failed') unsure = id
  try {
    await call('pay.abandon', { id })
    if (unsure === id) unsure = null
  } catch {
    // Not confirmed, the host ends it by itself; else it is `unsure`.
  }
}

function openId(): string | null {
  const { asking } = getState()
  if (asking.state === 'ready') return asking.preview.id
  return asking.state === 'failed' ? asking.openId : null
}

/** @returns false when it went out after all, so that nobody pays twice. @throws AppError when that cannot be known now */
async function isEnded(id: string): Promise<boolean> {
  try {
    await call('pay.abandon', { id })
    return true
  } catch (thrown) {
    if (toAppError(thrown).code === 'wrong_state') return false
    throw thrown
  }
}

/** What nobody waits for any more: the host ends an unconfirmed payment by itself, and shows every other one. */
function ignoreLate(): void {}
