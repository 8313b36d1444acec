// The wallet engine: its operations over its ports. Runs unchanged in a window, behind a local page and in tests.

import { bytesToHex } from '../../shared/cashu/numbers.ts'
import { AppError } from '../../shared/errors.ts'
import type { Request } from '../../shared/request.ts'
import { type Context, type EngineConfig, randomBetween } from './context.ts'
import { stepReceive } from './deposit.ts'
import { claimingGenerations } from './generation.ts'
import { isHeldBack } from './held-back.ts'
import { abandonCashOut, type CashOutOrder, type CashOutPreview, confirmCashOut, prepareCashOut } from './melt.ts'
import { carryOn, stepMelt } from './melt-steps.ts'
import { createMints, type Mints } from './mints.ts'
import { moveOnInTime } from './move-on.ts'
import type { Operation, OperationOf } from './operation.ts'
import {
  abandonPay,
  closeSession,
  confirmPay,
  type OpenSessions,
  type PayOrder,
  type PayPreview,
  payableAtOnce,
  preparePay,
} from './pay.ts'
import { stepPay } from './pay-steps.ts'
import type {
  Clock,
  CoinVerifier,
  EngineEvent,
  LifeMemory,
  MintClients,
  PayeeProtocol,
  PeerDialer,
  Random,
} from './ports.ts'
import { due, newId, save } from './progress.ts'
import { bringHome, release, releaseInTime } from './quarantine.ts'
import { createPayeeProtocol } from './receive.ts'
import { payeeKeyIndex } from './received.ts'
import { beginReclaim, reclaimable, undecided } from './reclaim.ts'
import { isRefreshDue, startDueRefreshes, stepRefresh } from './refresh.ts'
import { closeRequest, storeRequest } from './requests.ts'
import { searchAgain, startSearches, stepRestore } from './restore.ts'
import { createRunner, type Runner } from './runner.ts'
import type { Secrets } from './secrets.ts'
import type { MintRow, WalletStore } from './store-port.ts'
import { createTwins, noteSpentElsewhere } from './twins.ts'
import { startWithdraw, stepWithdraw } from './withdraw.ts'

export type EngineParts = {
  readonly store: WalletStore
  readonly secrets: Secrets
  readonly mintClients: MintClients
  readonly dial: PeerDialer
  readonly clock: Clock
  readonly random: Random
  readonly verifyCoins: CoinVerifier
  readonly config: EngineConfig
  /** The one that new purses belong to; it moves on when this file turns out to be a copy. */
  readonly generation: () => number
  /** What this computer knows of the lives of this phrase, outside the database. */
  readonly memory?: LifeMemory | null
  /** Lets everything else that waits go first. */
  readonly turn?: () => Promise<void>
  readonly name: () => string
  readonly emit: (event: EngineEvent) => void
  readonly report: (error: AppError, operation: Operation | null) => void
}

/** What a person publishes to be paid, without where: the host adds its address. */
export type RequestOrder = {
  readonly account: number
  readonly unit: string
  readonly amount: number | null
  readonly singleUse: boolean
}

export type Engine = {
  readonly mints: Mints
  readonly runner: Runner
  /** To be served to payers. */
  readonly payee: PayeeProtocol
  withdraw(account: number, unit: string, amount: number): string
  /** @see preparePay */
  preparePay(order: PayOrder): Promise<PayPreview>
  /** @see confirmPay. Resolves when the first attempt is over, whatever came of it. */
  confirmPay(id: string): Promise<void>
  abandonPay(id: string): Promise<void>
  /** A person says that an unanswered handover arrived: settle it. @throws AppError `wrong_state`, also if it never left */
  markDelivered(id: string): Promise<void>
  /**
   * Take handed-over coins back by a swap to oneself; they are spendable when it is settled, not before.
   * @param isWarned a person was told that the payee may settle first
   * @throws AppError `wrong_state`, `dust`
   */
  reclaim(id: string, isWarned: boolean): Promise<void>
  /** @see prepareCashOut */
  prepareCashOut(order: CashOutOrder): Promise<CashOutPreview>
  /** @see confirmCashOut. Resolves when the first attempt is over, whatever came of it. */
  confirmCashOut(id: string): Promise<void>
  /** The person said no. @throws AppError `not_found`, `wrong_state` once it was confirmed */
  abandonCashOut(id: string): Promise<void>
  /** What may come of taking this payment back; `no` when there is nothing to take. */
  reclaimable(operation: OperationOf<'pay'>): 'no' | 'free' | 'warned'
  /** @see undecided */
  undecided(): readonly OperationOf<'pay'>[]
  /** @see payableAtOnce */
  payableAtOnce(account: number, unit: string): number
  /** The key that signs Terms, compressed. */
  readonly payeeKey: Uint8Array
  /** Answer no more payments for this request. @returns false when there is no such request */
  closeRequest(id: string): boolean
  /** Remember a request and give the parts of it that the engine knows. */
  createRequest(order: RequestOrder): Pick<Request, 'id' | 'payeeKey' | 'singleUse' | 'unit'>
  /** Search this mint for coins of the phrase once more, from the beginning. */
  searchAgain(account: number): void
  /** A person says that no payment is open: what rests comes home. Resolves when the mints that answer have begun. */
  noOpenPayments(): Promise<void>
  /** Look at every mint: keysets, reachability; start what became possible. */
  tick(): Promise<void>
}

export function createEngine(parts: EngineParts): Engine {
  const { clock, random, config, emit } = parts
  const store = claimingGenerations({ store: parts.store, clock, random, memory: parts.memory ?? null })
  const sessions: OpenSessions = new Map()
  const turn = parts.turn ?? (() => Promise.resolve())
  const onMintEvent = (event: EngineEvent): void => {
    if (event.kind === 'mint') hastenWhenBack(event.url)
    emit(event)
  }
  const mints = createMints({
    store,
    clients: parts.mintClients,
    clock,
    trustOffline: config.trustOffline,
    emit: onMintEvent,
    turn,
  })
  const runner = createRunner({ store, clock, step: (operation) => step(operation), report: parts.report })
  const ctx: Context = {
    store,
    secrets: parts.secrets,
    mints,
    clock,
    random,
    verifyCoins: parts.verifyCoins,
    dial: parts.dial,
    config,
    get generation() {
      return parts.generation()
    },
    memory: parts.memory ?? null,
    turn,
    name: parts.name,
    emit,
    wake: runner.wake,
    runNow: runner.runNow,
    runIfDue: runner.runIfDue,
    locked: runner.locked,
    isLocked: runner.isLocked,
  }

  // What a person was being asked when the program ended, nobody will answer any more: given up at once, not at its end.
  store.transaction((write) => write.hastenUnanswered(clock.now()))
  const twins = createTwins(ctx)
  /** Before anything else is done online; a payment that may go without the mint does not wait for it long. */
  const lookForTwins = async ({ account, kind }: Operation): Promise<void> => {
    const { reachable, since } = mints.reachability(account)
    const isPayment = kind === 'pay' || kind === 'receive'
    if (!reachable && (isPayment || since !== null)) return
    const look = twins.look(account)
    await (isPayment ? Promise.race([look, clock.wait(config.settleFirstMs)]) : look)
  }

  const step = async (before: Operation): Promise<void> => {
    if (config.lookForTwinsMs !== Number.POSITIVE_INFINITY) await lookForTwins(before)
    const operation = store.read.operation(before.id)
    if (!operation || (await isHeldBack(ctx, operation))) return
    await stepByKind(operation)
    if (operation.kind === 'refresh' && operation.reason === 'restore') await bringHome(ctx, operation.account)
  }
  const stepByKind = (operation: Operation): Promise<void> => {
    switch (operation.kind) {
      case 'withdraw':
        return stepWithdraw(ctx, operation)
      case 'pay':
        return stepPay(ctx, sessions, operation)
      case 'receive':
        return stepReceive(ctx, operation)
      case 'refresh':
        return stepRefresh(ctx, operation)
      case 'melt':
        return stepMelt(ctx, operation)
      case 'restore':
        return stepRestore(ctx, operation)
    }
  }

  /** The mint answers again: what waited for it is tried now. */
  const hastenWhenBack = (url: string): void => {
    const mint = store.read.mintByUrl(url)
    if (!mint || !mints.reachability(mint.account).reachable) return
    store.transaction((write) => write.hastenRetries(mint.account, clock.now()))
    // One that was just added, perhaps.
    startSearches(ctx)
    runner.wake()
  }

  /** Re-key after a random while, so that the mint does not see it follow the payment at once. */
  const refreshAt = new Map<number, number>()
  const refreshLater = (account: number): void => {
    const at = refreshAt.get(account)
    if (at === undefined) {
      if (isRefreshDue(ctx, account)) refreshAt.set(account, clock.now() + randomBetween(random, config.refreshDelayMs))
    } else if (at <= clock.now()) {
      refreshAt.delete(account)
      startDueRefreshes(ctx, account)
    }
  }

  const lookAt = async ({ account, removed }: MintRow): Promise<void> => {
    if (removed && store.read.coinCount(account) === 0) return
    if (!(await mints.sync(account))) return
    await twins.look(account)
    moveOnInTime(ctx, account)
    refreshLater(account)
    await bringHome(ctx, account)
  }

  const pay = (id: string): OperationOf<'pay'> => {
    const operation = store.read.operation(id)
    if (operation?.kind !== 'pay') throw new AppError('not_found', 'no such payment')
    return operation
  }

  return {
    mints,
    runner,
    payee: createPayeeProtocol(ctx),
    withdraw: (account, unit, amount) => startWithdraw(ctx, account, unit, amount).id,
    preparePay: (order) => preparePay(ctx, sessions, order),
    confirmPay: async (id) => {
      await runner.locked(id, () => confirmPay(ctx, id))
      await runner.runNow(id)
    },
    abandonPay: (id) =>
      runner.locked(id, async () => {
        abandonPay(ctx, id, 'a person said no')
        await closeSession(sessions, id)
      }),
    markDelivered: (id) =>
      runner.locked(id, async () => {
        const operation = pay(id)
        if (operation.state !== 'handing_over') throw new AppError('wrong_state', `payment is ${operation.state}`)
        // Nobody would tell the payee of it: in 'signed' it is taken for told.
        if (!operation.handedOver) throw new AppError('wrong_state', 'it has not left this computer')
        save(ctx, { ...operation, state: 'signed', settleAt: clock.now(), ...due(ctx, 0) })
        runner.wake()
      }),
    prepareCashOut: (order) => prepareCashOut(ctx, order),
    confirmCashOut: async (id) => {
      await runner.locked(id, async () => confirmCashOut(ctx, id))
      await carryOn(ctx, id)
    },
    abandonCashOut: (id) => runner.locked(id, async () => abandonCashOut(ctx, id, 'a person said no')),
    reclaimable: (operation) => reclaimable(ctx, operation),
    undecided: () => undecided(ctx),
    payableAtOnce: (account, unit) => payableAtOnce(ctx, account, unit),
    payeeKey: parts.secrets.payeeKey(payeeKeyIndex),
    closeRequest: (id) => closeRequest(ctx, id),
    reclaim: (id, isWarned) => runner.locked(id, async () => beginReclaim(ctx, pay(id), isWarned)),
    createRequest: ({ account, unit, amount, singleUse }) => {
      const id = newId(ctx).slice(0, 16)
      storeRequest(ctx, { id, account, unit, amount, singleUse, createdAt: clock.now() })
      return { id, unit, singleUse, payeeKey: bytesToHex(parts.secrets.payeeKey(payeeKeyIndex)) }
    },
    searchAgain: (account) => searchAgain(ctx, account),
    noOpenPayments: async () => {
      release(ctx)
      startSearches(ctx)
      emit({ kind: 'balance' })
      await Promise.all(
        store.read
          .mints()
          .map(({ account }) => (mints.reachability(account).reachable ? bringHome(ctx, account) : null)),
      )
    },
    tick: async () => {
      store.transaction((write) => write.hastenFuture(clock.now()))
      releaseInTime(ctx)
      startSearches(ctx)
      runner.wake()
      const looks = await Promise.allSettled(store.read.mints().map((mint) => lookAt(mint)))
      if (config.lookForTwinsMs !== Number.POSITIVE_INFINITY) noteSpentElsewhere(ctx)
      for (const look of looks) if (look.status === 'rejected') throw look.reason
    },
  }
}
