// Asked only before something that cannot be undone. The safe button first; Escape is the safe button.

import { AlertDialog } from '@base-ui/react/alert-dialog'
import type { ReactNode } from 'react'

export function Dialog({
  isOpen,
  onClose,
  title,
  children,
  actions,
}: {
  readonly isOpen: boolean
  /** The safe way out. */
  readonly onClose: () => void
  /** A question. */
  readonly title: string
  /** What it means for the money. */
  readonly children: ReactNode
  /** Two buttons: the safe one, then the other. */
  readonly actions: ReactNode
}) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => open || onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="scrim" />
        <AlertDialog.Popup className="dialog">
          <AlertDialog.Title className="dialog-title">{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="dialog-body">
            {children}
          </AlertDialog.Description>
          <div className="dialog-actions">{actions}</div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
