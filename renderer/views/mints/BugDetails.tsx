import { commonWords } from '../../words/common.ts'

/** The mint's reason and the id, one click away; never a secret. */
export function BugDetails({ trouble, id }: { readonly trouble: string | null; readonly id: string }) {
  return (
    <details>
      <summary>{commonWords.details}</summary>
      <code>{trouble === null ? id : `${trouble} · ${id}`}</code>
    </details>
  )
}
