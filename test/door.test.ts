// The door of a node: what it lets pass, who has to go when it is full, what it tells, and what it forgets. Real libp2p nodes
// and sockets on loopback.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAbuseLog } from '../electron/net/abuse-log.ts'
import { createAllowance, createAllowances } from '../electron/net/allowance.ts'
import { lookAtBytes } from '../electron/net/doorway.ts'
import { letGoOfIdle } from '../electron/net/idle.ts'
import { negotiationOf } from '../electron/net/negotiation.ts'
import { createPeerDialer, type PayeeNode, type PayeeNodeOptions, startPayeeNode } from '../electron/net/peer-node.ts'
import { createTurns } from '../electron/net/turns.ts'
import { payProtocol } from '../shared/messages.ts'
import { type Stranger, socketFrom, strangerFrom, strangers, whyNoStrangers } from './hostile-fixture.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const protocol = { onHello: async (frame: Uint8Array) => frame, onHandover: async (frame: Uint8Array) => frame }
const breach = expect.objectContaining({ code: 'peer_unreachable', message: 'breaks the protocol' })

describe('an agreement on a protocol', () => {
  const text = (line: string): number[] => [line.length + 1, ...Buffer.from(`${line}\n`)]
  const honest = Uint8Array.from([
    ...text('/multistream/1.0.0'),
    ...text('/tls/1.0.0'),
    ...text('ls'),
    ...text('/noise'),
    ...Array.from({ length: 5_000 }, () => 0xff),
  ])

  test('passes in whatever pieces it comes, and what follows is not read', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(honest.length)), fc.boolean(), (cuts, asList) => {
        const look = negotiationOf(['/noise', '/other'])
        const edges = [0, ...cuts.sort((a, b) => a - b), honest.length]
        for (const [index, start] of edges.entries()) {
          const piece = honest.subarray(start, edges[index + 1])
          look(asList ? new Uint8ArrayList(piece.subarray(0, 3), piece.subarray(3)) : piece)
        }
      }),
    )
  })

  test('with a longer name passes', () => {
    const name = `/${'x'.repeat(400)}`
    const bytes = Buffer.from(`${name}\n`)
    const look = negotiationOf([name])
    look(Uint8Array.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes, ...new Uint8Array(5_000)]))
  })

  test.each([
    ['a length of three bytes', Uint8Array.of(0x80, 0x80)],
    ['a length that never ends', Buffer.alloc(100_000, 0x80)],
    [
      'a length that never ends, behind a good beginning',
      Buffer.concat([honest.subarray(0, 20), Buffer.alloc(9, 0xff)]),
    ],
    [
      'a length that never ends, behind a name that only looks like one',
      Buffer.concat([Buffer.from('\x0a\ufeff/noise\n'), Buffer.alloc(2_000, 0x80)]),
    ],
    ['no end to what it proposes', Buffer.alloc(1_025, 0)],
    ['a message above a kilobyte', Buffer.concat([Buffer.from([0xff, 0x7f]), Buffer.alloc(5_000)])],
  ])('that has %s is broken off', (_name, bytes) => {
    expect(() => negotiationOf(['/noise'])(bytes)).toThrow(breach)
  })

  test('that comes byte by byte costs no more than one in a piece', () => {
    const { user } = process.threadCpuUsage()
    for (let round = 0; round < 3; round++) {
      const look = negotiationOf(['/noise'])
      for (const byte of Buffer.from('\x01\n'.repeat(512))) look(Uint8Array.of(byte))
    }
    // Reading all of it anew at every piece took ten times this.
    expect(process.threadCpuUsage().user - user).toBeLessThan(150_000)
  })
})

describe('an allowance', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('is used up at once, and comes back with time, never to more than it was', () => {
    const { take, has } = createAllowance({ burst: 3, perSecond: 2 })
    expect([take(2), take(2), has(), take(1), has(), take(1)]).toEqual([true, false, true, true, false, false])
    vi.advanceTimersByTime(500)
    expect([take(), take()]).toEqual([true, false])
    vi.advanceTimersByTime(3_600_000)
    expect([take(4), take(3), take()]).toEqual([false, true, false])
  })

  test('is each address its own, however many there are', () => {
    const { take } = createAllowances({ burst: 1, perSecond: 1 })
    expect([take('a'), take('b'), take('a')]).toEqual([true, true, false])
    for (let index = 0; index < 1_023; index++) take(`stranger ${index}`)
    expect([take('b'), take('a')]).toEqual([false, true]) // the oldest was forgotten, and the table has not grown
  })
})

describe('turns', () => {
  test('go from address to address, one in each turn of the event loop', async () => {
    const { wait } = createTurns()
    const order: string[] = []
    const work = async (address: string): Promise<void> => {
      expect(await wait(address)).toBe(true)
      order.push(address)
    }
    const others = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
    const all = ['a', 'a', 'a', 'b', 'b', 'c'].map(work)
    await others
    expect(order.length).toBeLessThanOrEqual(2)
    await Promise.all(all)
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'a'])
    await work('d')
  })

  test('are few for one address, and others still have theirs', async () => {
    const { wait } = createTurns()
    const flood = Array.from({ length: 20 }, () => wait('a'))
    expect(await wait('b')).toBe(true)
    expect((await Promise.all(flood)).filter((isTurn) => !isTurn)).toHaveLength(4)
  })
})

describe('the log of offences', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function log() {
    const lines: string[] = []
    return { lines, ...createAbuseLog((line) => lines.push(line)) }
  }

  test('names who begins at once, and counts the rest for a minute', () => {
    const { lines, note } = log()
    for (let index = 0; index < 300; index++) note('10.0.0.7', 'connects too often')
    for (let index = 0; index < 13; index++) note('10.0.0.7', 'sends too much')
    note('10.0.0.8', 'says nothing')
    expect(lines).toEqual([
      'refused 10.0.0.7: connects too often',
      'refused 10.0.0.7: sends too much',
      'refused 10.0.0.8: says nothing',
    ])
    vi.advanceTimersByTime(60_000)
    expect(lines.slice(3)).toEqual(['refused 10.0.0.7 in 60 s: 299 × connects too often, 12 × sends too much'])
    note('10.0.0.7', 'sends too much')
    expect(lines.slice(4)).toEqual(['refused 10.0.0.7: sends too much'])
  })

  test('has few lines in a minute, whoever comes and however often', () => {
    const { lines, note } = log()
    for (let round = 0; round < 3; round++) {
      for (let host = 0; host < 5_000; host++) note(`10.0.${host >> 8}.${host & 255}`, 'connects too often')
      for (let again = 0; again < 9; again++) note(`10.0.0.${again}`, 'says nothing')
    }
    vi.advanceTimersByTime(60_000)
    expect(lines).toHaveLength(16 + 8 + 1)
    expect(lines.at(-1)).toBe('refused 1016 more addresses in 60 s: 14971 times')
    vi.advanceTimersByTime(600_000)
    expect(lines).toHaveLength(25)
  })

  test('tells at the end what it has counted', () => {
    const { lines, note, stop } = log()
    note('10.0.0.7', 'says nothing')
    note('10.0.0.7', 'says nothing')
    stop()
    expect(lines.slice(1)).toEqual(['refused 10.0.0.7 in 60 s: 1 × says nothing'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('what comes on one connection', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())
  const tooMuch = expect.objectContaining({ code: 'peer_unreachable', message: 'sends too much' })
  const agreed = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n')
  /** @returns how many kilobytes passed before it was cut off; 2,000 when it never was */
  function passed(look: (data: Uint8Array) => void): number {
    const kilobyte = new Uint8Array(1_000)
    for (let sent = 0; sent < 2_000; sent++) {
      try {
        look(kilobyte)
      } catch (error) {
        expect(error).toEqual(tooMuch)
        return sent
      }
    }
    return 2_000
  }

  test('before its handshake is over is little, and a hasty payer still gets in', () => {
    const look = lookAtBytes({ isIn: false })
    look(agreed)
    const kilobytes = passed(look)
    expect(kilobytes).toBeGreaterThan(70) // a frame of 64 KiB
    expect(kilobytes).toBeLessThan(200)
  })

  test('is few pieces: many small ones cost more than their bytes', () => {
    for (const guest of [{ isIn: false }, { isIn: true }, undefined]) {
      const look = lookAtBytes(guest)
      look(agreed)
      let pieces = 0
      const sendMore = (): void => {
        for (; pieces < 100_000; pieces++) look(Uint8Array.of(1))
      }
      expect(sendMore).toThrow(expect.objectContaining({ message: 'sends too much' }))
      expect(pieces).toBeGreaterThan(1_000)
      expect(pieces).toBeLessThan(10_000)
    }
  })

  test('at once, and in every second after, is bounded on either side', () => {
    for (const guest of [{ isIn: true }, undefined]) {
      const look = lookAtBytes(guest)
      look(agreed)
      const atOnce = passed(look)
      expect(atOnce).toBeGreaterThan(300)
      expect(atOnce).toBeLessThan(800)
      vi.advanceTimersByTime(10_000)
      const later = passed(look)
      expect(later).toBeGreaterThan(100)
      expect(later).toBeLessThan(500)
    }
  })
})

const reason = whyNoStrangers()
if (reason !== undefined) console.warn(`SKIPPED: the door and strangers of several addresses (${reason})`)

describe.skipIf(reason !== undefined)('a full house', () => {
  const told: string[] = []
  afterEach(() => void told.splice(0))

  async function payee(options: Partial<PayeeNodeOptions> = {}): Promise<PayeeNode> {
    const limits = { connectionRate: 1_000, maxConnections: 6, maxConnectionsPerHost: 4, ...options.limits }
    const onOffence = (address: string, offence: string) => void told.push(`${address} ${offence}`)
    const peerKeySeed = new Uint8Array(32).fill(1)
    const node = await startPayeeNode({ peerKeySeed, protocol, host: '127.0.0.1', onOffence, ...options, limits })
    cleanups.push(() => node.stop())
    return node
  }
  async function stranger(address: string, node: PayeeNode, hasty?: () => Uint8Array): Promise<Stranger> {
    const made = await strangerFrom(address, { ...node, keysetIds: [] }, hasty)
    cleanups.push(async () => made.node.stop())
    return made
  }
  /** Connections from this address with a payment on each, so that none of them is idle. */
  async function hold(address: string, count: number, node: PayeeNode): Promise<readonly Connection[]> {
    const held: Connection[] = []
    for (let index = 0; index < count; index++) {
      const connection = await (await stranger(address, node)).connect()
      await connection.newStream(payProtocol)
      held.push(connection)
    }
    return held
  }
  const open = (held: readonly Connection[]): boolean[] => held.map(({ status }) => status === 'open')
  const [crowd = '', pair = '', newcomer = ''] = strangers(3)

  test('lets a newcomer in: the oldest of the largest crowd goes, and the log is told', async () => {
    const node = await payee()
    const four = await hold(crowd, 4, node)
    const two = await hold(pair, 2, node)
    const one = await hold(newcomer, 1, node)
    await vi.waitFor(() => expect(open(four)).toEqual([false, true, true, true]))
    expect([...open(two), ...open(one)]).toEqual([true, true, true])
    expect(told).toEqual([`${crowd} holds too many connections`])
  })

  test('has no room for one more of the largest crowd', async () => {
    const node = await payee()
    const three = await hold(crowd, 3, node)
    const others = await hold(pair, 3, node)
    const more = await (await stranger(crowd, node)).connect().catch(() => undefined)
    await vi.waitFor(() => expect(more?.status ?? 'closed').not.toBe('open'))
    expect([...open(three), ...open(others)]).toEqual([true, true, true, true, true, true])
    expect(told).toEqual([`${crowd} holds too many connections`])
  })

  test('in which each has one place gives the oldest of them to a newcomer, of whom nothing is told', async () => {
    const node = await payee()
    const each = strangers(6)
    const six = (await Promise.all(each.map((address) => hold(address, 1, node)))).flat()
    const [, , , , , , late = ''] = strangers(7)
    // It comes again and again, as people do.
    const comeIn = async () => {
      await hold(late, 1, node).catch(() => undefined)
      expect(told).not.toEqual([])
    }
    await vi.waitFor(comeIn, { timeout: 10_000, interval: 200 })
    await vi.waitFor(() => expect(open(six).filter((isOpen) => !isOpen)).toHaveLength(1))
    expect(told).toEqual([`${each[open(six).indexOf(false)]} stays too long`])
  })

  test('of handshakes in which each has one goes on in the same way', async () => {
    const node = await payee({ limits: { maxHandshakes: 4 } })
    const each = strangers(4)
    const silent = each.map((address) => socketFrom(address, { ...node, keysetIds: [] }))
    cleanups.push(async () => {
      for (const socket of silent) socket.destroy()
    })
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    const [, , , , late = ''] = strangers(5)
    const comeIn = async () => {
      await hold(late, 1, node)
      expect(told).not.toEqual([])
    }
    await vi.waitFor(comeIn, { timeout: 10_000, interval: 100 })
    expect(each.map((address) => `${address} stays too long`)).toContain(told[0])
    expect(told.filter((line) => line.startsWith(late))).toEqual([])
  })

  test('lets no address have more than its share, whoever else is there', async () => {
    const node = await payee()
    const four = await hold(crowd, 4, node)
    await expect((await stranger(crowd, node)).connect()).rejects.toThrow()
    expect(open(four)).toEqual([true, true, true, true])
    expect(told).toEqual([`${crowd} holds too many connections`])
  })

  test('of handshakes makes room in the same way', async () => {
    const node = await payee({ limits: { maxHandshakes: 4 } })
    const silent = Array.from({ length: 4 }, () => socketFrom(crowd, { ...node, keysetIds: [] }))
    cleanups.push(async () => {
      for (const socket of silent) socket.destroy()
    })
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    await hold(newcomer, 1, node)
    await vi.waitFor(() => expect(silent.filter(({ closed }) => closed)).toHaveLength(1))
    expect(told).toEqual([`${crowd} holds too many connections`])
  })

  test('has no more place for an address whose connections were cut off again and again, until a while has passed', async () => {
    const node = await payee()
    const knock = () => socketFrom(crowd, { ...node, keysetIds: [] }, Buffer.alloc(100, 0x80))
    const breach = `${crowd} breaks the protocol`
    for (let times = 1; times <= 4; times++) {
      knock()
      await vi.waitFor(() => expect(told.filter((line) => line === breach)).toHaveLength(times))
    }
    await expect((await stranger(crowd, node)).connect()).rejects.toThrow()
    expect(told.at(-1)).toBe(`${crowd} connects too often`)
    expect(open(await hold(newcomer, 1, node))).toEqual([true])
    const { connect } = await stranger(crowd, node)
    await vi.waitFor(async () => expect((await connect()).status).toBe('open'))
  })

  test('knows garbage right behind the handshake for what it is, and holds it against nobody else at that address', async () => {
    const node = await payee()
    const breach = `${crowd} breaks the protocol`
    for (const garbage of [Buffer.alloc(5_000, 0xff), Buffer.alloc(5_000, '\0\x04\0\x01')]) {
      const { connect } = await stranger(crowd, node, () => garbage)
      for (const until = told.length + 2; told.length < until; ) {
        const before = told.length
        await connect().catch(() => undefined)
        await vi.waitFor(() => expect(told).toHaveLength(before + 1))
      }
    }
    expect(told).toEqual([breach, breach, breach, breach])
    const { connect } = await stranger(crowd, node)
    await vi.waitFor(async () => expect((await connect()).status).toBe('open'), { timeout: 20_000, interval: 1_000 })
    const connection = (await hold(crowd, 1, node))[0]!
    for (let streams = 0; streams < 20; streams++) await connection.newStream(payProtocol)
    expect(told.filter((line) => line.includes('streams'))).toEqual([])
  })

  test('tells of nobody who comes, does nothing wrong and goes', async () => {
    const node = await payee()
    for (const connection of await hold(pair, 3, node)) await connection.close()
    socketFrom(pair, { ...node, keysetIds: [] }).destroy()
    await node.stop()
    expect(told).toEqual([])
  })
})

describe('a node that listens', () => {
  test('forgets peers that have left', async () => {
    const [node, ...others] = await Promise.all(Array.from({ length: 4 }, () => plainNode()))
    const stop = letGoOfIdle(node!, 10)
    cleanups.push(async () => stop())
    const stays = await others[0]!.dial(node!.getMultiaddrs())
    await stays.newStream(payProtocol)
    for (const other of others.slice(1)) await (await other.dial(node!.getMultiaddrs())).newStream(payProtocol)
    await vi.waitFor(async () => expect(await node!.peerStore.all()).toHaveLength(3))
    for (const other of others.slice(1)) await other.stop()
    await vi.waitFor(async () => {
      const known = await node!.peerStore.all()
      expect(known.map(({ id }) => id.toString())).toEqual([others[0]!.peerId.toString()])
    })
  })
})

/** Stock libp2p that listens on loopback and leaves payments open. */
async function plainNode(muxer = yamux()): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
  })
  await node.handle(payProtocol, () => undefined)
  cleanups.push(async () => node.stop())
  return node
}

describe('a payee whose agreement never ends', () => {
  const endless = Buffer.alloc(1024 * 1024, 0x80)
  const dial = createPeerDialer(60_000)
  const addressOf = (node: Libp2p) => ({ peerId: node.peerId.toString(), multiaddrs: node.getMultiaddrs().map(String) })

  /** How long this process did nothing else, at the worst, in milliseconds. */
  async function longestPause(work: () => Promise<unknown>): Promise<number> {
    let longest = 0
    let before = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - before)
      before = performance.now()
    }, 5)
    await work()
    clearInterval(timer)
    return longest
  }

  test('on encryption does not hold up who dials it', async () => {
    const server = createServer((socket) => void socket.on('error', () => undefined).end(endless))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(async () => server.close())
    const { peerId } = addressOf(await plainNode())
    const multiaddrs = [`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`]
    const dialling = () => expect(dial({ peerId, multiaddrs }, new Uint8Array(32))).rejects.toMatchObject(unreachable)
    expect(await longestPause(dialling)).toBeLessThan(longestMs)
  })

  test('on the payment does not hold up who dials it', async () => {
    const node = await plainNode(() => {
      const real = yamux()()
      return {
        protocol: real.protocol,
        createStreamMuxer: (connection) => {
          const muxer = real.createStreamMuxer(connection)
          muxer.onRemoteStream = (stream) => void stream.send(endless)
          return muxer
        },
      }
    })
    const dialling = () => expect(dial(addressOf(node), new Uint8Array(32))).rejects.toMatchObject(unreachable)
    expect(await longestPause(dialling)).toBeLessThan(longestMs)
  })

  const unreachable = { code: 'peer_unreachable' }
  /** Read byte by byte, a megabyte takes several times as long. */
  const longestMs = 250
})
