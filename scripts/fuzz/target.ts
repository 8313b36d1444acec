// What is fuzzed: a decoder, what it may answer, and what is fed to it.

import type { IRawProperty } from 'fast-check'
import type { ErrorCode } from '../../shared/errors.ts'

/** How an input is shown and kept: raw bytes as hex, text and JSON as they are. */
export type Form = 'bytes' | 'text' | 'json'

/** A way to change the meaning of an input instead of its bytes. */
export type Structure = {
  /** @throws anything for bytes that have none */
  readonly read: (input: Uint8Array) => unknown
  /** @throws anything for a value that has no encoding */
  readonly write: (value: unknown) => Uint8Array
}

export type Target = {
  readonly form: Form
  /** Longest input that is tried: as much as the real way in lets through, or a little more. */
  readonly maxBytes: number
  /** The `AppError`s that the decoder documents. Anything else that is thrown is a finding. */
  readonly codes: readonly ErrorCode[]
  /** Beside the corpus, where code of ours can make good inputs. */
  readonly seeds?: readonly Uint8Array[]
  /** Words that this decoder knows. */
  readonly words?: readonly string[]
  readonly structure?: Structure
  /** Inputs that look right, one for each seed. */
  readonly sample?: (seed: number, count: number) => readonly Uint8Array[]
  /** What holds for every value, such as decode(encode(x)) = x. */
  readonly properties?: readonly Property[]
  /** Started once; runs are one after another. */
  open(): Promise<OpenTarget>
}

export type Property = { readonly name: string; readonly property: IRawProperty<unknown, false> }

export type OpenTarget = {
  /** Good inputs for this very start: ids and coins that exist. */
  readonly seeds?: readonly Uint8Array[]
  /** Reads one input as the program would. @throws what the decoder throws, and `Broken` for an answer that is wrong */
  run(input: Uint8Array): void | Promise<void>
  close(): Promise<void>
}

/** Name → how it is loaded. A target loads only what it needs. */
export type TargetTable = Readonly<Record<string, () => Promise<Target>>>

/** The decoder answered, and the answer is wrong. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** @throws Broken */
export function hold(isSo: boolean, what: string): void {
  if (!isSo) throw new Broken(what)
}

/** A target without anything to start or stop. */
export function plain(run: (input: Uint8Array) => void): () => Promise<OpenTarget> {
  return async () => ({ run, close: async () => {} })
}

export type Finding = {
  readonly kind: 'threw' | 'slow' | 'memory' | 'hang' | 'died' | 'property'
  /** What happened, for a developer. */
  readonly text: string
  /** Equal for inputs that show the same thing. */
  readonly key: string
  /** Absent for a property: its counterexample is in the text. */
  readonly input?: Uint8Array
}

export type Report = {
  readonly runs: number
  readonly seconds: number
  /** Inputs known before, and those that reached code which none had reached. */
  readonly corpus: number
  readonly fresh: readonly Uint8Array[]
  readonly findings: readonly Finding[]
}
