// Replacement: the payer signs a dead handover anew (protocol section 8). The same coins, payee key and amount, fresh
// purses on both sides; no person is asked, because it cannot cost more. It is a payment of its own, whose Hello names the
// swap digest of the dead one. The coins go from one to the other in the transaction that stores the new handover.
// Transactions: D1 the new payment and its Hello stored, tied to the dead one · D2 Terms stored · D3 signed: the coins
// change hands, the dead one is replaced. From there on pay-steps.ts.

import { sumAmounts } from '../../shared/amount.ts'
import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sigAllDigest } from '../../shared/cashu/p2pk.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import { claimSchema, decodeBody, termsSchema, verifySigned } from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import {
  asAbandoned,
  changeAmounts,
  closeSession,
  newPayment,
  type OpenSessions,
  signPayment,
  storeTerms,
} from './pay.ts'
import { type AgreedSession, agree, HelloRefused, hashOfTerms } from './payee-talk.ts'
import { due, lookAgainPause, lookAt, lookSoon, retry } from './progress.ts'
import { chainBefore, maxReplacements, predecessors } from './replaced.ts'
import { feeOf } from './self-swap.ts'
import type { Coin, WalletWrites } from './store-port.ts'

type Pay = OperationOf<'pay'>
type Dead = OperationIn<'pay', 'dead'>
type Unsigned = OperationIn<'pay', 'asking' | 'agreed'>

/** A payee that is not reached is asked until this long after the deadline of the first Terms. Seconds. */
const askAfterDeadlineSeconds = 30 * 24 * 3600

/** Answers to which there is no other answer later. */
const noForGood: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_found',
  'wrong_state',
  'conflict',
  'request_closed',
  'bad_input',
  'bad_frame',
  'amount_out_of_range',
  'mint_unknown',
  'unit_unknown',
  'wrong_payee',
  'bad_terms',
  'wrong_fee',
])

/** The payment that is about to sign this one anew; undefined when there is none, or its row cannot be read. */
export function signedAnewBy({ store }: Pick<Context, 'store'>, operation: Pay): Unsigned | undefined {
  if (!('replacedBy' in operation) || operation.replacedBy === null) return undefined
  const anew = store.read.other(operation.replacedBy)
  if (anew === 'unreadable' || anew?.kind !== 'pay') return undefined
  return anew.state === 'asking' || anew.state === 'agreed' ? anew : undefined
}

/** What would have signed this one anew has not done so, and never will. Inside the caller's transaction. */
export function stopReplacement(ctx: Context, write: WalletWrites, operation: Pay, reason: string): void {
  const anew = signedAnewBy(ctx, operation)
  if (anew) write.updateOperation(asAbandoned(ctx, anew, reason))
}

/** Whether this dead payment is signed anew by itself: no person and no payee has decided otherwise. */
export function mayBeReplaced(ctx: Pick<Context, 'store' | 'clock' | 'secrets'>, operation: Pay): operation is Dead {
  if (operation.state !== 'dead' || operation.replacedBy !== null) return false
  if (operation.reclaim !== null || operation.refusal !== null || isTooLate(ctx, operation)) return false
  const { found, isWhole } = chainBefore(ctx.store, operation)
  if (!isWhole || found.length >= maxReplacements) return false
  const coins = coinsOf(ctx, operation)
  return coins !== undefined && isOwnPromise(ctx, operation, coins)
}

/**
 * Whether these coins were promised, by their own key, to the payee that this row names: nobody is asked before they are
 * promised to it again, and a row can come from a file.
 */
function isOwnPromise(
  { secrets }: Pick<Context, 'secrets'>,
  { claim, swap, terms, payeeKey }: Dead,
  [coin]: readonly Coin[],
): boolean {
  if (!coin) return false
  try {
    const body = hexToBytes(claim.body)
    const said = decodeBody(claimSchema, body)
    return (
      verifySigned('claim', body, hexToBytes(claim.sig), hexToBytes(secrets.purseKey(coin.path))) &&
      bytesToHex(said.swapDigest) === bytesToHex(sigAllDigest(swap.inputs, swap.outputs)) &&
      bytesToHex(said.termsHash) === hashOfTerms(terms.body) &&
      bytesToHex(said.payeeKey) === payeeKey
    )
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

function isTooLate({ store, clock }: Pick<Context, 'store' | 'clock'>, dead: Dead): boolean {
  const first = predecessors(store, dead).at(-1)
  const { deadline } = first && 'deadline' in first ? first : dead
  return unixNow(clock) > deadline + askAfterDeadlineSeconds
}

/** The coins of a dead handover; undefined when one of them is not tied to it any more. */
function coinsOf({ store }: Pick<Context, 'store'>, { id, swap }: Dead): readonly Coin[] | undefined {
  const coins = store.read.coinsOf(id).filter(({ state }) => state === 'reserved' || state === 'handed_over')
  const tied = new Set(coins.map(({ Y }) => Y))
  return tied.size === swap.inputs.length && swap.inputs.every(({ Y }) => tied.has(Y)) ? coins : undefined
}

/** D1 */
export function startReplacement(ctx: Context, dead: Dead): void {
  const { account, unit, amount, payee, requestId, isSingleUse, memo, payeeKey } = dead
  const keyset = keysetOf(ctx.store, account)
  const expectedKey = dead.expectedKey ?? payeeKey
  const order = { account, unit, amount, payee, expectedKey, requestId, isSingleUse, memo }
  const next = newPayment(ctx, order, {
    withinMs: 0,
    replaces: { id: dead.id, digest: knownDigest(ctx, dead) },
    keysetIds: new Set(dead.swap.inputs.flatMap(({ id }) => keyset(id)?.idV2 ?? [])),
  })
  ctx.store.transaction((write) => {
    write.insertOperation(next)
    write.updateOperation({ ...dead, replacedBy: next.id, ...due(ctx, lookAgainPause(ctx, dead)) })
  })
  ctx.emit({ kind: 'operation', id: dead.id })
  ctx.wake()
}

/** The swap digest by which the payee may know this payment; null when it was handed nothing: a new payment like any other. */
function knownDigest({ store }: Pick<Context, 'store'>, dead: Dead): string | null {
  const known = [dead, ...predecessors(store, dead)].find((one) => 'swap' in one && one.handedOver)
  return known && 'swap' in known ? known.swap.digest : null
}

/** One step: Terms, then the facts once more, then the signature. */
export async function stepReplacement(ctx: Context, sessions: OpenSessions, operation: Unsigned): Promise<void> {
  const { replaces } = operation
  if (replaces !== null && ctx.store.read.other(replaces.id) === 'unreadable')
    return putOff(ctx, sessions, operation, 'the payment that it signs anew cannot be read')
  const dead = deadOf(ctx, operation)
  if (!dead) return abandon(ctx, sessions, operation, nothingLeft)
  if (isTooLate(ctx, dead)) return abandon(ctx, sessions, operation, 'terms_expired')
  const { reachable, since } = ctx.mints.reachability(operation.account)
  if (since !== null && !reachable) return putOff(ctx, sessions, operation, 'the mint cannot be reached')
  const agreed = operation.state === 'agreed' ? operation : await askForTerms(ctx, sessions, operation)
  if (agreed) await sign(ctx, sessions, agreed)
}

const nothingLeft = 'nothing is left to sign'

/** The dead payment that waits for this one; undefined when a person took it back or it passed after all. */
function deadOf({ store }: Pick<Context, 'store'>, { id, replaces }: Unsigned): Dead | undefined {
  const dead = replaces === null ? undefined : store.read.other(replaces.id)
  if (dead === 'unreadable') return undefined
  return dead?.kind === 'pay' && dead.state === 'dead' && dead.replacedBy === id ? dead : undefined
}

/** Asked after every wait: a person may have ended it meanwhile. */
const isStill = ({ store }: Pick<Context, 'store'>, { id, state }: Unsigned): boolean =>
  store.read.operation(id)?.state === state

/** D2. @returns undefined when there are none: asked again later, or given up */
async function askForTerms(
  ctx: Context,
  sessions: OpenSessions,
  operation: OperationIn<'pay', 'asking'>,
): Promise<OperationIn<'pay', 'agreed'> | undefined> {
  try {
    const agreed = await agree(ctx, operation)
    sessions.set(operation.id, agreed)
    const dead = deadOf(ctx, operation)
    if (!dead || !isStill(ctx, operation)) throw new AppError('wrong_state', nothingLeft)
    assertFresh(dead, agreed)
    return storeTerms(ctx, operation, agreed, { fee: dead.fee, withinMs: 0 })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const end = noForGood.has(error.code) && !isNoAnswer(error) ? abandon : putOff
    await end(ctx, sessions, operation, error.code)
    return undefined
  }
}

/** What cannot be read, or is somebody else's, is no answer of the payee. */
const isNoAnswer = (error: AppError): boolean =>
  !(error instanceof HelloRefused) && (error.code === 'bad_frame' || error.code === 'wrong_payee')

/** An output of the dead swap would make a dead swap again. @throws AppError `bad_terms` */
function assertFresh({ swap }: Dead, { terms }: AgreedSession): void {
  const before = new Set(swap.outputs.map(({ B_ }) => B_))
  const isOld = terms.outputs.some(([, B_]) => before.has(bytesToHex(B_)))
  if (isOld) throw new AppError('bad_terms', 'an output of the dead handover')
}

/**
 * D3, when the facts still say that the first swap can never pass: nothing is spent, and an output of it is signed
 * elsewhere. Unknown is never No.
 */
async function sign(ctx: Context, sessions: OpenSessions, operation: OperationIn<'pay', 'agreed'>): Promise<void> {
  const before = deadOf(ctx, operation)
  if (!before) return abandon(ctx, sessions, operation, nothingLeft)
  const outcome = await lookAt(ctx, before, { kind: 'owner' })
  const dead = deadOf(ctx, operation)
  if (!dead || !isStill(ctx, operation)) return abandon(ctx, sessions, operation, nothingLeft)
  switch (outcome.kind) {
    case 'dead':
      break
    case 'settled':
      // It passed after all: its own step says so.
      lookSoon(ctx, dead.id)
      return abandon(ctx, sessions, operation, nothingLeft)
    case 'expired':
      return abandon(ctx, sessions, operation, 'keyset_expired')
    default:
      return putOff(ctx, sessions, operation, `the dead handover looks ${outcome.kind}`)
  }
  try {
    signNow(ctx, operation, dead)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    await abandon(ctx, sessions, operation, error.code)
  }
}

/** @throws AppError when it would cost more than the first one or no keyset can sign it: then nothing has changed */
function signNow(ctx: Context, operation: OperationIn<'pay', 'agreed'>, dead: Dead): void {
  const { id, amount, deadline } = operation
  if (unixNow(ctx.clock) > deadline) throw new AppError('terms_expired', 'these Terms are over')
  const coins = coinsOf(ctx, dead)
  if (coins && !isOwnPromise(ctx, dead, coins)) throw new AppError('wrong_state', 'these coins were never promised so')
  if (!coins) throw new AppError('wrong_state', 'a coin is not tied to the dead payment')
  const terms = decodeBody(termsSchema, hexToBytes(operation.terms.body))
  const fee = feeOf(ctx, coins)
  if (fee > dead.fee) throw new AppError('wrong_fee', 'the fee is higher than that of the first signature')
  const change = sumAmounts(coins.map((coin) => coin.amount)) - fee - amount
  const amounts = changeAmounts(ctx, operation, change, terms)
  // What may have left this computer once stays marked as that.
  const held = coins.some(({ state }) => state === 'handed_over') ? 'handed_over' : 'reserved'
  ctx.store.transaction((write) => {
    signPayment(ctx, write, { operation, terms, coins, fee, change, amounts, state: 'settling' })
    write.moveCoins(
      dead.account,
      coins.map(({ Y }) => Y),
      ['reserved', 'handed_over'],
      held,
      id,
    )
    write.updateOperation({ ...dead, state: 'replaced', ...due(ctx, lookAgainPause(ctx, dead)) })
  })
  for (const changed of [dead.id, id]) ctx.emit({ kind: 'operation', id: changed })
  ctx.emit({ kind: 'balance' })
  ctx.wake()
}

/** Later; no stream stays open meanwhile. */
async function putOff(ctx: Context, sessions: OpenSessions, operation: Unsigned, reason: string): Promise<void> {
  await closeSession(sessions, operation.id)
  if (isStill(ctx, operation)) retry(ctx, operation, reason)
}

/** Given up: the dead payment, if it still waits, says why. A person can take its coins back. */
async function abandon(ctx: Context, sessions: OpenSessions, operation: Unsigned, reason: string): Promise<void> {
  await closeSession(sessions, operation.id)
  if (!isStill(ctx, operation)) return
  const dead = deadOf(ctx, operation)
  ctx.store.transaction((write) => {
    write.updateOperation(asAbandoned(ctx, operation, reason))
    if (dead) write.updateOperation({ ...dead, updatedAt: ctx.clock.now(), lastError: reason })
  })
  if (dead) ctx.emit({ kind: 'operation', id: dead.id })
}
