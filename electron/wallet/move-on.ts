// A mint may tell nothing of a keyset that has ended, and a restore finds an account by its first purses. So before the
// keysets of these end the generation moves on, and purse 0 of the new one is filled from a keyset that lasts (protocol
// section 2).

import { type Context, unixNow } from './context.ts'
import { drawGeneration, setGeneration } from './generation.ts'
import { keysetOf } from './own-coins.ts'
import { firstCoin, showingPurses, unitsOf } from './self-swap.ts'
import { outputKeyset } from './settle.ts'

/** This long before the end. Seconds. */
const beforeEnd = 30 * 24 * 3600

/** Move on if what shows this account ends soon and what would show it then lasts longer. */
export function moveOnInTime(ctx: Context, account: number): void {
  const ending = lastToShow(ctx, account)
  if (!ending || ending.until > unixNow(ctx.clock) + beforeEnd || !wouldLast(ctx, account)) return
  // Once for each keyset: whatever fills the new generation, this can never go on and on.
  const key = `seed/movedOnFrom/${account}`
  if (ctx.store.read.meta(key) === ending.keysetId) return
  const generation = drawGeneration(ctx, 0)
  // The coins of the one before are this life's own as well: they stay spendable, and are refreshed as they come.
  ctx.store.transaction((write) => {
    write.setMeta(key, ending.keysetId)
    setGeneration(write, generation)
  })
}

type Showing = {
  readonly keysetId: string
  /** Unix seconds. */
  readonly until: number
}

/**
 * The keyset of coin 0 of purse 0, which is all that a search asks about far away; where that was never signed, the one that
 * lasts longest of those that show this account in the present generation.
 */
function lastToShow(ctx: Context, account: number): Showing | undefined {
  const keyset = keysetOf(ctx.store, account)
  const showing = showingPurses(ctx, account).flatMap(({ purse, id }) => {
    const first = firstCoin(ctx, id)
    if (!first) return []
    const until = keyset(first.keysetId)?.finalExpiry ?? Number.POSITIVE_INFINITY
    return [{ purse, keysetId: first.keysetId, until }]
  })
  return showing.find(({ purse }) => purse === 0) ?? showing.sort((a, b) => b.until - a.until)[0]
}

/** Whether new coins of every unit that is held here last: any of them may be the one that is seen. */
function wouldLast(ctx: Context, account: number): boolean {
  const { store, clock } = ctx
  const now = unixNow(clock)
  const keysets = store.read.keysets(account)
  const held = [...unitsOf(ctx, account)].filter((unit) => store.read.coins(account, unit, 'spendable').length > 0)
  const until = (unit: string) => {
    const keyset = outputKeyset(keysets, unit, [], now)
    return keyset ? (keyset.finalExpiry ?? Number.POSITIVE_INFINITY) : 0
  }
  return held.length > 0 && held.every((unit) => until(unit) > now + beforeEnd)
}
