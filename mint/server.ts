// The HTTP interface of the mint: /v1 of the NUTs. Bodies are checked by the schemas that wallets use too; every error
// is `{ detail, code }` (NUT-00): 400 for a refusal, other 4xx for what HTTP itself rejects, 429 for too many quotes, 503
// while nothing can be stored.

import { type FastifyInstance, fastify, type onRequestAsyncHookHandler } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  checkStateRequestSchema,
  checkStateResponseSchema,
  type ErrorResponse,
  infoResponseSchema,
  keysetsResponseSchema,
  keysResponseSchema,
  meltQuoteRequestSchema,
  meltQuoteResponseSchema,
  meltRequestSchema,
  mintQuoteRequestSchema,
  mintQuoteResponseSchema,
  mintRequestSchema,
  nutErrors,
  restoreRequestSchema,
  restoreResponseSchema,
  signaturesResponseSchema,
  swapRequestSchema,
} from '../shared/cashu/wire.ts'
import { AppError } from '../shared/errors.ts'
import type { OnAbuse } from './abuse-log.ts'
import { shareConnections } from './connections.ts'
import type { Mint } from './mint.ts'
import type { QuoteLimit } from './quote-limit.ts'
import { MintRefusal, type RefusalCode, unspecified } from './refusal.ts'

/** 64 inputs with secret and witness of 1024 characters each, every one escaped, and as many outputs. */
export const maxBodyBytes = 512 * 1024
const defaultRequestTimeoutMs = 10_000
const keepAliveTimeoutMs = 30_000
/** How often connections are looked at for one that is too slow. */
const timeoutCheckMs = 1_000
const maxConnections = 1_024

export type MintServerDeps = {
  readonly mint: Mint
  /** For every quote. */
  readonly quoteLimit: QuoteLimit
  /** For those of money out, too. */
  readonly meltQuoteLimit: QuoteLimit
  /** Told of every failure that is the mint's own: the wallet sees status 500 without the reason. */
  readonly report: (error: unknown) => void
  /** Told of who asks for more than is granted. */
  readonly onAbuse: OnAbuse
  /** A request must have arrived by then: nobody holds a connection open by sending slowly. Default 10 s. */
  readonly requestTimeoutMs?: number | undefined
}

/** The routes, not yet listening. */
export function createMintServer({
  mint,
  quoteLimit,
  meltQuoteLimit,
  report,
  onAbuse,
  requestTimeoutMs = defaultRequestTimeoutMs,
}: MintServerDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: timeoutCheckMs },
  })
  shareConnections(app.server, maxConnections, onAbuse)
  app.setValidatorCompiler(validators)
  app.setSerializerCompiler(serializerCompiler)
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ detail: 'no such path', code: unspecified } satisfies ErrorResponse),
  )
  app.setErrorHandler((error, request, reply) => {
    const { status, body, retryAfterSeconds } = errorAnswer(error)
    if (status === 413) onAbuse(request.ip, 'sends too much')
    if (status >= 500) report(error)
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
    return reply.status(status).send(body)
  })
  addRoutes(app, mint, {
    mintQuotes: limitOf([quoteLimit], onAbuse),
    meltQuotes: limitOf([quoteLimit, meltQuoteLimit], onAbuse),
  })
  return app
}

/** Before the body is read: 429 with the time to wait. */
function limitOf(limits: readonly QuoteLimit[], onAbuse: OnAbuse): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const waitSeconds = Math.max(...limits.map((limit) => limit.count(request.ip)))
    if (waitSeconds === 0) return
    onAbuse(request.ip, 'asks for too many quotes')
    const body = { detail: 'too many quotes from this address', code: unspecified } satisfies ErrorResponse
    return reply.status(429).header('retry-after', String(waitSeconds)).send(body)
  }
}

/** The framework's own, for bodies that zod cannot read either: they are refused as others that do not fit (see `readAs`). */
const validators: typeof validatorCompiler = (route) => {
  const validate = validatorCompiler(route)
  return (data) => {
    try {
      return validate(data)
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown
      return { error: new Error('not readable') } // becomes a 400
    }
  }
}

type Limited = { readonly mintQuotes: onRequestAsyncHookHandler; readonly meltQuotes: onRequestAsyncHookHandler }

function addRoutes(app: FastifyInstance, mint: Mint, { mintQuotes, meltQuotes }: Limited): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()
  const answers = <T extends z.ZodType>(schema: T) => ({ response: { 200: schema } })
  const byId = { params: z.object({ id: z.string().max(200) }) }

  // NUT-06, NUT-01, NUT-02
  routes.get('/v1/info', { schema: answers(infoResponseSchema) }, async () => mint.info())
  routes.get('/v1/keys', { schema: answers(keysResponseSchema) }, async () => mint.keys())
  routes.get('/v1/keys/:id', { schema: { ...byId, ...answers(keysResponseSchema) } }, async ({ params }) =>
    mint.keys(params.id),
  )
  routes.get('/v1/keysets', { schema: answers(keysetsResponseSchema) }, async () => mint.keysets())

  // NUT-03
  routes.post(
    '/v1/swap',
    { schema: { body: swapRequestSchema, ...answers(signaturesResponseSchema) } },
    async ({ body }) => mint.swap(body),
  )

  // NUT-04, NUT-23
  routes.post(
    '/v1/mint/quote/bolt11',
    { onRequest: mintQuotes, schema: { body: mintQuoteRequestSchema, ...answers(mintQuoteResponseSchema) } },
    async ({ body }) => mint.createMintQuote(body),
  )
  routes.get(
    '/v1/mint/quote/bolt11/:id',
    { schema: { ...byId, ...answers(mintQuoteResponseSchema) } },
    async ({ params }) => mint.mintQuote(params.id),
  )
  routes.post(
    '/v1/mint/bolt11',
    { schema: { body: mintRequestSchema, ...answers(signaturesResponseSchema) } },
    async ({ body }) => mint.issue(body),
  )

  // NUT-05, NUT-23
  routes.post(
    '/v1/melt/quote/bolt11',
    { onRequest: meltQuotes, schema: { body: meltQuoteRequestSchema, ...answers(meltQuoteResponseSchema) } },
    async ({ body }) => mint.createMeltQuote(body),
  )
  routes.get(
    '/v1/melt/quote/bolt11/:id',
    { schema: { ...byId, ...answers(meltQuoteResponseSchema) } },
    async ({ params }) => mint.meltQuote(params.id),
  )
  routes.post(
    '/v1/melt/bolt11',
    { schema: { body: meltRequestSchema, ...answers(meltQuoteResponseSchema) } },
    async ({ body }) => mint.melt(body),
  )

  // NUT-07, NUT-09
  routes.post(
    '/v1/checkstate',
    { schema: { body: checkStateRequestSchema, ...answers(checkStateResponseSchema) } },
    async ({ body }) => mint.checkState(body),
  )
  routes.post(
    '/v1/restore',
    { schema: { body: restoreRequestSchema, ...answers(restoreResponseSchema) } },
    async ({ body }) => mint.restore(body),
  )
}

type ErrorAnswer = {
  readonly status: number
  readonly body: ErrorResponse
  readonly retryAfterSeconds?: number
}

/** A full disk is seldom mended sooner; nothing is lost by waiting. */
const storeRetrySeconds = 30

function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof MintRefusal) return { status: 400, body: { detail: error.message, code: error.code } }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation
    const path = first?.instancePath ?? '/'
    const detail = `${path.slice(1) || 'body'}: ${first?.message ?? 'not valid'}` // names the place, not the value
    return { status: 400, body: { detail, code: codeOfField(path, first?.keyword) } }
  }
  const http = clientErrorSchema.safeParse(error)
  if (http.success) return { status: http.data.statusCode, body: { detail: http.data.message, code: unspecified } }
  if (error instanceof AppError && error.retryable) {
    const detail = 'the mint can store nothing at the moment; ask again later'
    return { status: 503, body: { detail, code: unspecified }, retryAfterSeconds: storeRetrySeconds }
  }
  return { status: 500, body: { detail: 'the mint failed', code: unspecified } }
}

/** What the framework rejects before the body is looked at: too large (413), not JSON (400, 415). */
const clientErrorSchema = z.object({ statusCode: z.number().min(400).max(499), message: z.string() })

/** The NUTs' code for a field that does not fit the schema, where they have one. */
function codeOfField(path: string, problem: string | undefined): RefusalCode {
  const field = path.split('/').findLast((part) => !/^[0-9]*$/.test(part))
  if (problem === 'too_big' && (field === 'inputs' || field === 'Ys')) return nutErrors.maxInputs
  if (problem === 'too_big' && field === 'outputs') return nutErrors.maxOutputs
  return (field === undefined ? undefined : codesOfFields.get(field)) ?? unspecified
}

const codesOfFields: ReadonlyMap<string, RefusalCode> = new Map([
  ['amount', nutErrors.amountOutsideLimit],
  ['id', nutErrors.keysetUnknown],
  ['unit', nutErrors.unitNotSupported],
  ['secret', nutErrors.proofInvalid],
  ['witness', nutErrors.proofInvalid],
  ['C', nutErrors.proofInvalid],
])
