// One way in for every host: a command's name and unknown input, validated by the contract, answered with a reply.

import { AppError } from '../shared/errors.ts'
import {
  type CommandName,
  commands,
  type Handlers,
  type InputOf,
  isCommandName,
  type OutputOf,
  type Reply,
  toErrorReply,
} from '../shared/ipc.ts'
import { readAs, type z } from '../shared/schema.ts'

export type Router = (name: string, input: unknown) => Promise<Reply<unknown>>

/** @param report told of failures that are defects (`internal`), with their cause */
export function createRouter(handlers: Handlers, report: (error: AppError) => void): Router {
  return async (name, input) => {
    try {
      if (!isCommandName(name)) throw new AppError('unknown_command', 'no such command')
      return { ok: true, value: await call(handlers, name, input) }
    } catch (thrown) {
      const reply = toErrorReply(thrown)
      if (reply.code === 'internal') report(new AppError('internal', `${name} failed`, { cause: thrown }))
      return { ok: false, error: reply }
    }
  }
}

/** The contract, written so that a command's schema and its handler are seen to belong together. */
const inputs: { readonly [N in CommandName]: { readonly input: z.ZodType<InputOf<N>> } } = commands

function call<N extends CommandName>(handlers: Handlers, name: N, input: unknown): Promise<OutputOf<N>> {
  const parsed = readAs(inputs[name].input, input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new AppError(
      'bad_input',
      `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not understood'}`.trim(),
    )
  }
  return handlers[name](parsed.data)
}
