// Another computer with the same phrase, or a newer life of this wallet: noticed by what the mint has signed (NUT-09), before
// anything else is done online, and by coins of ours that are spent and were given to nobody.

import { pointToHex } from '../../shared/cashu/bdhke.ts'
import type { Context } from './context.ts'
import { copiesOf, copyNoted } from './generation.ts'
import type { Operation } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import type { CoinPath } from './secrets.ts'
import { findSignatures } from './settle.ts'

/** Purse numbers that would be taken next. */
const pursesAhead = 8
/** A mint that was not there is asked again after this long, milliseconds. */
const afterSilenceMs = 15_000

export type Twins = {
  /** Look, unless that was done not long ago. Whatever the mint answers, or does not: nothing is thrown. */
  look(account: number): Promise<void>
}

export function createTwins(ctx: Context): Twins {
  const nextAt = new Map<number, number>()
  const running = new Map<number, Promise<void>>()

  const ask = async (account: number): Promise<void> => {
    const isAnswered = await lookAhead(ctx, account)
    nextAt.set(account, ctx.clock.now() + (isAnswered ? pauseOf(ctx, account) : afterSilenceMs))
  }
  return {
    look: (account) => {
      if (ctx.config.lookForTwinsMs === Number.POSITIVE_INFINITY) return Promise.resolve()
      const before = running.get(account)
      if (before) return before
      const at = nextAt.get(account) ?? 0
      // Further away than any pause: planned before the clock was set back.
      if (at > ctx.clock.now() && at <= ctx.clock.now() + pauseOf(ctx, account)) return Promise.resolve()
      const now = ask(account).finally(() => running.delete(account))
      running.set(account, now)
      return now
    },
  }
}

/** How often this mint has told of another life. */
const tellings = ({ store }: Context, account: number): number => Number(store.read.meta(tellingsKey(account)) ?? 0)
const tellingsKey = (account: number) => `seed/twinTold/${account}`
const mostDoublings = 10

/** A mint that tells of another life again and again is asked less and less often: each time costs this one something. */
const pauseOf = (ctx: Context, account: number): number =>
  ctx.config.lookForTwinsMs * 2 ** Math.min(tellings(ctx, account), mostDoublings)

/** @returns whether the mint has answered */
async function lookAhead(ctx: Context, account: number): Promise<boolean> {
  const { generation } = ctx
  const outputs = unused(ctx, account, generation).map((path) => ({
    amount: 1,
    B_: pointToHex(ctx.secrets.blindedMessage(path)),
  }))
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset: keysetOf(ctx.store, account) }, outputs)
  if (found.kind !== 'ok') return found.kind === 'refused'
  // What was taken while the mint was asked is our own.
  const isForeign = found.value.some((signature) => signature && !ctx.store.read.ownOutput(account, signature.B_))
  if (isForeign && ctx.generation === generation) tellTwin(ctx, account)
  return true
}

/** Outputs that nobody but this life may ever have had signed, and this one has not. */
function unused({ store }: Context, account: number, generation: number): readonly CoinPath[] {
  const { highest, has } = store.read.takenPurses(generation, account)
  const ahead = Array.from({ length: pursesAhead }, (_, index) => highest + 1 + index)
  const purses = has(0) ? ahead : [0, ...ahead]
  const open = store.read
    .purses(account, null)
    .filter((purse) => purse.generation === generation && purse.account === account && !purse.closed)
  return [
    ...purses.map((purse) => ({ generation, account, purse, coin: 0 })),
    ...open.map(({ purse, nextCoin }) => ({ generation, account, purse, coin: nextCoin })),
  ]
}

const seenKey = 'seed/spentElsewhere'

/**
 * Coins that were spent by a swap of their owner, which was not made here: re-keying that came too late, a payment whose
 * coins the mint had taken already. A mint that says so without reason only makes coins rest.
 */
export function noteSpentElsewhere(ctx: Context): void {
  const { store } = ctx
  const since = Number(store.read.meta(seenKey) ?? 0)
  const ends = [
    ...store.read.operations({ kind: 'refresh', states: ['lost'], isLenient: true }),
    ...store.read.operations({ kind: 'pay', states: ['bounced', 'reclaiming'], isLenient: true }),
  ].map((operation) => ({ account: operation.account, at: endOf(ctx, operation) ?? since }))
  const news = ends.filter(({ at }) => at > since)
  if (news.length === 0) return
  store.transaction((write) => write.setMeta(seenKey, Math.max(...news.map(({ at }) => at))))
  for (const account of new Set(news.map((end) => end.account))) tellTwin(ctx, account)
}

/** When it ended by coins that only another life can have spent; undefined for any other end. */
function endOf({ store }: Context, operation: Operation): number | undefined {
  // Known of already: what rested may have been spent.
  const { noticedAt } = copiesOf(store.read)
  if (operation.createdAt <= (noticedAt ?? 0)) return undefined
  if (operation.kind === 'refresh') {
    const isUnasked = operation.reason === 'rekey' || operation.reason === 'gather'
    return isUnasked
      ? store.read.history(operation.id).findLast(({ state }) => state === operation.state)?.at
      : undefined
  }
  // What a person took back before may have been spent by that; what came back of a bounced one has not made it bounce.
  const first = store.read.history(operation.id).find(({ state }) => state === 'bounced' || state === 'reclaiming')
  return first?.state === 'bounced' ? first.at : undefined
}

/** By a mint that has told of one before only its own coins rest: it may be lying, and holds up no other mint for good. */
function tellTwin(ctx: Context, account: number): void {
  const before = tellings(ctx, account)
  const noted = copyNoted(ctx, 'twin', 0, before === 0 ? null : account)
  ctx.store.transaction((write) => {
    noted(write)
    write.setMeta(tellingsKey(account), before + 1)
  })
  ctx.emit({ kind: 'balance' })
}
