// NUT-05, NUT-08 and NUT-23: a quote for money out, and the payment against coins.
//
// UNPAID ──melt: coins PENDING, one transaction──► PENDING ──funding paid: coins SPENT, change signed──► PAID
//    ▲                                                │
//    └──────────funding failed: coins free again──────┘
//
// Between the two transactions the funding pays. It pays once per quote however often it is asked, so a crash there is
// healed by asking again: at start, and when the same melt request comes again. An unknown outcome frees no coin.

import { splitAmount, sumAmounts } from '../shared/amount.ts'
import { type MeltQuoteRequest, type MeltQuoteResponse, type MeltRequest, nutErrors } from '../shared/cashu/wire.ts'
import { never } from '../shared/errors.ts'
import { proveInputs, readLock } from './conditions.ts'
import { readInputs, takeInputs, worthOf } from './inputs.ts'
import { type Keyring, maxQuoteAmount } from './keys.ts'
import { hasActiveKeyset, readKeysets } from './keysets.ts'
import { assertNew, assertPoints, readBlanks, signBlanks, toWire } from './outputs.ts'
import type { Clock, Funding, MeltQuote, MintQuote, MintStore, PaymentOutcome, Random } from './ports.ts'
import { refuse, unspecified } from './refusal.ts'
import { meltHash, type RequestHash } from './request-hash.ts'
import { assertUnit } from './units.ts'
import { uuidV7 } from './uuid.ts'

/**
 * A melt quote that nobody used is kept for a day after its end, so that a wallet is told why it can pay no more; then it
 * is forgotten, or strangers would fill the disk. What is PENDING or PAID is kept for ever, and every mint quote, too: whether
 * its invoice was paid, perhaps late, only the funding knows; and a melt of an invoice that the mint has forgotten for its own
 * would be paid as somebody else's.
 */
const keepUnpaidSeconds = 24 * 3600
/** With each new quote: more than come, and a moment's work. */
const forgottenAtOnce = 8

type Deps = {
  readonly store: MintStore
  readonly keyring: Keyring
  readonly funding: Funding
  readonly clock: Clock
  readonly random: Random
  /** Told of a failure that no request waits for. */
  readonly report: (error: unknown) => void
}

export type Melting = {
  /** @throws MintRefusal 11013, 11006, 11011 */
  createQuote(request: MeltQuoteRequest): MeltQuoteResponse
  /** @throws MintRefusal unspecified for an unknown id */
  quote(id: string): MeltQuoteResponse
  /**
   * Pay; waits for the outcome. PENDING when the outcome is unknown. @throws MintRefusal 20004 when the payment
   * failed, 20005, 20006, 20007, 11005 and those of inputs and conditions
   */
  melt(request: MeltRequest): Promise<MeltQuoteResponse>
  /** Ask again about payments that were on their way when the process ended. */
  resume(): void
  /** Stop waiting for payments; what is not settled by then stays PENDING. */
  stop(): Promise<void>
}

export function createMelting(deps: Deps): Melting {
  const { store } = deps
  const payments = createPayments(deps)
  return {
    createQuote: (request) => createQuote(deps, request),
    quote: (id) => {
      const quote = quoteOf(deps, id)
      // Who asks wants to know: the funding is asked again, and the next answer says what it said.
      if (quote.state === 'PENDING') payments.settle(quote).catch(deps.report)
      return toQuoteResponse(deps, quote)
    },
    melt: async (request) => {
      const requestHash = meltHash(request.quote, request.inputs, request.outputs ?? [])
      const begun = store.transaction(() => begin(deps, request, requestHash))
      if (begun.state === 'PENDING') await payments.settle(begun)
      const quote = quoteOf(deps, request.quote)
      if (quote.requestHash !== requestHash) refuse(nutErrors.paymentFailed, 'the payment failed, no coin was spent')
      return toQuoteResponse(deps, quote)
    },
    resume: () => {
      for (const quote of store.pendingMelts()) payments.settle(quote).catch(deps.report)
    },
    stop: payments.stop,
  }
}

function createQuote(deps: Deps, { request, unit, options }: MeltQuoteRequest): MeltQuoteResponse {
  if (!hasActiveKeyset(readKeysets(deps), unit)) refuse(nutErrors.unitNotSupported, 'unit is not served')
  if (options !== undefined && options !== null) refuse(unspecified, 'options of a melt quote are not served')
  const terms = deps.funding.readInvoice(request, unit)
  if (terms.amount > maxQuoteAmount) refuse(nutErrors.amountOutsideLimit, `at most ${maxQuoteAmount} in one quote`)
  const quote: MeltQuote = {
    id: uuidV7(deps.clock.now(), deps.random),
    unit,
    request,
    ...terms,
    state: 'UNPAID',
    requestHash: null,
    preimage: null,
  }
  deps.store.transaction(() => {
    deps.store.forgetMeltQuotes(Math.floor(deps.clock.now() / 1000) - keepUnpaidSeconds, forgottenAtOnce)
    deps.store.addMeltQuote(quote)
  })
  return toQuoteResponse(deps, quote)
}

/**
 * The first transaction: check everything, take the coins, note what will be paid. A quote that this very request
 * began before is returned as it is (NUT-19). An invoice of this mint is settled at once, without the funding.
 */
function begin(deps: Deps, request: MeltRequest, requestHash: RequestHash): MeltQuote {
  const { store } = deps
  const quote = quoteOf(deps, request.quote)
  if (quote.requestHash === requestHash) return quote
  const taken = store.meltOf(quote.paymentHash) // by this quote or another one for the same invoice
  if (taken?.state === 'PENDING') refuse(nutErrors.quotePending, 'the invoice is being paid')
  if (taken) refuse(nutErrors.invoiceAlreadyPaid, 'the invoice is paid')

  const now = Math.floor(deps.clock.now() / 1000)
  if (now >= quote.expiry) refuse(nutErrors.quoteExpired, 'the quote has expired')
  const keysets = readKeysets(deps)
  const inputs = readInputs(request.inputs, keysets, now)
  const blanks = readBlanks(request.outputs ?? [], keysets, now)
  assertUnit(inputs, quote.unit)
  if (blanks.length > 0) assertUnit(blanks, quote.unit)
  if (worthOf(inputs) !== quote.amount + quote.feeReserve) {
    // More than asked for is refused too: change is for the fee reserve only.
    refuse(nutErrors.notBalanced, 'inputs less fee are not equal to amount and fee reserve')
  }
  const own = store.mintQuoteOf(quote.paymentHash)
  if (own) assertPayable(own, quote, now)
  const lock = readLock(inputs)
  const coins = takeInputs(inputs, store, (coin) => store.reserve(coin, requestHash, quote.id))
  assertNew(blanks, store)
  // What is costly comes last: a refusal for any other reason costs the mint nothing.
  proveInputs(coins, lock, blanks, quote.id)
  assertPoints(blanks)

  store.markPending(quote.id, requestHash)
  for (const [position, { B_, keyset }] of blanks.entries()) {
    if (!store.addBlank({ B_, keysetId: keyset.id }, quote.id, position)) {
      refuse(nutErrors.outputsAlreadySigned, 'an output was signed before, or waits for another payment')
    }
  }
  if (own) settleWithin(deps, quoteOf(deps, quote.id), own)
  return quoteOf(deps, quote.id)
}

/** Whether an invoice of ours can be paid by this melt. @throws MintRefusal 11010, 11012, 20007, 20006 */
function assertPayable(own: MintQuote, quote: MeltQuote, now: number): void {
  if (own.unit !== quote.unit) refuse(nutErrors.unitMismatch, 'the invoice is for another unit of this mint')
  if (own.amount !== quote.amount) refuse(nutErrors.amountMismatch, 'the invoice is for another amount')
  if (now >= own.expiry) refuse(nutErrors.quoteExpired, 'the invoice has expired')
  if (own.state !== 'UNPAID') refuse(nutErrors.invoiceAlreadyPaid, 'the invoice is paid')
}

/** The invoice is of a mint quote of ours: no money moves outside, the quote becomes PAID, once. */
function settleWithin(deps: Deps, quote: MeltQuote, own: MintQuote): void {
  if (!deps.store.markPaid(own.id)) refuse(nutErrors.invoiceAlreadyPaid, 'the invoice is paid')
  complete(deps, quote, { preimage: null, cost: 0 })
}

/**
 * PENDING → PAID, inside a transaction: the coins are spent, and what the payment did not cost of the fee reserve is
 * signed on the blank outputs, the largest parts first when there are too few of them (NUT-08).
 */
function complete(
  deps: Deps,
  quote: MeltQuote,
  { preimage, cost = quote.feeReserve }: { readonly preimage: string | null; readonly cost?: number },
): void {
  const { store } = deps
  const blanks = store.takeBlanks(quote.id)
  const parts = splitAmount(Math.max(0, quote.feeReserve - Math.max(0, cost)))
  const amounts = blanks.length > 0 ? parts.slice(-blanks.length) : []
  if (!store.completeMelt(quote.id, preimage, sumAmounts(amounts)) || quote.requestHash === null) return
  signBlanks(blanks, amounts, readKeysets(deps), quote.requestHash, store)
}

type Payments = { settle(quote: MeltQuote): Promise<void>; stop(): Promise<void> }

/** Payments on their way, one per quote however many requests wait for it. */
function createPayments(deps: Deps): Payments {
  const { store, funding, report } = deps
  const stopping = new AbortController()
  const running = new Map<string, Promise<void>>()

  /** `unknown` also when the funding breaks, and when the mint stops first. */
  const outcomeOf = async (quote: MeltQuote): Promise<PaymentOutcome> => {
    const { signal } = stopping
    if (signal.aborted) return { kind: 'unknown' }
    const stopped = Promise.withResolvers<PaymentOutcome>()
    const stop = (): void => stopped.resolve({ kind: 'unknown' })
    signal.addEventListener('abort', stop)
    try {
      return await Promise.race([funding.pay(quote, signal), stopped.promise])
    } catch (error) {
      if (!signal.aborted) report(error)
      return { kind: 'unknown' }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  const pay = async (quote: MeltQuote): Promise<void> => {
    const outcome = await outcomeOf(quote)
    // The second transaction.
    switch (outcome.kind) {
      case 'paid':
        return void store.transaction(() => complete(deps, quote, outcome))
      case 'failed':
        return void store.transaction(() => store.abandonMelt(quote.id))
      case 'unknown':
        return
      default:
        return never(outcome)
    }
  }
  return {
    settle: (quote) => {
      const payment = running.get(quote.id) ?? pay(quote).finally(() => running.delete(quote.id))
      running.set(quote.id, payment)
      return payment
    },
    stop: async () => {
      stopping.abort()
      await Promise.allSettled(running.values())
    },
  }
}

function quoteOf({ store }: Deps, id: string): MeltQuote {
  return store.meltQuote(id) ?? refuse(unspecified, 'there is no such quote')
}

function toQuoteResponse({ store }: Pick<Deps, 'store'>, quote: MeltQuote): MeltQuoteResponse {
  const change = quote.requestHash === null ? [] : store.signaturesOf(quote.requestHash).map(toWire)
  return {
    quote: quote.id,
    request: quote.request,
    amount: quote.amount,
    unit: quote.unit,
    fee_reserve: quote.feeReserve,
    state: quote.state,
    expiry: quote.expiry,
    payment_preimage: quote.preimage,
    ...(change.length > 0 ? { change } : {}),
  }
}
