// System notifications: a payment arrived, became final, or bounced, while nobody looks at the window.

import { Notification } from 'electron'
import type { HostEvent } from '../../shared/ipc.ts'
import { paymentNotice } from '../../shared/words.ts'

type PaymentEvent = Extract<HostEvent, { kind: 'payment' }>

export type Notices = {
  take(event: HostEvent): void
  /** Take those away that still stand on the screen: they name amounts. */
  clear(): void
}

export type NoticesOptions = {
  readonly icon: string
  /** Whether a person wants them and does not look at the window. */
  readonly isWanted: () => boolean
  readonly isPlayMoney: (mintUrl: string) => boolean
  /** A person clicked on the one about this payment. */
  readonly onOpen: (paymentId: string) => void
}

/** Kept alive so that a click on them still works; the oldest goes first. */
const maxShown = 20

export function createNotices({ icon, isWanted, isPlayMoney, onOpen }: NoticesOptions): Notices {
  const shown = new Set<Notification>()
  // A Mac shows the app's own icon already.
  const picture = process.platform === 'darwin' ? {} : { icon }
  const forget = (notice: Notification): void => {
    shown.delete(notice)
  }
  return {
    take: (event) => {
      if (event.kind !== 'payment' || !isWorthANotice(event) || !isWanted() || !Notification.isSupported()) return
      const { id, mintUrl } = event.payment
      const { title, body } = paymentNotice(event.payment, { isPlayMoney: isPlayMoney(mintUrl) })
      // The window makes the sound, whether it is looked at or not.
      const notice = new Notification({ title, body: withoutMarkup(body), ...picture, silent: true })
      notice.on('click', () => {
        forget(notice)
        onOpen(id)
      })
      notice.on('close', () => forget(notice))
      notice.on('failed', () => forget(notice))
      shown.add(notice)
      const [oldest] = shown
      if (shown.size > maxShown && oldest) {
        forget(oldest)
        oldest.close()
      }
      notice.show()
    },
    clear: () => {
      for (const notice of shown) notice.close()
      shown.clear()
    },
  }
}

/** Desktops on Linux read markup in a body (Desktop Notifications Specification, section 4.1); notes come from others. */
function withoutMarkup(body: string): string {
  return process.platform === 'linux' ? body.replaceAll('<', '‹') : body
}

/** Money came in, as a promise or for good; a promise, given or taken, was kept; a promise to us was broken. */
function isWorthANotice({ payment: { direction, state }, was }: PaymentEvent): boolean {
  if (state === was) return false
  switch (state) {
    case 'signed':
      return direction === 'in'
    case 'final':
      return direction === 'in' || was === 'signed'
    case 'bounced':
      return direction === 'in' && was === 'signed'
    default:
      return false
  }
}
