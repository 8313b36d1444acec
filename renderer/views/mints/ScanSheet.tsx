import { useState } from 'react'
import { Button } from '../../ui/Button.tsx'
import { Note } from '../../ui/Note.tsx'
import { Scanner } from '../../ui/Scanner.tsx'
import { Sheet } from '../../ui/Sheet.tsx'

/** A button that scans what a field asks for. The person still says yes to what was read. */
export function ScanSheet({
  label,
  title,
  other,
  read,
  onRead,
}: {
  readonly label: string
  readonly title: string
  /** Said of a code that is something else. */
  readonly other: string
  /** What of the code goes into the field; null when it is something else. */
  readonly read: (text: string) => string | null
  readonly onRead: (text: string) => void
}) {
  const [isOpen, setOpen] = useState(false)
  const [isOther, setOther] = useState(false)
  const close = (): void => {
    setOpen(false)
    setOther(false)
  }
  const take = (text: string): void => {
    const found = read(text)
    setOther(found === null)
    if (found === null) return
    onRead(found)
    close()
  }
  return (
    <>
      <Button look="quiet" size="s" icon="scan" onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Sheet isOpen={isOpen} onClose={close} title={title}>
        <Scanner onText={take}>
          {isOther && (
            <Note tone="warn" isAlert>
              {other}
            </Note>
          )}
        </Scanner>
      </Sheet>
    </>
  )
}
