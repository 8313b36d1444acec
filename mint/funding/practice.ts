// Play money: invoices that pay themselves after a moment, and melts that pay nobody. For trying out and for tests.
//
// The invoices are well-formed BOLT 11 for `regtest`, the chain that is worth nothing, signed by a key that is thrown
// away. Nobody knows the preimage of their payment hash, so no Lightning node could ever be paid by one.

import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex } from '../../shared/cashu/numbers.ts'
import { nutErrors } from '../../shared/cashu/wire.ts'
import type { Clock, Funding, Random } from '../ports.ts'
import { refuse, unspecified } from '../refusal.ts'
import { readInvoice, writeInvoice } from './bolt11.ts'

export type PracticeOptions = {
  readonly clock: Clock
  readonly random: Random
  /** From the making of an invoice until it counts as paid. */
  readonly delayMs: number
}

/** An invoice can be paid, and a melt quote used, for this long. */
export const practiceExpirySeconds = 3600

const about = {
  name: 'Farthing practice mint (PLAY MONEY)',
  description: 'Play money. Its invoices pay themselves, its melts pay nobody. Its coins are worth nothing.',
  motd: 'PLAY MONEY: nothing here is worth anything. Do not pay the invoices of this mint.',
}

export function createPracticeFunding({ clock, random, delayMs }: PracticeOptions): Funding {
  const nowSeconds = (): number => Math.floor(clock.now() / 1000)
  return {
    about,
    createInvoice: async (amount, unit) => {
      const timestamp = nowSeconds()
      const paymentHash = createHash('sha256').update(random.bytes(32)).digest('hex')
      const request = writeInvoice(
        {
          chain: 'bcrt',
          amountMsat: toMsat(amount, unit),
          timestamp,
          paymentHash,
          paymentSecret: bytesToHex(random.bytes(32)),
          description: 'PLAY MONEY, do not pay: Farthing practice invoice',
          expirySeconds: practiceExpirySeconds,
        },
        secp256k1.utils.randomSecretKey(random.bytes(48)),
      )
      return { request, paymentHash, expiry: timestamp + practiceExpirySeconds }
    },
    isPaid: async ({ createdAtMs }) => clock.now() >= createdAtMs + delayMs,
    readInvoice: (request, unit) => {
      const invoice = readInvoice(request) ?? refuse(unspecified, 'this is no bolt11 invoice')
      const { amountMsat, paymentHash } = invoice
      if (amountMsat === undefined) refuse(nutErrors.amountlessInvoice, 'an invoice without amount is not served')
      return {
        amount: fromMsat(amountMsat, unit),
        feeReserve: 0, // to pay nobody costs nothing
        paymentHash,
        expiry: nowSeconds() + practiceExpirySeconds,
      }
    },
    pay: async () => ({ kind: 'paid', preimage: null }), // nobody was paid, so nobody revealed a preimage
  }
}

/** One part of a unit counts as one satoshi, a thousandth of it for `msat`: play money has no exchange rate. */
function toMsat(amount: number, unit: string): number {
  return unit === 'msat' ? amount : amount * 1000
}

function fromMsat(msat: number, unit: string): number {
  return unit === 'msat' ? msat : Math.ceil(msat / 1000)
}
