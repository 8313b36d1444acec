// What the engine needs of its store: synchronous, one file, transactions that hold together what must not come apart.

import type { Keyset } from '../../shared/cashu/keyset.ts'
import type { PaymentFilter } from '../../shared/model.ts'
import type { Operation, OperationKind, SwapRecord } from './operation.ts'
import type { CoinPath, PursePath } from './secrets.ts'

export type { PursePath }

/** A mint this wallet knows. `account` is its place in the derivation, numbered from 0 as mints are added. */
export type MintRow = {
  readonly account: number
  readonly url: string
  readonly name: string | null
  /** NUT-06 version text; a change calls for a new probe. */
  readonly version: string | null
  /** Whether signed handovers are trusted: the mint enforces SIG_ALL. Otherwise online only. */
  readonly offlineCapable: boolean
  /** Milliseconds; when the mint last answered, null for never. */
  readonly lastReachedAt: number | null
  /** What the mint said that does not fit what it said before; null when nothing. */
  readonly alarm: string | null
  /** Taken off the list by a person: not asked, not offered, kept. */
  readonly removed: boolean
}

/** `account` is the one of the derivation; of a purse that a restore found it may differ from its mint's in this file. */
export type PurseRow = PursePath & {
  /** Store id of the purse. */
  readonly id: number
  readonly unit: string
  readonly purpose: 'withdraw' | 'receive' | 'change' | 'refresh' | 'restored'
  /** Next unused coin index. */
  readonly nextCoin: number
  /** Whether its key was shown to anyone: a purse that has paid is re-keyed when online. */
  readonly used: boolean
  /** Whether it takes no more coins. */
  readonly closed: boolean
}

/** `quarantined`: found by a restore, may be part of an open handover. */
export type CoinState = 'spendable' | 'reserved' | 'handed_over' | 'spent' | 'quarantined'

/** A coin of ours. Its secret, nonce and blinding factor are derived from `path`, never stored. */
export type Coin = {
  /** Compressed Y, 66 hex characters. */
  readonly Y: string
  readonly purseId: number
  readonly path: CoinPath
  /** Of the mint in this file. */
  readonly account: number
  readonly unit: string
  /** Keyset id as the mint serves it. */
  readonly keysetId: string
  readonly amount: number
  readonly C: string
  readonly e: string
  readonly s: string
  readonly state: CoinState
  /** The operation it is tied to, or the one that spent it. */
  readonly operationId: string | null
}

/** An output of ours: which coin of which purse a B_ is. */
export type OwnOutput = {
  readonly B_: string
  readonly purseId: number
  readonly path: CoinPath
  readonly operationId: string
}

/** Purse numbers of one generation and account that were taken: 0 as the highest also when there is none. */
export type TakenPurses = {
  readonly highest: number
  readonly has: (purse: number) => boolean
  /**
   * The milestone that is to be filled next: the newest, or one on the way there that is near enough to the last one with
   * coins. One that was taken for a swap that failed counts as none. Undefined when nothing is due.
   */
  readonly dueMilestone: () => number | undefined
}

export type CoinTotals = Readonly<Record<CoinState, number>>

export type OperationFilter = {
  readonly kind?: OperationKind
  /** Payments in both directions, without Terms that nobody answered. */
  readonly isPayment?: true
  readonly states?: readonly string[]
  readonly account?: number
  /** Newest first, at most this many. */
  readonly limit?: number
  /** Leave out rows that cannot be read: for what is shown, and for what is done again without them. */
  readonly isLenient?: true
}

/** Which payments of both directions, newest first. */
export type PaymentQuery = {
  /** Only older ones than the payment with this sequence number. */
  readonly before: number | null
  readonly limit: number
  /** Part of name, note or amount; '' for all. */
  readonly search: string
  readonly filter: PaymentFilter
}

export type PaymentPage = {
  readonly operations: readonly Operation[]
  /** Under this search and filter, on all pages. */
  readonly total: number
  /** `before` of the next page; null at the end. */
  readonly next: number | null
}

export type DueOperations = {
  readonly operations: readonly Operation[]
  /** Ids of rows that are due and make no sense. */
  readonly unreadable: readonly string[]
}

/** Reads see the last committed state, or the running transaction's own. */
export type WalletReads = {
  operation(id: string): Operation | undefined
  /**
   * One that another operation names: what concerns that one goes on where this makes no sense. Whatever depends on it waits,
   * or takes it for what frees no coin.
   */
  other(id: string): Operation | 'unreadable' | undefined
  operations(filter: OperationFilter): readonly Operation[]
  /** Payments as people see them: nothing that was only asked about, and no row that cannot be read. */
  payments(query: PaymentQuery): PaymentPage
  /** When an operation came into which state, oldest first. */
  history(id: string): readonly { readonly at: number; readonly state: string }[]
  /** How many payments of this mint (of all: null) are signed to us, signed by us, on their way. */
  waiting(account: number | null): { readonly in: number; readonly out: number; readonly onItsWay: number }
  /** The newest payment of ours for this request of this payee in one of these states; a row that may be one counts. */
  payOfRequest(requestId: string, payeeKey: string, states: readonly string[]): Operation | 'unreadable' | undefined
  /** Whether a withdraw or a cash out of this mint is not over, be its row readable or not. */
  isExpecting(account: number): boolean
  /**
   * Operations whose `nextAttemptAt` is not after `now`: those with something at stake first, questions about what is
   * over or never came last; newest first among equals. A row that cannot be read is left out and named, one of `limit`.
   */
  dueOperations(now: number, limit: number): DueOperations
  /** The earliest `nextAttemptAt`, or null. */
  nextDueAt(): number | null
  /** The receive operation of (payer peer id in hex, payment id in hex). */
  receiveOf(payerPeer: string, paymentId: string): Operation | undefined
  /** The receive operation whose Terms have this hash (hex). */
  receiveByTerms(termsHash: string): Operation | undefined
  /** The receive operation whose accepted handover has this swap digest (hex). */
  receiveBySwap(digest: string): Extract<Operation, { kind: 'receive'; swap: SwapRecord }> | undefined
  /** Whether a signed or final payment names this request. */
  isRequestAnswered(requestId: string): boolean
  /**
   * How many Terms sent since `since` led to no accepted payment: from this address, and in all of those that were, or were
   * not, for a request of ours.
   */
  openTerms(
    address: string,
    forRequest: boolean,
    since: number,
  ): { readonly fromAddress: number; readonly inAll: number }
  /**
   * Sum of unsettled signed payments, without those that get no receipt because of the limits, and how many were signed
   * since `since`, whatever became of them.
   */
  signedPayments(unit: string, since: number): { readonly sum: number; readonly count: number }

  mints(): readonly MintRow[]
  mint(account: number): MintRow | undefined
  mintByUrl(url: string): MintRow | undefined
  /** Keysets of a mint, with the account they belong to. */
  keysets(account: number): readonly Keyset[]
  /** Units of this mint's keysets, whether these can be read or not. */
  units(account: number): readonly string[]
  keyset(id: string): { readonly account: number; readonly keyset: Keyset } | undefined
  keysetV2(idV2: string): { readonly account: number; readonly keyset: Keyset } | undefined

  purse(id: number): PurseRow | undefined
  /** Of one unit, or of all when `unit` is null. */
  purses(account: number, unit: string | null): readonly PurseRow[]
  /** The purse at this place of the derivation whose mint is that of `account`. */
  purseAt(path: PursePath, account: number): PurseRow | undefined
  takenPurses(generation: number, account: number): TakenPurses
  /** Of this mint: the same path has the same Y at every mint. */
  coin(account: number, Y: string): Coin | undefined
  /** By their index. */
  coinsIn(purseId: number): readonly Coin[]
  coins(account: number, unit: string, state: CoinState): readonly Coin[]
  coinsOf(operationId: string): readonly Coin[]
  /** Asked of this mint: the same path has the same B_ at every mint. */
  ownOutput(account: number, B_: string): OwnOutput | undefined
  /**
   * Whether this wallet, as payee, accepted a handover of a coin with this Y before, of whatever mint: one secret is used
   * once. Who has used it at two mints is refused the second time, and has that coin still.
   */
  wasSeen(Y: string): boolean
  /** The payment that brought it. */
  seenBy(Y: string): string | undefined
  /** Each stops at the largest amount. */
  totals(account: number, unit: string): CoinTotals
  /** Coins of a mint that are not spent. */
  coinCount(account: number): number
  /** Sum of the unsettled payments to us of this mint that have a receipt. */
  signedToUs(account: number, unit: string): number
  /**
   * How far this file has come: grows with every purse and index that is taken and every state that an operation comes into,
   * and with nothing that could be undone. A copy of the file that was left behind has less.
   */
  changes(): number
  /** A setting or counter, parsed JSON; undefined when it was never written. */
  meta(key: string): unknown
}

/** Writes happen inside `transaction` only and throw outside it. */
export type WalletWrites = {
  insertOperation(operation: Operation): void
  /** @throws AppError `wrong_state` when the transition table has no such arrow, or the row is gone */
  updateOperation(operation: Operation): void
  /** Operations of this mint that wait for another try become due now: the mint answers again. */
  hastenRetries(account: number, now: number): void
  /** Operations that were last touched in what is now the future become due now: the clock was set back. */
  hastenFuture(now: number): void
  /** What a person was asked and has not answered is due now: nobody will. What signs a payment anew asks nobody. */
  hastenUnanswered(now: number): void
  /** These are not due before `until`, whatever else stands in their rows. */
  postpone(ids: readonly string[], until: number): void
  insertMint(mint: Omit<MintRow, 'account' | 'removed'>): MintRow
  updateMint(mint: MintRow): void
  /** @throws AppError `keyset_twin` when the id, or its V2 id, belongs to other keys or another mint */
  putKeyset(account: number, keyset: Keyset): void
  /**
   * Take the next purse of an account: persisted before use, never given twice.
   * 'milestone' takes the multiple of 100 that is due, 'own' takes purse 0 while it is free and any other number after,
   * 'offered' (Terms, change) never takes a multiple of 100.
   */
  takePurse(
    place: { generation: number; account: number; unit: string },
    purpose: Exclude<PurseRow['purpose'], 'restored'>,
    kind: 'own' | 'offered' | 'milestone',
  ): PurseRow
  /**
   * A purse that a restore found at the mint of `account`: closed, never filled again. Known already, it keeps the higher
   * `nextCoin`.
   */
  putRestoredPurse(path: PursePath, account: number, unit: string, nextCoin: number): PurseRow
  /** Spendable coins, of one mint or of all, rest from now on: this file may be an old copy. @returns how many */
  quarantineSpendable(account: number | null): number
  markPurse(id: number, marks: { readonly used?: true; readonly closed?: true }): void
  /** Advance a purse's coin counter by `count` and return the first index. */
  takeCoinIndices(purseId: number, count: number): number
  insertOutputs(outputs: readonly OwnOutput[]): void
  /**
   * Tie coins of one mint to an operation. @throws AppError `wrong_state` unless every one of them was in state `from`
   */
  moveCoins(
    account: number,
    Ys: readonly string[],
    from: readonly CoinState[],
    to: CoinState,
    operationId: string | null,
  ): void
  /** Insert coins that are not there yet; one that is (the same place of the same purse) stays as it is. */
  insertCoins(coins: readonly Coin[]): void
  markSeen(Ys: readonly string[], operationId: string): void
  /** They are brought again by the payment that signs the first one anew. @throws AppError `wrong_state` unless all were seen with it */
  moveSeen(Ys: readonly string[], from: string, to: string): void
  setMeta(key: string, value: unknown): void
}

export type WalletStore = {
  readonly read: WalletReads
  /** All or nothing, durable when it returns. `work` is synchronous and short: no await, no event, no log in it. */
  transaction<T>(work: (write: WalletWrites) => T): T
  close(): void
}
