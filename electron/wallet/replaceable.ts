// Replacement as payee (protocol section 8): which dead payment a Hello signs anew, and what its handover must be. Who
// asks is known by the swap digest alone; that it is the payer is shown by the coins, which only it can sign.

import { bytesToHex } from '../../shared/cashu/numbers.ts'
import { AppError } from '../../shared/errors.ts'
import type { Hello } from '../../shared/messages.ts'
import type { Context } from './context.ts'
import type { OperationIn, SwapRecord } from './operation.ts'
import { isClosed } from './requests.ts'

type DeadReceive = OperationIn<'receive', 'dead'>

/**
 * The dead payment that this Hello signs anew; null when it is a payment of its own. What is not known to be dead is
 * asked about at the mint now, if it can be reached.
 * @throws AppError `not_found`, `bad_input` for another amount, unit, mint or request, `not_settled` (later, perhaps),
 *   `request_closed` when it is paid, `conflict` when it was signed anew already
 */
export async function deadPayment(ctx: Context, hello: Hello, account: number): Promise<DeadReceive | null> {
  if (hello.replaces === undefined) return null
  const digest = bytesToHex(hello.replaces)
  const found = ctx.store.read.receiveBySwap(digest)
  if (!found) throw new AppError('not_found', 'no payment has this swap digest')
  const isSame =
    found.account === account &&
    found.unit === hello.unit &&
    found.amount === hello.amount &&
    found.requestId === (hello.requestId ?? null)
  if (!isSame) throw new AppError('bad_input', 'a replacement pays the same amount for the same')
  if (found.state === 'signed') await lookNow(ctx, found)
  return requireDead(ctx, found.id)
}

/** A mint that is slow is asked again when the payer asks again. */
async function lookNow(ctx: Context, { id, account, reading }: OperationIn<'receive', 'signed'>): Promise<void> {
  const isTooEarly = reading !== null && ctx.clock.now() - reading.at < ctx.config.readingGapMs
  if (isTooEarly || !ctx.mints.reachability(account).reachable) return
  await Promise.race([ctx.runNow(id), ctx.clock.wait(ctx.config.settleBeforeAnswerMs)])
}

/** Asked again in the turn of every transaction that relies on it. @throws AppError as `deadPayment` */
export function requireDead({ store }: Pick<Context, 'store'>, id: string): DeadReceive {
  const operation = store.read.operation(id)
  if (operation?.kind !== 'receive') throw new AppError('not_found', 'no such payment')
  switch (operation.state) {
    case 'dead':
      if (isClosed({ store }, operation.requestId)) throw new AppError('request_closed', 'this request was paid')
      return operation
    case 'final':
      throw new AppError('request_closed', 'this payment is final')
    case 'replaced':
      throw new AppError('conflict', 'this payment was signed anew already')
    case 'signed':
      throw new AppError('not_settled', 'this payment is not known to be dead', { retryable: true })
    default:
      throw new AppError('wrong_state', `this payment is ${operation.state}`)
  }
}

/** Whether a swap spends exactly the coins of another. */
export function hasSameCoins(swap: SwapRecord, other: SwapRecord): boolean {
  const Ys = new Set(other.inputs.map(({ Y }) => Y))
  return swap.inputs.length === Ys.size && swap.inputs.every(({ Y }) => Ys.has(Y))
}
