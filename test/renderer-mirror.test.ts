// The window's copy of the host's state: nothing old, nothing missed, nothing repainted that did not change.

import { describe, expect, test } from 'vitest'
import { emptyMirror, type Mirror, stale, withAnswer, withEvent, withSnapshot } from '../renderer/mirror.ts'
import { mintName, moneyKinds } from '../renderer/money.ts'
import { reactionTo } from '../renderer/reactions.ts'
import { home, readRoute, sameRoute, to } from '../renderer/route.ts'
import { dayName, groupByDay } from '../renderer/time.ts'
import type { MintView, PaymentView, Snapshot } from '../shared/model.ts'

function payment(n: number, more: Partial<PaymentView> = {}): PaymentView {
  return {
    id: n.toString(16).padStart(32, '0'),
    direction: 'in',
    state: 'signed',
    amount: 100,
    fee: 0,
    unit: 'eur',
    mintUrl: 'https://mint.example',
    name: '',
    payee: { words: ['a', 'b', 'c', 'd'], picture: '0'.repeat(32) },
    requestId: null,
    mayBeDelivered: false,
    reclaim: 'no',
    memo: null,
    answeredInMs: null,
    createdAt: n,
    updatedAt: n,
    alarm: null,
    trouble: null,
    ...more,
  }
}

const copy = <T>(value: T): T => structuredClone(value)
const latest = [payment(3), payment(2), payment(1)]
const snapshot: Snapshot = { revision: 10, slices: { ...emptyMirror.slices, latest } }
const fresh: Mirror = withSnapshot(emptyMirror, copy(snapshot))

describe('events', () => {
  test('in order are applied', () => {
    const waiting = { in: 2, out: 1, onItsWay: 0 }
    const next = withEvent(fresh, { kind: 'slice', revision: 11, name: 'waiting', value: waiting })
    expect(next).toMatchObject({ revision: 11, isStale: false, slices: { waiting } })
  })

  test('that are old are dropped', () => {
    const old = { kind: 'slice', revision: 10, name: 'latest', value: [] } as const
    expect(withEvent(fresh, old)).toBe(fresh)
  })

  test('stay when the answer to a command comes late, and says how the payment was before', () => {
    const before = payment(3)
    const after = payment(3, { state: 'bounced', updatedAt: 9 })
    const { payments } = withEvent(fresh, { kind: 'payment', revision: 11, payment: after, was: 'signed' })
    expect(withAnswer(payments, [before])).toBe(payments)
    expect(withAnswer(payments, [{ ...after, alarm: 'blocked_at_mint' }]).get(after.id)?.alarm).toBe('blocked_at_mint')
    expect(withAnswer(payments, [payment(7)]).get(payment(7).id)).toEqual(payment(7))
  })

  test('after a gap are held until a snapshot, which they may be newer than', () => {
    const waiting = (n: number) => ({ in: n, out: 0, onItsWay: 0 })
    const gap = withEvent(fresh, { kind: 'slice', revision: 12, name: 'waiting', value: waiting(12) })
    expect(gap.isStale).toBe(true)
    expect(gap.slices).toBe(fresh.slices)
    const held = withEvent(gap, { kind: 'slice', revision: 13, name: 'waiting', value: waiting(13) })
    const healed = withSnapshot(held, { ...copy(snapshot), revision: 12 })
    expect(healed).toMatchObject({ revision: 13, isStale: false, held: [], slices: { waiting: waiting(13) } })
  })

  test('before the first snapshot are held, in whatever order they come', () => {
    const event = (revision: number) => ({ kind: 'payment', revision, payment: payment(revision), was: null }) as const
    const held = [event(12), event(10), event(11)].reduce(withEvent, emptyMirror)
    const first = withSnapshot(held, copy(snapshot))
    expect(first.revision).toBe(12)
    expect([...first.payments.keys()].map((id) => Number.parseInt(id, 16))).toEqual([3, 2, 1, 11, 12])
  })

  test('that leave a gap after a snapshot ask for another one', () => {
    const late = { kind: 'payment', revision: 20, payment: payment(9), was: null } as const
    const still = withSnapshot(withEvent(stale(fresh), late), copy(snapshot))
    expect(still).toMatchObject({ revision: 10, isStale: true, held: [late] })
  })

  test('of a host that counts from the beginning again are not taken for old news', () => {
    const back = stale(fresh)
    const restarted = withSnapshot(back, { ...copy(snapshot), revision: 0 })
    const next = withEvent(restarted, { kind: 'slice', revision: 1, name: 'latest', value: [] })
    expect(next).toMatchObject({ revision: 1, isStale: false })
    expect(next.slices.latest).toEqual([])
  })
})

describe('what did not change', () => {
  test('keeps its identity in a snapshot that says the same', () => {
    expect(withSnapshot(fresh, copy(snapshot)).slices).toBe(fresh.slices)
  })

  test('keeps its identity in a list where one item changed and one was added', () => {
    const value = copy([payment(4), payment(3), payment(2, { state: 'final' }), payment(1)])
    const next = withEvent(fresh, { kind: 'slice', revision: 11, name: 'latest', value })
    expect(next.slices.latest[1]).toBe(fresh.slices.latest[0])
    expect(next.slices.latest[2]).not.toBe(fresh.slices.latest[1])
    expect(next.slices.latest[3]).toBe(fresh.slices.latest[2])
    expect(next.slices.mints).toBe(fresh.slices.mints)
  })

  test('keeps its identity when a payment comes alone', () => {
    const changed = payment(2, { state: 'final' })
    const next = withEvent(fresh, { kind: 'payment', revision: 11, payment: changed, was: 'signed' })
    expect(next.slices.latest.map((one) => one.state)).toEqual(['signed', 'final', 'signed'])
    expect(next.slices.latest[0]).toBe(fresh.slices.latest[0])
    expect(next.payments.get(changed.id)).toBe(next.slices.latest[1])
    expect(next.payments.get(payment(1).id)).toBe(fresh.payments.get(payment(1).id))
  })

  test('is nothing when an event repeats what is known', () => {
    const next = withEvent(fresh, { kind: 'payment', revision: 11, payment: payment(3), was: 'signed' })
    expect(next.slices).toBe(fresh.slices)
    expect(next.payments).toBe(fresh.payments)
  })
})

describe('money', () => {
  const balance = { onItsWay: 0, signedToUs: 0, resting: 0, expired: 0 }
  const mint = (more: Partial<MintView>): MintView => ({
    url: 'https://a.example',
    name: 'A',
    isPlayMoney: false,
    isPractice: false,
    isOnlineOnly: false,
    isReachable: true,
    since: 1,
    lastReachedAt: 1,
    alarm: null,
    version: null,
    units: ['eur'],
    feePpk: 0,
    keysetEndsAt: null,
    coins: 0,
    waiting: { in: 1, out: 1 },
    balances: [{ unit: 'eur', spendable: 100, payableAtOnce: 80, ...balance }],
    ...more,
  })

  test('of one unit is added up over mints; one payment takes it from one', () => {
    const [money] = moneyKinds([mint({}), mint({ url: 'https://b.example', isReachable: false, name: null })])
    expect(money).toMatchObject({ spendable: 200, payableAtOnce: 80, waiting: 2, outOfReach: ['b.example'] })
  })

  test('to play with is never added to real money', () => {
    const kinds = moneyKinds([mint({ isPlayMoney: true }), mint({ url: 'https://b.example' })])
    expect(kinds.map(({ isPlayMoney, spendable }) => [isPlayMoney, spendable])).toEqual([
      [false, 100],
      [true, 100],
    ])
  })
})

test('a mint cannot turn the sentence its name stands in, nor have an empty one', () => {
  const url = 'https://mint.example'
  expect(mintName({ url, name: 'Harbour\u202e\n Mint (play money)' })).toBe('Harbour Mint')
  expect(mintName({ url, name: '\u200b' })).toBe('mint.example')
})

describe('a reaction', () => {
  test('to a payment that becomes final later is a toast; where it is shown, a sound', () => {
    const paid = payment(1, { state: 'final' })
    expect(reactionTo(paid, 'signed', home, false)).toMatchObject({ toast: { kind: 'final' } })
    expect(reactionTo(paid, 'signed', home, false).sound).toBeUndefined()
    expect(reactionTo(paid, 'signed', { screen: 'activity', path: [paid.id] }, false).sound).toBe('paid')
    expect(reactionTo(paid, 'signed', { screen: 'activity', path: [paid.id] }, false).toast).toBeUndefined()
  })

  test('to bad news is no toast', () => {
    expect(reactionTo(payment(1, { state: 'bounced' }), 'signed', home, false).toast).toBeUndefined()
  })

  test('to nothing new is nothing', () => {
    expect(reactionTo(payment(1), 'signed', home, false)).toEqual({})
  })
})

describe('an address', () => {
  test.each([
    ['', home],
    ['#/nowhere/x', home],
    ['#/activity/%E0%A4%A', home],
    ['#/pay', { screen: 'pay', path: [] }],
    [to.payRequest('farthing:creqA/x?y#z'), { screen: 'pay', path: ['request', 'farthing:creqA/x?y#z'] }],
    [to.payment('3f9c'), { screen: 'activity', path: ['3f9c'] }],
    [to.mint(2, 'add'), { screen: 'mints', path: ['2', 'add'] }],
    [to.settings('phrase'), { screen: 'settings', path: ['phrase'] }],
  ])('%s', (hash, route) => {
    expect(readRoute(hash)).toEqual(route)
    expect(sameRoute(readRoute(hash), readRoute(hash))).toBe(true)
  })
})

describe('days', () => {
  const at = (day: number, hour: number) => new Date(2026, 5, day, hour).getTime()

  test('are named as people do', () => {
    const now = at(20, 0) + 60_000
    expect(dayName(now, now)).toBe('Today')
    expect(dayName(at(19, 23), now)).toBe('Yesterday')
    expect(dayName(at(18, 12), now)).toBe('Thursday 18 June')
    expect(dayName(new Date(2025, 11, 31).getTime(), now)).toBe('Wednesday 31 December 2025')
  })

  test('group a list', () => {
    const items = [at(20, 9), at(20, 8), at(18, 12)].map((createdAt) => ({ createdAt }))
    expect(groupByDay(items, at(20, 10)).map(({ day, items }) => [day, items.length])).toEqual([
      ['Today', 2],
      ['Thursday 18 June', 1],
    ])
  })
})
