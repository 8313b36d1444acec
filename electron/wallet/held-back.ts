// What is not sent: a payment, a swap or a cash out over coins that another life of this wallet may have given to somebody
// else. The facts at the mint end it all the same.

import type { Context } from './context.ts'
import { ownFrom } from './generation.ts'
import { type Operation, promisedBy } from './operation.ts'
import { retry, save } from './progress.ts'

type Reads = Pick<Context, 'store'>

/**
 * Whether this operation is to wait, because
 *   - its coins are tied to another one: that was brought by the file of another life, and whoever has more in hand, the
 *     other one or this, has the coins (merge-rivals.ts); or because
 *   - it was under way when this file was found to be a copy: the other life may have taken its coins back since. It is
 *     handed to nobody until the mint has said that they are there.
 * Once the mint says that a coin is spent there is nothing left to give away: the mint is asked to settle it, and says how
 * it ended. What there is to note is noted. A bounced payment looks at its coins all the same: before it is sent again, it asks
 * whether they are its own (pay-steps.ts).
 */
export async function isHeldBack(ctx: Context, operation: Operation): Promise<boolean> {
  if (operation.kind === 'pay' && operation.state === 'bounced') return false
  const Ys = promisedBy(operation)
  const isOthers = !hasItsCoins(ctx, operation)
  if (Ys.length === 0 || (!isOthers && !isOfAnEarlierLife(ctx, operation))) return false
  const states = await ctx.mints.client(operation.account).checkState(Ys)
  if (states.kind !== 'ok') {
    const wait = states.kind === 'unknown' ? states.retryAfterMs : undefined
    retry(ctx, operation, 'this wallet may be a copy: the mint has to say first whether these coins are there', wait)
    return true
  }
  const isThere = states.value.every((state) => state === 'UNSPENT')
  if (isOthers && !states.value.includes('SPENT')) {
    retry(ctx, operation, 'another life of this wallet has given these coins away')
    return true
  }
  if (isThere || operation.kind !== 'pay' || (operation.state !== 'settling' && operation.state !== 'handing_over')) {
    return false
  }
  // Settled by the other life, or spent by it: the facts decide, and nothing is handed over.
  const { state, ...rest } = operation
  if (state === 'settling') save(ctx, { ...rest, state: 'handing_over' })
  save(ctx, { ...rest, state: 'signed', settleAt: ctx.clock.now(), nextAttemptAt: ctx.clock.now() })
  ctx.wake()
  return true
}

/** Whether the coins it would send a signature over are its own, or spent. */
export function hasItsCoins({ store }: Reads, operation: Operation): boolean {
  return promisedBy(operation).every((Y) => {
    const coin = store.read.coin(operation.account, Y)
    return coin?.state === 'spent' || coin?.operationId === operation.id
  })
}

/** Not by when it was begun: that was told by the clock of another computer, maybe. */
function isOfAnEarlierLife({ store }: Reads, operation: Operation): boolean {
  const { kind, state, account } = operation
  if (kind !== 'pay' || (state !== 'settling' && state !== 'handing_over')) return false
  const own = ownFrom(store.read, account)
  return promisedBy(operation).some((Y) => (store.read.coin(account, Y)?.path.generation ?? own) < own)
}
