// THE contract: every command a host serves, with the schema of its input and the type of its answer, and every event.
// Handlers, bridges, clients and test doubles are derived from it: a new command is a compile error until it is handled.

import { maxAmount } from './amount.ts'
import { AppError, type ErrorCode, type ErrorFacts, toAppError } from './errors.ts'
import { maxMemoBytes, maxNameBytes, utf8UpTo } from './messages.ts'
import type {
  AuditView,
  CashOutView,
  ClaimView,
  MintView,
  NearbySlice,
  NearbyView,
  PaymentDetailView,
  PaymentPageView,
  PaymentState,
  PaymentView,
  PayPreviewView,
  PracticeView,
  ProfileView,
  ReadRequestView,
  RequestView,
  SettingsView,
  SliceName,
  Slices,
  Snapshot,
  WithdrawView,
} from './model.ts'
import { z } from './schema.ts'

const amount = z.number().int().min(1).max(maxAmount)
const unit = z.string().regex(/^[a-z0-9_-]{1,32}$/)
const url = z.string().min(1).max(512)
const id = z.string().regex(/^[0-9a-f]{32}$/)
const memo = utf8UpTo(maxMemoBytes)
const nothing = z.strictObject({})
/** Zero = nothing is accepted as signed. */
const limit = z.number().int().min(0).max(maxAmount)

/** Ties an input schema to the type of the answer, which exists at compile time only. */
const command =
  <Output>() =>
  <Input>(input: z.ZodType<Input>) => ({ input, output: undefined as Output | undefined })

export const commands = {
  /** Everything a window shows, with the revision that later events go on from. Subscribe first. */
  'app.snapshot': command<Snapshot>()(nothing),
  'profile.rename': command<ProfileView>()(z.strictObject({ name: utf8UpTo(maxNameBytes) })),
  /** The first run is over: Home from now on. */
  'profile.begin': command<ProfileView>()(nothing),
  /** The twelve words, for a person to write down. */
  'phrase.show': command<{ readonly words: readonly string[] }>()(nothing),
  /** Which three words to ask for, counted from 1. Asking again asks for others. */
  'phrase.challenge': command<{ readonly positions: readonly number[] }>()(nothing),
  /** @returns which positions were wrong; none = checked */
  'phrase.check': command<{ readonly wrong: readonly number[] }>()(
    z.strictObject({ words: z.array(z.string().max(32)).length(3) }),
  ),
  'settings.change': command<SettingsView>()(
    z.strictObject({
      appearance: z.enum(['system', 'light', 'dark']).optional(),
      sounds: z.boolean().optional(),
      notifications: z.boolean().optional(),
      lan: z.boolean().optional(),
      limits: z.strictObject({ single: limit, total: limit, perHour: z.number().int().min(0).max(10_000) }).optional(),
    }),
  ),
  /** Start the practice mint beside the app, add it, and ask it for coins if there are none of it. */
  'practice.start': command<PracticeView>()(nothing),
  /** A request of the practice stall: somebody to pay the first coin to. */
  'practice.request': command<{ readonly text: string }>()(nothing),
  'mints.list': command<readonly MintView[]>()(nothing),
  'mints.add': command<MintView>()(z.strictObject({ url })),
  /** Ask every mint now; answers when all have answered or timed out. */
  'mints.sync': command<readonly MintView[]>()(nothing),
  /** Take a mint off the list; its coins and history stay known. @throws `wrong_state` unless it is empty and at rest */
  'mints.remove': command<readonly MintView[]>()(z.strictObject({ url })),
  'withdraw.start': command<WithdrawView>()(z.strictObject({ mintUrl: url, unit, amount })),
  'withdraw.get': command<WithdrawView>()(z.strictObject({ id })),
  /** Ask the mint what paying this Lightning invoice would cost. Nothing moves. */
  'cashOut.prepare': command<CashOutView>()(
    z.strictObject({ mintUrl: url, unit, invoice: z.string().min(10).max(4096) }),
  ),
  'cashOut.confirm': command<CashOutView>()(z.strictObject({ id })),
  'cashOut.abandon': command<CashOutView>()(z.strictObject({ id })),
  'cashOut.get': command<CashOutView>()(z.strictObject({ id })),
  'request.create': command<RequestView>()(
    z.strictObject({
      mintUrl: url,
      unit,
      amount: amount.optional(),
      description: z.string().max(200).optional(),
      singleUse: z.boolean(),
    }),
  ),
  /** No more payments for this request. */
  'request.close': command<{ readonly isClosed: boolean }>()(z.strictObject({ id: z.string().min(1).max(64) })),
  /** What a text asks for, before anybody is asked. */
  'request.read': command<ReadRequestView>()(z.strictObject({ text: z.string().min(1).max(4096) })),
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
  /** Newest first, from `before` (a page's `next`) on. */
  'payments.page': command<PaymentPageView>()(
    z.strictObject({
      before: z.number().int().min(1).optional(),
      limit: z.number().int().min(1).max(200),
      /** Words of name or note, or an amount. */
      search: z.string().min(1).max(100).optional(),
      filter: z.enum(['all', 'in', 'out', 'waiting', 'bounced']),
    }),
  ),
  'payments.get': command<PaymentDetailView>()(z.strictObject({ id })),
  /** All payments as CSV (RFC 4180, UTF-8), with a header line. */
  'payments.export': command<{ readonly csv: string; readonly count: number }>()(nothing),
  'nearby.list': command<readonly NearbyView[]>()(nothing),
  /** Look for people while a screen that shows them is open. */
  'nearby.look': command<NearbySlice>()(z.strictObject({ on: z.boolean() })),
  'nearby.announce': command<{ readonly isOn: boolean }>()(
    z.strictObject({
      on: z.boolean(),
      /** The text of a request of ours to show beside the name. */
      request: z.string().min(1).max(4096).optional(),
    }),
  ),
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

/**
 * What changed, sent after it was committed. `revision` grows by one with every slice and payment event; a gap means that
 * something was missed and a snapshot is due. The last two kinds come from the host, not from the wallet.
 */
export type HostEvent =
  | SliceEvent
  | {
      readonly kind: 'payment'
      readonly revision: number
      readonly payment: PaymentView
      /** Null when this window hears of it for the first time. */
      readonly was: PaymentState | null
    }
  /** Show this screen, as a menu item asks. */
  | { readonly kind: 'open'; readonly route: string }
  /** A link was opened: show what it asks for. It does nothing by itself. */
  | { readonly kind: 'open-link'; readonly link: string }

export type SliceEvent = {
  readonly [N in SliceName]: {
    readonly kind: 'slice'
    readonly revision: number
    readonly name: N
    readonly value: Slices[N]
  }
}[SliceName]

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
