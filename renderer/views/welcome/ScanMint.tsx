import { useState } from 'react'
import { isMintAddress } from '../../mint-address.ts'
import type { Href } from '../../route.ts'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Note } from '../../ui/Note.tsx'
import { Scanner } from '../../ui/Scanner.tsx'
import { welcomeWords } from '../../words/welcome.ts'

const words = welcomeWords.mint.known

/** The camera finds the address; a person still says yes to it. */
export function ScanMint({
  back,
  onAddress,
}: {
  readonly back: { readonly label: string; readonly href: Href }
  readonly onAddress: (address: string) => void
}) {
  const [isOther, setOther] = useState(false)
  return (
    <Flow back={back} step="scan" align="start">
      <div className="column">
        <div className="stack tight">
          <Heading>{words.scanTitle}</Heading>
          <p className="muted">{words.scanHint}</p>
        </div>
        <Scanner onText={(text) => (isMintAddress(text) ? onAddress(text.trim()) : setOther(true))}>
          {isOther && (
            <Note tone="warn" isAlert>
              {words.noAddress}
            </Note>
          )}
        </Scanner>
      </div>
    </Flow>
  )
}
