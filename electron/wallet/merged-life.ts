// What a merge says of other lives of this wallet: a backup that knows what was not known here was written by one.

import { AppError } from '../../shared/errors.ts'
import { copiesOf, drawGeneration, highestBelieved, type LifeParts, setCopies, setGeneration } from './generation.ts'
import type { WalletWrites } from './store-port.ts'

/**
 * Coins that came rest until no payment with them can be open. If the other life knows of generations that counted as this
 * one's own, it may go on in them: this one goes on in a generation of its own, and every mint is searched. Inside the
 * transaction of the merge.
 * @param highestSeen the highest generation that the backup knows of
 * @throws AppError `bad_backup` for one that no wallet comes to: behind it nothing could be derived any more
 */
export function noteMerge(parts: LifeParts, write: WalletWrites, highestSeen: number): void {
  if (highestSeen > highestBelieved) throw new AppError('bad_backup', 'a generation that no wallet comes to')
  const before = copiesOf(parts.store.read)
  const noticed = { ...before, cause: 'backup' as const, noticedAt: parts.clock.now(), isReleased: false }
  if (highestSeen < before.ownFrom) {
    setCopies(write, noticed)
    return
  }
  const generation = drawGeneration(parts, highestSeen)
  setGeneration(write, generation)
  setCopies(write, { ...noticed, ownFrom: generation, round: before.round + 1 })
}
