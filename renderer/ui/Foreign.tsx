import { plainText } from '../../shared/foreign.ts'

/** A name or a text of somebody else: it cannot turn or break the words around it. */
export function Foreign({ children }: { readonly children: string }) {
  return <bdi>{plainText(children)}</bdi>
}
