// The payee's process of the payment bench: an ordinary wallet whose verifier and transactions are timed.

import { performance } from 'node:perf_hooks'
import { startPayeeNode } from '../../electron/net/peer-node.ts'
import { plainSealer } from '../../electron/sealing.ts'
import { openWallet, verifyInTurns } from '../../electron/wallet-folder.ts'
import { encodeRequest } from '../../shared/request.ts'
import type { PayeeTimes } from './payment.ts'

const [folder = '', mintUrl = ''] = process.argv.slice(2)
let verificationMs = 0
let diskMs = 0
let last: PayeeTimes = { verificationMs: 0, diskMs: 0, wholeMs: 0 }

const { engine, peerKeySeed } = await openWallet({
  folder,
  sealer: plainSealer,
  config: { limits: { single: 1e9, total: 1e9, perHour: 1e9 }, refreshDelayMs: [1e9, 1e9] },
  emit: () => {},
  report: (error) => console.error(error),
  wrapStore: (store) => ({
    ...store,
    transaction: (work) => {
      const before = performance.now()
      try {
        return store.transaction(work)
      } finally {
        diskMs += performance.now() - before
      }
    },
  }),
  verifyCoins: async (coins) => {
    const before = performance.now()
    try {
      return await verifyInTurns(coins)
    } finally {
      verificationMs += performance.now() - before
    }
  },
})
const mint = await engine.mints.add(mintUrl)
const node = await startPayeeNode({
  peerKeySeed,
  host: '127.0.0.1',
  limits: { connectionRate: 1000, paymentRate: { burst: 1e6, perSecond: 1e6 } },
  protocol: {
    onHello: (frame, from) => engine.payee.onHello(frame, from),
    onHandover: async (frame, from) => {
      verificationMs = 0
      diskMs = 0
      const before = performance.now()
      const answer = await engine.payee.onHandover(frame, from)
      last = { verificationMs, diskMs, wholeMs: performance.now() - before }
      return answer
    },
  },
})

process.on('message', async ({ command }: { command: string }) => {
  if (command === 'sync') await engine.tick()
  const { id, payeeKey } = engine.createRequest({ account: mint.account, unit: 'sat', amount: null, singleUse: true })
  const { peerId, multiaddrs } = node.address()
  const common = { unit: 'sat', mints: [mint.url], singleUse: true, peerId, multiaddrs: [...multiaddrs], payeeKey }
  process.send?.({ request: encodeRequest({ ...common, ...(id === undefined ? {} : { id }) }), times: last })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
