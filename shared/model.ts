// What a screen sees. No coin, secret, seed or private key in any of these types.

import type { ErrorCode } from './errors.ts'

/** The look of a public key: four words to compare by voice, and what its speckled egg is drawn from. */
export type FingerprintView = {
  readonly words: readonly [string, string, string, string]
  /** 32 hex characters, the same for the same key everywhere. */
  readonly picture: string
}

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
  /** Another signature of the same payment stands in its place: shown as that one. */
  'replaced',
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
  /** The key that signed the Terms; null for incoming payments, and before there were Terms. */
  readonly payee: FingerprintView | null
  /** The request it answers, if it names one. */
  readonly requestId: string | null
  /** Out: handed over and not answered yet; a person may say that it arrived. */
  readonly mayBeDelivered: boolean
  /** Out: whether the coins can be taken back, and whether the payee may still settle first (a person is warned). */
  readonly reclaim: 'no' | 'free' | 'warned'
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

/** One fact of a payment's history. Milliseconds. */
export type TimelineEntry = { readonly at: number; readonly state: PaymentState }

export type PaymentDetailView = PaymentView & {
  /** Oldest first. */
  readonly timeline: readonly TimelineEntry[]
  /** The other side's signed answer, or ours; null when there is none. Milliseconds. */
  readonly receipt: { readonly grade: 'signed' | 'final'; readonly at: number } | null
  /** Out: when this wallet settles by itself, milliseconds; null when it does not or did. */
  readonly settlesAt: number | null
  /** Until when the payee may be expected to settle, milliseconds; null before Terms. */
  readonly deadline: number | null
  /** How many coins were handed over; null before. */
  readonly coins: number | null
  /** In, bounced: the payer's statement about these coins is kept. */
  readonly hasClaim: boolean
}

export type PaymentFilter = 'all' | 'in' | 'out' | 'waiting' | 'bounced'

export type PaymentPageView = {
  readonly items: readonly PaymentView[]
  /** How many there are under this search and filter. */
  readonly total: number
  /** Give this as `before` to get what follows; null at the end. */
  readonly next: number | null
}

export type WithdrawView = {
  readonly id: string
  readonly state: 'quoting' | 'unpaid' | 'issuing' | 'done' | 'failed'
  readonly amount: number
  readonly unit: string
  readonly mintUrl: string
  /** What has to be paid (a Lightning invoice), once the mint has named it. */
  readonly invoice: string | null
  /** When the offer ends, milliseconds; null when it does not. */
  readonly expiresAt: number | null
  /** Milliseconds. */
  readonly createdAt: number
  readonly trouble: string | null
}

/** Coins given back to the mint, which pays a Lightning invoice. Amounts in the unit. */
export type CashOutView = {
  readonly id: string
  readonly state: 'quoting' | 'quoted' | 'gathering' | 'paying' | 'done' | 'returning' | 'failed' | 'abandoned'
  readonly invoice: string
  /** What the invoice asks for. */
  readonly amount: number
  /** What the payment on the Lightning network may cost; what is left of it comes back. Null before the quote. */
  readonly feeReserve: number | null
  /** Fees: expected before, paid after. */
  readonly fee: number
  /** amount + fees: what leaves the wallet at most. */
  readonly total: number
  readonly unit: string
  readonly mintUrl: string
  /** Milliseconds. */
  readonly expiresAt: number | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly alarm: CashOutAlarm | null
  readonly trouble: string | null
}

/**
 * What went otherwise, by what the mint says. `unproven`: it took the coins, and not that the invoice is paid.
 * `paid_elsewhere`: it is paid, with other coins. `coins_gone`: some of the coins were spent in another way.
 */
export type CashOutAlarm = 'unproven' | 'paid_elsewhere' | 'coins_gone'

export type UnitBalance = {
  readonly unit: string
  /** Can be spent now. */
  readonly spendable: number
  /** Our own coins in payments, refreshes and reclaims that are not settled; change comes back from here. */
  readonly onItsWay: number
  /** Signed to us and not final: a promise with limits. */
  readonly signedToUs: number
  /** The largest single payment possible at once, without the mint. */
  readonly payableAtOnce: number
  /** Found by a restore and resting. */
  readonly resting: number
  /** Of keysets that have ended: kept, and no money any more. */
  readonly expired: number
}

export type MintView = {
  readonly url: string
  readonly name: string | null
  readonly isPlayMoney: boolean
  /** The practice mint that runs beside this app. */
  readonly isPractice: boolean
  readonly isOnlineOnly: boolean
  readonly isReachable: boolean
  /** Milliseconds; since when that is so, null before the first answer of this run. */
  readonly since: number | null
  /** Milliseconds; when it last answered at all. */
  readonly lastReachedAt: number | null
  readonly alarm: ErrorCode | null
  /** Name and version of its software, as it says. */
  readonly version: string | null
  readonly units: readonly string[]
  /** Fee per input of the active keysets, in thousandths of a unit, the highest. */
  readonly feePpk: number
  /** When the first active keyset ends, milliseconds; null when none does. */
  readonly keysetEndsAt: number | null
  /** Coins kept of this mint. */
  readonly coins: number
  /** Payments that become final when it answers: to us, by us. */
  readonly waiting: { readonly in: number; readonly out: number }
  readonly balances: readonly UnitBalance[]
}

/** What will happen if the person says yes. */
export type PayPreviewView = {
  readonly id: string
  readonly payeeName: string
  /** The key that signed the Terms. */
  readonly payee: FingerprintView
  /** Whether the Terms are signed by the key that a request named. */
  readonly isVerified: boolean
  readonly mintUrl: string
  readonly unit: string
  readonly memo: string | null
  readonly amount: number
  readonly fee: number
  /** amount + fee */
  readonly total: number
  /** The grade to expect: final when the mint can be reached from here, signed otherwise. */
  readonly grade: 'signed' | 'final'
}

export type RequestView = {
  readonly id: string
  /** Text for a QR code: `creqA…`. */
  readonly text: string
  /** The same as a link: `farthing:creqA…`. */
  readonly link: string
  readonly amount: number | null
  readonly unit: string
  readonly mintUrl: string
  readonly description: string | null
  readonly singleUse: boolean
}

/** What a pasted, scanned or opened text asks for, before anybody is asked. */
export type ReadRequestView = {
  /** Normalised text, for `pay.prepare`. */
  readonly text: string
  readonly amount: number | null
  readonly unit: string
  readonly description: string | null
  readonly payee: FingerprintView
  /** Mints of ours that can pay it, best first; empty when none can. */
  readonly mintUrls: readonly string[]
  /** Mints the request names. */
  readonly namedMints: readonly string[]
}

/** Somebody on the local network who wants to be paid. */
export type NearbyView = {
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  /** What the peer says of itself; null until it answered. The key is checked when it signs Terms. */
  readonly card: {
    readonly name: string
    readonly payee: FingerprintView
    /** An open request, if it shows one. */
    readonly asks: ReadRequestView | null
  } | null
}

export type NearbySlice = {
  readonly isLooking: boolean
  readonly isVisible: boolean
  /** Milliseconds; when being visible ends by itself. */
  readonly visibleUntil: number | null
  readonly people: readonly NearbyView[]
}

/** What protects the phrase on this computer: a passphrase, the keychain of the system, or only the file's permissions. */
export type Sealing = 'passphrase' | 'os' | 'plain'

/**
 * What stands between a person and the wallet. `open`: nothing. `locked`: the passphrase. `damaged`: the database cannot
 * be read; it can be set aside. `sealed`: the keychain of the system does not open the phrase. `wordless`: the database is
 * there, and the phrase beside it is of no use. Where the phrase is what is missing, a person's twelve words open it.
 */
export type GateView =
  | { readonly state: 'open'; readonly sealing: Sealing; readonly idleLockMinutes: number | null }
  /** `retryAt`: after wrong tries, when the next one is taken, milliseconds. */
  | { readonly state: 'locked'; readonly retryAt: number | null }
  /** `hasPhrase`: what the phrase brings back can be had. */
  | ({ readonly state: 'damaged'; readonly hasPhrase: boolean } & FoundCopiesView)
  | { readonly state: 'sealed' }
  | { readonly state: 'wordless'; readonly cause: WordlessCause }

/** There is no file with the phrase; the file cannot be read; or it holds the phrase of another wallet. */
export type WordlessCause = 'missing' | 'damaged' | 'other'

/**
 * Automatic copies that were found, newest first. `awayFolder`: where some went, a path of this computer, when that is not
 * there or does not answer; null when it was looked into, and when there never was one.
 */
export type FoundCopiesView = { readonly backups: readonly BackupCopyView[]; readonly awayFolder: string | null }

/** One file in the folder of automatic copies. */
export type BackupCopyView = { readonly name: string; readonly savedAt: number; readonly bytes: number }

export type BackupView = {
  /** Where automatic copies go, as a path of this computer; null for nowhere. */
  readonly folder: string | null
  /** Whether this host can show a window to pick a folder. */
  readonly canPick: boolean
  /** Milliseconds; null for never. Of an automatic copy or one that a person took. */
  readonly lastSavedAt: number | null
  /** Why the last automatic copy failed; null when it did not. */
  readonly trouble: ErrorCode | null
  /** Newest first, of whichever life of this wallet: the newest ten of each are kept. */
  readonly copies: readonly BackupCopyView[]
}

/** What a backup file brought: rows that were not here before. */
export type BackupSummaryView = {
  readonly savedAt: number
  readonly payments: number
  readonly mints: number
  /** Coins, by unit; they rest until it is known that no payment with them is open. */
  readonly coins: readonly FoundView[]
}

export type FoundView = { readonly unit: string; readonly amount: number; readonly coins: number }

/** The search for the coins of a phrase at one mint. */
export type MintSearchView = {
  readonly mintUrl: string
  readonly name: string | null
  readonly state: 'looking' | 'done'
  readonly phase: 'generations' | 'milestones' | 'purses' | 'done'
  /** Blinded messages asked about so far. */
  readonly asked: number
  /** Estimated share that is done, 0 … 1. */
  readonly progress: number
  readonly purses: number
  /** Unspent, by unit. */
  readonly found: readonly FoundView[]
  /** Unspent, but of keysets that have ended: reported, worth asking the operator about. */
  readonly expired: readonly FoundView[]
  /** Why it does not go on at the moment; null when it does. */
  readonly trouble: string | null
}

/** Coins that a restore found rest until no payment with them can be open. */
export type RestoreView = {
  readonly searches: readonly MintSearchView[]
  readonly resting: {
    readonly amounts: readonly FoundView[]
    /** When they come home by themselves, milliseconds; null when nothing rests. */
    readonly until: number | null
    /** A person has said that no payment is open: they come home as soon as the mint answers. */
    readonly isReleased: boolean
  }
  /**
   * Why coins rest: `phrase` or `backup`: a restore; `old_copy`: this folder is older than what this computer knows;
   * `moved`: it comes from another computer or place; `twin`: another computer uses the same phrase.
   */
  readonly cause: 'phrase' | 'backup' | 'old_copy' | 'moved' | 'twin' | null
  /** Milliseconds. */
  readonly noticedAt: number | null
}

export type ProfileView = {
  /** Shown to payers; may be empty. */
  readonly name: string
  readonly fingerprint: FingerprintView
  /** Whether the person has proved that the twelve words are written down. */
  readonly phrase: 'unseen' | 'seen' | 'checked'
  /** Nobody has gone through the first run yet. */
  readonly isFirstRun: boolean
  readonly sealing: Sealing
  readonly version: string
}

/** What is accepted as `signed` from strangers, in the unit's smallest part. */
export type LimitsView = { readonly single: number; readonly total: number; readonly perHour: number }

export type SettingsView = {
  readonly appearance: 'system' | 'light' | 'dark'
  readonly sounds: boolean
  readonly notifications: boolean
  /** Lock after so many minutes without a person; null for never. Needs a passphrase. */
  readonly idleLockMinutes: number | null
  /** Whether this computer looks and is visible on the local network at all. */
  readonly lan: boolean
  readonly limits: LimitsView
}

/** Signed and not final, or on the way, in both directions. */
export type WaitingView = { readonly in: number; readonly out: number; readonly onItsWay: number }

export type PracticeView = {
  /** Whether this host can run a practice mint beside the app. */
  readonly isOffered: boolean
  readonly state: 'off' | 'starting' | 'running' | 'failed'
  readonly mintUrl: string | null
}

/** Everything a window mirrors. Each slice is sent whole when it changes. */
export type Slices = {
  readonly profile: ProfileView
  readonly settings: SettingsView
  readonly mints: readonly MintView[]
  /** The newest payments of both directions, newest first, at most `latestPayments`. */
  readonly latest: readonly PaymentView[]
  readonly waiting: WaitingView
  /** Payments of ours whose coins stay tied to them until a person takes them back; newest first, at most `latestPayments`. */
  readonly undecided: readonly PaymentView[]
  readonly nearby: NearbySlice
  /** Open withdraws and cash outs, and the newest that are over; newest first. */
  readonly withdraws: readonly WithdrawView[]
  readonly cashOuts: readonly CashOutView[]
  readonly practice: PracticeView
  readonly backup: BackupView
  readonly restore: RestoreView
}
export type SliceName = keyof Slices

export type Snapshot = { readonly revision: number; readonly slices: Slices }

export const latestPayments = 30

/** Where all coins of a unit are, for the books of a demonstration or an operator. Amounts in the unit. */
export type AuditView = {
  readonly unit: string
  readonly spendable: number
  readonly reserved: number
  readonly handedOver: number
  /** Coins that may be in another life's hands as well, those of keysets that have ended with them. */
  readonly resting: number
  readonly feesPaid: number
  /** Given back to the mint, which paid an invoice for it. */
  readonly cashedOut: number
  readonly openOperations: number
}

/** A claim as evidence: what a payer said to the world (protocol section 7). It holds no secret. Hex. */
export type ClaimView = { readonly paymentId: string; readonly body: string; readonly sig: string }
