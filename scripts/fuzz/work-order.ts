// What the thread of a target is told, and what it says.

import { z } from 'zod'
import type { Finding } from './target.ts'

export const workOrderSchema = z.object({
  /** Address of a module with a `table`. */
  table: z.string(),
  name: z.string(),
  corpusFolder: z.string(),
  seed: z.number().int(),
  /** Inputs beside the corpus, and seconds: whichever is over first. */
  runs: z.number(),
  seconds: z.number(),
  isGuided: z.boolean(),
  /** Different ones; after so many there is something to mend first. */
  maxFindings: z.number().int(),
  /** Names of inputs that ended a thread before. */
  skip: z.array(z.string()),
  memory: z.instanceof(SharedArrayBuffer),
})
export type WorkOrder = z.infer<typeof workOrderSchema>

export type WorkerMessage =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'done'; readonly runs: number; readonly corpus: number; readonly fresh: readonly Uint8Array[] }
