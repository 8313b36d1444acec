// Changing a setting: saved at once, and said politely.

import type { InputOf } from '../../../shared/ipc.ts'
import type { SettingsView } from '../../../shared/model.ts'
import { type Act, useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { announce } from '../../store.ts'
import { settingsWords } from '../../words/settings.ts'

export function useChange(then?: (settings: SettingsView) => void): Act<[InputOf<'settings.change'>]> {
  return useAct(async (change: InputOf<'settings.change'>) => {
    const settings = await call('settings.change', change)
    announce(settingsWords.saved)
    then?.(settings)
  })
}
