// A wallet on a stored file, beside its mint on the mint's stored file: with the engine, the store and the rules of today.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { CoinState } from '../electron/wallet/store-port.ts'
import { hourMs, openWorld, type TestWallet, type World } from './engine-fixture.ts'
import { restoreAll, statesOfAll } from './mint-careful-client.ts'
import { fundingWithReserve } from './mint-fixture.ts'
import type { Folders } from './stored-files.ts'
import { storedName } from './stored-plays.ts'

export type StoredWallet = {
  readonly wallet: TestWallet
  /** More than a day passes; the other sides of its payments never come back. */
  rest(): Promise<void>
  /** `kind state` of operations that neither ended nor wait for somebody else. */
  stuck(): readonly string[]
  /** Coins it counts as its own that the mint does not call unspent: Y and what the mint says. */
  coinsThatAreNotGood(): Promise<readonly string[]>
  /** Outputs of its own that the mint has signed, without a coin for them. */
  signedAndNotStored(): Promise<readonly string[]>
}

/** Ends, and what only a person or the other side brings to an end. */
const atRest = [
  ...['withdraw done', 'withdraw failed', 'refresh done', 'refresh lost', 'refresh dead'],
  ...['melt done', 'melt failed', 'melt abandoned', 'pay final', 'pay abandoned', 'pay reclaimed', 'pay bounced'],
  ...['pay dead', 'pay voided', 'pay settled', 'pay handing_over', 'receive terms', 'receive final', 'receive refused'],
  ...['pay replaced', 'receive expired', 'receive bounced', 'receive dead', 'receive replaced', 'restore found'],
]
const ownStates: readonly CoinState[] = ['spendable', 'reserved', 'handed_over', 'quarantined']

export async function openStoredWallet({ wallet: path, mintFolder }: Folders): Promise<StoredWallet> {
  const paid = { kind: 'paid', preimage: null, cost: 1 } as const
  const world = await openWorld((clock) => ({ funding: fundingWithReserve(2, async () => paid, clock) }))
  world.isCookingBooks = true // so they were when the file was stored
  await world.mint.close()
  copyFileSync(join(mintFolder, 'mint.sqlite'), join(world.mint.folder, 'mint.sqlite'))
  await world.mint.restart()
  const wallet = await world.wallet(storedName, { knowsMint: false })
  world.clock.move(moveHere(path, world.mint.url()) - world.clock.now())
  wallet.reopen({}, path)
  return { wallet, ...checks(world, wallet) }
}

/** The mint has another port today. @returns when the file was last written to, milliseconds */
function moveHere(path: string, mintUrl: string): number {
  const db = new DatabaseSync(path)
  db.prepare('UPDATE mint SET url = ? WHERE account = 0').run(mintUrl)
  const row = db.prepare(`SELECT MAX(json_extract(data, '$.updatedAt')) AS at FROM operation`).get()
  db.close()
  return Number(row?.['at'])
}

function checks(world: World, wallet: TestWallet): Omit<StoredWallet, 'wallet'> {
  const { read } = wallet.store
  const url = () => world.mint.url()
  return {
    rest: () => world.pass(30 * hourMs),
    stuck: () =>
      read
        .operations({})
        // Asked for Terms again and again, to sign a dead payment anew: its payee is gone.
        .filter((one) => !(one.kind === 'pay' && one.state === 'asking' && one.replaces !== null))
        .map(({ kind, state }) => `${kind} ${state}`)
        .filter((state) => !atRest.includes(state)),
    coinsThatAreNotGood: async () => {
      const Ys = ownStates.flatMap((state) => read.coins(0, 'sat', state).map(({ Y }) => Y))
      const states = await statesOfAll(url(), Ys)
      return Ys.flatMap((Y, index) => (states[index] === 'UNSPENT' ? [] : [`${Y} ${states[index]}`]))
    },
    signedAndNotStored: async () => {
      const id = await world.mint.keysetId()
      const outputs = outputsWithoutCoin(wallet)
      const signed = await restoreAll(
        url(),
        outputs.map((B_) => ({ B_, amount: 1, id })),
      )
      return signed.map(({ C_ }) => C_)
    },
  }
}

/** Read from the file: nothing else asks for all outputs at once. */
function outputsWithoutCoin(wallet: TestWallet): readonly string[] {
  const db = new DatabaseSync(wallet.copy(), { readOnly: true })
  const rows = db.prepare('SELECT B_ FROM output LEFT JOIN coin USING (purse_id, coin) WHERE coin.Y IS NULL').all()
  db.close()
  return rows.map(({ B_ }) => String(B_))
}
