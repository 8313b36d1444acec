// Cards: what is believed of one, asked for between real libp2p nodes over TCP on loopback, and the book of many.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createCardBook } from '../electron/net/nearby-cards.ts'
import {
  askCard,
  createPeerDialer,
  type PayeeNode,
  type PayeeNodeOptions,
  startPayeeNode,
} from '../electron/net/peer-node.ts'
import type { PeerAddress } from '../electron/wallet/ports.ts'
import { type Card, cardProtocol, decodeCard, encodeCard, maxCardBytes, sameCard } from '../shared/card.ts'
import { bytesToHex, hexToBytes } from '../shared/cashu/numbers.ts'
import { encodeCbor } from '../shared/cbor.ts'
import { AppError } from '../shared/errors.ts'
import { payProtocol } from '../shared/messages.ts'
import { encodeRequest, type Request } from '../shared/request.ts'

const key = hexToBytes('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const otherKey = hexToBytes('02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5')
const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'
const ann: Card = { name: 'Ann', payeeKey: key, request: null }
const code = (name: string) => expect.objectContaining({ name: 'AppError', code: name })

/** €15.30 at Ann's, unless told otherwise. */
const requestText = (change: Partial<Request> = {}): string =>
  encodeRequest({
    id: 'r1',
    amount: 1530,
    unit: 'eur',
    mints: ['https://mint.example'],
    singleUse: true,
    peerId: ANN,
    multiaddrs: ['/ip4/10.1.2.3/tcp/4001'],
    payeeKey: bytesToHex(key),
    ...change,
  })

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe('what is believed of a card', () => {
  test('name, key and a request of the same key and peer', () => {
    for (const request of [null, requestText(), requestText({ payeeKey: bytesToHex(key.with(0, 3)) })]) {
      expect(decodeCard(encodeCard({ ...ann, request }), ANN)).toEqual({ ...ann, request })
    }
  })

  test('a card has one encoding, in bytes', () => {
    const hex = `a3617601646e616d6563416e6e6870617965654b65795821${bytesToHex(key)}`
    expect(bytesToHex(encodeCard(ann))).toBe(hex)
  })

  test.each([
    ['of another key', requestText({ payeeKey: bytesToHex(otherKey) })],
    ['of another peer', requestText({ peerId: BOB })],
    ['that is none', 'creqA!'],
    ['as a link', `farthing:${requestText()}`],
    ['that is another kind of text', 'https://example.com'],
    ['that is empty', ''],
  ])('a request %s is left out, the card stays', (_name, request) => {
    expect(decodeCard(encodeCard({ ...ann, request }), ANN)).toEqual(ann)
  })

  const frame = { v: 1, name: 'Ann', payeeKey: key }
  test.each<[string, Uint8Array]>([
    ['no CBOR', Uint8Array.of(0xff, 0xff)],
    ['nothing', new Uint8Array()],
    ['something behind it', Uint8Array.from([...encodeCard(ann), 0])],
    ['another order of keys', hexToBytes(`a3646e616d6563416e6e6176016870617965654b65795821${bytesToHex(key)}`)],
    ['another version', encodeCbor({ ...frame, v: 2 })],
    ['a key more', encodeCbor({ ...frame, url: 'https://example.com' })],
    ['no name', encodeCbor({ v: 1, payeeKey: key })],
    ['a name of 65 bytes', encodeCbor({ ...frame, name: 'é'.repeat(32).concat('e') })],
    ['a name that is no text', encodeCbor({ ...frame, name: 7 })],
    ['no payee key', encodeCbor({ v: 1, name: 'Ann' })],
    ['an x-only key', encodeCbor({ ...frame, payeeKey: key.subarray(1) })],
    ['a key of another form', encodeCbor({ ...frame, payeeKey: key.with(0, 4) })],
    ['a key in hex', encodeCbor({ ...frame, payeeKey: bytesToHex(key) })],
    ['a request of 2,049 characters', encodeCbor({ ...frame, request: 'c'.repeat(2_049) })],
    ['a request that is no text', encodeCbor({ ...frame, request: null })],
  ])('a card with %s is bad_frame', (_name, bytes) => {
    expect(() => decodeCard(bytes, ANN)).toThrow(code('bad_frame'))
  })

  test('more than 4 KiB is not even read', () => {
    expect(() => decodeCard(new Uint8Array(maxCardBytes + 1), ANN)).toThrow(code('frame_too_large'))
  })

  test('the largest card fits, a larger one is not made', () => {
    const largest = { name: 'n'.repeat(64), payeeKey: key, request: 'c'.repeat(2_048) }
    expect(encodeCard(largest).length).toBeLessThan(maxCardBytes)
    expect(() => encodeCard({ ...largest, request: 'c'.repeat(2_049) })).toThrow(code('bad_input'))
    expect(() => encodeCard({ ...largest, name: 'n'.repeat(65) })).toThrow(code('bad_input'))
  })

  test('cards are compared by all they say', () => {
    expect(sameCard(ann, { ...ann })).toBe(true)
    for (const change of [{ name: 'Bob' }, { payeeKey: otherKey }, { request: requestText() }]) {
      expect(sameCard(ann, { ...ann, ...change })).toBe(false)
    }
  })
})

const silence = { onHello: async (frame: Uint8Array) => frame, onHandover: async (frame: Uint8Array) => frame }

async function payee(card: () => Card | null, options: Partial<PayeeNodeOptions> = {}): Promise<PayeeNode> {
  const limits = { connectionRate: 1_000, ...options.limits }
  const base = { peerKeySeed: new Uint8Array(32).fill(1), protocol: silence, host: '127.0.0.1' }
  const node = await startPayeeNode({ ...base, card, ...options, limits })
  cleanups.push(() => node.stop())
  return node
}

/** A node that does as it pleases. */
async function rogue(onStream?: (stream: Stream) => unknown): Promise<{ node: Libp2p; address: PeerAddress }> {
  const node = await createLibp2p({
    addresses: { listen: onStream === undefined ? [] : ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  cleanups.push(async () => node.stop())
  if (onStream !== undefined) await node.handle(cardProtocol, async (stream) => void onStream(stream))
  return { node, address: { peerId: node.peerId.toString(), multiaddrs: node.getMultiaddrs().map(String) } }
}

async function connectTo(node: Libp2p, { peerId, multiaddrs }: PeerAddress): Promise<Connection> {
  return await node.dial(multiaddr(`${multiaddrs[0]}/p2p/${peerId}`))
}

async function end(stream: Stream): Promise<Stream['status']> {
  if (stream.status === 'open')
    await new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
  return stream.status
}

/** The port of a host that accepts and never says a word. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe('asking a payee', () => {
  test('a payee that wants to be seen tells name, key and what it asks for', async () => {
    const shown: { card: Card | null } = { card: ann }
    const node = await payee(() => shown.card)
    expect(await askCard(node.address())).toEqual(ann)
    shown.card = { ...ann, request: requestText({ peerId: node.peerId }) }
    expect(await askCard(node.address())).toEqual(shown.card)
  })

  test('the card is there each of fifty times, twelve at once', async () => {
    const node = await payee(() => ann)
    for (let index = 0; index < 26; index++) expect(await askCard(node.address())).toEqual(ann)
    for (let round = 0; round < 2; round++) {
      const all = await Promise.all(Array.from({ length: 12 }, () => askCard(node.address())))
      expect(all).toEqual(Array.from({ length: 12 }, () => ann))
    }
  })

  test('a payee that does not want to be seen says nothing, and may be asked again', async () => {
    const shown: { card: Card | null } = { card: null }
    const node = await payee(() => shown.card)
    await expect(askCard(node.address())).rejects.toEqual(code('peer_unreachable'))
    shown.card = ann
    expect(await askCard(node.address())).toEqual(ann)
  })

  test('a payee without a card says nothing, and is paid', async () => {
    const base = { peerKeySeed: new Uint8Array(32).fill(1), protocol: silence, host: '127.0.0.1' }
    const node = await startPayeeNode(base)
    cleanups.push(() => node.stop())
    await expect(askCard(node.address())).rejects.toEqual(code('peer_unreachable'))
    const session = await createPeerDialer()(node.address(), new Uint8Array(32).fill(2))
    expect(await session.exchange(Uint8Array.of(7), 5_000)).toEqual(Uint8Array.of(7))
    await session.close()
  })

  test('a card that cannot be made is no answer, and harms nobody', async () => {
    const shown: { card: () => Card } = { card: () => ({ ...ann, name: 'n'.repeat(65) }) }
    const node = await payee(() => shown.card())
    await expect(askCard(node.address())).rejects.toEqual(code('peer_unreachable'))
    shown.card = () => {
      throw new Error('a defect')
    }
    await expect(askCard(node.address())).rejects.toEqual(code('peer_unreachable'))
    shown.card = () => ann
    expect(await askCard(node.address())).toEqual(ann)
  })

  test('nobody learns that two questions came from one wallet', async () => {
    const seen: string[] = []
    const { node, address } = await rogue((stream) => void lpStream(stream).write(encodeCard(ann)))
    node.addEventListener('connection:open', ({ detail }) => seen.push(detail.remotePeer.toString()))
    for (let index = 0; index < 2; index++) expect(await askCard(address)).toEqual(ann)
    expect(new Set(seen).size).toBe(2)
  })

  test('a question leaves no connection behind', async () => {
    const { node, address } = await rogue((stream) => void lpStream(stream).write(encodeCard(ann)))
    await askCard(address)
    await vi.waitFor(() => expect(node.getConnections()).toEqual([]))
  })
})

describe('a payee that is a stranger', () => {
  test('one that opens the stream and says nothing is peer_timeout', async () => {
    const { address } = await rogue(() => undefined)
    await expect(askCard(address, { timeoutMs: 300 })).rejects.toEqual(code('peer_timeout'))
  })

  test('one that never says a word is peer_timeout, after three seconds at the most', async () => {
    const address = { peerId: ANN, multiaddrs: [`/ip4/127.0.0.1/tcp/${await silentPort()}`] }
    const start = performance.now()
    await expect(askCard(address, { timeoutMs: 300 })).rejects.toEqual(code('peer_timeout'))
    expect(performance.now() - start).toBeLessThan(2_000)
    const again = performance.now()
    await expect(askCard(address)).rejects.toMatchObject({ name: 'AppError' })
    expect(performance.now() - again).toBeLessThan(4_000)
  })

  test('one that sends a byte now and then is peer_timeout', async () => {
    const { address } = await rogue((stream) => {
      stream.send(Uint8Array.of(100))
      const dripping = setInterval(() => stream.status === 'open' && stream.send(Uint8Array.of(1)), 20)
      cleanups.push(async () => clearInterval(dripping))
    })
    await expect(askCard(address, { timeoutMs: 300 })).rejects.toEqual(code('peer_timeout'))
  })

  test('who asks can give up', async () => {
    const { address } = await rogue(() => undefined)
    const stop = new AbortController()
    const asked = expect(askCard(address, { signal: stop.signal })).rejects.toEqual(code('peer_timeout'))
    stop.abort()
    await asked
  })

  test.each<[string, (stream: Stream) => unknown, string]>([
    ['a frame of 4,097 bytes', (stream) => lpStream(stream).write(new Uint8Array(4_097)), 'frame_too_large'],
    ['the length of 4,097 bytes', (stream) => stream.send(Uint8Array.of(0x81, 0x20)), 'frame_too_large'],
    ['the length of a gigabyte', (stream) => stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 4)), 'frame_too_large'],
    ['a length that never ends', (stream) => stream.send(new Uint8Array(10).fill(0xff)), 'frame_too_large'],
    ['garbage', (stream) => lpStream(stream).write(new Uint8Array(100).fill(0xa5)), 'bad_frame'],
    ['half a card', (stream) => lpStream(stream).write(encodeCard(ann).subarray(0, 20)), 'bad_frame'],
    ['an empty frame', (stream) => lpStream(stream).write(new Uint8Array()), 'bad_frame'],
    ['nothing, and closes', (stream) => stream.close(), 'peer_unreachable'],
    ['a frame cut short, and closes', cutShort, 'peer_unreachable'],
    ['a reset', (stream) => stream.abort(new Error('no')), 'peer_unreachable'],
  ])('%s is an error of ours', async (_name, answer, expected) => {
    const { address } = await rogue(answer)
    await expect(askCard(address)).rejects.toEqual(code(expected))
  })

  async function cutShort(stream: Stream): Promise<void> {
    stream.send(Uint8Array.of(100, 1, 2, 3))
    await stream.close()
  }

  test('what follows the card is not read', async () => {
    const { address } = await rogue(async (stream) => {
      await lpStream(stream).write(encodeCard(ann))
      stream.send(new Uint8Array(1_000).fill(0xff))
    })
    expect(await askCard(address)).toEqual(ann)
  })

  test.each([
    ['key', (peerId: string) => requestText({ peerId, payeeKey: bytesToHex(otherKey) })],
    ['peer', () => requestText({ peerId: BOB })],
  ])('its request of another %s is dropped, the name is shown', async (_name, text) => {
    const request = { text: '' }
    const { node, address } = await rogue((stream) =>
      lpStream(stream).write(encodeCard({ ...ann, request: request.text })),
    )
    request.text = text(node.peerId.toString())
    expect(await askCard(address)).toEqual(ann)
  })

  test('somebody else at the address is peer_unreachable', async () => {
    const node = await payee(() => ann)
    const wrong = { peerId: BOB, multiaddrs: node.address().multiaddrs }
    await expect(askCard(wrong)).rejects.toEqual(code('peer_unreachable'))
  })

  test('a peer that speaks of no cards is peer_unreachable', async () => {
    const { node, address } = await rogue(() => undefined)
    await node.unhandle(cardProtocol)
    await expect(askCard(address)).rejects.toEqual(code('peer_unreachable'))
  })

  test.each([
    ['no address', { peerId: ANN, multiaddrs: [] }],
    ['a closed port', { peerId: ANN, multiaddrs: ['/ip4/127.0.0.1/tcp/1'] }],
    ['no peer id', { peerId: 'ann', multiaddrs: ['/ip4/127.0.0.1/tcp/1'] }],
  ])('%s is peer_unreachable', async (_name, address) => {
    await expect(askCard(address)).rejects.toEqual(code('peer_unreachable'))
  })
})

describe('whoever asks is a stranger', () => {
  test('one that never closes its stream is cut off in time', async () => {
    const address = (await payee(() => ann, { limits: { cardMs: 200 } })).address()
    const stream = await (await connectTo((await rogue()).node, address)).newStream(cardProtocol)
    expect(decodeCard((await lpStream(stream).read()).slice(), ANN)).toEqual(ann)
    expect(await end(stream)).toBe('reset')
    expect(await askCard(address)).toEqual(ann)
  })

  test('one that sends without end is cut off, and others are not', async () => {
    const address = (await payee(() => ann)).address()
    const stream = await (await connectTo((await rogue()).node, address)).newStream(cardProtocol)
    for (let index = 0; index < 4; index++) stream.send(new Uint8Array(4_096))
    expect(await end(stream)).toBe('reset')
    expect(await askCard(address)).toEqual(ann)
  })

  test('one connection has one card at a time, and payments beside it', async () => {
    const address = (await payee(() => ann)).address()
    const connection = await connectTo((await rogue()).node, address)
    const first = await connection.newStream(cardProtocol)
    expect(await end(await connection.newStream(cardProtocol))).toBe('reset')
    expect(first.status).toBe('open')
    const frames = lpStream(await connection.newStream(payProtocol))
    await frames.write(Uint8Array.of(7))
    expect((await frames.read()).slice()).toEqual(Uint8Array.of(7))
  })

  test('a connection on which cards are asked for is closed like an idle one', async () => {
    const address = (await payee(() => ann, { limits: { idleMs: 50 } })).address()
    const connection = await connectTo((await rogue()).node, address)
    await connection.newStream(cardProtocol)
    if (connection.status === 'open')
      await new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }))
  })
})

describe('the book of cards', () => {
  type Ask = { readonly peerId: string; readonly host: string; answer(card?: Card): void; fail(): void }

  const at = (name: string, host: number | string = name): PeerAddress => ({
    peerId: name,
    multiaddrs: [`/ip4/${typeof host === 'string' ? host : `10.0.0.${host}`}/tcp/1`],
  })
  const named = (name: string): Card => ({ ...ann, name })
  /** All that is settled has been told. */
  const settle = () => vi.advanceTimersByTimeAsync(0)
  const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

  /** A book whose questions the test answers. */
  function book() {
    const open: Ask[] = []
    const asked: string[] = []
    const changes = { count: 0 }
    const created = createCardBook({
      ask: (address, signal) =>
        new Promise((resolve, reject) => {
          const over = (): void => void open.splice(open.indexOf(one), 1)
          const fail = (): void => {
            over()
            reject(new AppError('peer_unreachable', 'no answer'))
          }
          const answer = (card = named(address.peerId)): void => {
            over()
            resolve(card)
          }
          const one = { peerId: address.peerId, host: address.multiaddrs[0]?.split('/')[2] ?? '', answer, fail }
          open.push(one)
          asked.push(address.peerId)
          signal.addEventListener('abort', fail)
        }),
      onChange: () => changes.count++,
    })
    cleanups.push(() => created.stop())
    const cards = () => created.list().map(({ address, card }) => `${address.peerId}: ${card?.name ?? '?'}`)
    const hear = ({ peerId, multiaddrs: [multiaddr = ''] }: PeerAddress, ttlSeconds = 120): boolean =>
      created.hear({ peerId, multiaddr, ttlSeconds }, multiaddr.split('/')[2] ?? '')
    return { ...created, hear, open, asked, changes, cards }
  }

  beforeEach(() => {
    vi.useFakeTimers()
    cleanups.push(async () => vi.useRealTimers())
  })

  test('a payee is listed at once, asked once, and named when it answers', async () => {
    const { hear, cards, open, asked, changes } = book()
    hear(at('ann'))
    await pass(100)
    expect(cards()).toEqual(['ann: ?'])
    open[0]!.answer()
    await settle()
    expect(cards()).toEqual(['ann: ann'])
    expect(changes.count).toBe(2)
    await pass(29_000)
    expect(asked).toEqual(['ann'])
  })

  test('a card is asked for again every thirty seconds, and only what is new is told', async () => {
    const { hear, cards, open, asked, changes } = book()
    hear(at('ann'))
    await pass(100)
    for (const name of ['ann', 'ann', 'ann & bob']) {
      open[0]!.answer(named(name))
      await pass(30_100)
    }
    expect(asked).toHaveLength(4)
    expect(cards()).toEqual(['ann: ann & bob'])
    expect(changes.count).toBe(3)
  })

  test('a payee that does not answer is asked three times more, then as seldom as others, and listed at first only', async () => {
    const { hear, open, asked, changes, cards } = book()
    hear(at('ann'))
    await pass(100)
    const asksAt: number[] = []
    for (let second = 0; second <= 70; second++) {
      if (open.length > 0) asksAt.push(second)
      expect(cards()).toEqual(second === 0 ? ['ann: ?'] : [])
      for (const one of [...open]) one.fail()
      await pass(1_000)
    }
    expect(asksAt).toEqual([0, 1, 3, 7, 37, 67])
    expect(asked).toHaveLength(6)
    expect(changes.count).toBe(2)
  })

  test('a card stays while its payee is asked again, and goes when it no longer answers', async () => {
    const { hear, cards, open } = book()
    hear(at('ann'))
    await pass(100)
    open[0]!.answer()
    await pass(30_100)
    for (const wait of [1_100, 2_100, 4_100]) {
      open[0]!.fail()
      await pass(wait)
      expect(cards()).toEqual(['ann: ann'])
    }
    open[0]!.fail()
    await settle()
    expect(cards()).toEqual([])
    hear(at('ann'))
    await pass(600)
    open[0]!.answer()
    await settle()
    expect(cards()).toEqual(['ann: ann'])
  })

  test('a payee that takes its leave is gone when it no longer answers', async () => {
    const { hear, cards, open, asked } = book()
    hear(at('ann'))
    await pass(100)
    open[0]!.answer()
    await pass(5_000)
    hear(at('ann'), 0)
    hear(at('nobody'), 0)
    await pass(100)
    open[0]!.fail()
    await pass(1_100)
    open[0]!.fail()
    await pass(120_000)
    expect(cards()).toEqual([])
    expect(asked).toEqual(['ann', 'ann', 'ann'])
  })

  test('a payee on two links is listed once, with both addresses and the newest card', async () => {
    const { hear, cards, open, list } = book()
    hear(at('ann', 1))
    hear(at('ann', 2))
    await pass(100)
    open[0]!.answer()
    await settle()
    expect(list()).toEqual([{ address: at('ann', 1), card: named('ann') }])
    open[0]!.answer(named('Ann'))
    await settle()
    expect(cards()).toEqual(['ann: Ann'])
    expect(list()[0]!.address.multiaddrs).toEqual(['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1'])
  })

  test('an address that did not answer is nobody’s', async () => {
    const { hear, open, list } = book()
    hear(at('ann', 1))
    await pass(100)
    open[0]!.answer()
    await pass(500)
    for (let host = 2; host < 50; host++) hear(at('ann', host))
    for (let step = 0; step < 100; step++) {
      for (const one of [...open]) one.fail()
      await pass(100)
    }
    expect(list()).toEqual([{ address: at('ann', 1), card: named('ann') }])
  })

  test('eight are asked at a time, the others in their turn', async () => {
    const { hear, open, asked, cards } = book()
    for (let index = 0; index < 24; index++) hear(at(`p${index}`, index))
    await pass(100)
    expect(open).toHaveLength(8)
    for (let round = 1; round <= 3; round++) {
      for (const one of [...open]) one.answer()
      await pass(600)
      expect(asked).toHaveLength(Math.min(24, 8 * (round + 1)))
    }
    expect(cards()).toEqual(Array.from({ length: 24 }, (_, index) => `p${index}: p${index}`))
  })

  test('a silent host with eight payees holds up only itself', async () => {
    const { hear, open, asked, cards } = book()
    for (let index = 0; index < 8; index++) hear(at(`silent${index}`, 66))
    for (let index = 0; index < 9; index++) hear(at(`p${index}`, index))
    await pass(100)
    expect(asked).toEqual(['silent0', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6'])
    for (let round = 0; round < 2; round++) {
      for (const one of open.filter(({ peerId }) => peerId.startsWith('p'))) one.answer()
      await pass(600)
    }
    expect(cards()).toEqual([...Array.from({ length: 9 }, (_, index) => `p${index}: p${index}`), 'silent0: ?'])
    expect(open.map(({ peerId }) => peerId)).toEqual(['silent0'])
  })

  test('whatever is announced, one host is asked twice a second at most, all together sixteen times', async () => {
    const { hear, open, asked } = book()
    for (let step = 0; step < 1_000; step++) {
      for (let host = 0; host < 12; host++) hear(at(`p${host}.${step}`, host))
      for (const one of [...open]) one.fail()
      await pass(10)
    }
    expect(asked.length).toBeGreaterThan(130)
    expect(asked.length).toBeLessThanOrEqual(168)
    for (let host = 0; host < 12; host++)
      expect(asked.filter((id) => id.startsWith(`p${host}.`)).length).toBeLessThanOrEqual(21)
  })

  test('nobody who answers waits for those that do not, nor gives its place to them', async () => {
    const { hear, open, asked, cards } = book()
    hear(at('ann', '10.9.9.9'))
    await pass(100)
    open[0]!.answer()
    for (let step = 0; step < 700; step++) {
      for (let host = 0; host < 20; host++) hear(at(`p${step}`, host))
      hear(at(`q${step}`, '10.9.9.9'))
      hear(at('ann', '10.9.9.9'), 0)
      await pass(100)
      for (const one of open.filter(({ peerId }) => peerId === 'ann')) one.answer()
      // The others take as long as they may.
      if (step % 30 === 0) for (const one of [...open]) one.fail()
      expect(cards()[0]).toBe('ann: ann')
    }
    const times = asked.filter((id) => id === 'ann').length
    expect(times).toBeGreaterThan(15)
    expect(times).toBeLessThan(40)
  })

  test('after the end nothing is asked, listed or waited for', async () => {
    const { hear, stop, open, asked, cards } = book()
    hear(at('ann', 1))
    hear(at('bob', 2))
    await pass(100)
    open[0]!.answer()
    await settle()
    await stop()
    hear(at('carol', 3))
    await pass(120_000)
    expect(cards()).toEqual([])
    expect(open).toEqual([])
    expect(asked).toEqual(['ann', 'bob'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a market with strangers', () => {
  test('every honest payee is named, whoever else announces himself', async () => {
    const honest = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        payee(() => ({ ...ann, name: `stall ${index}` }), { peerKeySeed: new Uint8Array(32).fill(100 + index) }),
      ),
    )
    const silent = await silentPort()
    const strangers = [
      { peerId: ANN, multiaddrs: [`/ip4/127.0.0.1/tcp/${silent}`] },
      { peerId: BOB, multiaddrs: ['/ip4/127.0.0.1/tcp/1'] },
      (await rogue(() => undefined)).address,
      (await rogue((stream) => lpStream(stream).write(new Uint8Array(4_097)))).address,
      (await rogue((stream) => lpStream(stream).write(new Uint8Array(64)))).address,
      (await payee(() => null, { peerKeySeed: new Uint8Array(32).fill(99) })).address(),
    ]
    // Each stands for a host of its own; all are on this one.
    const real = new Map([...strangers, ...honest.map((node) => node.address())].map((one) => [one.peerId, one]))
    const changed = Promise.withResolvers<void>()
    const book = createCardBook({
      ask: ({ peerId }, signal) => askCard(real.get(peerId)!, { signal }),
      onChange: () => {
        if (book.list().filter(({ card }) => card !== null).length === honest.length) changed.resolve()
      },
    })
    cleanups.push(() => book.stop())
    for (const [index, peerId] of [...real.keys()].entries()) {
      const host = `10.0.0.${index + 1}`
      book.hear({ peerId, multiaddr: `/ip4/${host}/tcp/4001`, ttlSeconds: 120 }, host)
    }
    await changed.promise
    const names = book.list().flatMap(({ card }) => card?.name ?? [])
    expect(new Set(names)).toEqual(new Set(honest.map((_, index) => `stall ${index}`)))
  })
})
