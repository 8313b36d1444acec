// Operations: one durable intention each, one row, never deleted. The states are data, so that a test walks them.
//
// withdraw   quoting ─► unpaid ─► issuing ─► done
//               └───────┴──────────┴─► failed            (outputs that were sent are asked about again, and the quote)
//   failed ─► issuing: the quote is paid after all
//
// pay        asking ─► agreed ─► settling ◄─► handing_over ─► signed ─► final      (payer side)
//               └────────┴─► abandoned             └─► voided
//   settling, handing_over, signed, voided ─► settled ─► final     the mint first, then tell the payee
//   any of these ─► bounced | dead                                 two readings; looked at again ─► settled, final
//   any of these, dead, bounced ─► reclaiming ─► reclaimed | what the facts say
//   bounced ─► reclaimed: the reclaim that looked lost has passed after all
//   bounced ─► settling | signed: its coins are not spent after all, it goes on where it was
//   dead ─► replaced: signed anew as a payment of its own, which stands in its place
//   any of these ─► replaced: what it was signed anew for has passed after all, and stands in its place
//
// receive    terms ─► signed ─► final                              (payee side)
//               │        └─► bounced | dead                        looked at again ─► final
//               ├─► final                                          the payer settled
//               └─► refused | expired ─► final                     the payer settled all the same
//   dead ─► replaced ─► final                                      as above
//
// refresh    settling ─► done | dead                               a swap to oneself: re-key, gather, milestone, reclaim
//               └─► lost                                           looked at again ─► done
//
// melt       quoting ─► quoted ─► gathering ─► melting ─► done     cash out: refresh into one purse, melt that purse
//               └─────────┴─► abandoned │         ├─► returning ─► failed
//                                       │         │       └─► done           the payment was faster
//                                       └─────────┴─► failed
//
// restore    looking ─► found                                      the coins of the phrase at one mint; again is a new one

import { z } from '../../shared/schema.ts'
import { searchCursor } from './restore-plan.ts'

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

/**
 * What a payment signs anew: the operation whose handover is dead, and the swap digest by which the payee knows it
 * (null when no handover of it may have left this computer). Null for a payment of its own.
 */
const replaces = z.strictObject({ id: hex, digest: hex.nullable() }).nullable().default(null)
/** The operation that signs this one anew; in state `replaced` the one that stands in its place. */
const replacedBy = hex.nullable().default(null)

const withdrawBase = { ...base, kind: z.literal('withdraw'), amount: z.number() }
/** `quote`: the mint's name of it, sealed by `Secrets.sealText`, since whoever knows it can take the deposit (NUT-04). */
const quoteFields = { quote: z.string(), request: z.string(), expiry: z.number().nullable() }
/** With the quote, these make the exact request. Rows of older programs hold its bytes, too. */
const issueAttempt = z.object({ keysetId: z.string() })
/** The first of two equal readings that a quote is lost: not paid in time, or used by somebody else. */
const quoteReading = z.strictObject({ kind: z.enum(['unpaid', 'issued']), at: count })
export type QuoteReading = z.infer<typeof quoteReading>
/** Outputs that were asked for before, in denominations that no active keyset has any more. What is signed of them is taken. */
const earlier = z.array(swapOutput).default([])
const issueFields = {
  ...quoteFields,
  outputs: z.array(swapOutput),
  earlier,
  attempt: issueAttempt,
  reading: reading.nullable(),
}
const withdraw = z.discriminatedUnion('state', [
  z.strictObject({ ...withdrawBase, state: z.literal('quoting') }),
  z.strictObject({
    ...withdrawBase,
    state: z.literal('unpaid'),
    ...quoteFields,
    reading: quoteReading.nullable().default(null),
  }),
  z.strictObject({ ...withdrawBase, state: z.literal('issuing'), ...issueFields }),
  z.strictObject({ ...withdrawBase, state: z.literal('done'), ...quoteFields }),
  /**
   * `outputs` were sent; what the mint signs of them after all is taken. A quote is looked at again where its request is
   * known, which older programs did not keep.
   */
  z.strictObject({
    ...withdrawBase,
    state: z.literal('failed'),
    quote: z.string().nullable(),
    request: z.string().nullable().default(null),
    expiry: z.number().nullable().default(null),
    outputs: z.array(swapOutput),
    earlier,
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
  replaces,
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
  replacedBy,
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
  z.strictObject({ ...paySigned, state: z.literal('replaced') }),
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
  replaces,
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
  replacedBy,
}
const answered = { receipt: z.strictObject({ body: hex, sig: hex }) }
const receive = z.discriminatedUnion('state', [
  z.strictObject({ ...receiveBase, state: z.literal('terms') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('signed') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('bounced') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('dead') }),
  z.strictObject({ ...receiveBase, ...handoverFields, ...answered, state: z.literal('replaced') }),
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
    /** '' when none came: the payer settled, and the keyset of its signatures has ended. */
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
  /** `restore`: coins that rested come home. */
  reason: z.enum(['rekey', 'reclaim', 'gather', 'restore']),
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

/** Amounts found, by unit. */
const tally = z.strictObject({ unit: z.string(), amount: count, coins: count })
export type Tally = z.infer<typeof tally>
/** An output that is known to be signed: an answer without it is not whole. */
const sentinel = z.strictObject({ B_: hex, keysetId: z.string(), amount: z.number(), C_: hex })
export type Sentinel = z.infer<typeof sentinel>
const restoreBase = {
  ...base,
  kind: z.literal('restore'),
  /** Of no unit, and 0: what was found has several. */
  amount: count,
  /** Which call for a search this answers: each mint is searched once for each. */
  round: count,
  /** A person asked for it, after one that was done. */
  isAgain: z.boolean(),
  cursor: searchCursor,
  sentinels: z.array(sentinel),
  /** Keysets with a sentinel since this pass began; a pass under fewer than are known is not the last. */
  guarded: z.array(z.string()),
  /** Others with coins of ours, of which nothing shows that the answers of this pass left none out. */
  unchecked: z.array(z.string()).default([]),
  /** Outputs in the next question, and how many of them were answered whole at least. */
  room: count,
  most: count,
  /** Whether the keysets of the mint were fetched for this search. */
  isSynced: z.boolean(),
  asked: count,
  /** Coins that were not known here, unspent: of keysets that last, and of those that have ended. */
  found: z.array(tally),
  expired: z.array(tally),
  /** How many were spent. */
  spent: count,
  /** Signatures under keys that the mint does not tell, and others that make no coin. */
  unreadable: count,
}
const restore = z.discriminatedUnion('state', [
  z.strictObject({ ...restoreBase, state: z.literal('looking') }),
  z.strictObject({ ...restoreBase, state: z.literal('found') }),
])

export const operationSchema = z.discriminatedUnion('kind', [withdraw, pay, receive, refresh, melt, restore])
export type Operation = z.infer<typeof operationSchema>
export type OperationKind = Operation['kind']
export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>
export type OperationIn<K extends OperationKind, S extends string> = Extract<Operation, { kind: K; state: S }>

/** `lastError` of an operation whose coins' keyset has expired: an alarm, never an end. */
export const expiredReason = 'the keyset of a coin has expired'

/**
 * Whether the mint has said nothing of these coins that speaks against them: neither SPENT nor PENDING, no refusal, no
 * keyset that has ended. Only such a payment may get its first receipt.
 */
export const isUnopposed = (operation: OperationIn<'receive', 'signed'>): boolean =>
  operation.reading === null &&
  operation.pendingSince === null &&
  operation.refusedSince === null &&
  operation.lastError !== expiredReason

/**
 * What people are told is signed: it has its receipt, or the mint was asked about it and does not answer. The store counts
 * the same ones in `signedToUs`.
 */
export const countsAsSigned = (operation: OperationIn<'receive', 'signed'>): boolean =>
  operation.withheld === null || (operation.withheld === 'mint' && operation.attempts > 0 && isUnopposed(operation))

/** A receipt that has left stays so, also in what somebody stores who read the row before. */
export const keepReceipt = (known: Operation, next: Operation): Operation =>
  'withheld' in known && known.withheld === null && 'withheld' in next ? { ...next, withheld: null } : next

/** Coins, by Y, that this operation may yet send a signature over; none for one that is over or only looks. */
export function promisedBy(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case 'pay':
      return 'swap' in operation && senders.has(operation.state) ? operation.swap.inputs.map(({ Y }) => Y) : []
    case 'refresh':
      return operation.state === 'settling' ? operation.swap.inputs.map(({ Y }) => Y) : []
    case 'melt':
      return operation.state === 'melting' ? operation.Ys : []
    case 'withdraw':
    case 'receive':
    case 'restore':
      return []
  }
}

const senders: ReadonlySet<string> = new Set(['settling', 'handing_over', 'signed', 'voided', 'dead', 'bounced'])

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
    failed: ['issuing'],
  },
  pay: {
    asking: ['agreed', 'abandoned'],
    agreed: ['settling', 'handing_over', 'abandoned'],
    abandoned: [],
    settling: ['settled', 'handing_over', 'bounced', 'dead', 'reclaiming', 'replaced'],
    handing_over: ['settling', 'signed', 'settled', 'voided', 'bounced', 'dead', 'reclaiming', 'replaced'],
    signed: ['settled', 'final', 'bounced', 'dead', 'reclaiming', 'replaced'],
    voided: ['settled', 'final', 'bounced', 'dead', 'reclaiming', 'replaced'],
    reclaiming: ['reclaimed', 'settled', 'final', 'bounced', 'dead', 'replaced'],
    settled: ['final'],
    final: [],
    bounced: ['settling', 'signed', 'reclaiming', 'settled', 'final', 'reclaimed', 'replaced'],
    dead: ['reclaiming', 'settled', 'final', 'replaced'],
    replaced: ['settled', 'final'],
    reclaimed: [],
  },
  receive: {
    terms: ['signed', 'final', 'refused', 'expired'],
    signed: ['final', 'bounced', 'dead', 'replaced'],
    bounced: ['final', 'replaced'],
    dead: ['final', 'replaced'],
    replaced: ['final'],
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
  restore: {
    looking: ['found'],
    found: [],
  },
}

/** Whether an operation may go from one state to another. */
export function mayFollow(kind: OperationKind, from: string, to: string): boolean {
  const table: Readonly<Record<string, readonly string[]>> = transitions[kind]
  return from === to || (table[from] ?? []).includes(to)
}
