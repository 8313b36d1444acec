// A host without a screen: one wallet as a child process, commanded over Node's process channel. The demonstration and
// the end-to-end tests run wallets this way, through the same router as every other host.

import { parseArgs } from 'node:util'
import { withoutSecrets } from '../shared/log-text.ts'
import { startApp } from './app.ts'
import { parentChannel } from './command-channel.ts'
import { hostFlags, hostUsage, readHostFlags } from './host-options.ts'
import { endOnDefect, sayWhyNot } from './last-words.ts'
import { createRouter } from './router.ts'

const usage = `headless --data DIR ${hostUsage}`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: hostFlags })
  // A log on the disk that is full, or that nobody reads any more, is no reason to end.
  process.stderr.on('error', () => {})
  const log = (line: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${withoutSecrets(line)}\n`)
  }
  endOnDefect(log)
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
  sayWhyNot(thrown)
  process.exit(1)
})
