// The mints a wallet knows: adding one, keeping its keysets current, knowing whether it can be reached.

import { type Keyset, verifyKeyset } from '../../shared/cashu/keyset.ts'
import type { InfoResponse } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import type { Clock, EngineEvent, KeysetSummary, MintAnswer, MintClient, MintClients } from './ports.ts'
import type { MintRow, WalletStore } from './store-port.ts'

/** What a mint must support for its coins to work as ours (protocol section 8, NUT-06). */
const requiredNuts = ['7', '9', '10', '11', '12'] as const
/** Our own mint names itself so; it enforces SIG_ALL. Others are online only until they are probed. */
const ownVersion = /^Farthing\//
const maxMints = 32

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
}

/** @throws AppError `bad_input` unless it is an http(s) address without credentials, query or fragment */
export function normaliseMintUrl(text: string): string {
  const trimmed = text.trim()
  if (!URL.canParse(trimmed) || trimmed.length > 512) throw new AppError('bad_input', 'not an address')
  const url = new URL(trimmed)
  if (!['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new AppError('bad_input', 'not the address of a mint')
  }
  return url.href.replace(/\/+$/, '')
}

export function createMints({ store, clients, clock, trustOffline, emit }: MintsParts): Mints {
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
    if (store.read.mintByUrl(url)) throw new AppError('mint_exists', 'this mint is already there')
    if (store.read.mints().length >= maxMints) throw new AppError('bad_input', 'too many mints')
    const http = clients(url)
    const info = valueIn(await http.info())
    assertSuitable(info)
    const keysets = await fetchKeysets(http, valueIn(await http.keysets()), () => undefined)
    if (!keysets.some(({ active }) => active)) throw new AppError('mint_unsuitable', 'no active keyset')
    const mint = store.transaction((write) => {
      const row = write.insertMint({
        url,
        name: info.name ?? null,
        version: info.version ?? null,
        offlineCapable: isOfflineCapable(url, info),
        lastReachedAt: clock.now(),
        alarm: null,
      })
      for (const keyset of keysets) write.putKeyset(row.account, keyset)
      return row
    })
    note(mint.account, true)
    return mint
  }

  const isOfflineCapable = (url: string, info: InfoResponse) => ownVersion.test(info.version ?? '') || trustOffline(url)

  const sync = async (account: number): Promise<boolean> => {
    const http = client(account)
    const info = await http.info()
    const listed = await http.keysets()
    if (info.kind !== 'ok' || listed.kind !== 'ok') return false
    try {
      const known = (id: string) => {
        const found = store.read.keyset(id)
        return found?.account === account ? found.keyset : undefined
      }
      const keysets = await fetchKeysets(http, listed.value, known)
      const gone = store.read.keysets(account).filter(({ id }) => !keysets.some((keyset) => keyset.id === id))
      store.transaction((write) => {
        for (const keyset of keysets) write.putKeyset(account, keyset)
        for (const keyset of gone) write.putKeyset(account, { ...keyset, active: false })
        const mint = store.read.mint(account)
        if (!mint) return
        write.updateMint({
          ...mint,
          name: info.value.name ?? null,
          version: info.value.version ?? null,
          offlineCapable: isOfflineCapable(mint.url, info.value),
          lastReachedAt: clock.now(),
        })
      })
      return true
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      raiseAlarm(account, error)
      return error.code !== 'mint_unreachable'
    }
  }

  /** What a mint now says of its keys contradicts what it said before: told to people, never adopted. */
  const raiseAlarm = (account: number, error: AppError): void => {
    if (error.code !== 'mint_lies' && error.code !== 'keyset_twin') return
    const mint = store.read.mint(account)
    if (!mint || mint.alarm === error.code) return
    store.transaction((write) => write.updateMint({ ...mint, alarm: error.code }))
    emit({ kind: 'mint', url: mint.url })
  }

  return {
    add,
    sync,
    client,
    reachability: (account) => reachability.get(account) ?? { reachable: false, since: null },
  }
}

/** Keys of every listed keyset that is not known yet, checked; known ones with their new `active`. */
async function fetchKeysets(
  http: MintClient,
  listed: readonly KeysetSummary[],
  known: (id: string) => Keyset | undefined,
): Promise<readonly Keyset[]> {
  if (listed.length > maxKeysets) throw new AppError('mint_unsuitable', 'too many keysets')
  const keysets: Keyset[] = []
  for (const summary of listed) {
    const before = known(summary.id)
    const keys = before?.keys ?? valueIn(await http.keys(summary.id))
    const keyset = verifyKeyset({ ...summary, keys })
    if (before && before.idV2 !== keyset.idV2)
      throw new AppError('mint_lies', 'fee, unit or expiry of a keyset changed')
    keysets.push(keyset)
  }
  return keysets
}

const maxKeysets = 200

function assertSuitable(info: InfoResponse): void {
  const missing = requiredNuts.filter((nut) => !isSupported(info.nuts[nut]))
  if (missing.length > 0) throw new AppError('mint_unsuitable', `does not support NUT ${missing.join(', ')}`)
}

function isSupported(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'supported' in entry && entry.supported === true
}

function valueIn<T>(answer: MintAnswer<T>): T {
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
    checkState: (Ys, signal) => watch(http.checkState(Ys, signal)),
    restore: (outputs, signal) => watch(http.restore(outputs, signal)),
  }
}
