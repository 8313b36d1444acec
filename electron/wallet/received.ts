// The payee's side of a payment once it is decided: what is stored when coins arrive, and what the payer is told.

import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { encodeBody, receiptSchema, type SignedMessage } from '../../shared/messages.ts'
import { type Context, unixNow } from './context.ts'
import type { OperationIn, OperationOf } from './operation.ts'
import { coinsFrom } from './own-coins.ts'
import { ended } from './progress.ts'
import type { VerifiedSignature } from './settle.ts'

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
}: Receive): Omit<
  OperationIn<'receive', 'expired'>,
  'state' | 'updatedAt' | 'nextAttemptAt' | 'attempts' | 'lastError'
> {
  const identity = { kind, id, account, unit, amount, createdAt, payerPeer, payerAddress, paymentId, helloHash }
  return { ...identity, requestId, memo, terms, termsHash, outputs, deadline }
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
  ctx.store.transaction((write) => {
    write.insertCoins(coins)
    write.updateOperation(final)
  })
  ctx.emit({ kind: 'operation', id: operation.id })
  ctx.emit({ kind: 'balance' })
}
