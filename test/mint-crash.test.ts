// The mint is killed (-9) again and again while it works for careful clients that also attack it. Whatever moment it was:
// no coin is spent without its signatures, nothing is signed for nothing, nothing is spent twice, and the books balance.

import { mkdtempSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as waitFor } from 'node:timers/promises'
import { expect, onTestFailed, onTestFinished, test } from 'vitest'
import { hashToCurve, pointToHex } from '../shared/cashu/bdhke.ts'
import { type Chance, createChance } from './chance.ts'
import { isWhole } from './how-much.ts'
import { readBooks } from './mint-books.ts'
import { createCarefulClient, emptyTally, restoreAll, statesOfAll } from './mint-careful-client.ts'
import { type MintProcess, startMintProcess } from './mint-process.ts'

const clientCount = 2
const { swapsEach, kills, timeoutMs } = isWhole
  ? { swapsEach: 200, kills: 50, timeoutMs: 900_000 }
  : { swapsEach: 40, kills: 8, timeoutMs: 240_000 }
const firstMoney = 1000
const givesCoins = new Set(['/v1/swap', '/v1/mint/bolt11'])

test(
  `killed ${kills} times under the load of ${clientCount} × ${swapsEach} swaps, the mint loses and doubles nothing`,
  async () => {
    const chance = createChance()
    onTestFailed(() => console.log(`again with FARTHING_SEED=${chance.seed}`))
    const folder = join(mkdtempSync(join(tmpdir(), 'farthing-mint-')), 'data')
    const mint = await startMintProcess({ folder, args: ['--fee-ppk', '100', '--practice-delay-ms', '0'] })
    onTestFinished(async () => {
      await mint.kill()
      rmSync(join(folder, '..'), { recursive: true })
    })
    const tally = emptyTally()
    const killer = createKiller(mint, folder, chance.fork(), () => tally.swaps / (clientCount * swapsEach))
    const parts = { url: () => mint.url, tally, onSend: killer.onSend, onAnswer: killer.onAnswer }
    const clients = await Promise.all(
      Array.from({ length: clientCount }, () => createCarefulClient({ ...parts, chance: chance.fork() })),
    )
    await Promise.all(
      clients.map(async (client) => {
        await client.issue(firstMoney)
        for (let n = 1; n <= swapsEach; n++) {
          await client.swap()
          if (n % 8 === 0) await client.issue(50)
          if (n % 8 === 4) await client.melt()
        }
      }),
    )
    expect(await killer.ended()).toBe(kills)
    await mint.kill()
    await mint.start()

    const books = readBooks(folder)
    const coins = clients.flatMap((client) => client.coins)
    const held = coins.reduce((sum, { amount }) => sum + amount, 0)
    const issued = clients.reduce((sum, client) => sum + client.paidIn, 0)
    const paidOut = clients.reduce((sum, client) => sum + client.paidOut, 0)
    expect(books).toMatchObject({ problems: [], issued, paidOut, circulating: held })
    expect(held + paidOut + books.fees).toBe(issued)
    const obtainable = await restoreAll(mint.url, books.signed)
    expect(obtainable.map(({ amount, id }) => ({ amount, id }))).toEqual(
      books.signed.map(({ amount, id }) => ({ amount, id })),
    )
    expect(new Set(await statesOfAll(mint.url, books.spent))).toEqual(new Set(['SPENT']))
    const Ys = coins.map(({ secret }) => pointToHex(hashToCurve(secret)))
    expect(new Set(await statesOfAll(mint.url, Ys))).toEqual(new Set(['UNSPENT']))
    expect(mint.log).toBe('')

    expect(tally.lostAnswers).toBeGreaterThan(0)
    expect(tally.foundDone).toBeGreaterThan(0)
    const found = { signed: books.signed.length, spent: books.spent.length, issued, paidOut, fees: books.fees, held }
    console.log(`mint killed ${kills} times, seed ${chance.seed}: ${JSON.stringify({ ...tally, ...found })}`)
  },
  timeoutMs,
)

/**
 * Kills are spread over the work, and take turns: a random moment after a request has left, within twice the time that
 * requests take; when the mint has just written something down; when it has answered, and the answer is lost.
 */
function createKiller(mint: MintProcess, folder: string, chance: Chance, progress: () => number) {
  let done = 0
  let requestMs = 20
  let running: Promise<void> | undefined
  const kill = async (delayMs: number): Promise<void> => {
    if (delayMs > 0) await waitFor(delayMs)
    await mint.kill()
    await mint.start()
    done++
    running = undefined
  }
  const isDue = (turn: number) => !running && done < kills && done % 3 === turn && progress() >= done / kills
  const watcher = watch(folder, (_, name) => {
    if (name === 'mint.sqlite-wal' && isDue(1)) running = kill(0)
  })
  return {
    onSend: (): void => {
      if (isDue(0)) running = kill(chance.next() * 2 * requestMs)
    },
    onAnswer: (milliseconds: number, path: string, status: number): boolean => {
      requestMs = milliseconds
      if (!givesCoins.has(path) || status !== 200 || !isDue(2)) return false
      running = kill(0)
      return true
    },
    /** @returns how often it killed */
    ended: async (): Promise<number> => {
      watcher.close()
      await running
      return done
    },
  }
}
