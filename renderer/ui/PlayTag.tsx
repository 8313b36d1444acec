import { commonWords } from '../words/common.ts'

/** Stands wherever practice money could be taken for money. */
export function PlayTag() {
  return <span className="play-tag">{commonWords.playMoney}</span>
}
