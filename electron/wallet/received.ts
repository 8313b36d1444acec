// The payee's side of a payment once it is decided: what is stored when coins arrive, and what the payer is told.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { encodeBody, receiptSchema, refusalSchema, type SignedMessage } from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { coinsFrom } from './own-coins.ts'
import { due, ended, lookAgainPause, lookSoon } from './progress.ts'
import type { VerifiedSignature } from './settle.ts'
import type { WalletWrites } from './store-port.ts'

export type Receive = OperationOf<'receive'>
/** A signed message as rows keep it. */
export type HexMessage = { readonly body: string; readonly sig: string }

/** The wallet's contact key signs Terms, receipts and refusals. */
export const payeeKeyIndex = 0

export const toHex = ({ body, sig }: SignedMessage): HexMessage => ({ body: bytesToHex(body), sig: bytesToHex(sig) })
export const fromHex = ({ body, sig }: HexMessage): SignedMessage => ({ body: hexToBytes(body), sig: hexToBytes(sig) })

/** The payee's signed answer. `swapDigest` (hex) is null when the payer settled and no handover was seen. */
export function signReceipt(
  ctx: Context,
  termsHash: string,
  swapDigest: string | null,
  grade: 'signed' | 'final',
): HexMessage {
  const receipt = {
    termsHash: hexToBytes(termsHash),
    ...(swapDigest === null ? {} : { swapDigest: hexToBytes(swapDigest) }),
    grade,
    at: unixNow(ctx.clock),
  }
  return toHex(ctx.secrets.signAsPayee(payeeKeyIndex, 'receipt', encodeBody(receiptSchema, receipt)))
}

/**
 * The first receipt leaves: stored before it does, so that the same handover gets the same one for ever. A step that still
 * waits for the mint holds an older copy; the store lets none of them take a receipt back.
 */
export function releaseReceipt(ctx: Context, operation: OperationIn<'receive', 'signed'>): Receive {
  const released: Receive = { ...operation, withheld: null }
  ctx.store.transaction((write) => write.updateOperation(released))
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
  return released
}

/** A signed No. Only one that names a swap is a void. */
export function signRefusal(
  ctx: Context,
  named: { helloHash: Uint8Array } | { swapDigest: Uint8Array },
  code: ErrorCode,
): SignedMessage {
  const body = encodeBody(refusalSchema, { ...named, code, at: unixNow(ctx.clock) })
  return ctx.secrets.signAsPayee(payeeKeyIndex, 'refusal', body)
}

/** What a payment keeps through all its states, without what only some of them have. */
export function identityOf({
  kind,
  id,
  account,
  unit,
  amount,
  createdAt,
  payerPeer,
  payerAddress,
  paymentId,
  helloHash,
  requestId,
  memo,
  terms,
  termsHash,
  outputs,
  deadline,
  replaces,
}: Receive): Omit<
  OperationIn<'receive', 'expired'>,
  'state' | 'updatedAt' | 'nextAttemptAt' | 'attempts' | 'lastError'
> {
  const identity = { kind, id, account, unit, amount, createdAt, payerPeer, payerAddress, paymentId, helloHash }
  return { ...identity, requestId, memo, terms, termsHash, outputs, deadline, replaces }
}

/** R4: the coins are ours, and the receipt says final from now on. */
export function finishReceive(
  ctx: Context,
  operation: Receive,
  signatures: readonly VerifiedSignature[],
  handoverHash: string | null,
): void {
  const coins = coinsFrom(ctx, signatures, operation)
  const handover = 'swap' in operation ? operation : null
  const final: Receive = {
    ...identityOf(operation),
    state: 'final',
    ...ended(ctx),
    handoverHash,
    claim: handover?.claim ?? null,
    receipt: signReceipt(ctx, operation.termsHash, handover?.swap.digest ?? null, 'final'),
  }
  const replaced = ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation(final)
    return takePlace(ctx, write, operation)
  })
  for (const id of [...replaced, operation.id]) ctx.emit({ kind: 'operation', id })
  ctx.emit({ kind: 'balance' })
  // It passed after all: what signed it anew has to know.
  if (handover?.replacedBy) lookSoon(ctx, handover.replacedBy)
}

/**
 * The dead payment that this one signs anew is shown no more: this one stands in its place. It is still looked at, for a
 * mint may have erred. Inside the transaction that accepts or finishes this one. @returns the ids that changed
 */
export function takePlace(ctx: Context, write: WalletWrites, { id, replaces }: Receive): readonly string[] {
  const dead = replaces === null ? undefined : ctx.store.read.other(replaces.id)
  // Coins that have come are not kept out by a row that cannot be read.
  if (dead === 'unreadable' || dead?.kind !== 'receive' || dead.state !== 'dead') return []
  write.updateOperation({ ...dead, state: 'replaced', replacedBy: id, ...due(ctx, lookAgainPause(ctx, dead)) })
  return [dead.id]
}
