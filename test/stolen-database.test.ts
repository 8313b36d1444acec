// The database without the seed spends nothing. A wallet in the middle of everything loses a copy of its database; the thief
// has every byte of it and the mint, and plays money of their own. What was signed can be carried out as it was signed:
// its outputs are the wallet's or the payee's. Nothing else passes, and no output of the thief is ever signed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { expect, onTestFinished, test } from 'vitest'
import { createSecrets } from '../electron/wallet/secrets.ts'
import { splitAmount } from '../shared/amount.ts'
import { hashToCurve, Point, pointFromHex, pointToHex } from '../shared/cashu/bdhke.ts'
import { witnessOf } from '../shared/cashu/p2pk.ts'
import { meltQuoteResponseSchema, type Proof } from '../shared/cashu/wire.ts'
import { dayMs } from './engine-fixture.ts'
import { type Loot, openLoot, scalarsIn, seedsIn } from './loot.ts'
import { readBooks } from './mint-books.ts'
import { restoreAll, statesOfAll } from './mint-careful-client.ts'
import { type Answer, foreignInvoice, newKey, newSecret, signAll, type TestOutput } from './mint-fixture.ts'
import { takeFiles } from './stored-files.ts'
import { type Played, playEveryState } from './stored-plays.ts'

let played: Played
let loot: Loot
/** Inputs of one signature each, while they can be spent, with the witness that was stored. */
let spendable: readonly (readonly Proof[])[]
/** Every output that the thief ever asked a signature for. */
const asked: TestOutput[] = []
let thiefsMoney = 0

async function steal(): Promise<void> {
  played = await playEveryState({ withSearches: false })
  const folder = mkdtempSync(join(tmpdir(), 'farthing-stolen-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  loot = openLoot(takeFiles(played, folder).wallet)
  const groups = new Map<string, Proof[]>()
  let group: Proof[] = []
  for (const proof of loot.proofs) {
    // A witness begins a group: one signature covers the inputs that follow it.
    if (proof.witness) {
      group = []
      groups.set(JSON.stringify([proof.secret, proof.witness]), group)
    }
    group.push(proof)
  }
  const all = [...groups.values()]
  const Ys = all.map(([first]) => pointToHex(hashToCurve(first!.secret)))
  const states = await statesOfAll(played.world.mint.url(), Ys)
  spendable = all.filter((_, index) => states[index] === 'UNSPENT')
}

const worthOf = (proofs: readonly Proof[]) => proofs.reduce((sum, { amount }) => sum + amount, 0)

async function ownOutputs(amounts: readonly number[]): Promise<TestOutput[]> {
  const made = await played.world.mint.outputs(...amounts)
  asked.push(...made)
  return made
}

async function ownCoin(): Promise<Proof> {
  thiefsMoney += 8
  return (await played.world.mint.coins([8]))[0]!
}

function expectRefused(answer: Answer, what: string): void {
  expect({ what, status: answer.status, body: answer.body }).toMatchObject({ what, status: 400 })
}

const attempts: readonly (readonly [string, () => Promise<void> | void])[] = [
  [
    'has what a wallet stores: requests, signed swaps, coins that are good, quotes, payments on their way',
    () => {
      expect(loot.requests.length).toBeGreaterThan(10)
      expect(spendable.length).toBeGreaterThan(5)
      expect(loot.coins.length).toBeGreaterThan(50)
      expect(loot.quotes.length).toBeGreaterThan(10)
      expect(loot.hex.size).toBeGreaterThan(500)
    },
  ],

  [
    'finds no private key, no seed and no phrase in any byte of it',
    () => {
      const publicKeys = new Set(
        [...loot.hex].filter((hex) => /^0[23][0-9a-f]{64}$/.test(hex)).map((hex) => hex.slice(2)),
      )
      const inside = [...loot.texts].flatMap((text) => /"data":"0[23]([0-9a-f]{64})"/.exec(text)?.[1] ?? [])
      for (const key of inside) publicKeys.add(key)
      expect(inside.length).toBeGreaterThan(5)
      for (const scalar of scalarsIn(loot)) {
        const key = pointToHex(Point.BASE.multiply(scalar)).slice(2)
        expect(publicKeys.has(key), key).toBe(false)
      }
      for (const seed of seedsIn(loot)) {
        const secrets = createSecrets(seed, { bytes: (length) => new Uint8Array(length) })
        for (const path of [0, 1, 2]) {
          const key = secrets.purseKey({ generation: 0, account: 0, purse: path }).slice(2)
          expect(publicKeys.has(key), key).toBe(false)
        }
      }
    },
  ],

  [
    'opens no output: not one blinding factor of a coin to come is in it',
    async () => {
      const { world } = played
      const id = await world.mint.keysetId()
      const outputs = loot.outputs.map(({ B_ }) => ({ B_, amount: 1, id }))
      const Ys = new Set([...loot.texts].map((text) => pointToHex(hashToCurve(text))))
      for (const { Y } of loot.coins) Ys.add(Y)
      const handedOver = new Set(loot.proofs.map(({ secret }) => pointToHex(hashToCurve(secret))))
      const blinds = scalarsIn(loot).map((r) => Point.BASE.multiply(r).negate())
      for (const { B_ } of outputs) {
        const point = pointFromHex(B_)
        for (const Y of normalizeZ(
          Point,
          blinds.map((minusR) => point.add(minusR)),
        )) {
          // What was handed to somebody was shown with its r (NUT-12): its secret is known, its key is not.
          if (Ys.has(pointToHex(Y))) expect(handedOver.has(pointToHex(Y))).toBe(true)
        }
      }
    },
  ],

  [
    'moves no coin to an output of their own: unsigned, under other signatures, or beside a coin that is theirs',
    async () => {
      const { mint } = played.world
      const thief = newKey()
      const witnesses = [...new Set(loot.proofs.flatMap(({ witness }) => witness ?? []))]
      // Claims, receipts and Terms carry signatures too, some of them by the very same keys.
      const signatures = [...loot.hex].filter((hex) => hex.length === 128).map((hex) => witnessOf(hex))
      for (const [index, inputs] of spendable.entries()) {
        const what = inputs[0]!.secret
        const own = await ownOutputs(splitAmount(worthOf(inputs)))
        const bare = inputs.map(({ witness: _, ...proof }) => proof)
        expectRefused(await mint.swap(bare, own), what)
        expectRefused(await mint.swap(inputs, own), what)
        expectRefused(await mint.swap(signAll(bare, own, thief.secretKey), own), what)
        for (const witness of index < 2 ? [...witnesses, ...signatures] : witnesses) {
          const signed = bare.map((proof, position) => (position === 0 ? { ...proof, witness } : proof))
          expectRefused(await mint.swap(signed, own), what)
        }
        const coin = await ownCoin()
        const together = await ownOutputs(splitAmount(worthOf(inputs) + 8))
        const mixed = [
          [...inputs, coin],
          [coin, ...inputs],
          [...bare, coin],
        ]
        for (const one of mixed) expectRefused(await mint.swap(one, together), what)
        for (const one of bare) expectRefused(await mint.swap([one], await ownOutputs([one.amount])), what)
        const locked = bare.map((proof) => ({ ...proof, secret: proof.secret.replace('SIG_ALL', 'SIG_INPUTS') }))
        expectRefused(await mint.swap(signAll(locked, own, thief.secretKey), own), what)
        const keyed = bare.map((proof) => {
          const secret = proof.secret.replace(/"data":"[0-9a-f]{66}"/, `"data":"${thief.publicKey}"`)
          return { ...proof, secret }
        })
        expectRefused(await mint.swap(signAll(keyed, own, thief.secretKey), own), what)
      }
    },
  ],

  [
    'changes nothing of a signed swap: neither an output, nor which amount is signed on which',
    async () => {
      const { mint } = played.world
      for (const { path, body } of loot.requests) {
        if (path !== '/v1/swap') continue
        const { inputs, outputs } = JSON.parse(body)
        const [state] = await mint.states(inputs[0])
        if (state !== 'UNSPENT') continue
        for (const [index, output] of outputs.entries()) {
          const [own] = await ownOutputs([output.amount])
          const changed = outputs.with(index, own!.message)
          expectRefused(await mint.post(path, { inputs, outputs: changed }), body)
          const other = outputs.findIndex(({ amount }: { amount: number }) => amount !== output.amount)
          if (other < 0) continue
          const turned = outputs
            .with(index, { ...output, amount: outputs[other].amount })
            .with(other, { ...outputs[other], amount: output.amount })
          expectRefused(await mint.post(path, { inputs, outputs: turned }), body)
        }
      }
    },
  ],

  [
    'pays no invoice of their own with it',
    async () => {
      const { mint } = played.world
      const ask = async (amount: number) => {
        const answer = await mint.post('/v1/melt/quote/bolt11', { request: await foreignInvoice(amount), unit: 'sat' })
        return meltQuoteResponseSchema.parse(answer.body)
      }
      const quotes: string[] = []
      for (const inputs of spendable) {
        const { fee_reserve: reserve } = await ask(1)
        if (worthOf(inputs) <= reserve) continue
        const { quote } = await ask(worthOf(inputs) - reserve)
        quotes.push(quote)
        const bare = inputs.map(({ witness: _, ...proof }) => proof)
        for (const given of [inputs, bare]) {
          expectRefused(await mint.melt(quote, given, await ownOutputs([1, 1])), quote)
        }
        const coin = await ownCoin()
        const { quote: larger } = await ask(worthOf(inputs) + 8 - reserve)
        quotes.push(larger)
        expectRefused(await mint.melt(larger, [coin, ...bare]), larger)
        expectRefused(await mint.melt(larger, [...inputs, coin]), larger)
      }
      for (const quote of quotes) {
        expect((await mint.get(`/v1/melt/quote/bolt11/${quote}`)).body).toMatchObject({ state: 'UNPAID' })
      }
      for (const { path, body } of loot.requests) {
        if (path !== '/v1/melt/bolt11') continue
        const { quote, inputs } = JSON.parse(body)
        const answer = await mint.post(path, {
          quote,
          inputs,
          outputs: (await ownOutputs([1])).map((one) => one.message),
        })
        expect(answer.status).toBe(400) // change to the thief
      }
    },
  ],

  [
    'makes no coin of what the tables tell, with secrets made up',
    async () => {
      const { mint } = played.world
      const Ys = loot.coins.map(({ Y }) => Y)
      const states = await statesOfAll(mint.url(), Ys)
      for (const [index, { Y, C, amount, id }] of loot.coins.entries()) {
        if (states[index] !== 'UNSPENT') continue
        for (const secret of [
          Y,
          C,
          newSecret(),
          JSON.stringify(['P2PK', { nonce: Y.slice(2), data: newKey().publicKey }]),
        ]) {
          expectRefused(await mint.swap([{ amount, id, secret, C }], await ownOutputs([amount])), Y)
        }
      }
    },
  ],

  [
    'takes no deposit, paid or not: whoever knows a quote could (NUT-04), and no quote can be read',
    async () => {
      const { mint } = played.world
      const { quotes } = readBooks(mint.folder)
      expect(quotes.length).toBeGreaterThan(10)
      const all = [...loot.texts].join('\n')
      for (const { id } of quotes) expect(all.includes(id), id).toBe(false)
      // It is these names that would do.
      const waiting = played.ann.store.read.operations({ kind: 'withdraw', states: ['unpaid'] })
      const states = waiting.map(
        async ({ id }) => (await mint.get(`/v1/mint/quote/bolt11/${played.ann.quoteOf(id)}`)).body,
      )
      expect(await Promise.all(states)).toContainEqual(expect.objectContaining({ state: 'PAID' }))
      for (const quote of loot.quotes) {
        const [message] = (await mint.outputs(1)).map((output) => output.message)
        const answer = await mint.post('/v1/mint/bolt11', { quote, outputs: [message] })
        expect(answer.status).not.toBe(200)
      }
    },
  ],
  [
    'carries out what was signed, as it was signed, and the owner loses nothing by it',
    async () => {
      const { world } = played
      const done: string[] = []
      for (const { path, body } of loot.requests) {
        const { status } = await world.mint.post(path, body)
        if (status === 200) done.push(path)
      }
      expect(new Set(done)).toEqual(new Set(['/v1/swap', '/v1/melt/bolt11']))
      expect(
        await restoreAll(
          world.mint.url(),
          asked.map(({ message }) => message),
        ),
      ).toEqual([])
      world.heal()
      await world.pass(3 * dayMs)
      const worth = world.wallets.reduce((sum, wallet) => sum + wallet.worth() + wallet.fees() + wallet.cashedOut(), 0)
      expect(worth).toBe(world.issued() - played.takenByOthers - thiefsMoney)
      console.log(
        `stolen: ${loot.hex.size} byte strings, ${loot.requests.length} requests, ${loot.coins.length} coins; ` +
          `${asked.length} outputs of the thief, none signed; ${done.length} requests carried out as they were signed`,
      )
    },
  ],
]

test('a stolen database spends nothing: what a thief can do with it, one thing after another', async () => {
  await steal()
  const failed: unknown[] = []
  for (const [attempt, work] of attempts) {
    await (async () => work())().catch((cause: unknown) => failed.push(new Error(`the thief ${attempt}`, { cause })))
  }
  if (failed.length > 0) throw new AggregateError(failed, 'the thief got somewhere')
}, 480_000)
