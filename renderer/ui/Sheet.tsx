// Details, errors, filters: from the right on wide windows, from below on small ones.

import { Dialog } from '@base-ui/react/dialog'
import type { ReactNode } from 'react'
import { commonWords } from '../words/common.ts'
import { Icon } from './Icon.tsx'

export function Sheet({
  isOpen,
  onClose,
  title,
  children,
}: {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly title: string
  readonly children: ReactNode
}) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Popup className="sheet">
          <header className="sheet-top">
            <Dialog.Title className="sheet-title">{title}</Dialog.Title>
            <Dialog.Close className="button button-quiet button-s button-icon" aria-label={commonWords.close}>
              <Icon name="close" />
            </Dialog.Close>
          </header>
          <div className="sheet-body">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
