// Why a text is nobody to pay: an error in its words, or what kind of code it is instead.

import { AppError } from '../../../shared/errors.ts'
import { type Href, to } from '../../route.ts'
import { useMints } from '../../store.ts'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { codeWords } from '../../words/pay.ts'
import type { OtherText } from './pasted.ts'

export function CodeNote({ trouble }: { readonly trouble: AppError | OtherText | null }) {
  const cashOut = useCashOut()
  if (trouble === null) return null
  if (trouble instanceof AppError) return <ErrorNote error={trouble} />
  const { title, body, link } = codeWords[trouble.kind]
  return (
    <Note title={title} isAlert>
      {body}{' '}
      {link && (
        <a className="link" href={trouble.kind === 'mint' ? to.addMintAt(trouble.text) : cashOut}>
          {link}
        </a>
      )}
    </Note>
  )
}

/** Where an invoice is paid: of several mints a person chooses first. */
function useCashOut(): Href {
  return useMints().length === 1 ? to.mint(0, 'cash-out') : to.mints
}
