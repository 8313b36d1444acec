// Strangers with many addresses against one payee, each in its own process, so that memory and patience are measured where
// they matter: a mint, a payee that listens as it always does, an honest payer, and what the strangers throw.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Libp2p, MessageStream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type MintProcess, startMint, startWallet, type WalletProcess } from '../scripts/demo/processes.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import { keysetsResponseSchema } from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import { encodeBody, encodeFrame, helloSchema } from '../shared/messages.ts'
import { decodeRequest } from '../shared/request.ts'

/** Where the payee listens, and the honest payer is. */
export const honestAddress = '127.0.0.1'

/** Other addresses of this computer, as many as wanted: all of 127/8 is its own on Linux. */
export const strangers = (count: number, from = 2): readonly string[] =>
  Array.from({ length: count }, (_, index) => `127.0.0.${from + index}`)

/** Undefined when strangers can have addresses of their own here. */
export function whyNoStrangers(): string | undefined {
  if (process.platform === 'linux' && networkInterfaces()['lo']?.some(({ cidr }) => cidr === '127.0.0.1/8'))
    return undefined
  return 'loopback has one address on this system'
}

const settings = {
  settleDelayMs: [0, 0],
  refreshDelayMs: [1e9, 1e9],
  retryMs: [100, 800],
  settleFirstMs: 5000,
  settleBeforeAnswerMs: 3000,
  tickMs: 1000,
}

export type Target = { readonly port: number; readonly peerId: string; readonly keysetIds: readonly Uint8Array[] }

export type Stage = {
  /** Where the payee listens since it was started last. */
  readonly target: Target
  /** Lines of the payee's log since it was started. */
  readonly log: readonly string[]
  /** Another process for the payee: nothing is left of what strangers did before but what is in its database. */
  restart(): Promise<void>
  /** Megabytes in use by the payee's process now. */
  memory(): number
  /** A payment of one unit to the payee, from the request to the final Receipt. @returns milliseconds */
  pay(): Promise<number>
  close(): Promise<void>
}

/** @param money what the payer has to begin with */
export async function setStage(money = 2_000): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-hostile-'))
  const mint = await startMint(join(folder, 'mint'), 0, { delayMs: 0 })
  let log: string[] = []
  const start = (name: string): Promise<WalletProcess> =>
    startWallet({
      name,
      folder: join(folder, name),
      offlineCapable: [],
      tuning: settings,
      onLog: (text) => {
        if (name === 'payee') log.push(...text.split('\n'))
      },
    })
  let payee = await start('payee')
  const payer = await start('payer')
  for (const wallet of [payee, payer]) await wallet.call('mints.add', { url: mint.url })
  await payer.call('withdraw.start', { mintUrl: mint.url, unit: 'sat', amount: money })
  await until(async () => (await payer.call('mints.list', {}))[0]?.balances[0]?.spendable === money)

  const ask = () => payee.call('request.create', { mintUrl: mint.url, unit: 'sat', amount: 1, singleUse: true })
  /** Somebody who was not let in tries again, as people do. */
  const prepare = async (request: string): Promise<string> => {
    for (;;) {
      try {
        return (await payer.call('pay.prepare', { request })).id
      } catch (error) {
        if (!(error instanceof AppError && error.retryable)) throw error
      }
    }
  }
  const pay = async (): Promise<number> => {
    const { text } = await ask()
    const before = performance.now()
    const id = await prepare(text)
    await payer.call('pay.confirm', { id })
    await until(async () => (await payer.call('payments.get', { id })).state === 'final')
    return performance.now() - before
  }
  const keysetIds = await keysetIdsOf(mint)
  const findTarget = async (): Promise<Target> => {
    const { peerId, multiaddrs } = decodeRequest((await ask()).text)
    return { peerId, port: Number(multiaddrs[0]?.split('/')[4]), keysetIds }
  }
  let target = await findTarget()
  return {
    get target() {
      return target
    },
    get log() {
      return log
    },
    restart: async () => {
      await payee.stop()
      log = []
      payee = await start('payee')
      await payee.call('mints.sync', {})
      // It listens where it did, unless another program of this computer was quicker.
      target = await findTarget()
    },
    memory: () => memoryOf(payee.pid),
    pay,
    close: async () => {
      await Promise.all([payee.stop(), payer.stop()])
      await mint.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function keysetIdsOf({ url }: MintProcess): Promise<readonly Uint8Array[]> {
  const { keysets } = keysetsResponseSchema.parse(await (await fetch(`${url}/v1/keysets`)).json())
  return keysets.map(({ id }) => hexToBytes(id))
}

/** Resident memory of a process in megabytes. */
export function memoryOf(pid: number): number {
  if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`])) / 1024
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Asks again and again. @throws Error when it is not so in time */
export async function until(isSo: () => boolean | Promise<boolean>, timeoutMs = 40_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await isSo()); await waitFor(10)) {
    if (Date.now() > end) throw new Error(`not so after ${timeoutMs} ms: ${isSo}`)
  }
}

// ---- what strangers are made of

/** A plain connection from this address that says what it is told to, and is told what happens. */
export function socketFrom(address: string, { port }: Target, first?: Uint8Array): Socket {
  const socket = connect({ port, host: honestAddress, localAddress: address }).on('error', () => undefined)
  if (first) socket.write(first)
  return socket.resume()
}

export type Stranger = {
  readonly node: Libp2p
  connect(): Promise<Connection>
  /** What goes through noise and under yamux, of the newest connection. */
  raw(): MessageStream
}

/**
 * A libp2p node at this address that does as it pleases.
 * @param hasty what it sends right behind the handshake, in place of a yamux frame
 */
export async function strangerFrom(
  address: string,
  { port, peerId }: Target,
  hasty?: () => Uint8Array,
): Promise<Stranger> {
  let newest: MessageStream | undefined
  const localAddress: object = { localAddress: address }
  const node = await createLibp2p({
    transports: [tcp({ dialOpts: localAddress })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => {
        const real = yamux({ maxOutboundStreams: 1e6, enableKeepAlive: false })()
        return {
          protocol: real.protocol,
          createStreamMuxer: (connection) => {
            newest = connection
            if (hasty) connection.send(hasty())
            return real.createStreamMuxer(connection)
          },
        }
      },
    ],
    connectionMonitor: { enabled: false },
  })
  return {
    node,
    connect: () => node.dial(multiaddr(`/ip4/${honestAddress}/tcp/${port}/p2p/${peerId}`)),
    raw: () => {
      if (!newest) throw new Error('no connection yet')
      return newest
    },
  }
}

/** A Hello that the payee of this target answers with Terms, if it answers at all. */
export function helloFrame({ keysetIds }: Target, paymentId: Uint8Array, amount = 1): Uint8Array {
  const mint = { url: 'http://127.0.0.1:1', keysetIds: keysetIds.slice(0, 8) }
  return encodeFrame({ hello: encodeBody(helloSchema, { v: 1, paymentId, mint, unit: 'sat', amount }) })
}

export function* varint(value: number): Generator<number> {
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) yield (rest % 128) | 128
  yield rest
}

/** A stream's frame: its length and its bytes. */
export const framed = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...varint(bytes.length), ...bytes])

/** The stream or connection is over, however it ended. */
export async function end(stream: Pick<MessageStream, 'status'> & EventTarget): Promise<void> {
  if (stream.status !== 'open') return
  await new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
}
