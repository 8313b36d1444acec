// What README.md and ARCHITECTURE.md list is there, and what is there is listed.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { migrations as walletMigrations } from '../electron/store/schema.ts'
import { migrations as mintMigrations } from '../mint/schema.ts'
import { cardProtocol } from '../shared/card.ts'
import { payProtocol } from '../shared/messages.ts'

const root = join(import.meta.dirname, '..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const filesIn = (pattern: string): readonly string[] => globSync(pattern, { cwd: root })
const section = (page: string, title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
const architecture = read('ARCHITECTURE.md')

test('README.md names every command of package.json, and no other', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
  const named = [...read('README.md').matchAll(/\bnpm (?:(start|test)\b|run ([a-z0-9:]+))/g)].map(
    (found) => found[1] ?? found[2],
  )
  expect([...new Set(named)].sort()).toEqual(Object.keys(scripts).sort())
})

describe('ARCHITECTURE.md', () => {
  test('names every file of the rooms whose files it names', () => {
    const rooms = section(architecture, 'Layers') + section(architecture, 'Rooms')
    const named = new Set(rooms.match(/[a-z0-9-]+/g))
    const unnamed = ['shared', 'shared/cashu', 'electron', 'electron/wallet', 'electron/store', 'electron/net', 'mint']
      .concat('mint/funding', 'practice')
      .flatMap((room) => filesIn(`${room}/*.ts`))
      .filter((path) => !named.has(basename(path, '.ts')) && !/^electron.net.lan-/.test(path))
    expect(unnamed).toEqual([])
  })

  test('says of every test what it proves', () => {
    const rows = section(architecture, 'Tests').matchAll(/^\| ([^|]+) \|/gm)
    const names = [...rows].flatMap(([, cell = '']) => cell.split(', ')).filter((name) => !/^(file|-+)$/.test(name))
    const patterns = names.map((name) => new RegExp(`^${name.replace('*', '.*')}$`))
    const tests = filesIn('test/**/*.test.ts').map((path) =>
      path.replaceAll('\\', '/').replace(/^test\/(.*)\.test\.ts$/, '$1'),
    )
    expect(tests.filter((name) => !patterns.some((pattern) => pattern.test(name)))).toEqual([])
    expect(patterns.filter((pattern) => !tests.some((name) => pattern.test(name)))).toEqual([])
  })
})

test('every section of the protocol that the project speaks of is in docs/protocol.md', () => {
  const sections = new Set([...read('docs/protocol.md').matchAll(/^## (\d+)\. /gm)].map(([, number]) => number))
  const pages = [...filesIn('*.md'), ...filesIn('docs/**/*.md')]
  const sources = ['electron', 'mint', 'practice', 'renderer', 'scripts', 'shared', 'test'].flatMap((room) =>
    filesIn(`${room}/**/*.{ts,tsx}`),
  )
  const cited = [...pages, ...sources].flatMap((path) =>
    [...read(path).matchAll(/protocol sections? (\d+)(?: and (\d+))?/g)].flatMap(([, one, other]) =>
      [one, other].flatMap((number) => (number === undefined ? [] : { path, number })),
    ),
  )
  expect(cited.length).toBeGreaterThan(40)
  expect(cited.filter(({ number }) => !sections.has(number))).toEqual([])
})

test('CHANGELOG.md tells of this version, and of the versions of what it writes', () => {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string }
  const [newest = ''] = read('CHANGELOG.md').split('\n## ').slice(1)
  expect(newest.startsWith(`${version} `)).toBe(true)
  const said = newest.replaceAll(/\s+/g, ' ')
  for (const format of [payProtocol, cardProtocol]) expect(said).toContain(`\`${format}\``)
  expect(said).toContain(`wallet database version ${walletMigrations.length},`)
  expect(said).toContain(`mint database version ${mintMigrations.length}.`)
})

test('links between the pages, and pictures, lead somewhere', () => {
  const dead = ['*.md', 'docs/*.md', 'docs/adr/*.md'].flatMap(filesIn).flatMap((page) => {
    const targets = [...read(page).matchAll(/(?:\]\(|src=")(?!https?:)([^)"#]+)/g)].map(([, target]) => target ?? '')
    return targets.filter((target) => !existsSync(join(root, page, '..', target))).map((target) => `${page}: ${target}`)
  })
  expect(dead).toEqual([])
})
