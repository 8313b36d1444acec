// Where a wallet lies when nobody says otherwise: where the system keeps data of programs, the same for every host.

import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

const name = 'Farthing'

export type Surroundings = {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  /** The person's own folder. */
  readonly home: string
}

/**
 * @param given of the command line; before it counts nothing, after it `FARTHING_DATA`
 * @returns an absolute path
 */
export function dataFolder(given: string | undefined, surroundings: Partial<Surroundings> = {}): string {
  const { platform = process.platform, env = process.env, home = homedir() } = surroundings
  const chosen = given ?? env['FARTHING_DATA']
  return chosen ? resolve(chosen) : join(baseFolder({ platform, env, home }), name)
}

function baseFolder({ platform, env, home }: Surroundings): string {
  // "All paths set in these environment variables must be absolute" (XDG Base Directory Specification).
  const absolute = (path: string | undefined): string | undefined => (path && isAbsolute(path) ? path : undefined)
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32') return absolute(env['APPDATA']) ?? join(home, 'AppData', 'Roaming')
  return absolute(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share')
}
