// Cash out (melt, NUT-05 with NUT-23): what a person decides. prepare shows what will happen, confirm makes it so;
// melt-steps.ts carries it out. Refresh into one purse, then melt that purse (protocol section 8).
// Transactions: M1 the invoice stored, before the mint is asked · M2 its quote stored · M3 coins reserved, the purse to melt
// taken, the first swap to oneself stored.

import { sumAmounts } from '../../shared/amount.ts'
import type { MeltQuoteResponse } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { type Context, unixNow } from './context.ts'
import { type GatherPlan, planGathering } from './gather.ts'
import { asksFor, type Invoice, readInvoice } from './invoice.ts'
import { isSupported, valueIn } from './mints.ts'
import type { GatherSwap, OperationIn, OperationOf } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import { due, ended, newId, save } from './progress.ts'
import { planSwap, spreadFor } from './self-swap.ts'
import { largestDenomination, outputKeyset } from './settle.ts'
import type { Coin, PurseRow, WalletWrites } from './store-port.ts'

type Melt = OperationOf<'melt'>

/** Asked or quoted but not confirmed for this long: given up. Milliseconds. */
const confirmWithinMs = 10 * 60_000
/** A quote without an expiry is taken to live this long. Seconds. */
const quoteLifeSeconds = 3600
/** Coins of a keyset that expires this soon might not get through all that follows. Seconds. */
const expiresSoonSeconds = 24 * 3600

export type CashOutOrder = {
  readonly account: number
  readonly unit: string
  /** BOLT 11, with an amount. */
  readonly invoice: string
}

/** What will happen if the person says yes. Amounts in the unit. */
export type CashOutPreview = {
  readonly id: string
  readonly amount: number
  /** For the Lightning network; what is left of it comes back where the mint serves NUT-08. */
  readonly feeReserve: number
  /** The mint's own fees: of every swap that gathers, and of the melt. */
  readonly mintFee: number
  /** amount + feeReserve + mintFee: what it costs at most. */
  readonly total: number
  /** Milliseconds: until when it may be confirmed. */
  readonly expiresAt: number
}

type Priced = Coin & { readonly feePpk: number }

/**
 * Ask the mint what paying this invoice would cost. Nothing is reserved and nothing given away.
 * @throws AppError `bad_input` for an invoice that is none or has no amount, `mint_unknown`, `unit_unknown`, `mint_refused`,
 *   `mint_unreachable` and `mint_bad_answer` (retryable), `mint_lies` when the quote is for something else than was asked,
 *   `not_enough` (facts: `payable`, what could be cashed out instead with this fee reserve, and `total`)
 */
export async function prepareCashOut(ctx: Context, order: CashOutOrder): Promise<CashOutPreview> {
  const invoice = readInvoice(order.invoice)
  const quoting = storeInvoice(ctx, order, invoice)
  try {
    const quote = await requestQuote(ctx, quoting, invoice)
    return storeQuote(ctx, quoting, quote)
  } catch (error) {
    abandonCashOut(ctx, quoting.id, error instanceof AppError ? error.code : 'internal')
    throw error
  }
}

/** M1 */
function storeInvoice(
  ctx: Context,
  { account, unit }: CashOutOrder,
  { text }: Invoice,
): OperationIn<'melt', 'quoting'> {
  if (!ctx.store.read.mint(account)) throw new AppError('mint_unknown', 'no such mint')
  const keysets = ctx.store.read.keysets(account)
  if (!keysets.some((keyset) => keyset.unit === unit)) throw new AppError('unit_unknown', 'the mint has no such unit')
  const now = ctx.clock.now()
  const operation: OperationIn<'melt', 'quoting'> = {
    kind: 'melt',
    state: 'quoting',
    id: newId(ctx),
    account,
    unit,
    amount: 0,
    invoice: text,
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now + confirmWithinMs,
    attempts: 0,
    lastError: null,
  }
  ctx.store.transaction((write) => write.insertOperation(operation))
  ctx.emit({ kind: 'operation', id: operation.id })
  return operation
}

type Quote = Pick<OperationIn<'melt', 'quoted'>, 'quote' | 'amount' | 'feeReserve' | 'expiry' | 'returnsChange'>

/** @throws AppError `mint_refused`, `mint_unreachable`, `mint_bad_answer`, `mint_lies` */
async function requestQuote(ctx: Context, { account, unit }: Melt, invoice: Invoice): Promise<Quote> {
  const mint = ctx.mints.client(account)
  const answer = valueIn(await mint.requestMeltQuote(invoice.text, unit))
  assertFits(answer, invoice, unit)
  const { quote, amount, fee_reserve: feeReserve, expiry, state } = answer
  if (state !== 'UNPAID') throw new AppError('mint_refused', `the invoice is ${state}`)
  if ((expiry ?? Number.POSITIVE_INFINITY) <= unixNow(ctx.clock)) {
    throw new AppError('mint_bad_answer', 'the offer had expired when it came', { retryable: true })
  }
  // Asked now, so that from the confirmation on nothing but the payment itself needs an answer.
  const returnsChange = feeReserve > 0 && isSupported(valueIn(await mint.info()).nuts['8'])
  return { quote, amount, feeReserve, expiry: expiry ?? null, returnsChange }
}

function assertFits({ amount, unit, request }: MeltQuoteResponse, invoice: Invoice, asked: string): void {
  const isSameInvoice = (request ?? invoice.text).toLowerCase() === invoice.text
  if (!isSameInvoice || (unit ?? asked) !== asked || !asksFor(invoice, amount, asked)) {
    throw new AppError('mint_lies', 'the mint offers something else than was asked')
  }
}

/** M2. @throws AppError `not_enough` */
function storeQuote(ctx: Context, quoting: OperationIn<'melt', 'quoting'>, quote: Quote): CashOutPreview {
  const { fee } = planFor(ctx, { ...quoting, ...quote })
  const now = ctx.clock.now()
  const confirmBy = Math.min(now + confirmWithinMs, expiryOf({ ...quoting, ...quote }) * 1000)
  save(ctx, { ...quoting, ...quote, state: 'quoted', confirmBy, fee, ...due(ctx, Math.max(0, confirmBy - now)) })
  const { amount, feeReserve } = quote
  const total = sumAmounts([amount, feeReserve, fee].filter((part) => part > 0))
  return { id: quoting.id, amount, feeReserve, mintFee: fee, total, expiresAt: confirmBy }
}

/** Until when the mint pays for this quote, Unix seconds. */
export const expiryOf = ({
  expiry,
  createdAt,
}: {
  readonly expiry: number | null
  readonly createdAt: number
}): number => expiry ?? Math.floor(createdAt / 1000) + quoteLifeSeconds

/** @throws AppError `not_enough` */
function planFor(ctx: Context, melt: Pick<Melt, 'account' | 'unit'> & Quote): GatherPlan<Priced> {
  const { account, unit, amount, feeReserve } = melt
  const now = unixNow(ctx.clock)
  const keysets = ctx.store.read.keysets(account)
  const largest = largestDenomination(keysets, unit, now) ?? 1
  const feePpk = outputKeyset(keysets, unit, [], now)?.feePpk ?? 0
  const keyset = keysetOf(ctx.store, account)
  const coins = ctx.store.read.coins(account, unit, 'spendable').flatMap((coin): readonly Priced[] => {
    const found = keyset(coin.keysetId)
    const lastsUntil = found?.finalExpiry ?? Number.POSITIVE_INFINITY
    return found && lastsUntil > now + expiresSoonSeconds ? [{ ...coin, feePpk: found.feePpk }] : []
  })
  const result = planGathering(coins, {
    worth: sumAmounts([amount, feeReserve].filter((part) => part > 0)),
    feePpk,
    largest,
  })
  if (result.kind === 'planned') return result.plan
  const total = coins.reduce((sum, coin) => sum + coin.amount, 0)
  const facts = { payable: Math.max(0, result.largest - feeReserve), total }
  throw new AppError('not_enough', 'the coins do not cover this amount', { facts })
}

/**
 * M3: the person said yes. From here on the runner brings it to an end.
 * @throws AppError `not_found`, `wrong_state` (also when the offer has expired), `not_enough`, `amount_out_of_range`,
 *   `wrong_fee` when it would cost more than was shown
 */
export function confirmCashOut(ctx: Context, id: string): void {
  const operation = requireMelt(ctx, id)
  if (operation.state !== 'quoted') throw new AppError('wrong_state', `cash out is ${operation.state}`)
  if (operation.confirmBy <= ctx.clock.now()) {
    abandonCashOut(ctx, id, 'the offer has expired')
    throw new AppError('wrong_state', 'the offer has expired')
  }
  const { account, unit } = operation
  const { pours, fee } = planFor(ctx, operation)
  if (fee > operation.fee) throw new AppError('wrong_fee', 'the fee is higher than what was shown')
  const [first, ...plan] = pours.map(({ inputs, amounts, rest }): GatherSwap => {
    const restAmounts = spreadFor(ctx, account, unit, rest, amounts)
    return { Ys: inputs.map(({ Y }) => Y), amounts: [...amounts], rest: [...restAmounts] }
  })
  if (!first) throw new AppError('not_enough', 'no coins')
  ctx.store.transaction((write) => {
    // Closed from the start: no re-keying pours anything else into it.
    const purse = write.takePurse({ generation: ctx.generation, account, unit }, 'refresh', 'own')
    write.markPurse(purse.id, { closed: true })
    const swap = startSwap(ctx, write, operation, first, purse)
    const next = {
      ...operation,
      state: 'gathering' as const,
      fee,
      plan,
      purse: purse.id,
      swaps: [swap],
      ...due(ctx, 0),
    }
    write.updateOperation(next)
    for (const { Ys } of plan) write.moveCoins(account, Ys, ['spendable'], 'reserved', id)
  })
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

/**
 * One planned swap becomes an operation of its own, inside the caller's transaction. @returns its id
 * @throws AppError `wrong_state` when a coin is not there any more
 */
export function startSwap(
  ctx: Context,
  write: WalletWrites,
  { id, account, unit }: Melt,
  { Ys, amounts, rest }: GatherSwap,
  purse: PurseRow,
): string {
  const coins = Ys.flatMap((Y) => ctx.store.read.coin(account, Y) ?? [])
  const isFree = ({ state, operationId }: Coin) => state === 'spendable' || operationId === id
  if (coins.length !== Ys.length || !coins.every(isFree)) throw new AppError('wrong_state', 'a coin is gone')
  const parts = [{ purse, amounts }]
  if (rest.length > 0) {
    const home = write.takePurse({ generation: ctx.generation, account, unit }, 'change', 'own')
    write.markPurse(home.id, { closed: true })
    parts.push({ purse: home, amounts: rest })
  }
  // The mint sees the purse's key now: what stays there is re-keyed.
  for (const purseId of new Set(coins.map((coin) => coin.purseId))) {
    write.markPurse(purseId, { used: true, closed: true })
  }
  return planSwap(ctx, write, { account, unit, coins, reason: 'gather', reclaims: id, parts, target: purse }).id
}

/** The person said no, or never answered. @throws AppError `not_found`, `wrong_state` once it was confirmed */
export function abandonCashOut(ctx: Context, id: string, reason: string): void {
  const operation = requireMelt(ctx, id)
  if (operation.state === 'abandoned') return
  if (operation.state !== 'quoting' && operation.state !== 'quoted') {
    throw new AppError('wrong_state', `cash out is ${operation.state}`)
  }
  const { kind, account, unit, amount, invoice, createdAt } = operation
  save(ctx, { id, kind, account, unit, amount, invoice, createdAt, state: 'abandoned', reason, ...ended(ctx) })
}

function requireMelt({ store }: Context, id: string): Melt {
  const operation = store.read.operation(id)
  if (operation?.kind !== 'melt') throw new AppError('not_found', 'no such cash out')
  return operation
}
