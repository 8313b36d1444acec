// Command line of the browser host: one wallet as a page of this computer. Started with a process channel it also
// answers its parent's commands, and `serve.link` with a new link.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { launchPractice } from '../../practice/launch.ts'
import { parentChannel } from '../command-channel.ts'
import { dataFolder } from '../data-folder.ts'
import { hostFlags, hostUsage, readHostFlags } from '../host-options.ts'
import { endOnDefect, sayWhyNot } from '../last-words.ts'
import { startAppPage } from './app-page.ts'
import { logLine, onLinkWanted, onStopWanted, printLine } from './terminal.ts'

const usage = `serve [--data DIR] [--port N] [--no-practice] ${hostUsage}`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...hostFlags,
      port: { type: 'string', default: '0' },
      'no-practice': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return printLine(usage)
  // A log on the disk that is full, or that nobody reads any more, is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  endOnDefect(logLine)
  const parent = parentChannel(logLine)
  const page = await startAppPage({
    ...readHostFlags(values),
    ...(values['no-practice'] ? {} : { practice: launchPractice }),
    folder: dataFolder(values.data),
    port: Number(values.port),
    rendererFolder: join(import.meta.dirname, '..', '..', 'dist', 'renderer'),
    log: logLine,
  })
  const printLink = (): void => printLine(`Open this link, it works once: ${page.newLink()}`)
  const stopLinks = onLinkWanted(printLink)
  const stop = (): void => {
    stopLinks()
    page.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  onStopWanted(stop)
  parent?.onGone(stop)
  parent?.answer(async (command, input) =>
    command === 'serve.link' ? { ok: true, value: page.newLink() } : page.route(command, input),
  )
  parent?.send({ ready: true })
  if (!parent) printLink()
}

main().catch((thrown) => {
  sayWhyNot(thrown)
  process.exit(1)
})
