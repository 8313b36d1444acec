// The demonstration, in two ways. Two wallets side by side, for a person to pay with; or headless: a mint and wallets as
// separate processes play what Farthing exists for, narrated line by line, and the books are checked at the end. Exit
// code 0 only if every step and the books hold.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { onStopWanted } from '../../electron/serve/terminal.ts'
import { AppError } from '../../shared/errors.ts'
import { onKeys } from './keys.ts'
import { play } from './play.ts'
import { startTwoWallets } from './two-wallets.ts'

const usage = `npm run demo                           two wallets side by side, and a practice mint
    [--browser]                        as pages in the browser, also where windows could open
    [--no-open]                        print the links instead of opening them; with --browser
    [--data DIR]                       keep what happens; by default it is gone at the end
    [--verbose]                        show what the wallets log

npm run demo -- --headless [--json] [--fee-ppk 0]
    [--mint URL [--offline-capable]]   play against a Cashu mint that is already running
    [--verbose]                        show what the wallets log`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      headless: { type: 'boolean', default: false },
      browser: { type: 'boolean', default: false },
      'no-open': { type: 'boolean', default: false },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
      mint: { type: 'string' },
      'offline-capable': { type: 'boolean', default: false },
      'fee-ppk': { type: 'string', default: '0' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const folder = values.data ?? mkdtempSync(join(tmpdir(), 'farthing-demo-'))
  const onLog = (line: string): void => {
    if (values.verbose) console.log(`      ${line}`)
  }
  try {
    if (!values.headless) {
      await show({ folder, isBrowserWanted: values.browser, isToOpen: !values['no-open'], onLog })
      return
    }
    const result = await play({
      folder,
      mintUrl: values.mint,
      isOfflineCapable: values.mint === undefined || values['offline-capable'],
      feePpk: Number(values['fee-ppk']),
      say: (line) => console.log(line),
      onLog,
    })
    if (values.json) console.log(JSON.stringify(result))
    process.exitCode = result.conserved && result.steps.every(({ ok }) => ok) ? 0 : 1
  } finally {
    if (values.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Two wallets, until somebody ends it. */
async function show(options: {
  readonly folder: string
  readonly isBrowserWanted: boolean
  readonly isToOpen: boolean
  readonly onLog: (line: string) => void
}): Promise<void> {
  const say = (line: string): void => console.log(line)
  const demo = await startTwoWallets({ ...options, folder: resolve(options.folder), say })
  const sayLinks = async (): Promise<void> => {
    say('')
    for (const [name, link] of await demo.links()) say(`  ${name.padEnd(8)} ${link}`)
    say('')
    say('Open each link in your browser. It works once, for five minutes.')
  }
  const sayMint = async (): Promise<void> => {
    say((await demo.switchMint()) ? 'The mint is back.' : 'The mint is away.')
  }
  await sayLinks()
  say('')
  say('Pay: in Bob’s wallet choose Get paid, copy the request, and pay it from Alice’s. It is Paid at once.')
  say('Pay offline: take the mint away and pay again. The payment is Signed, and both wallets have it.')
  say('Watch it settle: bring the mint back and touch nothing. Signed becomes Paid.')
  say('')
  const asked = new Promise<void>((stop) => {
    onStopWanted(stop)
    const keys = onKeys({ m: () => sayMint().catch(tell), q: stop, '\r': () => sayLinks().catch(tell), '\x03': stop })
    say(keys ? 'm  mint away or back · Enter  new links · q  quit' : `Stop: kill ${process.pid}.`)
    process.on('SIGUSR2', () => sayLinks().catch(tell))
  })
  await Promise.race([asked, demo.ended])
  say('Stopping …')
  await demo.stop()
}

function tell(thrown: unknown): void {
  console.error(thrown instanceof AppError ? `${thrown.code}: ${thrown.message}` : thrown)
}

main().then(
  // A terminal that is listened to would keep the process alive.
  () => process.exit(),
  (thrown) => {
    tell(thrown)
    process.exit(1)
  },
)
