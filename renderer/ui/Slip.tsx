import type { ReactNode } from 'react'

export type SlipRow = { readonly label: string; readonly value: ReactNode }

/** Receipt and summary: label left, value right, beads before the total. Rows with an empty value are left out. */
export function Slip({ rows, total }: { readonly rows: readonly SlipRow[]; readonly total?: SlipRow }) {
  return (
    <dl className="slip">
      {rows
        .filter(({ value }) => value !== null && value !== undefined && value !== '')
        .map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      {total && (
        <div className="slip-total">
          <dt>{total.label}</dt>
          <dd>{total.value}</dd>
        </div>
      )}
    </dl>
  )
}
