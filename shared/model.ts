// What a screen sees. No coin, secret, seed or key in any of these types.

/** How a payment stands, in the words of protocol section 5 and the states around it. */
export const paymentStates = [
  /** Out: the payee was asked, a person has not confirmed. */
  'preparing',
  /** On its way to the mint or to the other side. */
  'on_its_way',
  /** In: Terms were given, no coins came yet. */
  'awaited',
  'signed',
  'final',
  'bounced',
  /** Needs a new signature from the payer. */
  'dead',
  /** Out: the payee refused after the handover. In: refused by us. */
  'refused',
  /** Out: coins are being taken back, then were. */
  'taking_back',
  'taken_back',
  /** Nothing was given. */
  'abandoned',
] as const
export type PaymentState = (typeof paymentStates)[number]

export type PaymentView = {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly state: PaymentState
  readonly amount: number
  readonly fee: number
  readonly unit: string
  readonly mintUrl: string
  /** The payee's name as its Terms say; empty for incoming payments. */
  readonly name: string
  readonly memo: string | null
  /** From Handover to Receipt, milliseconds; outgoing payments that were answered. */
  readonly answeredInMs: number | null
  /** Milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** What a person should know although nothing is decided; null for nothing. */
  readonly alarm: PaymentAlarm | null
  /** A code or a short reason for people who look closely; null when nothing is wrong. */
  readonly trouble: string | null
}

/** A coin has been pending at the mint for ten minutes; refused without reason for a day; its keyset has expired. */
export const paymentAlarms = ['blocked_at_mint', 'refused_by_mint', 'keyset_expired'] as const
export type PaymentAlarm = (typeof paymentAlarms)[number]

export type WithdrawView = {
  readonly id: string
  readonly state: 'quoting' | 'unpaid' | 'issuing' | 'done' | 'failed'
  readonly amount: number
  readonly unit: string
  readonly mintUrl: string
  /** What has to be paid (a Lightning invoice), once the mint has named it. */
  readonly invoice: string | null
  readonly trouble: string | null
}

export type UnitBalance = {
  readonly unit: string
  /** Can be spent now. */
  readonly spendable: number
  /** Our own coins in payments, refreshes and reclaims that are not settled; change comes back from here. */
  readonly onItsWay: number
  /** Signed to us and not final: a promise with limits. */
  readonly signedToUs: number
}

export type MintView = {
  readonly url: string
  readonly name: string | null
  readonly isPlayMoney: boolean
  readonly isOnlineOnly: boolean
  readonly isReachable: boolean
  /** Milliseconds; since when that is so. */
  readonly since: number | null
  readonly alarm: string | null
  readonly balances: readonly UnitBalance[]
}

/** What will happen if the person says yes. */
export type PayPreviewView = {
  readonly id: string
  readonly payeeName: string
  /** Whether the Terms are signed by the key that a request named. */
  readonly isVerified: boolean
  readonly amount: number
  readonly fee: number
  /** amount + fee */
  readonly total: number
  /** The grade to expect: final when the mint can be reached from here, signed otherwise. */
  readonly grade: 'signed' | 'final'
}

export type RequestView = {
  readonly id: string
  /** Text for a QR code or a link. */
  readonly text: string
}

export type NearbyView = { readonly peerId: string; readonly multiaddrs: readonly string[] }

/** Where all coins of a unit are, for the books of a demonstration or an operator. Amounts in the unit. */
export type AuditView = {
  readonly unit: string
  readonly spendable: number
  readonly reserved: number
  readonly handedOver: number
  readonly feesPaid: number
  readonly openOperations: number
}

/** A claim as evidence: what a payer said to the world (protocol section 7). It holds no secret. Hex. */
export type ClaimView = { readonly paymentId: string; readonly body: string; readonly sig: string }
