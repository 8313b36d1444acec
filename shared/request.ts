// What a payee publishes to be paid: a NUT-18 payment request whose transport is "farthing".
// Text form: creqA…, or a link farthing:creqA… (cashu:creqA… is read too).

import { base64urlnopad } from '@scure/base'
import { maxAmount } from './amount.ts'
import { decodeLooseCbor, encodeCbor } from './cbor.ts'
import { AppError } from './errors.ts'
import { readAs, z } from './schema.ts'

const transportType = 'farthing'
const maxRequestLength = 4000

const requestSchema = z.object({
  /** Names the request, so that one payment answers it. */
  id: z.string().min(1).max(64).optional(),
  /** In the unit's smallest part; absent when the payer chooses. */
  amount: z.number().int().min(1).max(maxAmount).optional(),
  unit: z.string().regex(/^[a-z0-9_-]{1,32}$/),
  mints: z.array(z.url().max(512)).max(16),
  description: z.string().max(200).optional(),
  /** Closed after one payment. */
  singleUse: z.boolean(),
  /** libp2p peer id in its text form. */
  peerId: z.string().min(20).max(128),
  multiaddrs: z.array(z.string().min(1).max(256)).max(16),
  /** The key that must sign the Terms: compressed, 66 hex characters. */
  payeeKey: z.string().regex(/^0[23][0-9a-f]{64}$/),
})
export type Request = z.infer<typeof requestSchema>

const prefix = 'creqA'
const linkScheme = 'farthing:'
const readSchemes = /^(farthing|cashu):(\/\/)?/i

/** The NUT-18 fields we read. Others (transports of other wallets, nut10) may be there and are left alone. */
const rawSchema = z.object({
  i: z.string().optional(),
  a: z.number().optional(),
  u: z.string().optional(),
  s: z.boolean().optional(),
  m: z.array(z.string()).optional(),
  d: z.string().optional(),
  t: z.array(z.object({ t: z.string(), a: z.string(), g: z.array(z.array(z.string())).optional() })).optional(),
})

/** The text to show as QR code or to send as a link. */
export function encodeRequest(request: Request): string {
  const { id, amount, unit, mints, description, singleUse, peerId, multiaddrs, payeeKey } = requestSchema.parse(request)
  const raw = {
    ...(id === undefined ? {} : { i: id }),
    ...(amount === undefined ? {} : { a: amount }),
    u: unit,
    s: singleUse,
    m: mints,
    ...(description === undefined ? {} : { d: description }),
    t: [
      {
        t: transportType,
        a: peerId,
        g: [
          ['k', payeeKey],
          ['m', ...multiaddrs],
        ],
      },
    ],
  }
  return prefix + base64urlnopad.encode(encodeCbor(raw))
}

/** A request's text as a link that the app opens. */
export const requestLink = (text: string): string => linkScheme + text

/** A pasted, scanned or opened text without its link scheme. */
export const bareRequest = (text: string): string => text.trim().replace(readSchemes, '')

/**
 * Read a request from a QR code, a link or pasted text.
 * @throws AppError `bad_input` when it is no request, or one that cannot be paid from computer to computer
 */
export function decodeRequest(text: string): Request {
  const bare = bareRequest(text)
  if (!bare.startsWith(prefix) || bare.length > maxRequestLength)
    throw new AppError('bad_input', 'not a payment request')
  const raw = readAs(rawSchema, decodeBase64Cbor(bare.slice(prefix.length)))
  if (!raw.success) throw new AppError('bad_input', 'not a payment request')
  const { i, a, u, s, m, d, t } = raw.data
  const transport = t?.find((candidate) => candidate.t === transportType)
  if (!transport) throw new AppError('bad_input', 'this request cannot be paid from computer to computer')
  const tag = (name: string) => transport.g?.find(([tagName]) => tagName === name)?.slice(1) ?? []
  const parsed = readAs(requestSchema, {
    id: i,
    amount: a,
    unit: u,
    mints: m ?? [],
    description: d,
    singleUse: s ?? false,
    peerId: transport.a,
    multiaddrs: tag('m'),
    payeeKey: tag('k')[0],
  })
  if (!parsed.success) throw new AppError('bad_input', 'the request is not complete')
  return parsed.data
}

function decodeBase64Cbor(text: string): unknown {
  try {
    return decodeLooseCbor(base64urlnopad.decode(text.replace(/={1,2}$/, '')))
  } catch (cause) {
    throw new AppError('bad_input', 'not a payment request', { cause })
  }
}
