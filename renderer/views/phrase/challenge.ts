// Asking three words back begins here: which three is asked before the screen that wants them is shown.

import { useState } from 'react'
import { type Act, useAct } from '../../act.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { go } from '../../store.ts'

export type Challenge = {
  /** Counted from 1; null until they were asked for. Positions are no secret. */
  readonly positions: readonly number[] | null
  readonly ask: Act<[]>
}

/** @param place of the screen with the three fields */
export function useChallenge(place: Href): Challenge {
  const [positions, setPositions] = useState<Challenge['positions']>(null)
  const ask = useAct(async () => {
    const asked = await call('phrase.challenge', {})
    setPositions(asked.positions)
    go(place)
  })
  return { positions, ask }
}
