// NUT-04 and NUT-23: a quote for money in, and the coins for it once it is paid.

import {
  type MintQuoteRequest,
  type MintQuoteResponse,
  type MintRequest,
  nutErrors,
  type SignaturesResponse,
} from '../shared/cashu/wire.ts'
import { type Keyring, maxQuoteAmount } from './keys.ts'
import { hasActiveKeyset, readKeysets } from './keysets.ts'
import { assertNew, readOutputs, signOutputs, totalOf, toWire } from './outputs.ts'
import type { Clock, Funding, MintQuote, MintStore, Random } from './ports.ts'
import { refuse, unspecified } from './refusal.ts'
import { issueHash } from './request-hash.ts'
import { assertUnit } from './units.ts'
import { uuidV7 } from './uuid.ts'

type Deps = {
  readonly store: MintStore
  readonly keyring: Keyring
  readonly funding: Funding
  readonly clock: Clock
  readonly random: Random
}

/** @throws MintRefusal 11013, 11006 */
export async function createMintQuote(deps: Deps, { amount, unit }: MintQuoteRequest): Promise<MintQuoteResponse> {
  const { store, funding, clock, random } = deps
  if (!hasActiveKeyset(readKeysets(deps), unit)) refuse(nutErrors.unitNotSupported, 'unit is not served')
  if (amount > maxQuoteAmount) refuse(nutErrors.amountOutsideLimit, `at most ${maxQuoteAmount} in one quote`)
  const invoice = await funding.createInvoice(amount, unit)
  const createdAtMs = clock.now()
  const quote: MintQuote = { id: uuidV7(createdAtMs, random), unit, amount, ...invoice, state: 'UNPAID', createdAtMs }
  store.transaction(() => store.addMintQuote(quote))
  return toQuoteResponse(quote)
}

/** The quote as it is now; asks the funding while it is unpaid. @throws MintRefusal unspecified for an unknown id */
export async function mintQuote(deps: Deps, id: string): Promise<MintQuoteResponse> {
  await notePayment(deps, id)
  return toQuoteResponse(quoteOf(deps, id))
}

/**
 * Issue the coins of a paid quote, once, in one transaction; the same request again gets the same signatures (NUT-19).
 * @throws MintRefusal 20001, 20002, 20007, 11005 and those of outputs
 */
export async function issue(deps: Deps, request: MintRequest): Promise<SignaturesResponse> {
  await notePayment(deps, request.quote)
  const { store, clock } = deps
  const requestHash = issueHash(request.quote, request.outputs)
  return store.transaction(() => {
    const answered = store.signaturesOf(requestHash)
    if (answered.length > 0) return { signatures: answered.map(toWire) }

    const now = Math.floor(clock.now() / 1000)
    const quote = quoteOf(deps, request.quote)
    if (quote.state === 'ISSUED') refuse(nutErrors.quoteAlreadyIssued, 'the quote was issued before')
    if (quote.state === 'UNPAID' && now >= quote.expiry) refuse(nutErrors.quoteExpired, 'the quote expired unpaid')
    if (quote.state === 'UNPAID') refuse(nutErrors.quoteNotPaid, 'the quote is not paid')
    const outputs = readOutputs(request.outputs, readKeysets(deps), now)
    assertUnit(outputs, quote.unit)
    if (totalOf(outputs) !== quote.amount) refuse(nutErrors.notBalanced, 'outputs are not equal to the quote')

    assertNew(outputs, store)
    store.markIssued(quote.id, requestHash)
    return signOutputs(outputs, requestHash, store)
  })
}

async function notePayment({ store, funding }: Deps, id: string): Promise<void> {
  const quote = store.mintQuote(id)
  if (quote?.state !== 'UNPAID') return
  if (await funding.isPaid(quote)) store.transaction(() => store.markPaid(id))
}

function quoteOf({ store }: Deps, id: string): MintQuote {
  return store.mintQuote(id) ?? refuse(unspecified, 'there is no such quote')
}

function toQuoteResponse({ id, request, amount, unit, state, expiry }: MintQuote): MintQuoteResponse {
  return { quote: id, request, amount, unit, state, expiry }
}
