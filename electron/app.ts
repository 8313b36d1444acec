// The composition root: one data folder, one engine, its store and its net, and the handlers of every command.
// Plain Node: a window, a local page and a test host it alike.

import { AppError } from '../shared/errors.ts'
import type { Handlers, HostEvent } from '../shared/ipc.ts'
import type { MintView, NearbyView } from '../shared/model.ts'
import { decodeRequest, encodeRequest } from '../shared/request.ts'
import { z } from '../shared/schema.ts'
import { announceOnLan, findOnLan, type LanActivity } from './net/lan-discovery.ts'
import { type PayeeNode, startPayeeNode } from './net/peer-node.ts'
import { feePaid, paymentView, withdrawView } from './views.ts'
import type { EngineConfig } from './wallet/context.ts'
import type { Engine } from './wallet/engine.ts'
import { normaliseMintUrl } from './wallet/mints.ts'
import type { EngineEvent } from './wallet/ports.ts'
import type { MintRow, WalletStore } from './wallet/store-port.ts'
import { systemClock as clock, openWallet } from './wallet-folder.ts'

export type AppOptions = {
  /** Data folder; made if it is not there. One process at a time. */
  readonly folder: string
  /** Shown to payers; may be empty. */
  readonly name: string
  /** IPv4 address payers reach this computer at; all interfaces by default. */
  readonly listenHost?: string
  readonly config?: Partial<EngineConfig>
  /** How often mints are asked whether they are there, milliseconds. */
  readonly tickMs?: number
  readonly onEvent: (event: HostEvent) => void
  /** A line for the log: codes and ids, never a secret. */
  readonly log: (line: string) => void
}

export type App = {
  readonly handlers: Handlers
  /** A defect, for the log. */
  readonly report: (error: AppError) => void
  stop(): Promise<void>
}

const defaultTickMs = 15_000
/** What is due within this counts as open in the books; what is only looked at again tomorrow does not. */
const soonMs = 60_000
const never = Number.POSITIVE_INFINITY
/**
 * Open the folder, recover what was interrupted, and run.
 * @throws AppError `folder_in_use`, `folder_too_new`, `folder_damaged`, `bad_phrase`
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { folder, onEvent, log, tickMs = defaultTickMs } = options
  const report = (error: AppError): void => log(describe(error))
  const { engine, store, peerKeySeed, close } = openWallet({
    folder,
    name: options.name,
    config: options.config ?? {},
    emit: (event) => onEvent(hostEvent(event)),
    report: (error, operation) => {
      const about = operation === null ? '' : `${operation.kind} ${operation.id} ${operation.state}: `
      log(about + describe(error))
    },
  })
  const reach = createReach({
    engine,
    store,
    peerKeySeed,
    ...(options.listenHost === undefined ? {} : { host: options.listenHost }),
    onChange: () => onEvent({ kind: 'nearby' }),
  })
  await reach.resume()
  engine.runner.start()
  const tick = startTicking(() => engine.tick(), tickMs, report)

  return {
    handlers: createHandlers(engine, store, reach),
    report,
    stop: async () => {
      tick.stop()
      await reach.stop()
      await engine.runner.stop()
      await tick.ended
      close()
    },
  }
}

/** Code and message of an error and of what caused it: names of things, never their contents. */
function describe(error: AppError): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.name}: ${error.cause.message.slice(0, 200)})` : ''
  return `${error.code}: ${error.message}${cause}`
}

function hostEvent(event: EngineEvent): HostEvent {
  return event.kind === 'operation' ? { kind: 'payment', id: event.id } : event
}

function startTicking(tick: () => Promise<void>, everyMs: number, report: (error: AppError) => void) {
  let isOn = true
  let wake = () => {}
  const stopped = new Promise<void>((resolve) => {
    wake = resolve
  })
  const loop = async (): Promise<void> => {
    while (isOn) {
      await tick().catch((cause) => report(new AppError('internal', 'a look at the mints failed', { cause })))
      await Promise.race([clock.wait(everyMs), stopped])
    }
  }
  const ended = loop()
  return {
    ended,
    stop: () => {
      isOn = false
      wake()
    },
  }
}

/** How payers reach this computer: the listening node, and being visible on the LAN, each only when wanted. */
type Reach = {
  /** Listen again at the port of last time, if this wallet was ever to be paid. */
  resume(): Promise<void>
  /** Listen, at the same port as ever. */
  node(): Promise<PayeeNode>
  announce(on: boolean): Promise<boolean>
  nearby(): readonly NearbyView[]
  stop(): Promise<void>
}

const portSchema = z.number().int().min(1).max(65_535)
const portKey = 'peer/port'

function createReach(parts: {
  readonly engine: Engine
  readonly store: WalletStore
  readonly peerKeySeed: Uint8Array
  readonly host?: string
  readonly onChange: () => void
}): Reach {
  const { engine, store, peerKeySeed, host, onChange } = parts
  const found = new Map<string, NearbyView>()
  let node: Promise<PayeeNode> | undefined
  let announcement: LanActivity | undefined
  let search: LanActivity | undefined

  const lastPort = (): number | undefined => portSchema.safeParse(store.read.meta(portKey)).data
  const listen = async (): Promise<PayeeNode> => {
    const base = { peerKeySeed, protocol: engine.payee, ...(host === undefined ? {} : { host }) }
    const port = lastPort()
    const started = await startPayeeNode({ ...base, ...(port === undefined ? {} : { port }) }).catch(() =>
      // Somebody else took the port: a new one is better than not being reached at all.
      startPayeeNode(base),
    )
    store.transaction((write) => write.setMeta(portKey, started.port))
    return started
  }
  const ensureNode = (): Promise<PayeeNode> => {
    node ??= listen()
    return node
  }
  return {
    resume: async () => {
      if (lastPort() !== undefined) await ensureNode()
    },
    node: ensureNode,
    announce: async (on) => {
      if (on && !announcement) {
        const { peerId, port } = await ensureNode()
        announcement = announceOnLan({ peerId, port })
      }
      if (!on) {
        await announcement?.stop()
        announcement = undefined
      }
      return announcement !== undefined
    },
    nearby: () => {
      search ??= findOnLan({
        onFound: (address) => {
          found.set(address.peerId, address)
          onChange()
        },
        onLost: (peerId) => {
          found.delete(peerId)
          onChange()
        },
      })
      return [...found.values()]
    },
    stop: async () => {
      await Promise.all([announcement?.stop(), search?.stop()])
      const listening = await node
      await listening?.stop()
    },
  }
}

function createHandlers(engine: Engine, store: WalletStore, reach: Reach): Handlers {
  const mintAt = (url: string): MintRow => {
    const mint = store.read.mintByUrl(normaliseMintUrl(url))
    if (!mint) throw new AppError('mint_unknown', 'this mint was not added')
    return mint
  }
  const urlOf = (account: number): string => store.read.mint(account)?.url ?? ''
  const payment = (id: string) => {
    const operation = store.read.operation(id)
    if (operation?.kind !== 'pay' && operation?.kind !== 'receive') throw new AppError('not_found', 'no such payment')
    return paymentView(operation, urlOf(operation.account), clock.now())
  }
  const withdraw = (id: string) => {
    const operation = store.read.operation(id)
    if (operation?.kind !== 'withdraw') throw new AppError('not_found', 'no such withdraw')
    return withdrawView(operation, urlOf(operation.account))
  }
  const mintView = (mint: MintRow): MintView => {
    const { reachable, since } = engine.mints.reachability(mint.account)
    const balances = unitsOf(mint.account).map((unit) => {
      const { spendable, reserved, handed_over } = store.read.totals(mint.account, unit)
      const signedToUs = store.read.signedPayments(unit, 0).sum
      return { unit, spendable, onItsWay: reserved + handed_over, signedToUs }
    })
    return {
      url: mint.url,
      name: mint.name,
      isPlayMoney: /play money/i.test(mint.name ?? ''),
      isOnlineOnly: !mint.offlineCapable,
      isReachable: reachable,
      since,
      alarm: mint.alarm,
      balances,
    }
  }
  const unitsOf = (account: number): readonly string[] => [
    ...new Set(store.read.keysets(account).map(({ unit }) => unit)),
  ]
  const mintViews = (): readonly MintView[] => store.read.mints().map(mintView)

  return {
    'mints.list': async () => mintViews(),
    'mints.add': async ({ url }) => mintView(await engine.mints.add(url)),
    'mints.sync': async () => {
      await engine.tick()
      return mintViews()
    },
    'withdraw.start': async ({ mintUrl, unit, amount }) =>
      withdraw(engine.withdraw(mintAt(mintUrl).account, unit, amount)),
    'withdraw.get': async ({ id }) => withdraw(id),
    'request.create': async ({ mintUrl, unit, amount, description, singleUse }) => {
      const mint = mintAt(mintUrl)
      const node = await reach.node()
      const known = engine.createRequest({ account: mint.account, unit, amount: amount ?? null, singleUse })
      const optional = {
        ...(amount === undefined ? {} : { amount }),
        ...(description === undefined ? {} : { description }),
      }
      const { peerId, multiaddrs } = node.address()
      const text = encodeRequest({ ...known, ...optional, mints: [mint.url], peerId, multiaddrs: [...multiaddrs] })
      return { id: known.id ?? '', text }
    },
    'pay.prepare': async ({ request: text, amount, memo, mintUrl }) => {
      const request = decodeRequest(text)
      const named = (url: string) => request.mints.some((other) => sameMint(other, url))
      const mint = mintUrl === undefined ? store.read.mints().find(({ url }) => named(url)) : mintAt(mintUrl)
      if (!mint) throw new AppError('mint_unknown', 'none of the mints in the request was added')
      const agreed = request.amount ?? amount
      if (agreed === undefined) throw new AppError('bad_input', 'the request leaves the amount to the payer')
      if (request.amount !== undefined && amount !== undefined && amount !== request.amount) {
        throw new AppError('bad_input', 'the request has another amount')
      }
      return engine.preparePay({
        account: mint.account,
        unit: request.unit,
        amount: agreed,
        payee: { peerId: request.peerId, multiaddrs: request.multiaddrs },
        expectedKey: request.payeeKey,
        requestId: request.id ?? null,
        isSingleUse: request.singleUse,
        memo: memo ?? null,
      })
    },
    'pay.prepareNearby': async ({ peerId, mintUrl, unit, amount, memo }) => {
      const payee = reach.nearby().find((candidate) => candidate.peerId === peerId)
      if (!payee) throw new AppError('peer_unreachable', 'nobody nearby has this id', { retryable: true })
      const { account } = mintAt(mintUrl)
      return engine.preparePay({
        account,
        unit,
        amount,
        payee,
        expectedKey: null,
        requestId: null,
        isSingleUse: false,
        memo: memo ?? null,
      })
    },
    'pay.confirm': async ({ id }) => {
      await engine.confirmPay(id)
      return payment(id)
    },
    'pay.abandon': async ({ id }) => {
      await engine.abandonPay(id)
      return payment(id)
    },
    'pay.delivered': async ({ id }) => {
      await engine.markDelivered(id)
      return payment(id)
    },
    'pay.reclaim': async ({ id, isWarned }) => {
      await engine.reclaim(id, isWarned)
      return payment(id)
    },
    'payments.list': async ({ limit }) =>
      store.read
        .operations({ isPayment: true, limit })
        .flatMap((operation) =>
          operation.kind === 'pay' || operation.kind === 'receive'
            ? paymentView(operation, urlOf(operation.account), clock.now())
            : [],
        ),
    'payments.get': async ({ id }) => payment(id),
    'nearby.list': async () => reach.nearby(),
    'nearby.announce': async ({ on }) => ({ isOn: await reach.announce(on) }),
    'audit.totals': async () =>
      store.read.mints().flatMap(({ account }) =>
        unitsOf(account).map((unit) => {
          const { spendable, reserved, handed_over } = store.read.totals(account, unit)
          const operations = store.read.operations({ account }).filter((operation) => operation.unit === unit)
          return {
            unit,
            spendable,
            reserved,
            handedOver: handed_over,
            feesPaid: operations.reduce((sum, operation) => sum + feePaid(operation), 0),
            openOperations: operations.filter(({ nextAttemptAt }) => (nextAttemptAt ?? never) < clock.now() + soonMs)
              .length,
          }
        }),
      ),
    'audit.claims': async () =>
      store.read
        .operations({ kind: 'receive' })
        .flatMap((operation) =>
          'claim' in operation && operation.claim ? { paymentId: operation.id, ...operation.claim } : [],
        ),
  }
}

function sameMint(a: string, b: string): boolean {
  try {
    return normaliseMintUrl(a) === normaliseMintUrl(b)
  } catch {
    return false
  }
}
