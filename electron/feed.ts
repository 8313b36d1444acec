// What every window mirrors: one snapshot, then whole slices and single payments as they change, each with the next
// revision. Changes that come together are read once, a moment later; a slice that is as before is not sent.

import type { HostEvent, SliceEvent } from '../shared/ipc.ts'
import type { PaymentState, PaymentView, SliceName, Slices, Snapshot } from '../shared/model.ts'

export type Feed = {
  snapshot(): Snapshot
  /** These slices may have changed. */
  touch(...names: readonly SliceName[]): void
  /** This payment changed. */
  touchPayment(id: string): void
  /** Of the last event. */
  revision(): number
  stop(): void
}

export type FeedParts = {
  /** The first event has the next one: above every one that a window may have seen before. */
  readonly revision: number
  /** How each slice is read now. */
  readonly read: { readonly [N in SliceName]: () => Slices[N] }
  /** A payment as people see it, and the state it was in before its last change; undefined when the id is none. */
  readonly payment: (id: string) => { readonly view: PaymentView; readonly was: PaymentState | null } | undefined
  readonly send: (event: HostEvent) => void
  /** Told of a slice that cannot be read. */
  readonly report: (error: unknown) => void
}

/** Long enough to gather what one step of an operation changes, too short to be noticed. */
const gatherMs = 25

export function createFeed({ revision: first, read, payment, send, report }: FeedParts): Feed {
  let revision = first
  let isStopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const touched = new Set<SliceName>()
  const touchedPayments = new Set<string>()
  const sent = new Map<SliceName, string>()

  /** Written out, so that name and value of a slice are seen to belong together. */
  const slice: { readonly [N in SliceName]: () => SliceEvent } = {
    profile: () => ({ kind: 'slice', revision, name: 'profile', value: read.profile() }),
    settings: () => ({ kind: 'slice', revision, name: 'settings', value: read.settings() }),
    mints: () => ({ kind: 'slice', revision, name: 'mints', value: read.mints() }),
    latest: () => ({ kind: 'slice', revision, name: 'latest', value: read.latest() }),
    waiting: () => ({ kind: 'slice', revision, name: 'waiting', value: read.waiting() }),
    undecided: () => ({ kind: 'slice', revision, name: 'undecided', value: read.undecided() }),
    nearby: () => ({ kind: 'slice', revision, name: 'nearby', value: read.nearby() }),
    withdraws: () => ({ kind: 'slice', revision, name: 'withdraws', value: read.withdraws() }),
    cashOuts: () => ({ kind: 'slice', revision, name: 'cashOuts', value: read.cashOuts() }),
    practice: () => ({ kind: 'slice', revision, name: 'practice', value: read.practice() }),
    backup: () => ({ kind: 'slice', revision, name: 'backup', value: read.backup() }),
    restore: () => ({ kind: 'slice', revision, name: 'restore', value: read.restore() }),
  }

  const flush = (): void => {
    timer = undefined
    const names = [...touched]
    const ids = [...touchedPayments]
    touched.clear()
    touchedPayments.clear()
    for (const id of ids) reported(() => sendPayment(id))
    for (const name of names) reported(() => sendSlice(name))
  }
  const sendPayment = (id: string): void => {
    const found = payment(id)
    if (found) send({ kind: 'payment', revision: ++revision, payment: found.view, was: found.was })
  }
  const sendSlice = (name: SliceName): void => {
    const event = slice[name]()
    const text = JSON.stringify(event.value)
    if (sent.get(name) === text) return
    sent.set(name, text)
    send({ ...event, revision: ++revision })
  }
  /** What cannot be read holds up nothing else. */
  const reported = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      report(error)
    }
  }
  const soon = (): void => {
    if (!isStopped) timer ??= setTimeout(flush, gatherMs)
  }
  return {
    snapshot: () => {
      // It may be ahead of what was sent: a slice that turns back to that is news for whoever has this snapshot.
      sent.clear()
      return {
        revision,
        slices: {
          profile: read.profile(),
          settings: read.settings(),
          mints: read.mints(),
          latest: read.latest(),
          waiting: read.waiting(),
          undecided: read.undecided(),
          nearby: read.nearby(),
          withdraws: read.withdraws(),
          cashOuts: read.cashOuts(),
          practice: read.practice(),
          backup: read.backup(),
          restore: read.restore(),
        },
      }
    },
    touch: (...names) => {
      for (const name of names) touched.add(name)
      soon()
    },
    touchPayment: (id) => {
      touchedPayments.add(id)
      soon()
    },
    revision: () => revision,
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
