// Command line of the mint: serve it, or rotate its keyset while it is served.

import { parseArgs } from 'node:util'
import { AppError } from '../shared/errors.ts'
import { describeThrown, withoutSecrets } from '../shared/log-text.ts'
import { openDataFolder } from './data-folder.ts'
import { type Rotation, rotateKeyset } from './keysets.ts'
import { type MintServerOptions, startMintServer, systemClock } from './start.ts'

const usage = `Farthing practice mint: play money only.

  npm run mint -- --data DIR [--port 3338] [--host 127.0.0.1] [--unit sat] [--fee-ppk 0]
                  [--final-expiry UNIX_SECONDS] [--practice-delay-ms 1000]
      Serve the mint in DIR, made on the first start. Fee and final expiry are those of the first keyset.

  npm run mint -- rotate --data DIR [--unit sat] [--fee-ppk N] [--final-expiry UNIX_SECONDS]
      Replace the active keyset, also while the mint is served. Old coins stay spendable.`

const defaultPort = 3338
/** Largest fee a wallet reads (`wire.ts`): a thousand units for one coin. */
const maxFeePpk = 1_000_000
const maxPracticeDelayMs = 24 * 3_600_000

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  if (values.help) return console.log(usage)
  const dataFolder = values.data ?? reject('--data DIR is missing')
  const { unit, host } = values
  if (unit !== undefined && !/^[a-z0-9_-]{1,32}$/.test(unit)) reject('--unit takes lower-case letters and digits')
  const port = wholeNumber('--port', values.port, 65_535) ?? defaultPort
  const feePpk = wholeNumber('--fee-ppk', values['fee-ppk'], maxFeePpk)
  const practiceDelayMs = wholeNumber('--practice-delay-ms', values['practice-delay-ms'], maxPracticeDelayMs)
  const finalExpiry = wholeNumber('--final-expiry', values['final-expiry'], Number.MAX_SAFE_INTEGER)
  if (finalExpiry !== undefined && finalExpiry * 1000 <= systemClock.now()) reject('--final-expiry is in the past')

  const command = positionals.join(' ')
  if (command === '') await serve({ dataFolder, host, port, unit, feePpk, finalExpiry, practiceDelayMs })
  else if (command === 'rotate') rotate(dataFolder, { unit, feePpk, finalExpiry })
  else reject(`there is no command "${command}"`)
}

async function serve(options: MintServerOptions): Promise<void> {
  const mint = await startMintServer(options)
  const stop = (): void => {
    mint.close().catch(exitWith)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  const { unit, feePpk, id } = mint.keyset
  console.log(`mint (play money) listening on ${mint.url} · unit ${unit} · fee ${feePpk} ppk · keyset ${id}`)
}

function rotate(dataFolder: string, rotation: Rotation): void {
  const { store, keyring } = openDataFolder(dataFolder)
  try {
    const { id, unit, feePpk } = rotateKeyset({ store, keyring, clock: systemClock }, rotation)
    console.log(`active keyset of unit ${unit} is now ${id}, fee ${feePpk} ppk`)
  } finally {
    store.close()
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        unit: { type: 'string' },
        'fee-ppk': { type: 'string' },
        'final-expiry': { type: 'string' },
        'practice-delay-ms': { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    return reject(error instanceof Error ? error.message : String(error))
  }
}

/** @returns undefined when the option is not given */
function wholeNumber(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  return value <= max ? value : reject(`${option} takes a whole number from 0 to ${max}, not "${text}"`)
}

/** What was asked for makes no sense. @throws AppError `bad_input` */
function reject(message: string): never {
  throw new AppError('bad_input', message)
}

/** One line for what a person can mend, everything for what only a developer can. */
function exitWith(error: unknown): void {
  const expected = error instanceof AppError || (error instanceof Error && 'syscall' in error)
  console.error(expected ? `mint: ${withoutSecrets(error.message)}` : describeThrown(error))
  if (error instanceof AppError && error.code === 'bad_input') console.error(`\n${usage}`)
  process.exitCode = 1
}

// Whoever reads the log may be gone, or on the disk that is full: no reason to stop answering.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** Nobody caught it: what goes on after it cannot be trusted, and what is stored can. */
const endWith = (error: unknown): void => {
  console.error(`internal: ${describeThrown(error)}`)
  process.exit(1)
}
process.on('uncaughtException', endWith)
process.on('unhandledRejection', endWith)

await main().catch(exitWith)
