// Payment requests this wallet published: what a Hello that names one must fit (NUT-18).

import { AppError } from '../../shared/errors.ts'
import type { Hello } from '../../shared/messages.ts'
import { z } from '../../shared/schema.ts'
import type { Context } from './context.ts'

const storedRequest = z.object({
  id: z.string(),
  account: z.number(),
  unit: z.string(),
  /** Null when the payer chooses. */
  amount: z.number().nullable(),
  singleUse: z.boolean(),
  createdAt: z.number(),
  /** A person ended it. */
  closed: z.boolean().optional(),
})
export type StoredRequest = z.infer<typeof storedRequest>

const keyOf = (id: string) => `request/${id}`

/** Remember a request before it is shown. */
export function storeRequest({ store }: Context, request: StoredRequest): void {
  store.transaction((write) => write.setMeta(keyOf(request.id), request))
}

/** @throws AppError `not_found`, `bad_input`, `request_closed` unless the Hello may be answered with Terms */
export function openRequest({ store }: Pick<Context, 'store'>, hello: Hello, account: number): void {
  if (hello.requestId === undefined) return
  const stored = store.read.meta(keyOf(hello.requestId))
  if (stored === undefined) throw new AppError('not_found', 'no such request')
  const request = storedRequest.parse(stored)
  if (request.account !== account) throw new AppError('mint_unknown', 'the request names another mint')
  if (request.unit !== hello.unit) throw new AppError('unit_unknown', 'the request has another unit')
  if (request.amount !== null && request.amount !== hello.amount) {
    throw new AppError('bad_input', 'the request has another amount')
  }
  if (request.closed) throw new AppError('request_closed', 'this request was ended')
  if (isClosed({ store }, request.id)) throw new AppError('request_closed', 'this request was paid')
}

/** Whether a single-use request was answered by a payment already. */
export function isClosed({ store }: Pick<Context, 'store'>, requestId: string | null): boolean {
  if (requestId === null) return false
  const stored = storedRequest.safeParse(store.read.meta(keyOf(requestId)))
  return stored.success && stored.data.singleUse && store.read.isRequestAnswered(requestId)
}

/** @returns false when there is no such request */
export function closeRequest({ store }: Pick<Context, 'store'>, id: string): boolean {
  const stored = storedRequest.safeParse(store.read.meta(keyOf(id)))
  if (!stored.success) return false
  store.transaction((write) => write.setMeta(keyOf(id), { ...stored.data, closed: true }))
  return true
}
