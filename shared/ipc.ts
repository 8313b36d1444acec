// THE contract: every command a host serves, with the schema of its input and the type of its answer, and every event.
// Handlers, bridges, clients and test doubles are derived from it: a new command is a compile error until it is handled.

import { maxAmount } from './amount.ts'
import { AppError, type ErrorCode, type ErrorFacts, toAppError } from './errors.ts'
import { maxMemoBytes, utf8UpTo } from './messages.ts'
import type {
  AuditView,
  ClaimView,
  MintView,
  NearbyView,
  PaymentView,
  PayPreviewView,
  RequestView,
  WithdrawView,
} from './model.ts'
import { z } from './schema.ts'

const amount = z.number().int().min(1).max(maxAmount)
const unit = z.string().regex(/^[a-z0-9_-]{1,32}$/)
const url = z.string().min(1).max(512)
const id = z.string().regex(/^[0-9a-f]{32}$/)
const memo = utf8UpTo(maxMemoBytes)
const nothing = z.strictObject({})

/** Ties an input schema to the type of the answer, which exists at compile time only. */
const command =
  <Output>() =>
  <Input>(input: z.ZodType<Input>) => ({ input, output: undefined as Output | undefined })

export const commands = {
  'mints.list': command<readonly MintView[]>()(nothing),
  'mints.add': command<MintView>()(z.strictObject({ url })),
  /** Ask every mint now; answers when all have answered or timed out. */
  'mints.sync': command<readonly MintView[]>()(nothing),
  'withdraw.start': command<WithdrawView>()(z.strictObject({ mintUrl: url, unit, amount })),
  'withdraw.get': command<WithdrawView>()(z.strictObject({ id })),
  'request.create': command<RequestView>()(
    z.strictObject({
      mintUrl: url,
      unit,
      amount: amount.optional(),
      description: z.string().max(200).optional(),
      singleUse: z.boolean(),
    }),
  ),
  'pay.prepare': command<PayPreviewView>()(
    z.strictObject({
      request: z.string().min(1).max(4096),
      amount: amount.optional(),
      memo: memo.optional(),
      /** Pay with coins of this mint, for one that the request names by another address. */
      mintUrl: url.optional(),
    }),
  ),
  /** Pay somebody found on the LAN: nobody vouches for the key that will sign the Terms. */
  'pay.prepareNearby': command<PayPreviewView>()(
    z.strictObject({ peerId: z.string().min(20).max(128), mintUrl: url, unit, amount, memo: memo.optional() }),
  ),
  'pay.confirm': command<PaymentView>()(z.strictObject({ id })),
  'pay.abandon': command<PaymentView>()(z.strictObject({ id })),
  /** A person says an unanswered handover did arrive. */
  'pay.delivered': command<PaymentView>()(z.strictObject({ id })),
  'pay.reclaim': command<PaymentView>()(z.strictObject({ id, isWarned: z.boolean() })),
  'payments.list': command<readonly PaymentView[]>()(z.strictObject({ limit: z.number().int().min(1).max(1000) })),
  'payments.get': command<PaymentView>()(z.strictObject({ id })),
  'nearby.list': command<readonly NearbyView[]>()(nothing),
  'nearby.announce': command<{ readonly isOn: boolean }>()(z.strictObject({ on: z.boolean() })),
  'audit.totals': command<readonly AuditView[]>()(nothing),
  'audit.claims': command<readonly ClaimView[]>()(nothing),
} as const

export type Commands = typeof commands
export type CommandName = keyof Commands
export type InputOf<N extends CommandName> = z.infer<Commands[N]['input']>
export type OutputOf<N extends CommandName> = NonNullable<Commands[N]['output']>

/** What every host must provide: one function for each command. */
export type Handlers = { readonly [N in CommandName]: (input: InputOf<N>) => Promise<OutputOf<N>> }

export type ErrorReply = {
  readonly code: ErrorCode
  /** For a developer; people see the words of the code. */
  readonly message: string
  readonly retryable: boolean
  readonly facts: ErrorFacts
}

export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorReply }

/** Events are hints to look again; the state itself comes by command. */
export type HostEvent =
  | { readonly kind: 'payment'; readonly id: string }
  | { readonly kind: 'balance' }
  | { readonly kind: 'mint'; readonly url: string }
  | { readonly kind: 'nearby' }

/** Whether something from outside names a command. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

/** An error as it crosses a boundary: code, words for a developer, and amounts; never a cause, never a stack. */
export function toErrorReply(thrown: unknown): ErrorReply {
  const { code, message, retryable, facts } = toAppError(thrown)
  return { code, message, retryable, facts }
}

/** The error on the other side of a boundary. */
export function fromErrorReply({ code, message, retryable, facts }: ErrorReply): AppError {
  return new AppError(code, message, { retryable, facts })
}
