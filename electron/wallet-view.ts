// What people see of a wallet, read from its store at the moment of asking. No change is made here but that the looks of
// keys are remembered.

import { cappedSum } from '../shared/amount.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { AppError, type ErrorCode, errorCodes } from '../shared/errors.ts'
import { fingerprintOf } from '../shared/fingerprint.ts'
import {
  type CashOutView,
  type FingerprintView,
  latestPayments,
  type MintView,
  type NearbySlice,
  type NearbyView,
  type PaymentDetailView,
  type PaymentPageView,
  type PaymentState,
  type PaymentView,
  type ProfileView,
  type ReadRequestView,
  type RestoreView,
  type UnitBalance,
  type WaitingView,
  type WithdrawView,
} from '../shared/model.ts'
import { bareRequest, decodeRequest, encodeRequest, type Request } from '../shared/request.ts'
import { z } from '../shared/schema.ts'
import type { Reach } from './reach.ts'
import { restoreView } from './restore-view.ts'
import { hasBegun, nameOf, phraseStateOf } from './settings.ts'
import {
  cashOutView,
  isOnlyAsked,
  isPayment,
  type Payment,
  type PaymentFacts,
  paymentDetailView,
  paymentView,
  stateOf,
  withdrawView,
} from './views.ts'
import type { Engine } from './wallet/engine.ts'
import { normaliseMintUrl } from './wallet/mints.ts'
import type { Operation, OperationOf } from './wallet/operation.ts'
import type { Clock } from './wallet/ports.ts'
import { restingOf, spendableOf } from './wallet/quarantine.ts'
import { predecessors } from './wallet/replaced.ts'
import type { MintRow, PaymentQuery, WalletStore } from './wallet/store-port.ts'

export type WalletView = {
  profile(): ProfileView
  mints(): readonly MintView[]
  mint(row: MintRow): MintView
  /** Whether a mint is on the list: not taken off, or still holding coins. */
  isListed(row: MintRow): boolean
  mintUrl(account: number): string
  unitsOf(account: number): readonly string[]
  /** Our mint to pay this request with, the best one first. */
  mintFor(request: Request): MintRow | undefined
  /** @throws AppError `not_found` */
  payment(id: string): PaymentView
  /** @throws AppError `not_found` */
  paymentDetail(id: string): PaymentDetailView
  /** Newest first, without Terms that nobody answered. */
  payments(limit: number): readonly PaymentView[]
  page(query: PaymentQuery): PaymentPageView
  /** A payment that just changed, and its state before; undefined when this id is another operation's. */
  change(id: string): { readonly view: PaymentView; readonly was: PaymentState | null } | undefined
  waiting(): WaitingView
  /** Payments that wait for a person: nothing more comes of them by itself. */
  undecided(): readonly PaymentView[]
  withdraws(): readonly WithdrawView[]
  cashOuts(): readonly CashOutView[]
  nearby(): NearbySlice
  restore(): RestoreView
  /** @throws AppError `bad_input` */
  readRequest(text: string): ReadRequestView
  /** The look of a key (66 hex characters). */
  fingerprint(payeeKey: string): FingerprintView
}

export type WalletViewParts = {
  readonly engine: Engine
  readonly store: WalletStore
  readonly clock: Clock
  readonly reach: Pick<Reach, 'state'>
  readonly sealing: () => ProfileView['sealing']
  readonly practiceUrl: () => string | null
  readonly version: string
}

/** Of each kind, beside older ones that are open. */
const shownLatest = 12
const openStates = {
  withdraw: ['quoting', 'unpaid', 'issuing'],
  melt: ['quoting', 'quoted', 'gathering', 'melting', 'returning'],
} as const satisfies { readonly [K in 'withdraw' | 'melt']: readonly OperationOf<K>['state'][] }

export function createWalletView(parts: WalletViewParts): WalletView {
  const { engine, store, clock, reach } = parts
  const { read } = store
  const startedAt = clock.now()
  /** Payments to us that were last told without a receipt: the history does not know of it. */
  const checked = new Set<string>()
  const fingerprint = createFingerprints(store)
  const mintUrl = (account: number): string => read.mint(account)?.url ?? ''
  const unitsOf = (account: number): readonly string[] => read.units(account)
  const holdsCoins = (account: number): boolean =>
    unitsOf(account).some((unit) => {
      const { spendable, reserved, handed_over, quarantined } = read.totals(account, unit)
      return spendable + reserved + handed_over + quarantined > 0
    })
  const isListed = ({ removed, account }: MintRow): boolean => !removed || holdsCoins(account)
  const listed = (): readonly MintRow[] => read.mints().filter(isListed)

  const factsOf = (operation: Payment): PaymentFacts => ({
    mintUrl: mintUrl(operation.account),
    now: clock.now(),
    payee: 'payeeKey' in operation ? fingerprint(operation.payeeKey) : null,
    reclaim: operation.kind === 'pay' ? engine.reclaimable(operation) : 'no',
  })
  const viewOf = (operation: Payment): PaymentView => paymentView(operation, factsOf(operation))
  const paymentAt = (id: string): Payment => {
    const operation = read.operation(id)
    if (!isPayment(operation)) throw new AppError('not_found', 'no such payment')
    return operation
  }

  const balance = (account: number, unit: string): UnitBalance => {
    const { reserved, handed_over } = read.totals(account, unit)
    const { spendable, expired } = spendableOf({ store, clock }, account, unit)
    const resting = restingOf({ store, clock }, account, unit)
    return {
      unit,
      spendable,
      onItsWay: cappedSum([reserved, handed_over]),
      signedToUs: read.signedToUs(account, unit),
      payableAtOnce: spendable === 0 ? 0 : engine.payableAtOnce(account, unit),
      resting: resting.live.amount,
      expired: cappedSum([expired, resting.expired.amount]),
    }
  }
  const mint = (row: MintRow): MintView => {
    const { account, url, name, version, lastReachedAt } = row
    const { reachable, since } = engine.mints.reachability(account)
    const active = read.keysets(account).filter((keyset) => keyset.active)
    const ends = active.flatMap(({ finalExpiry }) => finalExpiry ?? [])
    const { in: waitingIn, out } = read.waiting(account)
    return {
      url,
      name,
      isPlayMoney: /play money/i.test(name ?? ''),
      isPractice: url === parts.practiceUrl(),
      isOnlineOnly: !row.offlineCapable,
      isReachable: reachable,
      since,
      lastReachedAt,
      alarm: alarmCode(row.alarm),
      version,
      units: unitsOf(account),
      feePpk: Math.max(0, ...active.map(({ feePpk }) => feePpk)),
      keysetEndsAt: ends.length > 0 ? Math.min(...ends) * 1000 : null,
      coins: read.coinCount(account),
      waiting: { in: waitingIn, out },
      balances: unitsOf(account).map((unit) => balance(account, unit)),
    }
  }

  /** One whose keysets cannot be read is shown as that, and keeps nobody from seeing the others. */
  const mintOrDamaged = (row: MintRow): MintView => {
    try {
      return mint(row)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'folder_damaged') throw error
      return damagedMint(row)
    }
  }
  const damagedMint = ({ account, url, name, version, lastReachedAt, offlineCapable }: MintRow): MintView => {
    const { reachable, since } = engine.mints.reachability(account)
    const { in: waitingIn, out } = read.waiting(account)
    return {
      ...{ url, name, version, since, lastReachedAt },
      isPlayMoney: /play money/i.test(name ?? ''),
      isPractice: url === parts.practiceUrl(),
      isOnlineOnly: !offlineCapable,
      isReachable: reachable,
      alarm: 'folder_damaged',
      units: [],
      feePpk: 0,
      keysetEndsAt: null,
      coins: read.coinCount(account),
      waiting: { in: waitingIn, out },
      balances: [],
    }
  }

  /** Payable ones that the request names: reachable before not, then by what they hold. */
  const mintsFor = ({ mints, unit }: Request): readonly MintRow[] => {
    const worth = ({ account }: MintRow) =>
      Number(engine.mints.reachability(account).reachable) * 2 ** 53 +
      spendableOf({ store, clock }, account, unit).spendable
    return listed()
      .filter(({ url, account }) => mints.some((named) => isSameMint(named, url)) && unitsOf(account).includes(unit))
      .sort((a, b) => worth(b) - worth(a))
  }

  /** Newest first. */
  const shownOf = (kind: 'withdraw' | 'melt'): readonly Operation[] => {
    const latest = read.operations({ kind, limit: shownLatest, isLenient: true })
    const shown = new Set(latest.map(({ id }) => id))
    const open = read.operations({ kind, states: openStates[kind], isLenient: true })
    return [...latest, ...open.filter(({ id }) => !shown.has(id))]
  }

  const payments = (query: PaymentQuery): PaymentPageView => {
    const { operations, total, next } = read.payments(query)
    return { items: operations.filter(isPayment).map(viewOf), total, next }
  }

  const readRequest = (text: string): ReadRequestView => {
    const request = decodeRequest(text)
    return {
      text: bareRequest(text),
      amount: request.amount ?? null,
      unit: request.unit,
      description: request.description ?? null,
      payee: fingerprintOf(hexToBytes(request.payeeKey)),
      mintUrls: mintsFor(request).map(({ url }) => url),
      namedMints: request.mints,
    }
  }

  return {
    profile: () => ({
      name: nameOf(store),
      fingerprint: fingerprint(bytesToHex(engine.payeeKey)),
      phrase: phraseStateOf(store),
      isFirstRun: !hasBegun(store),
      sealing: parts.sealing(),
      version: parts.version,
    }),
    mints: () => listed().map(mintOrDamaged),
    mint,
    isListed,
    mintUrl,
    unitsOf,
    mintFor: (request) => mintsFor(request)[0],
    payment: (id) => viewOf(paymentAt(id)),
    paymentDetail: (id) => {
      const operation = paymentAt(id)
      const before = predecessors(store, operation).toReversed()
      const histories = before.map((one) => read.history(one.id))
      return paymentDetailView(operation, factsOf(operation), read.history(id), histories)
    },
    payments: (limit) => read.operations({ isPayment: true, limit, isLenient: true }).filter(isPayment).map(viewOf),
    page: payments,
    change: (id) => {
      const operation = read.operation(id)
      if (!isPayment(operation) || isOnlyAsked(operation)) return undefined
      const [last, before] = read.history(id).toReversed()
      // A change of state in this run has one before it; anything else is only looked at again.
      const isNew = last !== undefined && last.at >= startedAt && last.at === operation.updatedAt
      const was = isNew ? before?.state : last?.state
      const view = viewOf(operation)
      const wasChecked = checked.delete(id)
      if (operation.kind === 'receive' && view.state === 'on_its_way') checked.add(id)
      if (wasChecked) return { view, was: 'on_its_way' }
      return { view, was: was === undefined ? null : (stateOf(operation.kind, was) ?? null) }
    },
    waiting: () => read.waiting(null),
    undecided: () => engine.undecided().slice(0, latestPayments).map(viewOf),
    withdraws: () =>
      shownOf('withdraw').flatMap((one) => (one.kind === 'withdraw' ? withdrawView(one, mintUrl(one.account)) : [])),
    cashOuts: () =>
      shownOf('melt').flatMap((one) => (one.kind === 'melt' ? cashOutView(one, mintUrl(one.account)) : [])),
    restore: () => restoreView({ store, clock }),
    nearby: () => {
      const { isLooking, visibleUntil, people } = reach.state()
      return {
        isLooking,
        isVisible: visibleUntil !== null,
        visibleUntil,
        people: people.map(({ address, card }): NearbyView => {
          const look = card && {
            name: card.name,
            payee: fingerprintOf(card.payeeKey),
            // Addresses in it are a stranger's own words: only the announced one is dialled.
            asks:
              card.request === null
                ? null
                : orNull((text) => readRequest(atAddress(text, address.multiaddrs)), card.request),
          }
          return { peerId: address.peerId, multiaddrs: address.multiaddrs, card: look }
        }),
      }
    },
    readRequest,
    fingerprint,
  }
}

function orNull<A, R>(work: (argument: A) => R, argument: A): R | null {
  try {
    return work(argument)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

const atAddress = (text: string, multiaddrs: readonly string[]): string =>
  encodeRequest({ ...decodeRequest(text), multiaddrs: [...multiaddrs] })

function isSameMint(a: string, b: string): boolean {
  return orNull(normaliseMintUrl, a) === orNull(normaliseMintUrl, b)
}

const codes: ReadonlySet<string> = new Set(errorCodes)
const isErrorCode = (text: string): text is ErrorCode => codes.has(text)
const alarmCode = (alarm: string | null): ErrorCode | null =>
  alarm === null ? null : isErrorCode(alarm) ? alarm : 'mint_lies'

const storedLook = z.object({
  words: z.tuple([z.string(), z.string(), z.string(), z.string()]),
  picture: z.string().regex(/^[0-9a-f]{32}$/),
})

/**
 * The look of a key is slow to compute on purpose: that of a key we paid, and our own, is kept beside the wallet. Those of
 * strangers who only show themselves are not: they could fill it.
 */
function createFingerprints(store: WalletStore): (payeeKey: string) => FingerprintView {
  const known = new Map<string, FingerprintView>()
  return (payeeKey) => {
    const name = `look/${payeeKey.slice(2)}`
    const before = known.get(name)
    if (before) return before
    const stored = storedLook.safeParse(store.read.meta(name))
    const look = stored.success ? stored.data : fingerprintOf(hexToBytes(payeeKey))
    if (!stored.success) store.transaction((write) => write.setMeta(name, look))
    known.set(name, look)
    return look
  }
}
