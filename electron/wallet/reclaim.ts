// Taking a payment back: what may be taken, how it begins, and which payments wait for a person to decide that. The swap
// itself is a refresh (self-swap.ts, refresh.ts); what becomes of the payment is followed in pay-steps.ts.

import { AppError } from '../../shared/errors.ts'
import type { Context } from './context.ts'
import { hasItsCoins } from './held-back.ts'
import type { Operation, OperationIn, OperationOf } from './operation.ts'
import { isExpired, tiedTo } from './own-coins.ts'
import { due } from './progress.ts'
import { mayBeReplaced, signedAnewBy, stopReplacement } from './replacement.ts'
import { canBeHeld, planRefresh } from './self-swap.ts'
import type { Coin } from './store-port.ts'

type Pay = OperationOf<'pay'>

/** A void, a dead swap and a passed deadline permit a reclaim without warning (protocol section 8). */
export function reclaimable(ctx: Context, operation: Pay): 'no' | 'free' | 'warned' {
  if (!isStateToTakeFrom(operation)) return 'no'
  const { state, deadline, account, unit } = operation
  // Another life of this wallet gave them to somebody. Of a bounced one that is so, and those tied to it can be taken.
  if (state !== 'bounced' && !hasItsCoins(ctx, operation)) return 'no'
  // Dust is left and counted; and a keyset has to sign what would come back.
  const coins = orNone(() => worthTaking(ctx, operation))
  if (!canBeHeld(ctx, account, unit, coins)) return 'no'
  if (state === 'voided' || state === 'dead') return 'free'
  return deadline * 1000 < ctx.clock.now() ? 'free' : 'warned'
}

/** A keyset that cannot be read says nothing of its coins, and keeps no payment from being shown. */
function orNone(read: () => readonly Coin[]): readonly Coin[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof AppError && error.code === 'folder_damaged') return []
    throw error
  }
}

const statesToTakeFrom = ['settling', 'handing_over', 'signed', 'voided', 'dead', 'bounced'] as const
type ToTakeFrom = OperationIn<'pay', (typeof statesToTakeFrom)[number]>

const isStateToTakeFrom = (operation: Pay): operation is ToTakeFrom =>
  statesToTakeFrom.some((state) => state === operation.state)

/**
 * Coins of a payment that are not known to be spent, and that the mint still takes: one whose keyset has ended would hold up
 * all others for good.
 */
const worthTaking = (ctx: Context, { id }: Operation): readonly Coin[] =>
  tiedTo(ctx, id).filter((coin) => !isExpired(ctx, coin))

/**
 * The payment stops first, in the transaction that signs the swap back: the runner sends its old swap no more.
 * @throws AppError `wrong_state` when there is nothing to take, or a person was not warned; `dust`, `amount_out_of_range`
 */
export function beginReclaim(ctx: Context, operation: Pay, isWarned: boolean): void {
  const may = reclaimable(ctx, operation)
  if (may === 'no' || !('swap' in operation)) throw new AppError('wrong_state', `payment is ${operation.state}`)
  if (may === 'warned' && !isWarned) {
    throw new AppError('wrong_state', 'the payee may settle first: a person must be warned')
  }
  ctx.store.transaction((write) => {
    const { account, unit, id } = operation
    const coins = worthTaking(ctx, operation)
    const { id: reclaim } = planRefresh(ctx, write, { account, unit, coins, reason: 'reclaim', reclaims: id })
    write.updateOperation({ ...operation, state: 'reclaiming', reclaim, ...due(ctx, 0) })
    stopReplacement(ctx, write, operation, 'a person takes the coins back')
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.wake()
}

/**
 * Payments whose coins stay tied to them until a person takes them back, newest first: refused, not sent or not answered by
 * the deadline, bounced with something left, dead and not to be signed anew.
 */
export function undecided(ctx: Context): readonly Pay[] {
  const open = ctx.store.read.operations({ kind: 'pay', states: statesThatWait, isLenient: true })
  return open
    .filter((one): one is Pay => one.kind === 'pay' && waitsForPerson(ctx, one))
    .sort((a, b) => b.createdAt - a.createdAt)
}

/** A payment that is signed settles by itself, however late. */
const statesThatWait = statesToTakeFrom.filter((state) => state !== 'signed')

function waitsForPerson(ctx: Context, operation: Pay): boolean {
  const may = reclaimable(ctx, operation)
  if (operation.state === 'bounced') return may !== 'no'
  return may === 'free' && !mayBeReplaced(ctx, operation) && signedAnewBy(ctx, operation) === undefined
}
