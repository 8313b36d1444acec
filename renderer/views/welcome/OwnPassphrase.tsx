// A fresh wallet that has a passphrase already: it is asked for, and protects the words that come as well.

import { useState } from 'react'
import { useProfile } from '../../store.ts'
import { Field } from '../../ui/Field.tsx'
import { restoreWords } from '../../words/restore.ts'

const words = restoreWords.own

export type Own = {
  readonly isThere: boolean
  readonly isMissing: boolean
  readonly text: string
  readonly set: (text: string) => void
  /** For the command. */
  readonly given: { readonly current?: string }
}

export function useOwnPassphrase(): Own {
  const isThere = useProfile().sealing === 'passphrase'
  const [text, set] = useState('')
  return { isThere, isMissing: isThere && text === '', text, set, given: isThere ? { current: text } : {} }
}

export function OwnPassphrase({ own, onChange }: { readonly own: Own; readonly onChange: () => void }) {
  if (!own.isThere) return null
  return (
    <Field
      label={words.label}
      type="password"
      value={own.text}
      onChange={(text) => {
        own.set(text)
        onChange()
      }}
      hint={words.hint}
      maxLength={256}
      isLiteral
    />
  )
}
