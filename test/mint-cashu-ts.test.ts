// The mint with a wallet that nobody here wrote: cashu-ts, over real HTTP.

import { CheckStateEnum, getDecodedToken, getEncodedToken, MintQuoteState, sumProofs, Wallet } from '@cashu/cashu-ts'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../mint/start.ts'
import { bytesToHex } from '../shared/cashu/numbers.ts'
import { foreignInvoice, newKey, openMint, type TestMint } from './mint-fixture.ts'

/** A wallet of its own for every `seed`. cashu-ts looks at the real clock, so the mint must too. */
async function walletAt(mint: TestMint, seed = 1): Promise<Wallet> {
  const wallet = new Wallet(mint.url(), { unit: 'sat', bip39seed: new Uint8Array(64).fill(seed) })
  await wallet.loadMint()
  return wallet
}

describe('a cashu-ts wallet', () => {
  test('mints, pays another wallet through a token, and cashes out', async () => {
    const mint = await openMint({ feePpk: 100, clock: systemClock })
    const alice = await walletAt(mint)
    const quote = await alice.createMintQuoteBolt11(64)
    expect((await alice.checkMintQuoteBolt11(quote.quote)).state).toBe(MintQuoteState.PAID)
    const minted = await alice.mintProofsBolt11(64, quote.quote)
    expect(sumProofs(minted).toNumber()).toBe(64)

    const { keep, send } = await alice.send(21, minted, { includeFees: true })
    const carol = await walletAt(mint, 2)
    const received = await carol.receive(getEncodedToken({ mint: mint.url(), proofs: send }))
    expect(sumProofs(received).toNumber()).toBe(21)
    expect((await alice.checkProofsStates(send)).map(({ state }) => state)).toEqual(
      send.map(() => CheckStateEnum.SPENT),
    )
    await expect(alice.receive(send)).rejects.toMatchObject({ code: 11001 })

    const meltQuote = await alice.createMeltQuoteBolt11(await foreignInvoice(10))
    const toMelt = await alice.send(10, keep, { includeFees: true })
    const { quote: melted } = await alice.meltProofsBolt11(meltQuote, toMelt.send, { nut08Change: false })
    expect(melted.state).toBe('PAID')
    const fees = 64 - 21 - 10 - sumProofs(toMelt.keep).toNumber()
    expect(fees).toBeGreaterThan(0)
    expect(fees).toBeLessThan(6)
  })

  test.each(['SIG_INPUTS', 'SIG_ALL'] as const)(
    'pays coins locked with %s, which only the key opens',
    async (sigFlag) => {
      const mint = await openMint({ clock: systemClock })
      const wallet = await walletAt(mint)
      const key = newKey()
      const quote = await wallet.createMintQuoteBolt11(64)
      const minted = await wallet.mintProofsBolt11(64, quote.quote)
      const { send } = await wallet.ops.send(21, minted).asP2PK({ pubkey: key.publicKey, sigFlag }).run()
      const { proofs } = getDecodedToken(getEncodedToken({ mint: mint.url(), proofs: send }), [await mint.keysetId()])
      await expect(wallet.receive(proofs)).rejects.toThrow()
      await expect(wallet.receive(proofs, { privkey: bytesToHex(newKey().secretKey) })).rejects.toThrow()
      const received = await wallet.receive(proofs, { privkey: bytesToHex(key.secretKey) })
      expect(sumProofs(received).toNumber()).toBe(21)
    },
  )

  test.each(['SIG_INPUTS', 'SIG_ALL'] as const)('cashes out coins locked with %s', async (sigFlag) => {
    const mint = await openMint({ clock: systemClock })
    const wallet = await walletAt(mint)
    const key = newKey()
    const quote = await wallet.createMintQuoteBolt11(16)
    const minted = await wallet.mintProofsBolt11(16, quote.quote)
    const { send } = await wallet.ops.send(16, minted).asP2PK({ pubkey: key.publicKey, sigFlag }).run()
    const meltQuote = await wallet.createMeltQuoteBolt11(await foreignInvoice(16))
    const { quote: melted } = await wallet.meltProofsBolt11(meltQuote, send, { privkey: bytesToHex(key.secretKey) })
    expect(melted.state).toBe('PAID')
  })

  test('finds its coins again by its phrase', async () => {
    const mint = await openMint({ clock: systemClock })
    const wallet = await walletAt(mint)
    const quote = await wallet.createMintQuoteBolt11(63)
    const minted = await wallet.ops.mintBolt11(63, quote).asDeterministic(1).run()
    const again = await walletAt(mint)
    const { proofs } = await again.batchRestore()
    expect(new Set(proofs.map(({ secret }) => secret))).toEqual(new Set(minted.map(({ secret }) => secret)))
  })
})
