// The frame of a flow: one question, no navigation; back at the left, the chip at the right.

import type { ReactNode } from 'react'
import type { Href } from '../route.ts'
import { Chips } from './Chips.tsx'
import { Icon } from './Icon.tsx'
import { Kbd } from './Kbd.tsx'

export function Flow({
  back,
  step,
  tone,
  mintUrls,
  align = 'center',
  children,
}: {
  /** Where Escape leads, and what is there: "Home", "Amount". Without it there is no way back. */
  readonly back?: { readonly label: string } & ({ readonly href: Href } | { readonly onClick: () => void })
  /** Names the step: another one slides in. */
  readonly step: string
  /** Of a result, the whole window. */
  readonly tone?: 'paid' | 'signed' | 'notsent' | undefined
  /** Chips of these mints only. */
  readonly mintUrls?: readonly string[] | undefined
  /** `start` for lists. */
  readonly align?: 'center' | 'start'
  readonly children: ReactNode
}) {
  return (
    <main className={`flow${tone ? ` flow-${tone}` : ''}`} id="main" data-frame="flow">
      <header className="top">
        {back ? <Back {...back} /> : <span />}
        <Chips mintUrls={mintUrls} />
      </header>
      <div className={`flow-body flow-body-${align}`} key={step}>
        {children}
      </div>
    </main>
  )
}

function Back(props: NonNullable<Parameters<typeof Flow>[0]['back']>) {
  const inside = (
    <>
      <Icon name="back" />
      {props.label}
      <Kbd>Esc</Kbd>
    </>
  )
  return 'href' in props ? (
    <a className="back" href={props.href} data-shortcut="Escape">
      {inside}
    </a>
  ) : (
    <button type="button" className="back" onClick={props.onClick} data-shortcut="Escape">
      {inside}
    </button>
  )
}
