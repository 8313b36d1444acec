// What a refused request costs the mint: reading points and multiplying them is what takes its time, and what can be refused
// without either is refused before.

import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Mint } from '../mint/mint.ts'
import { MintRefusal } from '../mint/refusal.ts'
import { nutErrors, type Proof } from '../shared/cashu/wire.ts'
import { foreignInvoice, lockedSecret, newKey, type TestOutput } from './mint-fixture.ts'
import { coinsOf, feeReserve, type MintFolder, messagesOf, newMintFolder, openLife, outputsOf } from './mint-lives.ts'

const { counted, watched } = vi.hoisted(() => {
  const counted = { points: 0, products: 0 }
  /** A point whose multiplications are counted: the class itself is frozen. */
  const watched = <P extends { multiply(k: bigint): P }>(point: P): P => {
    counted.points++
    const multiply = (k: bigint): P => {
      counted.products++
      return point.multiply(k)
    }
    return Object.create(point, { multiply: { value: multiply } })
  }
  return { counted, watched }
})

/** The libraries as they are, and a count of what is dear in them. */
vi.mock('@noble/curves/secp256k1.js', async (original) => {
  const real = await original<typeof import('@noble/curves/secp256k1.js')>()
  const fromHex = (hex: string) => watched(real.secp256k1.Point.fromHex(hex))
  const Point = Object.create(real.secp256k1.Point, { fromHex: { value: fromHex } })
  return { ...real, secp256k1: { ...real.secp256k1, Point } }
})
vi.mock('@cashu/cashu-ts', async (original) => {
  const real = await original<typeof import('@cashu/cashu-ts')>()
  return { ...real, hashToCurve: (secret: Uint8Array) => watched(real.hashToCurve(secret)) }
})

const count = 16

let folder: MintFolder
let mint: Mint
let coins: Proof[]
let outputs: TestOutput[]
beforeEach(async () => {
  folder = newMintFolder(0)
  mint = openLife(folder, { ledger: new Set(), outcomes: [{ kind: 'unknown' }] }).mint
  coins = await coinsOf(mint, folder, ...new Array<number>(count).fill(1))
  outputs = outputsOf(folder.keyset.id, ...new Array<number>(count).fill(1))
})
const swapOf = (inputs: readonly Proof[], made: readonly TestOutput[]) => async () =>
  mint.swap({ inputs: [...inputs], outputs: messagesOf(made) })

/** @returns what it was refused with, and how often a point was read, hashed to, or multiplied in constant time */
async function costOf(work: () => Promise<unknown>) {
  const before = { ...counted }
  let code: number | undefined
  try {
    await work()
  } catch (error) {
    if (!(error instanceof MintRefusal)) throw error
    code = error.code
  }
  return { code, points: counted.points - before.points, products: counted.products - before.products }
}

const free = { points: 0, products: 0 }
const last = <T>(all: readonly T[]): T => all.at(-1)!
const withLast = (change: Partial<Proof>): Proof[] => [...coins.slice(0, -1), { ...last(coins), ...change }]

test('the cost is counted: a swap that passes reads every output, and multiplies for every coin and output', async () => {
  const { code, points, products } = await costOf(swapOf(coins, outputs))
  expect(code).toBeUndefined()
  expect(points).toBeGreaterThanOrEqual(2 * count)
  expect(products).toBeGreaterThanOrEqual(2 * count)
})

describe('costs no point at all: a swap', () => {
  test('that is out of balance', async () => {
    const cost = await costOf(swapOf(coins, outputs.slice(1)))
    expect(cost).toEqual({ code: nutErrors.notBalanced, ...free })
  })

  test('of one coin twice, also when the other is written in another way', async () => {
    const { secret, C } = coins[0]!
    const cost = await costOf(swapOf(withLast({ secret, C: C.toUpperCase().replace('X', 'x') }), outputs))
    expect(cost).toEqual({ code: nutErrors.duplicateInputs, ...free })
  })

  test('for one output twice', async () => {
    const cost = await costOf(swapOf(coins, [...outputs.slice(0, -1), outputs[0]!]))
    expect(cost).toEqual({ code: nutErrors.duplicateOutputs, ...free })
  })

  test('whose last coin is of an unknown keyset or denomination', async () => {
    const unknown = await costOf(swapOf(withLast({ id: `01${'ab'.repeat(32)}` }), outputs))
    expect(unknown).toEqual({ code: nutErrors.keysetUnknown, ...free })
    const odd = await costOf(swapOf(withLast({ amount: 3 }), outputs))
    expect(odd).toEqual({ code: nutErrors.proofInvalid, ...free })
  })

  test.each([
    ['cannot be spent here', () => lockedSecret(newKey().publicKey, null, 'HTLC')],
    ['has no signature', () => lockedSecret(newKey().publicKey, [['sigflag', 'SIG_INPUTS']])],
    ['has the key of no other', () => lockedSecret(newKey().publicKey)],
  ])('whose last coin %s', async (_, secret) => {
    const cost = await costOf(swapOf(withLast({ secret: secret() }), outputs))
    expect(cost).toEqual({ code: nutErrors.proofInvalid, ...free })
  })
})

describe('costs no multiplication: a swap', () => {
  test('with a coin that is spent, and no output is read', async () => {
    await swapOf([coins[0]!], [outputs[0]!])()
    const fresh = outputsOf(folder.keyset.id, ...new Array<number>(count).fill(1))
    const { code, points, products } = await costOf(swapOf(coins, fresh))
    expect({ code, products }).toEqual({ code: nutErrors.alreadySpent, products: 0 })
    // The first one is the spent one: those behind it are not even looked at.
    expect(points).toBeLessThan(10)
  })

  test('that all coins are to sign together, with a wrong signature', async () => {
    const { publicKey } = newKey()
    const signatures = JSON.stringify({ signatures: ['ab'.repeat(64)] })
    const inputs = coins.map((coin) => ({ ...coin, secret: lockedSecret(publicKey), witness: signatures }))
    const { code, products } = await costOf(swapOf(inputs, outputs))
    expect({ code, products }).toEqual({ code: nutErrors.proofInvalid, products: 0 })
  })
})

test('one forged coin costs what is before it and no signature; a C that is no point costs no multiplication', async () => {
  const forged = await costOf(swapOf(withLast({ C: coins[0]!.C }), outputs))
  expect(forged).toMatchObject({ code: nutErrors.proofInvalid, products: count })
  const none = await costOf(swapOf(withLast({ C: `02${'f'.repeat(64)}` }), outputs))
  expect(none).toMatchObject({ code: nutErrors.proofInvalid, products: 0 })
  // A refusal took nothing.
  expect(await costOf(swapOf(coins, outputs))).toMatchObject({ code: undefined })
})

test('an output that is no point is refused before anything is signed, and nothing is taken', async () => {
  const wrong: TestOutput = { ...last(outputs), message: { ...last(outputs).message, B_: `02${'f'.repeat(64)}` } }
  expect(await costOf(swapOf(coins, [...outputs.slice(0, -1), wrong]))).toMatchObject({ code: 0, products: count })
  expect(await costOf(swapOf(coins, outputs))).toMatchObject({ code: undefined })
})

test('a melt that is out of balance costs no point, and one with a blank output that is none takes nothing', async () => {
  const { quote } = mint.createMeltQuote({ request: await foreignInvoice(count - feeReserve), unit: 'sat' })
  const melt = (inputs: readonly Proof[], blanks: readonly TestOutput[] = []) =>
    costOf(() => mint.melt({ quote, inputs: [...inputs], outputs: messagesOf(blanks) }))
  expect(await melt(coins.slice(1))).toEqual({ code: nutErrors.notBalanced, ...free })
  const [blank] = outputsOf(folder.keyset.id, 1)
  const none: TestOutput = { ...blank!, message: { ...blank!.message, B_: `02${'f'.repeat(64)}` } }
  expect(await melt(coins, [none])).toMatchObject({ code: 0 })
  expect(await melt(coins)).toMatchObject({ code: undefined })
})
