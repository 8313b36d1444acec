// A computer that is visible to payers nearby must not fall asleep under them; its screen may.

import { powerSaveBlocker } from 'electron'

export type StayAwake = { set(on: boolean): void }

export function createStayAwake(): StayAwake {
  let id: number | undefined
  return {
    set: (on) => {
      if (on) id ??= powerSaveBlocker.start('prevent-app-suspension')
      else if (id !== undefined) {
        powerSaveBlocker.stop(id)
        id = undefined
      }
    },
  }
}
