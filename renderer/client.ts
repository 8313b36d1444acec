// Commands as functions, typed by the contract.

import { AppError } from '../shared/errors.ts'
import type { CommandName, InputOf, OutputOf, Reply } from '../shared/ipc.ts'
import { createBridge } from './bridge.ts'

export const bridge = createBridge()

/** Ask the host. @throws AppError with the code the host gave, or `internal` (retryable) when there is no answer */
export async function call<N extends CommandName>(name: N, input: InputOf<N>): Promise<OutputOf<N>> {
  const reply = await bridge.call(name, input).catch((cause: unknown) => {
    throw new AppError('internal', `${name}: no answer`, { cause, retryable: true })
  })
  if (!isReplyOf<N>(reply)) throw new AppError('internal', `${name}: not a reply`)
  if (reply.ok) return reply.value
  const { code, message, retryable, facts } = reply.error
  throw new AppError(code, message, { retryable, facts })
}

/** The host and this window are one program of one version: it is trusted to keep the contract it was compiled with. */
function isReplyOf<N extends CommandName>(reply: unknown): reply is Reply<OutputOf<N>> {
  return typeof reply === 'object' && reply !== null && 'ok' in reply && ('value' in reply || 'error' in reply)
}
