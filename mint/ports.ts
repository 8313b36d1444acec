// What the rules of the mint need of the world. Everything here is a type.
// Points and hashes are lower-case hex of their canonical bytes; times are Unix seconds unless named `Ms`.

/** Milliseconds since 1970 by this computer's clock. */
export type Clock = { readonly now: () => number }

/** Cryptographically secure random bytes. */
export type Random = { readonly bytes: (length: number) => Uint8Array }

/** A keyset as it is stored; its keys are derived from the seed and `index`. */
export type KeysetRecord = {
  readonly id: string
  /** Position in the derivation path, unique in this mint whatever the unit. */
  readonly index: number
  readonly unit: string
  readonly feePpk: number
  readonly finalExpiry: number | null
  readonly active: boolean
}

/** A coin the mint has accepted: what made it acceptable is kept as evidence. */
export type SpentCoin = {
  readonly Y: string
  readonly keysetId: string
  readonly amount: number
  readonly secret: string
  readonly C: string
  /** The witness that unlocked it; null for a plain secret (NUT-07 returns it). */
  readonly witness: string | null
}

/** A blind signature with its DLEQ proof, as it was answered and will be answered for ever. */
export type IssuedSignature = {
  readonly B_: string
  readonly keysetId: string
  readonly amount: number
  readonly C_: string
  readonly e: string
  readonly s: string
}

/** An output whose amount is decided when it is signed (NUT-08). */
export type BlankOutput = { readonly B_: string; readonly keysetId: string }

export type MintQuote = {
  readonly id: string
  readonly unit: string
  readonly amount: number
  /** The invoice. */
  readonly request: string
  readonly paymentHash: string
  readonly state: 'UNPAID' | 'PAID' | 'ISSUED'
  readonly createdAtMs: number
  readonly expiry: number
}

export type MeltQuote = {
  readonly id: string
  readonly unit: string
  readonly amount: number
  readonly feeReserve: number
  readonly request: string
  readonly paymentHash: string
  readonly state: 'UNPAID' | 'PENDING' | 'PAID'
  readonly expiry: number
  /** Which melt request it is PENDING or PAID by; null while UNPAID. */
  readonly requestHash: string | null
  readonly preimage: string | null
}

/**
 * The mint's tables. Synchronous; every write belongs into a `transaction`. A write that returns `false` has changed
 * nothing, because a UNIQUE constraint or the state of the row forbids it: that is how a race is decided.
 */
export type MintStore = KeysetTable &
  CoinTable &
  SignatureTable &
  MintQuoteTable &
  MeltQuoteTable & {
    /** All or nothing, on disk when it returns; rolled back when `work` throws. Not nestable. */
    transaction<T>(work: () => T): T
    close(): void
  }

export type KeysetTable = {
  /** Oldest first. */
  keysets(): readonly KeysetRecord[]
  /** Add an active keyset and deactivate the one of its unit that was active. */
  activateKeyset(keyset: Omit<KeysetRecord, 'active'>, createdAt: number): void
}

export type CoinTable = {
  /** @returns undefined for a coin never seen, which is UNSPENT as far as the mint knows */
  coin(Y: string): { readonly state: 'PENDING' | 'SPENT'; readonly witness: string | null } | undefined
  /** The double-spend rule. @returns false when this `Y` was taken before */
  spend(coin: SpentCoin, requestHash: string): boolean
  /** Like `spend`, for a payment on its way. @returns false when this `Y` was taken before */
  reserve(coin: SpentCoin, requestHash: string, meltQuoteId: string): boolean
}

export type SignatureTable = {
  /** @returns false when this `B_` was signed before, or is a blank output of a melt that is PENDING */
  addSignature(signature: IssuedSignature, requestHash: string, position: number): boolean
  /** What a request was answered with, in the order of its outputs; empty when it never was. */
  signaturesOf(requestHash: string): readonly IssuedSignature[]
  signature(B_: string): IssuedSignature | undefined
  /** Whether `addSignature` would refuse this `B_`. */
  isTaken(B_: string): boolean
}

export type MintQuoteTable = {
  addMintQuote(quote: MintQuote): void
  mintQuote(id: string): MintQuote | undefined
  mintQuoteOf(paymentHash: string): MintQuote | undefined
  /** UNPAID → PAID. @returns false when it was not UNPAID */
  markPaid(mintQuoteId: string): boolean
  /** PAID → ISSUED. @throws AppError `internal` when it was not PAID */
  markIssued(mintQuoteId: string, requestHash: string): void
}

export type MeltQuoteTable = {
  addMeltQuote(quote: MeltQuote): void
  meltQuote(id: string): MeltQuote | undefined
  /** Forget up to `most` quotes that are UNPAID and expired before this, Unix seconds. Others are kept for ever. */
  forgetMeltQuotes(expiredBefore: number, most: number): void
  /** The melt that pays or has paid this invoice: at most one ever does. */
  meltOf(paymentHash: string): MeltQuote | undefined
  pendingMelts(): readonly MeltQuote[]
  /** UNPAID → PENDING. @throws AppError `internal` when it was not UNPAID */
  markPending(meltQuoteId: string, requestHash: string): void
  /** Keep a blank output for a melt that is PENDING. @returns false when this `B_` was signed or is kept already */
  addBlank(blank: BlankOutput, meltQuoteId: string, position: number): boolean
  /** The blank outputs of a PENDING melt, in their order; kept no longer. */
  takeBlanks(meltQuoteId: string): readonly BlankOutput[]
  /** PENDING → PAID, and its coins become SPENT. @returns false, and changes nothing, when it is not PENDING */
  completeMelt(meltQuoteId: string, preimage: string | null, change: number): boolean
  /** PENDING → UNPAID, and its coins and blank outputs are free again. Changes nothing when it is not PENDING. */
  abandonMelt(meltQuoteId: string): void
}

/** An invoice made for a withdraw. */
export type Invoice = {
  /** Payment request as text (for bolt11: the invoice). */
  readonly request: string
  readonly paymentHash: string
  readonly expiry: number
}

/** What somebody else's invoice asks for, in the unit of the quote. */
export type InvoiceTerms = {
  readonly amount: number
  /** Set aside for the cost of paying it. */
  readonly feeReserve: number
  readonly paymentHash: string
  readonly expiry: number
}

/** `unknown`: neither paid nor certainly failed. Unknown is never No. */
export type PaymentOutcome =
  | {
      readonly kind: 'paid'
      readonly preimage: string | null
      /** What it cost of the fee reserve, in the unit; all of it when left out. */
      readonly cost?: number
    }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unknown' }

/** Money outside of the mint: what a withdraw brings in and a melt pays out. */
export type Funding = {
  /** What /v1/info says of the mint that is funded like this. */
  readonly about: { readonly name: string; readonly description: string; readonly motd: string }
  createInvoice(amount: number, unit: string): Promise<Invoice>
  isPaid(quote: MintQuote): Promise<boolean>
  /** @throws MintRefusal when the invoice is none, has no amount, or is not for this funding */
  readInvoice(request: string, unit: string): InvoiceTerms
  /** Pay once per quote id, however often it is called (also after a restart). Rejects only when aborted. */
  pay(quote: MeltQuote, signal: AbortSignal): Promise<PaymentOutcome>
}
