// The few facts of the wallet that the host itself acts on, kept up to date by the events that pass through it anyway.

import type { HostEvent } from '../../shared/ipc.ts'
import type { Slices } from '../../shared/model.ts'

/** Notifications and the look; being visible; what is not final; whose coins are play money. */
export type Mirrored = Pick<Slices, 'settings' | 'nearby' | 'waiting' | 'mints'>

export type Mirror = {
  now(): Mirrored
  take(event: HostEvent): void
}

export function createMirror({ settings, nearby, waiting, mints }: Mirrored): Mirror {
  let now: Mirrored = { settings, nearby, waiting, mints }
  return {
    now: () => now,
    take: (event) => {
      if (event.kind !== 'slice') return
      if (event.name === 'settings') now = { ...now, settings: event.value }
      else if (event.name === 'nearby') now = { ...now, nearby: event.value }
      else if (event.name === 'waiting') now = { ...now, waiting: event.value }
      else if (event.name === 'mints') now = { ...now, mints: event.value }
    },
  }
}

/** Payments that are not final, in both directions. */
export function openPayments({ waiting }: Mirrored): number {
  return waiting.in + waiting.out + waiting.onItsWay
}
