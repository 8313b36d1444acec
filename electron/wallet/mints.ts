// The mints a wallet knows: adding one, keeping its keysets current, knowing whether it can be reached.

import { type Keyset, verifyKeyset } from '../../shared/cashu/keyset.ts'
import type { InfoResponse } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import type { Clock, EngineEvent, KeysetSummary, MintAnswer, MintClient, MintClients } from './ports.ts'
import type { MintRow, WalletStore, WalletWrites } from './store-port.ts'

/** What a mint must support for its coins to work as ours (protocol section 8, NUT-06). */
const requiredNuts = ['7', '9', '10', '11', '12'] as const
/** Our own mint names itself so; it enforces SIG_ALL. Others are online only. */
const ownVersion = /^Farthing\//
const maxMints = 32
/** Keys of new keysets are asked for as long as this, milliseconds; a slow mint is asked for more at the next look. */
const fetchKeysMs = 60_000

export type Reachability = {
  readonly reachable: boolean
  /** Milliseconds: since when that is so; null before the first answer. */
  readonly since: number | null
}

export type Mints = {
  /** Fetch, check and store a mint. @throws AppError `bad_input`, `mint_exists`, `mint_unreachable`, `mint_unsuitable`, `mint_lies` */
  add(url: string): Promise<MintRow>
  /** Ask for info and keysets again; stores what is new, raises an alarm for what does not fit. @returns whether it answered */
  sync(account: number): Promise<boolean>
  /** A client whose answers are watched for reachability. */
  client(account: number): MintClient
  reachability(account: number): Reachability
}

export type MintsParts = {
  readonly store: WalletStore
  readonly clients: MintClients
  readonly clock: Clock
  readonly trustOffline: (url: string) => boolean
  readonly emit: (event: EngineEvent) => void
  /** Resolves when everything else that waits has had its turn. */
  readonly turn: () => Promise<void>
}

/** @throws AppError `bad_input` unless it is an http(s) address without credentials, query or fragment */
export function normaliseMintUrl(text: string): string {
  const trimmed = text.trim()
  if (!URL.canParse(trimmed) || trimmed.length > 512) throw new AppError('bad_input', 'not an address')
  const url = new URL(trimmed)
  if (!['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new AppError('bad_input', 'not the address of a mint')
  }
  return url.href.replace(/(?<!\/)\/+$/, '')
}

export function createMints({ store, clients, clock, trustOffline, emit, turn }: MintsParts): Mints {
  const reachability = new Map<number, Reachability>()

  const note = (account: number, reachable: boolean): void => {
    const before = reachability.get(account)
    if (before?.reachable === reachable) return
    reachability.set(account, { reachable, since: clock.now() })
    const mint = store.read.mint(account)
    if (!mint) return
    if (reachable) store.transaction((write) => write.updateMint({ ...mint, lastReachedAt: clock.now() }))
    emit({ kind: 'mint', url: mint.url })
  }

  const client = (account: number): MintClient => {
    const mint = store.read.mint(account)
    if (!mint) throw new AppError('mint_unknown', `no mint ${account}`)
    return watched(clients(mint.url), (reachable) => note(account, reachable))
  }

  const add = async (text: string): Promise<MintRow> => {
    const url = normaliseMintUrl(text)
    const before = store.read.mintByUrl(url)
    if (before?.removed) return putBack(before)
    if (before) throw new AppError('mint_exists', 'this mint is already there')
    if (store.read.mints().length >= maxMints) throw new AppError('bad_input', 'too many mints')
    const http = clients(url)
    const info = valueIn(await http.info())
    assertSuitable(info)
    const listed = valueIn(await http.keysets())
    if (listed.length > maxKeysets) throw new AppError('mint_unsuitable', 'too many keysets')
    const nothing = { known: () => undefined, count: 0 }
    const { keysets, alarm, missing } = await fetchKeysets(http, listed, nothing, { isTime: timeFrom(clock), turn })
    if (missing) valueIn(missing)
    if (!keysets.some(({ active }) => active)) {
      throw new AppError(alarm ?? 'mint_unsuitable', 'no active keyset that can be trusted')
    }
    const mint = store.transaction((write) => {
      const row = write.insertMint({
        url,
        name: info.name ?? null,
        version: info.version ?? null,
        offlineCapable: isOfflineCapable(url, info),
        lastReachedAt: clock.now(),
        alarm,
      })
      for (const keyset of keysets) write.putKeyset(row.account, keyset)
      return row
    })
    note(mint.account, true)
    return mint
  }

  /** A mint that was taken off the list keeps its account, and with it its place in the derivation. */
  const putBack = async (mint: MintRow): Promise<MintRow> => {
    if (!(await sync(mint.account))) throw new AppError('mint_unreachable', 'no answer', { retryable: true })
    const row = { ...(store.read.mint(mint.account) ?? mint), removed: false }
    store.transaction((write) => write.updateMint(row))
    emit({ kind: 'mint', url: row.url })
    return row
  }

  const isOfflineCapable = (url: string, info: InfoResponse) => ownVersion.test(info.version ?? '') || trustOffline(url)

  const running = new Map<number, Promise<boolean>>()
  const sync = (account: number): Promise<boolean> => {
    const before = running.get(account)
    if (before) return before
    const now = syncNow(account).finally(() => running.delete(account))
    running.set(account, now)
    return now
  }

  const syncNow = async (account: number): Promise<boolean> => {
    const http = client(account)
    const info = await http.info()
    const listed = await http.keysets()
    if (info.kind !== 'ok' || listed.kind !== 'ok') return false
    const own = new Map(store.read.keysets(account).map((keyset) => [keyset.id, keyset]))
    const stored = { known: (id: string) => own.get(id), count: own.size }
    const { keysets, alarm } = await fetchKeysets(http, listed.value, stored, { isTime: timeFrom(clock), turn })
    const before = store.read.mint(account)
    const after = store.transaction((write) => {
      const twins = keysets.filter((keyset) => !putUnlessTwin(write, account, keyset))
      const ids = new Set(listed.value.map(({ id }) => id))
      for (const known of own.values()) {
        if (known.active && !ids.has(known.id)) write.putKeyset(account, { ...known, active: false })
      }
      const mint = store.read.mint(account)
      if (!mint) return undefined
      const next = {
        ...mint,
        name: info.value.name ?? null,
        version: info.value.version ?? null,
        offlineCapable: isOfflineCapable(mint.url, info.value),
        lastReachedAt: clock.now(),
        alarm: alarm ?? (twins.length > 0 ? 'keyset_twin' : mint.alarm),
      }
      write.updateMint(next)
      return next
    })
    if (after && after.alarm !== before?.alarm) emit({ kind: 'mint', url: after.url })
    return true
  }

  return {
    add,
    sync,
    client,
    reachability: (account) => reachability.get(account) ?? { reachable: false, since: null },
  }
}

type Fetched = {
  /** New ones, and known ones whose `active` is another now. */
  readonly keysets: readonly Keyset[]
  /** Why a keyset was left out: what the mint says of it contradicts itself, or what it said before. */
  readonly alarm: 'mint_lies' | null
  /** The answer instead of some keyset's keys; it can be asked for again. */
  readonly missing: MintAnswer<unknown> | null
}

/**
 * Every listed keyset, checked by itself: of known ones what the list says is compared with what is stored (their keys are
 * not asked for again), new ones come with their keys. One that does not pass is left out and told; the others count.
 */
async function fetchKeysets(
  http: MintClient,
  listed: readonly KeysetSummary[],
  { known, count }: { readonly known: (id: string) => Keyset | undefined; readonly count: number },
  { isTime, turn }: { readonly isTime: () => boolean; readonly turn: () => Promise<void> },
): Promise<Fetched> {
  // A mint that was added and lists so many now: none is adopted, and looking at the other mints goes on.
  if (listed.length > maxKeysets) return { keysets: [], alarm: 'mint_lies', missing: null }
  const keysets: Keyset[] = []
  let room = maxKeysets - count
  let alarm: Fetched['alarm'] = null
  let missing: Fetched['missing'] = null
  for (const summary of listed) {
    const before = known(summary.id)
    if (before) {
      if (!isSameKeyset(before, summary)) alarm = 'mint_lies'
      else if (before.active !== summary.active) keysets.push({ ...before, active: summary.active })
      continue
    }
    if (room <= 0) {
      alarm = 'mint_lies'
      continue
    }
    const keys = isTime() ? await http.keys(summary.id) : tooSlow
    if (keys.kind !== 'ok') {
      missing = keys
      continue
    }
    // Its keys take a while: 64 points are a hundredth of a second.
    await turn()
    const keyset = verified({ ...summary, keys: keys.value })
    if (keyset) {
      keysets.push(keyset)
      room--
    } else alarm = 'mint_lies'
  }
  return { keysets, alarm, missing }
}

/** Its id stands for its keys; fee and expiry do not go into a V1 id, and a change of one of them would be a lie. */
const isSameKeyset = (a: Keyset, b: KeysetSummary): boolean =>
  a.unit === b.unit && a.feePpk === b.feePpk && a.finalExpiry === b.finalExpiry

const tooSlow = { kind: 'unknown', reason: 'its keysets take too long', reachable: true } as const

/** Whether there is still time, from now on. */
function timeFrom({ now }: Clock): () => boolean {
  const until = now() + fetchKeysMs
  return () => now() < until
}

function verified(served: Omit<Keyset, 'idV2'>): Keyset | undefined {
  try {
    return verifyKeyset(served)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

/** @returns false when the id, or the V2 id, belongs to other keys or another mint */
function putUnlessTwin(write: WalletWrites, account: number, keyset: Keyset): boolean {
  try {
    write.putKeyset(account, keyset)
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'keyset_twin') return false
    throw error
  }
}

/**
 * Most keysets of one mint, in one list and in all that it ever listed: each is kept for ever, looked at with every payment,
 * and costs a moment when it is new. A mint that renews its keys every month has as many after sixteen years.
 */
const maxKeysets = 200

function assertSuitable(info: InfoResponse): void {
  const missing = requiredNuts.filter((nut) => !isSupported(info.nuts[nut]))
  if (missing.length > 0) throw new AppError('mint_unsuitable', `does not support NUT ${missing.join(', ')}`)
}

/** Whether an entry of NUT-06's `nuts` says `supported`. */
export function isSupported(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'supported' in entry && entry.supported === true
}

/** What a mint answered to a person who waits. @throws AppError `mint_refused`, `mint_bad_answer`, `mint_unreachable` */
export function valueIn<T>(answer: MintAnswer<T>): T {
  switch (answer.kind) {
    case 'ok':
      return answer.value
    case 'refused':
      throw new AppError('mint_refused', `${answer.code} ${answer.detail}`.slice(0, 200))
    case 'unknown':
      throw new AppError(answer.reachable ? 'mint_bad_answer' : 'mint_unreachable', answer.reason, { retryable: true })
  }
}

/** The same client, telling after each answer whether anything answered at all. */
function watched(http: MintClient, note: (reachable: boolean) => void): MintClient {
  const watch = async <T>(answer: Promise<MintAnswer<T>>): Promise<MintAnswer<T>> => {
    const value = await answer
    note(value.kind !== 'unknown' || value.reachable)
    return value
  }
  return {
    info: (signal) => watch(http.info(signal)),
    keysets: (signal) => watch(http.keysets(signal)),
    keys: (id, signal) => watch(http.keys(id, signal)),
    swap: (body, signal) => watch(http.swap(body, signal)),
    requestMintQuote: (amount, unit, signal) => watch(http.requestMintQuote(amount, unit, signal)),
    mintQuote: (id, signal) => watch(http.mintQuote(id, signal)),
    issue: (body, signal) => watch(http.issue(body, signal)),
    requestMeltQuote: (invoice, unit, signal) => watch(http.requestMeltQuote(invoice, unit, signal)),
    meltQuote: (id, signal) => watch(http.meltQuote(id, signal)),
    melt: (body, signal) => watch(http.melt(body, signal)),
    checkState: (Ys, signal) => watch(http.checkState(Ys, signal)),
    restore: (outputs, signal) => watch(http.restore(outputs, signal)),
  }
}
