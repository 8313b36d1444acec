// Everything a screen shows. The host owns the wallet's state, this is its mirror; beside it only what belongs to the
// window: where it is, the chosen unit, the time, a toast.

import { useEffect, useState } from 'react'
import { create, type StoreApi } from 'zustand'
import { useShallow } from 'zustand/react/shallow'
import { type AppError, toAppError } from '../shared/errors.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type {
  BackupView,
  CashOutView,
  GateView,
  MintView,
  NearbySlice,
  PaymentView,
  PracticeView,
  ProfileView,
  RestoreView,
  SettingsView,
  Slices,
  WithdrawView,
} from '../shared/model.ts'
import type { Connection } from './bridge.ts'
import { bridge, call } from './client.ts'
import { emptyMirror, type Mirror, type StateEvent, stale, withAnswer, withEvent, withSnapshot } from './mirror.ts'
import { type Money, moneyKinds } from './money.ts'
import { reactionTo, type Toast } from './reactions.ts'
import { type Href, type Route, readRoute, sameRoute, to } from './route.ts'
import { play } from './sounds.ts'

type AppState = {
  readonly connection: Connection
  /** Null before the host has said. While it is not open nothing of the wallet is here. */
  readonly gate: GateView | null
  readonly mirror: Mirror
  /** Why there is no first snapshot. */
  readonly failure: AppError | null
  readonly route: Route
  readonly toast: (Toast & { readonly serial: number }) | null
  /** Said by screen readers, politely. */
  readonly announcement: string
  /** Key of the money that Home shows and Pay and Get paid start with; null before a choice. */
  readonly chosenMoney: string | null
  /** Milliseconds, moved on every half minute. */
  readonly now: number
}

const chosenMoneyKey = 'farthing.money'
const tickMs = 30_000

const useStore = create<AppState>()(() => ({
  connection: 'connecting',
  gate: null,
  mirror: emptyMirror,
  failure: null,
  route: readRoute(window.location.hash),
  toast: null,
  announcement: '',
  chosenMoney: window.localStorage.getItem(chosenMoneyKey),
  now: Date.now(),
}))

const { getState, setState } = useStore

/** Subscribe first, then take the snapshot. Once, before the first paint. */
export function startStore(): void {
  bridge.onConnection?.((connection) => {
    setState({ connection })
    if (connection === 'connected') refresh()
  })
  bridge.onEvent(take)
  if (!bridge.onConnection) {
    setState({ connection: 'connected' })
    refresh()
  }
  window.addEventListener('hashchange', followAddress)
  setInterval(() => setState({ now: Date.now() }), tickMs)
}

// ---- the mirror

/** What was shown may be old: ask for everything again. */
export function refresh(): void {
  setState(({ mirror }) => ({ mirror: stale(mirror) }))
  void takeSnapshot()
}

/** Only the answer to the newest question counts. */
let snapshots = 0

async function takeSnapshot(): Promise<void> {
  snapshots += 1
  const mine = snapshots
  try {
    const gate = await call('gate.look', {})
    if (mine !== snapshots) return
    setGate(gate)
    if (gate.state !== 'open') return
    const snapshot = await call('app.snapshot', {})
    if (mine !== snapshots) return
    const isFirst = getState().mirror.revision === null
    setState(({ mirror }) => ({ mirror: withSnapshot(mirror, snapshot), failure: null }))
    if (isFirst) begin()
    else for (const hear of hearers) hear(null)
    if (getState().mirror.isStale) void takeSnapshot()
  } catch (thrown) {
    if (mine === snapshots) setState({ failure: toAppError(thrown) })
  }
}

/** Behind a shut gate nothing that was shown stays in this window. */
function setGate(gate: GateView): void {
  if (gate.state === 'open') {
    setState({ gate, failure: null })
    return
  }
  const { gate: before, route } = getState()
  setState({ gate, failure: null, mirror: emptyMirror, toast: null })
  if (before?.state !== 'open') return
  visits.get(route.screen)?.leave?.()
  for (const forget of forgetters) forget()
}

const forgetters = new Set<() => void>()

/** What a screen keeps beside this store is as at the start when the gate shuts. */
export function keepWhileOpen<T>(kept: Pick<StoreApi<T>, 'getInitialState' | 'setState'>): void {
  forgetters.add(() => kept.setState(kept.getInitialState(), true))
}

/** With the first snapshot: a new wallet begins with its first run, every other where the address says. */
function begin(): void {
  const { mirror, route } = getState()
  if (mirror.slices.profile.isFirstRun && route.screen !== 'welcome') goInstead(to.welcome())
  else visits.get(route.screen)?.arrive?.(route.path)
}

function take(event: HostEvent): void {
  if (event.kind === 'open') go(isHref(event.route) ? event.route : to.home)
  else if (event.kind === 'open-link') go(to.payRequest(event.link))
  else if (event.kind === 'gate') {
    setGate(event.gate)
    refresh()
  } else apply(event)
}

function apply(event: StateEvent): void {
  const before = getState().mirror
  const mirror = withEvent(before, event)
  setState({ mirror })
  if (mirror.isStale && !before.isStale) void takeSnapshot()
  if (event.kind === 'payment') {
    react(event.payment, event.was)
    for (const hear of hearers) hear(event.payment)
  }
}

/** Told of every payment that changed, once the mirror has it, and of nothing (null) when any may have. */
export type PaymentHearer = (payment: PaymentView | null) => void

const hearers = new Set<PaymentHearer>()

/** For lists and details that hold more than the mirror does. */
export function onPayment(hear: PaymentHearer): void {
  hearers.add(hear)
}

function isHref(text: string): text is Href {
  return text.startsWith('#/')
}

/** Waits for what a command has set going. @returns whether it came within the time */
export function whenShown(test: (slices: Slices) => boolean, timeoutMs: number): Promise<boolean> {
  if (test(getState().mirror.slices)) return Promise.resolve(true)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, timeoutMs, false)
  const stop = useStore.subscribe(({ mirror }) => test(mirror.slices) && resolve(true))
  return promise.finally(() => {
    clearTimeout(timer)
    stop()
  })
}

/** Remember what a command was answered with, so that its rows stay true when a payment changes. */
export function keepPayments(payments: readonly PaymentView[]): void {
  setState(({ mirror }) => ({ mirror: { ...mirror, payments: withAnswer(mirror.payments, payments) } }))
}

function react(payment: PaymentView, was: PaymentView['state'] | null): void {
  const { mirror, route } = getState()
  const { settings, mints } = mirror.slices
  const isPlayMoney = mints.some(({ url, isPlayMoney }) => url === payment.mintUrl && isPlayMoney)
  const { sound, toast, announcement } = reactionTo(payment, was, route, isPlayMoney)
  if (sound && settings.sounds) play(sound)
  if (toast) showToast(toast)
  if (announcement) announce(announcement)
}

// ---- the place

/** Leaving a screen tells it, arriving tells it too: what a screen fetches starts here and not in an effect. */
export type Visit = { readonly arrive?: (path: readonly string[]) => void; readonly leave?: () => void }

const visits = new Map<Route['screen'], Visit>()

/** Who is told about a screen; given once, when the app starts. */
export function onVisit(screen: Route['screen'], visit: Visit): void {
  visits.set(screen, visit)
}

function followAddress(): void {
  const before = getState().route
  const route = readRoute(window.location.hash)
  if (sameRoute(before, route)) return
  if (before.screen !== route.screen) visits.get(before.screen)?.leave?.()
  setState({ route, now: Date.now() })
  visits.get(route.screen)?.arrive?.(route.path)
}

export function go(href: Href): void {
  window.location.hash = href
}

/** Go without leaving a trace: "back" does not lead here again. */
export function goInstead(href: Href): void {
  window.location.replace(href)
}

// ---- for actions, which run outside of a view

export const slicesNow = (): Slices => getState().mirror.slices
export const paymentsNow = (): ReadonlyMap<string, PaymentView> => getState().mirror.payments

/** Resolves when this payment is as wanted; never when `signal` is aborted before. */
export function untilPayment(
  id: string,
  isWanted: (payment: PaymentView) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = ({ mirror }: AppState): void => {
    const payment = mirror.payments.get(id)
    if (!payment || !isWanted(payment)) return
    stop()
    resolve()
  }
  const stop = useStore.subscribe(check)
  signal.addEventListener('abort', stop)
  check(getState())
  return promise
}

// ---- the window's own

let serial = 0

export function showToast(toast: Toast): void {
  serial += 1
  const shown = getState().toast
  const count =
    shown?.kind !== undefined && shown.kind === toast.kind ? (shown.count ?? 1) + (toast.count ?? 1) : toast.count
  setState({ toast: { ...toast, ...(count === undefined ? {} : { count }), serial } })
}

export function closeToast(): void {
  setState({ toast: null })
}

/** Say something to people who listen; others see it where it is shown. */
export function announce(announcement: string): void {
  // A live region stays silent when its text does not change.
  setState((state) => ({ announcement: state.announcement === announcement ? `${announcement}\u00a0` : announcement }))
}

export function chooseMoney(key: string): void {
  window.localStorage.setItem(chosenMoneyKey, key)
  setState({ chosenMoney: key })
}

// ---- hooks; each repaints only for what it names

const useSlice = <N extends keyof Slices>(name: N): Slices[N] => useStore(({ mirror }) => mirror.slices[name])

export const useProfile = (): ProfileView => useSlice('profile')
export const useSettings = (): SettingsView => useSlice('settings')
export const useMints = (): readonly MintView[] => useSlice('mints')
export const useLatest = (): readonly PaymentView[] => useSlice('latest')
export const useUndecided = (): readonly PaymentView[] => useSlice('undecided')
export const useBackup = (): BackupView => useSlice('backup')
export const useRestore = (): RestoreView => useSlice('restore')
export const useNearby = (): NearbySlice => useSlice('nearby')
export const useWithdraws = (): readonly WithdrawView[] => useSlice('withdraws')
export const useCashOuts = (): readonly CashOutView[] => useSlice('cashOuts')
export const usePractice = (): PracticeView => useSlice('practice')

export const usePayment = (id: string): PaymentView | undefined => useStore(({ mirror }) => mirror.payments.get(id))
/** Payments by id, in this order; those not heard of are left out. */
export const usePayments = (ids: readonly string[]): readonly PaymentView[] =>
  useStore(
    useShallow(({ mirror }) =>
      ids.map((id) => mirror.payments.get(id)).filter((payment): payment is PaymentView => payment !== undefined),
    ),
  )
/** All payments heard of that are wanted here. `isWanted` may be another function each time. */
export const usePaymentsWhere = (isWanted: (payment: PaymentView) => boolean): readonly PaymentView[] =>
  useStore(useShallow(({ mirror }) => [...mirror.payments.values()].filter(isWanted)))
export const useMint = (url: string): MintView | undefined =>
  useStore(({ mirror }) => mirror.slices.mints.find((mint) => mint.url === url))
/** Not by way of the mint: rows are not painted again because its balance changed. */
export const useIsPlayMoney = (mintUrl: string): boolean =>
  useStore(({ mirror }) => mirror.slices.mints.some(({ url, isPlayMoney }) => url === mintUrl && isPlayMoney))
export const useWithdraw = (id: string): WithdrawView | undefined =>
  useStore(({ mirror }) => mirror.slices.withdraws.find((one) => one.id === id))
export const useCashOut = (id: string): CashOutView | undefined =>
  useStore(({ mirror }) => mirror.slices.cashOuts.find((one) => one.id === id))

export const useRoute = (): Route => useStore(({ route }) => route)
export const useGate = (): GateView | null => useStore(({ gate }) => gate)
export const useConnection = (): Connection => useStore(({ connection }) => connection)
export const useHasSnapshot = (): boolean => useStore(({ mirror }) => mirror.revision !== null)
export const useFailure = (): AppError | null => useStore(({ failure }) => failure)
export const useToast = (): AppState['toast'] => useStore(({ toast }) => toast)
export const useAnnouncement = (): string => useStore(({ announcement }) => announcement)
/** For relative times and days; half a minute old at most. */
export const useNow = (): number => useStore(({ now }) => now)

/** All kinds of money there are here, and the one that was chosen, or the one with the most in it. */
export function useMoney(): { readonly kinds: readonly Money[]; readonly chosen: Money | undefined } {
  const mints = useMints()
  const key = useStore(({ chosenMoney }) => chosenMoney)
  const kinds = moneyKinds(mints)
  return { kinds, chosen: kinds.find((kind) => kind.key === key) ?? kinds[0] }
}

/** The time every second, for a countdown; nothing else should tick. */
export function useSecond(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}
