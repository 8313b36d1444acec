// Which screen is shown, and what is true on every screen: theme, title, focus, messages.

import { useEffect, useRef } from 'react'
import { home } from './route.ts'
import { refresh, useConnection, useFailure, useGate, useHasSnapshot, useRoute, useSettings } from './store.ts'
import { Button } from './ui/Button.tsx'
import { ErrorNote } from './ui/Note.tsx'
import { Announcer, Toasts } from './ui/Toasts.tsx'
import { Waiting } from './ui/Waiting.tsx'
import { Wren } from './ui/Wren.tsx'
import { Gate } from './views/gate/Gate.tsx'
import { views } from './views/table.ts'
import { frameWords } from './words/frame.ts'

export function App() {
  const connection = useConnection()
  const hasSnapshot = useHasSnapshot()
  const gate = useGate()
  const isGone = connection === 'lost' || connection === 'locked-out'
  const isShut = gate !== null && gate.state !== 'open'
  useTheme()
  useEffect(() => {
    // The title of a screen names who is paid.
    if (isShut) document.title = frameWords.brand
  }, [isShut])
  return (
    <>
      <button type="button" className="skip" onClick={skipToContent}>
        {frameWords.skip}
      </button>
      {/* Gone, but kept: what was typed is still there when the host is back. */}
      <div className="app" inert={isGone}>
        {isShut ? <Gate gate={gate} /> : hasSnapshot ? <CurrentView /> : <Opening />}
        <Toasts />
      </div>
      {isGone && <Gone words={connection === 'lost' ? frameWords.lost : frameWords.lockedOut} />}
      <Announcer />
    </>
  )
}

function CurrentView() {
  const route = useRoute()
  const entry = views[route.screen] ?? views[home.screen]
  useArrival([route.screen, ...route.path].join('/'))
  return entry && <entry.View key={route.screen} path={route.path} />
}

/** Before the first snapshot: nothing at all for a moment, then words. */
function Opening() {
  const failure = useFailure()
  return (
    <main className="alone" id="main">
      <Wren size={72} />
      <h1 tabIndex={-1}>{failure ? frameWords.noSnapshot.title : frameWords.starting}</h1>
      {failure ? (
        <>
          <ErrorNote error={failure} />
          <Button look="primary" shortcut="Enter" onClick={refresh}>
            {frameWords.noSnapshot.again}
          </Button>
        </>
      ) : (
        <Waiting />
      )}
    </main>
  )
}

function Gone({ words }: { readonly words: typeof frameWords.lost }) {
  return (
    <section className="alone gone" role="alert">
      <Wren size={72} />
      <h1>{words.title}</h1>
      <p>{words.body}</p>
      <p className="muted">{words.action}</p>
    </section>
  )
}

/** A button and no link: the address is the route's. */
function skipToContent(): void {
  document.querySelector<HTMLElement>('#main h1')?.focus()
}

function useTheme(): void {
  const { appearance } = useSettings()
  useEffect(() => {
    if (appearance === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = appearance
  }, [appearance])
}

/** A new screen or step: its heading has the focus, unless a field took it, and the window its name. */
function useArrival(place: string): void {
  const first = useRef(place)
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>('#main h1')
    const title = heading?.dataset['title'] ?? heading?.textContent ?? frameWords.brand
    document.title = title === frameWords.brand ? title : `${title} · ${frameWords.brand}`
    if (first.current === place) return
    first.current = ''
    window.scrollTo(0, 0)
    // A list beside its detail keeps the focus too: arrows go on from there.
    const held = document.activeElement?.matches('#main input, #main textarea, [data-keeps-focus] *')
    if (!held || !document.activeElement?.checkVisibility()) heading?.focus({ preventScroll: true })
  }, [place])
}
