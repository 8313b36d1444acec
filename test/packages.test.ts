// What is installed: exact versions with integrity from any mirror of the registry, and nothing that runs on install.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))

const versions = z.record(z.string(), z.string())
const manifest = z
  .object({
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions,
    allowScripts: z.record(z.string(), z.boolean()),
  })
  .parse(read('package.json'))
const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.looseObject({
        version: z.string(),
        integrity: z.string().optional(),
        resolved: z.string().optional(),
        hasInstallScript: z.boolean().optional(),
        os: z.union([z.string(), z.array(z.string())]).optional(),
      }),
    ),
  })
  .parse(read('package-lock.json'))
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

describe('every package', () => {
  test('has one exact version in package.json', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    )
    expect(loose).toEqual([])
  })

  test('has its hash in the lockfile, and no host', () => {
    expect(packages.length).toBeGreaterThan(100)
    expect(packages.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? ''))).toEqual([])
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })

  test('with an install script is named in allowScripts, and allowed none', () => {
    const withScript = packages.filter(([path, { hasInstallScript }]) => hasInstallScript || runsOnInstall(path))
    expect(withScript.map(([path]) => nameOf(path)).filter((name) => !(name in manifest.allowScripts))).toEqual([])
    expect(Object.values(manifest.allowScripts)).not.toContain(true)
    expect(readFileSync(join(root, '.npmrc'), 'utf8').split('\n')).toContain('ignore-scripts=true')
  })
})

/** What npm would run, as the installed files say: a registry may leave it out of its answer. */
function runsOnInstall(path: string): boolean {
  const file = join(root, path, 'package.json')
  if (!existsSync(file)) return false // for another platform
  const { scripts, gypfile } = z
    .object({ scripts: z.record(z.string(), z.string()).optional(), gypfile: z.boolean().optional() })
    .parse(JSON.parse(readFileSync(file, 'utf8')))
  const compiles = gypfile !== false && existsSync(join(root, path, 'binding.gyp'))
  return compiles || ['preinstall', 'install', 'postinstall'].some((name) => scripts?.[name] !== undefined)
}

describe('the Node that runs everything', () => {
  test.each(['linux-x64', 'linux-arm64', 'win-x64', 'darwin-x64', 'bin-darwin-arm64'])(
    'is locked for %s',
    (platform) => {
      const entry = lock.packages[`node_modules/node-${platform}`]
      expect(entry).toMatchObject({ version: expect.stringMatching(/^24\./), os: expect.anything() })
      expect(entry?.hasInstallScript).toBeUndefined()
    },
  )

  test('is the one running this test, where the registry has one', () => {
    const { platform, arch } = process
    const entry = lock.packages[`node_modules/node-${platform === 'win32' ? 'win' : platform}-${arch}`]
    if (entry) expect(process.versions.node).toBe(entry.version)
    expect(process.features.typescript).toBe('strip')
  })
})
