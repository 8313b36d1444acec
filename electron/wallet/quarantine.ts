// Coins that rest: another life of this wallet may have given them to somebody. They come home, by a swap to oneself, when
// a person says that no payment is open or when no handover can be. Before that nothing is paid with them.

import { maxInputs } from '../../shared/cashu/wire.ts'
import { type Context, unixNow } from './context.ts'
import { copiesOf, mayComeHome, restMs, setCopies } from './generation.ts'
import type { Tally } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import { canBeHeld, feeOf, isRunning, planRefresh, total, unitsOf } from './self-swap.ts'
import { hasExpired } from './settle.ts'
import type { Coin } from './store-port.ts'

/** Coins of a keyset that ends this soon come home at once: who holds a handover of them has had a month. Seconds. */
const lastCallSeconds = 2 * 24 * 3600

type Reads = Pick<Context, 'store' | 'clock'>

/** What rests at one mint, and what rests there for good because its keyset has ended; in the unit. */
export function restingOf({ store, clock }: Reads, account: number, unit: string): { live: Tally; expired: Tally } {
  const now = unixNow(clock)
  const lastsUntil = untilOf({ store, clock }, account)
  const coins = store.read.coins(account, unit, 'quarantined')
  const isLive = (coin: Coin) => lastsUntil(coin) > now
  return {
    live: tallyOf(unit, coins.filter(isLive)),
    expired: tallyOf(
      unit,
      coins.filter((coin) => !isLive(coin)),
    ),
  }
}

/** What can be spent at one mint, and coins beside it whose keyset has ended: they are kept, and are no money any more. */
export function spendableOf({ store, clock }: Reads, account: number, unit: string) {
  const now = unixNow(clock)
  const { spendable } = store.read.totals(account, unit)
  // Seldom any has ended, and there may be many coins: then they are not read one by one.
  if (!store.read.keysets(account).some((keyset) => hasExpired(keyset, now))) return { spendable, expired: 0 }
  const keyset = keysetOf(store, account)
  const coins = Map.groupBy(store.read.coins(account, unit, 'spendable'), ({ keysetId }) =>
    hasExpired(keyset(keysetId), now),
  )
  return { spendable: total(coins.get(false) ?? []), expired: total(coins.get(true) ?? []) }
}

const tallyOf = (unit: string, coins: readonly Coin[]): Tally => ({ unit, amount: total(coins), coins: coins.length })

/** Until when (Unix seconds) a coin lasts. */
function untilOf({ store }: Reads, account: number): (coin: Coin) => number {
  const keyset = keysetOf(store, account)
  return ({ keysetId }) => keyset(keysetId)?.finalExpiry ?? Number.POSITIVE_INFINITY
}

/** When what rests comes home by itself, milliseconds; null when nothing is waited for. */
export function comesHomeAt({ store, clock }: Reads): number | null {
  const copies = copiesOf(store.read)
  return copies.noticedAt === null || mayComeHome(copies, clock.now()) ? null : copies.noticedAt + restMs
}

const saidKey = 'seed/noneOpenAt'
/** What a person has said of open payments holds for the mints that are searched until so much later, milliseconds. */
const saidForMs = 24 * 3_600_000

/** A person says that no payment is open. What came to light since is searched for once more. */
export function release({ store, clock }: Reads): void {
  const copies = copiesOf(store.read)
  if (copies.cause === null || copies.isReleased) return
  store.transaction((write) => {
    write.setMeta(saidKey, clock.now())
    // A handover that was settled meanwhile has left its change, and the answer before did not know it; a computer that
    // was set back as a whole knows nothing of what came since.
    setCopies(write, { ...copies, isReleased: true, round: copies.round + 1 })
  })
}

/** Whether a person has said, not long before a search that began then (milliseconds), that no payment is open. */
export const wasSaidBefore = ({ store }: Pick<Context, 'store'>, beganAt: number): boolean =>
  beganAt < Number(store.read.meta(saidKey) ?? Number.NEGATIVE_INFINITY) + saidForMs

/**
 * After the longest time that a handover can be open, nobody has to say so of what has rested. This calls for no search: what
 * the one of that day finds has not rested, and nobody has said a word of it.
 */
export function releaseInTime({ store, clock }: Reads): void {
  const copies = copiesOf(store.read)
  if (copies.cause === null || copies.isReleased || !mayComeHome(copies, clock.now())) return
  store.transaction((write) => setCopies(write, { ...copies, isReleased: true }))
}

/**
 * The next coins that come home, one purse at a time for each unit. The mint is asked first which of them are there: those
 * that are not go into a swap of their own, so that they take no others along when it fails; those that are held up at the
 * mint hold up no other purse.
 */
export async function bringHome(ctx: Context, account: number): Promise<void> {
  for (const unit of unitsOf(ctx, account)) {
    for (const coins of nextHome(ctx, account, unit)) {
      const states = await ctx.mints.client(account).checkState(coins.map(({ Y }) => Y))
      if (states.kind !== 'ok') return
      const inState = (state: string) => coins.filter((_, index) => states.value[index] === state)
      const next = [inState('UNSPENT'), inState('SPENT')].find((group) => isWorthIt(ctx, account, unit, group))
      if (!next) continue
      // Meanwhile something else may have begun.
      if (isRunning(ctx, account, unit) || !next.every((coin) => isResting(ctx, coin))) break
      ctx.store.transaction((write) =>
        planRefresh(ctx, write, { account, unit, coins: next, reason: 'restore', reclaims: null }),
      )
      ctx.emit({ kind: 'balance' })
      ctx.wake()
      break
    }
  }
}

const isResting = ({ store }: Context, { account, Y }: Coin) => store.read.coin(account, Y)?.state === 'quarantined'

/** Coins that may come home and are worth it, purse by purse: the one with the most to bring first. */
function nextHome(ctx: Context, account: number, unit: string): readonly (readonly Coin[])[] {
  if (isRunning(ctx, account, unit)) return []
  const now = unixNow(ctx.clock)
  const isReleased = mayComeHome(copiesOf(ctx.store.read), ctx.clock.now())
  const lastsUntil = untilOf(ctx, account)
  const mayGo = (coin: Coin) =>
    lastsUntil(coin) > now &&
    (isReleased || lastsUntil(coin) <= now + lastCallSeconds) &&
    feeOf(ctx, [coin]) <= coin.amount
  const free = ctx.store.read.coins(account, unit, 'quarantined').filter(mayGo)
  const purses = [...Map.groupBy(free, ({ purseId }) => purseId).values()].map((purse) =>
    [...purse].sort((a, b) => b.amount - a.amount).slice(0, maxInputs),
  )
  return purses.filter((coins) => isWorthIt(ctx, account, unit, coins)).sort((a, b) => total(b) - total(a))
}

/** What costs more than it is worth is dust: left and counted. */
const isWorthIt = (ctx: Context, account: number, unit: string, coins: readonly Coin[]): boolean =>
  coins.length > 0 && total(coins) > feeOf(ctx, coins) && canBeHeld(ctx, account, unit, coins)
