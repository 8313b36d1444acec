// Three wallets and a mint as processes of their own, on real files, real HTTP and real libp2p, who can be killed and
// started again at any moment. Between each wallet and the mint is a cable.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layCable, type MintProcess, startMint, startWallet, type WalletProcess } from '../scripts/demo/processes.ts'
import { AppError } from '../shared/errors.ts'
import type { CommandName, InputOf, OutputOf } from '../shared/ipc.ts'
import { type Action, type Name, names } from './kill-plan.ts'
import { foreignInvoice } from './mint-fixture.ts'

const unit = 'sat'
/** Waiting times of hours and minutes, made short; few coins, so that change is needed. */
const tuning = {
  settleDelayMs: [50, 300],
  refreshDelayMs: [0, 200],
  readingGapMs: 300,
  retryMs: [100, 800],
  settleFirstMs: 1500,
  settleBeforeAnswerMs: 800,
  coinsOfEach: 1,
  tickMs: 300,
}

/** Somebody was killed before the answer came. */
class Gone extends Error {}

export type Person = {
  readonly name: Name
  readonly folder: string
  /** @throws AppError as a person is told, Gone when the wallet was killed meanwhile */
  call<N extends CommandName>(command: N, input: InputOf<N>): Promise<OutputOf<N>>
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  readonly plug: () => Promise<void>
  readonly unplug: () => Promise<void>
  readonly mintUrl: string
}

export type Town = {
  readonly people: Readonly<Record<Name, Person>>
  readonly mint: MintProcess & { readonly folder: string }
  /** What wallets called a defect. */
  readonly defects: readonly string[]
  /** Begin an action. Resolves when it is over, however it ended; what is no answer to a person is thrown. */
  begin(action: Action): Promise<void>
  close(): Promise<void>
}

export async function foundTown(): Promise<Town> {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-kill-'))
  const defects: string[] = []
  const mintFolder = join(folder, 'mint')
  const mint = await startMint(mintFolder, 0, { delayMs: 20 })
  const made = await Promise.all(names.map((name) => settleDown(name, join(folder, name), mint.url, defects)))
  const [ann, bob, cleo] = made
  if (!ann || !bob || !cleo) throw new Error('nobody came')
  const people = { ann, bob, cleo }
  return {
    people,
    mint: { ...mint, folder: mintFolder },
    defects,
    begin: async (action) => {
      try {
        await act(people, action)
      } catch (error) {
        if (!(error instanceof Gone) && !(error instanceof AppError && error.code !== 'internal')) throw error
      }
    },
    close: async () => {
      for (const person of made) {
        await person.stop()
        await person.unplug()
      }
      await mint.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function settleDown(name: Name, folder: string, mintUrl: string, defects: string[]): Promise<Person> {
  const cable = await layCable(mintUrl)
  let wallet: WalletProcess | undefined
  const start = async (): Promise<void> => {
    wallet = await startWallet({
      name,
      folder,
      offlineCapable: [],
      tuning,
      onLog: (line) => {
        if (line.includes('internal:')) defects.push(line)
      },
    })
  }
  const call: Person['call'] = async (command, input) => {
    const asked = wallet
    if (!asked) throw new Gone(`${name} is not there`)
    try {
      return await asked.call(command, input)
    } catch (error) {
      if (wallet !== asked) throw new Gone(`${name} is gone`)
      throw error
    }
  }
  const end = async (how: 'kill' | 'stop'): Promise<void> => {
    const ending = wallet
    wallet = undefined
    await ending?.[how]()
  }
  await start()
  await call('mints.add', { url: cable.url })
  const { plug, unplug } = cable
  return {
    name,
    folder,
    call,
    start,
    kill: () => end('kill'),
    stop: () => end('stop'),
    plug,
    unplug,
    mintUrl: cable.url,
  }
}

async function act(people: Town['people'], action: Action): Promise<unknown> {
  switch (action.kind) {
    case 'withdraw': {
      const { call, mintUrl } = people[action.who]
      return call('withdraw.start', { mintUrl, unit, amount: action.amount })
    }
    case 'pay':
      return pay(people[action.who], people[action.to], action.amount)
    case 'reclaim':
      return takeBack(people[action.who], action.which)
    case 'cashOut': {
      const { call, mintUrl } = people[action.who]
      const { id } = await call('cashOut.prepare', { mintUrl, unit, invoice: await foreignInvoice(action.amount) })
      return call('cashOut.confirm', { id })
    }
    case 'unplug':
      return people[action.who].unplug()
    case 'plug':
      return people[action.who].plug()
    case 'settle':
      return Promise.all(
        names.map(async (name) => {
          await people[name].plug()
          await people[name].call('mints.sync', {})
        }),
      )
  }
}

async function pay(from: Person, to: Person, amount: number): Promise<void> {
  const request = await to.call('request.create', { mintUrl: to.mintUrl, unit, amount, singleUse: true })
  const { id } = await from.call('pay.prepare', { request: request.text, mintUrl: from.mintUrl })
  await from.call('pay.confirm', { id })
}

/** A person takes one payment back, warned or not. @returns whether there was one */
export async function takeBack({ call }: Person, which: number, only?: 'free'): Promise<boolean> {
  const payments = await call('payments.list', { limit: 1000 })
  const open = payments.filter(({ reclaim }) => reclaim === 'free' || (reclaim === 'warned' && only === undefined))
  const payment = open[which % open.length]
  if (!payment) return false
  await call('pay.reclaim', { id: payment.id, isWarned: true })
  return true
}
