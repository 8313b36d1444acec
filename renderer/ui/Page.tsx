// The frame with navigation: at the left, and below on small windows.

import type { ReactNode } from 'react'
import { type Href, type Screen, to } from '../route.ts'
import { useProfile } from '../store.ts'
import { frameWords } from '../words/frame.ts'
import { Chips } from './Chips.tsx'
import { Egg } from './Egg.tsx'
import { FourWords } from './FourWords.tsx'
import { Heading } from './Heading.tsx'
import { Icon, type IconName } from './Icon.tsx'
import { Wren } from './Wren.tsx'

const places: readonly {
  readonly screen: Screen
  readonly href: Href
  readonly icon: IconName
  readonly word: string
}[] = [
  { screen: 'home', href: to.home, icon: 'home', word: frameWords.home },
  { screen: 'activity', href: to.activity, icon: 'activity', word: frameWords.activity },
  { screen: 'mints', href: to.mints, icon: 'mints', word: frameWords.mints },
  { screen: 'settings', href: to.settings(), icon: 'settings', word: frameWords.settings },
]

export function Page({
  screen,
  heading,
  title,
  actions,
  isHeadingSmall = false,
  children,
}: {
  /** Which place of the navigation this is. */
  readonly screen: Screen
  readonly heading: ReactNode
  /** Of the window, when the heading is not its name. */
  readonly title?: string
  /** Buttons at the right of the top bar. */
  readonly actions?: ReactNode
  /** On small windows the wren takes the place of the heading. */
  readonly isHeadingSmall?: boolean
  readonly children: ReactNode
}) {
  return (
    <div className="page" data-frame="page">
      <aside className="side">
        <a className="brand" href={to.home}>
          <Wren size={32} />
          {frameWords.brand}
        </a>
        <nav className="nav" aria-label={frameWords.main}>
          <Places screen={screen} />
        </nav>
        <Me />
      </aside>
      <main className="main" id="main">
        <header className="top">
          <div className={isHeadingSmall ? 'top-heading gives-way' : 'top-heading'}>
            <Heading title={title}>{heading}</Heading>
            <Wren size={32} />
          </div>
          <div className="top-right">
            <Chips />
            {actions}
          </div>
        </header>
        {children}
      </main>
      <nav className="tabs" aria-label={frameWords.main}>
        <Places screen={screen} />
      </nav>
    </div>
  )
}

function Places({ screen }: { readonly screen: Screen }) {
  return places.map((place) => (
    <a key={place.screen} href={place.href} aria-current={place.screen === screen ? 'page' : undefined}>
      <Icon name={place.icon} />
      {place.word}
    </a>
  ))
}

/** Who one is here: what others see and compare. */
function Me() {
  const { name, fingerprint } = useProfile()
  return (
    <a className="me" href={to.settings('you')}>
      <Egg picture={fingerprint.picture} size={36} />
      <span>
        {name !== '' && <b className="clip">{name}</b>}
        <span className="muted">
          <FourWords words={fingerprint.words} size="s" />
        </span>
        <span className="hidden">{frameWords.yourSettings}</span>
      </span>
    </a>
  )
}
