// Decoders with a bug in each, for the fuzzer to find: what finds nothing here would find nothing anywhere.

import fc from 'fast-check'
import { hold, plain, type Target, type TargetTable } from '../scripts/fuzz/target.ts'
import { AppError } from '../shared/errors.ts'

const decoder = (run: (input: Uint8Array) => void, more: Partial<Target> = {}): (() => Promise<Target>) => {
  const target: Target = { form: 'bytes', maxBytes: 64, codes: ['bad_frame'], open: plain(run), ...more }
  return async () => target
}

/** A bug behind three bytes that must be right one after the other: chance alone does not come by. */
const behindThreeBytes = (input: Uint8Array): void => {
  if (input[0] !== 0x66) throw new AppError('bad_frame', 'first')
  if (input[1] !== 0x75) throw new AppError('bad_frame', 'second')
  if (input[2] === 0x7a) throw new TypeError('behind three bytes')
}

const kept: Uint8Array[] = []

export const table: TargetTable = {
  clean: decoder((input) => {
    if (input.length > 8) throw new AppError('bad_frame', 'too long')
  }),
  throws: decoder((input) => {
    if (input.includes(0xff)) throw new TypeError('no such thing')
  }),
  'throws another code': decoder((input) => {
    if (input.length > 3) throw new AppError('internal', 'not documented')
  }),
  deep: decoder(behindThreeBytes, { words: ['f', 'u', 'z'] }),
  hangs: decoder((input) => {
    while (input[0] === 0x80);
  }),
  slow: decoder((input) => {
    for (
      const end = process.threadCpuUsage().user + 250_000;
      input.length > 5 && process.threadCpuUsage().user < end;
    );
  }),
  'takes memory': decoder((input) => {
    if (input.length > 5) hold(new Array(12_000_000).fill(input).length > 0, 'no room')
  }),
  'takes all memory': decoder((input) => {
    const all: unknown[] = []
    while (input.length > 5) all.push(new Array(50_000).fill(0))
  }),
  'keeps memory': decoder((input) => {
    kept.push(Uint8Array.from({ length: 1 }, () => input.length))
    for (let left = 500; left > 0; left--) kept.push(Uint8Array.of(left))
  }),
  'marks all objects': decoder((input) => {
    if (input.length > 5)
      Object.defineProperty(Object.prototype, 'marked', { value: 1, enumerable: true, configurable: true })
  }),
  'accepts two forms': decoder((input) => hold(input[0] !== 0x80 || input.length < 2, 'two forms')),
  'loses a value': decoder(() => {}, {
    properties: [
      {
        name: 'what is written is read',
        property: fc.property(fc.integer({ min: 0, max: 1000 }), (value) => hold(value < 500, 'lost')),
      },
    ],
  }),
  'ends the process': decoder((input) => {
    if (input.length > 5) process.exit(7)
  }),
  'never answers': async () => ({
    form: 'bytes',
    maxBytes: 64,
    codes: [],
    open: async () => ({
      run: (input) => (input.length > 5 ? new Promise(() => {}) : undefined),
      close: async () => {},
    }),
  }),
}
