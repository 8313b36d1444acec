// Asking three of the twelve words back: the proof that they are on paper.

import { randomInt } from 'node:crypto'
import { AppError } from '../shared/errors.ts'

export type PhraseCheck = {
  /** Three different positions, counted from 1, ascending. Asking again asks for others. */
  challenge(): readonly number[]
  /**
   * @param answers in the order of the positions
   * @returns positions that were wrong; empty = right
   * @throws AppError `wrong_state` when nothing was asked
   */
  check(answers: readonly string[]): readonly number[]
}

const asked = 3

export function createPhraseCheck(words: () => readonly string[]): PhraseCheck {
  let positions: readonly number[] = []
  return {
    challenge: () => {
      const chosen = new Set<number>()
      while (chosen.size < asked) chosen.add(randomInt(1, words().length + 1))
      positions = [...chosen].sort((a, b) => a - b)
      return positions
    },
    check: (answers) => {
      if (positions.length === 0) throw new AppError('wrong_state', 'no words were asked for')
      const right = words()
      return positions.filter((position, index) => answers[index]?.trim().toLowerCase() !== right[position - 1])
    },
  }
}
