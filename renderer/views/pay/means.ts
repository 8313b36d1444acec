// What a person has for a payment: which mint, how much of it. Pure. It only says beforehand what the host decides later.

import type { MintView, UnitBalance } from '../../../shared/model.ts'
import { type Money, mintName } from '../../money.ts'

export type Means = {
  readonly mintUrl: string
  readonly mintName: string
  readonly isPlayMoney: boolean
  /** Known not to answer. */
  readonly isOut: boolean
  readonly spendable: number
  /** Can be spent now, or will come back first when the mint answers. */
  readonly inAll: number
  /** The largest single payment without the mint. */
  readonly atOnce: number
}

/** What there is of a unit at a mint. */
export function meansAt(mint: MintView, unit: string): Means {
  const balance = balanceOf(mint, unit)
  const [spendable, onItsWay] = [balance?.spendable ?? 0, balance?.onItsWay ?? 0]
  return {
    mintUrl: mint.url,
    mintName: mintName(mint),
    isPlayMoney: mint.isPlayMoney,
    isOut: !mint.isReachable && mint.since !== null,
    spendable,
    inAll: spendable + onItsWay,
    atOnce: balance?.payableAtOnce ?? 0,
  }
}

/** The first of these mints, best first, that has enough; else the first. Null when there is none. */
export function bestMint(
  urls: readonly string[],
  mints: readonly MintView[],
  unit: string,
  amount: number | null,
): string | null {
  const enough = urls.find((url) => {
    const mint = mints.find((one) => one.url === url)
    return mint !== undefined && (balanceOf(mint, unit)?.payableAtOnce ?? 0) >= (amount ?? 1)
  })
  return enough ?? urls[0] ?? null
}

/** Our mints with this kind of money, the one with most of it first. */
export function mintsOf(
  { mintUrls, unit }: Pick<Money, 'mintUrls' | 'unit'>,
  mints: readonly MintView[],
): readonly string[] {
  return mints
    .filter(({ url }) => mintUrls.includes(url))
    .sort((a, b) => (balanceOf(b, unit)?.payableAtOnce ?? 0) - (balanceOf(a, unit)?.payableAtOnce ?? 0))
    .map(({ url }) => url)
}

/** Its name, with the address where another mint has the same. */
export function mintLabel(mint: MintView, among: readonly MintView[]): string {
  const name = mintName(mint)
  const isTwice = among.some((other) => other.url !== mint.url && mintName(other) === name)
  return isTwice ? `${name} (${mintAddress(mint.url)})` : name
}

export const mintAddress = (url: string): string => url.replace(/^https?:\/\//, '').replace(/\/$/, '')

export type Affordable =
  | { readonly kind: 'nothing' }
  /** It can be paid now, whoever is online. */
  | { readonly kind: 'yes' }
  /** What is on its way back has to come first, and the mint answers. */
  | { readonly kind: 'with-mint' }
  /** It is there, but not for one payment as it is now. */
  | { readonly kind: 'not-now' }
  | { readonly kind: 'no' }

/** @param amount 0 while nothing is typed */
export function affordable(amount: number, { inAll, spendable, atOnce, isOut }: Means): Affordable {
  if (amount === 0) return { kind: 'nothing' }
  if (amount <= atOnce) return { kind: 'yes' }
  if (amount > inAll) return { kind: 'no' }
  return isOut || inAll === spendable ? { kind: 'not-now' } : { kind: 'with-mint' }
}

const balanceOf = (mint: MintView, unit: string): UnitBalance | undefined =>
  mint.balances.find((balance) => balance.unit === unit)
