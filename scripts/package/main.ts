// Packages the desktop app and checks what came out:
//   node scripts/package/main.ts [--dir] [--linux] [--mac] [--win] [--out FOLDER] [--placeholder-electron]
// --dir leaves the unpacked app and makes no installer. --placeholder-electron packages something that CANNOT RUN, to check
// its contents where Electron's binary cannot be fetched; it implies --dir.

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Configuration, Platform } from 'electron-builder'
import { root } from '../build/root.ts'
import { checkArchive, checkResources, filesOf } from './check.ts'
import { checkFuses } from './fuses.ts'
import { makePlaceholderElectron } from './placeholder.ts'
import { stageApp } from './stage.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'boolean', default: false },
    linux: { type: 'boolean', default: false },
    mac: { type: 'boolean', default: false },
    win: { type: 'boolean', default: false },
    out: { type: 'string', default: join(root, 'out', 'package') },
    'placeholder-electron': { type: 'boolean', default: false },
  },
})
const isPlaceholder = options['placeholder-electron']
const out = resolve(options.out)
const staged = join(out, 'app')

const named = [
  ...(options.linux ? [Platform.LINUX] : []),
  ...(options.mac ? [Platform.MAC] : []),
  ...(options.win ? [Platform.WINDOWS] : []),
]
const platforms = named.length > 0 ? named : [Platform.current()]
if (isPlaceholder && platforms.some((platform) => platform !== Platform.LINUX)) {
  throw new Error('the placeholder stands for Electron on Linux only')
}

removeOld()
await stageApp(staged)
await packaged({
  projectDir: root,
  targets: new Map(
    platforms.flatMap((platform) => [...platform.createTarget(options.dir || isPlaceholder ? 'dir' : null)]),
  ),
  publish: 'never',
  config: await configuration(),
})
const archives = archivesOf(out)
if (archives.length === 0) throw new Error('electron-builder left no app.asar')
const wrong: string[] = []
for (const asar of archives) {
  wrong.push(...checkArchive(asar, staged), ...checkResources(join(asar, '..')), ...(await checkFuses(asar)))
}
for (const line of wrong) console.error(`package: ${line}`)
if (wrong.length > 0) {
  process.exitCode = 1
} else {
  for (const asar of archives) {
    const kib = Math.round(statSync(asar).size / 1024)
    console.log(`farthing: package checked, ${filesOf(asar).length} files, ${kib} KiB, nothing else in it, fuses set`)
  }
}
if (isPlaceholder) warn()

/** A machine that cannot fetch Electron, or the tools of an installer, is told so in words. */
async function packaged(order: Parameters<typeof build>[0]): Promise<void> {
  try {
    await build(order)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|fetch failed/.test(reason)) throw error
    console.error(`farthing: Electron, or a tool that makes installers, cannot be fetched here: ${reason}`)
    console.error('farthing: `--placeholder-electron` packages and checks everything else; the result cannot run.')
    process.exit(1)
  }
}

/** The folders of an earlier run, whose archives would be checked in place of the new ones. */
function removeOld(): void {
  if (!existsSync(out)) return
  for (const name of readdirSync(out)) {
    if (/-unpacked$|^mac/.test(name) || name === 'placeholder')
      rmSync(join(out, name), { recursive: true, force: true })
  }
}

async function configuration(): Promise<Configuration> {
  const base: Configuration = {
    extends: join(root, 'electron-builder.yml'),
    directories: { app: staged, output: out, buildResources: 'build' },
    // No packages are collected, rebuilt or looked for: everything is bundled.
    beforeBuild: async () => false,
    // Electron's own demonstration app stays behind when its files are taken from a folder.
    afterPack: async ({ appOutDir }) => rmSync(join(appOutDir, 'resources', 'default_app.asar'), { force: true }),
  }
  if (!isPlaceholder) return base
  warn()
  return {
    ...base,
    electronDist: await makePlaceholderElectron(join(out, 'placeholder')),
  }
}

function archivesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|[\\/])app\.asar$/.test(name))
    .map((name) => join(folder, name))
}

function warn(): void {
  console.warn('farthing: PLACEHOLDER ELECTRON: this package CANNOT RUN. It is made to check its contents only.')
}
