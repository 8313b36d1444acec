// What must not run at the same time: one after another.

import { AppError } from '../shared/errors.ts'

export type Turns = (<T>(work: () => Promise<T>) => Promise<T>) & { readonly end: () => void }

/** One after another, whatever becomes of the one before; after the end none. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let isOver = false
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(() => {
      if (isOver) throw new AppError('locked', 'the app has stopped')
      return work()
    })
    last = mine.catch(() => {})
    return mine
  }
  const end = (): void => {
    isOver = true
  }
  return Object.assign(inTurn, { end })
}
