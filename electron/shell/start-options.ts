// What a start of the app is told by its command line and environment.

import { dataFolder } from '../data-folder.ts'
import { linkIn } from './deep-link.ts'

export type StartOptions = {
  /** Absolute path of the wallet's folder: the same as for every other host. */
  readonly folder: string
  readonly link: string | undefined
  /** Waiting times of a demonstration, as JSON; development only. */
  readonly tuning: string | undefined
}

/**
 * `FARTHING_DATA` names another folder than the usual one, and in development `--data DIR` does: a link that another
 * program opens can smuggle arguments into a command line, it cannot set the environment.
 */
export function readStartOptions(parts: {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isPackaged: boolean
}): StartOptions {
  const { argv, env, isPackaged } = parts
  return {
    folder: dataFolder(isPackaged ? undefined : dataArgument(argv), { env }),
    link: linkIn(argv),
    tuning: isPackaged ? undefined : env['FARTHING_TUNING'],
  }
}

function dataArgument(argv: readonly string[]): string | undefined {
  const index = argv.indexOf('--data')
  if (index !== -1) return argv[index + 1]
  return argv.find((argument) => argument.startsWith('--data='))?.slice('--data='.length)
}
