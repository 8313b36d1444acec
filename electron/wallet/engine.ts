// The wallet engine: its operations over its ports. Runs unchanged in a window, behind a local page and in tests.

import { bytesToHex } from '../../shared/cashu/numbers.ts'
import { AppError } from '../../shared/errors.ts'
import type { PayPreviewView } from '../../shared/model.ts'
import type { Request } from '../../shared/request.ts'
import { type Context, type EngineConfig, randomBetween } from './context.ts'
import { stepReceive } from './deposit.ts'
import { createMints, type Mints } from './mints.ts'
import type { Operation, OperationOf } from './operation.ts'
import { abandonPay, confirmPay, type OpenSessions, type PayOrder, preparePay } from './pay.ts'
import { closeSession, stepPay } from './pay-steps.ts'
import type { Clock, CoinVerifier, EngineEvent, MintClients, PayeeProtocol, PeerDialer, Random } from './ports.ts'
import { due, newId, save } from './progress.ts'
import { createPayeeProtocol } from './receive.ts'
import { payeeKeyIndex } from './received.ts'
import { isRefreshDue, planRefresh, startDueRefreshes, stepRefresh } from './refresh.ts'
import { storeRequest } from './requests.ts'
import { createRunner, type Runner } from './runner.ts'
import type { Secrets } from './secrets.ts'
import type { WalletStore } from './store-port.ts'
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
  readonly generation: number
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
  preparePay(order: PayOrder): Promise<PayPreviewView>
  /** @see confirmPay. Resolves when the first attempt is over, whatever came of it. */
  confirmPay(id: string): Promise<void>
  abandonPay(id: string): Promise<void>
  /** A person says that an unanswered handover arrived: settle it. @throws AppError `wrong_state` */
  markDelivered(id: string): Promise<void>
  /**
   * Take handed-over coins back by a swap to oneself; they are spendable when it is settled, not before.
   * @param isWarned a person was told that the payee may settle first
   * @throws AppError `wrong_state`, `dust`
   */
  reclaim(id: string, isWarned: boolean): Promise<void>
  /** Remember a request and give the parts of it that the engine knows. */
  createRequest(order: RequestOrder): Pick<Request, 'id' | 'payeeKey' | 'singleUse' | 'unit'>
  /** Look at every mint: keysets, reachability; start what became possible. */
  tick(): Promise<void>
}

export function createEngine(parts: EngineParts): Engine {
  const { store, clock, random, config, emit } = parts
  const sessions: OpenSessions = new Map()
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
    generation: parts.generation,
    name: parts.name,
    emit,
    wake: runner.wake,
    runNow: runner.runNow,
    locked: runner.locked,
    isLocked: runner.isLocked,
  }

  const step = (operation: Operation): Promise<void> => {
    switch (operation.kind) {
      case 'withdraw':
        return stepWithdraw(ctx, operation)
      case 'pay':
        return stepPay(ctx, sessions, operation)
      case 'receive':
        return stepReceive(ctx, operation)
      case 'refresh':
        return stepRefresh(ctx, operation)
    }
  }

  /** The mint answers again: what waited for it is tried now. */
  const hastenWhenBack = (url: string): void => {
    const mint = store.read.mintByUrl(url)
    if (!mint || !mints.reachability(mint.account).reachable) return
    store.transaction((write) => write.hastenRetries(mint.account, clock.now()))
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
        save(ctx, { ...operation, state: 'signed', settleAt: clock.now(), ...due(ctx, 0) })
        runner.wake()
      }),
    reclaim: (id, isWarned) => runner.locked(id, async () => beginReclaim(ctx, pay(id), isWarned)),
    createRequest: ({ account, unit, amount, singleUse }) => {
      const id = newId(ctx).slice(0, 16)
      storeRequest(ctx, { id, account, unit, amount, singleUse, createdAt: clock.now() })
      return { id, unit, singleUse, payeeKey: bytesToHex(parts.secrets.payeeKey(payeeKeyIndex)) }
    },
    tick: async () => {
      store.transaction((write) => write.hastenFuture(clock.now()))
      runner.wake()
      await Promise.all(
        store.read.mints().map(async ({ account }) => {
          if (await mints.sync(account)) refreshLater(account)
        }),
      )
    },
  }
}

/** The payment stops first, in the transaction that signs the swap back: the runner sends its old swap no more. */
function beginReclaim(ctx: Context, operation: OperationOf<'pay'>, isWarned: boolean): void {
  const { state } = operation
  const isOver = 'deadline' in operation && operation.deadline * 1000 < ctx.clock.now()
  switch (state) {
    case 'settling':
    case 'handing_over':
    case 'signed':
    case 'voided':
    case 'dead': {
      const isFree = state === 'voided' || state === 'dead' || isOver
      if (!isFree && !isWarned) throw new AppError('wrong_state', 'the payee may settle first: a person must be warned')
      ctx.store.transaction((write) => {
        const { account, unit, id } = operation
        const coins = ctx.store.read.coinsOf(id).filter((coin) => coin.state !== 'spent')
        const { id: reclaim } = planRefresh(ctx, write, { account, unit, coins, reason: 'reclaim', reclaims: id })
        write.updateOperation({ ...operation, state: 'reclaiming', reclaim, ...due(ctx, 0) })
      })
      ctx.emit({ kind: 'operation', id: operation.id })
      ctx.wake()
      return
    }
    default:
      throw new AppError('wrong_state', `payment is ${state}`)
  }
}
