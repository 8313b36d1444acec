// A melt as the mint sees it (NUT-05, NUT-08, NUT-11): the exact request, and what became of it by the state of its quote
// and of its coins (NUT-07). Nothing here stores.

import { bytesToHex, compareBytes, hexToBytes } from '../../shared/cashu/numbers.ts'
import { sigAllDigest, witnessOf } from '../../shared/cashu/p2pk.ts'
import type { CoinStateAtMint, MeltQuoteResponse } from '../../shared/cashu/wire.ts'
import { AppError } from '../../shared/errors.ts'
import type { Context } from './context.ts'
import type { SwapRecord } from './operation.ts'
import type { MintAnswer, MintClient } from './ports.ts'
import type { Coin } from './store-port.ts'

/** Why it did not go as a cash out goes: stored with the row, and told to people in words of their own. */
export const elsewhereReason = 'the invoice was paid, but not with these coins'
export const brokenReason = 'some of the coins were spent elsewhere'
export const spentUnpaid = 'the mint took the coins and does not say that the invoice is paid'

/** NUT-08: max(⌈log2(fee reserve)⌉, 1), none for none. */
export function blankOutputs(feeReserve: number): number {
  if (feeReserve === 0) return 0
  let count = 0
  for (let power = 1; power < feeReserve; power *= 2) count++
  return Math.max(count, 1)
}

/** The exact body of POST /v1/melt/bolt11: SIG_ALL over inputs, blank outputs and the quote (NUT-11), in the first witness. */
export function meltBody(
  { secrets }: Pick<Context, 'secrets'>,
  quote: string,
  coins: readonly Coin[],
  blanks: SwapRecord['outputs'],
  keysetId: string,
): string {
  const sorted = [...coins].sort((a, b) => compareBytes(hexToBytes(a.Y), hexToBytes(b.Y)))
  const inputs = sorted.map(({ keysetId: id, amount, path, C }) => ({ amount, id, secret: secrets.secret(path), C }))
  const [coin] = sorted
  if (!coin) throw new AppError('internal', 'a melt of nothing')
  const witness = witnessOf(bytesToHex(secrets.signSwap(coin.path, sigAllDigest(inputs, blanks, quote))))
  const signed = inputs.map((input, index) => (index === 0 ? { ...input, witness } : input))
  const outputs = blanks.map(({ amount, B_ }) => ({ amount, id: keysetId, B_ }))
  return JSON.stringify({ quote, inputs: signed, ...(outputs.length > 0 ? { outputs } : {}) })
}

/** What is known of a melt that was sent. */
export type Facts = {
  /**
   * `paid`: the quote is, and every coin is spent. `spent`: every coin is, but the quote is not paid.
   * `elsewhere`: the quote is paid, with other coins. `broken`: some coins are spent: this request can never pass.
   * `idle`: nothing was paid and nothing spent, so far.
   */
  readonly kind: 'paid' | 'spent' | 'elsewhere' | 'broken' | 'pending' | 'idle'
  /** Of each coin, in the order of `Ys`. */
  readonly states: readonly CoinStateAtMint[]
  /** Undefined when the mint knows no such quote. */
  readonly quote: MeltQuoteResponse | undefined
}
export type NoFacts = { readonly kind: 'unknown'; readonly reason: string; readonly retryAfterMs?: number }

/**
 * What happened, by the quote first: what is paid then has its coins spent when they are asked about.
 * @param paid the answer of a melt that says so, instead of the quote
 */
export async function readFacts(
  mint: MintClient,
  { quote: id, Ys }: { readonly quote: string; readonly Ys: readonly string[] },
  paid: MeltQuoteResponse | undefined,
): Promise<Facts | NoFacts> {
  const quote: MintAnswer<MeltQuoteResponse> = paid ? { kind: 'ok', value: paid } : await mint.meltQuote(id)
  if (quote.kind === 'unknown') return noFacts(quote)
  const states = await mint.checkState(Ys)
  if (states.kind !== 'ok') return noFacts(states)
  const known = quote.kind === 'ok' ? quote.value : undefined
  return { kind: judge(known?.state, states.value), states: states.value, quote: known }
}

function noFacts(answer: Exclude<MintAnswer<unknown>, { kind: 'ok' }>): NoFacts {
  if (answer.kind === 'refused') return { kind: 'unknown', reason: `the mint refuses to tell: ${answer.code}` }
  const { reason, retryAfterMs } = answer
  return { kind: 'unknown', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

function judge(quote: MeltQuoteResponse['state'] | undefined, states: readonly CoinStateAtMint[]): Facts['kind'] {
  const areAllSpent = states.every((state) => state === 'SPENT')
  if (areAllSpent && quote === 'PAID') return 'paid'
  if (quote === 'PENDING' || states.includes('PENDING')) return 'pending'
  if (areAllSpent) return 'spent'
  if (states.includes('SPENT')) return 'broken'
  return quote === 'PAID' ? 'elsewhere' : 'idle'
}
