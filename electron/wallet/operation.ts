// Operations: one durable intention each, one row, never deleted. The states are data, so that a test walks them.
//
// withdraw   quoting ─► unpaid ─► issuing ─► done
//               └───────┴──────────┴─► failed            (outputs that were sent are asked about again)
//
// pay        asking ─► agreed ─► settling ◄─► handing_over ─► signed ─► final      (payer side)
//               └────────┴─► abandoned             └─► voided
//   settling, handing_over, signed, voided ─► settled ─► final     the mint first, then tell the payee
//   any of these ─► bounced | dead                                 two readings; looked at again ─► settled, final
//   any of these, dead ─► reclaiming ─► reclaimed | what the facts say
//
// receive    terms ─► signed ─► final                              (payee side)
//               │        └─► bounced | dead                        looked at again ─► final
//               ├─► final                                          the payer settled
//               └─► refused | expired ─► final                     the payer settled all the same
//
// refresh    settling ─► done | dead                               a swap to oneself: re-key, gather, milestone, reclaim
//               └─► lost                                           looked at again ─► done
//
// melt       quoting ─► quoted ─► gathering ─► melting ─► done     cash out: refresh into one purse, melt that purse
//               └─────────┴─► abandoned │         ├─► returning ─► failed
//                                       │         │       └─► done           the payment was faster
//                                       └─────────┴─► failed

import { z } from '../../shared/schema.ts'

const hex = z.string().regex(/^([0-9a-f]{2})*$/)
const count = z.number().int().min(0)

/** An input of a swap as the mint wants it, with its Y. No blinding factor, no DLEQ. */
const swapInput = z.strictObject({ id: z.string(), amount: z.number(), secret: z.string(), C: hex, Y: hex })
const swapOutput = z.strictObject({ amount: z.number(), B_: hex })

/** A signed swap (a handover, when some outputs are the payee's). Never changes once stored. */
const swapRecord = z.strictObject({
  inputs: z.array(swapInput),
  /** In swap order. */
  outputs: z.array(swapOutput),
  /** BIP-340 over the digest: witness of input 0. */
  signature: hex,
  digest: hex,
})
export type SwapRecord = z.infer<typeof swapRecord>

/** The exact bytes of the last request to the mint, stored before they are sent. */
const attempt = z.strictObject({ keysetId: z.string(), body: z.string() })
export type Attempt = z.infer<typeof attempt>

/** The first of two equal readings that together end an operation (protocol section 8). */
const reading = z.strictObject({ kind: z.enum(['bounced', 'dead']), at: count })
export type Reading = z.infer<typeof reading>

const base = {
  id: hex,
  account: count,
  unit: z.string(),
  createdAt: count,
  updatedAt: count,
  /** When the runner looks at it again; null when there is nothing left to do. */
  nextAttemptAt: count.nullable(),
  attempts: count,
  /** Why the last step did not end it, for people who look closely. */
  lastError: z.string().nullable(),
}

const settleFields = {
  swap: swapRecord,
  attempt: attempt.nullable(),
  reading: reading.nullable(),
  /** Since when the mint refuses this swap although nothing is spent or signed; null when it does not. */
  refusedSince: count.nullable(),
  /** Since when an input is PENDING at the mint. */
  pendingSince: count.nullable(),
}

const withdrawBase = { ...base, kind: z.literal('withdraw'), amount: z.number() }
const quoteFields = { quote: z.string(), request: z.string(), expiry: z.number().nullable() }
const issueFields = { ...quoteFields, outputs: z.array(swapOutput), attempt, reading: reading.nullable() }
const withdraw = z.discriminatedUnion('state', [
  z.strictObject({ ...withdrawBase, state: z.literal('quoting') }),
  z.strictObject({ ...withdrawBase, state: z.literal('unpaid'), ...quoteFields }),
  z.strictObject({ ...withdrawBase, state: z.literal('issuing'), ...issueFields }),
  z.strictObject({ ...withdrawBase, state: z.literal('done'), ...quoteFields }),
  /** `outputs` were sent; what the mint signs of them after all is taken. */
  z.strictObject({
    ...withdrawBase,
    state: z.literal('failed'),
    quote: z.string().nullable(),
    outputs: z.array(swapOutput),
  }),
])

const payBase = {
  ...base,
  kind: z.literal('pay'),
  amount: z.number(),
  hello: hex,
  /** Where the payee is reached. */
  payee: z.strictObject({ peerId: z.string(), multiaddrs: z.array(z.string()).readonly() }),
  requestId: z.string().nullable(),
  /** Whether that request is closed by one payment. */
  isSingleUse: z.boolean(),
  memo: z.string().nullable(),
  /** The key a request named: Terms must be signed by it. Null for a payee found on the LAN ("unverified"). */
  expectedKey: hex.nullable(),
}
const termsFields = {
  /** The signed Terms as received: { body, sig } in hex. */
  terms: z.strictObject({ body: hex, sig: hex }),
  payeeName: z.string(),
  payeeKey: hex,
  deadline: count,
}
const paySigned = {
  ...payBase,
  ...termsFields,
  ...settleFields,
  fee: count,
  change: count,
  /** The whole handover frame: the same bytes go out every time. */
  handover: hex,
  claim: z.strictObject({ body: hex, sig: hex }),
  /** Whether the handover frame has left this computer (or may have). */
  handedOver: z.boolean(),
  /** The payee's signed answer: { body, sig }; null until one came. */
  receipt: z.strictObject({ body: hex, sig: hex }).nullable(),
  grade: z.enum(['signed', 'final']).nullable(),
  /** When the payer settles by itself: a random delay after the receipt (protocol section 8). */
  settleAt: count.nullable(),
  refusal: z.strictObject({ body: hex, sig: hex }).nullable(),
  /** From Handover to Receipt, milliseconds, of the last receipt. */
  answeredInMs: z.number().nullable(),
  reclaim: hex.nullable(),
}
const pay = z.discriminatedUnion('state', [
  z.strictObject({ ...payBase, state: z.literal('asking') }),
  /** `fee` is what the person is shown; confirming costs no more. */
  z.strictObject({ ...payBase, ...termsFields, fee: count, state: z.literal('agreed') }),
  z.strictObject({ ...payBase, state: z.literal('abandoned'), reason: z.string() }),
  z.strictObject({ ...paySigned, state: z.literal('settling') }),
  z.strictObject({ ...paySigned, state: z.literal('handing_over') }),
  z.strictObject({ ...paySigned, state: z.literal('signed') }),
  z.strictObject({ ...paySigned, state: z.literal('voided') }),
  z.strictObject({ ...paySigned, state: z.literal('reclaiming') }),
  z.strictObject({ ...paySigned, state: z.literal('settled'), settledHandover: hex }),
  z.strictObject({ ...paySigned, state: z.literal('final'), settledHandover: hex.nullable() }),
  z.strictObject({ ...paySigned, state: z.literal('bounced') }),
  z.strictObject({ ...paySigned, state: z.literal('dead') }),
  z.strictObject({ ...paySigned, state: z.literal('reclaimed') }),
])

const receiveBase = {
  ...base,
  kind: z.literal('receive'),
  amount: z.number(),
  payerPeer: hex,
  /** Address the Hello came from, without port; limits are counted by it. */
  payerAddress: z.string(),
  paymentId: hex,
  helloHash: hex,
  requestId: z.string().nullable(),
  memo: z.string().nullable(),
  terms: z.strictObject({ body: hex, sig: hex }),
  termsHash: hex,
  /** What the payer is to have signed, in Terms order. */
  outputs: z.array(swapOutput),
  deadline: count,
}
const handoverFields = {
  ...settleFields,
  /** When it was accepted, milliseconds. */
  signedAt: count,
  /** Why there is no receipt yet: above the seller's limits before it is settled, or before the mint was asked. */
  withheld: z.enum(['limits', 'mint']).nullable(),
  handoverHash: hex,
  claim: z.strictObject({ body: hex, sig: hex }),
  purseKey: hex,
}
const answered = { receipt: z.strictObject({ body: hex, sig: hex }) }
const receive = z.discriminatedUnion('state', [
  z.strictObject({ ...receiveBase, state: z.literal('terms') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('signed') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('bounced') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('dead') }),
  z.strictObject({
    ...receiveBase,
    ...answered,
    state: z.literal('final'),
    handoverHash: hex.nullable(),
    claim: z.strictObject({ body: hex, sig: hex }).nullable(),
  }),
  z.strictObject({
    ...receiveBase,
    state: z.literal('refused'),
    handoverHash: hex,
    refusal: z.strictObject({ body: hex, sig: hex }),
    code: z.string(),
  }),
  z.strictObject({ ...receiveBase, state: z.literal('expired') }),
])

const refreshBase = {
  ...base,
  ...settleFields,
  kind: z.literal('refresh'),
  amount: z.number(),
  fee: count,
  reason: z.enum(['rekey', 'reclaim', 'gather']),
  /** The operation it serves: the payment or cash out whose coins come back, or the cash out that gathers. */
  reclaims: hex.nullable(),
  /** The purse that is filled: store id. */
  target: count,
}
const refresh = z.discriminatedUnion('state', [
  z.strictObject({ ...refreshBase, state: z.literal('settling') }),
  z.strictObject({ ...refreshBase, state: z.literal('done') }),
  z.strictObject({ ...refreshBase, state: z.literal('lost') }),
  z.strictObject({ ...refreshBase, state: z.literal('dead') }),
])

const meltBase = {
  ...base,
  kind: z.literal('melt'),
  /** What the invoice asks for; 0 until the mint has named it in this unit. */
  amount: count,
  /** Lightning invoice (NUT-23), lower case. */
  invoice: z.string(),
}
const meltQuote = {
  ...meltBase,
  quote: z.string(),
  /** Set aside for the Lightning network; what is left comes back where the mint serves NUT-08. */
  feeReserve: count,
  /** Unix seconds; null when the mint names none. */
  expiry: count.nullable(),
  /** Milliseconds: until when a person may confirm. */
  confirmBy: count,
  returnsChange: z.boolean(),
  /** Fees of the mint for the swaps that gather and for the melt: what the person is shown, and pays at most. */
  fee: count,
}
/** A swap to oneself that is still to be made: its inputs by Y, what goes into the purse to melt and what comes home. */
const gatherSwap = z.strictObject({
  Ys: z.array(hex),
  amounts: z.array(z.number()),
  rest: z.array(z.number()),
})
export type GatherSwap = z.infer<typeof gatherSwap>
/** Ids of the swaps to oneself that were made for it; the last one is waited for. */
const gathered = { swaps: z.array(hex), purse: count }
/** The first of two equal readings: refused though nothing is spent; spent though not paid; paid with other coins; … */
const meltReading = z.strictObject({
  kind: z.enum(['refused', 'spent', 'elsewhere', 'broken', 'unchanged']),
  at: count,
})
export type MeltReading = z.infer<typeof meltReading>
const meltSent = {
  ...meltQuote,
  ...gathered,
  /** The mint's fee for the coins that are given, and what these are. */
  meltFee: count,
  Ys: z.array(hex),
  /** Blank outputs for what is left of the fee reserve (NUT-08), amounts as signed. */
  outputs: z.array(swapOutput),
  /** The exact request, stored before it is sent. */
  body: z.string(),
  reading: meltReading.nullable(),
  /** Since when the payment is on its way. */
  pendingSince: count.nullable(),
}
const melt = z.discriminatedUnion('state', [
  z.strictObject({ ...meltBase, state: z.literal('quoting') }),
  z.strictObject({ ...meltQuote, state: z.literal('quoted') }),
  /** `purse`: store id of the one that will be melted. */
  z.strictObject({ ...meltQuote, ...gathered, plan: z.array(gatherSwap), state: z.literal('gathering') }),
  z.strictObject({ ...meltSent, state: z.literal('melting') }),
  /** `reason`: why it was not paid. */
  z.strictObject({ ...meltSent, reason: z.string(), state: z.literal('returning') }),
  /** `change` came back of the fee reserve. */
  z.strictObject({
    ...meltQuote,
    meltFee: count,
    change: count,
    preimage: z.string().nullable(),
    state: z.literal('done'),
  }),
  /** `fee` is what was paid for swaps. */
  z.strictObject({ ...meltQuote, reason: z.string(), state: z.literal('failed') }),
  z.strictObject({ ...meltBase, reason: z.string(), state: z.literal('abandoned') }),
])

export const operationSchema = z.discriminatedUnion('kind', [withdraw, pay, receive, refresh, melt])
export type Operation = z.infer<typeof operationSchema>
export type OperationKind = Operation['kind']
export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>
export type OperationIn<K extends OperationKind, S extends string> = Extract<Operation, { kind: K; state: S }>

type Transitions = {
  readonly [K in OperationKind]: Readonly<Record<OperationOf<K>['state'], readonly OperationOf<K>['state'][]>>
}

/** Which state may follow which. A state may always follow itself (a retry noted). Empty = the end. */
export const transitions: Transitions = {
  withdraw: {
    quoting: ['unpaid', 'failed'],
    unpaid: ['issuing', 'failed'],
    issuing: ['done', 'failed'],
    done: [],
    failed: [],
  },
  pay: {
    asking: ['agreed', 'abandoned'],
    agreed: ['settling', 'handing_over', 'abandoned'],
    abandoned: [],
    settling: ['settled', 'handing_over', 'bounced', 'dead', 'reclaiming'],
    handing_over: ['settling', 'signed', 'settled', 'voided', 'bounced', 'dead', 'reclaiming'],
    signed: ['settled', 'final', 'bounced', 'dead', 'reclaiming'],
    voided: ['settled', 'final', 'bounced', 'dead', 'reclaiming'],
    reclaiming: ['reclaimed', 'settled', 'final', 'bounced', 'dead'],
    settled: ['final'],
    final: [],
    bounced: ['settled', 'final'],
    dead: ['reclaiming', 'settled', 'final'],
    reclaimed: [],
  },
  receive: {
    terms: ['signed', 'final', 'refused', 'expired'],
    signed: ['final', 'bounced', 'dead'],
    bounced: ['final'],
    dead: ['final'],
    refused: ['final'],
    expired: ['final'],
    final: [],
  },
  refresh: {
    settling: ['done', 'lost', 'dead'],
    done: [],
    lost: ['done'],
    dead: [],
  },
  melt: {
    quoting: ['quoted', 'abandoned'],
    quoted: ['gathering', 'abandoned'],
    gathering: ['melting', 'failed'],
    melting: ['done', 'returning', 'failed'],
    returning: ['done', 'failed'],
    done: [],
    failed: [],
    abandoned: [],
  },
}

/** Whether an operation may go from one state to another. */
export function mayFollow(kind: OperationKind, from: string, to: string): boolean {
  const table: Readonly<Record<string, readonly string[]>> = transitions[kind]
  return from === to || (table[from] ?? []).includes(to)
}
