// Good news that needs no answer: one at a time, six seconds, never an error. And the place where screen readers listen.

import { useEffect, useState } from 'react'
import { closeToast, useAnnouncement, useToast } from '../store.ts'
import { commonWords } from '../words/common.ts'
import { Icon } from './Icon.tsx'

const shownMs = 6000

export function Toasts() {
  const toast = useToast()
  const [isHeld, setHeld] = useState(false)
  useEffect(() => {
    if (!toast || isHeld) return
    const timer = setTimeout(closeToast, shownMs)
    return () => clearTimeout(timer)
  }, [toast, isHeld])
  return (
    <div className="toasts" role="status">
      {toast && (
        // biome-ignore lint/a11y/noStaticElementInteractions: looking at it keeps it there, nothing more
        <div
          className="toast"
          onMouseEnter={() => setHeld(true)}
          onMouseLeave={() => setHeld(false)}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          <Icon name="paid" />
          <span className="grow">{toast.kind === 'final' ? commonWords.finalNow(toast.count ?? 1) : toast.text}</span>
          {toast.href && (
            <a href={toast.count !== undefined && toast.count > 1 ? '#/activity' : toast.href} onClick={closeToast}>
              {commonWords.show}
            </a>
          )}
        </div>
      )}
    </div>
  )
}

/** Says politely what changed, to people who do not see it. */
export function Announcer() {
  return (
    <div className="hidden" role="status" aria-live="polite">
      {useAnnouncement()}
    </div>
  )
}
