// How the mint says No: an error with a code of the NUTs and a sentence, answered with status 400 (NUT-00).

import type { NutError } from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'

/** For what the NUTs have no code for: a request that is not well formed, an unknown quote, a feature not served. */
export const unspecified = 0

export type RefusalCode = NutError | typeof unspecified

/** A final No to this very request. `message` goes to the wallet as `detail`; it never carries a secret. */
export class MintRefusal extends Error {
  readonly code: RefusalCode

  constructor(code: RefusalCode, detail: string) {
    super(detail)
    this.name = 'MintRefusal'
    this.code = code
  }
}

/** @throws MintRefusal always */
export function refuse(code: RefusalCode, detail: string): never {
  throw new MintRefusal(code, detail)
}

/** Run a check of `shared/`; what it rejects becomes a refusal. @throws MintRefusal */
export function orRefuse<T>(check: () => T, code: RefusalCode, detail: string): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof AppError) refuse(code, detail)
    throw error
  }
}
