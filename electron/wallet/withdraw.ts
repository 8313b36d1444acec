// Withdraw: get coins from the mint against money (NUT-04, NUT-23).
// Transactions: W1 quote stored, sealed · W2 purse, indices, outputs and keyset of the one issue request stored, before it
// is sent · W3 coins stored, done. An issue without a clean answer is looked up by NUT-09, never guessed.

import { assertAmount } from '../../shared/amount.ts'
import type { Keyset } from '../../shared/cashu/keyset.ts'
import { maxOutputs } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import { spreadAmount } from './coins.ts'
import { type Context, unixNow } from './context.ts'
import { copyNoted } from './generation.ts'
import { asksFor, readInvoice } from './invoice.ts'
import type { OperationIn, OperationOf, QuoteReading } from './operation.ts'
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
  assertPossible(ctx, account, unit, amount)
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
function assertPossible(ctx: Context, account: number, unit: string, amount: number): void {
  assertAmount(amount)
  if (!ctx.store.read.mint(account)) throw new AppError('mint_unknown', 'no such mint')
  const keysets = ctx.store.read.keysets(account)
  if (!keysets.some((keyset) => keyset.unit === unit)) throw new AppError('unit_unknown', 'the mint has no such unit')
  if (!planAmounts(ctx, account, unit, amount)) {
    throw new AppError('amount_out_of_range', 'no active keyset has coins for this amount')
  }
}

type Planned = { readonly amounts: readonly number[]; readonly keyset: Keyset }

/** The coins this amount comes in, and the active keyset that has them; undefined when there is none at the moment. */
function planAmounts(
  { store, clock, config }: Context,
  account: number,
  unit: string,
  amount: number,
): Planned | undefined {
  const keysets = store.read.keysets(account)
  const largest = largestDenomination(keysets, unit, unixNow(clock))
  const amounts = largest ? spreadAmount(amount, { ofEach: config.coinsOfEach, largest, limit: maxOutputs }) : []
  if (amounts.length === 0 || amounts.length > maxOutputs) return undefined
  const keyset = outputKeyset(keysets, unit, amounts, unixNow(clock))
  return keyset && { amounts, keyset }
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
    if (!fits || !asksForThis(request, operation))
      return fail(ctx, operation, 'the mint offers something else than was asked')
    return save(ctx, {
      ...operation,
      state: 'unpaid',
      quote: ctx.secrets.sealText(operation.id, quote),
      request,
      expiry: expiry ?? null,
      reading: null,
      ...due(ctx, pollQuoteMs[0]),
    })
  }
  // No money is at stake yet: a refusal ends it, anything else is asked again.
  if (answer.kind === 'refused') return fail(ctx, operation, `${answer.code} ${answer.detail}`)
  return retry(ctx, operation, answer.reason, answer.retryAfterMs)
}

/** What a person is shown to pay is an invoice, and of this amount. */
function asksForThis(request: string, { amount, unit }: Withdraw): boolean {
  try {
    return asksFor(readInvoice(request), amount, unit)
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/**
 * A mint may err about a quote, while its Lightning node starts or from an old copy: two equal readings some time apart end
 * the wait for it, and what failed is looked at again.
 */
async function lookAtQuote(ctx: Context, operation: OperationIn<'withdraw', 'unpaid'>): Promise<void> {
  const answer = await askAboutQuote(ctx, operation)
  if (answer.kind !== 'ok') {
    const reason = answer.kind === 'refused' ? `${answer.code} ${answer.detail}` : answer.reason
    return retry(ctx, operation, reason, answer.kind === 'unknown' ? answer.retryAfterMs : undefined)
  }
  switch (answer.value.state) {
    case 'PAID':
      return plan(ctx, operation)
    case 'ISSUED':
      return failIfConfirmed(ctx, operation, 'issued', takenReason)
    case 'PENDING':
      return save(ctx, { ...operation, reading: null, ...due(ctx, quotePause(ctx, operation)) })
    case 'UNPAID': {
      const isOver = operation.expiry !== null && unixNow(ctx.clock) > operation.expiry + expiryGrace
      return isOver
        ? failIfConfirmed(ctx, operation, 'unpaid', 'not paid in time')
        : save(ctx, { ...operation, reading: null, ...due(ctx, quotePause(ctx, operation)) })
    }
  }
}

const takenReason = 'somebody else took this quote'

function failIfConfirmed(
  ctx: Context,
  operation: OperationIn<'withdraw', 'unpaid'>,
  kind: QuoteReading['kind'],
  reason: string,
): void {
  const { reading, isOld, pause } = readingOf(ctx, operation.reading, kind)
  if (isOld) fail(ctx, operation, reason)
  else save(ctx, { ...operation, ...due(ctx, pause), reading, lastError: `first reading: ${kind}` })
}

/** The reading that stands, if it is of this kind, or one made now; whether it is old enough to count as the first of two. */
function readingOf<K extends string>(
  { clock, config }: Context,
  before: { readonly kind: string; readonly at: number } | null,
  kind: K,
): { readonly reading: { readonly kind: K; readonly at: number }; readonly isOld: boolean; readonly pause: number } {
  const now = clock.now()
  // One from the future is from before the clock was set back.
  const isEqual = before?.kind === kind && before.at <= now
  const at = isEqual ? before.at : now
  return { reading: { kind, at }, isOld: now - at >= config.readingGapMs, pause: at + config.readingGapMs - now }
}

/** The mint's name of the quote. One that an older program stored is not sealed. */
const quoteOf = ({ secrets }: Context, { id, quote }: Quoted): string => secrets.openText(id, quote) ?? quote

type Quoted = OperationIn<'withdraw', 'unpaid' | 'issuing'> | Lost

const askAboutQuote = (ctx: Context, operation: Quoted) =>
  ctx.mints.client(operation.account).mintQuote(quoteOf(ctx, operation))

function quotePause({ clock }: Context, { createdAt }: Withdraw): number {
  const [shortest, longest] = pollQuoteMs
  return Math.min(longest, Math.max(shortest, Math.floor((clock.now() - createdAt) / 10)))
}

/** W2: outputs, indices and the exact request become durable together; the next step sends them. */
async function plan(ctx: Context, operation: OperationIn<'withdraw', 'unpaid'> | Lost): Promise<void> {
  const { account, unit, amount, id } = operation
  const planned = planAmounts(ctx, account, unit, amount)
  if (!planned) return retry(ctx, operation, 'no active keyset has coins for this amount')
  const { amounts, keyset } = planned
  const issuing = ctx.store.transaction((write) => {
    const purse = write.takePurse({ generation: ctx.generation, account, unit }, 'withdraw', 'own')
    const { outputs, own } = planOutputs(ctx, write, purse, amounts, id)
    const attempt = { keysetId: keyset.id }
    const asked = { state: 'issuing' as const, outputs, earlier: [], attempt, reading: null }
    const next = { ...operation, ...asked, ...stamp(ctx) }
    write.updateOperation(next)
    write.insertOutputs(own)
    write.markPurse(purse.id, { closed: true })
    return next
  })
  return issue(ctx, issuing)
}

async function issue(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>): Promise<void> {
  const { account, unit, outputs, attempt } = operation
  const mint = ctx.mints.client(account)
  const keyset = keysetOf(ctx.store, account)
  const answer = await mint.issue(issueBody(quoteOf(ctx, operation), outputs, attempt.keysetId))
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
  if (signatures.length > 0) return takeIfIssued(ctx, operation, signatures)
  if (answer.kind !== 'refused') return retry(ctx, operation, 'no clean answer')
  return refused(ctx, operation, `${answer.code} ${answer.detail}`)
}

const isAsAgreed = (signatures: readonly VerifiedSignature[], outputs: Issuing['outputs']): boolean =>
  signatures.length === outputs.length && outputs.every(({ amount }, index) => signatures[index]?.amount === amount)

type Issuing = OperationIn<'withdraw', 'issuing'>

/**
 * Signatures that are there although this quote was never used are those of another life of this wallet: spent, maybe.
 * Of two equal readings some time apart, because a mint may sign first and note the quote a moment later.
 */
async function takeIfIssued(ctx: Context, operation: Issuing, signatures: readonly VerifiedSignature[]): Promise<void> {
  const quote = await askAboutQuote(ctx, operation)
  if (quote.kind !== 'ok') return retry(ctx, operation, 'no answer about the quote')
  const { state } = quote.value
  if (state === 'ISSUED' && isAsAgreed(signatures, operation.outputs)) return take(ctx, operation, signatures)
  if (state !== 'PAID') return retry(ctx, operation, 'these outputs were signed in part, or for another quote')
  const { reading, isOld, pause } = readingOf(ctx, operation.reading, 'dead')
  if (isOld) return planAnew(ctx, operation, signatures)
  return save(ctx, {
    ...operation,
    ...due(ctx, pause),
    reading,
    lastError: 'first reading: these outputs were signed for another quote',
  })
}

/**
 * Another life of this wallet has used these indices: on in a generation of its own, with new outputs for the same quote.
 * The request before may still be under way; it can never pass, because its outputs are signed. What is signed on them and
 * not spent is ours in whichever life, and rests: the mint may have erred about the quote.
 */
async function planAnew(ctx: Context, operation: Issuing, signatures: readonly VerifiedSignature[]): Promise<void> {
  const { id, account, unit, outputs } = operation
  const signed = coinsFrom(ctx, signatures, operation)
  const states = await ctx.mints.client(account).checkState(signed.map(({ Y }) => Y))
  if (states.kind !== 'ok') return retry(ctx, operation, 'no answer about the coins')
  const unspent = signed.filter((_, index) => states.value[index] !== 'SPENT')
  const amounts = outputs.map(({ amount }) => amount)
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  if (!keyset) return retry(ctx, operation, 'no active keyset has coins for this amount')
  const noted = copyNoted(ctx, 'twin')
  ctx.store.transaction((write) => {
    noted(write)
    write.insertCoins(unspent.map((coin) => ({ ...coin, state: 'quarantined' as const })))
    const purse = write.takePurse({ generation: ctx.generation, account, unit }, 'withdraw', 'own')
    const planned = planOutputs(ctx, write, purse, amounts, id)
    const attempt = { keysetId: keyset.id }
    write.updateOperation({ ...operation, outputs: [...planned.outputs], attempt, reading: null, ...due(ctx, 0) })
    write.insertOutputs(planned.own)
    write.markPurse(purse.id, { closed: true })
  })
  ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

/**
 * The mint said No and has signed nothing. Whether the quote is still ours decides; an inactive keyset is replaced, and where
 * no other has these denominations, the coins are planned anew.
 */
async function refused(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>, reason: string): Promise<void> {
  const { account, unit, outputs } = operation
  const state = await askAboutQuote(ctx, operation)
  if (state.kind === 'ok' && state.value.state === 'ISSUED') return takeOrFail(ctx, operation)
  const isSynced = await ctx.mints.sync(account)
  const amounts = outputs.map(({ amount }) => amount)
  const keysets = ctx.store.read.keysets(account)
  const keyset = outputKeyset(keysets, unit, amounts, unixNow(ctx.clock))
  if (keyset && keyset.id !== operation.attempt.keysetId) {
    return retry(ctx, { ...operation, attempt: { keysetId: keyset.id } }, reason)
  }
  const isActive = keysets.some(({ id, active }) => id === operation.attempt.keysetId && active)
  const isPaid = state.kind === 'ok' && state.value.state === 'PAID'
  if (!keyset && isSynced && !isActive && isPaid) return planOtherCoins(ctx, operation, reason)
  return retry(ctx, operation, reason)
}

/**
 * Nothing was signed, and no active keyset has these denominations: other coins, new indices, the same quote. A quote is
 * used once, so that at most one of the requests can pass; which one is known by the facts.
 */
async function planOtherCoins(ctx: Context, operation: Issuing, reason: string): Promise<void> {
  const { id, account, unit, amount } = operation
  const planned = planAmounts(ctx, account, unit, amount)
  if (!planned) return retry(ctx, operation, reason)
  ctx.store.transaction((write) => {
    const purse = write.takePurse({ generation: ctx.generation, account, unit }, 'withdraw', 'own')
    const { outputs, own } = planOutputs(ctx, write, purse, planned.amounts, id)
    const earlier = [...operation.earlier, ...operation.outputs]
    const attempt = { keysetId: planned.keyset.id }
    const next = { ...operation, outputs: [...outputs], earlier, attempt, reading: null }
    write.updateOperation({ ...next, ...due(ctx, 0), lastError: reason.slice(0, 200) })
    write.insertOutputs(own)
    write.markPurse(purse.id, { closed: true })
  })
  ctx.emit({ kind: 'operation', id })
  ctx.wake()
}

/** The quote is used up. If not for our outputs, asked after it was, then for somebody else's. */
async function takeOrFail(ctx: Context, operation: OperationIn<'withdraw', 'issuing'>): Promise<void> {
  const { account, outputs, earlier } = operation
  const keyset = keysetOf(ctx.store, account)
  const found = await findSignatures({ mint: ctx.mints.client(account), keyset }, [...outputs, ...earlier])
  if (found.kind !== 'ok') return retry(ctx, operation, 'no answer about the outputs')
  const signatures = found.value.flatMap((signature) => signature ?? [])
  if (isAsAgreed(signatures, outputs) || isWhole(signatures, operation)) return take(ctx, operation, signatures)
  if (signatures.length > 0) return retry(ctx, operation, 'some outputs are signed')
  const { reading, isOld, pause } = readingOf(ctx, operation.reading, 'bounced')
  if (isOld) return fail(ctx, operation, takenReason)
  return save(ctx, { ...operation, ...due(ctx, pause), reading, lastError: 'first reading: issued' })
}

/** What was signed is worth the deposit, though it may be on outputs that were asked for before. */
const isWhole = (signatures: readonly VerifiedSignature[], { amount }: Withdraw): boolean =>
  signatures.reduce((sum, signature) => sum + signature.amount, 0) === amount

/** Failed, with a quote that can be asked about. */
type Lost = OperationIn<'withdraw', 'failed'> & { readonly quote: string; readonly request: string }

const isLost = (operation: OperationIn<'withdraw', 'failed'>): operation is Lost =>
  operation.quote !== null && operation.request !== null

/**
 * A mint that answered from an old copy may come to its senses: outputs that were sent are asked about again and again, and
 * so is the quote. Paid after all, it is used.
 */
async function lookAgain(ctx: Context, operation: OperationIn<'withdraw', 'failed'>): Promise<void> {
  const { account, outputs, earlier } = operation
  const mint = ctx.mints.client(account)
  const sent = [...outputs, ...earlier]
  const found = sent.length === 0 ? null : await findSignatures({ mint, keyset: keysetOf(ctx.store, account) }, sent)
  const signatures = found?.kind === 'ok' ? found.value.flatMap((signature) => signature ?? []) : []
  const isFound = found !== null && (signatures.length === sent.length || isWhole(signatures, operation))
  if (isLost(operation) && (found === null || found.kind === 'ok') && signatures.length === 0) {
    const quote = await askAboutQuote(ctx, operation)
    if (quote.kind === 'ok' && quote.value.state === 'PAID') return goOn(ctx, operation)
  }
  const coins = coinsFrom(ctx, signatures, operation)
  const next = isFound ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...operation, ...next, lastError: operation.lastError })
  })
  if (coins.length > 0) ctx.emit({ kind: 'balance' })
}

/** The outputs that were sent are asked for once more, so that nothing is issued twice; where there are none, they are planned. */
async function goOn(ctx: Context, operation: Lost): Promise<void> {
  const { account, unit, outputs } = operation
  if (outputs.length === 0) return plan(ctx, operation)
  const amounts = outputs.map(({ amount }) => amount)
  const keyset = outputKeyset(ctx.store.read.keysets(account), unit, amounts, unixNow(ctx.clock))
  if (!keyset) return retry(ctx, operation, 'no active keyset has coins for this amount')
  const issuing = {
    ...operation,
    state: 'issuing' as const,
    attempt: { keysetId: keyset.id },
    reading: null,
    ...due(ctx, 0),
  }
  save(ctx, issuing)
  return issue(ctx, issuing)
}

/** W3 */
function take(
  ctx: Context,
  operation: OperationIn<'withdraw', 'issuing'>,
  signatures: readonly VerifiedSignature[],
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const { outputs: _outputs, earlier: _earlier, attempt: _attempt, reading: _reading, ...rest } = operation
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation({ ...rest, state: 'done', ...ended(ctx) })
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}

function fail(ctx: Context, operation: Exclude<Withdraw, { state: 'done' | 'failed' }>, reason: string): void {
  const { id, kind, account, unit, amount, createdAt, attempts } = operation
  const { quote, request, expiry } =
    operation.state === 'quoting' ? { quote: null, request: null, expiry: null } : operation
  const { outputs, earlier } = operation.state === 'issuing' ? operation : { outputs: [], earlier: [] }
  const base = { id, kind, account, unit, amount, createdAt, quote, request, expiry, outputs, earlier }
  const next = quote === null ? ended(ctx) : due(ctx, lookAgainPause(ctx, operation))
  save(ctx, { ...base, state: 'failed', ...next, attempts, lastError: reason.slice(0, 200) })
}
