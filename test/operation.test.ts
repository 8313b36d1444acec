// The states of every operation: the table walked, kept by the store, shown on screen, and every pair of state and
// outcome played against the real mint.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { cashedOut, cashOutView, feePaid, paymentView, withdrawView } from '../electron/views.ts'
import {
  mayFollow,
  type Operation,
  type OperationKind,
  type OperationOf,
  operationSchema,
  transitions,
} from '../electron/wallet/operation.ts'
import type { WalletStore } from '../electron/wallet/store-port.ts'
import { paymentStates } from '../shared/model.ts'
import {
  always,
  away,
  chain,
  cutOff,
  dayMs,
  inState,
  lostFrames,
  lostRequest,
  type MintDouble,
  openWorld,
  payerAndPayee,
  reconnect,
  refusal,
  signElsewhere,
  type TestWallet,
  testConfig,
  type World,
} from './engine-fixture.ts'

const kinds = Object.keys(transitions) as OperationKind[]
const table = (kind: OperationKind): Readonly<Record<string, readonly string[]>> => transitions[kind]
const statesOf = (kind: OperationKind) => Object.keys(table(kind))
const starts: Readonly<Record<OperationKind, string>> = {
  withdraw: 'quoting',
  pay: 'asking',
  receive: 'terms',
  refresh: 'settling',
  melt: 'quoting',
  restore: 'looking',
}
const ends: Readonly<Record<OperationKind, readonly string[]>> = {
  withdraw: ['done'],
  pay: ['abandoned', 'final', 'reclaimed'],
  receive: ['final'],
  refresh: ['done', 'dead'],
  melt: ['done', 'failed', 'abandoned'],
  restore: ['found'],
}

function reachableFrom(kind: OperationKind, start: string): ReadonlySet<string> {
  const found = new Set([start])
  for (const state of found) for (const next of table(kind)[state] ?? []) found.add(next)
  return found
}

describe.each(kinds)('the table of %s', (kind) => {
  test('every state can be reached from the first one', () => {
    expect([...reachableFrom(kind, starts[kind])].sort()).toEqual(statesOf(kind).sort())
  })

  test('every state that is no end has a way to one', () => {
    for (const state of statesOf(kind)) {
      const reachable = reachableFrom(kind, state)
      expect([state, ends[kind].some((end) => reachable.has(end))]).toEqual([state, true])
    }
  })

  test('ends are ends, and nothing else is', () => {
    expect(statesOf(kind).filter((state) => table(kind)[state]?.length === 0)).toEqual(ends[kind])
    for (const end of ends[kind]) {
      expect(statesOf(kind).filter((state) => mayFollow(kind, end, state))).toEqual([end])
    }
  })

  test('every arrow leads to a state there is', () => {
    for (const state of statesOf(kind)) expect(statesOf(kind)).toEqual(expect.arrayContaining([...table(kind)[state]!]))
  })
})

// ---- one row of every state

const id = (n: number) => n.toString(16).padStart(32, '0')
const message = { body: 'a0', sig: 'ab'.repeat(64) }
const base = {
  account: 0,
  unit: 'sat',
  amount: 13,
  createdAt: 1_790_000_000_000,
  updatedAt: 1_790_000_000_001,
  nextAttemptAt: 1_790_000_000_002,
  attempts: 3,
  lastError: 'no answer',
}
const output = { amount: 8, B_: `02${'bb'.repeat(32)}` }
const settle = {
  swap: {
    inputs: [{ id: `01${'aa'.repeat(32)}`, amount: 16, secret: '["P2PK",{}]', C: '02'.repeat(33), Y: '03'.repeat(33) }],
    outputs: [output],
    signature: 'cd'.repeat(64),
    digest: 'ef'.repeat(32),
  },
  attempt: { keysetId: `01${'aa'.repeat(32)}`, body: '{"inputs":[],"outputs":[]}' },
  reading: { kind: 'bounced', at: 1_790_000_000_000 } as const,
  refusedSince: null,
  pendingSince: 1_790_000_000_000,
}
const quote = { quote: 'q-1', request: 'lnbc13', expiry: null }
const terms = { terms: message, payeeName: 'shop', payeeKey: `02${'cc'.repeat(32)}`, deadline: 1_790_000_000 }
const payment = {
  ...base,
  kind: 'pay' as const,
  hello: 'a1',
  payee: { peerId: 'peer', multiaddrs: ['/ip4/10.0.0.7/tcp/1'] },
  requestId: null,
  memo: 'beans',
  isSingleUse: false,
  expectedKey: null,
  replaces: { id: id(98), digest: 'ef'.repeat(32) },
}
const signed = {
  ...payment,
  ...terms,
  ...settle,
  fee: 1,
  change: 2,
  handover: 'a2',
  claim: message,
  handedOver: true,
  receipt: message,
  grade: 'signed' as const,
  settleAt: 1_790_000_000_003,
  refusal: null,
  answeredInMs: 31.5,
  reclaim: null,
  replacedBy: null,
}
const receiving = (n: number) => ({
  ...base,
  id: id(n),
  kind: 'receive' as const,
  payerPeer: `0024${n.toString(16).padStart(4, '0')}`,
  payerAddress: '10.0.0.8',
  paymentId: id(n),
  helloHash: 'aa'.repeat(32),
  requestId: 'r-1',
  memo: null,
  terms: message,
  termsHash: n.toString(16).padStart(64, '0'),
  outputs: [output],
  deadline: 1_790_000_000,
  replaces: null,
})
const accepted = {
  withheld: null,
  ...settle,
  signedAt: 1_790_000_000_004,
  handoverHash: 'dd'.repeat(32),
  claim: message,
  purseKey: `02${'ee'.repeat(32)}`,
  replacedBy: id(97),
}
const refreshing = {
  ...base,
  ...settle,
  kind: 'refresh' as const,
  fee: 0,
  reason: 'reclaim' as const,
  reclaims: id(77),
  target: 1,
}

const cashOut = { ...base, kind: 'melt' as const, invoice: 'lnbc130n1' }
const quoted = {
  ...cashOut,
  quote: 'q-2',
  feeReserve: 4,
  expiry: 1_790_003_600,
  confirmBy: 1_790_000_600_000,
  returnsChange: true,
  fee: 2,
}
const gathered = { swaps: [id(78)], purse: 1 }
const sent = {
  ...quoted,
  ...gathered,
  meltFee: 1,
  Ys: ['03'.repeat(33)],
  outputs: [{ amount: 1, B_: `02${'bb'.repeat(32)}` }],
  body: '{"quote":"q-2","inputs":[]}',
  reading: { kind: 'refused', at: 1_790_000_000_000 } as const,
  pendingSince: null,
}

const place = { generation: 0, account: 3 }
const search = {
  ...base,
  kind: 'restore' as const,
  amount: 0,
  round: 1,
  isAgain: false,
  cursor: {
    known: [9],
    probed: [32, 5],
    at: { ...place, purse: 7, isShown: true },
    repeated: 0,
    shown: [{ ...place, isWalked: false }],
    walk: { ...place, phase: 'purses' as const, next: 8, last: 31, open: [{ purse: 2, next: 13, last: 9 }] },
    purses: 3,
    lit: [32],
    isCut: false,
  },
  sentinels: [{ B_: '02'.repeat(33), keysetId: `01${'aa'.repeat(32)}`, amount: 8, C_: '03'.repeat(33) }],
  guarded: [`01${'aa'.repeat(32)}`],
  unchecked: [],
  room: 50,
  most: 100,
  isSynced: true,
  asked: 1234,
  found: [{ unit: 'sat', amount: 13, coins: 3 }],
  expired: [],
  spent: 4,
  unreadable: 0,
}

type Samples = { readonly [K in OperationKind]: { readonly [S in OperationOf<K>['state']]: (n: number) => Operation } }
const samples: Samples = {
  withdraw: {
    quoting: (n) => ({ ...base, id: id(n), kind: 'withdraw', state: 'quoting' }),
    unpaid: (n) => {
      const reading = { kind: 'unpaid' as const, at: 1_790_000_000_000 }
      return { ...base, id: id(n), kind: 'withdraw', state: 'unpaid', ...quote, reading }
    },
    issuing: (n) => {
      const { reading } = settle
      const attempt = { keysetId: settle.attempt.keysetId }
      const asked = { outputs: [output], earlier: [output], attempt, reading }
      return { ...base, id: id(n), kind: 'withdraw', state: 'issuing', ...quote, ...asked }
    },
    done: (n) => ({ ...base, id: id(n), kind: 'withdraw', state: 'done', ...quote }),
    failed: (n) => {
      const asked = { outputs: [output], earlier: [] }
      return { ...base, id: id(n), kind: 'withdraw', state: 'failed', ...quote, ...asked }
    },
  },
  pay: {
    asking: (n) => ({ ...payment, id: id(n), state: 'asking' }),
    agreed: (n) => ({ ...payment, ...terms, id: id(n), state: 'agreed', fee: 1 }),
    abandoned: (n) => ({ ...payment, id: id(n), state: 'abandoned', reason: 'not confirmed' }),
    settling: (n) => ({ ...signed, id: id(n), state: 'settling' }),
    handing_over: (n) => ({ ...signed, id: id(n), state: 'handing_over' }),
    signed: (n) => ({ ...signed, id: id(n), state: 'signed' }),
    voided: (n) => ({ ...signed, id: id(n), state: 'voided', refusal: message }),
    reclaiming: (n) => ({ ...signed, id: id(n), state: 'reclaiming', reclaim: id(99) }),
    settled: (n) => ({ ...signed, id: id(n), state: 'settled', settledHandover: 'a3' }),
    final: (n) => ({ ...signed, id: id(n), state: 'final', settledHandover: null }),
    bounced: (n) => ({ ...signed, id: id(n), state: 'bounced' }),
    dead: (n) => ({ ...signed, id: id(n), state: 'dead' }),
    replaced: (n) => ({ ...signed, id: id(n), state: 'replaced', replacedBy: id(97) }),
    reclaimed: (n) => ({ ...signed, id: id(n), state: 'reclaimed' }),
  },
  receive: {
    terms: (n) => ({ ...receiving(n), state: 'terms' }),
    signed: (n) => ({ ...receiving(n), ...accepted, receipt: message, state: 'signed' }),
    bounced: (n) => ({ ...receiving(n), ...accepted, receipt: message, state: 'bounced' }),
    dead: (n) => ({ ...receiving(n), ...accepted, receipt: message, state: 'dead' }),
    replaced: (n) => ({ ...receiving(n), ...accepted, receipt: message, state: 'replaced' }),
    final: (n) => ({ ...receiving(n), receipt: message, state: 'final', handoverHash: null, claim: null }),
    refused: (n) => {
      const refusal = { handoverHash: 'dd'.repeat(32), refusal: message, code: 'limit_single' }
      return { ...receiving(n), ...refusal, state: 'refused' }
    },
    expired: (n) => ({ ...receiving(n), state: 'expired' }),
  },
  refresh: {
    settling: (n) => ({ ...refreshing, id: id(n), state: 'settling' }),
    done: (n) => ({ ...refreshing, id: id(n), state: 'done' }),
    lost: (n) => ({ ...refreshing, id: id(n), state: 'lost' }),
    dead: (n) => ({ ...refreshing, id: id(n), state: 'dead' }),
  },
  melt: {
    quoting: (n) => ({ ...cashOut, id: id(n), state: 'quoting' }),
    quoted: (n) => ({ ...quoted, id: id(n), state: 'quoted' }),
    gathering: (n) => {
      const plan = [{ Ys: ['02'.repeat(33)], amounts: [8, 4], rest: [1] }]
      return { ...quoted, ...gathered, id: id(n), plan, state: 'gathering' }
    },
    melting: (n) => ({ ...sent, id: id(n), state: 'melting' }),
    returning: (n) => ({ ...sent, id: id(n), reason: 'no route', state: 'returning' }),
    done: (n) => ({ ...quoted, id: id(n), meltFee: 1, change: 3, preimage: 'ab'.repeat(32), state: 'done' }),
    failed: (n) => ({ ...quoted, id: id(n), reason: 'no route', state: 'failed' }),
    abandoned: (n) => ({ ...cashOut, id: id(n), reason: 'a person said no', state: 'abandoned' }),
  },
  restore: {
    looking: (n) => ({ ...search, id: id(n), state: 'looking' }),
    found: (n) => ({ ...search, id: id(n), state: 'found' }),
  },
}
const sample = (kind: OperationKind, state: string, n: number): Operation => {
  const ofKind: Readonly<Record<string, (n: number) => Operation>> = samples[kind]
  return ofKind[state]!(n)
}
/** Fields that rows of earlier versions do not have: without them they are read as null, or as an empty list. */
const laterFields = ['replaces', 'replacedBy', 'unchecked']
const laterFieldsOf: Readonly<Record<string, readonly string[]>> = {
  'withdraw unpaid': ['reading'],
  'withdraw issuing': ['earlier'],
  'withdraw failed': ['request', 'expiry', 'earlier'],
}
const everyState = kinds.flatMap((kind) => statesOf(kind).map((state) => [kind, state] as const))

describe('the store', () => {
  let folder = ''
  let store: WalletStore
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'farthing-operation-'))
    store = openWalletStore(join(folder, 'wallet.db'))
    const mint = { url: 'http://mint.example', name: null, version: null, lastReachedAt: null, alarm: null }
    store.transaction((write) => write.insertMint({ ...mint, offlineCapable: true }))
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(everyState)('%s %s comes back from the file as it went in', (kind, state) => {
    const operation = sample(kind, state, 1)
    store.transaction((write) => write.insertOperation(operation))
    store.close()
    store = openWalletStore(join(folder, 'wallet.db'))
    expect(store.read.operation(operation.id)).toEqual(operation)
    expect(store.read.operations({ kind, states: [state] })).toEqual([operation])
  })

  test.each(kinds)('%s goes along the arrows of the table, and no other way', (kind) => {
    let n = 0
    for (const from of statesOf(kind)) {
      for (const to of statesOf(kind)) {
        n++
        const before = sample(kind, from, n)
        const after = { ...sample(kind, to, n), createdAt: base.createdAt }
        store.transaction((write) => write.insertOperation(before))
        const change = () => store.transaction((write) => write.updateOperation(after))
        if (from === to || table(kind)[from]!.includes(to)) {
          change()
          expect(store.read.operation(id(n))).toEqual(after)
        } else {
          expect(change, `${from} → ${to}`).toThrowError(expect.objectContaining({ code: 'wrong_state' }))
          expect(store.read.operation(id(n))).toEqual(before)
        }
      }
    }
  })

  test('an operation never becomes one of another kind, and none is changed that is not there', () => {
    store.transaction((write) => write.insertOperation(sample('refresh', 'settling', 1)))
    for (const other of [sample('withdraw', 'done', 1), sample('pay', 'settling', 1), sample('refresh', 'done', 2)]) {
      expect(() => store.transaction((write) => write.updateOperation(other))).toThrowError(
        expect.objectContaining({ code: 'wrong_state' }),
      )
    }
    expect(store.read.operation(id(1))).toEqual(sample('refresh', 'settling', 1))
  })

  test.each(everyState)('%s %s has its own fields and no others', (kind, state) => {
    const operation = sample(kind, state, 1)
    expect(operationSchema.safeParse(operation).success).toBe(true)
    expect(operationSchema.safeParse({ ...operation, blindingFactor: '00' }).success).toBe(false)
    const later = [...laterFields, ...(laterFieldsOf[`${kind} ${state}`] ?? [])]
    for (const field of Object.keys(operation)) {
      const { [field as never]: _, ...rest } = operation
      expect(operationSchema.safeParse(rest).success, `without ${field}`).toBe(later.includes(field))
    }
  })
})

describe('the screen', () => {
  test.each(everyState.filter(([kind]) => kind === 'pay' || kind === 'receive'))('shows %s %s', (kind, state) => {
    const operation = sample(kind, state, 1)
    if (operation.kind !== 'pay' && operation.kind !== 'receive') throw new Error('no payment')
    const view = paymentView(operation, {
      mintUrl: 'http://mint.example',
      now: base.updatedAt,
      payee: null,
      reclaim: 'no',
    })
    expect(paymentStates).toContain(view.state)
    expect(view).toMatchObject({ amount: 13, unit: 'sat', direction: kind === 'pay' ? 'out' : 'in' })
    expect(view.state === 'final', 'nothing but final is shown as paid').toBe(state === 'final')
    expect(JSON.stringify(view)).not.toMatch(/P2PK|secret|swap|handover/)
  })

  test.each(statesOf('withdraw'))('shows withdraw %s', (state) => {
    const operation = sample('withdraw', state, 1)
    if (operation.kind !== 'withdraw') throw new Error('no withdraw')
    expect(withdrawView(operation, 'http://mint.example')).toMatchObject({ state, amount: 13 })
  })

  test.each(statesOf('melt'))('shows melt %s', (state) => {
    const operation = sample('melt', state, 1)
    if (operation.kind !== 'melt') throw new Error('no melt')
    const view = cashOutView(operation, 'http://mint.example')
    expect(view).toMatchObject({ state: state === 'melting' ? 'paying' : state, amount: 13, invoice: 'lnbc130n1' })
    const costs: Readonly<Record<string, readonly (number | null)[]>> = {
      quoting: [null, 0, 13],
      abandoned: [null, 0, 13],
      done: [4, 3, 16], // 2 for the mint, 4 set aside, 3 of it back
      failed: [4, 2, 2],
    }
    expect([view.feeReserve, view.fee, view.total]).toEqual(costs[state] ?? [4, 6, 19])
    const endsAt = { quoted: quoted.confirmBy, gathering: 1, melting: 1, returning: 1 }[state]
    expect(view.expiresAt).toBe(endsAt === 1 ? quoted.expiry * 1000 : (endsAt ?? null))
    expect(JSON.stringify(view)).not.toMatch(/P2PK|secret|swap|inputs|quote"/)
  })

  test('nothing but a cash out that is done is money outside', () => {
    const out = everyState.filter(([kind, state]) => cashedOut(sample(kind, state, 1)) > 0)
    expect(out).toEqual([['melt', 'done']])
    expect(cashedOut(sample('melt', 'done', 1))).toBe(13)
    expect(feePaid(sample('melt', 'done', 1))).toBe(1 + 4 - 3)
  })

  test('a fee has been paid when its swap was settled, and not before', () => {
    const paid = everyState.filter(([kind, state]) => {
      const operation = sample(kind, state, 1)
      return feePaid('fee' in operation ? { ...operation, fee: 1 } : operation) > 0
    })
    expect(paid).toEqual([
      ['pay', 'settled'],
      ['pay', 'final'],
      ['refresh', 'done'],
      ['melt', 'done'],
    ])
  })
})

// ---- every pair of state and outcome

type Outcome = 'settled' | 'bounced' | 'dead' | 'refused' | 'unknown'
const outcomes: readonly Outcome[] = ['settled', 'bounced', 'dead', 'refused', 'unknown']

type Staged = { readonly world: World; readonly wallet: TestWallet; readonly id: string; readonly state: () => string }

const noSwap = always(['swap'], refusal())
const spent: MintDouble = (real) => ({
  ...real,
  checkState: async (Ys) => ({ kind: 'ok', value: Ys.map(() => 'SPENT') }),
})

function swapOf({ wallet, id: of }: Staged): Extract<Operation, { swap: unknown }>['swap'] {
  const operation = wallet.store.read.operation(of)
  if (!operation || !('swap' in operation)) throw new Error('no swap')
  return operation.swap
}

/** Make the facts so, by the real mint where it can be done and by a lie where it cannot. */
async function bringAbout(staged: Staged, outcome: Outcome): Promise<void> {
  const { world, wallet } = staged
  const swap = swapOf(staged)
  wallet.mint = noSwap
  if (outcome === 'settled') {
    const inputs = swap.inputs.map(({ Y: _, ...proof }, index) =>
      index === 0 ? { ...proof, witness: JSON.stringify({ signatures: [swap.signature] }) } : proof,
    )
    const keyset = await world.mint.keysetId()
    const outputs = swap.outputs.map((output) => ({ ...output, id: keyset }))
    expect((await world.mint.post('/v1/swap', { inputs, outputs })).status).toBe(200)
  }
  if (outcome === 'bounced') {
    world.isCookingBooks = true
    wallet.mint = chain(noSwap, spent)
  }
  if (outcome === 'dead') await signElsewhere(world, swap.outputs.at(-1)!.B_, 1)
  if (outcome === 'unknown') wallet.mint = chain(noSwap, always(['checkState'], lostRequest))
}

/** Two steps with the gap of two readings between them. */
async function playOut({ world, wallet, id: of }: Staged): Promise<void> {
  for (let reading = 0; reading < 2; reading++) {
    await wallet.run(() => wallet.engine.runner.runNow(of))
    world.clock.move(testConfig.readingGapMs)
  }
}

const stagedPay = (world: World, payer: TestWallet, of: string): Staged => {
  return { world, wallet: payer, id: of, state: () => payer.payment(of).state }
}

const stages: Readonly<Record<string, () => Promise<Staged>>> = {
  'pay settling': async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 16 })
    payer.fate = (port) => (port === 'mint swap' ? 'die_before' : 'live')
    const of = await payer.pay(payee, 8)
    payer.reopen()
    payee.isListening = false
    inState(payer.payment(of), 'settling')
    return stagedPay(world, payer, of)
  },
  'pay handing_over': async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 16 })
    await cutOff(payer, payee)
    payer.link = lostFrames('handover')
    const of = await payer.pay(payee, 8)
    payee.isListening = false
    await reconnect(payer)
    inState(payer.payment(of), 'handing_over')
    return stagedPay(world, payer, of)
  },
  'pay signed': async () => {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world, { money: 16 })
    await cutOff(payer, payee)
    const of = await payer.pay(payee, 8)
    world.clock.move(testConfig.settleDelayMs[1])
    inState(payer.payment(of), 'signed')
    return stagedPay(world, payer, of)
  },
  'pay voided': async () => {
    const world = await openWorld()
    const payer = await world.wallet('payer')
    const payee = await world.wallet('payee', { config: { limits: { single: 5, total: 5, perHour: 10 } } })
    await payer.withdraw(16)
    const { id: of } = await payer.prepare(payee, 8)
    await cutOff(payer, payee)
    await payer.run(() => payer.engine.confirmPay(of))
    inState(payer.payment(of), 'voided')
    return stagedPay(world, payer, of)
  },
  'pay reclaiming, the reclaim lost': async () => {
    const staged = await stages['pay signed']!()
    const { world, wallet } = staged
    await wallet.run(() => wallet.engine.reclaim(staged.id, true))
    const [reclaim] = wallet.refreshes()
    wallet.mint = chain(noSwap, spent)
    await playOut({ ...staged, id: reclaim!.id })
    inState(wallet.refreshes()[0]!, 'lost')
    world.isCookingBooks = true
    return staged
  },
  'receive signed': async () => {
    const { world, wallet: payer } = await stages['pay signed']!()
    const payee = world.wallets.find((wallet) => wallet !== payer)!
    return { world, wallet: payee, id: payee.incoming().id, state: () => payee.incoming().state }
  },
  'receive bounced': async () => {
    const staged = await stages['receive signed']!()
    staged.wallet.mint = chain(noSwap, spent)
    await playOut(staged)
    inState(staged.wallet.incoming(), 'bounced')
    return staged
  },
  'refresh settling': async () => {
    const staged = await stages['pay signed']!()
    const { wallet } = staged
    await wallet.run(() => wallet.engine.reclaim(staged.id, true))
    const reclaim = wallet.refreshes()[0]!.id
    const state = () => wallet.store.read.operation(reclaim)!.state
    return { ...staged, id: reclaim, state }
  },
}

/** What each state becomes after two readings of each outcome, the other side not being reached. */
const expected: Readonly<Record<string, Readonly<Record<Outcome, string>>>> = {
  'pay settling': {
    settled: 'settled',
    bounced: 'bounced',
    dead: 'dead',
    refused: 'settling',
    unknown: 'handing_over',
  },
  'pay handing_over': {
    settled: 'settled',
    bounced: 'bounced',
    dead: 'dead',
    refused: 'handing_over',
    unknown: 'handing_over',
  },
  'pay signed': { settled: 'final', bounced: 'bounced', dead: 'dead', refused: 'signed', unknown: 'signed' },
  'pay voided': { settled: 'final', bounced: 'bounced', dead: 'dead', refused: 'voided', unknown: 'voided' },
  'pay reclaiming, the reclaim lost': {
    settled: 'final',
    bounced: 'bounced',
    dead: 'dead',
    refused: 'reclaiming',
    unknown: 'reclaiming',
  },
  'receive signed': { settled: 'final', bounced: 'bounced', dead: 'dead', refused: 'signed', unknown: 'signed' },
  'refresh settling': { settled: 'done', bounced: 'lost', dead: 'dead', refused: 'settling', unknown: 'settling' },
}

describe('every state and outcome', () => {
  const pairs = Object.entries(expected).flatMap(([stage, ends]) =>
    outcomes.map((outcome) => [stage, outcome, ends[outcome]] as const),
  )
  test.each(pairs)('%s, %s: %s', async (stage, outcome, end) => {
    const staged = await stages[stage]!()
    await bringAbout(staged, outcome)
    await playOut(staged)
    expect(staged.state()).toBe(end)
  })

  test('bounced stays bounced while the mint says so, or says nothing, and is looked at again', async () => {
    const staged = await stages['receive bounced']!()
    for (const mint of [chain(noSwap, spent), away]) {
      staged.wallet.mint = mint
      await staged.wallet.run(() => staged.wallet.engine.runner.runNow(staged.id))
      expect(staged.state()).toBe('bounced')
      expect(staged.wallet.incoming().nextAttemptAt).toBeGreaterThan(staged.world.clock.now())
    }
    await bringAbout(staged, 'settled')
    await playOut(staged)
    expect(staged.state()).toBe('final')
  })
})

describe('what somebody has signed on an output after a sad end is a coin like any other', () => {
  test('of the payee', async () => {
    const { world, wallet, id: of, state } = await stages['receive bounced']!()
    await signElsewhere(world, wallet.incoming().outputs[0]!.B_, 1)
    await wallet.run(() => wallet.engine.runner.runNow(of))
    expect([state(), wallet.totals().spendable]).toEqual(['bounced', 1])
  })

  test('of the payer', async () => {
    const staged = await stages['pay signed']!()
    const { world, wallet } = staged
    await bringAbout(staged, 'bounced')
    await playOut(staged)
    expect([staged.state(), wallet.worth()]).toEqual(['bounced', 0])
    const ofPayee = world.wallets
      .find((one) => one !== wallet)!
      .incoming()
      .outputs.map(({ B_ }) => B_)
    const change = swapOf(staged).outputs.find(({ B_ }) => !ofPayee.includes(B_))
    await signElsewhere(world, change!.B_, 1)
    await wallet.run(() => wallet.engine.runner.runNow(staged.id))
    expect([staged.state(), wallet.totals().spendable]).toEqual(['bounced', 1])
  })
})

describe('Terms whose handover never came', () => {
  async function offered() {
    const world = await openWorld()
    const { payer, payee } = await payerAndPayee(world)
    const { id: of } = await payer.prepare(payee, 13)
    await payer.run(() => payer.engine.abandonPay(of))
    return { world, payer, payee, ask: () => payee.run(() => payee.engine.runner.runNow(payee.incoming().id)) }
  }

  test('nothing signed: asked again in an hour, daily after the deadline, and given up after two answers when thirty days have passed', async () => {
    const { world, payee, ask } = await offered()
    const pause = () => (payee.incoming().nextAttemptAt ?? 0) - world.clock.now()
    await ask()
    expect([payee.incoming().state, pause()]).toEqual(['terms', dayMs / 24])
    world.clock.move(8 * dayMs)
    await ask()
    expect([payee.incoming().state, pause()]).toEqual(['terms', dayMs])
    world.clock.move(30 * dayMs)
    await ask()
    expect([payee.incoming().state, pause()]).toEqual(['terms', testConfig.readingGapMs])
    // Asked before its time, it is no second answer.
    await ask()
    expect(payee.incoming().state).toBe('terms')
    world.clock.move(testConfig.readingGapMs)
    await ask()
    expect(payee.incoming()).toMatchObject({ state: 'expired', nextAttemptAt: null })
  })

  test('no answer: asked again, however late', async () => {
    const { world, payee, ask } = await offered()
    world.clock.move(50 * dayMs)
    payee.mint = away
    await ask()
    expect(payee.incoming().state).toBe('terms')
    expect(payee.incoming().nextAttemptAt).toBeGreaterThan(world.clock.now())
  })

  test('all signed by whoever paid for it: final, with a receipt', async () => {
    const { world, payee, ask } = await offered()
    for (const { B_, amount } of payee.incoming().outputs) await signElsewhere(world, B_, amount)
    await ask()
    expect(payee.incoming().state).toBe('final')
    expect(payee.totals().spendable).toBe(13)
  })

  test('some signed, or with another amount: not paid, and the coins are counted', async () => {
    const { world, payee, ask } = await offered()
    const [small, , large] = payee.incoming().outputs
    await signElsewhere(world, small!.B_, 1)
    await signElsewhere(world, large!.B_, 2)
    await ask()
    expect(payee.incoming().state).toBe('terms')
    expect(payee.totals().spendable).toBe(3)
  })
})
