// The package: made once, with a placeholder for Electron's binary, then looked into; and the app in it run on its own.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createPackage, extractAll, extractFile } from '@electron/asar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkArchive, checkResources, filesOf } from '../scripts/package/check.ts'
import { checkFuses } from '../scripts/package/fuses.ts'

const root = join(import.meta.dirname, '..')
const home = mkdtempSync(join(tmpdir(), 'farthing-package-'))
const out = join(home, 'out')
const staged = join(out, 'app')
const unpacked = join(out, 'linux-unpacked')
const asar = join(unpacked, 'resources', 'app.asar')
/** The placeholder is one of Electron for Linux. */
const isSkipped = process.platform !== 'linux'
let made: { readonly status: number | null; readonly said: string }

beforeAll(() => {
  if (isSkipped) return
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'package', 'main.ts'), '--placeholder-electron', '--out', out],
    { cwd: root, encoding: 'utf8', timeout: 110_000 },
  )
  made = { status, said: stdout + stderr }
}, 120_000)

afterAll(() => {
  rmSync(home, { recursive: true, force: true })
})

describe.skipIf(isSkipped)('the package', () => {
  test('is made, and says loudly that it cannot run', () => {
    expect(made.status, made.said).toBe(0)
    expect(made.said).toContain('CANNOT RUN')
    expect(made.said).toContain('package checked')
  })

  test('holds exactly what it needs', () => {
    const names = filesOf(asar)
    expect(names.filter((name) => !name.startsWith('dist/renderer/assets/'))).toEqual([
      'LICENSE',
      'dist/electron/icon.png',
      'dist/electron/main.js',
      'dist/electron/main.js.licences.md',
      'dist/electron/practice.js',
      'dist/electron/practice.js.licences.md',
      'dist/electron/preload.cjs',
      'dist/electron/preload.cjs.licences.md',
      'dist/electron/tray.png',
      'dist/electron/tray@2x.png',
      'dist/electron/trayTemplate.png',
      'dist/electron/trayTemplate@2x.png',
      'dist/renderer/icon.svg',
      'dist/renderer/index.html',
      'dist/renderer/renderer.licences.md',
      'package.json',
    ])
    const assets = names.filter((name) => name.startsWith('dist/renderer/assets/'))
    expect(assets.filter((name) => /\.js$/.test(name)).length).toBeGreaterThan(0)
    expect(assets.filter((name) => !/\.(js|css|woff2|svg|png)$/.test(name))).toEqual([])
    expect(existsSync(`${asar}.unpacked`)).toBe(false)
    expect(checkResources(join(unpacked, 'resources'))).toEqual([])
  })

  test('has a manifest without packages and scripts', () => {
    const manifest = JSON.parse(extractFile(asar, 'package.json').toString('utf8'))
    expect(manifest).toMatchObject({
      name: 'farthing',
      productName: 'Farthing',
      version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
      type: 'module',
      main: 'dist/electron/main.js',
      desktopName: 'cash.farthing.Farthing.desktop',
    })
    for (const name of ['dependencies', 'devDependencies', 'optionalDependencies', 'scripts']) {
      expect(manifest).not.toHaveProperty(name)
    }
  })

  test('names the licence of every package in it', () => {
    const licences = extractFile(asar, 'dist/electron/main.js.licences.md').toString('utf8')
    for (const name of ['@cashu/cashu-ts', '@noble/curves', 'libp2p', 'zod']) expect(licences).toContain(`## ${name} `)
    expect(extractFile(asar, 'dist/renderer/renderer.licences.md').toString('utf8')).toContain('## react ')
  })

  test('has its fuses set in the binary', async () => {
    expect(await checkFuses(asar)).toEqual([])
  })

  test('names one app everywhere, its links, and what the system asks people about', () => {
    const configuration = readFileSync(join(root, 'electron-builder.yml'), 'utf8')
    const appId = /^appId: (.+)$/m.exec(configuration)?.[1]
    expect(readFileSync(join(root, 'electron', 'main.ts'), 'utf8')).toContain(`'${appId}'`)
    expect(configuration).toContain('schemes: [cashu, farthing]')
    expect(configuration).toContain('category: Finance')
    expect(configuration).toContain('NSCameraUsageDescription')
  })

  test('runs by itself: window, wallet, practice mint and its stall, and an orderly end', () => {
    const app = join(home, 'alone', 'app')
    extractAll(asar, app)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'test', 'electron-packaged.ts'), app, join(home, 'alone')],
      { encoding: 'utf8', timeout: 55_000, env: { PATH: process.env['PATH'] } },
    )
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      version: '0.1.0',
      preload: join(app, 'dist', 'electron', 'preload.cjs'),
      devTools: false,
      page: 200,
      coins: expect.any(Number),
      request: 'creqA',
      children: [0],
    })
  })
})

describe.skipIf(isSkipped)('the check of a package finds', () => {
  /** A package like the real one, but for one thing. */
  async function packaged(change: (folder: string) => void, isStaged = true): Promise<readonly string[]> {
    const folder = mkdtempSync(join(home, 'bad-'))
    cpSync(staged, join(folder, 'app'), { recursive: true })
    change(join(folder, 'app'))
    await createPackage(join(folder, 'app'), join(folder, 'app.asar'))
    return checkArchive(join(folder, 'app.asar'), isStaged ? join(folder, 'app') : staged)
  }
  const add =
    (name: string, content = 'x') =>
    (folder: string): void => {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    }

  test('nothing when nothing is wrong', async () => {
    expect(await packaged(() => {})).toEqual([])
  })

  test.each([
    'node_modules/zod/index.js',
    'dist/renderer/assets/index.js.map',
    'dist/electron/main.ts',
    'electron/main.ts',
    'dist/electron/node',
    'dist/electron/addon.node',
    'bin/node',
    'dist/renderer/assets/phrase.js',
    'dist/renderer/notes.md',
    'wallet.db',
    '.env',
    'test/e2e.test.js',
  ])('%s', async (name) => {
    const wrong = await packaged(add(name))
    expect(wrong.some((line) => line.startsWith(name))).toBe(true)
  })

  test('a file that was not staged, and one that was lost', async () => {
    expect(await packaged(add('dist/renderer/assets/extra.js'), false)).toEqual([
      'dist/renderer/assets/extra.js was not staged',
    ])
    expect(await packaged((folder) => rmSync(join(folder, 'dist/electron/preload.cjs')))).toEqual([
      'dist/electron/preload.cjs is missing',
    ])
  })

  test('an empty file, a source map by name, a path of the machine it was built on', async () => {
    expect(await packaged(add('dist/electron/practice.js', ''))).toEqual(['dist/electron/practice.js is empty'])
    expect(await packaged(add('dist/renderer/assets/a.js', 'let a\n//# sourceMappingURL=a.js.map\n'))).toEqual([
      'dist/renderer/assets/a.js names a source map',
    ])
    expect(await packaged(add('dist/renderer/assets/a.js', `const here = '${root}/electron'`))).toEqual([
      'dist/renderer/assets/a.js names the folder it was built in',
    ])
  })

  test('fuses that are not set', async () => {
    const folder = mkdtempSync(join(home, 'unset-'))
    mkdirSync(join(folder, 'resources'))
    cpSync(join(out, 'placeholder', 'electron', 'electron'), join(folder, 'farthing'))
    const wrong = await checkFuses(join(folder, 'resources', 'app.asar'))
    expect(wrong).toContain('the fuse RunAsNode is not off')
    expect(wrong).toContain('the fuse OnlyLoadAppFromAsar is not on')
    expect(wrong).toHaveLength(7)
  })
})
