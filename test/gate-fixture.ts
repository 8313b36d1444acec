// An app behind its gate, as a host sees it, with a clock that a test moves and a keychain that it can shut.

import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type App, type AppOptions, startApp } from '../electron/app.ts'
import type { KdfCost } from '../electron/passphrase.ts'
import type { Sealer } from '../electron/sealing.ts'
import type { ErrorCode } from '../shared/errors.ts'
import type { HostEvent } from '../shared/ipc.ts'
import type { GateView } from '../shared/model.ts'

/** A hundredth of what people pay for a guess: what is tested is the same. */
export const cheap: KdfCost = { logN: 10, r: 8, p: 1 }
export const passphrase = 'a wren, two loaves and a lamp'
export const abandon = [...Array.from({ length: 11 }, () => 'abandon'), 'about']

export type TestClock = {
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<void>
  /** Forwards or back; whoever waited long enough goes on. */
  readonly move: (milliseconds: number) => void
}

export function createTestClock(): TestClock {
  let now = Date.UTC(2026, 10, 22)
  let waiting: { readonly until: number; readonly done: () => void }[] = []
  return {
    now: () => now,
    wait: (milliseconds) => new Promise((done) => waiting.push({ until: now + milliseconds, done })),
    move: (milliseconds) => {
      now += milliseconds
      const due = waiting.filter(({ until }) => until <= now)
      waiting = waiting.filter((one) => !due.includes(one))
      for (const { done } of due) done()
    },
  }
}

export type Keychain = { isShut: boolean; isStale: boolean; sealings: number; readonly sealer: Sealer }

/** Stands for the system's: what it sealed, only it opens, and only while it is not shut. */
export function createKeychain(key = 7): Keychain {
  const chain: Keychain = {
    isShut: false,
    isStale: false,
    sealings: 0,
    sealer: {
      kind: 'os',
      seal: async (text) => {
        if (chain.isShut) throw new Error('shut')
        chain.sealings++
        return Uint8Array.from(Buffer.from(text), (byte) => byte ^ key)
      },
      unseal: async (sealed) => {
        if (chain.isShut) throw new Error('shut')
        return { text: Buffer.from(sealed.map((byte) => byte ^ key)).toString(), isStale: chain.isStale }
      },
    },
  }
  return chain
}

export type TestApp = App & {
  readonly folder: string
  readonly events: HostEvent[]
  readonly logs: string[]
  /** The events of the gate. */
  gates(): readonly GateView[]
}

export async function openApp(folder: string, more: Partial<AppOptions> = {}): Promise<TestApp> {
  const events: HostEvent[] = []
  const logs: string[] = []
  const app = await startApp({
    folder,
    listenHost: '127.0.0.1',
    tickMs: 200,
    config: { settleDelayMs: [0, 0], refreshDelayMs: [1e9, 1e9], readingGapMs: 50, retryMs: [50, 200] },
    memoryFolder: join(folder, '..', 'state'),
    kdfCost: cheap,
    onEvent: (event) => events.push(event),
    log: (line) => logs.push(line),
    ...more,
  })
  const gates = () => events.flatMap((event) => (event.kind === 'gate' ? [event.gate] : []))
  return { ...app, folder, events, logs, gates }
}

/** The code that a promise is refused with. */
export async function refusal(work: Promise<unknown>): Promise<ErrorCode | 'none'> {
  try {
    await work
    return 'none'
  } catch (error) {
    return (error as { code: ErrorCode }).code
  }
}

/** Every file below a folder, by its path from there. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()
}

/** The names of files that hold this text. */
export const filesWith = (folder: string, text: string): readonly string[] =>
  filesIn(folder).filter((name) => readFileSync(join(folder, name)).includes(text))

export const wordsOf = async (app: App): Promise<string> => (await app.handlers['phrase.show']({})).words.join(' ')

/** Noise in place of a database, from this byte on: without the first page it is still known for one. */
export function scribble(path: string, from = 4096): void {
  const noise = Buffer.alloc(statSync(path).size - from, 0xa5)
  const file = openSync(path, 'r+')
  writeSync(file, noise, 0, noise.length, from)
  closeSync(file)
}

/** Under a wallet that is open: what it has in memory is made stale by another writer, and what is on the disk is noise. */
export function damageUnderneath(path: string): void {
  const db = new DatabaseSync(path)
  db.exec("INSERT INTO meta (key, value) VALUES ('x', '1'); PRAGMA wal_checkpoint(TRUNCATE)")
  scribble(path)
  db.close()
}
