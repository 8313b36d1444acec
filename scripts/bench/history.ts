// A wallet with a long past: final payments in both directions, rows as large as real ones, written by the store itself.

import { randomBytes } from 'node:crypto'
import { startApp } from '../../electron/app.ts'
import { plainSealer } from '../../electron/sealing.ts'
import type { OperationIn } from '../../electron/wallet/operation.ts'
import { openWallet, systemClock } from '../../electron/wallet-folder.ts'
import { encodeBody, receiptSchema } from '../../shared/messages.ts'

const names = ['Bäckerei Holm', 'Käse-Krüger', 'Aoife Byrne', 'Jonas Klee', 'Hafencafé', 'Tomás Herrera', 'Mira Sand']
const notes = ['Two loaves', 'Half the pizza', 'Tickets for Sunday', 'Bicycle lamp', 'Cinema', 'Olives', null]
const coinsEach = 7
const hourMs = 3_600_000

const hex = (length: number): string => randomBytes(length).toString('hex')
const point = (): string => `02${hex(32)}`

/**
 * Fill a new data folder with `count` final payments, the newest an hour ago. Looks of keys are stored, as they are when a
 * payment is made. @returns when the folder is closed again
 */
export async function writeHistory(folder: string, count: number): Promise<void> {
  const wallet = await openWallet({ folder, config: {}, sealer: plainSealer, emit: () => {}, report: () => {} })
  const { store } = wallet
  const keys = names.map(point)
  const now = systemClock.now()
  store.transaction((write) => {
    const mint = { name: 'Farthing practice mint (play money)', version: 'Farthing/0', offlineCapable: true }
    // Nobody answers at this address: a wallet starts at a stall, without its mint.
    write.insertMint({ ...mint, url: 'http://127.0.0.1:9', lastReachedAt: now, alarm: null })
    write.setMeta('profile/begun', true)
  })
  for (let start = 0; start < count; start += 200) {
    store.transaction((write) => {
      for (let index = start; index < Math.min(count, start + 200); index++) {
        const at = now - (count - index) * hourMs
        write.insertOperation(index % 3 === 0 ? received(index, at) : paid(index, at, keys[index % keys.length] ?? ''))
      }
    })
  }
  wallet.close()
  const app = await startApp({ folder, listenHost: '127.0.0.1', onEvent: () => {}, log: () => {} })
  for (let before: number | undefined; ; ) {
    const page = await app.handlers['payments.page']({
      limit: 200,
      filter: 'all',
      ...(before === undefined ? {} : { before }),
    })
    if (page.next === null) break
    before = page.next
  }
  await app.stop()
}

function base(index: number, at: number) {
  return {
    id: hex(16),
    account: 0,
    unit: 'sat',
    amount: 1 + ((index * 7919) % 5000),
    createdAt: at,
    updatedAt: at + 900,
    nextAttemptAt: null,
    attempts: 0,
    lastError: null,
    memo: notes[index % notes.length] ?? null,
    replaces: null,
  }
}

function paid(index: number, at: number, payeeKey: string): OperationIn<'pay', 'final'> {
  const inputs = Array.from({ length: coinsEach }, () => ({
    id: `01${hex(32)}`,
    amount: 64,
    secret: JSON.stringify(['P2PK', { nonce: hex(32), data: point(), tags: [['sigflag', 'SIG_ALL']] }]),
    C: point(),
    Y: point(),
  }))
  const outputs = Array.from({ length: 2 * coinsEach }, () => ({ amount: 32, B_: point() }))
  return {
    ...base(index, at),
    kind: 'pay',
    state: 'final',
    hello: hex(120),
    payee: { peerId: '12D3KooW', multiaddrs: ['/ip4/127.0.0.1/tcp/1'] },
    requestId: null,
    isSingleUse: false,
    expectedKey: payeeKey,
    terms: { body: hex(1200), sig: hex(64) },
    payeeName: names[index % names.length] ?? '',
    payeeKey,
    deadline: Math.floor(at / 1000) + 3600,
    swap: { inputs, outputs, signature: hex(64), digest: hex(32) },
    attempt: { keysetId: `01${hex(32)}`, body: hex(2000) },
    reading: null,
    refusedSince: null,
    pendingSince: null,
    fee: 0,
    change: 0,
    handover: hex(3000),
    claim: { body: hex(600), sig: hex(64) },
    handedOver: true,
    receipt: receipt(at),
    grade: 'final',
    settleAt: null,
    refusal: null,
    answeredInMs: 40,
    reclaim: null,
    replacedBy: null,
    settledHandover: hex(600),
  }
}

function received(index: number, at: number): OperationIn<'receive', 'final'> {
  return {
    ...base(index, at),
    kind: 'receive',
    state: 'final',
    payerPeer: hex(38),
    payerAddress: '10.0.0.8',
    paymentId: hex(16),
    helloHash: hex(32),
    requestId: null,
    terms: { body: hex(1200), sig: hex(64) },
    termsHash: hex(32),
    outputs: Array.from({ length: coinsEach }, () => ({ amount: 32, B_: point() })),
    deadline: Math.floor(at / 1000) + 3600,
    receipt: receipt(at),
    handoverHash: hex(32),
    claim: { body: hex(600), sig: hex(64) },
  }
}

function receipt(at: number) {
  const body = encodeBody(receiptSchema, { termsHash: randomBytes(32), grade: 'final', at: Math.floor(at / 1000) })
  return { body: Buffer.from(body).toString('hex'), sig: hex(64) }
}
