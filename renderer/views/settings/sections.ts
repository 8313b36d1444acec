// The sections of Settings: which there are, which is asked for, which is looked at.

import { useEffect, useState } from 'react'

export const sections = ['phrase', 'accept', 'you', 'network', 'look', 'notices', 'about'] as const
export type Section = (typeof sections)[number]

/** What an address names; null for the page as a whole. */
export function sectionOf(name: string | undefined): Section | null {
  return sections.find((one) => one === name) ?? null
}

/** The element of a section, and its heading. */
export const sectionId = (section: Section): string => `settings-${section}`
export const headingId = (section: Section): string => `settings-${section}-title`

/** How far below the top a section begins to be the one that is looked at. */
const lookedAtPx = 160

/** Brings a section into view, and the keyboard with it. The first one with what stands above it. */
export function showSection(section: Section): void {
  if (section === sections[0]) window.scrollTo(0, 0)
  else document.getElementById(sectionId(section))?.scrollIntoView({ block: 'start' })
  document.getElementById(headingId(section))?.focus({ preventScroll: true })
}

/** Shows the section that the address names, and knows which one is in view. */
export function useCurrentSection(asked: Section | null): Section {
  const [current, setCurrent] = useState<Section>(asked ?? sections[0])
  useEffect(() => {
    if (asked === null) return
    // After the frame has put a new place at its top.
    const frame = requestAnimationFrame(() => {
      showSection(asked)
      setCurrent(asked)
    })
    return () => cancelAnimationFrame(frame)
  }, [asked])
  useEffect(() => {
    const look = (): void => setCurrent(sectionInView())
    window.addEventListener('scroll', look, { passive: true })
    return () => window.removeEventListener('scroll', look)
  }, [])
  return current
}

function sectionInView(): Section {
  const { scrollY, innerHeight } = window
  const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2
  const above = sections.filter((one) => {
    const top = document.getElementById(sectionId(one))?.getBoundingClientRect().top
    return top !== undefined && top < lookedAtPx
  })
  return (isAtEnd && scrollY > 0 ? sections.at(-1) : above.at(-1)) ?? sections[0]
}
