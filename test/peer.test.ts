// The payment protocol between real libp2p nodes over TCP on loopback, and against peers that do not keep to it.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Connection, IdentifyResult, Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createPeerDialer, type PayeeNode, type PayeeNodeOptions, startPayeeNode } from '../electron/net/peer-node.ts'
import type { PayeeProtocol, PaySession, PeerAddress, RemotePayer } from '../electron/wallet/ports.ts'
import { maxFrameBytes, payProtocol } from '../shared/messages.ts'

const WAIT_MS = 10_000
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const dial = createPeerDialer()

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Answers every frame with its own text, and remembers who sent what. */
function echoing() {
  const seen: { step: string; text: string; from: RemotePayer }[] = []
  const step = (name: string) => async (frame: Uint8Array, from: RemotePayer) => {
    seen.push({ step: name, text: decode(frame), from })
    return encode(`${name}: ${decode(frame)}`)
  }
  return { seen, onHello: step('terms'), onHandover: step('receipt') }
}

async function payee(protocol: PayeeProtocol = echoing(), options: Partial<PayeeNodeOptions> = {}): Promise<PayeeNode> {
  const limits = { connectionRate: 1_000, ...options.limits }
  const node = await startPayeeNode({ peerKeySeed: seed(1), protocol, host: '127.0.0.1', ...options, limits })
  cleanups.push(() => node.stop())
  return node
}

async function session(address: PeerAddress, key = seed(2)): Promise<PaySession> {
  const opened = await dial(address, key)
  cleanups.push(() => opened.close())
  return opened
}

async function pay(address: PeerAddress, name: string, key = seed(2)): Promise<string[]> {
  const opened = await session(address, key)
  const terms = await opened.exchange(encode(`hello ${name}`), WAIT_MS)
  const receipt = await opened.exchange(encode(`handover ${name}`), WAIT_MS)
  await opened.close()
  return [decode(terms), decode(receipt)]
}

const paid = (name: string): string[] => [`terms: hello ${name}`, `receipt: handover ${name}`]

/** A node that does as it pleases. */
async function rogue(options: { listen?: boolean } = {}): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: options.listen === true ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  cleanups.push(async () => node.stop())
  return node
}

async function connectTo(node: Libp2p, { peerId, multiaddrs }: PeerAddress): Promise<Connection> {
  return await node.dial(multiaddr(`${multiaddrs[0]}/p2p/${peerId}`))
}

/** The stream is over: by a reset of the other side, or in good order. */
async function end(stream: Stream): Promise<'reset' | 'closed'> {
  if (stream.status === 'open')
    await new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
  return stream.status === 'reset' ? 'reset' : 'closed'
}

/** A TCP connection that never says a word. */
function silentSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  cleanups.push(async () => socket.destroy())
  return socket.resume()
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

async function tcpServer(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

async function closedPort(): Promise<number> {
  const { server, port } = await tcpServer(() => undefined)
  server.close()
  await once(server, 'close')
  return port
}

describe('a payment', () => {
  test('hello, terms, handover and receipt pass unchanged, and both sides agree who they are', async () => {
    const protocol = echoing()
    const node = await payee(protocol)
    const payer = await session(node.address())
    expect(decode(await payer.exchange(encode('hello'), WAIT_MS))).toBe('terms: hello')
    expect(decode(await payer.exchange(encode('handover'), WAIT_MS))).toBe('receipt: handover')

    expect(payer.payeePeer).toEqual(node.peerIdBytes)
    expect(payer.payeePeer).toEqual(peerIdFromString(node.peerId).toMultihash().bytes)
    const from = { payerPeer: payer.payerPeer, payeePeer: node.peerIdBytes, address: '127.0.0.1' }
    expect(protocol.seen).toEqual([
      { step: 'terms', text: 'hello', from },
      { step: 'receipt', text: 'handover', from },
    ])
  })

  test('the largest frame passes in both directions', async () => {
    const largest = Uint8Array.from({ length: maxFrameBytes }, (_, index) => index % 251)
    const node = await payee({ onHello: async (frame) => frame, onHandover: async (frame) => frame })
    const payer = await session(node.address())
    expect(Buffer.compare(await payer.exchange(largest, WAIT_MS), largest)).toBe(0)
  })

  test('two payers at the same time get their own answers', async () => {
    const hellos = Promise.withResolvers<void>()
    let waiting = 0
    const echo = echoing()
    const node = await payee({
      ...echo,
      onHello: async (frame, from) => {
        if (++waiting === 2) hellos.resolve()
        await hellos.promise
        return echo.onHello(frame, from)
      },
    })
    const both = [pay(node.address(), 'ann', seed(2)), pay(node.address(), 'bob', seed(3))]
    expect(await Promise.all(both)).toEqual([paid('ann'), paid('bob')])
  })

  test('a payer that dials again with the same key is the same peer, with another key another', async () => {
    const protocol = echoing()
    const node = await payee(protocol)
    for (const key of [seed(2), seed(2), seed(3)]) await pay(node.address(), 'again', key)
    const [first, second, third] = protocol.seen
      .filter(({ step }) => step === 'terms')
      .map(({ from }) => Buffer.from(from.payerPeer).toString('hex'))
    expect(second).toBe(first)
    expect(third).not.toBe(first)
  })

  test('a payer is not told the other addresses of the payee', async () => {
    const node = await payee(echoing(), { host: '0.0.0.0' })
    const payer = await rogue()
    const told = new Promise<IdentifyResult>((resolve) =>
      payer.addEventListener('peer:identify', (event) => resolve(event.detail), { once: true }),
    )
    await connectTo(payer, { peerId: node.peerId, multiaddrs: [`/ip4/127.0.0.1/tcp/${node.port}`] })
    expect(await told).toMatchObject({ listenAddrs: [], agentVersion: 'farthing' })
  })

  test('a payee keeps its peer id over a restart with the same seed', async () => {
    const before = await payee()
    await before.stop()
    const after = await payee(echoing(), { port: before.port })
    expect(after.address()).toEqual(before.address())
    expect(await pay(before.address(), 'ann')).toEqual(paid('ann'))
  })

  test.each([
    ['dead', closedPort],
    ['silent', async () => (await tcpServer(() => undefined)).port],
    ['unreadable', async () => 'x/future-transport'],
  ])('a %s address in the list does not hide the good one', async (_name, find) => {
    const node = await payee()
    const multiaddrs = [`/ip4/127.0.0.1/tcp/${await find()}`, ...node.address().multiaddrs]
    expect(await pay({ peerId: node.peerId, multiaddrs }, 'ann')).toEqual(paid('ann'))
  })
})

describe('a payee that is not there', () => {
  const failure = (code: string) => expect.objectContaining({ name: 'AppError', code })

  test('a closed port is peer_unreachable', async () => {
    const node = await payee()
    await node.stop()
    await expect(dial(node.address(), seed(2))).rejects.toEqual(failure('peer_unreachable'))
  })

  test.each([
    ['no address', { multiaddrs: [] }],
    ['an address that is none', { multiaddrs: ['/ip4/1.2.3/tcp/x'] }],
    ['an address of a transport it does not speak', { multiaddrs: ['/ip4/127.0.0.1/udp/1/quic-v1'] }],
    ['a peer id that is none', { peerId: 'ann', multiaddrs: ['/ip4/127.0.0.1/tcp/1'] }],
  ])('%s is peer_unreachable', async (_name, address) => {
    const peerId = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    await expect(dial({ peerId, ...address }, seed(2))).rejects.toEqual(failure('peer_unreachable'))
  })

  test('more than eight addresses are not tried, whatever a request lists', async () => {
    const node = await payee()
    const none = (count: number) => Array.from({ length: count }, () => 'x/future-transport')
    const at = (before: number) => ({
      peerId: node.peerId,
      multiaddrs: [...none(before), ...node.address().multiaddrs],
    })
    expect(await pay(at(7), 'ann')).toEqual(paid('ann'))
    await expect(dial(at(8), seed(2))).rejects.toEqual(failure('peer_unreachable'))
  })

  test('somebody else at its address is peer_unreachable', async () => {
    const node = await payee()
    const other = await payee(echoing(), { peerKeySeed: seed(9) })
    const wrong = { peerId: node.peerId, multiaddrs: other.address().multiaddrs }
    await expect(dial(wrong, seed(2))).rejects.toEqual(failure('peer_unreachable'))
  })

  test('a peer that does not speak the protocol is peer_unreachable', async () => {
    const other = await rogue({ listen: true })
    const address = { peerId: other.peerId.toString(), multiaddrs: other.getMultiaddrs().map(String) }
    await expect(dial(address, seed(2))).rejects.toEqual(failure('peer_unreachable'))
  })

  test('a host that accepts and says nothing is peer_timeout', async () => {
    const { port } = await tcpServer(() => undefined)
    const { peerId } = await payee()
    const impatient = createPeerDialer(200)
    const silent = { peerId, multiaddrs: [`/ip4/127.0.0.1/tcp/${port}`] }
    await expect(impatient(silent, seed(2))).rejects.toEqual(failure('peer_timeout'))
  })

  test('a payee that goes away between terms and handover is peer_unreachable', async () => {
    const node = await payee()
    const payer = await session(node.address())
    await payer.exchange(encode('hello'), WAIT_MS)
    await node.stop()
    await expect(payer.exchange(encode('handover'), WAIT_MS)).rejects.toEqual(failure('peer_unreachable'))
  })

  test('a payee that goes away instead of answering is peer_unreachable, at once', async () => {
    const asked = Promise.withResolvers<void>()
    const onHello = (): Promise<never> => {
      asked.resolve()
      return new Promise(() => undefined)
    }
    const node = await payee({ ...echoing(), onHello })
    const payer = await session(node.address())
    const answer = expect(payer.exchange(encode('hello'), WAIT_MS)).rejects.toEqual(failure('peer_unreachable'))
    await asked.promise
    await node.stop()
    await answer
  })

  test('a payee that does not answer is peer_timeout, and its late answer is never taken for another', async () => {
    const late = Promise.withResolvers<Uint8Array>()
    const node = await payee({ ...echoing(), onHello: () => late.promise })
    const payer = await session(node.address())
    await expect(payer.exchange(encode('hello'), 100)).rejects.toEqual(failure('peer_timeout'))
    late.resolve(encode('late terms'))
    await expect(payer.exchange(encode('hello'), WAIT_MS)).rejects.toEqual(failure('peer_unreachable'))
  })

  test('a port in use cannot be listened on', async () => {
    const { port } = await payee()
    await expect(payee(echoing(), { port })).rejects.toEqual(failure('internal'))
  })
})

describe('frames against the rules', () => {
  test('a frame above 64 KiB is not sent', async () => {
    const protocol = echoing()
    const node = await payee(protocol)
    const payer = await session(node.address())
    const oversized = new Uint8Array(maxFrameBytes + 1)
    await expect(payer.exchange(oversized, WAIT_MS)).rejects.toMatchObject({ code: 'frame_too_large' })
    expect(protocol.seen).toEqual([])
  })

  test.each([
    ['one byte above 64 KiB', [maxFrameBytes + 1]],
    ['two million', [2_000_000]],
    ['a gigabyte', [2 ** 30]],
  ])('a payer that announces a frame of %s is cut off, and others are not', async (_name, [length]) => {
    await cutOff([...varint(length!)])
  })

  test('a payer whose length never ends is cut off, and others are not', async () => {
    await cutOff([0x80, 0x80, 0x80])
  })

  async function cutOff(bytes: number[]): Promise<void> {
    const protocol = echoing()
    const node = await payee(protocol, { limits: { helloMs: 600_000 } })
    const honest = await session(node.address())
    const stream = await (await connectTo(await rogue(), node.address())).newStream(payProtocol)
    stream.send(Uint8Array.from(bytes))
    expect(await end(stream)).toBe('reset')
    expect(protocol.seen).toEqual([])
    expect(decode(await honest.exchange(encode('hello'), WAIT_MS))).toBe('terms: hello')
  }

  test.each([
    ['one byte above 64 KiB', () => Uint8Array.from(varint(maxFrameBytes + 1))],
    ['a length that never ends', () => new Uint8Array(10).fill(0xff)],
  ])('a payee that answers with %s is frame_too_large', async (_name, bytes) => {
    const other = await rogue({ listen: true })
    await other.handle(payProtocol, (stream) => {
      stream.send(bytes())
    })
    const payer = await session({ peerId: other.peerId.toString(), multiaddrs: other.getMultiaddrs().map(String) })
    await expect(payer.exchange(encode('hello'), WAIT_MS)).rejects.toMatchObject({ code: 'frame_too_large' })
  })

  test('a frame that never ends is cut off in time, and others are not', async () => {
    const protocol = echoing()
    const node = await payee(protocol, { limits: { helloMs: 200 } })
    const stream = await (await connectTo(await rogue(), node.address())).newStream(payProtocol)
    stream.send(Uint8Array.from([...varint(1_000), 1]))
    const dripping = setInterval(() => stream.status === 'open' && stream.send(Uint8Array.of(1)), 10)
    cleanups.push(async () => clearInterval(dripping))
    expect(await pay(node.address(), 'ann')).toEqual(paid('ann'))
    expect(await end(stream)).toBe('reset')
    expect(protocol.seen.map(({ text }) => text)).toEqual(['hello ann', 'handover ann'])
  })

  test('a payer that takes terms and never hands over is cut off in time', async () => {
    const node = await payee(echoing(), { limits: { handoverMs: 200 } })
    const stream = await (await connectTo(await rogue(), node.address())).newStream(payProtocol)
    const frames = lpStream(stream)
    await frames.write(encode('hello'))
    expect(decode((await frames.read()).slice())).toBe('terms: hello')
    expect(await end(stream)).toBe('reset')
  })

  test('after the receipt the payee ends the stream in good order', async () => {
    const node = await payee()
    const stream = await (await connectTo(await rogue(), node.address())).newStream(payProtocol)
    const frames = lpStream(stream)
    const finished = new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve, { once: true }))
    for (const text of ['hello', 'handover']) {
      await frames.write(encode(text))
      await frames.read()
    }
    await finished
    await stream.close()
    expect(await end(stream)).toBe('closed')
  })

  test('a payee whose engine fails resets that stream and serves the next', async () => {
    const echo = echoing()
    const node = await payee({
      ...echo,
      onHello: async (frame, from) => {
        if (decode(frame) === 'bad') throw new Error('a defect')
        return echo.onHello(frame, from)
      },
    })
    const payer = await session(node.address())
    await expect(payer.exchange(encode('bad'), WAIT_MS)).rejects.toMatchObject({ code: 'peer_unreachable' })
    expect(await pay(node.address(), 'ann')).toEqual(paid('ann'))
  })
})

describe('a payee under load', () => {
  test('sixty silent sockets do not keep an honest payer out', async () => {
    const node = await payee()
    const silent = Array.from({ length: 60 }, () => silentSocket(node.port))
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    expect(await pay(node.address(), 'ann')).toEqual(paid('ann'))
    expect(silent.every((socket) => !socket.destroyed)).toBe(true)
  })

  test('a silent socket is closed when its handshake takes too long', async () => {
    const node = await payee()
    await closed(silentSocket(node.port))
  }, 5_000)

  test('a connection without a payment is closed, one with a payment is not', async () => {
    const node = await payee(echoing(), { limits: { idleMs: 50 } })
    const payer = await session(node.address())
    await payer.exchange(encode('hello'), WAIT_MS)
    const idle = await connectTo(await rogue(), node.address())
    await new Promise((resolve) => idle.addEventListener('close', resolve, { once: true }))
    expect(decode(await payer.exchange(encode('handover'), WAIT_MS))).toBe('receipt: handover')
  })

  test('one address cannot hold more than sixteen connections, and may open another when one is closed', async () => {
    const node = await payee()
    const nodes = await Promise.all(Array.from({ length: 16 }, () => rogue()))
    const connections: Connection[] = []
    for (const other of nodes) connections.push(await connectTo(other, node.address()))
    await expect(dial(node.address(), seed(2))).rejects.toMatchObject({ code: 'peer_unreachable' })
    await connections[0]!.close()
    await vi.waitFor(async () => expect(await pay(node.address(), 'ann')).toEqual(paid('ann')))
  })

  test('one connection cannot hold more than four payments', async () => {
    const node = await payee()
    const connection = await connectTo(await rogue(), node.address())
    const streams: Stream[] = []
    for (let index = 0; index < 5; index++) {
      const stream = await connection.newStream(payProtocol)
      streams.push(stream)
    }
    expect(await end(streams[4]!)).toBe('reset')
    expect(streams.slice(0, 4).map(({ status }) => status)).toEqual(['open', 'open', 'open', 'open'])
    expect(await pay(node.address(), 'ann')).toEqual(paid('ann'))
  })

  test('more new connections in a second than the rate from one address are refused', async () => {
    const node = await payee(echoing(), { limits: { connectionRate: 2 } })
    const sockets = Array.from({ length: 3 }, () => silentSocket(node.port))
    await Promise.race(sockets.map(closed))
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(1)
  })
})

function* varint(value: number): Generator<number> {
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) yield (rest % 128) | 128
  yield rest
}
