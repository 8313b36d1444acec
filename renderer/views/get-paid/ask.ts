// What a person asks for, and the request that was made of it. It outlives the screen: a link that was sent stays the one
// that is shown when somebody comes back.

import { create } from 'zustand'
import { type AppError, toAppError } from '../../../shared/errors.ts'
import type { RequestView } from '../../../shared/model.ts'
import { call } from '../../client.ts'
import { announce, keepWhileOpen, paymentsNow, slicesNow } from '../../store.ts'
import { getPaidWords } from '../../words/get-paid.ts'
import { isAnswered } from './arrivals.ts'
import { type Ask, type Place, says, wishOf } from './wish.ts'

type AskState = Ask & {
  readonly request: RequestView | null
  /** The request does not say yet what the screen says. */
  readonly isChanging: boolean
  readonly error: AppError | null
  readonly visibleError: AppError | null
  /** Of all requests since `since`. */
  readonly requestIds: readonly string[]
  /** When the first of them was made, milliseconds. */
  readonly since: number
}

export const useAsk = create<AskState>()(() => ({
  mode: 'fixed',
  entry: '',
  description: '',
  mintUrl: null,
  request: null,
  isChanging: false,
  error: null,
  visibleError: null,
  requestIds: [],
  since: Date.now(),
}))
const { getState, setState } = useAsk
keepWhileOpen(useAsk)

/** After the last key: a request is made when a person has stopped typing, not for every letter. */
const settleMs = 700

let timer: ReturnType<typeof setTimeout> | undefined
/** Only the newest wish counts. */
let wishes = 0

/** The person changed something. The code follows a moment later. */
export function change(patch: Partial<Ask>, place: Place): void {
  clearTimeout(timer)
  setState(patch)
  wishes += 1
  const isChanging = !says(getState().request, wishOf(getState(), place))
  setState({ isChanging, ...(isChanging ? {} : { error: null }) })
  if (isChanging) timer = setTimeout(() => void settle(place), settleMs)
}

/** Chosen and not typed: there is nothing to wait for. */
export function changeNow(patch: Partial<Ask>, place: Place): void {
  change(patch, place)
  void settle(place)
}

/** Now: Enter was pressed, or there is nothing left to type. */
export async function settle(place: Place): Promise<void> {
  clearTimeout(timer)
  const wish = wishOf(getState(), place)
  const { request: before } = getState()
  if (says(before, wish)) return setState({ isChanging: false, error: null })
  wishes += 1
  const mine = wishes
  setState({ isChanging: true, error: null })
  try {
    const request = wish && (await call('request.create', wish))
    if (mine !== wishes) return request ? void (await close(request)) : undefined
    const { requestIds } = getState()
    setState({ request, isChanging: false, requestIds: request ? [...requestIds, request.id] : requestIds })
    if (before) await close(before)
    if (slicesNow().nearby.isVisible) await show(true)
  } catch (thrown) {
    if (mine === wishes) setState({ isChanging: false, error: toAppError(thrown) })
  }
}

/** Nobody can pay with it any more; the screen is as new. */
export async function end(): Promise<void> {
  clearTimeout(timer)
  wishes += 1
  const { request } = getState()
  try {
    if (request) await call('request.close', { id: request.id })
    setState({ mode: 'fixed', entry: '', description: '', request: null, isChanging: false, error: null })
    setState({ requestIds: [], since: Date.now() })
    announce(getPaidWords.ended)
    if (slicesNow().nearby.isVisible) await show(true)
  } catch (thrown) {
    setState({ error: toAppError(thrown) })
  }
}

/** Be visible on this network, with the request on the screen, or no more. */
export async function show(on: boolean): Promise<void> {
  const { request } = getState()
  try {
    await call('nearby.announce', { on, ...(request ? { request: request.text } : {}) })
    setState({ visibleError: null })
  } catch (thrown) {
    setState({ visibleError: toAppError(thrown) })
  }
}

/** A replaced request that nobody answered is ended; one that somebody is paying stays. */
async function close({ id }: RequestView): Promise<void> {
  if (isAnswered(id, paymentsNow().values(), Date.now())) return
  await call('request.close', { id })
}
