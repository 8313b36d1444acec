// What a person has, by kind of money: one unit, of all mints together, but play money never with real money. Pure.

import { cappedSum } from '../shared/amount.ts'
import { plainText } from '../shared/foreign.ts'
import type { MintView, UnitBalance } from '../shared/model.ts'

export type Money = {
  /** Names this kind of money, also after a restart. */
  readonly key: string
  readonly unit: string
  readonly isPlayMoney: boolean
  readonly spendable: number
  readonly onItsWay: number
  readonly signedToUs: number
  readonly resting: number
  /** The largest payment possible at once: a payment takes coins of one mint. */
  readonly payableAtOnce: number
  /** Payments that become final when a mint answers. */
  readonly waiting: number
  /** The mints that hold it, as the list has them. */
  readonly mintUrls: readonly string[]
  /** Names of mints that do not answer. */
  readonly outOfReach: readonly string[]
}

/** Real money before play money, the most used first, as the mints are listed. */
export function moneyKinds(mints: readonly MintView[]): readonly Money[] {
  const kinds = new Map<string, Money>()
  for (const mint of mints) {
    for (const unit of mint.units) {
      const key = mint.isPlayMoney ? `${unit} play` : unit
      const balance = mint.balances.find((one) => one.unit === unit)
      kinds.set(key, added(kinds.get(key) ?? none(key, unit, mint.isPlayMoney), mint, balance))
    }
  }
  const all = [...kinds.values()]
  const used = all.filter(isUsed)
  return (used.length > 0 ? used : all).sort((a, b) => Number(a.isPlayMoney) - Number(b.isPlayMoney))
}

/** As the mint calls itself, which is somebody else's text; else its address. */
export function mintName(mint: Pick<MintView, 'name' | 'url'>): string {
  return (
    plainText(mint.name ?? '').replace(playMoneyNote, '') || mint.url.replace(/^https?:\/\//, '').replace(/\/$/, '')
  )
}

/** Its amounts are tagged wherever they stand: said twice it is only long. */
const playMoneyNote = /(?<!\s)\s*\(play money\)$/i

function none(key: string, unit: string, isPlayMoney: boolean): Money {
  return {
    key,
    unit,
    isPlayMoney,
    spendable: 0,
    onItsWay: 0,
    signedToUs: 0,
    resting: 0,
    payableAtOnce: 0,
    waiting: 0,
    mintUrls: [],
    outOfReach: [],
  }
}

function added(money: Money, mint: MintView, balance: UnitBalance | undefined): Money {
  // Since when is null before the first answer of this run: not known is not "out of reach".
  const isOut = !mint.isReachable && mint.since !== null
  return {
    ...money,
    spendable: cappedSum([money.spendable, balance?.spendable ?? 0]),
    onItsWay: cappedSum([money.onItsWay, balance?.onItsWay ?? 0]),
    signedToUs: cappedSum([money.signedToUs, balance?.signedToUs ?? 0]),
    resting: cappedSum([money.resting, balance?.resting ?? 0]),
    payableAtOnce: Math.max(money.payableAtOnce, balance?.payableAtOnce ?? 0),
    waiting: money.waiting + (isOut ? mint.waiting.in + mint.waiting.out : 0),
    mintUrls: [...money.mintUrls, mint.url],
    outOfReach: isOut ? [...money.outOfReach, mintName(mint)] : money.outOfReach,
  }
}

function isUsed(money: Money): boolean {
  return money.spendable + money.onItsWay + money.signedToUs + money.resting > 0
}
