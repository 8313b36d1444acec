// Strangers who want a payee to stop serving, to fill its memory, or to fill its log: an honest payer pays while each of
// them does its worst. The payee, the payer and the mint are processes of their own; the strangers have other addresses of
// this computer, as neighbours in a market have. There is no gossip in this program: garbage is thrown at everything that
// it does speak, and at what it does not.

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as waitFor } from 'node:timers/promises'
import type { Connection, MessageStream } from '@libp2p/interface'
import { base58 } from '@scure/base'
import multicastDns from 'multicast-dns'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { announceOnLan } from '../electron/net/lan-discovery.ts'
import { announcementRecords } from '../electron/net/lan-record.ts'
import { type PayeeNode, startPayeeNode } from '../electron/net/peer-node.ts'
import { cardProtocol } from '../shared/card.ts'
import { hexToBytes } from '../shared/cashu/numbers.ts'
import { maxFrameBytes, payProtocol } from '../shared/messages.ts'
import {
  end,
  framed,
  helloFrame,
  honestAddress,
  memoryOf,
  type Stage,
  setStage,
  socketFrom,
  strangerFrom,
  strangers,
  type Target,
  until,
  varint,
  whyNoStrangers,
} from './hostile-fixture.ts'

const reason = whyNoStrangers()
if (reason !== undefined) console.warn(`SKIPPED: hostile peers (${reason})`)

/** An attack goes on until it is stopped, and counts what it did. */
type Attack = { readonly count: () => number; readonly stop: () => Promise<void> }
type Begin = (target: Target) => Attack

type Deed = (peer: { readonly connection: Connection; readonly raw: MessageStream }, target: Target) => Promise<unknown>

/** Plain connections: so many from each address at a time, each opened again when it is closed. */
const sockets =
  (addresses: readonly string[], each: number, first?: Uint8Array, drip?: Uint8Array): Begin =>
  (target) => {
    const open = new Set<Socket>()
    let isOn = true
    let count = 0
    const run = async (address: string): Promise<void> => {
      while (isOn) {
        const socket = socketFrom(address, target, first)
        open.add(socket)
        const timer = drip && setInterval(() => socket.write(drip), 1_000)
        await new Promise((resolve) => socket.once('close', resolve))
        clearInterval(timer)
        open.delete(socket)
        count++
        await waitFor(5)
      }
    }
    const runs = addresses.flatMap((address) => Array.from({ length: each }, () => run(address)))
    return {
      count: () => count,
      stop: async () => {
        isOn = false
        for (const socket of open) socket.destroy()
        await Promise.all(runs)
      },
    }
  }

/** libp2p nodes, so many at each address, each with a connection on which this is done again and again; a new one when it is closed. */
const nodes =
  (addresses: readonly string[], each: number, deed: Deed, pauseMs = 5, hasty?: () => Uint8Array): Begin =>
  (target) => {
    let isOn = true
    let count = 0
    const run = async (address: string): Promise<void> => {
      const { node, connect, raw } = await strangerFrom(address, target, hasty)
      while (isOn) {
        const connection = await connect().catch(() => undefined)
        while (isOn && connection?.status === 'open') {
          const isDone = await deed({ connection, raw: raw() }, target).then(
            () => true,
            () => false,
          )
          count++
          if (!isDone) break
          await waitFor(pauseMs)
        }
        connection?.abort(new Error('enough'))
        await waitFor(100)
      }
      await node.stop()
    }
    const runs = addresses.flatMap((address) => Array.from({ length: each }, () => run(address)))
    return {
      count: () => count,
      stop: async () => {
        isOn = false
        await Promise.all(runs)
      },
    }
  }

/** A stream of this protocol that brings these bytes, and is left when it is answered or cut off. */
const sending =
  (protocol: string, bytes: (target: Target) => Uint8Array): Deed =>
  async ({ connection }, target) => {
    const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(5_000) })
    const answered = new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
    stream.send(bytes(target))
    await Promise.race([answered, end(stream)])
    stream.abort(new Error('enough'))
  }

/** So many at a time, and the next ones this long after the first of them is over. */
const together =
  (times: number, deed: Deed, waitMs = 0): Deed =>
  (peer, target) =>
    Promise.any(Array.from({ length: times }, () => deed(peer, target))).then(() => waitFor(waitMs))

const silent: Deed = async ({ connection }) => {
  const stream = await connection.newStream(payProtocol, { signal: AbortSignal.timeout(5_000) })
  await end(stream)
}

/** Streams that are opened and left, for as long as the connection holds. */
const opening =
  (protocol: string): Deed =>
  async ({ connection }) => {
    const opened = Array.from({ length: 20 }, async () => {
      const stream = await connection.newStream(protocol)
      stream.abort(new Error('enough'))
    })
    await Promise.allSettled(opened)
  }

const hello: Deed = together(
  16,
  sending(payProtocol, (target) => framed(helloFrame(target, new Uint8Array(randomBytes(16))))),
  50,
)

/** Bytes in place of a yamux frame. */
const raw =
  (bytes: () => Uint8Array): Deed =>
  async ({ raw }) => {
    raw.send(bytes())
  }
/** A yamux frame (libp2p specs): version, type, flags, stream, length. */
function yamuxFrame(type: number, flags: number, stream: number, length: number, data = new Uint8Array()): Uint8Array {
  const header = Buffer.alloc(12)
  header.writeUInt8(type, 1)
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(stream, 4)
  header.writeUInt32BE(length, 8)
  return Buffer.concat([header, data])
}
const many = (count: number, frame: (index: number) => Uint8Array): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, index) => frame(index)))

const multistream = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n')
const zeros = (count: number) => new Uint8Array(count)

/** CBOR that promises more than it has, or more than anybody needs. */
const cborBombs: readonly Uint8Array[] = [
  Buffer.from('9bffffffffffffffff', 'hex'),
  Buffer.from('9affffffff', 'hex'),
  Buffer.from('bbffffffffffffffff', 'hex'),
  Buffer.from('5bffffffffffffffff', 'hex'),
  Buffer.from('7affffffff', 'hex'),
  Buffer.from('9f'.repeat(60_000), 'hex'),
  Buffer.from('81'.repeat(60_000), 'hex'),
  Buffer.from(`d9d9f7${'c1'.repeat(60_000)}`, 'hex'),
  Buffer.from(`b9ffff${'6161f6'.repeat(20_000)}`, 'hex'),
  Buffer.from(`99ffff${'80'.repeat(65_000)}`, 'hex'),
  Buffer.from(`a16568656c6c6f${'58ff'}`, 'hex'),
]
let nextBomb = 0
const cborBomb: Deed = sending(payProtocol, () => framed(cborBombs[nextBomb++ % cborBombs.length] ?? zeros(1)))

const garbage: Deed = async ({ connection }) => {
  const protocols = [
    payProtocol,
    cardProtocol,
    '/ipfs/id/1.0.0',
    '/ipfs/ping/1.0.0',
    '/meshsub/1.1.0',
    '/x'.repeat(400),
  ]
  for (const protocol of protocols) {
    const stream = await connection.newStream(protocol).catch(() => undefined)
    stream?.send(new Uint8Array(randomBytes(10_000)))
    stream?.abort(new Error('enough'))
  }
}

/** `atLeast` deeds are done before it is over. */
type Case = readonly [name: string, begin: Begin, offence: RegExp, atLeast?: number]

const attacks: readonly Case[] = [
  ['connections that never say a word', sockets(strangers(8), 16), /does not finish its handshake|connects too often/],
  [
    'handshakes that are half done, with a byte a second',
    sockets(strangers(8), 16, multistream, Uint8Array.of(0)),
    /does not finish its handshake|connects too often/,
  ],
  ['floods of connections', sockets(strangers(4), 64, Buffer.from('GET / HTTP/1.1\r\n\r\n')), /connects too often/],
  [
    'a length that never ends, before the handshake',
    sockets(strangers(6), 4, Buffer.alloc(4 * 1024 * 1024, 0x80)),
    /breaks the protocol/,
  ],
  ['connections that are held by silent payments', nodes(strangers(5), 16, silent), /holds too many connections/],
  ['places that each of seventy addresses holds one of', nodes(strangers(70), 1, silent), /stays too long/, 70],
  [
    'places and Terms that each of seventy addresses holds',
    nodes(strangers(70), 1, async ({ connection }, target) => {
      const stream = await connection.newStream(payProtocol, { signal: AbortSignal.timeout(5_000) })
      stream.send(framed(helloFrame(target, new Uint8Array(randomBytes(16)))))
      await end(stream)
    }),
    /stays too long/,
    70,
  ],
  ['floods of payment streams', nodes(strangers(4), 2, opening(payProtocol)), /opens too many streams/],
  ['floods of streams of unknown protocols', nodes(strangers(4), 2, opening('/unknown/1')), /opens too many streams/],
  ['floods of cards asked for', nodes(strangers(4), 2, opening(cardProtocol)), /opens too many streams/],
  [
    'frames that are too large',
    nodes(
      strangers(3),
      2,
      sending(payProtocol, () => Uint8Array.from([...varint(maxFrameBytes + 1), 1])),
    ),
    /sends frames that are too large/,
  ],
  [
    'frames of two gigabytes',
    nodes(
      strangers(3),
      2,
      sending(payProtocol, () => Buffer.concat([Buffer.from([...varint(2 ** 31)]), zeros(100_000)])),
    ),
    /sends frames that are too large/,
  ],
  [
    'frames whose length never ends',
    nodes(
      strangers(3),
      2,
      sending(payProtocol, () => Buffer.alloc(200_000, 0x80)),
    ),
    /sends frames that are too large/,
  ],
  ['frames that never come', nodes(strangers(3), 4, silent), /says nothing/],
  ['CBOR that promises the sky', nodes(strangers(3), 2, cborBomb), /sends what cannot be read/],
  ['garbage in every protocol', nodes(strangers(3), 2, garbage), /cannot be read|too many streams|too large|too much/],
  ['floods of Hellos from one address', nodes(strangers(1), 12, hello, 0), /asks for Terms and never pays/, 60],
  ['floods of Hellos from sixteen addresses', nodes(strangers(16), 1, hello, 0), /asks for Terms and never pays/, 60],
  [
    'a yamux frame of four gigabytes',
    nodes(
      strangers(3),
      2,
      raw(() => yamuxFrame(0, 1, 1, 2 ** 32 - 1, zeros(200_000))),
    ),
    /sends too much/,
  ],
  [
    'floods of yamux pings',
    nodes(
      strangers(3),
      2,
      raw(() => many(2_000, () => yamuxFrame(2, 1, 0, 7))),
    ),
    /sends too much/,
  ],
  [
    'floods of yamux streams',
    nodes(
      strangers(3),
      2,
      raw(() => many(500, (index) => yamuxFrame(1, 1, 2 * index + 1, 0))),
    ),
    /opens too many streams/,
  ],
  [
    'garbage in place of yamux',
    nodes(
      strangers(3),
      2,
      raw(() => new Uint8Array(randomBytes(5_000))),
    ),
    /breaks the protocol/,
  ],
  [
    'garbage right behind the handshake',
    nodes(
      strangers(3),
      2,
      ({ connection }) => end(connection),
      5,
      () => new Uint8Array(randomBytes(5_000)),
    ),
    /breaks the protocol/,
  ],
  [
    'floods of empty noise frames',
    nodes(
      strangers(3),
      2,
      raw(() => zeros(0)),
    ),
    /sends too much|says nothing/,
  ],
]

/** Milliseconds an honest payment may take under attack: so many times what it takes in peace, or so long. */
const patience = { times: 25, ms: 8_000 }
/** Megabytes that an attack may cost. */
const maxGrowth = 250
/** Lines that an attack may write into the log before the first minute is over. */
const maxLines = 40

describe.skipIf(reason !== undefined)('an honest payer pays, whatever strangers do:', () => {
  let stage: Stage
  let quietMs = 0
  beforeAll(async () => {
    stage = await setStage()
    ;[, , quietMs = 0] = await payments(5)
  })
  afterAll(() => stage?.close())

  /** Payments one after another, four in a second at most. @returns how long each took, in milliseconds, ascending */
  async function payments(count: number): Promise<readonly number[]> {
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const [time] = await Promise.all([stage.pay(), waitFor(260)])
      times.push(time)
    }
    return times.sort((a, b) => a - b)
  }

  test.each(attacks.map(([name, begin, offence, atLeast = 1]) => ({ name, begin, offence, atLeast })))(
    '$name',
    async ({ name, begin, offence, atLeast }) => {
      await stage.restart()
      await payments(2)
      const memoryBefore = stage.memory()
      let memory = memoryBefore
      const watch = setInterval(() => {
        memory = Math.max(memory, stage.memory())
      }, 100)
      const attack = begin(stage.target)
      const begun = performance.now()
      try {
        await until(() => stage.log.some((line) => /refused 127\.0\.0\.\d+: /.test(line) && offence.test(line)), 20_000)
        const [, median = 0, slowest = 0] = await payments(3)
        while (attack.count() < atLeast) await payments(1)
        const times = `${Math.round(median)} ms (slowest ${Math.round(slowest)}; in peace ${Math.round(quietMs)})`
        const megabytes = `${Math.round(memoryBefore)} → ${Math.round(memory)} MB`
        const often = `${attack.count()} times in ${Math.round((performance.now() - begun) / 1_000)} s`
        console.info(`${name}, ${often}: ${times}, ${megabytes}, ${stage.log.length} lines`)
        expect(median).toBeLessThan(Math.max(patience.times * quietMs, patience.ms))
        expect(memory - memoryBefore).toBeLessThan(maxGrowth)
        expect(stage.log.length).toBeLessThan(maxLines)
      } catch (error) {
        console.info(`${name}: ${attack.count()} times; the log:\n${stage.log.slice(0, 30).join('\n')}`)
        throw error
      } finally {
        clearInterval(watch)
        await attack.stop()
      }
    },
    120_000,
  )
})

type Heard = {
  /** Address and peer id of each. */
  readonly answered?: readonly string[]
  readonly offence?: string
  readonly mostListed: number
  readonly asks: number
  readonly offences: number
}

describe.skipIf(reason !== undefined)('on a network full of announcements', () => {
  /** Milliseconds a newcomer may wait; more than a turn of every address that is forged here. */
  const maxWaitMs = 90_000
  const cleanups: (() => Promise<unknown>)[] = []
  let mdnsPort = 30_000 + (process.pid % 10_000)
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    mdnsPort++
  })
  const payeeKey = hexToBytes('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
  /** The peer id of a key that nobody has. */
  const somePeerId = (): string => base58.encode(Buffer.concat([Buffer.from('002408011220', 'hex'), randomBytes(32)]))

  /** Somebody who looks for payees. */
  async function watch() {
    const watcher = fork(new URL('hostile-watcher.ts', import.meta.url), [`${mdnsPort}`])
    let last: Heard = { mostListed: 0, asks: 0, offences: 0 }
    let answered: readonly string[] = []
    const told: string[] = []
    const lost = new Set<string>()
    watcher.on('message', (heard: Heard) => {
      last = heard
      if (heard.offence !== undefined) told.push(heard.offence)
      if (heard.answered === undefined) return
      for (const one of answered) if (!heard.answered.includes(one)) lost.add(one)
      answered = heard.answered
    })
    await once(watcher, 'message')
    cleanups.push(async () => {
      const over = once(watcher, 'exit')
      watcher.disconnect()
      await over
    })
    return {
      told,
      /** Who was named once, and then no more or elsewhere. */
      lost,
      last: () => last,
      memory: () => memoryOf(watcher.pid ?? 0),
      /** @returns milliseconds until this payee is named */
      find: async ({ peerId, port }: PayeeNode): Promise<number> => {
        const before = performance.now()
        await until(() => answered.includes(`/ip4/${honestAddress}/tcp/${port}/p2p/${peerId}`), maxWaitMs)
        return performance.now() - before
      },
    }
  }

  /** A payee that is visible, as it is in a wallet. */
  async function payee(name: string): Promise<PayeeNode> {
    const node = await startPayeeNode({
      peerKeySeed: new Uint8Array(randomBytes(32)),
      protocol: { onHello: async (frame) => frame, onHandover: async (frame) => frame },
      card: () => ({ name, payeeKey, request: null }),
      host: honestAddress,
    })
    cleanups.push(() => node.stop())
    const announced = announceOnLan(node, { loopback: true, mdnsPort })
    cleanups.push(() => announced.stop())
    return node
  }

  type Lie = { readonly peerId: string; readonly port: number; readonly ttl?: number }
  /** Announcements that say they come from these addresses, from each of them one in this time. */
  function flood(addresses: readonly string[], eachMs: number, lie: () => Lie) {
    const senders = addresses.map((host) => ({
      host,
      socket: multicastDns({ interface: '127.0.0.1', bind: host, port: mdnsPort }),
    }))
    let isOn = true
    let sent = 0
    const floods = senders.map(async ({ host, socket }) => {
      await waitFor(eachMs * Math.random())
      while (isOn) {
        const { peerId, port, ttl = 120 } = lie()
        const records = announcementRecords({ peerId, host, port }, ttl)
        await new Promise<void>((resolve) => socket.respond({ answers: records }, () => resolve()))
        sent++
        await waitFor(eachMs)
      }
    })
    cleanups.push(async () => {
      isOn = false
      await Promise.all(floods)
      for (const { socket } of senders) socket.destroy()
    })
    return { sent: () => sent }
  }
  const invented = (): Lie => ({ peerId: somePeerId(), port: 4001 })

  test('a newcomer is found while 320 addresses are forged, and the list does not grow', async () => {
    const watcher = await watch()
    const addresses = [...strangers(200), ...strangers(120).map((address) => address.replace('127.0.0', '127.0.1'))]
    const { sent } = flood(addresses, 500, invented)
    await until(() => sent() > 5 * addresses.length)
    const memory = watcher.memory()
    const before = watcher.last().asks
    const ms = await watcher.find(await payee('newcomer'))
    const growth = watcher.memory() - memory
    const { asks, mostListed, offences } = watcher.last()
    console.info(
      `${sent()} announcements: found in ${Math.round(ms)} ms and ${asks - before} asks, ${mostListed} listed at most, ${offences} offences, ${Math.round(growth)} MB more`,
    )
    expect(asks - before).toBeLessThan(16 * (ms / 1_000 + 2))
    expect(mostListed).toBeLessThan(64 + 8)
    expect(growth).toBeLessThan(maxGrowth)
  }, 120_000)

  test('a newcomer is found while its own address is forged, and the log blames nobody', async () => {
    const watcher = await watch()
    const { sent } = flood([honestAddress], 100, invented)
    await until(() => sent() > 50)
    const ms = await watcher.find(await payee('newcomer'))
    console.info(`${sent()} announcements: found in ${Math.round(ms)} ms and ${watcher.last().asks} asks`)
    expect(watcher.told[0]).toBe(`${honestAddress} is named by too many announcements`)
  }, 120_000)

  test('who was found stays, whatever is announced in its name', async () => {
    const watcher = await watch()
    const stall = await payee('stall')
    const { peerId, port } = stall
    await watcher.find(stall)
    const lies: readonly (() => Lie)[] = [
      invented,
      () => ({ peerId, port, ttl: 0 }),
      () => ({ peerId, port: port - 1 }),
      () => ({ peerId, port, ttl: 1 }),
    ]
    let next = 0
    const { sent } = flood(strangers(200), 500, () => lies[next++ % lies.length]!())
    const { sent: own } = flood([honestAddress], 50, () => lies[next++ % lies.length]!())
    await until(() => own() > 200 && sent() > 4_000, maxWaitMs)
    expect([...watcher.lost]).toEqual([])
    await watcher.find(stall)
  }, 120_000)
})
