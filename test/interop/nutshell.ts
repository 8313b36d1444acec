// Runs nutshell, the reference Cashu mint (Python package `cashu`), on loopback with its FakeWallet backend.
// A mint quote is paid as soon as somebody asks for its state; a melt pays any bolt11 invoice at once.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export type Nutshell = { readonly url: string; readonly pid: number; stop(): Promise<void> }

export type NutshellOptions = {
  readonly port: number
  /** Database, seed and log. The same directory again is the same mint: its keysets keep their fee. */
  readonly dir: string
  readonly feePpk: number
  readonly venvDir: string
}

const INSTALL_TIMEOUT_MS = 600_000
const READY_TIMEOUT_MS = 30_000
const POLL_MS = 100
const STOP_TIMEOUT_MS = 5_000

// From 3.13 on coincurve 20, which cashu's bip32 requires, has no binary package.
const PYTHONS = ['python3.11', 'python3.12', 'python3.10', 'python3']

// cashu 0.21.0 asks for breez-sdk-spark 0.17, which the package registry lacks. It is imported but not used with
// FakeWallet, so the nearest version takes its place; hence these two are installed without their dependencies.
const UNRESOLVED = ['cashu==0.21.0', 'breez-sdk-spark==0.18.0']

// What cashu requires, frozen. Two of its own requirements are too loose to start it:
// environs 9.5 needs marshmallow < 4, and cashu's rate limiter a strategy that limits 5 dropped.
const PINNED = `
  aiosqlite==0.20.0 annotated-types==0.8.0 anyio==4.16.0 asn1crypto==1.5.1 asyncpg==0.30.0 base58==2.1.1 bech32==1.2.0
  bip32==4.0 bitstring==3.1.9 bolt11==2.1.1 brotli==1.2.1 cbor2==5.9.0 certifi==2026.10.18 cffi==2.1.1 click==8.5.1
  coincurve==20.0.0 cryptography==43.0.3 deprecated==1.3.1 ecdsa==0.19.2 environs==9.5.0 fastapi==0.115.14
  googleapis-common-protos==1.76.0 greenlet==3.5.6 grpcio==1.85.1 grpcio-tools==1.76.0 h11==0.14.0 httpcore==1.0.8
  httpx==0.25.2 idna==3.20 importlib-metadata==6.11.0 jinja2==3.1.6 limits==4.8.0 loguru==0.7.3 markupsafe==3.0.4
  marshmallow==3.26.2 mnemonic==0.20 mypy-protobuf==3.7.0 packaging==24.2 protobuf==6.33.6 pycparser==2.23
  pycryptodomex==3.24.2 pydantic==2.14.3 pydantic-core==2.50.4 pydantic-settings==2.15.0 pyjwt==2.15.1
  python-dotenv==1.2.4 redis==5.3.1 setuptools==75.9.1 six==1.17.0 slowapi==0.1.10 sniffio==1.3.1 socksio==1.0.0
  sqlalchemy==2.0.58 starlette==0.46.2 types-protobuf==5.29.1.20250403 typing-extensions==4.16.0
  typing-inspection==0.4.5 uvicorn==0.31.1 websocket-client==1.9.2 websockets==12.0 wheel==0.41.3 wrapt==2.5.2
  zipp==4.1.2 zstandard==0.23.0`
  .trim()
  .split(/\s+/)

/** Makes a Python environment with nutshell in `venvDir`; does nothing when it is already there. */
export async function prepareNutshell(venvDir: string): Promise<void> {
  const marker = join(venvDir, 'farthing-nutshell')
  const wanted = [...UNRESOLVED, ...PINNED].join('\n')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return

  await run(await findPython(), ['-m', 'venv', venvDir])
  const python = join(venvDir, 'bin', 'python')
  try {
    await run(python, ['-m', 'pip', 'install', '--quiet', ...PINNED])
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', ...UNRESOLVED])
  } catch (cause) {
    throw new Error('cannot install the Python package cashu 0.21.0: is the package registry reachable?', { cause })
  }
  writeFileSync(marker, wanted)
}

/** Starts a mint for `sat` on 127.0.0.1 and resolves when it answers. `prepareNutshell(venvDir)` comes first. */
export async function startNutshell({ port, dir, feePpk, venvDir }: NutshellOptions): Promise<Nutshell> {
  const home = resolve(dir)
  mkdirSync(home, { recursive: true })
  const name = `nutshell ${randomBytes(8).toString('hex')}` // tells our mint from another one on this port
  const logFile = join(home, 'nutshell.log')
  const log = openSync(logFile, 'a')
  const child = spawn(resolve(venvDir, 'bin', 'mint'), [], {
    cwd: home, // nutshell reads .env from its working directory and from HOME
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      CASHU_DIR: home,
      MINT_DATABASE: join(home, 'mint'),
      MINT_AUTH_DATABASE: join(home, 'auth'),
      MINT_PRIVATE_KEY: seedOf(home),
      MINT_INFO_NAME: name,
      MINT_LISTEN_HOST: '127.0.0.1',
      MINT_LISTEN_PORT: String(port),
      MINT_INPUT_FEE_PPK: String(feePpk),
      MINT_RATE_LIMIT: 'FALSE',
      MINT_BACKEND_BOLT11_SAT: 'FakeWallet',
      MINT_QUOTE_BACKEND_CHECK_RATE_LIMIT: '0',
      FAKEWALLET_DELAY_INCOMING_PAYMENT: '86400', // an unasked quote stays unpaid, so that a melt can settle it
      FAKEWALLET_DELAY_OUTGOING_PAYMENT: '0',
    },
  })
  closeSync(log)
  const killWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const stop = async (): Promise<void> => {
    process.off('exit', killWithUs)
    await stopChild(child)
  }

  try {
    const pid = await spawned(child)
    const url = `http://127.0.0.1:${port}`
    await ready(child, url, name)
    return { url, pid, stop }
  } catch (cause) {
    await stop()
    throw new Error(`nutshell did not start on port ${port}, see ${logFile}`, { cause })
  }
}

async function findPython(): Promise<string> {
  for (const python of PYTHONS) {
    const answer = await run(python, [
      '-c',
      'import sys, venv, ensurepip; print((3, 10) <= sys.version_info < (3, 13))',
    ]).catch(() => '')
    if (answer.trim() === 'True') return python
  }
  throw new Error(`nutshell needs Python 3.10, 3.11 or 3.12 with venv; none of ${PYTHONS.join(', ')} is one`)
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], { timeout: INSTALL_TIMEOUT_MS })
  return stdout
}

/** A seed per directory: two mints with one seed and one fee would have one keyset id. */
function seedOf(home: string): string {
  const file = join(home, 'seed')
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

async function spawned(child: ChildProcess): Promise<number> {
  if (child.pid === undefined) {
    const [error] = await once(child, 'error')
    throw error
  }
  return child.pid
}

async function ready(child: ChildProcess, url: string, name: string): Promise<void> {
  const giveUp = Date.now() + READY_TIMEOUT_MS
  while (!hasEnded(child)) {
    if ((await nameOf(url)) === name) return
    if (Date.now() > giveUp) throw new Error(`no answer within ${READY_TIMEOUT_MS} ms`)
    await sleep(POLL_MS)
  }
  throw new Error(`ended with ${child.exitCode ?? child.signalCode}`)
}

async function nameOf(url: string): Promise<unknown> {
  try {
    const response = await fetch(`${url}/v1/info`, { signal: AbortSignal.timeout(POLL_MS * 10) })
    const info: unknown = await response.json()
    return typeof info === 'object' && info !== null && 'name' in info ? info.name : undefined
  } catch {
    return undefined // not listening yet
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(hurry)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
