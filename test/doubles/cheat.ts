// A test double: a payer that ignores its own records. It spends coins that it handed over already, and gets a payee's
// output signed elsewhere. Same engine, same wire, same process channel as an honest wallet; only its store lies to it.

import { setTimeout as waitFor } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { plainSealer } from '../../electron/sealing.ts'
import { feePaid, paymentView, withdrawView } from '../../electron/views.ts'
import type { WalletStore } from '../../electron/wallet/store-port.ts'
import { openWallet } from '../../electron/wallet-folder.ts'
import { hexToBytes } from '../../shared/cashu/numbers.ts'
import { toErrorReply } from '../../shared/ipc.ts'
import { decodeBody, termsSchema } from '../../shared/messages.ts'
import { decodeRequest } from '../../shared/request.ts'

/** Coins that were handed over look spendable again. */
function forgetful(store: WalletStore): WalletStore {
  const { read } = store
  return {
    ...store,
    read: {
      ...read,
      coins: (account, unit, state) =>
        state === 'spendable'
          ? [...read.coins(account, unit, 'spendable'), ...read.coins(account, unit, 'handed_over')]
          : read.coins(account, unit, state),
    },
    transaction: (work) =>
      store.transaction((write) =>
        work({
          ...write,
          moveCoins: (account, Ys, from, to, operationId) =>
            write.moveCoins(account, Ys, [...from, 'spendable', 'reserved', 'handed_over', 'spent'], to, operationId),
        }),
      ),
  }
}

const { values } = parseArgs({
  strict: false,
  options: {
    data: { type: 'string' },
    'offline-capable': { type: 'string', multiple: true },
    tuning: { type: 'string' },
  },
})
const trusted = new Set(values['offline-capable'] ?? [])
const { tickMs, ...tuning } = JSON.parse(String(values.tuning))
const { engine, store } = await openWallet({
  folder: String(values.data),
  sealer: plainSealer,
  // It does not re-key: that would spend what it wants to spend twice.
  config: { ...tuning, refreshDelayMs: [1e9, 1e9], trustOffline: (url) => trusted.has(url) },
  wrapStore: forgetful,
  verifyCoins: async () => [],
  emit: () => {},
  report: (error) => process.stderr.write(`cheat: ${error.code} ${error.message}\n`),
})
engine.runner.start()
setInterval(() => void engine.tick(), tickMs)

const mint = () => store.read.mints()[0]!
const view = (id: string) => {
  const operation = store.read.operation(id)!
  return operation.kind === 'withdraw'
    ? withdrawView(operation, '')
    : paymentView(operation as never, { mintUrl: '', now: Date.now(), payee: null, reclaim: 'no' })
}

async function prepare(text: string): Promise<string> {
  const request = decodeRequest(text)
  const preview = await engine.preparePay({
    account: mint().account,
    unit: request.unit,
    amount: request.amount!,
    payee: { peerId: request.peerId, multiaddrs: request.multiaddrs },
    expectedKey: request.payeeKey,
    requestId: request.id ?? null,
    isSingleUse: request.singleUse,
    memo: null,
  })
  return preview.id
}

/** Buy a signature of one unit on the largest output that the payee's Terms ask for. */
async function signElsewhere(id: string): Promise<void> {
  const operation = store.read.operation(id)!
  if (operation.kind !== 'pay' || operation.state !== 'agreed') throw new Error('no Terms')
  const { outputs } = decodeBody(termsSchema, hexToBytes(operation.terms.body))
  const B_ = Buffer.from(outputs.at(-1)![1]).toString('hex')
  const keyset = store.read.keysets(mint().account).find(({ active, unit }) => active && unit === operation.unit)!
  const client = engine.mints.client(mint().account)
  const quote = await client.requestMintQuote(1, operation.unit)
  if (quote.kind !== 'ok') throw new Error('no quote')
  for (let state = ''; state !== 'PAID'; ) {
    await waitFor(100)
    const answer = await client.mintQuote(quote.value.quote)
    if (answer.kind === 'ok') state = answer.value.state
  }
  const body = { quote: quote.value.quote, outputs: [{ amount: 1, id: keyset.id, B_ }] }
  const issued = await client.issue(JSON.stringify(body))
  if (issued.kind !== 'ok') throw new Error('not issued')
}

type Input = { url: string; unit: string; amount: number; id: string; request: string }

const commands: Record<string, (input: Input) => Promise<unknown>> = {
  'mints.add': async ({ url }) => (await engine.mints.add(url)).url,
  'mints.sync': async () => engine.tick(),
  'withdraw.start': async ({ unit, amount }) => view(engine.withdraw(mint().account, unit, amount)),
  'withdraw.get': async ({ id }) => view(id),
  'pay.prepare': async ({ request }) => ({ id: await prepare(request) }),
  'pay.confirm': async ({ id }) => {
    await engine.confirmPay(id)
    return view(id)
  },
  'payments.get': async ({ id }) => view(id),
  'cheat.signElsewhere': async ({ id }) => signElsewhere(id),
  'audit.totals': async () => {
    const unit = store.read.keysets(mint().account)[0]!.unit
    const { spendable, reserved, handed_over, quarantined } = store.read.totals(mint().account, unit)
    const feesPaid = store.read.operations({}).reduce((sum, operation) => sum + feePaid(operation), 0)
    const held = { spendable, reserved, handedOver: handed_over, resting: quarantined }
    return [{ unit, ...held, feesPaid, cashedOut: 0, openOperations: 0 }]
  },
}

process.on('message', async ({ id, command, input }: { id: number; command: string; input: Input }) => {
  try {
    process.send!({ id, reply: { ok: true, value: await commands[command]!(input) } })
  } catch (error) {
    process.send!({ id, reply: { ok: false, error: toErrorReply(error) } })
  }
})
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
process.send!({ ready: true })
