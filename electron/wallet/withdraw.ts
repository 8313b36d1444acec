// Withdraw: get coins from the mint against money (NUT-04, NUT-23).
// Transactions: W1 quote stored · W2 purse, indices, outputs and the exact issue request stored, before it is sent ·
// W3 coins stored, done. An issue without a clean answer is looked up by NUT-09, never guessed.

import { assertAmount } from '../../shared/amount.ts'
import { maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { spreadAmount } from './coins.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { coinsFrom, keysetOf, planOutputs } from './own-coins.ts'
import { due, ended, lookAgainPause, newId, retry, save, stamp } from './progress.ts'
import {
  findSignatures,
  issueBody,
  largestDenomination,
  matchAll,
  outputKeyset,
  type VerifiedSignature,
} from './settle.ts'

type Withdraw = OperationOf<'withdraw'>

/** How often an unpaid quote is looked at, milliseconds: often at first, then a tenth of its age, at last each minute. */
const pollQuoteMs = [1000, 60_000] as const
/** Looked at for this long after its expiry: a payment may have come in the last second. Seconds. */
const expiryGrace = 3600

/** Write down the intention. The runner asks for the quote. @throws AppError `mint_unknown`, `unit_unknown` */
export function startWithdraw(ctx: Context, account: number, unit: string, amount: number): Withdraw {
  const now = ctx.clock.now()
  amountsFor(ctx, account, unit, amount)
  const operation: Withdraw = {
    kind: 'withdraw',
    state: 'quoting',
    id: newId(ctx),
    account,
    unit,
    amount,
    createdAt: now,
    updatedAt: now,
    nextAttemptAt: now,
    attempts: 0,
    lastError: null,
  }
  ctx.store.transaction((write) => write.insertOperation(operation))
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.wake()
  return operation
}

/** @throws AppError `mint_unknown`, `unit_unknown`, `amount_out_of_range` */
function amountsFor(
  { store, clock, config }: Context,
  account: number,
  unit: string,
  amount: number,
): readonly number[] {
  assertAmount(amount)
  if (!store.read.mint(account)) throw new AppError('mint_unknown', 'no such mint')
  const keysets = store.read.keysets(account)
  if (!keysets.some((keyset) => keyset.unit === unit)) throw new AppError('unit_unknown', 'the mint has no such unit')
  const largest = largestDenomination(keysets, unit, unixNow(clock))
  const amounts = largest ? spreadAmount(amount, { ofEach: config.coinsOfEach, largest, limit: maxOutputs }) : []
  if (amounts.length === 0 || amounts.length > maxOutputs || !outputKeyset(keysets, unit, amounts, unixNow(clock))) {
    throw new AppError('amount_out_of_range', 'no active keyset has coins for this amount')
  }
  return amounts
}

/** One step: whatever the state asks for, safe to repeat after a crash at any line. */
export async function stepWithdraw(ctx: Context, operation: Withdraw): Promise<void> {
  switch (operation.state) {
    case 'quoting':
      return requestQuote(ctx, operation)
    case 'unpaid':
      return lookAtQuote(ctx, operation)
    case 'issuing':
      return issue(ctx, operation)
    case 'failed':
      return lookAgain(ctx, operation)
    case 'done':
      return
  }
}

async function requestQuote(ctx: Context, operation: OperationIn<'withdraw', 'quoting'>): Promise<void> {
  const answer = await ctx.mints.client(operation.account).requestMintQuote(operation.amount, operation.unit)
  if (answer.kind === 'ok') {
    const { quote, request, expiry, amount, unit } = answer.value
    const fits = (amount ?? operation.amount) === operation.amount && (unit ?? operation.unit) === operation.unit
    if (!fits) return fail(ctx, operation, 'the mint offers another amount or unit')
    return save(ctx, {
      ...operation,
      state: 'unpaid',
      quote,
      request,
      expiry: expiry ?? null,
      ...due(ctx, pollQuoteMs[0]),
    })
  }
  // No money is at stake yet: a refusal ends it, anything else is asked again.
  if (answer.kind === 'refused') return fail(ctx, operation, `${answer.code} ${answer.detail}`)
  return retry(ctx, operation, answer.reason, answer.retryAfterMs)
}

async function lookAtQuote(ctx: Context, operation: OperationIn<'withdraw', 'unpaid'>): Promise<void> {
  const answer = await ctx.mints.client(operation.account).mintQuote(operation.quote)
  if (answer.kind !== 'ok') {
    const reason = answer.kind === 'refused' ? `${answer.code} ${answer.detail}` : answer.reason
    return retry(ctx, operation, reason, answer.kind === 'unknown' ? answer.retryAfterMs : undefined)
  }
  switch (answer.value.state) {
    case 'PAID':
      return plan(ctx, operation)
    case 'ISSUED':
      return fail(ctx, operation, 'somebody else took this quote')
    case 'PENDING':
      return save(ctx, { ...operation, ...due(ctx, quotePause(ctx, operation)) })
    case 'UNPAID': {
      const isOver = operation.expiry !== null && unixNow(ctx.clock) > operation.expiry + expiryGrace
      return isOver
        ? fail(ctx, operation, 'not paid in time')
        : save(ctx, { ...operation, ...due(ctx, quotePause(ctx, operation)) })
    }
  }
}

function quotePause({ clock }: Context, { createdAt }: Withdraw): number {
  const [shortest, longest] = pollQuoteMs
  return Math.min(longest, Math.max(shortest, Math.floor((clock.now() - createdAt) / 10)))
}

/** W2: outputs, indices and the exact request become durable together; the next step sends them. */
async function plan(ctx: Context, operation: OperationIn<'withdraw', 'unpaid'>): Promise<void> {
  const { account, unit, amount, id } = operation
  const amounts = amountsFor(ctx, account, unit, amount)
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  if (!keyset) return retry(ctx, operation, 'no active keyset has coins for this amount')
  const issuing = ctx.store.transaction((write) => {
    const purse = write.takePurse({ generation: ctx.generation, account, unit }, 'withdraw', 'own')
    const { outputs, own } = planOutputs(ctx, write, purse, amounts, id)
    const attempt = { keysetId: keyset.id, body: issueBody(operation.quote, outputs, keyset.id) }
    const next = { ...operation, state: 'issuing' as const, outputs, attempt, reading: null, ...stamp(ctx) }
    write.updateOperation(next)
    write.insertOutputs(own)
    write.markPurse(purse.id, { closed: true })
    return next
  })
  return issue(ctx, issuing)
}

async function issue(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>): Promise<void> {
  const { account, unit, outputs } = operation
  const mint = ctx.mints.client(account)
  const keyset = keysetOf(ctx.store, account)
  const answer = await mint.issue(operation.attempt.body)
  if (answer.kind === 'ok') {
    const signatures = matchAll(answer.value, outputs, { keyset, unit })
    if (signatures) return take(ctx, operation, signatures)
  }
  if (answer.kind === 'unknown' && (!answer.reachable || answer.retryAfterMs !== undefined)) {
    return retry(ctx, operation, answer.reason, answer.retryAfterMs)
  }
  const found = await findSignatures({ mint, keyset }, outputs)
  if (found.kind !== 'ok') return retry(ctx, operation, 'no answer about the outputs')
  const signatures = found.value.flatMap((signature) => signature ?? [])
  if (isAsAgreed(signatures, outputs)) return takeIfIssued(ctx, operation, signatures)
  if (answer.kind !== 'refused') return retry(ctx, operation, 'no clean answer')
  return refused(ctx, operation, `${answer.code} ${answer.detail}`)
}

const isAsAgreed = (signatures: readonly VerifiedSignature[], outputs: Issuing['outputs']): boolean =>
  signatures.length === outputs.length && outputs.every(({ amount }, index) => signatures[index]?.amount === amount)

type Issuing = OperationIn<'withdraw', 'issuing'>

/** Signatures that are there although this quote was never used are those of an earlier life of this wallet: spent, maybe. */
async function takeIfIssued(ctx: Context, operation: Issuing, signatures: readonly VerifiedSignature[]): Promise<void> {
  const quote = await ctx.mints.client(operation.account).mintQuote(operation.quote)
  if (quote.kind === 'ok' && quote.value.state === 'ISSUED') return take(ctx, operation, signatures)
  return retry(
    ctx,
    operation,
    quote.kind === 'ok' ? 'these outputs were signed for another quote' : 'no answer about the quote',
  )
}

/** The mint said No and has signed nothing. Whether the quote is still ours decides; an inactive keyset is replaced. */
async function refused(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>, reason: string): Promise<void> {
  const { account, unit, outputs, quote } = operation
  const state = await ctx.mints.client(account).mintQuote(quote)
  if (state.kind === 'ok' && state.value.state === 'ISSUED') return takeOrFail(ctx, operation)
  await ctx.mints.sync(account)
  const amounts = outputs.map(({ amount }) => amount)
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  if (!keyset || keyset.id === operation.attempt.keysetId) return retry(ctx, operation, reason)
  const attempt = { keysetId: keyset.id, body: issueBody(quote, outputs, keyset.id) }
  return retry(ctx, { ...operation, attempt }, reason)
}

/** The quote is used up. If not for our outputs, asked after it was, then for somebody else's. */
async function takeOrFail(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>): Promise<void> {
  const { account, outputs } = operation
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset: keysetOf(ctx.store, account) }, outputs)
  if (found.kind !== 'ok') return retry(ctx, operation, 'no answer about the outputs')
  const signatures = found.value.flatMap((signature) => signature ?? [])
  if (isAsAgreed(signatures, outputs)) return take(ctx, operation, signatures)
  if (signatures.length > 0) return retry(ctx, operation, 'some outputs are signed')
  const before = operation.reading
  if (before && ctx.clock.now() - before.at >= ctx.config.readingGapMs) {
    return fail(ctx, operation, 'somebody else took this quote')
  }
  const reading = before ?? { kind: 'bounced' as const, at: ctx.clock.now() }
  return save(ctx, { ...operation, ...due(ctx, ctx.config.readingGapMs), reading, lastError: 'first reading: issued' })
}

/** A mint that answered from an old copy may come to its senses: outputs that were sent are asked about again and again. */
async function lookAgain(ctx: Context, operation: OperationIn<'withdraw', 'failed'>): Promise<void> {
  const { account, outputs } = operation
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset: keysetOf(ctx.store, account) }, outputs)
  const signatures = found.kind === 'ok' ? found.value.flatMap((signature) => signature ?? []) : []
  const coins = coinsFrom(ctx, signatures, operation)
  const next = signatures.length === outputs.length ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, ...next, lastError: operation.lastError })
  })
  if (coins.length > 0) ctx.emit({ kind: 'balance' })
}

/** W3 */
function take(
  ctx: Context,
  operation: OperationIn<'withdraw', 'issuing'>,
  signatures: readonly VerifiedSignature[],
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const { outputs: _outputs, attempt: _attempt, reading: _reading, ...rest } = operation
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...rest, state: 'done', ...ended(ctx) })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}

function fail(ctx: Context, operation: Exclude<Withdraw, { state: 'done' | 'failed' }>, reason: string): void {
  const { id, kind, account, unit, amount, createdAt, attempts } = operation
  const quote = operation.state === 'quoting' ? null : operation.quote
  const outputs = operation.state === 'issuing' ? operation.outputs : []
  const base = { id, kind, account, unit, amount, createdAt, quote, outputs }
  const next = outputs.length > 0 ? due(ctx, lookAgainPause(ctx, operation)) : ended(ctx)
  save(ctx, { ...base, state: 'failed', ...next, attempts, lastError: reason.slice(0, 200) })
}
