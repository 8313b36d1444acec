// Commands, as a page, a window or a parent process sends them: a name, and anything at all as input.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { startApp } from '../../../electron/app.ts'
import { createRouter } from '../../../electron/router.ts'
import type { AppError } from '../../../shared/errors.ts'
import { type CommandName, commands, type Handlers, isCommandName } from '../../../shared/ipc.ts'
import { readAs, z } from '../../../shared/schema.ts'
import { hold, type OpenTarget, type Target } from '../target.ts'
import { bytesOf, textOf } from '../text.ts'
import { arbitraryOf } from './arbitrary-of.ts'
import { holdSame, json } from './structures.ts'

const names = Object.keys(commands)

/** A command as it crosses: `{ command, input }`. */
const call = z.object({ command: z.string(), input: z.unknown() })

export function parsedCall(input: Uint8Array): z.infer<typeof call> | undefined {
  try {
    return readAs(call, JSON.parse(textOf(input))).data
  } catch {
    return undefined // no JSON: no host hands it on
  }
}

/** Inputs that fit, by command. */
export function callsOf(chosen: readonly string[]): fc.Arbitrary<Uint8Array> {
  const all = chosen
    .filter(isCommandName)
    .map((command) => arbitraryOf(commands[command].input).map((input) => bytesOf(JSON.stringify({ command, input }))))
  return fc.oneof(...all)
}

const replySchema = z.union([
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      facts: z.record(z.string(), z.number()),
    }),
  }),
])
export const parseReply = (reply: unknown) => replySchema.parse(reply)

/** Handlers that only note that they were reached. */
function reachable(note: (name: string, input: unknown) => unknown): Handlers {
  return new Proxy(Object.create(null), {
    get: (_, name) => async (input: unknown) => {
      note(String(name), input)
      return null
    },
  })
}

const anyCall = callsOf(names)

export const ipcInput: Target = {
  form: 'json',
  maxBytes: 256 * 1024,
  codes: [],
  words: [...names.map((name) => `"${name}"`), '"input"', '"__proto__"', '\\ud800'],
  seeds: [...names, 'constructor', '__proto__', ''].map((command) => bytesOf(JSON.stringify({ command, input: {} }))),
  structure: json,
  sample: (seed, count) => fc.sample(anyCall, { seed, numRuns: count }),
  open: async (): Promise<OpenTarget> => {
    const defects: AppError[] = []
    const reached: { readonly name: string; readonly input: unknown }[] = []
    const route = createRouter(
      reachable((name, input) => reached.push({ name, input })),
      (error) => defects.push(error),
    )
    return {
      run: async (bytes) => {
        const asked = parsedCall(bytes)
        if (!asked) return
        const reply = parseReply(await route(asked.command, asked.input))
        const [handed] = reached.splice(0)
        for (const defect of defects.splice(0)) throw defect
        if (!isCommandName(asked.command)) return hold(!reply.ok && !handed, 'a command that there is not')
        if (!reply.ok) return hold(reply.error.code === 'bad_input' && !handed, 'refused, and done all the same')
        // What a handler is given is what its schema says, and nothing more.
        hold(handed?.name === asked.command, 'another command')
        holdSame(commands[asked.command].input.parse(asked.input), handed?.input, 'another input')
      },
      close: async () => {},
    }
  },
}

/** What asks somebody outside, writes where it is told to, or puts the wallet away: not with what chance makes up. */
const leftAlone: ReadonlySet<string> = new Set([
  'mints.add',
  'mints.sync',
  'nearby.look',
  'nearby.list',
  'nearby.announce',
  'backup.setFolder',
  'backup.export',
  'gate.setPassphrase',
  'gate.lock',
] satisfies CommandName[])
const served = names.filter((name) => !leftAlone.has(name))
const anyServed = callsOf(served)

/** A whole app without a mint: whatever is asked, it answers, and none of it is a defect. */
export const ipcApp: Target = {
  form: 'json',
  maxBytes: 64 * 1024,
  codes: [],
  words: [...served.map((name) => `"${name}"`), '"search":"', '%', '_', "'", '"; DROP', '\\u0000', '\\ud800', 'creqA'],
  structure: json,
  sample: (seed, count) => fc.sample(anyServed, { seed, numRuns: count }),
  open: async (): Promise<OpenTarget> => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-fuzz-'))
    const lines: string[] = []
    const app = await startApp({
      folder: join(folder, 'wallet'),
      name: 'Ann',
      listenHost: '127.0.0.1',
      memoryFolder: null,
      onEvent: (event) => void JSON.stringify(event),
      log: (line) => lines.push(line),
    })
    const route = createRouter(app.handlers, app.report)
    return {
      seeds: fc.sample(anyServed, { seed: 1, numRuns: 100 }),
      run: async (bytes) => {
        const asked = parsedCall(bytes)
        if (!asked || leftAlone.has(asked.command)) return
        const reply = parseReply(await route(asked.command, asked.input))
        hold(reply.ok || reply.error.code !== 'internal', `a defect: ${lines.join()}`)
        hold(lines.length === 0, `the log says: ${lines.join()}`)
        JSON.stringify(reply)
      },
      close: async () => {
        await app.stop()
        rmSync(folder, { recursive: true })
      },
    }
  },
}
