// What hosts without a window are told on their command line: the same flags for each of them.

import type { ParseArgsConfig } from 'node:util'
import { AppError } from '../shared/errors.ts'
import { z } from '../shared/schema.ts'
import type { AppOptions } from './app.ts'

/** For `parseArgs`. */
export const hostFlags = {
  data: { type: 'string' },
  name: { type: 'string', default: '' },
  'listen-host': { type: 'string' },
  'offline-capable': { type: 'string', multiple: true, default: [] },
  tuning: { type: 'string', default: '{}' },
} as const satisfies ParseArgsConfig['options']

export const hostUsage = '[--name NAME] [--listen-host IP] [--offline-capable URL]… [--tuning JSON]'

export type HostFlags = {
  readonly name: string
  readonly 'listen-host'?: string | undefined
  readonly 'offline-capable': readonly string[]
  readonly tuning: string
}

const pair = z.tuple([z.number(), z.number()])
/** Waiting times a demonstration shortens; see EngineConfig. */
const tuningSchema = z.strictObject({
  settleDelayMs: pair.exactOptional(),
  refreshDelayMs: pair.exactOptional(),
  readingGapMs: z.number().exactOptional(),
  retryMs: pair.exactOptional(),
  settleFirstMs: z.number().exactOptional(),
  settleBeforeAnswerMs: z.number().exactOptional(),
  coinsOfEach: z.number().int().min(1).exactOptional(),
  tickMs: z.number().exactOptional(),
})

/** @throws AppError `bad_input` for a tuning that is none */
export function readHostFlags(flags: HostFlags): Pick<AppOptions, 'name' | 'listenHost' | 'tickMs' | 'config'> {
  const { tickMs, ...tuning } = readTuning(flags.tuning)
  const listenHost = flags['listen-host']
  const trusted = new Set(flags['offline-capable'])
  return {
    name: flags.name,
    ...(listenHost === undefined ? {} : { listenHost }),
    ...(tickMs === undefined ? {} : { tickMs }),
    config: { ...tuning, trustOffline: (url) => trusted.has(url) },
  }
}

/**
 * Waiting times a demonstration shortens, as JSON; see EngineConfig.
 * @throws AppError `bad_input`
 */
export function readTuning(text: string) {
  try {
    return tuningSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new AppError('bad_input', '--tuning is not understood', { cause })
  }
}
