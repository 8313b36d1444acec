// A host without a screen: one wallet as a child process, commanded over Node's process channel. The demonstration and
// the end-to-end tests run wallets this way, through the same router as every other host.

import { parseArgs } from 'node:util'
import { toAppError } from '../shared/errors.ts'
import { startApp } from './app.ts'
import { parentChannel } from './command-channel.ts'
import { hostFlags, hostUsage, readHostFlags } from './host-options.ts'
import { createRouter } from './router.ts'

const usage = `headless --data DIR ${hostUsage}`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: hostFlags })
  const log = (line: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`)
  }
  const parent = parentChannel(log)
  if (values.data === undefined || !parent) throw new Error(`${usage}\nruns as a child process with a channel`)
  const app = await startApp({
    ...readHostFlags(values),
    folder: values.data,
    onEvent: (event) => parent.send({ event }),
    log,
  })
  parent.answer(createRouter(app.handlers, app.report))
  const stop = (): void => {
    app.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  parent.onGone(stop)
  parent.send({ ready: true })
}

main().catch((thrown) => {
  const { code, message } = toAppError(thrown)
  process.stderr.write(`${code}: ${message}\n${thrown instanceof Error ? thrown.message : ''}\n`)
  process.exit(1)
})
