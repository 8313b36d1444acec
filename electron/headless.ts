// A host without a screen: one wallet as a child process, commanded over Node's process channel. The demonstration and
// the end-to-end tests run wallets this way, through the same router as every other host.

import { parseArgs } from 'node:util'
import { toAppError } from '../shared/errors.ts'
import { z } from '../shared/schema.ts'
import { startApp } from './app.ts'
import { createRouter } from './router.ts'

const usage = 'headless --data DIR [--name NAME] [--listen-host IP] [--offline-capable URL]… [--tuning JSON]'

/** What the parent sends: one command, answered under its number. */
const callSchema = z.object({ id: z.number(), command: z.string(), input: z.unknown() })
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      name: { type: 'string', default: '' },
      'listen-host': { type: 'string' },
      'offline-capable': { type: 'string', multiple: true, default: [] },
      tuning: { type: 'string', default: '{}' },
    },
  })
  const send = process.send?.bind(process)
  if (values.data === undefined || !send) throw new Error(`${usage}\nruns as a child process with a channel`)
  const { tickMs, ...tuning } = tuningSchema.parse(JSON.parse(values.tuning))
  const trusted = new Set(values['offline-capable'])
  const log = (line: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`)
  }
  const app = await startApp({
    folder: values.data,
    name: values.name,
    ...(values['listen-host'] === undefined ? {} : { listenHost: values['listen-host'] }),
    ...(tickMs === undefined ? {} : { tickMs }),
    config: { ...tuning, trustOffline: (url) => trusted.has(url) },
    onEvent: (event) => send({ event }),
    log,
  })
  const route = createRouter(app.handlers, app.report)
  process.on('message', (message) => {
    const call = callSchema.safeParse(message)
    if (!call.success) return log('bad_input: a message that is no command')
    const { id, command, input } = call.data
    route(command, input).then(
      (reply) => send({ id, reply }),
      (error) => log(`internal: ${toAppError(error).message}`),
    )
  })
  const stop = (): void => {
    app.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  process.once('disconnect', stop)
  send({ ready: true })
}

main().catch((thrown) => {
  const { code, message } = toAppError(thrown)
  process.stderr.write(`${code}: ${message}\n${thrown instanceof Error ? thrown.message : ''}\n`)
  process.exit(1)
})
