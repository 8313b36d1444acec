// Finding a payee on a local network: what is believed of a packet, and the real thing in network namespaces without a
// default route (Linux, root).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import multicastDns, { type MulticastDNS, type ResponsePacket } from 'multicast-dns'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { announceOnLan, findOnLan, type LanActivity } from '../electron/net/lan-discovery.ts'
import { announcementRecords, lanService, readAnnouncement } from '../electron/net/lan-record.ts'
import { createLanTable } from '../electron/net/lan-table.ts'
import type { PeerAddress } from '../electron/wallet/ports.ts'

const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'
const HOST = '10.1.2.3'

describe('what is believed of a packet', () => {
  type Records = ReturnType<typeof announcementRecords>
  const packet = (answers: Records, additionals: Records = []): ResponsePacket =>
    ({ type: 'response', questions: [], answers, authorities: [], additionals }) as unknown as ResponsePacket
  const good = announcementRecords({ peerId: ANN, host: HOST, port: 4001 }, 120)
  const [pointer, text] = good as [Records[number], Records[number]]
  const lines = (...data: (string | Buffer)[]): ResponsePacket =>
    packet([pointer, { ...text, data } as Records[number]])
  const believed = { peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/4001`], ttlSeconds: 120 }
  const address = `dnsaddr=/ip4/${HOST}/tcp/4001/p2p/${ANN}`
  const payee = 'farthing=pay/1.0.0'

  test.each([
    ['as it is sent here', packet(good)],
    ['with the text among the additional records, as the libp2p specification has it', packet([pointer], [text])],
    ['with an address twice', lines(address, address, payee)],
    ['with other text around', lines('x', Buffer.from(address), Buffer.from(payee), Buffer.from([0xff, 0]))],
    ['with a longer life than allowed', packet(good.map((record) => ({ ...record, ttl: 2 ** 31 }) as Records[number]))],
  ])('a payee is believed %s', (_name, received) => {
    expect(readAnnouncement(received, HOST)).toEqual(believed)
  })

  test.each([
    ['nothing', packet([])],
    ['no pointer', packet([text])],
    ['a pointer of another service', packet([{ ...pointer, name: '_http._tcp.local' }, text])],
    ['a pointer to another instance', packet([{ ...pointer, data: `other.${lanService}` } as Records[number], text])],
    ['no text', packet([pointer])],
    ['empty text', lines()],
    ['another libp2p node than a payee', lines(address)],
    ['a payee without an address', lines(payee)],
    ['the address of somebody else', lines(payee, `dnsaddr=/ip4/10.1.2.4/tcp/4001/p2p/${ANN}`)],
    ['an address of somebody else beside its own', lines(payee, address, `dnsaddr=/ip4/8.8.8.8/tcp/80/p2p/${ANN}`)],
    ['two payees', lines(payee, address, `dnsaddr=/ip4/${HOST}/tcp/4001/p2p/${BOB}`)],
    ['five addresses', lines(payee, ...[1, 2, 3, 4, 5].map((port) => `dnsaddr=/ip4/${HOST}/tcp/${port}/p2p/${ANN}`))],
    ['port 0', lines(payee, `dnsaddr=/ip4/${HOST}/tcp/0/p2p/${ANN}`)],
    ['port 65536', lines(payee, `dnsaddr=/ip4/${HOST}/tcp/65536/p2p/${ANN}`)],
    ['an address without a peer id', lines(payee, `dnsaddr=/ip4/${HOST}/tcp/4001`)],
    ['a peer id that is no key', lines(payee, `dnsaddr=/ip4/${HOST}/tcp/4001/p2p/12D3KooW${'z'.repeat(44)}`)],
    ['a peer id of another kind', lines(payee, `dnsaddr=/ip4/${HOST}/tcp/4001/p2p/Qm${'a'.repeat(44)}`)],
    ['a host name', lines(payee, `dnsaddr=/dns4/example.com/tcp/4001/p2p/${ANN}`)],
    ['a relayed address', lines(payee, `${address}/p2p-circuit/p2p/${BOB}`)],
    ['more records than are read', packet([...Array.from({ length: 32 }, () => text), pointer])],
  ])('a packet with %s is not believed', (_name, received) => {
    expect(readAnnouncement(received, HOST)).toBeUndefined()
  })
})

describe('what is remembered', () => {
  const heard = (peerId: string, port = 1, ttlSeconds = 120) => ({
    peerId,
    multiaddrs: [`/ip4/${HOST}/tcp/${port}`],
    ttlSeconds,
  })

  function table() {
    vi.useFakeTimers()
    const events: (PeerAddress | string)[] = []
    const told: string[] = []
    const watcher = { onFound: (address: PeerAddress) => events.push(address), onLost: (id: string) => events.push(id) }
    return { events, told, ...createLanTable(watcher, (address, offence) => told.push(`${address} ${offence}`)) }
  }
  afterEach(() => {
    vi.useRealTimers()
  })

  test('a payee is found once, and lost when nothing renews it', () => {
    const { events, hear } = table()
    const found = { peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/1`] }
    hear(heard(ANN), HOST)
    vi.advanceTimersByTime(119_000)
    hear(heard(ANN), HOST)
    vi.advanceTimersByTime(119_000)
    expect(events).toEqual([found])
    vi.advanceTimersByTime(1_000)
    expect(events).toEqual([found, ANN])
  })

  test('a payee that takes its leave is lost at once', () => {
    const { events, hear } = table()
    hear(heard(ANN), HOST)
    hear(heard(ANN, 1, 0), HOST)
    expect(events.at(-1)).toBe(ANN)
    hear(heard(ANN, 1, 0), HOST)
    expect(events).toHaveLength(2)
  })

  test('a payee with another port, or on a second link, is told again with all its addresses', () => {
    const { events, hear } = table()
    hear(heard(ANN, 1), HOST)
    hear(heard(ANN, 2), HOST)
    hear({ ...heard(ANN), multiaddrs: ['/ip4/169.254.7.7/tcp/2'] }, '169.254.7.7')
    expect(events.slice(1)).toEqual([
      { peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/2`] },
      { peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/2`, '/ip4/169.254.7.7/tcp/2'] },
    ])
  })

  test('one sender is heard for eight payees, and others are still heard', () => {
    const { events, hear } = table()
    for (let index = 0; index < 50; index++) hear(heard(`peer ${index}`), HOST)
    expect(events).toHaveLength(8)
    hear(heard(ANN), '10.1.2.4')
    expect(events).toHaveLength(9)
  })

  test('a full table makes room for a sender that has fewer payees there than another, and tells whose flood it was', () => {
    const { events, told, hear } = table()
    hear(heard(ANN), HOST)
    for (let index = 0; index < 32 * 8; index++) hear(heard(`peer ${index}`), `sender ${index % 32}`)
    expect(events).toHaveLength(256)
    hear(heard(BOB), '10.1.2.4')
    const [lost, found] = events.slice(-2)
    expect(lost).toMatch(/^peer /)
    expect(found).toEqual({ peerId: BOB, multiaddrs: [`/ip4/${HOST}/tcp/1`] })
    expect(events).not.toContain(ANN)
    expect(told.at(-1)).toMatch(/^sender \d+ announces too many payees$/)
    hear(heard('another of the same'), '10.1.2.4')
    expect(events.at(-1)).toEqual(expect.objectContaining({ peerId: 'another of the same' }))
  })

  test('a flood from many senders is cut at 256 payees, and those that were there stay', () => {
    const { events, hear } = table()
    hear(heard(ANN), HOST)
    for (let index = 0; index < 1_000; index++) hear(heard(`peer ${index}`), `sender ${index}`)
    expect(events).toHaveLength(256)
    hear(heard(ANN, 2), HOST)
    expect(events.at(-1)).toEqual({ peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/2`] })
  })
})

describe('announcing and looking, on loopback', () => {
  const activities: LanActivity[] = []
  const observers: MulticastDNS[] = []
  let mdnsPort = 20_000 + (process.pid % 10_000)

  afterEach(async () => {
    for (const activity of activities.splice(0)) await activity.stop()
    for (const observer of observers.splice(0)) await new Promise<void>((resolve) => observer.destroy(resolve))
    mdnsPort++
  })

  const started = <T extends LanActivity>(activity: T): T => {
    activities.push(activity)
    return activity
  }
  const announce = (): LanActivity => started(announceOnLan({ peerId: ANN, port: 4001 }, { loopback: true, mdnsPort }))

  function look() {
    const found = Promise.withResolvers<PeerAddress>()
    const lost = Promise.withResolvers<string>()
    started(findOnLan({ onFound: found.resolve, onLost: lost.resolve }, { loopback: true, mdnsPort }))
    return { found: found.promise, lost: lost.promise }
  }

  async function observe(): Promise<MulticastDNS> {
    const observer = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0', port: mdnsPort })
    observers.push(observer)
    await once(observer, 'ready')
    return observer
  }

  const address = { peerId: ANN, multiaddrs: ['/ip4/127.0.0.1/tcp/4001'] }

  test('who looks first finds who announces later, and the other way round', async () => {
    const first = look()
    const announcer = announce()
    expect(await first.found).toEqual(address)
    const second = look()
    expect(await second.found).toEqual(address)
    await announcer.stop()
    expect(await Promise.all([first.lost, second.lost])).toEqual([ANN, ANN])
  })

  test('who only looks says nothing of itself', async () => {
    const observer = await observe()
    const heard: string[] = []
    observer.on('response', () => heard.push('response'))
    const asked = new Promise<unknown>((resolve) => observer.on('query', (query) => resolve(query.questions)))
    look()
    expect(await asked).toMatchObject([{ name: lanService, type: 'PTR' }])
    announce() // what an answer looks like, so that its absence means something
    await once(observer, 'response')
    expect(heard).toEqual(['response'])
  })

  test('a flood of questions gets one answer in a second', async () => {
    const observer = await observe()
    const lives: (number | undefined)[] = []
    observer.on('response', ({ answers }) => {
      const [answer] = answers ?? []
      if (answer?.type === 'PTR') lives.push(answer.ttl)
    })
    const response = (): Promise<unknown> => once(observer, 'response')
    const announced = response()
    const announcer = announce()
    await announced
    const answered = response()
    for (let index = 0; index < 50; index++) observer.query(lanService, 'PTR')
    await answered
    const goodbye = response()
    await announcer.stop()
    await goodbye
    expect(lives).toEqual([120, 120, 0])
  })

  test('packets that are none, or bombs, do not stop who looks or announces', async () => {
    const looking = look()
    const announcer = announce()
    await looking.found
    const header = (counts: number[]): Buffer => {
      const bytes = Buffer.alloc(12)
      bytes.writeUInt16BE(0x8400, 2)
      counts.forEach((count, index) => void bytes.writeUInt16BE(count, 4 + 2 * index))
      return bytes
    }
    const hostile = [
      Buffer.alloc(0),
      Buffer.from('not DNS at all'),
      header([0, 0xffff, 0xffff, 0xffff]),
      Buffer.concat([header([1, 0, 0, 0]), Buffer.from([0xc0, 0x0c, 0, 12, 0, 1])]), // a name that points to itself
      Buffer.concat([header([0, 1, 0, 0]), Buffer.from([0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 4, 200, 1, 2, 3])]), // text cut off
      Buffer.alloc(60_000, 0xff),
    ]
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.setMulticastInterface('127.0.0.1')
    for (const bytes of hostile) {
      await new Promise<void>((resolve, reject) =>
        socket.send(bytes, mdnsPort, '224.0.0.251', (error) => (error ? reject(error) : resolve())),
      )
    }
    socket.close()
    expect(await look().found).toEqual(address)
    await announcer.stop()
    expect(await looking.lost).toBe(ANN)
  })
})

const namespaces = whyNoNamespaces()
const required = process.env['FARTHING_REQUIRE_NETNS'] === '1'
if (namespaces !== undefined && !required) console.warn(`SKIPPED: payments on a LAN without a route (${namespaces})`)

describe.skipIf(namespaces !== undefined && !required)('on a LAN with no default route and no internet', () => {
  const payeeSide = `farthing-payee-${process.pid}`
  const payerSide = `farthing-payer-${process.pid}`
  const made: string[] = []
  const children: ChildProcess[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) await end(child, 'SIGKILL')
    for (const name of made.splice(0)) ip('netns', 'delete', name)
  })

  /** Two computers and a cable between them. */
  function cable(): void {
    for (const name of [payeeSide, payerSide]) {
      ip('netns', 'add', name)
      made.push(name)
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    ip('-n', payeeSide, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', payerSide)
  }

  function plugIn(side: string, address: string): void {
    ip('-n', side, 'address', 'add', address, 'dev', 'cable')
    ip('-n', side, 'link', 'set', 'cable', 'up')
    expect(ip('-n', side, 'route', 'show', 'default')).toBe('')
  }

  function start(side: string, role: string) {
    const script = fileURLToPath(new URL('lan-peer.ts', import.meta.url))
    const child = spawn('ip', ['netns', 'exec', side, process.execPath, script, role], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return {
      child,
      next: async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value ?? '{"event":"end"}'),
    }
  }

  async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  test.each([
    ['169.254.10.1', '169.254.200.2', 16],
    ['10.77.0.1', '10.77.0.2', 24],
  ])('a payer finds a payee at %s and pays it', async (payeeAddress, payerAddress, prefix) => {
    cable()
    plugIn(payeeSide, `${payeeAddress}/${prefix}`)
    plugIn(payerSide, `${payerAddress}/${prefix}`)
    const payee = start(payeeSide, 'payee')
    const ready = await payee.next()
    const payer = start(payerSide, 'payer')
    expect(await payer.next()).toEqual({ event: 'ready' })
    expect(await payer.next()).toEqual({ ...ready, event: 'found' })
    expect(await payer.next()).toEqual({
      event: 'paid',
      terms: `terms for hello from ${payerAddress}`,
      receipt: 'receipt for handover',
    })
    expect(ready['multiaddrs']).toEqual([expect.stringMatching(new RegExp(`^/ip4/${payeeAddress}/tcp/\\d+$`))])
  })

  test('a cable that is plugged in while both wait is noticed, and so is the leaving of the payee', async () => {
    cable()
    const payee = start(payeeSide, 'payee')
    const watcher = start(payerSide, 'watcher')
    const { peerId } = await payee.next()
    expect(await watcher.next()).toEqual({ event: 'ready' })
    plugIn(payeeSide, '169.254.10.1/16')
    plugIn(payerSide, '169.254.10.2/16')
    expect(await watcher.next()).toMatchObject({ event: 'found', peerId })
    await end(payee.child, 'SIGTERM')
    expect(await watcher.next()).toEqual({ event: 'lost', peerId })
  })
})

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

function whyNoNamespaces(): string | undefined {
  const name = `farthing-probe-${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'delete', name)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').join(' ') : 'no namespaces'
  }
}
