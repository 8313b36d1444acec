// Line drawings on a 20 × 20 grid, one stroke; they say nothing to a screen reader: a word stands beside each of them.

import type { ReactNode } from 'react'

const drawings = {
  home: <path d="M3 9.2 10 3.5l7 5.7V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z" />,
  activity: <path d="M4 5.5h12M4 10h12M4 14.5h7" />,
  mints: (
    <>
      <ellipse cx="10" cy="5.5" rx="6.5" ry="2.5" />
      <path d="M3.5 5.5V10c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5V5.5M3.5 10v4.5c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5V10" />
    </>
  ),
  settings: (
    <>
      <path d="M3 6h7M14 6h3M3 14h3M10 14h7" />
      <circle cx="12" cy="6" r="2" />
      <circle cx="8" cy="14" r="2" />
    </>
  ),
  people: (
    <>
      <circle cx="7.5" cy="7" r="2.8" />
      <path d="M2.5 16.2c.4-2.9 2.3-4.4 5-4.4s4.6 1.5 5 4.4M13 4.5a2.7 2.7 0 0 1 0 5M14.8 12.2c1.6.6 2.5 1.9 2.7 4" />
    </>
  ),
  pay: <path d="M5.5 14.5l9-9M7.5 5.5h7v7" />,
  getPaid: <path d="M14.5 5.5l-9 9M12.5 14.5h-7v-7" />,
  back: <path d="M12 4.5 6.5 10l5.5 5.5" />,
  forward: <path d="M8 4.5l5.5 5.5L8 15.5" />,
  search: (
    <>
      <circle cx="9" cy="9" r="5.5" />
      <path d="m13.2 13.2 3.8 3.8" />
    </>
  ),
  scan: (
    <path d="M3 7V4.5A1.5 1.5 0 0 1 4.5 3H7M13 3h2.5A1.5 1.5 0 0 1 17 4.5V7M17 13v2.5a1.5 1.5 0 0 1-1.5 1.5H13M7 17H4.5A1.5 1.5 0 0 1 3 15.5V13M6.5 10h7" />
  ),
  nearby: (
    <>
      <circle cx="10" cy="10" r="1.8" />
      <path d="M6.3 13.7a5.2 5.2 0 0 1 0-7.4M13.7 6.3a5.2 5.2 0 0 1 0 7.4M3.8 16.2a8.8 8.8 0 0 1 0-12.4M16.2 3.8a8.8 8.8 0 0 1 0 12.4" />
    </>
  ),
  key: (
    <>
      <circle cx="6.5" cy="13.5" r="3" />
      <path d="m8.7 11.3 7.3-7.3M13 7l2.5 2.5" />
    </>
  ),
  add: <path d="M10 4v12M4 10h12" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  check: <path d="m4.5 10.5 3.7 3.7 7.3-8" />,
  copy: (
    <>
      <rect x="7" y="7" width="10" height="10" rx="2" />
      <path d="M4.5 13A1.5 1.5 0 0 1 3 11.5v-7A1.5 1.5 0 0 1 4.5 3h7A1.5 1.5 0 0 1 13 4.5" />
    </>
  ),
  screen: (
    <>
      <rect x="3" y="4" width="14" height="9.5" rx="1.5" />
      <path d="M7.5 17h5M10 13.5V17" />
    </>
  ),
  download: <path d="M10 3v9M6.2 8.7 10 12.5l3.8-3.8M3.5 16.5h13" />,
  print: (
    <path d="M6 7V3h8v4M6 14H4.5A1.5 1.5 0 0 1 3 12.5v-4A1.5 1.5 0 0 1 4.5 7h11A1.5 1.5 0 0 1 17 8.5v4a1.5 1.5 0 0 1-1.5 1.5H14M6 12h8v5H6z" />
  ),
  lock: (
    <>
      <rect x="4" y="9" width="12" height="8" rx="2" />
      <path d="M6.8 9V6.5a3.2 3.2 0 0 1 6.4 0V9" />
    </>
  ),
  folder: (
    <path d="M3 15V5.5A1.5 1.5 0 0 1 4.5 4h3L9.5 6h6A1.5 1.5 0 0 1 17 7.5V15a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 15z" />
  ),
  play: <path d="M6.5 4.5v11l9-5.5z" />,
  again: <path d="M4 8a6.5 6.5 0 0 1 11.5-1.5L17 8M17 4v4h-4M16 12a6.5 6.5 0 0 1-11.5 1.5L3 12M3 16v-4h4" />,
  restore: <path d="M3.5 10a6.5 6.5 0 1 0 2-4.7L3.5 7M3.5 3.5V7H7" />,
  warning: <path d="M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.3v.1" />,
  block: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="m5.2 5.2 9.6 9.6" />
    </>
  ),
  info: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 9.2v4.3M10 6.6v.1" />
    </>
  ),
  clock: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 6v4.2l2.8 1.7" />
    </>
  ),
  backspace: <path d="M7.5 5H16a1.5 1.5 0 0 1 1.5 1.5v7A1.5 1.5 0 0 1 16 15H7.5L2.5 10zM10 8l4 4M14 8l-4 4" />,
  filter: <path d="M3.5 5h13M6 10h8M8.5 15h3" />,
  shield: <path d="M10 3l6 2.2v4.3c0 3.6-2.4 6-6 7.5-3.6-1.5-6-3.9-6-7.5V5.2z" />,
  addPerson: (
    <>
      <circle cx="8" cy="7" r="3.2" />
      <path d="M2.5 16.8c.4-3.1 2.5-4.8 5.5-4.8 1.3 0 2.4.3 3.3.9M15 11.5v5M12.5 14h5" />
    </>
  ),
  more: (
    <>
      <circle cx="4.5" cy="10" r=".8" />
      <circle cx="10" cy="10" r=".8" />
      <circle cx="15.5" cy="10" r=".8" />
    </>
  ),
  sun: (
    <>
      <circle cx="10" cy="10" r="3.2" />
      <path d="M10 2.8v1.6M10 15.6v1.6M2.8 10h1.6M15.6 10h1.6M4.9 4.9 6 6M14 14l1.1 1.1M4.9 15.1 6 14M14 6l1.1-1.1" />
    </>
  ),
  sound: <path d="M3.5 8v4h2.6L10 15.2V4.8L6.1 8zM13 7.4a3.6 3.6 0 0 1 0 5.2M15.4 5a7 7 0 0 1 0 10" />,
  bell: <path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17.2h3" />,
  edit: <path d="m4 16 .7-3.3L13.4 4l2.6 2.6-8.7 8.7zM11.6 5.8l2.6 2.6" />,
  trash: <path d="M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5" />,
  // Coins: closed is final, dashed is not.
  paid: (
    <>
      <circle cx="10" cy="10" r="8" fill="currentColor" stroke="none" />
      <path className="icon-inside" d="m6.5 10.3 2.5 2.5 4.7-5.3" strokeWidth="2.2" />
    </>
  ),
  signed: (
    <>
      <Dashes />
      <path d="M6 11.9c1.4-4.3 3.3-4.7 3.3-1.5 0 2.2 1 2.4 1.9.4.6-1.4 1.5-1 2.7.3" strokeWidth="1.9" />
    </>
  ),
  onItsWay: (
    <>
      <circle cx="10" cy="10" r="8.2" />
      <path d="M6.5 10h6.5M10.5 7.3 13.2 10l-2.7 2.7" />
    </>
  ),
  bounced: (
    <>
      <circle cx="10" cy="10" r="8.2" />
      <path d="M8.2 7 6 9.3l2.2 2.3M6.3 9.3h4.9a2.1 2.1 0 0 1 0 4.2H9.5" />
    </>
  ),
  needs: (
    <>
      <Dashes />
      <path d="M10 6.2v4.3M10 13.6v.1" strokeWidth="2.1" />
    </>
  ),
  notSent: (
    <>
      <circle cx="10" cy="10" r="8.2" />
      <path d="M6.8 10h6.4" />
    </>
  ),
} as const satisfies Record<string, ReactNode>

export type IconName = keyof typeof drawings

export function Icon({ name, size = 'm' }: { readonly name: IconName; readonly size?: 's' | 'm' | 'l' }) {
  return (
    <svg className={`icon icon-${size}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {drawings[name]}
    </svg>
  )
}

function Dashes() {
  return (
    <circle
      cx="10"
      cy="10"
      r="8.2"
      strokeDasharray="5.8 2.788"
      strokeDashoffset="2.9"
      strokeLinecap="butt"
      strokeWidth="1.9"
    />
  )
}
