// The address of a mint, typed or scanned, and why one could not be added.

import type { AppError } from '../../../shared/errors.ts'
import { isMintAddress } from '../../mint-address.ts'
import { Field } from '../../ui/Field.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { addMintWords as words } from '../../words/mints.ts'
import { ScanSheet } from './ScanSheet.tsx'

type Props = {
  readonly value: string
  /** Typed: what was wrong with the one before is over. */
  readonly onChange: (address: string) => void
  readonly onScan: (address: string) => void
  readonly autoFocus?: boolean
}

export function MintAddressField({ value, onChange, onScan, autoFocus = false }: Props) {
  return (
    <Field
      label={words.label}
      placeholder={words.example}
      value={value}
      onChange={onChange}
      maxLength={512}
      isLiteral
      autoFocus={autoFocus}
      end={
        <ScanSheet
          label={words.scan}
          title={words.scanTitle}
          other={words.scanOther}
          read={(text) => (isMintAddress(text) ? text.trim() : null)}
          onRead={onScan}
        />
      }
    />
  )
}

export function AddMintFailure({ error }: { readonly error: AppError | null }) {
  return error?.code === 'mint_unreachable' ? (
    <Note tone="bad" title={words.noAnswer.title} isAlert>
      {words.noAnswer.body}
    </Note>
  ) : (
    <ErrorNote error={error} />
  )
}
