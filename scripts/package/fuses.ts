// The switches inside a packaged Electron, read back from its binary: what electron-builder.yml asks for must be there.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FuseState, FuseV1Options, FuseVersion, getCurrentFuseWire } from '@electron/fuses'

const wanted = [
  [FuseV1Options.RunAsNode, false],
  [FuseV1Options.EnableCookieEncryption, true],
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable, false],
  [FuseV1Options.EnableNodeCliInspectArguments, false],
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation, true],
  [FuseV1Options.OnlyLoadAppFromAsar, true],
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot, false],
  [FuseV1Options.GrantFileProtocolExtraPrivileges, false],
] as const

/**
 * @param asar an archive inside a packaged app
 * @returns what is not as it must be, one line each
 */
export async function checkFuses(asar: string): Promise<readonly string[]> {
  const executable = executableOf(asar)
  if (executable === undefined) return [`no executable beside ${asar}`]
  const wire = await getCurrentFuseWire(executable)
  if (wire.version !== FuseVersion.V1) return [`a fuse wire of version ${wire.version}`]
  return wanted.flatMap(([fuse, isOn]) =>
    wire[fuse] === (isOn ? FuseState.ENABLE : FuseState.DISABLE)
      ? []
      : [`the fuse ${FuseV1Options[fuse]} is not ${isOn ? 'on' : 'off'}`],
  )
}

/** `Farthing.app/Contents/Resources/app.asar`, or `resources/app.asar` beside `farthing` or `Farthing.exe`. */
function executableOf(asar: string): string | undefined {
  const bundle = join(asar, '..', '..', '..')
  if (bundle.endsWith('.app')) return bundle
  const folder = join(asar, '..', '..')
  const name = readdirSync(folder).find((one) => one === 'farthing' || one === 'Farthing.exe')
  return name === undefined ? undefined : join(folder, name)
}
