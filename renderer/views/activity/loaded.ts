// What Activity has loaded: a part of the list, and the story of one payment. Loaded when a person comes, searches, scrolls
// or chooses, and when a payment's event says that there is more to know; never by painting.

import { create } from 'zustand'
import { type AppError, toAppError } from '../../../shared/errors.ts'
import type { PaymentDetailView, PaymentFilter, PaymentPageView } from '../../../shared/model.ts'
import { call } from '../../client.ts'
import { firstPage, type PaymentList, searchText, withFreshPage, withNextPage } from '../../payment-list.ts'
import { announce, keepPayments, keepWhileOpen, onPayment, type Visit } from '../../store.ts'
import { activityWords } from '../../words/activity.ts'

type Query = { readonly search: string; readonly filter: PaymentFilter }

type Loaded = {
  readonly query: Query
  /** What is shown; null before the first answer. It may still be the answer to the query before. */
  readonly list: PaymentList | null
  /** What `list` answers. */
  readonly answered: Query
  /** Another number is another list, shown from its top. */
  readonly serial: number
  /** Everything is being loaded, for somebody who waits at the end. */
  readonly isGoingToEnd: boolean
  readonly error: AppError | null
  readonly detail: {
    readonly id: string
    readonly view: PaymentDetailView | null
    readonly error: AppError | null
  } | null
}

const all: Query = { search: '', filter: 'all' }
const pageSize = 100
/** The most the contract gives at once: for going to the very end. */
const largePage = 200
/** After the last letter. */
const typingPauseMs = 150

export const useLoaded = create<Loaded>()(() => ({
  query: all,
  list: null,
  answered: all,
  serial: 0,
  isGoingToEnd: false,
  error: null,
  detail: null,
}))
const { getState, setState } = useLoaded
keepWhileOpen(useLoaded)

// ---- coming and going

let isHere = false

export const visit: Visit = {
  arrive: (path) => {
    if (!isHere) {
      isHere = true
      if (getState().list === null) void ask(false)
      else void askAgain()
    }
    const [id] = path
    if (id === undefined) setState({ detail: null })
    else if (getState().detail?.id !== id) void openDetail(id)
  },
  leave: () => {
    isHere = false
    setState({ detail: null })
  },
}

/** Once, when the app starts. */
onPayment((payment) => {
  const { list, detail } = getState()
  if (!isHere) return
  if (detail && (payment === null || payment.id === detail.id)) void loadDetail(detail.id)
  // A known one is repainted by the store; only a new one, or one from further down, changes the list.
  if (list && (payment === null || !list.rows.some(({ id }) => id === payment.id))) void askAgain()
})

// ---- the list

let timer: ReturnType<typeof setTimeout> | undefined
/** Only the answer to the newest question counts. */
let questions = 0

export function search(text: string): void {
  setState(({ query }) => ({ query: { ...query, search: text } }))
  clearTimeout(timer)
  timer = setTimeout(() => void ask(true), typingPauseMs)
}

export function filter(filter: PaymentFilter): void {
  setState(({ query }) => ({ query: { ...query, filter } }))
  clearTimeout(timer)
  void ask(true)
}

export function showAll(): void {
  setState({ query: all })
  clearTimeout(timer)
  void ask(false)
}

export function tryAgain(): void {
  void ask(false)
}

async function ask(isTold: boolean): Promise<void> {
  questions += 1
  const mine = questions
  const { query } = getState()
  setState({ error: null })
  try {
    const page = await pageOf(query, null, pageSize)
    if (mine !== questions) return
    keepPayments(page.items)
    setState(({ serial }) => ({ list: firstPage(page), answered: query, serial: serial + 1 }))
    if (isTold) announce(activityWords.found(page.total))
  } catch (thrown) {
    if (mine === questions) setState({ error: toAppError(thrown) })
  }
}

let isAskingAgain = false
let isDueAgain = false

/** The first page once more; several reasons at once are one. */
async function askAgain(): Promise<void> {
  isDueAgain = true
  if (isAskingAgain) return
  isAskingAgain = true
  try {
    while (isDueAgain) {
      isDueAgain = false
      const mine = questions
      const page = await pageOf(getState().answered, null, pageSize)
      const { list } = getState()
      if (mine !== questions || list === null) continue
      keepPayments(page.items)
      setState({ list: withFreshPage(list, page) })
    }
  } catch (thrown) {
    setState({ error: toAppError(thrown) })
  } finally {
    isAskingAgain = false
  }
}

let running: Promise<boolean> | null = null

/** What follows, if anything does; asked twice it is loaded once. @returns whether there is more after it */
export function loadMore(size = pageSize): Promise<boolean> {
  running ??= loadNext(size).finally(() => {
    running = null
  })
  return running
}

async function loadNext(size: number): Promise<boolean> {
  const { list, answered } = getState()
  if (!list || list.next === null) return false
  const mine = questions
  try {
    const page = await pageOf(answered, list.next, size)
    const now = getState().list
    // Another list, or a fresh first page that begins anew: this page follows on nothing.
    if (mine !== questions || now === null || now.next !== list.next) return false
    keepPayments(page.items)
    setState({ list: withNextPage(now, page) })
    return page.next !== null
  } catch (thrown) {
    if (mine === questions) setState({ error: toAppError(thrown) })
    return false
  }
}

/** Everything, page after page, until it is there or nobody waits for it any more. */
export async function loadToEnd(isWanted: () => boolean): Promise<void> {
  setState({ isGoingToEnd: true })
  let isMore = true
  while (isMore && isWanted()) isMore = await loadMore(largePage)
  setState({ isGoingToEnd: false })
}

function pageOf({ search, filter }: Query, before: number | null, limit: number): Promise<PaymentPageView> {
  const text = searchText(search)
  return call('payments.page', {
    limit,
    filter,
    ...(before === null ? {} : { before }),
    ...(text === null ? {} : { search: text.slice(0, 100) }),
  })
}

// ---- one payment

async function openDetail(id: string): Promise<void> {
  setState({ detail: { id, view: null, error: null } })
  await loadDetail(id)
}

async function loadDetail(id: string): Promise<void> {
  const set = (change: Partial<NonNullable<Loaded['detail']>>): void =>
    setState(({ detail }) => (detail?.id === id ? { detail: { ...detail, ...change } } : {}))
  try {
    const view = await call('payments.get', { id })
    const { timeline, receipt, settlesAt, deadline, coins, hasClaim, ...payment } = view
    keepPayments([payment])
    set({ view, error: null })
  } catch (thrown) {
    set({ error: toAppError(thrown) })
  }
}
