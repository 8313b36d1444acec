// The practice process beside an app: a mint of play money, and a stall to pay the first coin to. It belongs to the
// process that started it, and ends with it.
//
//   to the parent     { ready: true, mintUrl, unit } · { id, value } · { id, error }
//   from the parent   { id, command: 'stall.request' }

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startMintServer } from '../mint/start.ts'
import { AppError, toAppError } from '../shared/errors.ts'
import { toErrorReply } from '../shared/ipc.ts'
import { describeThrown, withoutSecrets } from '../shared/log-text.ts'
import { z } from '../shared/schema.ts'
import { findParent } from './parent.ts'
import { onSamePort } from './port.ts'
import { openStall } from './stall.ts'

/** Coins of no currency: nobody takes them for money. */
const unit = 'coin'
/** A practice invoice is paid before anybody wonders. */
const practiceDelayMs = 300

const callSchema = z.object({ id: z.number().int(), command: z.literal('stall.request') })

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string' } } })
  const folder = values.data
  if (folder === undefined) throw new AppError('bad_input', 'practice --data DIR')
  const parent = findParent()
  // A log that nobody reads any more is no reason to end.
  process.stderr.on('error', () => {})
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const mint = await onSamePort(join(folder, 'port'), (port) =>
    startMintServer({ dataFolder: join(folder, 'mint'), port, unit, practiceDelayMs }),
  )
  const stall = await openStall({ folder: join(folder, 'stall'), mintUrl: mint.url, unit, log })

  parent?.onMessage((message) => {
    const call = callSchema.safeParse(message)
    if (!call.success) return log('bad_input: a message that is no command')
    const { id } = call.data
    stall.request().then(
      (value) => parent.send({ id, value }),
      (error) => parent.send({ id, error: toErrorReply(error) }),
    )
  })
  const stop = (): void => {
    stall
      .stop()
      .then(() => mint.close())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      )
  }
  process.once('SIGTERM', stop)
  parent?.onGone(stop)
  // Ctrl-C in a terminal reaches the whole group: the parent still has payments to finish, and says when it is done.
  process.on('SIGINT', () => {
    if (!parent) stop()
  })
  parent?.send({ ready: true, mintUrl: mint.url, unit })
  log(`practice mint (play money) at ${mint.url}`)
}

function log(line: string): void {
  process.stderr.write(`${withoutSecrets(line)}\n`)
}

/** Nobody caught it: the parent starts another one when it is wanted. */
function endWith(thrown: unknown): void {
  for (const line of `internal: ${describeThrown(thrown)}`.split('\n')) log(line)
  process.exit(1)
}
process.on('uncaughtException', endWith)
process.on('unhandledRejection', endWith)

main().catch((thrown) => {
  const { code, message } = toAppError(thrown)
  log(`${code}: ${message}`)
  process.exit(1)
})
