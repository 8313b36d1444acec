// Every message of the /v1 HTTP interface between wallet and mint, as schemas that both sides use, with their limits.
// NUT-01…07, 09, 12, 23; error codes from the NUTs' error_codes page.

import { maxAmount } from '../amount.ts'
import { readAs, z } from '../schema.ts'

/** Most inputs and most outputs in one request (protocol section 3; nutshell and CDK allow at least as many). */
export const maxInputs = 64
export const maxOutputs = 64
/** Most `B_` or `Y` in one restore or check: what cashu-ts asks for at once. */
export const maxLookups = 300
/** Longest secret and witness, in characters: the limit of both reference mints. */
export const maxSecretLength = 1024
/**
 * Longest invoice that is asked about, in characters. BOLT 11: 1,030 for the longest description, 350 for all else that
 * stands in one, 90 for each hop of a hint; those in the field have three at most.
 */
export const maxInvoiceLength = 2_000
/** Most entries of a map whose names are not ours: keys by denomination (64 in the field), and NUTs by number (30). */
const maxEntries = 256

const pointHex = z.string().regex(/^0[23][0-9a-fA-F]{64}$/)
const scalarHex = z.string().regex(/^[0-9a-fA-F]{64}$/)
const keysetId = z.string().regex(/^([0-9a-f]{16}|[0-9a-f]{66})$/)
const amount = z.number().int().min(1).max(maxAmount)
const unit = z.string().regex(/^[a-z0-9_-]{1,32}$/)
const quoteId = z.string().min(1).max(200)
const time = z.number().int().min(0).max(maxAmount)
/** A map whose entries are counted before they are read: a long one of what does not fit costs most of a second. */
const mapOf = <T extends z.ZodType>(maxNameLength: number, value: T) =>
  z
    .custom<Readonly<Record<string, unknown>>>(isShortMap, 'not a map, or one with too many entries')
    .pipe(z.record(z.string().max(maxNameLength), value))
const isShortMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length <= maxEntries

export const proofSchema = z.object({
  amount,
  id: keysetId,
  secret: z.string().min(1).max(maxSecretLength),
  C: pointHex,
  witness: z.string().max(maxSecretLength).nullish(),
  dleq: z.unknown().optional(),
})
export type Proof = z.infer<typeof proofSchema>

export const blindedMessageSchema = z.object({ amount, id: keysetId, B_: pointHex })
export type BlindedMessage = z.infer<typeof blindedMessageSchema>
/** An output whose amount somebody else decides (NUT-08), or does not matter (NUT-09, where cashu-ts asks with 0). */
const outputOfAnyAmount = blindedMessageSchema.extend({ amount: z.number().int().min(0).max(maxAmount) })

// Every list says how long it may be: zod counts before it reads, and one long list of what does not fit costs seconds.
const inputsSchema = z.array(proofSchema).min(1).max(maxInputs)
const outputsSchema = z.array(blindedMessageSchema).min(1).max(maxOutputs)

/** As a wallet reads it: a signature without DLEQ is refused later with `bad_dleq`, not here. */
export const blindSignatureSchema = z.object({
  amount,
  id: keysetId,
  C_: pointHex,
  dleq: z.object({ e: scalarHex, s: scalarHex }).nullish(),
})
export type BlindSignature = z.infer<typeof blindSignatureSchema>

// NUT-01, NUT-02
export const keysetInfoSchema = z.object({
  id: keysetId,
  unit,
  active: z.boolean(),
  input_fee_ppk: z.number().int().min(0).max(1_000_000).nullish(),
  final_expiry: time.nullish(),
})
export const keysetsResponseSchema = z.object({ keysets: z.array(keysetInfoSchema).max(1000) })
export type KeysetsResponse = z.infer<typeof keysetsResponseSchema>
/** As a wallet reads it: keysets of forms it does not know (old base64 ids) are left out, the others stand. */
export const knownKeysetsSchema = z
  .object({ keysets: z.array(z.unknown()).max(1000) })
  .transform(({ keysets }) => ({ keysets: keysets.flatMap((one) => readAs(keysetInfoSchema, one).data ?? []) }))

export const keysetKeysSchema = keysetInfoSchema
  .omit({ active: true })
  .extend({ active: z.boolean().nullish(), keys: mapOf(20, z.string().max(130)) })
export const keysResponseSchema = z.object({ keysets: z.array(keysetKeysSchema).max(100) })
export type KeysResponse = z.infer<typeof keysResponseSchema>

// NUT-03
export const swapRequestSchema = z.object({
  inputs: inputsSchema,
  outputs: outputsSchema,
})
export type SwapRequest = z.infer<typeof swapRequestSchema>
export const signaturesResponseSchema = z.object({ signatures: z.array(blindSignatureSchema).max(maxOutputs) })
export type SignaturesResponse = z.infer<typeof signaturesResponseSchema>

// NUT-04, NUT-23
export const mintQuoteRequestSchema = z.object({
  amount,
  unit,
  description: z.string().max(640).nullish(),
})
export type MintQuoteRequest = z.infer<typeof mintQuoteRequestSchema>
export const mintQuoteResponseSchema = z.object({
  quote: quoteId,
  request: z.string().max(4096),
  amount: amount.nullish(),
  unit: unit.nullish(),
  state: z.enum(['UNPAID', 'PENDING', 'PAID', 'ISSUED']),
  expiry: time.nullish(),
})
export type MintQuoteResponse = z.infer<typeof mintQuoteResponseSchema>
export const mintRequestSchema = z.object({ quote: quoteId, outputs: outputsSchema })
export type MintRequest = z.infer<typeof mintRequestSchema>

// NUT-05, NUT-23
export const meltQuoteRequestSchema = z.object({
  request: z.string().min(1).max(maxInvoiceLength),
  unit,
  options: z.unknown().optional(),
})
export type MeltQuoteRequest = z.infer<typeof meltQuoteRequestSchema>
export const meltQuoteResponseSchema = z.object({
  quote: quoteId,
  request: z.string().max(4096).nullish(),
  amount,
  unit: unit.nullish(),
  fee_reserve: z.number().int().min(0).max(maxAmount),
  state: z.enum(['UNPAID', 'PENDING', 'PAID']),
  expiry: time.nullish(),
  payment_preimage: z.string().max(200).nullish(),
  /** What is left of the fee reserve, on the blank outputs of the melt (NUT-08). */
  change: z.array(blindSignatureSchema).max(maxOutputs).nullish(),
})
export type MeltQuoteResponse = z.infer<typeof meltQuoteResponseSchema>
export const meltRequestSchema = z.object({
  quote: quoteId,
  inputs: inputsSchema,
  /** Blank (NUT-08): their amounts are ignored but signed. */
  outputs: z.array(outputOfAnyAmount).max(maxOutputs).nullish(),
  prefer_async: z.boolean().nullish(),
})
export type MeltRequest = z.infer<typeof meltRequestSchema>

// NUT-06
export const infoResponseSchema = z.object({
  name: z.string().max(200).nullish(),
  pubkey: z.string().max(130).nullish(),
  version: z.string().max(200).nullish(),
  description: z.string().max(2000).nullish(),
  motd: z.string().max(2000).nullish(),
  nuts: mapOf(8, z.unknown()),
})
export type InfoResponse = z.infer<typeof infoResponseSchema>

// NUT-07
export const checkStateRequestSchema = z.object({ Ys: z.array(pointHex).min(1).max(maxLookups) })
export type CheckStateRequest = z.infer<typeof checkStateRequestSchema>
export const coinStateSchema = z.enum(['UNSPENT', 'PENDING', 'SPENT'])
export type CoinStateAtMint = z.infer<typeof coinStateSchema>
export const checkStateResponseSchema = z.object({
  states: z
    .array(z.object({ Y: pointHex, state: coinStateSchema, witness: z.string().max(4096).nullish() }))
    .max(maxLookups),
})
export type CheckStateResponse = z.infer<typeof checkStateResponseSchema>

// NUT-09
export const restoreRequestSchema = z.object({ outputs: z.array(outputOfAnyAmount).min(1).max(maxLookups) })
export type RestoreRequest = z.infer<typeof restoreRequestSchema>
/** `outputs` is an echo that wallets ignore; only `signatures` is read. */
export const restoreResponseSchema = z.object({
  outputs: z.array(z.unknown()).max(maxLookups).nullish(),
  signatures: z.array(blindSignatureSchema).max(maxLookups),
})
export type RestoreResponse = z.infer<typeof restoreResponseSchema>

/** What a mint answers with status 400 (NUT-00). */
export const errorResponseSchema = z.object({ detail: z.string().max(2000), code: z.number().int() })
export type ErrorResponse = z.infer<typeof errorResponseSchema>

/** Error codes of the NUTs (error_codes page), by the name this project uses. */
export const nutErrors = {
  proofInvalid: 10001,
  alreadySpent: 11001,
  proofsPending: 11002,
  outputsAlreadySigned: 11003,
  outputsPending: 11004,
  notBalanced: 11005,
  amountOutsideLimit: 11006,
  duplicateInputs: 11007,
  duplicateOutputs: 11008,
  multipleUnits: 11009,
  unitMismatch: 11010,
  amountlessInvoice: 11011,
  amountMismatch: 11012,
  unitNotSupported: 11013,
  maxInputs: 11014,
  maxOutputs: 11015,
  keysetUnknown: 12001,
  keysetInactive: 12002,
  keysetExpired: 12003,
  quoteNotPaid: 20001,
  quoteAlreadyIssued: 20002,
  mintingDisabled: 20003,
  paymentFailed: 20004,
  quotePending: 20005,
  invoiceAlreadyPaid: 20006,
  quoteExpired: 20007,
} as const
export type NutError = (typeof nutErrors)[keyof typeof nutErrors]
