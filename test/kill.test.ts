// kill -9 of wallets and of the mint in the middle of whatever is going on, round after round, on real files with real
// processes: in the end the books balance, nothing is stuck, and nobody can be shown to have spent twice.
// `npm test` plays ten rounds, `npm run test:crash` five hundred. FARTHING_SEED repeats the plan, FARTHING_RUNS says how many.

import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { openWalletStore } from '../electron/store/wallet-store.ts'
import { layCable } from '../scripts/demo/processes.ts'
import {
  booksOf,
  coinsTwice,
  endsOf,
  type Holder,
  ledgerOfAll,
  looksLikeCheatingInRows,
  promisedTwiceInRows,
  stuck,
  type Wrongs,
} from './at-rest.ts'
import { createChance } from './chance.ts'
import { howMany } from './how-much.ts'
import { names, planRounds, type Round } from './kill-plan.ts'
import { foundTown, type Person, type Town, takeBack } from './kill-town.ts'
import { readBooks } from './mint-books.ts'

const chance = createChance()
const rounds = howMany(10, 500)
const timeoutMs = 240_000 + rounds * 10_000

/** How everything may have ended. A payment that a person took back may have lost the race, and so may its payee. */
const ends = [
  ...['withdraw done', 'pay final', 'pay abandoned', 'pay reclaimed', 'pay bounced'],
  ...['receive terms', 'receive final', 'receive bounced', 'receive refused'],
  ...['refresh done', 'refresh lost', 'melt done', 'melt abandoned'],
]

const told: string[] = []
afterAll(() => console.log(`kill -9: seed ${chance.seed}, ${rounds} rounds\n${told.join('\n')}`))

test('wallets and mint killed at any moment lose nothing', { timeout: timeoutMs }, async () => {
  const town = await foundTown()
  const begun: Promise<void>[] = []
  try {
    const paymentMs = await rehearse(town)
    for (const round of planRounds(chance, rounds)) await play(town, round, paymentMs, begun)
    await Promise.all(begun)
    await comeToRest(town)
    const audit = await auditOf(town)
    for (const name of names) await town.people[name].stop()
    expect(await closeBooks(town, audit)).toEqual([])
    expect(town.defects).toEqual([])
  } finally {
    await town.close()
  }
})

test('a cable that is unplugged while it is being plugged in is unplugged, and can be plugged in again', async () => {
  const cable = await layCable('http://127.0.0.1:9')
  const isReached = () =>
    fetch(cable.url).then(
      () => true,
      ({ cause }) => cause?.code !== 'ECONNREFUSED',
    )
  await cable.unplug()
  await Promise.all([cable.plug(), cable.unplug()])
  expect(await isReached()).toBe(false)
  await cable.plug()
  expect(await isReached()).toBe(true)
  await cable.close()
})

const kills = new Map<string, number>()

/** Everybody gets money, and one payment is made in peace. @returns how long it took until both called it final */
async function rehearse(town: Town): Promise<number> {
  for (const who of names) await town.begin({ kind: 'withdraw', who, amount: 100 })
  await comeToRest(town)
  const before = Date.now()
  await town.begin({ kind: 'pay', who: 'ann', to: 'bob', amount: 21 })
  const paymentMs = Date.now() - before
  const [payment] = await town.people.bob.call('payments.list', { limit: 1 })
  expect(payment?.state).toBe('final')
  return paymentMs
}

async function play(
  { begin, people, mint }: Town,
  { actions, after, victim }: Round,
  paymentMs: number,
  begun: Promise<void>[],
): Promise<void> {
  for (const action of actions) {
    const done = begin(action)
    // Looked at in the end; until then a failure must not count as one that nobody looks at.
    done.catch(() => undefined)
    begun.push(done)
  }
  await waitFor(after * paymentMs)
  const dying = victim === 'mint' ? mint : people[victim]
  await dying.kill()
  await dying.start()
  kills.set(victim, (kills.get(victim) ?? 0) + 1)
}

/** Longest time that all together may need in the end. */
const patienceMs = 120_000
const quietMs = 1500

/** Everybody is online; people take back what was refused; until nothing is on its way and nothing is due. */
async function comeToRest({ people, begin }: Town): Promise<void> {
  await begin({ kind: 'settle' })
  const until = Date.now() + patienceMs
  let quietSince = Date.now()
  while (Date.now() - quietSince < quietMs && Date.now() < until) {
    for (const name of names) if (!(await isQuiet(people[name]))) quietSince = Date.now()
    await waitFor(100)
  }
}

async function isQuiet(person: Person): Promise<boolean> {
  if (await takeBack(person, 0, 'free')) return false
  const totals = await person.call('audit.totals', {})
  return totals.every(({ reserved, handedOver, openOperations }) => reserved + handedOver + openOperations === 0)
}

type Audit = Readonly<Record<'spendable' | 'reserved' | 'handedOver' | 'feesPaid' | 'cashedOut', number>>

async function auditOf({ people }: Town): Promise<Audit> {
  const all = (await Promise.all(names.map((name) => people[name].call('audit.totals', {})))).flat()
  const sum = (of: keyof Audit) => all.reduce((total, one) => total + one[of], 0)
  return {
    spendable: sum('spendable'),
    reserved: sum('reserved'),
    handedOver: sum('handedOver'),
    feesPaid: sum('feesPaid'),
    cashedOut: sum('cashedOut'),
  }
}

/** What wallets say, what their files say, and what the mint's file says, are one. */
async function closeBooks({ people, mint }: Town, audit: Audit): Promise<Wrongs> {
  const opened = names.map((name) => ({ name, store: openWalletStore(join(people[name].folder, 'wallet.db')) }))
  try {
    const books = readBooks(mint.folder)
    const holders: readonly Holder[] = opened
    const known = ledgerOfAll(holders)
    const spent = new Set(books.spent)
    const { spendable, reserved, handedOver, feesPaid, cashedOut } = audit
    told.push(
      `killed: ${[...kills].map(([who, times]) => `${who} ${times}`).join(', ')}`,
      [...endsOf(holders)].map(([end, times]) => `${times} ${end}`).join(', '),
      `issued ${books.issued} = spendable ${spendable} + fees ${feesPaid} + cashed out ${cashedOut}; in circulation ${books.circulating}`,
    )
    const isSame = (what: string, one: number, other: number) => (one === other ? [] : [`${what}: ${one} and ${other}`])
    return [
      ...booksOf(holders),
      ...books.problems,
      ...isSame('issued', books.issued, spendable + reserved + handedOver + feesPaid + cashedOut),
      ...isSame('in circulation', books.circulating, known.worth),
      ...(await coinsTwice(holders, async (Ys) => new Set(Ys.filter((Y) => spent.has(Y))))),
      ...stuck(Date.now(), holders, ends),
      ...promisedTwiceInRows(holders),
      ...looksLikeCheatingInRows(holders),
    ]
  } finally {
    for (const { store } of opened) store.close()
  }
}
