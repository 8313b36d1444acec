// How long a payee takes from Handover to Receipt: five coins, both offline, warm, real processes, libp2p over TCP,
// SQLite with fsync. The share of each part is measured in the payee's process and printed with the whole.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { plainSealer } from '../../electron/sealing.ts'
import { openWallet } from '../../electron/wallet-folder.ts'
import { decodeRequest } from '../../shared/request.ts'
import { startMint } from '../demo/processes.ts'
import { median } from './verify.ts'

export type PaymentResult = {
  readonly payments: number
  readonly medianMs: number
  readonly p99Ms: number
  /** Of the median payment's time: verifying coins, committing to disk, everything else at the payee, the net. */
  readonly share: {
    readonly verification: number
    readonly disk: number
    readonly otherAtPayee: number
    readonly network: number
  }
}

/** What the payee's process tells of one Handover it answered, in milliseconds. */
export type PayeeTimes = { readonly verificationMs: number; readonly diskMs: number; readonly wholeMs: number }

const unit = 'sat'
/** 1 + 2 + 4 + 8 + 16: five coins. */
const amount = 31
const warmUp = 5

export async function benchPayment(rounds: number, say: (line: string) => void): Promise<PaymentResult> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-bench-'))
  const mint = await startMint(join(folder, 'mint'), 0)
  const payee = fork(fileURLToPath(new URL('./payee.ts', import.meta.url)), [join(folder, 'payee'), mint.url])
  const payeeEnded = new AbortController()
  payee.once('exit', () => payeeEnded.abort(new Error('the payee’s process ended')))
  const wallet = await openWallet({
    folder: join(folder, 'payer'),
    sealer: plainSealer,
    config: { coinsOfEach: 1, refreshDelayMs: [1e9, 1e9], settleDelayMs: [1e9, 1e9] },
    emit: () => {},
    report: (error) => say(`${error.code}: ${error.message}`),
  })
  const { engine, store } = wallet
  try {
    const ask = async (message: object): Promise<{ request: string; times: PayeeTimes }> => {
      const answer = once(payee, 'message', { signal: payeeEnded.signal })
      payee.send(message)
      const [value] = await answer
      return value
    }
    await once(payee, 'message', { signal: payeeEnded.signal })
    say(`adding ${rounds + warmUp} purses of five coins …`)
    const { account } = await engine.mints.add(mint.url)
    engine.runner.start()
    for (let index = 0; index < rounds + warmUp; index++) engine.withdraw(account, unit, amount)
    while (store.read.operations({ kind: 'withdraw', states: ['quoting', 'unpaid', 'issuing'] }).length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await mint.kill()
    await ask({ command: 'sync' })
    await engine.tick()

    say(`paying ${rounds} times, both offline …`)
    const samples: { whole: number; times: PayeeTimes }[] = []
    for (let index = 0; index < rounds + warmUp; index++) {
      const { request } = await ask({ command: 'request' })
      const { peerId, multiaddrs, payeeKey, id: requestId } = decodeRequest(request)
      const payTo = {
        payee: { peerId, multiaddrs },
        expectedKey: payeeKey,
        requestId: requestId ?? null,
        isSingleUse: true,
        memo: null,
      }
      const { id } = await engine.preparePay({ account, unit, amount, ...payTo })
      const before = performance.now()
      await engine.confirmPay(id)
      const confirmed = performance.now() - before
      const paid = store.read.operation(id)
      if (paid?.kind !== 'pay' || paid.state !== 'signed')
        throw new Error(`payment is ${paid?.state} after ${confirmed} ms`)
      const { times } = await ask({ command: 'times' })
      if (index >= warmUp) samples.push({ whole: paid.answeredInMs ?? Number.NaN, times })
    }
    return report(samples, say)
  } finally {
    await engine.runner.stop()
    wallet.close()
    payee.kill()
    await mint.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

function report(samples: readonly { whole: number; times: PayeeTimes }[], say: (line: string) => void): PaymentResult {
  const wholes = samples.map(({ whole }) => whole)
  const medianMs = median(wholes)
  const p99Ms = [...wholes].sort((a, b) => a - b)[Math.ceil(wholes.length * 0.99) - 1] ?? Number.NaN
  const verification = median(samples.map(({ times, whole }) => times.verificationMs / whole))
  const disk = median(samples.map(({ times, whole }) => times.diskMs / whole))
  const payee = median(samples.map(({ times, whole }) => times.wholeMs / whole))
  const share = {
    verification,
    disk,
    otherAtPayee: Math.max(0, payee - verification - disk),
    network: Math.max(0, 1 - payee),
  }
  const percent = (part: number): string => `${Math.round(part * 100)} %`
  say(
    `Handover to Receipt, 5 coins, ${samples.length} payments: median ${medianMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
  )
  say(`of the median: verification ${percent(share.verification)}, disk ${percent(share.disk)},`)
  say(`  other work of the payee ${percent(share.otherAtPayee)}, network and payer ${percent(share.network)}`)
  return { payments: samples.length, medianMs, p99Ms, share }
}
