// Which view shows which screen: one line each.

import type { ComponentType } from 'react'
import type { Screen } from '../route.ts'
import type { Visit } from '../store.ts'
import { Activity } from './activity/Activity.tsx'
import { visit as visitActivity } from './activity/loaded.ts'
import { GetPaid } from './get-paid/GetPaid.tsx'
import { Home } from './Home.tsx'
import { Mints } from './mints/Mints.tsx'
import { visit as visitMints } from './mints/opened.ts'
import { payVisit } from './pay/flow.ts'
import { Pay } from './pay/Pay.tsx'
import { Restored } from './restore/Restored.tsx'
import { Settings } from './settings/Settings.tsx'
import { Welcome } from './welcome/Welcome.tsx'

export type ViewEntry = {
  /** Gets the parts of the address after the screen's name. */
  readonly View: ComponentType<{ readonly path: readonly string[] }>
} & Visit

export const views: Readonly<Partial<Record<Screen, ViewEntry>>> = {
  home: { View: Home },
  activity: { View: Activity, ...visitActivity },
  mints: { View: Mints, ...visitMints },
  pay: { View: Pay, ...payVisit },
  'get-paid': { View: GetPaid },
  settings: { View: Settings },
  welcome: { View: Welcome },
  restore: { View: Restored },
}
