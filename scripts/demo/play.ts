// The acts of the demonstration, one after another. Each says what happens, does it with real processes, and checks it.

import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as waitFor } from 'node:timers/promises'
import { readDoubleSpendProof } from '../../electron/wallet/evidence.ts'
import { bytesToHex, hexToBytes } from '../../shared/cashu/numbers.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import { claimSchema, decodeBody } from '../../shared/messages.ts'
import type { AuditView, PaymentState, PaymentView } from '../../shared/model.ts'
import { type Cable, layCable, type MintProcess, startMint, startWallet, type WalletProcess } from './processes.ts'

export type PlayOptions = {
  readonly folder: string
  /** A Cashu mint that is already running; our own is started when there is none. */
  readonly mintUrl: string | undefined
  readonly isOfflineCapable: boolean
  readonly feePpk: number
  readonly say: (line: string) => void
  readonly onLog: (line: string) => void
}

export type StepResult = {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly grade: string | null
}

export type PlayResult = {
  readonly steps: readonly StepResult[]
  readonly leftOut: readonly string[]
  readonly issued: number
  readonly payer: number
  readonly payee: number
  readonly fees: number
  readonly conserved: boolean
  readonly paymentMsMedian: number | null
  readonly offlinePaymentMsMedian: number | null
}

const unit = 'sat'
/** Waiting times of hours and minutes, shortened so that a demonstration ends; few coins, so that change is needed. */
const tuning = {
  settleDelayMs: [600, 1200],
  refreshDelayMs: [0, 0],
  readingGapMs: 1000,
  retryMs: [200, 1000],
  settleFirstMs: 3000,
  settleBeforeAnswerMs: 2000,
  coinsOfEach: 1,
  tickMs: 400,
}
const patienceMs = 30_000

export async function play(options: PlayOptions): Promise<PlayResult> {
  options.say(
    'Waiting times of minutes and hours are shortened here, and wallets keep few coins, so that change is needed.',
  )
  options.say('')
  const stage = await setUp(options)
  try {
    for (const act of actsFor(options)) await act(stage)
    return await closeBooks(stage)
  } finally {
    await stage.tearDown()
  }
}

type Stage = Awaited<ReturnType<typeof setUp>>
type Act = (stage: Stage) => Promise<void>

/** One wallet with its own cable to the mint. */
type Person = { wallet: WalletProcess; readonly cable: Cable; readonly start: () => Promise<WalletProcess> }

async function setUp(options: PlayOptions) {
  const { folder, say, onLog } = options
  const startedAt = performance.now()
  const steps: StepResult[] = []
  const leftOut: string[] = []
  const issued = { total: 0 }
  const timesMs = { online: [] as number[], offline: [] as number[] }
  const own: MintProcess | undefined =
    options.mintUrl === undefined ? await startMint(join(folder, 'mint'), options.feePpk) : undefined
  const mintUrl = own?.url ?? options.mintUrl ?? ''
  const people = new Map<string, Person>()

  const person = async (name: string, host?: string): Promise<Person> => {
    const cable = await layCable(mintUrl)
    const start = () =>
      startWallet({
        name,
        folder: join(folder, name),
        ...(host === undefined ? {} : { host }),
        offlineCapable: options.isOfflineCapable ? [cable.url] : [],
        tuning,
        onLog,
      })
    const made = { wallet: await start(), cable, start }
    people.set(name, made)
    await made.wallet.call('mints.add', { url: cable.url })
    return made
  }

  const tell = (line: string): void =>
    say(`${((performance.now() - startedAt) / 1000).toFixed(2).padStart(7)} s  ${line}`)

  const step = async (name: string, line: string, work: () => Promise<string | null>): Promise<void> => {
    tell(`▸ ${line}`)
    const before = performance.now()
    let ok = true
    let grade: string | null = null
    try {
      grade = await work()
    } catch (error) {
      ok = false
      tell(`  ✗ ${error instanceof AppError ? `${error.code}: ${error.message}` : String(error)}`)
    }
    const ms = Math.round(performance.now() - before)
    steps.push({ name, ok, ms, grade })
    if (ok) tell(`  ✓ ${name}${grade === null ? '' : ` → ${grade}`} (${ms} ms)`)
  }

  return {
    options,
    own,
    people,
    person,
    tell,
    step,
    steps,
    leftOut,
    issued,
    timesMs,
    alice: await person('alice'),
    bob: await person('bob'),
    /** The mint goes away: its process is killed, or every cable to it is pulled. */
    takeMintAway: async () => {
      if (own) await own.kill()
      else for (const { cable } of people.values()) await cable.unplug()
      await untilAll([...people.values()], async ({ wallet }) =>
        (await wallet.call('mints.sync', {})).every(({ isReachable }) => !isReachable),
      )
    },
    bringMintBack: async () => {
      if (own) await own.start()
      else for (const { cable } of people.values()) await cable.plug()
    },
    tearDown: async () => {
      for (const { wallet, cable } of people.values()) {
        await wallet.stop()
        await cable.close()
      }
      await own?.kill()
    },
  }
}

// ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────────

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const before = performance.now()
  while (performance.now() - before < patienceMs) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await waitFor(50)
  }
  throw new Error(`waited in vain for ${what}`)
}

async function untilAll<T>(items: readonly T[], isSo: (item: T) => Promise<boolean>): Promise<void> {
  for (const item of items) {
    // A test double has no screen and answers no list.
    await until('every wallet to notice', async () => (await isSo(item).catch(() => true)) || undefined)
  }
}

async function addMoney({ issued }: Stage, { wallet, cable }: Person, amount: number): Promise<null> {
  const { id } = await wallet.call('withdraw.start', { mintUrl: cable.url, unit, amount })
  await until('the coins', async () => {
    const { state, trouble } = await wallet.call('withdraw.get', { id })
    if (state === 'failed') throw new Error(`withdraw failed: ${trouble}`)
    return state === 'done'
  })
  issued.total += amount
  return null
}

async function ask({ wallet, cable }: Person, amount: number): Promise<string> {
  const request = await wallet.call('request.create', { mintUrl: cable.url, unit, amount, singleUse: true })
  return request.text
}

/** Prepare and confirm, and give the payment as both sides see it once the payer has an answer. */
async function pay(
  stage: Stage,
  from: Person,
  to: Person,
  amount: number,
): Promise<{ paid: PaymentView; got: PaymentView }> {
  const request = await ask(to, amount)
  const { id } = await from.wallet.call('pay.prepare', { request, mintUrl: from.cable.url })
  const paid = await confirm(from, id)
  const got = await latestReceived(to)
  if (paid.answeredInMs !== null) stage.timesMs[paid.state === 'signed' ? 'offline' : 'online'].push(paid.answeredInMs)
  stage.tell(`  ${amount} ${unit} with fee ${paid.fee}: payer sees "${paid.state}", payee sees "${got.state}"`)
  return { paid, got }
}

async function confirm({ wallet }: Person, id: string): Promise<PaymentView> {
  await wallet.call('pay.confirm', { id })
  return until('an answer', async () => {
    const view = await wallet.call('payments.get', { id })
    return view.state === 'on_its_way' ? undefined : view
  })
}

async function latestReceived({ wallet }: Person): Promise<PaymentView> {
  const payments = await wallet.call('payments.list', { limit: 20 })
  const latest = payments.find(({ direction }) => direction === 'in')
  if (!latest) throw new Error('the payee has seen no payment')
  return latest
}

function expect(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`)
}

async function untilState({ wallet }: Person, id: string, state: PaymentState): Promise<PaymentView> {
  let last = ''
  return until(`payment to become ${state}`, async () => {
    const view = await wallet.call('payments.get', { id })
    if (view.state !== last) last = view.state
    return view.state === state ? view : undefined
  })
}

async function totals({ wallet }: Person) {
  const found = (await wallet.call('audit.totals', {})).find((total) => total.unit === unit)
  if (!found) throw new Error('no totals')
  return found
}

const isOnline =
  ({ wallet }: Person) =>
  async () =>
    (await wallet.call('mints.list', {})).every(({ isReachable }) => isReachable) || undefined

// ── the acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function actsFor({ isOfflineCapable }: PlayOptions): readonly Act[] {
  const online = [addFirstMoney, payOnline, payWithPayeeCutOff]
  return isOfflineCapable
    ? [...online, offlineDay, rotation, doubleSpend, signedElsewhere]
    : [...online, offlineIsRefused, leaveOutSigned]
}

const addFirstMoney: Act = (stage) =>
  stage.step('add money', 'Alice adds 1000 sat', () => addMoney(stage, stage.alice, 1000))

const payOnline: Act = (stage) =>
  stage.step('pay online', 'Alice pays Bob 21 sat, everybody is online', async () => {
    const { paid, got } = await pay(stage, stage.alice, stage.bob, 21)
    expect(paid.state, 'final', 'payer')
    expect(got.state, 'final', 'payee')
    return got.state
  })

const payWithPayeeCutOff: Act = (stage) =>
  stage.step('pay, payee cut off', 'Bob loses his connection to the mint; Alice pays him 34 sat', async () => {
    const { alice, bob } = stage
    await bob.cable.unplug()
    const { paid, got } = await pay(stage, alice, bob, 34).finally(() => bob.cable.plug())
    expect(paid.state, 'final', 'payer')
    expect(got.state, 'final', 'payee')
    return got.state
  })

/** Mint away, two payments from one purse, both wallets killed, mint back. */
const offlineDay: Act = async (stage) => {
  const { alice, bob } = stage
  const payments: { paid: PaymentView; got: PaymentView }[] = []
  await untilRekeyed(stage)
  const before = await totals(alice)
  await stage.step(
    'pay offline, with change',
    'The mint goes away. Alice pays Bob an amount that needs change',
    async () => {
      await stage.takeMintAway()
      // What was paid exactly has used up small coins: one of the next amounts needs change.
      for (const amount of [55, 53, 51, 49, 47]) {
        const { handedOver } = await totals(alice)
        const payment = await pay(stage, alice, bob, amount)
        payments.push(payment)
        expect(payment.paid.state, 'signed', 'payer')
        expect(payment.got.state, 'signed', 'payee')
        const change = (await totals(alice)).handedOver - handedOver - amount - payment.paid.fee
        if (change > 0) {
          stage.tell(`  ${change} sat of change are on their way back`)
          return payment.got.state
        }
      }
      throw new Error('every amount was paid exactly')
    },
  )
  await stage.step('pay offline again, same purse', 'Alice pays Bob 89 sat from the same purse', async () => {
    const payment = await pay(stage, alice, bob, 89)
    payments.push(payment)
    expect(payment.paid.state, 'signed', 'payer')
    expect(payment.got.state, 'signed', 'payee')
    const [last, first] = await bob.wallet.call('audit.claims', {})
    if (!first || !last) throw new Error('a claim is missing')
    expect(purseOf(last), purseOf(first), 'one purse')
    const after = await totals(alice)
    const given = payments.reduce((sum, { paid }) => sum + paid.amount + paid.fee, 0)
    stage.tell(
      `  Alice: ${after.spendable} ready, ${after.handedOver} handed over, ${after.handedOver - given} of it change`,
    )
    expect(after.spendable + after.handedOver, before.spendable, 'nothing vanished')
    return payment.got.state
  })
  await stage.step('kill -9 and start again', 'Bob and Alice lose power, and come back', async () => {
    await Promise.all([bob.wallet.kill(), alice.wallet.kill()])
    bob.wallet = await bob.start()
    alice.wallet = await alice.start()
    for (const { paid, got } of payments) {
      expect((await alice.wallet.call('payments.get', { id: paid.id })).state, 'signed', 'payer')
      expect((await bob.wallet.call('payments.get', { id: got.id })).state, 'signed', 'payee')
    }
    return 'signed'
  })
  await stage.step('mint back, deposits by themselves', 'The mint comes back; nobody touches anything', async () => {
    await stage.bringMintBack()
    for (const { paid, got } of payments) {
      await untilState(bob, got.id, 'final')
      await untilState(alice, paid.id, 'final')
    }
    await untilRekeyed(stage)
    const after = await totals(alice)
    stage.tell(`  Alice has ${after.spendable} sat, the change is back`)
    return 'final'
  })
}

/** Every wallet has nothing reserved and nothing to do, for longer than two looks at the mint. */
async function untilRekeyed({ people }: Stage): Promise<void> {
  let quietSince = performance.now()
  await until('re-keying to end', async () => {
    for (const who of people.values()) {
      const { reserved, openOperations } = await totals(who)
      if (reserved > 0 || openOperations > 0) quietSince = performance.now()
    }
    return performance.now() - quietSince > 3 * tuning.tickMs
  })
}

const rotation: Act = async (stage) => {
  const { own, alice, bob } = stage
  if (!own) {
    stage.leftOut.push('keyset rotated before settlement (needs our own mint)')
    return
  }
  await stage.step(
    'keyset rotated before settlement',
    'The mint goes away, Alice pays 13 sat, the mint returns with a new keyset',
    async () => {
      await stage.takeMintAway()
      const { paid, got } = await pay(stage, alice, bob, 13)
      expect(got.state, 'signed', 'payee')
      await own.rotate()
      await stage.bringMintBack()
      await untilState(bob, got.id, 'final')
      await untilState(alice, paid.id, 'final')
      return 'final'
    },
  )
}

const doubleSpend: Act = async (stage) => {
  const carol = await stage.person('carol')
  const mallory = await stage.person('mallory', 'test/doubles/cheat.ts')
  const { bob } = stage
  await stage.step('double spend', 'Mallory spends the same coins offline with Bob and with Carol', async () => {
    await addMoney(stage, mallory, 64)
    const requests = [await ask(bob, 40), await ask(carol, 40)]
    await stage.takeMintAway()
    const received: PaymentView[] = []
    for (const [index, to] of [bob, carol].entries()) {
      const { id } = await mallory.wallet.call('pay.prepare', { request: requests[index] ?? '' })
      await confirm(mallory, id)
      const got = await latestReceived(to)
      expect(got.state, 'signed', to.wallet.name)
      received.push(got)
    }
    const claims = [await bob.wallet.call('audit.claims', {}), await carol.wallet.call('audit.claims', {})].map(
      (list, index) => list.find(({ paymentId }) => paymentId === received[index]?.id),
    )
    await stage.bringMintBack()
    const states = await until('both to end', async () => {
      const seen = await Promise.all(
        [bob, carol].map(({ wallet }, index) => wallet.call('payments.get', { id: received[index]?.id ?? '' })),
      )
      return seen.every(({ state }) => state !== 'signed') ? seen.map(({ state }) => state) : undefined
    })
    stage.tell(`  Bob: ${states[0]}, Carol: ${states[1]}`)
    expect([...states].sort().join(), 'bounced,final', 'one of them')
    const [first, second] = claims
    if (!first || !second) throw new Error('a claim is missing')
    const read = readDoubleSpendProof({ claims: [toMessage(first), toMessage(second)] })
    expect(read.kind, 'double_spend', 'the two claims')
    if (read.kind === 'double_spend')
      stage.tell(`  proof: one key promised ${read.Ys.length} coin${read.Ys.length === 1 ? '' : 's'} to two payees`)
    return 'bounced'
  })
}

const purseOf = ({ body }: { body: string }) => bytesToHex(decodeBody(claimSchema, hexToBytes(body)).purseKey)

const toMessage = ({ body, sig }: { body: string; sig: string }) => ({ body: hexToBytes(body), sig: hexToBytes(sig) })

const heldBy = ({ spendable, reserved, resting }: AuditView): number => spendable + reserved + resting

const signedElsewhere: Act = async (stage) => {
  const eve = await stage.person('eve', 'test/doubles/cheat.ts')
  const { bob } = stage
  await stage.step(
    'output signed elsewhere',
    'Eve has Bob’s output signed for 1 sat, then pays him with it',
    async () => {
      await addMoney(stage, eve, 100)
      const before = heldBy(await totals(bob))
      const { id } = await eve.wallet.call('pay.prepare', { request: await ask(bob, 32) })
      await eve.wallet.ask('cheat.signElsewhere', { id })
      stage.issued.total += 1
      await stage.takeMintAway()
      await confirm(eve, id)
      const got = await latestReceived(bob)
      expect(got.state, 'signed', 'payee')
      await stage.bringMintBack()
      await until('an end', async () => {
        const { state } = await bob.wallet.call('payments.get', { id: got.id })
        expect(state === 'final', false, 'shown as paid')
        return state === 'dead' || state === 'replaced'
      })
      expect(heldBy(await totals(bob)) > before, true, 'what Eve paid for is Bob’s')
      stage.tell('  Bob: dead, and the 1 sat that Eve paid for is his')
      await until('it to be signed anew', async () => (await latestReceived(bob)).state === 'final')
      stage.tell('  Eve’s wallet has signed it anew by itself: final')
      return 'dead'
    },
  )
}

/** A mint that is online only: without it nothing is paid and nothing is lost. */
const offlineIsRefused: Act = (stage) =>
  stage.step(
    'offline is refused',
    'The mint goes away. Alice tries to pay 55 sat: this mint is online only',
    async () => {
      const { alice, bob } = stage
      await untilRekeyed(stage)
      const before = await totals(alice)
      const request = await ask(bob, 55)
      await stage.takeMintAway()
      const refused = await codeOf(alice.wallet.call('pay.prepare', { request, mintUrl: alice.cable.url }))
      expect(refused, 'mint_unreachable', 'the answer')
      const after = await totals(alice)
      expect(after.spendable, before.spendable, 'coins')
      await stage.bringMintBack()
      await until('the mint to be seen', isOnline(alice))
      return null
    },
  )

async function codeOf(call: Promise<unknown>): Promise<ErrorCode | 'paid'> {
  try {
    await call
    return 'paid'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const leaveOutSigned: Act = async ({ leftOut }) => {
  const needSigned = ['offline payments', 'kill -9 between them', 'rotation', 'double spend', 'output signed elsewhere']
  leftOut.push(...needSigned.map((name) => `${name} (needs --offline-capable)`))
}

// ── the books ────────────────────────────────────────────────────────────────────────────────────────────────────────

const payees = new Set(['bob', 'carol'])

async function closeBooks(stage: Stage): Promise<PlayResult> {
  const { people, steps, leftOut, issued, timesMs, tell, options } = stage
  await untilRekeyed(stage).catch(() => tell('  (something is still on its way)'))
  const side = { payer: 0, payee: 0, fees: 0 }
  for (const [name, who] of people) {
    // A cheat that put an old copy of its folder back has coins that rest.
    const { spendable, reserved, handedOver, resting, feesPaid } = await totals(who)
    side[payees.has(name) ? 'payee' : 'payer'] += spendable + reserved + handedOver + resting
    side.fees += feesPaid
  }
  const conserved = issued.total === side.payer + side.payee + side.fees
  options.say('')
  options.say('  step                                   grade     ms')
  for (const { name, ok, ms, grade } of steps) {
    options.say(`  ${ok ? '✓' : '✗'} ${name.padEnd(36)} ${(grade ?? '').padEnd(8)} ${String(ms).padStart(6)}`)
  }
  for (const name of leftOut) options.say(`  – left out: ${name}`)
  options.say('')
  const sum = `issued ${issued.total} = payer ${side.payer} + payee ${side.payee} + fees ${side.fees}`
  options.say(conserved ? `  The books balance: ${sum}` : `  THE BOOKS DO NOT BALANCE: ${sum}`)
  return {
    steps,
    leftOut,
    issued: issued.total,
    ...side,
    conserved,
    paymentMsMedian: median([...timesMs.online, ...timesMs.offline]),
    offlinePaymentMsMedian: median(timesMs.offline),
  }
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}
