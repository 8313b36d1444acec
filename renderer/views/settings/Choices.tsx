// The small choices: network, appearance, sounds and notifications.

import { useSettings } from '../../store.ts'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { SwitchRow } from '../../ui/Switch.tsx'
import { settingsWords } from '../../words/settings.ts'
import { useChange } from './change.ts'
import { Group } from './Group.tsx'

export function Network() {
  const { lan } = useSettings()
  const change = useChange()
  const words = settingsWords.network
  return (
    <Group section="network" title={words.title}>
      <SwitchRow icon="nearby" title={words.lan} isOn={lan} onChange={(on) => change.run({ lan: on })}>
        {lan ? words.on : words.off}
      </SwitchRow>
      <ErrorNote error={change.error} />
    </Group>
  )
}

export function Look() {
  const { appearance } = useSettings()
  const change = useChange()
  const words = settingsWords.look
  return (
    <Group section="look" title={words.title}>
      <div className="option settings-option">
        <Icon name="sun" />
        <span className="option-words">
          <b>{words.label}</b>
        </span>
        <Segments
          label={words.label}
          options={[
            { value: 'system', label: words.system },
            { value: 'light', label: words.light },
            { value: 'dark', label: words.dark },
          ]}
          value={appearance}
          onChange={(chosen) => change.run({ appearance: chosen })}
        />
      </div>
      <ErrorNote error={change.error} />
    </Group>
  )
}

export function Notices() {
  const { sounds, notifications } = useSettings()
  const change = useChange()
  const words = settingsWords.notices
  return (
    <Group section="notices" title={words.title}>
      <SwitchRow icon="sound" title={words.sounds} isOn={sounds} onChange={(on) => change.run({ sounds: on })}>
        {words.soundsMean}
      </SwitchRow>
      {hasNotifications && (
        <SwitchRow
          icon="bell"
          title={words.notifications}
          isOn={notifications}
          onChange={(on) => change.run({ notifications: on })}
        >
          {words.notificationsMean}
        </SwitchRow>
      )}
      <ErrorNote error={change.error} />
    </Group>
  )
}

/** Only the desktop app sends any; in a browser the switch would do nothing. */
const hasNotifications = window.farthing !== undefined
