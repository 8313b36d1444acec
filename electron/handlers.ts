// One function for each command of the contract: what a person may ask of this wallet.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError } from '../shared/errors.ts'
import type { CommandName, InputOf, OutputOf } from '../shared/ipc.ts'
import type { CashOutView, PayPreviewView, RequestView, Sealing, WithdrawView } from '../shared/model.ts'
import { bareRequest, decodeRequest, encodeRequest, type Request, requestLink } from '../shared/request.ts'
import type { Backups } from './backups.ts'
import type { Feed } from './feed.ts'
import { paymentsCsv } from './payments-csv.ts'
import type { PhraseCheck } from './phrase-check.ts'
import type { PracticeMint } from './practice-mint.ts'
import type { Reach } from './reach.ts'
import { begin, changeSettings, notePhrase, rename } from './settings.ts'
import { cashedOut, cashOutView, feePaid, withdrawView } from './views.ts'
import type { Engine } from './wallet/engine.ts'
import { normaliseMintUrl } from './wallet/mints.ts'
import type { PayPreview } from './wallet/pay.ts'
import type { Clock } from './wallet/ports.ts'
import type { MintRow, WalletStore } from './wallet/store-port.ts'
import type { WalletView } from './wallet-view.ts'

export type HandlerParts = {
  readonly engine: Engine
  readonly store: WalletStore
  readonly clock: Clock
  readonly reach: Reach
  readonly feed: Feed
  readonly view: WalletView
  readonly practice: PracticeMint
  readonly backups: Backups
  readonly pickFolder: (() => Promise<string | null>) | undefined
  readonly phraseCheck: PhraseCheck
  readonly phrase: () => string
  /** What protects the phrase now. */
  readonly sealing: () => Sealing
}

/** What an open wallet is asked; the gate in front of it answers the rest. */
export type WalletCommand = Exclude<CommandName, `gate.${string}`>
export type WalletHandlers = { readonly [N in WalletCommand]: (input: InputOf<N>) => Promise<OutputOf<N>> }

/** What is due within this counts as open in the books; what is only looked at again tomorrow does not. */
const soonMs = 60_000
const never = Number.POSITIVE_INFINITY
/** Payments read at a time for an export. */
const exportPage = 200

export function createHandlers(parts: HandlerParts): WalletHandlers {
  const { engine, store, clock, reach, feed, view, practice, phraseCheck, backups } = parts
  const mintAt = (url: string): MintRow => {
    const mint = store.read.mintByUrl(normaliseMintUrl(url))
    if (!mint || !view.isListed(mint)) throw new AppError('mint_unknown', 'this mint was not added')
    return mint
  }
  const withdraw = (id: string): WithdrawView => {
    const operation = store.read.operation(id)
    if (operation?.kind !== 'withdraw') throw new AppError('not_found', 'no such withdraw')
    return withdrawView(operation, view.mintUrl(operation.account))
  }
  const cashOut = (id: string): CashOutView => {
    const operation = store.read.operation(id)
    if (operation?.kind !== 'melt') throw new AppError('not_found', 'no such cash out')
    return cashOutView(operation, view.mintUrl(operation.account))
  }
  const preview = (
    { payeeKey, ...rest }: PayPreview,
    order: Pick<PayPreviewView, 'isVerified' | 'mintUrl' | 'unit' | 'memo'>,
  ): PayPreviewView => ({
    ...rest,
    ...order,
    payee: view.fingerprint(payeeKey),
    total: rest.amount + rest.fee,
  })

  return {
    'app.snapshot': async () => feed.snapshot(),
    'profile.rename': async ({ name }) => {
      rename(store, name)
      backups.note()
      feed.touch('profile')
      return view.profile()
    },
    'profile.begin': async () => {
      begin(store)
      feed.touch('profile')
      return view.profile()
    },
    'phrase.show': async () => {
      notePhrase(store, 'seen')
      feed.touch('profile')
      return { words: parts.phrase().split(' ') }
    },
    'phrase.challenge': async () => ({ positions: phraseCheck.challenge() }),
    'phrase.check': async ({ words }) => {
      const wrong = phraseCheck.check(words)
      if (wrong.length === 0) notePhrase(store, 'checked')
      feed.touch('profile')
      return { wrong }
    },
    'settings.change': async (change) => {
      if (typeof change.idleLockMinutes === 'number' && parts.sealing() !== 'passphrase') {
        throw new AppError('wrong_state', 'locking needs a passphrase')
      }
      const settings = changeSettings(store, change)
      backups.note()
      if (!settings.lan) await reach.hide()
      feed.touch('settings', 'nearby')
      return settings
    },
    'practice.start': () => practice.start(),
    'practice.request': async () => ({ text: await practice.request() }),

    'mints.list': async () => view.mints(),
    'mints.add': async ({ url }) => {
      const { account } = await engine.mints.add(url)
      backups.note()
      feed.touch('mints')
      const added = store.read.mint(account)
      if (!added) throw new AppError('internal', 'the mint was not stored')
      return view.mint(added)
    },
    'mints.sync': async () => {
      await engine.tick()
      feed.touch('mints')
      return view.mints()
    },
    'mints.remove': async ({ url }) => {
      removeMint(parts, mintAt(url))
      feed.touch('mints')
      return view.mints()
    },

    'withdraw.start': async ({ mintUrl, unit, amount }) => {
      const id = engine.withdraw(mintAt(mintUrl).account, unit, amount)
      feed.touch('withdraws')
      return withdraw(id)
    },
    'withdraw.get': async ({ id }) => withdraw(id),
    'cashOut.prepare': async ({ mintUrl, unit, invoice }) => {
      const { id } = await engine.prepareCashOut({
        account: mintAt(mintUrl).account,
        unit,
        invoice: bareInvoice(invoice),
      })
      return cashOut(id)
    },
    'cashOut.confirm': async ({ id }) => {
      await engine.confirmCashOut(id)
      return cashOut(id)
    },
    'cashOut.abandon': async ({ id }) => {
      await engine.abandonCashOut(id)
      return cashOut(id)
    },
    'cashOut.get': async ({ id }) => cashOut(id),

    'request.create': async (order) => {
      const mint = mintAt(order.mintUrl)
      const request = createRequest(engine, await reach.address(), mint, order)
      backups.note()
      return request
    },
    'request.close': async ({ id }) => {
      const isClosed = engine.closeRequest(id)
      backups.note()
      return { isClosed }
    },
    'request.read': async ({ text }) => view.readRequest(text),

    'pay.prepare': async ({ request: text, amount, memo, mintUrl }) => {
      const request = decodeRequest(text)
      const mint = mintUrl === undefined ? view.mintFor(request) : mintAt(mintUrl)
      if (!mint) throw new AppError('mint_unknown', 'none of the mints in the request was added')
      const prepared = await engine.preparePay({
        account: mint.account,
        unit: request.unit,
        amount: agreedAmount(request, amount),
        payee: { peerId: request.peerId, multiaddrs: request.multiaddrs },
        expectedKey: request.payeeKey,
        requestId: request.id ?? null,
        isSingleUse: request.singleUse,
        memo: memo ?? null,
      })
      return preview(prepared, { isVerified: true, mintUrl: mint.url, unit: request.unit, memo: memo ?? null })
    },
    'pay.prepareNearby': async ({ peerId, mintUrl, unit, amount, memo }) => {
      const found = reach.found(peerId)
      if (!found) throw new AppError('peer_unreachable', 'nobody nearby has this id', { retryable: true })
      const mint = mintAt(mintUrl)
      const prepared = await engine.preparePay({
        account: mint.account,
        unit,
        amount,
        payee: found.address,
        // What the list showed is what must sign: still nobody vouches for it.
        expectedKey: found.payeeKey,
        requestId: null,
        isSingleUse: false,
        memo: memo ?? null,
      })
      return preview(prepared, { isVerified: false, mintUrl: mint.url, unit, memo: memo ?? null })
    },
    'pay.confirm': async ({ id }) => {
      await engine.confirmPay(id)
      return view.payment(id)
    },
    'pay.abandon': async ({ id }) => {
      await engine.abandonPay(id)
      return view.payment(id)
    },
    'pay.delivered': async ({ id }) => {
      await engine.markDelivered(id)
      return view.payment(id)
    },
    'pay.reclaim': async ({ id, isWarned }) => {
      await engine.reclaim(id, isWarned)
      return view.payment(id)
    },

    'payments.list': async ({ limit }) => view.payments(limit),
    'payments.page': async ({ before, limit, search, filter }) =>
      view.page({ before: before ?? null, limit, search: search?.trim() ?? '', filter }),
    'payments.get': async ({ id }) => view.paymentDetail(id),
    'payments.export': () => paymentsCsv(everyPayment(view)),

    'backup.export': ({ passphrase }) => backups.export(passphrase),
    'backup.setFolder': ({ folder }) => backups.setFolder(folder),
    'backup.pickFolder': async () => ({ folder: (await parts.pickFolder?.()) ?? null }),
    'backup.saveNow': () => backups.saveNow(),
    'backup.merge': ({ file, passphrase }) => backups.merge(Buffer.from(file, 'base64'), passphrase),

    'restore.again': async ({ mintUrl }) => {
      engine.searchAgain(mintAt(mintUrl).account)
      return view.restore()
    },
    'restore.noOpenPayments': async () => {
      await engine.noOpenPayments()
      return view.restore()
    },

    'nearby.list': async () => {
      await reach.look(true)
      return view.nearby().people
    },
    'nearby.look': async ({ on }) => {
      await reach.look(on)
      feed.touch('nearby')
      return view.nearby()
    },
    'nearby.announce': async ({ on, request }) => {
      const isOn = await reach.announce(on, request === undefined ? null : bareRequest(request))
      feed.touch('nearby')
      return { isOn }
    },

    'audit.totals': async () =>
      store.read.mints().flatMap(({ account }) =>
        view.unitsOf(account).map((unit) => {
          const { spendable, reserved, handed_over, quarantined } = store.read.totals(account, unit)
          const operations = store.read
            .operations({ account, isLenient: true })
            .filter((operation) => operation.unit === unit)
          return {
            unit,
            spendable,
            reserved,
            handedOver: handed_over,
            resting: quarantined,
            feesPaid: operations.reduce((sum, operation) => sum + feePaid(operation), 0),
            cashedOut: operations.reduce((sum, operation) => sum + cashedOut(operation), 0),
            openOperations: operations.filter(({ nextAttemptAt }) => (nextAttemptAt ?? never) < clock.now() + soonMs)
              .length,
          }
        }),
      ),
    'audit.claims': async () =>
      store.read
        .operations({ kind: 'receive', isLenient: true })
        .flatMap((operation) =>
          'claim' in operation && operation.claim ? { paymentId: operation.id, ...operation.claim } : [],
        ),
  }
}

/** A scanned invoice may come as a link. */
const bareInvoice = (text: string): string =>
  text
    .trim()
    .replace(/^lightning:(\/\/)?/i, '')
    .toLowerCase()

/** @throws AppError `bad_input` */
function agreedAmount(request: Request, amount: number | undefined): number {
  const agreed = request.amount ?? amount
  if (agreed === undefined) throw new AppError('bad_input', 'the request leaves the amount to the payer')
  if (amount !== undefined && amount !== agreed) throw new AppError('bad_input', 'the request has another amount')
  return agreed
}

function createRequest(
  engine: Engine,
  address: { readonly peerId: string; readonly multiaddrs: readonly string[] },
  mint: MintRow,
  { unit, amount, description, singleUse }: InputOf<'request.create'>,
): RequestView {
  const known = engine.createRequest({ account: mint.account, unit, amount: amount ?? null, singleUse })
  const text = encodeRequest({
    ...known,
    ...(amount === undefined ? {} : { amount }),
    ...(description === undefined ? {} : { description }),
    mints: [mint.url],
    peerId: address.peerId,
    multiaddrs: [...address.multiaddrs],
  })
  return {
    id: known.id ?? '',
    text,
    link: requestLink(text),
    amount: amount ?? null,
    unit,
    mintUrl: mint.url,
    description: description ?? null,
    singleUse,
  }
}

/** @throws AppError `wrong_state` while coins of it are here or on their way, or a payment waits for it */
function removeMint({ store, view }: Pick<HandlerParts, 'store' | 'view'>, mint: MintRow): void {
  const { in: signedIn, out, onItsWay } = store.read.waiting(mint.account)
  const holds = view.unitsOf(mint.account).some((unit) => {
    const { spendable, reserved, handed_over, quarantined } = store.read.totals(mint.account, unit)
    return spendable + reserved + handed_over + quarantined > 0
  })
  if (holds || store.read.isExpecting(mint.account) || signedIn + out + onItsWay > 0)
    throw new AppError('wrong_state', 'coins or payments of it are open')
  store.transaction((write) => write.updateMint({ ...mint, removed: true }))
}

/** Page by page, with a turn for everything else between two. */
async function* everyPayment(view: WalletView) {
  let before: number | null = null
  do {
    const page: ReturnType<WalletView['page']> = view.page({ before, limit: exportPage, search: '', filter: 'all' })
    yield* page.items
    before = page.next
    await nextTurn()
  } while (before !== null)
}
