// The few facts of the wallet that the host itself acts on, kept up to date by the events that pass through it anyway.
// Behind a shut gate there are none.

import type { HostEvent } from '../../shared/ipc.ts'
import type { Slices } from '../../shared/model.ts'

/** Notifications and the look; being visible; what is not final; whose coins are play money. */
export type Mirrored = Pick<Slices, 'settings' | 'nearby' | 'waiting' | 'mints'>

export type Mirror = {
  /** Null while the gate is shut. */
  now(): Mirrored | null
  /** The gate is open: everything, as a snapshot says. */
  open(slices: Mirrored): void
  shut(): void
  take(event: HostEvent): void
}

export function createMirror(): Mirror {
  let now: Mirrored | null = null
  return {
    now: () => now,
    open: ({ settings, nearby, waiting, mints }) => {
      now = { settings, nearby, waiting, mints }
    },
    shut: () => {
      now = null
    },
    take: (event) => {
      if (event.kind !== 'slice' || now === null) return
      if (event.name === 'settings') now = { ...now, settings: event.value }
      else if (event.name === 'nearby') now = { ...now, nearby: event.value }
      else if (event.name === 'waiting') now = { ...now, waiting: event.value }
      else if (event.name === 'mints') now = { ...now, mints: event.value }
    },
  }
}

/** Payments that are not final, in both directions; none that a shut gate would tell of. */
export function openPayments(mirrored: Mirrored | null): number {
  return mirrored === null ? 0 : mirrored.waiting.in + mirrored.waiting.out + mirrored.waiting.onItsWay
}
