import { useId } from 'react'
import { commonWords } from '../words/common.ts'

/** Long work with its counts; it never blocks. */
export function Progress({
  label,
  done,
  total,
}: {
  readonly label: string
  readonly done: number
  /** Null while it is not known how much there is. */
  readonly total: number | null
}) {
  const id = useId()
  return (
    <div className="progress">
      <div className="row wide">
        <b id={id}>{label}</b>
        <span className="small muted">{total === null ? String(done) : commonWords.of(done, total)}</span>
      </div>
      <progress aria-labelledby={id} {...(total === null ? {} : { value: done, max: Math.max(total, 1) })} />
    </div>
  )
}
