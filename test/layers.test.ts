// The arrows of ARCHITECTURE.md: which room may import which, and which packages. Every import of every source file is
// read; what is not allowed here fails. A new room or package is a decision: it is added to the table below.

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

type Room = {
  readonly name: string
  /** Files of this room; the first room that matches owns a file. */
  readonly files: RegExp
  /** Paths inside the project that its files may import. */
  readonly inside: readonly RegExp[]
  /** Same, but only with `import type` or `export type`. */
  readonly typesOf?: readonly RegExp[]
  /** Packages and Node modules that its files may import. */
  readonly outside: readonly RegExp[]
}

const shared = /^shared\//
const wallet = /^electron\/wallet\//
const store = /^electron\/store\//
const net = /^electron\/net\//
/** What stands on Electron: the only files that may import it. */
const shell = /^electron\/(main|ipc-main|preload)\.ts$|^electron\/shell\//
const serve = /^electron\/serve(\.ts$|\/)/
const compositionRoot = /^electron\/[^/]+\.ts$/
const mint = /^mint\//
/** The process beside an app in which a mint and a wallet meet: both as they are started, neither from inside. */
const practice = /^practice\//
const renderer = /^renderer\//
const scripts = /^scripts\//

const noble = /^@noble\//
const scure = /^@scure\//
const cashu = /^@cashu\/cashu-ts$/
const zod = /^zod$/
/** All of Node but its database, which has a rule of its own. */
const node = /^node:(?!sqlite$)/
const sqlite = /^node:sqlite$/

const rooms: readonly Room[] = [
  // The version is in package.json, and nowhere else.
  {
    name: 'shared',
    files: shared,
    inside: [shared, /^package\.json$/],
    outside: [noble, scure, zod, /^cborg$/, cashu],
  },
  { name: 'electron/wallet', files: wallet, inside: [shared, wallet], outside: [noble, cashu] },
  {
    name: 'electron/store',
    files: store,
    // The states and their transitions are data that the store checks and keeps.
    inside: [shared, store, /^electron\/wallet\/operation\.ts$/],
    typesOf: [/^electron\/wallet\/(ports|store-port)\.ts$/],
    outside: [node, sqlite, zod],
  },
  {
    name: 'electron/net',
    files: net,
    inside: [shared, net],
    typesOf: [/^electron\/wallet\/ports\.ts$/],
    outside: [
      node,
      zod,
      /^libp2p$/,
      /^@libp2p\//,
      /^@chainsafe\/libp2p-noise$/,
      /^@multiformats\/multiaddr$/,
      /^multicast-dns$/,
      /^uint8arraylist$/,
    ],
  },
  {
    name: 'electron hosts on Electron',
    files: shell,
    inside: [shared, shell, compositionRoot],
    outside: [node, zod, /^electron$/],
  },
  {
    name: 'electron/serve',
    files: serve,
    inside: [shared, serve, compositionRoot, /^practice\/launch\.ts$/],
    outside: [node, zod],
  },
  {
    name: 'practice',
    files: practice,
    inside: [shared, practice, /^mint\/start\.ts$/, /^electron\/(app|practice)\.ts$/],
    outside: [node, zod],
  },
  {
    name: 'electron composition root',
    files: compositionRoot,
    inside: [shared, wallet, store, net, compositionRoot],
    outside: [node, zod, noble, scure],
  },
  {
    name: 'mint',
    files: mint,
    inside: [shared, mint],
    outside: [node, sqlite, zod, noble, scure, cashu, /^fastify$/, /^fastify-type-provider-zod$/],
  },
  {
    name: 'renderer',
    files: renderer,
    inside: [/^shared\/(?!cashu\/)/, renderer],
    // Primitives of a dialog, a virtual list, QR codes and the font: nothing that knows money or a network.
    outside: [
      /^react(-dom)?(\/|$)/,
      /^zustand(\/|$)/,
      /^@base-ui\/react\//,
      /^@tanstack\/react-virtual$/,
      /^qr(\/|$)/,
      /^@fontsource-variable\/hanken-grotesk\//,
      // Made by the build from the lockfile: names, versions and texts.
      /^virtual:licences$/,
    ],
  },
  // Only what builds, packages or photographs the app may load the tools for it.
  {
    name: 'scripts for building and packaging',
    files: /^scripts\/(build|package|screens)\/|^scripts\/bench\/start\.ts$/,
    inside: [shared, scripts, /^test\/browser\/(stage|chromium)\.ts$/],
    outside: [node, zod, /^vite$/, /^playwright-core$/, /^electron-builder$/, /^@electron\/(asar|fuses)$/],
  },
  // Every decoder there is, those of the screens too; and the fuzzer's thread is told which table of them to load.
  {
    name: 'scripts for fuzzing',
    files: /^scripts\/fuzz\//,
    inside: [shared, wallet, store, net, compositionRoot, serve, shell, mint, renderer, scripts],
    outside: [
      node,
      zod,
      noble,
      /^fast-check$/,
      /^@libp2p\//,
      /^uint8arraylist$/,
      /^multicast-dns$/,
      /^qr$/,
      /^\(computed\)$/,
    ],
  },
  {
    name: 'scripts',
    files: scripts,
    inside: [shared, wallet, store, net, compositionRoot, serve, mint, practice, scripts],
    outside: [node, zod, noble, scure, cashu],
  },
]

/** The only files that may open a database: one of the wallet, one of the mint, and the lease of each. */
const databases: readonly string[] = [
  'electron/store/database.ts',
  // Copies a file that is open, and looks through one before it counts as a wallet's.
  'electron/store/backup-store.ts',
  'electron/store/lease.ts',
  'mint/database.ts',
  'mint/lease.ts',
]
/** One file per kind of operation: they meet in the runner and the store, never in each other. */
const operation = /^electron\/wallet\/(withdraw|pay|receive|refresh|reclaim|melt|deposit|refund)\.ts$/
/** No host stands above these: they have no clock, no chance, no network and no process but through their ports. */
const pure = [shared, wallet]
const impure =
  /\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|fetch|AbortSignal\.timeout|randomBytes)\(|\bnew Date\(\)|\b(process|performance|globalThis|crypto)\./
const money = [shared, /^electron\//, mint]
const mayPrint = [shell, serve, scripts, /^mint\/main\.ts$/]

type Source = { readonly path: string; readonly text: string }
type Import = { readonly specifier: string; readonly typeOnly: boolean }

const gap = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n]*\n)*`
const text = String.raw`(?:'([^'\n]*)'|"([^"\n]*)")`
const fromText = new RegExp(String.raw`\b(import|export)\b(${gap}type\b)?[^'"\x60;]*?\bfrom${gap}${text}`, 'g')
const anyFrom = new RegExp(String.raw`\bfrom${gap}${text}`, 'g')
const bare = new RegExp(String.raw`\bimport${gap}${text}`, 'g')
const call = new RegExp(String.raw`(\btypeof\s+)?\bimport${gap}\(${gap}(?:${text}${gap}[,)])?`, 'g')
const otherWays = /\b(createRequire|getBuiltinModule|require)\b\s*\(/g

/**
 * Every import of a source text. It reads the text as it is, comments and strings included: a false alarm is seen and
 * reworded, a missed import is not. An import whose target is computed has the specifier `(computed)`.
 */
function importsOf(source: string): readonly Import[] {
  const found: Import[] = []
  const typed = new Map<number, boolean>()
  for (const match of source.matchAll(fromText)) typed.set(match.index + match[0].length, match[2] !== undefined)
  for (const match of source.matchAll(anyFrom)) {
    found.push({ specifier: either(match, 1), typeOnly: typed.get(match.index + match[0].length) ?? false })
  }
  for (const match of source.matchAll(bare)) found.push({ specifier: either(match, 1), typeOnly: false })
  for (const match of source.matchAll(call)) {
    found.push({ specifier: either(match, 2), typeOnly: match[1] !== undefined })
  }
  for (const _ of source.matchAll(otherWays)) found.push({ specifier: '(computed)', typeOnly: false })
  return found
}

function either(match: RegExpMatchArray, first: number): string {
  return match[first] ?? match[first + 1] ?? '(computed)'
}

/** What a set of sources does that the arrows do not allow, one line each. */
function violations(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => {
    const room = rooms.find(({ files }) => files.test(source.path))
    if (!room) return [`${source.path} is in no room`]
    const arrows = importsOf(source.text).flatMap((one) => {
      const why = forbidden(source.path, room, one)
      return why === undefined ? [] : [`${source.path} (${room.name}) imports ${one.specifier}: ${why}`]
    })
    return [...arrows, ...words(source)]
  })
}

function forbidden(path: string, room: Room, { specifier, typeOnly }: Import): string | undefined {
  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(posix.dirname(path), specifier))
    if (operation.test(path) && operation.test(target)) return 'operations meet in the runner and the store'
    if (matches(room.inside, target)) return undefined
    if (matches(room.typesOf ?? [], target)) return typeOnly ? undefined : 'only its types may be imported'
    return 'no such arrow'
  }
  if (!matches(room.outside, specifier)) return 'not a package of this room'
  if (sqlite.test(specifier) && !databases.includes(path))
    return 'only the database files and the lease open a database'
  return undefined
}

function words({ path, text }: Source): readonly string[] {
  const found: string[] = []
  if (matches(money, path) && /\b(TODO|FIXME|XXX)\b/.test(text)) found.push(`${path} has unfinished work in money code`)
  if (!matches(mayPrint, path) && /\bconsole\./.test(text)) found.push(`${path} prints, which only hosts may`)
  const reach = matches(pure, path) ? impure.exec(withoutComments(text)) : null
  if (reach) found.push(`${path} uses ${reach[0]} instead of a port`)
  return found
}

/** Whole comment lines only, which is where prose may name a clock. */
function withoutComments(source: string): string {
  return source.replace(/^\s*(\/\/|\/?\*).*$/gm, '')
}

function matches(patterns: readonly RegExp[], value: string): boolean {
  return patterns.some((pattern) => pattern.test(value))
}

function readSources(): readonly Source[] {
  const root = join(import.meta.dirname, '..')
  return ['shared', 'electron', 'mint', 'practice', 'renderer', 'scripts'].flatMap((folder) =>
    listFiles(root, folder)
      .filter((path) => /\.[cm]?[jt]sx?$/.test(path))
      .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(root, path), 'utf8') })),
  )
}

function listFiles(root: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  } catch {
    return [] // a room that does not exist yet
  }
}

describe('the project', () => {
  const sources = readSources()

  test('has sources in every room this test is about', () => {
    for (const room of [shared, wallet, store, net, serve, mint, practice, scripts]) {
      expect(
        sources.filter(({ path }) => room.test(path)),
        String(room),
      ).not.toEqual([])
    }
  })

  test('imports nothing that its architecture does not allow', () => {
    expect(violations(sources)).toEqual([])
  })
})

describe('a forbidden arrow is found', () => {
  test.each([
    ['a shared file that imports Node', 'shared/a.ts', `import { readFileSync } from 'node:fs'`],
    [
      'a shared file that imports the wallet',
      'shared/a.ts',
      `import type { Clock } from '../electron/wallet/ports.ts'`,
    ],
    ['the engine importing Electron', 'electron/wallet/a.ts', `import { app } from 'electron'`],
    ['the engine importing a schema library', 'electron/wallet/a.ts', `import { z } from 'zod'`],
    ['the engine importing Node', 'electron/wallet/a.ts', `import 'node:timers'`],
    ['the engine importing libp2p', 'electron/wallet/a.ts', `import { createLibp2p } from 'libp2p'`],
    ['the engine importing its store', 'electron/wallet/a.ts', `import { open } from '../store/database.ts'`],
    ['the engine importing the mint', 'electron/wallet/a.ts', `import { mint } from '../../mint/mint.ts'`],
    ['the mint importing the wallet', 'mint/a.ts', `import type { Clock } from '../electron/wallet/ports.ts'`],
    ['the mint importing libp2p', 'mint/a.ts', `import { tcp } from '@libp2p/tcp'`],
    ['the store importing the engine', 'electron/store/a.ts', `import type { Pay } from '../wallet/pay.ts'`],
    ['the store importing values of a port', 'electron/store/a.ts', `import { x } from '../wallet/ports.ts'`],
    ['the store importing libp2p', 'electron/store/a.ts', `import { tcp } from '@libp2p/tcp'`],
    ['the store importing the net', 'electron/store/a.ts', `import { dial } from '../net/peer-node.ts'`],
    ['a second database file', 'electron/store/other.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['a database in the net', 'electron/net/a.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['a database in a script', 'scripts/a.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['the net importing the store', 'electron/net/a.ts', `import { open } from '../store/database.ts'`],
    ['libp2p in the composition root', 'electron/app.ts', `import { createLibp2p } from 'libp2p'`],
    ['Electron in the composition root', 'electron/app.ts', `import { app } from 'electron'`],
    ['Electron in the browser host', 'electron/serve.ts', `import { app } from 'electron'`],
    ['Electron in a part of the browser host', 'electron/serve/guard.ts', `import { app } from 'electron'`],
    ['the browser host importing the engine', 'electron/serve/guard.ts', `import { pay } from '../wallet/pay.ts'`],
    ['the practice process importing the engine', 'practice/a.ts', `import { pay } from '../electron/wallet/pay.ts'`],
    ['the practice process importing the rules of the mint', 'practice/a.ts', `import { swap } from '../mint/swap.ts'`],
    ['the mint importing the practice process', 'mint/a.ts', `import { x } from '../practice/port.ts'`],
    ['an app that starts the practice process itself', 'electron/app.ts', `import '../practice/launch.ts'`],
    ['a composition root that imports its host', 'electron/app.ts', `import './shell/window.ts'`],
    ['a window that imports the engine', 'electron/main.ts', `import { pay } from './wallet/pay.ts'`],
    ['the renderer importing Electron', 'renderer/App.tsx', `import { ipcRenderer } from 'electron'`],
    [
      'the renderer importing the engine',
      'renderer/App.tsx',
      `import type { Coin } from '../electron/wallet/ports.ts'`,
    ],
    ['the renderer importing coins', 'renderer/App.tsx', `import type { Proof } from '../shared/cashu/wire.ts'`],
    ['one operation importing another', 'electron/wallet/pay.ts', `import { refresh } from './refresh.ts'`],
    ['a script importing a test', 'scripts/demo/main.ts', `import { x } from '../../test/x.ts'`],
    ['a file in no room', 'electron/misc/a.ts', ''],
  ])('%s', (_, path, text) => {
    expect(violations([{ path, text }])).toHaveLength(1)
  })

  test.each([
    ['an import over several lines', `import {\n  a,\n  b,\n} from\n  "electron"`],
    ['a default import', `import electron from 'electron'`],
    ['a namespace import', `import * as electron from 'electron'`],
    ['an import of types', `import type { App } from 'electron'`],
    ['an import for its effect', `import "electron"`],
    ['an export from', `export { app } from 'electron'`],
    ['an export of everything', `export * from 'electron'`],
    ['a dynamic import', `const { app } = await import('electron')`],
    ['a dynamic import with options', `await import("electron", { with: {} })`],
    ['an import hidden behind a comment', `import { app } from /* the window */ 'electron'`],
    ['a dynamic import with a comment inside', `await import(/* later */ 'electron')`],
    ['a type taken from an import', `type App = typeof import('electron')`],
    ['a computed import', `await import(name)`],
    ['an import with a template', 'await import(`electron`)'],
    ['require', `const { app } = require('electron')`],
    ['createRequire', `const load = createRequire(import.meta.url)`],
    ['getBuiltinModule', `process.getBuiltinModule('node:fs')`],
  ])('%s', (_, text) => {
    expect(violations([{ path: 'electron/app.ts', text }])).toHaveLength(1)
  })

  test.each([
    ['unfinished work in money code', 'mint/a.ts', '// TODO: fee'],
    ['printing in the engine', 'electron/wallet/a.ts', `console.log('paid')`],
    ['a clock in the engine', 'electron/wallet/a.ts', 'const now = Date.now()'],
    ['chance in shared code', 'shared/a.ts', 'const r = Math.random()'],
    ['the network in the engine', 'electron/wallet/a.ts', 'await fetch(url)'],
  ])('%s', (_, path, text) => {
    expect(violations([{ path, text }])).toHaveLength(1)
  })
})

describe('an allowed arrow passes', () => {
  test.each([
    [
      'shared/a.ts',
      `import { z } from 'zod'\nimport { x } from './cashu/wire.ts'\nexport type { Y } from './errors.ts'`,
    ],
    [
      'electron/wallet/pay.ts',
      `import { AppError } from '../../shared/errors.ts'\nimport { choose } from './coins.ts'`,
    ],
    ['electron/wallet/runner.ts', `import { pay } from './pay.ts'\nimport { refresh } from './refresh.ts'`],
    ['electron/store/database.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['mint/database.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['electron/store/a.ts', `import type {\n  WalletStore,\n} from '../wallet/ports.ts'`],
    ['electron/net/a.ts', `import { tcp } from '@libp2p/tcp'\nimport type { PeerDialer } from '../wallet/ports.ts'`],
    ['electron/app.ts', `import { open } from './store/database.ts'\nimport { join } from 'node:path'`],
    ['electron/main.ts', `import { app } from 'electron'\nimport { createApp } from './app.ts'`],
    ['renderer/App.tsx', `import { useState } from 'react'\nimport { commands } from '../shared/ipc.ts'`],
    ['electron/serve.ts', `import { x } from './serve/guard.ts'\nimport { createServer } from 'node:http'`],
    [
      'practice/a.ts',
      `import { startApp } from '../electron/app.ts'\nimport { startMintServer } from '../mint/start.ts'`,
    ],
    ['mint/server.ts', `import fastify from 'fastify'\nimport { AppError } from '../shared/errors.ts'`],
  ])('%s', (path, text) => {
    expect(violations([{ path, text }])).toEqual([])
  })
})
