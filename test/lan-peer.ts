// One side of a payment on a LAN, as a process of its own: `payee`, `payer` or `watcher`. Says what happens in JSON lines.

import { announceOnLan, findOnLan } from '../electron/net/lan-discovery.ts'
import { createPeerDialer, startPayeeNode } from '../electron/net/peer-node.ts'
import type { PeerAddress } from '../electron/wallet/ports.ts'

const say = (event: string, details: object = {}): void => console.log(JSON.stringify({ event, ...details }))
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const asked = (): Promise<unknown> => new Promise((resolve) => process.once('SIGTERM', resolve))

async function payee(): Promise<void> {
  const node = await startPayeeNode({
    peerKeySeed: new Uint8Array(32).fill(7),
    protocol: {
      onHello: async (frame, from) => encode(`terms for ${decode(frame)} from ${from.address}`),
      onHandover: async (frame) => encode(`receipt for ${decode(frame)}`),
    },
  })
  const announced = announceOnLan(node)
  say('ready', node.address())
  await asked()
  await announced.stop()
  await node.stop()
}

async function payer(): Promise<void> {
  const found = Promise.withResolvers<PeerAddress>()
  const looking = findOnLan({
    hear: ({ peerId, multiaddr }) => {
      found.resolve({ peerId, multiaddrs: [multiaddr] })
      return true
    },
  })
  say('ready')
  const address = await found.promise
  say('found', address)
  const session = await createPeerDialer()(address, new Uint8Array(32).fill(8))
  const terms = decode(await session.exchange(encode('hello'), 5_000))
  const receipt = decode(await session.exchange(encode('handover'), 5_000))
  say('paid', { terms, receipt })
  await session.close()
  await looking.stop()
}

async function watcher(): Promise<void> {
  const heard = new Set<string>()
  const looking = findOnLan({
    hear: ({ peerId, ttlSeconds }) => {
      const event = ttlSeconds === 0 ? 'lost' : 'found'
      if (!heard.has(event)) say(event, { peerId })
      heard.add(event)
      return true
    },
  })
  say('ready')
  await asked()
  await looking.stop()
}

const roles: Record<string, () => Promise<void>> = { payee, payer, watcher }
await roles[process.argv[2] ?? '']?.()
