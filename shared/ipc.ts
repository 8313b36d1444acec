// THE contract: every command a host serves, with the schema of its input and the type of its answer, and every event.
// Handlers, bridges, clients and test doubles are derived from it: a new command is a compile error until it is handled.

import { maxAmount } from './amount.ts'
import { maxBackupText } from './backup-limit.ts'
import { AppError, type ErrorCode, type ErrorFacts, toAppError } from './errors.ts'
import { maxMemoBytes, maxNameBytes, utf8UpTo } from './messages.ts'
import type {
  AuditView,
  BackupSummaryView,
  BackupView,
  CashOutView,
  ClaimView,
  GateView,
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
  RestoreView,
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
const passphrase = z.string().min(1).max(256)
const phraseWords = z.array(z.string().min(1).max(32)).length(12)
/** Base64. A larger wallet is copied to a folder instead. */
const backupFile = z.string().min(1).max(maxBackupText)
/** Zero = nothing is accepted as signed. */
const limit = z.number().int().min(0).max(maxAmount)

/** Ties an input schema to the type of the answer, which exists at compile time only. */
const command =
  <Output>() =>
  <Input>(input: z.ZodType<Input>) => ({ input, output: undefined as Output | undefined })

export const commands = {
  /** Everything a window shows, with the revision that later events go on from. Subscribe first. */
  'app.snapshot': command<Snapshot>()(nothing),
  /** What stands between a person and the wallet. While it is not `open`, only `gate.` commands are served (`locked`). */
  'gate.look': command<GateView>()(nothing),
  /** @throws `wrong_passphrase`, `too_many_tries` (facts: `retryAt`, milliseconds) */
  'gate.unlock': command<GateView>()(z.strictObject({ passphrase })),
  /** Ask for the passphrase from now on; payments go on underneath. @throws `wrong_state` when there is none */
  'gate.lock': command<GateView>()(nothing),
  /**
   * Seal the phrase with a passphrase, another one, or (null) none. `current` when there is one.
   * @throws `wrong_passphrase`, `too_many_tries`, `weak_passphrase`
   */
  'gate.setPassphrase': command<GateView>()(
    z.strictObject({ current: passphrase.optional(), next: passphrase.nullable() }),
  ),
  /**
   * `locked`, `sealed`, `wordless`: open the wallet that is here with its twelve words. They are checked against its
   * database, which stays as it is. @param passphrase what seals them from now on; null: the keychain, or nothing
   * @throws `bad_phrase` (facts: `word`, as below) when they are not those of this wallet, `weak_passphrase`,
   *   `folder_damaged` when the database cannot be read, `wrong_state`
   */
  'gate.usePhrase': command<GateView>()(z.strictObject({ words: phraseWords, passphrase: passphrase.nullable() })),
  /**
   * First run: this wallet is that of these twelve words from now on. Its mints are added next; each is searched.
   * @param current the passphrase of now, when there is one: it protects these words as well
   * @throws `bad_phrase` (facts: `word`, counted from 1, when one is not in the list), `not_empty`, `wrong_passphrase`,
   *   `too_many_tries`
   */
  'gate.restorePhrase': command<GateView>()(z.strictObject({ words: phraseWords, current: passphrase.optional() })),
  /**
   * First run: this wallet is that of this backup file. @param file base64 @param words for a file whose key is the phrase
   * @param current as above
   * @throws `bad_backup`, `wrong_passphrase`, `foreign_backup` (the words are another phrase's), `backup_too_new`, `not_empty`
   */
  'gate.restoreBackup': command<BackupSummaryView>()(
    z.strictObject({
      file: backupFile,
      passphrase: passphrase.optional(),
      words: phraseWords.optional(),
      current: passphrase.optional(),
    }),
  ),
  /** `damaged`: set the database aside and go on from an automatic copy (its name), or from the phrase alone (null). */
  'gate.setAside': command<GateView>()(z.strictObject({ backup: z.string().min(1).max(200).nullable() })),
  /** Copy everything to a file now. @param passphrase null: its key is the phrase. @returns base64 */
  'backup.export': command<{ readonly name: string; readonly file: string }>()(
    z.strictObject({ passphrase: passphrase.nullable() }),
  ),
  /** Where automatic copies go; null for nowhere. The first one is made at once. @throws `backup_folder` */
  'backup.setFolder': command<BackupView>()(z.strictObject({ folder: z.string().min(1).max(1024).nullable() })),
  /** A window to pick a folder, where the host has one; null when nothing was picked. */
  'backup.pickFolder': command<{ readonly folder: string | null }>()(nothing),
  /** An automatic copy now. @throws `backup_folder`, `wrong_state` without a folder */
  'backup.saveNow': command<BackupView>()(nothing),
  /** Bring what a backup file of this wallet knows into it; nothing here moves back. @throws as `gate.restoreBackup` */
  'backup.merge': command<BackupSummaryView>()(z.strictObject({ file: backupFile, passphrase: passphrase.optional() })),
  /** Look again for coins of the phrase at this mint. */
  'restore.again': command<RestoreView>()(z.strictObject({ mintUrl: url })),
  /** A person says that no payment is open: what rests may come home. */
  'restore.noOpenPayments': command<RestoreView>()(nothing),
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
      idleLockMinutes: z.union([z.literal(1), z.literal(5), z.literal(15), z.literal(60), z.null()]).optional(),
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
  /** The wallet was locked, unlocked or opened anew: ask `gate.look`, and for a new snapshot when it is open. */
  | { readonly kind: 'gate'; readonly gate: GateView }
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
