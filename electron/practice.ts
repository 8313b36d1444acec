// The practice mint and the practice stall that may run beside an app, in a process of their own: what is said to that
// process and by it, whatever kind of child it is. Play money never shares a process with coins.

import { AppError, errorCodes } from '../shared/errors.ts'
import { fromErrorReply } from '../shared/ipc.ts'
import { z } from '../shared/schema.ts'

export type PracticeLauncher = (options: {
  /** Data folder of the practice process; made if it is not there. */
  readonly folder: string
  /** A line for the log: codes and ids, never a secret. */
  readonly log: (line: string) => void
}) => Promise<Practice>

export type Practice = {
  /** The same at every start of a folder, as long as nobody takes its port. */
  readonly mintUrl: string
  readonly unit: string
  /** Over when the process is, however it ended. */
  readonly ended: Promise<void>
  /** A request of the stall to pay it one coin: `creqA…`. @throws AppError */
  stallRequest(): Promise<string>
  stop(): Promise<void>
}

/** A child process as its host sees it. */
export type PracticeProcess = {
  /** @throws anything when it is gone */
  post(message: object): void
  onMessage(listener: (message: unknown) => void): void
  /** Told once, with the reason, however it ends. */
  onEnd(listener: (why: string) => void): void
  /** Ask it to end; over when it has, or has not for seconds. */
  end(): Promise<void>
}

/** Keys of every denomination and two databases are made at the first start. Milliseconds. */
const startTimeoutMs = 30_000
const answerTimeoutMs = 15_000
const maxRequestLength = 4096

const readySchema = z.object({ ready: z.literal(true), mintUrl: z.url().max(512), unit: z.string().max(32) })
const answerSchema = z.union([
  z.object({ id: z.number().int(), value: z.string().min(1).max(maxRequestLength) }),
  z.object({
    id: z.number().int(),
    error: z.object({
      code: z.enum(errorCodes),
      message: z.string(),
      retryable: z.boolean(),
      facts: z.record(z.string(), z.number()),
    }),
  }),
])

/** Wait until a started process is ready. @throws AppError `practice_failed`; the process is over then */
export async function talkToPractice(process: PracticeProcess): Promise<Practice> {
  const ready = Promise.withResolvers<z.infer<typeof readySchema>>()
  const ended = Promise.withResolvers<void>()
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  process.onMessage((message) => {
    const hello = readySchema.safeParse(message)
    if (hello.success) return ready.resolve(hello.data)
    const answer = answerSchema.safeParse(message)
    if (!answer.success) return
    const asked = waiting.get(answer.data.id)
    if ('value' in answer.data) asked?.resolve(answer.data.value)
    else asked?.reject(fromErrorReply(answer.data.error))
  })
  process.onEnd((why) => {
    const error = failure(why)
    ready.reject(error)
    for (const { reject } of waiting.values()) reject(error)
    ended.resolve()
  })
  let nextId = 1
  try {
    const { mintUrl, unit } = await within(ready.promise, startTimeoutMs)
    return {
      mintUrl,
      unit,
      ended: ended.promise,
      stallRequest: async () => {
        const id = nextId++
        const answer = Promise.withResolvers<string>()
        waiting.set(id, answer)
        try {
          process.post({ id, command: 'stall.request' })
          return await within(answer.promise, answerTimeoutMs)
        } finally {
          waiting.delete(id)
        }
      },
      stop: process.end,
    }
  } catch (error) {
    await process.end()
    throw error
  }
}

const failure = (why: string): AppError =>
  new AppError('practice_failed', `the practice process ${why}`, { retryable: true })

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(failure('does not answer')), timeoutMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
