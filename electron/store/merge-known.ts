// Operations that both know. They have one past, told by their events: who has what the other has and more has gone on, and
// counts. Where each went on by itself, ours stays: its steps ask the mint, which decides for both. But
//   - only the backup's has come to the end it was made for: that was read from facts, and stands;
//   - only the backup's has signed or received anything, or only its cash out may have paid: to drop that could lose money,
//     and ours binds nobody;
//   - only the backup's payment has a receipt: the payee counts on it, and ours may be about to take it back;
//   - only the backup's payment was signed anew: it can never pass, and its coins are where it was signed anew.
// Whichever stays tells the story of both from then on, and knows what has left either computer.
// Searches for the coins of a phrase are a folder's own: ours stay.

import { keepReceipt, type Operation, type OperationOf } from '../wallet/operation.ts'
import { type Carry, calmed, type Event, eventsOf, type Merging, operationIn, writeEvents } from './merging.ts'

export type Known = {
  /** Ids of those that stand here as the backup has them now. */
  readonly followed: readonly string[]
  /** Ids of those that the backup's wallet has taken further by itself, and that stay as they are here. */
  readonly parted: readonly string[]
  /** Same events, not the same row. */
  readonly equal: readonly { readonly ours: Operation; readonly theirs: Operation }[]
}

export function mergeKnown(merging: Merging, carry: Carry): Known {
  const { db } = merging
  const followed: string[] = []
  const parted: string[] = []
  const equal: { ours: Operation; theirs: Operation }[] = []
  const rows = db.all(
    `SELECT o.id FROM backup.operation b JOIN main.operation o ON o.id = b.id
     WHERE o.data <> b.data AND o.kind = b.kind AND o.kind <> 'restore'`,
  )
  for (const row of rows) {
    const ours = operationIn(merging, 'main', row['id'])
    const theirs = carry(operationIn(merging, 'backup', row['id']))
    if (!theirs) continue
    const before = eventsOf(merging, 'main', ours.id)
    const after = eventsOf(merging, 'backup', ours.id)
    const isOlder = isPrefix(after, before)
    if (isOlder && after.length === before.length) {
      equal.push({ ours, theirs })
    } else if (
      !isOlder &&
      (isPrefix(before, after) || counts(theirs, ours) || bondOf(theirs, after) > bondOf(ours, before))
    ) {
      replace(merging, withTraces(keepReceipt(ours, theirs), ours), before, after)
      followed.push(ours.id)
    } else if (keep(merging, ours, theirs, before, after)) {
      parted.push(ours.id)
    }
  }
  return { followed, parted, equal }
}

const isPrefix = (start: readonly Event[], whole: readonly Event[]): boolean =>
  start.length <= whole.length &&
  start.every(({ at, state }, index) => whole[index]?.at === at && whole[index]?.state === state)

const isAmong = (events: readonly Event[], { at, state }: Event): boolean =>
  events.some((other) => other.at === at && other.state === state)

const counts = (theirs: Operation, ours: Operation): boolean =>
  (isAccomplished(theirs) && !isAccomplished(ours)) ||
  (isSigned(theirs) && isSigned(ours) && (isInHand(theirs, ours) || isSignedAnew(theirs, ours)))

/** The end that an operation was made for. Only facts lead there. */
function isAccomplished({ kind, state }: Operation): boolean {
  return kind === 'pay' ? ['settled', 'final', 'reclaimed'].includes(state) : state === 'done' || state === 'final'
}

const bond = { none: 0, swaps: 1, full: 2 } as const

/**
 * Whether something signed may have left a computer, or coins may have come: nothing else binds anybody. A cash out that has
 * only gathered coins is bound by swaps, which are operations of their own; a melt request may pay somebody.
 */
function bondOf(operation: Operation, events: readonly Event[]): number {
  const fullIf = (isBinding: boolean): number => (isBinding ? bond.full : bond.none)
  switch (operation.kind) {
    case 'withdraw':
      return operation.state === 'failed'
        ? fullIf(operation.outputs.length > 0)
        : fullIf(operation.state === 'issuing' || operation.state === 'done')
    case 'pay':
      return fullIf('swap' in operation)
    case 'receive':
      return fullIf(operation.state !== 'terms' && operation.state !== 'expired')
    case 'refresh':
      return bond.full
    case 'melt':
      if (['quoting', 'quoted', 'abandoned'].includes(operation.state)) return bond.none
      return ['gathering', 'failed'].includes(operation.state) && !events.some(({ state }) => state === 'melting')
        ? bond.swaps
        : bond.full
    case 'restore':
      return bond.none
  }
}

type Signed = Extract<OperationOf<'pay'>, { swap: unknown }>

const isSigned = (operation: Operation): operation is Signed => operation.kind === 'pay' && 'swap' in operation

/** States in which the payer does not know yet how the payment ends, nor has signed it anew. */
const isOpen = ({ state }: Signed): boolean => ['settling', 'handing_over', 'signed', 'voided'].includes(state)
const isSad = ({ state }: Signed): boolean => state === 'bounced' || state === 'dead'

/**
 * The payee has it and has said so; here that was not known when it was to be taken back, or when a payee said no to another
 * signature for the same Terms. A sad end was read from facts, of one signature.
 */
const isInHand = (theirs: Signed, ours: Signed): boolean =>
  theirs.state === 'signed' &&
  theirs.receipt !== null &&
  ours.receipt === null &&
  (isOpen(ours) || ours.state === 'reclaiming' || (isSad(ours) && ours.swap.digest !== theirs.swap.digest))

/** A person who takes the coins back here has decided otherwise. */
const isSignedAnew = (theirs: Signed, ours: Signed): boolean =>
  theirs.state === 'replaced' && (isOpen(ours) || isSad(ours))

/** What stays, with what only the other one has done: both are true of the payment, whichever row counts. */
const withTraces = (stays: Operation, goes: Operation): Operation =>
  isSigned(stays) && isSigned(goes)
    ? { ...stays, handedOver: stays.handedOver || goes.handedOver, reclaim: stays.reclaim ?? goes.reclaim }
    : stays

/** The backup's row in place of ours, and its story: what happened here, if anything did, keeps its place in it. */
function replace(merging: Merging, theirs: Operation, before: readonly Event[], after: readonly Event[]): void {
  const { db } = merging
  const calm = calmed(merging, theirs)
  db.run(
    `UPDATE main.operation SET state = ?2, next_attempt_at = ?3, data = ?4,
       signed_at = COALESCE(signed_at, (SELECT signed_at FROM backup.operation WHERE id = ?1)),
       search = (SELECT search FROM backup.operation WHERE id = ?1)
     WHERE id = ?1`,
    calm.id,
    calm.state,
    calm.nextAttemptAt,
    JSON.stringify(calm),
  )
  const own = before.filter((event) => !isAmong(after, event))
  writeEvents(merging, calm.id, own.length === 0 ? after : [...own, ...after].sort((a, b) => a.at - b.at))
}

/**
 * Ours stays. That the other one went on is news all the same: whoever wrote the backup was alive beside this wallet. Its
 * story is kept, so that twice is as good as once.
 * @returns whether anything was not known here
 */
function keep(
  merging: Merging,
  ours: Operation,
  theirs: Operation,
  before: readonly Event[],
  after: readonly Event[],
): boolean {
  const news = after.filter((event) => !isAmong(before, event))
  const story = [...before, ...news].sort((a, b) => a.at - b.at)
  if (news.length > 0) writeEvents(merging, ours.id, story)
  const joined = JSON.stringify(withTraces(keepReceipt(theirs, ours), theirs))
  if (joined === JSON.stringify(ours)) return news.length > 0
  merging.db.run('UPDATE main.operation SET data = ? WHERE id = ?', joined, ours.id)
  if (isSigned(ours) && isSigned(theirs) && theirs.handedOver) {
    merging.db.run(`UPDATE main.coin SET state = 'handed_over' WHERE operation_id = ? AND state = 'reserved'`, ours.id)
  }
  return true
}

/**
 * What may differ between two rows with one past: who was told, and which operation goes on for it. Each is taken where it
 * was not known here. @returns ids of those that changed
 */
export function joinInPlace(merging: Merging, equal: Known['equal']): readonly string[] {
  return equal.flatMap(({ ours, theirs }) => {
    const joined = joinedWith(merging, ours, theirs)
    const data = JSON.stringify(joined)
    if (data === JSON.stringify(ours)) return []
    merging.db.run('UPDATE main.operation SET data = ? WHERE id = ?', data, ours.id)
    return [ours.id]
  })
}

function joinedWith({ db }: Merging, ours: Operation, theirs: Operation): Operation {
  const isOver = (id: string): boolean =>
    db.get('SELECT state FROM main.operation WHERE id = ?', id)?.['state'] === 'dead'
  if (ours.kind === 'pay' && theirs.kind === 'pay' && 'swap' in ours && 'swap' in theirs) {
    // A reclaim that could never pass was planned again.
    const isPlannedAgain = ours.reclaim !== null && theirs.reclaim !== null && isOver(ours.reclaim)
    return {
      ...ours,
      handedOver: ours.handedOver || theirs.handedOver,
      reclaim: isPlannedAgain ? theirs.reclaim : (ours.reclaim ?? theirs.reclaim),
      replacedBy: ours.replacedBy ?? theirs.replacedBy,
    }
  }
  if (ours.kind === 'receive' && theirs.kind === 'receive' && 'replacedBy' in ours && 'replacedBy' in theirs) {
    const withheld = ours.withheld === null || theirs.withheld === null ? null : ours.withheld
    return { ...ours, withheld, replacedBy: ours.replacedBy ?? theirs.replacedBy }
  }
  if (ours.kind === 'melt' && theirs.kind === 'melt' && ours.state === 'returning' && theirs.state === 'returning') {
    const goesOn = ours.swaps.every((id, index) => theirs.swaps[index] === id)
    return goesOn ? { ...ours, swaps: theirs.swaps } : ours
  }
  return ours
}
