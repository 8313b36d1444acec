// The window's copy of what the host knows. Pure: one snapshot, then slices in the order of their revision. What did not
// change keeps its identity, so that only what changed is painted again.

import type { HostEvent } from '../shared/ipc.ts'
import type { MintView, NearbyView, PaymentView, SliceName, Slices, Snapshot } from '../shared/model.ts'

export type Mirror = {
  /** Of the last thing applied; null before the first snapshot. */
  readonly revision: number | null
  readonly slices: Slices
  /** Every payment this window has heard of, by id. */
  readonly payments: ReadonlyMap<string, PaymentView>
  /** Came while a snapshot was on its way. */
  readonly held: readonly StateEvent[]
  /** A snapshot is due: ask for one, and hand it to `withSnapshot`. */
  readonly isStale: boolean
}

/** The events that carry a revision. */
export type StateEvent = Extract<HostEvent, { readonly revision: number }>

/** Until a snapshot comes; more than that and another snapshot is taken anyway. */
const maxHeld = 1000

export const emptyMirror: Mirror = {
  revision: null,
  slices: {
    profile: {
      name: '',
      fingerprint: { words: ['', '', '', ''], picture: '00000000000000000000000000000000' },
      phrase: 'unseen',
      isFirstRun: false,
      sealing: 'plain',
      version: '',
    },
    settings: {
      appearance: 'system',
      sounds: false,
      notifications: false,
      idleLockMinutes: null,
      lan: false,
      limits: { single: 0, total: 0, perHour: 0 },
    },
    mints: [],
    latest: [],
    waiting: { in: 0, out: 0, onItsWay: 0 },
    undecided: [],
    nearby: { isLooking: false, isVisible: false, visibleUntil: null, people: [] },
    withdraws: [],
    cashOuts: [],
    practice: { isOffered: false, state: 'off', mintUrl: null },
    backup: { folder: null, canPick: false, lastSavedAt: null, trouble: null, copies: [] },
    restore: {
      searches: [],
      resting: { amounts: [], until: null, isReleased: false },
      cause: null,
      noticedAt: null,
    },
  },
  payments: new Map(),
  held: [],
  isStale: true,
}

/** Take the host's whole state; then what came meanwhile. */
export function withSnapshot(mirror: Mirror, snapshot: Snapshot): Mirror {
  const slices = sharedSlices(mirror.slices, snapshot.slices)
  const fresh: Mirror = {
    revision: snapshot.revision,
    slices,
    payments: withPayments(mirror.payments, slices.latest),
    held: [],
    isStale: false,
  }
  return [...mirror.held].sort((a, b) => a.revision - b.revision).reduce(withEvent, fresh)
}

/** Take what changed. Old news is dropped; after a gap the mirror is stale. */
export function withEvent(mirror: Mirror, event: StateEvent): Mirror {
  if (mirror.isStale || mirror.revision === null) {
    return { ...mirror, isStale: true, held: [...mirror.held.slice(1 - maxHeld), event] }
  }
  if (event.revision <= mirror.revision) return mirror
  if (event.revision > mirror.revision + 1) return { ...mirror, isStale: true, held: [event] }
  const next = { ...mirror, revision: event.revision }
  if (event.kind === 'payment') return { ...next, ...withPayment(mirror, event.payment) }
  const slices = withSlice(mirror.slices, event.name, event.value)
  return {
    ...next,
    slices,
    payments: slices.latest === mirror.slices.latest ? mirror.payments : withPayments(mirror.payments, slices.latest),
  }
}

/** The connection was gone: what is shown may be old, and the host may count from the beginning again. */
export function stale(mirror: Mirror): Mirror {
  return { ...mirror, isStale: true, held: [] }
}

/**
 * Remember payments that a command was answered with. Answers and events come by different ways: one that was written
 * before the last event of its payment is old news, and no other event would put it right.
 */
export function withAnswer(
  known: ReadonlyMap<string, PaymentView>,
  payments: readonly PaymentView[],
): ReadonlyMap<string, PaymentView> {
  return withPayments(
    known,
    payments.filter(({ id, updatedAt }) => updatedAt >= (known.get(id)?.updatedAt ?? 0)),
  )
}

/** Remember payments as they are now. */
function withPayments(
  known: ReadonlyMap<string, PaymentView>,
  payments: readonly PaymentView[],
): ReadonlyMap<string, PaymentView> {
  const changed = payments.filter((payment) => !isSame(known.get(payment.id), payment))
  if (changed.length === 0) return known
  const next = new Map(known)
  for (const payment of changed) next.set(payment.id, payment)
  return next
}

function withPayment({ slices, payments }: Mirror, payment: PaymentView): Pick<Mirror, 'slices' | 'payments'> {
  if (!slices.latest.some(({ id }) => id === payment.id)) {
    return { slices, payments: withPayments(payments, [payment]) }
  }
  const latest = sharedList(
    slices.latest,
    slices.latest.map((one) => (one.id === payment.id ? payment : one)),
    byId,
  )
  return { slices: latest === slices.latest ? slices : { ...slices, latest }, payments: withPayments(payments, latest) }
}

function sharedSlices(before: Slices, after: Slices): Slices {
  let slices = before
  for (const name of sliceNames) slices = withSlice(slices, name, after[name])
  return slices
}

function withSlice<N extends SliceName>(slices: Slices, name: N, value: Slices[N]): Slices {
  const next = sharers[name](slices[name], value)
  return next === slices[name] ? slices : { ...slices, [name]: next }
}

/** How each slice keeps what did not change. */
const sharers: { readonly [N in SliceName]: (before: Slices[N], after: Slices[N]) => Slices[N] } = {
  profile: sharedValue,
  settings: sharedValue,
  waiting: sharedValue,
  practice: sharedValue,
  backup: sharedValue,
  restore: sharedValue,
  mints: (before, after) => sharedList(before, after, byUrl),
  latest: (before, after) => sharedList(before, after, byId),
  undecided: (before, after) => sharedList(before, after, byId),
  withdraws: (before, after) => sharedList(before, after, byId),
  cashOuts: (before, after) => sharedList(before, after, byId),
  nearby: (before, after) =>
    sharedValue(before, { ...after, people: sharedList(before.people, after.people, byPeerId) }),
}

const sliceNames: readonly SliceName[] = [
  'profile',
  'settings',
  'waiting',
  'practice',
  'mints',
  'latest',
  'undecided',
  'withdraws',
  'cashOuts',
  'nearby',
  'backup',
  'restore',
]

const byId = ({ id }: { readonly id: string }): string => id
const byUrl = ({ url }: MintView): string => url
const byPeerId = ({ peerId }: NearbyView): string => peerId

/** The old value when the new one says the same. */
function sharedValue<T>(before: T, after: T): T {
  return isSame(before, after) ? before : after
}

/** The old items where they say the same, wherever they are now; the old list when nothing changed at all. */
function sharedList<T>(before: readonly T[], after: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const old = new Map(before.map((item) => [keyOf(item), item]))
  const next = after.map((item) => {
    const known = old.get(keyOf(item))
    return known !== undefined && isSame(known, item) ? known : item
  })
  return next.length === before.length && next.every((item, index) => item === before[index]) ? before : next
}

/** Deep equality of plain data. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))]
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)))
}
