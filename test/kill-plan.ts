// What happens in the rounds of the kill -9 test, drawn before it begins: the same seed gives the same plan, whatever the
// machine makes of it.

import type { Chance } from './chance.ts'

export const names = ['ann', 'bob', 'cleo'] as const
export type Name = (typeof names)[number]

export type Action =
  | { readonly kind: 'withdraw'; readonly who: Name; readonly amount: number }
  | { readonly kind: 'pay'; readonly who: Name; readonly to: Name; readonly amount: number }
  /** Take back one of the payments that can be taken back, counted round and round. */
  | { readonly kind: 'reclaim'; readonly who: Name; readonly which: number }
  | { readonly kind: 'cashOut'; readonly who: Name; readonly amount: number }
  /** The cable between a wallet and the mint. */
  | { readonly kind: 'unplug'; readonly who: Name }
  | { readonly kind: 'plug'; readonly who: Name }
  /** Everybody is online and asks the mint. */
  | { readonly kind: 'settle' }

export type Round = {
  /** Begun one after another, not waited for. */
  readonly actions: readonly Action[]
  /** After so many times the time that a payment takes on this machine somebody is killed, whatever is going on then. */
  readonly after: number
  readonly victim: Name | 'mint'
}

/** Longest time between what people do and the death of somebody, in payments: what follows a payment is disturbed, too. */
const longest = 2

export function planRounds(chance: Chance, rounds: number): readonly Round[] {
  const one = <T>(items: readonly T[]): T => items[chance.between(0, items.length - 1)]!
  const two = (): readonly [Name, Name] => {
    const who = one(names)
    return [who, one(names.filter((name) => name !== who))]
  }
  const draw = (): Action => {
    const [who, to] = two()
    const lot = chance.between(1, 100)
    if (lot <= 50) return { kind: 'pay', who, to, amount: chance.between(1, 20) }
    if (lot <= 65) return { kind: 'withdraw', who, amount: chance.between(1, 60) }
    if (lot <= 75) return { kind: 'unplug', who }
    if (lot <= 83) return { kind: 'plug', who }
    if (lot <= 89) return { kind: 'reclaim', who, which: chance.between(0, 9) }
    if (lot <= 93) return { kind: 'cashOut', who, amount: chance.between(1, 15) }
    return { kind: 'settle' }
  }
  return Array.from({ length: rounds }, () => ({
    actions: Array.from({ length: chance.between(1, 3) }, draw),
    after: chance.next() * longest,
    victim: chance.oneIn(8) ? 'mint' : one(names),
  }))
}
