// What a person chose: name, settings, how far the first run and the check of the words are. Kept in the wallet's file.

import { maxAmount } from '../shared/amount.ts'
import { AppError } from '../shared/errors.ts'
import { maxNameBytes, utf8UpTo } from '../shared/messages.ts'
import type { LimitsView, ProfileView, SettingsView } from '../shared/model.ts'
import { z } from '../shared/schema.ts'
import { defaultConfig } from './wallet/context.ts'
import type { WalletStore } from './wallet/store-port.ts'

const keys = { settings: 'settings', name: 'profile/name', begun: 'profile/begun', phrase: 'profile/phrase' } as const

const count = z.number().int().min(0)
const limits = z.object({ single: count.max(maxAmount), total: count.max(maxAmount), perHour: count })
const settings = z.object({
  appearance: z.enum(['system', 'light', 'dark']).catch('system'),
  sounds: z.boolean().catch(true),
  notifications: z.boolean().catch(true),
  lan: z.boolean().catch(true),
  idleLockMinutes: z.union([z.literal(1), z.literal(5), z.literal(15), z.literal(60), z.null()]).catch(null),
  limits: limits.catch(defaultConfig.limits),
})

/** Defaults stand in for what was never chosen. */
export function settingsOf({ read }: Pick<WalletStore, 'read'>): SettingsView {
  const stored = read.meta(keys.settings)
  return settings.parse(typeof stored === 'object' && stored !== null ? stored : {})
}

type Change = { readonly [K in keyof SettingsView]?: SettingsView[K] | undefined }

/** What is not named stays. */
export function changeSettings(store: WalletStore, change: Change): SettingsView {
  const before = settingsOf(store)
  const after: SettingsView = {
    appearance: change.appearance ?? before.appearance,
    sounds: change.sounds ?? before.sounds,
    notifications: change.notifications ?? before.notifications,
    lan: change.lan ?? before.lan,
    idleLockMinutes: change.idleLockMinutes === undefined ? before.idleLockMinutes : change.idleLockMinutes,
    limits: change.limits ? sensible(change.limits) : before.limits,
  }
  store.transaction((write) => write.setMeta(keys.settings, after))
  return after
}

/** No single payment is larger than what is accepted in all. */
const sensible = (chosen: LimitsView): LimitsView => ({ ...chosen, single: Math.min(chosen.single, chosen.total) })

const name = utf8UpTo(maxNameBytes)

/** Shown to payers; '' when none was given. */
export function nameOf({ read }: Pick<WalletStore, 'read'>): string {
  return name.catch('').parse(read.meta(keys.name))
}

/** @throws AppError `bad_input` for a name over 64 bytes */
export function assertName(chosen: string): void {
  if (!name.safeParse(chosen).success) throw new AppError('bad_input', 'the name is too long')
}

/** @throws AppError `bad_input` for a name over 64 bytes */
export function rename(store: WalletStore, chosen: string): void {
  const trimmed = chosen.trim()
  assertName(trimmed)
  store.transaction((write) => write.setMeta(keys.name, trimmed))
}

const phraseState = z.enum(['unseen', 'seen', 'checked'])

export function phraseStateOf({ read }: Pick<WalletStore, 'read'>): ProfileView['phrase'] {
  return phraseState.catch('unseen').parse(read.meta(keys.phrase))
}

/** What was checked stays checked, however often the words are looked at. */
export function notePhrase(store: WalletStore, state: 'seen' | 'checked'): void {
  if (phraseStateOf(store) !== 'checked') store.transaction((write) => write.setMeta(keys.phrase, state))
}

export const hasBegun = ({ read }: Pick<WalletStore, 'read'>): boolean => read.meta(keys.begun) === true

export function begin(store: WalletStore): void {
  store.transaction((write) => write.setMeta(keys.begun, true))
}
