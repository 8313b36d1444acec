// One question of a search (NUT-09) and whether its answer is whole. Outputs that are known to be signed stand among those
// asked about, one at each end at least: an answer that does not name them leaves something out. Nothing here stores.

import { pointToHex } from '../../shared/cashu/bdhke.ts'
import type { BlindSignature } from '../../shared/cashu/wire.ts'
import type { Context } from './context.ts'
import type { Sentinel } from './operation.ts'
import { keysetOf } from './own-coins.ts'
import type { MintAnswer } from './ports.ts'
import type { CoinPath, Secrets } from './secrets.ts'
import { type VerifiedSignature, verifySignature } from './settle.ts'

/** Most outputs in one question; mints take more. */
export const mostOutputs = 100
/** Points that are computed before other work gets its turn: about a millisecond each. */
const pointsAtOnce = 8

export type SearchAnswer =
  /** Of each path: its signature, null for none, 'unreadable' for one that makes no coin under any key that is known. */
  | { readonly kind: 'whole'; readonly B_s: readonly string[]; readonly found: readonly Found[] }
  | {
      readonly kind: 'partial'
      readonly reason: string
      /** Keysets of which a signature that exists is missing. */
      readonly leftOut: readonly string[]
      /** The end is missing, or the question was refused: a shorter one may be answered. */
      readonly isCutOff: boolean
    }
  /** A signature of a keyset that is not known, or that fits none of the outputs. */
  | { readonly kind: 'strange' }
  | { readonly kind: 'unknown'; readonly reason: string; readonly retryAfterMs?: number }
export type Found = VerifiedSignature | 'unreadable' | null

/** Ask about these coins. @param among known signatures that a whole answer has */
export async function askAbout(
  ctx: Context,
  account: number,
  paths: readonly CoinPath[],
  among: readonly Sentinel[],
): Promise<SearchAnswer> {
  const B_s = await blindedMessages(ctx, paths)
  const known = new Set(among.map(({ B_ }) => B_))
  const parts = withSentinels(
    B_s.filter((B_) => !known.has(B_)),
    among,
  )
  const outputs = parts.flatMap((part) => (part.kind === 'sentinel' ? [part.sentinel.B_] : part.B_s))
  const anyKeyset = '0'.repeat(16)
  const answer: MintAnswer<readonly BlindSignature[]> = await ctx.mints
    .client(account)
    .restore(outputs.map((B_) => ({ amount: 1, id: anyKeyset, B_ })))
  if (answer.kind === 'unknown') return answer
  if (answer.kind === 'refused') {
    return { kind: 'partial', reason: `${answer.code} ${answer.detail}`.slice(0, 200), leftOut: [], isCutOff: true }
  }
  const groups = groupsOf(parts, answer.value)
  if (groups.kind !== 'groups') return groups
  const found = new Map<string, Found>()
  for (const { B_s: asked, signatures } of groups.groups) {
    const matched = await match(ctx, account, asked, signatures)
    if (!matched) return { kind: 'strange' }
    for (const [index, B_] of asked.entries()) found.set(B_, matched[index] ?? null)
  }
  return { kind: 'whole', B_s, found: B_s.map((B_) => found.get(B_) ?? null) }
}

type Part =
  | { readonly kind: 'sentinel'; readonly sentinel: Sentinel }
  | { readonly kind: 'asked'; readonly B_s: readonly string[] }

/** The first at the end, the second at the beginning, the others between, all at equal distances. */
function withSentinels(B_s: readonly string[], sentinels: readonly Sentinel[]): readonly Part[] {
  const [last, ...before] = sentinels
  if (!last) return [{ kind: 'asked', B_s }]
  const size = Math.ceil(B_s.length / Math.max(1, before.length))
  const parts = before.flatMap((sentinel, index): readonly Part[] => [
    { kind: 'sentinel', sentinel },
    { kind: 'asked', B_s: B_s.slice(index * size, (index + 1) * size) },
  ])
  const inFront: readonly Part[] = before.length > 0 ? parts : [{ kind: 'asked', B_s }]
  return [...inFront, { kind: 'sentinel', sentinel: last }]
}

type Group = { readonly B_s: readonly string[]; readonly signatures: readonly BlindSignature[] }
type Groups =
  | { readonly kind: 'groups'; readonly groups: readonly Group[] }
  | Extract<SearchAnswer, { kind: 'partial' }>

/** The signatures between two sentinels are on outputs between them: signatures come in the order asked. */
function groupsOf(parts: readonly Part[], signatures: readonly BlindSignature[]): Groups {
  const groups: Group[] = []
  const leftOut: string[] = []
  let isCutOff = false
  let next = 0
  let asked: string[] = []
  for (const part of parts) {
    if (part.kind === 'asked') {
      asked.push(...part.B_s)
      continue
    }
    const at = signatures.findIndex((signature, index) => index >= next && isThatOf(part.sentinel, signature))
    if (at < 0) {
      leftOut.push(part.sentinel.keysetId)
      isCutOff = part === parts.at(-1)
      continue
    }
    groups.push({ B_s: asked, signatures: signatures.slice(next, at) })
    groups.push({ B_s: [part.sentinel.B_], signatures: signatures.slice(at, at + 1) })
    asked = []
    next = at + 1
  }
  groups.push({ B_s: asked, signatures: signatures.slice(next) })
  const reason = isCutOff ? 'the mint answers only in part' : 'the mint leaves out coins of a keyset'
  return leftOut.length > 0 ? { kind: 'partial', reason, leftOut, isCutOff } : { kind: 'groups', groups }
}

/** C_ = kB_ is the same every time; its DLEQ proof was verified when it was seen first. */
const isThatOf = ({ keysetId, amount, C_ }: Sentinel, signature: BlindSignature): boolean =>
  signature.id === keysetId && signature.amount === amount && signature.C_.toLowerCase() === C_

/** Which signature is on which output, by DLEQ; undefined when one is on none of several. */
async function match(
  ctx: Context,
  account: number,
  B_s: readonly string[],
  signatures: readonly BlindSignature[],
): Promise<readonly Found[] | undefined> {
  const keyset = keysetOf(ctx.store, account)
  const found: Found[] = B_s.map(() => null)
  if (signatures.some(({ id }) => keyset(id) === undefined) && B_s.length > 1) return undefined
  let next = 0
  let tried = 0
  for (const signature of signatures) {
    let verified: VerifiedSignature | undefined
    while (verified === undefined && next < B_s.length) {
      if (++tried % pointsAtOnce === 0) await ctx.turn()
      verified = verifySignature(signature, B_s[next] ?? '', keyset)
      if (verified) found[next] = verified
      next++
    }
    if (verified) continue
    // Asked about alone, it is plain which output was signed, whatever the signature is worth.
    return B_s.length === 1 ? ['unreadable'] : undefined
  }
  return found
}

/** What was computed for one mint is asked of the next one as well: paths name no mint. */
const computed = new WeakMap<Secrets, Map<string, string>>()
const mostComputed = 50_000

/** B_ of each, with a turn for everything else now and then. */
async function blindedMessages({ secrets, turn }: Context, paths: readonly CoinPath[]): Promise<readonly string[]> {
  const known = computed.get(secrets) ?? new Map<string, string>()
  computed.set(secrets, known)
  if (known.size > mostComputed) known.clear()
  const B_s: string[] = []
  let fresh = 0
  for (const path of paths) {
    const name = `${path.generation}/${path.account}/${path.purse}/${path.coin}`
    const before = known.get(name)
    if (before === undefined && ++fresh % pointsAtOnce === 0) await turn()
    const B_ = before ?? pointToHex(secrets.blindedMessage(path))
    if (before === undefined) known.set(name, B_)
    B_s.push(B_)
  }
  return B_s
}
