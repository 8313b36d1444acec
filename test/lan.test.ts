// Finding a payee on a local network: what is believed of a packet, and the real thing in network namespaces without a
// default route (Linux, root).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import multicastDns, { type MulticastDNS, type ResponsePacket } from 'multicast-dns'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { announceOnLan, findOnLan, type LanActivity } from '../electron/net/lan-discovery.ts'
import { type Announcement, announcementRecords, lanService, readAnnouncement } from '../electron/net/lan-record.ts'
import { createLanTable } from '../electron/net/lan-table.ts'
import type { Card } from '../shared/card.ts'

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
  const believed = { peerId: ANN, multiaddr: `/ip4/${HOST}/tcp/4001`, ttlSeconds: 120 }
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
    ['two addresses', lines(payee, address, `dnsaddr=/ip4/${HOST}/tcp/4002/p2p/${ANN}`)],
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
  const card: Card = { name: 'Ann', payeeKey: new Uint8Array(33).fill(2), request: null }
  const heard = (peerId: string, host = HOST, port = 1, ttlSeconds = 120) => ({
    peerId,
    multiaddr: `/ip4/${host}/tcp/${port}`,
    ttlSeconds,
  })
  const nobodyIsBusy = () => false

  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function table() {
    const told: string[] = []
    const created = createLanTable((address, offence) => told.push(`${address} ${offence}`))
    const hear = (peerId: string, host = HOST, port = 1, ttlSeconds = 120): boolean =>
      created.hear(heard(peerId, host, port, ttlSeconds), host)
    const ask = (kind: 'proved' | 'unproved', answer: Card | null): string | undefined => {
      const next = created.next(kind, nobodyIsBusy)
      next?.finish(answer)
      return next?.entry.address.peerId
    }
    /** All that are due are asked. @returns whom, in which order */
    const askAll = (kind: 'proved' | 'unproved', answer: Card | null): readonly string[] => {
      const asked: string[] = []
      for (let id = ask(kind, answer); id !== undefined; id = ask(kind, answer)) asked.push(id)
      return asked
    }
    const prove = (peerId: string, host = HOST, port = 1): void => {
      hear(peerId, host, port)
      askAll('unproved', card)
    }
    const proved = () => created.proved().map(({ address }) => address.peerId)
    return { ...created, hear, askAll, prove, proved, told }
  }

  test('a payee is proved by its card, and kept for as long as it answers, announced or not', () => {
    const { hear, next, askAll, proved } = table()
    hear(ANN)
    expect(proved()).toEqual([])
    const ask = next('unproved', nobodyIsBusy)
    expect(ask?.entry.address).toEqual({ peerId: ANN, multiaddrs: [`/ip4/${HOST}/tcp/1`] })
    expect(ask?.finish(card)).toBe(true)
    for (let minute = 0; minute < 60; minute++) {
      vi.advanceTimersByTime(60_000)
      expect(askAll('proved', card)).toEqual([ANN])
    }
    expect(proved()).toEqual([ANN])
    for (const wait of [60_000, 1_000, 2_000, 4_000]) {
      expect(proved()).toEqual([ANN])
      vi.advanceTimersByTime(wait)
      expect(askAll('proved', null)).toEqual([ANN])
    }
    expect(proved()).toEqual([])
  })

  test('an announcement that nothing renews is forgotten', () => {
    const { hear, askAll } = table()
    hear(ANN)
    expect(askAll('unproved', null)).toEqual([ANN])
    vi.advanceTimersByTime(119_000)
    hear(ANN)
    vi.advanceTimersByTime(119_000)
    expect(askAll('unproved', null)).toEqual([ANN])
    vi.advanceTimersByTime(121_000)
    expect(askAll('unproved', null)).toEqual([])
  })

  test.each([
    ['leaves', (hear: ReturnType<typeof table>['hear']) => hear(ANN, HOST, 1, 0)],
    ['is at another port', (hear: ReturnType<typeof table>['hear']) => hear(ANN, HOST, 2)],
  ])('who says in the name of a proved payee that it %s has it asked again, once, and no more', (_name, say) => {
    const { hear, prove, proved, askAll, next } = table()
    prove(ANN)
    for (let index = 0; index < 100; index++) say(hear)
    expect(askAll('proved', card)).toEqual([])
    vi.advanceTimersByTime(2_000)
    expect(askAll('proved', card)).toEqual([ANN])
    expect(askAll('proved', card)).toEqual([])
    next('unproved', nobodyIsBusy)?.finish(null)
    expect(proved()).toEqual([ANN])
    expect(next('proved', nobodyIsBusy)).toBeUndefined()
  })

  test('a payee that leaves is gone when it no longer answers, a second later', () => {
    const { hear, prove, proved, askAll } = table()
    prove(ANN)
    vi.advanceTimersByTime(10_000)
    hear(ANN, HOST, 1, 0)
    expect(askAll('proved', null)).toEqual([ANN])
    vi.advanceTimersByTime(1_000)
    expect(askAll('proved', null)).toEqual([ANN])
    expect(proved()).toEqual([])
  })

  test('a payee that went to another port is proved there when it is gone from the first', () => {
    const { hear, prove, proved, askAll, next } = table()
    prove(ANN)
    vi.advanceTimersByTime(10_000)
    hear(ANN, HOST, 2)
    askAll('proved', null)
    vi.advanceTimersByTime(1_000)
    askAll('proved', null)
    expect(proved()).toEqual([])
    expect(next('unproved', nobodyIsBusy)?.finish(card)).toBe(true)
    expect(proved()).toEqual([ANN])
  })

  test('no announcement takes the place of a proved entry, whoever it names', () => {
    const { hear, prove, proved } = table()
    for (let index = 0; index < 8; index++) prove(`stall ${index}`)
    for (let index = 0; index < 5_000; index++) hear(`peer ${index}`, `10.9.${index >> 8}.${index & 255}`)
    for (let index = 0; index < 100; index++) hear(`peer ${index}`)
    expect(proved()).toEqual(Array.from({ length: 8 }, (_, index) => `stall ${index}`))
  })

  test('hosts are asked in turn, first those that never were', () => {
    const { hear, next, askAll } = table()
    const ask = () => next('unproved', nobodyIsBusy)
    for (const index of [1, 2, 3]) hear(`a${index}`, '10.0.0.1')
    hear('b', '10.0.0.2')
    const asks = [ask(), ask()]
    expect(asks.map((one) => one?.entry.address.peerId)).toEqual(['a1', 'b'])
    for (const one of asks) one?.finish(null)
    vi.advanceTimersByTime(10)
    hear('c', '10.0.0.3')
    expect(askAll('unproved', null)).toEqual(['c', 'a2', 'a3'])
  })

  test('a host that is busy is passed over', () => {
    const { hear, next } = table()
    hear('a', '10.0.0.1')
    hear('b', '10.0.0.2')
    expect(next('unproved', (host) => host === '10.0.0.1')?.entry.address.peerId).toBe('b')
  })

  test('a newcomer is asked after each of a thousand invented hosts was asked once, and they are no more than that', () => {
    const { hear, askAll } = table()
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 1_000; index++) hear(`${round} ${index}`, `10.9.${index >> 8}.${index & 255}`)
    }
    hear(ANN)
    const asked = askAll('unproved', null)
    expect(asked.indexOf(ANN)).toBe(1_000)
    for (let index = 0; index < 10_000; index++) hear(`x ${index}`, `10.9.${index >> 8}.${index & 255}`)
    expect(askAll('unproved', null).length).toBeLessThanOrEqual(8 * 1_024)
  })

  test('eight unproved are kept for one host; who announces himself again and again is among them now and then', () => {
    const { hear, next, told, askAll } = table()
    let asks = 0
    for (let isFound = false; !isFound && asks < 2_000; asks++) {
      for (let index = 0; index < 5; index++) hear(`peer ${asks} ${index}`)
      if (asks % 2 === 0) hear(ANN)
      const ask = next('unproved', nobodyIsBusy)
      isFound = ask?.entry.address.peerId === ANN
      ask?.finish(null)
      vi.advanceTimersByTime(500)
    }
    expect(asks).toBeLessThan(2_000)
    expect(askAll('unproved', null).length).toBeLessThanOrEqual(8)
    expect(new Set(told)).toEqual(new Set([`${HOST} is named by too many announcements`]))
  })

  test('who tells it learns when another had to make room', () => {
    const { hear } = table()
    for (let index = 0; index < 8; index++) expect(hear(`peer ${index}`)).toBe(true)
    expect(hear('peer 1')).toBe(true)
    expect(hear('peer 8')).toBe(false)
    for (let index = 1; index < 1_024; index++) expect(hear('one', `10.9.${index >> 8}.${index & 255}`)).toBe(true)
    expect(hear('one', '10.9.9.9')).toBe(false)
  })

  test('a host has eight proved payees at the most, and sixty-four are kept', () => {
    const { prove, proved, told } = table()
    for (let index = 0; index < 9; index++) prove(`peer ${index}`)
    expect(proved()).toHaveLength(8)
    expect(told).toEqual([`${HOST} announces too many payees`])
    for (let index = 0; index < 100; index++) prove('one', `10.9.9.${index}`)
    expect(proved()).toHaveLength(64)
  })

  test('among the proved, room is made for a host that has fewer of them than another', () => {
    const { prove, proved, told } = table()
    prove(ANN)
    for (let index = 0; index < 8 * 8; index++) prove(`peer ${index}`, `10.9.9.${index % 8}`)
    expect(proved()).toHaveLength(64)
    prove(BOB, '10.1.2.4')
    expect(proved()).toHaveLength(64)
    expect(proved()).toContain(ANN)
    expect(proved().at(-1)).toBe(BOB)
    expect(told.at(-1)).toMatch(/^10\.9\.9\.\d announces too many payees$/)
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
    const found = Promise.withResolvers<Announcement>()
    const lost = Promise.withResolvers<string>()
    const hear = (announcement: Announcement): boolean => {
      if (announcement.ttlSeconds === 0) lost.resolve(announcement.peerId)
      else found.resolve(announcement)
      return true
    }
    started(findOnLan({ hear }, { loopback: true, mdnsPort }))
    return { found: found.promise, lost: lost.promise }
  }

  async function observe(): Promise<MulticastDNS> {
    const observer = multicastDns({ interface: '127.0.0.1', bind: '0.0.0.0', port: mdnsPort })
    observers.push(observer)
    await once(observer, 'ready')
    return observer
  }

  const address = { peerId: ANN, multiaddr: '/ip4/127.0.0.1/tcp/4001', ttlSeconds: 120 }

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

  test('while announcements push each other out, the question is asked every second', async () => {
    const observer = await observe()
    const seconds = new Set<number>()
    observer.on('query', () => seconds.add(Math.round(performance.now() / 1_000)))
    started(findOnLan({ hear: () => false }, { loopback: true, mdnsPort }))
    announce()
    await vi.waitFor(() => expect(seconds.size).toBeGreaterThan(3))
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
