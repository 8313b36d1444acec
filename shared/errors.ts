// One error class and one closed list of codes for everything that can go wrong on any edge.

/** Every code a person, a peer or a caller of the contract can meet. `words.ts` of the renderer is total over it. */
export const errorCodes = [
  // what a caller sent
  'bad_input',
  'unknown_command',
  'not_found',
  'wrong_state',
  // amounts and coins
  'amount_out_of_range',
  'not_enough',
  'no_single_purse',
  'dust',
  // mints
  'mint_unknown',
  'mint_exists',
  'mint_unreachable',
  'mint_bad_answer',
  'mint_refused',
  'mint_unsuitable',
  'mint_lies',
  'keyset_unknown',
  'keyset_expired',
  'keyset_twin',
  'unit_unknown',
  'bad_dleq',
  // payments between peers
  'peer_unreachable',
  'peer_timeout',
  'bad_frame',
  'frame_too_large',
  'bad_terms',
  'relayed_terms',
  'terms_expired',
  'wrong_payee',
  'conflict',
  'request_closed',
  'too_many_terms',
  'limit_single',
  'limit_total',
  'limit_rate',
  'online_only',
  'bad_handover',
  'coin_seen',
  'wrong_fee',
  'bad_signature',
  'missing_dleq',
  'not_settled',
  // this computer
  'folder_in_use',
  'folder_damaged',
  'folder_too_new',
  'disk_full',
  'disk_unwritable',
  'no_phrase',
  'bad_phrase',
  'phrase_sealed',
  'locked',
  'wrong_passphrase',
  'too_many_tries',
  'weak_passphrase',
  'bad_backup',
  'foreign_backup',
  'backup_too_new',
  'backup_folder',
  'not_empty',
  'practice_failed',
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export type AppErrorOptions = {
  readonly cause?: unknown
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable?: boolean
  /** Amounts that the words of the code mention, such as the largest payable one. Never a secret. */
  readonly facts?: ErrorFacts
}

export type ErrorFacts = Readonly<Record<string, number>>

/** "Cannot go on." `message` is for a developer; people see the words of the code. It never carries a secret. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.facts = options.facts ?? {}
  }
}

/** Narrow anything thrown to an `AppError`; what is none becomes `internal`, with the original as cause. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('internal', 'unexpected failure', { cause: thrown })
}

/** Marks the end of a total switch: a new alternative is a compile error here. */
export function never(value: never): never {
  throw new AppError('internal', `unexpected value ${String(value)}`)
}
