// Payments that were signed anew: a dead handover and what stands in its place are one payment for people. All of them
// spend the same coins, so that at most one can pass at the mint; which one did is decided by facts (protocol section 8).

import type { Context } from './context.ts'
import type { Operation, OperationOf } from './operation.ts'
import { lookAt } from './progress.ts'
import type { Settle } from './settle.ts'
import type { WalletStore } from './store-port.ts'

type Payments = { readonly pay: OperationOf<'pay'>; readonly receive: OperationOf<'receive'> }
type Kind = keyof Payments
type Payment = Payments[Kind]
type Reads = Pick<WalletStore, 'read'>

/** A payment is signed anew at most this often; then it needs a person. */
export const maxReplacements = 8

/** What of a payment says which one it signs anew. */
type Link<K extends Kind> = { readonly kind: K; readonly replaces: Payment['replaces'] }

/** `isWhole`: none of them is a row that cannot be read, behind which nothing is known. */
type Chain<T> = { readonly found: readonly T[]; readonly isWhole: boolean }

/** The payments that this one signs anew, the latest first: as far as they can be read. */
export const predecessors = <K extends Kind>(reads: Reads, link: Link<K>): readonly Payments[K][] =>
  chainBefore(reads, link).found

/** The same, and whether that is all of them. */
export function chainBefore<K extends Kind>({ read }: Reads, { kind, replaces }: Link<K>): Chain<Payments[K]> {
  const isSameKind = (other: Operation | undefined): other is Payments[K] => other?.kind === kind
  const found: Payments[K][] = []
  let next = replaces
  while (next !== null && found.length < maxReplacements) {
    const before = read.other(next.id)
    if (before === 'unreadable') return { found, isWhole: false }
    if (!isSameKind(before)) break
    found.push(before)
    next = before.replaces
  }
  return { found, isWhole: true }
}

/** The payments that sign this one anew, one after another, the next one first. */
function successors(
  { read }: Reads,
  operation: OperationOf<'pay'> & { readonly replacedBy: string | null },
): Chain<OperationOf<'pay'>> {
  const found: OperationOf<'pay'>[] = []
  let before = operation.id
  let next = operation.replacedBy
  while (next !== null && found.length < maxReplacements) {
    const after = read.other(next)
    if (after === 'unreadable') return { found, isWhole: false }
    // One that stepped aside names the one before it.
    if (after?.kind !== 'pay' || after.replaces?.id !== before) break
    found.push(after)
    before = after.id
    next = 'replacedBy' in after ? after.replacedBy : null
  }
  return { found, isWhole: true }
}

/**
 * Whether a payment that signs this one anew, or the swap that takes it back, has spent the coins that both are about. All
 * outputs of this one can be signed as agreed all the same: the payee can have them signed for money of its own, and then
 * this one looks paid as well.
 */
export async function spentAfter(
  ctx: Context,
  operation: OperationOf<'pay'> & { readonly replacedBy: string | null },
): Promise<PassedBefore> {
  const { found, isWhole } = successors(ctx.store, operation)
  let isUnknown = !isWhole
  for (const after of found) {
    if (hasPassed(after) || after.state === 'reclaimed') return { kind: 'passed', id: after.id }
    if (!('swap' in after)) continue
    if (after.state === 'reclaiming') isUnknown = true
    const outcome = await lookAt(ctx, after, { kind: 'owner' })
    if (outcome.kind === 'settled') return { kind: 'passed', id: after.id }
    isUnknown ||= outcome.kind === 'unknown'
  }
  return isUnknown ? { kind: 'unknown' } : { kind: 'none' }
}

/** Whether a payment before this one is known to have passed. */
export const hasPassedBefore = ({ store }: Pick<Context, 'store'>, operation: Link<Kind>): boolean =>
  predecessors(store, operation).some(hasPassed)

const hasPassed = ({ state }: Payment): boolean => state === 'settled' || state === 'final'

export type PassedBefore =
  | { readonly kind: 'passed'; readonly id: string }
  | { readonly kind: 'none' }
  /** The mint does not tell, or a row cannot be read: nothing may be concluded. */
  | { readonly kind: 'unknown' }

/** Which payment before this one has passed after all, asked at the mint where the rows do not know. */
export async function passedBefore<K extends Kind>(
  ctx: Context,
  operation: Link<K>,
  roleOf: (before: Payments[K]) => Settle['role'],
): Promise<PassedBefore> {
  const { found, isWhole } = chainBefore(ctx.store, operation)
  let isUnknown = !isWhole
  for (const before of found) {
    if (hasPassed(before)) return { kind: 'passed', id: before.id }
    if (!('swap' in before)) continue
    const outcome = await lookAt(ctx, before, roleOf(before))
    if (outcome.kind === 'settled') return { kind: 'passed', id: before.id }
    isUnknown ||= outcome.kind === 'unknown'
  }
  return isUnknown ? { kind: 'unknown' } : { kind: 'none' }
}
