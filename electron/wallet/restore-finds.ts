// What an answer of a search brings: coins of ours that this file does not know, and what they are worth.

import { cappedSum } from '../../shared/amount.ts'
import { hashToCurve, pointToHex } from '../../shared/cashu/bdhke.ts'
import type { CoinStateAtMint } from '../../shared/cashu/wire.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationOf, Tally } from './operation.ts'
import { countable, keysetOf } from './own-coins.ts'
import type { Found } from './restore-answer.ts'
import type { CoinPath } from './secrets.ts'
import { unblindSignature, type VerifiedSignature } from './settle.ts'
import type { Coin, WalletWrites } from './store-port.ts'

type Restore = OperationOf<'restore'>

export type Signed = { readonly path: CoinPath; readonly B_: string; readonly signature: Exclude<Found, null> }
export type Gathered = {
  readonly coins: readonly Coin[]
  readonly found: readonly Tally[]
  readonly expired: readonly Tally[]
  readonly spent: number
  readonly unreadable: number
}
export const nothingNew: Gathered = { coins: [], found: [], expired: [], spent: 0, unreadable: 0 }
/** How often coins of an ended keyset are asked about when there is no answer. */
const triesForEnded = 3
type NoAnswer = { readonly reason: string; readonly retryAfterMs?: number }

/**
 * Coins that this file does not know, unspent or pending. Those that are spent are counted and not kept: another life spent
 * them. If the mint erred, another search finds them.
 */
export async function gather(
  ctx: Context,
  { account, attempts }: Restore,
  signed: readonly Signed[],
): Promise<Gathered | NoAnswer> {
  const now = unixNow(ctx.clock)
  const keyset = keysetOf(ctx.store, account)
  const isOver = ({ keysetId }: Coin) => (keyset(keysetId)?.finalExpiry ?? Number.POSITIVE_INFINITY) <= now
  const made: Coin[] = []
  let unreadable = 0
  for (const one of signed) {
    if (!isNew(ctx, account, one)) continue
    await ctx.turn()
    const coin = one.signature === 'unreadable' ? undefined : coinOf(ctx, account, one.path, one.signature)
    if (!coin || unitOfPurse(ctx, coin, made) !== coin.unit) unreadable++
    else if (!ctx.store.read.coin(account, coin.Y)) made.push(coin)
  }
  const live = await statesOf(
    ctx,
    account,
    made.filter((coin) => !isOver(coin)),
  )
  if ('reason' in live) return live
  const over = await statesOf(ctx, account, made.filter(isOver))
  // A mint may tell nothing of a keyset that has ended: such coins are reported all the same, and hold up no others for long.
  if ('reason' in over && !over.isRefusal && attempts < triesForEnded) return over
  const unspent = [...live.unspent, ...('reason' in over ? made.filter(isOver) : over.unspent)]
  const coins = countable(ctx.store.read, unspent)
  return {
    coins,
    found: talliesOf(coins.filter((coin) => !isOver(coin))),
    expired: talliesOf(coins.filter(isOver)),
    spent: made.length - unspent.length,
    unreadable: unreadable + unspent.length - coins.length,
  }
}

/**
 * An output of an operation that is not over is that operation's own. One whose row cannot be read goes on no more: its coins
 * are found here, or by nobody.
 */
function isNew({ store }: Context, account: number, { B_ }: Signed): boolean {
  const own = store.read.ownOutput(account, B_)
  if (own === undefined) return true
  const operation = store.read.other(own.operationId)
  return operation === 'unreadable' || operation?.nextAttemptAt === null
}

function coinOf(ctx: Context, account: number, path: CoinPath, signature: VerifiedSignature): Coin | undefined {
  const keyset = keysetOf(ctx.store, account)(signature.keysetId)
  if (!keyset) return undefined
  return {
    Y: pointToHex(hashToCurve(ctx.secrets.secret(path))),
    purseId: 0,
    path,
    account,
    unit: keyset.unit,
    keysetId: signature.keysetId,
    amount: signature.amount,
    C: unblindSignature(signature, ctx.secrets.blindingFactor(path), keyset),
    e: signature.e,
    s: signature.s,
    state: 'quarantined',
    operationId: null,
  }
}

/** One purse, one unit: that of its first coin. Another one was signed by somebody else, for a coin of hardly any worth. */
function unitOfPurse({ store }: Context, { path, account, unit }: Coin, made: readonly Coin[]): string {
  const before = made.find(({ path: other }) => isSamePurse(path, other))
  return before?.unit ?? store.read.purseAt(path, account)?.unit ?? unit
}

const isSamePurse = (a: CoinPath, b: CoinPath): boolean =>
  a.generation === b.generation && a.account === b.account && a.purse === b.purse

type States = { readonly unspent: readonly Coin[] } | (NoAnswer & { readonly isRefusal: boolean })

async function statesOf(ctx: Context, account: number, coins: readonly Coin[]): Promise<States> {
  if (coins.length === 0) return { unspent: [] }
  const answer = await ctx.mints.client(account).checkState(coins.map(({ Y }) => Y))
  if (answer.kind === 'refused') return { reason: `${answer.code} ${answer.detail}`, isRefusal: true }
  if (answer.kind === 'unknown') return { ...answer, isRefusal: false }
  const isLeft = (state: CoinStateAtMint | undefined) => state === 'UNSPENT' || state === 'PENDING'
  return { unspent: coins.filter((_, index) => isLeft(answer.value[index])) }
}

export function storeCoins(write: WalletWrites, coins: readonly Coin[]): void {
  for (const coin of coins) {
    const purse = write.putRestoredPurse(coin.path, coin.account, coin.unit, coin.path.coin + 1)
    write.insertCoins([{ ...coin, purseId: purse.id }])
  }
}

// ---- sums

export const coinsIn = (tallies: readonly Tally[]): number => tallies.reduce((sum, { coins }) => sum + coins, 0)

const talliesOf = (coins: readonly Coin[]): readonly Tally[] =>
  sumTallies(
    [],
    coins.map(({ unit, amount }) => ({ unit, amount, coins: 1 })),
  )

export function sumTallies(before: readonly Tally[], more: readonly Tally[]): Tally[] {
  const units = new Set([...before, ...more].map(({ unit }) => unit))
  return [...units].map((unit) => {
    const all = [...before, ...more].filter((tally) => tally.unit === unit)
    return {
      unit,
      amount: cappedSum(all.map(({ amount }) => amount)),
      coins: all.reduce((sum, { coins }) => sum + coins, 0),
    }
  })
}
