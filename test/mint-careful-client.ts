// A client of a mint as careful as a wallet: it keeps the exact bytes, sends them again, asks NUT-07 and NUT-09 when it
// knows nothing, and never throws a coin away. It also attacks: after every lost answer, and now and then, it tries to
// spend the same coins twice, to issue a quote twice, and to sneak a spent coin in beside a good one.

import { randomBytes } from 'node:crypto'
import { setTimeout as waitFor } from 'node:timers/promises'
import { expect } from 'vitest'
import { splitAmount } from '../shared/amount.ts'
import { blind, hashToCurve, pointFromHex, pointToHex, unblind } from '../shared/cashu/bdhke.ts'
import { verifyDleq } from '../shared/cashu/dleq.ts'
import { keyOf } from '../shared/cashu/keyset.ts'
import { bytesToNumberBE } from '../shared/cashu/numbers.ts'
import {
  type BlindSignature,
  checkStateResponseSchema,
  errorResponseSchema,
  keysResponseSchema,
  meltQuoteResponseSchema,
  mintQuoteResponseSchema,
  nutErrors,
  type Proof,
  restoreResponseSchema,
  signaturesResponseSchema,
} from '../shared/cashu/wire.ts'
import type { Chance } from './chance.ts'
import { foreignInvoice, newSecret, type TestOutput } from './mint-fixture.ts'

/** What was tried and what came of it, over all clients that share it. */
export type Tally = {
  swaps: number
  issues: number
  melts: number
  /** Requests whose answer never came. */
  lostAnswers: number
  /** Of these: found done when asked by NUT-09, before the bytes were sent again. */
  foundDone: number
  /** Double spends tried, all refused. */
  attacks: number
  /** Two requests for the same coins or quote at once, of which one won. */
  races: number
}
export const emptyTally = (): Tally => ({
  swaps: 0,
  issues: 0,
  melts: 0,
  lostAnswers: 0,
  foundDone: 0,
  attacks: 0,
  races: 0,
})

export type CarefulClient = {
  readonly coins: readonly Proof[]
  /** Money paid in for coins, and paid out for them. */
  readonly paidIn: number
  readonly paidOut: number
  /** One operation, whatever happens to the mint meanwhile. */
  issue(amount: number): Promise<void>
  swap(): Promise<void>
  melt(): Promise<void>
}

export type CarefulClientParts = {
  readonly url: () => string
  readonly chance: Chance
  readonly tally: Tally
  /** Told right before a request leaves. */
  readonly onSend: () => void
  /** Told how long an answer took. @returns whether it is lost on its way */
  readonly onAnswer?: (milliseconds: number, path: string, status: number) => boolean
}

type Exact = {
  readonly path: string
  readonly body: string
  readonly inputs: readonly Proof[]
  readonly outputs: readonly TestOutput[]
}
type Answer = { readonly status: number; readonly body: unknown }

const longestAnswerMs = 30_000
const longestOutageMs = 60_000
const lookups = 100

export async function createCarefulClient(parts: CarefulClientParts): Promise<CarefulClient> {
  const { url, chance, tally, onSend, onAnswer } = parts
  const coins: Proof[] = []
  const money = { in: 0, out: 0 }

  /** @returns undefined when no answer came: the request may have been carried out or not */
  const once = async (path: string, body?: string): Promise<Answer | undefined> => {
    onSend()
    const sentAt = performance.now()
    try {
      const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body }
      const response = await fetch(url() + path, { ...init, signal: AbortSignal.timeout(longestAnswerMs) })
      const answer = { status: response.status, body: JSON.parse(await response.text()) }
      return onAnswer?.(performance.now() - sentAt, path, answer.status) ? undefined : answer
    } catch {
      return undefined
    }
  }
  /** Until there is an answer. What the mint could not do for itself (5xx) is no answer. */
  const ask = async (path: string, body?: string, onLost: () => Promise<void> = async () => {}): Promise<Answer> => {
    const giveUpAt = Date.now() + longestOutageMs
    for (let lost = false; ; lost = true) {
      if (lost) await onLost()
      const answer = await once(path, body)
      if (answer && answer.status < 500) return answer
      if (Date.now() > giveUpAt) throw new Error('the mint does not come back')
      await waitFor(10)
    }
  }

  const { keysets } = keysResponseSchema.parse((await ask('/v1/keys')).body)
  const keyset = keysets[0]!
  const feeOf = (count: number) => Math.ceil((count * (keyset.input_fee_ppk ?? 0)) / 1000)
  const worthOf = (inputs: readonly Proof[]) =>
    inputs.reduce((sum, { amount }) => sum + amount, 0) - feeOf(inputs.length)

  const outputsFor = (amount: number): TestOutput[] => {
    const parts = splitAmount(amount).flatMap((part) => (part > 1 && chance.oneIn(3) ? [part / 2, part / 2] : [part]))
    return parts.map((part) => {
      const secret = newSecret()
      const r = bytesToNumberBE(randomBytes(31)) + 1n
      return { message: { amount: part, id: keyset.id, B_: pointToHex(blind(secret, r)) }, secret, r }
    })
  }
  const exact = (path: string, more: object, inputs: readonly Proof[], outputs: readonly TestOutput[]): Exact => {
    const messages = outputs.map(({ message }) => message)
    return { path, inputs, outputs, body: JSON.stringify({ ...more, outputs: messages }) }
  }
  const swapOf = (inputs: readonly Proof[]) => exact('/v1/swap', { inputs }, inputs, outputsFor(worthOf(inputs)))

  /** Signatures as the mint gave them become coins; each proves itself (NUT-12). */
  const take = (outputs: readonly TestOutput[], signatures: readonly BlindSignature[]): void => {
    expect(signatures).toHaveLength(outputs.length)
    for (const [index, { secret, r, message }] of outputs.entries()) {
      const { amount, id, C_, dleq } = signatures[index]!
      expect({ amount, id }).toEqual({ amount: message.amount, id: message.id })
      const K = keyOf(keyset, amount)!
      expect(verifyDleq(dleq!, pointFromHex(message.B_), pointFromHex(C_), K)).toBe(true)
      coins.push({ amount, id, secret, C: pointToHex(unblind(pointFromHex(C_), r, K)) })
    }
  }
  const drop = (spent: readonly Proof[]): void => {
    for (const coin of spent) coins.splice(coins.indexOf(coin), 1)
  }

  const statesOf = async (inputs: readonly Proof[]): Promise<string[]> => {
    const Ys = inputs.map(({ secret }) => pointToHex(hashToCurve(secret)))
    const { body } = await ask('/v1/checkstate', JSON.stringify({ Ys }))
    return checkStateResponseSchema.parse(body).states.map(({ state }) => state)
  }
  const restored = async (outputs: readonly TestOutput[]): Promise<readonly BlindSignature[]> => {
    const { body } = await ask('/v1/restore', JSON.stringify({ outputs: outputs.map(({ message }) => message) }))
    return restoreResponseSchema.parse(body).signatures
  }
  /**
   * What NUT-07 and NUT-09 say of a request without an answer: it was done whole, or not at all.
   * @param hasRival another request for the same coins may be carried out at this moment
   */
  const assertWholeOrNot = async ({ inputs, outputs }: Exact, hasRival: boolean): Promise<void> => {
    const signatures = await restored(outputs)
    const isDone = signatures.length > 0
    if (isDone) tally.foundDone++
    expect(signatures).toHaveLength(isDone ? outputs.length : 0)
    if (inputs.length === 0 || (hasRival && !isDone)) return
    expect(await statesOf(inputs)).toEqual(inputs.map(() => (isDone ? 'SPENT' : 'UNSPENT')))
  }
  /** The same bytes until they are answered. @returns signatures, or undefined when the mint refused with this code */
  const send = async (request: Exact, refusal?: number): Promise<readonly BlindSignature[] | undefined> => {
    let isLost = false
    const answer = await ask(request.path, request.body, async () => {
      if (!isLost) tally.lostAnswers++
      isLost = true
      await assertWholeOrNot(request, refusal !== undefined)
    })
    if (answer.status !== 200) {
      expect({ path: request.path, ...answer, code: errorResponseSchema.parse(answer.body).code }).toMatchObject({
        code: refusal,
      })
      return undefined
    }
    return signaturesResponseSchema.parse(answer.body).signatures
  }
  const mustBeRefused = async (request: Exact, code: number): Promise<void> => {
    tally.attacks++
    expect(await send(request, code)).toBeUndefined()
    expect(await restored(request.outputs)).toEqual([])
  }

  /** Every input on its own, to other outputs; then one of them hidden beside a coin that is good. */
  const spendAgain = async (spent: readonly Proof[]): Promise<void> => {
    for (const coin of spent) {
      if (worthOf([coin]) >= 1) await mustBeRefused(swapOf([coin]), nutErrors.alreadySpent)
    }
    const good = coins[0]
    if (!good || !spent[0]) return
    await mustBeRefused(swapOf([good, spent[0]]), nutErrors.alreadySpent)
    expect(await statesOf([good])).toEqual(['UNSPENT'])
  }

  /** Carry out one of these, which exclude each other: all are sent at once, and sent again until each is answered. */
  const carryOut = async (rivals: readonly Exact[], refusal: number): Promise<Exact> => {
    const lostBefore = tally.lostAnswers
    const isRace = rivals.length > 1
    if (isRace) tally.races++
    const answers = await Promise.all(rivals.map((request) => send(request, isRace ? refusal : undefined)))
    const won = answers.flatMap((signatures, index) => (signatures ? [{ request: rivals[index]!, signatures }] : []))
    expect(won).toHaveLength(1)
    const [{ request, signatures }] = won as [(typeof won)[number]]
    drop(request.inputs)
    take(request.outputs, signatures)
    for (const loser of rivals) if (loser !== request) expect(await restored(loser.outputs)).toEqual([])
    if (tally.lostAnswers > lostBefore || chance.oneIn(8)) await spendAgain(request.inputs)
    return request
  }

  /** One to three coins, worth at least this after the fee. */
  const choose = (least: number): readonly Proof[] => {
    const count = chance.between(1, 3)
    const shuffled = coins.map((coin) => ({ coin, at: chance.next() })).sort((a, b) => a.at - b.at)
    const chosen: Proof[] = []
    for (const { coin } of shuffled) {
      if (chosen.length >= count && worthOf(chosen) >= least) break
      chosen.push(coin)
    }
    return chosen
  }

  return {
    coins,
    get paidIn() {
      return money.in
    },
    get paidOut() {
      return money.out
    },
    issue: async (amount) => {
      const made = await ask('/v1/mint/quote/bolt11', JSON.stringify({ amount, unit: 'sat' }))
      const { quote } = mintQuoteResponseSchema.parse(made.body)
      await ask(`/v1/mint/quote/bolt11/${quote}`) // practice invoices pay themselves
      const rival = () => exact('/v1/mint/bolt11', { quote }, [], outputsFor(amount))
      await carryOut(chance.oneIn(2) ? [rival(), rival()] : [rival()], nutErrors.quoteAlreadyIssued)
      await mustBeRefused(rival(), nutErrors.quoteAlreadyIssued)
      money.in += amount
      tally.issues++
    },
    swap: async () => {
      const inputs = choose(1)
      const rivals = chance.oneIn(4) ? [swapOf(inputs), swapOf(inputs)] : [swapOf(inputs)]
      await carryOut(rivals, nutErrors.alreadySpent)
      tally.swaps++
    },
    melt: async () => {
      const inputs = choose(1)
      const amount = worthOf(inputs)
      const request = await foreignInvoice(amount)
      const made = await ask('/v1/melt/quote/bolt11', JSON.stringify({ request, unit: 'sat' }))
      const { quote } = meltQuoteResponseSchema.parse(made.body)
      const body = JSON.stringify({ quote, inputs })
      let isLost = false
      for (let state = ''; state !== 'PAID'; ) {
        const answer = await ask('/v1/melt/bolt11', body, async () => {
          if (!isLost) tally.lostAnswers++
          isLost = true
        })
        expect(answer).toMatchObject({ status: 200 })
        state = meltQuoteResponseSchema.parse(answer.body).state
      }
      drop(inputs)
      await spendAgain(inputs)
      money.out += amount
      tally.melts++
    },
  }
}

/** Restore, whole: what the mint says by NUT-09 of all these outputs. */
export async function restoreAll(
  url: string,
  outputs: readonly { readonly B_: string; readonly amount: number; readonly id: string }[],
): Promise<readonly BlindSignature[]> {
  const found: BlindSignature[] = []
  for (let at = 0; at < outputs.length; at += lookups) {
    const body = JSON.stringify({ outputs: outputs.slice(at, at + lookups) })
    const answer = await fetch(`${url}/v1/restore`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    found.push(...restoreResponseSchema.parse(await answer.json()).signatures)
  }
  return found
}

/** The states of all these coins by NUT-07. */
export async function statesOfAll(url: string, Ys: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (let at = 0; at < Ys.length; at += lookups) {
    const answer = await fetch(`${url}/v1/checkstate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ Ys: Ys.slice(at, at + lookups) }),
    })
    found.push(...checkStateResponseSchema.parse(await answer.json()).states.map(({ state }) => state))
  }
  return found
}
